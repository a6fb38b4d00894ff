export const id = 71;
export const ids = [71,636];
export const modules = {

/***/ 15071:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   openApiServer: () => (/* binding */ openApiServer)
/* harmony export */ });
/* harmony import */ var _cluster_token_connection_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(31636);
/* harmony import */ var _common_errors_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(71922);
/* harmony import */ var _common_jwt_js__WEBPACK_IMPORTED_MODULE_4__ = __webpack_require__(52424);
/* harmony import */ var _common_remote_text_js__WEBPACK_IMPORTED_MODULE_5__ = __webpack_require__(14551);
/* harmony import */ var _runner_id_token_js__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(27137);
/* harmony import */ var _runner_mask_secret_js__WEBPACK_IMPORTED_MODULE_3__ = __webpack_require__(95989);






/** The input `api-server`, with `token` or `oidc-audience`. @throws ConfigurationError */
function openApiServer(access, env) {
    const { server, certificateAuthority, credential } = access;
    return (0,_cluster_token_connection_js__WEBPACK_IMPORTED_MODULE_0__.connectWithToken)({
        input: 'api-server',
        server,
        certificateAuthority: certificateAuthority === undefined
            ? undefined
            : {
                text: certificateAuthority,
                input: 'certificate-authority',
                subject: 'the value',
                fix: "Use the `certificate-authority-data` of a kubeconfig, or the cluster's ca.crt, without changes.",
            },
        trustedAuthority: 'the input `certificate-authority` (without it, the certificate authorities of this runner)',
        ...(credential.kind === 'token' ? givenToken(credential.token) : githubToken(credential.audience, env)),
    }, _runner_mask_secret_js__WEBPACK_IMPORTED_MODULE_3__/* .maskSecret */ .$);
}
function givenToken(token) {
    return {
        as: 'the given token',
        tokenOrigin: { input: 'token', subject: 'the given token' },
        token: () => Promise.resolve(token),
    };
}
/** The job's ID token from GitHub, which the API server itself verifies. */
function githubToken(audience, env) {
    let latest = '';
    const cached = (0,_common_jwt_js__WEBPACK_IMPORTED_MODULE_4__/* .cacheJwt */ .I)(async () => (latest = await jobIdToken(audience, env)));
    return {
        as: `GitHub's ID token for ${audience}`,
        token: cached.get,
        refused: cached.invalidate,
        credentialsFix: () => {
            const { iss = '?', sub = '?' } = (0,_common_jwt_js__WEBPACK_IMPORTED_MODULE_4__/* .parseJwtClaims */ .a)(latest);
            return (`The job's ID token has the issuer ${String(iss)}, the audience ${audience} and the subject ${JSON.stringify(sub)}. ` +
                'The AuthenticationConfiguration of the API server needs a `jwt` entry with this issuer and this audience, whose rules accept this ' +
                'subject. The subject of a job without `environment:` names its branch instead (docs/access.md).');
        },
    };
}
async function jobIdToken(audience, env) {
    if (!env['ACTIONS_ID_TOKEN_REQUEST_URL'])
        throw noIdToken('this job may not request an ID token');
    return (0,_runner_id_token_js__WEBPACK_IMPORTED_MODULE_2__/* .githubIdToken */ .e)(audience, 'oidc-audience').catch((error) => {
        if (error instanceof _common_errors_js__WEBPACK_IMPORTED_MODULE_1__/* .ConfigurationError */ .j1)
            throw error;
        throw noIdToken(`GitHub issues no ID token to this job (${(0,_common_remote_text_js__WEBPACK_IMPORTED_MODULE_5__/* .toOneLine */ .GX)((0,_common_errors_js__WEBPACK_IMPORTED_MODULE_1__/* .messageOf */ .bD)(error))})`);
    });
}
function noIdToken(problem) {
    return new _common_errors_js__WEBPACK_IMPORTED_MODULE_1__/* .ConfigurationError */ .j1({
        code: 'E_ID_TOKEN_UNAVAILABLE',
        input: 'oidc-audience',
        problem,
        fix: 'Add `permissions: id-token: write` to the job (in a reusable workflow, to the job that calls it, too). A pull request from a fork never gets an ID token.',
    });
}


/***/ }),

/***/ 37380:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   Gh: () => (/* binding */ readAuthorities),
/* harmony export */   S2: () => (/* binding */ usableKey),
/* harmony export */   i0: () => (/* binding */ pairProblem)
/* harmony export */ });
/* harmony import */ var node_crypto__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(77598);
/* harmony import */ var node_crypto__WEBPACK_IMPORTED_MODULE_0___default = /*#__PURE__*/__webpack_require__.n(node_crypto__WEBPACK_IMPORTED_MODULE_0__);

/**
 * The certificates in a text, as PEM; undefined where it contains no certificate. Line breaks that a secret store replaced by spaces, or by
 * the two characters \n, are restored. An invalid certificate beside a valid one is left out, as in Go. `problem`: what the text contains
 * instead of a valid certificate.
 */
