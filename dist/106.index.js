export const id = 106;
export const ids = [106,828];
export const modules = {

/***/ 69106:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {


// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  openNodeAccess: () => (/* binding */ openNodeAccess),
  planNodeLogin: () => (/* binding */ planNodeLogin),
  relayProxy: () => (/* binding */ relayProxy),
  sshRecorder: () => (/* binding */ sshRecorder)
});

// EXTERNAL MODULE: ./src/proxy.ts
var proxy = __webpack_require__(28903);
// EXTERNAL MODULE: ./src/errors.ts
var errors = __webpack_require__(83916);
// EXTERNAL MODULE: external "node:stream"
var external_node_stream_ = __webpack_require__(57075);
// EXTERNAL MODULE: external "node:timers/promises"
var promises_ = __webpack_require__(58500);
// EXTERNAL MODULE: ./src/google/endpoints.ts
var endpoints = __webpack_require__(28157);
// EXTERNAL MODULE: ./node_modules/ws/wrapper.mjs
var wrapper = __webpack_require__(52977);
;// CONCATENATED MODULE: ./src/google/iap-errors.ts

/** A tunnel that cannot be opened, or is lost. */
class TunnelError extends errors/* ConfigurationError */.j1 {
    /** the relay's close code (from 1000), or the HTTP status (below 1000) of a connection that it refused; undefined: neither came */
    code;
    /** the bare cause, for the log: `4004: reauthentication required`, `ECONNRESET` */
    reason;
    /** a further try may succeed */
    passing;
    constructor(message, about) {
        super(`node-method: ${message}`);
        this.code = about.code;
        this.reason = about.reason;
        this.passing = about.passing;
    }
}
/** Where IAP's connections to an instance come from: cloud.google.com/iap/docs/using-tcp-forwarding. */
const iapRanges = '35.235.240.0/20 (IPv6: 2600:2d00:1:7::/64)';
const otherWay = 'Or capture by a pod on the node: node-method: pod.';
/** Those of a connection that broke (1005, 1006), or of a relay that can be asked again: 4002 while it has not noticed that a connection is gone, 4004 with a new token. */
const passingCodes = new Set([401, 408, 425, 429, 1005, 1006, 4002, 4004]);
/** What a close code or an HTTP status means for the user. Codes: IAP Desktop's SshRelayConstants.cs. */
function refusedTunnel(target, code, words) {
    const reason = `${code < 1000 ? 'HTTP ' : ''}${String(code)}${words === '' ? '' : `: ${words}`}`;
    const passing = passingCodes.has(code) || (code >= 500 && code < 600);
    return new TunnelError(explain(target, code, reason), { code, reason, passing });
}
function explain(target, code, said) {
    const { project, zone, instance } = target;
    const port = String(target.port);
    switch (code) {
        case 4003:
            return (`the IAP relay reaches nothing on port ${port} of ${instance} (${said}). Does sshd listen there, and does the firewall let it in? ` +
                `Allow tcp:${port} from ${iapRanges} to the nodes: ${firewallCommand(target)}. ${otherWay}`);
        case 4033:
            return (`no right to a tunnel to port ${port} of ${instance} (${said}). Grant roles/iap.tunnelResourceAccessor to who this run is: ` +
                `\`gcloud projects add-iam-policy-binding ${project} --role=roles/iap.tunnelResourceAccessor --member=MEMBER\`; ` +
                `a condition on it must allow port ${port}, and iap.googleapis.com must be on in ${project}. A new binding takes some minutes to hold. ${otherWay}`);
        case 4047:
        case 4051:
            return `the IAP relay finds no instance ${instance} in ${zone} of ${project} (${said}). The node may just have been replaced or stopped: run the job again.`;
        case 4001:
            return `the IAP relay no longer knows the session with ${instance} (${said}): the connection was away for too long. Run the job again. ${otherWay}`;
        case 1005:
        case 1006:
            return `the connection to the IAP relay for ${instance} broke (${said}). Does a proxy or a firewall on the way cut it? Run the job again. ${otherWay}`;
        case 401:
            return `the IAP relay does not take the access token (${said}). It has expired, has been revoked, or is of another universe.`;
        case 403:
            return (`a tunnel to ${instance} is refused before IAP looks at rights (${said}): by a proxy on the way, or by a VPC Service Controls perimeter. ` +
                `Let the runner reach the relay (HTTPS_PROXY, NO_PROXY). ${otherWay}`);
        case 404:
            return `the IAP relay knows no zone ${zone}, or there is no relay at its address (${said}). Check IAP_TUNNEL_URL_OVERRIDE where it is set.`;
        case 407:
            return `the proxy on the way to the IAP relay wants other credentials (${said}). Check HTTPS_PROXY.`;
        default:
            return `the IAP relay ends the tunnel to ${instance} (${said}). Run the job again. ${otherWay}`;
    }
}
/** `timeout`: ms */
function silentTunnel(target, timeout) {
    const reason = `no answer within ${String(timeout / 1000)} s`;
    return new TunnelError(`the IAP relay does not reach port ${String(target.port)} of ${target.instance} (${reason}). Most often the firewall drops what comes from IAP: ` +
        `allow tcp:${String(target.port)} from ${iapRanges} to the nodes: ${firewallCommand(target)}. ${otherWay}`, { reason, passing: true });
}
/** `reason`: the network's, such as `connect ECONNREFUSED 192.0.2.1:443` */
function unreachableRelay(host, reason) {
    return new TunnelError(`the IAP relay ${host} cannot be reached (${reason}). Does the runner have a way to it (HTTPS_PROXY, NO_PROXY, a firewall)? ${otherWay}`, { reason, passing: true });
}
/** `elapsed`: ms without a working connection */
function lostTunnel(target, elapsed, last) {
    const seconds = Number((elapsed / 1000).toFixed(1));
    return new TunnelError(`the connection to the IAP relay for ${target.instance} is lost and did not come back in ${String(seconds)} s (${last.reason}). ` +
        `Is the runner's network up? Run the job again. ${otherWay}`, { ...(last.code === undefined ? {} : { code: last.code }), reason: last.reason, passing: false });
}
/** The relay does not keep to the protocol. */
function brokenTunnel(target, reason) {
    return new TunnelError(`the IAP relay for ${target.instance} does not keep to its protocol (${reason}). Is something between the runner and it? Run the job again. ${otherWay}`, { reason, passing: false });
}
function firewallCommand({ project, port }) {
    return `\`gcloud compute firewall-rules create allow-iap-${String(port)} --project=${project} --network=NETWORK --allow=tcp:${String(port)} --source-ranges=35.235.240.0/20\``;
}

;// CONCATENATED MODULE: ./src/google/iap-frames.ts
/**
 * Frames of the SSH Relay protocol, version 4: one in each binary WebSocket message, big-endian, a u16 tag first.
 * Sources: gcloud's api_lib/compute/iap_tunnel_websocket_utils.py, IAP Desktop's Solutions.Iap/Protocol, nassh's relay-protocol.md.
 */
const tags = { connected: 1, reconnected: 2, data: 4, ack: 7, longClose: 10 };
/** bytes; the relay takes no more in one DATA frame */
const maxDataLength = 16_384;
/** bytes: of tag and length before the data */
const dataHeaderLength = 6;
/**
 * Bytes behind a frame are passed over, as gcloud does.
 * @throws RangeError where the message ends before its frame
 */
function readFrame(message) {
    const tag = message.readUInt16BE(0);
    if (tag === tags.data)
        return { kind: 'data', data: bytesAt(message, 2) };
    if (tag === tags.ack)
        return { kind: 'ack', total: message.readBigUInt64BE(2) };
    if (tag === tags.connected)
        return { kind: 'connected', sid: bytesAt(message, 2).toString('latin1') };
    if (tag === tags.reconnected)
        return { kind: 'reconnected', total: message.readBigUInt64BE(2) };
    if (tag === tags.longClose) {
        return { kind: 'long-close', code: message.readUInt32BE(2), reason: bytesAt(message, 6).toString('utf8') };
    }
    return { kind: 'unknown', tag };
}
/** A frame with a copy of `bytes`, at most `maxDataLength` of them. */
function dataFrame(bytes) {
    const frame = Buffer.allocUnsafe(dataHeaderLength + bytes.length);
    frame.writeUInt16BE(tags.data, 0);
    frame.writeUInt32BE(bytes.length, 2);
    bytes.copy(frame, dataHeaderLength);
    return frame;
}
/** `total`: bytes received since the session began */
function ackFrame(total) {
    const frame = Buffer.allocUnsafe(10);
    frame.writeUInt16BE(tags.ack, 0);
    frame.writeBigUInt64BE(BigInt(total), 2);
    return frame;
}
/** The bytes behind a u32 length. */
function bytesAt(message, offset) {
    const start = offset + 4;
    const end = start + message.readUInt32BE(offset);
    if (end > message.length)
        throw new RangeError(`${String(end)} bytes announced, ${String(message.length)} came`);
    return message.subarray(start, end);
}

;// CONCATENATED MODULE: ./src/google/iap-connection.ts




const subprotocol = 'relay.tunnel.cloudproxy.app';
/** The relay checks for it, as gcloud and IAP Desktop show. */
const origin = 'bot:iap-tunneler';
/** Bytes. The relay sends frames of 16 KiB; a later one may send larger ones. */
const longestMessage = 1024 * 1024 + 64;
const closedByInstance = new Set([1000, 4009, 4010]);
/** `take` gets the frames that concern the session, the welcome first; what it throws ends the connection for good. */
function dialRelay(url, token, target, options, timing, take) {
    // @types/ws does not know closeTimeout.
    const settings = {
        ...(options.agent ? { agent: options.agent } : {}),
        ...(options.certificateAuthority === undefined ? {} : { ca: options.certificateAuthority }),
        origin,
        headers: { authorization: `Bearer ${token}`, 'user-agent': 'kubernetes-packet-capture' },
        maxPayload: longestMessage,
        perMessageDeflate: false,
        skipUTF8Validation: true,
        closeTimeout: timing.closeTimeout,
    };
    const socket = new wrapper/* WebSocket */.kb(url, subprotocol, settings);
    const began = performance.now();
    let opened = false;
    let welcomed = false;
    let closing = false;
    let carried = false;
    let failure;
    let longClose;
    let cause = '';
    let unanswered = 0;
    let answersPings = false;
    let pulse;
    const welcome = Promise.withResolvers();
    const ended = Promise.withResolvers();
    const fail = (error) => {
        failure ??= error;
        socket.terminate();
    };
    const timeout = setTimeout(() => fail(silentTunnel(target, timing.openTimeout)), timing.openTimeout);
    const accept = (frame) => {
        if (frame.kind === 'unknown')
            return;
        if (frame.kind === 'long-close') {
            longClose = { code: frame.code, reason: frame.reason };
            return;
        }
        const first = frame.kind === 'connected' || frame.kind === 'reconnected';
        if (first === welcomed)
            throw new RangeError(first ? 'it connects twice' : `${frame.kind} before it has connected`);
        if (first)
            welcomed = true;
        else
            carried = true;
        take(frame);
        if (!first)
            return;
        clearTimeout(timeout);
        socket.ping();
        pulse = setInterval(checkPulse, timing.pingEvery);
        welcome.resolve();
    };
    /** While we hold the sender back nothing is read, no pong either. A relay that never answers a ping is not held to it. */
    const checkPulse = () => {
        if (socket.isPaused || !answersPings)
            unanswered = 0;
        if (unanswered >= 2) {
            cause ||= `no sign of life for ${String((2 * timing.pingEvery) / 1000)} s`;
            socket.terminate();
        }
        else if (socket.readyState === wrapper/* WebSocket */.kb.OPEN) {
            unanswered += 1;
            socket.ping();
        }
    };
    socket.on('open', () => (opened = true));
    socket.on('pong', () => {
        answersPings = true;
        unanswered = 0;
    });
    socket.on('message', (message, binary) => {
        unanswered = 0;
        if (failure)
            return;
        try {
            if (!binary)
                throw new RangeError('it sends text');
            accept(readFrame(message));
        }
        catch (error) {
            fail(brokenTunnel(target, (0,errors/* messageOf */.bD)(error)));
        }
    });
    socket.on('unexpected-response', (_request, response) => {
        void readWords(response).then((words) => fail(refusedTunnel(target, response.statusCode ?? 0, words)));
    });
    socket.on('error', (error) => {
        if (error.code?.startsWith('WS_ERR_'))
            failure ??= brokenTunnel(target, error.message);
        cause ||= (0,errors/* messageOf */.bD)(error);
    });
    socket.once('close', (closeCode, closeReason) => {
        clearTimeout(timeout);
        clearInterval(pulse);
        const code = longClose?.code ?? closeCode;
        const end = () => {
            if (failure)
                return failure;
            if (!opened)
                return unreachableRelay(new URL(url).host, cause);
            if (welcomed && closedByInstance.has(code))
                return undefined;
            return refusedTunnel(target, code, oneLine((longClose?.reason ?? closeReason.toString('utf8')) || cause));
        };
        const reason = end();
        welcome.reject(reason);
        ended.resolve(reason);
    });
    return {
        welcome: welcome.promise,
        ended: ended.promise,
        get buffered() {
            return socket.bufferedAmount;
        },
        get proven() {
            return carried || performance.now() - began > timing.longestDelay;
        },
        send: (frame, taken) => {
            if (socket.readyState === wrapper/* WebSocket */.kb.OPEN)
                socket.send(frame, taken);
        },
        pause: () => {
            if (!closing)
                socket.pause();
        },
        resume: () => {
            if (!socket.isPaused)
                return;
            unanswered = 0;
            socket.resume();
        },
        close: () => {
            closing = true;
            socket.resume();
            if (welcomed)
                socket.close(1000);
            else
                socket.terminate();
        },
    };
}
/** What a refusal says; nothing that it lacks is waited for. */
async function readWords(response) {
    const timer = setTimeout(() => response.destroy(), 2_000);
    let text = '';
    try {
        for await (const chunk of response) {
            text += String(chunk);
            if (text.length > 4096)
                break;
        }
    }
    catch {
        // what has come of it is all there is
    }
    clearTimeout(timer);
    return /<html|<!doctype/i.test(text) ? '' : oneLine(text);
}
/** It ends in the log, whoever wrote it. */
function oneLine(text) {
    return text
        .replace(/[\s\u0000-\u001f\u007f]+/g, ' ')
        .trim()
        .slice(0, 300);
}

