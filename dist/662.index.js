export const id = 662;
export const ids = [662];
export const modules = {

/***/ 60662:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   openRemoteCommand: () => (/* binding */ openRemoteCommand)
/* harmony export */ });
/* harmony import */ var node_https__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(44708);
/* harmony import */ var node_https__WEBPACK_IMPORTED_MODULE_0___default = /*#__PURE__*/__webpack_require__.n(node_https__WEBPACK_IMPORTED_MODULE_0__);
/* harmony import */ var ws__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(52977);
/* harmony import */ var _common_remote_process_js__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(38254);
/* harmony import */ var _common_upgrade_refusal_js__WEBPACK_IMPORTED_MODULE_7__ = __webpack_require__(83608);
/* harmony import */ var _common_url_path_js__WEBPACK_IMPORTED_MODULE_6__ = __webpack_require__(16902);
/* harmony import */ var _api_js__WEBPACK_IMPORTED_MODULE_3__ = __webpack_require__(83074);
/* harmony import */ var _api_errors_js__WEBPACK_IMPORTED_MODULE_4__ = __webpack_require__(86684);
/* harmony import */ var _connection_js__WEBPACK_IMPORTED_MODULE_5__ = __webpack_require__(23060);








/** Channels of the remote command protocol: k8s.io/apimachinery/pkg/util/remotecommand. */
const stdinChannel = 0;
const stdoutChannel = 1;
const stderrChannel = 2;
const statusChannel = 3;
const handshakeTimeoutMs = 10_000;
/** of the whole upgrade: the kubelet may need some seconds to start the process */
const maxHandshakeMs = 30_000;
const refusalTimeoutMs = 5_000;
const maxRefusalLength = 65_536;
const maxPayloadBytes = 16 * 1024 * 1024;
/**
 * Starts a process in a container over the WebSocket of exec, with stdin, stdout and stderr.
 * @throws ApiError with the server's message when the upgrade is refused, ConfigurationError when the server cannot be reached or rejects the credentials
 */
