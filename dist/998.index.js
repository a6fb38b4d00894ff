export const id = 998;
export const ids = [998];
export const modules = {

/***/ 75490:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   a: () => (/* binding */ grpcStatusName)
/* harmony export */ });
/** Names of gRPC status codes (grpc/grpc doc/statuscodes.md). */
const names = [
    ...['OK', 'CANCELLED', 'UNKNOWN', 'INVALID_ARGUMENT', 'DEADLINE_EXCEEDED', 'NOT_FOUND', 'ALREADY_EXISTS'],
    ...['PERMISSION_DENIED', 'RESOURCE_EXHAUSTED', 'FAILED_PRECONDITION', 'ABORTED', 'OUT_OF_RANGE', 'UNIMPLEMENTED'],
    ...['INTERNAL', 'UNAVAILABLE', 'DATA_LOSS', 'UNAUTHENTICATED'],
];
function grpcStatusName(code) {
    return names[code] ?? String(code);
}


/***/ }),

/***/ 68979:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   Q6: () => (/* binding */ alertName),
/* harmony export */   UW: () => (/* binding */ alertLevelName),
/* harmony export */   e2: () => (/* binding */ alertMeaning),
/* harmony export */   sh: () => (/* binding */ versionName)
/* harmony export */ });
/** Alert descriptions by number (RFC 8446, 6; RFC 5246, 7.2; IANA "TLS Alerts"). */
const alertNames = {
    0: 'close_notify',
    10: 'unexpected_message',
    20: 'bad_record_mac',
    21: 'decryption_failed',
    22: 'record_overflow',
    30: 'decompression_failure',
    40: 'handshake_failure',
    41: 'no_certificate',
    42: 'bad_certificate',
    43: 'unsupported_certificate',
    44: 'certificate_revoked',
    45: 'certificate_expired',
    46: 'certificate_unknown',
    47: 'illegal_parameter',
    48: 'unknown_ca',
    49: 'access_denied',
    50: 'decode_error',
    51: 'decrypt_error',
    60: 'export_restriction',
    70: 'protocol_version',
    71: 'insufficient_security',
    80: 'internal_error',
    86: 'inappropriate_fallback',
    90: 'user_canceled',
    100: 'no_renegotiation',
    109: 'missing_extension',
    110: 'unsupported_extension',
    111: 'certificate_unobtainable',
    112: 'unrecognized_name',
    113: 'bad_certificate_status_response',
    114: 'bad_certificate_hash_value',
    115: 'unknown_psk_identity',
    116: 'certificate_required',
    120: 'no_application_protocol',
};
/** What an alert means to somebody who does not know TLS; only those that are seen in practice. */
const alertMeanings = {
    handshake_failure: 'no common cipher suite or parameters, or a required client certificate is missing',
    bad_certificate: 'the certificate is damaged or does not verify',
    certificate_revoked: 'the certificate was revoked',
    certificate_expired: 'the certificate has expired or is not valid yet',
    certificate_unknown: 'the certificate is not accepted, for example because its name does not match',
    unknown_ca: 'the certificate is signed by a CA that is not trusted',
    access_denied: 'the certificate is valid, but has no access',
    decrypt_error: 'a signature or key does not match',
    protocol_version: 'no common TLS version',
    insufficient_security: 'the offered ciphers are too weak',
    internal_error: 'an error inside of the sender',
    unrecognized_name: 'the server does not know the requested name (SNI)',
    certificate_required: 'the server requires a client certificate (mTLS) and got none',
    no_application_protocol: 'no common application protocol (ALPN)',
};
function alertName(description) {
    return alertNames[description] ?? String(description);
}
/** undefined for an alert that says nothing more than its name */
function alertMeaning(name) {
    return alertMeanings[name];
}
function alertLevelName(level) {
    if (level === 1)
        return 'warning';
    return level === 2 ? 'fatal' : String(level);
}
function versionName(version) {
    if (version === 0x0300)
        return 'SSL 3.0';
    if (version >= 0x0301 && version <= 0x0304)
        return `TLS 1.${version - 0x0301}`;
    return `0x${version.toString(16).padStart(4, '0')}`;
}


/***/ }),

/***/ 48779:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {


// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  X: () => (/* binding */ captureDetails),
  F: () => (/* binding */ withoutNames)
});

// EXTERNAL MODULE: ./src/analysis/findings/wording.ts
var wording = __webpack_require__(9713);
;// CONCATENATED MODULE: ./src/analysis/sequence/dns-sequence.ts

const dnsPort = 53;
/** Up to three queries that show the finding. Undefined: it is not about single queries. */
function dnsSequence({ id, evidence }, servers) {
    const server = servers.find((one) => one.server === evidence[0]?.server.address);
    const frame = evidence[0]?.frames[0];
    const examples = server === undefined ? [] : examplesOf(id, server, frame ?? 0);
    const first = examples[0];
    if (first === undefined)
        return undefined;
    return {
        client: { address: first.client, port: 0 },
        server: { address: first.server, port: dnsPort },
        startNs: first.timeNs,
        steps: examples.flatMap(stepsOf),
    };
}
function examplesOf(id, server, frame) {
    if (id === 'dns-failed' || id === 'dns-name-missing')
        return [...server.failures.values()].find(({ frames }) => frames[0] === frame)?.examples ?? [];
    if (id === 'dns-unanswered')
        return server.unanswered.examples;
    return id === 'dns-slow' && server.slowest !== undefined ? [server.slowest] : [];
}
function stepsOf({ name, queryFrame, timeNs, answer }) {
    const isLost = answer === undefined;
    return [
        { sender: 'client', text: `query ${name}`, timeNs, frame: queryFrame, isLost },
        ...(isLost
            ? []
            : [
                {
                    sender: 'server',
                    text: `${answer.code} after ${(0,wording/* durationText */.S5)(answer.durationNs / 1e6)}`,
                    frame: answer.frame,
                    timeNs: timeNs + answer.durationNs,
                },
            ]),
    ];
}

// EXTERNAL MODULE: ./src/analysis/application/grpc-status.ts
var grpc_status = __webpack_require__(75490);
;// CONCATENATED MODULE: ./src/analysis/sequence/http-sequence.ts


/** Up to three exchanges that show the finding. Undefined: it is not about HTTP. */
function httpSequence({ id, evidence }, servers) {
    const frame = evidence[0]?.frames[0];
    const examples = servers
        .flatMap((server) => http_sequence_examplesOf(id, server))
        .find(({ frames, requests }) => requests.length > 0 && frames.includes(frame ?? 0))?.requests;
    const first = examples?.[0];
    if (examples === undefined || first === undefined)
        return undefined;
    const sorted = examples.toSorted((one, other) => one.timeNs - other.timeNs);
    const startNs = sorted[0]?.timeNs ?? first.timeNs;
    return { ...first.ends, startNs, steps: sorted.flatMap(http_sequence_stepsOf) };
}
function http_sequence_examplesOf(id, { failures, grpcFailures, unanswered, slowest }) {
    if (id === 'http-server-errors' || id === 'http-client-errors')
        return [...failures.values()].map(toExamples);
    if (id === 'grpc-errors')
        return [...grpcFailures.values()].map(toExamples);
    if (id === 'http-unanswered')
        return [toExamples(unanswered)];
    if (id !== 'http-slow')
        return [];
    return [{ frames: slowest.map(({ responseFrame }) => responseFrame), requests: slowest.slice(0, 3) }];
}
function toExamples({ frames, examples }) {
    return { frames, requests: examples };
}
function http_sequence_stepsOf({ method, path, host, ends, ...exchange }) {
    const { timeNs, requestFrame, responseFrame, firstByteNs, status } = exchange;
    const isLost = status === 0;
    const of = host === undefined || host === '' ? '' : ` of ${host}`;
    return [
        { sender: 'client', text: `${method} ${path}${of}`, timeNs, frame: requestFrame, isLost },
        ...(isLost
            ? [{ note: `no answer, from port ${ends.client.port}` }]
            : [
                {
                    sender: 'server',
                    text: `${answerText(exchange)}${firstByteNs === undefined ? '' : ` after ${(0,wording/* durationText */.S5)(firstByteNs / 1e6)}`}`,
                    frame: responseFrame,
                    // The request may have taken a time of its own, which is not known.
                    timeNs: undefined,
                },
            ]),
    ];
}
function answerText({ status, grpcStatus }) {
    return grpcStatus === undefined ? `status ${status}` : `gRPC status ${(0,grpc_status/* grpcStatusName */.a)(grpcStatus)}`;
}

;// CONCATENATED MODULE: ./src/analysis/sequence/sequence.ts
const maxStepsCount = 12;
/** `baseMs`: ms since the epoch that the times of packets count from. */
function toSequence(title, { client, server, startNs, steps }, baseMs) {
    return {
        title,
        client,
        server,
        startMs: baseMs + startNs / 1e6,
        steps: steps.slice(0, maxStepsCount).map((step) => toStep(step, startNs)),
    };
}
function toStep(step, startNs) {
    if ('note' in step)
        return { kind: 'note', text: step.note };
    const { sender, text, timeNs, frame, isLost = false } = step;
    const atMs = timeNs === undefined ? undefined : (timeNs - startNs) / 1e6;
    return { kind: 'message', sender, text, atMs, frame, isLost };
}

// EXTERNAL MODULE: ./src/common/quantities.ts
var quantities = __webpack_require__(22660);
;// CONCATENATED MODULE: ./src/analysis/sequence/tcp-sequence.ts


/** Findings whose repeated data never arrives. */
const unacknowledged = ['peer-vanished', 'path-mtu-black-hole'];
/** A connection with trouble, from its SYN on. */
function tcpSequence(log, id) {
    const { client, server, firstTimeNs: startNs, first, latest, clientDirection, leftOutCount } = log;
    const hasAnswer = [...first, ...latest].some(({ direction }) => direction !== clientDirection);
    const isLost = ({ kind }) => {
        if (kind === 'data-again')
            return unacknowledged.includes(id);
        return kind === 'syn' && log.begin.synAckNs === undefined && !hasAnswer;
    };
    const toStep = (step) => {
        const sender = step.direction === clientDirection ? 'client' : 'server';
        return { sender, text: stepText(step, log), timeNs: step.timeNs, frame: step.frame, isLost: isLost(step) };
    };
    const leftOut = leftOutCount === 0 ? [] : [{ note: `${leftOutCount} more steps` }];
    const begin = beginSteps(log, isLost({ kind: 'syn' }));
    return { client, server, startNs, steps: [...begin, ...first.map(toStep), ...leftOut, ...latest.map(toStep)] };
}
function beginSteps({ begin, clientDirection }, isLost) {
    const { syn, synAckNs, dataBytes } = begin;
    const [sent, received] = [dataBytes[clientDirection], dataBytes[1 - clientDirection]];
    const data = [
        ...(sent > 0 ? [`${(0,quantities/* formatSize */.Xq)(sent)} from the client`] : []),
        ...(received > 0 ? [`${(0,quantities/* formatSize */.Xq)(received)} from the server`] : []),
    ];
    return [
        ...(syn === undefined ? [] : [{ sender: 'client', text: 'SYN', ...syn, isLost }]),
        ...(synAckNs === undefined ? [] : [{ sender: 'server', text: 'SYN, ACK', timeNs: synAckNs }]),
        ...(data.length === 0 ? [] : [{ note: `then ${data.join(' and ')}` }]),
    ];
}
const names = {
    syn: 'SYN',
    'syn-ack': 'SYN, ACK',
    data: 'data',
    'data-again': 'the same data again',
    'data-late': 'data out of order',
    'zero-window': 'window 0',
    'window-open': 'window open again',
    probe: 'window probe',
    'keep-alive': 'keep-alive',
    fin: 'FIN',
    reset: 'RST',
};
/** "data, 12 packets with 17.5 KB in 120 ms" */
function stepText(step, { begin, first }) {
    const { kind, count, bytes, timeNs, lastNs } = step;
    const size = bytes > 0 && kind.startsWith('data') ? (0,quantities/* formatSize */.Xq)(bytes) : '';
    const times = count > 1 ? ` in ${(0,wording/* durationText */.S5)(Math.max(0, lastNs - timeNs) / 1e6)}` : '';
    const packets = count > 1 ? `${count} packets` : '';
    const amount = [packets, size].filter(Boolean).join(' with ');
    const isKnown = kind === 'syn' ? begin.syn !== undefined : kind === 'syn-ack' && begin.synAckNs !== undefined;
    const again = isKnown || (kind.startsWith('syn') && first.find((one) => one.kind === kind) !== step) ? ' again' : '';
    return `${names[kind]}${again}${amount === '' ? '' : `, ${amount}`}${times}`;
}

// EXTERNAL MODULE: ./src/analysis/application/tls-names.ts
var tls_names = __webpack_require__(68979);
;// CONCATENATED MODULE: ./src/analysis/sequence/tls-sequence.ts

/** The handshake that shows the finding. Undefined: it is not about TLS. */
function tlsSequence({ id, evidence }, connections) {
    const frame = evidence[0]?.frames[0];
    if (id.startsWith('certificate-')) {
        const seen = connections.certificates().find(({ frames }) => frames[0] === frame);
        return seen && certificateSequence(seen);
    }
    if (!['tls-alert', 'tls-closed', 'tls-to-plain-server', 'plain-to-tls-server'].includes(id))
        return undefined;
    const failure = connections.failures().find(({ frames }) => frames[0] === frame);
    if (failure === undefined)
        return undefined;
    const { example, ends } = failure;
    return { ...ends, startNs: example.firstTimeNs, steps: handshakeSteps(example) };
}
function certificateSequence({ ends, serverName, certificate, frames, firstTimeNs }) {
    return {
        ...ends,
        startNs: firstTimeNs,
        steps: [
            helloStep({ serverName, frame: frames[0], timeNs: firstTimeNs, versions: [] }),
            certificateStep(certificate),
        ],
    };
}
function handshakeSteps(connection) {
    const { foreignRequest, helloFrame, selectedVersion, certificate, foreignAnswer, fatalAlert, closedBy } = connection;
    const hello = {
        ...connection,
        frame: helloFrame,
        timeNs: connection.firstTimeNs,
        versions: fatalAlert?.name === 'protocol_version' ? connection.offeredVersions : [],
    };
    const steps = [
        foreignRequest && { sender: 'client', text: foreignRequest.protocol, frame: undefined },
        helloFrame > 0 ? helloStep(hello) : undefined,
        selectedVersion === undefined
            ? undefined
            : { sender: 'server', text: `ServerHello, ${(0,tls_names/* versionName */.sh)(selectedVersion)}` },
        certificate && certificateStep(certificate),
        foreignRequest && { sender: 'server', text: 'TLS', frame: foreignRequest.frameNumber },
        foreignAnswer && { sender: 'server', text: foreignAnswer.protocol, frame: foreignAnswer.frameNumber },
        fatalAlert && {
            sender: fatalAlert.isClient === false ? 'server' : 'client',
            text: `alert ${fatalAlert.name}`,
            timeNs: fatalAlert.timeNs,
            frame: fatalAlert.frameNumber,
        },
        closedBy === undefined || closedBy.by === 'end of capture'
            ? undefined
            : { sender: closedBy.isClient ? 'client' : 'server', text: closedBy.by === 'reset' ? 'RST' : 'FIN' },
    ];
    return steps.filter((step) => step !== undefined);
}
function helloStep(hello) {
    const { serverName, frame, timeNs, versions } = hello;
    const parts = [
        'ClientHello',
        ...(serverName === undefined ? [] : [`for ${serverName}`]),
        ...(versions.length === 0 ? [] : [`offers ${versions.slice(0, 5).map(tls_names/* versionName */.sh).join(', ')}`]),
    ];
    return { sender: 'client', text: parts.join(' '), timeNs, frame };
}
function certificateStep({ names, notAfterSeconds }) {
    const date = new Date(notAfterSeconds * 1_000);
    const until = Number.isNaN(date.getTime()) ? '' : `, valid until ${date.toISOString().slice(0, 10)}`;
    return { sender: 'server', text: `certificate of ${names[0] ?? 'no name'}${until}` };
}

;// CONCATENATED MODULE: ./src/analysis/sequence/worst-connection.ts





/** The connection, or the exchange, that shows the first finding which has one. Undefined: nothing was found, or nothing of it was kept. */
function worstConnection(findings, sources) {
    for (const finding of findings) {
        const sequence = sequenceOf(finding, sources);
        if (sequence !== undefined)
            return toSequence(finding.title, sequence, sources.baseMs);
    }
    return undefined;
}
function sequenceOf(finding, { logs, application, baseMs }) {
    const { http, dns, tls } = application;
    return (httpSequence(finding, http.servers.all()) ??
        dnsSequence(finding, dns.servers.all()) ??
        tlsSequence(finding, tls.connections) ??
        rejectedSequence(finding, baseMs) ??
        loggedSequence(finding, logs, baseMs));
}
/** One of the connections that the finding names. */
function loggedSequence({ id, evidence, facts }, logs, baseMs) {
    for (const one of evidence) {
        const log = logs.find(one, (one.firstMs - baseMs) * 1e6);
        if (log !== undefined)
            return tcpSequence(log, id);
    }
    const first = evidence[0];
    if (first === undefined || id !== 'connection-no-answer')
        return undefined;
    return unansweredSequence(first, [
        { sender: 'client', text: 'SYN', ...startOf(first, baseMs), isLost: true },
        { note: `no answer in ${facts['waited_s']} s` },
    ], baseMs);
}
function rejectedSequence({ id, evidence, facts, count }, baseMs) {
    const first = evidence[0];
    if (first === undefined)
        return undefined;
    if (id === 'address-missing') {
        return unansweredSequence(first, [
            { sender: 'client', text: `who has ${first.server.address}?`, ...startOf(first, baseMs), isLost: true },
            { note: `no host answers, asked ${count} times` },
        ], baseMs);
    }
    if (id !== 'icmp-rejected')
        return undefined;
    const reporter = String(facts['reporter']);
    const by = reporter === first.server.address ? '' : ` from ${reporter}`;
    return unansweredSequence(first, [
        { sender: 'client', text: `packet to port ${first.server.port}` },
        { sender: 'server', text: `ICMP type ${facts['type']}, code ${facts['code']}${by}`, ...startOf(first, baseMs) },
    ], baseMs);
}
function unansweredSequence({ client, server, firstMs }, steps, baseMs) {
    return { client, server, startNs: (firstMs - baseMs) * 1e6, steps };
}
function startOf({ firstMs, frames }, baseMs) {
    return { timeNs: (firstMs - baseMs) * 1e6, frame: frames[0] };
}

;// CONCATENATED MODULE: ./src/analysis/details/application-tables.ts

/** Of each list of names and requests. */
const maxTextsCount = 20;
const application_tables_dnsPort = 53;
function dnsTables(dns) {
    const servers = dns.servers.all().toSorted((one, other) => other.queryCount - one.queryCount);
    return {
        servers: servers.map((server) => ({
            server: { address: server.server, port: application_tables_dnsPort },
            queries: server.queryCount,
            retries: server.retryCount,
            time: timesOf(server.time),
            failures: dnsFailures(server).map(([code, { count }]) => [code, count]),
        })),
        names: dns.counters().top_names,
        failedNames: topTexts(servers.flatMap(dnsFailures).map(([code, { names }]) => [code, names.top(maxTextsCount)])),
    };
}
function dnsFailures({ failures, unanswered }) {
    return [...failures, ...(unanswered.count > 0 ? [['no answer', unanswered]] : [])];
}
function tlsTables({ connections, serverNames }) {
    const failures = connections.failures().toSorted((one, other) => other.count - one.count);
    return {
        handshakes: connections.handshakeCount,
        names: serverNames.top(maxTextsCount),
        versions: connections.versions.top(maxTextsCount).map(([version, count]) => [(0,tls_names/* versionName */.sh)(Number(version)), count]),
        failures: failures.map(tlsFailure),
        certificates: connections.certificates().map(({ ends, certificate }) => ({
            server: ends.server,
            names: certificate.names,
            notAfterMs: certificate.notAfterSeconds * 1_000,
        })),
    };
}
function tlsFailure({ ends, serverName, reason, count }) {
    return { server: ends.server, name: serverName ?? '', reason: tlsReason(reason), count };
}
function tlsReason(reason) {
    switch (reason.kind) {
        case 'alert':
            return `alert ${reason.alert} of the ${reason.sender === 'unknown' ? 'other side' : reason.sender}`;
        case 'closed':
            return `${reason.by === 'reset' ? 'reset' : 'closed'} by the ${reason.sender}`;
        case 'foreign answer':
            return `answered with ${reason.protocol}`;
        case 'foreign request':
            return `${reason.protocol} sent in clear text`;
    }
}
function httpTables({ servers }) {
    const all = servers.all().toSorted((one, other) => other.requestCount - one.requestCount);
    return {
        servers: all.map((server) => ({
            server: server.ends.server,
            hosts: server.hosts.top(maxTextsCount),
            requests: server.requestCount,
            statuses: [
                ...server.statuses.top(maxTextsCount),
                ...grpcStatuses(server),
                ...(server.unanswered.count > 0 ? [['no answer', server.unanswered.count]] : []),
            ],
            time: timesOf(server.firstByte),
        })),
        failedRequests: topTexts(all.flatMap(({ failures, grpcFailures, unanswered }) => [
            ...[...failures].map(([status, { requests }]) => [String(status), requests.top(maxTextsCount)]),
            ...[...grpcFailures].map(([status, { requests }]) => [`gRPC ${status}`, requests.top(maxTextsCount)]),
            ['no answer', unanswered.requests.top(maxTextsCount)],
        ])),
    };
}
function grpcStatuses({ grpcStatuses: statuses }) {
    return statuses.top(maxTextsCount).map(([status, count]) => [`gRPC ${status}`, count]);
}
/** The most frequent of several lists, each text with what it is listed for. */
function topTexts(lists) {
    return lists
        .flatMap(([reason, texts]) => texts.map(([text, count]) => [`${text}: ${reason}`, count]))
        .toSorted(([, one], [, other]) => other - one)
        .slice(0, maxTextsCount);
}
function timesOf(stats) {
    const { p50_ms: p50Ms, p95_ms: p95Ms } = stats.summary();
    return p50Ms === undefined || p95Ms === undefined ? undefined : { p50Ms, p95Ms };
}

;// CONCATENATED MODULE: ./src/analysis/details/capture-details.ts


/** The capture must have ended. */
function captureDetails(trackers, findings) {
    const { analysis, application, details } = trackers;
    const { peers, timeline, logs } = details;
    const { dns, tls, http } = application;
    const { baseSeconds } = analysis.decoder;
    const { frames, firstNs, lastNs } = analysis.frames;
    const failureTimes = [http.servers, dns.servers, tls.connections].map((one) => one.failureTimes);
    return {
        peers: peers.pairs(),
        peersNotKept: peers.overflowCount,
        dns: dnsTables(dns),
        tls: tlsTables(tls),
        http: httpTables(http),
        timeline: frames === 0 ? undefined : timeline.timeline({ baseSeconds, firstNs, lastNs }, failureTimes),
        worst: worstConnection(findings, { logs, application, baseMs: baseSeconds * 1_000 }),
    };
}
/** Of a diagnosis that shows no names. */
function withoutNames({ timeline }) {
    return {
        peers: [],
        peersNotKept: 0,
        dns: { servers: [], names: [], failedNames: [] },
        tls: { handshakes: 0, names: [], versions: [], failures: [], certificates: [] },
        http: { servers: [], failedRequests: [] },
        timeline,
        worst: undefined,
    };
}


/***/ }),

/***/ 9713:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   DV: () => (/* binding */ countedAs),
/* harmony export */   HO: () => (/* binding */ endpointText),
/* harmony export */   KE: () => (/* binding */ listed),
/* harmony export */   S5: () => (/* binding */ durationText),
/* harmony export */   Tn: () => (/* binding */ serverText),
/* harmony export */   d5: () => (/* binding */ backendsText),
/* harmony export */   f6: () => (/* binding */ connectionFilter),
/* harmony export */   hO: () => (/* binding */ addressFilter),
/* harmony export */   hS: () => (/* binding */ counted),
/* harmony export */   rp: () => (/* binding */ framesFilter),
/* harmony export */   yQ: () => (/* binding */ serverFilter)
/* harmony export */ });
function endpointText({ address, port }) {
    return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
/** The condition that an address (IPv4 or IPv6) is one end: "ip.addr == 10.96.0.10". */
function addressFilter(address) {
    return `${address.includes(':') ? 'ipv6' : 'ip'}.addr == ${address}`;
}
/** A filter for the packets of TCP between two endpoints. */
function connectionFilter({ client, server }) {
    return `${addressFilter(client.address)} && ${addressFilter(server.address)} && tcp.port == ${client.port} && tcp.port == ${server.port}`;
}
/** A filter for the packets of TCP with a server. */
function serverFilter({ address, port, redirectPort }) {
    const filter = `${addressFilter(address)} && tcp.port == ${port}`;
    return redirectPort === undefined ? filter : `((${filter}) || tcp.port == ${redirectPort})`;
}
/** A filter for packets by their number: where Wireshark cannot see what they have in common. */
function framesFilter(frames) {
    return frames.map((frame) => `frame.number == ${frame}`).join(' || ');
}
/** "1 connection", "3 connections" */
function counted(count, noun) {
    return countedAs(count, noun, `${noun}s`);
}
/** "1 query", "3 queries": for words whose plural is not an s more */
function countedAs(count, one, many) {
    return `${count.toLocaleString('en-US')} ${count === 1 ? one : many}`;
}
/** "120 ms", "2.5 s" */
function durationText(ms) {
    if (ms < 1)
        return `${ms.toFixed(2)} ms`;
    if (ms < 1000)
        return `${Math.round(ms)} ms`;
    return `${Number((ms / 1000).toFixed(ms < 10_000 ? 1 : 0))} s`;
}
/** "10.96.0.10:53 (backend 10.244.1.5:5353)": the address of a service, and the pods behind it that are meant. */
function serverText(server, backends) {
    return backends.size === 0 ? server : `${server} (${backendsText(backends)})`;
}
/** "backend 10.244.1.5:5353", "backends \u2026, \u2026" */
function backendsText(backends) {
    return `${backends.size === 1 ? 'backend' : 'backends'} ${listed([...backends])}`;
}
const maxListedCharacters = 80;
/** At most three of the texts, each cut after 80 characters, and how many more there are. */
function listed(texts) {
    const rest = texts.length - 3;
    const shown = texts
        .slice(0, 3)
        .map((text) => (text.length > maxListedCharacters ? `${text.slice(0, maxListedCharacters)}\u2026` : text));
    return shown.join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}


/***/ }),

/***/ 22307:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   E: () => (/* binding */ logEvents)
/* harmony export */ });
/* harmony import */ var _capture_recorders_methods_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(9588);
/* harmony import */ var _common_quantities_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(22660);


/** The events of one capture as lines of the log. */
function logEvents(record, log) {
    const { interface: name, durationSeconds } = record.plan;
    return {
        onTouchingNode: () => undefined,
        onCreated: (what) => log.info(what),
        onCaution: (text) => log.warning(text),
        onWaiting: (reason) => log.info(`Waiting: ${reason}`),
        onListening: () => log.info(`Capturing ${(0,_capture_recorders_methods_js__WEBPACK_IMPORTED_MODULE_0__/* .subjectOf */ .e)(record)} on ${name} for ${(0,_common_quantities_js__WEBPACK_IMPORTED_MODULE_1__/* .formatDuration */ .a3)(durationSeconds)}`),
        onReconnecting: (reason) => log.info(`Connection lost (${reason}); reconnecting`),
        onRemoteLine: (line) => log.info(`Recorder output: ${line}`),
    };
}


/***/ }),

/***/ 54920:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   E: () => (/* binding */ reportOf)
/* harmony export */ });
/* harmony import */ var _capture_recorders_methods_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(9588);

/** What is reported about one capture, before its upload. */
function reportOf(result, { hints, cautions = [] }, diagnosis) {
    const { record, verdict, outcome, scan } = result;
    const { plan } = record;
    const { trailer } = outcome;
    const method = (0,_capture_recorders_methods_js__WEBPACK_IMPORTED_MODULE_0__/* .methodOf */ .N)(record);
    return {
        ...subjectParts(record.target),
        captureId: record.captureId,
        image: plan.image,
        imageId: result.imageId,
        level: method.level,
        method: method.outputName,
        nodeAccess: method.nodeAccess,
        usesImage: method.usesImage,
        leftovers: result.cleanup?.leftovers ?? method.expectedLeftovers,
        interface: plan.interface,
        filter: plan.filter,
        snaplen: plan.snaplen,
        limits: { durationSeconds: plan.durationSeconds, maxBytes: plan.maxBytes, maxPackets: plan.maxPackets },
        began: trailer && trailer.beganSeconds > 0 ? trailer.beganSeconds * 1000 : scan.first,
        recordedSeconds: trailer ? trailer.recordedMs / 1000 : undefined,
        pausedSeconds: (trailer?.pausedMs ?? 0) / 1000,
        packets: scan.packets,
        bytes: scan.bytes,
        linkType: scan.linkType,
        dropped: verdict.dropped,
        droppedIsUpperBound: plan.interface === 'any' || plan.interface === 'lo',
        interfaces: trailer?.interfaces ?? [],
        verdict: verdict.verdict,
        verdictReason: verdict.reason,
        stopReason: verdict.stopReason,
        resumed: outcome.reconnectCount,
        sha256: result.sha256,
        pcapPath: result.path,
        hints: [...hints, ...(trailer?.spool === 'memory' ? [memorySpoolHint] : []), ...targetHints(result.targetCheck)],
        cautions,
        diagnosis,
        artifact: undefined,
        verdictProblem: undefined,
        findingProblem: undefined,
        uploadProblem: undefined,
    };
}
function subjectParts(target) {
    if (target.kind === 'node')
        return { pod: undefined, node: target.node, addresses: [], ports: [] };
    const { namespace, pod, node = 'unknown', addresses, ports = [] } = target;
    return { pod: { namespace, name: pod }, node, addresses, ports };
}
/** The verdict proves the bytes; only a check of the target shows that the addresses were the pod's until the end. */
function targetHints(targetCheck) {
    if (targetCheck?.kind !== 'unknown')
        return [];
    return [`It is not known whether the pod kept running at the same address until the end (${targetCheck.why}).`];
}
const memorySpoolHint = "The pod's disk has no room for the spool, so the recorder used one of 4 MB in memory. Where the connection is slower than the traffic, recording pauses.";


/***/ }),

/***/ 33403:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   Rx: () => (/* binding */ unreachableCleanup),
/* harmony export */   Tg: () => (/* binding */ cleanUpAfter),
/* harmony export */   dn: () => (/* binding */ withinTime),
/* harmony export */   lK: () => (/* binding */ cleanUpUnused)
/* harmony export */ });
/* harmony import */ var _capture_recorders_methods_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(9588);
/* harmony import */ var _common_errors_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(71922);
/* harmony import */ var _common_timeouts_js__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(79005);



/** Removes what was created for a capture, and says in the log what came of it. */
async function cleanUpAfter(result, recorder, log) {
    const cleanup = await withinTime(recorder.cleanUp(), result.record);
    if ((0,_capture_recorders_methods_js__WEBPACK_IMPORTED_MODULE_0__/* .methodOf */ .N)(result.record).isRemovable) {
        log.info(cleanup.leftovers.length === 0 ? 'Removed all resources of the capture' : notRemoved(cleanup.leftovers));
    }
    return { ...result, cleanup };
}
/** Removes what was created for a capture that recorded nothing. What cannot be removed is a warning. */
async function cleanUpUnused(recorder, log) {
    if (!(0,_capture_recorders_methods_js__WEBPACK_IMPORTED_MODULE_0__/* .methodOf */ .N)(recorder.record).isRemovable)
        return { leftovers: [], unfinished: false };
    const cleanup = await withinTime(recorder.cleanUp(), recorder.record);
    for (const leftover of cleanup.leftovers)
        log.warning(notRemoved([leftover]));
    return cleanup;
}
/** An SSH login may wait 90 s for its key, and each request has a limit of its own. A server that uses up all of them does not hold the job. */
const maxCleanUpSeconds = 240;
/** A clean-up, or what it may leave where it does not end in time. */
async function withinTime(cleanup, record) {
    const result = await (0,_common_timeouts_js__WEBPACK_IMPORTED_MODULE_2__/* .orTimeout */ .TO)(cleanup, maxCleanUpSeconds * 1_000);
    return result === _common_timeouts_js__WEBPACK_IMPORTED_MODULE_2__/* .timedOut */ .iU ? unreachableCleanup(record, `not finished within ${maxCleanUpSeconds} s`) : result;
}
/** The clean-up of a capture whose cluster or node cannot be reached. */
function unreachableCleanup(record, error) {
    const leftovers = (0,_capture_recorders_methods_js__WEBPACK_IMPORTED_MODULE_0__/* .methodOf */ .N)(record).leftoversIfUnreachable.map((what) => `${what}: ${(0,_common_errors_js__WEBPACK_IMPORTED_MODULE_1__/* .messageOf */ .bD)(error)}`);
    return { leftovers, unfinished: true };
}
function notRemoved(leftovers) {
    return `Not removed: ${leftovers.join('; ')}`;
}


/***/ }),

/***/ 76896:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   D: () => (/* binding */ openCluster),
/* harmony export */   y: () => (/* reexport safe */ _cluster_access_google_js__WEBPACK_IMPORTED_MODULE_0__.y)
/* harmony export */ });
/* harmony import */ var _cluster_access_google_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(35056);


/**
 * The cluster that the inputs name: one file in cluster-access/ for each authentication method, loaded only where it is used. Every credential
 * is masked before it is used.
 * @throws ConfigurationError
 */
async function openCluster(access, env) {
    const google = once(() => (0,_cluster_access_google_js__WEBPACK_IMPORTED_MODULE_0__/* .openGoogle */ .y)(access, env));
    switch (access.kind) {
        case 'kubeconfig': {
            const { openKubeconfig } = await __webpack_require__.e(/* import() */ 665).then(__webpack_require__.bind(__webpack_require__, 70665));
            return { connection: await openKubeconfig(access, env), autopilot: undefined, google };
        }
        case 'direct': {
            const { openApiServer } = await __webpack_require__.e(/* import() */ 71).then(__webpack_require__.bind(__webpack_require__, 15071));
            return { connection: openApiServer(access, env), autopilot: undefined, google };
        }
        case 'gke': {
            const { openGke } = await __webpack_require__.e(/* import() */ 741).then(__webpack_require__.bind(__webpack_require__, 79741));
            return openGke(access, env);
        }
    }
}
function once(make) {
    let made;
    return () => (made ??= make());
}


/***/ }),

/***/ 35056:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   y: () => (/* binding */ openGoogle)
/* harmony export */ });
/* harmony import */ var _runner_id_token_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(27137);
/* harmony import */ var _runner_mask_secret_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(95989);


/**
 * The Google Cloud identity of the inputs, else the credentials that google-github-actions/auth created.
 * @throws ConfigurationError
 */
async function openGoogle(access, env) {
    const { workloadIdentityProvider, serviceAccount } = access.kind === 'gke' ? access : {};
    const { googleTokenSource } = await __webpack_require__.e(/* import() */ 509).then(__webpack_require__.bind(__webpack_require__, 87509));
    const getIdToken = (audience) => (0,_runner_id_token_js__WEBPACK_IMPORTED_MODULE_0__/* .githubIdToken */ .e)(audience, 'workload-identity-provider');
    return googleTokenSource({ workloadIdentityProvider, serviceAccount, getIdToken, maskSecret: _runner_mask_secret_js__WEBPACK_IMPORTED_MODULE_1__/* .maskSecret */ .$ }, env);
}


/***/ }),

/***/ 64922:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {


// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  c: () => (/* binding */ deliver)
});

// EXTERNAL MODULE: ./src/common/errors.ts
var errors = __webpack_require__(71922);
// EXTERNAL MODULE: ./src/common/timeouts.ts
var timeouts = __webpack_require__(79005);
;// CONCATENATED MODULE: ./src/report/report.ts
/** What is wrong with a result: the first one is the cause of a failed step. */
function problemsOf({ verdictProblem, uploadProblem, findingProblem }) {
    return [verdictProblem, uploadProblem, findingProblem].filter((problem) => problem !== undefined);
}

// EXTERNAL MODULE: ./src/common/document-url.ts
var document_url = __webpack_require__(28408);
// EXTERNAL MODULE: ./src/common/quantities.ts
var quantities = __webpack_require__(22660);
// EXTERNAL MODULE: ./src/report/diagnosis-wording.ts
var diagnosis_wording = __webpack_require__(31054);
// EXTERNAL MODULE: ./src/analysis/findings/wording.ts
var wording = __webpack_require__(9713);
;// CONCATENATED MODULE: ./src/report/end-text.ts

/** "payments-7f9:8080", "10.0.0.1:80", or without the port where it is not known (0). */
function endText(end) {
    return end.port === 0 ? end.address : (0,wording/* endpointText */.HO)(end);
}

// EXTERNAL MODULE: ./src/report/markdown.ts
var markdown = __webpack_require__(54285);
// EXTERNAL MODULE: ./src/common/remote-text.ts
var remote_text = __webpack_require__(14551);
;// CONCATENATED MODULE: ./src/report/mermaid.ts

/** What needs no escape: everything else may have a meaning in some place of Mermaid's grammar, also inside of a text. */
const special = /[^A-Za-z0-9 .,:/()+=?*_-]/gu;
/**
 * Text from packets or the cluster in a text of a Mermaid diagram, at most `maxLength` UTF-16 units: other characters are entities, which Mermaid shows
 * as the character (https://mermaid.js.org/syntax/sequenceDiagram.html#entity-codes-to-escape-characters). So it can end no line, and begin no
 * comment, directive, formula or link. Two hyphens are an arrow.
 */
function mermaidText(value, maxLength) {
    const line = (0,remote_text/* toOneLine */.GX)(value, maxLength + 1);
    const cut = line.length > maxLength ? `${line.slice(0, maxLength - 1).toWellFormed()}\u2026` : line;
    const escaped = cut
        .replace(special, (character) => `#${character.codePointAt(0)};`)
        .replace(/:(?=\/\/)|(?<=www)\./gi, (character) => `#${character.charCodeAt(0)};`)
        .replace(/--+/g, (hyphens) => '#45;'.repeat(hyphens.length))
        .replace(/^(?:no)?wrap:/i, (word) => `${word.slice(0, -1)}#58;`);
    return escaped === '' ? '-' : escaped;
}

// EXTERNAL MODULE: ./src/report/wording.ts
var report_wording = __webpack_require__(25594);
;// CONCATENATED MODULE: ./src/report/sequence-markdown.ts





/** In a diagram: a phone makes a wide one small. */
const maxLabelLength = 56;
const maxNameLength = 32;
/** The worst connection: a diagram of at most 15 lines, and the same as a list. Empty: there is none. */
function sequenceMarkdown(sequence) {
    if (sequence === undefined)
        return '';
    const { title, client, server, startMs, steps } = sequence;
    const start = (0,report_wording/* isoTime */.Ly)(startMs)?.slice(11, 23);
    const ends = `${endText(client)} to ${endText(server)}`;
    return (0,markdown/* joinedParts */.WP)([
        `**${(0,markdown/* breakable */.mo)(title)}**`,
        `Connection: ${(0,markdown/* breakable */.mo)(ends)}${start === undefined ? '' : `, from ${start} UTC`}:`,
        diagram(sequence),
        steps.map(textLine).join('\n'),
    ]);
}
function diagram({ client, server, steps }) {
    const lines = [
        'sequenceDiagram',
        `  participant C as ${mermaidText(endText(client), maxNameLength)}`,
        `  participant S as ${mermaidText(endText(server), maxNameLength)}`,
        ...steps.map((step) => `  ${diagramLine(step)}`),
    ];
    return (0,markdown/* codeBlock */.DV)(lines.join('\n'), 'mermaid');
}
function diagramLine(step) {
    if (step.kind === 'note')
        return `Note over C,S: ${mermaidText(step.text, maxLabelLength)}`;
    const { sender, isLost, text } = step;
    const [from, to] = sender === 'client' ? ['C', 'S'] : ['S', 'C'];
    const time = step.atMs === undefined ? '' : ` (${timeText(step.atMs)})`;
    return `${from}${isLost ? '-x' : '->>'}${to}: ${mermaidText(text, maxLabelLength)}${time}`;
}
function textLine(step, index) {
    if (step.kind === 'note')
        return `${index + 1}. ${(0,markdown/* breakable */.mo)(step.text)}`;
    const { sender, text, atMs, frame, isLost } = step;
    const facts = [
        ...(atMs === undefined ? [] : [timeText(atMs)]),
        ...(frame === undefined ? [] : [`packet ${frame}`]),
        ...(isLost ? ['no answer'] : []),
    ];
    return `${index + 1}. ${sender}: ${(0,markdown/* breakable */.mo)(text)}${facts.length === 0 ? '' : ` (${facts.join(', ')})`}`;
}
/** "+12 ms" */
function timeText(ms) {
    if (ms === 0)
        return '0 ms';
    return `${ms < 0 ? '-' : '+'}${(0,wording/* durationText */.S5)(Math.abs(ms))}`;
}

;// CONCATENATED MODULE: ./src/report/timeline-markdown.ts



/** The course of a shorter capture says nothing. */
const minSeconds = 1;
/** Throughput and errors over time: charts, and the same as a table. Empty: the capture is too short. */
function timelineMarkdown(timeline) {
    if (timeline === undefined || timelineSeconds(timeline) < minSeconds)
        return '';
    const { buckets, bucketSeconds } = timeline;
    const errors = buckets.map(errorCount);
    const hasErrors = errors.some((count) => count > 0);
    return (0,markdown/* joinedParts */.WP)([
        `Each bar is ${lengthText(bucketSeconds)}.`,
        throughputChart(timeline),
        hasErrors ? errorChart(timeline, errors) : 'No errors in this time.',
        textTable(timeline, hasErrors),
    ]);
}
function timelineSeconds({ buckets, bucketSeconds }) {
    return buckets.length * bucketSeconds;
}
function throughputChart(timeline) {
    const rates = timeline.buckets.map(({ bytes }) => bytes / timeline.bucketSeconds);
    const { unit, divisor } = unitOf(Math.max(...rates));
    const values = rates.map((rate) => rate / divisor);
    return chart(timeline, { title: 'Throughput', unit, values });
}
function errorChart(timeline, values) {
    return chart(timeline, { title: 'Errors', unit: 'errors', values });
}
/** Numbers and fixed words only. */
function chart(timeline, { title, unit, values }) {
    const max = Math.max(...values, 1e-3);
    const lines = [
        'xychart-beta',
        `  title "${title}"`,
        `  x-axis "seconds" 0 --> ${plainNumber(timelineSeconds(timeline))}`,
        `  y-axis "${unit}" 0 --> ${plainNumber(max)}`,
        `  bar [${values.map(plainNumber).join(', ')}]`,
    ];
    return (0,markdown/* codeBlock */.DV)(lines.join('\n'), 'mermaid');
}
/** Mermaid reads no exponent. */
function plainNumber(value) {
    return value < 10 ? String(Number(value.toFixed(3))) : BigInt(Math.round(value)).toString();
}
function unitOf(max) {
    if (max >= 1e9)
        return { unit: 'GB/s', divisor: 1e9 };
    if (max >= 1e6)
        return { unit: 'MB/s', divisor: 1e6 };
    return max >= 1e3 ? { unit: 'KB/s', divisor: 1e3 } : { unit: 'B/s', divisor: 1 };
}
/** The same facts as text; times without packets in a row are one row. */
function textTable({ startMs, bucketSeconds, buckets }, hasErrors) {
    const rows = [];
    let wasEmpty = false;
    for (const [index, bucket] of buckets.entries()) {
        const isEmpty = bucket.packets === 0 && errorCount(bucket) === 0;
        if (isEmpty && wasEmpty)
            continue;
        wasEmpty = isEmpty;
        const time = timeline_markdown_timeText(startMs + index * bucketSeconds * 1_000, bucketSeconds);
        const throughput = isEmpty ? 'nothing' : `${(0,quantities/* formatSize */.Xq)(Math.round(bucket.bytes / bucketSeconds))}/s`;
        rows.push(`| ${time} | ${throughput} |${hasErrors ? ` ${errorText(bucket)} |` : ''}`);
    }
    const [title, line] = hasErrors ? [' Errors |', '---|'] : ['', ''];
    return [`| From (UTC) | Throughput |${title}`, `|---|---|${line}`, ...rows].join('\n');
}
function timeline_markdown_timeText(ms, bucketSeconds) {
    const time = (0,report_wording/* isoTime */.Ly)(ms);
    if (time === undefined)
        return 'unknown';
    return bucketSeconds < 1 ? time.slice(11, 23) : time.slice(11, 19);
}
function errorCount({ retransmissions, resets, failures }) {
    return retransmissions + resets + failures;
}
function errorText({ retransmissions, resets, failures }) {
    return [
        ...(failures > 0 ? [`${(0,report_wording/* formatCount */.B4)(failures)} failed`] : []),
        ...(resets > 0 ? [`${(0,report_wording/* formatCount */.B4)(resets)} reset`] : []),
        ...(retransmissions > 0 ? [`${(0,report_wording/* formatCount */.B4)(retransmissions)} sent again`] : []),
    ].join(', ');
}
/** "1 s", "250 ms", "2 min 8 s" */
function lengthText(seconds) {
    if (seconds < 1)
        return `${Math.round(seconds * 1_000)} ms`;
    const minutes = Math.floor(seconds / 60);
    return minutes === 0 ? `${seconds} s` : `${(0,report_wording/* formatCount */.B4)(minutes)} min ${Math.round(seconds % 60)} s`;
}

;// CONCATENATED MODULE: ./src/report/traffic-markdown.ts






/** Of each table and list: GitHub drops a summary above 1 MiB. */
const maxRowsCount = 20;
/** Of one name in a table. */
const traffic_markdown_maxNameLength = 120;
/** Round trip, think time and failures of each server. */
function serverTable(servers) {
    return limitedTable(['Server', 'Round trip', 'Answers'], servers.map((times) => {
        const { server, requests, failures, roundTrip, thinkTime } = times;
        const stalled = (0,diagnosis_wording/* stallText */.e3)(times);
        const answers = [
            ...(thinkTime === undefined ? [] : [(0,diagnosis_wording/* timesText */.Aq)(thinkTime)]),
            ...(stalled === undefined ? [] : [`stalled: ${stalled}`]),
            ...(requests === 0 ? [] : [`${(0,report_wording/* formatCount */.B4)(failures)} of ${(0,report_wording/* formatCount */.B4)(requests)} failed`]),
        ];
        return [
            traffic_markdown_name(endText(server)),
            (0,markdown/* text */.Qq)((0,diagnosis_wording/* timesText */.Aq)(roundTrip) ?? 'not seen'),
            (0,markdown/* text */.Qq)(answers.length === 0 ? 'not seen' : answers.join('; ')),
        ];
    }));
}
/** Who talked to whom, the most bytes first. */
function conversationTable({ peers, peersNotKept }) {
    const rows = peers.map(({ protocol, client, server, connections, bytes }) => [
        traffic_markdown_name(client),
        traffic_markdown_name(endText(server)),
        `${(0,report_wording/* formatCount */.B4)(connections)} ${protocol}, ${(0,quantities/* formatSize */.Xq)(bytes)}`,
    ]);
    const more = peersNotKept === 0 ? '' : `${(0,wording/* counted */.hS)(peersNotKept, 'more connection')} of other pairs.`;
    return (0,markdown/* joinedParts */.WP)([limitedTable(['Client', 'Server', 'Traffic'], rows), more]);
}
function dnsMarkdown({ servers, names: asked, failedNames }) {
    if (servers.length === 0)
        return '';
    const rows = servers.map(({ server, queries, retries, time, failures }) => [
        traffic_markdown_name(endText(server)),
        [
            (0,report_wording/* formatCount */.B4)(queries),
            ...(retries > 0 ? [`${(0,report_wording/* formatCount */.B4)(retries)} sent again`] : []),
            ...(failures.length === 0 ? [] : [countList(failures)]),
        ].join('; '),
        percentiles(time),
    ]);
    return (0,markdown/* joinedParts */.WP)([
        limitedTable(['Server', 'Queries', 'Answers'], rows),
        paragraph('Names', asked),
        paragraph('Failed', failedNames),
    ]);
}
function tlsMarkdown({ handshakes, names: asked, versions, failures, certificates }) {
    if (handshakes === 0)
        return '';
    const failed = failures.map(({ server, name: askedName, reason, count }) => [
        traffic_markdown_name(askedName === '' ? endText(server) : `${askedName} (${endText(server)})`),
        traffic_markdown_name(reason),
        (0,report_wording/* formatCount */.B4)(count),
    ]);
    const dates = certificates.map(({ server, names: certified, notAfterMs }) => [
        traffic_markdown_name(endText(server)),
        traffic_markdown_name(certified.join(', ')),
        (0,report_wording/* isoTime */.Ly)(notAfterMs)?.slice(0, 10) ?? 'unknown',
    ]);
    return (0,markdown/* joinedParts */.WP)([
        `${(0,wording/* counted */.hS)(handshakes, 'handshake')}${versions.length === 0 ? '' : `: ${countList(versions)}`}.`,
        limitedTable(['Server', 'Failure', 'Count'], failed),
        limitedTable(['Server', 'Certificate', 'Valid until'], dates),
        paragraph('Names (SNI)', asked),
    ]);
}
function httpMarkdown({ servers, failedRequests }) {
    return (0,markdown/* joinedParts */.WP)([
        limitedTable(['Server', 'Requests', 'First byte'], servers.map(httpRow)),
        paragraph('Failed', failedRequests),
    ]);
}
function httpRow({ server, hosts, requests, statuses, time }) {
    const host = hosts[0]?.[0];
    const end = endText(server);
    return [
        traffic_markdown_name(host === undefined || host === end ? end : `${end} (${host})`),
        `${(0,report_wording/* formatCount */.B4)(requests)}: ${countList(statuses)}`,
        percentiles(time),
    ];
}
function percentiles(time) {
    return time === undefined ? 'not seen' : (0,markdown/* text */.Qq)(`p50 ${(0,wording/* durationText */.S5)(time.p50Ms)}, p95 ${(0,wording/* durationText */.S5)(time.p95Ms)}`);
}
/** "200 (195), 503 (24)" */
function countList(counts) {
    const shown = counts.slice(0, maxRowsCount).map(([value, count]) => `${traffic_markdown_name(value)} (${(0,report_wording/* formatCount */.B4)(count)})`);
    const more = counts.length - maxRowsCount;
    return [...shown, ...(more > 0 ? [`${(0,report_wording/* formatCount */.B4)(more)} more`] : [])].join(', ');
}
function paragraph(title, counts) {
    return counts.length === 0 ? '' : `${title}: ${countList(counts)}`;
}
function traffic_markdown_name(value) {
    return (0,markdown/* breakableCell */.CS)((0,markdown/* shortened */.vI)(value, traffic_markdown_maxNameLength));
}
/** The cells are Markdown already. Empty: there are no rows. */
function limitedTable(columns, rows) {
    if (rows.length === 0)
        return '';
    const more = rows.length - maxRowsCount;
    const last = more > 0 ? [[`${(0,report_wording/* formatCount */.B4)(more)} more`, ...columns.slice(1).map(() => '')]] : [];
    return [
        `| ${columns.join(' | ')} |`,
        `|${columns.map(() => '---|').join('')}`,
        ...[...rows.slice(0, maxRowsCount), ...last].map((cells) => `| ${cells.join(' | ')} |`),
    ].join('\n');
}

;// CONCATENATED MODULE: ./src/report/diagnosis-details.ts







/** Of each list. */
const maxDetailedCount = 50;
/** GitHub drops a job summary above 1 MiB. */
const defaultMaxBytes = 900_000;
/** All numbers, each group in `<details>`. Groups that would make it larger than `maxBytes` are left out, and named. */
function diagnosis_details_diagnosisDetails(diagnosis, maxBytes = defaultMaxBytes) {
    if (maxBytes === 0)
        return '';
    const shown = [];
    const leftOut = [];
    let leftBytes = maxBytes;
    for (const [title, content] of groups(diagnosis)) {
        const group = (0,markdown/* details */.zH)(title, content);
        const groupBytes = Buffer.byteLength(group) + 2;
        if (groupBytes > leftBytes)
            leftOut.push(title);
        else {
            shown.push(group);
            leftBytes -= groupBytes;
        }
    }
    const note = `Left out, because the summary would be too large for GitHub: ${leftOut.join('; ')}.`;
    return (0,markdown/* joinedParts */.WP)([...shown, leftOut.length === 0 ? '' : note]);
}
function groups(diagnosis) {
    const { details: facts, servers } = diagnosis;
    return [
        ['Findings: causes, next steps, packets', (0,markdown/* joinedParts */.WP)([reason(diagnosis), findings(diagnosis)])],
        ['The worst connection', sequenceMarkdown(facts.worst)],
        ['Servers: time of the network, and of the application', serverTable(servers)],
        ['Conversations', conversationTable(facts)],
        ['DNS', dnsMarkdown(facts.dns)],
        ['TLS', tlsMarkdown(facts.tls)],
        ['HTTP', httpMarkdown(facts.http)],
        ['Timeline: throughput and errors', timelineMarkdown(facts.timeline)],
        ['Limits of this capture', limits(diagnosis)],
    ];
}
function reason(diagnosis) {
    const { culprit, sureness, because } = diagnosis;
    if (culprit === 'none')
        return '';
    return `Culprit: ${(0,markdown/* text */.Qq)((0,diagnosis_wording/* culpritText */.F7)(diagnosis))}. Sure: ${sureness}, because ${(0,markdown/* breakable */.mo)(because)}.`;
}
function findings({ findings: all }) {
    const more = all.length - maxDetailedCount;
    const shown = all.slice(0, maxDetailedCount).map(finding);
    return (0,markdown/* joinedParts */.WP)([...shown, ...(more > 0 ? [`${(0,report_wording/* formatCount */.B4)(more)} more are not shown.`] : [])]);
}
function finding({ id, title, displayFilter, evidence, likelyCauses, nextSteps }) {
    return [
        `**${(0,markdown/* breakable */.mo)(title)}** (${(0,markdown/* code */.aY)(id)})`,
        '',
        ...evidence.map((one) => `- ${(0,markdown/* breakable */.mo)(endsText(one))}: ${(0,diagnosis_wording/* framesText */.u2)(one.frames)}`),
        ...(displayFilter === '' ? [] : [`- Filter: ${(0,markdown/* breakableCode */.N8)(displayFilter)}`]),
        ...(likelyCauses.length === 0 ? [] : [`- Likely: ${likelyCauses.map(markdown/* breakable */.mo).join('; ')}`]),
        ...(nextSteps.length === 0 ? [] : [`- Next: ${nextSteps.map(markdown/* breakable */.mo).join('; ')}`]),
    ].join('\n');
}
function endsText({ client, server, backend }) {
    return `${endText(client)} to ${endText(server)}${backend === undefined ? '' : ` (backend ${endText(backend)})`}`;
}
function limits({ withheld, limits: all }) {
    const texts = [...withheld, ...all].map((one) => `- ${(0,markdown/* breakable */.mo)(one.text)}`);
    const more = texts.length - maxDetailedCount;
    return [...texts.slice(0, maxDetailedCount), ...(more > 0 ? [`- ${(0,report_wording/* formatCount */.B4)(more)} more`] : [])].join('\n');
}

;// CONCATENATED MODULE: ./src/report/diagnosis-markdown.ts




/** On a phone's first screens. All of them are in `<details>`. */
const maxFindingsCount = 5;
const maxListedCount = 3;
/** Of one text, UTF-16 units: a name in it may be long. The whole text is in `<details>`. */
const maxSentenceLength = 160;
const maxDetailLength = 160;
const maxFilterLength = 200;
const icons = { error: '\ud83d\udd34', warning: '\ud83d\udfe1', notice: '\ud83d\udd35', none: '\ud83d\udfe2' };
/** The report for the job summary: what a phone shows first has no table and no long word, the numbers follow in `<details>`. */
function diagnosisMarkdown(diagnosis) {
    return joinedParts([
        diagnosisHead(diagnosis),
        breakable(captureText(diagnosis)),
        diagnosisFindings(diagnosis),
        diagnosisDetails(diagnosis),
        details('Capture', captureTable(diagnosis)),
    ]);
}
/** The sentence as a heading, what supports it, and how sure it is. */
function diagnosisHead(diagnosis) {
    const { severity, sentence } = diagnosis;
    return (0,markdown/* joinedParts */.WP)([`## ${icons[severity]} ${(0,markdown/* breakable */.mo)((0,markdown/* shortened */.vI)(sentence, maxSentenceLength))}`, support(diagnosis)]);
}
/** The findings in short, what was checked, and what this capture cannot show. */
function diagnosisFindings(diagnosis) {
    const { clean, withheld, limits, because } = diagnosis;
    const others = [...withheld, ...limits].filter((one) => !isReason(one.text, because));
    return (0,markdown/* joinedParts */.WP)([
        diagnosis_markdown_findings(diagnosis),
        listed('Looked at and clean', clean, { separator: ', ', maxCount: clean.length }),
        listed('Limits of this capture', others, { separator: '; ', maxCount: maxListedCount }),
    ]);
}
/** Why it is not sure belongs to the sentence; why it is sure is in `<details>`. */
function support({ detail, sureness, because }) {
    const why = sureness === 'high' ? '' : ` (${(0,markdown/* breakable */.mo)((0,markdown/* shortened */.vI)(because, maxDetailLength))})`;
    return `${detail === '' ? '' : `${(0,markdown/* breakable */.mo)((0,markdown/* shortened */.vI)(detail, maxDetailLength))}. `}Sure: **${sureness}**${why}.`;
}
function diagnosis_markdown_findings({ findings: all }) {
    const shown = all.slice(0, maxFindingsCount).map(diagnosis_markdown_finding);
    const more = all.length - maxFindingsCount;
    return [...shown, ...(more > 0 ? [`${maxFindingsCount + 1}. ${(0,report_wording/* formatCount */.B4)(more)} more, see below`] : [])].join('\n');
}
/** One line; of the first finding, the next step as well. */
function diagnosis_markdown_finding(one, index) {
    const { severity, title, displayFilter, nextSteps } = one;
    const times = (0,diagnosis_wording/* timesOfDay */.Ak)(one);
    const next = index === 0 ? nextSteps[0] : undefined;
    return [
        `${index + 1}. ${icons[severity]} **${(0,markdown/* breakable */.mo)((0,markdown/* shortened */.vI)(title, maxSentenceLength))}**`,
        ...(times === undefined ? [] : [` \u00b7 ${(0,markdown/* text */.Qq)(times)}`]),
        ...(displayFilter === '' || displayFilter.length > maxFilterLength ? [] : [` \u00b7 ${(0,markdown/* breakableCode */.N8)(displayFilter)}`]),
        ...(next === undefined ? [] : [`<br>**Next:** ${(0,markdown/* breakable */.mo)(next)}`]),
    ].join('');
}
function listed(title, all, { separator, maxCount }) {
    if (all.length === 0)
        return '';
    const more = all.length - maxCount;
    const shown = all.slice(0, maxCount).map((one) => (0,markdown/* breakable */.mo)((0,markdown/* shortened */.vI)(one.text, maxDetailLength)));
    return `**${title}:** ${[...shown, ...(more > 0 ? [`${(0,report_wording/* formatCount */.B4)(more)} more, see below`] : [])].join(separator)}.`;
}
/** The reason beside "Sure" begins with a small letter. */
function isReason(one, other) {
    return one.slice(0, 1).toLowerCase() + one.slice(1) === other;
}
function captureTable({ capture }) {
    const { twoWay, oneWay, copies, otherHosts, dropped, gaps, snapped, tcpConnections } = capture;
    return table([
        ['TCP connections', formatCount(tcpConnections)],
        ['Flows seen in both directions', formatCount(twoWay)],
        ['Flows seen in one direction', formatCount(oneWay)],
        ['Packets seen at several places', formatCount(copies)],
        ['Packets to other hosts, not analyzed', formatCount(otherHosts)],
        ['Packets cut', formatCount(snapped)],
        ['Dropped', formatCount(dropped)],
        ['Gaps', formatCount(gaps)],
    ]);
}

// EXTERNAL MODULE: ./src/report/failure.ts
var report_failure = __webpack_require__(3304);
// EXTERNAL MODULE: ./src/report/address-names.ts
var address_names = __webpack_require__(79423);
// EXTERNAL MODULE: ./src/analysis/details/capture-details.ts + 7 modules
var capture_details = __webpack_require__(48779);
;// CONCATENATED MODULE: ./src/report/hide-names.ts


/** What each finding counts, without a name. */
const phrases = {
    'connection-no-answer': 'connections without an answer',
    'connection-refused': 'connections refused',
    'connection-not-accepted': 'connections not accepted',
    'connection-half-open': 'connections half open',
    'connection-reset': 'connections reset',
    'connection-reset-after-idle': 'connections reset after an idle time',
    'peer-vanished': 'connections whose other side vanished',
    'receiver-stalled': 'connections whose receiver stalled',
    'path-mtu-black-hole': 'connections whose large segments are lost on the path',
    'data-resent': 'data segments sent again',
    'data-late': 'data segments late',
    'dns-unanswered': 'DNS queries without an answer',
    'dns-failed': 'DNS queries that failed',
    'dns-name-missing': 'DNS queries for names that do not exist',
    'dns-slow': 'slow DNS answers',
    'dns-truncated': 'truncated DNS answers',
    'dns-search-list': 'DNS queries that the search list adds',
    'dns-race': 'DNS queries lost in a race',
    'tls-alert': 'TLS connections ended by an alert',
    'tls-to-plain-server': 'TLS connections to a server without TLS',
    'plain-to-tls-server': 'connections without TLS to a server with TLS',
    'tls-closed': 'TLS handshakes closed',
    'certificate-expired': 'expired certificates',
    'certificate-not-yet-valid': 'certificates that are not valid yet',
    'certificate-expires-soon': 'certificates that expire soon',
    'http-server-errors': 'HTTP requests answered with a server error',
    'http-client-errors': 'HTTP requests answered with a client error',
    'http-unanswered': 'HTTP requests without an answer',
    'http-slow': 'slow HTTP answers',
    'grpc-errors': 'gRPC calls that failed',
    'icmp-rejected': 'packets rejected with ICMP',
    'address-missing': 'addresses that no host answers for',
};
/** The diagnosis without addresses and without text from packets: what kinds of findings there are, how many, and when. */
function hideNames(diagnosis) {
    const [first] = diagnosis.findings;
    return {
        ...diagnosis,
        sentence: sentenceOf(diagnosis, first),
        detail: '',
        findings: diagnosis.findings.map(hide_names_hidden),
        withheld: diagnosis.withheld.map(({ id, count, reason }) => ({
            id,
            count,
            reason,
            text: `${(0,report_wording/* formatCount */.B4)(count)} \u00d7 ${phrases[id]} (${reason.replaceAll('-', ' ')})`,
        })),
        servers: [],
        details: (0,capture_details/* withoutNames */.F)(diagnosis.details),
    };
}
/** The lead of the sentence ("Not the network") has no name; the title of the finding behind it may have one. */
function sentenceOf({ sentence }, first) {
    if (first === undefined || first.severity === 'notice')
        return sentence;
    const lead = sentence.endsWith(first.title) ? sentence.slice(0, -first.title.length) : '';
    return `${lead}${titleOf(first)}`;
}
function hide_names_hidden(finding) {
    return {
        ...finding,
        title: titleOf(finding),
        evidence: finding.evidence.map(hiddenEvidence),
        displayFilter: '',
        likelyCauses: [],
        nextSteps: [],
        facts: {},
    };
}
function titleOf({ id, count }) {
    return `${(0,report_wording/* formatCount */.B4)(count)} \u00d7 ${phrases[id]}`;
}
function hiddenEvidence(evidence) {
    const end = { address: 'hidden', port: 0 };
    return { ...evidence, client: end, server: end, backend: undefined };
}

;// CONCATENATED MODULE: ./src/report/shown-diagnosis.ts


/** The diagnosis as the log and the job summary may show it; undefined: nothing of it. */
function shownDiagnosis({ diagnosis: report }, detail) {
    if (report.kind === 'failed' || detail === 'off')
        return undefined;
    return detail === 'full' ? (0,address_names/* withNamedEnds */.my)(report.diagnosis, report.names) : hideNames(report.diagnosis);
}

;// CONCATENATED MODULE: ./src/report/summary.ts








/** GitHub drops a job summary above 1 MiB. */
const maxSummaryBytes = 1_000_000;
/**
 * The job summary: for each capture first what is wrong with the capture itself, then the diagnosis with the file, then everything else where one
 * tap opens it.
 */
function summaryMarkdown(reports, context) {
    const { failures = [] } = context;
    const failed = failures.length === 0 ? [] : [`## \u274c Captures that failed\n\n${(0,report_failure/* problemList */.g)(failures)}`];
    const least = reports.map((report) => section(report, context, 0));
    const shownCount = fittingCount([...failed, ...least].map((part) => Buffer.byteLength(part))) - failed.length;
    const shown = reports.slice(0, Math.max(0, shownCount));
    const leftBytes = maxSummaryBytes - Buffer.byteLength([...failed, ...least.slice(0, shown.length)].join('\n\n'));
    const detailsBytes = Math.max(0, Math.floor(leftBytes / Math.max(1, shown.length)));
    const more = reports.length - shown.length;
    return (0,markdown/* joinedParts */.WP)([
        ...shown.map((report) => section(report, context, detailsBytes)),
        ...failed,
        more === 0
            ? ''
            : `${(0,report_wording/* formatCount */.B4)(more)} more captures are in the output \`result\`: GitHub shows no larger summary.`,
    ]).concat('\n');
}
/** How many parts, from the first, are within the limit. */
function fittingCount(sizesBytes) {
    let leftBytes = maxSummaryBytes;
    const tooLarge = sizesBytes.findIndex((sizeBytes) => (leftBytes -= sizeBytes + 2) < 0);
    return tooLarge === -1 ? sizesBytes.length : tooLarge;
}
/** `detailsBytes`: that the tables and charts of the diagnosis may have */
function section(report, { notes, detail }, detailsBytes) {
    const diagnosis = report.packets === 0 ? undefined : shownDiagnosis(report, detail);
    return (0,markdown/* joinedParts */.WP)([
        ...flaws(report),
        diagnosis === undefined ? headline(report) : diagnosisHead(diagnosis),
        fileLine(report),
        ...report.cautions.map((caution) => (0,markdown/* callout */.xl)('WARNING', caution)),
        ...(report.verdict === 'empty' ? [(0,markdown/* markdownCallout */.ID)('TIP', emptyHint(report))] : []),
        diagnosis === undefined ? withoutDiagnosis(report, detail) : diagnosisFindings(diagnosis),
        ...report.hints.map((hint) => (0,markdown/* callout */.xl)('TIP', hint)),
        ...notes.map((note) => (0,markdown/* callout */.xl)('NOTE', note)),
        diagnosis === undefined ? '' : diagnosis_details_diagnosisDetails(diagnosis, detailsBytes),
        (0,markdown/* details */.zH)('Capture', (0,markdown/* table */.tp)(rows(report))),
        howToOpen(report),
    ]);
}
/** What is wrong with the capture or its delivery, which comes before what it shows. */
function flaws(report) {
    const { verdict, verdictProblem, uploadProblem } = report;
    const problems = [verdictProblem, uploadProblem].filter((problem) => problem !== undefined);
    const isPartial = verdict === 'partial';
    const title = isPartial ? `\u26a0\ufe0f The capture of ${subject(report)} is incomplete` : undefined;
    const failure = uploadProblem ? `\u274c The capture of ${subject(report)} was not uploaded` : undefined;
    const heading = title ?? failure;
    const reason = isPartial && verdictProblem === undefined ? partialReason(report) : '';
    return [heading === undefined ? '' : `## ${heading}`, reason, (0,report_failure/* problemList */.g)(problems)];
}
function partialReason({ verdictReason }) {
    const fix = (0,markdown/* link */.nf)('What to do', (0,document_url/* documentUrl */.L)('docs/troubleshooting.md#reasons-of-a-partial-capture'));
    return `${(0,markdown/* text */.Qq)(verdictReason)}. ${fix}.`;
}
/** Of a capture without a diagnosis. */
function headline(report) {
    const { level, pod, verdict, packets } = report;
    if (verdict === 'empty')
        return `## \u26aa No packet of ${subject(report)} matched`;
    const seen = level === 'node' && pod !== undefined ? ' seen on its node' : '';
    const amount = `${(0,report_wording/* formatCount */.B4)(packets)} ${packets === 1 ? 'packet' : 'packets'} of ${subject(report)}${seen}`;
    return `## ${summary_icons[verdict]} ${amount}, ${verdict}`;
}
const summary_icons = { complete: '\u2705', partial: '\u26a0\ufe0f', empty: '\u26aa' };
function subject({ pod, node }) {
    return pod === undefined ? `node ${(0,markdown/* text */.Qq)(node)}` : `pod ${(0,markdown/* text */.Qq)(pod.name)}`;
}
function withoutDiagnosis({ diagnosis, packets }, detail) {
    if (packets === 0 || diagnosis.kind === 'diagnosed' || detail === 'off')
        return '';
    return `The packets could not be analyzed, which does not affect the file: ${(0,markdown/* text */.Qq)(diagnosis.reason)}`;
}
/** The file, with what it is: the line after the verdict. */
function fileLine(report) {
    const { artifact, pcapPath, packets, verdict } = report;
    const facts = [`${(0,report_wording/* formatCount */.B4)(packets)} ${packets === 1 ? 'packet' : 'packets'}`, verdict, recordedTime(report)];
    const what = facts.filter((fact) => fact !== undefined).join(' \u00b7 ');
    if (artifact)
        return `**${(0,markdown/* unmaskableLink */.yt)(artifact.name, artifact.url)}** \u00b7 ${what}`;
    if (pcapPath === undefined)
        return what;
    const why = report.uploadProblem === undefined ? '`upload: none`' : 'not uploaded';
    return `**The file is on the runner** (${why}): ${(0,markdown/* breakableCode */.N8)(pcapPath)} \u00b7 ${what}. With a hosted runner it is lost at the end of the job, unless a later step stores it.`;
}
/** "61 s from 03:12:45 UTC" */
function recordedTime({ began, recordedSeconds }) {
    const time = (0,report_wording/* isoTime */.Ly)(began)?.slice(11, 19);
    if (time === undefined)
        return undefined;
    return recordedSeconds === undefined ? `from ${time} UTC` : `${Math.round(recordedSeconds)} s from ${time} UTC`;
}
/** Markdown. The packets that the filter left out are not counted, but it is known what the pod listens on. */
function emptyHint({ filter, ports, addresses }) {
    const where = addresses.length === 0
        ? ''
        : ` The pod has the ${addresses.length === 1 ? 'address' : 'addresses'} ${addresses.map(markdown/* text */.Qq).join(' and ')}.`;
    const declared = ports.length === 0
        ? 'It declares no port.'
        : `It declares ${ports.length === 1 ? 'the port' : 'the ports'} ${ports.join(', ')}: the filter ${(0,markdown/* code */.aY)(portFilter(ports))} would match them.`;
    const cause = filter === undefined
        ? 'There was no filter: the interface had no traffic in this time.'
        : 'How many packets there were without the filter is not known: run once more without it.';
    return `${cause}${where} ${declared}`;
}
function portFilter(ports) {
    return ports.map((port) => `port ${port}`).join(' or ');
}
function rows(report) {
    const image = (0,markdown/* breakableCode */.N8)(report.image) + (report.imageId === undefined ? '' : ` as ${(0,markdown/* breakableCode */.N8)(report.imageId)}`);
    return [
        ['Target', target(report)],
        ['Recorded', when(report)],
        ['Interface', `${(0,markdown/* breakableCode */.N8)(report.interface)}, ${report.snaplen} bytes of each packet`],
        ['Filter', report.filter === undefined ? 'none' : (0,markdown/* breakableCode */.N8)(report.filter)],
        ['Packets', `${(0,report_wording/* formatCount */.B4)(report.packets)} (${(0,quantities/* formatSize */.Xq)(report.bytes)})`],
        ['Dropped by kernel', dropped(report)],
        ['Stopped', (0,markdown/* text */.Qq)((0,report_wording/* stopText */.IC)(report))],
        ['Verdict', `**${report.verdict}**: ${(0,markdown/* text */.Qq)(report.verdictReason)}`],
        ...(report.resumed === 0 ? [] : [['Connection', reconnections(report)]]),
        ['SHA-256', (0,markdown/* breakableCode */.N8)(report.sha256)],
        ...(report.usesImage ? [['Image', image]] : []),
        ['Not removed', report.leftovers.length === 0 ? 'nothing' : report.leftovers.map(markdown/* text */.Qq).join('<br>')],
    ];
}
function target({ nodeAccess, pod, node }) {
    const onNode = `node ${(0,markdown/* breakableCode */.N8)(node)}`;
    const inNamespace = pod && `pod ${(0,markdown/* breakableCode */.N8)(pod.name)} in ${(0,markdown/* breakableCode */.N8)(pod.namespace)}`;
    if (nodeAccess === undefined)
        return inNamespace ? `${inNamespace} on ${onNode}` : onNode;
    return `${onNode}, ${nodeAccess}${inNamespace ? `: the traffic of ${inNamespace}` : ''}`;
}
function when({ began, recordedSeconds, pausedSeconds }) {
    const time = (0,report_wording/* isoTime */.Ly)(began);
    if (time === undefined)
        return 'unknown';
    const start = `${time.slice(0, 19).replace('T', ' ')} UTC`;
    const length = recordedSeconds === undefined ? 'until the recorder was lost' : `for ${recordedSeconds.toFixed(1)} s`;
    const pauses = pausedSeconds > 0 ? `, of which paused ${pausedSeconds.toFixed(1)} s` : '';
    return `from ${start} ${length}${pauses}`;
}
function dropped(report) {
    if (report.dropped === undefined)
        return 'unknown: tcpdump did not report it';
    if (report.dropped === 0)
        return '0';
    return `${report.droppedIsUpperBound ? 'at most ' : ''}${(0,report_wording/* formatCount */.B4)(report.dropped)}`;
}
function reconnections({ resumed, verdict }) {
    const times = resumed === 1 ? 'once' : `${(0,report_wording/* formatCount */.B4)(resumed)} times`;
    return `reconnected ${times}${verdict === 'partial' ? '' : ', no data lost'}`;
}
/** The times only where the interface was not there for the whole capture. */
function interfaceText({ index, name, fromSeconds, untilSeconds }) {
    const times = [
        ...(fromSeconds > 0 ? [`from ${fromSeconds} s`] : []),
        ...(untilSeconds === undefined ? [] : [`until ${untilSeconds} s`]),
    ];
    return `${index} ${(0,markdown/* text */.Qq)(name)}${times.length > 0 ? ` (${times.join(', ')})` : ''}`;
}
function howToOpen({ pcapPath, packets, interfaces }) {
    const file = pcapPath?.split(/[\\/]/).at(-1);
    if (file === undefined || packets === 0)
        return '';
    const names = interfaces.map(interfaceText).join(', ');
    return [
        '<details><summary>How to open it</summary>',
        '',
        '- Wireshark: open the downloaded file.',
        `- Terminal: ${(0,markdown/* code */.aY)(`tcpdump -n -r ${shellWord(file)}`)} or ${(0,markdown/* code */.aY)(`tshark -r ${shellWord(file)}`)}`,
        ...(names === '' ? [] : [`- Interfaces by number (the file has only the numbers): ${names}`]),
        '',
        '</details>',
    ].join('\n');
}
/** A file name in a command to paste: the name may be an input, and a shell runs `$(\u2026)` in it. */
function shellWord(name) {
    return /^\w[\w.-]*$/.test(name) ? name : `'./${name.replaceAll("'", String.raw `'\''`)}'`;
}

// EXTERNAL MODULE: ./src/runner/step-files.ts
var step_files = __webpack_require__(51252);
;// CONCATENATED MODULE: ./src/report/diagnosis-text.ts


/** With these the report has at most 60 lines. */
const diagnosis_text_maxFindingsCount = 6;
const diagnosis_text_maxListedCount = 5;
const maxServersCount = 6;
/** The report for a terminal: at most 60 lines, each without characters that a terminal or the log of a job interprets. */
function diagnosisText(diagnosis) {
    return [
        ...head(diagnosis),
        ...diagnosis_text_section('Findings', diagnosis_text_findings(diagnosis)),
        ...diagnosis_text_section('Looked at and clean', clean(diagnosis)),
        ...diagnosis_text_section('Withheld: this capture cannot carry it', limited(diagnosis.withheld.map(({ text }) => text))),
        ...diagnosis_text_section('What this capture cannot show', limited(diagnosis.limits.map(({ text }) => text))),
        ...diagnosis_text_section('Servers: time of the network, and of the application', servers(diagnosis)),
    ]
        .map(indentedLine)
        .join('\n');
}
/** Keeps the indent that is the report's own. */
function indentedLine(line) {
    const indent = /^ */.exec(line)?.[0] ?? '';
    return indent + (0,diagnosis_wording/* safeLine */.om)(line);
}
function head(diagnosis) {
    const { sentence, detail, sureness, because } = diagnosis;
    return [
        sentence,
        ...(detail === '' ? [] : [detail]),
        `Culprit: ${(0,diagnosis_wording/* culpritText */.F7)(diagnosis)}. Sure: ${sureness}, ${because}`,
        `Capture: ${(0,diagnosis_wording/* captureText */.MW)(diagnosis)}`,
    ];
}
function diagnosis_text_section(title, lines) {
    return lines.length === 0 ? [] : ['', `${title}:`, ...lines];
}
function diagnosis_text_findings({ findings: all }) {
    const shown = all.slice(0, diagnosis_text_maxFindingsCount).flatMap(diagnosis_text_finding);
    return all.length > diagnosis_text_maxFindingsCount ? [...shown, `  and ${all.length - diagnosis_text_maxFindingsCount} more: see --json`] : shown;
}
function diagnosis_text_finding(one, index) {
    const { title, displayFilter, likelyCauses, nextSteps } = one;
    return [
        `  ${index + 1}. ${(0,diagnosis_wording/* severityText */.pA)(one)} ${title}`,
        `     ${(0,diagnosis_wording/* evidenceText */.rS)(one)}; filter: ${displayFilter}`,
        `     Likely: ${likelyCauses.slice(0, 2).join('; ')}`,
        `     Next: ${nextSteps[0] ?? ''}`,
    ];
}
function clean({ clean: checks }) {
    return checks.length === 0 ? [] : [`  ${checks.map(({ text }) => text).join(', ')}`];
}
function limited(texts) {
    const shown = texts.slice(0, diagnosis_text_maxListedCount).map((text) => `  - ${text}`);
    return texts.length > diagnosis_text_maxListedCount ? [...shown, `  and ${texts.length - diagnosis_text_maxListedCount} more: see --json`] : shown;
}
function servers({ servers: all }) {
    const shown = all.slice(0, maxServersCount).map((times) => `  ${serverLine(times)}`);
    return all.length > maxServersCount ? [...shown, `  and ${all.length - maxServersCount} more: see --json`] : shown;
}
function serverLine(times) {
    const parts = [
        ['round trip', (0,diagnosis_wording/* timesText */.Aq)(times.roundTrip)],
        ['answers', (0,diagnosis_wording/* timesText */.Aq)(times.thinkTime)],
        ['stalled', (0,diagnosis_wording/* stallText */.e3)(times)],
    ].filter((part) => part[1] !== undefined);
    const measured = parts.map(([name, text]) => `${name} ${text}`).join('; ');
    return `${(0,wording/* endpointText */.HO)(times.server)}: ${measured === '' ? 'nothing measured' : measured}`;
}

;// CONCATENATED MODULE: ./src/app/result-problems.ts

/** What the inputs say of the verdict of a capture. */
function verdictSeverity({ verdict }, { ifIncomplete, ifEmpty }) {
    if (verdict === 'complete')
        return 'ignore';
    return verdict === 'empty' ? ifEmpty : ifIncomplete;
}
/** What the inputs say of the diagnosis of a capture. */
function findingSeverity({ diagnosis: report }, { ifFinding }) {
    if (report.kind === 'failed' || ifFinding === 'ignore')
        return 'ignore';
    const { severity } = report.diagnosis;
    if (severity === 'error')
        return ifFinding;
    return severity === 'warning' ? 'warn' : 'ignore';
}
/** The report with the problems that fail the step, as the inputs say. `sentence`: of its diagnosis, as it may be shown */
function withProblems(report, severities, sentence) {
    return {
        ...report,
        verdictProblem: verdictSeverity(report, severities) === 'error' ? verdictProblem(report) : undefined,
        findingProblem: findingSeverity(report, severities) === 'error' ? findingProblem(report, sentence) : undefined,
    };
}
/** `pod web-1 in shop is partial: 3 packets were dropped`. */
function verdictClause(report) {
    return `${(0,report_wording/* subjectText */.yq)(report)} is ${report.verdict}: ${report.verdictReason}`;
}
function verdictProblem(report) {
    const problem = `the capture of ${verdictClause(report)}`;
    if (report.verdict === 'empty') {
        return {
            code: 'E_CAPTURE_EMPTY',
            input: 'if-empty',
            problem,
            fix: 'Check the `filter` and the `interface`, and that there was traffic. Set `if-empty: warn` to keep the step successful.',
        };
    }
    return {
        code: 'E_CAPTURE_INCOMPLETE',
        input: 'if-incomplete',
        problem,
        fix: 'Set `if-incomplete: warn` to keep the step successful.',
        docs: 'docs/troubleshooting.md#reasons-of-a-partial-capture',
    };
}
function findingProblem(report, sentence) {
    return {
        code: 'E_FINDING',
        input: 'if-finding',
        problem: `the diagnosis of ${(0,report_wording/* subjectText */.yq)(report)} has a finding of the severity error${sentence === undefined ? '' : `: ${sentence}`}`,
        fix: 'The job summary has the evidence. Set `if-finding: warn` to keep the step successful.',
    };
}

;// CONCATENATED MODULE: ./src/app/diagnosis-log.ts




/** The whole diagnosis in a group of the log. */
async function logDiagnosis(report, { log, summary }) {
    if (report.diagnosis.kind === 'failed') {
        log.warning(`The capture of ${(0,report_wording/* subjectText */.yq)(report)} could not be analyzed, which does not affect the file: ${report.diagnosis.reason}`);
        return;
    }
    const diagnosis = shownDiagnosis(report, summary);
    if (diagnosis === undefined || report.packets === 0)
        return;
    await log.group('Diagnosis', () => {
        for (const line of diagnosisText(diagnosis).split('\n'))
            log.info(line);
        return Promise.resolve();
    });
}
/** The sentence of the diagnosis, as one annotation. An empty capture has one of its own. */
function announceDiagnosis(report, delivery) {
    const diagnosis = shownDiagnosis(report, delivery.summary);
    if (diagnosis === undefined || report.packets === 0)
        return;
    const text = `Diagnosis of ${(0,report_wording/* subjectText */.yq)(report)}: ${diagnosis.sentence}.`;
    if (findingSeverity(report, delivery) === 'warn')
        delivery.log.warning(text);
    else
        delivery.log.notice(text);
}

// EXTERNAL MODULE: ./src/app/outputs.ts + 1 modules
var outputs = __webpack_require__(96073);
// EXTERNAL MODULE: external "node:fs/promises"
var promises_ = __webpack_require__(51455);
// EXTERNAL MODULE: external "node:path"
var external_node_path_ = __webpack_require__(76760);
// EXTERNAL MODULE: ./src/common/gc.ts
var gc = __webpack_require__(25503);
// EXTERNAL MODULE: ./src/common/library-proxy.ts
var library_proxy = __webpack_require__(88179);
// EXTERNAL MODULE: ./src/common/system-authorities.ts
var system_authorities = __webpack_require__(88936);
// EXTERNAL MODULE: external "node:http"
var external_node_http_ = __webpack_require__(37067);
;// CONCATENATED MODULE: ./src/runner/upload-error.ts



const maxRetryAfterMs = 60_000;
const maxMessageCharacters = 1_000;
const maxPageCharacters = 4_000;
/** Explains why an upload failed. The results service's client reports the status in its message alone, the blob store's beside it. */
function explainUpload(thrown) {
    const error = thrown instanceof Error ? thrown : new Error((0,errors/* messageOf */.bD)(thrown));
    const message = wordsOf(error);
    const known = knownProblem(message);
    if (known !== undefined)
        return { problem: { ...known, message }, isTransient: false, retryAfterMs: 0 };
    const status = error.statusCode ?? statusIn(message);
    const isTransient = status === undefined ? isConnectionError(error) : isTransientStatus(status);
    const retryAfterMs = retryAfterOf(error);
    return {
        problem: {
            code: 'E_ARTIFACT_UPLOAD',
            input: 'artifact-name',
            message,
            ...causeOf(error, status, message),
        },
        isTransient,
        retryAfterMs,
    };
}
/** The status with its name, then the words of the server. For an answer without words the blob store's client has only its own name. */
function wordsOf(error) {
    const { statusCode: status, response } = error;
    const words = [error.message, response?.bodyAsText ?? '']
        .map(withoutTags)
        .find((text) => text !== '' && text !== error.name);
    if (status === undefined)
        return words ?? (typeof error.code === 'string' ? error.code : error.name);
    const title = `${status} ${external_node_http_.STATUS_CODES[status] ?? ''}`.trim();
    return words === undefined ? title : `${title}: ${words}`;
}
/** The text of a page in HTML, which a proxy sends. */
function withoutTags(text) {
    return (0,remote_text/* toOneLine */.GX)(text.slice(0, maxPageCharacters).replace(/<[^<>]*>/g, ' '), maxMessageCharacters);
}
function knownProblem(message) {
    if (/\b409\b|already exists/i.test(message)) {
        return {
            code: 'E_ARTIFACT_NAME_TAKEN',
            input: 'artifact-name',
            problem: 'an artifact of this name exists in this run already',
            fix: 'Set `artifact-name` to another name.',
        };
    }
    if (/quota|insufficient usage/i.test(message)) {
        return {
            code: 'E_ARTIFACT_QUOTA',
            input: 'retention-days',
            problem: 'the artifact storage of the account is full',
            fix: 'Free or raise the artifact storage of the account, or lower `retention-days`.',
        };
    }
    return undefined;
}
/** `Failed request: (502) Bad Gateway`, of the results service's client. */
function statusIn(message) {
    const [, status] = /\((\d{3})\)/.exec(message) ?? [];
    return status === undefined ? undefined : Number(status);
}
function isTransientStatus(status) {
    return [408, 425, 429].includes(status) || (status >= 500 && status !== 501 && status !== 505);
}
/** No answer, or one that is not the service's: a proxy's page in place of JSON. Not an error of the file, and not an untrusted certificate. */
function isConnectionError({ code, message }) {
    if (typeof code === 'string')
        return connectionErrorCode.test(code);
    return /stalled|after \d+ attempts/i.test(message);
}
/** of Node.js (errno, undici, streams) and of the blob store's client */
const connectionErrorCode = /^(E(CONN\w+|TIMEDOUT|PIPE|HOSTUNREACH|NETUNREACH|NOTFOUND|AI_AGAIN)|UND_ERR_\w+|ERR_STREAM_PREMATURE_CLOSE|REQUEST_SEND_ERROR)$/;
function retryAfterOf({ response }) {
    const seconds = Number(response?.headers?.get('retry-after') ?? 0);
    return seconds > 0 ? Math.min(seconds * 1_000, maxRetryAfterMs) : 0;
}
function causeOf(error, status, message) {
    if (error.statusCode !== undefined) {
        return status === 403
            ? {
                problem: 'the blob store rejected the data (403)',
                fix: 'Its signed address has expired, or a proxy blocks it. Run the job again; check the proxy of the runner.',
            }
            : { problem: 'the blob store did not accept the data', fix: 'Run the job again; check the proxy of the runner.' };
    }
    if (/not valid JSON|Unexpected token/i.test(message)) {
        return {
            problem: 'the results service did not answer with JSON',
            fix: 'A proxy may answer in its place: check the proxy of the runner. Run the job again.',
        };
    }
    if (status === 401 || status === 403) {
        return { problem: 'the results service rejects the token of the job', fix: 'Run the job again.' };
    }
    return { problem: 'the artifact cannot be uploaded', fix: 'Run the job again.' };
}

// EXTERNAL MODULE: ./src/runner/workflow-commands.ts
var workflow_commands = __webpack_require__(91520);
;// CONCATENATED MODULE: ./src/runner/artifact.ts








/** An upload that failed. */
class UploadError extends errors/* ConfigurationError */.j1 {
    name = 'UploadError';
    /** whether another try may succeed */
    isTransient;
    /** how long the server asks to wait before that */
    retryAfterMs;
    constructor(cause) {
        const { problem, isTransient, retryAfterMs } = explainUpload(cause);
        super(problem, { cause });
        this.isTransient = isTransient;
        this.retryAfterMs = retryAfterMs;
    }
}
/**
 * Uploads one file as it is (not zipped), so that it opens with a click. The artifact is named after the file.
 * @throws UploadError
 */
async function uploadRaw(path, name, retentionDays) {
    // The client holds 8 MiB for each block in flight, and five blocks by default: more memory than the rest of this process.
    process.env['ACTIONS_ARTIFACT_UPLOAD_CONCURRENCY'] ??= '2';
    (0,system_authorities/* trustSystemAuthorities */.$)();
    const collecting = setInterval(() => (0,gc/* freeBuffers */.S)('major'), 100);
    try {
        const options = { skipArchive: true, ...(retentionDays === undefined ? {} : { retentionDays }) };
        // It prints the name of the artifact, and what the service answers.
        const { id, digest, size } = await (0,workflow_commands/* withLibraryOutput */.h)(remote_text/* plain */.pj, () => (0,library_proxy/* withProxyRules */.E)(async () => {
            // It reads the proxy already while it is loaded, and fails for SOCKS.
            const { DefaultArtifactClient } = await Promise.all(/* import() */[__webpack_require__.e(830), __webpack_require__.e(659), __webpack_require__.e(584)]).then(__webpack_require__.bind(__webpack_require__, 20584));
            return new DefaultArtifactClient().uploadArtifact(name, [path], (0,external_node_path_.dirname)(path), options);
        }));
        if (id === undefined || digest === undefined)
            throw new Error('the service returned no artifact id');
        return { id, name, digest, sizeBytes: size ?? 0 };
    }
    catch (error) {
        throw new UploadError(error);
    }
    finally {
        clearInterval(collecting);
    }
}

;// CONCATENATED MODULE: ./src/app/upload.ts






/** How long to wait before the second and the third try. The libraries try single requests again by themselves, for about 30 s. */
const waitsMs = [2_000, 10_000];
/** No try is decided on later than this after the first one of the run: a stalled upload takes the library 5 minutes to notice. */
const maxTryingMs = 600_000;
/**
 * Uploads one file, several times where the cause may pass: the file on a hosted runner is lost with the job. The artifact has another name
 * where the first one was taken.
 * @throws Cancelled, when a cancel came between two tries
 */
async function uploadFile(path, context) {
    return new Upload(path, context).run();
}
/** One file on its way to an artifact. */
class Upload {
    #path;
    #context;
    /** of the artifact, and of the file that it is made from */
    #name;
    #namesTaken = 0;
    /** The name may be taken by an upload of this job that did not end: of an earlier try, or of main, which a cancel cut off. */
    #mayBeTakenByUs;
    constructor(path, context) {
        this.#path = path;
        this.#context = context;
        this.#name = (0,external_node_path_.basename)(path);
        this.#mayBeTakenByUs = context.isPost;
    }
    async run() {
        for (let tries = 1;; tries += 1) {
            try {
                return { artifact: await this.#tryNames() };
            }
            catch (error) {
                const isLate = Date.now() - this.#context.beganMs > maxTryingMs;
                const waitMs = isLate ? undefined : waitsMs[tries - 1];
                if (waitMs === undefined || !(error instanceof UploadError) || !error.isTransient) {
                    return { problem: problemOf(error) };
                }
                await this.#waitAfter(error, Math.max(waitMs, error.retryAfterMs));
            }
        }
    }
    async #waitAfter(error, ms) {
        const { log, cancel } = this.#context;
        log.info(`The upload failed: ${(0,errors/* renderProblem */.yM)(error.problems[0])}`);
        log.info(`It is tried again in ${Math.round(ms / 1_000)} s`);
        this.#mayBeTakenByUs = true;
        await (0,timeouts/* pause */.v7)(ms, cancel);
        if (cancel?.aborted)
            throw new errors/* Cancelled */.cJ('The upload was cancelled between two tries.');
    }
    /** One try. An artifact cannot be replaced, so a name that an earlier try has taken cannot be used again. */
    async #tryNames() {
        try {
            return await this.#upload();
        }
        catch (error) {
            const isTaken = error instanceof UploadError && error.problems[0].code === 'E_ARTIFACT_NAME_TAKEN';
            if (!isTaken || !this.#mayBeTakenByUs)
                throw error;
        }
        this.#mayBeTakenByUs = false;
        this.#name = this.#nextName();
        return this.#upload();
    }
    #nextName() {
        this.#namesTaken += 1;
        const count = this.#namesTaken;
        const suffix = this.#context.isPost ? (count === 1 ? '-post' : `-post-${count}`) : `-${count + 1}`;
        const extension = (0,external_node_path_.extname)(this.#path);
        return `${(0,external_node_path_.basename)(this.#path, extension)}${suffix}${extension}`;
    }
    /** An artifact is named after its file. The file itself keeps its name: post looks for it there when main is killed now. */
    async #upload() {
        const { job, log, retentionDays, uploadFile: upload = uploadRaw } = this.#context;
        const path = (0,external_node_path_.join)((0,external_node_path_.dirname)(this.#path), this.#name);
        if (path !== this.#path)
            await (0,promises_.link)(this.#path, path).catch(() => (0,promises_.copyFile)(this.#path, path));
        try {
            const { size } = await (0,promises_.stat)(this.#path);
            const { id, digest } = await log.group(`Upload ${this.#name} (${(0,quantities/* formatSize */.Xq)(size)})`, () => upload(path, this.#name, retentionDays));
            return { id, name: this.#name, digest, url: job.artifactUrl(id) };
        }
        finally {
            if (path !== this.#path)
                await (0,promises_.rm)(path, { force: true });
        }
    }
}
function problemOf(error) {
    if (error instanceof errors/* ConfigurationError */.j1)
        return error.problems[0];
    return {
        code: 'E_ARTIFACT_UPLOAD',
        input: 'artifact-name',
        problem: 'the artifact cannot be uploaded',
        message: (0,errors/* messageOf */.bD)(error),
        fix: 'Run the job again.',
    };
}

;// CONCATENATED MODULE: ./src/app/deliver.ts











/** Of the 7.5 s between SIGINT and SIGTERM: the time for an upload to end. */
const uploadGraceMs = 3_000;
/**
 * Uploads the captures and reports them: log, outputs and summary. Undefined when a cancel cut the upload off: then nothing was reported, and
 * post does all of it.
 */
async function deliver({ reports, notes = [], failures = [] }, delivery, cancel) {
    for (const report of reports)
        await logDiagnosis(report, delivery);
    const uploads = uploadAll(reports, delivery, cancel);
    const afterCancel = async (signal) => {
        await (0,timeouts/* whenAborted */.eG)(signal);
        return (0,timeouts/* orTimeout */.TO)(uploads, uploadGraceMs);
    };
    const uploaded = await (cancel ? Promise.race([uploads, afterCancel(cancel)]) : uploads);
    if (uploaded === timeouts/* timedOut */.iU || uploaded === undefined)
        return undefined;
    const finished = uploaded.map((report) => withProblems(report, delivery, shownDiagnosis(report, delivery.summary)?.sentence));
    let reportingCode;
    // What one file does not accept may fit into the others: a full disk has room for none of the runner's files.
    for (const write of [
        () => Promise.resolve((0,outputs/* setOutputs */.n)(finished)),
        () => (0,step_files/* writeSummary */.Sy)(summaryMarkdown(finished, { notes, failures, detail: delivery.summary })),
    ]) {
        try {
            await write();
        }
        catch (error) {
            reportingCode = 'E_RESULT_NOT_REPORTED'; // also in post: otherwise the job would succeed without a result
            delivery.log.failure(`The result cannot be written for the runner: ${(0,errors/* messageOf */.bD)(error)}`);
        }
    }
    for (const report of finished)
        announce(report, delivery);
    return { errorCode: reportingCode ?? finished.flatMap(problemsOf)[0]?.code };
}
/** @returns undefined when a cancel came between two tries */
async function uploadAll(reports, delivery, cancel) {
    if (delivery.upload === 'none')
        return reports;
    const context = { ...delivery, cancel, beganMs: Date.now() };
    const uploaded = [];
    try {
        for (const report of reports)
            uploaded.push(await uploadReport(report, context));
    }
    catch (error) {
        if (error instanceof errors/* Cancelled */.cJ)
            return undefined;
        throw error;
    }
    return uploaded;
}
/** The capture, then its findings.json: a failure of the second is only a warning. */
async function uploadReport(report, context) {
    if (report.pcapPath === undefined)
        return { ...report, uploadProblem: nothingArrived };
    const capture = await uploadFile(report.pcapPath, context);
    if ('problem' in capture)
        return { ...report, uploadProblem: capture.problem };
    return { ...report, artifact: capture.artifact, diagnosis: await uploadFindings(report.diagnosis, context) };
}
async function uploadFindings(diagnosis, context) {
    if (diagnosis.kind === 'failed' || diagnosis.findingsPath === undefined)
        return diagnosis;
    // What is left of the time belongs to the report of the capture, which is uploaded: otherwise post would upload it again.
    if (context.cancel?.aborted)
        return diagnosis;
    const findings = await uploadFile(diagnosis.findingsPath, context);
    if ('artifact' in findings)
        return { ...diagnosis, findingsArtifact: findings.artifact };
    context.log.warning(`The findings were not uploaded: ${(0,errors/* renderProblem */.yM)(findings.problem)}`);
    return diagnosis;
}
const nothingArrived = {
    code: 'E_CAPTURE_INCOMPLETE',
    input: 'pod',
    problem: 'no bytes of the capture arrived, so there is nothing to upload',
    fix: 'The verdict has the reason.',
};
/** The result in the log and in annotations. */
function announce(report, delivery) {
    const { log, isPost } = delivery;
    const fail = (message) => (isPost ? log.warning(message) : log.failure(message));
    const { artifact, pcapPath } = report;
    if (artifact)
        log.info(`Artifact: ${artifact.url}`);
    if (pcapPath !== undefined)
        log.info(`File: ${pcapPath}`);
    const sentence = `The capture of ${verdictClause(report)}.`;
    if (report.verdictProblem)
        fail((0,errors/* renderProblem */.yM)(report.verdictProblem));
    else if (verdictSeverity(report, delivery) === 'warn')
        log.warning(sentence);
    else
        log.info(sentence);
    if (report.findingProblem)
        fail((0,errors/* renderProblem */.yM)(report.findingProblem));
    else
        announceDiagnosis(report, delivery);
    if (report.uploadProblem) {
        const file = pcapPath === undefined ? '' : ` The file stays on the runner: ${pcapPath}`;
        fail(`The capture of ${(0,report_wording/* subjectText */.yq)(report)} was not uploaded: ${(0,errors/* renderProblem */.yM)(report.uploadProblem)}${file}`);
    }
}


/***/ }),

/***/ 84377:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {


// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  T: () => (/* binding */ nameDiagnosis),
  Q: () => (/* binding */ writeFindings)
});

// EXTERNAL MODULE: external "node:fs/promises"
var promises_ = __webpack_require__(51455);
// EXTERNAL MODULE: external "node:path"
var external_node_path_ = __webpack_require__(76760);
// EXTERNAL MODULE: ./src/cluster/list.ts
var cluster_list = __webpack_require__(32772);
// EXTERNAL MODULE: ./src/cluster/pod.ts
var cluster_pod = __webpack_require__(81585);
// EXTERNAL MODULE: ./src/cluster/rights.ts + 1 modules
var rights = __webpack_require__(12597);
;// CONCATENATED MODULE: ./src/cluster/address-names.ts



const listPods = { verb: 'list', group: '', resource: 'pods' };
const listServices = { verb: 'list', group: '', resource: 'services' };
/**
 * Names for the addresses of the pods, services and nodes that the namespace's objects show, as far as the user may list them: nothing is
 * requested that is not allowed. @throws ApiError, ConfigurationError
 */
async function addressNames(connection, namespace) {
    const missing = await (0,rights/* missingRights */.o7)(connection, namespace, [listPods, listServices]);
    const mayList = (right) => !missing.includes(right);
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}`;
    const list = (right) => mayList(right)
        ? (0,cluster_list/* listObjects */.L)(connection, {
            path: `${path}/${right.resource}`,
            labelSelector: '',
            what: `the ${right.resource}`,
        })
        : Promise.resolve([]);
    const [pods, services] = await Promise.all([list(listPods), list(listServices)]);
    return new Map([...nodeNames(pods), ...serviceNames(services), ...podNames(pods)]);
}
/** A pod that has ended may have an address that another pod has got since. */
function podNames(pods) {
    return pods.flatMap((pod) => {
        const { metadata, spec, status } = pod;
        const isOver = status?.phase === 'Succeeded' || status?.phase === 'Failed';
        const name = metadata?.name;
        if (name === undefined || isOver || spec?.hostNetwork === true)
            return [];
        return (0,cluster_pod/* addressesOf */.sO)(pod).map((address) => [address, name]);
    });
}
function serviceNames(services) {
    return services.flatMap(({ metadata, spec }) => {
        const name = metadata?.name;
        const single = spec?.clusterIP === undefined ? [] : [spec.clusterIP];
        if (name === undefined)
            return [];
        return (spec?.clusterIPs ?? single)
            .filter((address) => address !== 'None' && address !== '')
            .map((address) => [address, `service ${name}`]);
    });
}
function nodeNames(pods) {
    return pods.flatMap(({ spec, status }) => {
        const name = spec?.nodeName;
        if (name === undefined || status?.hostIP === undefined)
            return [];
        return [[status.hostIP, `node ${name}`]];
    });
}

// EXTERNAL MODULE: ./src/common/errors.ts
var errors = __webpack_require__(71922);
// EXTERNAL MODULE: ./src/common/timeouts.ts
var timeouts = __webpack_require__(79005);
// EXTERNAL MODULE: ./src/report/address-names.ts
var address_names = __webpack_require__(79423);
// EXTERNAL MODULE: ./src/report/findings-json.ts
var findings_json = __webpack_require__(4497);
;// CONCATENATED MODULE: ./src/app/diagnosis-report.ts







/** Names are a help for the reader: the result does not wait longer for them. */
const namesTimeoutMs = 3_000;
/**
 * What is reported of a diagnosis: with names in place of addresses, as far as the user's rights go. `connection`: undefined where the
 * cluster is not asked
 */
async function nameDiagnosis(outcome, { record, path }, connection) {
    if (outcome.kind === 'failed')
        return outcome;
    const { diagnosis } = outcome;
    const own = ownNames(record.target);
    const others = [...(0,address_names/* addressesIn */.Mh)(diagnosis)].filter((address) => !own.has(address));
    const found = others.length > 0 && connection ? await namesIn(record.target, connection) : new Map();
    const names = new Map([...found, ...own]);
    return {
        kind: 'diagnosed',
        diagnosis: (0,address_names/* withNames */.B1)(diagnosis, names),
        names,
        fileName: (0,external_node_path_.basename)(path ?? record.path),
        findingsPath: undefined,
        findingsArtifact: undefined,
    };
}
function ownNames(target) {
    return new Map(target.kind === 'pod' ? target.addresses.map((address) => [address, target.pod]) : []);
}
async function namesIn(target, connection) {
    if (target.kind === 'node')
        return new Map();
    const names = addressNames(connection, target.namespace).catch(() => new Map());
    const found = await (0,timeouts/* orTimeout */.TO)(names, namesTimeoutMs);
    return found === timeouts/* timedOut */.iU ? new Map() : found;
}
/** Writes findings.json beside the capture. A failure is a warning: the diagnosis is in the log and in the summary, too. */
async function writeFindings(report, { path }, log) {
    if (report.kind === 'failed' || path === undefined)
        return report;
    const findingsPath = path.replace(/\.pcap$/, '-findings.json');
    try {
        await (0,promises_.writeFile)(findingsPath, `${(0,findings_json/* findingsJson */.p)(report.diagnosis, report.fileName)}\n`, { mode: 0o600 });
        return { ...report, findingsPath };
    }
    catch (error) {
        log.warning(`The findings cannot be written to ${findingsPath}: ${(0,errors/* messageOf */.bD)(error)}`);
        return report;
    }
}


/***/ }),

/***/ 54206:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {


// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  q8: () => (/* binding */ LiveDiagnosis),
  $6: () => (/* binding */ diagnoseFile),
  lN: () => (/* binding */ loadAnalysis)
});

// EXTERNAL MODULE: ./src/common/errors.ts
var errors = __webpack_require__(71922);
// EXTERNAL MODULE: external "node:events"
var external_node_events_ = __webpack_require__(78474);
// EXTERNAL MODULE: external "node:fs/promises"
var promises_ = __webpack_require__(51455);
// EXTERNAL MODULE: external "node:zlib"
var external_node_zlib_ = __webpack_require__(38522);
;// CONCATENATED MODULE: ./src/pcap/capture-format.ts
/** MAXIMUM_SNAPLEN of libpcap is 262144; BIG TCP needs up to 512 KiB. Wireshark stops at a larger claim, too. */
const maxPacketBytes = 1_048_576;
function word(buffer, at, littleEndian) {
    return littleEndian
        ? (buffer[at] | (buffer[at + 1] << 8) | (buffer[at + 2] << 16) | (buffer[at + 3] << 24)) >>> 0
        : ((buffer[at] << 24) | (buffer[at + 1] << 16) | (buffer[at + 2] << 8) | buffer[at + 3]) >>> 0;
}
function halfWord(buffer, at, littleEndian) {
    return littleEndian ? buffer[at] | (buffer[at + 1] << 8) : (buffer[at] << 8) | buffer[at + 1];
}

;// CONCATENATED MODULE: ./src/pcap/pcap-section.ts

/** By the first four bytes, read as a big-endian number. */
const magics = new Map([
    [0xd4c3b2a1, { format: 'pcap usec', littleEndian: true }],
    [0xa1b2c3d4, { format: 'pcap usec', littleEndian: false }],
    [0x4d3cb2a1, { format: 'pcap nsec', littleEndian: true }],
    [0xa1b23c4d, { format: 'pcap nsec', littleEndian: false }],
    [0x34cdb2a1, { format: 'pcap modified (Kuznetzov)', littleEndian: true }],
    [0xa1b2cd34, { format: 'pcap modified (Kuznetzov)', littleEndian: false }],
]);
const pcapHeaderBytes = 24;
function pcapMagic(buffer, at) {
    return magics.get(word(buffer, at, false));
}
/** The records of one pcap file. Formats: draft-ietf-opsawg-pcap; Wireshark, wiretap/libpcap.h for the modified one. */
class PcapSection {
    problem = '';
    skippedBytes = 0;
    version;
    interface;
    #littleEndian;
    #recordHeaderBytes;
    #nsPerUnit;
    #packet;
    #interfaceId;
    /** `at` is where the file header of 24 bytes is. */
    constructor(buffer, at, packet, interfaceId) {
        const { format, littleEndian } = pcapMagic(buffer, at) ?? { format: 'pcap usec', littleEndian: true };
        this.#littleEndian = littleEndian;
        this.#recordHeaderBytes = format === 'pcap modified (Kuznetzov)' ? 24 : 16;
        this.#nsPerUnit = format === 'pcap nsec' ? 1 : 1_000;
        this.#packet = packet;
        this.#interfaceId = interfaceId;
        this.version = `${halfWord(buffer, at + 4, littleEndian)}.${halfWord(buffer, at + 6, littleEndian)}`;
        const linkType = word(buffer, at + 20, littleEndian) & 0xffff;
        this.interface = { linkType, snaplen: word(buffer, at + 16, littleEndian), name: undefined };
    }
    itemBytes(buffer, at, available) {
        if (available < this.#recordHeaderBytes)
            return this.#recordHeaderBytes;
        const capturedLength = word(buffer, at + 8, this.#littleEndian);
        if (isSectionStart(buffer, at, this.#littleEndian))
            return 0;
        if (capturedLength > maxPacketBytes) {
            this.problem = `a packet claims ${capturedLength} bytes`;
            return -1;
        }
        return this.#recordHeaderBytes + capturedLength;
    }
    take(buffer, at, itemBytes) {
        const packet = this.#packet;
        packet.buffer = buffer;
        packet.offset = at + this.#recordHeaderBytes;
        packet.capturedLength = itemBytes - this.#recordHeaderBytes;
        packet.originalLength = word(buffer, at + 12, this.#littleEndian);
        packet.seconds = word(buffer, at, this.#littleEndian);
        packet.nanoseconds = word(buffer, at + 4, this.#littleEndian) * this.#nsPerUnit;
        packet.linkType = this.interface.linkType;
        packet.interfaceId = this.#interfaceId;
        return true;
    }
}
/** Two captures that were put one behind the other (a reconnect): the header of the second is where a record is expected. */
function isSectionStart(buffer, at, littleEndian) {
    const first = buffer[at];
    if (first !== 0xd4 && first !== 0xa1 && first !== 0x4d && first !== 0x34)
        return false;
    const magic = pcapMagic(buffer, at);
    if (magic === undefined || magic.littleEndian !== littleEndian)
        return false;
    return halfWord(buffer, at + 4, littleEndian) === 2 && halfWord(buffer, at + 6, littleEndian) === 4;
}

;// CONCATENATED MODULE: ./src/pcap/pcapng-section.ts

const block = { interface: 1, packet: 2, simplePacket: 3, statistics: 5, enhancedPacket: 6 };
const customBlock = 0x0bad;
const localCustomBlock = 0x40000bad;
const sectionHeaderBlock = 0x0a0d0d0a;
const sectionHeaderBytes = 28;
/** A packet of `maxPacketBytes` and its options. Other blocks may be larger, their content is not read. */
const maxBlockBytes = maxPacketBytes + 65_536;
const maxInterfacesCount = 65_536;
const maxBlockTypesCount = 64;
/** The blocks of a pcapng file. Format: draft-ietf-opsawg-pcapng. Each section has its own byte order and its own interfaces. */
class PcapngSection {
    problem = '';
    skippedBytes = 0;
    version = '';
    sections = 0;
    reportedDrops = 0;
    customBlocks = 0;
    /** number of blocks by their type, without enhanced packet blocks */
    #otherBlocks = new Map();
    #enhancedPackets = 0;
    /** of all sections, in the order of the file */
    interfaces = [];
    littleEndian = true;
    #packet;
    /** of this section */
    #interfaces = [];
    /** number of interfaces of earlier sections */
    #interfaceBase = 0;
    constructor(packet) {
        this.#packet = packet;
    }
    itemBytes(buffer, at, available) {
        this.skippedBytes = 0;
        if (available < 12)
            return 12;
        const isSection = word(buffer, at, false) === sectionHeaderBlock;
        const littleEndian = isSection ? buffer[at + 8] === 0x4d : this.littleEndian;
        if (isSection && word(buffer, at + 8, littleEndian) !== 0x1a2b3c4d)
            return this.#fail('a section has no byte-order magic');
        const totalBytes = word(buffer, at + 4, littleEndian);
        if (totalBytes < (isSection ? sectionHeaderBytes : 12) || totalBytes % 4 !== 0)
            return this.#fail(`a block claims ${totalBytes} bytes`);
        if (totalBytes <= maxBlockBytes)
            return this.#checkEnd(buffer, at, { available, totalBytes, littleEndian });
        const type = word(buffer, at, littleEndian);
        if (isSection || type <= block.enhancedPacket)
            return this.#fail(`a block claims ${totalBytes} bytes`);
        this.skippedBytes = totalBytes - 12;
        return 12;
    }
    take(buffer, at, itemBytes) {
        const type = word(buffer, at, this.littleEndian);
        if (type === block.enhancedPacket)
            return this.#takeEnhanced(buffer, at, itemBytes);
        const count = this.#otherBlocks.get(type) ?? 0;
        if (count > 0 || this.#otherBlocks.size < maxBlockTypesCount)
            this.#otherBlocks.set(type, count + 1);
        if (type === customBlock || type === localCustomBlock)
            this.customBlocks += 1;
        if (this.skippedBytes > 0)
            return false;
        if (word(buffer, at, false) === sectionHeaderBlock)
            this.#takeSection(buffer, at);
        else if (type === block.interface)
            this.#takeInterface(buffer, at, itemBytes);
        else if (type === block.simplePacket)
            return this.#takeSimple(buffer, at, itemBytes);
        else if (type === block.packet)
            return this.#takePacket(buffer, at, itemBytes);
        else if (type === block.statistics)
            this.#takeStatistics(buffer, at, itemBytes);
        return false;
    }
    /** Number of blocks by their type. */
    blocks() {
        return this.#enhancedPackets === 0
            ? this.#otherBlocks
            : new Map([...this.#otherBlocks, [block.enhancedPacket, this.#enhancedPackets]]);
    }
    #checkEnd(buffer, at, item) {
        const { available, totalBytes, littleEndian } = item;
        if (available >= totalBytes && word(buffer, at + totalBytes - 4, littleEndian) !== totalBytes) {
            return this.#fail(`a block of ${totalBytes} bytes ends with another length`);
        }
        return totalBytes;
    }
    #fail(problem) {
        this.problem = problem;
        return -1;
    }
    #takeSection(buffer, at) {
        this.littleEndian = buffer[at + 8] === 0x4d;
        if (this.sections === 0)
            this.version = `${halfWord(buffer, at + 12, this.littleEndian)}.${halfWord(buffer, at + 14, this.littleEndian)}`;
        this.sections += 1;
        this.#interfaceBase += this.#interfaces.length;
        this.#interfaces = [];
    }
    #takeInterface(buffer, at, itemBytes) {
        if (itemBytes < 20 || this.interfaces.length >= maxInterfacesCount)
            return;
        let resolution = 6;
        let timeOffset = 0;
        let name;
        this.#eachOption(buffer, { at: at + 16, end: at + itemBytes - 4 }, (code, value, valueBytes) => {
            if (code === 2)
                name = Buffer.from(buffer.subarray(value, value + Math.min(valueBytes, 256))).toString('utf8');
            if (code === 9 && valueBytes >= 1)
                resolution = buffer[value];
            if (code === 14 && valueBytes >= 8)
                timeOffset = Number(BigInt.asIntN(64, this.#bigWord(buffer, value)));
        });
        const linkType = halfWord(buffer, at + 8, this.littleEndian);
        const snaplen = word(buffer, at + 12, this.littleEndian);
        const unitsPerSecond = resolution <= 9 ? 10 ** resolution : 0;
        const added = { linkType, snaplen, name, unitsPerSecond, resolution, timeOffset };
        this.#interfaces.push(added);
        this.interfaces.push(added);
    }
    #takeEnhanced(buffer, at, itemBytes) {
        this.#enhancedPackets += 1;
        if (itemBytes < 32)
            return this.#badPacket();
        this.#setTime(buffer, at + 12, word(buffer, at + 8, this.littleEndian));
        return this.#setPacket(buffer, { at, itemBytes, lengthsAt: at + 20 });
    }
    #takePacket(buffer, at, itemBytes) {
        if (itemBytes < 32)
            return this.#badPacket();
        this.#setTime(buffer, at + 12, halfWord(buffer, at + 8, this.littleEndian));
        return this.#setPacket(buffer, { at, itemBytes, lengthsAt: at + 20 });
    }
    #takeSimple(buffer, at, itemBytes) {
        const source = this.#interfaces[0];
        if (itemBytes < 16 || source === undefined)
            return this.#badPacket();
        const packet = this.#packet;
        packet.originalLength = word(buffer, at + 8, this.littleEndian);
        packet.buffer = buffer;
        packet.offset = at + 12;
        const snapped = source.snaplen > 0 ? Math.min(packet.originalLength, source.snaplen) : packet.originalLength;
        packet.capturedLength = Math.min(snapped, itemBytes - 16);
        // It has no time: that of the packet before it is kept.
        packet.linkType = source.linkType;
        packet.interfaceId = this.#interfaceBase;
        return true;
    }
    #setPacket(buffer, { at, itemBytes, lengthsAt }) {
        const packet = this.#packet;
        const capturedLength = word(buffer, lengthsAt, this.littleEndian);
        if (packet.interfaceId < 0 || capturedLength > itemBytes - 32)
            return this.#badPacket();
        packet.buffer = buffer;
        packet.offset = lengthsAt + 8;
        packet.capturedLength = capturedLength;
        packet.originalLength = word(buffer, lengthsAt + 4, this.littleEndian);
        return packet.offset + capturedLength <= at + itemBytes;
    }
    /** Sets the interface, too: it says what the time's unit is. */
    #setTime(buffer, at, interfaceIndex) {
        const packet = this.#packet;
        const source = this.#interfaces[interfaceIndex];
        packet.interfaceId = source === undefined ? -1 : this.#interfaceBase + interfaceIndex;
        if (source === undefined)
            return;
        packet.linkType = source.linkType;
        const high = word(buffer, at, this.littleEndian);
        const low = word(buffer, at + 4, this.littleEndian);
        const { unitsPerSecond } = source;
        if (unitsPerSecond === 0) {
            setTimeExactly(packet, (BigInt(high) << 32n) | BigInt(low), source.resolution);
        }
        else {
            // A division of 64 by 30 bits in steps that a double holds exactly.
            const upper = (high % unitsPerSecond) * 65_536 + (low >>> 16);
            const lower = (upper % unitsPerSecond) * 65_536 + (low & 0xffff);
            packet.seconds =
                Math.floor(high / unitsPerSecond) * 4_294_967_296 +
                    Math.floor(upper / unitsPerSecond) * 65_536 +
                    Math.floor(lower / unitsPerSecond);
            packet.nanoseconds = (lower % unitsPerSecond) * (1e9 / unitsPerSecond);
        }
        packet.seconds += source.timeOffset;
    }
    #takeStatistics(buffer, at, itemBytes) {
        if (itemBytes < 24)
            return;
        this.#eachOption(buffer, { at: at + 20, end: at + itemBytes - 4 }, (code, value, valueBytes) => {
            if ((code === 5 || code === 7) && valueBytes === 8)
                this.reportedDrops += Number(this.#bigWord(buffer, value));
        });
    }
    #eachOption(buffer, range, visit) {
        let { at } = range;
        while (at + 4 <= range.end) {
            const code = halfWord(buffer, at, this.littleEndian);
            const valueBytes = halfWord(buffer, at + 2, this.littleEndian);
            if (code === 0 || at + 4 + valueBytes > range.end)
                return;
            visit(code, at + 4, valueBytes);
            at += 4 + Math.ceil(valueBytes / 4) * 4;
        }
    }
    #bigWord(buffer, at) {
        const first = BigInt(word(buffer, at, this.littleEndian));
        const second = BigInt(word(buffer, at + 4, this.littleEndian));
        return this.littleEndian ? (second << 32n) | first : (first << 32n) | second;
    }
    #badPacket() {
        this.problem = 'a packet block names an interface or a length that does not exist';
        return false;
    }
}
/** For resolutions finer than 1 ns and for powers of two: rare, so it may be slow. */
function setTimeExactly(packet, units, resolution) {
    const unitsPerSecond = resolution & 0x80 ? 1n << BigInt(resolution & 0x7f) : 10n ** BigInt(resolution);
    packet.seconds = Number(units / unitsPerSecond);
    packet.nanoseconds = Number(((units % unitsPerSecond) * 1000000000n) / unitsPerSecond);
}

;// CONCATENATED MODULE: ./src/pcap/capture-reader.ts



/** The link types of a file that was put together from many: more than this many differ in no way that helps. */
const maxListedInterfacesCount = 1_024;
/**
 * Reads a capture in pcap or pcapng format in chunks of any size and gives each whole packet to the consumer, where it is in the chunk; only one
 * that spans chunks is copied. What follows a violation of the format is not read. Memory is bounded by the largest packet.
 */
class CaptureReader {
    #consumer;
    #packet = {
        buffer: noBytes,
        offset: 0,
        capturedLength: 0,
        originalLength: 0,
        seconds: 0,
        nanoseconds: 0,
        linkType: 0,
        interfaceId: 0,
        frameNumber: 0,
    };
    #section;
    #pcapng;
    #format;
    #interfaces = [];
    #sections = 0;
    #packets = 0;
    #bytes = 0;
    #wholeBytes = 0;
    #skipBytes = 0;
    #broken;
    /** the begin of an item whose rest is in a later chunk */
    #carry = Buffer.allocUnsafeSlow(65_536);
    #carriedBytes = 0;
    constructor(consumer) {
        this.#consumer = consumer;
    }
    push(chunk) {
        this.#bytes += chunk.length;
        let at = this.#carriedBytes > 0 ? this.#finishCarried(chunk) : 0;
        if (this.#carriedBytes === 0)
            at = this.#takeItems(chunk, at);
        if (this.#broken === undefined && at < chunk.length)
            this.#addToCarry(chunk, at, chunk.length);
        this.#packet.buffer = noBytes; // keeps no chunk alive
    }
    end() {
        const pcapng = this.#pcapng;
        return {
            format: pcapng === undefined || this.#format === undefined
                ? this.#format
                : { ...this.#format, blocks: pcapng.blocks() },
            bytes: this.#bytes,
            wholeBytes: this.#wholeBytes,
            packets: this.#packets,
            customBlocks: pcapng?.customBlocks ?? 0,
            broken: this.#broken ?? (this.#format === undefined ? 'it ends before a capture header' : undefined),
            isCutShort: this.#broken === undefined && this.#wholeBytes !== this.#bytes,
            sections: this.#sections + (pcapng?.sections ?? 0),
            reportedDrops: pcapng?.reportedDrops ?? 0,
        };
    }
    /** Takes all whole items from `at` on and returns where the first one that is not whole begins. */
    #takeItems(chunk, from) {
        let at = this.#skip(chunk, from);
        while (this.#broken === undefined) {
            const available = chunk.length - at;
            const needed = this.#itemBytes(chunk, at, available);
            if (needed > available || needed < 0)
                break;
            this.#take(chunk, at, needed);
            at += needed;
            if (this.#skipBytes > 0)
                at = this.#skip(chunk, at);
        }
        return at;
    }
    #skip(chunk, at) {
        const skipped = Math.min(this.#skipBytes, chunk.length - at);
        this.#skipBytes -= skipped;
        return at + skipped;
    }
    /** Adds the chunk's first bytes to what is carried until no item is left that began in an earlier chunk. */
    #finishCarried(chunk) {
        let at = 0;
        while (this.#broken === undefined) {
            const needed = this.#itemBytes(this.#carry, 0, this.#carriedBytes);
            if (needed < 0)
                break;
            if (needed > this.#carriedBytes) {
                if (at === chunk.length)
                    break;
                const end = Math.min(chunk.length, at + needed - this.#carriedBytes);
                this.#addToCarry(chunk, at, end);
                at = end;
                continue;
            }
            this.#take(this.#carry, 0, needed);
            this.#carry.copyWithin(0, needed, this.#carriedBytes);
            this.#carriedBytes -= needed;
            if (this.#carriedBytes === 0)
                break;
        }
        return at;
    }
    #addToCarry(chunk, from, to) {
        const totalBytes = this.#carriedBytes + to - from;
        if (totalBytes > this.#carry.length) {
            const larger = Buffer.allocUnsafeSlow(Math.max(totalBytes, 2 * this.#carry.length));
            larger.set(this.#carry.subarray(0, this.#carriedBytes));
            this.#carry = larger;
        }
        this.#carry.set(chunk.subarray(from, to), this.#carriedBytes);
        this.#carriedBytes = totalBytes;
    }
    /** Bytes of the next item, more than `available` where it is not whole, -1 where the format is violated. */
    #itemBytes(buffer, at, available) {
        if (this.#section === undefined)
            return this.#startBytes(buffer, at, available);
        const bytes = this.#section.itemBytes(buffer, at, available);
        if (bytes > 0)
            return bytes;
        if (bytes < 0)
            return this.#breakOff(this.#section.problem);
        this.#section = undefined;
        return this.#startBytes(buffer, at, available);
    }
    #startBytes(buffer, at, available) {
        if (available < 4)
            return 4;
        if (pcapMagic(buffer, at) !== undefined)
            return pcapHeaderBytes;
        const magic = word(buffer, at, false);
        if (magic === sectionHeaderBlock) {
            this.#pcapng = new PcapngSection(this.#packet);
            this.#section = this.#pcapng;
            return this.#itemBytes(buffer, at, available);
        }
        return this.#breakOff(unreadable.get(magic) ??
            `it does not begin with a pcap or pcapng header (0x${magic.toString(16).padStart(8, '0')})`);
    }
    #take(buffer, at, itemBytes) {
        const section = this.#section;
        if (section === undefined) {
            this.#startPcap(buffer, at);
        }
        else if (section.take(buffer, at, itemBytes)) {
            this.#packets += 1;
            this.#packet.frameNumber = this.#packets + (this.#pcapng === undefined ? 0 : this.#pcapng.customBlocks);
            this.#consumer.onPacket(this.#packet);
        }
        else if (section.problem !== '') {
            this.#breakOff(section.problem);
            return;
        }
        else if (this.#pcapng !== undefined) {
            this.#format ??= formatOf(this.#pcapng);
        }
        this.#skipBytes = section?.skippedBytes ?? 0;
        this.#wholeBytes += itemBytes + this.#skipBytes;
    }
    #startPcap(buffer, at) {
        const section = new PcapSection(buffer, at, this.#packet, this.#sections);
        const magic = pcapMagic(buffer, at);
        if (this.#interfaces.length < maxListedInterfacesCount)
            this.#interfaces.push(section.interface);
        this.#format ??= {
            format: magic?.format ?? 'pcap usec',
            byteOrder: magic?.littleEndian === false ? 'big' : 'little',
            version: section.version,
            interfaces: this.#interfaces,
            blocks: new Map(),
        };
        this.#section = section;
        this.#sections += 1;
    }
    #breakOff(problem) {
        this.#broken ??= `${problem} (at byte ${this.#wholeBytes})`;
        return -1;
    }
}
// A Buffer as the chunks are: code that reads bytes stays monomorphic.
const noBytes = Buffer.alloc(0);
/** Formats that are known by their first bytes and not read. */
const unreadable = new Map([
    [0x1c0001ac, 'IXIA lcap (hardware) files are not supported: save it as pcap with editcap'],
    [0xac01001c, 'IXIA lcap (hardware) files are not supported: save it as pcap with editcap'],
    [0x1c0001ab, 'IXIA lcap (software) files are not supported: save it as pcap with editcap'],
    [0xab01001c, 'IXIA lcap (software) files are not supported: save it as pcap with editcap'],
]);
function formatOf(pcapng) {
    const { version, interfaces, littleEndian } = pcapng;
    return { format: 'pcapng', byteOrder: littleEndian ? 'little' : 'big', version, interfaces, blocks: new Map() };
}

;// CONCATENATED MODULE: ./src/pcap/capture-file.ts




const chunkBytes = 4_194_304;
/** What a decompressor gets at once: the output before an error in a later piece is kept. */
const compressedChunkBytes = 16_384;
/**
 * Reads a capture file, or standard input for `-`, also where it is compressed with gzip or zstd, and gives each packet to the consumer.
 * A damaged file is read as far as it goes; the result says where it ended. Throws the error of node:fs where the file cannot be opened or read.
 */
async function readCaptureFile(path, consumer) {
    return path === '-' ? readCaptureChunks(process.stdin, consumer) : readCaptureChunks(fileChunks(path), consumer);
}
/** As `readCaptureFile`, for chunks of any size. A chunk may be reused for the next one. */
async function readCaptureChunks(chunks, consumer) {
    const reader = new CaptureReader(consumer);
    let start = Buffer.alloc(0);
    let decompressor;
    let isStarted = false;
    for await (const chunk of chunks) {
        if (isStarted) {
            await pushTo(reader, decompressor, chunk);
            continue;
        }
        start = Buffer.concat([start, chunk]);
        if (start.length < 4)
            continue;
        isStarted = true;
        decompressor = Decompressor.for(start, reader);
        await pushTo(reader, decompressor, start);
    }
    if (!isStarted)
        reader.push(start);
    const problem = await decompressor?.end();
    const end = reader.end();
    return problem === undefined ? end : { ...end, broken: end.broken ?? problem };
}
async function pushTo(reader, decompressor, chunk) {
    if (decompressor === undefined)
        reader.push(chunk);
    else
        await decompressor.push(chunk);
}
/** One buffer for all chunks. */
async function* fileChunks(path) {
    const file = await (0,promises_.open)(path, 'r');
    try {
        const buffer = Buffer.allocUnsafeSlow(chunkBytes);
        for (;;) {
            const { bytesRead } = await file.read(buffer, 0, chunkBytes, null);
            if (bytesRead === 0)
                return;
            yield buffer.subarray(0, bytesRead);
        }
    }
    finally {
        await file.close();
    }
}
/** Gives what a gzip or zstd stream holds to a reader, up to the first error. */
class Decompressor {
    #stream;
    #problem;
    /** lets `push` go on: after an error, the stream calls no callback of a write */
    #resume = () => undefined;
    static for(start, reader) {
        if (start[0] === 0x1f && start[1] === 0x8b) {
            // A stream that was cut gives all that is there: whether the capture in it is whole, its records tell.
            return new Decompressor(external_node_zlib_.createGunzip({ finishFlush: external_node_zlib_.constants.Z_SYNC_FLUSH, chunkSize: 262_144 }), reader);
        }
        // Node 22.15 and 24 have zstd. Without it the reader names the unknown magic.
        if (start.readUInt32LE(0) === 0xfd2fb528 && "createZstdDecompress" in external_node_zlib_) {
            return new Decompressor(external_node_zlib_.createZstdDecompress({ chunkSize: 262_144 }), reader);
        }
        return undefined;
    }
    constructor(stream, reader) {
        this.#stream = stream;
        stream.on('data', (chunk) => reader.push(chunk));
        stream.on('error', (error) => {
            this.#problem ??= `the compressed data is damaged: ${error.message}`;
            this.#resume();
        });
    }
    async push(chunk) {
        for (let at = 0; at < chunk.length && this.#problem === undefined; at += compressedChunkBytes) {
            // The stream keeps what it is given, the chunk is reused.
            const piece = Buffer.from(chunk.subarray(at, at + compressedChunkBytes));
            await new Promise((resolve) => {
                this.#resume = resolve;
                this.#stream.write(piece, () => resolve());
            });
        }
    }
    /** What was wrong with the compressed data. */
    async end() {
        if (this.#problem !== undefined)
            return this.#problem;
        const closed = (0,external_node_events_.once)(this.#stream, 'close').catch(() => undefined);
        this.#stream.end();
        await closed;
        return this.#problem;
    }
}

;// CONCATENATED MODULE: ./src/app/live-diagnosis.ts


async function loadAnalysis() {
    return __webpack_require__.e(/* import() */ 978).then(__webpack_require__.bind(__webpack_require__, 30978));
}
/** Analyses a capture while its packets arrive. A failure of the analysis never ends the capture. */
class LiveDiagnosis {
    #analysis;
    #packet = {
        buffer: live_diagnosis_noBytes,
        offset: 0,
        capturedLength: 0,
        originalLength: 0,
        seconds: 0,
        nanoseconds: 0,
        linkType: 0,
        interfaceId: 0,
        frameNumber: 0,
    };
    #failure;
    /** To be called before the first packet. */
    begin({ CaptureDiagnosis: Analysis }, record) {
        this.#analysis = new Analysis({ isSingleHost: isSingleHost(record) });
    }
    onHeader({ linkType }) {
        this.#packet.linkType = linkType;
    }
    onPacket(view) {
        const analysis = this.#analysis;
        if (analysis === undefined || this.#failure !== undefined)
            return;
        const packet = this.#packet;
        packet.buffer = view.buffer;
        packet.offset = view.offset;
        packet.capturedLength = view.capturedLength;
        packet.originalLength = view.originalLength;
        packet.seconds = view.seconds;
        packet.nanoseconds = view.nanoseconds;
        packet.frameNumber += 1;
        try {
            analysis.onPacket(packet);
        }
        catch (error) {
            this.#failure = `packet ${packet.frameNumber}: ${(0,errors/* messageOf */.bD)(error)}`;
        }
        packet.buffer = live_diagnosis_noBytes; // keeps no chunk alive
    }
    /** After the last packet. A file that has other packets than those seen here, because the runner's disk failed, is read instead. */
    async diagnose(result, engine) {
        if (this.#failure !== undefined)
            return { kind: 'failed', reason: this.#failure };
        const isSame = this.#packet.frameNumber === result.scan.packets;
        return isSame && this.#analysis ? diagnosed(this.#analysis, endOf(result), result) : diagnoseFile(result, engine);
    }
}
/** Reads the file of a result, where the packets arrived in another process. */
async function diagnoseFile(result, engine) {
    const { path } = result;
    const analysis = new engine.CaptureDiagnosis({ isSingleHost: isSingleHost(result.record) });
    try {
        return diagnosed(analysis, path === undefined ? endOf(result) : await readCaptureFile(path, analysis), result);
    }
    catch (error) {
        return { kind: 'failed', reason: (0,errors/* messageOf */.bD)(error) };
    }
}
function diagnosed(analysis, end, { record, verdict }) {
    try {
        const diagnosis = analysis.diagnose(end, {
            localAddresses: localAddresses(record),
            ...(verdict.dropped === undefined ? {} : { dropped: verdict.dropped }),
        });
        return { kind: 'diagnosed', diagnosis };
    }
    catch (error) {
        return { kind: 'failed', reason: (0,errors/* messageOf */.bD)(error) };
    }
}
/** The network of a pod, and not that of its node. */
function isSingleHost({ method, target }) {
    return method.kind === 'container' && localAddresses({ target }).length > 0;
}
function localAddresses({ target }) {
    return target.kind === 'pod' ? target.addresses : [];
}
/** The end of a stream of which the file keeps the whole packets. */
function endOf({ scan }) {
    return {
        format: undefined,
        bytes: scan.bytes,
        wholeBytes: scan.wholeBytes,
        packets: scan.packets,
        customBlocks: 0,
        broken: scan.broken,
        isCutShort: false,
        sections: 1,
        reportedDrops: 0,
    };
}
// A Buffer as the chunks are: code that reads bytes stays monomorphic.
const live_diagnosis_noBytes = Buffer.alloc(0);


/***/ }),

/***/ 96073:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {


// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  n: () => (/* binding */ setOutputs)
});

// EXTERNAL MODULE: ./src/report/findings-json.ts
var findings_json = __webpack_require__(4497);
// EXTERNAL MODULE: ./src/common/errors.ts
var errors = __webpack_require__(71922);
// EXTERNAL MODULE: ./src/report/wording.ts
var wording = __webpack_require__(25594);
;// CONCATENATED MODULE: ./src/report/result.ts


/** The output `result`: docs/result.schema.json describes it. Field names are stable; new ones may come. */
function resultJson(reports) {
    return JSON.stringify({
        version: 1,
        captures: reports.map((report) => ({
            target: {
                level: report.level,
                method: report.method,
                namespace: report.pod?.namespace ?? '',
                pod: report.pod?.name ?? '',
                node: report.node,
                container: report.captureId,
            },
            capture: {
                interface: report.interface,
                filter: report.filter ?? '',
                snaplen: report.snaplen,
                image: report.image,
                imageId: report.imageId ?? '',
                began: (0,wording/* isoTime */.Ly)(report.began) ?? null,
                recordedSeconds: report.recordedSeconds ?? null,
                pausedSeconds: report.pausedSeconds,
                stopReason: report.stopReason,
                resumed: report.resumed,
                interfaces: report.interfaces,
            },
            verdict: { verdict: report.verdict, reason: report.verdictReason },
            packets: report.packets,
            bytes: report.bytes,
            dropped: report.dropped ?? null,
            droppedIsUpperBound: report.droppedIsUpperBound,
            linkType: report.linkType ?? null,
            sha256: report.sha256,
            pcapPath: report.pcapPath ?? null,
            artifact: report.artifact ?? null,
            uploadError: report.uploadProblem ? (0,errors/* renderProblem */.yM)(report.uploadProblem) : null,
            hints: report.hints,
            cautions: report.cautions,
            leftBehind: report.leftovers,
        })),
    });
}

// EXTERNAL MODULE: ./src/runner/step-files.ts
var step_files = __webpack_require__(51252);
;// CONCATENATED MODULE: ./src/app/outputs.ts



/** A step's outputs share 1 MB, and a later step gets an output in one environment variable of at most 128 KiB. */
const maxFindingsBytes = 64_000;
/**
 * The outputs of a run: those of its first capture, and all captures in `result`. Set also before the upload, on a cancel.
 * @throws the file system's error
 */
function setOutputs(reports) {
    const [report] = reports;
    if (!report)
        return;
    const outputs = {
        verdict: report.verdict,
        'verdict-reason': report.verdictReason,
        'stop-reason': report.stopReason,
        packets: report.packets,
        bytes: report.bytes,
        dropped: report.dropped ?? '',
        'pcap-path': report.pcapPath ?? '',
        'artifact-id': report.artifact?.id ?? '',
        'artifact-url': report.artifact?.url ?? '',
        'artifact-digest': report.artifact?.digest ?? '',
        ...diagnosisOutputs(report.diagnosis),
    };
    for (const [name, value] of Object.entries(outputs))
        (0,step_files/* setOutput */.uH)(name, value);
    (0,step_files/* setOutput */.uH)('result', resultJson(reports)); // last: the others do not depend on it
}
function diagnosisOutputs(report) {
    if (report.kind === 'failed')
        return { diagnosis: '', culprit: '', severity: '', findings: '', 'findings-path': '' };
    const { diagnosis, fileName, findingsPath } = report;
    return {
        diagnosis: diagnosis.sentence,
        culprit: diagnosis.culprit,
        severity: diagnosis.severity,
        findings: (0,findings_json/* findingsJson */.p)(diagnosis, fileName, maxFindingsBytes),
        'findings-path': findingsPath ?? '',
    };
}


/***/ }),

/***/ 30909:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {


// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  qV: () => (/* binding */ applyTargetCheck),
  z0: () => (/* binding */ applyTargetEnd),
  _F: () => (/* binding */ concludeCapture),
  iC: () => (/* binding */ nameFile)
});

// EXTERNAL MODULE: external "node:fs/promises"
var promises_ = __webpack_require__(51455);
// EXTERNAL MODULE: ./src/common/errors.ts
var errors = __webpack_require__(71922);
// EXTERNAL MODULE: ./src/capture/part-file.ts + 3 modules
var part_file = __webpack_require__(92132);
// EXTERNAL MODULE: ./src/capture/protection.ts
var protection = __webpack_require__(58283);
// EXTERNAL MODULE: ./src/capture/recorders/methods.ts + 2 modules
var methods = __webpack_require__(9588);
// EXTERNAL MODULE: ./src/cluster/api.ts
var api = __webpack_require__(83074);
// EXTERNAL MODULE: ./src/cluster/pod.ts
var cluster_pod = __webpack_require__(81585);
// EXTERNAL MODULE: ./src/common/remote-text.ts
var remote_text = __webpack_require__(14551);
// EXTERNAL MODULE: ./src/common/timeouts.ts
var timeouts = __webpack_require__(79005);
// EXTERNAL MODULE: ./src/common/url-path.ts
var url_path = __webpack_require__(16902);
;// CONCATENATED MODULE: ./src/capture/target-end.ts






const pollEveryMs = 300;
const requestTimeoutMs = 5_000;
/** Reads the pod until it shows what ended the recorder, for `withinMs` at most. Never rejects. */
async function findTargetEnd(connect, target, { times, withinMs }) {
    const endsAtMs = Date.now() + withinMs;
    for (;;) {
        const { end, isFinal } = await look(Math.max(1, Math.min(requestTimeoutMs, endsAtMs - Date.now())));
        if (isFinal || Date.now() + pollEveryMs >= endsAtMs)
            return end;
        await (0,timeouts/* pause */.v7)(pollEveryMs);
    }
    async function look(timeoutMs) {
        try {
            return shownBy(await readPod(await connect(), target, timeoutMs), target, times);
        }
        catch (error) {
            return { end: { kind: 'unknown', why: (0,remote_text/* toOneLine */.GX)((0,errors/* messageOf */.bD)(error), 300) }, isFinal: false };
        }
    }
}
/** undefined: there is no such pod */
async function readPod(connection, { namespace, pod }, timeoutMs) {
    try {
        return (await (0,api/* call */.T1)(connection, 'GET', (0,url_path/* urlPath */.L) `/api/v1/namespaces/${namespace}/pods/${pod}`, { timeoutMs }))
            .body;
    }
    catch (error) {
        if (error instanceof api/* ApiError */.hD && error.status === 404)
            return undefined;
        throw error;
    }
}
function shownBy(found, target, times) {
    const lost = (why, isFinal = true) => ({
        end: { kind: 'lost', why: `the pod ${target.pod} ${why}` },
        isFinal,
    });
    const goesOn = { end: { kind: 'goes-on' }, isFinal: false };
    if (found === undefined)
        return lost('was deleted');
    if (found.metadata?.uid !== target.uid)
        return lost('was replaced by another pod of the same name');
    switch (howEnded(found)) {
        case 'completed':
            // A recorder that was stopped earlier has not captured the pod to its end.
            return isRecordedToItsEnd(found, times)
                ? { end: { kind: 'completed' }, isFinal: true }
                : { ...goesOn, isFinal: true };
        case 'deleted':
            return lost('was deleted');
        case 'failed': {
            const reason = found.status?.reason;
            return lost(`ended (Failed${reason === undefined ? '' : `: ${(0,remote_text/* toOneLine */.GX)(reason, 100)}`})`);
        }
        case undefined:
            break;
    }
    const sandbox = sandboxChange(found, target, times);
    return sandbox === undefined ? goesOn : lost(sandbox.what, sandbox.isFinal);
}
/** How the pod has ended; undefined while it has not. */
function howEnded(pod) {
    const phase = pod.status?.phase;
    if (phase === 'Failed')
        return 'failed';
    if (hasSucceeded(pod) && !endedByDeletion(pod))
        return 'completed';
    return phase === 'Succeeded' || pod.metadata?.deletionTimestamp !== undefined ? 'deleted' : undefined;
}
/** Whether every container ended without an error and is not started again. The phase becomes Succeeded only after the end of the recorder. */
function hasSucceeded(pod) {
    const { spec, status } = pod;
    const ends = endsOf(pod);
    const isComplete = ends.length > 0 && ends.length === spec?.containers?.length;
    const isOnce = status?.phase === 'Succeeded' || (spec?.restartPolicy ?? 'Always') !== 'Always';
    return isComplete && isOnce && ends.every((end) => end?.exitCode === 0);
}
/** Whether the containers may have ended because the pod is being deleted: they ended after the request for it. */
function endedByDeletion(pod) {
    const { metadata } = pod;
    if (metadata?.deletionTimestamp === undefined)
        return false;
    const requestedAtMs = Date.parse(metadata.deletionTimestamp) - (metadata.deletionGracePeriodSeconds ?? 0) * 1000;
    return !endsOf(pod).every((end) => Date.parse(end?.finishedAt ?? '') < requestedAtMs);
}
/**
 * Whether tcpdump ended after the containers. The recorder goes on for 1.2 s after SIGTERM, which outweighs that both times are whole seconds.
 * Without its times there is no proof anyway, so the capture is not complete.
 */
function isRecordedToItsEnd(pod, times) {
    return (times === undefined || endsOf(pod).every((end) => Date.parse(end?.finishedAt ?? '') <= times.endedSeconds * 1000));
}
function endsOf({ status }) {
    return (status?.containerStatuses ?? []).map(({ state }) => state?.terminated);
}
/** How the sandbox of a pod that goes on differs from the one that was recorded: a clause without its subject. */
function sandboxChange(pod, { addresses }, times) {
    const now = (0,cluster_pod/* addressesOf */.sO)(pod);
    if (addresses.length > 0 && now.length > 0 && !addresses.some((address) => now.includes(address))) {
        return { what: `got a new sandbox (${addresses.join(', ')} \u2192 ${now.join(', ')})`, isFinal: true };
    }
    // A new sandbox may get the address of the old one, but in between the pod had none. The condition exists from Kubernetes 1.29 on.
    const ready = pod.status?.conditions?.find(({ type }) => type === 'PodReadyToStartContainers');
    if (ready?.status === 'False')
        return { what: 'lost its sandbox', isFinal: false };
    const readySinceMs = Date.parse(ready?.lastTransitionTime ?? '');
    return times !== undefined && readySinceMs > times.beganSeconds * 1000
        ? { what: 'got a new sandbox', isFinal: true }
        : undefined;
}

// EXTERNAL MODULE: ./src/capture/trailer.ts
var capture_trailer = __webpack_require__(88969);
;// CONCATENATED MODULE: ./src/capture/verdict-reason.ts

/** The sentence of a verdict, without its full stop. */
function renderReasons(reasons) {
    return reasons.reduce((sentence, reason, i) => {
        const joint = i === 0 ? '' : reason.kind === 'unprotected' ? ', but ' : '; ';
        return `${sentence}${joint}${renderReason(reason)}`;
    }, '');
}
function renderReason(reason) {
    const render = renderers[reason.kind];
    return render(reason);
}
const renderers = {
    'everything-arrived': ({ bytes }) => `all ${bytes} bytes arrived with the recorder's SHA-256, every packet is whole, none was dropped`,
    'no-packet-matched': () => 'no packet matched; everything was recorded and arrived',
    'target-lost': ({ why }) => `${why} before the capture was over`,
    'no-trailer': ({ ending, detail, arrivedBytes }) => `${renderEnding(ending)}${detail === '' ? '' : ` (${detail})`}; ${arrivedBytes} bytes had arrived`,
    'missing-bytes': ({ ending, arrivedBytes, expectedBytes }) => `${arrivedBytes} of ${expectedBytes} bytes arrived (${renderEnding(ending)})`,
    'hash-differs': () => "the SHA-256 of the bytes that arrived is not the recorder's",
    'tcpdump-died': ({ exitCode, message }) => `tcpdump ended by itself (exit code ${exitCode}): ${message}`,
    'recorder-stopped': ({ endpointName }) => `${endpointName} was stopped before the capture was over`,
    'heartbeat-timeout': () => 'the recorder stopped because it had no contact with the runner for longer than heartbeat-timeout',
    deadline: () => 'the recorder reached its deadline before its duration was over',
    'hash-ended': () => 'the process that computes the SHA-256 in the recorder ended before the capture was over',
    'unknown-stop': ({ reason }) => `the recorder stopped for an unknown reason (${reason})`,
    paused: ({ count, ms }) => `recording paused ${times(count)} for ${(ms / 1000).toFixed(1)} s in all, because the spool was full`,
    'drops-unknown': () => 'tcpdump did not report whether packets were dropped',
    dropped: ({ packets, isUpperBound }) => `${isUpperBound ? 'at most ' : ''}${packets} packets were dropped by the kernel: use a narrower filter or a smaller snaplen`,
    'unreadable-pcap': ({ problem }) => `the pcap cannot be read: ${problem}`,
    'last-packet-cut': () => 'the last packet is cut off',
    unprotected: ({ why }) => `${why}, ${protection/* unprotectedEnd */.v}`,
};
function renderEnding({ end, endpointName }) {
    switch (end) {
        case 'endpoint-gone':
            return `${endpointName} disappeared`;
        case 'whole':
            return 'the connection ended normally';
        case 'container-ended':
            return "the capture's container ended before everything was fetched";
        case 'gave-up':
            return 'the connection was lost and could not be restored in time';
        case 'too-slow':
            return 'the rest arrived too slowly after the end of the recording';
        case 'too-much':
            return 'the recorder sent more than max-size and spool-limit together, so the runner stopped taking data';
        case 'held':
            return 'the rest was left in the pod';
        case 'runner-disk':
            return "the runner's disk refused the data";
    }
}
function times(count) {
    return count === 1 ? 'once' : `${count} times`;
}

;// CONCATENATED MODULE: ./src/capture/verdict.ts


/** `complete` needs every proof. A capture that lacks one is `partial`, with every reason. */
function judge(evidence) {
    const { outcome, scan } = evidence;
    const facts = { stopReason: stopReasonOf(evidence), dropped: droppedBy(outcome.trailer) };
    const flaws = findFlaws(evidence);
    return flaws.length > 0
        ? verdictOf('partial', [...flaws, ...cautionsOf(evidence)], facts)
        : provenVerdict(scan, cautionsOf(evidence), facts);
}
function cautionsOf({ unprotectedFrom: why }) {
    return why === undefined ? [] : [{ kind: 'unprotected', why }];
}
/** The verdict of a capture without a flaw. */
function provenVerdict(scan, cautions, facts) {
    if (scan.packets === 0)
        return verdictOf('empty', [{ kind: 'no-packet-matched' }, ...cautions], facts);
    return verdictOf('complete', [{ kind: 'everything-arrived', bytes: scan.bytes }, ...cautions], facts);
}
function verdictOf(verdict, reasons, facts) {
    const { stopReason, dropped } = facts;
    return { verdict, reasons, reason: renderReasons(reasons), stopReason, dropped };
}
/** The verdict after the target was checked. What was recorded after the target was lost is not its traffic, or is missing, so it cannot be complete. */
function judgeTargetCheck(verdict, check) {
    if (check.kind !== 'lost')
        return verdict;
    const isPartial = verdict.verdict === 'partial';
    const others = verdict.reasons.filter(({ kind }) => kind === 'unprotected' || (isPartial && kind !== 'target-lost'));
    const isStopped = verdict.stopReason === 'target-gone' && check.isCompleted === true;
    const facts = { ...verdict, ...(isStopped ? { stopReason: 'target-completed' } : {}) };
    return verdictOf('partial', [{ kind: 'target-lost', why: check.why }, ...others], facts);
}
/** Its end need not be that of its pod. */
const recorderInPod = 'the capture container';
/** The verdict of a recorder that was stopped inside of its pod, once it is known why. A pod that ended by itself is captured to its end. */
function judgeTargetEnd(verdict, end, scan) {
    const { dropped } = verdict;
    const others = verdict.reasons.filter(({ kind }) => kind !== 'recorder-stopped');
    const cautions = others.filter(({ kind }) => kind === 'unprotected');
    switch (end.kind) {
        case 'completed': {
            const facts = { stopReason: 'target-completed', dropped };
            const hasFlaw = others.length > cautions.length;
            return hasFlaw ? verdictOf('partial', others, facts) : provenVerdict(scan, cautions, facts);
        }
        case 'lost':
            return verdictOf('partial', [{ kind: 'target-lost', why: end.why }, ...others], {
                stopReason: 'target-gone',
                dropped,
            });
        case 'goes-on':
        case 'unknown': {
            // The end of the pod is reported only where it is known.
            const endpointName = end.kind === 'goes-on' ? `${recorderInPod}, not the pod,` : recorderInPod;
            const reasons = verdict.reasons.map((one) => (one.kind === 'recorder-stopped' ? { ...one, endpointName } : one));
            return verdictOf('partial', reasons, { stopReason: 'error', dropped });
        }
    }
}
function findFlaws({ outcome, scan, sha256, hasLoopback, method }) {
    const { trailer, end, detail } = outcome;
    const ending = { end, endpointName: method.endpointName };
    const fromTrailer = trailer === undefined
        ? [{ kind: 'no-trailer', ending, detail, arrivedBytes: scan.bytes }]
        : [
            ...transferFlaws(trailer, { bytes: scan.bytes, sha256 }, ending),
            ...stopFlaws(trailer, method),
            ...recordingFlaws(trailer),
        ];
    return [...fromTrailer, ...fileFlaws(scan), ...dropFlaws(trailer, hasLoopback)];
}
function transferFlaws(trailer, received, ending) {
    switch ((0,capture_trailer/* compareWithTrailer */.D)(trailer, received)) {
        case 'equal':
            return [];
        case 'size-differs':
            return [{ kind: 'missing-bytes', ending, arrivedBytes: received.bytes, expectedBytes: trailer.sizeBytes }];
        case 'hash-differs':
            return [{ kind: 'hash-differs' }];
    }
}
/** Why the recorder stopped, where that is not a limit of the capture or a stop command. The words are those of scripts/recorder.sh. */
function stopFlaws({ reason, exitCode, message }, { endpointName, isInsideTarget }) {
    switch (reason) {
        case 'duration':
        case 'size':
        case 'packets':
        case 'cancelled':
            return [];
        case 'target-gone':
            return [{ kind: 'target-lost', why: 'the pod disappeared' }];
        case 'died':
            return [{ kind: 'tcpdump-died', exitCode, message }];
        case 'terminated':
            return [{ kind: 'recorder-stopped', endpointName: isInsideTarget ? recorderInPod : endpointName }];
        case 'heartbeat-timeout':
            return [{ kind: 'heartbeat-timeout' }];
        case 'deadline':
            return [{ kind: 'deadline' }];
        case 'hash':
            return [{ kind: 'hash-ended' }];
        default:
            return [{ kind: 'unknown-stop', reason }];
    }
}
function recordingFlaws({ pauseCount, pausedMs, dropped }) {
    return [
        ...(pauseCount > 0 ? [{ kind: 'paused', count: pauseCount, ms: pausedMs }] : []),
        ...(dropped === undefined ? [{ kind: 'drops-unknown' }] : []),
    ];
}
function fileFlaws({ broken, wholeBytes, bytes }) {
    if (broken !== undefined)
        return [{ kind: 'unreadable-pcap', problem: broken }];
    return wholeBytes === bytes ? [] : [{ kind: 'last-packet-cut' }];
}
function dropFlaws(trailer, isUpperBound) {
    const packets = droppedBy(trailer) ?? 0;
    return packets > 0 ? [{ kind: 'dropped', packets, isUpperBound }] : [];
}
function droppedBy(trailer) {
    return trailer?.dropped === undefined ? undefined : trailer.dropped + (trailer.interfaceDropped ?? 0);
}
/** `target-gone` is the end of the target. A recorder outside the target may end while the target goes on: that is an error. */
function stopReasonOf({ outcome: { trailer, end }, method }) {
    const isRecorderLost = trailer ? trailer.reason === 'terminated' : end === 'endpoint-gone';
    if (isRecorderLost)
        return method.isInsideTarget ? 'target-gone' : 'error';
    const reason = trailer?.reason;
    return plannedStops.find((planned) => planned === reason) ?? 'error';
}
/** The recorder's words for the ends that the user asked for, or that the target caused. */
const plannedStops = ['duration', 'size', 'packets', 'cancelled', 'target-gone'];

;// CONCATENATED MODULE: ./src/capture/capture-result.ts







/**
 * Closes the part file, judges the capture, and cuts the file of a partial one after its last whole packet. The file has its final name only after
 * `nameFile`, once the result is saved.
 */
async function concludeCapture({ record, imageId, part }, outcome) {
    const settled = await closePart(part, outcome);
    const scan = part.scan();
    const sha256 = part.sha256();
    const hasLoopback = record.plan.interface === 'any' || record.plan.interface === 'lo';
    const verdict = judge({
        ...{ outcome: settled, scan, sha256, hasLoopback, method: (0,methods/* methodOf */.N)(record) },
        unprotectedFrom: (0,protection/* unprotectedFrom */.I)(record, outcome.isSpoolShared),
    });
    const result = { record, imageId, verdict, outcome: settled, scan, sha256 };
    if (settled.end === 'held')
        return { ...result, path: undefined };
    const kept = verdict.verdict === 'partial' ? await (0,part_file/* cutToWholePackets */.cu)(part.path) : { scan, sha256 };
    return { ...result, ...kept, path: kept.scan.wholeBytes === 0 ? undefined : record.path };
}
/** A disk that fails at the close has not all bytes, so the trailer proves nothing then. */
async function closePart(part, outcome) {
    try {
        await part.close();
        return outcome;
    }
    catch (error) {
        return { ...outcome, trailer: undefined, end: 'runner-disk', detail: (0,errors/* messageOf */.bD)(error) };
    }
}
/** The result with the check of its target, which may make its verdict `partial`. */
function applyTargetCheck(result, targetCheck) {
    return { ...result, targetCheck, verdict: judgeTargetCheck(result.verdict, targetCheck) };
}
/**
 * The kubelet reports the end of a pod once its last container, the recorder, has ended, and a new sandbox once it has an address: both come
 * after the end of the capture, usually within 3 s.
 */
const targetEndWaitMs = 15_000;
/**
 * The result with the reason of an end that the recorder in a pod cannot know: it only receives SIGTERM, or is killed. Any other result is
 * returned as it is, without a request. Never rejects.
 */
async function applyTargetEnd(connect, result, withinMs = targetEndWaitMs) {
    const { record, outcome, scan } = result;
    if (record.target.kind !== 'pod' || !isEndUnexplained(result))
        return result;
    const end = await findTargetEnd(connect, record.target, { times: recordingTimes(outcome), withinMs });
    return { ...result, verdict: judgeTargetEnd(result.verdict, end, scan) };
}
function recordingTimes({ trailer }) {
    if (trailer === undefined)
        return undefined;
    const { beganSeconds, recordedMs } = trailer;
    return { beganSeconds, endedSeconds: beganSeconds + recordedMs / 1000 };
}
/** The end of the recorder may be that of its pod. A pod that is known to be gone, or a limit that was reached, needs no explanation. */
function isEndUnexplained({ record, outcome: { trailer, end } }) {
    if (!(0,methods/* methodOf */.N)(record).isInsideTarget)
        return false;
    return trailer === undefined ? end === 'container-ended' : trailer.reason === 'terminated';
}
/** Gives the file of a result its final name. May be called again. @throws the file system's error */
async function nameFile({ record, path }) {
    if (path === undefined)
        return;
    await (0,promises_.rename)(record.partPath, path).catch((error) => {
        if (error.code !== 'ENOENT')
            throw error;
    });
}


/***/ }),

/***/ 51685:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {


// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  tb: () => (/* binding */ finishFromDisk),
  Y_: () => (/* binding */ followCapture),
  Qj: () => (/* binding */ openPart)
});

// UNUSED EXPORTS: RunningCapture

// EXTERNAL MODULE: external "node:fs/promises"
var promises_ = __webpack_require__(51455);
// EXTERNAL MODULE: external "node:path"
var external_node_path_ = __webpack_require__(76760);
// EXTERNAL MODULE: ./src/capture/capture-result.ts + 3 modules
var capture_result = __webpack_require__(30909);
// EXTERNAL MODULE: ./src/capture/plan.ts
var capture_plan = __webpack_require__(50739);
;// CONCATENATED MODULE: ./src/capture/fetch-limits.ts

/** After the end of the recording, or after the last byte, a lost connection is made again for this long. */
const reconnectGraceMs = 60_000;
/**
 * Per second: after the end of the recording and `reconnectGraceMs`, the rest must arrive at this rate on average. A full spool of 256 MB then takes 85 minutes,
 * and a recorder keeps it for 10 to 13: an honest link that is slower could not fetch it anyway.
 */
const minRateBytes = 50_000;
/**
 * How long and how much the runner takes from a recorder, whatever the recorder, its pod, its node or the API server say. They may lie, so
 * nothing that they send extends a limit, except bytes that have arrived.
 */
class FetchLimits {
    /** The spool holds what the recorder has not sent, so no honest recorder sends more. */
    maxBytes;
    #record;
    #endsAtMs;
    #listeningAtMs;
    /** received when the recording ended */
    #bytesAtEnd;
    constructor({ record, receivedBytes, endsAtMs }) {
        this.#record = record;
        this.#endsAtMs = endsAtMs;
        this.#bytesAtEnd = receivedBytes;
        this.maxBytes = record.plan.maxBytes + record.plan.spoolLimitBytes;
    }
    /** tcpdump has said "listening"; only the first time counts. */
    listening() {
        this.#listeningAtMs ??= Date.now();
    }
    /** The recorder has recorded all that it may: it was asked to stop while its bytes arrived. */
    stopped() {
        this.#endsAtMs = Math.min(this.recordingEndMs(), Date.now());
    }
    /** To be called each second with what has arrived. */
    note(receivedBytes) {
        if (Date.now() <= this.recordingEndMs())
            this.#bytesAtEnd = receivedBytes;
    }
    /** When the recording ends at the latest. The deadline holds also for a recorder that says "listening" late. */
    recordingEndMs() {
        if (this.#endsAtMs !== undefined)
            return this.#endsAtMs;
        const { plan, deadlineHereMs } = this.#record;
        if (this.#listeningAtMs === undefined)
            return deadlineHereMs;
        return Math.min(this.#listeningAtMs + plan.durationSeconds * 1_000, deadlineHereMs);
    }
    /** After this nothing more is fetched, though the last byte has just arrived. */
    lastMomentMs(receivedBytes) {
        const { plan, deadlineHereMs } = this.#record;
        const firstMs = this.recordingEndMs() + reconnectGraceMs;
        const fetchedBytes = Math.min(Math.max(0, receivedBytes - this.#bytesAtEnd), plan.spoolLimitBytes);
        const earnedMs = (fetchedBytes / minRateBytes) * 1_000;
        // The recorder itself ends `maxHoldSeconds` after its deadline.
        return Math.max(firstMs, Math.min(firstMs + earnedMs, deadlineHereMs + capture_plan/* maxHoldSeconds */.d0 * 1_000 + reconnectGraceMs));
    }
    /** After this a lost connection is not made again. `lastProgressMs`: when the last byte arrived. */
    giveUpAtMs(lastProgressMs, receivedBytes) {
        const silentMs = Math.max(this.recordingEndMs(), lastProgressMs) + reconnectGraceMs;
        return Math.min(silentMs, this.lastMomentMs(receivedBytes));
    }
}

// EXTERNAL MODULE: ./src/common/remote-text.ts
var remote_text = __webpack_require__(14551);
// EXTERNAL MODULE: ./src/common/timeouts.ts
var timeouts = __webpack_require__(79005);
// EXTERNAL MODULE: ./src/common/remote-process.ts + 1 modules
var remote_process = __webpack_require__(38254);
// EXTERNAL MODULE: ./src/common/errors.ts
var errors = __webpack_require__(71922);
// EXTERNAL MODULE: ./src/capture/scripts/scripts.ts
var scripts = __webpack_require__(69413);
// EXTERNAL MODULE: ./src/capture/trailer.ts
var capture_trailer = __webpack_require__(88969);
;// CONCATENATED MODULE: ./src/capture/follower-connection.ts





/** At full rate the spool must not fill between two acknowledgements. */
const ackIntervalMs = 250;
/** The shortest heartbeat timeout is 20 s. */
const idleAckIntervalMs = 3_000;
/** A line for each interface of a node, and some more. */
const maxTrailerCharacters = 1_000_000;
/** `done` needs this long to reach the follower before the connection is closed. */
const closeDelayMs = 500;
/** A connection that is left has ended by then; the end of the capture does not depend on it. */
const leaveGraceMs = 4_000;
/**
 * One connection to a follower: starts the remote process at the present offset, takes its bytes and lines, acknowledges what the disk has, and
 * lets the process end once everything is here. The lines are listening, beat, trailer, end and gone (scripts/follower.sh).
 */
class FollowerConnection {
    #state = 'opening';
    #command;
    #trailerText = '';
    #trailer;
    #diskError;
    #goneByte;
    #ackedBytes = -1;
    #ackedAtMs = 0;
    #missingSinceMs;
    #endpoint;
    #part;
    #events;
    constructor(endpoint, part, events) {
        this.#endpoint = endpoint;
        this.#part = part;
        this.#events = events;
    }
    /** Writes a line to the follower's stdin; false where the connection is not open. */
    send(line) {
        return this.#command?.send(line) ?? false;
    }
    close() {
        this.#command?.close();
    }
    closeAfter(ms) {
        setTimeout(() => this.close(), ms);
    }
    /** Runs the connection to its end; never rejects. `left` fulfils when a connection that is not open yet is no longer wanted. */
    async run(left) {
        try {
            const command = await this.#open(left);
            return command ? await this.#stream(command, left) : { kind: 'left' };
        }
        catch (error) {
            this.#state = 'ended';
            return { kind: 'broken', reason: (0,errors/* messageOf */.bD)(error), isOffsetGone: false };
        }
    }
    /** Credentials, a proxy or the upgrade may hang: a capture that ends does not wait for them. */
    async #open(left) {
        const opening = this.#endpoint.open(followCommand(this.#endpoint.spoolDirs, this.#part.receivedBytes), {
            stdout: (chunk) => this.#takeBytes(chunk),
            stderr: (line) => this.#takeLine(line),
        });
        const command = await Promise.race([opening, left.then(() => undefined)]);
        if (command)
            return command;
        this.#state = 'left';
        void opening.then((late) => late.close()).catch(() => undefined);
        return undefined;
    }
    async #stream(command, left) {
        this.#command = command;
        this.#state = 'streaming';
        this.#finishWhenWhole(); // bytes and lines may come before the opening is reported
        this.#events.onOpened();
        if (this.#diskError !== undefined)
            command.close();
        const timer = setInterval(() => this.#acknowledge(), ackIntervalMs);
        const { reason, code } = await endOf(command, left);
        clearInterval(timer);
        const trailer = this.#isFinishing() ? this.#trailer : undefined;
        this.#command = undefined;
        this.#state = 'ended';
        if (this.#diskError !== undefined)
            return { kind: 'disk-failed', reason: (0,errors/* messageOf */.bD)(this.#diskError) };
        if (trailer)
            return { kind: 'finished', trailer };
        if (this.#goneByte !== undefined)
            return { kind: 'broken', reason: `the spool no longer has byte ${this.#goneByte}`, isOffsetGone: true };
        return { kind: 'broken', reason: `${reason || 'closed'} (code ${code})`, isOffsetGone: false };
    }
    #isFinishing() {
        return this.#state === 'finishing';
    }
    #takeBytes(chunk) {
        if (this.#state === 'left' || this.#state === 'ended')
            return undefined;
        const room = this.#part.push(chunk)?.catch((error) => this.#failDisk(error));
        this.#finishWhenWhole();
        return room;
    }
    #failDisk(error) {
        this.#diskError ??= error;
        this.send('stop error');
        this.send('done'); // the rest will not be fetched
        this.closeAfter(closeDelayMs);
    }
    #takeLine(line) {
        if (this.#state === 'left' || this.#state === 'ended')
            return;
        const space = line.indexOf(' ');
        const word = space === -1 ? line : line.slice(0, space);
        const value = space === -1 ? '' : line.slice(space + 1);
        switch (word) {
            case 'memory':
                return this.#events.onMemorySpool();
            case 'listening':
                return this.#events.onListening();
            case 'trailer':
                if (this.#trailerText.length < maxTrailerCharacters)
                    this.#trailerText += `${value}\n`;
                return;
            case 'end':
                return this.#endTrailer();
            case 'gone':
                this.#goneByte = value;
                return;
            case 'beat':
                return;
            default:
                return this.#events.onRemoteLine(line);
        }
    }
    #endTrailer() {
        this.#trailer = (0,capture_trailer/* parseTrailer */.P)(this.#trailerText.split('\n'));
        if (this.#trailer === undefined) {
            this.#events.onRemoteLine(`unreadable trailer: ${this.#trailerText.trimEnd().replaceAll('\n', '; ')}`);
        }
        this.#finishWhenWhole();
    }
    /** Only now may the remote process end: one that ends with bytes on the way loses them (kubernetes/kubernetes#60140). */
    #finishWhenWhole() {
        if (this.#state !== 'streaming' || !this.#hasAllBytes())
            return;
        this.#state = 'finishing';
        this.send('done');
        this.closeAfter(closeDelayMs);
    }
    #hasAllBytes() {
        return this.#trailer !== undefined && this.#part.receivedBytes >= this.#trailer.sizeBytes;
    }
    #acknowledge() {
        this.#part.flush();
        this.#sendAck();
        if (this.#state === 'streaming' && this.#trailer !== undefined)
            this.#closeWhenBytesAreLost();
    }
    /** An acknowledgement is the runner's heartbeat, too. Each one costs CPU time in the pod, so without news they are rare. */
    #sendAck() {
        const { storedBytes } = this.#part;
        const nowMs = Date.now();
        if (storedBytes === this.#ackedBytes && nowMs - this.#ackedAtMs < idleAckIntervalMs)
            return;
        this.#ackedBytes = storedBytes;
        this.#ackedAtMs = nowMs;
        this.send(`ack ${storedBytes}`);
    }
    /** The trailer is here, but bytes are missing and none come: they were lost on the way, so the next connection asks for them again. */
    #closeWhenBytesAreLost() {
        this.#missingSinceMs ??= Date.now();
        if (Date.now() - this.#missingSinceMs > remote_process/* silenceLimitMs */.dV)
            this.close();
    }
}
/** The end of a process. A transport whose `close` has no end does not keep a capture that is left. */
async function endOf(command, left) {
    const ended = new AbortController();
    const unanswered = left.then(async () => {
        await (0,timeouts/* pause */.v7)(leaveGraceMs, ended.signal);
        return { code: 1006, reason: 'the connection did not end' };
    });
    return Promise.race([command.ended, unanswered]).finally(() => ended.abort());
}
function followCommand(spoolDirs, offset) {
    return ['sh', '-c', scripts/* startFollowerScript */.eN, 'follow', String(offset), ...spoolDirs];
}

;// CONCATENATED MODULE: ./src/capture/reconnect-log.ts
/** How often a reason that does not change is reported again. */
const repeatIntervalMs = 60_000;
/**
 * Reports why connections are lost, without flooding the log: a reason at once when it is new or when the connection had brought data, and the
 * same reason again at most once a minute, with the number of attempts.
 */
class ReconnectLog {
    #report;
    #last;
    constructor(report) {
        this.#report = report;
    }
    connectionLost(reason, { hadProgress }) {
        const last = this.#last;
        if (last === undefined || hadProgress || last.reason !== reason) {
            this.#last = { reason, reportedAtMs: Date.now(), attemptCount: 1 };
            this.#report(reason);
            return;
        }
        last.attemptCount += 1;
        if (Date.now() - last.reportedAtMs < repeatIntervalMs)
            return;
        last.reportedAtMs = Date.now();
        this.#report(`${reason}; ${last.attemptCount} attempts so far`);
    }
}

// EXTERNAL MODULE: ./src/capture/recorders/start-failure.ts
var start_failure = __webpack_require__(3669);
;// CONCATENATED MODULE: ./src/capture/follower.ts






const firstBackoffMs = 200;
const maxBackoffMs = 10_000;
/** Lines that are not of the protocol are shown, but do not flood the log. */
const maxRemoteLineCount = 20;
const maxRemoteLineCharacters = 1_000;
const maxDetailCharacters = 500;
/** A line needs this long to reach the follower before its connection is closed. */
const holdDelayMs = 200;
/**
 * Follows the spool into the part file until its trailer, over as many connections as necessary, each from the present offset with fresh
 * credentials. `giveUpAtMs(lastProgressMs)`: the time after which a lost connection is not restored, given the time of the last byte; both ms
 * since the epoch.
 */
function followSpool(endpoint, part, giveUpAtMs, events) {
    return new Follower(endpoint, part, giveUpAtMs, events);
}
/** A loop of connections, with a wait after each that was lost. `stop`, `hold` and `giveUp` may come in each state. */
class Follower {
    /** Never rejects. */
    outcome;
    #state = 'connecting';
    /** why the loop ends before the trailer is here */
    #leaving;
    #left = Promise.withResolvers();
    #stopCommand;
    /** a stop could not be sent: the next wait is short, however many connections have failed */
    #isStopUrgent = false;
    #connection;
    #wake = new AbortController();
    #backoffMs = firstBackoffMs;
    #lastProgressMs = Date.now();
    #reconnectCount = 0;
    #hasListened = false;
    #isSpoolShared = false;
    #remoteLineCount = 0;
    #endpoint;
    #part;
    #giveUpAtMs;
    #events;
    #log;
    constructor(endpoint, part, giveUpAtMs, events) {
        this.#endpoint = endpoint;
        this.#part = part;
        this.#giveUpAtMs = giveUpAtMs;
        this.#events = events;
        this.#log = new ReconnectLog((reason) => events.onReconnecting((0,remote_text/* sanitizeRemoteText */.lt)(reason, maxDetailCharacters)));
        this.outcome = this.#run().then((outcome) => {
            this.#state = 'ended';
            return { ...outcome, detail: (0,remote_text/* sanitizeRemoteText */.lt)(outcome.detail, maxDetailCharacters) };
        });
    }
    /** Asks the recorder to stop, and again on each new connection. */
    stop(command) {
        const isNew = this.#stopCommand !== command; // a caller may ask each second
        this.#stopCommand = command;
        if (this.#connection?.send(`stop ${command}`) || !isNew)
            return;
        if (this.#state === 'waiting')
            this.#wake.abort();
        else
            this.#isStopUrgent = true;
    }
    /** Ends the following with what has arrived. */
    giveUp(reason) {
        this.#connection?.close();
        // Without a connection nothing can be too slow.
        this.#leave(reason === 'too-slow' && this.#state !== 'streaming' ? 'gave-up' : reason);
    }
    /** Leaves the rest in the pod for `seconds`, where the post step fetches it. */
    hold(seconds) {
        this.#connection?.send(`hold ${seconds}`);
        this.#connection?.closeAfter(holdDelayMs);
        this.#leave('held');
    }
    #leave(how) {
        this.#leaving ??= how;
        this.#left.resolve(undefined);
        this.#wake.abort();
    }
    async #run() {
        for (;;) {
            const before = this.#part.receivedBytes;
            const end = await this.#connect();
            if (end.kind === 'finished')
                return this.#outcome('whole', '', end.trailer);
            if (end.kind === 'disk-failed')
                return this.#outcome('runner-disk', end.reason);
            const hadProgress = this.#part.receivedBytes > before;
            if (hadProgress)
                this.#noteProgress();
            const state = await this.#askRecorder();
            if (state === undefined || end.kind === 'left')
                return this.#leftOutcome();
            const last = this.#outcomeWithout(state, end);
            if (last)
                return last;
            this.#log.connectionLost(state.kind === 'unknown' ? state.reason : end.reason, { hadProgress });
            await this.#waitToReconnect();
            if (this.#leaving)
                return this.#leftOutcome();
        }
    }
    async #connect() {
        this.#state = 'connecting';
        this.#connection = new FollowerConnection(this.#endpoint, this.#part, {
            onOpened: () => this.#onOpened(),
            onListening: () => this.#onListening(),
            onRemoteLine: (line) => this.#onRemoteLine(line),
            onMemorySpool: () => (this.#isSpoolShared = true),
        });
        const end = await this.#connection.run(this.#left.promise);
        this.#connection = undefined;
        return end;
    }
    #onOpened() {
        this.#state = 'streaming';
        if (this.#stopCommand !== undefined)
            this.#connection?.send(`stop ${this.#stopCommand}`);
        if (this.#leaving)
            this.#connection?.close();
    }
    #onListening() {
        if (this.#hasListened)
            return;
        this.#hasListened = true;
        this.#events.onListening();
    }
    #onRemoteLine(line) {
        this.#remoteLineCount += 1;
        if (this.#remoteLineCount <= maxRemoteLineCount)
            this.#events.onRemoteLine(line.slice(0, maxRemoteLineCharacters));
    }
    #noteProgress() {
        this.#backoffMs = firstBackoffMs;
        this.#lastProgressMs = Date.now();
    }
    /** The state of the recorder; undefined where the following is left, also while the answer is not there. */
    async #askRecorder() {
        this.#state = 'asking-recorder';
        if (this.#leaving)
            return undefined;
        const state = await Promise.race([this.#endpoint.state(), this.#left.promise]);
        return this.#leaving ? undefined : state;
    }
    /** The end, where no further connection can bring the rest, or none is to be made. */
    #outcomeWithout(state, { reason, isOffsetGone }) {
        if (state.kind === 'terminated')
            return this.#terminatedOutcome(state);
        if (state.kind === 'gone')
            return this.#outcome('endpoint-gone', state.reason);
        if (isOffsetGone || Date.now() > this.#giveUpAtMs(this.#lastProgressMs))
            return this.#outcome('gave-up', reason);
        return undefined;
    }
    /** The container's termination message is the trailer, too: where every byte has arrived, that is proof enough. */
    #terminatedOutcome({ message, reason, podDeleted }) {
        const trailer = (0,capture_trailer/* parseTrailer */.P)(message.split('\n'));
        const detail = message.replace(/\s*\n\s*/g, '; ') || reason;
        if (trailer?.sizeBytes === this.#part.receivedBytes)
            return this.#outcome('whole', detail, trailer);
        if (podDeleted)
            return this.#outcome('endpoint-gone', detail, trailer);
        const recorderError = (0,start_failure/* parseRecorderError */.eK)((0,remote_text/* sanitizeRemoteText */.lt)(detail, maxDetailCharacters));
        return { ...this.#outcome('container-ended', detail, trailer), recorderError };
    }
    async #waitToReconnect() {
        this.#reconnectCount += 1;
        const jitter = 0.8 + Math.random() * 0.4;
        const waitMs = (this.#isStopUrgent ? firstBackoffMs : this.#backoffMs) * jitter;
        this.#isStopUrgent = false;
        this.#wake = new AbortController();
        this.#state = 'waiting';
        await (0,timeouts/* pause */.v7)(waitMs, this.#wake.signal);
        this.#backoffMs = Math.min(this.#backoffMs * 2, maxBackoffMs);
    }
    #leftOutcome() {
        const end = this.#leaving ?? 'gave-up';
        return this.#outcome(end, leftDetails[end]);
    }
    #outcome(end, detail, trailer) {
        return { trailer, end, detail, reconnectCount: this.#reconnectCount, isSpoolShared: this.#isSpoolShared };
    }
}
const leftDetails = {
    held: 'left for the post step',
    'gave-up': 'no more data arrived',
    'too-slow': '',
    'too-much': '',
};

// EXTERNAL MODULE: ./src/capture/part-file.ts + 3 modules
var part_file = __webpack_require__(92132);
// EXTERNAL MODULE: ./src/capture/recorders/methods.ts + 2 modules
var methods = __webpack_require__(9588);
;// CONCATENATED MODULE: ./src/capture/capture.ts







/**
 * The part file of a capture: made before the recorder is, continued by the post step. Its packets also go to `consumers`. @throws the file
 * system's error
 */
async function openPart(record, consumers = []) {
    await (0,promises_.mkdir)((0,external_node_path_.dirname)(record.partPath), { recursive: true });
    return (0,part_file/* openPartFile */.sq)(record.partPath, consumers);
}
/** Follows a capture whose recorder runs, from where its part file ends, to its result. */
function followCapture(recorder, part, options) {
    return new RunningCapture(recorder, part, options);
}
/** The result of what the part file has, where the cluster cannot be asked for more. `detail`: why */
async function finishFromDisk(record, imageId, detail) {
    const part = await openPart(record);
    return (0,capture_result/* concludeCapture */._F)({ record, imageId, part }, { trailer: undefined, end: 'gave-up', detail, reconnectCount: 0 });
}
/** The runner enforces a limit of the capture this much later than the recorder does. */
const limitGraceMs = 10_000;
const limitCheckIntervalMs = 1_000;
/** A capture that runs: its follower, and the limits that hold also where the recorder does not keep them. */
class RunningCapture {
    record;
    /** the image that the node runs, by digest; undefined where the kubelet does not report it */
    imageId;
    part;
    /** @throws NothingRecorded where the recorder failed before it recorded anything */
    finished;
    #follower;
    #limits;
    #lastProgressMs = Date.now();
    #seenBytes = 0;
    constructor({ record, endpoint }, part, { imageId, events, endsAtMs }) {
        this.record = record;
        this.imageId = imageId;
        this.part = part;
        this.#limits = new FetchLimits({ record, receivedBytes: part.receivedBytes, endsAtMs });
        const tooMuch = () => queueMicrotask(() => this.#follower.giveUp('too-much')); // the first bytes may come before it is assigned
        const sink = (0,part_file/* limitSink */.jw)(part, this.#limits.maxBytes, tooMuch);
        const giveUpAtMs = (lastProgressMs) => this.#limits.giveUpAtMs(lastProgressMs, part.receivedBytes);
        this.#follower = followSpool(endpoint, sink, giveUpAtMs, {
            onListening: () => {
                this.#limits.listening();
                events.onListening();
            },
            onReconnecting: events.onReconnecting,
            onRemoteLine: events.onRemoteLine,
        });
        this.finished = this.#finish();
        this.finished.catch(() => undefined); // it may reject while other captures still start, before it is awaited
    }
    stop(reason) {
        this.#follower.stop(reason);
    }
    /** Ends the capture here, and leaves the rest in the pod for `seconds`. */
    hold(seconds) {
        this.#follower.hold(seconds);
    }
    async #finish() {
        const limitTimer = setInterval(() => this.#enforceLimits(), limitCheckIntervalMs);
        const outcome = await this.#follower.outcome.finally(() => clearInterval(limitTimer));
        if (outcome.recorderError) {
            await this.part.discard();
            throw (0,methods/* methodOf */.N)(this.record).explainFailedStart(outcome.recorderError, undefined);
        }
        return (0,capture_result/* concludeCapture */._F)(this, outcome);
    }
    /** The recorder keeps these limits itself. The runner is the second line, for a recorder whose clock stands still, or that lies. */
    #enforceLimits() {
        const { receivedBytes } = this.part;
        const nowMs = Date.now();
        if (receivedBytes > this.#seenBytes)
            this.#lastProgressMs = nowMs;
        this.#seenBytes = receivedBytes;
        this.#limits.note(receivedBytes);
        if (nowMs > this.#limits.lastMomentMs(receivedBytes))
            this.#follower.giveUp('too-slow');
        else if (nowMs > this.#limits.giveUpAtMs(this.#lastProgressMs, receivedBytes) + limitGraceMs)
            this.#follower.giveUp('gave-up');
        else if (receivedBytes > this.record.plan.maxBytes)
            this.#stopAtSize();
        else if (nowMs > this.#limits.recordingEndMs() + limitGraceMs)
            this.#follower.stop('duration');
    }
    #stopAtSize() {
        this.#limits.stopped();
        this.#follower.stop('size');
    }
}


/***/ }),

/***/ 92132:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {


// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  cu: () => (/* binding */ cutToWholePackets),
  jw: () => (/* binding */ limitSink),
  sq: () => (/* binding */ openPartFile)
});

// UNUSED EXPORTS: PartFile

// EXTERNAL MODULE: external "node:crypto"
var external_node_crypto_ = __webpack_require__(77598);
// EXTERNAL MODULE: external "node:fs"
var external_node_fs_ = __webpack_require__(73024);
// EXTERNAL MODULE: external "node:fs/promises"
var promises_ = __webpack_require__(51455);
// EXTERNAL MODULE: ./src/common/gc.ts
var gc = __webpack_require__(25503);
;// CONCATENATED MODULE: ./src/pcap/reader.ts
const fileHeaderBytes = 24;
/** Bytes of a record header. */
const recordHeaderBytes = 16;
/** MAXIMUM_SNAPLEN of libpcap is 262144; USB and D-Bus links have larger packets, the interfaces of a pod or node do not. */
const maxPacketBytes = 1_048_576;
const noBytes = Buffer.alloc(0);
/**
 * Reads a pcap stream in chunks of any size and gives each whole packet to every consumer. A packet that lies in one chunk is handed over where it
 * is; only one that spans chunks is copied. Memory is bounded by the largest packet.
 */
class PcapReader {
    #state = 'file-header';
    #consumers;
    #packet = {
        buffer: noBytes,
        offset: 0,
        capturedLength: 0,
        originalLength: 0,
        seconds: 0,
        nanoseconds: 0,
        streamOffset: 0,
    };
    /** the begin of a header or packet whose rest is in a later chunk */
    #carry = Buffer.alloc(4_096);
    #carriedBytes = 0;
    #littleEndian = true;
    #nanosecondsPerUnit = 1_000;
    #packetCount = 0;
    #bytes = 0;
    #wholeBytes = 0;
    #broken;
    constructor(consumers) {
        this.#consumers = consumers;
    }
    /** How far the stream has come. */
    progress() {
        return { bytes: this.#bytes, wholeBytes: this.#wholeBytes, broken: this.#broken };
    }
    push(chunk) {
        let at = this.#carriedBytes > 0 ? this.#completeCarried(chunk) : 0;
        while (this.#state !== 'broken') {
            const needed = this.#neededBytes();
            if (chunk.length - at < needed)
                break;
            this.#take(chunk, at, this.#bytes + at);
            at += needed;
        }
        if (this.#state !== 'broken' && at < chunk.length)
            this.#addToCarry(chunk, at, chunk.length - at);
        this.#bytes += chunk.length;
        this.#packet.buffer = noBytes; // keeps no chunk alive
    }
    end() {
        const end = this.progress();
        for (const consumer of this.#consumers)
            consumer.onEnd?.(end);
    }
    /** Adds the chunk's first bytes to what is carried until that is whole; what is behind them in the chunk is not touched. */
    #completeCarried(chunk) {
        let at = 0;
        while (this.#state !== 'broken' && this.#carriedBytes > 0) {
            const needed = this.#neededBytes();
            const step = Math.min(needed - this.#carriedBytes, chunk.length - at);
            this.#addToCarry(chunk, at, step);
            at += step;
            if (this.#carriedBytes < needed)
                return at;
            this.#carriedBytes = 0;
            this.#take(this.#carry, 0, this.#bytes + at - needed);
        }
        return at;
    }
    #addToCarry(chunk, at, addedBytes) {
        const totalBytes = this.#carriedBytes + addedBytes;
        if (totalBytes > this.#carry.length) {
            const larger = Buffer.allocUnsafeSlow(Math.max(totalBytes, 2 * this.#carry.length));
            this.#carry.copy(larger, 0, 0, this.#carriedBytes);
            this.#carry = larger;
        }
        chunk.copy(this.#carry, this.#carriedBytes, at, at + addedBytes);
        this.#carriedBytes = totalBytes;
    }
    /** Bytes of the header or packet that comes next. */
    #neededBytes() {
        if (this.#state === 'record-header')
            return recordHeaderBytes;
        if (this.#state === 'packet')
            return this.#packet.capturedLength;
        return fileHeaderBytes;
    }
    /** Takes the next header or packet, all of which is in `buffer`. */
    #take(buffer, at, streamOffset) {
        if (this.#state === 'packet')
            this.#takePacket(buffer, at, streamOffset);
        else if (this.#state === 'record-header')
            this.#takeRecordHeader(buffer, at, streamOffset);
        else
            this.#takeFileHeader(buffer, at);
    }
    #takeFileHeader(buffer, at) {
        const magic = buffer.readUInt32LE(at);
        const format = formats.get(magic);
        if (format === undefined) {
            this.#breakOff(`it does not begin with a pcap header (magic 0x${magic.toString(16).padStart(8, '0')})`);
            return;
        }
        this.#littleEndian = format.littleEndian;
        this.#nanosecondsPerUnit = format.hasNanoseconds ? 1 : 1_000;
        this.#wholeBytes = fileHeaderBytes;
        this.#state = 'record-header';
        const header = { ...format, linkType: this.#word(buffer, at + 20) & 0xffff, snaplen: this.#word(buffer, at + 16) };
        for (const consumer of this.#consumers)
            consumer.onHeader?.(header);
    }
    #takeRecordHeader(buffer, at, streamOffset) {
        const capturedLength = this.#word(buffer, at + 8);
        if (capturedLength > maxPacketBytes) {
            this.#breakOff(`packet ${this.#packetCount + 1} claims ${capturedLength} bytes`);
            return;
        }
        const packet = this.#packet;
        packet.capturedLength = capturedLength;
        packet.originalLength = this.#word(buffer, at + 12);
        packet.seconds = this.#word(buffer, at);
        packet.nanoseconds = this.#word(buffer, at + 4) * this.#nanosecondsPerUnit;
        packet.streamOffset = streamOffset;
        this.#state = 'packet';
    }
    #takePacket(buffer, at, streamOffset) {
        const packet = this.#packet;
        packet.buffer = buffer;
        packet.offset = at;
        this.#packetCount += 1;
        this.#wholeBytes = streamOffset + packet.capturedLength;
        this.#state = 'record-header';
        for (const consumer of this.#consumers)
            consumer.onPacket(packet);
    }
    #breakOff(reason) {
        this.#broken = reason;
        this.#state = 'broken';
    }
    #word(buffer, at) {
        return this.#littleEndian ? buffer.readUInt32LE(at) : buffer.readUInt32BE(at);
    }
}
const formats = new Map([
    [0xa1b2c3d4, { littleEndian: true, hasNanoseconds: false }],
    [0xa1b23c4d, { littleEndian: true, hasNanoseconds: true }],
    [0xd4c3b2a1, { littleEndian: false, hasNanoseconds: false }],
    [0x4d3cb2a1, { littleEndian: false, hasNanoseconds: true }],
]);

;// CONCATENATED MODULE: ./src/pcap/scanner.ts
/** Counts the packets of a stream and keeps the times of the first and the last one. */
class PcapScanner {
    #packets = 0;
    #linkType;
    #first;
    #lastSeconds = 0;
    #lastNanoseconds = 0;
    onHeader({ linkType }) {
        this.#linkType = linkType;
    }
    onPacket({ seconds, nanoseconds }) {
        this.#packets += 1;
        this.#first ??= toMs(seconds, nanoseconds);
        this.#lastSeconds = seconds;
        this.#lastNanoseconds = nanoseconds;
    }
    /** What was seen, with how far the reader has come. */
    result({ bytes, wholeBytes, broken }) {
        const last = this.#packets === 0 ? undefined : toMs(this.#lastSeconds, this.#lastNanoseconds);
        return { packets: this.#packets, bytes, wholeBytes, linkType: this.#linkType, first: this.#first, last, broken };
    }
}
function toMs(seconds, nanoseconds) {
    return seconds * 1_000 + nanoseconds / 1e6;
}

;// CONCATENATED MODULE: ./src/capture/block-writer.ts
/** Chunks of some KB are collected into blocks of this size: one write and one hash step for many, and no chunk is kept after its arrival. */
const blockBytes = 1024 * 1024;
/** As soon as this many blocks wait for the disk, the sender waits, too. */
const maxWaitingBlockCount = 4;
/** Appends chunks to a file in blocks, in order, and makes the sender wait while the disk is behind. The first error of the disk is its last word. */
class BlockWriter {
    #state = 'idle';
    #failure;
    #file;
    #onBlock;
    #fileBytes;
    #block = Buffer.allocUnsafeSlow(blockBytes);
    #filledBytes = 0;
    #waiting = [];
    #spare = [];
    #written = Promise.resolve();
    #room = new Gate();
    /** `fileBytes`: what the file has already. `onBlock`: is given each block before it is written, valid during the call. */
    constructor(file, fileBytes, onBlock) {
        this.#file = file;
        this.#fileBytes = fileBytes;
        this.#onBlock = onBlock;
    }
    /** Bytes that the file system has taken. */
    get storedBytes() {
        return this.#fileBytes;
    }
    /** The bytes of the block that is not full yet; valid until the next call. */
    get unflushed() {
        return this.#block.subarray(0, this.#filledBytes);
    }
    /** The error of the disk, once there is one: the writer takes nothing more then. */
    get error() {
        return this.#failure;
    }
    /** A promise asks the sender to wait; it rejects with the error of the disk. */
    add(chunk) {
        if (this.#failure)
            return Promise.reject(this.#failure);
        for (let at = 0; at < chunk.length;) {
            const step = Math.min(blockBytes - this.#filledBytes, chunk.length - at);
            chunk.copy(this.#block, this.#filledBytes, at, at + step);
            this.#filledBytes += step;
            at += step;
            if (this.#filledBytes === blockBytes)
                this.flush();
        }
        return this.#waiting.length < maxWaitingBlockCount ? undefined : this.#room.wait();
    }
    /** Writes what is collected, though the block is not full yet. */
    flush() {
        if (this.#filledBytes === 0 || this.#state === 'failed')
            return;
        const isFull = this.#filledBytes === blockBytes;
        const done = isFull ? this.#block : Buffer.from(this.unflushed);
        this.#onBlock(done);
        this.#waiting.push(done);
        if (isFull)
            this.#block = this.#spare.pop() ?? Buffer.allocUnsafeSlow(blockBytes);
        this.#filledBytes = 0;
        if (this.#state === 'idle')
            this.#written = this.#writeWaiting();
    }
    /** Waits until everything is in the file, and closes it. @throws the file system's error */
    async close() {
        this.flush();
        await this.#written;
        await this.#file.close();
        if (this.#failure)
            throw this.#failure;
    }
    async #writeWaiting() {
        this.#state = 'writing';
        try {
            for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
                await this.#write(next);
                this.#waiting.shift();
                if (next.length === blockBytes)
                    this.#spare.push(next);
                if (this.#waiting.length < maxWaitingBlockCount)
                    this.#room.open();
            }
            this.#state = 'idle';
        }
        catch (error) {
            this.#fail(error);
        }
    }
    async #write(block) {
        for (let at = 0; at < block.length;) {
            const { bytesWritten } = await this.#file.write(block, at);
            at += bytesWritten;
            this.#fileBytes += bytesWritten;
        }
    }
    #fail(error) {
        this.#state = 'failed';
        this.#failure = error;
        this.#waiting.length = 0;
        this.#room.fail(error);
    }
}
/** Senders wait at it until there is room; all of them continue, or fail, together. */
class Gate {
    #waiting;
    wait() {
        this.#waiting ??= Promise.withResolvers();
        return this.#waiting.promise;
    }
    open() {
        this.#waiting?.resolve();
        this.#waiting = undefined;
    }
    fail(error) {
        this.#waiting?.reject(error);
        this.#waiting = undefined;
    }
}

;// CONCATENATED MODULE: ./src/capture/part-file.ts







/** Bytes of chunks that are no longer used, after which their memory is collected. */
const collectEveryBytes = 16 * blockBytes;
/**
 * A sink that takes `maxBytes` in all, counted from the begin of the file. What comes after them is dropped; `onTooMuch` is called each time, and ends
 * the connection.
 */
function limitSink(part, maxBytes, onTooMuch) {
    return {
        get receivedBytes() {
            return part.receivedBytes;
        },
        get storedBytes() {
            return part.storedBytes;
        },
        flush: () => part.flush(),
        push: (chunk) => {
            const roomBytes = Math.max(0, maxBytes - part.receivedBytes);
            if (chunk.length <= roomBytes)
                return part.push(chunk);
            const room = roomBytes === 0 ? undefined : part.push(chunk.subarray(0, roomBytes));
            onTooMuch();
            return room;
        },
    };
}
/**
 * Opens the part file at `path` (mode 0600), whose packets go to a scanner and to each of `consumers`. Bytes that the file already has (main was
 * cancelled, and post continues) are read again, through all of them. @throws the file system's error
 */
async function openPartFile(path, consumers = []) {
    const hash = (0,external_node_crypto_.createHash)('sha256');
    const scanner = new PcapScanner();
    const reader = new PcapReader([scanner, ...consumers]);
    await readChunks(path, (chunk) => {
        hash.update(chunk);
        reader.push(chunk);
    });
    const file = await (0,promises_.open)(path, 'a', 0o600);
    const writer = new BlockWriter(file, reader.progress().bytes, (block) => hash.update(block));
    return new PartFile({ path, hash, scanner, reader, writer });
}
/** The runner's end of the spool: a file that grows, the hash of its bytes, and the readers of its packets. */
class PartFile {
    path;
    #state = 'open';
    /** of the blocks that were flushed */
    #hash;
    #scanner;
    #reader;
    #writer;
    #uncollectedBytes = 0;
    constructor({ path, hash, scanner, reader, writer }) {
        this.path = path;
        this.#hash = hash;
        this.#scanner = scanner;
        this.#reader = reader;
        this.#writer = writer;
    }
    /** Bytes received so far: the offset at which the next connection continues. */
    get receivedBytes() {
        return this.#reader.progress().bytes;
    }
    /** Bytes that the file system has taken: the pod may delete them from its spool. */
    get storedBytes() {
        return this.#writer.storedBytes;
    }
    /** Takes bytes; a promise asks the sender to wait. It rejects when the disk fails. */
    push(chunk) {
        if (this.#writer.error)
            return Promise.reject(this.#writer.error);
        this.#reader.push(chunk);
        const room = this.#writer.add(chunk);
        this.#uncollectedBytes += chunk.length;
        if (this.#uncollectedBytes > collectEveryBytes) {
            this.#uncollectedBytes = 0;
            (0,gc/* freeBuffers */.S)('minor');
        }
        return room;
    }
    /** Sends what is collected to the file system, though a block is not full yet. */
    flush() {
        this.#writer.flush();
    }
    scan() {
        return this.#scanner.result(this.#reader.progress());
    }
    /** SHA-256 of all bytes received, hex */
    sha256() {
        return this.#hash.copy().update(this.#writer.unflushed).digest('hex');
    }
    /** Waits until everything is on disk, closes the file, and reports the end to the consumers. @throws the file system's error */
    async close() {
        if (this.#state === 'open')
            this.#reader.end();
        this.#state = 'closed';
        await this.#writer.close();
    }
    /** Closes and deletes the file: nothing was recorded. */
    async discard() {
        await this.close().catch(() => undefined); // what the disk could not store is deleted anyway
        await (0,promises_.rm)(this.path, { force: true });
    }
}
/**
 * Cuts a broken file after its last whole packet. Returns the scan and the SHA-256 (hex) of what is left. After an error of the disk only the file
 * itself shows what it has, so it is read again. @throws the file system's error
 */
async function cutToWholePackets(path) {
    const scanner = new PcapScanner();
    const reader = new PcapReader([scanner]);
    await readChunks(path, (chunk) => reader.push(chunk));
    const scan = scanner.result(reader.progress());
    if (scan.bytes > scan.wholeBytes)
        await (0,promises_.truncate)(path, scan.wholeBytes);
    const hash = (0,external_node_crypto_.createHash)('sha256');
    await readChunks(path, (chunk) => hash.update(chunk));
    return { scan: { ...scan, bytes: scan.wholeBytes }, sha256: hash.digest('hex') };
}
/** Reads a file that may be missing. */
async function readChunks(path, take) {
    const { size } = await (0,promises_.stat)(path).catch(() => ({ size: 0 }));
    if (size === 0)
        return;
    for await (const chunk of (0,external_node_fs_.createReadStream)(path, { highWaterMark: blockBytes }))
        take(chunk);
}


/***/ }),

/***/ 24180:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   f: () => (/* binding */ recorderParameters),
/* harmony export */   r: () => (/* binding */ recorderPayload)
/* harmony export */ });
/* harmony import */ var node_crypto__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(77598);
/* harmony import */ var node_crypto__WEBPACK_IMPORTED_MODULE_0___default = /*#__PURE__*/__webpack_require__.n(node_crypto__WEBPACK_IMPORTED_MODULE_0__);
/* harmony import */ var _scripts_scripts_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(69413);


/** The recorder, its parameters and the follower, for scripts/unpack.sh. The same for the same arguments. `deadlineSeconds`: since the epoch. */
function recorderPayload(captureId, plan, deadlineSeconds) {
    const text = [
        _scripts_scripts_js__WEBPACK_IMPORTED_MODULE_1__/* .unpackScript */ .gz,
        '#parameters',
        ...Object.entries(recorderParameters(captureId, plan, deadlineSeconds)).map(([name, value]) => `${name}=${String(value)}`),
        '#follower',
        _scripts_scripts_js__WEBPACK_IMPORTED_MODULE_1__/* .followerScript */ .u6,
        '#recorder',
        _scripts_scripts_js__WEBPACK_IMPORTED_MODULE_1__/* .recorderScript */ .OY,
        '#end',
    ].join('\n');
    return { text, sha256: (0,node_crypto__WEBPACK_IMPORTED_MODULE_0__.createHash)('sha256').update(`${text}\n`).digest('hex') };
}
/** The environment of the recorder; no value has a line break. */
function recorderParameters(captureId, plan, deadlineSeconds) {
    return {
        CAPTURE_NAME: captureId,
        CAPTURE_DEADLINE: deadlineSeconds,
        CAPTURE_FILTER: plan.filter ?? '',
        CAPTURE_INTERFACE: plan.interface,
        CAPTURE_SNAPLEN: plan.snaplen,
        CAPTURE_DURATION: plan.durationSeconds,
        CAPTURE_SIZE: plan.maxBytes,
        CAPTURE_PACKETS: plan.maxPackets ?? '',
        CAPTURE_BUFFER: ringKiB,
        CAPTURE_SPOOL: plan.spoolLimitBytes,
        // In 10^6 bytes. Each segment costs seven short processes, and the segment that is written cannot be deleted.
        CAPTURE_SEGMENT: Math.min(16, Math.max(1, Math.floor(plan.spoolLimitBytes / 16e6))),
        CAPTURE_HEARTBEAT_TIMEOUT: plan.heartbeatTimeoutSeconds,
    };
}
/** tcpdump's -B: two seconds of 50,000 packets of 300 bytes; libpcap's default of 2 MiB overflows at 20,000 packets a second. */
const ringKiB = 32768;


/***/ }),

/***/ 50739:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   G0: () => (/* binding */ deadlineOf),
/* harmony export */   MN: () => (/* binding */ captureIdPrefix),
/* harmony export */   bu: () => (/* binding */ maxRunSeconds),
/* harmony export */   d0: () => (/* binding */ maxHoldSeconds),
/* harmony export */   gP: () => (/* binding */ slackSeconds),
/* harmony export */   nF: () => (/* binding */ spoolDirsOf),
/* harmony export */   oF: () => (/* binding */ newCaptureId),
/* harmony export */   rz: () => (/* binding */ spoolLimitBytesFor)
/* harmony export */ });
/* unused harmony export quantity */
/* harmony import */ var node_crypto__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(77598);
/* harmony import */ var node_crypto__WEBPACK_IMPORTED_MODULE_0___default = /*#__PURE__*/__webpack_require__.n(node_crypto__WEBPACK_IMPORTED_MODULE_0__);

/** A new name for a capture and its container or Job: the prefix of the repository and a random end. A DNS label. */
function newCaptureId(repository) {
    return `${captureIdPrefix(repository)}${(0,node_crypto__WEBPACK_IMPORTED_MODULE_0__.randomBytes)(4).toString('hex')}`;
}
function captureIdPrefix(repository) {
    return `packet-capture-${(0,node_crypto__WEBPACK_IMPORTED_MODULE_0__.createHash)('sha256').update(repository).digest('hex').slice(0, 6)}-`;
}
/** Where the recorder's files are in a container: on its disk, or in memory where the disk has no room. */
function spoolDirsOf(container) {
    return [`/tmp/${container}`, `/dev/shm/${container}`];
}
/** Beyond start-timeout and duration, until everything in the pod has ended: the last packets of the kernel, the hash, a slow last fetch. */
const slackSeconds = 60;
/** From the start to the deadline. */
function maxRunSeconds({ startTimeoutSeconds, durationSeconds }) {
    return startTimeoutSeconds + durationSeconds + slackSeconds;
}
/** When a capture that starts now must have ended: epoch seconds, the API server's clock. `serverTimeMs`: that clock, epoch. */
function deadlineOf(plan, serverTimeMs) {
    return Math.ceil(serverTimeMs / 1000) + maxRunSeconds(plan);
}
/** How long after its deadline a recorder waits at most for the post step to fetch the rest. */
const maxHoldSeconds = 600;
/**
 * What the spool of a pod may use of the node's disk. The kubelet evicts a pod whose containers together use more than the pod's limit (kubelet,
 * podEphemeralStorageLimitEviction), and the application may have used most of it before the capture.
 */
function spoolLimitBytesFor({ facts }, wantedBytes) {
    const podLimitBytes = ephemeralStorageLimitBytes(facts);
    if (podLimitBytes === undefined)
        return wantedBytes;
    return Math.min(wantedBytes, maxSharedSpoolBytes, Math.floor(podLimitBytes * podLimitFraction));
}
/**
 * The limit of a pod as the kubelet counts it (component-helpers, resource.PodLimits): the sum of its containers and sidecars, or the limit of an
 * init container where that is larger, which applies for the whole life of the pod; undefined where no container has a limit.
 */
function ephemeralStorageLimitBytes({ spec }) {
    const limitOf = (container) => quantity(container.resources?.limits?.['ephemeral-storage']);
    const sumOf = (containers) => containers.reduce((sum, container) => sum + (limitOf(container) ?? 0), 0);
    const { containers = [], initContainers = [] } = spec ?? {};
    if ([...containers, ...initContainers].every((container) => limitOf(container) === undefined))
        return undefined;
    const isSidecar = ({ restartPolicy }) => restartPolicy === 'Always';
    const starting = initContainers.map((container, i) => isSidecar(container) ? 0 : (limitOf(container) ?? 0) + sumOf(initContainers.slice(0, i).filter(isSidecar)));
    return Math.max(sumOf([...containers, ...initContainers.filter(isSidecar)]), ...starting);
}
const podLimitFraction = 0.1;
const maxSharedSpoolBytes = 16e6;
/** Bytes of a Kubernetes quantity (apimachinery, resource.Quantity); undefined where it is absent or malformed. */
function quantity(text) {
    const match = /^(\d+(?:\.\d+)?)(m|[kMGTPE]|[KMGTPE]i|e\d+)?$/.exec(text ?? '');
    if (!match)
        return undefined;
    const unit = match[2] ?? '';
    const value = Number(match[1]);
    if (unit === 'm')
        return value / 1000;
    if (unit.startsWith('e'))
        return value * 10 ** Number(unit.slice(1));
    const power = 'kMGTPE'.indexOf(unit[0] === 'K' ? 'k' : (unit[0] ?? '')) + 1;
    return unit === '' ? value : value * (unit.endsWith('i') ? 1024 : 1000) ** power;
}


/***/ }),

/***/ 58283:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   I: () => (/* binding */ unprotectedFrom),
/* harmony export */   v: () => (/* binding */ unprotectedEnd)
/* harmony export */ });
/* harmony import */ var _recorders_methods_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(9588);

/** Below this the recorder puts its spool into /dev/shm (scripts/recorder.sh). */
const minDiskSpoolBytes = 4_000_000;
/**
 * Who can change the content of a capture, as a clause; undefined where the pod's spec shows none.
 * `isSpoolShared`: the spool is in /dev/shm; without it, as far as that is known before the start.
 */
function unprotectedFrom(record, isSpoolShared) {
    const { target, plan } = record;
    if (target.kind !== 'pod' || target.protection === undefined)
        return undefined;
    const { inPod, inSharedMemory, onNode } = target.protection;
    if (!(0,_recorders_methods_js__WEBPACK_IMPORTED_MODULE_0__/* .methodOf */ .N)(record).isInsideTarget)
        return onNode;
    const isShared = isSpoolShared ?? plan.spoolLimitBytes < minDiskSpoolBytes;
    return inPod ?? (isShared ? inSharedMemory : undefined);
}
/** The end of a sentence about such a capture. */
const unprotectedEnd = 'so the content is not protected from it';


/***/ }),

/***/ 35334:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {


// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  zv: () => (/* binding */ recordOf),
  Zk: () => (/* binding */ recordedNode),
  YF: () => (/* binding */ recordedPod)
});

// EXTERNAL MODULE: external "node:path"
var external_node_path_ = __webpack_require__(76760);
// EXTERNAL MODULE: ./src/cluster/pod.ts
var cluster_pod = __webpack_require__(81585);
// EXTERNAL MODULE: ./src/common/remote-text.ts
var remote_text = __webpack_require__(14551);
;// CONCATENATED MODULE: ./src/cluster/pod-protection.ts


/**
 * Reads the spec of a pod. Ephemeral containers are not considered: a user who may add one may run any command in the recorder's container, too.
 * A container that starts as another user and becomes root later (a setuid program of its image) cannot be seen here.
 */
function podProtection(pod) {
    const containers = [
        ...list(pod.spec?.containers),
        ...list(pod.spec?.initContainers).filter(({ restartPolicy }) => restartPolicy === 'Always'), // the others have ended
    ];
    const find = (reasonOf) => {
        for (const container of containers) {
            const reason = reasonOf(container, pod);
            if (reason !== undefined)
                return `the container ${nameOf(container)} ${reason}`;
        }
        return undefined;
    };
    const onNode = find(hostProcesses) ?? find(hostPower) ?? find(hostFiles);
    return { inPod: find(sharedProcesses) ?? onNode, inSharedMemory: find(sharedMemory), onNode };
}
function sharedProcesses(container, pod) {
    const root = rootOf(container, pod);
    const isShared = pod.spec?.shareProcessNamespace === true;
    return isShared && root ? `shares the process namespace ${root}` : undefined;
}
function hostProcesses(container, pod) {
    const root = rootOf(container, pod);
    return pod.spec?.hostPID === true && root ? `shares the process namespace of the node (hostPID) ${root}` : undefined;
}
/** containerd and CRI-O mount one /dev/shm into all containers of a pod. */
function sharedMemory(container, pod) {
    const root = rootOf(container, pod);
    return root ? `shares /dev/shm, where the recorder had to put its spool, ${root}` : undefined;
}
/** Each of them allows to reach the disk or the memory of the node, and with it every container. */
const nodeCapabilities = new Set(['ALL', 'SYS_ADMIN', 'SYS_MODULE', 'SYS_RAWIO']);
/** In a user namespace root has no power over the node. */
function hostPower(container, pod) {
    if (pod.spec?.hostUsers === false)
        return undefined;
    if (container.securityContext?.privileged === true)
        return 'is privileged';
    const added = list(container.securityContext?.capabilities?.add);
    const capability = added
        .map((name) => String(name).replace(/^CAP_/i, '').toUpperCase())
        .find((name) => nodeCapabilities.has(name));
    return capability !== undefined && rootOf(container, pod) ? `has the capability ${capability}` : undefined;
}
/** Where the container runtimes keep the files of containers, or listen for commands: a socket in a read-only mount works, too. */
const runtimePaths = [
    ...['/var/lib/containerd', '/run/containerd', '/var/run/containerd', '/var/lib/docker', '/run/docker.sock'],
    ...['/var/run/docker.sock', '/var/lib/containers', '/run/crio', '/var/run/crio', '/run/k3s', '/var/lib/rancher'],
];
/** Where the recorder's files on a node are: a mount of one of these folders, or of a folder above it. */
const recorderPaths = ['/var/tmp', '/var/lib', ...runtimePaths];
/** Where a file of an attacker becomes a process of the node, in the folder itself and below it (static pods, cron, keys, programs, libraries). */
const nodePaths = [
    ...[
        '/bin',
        '/boot',
        '/dev',
        '/etc',
        '/home',
        '/lib',
        '/lib64',
        '/opt',
        '/proc',
        '/root',
        '/run/systemd',
        '/sbin',
        '/sys',
        '/usr',
    ],
    ...['/var/lib/kubelet', '/var/lib/systemd', '/var/spool/cron'],
];
/** Often mounted, and nothing of them runs. */
const harmlessPaths = [
    '/etc/localtime',
    '/etc/timezone',
    '/etc/ssl',
    '/etc/pki',
    '/usr/share',
    '/dev/shm',
    '/dev/hugepages',
];
function hostFiles(container, pod) {
    if (pod.spec?.hostUsers === false || !rootOf(container, pod))
        return undefined;
    for (const { name, readOnly } of list(container.volumeMounts)) {
        const given = list(pod.spec?.volumes).find((volume) => volume.name === name)?.hostPath?.path;
        if (typeof given !== 'string')
            continue;
        const path = external_node_path_.posix.normalize(given);
        const isRuntime = runtimePaths.some((known) => isWithin(known, path) || isWithin(path, known));
        if (isRuntime || (readOnly !== true && hasPowerOverNode(path)))
            return `mounts ${(0,remote_text/* toOneLine */.GX)(path, 100)} of the node (hostPath)`;
    }
    return undefined;
}
function hasPowerOverNode(path) {
    if (recorderPaths.some((known) => isWithin(known, path)))
        return true;
    if (harmlessPaths.some((known) => isWithin(path, known)))
        return false;
    return nodePaths.some((known) => isWithin(known, path) || isWithin(path, known));
}
function isWithin(path, folder) {
    const base = folder.replace(/\/+$/, '');
    return path === base || path.startsWith(`${base}/`);
}
/** How the container runs as root, for a sentence; undefined where it does not. Without a user in its spec the image decides. */
function rootOf({ securityContext }, { spec }) {
    const user = securityContext?.runAsUser ?? spec?.securityContext?.runAsUser;
    if (user === 0)
        return 'as root';
    const isNotRoot = securityContext?.runAsNonRoot ?? spec?.securityContext?.runAsNonRoot;
    return user !== undefined || isNotRoot === true ? undefined : 'and may run as root';
}
function nameOf({ name }) {
    return (0,remote_text/* toOneLine */.GX)(String(name ?? 'unknown'), 63);
}
/** The object comes from outside. */
function list(value) {
    return Array.isArray(value) ? value.filter((one) => one !== null && one !== undefined) : [];
}

// EXTERNAL MODULE: ./src/capture/plan.ts
var capture_plan = __webpack_require__(50739);
;// CONCATENATED MODULE: ./src/capture/record.ts




function recordOf(target, options) {
    const { captureId, method, plan, folder, serverTimeMs } = options;
    const deadlineSeconds = (0,capture_plan/* deadlineOf */.G0)(plan, serverTimeMs);
    return {
        target: recordedTarget(target),
        captureId,
        method,
        plan,
        deadlineSeconds,
        deadlineHereMs: Date.now() + deadlineSeconds * 1000 - serverTimeMs,
        path: (0,external_node_path_.join)(folder, `${fileNameFor(target, options)}.pcap`),
        partPath: (0,external_node_path_.join)(folder, `${captureId}.part`),
    };
}
function recordedTarget(target) {
    if (target.kind === 'node')
        return target;
    const { kind, namespace, pod, uid, node, facts } = target;
    const addresses = facts.spec?.hostNetwork === true ? [] : (0,cluster_pod/* addressesOf */.sO)(facts);
    return { kind, namespace, pod, uid, node, addresses, ports: (0,cluster_pod/* portsOf */.a5)(facts), protection: podProtection(facts) };
}
/** No name of Kubernetes has an underscore, so no two targets have the same file. */
function fileNameFor(target, { fileName, isFileNameShared = false, captureId }) {
    if (!isFileNameShared)
        return fileName;
    const name = target.kind === 'pod' ? `${target.namespace}_${target.pod}` : target.node;
    const maxBytes = maxFileNameBytes - Buffer.byteLength(fileName) - 1;
    const short = name.length > maxBytes ? `${name.slice(0, maxBytes - 9)}-${captureId.slice(-8)}` : name;
    return `${fileName}-${short}`;
}
/** Linux allows 255 (NAME_MAX); the rest is for `-findings.json` and for what an upload with a taken name adds. */
const maxFileNameBytes = 230;
/** @throws TypeError where a node is the target: such a record is never given to a recorder in the pod */
function recordedPod({ target, captureId }) {
    if (target.kind === 'pod')
        return target;
    throw new TypeError(`the target of ${captureId} is no pod`);
}
/** @throws TypeError where the pod is not scheduled: such a record is never given to a recorder on a node */
function recordedNode({ target, captureId }) {
    if (target.node !== undefined)
        return target.node;
    throw new TypeError(`the target of ${captureId} is on no node`);
}


/***/ }),

/***/ 22528:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   JB: () => (/* binding */ loaderSeconds),
/* harmony export */   Qm: () => (/* binding */ recorderContainer),
/* harmony export */   tL: () => (/* binding */ deadlineSecondsOf)
/* harmony export */ });
/* harmony import */ var _payload_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(24180);
/* harmony import */ var _scripts_scripts_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(69413);


/**
 * The recorder's container, for the strategic merge patch of pods/ephemeralcontainers. It waits for the recorder's scripts and parameters: the
 * pod's object keeps each such container for the pod's life, and etcd limits its size. `deadlineSeconds`: since the epoch.
 */
function recorderContainer(name, plan, deadlineSeconds) {
    const { sha256 } = (0,_payload_js__WEBPACK_IMPORTED_MODULE_0__/* .recorderPayload */ .r)(name, plan, deadlineSeconds);
    const maxSeconds = String(loaderSeconds(plan));
    return {
        name,
        image: plan.image,
        imagePullPolicy: 'IfNotPresent',
        command: ['sh', '-c', literal(_scripts_scripts_js__WEBPACK_IMPORTED_MODULE_1__/* .loaderScript */ .JK), 'recorder', name, sha256, maxSeconds, String(deadlineSeconds)],
        securityContext: {
            runAsUser: 0,
            runAsNonRoot: false,
            // containerd's default capabilities include NET_RAW; to name it is forbidden under Pod Security `baseline`.
            ...(plan.capabilities.length > 0 ? { capabilities: { add: plan.capabilities } } : {}),
            ...(plan.usesRuntimeSeccomp ? { seccompProfile: { type: 'RuntimeDefault' } } : {}),
        },
    };
}
/** How long a container waits for its recorder before it ends by itself: no longer than a recorder is without contact from the runner. */
function loaderSeconds({ startTimeoutSeconds, heartbeatTimeoutSeconds }) {
    return Math.min(startTimeoutSeconds, heartbeatTimeoutSeconds);
}
/** Of a container that `recorderContainer` made, since the epoch; NaN for another container. */
function deadlineSecondsOf(container) {
    return Number(container.command?.[7] ?? Number.NaN);
}
/** Kubernetes expands $(NAME) in a command, and turns $$ into $ (k8s.io/kubernetes third_party/forked/golang/expansion). */
function literal(text) {
    return text.replaceAll(/\$(?=[$(])/g, '$$$$');
}


/***/ }),

/***/ 12115:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   b: () => (/* binding */ containerState),
/* harmony export */   z: () => (/* binding */ containerEndpoint)
/* harmony export */ });
/* harmony import */ var _cluster_api_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(83074);
/* harmony import */ var _common_errors_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(71922);
/* harmony import */ var _plan_js__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(50739);
/* harmony import */ var _common_remote_text_js__WEBPACK_IMPORTED_MODULE_4__ = __webpack_require__(14551);
/* harmony import */ var _common_url_path_js__WEBPACK_IMPORTED_MODULE_3__ = __webpack_require__(16902);
/* harmony import */ var _endpoint_js__WEBPACK_IMPORTED_MODULE_5__ = __webpack_require__(39061);






/** A recorder in a container, reached by exec. */
function containerEndpoint(source) {
    const { namespace, pod, container } = source;
    return {
        open: async (command, handlers) => {
            // Loaded only here: the library of its connection is not needed before the first exec.
            const { openRemoteCommand } = await Promise.all(/* import() */[__webpack_require__.e(977), __webpack_require__.e(662)]).then(__webpack_require__.bind(__webpack_require__, 60662));
            return openRemoteCommand(source.connection, { namespace, pod, container, command }, handlers);
        },
        state: () => containerState(source),
        spoolDirs: (0,_plan_js__WEBPACK_IMPORTED_MODULE_2__/* .spoolDirsOf */ .nF)(container),
    };
}
/** A request for the pod between two connections must be much shorter than the recorder's heartbeat timeout. */
const stateTimeoutMs = 10_000;
/** The state of the container in the pod of that UID; 'unknown' while the API server gives no answer. Never rejects. */
async function containerState(source) {
    let pod;
    try {
        const path = (0,_common_url_path_js__WEBPACK_IMPORTED_MODULE_3__/* .urlPath */ .L) `/api/v1/namespaces/${source.namespace}/pods/${source.pod}`;
        pod = (await (0,_cluster_api_js__WEBPACK_IMPORTED_MODULE_0__/* .call */ .T1)(source.connection, 'GET', path, { timeoutMs: stateTimeoutMs })).body;
    }
    catch (error) {
        if (error instanceof _cluster_api_js__WEBPACK_IMPORTED_MODULE_0__/* .ApiError */ .hD && error.status === 404)
            return { kind: 'gone', reason: 'the pod was deleted' };
        return { kind: 'unknown', reason: (0,_common_errors_js__WEBPACK_IMPORTED_MODULE_1__/* .messageOf */ .bD)(error) };
    }
    try {
        return stateIn(pod, source);
    }
    catch (error) {
        return { kind: 'unknown', reason: `the API server answers with a pod that is none (${(0,_common_errors_js__WEBPACK_IMPORTED_MODULE_1__/* .messageOf */ .bD)(error)})` };
    }
}
/** @throws TypeError for an object that has not the shape of a pod */
function stateIn(pod, source) {
    if (pod.metadata?.uid !== source.uid)
        return { kind: 'gone', reason: 'the pod was replaced by another pod of the same name' };
    const statuses = [...(pod.status?.ephemeralContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
    const status = statuses.find(({ name }) => name === source.container);
    const state = status === undefined ? stateWithout(pod) : stateOf(status);
    if (isTooLate(state, pod))
        return { kind: 'gone', reason: 'it ended (Succeeded) before the capture container started' };
    const podDeleted = pod.metadata.deletionTimestamp !== undefined;
    return state.kind === 'terminated' && podDeleted ? { ...state, podDeleted } : state;
}
/** The kubelet starts no container in a pod that has ended; one that is not started yet would be waited for until start-timeout. */
function isTooLate({ kind }, { status }) {
    return kind === 'waiting' && status?.phase === 'Succeeded';
}
/** A pod that the kubelet rejects, or that is evicted before it starts, has no container statuses. */
function stateWithout({ status }) {
    if (status?.phase !== 'Failed')
        return { kind: 'waiting' };
    const { reason, message } = remoteTextOf(status);
    return { kind: 'terminated', reason: `the pod failed: ${reason}`, message: `${reason} ${message}`.trim() };
}
function stateOf(status) {
    const state = status?.state;
    if (state?.terminated) {
        const { reason, message } = remoteTextOf(state.terminated);
        return { kind: 'terminated', reason: `${reason} (exit code ${Number(state.terminated.exitCode ?? 0)})`, message };
    }
    if (state?.running)
        return { kind: 'running', imageId: (0,_common_remote_text_js__WEBPACK_IMPORTED_MODULE_4__/* .sanitizeRemoteText */ .lt)(status?.imageID ?? '', maxImageIdLength) || undefined };
    return state?.waiting?.reason ? { kind: 'waiting', why: remoteTextOf(state.waiting) } : { kind: 'waiting' };
}
/** Of a reference with its digest, UTF-16 units. */
const maxImageIdLength = 512;
const maxReasonLength = 200;
/** The kubelet of the node writes both texts; they are not trusted. */
function remoteTextOf(status) {
    const { reason = '', message = '' } = status ?? {};
    return { reason: (0,_common_remote_text_js__WEBPACK_IMPORTED_MODULE_4__/* .sanitizeRemoteText */ .lt)(reason, maxReasonLength), message: message.trim().slice(0, _endpoint_js__WEBPACK_IMPORTED_MODULE_5__/* .maxMessageLength */ .s) };
}


/***/ }),

/***/ 40228:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   T: () => (/* binding */ startAndDeliver)
/* harmony export */ });
/* unused harmony export deliverRecorder */
/* harmony import */ var _cluster_api_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(83074);
/* harmony import */ var _cluster_api_errors_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(86684);
/* harmony import */ var _common_errors_js__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(71922);
/* harmony import */ var _common_remote_text_js__WEBPACK_IMPORTED_MODULE_9__ = __webpack_require__(14551);
/* harmony import */ var _common_timeouts_js__WEBPACK_IMPORTED_MODULE_3__ = __webpack_require__(79005);
/* harmony import */ var _payload_js__WEBPACK_IMPORTED_MODULE_4__ = __webpack_require__(24180);
/* harmony import */ var _scripts_scripts_js__WEBPACK_IMPORTED_MODULE_5__ = __webpack_require__(69413);
/* harmony import */ var _methods_js__WEBPACK_IMPORTED_MODULE_6__ = __webpack_require__(9588);
/* harmony import */ var _start_js__WEBPACK_IMPORTED_MODULE_7__ = __webpack_require__(19134);
/* harmony import */ var _start_failure_js__WEBPACK_IMPORTED_MODULE_8__ = __webpack_require__(3669);










/** A 5xx of the first try is repeated for a moment: an API server that restarts answers so, too. A 4xx is an answer. */
const maxTryCount = 3;
const retryDelayMs = 700;
/** From the open connection to the answer of deliver.sh, which waits up to 5 s for the loader. */
const answerTimeoutMs = 10_000;
const settleMs = 2_000;
const settlePollMs = 200;
/**
 * The tries before the kubelet reports the container as running, which it does up to a second late: about 25, and fewer the longer it takes, because
 * each one is work for the API server and the kubelet.
 */
const earlyBeginMs = 40;
const earlyIntervalMs = 25;
const earlyGrowth = 1.1;
const earlyEndMs = 3_000;
const maxLineCharacters = 1_000;
const maxMessageCharacters = 500;
/**
 * Waits until the recorder's container runs, and delivers the recorder into it, as soon as it takes an exec.
 * @returns the image by its digest, where the kubelet reports one
 * @throws as awaitStart and deliverRecorder
 */
async function startAndDeliver(endpoint, record, events, cancel) {
    const starting = (0,_start_js__WEBPACK_IMPORTED_MODULE_7__/* .awaitStart */ .L)(endpoint, record, events, cancel);
    const [imageId, isDelivered] = await Promise.all([starting, deliverEarly(endpoint, record, starting)]);
    if (!isDelivered)
        await deliverRecorder(endpoint, record, cancel);
    return imageId;
}
/**
 * Tries to deliver the recorder before its container is reported as running. A failure decides nothing, except that no other early try follows
 * one that reached the container or the answer of an API server that refuses it. Never rejects.
 */
async function deliverEarly(endpoint, record, starting) {
    const settled = new AbortController();
    const settle = () => settled.abort();
    starting.then(settle, settle);
    const endMs = Date.now() + earlyEndMs;
    await (0,_common_timeouts_js__WEBPACK_IMPORTED_MODULE_3__/* .pause */ .v7)(earlyBeginMs, settled.signal);
    for (let intervalMs = earlyIntervalMs; Date.now() < endMs; intervalMs *= earlyGrowth) {
        await (0,_common_timeouts_js__WEBPACK_IMPORTED_MODULE_3__/* .pause */ .v7)(intervalMs, settled.signal);
        if (settled.signal.aborted)
            return false;
        const failure = await tryDelivery(endpoint, record);
        if (failure === undefined)
            return true;
        if (!isNotStarted(failure))
            return false;
    }
    return false;
}
/**
 * Delivers the recorder and its parameters into its container, where a loader waits for them. This is the first exec of a capture, so nothing is
 * recorded where exec is refused.
 * @throws NothingDelivered with the server's message where exec is refused, NothingRecorded where the image lacks a tool, ConfigurationError
 * where it is not known whether the recorder has started, Cancelled
 */
async function deliverRecorder(endpoint, record, cancel) {
    const end = Date.now() + record.plan.startTimeoutSeconds * 1000;
    for (let tryCount = 1;; tryCount += 1) {
        const failure = await tryDelivery(endpoint, record);
        if (failure === undefined)
            return;
        if (failure instanceof _start_failure_js__WEBPACK_IMPORTED_MODULE_8__/* .NothingRecorded */ .GV || isAnswer(failure))
            throw explain(failure, record);
        if (cancel.aborted)
            throw new _common_errors_js__WEBPACK_IMPORTED_MODULE_2__/* .Cancelled */ .cJ((0,_methods_js__WEBPACK_IMPORTED_MODULE_6__/* .methodOf */ .N)(record).cancelledBeforeStart);
        const state = failure instanceof _cluster_api_js__WEBPACK_IMPORTED_MODULE_0__/* .ApiError */ .hD && !isNotStarted(failure) ? await endpoint.state() : await settledState(endpoint);
        if (state.kind === 'terminated') {
            throw (0,_methods_js__WEBPACK_IMPORTED_MODULE_6__/* .methodOf */ .N)(record).explainFailedStart((0,_start_failure_js__WEBPACK_IMPORTED_MODULE_8__/* .recorderErrorOf */ .en)(state.message || state.reason), state.reason);
        }
        if (state.kind === 'gone')
            throw (0,_methods_js__WEBPACK_IMPORTED_MODULE_6__/* .methodOf */ .N)(record).explainGone(state.reason);
        const mayPass = failure instanceof _cluster_api_errors_js__WEBPACK_IMPORTED_MODULE_1__/* .UnreachableError */ .Jk ? Date.now() < end : tryCount < maxTryCount;
        if (!mayPass)
            throw explain(failure, record);
        await (0,_common_timeouts_js__WEBPACK_IMPORTED_MODULE_3__/* .pause */ .v7)(retryDelayMs, cancel);
    }
}
/** @returns undefined where the recorder was delivered */
async function tryDelivery(endpoint, record) {
    const { text } = (0,_payload_js__WEBPACK_IMPORTED_MODULE_4__/* .recorderPayload */ .r)(record.captureId, record.plan, record.deadlineSeconds);
    const delivered = Promise.withResolvers();
    try {
        const command = ['sh', '-c', _scripts_scripts_js__WEBPACK_IMPORTED_MODULE_5__/* .deliverScript */ .JU, 'deliver', ...endpoint.spoolDirs];
        const process = await endpoint.open(command, {
            stdout: () => undefined,
            stderr: (line) => {
                if (line === 'delivered')
                    delivered.resolve(undefined);
                const failure = (0,_start_failure_js__WEBPACK_IMPORTED_MODULE_8__/* .parseRecorderError */ .eK)(line.slice(0, maxLineCharacters)); // deliver.sh writes the recorder's form
                if (failure !== undefined)
                    delivered.resolve((0,_methods_js__WEBPACK_IMPORTED_MODULE_6__/* .methodOf */ .N)(record).explainFailedStart(failure, undefined));
            },
        });
        process.send(`${text}\n`); // and an empty line: the sed of busybox reads one line ahead
        const ended = process.ended.then(({ reason }) => new Unanswered(reason));
        const result = await (0,_common_timeouts_js__WEBPACK_IMPORTED_MODULE_3__/* .orTimeout */ .TO)(Promise.race([delivered.promise, ended]), answerTimeoutMs);
        process.close();
        return result === _common_timeouts_js__WEBPACK_IMPORTED_MODULE_3__/* .timedOut */ .iU ? new Unanswered(`no answer within ${answerTimeoutMs / 1000} s`) : result;
    }
    catch (error) {
        return error instanceof Error ? error : new Error((0,_common_errors_js__WEBPACK_IMPORTED_MODULE_2__/* .messageOf */ .bD)(error));
    }
}
/** The end of the container ends the exec, but the kubelet reports it some moments later. */
async function settledState(endpoint) {
    const end = Date.now() + settleMs;
    for (;;) {
        const state = await endpoint.state();
        if (state.kind !== 'running' || Date.now() > end)
            return state;
        await (0,_common_timeouts_js__WEBPACK_IMPORTED_MODULE_3__/* .pause */ .v7)(settlePollMs);
    }
}
/**
 * The kubelet's error for a container that does not run (kubelet, GetExec), as an answer, or as the end of an exec that the API server has
 * opened (v5.channel.k8s.io).
 */
function isNotStarted({ message }) {
    return message.includes('container not found');
}
function isAnswer(error) {
    return error instanceof _cluster_api_js__WEBPACK_IMPORTED_MODULE_0__/* .ApiError */ .hD && error.status < 500 && error.status !== 429;
}
/** The exec was opened and gave no answer: the recorder may have been delivered. */
class Unanswered extends Error {
}
function explain(error, record) {
    if (error instanceof _cluster_api_js__WEBPACK_IMPORTED_MODULE_0__/* .ApiError */ .hD)
        return new _start_failure_js__WEBPACK_IMPORTED_MODULE_8__/* .NothingDelivered */ .Kr(refusal(error, record));
    return error instanceof Unanswered ? new _common_errors_js__WEBPACK_IMPORTED_MODULE_2__/* .ConfigurationError */ .j1(noAnswer(error, record)) : error;
}
function refusal(error, { target, captureId }) {
    const isRefusal = isAnswer(error);
    return {
        code: isRefusal ? 'E_EXEC_REFUSED' : 'E_EXEC_FAILED',
        input: 'pod',
        problem: `the API server ${isRefusal ? 'refuses' : 'fails'} exec into the capture container ${captureId} (${error.status} ${(0,_common_remote_text_js__WEBPACK_IMPORTED_MODULE_9__/* .sanitizeRemoteText */ .lt)(error.message, maxMessageCharacters)})`,
        fix: isRefusal
            ? 'Ask an admin of the cluster which policy or webhook denies CONNECT on pods/exec.'
            : `Ask an admin of the cluster whether the API server can reach the kubelet of ${(0,_start_failure_js__WEBPACK_IMPORTED_MODULE_8__/* .nodeName */ .qp)(target.node)}: \`kubectl exec\` fails there, too.`,
    };
}
function noAnswer(error, { captureId }) {
    return {
        code: 'E_EXEC_FAILED',
        input: 'pod',
        problem: `exec into the capture container ${captureId} gave no answer: ${(0,_common_remote_text_js__WEBPACK_IMPORTED_MODULE_9__/* .sanitizeRemoteText */ .lt)(error.message, maxMessageCharacters) || 'no message'}`,
        fix: 'Run the job again. If the error persists, check whether `kubectl exec` works in this pod.',
    };
}


/***/ }),

/***/ 39061:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   s: () => (/* binding */ maxMessageLength)
/* harmony export */ });
/** Of a recorder's last output, UTF-16 units: as many as the kubelet takes bytes of a termination message (kubelet, MaxContainerTerminationMessageLength). */
const maxMessageLength = 4_096;


/***/ }),

/***/ 48181:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   N: () => (/* binding */ ephemeralMethod),
/* harmony export */   t: () => (/* binding */ terminatedContainer)
/* harmony export */ });
/* harmony import */ var _common_errors_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(71922);
/* harmony import */ var _start_failure_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(3669);


/** An ephemeral container of the pod that is captured. */
function ephemeralMethod(record) {
    const { captureId, plan, target } = record;
    const subject = target.kind === 'pod' ? `pod ${target.pod}` : `node ${target.node}`;
    const ended = terminatedContainer(captureId);
    const ending = `it ends by itself after ${plan.heartbeatTimeoutSeconds} s without contact from the runner`;
    return {
        outputName: 'ephemeral-container',
        nodeAccess: undefined,
        usesImage: true,
        level: 'pod',
        isInsideTarget: true,
        isRemovable: false,
        endpointName: 'the pod',
        subject,
        describeStart: (imageId) => `Started ${plan.image}${imageId === undefined ? '' : ` (${imageId})`}`,
        unstartedEnd: 'it ends by itself if it still starts',
        cancelledBeforeStart: `The run was cancelled before the container ${captureId} started. ` +
            `If it still starts, the post step stops it; without the post step ${ending}.`,
        expectedLeftovers: [ended],
        leftoversIfUnreachable: [ended],
        explainFailedStart: (error, reason) => {
            return new _start_failure_js__WEBPACK_IMPORTED_MODULE_1__/* .NothingRecorded */ .GV((0,_start_failure_js__WEBPACK_IMPORTED_MODULE_1__/* .commonStartProblem */ .jw)(error, record, context) ?? problemOf(error, record, reason));
        },
        explainGone: (reason) => new _common_errors_js__WEBPACK_IMPORTED_MODULE_0__/* .ConfigurationError */ .j1({
            code: 'E_POD_GONE',
            input: 'pod',
            problem: `${subject} is gone`,
            message: reason,
            fix: 'Name a pod that keeps running, or deployment/NAME.',
        }),
    };
}
/** What always remains of an ephemeral container. */
function terminatedContainer(captureId) {
    return `the terminated ephemeral container ${captureId} stays in the pod's spec until the pod is deleted`;
}
const context = {
    place: 'in the pod',
    netRawFix: 'The container runtime does not grant NET_RAW by default (CRI-O, OpenShift). ' +
        'Set `capabilities: NET_RAW`; the namespace must allow it (Pod Security `privileged`).',
    interfaceFix: 'Use any, or one of the interfaces of the pod.',
};
function problemOf(error, record, reason) {
    if (error.code === 'tools')
        return (0,_start_failure_js__WEBPACK_IMPORTED_MODULE_1__/* .noToolsProblem */ .ik)(error, record);
    if (error.code === 'space')
        return (0,_start_failure_js__WEBPACK_IMPORTED_MODULE_1__/* .noSpaceProblem */ .V$)(error);
    if ((0,_start_failure_js__WEBPACK_IMPORTED_MODULE_1__/* .hasNoShell */ .Ui)(error, reason))
        return (0,_start_failure_js__WEBPACK_IMPORTED_MODULE_1__/* .noShellProblem */ .$I)(error, record);
    return {
        code: 'E_RECORDER_ENDED',
        input: 'image',
        problem: 'the container ended before it recorded anything',
        message: error.text,
        fix: `See its log with \`kubectl logs -c ${record.captureId}\`.`,
    };
}


/***/ }),

/***/ 41119:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   y: () => (/* binding */ ephemeralRecorder)
/* harmony export */ });
/* unused harmony export addContainer */
/* harmony import */ var _common_timeouts_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(79005);
/* harmony import */ var _cluster_api_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(83074);
/* harmony import */ var _common_remote_text_js__WEBPACK_IMPORTED_MODULE_11__ = __webpack_require__(14551);
/* harmony import */ var _cluster_denied_js__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(41875);
/* harmony import */ var _common_errors_js__WEBPACK_IMPORTED_MODULE_3__ = __webpack_require__(71922);
/* harmony import */ var _common_url_path_js__WEBPACK_IMPORTED_MODULE_10__ = __webpack_require__(16902);
/* harmony import */ var _recorder_container_js__WEBPACK_IMPORTED_MODULE_4__ = __webpack_require__(22528);
/* harmony import */ var _container_endpoint_js__WEBPACK_IMPORTED_MODULE_5__ = __webpack_require__(12115);
/* harmony import */ var _ephemeral_container_method_js__WEBPACK_IMPORTED_MODULE_6__ = __webpack_require__(48181);
/* harmony import */ var _record_js__WEBPACK_IMPORTED_MODULE_7__ = __webpack_require__(35334);
/* harmony import */ var _delivery_js__WEBPACK_IMPORTED_MODULE_8__ = __webpack_require__(40228);
/* harmony import */ var _start_failure_js__WEBPACK_IMPORTED_MODULE_9__ = __webpack_require__(3669);












/** A recorder in an ephemeral container of the pod that it records. Kubernetes removes no such container: it stays in the pod's spec. */
function ephemeralRecorder(connection, record) {
    const { captureId } = record;
    const { namespace, pod, uid } = (0,_record_js__WEBPACK_IMPORTED_MODULE_7__/* .recordedPod */ .YF)(record);
    const source = { connection, namespace, pod, uid, container: captureId };
    const endpoint = (0,_container_endpoint_js__WEBPACK_IMPORTED_MODULE_5__/* .containerEndpoint */ .z)(source);
    return {
        record,
        endpoint,
        check: async () => {
            const taken = await addContainer(connection, record, true);
            return [
                taken === 'unknown'
                    ? 'Admission: unknown until the start, because a webhook of the cluster does not support dry run'
                    : 'Admission: the cluster allows the capture container',
            ];
        },
        start: async (events, cancel) => {
            await addContainer(connection, record, false);
            events.onCreated(`Added the ephemeral container ${captureId} to pod ${pod}`);
            return (0,_delivery_js__WEBPACK_IMPORTED_MODULE_8__/* .startAndDeliver */ .T)(endpoint, record, events, cancel);
        },
        abandonStart: (error) => Promise.resolve(abandonedStart(record, error)),
        cleanUp: async () => {
            await awaitEnd(source);
            return { leftovers: [(0,_ephemeral_container_method_js__WEBPACK_IMPORTED_MODULE_6__/* .terminatedContainer */ .t)(captureId)], unfinished: false };
        },
    };
}
/** There is nothing that can be removed; a container that may still start is the post step's to stop. */
function abandonedStart({ captureId, plan }, error) {
    if (error instanceof _start_failure_js__WEBPACK_IMPORTED_MODULE_9__/* .NothingCreated */ .SL)
        return { leftovers: [], unfinished: false };
    if (error instanceof _start_failure_js__WEBPACK_IMPORTED_MODULE_9__/* .NothingDelivered */ .Kr) {
        const leftover = `the ephemeral container ${captureId}, which records nothing and ends by itself after ${(0,_recorder_container_js__WEBPACK_IMPORTED_MODULE_4__/* .loaderSeconds */ .JB)(plan)} s`;
        return { leftovers: [`${leftover}; ${(0,_ephemeral_container_method_js__WEBPACK_IMPORTED_MODULE_6__/* .terminatedContainer */ .t)(captureId)}`], unfinished: false };
    }
    if (error instanceof _start_failure_js__WEBPACK_IMPORTED_MODULE_9__/* .NothingRecorded */ .GV)
        return { leftovers: [(0,_ephemeral_container_method_js__WEBPACK_IMPORTED_MODULE_6__/* .terminatedContainer */ .t)(captureId)], unfinished: false };
    const ending = `if it still starts, it ends by itself after ${plan.heartbeatTimeoutSeconds} s without contact from the runner`;
    const leftover = `the ephemeral container ${captureId}, which stays in the pod's spec until the pod is deleted; ${ending}`;
    return { leftovers: [leftover], unfinished: true };
}
/**
 * Adds the capture's container to the pod, or with `dryRun` asks whether it could be added; 'unknown' where that cannot be asked.
 * @throws ConfigurationError with the message of admission and the fix
 */
async function addContainer(connection, record, dryRun) {
    const { namespace, pod, uid } = (0,_record_js__WEBPACK_IMPORTED_MODULE_7__/* .recordedPod */ .YF)(record);
    const container = (0,_recorder_container_js__WEBPACK_IMPORTED_MODULE_4__/* .recorderContainer */ .Qm)(record.captureId, record.plan, record.deadlineSeconds);
    const path = `${(0,_common_url_path_js__WEBPACK_IMPORTED_MODULE_10__/* .urlPath */ .L) `/api/v1/namespaces/${namespace}/pods/${pod}/ephemeralcontainers`}${dryRun ? '?dryRun=All' : ''}`;
    try {
        const value = { metadata: { uid }, spec: { ephemeralContainers: [container] } };
        // The patch merges containers by their names: the same one again changes nothing.
        const body = { type: 'application/strategic-merge-patch+json', value };
        await (0,_cluster_api_js__WEBPACK_IMPORTED_MODULE_1__/* .call */ .T1)(connection, 'PATCH', path, { body, isIdempotent: true });
        return 'taken';
    }
    catch (error) {
        // A webhook with side effects rejects every dry run (apiserver, NewDryRunUnsupportedErr); the real request may pass.
        if (dryRun && error instanceof _cluster_api_js__WEBPACK_IMPORTED_MODULE_1__/* .ApiError */ .hD && /does not support dry run/.test(error.message))
            return 'unknown';
        throw error instanceof _cluster_api_js__WEBPACK_IMPORTED_MODULE_1__/* .ApiError */ .hD ? rejected(error, record, dryRun) : error;
    }
}
function rejected(error, record, dryRun) {
    const { namespace, pod } = (0,_record_js__WEBPACK_IMPORTED_MODULE_7__/* .recordedPod */ .YF)(record);
    const message = (0,_common_remote_text_js__WEBPACK_IMPORTED_MODULE_11__/* .toOneLine */ .GX)(error.message);
    if (/violates PodSecurity/.test(message)) {
        return new _start_failure_js__WEBPACK_IMPORTED_MODULE_9__/* .NothingCreated */ .SL({
            code: 'E_POD_SECURITY',
            input: 'namespace',
            problem: `${JSON.stringify(namespace)} enforces a Pod Security level that forbids the capture container`,
            message,
            fix: podSecurityFix(message, record),
        });
    }
    if (error.status === 404)
        return new _start_failure_js__WEBPACK_IMPORTED_MODULE_9__/* .NothingCreated */ .SL(notFound(message, pod));
    if (error.status === 403 && error.reason === 'Forbidden' && /cannot patch/.test(message)) {
        const missingRight = (0,_cluster_denied_js__WEBPACK_IMPORTED_MODULE_2__/* .denied */ .w)(error, 'patch', 'pods/ephemeralcontainers', namespace);
        return missingRight instanceof _common_errors_js__WEBPACK_IMPORTED_MODULE_3__/* .ConfigurationError */ .j1 ? new _start_failure_js__WEBPACK_IMPORTED_MODULE_9__/* .NothingCreated */ .SL(missingRight.problems) : missingRight;
    }
    if (error.status < 500 && error.status !== 429) {
        return new _start_failure_js__WEBPACK_IMPORTED_MODULE_9__/* .NothingCreated */ .SL({
            code: 'E_CONTAINER_REJECTED',
            input: 'pod',
            problem: `the cluster rejects a capture container in ${JSON.stringify(pod)}`,
            message,
            fix: 'Ask an admin of the cluster which policy applies, or capture another pod.',
        });
    }
    if (dryRun)
        return error;
    return new _common_errors_js__WEBPACK_IMPORTED_MODULE_3__/* .ConfigurationError */ .j1({
        code: 'E_CONTAINER_UNCERTAIN',
        input: 'pod',
        problem: `the API server answered ${error.status} (${message}) to the request that adds the capture container to ${JSON.stringify(pod)}, ` +
            'so it is unknown whether the container was added',
        fix: `If it was added, it ends by itself after ${record.plan.heartbeatTimeoutSeconds} s. Run the job again. ` +
            'If the error persists, report it to an admin of the cluster.',
    });
}
/** A pod that is gone is named in the message; without a name it is the subresource that the server does not have. */
function notFound(message, pod) {
    return /could not find the requested resource/.test(message)
        ? {
            code: 'E_EPHEMERAL_CONTAINERS_UNSUPPORTED',
            input: 'pod',
            problem: `the cluster has no ephemeral containers (${message}), which exist from Kubernetes 1.25 on`,
            fix: 'Capture with `level: node`.',
        }
        : {
            code: 'E_POD_GONE',
            input: 'pod',
            problem: `${JSON.stringify(pod)} was deleted before the capture started (${message})`,
            fix: 'Name a pod that keeps running, or deployment/NAME.',
        };
}
/**
 * The fix by the level that is violated. A capture needs uid 0, which `restricted` never allows, and no capability beyond the default ones, which
 * `baseline` allows; `capabilities` asks for more than `baseline` allows (k8s.io/pod-security-admission, policy checks).
 */
function podSecurityFix(message, { plan }) {
    const label = (level) => `the label pod-security.kubernetes.io/enforce=${level} on the namespace`;
    const asksForMore = plan.capabilities.length > 0;
    if (/PodSecurity "?baseline/.test(message)) {
        return asksForMore
            ? `Leave the input \`capabilities\` empty: most container runtimes grant NET_RAW by default. Where yours does not (CRI-O, OpenShift), ask for ${label('privileged')}.`
            : `This level allows the capture container itself: the pod, or a container that was added to it before, violates it. Capture another pod, or ask for ${label('privileged')}.`;
    }
    return asksForMore
        ? `A capture needs uid 0, which this level never allows. Ask for ${label('baseline')} and leave the input \`capabilities\` empty, or, where the container runtime does not grant NET_RAW by default, for ${label('privileged')}.`
        : `A capture needs uid 0, which this level never allows. Ask for ${label('baseline')}.`;
}
/** Waits for the container's end after the last acknowledgement; it ends by itself in any case. */
async function awaitEnd(source) {
    const end = Date.now() + 5_000;
    while (Date.now() < end) {
        const { kind } = await (0,_container_endpoint_js__WEBPACK_IMPORTED_MODULE_5__/* .containerState */ .b)(source);
        if (kind === 'terminated' || kind === 'gone')
            return;
        await (0,_common_timeouts_js__WEBPACK_IMPORTED_MODULE_0__/* .pause */ .v7)(200);
    }
}


/***/ }),

/***/ 9588:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {


// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  N: () => (/* binding */ methodOf),
  e: () => (/* binding */ subjectOf)
});

// EXTERNAL MODULE: ./src/capture/recorders/ephemeral-container-method.ts
var ephemeral_container_method = __webpack_require__(48181);
// EXTERNAL MODULE: ./src/common/errors.ts
var errors = __webpack_require__(71922);
// EXTERNAL MODULE: ./src/capture/recorders/start-failure.ts
var start_failure = __webpack_require__(3669);
;// CONCATENATED MODULE: ./src/capture/recorders/node-job-method.ts


/** A Job whose pod uses the network of the node. */
function nodePodMethod(record, namespace) {
    const { captureId, plan, target } = record;
    const job = `the Job ${captureId} in ${namespace}, which the cluster deletes after it has ended`;
    return {
        outputName: 'node-pod',
        nodeAccess: 'by a node pod',
        usesImage: true,
        level: 'node',
        isInsideTarget: false,
        isRemovable: true,
        endpointName: "the recorder's node pod, not the target,",
        subject: (0,start_failure/* nodeSubject */.FP)(target),
        describeStart: (imageId) => `Started ${plan.image}${imageId === undefined ? '' : ` (${imageId})`}`,
        unstartedEnd: 'it is deleted',
        cancelledBeforeStart: `The run was cancelled before the Job ${captureId} started. The post step deletes it.`,
        expectedLeftovers: ['not known yet'],
        leftoversIfUnreachable: [job],
        explainFailedStart: (error, reason) => {
            const problem = (0,start_failure/* commonStartProblem */.jw)(error, record, context) ?? problemOf(error, record, namespace, reason);
            return new start_failure/* NothingRecorded */.GV(problem);
        },
        explainGone: (reason) => new errors/* ConfigurationError */.j1({
            code: 'E_RECORDER_GONE',
            input: 'level',
            problem: `the node pod on ${(0,start_failure/* nodeName */.qp)(target.node)} is gone`,
            message: reason,
            fix: 'Run the job again.',
        }),
    };
}
const context = {
    place: 'on the node',
    netRawFix: 'Check whether a policy of the cluster forbids NET_RAW in the node pod.',
    interfaceFix: 'Use any, or the name of an interface of the node.',
};
function problemOf(error, record, namespace, reason) {
    if (error.code === 'tools')
        return (0,start_failure/* noToolsProblem */.ik)(error, record);
    if (error.code === 'space')
        return (0,start_failure/* noSpaceProblem */.V$)(error);
    if ((0,start_failure/* hasNoShell */.Ui)(error, reason))
        return (0,start_failure/* noShellProblem */.$I)(error, record);
    return {
        code: 'E_RECORDER_ENDED',
        input: 'node-namespace',
        problem: 'the node pod ended before it recorded anything',
        message: error.text,
        fix: `See \`kubectl -n ${namespace} get events\`.`,
    };
}

;// CONCATENATED MODULE: ./src/capture/recorders/ssh/method.ts


/** A process on the node, reached by SSH. */
function sshMethod(record) {
    const { captureId, target } = record;
    const node = (0,start_failure/* nodeName */.qp)(target.node);
    const files = `the recorder ${captureId} on ${node} and the SSH key of this run, until the recorder ends and the key expires`;
    return {
        outputName: 'ssh',
        nodeAccess: 'by SSH',
        usesImage: false,
        level: 'node',
        isInsideTarget: false,
        isRemovable: true,
        endpointName: 'the recorder on the node, not the target,',
        subject: (0,start_failure/* nodeSubject */.FP)(target),
        describeStart: () => 'Started the recorder',
        unstartedEnd: 'it is deleted',
        cancelledBeforeStart: `The run was cancelled before the recorder ${captureId} started. The post step deletes its files on ${node}.`,
        expectedLeftovers: ['not known yet'],
        leftoversIfUnreachable: [files],
        explainFailedStart: (error) => {
            return new start_failure/* NothingRecorded */.GV((0,start_failure/* commonStartProblem */.jw)(error, record, method_context) ?? method_problemOf(error));
        },
        explainGone: (reason) => new errors/* ConfigurationError */.j1({
            code: 'E_RECORDER_GONE',
            input: 'level',
            problem: `the recorder on ${node} is gone`,
            message: reason,
            fix: 'Run the job again.',
        }),
    };
}
const method_context = {
    place: 'on the node',
    netRawFix: 'Check whether a policy of the node forbids packet sockets to root.',
    interfaceFix: 'Use any, or the name of an interface of the node.',
};
function method_problemOf({ code, text }) {
    const fix = 'Or use `node-method: pod`.';
    if (code === 'tools') {
        return {
            code: 'E_NODE_TOOLS_MISSING',
            input: 'node-method',
            problem: 'the node cannot record',
            message: text,
            fix: `Install the tool on the node. ${fix}`,
        };
    }
    if (code === 'space') {
        return {
            code: 'E_SPOOL_NOT_WRITABLE',
            input: 'level',
            problem: 'the recorder has no directory on the node that it can write its spool to',
            message: text,
            fix: `Check the node's disk. ${fix}`,
        };
    }
    return {
        code: 'E_RECORDER_ENDED',
        input: 'node-method',
        problem: 'the recorder ended on the node before it recorded anything',
        message: text,
        fix: `Run the job again. ${fix}`,
    };
}

;// CONCATENATED MODULE: ./src/capture/recorders/methods.ts



/** How the capture of a record is made, for code that has only the record. */
function methodOf(record) {
    const { method } = record;
    switch (method.kind) {
        case 'container':
            return (0,ephemeral_container_method/* ephemeralMethod */.N)(record);
        case 'node-pod':
            return nodePodMethod(record, method.namespace);
        case 'ssh':
            return sshMethod(record);
    }
}
/** What is captured, for a sentence: `pod web`, `node a`, or the pod on its node. */
function subjectOf(record) {
    return methodOf(record).subject;
}


/***/ }),

/***/ 21849:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {


// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  U: () => (/* binding */ nodePodRecorder)
});

// EXTERNAL MODULE: ./src/cluster/api.ts
var api = __webpack_require__(83074);
// EXTERNAL MODULE: ./src/common/errors.ts
var errors = __webpack_require__(71922);
// EXTERNAL MODULE: ./src/common/remote-text.ts
var remote_text = __webpack_require__(14551);
// EXTERNAL MODULE: ./src/common/timeouts.ts
var timeouts = __webpack_require__(79005);
// EXTERNAL MODULE: ./src/common/url-path.ts
var url_path = __webpack_require__(16902);
// EXTERNAL MODULE: ./src/capture/plan.ts
var capture_plan = __webpack_require__(50739);
// EXTERNAL MODULE: ./src/capture/record.ts + 1 modules
var capture_record = __webpack_require__(35334);
// EXTERNAL MODULE: ./src/capture/recorders/container-endpoint.ts
var container_endpoint = __webpack_require__(12115);
// EXTERNAL MODULE: ./src/capture/recorders/endpoint.ts
var endpoint = __webpack_require__(39061);
;// CONCATENATED MODULE: ./src/capture/recorders/node-job-pod.ts






const requestTimeoutMs = 10_000;
/** A Job, and its only pod once the Job controller has created it. */
class NodeJobPod {
    #connection;
    #namespace;
    #job;
    #pod;
    constructor(connection, namespace, job) {
        this.#connection = connection;
        this.#namespace = namespace;
        this.#job = job;
    }
    get jobPath() {
        return (0,url_path/* urlPath */.L) `/apis/batch/v1/namespaces/${this.#namespace}/jobs/${this.#job}`;
    }
    /** of the pod, once it was found */
    get name() {
        return this.#pod?.name;
    }
    /** Never rejects. */
    async state() {
        try {
            const source = await this.#source();
            return source === undefined ? await this.#jobState() : await (0,container_endpoint/* containerState */.b)(source);
        }
        catch (error) {
            return { kind: 'unknown', reason: (0,errors/* messageOf */.bD)(error) };
        }
    }
    /** @throws where the Job has no pod yet, or the API server does not answer */
    async endpoint() {
        const source = await this.#source();
        if (source === undefined)
            throw new Error(`the Job ${this.#job} has no pod`);
        return (0,container_endpoint/* containerEndpoint */.z)(source);
    }
    /** Deletes the Job, and with it the pod. Retried where the API server fails; a second request does no harm. @throws ApiError */
    async delete(retryDelay) {
        const body = { type: 'application/json', value: { propagationPolicy: 'Background' } };
        for (let attempt = 1;; attempt += 1) {
            try {
                await (0,api/* call */.T1)(this.#connection, 'DELETE', this.jobPath, { body, timeoutMs: requestTimeoutMs });
                return;
            }
            catch (error) {
                if (attempt === 3 || (error instanceof api/* ApiError */.hD && error.status < 500))
                    throw error;
                await retryDelay();
            }
        }
    }
    async #source() {
        this.#pod ??= await this.#find();
        if (this.#pod === undefined)
            return undefined;
        const { name, uid } = this.#pod;
        return { connection: this.#connection, namespace: this.#namespace, pod: name, uid, container: this.#job };
    }
    async #find() {
        const query = new URLSearchParams({ labelSelector: `batch.kubernetes.io/job-name=${this.#job}` });
        const path = `${(0,url_path/* urlPath */.L) `/api/v1/namespaces/${this.#namespace}/pods`}?${query.toString()}`;
        const { body } = await (0,api/* call */.T1)(this.#connection, 'GET', path, { timeoutMs: requestTimeoutMs });
        const { items = [] } = body;
        const { name, uid } = items[0]?.metadata ?? {};
        return name === undefined || uid === undefined ? undefined : { name, uid };
    }
    /** While there is no pod: whether one may still be created, and why it was not. */
    async #jobState() {
        try {
            const { body } = await (0,api/* call */.T1)(this.#connection, 'GET', this.jobPath, { timeoutMs: requestTimeoutMs });
            const { conditions = [] } = body.status ?? {};
            const failed = conditions.find(({ type, status }) => type === 'Failed' && status === 'True');
            if (failed) {
                const reason = (0,remote_text/* sanitizeRemoteText */.lt)(failed.reason ?? 'Failed', endpoint/* maxMessageLength */.s);
                return { kind: 'terminated', reason, message: (0,remote_text/* sanitizeRemoteText */.lt)(failed.message ?? '', endpoint/* maxMessageLength */.s) };
            }
            return { kind: 'waiting' };
        }
        catch (error) {
            if (error instanceof api/* ApiError */.hD && error.status === 404)
                return { kind: 'gone', reason: 'the Job was deleted' };
            throw error;
        }
    }
}

// EXTERNAL MODULE: ./src/capture/recorder-container.ts
var recorder_container = __webpack_require__(22528);
;// CONCATENATED MODULE: ./src/capture/recorders/node-job-spec.ts



/** From the end of the Job until the cluster deletes it, where the runner has not. */
const timeToLiveSeconds = 60;
/** When the cluster stops the Job at the latest: the recorder itself ends before, the wait for a late post step included. */
function maxLifeSeconds(plan) {
    return plan.startTimeoutSeconds + plan.durationSeconds + capture_plan/* maxHoldSeconds */.d0 + 120;
}
/** The Job of a capture, for the API server. */
function jobOf(record) {
    const { metadata, spec } = podOf(record);
    return {
        apiVersion: 'batch/v1',
        kind: 'Job',
        metadata: { name: record.captureId, labels: metadata.labels },
        spec: {
            backoffLimit: 0,
            activeDeadlineSeconds: maxLifeSeconds(record.plan),
            ttlSecondsAfterFinished: timeToLiveSeconds,
            template: { metadata: { labels: metadata.labels }, spec },
        },
    };
}
/** The pod of that Job, on its own: admission decides on the pod, not on the Job. */
function podOf(record) {
    const { captureId, plan } = record;
    return {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: {
            name: captureId,
            labels: {
                'app.kubernetes.io/name': 'packet-capture',
                'app.kubernetes.io/managed-by': 'kubernetes-packet-capture',
            },
        },
        spec: {
            hostNetwork: true,
            nodeName: (0,capture_record/* recordedNode */.Zk)(record), // also a node that the scheduler would not choose: cordoned, or full
            tolerations: [{ operator: 'Exists' }],
            restartPolicy: 'Never',
            terminationGracePeriodSeconds: 5,
            automountServiceAccountToken: false,
            enableServiceLinks: false,
            volumes: [{ name: 'spool', emptyDir: { sizeLimit: String(plan.spoolLimitBytes * 2) } }],
            containers: [containerOf(record)],
        },
    };
}
function containerOf({ captureId, plan, deadlineSeconds: deadline }) {
    return {
        ...(0,recorder_container/* recorderContainer */.Qm)(captureId, plan, deadline),
        volumeMounts: [{ name: 'spool', mountPath: '/tmp' }],
        resources: {
            requests: { cpu: '100m', memory: '64Mi' },
            limits: { cpu: '1', memory: '256Mi', 'ephemeral-storage': String(plan.spoolLimitBytes * 2 + 50e6) },
        },
        securityContext: {
            runAsUser: 0,
            runAsNonRoot: false,
            privileged: false,
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            // SETGID: a tcpdump that is built to change to a user of its own stays root with `-Z root`, which needs SETGID only.
            capabilities: { drop: ['ALL'], add: [...new Set(['NET_RAW', 'SETGID', ...plan.capabilities])] },
            seccompProfile: { type: 'RuntimeDefault' },
        },
    };
}

// EXTERNAL MODULE: ./src/capture/recorders/delivery.ts
var delivery = __webpack_require__(40228);
// EXTERNAL MODULE: ./src/capture/recorders/start-failure.ts
var start_failure = __webpack_require__(3669);
;// CONCATENATED MODULE: ./src/capture/recorders/node-job.ts











/** Until the cluster has removed the pod of a Job that was deleted now. */
const removalGraceMs = 20_000;
/** The same, where the Job was deleted before. */
const laterRemovalGraceMs = 10_000;
/**
 * A recorder in a pod of its own that uses the network of the node. A Job and not only a pod: the cluster stops it at its deadline and deletes
 * it some time after its end, even when the runner never comes back.
 */
function nodePodRecorder(connection, record, namespace) {
    return new NodePodRecorder(connection, record, namespace);
}
class NodePodRecorder {
    record;
    endpoint;
    #connection;
    #namespace;
    #pod;
    constructor(connection, record, namespace) {
        const pod = new NodeJobPod(connection, namespace, record.captureId);
        this.record = record;
        this.#connection = connection;
        this.#namespace = namespace;
        this.#pod = pod;
        this.endpoint = {
            open: async (command, handlers) => (await pod.endpoint()).open(command, handlers),
            state: () => pod.state(),
            spoolDirs: (0,capture_plan/* spoolDirsOf */.nF)(record.captureId),
        };
    }
    async check() {
        // Every Job is admitted, whatever its pod is. Pod Security, quotas and webhooks decide on the pod.
        await this.#create((0,url_path/* urlPath */.L) `/api/v1/namespaces/${this.#namespace}/pods?dryRun=All`, podOf(this.record));
        await this.#create(`${this.#jobs}?dryRun=All`, jobOf(this.record));
        return [`Admission: the cluster allows the node pod in ${this.#namespace}`];
    }
    async start(events, cancel) {
        const { record } = this;
        await this.#create(this.#jobs, jobOf(record));
        events.onCreated(`Created the Job ${record.captureId} in ${this.#namespace}, for node ${(0,capture_record/* recordedNode */.Zk)(record)}`);
        return (0,delivery/* startAndDeliver */.T)(this.endpoint, record, events, cancel);
    }
    abandonStart() {
        return this.cleanUp();
    }
    /** The Job and its pod are deleted, and the pod is waited for. */
    async cleanUp() {
        let graceMs = removalGraceMs;
        try {
            await this.#pod.delete(() => (0,timeouts/* pause */.v7)(1_000));
        }
        catch (error) {
            if (!(error instanceof api/* ApiError */.hD && error.status === 404))
                return { leftovers: [this.#jobLeft(error)], unfinished: true };
            graceMs = laterRemovalGraceMs;
        }
        const end = Date.now() + graceMs;
        while (Date.now() < end) {
            if ((await this.#pod.state()).kind === 'gone')
                return { leftovers: [], unfinished: false };
            await (0,timeouts/* pause */.v7)(300);
        }
        return { leftovers: [this.#podLeft()], unfinished: false };
    }
    get #jobs() {
        return (0,url_path/* urlPath */.L) `/apis/batch/v1/namespaces/${this.#namespace}/jobs`;
    }
    async #create(path, value) {
        try {
            await (0,api/* call */.T1)(this.#connection, 'POST', path, { body: { type: 'application/json', value } });
        }
        catch (error) {
            throw error instanceof api/* ApiError */.hD ? rejected(error, this.record, this.#namespace) : error;
        }
    }
    #jobLeft(error) {
        const latest = maxLifeSeconds(this.record.plan) + timeToLiveSeconds;
        return (`the Job ${this.record.captureId} in ${this.#namespace}: it could not be deleted (${(0,remote_text/* sanitizeRemoteText */.lt)((0,errors/* messageOf */.bD)(error), 500)}); ` +
            `it ends by itself, and the cluster deletes it ${timeToLiveSeconds} s after its end, at the latest ${latest} s after its start`);
    }
    #podLeft() {
        const { name } = this.#pod;
        const job = `of the Job ${this.record.captureId} in ${this.#namespace}, which is deleted; its recorder ends by itself`;
        if (name === undefined)
            return `the pod ${job}`;
        return `the pod ${name} ${job}; if the pod remains, delete it with \`kubectl -n ${this.#namespace} delete pod ${name}\``;
    }
}
function rejected(error, record, namespace) {
    const input = 'node-namespace';
    const docs = 'docs/rbac/platform.yaml';
    const message = (0,remote_text/* toOneLine */.GX)(error.message, 2_000);
    if (/violates PodSecurity/.test(error.message)) {
        return new start_failure/* NothingCreated */.SL({
            code: 'E_POD_SECURITY',
            input,
            docs,
            problem: `${JSON.stringify(namespace)} enforces a Pod Security level that forbids a node pod`,
            message,
            fix: 'A pod in the network of its node needs the level "privileged". Use a namespace that is kept for captures and has the label ' +
                'pod-security.kubernetes.io/enforce=privileged.',
        });
    }
    if (error.status === 404) {
        const label = 'pod-security.kubernetes.io/enforce=privileged';
        return new start_failure/* NothingCreated */.SL({
            code: 'E_NODE_NAMESPACE_NOT_FOUND',
            input,
            docs,
            problem: `there is no namespace ${JSON.stringify(namespace)}`,
            fix: 'Create it:',
            command: `kubectl create namespace ${namespace} && kubectl label namespace ${namespace} ${label}`,
        });
    }
    if (error.status >= 500)
        return error;
    return new start_failure/* NothingCreated */.SL({
        code: 'E_NODE_POD_REJECTED',
        input,
        docs,
        problem: `the cluster rejects a node pod for ${(0,capture_record/* recordedNode */.Zk)(record)} in ${JSON.stringify(namespace)}`,
        message,
        fix: 'Ask an admin of the cluster which policy applies, or use another namespace.',
    });
}


/***/ }),

/***/ 3669:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   $I: () => (/* binding */ noShellProblem),
/* harmony export */   FP: () => (/* binding */ nodeSubject),
/* harmony export */   GV: () => (/* binding */ NothingRecorded),
/* harmony export */   Kr: () => (/* binding */ NothingDelivered),
/* harmony export */   SL: () => (/* binding */ NothingCreated),
/* harmony export */   Ui: () => (/* binding */ hasNoShell),
/* harmony export */   V$: () => (/* binding */ noSpaceProblem),
/* harmony export */   eK: () => (/* binding */ parseRecorderError),
/* harmony export */   en: () => (/* binding */ recorderErrorOf),
/* harmony export */   ik: () => (/* binding */ noToolsProblem),
/* harmony export */   jw: () => (/* binding */ commonStartProblem),
/* harmony export */   qp: () => (/* binding */ nodeName)
/* harmony export */ });
/* harmony import */ var _common_errors_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(71922);
/* harmony import */ var _common_remote_text_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(14551);


/** The recorder was refused, so nothing was created. */
class NothingCreated extends _common_errors_js__WEBPACK_IMPORTED_MODULE_0__/* .ConfigurationError */ .j1 {
}
/** The recorder ended before it recorded anything: nothing is left to finish. */
class NothingRecorded extends _common_errors_js__WEBPACK_IMPORTED_MODULE_0__/* .ConfigurationError */ .j1 {
}
/** The recorder did not reach its container, which ends by itself: nothing is recorded. */
class NothingDelivered extends NothingRecorded {
}
/** The line `error CODE TEXT` that recorder.sh leaves when it cannot record; undefined for other output. */
function parseRecorderError(message) {
    const [, code, text = ''] = /^error (\S+) ?([\s\S]*)$/.exec(message.trim()) ?? [];
    return code === undefined ? undefined : { code, text: shownText(text) };
}
/** The error in the last output of a recorder that did not start, whatever wrote it. */
function recorderErrorOf(message) {
    return parseRecorderError(message) ?? { code: 'other', text: shownText(message) };
}
function shownText(text) {
    return (0,_common_remote_text_js__WEBPACK_IMPORTED_MODULE_1__/* .toOneLine */ .GX)(text.replace(/tcpdump: (data link type \S+)?/g, '')) || 'no output';
}
/** The problems that every recorder can have; undefined for those of one method alone. */
function commonStartProblem({ code, text }, { plan }, { place, netRawFix, interfaceFix }) {
    switch (code) {
        case 'filter':
            return {
                code: 'E_FILTER_REJECTED',
                input: 'filter',
                problem: `the tcpdump ${place} rejects ${JSON.stringify(plan.filter)}`,
                message: text,
                fix: 'See pcap-filter(7).',
            };
        case 'net-raw':
            return {
                code: 'E_NET_RAW_MISSING',
                input: 'capabilities',
                problem: `tcpdump may not open a packet socket ${place}`,
                message: text,
                fix: netRawFix,
            };
        case 'seccomp':
            return {
                code: 'E_SECCOMP_PROFILE',
                input: 'pod',
                problem: `a seccomp profile forbids packet sockets ${place}, although the container has NET_RAW: ${text}`,
                fix: 'Ask an admin of the cluster which profile applies to the container (of the pod, or the default of the node).',
            };
        case 'interface':
            return {
                code: 'E_INTERFACE_NOT_FOUND',
                input: 'interface',
                problem: `tcpdump cannot record on ${JSON.stringify(plan.interface)} ${place}`,
                message: text,
                fix: interfaceFix,
            };
        case 'user':
            return {
                code: 'E_IMAGE_CHANGES_USER',
                input: 'image',
                problem: `the tcpdump of ${JSON.stringify(plan.image)} changes to another user, which it may not do ${place}`,
                message: text,
                fix: 'Use an image whose tcpdump stays root, as the default image does.',
            };
        default:
            return undefined;
    }
}
/** Of a container: the runtime could not start its command at all (StartError of containerd, ContainerCannotRun of CRI-O). */
function hasNoShell({ text }, reason = '') {
    return /^(StartError|ContainerCannotRun)\b/.test(reason) || /executable file not found/.test(text);
}
function noShellProblem({ text }, { plan, target }) {
    return {
        code: 'E_IMAGE_NO_SHELL',
        input: 'image',
        problem: `${nodeName(target.node)} cannot run sh of ${JSON.stringify(plan.image)}`,
        message: text,
        fix: "Use an image that has sh and tcpdump and is built for the node's architecture.",
    };
}
function noToolsProblem({ text }, { plan }) {
    return {
        code: 'E_IMAGE_TOOLS_MISSING',
        input: 'image',
        problem: `${JSON.stringify(plan.image)} cannot record`,
        message: text,
        fix: 'Use an image that has sh and tcpdump.',
    };
}
function noSpaceProblem({ text }) {
    return {
        code: 'E_SPOOL_NOT_WRITABLE',
        input: 'image',
        problem: 'the container has no directory that it can write its spool to',
        message: text,
        fix: 'Check whether its root file system and /dev/shm are read-only.',
    };
}
/** For a sentence. */
function nodeName(node) {
    return node === undefined ? 'the node' : `node ${node}`;
}
/** What a recorder outside the target captures. */
function nodeSubject(target) {
    return target.kind === 'node' ? `node ${target.node}` : `pod ${target.pod} on ${nodeName(target.node)}`;
}


/***/ }),

/***/ 19134:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   L: () => (/* binding */ awaitStart)
/* harmony export */ });
/* harmony import */ var _common_timeouts_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(79005);
/* harmony import */ var _common_errors_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(71922);
/* harmony import */ var _methods_js__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(9588);
/* harmony import */ var _start_failure_js__WEBPACK_IMPORTED_MODULE_3__ = __webpack_require__(3669);




/** A container whose image is on the node starts within some 200 ms. */
const firstPollMs = 50;
const maxPollMs = 500;
const usualStartMs = 2_000;
/** Of a cancel's grace of 7.5 s: what a container that is about to run gets; stopping it takes up to 3 s. */
const startGraceMs = 3_000;
/** The kubelet retries image errors; a registry may fail for this long. */
const pullGraceMs = 15_000;
/**
 * Waits until the recorder runs.
 * @returns the image by its digest, where the kubelet reports one
 * @throws NothingRecorded, ConfigurationError with the kubelet's message, Cancelled
 */
async function awaitStart(endpoint, record, events, signal) {
    const end = Date.now() + record.plan.startTimeoutSeconds * 1000;
    const watch = new StartWatch(record, events);
    let cancelledAt;
    for (let pollMs = firstPollMs;; pollMs = Math.min(maxPollMs, pollMs * 1.5)) {
        const state = await endpoint.state();
        if (state.kind === 'running')
            return state.imageId;
        // A container that started and ended between two polls left its trailer.
        if (state.kind === 'terminated' && /^size \d+/m.test(state.message))
            return undefined;
        watch.check(state);
        if (signal.aborted) {
            // An image that is on the node starts within moments. A recorder that is left alone records until its heartbeat timeout.
            cancelledAt ??= Date.now();
            if (Date.now() - cancelledAt > startGraceMs)
                throw new _common_errors_js__WEBPACK_IMPORTED_MODULE_1__/* .Cancelled */ .cJ((0,_methods_js__WEBPACK_IMPORTED_MODULE_2__/* .methodOf */ .N)(record).cancelledBeforeStart);
        }
        if (Date.now() > end)
            throw watch.timedOut();
        await (0,_common_timeouts_js__WEBPACK_IMPORTED_MODULE_0__/* .pause */ .v7)(pollMs, signal);
    }
}
/** What the states of a recorder that does not run yet say about its start. */
class StartWatch {
    #record;
    #events;
    #pullFailsSince;
    #lastReason;
    #reportedReason;
    #startedAtMs = Date.now();
    constructor(record, events) {
        this.#record = record;
        this.#events = events;
    }
    /** @throws where the recorder can no longer start */
    check(state) {
        const method = (0,_methods_js__WEBPACK_IMPORTED_MODULE_2__/* .methodOf */ .N)(this.#record);
        if (state.kind === 'terminated')
            throw method.explainFailedStart((0,_start_failure_js__WEBPACK_IMPORTED_MODULE_3__/* .recorderErrorOf */ .en)(state.message || state.reason), state.reason);
        if (state.kind === 'gone')
            throw method.explainGone(state.reason);
        if (state.kind === 'waiting')
            this.#checkWaiting(state);
    }
    #checkWaiting({ why }) {
        this.#reportWaiting(why);
        this.#lastReason = why?.reason;
        const isPullError = why !== undefined && pullErrors.has(why.reason);
        this.#pullFailsSince = isPullError ? (this.#pullFailsSince ?? Date.now()) : undefined;
        const isPullOver = this.#pullFailsSince !== undefined && Date.now() - this.#pullFailsSince > pullGraceMs;
        if (why !== undefined && (isPullOver || finalErrors.has(why.reason)))
            throw this.#imageProblem(why);
    }
    /** Once for each reason; every container is created for a moment, which is no news. */
    #reportWaiting(why) {
        if (why === undefined || why.reason === this.#reportedReason)
            return;
        if (!pullErrors.has(why.reason) && Date.now() - this.#startedAtMs < usualStartMs)
            return;
        this.#reportedReason = why.reason;
        this.#events.onWaiting(`${why.reason} ${why.message}`.trim());
    }
    #imageProblem({ reason, message }) {
        const isImageMissing = pullErrors.has(reason) || /Image/.test(reason);
        const { plan, target } = this.#record;
        return new _common_errors_js__WEBPACK_IMPORTED_MODULE_1__/* .ConfigurationError */ .j1({
            code: isImageMissing ? 'E_IMAGE_PULL' : 'E_IMAGE_NOT_STARTED',
            input: 'image',
            problem: `${(0,_start_failure_js__WEBPACK_IMPORTED_MODULE_3__/* .nodeName */ .qp)(target.node)} cannot start ${JSON.stringify(plan.image)} (${reason}: ${message || 'no message'})`,
            fix: isImageMissing
                ? "Use an image that the node can pull with the pod's own pull secrets."
                : 'Use an image that has sh and tcpdump.',
        });
    }
    timedOut() {
        const { captureId, plan } = this.#record;
        const last = this.#lastReason === undefined ? '' : ` (${this.#lastReason})`;
        return new _common_errors_js__WEBPACK_IMPORTED_MODULE_1__/* .ConfigurationError */ .j1({
            code: 'E_START_TIMEOUT',
            input: 'start-timeout',
            problem: `the recorder ${captureId} did not start within ${plan.startTimeoutSeconds} s${last}`,
            fix: 'Raise `start-timeout`, or use a smaller image. A node that is overloaded also starts containers late.',
        });
    }
}
const pullErrors = new Set(['ErrImagePull', 'ImagePullBackOff', 'RegistryUnavailable']);
/** Reasons of the kubelet that no retry changes. */
const finalErrors = new Set([
    'InvalidImageName',
    'ErrImageNeverPull',
    'ImageInspectError',
    'CreateContainerError',
    'CreateContainerConfigError',
    'RunContainerError',
]);


/***/ }),

/***/ 44476:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   r: () => (/* binding */ scriptText)
/* harmony export */ });
/* harmony import */ var node_fs__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(73024);
/* harmony import */ var node_fs__WEBPACK_IMPORTED_MODULE_0___default = /*#__PURE__*/__webpack_require__.n(node_fs__WEBPACK_IMPORTED_MODULE_0__);

/** The text of a script without whole-line comments, indentation and blank lines: a pod's object keeps its recorder for the pod's life. `file`: ncc makes a path of the URL. */
function scriptText(file) {
    return (0,node_fs__WEBPACK_IMPORTED_MODULE_0__.readFileSync)(file, 'utf8')
        .split('\n')
        .map((line) => line.trim())
        .filter((line) => line !== '' && !line.startsWith('#'))
        .join('\n');
}


/***/ }),

/***/ 69413:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   JK: () => (/* binding */ loaderScript),
/* harmony export */   JU: () => (/* binding */ deliverScript),
/* harmony export */   OY: () => (/* binding */ recorderScript),
/* harmony export */   eN: () => (/* binding */ startFollowerScript),
/* harmony export */   gz: () => (/* binding */ unpackScript),
/* harmony export */   u6: () => (/* binding */ followerScript),
/* harmony export */   yk: () => (/* binding */ stopRecorderScript)
/* harmony export */ });
/* harmony import */ var _script_text_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(44476);

// The programs that run beside the target; files of their own, so that shellcheck and a terminal can read them.
// The literal form of the URL is what ncc finds: it copies the file beside the bundle.
const napScript = (0,_script_text_js__WEBPACK_IMPORTED_MODULE_0__/* .scriptText */ .r)(__webpack_require__.ab + "nap.sh");
/** `sh -c TEXT recorder NAME SHA256 MAX_SECONDS`, the command of a capture's container: runs what is delivered to it */
const loaderScript = (0,_script_text_js__WEBPACK_IMPORTED_MODULE_0__/* .scriptText */ .r)(__webpack_require__.ab + "loader.sh");
/** `sh -c TEXT deliver DIRECTORY\u2026`: takes the recorder from stdin for the loader */
const deliverScript = (0,_script_text_js__WEBPACK_IMPORTED_MODULE_0__/* .scriptText */ .r)(__webpack_require__.ab + "deliver.sh");
/** the head of what is delivered */
const unpackScript = (0,_script_text_js__WEBPACK_IMPORTED_MODULE_0__/* .scriptText */ .r)(__webpack_require__.ab + "unpack.sh");
/** `sh FILE`, in a directory with the file `follower`: the main process of the capture's container, or a process on a node */
const recorderScript = [
    napScript,
    (0,_script_text_js__WEBPACK_IMPORTED_MODULE_0__/* .scriptText */ .r)(__webpack_require__.ab + "spool.sh"),
    (0,_script_text_js__WEBPACK_IMPORTED_MODULE_0__/* .scriptText */ .r)(__webpack_require__.ab + "interfaces.sh"),
    (0,_script_text_js__WEBPACK_IMPORTED_MODULE_0__/* .scriptText */ .r)(__webpack_require__.ab + "recorder.sh"),
].join('\n');
/** `sh FILE OFFSET`: sends the spool from an offset */
const followerScript = [napScript, (0,_script_text_js__WEBPACK_IMPORTED_MODULE_0__/* .scriptText */ .r)(__webpack_require__.ab + "follower.sh")].join('\n');
/** `sh -c TEXT sh OFFSET DIRECTORY\u2026`: waits for the spool, then becomes the follower. Short, because it is in the API server's audit log. */
const startFollowerScript = (0,_script_text_js__WEBPACK_IMPORTED_MODULE_0__/* .scriptText */ .r)(__webpack_require__.ab + "start-follower.sh");
/** `sh -c TEXT sh DIRECTORY\u2026`: asks a recorder to stop and to delete its spool */
const stopRecorderScript = (0,_script_text_js__WEBPACK_IMPORTED_MODULE_0__/* .scriptText */ .r)(__webpack_require__.ab + "stop-recorder.sh");


/***/ }),

/***/ 61735:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   NI: () => (/* binding */ watchTarget),
/* harmony export */   PZ: () => (/* binding */ mustCheckTarget),
/* harmony export */   e$: () => (/* binding */ checkTarget)
/* harmony export */ });
/* harmony import */ var _cluster_api_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(83074);
/* harmony import */ var _cluster_pod_js__WEBPACK_IMPORTED_MODULE_5__ = __webpack_require__(81585);
/* harmony import */ var _common_errors_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(71922);
/* harmony import */ var _common_remote_text_js__WEBPACK_IMPORTED_MODULE_6__ = __webpack_require__(14551);
/* harmony import */ var _common_timeouts_js__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(79005);
/* harmony import */ var _common_url_path_js__WEBPACK_IMPORTED_MODULE_4__ = __webpack_require__(16902);
/* harmony import */ var _recorders_methods_js__WEBPACK_IMPORTED_MODULE_3__ = __webpack_require__(9588);







const checkEveryMs = 5_000;
/**
 * Checks now, every 5 s and at the end whether the pod that a node is captured for still exists with the same addresses; otherwise another pod
 * may have got them. `onLost`: called once when it does not. A capture inside the pod ends with the pod, so nothing is checked.
 */
function watchTarget(connection, record, onLost) {
    const pod = watchedPod(record);
    if (pod === undefined)
        return { end: () => Promise.resolve({ kind: 'there' }) };
    let last = { kind: 'there' };
    const isLost = () => last.kind === 'lost';
    const check = async () => {
        if (isLost())
            return;
        const found = await checkPod(connection, pod);
        if (isLost())
            return;
        last = found;
        if (found.kind === 'lost')
            onLost();
    };
    const timer = setInterval(() => void check(), checkEveryMs);
    void check();
    return {
        end: async (withinMs = checkEveryMs) => {
            clearInterval(timer);
            const isLate = (await (0,_common_timeouts_js__WEBPACK_IMPORTED_MODULE_2__/* .orTimeout */ .TO)(check(), withinMs)) === _common_timeouts_js__WEBPACK_IMPORTED_MODULE_2__/* .timedOut */ .iU;
            return isLate && !isLost() ? { kind: 'unknown', why: `no answer within ${withinMs / 1000} s` } : last;
        },
    };
}
/** One check; never rejects. */
async function checkTarget(connection, record) {
    const pod = watchedPod(record);
    return pod === undefined ? { kind: 'there' } : checkPod(connection, pod);
}
/** Whether the target may be lost while its recorder goes on. */
function mustCheckTarget(record) {
    return watchedPod(record) !== undefined;
}
function watchedPod(record) {
    return record.target.kind === 'pod' && !(0,_recorders_methods_js__WEBPACK_IMPORTED_MODULE_3__/* .methodOf */ .N)(record).isInsideTarget ? record.target : undefined;
}
async function checkPod(connection, { namespace, pod, uid, addresses }) {
    const lost = (why) => ({ kind: 'lost', why });
    try {
        const path = (0,_common_url_path_js__WEBPACK_IMPORTED_MODULE_4__/* .urlPath */ .L) `/api/v1/namespaces/${namespace}/pods/${pod}`;
        const found = (await (0,_cluster_api_js__WEBPACK_IMPORTED_MODULE_0__/* .call */ .T1)(connection, 'GET', path, { timeoutMs: checkEveryMs })).body;
        const phase = found.status?.phase;
        if (found.metadata?.uid !== uid)
            return lost(`the pod ${pod} was replaced by another pod of the same name`);
        if (phase === 'Succeeded')
            return { ...lost(`the pod ${pod} ended (${phase})`), isCompleted: true };
        if (phase === 'Failed')
            return lost(`the pod ${pod} ended (${phase})`);
        const now = (0,_cluster_pod_js__WEBPACK_IMPORTED_MODULE_5__/* .addressesOf */ .sO)(found);
        const isSame = now.length === addresses.length && addresses.every((address) => now.includes(address));
        if (addresses.length > 0 && !isSame) {
            return lost(`the pod ${pod} changed its address (${addresses.join(', ')} \u2192 ${now.join(', ') || 'none'})`);
        }
        return { kind: 'there' };
    }
    catch (error) {
        if (error instanceof _cluster_api_js__WEBPACK_IMPORTED_MODULE_0__/* .ApiError */ .hD && error.status === 404)
            return lost(`the pod ${pod} was deleted`);
        return { kind: 'unknown', why: (0,_common_remote_text_js__WEBPACK_IMPORTED_MODULE_6__/* .toOneLine */ .GX)((0,_common_errors_js__WEBPACK_IMPORTED_MODULE_1__/* .messageOf */ .bD)(error), 300) };
    }
}


/***/ }),

/***/ 88969:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   D: () => (/* binding */ compareWithTrailer),
/* harmony export */   P: () => (/* binding */ parseTrailer)
/* harmony export */ });
/* harmony import */ var _common_remote_text_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(14551);

/** IFNAMSIZ of the kernel without its NUL. What follows limits what a node can make the runner keep; characters are UTF-16 units. */
const maxInterfaceNameBytes = 15;
const maxInterfaceCount = 800;
const maxReasonCharacters = 100;
const maxToolCharacters = 100;
const maxMessageCharacters = 1_000;
/** Every number has a limit, so that no report of it can fail. A sum of two of them is still a safe integer. */
const maxCount = 1e15;
/** A year: much more than any capture records, and a time that every clock and format can show. */
const maxMs = 366 * 86_400_000;
/** The pcap format ends here (its seconds have 32 bits), and Date and ISO 8601 go on. */
const maxEpochSeconds = 2 ** 32;
/** waitpid(2): a status has 8 bits */
const uint8 = 255;
/** ifindex is a positive int of the kernel */
const int32 = 2 ** 31 - 1;
/**
 * Reads the lines of a trailer (`key value\u2026`); undefined where a line that every trailer has is missing, malformed or out of range, or where a
 * key has two values: no recorder writes that. Another number that is out of range counts as missing.
 */
function parseTrailer(lines) {
    const { values, interfaces, hasTwoValues } = splitLines(lines);
    const sizeBytes = numberAt(values, 'size');
    const sha256 = values.get('sha256') ?? '';
    const paused = pausesIn(values.get('paused') ?? '');
    if (hasTwoValues || sizeBytes === undefined || !/^[0-9a-f]{64}$/.test(sha256) || !paused)
        return undefined;
    return {
        sizeBytes,
        sha256,
        reason: textAt(values, 'reason', maxReasonCharacters),
        spool: values.get('spool') === 'memory' ? 'memory' : 'disk',
        exitCode: numberAt(values, 'exit', uint8) ?? -1,
        captured: numberAt(values, 'captured'),
        received: numberAt(values, 'received'),
        dropped: numberAt(values, 'dropped'),
        interfaceDropped: numberAt(values, 'interface-dropped'),
        ...paused,
        recordedMs: numberAt(values, 'recorded', maxMs) ?? 0,
        beganSeconds: numberAt(values, 'began', maxEpochSeconds) ?? 0,
        interfaces: interfaces.sort((a, b) => a.index - b.index || a.fromSeconds - b.fromSeconds),
        tool: textAt(values, 'tool', maxToolCharacters),
        message: textAt(values, 'message', maxMessageCharacters),
    };
}
/** Compares what arrived with what the recorder sent. `sha256`: hex */
function compareWithTrailer(trailer, received) {
    if (received.bytes !== trailer.sizeBytes)
        return 'size-differs';
    return received.sha256 === trailer.sha256 ? 'equal' : 'hash-differs';
}
function splitLines(lines) {
    const values = new Map();
    const interfaces = new Map();
    let hasTwoValues = false;
    for (const line of lines) {
        const [, key = '', value = ''] = /^(\S*) ?([^]*)$/.exec(line.trim()) ?? [];
        if (key === 'interface') {
            const found = interfaces.size < maxInterfaceCount ? parseInterface(value) : undefined;
            if (found)
                interfaces.set(`${found.index} ${found.fromSeconds}`, found);
        }
        else if (knownKeys.has(key)) {
            hasTwoValues ||= values.has(key);
            values.set(key, value);
        }
    }
    return { values, interfaces: [...interfaces.values()], hasTwoValues };
}
const knownKeys = new Set([
    ...['size', 'sha256', 'reason', 'spool', 'exit', 'captured', 'received', 'dropped', 'interface-dropped'],
    ...['paused', 'recorded', 'began', 'tool', 'message'],
]);
function numberAt(values, key, max = maxCount) {
    return boundedNumber(values.get(key) ?? '', max);
}
function boundedNumber(text, max) {
    return /^\d{1,16}$/.test(text) && Number(text) <= max ? Number(text) : undefined;
}
/** `MS COUNT` */
function pausesIn(text) {
    const [, ms = '', count = ''] = /^(\d+) (\d+)$/.exec(text) ?? [];
    const pausedMs = boundedNumber(ms, maxMs);
    const pauseCount = boundedNumber(count, maxCount);
    return pausedMs === undefined || pauseCount === undefined ? undefined : { pausedMs, pauseCount };
}
function textAt(values, key, maxCharacters) {
    return (0,_common_remote_text_js__WEBPACK_IMPORTED_MODULE_0__/* .sanitizeRemoteText */ .lt)(values.get(key) ?? '', maxCharacters);
}
/** `INDEX NAME FROM UNTIL`, UNTIL `-` where it was there at the end; undefined where the line has another form. No name has a blank. */
function parseInterface(value) {
    const [, index = '', name = '', from = '', until = ''] = /^(\d{1,10}) (\S+) (\d{1,10}) (\d{1,10}|-)$/.exec(value) ?? [];
    const number = boundedNumber(index, int32);
    if (number === undefined)
        return undefined;
    const bytes = Buffer.from(name).subarray(0, maxInterfaceNameBytes);
    return {
        index: number,
        name: (0,_common_remote_text_js__WEBPACK_IMPORTED_MODULE_0__/* .sanitizeRemoteText */ .lt)(bytes.toString('utf8'), maxInterfaceNameBytes),
        fromSeconds: Number(from),
        untilSeconds: until === '-' ? undefined : Number(until),
    };
}


/***/ }),

/***/ 86794:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   GW: () => (/* binding */ problemsOf),
/* harmony export */   Xy: () => (/* binding */ objectOf),
/* harmony export */   au: () => (/* binding */ unexpectedAnswer)
/* harmony export */ });
/* unused harmony export problemOf */
/* harmony import */ var _common_errors_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(71922);
/* harmony import */ var _common_remote_text_js__WEBPACK_IMPORTED_MODULE_3__ = __webpack_require__(14551);
/* harmony import */ var _api_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(83074);
/* harmony import */ var _api_errors_js__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(86684);




/**
 * The body as the object that every answer of an API server is. `what`: what was requested, a noun phrase (`the pod "web-1"`).
 * @throws ConfigurationError where something else answers: a login page, a redirect, another service's JSON
 */
function objectOf(connection, { status, body }, what) {
    if (typeof body === 'object' && body !== null && !Array.isArray(body))
        return body;
    throw unexpectedAnswer(connection, what, `${status} without a JSON object`);
}
/** The error of an answer that no API server gives. `got`: what was answered. */
function unexpectedAnswer({ input, description }, what, got) {
    return new _common_errors_js__WEBPACK_IMPORTED_MODULE_0__/* .ConfigurationError */ .j1((0,_api_errors_js__WEBPACK_IMPORTED_MODULE_2__/* .notAnApiServerProblem */ .f2)(input, `${description} answered the request for ${what} with ${got}`));
}
/** The problems that an error of a request to the API server stands for. `what`: what was requested, a noun phrase. */
function problemsOf(connection, error, what) {
    if (error instanceof _common_errors_js__WEBPACK_IMPORTED_MODULE_0__/* .ConfigurationError */ .j1)
        return error.problems;
    const { input, description } = connection;
    if (error instanceof _api_js__WEBPACK_IMPORTED_MODULE_1__/* .ApiError */ .hD) {
        const message = (0,_common_remote_text_js__WEBPACK_IMPORTED_MODULE_3__/* .toOneLine */ .GX)([error.reason, error.message].filter((part) => part !== undefined).join(': '));
        const problem = `the request for ${what} failed: the API server ${description} answered ${error.status} (${message})`;
        return [{ ...codeAndFix(error, connection), input, problem }];
    }
    return [
        {
            code: 'E_API_REQUEST_FAILED',
            input,
            problem: `the request for ${what} could not be sent to the API server ${description}`,
            message: (0,_common_remote_text_js__WEBPACK_IMPORTED_MODULE_3__/* .toOneLine */ .GX)((0,_common_errors_js__WEBPACK_IMPORTED_MODULE_0__/* .messageOf */ .bD)(error)),
            fix: 'Check the address, the certificates, the user and the proxy that this input leads to. If they are correct, this is a defect of the action: please report it.',
        },
    ];
}
/** The first of `problemsOf`: an error of a single request has no others. */
function problemOf(connection, error, what) {
    return problemsOf(connection, error, what)[0];
}
function codeAndFix({ status, reason }, { hint }) {
    if (status === 429 || status >= 500) {
        return {
            code: 'E_API_UNAVAILABLE',
            fix: 'The API server, or a webhook that it calls, is overloaded or failing; retry later. If it does not recover, contact an admin of the cluster: no input of this run can fix it.',
        };
    }
    const fix = [fixFor(status, reason), ...(hint === undefined ? [] : [hint])].join(' ');
    return { code: 'E_API_REQUEST_FAILED', fix };
}
function fixFor(status, reason) {
    if (status === 404)
        return 'Check that the address is the one of the API server itself, with its whole path.';
    if (reason === undefined)
        return 'This is not the answer of an API server: check for a proxy or a firewall in front of it.';
    return 'Contact an admin of the cluster.';
}


/***/ }),

/***/ 86684:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   HB: () => (/* binding */ unreachable),
/* harmony export */   JD: () => (/* binding */ credentialsRejected),
/* harmony export */   Jk: () => (/* binding */ UnreachableError),
/* harmony export */   f2: () => (/* binding */ notAnApiServerProblem),
/* harmony export */   hD: () => (/* binding */ ApiError),
/* harmony export */   lj: () => (/* binding */ parseObject),
/* harmony export */   pb: () => (/* binding */ apiError),
/* harmony export */   qs: () => (/* binding */ notAnApiServer)
/* harmony export */ });
/* harmony import */ var _common_errors_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(71922);
/* harmony import */ var _common_remote_text_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(14551);


/** An answer of the API server that is not a success; `message` is the server's own. */
class ApiError extends Error {
    name = 'ApiError';
    status;
    /** `reason` of the Status object: NotFound, Forbidden, \u2026; undefined where the answer is not a Status, or has none */
    reason;
    /** the input of the connection to this API server */
    input;
    constructor(status, reason, message, input = 'kubeconfig') {
        super(message);
        this.input = input;
        this.status = status;
        this.reason = reason;
    }
}
/** There was no answer; a later attempt may get one. */
class UnreachableError extends _common_errors_js__WEBPACK_IMPORTED_MODULE_0__/* .ConfigurationError */ .j1 {
}
/** The longest honest messages are lists of violations of an admission policy. */
const maxMessageChars = 8_000;
const maxReasonChars = 200;
/** The error of an answer: a ConfigurationError where the user's configuration explains it, else an ApiError with the server's message. */
function apiError(status, text, connection, facts) {
    if (status < 400)
        return notAnApiServer(status, text, connection);
    const body = parseObject(text);
    const isStatus = body?.kind === 'Status';
    const given = isStatus && typeof body.message === 'string' ? body.message.slice(0, maxMessageChars) : undefined;
    const message = given || shorten(text) || 'no text';
    const reason = typeof body?.reason === 'string' && body.reason !== '' ? body.reason.slice(0, maxReasonChars) : undefined;
    const summary = `(${status} ${shorten(message)})`;
    const problem = problemIn({ ...facts, status, isStatus, message, summary }, connection);
    return problem ? new _common_errors_js__WEBPACK_IMPORTED_MODULE_0__/* .ConfigurationError */ .j1(problem) : new ApiError(status, reason, message, connection.input);
}
function problemIn(failure, connection) {
    switch (failure.status) {
        case 401:
            return credentialsRejected(connection, failure.summary);
        case 403:
            return forbidden(failure, connection);
        case 404:
            // A path that an older API server does not have is answered by a plain 404, too; pods every version has.
            return !failure.isStatus && !failure.path.startsWith('/apis/') ? notFound(failure, connection) : undefined;
        case 407:
            return proxyPasswordMissing(failure, connection);
        default:
            return undefined;
    }
}
/** The API server does not accept the credentials, or does not see any. `summary`: the answer, in parentheses. */
function credentialsRejected({ input, description, credentialsFix }, summary) {
    return {
        code: 'E_CREDENTIALS_REJECTED',
        input,
        problem: `the API server ${description} rejects the credentials ${summary}`,
        fix: credentialsFix?.() ??
            'The token has expired or belongs to another cluster. Create the credentials in the same job, shortly before this step.',
    };
}
function forbidden(failure, connection) {
    const { isStatus, message, summary } = failure;
    const { input, description, hint } = connection;
    if (isStatus && /User "system:anonymous"/.test(message))
        return credentialsRejected(connection, summary);
    if (isStatus && /\bcannot impersonate/.test(message)) {
        return {
            code: 'E_IMPERSONATION_DENIED',
            input,
            problem: `the API server ${description} does not allow this user to impersonate another ${summary}`,
            fix: 'Remove `as`, `as-groups`, `as-uid` and `as-user-extra` from the kubeconfig, or ask an admin to grant the verb "impersonate".',
        };
    }
    // RBAC and admission have messages of their own; any other refusal comes from something in front of the API server.
    const isFromApiServer = hint === undefined || /\bforbidden\b|\badmission\b|denied (the )?request/.test(message);
    if (isStatus && isFromApiServer)
        return undefined;
    const guards = failure.proxy === undefined
        ? 'a gateway, a firewall or a login page'
        : `the proxy ${failure.proxy.name}, a gateway or a firewall`;
    return {
        code: 'E_API_ENDPOINT_REFUSED',
        input,
        problem: `the endpoint of ${description} refuses the request ${summary}, and this is not the answer of an API server`,
        fix: hint ?? `Check whether ${guards} in front of the API server blocks this runner.`,
    };
}
function notFound({ summary }, { input, description, hint }) {
    return {
        code: 'E_NOT_AN_API_SERVER',
        input,
        problem: `the endpoint of ${description} is not an API server ${summary}`,
        fix: hint ?? 'Check that the address is complete, with its path, and that nothing follows it.',
    };
}
function proxyPasswordMissing({ proxy, summary }, { input, description }) {
    return {
        code: 'E_PROXY_AUTH_REQUIRED',
        input,
        problem: `${proxy === undefined ? 'a proxy' : `the proxy ${proxy.name}`} in front of the API server ${description} requires a password ${summary}`,
        fix: 'Add it to the address of the proxy: http://USER:PASSWORD@HOST:PORT.',
    };
}
/** An API server answers every request with a JSON object; this is the error of any other answer. `location`: where it redirects. */
function notAnApiServer(status, text, { input, description }, location) {
    const redirect = location === undefined ? undefined : URL.parse(location);
    const got = redirect ? `to ${redirect.origin}` : shorten(text).slice(0, 100) || 'no text';
    return new _common_errors_js__WEBPACK_IMPORTED_MODULE_0__/* .ConfigurationError */ .j1(notAnApiServerProblem(input, `${description} answered ${status} without a JSON object (${got})`));
}
/** `answered`: what answered what, a clause. */
function notAnApiServerProblem(input, answered) {
    return {
        code: 'E_NOT_AN_API_SERVER',
        input,
        problem: `${answered}, which is not how an API server answers`,
        fix: 'Check the address, with its path, and whether a login page or a proxy answers in place of the API server.',
    };
}
/** The error of a connection that could not be made. `proxy`: the one between; what cannot be reached is the proxy itself then. */
function unreachable(connection, error, proxy) {
    if (error instanceof _common_errors_js__WEBPACK_IMPORTED_MODULE_0__/* .ConfigurationError */ .j1)
        return error;
    const code = error.code ?? '';
    const { input } = connection;
    const problem = `the API server ${connection.description} cannot be reached`;
    const summary = `(${(0,_common_errors_js__WEBPACK_IMPORTED_MODULE_0__/* .messageOf */ .bD)(error)})`;
    if (/certificate|self.signed|CERT_/i.test(`${code} ${(0,_common_errors_js__WEBPACK_IMPORTED_MODULE_0__/* .messageOf */ .bD)(error)}`)) {
        return new UnreachableError({
            code: 'E_API_CERTIFICATE_UNTRUSTED',
            input,
            problem: `${problem} ${summary}: its certificate does not match ${connection.trustedAuthority ?? 'the certificate authority that this run trusts'}`,
            fix: joinSentences('Check the certificate authority and the address, and whether a proxy replaces the certificate.', connection.hint),
        });
    }
    if (proxy !== undefined) {
        return new UnreachableError({
            code: 'E_API_UNREACHABLE',
            input,
            problem: `${problem} through the proxy ${proxy.name} ${summary}`,
            fix: joinSentences('Check the address of the proxy, and whether it may connect to the API server.', proxy.isFromEnvironment ? 'NO_PROXY names the hosts that are reached without a proxy.' : undefined),
        });
    }
    // What guards the endpoint has no part in a name that does not resolve.
    const hint = code === 'ENOTFOUND' || code === 'EAI_AGAIN' ? undefined : connection.hint;
    const fix = joinSentences(fixes.get(code) ?? 'Check whether this runner can connect to it.', hint);
    return new UnreachableError({ code: 'E_API_UNREACHABLE', input, problem: `${problem} ${summary}`, fix });
}
const fixes = new Map([
    ['ECONNREFUSED', 'Nothing listens at this address: check that it is current.'],
    [
        'ENOTFOUND',
        'Its name does not resolve: check whether the cluster has a public endpoint, or the runner needs a VPN.',
    ],
    ['EAI_AGAIN', 'Its name cannot be resolved at the moment: check whether the runner has a name server.'],
    ['ETIMEDOUT', 'There is no answer: check whether a firewall or an allowlist of addresses blocks this runner.'],
    ['ECONNRESET', 'The connection was reset: check for a proxy on the way (HTTPS_PROXY, NO_PROXY).'],
    ['EPROTO', 'The server does not speak TLS: check the port.'],
]);
function joinSentences(...sentences) {
    return sentences.filter((sentence) => sentence !== undefined).join(' ');
}
/** The JSON object in a text; undefined where it is not one. */
function parseObject(text) {
    try {
        const value = JSON.parse(text);
        return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
    }
    catch {
        return undefined;
    }
}
function shorten(text) {
    return (0,_common_remote_text_js__WEBPACK_IMPORTED_MODULE_1__/* .toOneLine */ .GX)(text, 500);
}


/***/ }),

/***/ 83074:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   N1: () => (/* binding */ userAgent),
/* harmony export */   T1: () => (/* binding */ call),
/* harmony export */   hD: () => (/* reexport safe */ _api_errors_js__WEBPACK_IMPORTED_MODULE_3__.hD)
/* harmony export */ });
/* harmony import */ var node_http__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(37067);
/* harmony import */ var node_http__WEBPACK_IMPORTED_MODULE_0___default = /*#__PURE__*/__webpack_require__.n(node_http__WEBPACK_IMPORTED_MODULE_0__);
/* harmony import */ var node_https__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(44708);
/* harmony import */ var node_https__WEBPACK_IMPORTED_MODULE_1___default = /*#__PURE__*/__webpack_require__.n(node_https__WEBPACK_IMPORTED_MODULE_1__);
/* harmony import */ var _common_timeouts_js__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(79005);
/* harmony import */ var _api_errors_js__WEBPACK_IMPORTED_MODULE_3__ = __webpack_require__(86684);
/* harmony import */ var _connection_js__WEBPACK_IMPORTED_MODULE_4__ = __webpack_require__(23060);






const userAgent = 'kubernetes-packet-capture';
const answerTimeoutMs = 30_000;
const maxAnswerBytes = 64 * 1024 * 1024;
/**
 * One call to the API server, with credentials that are fetched for it. A request that changes nothing is repeated a few times within its
 * time where the server is busy; credentials that the server rejects are fetched again once.
 * @throws ApiError for an answer of 400 or more; ConfigurationError where the server cannot be reached, rejects the credentials, or is not
 * an API server
 */
async function call(connection, method, path, { body, timeoutMs, isIdempotent = false } = {}) {
    const request = { method, path, body, timeoutMs: timeoutMs ?? answerTimeoutMs, isIdempotent };
    let credentials = await (0,_connection_js__WEBPACK_IMPORTED_MODULE_4__/* .credentialsOf */ .YN)(connection, timeoutMs);
    const endMs = Date.now() + request.timeoutMs;
    let delaysMs = isRepeatable(request) ? retryDelaysMs : [];
    for (;;) {
        const response = await exchange(connection, request, credentials, Math.max(endMs - Date.now(), 1_000));
        const others = response.status === 401 ? await otherCredentials(credentials, connection, endMs - Date.now()) : undefined;
        if (others) {
            credentials = others;
            continue;
        }
        const delayMs = retryDelayMs(response, delaysMs[0]);
        if (delayMs !== undefined && Date.now() + delayMs < endMs) {
            delaysMs = delaysMs.slice(1);
            await (0,_common_timeouts_js__WEBPACK_IMPORTED_MODULE_2__/* .pause */ .v7)(delayMs);
            continue;
        }
        return answerIn(response, connection, { proxy: credentials.proxy, path });
    }
}
function answerIn({ status, headers, text }, connection, facts) {
    if (status >= 400)
        throw (0,_api_errors_js__WEBPACK_IMPORTED_MODULE_3__/* .apiError */ .pb)(status, text, connection, facts);
    const body = (0,_api_errors_js__WEBPACK_IMPORTED_MODULE_3__/* .parseObject */ .lj)(text);
    if (!body || status >= 300)
        throw (0,_api_errors_js__WEBPACK_IMPORTED_MODULE_3__/* .notAnApiServer */ .qs)(status, text, connection, headers.location);
    const serverTime = Date.parse(headers.date ?? '');
    return { status, body, serverTime: Number.isNaN(serverTime) ? undefined : serverTime };
}
/** Priority and fairness (429), a server that shuts down (503), a webhook or etcd that is away for a moment (500). */
const busyStatuses = [429, 500, 503];
/** before the second and the third attempt, where `Retry-After` does not say */
const retryDelaysMs = [300, 1_000];
const maxRetryDelayMs = 5_000;
/** undefined: the request is not repeated. `usualMs`: undefined after the last attempt. */
function retryDelayMs({ status, headers }, usualMs) {
    if (usualMs === undefined || !busyStatuses.includes(status))
        return undefined;
    const requestedMs = Number(headers['retry-after']) * 1000;
    return requestedMs > 0 ? Math.min(requestedMs, maxRetryDelayMs) : usualMs;
}
/** Reads, reviews and dry runs change nothing. */
function isRepeatable({ method, path }) {
    return method === 'GET' || /[?&]dryRun=All\b/.test(path) || (method === 'POST' && /reviews$/.test(path));
}
/** The credentials that the source makes after a 401; undefined where it has no others. */
async function otherCredentials(old, connection, withinMs) {
    if (!old.refused)
        return undefined;
    old.refused();
    const others = await (0,_connection_js__WEBPACK_IMPORTED_MODULE_4__/* .credentialsOf */ .YN)(connection, Math.max(withinMs, 1_000));
    const isSame = others.headers['Authorization'] === old.headers['Authorization'] && others.tls.cert === old.tls.cert;
    return isSame ? undefined : { ...others, refused: undefined }; // once
}
async function exchange(connection, request, credentials, withinMs) {
    try {
        const url = new URL(connection.server + request.path);
        return await send(url, request, credentials, withinMs).catch((error) => {
            if (!(error instanceof StaleConnectionError))
                throw error;
            const agent = url.protocol === 'http:' ? new node_http__WEBPACK_IMPORTED_MODULE_0__.Agent() : new node_https__WEBPACK_IMPORTED_MODULE_1__.Agent(_connection_js__WEBPACK_IMPORTED_MODULE_4__/* .verification */ .Ot); // keeps nothing
            return send(url, request, { ...credentials, agent }, withinMs);
        });
    }
    catch (error) {
        throw (0,_api_errors_js__WEBPACK_IMPORTED_MODULE_3__/* .unreachable */ .HB)(connection, error instanceof StaleConnectionError ? error.cause : error, credentials.proxy);
    }
}
/** A connection that was kept failed: the server may have closed it just before. Only a request that may be sent twice uses one. */
class StaleConnectionError extends Error {
    constructor(cause) {
        super(cause.message, { cause });
    }
}
function isClosed({ code }) {
    return code === 'ECONNRESET' || code === 'EPIPE';
}
/** A connection without a request is closed after this time: one that died unnoticed must not delay the next request. */
const idleMs = 4_000;
const agents = {
    http: new node_http__WEBPACK_IMPORTED_MODULE_0__.Agent({ keepAlive: true, timeout: idleMs }),
    // Node keeps no connection of a request with a checkServerIdentity of its own, so the agent has it.
    https: new node_https__WEBPACK_IMPORTED_MODULE_1__.Agent({ keepAlive: true, timeout: idleMs, ..._connection_js__WEBPACK_IMPORTED_MODULE_4__/* .verification */ .Ot }),
};
/** The checks before a capture are many requests in a row: they share their connections. Kept ones do not keep the process running. */
function agentFor(url, request) {
    if (!isRepeatable(request) && !request.isIdempotent)
        return false;
    return url.protocol === 'http:' ? agents.http : agents.https;
}
function send(url, request, { headers, tls, agent: ownAgent }, withinMs) {
    const { method, body, timeoutMs } = request;
    const agent = ownAgent ?? agentFor(url, request);
    const payload = body === undefined ? undefined : JSON.stringify(body.value);
    return new Promise((resolve, reject) => {
        const open = url.protocol === 'http:' ? node_http__WEBPACK_IMPORTED_MODULE_0__.request : node_https__WEBPACK_IMPORTED_MODULE_1__.request;
        const sent = open(url, {
            method,
            ...(agent instanceof node_https__WEBPACK_IMPORTED_MODULE_1__.Agent ? {} : _connection_js__WEBPACK_IMPORTED_MODULE_4__/* .verification */ .Ot),
            ...tls,
            agent,
            headers: {
                accept: 'application/json',
                'user-agent': userAgent,
                ...headers,
                ...(payload === undefined
                    ? {}
                    : { 'content-type': body?.type ?? 'application/json', 'content-length': String(Buffer.byteLength(payload)) }),
            },
        });
        const timer = setTimeout(() => sent.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)), withinMs);
        const fail = (error) => {
            clearTimeout(timer);
            reject(sent.reusedSocket && isClosed(error) ? new StaleConnectionError(error) : error);
        };
        sent.on('error', fail);
        sent.on('response', (response) => {
            const chunks = [];
            let receivedBytes = 0;
            response.on('data', (chunk) => {
                receivedBytes += chunk.length;
                if (receivedBytes > maxAnswerBytes)
                    sent.destroy(new Error('the answer is larger than 64 MiB'));
                chunks.push(chunk);
            });
            response.on('error', fail);
            response.on('end', () => {
                clearTimeout(timer);
                const text = Buffer.concat(chunks).toString('utf8');
                resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
            });
        });
        sent.end(payload);
    });
}


/***/ }),

/***/ 23060:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   CM: () => (/* binding */ bearer),
/* harmony export */   Ot: () => (/* binding */ verification),
/* harmony export */   Vo: () => (/* binding */ checkPlainHttp),
/* harmony export */   YN: () => (/* binding */ credentialsOf),
/* harmony export */   yV: () => (/* binding */ identityOfAddress)
/* harmony export */ });
/* harmony import */ var node_net__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(77030);
/* harmony import */ var node_net__WEBPACK_IMPORTED_MODULE_0___default = /*#__PURE__*/__webpack_require__.n(node_net__WEBPACK_IMPORTED_MODULE_0__);
/* harmony import */ var node_tls__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(41692);
/* harmony import */ var node_tls__WEBPACK_IMPORTED_MODULE_1___default = /*#__PURE__*/__webpack_require__.n(node_tls__WEBPACK_IMPORTED_MODULE_1__);
/* harmony import */ var _common_errors_js__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(71922);
/* harmony import */ var _common_loopback_js__WEBPACK_IMPORTED_MODULE_4__ = __webpack_require__(68136);
/* harmony import */ var _common_timeouts_js__WEBPACK_IMPORTED_MODULE_3__ = __webpack_require__(79005);





/** Exec plugins are ended after a minute, with a better error. */
const maxWaitMs = 65_000;
/**
 * The credentials for one request. The wait is limited to `withinMs`, because the source may not answer at all.
 * @throws ConfigurationError
 */
async function credentialsOf(connection, withinMs = maxWaitMs) {
    const credentials = await (0,_common_timeouts_js__WEBPACK_IMPORTED_MODULE_3__/* .orTimeout */ .TO)(connection.credentials(), withinMs);
    if (credentials !== _common_timeouts_js__WEBPACK_IMPORTED_MODULE_3__/* .timedOut */ .iU) {
        if (credentials.headers['Authorization'] !== undefined)
            checkPlainHttp(connection, credentials.proxy);
        return credentials;
    }
    throw new _common_errors_js__WEBPACK_IMPORTED_MODULE_2__/* .ConfigurationError */ .j1({
        code: 'E_CREDENTIALS_TIMEOUT',
        input: connection.input,
        problem: `no credentials for ${connection.description} within ${withinMs / 1000} s`,
        fix: 'Their source (an exec plugin, GitHub or the cloud provider) does not answer; the next request asks again.',
    });
}
/**
 * Plain HTTP shows the credentials to every machine on the way. To this machine itself there is none (`kubectl proxy`), but a proxy is one.
 * @throws ConfigurationError
 */
function checkPlainHttp({ server, input }, proxy) {
    const url = new URL(server);
    if (url.protocol !== 'http:' || ((0,_common_loopback_js__WEBPACK_IMPORTED_MODULE_4__/* .isLoopback */ .U)(url) && proxy === undefined))
        return;
    const way = (0,_common_loopback_js__WEBPACK_IMPORTED_MODULE_4__/* .isLoopback */ .U)(url) && proxy !== undefined ? ` through the proxy ${proxy.name}` : '';
    throw new _common_errors_js__WEBPACK_IMPORTED_MODULE_2__/* .ConfigurationError */ .j1({
        code: 'E_API_PLAIN_HTTP',
        input,
        problem: `the server http://${url.host} is plain HTTP${way}, so its credentials would be sent without encryption`,
        fix: way === ''
            ? 'Use the https address of the API server. Credentials are sent over plain HTTP to a loopback address only.'
            : 'Add the address to NO_PROXY.',
    });
}
/**
 * The header of a bearer token, without a line end before or after it.
 * @throws ConfigurationError where a header cannot contain it
 */
function bearer(token, { input, subject }) {
    const text = token.trim();
    if (/^[\x21-\x7e]+$/.test(text))
        return `Bearer ${text}`;
    const code = 'E_TOKEN_INVALID';
    throw new _common_errors_js__WEBPACK_IMPORTED_MODULE_2__/* .ConfigurationError */ .j1(text === ''
        ? {
            ...{ code, input, problem: `${subject} is empty` },
            fix: 'Check that the secret is set, and that this workflow may read it.',
        }
        : {
            ...{ code, input, problem: `${subject} contains a line break, a space or a character that no token has` },
            fix: 'Check whether it was copied or stored together with other text.',
        });
}
/**
 * How a server's certificate is checked, as in Go (crypto/x509, Certificate.Verify and VerifyHostname), so that the action and kubectl trust the
 * same servers: a trusted certificate need not be a root (an intermediate authority, the server's own certificate), and the common name counts for
 * nothing.
 */
const verification = {
    allowPartialTrustChain: true,
    checkServerIdentity: (host, certificate) => (0,node_tls__WEBPACK_IMPORTED_MODULE_1__.checkServerIdentity)(host, { ...certificate, subject: { ...certificate.subject, CN: '' } }),
};
/** https-proxy-agent does not pass the host of a server that is named by its address to the TLS layer, so the certificate is compared here. */
function identityOfAddress(server) {
    const host = new URL(server).hostname.replace(/^\[|\]$/g, '');
    return (0,node_net__WEBPACK_IMPORTED_MODULE_0__.isIP)(host) ? { checkServerIdentity: (_host, certificate) => (0,node_tls__WEBPACK_IMPORTED_MODULE_1__.checkServerIdentity)(host, certificate) } : {};
}


/***/ }),

/***/ 41875:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   w: () => (/* binding */ denied)
/* harmony export */ });
/* harmony import */ var _common_errors_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(71922);
/* harmony import */ var _common_remote_text_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(14551);


/** The missing right for an answer of 403; any other error unchanged. */
function denied(error, verb, resource, namespace) {
    if (error.status !== 403)
        return error;
    return new _common_errors_js__WEBPACK_IMPORTED_MODULE_0__/* .ConfigurationError */ .j1({
        code: 'E_PERMISSION_MISSING',
        input: error.input,
        problem: `its user may not ${verb} ${resource} in the namespace ${JSON.stringify(namespace)} (${(0,_common_remote_text_js__WEBPACK_IMPORTED_MODULE_1__/* .toOneLine */ .GX)(error.message)})`,
        fix: `Grant the verb "${verb}" on "${resource}" with a Role.`,
        docs: 'docs/rbac/developer.yaml',
    });
}


/***/ }),

/***/ 32772:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   L: () => (/* binding */ listObjects),
/* harmony export */   n: () => (/* binding */ selectorText)
/* harmony export */ });
/* harmony import */ var _answer_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(86794);
/* harmony import */ var _api_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(83074);


const pageItemCount = 500;
/** 10,000 objects: no workload that a capture is about has more pods or ReplicaSets. */
const maxPageCount = 20;
/** The objects of a collection, page by page. @throws ApiError, ConfigurationError where the answer is not that of an API server */
async function listObjects(connection, query) {
    const { path, labelSelector, what } = query;
    const found = [];
    let token = '';
    for (let page = 0; page < maxPageCount; page += 1) {
        const parameters = new URLSearchParams({
            limit: String(pageItemCount),
            ...(labelSelector === '' ? {} : { labelSelector }),
            ...(token === '' ? {} : { continue: token }),
        });
        const answer = await (0,_api_js__WEBPACK_IMPORTED_MODULE_1__/* .call */ .T1)(connection, 'GET', `${path}?${parameters.toString()}`);
        const { items = [], metadata } = (0,_answer_js__WEBPACK_IMPORTED_MODULE_0__/* .objectOf */ .Xy)(connection, answer, what);
        if (!Array.isArray(items))
            throw (0,_answer_js__WEBPACK_IMPORTED_MODULE_0__/* .unexpectedAnswer */ .au)(connection, what, 'a list without items');
        for (const item of items)
            found.push(item);
        if (found.length > pageItemCount * maxPageCount)
            throw (0,_answer_js__WEBPACK_IMPORTED_MODULE_0__/* .unexpectedAnswer */ .au)(connection, what, 'more objects than were requested');
        token = metadata?.continue ?? '';
        if (token === '')
            break;
    }
    return found;
}
/** A selector of an object's spec as the parameter `labelSelector` of a list. */
function selectorText(selector) {
    const parts = Object.entries(selector?.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`);
    for (const { key, operator, values = [] } of selector?.matchExpressions ?? []) {
        if (operator === 'Exists')
            parts.push(key);
        else if (operator === 'DoesNotExist')
            parts.push(`!${key}`);
        else
            parts.push(`${key} ${operator === 'In' ? 'in' : 'notin'} (${values.join(',')})`);
    }
    return parts.join(',');
}


/***/ }),

/***/ 81585:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   Oo: () => (/* binding */ controllerOf),
/* harmony export */   a5: () => (/* binding */ portsOf),
/* harmony export */   sO: () => (/* binding */ addressesOf)
/* harmony export */ });
/** The addresses of a pod, of both families, from its `status`; empty while it has none. */
function addressesOf({ status }) {
    const single = status?.podIP === undefined ? [] : [{ ip: status.podIP }];
    return (status?.podIPs ?? single).flatMap(({ ip }) => (ip === undefined ? [] : [ip]));
}
/** The ports that its containers declare, each once; a port of a container need not be declared. At most 20. */
function portsOf({ spec }) {
    const containers = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])];
    const ports = containers.flatMap(({ ports: declared = [] }) => declared.map(({ containerPort }) => containerPort));
    return [...new Set(ports.filter((port) => typeof port === 'number'))].slice(0, 20);
}
/** The owner that manages an object: of a pod its ReplicaSet, of a ReplicaSet its Deployment. */
function controllerOf({ metadata, }) {
    return metadata?.ownerReferences?.find(({ controller }) => controller === true);
}


/***/ }),

/***/ 12597:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {


// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  oA: () => (/* binding */ listReplicaSets),
  o7: () => (/* binding */ missingRights),
  Vz: () => (/* binding */ nodePodRights),
  U9: () => (/* binding */ nodeRightProblem),
  Iy: () => (/* binding */ resourceName),
  xQ: () => (/* binding */ rightsFor),
  LD: () => (/* binding */ rightsProblem),
  Wc: () => (/* binding */ whoAmI)
});

// EXTERNAL MODULE: ./src/common/errors.ts
var errors = __webpack_require__(71922);
// EXTERNAL MODULE: ./src/common/remote-text.ts
var remote_text = __webpack_require__(14551);
// EXTERNAL MODULE: ./src/cluster/answer.ts
var cluster_answer = __webpack_require__(86794);
// EXTERNAL MODULE: ./src/cluster/api.ts
var api = __webpack_require__(83074);
// EXTERNAL MODULE: ./src/cluster/api-errors.ts
var api_errors = __webpack_require__(86684);
// EXTERNAL MODULE: external "node:crypto"
var external_node_crypto_ = __webpack_require__(77598);
;// CONCATENATED MODULE: ./src/cluster/grant-command.ts


/**
 * A shell command that an admin can paste: a Role with exactly these rights in the namespace, and its RoleBinding to the identity. Without a
 * namespace, for cluster-scoped resources such as nodes: a ClusterRole and its binding. Its lines must not be indented: the here-document
 * ends at a line that is `EOF` alone. `identity`: the user name that the API server reports.
 */
function grantCommand(namespace, identity, grants) {
    // The name depends on the content: `kubectl apply` replaces the rules of an existing Role of the same name.
    const digest = (0,external_node_crypto_.createHash)('sha256')
        .update(JSON.stringify([identity, grants]))
        .digest('hex')
        .slice(0, 8);
    const name = `packet-capture-missing-${digest}`;
    const api = 'rbac.authorization.k8s.io';
    const [scope, kind] = namespace === undefined ? ['', 'ClusterRole'] : [`-n ${namespace} `, 'Role'];
    return [
        `kubectl ${scope}apply -f - <<'EOF'`,
        `apiVersion: ${api}/v1`,
        `kind: ${kind}`,
        `metadata: { name: ${name} }`,
        'rules:',
        ...grants.map(({ verb, group, resource }) => `  - { apiGroups: [${scalar(group)}], resources: [${scalar(resource)}], verbs: [${scalar(verb)}] }`),
        '---',
        `apiVersion: ${api}/v1`,
        `kind: ${kind}Binding`,
        `metadata: { name: ${name} }`,
        `roleRef: { apiGroup: ${api}, kind: ${kind}, name: ${name} }`,
        'subjects:',
        `  - ${subjectOf(identity)}`,
        'EOF',
    ].join('\n');
}
/** RBAC calls every identity a User, also one of a cloud provider or an OIDC issuer, except for the cluster's service accounts. */
function subjectOf(identity) {
    const [, namespace, name] = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(identity) ?? [];
    if (namespace !== undefined && name !== undefined) {
        return `{ kind: ServiceAccount, name: ${scalar(name)}, namespace: ${scalar(namespace)} }`;
    }
    return `{ kind: User, name: ${scalar(identity)}, apiGroup: rbac.authorization.k8s.io }`;
}
/** A YAML string, which may be a JSON string. Characters that the log replaces are escaped. */
function scalar(text) {
    return JSON.stringify(text).replace(remote_text/* controlCharacters */.Qi, (characters) => Array.from({ length: characters.length }, (_, i) => unicodeEscape(characters.charCodeAt(i))).join(''));
}
function unicodeEscape(unit) {
    return `\\u${unit.toString(16).padStart(4, '0')}`;
}

;// CONCATENATED MODULE: ./src/cluster/rights.ts






const getPods = { verb: 'get', group: '', resource: 'pods' };
const listPods = { verb: 'list', group: '', resource: 'pods' };
/** WebSocket exec is `get` up to Kubernetes 1.34 and also `create` from 1.35 (kubernetes#134577). */
const execRights = [
    { verb: 'get', group: '', resource: 'pods', subresource: 'exec' },
    { verb: 'create', group: '', resource: 'pods', subresource: 'exec' },
];
/**
 * The rights that a run needs in the namespace of its target; docs/rbac/developer.yaml and docs/rbac/platform.yaml grant exactly these and
 * `listReplicaSets`. A pod that is named needs no right to list pods: without it the error about a wrong name lacks the similar names.
 */
function rightsFor(target, level) {
    const capture = level === 'pod'
        ? [{ verb: 'patch', group: '', resource: 'pods', subresource: 'ephemeralcontainers' }, ...execRights]
        : [];
    return [getPods, ...capture, ...findRights[target]];
}
/** What finding the pods of a target takes beside `get pods`. */
const findRights = {
    pod: [],
    deployment: [listPods, { verb: 'get', group: 'apps', resource: 'deployments' }],
};
/** Optional: without it, the newest revision of a deployment is found by labels and ages. */
const listReplicaSets = { verb: 'list', group: 'apps', resource: 'replicasets' };
/** The rights that a node pod needs in its namespace; `create pods` is for the dry run that asks admission. */
const nodePodRights = [
    getPods,
    listPods,
    { verb: 'create', group: '', resource: 'pods' },
    ...execRights,
    { verb: 'create', group: 'batch', resource: 'jobs' },
    { verb: 'get', group: 'batch', resource: 'jobs' },
    { verb: 'delete', group: 'batch', resource: 'jobs' },
];
/**
 * The rights that the API server denies, by one SelfSubjectAccessReview each, which every user may create.
 * @throws ConfigurationError where the answer is not that of an API server; ApiError
 */
async function missingRights(connection, namespace, rights) {
    const what = `the permissions in the namespace ${JSON.stringify(namespace)}`;
    const reviews = await Promise.all(rights.map(async (right) => {
        const value = {
            apiVersion: 'authorization.k8s.io/v1',
            kind: 'SelfSubjectAccessReview',
            spec: { resourceAttributes: { namespace, ...right } },
        };
        const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
        const answer = await (0,api/* call */.T1)(connection, 'POST', path, { body: { type: 'application/json', value } });
        const { status } = (0,cluster_answer/* objectOf */.Xy)(connection, answer, what);
        // An answer without a decision does not mean that the right is missing.
        if (typeof status?.allowed !== 'boolean')
            throw (0,cluster_answer/* unexpectedAnswer */.au)(connection, what, 'an object without a decision');
        return { right, allowed: status.allowed };
    }));
    return reviews.filter(({ allowed }) => !allowed).map(({ right }) => right);
}
/** Names every missing right, and the command that grants exactly these. */
function rightsProblem({ input }, { identity, namespace, missing, rbacFile }) {
    const grants = missing.map((right) => ({ verb: right.verb, group: right.group, resource: resourceName(right) }));
    return {
        code: 'E_PERMISSION_MISSING',
        input,
        problem: `${userName(identity)} lacks permissions in the namespace ${JSON.stringify(namespace)}`,
        details: grants.map(({ verb, resource }) => `${verb} ${resource}`),
        fix: canRun(identity),
        command: grantCommand(namespace, identity ?? 'USER', grants),
        docs: rbacFile,
    };
}
/** The same for the right to get nodes, which are cluster-scoped. */
function nodeRightProblem({ input }, { identity, message, rbacFile }) {
    const grants = [{ verb: 'get', group: '', resource: 'nodes' }];
    return {
        code: 'E_PERMISSION_MISSING',
        input,
        problem: `${userName(identity)} may not get nodes (${(0,remote_text/* toOneLine */.GX)(message)})`,
        fix: `The ClusterRole packet-capture-nodes and its ClusterRoleBinding grant it. ${canRun(identity)}`,
        command: grantCommand(undefined, identity ?? 'USER', grants),
        docs: rbacFile,
    };
}
function userName(identity) {
    return identity === undefined ? 'its user' : `its user ${JSON.stringify(identity)}`;
}
/** Before Kubernetes 1.28 an API server does not report the user name. */
function canRun(identity) {
    return identity === undefined ? 'An admin can run, with the name of the user in place of USER:' : 'An admin can run:';
}
/**
 * Who the API server takes the credentials for.
 * @throws ConfigurationError where it rejects the credentials, treats the request as anonymous, or is not an API server
 */
async function whoAmI(connection) {
    const value = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
    try {
        const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
        const answer = await (0,api/* call */.T1)(connection, 'POST', path, { body: { type: 'application/json', value } });
        const { status } = (0,cluster_answer/* objectOf */.Xy)(connection, answer, 'the identity of the credentials');
        const username = status?.userInfo?.username;
        // The user name of a request without credentials, or with some that no authenticator of the server reads.
        if (username === 'system:anonymous')
            throw new errors/* ConfigurationError */.j1((0,api_errors/* credentialsRejected */.JD)(connection, '(system:anonymous)'));
        return {
            user: typeof username === 'string' && username !== '' ? username : undefined,
            clockAheadMs: answer.serverTime === undefined ? undefined : answer.serverTime - Date.now(),
        };
    }
    catch (error) {
        if (!(error instanceof api/* ApiError */.hD))
            throw error;
        return { user: undefined, clockAheadMs: undefined };
    }
}
/** `pods/exec`, as a Role names it. */
function resourceName(right) {
    return right.subresource === undefined ? right.resource : `${right.resource}/${right.subresource}`;
}


/***/ }),

/***/ 34357:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   u: () => (/* binding */ cacheCredential)
/* harmony export */ });
/** Time before its expiry at which a value is renewed: server clocks differ, and a request takes time. */
function renewalMarginMs(lifetimeMs) {
    return Math.min(60_000, lifetimeMs / 4);
}
/** How long a value that is still valid is used after its renewal failed, before the next attempt. */
const retryAfterMs = 5_000;
/** A new value would not be accepted either, and the source must not be asked for each request. */
const minAgeToInvalidateMs = 5_000;
/**
 * Caches what `fetchValue` returns until shortly before it expires: a value of 5 minutes for 4, one of an hour for 59 minutes, one of 20 s
 * for 15 s. (google-auth-library renews 5 minutes before the expiry, which is the whole lifetime of a federated token.) Concurrent callers
 * share one fetch. While a renewal fails, a value that has not expired stays in use.
 */
function cacheCredential(fetchValue, now = () => Date.now()) {
    let cached;
    let pending;
    const renew = async () => {
        const fetchedAtMs = now();
        try {
            const { value, expiresAtMs } = await fetchValue();
            const marginMs = expiresAtMs === Infinity ? 0 : renewalMarginMs(expiresAtMs - fetchedAtMs);
            cached = { value, expiresAtMs, fetchedAtMs, renewAtMs: expiresAtMs - marginMs };
        }
        catch (error) {
            if (!cached || now() >= cached.expiresAtMs)
                throw error;
            cached.renewAtMs = now() + retryAfterMs;
        }
        return cached.value;
    };
    return {
        get: () => {
            if (cached && now() < Math.min(cached.renewAtMs, cached.expiresAtMs))
                return Promise.resolve(cached.value);
            pending ??= renew().finally(() => (pending = undefined));
            return pending;
        },
        invalidate: (value) => {
            if (cached?.value === value && now() - cached.fetchedAtMs >= minAgeToInvalidateMs)
                cached = undefined;
        },
    };
}


/***/ }),

/***/ 25523:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   Q: () => (/* binding */ childEnvironment),
/* harmony export */   c: () => (/* binding */ isWithheldVariable)
/* harmony export */ });
/* harmony import */ var _proxy_environment_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(7837);

/**
 * The environment of a program that this action starts: without the inputs of the step (kubeconfig, token) and without the tokens of the job
 * (ACTIONS_RUNTIME_TOKEN, ACTIONS_ID_TOKEN_REQUEST_TOKEN) and the files of its commands (GITHUB_OUTPUT, GITHUB_ENV), except for the variables that the user allows. A plugin of a kubeconfig is code of
 * the author of the kubeconfig. This prevents leaks by accident: a program of the same user can read the environment of its parent in /proc.
 */
function childEnvironment(env, allowed = []) {
    const variables = Object.entries((0,_proxy_environment_js__WEBPACK_IMPORTED_MODULE_0__/* .proxyEnvironment */ .w)(env));
    return Object.fromEntries(variables.filter(([name]) => !isWithheldVariable(name) || allowed.includes(name)));
}
/** Whether a program lacks the variable of this name where it is not allowed. Names are compared without their case, as on Windows. */
function isWithheldVariable(name) {
    return /^((INPUT|ACTIONS|STATE)_|GITHUB_(ENV|PATH|OUTPUT|STATE|STEP_SUMMARY)$)/i.test(name);
}


/***/ }),

/***/ 23283:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   Qq: () => (/* binding */ isClusterName),
/* harmony export */   YS: () => (/* binding */ isProject),
/* harmony export */   gI: () => (/* binding */ isLocation),
/* harmony export */   gS: () => (/* binding */ parseFullClusterName)
/* harmony export */ });
/**
 * Google's grammar of project ids (with the domain of older ones, `example.com:shop`), project numbers, locations and clusters. The smallest length
 * of an id is not checked, because the first ids were shorter. They become segments of URLs and parts of commands, so there is no other character.
 */
const label = '[a-z](?:[a-z0-9-]*[a-z0-9])?';
const domain = '[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+';
const projectForm = new RegExp(`^(?:(?:${domain}:)?${label}|[0-9]{1,19})$`);
const labelForm = new RegExp(`^${label}$`);
const maxProjectLength = 100;
const maxNameLength = 63;
function isProject(text) {
    return text.length <= maxProjectLength && projectForm.test(text);
}
/** A region or a zone. */
function isLocation(text) {
    return text.length <= maxNameLength && labelForm.test(text);
}
function isClusterName(text) {
    return text.length <= maxNameLength && labelForm.test(text);
}
/**
 * The parts of `projects/PROJECT/locations/LOCATION/clusters/\u2026`, also as a link, as the console and the API show it; undefined where the text is
 * not a full name.
 */
function parseFullClusterName(text) {
    const [, project, location, name] = /^(?:(?:https?:)?\/\/container\.[^/\s]+\/(?:v1\/)?)?projects\/([^/]+)\/(?:locations|zones|regions)\/([^/]+)\/clusters\/([^/]+)$/.exec(text) ?? [];
    if (project === undefined || location === undefined || name === undefined)
        return undefined;
    return isProject(project) && isLocation(location) && isClusterName(name) ? { project, location, name } : undefined;
}


/***/ }),

/***/ 16187:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   g: () => (/* binding */ decodeText)
/* harmony export */ });
/** UTF-8, or UTF-16 with a byte order mark, as PowerShell writes it. */
function decodeText(bytes) {
    const mark = bytes.subarray(0, 2).toString('hex');
    const encoding = mark === 'fffe' ? 'utf-16le' : mark === 'feff' ? 'utf-16be' : 'utf-8';
    try {
        return { text: new TextDecoder(encoding, { fatal: true }).decode(bytes) };
    }
    catch {
        return { problem: `it is not a text in ${encoding.toUpperCase()}` };
    }
}


/***/ }),

/***/ 25503:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   S: () => (/* binding */ freeBuffers)
/* harmony export */ });
/* harmony import */ var node_v8__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(78877);
/* harmony import */ var node_v8__WEBPACK_IMPORTED_MODULE_0___default = /*#__PURE__*/__webpack_require__.n(node_v8__WEBPACK_IMPORTED_MODULE_0__);
/* harmony import */ var node_vm__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(30714);
/* harmony import */ var node_vm__WEBPACK_IMPORTED_MODULE_1___default = /*#__PURE__*/__webpack_require__.n(node_vm__WEBPACK_IMPORTED_MODULE_1__);


let collect;
/**
 * Frees the memory of buffers that are no longer used. V8 counts the bytes of a buffer outside its heap, and starts a collection only after tens
 * of MB of unused ones: at 100 MB/s they, not the buffers in use, decide the memory of the process (bench/stream.ts, test/e2e/memory.test.ts).
 * A minor collection takes about 1 ms.
 */
function freeBuffers(type) {
    if (!collect) {
        (0,node_v8__WEBPACK_IMPORTED_MODULE_0__.setFlagsFromString)('--expose-gc');
        collect = (0,node_vm__WEBPACK_IMPORTED_MODULE_1__.runInNewContext)('gc');
    }
    collect({ type });
}


/***/ }),

/***/ 52424:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   I: () => (/* binding */ cacheJwt),
/* harmony export */   a: () => (/* binding */ parseJwtClaims)
/* harmony export */ });
/* harmony import */ var _cached_credential_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(34357);

/**
 * The claims of a JSON Web Token (RFC 7519); empty where the text is not a JWT. The signature is not checked: the claims are for messages
 * and for the lifetime of a cache, the server that receives the token verifies it.
 */
function parseJwtClaims(token) {
    try {
        const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
        return typeof claims === 'object' && claims !== null ? claims : {};
    }
    catch {
        return {};
    }
}
/**
 * Caches a JWT for its lifetime, which is counted from the time of the fetch: the clocks of the runner and the issuer differ. A token that
 * does not say when it expires is fetched each time. (GitHub's ID token is valid for 5 minutes; a capture takes up to hours.)
 */
function cacheJwt(fetchToken, now = () => Date.now()) {
    return (0,_cached_credential_js__WEBPACK_IMPORTED_MODULE_0__/* .cacheCredential */ .u)(async () => {
        const fetchedAtMs = now();
        const value = await fetchToken();
        const { exp, iat = fetchedAtMs / 1000 } = parseJwtClaims(value);
        const lifetimeMs = typeof exp === 'number' && typeof iat === 'number' ? (exp - iat) * 1000 : 0;
        return { value, expiresAtMs: fetchedAtMs + lifetimeMs };
    }, now);
}


/***/ }),

/***/ 14684:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   P: () => (/* binding */ isNamespaceName),
/* harmony export */   V: () => (/* binding */ isObjectName)
/* harmony export */ });
/** DNS subdomain and label, RFC 1123 as Kubernetes reads it (apimachinery, pkg/util/validation). */
const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const label = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
/** Whether Kubernetes accepts the text as the name of a namespace; it becomes a part of URLs and of commands. */
function isNamespaceName(text) {
    return label.test(text) && text.length <= 63;
}
/** Whether Kubernetes accepts the text as the name of a pod, a node or a deployment. */
function isObjectName(text) {
    return subdomain.test(text) && text.length <= 253;
}


/***/ }),

/***/ 88179:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   E: () => (/* binding */ withProxyRules)
/* harmony export */ });
/* harmony import */ var node_crypto__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(77598);
/* harmony import */ var node_crypto__WEBPACK_IMPORTED_MODULE_0___default = /*#__PURE__*/__webpack_require__.n(node_crypto__WEBPACK_IMPORTED_MODULE_0__);
/* harmony import */ var node_http__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(37067);
/* harmony import */ var node_http__WEBPACK_IMPORTED_MODULE_1___default = /*#__PURE__*/__webpack_require__.n(node_http__WEBPACK_IMPORTED_MODULE_1__);
/* harmony import */ var node_https__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(44708);
/* harmony import */ var node_https__WEBPACK_IMPORTED_MODULE_2___default = /*#__PURE__*/__webpack_require__.n(node_https__WEBPACK_IMPORTED_MODULE_2__);
/* harmony import */ var node_net__WEBPACK_IMPORTED_MODULE_3__ = __webpack_require__(77030);
/* harmony import */ var node_net__WEBPACK_IMPORTED_MODULE_3___default = /*#__PURE__*/__webpack_require__.n(node_net__WEBPACK_IMPORTED_MODULE_3__);
/* harmony import */ var _proxy_environment_js__WEBPACK_IMPORTED_MODULE_6__ = __webpack_require__(7837);
/* harmony import */ var _proxy_js__WEBPACK_IMPORTED_MODULE_4__ = __webpack_require__(51709);
/* harmony import */ var _proxy_rules_js__WEBPACK_IMPORTED_MODULE_5__ = __webpack_require__(78355);







const variables = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy'];
const otherVariables = ['ALL_PROXY', 'all_proxy', 'NO_PROXY', 'no_proxy'];
const connectTimeoutMs = 30_000;
/**
 * Runs `work`, whose libraries (@actions/http-client, Azure's client of the blob store) read the proxy from the environment by rules of their own
 * and know no SOCKS. While it runs, the environment names an HTTP proxy on loopback, which sends each connection on by the rules of Go. Without a
 * proxy in the environment, `work` runs as it is.
 * @throws what `work` throws
 */
async function withProxyRules(work) {
    if (![...variables, ...otherVariables].some((name) => process.env[name]))
        return work();
    userCount += 1;
    opening ??= openRelay();
    try {
        await opening;
        return await work();
    }
    finally {
        userCount -= 1;
        if (userCount === 0) {
            const restore = opening;
            opening = undefined;
            await restore.then((close) => close());
        }
    }
}
/** Calls that overlap share one relay, because there is one environment. */
let userCount = 0;
let opening;
/** Starts the relay and puts it into the environment; the result undoes both. */
async function openRelay() {
    const saved = Object.fromEntries([...variables, ...otherVariables].map((name) => [name, process.env[name]]));
    const relay = new ProxyRelay({ ...process.env });
    const address = await relay.listen();
    (0,_proxy_environment_js__WEBPACK_IMPORTED_MODULE_6__/* .setReplacedVariables */ .g)(saved);
    for (const name of variables)
        process.env[name] = address;
    for (const name of otherVariables)
        Reflect.deleteProperty(process.env, name);
    return () => {
        for (const [name, value] of Object.entries(saved)) {
            if (value === undefined)
                Reflect.deleteProperty(process.env, name);
            else
                process.env[name] = value;
        }
        (0,_proxy_environment_js__WEBPACK_IMPORTED_MODULE_6__/* .setReplacedVariables */ .g)(undefined);
        relay.close();
    };
}
/** An HTTP proxy on loopback. Its address has a password, so that another user of the machine cannot use it. */
class ProxyRelay {
    #env;
    #password = (0,node_crypto__WEBPACK_IMPORTED_MODULE_0__.randomBytes)(16).toString('hex');
    #sockets = new Set();
    #server;
    constructor(env) {
        this.#env = env;
        this.#server = (0,node_http__WEBPACK_IMPORTED_MODULE_1__.createServer)((request, response) => void this.#forward(request, response));
        this.#server.on('connect', (request, socket, head) => {
            void this.#tunnel(request, socket, head);
        });
        this.#server.on('connection', (socket) => this.#keep(socket));
    }
    async listen() {
        await new Promise((resolve, reject) => {
            this.#server.once('error', reject).listen(0, '127.0.0.1', resolve);
        });
        this.#server.unref();
        return `http://relay:${this.#password}@127.0.0.1:${String(this.#server.address().port)}`;
    }
    close() {
        this.#server.close();
        for (const socket of this.#sockets)
            socket.destroy();
    }
    #keep(socket) {
        this.#sockets.add(socket);
        socket.on('close', () => this.#sockets.delete(socket));
        socket.on('error', () => socket.destroy());
    }
    #isAllowed({ headers }) {
        const expected = Buffer.from(`relay:${this.#password}`).toString('base64');
        return headers['proxy-authorization']?.replace(/^basic /i, '') === expected;
    }
    /** CONNECT host:port */
    async #tunnel(request, socket, head) {
        const refuse = (status) => void socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\n\r\n`);
        if (!this.#isAllowed(request))
            return refuse('407 Proxy Authentication Required');
        try {
            const target = new URL(`https://${request.url ?? ''}`);
            const onward = await openOnward(target, this.#choice(target));
            this.#keep(onward);
            socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
            onward.write(head);
            onward.pipe(socket).pipe(onward);
            socket.on('close', () => onward.destroy());
            onward.on('close', () => socket.destroy());
        }
        catch (error) {
            refuse(`502 ${oneLine(error)}`);
        }
    }
    /** A request with a whole URL: the form for a server without TLS. */
    async #forward(request, response) {
        if (!this.#isAllowed(request))
            return void response.writeHead(407).end();
        try {
            const target = new URL(request.url ?? '');
            const choice = this.#choice(target);
            const headers = { ...request.headers };
            delete headers['proxy-authorization'];
            delete headers['proxy-connection'];
            const agent = choice ? await (0,_proxy_js__WEBPACK_IMPORTED_MODULE_4__/* .proxyAgent */ .QT)(choice.address) : false;
            const onward = (0,node_http__WEBPACK_IMPORTED_MODULE_1__.request)(target, { method: request.method, headers, agent }, (answer) => {
                response.writeHead(answer.statusCode ?? 502, answer.headers);
                answer.pipe(response);
            });
            onward.on('error', (error) => response.destroy(error));
            request.pipe(onward);
        }
        catch (error) {
            response.writeHead(502, oneLine(error)).end();
        }
    }
    #choice(target) {
        const choice = (0,_proxy_rules_js__WEBPACK_IMPORTED_MODULE_5__/* .chooseProxy */ .U)(target, this.#env);
        if (choice) {
            const place = { input: choice.variable, subject: 'the value' };
            (0,_proxy_js__WEBPACK_IMPORTED_MODULE_4__/* .checkProxyAddress */ .bs)(choice.address, [..._proxy_js__WEBPACK_IMPORTED_MODULE_4__/* .proxyPorts */ .l_.keys()], place);
        }
        return choice;
    }
}
/** A connection to the target, through the proxy where there is one. */
async function openOnward(target, choice) {
    const host = target.hostname.replace(/^\[|\]$/g, '');
    const port = Number(target.port || 443);
    if (choice === undefined)
        return opened((0,node_net__WEBPACK_IMPORTED_MODULE_3__.connect)({ host, port }));
    const proxy = new URL(choice.address);
    const login = { name: decodeURIComponent(proxy.username), password: decodeURIComponent(proxy.password) };
    if ((0,_proxy_js__WEBPACK_IMPORTED_MODULE_4__/* .isSocks */ .oS)(choice.address)) {
        const { SocksClient } = await __webpack_require__.e(/* import() */ 474).then(__webpack_require__.t.bind(__webpack_require__, 42474, 23));
        const proxyHost = proxy.hostname.replace(/^\[|\]$/g, '');
        const { socket } = await SocksClient.createConnection({
            proxy: {
                ...{ host: proxyHost, port: Number(proxy.port || 1080), type: 5 },
                ...(login.name === '' ? {} : { userId: login.name, password: login.password }),
            },
            ...{ destination: { host, port }, command: 'connect', timeout: connectTimeoutMs },
        });
        return socket;
    }
    const authority = `${target.hostname}:${String(port)}`;
    const credentials = Buffer.from(`${login.name}:${login.password}`).toString('base64');
    const headers = { host: authority, ...(login.name === '' ? {} : { 'proxy-authorization': `Basic ${credentials}` }) };
    const open = proxy.protocol === 'https:' ? node_https__WEBPACK_IMPORTED_MODULE_2__.request : node_http__WEBPACK_IMPORTED_MODULE_1__.request;
    return new Promise((resolve, reject) => {
        const { hostname, port: proxyPort } = proxy;
        const request = open({
            ...{ host: hostname.replace(/^\[|\]$/g, ''), port: proxyPort || _proxy_js__WEBPACK_IMPORTED_MODULE_4__/* .proxyPorts */ .l_.get(proxy.protocol) },
            ...{ method: 'CONNECT', path: authority, headers, agent: false, timeout: connectTimeoutMs },
        });
        request.on('connect', ({ statusCode }, socket) => {
            if (statusCode === 200)
                return resolve(socket);
            socket.destroy();
            reject(new Error(`the proxy answered ${String(statusCode)}`));
        });
        request.on('response', ({ statusCode }) => reject(new Error(`the proxy answered ${String(statusCode)}`)));
        request.on('timeout', () => request.destroy(new Error('the proxy does not answer')));
        request.on('error', reject);
        request.end();
    });
}
function opened(socket) {
    return new Promise((resolve, reject) => {
        socket.setTimeout(connectTimeoutMs, () => socket.destroy(new Error('the server does not answer')));
        socket.once('connect', () => {
            socket.setTimeout(0);
            resolve(socket);
        });
        socket.once('error', reject);
    });
}
/** A cause for the status line of HTTP. */
function oneLine(error) {
    return (error instanceof Error ? error.message : String(error)).replace(/[^\x20-\x7e]+/g, ' ').slice(0, 200);
}


/***/ }),

/***/ 68136:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   U: () => (/* binding */ isLoopback)
/* harmony export */ });
/** Whether the host of a URL is this machine: its traffic passes no network. `localhost` is resolved to loopback only (RFC 6761, section 6.3). */
function isLoopback({ hostname }) {
    return /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/i.test(hostname);
}


/***/ }),

/***/ 7837:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   g: () => (/* binding */ setReplacedVariables),
/* harmony export */   w: () => (/* binding */ proxyEnvironment)
/* harmony export */ });
/** The variables of `process.env` that name another proxy while a library runs (library-proxy.ts), with their values from before. */
let replaced;
function setReplacedVariables(values) {
    replaced = values;
}
/**
 * The environment with the proxies of the user. What this action connects or starts while a library runs must not use the relay of that library, which
 * ends with it, and errors must not name it.
 */
function proxyEnvironment(env) {
    return env === process.env && replaced !== undefined ? { ...env, ...replaced } : env;
}


/***/ }),

/***/ 78355:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   U: () => (/* binding */ chooseProxy)
/* harmony export */ });
/* harmony import */ var node_net__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(77030);
/* harmony import */ var node_net__WEBPACK_IMPORTED_MODULE_0___default = /*#__PURE__*/__webpack_require__.n(node_net__WEBPACK_IMPORTED_MODULE_0__);
/* harmony import */ var node_url__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(73136);
/* harmony import */ var node_url__WEBPACK_IMPORTED_MODULE_1___default = /*#__PURE__*/__webpack_require__.n(node_url__WEBPACK_IMPORTED_MODULE_1__);
/* harmony import */ var _errors_js__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(71922);



/**
 * The proxy for a server, by the rules of Go's golang.org/x/net/http/httpproxy, which kubectl and most Kubernetes tools follow: HTTPS_PROXY for
 * https and wss, HTTP_PROXY for http and ws, upper case first, no ALL_PROXY; localhost and loopback addresses never go through a proxy; NO_PROXY
 * takes `*`, addresses, CIDR ranges, domains (with subdomains), `.domain` and `*.domain` (subdomains alone), each but a range with an optional port.
 * @returns undefined where the server is reached directly
 * @throws ConfigurationError for HTTP_PROXY in a CGI environment, where a client of the program sets it (golang.org/s/cgihttpproxy)
 */
function chooseProxy(server, env) {
    if (!/^(https?|wss?):$/.test(server.protocol))
        return undefined;
    const isSecure = server.protocol === 'https:' || server.protocol === 'wss:';
    const choice = isSecure ? firstSet(env, 'HTTPS_PROXY', 'https_proxy') : firstSet(env, 'HTTP_PROXY', 'http_proxy');
    if (choice === undefined)
        return undefined;
    if (!isSecure && env['REQUEST_METHOD'])
        throw setByClient(choice.variable);
    const host = server.hostname.replace(/^\[|\]$/g, '');
    const port = server.port || (isSecure ? '443' : '80');
    if (isBypassed(host, port, firstSet(env, 'NO_PROXY', 'no_proxy')?.value ?? ''))
        return undefined;
    return { variable: choice.variable, address: withScheme(choice.value) };
}
function firstSet(env, ...variables) {
    for (const variable of variables) {
        const value = env[variable];
        if (value)
            return { variable, value };
    }
    return undefined;
}
function setByClient(variable) {
    return new _errors_js__WEBPACK_IMPORTED_MODULE_2__/* .ConfigurationError */ .j1({
        code: 'E_PROXY_INVALID',
        input: variable,
        problem: 'is not used, because REQUEST_METHOD is set: in a CGI program the client of a request sets this variable',
        fix: 'Remove REQUEST_METHOD from the environment of this step.',
    });
}
function withScheme(address) {
    return /^[a-z][a-z0-9+.-]*:\/\//i.test(address) ? address : `http://${address}`;
}
function isBypassed(host, port, noProxy) {
    if (host === 'localhost' || isLoopback(host))
        return true;
    const entries = noProxy.split(',').map((entry) => entry.trim().toLowerCase());
    return entries.includes('*') || entries.some((entry) => entry !== '' && isMatch(entry, host, port));
}
function isMatch(entry, host, port) {
    const range = parseRange(entry);
    if (range)
        return contains(range, host);
    const { name, port: entryPort } = splitPort(entry);
    if (name === '' || (entryPort !== '' && entryPort !== port))
        return false;
    if ((0,node_net__WEBPACK_IMPORTED_MODULE_0__.isIP)(name))
        return contains(rangeOf(name, bitsOf(name)), host);
    if ((0,node_net__WEBPACK_IMPORTED_MODULE_0__.isIP)(host))
        return false; // an address has no domain
    const domain = name.startsWith('*.') ? name.slice(1) : name;
    const suffix = toAscii(domain.startsWith('.') ? domain : `.${domain}`);
    const matchesItself = !domain.startsWith('.');
    return host.endsWith(suffix) || (matchesItself && host === suffix.slice(1));
}
/** `10.0.0.0/8`, `fd00::/8`; undefined where the entry is no range. */
function parseRange(entry) {
    const [, address = '', bits = ''] = /^([^/]+)\/(\d{1,3})$/.exec(entry) ?? [];
    if (!(0,node_net__WEBPACK_IMPORTED_MODULE_0__.isIP)(address) || Number(bits) > bitsOf(address))
        return undefined;
    return rangeOf(address, Number(bits));
}
/** Go's net.SplitHostPort; where that fails the whole entry is the name. */
function splitPort(entry) {
    const bracketed = /^\[([^[\]]*)\]:([^:]*)$/.exec(entry);
    const plain = /^([^:[\]]*):([^:]*)$/.exec(entry);
    const [, name = entry, port = ''] = bracketed ?? plain ?? [];
    return { name, port };
}
function familyOf(address) {
    return (0,node_net__WEBPACK_IMPORTED_MODULE_0__.isIP)(address) === 6 ? 'ipv6' : 'ipv4';
}
function bitsOf(address) {
    return (0,node_net__WEBPACK_IMPORTED_MODULE_0__.isIP)(address) === 6 ? 128 : 32;
}
function rangeOf(address, bits) {
    const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(address)?.[1];
    if (mapped !== undefined && bits >= 96)
        return rangeOf(mapped, bits - 96);
    const list = new node_net__WEBPACK_IMPORTED_MODULE_0__.BlockList();
    list.addSubnet(address, bits, familyOf(address));
    return { family: familyOf(address), list };
}
function contains({ family, list }, host) {
    if ((0,node_net__WEBPACK_IMPORTED_MODULE_0__.isIP)(host) === 0)
        return false;
    // The list itself would match an IPv4 address with an IPv6 range.
    if (family === 'ipv6' && familyOf(host) === 'ipv4')
        return false;
    return list.check(host, familyOf(host));
}
function isLoopback(host) {
    const loopbackRanges = [rangeOf('127.0.0.0', 8), rangeOf('::1', 128)];
    return loopbackRanges.some((range) => contains(range, host));
}
function toAscii(domain) {
    return /^[\0-\x7f]*$/.test(domain) ? domain : `.${(0,node_url__WEBPACK_IMPORTED_MODULE_1__.domainToASCII)(domain.slice(1))}`;
}


/***/ }),

/***/ 51709:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   Cy: () => (/* binding */ environmentAgents),
/* harmony export */   Ol: () => (/* binding */ proxyOf),
/* harmony export */   QT: () => (/* binding */ proxyAgent),
/* harmony export */   Uw: () => (/* binding */ environmentProxy),
/* harmony export */   bs: () => (/* binding */ checkProxyAddress),
/* harmony export */   l_: () => (/* binding */ proxyPorts),
/* harmony export */   oS: () => (/* binding */ isSocks)
/* harmony export */ });
/* harmony import */ var _errors_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(71922);
/* harmony import */ var _proxy_environment_js__WEBPACK_IMPORTED_MODULE_4__ = __webpack_require__(7837);
/* harmony import */ var _proxy_rules_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(78355);
/* harmony import */ var _system_authorities_js__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(88936);
/* harmony import */ var _url_text_js__WEBPACK_IMPORTED_MODULE_3__ = __webpack_require__(27382);





/** The schemes of a proxy's address that Go knows, with the ports that they stand for. */
const proxyPorts = new Map([
    ['http:', 80],
    ['https:', 443],
    ['socks5:', 1080],
    ['socks5h:', 1080],
]);
const schemes = [...proxyPorts.keys()];
/** For the address of a proxy whatever the server is. */
const noExceptions = { NO_PROXY: '', no_proxy: '', REQUEST_METHOD: '' };
/**
 * The proxy of the environment for a server, by the rules of Go; undefined where the server is reached directly.
 * @throws ConfigurationError where the value is not an address
 */
async function environmentProxy(server, env = process.env) {
    const choice = checkedChoice(server, env);
    if (!choice)
        return undefined;
    const { variable, address } = choice;
    const name = `${variable} (${(0,_url_text_js__WEBPACK_IMPORTED_MODULE_3__/* .hostForMessage */ .z)(address)})`;
    return { name, isFromEnvironment: true, agent: await proxyAgent(address) };
}
/** The agents of `environmentProxy` for several servers, without a promise for each; undefined where there is no proxy. */
async function environmentAgents() {
    const libraries = await Promise.all(['https://server.example', 'http://server.example'].map(async (server) => {
        const choice = (0,_proxy_rules_js__WEBPACK_IMPORTED_MODULE_1__/* .chooseProxy */ .U)(new URL(server), { ...(0,_proxy_environment_js__WEBPACK_IMPORTED_MODULE_4__/* .proxyEnvironment */ .w)(process.env), ...noExceptions });
        return choice && loadAgent(choice.address);
    }));
    return (server) => {
        const choice = checkedChoice(server, process.env);
        const create = libraries[server.startsWith('https:') ? 0 : 1];
        return choice && create?.(choice.address);
    };
}
/** An agent that connects through a proxy. `address`: checked by `checkProxyAddress`. */
async function proxyAgent(address) {
    return (await loadAgent(address))(address);
}
/** Each library is loaded only for the proxies that it speaks to. */
async function loadAgent(address) {
    if (!isSocks(address)) {
        if (/^https:/i.test(address))
            (0,_system_authorities_js__WEBPACK_IMPORTED_MODULE_2__/* .trustSystemAuthorities */ .$)();
        const { HttpsProxyAgent } = await Promise.all(/* import() */[__webpack_require__.e(830), __webpack_require__.e(833)]).then(__webpack_require__.bind(__webpack_require__, 45833));
        return (proxy) => new HttpsProxyAgent(proxy);
    }
    const { SocksProxyAgent } = await Promise.all(/* import() */[__webpack_require__.e(830), __webpack_require__.e(474), __webpack_require__.e(254)]).then(__webpack_require__.bind(__webpack_require__, 98254));
    // For the library socks5 means that this machine resolves the server's name; in Go the proxy resolves it with both schemes.
    return (proxy) => new SocksProxyAgent(proxy.replace(/^socks5:/i, 'socks5h:'));
}
function isSocks(address) {
    return /^socks/i.test(address);
}
/** The proxy of an agent of any library (https-proxy-agent, socks-proxy-agent); undefined where it has none. */
function proxyOf(agent) {
    if (agent && 'proxy' in agent && agent.proxy instanceof URL)
        return agent.proxy;
    return agent && 'proxyUrl' in agent ? (URL.parse(String(agent.proxyUrl)) ?? undefined) : undefined;
}
function checkedChoice(server, env) {
    const choice = (0,_proxy_rules_js__WEBPACK_IMPORTED_MODULE_1__/* .chooseProxy */ .U)(new URL(server), (0,_proxy_environment_js__WEBPACK_IMPORTED_MODULE_4__/* .proxyEnvironment */ .w)(env));
    if (choice)
        checkProxyAddress(choice.address, schemes, { input: choice.variable, subject: 'the value' });
    return choice;
}
/**
 * @param setting what a problem names: the input, and the setting as the subject of a sentence
 * @throws ConfigurationError where the address is not one of a proxy
 */
function checkProxyAddress(address, accepted, { input, subject }) {
    const url = URL.parse(address);
    if (url && url.hostname !== '' && accepted.includes(url.protocol))
        return;
    throw new _errors_js__WEBPACK_IMPORTED_MODULE_0__/* .ConfigurationError */ .j1({
        code: 'E_PROXY_INVALID',
        input,
        problem: `${subject} ${JSON.stringify((0,_url_text_js__WEBPACK_IMPORTED_MODULE_3__/* .hostForMessage */ .z)(address))} is not the address of a proxy`,
        fix: `Set it to ${accepted.map((scheme) => `${scheme}//HOST:PORT`).join(' or ')}, or remove it for this server.`,
    });
}


/***/ }),

/***/ 22660:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   DB: () => (/* binding */ parseSize),
/* harmony export */   E9: () => (/* binding */ parseDuration),
/* harmony export */   Xq: () => (/* binding */ formatSize),
/* harmony export */   a3: () => (/* binding */ formatDuration),
/* harmony export */   zq: () => (/* binding */ parseCount)
/* harmony export */ });
/** Seconds of `90`, `90s`, `5m`, `1h30m`; undefined where the text is none of these. */
function parseDuration(text) {
    if (/^\d{1,9}$/.test(text))
        return Number(text);
    const match = /^(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?$/.exec(text);
    if (!match || text === '')
        return undefined;
    const [hours, minutes, seconds] = match.slice(1).map((part) => Number(part ?? 0));
    return (hours ?? 0) * 3600 + (minutes ?? 0) * 60 + (seconds ?? 0);
}
const units = new Map([
    ['', 1],
    ['B', 1],
    ['KB', 1e3],
    ['MB', 1e6],
    ['GB', 1e9],
    ['KIB', 2 ** 10],
    ['MIB', 2 ** 20],
    ['GIB', 2 ** 30],
]);
/** Bytes of `1GB`, `64MiB`, `1.5MB` or `1000`. Decimal units: 1 MB = 1,000,000 bytes. Undefined where the text is no size. */
function parseSize(text) {
    const match = /^(\d{1,15}(?:\.\d{1,6})?)\s*([A-Za-z]*)$/.exec(text);
    const unit = units.get(match?.[2]?.toUpperCase() ?? '');
    if (!match || unit === undefined)
        return undefined;
    return Math.floor(Number(match[1]) * unit);
}
function parseCount(text) {
    return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
/** `1.5 MB`: three figures, decimal units. */
function formatSize(bytes) {
    if (bytes < 1000)
        return `${bytes} B`;
    const power = Math.min(Math.floor(Math.log10(bytes) / 3), 3);
    const value = bytes / 1000 ** power;
    return `${value >= 100 ? value.toFixed(0) : value.toPrecision(3)} ${['B', 'KB', 'MB', 'GB'][power] ?? 'GB'}`;
}
/** `1h 30m`, `5m 3s`, `12.4s`. */
function formatDuration(seconds) {
    if (seconds < 60)
        return `${Number(seconds.toFixed(1))}s`;
    const whole = Math.round(seconds);
    const parts = [
        [Math.floor(whole / 3600), 'h'],
        [Math.floor((whole % 3600) / 60), 'm'],
        [whole % 60, 's'],
    ];
    return parts
        .filter(([count]) => count > 0)
        .map(([count, unit]) => `${count}${unit}`)
        .join(' ');
}


/***/ }),

/***/ 9360:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   X: () => (/* binding */ readRegularFile),
/* harmony export */   i: () => (/* binding */ UnreadableFile)
/* harmony export */ });
/* harmony import */ var node_fs__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(73024);
/* harmony import */ var node_fs__WEBPACK_IMPORTED_MODULE_0___default = /*#__PURE__*/__webpack_require__.n(node_fs__WEBPACK_IMPORTED_MODULE_0__);

/** Of a file that an input, a kubeconfig or a variable names: credentials and certificates are a few kilobytes. */
const maxFileBytes = 8 * 1024 * 1024;
/** A file that cannot be read. `message` is a clause about the file that has neither its path nor its content. */
class UnreadableFile extends Error {
    name = 'UnreadableFile';
    /** of the file system, such as ENOENT; '' where the file is one that is not read */
    code;
    constructor(code, message) {
        super(message);
        this.code = code;
    }
}
/**
 * The content of a regular file of at most 8 MiB. A device or a pipe has no end, or waits for a writer: `/dev/zero` as a token file would hold the
 * run until the memory is full.
 * @throws UnreadableFile
 */
function readRegularFile(path) {
    let file;
    try {
        // Without O_NONBLOCK the opening of a pipe waits for its writer.
        file = (0,node_fs__WEBPACK_IMPORTED_MODULE_0__.openSync)(path, node_fs__WEBPACK_IMPORTED_MODULE_0__.constants.O_RDONLY | node_fs__WEBPACK_IMPORTED_MODULE_0__.constants.O_NONBLOCK);
        const stat = (0,node_fs__WEBPACK_IMPORTED_MODULE_0__.fstatSync)(file);
        if (stat.isDirectory())
            throw new UnreadableFile('EISDIR', 'EISDIR');
        if (!stat.isFile())
            throw new UnreadableFile('', 'it is not a regular file');
        return readBounded(file);
    }
    catch (error) {
        throw error instanceof UnreadableFile ? error : new UnreadableFile(codeOf(error), codeOf(error));
    }
    finally {
        if (file !== undefined)
            (0,node_fs__WEBPACK_IMPORTED_MODULE_0__.closeSync)(file);
    }
}
/** The size of the file is not used: files of /proc report 0, and a file may grow. */
function readBounded(file) {
    const chunks = [];
    for (let sizeBytes = 0;;) {
        const chunk = Buffer.allocUnsafe(65_536);
        const readBytes = (0,node_fs__WEBPACK_IMPORTED_MODULE_0__.readSync)(file, chunk);
        if (readBytes === 0)
            return Buffer.concat(chunks);
        sizeBytes += readBytes;
        if (sizeBytes > maxFileBytes)
            throw new UnreadableFile('', 'it is larger than 8 MiB');
        chunks.push(chunk.subarray(0, readBytes));
    }
}
/** The code alone: the message of an error has the path in it. */
function codeOf(error) {
    const { code } = error;
    return code ?? 'unknown error';
}


/***/ }),

/***/ 38254:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {


// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  _P: () => (/* binding */ RemoteOutput),
  Zr: () => (/* binding */ closedByClient),
  dV: () => (/* binding */ silenceLimitMs)
});

// EXTERNAL MODULE: ./src/common/errors.ts
var errors = __webpack_require__(71922);
;// CONCATENATED MODULE: ./src/common/lines.ts
const maxLineBytes = 64 * 1024;
/**
 * Splits a byte stream into lines. A line longer than 64 KiB is passed on in parts of that size. Memory stays bounded: one line is made after
 * the other, and none keeps the chunk that it came in.
 */
function lineSplitter(onLine) {
    let rest = Buffer.alloc(0);
    return {
        push(data) {
            const bytes = rest.length === 0 ? data : Buffer.concat([rest, data]);
            const emit = (from, to) => onLine(bytes.toString('utf8', from, to));
            let start = 0;
            for (;;) {
                const at = bytes.indexOf('\n', start);
                const end = at === -1 ? bytes.length : at;
                for (; end - start > maxLineBytes; start += maxLineBytes)
                    emit(start, start + maxLineBytes);
                if (at === -1)
                    break;
                emit(start, at);
                start = at + 1;
            }
            rest = Buffer.from(bytes.subarray(start));
        },
        end() {
            if (rest.length > 0)
                onLine(rest.toString('utf8'));
            rest = Buffer.alloc(0);
        },
    };
}

;// CONCATENATED MODULE: ./src/common/remote-process.ts


/** The reason of an end that `close` asked for. */
const closedByClient = 'closed by the client';
/** A follower sends a line every 2 s. After this long without any output the connection is dead, whatever TCP reports. */
const silenceLimitMs = 15_000;
const checkIntervalMs = 5_000;
/** A follower writes 20 bytes in 2 s and a trailer of at most 1 MB. To split more into lines would only cost time. */
const maxStderrBytes = 2 * 1024 * 1024;
/** The output of one remote process: passes it to the handlers, with backpressure and a limit on silence. */
class RemoteOutput {
    #handlers;
    #transport;
    #stderr;
    #pendingCount = 0;
    #stderrBytes = 0;
    #lastOutputAtMs = Date.now();
    #check;
    constructor(handlers, transport) {
        this.#handlers = handlers;
        this.#transport = transport;
        this.#stderr = lineSplitter((line) => handlers.stderr(line));
    }
    /** The sender is held back: at least one promise of the stdout handler is pending. */
    get isHeld() {
        return this.#pendingCount > 0;
    }
    /** Starts to watch for silence. */
    watch() {
        this.noteActivity();
        this.#check = setInterval(() => this.#checkSilence(), checkIntervalMs);
        this.#check.unref(); // a connection keeps the runner's process alive, a pending handler alone must not
    }
    noteActivity() {
        this.#lastOutputAtMs = Date.now();
    }
    takeStdout(chunk) {
        this.noteActivity();
        const pending = this.#handlers.stdout(chunk);
        if (!pending)
            return;
        // Chunks that the transport has already read still arrive after pause(); each may add a pending promise.
        this.#pendingCount += 1;
        this.#transport.pause();
        void pending
            .catch((error) => this.#transport.fail((0,errors/* messageOf */.bD)(error)))
            .finally(() => {
            this.#pendingCount -= 1;
            this.noteActivity();
            if (this.#pendingCount === 0)
                this.#transport.resume();
        });
    }
    takeStderr(chunk) {
        this.noteActivity();
        const roomBytes = Math.max(0, maxStderrBytes - this.#stderrBytes);
        this.#stderrBytes += chunk.length;
        if (roomBytes > 0)
            this.#stderr.push(chunk.subarray(0, roomBytes));
        if (chunk.length > roomBytes)
            this.#transport.fail(`more than ${maxStderrBytes} bytes of messages`);
    }
    /** Stops the watch and passes on the last line, also where it has no line break. */
    end() {
        clearInterval(this.#check);
        this.#stderr.end();
    }
    #checkSilence() {
        if (this.isHeld)
            return; // nothing is read meanwhile, so no output can arrive
        if (Date.now() - this.#lastOutputAtMs > silenceLimitMs) {
            this.#transport.fail(`no output for ${silenceLimitMs / 1000} s`);
        }
        else {
            this.#transport.ping?.();
        }
    }
}


/***/ }),

/***/ 88936:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   $: () => (/* binding */ trustSystemAuthorities)
/* harmony export */ });
/* harmony import */ var node_fs__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(73024);
/* harmony import */ var node_fs__WEBPACK_IMPORTED_MODULE_0___default = /*#__PURE__*/__webpack_require__.n(node_fs__WEBPACK_IMPORTED_MODULE_0__);
/* harmony import */ var node_path__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(76760);
/* harmony import */ var node_path__WEBPACK_IMPORTED_MODULE_1___default = /*#__PURE__*/__webpack_require__.n(node_path__WEBPACK_IMPORTED_MODULE_1__);
/* harmony import */ var node_tls__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(41692);
/* harmony import */ var node_tls__WEBPACK_IMPORTED_MODULE_2___default = /*#__PURE__*/__webpack_require__.n(node_tls__WEBPACK_IMPORTED_MODULE_2__);
/* harmony import */ var _read_file_js__WEBPACK_IMPORTED_MODULE_3__ = __webpack_require__(9360);




/** Where Linux distributions keep all authorities in one file, and in one folder (Go: crypto/x509, root_linux.go). */
const systemFiles = [
    '/etc/ssl/certs/ca-certificates.crt',
    '/etc/pki/tls/certs/ca-bundle.crt',
    '/etc/ssl/ca-bundle.pem',
    '/etc/pki/tls/cacert.pem',
    '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
    '/etc/ssl/cert.pem',
];
const systemFolders = ['/etc/ssl/certs', '/etc/pki/tls/certs'];
let isDone = false;
/**
 * From here on, servers without an authority of their own are also checked against the authorities of the system, or of SSL_CERT_FILE and
 * SSL_CERT_DIR, as kubectl does it. Node alone trusts its own list and NODE_EXTRA_CA_CERTS. Takes some 20 ms, so it is called only before a
 * connection to such a server, and works once in a process.
 */
function trustSystemAuthorities(env = process.env) {
    // Node 24.0 to 24.4 cannot change the list.
    if (isDone || typeof (node_tls__WEBPACK_IMPORTED_MODULE_2___default().setDefaultCACertificates) !== 'function')
        return;
    isDone = true;
    const known = node_tls__WEBPACK_IMPORTED_MODULE_2___default().getCACertificates('default');
    const bodies = new Set(known.map(bodyOf));
    const added = systemAuthorities(env).filter((pem) => {
        const body = bodyOf(pem);
        return !bodies.has(body) && bodies.add(body);
    });
    if (added.length === 0)
        return;
    try {
        node_tls__WEBPACK_IMPORTED_MODULE_2___default().setDefaultCACertificates([...known, ...added]);
    }
    catch {
        node_tls__WEBPACK_IMPORTED_MODULE_2___default().setDefaultCACertificates([...known, ...added.filter(isValid)]);
    }
}
/** PEM of each certificate. A file or a folder that cannot be read is left out, as in Go. */
function systemAuthorities(env) {
    if (process.platform === 'darwin' || process.platform === 'win32')
        return node_tls__WEBPACK_IMPORTED_MODULE_2___default().getCACertificates('system');
    const givenFile = env['SSL_CERT_FILE'];
    const givenFolders = env['SSL_CERT_DIR'];
    const folders = givenFolders ? givenFolders.split(':') : systemFolders;
    const texts = folders.flatMap((folder) => namesIn(folder).map((name) => textAt((0,node_path__WEBPACK_IMPORTED_MODULE_1__.join)(folder, name)) ?? ''));
    const files = givenFile ? [givenFile] : systemFiles;
    for (const file of files) {
        const text = textAt(file);
        if (text === undefined)
            continue;
        texts.push(text);
        break;
    }
    return texts.flatMap((text) => text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []);
}
/**
 * Without the links from a hash to a file of the same folder, and without those that update-ca-certificates makes: their files are in
 * ca-certificates.crt as well, and reading them takes 50 ms.
 */
function namesIn(folder) {
    try {
        const entries = (0,node_fs__WEBPACK_IMPORTED_MODULE_0__.readdirSync)(folder, { withFileTypes: true });
        const hasAll = entries.some(({ name }) => name === 'ca-certificates.crt');
        return entries
            .filter((entry) => {
            if (!entry.isSymbolicLink())
                return !entry.isDirectory();
            const target = (0,node_fs__WEBPACK_IMPORTED_MODULE_0__.readlinkSync)((0,node_path__WEBPACK_IMPORTED_MODULE_1__.join)(folder, entry.name));
            return target.includes('/') && !(hasAll && /^\/usr\/(local\/)?share\/ca-certificates\//.test(target));
        })
            .map(({ name }) => name);
    }
    catch {
        return [];
    }
}
function textAt(path) {
    try {
        return (0,_read_file_js__WEBPACK_IMPORTED_MODULE_3__/* .readRegularFile */ .X)(path).toString('latin1');
    }
    catch {
        return undefined;
    }
}
function bodyOf(pem) {
    return pem.replace(/-----[^-]+-----|\s/g, '');
}
function isValid(pem) {
    try {
        node_tls__WEBPACK_IMPORTED_MODULE_2___default().createSecureContext({ ca: pem });
        return true;
    }
    catch {
        return false;
    }
}


/***/ }),

/***/ 79005:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   TO: () => (/* binding */ orTimeout),
/* harmony export */   eG: () => (/* binding */ whenAborted),
/* harmony export */   iU: () => (/* binding */ timedOut),
/* harmony export */   v7: () => (/* binding */ pause)
/* harmony export */ });
/** Waits `ms`, or until `signal` aborts. Never rejects. */
function pause(ms, signal) {
    return new Promise((resolve) => {
        const timer = setTimeout(done, ms);
        function done() {
            clearTimeout(timer);
            signal?.removeEventListener('abort', done);
            resolve();
        }
        if (signal?.aborted)
            done();
        else
            signal?.addEventListener('abort', done, { once: true });
    });
}
/** Resolves when the signal aborts; at once where it has. */
function whenAborted(signal) {
    return new Promise((resolve) => {
        if (signal.aborted)
            resolve();
        else
            signal.addEventListener('abort', () => resolve(), { once: true });
    });
}
/** What `orTimeout` answers when the time is over. */
const timedOut = Symbol('timed out');
/** The result of `promise`, or `timedOut` after `ms`. The promise itself goes on; its late rejection is not reported as unhandled. */
async function orTimeout(promise, ms) {
    let timer;
    const timeout = new Promise((resolve) => {
        timer = setTimeout(() => resolve(timedOut), ms);
    });
    try {
        return await Promise.race([promise, timeout]);
    }
    finally {
        clearTimeout(timer);
    }
}


/***/ }),

/***/ 83542:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   d: () => (/* binding */ splitToolboxImage),
/* harmony export */   t: () => (/* binding */ toolboxImageForm)
/* harmony export */ });
/** Of the path of a name: distribution's grammar of references (github.com/distribution/reference, path-component). */
const part = '[a-z0-9]+(?:(?:\\.|__?|-+)[a-z0-9]+)*';
/** A host with its port, a path, a tag. No digest and no capitals: the file that toolbox reads has a name and a tag, used as they are. */
const reference = new RegExp(`^((?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\\d{1,5})?/)?${part}(?:/${part})*)(?::([A-Za-z0-9_][A-Za-z0-9._-]{0,127}))?$`);
const maxLength = 512;
/** The form of the input toolbox-image, in words. */
const toolboxImageForm = 'NAME:TAG, the name in lower case, without a digest';
/** The name and the tag of an image for COS's toolbox; undefined where it is malformed: a shell reads the file that they are written to. */
function splitToolboxImage(image) {
    if (image.length > maxLength)
        return undefined;
    const [, name, tag = 'latest'] = reference.exec(image) ?? [];
    return name === undefined ? undefined : [name, tag];
}


/***/ }),

/***/ 16902:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   L: () => (/* binding */ urlPath)
/* harmony export */ });
/**
 * The path of a request: each value is one segment, or a part of the query, percent-encoded. Names in it are checked where they are read; this holds
 * also for one that was forgotten.
 * @throws TypeError for a segment that a URL parser removes or merges: empty, `.` or `..`
 */
function urlPath(strings, ...values) {
    return strings.reduce((path, text, i) => path + segment(values[i - 1] ?? '') + text);
}
/** `@` needs no encoding (RFC 3986, pchar), and some servers compare addresses of accounts as they are written. */
function segment(value) {
    if (value === '' || value === '.' || value === '..') {
        throw new TypeError(`${JSON.stringify(value)} cannot be a part of the path of a request`);
    }
    return encodeURIComponent(value.toWellFormed()).replaceAll('%40', '@');
}


/***/ }),

/***/ 27382:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   O: () => (/* binding */ urlForMessage),
/* harmony export */   z: () => (/* binding */ hostForMessage)
/* harmony export */ });
/**
 * A text that should be a URL, for a message: in place of user, password, query and fragment, which may be secret, it has an ellipsis. A text without
 * these parts is shown as it is, also where it is not a URL.
 */
function urlForMessage(text) {
    return /:\/\//.test(text) && /[@?#]/.test(text) ? (originAndPath(text) ?? notShown) : text;
}
/** The same for a value that may be a secret as a whole, such as one of a kubeconfig: only the scheme and the host of a URL are shown. */
function hostForMessage(text) {
    const url = parse(text);
    return url ? `${url.protocol}//${url.host}` : notShown;
}
const notShown = '(not shown)';
function originAndPath(text) {
    const url = parse(text);
    if (!url)
        return undefined;
    const user = url.username === '' && url.password === '' ? '' : '\u2026@';
    const rest = url.search === '' && url.hash === '' ? '' : '?\u2026';
    return `${url.protocol}//${user}${url.host}${url.pathname === '/' ? '' : url.pathname}${rest}`;
}
/** Only where the parser finds a host: in `user:password@host` it finds a scheme and a path. */
function parse(text) {
    const url = URL.parse(text);
    return url && url.host !== '' ? url : undefined;
}


/***/ }),

/***/ 42259:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   Y: () => (/* binding */ parseServiceAccount),
/* harmony export */   t: () => (/* binding */ parseProvider)
/* harmony export */ });
/* harmony import */ var _cluster_name_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(23283);
/* harmony import */ var _errors_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(71922);
/* harmony import */ var _url_text_js__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(27382);



const nameForm = 'projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER';
/** @throws ConfigurationError that recognizes the usual mistakes: the name of a pool, the id of a project in place of its number */
function parseProvider(text) {
    const name = text.trim().replace(/^(https?:)?\/\/iam\.[^/]+\/(v1\/)?/, '');
    const [, project = '', location = '', pool = '', id] = /^projects\/([^/\s]+)\/locations\/([^/\s]+)\/workloadIdentityPools\/([^/\s]+)(?:\/providers\/([^/\s]+))?\/?$/.exec(name) ?? [];
    const fail = (problem, fix = `Set it to ${nameForm}.`) => {
        const value = JSON.stringify((0,_url_text_js__WEBPACK_IMPORTED_MODULE_2__/* .urlForMessage */ .O)(text).slice(0, 200));
        return new _errors_js__WEBPACK_IMPORTED_MODULE_1__/* .ConfigurationError */ .j1({
            code: 'E_INPUT_INVALID',
            input: 'workload-identity-provider',
            problem: `${value} ${problem}`,
            fix,
        });
    };
    // The fixes below have commands to paste, with these parts.
    const isUsable = (0,_cluster_name_js__WEBPACK_IMPORTED_MODULE_0__/* .isProject */ .YS)(project) && /^[a-z0-9-]{1,64}$/.test(pool);
    if (pool === '' || !isUsable)
        throw fail('is not the name of a workload identity provider');
    if (id === undefined) {
        throw fail('is the name of a pool, not of a provider', `Set it to ${name.replace(/\/$/, '')}/providers/PROVIDER. List the providers of the pool with ` +
            `\`gcloud iam workload-identity-pools providers list --location=global --workload-identity-pool=${pool}\`.`);
    }
    if (!/^\d+$/.test(project)) {
        throw fail('has the id of the project in place of its number', `Find the number with \`gcloud projects describe ${project} --format='value(projectNumber)'\`.`);
    }
    if (location !== 'global')
        throw fail('has another location; pools are in the location global');
    const invalidPart = [pool, id].find((part) => !/^[a-z0-9-]{1,64}$/.test(part));
    if (invalidPart !== undefined) {
        throw fail(`has ${JSON.stringify(invalidPart)}, which is not a valid name of a pool or a provider`);
    }
    return {
        name: `projects/${project}/locations/global/workloadIdentityPools/${pool}/providers/${id}`,
        project,
        pool,
        id,
    };
}
/** @throws ConfigurationError where it is not an e-mail address */
function parseServiceAccount(text) {
    // It becomes a part of a URL.
    if (/^[\w.+-]{1,128}@[\w.-]{3,128}$/.test(text))
        return text;
    throw new _errors_js__WEBPACK_IMPORTED_MODULE_1__/* .ConfigurationError */ .j1({
        code: 'E_INPUT_INVALID',
        input: 'service-account',
        problem: `${JSON.stringify((0,_url_text_js__WEBPACK_IMPORTED_MODULE_2__/* .urlForMessage */ .O)(text).slice(0, 200))} is not the e-mail address of a service account`,
        fix: 'Set it to NAME@PROJECT.iam.gserviceaccount.com.',
    });
}


/***/ }),

/***/ 36031:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {


// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  i: () => (/* binding */ readRequest)
});

// EXTERNAL MODULE: ./src/common/errors.ts
var errors = __webpack_require__(71922);
// EXTERNAL MODULE: ./src/common/child-environment.ts
var child_environment = __webpack_require__(25523);
// EXTERNAL MODULE: ./src/common/cluster-name.ts
var cluster_name = __webpack_require__(23283);
// EXTERNAL MODULE: ./src/common/decode-text.ts
var decode_text = __webpack_require__(16187);
// EXTERNAL MODULE: ./src/common/workload-identity.ts
var workload_identity = __webpack_require__(42259);
// EXTERNAL MODULE: ./src/common/kubernetes-names.ts
var kubernetes_names = __webpack_require__(14684);
// EXTERNAL MODULE: ./src/common/quantities.ts
var quantities = __webpack_require__(22660);
// EXTERNAL MODULE: ./src/common/remote-text.ts
var remote_text = __webpack_require__(14551);
// EXTERNAL MODULE: ./src/common/url-text.ts
var url_text = __webpack_require__(27382);
;// CONCATENATED MODULE: ./src/inputs/reader.ts



/** Inputs of several lines; every other input is one line. */
const multilineInputs = new Set([
    'kubeconfig',
    'certificate-authority',
    'capabilities',
    'exec-env',
    'filter',
]);
/** Inputs whose text is never shown. */
const secretInputs = new Set(['kubeconfig', 'token', 'certificate-authority']);
/** Reads inputs one by one and collects what is wrong with them, so that the user sees every problem at once. */
class InputReader {
    problems = [];
    #source;
    /** whether the text of an input may be used; the problem with one that may not is reported once */
    #isUsable = new Map();
    constructor(source) {
        this.#source = source;
    }
    /**
     * The text of an input; undefined where it is not set. Every text is checked here, whatever its input is for: names of artifacts, of files, of
     * pods and contexts are printed, by this action and by libraries.
     */
    text(name) {
        const text = this.#source(name) || undefined;
        if (text !== undefined && !this.#isUsable.has(name)) {
            const problem = textProblem(name, text);
            if (problem !== undefined) {
                const shown = secretInputs.has(name) ? '' : `${quoted(text)} `;
                this.report('E_INPUT_INVALID', name, `${shown}${problem}`, 'Use a text without it.');
            }
            this.#isUsable.set(name, problem === undefined);
        }
        return text;
    }
    isSet(name) {
        return this.text(name) !== undefined;
    }
    /** The value of an input that has to be set. */
    required(name, form) {
        const text = this.text(name);
        if (text !== undefined)
            return this.#parsed(name, text, form);
        this.report('E_INPUT_MISSING', name, 'is not set', `Use ${form.accepts}.`);
        return undefined; // the run ends with the problem before the value is read
    }
    optional(name, form) {
        const text = this.text(name);
        return text === undefined ? undefined : this.#parsed(name, text, form);
    }
    /**
     * The value of an input; `byDefault` is its text where it is not set, so that a workflow can pass on an input of its own that was left empty.
     * action.yml declares the same defaults.
     */
    withDefault(name, byDefault, form) {
        return this.#parsed(name, this.text(name) ?? byDefault, form);
    }
    report(code, input, problem, fix) {
        this.#add({ code, input, problem, fix });
    }
    /** Runs a parser that throws a ConfigurationError, and collects its problems. */
    collect(parse) {
        try {
            return parse();
        }
        catch (error) {
            if (!(error instanceof errors/* ConfigurationError */.j1))
                throw error;
            for (const problem of error.problems)
                this.#add(problem);
            return undefined;
        }
    }
    #add(problem) {
        if (this.#isUsable.get(problem.input) !== false)
            this.problems.push(problem);
    }
    #parsed(name, text, { accepts, parse }) {
        const value = parse(text);
        if (value === undefined)
            this.report('E_INPUT_INVALID', name, `${quoted(text)} is not valid`, `Use ${accepts}.`);
        return value; // the run ends with the problem before the value is read
    }
}
/** What no input may contain: text that is not visible, or that the runner takes for a command. A clause without the name of the input. */
function textProblem(name, text) {
    const isMultiline = multilineInputs.has(name) && /[\n\r]/.test(text);
    const character = (0,remote_text/* controlCharacterIn */.k2)(text, isMultiline ? '\n\r\t' : '');
    if (character === 'U+000A' || character === 'U+000D')
        return 'has a line break, and must be one line';
    if (character !== undefined)
        return `has a character that is not visible (${character})`;
    const mayHaveCommand = isMultiline && secretInputs.has(name); // such a text is never shown
    if (!mayHaveCommand && text.split(/[\n\r]+/).some(remote_text/* hasWorkflowCommand */.Jf))
        return 'has `##[`, or `::` at its start, which the runner reads as a command';
    return undefined;
}
/** A text of the user in an error, bounded; of a URL without the parts that may be secret. */
function quoted(text) {
    const shown = (0,url_text/* urlForMessage */.O)(text);
    return JSON.stringify(shown.length > 200 ? `${shown.slice(0, 200)}\u2026` : shown);
}
/** `one`, `one or two`, `one, two or three`. */
function listed(words) {
    const last = words.at(-1) ?? '';
    return words.length < 2 ? last : `${words.slice(0, -1).join(', ')} or ${last}`;
}

;// CONCATENATED MODULE: ./src/inputs/forms.ts



const namespaceForm = {
    accepts: 'the name of a namespace',
    parse: (text) => ((0,kubernetes_names/* isNamespaceName */.P)(text) ? text : undefined),
};
/** One of a few words. */
function choiceOf(words) {
    return { accepts: listed(words), parse: (text) => words.find((word) => word === text) };
}
function textMatching(pattern, maxLength, accepts) {
    return { accepts, parse: (text) => (pattern.test(text) && text.length <= maxLength ? text : undefined) };
}
/** Seconds. */
function durationBetween(minSeconds, maxSeconds, accepts) {
    return { accepts, parse: (text) => between((0,quantities/* parseDuration */.E9)(text), minSeconds, maxSeconds) };
}
/** Bytes. */
function sizeBetween(minBytes, maxBytes, accepts) {
    return { accepts, parse: (text) => between((0,quantities/* parseSize */.DB)(text), minBytes, maxBytes) };
}
function countBetween(min, max, accepts) {
    return { accepts, parse: (text) => between((0,quantities/* parseCount */.zq)(text), min, max) };
}
/** YAML 1.2 core schema, as core.getBooleanInput reads it. */
const booleanForm = {
    accepts: 'true or false',
    parse: (text) => {
        if (/^(true|True|TRUE)$/.test(text))
            return true;
        return /^(false|False|FALSE)$/.test(text) ? false : undefined;
    },
};
function between(value, min, max) {
    return value !== undefined && value >= min && value <= max ? value : undefined;
}

;// CONCATENATED MODULE: ./src/inputs/access.ts






const gkeEndpoints = ['auto', 'dns', 'ip', 'private', 'connect-gateway'];
/** The inputs that select a cluster; at most one of them is set. */
const selectors = ['kubeconfig', 'api-server', 'cluster'];
/** Inputs that only one selector reads. */
const ownedBy = [
    ['api-server', ['certificate-authority', 'oidc-audience', 'token']],
    ['cluster', ['location', 'project-id', 'workload-identity-provider', 'service-account']],
];
/** Inputs that only a kubeconfig reads, also one that no input names. */
const ofKubeconfigs = [
    ['context', 'It selects a context of a kubeconfig.'],
    ['exec-env', 'It is for an exec plugin of a kubeconfig.'],
];
const maxVariableCount = 50;
const variablesForm = {
    accepts: 'names of variables that begin with ACTIONS_ or INPUT_, separated by commas or line breaks',
    parse: (text) => {
        const names = text.split(/[\s,]+/).filter((name) => name !== '');
        const isValid = names.every((name) => /^\w{1,200}$/.test(name) && (0,child_environment/* isWithheldVariable */.c)(name));
        return isValid && names.length <= maxVariableCount ? [...new Set(names)] : undefined;
    },
};
/** Reads the inputs that say how the action authenticates to the cluster. */
function readAccess(inputs) {
    const set = selectors.filter((name) => inputs.isSet(name));
    const [selector] = set;
    if (set.length > 1) {
        inputs.report('E_INPUT_CONFLICT', set.join(', '), 'each of these inputs selects a cluster, and more than one is set', 'Set one of them.');
    }
    reportUnused(inputs, selector);
    const endpoint = inputs.withDefault('endpoint', 'auto', choiceOf(gkeEndpoints));
    if (selector === 'api-server')
        return readDirect(inputs);
    if (selector === 'cluster')
        return readGke(inputs, endpoint);
    return {
        kind: 'kubeconfig',
        source: readKubeconfig(inputs),
        context: inputs.text('context'),
        pluginVariables: inputs.withDefault('exec-env', '', variablesForm),
    };
}
function reportUnused(inputs, selector) {
    const unused = (name, owner) => inputs.report('E_INPUT_UNUSED', name, `has no effect without \`${owner}\``, `Set \`${owner}\`, or remove \`${name}\`.`);
    for (const [owner, names] of ownedBy) {
        if (selector === owner)
            continue;
        for (const name of names)
            if (inputs.isSet(name))
                unused(name, owner);
    }
    if (selector !== undefined && selector !== 'kubeconfig') {
        for (const [name, use] of ofKubeconfigs) {
            if (!inputs.isSet(name))
                continue;
            inputs.report('E_INPUT_UNUSED', name, `has no effect with \`${selector}\``, `${use} Remove it.`);
        }
    }
    if ((inputs.text('endpoint') ?? 'auto') !== 'auto' && selector !== 'cluster')
        unused('endpoint', 'cluster');
}
function readDirect(inputs) {
    const server = inputs.required('api-server', {
        accepts: 'an https URL without user, query and fragment',
        parse: (text) => {
            const url = text.replace(/\/+$/, '');
            return /^https:\/\/[^\s/?#@\\]+(\/[^\s?#\\]*)?$/.test(url) && URL.canParse(url) ? url : undefined;
        },
    });
    const token = inputs.text('token');
    const audience = inputs.text('oidc-audience');
    if (token !== undefined && audience !== undefined) {
        inputs.report('E_INPUT_CONFLICT', 'oidc-audience, token', 'each of these inputs selects an authentication method, and both are set', 'Set one of them.');
    }
    if (token === undefined && audience === undefined) {
        inputs.report('E_INPUT_MISSING', 'api-server', 'no credentials are set for it', 'Set `oidc-audience` (for an API server that trusts GitHub as an issuer) or `token`.');
    }
    return {
        kind: 'direct',
        server,
        certificateAuthority: inputs.text('certificate-authority'),
        credential: token === undefined ? { kind: 'oidc', audience: audience ?? '' } : { kind: 'token', token },
    };
}
function readGke(inputs, endpoint) {
    const cluster = inputs.text('cluster') ?? '';
    const full = (0,cluster_name/* parseFullClusterName */.gS)(cluster);
    if (full)
        compareWithFullName(inputs, full);
    else
        checkShortName(inputs, cluster);
    const provider = inputs.text('workload-identity-provider');
    const account = inputs.text('service-account');
    if (provider !== undefined)
        inputs.collect(() => (0,workload_identity/* parseProvider */.t)(provider));
    if (account !== undefined)
        inputs.collect(() => (0,workload_identity/* parseServiceAccount */.Y)(account));
    if (account !== undefined && provider === undefined) {
        inputs.report('E_INPUT_UNUSED', 'service-account', 'has no effect without `workload-identity-provider`', 'Set `workload-identity-provider`, or give the service account to google-github-actions/auth in an earlier step.');
    }
    return {
        kind: 'gke',
        cluster,
        location: inputs.text('location'),
        projectId: inputs.text('project-id'),
        endpoint,
        workloadIdentityProvider: provider,
        serviceAccount: account,
    };
}
/** A full name has the location and the project in it; the inputs beside it can only repeat them. */
function compareWithFullName(inputs, { location, project }) {
    const named = { location, 'project-id': project };
    for (const [name, value] of Object.entries(named)) {
        const other = inputs.text(name);
        // The number of a project is not compared with its id.
        if (other === undefined || other === value || isNumber(other) !== isNumber(value))
            continue;
        inputs.report('E_INPUT_CONFLICT', name, `is ${quoted(other)}, but \`cluster\` names ${quoted(value)}`, `Remove \`${name}\`.`);
    }
}
function checkShortName(inputs, cluster) {
    if (!(0,cluster_name/* isClusterName */.Qq)(cluster)) {
        inputs.report('E_INPUT_INVALID', 'cluster', `${quoted(cluster)} is not valid`, 'Use projects/P/locations/L/clusters/C, or a name with `location` and `project-id`.');
    }
    else if (!inputs.isSet('location')) {
        // The project may be that of the credentials; whether it is one is known once they are read.
        inputs.report('E_INPUT_MISSING', 'cluster', 'a name without a location does not identify a cluster', 'Set `location`, or use projects/P/locations/L/clusters/C.');
    }
    inputs.optional('location', {
        accepts: 'the region or zone of the cluster, such as europe-west1',
        parse: (text) => ((0,cluster_name/* isLocation */.gI)(text) ? text : undefined),
    });
    inputs.optional('project-id', {
        accepts: 'the id of the project of the cluster',
        parse: (text) => ((0,cluster_name/* isProject */.YS)(text) ? text : undefined),
    });
}
function isNumber(text) {
    return /^\d+$/.test(text);
}
function readKubeconfig(inputs) {
    const text = inputs.text('kubeconfig');
    if (text === undefined)
        return { kind: 'default' };
    if (/^[A-Za-z0-9+/=\s]+$/.test(text)) {
        const decoded = (0,decode_text/* decodeText */.g)(Buffer.from(text, 'base64'));
        if ('text' in decoded && /\bclusters\b/.test(decoded.text)) {
            return { kind: 'content', content: decoded.text, wasBase64: true };
        }
        // It must not be shown as the path of a missing file.
        if (text.length >= 200) {
            inputs.report('E_INPUT_INVALID', 'kubeconfig', 'is base64, but not of a kubeconfig', 'Use the path, the content, or the base64 of a kubeconfig.');
            return { kind: 'default' };
        }
    }
    // A kubeconfig is a mapping: it has a line break or begins as JSON; a path has neither.
    return /[\n\r]|^\s*\{/.test(text)
        ? { kind: 'content', content: text, wasBase64: false }
        : { kind: 'path', path: text };
}

;// CONCATENATED MODULE: ./src/inputs/delivery.ts

const uploads = ['artifact', 'none'];
const severities = ['error', 'warn', 'ignore'];
const summaries = ['full', 'names-hidden', 'off'];
/** Reads what the results are named, how long they are kept and which of them fail the step. */
function readDelivery(inputs) {
    const upload = inputs.withDefault('upload', 'artifact', choiceOf(uploads));
    const retentionDays = inputs.optional('retention-days', countBetween(1, 400, 'a number of days from 1 to 400'));
    if (upload === 'none' && retentionDays !== undefined) {
        inputs.report('E_INPUT_UNUSED', 'retention-days', 'has no effect with `upload: none`', 'Remove it.');
    }
    return {
        upload,
        artifactName: inputs.optional('artifact-name', fileNameForm),
        retentionDays,
        ifIncomplete: inputs.withDefault('if-incomplete', 'warn', choiceOf(severities)),
        ifEmpty: inputs.withDefault('if-empty', 'warn', choiceOf(severities)),
        ifFinding: inputs.withDefault('if-finding', 'ignore', choiceOf(severities)),
        summary: inputs.withDefault('summary', 'full', choiceOf(summaries)),
    };
}
/** Characters that the artifact service and common file systems reject in a name. */
const badInFileName = /["<>:|*?\u0000-\u001f\u007f\\/]/;
const fileNameForm = {
    accepts: 'a file name of at most 200 bytes without " < > : | * ? \\ / and without a dot at its start',
    parse: (text) => badInFileName.test(text) || Buffer.byteLength(text) > 200 || text.startsWith('.')
        ? undefined
        : text.replace(/\.pcap$/, ''),
};

;// CONCATENATED MODULE: ./src/inputs/limits.ts

const maxDurationSeconds = 6 * 3600;
function readLimits(inputs) {
    return {
        durationSeconds: inputs.withDefault('duration', '60s', durationBetween(1, maxDurationSeconds, 'a duration from 1s to 6h, such as 90, 90s, 5m or 1h30m')),
        maxBytes: inputs.withDefault('max-size', '1GB', sizeBetween(1000, 1e15, 'a size of at least 1KB, such as 500MB, 1GB, 64MiB or a number of bytes')),
        maxPackets: inputs.optional('max-packets', countBetween(1, 2147483647, 'a number from 1 to 2147483647')),
    };
}

;// CONCATENATED MODULE: ./src/inputs/recorder.ts

const capabilities = ['NET_RAW', 'NET_ADMIN'];
const defaultImage = 'docker.io/nicolaka/netshoot:v0.14@sha256:7f08c4aff13ff61a35d30e30c5c1ea8396eac6ab4ce19fd02d5a4b3b5d0d09a2';
/** Reads the options of the recorder. */
function readRecorder(inputs) {
    return {
        filter: inputs.optional('filter', filterForm),
        interface: inputs.withDefault('interface', 'any', textMatching(/^[^\s/:-][^\s/:]*$/, 15, 'any, or the name of an interface of at most 15 characters')),
        snaplen: inputs.withDefault('snaplen', '262144', countBetween(64, 262144, 'a number of bytes from 64 to 262144')),
        image: inputs.withDefault('image', defaultImage, textMatching(/^[a-z0-9][\w./:@-]*$/i, 512, 'an image reference')),
        capabilities: inputs.withDefault('capabilities', '', capabilitiesForm),
        startTimeoutSeconds: inputs.withDefault('start-timeout', '2m', durationBetween(5, 3600, 'a duration from 5s to 1h, such as 90, 90s or 2m')),
        heartbeatTimeoutSeconds: inputs.withDefault('heartbeat-timeout', '60s', durationBetween(20, 3600, 'a duration from 20s to 1h, such as 90, 90s or 2m')),
        spoolLimitBytes: inputs.withDefault('spool-limit', '256MB', sizeBetween(8e6, 10e9, 'a size from 8MB to 10GB, such as 128MB, 256MB or a number of bytes')),
    };
}
const filterForm = {
    accepts: 'a pcap filter of at most 4096 characters and with balanced parentheses',
    parse: (text) => {
        const filter = onOneLine(text);
        return filter.length <= 4096 && !/[\u0000-\u001f\u007f]/.test(filter) && hasBalancedParentheses(filter)
            ? filter
            : undefined;
    },
};
/** YAML keeps the line breaks and the indentation of a block (`filter: |`); between the words of a filter they mean a space. */
function onOneLine(text) {
    return text.trim().replace(/[ \t]*\r?\n\s*/g, ' ');
}
/** A filter that closes a parenthesis it did not open would escape the expression that narrows it to the pod. */
function hasBalancedParentheses(text) {
    let open = 0;
    for (const character of text) {
        if (character === '(')
            open += 1;
        if (character === ')')
            open -= 1;
        if (open < 0)
            return false;
    }
    return open === 0;
}
const capabilitiesForm = {
    accepts: 'NET_RAW or NET_ADMIN, or leave it empty',
    parse: (text) => {
        const words = text.split(/[\s,]+/).filter((word) => word !== '');
        const known = words.map((word) => capabilities.find((capability) => capability === word.toUpperCase()));
        return known.includes(undefined) ? undefined : [...new Set(known)];
    },
};

// EXTERNAL MODULE: ./src/common/toolbox-image.ts
var toolbox_image = __webpack_require__(83542);
;// CONCATENATED MODULE: ./src/inputs/target.ts



const levels = ['pod', 'node'];
const nodeMethods = ['auto', 'ssh', 'pod'];
const defaultNodeMethod = 'auto';
const defaultNodeNamespace = 'packet-capture';
/** Reads the inputs that name the target. */
function readTarget(inputs) {
    const target = {
        target: readQuery(inputs),
        namespace: inputs.optional('namespace', namespaceForm),
        level: inputs.withDefault('level', 'pod', choiceOf(levels)),
        nodeMethod: inputs.withDefault('node-method', defaultNodeMethod, choiceOf(nodeMethods)),
        nodeNamespace: inputs.withDefault('node-namespace', defaultNodeNamespace, namespaceForm),
        toolboxImage: inputs.optional('toolbox-image', {
            accepts: toolbox_image/* toolboxImageForm */.t,
            parse: (text) => ((0,toolbox_image/* splitToolboxImage */.d)(text) === undefined ? undefined : text),
        }),
        allowHostNetwork: inputs.withDefault('allow-host-network', 'false', booleanForm),
    };
    target_reportUnused(inputs, target);
    return target;
}
/** `pod` names a pod or a deployment; at node level `node` may name a node. */
function readQuery(inputs) {
    if (!inputs.isSet('node'))
        return readPod(inputs);
    if (inputs.text('level') !== 'node') {
        inputs.report('E_INPUT_UNUSED', 'node', 'has no effect without `level: node`', 'Set `level: node`, or name a `pod` instead.');
    }
    if (inputs.isSet('pod')) {
        inputs.report('E_INPUT_CONFLICT', 'pod, node', 'both name what to capture', 'Set one of them. With `pod` and `level: node`, the node of the pod is captured.');
    }
    return inputs.required('node', {
        accepts: 'the name of a node',
        parse: (text) => ((0,kubernetes_names/* isObjectName */.V)(text) ? { kind: 'node', name: text } : undefined),
    });
}
function readPod(inputs) {
    const other = otherKindOf(inputs.text('pod') ?? '');
    if (other === undefined)
        return inputs.required('pod', podForm);
    const fix = other.singular === 'node'
        ? 'Set the input `node` with `level: node`, in place of `pod`.'
        : `Name one of its pods (\`kubectl get pods\`), or deployment/NAME.`;
    inputs.report('E_INPUT_INVALID', 'pod', `names a ${other.singular}, which is not supported`, fix);
    return undefined; // the run ends with the problem before the value is read
}
const podKind = { singular: 'pod', plural: 'pods', short: 'po', group: '' };
const deploymentKind = { singular: 'deployment', plural: 'deployments', short: 'deploy', group: 'apps' };
/** What has pods too, or is captured in another way: a clear error in place of "is not valid". */
const otherKinds = [
    { singular: 'statefulset', plural: 'statefulsets', short: 'sts', group: 'apps' },
    { singular: 'daemonset', plural: 'daemonsets', short: 'ds', group: 'apps' },
    { singular: 'replicaset', plural: 'replicasets', short: 'rs', group: 'apps' },
    { singular: 'job', plural: 'jobs', short: 'job', group: 'batch' },
    { singular: 'cronjob', plural: 'cronjobs', short: 'cj', group: 'batch' },
    { singular: 'replicationcontroller', plural: 'replicationcontrollers', short: 'rc', group: '' },
    { singular: 'service', plural: 'services', short: 'svc', group: '' },
    { singular: 'node', plural: 'nodes', short: 'no', group: '' },
];
const podForm = {
    accepts: 'the name of a pod, or deployment/NAME',
    parse: (text) => {
        const [first = '', second, third] = text.split('/');
        if (third !== undefined)
            return undefined;
        const name = second ?? first;
        const kind = second === undefined || isNamed(first, podKind) ? 'pod' : isNamed(first, deploymentKind) && 'deployment';
        return kind && (0,kubernetes_names/* isObjectName */.V)(name) ? { kind, name } : undefined;
    },
};
function otherKindOf(text) {
    const [first = '', second] = text.split('/');
    return second === undefined ? undefined : otherKinds.find((kind) => isNamed(first, kind));
}
/**
 * Whether kubectl reads the text before the slash as this kind, in any case: `deploy`, `deployment.apps` (as `-o name` prints it),
 * `deployments.v1.apps` (RESOURCE.VERSION.GROUP; the core group is empty: `pods.v1.`).
 */
function isNamed(text, { singular, plural, short, group }) {
    const [resource = '', ...rest] = text.toLowerCase().split('.');
    const suffix = rest.join('.');
    const suffixes = rest.length === 0 ? [''] : group === '' ? ['v1.'] : [group, `v1.${group}`];
    return [singular, plural, short].includes(resource) && suffixes.includes(suffix);
}
/** Inputs that the chosen level or method does not read: the user expects a capture other than the one that would be made. */
function target_reportUnused(inputs, { level, nodeMethod, nodeNamespace, toolboxImage }) {
    if (level === 'pod') {
        const unused = [
            ...(nodeMethod === undefined || nodeMethod === defaultNodeMethod ? [] : ['node-method']),
            ...(nodeNamespace === undefined || nodeNamespace === defaultNodeNamespace ? [] : ['node-namespace']),
            ...(toolboxImage === undefined ? [] : ['toolbox-image']),
        ];
        for (const name of unused) {
            inputs.report('E_INPUT_UNUSED', name, 'has no effect without `level: node`', `Set \`level: node\`, or remove \`${name}\`.`);
        }
    }
    else if (toolboxImage !== undefined && nodeMethod === 'pod') {
        inputs.report('E_INPUT_UNUSED', 'toolbox-image', 'has no effect with `node-method: pod`', 'Remove it: the image of a node pod is the input `image`.');
    }
}

;// CONCATENATED MODULE: ./src/inputs/request.ts








/**
 * Reads every input.
 * @throws ConfigurationError that lists every problem of every input at once
 */
function readRequest(source) {
    const inputs = new InputReader(source);
    const request = {
        ...readTarget(inputs),
        limits: readLimits(inputs),
        ...readRecorder(inputs),
        access: readAccess(inputs),
        preflight: inputs.withDefault('preflight', 'on', choiceOf(['on', 'only'])),
        ...readDelivery(inputs),
    };
    if (inputs.problems.length > 0)
        throw new errors/* ConfigurationError */.j1(inputs.problems, { stage: 'inputs', leftovers: [] });
    return deepFreeze(request);
}
function deepFreeze(value) {
    for (const part of Object.values(value))
        if (typeof part === 'object' && part !== null)
            deepFreeze(part);
    return Object.freeze(value);
}


/***/ }),

/***/ 79423:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   B1: () => (/* binding */ withNames),
/* harmony export */   Mh: () => (/* binding */ addressesIn),
/* harmony export */   my: () => (/* binding */ withNamedEnds)
/* harmony export */ });
/** More are not shown. */
const maxPeersCount = 100;
/** Every address that the diagnosis names, at most some thousand. */
function addressesIn({ findings, servers, details }) {
    const ends = findings.flatMap(({ evidence }) => evidence.flatMap(({ client, server, backend = server }) => [client, server, backend]));
    const peers = details.peers.slice(0, maxPeersCount);
    return new Set([
        ...[...ends, ...servers.map(({ server }) => server), ...peers.map(({ server }) => server)].map(({ address }) => address),
        ...peers.map(({ client }) => client),
    ]);
}
/** The diagnosis with names in place of addresses in its sentences. Display filters, and the ends in its tables and evidence, keep the addresses. */
function withNames(diagnosis, names) {
    const pattern = patternOf(names);
    if (pattern === undefined)
        return diagnosis;
    const named = (value) => value.replace(pattern, (match) => names.get(match.replace(/^\[|\]$/g, '')) ?? match);
    const namedText = (one) => ({ ...one, text: named(one.text) });
    const { details } = diagnosis;
    const { worst } = details;
    return {
        ...diagnosis,
        details: worst === undefined ? details : { ...details, worst: { ...worst, title: named(worst.title) } },
        sentence: named(diagnosis.sentence),
        detail: named(diagnosis.detail),
        because: named(diagnosis.because),
        findings: diagnosis.findings.map((finding) => ({
            ...finding,
            title: named(finding.title),
            likelyCauses: finding.likelyCauses.map(named),
            nextSteps: finding.nextSteps.map(named),
        })),
        withheld: diagnosis.withheld.map(namedText),
        clean: diagnosis.clean.map(namedText),
        limits: diagnosis.limits.map(namedText),
    };
}
/** The diagnosis for a reader, with names in place of addresses also in the ends of the evidence, in the tables and in the diagram. */
function withNamedEnds(diagnosis, names) {
    const named = ({ address, port }) => ({ address: names.get(address) ?? address, port });
    return {
        ...diagnosis,
        servers: diagnosis.servers.map((times) => ({ ...times, server: named(times.server) })),
        details: detailsWithNamedEnds(diagnosis.details, named),
        findings: diagnosis.findings.map((finding) => ({
            ...finding,
            evidence: finding.evidence.map((one) => ({
                ...one,
                client: named(one.client),
                server: named(one.server),
                backend: one.backend && named(one.backend),
            })),
        })),
    };
}
function detailsWithNamedEnds(details, named) {
    const namedServer = (row) => ({ ...row, server: named(row.server) });
    const { peers, dns, tls, http, worst } = details;
    return {
        ...details,
        peers: peers.map((peer) => ({ ...namedServer(peer), client: named({ address: peer.client, port: 0 }).address })),
        dns: { ...dns, servers: dns.servers.map(namedServer) },
        tls: { ...tls, failures: tls.failures.map(namedServer), certificates: tls.certificates.map(namedServer) },
        http: { ...http, servers: http.servers.map(namedServer) },
        worst: worst && { ...namedServer(worst), client: named(worst.client) },
    };
}
/** Whole addresses: 10.0.0.1 is no part of 10.0.0.12 or of 110.0.0.1. IPv6 is in brackets where a port follows. */
function patternOf(names) {
    const addresses = [...names.keys()].filter((address) => /^[\d.]+$|^[\da-f:.]+$/i.test(address));
    if (addresses.length === 0)
        return undefined;
    const forms = addresses.map((address) => {
        const escaped = address.replaceAll('.', String.raw `\.`);
        return address.includes(':')
            ? String.raw `\[${escaped}\]|(?<![\w:.])${escaped}(?![\w:.])`
            : String.raw `(?<![\w.])${escaped}(?![\d]|\.\d)`;
    });
    return new RegExp(forms.join('|'), 'g');
}


/***/ }),

/***/ 31054:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   Ak: () => (/* binding */ timesOfDay),
/* harmony export */   Aq: () => (/* binding */ timesText),
/* harmony export */   F7: () => (/* binding */ culpritText),
/* harmony export */   MW: () => (/* binding */ captureText),
/* harmony export */   e3: () => (/* binding */ stallText),
/* harmony export */   om: () => (/* binding */ safeLine),
/* harmony export */   pA: () => (/* binding */ severityText),
/* harmony export */   rS: () => (/* binding */ evidenceText),
/* harmony export */   u2: () => (/* binding */ framesText)
/* harmony export */ });
/* harmony import */ var _analysis_findings_wording_js__WEBPACK_IMPORTED_MODULE_3__ = __webpack_require__(9713);
/* harmony import */ var _common_remote_text_js__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(14551);
/* harmony import */ var _common_quantities_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(22660);
/* harmony import */ var _wording_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(25594);




/** Of one text: names in packets are chosen by their sender. */
const maxTextLength = 1_000;
const maxFramesCount = 5;
const culprits = {
    network: 'the network',
    dns: 'name resolution',
    peer: 'the application on the other side',
    self: 'the application on this side',
    tls: 'TLS',
    policy: 'a rule that drops or refuses packets',
    none: 'none',
};
/** Text from packets in one line that a terminal, the log of a job and a program that prints a value can show. */
function safeLine(value) {
    return (0,_common_remote_text_js__WEBPACK_IMPORTED_MODULE_2__/* .plain */ .pj)((0,_common_remote_text_js__WEBPACK_IMPORTED_MODULE_2__/* .toOneLine */ .GX)(value, maxTextLength));
}
function culpritText({ culprit }) {
    return culprits[culprit];
}
/** "2,192 packets, 1.2 MB, 61s from 2026-11-22 03:12:45 UTC" */
function captureText({ capture }) {
    const { packets, bytesOnWire, durationSeconds, firstMs } = capture;
    const start = (0,_wording_js__WEBPACK_IMPORTED_MODULE_1__/* .isoTime */ .Ly)(firstMs);
    const when = start === undefined ? '' : `, ${lengthText(durationSeconds)} from ${dateAndTime(start)} UTC`;
    return `${(0,_wording_js__WEBPACK_IMPORTED_MODULE_1__/* .formatCount */ .B4)(packets)} ${packets === 1 ? 'packet' : 'packets'}, ${(0,_common_quantities_js__WEBPACK_IMPORTED_MODULE_0__/* .formatSize */ .Xq)(bytesOnWire)}${when}`;
}
function lengthText(seconds) {
    return seconds < 1 ? (0,_analysis_findings_wording_js__WEBPACK_IMPORTED_MODULE_3__/* .durationText */ .S5)(seconds * 1_000) : (0,_common_quantities_js__WEBPACK_IMPORTED_MODULE_0__/* .formatDuration */ .a3)(seconds);
}
/** "03:13:02 to 03:13:05 UTC, packets 5, 9, 12" */
function evidenceText(finding) {
    const times = timesOfDay(finding);
    const frames = [...new Set(finding.evidence.flatMap((one) => one.frames))].toSorted((one, other) => one - other);
    const more = frames.length > maxFramesCount ? ' \u2026' : '';
    return `${times === undefined ? '' : `${times} UTC, `}${framesText(frames.slice(0, maxFramesCount))}${more}`;
}
/** "at 03:13:02", "03:13:02 to 03:13:05"; undefined: the times are not known */
function timesOfDay({ evidence }) {
    const first = Math.min(...evidence.map(({ firstMs }) => firstMs));
    const last = Math.max(...evidence.map(({ lastMs }) => lastMs));
    const start = (0,_wording_js__WEBPACK_IMPORTED_MODULE_1__/* .isoTime */ .Ly)(first)?.slice(11, 19);
    const end = (0,_wording_js__WEBPACK_IMPORTED_MODULE_1__/* .isoTime */ .Ly)(last)?.slice(11, 19);
    if (start === undefined || end === undefined)
        return undefined;
    return start === end ? `at ${start}` : `${start} to ${end}`;
}
/** "packet 5", "packets 5, 9, 12" */
function framesText(frames) {
    return `${frames.length === 1 ? 'packet' : 'packets'} ${frames.join(', ')}`;
}
function severityText({ severity }) {
    return severity.toUpperCase();
}
/** "p50 0.3 ms, p95 2.4 s"; undefined: not measured */
function timesText(times) {
    if (times === undefined)
        return undefined;
    if (times.count === 1)
        return (0,_analysis_findings_wording_js__WEBPACK_IMPORTED_MODULE_3__/* .durationText */ .S5)(times.p50_ms);
    return `p50 ${(0,_analysis_findings_wording_js__WEBPACK_IMPORTED_MODULE_3__/* .durationText */ .S5)(times.p50_ms)}, p95 ${(0,_analysis_findings_wording_js__WEBPACK_IMPORTED_MODULE_3__/* .durationText */ .S5)(times.p95_ms)}`;
}
/** How long the data of the server's connections waited because its reader did not take it; undefined: never */
function stallText({ serverStallMs, clientStallMs }) {
    const parts = [
        ...(serverStallMs > 0 ? [`server ${(0,_analysis_findings_wording_js__WEBPACK_IMPORTED_MODULE_3__/* .durationText */ .S5)(serverStallMs)}`] : []),
        ...(clientStallMs > 0 ? [`client ${(0,_analysis_findings_wording_js__WEBPACK_IMPORTED_MODULE_3__/* .durationText */ .S5)(clientStallMs)}`] : []),
    ];
    return parts.length === 0 ? undefined : parts.join(', ');
}
function dateAndTime(iso) {
    return iso.slice(0, 19).replace('T', ' ');
}


/***/ }),

/***/ 4497:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   p: () => (/* binding */ findingsJson)
/* harmony export */ });
/* harmony import */ var _diagnosis_wording_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(31054);
/* harmony import */ var _wording_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(25594);


const version = 1;
/**
 * findings.json, as docs/findings.schema.json describes it. Text from packets is one line without control characters and workflow commands; it is not
 * escaped for HTML or Markdown. `file`: the name of the capture. With `maxBytes`, what does not fit is left out from the end of the longest
 * lists, and counted in `omitted`.
 */
function findingsJson(diagnosis, file, maxBytes = Infinity) {
    const { capture, sentence, detail, culprit, severity, sureness, because } = diagnosis;
    const result = {
        version,
        file,
        sentence,
        detail,
        culprit,
        severity,
        sure: { level: sureness, reason: because },
        findings: diagnosis.findings.map(findingJson),
        withheld: diagnosis.withheld,
        clean: diagnosis.clean,
        limits: diagnosis.limits,
        servers: diagnosis.servers.map(serverJson),
        capture: {
            packets: capture.packets,
            bytes: capture.bytesOnWire,
            first: (0,_wording_js__WEBPACK_IMPORTED_MODULE_1__/* .isoTime */ .Ly)(capture.firstMs) ?? null,
            last: (0,_wording_js__WEBPACK_IMPORTED_MODULE_1__/* .isoTime */ .Ly)(capture.lastMs) ?? null,
            duration_s: capture.durationSeconds,
            tcp_connections: capture.tcpConnections,
            without_handshake: capture.withoutHandshake,
            flows_both_directions: capture.twoWay,
            flows_one_direction: capture.oneWay,
            dropped: capture.dropped,
            gaps: capture.gaps,
            cut_packets: capture.snapped,
            copies: capture.copies,
            other_hosts: capture.otherHosts,
            is_cut_short: capture.isCutShort,
            damage: capture.broken ?? null,
            not_kept: capture.notKept,
        },
    };
    return fitted(result, maxBytes);
}
/** Lists that may be left out in part, the least important first. */
const omittable = ['servers', 'withheld', 'findings'];
function fitted(result, maxBytes) {
    let json = safeJson(result);
    const shortened = { ...result, omitted: { servers: 0, withheld: 0, findings: 0 } };
    for (const name of omittable) {
        while (Buffer.byteLength(json) > maxBytes && shortened[name].length > 0) {
            const keptCount = Math.floor(shortened[name].length / 2);
            shortened.omitted[name] += shortened[name].length - keptCount;
            shortened[name] = shortened[name].slice(0, keptCount);
            json = safeJson(shortened);
        }
    }
    return json;
}
function safeJson(value) {
    return JSON.stringify(value, (_key, part) => (typeof part === 'string' ? (0,_diagnosis_wording_js__WEBPACK_IMPORTED_MODULE_0__/* .safeLine */ .om)(part) : part));
}
function findingJson(finding) {
    const { id, severity, title, count, displayFilter, likelyCauses, nextSteps, facts, evidence } = finding;
    return {
        id,
        severity,
        title,
        count,
        display_filter: displayFilter,
        likely_causes: likelyCauses,
        next_steps: nextSteps,
        facts,
        evidence: evidence.map(evidenceJson),
    };
}
function evidenceJson({ client, server, backend, frames, firstMs, lastMs }) {
    return {
        client: endpointJson(client),
        server: endpointJson(server),
        ...(backend === undefined ? {} : { backend: endpointJson(backend) }),
        packets: frames,
        first: (0,_wording_js__WEBPACK_IMPORTED_MODULE_1__/* .isoTime */ .Ly)(firstMs) ?? null,
        last: (0,_wording_js__WEBPACK_IMPORTED_MODULE_1__/* .isoTime */ .Ly)(lastMs) ?? null,
    };
}
function endpointJson({ address, port }) {
    return { address, port };
}
function serverJson(times) {
    const { server, connections, requests, failures, roundTrip, thinkTime, serverStallMs, clientStallMs } = times;
    return {
        server: endpointJson(server),
        connections,
        requests,
        failures,
        round_trip: roundTrip ?? null,
        think_time: thinkTime ?? null,
        server_stall_ms: Math.round(serverStallMs * 1e3) / 1e3,
        client_stall_ms: Math.round(clientStallMs * 1e3) / 1e3,
    };
}


/***/ }),

/***/ 25594:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   B4: () => (/* binding */ formatCount),
/* harmony export */   IC: () => (/* binding */ stopText),
/* harmony export */   Ly: () => (/* binding */ isoTime),
/* harmony export */   yq: () => (/* binding */ subjectText)
/* harmony export */ });
/* harmony import */ var _common_quantities_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(22660);

/** 12,345 */
function formatCount(value) {
    return value.toLocaleString('en-US');
}
/** Why the capture stopped: `duration reached (60 s)`. */
function stopText({ stopReason, limits }) {
    switch (stopReason) {
        case 'duration':
            return `duration reached (${limits.durationSeconds} s)`;
        case 'size':
            return `max-size reached (${(0,_common_quantities_js__WEBPACK_IMPORTED_MODULE_0__/* .formatSize */ .Xq)(limits.maxBytes)})`;
        case 'packets':
            return `max-packets reached (${formatCount(limits.maxPackets ?? 0)})`;
        case 'cancelled':
            return 'run cancelled';
        case 'target-completed':
            return 'target completed';
        case 'target-gone':
            return 'target gone (see the verdict)';
        case 'error':
            return 'error (see the verdict)';
    }
}
/** `2026-11-22T03:04:05.678Z`; undefined for a time that is not known, or that no calendar shows. `ms`: since the epoch */
function isoTime(ms) {
    const date = new Date(ms ?? NaN);
    return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}
/** `pod web-1 in shop`, `node node-1`. */
function subjectText({ pod, node }) {
    return pod === undefined ? `node ${node}` : `pod ${pod.name} in ${pod.namespace}`;
}


/***/ }),

/***/ 27137:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   e: () => (/* binding */ githubIdToken)
/* harmony export */ });
/* harmony import */ var _common_errors_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(71922);
/* harmony import */ var _common_library_proxy_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(88179);
/* harmony import */ var _common_remote_text_js__WEBPACK_IMPORTED_MODULE_5__ = __webpack_require__(14551);
/* harmony import */ var _common_system_authorities_js__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(88936);
/* harmony import */ var _common_timeouts_js__WEBPACK_IMPORTED_MODULE_3__ = __webpack_require__(79005);
/* harmony import */ var _workflow_commands_js__WEBPACK_IMPORTED_MODULE_4__ = __webpack_require__(91520);







/** The toolkit has no time limit of its own. */
const defaultTimeoutMs = 30_000;
/**
 * GitHub's ID token of this job for the audience. `input` is the one that an error names.
 * @throws ConfigurationError where GitHub does not answer, or fails; the toolkit's error where it rejects the request
 */
async function githubIdToken(audience, input, timeoutMs = defaultTimeoutMs) {
    let token;
    try {
        (0,_common_system_authorities_js__WEBPACK_IMPORTED_MODULE_2__/* .trustSystemAuthorities */ .$)();
        const { getIDToken } = await __webpack_require__.e(/* import() */ 659).then(__webpack_require__.bind(__webpack_require__, 91659));
        token = await (0,_workflow_commands_js__WEBPACK_IMPORTED_MODULE_4__/* .withLibraryOutput */ .h)(_common_remote_text_js__WEBPACK_IMPORTED_MODULE_5__/* .plain */ .pj, () => (0,_common_timeouts_js__WEBPACK_IMPORTED_MODULE_3__/* .orTimeout */ .TO)((0,_common_library_proxy_js__WEBPACK_IMPORTED_MODULE_1__/* .withProxyRules */ .E)(() => getIDToken(audience)), timeoutMs));
    }
    catch (error) {
        throw isRefusal(error) ? error : outage(input, (0,_common_errors_js__WEBPACK_IMPORTED_MODULE_0__/* .messageOf */ .bD)(error));
    }
    if (token === _common_timeouts_js__WEBPACK_IMPORTED_MODULE_3__/* .timedOut */ .iU)
        throw outage(input, `no answer within ${timeoutMs / 1000} s`);
    return token;
}
/** The toolkit reports the status in its message alone: `Error Code : 403`. */
function isRefusal(error) {
    return /Error Code : 4(?!08|29)\d\d|ACTIONS_ID_TOKEN_REQUEST/.test((0,_common_errors_js__WEBPACK_IMPORTED_MODULE_0__/* .messageOf */ .bD)(error));
}
function outage(input, cause) {
    return new _common_errors_js__WEBPACK_IMPORTED_MODULE_0__/* .ConfigurationError */ .j1({
        code: 'E_ID_TOKEN_UNAVAILABLE',
        input,
        problem: `GitHub's ID token service failed or cannot be reached (${(0,_common_remote_text_js__WEBPACK_IMPORTED_MODULE_5__/* .toOneLine */ .GX)(cause, 300)})`,
        fix: 'Run the job again later. On a self-hosted runner, check that it reaches the host of ACTIONS_ID_TOKEN_REQUEST_URL.',
    });
}


/***/ }),

/***/ 81002:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {


// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  V: () => (/* binding */ defaultArtifactName),
  c: () => (/* binding */ readJob)
});

// EXTERNAL MODULE: external "node:crypto"
var external_node_crypto_ = __webpack_require__(77598);
// EXTERNAL MODULE: external "node:os"
var external_node_os_ = __webpack_require__(48161);
// EXTERNAL MODULE: external "node:path"
var external_node_path_ = __webpack_require__(76760);
// EXTERNAL MODULE: ./src/common/jwt.ts
var jwt = __webpack_require__(52424);
;// CONCATENATED MODULE: ./src/runner/artifact-service.ts

const withoutArtifact = 'Set `upload: none`, and store the file of the output `pcap-path` in a later step of the job: without one, it is lost with a hosted runner.';
/**
 * Why @actions/artifact cannot upload from this job, by its own rules (shared/config.js and shared/util.js of the package); undefined where it can.
 * They depend only on variables of the runner, so the upload need not fail after the capture.
 */
function artifactServiceProblem(env) {
    const lack = lackOf(env);
    if (lack === undefined)
        return undefined;
    return {
        code: 'E_ARTIFACT_SERVICE_UNAVAILABLE',
        input: 'upload',
        problem: `\`artifact\` is not possible here: ${lack}`,
        fix: withoutArtifact,
    };
}
function lackOf(env) {
    const host = serverHost(env['GITHUB_SERVER_URL']);
    if (!isSupported(host)) {
        return `${host} is GitHub Enterprise Server or another forge, whose artifact service @actions/artifact does not support`;
    }
    for (const name of ['ACTIONS_RUNTIME_TOKEN', 'ACTIONS_RESULTS_URL']) {
        if (!env[name])
            return `the runner names no artifact service (${name} is not set)`;
    }
    if (!URL.canParse(env['ACTIONS_RESULTS_URL'] ?? ''))
        return 'ACTIONS_RESULTS_URL of the runner is not a URL';
    const { scp } = (0,jwt/* parseJwtClaims */.a)(env['ACTIONS_RUNTIME_TOKEN'] ?? '');
    const scopes = typeof scp === 'string' ? scp.split(' ') : [];
    if (!scopes.some((scope) => /^Actions\.Results:[^:]*:[^:]*$/.test(scope))) {
        return 'the runner gives the job no right to artifacts (ACTIONS_RUNTIME_TOKEN has no scope Actions.Results)';
    }
    return undefined;
}
function serverHost(url) {
    try {
        return new URL(url || 'https://github.com').hostname;
    }
    catch {
        return url ?? '';
    }
}
function isSupported(host) {
    return /(^github\.com|\.ghe\.com|\.localhost)$/i.test(host);
}

;// CONCATENATED MODULE: ./src/runner/job.ts




function readJob(env) {
    const repository = env['GITHUB_REPOSITORY'] ?? '';
    const runId = env['GITHUB_RUN_ID'] ?? '0';
    const server = (env['GITHUB_SERVER_URL'] ?? 'https://github.com').replace(/\/+$/, '');
    return {
        repository,
        runId,
        attempt: env['GITHUB_RUN_ATTEMPT'] ?? '1',
        job: env['GITHUB_JOB'] ?? 'job',
        temp: (0,external_node_path_.join)(env['RUNNER_TEMP'] ?? (0,external_node_os_.tmpdir)(), 'kubernetes-packet-capture'),
        artifactProblem: artifactServiceProblem(env),
        artifactUrl: (id) => `${server}/${repository}/actions/runs/${runId}/artifacts/${id}`,
    };
}
/** Unique for each capture: jobs of a matrix share GITHUB_JOB, and two captures may share a job. `subject`: the name of the pod or node. */
function defaultArtifactName(subject, job) {
    const name = [
        'capture',
        subject.slice(0, 80),
        job.runId,
        job.attempt,
        job.job.slice(0, 60),
        (0,external_node_crypto_.randomBytes)(4).toString('hex'),
    ];
    return name.join('-').replace(/[^\w.-]/g, '_');
}


/***/ }),

/***/ 95989:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   $: () => (/* binding */ maskSecret)
/* harmony export */ });
/* harmony import */ var _workflow_commands_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(91520);

const masked = new Set();
/** Masks a secret and its base64 in the log: kubeconfigs, Kubernetes Secrets and basic authentication contain it in that form. */
function maskSecret(secret) {
    if (secret === '' || masked.has(secret))
        return;
    masked.add(secret);
    (0,_workflow_commands_js__WEBPACK_IMPORTED_MODULE_0__/* .issueCommand */ .L)('add-mask', secret);
    (0,_workflow_commands_js__WEBPACK_IMPORTED_MODULE_0__/* .issueCommand */ .L)('add-mask', Buffer.from(secret).toString('base64'));
}


/***/ })

};
