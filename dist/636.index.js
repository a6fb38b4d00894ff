export const id = 636;
export const ids = [636];
export const modules = {

/***/ 31636:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   connectWithToken: () => (/* binding */ connectWithToken)
/* harmony export */ });
/* harmony import */ var _common_errors_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(71922);
/* harmony import */ var _common_proxy_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(51709);
/* harmony import */ var _common_read_file_js__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(9360);
/* harmony import */ var _common_system_authorities_js__WEBPACK_IMPORTED_MODULE_3__ = __webpack_require__(88936);
/* harmony import */ var _certificates_js__WEBPACK_IMPORTED_MODULE_4__ = __webpack_require__(37380);
/* harmony import */ var _insecurity_js__WEBPACK_IMPORTED_MODULE_6__ = __webpack_require__(21261);
/* harmony import */ var _connection_js__WEBPACK_IMPORTED_MODULE_5__ = __webpack_require__(23060);
/* harmony import */ var _loggable_path_js__WEBPACK_IMPORTED_MODULE_7__ = __webpack_require__(52695);








/** @throws ConfigurationError where the certificate authority is invalid */
function connectWithToken(access, maskSecret) {
    const { input, server, as, hint, credentialsFix, trustedAuthority } = access;
    const ca = access.certificateAuthority && readAuthority(access.certificateAuthority);
    if (ca === undefined)
        (0,_common_system_authorities_js__WEBPACK_IMPORTED_MODULE_3__/* .trustSystemAuthorities */ .$)();
    const tokenOrigin = access.tokenOrigin ?? { input, subject: `the token of ${as}` };
    return {
        ...{ input, server, hint, credentialsFix, trustedAuthority },
        warnings: (0,_insecurity_js__WEBPACK_IMPORTED_MODULE_6__/* .protectionWarnings */ .l)({ server }, process.env),
        namespace: undefined,
        description: `${new URL(server).host} as ${as}`,
        credentials: async () => {
            const token = await access.token();
            maskSecret(token);
            const authorization = (0,_connection_js__WEBPACK_IMPORTED_MODULE_5__/* .bearer */ .CM)(token, tokenOrigin);
            const proxy = await (0,_common_proxy_js__WEBPACK_IMPORTED_MODULE_1__/* .environmentProxy */ .Uw)(server);
            return {
                headers: { Authorization: authorization },
                tls: { ...(ca === undefined ? {} : { ca }), ...(proxy ? (0,_connection_js__WEBPACK_IMPORTED_MODULE_5__/* .identityOfAddress */ .yV)(server) : {}) },
                agent: proxy?.agent,
                proxy,
                refused: access.refused && (() => access.refused?.(token)),
            };
        },
    };
}
function readAuthority(given) {
    const text = given.text.trim();
    const found = (0,_certificates_js__WEBPACK_IMPORTED_MODULE_4__/* .readAuthorities */ .Gh)(text) ?? (0,_certificates_js__WEBPACK_IMPORTED_MODULE_4__/* .readAuthorities */ .Gh)(decodeBase64(text)) ?? (0,_certificates_js__WEBPACK_IMPORTED_MODULE_4__/* .readAuthorities */ .Gh)(readFileAt(text, given));
    if (found && 'pem' in found)
        return found.pem;
    throw new _common_errors_js__WEBPACK_IMPORTED_MODULE_0__/* .ConfigurationError */ .j1({
        code: 'E_CERTIFICATE_AUTHORITY_INVALID',
        input: given.input,
        problem: found
            ? `${given.subject} has ${found.problem}`
            : `${given.subject} is neither a PEM certificate, nor the base64 of one, nor the path of a file with one`,
        fix: given.fix,
    });
}
function decodeBase64(text) {
    return /^[\w+/=\s-]+$/.test(text) ? Buffer.from(text, 'base64').toString('utf8') : '';
}
/** The content of the file; empty where the text is not a path. */
function readFileAt(path, { input }) {
    try {
        return (0,_common_read_file_js__WEBPACK_IMPORTED_MODULE_2__/* .readRegularFile */ .X)(path).toString('utf8');
    }
    catch (error) {
        const shown = (0,_loggable_path_js__WEBPACK_IMPORTED_MODULE_7__/* .loggablePath */ .Z)(path);
        const isMissing = error instanceof _common_read_file_js__WEBPACK_IMPORTED_MODULE_2__/* .UnreadableFile */ .i && error.code === 'ENOENT';
        // Base64 can look like a path. A text without a file is called a path only if it begins or ends like one.
        if (shown === undefined || (isMissing && !/^[/.~]|\.(pem|crt|cer|txt)$/i.test(path)))
            return '';
        throw new _common_errors_js__WEBPACK_IMPORTED_MODULE_0__/* .ConfigurationError */ .j1({
            code: 'E_CERTIFICATE_AUTHORITY_INVALID',
            input,
            problem: isMissing
                ? `the file ${shown} does not exist`
                : `the file ${shown} cannot be read (${(0,_common_errors_js__WEBPACK_IMPORTED_MODULE_0__/* .messageOf */ .bD)(error)})`,
            fix: 'Create it in an earlier step, or give its content.',
        });
    }
}


/***/ })

};
