export const id = 108;
export const ids = [108];
export const modules = {

/***/ 41108:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {


// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  NodeSshRecorder: () => (/* binding */ NodeSshRecorder)
});

// EXTERNAL MODULE: ./src/common/errors.ts
var errors = __webpack_require__(71922);
// EXTERNAL MODULE: ./src/common/remote-text.ts
var remote_text = __webpack_require__(14551);
// EXTERNAL MODULE: ./src/capture/filter/node-filter.ts
var node_filter = __webpack_require__(54324);
// EXTERNAL MODULE: ./src/capture/plan.ts
var capture_plan = __webpack_require__(50739);
// EXTERNAL MODULE: ./src/capture/record.ts + 1 modules
var capture_record = __webpack_require__(35334);
// EXTERNAL MODULE: ./src/capture/scripts/script-text.ts
var script_text = __webpack_require__(44476);
;// CONCATENATED MODULE: ./src/capture/scripts/node-scripts.ts

// The programs of a capture on a node, by SSH. See scripts.ts for the literal URLs.
/** `sh FILE`: the recorder with its parameters from a file */
const insideScript = (0,script_text/* scriptText */.r)(__webpack_require__.ab + "node-inside.sh");
/** `sh FILE MAX_SECONDS KEEP_SECONDS [PREFIX\u2026]`: runs the recorder, and removes the run folder after it */
const outsideScript = (0,script_text/* scriptText */.r)(__webpack_require__.ab + "node-outside.sh");
/** `sh -c TEXT sh COMMAND\u2026`: as root */
const asRootScript = (0,script_text/* scriptText */.r)(__webpack_require__.ab + "as-root.sh");
/** `sh -c TEXT sh FOLDER NAME`: writes stdin to a file */
const writeScript = (0,script_text/* scriptText */.r)(__webpack_require__.ab + "node-write.sh");
/** `sh -c TEXT sh FOLDER MAX_SECONDS KEEP_SECONDS [PREFIX\u2026]`: starts the recorder */
const beginScript = (0,script_text/* scriptText */.r)(__webpack_require__.ab + "node-begin.sh");
/** `sh -c TEXT sh NAME ROOT\u2026`: stops the recorder and removes its files */
const removeScript = (0,script_text/* scriptText */.r)(__webpack_require__.ab + "node-remove.sh");
/** `sh -c TEXT sh RUN_FOLDER\u2026`: prints the state of the recorder */
const stateScript = (0,script_text/* scriptText */.r)(__webpack_require__.ab + "node-state.sh");
/** `sh -c TEXT`: prints the addresses of the SSH connection */
const connectionScript = (0,script_text/* scriptText */.r)(__webpack_require__.ab + "node-connection.sh");
/** `sh -c TEXT sh TOOLBOX_FOLDER SPOOL_DIRECTORY\u2026`: prints facts about the node */
const probeScript = (0,script_text/* scriptText */.r)(__webpack_require__.ab + "node-probe.sh");
/** `sh -c TEXT sh HOME NAME TAG COMMAND\u2026`: runs a command with another image of the toolbox */
const toolboxImageScript = (0,script_text/* scriptText */.r)(__webpack_require__.ab + "toolbox-image.sh");
/** `sh -c TEXT`, in the toolbox: prints tcpdump's version */
const toolboxVersionScript = (0,script_text/* scriptText */.r)(__webpack_require__.ab + "toolbox-version.sh");
/** `sh -c TEXT`, in the toolbox: installs tcpdump */
const toolboxInstallScript = (0,script_text/* scriptText */.r)(__webpack_require__.ab + "toolbox-install.sh");

// EXTERNAL MODULE: ./src/capture/recorders/methods.ts + 2 modules
var methods = __webpack_require__(9588);
// EXTERNAL MODULE: ./src/capture/recorders/start.ts
var start = __webpack_require__(19134);
;// CONCATENATED MODULE: ./src/capture/recorders/ssh/probe.ts



/** COS unpacks its toolbox here. */
const toolboxFolder = '/var/lib/toolbox';
/**
 * /var/lib first: only root can write there, so no other user can have created a file of the capture's name. All are below /var, which survives a
 * reboot on COS, where /tmp is memory. Nothing is executed there: COS mounts /var noexec.
 */
