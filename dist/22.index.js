export const id = 22;
export const ids = [22];
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

/***/ 49022:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {


// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  connectKubeconfig: () => (/* binding */ connectKubeconfig)
});

// EXTERNAL MODULE: ./src/errors.ts
var errors = __webpack_require__(83916);
// EXTERNAL MODULE: ./src/cluster/connection.ts
var connection = __webpack_require__(23060);
// EXTERNAL MODULE: external "node:fs"
var external_node_fs_ = __webpack_require__(73024);
// EXTERNAL MODULE: external "node:path"
var external_node_path_ = __webpack_require__(76760);
// EXTERNAL MODULE: ./src/cluster/certificates.ts
var certificates = __webpack_require__(37380);
// EXTERNAL MODULE: ./src/cluster/kept-credential.ts
var kept_credential = __webpack_require__(76912);
// EXTERNAL MODULE: external "node:child_process"
var external_node_child_process_ = __webpack_require__(31421);
;// CONCATENATED MODULE: ./src/cluster/plugin-process.ts

/** Of stdout, characters. */
const largestAnswer = 1024 * 1024;
/** What a program wrote before its exit may still be in the pipe; one that it left behind may hold the pipe open for ever. */
const pipeGrace = 500;
/** Programs that run, by the id of their process group. */
const running = new Set();
let watchesExit = false;
/**
 * Runs a program without a terminal, for at most `timeout` ms. A plugin is often a wrapper (asdf, brew, gcloud's shims), and to end the
 * wrapper alone leaves the real one: so it gets a process group of its own, which is ended whole \u2014 when it is late, talks without end, fails,
 * or is still there when this process exits. What a successful plugin leaves in the background is its own affair, as with kubectl.
 * @throws the error of a program that cannot be started
 */
