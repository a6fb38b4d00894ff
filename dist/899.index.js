export const id = 899;
export const ids = [899];
export const modules = {

/***/ 23060:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   U: () => (/* binding */ environmentProxy),
/* harmony export */   y: () => (/* binding */ identityOfAddress)
/* harmony export */ });
/* harmony import */ var node_net__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(77030);
/* harmony import */ var node_net__WEBPACK_IMPORTED_MODULE_0___default = /*#__PURE__*/__webpack_require__.n(node_net__WEBPACK_IMPORTED_MODULE_0__);
/* harmony import */ var node_tls__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(41692);
/* harmony import */ var node_tls__WEBPACK_IMPORTED_MODULE_1___default = /*#__PURE__*/__webpack_require__.n(node_tls__WEBPACK_IMPORTED_MODULE_1__);


/** The agent of HTTPS_PROXY, unless NO_PROXY names the server. */
async function environmentProxy(server) {
    const { getProxyForUrl } = await __webpack_require__.e(/* import() */ 182).then(__webpack_require__.bind(__webpack_require__, 98182));
    const proxy = getProxyForUrl(server);
    if (!proxy)
        return undefined;
    const { HttpsProxyAgent } = await Promise.all(/* import() */[__webpack_require__.e(830), __webpack_require__.e(833)]).then(__webpack_require__.bind(__webpack_require__, 45833));
    return new HttpsProxyAgent(proxy);
}
/** https-proxy-agent does not tell the TLS layer the host of a server that is named by its address, so the certificate is compared here. */
function identityOfAddress(server) {
    const host = new URL(server).hostname.replace(/^\[|\]$/g, '');
    return (0,node_net__WEBPACK_IMPORTED_MODULE_0__.isIP)(host) ? { checkServerIdentity: (_host, certificate) => (0,node_tls__WEBPACK_IMPORTED_MODULE_1__.checkServerIdentity)(host, certificate) } : {};
}


/***/ }),

/***/ 95899:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {


// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  connectKubeconfig: () => (/* binding */ connectKubeconfig)
});

// EXTERNAL MODULE: external "node:fs"
var external_node_fs_ = __webpack_require__(73024);
// EXTERNAL MODULE: external "node:os"
var external_node_os_ = __webpack_require__(48161);
// EXTERNAL MODULE: external "node:path"
var external_node_path_ = __webpack_require__(76760);
// EXTERNAL MODULE: ./src/errors.ts
var errors = __webpack_require__(83916);
// EXTERNAL MODULE: ./src/cluster/connection.ts
var connection = __webpack_require__(23060);
// EXTERNAL MODULE: external "node:child_process"
var external_node_child_process_ = __webpack_require__(31421);
;// CONCATENATED MODULE: ./src/cluster/exec-plugin.ts



/** A token is renewed before it expires, ms: the API server's clock is another one, and a call takes time. Short ones last three quarters. */
const spare = (lifetime) => Math.min(60_000, lifetime / 4);
const largestAnswer = 1024 * 1024;
/**
 * A source of credentials that runs the plugin as kubectl does (KUBERNETES_EXEC_INFO, no terminal), keeps what it gave until shortly before
 * it expires, and runs it once for callers at the same time. `folder` is the kubeconfig's: a relative command is looked up there.
 * Its errors are ConfigurationErrors that name the plugin and how to get it.
 */