const defaultDirectories = ['/var/lib', '/var/cache', '/var/log', '/var/tmp'];
const memoryFileSystems = /^(tmpfs|ramfs|hugetlbfs|devtmpfs|rootfs)$/;
const maxFactCount = 1_000;
const maxFactCharacters = 500;
/** Reads the facts with one command. @throws ConfigurationError where the node is no Linux with a POSIX shell; what `run` throws */
async function probeNode(node, directories = defaultDirectories) {
    const { code, stdout, stderr } = await node.run(['sh', '-c', probeScript, 'sh', toolboxFolder, ...directories]);
    const facts = parseFacts(stdout);
    if (facts !== undefined)
        return facts;
    const output = (0,remote_text/* toOneLine */.GX)(stderr || stdout, 300);
    throw new errors/* ConfigurationError */.j1({
        code: 'E_NODE_SHELL',
        input: 'node-method',
        problem: `the login shell of the node does not run the check of the node (exit code ${code}: ${output || 'no output'})`,
        fix: 'Capture on a Linux node (Container-Optimized OS or Ubuntu) whose login gives a POSIX shell, or use `node-method: pod`.',
    });
}
function parseFacts(text) {
    const all = factsIn(text);
    const values = (key) => all.filter(([name]) => name === key).map(([, value]) => value);
    const value = (key) => values(key)[0] || undefined;
    const root = value('root');
    const clock = value('clock') ?? '';
    if ((root !== 'already' && root !== 'sudo' && root !== 'none') || !/^\d{1,12}$/.test(clock))
        return undefined;
    const [, path, version = ''] = /^(\S+) ?(.*)$/.exec(value('tcpdump') ?? '') ?? [];
    return {
        os: unquoted(value('ID')),
        osVersion: unquoted(value('VERSION_ID')),
        tcpdump: path === undefined ? undefined : { path, version: version.replace(/^tcpdump version /, '') },
        toolbox: value('toolbox'),
        toolboxTrees: values('tree'),
        root,
        spools: values('spool').flatMap(parseSpool),
        bootId: value('boot'),
        clockSeconds: Number(clock),
    };
}
/** Key and value of each line. The node is not trusted: what it says goes to the log and to errors. */
function factsIn(text) {
    const lines = [...text.matchAll(/^fact (.*)$/gm)].slice(0, maxFactCount);
    return lines.map(([, line = '']) => {
        const [, key = '', value = ''] = /^(\w+)[ =](.*)$/.exec(line) ?? [];
        return [key, (0,remote_text/* toOneLine */.GX)(value, maxFactCharacters)];
    });
}
function parseSpool(line) {
    const [, block, available, total, fileSystem = '', directory = ''] = /^(\d{1,15}) (\d{1,15}) (\d{1,15}) (\S+) (\/.*)$/.exec(line) ?? [];
    // A file system without a size (such as /proc) holds no files.
    if (block === undefined || Number(total) === 0 || memoryFileSystems.test(fileSystem))
        return [];
    const bytes = (blocks) => Number(block) * Number(blocks);
    return [{ directory, fileSystem, freeBytes: bytes(available), sizeBytes: bytes(total) }];
}
/** os-release(5): values may be quoted. */
function unquoted(value) {
    return value?.replace(/^(["'])(.*)\1$/, '$2');
}

// EXTERNAL MODULE: ./src/capture/payload.ts
var payload = __webpack_require__(24180);
// EXTERNAL MODULE: ./src/capture/scripts/scripts.ts
var scripts = __webpack_require__(69413);
// EXTERNAL MODULE: ./src/capture/recorders/endpoint.ts
var endpoint = __webpack_require__(39061);
// EXTERNAL MODULE: ./src/capture/recorders/start-failure.ts
var start_failure = __webpack_require__(3669);
// EXTERNAL MODULE: external "node:os"
var external_node_os_ = __webpack_require__(48161);
// EXTERNAL MODULE: ./src/common/timeouts.ts
var timeouts = __webpack_require__(79005);
;// CONCATENATED MODULE: ./src/ssh/channel.ts
/** From the end of stdin to the end of the channel: a follower exits at once. */
const closeGraceMs = 1_000;
/** Ends stdin first, because sshd kills no process: those that this action starts end with their stdin. Then it closes the channel. */
function endChannel(channel) {
    const timer = setTimeout(() => channel.close(), closeGraceMs);
    channel.once('close', () => clearTimeout(timer));
    channel.end();
}
/** Resolves when the channel and both of its streams have ended. */
function channelEnd(channel) {
    channel.on('error', () => undefined); // a write to a channel that has just been closed; its close event has the cause
    const stderrClosed = new Promise((resolve) => channel.stderr.once('close', resolve));
    return new Promise((resolve) => {
        channel.once('close', (code, signal) => {
            void stderrClosed.then(() => resolve({ code, signal }));
        });
    });
}

;// CONCATENATED MODULE: ./src/ssh/errors.ts

/** The server shows a host key other than the known one. No key of the user was offered to it; the login is not tried again. */
class HostKeyError extends errors/* ConfigurationError */.j1 {
}
/** The server does not accept the user's key. */
class AuthenticationError extends errors/* ConfigurationError */.j1 {
}
/** The connection, or a command over it, failed; the message has the cause. */
class SshError extends Error {
    name = 'SshError';
}

;// CONCATENATED MODULE: ./src/ssh/command.ts




/**
 * Waits for the end of a process and collects its output.
 * @param name of the program, for errors
 * @param lostReason why the connection was lost, once it is
 * @throws SshError where the process takes too long, writes too much, or the connection is lost meanwhile
 */
async function collectOutput(name, channel, options, lostReason) {
    const { timeoutMs = 30_000 } = options;
    const result = await (0,timeouts/* orTimeout */.TO)(collect(name, channel, options, lostReason), timeoutMs);
    if (result !== timeouts/* timedOut */.iU)
        return result;
    endChannel(channel);
    throw new SshError(`${name} did not end within ${timeoutMs / 1000} s`);
}
function collect(name, channel, { stdin, maxOutputBytes = 1024 * 1024 }, lostReason) {
    return new Promise((resolve, reject) => {
        let sizeBytes = 0;
        const collectInto = (chunks) => (chunk) => {
            if (sizeBytes > maxOutputBytes)
                return;
            sizeBytes += chunk.length;
            if (sizeBytes <= maxOutputBytes)
                chunks.push(chunk);
            else {
                reject(new SshError(`${name} wrote more than ${maxOutputBytes} bytes`));
                endChannel(channel);
            }
        };
        const stdout = [];
        const stderr = [];
        channel.on('data', collectInto(stdout));
        channel.stderr.on('data', collectInto(stderr));
        void channelEnd(channel).then(({ code, signal }) => {
            if (code === undefined) {
                reject(new SshError(`the connection was lost while ${name} ran: ${lostReason() ?? 'the channel was closed'}`));
            }
            const text = (chunks) => Buffer.concat(chunks).toString('utf8');
            resolve({ code: code ?? 128 + signalNumber(signal), stdout: text(stdout), stderr: text(stderr) });
        });
        channel.end(stdin ?? '');
    });
}
function signalNumber(signal) {
    return signal !== undefined && signal in external_node_os_.constants.signals
        ? external_node_os_.constants.signals[signal]
        : 0;
}

// EXTERNAL MODULE: external "node:crypto"
var external_node_crypto_ = __webpack_require__(77598);
;// CONCATENATED MODULE: ./src/ssh/host-keys.ts


/** The signature algorithms for a type of key, in the order of preference; none with SHA-1. */
const algorithmsByType = new Map([
    ['ssh-ed25519', ['ssh-ed25519']],
    ['ecdsa-sha2-nistp256', ['ecdsa-sha2-nistp256']],
    ['ecdsa-sha2-nistp384', ['ecdsa-sha2-nistp384']],
    ['ecdsa-sha2-nistp521', ['ecdsa-sha2-nistp521']],
    ['ssh-rsa', ['rsa-sha2-512', 'rsa-sha2-256']],
]);
/** The host keys that a session accepts: those known beforehand, and after the first login only the one that the server proved. */
class HostKeys {
    #lines;
    #advice;
    #accepted;
    #proven;
    /** @param lines `ssh-ed25519 AAAA\u2026`; []: the first key that is seen is accepted, and pinned for the session */
    constructor(lines, advice) {
        this.#lines = lines;
        this.#advice = advice;
        this.#accepted = lines.map(parseHostKey).filter((key) => algorithmsByType.has(typeOf(key)));
    }
    /** The key of the server as `TYPE BASE64`; undefined until the first login. */
    get proven() {
        return this.#proven && `${typeOf(this.#proven)} ${this.#proven.toString('base64')}`;
    }
    /** Only what the accepted keys can sign: otherwise sshd may show one of its other keys. */
    get algorithms() {
        const types = new Set(this.#accepted.map(typeOf));
        return [...algorithmsByType].flatMap(([type, names]) => (types.size === 0 || types.has(type) ? names : []));
    }
    accepts(key) {
        return this.#accepted.length === 0 || this.#accepted.some((one) => one.equals(key));
    }
    /** From now on only this key is accepted. To be called after the login: only then has the server proven that the key is its own. */
    pin(key) {
        this.#accepted = [key];
        this.#proven = key;
    }
    /** @throws HostKeyError where host keys are known, and none has a supported type */
    requireSupported() {
        if (this.#lines.length === 0 || this.#accepted.length > 0)
            return;
        const types = this.#lines.map((line) => line.split(' ')[0]?.slice(0, 40)).join(', ');
        const { input, hostKeySource, fixes } = this.#advice;
        throw new HostKeyError({
            code: 'E_SSH_HOST_KEYS_UNSUPPORTED',
            input,
            problem: `none of the node's host keys in ${hostKeySource} can be used (${types}); supported are ${[...algorithmsByType.keys()].join(', ')}`,
            fix: fixes.hostKeysUnsupported,
        });
    }
    /** @param shown the key of the server; undefined where it has none of the accepted types */
    mismatch(shown) {
        const known = this.#accepted.map(describeKey).join(', ');
        const seen = shown === undefined ? 'of another type' : describeKey(shown);
        const { input, hostKeySource, fixes } = this.#advice;
        if (this.#proven) {
            return new HostKeyError({
                code: 'E_SSH_HOST_KEY_CHANGED',
                input,
                problem: `the node's host key changed during the run, so another machine may answer in its place: it is ${seen}, it was ${known}. No data was sent to it`,
                fix: fixes.hostKeyChanged,
            });
        }
        return new HostKeyError({
            code: 'E_SSH_HOST_KEY_MISMATCH',
            input,
            problem: `the node's host key is ${seen}, ${hostKeySource} list ${known}. No data was sent to it`,
            fix: fixes.hostKeyUnknown,
        });
    }
}
/** The key of `TYPE BASE64 \u2026` in its wire format; empty where the line has none. */
function parseHostKey(line) {
    const [type = '', base64 = ''] = line.trim().split(/\s+/);
    const key = Buffer.from(base64, 'base64');
    return typeOf(key) === type ? key : Buffer.alloc(0);
}
/** A key begins with the name of its type: RFC 4253, section 6.6. */
function typeOf(key) {
    return key.length < 4 ? '' : key.subarray(4, 4 + Math.min(key.readUInt32BE(0), 64)).toString('latin1');
}
/** The type and the fingerprint, as ssh and gcloud show it. */
function describeKey(key) {
    return `${typeOf(key)} SHA256:${(0,external_node_crypto_.createHash)('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

// EXTERNAL MODULE: ./src/common/with-dirname.ts
var with_dirname = __webpack_require__(29960);
;// CONCATENATED MODULE: ./src/ssh/connection.ts



const channelTimeoutMs = 15_000;
/** From the request to end the connection until it is cut. */
const endTimeoutMs = 1_000;
/** An SSH client on its byte stream, from the start of the login until it is lost. */
class SshConnection {
    client;
    socket;
    #lostReason;
    #onLost;
    constructor(client, socket) {
        this.client = client;
        this.socket = socket;
    }
    /** why the connection is of no more use; undefined while it is */
    get lostReason() {
        return this.#lostReason;
    }
    /** Sets what is called when the connection is lost. */
    onLost(listener) {
        this.#onLost = listener;
    }
    lose(reason) {
        this.#lostReason ??= reason;
        this.#onLost?.();
        this.socket.destroy();
    }
    /** Ends the connection as the protocol has it; one that does not answer is cut. */
    end(reason) {
        const closed = new Promise((resolve) => this.client.once('close', () => resolve()));
        void (0,timeouts/* orTimeout */.TO)(closed, endTimeoutMs).then((result) => {
            if (result === timeouts/* timedOut */.iU)
                this.lose(reason);
        });
        this.client.end();
    }
    /**
     * Starts a command line on a new channel. `attach` is called before the first event of the channel.
     * @param name of the program, for errors
     * @returns what `attach` returns; undefined where the stream had already ended, so that nothing was started
     * @throws SshError
     */
    async exec(line, name, attach) {
        const started = await (0,timeouts/* orTimeout */.TO)(this.#start(line, name, attach), channelTimeoutMs);
        if (started !== timeouts/* timedOut */.iU)
            return started;
        this.lose(`no answer within ${channelTimeoutMs / 1000} s`);
        throw new SshError(`the node did not start ${name} within ${channelTimeoutMs / 1000} s`);
    }
    #start(line, name, attach) {
        return new Promise((resolve, reject) => {
            try {
                this.client.exec(line, (error, channel) => {
                    if (error)
                        reject(new SshError(`the node did not start ${name}: ${this.#lostReason ?? error.message}`));
                    else
                        resolve(attach(channel));
                });
            }
            catch (error) {
                this.lose((0,errors/* messageOf */.bD)(error)); // the stream has ended, and no event has reported it yet
                resolve(undefined);
            }
        });
    }
}