function readAuthorities(text) {
    const blocks = [...text.matchAll(/-----BEGIN CERTIFICATE-----([\s\S]*?)-----END CERTIFICATE-----/g)];
    if (blocks.length === 0) {
        return text.includes('-----BEGIN CERTIFICATE') ? { problem: 'a certificate without its END line' } : undefined;
    }
    const certificates = [];
    for (const [, body = ''] of blocks) {
        try {
            certificates.push(new node_crypto__WEBPACK_IMPORTED_MODULE_0__.X509Certificate(Buffer.from(body.replace(/\\[nr]|\s/g, ''), 'base64')).toString());
        }
        catch {
            // A bundle may have an entry that no library reads.
        }
    }
    if (certificates.length === 0)
        return { problem: 'an invalid certificate between its BEGIN and END lines' };
    return { pem: certificates.join('') };
}
/** What is wrong with a client certificate and its key (PEM), an object of "has"; undefined where they match. */
function pairProblem(certificate, key) {
    let parsed;
    try {
        parsed = new node_crypto__WEBPACK_IMPORTED_MODULE_0__.X509Certificate(certificate);
    }
    catch {
        return 'an invalid client certificate (it must be PEM)';
    }
    try {
        return parsed.checkPrivateKey(readPrivateKey(key))
            ? undefined
            : 'a client certificate and a key that do not belong together';
    }
    catch {
        return 'an invalid client key (it must be PEM without a passphrase)';
    }
}
/** A private key as PEM that OpenSSL reads. @throws the error of node:crypto where it is no private key, or has a passphrase */
function usableKey(key) {
    try {
        (0,node_crypto__WEBPACK_IMPORTED_MODULE_0__.createPrivateKey)(key);
        return key;
    }
    catch {
        return readPrivateKey(key).export({ type: 'pkcs8', format: 'pem' });
    }
}
const keyForms = ['pkcs8', 'pkcs1', 'sec1'];
/** Go tries each form of a key whatever its label says; OpenSSL goes by the label, and refuses PKCS#1 that is labelled PRIVATE KEY. */
function readPrivateKey(key) {
    const block = /-----BEGIN ((?:[A-Z0-9]+ )*PRIVATE KEY)-----([\s\S]*?)-----END \1-----/.exec(key.toString());
    const der = Buffer.from(block?.[2] ?? '', 'base64');
    for (const type of keyForms) {
        try {
            return (0,node_crypto__WEBPACK_IMPORTED_MODULE_0__.createPrivateKey)({ key: der, format: 'der', type });
        }
        catch {
            // another form
        }
    }
    return (0,node_crypto__WEBPACK_IMPORTED_MODULE_0__.createPrivateKey)(key);
}


/***/ }),

/***/ 21261:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   l: () => (/* binding */ protectionWarnings)
/* harmony export */ });
/* harmony import */ var _common_loopback_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(68136);

/**
 * What protects the connection to an API server less than usual, whole sentences. `env`: Node.js reads NODE_TLS_REJECT_UNAUTHORIZED for all
 * connections of this process.
 */
function protectionWarnings({ server, skipsVerification }, env) {
    const url = new URL(server);
    const warnings = [];
    if (url.protocol === 'http:') {
        warnings.push(`The API server ${url.host} is reached over plain HTTP: nothing proves its identity` +
            ((0,_common_loopback_js__WEBPACK_IMPORTED_MODULE_0__/* .isLoopback */ .U)(url) ? ', and other users of this machine may answer in its place.' : ' or protects what is sent.'));
    }
    else if (skipsVerification === true) {
        warnings.push(`The certificate of the API server ${url.host} is not checked (insecure-skip-tls-verify): another server may answer in its place and receive ` +
            'the credentials.');
    }
    if (env['NODE_TLS_REJECT_UNAUTHORIZED'] === '0') {
        warnings.push('No certificate is checked, because NODE_TLS_REJECT_UNAUTHORIZED is 0: other servers may answer in the place of the API server, of the cloud ' +
            'provider and of GitHub, and receive the credentials. Remove the variable, and name the certificate authority instead.');
    }
    return warnings;
}


/***/ }),

/***/ 52695:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   Z: () => (/* binding */ loggablePath)
/* harmony export */ });
/** A path for a message, in quotes; undefined where the text may be a secret that was put into the wrong input. */
function loggablePath(text) {
    if (text.length > 200 || /^eyJ/.test(text) || !/^(\$HOME|\$\{HOME\})?[\w.~@ /\\:-]+$/.test(text))
        return undefined;
    // A URL in the place of a path may have a password.
    if (/[a-z][a-z0-9+.-]+:\/|:[^/\\]*@/i.test(text))
        return undefined;
    const parts = text.split(/[/\\]/);
    // A token without dots and slashes looks like a file name, so a name alone is shown only if it is a usual one of such a file.
    const isPath = parts.length > 1 || /config|kube|\.(ya?ml|json|conf|pem|crt|cer|txt)$/i.test(text);
    return isPath && parts.every((part) => part.length <= 100 && !/^eyJ/.test(part)) ? JSON.stringify(text) : undefined;
}


/***/ }),

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