function execSource(plugin, cluster, folder, env, { now = Date.now, timeout = 60_000, } = {}) {
    let kept;
    let running;
    const renew = async () => {
        const { credential, expires } = readAnswer(plugin, await runPlugin(plugin, cluster, folder, env, timeout));
        kept = { credential, until: expires === Infinity ? Infinity : expires - spare(expires - now()) };
        return credential;
    };
    return () => {
        if (kept && now() < kept.until)
            return Promise.resolve(kept.credential);
        running ??= renew().finally(() => (running = undefined));
        return running;
    };
}
const defaultVersion = 'client.authentication.k8s.io/v1';
function runPlugin(plugin, cluster, folder, env, timeout) {
    const info = {
        apiVersion: plugin.apiVersion ?? defaultVersion,
        kind: 'ExecCredential',
        spec: { interactive: false, ...(plugin.provideClusterInfo ? { cluster } : {}) },
    };
    const own = Object.fromEntries((plugin.env ?? []).map(({ name, value }) => [name, value]));
    return new Promise((resolvePromise, reject) => {
        const child = (0,external_node_child_process_.spawn)(commandPath(plugin.command, folder), [...(plugin.args ?? [])], {
            env: { ...env, ...own, KUBERNETES_EXEC_INFO: JSON.stringify(info) },
            stdio: ['ignore', 'pipe', 'pipe'],
        });
        let out = '';
        let said = '';
        let late = false;
        const timer = setTimeout(() => {
            late = true;
            child.kill('SIGKILL');
        }, timeout);
        child.stdout.setEncoding('utf8').on('data', (text) => {
            out += text;
            if (out.length > largestAnswer)
                child.kill('SIGKILL');
        });
        child.stderr.setEncoding('utf8').on('data', (text) => {
            said = (said + text).slice(-4096);
        });
        child.on('error', (error) => {
            clearTimeout(timer);
            reject(notStarted(plugin, error));
        });
        child.on('close', (code) => {
            clearTimeout(timer);
            if (out.length > largestAnswer)
                reject(failed(plugin, 'its answer is longer than 1 MiB'));
            else if (code === 0)
                resolvePromise(out);
            else if (late)
                reject(failed(plugin, `it gave no answer within ${timeout / 1000} s`));
            else
                reject(failed(plugin, said.trim().split('\n').slice(-3).join('; ') || `it ended with exit code ${code ?? '?'}`));
        });
    });
}
/** kubectl's rule: a name is looked up in PATH, a path with a slash is relative to the kubeconfig. */
function commandPath(command, folder) {
    return command.includes('/') && !(0,external_node_path_.isAbsolute)(command) && folder !== undefined ? (0,external_node_path_.resolve)(folder, command) : command;
}
function readAnswer(plugin, text) {
    let status;
    try {
        status = JSON.parse(text).status ?? {}; // of null it throws, as it should
    }
    catch {
        throw failed(plugin, 'its answer is not an ExecCredential');
    }
    const word = (name) => {
        const value = status[name];
        return typeof value === 'string' && value !== '' ? value : undefined;
    };
    const credential = { token: word('token'), certificate: word('clientCertificateData'), key: word('clientKeyData') };
    if (credential.token === undefined && credential.certificate === undefined) {
        throw failed(plugin, 'its answer has neither a token nor a certificate');
    }
    if (credential.certificate !== undefined && credential.key === undefined) {
        throw failed(plugin, 'its answer has a certificate without its key');
    }
    const expires = Date.parse(word('expirationTimestamp') ?? '');
    return { credential, expires: Number.isNaN(expires) ? Infinity : expires };
}
function notStarted(plugin, error) {
    if (error.code !== 'ENOENT')
        return failed(plugin, (0,errors.messageOf)(error));
    return new errors.ConfigurationError(`kubeconfig: its user needs the exec plugin \`${plugin.command}\`, which is not on this runner's PATH. ${howToInstall(plugin)}`);
}
function failed(plugin, cause) {
    return new errors.ConfigurationError(`kubeconfig: the exec plugin \`${plugin.command}\` gave no credentials: ${cause.slice(0, 500)}. ` +
        'Run it by hand in a step before this one to see why.');
}
const knownPlugins = new Map([
    [
        'gke-gcloud-auth-plugin',
        'Install it with `gcloud components install gke-gcloud-auth-plugin`, or use google-github-actions/get-gke-credentials, whose kubeconfig needs no plugin.',
    ],
    ['aws', 'Install the AWS CLI v2 and run aws-actions/configure-aws-credentials in a step before.'],
    ['aws-iam-authenticator', 'Install it in a step before, or write the kubeconfig with `aws eks update-kubeconfig`.'],
    ['kubelogin', 'Install it with the action azure/use-kubelogin in a step before.'],
]);
function howToInstall({ command, installHint }) {
    const known = knownPlugins.get(command.split('/').at(-1) ?? command);
    return known ?? installHint?.trim() ?? 'Install it in a step before, or give a kubeconfig with a token.';
}

;// CONCATENATED MODULE: ./src/cluster/kubeconfig.ts