;// CONCATENATED MODULE: ./src/ssh/login.ts




const keepaliveIntervalMs = 10_000;
const maxMissedKeepaliveCount = 3;
const handshakeTimeoutMs = 20_000;
const retryIntervalMs = 3_000;
/**
 * AES-GCM from OpenSSL first: it takes half the CPU time (0.5 s for 200 MB) of ChaCha20, which ssh2 prefers where it has no native add-on.
 */
const ciphers = [
    'aes128-gcm@openssh.com',
    'aes256-gcm@openssh.com',
    'aes256-ctr',
    'aes128-ctr',
    'chacha20-poly1305@openssh.com',
];
/**
 * Logs in to the server. The first login of a session is tried again until the patience ends; a later one is not.
 * @throws HostKeyError, AuthenticationError, SshError, Cancelled, and what `connect` throws
 */
async function logIn(context) {
    const { options, hostKeys, clock } = context;
    const isFirst = hostKeys.proven === undefined;
    const signal = isFirst ? options.signal : undefined;
    const endMs = clock.nowMs() + options.loginPatienceMs;
    for (;;) {
        let refusal;
        try {
            return await tryLogin(context, signal);
        }
        catch (error) {
            if (!(error instanceof RetryableRefusal))
                throw error;
            refusal = error;
        }
        const leftMs = endMs - clock.nowMs();
        if (!isFirst || leftMs <= 0 || context.isClosed())
            throw finalRefusal(options, refusal, isFirst);
        options.onWaiting?.(refusal.message);
        await clock.sleep(Math.min(retryIntervalMs, leftMs), signal).catch((error) => {
            if (!signal?.aborted)
                throw error;
        });
    }
}
/** One attempt. @throws RetryableRefusal where a later one may succeed */
async function tryLogin(context, signal) {
    const { options, hostKeys } = context;
    const [socket, { Client }] = await Promise.all([
        connectUnlessAborted(() => options.connect(), signal),
        (0,with_dirname/* withDirname */.h)(() => __webpack_require__.e(/* import() */ 472).then(__webpack_require__.t.bind(__webpack_require__, 85472, 23))),
    ]);
    const connection = new SshConnection(new Client(), socket);
    try {
        const hostKey = await authenticate(connection, context, signal);
        if (context.isClosed())
            throw new SshError('the SSH session is closed');
        if (hostKey)
            hostKeys.pin(hostKey);
        return connection;
    }
    catch (error) {
        connection.lose((0,errors/* messageOf */.bD)(error));
        throw error;
    }
}
/** @returns the host key that the server has proven to own */
async function authenticate(connection, { options, hostKeys }, signal) {
    const { client, socket } = connection;
    let shownKey;
    const { promise, resolve, reject } = Promise.withResolvers();
    const stopListening = onAbort(signal, () => reject(cancelled()));
    client.once('ready', () => resolve(undefined));
    // ssh2 reports more than one error of one failure: the first is the cause. These listeners also serve after the login.
    client.on('error', (error) => {
        reject(explainLoginError(error, options.user, shownKey, hostKeys));
        connection.lose(error.level === 'client-timeout' ? 'the server does not answer' : error.message);
    });
    client.once('close', () => {
        reject(new RetryableRefusal('the connection was closed during the login', 'connection'));
        connection.lose('the connection was closed');
    });
    try {
        client.connect({
            sock: socket,
            username: options.user,
            privateKey: options.privateKey,
            authHandler: ['publickey'],
            hostVerifier: (key) => {
                shownKey = key;
                return hostKeys.accepts(key);
            },
            algorithms: { serverHostKey: hostKeys.algorithms, cipher: [...ciphers] },
            readyTimeout: handshakeTimeoutMs,
            keepaliveInterval: keepaliveIntervalMs,
            keepaliveCountMax: maxMissedKeepaliveCount,
        });
        await promise;
        return shownKey;
    }
    finally {
        stopListening();
    }
}
/** A stream that opens after the abort is closed again. */
async function connectUnlessAborted(connect, signal) {
    if (signal?.aborted)
        throw cancelled();
    const connecting = connect();
    return new Promise((resolve, reject) => {
        const stopListening = onAbort(signal, () => reject(cancelled()));
        connecting.then((socket) => {
            stopListening();
            if (signal?.aborted)
                socket.destroy();
            resolve(socket);
        }, reject);
    });
}
/** @returns a function that removes the listener */
function onAbort(signal, listener) {
    signal?.addEventListener('abort', listener, { once: true });
    return () => signal?.removeEventListener('abort', listener);
}
function cancelled() {
    return new errors/* Cancelled */.cJ('Cancelled during the SSH login to the node.');
}
/** The server refuses the login now; a later attempt may succeed. */
class RetryableRefusal extends Error {
    /** what was refused or broken */
    subject;
    constructor(message, subject) {
        super(message);
        this.subject = subject;
    }
}
function explainLoginError(error, user, shownKey, hostKeys) {
    if (error.level === 'client-authentication') {
        return new RetryableRefusal(`sshd does not accept the key of ${user} yet`, 'key');
    }
    const isOtherKey = shownKey !== undefined && !hostKeys.accepts(shownKey);
    if (isOtherKey || /no matching host key/.test(error.message))
        return hostKeys.mismatch(shownKey);
    // sshd closes connections while it is restarted (the guest agent does that), or where it has too many that are not logged in.
    if (/before handshake/.test(error.message))
        return new RetryableRefusal('sshd closes the connection', 'connection');
    if (error.level === 'client-timeout') {
        return new SshError(`sshd of the node did not answer within ${handshakeTimeoutMs / 1000} s`);
    }
    return new SshError(`the SSH login to the node failed: ${error.message}`);
}
function finalRefusal({ user, loginPatienceMs, advice }, refusal, isFirst) {
    if (refusal.subject !== 'key')
        return new SshError(`the SSH login to the node failed: ${refusal.message}`);
    const { input, fixes } = advice;
    if (!isFirst) {
        return new AuthenticationError({
            code: 'E_SSH_KEY_NOT_ACCEPTED',
            input,
            problem: `the node no longer accepts the SSH key of ${user}: it has expired or was removed`,
            fix: fixes.keyNoLongerAccepted,
        });
    }
    return new AuthenticationError({
        code: 'E_SSH_KEY_NOT_ACCEPTED',
        input,
        problem: `the node does not accept the SSH key of ${user}, tried for ${Math.round(loginPatienceMs / 1000)} s`,
        fix: fixes.keyNotAccepted,
    });
}

