export const id = 812;
export const ids = [812];
export const modules = {

/***/ 68812:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   parseProviderId: () => (/* binding */ parseProviderId)
/* harmony export */ });
/* harmony import */ var _common_errors_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(71922);

/**
 * The Compute Engine instance of a Kubernetes node, by `spec.providerID`: `gce://PROJECT/ZONE/NAME`.
 * @param node name of the Kubernetes node, for the message
 * @throws ConfigurationError for a node of another kind
 */
function parseProviderId(providerId, node) {
    const [, project, zone, name] = /^gce:\/\/((?:[a-z0-9.-]+:)?[a-z][a-z0-9-]{4,61})\/([a-z][a-z0-9-]{1,61})\/([a-z](?:[-a-z0-9]{0,61}[a-z0-9])?)$/.exec(providerId ?? '') ?? [];
    if (project !== undefined && zone !== undefined && name !== undefined)
        return { project, zone, name };
    const reason = providerId ? `its providerID is ${JSON.stringify(providerId.slice(0, 200))}` : 'it has no providerID';
    throw new _common_errors_js__WEBPACK_IMPORTED_MODULE_0__/* .ConfigurationError */ .j1({
        code: 'E_NODE_NOT_ON_GCE',
        input: 'node-method',
        problem: `the node ${JSON.stringify(node)} is not a Compute Engine node: ${reason}`,
        fix: 'SSH is supported for nodes of GKE Standard only: use node-method: pod.',
    });
}


/***/ })

};