;// CONCATENATED MODULE: ./src/google/iap-send-queue.ts

/** A confirmation of the relay's that cannot be. */
class InvalidAck extends Error {
    name = 'InvalidAck';
}
/** What a frame costs besides its bytes: many small writes must not add up unseen. */
const frameOverhead = 256;
/** `limit`: bytes, frames' overhead included, from which on the queue is full */
function createSendQueue(limit) {
    const frames = [];
    let first = 0; // position of the first byte of frames[0]
    let confirmed = 0;
    let handed = 0; // how many of `frames` this connection has had
    let sent = 0; // the furthest position that any connection has had
    let position = 0; // where `handed` ends
    let end = 0;
    const drop = () => {
        const length = (frames.shift()?.length ?? dataHeaderLength) - dataHeaderLength;
        first += length;
        if (handed > 0)
            handed -= 1;
        else
            position = first;
    };
    return {
        add(bytes) {
            for (let start = 0; start < bytes.length; start += maxDataLength) {
                frames.push(dataFrame(bytes.subarray(start, start + maxDataLength)));
            }
            end += bytes.length;
        },
        next() {
            const frame = frames[handed];
            if (!frame)
                return undefined;
            handed += 1;
            position += frame.length - dataHeaderLength;
            sent = Math.max(sent, position);
            return frame;
        },
        confirm(total) {
            if (total > BigInt(sent))
                throw new InvalidAck(`it confirms ${String(total)} bytes of ${String(sent)}`);
            const to = Number(total);
            if (to < confirmed)
                throw new InvalidAck(`it confirms ${String(to)} bytes after ${String(confirmed)}`);
            confirmed = to;
            while (frames[0] && first + frames[0].length - dataHeaderLength <= to)
                drop();
            const [head] = frames;
            if (head && to > first) {
                frames[0] = dataFrame(head.subarray(dataHeaderLength + to - first));
                first = to;
                position = Math.max(position, to);
            }
        },
        rewind() {
            if (confirmed < first) {
                throw new InvalidAck(`it lacks ${String(first - confirmed)} bytes that it has not confirmed for too long`);
            }
            handed = 0;
            position = first;
        },
        forget() {
            while (this.full && handed > 0)
                drop();
        },
        get full() {
            return end - first + frames.length * frameOverhead >= limit;
        },
        get unconfirmed() {
            return end - confirmed;
        },
        get idle() {
            return handed === frames.length;
        },
    };
}

;// CONCATENATED MODULE: ./src/google/iap-tunnel.ts









/** Opening and reconnecting as gcloud does (api_lib/compute/iap_tunnel_websocket.py). */
const defaultTiming = {
    openTimeout: 60_000,
    firstDelay: 1_500,
    longestDelay: 20_000,
    patience: 15 * 60_000,
    pingEvery: 15_000,
    ackDelay: 2_000,
    ackPatience: 10_000,
    closeTimeout: 2_000,
};
/** Bytes received but not confirmed, from which on gcloud confirms; the relay stalls at about 1.5 MB (IAP Desktop's SshRelaySession). */
const ackThreshold = 2 * 16_384;
/** bytes that a slow reader lets pile up here */
const readBuffer = 256 * 1024;
/** bytes on their way to the relay, confirmed by it later */
const sendLimit = 2 * 1024 * 1024;
/**
 * A TCP connection to a port of an instance, through the relay of Identity-Aware Proxy. It outlives lost connections to the relay.
 * The protocol knows no half-close: `end()` hands over what was written, then closes both ways.
 * Resolves when the relay has connected to the port of the instance; what ends the stream later is a TunnelError too.
 * @throws TunnelError, what `token` throws, or the signal's reason
 */
async function openIapTunnel(target, options) {
    const timing = { ...defaultTiming, ...options.timing };
    options.signal?.throwIfAborted();
    const queue = createSendQueue(sendLimit);
    const over = new AbortController();
    let connection;
    let connected = false;
    let sid;
    let received = 0;
    let acked = 0;
    let ackTimer;
    let held = false; // the reader is slower than the relay
    let blockedWrite;
    let patienceTimer;
    let unconfirmedGo = false;
    let ending;
    let atEnd = false;
    const stream = new external_node_stream_.Duplex({
        allowHalfOpen: false,
        readableHighWaterMark: readBuffer,
        ...(options.signal ? { signal: options.signal } : {}),
        read: () => {
            held = false;
            connection?.resume();
        },
        write: (bytes, _encoding, done) => {
            blockedWrite = () => done();
            if (!atEnd)
                queue.add(bytes);
            flush();
            release();
            if (isBlocked())
                patienceTimer ??= setTimeout(letGo, timing.ackPatience);
        },
        final: (done) => {
            if (atEnd)
                return done();
            ending = () => done();
            flush();
        },
        destroy: (error, done) => {
            over.abort();
            clearTimeout(ackTimer);
            clearTimeout(patienceTimer);
            connection?.close();
            void Promise.resolve(connection?.ended).then(() => done(error));
        },
    });
    const isBlocked = () => blockedWrite !== undefined;
    /** Gives the connection what it has not had yet. */
    const flush = () => {
        if (!connected)
            return;
        for (let frame = queue.next(); frame; frame = queue.next()) {
            connection?.send(frame, () => {
                if (unconfirmedGo)
                    letGo();
            });
        }
        // The relay reads our goodbye after all that was written; that it answers says it has.
        if (ending)
            connection?.close();
    };
    /** Takes the next write, where there is room for it. */
    const release = () => {
        if (!blockedWrite || (queue.full && !atEnd))
            return;
        clearTimeout(patienceTimer);
        patienceTimer = undefined;
        const done = blockedWrite;
        blockedWrite = undefined;
        done();
    };
    /** gcloud tolerates a relay that confirms nothing. So what the network has taken goes in the end, and with it the chance to send it again. */
    const letGo = () => {
        if (!blockedWrite)
            return;
        if (connected && !held && connection?.buffered === 0) {
            unconfirmedGo = true;
            queue.forget();
        }
        clearTimeout(patienceTimer);
        patienceTimer = setTimeout(letGo, timing.ackPatience);
        release();
    };
    const confirm = (total) => {
        queue.confirm(total);
        unconfirmedGo = false;
        release();
    };
    const acknowledge = () => {
        clearTimeout(ackTimer);
        ackTimer = undefined;
        if (!connected || acked === received)
            return;
        acked = received;
        connection?.send(ackFrame(received));
    };
    const take = (data) => {
        received += data.length;
        if (received - acked > ackThreshold)
            acknowledge();
        else
            ackTimer ??= setTimeout(acknowledge, timing.ackDelay);
        if (data.length > 0 && !stream.push(data)) {
            held = true;
            connection?.pause();
        }
    };
    const begin = () => {
        connected = true;
        if (held)
            connection?.pause();
        flush();
    };
    /** The frames of a connection that is to begin the session, or to go on with it. */
    const handle = (frame) => {
        if (stream.destroyed)
            return;
        switch (frame.kind) {
            case 'connected':
                if (sid !== undefined)
                    throw new RangeError('it begins another session');
                sid = frame.sid;
                begin();
                break;
            case 'reconnected':
                if (sid === undefined)
                    throw new RangeError('it goes on with a session that never was');
                confirm(frame.total);
                queue.rewind();
                begin();
                break;
            case 'data':
                take(frame.data);
                break;
            case 'ack':
                confirm(frame.total);
        }
    };
    let token = '';
    /** A connection that has answered. `loss`: why there is not the one before. */
    const connect = async (loss) => {
        token = await options.token(loss && wantsToken(loss) ? token : undefined);
        over.signal.throwIfAborted();
        acked = received; // a relay that goes on reads it in the address
        const made = dialRelay(callUrl(options.url, target, sid, received), token, target, options, timing, handle);
        connection = made;
        await made.welcome;
        return made;
    };
    const reconnect = async (loss, outage) => {
        options.reconnecting?.(loss.reason);
        for (let last = loss;;) {
            const wait = outage.attempts === 0 ? 0 : Math.min(timing.firstDelay * 1.1 ** (outage.attempts - 1), timing.longestDelay);
            const elapsed = performance.now() - outage.since;
            if (elapsed + wait > timing.patience)
                throw lostTunnel(target, elapsed, last);
            await (0,promises_.setTimeout)(wait, undefined, { signal: over.signal });
            outage.attempts += 1;
            try {
                return await connect(last);
            }
            catch (error) {
                if (over.signal.aborted)
                    throw error;
                // The token's source may be out of reach for the same reason as the relay is.
                if (!(error instanceof TunnelError))
                    last = new TunnelError(`no token: ${(0,errors/* messageOf */.bD)(error)}`, { reason: (0,errors/* messageOf */.bD)(error), passing: true });
                else if (error.passing)
                    last = error;
                else
                    throw error;
            }
        }
    };
    /** From one connection to the next, until the instance's side closes or we do. */
    const keepUp = async (first) => {
        let outage;
        for (let current = first;;) {
            const loss = await current.ended;
            connected = false;
            if (stream.destroyed)
                return;
            if (loss === undefined || (ending && queue.unconfirmed === 0))
                break;
            if (!loss.passing)
                throw loss;
            if (current.proven)
                outage = undefined;
            outage ??= { since: performance.now(), attempts: 0 };
            current = await reconnect(loss, outage);
        }
        atEnd = true;
        stream.push(null);
        release();
        ending?.();
    };
    const opening = () => { }; // nobody else has the stream yet
    stream.on('error', opening);
    try {
        const first = await connect();
        void keepUp(first).catch((error) => stream.destroy(error));
    }
    catch (error) {
        stream.destroy();
        options.signal?.throwIfAborted();
        throw error;
    }
    stream.off('error', opening);
    return stream;
}
/** The relay asks for another token in a session, or takes none of the old one's. */
function wantsToken({ code }) {
    return code === 4004 || code === 401;
}
/** In the order of gcloud's; without a `sid` a session begins, else it goes on behind `received` bytes. */
function callUrl(base, target, sid, received) {
    const { project, zone, instance, port } = target;
    const newWebsocket = 'True';
    const query = sid === undefined
        ? { project, port: String(port), newWebsocket, zone, instance, interface: target.interface }
        : { sid, ack: String(received), newWebsocket, zone };
    return `${base}/${sid === undefined ? 'connect' : 'reconnect'}?${new URLSearchParams(query).toString()}`;
}
const overrideName = 'IAP_TUNNEL_URL_OVERRIDE';
/**
 * The base of the relay's addresses: `IAP_TUNNEL_URL_OVERRIDE`, which takes what gcloud's --iap-tunnel-url-override does (a bare origin gets `/v4`),
 * else the universe's own.
 * @throws ConfigurationError for a value that is no such URL, and for plain ws beyond loopback: a token travels there
 */