// EXTERNAL MODULE: external "node:timers/promises"
var promises_ = __webpack_require__(58500);
;// CONCATENATED MODULE: ./src/ssh/options.ts

const systemClock = {
    nowMs: () => performance.now(),
    sleep: (ms, signal) => (0,promises_.setTimeout)(ms, undefined, signal ? { signal } : {}),
};

// EXTERNAL MODULE: ./src/common/remote-process.ts + 1 modules
var remote_process = __webpack_require__(38254);
;// CONCATENATED MODULE: ./src/ssh/process.ts


/** ssh2 enlarges the window of the channel with each piece of stderr, also while stdout is paused. */
const maxBufferedBytes = 8 * 1024 * 1024;
/** A long-running process on a channel. Its states: running, closing (the client ends it, or has cut the connection), ended. */
class SshProcess {
    protocol = 'ssh';
    ended;
    #channel;
    #connection;
    #output;
    #resolveEnded;
    #state = 'running';
    /** why the client ended it or cut the connection */
    #cause = '';
    #isSocketPaused = false;
    #closeTimer;
    constructor(channel, connection, handlers) {
        const { promise, resolve } = Promise.withResolvers();
        this.ended = promise;
        this.#resolveEnded = resolve;
        this.#channel = channel;
        this.#connection = connection;
        this.#output = new remote_process/* RemoteOutput */._P(handlers, {
            pause: () => channel.pause(),
            resume: () => this.#resume(),
            fail: (reason) => this.#fail(reason),
        });
        channel.on('data', (chunk) => {
            if (this.#state === 'running')
                this.#output.takeStdout(chunk);
        });
        channel.stderr.on('data', (chunk) => this.#takeStderr(chunk));
        void channelEnd(channel).then((end) => this.#onChannelEnded(end));
        this.#output.watch();
    }
    send(line) {
        if (this.#state !== 'running' || this.#connection.lostReason !== undefined || !this.#channel.writable)
            return false;
        this.#channel.write(`${line}\n`);
        return true;
    }
    close() {
        if (this.#state !== 'running')
            return;
        this.#state = 'closing';
        this.#cause = remote_process/* closedByClient */.Zr;
        endChannel(this.#channel);
        this.#resume();
        // A dead connection does not answer.
        this.#closeTimer = setTimeout(() => this.#end({ code: 1006, reason: this.#cause }), 2 * closeGraceMs);
    }
    #takeStderr(chunk) {
        if (this.#state === 'running')
            this.#output.takeStderr(chunk);
        if (!this.#output.isHeld || this.#channel.readableLength < maxBufferedBytes)
            return;
        this.#isSocketPaused = true;
        this.#connection.socket.pause();
    }
    #resume() {
        this.#channel.resume();
        if (this.#isSocketPaused)
            this.#connection.socket.resume();
        this.#isSocketPaused = false;
    }
    #fail(reason) {
        if (this.#state === 'running')
            this.#state = 'closing';
        this.#cause ||= reason;
        this.#connection.lose(reason);
        this.#resume();
    }
    #onChannelEnded({ code, signal }) {
        const cut = this.#cause || (code === undefined ? (this.#connection.lostReason ?? 'the channel was closed') : '');
        if (cut !== '')
            this.#end({ code: 1006, reason: cut });
        else
            this.#end({ code: 1000, reason: code === null ? `ended by ${signal ?? 'a signal'}` : `exit code ${code}` });
    }
    #end(end) {
        this.#state = 'ended';
        clearTimeout(this.#closeTimer);
        this.#output.end();
        this.#resolveEnded(end);
    }
}

;// CONCATENATED MODULE: ./src/ssh/quote.ts

/** The words as one command line that a POSIX shell splits into the same words again. @throws SshError for a word with a NUL byte */
function quoteForShell(argv) {
    return argv
        .map((word) => {
        if (word.includes('\0'))
            throw new SshError('a word of a command has a NUL byte');
        return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
    })
        .join(' ');
}

;// CONCATENATED MODULE: ./src/ssh/session.ts







/** How often a command is started again where its connection turned out to be lost already. */
const maxStartCount = 3;
/** A session on an SSH server. It connects when it is first used, and again when the connection was lost. */
class SshSession {
    /** No host key was known beforehand: the first one that is seen is pinned. */
    isHostKeyPinned;
    #options;
    #clock;
    #hostKeys;
    #processes = new Set();
    #state = { name: 'idle' };
    constructor(options, clock = systemClock) {
        this.#options = options;
        this.#clock = clock;
        this.#hostKeys = new HostKeys(options.hostKeys, options.advice);
        this.isHostKeyPinned = options.hostKeys.length === 0;
    }
    /** `TYPE BASE64`; undefined until the first login */
    get hostKey() {
        return this.#hostKeys.proven;
    }
    /**
     * Runs argv to its end. No shell expands any of its words.
     * @throws SshError where it takes too long, writes too much, or the connection is lost meanwhile; otherwise as `open`
     */
    async run(argv, options = {}) {
        const { output } = await this.#start(argv, (channel, connection) => ({
            output: collectOutput(argv[0] ?? '', channel, options, () => connection.lostReason),
        }));
        return output;
    }
    /**
     * Starts a long-running process. One without any output for 15 s counts as lost.
     * @throws HostKeyError, AuthenticationError, SshError, Cancelled, and what `connect` throws
     */
    async open(argv, handlers) {
        const process = await this.#start(argv, (channel, connection) => new SshProcess(channel, connection, handlers));
        this.#processes.add(process);
        void process.ended.then(() => this.#processes.delete(process));
        return process;
    }
    /** Ends the connection and the processes on it. The session cannot be used afterwards. */
    close() {
        for (const process of this.#processes)
            process.close();
        const state = this.#state;
        this.#state = { name: 'closed' };
        // A login that is under way ends its connection itself.
        if (state.name === 'connected')
            state.connection.end('the SSH session is closed');
    }
    async #start(argv, attach) {
        const line = quoteForShell(argv);
        for (let count = 1; count <= maxStartCount; count++) {
            const connection = await this.#connect();
            const started = await connection.exec(line, argv[0] ?? '', (channel) => attach(channel, connection));
            if (started)
                return started;
        }
        throw new SshError('each connection to the node is lost as soon as it is made');
    }
    async #connect() {
        switch (this.#state.name) {
            case 'closed':
                throw new SshError('the SSH session is closed');
            case 'connected':
                return this.#state.connection;
            case 'connecting':
                return this.#state.login;
            case 'idle': {
                this.#hostKeys.requireSupported();
                const login = this.#logIn();
                this.#state = { name: 'connecting', login };
                return login;
            }
        }
    }
    async #logIn() {
        try {
            const connection = await logIn({
                options: this.#options,
                hostKeys: this.#hostKeys,
                clock: this.#clock,
                isClosed: () => this.#state.name === 'closed',
            });
            if (this.#state.name === 'closed') {
                connection.end('the SSH session is closed');
                return connection;
            }
            this.#state = connection.lostReason === undefined ? { name: 'connected', connection } : { name: 'idle' };
            connection.onLost(() => {
                if (this.#state.name === 'connected' && this.#state.connection === connection)
                    this.#state = { name: 'idle' };
            });
            return connection;
        }
        catch (error) {
            if (this.#state.name === 'connecting')
                this.#state = { name: 'idle' };
            throw error;
        }
    }
}

;// CONCATENATED MODULE: ./src/capture/recorders/ssh/session.ts



/** A key takes up to a minute to reach a node (the interval of the guest agent, the caches of OS Login). */
const loginPatienceMs = 90_000;
/** Beyond the recorder's longest life: the key must serve clean-up. */
const keyMarginMs = 10 * 60_000;
const commandTimeoutMs = 10_000;
/** argv as root: directly, or with sudo, which must not ask for a password. */
function asRoot(argv) {
    return ['sh', '-c', asRootScript, 'sh', ...argv];
}
/** A command as root. @throws what `session.run` throws */
function runAsRoot(session, argv, { timeoutMs = commandTimeoutMs, stdin = '' } = {}) {
    return session.run(asRoot(argv), { timeoutMs, stdin });
}
/**
 * The SSH session of a recorder, and every login that it has used. States: closed, opening (a login is under way, and all who need the
 * session wait for it) and open. It logs in when it is first needed.
 */
class NodeSession {
    #access;
    #record;
    /** to be revoked in the end: the saved one of the record, and later ones of this process */
    #logins;
    /** undefined in the post step: only main had the private half of the saved login */
    #planned;
    #session;
    /** set while a capture runs */
    onWaiting = () => undefined;
    constructor(access, record, saved, planned) {
        this.#access = access;
        this.#record = record;
        this.#logins = [saved];
        this.#planned = planned;
    }
    /** @throws ConfigurationError, Cancelled */
    open(signal) {
        this.#session ??= this.#logIn(signal).catch((error) => {
            this.#session = undefined;
            throw error;
        });
        return this.#session;
    }
    /** Ends the connection where there is one. The next `open` logs in again. */
    close() {
        void this.#session?.then((session) => session.close(), () => undefined);
        this.#session = undefined;
    }
    /** Revokes every login of the capture. Never rejects. */
    revokeLogins() {
        return Promise.all(this.#logins.map((login) => this.#access.revokeLogin(login)));
    }
    async #logIn(signal) {
        const login = this.#planned ?? (await this.#planAnother());
        const lastUse = Math.max(this.#record.deadlineHereMs, Date.now()) + capture_plan/* maxHoldSeconds */.d0 * 1000;
        const user = await login.grant(new Date(lastUse + keyMarginMs));
        return new SshSession({
            connect: () => login.openTunnel((reason) => this.onWaiting(`the tunnel reconnects (${reason})`)),
            user,
            privateKey: login.privateKey,
            hostKeys: login.hostKeys,
            loginPatienceMs,
            advice: login.sshAdvice,
            onWaiting: (reason) => this.onWaiting(reason),
            ...(signal ? { signal } : {}),
        });
    }
    /** The saved key is of no use in this process, so it is revoked before another one is granted. */
    async #planAnother() {
        const [saved] = this.#logins;
        await this.#access.revokeLogin(saved);
        const login = await this.#access.planLogin(saved);
        this.#logins.push(login.saved);
        return login;
    }
}

