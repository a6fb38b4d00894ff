export const id = 217;
export const ids = [217];
export const modules = {

/***/ 37380:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   G: () => (/* binding */ readAuthorities),
/* harmony export */   i: () => (/* binding */ pairProblem)
/* harmony export */ });
/* harmony import */ var node_crypto__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(77598);
/* harmony import */ var node_crypto__WEBPACK_IMPORTED_MODULE_0___default = /*#__PURE__*/__webpack_require__.n(node_crypto__WEBPACK_IMPORTED_MODULE_0__);

/**
 * The certificates in a text, as PEM; undefined where there is no sign of one. Line breaks that a secret store has turned into blanks, or
 * into the two characters \n, are put right. `problem`: there is a certificate that cannot be read.
 */
function readAuthorities(text) {
    const blocks = [...text.matchAll(/-----BEGIN CERTIFICATE-----([\s\S]*?)-----END CERTIFICATE-----/g)];
    if (blocks.length === 0) {
        return text.includes('-----BEGIN CERTIFICATE') ? { problem: 'a certificate without its end' } : undefined;
    }
    const certificates = [];
    for (const [, body = ''] of blocks) {
        try {
            certificates.push(new node_crypto__WEBPACK_IMPORTED_MODULE_0__.X509Certificate(Buffer.from(body.replace(/\\[nr]|\s/g, ''), 'base64')).toString());
        }
        catch {
            return { problem: 'something between its BEGIN and END lines that is no certificate' };
        }
    }
    return { pem: certificates.join('') };
}
/** What is wrong with a client certificate and its key (PEM); undefined: they belong together. */
function pairProblem(certificate, key) {
    let parsed;
    try {
        parsed = new node_crypto__WEBPACK_IMPORTED_MODULE_0__.X509Certificate(certificate);
    }
    catch {
        return 'a client certificate that is none (it must be PEM)';
    }
    try {
        if (!parsed.checkPrivateKey((0,node_crypto__WEBPACK_IMPORTED_MODULE_0__.createPrivateKey)(key)))
            return 'a client certificate and a key that do not belong together';
    }
    catch {
        return 'a client key that is none (it must be PEM, without a passphrase)';
    }
    return undefined;
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
/* harmony import */ var _errors_js__WEBPACK_IMPORTED_MODULE_4__ = __webpack_require__(83916);
/* harmony import */ var _certificates_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(37380);
/* harmony import */ var _connection_js__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(23060);
/* harmony import */ var _kept_credential_js__WEBPACK_IMPORTED_MODULE_6__ = __webpack_require__(76912);
/* harmony import */ var _proxy_js__WEBPACK_IMPORTED_MODULE_3__ = __webpack_require__(28903);
/* harmony import */ var _shown_path_js__WEBPACK_IMPORTED_MODULE_5__ = __webpack_require__(36039);







/** @throws ConfigurationError when the certificate authority is none */
function connectDirectly(access, secret) {
    const ca = access.certificateAuthority === undefined ? undefined : readAuthority(access.certificateAuthority, access);
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
            const authorization = (0,_connection_js__WEBPACK_IMPORTED_MODULE_2__/* .bearer */ .CM)(token, access.whose ?? `${access.input}: the token of ${access.as}`);
            const proxy = await (0,_proxy_js__WEBPACK_IMPORTED_MODULE_3__/* .environmentProxy */ .Uw)(access.server);
            return {
                headers: { Authorization: authorization },
                tls: { ...(ca === undefined ? {} : { ca }), ...(proxy ? (0,_connection_js__WEBPACK_IMPORTED_MODULE_2__/* .identityOfAddress */ .yV)(access.server) : {}) },
                agent: proxy?.agent,
                proxy: proxy?.name,
                refused: access.refused && (() => access.refused?.(token)),
            };
        },
    };
}
function readAuthority(text, { input }) {
    const owner = input === 'cluster' ? 'cluster: the certificate authority that Google Cloud names' : 'certificate-authority: it';
    const fix = input === 'cluster'
        ? 'Look at `gcloud container clusters describe`.'
        : "Take `certificate-authority-data` of a kubeconfig, or the cluster's ca.crt, as it is.";
    const given = text.trim();
    const found = (0,_certificates_js__WEBPACK_IMPORTED_MODULE_1__/* .readAuthorities */ .G)(given) ?? (0,_certificates_js__WEBPACK_IMPORTED_MODULE_1__/* .readAuthorities */ .G)(decoded(given)) ?? (0,_certificates_js__WEBPACK_IMPORTED_MODULE_1__/* .readAuthorities */ .G)(fileOf(given));
    if (found && 'pem' in found)
        return found.pem;
    throw new _errors_js__WEBPACK_IMPORTED_MODULE_4__/* .ConfigurationError */ .j1(found
        ? `${owner} has ${found.problem}. ${fix}`
        : `${owner} is neither a PEM certificate, nor the base64 of one, nor the path of a file with one. ${fix}`);
}
function decoded(text) {
    return /^[\w+/=\s-]+$/.test(text) ? Buffer.from(text, 'base64').toString('utf8') : '';
}
/** The content of the file, '' where the text is no path of one. */
function fileOf(path) {
    try {
        return (0,node_fs__WEBPACK_IMPORTED_MODULE_0__.readFileSync)(path, 'utf8');
    }
    catch (error) {
        const { code = (0,_errors_js__WEBPACK_IMPORTED_MODULE_4__/* .messageOf */ .bD)(error) } = error;
        const shown = (0,_shown_path_js__WEBPACK_IMPORTED_MODULE_5__/* .shownPath */ .p)(path);
        // Base64 may look like a path, too: of what is not there only what begins or ends as one is called one.
        if (shown === undefined || (code === 'ENOENT' && !/^[/.~]|\.(pem|crt|cer|txt)$/i.test(path)))
            return '';
        throw new _errors_js__WEBPACK_IMPORTED_MODULE_4__/* .ConfigurationError */ .j1(`certificate-authority: ${code === 'ENOENT' ? `there is no file ${shown}` : `the file ${shown} cannot be read (${code})`}. ` +
            'Write it in a step before, or give its content.');
    }
}
/**
 * Keeps a JWT for its lifetime less a minute (of a short one, less a quarter), by this machine's clock: the runner's and the issuer's differ.
 * One fetch serves callers at the same time. A token that is no JWT is fetched each time. (GitHub's id token lives 5 minutes; a capture, an hour.)
 */