function tunnelUrl(env, universe) {
    const value = env[overrideName];
    if (!value)
        return universe === 'googleapis.com' ? 'wss://tunnel.cloudproxy.app/v4' : `wss://tunnel-cloudproxy.${universe}/v4`;
    const got = `${overrideName}: got ${JSON.stringify(value.slice(0, 200))}`;
    const url = URL.parse(value);
    if (!url || !/^wss?:\/\/[^\s?#@]+$/i.test(value)) {
        throw new errors/* ConfigurationError */.j1(`${got}, takes wss://HOST[:PORT][/PATH], as gcloud's --iap-tunnel-url-override does`);
    }
    if (!(0,endpoints/* isSafe */.IP)(new URL(value.replace(/^ws/i, 'http')))) {
        throw new errors/* ConfigurationError */.j1(`${got}, takes plain ws for a loopback address only (127.0.0.1, [::1], localhost); use wss`);
    }
    const path = url.pathname.replace(/\/+$/, '');
    return `${url.protocol}//${url.host}${path === '' ? '/v4' : path}`;
}

// EXTERNAL MODULE: ./src/google/instance.ts
var google_instance = __webpack_require__(39828);
;// CONCATENATED MODULE: ./src/google/metadata-key.ts


/** One name for all runs, since the account stays on the node when its keys are gone. */
const metadataUser = 'gha-capture';
/** bytes of one value */
const sizeLimit = 262_144;
/** how often a change is tried where others change the metadata at the same time */
const attempts = 10;
/** how often an operation is asked for until it must be done: within 90 s */
const polls = 34;
/**
 * The line by which the guest agent lets a key in until it expires. The JSON has no spaces, the time no fraction and `+0000`:
 * what gcloud writes, and what every version of the agent reads.
 * @param publicKey `ssh-ed25519 AAAA\u2026`, without a comment
 */
function keyEntry(publicKey, expires) {
    const expireOn = expires.toISOString().replace(/\.\d+Z$/, '+0000');
    return `${metadataUser}:${publicKey} google-ssh ${JSON.stringify({ userName: metadataUser, expireOn })}`;
}
/** `value` (undefined: there is none yet) with the entry, without entries of ours that have expired; every other byte as it was. */
function withEntry(value, entry, now) {
    if (value === undefined)
        return entry;
    const [key] = keyAndRest(entry);
    const kept = value
        .split('\n')
        .filter((line) => !isOurs(line) || !(keyAndRest(line)[0] === key || hasExpired(line, now)));
    // Before the end of the last line, if it has one.
    kept.splice(kept.at(-1) === '' ? -1 : kept.length, 0, entry);
    return kept.join('\n');
}
/** `value` without the key, and without entries of ours that have expired. */
function withoutKey(value, publicKey, now) {
    const [, wanted] = publicKey.split(' ');
    return value
        .split('\n')
        .filter((line) => !isOurs(line) || (keyAndRest(line)[0] !== wanted && !hasExpired(line, now)))
        .join('\n');
}
function isOurs(line) {
    return line.startsWith(`${metadataUser}:`) && line.includes(' google-ssh {');
}
/** The base64 of `USER:TYPE BASE64 google-ssh {\u2026}`, and the JSON. */
function keyAndRest(line) {
    const [, key, rest] = /^[^ ]+ ([^ ]+) google-ssh (\{.*\})\s*$/.exec(line) ?? [];
    return [key, rest];
}
function hasExpired(line, now) {
    try {
        const { expireOn } = JSON.parse(keyAndRest(line)[1] ?? '');
        return typeof expireOn === 'string' && Date.parse(expireOn.replace(/([+-]\d\d)(\d\d)$/, '$1:$2')) <= now.getTime();
    }
    catch {
        return false; // not understood: not ours to remove
    }
}
/** Adds the key to the instance's own metadata, never the project's. @throws ConfigurationError that names the cause and the fix */
async function addKey(apis, name, publicKey, expires) {
    const change = (value) => withEntry(value, keyEntry(publicKey, expires), new Date());
    await changeKeys(apis, name, change).catch((error) => {
        throw unchanged(error, name);
    });
}
/**
 * Takes the key out of the instance's metadata; a key that is not there any more is as good.
 * @returns whether the instance is still there
 * @throws ConfigurationError where the key stays
 */
async function removeKey(apis, name, publicKey) {
    const change = (value) => {
        const rest = value === undefined ? undefined : withoutKey(value, publicKey, new Date());
        // The item came with our key: it goes with it.
        return rest === '' && value !== '' && !value?.endsWith('\n') ? undefined : rest;
    };
    try {
        await changeKeys(apis, name, change);
        return true;
    }
    catch (error) {
        if ((0,google_instance/* callFailureOf */.uk)(error)?.status === 404)
            return false;
        throw unchanged(error, name);
    }
}
/** Read, modify, write: setMetadata replaces all items, and is refused (412) where they are not those that were read. */
async function changeKeys(apis, name, change) {
    const client = await apis.instances();
    const target = { project: name.project, zone: name.zone, instance: name.name };
    for (let attempt = 1;; attempt++) {
        const [{ metadata }] = await client.get(target, google_instance/* callOptions */.jp);
        const items = metadata?.items ?? [];
        const before = items.find(({ key }) => key === 'ssh-keys')?.value ?? undefined;
        const after = change(before);
        if (after === before)
            return;
        checkSize(after ?? '', name);
        const kept = after === undefined ? items.filter(({ key }) => key !== 'ssh-keys') : items;
        const changed = kept.map((item) => (item.key === 'ssh-keys' ? { ...item, value: after ?? '' } : item));
        if (before === undefined && after !== undefined)
            changed.push({ key: 'ssh-keys', value: after });
        const metadataResource = { items: changed, ...(metadata?.fingerprint && { fingerprint: metadata.fingerprint }) };
        try {
            const [operation] = await client.setMetadata({ ...target, metadataResource }, google_instance/* callOptions */.jp);
            await operationDone(apis, name, operation.latestResponse);
            return;
        }
        catch (error) {
            if (!isConflict(error) || attempt >= attempts)
                throw error;
            await apis.pause((0.5 + Math.random()) * Math.min(100 * 2 ** attempt, 3_000));
        }
    }
}
function checkSize(value, name) {
    const size = Buffer.byteLength(value);
    if (size <= sizeLimit)
        return;
    throw new errors/* ConfigurationError */.j1(`node-method: the ssh-keys in the metadata of ${(0,google_instance/* describeName */.T_)(name)} have no room for one more ` +
        `(${String(size)} bytes, the limit is ${String(sizeLimit)}). Remove keys that are not needed there, or turn OS Login on.`);
}
class OperationFailed extends Error {
    name = 'OperationFailed';
    conflict;
    constructor(message, conflict = false) {
        super(message);
        this.conflict = conflict;
    }
}
function isConflict(error) {
    return error instanceof OperationFailed ? error.conflict : (0,google_instance/* callFailureOf */.uk)(error)?.status === 412;
}
/** The metadata has changed for the guest when the operation is done, not when it is begun. */
async function operationDone(apis, name, begun) {
    const id = encodeURIComponent(begun.name ?? '');
    const url = apis.endpoints.url('compute', `projects/${name.project}/zones/${name.zone}/operations/${id}`);
    let operation = begun;
    for (let poll = 0; operation.status !== 'DONE'; poll++) {
        if (poll >= polls)
            throw new OperationFailed('the operation does not come to its end');
        await apis.pause(Math.min(200 * 1.5 ** poll, 3_000));
        operation = await apis.call('GET', url);
    }
    const codes = (operation.error?.errors ?? []).map(({ code }) => code ?? '?');
    if (codes.length === 0)
        return;
    const conflict = operation.httpErrorStatusCode === 412 || codes.includes('CONDITION_NOT_MET');
    throw new OperationFailed(`the operation ended in ${codes.join(', ')}`, conflict);
}
function unchanged(error, name) {
    const what = `node-method: the SSH key cannot be changed in the metadata of ${(0,google_instance/* describeName */.T_)(name)}`;
    if (isConflict(error)) {
        return new errors/* ConfigurationError */.j1(`${what}: it was changed by others each of the ${String(attempts)} times it was tried. Run the job again.`);
    }
    const known = [error, error.cause].some((one) => one instanceof OperationFailed || one instanceof errors/* ConfigurationError */.j1);
    return (0,google_instance/* explainCall */.uy)(
    // Another error of the client's may quote the request.
    known || (0,google_instance/* callFailureOf */.uk)(error) ? error : new Error(error.name), what, 'Grant the identity compute.instances.get, compute.instances.setMetadata and compute.zoneOperations.get in the project ' +
        "and roles/iam.serviceAccountUser on the node's service account (docs/terraform), or use node-method: pod.");
}

;// CONCATENATED MODULE: ./src/google/os-login.ts


/**
 * Adds a key to the caller's own OS Login profile, which every node with OS Login that it may enter reads.
 * Resolves when the key is replicated to the region.
 * @returns the name of the user on the nodes
 * @throws ConfigurationError that names the cause and the fix
 */
async function importKey(apis, { account, publicKey }, place, expires) {
    const query = new URLSearchParams({ projectId: place.project, regions: place.region }).toString();
    const url = apis.endpoints.url('oslogin', `v1/${userOf(account)}:importSshPublicKey?${query}`);
    const body = { key: publicKey, expirationTimeUsec: String(expires.getTime() * 1000) };
    const { loginProfile = {} } = await apis
        .call('POST', url, body)
        .catch((error) => {
        throw (0,google_instance/* explainCall */.uy)(error, `service-account: OS Login does not take a key for ${account}`, 'The identity may write only its own profile: is service-account the one that runs this job? ' +
            'It needs roles/compute.osAdminLogin for the node.');
    });
    // A policy of the organisation can refuse keys, and the answer is a success all the same.
    if (fingerprintsOf(loginProfile, publicKey).length === 0) {
        throw new errors/* ConfigurationError */.j1(`service-account: OS Login took the key for ${account} and did not keep it: a policy of the organisation forbids ` +
            'keys in profiles. Have it allow them for this account, or use node-method: pod.');
    }
    const accounts = loginProfile.posixAccounts ?? [];
    const user = (accounts.find((one) => one.primary === true && one.username) ?? accounts[0])?.username;
    if (!user) {
        throw new errors/* ConfigurationError */.j1(`service-account: the OS Login profile of ${account} has no POSIX account in ${place.project}. ` +
            'Grant it roles/compute.osAdminLogin there, or use node-method: pod.');
    }
    return user;
}
/** Takes the key out of the profile; a key that is not there any more is as good. @throws where it stays */
async function deleteKey(apis, { account, publicKey }) {
    const profile = await apis.call('GET', apis.endpoints.url('oslogin', `v1/${userOf(account)}/loginProfile`));
    for (const fingerprint of fingerprintsOf(profile, publicKey)) {
        const url = apis.endpoints.url('oslogin', `v1/${userOf(account)}/sshPublicKeys/${encodeURIComponent(fingerprint)}`);
        await deletePatiently(apis, url);
    }
}
/** The profile is shared by all jobs of the account: two that change it at once are told 409. */
async function deletePatiently(apis, url) {
    for (let attempt = 1;; attempt++) {
        try {
            await apis.call('DELETE', url);
            return;
        }
        catch (error) {
            const status = (0,google_instance/* callFailureOf */.uk)(error)?.status;
            if (status === 404)
                return;
            if (status !== 409 || attempt >= 8)
                throw error;
            await apis.pause((0.5 + Math.random()) * Math.min(100 * 2 ** attempt, 3_000));
        }
    }
}
function userOf(account) {
    return `users/${encodeURIComponent(account)}`;
}
/** Of keys that are the same but for their comment. */
function fingerprintsOf(profile, publicKey) {
    const [, wanted] = publicKey.split(' ');
    return Object.entries(profile.sshPublicKeys ?? {})
        .filter(([, { key }]) => key?.split(/\s+/)[1] === wanted)
        .map(([fingerprint]) => fingerprint);
}

// EXTERNAL MODULE: external "node:crypto"
var external_node_crypto_ = __webpack_require__(77598);
;// CONCATENATED MODULE: ./src/google/login-key.ts

/**
 * An ed25519 key pair in OpenSSH's format (PROTOCOL.key of openssh-portable), which Node's crypto does not write.
 * Not ssh2's: it cuts zero bytes off the front of the public key, which spoils one pair of 256.
 */
function generateLoginKey() {
    const { d = '', x = '' } = (0,external_node_crypto_.generateKeyPairSync)('ed25519').privateKey.export({ format: 'jwk' });
    const type = field('ssh-ed25519');
    const own = Buffer.from(x, 'base64url');
    const publicBlob = Buffer.concat([type, field(own)]);
    const check = (0,external_node_crypto_.randomBytes)(4);
    const halves = Buffer.concat([Buffer.from(d, 'base64url'), own]);
    const secret = Buffer.concat([check, check, type, field(own), field(halves), field('')]);
    const padding = Buffer.from([1, 2, 3, 4, 5, 6, 7]).subarray(0, -secret.length & 7);
    const body = Buffer.concat([
        Buffer.from('openssh-key-v1\0'),
        ...[field('none'), field('none'), field('')], // no cipher, no key derivation, no options of it
        ...[login_key_length(1), field(publicBlob), field(Buffer.concat([secret, padding]))],
    ]);
    const lines = body.toString('base64').match(/.{1,70}/g) ?? [];
    return {
        privateKey: ['-----BEGIN OPENSSH PRIVATE KEY-----', ...lines, '-----END OPENSSH PRIVATE KEY-----', ''].join('\n'),
        publicKey: `ssh-ed25519 ${publicBlob.toString('base64')}`,
    };
}
/** Bytes after their number. */
function field(value) {
    const bytes = Buffer.from(value);
    return Buffer.concat([login_key_length(bytes.length), bytes]);
}
function login_key_length(value) {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value);
    return bytes;
}

;// CONCATENATED MODULE: ./src/google/login.ts





/**
 * How the key will be granted; nothing is contacted.
 * @param principal address of the service account (or user) that the token is of; undefined for a federated principal
 * @throws ConfigurationError where this identity cannot log in to this instance
 */
function planLogin(instance, principal, { publicKey }) {
    const place = { project: instance.project, zone: instance.zone, instance: instance.name, publicKey };
    if (instance.osLogin === 'off')
        return { kind: 'metadata', ...place };
    if (instance.osLogin === 'certificates-required') {
        throw new errors/* ConfigurationError */.j1(`node-method: ${(0,google_instance/* describeName */.T_)(instance)} takes OS Login certificates only (enable-oslogin-certificates), ` +
            'and this action logs in with keys. Use node-method: pod.');
    }
    if (principal === undefined) {
        throw new errors/* ConfigurationError */.j1(`service-account: not set, and ${(0,google_instance/* describeName */.T_)(instance)} has OS Login on, which takes no keys of a federated identity. ` +
            'Set service-account to one with roles/compute.osAdminLogin, or use node-method: pod.');
    }
    return { kind: 'os-login', ...place, account: principal };
}
/**
 * Lets the key in until it expires. It may take a minute until the node knows it.
 * @returns the user to log in as
 * @throws ConfigurationError that names the cause and the fix; the key may be there all the same: revoke the record
 */
async function grantLogin(apis, instance, { publicKey }, record, expires) {
    if (record.kind === 'metadata') {
        await addKey(apis, instance, publicKey, expires);
        return { user: metadataUser };
    }
    const region = instance.zone.replace(/-[^-]*$/, '');
    const key = { account: record.account ?? '', publicKey };
    return { user: await importKey(apis, key, { project: instance.project, region }, expires) };
}
/** Takes the key away, also where it was never granted. Never throws. */
async function revokeLogin(apis, record) {
    const { project, zone, instance, account = '', publicKey } = record;
    const name = { project, zone, name: instance };
    if (record.kind === 'os-login') {
        try {
            await deleteKey(apis, { account, publicKey });
            return { gone: true, remains: [] };
        }
        catch (error) {
            const why = (0,google_instance/* explainCall */.uy)(error, 'it cannot be removed', 'Look at `gcloud compute os-login ssh-keys list`.');
            const key = `the SSH key in the OS Login profile of ${account}, until it expires: ${why.message}`;
            return { gone: false, remains: [key] };
        }
    }
    const user = `the account ${metadataUser} on the node ${instance}`;
    try {
        const there = await removeKey(apis, name, publicKey);
        return { gone: true, remains: there ? [`${user}, without a key`] : [] };
    }
    catch (error) {
        const key = `the SSH key of ${metadataUser} in the metadata of ${(0,google_instance/* describeName */.T_)(name)}, until it expires: ${(0,errors/* messageOf */.bD)(error)}`;
        return { gone: false, remains: [key, user] };
    }
}