;// CONCATENATED MODULE: ./src/capture/recorders/ssh/run-folder.ts










/**
 * Where a node may have room for a spool. Never /tmp, which is memory on COS; /var/tmp first, because Ubuntu's AppArmor profile lets tcpdump
 * write there.
 */
const spoolRoots = ['/var/tmp', '/var/lib'];
/** Everything of a capture is in one folder that only root can read: no other user can put a file into it. */
function runFolderIn(root, captureId) {
    return `${root}/${captureId}.run`;
}
function runFolders(captureId) {
    return spoolRoots.map((root) => runFolderIn(root, captureId));
}
/** Writes the recorder's files to a new run folder and starts it there. @throws NothingRecorded; what the session throws */
async function startRecorder(session, record, made) {
    const { folder, plan, prefix } = made;
    const node = (0,capture_record/* recordedNode */.Zk)(record);
    const created = await runAsRoot(session, ['mkdir', '-m', '700', folder]);
    if (created.code !== 0)
        throw notWritable(`node ${node} cannot create ${folder}`, created);
    for (const [name, text] of Object.entries(filesOf(record, folder, plan))) {
        const argv = ['sh', '-c', writeScript, 'sh', folder, name];
        const written = await runAsRoot(session, argv, { timeoutMs: 20_000, stdin: text });
        if (written.code !== 0)
            throw notWritable(`node ${node} cannot write to ${folder}`, written);
    }
    // By the clocks of the API server and the node, of which one may be wrong: never longer than the capture needs.
    const leftSeconds = Math.min(record.deadlineSeconds - made.nodeTimeSeconds, (0,capture_plan/* maxRunSeconds */.bu)(record.plan));
    const maxSeconds = Math.max(60, leftSeconds) + capture_plan/* maxHoldSeconds */.d0 + 60;
    const limits = [String(maxSeconds), String(plan.heartbeatTimeoutSeconds)];
    const argv = ['sh', '-c', beginScript, 'sh', folder, ...limits, ...prefix];
    const begun = await runAsRoot(session, argv, { timeoutMs: 20_000 });
    if (begun.code !== 0)
        throw notWritable(`the recorder does not start on node ${node}`, begun);
}
function filesOf({ captureId, deadlineSeconds: deadline }, folder, plan) {
    const parameters = (0,payload/* recorderParameters */.f)(captureId, plan, deadline);
    const all = { ...parameters, CAPTURE_ROOT: folder, CAPTURE_STATUS_FILE: `${folder}/status` };
    const lines = Object.entries(all).map(([name, value]) => `${name}=${String(value)}\n`);
    return {
        recorder: scripts/* recorderScript */.OY,
        follower: scripts/* followerScript */.u6,
        parameters: lines.join(''),
        inside: insideScript,
        outside: outsideScript,
    };
}
function notWritable(problem, { stderr, code }) {
    return new start_failure/* NothingRecorded */.GV({
        code: 'E_SPOOL_NOT_WRITABLE',
        input: 'level',
        problem,
        message: (0,remote_text/* sanitizeRemoteText */.lt)(stderr.trim(), 300) || `exit code ${code}`,
        fix: "Check the node's disk, or use `node-method: pod`.",
    });
}
/** Stops the recorder and removes its files. @returns what was not removed, in words; never rejects */
async function removeRecorder(session, record) {
    try {
        const argv = ['sh', '-c', removeScript, 'sh', record.captureId, ...spoolRoots];
        const { code, stderr } = await runAsRoot(session, argv, { timeoutMs: 20_000 });
        return code === 0 ? [] : [filesLeft(record, new Error(stderr.trim() || `exit code ${code}`))];
    }
    catch (error) {
        return [filesLeft(record, error)];
    }
}
/** The files of a recorder that could not be removed because of `error`. */
function filesLeft(record, error) {
    const seconds = record.plan.heartbeatTimeoutSeconds;
    return (`the recorder's files on node ${(0,capture_record/* recordedNode */.Zk)(record)}, which it deletes when it ends by itself after ${seconds} s ` +
        `without contact from the runner (${(0,remote_text/* sanitizeRemoteText */.lt)((0,errors/* messageOf */.bD)(error), 500)})`);
}
/** Never rejects. */
async function recorderState(session, captureId) {
    try {
        const { stdout } = await runAsRoot(await session, ['sh', '-c', stateScript, 'sh', ...runFolders(captureId)]);
        return parseState(stdout);
    }
    catch (error) {
        return { kind: 'unknown', reason: (0,errors/* messageOf */.bD)(error) };
    }
}
function parseState(stdout) {
    const [, word = 'none', status = ''] = /^state (\w+)$([^]*)/m.exec(stdout)?.map((part) => part.trim()) ?? [];
    const message = status.slice(0, endpoint/* maxMessageLength */.s); // the node is not trusted
    switch (word) {
        case 'running':
            return { kind: 'running', imageId: undefined };
        case 'ended':
            return { kind: 'terminated', reason: 'ended', message };
        case 'lost':
            return { kind: 'terminated', reason: 'another process ended the recorder', message };
        case 'gone':
            return { kind: 'gone', reason: 'the node has no files of the capture; it may have been restarted' };
        default:
            return { kind: 'unknown', reason: 'the node does not report the state of the recorder' };
    }
}