async function openRemoteCommand(connection, command, handlers) {
    const credentials = await (0,_connection_js__WEBPACK_IMPORTED_MODULE_5__/* .credentialsOf */ .YN)(connection);
    const path = execPath(command);
    const exec = new ExecProcess(openSocket(connection, credentials, path), handlers);
    await exec.open((error) => (0,_api_errors_js__WEBPACK_IMPORTED_MODULE_4__/* .unreachable */ .HB)(connection, error, credentials.proxy), (status, text) => {
        if (status === 401)
            credentials.refused?.(); // the next attempt gets new ones
        return (0,_api_errors_js__WEBPACK_IMPORTED_MODULE_4__/* .apiError */ .pb)(status, text, connection, { proxy: credentials.proxy, path });
    });
    return exec;
}
function execPath({ namespace, pod, container, command }) {
    const query = new URLSearchParams({ container, stdin: 'true', stdout: 'true', stderr: 'true' });
    for (const word of command)
        query.append('command', word);
    return `${(0,_common_url_path_js__WEBPACK_IMPORTED_MODULE_6__/* .urlPath */ .L) `/api/v1/namespaces/${namespace}/pods/${pod}/exec`}?${query.toString()}`;
}
/** Keeps no connection, but the TLS session, which makes the handshakes after the first one short. */
const resumingAgent = new node_https__WEBPACK_IMPORTED_MODULE_0__.Agent();
function openSocket({ server }, { headers, tls, agent }, path) {
    return new ws__WEBPACK_IMPORTED_MODULE_1__/* .WebSocket */ .kb(`${server.replace(/^http/, 'ws')}${path}`, ['v5.channel.k8s.io', 'v4.channel.k8s.io'], {
        ..._connection_js__WEBPACK_IMPORTED_MODULE_5__/* .verification */ .Ot,
        ...tls,
        ...(agent ? { agent } : server.startsWith('https:') ? { agent: resumingAgent } : {}),
        headers: { ...headers, 'user-agent': _api_js__WEBPACK_IMPORTED_MODULE_3__/* .userAgent */ .N1 },
        handshakeTimeout: handshakeTimeoutMs,
        maxPayload: maxPayloadBytes,
        perMessageDeflate: false,
        skipUTF8Validation: true,
    });
}
/** One exec connection. Its states: connecting, open, closed. */
class ExecProcess {
    ended;
    #socket;
    #output;
    #state = 'connecting';
    /** what the server reports about the end of the process */
    #status = '';
    /** why the connection was cut, where the client did it or the network failed */
    #cause = '';
    /** the upgrade took too long */
    #late;
    constructor(socket, handlers) {
        this.#socket = socket;
        this.#output = new _common_remote_process_js__WEBPACK_IMPORTED_MODULE_2__/* .RemoteOutput */ ._P(handlers, {
            pause: () => socket.pause(),
            resume: () => socket.resume(),
            fail: (reason) => this.#cut(reason),
            ping: () => socket.ping(),
        });
        this.ended = new Promise((resolve) => {
            socket.once('close', (code) => resolve(this.#onClosed(code)));
        });
        // The first frames may come in the same packet as the answer to the upgrade.
        socket.on('message', (data) => this.#takeFrame(asBuffer(data)));
    }
    get protocol() {
        return this.#socket.protocol;
    }
    /** Waits for the upgrade. The arguments make the error of a failed connection, and of an answer that refuses the upgrade. */
    async open(onError, onRefused) {
        // `handshakeTimeout` of ws is a limit on silence: a server that sends its answer byte by byte would never reach it.
        const timer = setTimeout(() => {
            this.#late = new Error(`no answer within ${maxHandshakeMs / 1000} s`);
            this.#socket.terminate();
        }, maxHandshakeMs);
        await this.#upgrade(onError, onRefused).finally(() => clearTimeout(timer));
    }
    #upgrade(onError, onRefused) {
        const socket = this.#socket;
        return new Promise((resolve, reject) => {
            socket.on('error', (error) => {
                this.#cause ||= error.message;
                reject(onError(this.#late ?? error));
            });
            socket.once('unexpected-response', (_request, response) => {
                void (0,_common_upgrade_refusal_js__WEBPACK_IMPORTED_MODULE_7__/* .readRefusal */ .n)(response, refusalTimeoutMs, maxRefusalLength).then((text) => {
                    reject(onRefused(response.statusCode ?? 0, text));
                    socket.terminate();
                });
            });
            socket.once('open', () => {
                this.#state = 'open';
                this.#output.watch();
                resolve();
            });
        });
    }
    send(line) {
        if (this.#state !== 'open' || this.#socket.readyState !== ws__WEBPACK_IMPORTED_MODULE_1__/* .WebSocket */ .kb.OPEN)
            return false;
        this.#socket.send(Buffer.concat([Buffer.of(stdinChannel), Buffer.from(`${line}\n`)]));
        return true;
    }
    close() {
        this.#cut(_common_remote_process_js__WEBPACK_IMPORTED_MODULE_2__/* .closedByClient */ .Zr);
    }
    #takeFrame(frame) {
        this.#output.noteActivity();
        const data = frame.subarray(1);
        if (data.length === 0)
            return; // the first frame reports that the stream is established
        const channel = frame[0];
        if (channel === stdoutChannel)
            this.#output.takeStdout(data);
        else if (channel === stderrChannel)
            this.#output.takeStderr(data);
        else if (channel === statusChannel)
            this.#status = statusMessage(data);
    }
    #cut(reason) {
        this.#cause ||= reason;
        this.#socket.terminate();
    }
    #onClosed(code) {
        this.#state = 'closed';
        this.#output.end();
        return { code, reason: this.#cause || this.#status };
    }
}
function asBuffer(data) {
    if (Buffer.isBuffer(data))
        return data;
    return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
}
function statusMessage(data) {
    const text = data.toString('utf8');
    try {
        const status = JSON.parse(text);
        return status.status === 'Success' ? 'the server reports Success' : (status.message ?? text);
    }
    catch {
        return text;
    }
}


/***/ }),

/***/ 83608:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   n: () => (/* binding */ readRefusal)
/* harmony export */ });
/**
 * The body of a response that refuses the upgrade to a WebSocket, as far as it arrives in time, and not much more than `maxLength` UTF-16
 * units of it. Never rejects.
 */
async function readRefusal(response, timeoutMs, maxLength) {
    const timer = setTimeout(() => response.destroy(), timeoutMs);
    let text = '';
    try {
        for await (const chunk of response) {
            text += String(chunk);
            if (text.length > maxLength)
                break;
        }
    }
    catch {
        // the text that has arrived is enough
    }
    clearTimeout(timer);
    return text;
}


/***/ })

};