// EXTERNAL MODULE: ./src/quantities.ts
var quantities = __webpack_require__(85602);
// EXTERNAL MODULE: ./src/google/toolbox-image.ts
var toolbox_image = __webpack_require__(68844);
;// CONCATENATED MODULE: ./src/google/node-tools.ts



/** Of the file system's size: the kubelet evicts pods when less than 10 % is free, 15 % where images lie. */
const keepFree = 0.15;
/** The least spool on disk that the recorder takes, bytes. */
const leastSpool = 4_000_000;
/** What the default toolbox takes in /var: 2 to 3 GB, and its archive while it is unpacked. */
const toolboxSize = 5_000_000_000;
const toolboxFolder = '/var/lib/toolbox';
/**
 * /var/lib first: only root can write there, so nobody has laid a trap under our name. All lie below /var, which outlives a reboot on COS,
 * where /tmp is memory. Nothing is executed there: COS mounts /var noexec.
 */
const spoolDirectories = ['/var/lib', '/var/cache', '/var/log', '/var/tmp'];
const memoryFileSystems = /^(tmpfs|ramfs|hugetlbfs|devtmpfs|rootfs)$/;
/** One line a fact, each begun by `fact`: a login shell may say things of its own. */
const probeScript = `
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
say() { printf 'fact %s\\n' "$*"; }
while IFS= read -r line; do
  case $line in ID=* | VERSION_ID=*) say "$line" ;; esac
done </etc/os-release
root=
if [ "$(id -u)" = 0 ]; then say root already
elif sudo -n true </dev/null >/dev/null 2>&1; then root='sudo -n'; say root sudo
else say root none; fi
path=$(command -v tcpdump) && say tcpdump "$path" "$(tcpdump --version 2>&1 | head -n 1)"
path=$(command -v toolbox) && say toolbox "$path"
for tree in $($root ls ${toolboxFolder} 2>/dev/null); do say tree "$tree"; done
for place in "$@"; do
  $root test -d "$place" -a -w "$place" || continue
  say spool "$(stat -f -c '%S %a %b %T' "$place")" "$place"
done
read -r boot </proc/sys/kernel/random/boot_id && say boot "$boot"
say clock "$(date +%s)"
`;
/** Looks at the node, in one run. @throws ConfigurationError where it is not a Linux that we know our way about; what `run` throws */
async function probeNode(session, directories = spoolDirectories) {
    const { code, stdout, stderr } = await session.run(['sh', '-c', probeScript, 'sh', ...directories]);
    const facts = parseFacts(stdout);
    if (facts === undefined) {
        const words = (stderr || stdout).replace(/\s+/g, ' ').trim().slice(0, 300);
        throw new errors/* ConfigurationError */.j1(`node-method: the node's shell gives no account of it (exit code ${code}: ${words || 'no words'}). ` +
            'It must be a Linux node (Container-Optimized OS or Ubuntu) whose login gives a POSIX shell. Or use node-method: pod.');
    }
    return facts;
}
function parseFacts(text) {
    const all = [];
    for (const [, line = ''] of text.matchAll(/^fact (.*)$/gm)) {
        const [, key = '', value = ''] = /^(\w+)[ =](.*)$/.exec(line) ?? [];
        all.push([key, value.trim()]);
    }
    const values = (key) => all.filter(([name]) => name === key).map(([, value]) => value);
    const value = (key) => values(key)[0] ?? '';
    const root = value('root');
    if ((root !== 'already' && root !== 'sudo' && root !== 'none') || !/^\d+$/.test(value('clock')))
        return undefined;
    const [, path, version = ''] = /^(\S+) ?(.*)$/.exec(value('tcpdump')) ?? [];
    return {
        os: unquoted(value('ID')),
        osVersion: unquoted(value('VERSION_ID')),
        tcpdump: path === undefined ? undefined : { path, version: version.replace(/^tcpdump version /, '') },
        toolbox: value('toolbox') || undefined,
        toolboxTrees: values('tree'),
        root,
        spools: values('spool').flatMap(parseSpool),
        bootId: value('boot'),
        clock: Number(value('clock')),
    };
}
function parseSpool(line) {
    const [, block, available, total, fileSystem = '', directory = ''] = /^(\d+) (\d+) (\d+) (\S+) (\/.*)$/.exec(line) ?? [];
    // A file system without a size (/proc and its like) holds no files.
    if (block === undefined || Number(total) === 0 || memoryFileSystems.test(fileSystem))
        return [];
    return [{ directory, fileSystem, free: Number(block) * Number(available), size: Number(block) * Number(total) }];
}
/** os-release(5): values may stand in quotes. */
function unquoted(value) {
    return value.replace(/^(["'])(.*)\1$/, '$2');
}
/** How argv is run as root on the node. @throws ConfigurationError where the login may not */
function asRoot(facts, argv) {
    if (facts.root === 'already')
        return argv;
    if (facts.root === 'sudo')
        return ['sudo', '-n', ...argv];
    throw new errors/* ConfigurationError */.j1('node-method: the login to the node may not become root (`sudo -n` is refused), and tcpdump needs it. ' +
        'With OS Login grant roles/compute.osAdminLogin (not osLogin alone). Or use node-method: pod.');
}
/** `image`: for the toolbox, in place of the node's own. @throws ConfigurationError where the node has neither tcpdump nor toolbox */
function chooseTool(facts, image) {
    if (facts.tcpdump !== undefined)
        return { kind: 'host', ...facts.tcpdump };
    if (facts.toolbox !== undefined)
        return { kind: 'toolbox', path: facts.toolbox, image };
    const install = facts.os === 'ubuntu' || facts.os === 'debian' ? ' (`apt-get install tcpdump`, e.g. by a DaemonSet)' : '';
    throw new errors/* ConfigurationError */.j1(`node-method: the node (${facts.os || 'an unknown system'} ${facts.osVersion}) has neither tcpdump nor COS' toolbox. ` +
        `Install tcpdump on it${install}, or use node-method: pod, which brings its own.`);
}
/**
 * Where to record, and how many bytes of the wanted ones, so that the kubelet's eviction limits stay far.
 * @throws ConfigurationError where no disk has room
 */
function chooseSpool(facts, wanted) {
    const room = ({ free, size }) => Math.floor(free - size * keepFree);
    const enough = facts.spools.find((place) => room(place) >= wanted);
    const [most] = facts.spools.toSorted((a, b) => room(b) - room(a));
    const chosen = enough ?? most;
    if (chosen !== undefined && room(chosen) >= Math.min(wanted, leastSpool)) {
        return { directory: chosen.directory, limit: Math.min(wanted, room(chosen)) };
    }
    const seen = facts.spools.map(({ directory, free, size }) => `${directory} has ${(0,quantities/* formatSize */.Xq)(free)} of ${(0,quantities/* formatSize */.Xq)(size)} free`);
    throw new errors/* ConfigurationError */.j1(`level: the node's disk has no room for a capture: ${seen.join(', ') || 'no directory on a disk can be written'}; ` +
        `${keepFree * 100} % of it must stay free, or the kubelet evicts pods. Free some of it, or use level: pod.`);
}
/**
 * argv in the toolbox, as root. `--pipe`: otherwise nspawn gives it a terminal, which turns \\n into \\r\\n and mixes stderr into stdout.
 * `directory` of the host is seen at the same path: the toolbox itself has the host's /var at /media/root/var.
 * `home`, a directory of the host that goes with the capture, takes the file that names the image; else there is one for this run.
 */
function toolboxCommand(facts, tool, argv, directory, home = '') {
    const bind = directory === undefined ? [] : [`--bind=${directory}`];
    const toolbox = [tool.path, '--quiet', '--pipe', ...bind];
    if (tool.image === undefined)
        return asRoot(facts, [...toolbox, ...argv]);
    // toolbox reads its image from a file in HOME only, and root's own must not be touched.
    return asRoot(facts, ['sh', '-c', withImage, 'sh', home, ...splitImage(tool.image), ...toolbox, ...argv]);
}
/** The traps: `timeout` ends this shell and the toolbox below it at once. */
const withImage = `
HOME=$1
if [ -z "$HOME" ]; then
  HOME=$(mktemp -d /run/packet-capture-home-XXXXXX) || exit 1
  trap 'rm -rf "$HOME"' EXIT
  trap 'exit 143' INT TERM HUP
fi
export HOME
printf 'TOOLBOX_DOCKER_IMAGE=%s\\nTOOLBOX_DOCKER_TAG=%s\\n' "$2" "$3" >"$HOME/.toolboxrc"
shift 3
"$@"
exit $?
`;
/** @throws ConfigurationError for what is no name of an image: toolbox' file is read by a shell */
function splitImage(image) {
    const parts = (0,toolbox_image/* splitToolboxImage */.d)(image);
    if (parts !== undefined)
        return parts;
    throw new errors/* ConfigurationError */.j1(`toolbox-image: ${JSON.stringify(image.slice(0, 200))} cannot be the toolbox' image: toolbox takes ${toolbox_image/* toolboxImageForm */.t}.`);
}
/** Bounds of the node's own, s: an SSH channel that ends stops nothing. */
const pullLimit = 600;
const installLimit = 240;
/**
 * Makes the toolbox ready in runs of their own: the first one pulls and unpacks an image and says so on stdout, and only one at a time may
 * run. Installs tcpdump where the image has none.
 * @returns tcpdump's version
 * @throws ConfigurationError where there is no room, no way to the image or to the packages, or not the time
 */
async function prepareToolbox(session, facts, tool, options = {}) {
    const end = performance.now() + (options.seconds ?? Infinity) * 1000;
    const inside = async (argv, most) => {
        const left = Math.max(1, Math.ceil((end - performance.now()) / 1000));
        const seconds = Math.min(most, left);
        const limits = { timeout: (seconds + 30) * 1000, maxOutput: 16 * 1024 * 1024 };
        const finished = await session.run(bounded(facts, seconds, toolboxCommand(facts, tool, argv)), limits);
        if (left < most && (finished.code === timedOut || finished.code === killed))
            throw noTime(options.seconds ?? 0);
        return finished;
    };
    const room = facts.spools.reduce((most, { free, size }) => Math.max(most, free - size * keepFree), 0);
    if (facts.toolboxTrees.length === 0 && tool.image === undefined && room < toolboxSize) {
        throw new errors/* ConfigurationError */.j1(`node-method: the node has no tcpdump, and its disk no room for the toolbox (${(0,quantities/* formatSize */.Xq)(toolboxSize)}; ` +
            `it has ${(0,quantities/* formatSize */.Xq)(Math.max(room, 0))} that can be used). Give a small image with tcpdump by toolbox-image, or use node-method: pod.`);
    }
    if (facts.toolboxTrees.length === 0) {
        options.say?.('the toolbox of the node is fetched and unpacked: this takes minutes');
        options.stays?.(`the toolbox of the node, which was being unpacked to ${toolboxFolder}`);
    }
    let unpacked = [];
    try {
        const warm = await inside(['true'], pullLimit);
        if (warm.code !== 0) {
            throw new errors/* ConfigurationError */.j1(`node-method: the toolbox of the node does not start: ${lastWords(warm)}. Can the node pull ${tool.image ?? 'the image of its toolbox'} ` +
                '(Private Google Access, roles/artifactregistry.reader)? Is another toolbox at work on it? Or use node-method: pod.');
        }
    }
    finally {
        unpacked = await newTrees(session, facts);
        const what = `the toolbox of the node, unpacked to ${toolboxFolder}: ${unpacked?.join(', ') ?? ''}`;
        if (unpacked !== undefined)
            options.stays?.(unpacked.length > 0 ? what : undefined);
    }
    const version = async () => {
        const { code, stdout, stderr } = await inside(['sh', '-c', 'tcpdump --version 2>&1'], 60);
        return code === 0 ? `${stdout}${stderr}`.split('\n')[0]?.replace(/^tcpdump version /, '') : undefined;
    };
    const found = await version();
    if (found !== undefined)
        return found;
    options.say?.('tcpdump is installed into the toolbox');
    const install = 'export DEBIAN_FRONTEND=noninteractive; apt-get -q update && exec apt-get -qy --no-install-recommends install tcpdump';
    const made = await inside(['sh', '-c', install], installLimit);
    const installed = await version();
    if (installed === undefined) {
        throw new errors/* ConfigurationError */.j1(`node-method: the toolbox of the node has no tcpdump, and apt-get installs none: ${lastWords(made)}. ` +
            'The node needs a way to the Internet for that (Cloud NAT). Else give an image with tcpdump by toolbox-image, or use node-method: pod.');
    }
    if (unpacked?.length === 0)
        options.stays?.('tcpdump, installed into the toolbox of the node');
    return installed;
}
/** Of `timeout` (coreutils): its limit has passed; -k was needed, too. */
const timedOut = 124;
const killed = 137;
function noTime(seconds) {
    return new errors/* ConfigurationError */.j1(`start-timeout: the toolbox of the node is not ready within the ${String(Math.max(0, seconds))} s that are left of it. Raise start-timeout: the first toolbox of ` +
        'a node takes minutes. Or give a small image with tcpdump by toolbox-image, or use node-method: pod.');
}
/** Folders of toolboxes that were not there when the node was looked at; undefined where it does not tell. */
async function newTrees(session, facts) {
    const listed = await session.run(asRoot(facts, ['ls', toolboxFolder])).catch(() => undefined);
    return listed?.stdout.split('\n').filter((tree) => tree !== '' && !facts.toolboxTrees.includes(tree));
}
/** TERM to nspawn kills what is inside. */
function bounded(facts, seconds, argv) {
    const [first, ...rest] = argv;
    const limit = ['timeout', '-k', '10', String(seconds)];
    // sudo hands a signal on only to a child of its own, so timeout stands within it.
    return facts.root === 'sudo' && first === 'sudo' ? ['sudo', '-n', ...limit, ...rest.slice(1)] : [...limit, ...argv];
}
function lastWords({ code, stdout, stderr }) {
    const words = (stderr.trim() || stdout.trim()).split('\n').slice(-2).join(' ').replace(/\s+/g, ' ').slice(-300);
    return words || `exit code ${code}`;
}

// EXTERNAL MODULE: external "node:os"
var external_node_os_ = __webpack_require__(48161);
// EXTERNAL MODULE: ./src/lines.ts
var src_lines = __webpack_require__(29488);
// EXTERNAL MODULE: ./src/google/with-dirname.ts
var with_dirname = __webpack_require__(92114);
;// CONCATENATED MODULE: ./src/google/ssh.ts






/** The node shows another host key than it should: never tried again. */
class HostKeyError extends errors/* ConfigurationError */.j1 {
}
/** The node does not take the user's key. */
class AuthenticationError extends errors/* ConfigurationError */.j1 {
}
/** The connection, or a command over it, failed; the message says how. */
class SshError extends Error {
    name = 'SshError';
}
const realClock = {
    now: () => performance.now(),
    sleep: (ms, signal) => (0,promises_.setTimeout)(ms, undefined, signal ? { signal } : {}),
};
const keepaliveInterval = 10_000;
const keepaliveCountMax = 3;
const handshakeTimeout = 20_000;
const channelTimeout = 15_000;
const retryEvery = 3_000;
/** Neither data nor a line, and the follower sends one every 2 s: the connection is dead, whatever TCP says. */
const silenceLimit = 15_000;
const pulseEvery = 5_000;
/** From the end of stdin to the end of the channel: a follower leaves at once. */
const closeGrace = 1_000;
/** ssh2 opens the channel's window again with each piece of stderr, also while nobody takes stdout. */
const mostBuffered = 8 * 1024 * 1024;
/** The signature algorithms for a type of key, in the order of choice; none with SHA-1. */
const algorithmsOf = new Map([
    ['ssh-ed25519', ['ssh-ed25519']],
    ['ecdsa-sha2-nistp256', ['ecdsa-sha2-nistp256']],
    ['ecdsa-sha2-nistp384', ['ecdsa-sha2-nistp384']],
    ['ecdsa-sha2-nistp521', ['ecdsa-sha2-nistp521']],
    ['ssh-rsa', ['rsa-sha2-512', 'rsa-sha2-256']],
]);
/**
 * AES-GCM first, from OpenSSL: half the CPU (0.5 s for 200 MB) of ChaCha20, which ssh2 chooses where it has no native add-on.
 */
const ciphers = [
    'aes128-gcm@openssh.com',
    'aes256-gcm@openssh.com',
    'aes256-ctr',
    'aes128-ctr',
    'chacha20-poly1305@openssh.com',
];
/** A session to a node's sshd. It connects when it is first used, and again when the connection was lost. */
function openSsh(options, clock = realClock) {
    let expected = options.hostKeys.map(parseHostKey).filter((key) => algorithmsOf.has(typeOf(key)));
    let hostKey = '';
    let closed = false;
    /** the login that holds, or is under way; whoever needs one shares it */
    let current;
    let live;
    const commands = new Set();
    const lose = (link, reason) => {
        link.lost ??= reason;
        if (live === link) {
            live = undefined;
            current = undefined;
        }
        link.socket.destroy();
    };
    const connected = () => {
        if (closed)
            return Promise.reject(new SshError('the SSH session is closed'));
        if (options.hostKeys.length > 0 && expected.length === 0)
            return Promise.reject(noUsableKey(options.hostKeys));
        current ??= login().catch((error) => {
            current = undefined;
            throw error;
        });
        return current;
    };
    /** Until the node lets us in, or patience is at its end. */
    const login = async () => {
        const entered = hostKey !== '';
        const signal = entered ? undefined : options.signal;
        const end = clock.now() + options.patience;
        for (;;) {
            let refusal;
            try {
                return await connectOnce(signal);
            }
            catch (error) {
                if (!(error instanceof NotYet))
                    throw error;
                refusal = error;
            }
            const left = end - clock.now();
            if (entered || left <= 0 || closed)
                throw notLetIn(options, refusal, entered);
            options.waiting?.(refusal.message);
            await clock.sleep(Math.min(retryEvery, left), signal).catch((error) => {
                if (!signal?.aborted)
                    throw error;
            });
        }
    };
    const connectOnce = async (signal) => {
        const [socket, { Client }] = await Promise.all([
            unlessAborted(() => options.connect(), signal),
            (0,with_dirname/* withDirname */.h)(() => __webpack_require__.e(/* import() */ 472).then(__webpack_require__.t.bind(__webpack_require__, 85472, 23))),
        ]);
        const link = { client: new Client(), socket, lost: undefined };
        let shown;
        let forget = () => undefined;
        try {
            await new Promise((resolve, reject) => {
                forget = onAbort(signal, () => reject(cancelled()));
                link.client.once('ready', resolve);
                // ssh2 tells more than one error of one failure: the first is the cause.
                link.client.on('error', (error) => {
                    reject(explainLogin(error, options.user, shown, expected, hostKey !== ''));
                    lose(link, error.level === 'client-timeout' ? 'no sign of life' : error.message);
                });
                link.client.once('close', () => {
                    reject(new NotYet('the connection was closed during the login', 'the connection'));
                    lose(link, 'the connection was closed');
                });
                link.client.connect({
                    sock: socket,
                    username: options.user,
                    privateKey: options.privateKey,
                    authHandler: ['publickey'],
                    hostVerifier: (key) => {
                        shown = key;
                        return expected.length === 0 || isAmong(key, expected);
                    },
                    algorithms: { serverHostKey: serverHostKeyAlgorithms(expected), cipher: [...ciphers] },
                    readyTimeout: handshakeTimeout,
                    keepaliveInterval,
                    keepaliveCountMax,
                });
            });
            if (closed)
                throw new SshError('the SSH session is closed');
        }
        catch (error) {
            lose(link, (0,errors/* messageOf */.bD)(error));
            throw error;
        }
        finally {
            forget();
        }
        if (shown !== undefined) {
            // Only now has the server proven that the key is its own.
            expected = [shown];
            hostKey = `${typeOf(shown)} ${shown.toString('base64')}`;
        }
        live = link;
        return link;
    };
    /** A channel on which argv runs; `attach` is called before any of its events. */
    const start = async (argv, attach) => {
        const line = quoteForShell(argv);
        const name = argv[0] ?? '';
        for (let attempt = 1;; attempt++) {
            const link = await connected();
            const begun = await new Promise((resolve, reject) => {
                const timer = setTimeout(() => {
                    reject(new SshError(`the node has not started ${name} within ${channelTimeout / 1000} s`));
                    lose(link, `no answer within ${channelTimeout / 1000} s`);
                }, channelTimeout);
                try {
                    link.client.exec(line, (error, channel) => {
                        clearTimeout(timer);
                        if (error)
                            reject(new SshError(`the node does not start ${name}: ${link.lost ?? error.message}`));
                        else
                            resolve({ value: attach(channel, link) });
                    });
                }
                catch (error) {
                    clearTimeout(timer);
                    lose(link, (0,errors/* messageOf */.bD)(error)); // the socket has ended, and nobody has told us yet
                    resolve('not connected');
                }
            });
            if (begun !== 'not connected')
                return begun.value;
            if (attempt === 3)
                throw new SshError('each connection to the node is lost as soon as it is made');
        }
    };
    return {
        run: async (argv, runOptions = {}) => start(argv, (channel, link) => collect(argv[0] ?? '', channel, runOptions, () => link.lost)),
        async open(argv, handlers) {
            const command = await start(argv, (channel, link) => follow(channel, link, handlers, (reason) => lose(link, reason)));
            commands.add(command);
            void command.ended.then(() => commands.delete(command));
            return command;
        },
        close() {
            closed = true;
            for (const command of commands)
                command.close();
            void current?.then((link) => {
                const timer = setTimeout(() => lose(link, 'the SSH session is closed'), closeGrace);
                link.client.once('close', () => clearTimeout(timer));
                link.client.end();
            }, () => undefined);
        },
        get hostKey() {
            return hostKey;
        },
        pinned: options.hostKeys.length === 0,
    };
}
/** A process to its end, within its bounds. */
function collect(name, channel, { stdin, timeout = 30_000, maxOutput = 1024 * 1024 }, lost) {
    return new Promise((resolve, reject) => {
        let size = 0;
        const giveUp = (text) => {
            clearTimeout(timer);
            reject(new SshError(text));
            endChannel(channel);
        };
        const timer = setTimeout(() => giveUp(`${name} has not ended within ${timeout / 1000} s`), timeout);
        const keep = (chunks) => (chunk) => {
            if (size > maxOutput)
                return;
            size += chunk.length;
            if (size <= maxOutput)
                chunks.push(chunk);
            else
                giveUp(`${name} has said more than ${maxOutput} bytes`);
        };
        const stdout = [];
        const stderr = [];
        channel.on('data', keep(stdout));
        channel.stderr.on('data', keep(stderr));
        void closeOf(channel).then(({ code, signal }) => {
            clearTimeout(timer);
            if (code === undefined)
                reject(new SshError(`the connection was lost while ${name} ran: ${lost() ?? 'closed'}`));
            const text = (chunks) => Buffer.concat(chunks).toString('utf8');
            resolve({ code: code ?? 128 + signalNumber(signal), stdout: text(stdout), stderr: text(stderr) });
        });
        channel.end(stdin ?? '');
    });
}
/** A process that is long at work, its output handed on with backpressure. */
function follow(channel, link, handlers, lose) {
    let lastSign = Date.now();
    let held = 0;
    let stalled = false;
    let cause = '';
    const lines = (0,src_lines/* lineSplitter */.s)((line) => handlers.stderr(line));
    const release = () => {
        channel.resume();
        if (stalled)
            link.socket.resume();
        stalled = false;
    };
    const fail = (reason) => {
        cause ||= reason;
        lose(reason);
        release();
    };
    channel.on('data', (chunk) => {
        lastSign = Date.now();
        if (cause !== '')
            return;
        const drained = handlers.stdout(chunk);
        if (!drained)
            return;
        held += 1;
        channel.pause();
        void drained
            .catch((error) => fail((0,errors/* messageOf */.bD)(error)))
            .finally(() => {
            held -= 1;
            lastSign = Date.now();
            if (held === 0)
                release();
        });
    });
    channel.stderr.on('data', (chunk) => {
        lastSign = Date.now();
        if (cause === '')
            lines.push(chunk);
        if (held === 0 || channel.readableLength < mostBuffered)
            return;
        stalled = true;
        link.socket.pause();
    });
    const pulse = setInterval(() => {
        if (held === 0 && Date.now() - lastSign > silenceLimit)
            fail(`no sign of life for ${silenceLimit / 1000} s`);
    }, pulseEvery);
    pulse.unref(); // a taker that stays busy must not keep this process: the connection does, as long as there is one
    let last;
    let finish = () => undefined;
    const ended = new Promise((resolve) => {
        finish = (end) => {
            clearInterval(pulse);
            clearTimeout(last);
            lines.end();
            resolve(end);
        };
        void closeOf(channel).then(({ code, signal }) => {
            const cut = cause || (code === undefined ? (link.lost ?? 'the channel was closed') : '');
            if (cut !== '')
                finish({ code: 1006, reason: cut });
            else
                finish({ code: 1000, reason: code === null ? `ended by ${signal ?? 'a signal'}` : `exit code ${code}` });
        });
    });
    return {
        protocol: 'ssh',
        send: (line) => {
            if (cause !== '' || link.lost !== undefined || !channel.writable)
                return false;
            channel.write(`${line}\n`);
            return true;
        },
        close: () => {
            if (cause !== '')
                return;
            cause = 'closed by us';
            endChannel(channel);
            release();
            last = setTimeout(() => finish({ code: 1006, reason: cause }), 2 * closeGrace); // a dead connection answers nothing
        },
        ended,
    };
}
/** Stdin first, for that is what our processes end with. */
function endChannel(channel) {
    const timer = setTimeout(() => channel.close(), closeGrace);
    channel.once('close', () => clearTimeout(timer));
    channel.end();
}
/** The end of the channel and of both its streams; without a code the connection was lost, with null a signal has ended the process. */
function closeOf(channel) {
    channel.on('error', () => undefined); // a write to a channel that has just been closed; its close says all there is
    const stderr = new Promise((resolve) => channel.stderr.once('close', resolve));
    return new Promise((resolve) => {
        channel.once('close', (code, signal) => {
            void stderr.then(() => resolve({ code, signal }));
        });
    });
}
function signalNumber(signal) {
    return signal !== undefined && signal in external_node_os_.constants.signals
        ? external_node_os_.constants.signals[signal]
        : 0;
}
/** Words as a POSIX shell reads them back, one by one. */
function quoteForShell(argv) {
    return argv
        .map((word) => {
        if (word.includes('\0'))
            throw new SshError('a word of a command has a NUL byte');
        return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
    })
        .join(' ');
}
/** The way to sshd; one that comes after the end of the wait is closed again. */
async function unlessAborted(connect, signal) {
    if (signal?.aborted)
        throw cancelled();
    const way = connect();
    return new Promise((resolve, reject) => {
        const forget = onAbort(signal, () => reject(cancelled()));
        way.then((socket) => {
            forget();
            if (signal?.aborted)
                socket.destroy();
            resolve(socket);
        }, reject);
    });
}
/** Gives what takes it back. */
function onAbort(signal, act) {
    signal?.addEventListener('abort', act, { once: true });
    return () => signal?.removeEventListener('abort', act);
}
function cancelled() {
    return new errors/* Cancelled */.cJ('Cancelled during the SSH login to the node.');
}
/** A refusal that time may cure. `what` was refused or broken, for the last word. */
class NotYet extends Error {
    what;
    constructor(message, what) {
        super(message);
        this.what = what;
    }
}
function explainLogin(error, user, shown, expected, again) {
    if (error.level === 'client-authentication')
        return new NotYet(`sshd does not take the key of ${user} yet`, 'the key');
    const otherKey = shown !== undefined && expected.length > 0 && !isAmong(shown, expected);
    if (otherKey || /no matching host key/.test(error.message))
        return wrongHostKey(shown, expected, again);
    // A sshd that is being restarted (the guest agent does that), or one with too many at its door.
    if (/before handshake/.test(error.message))
        return new NotYet('sshd closes the connection', 'the connection');
    if (error.level === 'client-timeout') {
        return new SshError(`the node's sshd has not answered within ${handshakeTimeout / 1000} s`);
    }
    return new SshError(`the SSH login to the node failed: ${error.message}`);
}
function notLetIn(options, refusal, again) {
    if (refusal.what !== 'the key')
        return new SshError(`the SSH login to the node failed: ${refusal.message}`);
    if (again) {
        return new AuthenticationError(`node-method: the node no longer takes the SSH key of ${options.user}: it has expired, or somebody has removed it.`);
    }
    return new AuthenticationError(`node-method: the node does not take the SSH key of ${options.user}, also after ${Math.round(options.patience / 1000)} s. ` +
        'With OS Login the account needs roles/compute.osAdminLogin on the instance and roles/iam.serviceAccountUser on its service account; ' +
        'without it the guest agent of the node writes the key, and must run. Or use node-method: pod, which needs no login.');
}
function wrongHostKey(shown, expected, again) {
    const known = expected.map((key) => `${typeOf(key)} ${fingerprint(key)}`).join(', ');
    const seen = shown === undefined ? 'none of that type' : `${typeOf(shown)} ${fingerprint(shown)}`;
    return new HostKeyError(again
        ? `node-method: another machine answers in place of the node: its host key is ${seen}, it was ${known}. Nothing was sent to it. Was the node recreated? Then run again.`
        : `node-method: the node's host key is ${seen}, its guest attributes say ${known}. Nothing was sent to it. ` +
            'Was the key changed after the first boot? Then recreate the node: only then does it publish its keys.');
}
function noUsableKey(hostKeys) {
    const types = hostKeys.map((line) => line.split(' ')[0]?.slice(0, 40)).join(', ');
    return new HostKeyError(`node-method: none of the node's host keys in its guest attributes can be used (${types}). It needs one of ${[...algorithmsOf.keys()].join(', ')}.`);
}
/** The key of `TYPE BASE64 \u2026`, as it goes over the wire; empty where it is none. */
function parseHostKey(line) {
    const [type = '', base64 = ''] = line.trim().split(/\s+/);
    const key = Buffer.from(base64, 'base64');
    return typeOf(key) === type ? key : Buffer.alloc(0);
}
/** A key begins with the name of its type: RFC 4253, 6.6. */
function typeOf(key) {
    return key.length < 4 ? '' : key.subarray(4, 4 + Math.min(key.readUInt32BE(0), 64)).toString('latin1');
}
function isAmong(key, known) {
    return known.some((one) => one.equals(key));
}
/** Only what the known keys can sign: else sshd may show one of its others. */
function serverHostKeyAlgorithms(expected) {
    const types = new Set(expected.map(typeOf));
    return [...algorithmsOf].flatMap(([type, names]) => (types.size === 0 || types.has(type) ? names : []));
}
/** As ssh and gcloud show it. */
function fingerprint(key) {
    return `SHA256:${(0,external_node_crypto_.createHash)('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

// EXTERNAL MODULE: ./src/capture/container.ts
var capture_container = __webpack_require__(38097);
// EXTERNAL MODULE: ./src/capture/foreign.ts
var foreign = __webpack_require__(68850);
// EXTERNAL MODULE: ./src/capture/node-filter.ts
var node_filter = __webpack_require__(54803);
// EXTERNAL MODULE: ./src/capture/scripts.ts
var scripts = __webpack_require__(81386);
// EXTERNAL MODULE: ./src/capture/place.ts
var place = __webpack_require__(78309);
// EXTERNAL MODULE: ./src/capture/start.ts
var start = __webpack_require__(80302);
;// CONCATENATED MODULE: ./src/capture/node-ssh.ts













/** @throws ConfigurationError where the environment names an address that cannot be used */
function openNodeAccess(google, env) {
    return { google, apis: (0,google_instance/* openGoogleApis */.vi)(google, env), relay: tunnelUrl(env, google.universe) };
}
/** The proxy between the runner and the relay. */
async function relayProxy(relay) {
    return (0,proxy/* environmentProxy */.Uw)(relay.replace(/^ws/, 'http'));
}
/** Looks at the node's instance and plans how to log in to it. @throws ConfigurationError */
async function planNodeLogin({ google, apis }, name) {
    const instance = await (0,google_instance/* describeInstance */.xJ)(apis, name);
    if (instance.status !== '' && instance.status !== 'RUNNING') {
        throw new errors/* ConfigurationError */.j1(`node-method: ${(0,google_instance/* describeName */.T_)(name)} is not running (${instance.status}). Capture once its node is ready. Nothing was created.`);
    }
    const key = generateLoginKey();
    return { instance, key, login: planLogin(instance, google.serviceAccount, key) };
}
const sshPort = 22;
/** A key takes up to a minute to reach a node (the guest agent's, OS Login's caches). */
const keyPatience = 90_000;
/** What the relay gets to reach the port of the instance before anything is made, ms: a firewall that drops says nothing. */
const tryPatience = 20_000;
/** Beyond the recorder's longest life, ms: the key must serve the clean-up. */
const keyMargin = 10 * 60_000;
/** Where a node may have room for a spool. Never /tmp, which is memory on COS; /var/tmp first, for there Ubuntu's AppArmor lets tcpdump write. */
const spoolRoots = ['/var/tmp', '/var/lib'];
/**
 * A recorder that is a process on the node, reached by SSH through Identity-Aware Proxy. `planned`: the login of this very process; without it (in
 * the post step) another one is made when it is needed. `earlier`: whether another process may have put something on the node, and what of it stays.
 */
function sshRecorder(access, record, login, planned, earlier = {
    mayBeThere: planned === undefined,
}) {
    const { container } = record;
    const granted = [login];
    let session;
    let events;
    /** whether there may be something of ours on the node: this process put it there, or an earlier one may have */
    let touched = earlier.mayBeThere;
    let stays = earlier.stays;
    const logIn = async (signal) => {
        let plan = planned;
        if (plan === undefined) {
            await revokeLogin(access.apis, login); // main's, of which nobody has the private half any more
            plan = await planNodeLogin(access, { project: login.project, zone: login.zone, name: login.instance });
            granted.push(plan.login);
        }
        const { instance, key } = plan;
        const expires = new Date(Math.max(record.deadlineHere, Date.now()) + capture_container/* mostHold */.pR * 1000 + keyMargin);
        const { user } = await grantLogin(access.apis, instance, key, plan.login, expires);
        const { hostKeys } = instance;
        return openSsh({
            connect: () => openTunnel(access, instance, (reason) => events?.waiting(`the tunnel is made again (${reason})`)),
            user,
            privateKey: key.privateKey,
            hostKeys,
            patience: keyPatience,
            waiting: (reason) => events?.waiting(reason),
            ...(signal ? { signal } : {}),
        });
    };
    const entered = (signal) => {
        session ??= logIn(signal).catch((error) => {
            session = undefined;
            throw error;
        });
        return session;
    };
    const place = {
        // By its environment a follower whose client is gone, but not its connection, is found and ended with the recorder.
        open: async (command, handlers) => (await entered()).open(node_ssh_asRoot(['env', `CAPTURE_NAME=${container}`, ...command]), handlers),
        state: async () => {
            try {
                return readState(await runAsRoot(await entered(), ['sh', '-c', stateScript, 'sh', ...runFolders(container)]));
            }
            catch (error) {
                return { kind: 'unknown', reason: (0,errors/* messageOf */.bD)(error) };
            }
        },
        spools: runFolders(container).map((folder) => `${folder}/${container}`),
    };
    return {
        record,
        place,
        check: async () => {
            if (!planned)
                return [];
            const { instance } = planned;
            const missing = await (0,google_instance/* missingPermissions */.HR)(access.apis, instance, login.kind);
            // A grant with a condition on the port, as docs/terraform/node has it, cannot be asked for: there the relay decides.
            const tunnel = missing.filter(({ permission }) => permission.startsWith('iap.'));
            if (missing.length > tunnel.length)
                throw new errors/* ConfigurationError */.j1(permissionsProblem(access, missing));
            // It takes no key: IAP's answer, the firewall and sshd's are known before anything is made.
            const tried = await openTunnel(access, instance, () => undefined, { openTimeout: tryPatience });
            tried.destroy();
            return [
                ...tunnel.map(({ permission, role }) => `Tunnel: Google does not say that ${permission} is granted (${role}); the relay takes it all the same`),
                `Tunnel: the relay reaches port ${sshPort} of ${instance.name}`,
                `Instance: ${(0,google_instance/* describeName */.T_)(instance)}`,
                login.kind === 'os-login'
                    ? `Login: OS Login, as ${login.account ?? '?'}, by a key of this run that expires`
                    : 'Login: a key of this run in the metadata of the instance, which expires',
                instance.hostKeys.length > 0
                    ? 'Host key: known from the guest attributes of the instance'
                    : 'Host key: not published by the instance; the first one that is seen is held to',
                ...instance.remarks,
            ];
        },
        start: async (told, cancel) => {
            events = told;
            const node = await entered(cancel);
            events.made(login.kind === 'os-login'
                ? `Imported an SSH key into the OS Login profile of ${login.account ?? '?'}`
                : `Added an SSH key to the metadata of ${(0,google_instance/* describeName */.T_)({ ...login, name: login.instance })}`);
            const facts = await probeNode(node, spoolRoots);
            asRoot(facts, []); // or the words why not
            const choice = {
                facts,
                tool: chooseTool(facts, record.plan.toolboxImage),
                spool: chooseSpool(facts, record.plan.spoolLimit),
            };
            touched = true;
            events.touching();
            const tool = await layOut(node, record, choice, events, (what) => {
                stays = what === undefined ? undefined : (0,foreign/* foreignWords */.K)(what, 1_000);
                told.touching(stays);
            });
            if (cancel.aborted)
                throw new errors/* Cancelled */.cJ('The run was cancelled before the recorder had started; the post step removes what is there.');
            events.made(`Started the recorder ${container} on ${record.node}, with ${tool}`);
            if (node.pinned)
                events.caution(`node-method: nobody vouches for the host key of ${record.node} but the tunnel: ${node.hostKey} was taken on first use, and held to. Let the nodes publish theirs (enable-guest-attributes).`);
            return (0,start/* awaitStart */.Lq)(place, record, events, cancel);
        },
        clear: async () => {
            const files = touched
                ? await entered().then((node) => removeFiles(node, record), (error) => [filesStay(record, error)])
                : [];
            void session?.then((node) => node.close(), () => undefined);
            session = undefined;
            const keys = await Promise.all(granted.map((one) => revokeLogin(access.apis, one)));
            return {
                remains: [
                    ...(stays === undefined ? [] : [stays]),
                    ...files,
                    ...new Set(keys.flatMap(({ remains }) => remains)),
                ],
                unfinished: files.length > 0 || keys.some(({ gone }) => !gone),
            };
        },
    };
}
/** @throws TunnelError */
async function openTunnel({ google, relay }, { project, zone, name, interface: networkInterface }, reconnecting, timing = {}) {
    const proxy = await relayProxy(relay);
    return openIapTunnel({ project, zone, instance: name, interface: networkInterface, port: sshPort }, {
        url: relay,
        token: async (refused) => {
            if (refused !== undefined)
                google.refused(refused);
            return (await google.token()).value;
        },
        ...{ reconnecting, timing },
        ...(proxy ? { agent: proxy.agent } : {}),
    });
}
async function removeFiles(node, record) {
    try {
        const argv = ['sh', '-c', removeScript, 'sh', record.container, ...spoolRoots];
        const { code, stderr } = await runAsRoot(node, argv, 20_000);
        return code === 0 ? [] : [filesStay(record, new Error(stderr.trim() || `exit code ${code}`))];
    }
    catch (error) {
        return [filesStay(record, error)];
    }
}
function filesStay({ plan }, error) {
    return `what the recorder has on the node, until it ends by itself after ${plan.ownerTimeout} s and removes it: ${(0,foreign/* foreignWords */.K)((0,errors/* messageOf */.bD)(error), 500)}`;
}
/**
 * The recorder's programs and parameters go to the node, and it begins there, on its own.
 * @param stays told what stays on the node, in place of what it was told before
 * @returns what records, in words
 */
async function layOut(node, record, { facts, tool, spool }, events, stays) {
    const { container, plan, deadline, where } = record;
    const { directory, limit } = spool;
    const folder = `${directory}/${container}.run`;
    let prefix = [];
    let words = `tcpdump ${facts.tcpdump?.version ?? ''} of the node`;
    if (tool.kind === 'toolbox') {
        // What it takes beyond that would be missing from the duration: the deadline stands.
        const seconds = Math.floor((record.deadlineHere - Date.now()) / 1000) - plan.duration - capture_container/* slack */.$;
        const version = await prepareToolbox(node, facts, tool, { seconds, stays, say: (text) => events.waiting(text) });
        prefix = toolboxCommand({ ...facts, root: 'already' }, tool, [], folder, folder);
        words = `tcpdump ${version} of the toolbox`;
    }
    const whole = where.kind === 'ssh' && where.whole;
    const connection = whole ? await sshConnection(node) : '';
    const filter = whole ? (0,node_filter/* filterWithoutSsh */.dI)(connection, plan.filter) : plan.filter;
    const { CAPTURE_FOLLOWER: follower, ...parameters } = (0,capture_container/* recorderParameters */.fM)(container, { ...plan, filter, spoolLimit: limit }, deadline);
    const all = { ...parameters, CAPTURE_ROOT: folder, CAPTURE_WORDS: `${folder}/words` };
    const files = {
        recorder: scripts/* recorderScript */.OY,
        follower: String(follower),
        parameters: Object.entries(all)
            .map(([name, value]) => `${name}=${String(value)}\n`)
            .join(''),
        inside: scripts/* insideScript */.yT,
        outside: scripts/* outsideScript */.Bd,
    };
    const made = await runAsRoot(node, ['mkdir', '-m', '700', folder]);
    if (made.code !== 0) {
        throw new start/* NothingRecorded */.GV(`level: the node ${record.node} takes no folder in ${directory}: ${made.stderr.trim()}.`);
    }
    for (const [name, text] of Object.entries(files)) {
        const written = await runAsRoot(node, ['sh', '-c', writeScript, 'sh', folder, name], 20_000, text);
        if (written.code !== 0) {
            throw new start/* NothingRecorded */.GV(`level: the node ${record.node} takes no files in ${directory}: ${written.stderr.trim()}.`);
        }
    }
    const longest = Math.max(60, deadline - facts.clock) + capture_container/* mostHold */.pR + 60;
    const argv = ['sh', '-c', beginScript, 'sh', folder, String(longest), String(plan.ownerTimeout), ...prefix];
    const begun = await runAsRoot(node, argv, 20_000);
    if (begun.code !== 0) {
        throw new start/* NothingRecorded */.GV(`level: the recorder does not start on ${record.node}: ${begun.stderr.trim()}.`);
    }
    return words;
}
/** All of it lies in one folder that is root's alone: whoever else may write beside it cannot put anything under our names. */
const writeScript = 'umask 077; cat >"$1/$2"';
/** In a session of its own: sshd ends nothing, but a shell's end may. */
const beginScript = 'cd "$1" && shift && name=${PWD##*/} && { CAPTURE_NAME=${name%.run} setsid sh outside "$@" </dev/null >log 2>&1 & } && n=0 && while [ ! -s pid ] && [ $n -lt 50 ]; do sleep 0.1; n=$((n+1)); done; [ -s pid ]';
/** The files are removed by the recorder itself where it runs: it is told, and waited for; then whatever is there goes. */
const removeScript = [
    'name=$1; shift',
    'case $name in packet-capture-?*) ;; *) exit 2 ;; esac; case $name in */*) exit 2 ;; esac',
    'for root; do d=$root/$name.run/$name; [ ! -O "$root/$name.run" ] || [ ! -d "$d" ] || { echo cancelled >"$d/stop"; : >"$d/done"; }; done',
    'n=0; while [ $n -lt 80 ]; do left=; for root; do r=$root/$name.run; [ ! -O "$r" ] || [ ! -s "$r/pid" ] || [ -e "$r/ended" ] || { read -r pid <"$r/pid"; ! kill -0 "$pid" || left=1; }; done 2>/dev/null; [ -n "$left" ] || break; sleep 0.1; n=$((n+1)); done',
    // Where it did not: by what all of its processes have in their environment, those in a toolbox too, which outlive nspawn's SIGKILL.
    'n=0; while pids=$(grep -ls "CAPTURE_NAME=$name" /proc/[0-9]*/environ | cut -d / -f 3) && [ -n "$pids" ] && [ $n -lt 30 ]; do kill -9 $pids 2>/dev/null; sleep 0.1; n=$((n+1)); done',
    'for root; do [ ! -O "$root/$name.run" ] || rm -rf "$root/$name.run"; done',
].join('\n');
/** The line that counts begins with `state`: a login shell may say things of its own. */
const stateScript = 'for r; do [ -O "$r" ] || continue; if [ -e "$r/ended" ]; then echo state ended; cat "$r/words" "$r/log" 2>/dev/null; exit; fi; ' +
    'read -r pid <"$r/pid" && kill -0 "$pid" && { echo state running; exit; }; echo state lost; cat "$r/words" "$r/log"; exit; done 2>/dev/null; echo state gone';
function runFolders(container) {
    return spoolRoots.map((root) => `${root}/${container}.run`);
}
function readState({ stdout }) {
    const [, word, words = ''] = /^state (\w+)$([^]*)/m.exec(stdout)?.map((part) => part.trim()) ?? [];
    const message = words.slice(0, place/* longestMessage */.q); // a node may say anything
    if (word === 'running')
        return { kind: 'running', imageId: '' };
    if (word === 'ended')
        return { kind: 'terminated', reason: 'ended', message };
    if (word === 'lost')
        return { kind: 'terminated', reason: 'the recorder was ended by somebody', message };
    if (word !== 'gone')
        return { kind: 'unknown', reason: 'the node does not say how the recorder is' };
    return { kind: 'gone', reason: 'the node has nothing of the capture: was it restarted?' };
}
/** `CLIENT PORT SERVER PORT` of this connection, as the node sees it; '' where it does not tell. */
async function sshConnection(node) {
    const { stdout } = await node.run(['sh', '-c', 'echo "connection $SSH_CONNECTION"']);
    return /^connection ([0-9a-f.:]+ \d+ [0-9a-f.:]+ \d+)$/m.exec(stdout)?.[1] ?? '';
}
/** As root: at once, or by sudo, which must not ask. */
function node_ssh_asRoot(argv) {
    return ['sh', '-c', 'if [ "$(id -u)" = 0 ]; then exec "$@"; else exec sudo -n -- "$@"; fi', 'sh', ...argv];
}
async function runAsRoot(node, argv, timeout = 10_000, stdin = '') {
    return node.run(node_ssh_asRoot(argv), { timeout, stdin });
}
function permissionsProblem({ google }, missing) {
    const lines = missing.map(({ permission, resource, role }) => `    ${permission} on ${resource} (${role})`);
    return (`node-method: ${google.description} lacks permissions for SSH to the node. Nothing was created.\n${lines.join('\n')}\n` +
        '  docs/terraform/node/main.tf has the roles. Or use node-method: pod.');
}


/***/ }),

/***/ 28157:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   IP: () => (/* binding */ isSafe),
/* harmony export */   gt: () => (/* binding */ googleEndpoints),
/* harmony export */   iR: () => (/* binding */ plainHttpProblem)
/* harmony export */ });
/* harmony import */ var _errors_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(83916);

const services = [
    'container',
    'compute',
    'oslogin',
    'iam',
    'iap',
    'iamcredentials',
    'cloudresourcemanager',
    'gkehub',
    'connectgateway',
    'sts',
];
const defaultUniverse = 'googleapis.com';
/**
 * The variables are gcloud's own (`sts` in the same manner), and so is what they take: an absolute URL with a slash at its end,
 * which stands in place of the service's base URL; a bare origin keeps the path of that base (compute's `/compute/v1/`).
 * @param fallbackUniverse that of a credentials file, where the environment names none
 * @throws ConfigurationError that lists every variable that cannot be used
 */
function googleEndpoints(env, fallbackUniverse = defaultUniverse) {
    const problems = [];
    const universe = readUniverse(env, problems) ?? fallbackUniverse;
    const overrides = new Map();
    for (const service of services) {
        const name = `CLOUDSDK_API_ENDPOINT_OVERRIDES_${service.toUpperCase()}`;
        const value = env[name];
        if (!value)
            continue;
        const problem = overrideProblem(value);
        if (problem)
            problems.push(`${name}: got ${JSON.stringify(value.slice(0, 200))}, ${problem}`);
        else
            overrides.set(service, withBasePath(value, service));
    }
    if (problems.length > 0)
        throw new _errors_js__WEBPACK_IMPORTED_MODULE_0__/* .ConfigurationError */ .j1(problems.join('\n'));
    return {
        universe,
        url: (service, path, region) => {
            const prefix = region === undefined ? '' : `${region}-`;
            return (overrides.get(service) ?? `https://${prefix}${service}.${universe}${basePath(service)}`) + path;
        },
    };
}
function readUniverse(env, problems) {
    for (const name of ['CLOUDSDK_CORE_UNIVERSE_DOMAIN', 'GOOGLE_CLOUD_UNIVERSE_DOMAIN']) {
        const value = env[name];
        if (!value)
            continue;
        if (/^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$/i.test(value))
            return value;
        problems.push(`${name}: got ${JSON.stringify(value.slice(0, 200))}, takes a domain such as ${defaultUniverse}`);
    }
    return undefined;
}
function overrideProblem(value) {
    const url = URL.parse(value);
    if (!url || !/^https?:\/\/[^\s?#@]+\/$/i.test(value)) {
        return 'takes an absolute URL as gcloud does: https://HOST[:PORT]/[PATH/], with a slash at the end';
    }
    return isSafe(url) ? undefined : plainHttpProblem;
}
/** Tokens travel to these addresses. */
const plainHttpProblem = 'takes plain http for a loopback address only (127.0.0.1, [::1], localhost); use https';
function isSafe(url) {
    if (url.protocol === 'https:')
        return true;
    return url.protocol === 'http:' && /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/i.test(url.hostname);
}
function basePath(service) {
    return service === 'compute' ? '/compute/v1/' : '/';
}
function withBasePath(override, service) {
    const url = new URL(override);
    return url.pathname === '/' ? url.origin + basePath(service) : override;
}


/***/ }),