// EXTERNAL MODULE: ./src/common/quantities.ts
var quantities = __webpack_require__(22660);
;// CONCATENATED MODULE: ./src/capture/recorders/ssh/tool.ts


/** Of the file system's size: the kubelet evicts pods when less than 10 % is free, 15 % where images are. */
const freeShare = 0.15;
/** the smallest spool on disk that the recorder accepts */
const minSpoolBytes = 4_000_000;
/** argv as root. */
function commandAsRoot(root, argv) {
    return root === 'already' ? argv : ['sudo', '-n', ...argv];
}
/** @throws ConfigurationError where the login cannot become root */
function requireRoot(facts, { fixes }) {
    const { root } = facts;
    if (root !== 'none')
        return { ...facts, root };
    throw new errors/* ConfigurationError */.j1({
        code: 'E_NODE_NO_ROOT',
        input: 'node-method',
        problem: 'the login to the node cannot become root (`sudo -n` fails), which tcpdump needs',
        fix: `${fixes.rootMissing} Or use \`node-method: pod\`.`,
    });
}
/** `image`: of the toolbox, in place of the node's own. @throws ConfigurationError where the node has neither tcpdump nor a toolbox */
function chooseTool(facts, image) {
    if (facts.tcpdump !== undefined)
        return { kind: 'host', ...facts.tcpdump };
    if (facts.toolbox !== undefined)
        return { kind: 'toolbox', path: facts.toolbox, image };
    const system = [facts.os ?? 'unknown system', facts.osVersion].filter(Boolean).join(' ');
    const command = facts.os === 'ubuntu' || facts.os === 'debian' ? ' (`apt-get install tcpdump`)' : '';
    throw new errors/* ConfigurationError */.j1({
        code: 'E_NODE_TOOLS_MISSING',
        input: 'node-method',
        problem: `the node (${system}) has neither tcpdump nor COS's toolbox`,
        fix: `Install tcpdump on the nodes, for example with a DaemonSet${command}, or use \`node-method: pod\`, whose image has it.`,
    });
}
/**
 * Where to record, and how many of `wantedBytes`, so that the kubelet's eviction limits are not reached.
 * @throws ConfigurationError where no disk has room
 */
function chooseSpool(facts, wantedBytes) {
    const enough = facts.spools.find((spool) => usableBytes(spool) >= wantedBytes);
    const [largest] = facts.spools.toSorted((a, b) => usableBytes(b) - usableBytes(a));
    const chosen = enough ?? largest;
    if (chosen !== undefined && usableBytes(chosen) >= Math.min(wantedBytes, minSpoolBytes)) {
        return { directory: chosen.directory, limitBytes: Math.min(wantedBytes, usableBytes(chosen)) };
    }
    const seen = facts.spools.map(({ directory, freeBytes, sizeBytes }) => `${directory} has ${(0,quantities/* formatSize */.Xq)(freeBytes)} of ${(0,quantities/* formatSize */.Xq)(sizeBytes)} free`);
    throw new errors/* ConfigurationError */.j1({
        code: 'E_NODE_DISK_FULL',
        input: 'level',
        problem: `the node's disk has no room for a capture: ${seen.join(', ') || 'no directory on a disk can be written'}`,
        fix: `${freeShare * 100} % of the disk must stay free, or the kubelet evicts pods. ` +
            'Free some of it, or use `level: pod`.',
    });
}
/** What a capture may use of a disk. */
function usableBytes({ freeBytes, sizeBytes }) {
    return Math.floor(freeBytes - sizeBytes * freeShare);
}

// EXTERNAL MODULE: ./src/common/toolbox-image.ts
var toolbox_image = __webpack_require__(83542);
;// CONCATENATED MODULE: ./src/capture/recorders/ssh/toolbox.ts