/**
 * Opens a kubeconfig; nothing is contacted yet. client-node's KubeConfig parses it and reads certificates; exec plugins, `tokenFile` and
 * several files in KUBECONFIG are ours. `secret` is told every credential before it is used, so that the log masks it.
 * @throws ConfigurationError when there is none, or it is broken, or the context does not exist
 */
async function connectKubeconfig(source, context, env, secret) {
    const from = describe(source, env);
    const { config, tokenFiles, folders } = await load(source, env, from);
    if (context !== undefined)
        config.setCurrentContext(context);
    const current = config.getContextObject(config.getCurrentContext());
    const cluster = config.getCurrentCluster();
    if (!current || !cluster) {
        const known = config
            .getContexts()
            .map(({ name }) => name)
            .join(', ');
        throw new errors.ConfigurationError(context === undefined
            ? `kubeconfig: ${from} has no usable current context. Set the input \`context\` to one of: ${known || '(it has none)'}.`
            : `context: got ${JSON.stringify(context)}, but ${from} has: ${known || 'no contexts'}.`);
    }
    const { server } = cluster;
    if (!/^https?:\/\//.test(server)) {
        throw new errors.ConfigurationError(`kubeconfig: ${from} has the server ${JSON.stringify(server)}; it must be an https URL.`);
    }
    // `kubectl proxy` speaks plain http; client-node takes that only together with this word.
    if (server.startsWith('http:'))
        Object.assign(cluster, { skipTLSVerify: true });
    const user = config.getCurrentUser();
    const tokenFile = user ? tokenFiles.get(user.name) : undefined;
    const plugin = user?.exec;
    let exec;
    if (user && plugin) {
        exec = execSource(plugin, execCluster(cluster), folders.get(user.name), env);
        Object.assign(user, { exec: null }); // so that client-node does not run it, too
    }
    return {
        input: 'kubeconfig',
        server,
        namespace: current.namespace,
        description: `${new URL(server).host} as ${user?.name ?? 'nobody'} (context ${current.name})`,
        credentials: async () => {
            // Only what decides who we are comes from client-node: its agents ignore HTTPS_PROXY, and are cached with their first certificate.
            const options = {};
            try {
                await config.applyToHTTPSOptions(options);
            }
            catch (error) {
                throw new errors.ConfigurationError(`kubeconfig: its credentials cannot be used: ${firstLine((0,errors.messageOf)(error))}`);
            }
            const headers = {};
            for (const [name, value] of Object.entries((options.headers ?? {}))) {
                headers[name] = String(value);
            }
            if (options.auth) {
                headers['Authorization'] = `Basic ${Buffer.from(options.auth).toString('base64')}`;
                secret(options.auth.slice(options.auth.indexOf(':') + 1));
            }
            if (tokenFile !== undefined)
                headers['Authorization'] = `Bearer ${readToken(tokenFile)}`;
            const given = exec ? await exec() : undefined;
            if (given?.token !== undefined)
                headers['Authorization'] = `Bearer ${given.token}`;
            if (headers['Authorization'])
                secret(headers['Authorization'].replace(/^\w+ /, ''));
            const { ca, passphrase, rejectUnauthorized, servername } = options;
            const cert = given?.certificate ?? options.cert;
            const key = given?.key ?? options.key;
            const tls = Object.fromEntries(Object.entries({ ca, cert, key, passphrase, rejectUnauthorized, servername }).filter(([, value]) => value != null));
            if (cluster.proxyUrl)
                return { headers, tls, agent: options.agent };
            const agent = await (0,connection/* environmentProxy */.U)(server);
            return { headers, tls: agent ? { ...tls, ...(0,connection/* identityOfAddress */.y)(server) } : tls, agent };
        },
    };
}
async function load(source, env, from) {
    const { KubeConfig } = await Promise.all(/* import() */[__webpack_require__.e(830), __webpack_require__.e(243), __webpack_require__.e(604)]).then(__webpack_require__.bind(__webpack_require__, 85604));
    const tokenFiles = new Map();
    const folders = new Map();
    const parts = [];
    try {
        for (const { text, folder } of files(source, env)) {
            const part = new KubeConfig();
            part.loadFromString(text);
            if (folder !== undefined)
                part.makePathsAbsolute(folder);
            for (const { name } of part.users)
                if (folder !== undefined && !folders.has(name))
                    folders.set(name, folder);
            if (text.includes('tokenFile'))
                await findTokenFiles(text, folder, tokenFiles);
            parts.push(part);
        }
    }
    catch (error) {
        if (error instanceof errors.ConfigurationError)
            throw error;
        throw new errors.ConfigurationError(`kubeconfig: ${from} cannot be read as a kubeconfig: ${firstLine((0,errors.messageOf)(error))}. ` +
            'Give the path or the content of a kubeconfig that `kubectl --kubeconfig` accepts.');
    }
    // Of several files the first that names a thing wins, as with kubectl; client-node would refuse the second.
    const config = new KubeConfig();
    config.loadFromOptions({
        clusters: firstOfEach(parts.flatMap(({ clusters }) => clusters)),
        users: firstOfEach(parts.flatMap(({ users }) => users)),
        contexts: firstOfEach(parts.flatMap(({ contexts }) => contexts)),
        currentContext: parts.map(({ currentContext }) => currentContext).find(Boolean) ?? '',
    });
    return { config, tokenFiles, folders };
}
function files(source, env) {
    if (source.kind === 'content')
        return [{ text: source.content, folder: undefined }];
    if (source.kind === 'path')
        return [readFile(source.path, 'kubeconfig')];
    const named = (env['KUBECONFIG'] ?? '').split(external_node_path_.delimiter).filter(Boolean);
    if (named.length === 0)
        return [readFile((0,external_node_path_.join)((0,external_node_os_.homedir)(), '.kube', 'config'), 'kubeconfig')];
    return named.map((path) => readFile(path, 'KUBECONFIG'));
}
function readFile(path, input) {
    try {
        return { text: (0,external_node_fs_.readFileSync)(path, 'utf8'), folder: (0,external_node_path_.dirname)((0,external_node_path_.resolve)(path)) };
    }
    catch (error) {
        if (error.code !== 'ENOENT')
            throw error;
        throw new errors.ConfigurationError(`${input}: there is no file ${JSON.stringify(path)}. ` +
            'Set the input `kubeconfig` (a path or the content) or the variable KUBECONFIG, or write the file in a step before.');
    }
}
async function findTokenFiles(text, folder, found) {
    const { load: parse } = await __webpack_require__.e(/* import() */ 243).then(__webpack_require__.bind(__webpack_require__, 33243));
    const { users = [] } = parse(text);
    for (const { name, user } of users) {
        if (user?.tokenFile && !found.has(name))
            found.set(name, folder ? (0,external_node_path_.resolve)(folder, user.tokenFile) : user.tokenFile);
    }
}
/** Read anew each time: whoever rotates the token writes the file. */
function readToken(path) {
    try {
        return (0,external_node_fs_.readFileSync)(path, 'utf8').trim();
    }
    catch (error) {
        throw new errors.ConfigurationError(`kubeconfig: its tokenFile cannot be read: ${(0,errors.messageOf)(error)}`);
    }
}
function firstOfEach(list) {
    return [...new Map([...list].reverse().map((one) => [one.name, one])).values()].reverse();
}
function execCluster(cluster) {
    const ca = cluster.caFile ? (0,external_node_fs_.readFileSync)(cluster.caFile).toString('base64') : cluster.caData;
    return {
        server: cluster.server,
        ...(cluster.tlsServerName ? { 'tls-server-name': cluster.tlsServerName } : {}),
        ...(cluster.skipTLSVerify ? { 'insecure-skip-tls-verify': true } : {}),
        ...(ca ? { 'certificate-authority-data': ca } : {}),
        ...(cluster.proxyUrl ? { 'proxy-url': cluster.proxyUrl } : {}),
    };
}
function describe(source, env) {
    if (source.kind === 'content')
        return 'the given content';
    if (source.kind === 'path')
        return JSON.stringify(source.path);
    return env['KUBECONFIG'] ? 'the file of KUBECONFIG' : '~/.kube/config';
}
function firstLine(text) {
    return text.trim().split('\n')[0]?.slice(0, 300) ?? '';
}


/***/ })

};