/***/ 39828:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   HR: () => (/* binding */ missingPermissions),
/* harmony export */   T_: () => (/* binding */ describeName),
/* harmony export */   jp: () => (/* binding */ callOptions),
/* harmony export */   parseProviderId: () => (/* binding */ parseProviderId),
/* harmony export */   uk: () => (/* binding */ callFailureOf),
/* harmony export */   uy: () => (/* binding */ explainCall),
/* harmony export */   vi: () => (/* binding */ openGoogleApis),
/* harmony export */   xJ: () => (/* binding */ describeInstance)
/* harmony export */ });
/* harmony import */ var node_timers_promises__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(58500);
/* harmony import */ var node_timers_promises__WEBPACK_IMPORTED_MODULE_0___default = /*#__PURE__*/__webpack_require__.n(node_timers_promises__WEBPACK_IMPORTED_MODULE_0__);
/* harmony import */ var _errors_js__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(83916);
/* harmony import */ var _endpoints_js__WEBPACK_IMPORTED_MODULE_3__ = __webpack_require__(28157);
/* harmony import */ var _transport_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(44750);
/* harmony import */ var _with_dirname_js__WEBPACK_IMPORTED_MODULE_4__ = __webpack_require__(92114);





/** For each call of the instances client: the transport below already tries again. */
const callOptions = { timeout: 60_000, retry: null };
/**
 * The instance that a Kubernetes node is, by `spec.providerID`: `gce://PROJECT/ZONE/NAME`.
 * @param node name of the Kubernetes node, for the message
 * @throws ConfigurationError for a node of another kind
 */