/** What the default toolbox takes in /var: 2 to 3 GB, and its archive while it is unpacked. */
const toolboxBytes = 5_000_000_000;
// Limits that hold on the node itself, because an SSH channel that ends stops nothing.
const maxPullSeconds = 600;
const maxInstallSeconds = 240;
const maxVersionSeconds = 60;
/** Exit codes of `timeout` (coreutils): the limit has passed; -k was needed, too. */
const timedOutCodes = [124, 137];
/**
 * argv in the toolbox, as root. `--pipe`: without it nspawn gives the command a terminal, which turns \\n into \\r\\n and mixes stderr into stdout.
 * @throws ConfigurationError where `image` is not the name of an image
 */
function toolboxCommand({ root, tool, argv, bind, home = '' }) {
    const toolbox = [tool.path, '--quiet', '--pipe', ...(bind === undefined ? [] : [`--bind=${bind}`])];
    if (tool.image === undefined)
        return commandAsRoot(root, [...toolbox, ...argv]);
    const script = ['sh', '-c', toolboxImageScript, 'sh', home, ...splitImage(tool.image)];
    return commandAsRoot(root, [...script, ...toolbox, ...argv]);
}
/** The file that the two parts are written to is read by a shell. */
function splitImage(image) {
    const parts = (0,toolbox_image/* splitToolboxImage */.d)(image);
    if (parts !== undefined)
        return parts;
    throw new errors/* ConfigurationError */.j1({
        code: 'E_INPUT_INVALID',
        input: 'toolbox-image',
        problem: `${JSON.stringify(image.slice(0, 200))} cannot be the image of the toolbox`,
        fix: `Write it as ${toolbox_image/* toolboxImageForm */.t}.`,
    });
}
/**
 * Makes the toolbox ready with commands of its own: the first one pulls and unpacks an image and reports that on stdout, and only one may run
 * at a time. Installs tcpdump where the image has none.
 * @returns tcpdump's version
 * @throws ConfigurationError where there is no room, no access to the image or the packages, or not enough time
 */
async function prepareToolbox(node, facts, tool, options) {
    const toolbox = new Toolbox(node, facts, tool, options);
    toolbox.requireRoom();
    const isNew = await toolbox.unpack();
    const version = (await toolbox.version()) ?? (await toolbox.install(isNew));
    return version;
}
class Toolbox {
    #node;
    #facts;
    #tool;
    #options;
    #endMs;
    constructor(node, facts, tool, options) {
        this.#node = node;
        this.#facts = facts;
        this.#tool = tool;
        this.#options = options;
        this.#endMs = performance.now() + (options.maxSeconds ?? Infinity) * 1000;
    }
    get #isUnpacked() {
        return this.#facts.toolboxTrees.length > 0;
    }
    requireRoom() {
        const bytes = this.#facts.spools.reduce((most, spool) => Math.max(most, usableBytes(spool)), 0);
        if (this.#isUnpacked || this.#tool.image !== undefined || bytes >= toolboxBytes)
            return;
        throw new errors/* ConfigurationError */.j1({
            code: 'E_NODE_DISK_FULL',
            input: 'node-method',
            problem: `the node has no tcpdump, and its disk has no room for the toolbox (${(0,quantities/* formatSize */.Xq)(toolboxBytes)}; ` +
                `${(0,quantities/* formatSize */.Xq)(bytes)} can be used)`,
            fix: 'Set `toolbox-image` to a small image that has tcpdump, or use `node-method: pod`.',
        });
    }
    /** @returns whether the toolbox was unpacked now; undefined where the node does not report it */
    async unpack() {
        if (!this.#isUnpacked) {
            this.#options.onProgress?.('the node downloads and unpacks its toolbox, which takes minutes');
            this.#options.onLeftover?.(`the toolbox of the node, which was being unpacked to ${toolboxFolder}`);
        }
        let newTrees;
        try {
            const first = await this.#run(['true'], maxPullSeconds);
            if (first.code !== 0)
                throw this.#doesNotStart(first);
        }
        finally {
            newTrees = await this.#newTrees();
            const leftover = `the toolbox of the node, unpacked to ${toolboxFolder}: ${newTrees?.join(', ') ?? ''}`;
            if (newTrees !== undefined)
                this.#options.onLeftover?.(newTrees.length > 0 ? leftover : undefined);
        }
        return newTrees === undefined ? undefined : newTrees.length > 0;
    }
    async version() {
        const { code, stdout, stderr } = await this.#run(['sh', '-c', toolboxVersionScript], maxVersionSeconds);
        return code === 0 ? `${stdout}${stderr}`.split('\n')[0]?.replace(/^tcpdump version /, '') : undefined;
    }
    /** `isNew`: a toolbox that was unpacked now is the leftover, with everything in it */
    async install(isNew) {
        this.#options.onProgress?.('tcpdump is installed into the toolbox');
        const output = await this.#run(['sh', '-c', toolboxInstallScript], maxInstallSeconds);
        const version = await this.version();
        if (version === undefined)
            throw this.#hasNoTcpdump(output);
        if (isNew === false)
            this.#options.onLeftover?.('tcpdump, installed into the toolbox of the node');
        return version;
    }
    async #run(argv, maxSeconds) {
        const { root } = this.#facts;
        const leftSeconds = Math.max(1, Math.ceil((this.#endMs - performance.now()) / 1000));
        const seconds = Math.min(maxSeconds, leftSeconds);
        const command = withTimeout(root, seconds, toolboxCommand({ root, tool: this.#tool, argv }));
        const result = await this.#node.run(command, {
            timeoutMs: (seconds + 30) * 1000,
            maxOutputBytes: 16 * 1024 * 1024,
        });
        if (leftSeconds < maxSeconds && timedOutCodes.includes(result.code))
            throw this.#outOfTime();
        return result;
    }
    /** Folders of toolboxes that were not there when the node was probed; undefined where it does not report them. */
    async #newTrees() {
        const { root, toolboxTrees } = this.#facts;
        const listed = await this.#node.run(commandAsRoot(root, ['ls', toolboxFolder])).catch(() => undefined);
        return listed?.stdout.split('\n').filter((tree) => tree !== '' && !toolboxTrees.includes(tree));
    }
    #doesNotStart(output) {
        return new errors/* ConfigurationError */.j1({
            code: 'E_TOOLBOX_NOT_STARTED',
            input: 'node-method',
            problem: 'the toolbox of the node does not start',
            message: lastLines(output),
            fix: `Check that the node can pull ${this.#tool.image ?? 'the image of its toolbox'}, and that no other toolbox is running. ` +
                `${this.#options.fixes.imageNotPulled} Or use \`node-method: pod\`.`,
        });
    }
    #hasNoTcpdump(output) {
        return new errors/* ConfigurationError */.j1({
            code: 'E_TOOLBOX_TCPDUMP_MISSING',
            input: 'node-method',
            problem: 'the toolbox of the node has no tcpdump, and apt-get cannot install it',
            message: lastLines(output),
            fix: `${this.#options.fixes.internetMissing} ` +
                'Otherwise set `toolbox-image` to an image that has tcpdump, or use `node-method: pod`.',
        });
    }
    #outOfTime() {
        const seconds = Math.max(0, this.#options.maxSeconds ?? 0);
        return new errors/* ConfigurationError */.j1({
            code: 'E_START_TIMEOUT',
            input: 'start-timeout',
            problem: `the toolbox of the node is not ready within the ${seconds} s that are left`,
            fix: 'Raise `start-timeout`: the first toolbox of a node takes minutes. ' +
                'Or set `toolbox-image` to a small image that has tcpdump, or use `node-method: pod`.',
        });
    }
}
/** TERM to nspawn kills what runs inside. */
function withTimeout(root, seconds, argv) {
    const limit = ['timeout', '-k', '10', String(seconds)];
    // sudo passes a signal on only to its own child, so timeout must run below sudo.
    return root === 'sudo' && argv[0] === 'sudo' ? ['sudo', '-n', ...limit, ...argv.slice(2)] : [...limit, ...argv];
}
function lastLines({ code, stdout, stderr }) {
    const lines = (stderr.trim() || stdout.trim()).split('\n').slice(-2).join(' ');
    return (0,remote_text/* toOneLine */.GX)(lines.slice(-300)) || `exit code ${code}`;
}

