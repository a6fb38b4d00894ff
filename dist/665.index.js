export const id = 665;
export const ids = [665];
export const modules = {

/***/ 70665:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {


// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  openKubeconfig: () => (/* binding */ openKubeconfig)
});

// EXTERNAL MODULE: ./src/common/proxy.ts
var common_proxy = __webpack_require__(51709);
// EXTERNAL MODULE: ./src/common/system-authorities.ts
var system_authorities = __webpack_require__(88936);
// EXTERNAL MODULE: ./src/common/url-text.ts
var url_text = __webpack_require__(27382);
// EXTERNAL MODULE: ./src/cluster/certificates.ts
var certificates = __webpack_require__(37380);
// EXTERNAL MODULE: ./src/cluster/connection.ts
var connection = __webpack_require__(23060);
// EXTERNAL MODULE: ./src/cluster/insecurity.ts
var insecurity = __webpack_require__(21261);
// EXTERNAL MODULE: ./src/common/errors.ts
var errors = __webpack_require__(71922);
// EXTERNAL MODULE: external "node:path"
var external_node_path_ = __webpack_require__(76760);
// EXTERNAL MODULE: ./src/common/read-file.ts
var read_file = __webpack_require__(9360);
// EXTERNAL MODULE: ./src/cluster/loggable-path.ts
var loggable_path = __webpack_require__(52695);
;// CONCATENATED MODULE: ./src/cluster/kubeconfig/entry.ts