function parseProviderId(providerId, node) {
    const [, project, zone, name] = /^gce:\/\/((?:[a-z0-9.-]+:)?[a-z][a-z0-9-]{4,61})\/([a-z][a-z0-9-]{1,61})\/([a-z](?:[-a-z0-9]{0,61}[a-z0-9])?)$/.exec(providerId ?? '') ?? [];
    if (project !== undefined && zone !== undefined && name !== undefined)
        return { project, zone, name };
    const what = providerId ? `its providerID is ${JSON.stringify(providerId.slice(0, 200))}` : 'it has no providerID';
    throw new _errors_js__WEBPACK_IMPORTED_MODULE_2__/* .ConfigurationError */ .j1(`node-method: ssh, but the node ${JSON.stringify(node)} is not a Compute Engine node: ${what}. ` +
        'Only nodes of GKE (Standard) are entered by SSH; use node-method: pod.');
}
/** @throws ConfigurationError where the environment puts something unusable in the place of a service */
function openGoogleApis(source, env, pause = (duration) => (0,node_timers_promises__WEBPACK_IMPORTED_MODULE_0__.setTimeout)(duration)) {
    const endpoints = (0,_endpoints_js__WEBPACK_IMPORTED_MODULE_3__/* .googleEndpoints */ .gt)(env, source.universe);
    const authorization = async () => `Bearer ${(await source.token()).value}`;
    let client;
    return {
        ...{ endpoints, pause },
        instances: () => (client ??= openInstancesClient(endpoints, authorization)),
        call: async (method, url, body) => {
            const transport = await (0,_transport_js__WEBPACK_IMPORTED_MODULE_1__/* .openTransport */ .g2)();
            const headers = { authorization: await authorization() };
            return (await transport.request({
                ...{ url, method, headers, responseType: 'json' },
                ...(body !== undefined && { data: body }),
            })).data;
        },
    };
}
/** By its own path: the root of the package is 78 MB, one client 9. */
async function openInstancesClient(endpoints, authorization) {
    const transport = await (0,_transport_js__WEBPACK_IMPORTED_MODULE_1__/* .openTransport */ .g2)();
    const { InstancesClient } = await (0,_with_dirname_js__WEBPACK_IMPORTED_MODULE_4__/* .withDirname */ .h)(() => Promise.all(/* import() */[__webpack_require__.e(492), __webpack_require__.e(891)]).then(__webpack_require__.bind(__webpack_require__, 60891)));
    // All that the client asks of its credentials. Its requests so go through the environment's proxy and to the overrides, with bounds.
    const authClient = {
        universeDomain: endpoints.universe,
        getRequestHeaders: async () => new Headers({ authorization: await authorization() }),
        fetch: async (input, init) => {
            const { pathname, search } = new URL(input);
            const headers = new Headers(init.headers);
            headers.set('authorization', await authorization());
            const answer = await transport.request({
                url: endpoints.url('compute', pathname.replace(/^\/compute\/v1\//, '') + search),
                method: init.method,
                headers,
                responseType: 'json',
                ...(init.signal && { signal: init.signal }),
                ...(typeof init.body === 'string' && { body: init.body }),
            });
            return new Response(JSON.stringify(answer.data), { status: answer.status });
        },
    };
    const options = {
        ...{ fallback: true, universeDomain: endpoints.universe, authClient },
        // GOOGLE_SDK_NODE_LOGGING would have it write requests and answers to stderr: with a node's metadata.
        ...{ enableTelemetryLogging: false, enableTelemetryTracing: false },
    };
    const client = new InstancesClient(options);
    Object.defineProperty(client, '_log', { value: { info: () => undefined } });
    return client;
}
/**
 * The failure of a call about a node, in words. `what`: the input, and what could not be done. `fix`: for a refusal; the rest
 * has causes of its own. Nothing of what was sent gets into it: an answer may quote the metadata, so only refusals are quoted.
 */
function explainCall(error, what, fix) {
    if (error instanceof _errors_js__WEBPACK_IMPORTED_MODULE_2__/* .ConfigurationError */ .j1)
        return error;
    const { cause } = error;
    if (cause instanceof _errors_js__WEBPACK_IMPORTED_MODULE_2__/* .ConfigurationError */ .j1)
        return cause; // there is no token: the instances client wraps this too
    const failure = callFailureOf(error);
    if (!failure)
        return new _errors_js__WEBPACK_IMPORTED_MODULE_2__/* .ConfigurationError */ .j1(`${what}: ${(0,_errors_js__WEBPACK_IMPORTED_MODULE_2__/* .messageOf */ .bD)(error).slice(0, 300)}`);
    const outage = (0,_transport_js__WEBPACK_IMPORTED_MODULE_1__/* .outageOf */ .nu)(failure);
    if (outage !== undefined)
        return new _errors_js__WEBPACK_IMPORTED_MODULE_2__/* .ConfigurationError */ .j1(`${what}: ${outage}`);
    if (failure.status === 401) {
        return new _errors_js__WEBPACK_IMPORTED_MODULE_2__/* .ConfigurationError */ .j1(`${what}: Google does not take the token (${(0,_transport_js__WEBPACK_IMPORTED_MODULE_1__/* .describeFailure */ .Ic)(failure)}). Is it of another universe, or has the identity been deleted?`);
    }
    const quotable = failure.status === 403 || failure.status === 404 || failure.status === 409;
    const answer = quotable ? (0,_transport_js__WEBPACK_IMPORTED_MODULE_1__/* .describeFailure */ .Ic)(failure) : [failure.status, failure.reason].filter(Boolean).join(' ');
    const disabled = disabledService(failure);
    return new _errors_js__WEBPACK_IMPORTED_MODULE_2__/* .ConfigurationError */ .j1(`${what} (${answer}). ${disabled ? `Turn the API on: \`gcloud services enable ${disabled}\`.` : fix}`);
}
/** The instances client wraps the transport's error in one of its own. */
function callFailureOf(error) {
    return (0,_transport_js__WEBPACK_IMPORTED_MODULE_1__/* .failureOf */ .g5)(error) ?? (error.cause === undefined ? undefined : (0,_transport_js__WEBPACK_IMPORTED_MODULE_1__/* .failureOf */ .g5)(error.cause));
}
function disabledService(failure) {
    if (!/has not been used|SERVICE_DISABLED|it is disabled/i.test(failure.message))
        return undefined;
    const [, named] = /\b([a-z]+\.googleapis\.com)\/overview/.exec(failure.message) ?? [];
    return named ?? new URL(failure.url).hostname;
}
function describeName({ project, zone, name }) {
    return `projects/${project}/zones/${zone}/instances/${name}`;
}
/**
 * Reads the instance, its project and the host keys that it has published.
 * @throws ConfigurationError that names the cause and the fix
 */
async function describeInstance(apis, name) {
    const client = await apis.instances();
    const { project, zone } = name;
    const remarks = [];
    const [instance] = await client.get({ project, zone, instance: name.name }, callOptions).catch((error) => {
        throw explainCall(error, `node-method: the instance ${describeName(name)} cannot be read`, callFailureOf(error)?.status === 404
            ? 'The node may have been replaced a moment ago; else use node-method: pod.'
            : 'Grant the identity compute.instances.get in the project (docs/terraform has the role), or use node-method: pod.');
    });
    const common = await commonMetadata(apis, project, remarks);
    const enabled = (key) => setting(instance.metadata, key) ?? setting(common, key) ?? false;
    const osLogin = !enabled('enable-oslogin')
        ? 'off'
        : enabled('enable-oslogin-certificates')
            ? 'certificates-required'
            : 'on';
    const account = instance.serviceAccounts?.[0]?.email;
    return {
        ...{ project, zone, name: name.name, id: String(instance.id ?? '') },
        ...{ interface: instance.networkInterfaces?.[0]?.name || 'nic0', status: String(instance.status ?? '') },
        ...(account && { serviceAccount: account }),
        osLogin,
        hostKeys: enabled('enable-guest-attributes') ? await publishedHostKeys(apis, name, remarks) : [],
        remarks,
    };
}
/** As the guest reads it; undefined where it is not set. */
function setting(metadata, key) {
    const item = metadata?.items?.find((one) => one.key === key);
    return item && /^(true|yes|y|1)$/i.test(item.value ?? '');
}
async function commonMetadata(apis, project, remarks) {
    try {
        const url = apis.endpoints.url('compute', `projects/${project}?fields=commonInstanceMetadata`);
        return (await apis.call('GET', url)).commonInstanceMetadata;
    }
    catch (error) {
        const failure = callFailureOf(error);
        if (failure?.status !== 403) {
            throw explainCall(error, `node-method: the project ${project} cannot be read`, 'Is its name right?');
        }
        remarks.push(`The settings of the project ${project} cannot be read (${(0,_transport_js__WEBPACK_IMPORTED_MODULE_1__/* .describeFailure */ .Ic)(failure)}): whether OS Login is on ` +
            'is taken from the instance alone. Grant compute.projects.get to be sure.');
        return undefined;
    }
}
const hostKeyTypes = ['ssh-ed25519', 'ecdsa-sha2-nistp256', 'ssh-rsa'];
async function publishedHostKeys(apis, name, remarks) {
    const client = await apis.instances();
    const request = { project: name.project, zone: name.zone, instance: name.name, queryPath: 'hostkeys/' };
    try {
        const [{ queryValue }] = await client.getGuestAttributes(request, callOptions);
        return (queryValue?.items ?? []).flatMap(({ namespace, key, value }) => {
            const [encoded = ''] = (value ?? '').split(/\s/);
            const sound = encoded !== '' && Buffer.from(encoded, 'base64').toString('base64') === encoded;
            return namespace === 'hostkeys' && key && hostKeyTypes.includes(key) && sound ? [`${key} ${encoded}`] : [];
        });
    }
    catch (error) {
        const failure = callFailureOf(error);
        if (failure?.status === 404)
            return []; // none were written: the guest does so at its first boot only
        if (failure?.status !== 403) {
            throw explainCall(error, `node-method: the host keys of ${describeName(name)} cannot be read`, 'Try again.');
        }
        remarks.push(`The host keys of the node cannot be read (${(0,_transport_js__WEBPACK_IMPORTED_MODULE_1__/* .describeFailure */ .Ic)(failure)}): its key is trusted at first sight. ` +
            'Grant compute.instances.getGuestAttributes to have it compared.');
        return [];
    }
}
const customRole = 'a custom role (docs/terraform)';
const roles = {
    'compute.instances.osAdminLogin': 'roles/compute.osAdminLogin',
    'iam.serviceAccounts.actAs': 'roles/iam.serviceAccountUser',
    'iap.tunnelInstances.accessViaIAP': 'roles/iap.tunnelResourceAccessor',
};
/**
 * Which permissions the caller lacks to log in to the instance by way of IAP. What Google does not answer (an API that is off,
 * an outage) is not in it: the call that needs the permission will tell.
 */
async function missingPermissions(apis, instance, login) {
    const { project, zone, name, serviceAccount } = instance;
    const rest = async (url, permissions) => (await apis.call('POST', url, { permissions })).permissions ?? [];
    const onInstance = [
        ...['compute.instances.get', 'compute.instances.getGuestAttributes'],
        login === 'metadata' ? 'compute.instances.setMetadata' : 'compute.instances.osAdminLogin',
    ];
    const onProject = ['compute.projects.get', ...(login === 'metadata' ? ['compute.zoneOperations.get'] : [])];
    const tunnel = `projects/${project}/iap_tunnel/zones/${zone}/instances/${name}`;
    const account = `projects/-/serviceAccounts/${serviceAccount ?? ''}`;
    const checks = [
        [
            describeName(instance),
            onInstance,
            async (permissions) => {
                const client = await apis.instances();
                const asked = { permissions: [...permissions] };
                const request = { project, zone, resource: name, testPermissionsRequestResource: asked };
                const [answer] = await client.testIamPermissions(request, callOptions);
                return answer.permissions ?? [];
            },
        ],
        [
            `projects/${project}`,
            onProject,
            (asked) => rest(apis.endpoints.url('cloudresourcemanager', `v1/projects/${project}:testIamPermissions`), asked),
        ],
        [
            tunnel,
            ['iap.tunnelInstances.accessViaIAP'],
            (asked) => rest(apis.endpoints.url('iap', `v1/${tunnel}:testIamPermissions`), asked),
        ],
    ];
    if (serviceAccount !== undefined) {
        const url = apis.endpoints.url('iam', `v1/${account}:testIamPermissions`);
        checks.push([account, ['iam.serviceAccounts.actAs'], (asked) => rest(url, asked)]);
    }
    const answers = await Promise.all(checks.map(async ([resource, permissions, test]) => {
        const granted = await test(permissions).catch((error) => {
            const failure = callFailureOf(error);
            return failure?.status === 403 && !disabledService(failure) ? [] : permissions;
        });
        const missing = permissions.filter((permission) => !granted.includes(permission));
        return missing.map((permission) => ({ permission, resource, role: roles[permission] ?? customRole }));
    }));
    return answers.flat();
}


/***/ }),

/***/ 44750:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   Ic: () => (/* binding */ describeFailure),
/* harmony export */   g2: () => (/* binding */ openTransport),
/* harmony export */   g5: () => (/* binding */ failureOf),
/* harmony export */   nu: () => (/* binding */ outageOf)
/* harmony export */ });
/* harmony import */ var node_http__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(37067);
/* harmony import */ var node_http__WEBPACK_IMPORTED_MODULE_0___default = /*#__PURE__*/__webpack_require__.n(node_http__WEBPACK_IMPORTED_MODULE_0__);
/* harmony import */ var node_https__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(44708);
/* harmony import */ var node_https__WEBPACK_IMPORTED_MODULE_1___default = /*#__PURE__*/__webpack_require__.n(node_https__WEBPACK_IMPORTED_MODULE_1__);
/* harmony import */ var _errors_js__WEBPACK_IMPORTED_MODULE_3__ = __webpack_require__(83916);
/* harmony import */ var _proxy_js__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(28903);




/** How calls to Google are made: through the environment's proxy, each bounded, tried again a few times where Google is busy. */
async function openTransport() {
    const [{ gaxios }, agentFor] = await Promise.all([__webpack_require__.e(/* import() */ 492).then(__webpack_require__.t.bind(__webpack_require__, 492, 23)), (0,_proxy_js__WEBPACK_IMPORTED_MODULE_2__/* .environmentAgents */ .Cy)()]);
    return new gaxios.Gaxios({
        timeout: 20_000,
        retryConfig: { retry: 2, noResponseRetries: 1 },
        headers: { 'user-agent': 'kubernetes-packet-capture' },
        // The library's own reading of NO_PROXY knows no domains and no ports.
        agent: (url) => agentFor(url.href) ?? (url.protocol === 'http:' ? node_http__WEBPACK_IMPORTED_MODULE_0__.globalAgent : node_https__WEBPACK_IMPORTED_MODULE_1__.globalAgent),
    });
}
/** Reads the three shapes of Google's errors (OAuth, JSON API, plain text); undefined where the error is not of a call. */
function failureOf(error) {
    const { response, config, code } = error;
    if (config?.url === undefined)
        return undefined;
    const url = withoutQuery(String(config.url));
    if (response?.status === undefined) {
        return { status: undefined, reason: typeof code === 'string' ? code : '', message: (0,_errors_js__WEBPACK_IMPORTED_MODULE_3__/* .messageOf */ .bD)(error), url };
    }
    const data = response.data;
    const fields = typeof data === 'object' ? data : undefined;
    const nested = typeof fields?.['error'] === 'object' ? fields['error'] : undefined;
    const reason = text(nested?.['status']) ?? text(fields?.['error']) ?? '';
    const message = text(nested?.['message']) ??
        text(fields?.['error_description']) ??
        text(fields?.['message']) ??
        (typeof data === 'string' ? data : reason);
    return { status: response.status, reason, message: oneLine(message) || 'no text', url };
}
/** `403 PERMISSION_DENIED: \u2026`, for the end of a message. */
function describeFailure(failure) {
    const head = [failure.status, failure.reason].filter(Boolean).join(' ');
    return failure.message === failure.reason || head === '' ? failure.message : `${head}: ${failure.message}`;
}
/** The sentence about a failure that no setting of the user's explains; undefined for an answer that refuses. */
function outageOf(failure) {
    const host = new URL(failure.url).host;
    if (failure.status === undefined) {
        return `${host} cannot be reached (${describeFailure(failure)}). Does the runner have a way to it (HTTPS_PROXY, NO_PROXY, a firewall)?`;
    }
    if (failure.status >= 500 || failure.status === 429) {
        return `${host} is busy or failing, also when asked again (${describeFailure(failure)}). Run the job again later.`;
    }
    return undefined;
}
function text(value) {
    return typeof value === 'string' && value !== '' ? value : undefined;
}
function oneLine(message) {
    return message.replace(/\s+/g, ' ').trim().slice(0, 500);
}
/** A query may carry what nobody should read. */
function withoutQuery(url) {
    return url.replace(/[?#].*$/, '');
}


/***/ }),

/***/ 92114:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   h: () => (/* binding */ withDirname)
/* harmony export */ });
/**
 * Loads a CommonJS library that reads `__dirname` while it is loaded, and needs it for nothing that is used here (google-gax
 * for files of gRPC, ssh2 for a module that it carries within): an ES module, which the bundle is, does not have it.
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