;// CONCATENATED MODULE: ./src/capture/recorders/ssh/recorder.ts













/** A recorder that is a process on the node, reached by SSH. */
class NodeSshRecorder {
    record;
    endpoint;
    #platform;
    #planned;
    #session;
    /** touched: this process or an earlier one may have put something on the node */
    #node;
    /** what was put there and cannot be removed, in words */
    #leftover;
    /** @throws TypeError for a record of another method */
    constructor(access, record, options = {}) {
        const { planned, mayBeThere = planned === undefined, leftover } = options;
        if (record.method.kind !== 'ssh')
            throw new TypeError(`${record.captureId} is not recorded by SSH`);
        this.record = record;
        this.#platform = access.platform;
        this.#planned = planned;
        this.#session = new NodeSession(access, record, record.method.login, planned);
        this.#node = mayBeThere ? 'touched' : 'untouched';
        this.#leftover = leftover;
        const { captureId } = record;
        this.endpoint = {
            // The environment lets clean-up find a follower whose client is gone while its connection is not.
            open: async (command, handlers) => (await this.#session.open()).open(asRoot(['env', `CAPTURE_NAME=${captureId}`, ...command]), handlers),
            state: async () => this.#node === 'untouched'
                ? { kind: 'gone', reason: 'the node was not touched' }
                : recorderState(this.#session.open(), captureId),
            spoolDirs: runFolders(captureId).map((folder) => `${folder}/${captureId}`),
        };
    }
    check() {
        return this.#planned?.check() ?? Promise.resolve([]);
    }
    async start(events, cancel) {
        this.#session.onWaiting = events.onWaiting;
        const session = await this.#session.open(cancel);
        if (this.#planned)
            events.onCreated(this.#planned.grantText);
        const facts = requireRoot(await probeNode(session, spoolRoots), this.#platform);
        const tool = chooseTool(facts, this.record.plan.toolboxImage);
        const spool = chooseSpool(facts, this.record.plan.spoolLimitBytes);
        this.#node = 'touched';
        events.onTouchingNode();
        const used = await this.#install(session, events, { facts, tool, spool });
        if (cancel.aborted)
            throw new errors/* Cancelled */.cJ((0,methods/* methodOf */.N)(this.record).cancelledBeforeStart);
        const node = (0,capture_record/* recordedNode */.Zk)(this.record);
        events.onCreated(`Started the recorder ${this.record.captureId} on ${node}, with ${used}`);
        this.#warnOfPinnedKey(session, events);
        return (0,start/* awaitStart */.L)(this.endpoint, this.record, events, cancel);
    }
    abandonStart() {
        return this.cleanUp();
    }
    async cleanUp() {
        const files = this.#node === 'touched' ? await this.#removeFiles() : [];
        this.#session.close();
        const logins = await this.#session.revokeLogins();
        const keys = new Set(logins.flatMap(({ leftovers }) => leftovers));
        return {
            leftovers: [...(this.#leftover === undefined ? [] : [this.#leftover]), ...files, ...keys],
            unfinished: files.length > 0 || logins.some(({ isRevoked }) => !isRevoked),
        };
    }
    async #removeFiles() {
        try {
            return await removeRecorder(await this.#session.open(), this.record);
        }
        catch (error) {
            return [filesLeft(this.record, error)];
        }
    }
    /** @returns what records, in words */
    async #install(session, events, { facts, tool, spool }) {
        const { record } = this;
        const folder = runFolderIn(spool.directory, record.captureId);
        let prefix = [];
        let used = `tcpdump ${facts.tcpdump?.version ?? ''} of the node`;
        if (tool.kind === 'toolbox') {
            const version = await prepareToolbox(session, facts, tool, {
                fixes: this.#platform.fixes,
                maxSeconds: this.#secondsForToolbox(),
                onProgress: events.onWaiting,
                onLeftover: (leftover) => this.#saveLeftover(leftover, events),
            });
            prefix = toolboxCommand({ root: 'already', tool, argv: [], bind: folder, home: folder });
            used = `tcpdump ${version} of the toolbox`;
        }
        const filter = await this.#filterFor(session);
        const plan = { ...record.plan, filter, spoolLimitBytes: spool.limitBytes };
        await startRecorder(session, record, { folder, plan, prefix, nodeTimeSeconds: facts.clockSeconds });
        return used;
    }
    /** The deadline does not move: more time would be missing from the duration. */
    #secondsForToolbox() {
        const { deadlineHereMs: deadlineHere, plan } = this.record;
        return Math.floor((deadlineHere - Date.now()) / 1000) - plan.durationSeconds - capture_plan/* slackSeconds */.gP;
    }
    #saveLeftover(leftover, events) {
        this.#leftover = leftover === undefined ? undefined : (0,remote_text/* sanitizeRemoteText */.lt)(leftover, 1_000);
        events.onTouchingNode(this.#leftover);
    }
    /** A capture of the whole node leaves out the SSH connection that carries it. */
    async #filterFor(session) {
        const { method, plan } = this.record;
        if (method.kind !== 'ssh' || !method.whole)
            return plan.filter;
        const { stdout } = await session.run(['sh', '-c', connectionScript]);
        const connection = /^connection ([0-9a-f.:]+ \d+ [0-9a-f.:]+ \d+)$/m.exec(stdout)?.[1];
        return (0,node_filter/* filterWithoutSsh */.dI)({ connection, tunnelRanges: this.#platform.tunnelRanges }, plan.filter);
    }
    #warnOfPinnedKey(session, events) {
        if (!session.isHostKeyPinned)
            return;
        events.onCaution(`node-method: the host key of ${(0,capture_record/* recordedNode */.Zk)(this.record)} is not published, so the one seen first is trusted and pinned for this run: ` +
            `${session.hostKey ?? 'unknown'}. ${this.#planned?.hostKeyFix ?? ''}`.trimEnd());
    }
}


/***/ }),

/***/ 29960:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   h: () => (/* binding */ withDirname)
/* harmony export */ });
/**
 * Loads a CommonJS library that reads `__dirname` while it is loaded. The bundle is an ES module and has no `__dirname`, so a placeholder is
 * defined meanwhile. The value is not used: google-gax would look for gRPC files there, ssh2 for a module that it bundles.
 */
async function withDirname(load) {
    if ('__dirname' in globalThis)
        return load();
    Object.defineProperty(globalThis, '__dirname', { value: '/', configurable: true });
    try {
        return await load();
    }
    finally {
        Reflect.deleteProperty(globalThis, '__dirname');
    }
}


/***/ })

};