function runPlugin(command, args, env, timeout) {
    return new Promise((resolve, reject) => {
        const child = (0,external_node_child_process_.spawn)(command, [...args], { env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
        const group = child.pid;
        if (group !== undefined)
            endWithUs(group);
        let stdout = '';
        let stderr = '';
        let exited = { code: undefined, signal: undefined };
        let grace;
        let settled = false;
        const settle = (how) => {
            if (settled)
                return;
            settled = true;
            clearTimeout(timer);
            clearTimeout(grace);
            if (group !== undefined && !(how === 'exited' && exited.code === 0))
                endGroup(group);
            if (group !== undefined)
                running.delete(group);
            child.stdout.destroy();
            child.stderr.destroy();
            child.unref();
            resolve({ how, ...exited, stdout, stderr });
        };
        const timer = setTimeout(() => settle('late'), timeout);
        child.stdout.setEncoding('utf8').on('data', (text) => {
            stdout += text;
            if (stdout.length > largestAnswer)
                settle('too-long');
        });
        child.stderr.setEncoding('utf8').on('data', (text) => {
            stderr = (stderr + text).slice(-4096);
        });
        child.on('error', (error) => {
            clearTimeout(timer);
            reject(error);
        });
        child.on('exit', (code, signal) => {
            if (settled)
                return;
            exited = { code: code ?? undefined, signal: signal ?? undefined };
            grace = setTimeout(() => setImmediate(settle, 'exited'), pipeGrace); // after a look at the pipe, however busy we were
        });
        child.on('close', () => settle('exited'));
    });
}
function endWithUs(group) {
    running.add(group);
    if (watchesExit)
        return;
    watchesExit = true;
    process.on('exit', () => {
        for (const one of running)
            endGroup(one);
    });
}
function endGroup(group) {
    try {
        process.kill(-group, 'SIGKILL');
    }
    catch {
        // all of it has ended
    }
}

;// CONCATENATED MODULE: ./src/cluster/exec-plugin.ts






/**
 * `user.exec` of a kubeconfig, checked. `whose` begins the error: `kubeconfig: the exec plugin of its user "dev"`.
 * @throws ConfigurationError where kubectl would not take it either
 */
function readPlugin(value, whose) {
    const fix = 'Write the kubeconfig anew; the reference is "Client authentication (v1)", ExecConfig, of the Kubernetes documentation.';
    if (typeof value !== 'object' || value === null)
        throw new errors/* ConfigurationError */.j1(`${whose} is no mapping. ${fix}`);
    const { command, args, env } = value;
    if (typeof command !== 'string' || command === '')
        throw new errors/* ConfigurationError */.j1(`${whose} has no command. ${fix}`);
    const isWord = (one) => typeof one === 'string' && !one.includes('\0');
    if (args != null && !(Array.isArray(args) && args.every((one) => isWord(one) || typeof one === 'number'))) {
        throw new errors/* ConfigurationError */.j1(`${whose} has args that are no list of strings. ${fix}`);
    }
    const isVariable = (one) => isWord(one?.name) && isWord(one?.value);
    if (env != null && !(Array.isArray(env) && env.every(isVariable))) {
        throw new errors/* ConfigurationError */.j1(`${whose} has an env that is no list of \`{ name: NAME, value: TEXT }\`. ${fix}`);
    }
    return value;
}
/**
 * A source of credentials that runs the plugin as kubectl does (KUBERNETES_EXEC_INFO, no terminal), keeps what it gave until shortly before
 * it expires, and runs it once for callers at the same time. `folder` is the kubeconfig's: a relative command is looked up there.
 * Its errors are ConfigurationErrors that name the plugin and how to get it.
 */
function execSource(plugin, cluster, folder, env, { now = Date.now, timeout = 60_000, } = {}) {
    return (0,kept_credential/* keepCredential */.N)(async () => {
        const { credential, expires } = readAnswer(plugin, await answerOf(plugin, cluster, folder, env, timeout));
        return { value: credential, expires };
    }, now);
}
const defaultVersion = 'client.authentication.k8s.io/v1';
/** What the plugin says on stdout. */
async function answerOf(plugin, cluster, folder, env, timeout) {
    const info = {
        apiVersion: plugin.apiVersion ?? defaultVersion,
        kind: 'ExecCredential',
        spec: { interactive: false, ...(plugin.provideClusterInfo ? { cluster } : {}) },
    };
    const own = Object.fromEntries((plugin.env ?? []).map(({ name, value }) => [name, value]));
    const command = commandPath(plugin.command, folder);
    const args = (plugin.args ?? []).map(String);
    const variables = { ...env, ...own, KUBERNETES_EXEC_INFO: JSON.stringify(info) };
    const end = await runPlugin(command, args, variables, timeout).catch((error) => {
        throw notStarted(plugin, command, error);
    });
    if (end.how === 'too-long')
        throw failed(plugin, 'its answer is longer than 1 MiB');
    if (end.how === 'late')
        throw failed(plugin, `it gave no answer within ${timeout / 1000} s`);
    if (end.code === 0)
        return end.stdout;
    const words = end.stderr.trim().split('\n').slice(-3).join('; ');
    throw failed(plugin, words ||
        (end.code === undefined ? `it was ended by ${end.signal ?? 'a signal'}` : `it ended with exit code ${end.code}`));
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
    if (credential.certificate !== undefined && credential.key !== undefined) {
        const problem = (0,certificates/* pairProblem */.i)(credential.certificate, credential.key);
        if (problem !== undefined)
            throw failed(plugin, `its answer has ${problem}`);
    }
    const expires = Date.parse(word('expirationTimestamp') ?? '');
    return { credential, expires: Number.isNaN(expires) ? Infinity : expires };
}
function notStarted(plugin, command, error) {
    if (error.code !== 'ENOENT')
        return failed(plugin, (0,errors/* messageOf */.bD)(error));
    const needs = `kubeconfig: its user needs the exec plugin \`${plugin.command}\``;
    if ((0,external_node_fs_.existsSync)(command)) {
        return new errors/* ConfigurationError */.j1(`${needs}, which is there, but the interpreter that its first line (#!) names is not. Install that in a step before.`);
    }
    const where = command.includes('/') ? 'there is no such file on this runner' : "which is not on this runner's PATH";
    return new errors/* ConfigurationError */.j1(`${needs}${command.includes('/') ? ', but ' : ', '}${where}. ${howToInstall(plugin)}`);
}
function failed(plugin, cause) {
    return new errors/* ConfigurationError */.j1(`kubeconfig: the exec plugin \`${plugin.command}\` gave no credentials: ${cause.slice(0, 500)}. ` +
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
    const hint = installHint?.trim().replace(/\s+/g, ' ').slice(0, 500);
    if (!hint)
        return known ?? 'Install it in a step before, or give a kubeconfig with a token.';
    return known === undefined ? hint : `${known} The kubeconfig says: ${hint}`;
}

;// CONCATENATED MODULE: ./src/cluster/impersonation.ts

/**
 * The headers of `as`, `as-uid`, `as-groups` and `as-user-extra` of a kubeconfig's user, as client-go sends them (transport/round_trippers.go).
 * @throws ConfigurationError where kubectl refuses them, too
 */
function impersonationHeaders(user) {
    const as = user['as'];
    const uid = user['as-uid'];
    const groups = wordsOf(user['as-groups'], 'as-groups');
    const extra = Object.entries((user['as-user-extra'] ?? {})).map(([key, values]) => [key, wordsOf(values, 'as-user-extra')]);
    if (as == null || as === '') {
        if ((uid ?? '') === '' && groups.length === 0 && extra.length === 0)
            return {};
        throw new errors/* ConfigurationError */.j1('kubeconfig: its user has as-uid, as-groups or as-user-extra, but no `as`. Name the user to impersonate, or remove them.');
    }
    const headers = { 'Impersonate-User': wordOf(as, 'as') };
    if (uid != null && uid !== '')
        headers['Impersonate-Uid'] = wordOf(uid, 'as-uid');
    if (groups.length > 0)
        headers['Impersonate-Group'] = groups;
    for (const [key, values] of extra)
        headers[`Impersonate-Extra-${escapeKey(key)}`] = values;
    return headers;
}
function wordOf(value, field) {
    const [word = ''] = wordsOf([value], field);
    return word;
}
function wordsOf(value, field) {
    const list = value == null ? [] : Array.isArray(value) ? value : [undefined];
    if (list.every((one) => typeof one === 'string' && /^[\x20-\x7e]*$/.test(one)))
        return list;
    throw new errors/* ConfigurationError */.j1(`kubeconfig: ${field} of its user must be made of words without line breaks. Correct it there.`);
}
/** What no name of a header may have is sent as %XX of its bytes. */
function escapeKey(key) {
    return [...Buffer.from(key)]
        .map((byte) => {
        const letter = String.fromCharCode(byte);
        return /[\w!#$&'*+.^`|~-]/.test(letter) ? letter : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    })
        .join('');
}

// EXTERNAL MODULE: ./src/cluster/shown-path.ts
var shown_path = __webpack_require__(36039);
;// CONCATENATED MODULE: ./src/cluster/kubeconfig-entry.ts




/** A field with a path, from the folder of its kubeconfig on. */
function pathIn({ fields, folder }, field) {
    const path = kubeconfig_entry_text(fields[field]);
    return path !== undefined && folder !== undefined ? (0,external_node_path_.resolve)(folder, path) : path;
}
/** `cluster "eu"`, for messages. */
function nameOf(entry, what) {
    return `${what} ${JSON.stringify(entry.name)}`;
}
function kubeconfig_entry_text(value) {
    return typeof value === 'string' && value !== '' ? value : undefined;
}
/** @throws ConfigurationError; `what` says whose file it is */
function readNamedFile(path, what) {
    try {
        return (0,external_node_fs_.readFileSync)(path, 'utf8');
    }
    catch (error) {
        const { code = (0,errors/* messageOf */.bD)(error) } = error;
        const cause = code === 'ENOENT' ? 'which is not there' : `which cannot be read (${code})`;
        throw new errors/* ConfigurationError */.j1(`kubeconfig: ${what} is the file ${(0,shown_path/* shownPath */.p)(path) ?? '(not shown)'}, ${cause}. ` +
            'Write it in a step before, or put its content into the kubeconfig (`kubectl config view --flatten`).');
    }
}

// EXTERNAL MODULE: ./src/proxy.ts
var src_proxy = __webpack_require__(28903);
;// CONCATENATED MODULE: ./src/cluster/kubeconfig-cluster.ts




/** Without a slash at its end. */
function serverOf(cluster) {
    const given = cluster.fields['server'];
    const url = typeof given === 'string' ? URL.parse(given) : undefined;
    if (typeof given === 'string' && url && /^https?:$/.test(url.protocol) && /^https?:\/\/\S+$/i.test(given)) {
        return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
    }
    throw new errors/* ConfigurationError */.j1(`kubeconfig: the ${nameOf(cluster, 'cluster')} has the server ${given === undefined ? '(none)' : JSON.stringify(given)}; it must be an https URL. ` +
        'Correct it there, or set the input `context` to one of another cluster.');
}
/** Reads the certificate authority anew each time, PEM; undefined: the runner's own ones. */
function authorityReader(cluster) {
    const path = pathIn(cluster, 'certificate-authority');
    const data = kubeconfig_entry_text(cluster.fields['certificate-authority-data']);
    const field = path === undefined ? 'certificate-authority-data' : 'certificate-authority';
    return () => {
        if (path === undefined && data === undefined)
            return undefined;
        const found = (0,certificates/* readAuthorities */.G)(path === undefined
            ? Buffer.from(data ?? '', 'base64').toString('utf8')
            : readNamedFile(path, `the ${field} of the ${nameOf(cluster, 'cluster')}`));
        if (found && 'pem' in found)
            return found.pem;
        throw new errors/* ConfigurationError */.j1(`kubeconfig: the ${field} of the ${nameOf(cluster, 'cluster')} has ${found?.problem ?? `no PEM certificate${path === undefined ? ' (as base64)' : ''}`}. ` +
            "Take it from the cluster's own kubeconfig again.");
    };
}
/** `proxy-url`, checked. */
function checkProxy(cluster) {
    const address = kubeconfig_entry_text(cluster.fields['proxy-url']);
    if (address !== undefined) {
        const what = `kubeconfig: proxy-url of the ${nameOf(cluster, 'cluster')}`;
        (0,src_proxy/* checkProxyAddress */.bs)(what, address, ['http:', 'https:', 'socks5:', 'socks5h:']);
    }
    return address;
}
/** What an exec plugin is told of the cluster. */
function execCluster({ fields }, server, authority) {
    const extensions = (Array.isArray(fields['extensions']) ? fields['extensions'] : []);
    const config = extensions.find((one) => one.name === 'client.authentication.k8s.io/exec')?.extension;
    const serverName = kubeconfig_entry_text(fields['tls-server-name']);
    const proxyUrl = kubeconfig_entry_text(fields['proxy-url']);
    return {
        server,
        ...(serverName === undefined ? {} : { 'tls-server-name': serverName }),
        ...(fields['insecure-skip-tls-verify'] === true ? { 'insecure-skip-tls-verify': true } : {}),
        ...(authority === undefined ? {} : { 'certificate-authority-data': Buffer.from(authority).toString('base64') }),
        ...(proxyUrl === undefined ? {} : { 'proxy-url': proxyUrl }),
        ...(config === undefined ? {} : { config }),
    };
}

// EXTERNAL MODULE: external "node:os"
var external_node_os_ = __webpack_require__(48161);
;// CONCATENATED MODULE: ./src/cluster/kubeconfig-files.ts





/**
 * Reads without judging: an entry that nothing uses may be broken.
 * @throws ConfigurationError where there is no file, or no kubeconfig in it; what is in it is never shown
 */
async function readKubeconfig(source, env) {
    const from = kubeconfig_files_nameOf(source, env);
    const { load } = await __webpack_require__.e(/* import() */ 243).then(__webpack_require__.bind(__webpack_require__, 33243));
    const contexts = new Map();
    const clusters = new Map();
    const users = new Map();
    let currentContext;
    for (const { text, folder } of readFiles(source, env)) {
        const config = parse(text, load, from);
        collect(contexts, config['contexts'], 'context', folder, from);
        collect(clusters, config['clusters'], 'cluster', folder, from);
        collect(users, config['users'], 'user', folder, from);
        const current = config['current-context'];
        if (typeof current === 'string' && current !== '')
            currentContext ??= current;
    }
    return { from, currentContext, contexts, clusters, users };
}
function parse(text, load, from) {
    let config;
    try {
        config = text.replace(/^\s*#.*$/gm, '').trim() === '' ? {} : (load(text) ?? {}); // kubectl takes an empty file, too
    }
    catch (error) {
        throw unreadable(from, (0,errors/* messageOf */.bD)(error).trim().split('\n')[0]?.slice(0, 300) ?? ''); // the next lines show what is in it
    }
    if (typeof config !== 'object' || Array.isArray(config))
        throw unreadable(from, 'it is no mapping');
    return config;
}
function collect(found, list, key, folder, from) {
    if (list == null)
        return;
    if (!Array.isArray(list))
        throw unreadable(from, `its ${key}s are no list`);
    for (const one of list) {
        const name = String(one?.['name'] ?? '');
        const fields = one?.[key];
        if (name === '' || found.has(name))
            continue;
        found.set(name, {
            name,
            fields: typeof fields === 'object' && fields !== null ? fields : {},
            folder,
        });
    }
}
function unreadable(from, cause) {
    return new errors/* ConfigurationError */.j1(`kubeconfig: ${from} cannot be read as a kubeconfig: ${cause}. ` +
        'Give the path or the content of a kubeconfig that `kubectl --kubeconfig` accepts.');
}
function readFiles(source, env) {
    if (source.kind === 'content')
        return [{ text: source.content, folder: undefined }];
    const listed = (env['KUBECONFIG'] ?? '').split(external_node_path_.delimiter).filter(Boolean);
    const standard = (0,external_node_path_.join)((0,external_node_os_.homedir)(), '.kube', 'config');
    const paths = source.kind === 'path' ? [source.path] : listed.length > 0 ? listed : [standard];
    const files = paths.map(readFile).filter((file) => file !== undefined); // kubectl skips those of KUBECONFIG that are not there
    if (files.length > 0)
        return files;
    const shown = paths.map(shown_path/* shownPath */.p);
    if (shown.includes(undefined)) {
        throw new errors/* ConfigurationError */.j1(`kubeconfig: got ${paths.join().length} characters that are neither the path of a file nor the content of a kubeconfig. ` +
            'They are not shown, for they may be a token; a token belongs into the input `token`, beside `api-server`.');
    }
    throw new errors/* ConfigurationError */.j1(`kubeconfig: there is no file ${shown.join(', ')}${source.kind === 'default' && listed.length > 0 ? ' (KUBECONFIG)' : ''}. ` +
        'Set the input `kubeconfig` (a path or the content) or the variable KUBECONFIG, or write the file in a step before.');
}
function readFile(path) {
    try {
        return { text: (0,external_node_fs_.readFileSync)(path, 'utf8'), folder: (0,external_node_path_.dirname)((0,external_node_path_.resolve)(path)) };
    }
    catch (error) {
        const { code = (0,errors/* messageOf */.bD)(error) } = error;
        if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENAMETOOLONG')
            return undefined;
        throw new errors/* ConfigurationError */.j1(`kubeconfig: ${(0,shown_path/* shownPath */.p)(path) ?? 'the given path'} cannot be read (${code}). It must be a file that this job may read.`);
    }
}
function kubeconfig_files_nameOf(source, env) {
    if (source.kind === 'content')
        return 'the given content';
    if (source.kind === 'path')
        return (0,shown_path/* shownPath */.p)(source.path) ?? 'the given file';
    return env['KUBECONFIG'] ? 'the file of KUBECONFIG' : '~/.kube/config';
}

;// CONCATENATED MODULE: ./src/cluster/kubeconfig-user.ts




function checkClientCertificate(user) {
    const part = (field) => {
        const path = pathIn(user, field);
        if (path !== undefined)
            return readNamedFile(path, `the ${field} of its ${nameOf(user, 'user')}`);
        const data = kubeconfig_entry_text(user.fields[`${field}-data`]);
        return data === undefined ? undefined : Buffer.from(data, 'base64');
    };
    const certificate = part('client-certificate');
    const key = part('client-key');
    if (certificate === undefined && key === undefined)
        return;
    const problem = certificate === undefined
        ? 'a client key without its certificate'
        : key === undefined
            ? 'a client certificate without its key'
            : (0,certificates/* pairProblem */.i)(certificate, key);
    if (problem === undefined)
        return;
    throw new errors/* ConfigurationError */.j1(`kubeconfig: its ${nameOf(user, 'user')} has ${problem}. Write both into it again, as \`kubectl config set-credentials --embed-certs\` does.`);
}
const authProviders = ['oidc', 'gcp', 'azure', 'tokenFile'];
const removedProviders = "kubectl knows no auth-provider but oidc any more (gcp and azure went with 1.26): use the cloud's exec plugin (gke-gcloud-auth-plugin, kubelogin), or a token.";
function checkAuthProvider(user) {
    const provider = providerOf(user);
    if (provider === undefined || authProviders.includes(provider))
        return;
    throw new errors/* ConfigurationError */.j1(`kubeconfig: its ${nameOf(user, 'user')} has the auth-provider ${JSON.stringify(provider)}, which nothing here can ask. ${removedProviders}`);
}
function providerOf({ fields }) {
    return kubeconfig_entry_text(fields['auth-provider']?.name);
}
function unusable(user, error) {
    const cause = (0,errors/* messageOf */.bD)(error).trim().split('\n')[0]?.slice(0, 300).replace(/\.$/, '') ?? '';
    const provider = providerOf(user);
    return new errors/* ConfigurationError */.j1(provider === undefined
        ? `kubeconfig: its credentials cannot be used: ${cause}. Write the kubeconfig anew in a step before.`
        : `kubeconfig: the auth-provider ${JSON.stringify(provider)} of its ${nameOf(user, 'user')} gave no token (${cause}). ` +
            (provider === 'oidc'
                ? 'Is its refresh token still good, and does the runner reach the issuer? An exec plugin (kubectl oidc-login) or a token does without it.'
                : removedProviders));
}
/** What to look at where the API server does not take the user, or takes it for nobody. */
function adviceFor(user) {
    const has = (field) => kubeconfig_entry_text(user.fields[field]) !== undefined;
    const who = user.name === '' ? 'The context names no user' : `The ${nameOf(user, 'user')} of the kubeconfig`;
    if (user.fields['exec'] != null) {
        return `${who} has an exec plugin: is it logged in to the account and the cluster that this kubeconfig is for?`;
    }
    if (has('tokenFile') || has('token') || providerOf(user) !== undefined) {
        return 'The token has expired or belongs to another cluster: make the kubeconfig in the same job, shortly before this step.';
    }
    if (has('client-certificate') || has('client-certificate-data')) {
        return `${who} has a client certificate that this API server does not take: it has expired, or is of another cluster's authority.`;
    }
    if (has('username')) {
        return `${who} has a name and a password, which API servers do not take since Kubernetes 1.19. Use a token, a client certificate or an exec plugin.`;
    }
    return `${user.name === '' ? who : `${who} has no credentials`}: give it a token, a tokenFile, a client certificate or an exec plugin.`;
}
/** Read anew each time: whoever rotates the token writes the file. */
function readToken(path) {
    try {
        return (0,external_node_fs_.readFileSync)(path, 'utf8');
    }
    catch (error) {
        throw new errors/* ConfigurationError */.j1(`kubeconfig: its tokenFile cannot be read: ${(0,errors/* messageOf */.bD)(error)}. Write it in a step before, where this job may read it.`);
    }
}

;// CONCATENATED MODULE: ./src/cluster/kubeconfig.ts









/**
 * Opens a kubeconfig; nothing is contacted yet. What is chosen in it is given to client-node's KubeConfig, which reads certificates and
 * auth-providers; exec plugins, `tokenFile`, impersonation and several files in KUBECONFIG are ours. `secret` is told every credential before
 * it is used, so that the log masks it.
 * @throws ConfigurationError when there is none, or what its context names is missing or broken
 */
async function connectKubeconfig(source, contextName, env, secret) {
    const { context, cluster, user } = choose(await readKubeconfig(source, env), contextName);
    const server = serverOf(cluster);
    const readAuthority = authorityReader(cluster);
    const authority = readAuthority();
    const impersonation = impersonationHeaders(user.fields);
    const exec = execOf(user, cluster, server, authority, env);
    const tokenFile = pathIn(user, 'tokenFile');
    const proxyUrl = checkProxy(cluster);
    checkClientCertificate(user);
    checkAuthProvider(user);
    const config = await clientConfig({ ...cluster.fields, server }, authority, user);
    return {
        input: 'kubeconfig',
        server,
        namespace: kubeconfig_entry_text(context.fields['namespace']),
        description: `${new URL(server).host} as ${user.name || 'nobody'} (context ${context.name})`,
        whenRefused: () => adviceFor(user),
        credentials: async () => {
            // Only what decides who we are comes from client-node: its agents ignore HTTPS_PROXY, and are cached with their first certificate.
            const options = {};
            try {
                await config.applyToHTTPSOptions(options);
            }
            catch (error) {
                throw unusable(user, error);
            }
            const headers = {};
            for (const [header, value] of Object.entries((options.headers ?? {}))) {
                headers[header] = String(value);
            }
            Object.assign(headers, impersonation);
            if (options.auth) {
                headers['Authorization'] = `Basic ${Buffer.from(options.auth).toString('base64')}`;
                secret(options.auth.slice(options.auth.indexOf(':') + 1));
            }
            const given = await exec?.get();
            const token = given?.token ??
                (tokenFile === undefined ? undefined : readToken(tokenFile)) ??
                /^Bearer ([^]*)$/.exec(String(headers['Authorization']))?.[1];
            if (token !== undefined) {
                headers['Authorization'] = (0,connection/* bearer */.CM)(token, `kubeconfig: the token of its user ${JSON.stringify(user.name)}`);
            }
            if (headers['Authorization'])
                secret(String(headers['Authorization']).replace(/^\w+ /, ''));
            const { passphrase, rejectUnauthorized, servername } = options;
            const ca = readAuthority();
            const cert = given?.certificate ?? options.cert;
            const key = given?.key ?? options.key;
            const tls = Object.fromEntries(Object.entries({ ca, cert, key, passphrase, rejectUnauthorized, servername }).filter(([, value]) => value != null));
            const refused = exec && given ? () => exec.refused(given) : undefined;
            if (proxyUrl !== undefined) {
                return {
                    headers,
                    tls,
                    agent: options.agent,
                    proxy: `proxy-url (${(0,src_proxy/* withoutPassword */.G5)(proxyUrl)})`,
                    refused,
                };
            }
            const proxy = await (0,src_proxy/* environmentProxy */.Uw)(server);
            const checked = proxy ? { ...tls, ...(0,connection/* identityOfAddress */.yV)(server) } : tls;
            return { headers, tls: checked, agent: proxy?.agent, proxy: proxy?.name, refused };
        },
    };
}
function choose({ from, currentContext, contexts, clusters, users }, wanted) {
    const known = (entries) => [...entries.keys()].join(', ');
    const context = contexts.get(wanted ?? currentContext ?? '');
    if (!context) {
        throw new errors/* ConfigurationError */.j1(wanted === undefined
            ? `kubeconfig: ${from} has no usable current context${currentContext === undefined ? '' : ` (${JSON.stringify(currentContext)} is not there)`}. ` +
                `Set the input \`context\` to one of: ${known(contexts) || '(it has none)'}.`
            : `context: got ${JSON.stringify(wanted)}, but ${from} has: ${known(contexts) || 'no contexts'}.`);
    }
    const missing = (what, called, entries) => new errors/* ConfigurationError */.j1(`kubeconfig: the context ${JSON.stringify(context.name)} of ${from} names ${called === undefined ? `no ${what}` : `the ${what} ${JSON.stringify(called)}`}, ` +
        `and the ${what}s there are: ${known(entries) || 'none'}. Correct the kubeconfig, or set the input \`context\` to another one.`);
    const clusterName = kubeconfig_entry_text(context.fields['cluster']);
    const cluster = clusters.get(clusterName ?? '');
    if (!cluster)
        throw missing('cluster', clusterName, clusters);
    const userName = kubeconfig_entry_text(context.fields['user']);
    const user = userName === undefined ? { name: '', fields: {}, folder: undefined } : users.get(userName);
    if (!user)
        throw missing('user', userName, users);
    return { context, cluster, user };
}
function execOf(user, cluster, server, authority, env) {
    if (user.fields['exec'] == null)
        return undefined;
    const plugin = readPlugin(user.fields['exec'], `kubeconfig: the exec plugin of its ${nameOf(user, 'user')}`);
    const told = plugin.provideClusterInfo ? execCluster(cluster, server, authority) : undefined;
    return execSource(plugin, told, user.folder, env);
}
async function clientConfig(cluster, authority, user) {
    const { KubeConfig } = await Promise.all(/* import() */[__webpack_require__.e(830), __webpack_require__.e(243), __webpack_require__.e(604)]).then(__webpack_require__.bind(__webpack_require__, 85604));
    const config = new KubeConfig();
    const credentials = { ...user.fields };
    // Ours, so that client-node neither runs nor reads them, too.
    for (const field of ['exec', 'tokenFile', 'as'])
        delete credentials[field];
    for (const field of ['client-certificate', 'client-key', 'token-file']) {
        const path = pathIn(user, field);
        if (path !== undefined)
            credentials[field] = path;
    }
    const way = { ...cluster };
    delete way['certificate-authority'];
    delete way['certificate-authority-data'];
    // The agent of `proxy-url` checks the certificate by it.
    if (authority !== undefined)
        way['certificate-authority-data'] = Buffer.from(authority).toString('base64');
    // `kubectl proxy` speaks plain http; client-node takes that only together with this word.
    if (cluster.server.startsWith('http:'))
        way['insecure-skip-tls-verify'] = true;
    try {
        // JSON is YAML.
        config.loadFromString(JSON.stringify({
            clusters: [{ name: 'cluster', cluster: way }],
            users: [{ name: 'user', user: credentials }],
            contexts: [{ name: 'context', context: { cluster: 'cluster', user: 'user' } }],
            'current-context': 'context',
        }));
    }
    catch (error) {
        throw unusable(user, error);
    }
    return config;
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