function cachedToken(fetchToken, now = Date.now) {
    return (0,_kept_credential_js__WEBPACK_IMPORTED_MODULE_6__/* .keepCredential */ .N)(async () => {
        const asked = now();
        const value = await fetchToken();
        const { exp = 0, iat = asked / 1000 } = claimsOf(value);
        return { value, expires: asked + (exp - iat) * 1000 };
    }, now);
}
/** What a JWT says; nothing where it is none. The signature is the API server's business. */
function claimsOf(token) {
    try {
        const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
        return typeof claims === 'object' && claims !== null ? claims : {};
    }
    catch {
        return {};
    }
}


/***/ }),

/***/ 76912:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   N: () => (/* binding */ keepCredential)
/* harmony export */ });
/** A token is renewed before it expires, ms: the API server's clock is another one, and a call takes time. Short ones last three quarters. */
const spare = (lifetime) => Math.min(60_000, lifetime / 4);
/** One that is refused so soon after it was made will not get better by another, ms; and whoever makes them is not asked at each request. */
const tooYoung = 5_000;
/** Keeps what `ask` gives until shortly before it expires. One asking serves callers at the same time; after a failure the next asks again. */
function keepCredential(ask, now = Date.now) {
    let kept;
    let asking;
    const renew = async () => {
        const since = now();
        const { value, expires } = await ask();
        kept = { value, since, until: expires === Infinity ? Infinity : expires - spare(expires - since) };
        return value;
    };
    return {
        get: () => {
            if (kept && now() < kept.until)
                return Promise.resolve(kept.value);
            asking ??= renew().finally(() => (asking = undefined));
            return asking;
        },
        refused: (value) => {
            if (kept?.value === value && now() - kept.since >= tooYoung)
                kept = undefined;
        },
    };
}


/***/ }),

/***/ 36039:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   p: () => (/* binding */ shownPath)
/* harmony export */ });
/** A path as it may stand in a log; undefined where the text may be a secret that was put into the wrong input. */
function shownPath(text) {
    if (text.length > 200 || /^eyJ/.test(text) || !/^[\w.~@ /\\:-]+$/.test(text))
        return undefined;
    const parts = text.split(/[/\\]/);
    // A token without dots and slashes looks like a name; of names only those that files of this kind have are shown.
    const named = parts.length > 1 || /config|kube|\.(ya?ml|json|conf|pem|crt|cer|txt)$/i.test(text);
    return named && parts.every((part) => part.length <= 100 && !/^eyJ/.test(part)) ? JSON.stringify(text) : undefined;
}


/***/ })

};
