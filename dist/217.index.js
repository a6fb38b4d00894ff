export const id = 217;
export const ids = [217];
export const modules = {

/***/ 23060:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   CM: () => (/* binding */ bearer),
/* harmony export */   yV: () => (/* binding */ identityOfAddress)
/* harmony export */ });
/* unused harmony export credentialsOf */
/* harmony import */ var node_net__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(77030);
/* harmony import */ var node_net__WEBPACK_IMPORTED_MODULE_0___default = /*#__PURE__*/__webpack_require__.n(node_net__WEBPACK_IMPORTED_MODULE_0__);
/* harmony import */ var node_tls__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(41692);
/* harmony import */ var node_tls__WEBPACK_IMPORTED_MODULE_1___default = /*#__PURE__*/__webpack_require__.n(node_tls__WEBPACK_IMPORTED_MODULE_1__);
/* harmony import */ var _errors_js__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(83916);



/** Exec plugins end by themselves after a minute, and say more. */
const longestWait = 65_000;
/**
 * The credentials, or an error after `within` ms: whoever makes them may hang, and nobody waits for that for ever.
 * @throws ConfigurationError
 */
async function credentialsOf(connection, within = longestWait) {
    let timer;
    const late = new Promise((_resolve, reject) => {
        timer = setTimeout(() => {
            reject(new ConfigurationError(`${connection.input}: no credentials for ${connection.description} within ${within / 1000} s. ` +
                'Whoever hands them out (an exec plugin, GitHub, Google) does not answer; the next request asks again.'));
        }, within);
    });
    try {
        return await Promise.race([connection.credentials(), late]);
    }
    finally {
        clearTimeout(timer);
    }
}
/**
 * The header of a bearer token; a line end around it is left out.
 * @param whose begins the error: `kubeconfig: the token of its user "dev"`
 * @throws ConfigurationError where no header can carry it
 */
function bearer(token, whose) {
    const text = token.trim();
    if (/^[\x21-\x7e]+$/.test(text))
        return `Bearer ${text}`;
    throw new _errors_js__WEBPACK_IMPORTED_MODULE_2__.ConfigurationError(text === ''
        ? `${whose} is empty. Was the secret set, and is it readable for this workflow?`
        : `${whose} has a line break, a blank or a letter that no token has. Was it copied or stored with something around it?`);
}
/** https-proxy-agent does not tell the TLS layer the host of a server that is named by its address, so the certificate is compared here. */
function identityOfAddress(server) {
    const host = new URL(server).hostname.replace(/^\[|\]$/g, '');
    return (0,node_net__WEBPACK_IMPORTED_MODULE_0__.isIP)(host) ? { checkServerIdentity: (_host, certificate) => (0,node_tls__WEBPACK_IMPORTED_MODULE_1__.checkServerIdentity)(host, certificate) } : {};
}


/***/ }),

/***/ 61217:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   cachedToken: () => (/* binding */ cachedToken),
/* harmony export */   claimsOf: () => (/* binding */ claimsOf),
/* harmony export */   connectDirectly: () => (/* binding */ connectDirectly)
/* harmony export */ });
/* harmony import */ var node_fs__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(73024);
/* harmony import */ var node_fs__WEBPACK_IMPORTED_MODULE_0___default = /*#__PURE__*/__webpack_require__.n(node_fs__WEBPACK_IMPORTED_MODULE_0__);
/* harmony import */ var _errors_js__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(83916);
/* harmony import */ var _connection_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(23060);



/** @throws ConfigurationError when the certificate authority is none */
function connectDirectly(access, secret) {
    const ca = access.certificateAuthority === undefined ? undefined : readAuthority(access.certificateAuthority);
    return {
        input: access.input,
        hint: access.hint,
        whenRefused: access.whenRefused,
        server: access.server,
        namespace: access.namespace,
        description: `${new URL(access.server).host} as ${access.as}`,
        credentials: async () => {
            const token = await access.token();
            secret(token);
            const agent = await (0,_connection_js__WEBPACK_IMPORTED_MODULE_1__.environmentProxy)(access.server);
            return {
                headers: { Authorization: `Bearer ${token}` },
                tls: { ...(ca === undefined ? {} : { ca }), ...(agent ? (0,_connection_js__WEBPACK_IMPORTED_MODULE_1__/* .identityOfAddress */ .yV)(access.server) : {}) },
                agent,
            };
        },
    };
}
function readAuthority(text) {
    const pem = text.includes('-----BEGIN')
        ? text
        : (0,node_fs__WEBPACK_IMPORTED_MODULE_0__.existsSync)(text)
            ? (0,node_fs__WEBPACK_IMPORTED_MODULE_0__.readFileSync)(text, 'utf8')
            : Buffer.from(text, 'base64').toString('utf8');
    if (pem.includes('-----BEGIN CERTIFICATE-----'))
        return pem;
    throw new _errors_js__WEBPACK_IMPORTED_MODULE_2__.ConfigurationError('certificate-authority: it is neither a PEM certificate, nor the base64 of one, nor the path of a file with one. ' +
        "Take `certificate-authority-data` of a kubeconfig, or the cluster's ca.crt.");
}
/**
 * Keeps a JWT for its lifetime less a minute (of a short one, less a quarter), by this machine's clock: the runner's and the issuer's differ.
 * One fetch serves callers at the same time. A token that is no JWT is fetched each time. (GitHub's id token lives 5 minutes; a capture, an hour.)
 */
function cachedToken(fetchToken, now = Date.now) {
    let kept;
    let running;
    const renew = async () => {
        const asked = now();
        const token = await fetchToken();
        const { exp = 0, iat = asked / 1000 } = claimsOf(token);
        const lifetime = (exp - iat) * 1000;
        kept = { token, until: asked + lifetime - Math.min(60_000, lifetime / 4) };
        return token;
    };
    return () => {
        if (kept && now() < kept.until)
            return Promise.resolve(kept.token);
        running ??= renew().finally(() => (running = undefined));
        return running;
    };
}
/** What a JWT says; nothing where it is none. The signature is the API server's business. */
function claimsOf(token) {
    try {
        return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
    }
    catch {
        return {};
    }
}


/***/ })

};