/** The path in a field, resolved against the folder of the kubeconfig. */
function pathIn({ fields, folder }, field) {
    const path = textOf(fields[field]);
    return path !== undefined && folder !== undefined ? (0,external_node_path_.resolve)(folder, path) : path;
}
/** For the end of a fix: a shell would have replaced a part of the path; empty where none is there. */
function unexpandedHint(path) {
    return /(^|[/,:])~\/|\$\{?HOME\b/.test(path)
        ? ' Write the whole path: `~/` and `$HOME` are replaced by shells alone, not by kubectl and not by this action.'
        : '';
}
/** `cluster "eu"`, for messages. */
function entryName({ name }, kind) {
    return name === undefined ? `${kind} (none)` : `${kind} ${JSON.stringify(name)}`;
}
/** A string that is not empty, else undefined. */
function textOf(value) {
    return typeof value === 'string' && value !== '' ? value : undefined;
}
/**
 * Reads a file that a kubeconfig names. `field`: which one, as the subject of a sentence. `given`: the text of the field, where the path was made from
 * it: in a folder, a token that stands in the wrong field looks like a path.
 * @throws ConfigurationError
 */
function readNamedFile(path, field, given = path) {
    try {
        return (0,read_file/* readRegularFile */.X)(path).toString('utf8');
    }
    catch (error) {
        const isMissing = error instanceof read_file/* UnreadableFile */.i && error.code === 'ENOENT';
        const cause = isMissing ? 'which does not exist' : `which cannot be read (${(0,errors/* messageOf */.bD)(error)})`;
        const isShown = (0,loggable_path/* loggablePath */.Z)(String(given)) !== undefined;
        throw new errors/* ConfigurationError */.j1({
            code: 'E_KUBECONFIG_FILE_UNREADABLE',
            input: 'kubeconfig',
            problem: `${field} is the file ${(isShown ? (0,loggable_path/* loggablePath */.Z)(path) : undefined) ?? '(not shown)'}, ${cause}`,
            fix: `Create it in an earlier step, or put its content into the kubeconfig (\`kubectl config view --flatten\`).${unexpandedHint(path)}`,
        });
    }
}

;// CONCATENATED MODULE: ./src/cluster/kubeconfig/user-entry.ts





/** @throws ConfigurationError where the client certificate and its key cannot be used together */
function checkClientCertificate(user) {
    const read = (field) => {
        const path = pathIn(user, field);
        if (path !== undefined)
            return readNamedFile(path, `the ${field} of its ${entryName(user, 'user')}`, user.fields[field]);
        const data = textOf(user.fields[`${field}-data`]);
        return data === undefined ? undefined : Buffer.from(data, 'base64');
    };
    const problem = certificateProblem(read('client-certificate'), read('client-key'));
    if (problem === undefined)
        return;
    throw new errors/* ConfigurationError */.j1({
        code: 'E_KUBECONFIG_USER_INVALID',
        input: 'kubeconfig',
        problem: `its ${entryName(user, 'user')} has ${problem}`,
        fix: 'Write both into the kubeconfig again, as `kubectl config set-credentials --embed-certs` does.',
    });
}
function certificateProblem(certificate, key) {
    if (certificate === undefined)
        return undefined; // kubectl ignores a key without a certificate
    if (key === undefined)
        return 'a client certificate without its key';
    return (0,certificates/* pairProblem */.i0)(certificate, key);
}
const authProviders = ['oidc', 'gcp', 'azure', 'tokenFile'];
const removedProvidersFix = 'kubectl supports only the auth-provider oidc (gcp and azure were removed in 1.26): use the exec plugin of the cloud provider, or a token.';
/** @throws ConfigurationError where client-node does not know the auth-provider */
function checkAuthProvider(user) {
    const provider = authProviderOf(user);
    if (provider === undefined)
        return;
    const refuse = (problem) => new errors/* ConfigurationError */.j1({
        code: 'E_KUBECONFIG_USER_INVALID',
        input: 'kubeconfig',
        problem: `its ${entryName(user, 'user')} has ${problem}`,
        fix: removedProvidersFix,
    });
    if (!authProviders.includes(provider)) {
        const shown = /^[a-z]{1,20}$/.test(provider) ? `the auth-provider ${JSON.stringify(provider)}` : 'an auth-provider';
        throw refuse(`${shown}, which is not supported`);
    }
    const config = user.fields['auth-provider'].config ?? {};
    // client-node runs it in a shell, without a time limit and with the tokens of the job in its environment.
    if (config['cmd-path'] != null)
        throw refuse('an auth-provider that runs a program (cmd-path), which is not supported');
    const tokenFile = textOf(config['tokenFile']);
    if (tokenFile !== undefined)
        readNamedFile(tokenFile, `the tokenFile of the auth-provider of its ${entryName(user, 'user')}`);
}
function authProviderOf({ fields }) {
    return textOf(fields['auth-provider']?.name);
}
/** The error of client-node, which reads certificates and asks auth-providers. */
function unusableCredentials(user, error) {
    const cause = causeWithoutValues(error);
    const provider = authProviderOf(user);
    if (provider === undefined) {
        return new errors/* ConfigurationError */.j1({
            code: 'E_KUBECONFIG_USER_INVALID',
            input: 'kubeconfig',
            problem: `its credentials cannot be used (${cause})`,
            fix: 'Create the kubeconfig again in an earlier step.',
        });
    }
    return new errors/* ConfigurationError */.j1({
        code: 'E_AUTH_PROVIDER_FAILED',
        input: 'kubeconfig',
        problem: `the auth-provider ${JSON.stringify(provider)} of its ${entryName(user, 'user')} returned no token (${cause})`,
        fix: provider === 'oidc'
            ? 'Check that its refresh token is valid and that the runner reaches the issuer. An exec plugin (kubectl oidc-login) or a token needs neither.'
            : removedProvidersFix,
    });
}
/** The cause of an error of a library, whose message may quote a value of the kubeconfig, or an answer. */
function causeWithoutValues(error) {
    if (error instanceof SyntaxError)
        return 'a value or an answer is not JSON';
    const [line = ''] = (0,errors/* messageOf */.bD)(error).trim().split('\n');
    return line
        .replace(/(["'`]).*\1/g, '\u2026')
        .replace(/[a-z][a-z0-9+.-]*:\/\/\S+/gi, (url) => (0,url_text/* hostForMessage */.z)(url))
        .slice(0, 300);
}
/** Whether the user has anything that is sent with a request or obtained for it; a client certificate is part of TLS. */
function hasCredentials({ fields }) {
    return ['token', 'tokenFile', 'username', 'password', 'exec', 'auth-provider'].some((field) => fields[field] != null && fields[field] !== '');
}
/** What to do where the API server rejects the credentials of this user, in whole sentences. */
function rejectedCredentialsFix(user) {
    const has = (field) => textOf(user.fields[field]) !== undefined;
    const subject = user.name === undefined ? 'The context names no user' : `The ${entryName(user, 'user')} of the kubeconfig`;
    if (user.fields['exec'] != null) {
        return `${subject} has an exec plugin: check that it is logged in to the account and the cluster of this kubeconfig.`;
    }
    if (has('tokenFile') || has('token') || authProviderOf(user) !== undefined) {
        return 'The token has expired or belongs to another cluster. Create the kubeconfig in the same job, shortly before this step.';
    }
    if (has('client-certificate') || has('client-certificate-data')) {
        return `${subject} has a client certificate that this API server does not accept: it has expired, or another authority signed it.`;
    }
    if (has('username')) {
        return `${subject} has a user name and a password, which API servers do not accept since Kubernetes 1.19. Use a token, a client certificate or an exec plugin.`;
    }
    const lacking = user.name === undefined ? subject : `${subject} has no credentials`;
    return `${lacking}: add a token, a tokenFile, a client certificate or an exec plugin.`;
}
/**
 * The content of tokenFile; read for each request, because the file is replaced when the token is rotated. `token`: of the same user, which
 * kubectl sends where the file is missing or empty. @throws ConfigurationError where there is neither
 */
function readTokenFile(path, token) {
    try {
        const text = (0,read_file/* readRegularFile */.X)(path).toString('utf8');
        return text.trim() === '' && token !== undefined ? token : text;
    }
    catch (error) {
        if (token !== undefined)
            return token;
        throw new errors/* ConfigurationError */.j1({
            code: 'E_KUBECONFIG_FILE_UNREADABLE',
            input: 'kubeconfig',
            problem: 'its tokenFile cannot be read',
            message: (0,errors/* messageOf */.bD)(error),
            fix: 'Create it in an earlier step, where this job may read it.',
        });
    }
}

;// CONCATENATED MODULE: ./src/cluster/kubeconfig/client-config.ts



/**
 * The request options of client-node's KubeConfig for one cluster and one user, made anew at each call. `authority`: PEM, read already.
 * @throws ConfigurationError
 */
async function clientNodeOptions(cluster, server, authority, user) {
    const config = await clientConfig(cluster, server, authority, user);
    return async () => {
        const options = {};
        await config.applyToHTTPSOptions(options);
        return options;
    };
}
async function clientConfig(cluster, server, authority, user) {
    const { KubeConfig } = await Promise.all(/* import() */[__webpack_require__.e(830), __webpack_require__.e(474), __webpack_require__.e(243), __webpack_require__.e(130)]).then(__webpack_require__.bind(__webpack_require__, 58130));
    const config = new KubeConfig();
    try {
        // JSON is YAML.
        config.loadFromString(JSON.stringify({
            clusters: [{ name: 'cluster', cluster: clusterFields(cluster, server, authority) }],
            users: [{ name: 'user', user: userFields(user) }],
            contexts: [{ name: 'context', context: { cluster: 'cluster', user: 'user' } }],
            'current-context': 'context',
        }));
    }
    catch (error) {
        throw error instanceof errors/* ConfigurationError */.j1 ? error : unusableCredentials(user, error);
    }
    return config;
}
function userFields(user) {
    const fields = { ...user.fields };
    // This action handles them itself, so client-node must not run or read them a second time. kubectl does not know `token-file`.
    for (const field of ['exec', 'tokenFile', 'token-file', 'as'])
        delete fields[field];
    for (const field of ['client-certificate', 'client-key']) {
        const path = pathIn(user, field);
        if (path !== undefined)
            fields[field] = path;
    }
    return fields;
}
function clusterFields(cluster, server, authority) {
    const fields = { ...cluster.fields, server };
    delete fields['certificate-authority'];
    delete fields['certificate-authority-data'];
    // The agent of `proxy-url` checks the certificate by it.
    if (authority !== undefined)
        fields['certificate-authority-data'] = Buffer.from(authority).toString('base64');
    // `kubectl proxy` serves plain http, which client-node accepts only together with this field.
    if (server.startsWith('http:'))
        fields['insecure-skip-tls-verify'] = true;
    return fields;
}

;// CONCATENATED MODULE: ./src/cluster/kubeconfig/cluster-entry.ts





/**
 * The server's URL without a trailing slash.
 * @throws ConfigurationError
 */
function serverOf(cluster) {
    const given = cluster.fields['server'];
    const url = typeof given === 'string' ? URL.parse(given) : undefined;
    if (typeof given === 'string' && url && /^https?:$/.test(url.protocol) && /^https?:\/\/\S+$/i.test(given)) {
        return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
    }
    throw new errors/* ConfigurationError */.j1({
        code: 'E_KUBECONFIG_INVALID',
        input: 'kubeconfig',
        problem: `the ${entryName(cluster, 'cluster')} has ${serverText(given)}, which is not an https URL`,
        fix: 'Correct it in the kubeconfig, or set the input `context` to a context of another cluster.',
    });
}
/** Without what may be secret: a token may stand in the wrong field. */
function serverText(given) {
    if (given === undefined || given === null)
        return 'no server';
    if (typeof given === 'string' && given !== '' && !given.includes('://'))
        return 'a server without a scheme';
    return typeof given === 'string' ? `the server ${(0,url_text/* hostForMessage */.z)(given)}` : 'a server that is not a text';
}
/** Reads the certificate authority on each call, as PEM; undefined: the certificate authorities of the runner, or no TLS. */
function authorityReader(cluster, server) {
    if (!server.startsWith('https:'))
        return () => undefined;
    const path = pathIn(cluster, 'certificate-authority');
    const data = textOf(cluster.fields['certificate-authority-data']);
    const field = path === undefined ? 'certificate-authority-data' : 'certificate-authority';
    const subject = `the ${field} of the ${entryName(cluster, 'cluster')}`;
    return () => {
        if (path === undefined && data === undefined)
            return undefined;
        const text = path === undefined
            ? Buffer.from(data ?? '', 'base64').toString('utf8')
            : readNamedFile(path, subject, cluster.fields['certificate-authority']);
        const found = (0,certificates/* readAuthorities */.Gh)(text);
        if (found && 'pem' in found)
            return found.pem;
        throw new errors/* ConfigurationError */.j1({
            code: 'E_CERTIFICATE_AUTHORITY_INVALID',
            input: 'kubeconfig',
            problem: `${subject} has ${found?.problem ?? `no PEM certificate${path === undefined ? ' (as base64)' : ''}`}`,
            fix: "Copy it again from the cluster's original kubeconfig.",
        });
    };
}
/** `proxy-url`, checked. @throws ConfigurationError */
function proxyUrlOf(cluster) {
    const address = textOf(cluster.fields['proxy-url']);
    if (address !== undefined) {
        const subject = `the proxy-url of the ${entryName(cluster, 'cluster')}`;
        (0,common_proxy/* checkProxyAddress */.bs)(address, ['http:', 'https:', 'socks5:', 'socks5h:'], { input: 'kubeconfig', subject });
    }
    return address;
}
/** The cluster as an exec plugin receives it. */
function execCluster({ fields }, server, authority) {
    const extensions = (Array.isArray(fields['extensions']) ? fields['extensions'] : []);
    const config = extensions.find(({ name }) => name === 'client.authentication.k8s.io/exec')?.extension;
    const serverName = textOf(fields['tls-server-name']);
    const proxyUrl = textOf(fields['proxy-url']);
    return {
        server,
        ...(serverName === undefined ? {} : { 'tls-server-name': serverName }),
        ...(fields['insecure-skip-tls-verify'] === true ? { 'insecure-skip-tls-verify': true } : {}),
        ...(authority === undefined ? {} : { 'certificate-authority-data': Buffer.from(authority).toString('base64') }),
        ...(proxyUrl === undefined ? {} : { 'proxy-url': proxyUrl }),
        ...(config === undefined ? {} : { config }),
    };
}

;// CONCATENATED MODULE: ./src/cluster/kubeconfig/context.ts


/**
 * The context of the input, else the current context.
 * @throws ConfigurationError where it does not exist, or its cluster or user does not
 */
function chooseContext(kubeconfig, wanted) {
    const { currentContext, contexts, clusters, users } = kubeconfig;
    const name = wanted ?? currentContext;
    const context = name === undefined ? undefined : contexts.get(name);
    if (!context)
        throw noContext(kubeconfig, wanted);
    const clusterName = textOf(context.fields['cluster']);
    const cluster = clusterName === undefined ? undefined : clusters.get(clusterName);
    if (!cluster)
        throw noEntry(kubeconfig, context, 'cluster', clusterName);
    const userName = textOf(context.fields['user']);
    const user = userName === undefined ? { name: undefined, fields: {}, folder: undefined } : users.get(userName);
    if (!user)
        throw noEntry(kubeconfig, context, 'user', userName);
    return { context, cluster, user };
}
function noContext({ origin, currentContext, contexts }, wanted) {
    const code = 'E_KUBECONFIG_CONTEXT';
    if (wanted !== undefined) {
        return new errors/* ConfigurationError */.j1({
            code,
            input: 'context',
            problem: `${origin} has no context ${JSON.stringify(wanted)}`,
            fix: `Its contexts are: ${namesOf(contexts)}.`,
        });
    }
    const missing = currentContext === undefined ? '' : ` (${JSON.stringify(currentContext)} does not exist)`;
    return new errors/* ConfigurationError */.j1({
        code,
        input: 'kubeconfig',
        problem: `${origin} has no usable current context${missing}`,
        fix: `Set the input \`context\` to one of: ${namesOf(contexts)}.`,
    });
}
function noEntry({ origin, clusters, users }, context, kind, name) {
    const named = name === undefined ? `no ${kind}` : `the ${kind} ${JSON.stringify(name)}, which does not exist`;
    return new errors/* ConfigurationError */.j1({
        code: 'E_KUBECONFIG_CONTEXT',
        input: 'kubeconfig',
        problem: `the context ${JSON.stringify(context.name)} of ${origin} names ${named}`,
        fix: `Correct the kubeconfig, whose ${kind}s are: ${namesOf(kind === 'cluster' ? clusters : users)}; or set the input \`context\` to another context.`,
    });
}
function namesOf(entries) {
    return [...entries.keys()].join(', ') || '(none)';
}

// EXTERNAL MODULE: ./src/common/cached-credential.ts
var cached_credential = __webpack_require__(34357);
// EXTERNAL MODULE: ./src/common/child-environment.ts
var child_environment = __webpack_require__(25523);
// EXTERNAL MODULE: external "node:fs"
var external_node_fs_ = __webpack_require__(73024);
// EXTERNAL MODULE: ./src/common/remote-text.ts
var remote_text = __webpack_require__(14551);
;// CONCATENATED MODULE: ./src/cluster/kubeconfig/exec-errors.ts



/** The error of a plugin that could not be started. `command`: its path, or its name where PATH is searched. */
function pluginNotStarted(plugin, command, error) {
    if (error.code !== 'ENOENT')
        return pluginFailed(plugin, (0,errors/* messageOf */.bD)(error));
    const notFound = (cause, fix) => new errors/* ConfigurationError */.j1({
        code: 'E_EXEC_PLUGIN_NOT_FOUND',
        input: 'kubeconfig',
        problem: `its user needs the exec plugin ${shownCommand(plugin.command)}, ${cause}`,
        fix,
    });
    if ((0,external_node_fs_.existsSync)(command)) {
        return notFound('which exists, but the interpreter in its first line (#!) does not', 'Install the interpreter in an earlier step.');
    }
    const cause = command.includes('/')
        ? 'but there is no such file on this runner'
        : "which is not on this runner's PATH";
    return notFound(cause, howToInstall(plugin));
}
/** The error of a plugin that ran without returning credentials. */
function pluginFailed(plugin, cause) {
    return new errors/* ConfigurationError */.j1({
        code: 'E_EXEC_PLUGIN_FAILED',
        input: 'kubeconfig',
        problem: `the exec plugin \`${plugin.command}\` returned no credentials`,
        message: cause.slice(0, 500),
        fix: 'Run it in an earlier step to see why.',
    });
}
function howToInstall({ installHint, knownFix }) {
    const hint = (0,remote_text/* toOneLine */.GX)(installHint ?? '', 500);
    if (hint === '')
        return knownFix ?? 'Install it in an earlier step, or give a kubeconfig with a token.';
    return knownFix === undefined ? hint : `${knownFix} The kubeconfig says: ${hint}`;
}
/** A command with a blank or a quote has its arguments in it, which may be secrets. */
function shownCommand(command) {
    return /^[\w./@+:\\-]{1,200}$/.test(command)
        ? `\`${command}\``
        : '(its command is not shown: arguments belong in `args`)';
}

// EXTERNAL MODULE: external "node:child_process"
var external_node_child_process_ = __webpack_require__(31421);
;// CONCATENATED MODULE: ./src/cluster/kubeconfig/plugin-process.ts

const maxStdoutLength = 1024 * 1024;
const maxStderrLength = 4096;
/** Output from before the exit may still be in the pipe, but a background process may keep the pipe open without limit. */
const pipeGraceMs = 500;
/** Process groups of the programs that run. */
const running = new Set();
let isExitHandled = false;
/**
 * Runs a program without a terminal, for at most `timeoutMs`. A plugin is often a wrapper (a shim of asdf or brew), and ending the wrapper
 * leaves the real program running. So it gets a process group, which is killed as a whole when the program takes too long, writes too much or
 * fails, and when this process exits. What a successful plugin leaves in the background keeps running, as with kubectl.
 * @throws the error of a program that cannot be started
 */
function runPlugin(command, args, env, timeoutMs) {
    const child = (0,external_node_child_process_.spawn)(command, [...args], { env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    return new PluginProcess(child, timeoutMs).end;
}
/** A plugin. Its states: running; exited, while its pipes are read to their end; ended. */
class PluginProcess {
    /** Rejects with the error of a program that cannot be started. */
    end;
    #child;
    #end = Promise.withResolvers();
    #limitTimer;
    #graceTimer;
    #state = 'running';
    #exit = { code: undefined, signal: undefined };
    #stdout = '';
    #stderr = '';
    constructor(child, timeoutMs) {
        this.end = this.#end.promise;
        this.#child = child;
        this.#limitTimer = setTimeout(() => this.#finish('timed-out'), timeoutMs);
        if (child.pid !== undefined)
            killAtExit(child.pid);
        child.stdout.setEncoding('utf8').on('data', (text) => this.#takeStdout(text));
        child.stderr.setEncoding('utf8').on('data', (text) => {
            this.#stderr = (this.#stderr + text).slice(-maxStderrLength);
        });
        child.on('error', (error) => {
            clearTimeout(this.#limitTimer);
            this.#end.reject(error);
        });
        child.on('exit', (code, signal) => this.#onExit(code ?? undefined, signal ?? undefined));
        child.on('close', () => this.#finish('exited'));
    }
    #takeStdout(text) {
        this.#stdout += text;
        if (this.#stdout.length > maxStdoutLength)
            this.#finish('output-too-long');
    }
    #onExit(code, signal) {
        if (this.#state === 'ended')
            return;
        this.#state = 'exited';
        this.#exit = { code, signal };
        // The pipe is read once more before the end.
        this.#graceTimer = setTimeout(() => setImmediate(() => this.#finish('exited')), pipeGraceMs);
    }
    #finish(how) {
        if (this.#state === 'ended')
            return;
        this.#state = 'ended';
        clearTimeout(this.#limitTimer);
        clearTimeout(this.#graceTimer);
        const { pid, stdout, stderr } = this.#child;
        if (pid !== undefined && !(how === 'exited' && this.#exit.code === 0))
            killGroup(pid);
        if (pid !== undefined)
            running.delete(pid);
        stdout.destroy();
        stderr.destroy();
        this.#child.unref();
        this.#end.resolve({ how, ...this.#exit, stdout: this.#stdout, stderr: this.#stderr });
    }
}
function killAtExit(group) {
    running.add(group);
    if (isExitHandled)
        return;
    isExitHandled = true;
    process.on('exit', () => {
        for (const one of running)
            killGroup(one);
    });
}
function killGroup(group) {
    try {
        process.kill(-group, 'SIGKILL');
    }
    catch {
        // every process of the group has ended
    }
}

;// CONCATENATED MODULE: ./src/cluster/kubeconfig/exec-plugin.ts







/**
 * `user.exec` of a kubeconfig, checked. `subject` of the error: `the exec plugin of its user "dev"`.
 * @throws ConfigurationError where kubectl rejects it, too
 */
function readPlugin(value, subject) {
    const invalid = (problem) => new errors/* ConfigurationError */.j1({
        code: 'E_KUBECONFIG_USER_INVALID',
        input: 'kubeconfig',
        problem: `${subject} ${problem}`,
        fix: 'Create the kubeconfig again; the reference is "Client authentication (v1)", ExecConfig, in the Kubernetes documentation.',
    });
    if (typeof value !== 'object' || value === null)
        throw invalid('is not a mapping');
    const { command, args, env } = value;
    if (typeof command !== 'string' || command === '' || !isText(command))
        throw invalid('has no command');
    const protocolProblem = problemOfProtocol(value);
    if (protocolProblem !== undefined)
        throw invalid(protocolProblem);
    if (args != null && !(Array.isArray(args) && args.every(isText))) {
        throw invalid('has args that are not a list of strings');
    }
    if (env != null && !(Array.isArray(env) && env.every(isVariable))) {
        throw invalid('has an env that is not a list of `{ name: NAME, value: TEXT }`');
    }
    return value;
}
const currentVersion = 'client.authentication.k8s.io/v1';
const apiVersions = [currentVersion, 'client.authentication.k8s.io/v1beta1'];
function problemOfProtocol({ apiVersion, interactiveMode }) {
    if (typeof apiVersion !== 'string' || !apiVersions.includes(apiVersion)) {
        return `must have the apiVersion ${apiVersions.join(' or ')}`;
    }
    const mode = interactiveMode || (apiVersion === currentVersion ? undefined : 'IfAvailable');
    if (mode === 'Always')
        return 'needs a terminal (interactiveMode: Always), which a workflow does not have';
    return mode === 'Never' || mode === 'IfAvailable' ? undefined : 'must have the interactiveMode Never or IfAvailable';
}
function isText(value) {
    return typeof value === 'string' && !value.includes('\0');
}
function isVariable(value) {
    const { name, value: content } = (value ?? {});
    return isText(name) && name !== '' && isText(content ?? '');
}
/**
 * Runs the plugin as kubectl does (KUBERNETES_EXEC_INFO, no terminal), caches what it returns until shortly before it expires, and runs it
 * once for concurrent callers. Its errors are ConfigurationErrors that name the plugin and how to install it.
 */
function execSource(plugin, environment, { now, timeoutMs = 60_000 } = {}) {
    return (0,cached_credential/* cacheCredential */.u)(async () => parseAnswer(plugin, await answerOf(plugin, environment, timeoutMs)), now);
}
/** The stdout of a successful run. */
async function answerOf(plugin, { cluster, folder, env, allowedVariables, installFixes }, timeoutMs) {
    const info = {
        apiVersion: plugin.apiVersion ?? currentVersion,
        kind: 'ExecCredential',
        spec: { interactive: false, ...(plugin.provideClusterInfo ? { cluster } : {}) },
    };
    const pluginEnv = Object.fromEntries((plugin.env ?? []).map(({ name, value }) => [name, value ?? '']));
    const command = commandPath(plugin.command, folder);
    const args = plugin.args ?? [];
    const variables = {
        ...(0,child_environment/* childEnvironment */.Q)(env, allowedVariables),
        ...pluginEnv,
        KUBERNETES_EXEC_INFO: JSON.stringify(info),
    };
    const end = await runPlugin(command, args, variables, timeoutMs).catch((error) => {
        const knownFix = installFixes?.get((0,external_node_path_.basename)(plugin.command));
        throw pluginNotStarted({ ...plugin, knownFix }, command, error);
    });
    if (end.how === 'output-too-long')
        throw pluginFailed(plugin, 'its answer is longer than 1 MiB');
    if (end.how === 'timed-out')
        throw pluginFailed(plugin, `it gave no answer within ${timeoutMs / 1000} s`);
    if (end.code === 0)
        return end.stdout;
    const message = end.stderr.trim().split('\n').slice(-3).join('; ');
    const exit = end.code === undefined ? `it was ended by ${end.signal ?? 'a signal'}` : `its exit code is ${end.code}`;
    throw pluginFailed(plugin, message || exit);
}
/** kubectl's rule: a name is looked up in PATH, a path with a slash is relative to the kubeconfig. */
function commandPath(command, folder) {
    return command.includes('/') && !(0,external_node_path_.isAbsolute)(command) && folder !== undefined ? (0,external_node_path_.resolve)(folder, command) : command;
}
function parseAnswer(plugin, stdout) {
    const { kind, apiVersion, status = {} } = parseCredential(plugin, stdout);
    if (kind !== 'ExecCredential')
        throw pluginFailed(plugin, 'its answer is not an ExecCredential');
    const expected = plugin.apiVersion ?? currentVersion;
    if (apiVersion !== expected) {
        throw pluginFailed(plugin, `its answer does not have the apiVersion ${expected}, which the kubeconfig names`);
    }
    const field = (name) => {
        const value = status[name];
        return typeof value === 'string' && value !== '' ? value : undefined;
    };
    const value = { token: field('token'), certificate: field('clientCertificateData'), key: field('clientKeyData') };
    const problem = credentialProblem(value);
    if (problem !== undefined)
        throw pluginFailed(plugin, `its answer has ${problem}`);
    const expiresAtMs = Date.parse(field('expirationTimestamp') ?? '');
    return { value, expiresAtMs: Number.isNaN(expiresAtMs) ? Infinity : expiresAtMs };
}
function parseCredential(plugin, stdout) {
    try {
        const { kind, apiVersion, status } = JSON.parse(stdout); // null throws, as it should
        return { kind, apiVersion, status: status ?? {} };
    }
    catch {
        throw pluginFailed(plugin, 'its answer is not an ExecCredential');
    }
}
function credentialProblem({ token, certificate, key }) {
    if (certificate === undefined)
        return token === undefined ? 'neither a token nor a certificate' : undefined;
    return key === undefined ? 'a certificate without its key' : (0,certificates/* pairProblem */.i0)(certificate, key);
}

;// CONCATENATED MODULE: ./src/cluster/kubeconfig/impersonation.ts

/**
 * The headers of `as`, `as-uid`, `as-groups` and `as-user-extra` of a kubeconfig's user, as client-go sends them (transport/round_trippers.go).
 * @throws ConfigurationError where kubectl rejects them, too
 */
function impersonationHeaders(user) {
    const as = user['as'];
    const uid = user['as-uid'];
    const groups = headerValues(user['as-groups'], 'as-groups');
    const extra = Object.entries((user['as-user-extra'] ?? {})).map(([key, values]) => [key, headerValues(values, 'as-user-extra')]);
    if (as == null || as === '') {
        if ((uid ?? '') === '' && groups.length === 0 && extra.length === 0)
            return {};
        throw invalid('its user has as-uid, as-groups or as-user-extra, but no `as`', 'Set `as` to the user to impersonate, or remove them.');
    }
    const headers = { 'Impersonate-User': headerValue(as, 'as') };
    if (uid != null && uid !== '')
        headers['Impersonate-Uid'] = headerValue(uid, 'as-uid');
    if (groups.length > 0)
        headers['Impersonate-Group'] = groups;
    for (const [key, values] of extra)
        headers[`Impersonate-Extra-${escapeKey(key)}`] = values;
    return headers;
}
function headerValue(value, field) {
    const [text = ''] = headerValues([value], field);
    return text;
}
function headerValues(value, field) {
    const list = value == null ? [] : Array.isArray(value) ? value : [undefined];
    if (list.every((item) => typeof item === 'string' && /^[\x20-\x7e]*$/.test(item)))
        return list;
    throw invalid(`${field} of its user contains something else than ASCII text in one line`, 'Correct it in the kubeconfig.');
}
function invalid(problem, fix) {
    return new errors/* ConfigurationError */.j1({ code: 'E_KUBECONFIG_USER_INVALID', input: 'kubeconfig', problem, fix });
}
/** Bytes that the name of a header cannot contain are sent as %XX. */
function escapeKey(key) {
    return [...Buffer.from(key)]
        .map((byte) => {
        const letter = String.fromCharCode(byte);
        return /[\w!#$&'*+.^`|~-]/.test(letter) ? letter : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    })
        .join('');
}

;// CONCATENATED MODULE: ./src/cluster/kubeconfig/plain-credentials.ts


/**
 * Whether only client-node's KubeConfig can make the credentials: for an auth-provider. It is 18 MB of code, so it is loaded for
 * these alone (bench/start.ts).
 */
function needsClientNode(user) {
    return user.fields['auth-provider'] != null;
}
/**
 * TLS and authentication from the fields of one cluster and one user: certificate, key, token, user name and password. Files are read anew at
 * each call, because they are replaced when credentials are rotated. A file takes precedence over data.
 * @throws UnreadableFile
 */
function plainCredentials(cluster, user) {
    const cert = fileOrData(user, 'client-certificate');
    const key = cert === undefined ? undefined : fileOrData(user, 'client-key');
    const servername = textOf(cluster.fields['tls-server-name']);
    const token = textOf(user.fields['token']);
    const username = textOf(user.fields['username']);
    return {
        ...(cluster.fields['insecure-skip-tls-verify'] === true ? { rejectUnauthorized: false } : {}),
        ...(servername === undefined ? {} : { servername }),
        ...(cert === undefined ? {} : { cert }),
        ...(key === undefined ? {} : { key }),
        ...(username === undefined ? {} : { auth: `${username}:${textOf(user.fields['password']) ?? ''}` }),
        headers: token === undefined ? {} : { Authorization: `Bearer ${token}` },
    };
}
function fileOrData(user, field) {
    const path = pathIn(user, field);
    if (path !== undefined)
        return (0,read_file/* readRegularFile */.X)(path);
    const data = textOf(user.fields[`${field}-data`]);
    return data === undefined ? undefined : Buffer.from(data, 'base64');
}

// EXTERNAL MODULE: external "node:os"
var external_node_os_ = __webpack_require__(48161);
// EXTERNAL MODULE: ./src/common/decode-text.ts
var decode_text = __webpack_require__(16187);
;// CONCATENATED MODULE: ./src/cluster/kubeconfig/field-types.ts
const texts = { list: 'text' };
const extensions = { list: { fields: { name: 'text', extension: 'anything' } } };
/** The types of client-go, tools/clientcmd/api/v1/types.go. kubectl ignores fields that it does not know. */
const kubeconfigType = {
    fields: {
        ...{ kind: 'text', apiVersion: 'text', 'current-context': 'text', extensions },
        preferences: { fields: { colors: 'boolean', extensions } },
        clusters: {
            list: {
                fields: {
                    name: 'text',
                    cluster: {
                        fields: {
                            ...{ server: 'text', 'tls-server-name': 'text', 'insecure-skip-tls-verify': 'boolean' },
                            ...{ 'certificate-authority': 'text', 'certificate-authority-data': 'base64' },
                            ...{ 'proxy-url': 'text', 'disable-compression': 'boolean', extensions },
                        },
                    },
                },
            },
        },
        contexts: {
            list: {
                fields: { name: 'text', context: { fields: { cluster: 'text', user: 'text', namespace: 'text', extensions } } },
            },
        },
        users: {
            list: {
                fields: {
                    name: 'text',
                    user: {
                        fields: {
                            ...{ 'client-certificate': 'text', 'client-certificate-data': 'base64' },
                            ...{ 'client-key': 'text', 'client-key-data': 'base64' },
                            ...{ token: 'text', tokenFile: 'text', username: 'text', password: 'text' },
                            ...{ as: 'text', 'as-uid': 'text', 'as-groups': texts, 'as-user-extra': { mapping: texts } },
                            'auth-provider': { fields: { name: 'text', config: { mapping: 'text' } } },
                            exec: {
                                fields: {
                                    ...{ command: 'text', args: texts, env: { list: { fields: { name: 'text', value: 'text' } } } },
                                    ...{
                                        apiVersion: 'text',
                                        installHint: 'text',
                                        provideClusterInfo: 'boolean',
                                        interactiveMode: 'text',
                                    },
                                },
                            },
                            extensions,
                        },
                    },
                },
            },
        },
    },
};
/** The first field of the wrong type, as `contexts[0].context.namespace is a number, not a text`; its value is not shown. */
function fieldTypeProblem(config) {
    return problemAt(config, kubeconfigType, '');
}
function problemAt(value, type, path) {
    if (value === null || value === undefined || type === 'anything')
        return undefined; // null is the zero value in Go
    if (type === 'text' || type === 'boolean' || type === 'base64')
        return scalarProblem(value, type, path);
    if ('list' in type) {
        if (!Array.isArray(value))
            return `${path} is ${kindOf(value)}, not a list`;
        return firstProblem(value.map((item, index) => () => problemAt(item, type.list, `${path}[${String(index)}]`)));
    }
    if (typeof value !== 'object' || Array.isArray(value))
        return `${path || 'it'} is ${kindOf(value)}, not a mapping`;
    const items = value;
    const names = 'fields' in type ? Object.keys(type.fields) : Object.keys(items);
    return firstProblem(names.map((name) => () => {
        const itemType = 'fields' in type ? (type.fields[name] ?? 'anything') : type.mapping;
        const item = Object.hasOwn(items, name) ? items[name] : undefined;
        return problemAt(item, itemType, 'fields' in type ? (path === '' ? name : `${path}.${name}`) : `an item of ${path}`);
    }));
}
function firstProblem(checks) {
    for (const check of checks) {
        const problem = check();
        if (problem !== undefined)
            return problem;
    }
    return undefined;
}
function scalarProblem(value, type, path) {
    if (type === 'boolean')
        return typeof value === 'boolean' ? undefined : `${path} is ${kindOf(value)}, not true or false`;
    if (typeof value !== 'string')
        return `${path} is ${kindOf(value)}, not a text (YAML needs quotes around it)`;
    if (type === 'text' || isBase64(value))
        return undefined;
    return `${path} is not base64`;
}
function isBase64(text) {
    const joined = text.replace(/[\r\n]/g, '');
    return joined.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(joined);
}
function kindOf(value) {
    if (Array.isArray(value))
        return 'a list';
    if (typeof value === 'object')
        return 'a mapping';
    if (typeof value === 'string')
        return 'a text';
    return typeof value === 'boolean' ? 'true or false' : 'a number';
}

;// CONCATENATED MODULE: ./src/cluster/kubeconfig/yaml-problem.ts
/** The fields of a kubeconfig, for messages: what else stands before a colon may be a part of a value. */
const fields = new Set([
    ...['apiVersion', 'kind', 'preferences', 'current-context', 'clusters', 'contexts', 'users', 'extensions', 'name'],
    ...['cluster', 'server', 'certificate-authority', 'certificate-authority-data', 'insecure-skip-tls-verify'],
    ...['tls-server-name', 'proxy-url', 'disable-compression', 'context', 'namespace', 'user'],
    ...['client-certificate', 'client-certificate-data', 'client-key', 'client-key-data', 'token', 'tokenFile'],
    ...['token-file', 'username', 'password', 'as', 'as-uid', 'as-groups', 'as-user-extra', 'auth-provider', 'config'],
    ...['exec', 'command', 'args', 'env', 'value', 'installHint', 'interactiveMode', 'provideClusterInfo'],
]);
/** The messages of js-yaml that are passed on: they have nothing of the text in them. */
const knownReasons = new Set([
    ...['duplicated mapping key', 'bad indentation of a mapping entry', 'bad indentation of a sequence entry'],
    ...['deficient indentation', 'tab characters must not be used in indentation', 'unknown escape sequence'],
    ...['missed comma between flow collection entries', 'unexpected end of the stream within a flow collection'],
    ...['unexpected end of the stream within a single quoted scalar', 'a line break is expected'],
    ...['unexpected end of the stream within a double quoted scalar', 'expected hexadecimal character'],
    ...['unexpected end of the document within a single quoted scalar', "expected ':' after a mapping key"],
    ...['unexpected end of the document within a double quoted scalar', 'expected valid JSON character'],
    ...['can not read a block mapping entry; a multiline key may not be an implicit key', 'can not read a document'],
    ...['end of the stream or a document separator is expected', "expected the node content, but found ','"],
    ...['expected a single document in the stream, but found more', 'the stream contains non-printable characters'],
]);
/** What a message quotes a part of the text for. */
const quotingReasons = [
    [/^(unknown \w+ tag|cannot resolve a node|tag |undeclared tag)/, 'a value begins with an exclamation mark'],
    [/alias/, 'a value begins with an asterisk'],
];
/**
 * What is wrong with a YAML text, with its position and the field that it is in. The parser quotes the text in its messages (`token: !S3cret`), so only
 * those without a quotation are passed on.
 */
function yamlProblem(text, error) {
    const { reason, mark } = error;
    const cause = reasonText(typeof reason === 'string' ? reason : '');
    const { line, column, position } = mark ?? {};
    if (typeof line !== 'number' || typeof column !== 'number')
        return cause;
    const field = typeof position === 'number' ? fieldBefore(text.slice(0, position)) : undefined;
    const key = field === undefined ? '' : `, after the key ${JSON.stringify(field)}`;
    return `${cause} (line ${line + 1}, column ${column + 1}${key})`;
}
function reasonText(reason) {
    if (knownReasons.has(reason))
        return reason;
    const quoting = quotingReasons.find(([pattern]) => pattern.test(reason));
    return quoting === undefined ? 'it is not valid YAML' : `it is not valid YAML: ${quoting[1]}, which must be in quotes`;
}
/** The last field in the text; it may be up to a few lines before the position that the parser reports. */
function fieldBefore(text) {
    const found = [...text.slice(-4096).matchAll(/([A-Za-z][\w-]*)["']?\s*:(?=\s|$|["'{[])/g)].map(([, key]) => key);
    const last = found.at(-1);
    return last !== undefined && fields.has(last) ? last : undefined;
}

;// CONCATENATED MODULE: ./src/cluster/kubeconfig/parse.ts


/** A content that is not a kubeconfig. `message` is a clause that says what is wrong: fields, names and positions, no other value. */
class InvalidKubeconfig extends Error {
    name = 'InvalidKubeconfig';
}
/**
 * The content as kubectl reads it: YAML 1.1 (`yes` is true), the first document alone, the last one of equal keys, every field of client-go's
 * type, no name twice in a list.
 * @throws InvalidKubeconfig
 */
async function parseKubeconfig(text) {
    const document = firstDocument(text.replace(/^\uFEFF/, ''));
    if (document.replace(/^(\s*#.*|---)$/gm, '').trim() === '')
        return {}; // kubectl accepts an empty file, too
    const yaml = await __webpack_require__.e(/* import() */ 243).then(__webpack_require__.bind(__webpack_require__, 33243));
    const config = loadDocument(yaml, document);
    const problem = fieldTypeProblem(config) ?? kindProblem(config) ?? repeatedName(config);
    if (problem !== undefined)
        throw new InvalidKubeconfig(problem);
    return config;
}
function loadDocument(yaml, document) {
    try {
        return (yaml.load(document, { schema: goSchema(yaml), json: true }) ?? {});
    }
    catch (error) {
        throw new InvalidKubeconfig(yamlProblem(document, error));
    }
}
/** kubectl ignores everything after the first document. A marker at the start of a line ends a document even inside of a block of text. */
function firstDocument(text) {
    const lines = text.split(/\r\n|\r|\n/);
    const isMarker = (line) => /^(---|\.\.\.)(\s|$)/.test(line);
    const contentAt = lines.findIndex((line) => !/^\s*(#|$)|^%/.test(line));
    const startAt = contentAt >= 0 && /^---(\s|$)/.test(lines[contentAt] ?? '') ? contentAt + 1 : Math.max(contentAt, 0);
    const length = lines.slice(startAt).findIndex(isMarker);
    return length < 0 ? lines.join('\n') : lines.slice(0, startAt + length).join('\n');
}
/** The scalars of go-yaml v2: YAML 1.1 without its times, and without numbers to the base of 60. */
function goSchema({ FAILSAFE_SCHEMA, defineScalarTag, NOT_RESOLVED, ...tags }) {
    const number = defineScalarTag('tag:yaml.org,2002:float', {
        implicit: true,
        implicitFirstChars: [...'0123456789+-.'],
        resolve: (source) => {
            const plain = source.replace(/_/g, '');
            const isNumber = /^[-+]?(\.\d+|\d+(\.\d*)?)(e[-+]?\d+)?$/i.test(plain) ||
                /^[-+]?0(x[\da-f]+|b[01]+|o[0-7]+)$/i.test(plain) ||
                /^[-+]?\.(inf|Inf|INF)$|^\.(nan|NaN|NAN)$/.test(plain);
            return isNumber ? Number(plain) : NOT_RESOLVED;
        },
        identify: () => false,
    });
    return FAILSAFE_SCHEMA.withTags(tags.nullYaml11Tag, tags.boolYaml11Tag, tags.mergeTag, number);
}
function kindProblem({ kind, apiVersion }) {
    if ((kind ?? '') !== '' && kind !== 'Config')
        return 'its kind is not Config';
    if ((apiVersion ?? '') !== '' && apiVersion !== 'v1')
        return 'its apiVersion is not v1';
    return undefined;
}
function repeatedName(config) {
    for (const list of ['clusters', 'contexts', 'users']) {
        const entries = (config[list] ?? []);
        const names = entries.map((entry) => entry?.name ?? '');
        const repeated = names.find((name, index) => names.indexOf(name) !== index);
        if (repeated !== undefined)
            return `its ${list} have the name ${JSON.stringify(repeated)} twice`;
    }
    return undefined;
}

;// CONCATENATED MODULE: ./src/cluster/kubeconfig/read-kubeconfig.ts








/**
 * Reads the entries; of those that no context uses only the types of their fields are checked, as by kubectl.
 * @param mayBeMissing whether a kubeconfig without a file is an empty one; otherwise it is an error
 * @throws ConfigurationError where there is no file, or it is not a kubeconfig; the content is never shown
 */
async function readKubeconfig(source, env, mayBeMissing) {
    const origin = originOf(source, env);
    const contexts = new Map();
    const clusters = new Map();
    const users = new Map();
    let currentContext;
    for (const { text, folder } of readFiles(source, env, mayBeMissing)) {
        const config = await parse(text, origin);
        const lists = [
            ['context', contexts],
            ['cluster', clusters],
            ['user', users],
        ];
        for (const [kind, known] of lists) {
            for (const entry of entriesIn(config, kind, folder))
                if (!known.has(entry.name))
                    known.set(entry.name, entry);
        }
        const current = config['current-context'];
        if (typeof current === 'string' && current !== '')
            currentContext ??= current;
    }
    const isEmpty = currentContext === undefined && contexts.size + clusters.size + users.size === 0;
    return { isEmpty, origin, currentContext, contexts, clusters, users };
}
async function parse(text, origin) {
    try {
        return await parseKubeconfig(text);
    }
    catch (error) {
        throw error instanceof InvalidKubeconfig ? unreadable(origin, error.message) : error;
    }
}
function entriesIn(config, kind, folder) {
    const list = (config[`${kind}s`] ?? []);
    return list.flatMap((item) => {
        const name = textOf(item?.['name']);
        return name === undefined ? [] : [{ name, fields: (item?.[kind] ?? {}), folder }];
    });
}
function unreadable(origin, cause) {
    return new errors/* ConfigurationError */.j1({
        code: 'E_KUBECONFIG_INVALID',
        input: 'kubeconfig',
        problem: `${origin} cannot be read as a kubeconfig`,
        message: cause,
        fix: 'Give the path or the content of a kubeconfig that `kubectl --kubeconfig` accepts.',
    });
}
function readFiles(source, env, mayBeMissing) {
    if (source.kind === 'content')
        return [{ text: source.content, folder: undefined }];
    const listed = (env['KUBECONFIG'] ?? '').split(external_node_path_.delimiter).filter(Boolean);
    const defaultPath = (0,external_node_path_.join)(env['HOME'] ?? (0,external_node_os_.homedir)(), '.kube', 'config');
    const paths = source.kind === 'path' ? [source.path] : listed.length > 0 ? listed : [defaultPath];
    const files = paths.map(readFile).filter((file) => file !== undefined); // kubectl skips missing files of KUBECONFIG
    if (files.length > 0 || mayBeMissing)
        return files;
    const shown = paths.map(loggable_path/* loggablePath */.Z);
    if (shown.includes(undefined)) {
        throw new errors/* ConfigurationError */.j1({
            code: 'E_KUBECONFIG_NOT_FOUND',
            input: 'kubeconfig',
            problem: `got ${paths.join().length} characters that are neither the path of a file nor the content of a kubeconfig; they are not shown, because they may be a token`,
            fix: 'Give the path or the content of a kubeconfig. A token belongs in the input `token`, together with `api-server`.',
        });
    }
    const isFromVariable = source.kind === 'default' && listed.length > 0;
    throw new errors/* ConfigurationError */.j1({
        code: 'E_KUBECONFIG_NOT_FOUND',
        input: 'kubeconfig',
        problem: `there is no file ${shown.join(', ')}${isFromVariable ? ' (KUBECONFIG)' : ''}`,
        fix: `Set the input \`kubeconfig\` (a path or the content) or the variable KUBECONFIG, or create the file in an earlier step.${unexpandedHint(paths.join())}`,
    });
}
function readFile(path) {
    let bytes;
    try {
        bytes = (0,read_file/* readRegularFile */.X)(path);
    }
    catch (error) {
        if (error instanceof read_file/* UnreadableFile */.i && ['ENOENT', 'ENOTDIR', 'ENAMETOOLONG'].includes(error.code))
            return undefined;
        throw new errors/* ConfigurationError */.j1({
            code: 'E_KUBECONFIG_NOT_FOUND',
            input: 'kubeconfig',
            problem: `${(0,loggable_path/* loggablePath */.Z)(path) ?? 'the given path'} cannot be read (${(0,errors/* messageOf */.bD)(error)})`,
            fix: 'Give the path of a file that this job may read.',
        });
    }
    const decoded = (0,decode_text/* decodeText */.g)(bytes);
    if ('problem' in decoded)
        throw unreadable((0,loggable_path/* loggablePath */.Z)(path) ?? 'the given file', decoded.problem);
    return { text: decoded.text, folder: (0,external_node_path_.dirname)((0,external_node_path_.resolve)(path)) };
}
function originOf(source, env) {
    if (source.kind === 'content')
        return 'the given content';
    if (source.kind === 'path')
        return (0,loggable_path/* loggablePath */.Z)(source.path) ?? 'the given file';
    return env['KUBECONFIG'] ? 'the file of KUBECONFIG' : '~/.kube/config';
}

;// CONCATENATED MODULE: ./src/cluster/kubeconfig/rules.ts


/**
 * The rules of client-go for one cluster and one user (tools/clientcmd/validation.go, transport/transport.go) that no other check of this
 * folder covers. @throws ConfigurationError where kubectl refuses them, too
 */
function checkRules(cluster, user, server) {
    const isSecure = server.startsWith('https:');
    const problem = clusterProblem(cluster, isSecure);
    if (problem !== undefined) {
        throw new errors/* ConfigurationError */.j1({
            code: 'E_KUBECONFIG_INVALID',
            input: 'kubeconfig',
            problem: `the ${entryName(cluster, 'cluster')} ${problem}`,
            fix: 'Remove one of them, as kubectl requires it.',
        });
    }
    const { what, fix } = userProblem(user, isSecure) ?? {};
    if (what === undefined || fix === undefined)
        return;
    throw new errors/* ConfigurationError */.j1({
        code: 'E_KUBECONFIG_USER_INVALID',
        input: 'kubeconfig',
        problem: user.name === undefined ? `its context ${what}` : `its ${entryName(user, 'user')} ${what}`,
        fix,
    });
}
function clusterProblem(cluster, isSecure) {
    const hasBoth = both(cluster, 'certificate-authority');
    if (hasBoth !== undefined)
        return `has ${hasBoth}`;
    const hasAuthority = has(cluster, 'certificate-authority') || has(cluster, 'certificate-authority-data');
    return isSecure && hasAuthority && cluster.fields['insecure-skip-tls-verify'] === true
        ? 'has a certificate authority and insecure-skip-tls-verify'
        : undefined;
}
const removeOne = 'Remove one of them, as kubectl requires it.';
function userProblem(user, isSecure) {
    const excess = excessOf(user, isSecure);
    if (excess !== undefined)
        return { what: `has ${excess}`, fix: removeOne };
    // Without TLS kubectl sends no credentials.
    const needsNone = !isSecure || user.fields['auth-provider'] != null || user.fields['exec'] != null;
    if (needsNone || isAuthenticated(user))
        return undefined;
    return {
        what: user.name === undefined ? 'names no user' : 'has no credentials',
        fix: 'Add a token, a tokenFile, a client certificate or an exec plugin. (kubectl asks for a user name here.)',
    };
}
/** Credentials that exclude each other. */
function excessOf(user, isSecure) {
    const hasBasic = has(user, 'username') || has(user, 'password');
    if (has(user, 'token') && hasBasic)
        return 'a token and a user name or password';
    const repeated = hasCertificate(user) ? (both(user, 'client-certificate') ?? both(user, 'client-key')) : undefined;
    if (repeated !== undefined)
        return repeated;
    if (user.fields['exec'] != null && user.fields['auth-provider'] != null)
        return 'exec and auth-provider';
    return isSecure && has(user, 'username') && has(user, 'tokenFile') ? 'a tokenFile and a user name' : undefined;
}
/** Whether the user has credentials of its own; with them kubectl does not run its exec plugin. */
function isAuthenticated(user) {
    return has(user, 'token') || has(user, 'tokenFile') || has(user, 'username') || hasCertificate(user);
}
function hasCertificate(user) {
    return has(user, 'client-certificate') || has(user, 'client-certificate-data');
}
function both(entry, field) {
    return has(entry, field) && has(entry, `${field}-data`) ? `${field} and ${field}-data` : undefined;
}
function has({ fields }, field) {
    return textOf(fields[field]) !== undefined;
}

// EXTERNAL MODULE: external "node:net"
var external_node_net_ = __webpack_require__(77030);
;// CONCATENATED MODULE: ./src/cluster/kubeconfig/service-account.ts






/** Where the kubelet mounts the service account of a pod. */
const serviceAccountFolder = '/var/run/secrets/kubernetes.io/serviceaccount';
/** Whether this process runs in a pod with a service account: kubectl's condition. */
function isInPod({ env, folder }) {
    const isFile = (0,external_node_fs_.statSync)((0,external_node_path_.join)(folder, 'token'), { throwIfNoEntry: false })?.isDirectory() === false;
    return isFile && Boolean(env['KUBERNETES_SERVICE_HOST']) && Boolean(env['KUBERNETES_SERVICE_PORT']);
}
/** POD_NAMESPACE, else the namespace of the service account. */
function podNamespace({ env, folder }) {
    const given = env['POD_NAMESPACE'];
    if (given)
        return given;
    try {
        return (0,read_file/* readRegularFile */.X)((0,external_node_path_.join)(folder, 'namespace')).toString('utf8').trim() || 'default';
    }
    catch {
        return 'default';
    }
}
/**
 * The cluster of this pod, with the service account of the pod. The token is read again for each request, because the kubelet replaces it.
 * Without a valid ca.crt the server is checked against the authorities of the system, as with kubectl.
 */
async function connectServiceAccount(pod, maskSecret) {
    const { connectWithToken } = await __webpack_require__.e(/* import() */ 636).then(__webpack_require__.bind(__webpack_require__, 31636));
    const { env, folder } = pod;
    const host = env['KUBERNETES_SERVICE_HOST'] ?? '';
    const server = `https://${(0,external_node_net_.isIPv6)(host) ? `[${host}]` : host}:${env['KUBERNETES_SERVICE_PORT'] ?? ''}`;
    if (!URL.canParse(server)) {
        throw new errors/* ConfigurationError */.j1({
            code: 'E_KUBECONFIG_INVALID',
            input: 'KUBERNETES_SERVICE_HOST',
            problem: 'with KUBERNETES_SERVICE_PORT it is not the address of an API server',
            fix: 'The kubelet sets both in every pod. Remove them, or set the input `kubeconfig`.',
        });
    }
    const text = authorityOf((0,external_node_path_.join)(folder, 'ca.crt'));
    const namespace = podNamespace(pod);
    const tokenPath = (0,external_node_path_.join)(folder, 'token');
    const connection = connectWithToken({
        ...{ input: 'kubeconfig', server, as: "this pod's service account" },
        trustedAuthority: `the file ${(0,external_node_path_.join)(folder, 'ca.crt')}`,
        certificateAuthority: text === undefined ? undefined : { text, input: 'kubeconfig', subject: 'ca.crt', fix: '' },
        tokenOrigin: { input: 'kubeconfig', subject: `the token in ${tokenPath}` },
        credentialsFix: () => 'Check the service account of the pod of this runner, or set the input `kubeconfig`.',
        token: () => Promise.resolve().then(() => readToken(tokenPath)),
    }, maskSecret);
    return { ...connection, namespace };
}
function authorityOf(path) {
    try {
        const found = (0,certificates/* readAuthorities */.Gh)((0,read_file/* readRegularFile */.X)(path).toString('utf8'));
        return found && 'pem' in found ? found.pem : undefined;
    }
    catch {
        return undefined;
    }
}
function readToken(path) {
    try {
        return (0,read_file/* readRegularFile */.X)(path).toString('utf8');
    }
    catch (error) {
        throw new errors/* ConfigurationError */.j1({
            code: 'E_KUBECONFIG_FILE_UNREADABLE',
            input: 'kubeconfig',
            problem: `the token of the service account of this pod (${path}) cannot be read (${(0,errors/* messageOf */.bD)(error)})`,
            fix: 'Check the pod of this runner, or set the input `kubeconfig`.',
        });
    }
}

;// CONCATENATED MODULE: ./src/cluster/kubeconfig/connect.ts

















/**
 * Connects by a kubeconfig; no request is sent yet. client-node's KubeConfig asks auth-providers; certificates, tokens, exec plugins, proxies, `tokenFile`, impersonation and the merge of several files are handled here.
 * @throws ConfigurationError where there is no kubeconfig, or an entry that its context names is missing or invalid
 */
async function connectKubeconfig(options) {
    const { source, context, env, pluginVariables, maskSecret, installFixes, podFolder = serviceAccountFolder } = options;
    const pod = { env, folder: podFolder };
    const isPod = isInPod(pod);
    const mayUsePod = isPod && source.kind === 'default' && context === undefined;
    const kubeconfig = await readKubeconfig(source, env, mayUsePod);
    if (mayUsePod && kubeconfig.isEmpty)
        return connectServiceAccount(pod, maskSecret);
    const chosen = chooseContext(kubeconfig, context);
    const { cluster } = chosen;
    const server = serverOf(cluster);
    checkRules(cluster, chosen.user, server);
    const user = withoutUnused(chosen.user, server);
    const readAuthority = authorityReader(cluster, server);
    const authority = readAuthority();
    if (authority === undefined)
        trustRunner(cluster, server, env);
    const impersonation = impersonationHeaders(user.fields);
    const plugin = pluginOf(user);
    const execInfo = plugin?.provideClusterInfo ? execCluster(cluster, server, authority) : undefined;
    const exec = plugin &&
        execSource(plugin, { cluster: execInfo, folder: user.folder, env, allowedVariables: pluginVariables, installFixes });
    const proxyUrl = proxyUrlOf(cluster);
    // Not of `user`: kubectl drops the credentials in silence, and the first answer would be a 401.
    if (hasCredentials(chosen.user))
        (0,connection/* checkPlainHttp */.Vo)({ server, input: 'kubeconfig' });
    checkClientCertificate(user);
    checkAuthProvider(user);
    const requestOptions = needsClientNode(user)
        ? await clientNodeOptions(cluster, server, authority, user)
        : async () => Promise.resolve(plainCredentials(cluster, user));
    return {
        input: 'kubeconfig',
        server,
        namespace: textOf(chosen.context.fields['namespace']) ?? (isPod ? podNamespace(pod) : undefined),
        description: `${new URL(server).host} as ${user.name ?? '(no user)'} (context ${chosen.context.name})`,
        trustedAuthority: 'the certificate-authority-data of the kubeconfig',
        warnings: (0,insecurity/* protectionWarnings */.l)({ server, skipsVerification: cluster.fields['insecure-skip-tls-verify'] === true }, env),
        credentialsFix: () => rejectedCredentialsFix(user),
        credentials: async () => {
            // Of client-node only what authenticates is used: its agents ignore HTTPS_PROXY, and are cached with their first certificate.
            const base = await requestOptions().catch((error) => {
                throw unusableCredentials(user, error);
            });
            const given = await exec?.get();
            const headers = authenticationHeaders(user, base, given, maskSecret);
            const tls = tlsOptions(base, given, readAuthority());
            const refused = exec && given ? () => exec.invalidate(given) : undefined;
            const identity = { headers: { ...headers, ...impersonation }, refused };
            if (proxyUrl !== undefined) {
                const proxy = { name: `proxy-url (${(0,url_text/* hostForMessage */.z)(proxyUrl)})`, isFromEnvironment: false };
                return { ...identity, tls: { ...tls, ...(0,connection/* identityOfAddress */.yV)(server) }, agent: await (0,common_proxy/* proxyAgent */.QT)(proxyUrl), proxy };
            }
            const proxy = await (0,common_proxy/* environmentProxy */.Uw)(server, env);
            return { ...identity, tls: proxy ? { ...tls, ...(0,connection/* identityOfAddress */.yV)(server) } : tls, agent: proxy?.agent, proxy };
        },
    };
}
function trustRunner(cluster, server, env) {
    const isChecked = server.startsWith('https:') && cluster.fields['insecure-skip-tls-verify'] !== true;
    if (isChecked)
        (0,system_authorities/* trustSystemAuthorities */.$)(env);
}
/** Without TLS kubectl sends no credentials, and it does not run the exec plugin of a user that has others. */
function withoutUnused(user, server) {
    const isUsed = (field) => server.startsWith('https:') ? field !== 'exec' || !isAuthenticated(user) : field.startsWith('as');
    return { ...user, fields: Object.fromEntries(Object.entries(user.fields).filter(([field]) => isUsed(field))) };
}
function pluginOf(user) {
    if (user.fields['exec'] == null)
        return undefined;
    return readPlugin(user.fields['exec'], `the exec plugin of its ${entryName(user, 'user')}`);
}
/** Basic authentication, or the token of the exec plugin, the tokenFile or client-node, in this order of precedence. */
function authenticationHeaders(user, options, given, maskSecret) {
    const headers = Object.fromEntries(Object.entries((options.headers ?? {})).map(([name, value]) => [name, String(value)]));
    if (options.auth) {
        headers['Authorization'] = `Basic ${Buffer.from(options.auth).toString('base64')}`;
        maskSecret(options.auth.slice(options.auth.indexOf(':') + 1));
    }
    const fixed = /^Bearer ([^]*)$/.exec(headers['Authorization'] ?? '')?.[1];
    const tokenFile = pathIn(user, 'tokenFile');
    const token = given?.token ?? (tokenFile === undefined ? undefined : readTokenFile(tokenFile, fixed)) ?? fixed;
    if (token !== undefined) {
        const subject = `the token of its ${entryName(user, 'user')}`;
        headers['Authorization'] = (0,connection/* bearer */.CM)(token, { input: 'kubeconfig', subject });
    }
    if (headers['Authorization'])
        maskSecret(headers['Authorization'].replace(/^\w+ /, ''));
    return headers;
}
function tlsOptions({ passphrase, rejectUnauthorized, servername, ...options }, given, ca) {
    const cert = given?.certificate ?? options.cert;
    const pem = given?.key ?? options.key;
    const key = pem && (0,certificates/* usableKey */.S2)(pem);
    return Object.fromEntries(Object.entries({ ca, cert, key, passphrase, rejectUnauthorized, servername }).filter(([, value]) => value != null));
}

// EXTERNAL MODULE: ./src/runner/mask-secret.ts
var mask_secret = __webpack_require__(95989);
;// CONCATENATED MODULE: ./src/app/cluster-access/kubeconfig.ts


/** The inputs `kubeconfig` and `context`. @throws ConfigurationError */
function openKubeconfig({ source, context, pluginVariables }, env) {
    return connectKubeconfig({ source, context, env, pluginVariables, maskSecret: mask_secret/* maskSecret */.$, installFixes });
}
/** How to install the exec plugins of the cloud providers. */
const installFixes = new Map([
    [
        'gke-gcloud-auth-plugin',
        'Install it with `gcloud components install gke-gcloud-auth-plugin`, or use google-github-actions/get-gke-credentials, whose kubeconfig needs no plugin.',
    ],
    ['aws', 'Install the AWS CLI v2 and run aws-actions/configure-aws-credentials in an earlier step.'],
    [
        'aws-iam-authenticator',
        'Install it in an earlier step, or create the kubeconfig with `aws eks update-kubeconfig`.',
    ],
    ['kubelogin', 'Install it with the action azure/use-kubelogin in an earlier step.'],
]);


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


/***/ })

};
