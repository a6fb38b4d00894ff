export const id = 861;
export const ids = [861];
export const modules = {

/***/ 38097:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   $: () => (/* binding */ slack),
/* harmony export */   G0: () => (/* binding */ deadlineOf),
/* harmony export */   Qm: () => (/* binding */ recorderContainer),
/* harmony export */   XS: () => (/* binding */ spoolDirectories),
/* harmony export */   aI: () => (/* binding */ containerPrefix),
/* harmony export */   fM: () => (/* binding */ recorderParameters),
/* harmony export */   o2: () => (/* binding */ spoolLimitFor),
/* harmony export */   pR: () => (/* binding */ mostHold),
/* harmony export */   xN: () => (/* binding */ containerName)
/* harmony export */ });
/* unused harmony export quantity */
/* harmony import */ var node_crypto__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(77598);
/* harmony import */ var node_crypto__WEBPACK_IMPORTED_MODULE_0___default = /*#__PURE__*/__webpack_require__.n(node_crypto__WEBPACK_IMPORTED_MODULE_0__);
/* harmony import */ var _scripts_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(81386);


/** The name of a capture's container: ours and the repository's by its beginning, unique by its end. A DNS label. */
function containerName(repository) {
    return `${containerPrefix(repository)}${(0,node_crypto__WEBPACK_IMPORTED_MODULE_0__.randomBytes)(4).toString('hex')}`;
}
function containerPrefix(repository) {
    return `packet-capture-${(0,node_crypto__WEBPACK_IMPORTED_MODULE_0__.createHash)('sha256').update(repository).digest('hex').slice(0, 6)}-`;
}
/** Where the recorder's files are: on the container's disk, or in memory where that has no room. */
function spoolDirectories(container) {
    return [`/tmp/${container}`, `/dev/shm/${container}`];
}
/** Seconds beyond start-timeout and duration until everything in the pod is over: the linger, the hash, a slow last fetch. */
const slack = 60;
/** Epoch seconds, by the API server's clock, at which a capture that begins now must be over. */
function deadlineOf(plan, serverTime) {
    return Math.ceil(serverTime / 1000) + plan.startTimeout + plan.duration + slack;
}
/** Seconds after its deadline that a recorder waits at most for somebody to fetch the rest. */
const mostHold = 600;
/** The recorder's container, as the strategic merge patch of pods/ephemeralcontainers takes it. */
function recorderContainer(name, plan, deadline) {
    const parameters = recorderParameters(name, plan, deadline);
    return {
        name,
        image: plan.image,
        imagePullPolicy: 'IfNotPresent',
        command: ['sh', '-c', literal(_scripts_js__WEBPACK_IMPORTED_MODULE_1__/* .recorderScript */ .OY)],
        env: Object.entries(parameters).map(([key, value]) => ({ name: key, value: literal(String(value)) })),
        securityContext: {
            runAsUser: 0,
            runAsNonRoot: false,
            // The runtime's default capabilities have NET_RAW on containerd; naming them would be refused under Pod Security `baseline`.
            ...(plan.capabilities.length > 0 ? { capabilities: { add: plan.capabilities } } : {}),
        },
    };
}
/** What the recorder reads from its environment. */
function recorderParameters(name, plan, deadline) {
    return {
        CAPTURE_NAME: name,
        CAPTURE_DEADLINE: deadline,
        CAPTURE_FILTER: plan.filter,
        CAPTURE_INTERFACE: plan.interface,
        CAPTURE_SNAPLEN: plan.snaplen,
        CAPTURE_DURATION: plan.duration,
        CAPTURE_SIZE: plan.size,
        CAPTURE_PACKETS: plan.packets ?? '',
        CAPTURE_BUFFER: ringKiB,
        CAPTURE_SPOOL: plan.spoolLimit,
        CAPTURE_SEGMENT: Math.min(4, Math.max(1, Math.floor(plan.spoolLimit / 16e6))),
        CAPTURE_OWNER_TIMEOUT: plan.ownerTimeout,
        CAPTURE_FOLLOWER: _scripts_js__WEBPACK_IMPORTED_MODULE_1__/* .followerScript */ .u6,
    };
}
/** tcpdump's -B, KiB: two seconds of 50,000 packets of 300 bytes; libpcap's default of 2 MiB overflows at 20,000 a second. */
const ringKiB = 32768;
/** Kubernetes expands $(NAME) in command and env, and turns $$ into $ (k8s.io/kubernetes third_party/forked/golang/expansion). */
function literal(text) {
    return text.replaceAll('$', '$$$$');
}
/** How much of the node's disk the spool may take beside a pod: the pod is evicted when its containers together exceed its ephemeral-storage limits. */
function spoolLimitFor(target, wanted) {
    const limits = (target.facts.spec?.containers ?? [])
        .map((container) => quantity(container.resources?.limits?.['ephemeral-storage']))
        .filter((limit) => limit !== undefined);
    if (limits.length === 0)
        return wanted;
    const sum = limits.reduce((a, b) => a + b, 0);
    return Math.min(wanted, Math.floor(sum * shareOfPodLimit));
}
const shareOfPodLimit = 0.4;
/** Bytes of a Kubernetes quantity (apimachinery, resource.Quantity); undefined where it is absent or not understood. */
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

/***/ 68850:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   K: () => (/* binding */ foreignWords)
/* harmony export */ });
/**
 * Words of a node or a pod, cut to `most` UTF-16 units, for the state of the run: that travels to the post step in one environment variable,
 * for which Linux has 128 KiB (MAX_ARG_STRLEN). Control characters, of which JSON makes six each, become blanks.
 */
function foreignWords(text, most) {
    return text
        .slice(0, most)
        .replace(/[\u0000-\u001f\u007f]/g, ' ')
        .toWellFormed();
}


/***/ }),

/***/ 54803:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   FF: () => (/* binding */ without),
/* harmony export */   LN: () => (/* binding */ ways),
/* harmony export */   U1: () => (/* binding */ execStream),
/* harmony export */   dI: () => (/* binding */ filterWithoutSsh),
/* harmony export */   i$: () => (/* binding */ noWays),
/* harmony export */   pe: () => (/* binding */ filterForPod),
/* harmony export */   sO: () => (/* binding */ addressesOf)
/* harmony export */ });
/* harmony import */ var _errors_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(83916);

/** The addresses of a pod, of both families, as `status` has them; empty while it has none. */
function addressesOf({ status }) {
    const single = status?.podIP === undefined ? [] : [{ ip: status.podIP }];
    return (status?.podIPs ?? single).flatMap(({ ip }) => (ip === undefined ? [] : [ip]));
}
/** Words after which pcap-filter(7) looks behind a header: what stands before them no longer finds the pod's address. */
const shifting = /(?:^|[\s(!])(vlan|mpls|pppoed|pppoes|geneve|vxlan)(?![\w.-])/i;
/**
 * The filter of a node's capture, narrowed to the addresses of one pod and to what the user asked for.
 * @throws ConfigurationError where it has no address, or the two cannot be joined
 */
function filterForPod(pod, filter, own = noWays) {
    const addresses = addressesOf(pod);
    if (addresses.length === 0) {
        throw new _errors_js__WEBPACK_IMPORTED_MODULE_0__/* .ConfigurationError */ .j1(`pod: ${JSON.stringify(pod.metadata?.name ?? '?')} has no address yet, so its traffic cannot be told from the node's. Capture once it is ready. Nothing was created.`);
    }
    const word = shifting.exec(filter)?.[1];
    if (word !== undefined) {
        throw new _errors_js__WEBPACK_IMPORTED_MODULE_0__/* .ConfigurationError */ .j1(`filter: ${JSON.stringify(word)} looks behind a header, and what is joined to it for the pod's address does not, so nothing could match. ` +
            'Name the `node` (with `allow-host-network: true`) instead of the pod, and the address in your filter. Nothing was created.');
    }
    const hosts = addresses.map((address) => `host ${address}`).join(' or ');
    return and(and(hosts, excluding(...waysOut(pod, addresses, own))), filter);
}
/** Of a runner that is nowhere near the node. */
const noWays = { runner: [], node: [], peers: [], behind: [] };
/** Konnectivity's agents carry what the API server says to kubelets (konnectivity-client's default of --proxy-server-port). */
const konnectivityPort = 8132;
/**
 * What a capture of the whole node by a node pod leaves out: its own stream, each packet of which would make further ones. The
 * stream goes from the API server to the kubelet's port, and from there over the loopback to the container runtime.
 */
function execStream(kubeletPort, own) {
    return [`tcp port ${kubeletPort}`, `tcp port ${konnectivityPort}`, 'net 127.0.0.0/8', 'host ::1', ...ways(own)];
}
/** The addresses that Identity-Aware Proxy's tunnels come from: https://cloud.google.com/iap/docs/using-tcp-forwarding */
const iapRanges = ['35.235.240.0/20', '2600:2d00:1:7::/64'];
/** The same by SSH. `connection` is the node's SSH_CONNECTION: `CLIENT PORT SERVER PORT`; a later connection may come from another address of the tunnel's. */
function filterWithoutSsh(connection, filter) {
    const [client = '', , , port = '22'] = connection.split(' ');
    const clients = [...(client === '' ? [] : [`host ${client}`]), ...iapRanges.map((range) => `net ${range}`)];
    return and(excluding(`tcp port ${port} and (${clients.join(' or ')})`), filter);
}
/**
 * The runner's own connections, as the node's interfaces show them: from the pod that it is, and behind the node's address to a peer. What
 * others say to the same peers stays, as far as it is not behind the node's address.
 */
function ways({ runner, node, peers, behind }) {
    const leaving = (to) => node.map((address) => `host ${address} and ${to}`);
    /** A server on the node itself: there the connection is the same from end to end. */
    const isHere = (address) => node.includes(address) || /^127\.|^::1$/.test(address);
    return [
        ...runner.map((address) => `tcp and host ${address}`),
        ...peers.flatMap(({ address, port }) => {
            const to = `host ${address} and tcp port ${port}`;
            return isHere(address) ? [to] : leaving(to);
        }),
        ...behind.flatMap((port) => leaving(`tcp port ${port}`)),
    ];
}
/** Of a pod that carries the capture's own stream: of Konnectivity's agent, of the runner itself. */
function waysOut({ metadata }, addresses, { runner, peers, behind }) {
    const agent = metadata?.labels?.['k8s-app'] === 'konnectivity-agent' ? [`tcp port ${konnectivityPort}`] : [];
    if (!runner.some((address) => addresses.includes(address)))
        return agent;
    return [
        ...agent,
        ...peers.map(({ address, port }) => `host ${address} and tcp port ${port}`),
        ...behind.map((port) => `tcp port ${port}`),
    ];
}
/** The user's filter, without what matches one of `these`. */
function without(these, filter) {
    return and(excluding(...these), filter);
}
function excluding(...these) {
    return these.map((one) => `not (${one})`).join(' and ');
}
function and(first, second) {
    if (first === '' || second === '')
        return first || second;
    return `(${first}) and (${second})`;
}


/***/ }),

/***/ 78309:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   q: () => (/* binding */ longestMessage)
/* harmony export */ });
/** Of a recorder's last words, UTF-16 units: as many bytes as the kubelet takes of a termination message (kubelet, MaxContainerTerminationMessageLength). */
const longestMessage = 4_096;


/***/ }),

/***/ 81386:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   Bd: () => (/* binding */ outsideScript),
/* harmony export */   OY: () => (/* binding */ recorderScript),
/* harmony export */   u6: () => (/* binding */ followerScript),
/* harmony export */   yT: () => (/* binding */ insideScript)
/* harmony export */ });
/* harmony import */ var node_fs__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(73024);
/* harmony import */ var node_fs__WEBPACK_IMPORTED_MODULE_0___default = /*#__PURE__*/__webpack_require__.n(node_fs__WEBPACK_IMPORTED_MODULE_0__);

/** The programs that run beside the target; real files, so that shellcheck and a terminal can read them. */
const recorderScript = withoutComments((0,node_fs__WEBPACK_IMPORTED_MODULE_0__.readFileSync)(__webpack_require__.ab + "recorder.sh", 'utf8'));
const followerScript = withoutComments((0,node_fs__WEBPACK_IMPORTED_MODULE_0__.readFileSync)(__webpack_require__.ab + "follower.sh", 'utf8'));
/** On a node: what runs the recorder there, and what runs that. */
const insideScript = withoutComments((0,node_fs__WEBPACK_IMPORTED_MODULE_0__.readFileSync)(__webpack_require__.ab + "node-inside.sh", 'utf8'));
const outsideScript = withoutComments((0,node_fs__WEBPACK_IMPORTED_MODULE_0__.readFileSync)(__webpack_require__.ab + "node-outside.sh", 'utf8'));
/** Whole-line comments, indentation and blank lines: every entry of a capture stays in the pod's object for the pod's life. */
function withoutComments(script) {
    return script
        .split('\n')
        .map((line) => line.trim())
        .filter((line) => line !== '' && !line.startsWith('#'))
        .join('\n');
}


/***/ }),

/***/ 80302:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   GV: () => (/* binding */ NothingRecorded),
/* harmony export */   Lq: () => (/* binding */ awaitStart),
/* harmony export */   SL: () => (/* binding */ NothingCreated),
/* harmony export */   h5: () => (/* binding */ startError),
/* harmony export */   v7: () => (/* binding */ pause)
/* harmony export */ });
/* harmony import */ var _errors_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(83916);

const pollEvery = 500;
/** Of a cancel's grace of 7.5 s: what a container that is about to run gets, ms; stopping it takes up to 3 s. */
const startGrace = 3_000;
function cancelledInStart(record) {
    const begin = `The run was cancelled before the container ${record.container} had started.`;
    if (record.where.kind !== 'container')
        return `${begin} ${unstartedRemains(record)}`;
    return (`${begin} If it still does, the post step stops it; without that it ends by itself after ${record.plan.ownerTimeout} s. ` +
        'The pod keeps one entry for it.');
}
function unstartedRemains({ where, container, plan }) {
    switch (where.kind) {
        case 'container':
            return `The pod keeps one entry for the ephemeral container ${container}; should it still start, it ends by itself after ${plan.ownerTimeout} s.`;
        case 'node-pod':
            return `The Job ${container} in ${where.namespace} is removed.`;
        case 'ssh':
            return 'What was put on the node is removed.';
    }
}
/** Image errors are tried again by the kubelet; a registry's hiccup of this length, ms, is forgiven. */
const pullPatience = 15_000;
/**
 * Waits until the container runs.
 * @throws ConfigurationError that names the image, the container and the kubelet's words
 */
async function awaitStart(place, record, events, signal) {
    const end = Date.now() + record.plan.startTimeout * 1000;
    let failingSince;
    let cancelledAt;
    let last = '';
    const remains = unstartedRemains(record);
    for (;;) {
        const state = await place.state();
        if (state.kind === 'running')
            return state.imageId;
        if (state.kind === 'terminated') {
            // A container that came and went between two looks: its last words say how.
            if (/^size \d+/m.test(state.message))
                return '';
            throw startError(state.message || state.reason, record, state.reason);
        }
        if (state.kind === 'gone') {
            const what = record.where.kind === 'container'
                ? `pod: ${JSON.stringify(record.pod)}`
                : `level: the recorder on node ${record.node}`;
            throw new _errors_js__WEBPACK_IMPORTED_MODULE_0__/* .ConfigurationError */ .j1(`${what} is gone: ${state.reason}. Nothing was captured.`);
        }
        if (state.kind === 'waiting') {
            if (state.reason !== last && state.reason !== '')
                events.waiting(`${state.reason} ${state.message}`.trim());
            last = state.reason;
            const pull = /^(ErrImagePull|ImagePullBackOff|RegistryUnavailable)$/.test(state.reason);
            const hopeless = /^(InvalidImageName|ErrImageNeverPull|ImageInspectError|CreateContainer(Config)?Error|RunContainerError)$/;
            const refused = hopeless.test(state.reason);
            failingSince = pull ? (failingSince ?? Date.now()) : undefined;
            if (refused || (failingSince !== undefined && Date.now() - failingSince > pullPatience)) {
                throw new _errors_js__WEBPACK_IMPORTED_MODULE_0__/* .ConfigurationError */ .j1(`image: the node ${record.node} cannot start ${JSON.stringify(record.plan.image)} ` +
                    `(${state.reason}: ${state.message || 'no further words'}). ${pull || /Image/.test(state.reason)
                        ? "Use an image that the node can pull with the pod's own pull secrets."
                        : 'Use an image with sh and tcpdump.'} ${remains}`);
            }
        }
        if (signal.aborted) {
            // An image that is there starts within moments; a recorder that nobody waits for would record until its owner is missed.
            cancelledAt ??= Date.now();
            if (Date.now() - cancelledAt > startGrace)
                throw new _errors_js__WEBPACK_IMPORTED_MODULE_0__/* .Cancelled */ .cJ(cancelledInStart(record));
        }
        if (Date.now() > end) {
            throw new _errors_js__WEBPACK_IMPORTED_MODULE_0__/* .ConfigurationError */ .j1(`start-timeout: the container ${record.container} has not started within ${record.plan.startTimeout} s` +
                `${last ? ` (${last})` : ''}: is the image large, or the node busy? Raise start-timeout or use a smaller image. ${remains}`);
        }
        await pause(pollEvery, signal);
    }
}
/** The cluster has refused the container, so there is none. */
class NothingCreated extends _errors_js__WEBPACK_IMPORTED_MODULE_0__/* .ConfigurationError */ .j1 {
}
/** The container has ended without recording: nothing is left to finish. */
class NothingRecorded extends _errors_js__WEBPACK_IMPORTED_MODULE_0__/* .ConfigurationError */ .j1 {
}
/** The recorder's own last words (`error CODE TEXT`) in terms of the inputs; `reason`: what the kubelet calls its end. */
function startError(words, record, reason = '') {
    const match = /^error (\S+) ?([\s\S]*)$/.exec(words.trim());
    const code = match?.[1] ?? '';
    const text = (match?.[2] ?? words).replace(/tcpdump: (data link type \S+)?/g, '').trim();
    const inPod = record.where.kind === 'container';
    const there = inPod ? 'in the pod' : 'on the node';
    const remains = inPod
        ? `The pod keeps one ended entry for the ephemeral container ${record.container}.`
        : unstartedRemains(record);
    const said = (input, cause, fix) => new NothingRecorded(`${input}: ${cause}: ${text || 'no words'}. ${fix} ${remains}`);
    const bySsh = record.where.kind === 'ssh';
    switch (code) {
        case 'filter':
            return said('filter', `the tcpdump ${there} refuses ${JSON.stringify(record.plan.filter)}`, 'See pcap-filter(7).');
        case 'net-raw':
            return said('capabilities', `tcpdump may not open a packet socket ${there}`, inPod
                ? 'The runtime gives no NET_RAW by default (CRI-O, OpenShift): set `capabilities: NET_RAW`, which the namespace must take (Pod Security `privileged`).'
                : 'Is NET_RAW forbidden there?');
        case 'interface':
            return said('interface', `tcpdump cannot record on ${JSON.stringify(record.plan.interface)} ${there}`, inPod ? 'Use any, eth0 or lo.' : 'Use any, or the name of an interface of the node.');
        case 'user':
            return said('image', `the tcpdump of ${JSON.stringify(record.plan.image)} becomes another user, which it has no right to ${there}`, 'Use an image whose tcpdump stays root, as the default one does.');
        case 'tools':
            if (bySsh)
                return said('node-method', 'the node cannot record', 'Or use node-method: pod.');
            return said('image', `${JSON.stringify(record.plan.image)} cannot record`, 'Use an image with sh and tcpdump.');
        case 'space':
            if (bySsh)
                return said('level', 'the recorder has nowhere to write its spool on the node', 'Or use node-method: pod.');
            return said('image', 'the container has nowhere to write its spool', 'Is its root file system read-only?');
        default:
            // The runtime could not even begin (StartError of containerd, ContainerCannotRun of CRI-O): there is no sh in the image.
            if (!bySsh && (/^(StartError|ContainerCannotRun)\b/.test(reason) || /executable file not found/.test(text))) {
                return said('image', `the node ${record.node} cannot run sh of ${JSON.stringify(record.plan.image)}`, "Use an image with sh and tcpdump, for the node's architecture.");
            }
            if (record.where.kind === 'node-pod') {
                return said('node-namespace', 'the node pod ended before it recorded anything', `See \`kubectl -n ${record.where.namespace} get events\`.`);
            }
            if (bySsh)
                return said('node-method', 'the recorder ended on the node before it recorded anything', 'Or use node-method: pod.');
            return said('image', `the container ended before it recorded anything`, 'See its log with `kubectl logs -c`.');
    }
}
function pause(ms, signal) {
    return new Promise((resolve) => {
        const timer = setTimeout(done, ms);
        function done() {
            clearTimeout(timer);
            signal?.removeEventListener('abort', done);
            resolve();
        }
        signal?.addEventListener('abort', done, { once: true });
    });
}


/***/ }),

/***/ 23060:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   CM: () => (/* binding */ bearer),
/* harmony export */   YN: () => (/* binding */ credentialsOf),
/* harmony export */   yV: () => (/* binding */ identityOfAddress)
/* harmony export */ });
/* harmony import */ var node_net__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(77030);
/* harmony import */ var node_net__WEBPACK_IMPORTED_MODULE_0___default = /*#__PURE__*/__webpack_require__.n(node_net__WEBPACK_IMPORTED_MODULE_0__);
/* harmony import */ var node_tls__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(41692);
/* harmony import */ var node_tls__WEBPACK_IMPORTED_MODULE_1___default = /*#__PURE__*/__webpack_require__.n(node_tls__WEBPACK_IMPORTED_MODULE_1__);
/* harmony import */ var _errors_js__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(83916);



/** Exec plugins end by themselves after a minute, and say more. */
const longestWait = 65_000;
/**
 * The credentials, or an error after `within` ms: whoever makes them may hang, and nobody waits for that for ever.
 * @throws ConfigurationError
 */
async function credentialsOf(connection, within = longestWait) {
    let timer;
    const late = new Promise((_resolve, reject) => {
        timer = setTimeout(() => {
            reject(new _errors_js__WEBPACK_IMPORTED_MODULE_2__/* .ConfigurationError */ .j1(`${connection.input}: no credentials for ${connection.description} within ${within / 1000} s. ` +
                'Whoever hands them out (an exec plugin, GitHub, Google) does not answer; the next request asks again.'));
        }, within);
    });
    try {
        return await Promise.race([connection.credentials(), late]);
    }
    finally {
        clearTimeout(timer);
    }
}
/**
 * The header of a bearer token; a line end around it is left out.
 * @param whose begins the error: `kubeconfig: the token of its user "dev"`
 * @throws ConfigurationError where no header can carry it
 */
function bearer(token, whose) {
    const text = token.trim();
    if (/^[\x21-\x7e]+$/.test(text))
        return `Bearer ${text}`;
    throw new _errors_js__WEBPACK_IMPORTED_MODULE_2__/* .ConfigurationError */ .j1(text === ''
        ? `${whose} is empty. Was the secret set, and is it readable for this workflow?`
        : `${whose} has a line break, a blank or a letter that no token has. Was it copied or stored with something around it?`);
}
/** https-proxy-agent does not tell the TLS layer the host of a server that is named by its address, so the certificate is compared here. */
function identityOfAddress(server) {
    const host = new URL(server).hostname.replace(/^\[|\]$/g, '');
    return (0,node_net__WEBPACK_IMPORTED_MODULE_0__.isIP)(host) ? { checkServerIdentity: (_host, certificate) => (0,node_tls__WEBPACK_IMPORTED_MODULE_1__.checkServerIdentity)(host, certificate) } : {};
}


/***/ }),

/***/ 66582:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   Y: () => (/* binding */ parseServiceAccount),
/* harmony export */   t: () => (/* binding */ parseProvider)
/* harmony export */ });
/* harmony import */ var _errors_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(83916);

const takes = 'projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER';
/** @throws ConfigurationError that tells the usual slips apart: a pool's name, a project's id in place of its number */
function parseProvider(text) {
    const name = text.trim().replace(/^(https?:)?\/\/iam\.[^/]+\/(v1\/)?/, '');
    const [, project = '', location = '', pool = '', id] = /^projects\/([^/\s]+)\/locations\/([^/\s]+)\/workloadIdentityPools\/([^/\s]+)(?:\/providers\/([^/\s]+))?\/?$/.exec(name) ?? [];
    const got = `workload-identity-provider: got ${JSON.stringify(text.slice(0, 200))}`;
    if (pool === '')
        throw new _errors_js__WEBPACK_IMPORTED_MODULE_0__/* .ConfigurationError */ .j1(`${got}, takes ${takes}`);
    if (id === undefined) {
        throw new _errors_js__WEBPACK_IMPORTED_MODULE_0__/* .ConfigurationError */ .j1(`${got}, which is the name of a pool; takes that of a provider in it: ${name.replace(/\/$/, '')}/providers/PROVIDER. ` +
            `List them with \`gcloud iam workload-identity-pools providers list --location=global --workload-identity-pool=${pool}\`.`);
    }
    if (!/^\d+$/.test(project)) {
        throw new _errors_js__WEBPACK_IMPORTED_MODULE_0__/* .ConfigurationError */ .j1(`${got}, which has the project's id; takes its number. ` +
            `Find it with \`gcloud projects describe ${project} --format='value(projectNumber)'\`.`);
    }
    if (location !== 'global')
        throw new _errors_js__WEBPACK_IMPORTED_MODULE_0__/* .ConfigurationError */ .j1(`${got}, but pools are in the location global; takes ${takes}`);
    const wrong = [pool, id].find((part) => !/^[a-z0-9-]{1,64}$/.test(part));
    if (wrong !== undefined) {
        throw new _errors_js__WEBPACK_IMPORTED_MODULE_0__/* .ConfigurationError */ .j1(`${got}, but ${JSON.stringify(wrong)} is no name of a pool or a provider; takes ${takes}`);
    }
    return {
        name: `projects/${project}/locations/global/workloadIdentityPools/${pool}/providers/${id}`,
        project,
        pool,
        id,
    };
}
/** @throws ConfigurationError where it is no e-mail address */
function parseServiceAccount(text) {
    // It becomes a part of a URL.
    if (/^[\w.+-]{1,128}@[\w.-]{3,128}$/.test(text))
        return text;
    throw new _errors_js__WEBPACK_IMPORTED_MODULE_0__/* .ConfigurationError */ .j1(`service-account: got ${JSON.stringify(text.slice(0, 200))}, takes an e-mail address: NAME@PROJECT.iam.gserviceaccount.com`);
}


/***/ }),

/***/ 68844:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   d: () => (/* binding */ splitToolboxImage),
/* harmony export */   t: () => (/* binding */ toolboxImageForm)
/* harmony export */ });
/** Of the path of a name: distribution's grammar of references (github.com/distribution/reference, path-component). */
const part = '[a-z0-9]+(?:(?:\\.|__?|-+)[a-z0-9]+)*';
/** A host with its port, a path, a tag. No digest, and no capitals: toolbox' file has a name and a tag, which it hands on as they are. */
const reference = new RegExp(`^((?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\\d{1,5})?/)?${part}(?:/${part})*)(?::([A-Za-z0-9_][A-Za-z0-9._-]{0,127}))?$`);
const longest = 512;
/** What the input toolbox-image takes, in words. */
const toolboxImageForm = 'NAME:TAG, the name in small letters, without a digest';
/** The name and the tag of an image for COS' toolbox; undefined for what is none: the file that they go to is read by a shell. */
function splitToolboxImage(image) {
    if (image.length > longest)
        return undefined;
    const [, name, tag = 'latest'] = reference.exec(image) ?? [];
    return name === undefined ? undefined : [name, tag];
}


/***/ }),

/***/ 29488:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   s: () => (/* binding */ lineSplitter)
/* harmony export */ });
const longestLine = 64 * 1024;
/** Cuts a byte stream into lines; a line longer than 64 KiB is handed over in parts. */
function lineSplitter(take) {
    let rest = '';
    return {
        push(data) {
            rest += data.toString('utf8');
            const lines = rest.split('\n');
            rest = lines.pop() ?? '';
            for (const line of lines)
                take(line);
            if (rest.length > longestLine)
                this.end();
        },
        end() {
            if (rest !== '')
                take(rest);
            rest = '';
        },
    };
}


/***/ }),

/***/ 28903:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   Cy: () => (/* binding */ environmentAgents),
/* harmony export */   G5: () => (/* binding */ withoutPassword),
/* harmony export */   Ol: () => (/* binding */ proxyOf),
/* harmony export */   Uw: () => (/* binding */ environmentProxy),
/* harmony export */   bs: () => (/* binding */ checkProxyAddress)
/* harmony export */ });
/* harmony import */ var _errors_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(83916);

const variables = ['https_proxy', 'HTTPS_PROXY', 'http_proxy', 'HTTP_PROXY', 'all_proxy', 'ALL_PROXY'];
/**
 * The proxy of HTTPS_PROXY, unless NO_PROXY names the server.
 * @throws ConfigurationError where it is no address
 */
async function environmentProxy(server) {
    const { getProxyForUrl } = await __webpack_require__.e(/* import() */ 182).then(__webpack_require__.bind(__webpack_require__, 98182));
    const given = getProxyForUrl(server);
    if (!given)
        return undefined;
    const { HttpsProxyAgent } = await Promise.all(/* import() */[__webpack_require__.e(830), __webpack_require__.e(833)]).then(__webpack_require__.bind(__webpack_require__, 45833));
    const { variable, address } = read(given);
    return { name: `${variable} (${withoutPassword(address)})`, agent: new HttpsProxyAgent(address) };
}
/** The agents of `environmentProxy` for many servers, to be had without a promise; undefined where there is no proxy. */
async function environmentAgents() {
    const [{ getProxyForUrl }, { HttpsProxyAgent }] = await Promise.all([
        __webpack_require__.e(/* import() */ 182).then(__webpack_require__.bind(__webpack_require__, 98182)),
        Promise.all(/* import() */[__webpack_require__.e(830), __webpack_require__.e(833)]).then(__webpack_require__.bind(__webpack_require__, 45833)),
    ]);
    return (server) => {
        const given = getProxyForUrl(server);
        return given ? new HttpsProxyAgent(read(given).address) : undefined;
    };
}
/** The proxy that an agent goes through, whoever has made it (https-proxy-agent, client-node); undefined where there is none. */
function proxyOf(agent) {
    return agent && 'proxy' in agent && agent.proxy instanceof URL ? agent.proxy : undefined;
}
/** The library puts the server's scheme before an address without one; curl, Go and gcloud take http. */
function read(given) {
    const bare = given.replace(/^https?:\/\//, '');
    const variable = variables.find((name) => process.env[name] === given || process.env[name] === bare) ?? 'HTTPS_PROXY';
    const address = process.env[variable] === given ? given : `http://${bare}`;
    checkProxyAddress(variable, address, ['http:', 'https:']);
    return { variable, address };
}
/** @throws ConfigurationError that begins with `what` */
function checkProxyAddress(what, address, schemes) {
    const url = URL.parse(address);
    if (url && url.hostname !== '' && schemes.includes(url.protocol))
        return;
    throw new _errors_js__WEBPACK_IMPORTED_MODULE_0__/* .ConfigurationError */ .j1(`${what}: got ${JSON.stringify(withoutPassword(address))}, which is no address of a proxy. ` +
        `Set it to ${schemes.map((scheme) => `${scheme}//HOST:PORT`).join(' or ')}, or leave it out for this server.`);
}
/** For a message: what is before an @ may be a secret. */
function withoutPassword(address) {
    return address.replace(/^(\w+:\/\/)?.*@/, '$1').slice(0, 200);
}


/***/ }),

/***/ 85602:
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

/***/ 69861:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

// ESM COMPAT FLAG
__webpack_require__.r(__webpack_exports__);

// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  finishRun: () => (/* binding */ finishRun),
  run: () => (/* binding */ run)
});

// EXTERNAL MODULE: ./node_modules/@actions/core/lib/core.js + 11 modules
var core = __webpack_require__(91659);
// EXTERNAL MODULE: external "node:crypto"
var external_node_crypto_ = __webpack_require__(77598);
// EXTERNAL MODULE: external "node:fs/promises"
var promises_ = __webpack_require__(51455);
// EXTERNAL MODULE: external "node:path"
var external_node_path_ = __webpack_require__(76760);
// EXTERNAL MODULE: ./node_modules/ws/wrapper.mjs
var wrapper = __webpack_require__(52977);
// EXTERNAL MODULE: ./src/errors.ts
var errors = __webpack_require__(83916);
// EXTERNAL MODULE: ./src/lines.ts
var src_lines = __webpack_require__(29488);
// EXTERNAL MODULE: external "node:http"
var external_node_http_ = __webpack_require__(37067);
// EXTERNAL MODULE: external "node:https"
var external_node_https_ = __webpack_require__(44708);
// EXTERNAL MODULE: external "node:timers/promises"
var external_node_timers_promises_ = __webpack_require__(58500);
;// CONCATENATED MODULE: ./src/cluster/api-errors.ts

/** An answer of the API server that is not a success, with its own words. */
class ApiError extends Error {
    name = 'ApiError';
    status;
    /** `reason` of the Status object: NotFound, Forbidden, \u2026 */
    reason;
    /** the input that leads to this API server */
    input;
    constructor(status, reason, message, input = 'kubeconfig') {
        super(message);
        this.input = input;
        this.status = status;
        this.reason = reason;
    }
}
/** The error of an answer: a Status object's words where it is one, else the beginning of its text. */
function apiError(status, text, connection, { proxy, path }) {
    if (status < 400)
        return notAnApiServer(status, text, connection);
    const { input, description, hint } = connection;
    const body = objectIn(text);
    const isStatus = body?.kind === 'Status';
    const message = isStatus && typeof body.message === 'string' && body.message !== '' ? body.message : beginOf(text) || 'no text';
    const said = `${status} ${beginOf(message)}`;
    if (status === 401) {
        return new errors/* ConfigurationError */.j1(`${input}: the API server ${description} does not accept the credentials (${said}). ${refusedAdvice(connection)}`);
    }
    if (status === 403 && isStatus && /User "system:anonymous"/.test(message)) {
        return new errors/* ConfigurationError */.j1(`${input}: the API server ${description} takes us for nobody (${said}). ${refusedAdvice(connection)}`);
    }
    if (status === 403 && isStatus && /\bcannot impersonate/.test(message)) {
        return new errors/* ConfigurationError */.j1(`${input}: the API server ${description} does not let its user act as another (${said}). ` +
            'Take `as`, `as-groups`, `as-uid` and `as-user-extra` out of the kubeconfig, or have the verb "impersonate" granted.');
    }
    if (status === 407) {
        return new errors/* ConfigurationError */.j1(`${input}: the proxy ${proxy ?? 'on the way'} to the API server ${description} asks for a password (${said}). Write it into its address: http://USER:PASSWORD@HOST:PORT.`);
    }
    // RBAC and admission have words of their own; whatever else refuses us stands before the API server.
    const isItsOwn = hint === undefined || /\bforbidden\b|\badmission\b|denied (the )?request/.test(message);
    if (status === 403 && !(isStatus && isItsOwn)) {
        const guard = proxy === undefined ? 'a gateway, a firewall or a login page' : `the proxy ${proxy}, a gateway or a firewall`;
        return new errors/* ConfigurationError */.j1(`${input}: the endpoint of ${description} refuses us (${said}): ` +
            (hint ??
                `that is not the API server's own answer but that of ${guard} before it. Is this address let through?`));
    }
    // What an older API server does not have is a plain 404, too; pods it has always had.
    if (status === 404 && !isStatus && !path.startsWith('/apis/')) {
        return new errors/* ConfigurationError */.j1(`${input}: the endpoint of ${description} is not that of an API server (${said}): ` +
            (hint ?? 'is it the whole address, with its path and nothing after it?'));
    }
    return new ApiError(status, typeof body?.reason === 'string' ? body.reason : '', message, input);
}
function refusedAdvice(connection) {
    return (connection.whenRefused?.() ??
        (connection.input === 'kubeconfig'
            ? 'The token has expired or belongs to another cluster: make the kubeconfig in the same job, shortly before this step.'
            : 'The token has expired or belongs to another cluster.'));
}
/** Each answer of an API server is a JSON object. */
function notAnApiServer(status, text, { input, description }, location) {
    const onward = location === undefined ? undefined : URL.parse(location);
    const got = onward ? `to ${onward.origin}` : beginOf(text).slice(0, 100) || 'no text';
    return new errors/* ConfigurationError */.j1(`${input}: ${description} answered ${status} without a JSON object (${got}): that is not how an API server answers. ` +
        'Is it the address of one, with its whole path, or does something stand before it (a login page, a proxy)?');
}
/** One line of it. */
function beginOf(text) {
    return text.trim().replace(/\s+/g, ' ').slice(0, 500);
}
/**
 * Names the cause of a connection that could not be made, and what to look at.
 * @param proxy the one that is on the way, in words: what cannot be reached is that, for of the rest it tells itself
 */
function unreachable(connection, error, proxy) {
    if (error instanceof errors/* ConfigurationError */.j1)
        return error;
    const code = error.code ?? '';
    const said = `(${(0,errors/* messageOf */.bD)(error)})`;
    const server = `${connection.input}: the API server ${connection.description} cannot be reached`;
    const certificate = /certificate|self.signed|CERT_/i.test(`${code} ${(0,errors/* messageOf */.bD)(error)}`);
    if (proxy !== undefined && !certificate) {
        return new UnreachableError(`${server} through the proxy ${proxy} ${said}: is the proxy's address right, and may it go there?` +
            (proxy.startsWith('proxy-url') ? '' : ' NO_PROXY names the hosts that are reached without it.'));
    }
    const hints = {
        ECONNREFUSED: 'nothing listens there: is the address still the right one?',
        ENOTFOUND: 'its name is not known here: does the cluster have a public endpoint, or does the runner need a VPN?',
        EAI_AGAIN: 'its name cannot be looked up at the moment: does the runner have a name server?',
        ETIMEDOUT: 'no answer: does a firewall or an authorized network keep this runner out?',
        ECONNRESET: 'the connection was reset: is there a proxy in the way (HTTPS_PROXY, NO_PROXY)?',
        EPROTO: 'what answers there does not speak TLS: is it the right port?',
    };
    const cause = certificate
        ? `its certificate is not the one that ${trusted[connection.input]}.`
        : (hints[code] ?? 'can this runner reach it?');
    // Whoever guards the endpoint has no part in a name that nobody knows.
    const hint = connection.hint === undefined || code === 'ENOTFOUND' || code === 'EAI_AGAIN'
        ? ''
        : ` ${connection.hint.charAt(0).toUpperCase()}${connection.hint.slice(1)}`;
    return new UnreachableError(`${server} ${said}: ${cause}${hint}`);
}
const trusted = {
    kubeconfig: 'the kubeconfig trusts (certificate-authority-data)',
    'api-server': 'the input `certificate-authority` (without it: this runner) trusts',
    cluster: 'Google Cloud names for the cluster; is something in between?',
};
/** No answer came at all; a later try may get one. */
class UnreachableError extends errors/* ConfigurationError */.j1 {
}
/** What a text has as JSON, where that is an object. */
function objectIn(text) {
    try {
        const value = JSON.parse(text);
        return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
    }
    catch {
        return undefined;
    }
}

// EXTERNAL MODULE: ./src/cluster/connection.ts
var cluster_connection = __webpack_require__(23060);
;// CONCATENATED MODULE: ./src/cluster/api.ts






const userAgent = 'kubernetes-packet-capture';
const answerTimeout = 30_000;
const largestAnswer = 64 * 1024 * 1024;
/**
 * One call to the API server, credentials fetched for it. `timeout`: ms until the answer must be here. What changes nothing is asked again
 * where the server is busy, a few times within that time; credentials that it does not take are made anew once.
 * @throws ApiError for an answer of 400 or more, ConfigurationError where the server cannot be reached, does not know us or is none
 */
async function call(connection, method, path, body, timeout) {
    const request = { method, path, body };
    let credentials = await (0,cluster_connection/* credentialsOf */.YN)(connection, timeout);
    const end = Date.now() + (timeout ?? answerTimeout);
    let waits = isRepeatable(request) ? busyWaits : [];
    for (;;) {
        const { response, text } = await exchange(connection, request, credentials, Math.max(end - Date.now(), 1_000), timeout);
        const status = response.statusCode ?? 0;
        if (status === 401) {
            const others = await othersThan(credentials, connection, end - Date.now());
            if (others) {
                credentials = others;
                continue;
            }
        }
        const [wait, ...later] = waits;
        if (wait !== undefined && busy.includes(status)) {
            const asked = Number(response.headers['retry-after']) * 1000;
            const pause = asked > 0 ? Math.min(asked, longestWait) : wait;
            if (Date.now() + pause < end) {
                waits = later;
                await (0,external_node_timers_promises_.setTimeout)(pause);
                continue;
            }
        }
        if (status >= 400)
            throw apiError(status, text, connection, { proxy: credentials.proxy, path });
        const answer = objectIn(text);
        if (!answer || status >= 300)
            throw notAnApiServer(status, text, connection, response.headers.location);
        const serverTime = Date.parse(response.headers.date ?? '');
        return { status, body: answer, serverTime: Number.isNaN(serverTime) ? undefined : serverTime };
    }
}
/** Priority and fairness (429), a server that shuts down (503), a webhook or etcd that is away for a moment (500). */
const busy = [429, 500, 503];
/** ms before the second and the third try, where `Retry-After` does not say */
const busyWaits = [300, 1_000];
const longestWait = 5_000;
/** Reads, reviews and dry runs change nothing. */
function isRepeatable({ method, path }) {
    return method === 'GET' || /[?&]dryRun=All\b/.test(path) || (method === 'POST' && /reviews$/.test(path));
}
/** After a 401: what the source makes anew; undefined where it makes no others. */
async function othersThan(old, connection, within) {
    if (!old.refused)
        return undefined;
    old.refused();
    const others = await (0,cluster_connection/* credentialsOf */.YN)(connection, Math.max(within, 1_000));
    const same = others.headers['Authorization'] === old.headers['Authorization'] && others.tls.cert === old.tls.cert;
    return same ? undefined : { ...others, refused: undefined }; // once
}
async function exchange(connection, { method, path, body }, credentials, rest, timeout = answerTimeout) {
    const { headers, tls, agent } = credentials;
    const url = new URL(connection.server + path);
    const payload = body === undefined ? undefined : JSON.stringify(body.value);
    return new Promise((resolve, reject) => {
        const send = url.protocol === 'http:' ? external_node_http_.request : external_node_https_.request;
        const request = send(url, {
            method,
            ...tls,
            agent: agent ?? false, // a connection for each call: none is left open at the end
            headers: {
                accept: 'application/json',
                'user-agent': userAgent,
                ...headers,
                ...(payload === undefined
                    ? {}
                    : { 'content-type': body?.type ?? 'application/json', 'content-length': String(Buffer.byteLength(payload)) }),
            },
        });
        const timer = setTimeout(() => request.destroy(new Error(`no answer within ${timeout / 1000} s`)), rest);
        request.on('error', (error) => {
            clearTimeout(timer);
            reject(error);
        });
        request.on('response', (response) => {
            const chunks = [];
            let size = 0;
            response.on('data', (chunk) => {
                size += chunk.length;
                if (size > largestAnswer)
                    request.destroy(new Error('the answer is larger than 64 MiB'));
                chunks.push(chunk);
            });
            response.on('error', (error) => {
                clearTimeout(timer);
                reject(error);
            });
            response.on('end', () => {
                clearTimeout(timer);
                resolve({ response, text: Buffer.concat(chunks).toString('utf8') });
            });
        });
        request.end(payload);
    }).catch((error) => {
        throw unreachable(connection, error, credentials.proxy);
    });
}

;// CONCATENATED MODULE: ./src/cluster/remote-command.ts






/** Channels of the remote command protocol: k8s.io/apimachinery/pkg/util/remotecommand. */
const stdinChannel = 0;
const stdoutChannel = 1;
const stderrChannel = 2;
const statusChannel = 3;
const handshakeTimeout = 10_000;
const pingEvery = 5_000;
/** Neither data nor a line of the follower, which sends one every 2 s, for this long: the connection is dead, whatever TCP says. */
const silenceLimit = 15_000;
/**
 * Starts a process in a container over exec's WebSocket, with stdin, stdout and stderr.
 * @throws ApiError with the server's words when the upgrade is refused, ConfigurationError when the server cannot be reached or does not know us
 */
async function openRemoteCommand(connection, process, handlers) {
    const { headers, tls, agent, proxy, refused } = await (0,cluster_connection/* credentialsOf */.YN)(connection);
    const query = new URLSearchParams({ container: process.container, stdin: 'true', stdout: 'true', stderr: 'true' });
    for (const word of process.command)
        query.append('command', word);
    const path = `/api/v1/namespaces/${process.namespace}/pods/${process.pod}/exec?${query.toString()}`;
    const socket = new wrapper/* WebSocket */.kb(`${connection.server.replace(/^http/, 'ws')}${path}`, ['v5.channel.k8s.io', 'v4.channel.k8s.io'], {
        ...tls,
        ...(agent ? { agent } : {}),
        headers: { ...headers, 'user-agent': userAgent },
        handshakeTimeout,
        maxPayload: 16 * 1024 * 1024,
        perMessageDeflate: false,
        skipUTF8Validation: true,
    });
    let lastMessage = Date.now();
    let held = 0;
    let status = '';
    let cause = '';
    const lines = (0,src_lines/* lineSplitter */.s)((line) => handlers.stderr(line));
    const take = (frame) => {
        lastMessage = Date.now();
        const channel = frame[0];
        const data = frame.subarray(1);
        if (data.length === 0)
            return; // the first frame says "established"
        if (channel === stdoutChannel) {
            const drained = handlers.stdout(data);
            if (!drained)
                return;
            // Frames that were parsed already still arrive after pause(); each may hold once more.
            held += 1;
            socket.pause();
            void drained
                .catch((error) => fail((0,errors/* messageOf */.bD)(error)))
                .finally(() => {
                held -= 1;
                lastMessage = Date.now();
                if (held === 0)
                    socket.resume();
            });
        }
        else if (channel === stderrChannel) {
            lines.push(data);
        }
        else if (channel === statusChannel) {
            status = statusMessage(data);
        }
    };
    const fail = (reason) => {
        cause ||= reason;
        socket.terminate();
    };
    await new Promise((resolve, reject) => {
        socket.once('open', resolve);
        socket.once('error', (error) => reject(unreachable(connection, error, proxy)));
        socket.once('unexpected-response', (_request, response) => {
            void readText(response).then((text) => {
                if (response.statusCode === 401)
                    refused?.(); // the next try comes with others
                reject(apiError(response.statusCode ?? 0, text, connection, { proxy, path }));
                socket.terminate();
            });
        });
        socket.on('message', (data) => take(asBuffer(data)));
    });
    socket.on('error', (error) => {
        cause ||= error.message;
    });
    lastMessage = Date.now();
    const pulse = setInterval(() => {
        if (held > 0)
            return; // while we hold the sender back nothing is read, no pong either
        if (Date.now() - lastMessage > silenceLimit)
            fail(`no sign of life for ${silenceLimit / 1000} s`);
        else
            socket.ping();
    }, pingEvery);
    const ended = new Promise((resolve) => {
        socket.once('close', (code) => {
            clearInterval(pulse);
            lines.end();
            resolve({ code, reason: cause || status });
        });
    });
    return {
        protocol: socket.protocol,
        send: (line) => {
            if (socket.readyState !== wrapper/* WebSocket */.kb.OPEN)
                return false;
            socket.send(Buffer.concat([Buffer.of(stdinChannel), Buffer.from(`${line}\n`)]));
            return true;
        },
        close: () => {
            cause ||= 'closed by us';
            socket.terminate();
        },
        ended,
    };
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
        return status.status === 'Success' ? 'the server says Success' : (status.message ?? text);
    }
    catch {
        return text;
    }
}
async function readText(response) {
    const timer = setTimeout(() => response.destroy(), 5_000);
    let text = '';
    try {
        for await (const chunk of response) {
            text += String(chunk);
            if (text.length > 65_536)
                break;
        }
    }
    catch {
        // what has come of it is all there is
    }
    clearTimeout(timer);
    return text;
}

// EXTERNAL MODULE: ./src/capture/foreign.ts
var capture_foreign = __webpack_require__(68850);
;// CONCATENATED MODULE: ./src/capture/trailer.ts

/** A node may say anything: of names, bytes (IFNAMSIZ of the kernel without its NUL); of interfaces, number; of the rest, UTF-16 units. */
const longestName = 15;
const mostInterfaces = 1_000;
const longestReason = 100;
const longestTool = 100;
const longestWords = 1_000;
/** Reads the lines of a trailer (`key value\u2026`); undefined when one that every trailer has is missing or malformed. */
function parseTrailer(lines) {
    const values = new Map();
    const interfaces = [];
    for (const line of lines) {
        const [key = '', ...rest] = line.trim().split(' ');
        if (key === 'interface') {
            const [index = '', ...name] = rest;
            if (interfaces.length < mostInterfaces && /^\d{1,10}$/.test(index))
                interfaces.push({ index: Number(index), name: interfaceName(name.join(' ')) });
        }
        else
            values.set(key, rest.join(' '));
    }
    const number = (key) => {
        const text = values.get(key);
        return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
    };
    const size = number('size');
    const sha256 = values.get('sha256') ?? '';
    const [, paused, pauses] = /^(\d{1,15}) (\d{1,15})$/.exec(values.get('paused') ?? '') ?? [];
    if (size === undefined || !/^[0-9a-f]{64}$/.test(sha256) || paused === undefined || pauses === undefined)
        return undefined;
    return {
        size,
        sha256,
        reason: (0,capture_foreign/* foreignWords */.K)(values.get('reason') ?? '', longestReason),
        spool: values.get('spool') === 'memory' ? 'memory' : 'disk',
        exit: number('exit') ?? -1,
        captured: number('captured'),
        received: number('received'),
        dropped: number('dropped'),
        interfaceDropped: number('interface-dropped'),
        pausedMs: Number(paused),
        pauses: Number(pauses),
        recordedMs: number('recorded') ?? 0,
        began: number('began') ?? 0,
        interfaces: interfaces.sort((a, b) => a.index - b.index),
        tool: (0,capture_foreign/* foreignWords */.K)(values.get('tool') ?? '', longestTool),
        words: (0,capture_foreign/* foreignWords */.K)(values.get('words') ?? '', longestWords),
    };
}
function interfaceName(text) {
    return (0,capture_foreign/* foreignWords */.K)(Buffer.from(text).subarray(0, longestName).toString('utf8'), longestName);
}

;// CONCATENATED MODULE: ./src/capture/follow.ts




/** At full rate the spool must not fill between two acknowledgements. */
const ackEvery = 250;
const firstBackoff = 200;
/** What else the pod says is shown, but never floods the log. */
const mostForeignLines = 20;
const longestForeignLine = 1_000;
/** A line for each interface of a node, and a dozen more; characters. */
const longestTrailer = 1_000_000;
/** What a node or a pod says of an end, UTF-16 units. */
const longestDetail = 500;
const longestBackoff = 10_000;
/**
 * Follows the spool into the part file until its trailer, over as many connections as it takes, each from the present offset with
 * fresh credentials. Never rejects. `giveUpAt(progress)` is the time from which a lost connection is
 * no longer made again, given the time of the last byte (both ms since the epoch).
 */
function followSpool(place, part, giveUpAt, events) {
    let current;
    let stopReason;
    let held = false;
    let abandoned = false;
    /** the recorder must hear of a stop: one connection is made at once, however long the last ones were in vain */
    let hurry = false;
    let listening = false;
    let resumed = 0;
    let wake;
    /** ends every wait for somebody else; what comes of that is nobody's concern then */
    let leave = () => undefined;
    const left = new Promise((resolve) => (leave = resolve));
    /** why no further connection can bring the rest */
    let lost;
    let foreignLines = 0;
    const foreign = (line) => {
        foreignLines += 1;
        if (foreignLines <= mostForeignLines)
            events.foreign(line.slice(0, longestForeignLine));
    };
    const onListening = () => {
        if (listening)
            return;
        listening = true;
        events.listening();
    };
    /** One connection: until the trailer and all bytes are here, or until it breaks. */
    const once = async () => {
        let trailerText = '';
        let trailer;
        let diskError;
        let finished = false;
        let deserted = false;
        let command = undefined; // data may come before the opening is told
        const finishWhenWhole = () => {
            if (!command || finished || trailer === undefined || part.received() < trailer.size)
                return;
            finished = true;
            command.send('done'); // only now may the far end go: a process that leaves with bytes under way loses them
            setTimeout(() => command?.close(), 500);
        };
        const onLine = (line) => {
            if (deserted)
                return;
            const [word, ...rest] = line.split(' ');
            if (word === 'listening')
                onListening();
            else if (word === 'trailer') {
                if (trailerText.length < longestTrailer)
                    trailerText += `${rest.join(' ')}\n`;
            }
            else if (word === 'end') {
                trailer = parseTrailer(trailerText.split('\n'));
                if (trailer === undefined)
                    foreign(`a trailer that cannot be read: ${trailerText.trimEnd().replaceAll('\n', '; ')}`);
                finishWhenWhole();
            }
            else if (word === 'gone')
                lost = `the spool no longer has byte ${rest.join(' ')}`;
            else if (word !== 'beat')
                foreign(line);
        };
        const opening = place.open(followCommand(place.spools, part.received()), {
            stdout: (chunk) => {
                if (deserted)
                    return undefined;
                const waiting = part.push(chunk)?.catch((error) => {
                    diskError ??= error;
                    command?.send('stop error');
                    command?.send('done'); // nobody will fetch the rest
                    setTimeout(() => command?.close(), 500);
                });
                finishWhenWhole();
                return waiting;
            },
            stderr: onLine,
        });
        // Credentials, a proxy, an upgrade: whatever hangs there must not hold who wants to leave.
        command = await Promise.race([opening, left.then(() => undefined)]);
        if (!command) {
            deserted = true;
            void opening.then((late) => late.close()).catch(() => undefined);
            return { trailer: undefined, reason: 'left' };
        }
        current = command;
        finishWhenWhole();
        if (stopReason !== undefined)
            command.send(`stop ${stopReason}`);
        if (held || diskError !== undefined)
            command.close();
        let missingSince = 0;
        const pulse = setInterval(() => {
            part.flush();
            command.send(`ack ${part.stored()}`);
            // "end" is here, but bytes are missing and none come: what was on the way is lost, so it is asked for again.
            if (trailer !== undefined && !finished) {
                missingSince ||= Date.now();
                if (Date.now() - missingSince > silenceLimit)
                    command.close();
            }
        }, ackEvery);
        const end = await command.ended;
        clearInterval(pulse);
        current = undefined;
        if (diskError !== undefined)
            throw new DiskError((0,errors/* messageOf */.bD)(diskError));
        return { trailer: finished ? trailer : undefined, reason: `${end.reason || 'closed'} (code ${end.code})` };
    };
    const run = async () => {
        let backoff = firstBackoff;
        let lastProgress = Date.now();
        const tell = tellChanges((reason) => events.interrupted((0,capture_foreign/* foreignWords */.K)(reason, longestDetail)));
        const leftHere = () => {
            if (held)
                return { trailer: undefined, end: 'held', detail: 'left for the post step', resumed };
            if (abandoned)
                return { trailer: undefined, end: 'gave-up', detail: 'nothing more came', resumed };
            return undefined;
        };
        for (;;) {
            const before = part.received();
            let reason;
            try {
                const { trailer, reason: ended } = await once();
                if (trailer)
                    return { trailer, end: 'whole', detail: '', resumed };
                reason = ended;
            }
            catch (error) {
                if (error instanceof DiskError) {
                    return { trailer: undefined, end: 'runner-disk', detail: error.message, resumed };
                }
                reason = (0,errors/* messageOf */.bD)(error);
            }
            if (part.received() > before) {
                backoff = firstBackoff;
                lastProgress = Date.now();
            }
            const state = leftHere() ? undefined : await Promise.race([place.state(), left.then(() => undefined)]);
            const over = leftHere();
            if (over)
                return over;
            if (!state)
                continue;
            if (state.kind === 'terminated') {
                const trailer = parseTrailer(state.message.split('\n'));
                // The container's last words are the trailer too: with every byte here it is proof enough.
                const whole = trailer !== undefined && part.received() === trailer.size;
                const cut = state.podDeleted ? 'place-gone' : 'container-ended';
                return {
                    trailer,
                    end: whole ? 'whole' : cut,
                    detail: state.message.replace(/\s*\n\s*/g, '; ') || state.reason,
                    resumed,
                };
            }
            if (state.kind === 'gone')
                return { trailer: undefined, end: 'place-gone', detail: state.reason, resumed };
            if (lost !== undefined)
                return { trailer: undefined, end: 'gave-up', detail: lost, resumed };
            if (Date.now() > giveUpAt(lastProgress))
                return { trailer: undefined, end: 'gave-up', detail: reason, resumed };
            tell(state.kind === 'unknown' ? state.reason : reason, part.received() > before);
            resumed += 1;
            const wait = (hurry ? firstBackoff : backoff) * (0.8 + Math.random() * 0.4);
            hurry = false;
            await new Promise((resolve) => {
                const timer = setTimeout(resolve, wait);
                wake = () => {
                    clearTimeout(timer);
                    resolve();
                };
            });
            wake = undefined;
            const leaving = leftHere();
            if (leaving)
                return leaving;
            backoff = Math.min(backoff * 2, longestBackoff);
        }
    };
    return {
        stop(reason) {
            const isNew = stopReason !== reason; // it may be asked for each second
            stopReason = reason;
            if (current?.send(`stop ${reason}`) || !isNew)
                return;
            if (wake)
                wake();
            else
                hurry = true;
        },
        giveUp() {
            abandoned = true;
            current?.close();
            leave();
            wake?.();
        },
        hold(seconds) {
            held = true;
            current?.send(`hold ${seconds}`);
            const command = current;
            setTimeout(() => command?.close(), 200); // the line must be on its way first
            leave();
            wake?.();
        },
        outcome: run().then((outcome) => ({ ...outcome, detail: (0,capture_foreign/* foreignWords */.K)(outcome.detail, longestDetail) })),
    };
}
class DiskError extends Error {
}
/** How often a reason that stays the same is told again, ms. */
const tellEvery = 60_000;
/** Tells a reason that is new, or that ended a connection which brought something; of others that are alike their number, now and then. */
function tellChanges(tell) {
    let last;
    return (reason, progress) => {
        if (last && !progress && last.reason === reason) {
            last.tries += 1;
            if (Date.now() - last.at < tellEvery)
                return;
            last.at = Date.now();
            tell(`${reason}; ${last.tries} times by now`);
            return;
        }
        last = { reason, at: Date.now(), tries: 1 };
        tell(reason);
    };
}
/** Waits up to 5 s for the recorder to lay out its spool, then follows. Short: the command stands in the API server's audit log. */
function followCommand(spools, offset) {
    const places = spools.join(' ');
    const script = `n=0; while [ $n -lt 50 ]; do for d in ${places}; do [ ! -O $d/follow ] || exec sh $d/follow ${offset}; done; sleep 0.1; n=$((n+1)); done`;
    return ['sh', '-c', script];
}

// EXTERNAL MODULE: external "node:fs"
var external_node_fs_ = __webpack_require__(73024);
// EXTERNAL MODULE: external "node:v8"
var external_node_v8_ = __webpack_require__(78877);
// EXTERNAL MODULE: external "node:vm"
var external_node_vm_ = __webpack_require__(30714);
;// CONCATENATED MODULE: ./src/garbage.ts


let collect;
/**
 * Frees young buffers. V8 counts a buffer's bytes outside of its heap, and lets tens of MB of dead ones pile up before it looks: at 100 MB/s
 * that, not what is in use, decides this process' memory (bench/, test/e2e/memory.test.ts). A minor collection of dead buffers takes about a ms.
 */
function freeBuffers(type) {
    if (!collect) {
        (0,external_node_v8_.setFlagsFromString)('--expose-gc');
        collect = (0,external_node_vm_.runInNewContext)('gc');
    }
    collect({ type });
}

;// CONCATENATED MODULE: ./src/pcap/scanner.ts
const fileHeader = 24;
const recordHeader = 16;
/** MAXIMUM_SNAPLEN of libpcap is 262144; USB and D-Bus links go higher, packets of `any` do not. */
const longestPacket = 1_048_576;
/** Follows a pcap stream chunk by chunk, in constant memory: headers are looked at, packets are stepped over. */
function createScanner() {
    const header = Buffer.alloc(fileHeader);
    let filled = 0;
    let expected = fileHeader;
    let body = 0; // bytes of the present packet that are still to come
    let bytes = 0;
    let wholeBytes = 0;
    let packets = 0;
    let littleEndian = true;
    let fraction = 1e-3; // of a ms, per unit of the time stamp's second word
    let linkType;
    let first;
    let last;
    let pending = 0;
    let broken;
    const word = (offset) => (littleEndian ? header.readUInt32LE(offset) : header.readUInt32BE(offset));
    const readFileHeader = () => {
        const magic = header.readUInt32LE(0);
        const known = magics.get(magic);
        if (!known) {
            broken = `it does not begin with a pcap header (magic 0x${magic.toString(16).padStart(8, '0')})`;
            return;
        }
        littleEndian = known.littleEndian;
        fraction = known.fraction;
        linkType = word(20) & 0xffff;
        wholeBytes = fileHeader;
    };
    const readRecordHeader = () => {
        const length = word(8);
        if (length > longestPacket) {
            broken = `packet ${packets + 1} claims ${length} bytes`;
            return;
        }
        pending = word(0) * 1000 + word(4) * fraction;
        body = length;
        if (body === 0)
            finishPacket();
    };
    const finishPacket = () => {
        packets += 1;
        first ??= pending;
        last = pending;
    };
    return {
        push(chunk) {
            let at = 0;
            while (at < chunk.length && broken === undefined) {
                if (body > 0) {
                    const step = Math.min(body, chunk.length - at);
                    body -= step;
                    at += step;
                    if (body === 0) {
                        finishPacket();
                        wholeBytes = bytes + at;
                    }
                    continue;
                }
                const step = Math.min(expected - filled, chunk.length - at);
                chunk.copy(header, filled, at, at + step);
                filled += step;
                at += step;
                if (filled < expected)
                    continue;
                filled = 0;
                if (expected === fileHeader) {
                    expected = recordHeader;
                    readFileHeader();
                }
                else {
                    readRecordHeader();
                    if (broken === undefined && body === 0)
                        wholeBytes = bytes + at;
                }
            }
            bytes += chunk.length;
        },
        result: () => ({ packets, bytes, wholeBytes, linkType, first, last, broken }),
    };
}
const magics = new Map([
    [0xa1b2c3d4, { littleEndian: true, fraction: 1e-3 }],
    [0xa1b23c4d, { littleEndian: true, fraction: 1e-6 }],
    [0xd4c3b2a1, { littleEndian: false, fraction: 1e-3 }],
    [0x4d3cb2a1, { littleEndian: false, fraction: 1e-6 }],
]);

;// CONCATENATED MODULE: ./src/capture/part-file.ts





/** Frames of some KB are collected into blocks of this size, bytes: one write and one hash step for many, and no frame outlives its arrival. */
const blockSize = 1024 * 1024;
/** As soon as this many blocks wait for the disk, the sender waits, too. */
const mostBlocks = 4;
/** Bytes after which the frames that are done with are collected. */
const collectEvery = 16 * blockSize;
/** Opens a part file; one that is there already (main was cancelled) is read again and continued. */
async function openPartFile(path) {
    const hash = (0,external_node_crypto_.createHash)('sha256');
    const scanner = createScanner();
    const existing = await readAgain(path, hash, scanner);
    const file = await (0,promises_.open)(path, 'a', 0o600);
    let received = existing;
    let stored = existing;
    let uncollected = 0;
    let block = Buffer.allocUnsafeSlow(blockSize);
    let filled = 0;
    const full = [];
    const spare = [];
    let writer;
    let failure;
    const room = gate();
    const writeAll = async () => {
        try {
            for (let next = full[0]; next !== undefined; next = full[0]) {
                for (let at = 0; at < next.length;) {
                    const { bytesWritten } = await file.write(next, at);
                    at += bytesWritten;
                    stored += bytesWritten;
                }
                full.shift();
                if (next.length === blockSize)
                    spare.push(next);
                if (full.length < mostBlocks)
                    room.open();
            }
        }
        catch (error) {
            failure = error;
            full.length = 0;
            room.fail(failure);
        }
        finally {
            writer = undefined;
        }
    };
    const flush = () => {
        if (filled === 0 || failure)
            return;
        const done = filled === blockSize ? block : Buffer.from(block.subarray(0, filled));
        hash.update(done);
        full.push(done);
        if (done === block)
            block = spare.pop() ?? Buffer.allocUnsafeSlow(blockSize);
        filled = 0;
        writer ??= writeAll();
    };
    return {
        path,
        received: () => received,
        stored: () => stored,
        push(chunk) {
            if (failure)
                return Promise.reject(failure);
            received += chunk.length;
            scanner.push(chunk);
            for (let at = 0; at < chunk.length;) {
                const step = Math.min(blockSize - filled, chunk.length - at);
                chunk.copy(block, filled, at, at + step);
                filled += step;
                at += step;
                if (filled === blockSize)
                    flush();
            }
            uncollected += chunk.length;
            if (uncollected > collectEvery) {
                uncollected = 0;
                freeBuffers('minor');
            }
            return full.length < mostBlocks ? undefined : room.wait();
        },
        flush,
        scan: () => scanner.result(),
        sha256: () => hash.copy().update(block.subarray(0, filled)).digest('hex'),
        close: async () => {
            flush();
            await writer;
            await file.close();
            if (failure)
                throw failure;
        },
        discard: async () => {
            await file.close();
            await (0,promises_.rm)(path, { force: true });
        },
    };
}
/** A place to wait for room: everybody who waits is let go, or refused, together. */
function gate() {
    let waiting;
    return {
        wait() {
            waiting ??= Promise.withResolvers();
            return waiting.promise;
        },
        open() {
            waiting?.resolve();
            waiting = undefined;
        },
        fail(error) {
            waiting?.reject(error);
            waiting = undefined;
        },
    };
}
async function readAgain(path, hash, scanner) {
    const { size } = await (0,promises_.stat)(path).catch(() => ({ size: 0 }));
    if (size === 0)
        return 0;
    for await (const chunk of (0,external_node_fs_.createReadStream)(path, { highWaterMark: blockSize })) {
        hash.update(chunk);
        scanner.push(chunk);
    }
    return scanner.result().bytes;
}
/** What a broken file is cut back to: its whole packets, and the SHA-256 of them. For a disk that refused, only the file itself knows what it has. */
async function cutToWholePackets(path) {
    const scanner = createScanner();
    await readAgain(path, (0,external_node_crypto_.createHash)('sha256'), scanner);
    const scan = scanner.result();
    if (scan.bytes > scan.wholeBytes)
        await (0,promises_.truncate)(path, scan.wholeBytes);
    const hash = (0,external_node_crypto_.createHash)('sha256');
    await readAgain(path, hash, createScanner());
    return { scan: { ...scan, bytes: scan.wholeBytes }, sha256: hash.digest('hex') };
}

// EXTERNAL MODULE: ./src/capture/start.ts
var start = __webpack_require__(80302);
;// CONCATENATED MODULE: ./src/capture/verdict.ts
/** `complete` needs every proof; whatever lacks one is `partial`, with each reason that there is. */
function judge({ outcome, scan, sha256, loopback, where }) {
    const { trailer } = outcome;
    const ending = outcome.end === 'place-gone' ? `${places[where]} went away` : endings[outcome.end];
    const reasons = [];
    if (trailer === undefined) {
        reasons.push(`${ending}${outcome.detail ? ` (${outcome.detail})` : ''}; ${scan.bytes} bytes had arrived`);
    }
    else {
        if (scan.bytes !== trailer.size)
            reasons.push(`${scan.bytes} of ${trailer.size} bytes arrived (${ending})`);
        else if (sha256 !== trailer.sha256)
            reasons.push('the SHA-256 of what arrived is not that of what was sent');
        if (trailer.reason === 'died')
            reasons.push(`tcpdump ended by itself (exit code ${trailer.exit}): ${trailer.words}`);
        if (trailer.reason === 'terminated')
            reasons.push(`${places[where]} was stopped before the capture was over`);
        if (trailer.reason === 'target-gone')
            reasons.push(targetGone);
        if (trailer.reason === 'owner')
            reasons.push('the recorder had not heard from the runner for too long and stopped');
        if (trailer.reason === 'deadline')
            reasons.push('the recorder reached its deadline before its duration was over');
        if (!knownReasons.has(trailer.reason))
            reasons.push(`the recorder stopped for a reason of its own (${trailer.reason})`);
        if (trailer.pauses > 0) {
            reasons.push(`recording paused ${times(trailer.pauses)} for ${(trailer.pausedMs / 1000).toFixed(1)} s in all, because the spool was full`);
        }
        if (trailer.dropped === undefined)
            reasons.push('tcpdump did not tell whether packets were dropped');
    }
    if (scan.broken !== undefined)
        reasons.push(`the pcap cannot be read: ${scan.broken}`);
    else if (scan.wholeBytes !== scan.bytes)
        reasons.push('the last packet is cut off');
    const dropped = trailer?.dropped === undefined ? undefined : trailer.dropped + (trailer.interfaceDropped ?? 0);
    if (dropped !== undefined && dropped > 0) {
        reasons.push(`${loopback ? 'at most ' : ''}${dropped} packets were dropped by the kernel: use a narrower filter or a smaller snaplen`);
    }
    const stopReason = stopOf(outcome, where);
    if (reasons.length > 0)
        return { verdict: 'partial', reason: reasons.join('; '), stopReason, dropped };
    if (scan.packets === 0) {
        return { verdict: 'empty', reason: 'no packet matched; everything was recorded and arrived', stopReason, dropped };
    }
    return {
        verdict: 'complete',
        reason: `all ${scan.bytes} bytes arrived with the recorder's SHA-256, every packet is whole, none was dropped`,
        stopReason,
        dropped,
    };
}
/** What was recorded after the pod had gone, or had got another address, is not its own, or is missing: whatever else is proven. */
function judgeTarget(verdict, fate) {
    if (fate.kind !== 'lost')
        return verdict;
    const others = verdict.verdict === 'partial' ? verdict.reason.split('; ').filter((one) => one !== targetGone) : [];
    return { ...verdict, verdict: 'partial', reason: [`${fate.why} before the capture was over`, ...others].join('; ') };
}
/** All that the recorder can say of it. */
const targetGone = 'the pod went away before the capture was over';
/** target-gone is the end of the target alone: on a node the recorder is somewhere else, and may be ended by itself. */
function stopOf({ trailer, end }, where) {
    const withPlace = trailer ? trailer.reason === 'terminated' : end === 'place-gone';
    if (withPlace)
        return where === 'container' ? 'target-gone' : 'error';
    return stops.get(trailer?.reason ?? '') ?? 'error';
}
/** What goes, or is stopped, where the recorder goes with it. */
const places = {
    container: 'the pod',
    'node-pod': "the recorder's own node pod, not the target,",
    ssh: 'the recorder on the node, not the target,',
};
const endings = {
    whole: 'the connection ended well',
    'container-ended': "the capture's container ended before everything was fetched",
    'gave-up': 'the connection was lost and could not be made again in time',
    held: 'the rest was left in the pod',
    'runner-disk': "the runner's disk refused the data",
};
const stops = new Map([
    ['duration', 'duration'],
    ['size', 'size'],
    ['packets', 'packets'],
    ['cancelled', 'cancelled'],
    ['target-gone', 'target-gone'],
]);
const knownReasons = new Set([...stops.keys(), 'terminated', 'died', 'owner', 'deadline']);
function times(count) {
    return count === 1 ? 'once' : `${count} times`;
}

;// CONCATENATED MODULE: ./src/capture/capture.ts






/** The part file of a capture: made before the container is, continued by the post step. @throws the file system's error */
async function openPart(record) {
    await (0,promises_.mkdir)((0,external_node_path_.dirname)(record.partPath), { recursive: true });
    return openPartFile(record.partPath);
}
/**
 * Follows a capture whose container runs, from where its part file ends, to its result. `endsBy`: when its recording is over at the latest,
 * ms since the epoch, where that is not to be told from its begin (in post it is over now).
 */
function followCapture({ record, place }, part, imageId, events, endsBy) {
    let listeningSince;
    const { plan } = record;
    const end = () => endsBy ?? (listeningSince === undefined ? record.deadlineHere : listeningSince + plan.duration * 1000);
    const follower = followSpool(place, part, (progress) => Math.max(end(), progress) + resumeGrace, {
        listening: () => {
            listeningSince = Date.now();
            events.listening();
        },
        interrupted: events.interrupted,
        foreign: events.foreign,
    });
    // The recorder keeps the limits itself; this is the second line, for a recorder whose clock stands still.
    let seen = 0;
    let progress = Date.now();
    const guard = setInterval(() => {
        if (part.received() > seen)
            progress = Date.now();
        seen = part.received();
        if (Date.now() > Math.max(end(), progress) + resumeGrace + limitGrace)
            follower.giveUp();
        else if (Date.now() > end() + limitGrace)
            follower.stop('duration');
        else if (part.received() > plan.size + plan.spoolLimit)
            follower.stop('size');
        if (part.received() > plan.size + 2 * plan.spoolLimit + farTooMuch)
            follower.giveUp(); // whoever sends that is no recorder of ours
    }, 1_000);
    return {
        record,
        imageId,
        part,
        stop: (reason) => follower.stop(reason),
        hold: (seconds) => follower.hold(seconds),
        finished: follower.outcome
            .finally(() => clearInterval(guard))
            .then(async (outcome) => {
            // It ran, but failed before it recorded anything: the container's own words say which input is wrong.
            if (outcome.end === 'container-ended' && /^error \S/.test(outcome.detail)) {
                await part.discard();
                throw (0,start/* startError */.h5)(outcome.detail, record);
            }
            return conclude(record, imageId, part, outcome);
        }),
    };
}
/** bytes */
const farTooMuch = 256e6;
/** How much later than the recorder the runner stops by itself, ms. */
const limitGrace = 10_000;
/** After the end of the recording, or of the last byte, a lost connection is made again for this long, ms. */
const resumeGrace = 60_000;
/** What the part file alone has, when the cluster can no longer be asked. */
async function finishFromDisk(record, imageId, detail) {
    const part = await openPart(record);
    const outcome = { trailer: undefined, end: 'gave-up', detail, resumed: 0 };
    return conclude(record, imageId, part, outcome);
}
/** Closes the part file, judges, and cuts what is broken. The file gets its name by `nameFile`, after the result is saved. */
async function conclude(record, imageId, part, outcome) {
    let settled = outcome;
    await part.close().catch((error) => {
        settled = { ...outcome, trailer: undefined, end: 'runner-disk', detail: error.message };
    });
    const scan = part.scan();
    const sha256 = part.sha256();
    const loopback = record.plan.interface === 'any' || record.plan.interface === 'lo';
    const verdict = judge({ outcome: settled, scan, sha256, loopback, where: record.where.kind });
    const result = { record, imageId, verdict, outcome: settled, scan, sha256 };
    if (settled.end === 'held')
        return { ...result, path: undefined };
    const kept = verdict.verdict === 'partial' ? await cutToWholePackets(part.path) : { scan, sha256 };
    if (kept.scan.wholeBytes === 0)
        return { ...result, ...kept, path: undefined };
    return { ...result, ...kept, path: record.path };
}
/** A result in the light of what became of its target. */
function withFate(result, fate) {
    return { ...result, fate, verdict: judgeTarget(result.verdict, fate) };
}
/** Gives the file of a result its final name; once is enough. */
async function nameFile({ record, path }) {
    if (path === undefined)
        return;
    await (0,promises_.rename)(record.partPath, path).catch((error) => {
        if (error.code !== 'ENOENT')
            throw error;
    });
}

// EXTERNAL MODULE: ./src/capture/container.ts
var capture_container = __webpack_require__(38097);
// EXTERNAL MODULE: ./src/capture/node-filter.ts
var node_filter = __webpack_require__(54803);
;// CONCATENATED MODULE: ./src/capture/record.ts



function recordOf(target, container, plan, path, serverTime, where = { kind: 'container' }) {
    const deadline = (0,capture_container/* deadlineOf */.G0)(plan, serverTime);
    const { namespace, pod, uid, node, facts } = target;
    const shared = where.kind === 'container' || facts.spec?.hostNetwork === true;
    return {
        namespace,
        pod,
        uid,
        addresses: shared ? [] : (0,node_filter/* addressesOf */.sO)(facts),
        node,
        container,
        where,
        plan,
        deadline,
        deadlineHere: Date.now() + deadline * 1000 - serverTime,
        path,
        partPath: (0,external_node_path_.join)((0,external_node_path_.dirname)(path), `${container}.part`),
    };
}
/** What is captured, for a sentence: `pod web`, `node a`, or the node for the pod's sake. */
function subjectOf({ pod, node, where }) {
    if (where.kind === 'container')
        return `pod ${pod}`;
    return pod === '' ? `node ${node}` : `pod ${pod} on node ${node}`;
}

;// CONCATENATED MODULE: ./src/capture/target-watch.ts




const lookEvery = 5_000;
/**
 * Looks at once, every 5 s and at the end whether the pod that a node is captured for is still there, at its addresses: otherwise they may be
 * another's. A capture in the pod itself ends with it. `lost`: called once it is not.
 */
function watchTarget(connection, record, lost) {
    if (record.where.kind === 'container' || record.pod === '')
        return { end: () => Promise.resolve({ kind: 'there' }) };
    let fate = { kind: 'there' };
    const isLost = () => fate.kind === 'lost';
    const look = async () => {
        if (isLost())
            return;
        const seen = await lookAtTarget(connection, record);
        if (isLost())
            return;
        fate = seen;
        if (seen.kind === 'lost')
            lost();
    };
    const timer = setInterval(() => void look(), lookEvery);
    void look();
    return {
        end: async (within = lookEvery) => {
            clearInterval(timer);
            const late = new AbortController();
            const timeout = (0,external_node_timers_promises_.setTimeout)(within, 'late', { signal: late.signal }).catch(() => undefined);
            const answer = await Promise.race([look(), timeout]);
            late.abort();
            return answer === 'late' && !isLost() ? { kind: 'unknown', why: `no answer within ${within / 1000} s` } : fate;
        },
    };
}
/** One look; never rejects. */
async function lookAtTarget(connection, { namespace, pod, uid, addresses, where }) {
    if (where.kind === 'container' || pod === '')
        return { kind: 'there' };
    const lost = (why) => ({ kind: 'lost', why });
    try {
        const path = `/api/v1/namespaces/${namespace}/pods/${pod}`;
        const found = (await call(connection, 'GET', path, undefined, lookEvery)).body;
        const phase = found.status?.phase;
        if (found.metadata?.uid !== uid)
            return lost(`the pod ${pod} was replaced by another of its name`);
        if (phase === 'Succeeded' || phase === 'Failed')
            return lost(`the pod ${pod} came to its end (${phase})`);
        const now = (0,node_filter/* addressesOf */.sO)(found);
        const same = now.length === addresses.length && addresses.every((address) => now.includes(address));
        if (addresses.length > 0 && !same) {
            return lost(`the pod ${pod} changed its address (${addresses.join(', ')} \u2192 ${now.join(', ') || 'none'})`);
        }
        return { kind: 'there' };
    }
    catch (error) {
        if (error instanceof ApiError && error.status === 404)
            return lost(`the pod ${pod} went away`);
        return { kind: 'unknown', why: (0,errors/* messageOf */.bD)(error).replace(/\s+/g, ' ').slice(0, 300) };
    }
}

;// CONCATENATED MODULE: ./src/cluster/answer.ts


/**
 * The answer as the object that every answer of an API server is. `asked`: what it was asked, as in "asked who we are".
 * @throws ConfigurationError where something else answers in its place: a login page, a redirect, another service's JSON
 */
function objectOf(connection, { status, body }, asked) {
    if (typeof body === 'object' && body !== null && !Array.isArray(body))
        return body;
    throw notOurs(connection, asked, `${status} without a JSON object`);
}
/** The error of an answer that no API server gives. `got`: what came in its place. */
function notOurs(connection, asked, got) {
    return new errors/* ConfigurationError */.j1(`${connection.input}: asked ${asked}, ${connection.description} answered ${got}: that is not how an API server answers. ` +
        'Is it the address of one, with its whole path, or does something stand before it (a login page, a proxy)? Nothing was created.');
}
/** What any error of a question to the API server says to the user: the input, what was asked, the answer, what to do. */
function problemOf(connection, error, asked) {
    if (error instanceof errors/* ConfigurationError */.j1)
        return error.message;
    if (error instanceof ApiError) {
        const words = oneLine([error.reason, error.message].filter((part) => part !== '').join(': '));
        const said = `${connection.input}: asked ${asked}, the API server ${connection.description} answered ${error.status} (${words}).`;
        return `${said} ${adviceFor(error, connection)} Nothing was created.`;
    }
    return (`${connection.input}: the API server ${connection.description} could not be asked ${asked}: ${oneLine((0,errors/* messageOf */.bD)(error))}. ` +
        'Look at what this input leads to (address, certificates, user, proxy); if that is right, this is a defect of the action: please report it. Nothing was created.');
}
function adviceFor({ status, reason }, { hint }) {
    if (status === 429 || status >= 500) {
        return 'It is busy or ill, or a webhook of it is; no input of this run can mend that. Run it again, and if it stays, tell those who run the cluster.';
    }
    const guard = hint === undefined ? '' : ` Otherwise: ${hint}.`;
    if (status === 404)
        return `Is it the address of the API server itself, with its whole path?${guard}`;
    if (reason === '') {
        return `These are not the words of an API server: does something stand before it (a proxy, a firewall)?${guard}`;
    }
    return `Ask those who run the cluster.${guard}`;
}
/** Foreign words without line breaks: what has the look of a command of ours is none. */
function oneLine(words) {
    return words.replace(/\s*[\r\n\u0085\u2028\u2029]\s*/g, ' ').trim();
}

;// CONCATENATED MODULE: ./src/cluster/target.ts



/**
 * Finds the pods that the input `pod` names: one today, a list from the first day.
 * @throws ConfigurationError that names the nearest pods, or the missing right
 */
async function findTargets(connection, namespace, query) {
    const pod = query.kind === 'pod'
        ? await getPod(connection, namespace, query.name)
        : await podOfDeployment(connection, namespace, query.name);
    return [
        {
            namespace,
            pod: pod.metadata?.name ?? '',
            uid: pod.metadata?.uid ?? '',
            node: pod.spec?.nodeName ?? '',
            facts: pod,
        },
    ];
}
async function getPod(connection, namespace, name) {
    const asked = `for the pod ${JSON.stringify(name)}`;
    try {
        const answer = await call(connection, 'GET', `/api/v1/namespaces/${namespace}/pods/${name}`);
        const pod = objectOf(connection, answer, asked);
        if (pod.metadata?.name !== name)
            throw notOurs(connection, asked, 'something else');
        return pod;
    }
    catch (error) {
        if (!(error instanceof ApiError))
            throw error;
        if (error.status !== 404)
            throw denied(error, 'get', 'pods', namespace);
        throw new errors/* ConfigurationError */.j1(`pod: there is no pod ${JSON.stringify(name)} in the namespace ${JSON.stringify(namespace)}. ` +
            (await suggestions(connection, namespace, name)));
    }
}
/** The newest pod that is not ready, else the newest: what a failed rollout is about. */
async function podOfDeployment(connection, namespace, name) {
    const path = `/apis/apps/v1/namespaces/${namespace}/deployments/${name}`;
    let deployment;
    try {
        const answer = await call(connection, 'GET', path);
        deployment = objectOf(connection, answer, `for the deployment ${JSON.stringify(name)}`);
    }
    catch (error) {
        if (!(error instanceof ApiError))
            throw error;
        if (error.status !== 404)
            throw denied(error, 'get', 'deployments', namespace);
        throw new errors/* ConfigurationError */.j1(`pod: there is no deployment ${JSON.stringify(name)} in the namespace ${JSON.stringify(namespace)}. ` +
            `List them with \`kubectl -n ${namespace} get deployments\`.`);
    }
    const pods = (await listPods(connection, namespace, selectorText(deployment.spec?.selector))).filter((pod) => isOf(pod, name));
    const usable = pods.filter((pod) => pod.status?.phase === 'Running' && !pod.metadata?.deletionTimestamp);
    const newest = (list) => [...list].sort((a, b) => age(a) - age(b) || (a.metadata?.name ?? '').localeCompare(b.metadata?.name ?? '')).at(-1);
    const chosen = newest(usable.filter((pod) => !isReady(pod))) ?? newest(usable);
    if (!chosen) {
        const seen = pods.map((pod) => `${pod.metadata?.name ?? '?'} (${pod.status?.phase ?? 'unknown'})`).join(', ');
        throw new errors/* ConfigurationError */.j1(`pod: no pod of deployment ${JSON.stringify(name)} is running: ${seen || 'it has none'}. ` +
            `See why with \`kubectl -n ${namespace} describe deployment ${name}\`.`);
    }
    return chosen;
}
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
/** Owned by a ReplicaSet of the deployment, whose name is NAME-HASH with the hash in the pod's label; no right on replicasets is needed. */
function isOf(pod, deployment) {
    const hash = pod.metadata?.labels?.['pod-template-hash'];
    return (pod.metadata?.ownerReferences ?? []).some((owner) => owner.kind === 'ReplicaSet' && owner.name === `${deployment}-${hash ?? ''}`);
}
function isReady(pod) {
    return (pod.status?.conditions ?? []).some(({ type, status }) => type === 'Ready' && status === 'True');
}
function age(pod) {
    return Date.parse(pod.metadata?.creationTimestamp ?? '') || 0;
}
async function listPods(connection, namespace, selector) {
    const query = new URLSearchParams({ limit: '500', ...(selector ? { labelSelector: selector } : {}) });
    try {
        const answer = await call(connection, 'GET', `/api/v1/namespaces/${namespace}/pods?${query.toString()}`);
        return objectOf(connection, answer, 'for pods').items ?? [];
    }
    catch (error) {
        throw error instanceof ApiError ? denied(error, 'list', 'pods', namespace) : error;
    }
}
async function suggestions(connection, namespace, name) {
    let pods;
    try {
        pods = await listPods(connection, namespace, '');
    }
    catch {
        return `List them with \`kubectl -n ${namespace} get pods\`.`;
    }
    const near = pods
        .map((pod) => pod.metadata?.name ?? '')
        .map((known) => ({ known, distance: editDistance(known, name) - (known.startsWith(name) ? known.length : 0) }))
        .sort((a, b) => a.distance - b.distance)
        .slice(0, 3)
        .map(({ known }) => known);
    return near.length > 0
        ? `The nearest are: ${near.join(', ')}.`
        : `The namespace has no pods: is it the right one, in the right cluster (${connection.description})?`;
}
/** Levenshtein distance, in single-character edits. */
function editDistance(a, b) {
    let row = Array.from({ length: b.length + 1 }, (_, i) => i);
    for (let i = 1; i <= a.length; i += 1) {
        const next = [i];
        for (let j = 1; j <= b.length; j += 1) {
            const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
            next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
        }
        row = next;
    }
    return row[b.length] ?? 0;
}
/**
 * Everything about a pod that keeps it from being captured, each with what to do. The architecture of its node is not looked at: it is on the
 * node alone, and to read nodes is a right in the whole cluster that a capture of a pod needs for nothing else. The default image is there for
 * all usual ones; with another image the kubelet says it.
 */
function targetProblems({ namespace, pod: name, facts }, options) {
    const problems = [];
    const refuse = (cause, fix) => {
        problems.push(`pod: ${JSON.stringify(name)} ${cause}. ${fix} Nothing was created.`);
    };
    const phase = facts.status?.phase ?? 'Unknown';
    if (phase === 'Succeeded' || phase === 'Failed') {
        refuse(`has ended (${phase})`, 'A finished pod has no network left to capture: name a running one.');
    }
    else if (facts.metadata?.deletionTimestamp) {
        refuse('is being deleted', 'Name a pod that stays, or deployment/NAME to get its newest.');
    }
    else if (phase !== 'Running') {
        refuse(`is not running (${phase})`, `See why with \`kubectl -n ${namespace} describe pod ${name}\`; capture once it runs.`);
    }
    if (isWindows(facts)) {
        refuse('runs on a Windows node', 'Only Linux pods can be captured: tcpdump is not there on Windows.');
    }
    if (options.level === 'pod' && isStatic(facts)) {
        refuse('is a static pod', 'The kubelet runs it from a file and takes no ephemeral containers for it; capture the pod that talks to it, or with `level: node`.');
    }
    if (facts.spec?.hostNetwork === true && !options.allowHostNetwork) {
        refuse('uses the network of its node (hostNetwork)', 'Its capture would show every pod of the node. Set `allow-host-network: true` if you mean that.');
    }
    return problems;
}
/** Whether admission has anything to say about it beyond what its facts say already. */
function canBeAsked({ node, facts }, { level }) {
    if (isWindows(facts))
        return false;
    return level === 'node' ? node !== '' : !isStatic(facts);
}
function isWindows({ spec }) {
    return spec?.os?.name === 'windows' || spec?.nodeSelector?.['kubernetes.io/os'] === 'windows';
}
function isStatic({ metadata }) {
    return metadata?.annotations?.['kubernetes.io/config.mirror'] !== undefined;
}
/** A 403 in terms of the right that is missing, any other answer in its own words. */
function denied(error, verb, resource, namespace) {
    if (error.status !== 403)
        return error;
    return new errors/* ConfigurationError */.j1(`${error.input}: its user may not ${verb} ${resource} in the namespace ${JSON.stringify(namespace)} (${oneLine(error.message)}). ` +
        `Grant it with a Role that has the verb "${verb}" on "${resource}"; all that a capture of a pod needs: ` +
        'pods get, pods/ephemeralcontainers patch, pods/exec get and create, and where a deployment is named deployments get and pods list.');
}

// EXTERNAL MODULE: ./src/capture/place.ts
var place = __webpack_require__(78309);
;// CONCATENATED MODULE: ./src/capture/pod-place.ts






/** A recorder in a container, reached by exec. */
function containerPlace(source) {
    const { namespace, pod, container } = source;
    return {
        open: (command, handlers) => openRemoteCommand(source.connection, { namespace, pod, container, command }, handlers),
        state: () => containerState(source),
        spools: (0,capture_container/* spoolDirectories */.XS)(container),
    };
}
/** A look at the pod between two connections must not cost the time in which the recorder gives its owner up, ms. */
const stateTimeout = 10_000;
/** The state of our container in the pod of the right UID; 'unknown' while the API server gives no such answer. */
async function containerState(source) {
    let pod;
    try {
        const path = `/api/v1/namespaces/${source.namespace}/pods/${source.pod}`;
        pod = (await call(source.connection, 'GET', path, undefined, stateTimeout)).body;
    }
    catch (error) {
        if (error instanceof ApiError && error.status === 404)
            return { kind: 'gone', reason: 'the pod was deleted' };
        return { kind: 'unknown', reason: (0,errors/* messageOf */.bD)(error) };
    }
    if (pod.metadata?.uid !== source.uid)
        return { kind: 'gone', reason: 'the pod was replaced by another of its name' };
    const statuses = [...(pod.status?.ephemeralContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
    const status = statuses.find(({ name }) => name === source.container);
    const state = status === undefined ? stateWithout(pod) : stateOf(status);
    const podDeleted = pod.metadata.deletionTimestamp !== undefined;
    return state.kind === 'terminated' && podDeleted ? { ...state, podDeleted } : state;
}
/** A pod that the kubelet refuses, or that is evicted before it starts, has no containers to tell of. */
function stateWithout({ status }) {
    if (status?.phase !== 'Failed')
        return { kind: 'waiting', reason: '', message: '' };
    const { reason, message } = wordsOf(status);
    return { kind: 'terminated', reason: `the pod failed: ${reason}`, message: `${reason} ${message}`.trim() };
}
function stateOf(status) {
    const state = status?.state;
    if (state?.terminated) {
        const { reason, message } = wordsOf(state.terminated);
        return { kind: 'terminated', reason: `${reason} (exit code ${state.terminated.exitCode ?? 0})`, message };
    }
    if (state?.running)
        return { kind: 'running', imageId: (0,capture_foreign/* foreignWords */.K)(status?.imageID ?? '', longestImageId) };
    return { kind: 'waiting', ...wordsOf(state?.waiting) };
}
/** Of a reference with its digest, UTF-16 units. */
const longestImageId = 512;
const pod_place_longestReason = 200;
/** The status is whatever the node's kubelet writes there. */
function wordsOf(said) {
    const { reason = '', message = '' } = said ?? {};
    return { reason: (0,capture_foreign/* foreignWords */.K)(reason, pod_place_longestReason), message: message.trim().slice(0, place/* longestMessage */.q) };
}

;// CONCATENATED MODULE: ./src/capture/ephemeral.ts







/** A recorder in an ephemeral container of the pod that it records. Kubernetes removes no such container: its entry stays with the pod. */
function ephemeralRecorder(connection, record) {
    const { namespace, pod, uid, container } = record;
    const source = { connection, namespace, pod, uid, container };
    const place = containerPlace(source);
    return {
        record,
        place,
        check: async () => {
            const taken = await addContainer(connection, record, true);
            return [
                taken === 'unknown'
                    ? 'Admission: not known before the start: a webhook of the cluster cannot be asked by a dry run'
                    : 'Admission: the cluster would take the capture container',
            ];
        },
        start: async (events, cancel) => {
            await addContainer(connection, record, false);
            events.made(`Added the ephemeral container ${container} to pod ${pod}`);
            return (0,start/* awaitStart */.Lq)(place, record, events, cancel);
        },
        clear: async () => {
            await awaitEnd(source);
            return { remains: [endedEntry(container)], unfinished: false };
        },
    };
}
/** What always stays of an ephemeral container. */
function endedEntry(container) {
    return `the ended entry ${container} in the pod's list of ephemeral containers: Kubernetes cannot remove it; it goes with the pod`;
}
/**
 * Adds the capture's container to the pod, or with `dryRun` asks whether it could be; 'unknown' where that cannot be asked.
 * @throws ConfigurationError with admission's words and the fix
 */
async function addContainer(connection, record, dryRun) {
    const container = (0,capture_container/* recorderContainer */.Qm)(record.container, record.plan, record.deadline);
    const path = `/api/v1/namespaces/${record.namespace}/pods/${record.pod}/ephemeralcontainers${dryRun ? '?dryRun=All' : ''}`;
    try {
        await call(connection, 'PATCH', path, {
            type: 'application/strategic-merge-patch+json',
            value: { metadata: { uid: record.uid }, spec: { ephemeralContainers: [container] } },
        });
        return 'taken';
    }
    catch (error) {
        // A webhook that does things beside its answer refuses every dry run (apiserver, NewDryRunUnsupportedErr); the real request may pass.
        if (dryRun && error instanceof ApiError && /does not support dry run/.test(error.message))
            return 'unknown';
        throw error instanceof ApiError ? refused(error, record, dryRun) : error;
    }
}
function refused(error, record, dryRun) {
    const nothing = 'Nothing was created.';
    const words = oneLine(error.message);
    if (/violates PodSecurity/.test(words)) {
        return new start/* NothingCreated */.SL(`namespace: ${JSON.stringify(record.namespace)} enforces a Pod Security level that forbids a capture container: ${words}. ` +
            `${podSecurityAdvice(words, record)} ${nothing}`);
    }
    if (error.status === 404) {
        // A pod that is away is named; without a name it is the subresource that the server does not know.
        return new start/* NothingCreated */.SL(/could not find the requested resource/.test(words)
            ? `pod: the cluster has no ephemeral containers (${words}): they are there from Kubernetes 1.25 on. Capture with \`level: node\`. ${nothing}`
            : `pod: ${JSON.stringify(record.pod)} went away before the capture began (${words}). Name a pod that stays, or deployment/NAME. ${nothing}`);
    }
    if (error.status === 403 && error.reason === 'Forbidden' && /cannot patch/.test(words)) {
        return new start/* NothingCreated */.SL(denied(error, 'patch', 'pods/ephemeralcontainers', record.namespace).message);
    }
    if (error.status < 500 && error.status !== 429) {
        return new start/* NothingCreated */.SL(`pod: the cluster refuses a capture container in ${JSON.stringify(record.pod)}: ${words}. ${nothing}`);
    }
    if (dryRun)
        return error;
    return new errors/* ConfigurationError */.j1(`pod: the API server answered ${error.status} (${words}) when the capture container was to be added to ${JSON.stringify(record.pod)}, so whether it was is not known; ` +
        `if so, it ends by itself after ${record.plan.ownerTimeout} s. Run it again; if it stays, tell those who run the cluster.`);
}
/**
 * What would help, by the level that is violated. A capture needs uid 0, which `restricted` never takes, and no capability beyond the default
 * ones, which `baseline` takes; `capabilities` asks for more than `baseline` takes (k8s.io/pod-security-admission, policy checks).
 */
function podSecurityAdvice(words, { plan }) {
    const label = (level) => `the label pod-security.kubernetes.io/enforce=${level} on the namespace`;
    const more = plan.capabilities.length > 0;
    if (/PodSecurity "?baseline/.test(words)) {
        return more
            ? `Leave the input \`capabilities\` empty: most runtimes give NET_RAW by themselves. Where yours does not (CRI-O, OpenShift), ask for ${label('privileged')}.`
            : `The capture container alone would be taken at this level: it is the pod itself, or a container that was added to it before, that violates it. Capture another pod, or ask for ${label('privileged')}.`;
    }
    return more
        ? `A capture needs uid 0, which this level never takes. Ask for ${label('baseline')} and leave the input \`capabilities\` empty, or, where the runtime gives no NET_RAW by itself, for ${label('privileged')}.`
        : `A capture needs uid 0, which this level never takes. Ask for ${label('baseline')}.`;
}
/** Sees the container end after the last acknowledgement; it ends by itself in any case. */
async function awaitEnd(source) {
    const end = Date.now() + 5_000;
    while (Date.now() < end) {
        const { kind } = await containerState(source);
        if (kind === 'terminated' || kind === 'gone')
            return;
        await (0,start/* pause */.v7)(200);
    }
}

;// CONCATENATED MODULE: ./src/describe.ts

/** One capture in the words of the report, before its upload. */
function reportOf(result, hints) {
    const { record, verdict, outcome, scan } = result;
    const { plan } = record;
    const { trailer } = outcome;
    return {
        namespace: record.namespace,
        pod: record.pod,
        node: record.node,
        container: record.container,
        image: plan.image,
        imageId: result.imageId,
        level: record.where.kind === 'container' ? 'pod' : 'node',
        method: methods[record.where.kind],
        remains: result.cleared?.remains ??
            (record.where.kind === 'container' ? [endedEntry(record.container)] : ['not known yet']),
        interface: plan.interface,
        filter: plan.filter,
        snaplen: plan.snaplen,
        began: trailer && trailer.began > 0 ? trailer.began * 1000 : scan.first,
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
        resumed: outcome.resumed,
        sha256: result.sha256,
        pcapPath: result.path,
        hints: [...hints, ...(trailer?.spool === 'memory' ? [memorySpool] : []), ...doubts(result.fate)],
        artifact: undefined,
        uploadError: undefined,
    };
}
const methods = { container: 'ephemeral-container', 'node-pod': 'node-pod', ssh: 'ssh' };
/** The proof is of the bytes; that the addresses were the pod's to the end nobody could see. */
function doubts(fate) {
    if (fate?.kind !== 'unknown')
        return [];
    return [`Whether the pod was there, at the same address, until the end could not be looked at (${fate.why}).`];
}
const memorySpool = 'The pod gave no room for a spool on its disk, so one of 4 MB in memory was used: where the connection is slower than the traffic, recording pauses.';

// EXTERNAL MODULE: ./src/quantities.ts
var quantities = __webpack_require__(85602);
;// CONCATENATED MODULE: ./src/report/result.ts
/** The output `result`: docs/result.schema.json describes it. Field names are stable; new ones may come. */
function resultJson(reports) {
    return JSON.stringify({
        version: 1,
        captures: reports.map((report) => ({
            target: {
                level: report.level,
                method: report.method,
                namespace: report.namespace,
                pod: report.pod,
                node: report.node,
                container: report.container,
            },
            capture: {
                interface: report.interface,
                filter: report.filter,
                snaplen: report.snaplen,
                image: report.image,
                imageId: report.imageId,
                began: report.began === undefined ? null : new Date(report.began).toISOString(),
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
            uploadError: report.uploadError ?? null,
            hints: report.hints,
            leftBehind: report.remains,
        })),
    });
}

;// CONCATENATED MODULE: ./src/report/markdown.ts
/**
 * The one escaper between foreign text and the summary: HTML's and Markdown's own characters, line breaks and what turns text around
 * become harmless, and no address becomes a link. GitHub renders Markdown inside of HTML, so both are escaped.
 */
function markdown_text(value) {
    return value
        .slice(0, longest)
        .replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g, ' ')
        .replace(/[&<>"'`|\\*_~[\](){}#!@$]|:(?=\/\/)|(?<=www)\./gi, (character) => `&#${character.charCodeAt(0)};`);
}
const longest = 4096;
function code(value) {
    return `<code>${markdown_text(value)}</code>`;
}
/** A GitHub table of two columns; the cells are Markdown already. */
function table(rows) {
    return ['| | |', '|---|---|', ...rows.map(([name, value]) => `| ${name} | ${value} |`)].join('\n');
}

;// CONCATENATED MODULE: ./src/report/preflight.ts

/** The summary of `preflight: only` where nothing stands in the way. */
function preflightMarkdown(findings, hints) {
    const lines = findings.map((finding) => `- ${markdown_text(finding)}`);
    const tips = hints.map((hint) => `\n> [!TIP]\n> ${markdown_text(hint)}`);
    return ['## \u2705 Ready to capture', '', ...lines, ...tips, ''].join('\n');
}
/** The summary of `preflight: only` with what has to be mended; the words are those of the log, and what is to be pasted is a block of code. */
function preflightProblemMarkdown(problem) {
    const parts = [];
    let rest = problem;
    for (const [command] of problem.matchAll(hereDocument)) {
        const at = rest.indexOf(command);
        parts.push(prose(rest.slice(0, at)), fenced(command));
        rest = rest.slice(at + command.length);
    }
    return ['## \u274c Not ready to capture', ...[...parts, prose(rest)].filter((part) => part !== ''), ''].join('\n\n');
}
/** A command with its here-document, from the beginning of a line to the line that ends it. */
const hereDocument = /^kubectl [^\n]* <<'EOF'\n(?:.*\n)*?EOF$/gm;
function prose(lines) {
    return lines
        .split('\n')
        .map((line) => markdown_text(line.trim()))
        .filter((line) => line !== '')
        .map((line) => line.replace(/^- /, '\u2022 '))
        .join('<br>\n');
}
/** A block of code that nothing in it can end: its fence is longer than any run of backticks inside. */
function fenced(command) {
    const content = command.replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, ' ');
    const longest = Math.max(2, ...[...content.matchAll(/`+/g)].map(([run]) => run.length));
    const fence = '`'.repeat(longest + 1);
    return `${fence}sh\n${content}\n${fence}`;
}

;// CONCATENATED MODULE: ./src/report/summary.ts


/** The job summary: the sentence that a person reads first, then what, where, when, how much, and what to do with it. */
function summaryMarkdown(reports, context) {
    return reports.map((report) => section(report, context)).join('\n\n') + '\n';
}
function section(report, context) {
    const file = report.pcapPath?.split(/[\\/]/).at(-1);
    const rows = [
        ['Target', target(report)],
        ['Recorded', when(report)],
        ['Interface', `${code(report.interface)}, ${report.snaplen} bytes of each packet`],
        ['Filter', report.filter === '' ? 'none' : code(report.filter)],
        ['Packets', `${count(report.packets)} (${(0,quantities/* formatSize */.Xq)(report.bytes)})`],
        ['Dropped by kernel', dropped(report)],
        ['Stopped by', summary_stops[report.stopReason] ?? markdown_text(report.stopReason)],
        ['Verdict', `**${report.verdict}**: ${markdown_text(report.verdictReason)}`],
        ...(report.resumed > 0
            ? [['Connections', `broken and resumed ${count(report.resumed)} times; nothing is lost by that`]]
            : []),
        ['SHA-256', code(report.sha256)],
        ...(report.method === 'ssh'
            ? []
            : [['Image', code(report.image) + (report.imageId ? ` as ${code(report.imageId)}` : '')]]),
        ['Left behind', report.remains.length === 0 ? 'nothing' : report.remains.map((line) => markdown_text(line)).join('<br>')],
    ];
    const parts = [`## ${icons[report.verdict]} ${headline(report)}`, summary_link(report, context), table(rows)];
    for (const hint of report.hints)
        parts.push(`> [!TIP]\n> ${markdown_text(hint)}`);
    for (const note of context.notes)
        parts.push(`> [!NOTE]\n> ${markdown_text(note)}`);
    if (file !== undefined && report.packets > 0)
        parts.push(howToOpen(report, file));
    return parts.filter((part) => part !== '').join('\n\n');
}
function target({ level, method, pod, namespace, node }) {
    const where = `on node ${code(node)}`;
    if (level === 'pod')
        return `pod ${code(pod)} in ${code(namespace)} ${where}`;
    const by = method === 'ssh' ? 'by SSH' : 'by a node pod';
    return pod === ''
        ? `node ${code(node)}, ${by}`
        : `node ${code(node)}, ${by}: the traffic of pod ${code(pod)} in ${code(namespace)}`;
}
const icons = { complete: '\u2705', partial: '\u26a0\ufe0f', empty: '\u26aa' };
function headline(report) {
    const what = report.pod === '' ? `node ${markdown_text(report.node)}` : `pod ${markdown_text(report.pod)}`;
    if (report.verdict === 'empty')
        return `No packet of ${what} matched`;
    const seen = report.level === 'node' && report.pod !== '' ? ' seen on its node' : '';
    const amount = `${count(report.packets)} ${report.packets === 1 ? 'packet' : 'packets'} of ${what}${seen}`;
    return report.verdict === 'complete' ? `${amount}, complete` : `${amount}, partial`;
}
function summary_link(report, context) {
    if (report.artifact)
        return `**[${markdown_text(report.artifact.name)}](${context.artifactLink(report.artifact.id)})** (click to download)`;
    if (report.uploadError !== undefined) {
        return `**Not uploaded:** ${markdown_text(report.uploadError)}${report.pcapPath === undefined ? '' : `. The file is on the runner: ${code(report.pcapPath)}`}`;
    }
    return '';
}
function when(report) {
    if (report.began === undefined)
        return 'unknown';
    const start = `${new Date(report.began).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
    const length = report.recordedSeconds === undefined ? 'until it broke off' : `for ${report.recordedSeconds.toFixed(1)} s`;
    const pauses = report.pausedSeconds > 0 ? `, of which paused ${report.pausedSeconds.toFixed(1)} s` : '';
    return `from ${start} ${length}${pauses}`;
}
function dropped(report) {
    if (report.dropped === undefined)
        return 'unknown: tcpdump could not say';
    if (report.dropped === 0)
        return '0';
    return `${report.droppedIsUpperBound ? 'at most ' : ''}${count(report.dropped)}`;
}
const summary_stops = {
    duration: 'the end of its duration',
    size: 'max-size',
    packets: 'max-packets',
    cancelled: 'a cancel of the run',
    'target-gone': 'the end of the pod',
    error: 'an error (see the verdict)',
};
function howToOpen(report, file) {
    const names = report.interfaces.map(({ index, name }) => `${index} ${markdown_text(name)}`).join(', ');
    const lines = [
        '<details><summary>How to open it</summary>',
        '',
        '- Wireshark: open the downloaded file.',
        `- Terminal: ${code(`tcpdump -n -r ${file}`)} or ${code(`tshark -r ${file}`)}`,
    ];
    if (names !== '') {
        lines.push(`- Interfaces by number (the file knows only the numbers): ${names}`);
    }
    lines.push('', '</details>');
    return lines.join('\n');
}
/** 12,345 */
function count(value) {
    return value.toLocaleString('en-US');
}

;// CONCATENATED MODULE: ./src/runner/artifact.ts



/** An upload that did not succeed: the service's cause and what to do. */
class UploadError extends Error {
    name = 'UploadError';
    nameIsTaken;
    constructor(message, nameIsTaken) {
        super(message);
        this.nameIsTaken = nameIsTaken;
    }
}
/**
 * Uploads one file as it is (not zipped), so that it opens with a click. The artifact is named after the file.
 * @throws UploadError
 */
async function uploadRaw(path, name, retentionDays) {
    const { DefaultArtifactClient } = await Promise.all(/* import() */[__webpack_require__.e(830), __webpack_require__.e(584)]).then(__webpack_require__.bind(__webpack_require__, 20584));
    // The client keeps 8 MiB for each block under way; five of them are the most of this process' memory.
    process.env['ACTIONS_ARTIFACT_UPLOAD_CONCURRENCY'] ??= '2';
    const collecting = setInterval(() => freeBuffers('major'), 100);
    try {
        const { id, digest, size } = await new DefaultArtifactClient().uploadArtifact(name, [path], (0,external_node_path_.dirname)(path), {
            skipArchive: true,
            ...(retentionDays === undefined ? {} : { retentionDays }),
        });
        if (id === undefined || digest === undefined)
            throw new Error('the service gave no artifact id');
        return { id, name, digest, size: size ?? 0 };
    }
    catch (error) {
        throw new UploadError(explain(error), conflict.test((0,errors/* messageOf */.bD)(error)));
    }
    finally {
        clearInterval(collecting);
    }
}
const conflict = /\b409\b|already exists/i;
function explain(error) {
    const status = error.statusCode;
    const text = (0,errors/* messageOf */.bD)(error) || 'no words';
    if (conflict.test(text)) {
        return `an artifact of this name exists in this run already (${text}): set \`artifact-name\` to another`;
    }
    if (/quota|insufficient usage/i.test(text)) {
        return `${text} Free or raise the artifact storage of the account, or lower \`retention-days\``;
    }
    if (status === 403)
        return 'the blob store refused the data (403): its signed address has expired, or a proxy is in the way';
    if (/401|403|unauthorized|forbidden/i.test(text))
        return `the results service does not accept the job's token: ${text}`;
    if (/ACTIONS_RUNTIME_TOKEN|ACTIONS_RESULTS_URL/.test(text))
        return `${text}: artifacts can be uploaded only inside of a job`;
    return text;
}

;// CONCATENATED MODULE: ./src/deliver.ts










/** Of the 7.5 s between SIGINT and SIGTERM: what an upload gets to come to its end. */
const uploadGrace = 3_000;
/**
 * Uploads what was captured and reports it: log, outputs, summary, and what the verdict means to the job. False when a cancel cut the upload
 * off: then nothing was told, and post does all of it.
 */
async function deliver(results, delivery, hints, notes, cancel) {
    const uploads = uploadAll(results, delivery, hints);
    const reports = await (cancel ? Promise.race([uploads, afterCancel(cancel, uploadGrace)]) : uploads);
    if (reports === undefined)
        return false;
    // What cannot be told in one place is told in the others: a full disk has room for none of the runner's files.
    for (const tell of [
        () => Promise.resolve(setOutputs(reports)),
        () => writeSummary(summaryMarkdown(reports, { artifactLink: delivery.job.artifactLink, notes })),
    ]) {
        try {
            await tell();
        }
        catch (error) {
            delivery.log.warning(`The runner did not take the result: ${(0,errors/* messageOf */.bD)(error)}`);
        }
    }
    for (const report of reports)
        announce(report, delivery);
    return true;
}
async function uploadAll(results, delivery, hints) {
    const reports = [];
    for (const result of results)
        reports.push(await uploadResult(reportOf(result, hints), delivery));
    return reports;
}
function afterCancel(cancel, ms) {
    return new Promise((resolve) => {
        const wait = () => void setTimeout(() => resolve(undefined), ms).unref();
        if (cancel.aborted)
            wait();
        else
            cancel.addEventListener('abort', wait, { once: true });
    });
}
async function writeSummary(markdown) {
    if (process.env['GITHUB_STEP_SUMMARY'])
        await core/* summary */.z.addRaw(markdown).write();
}
async function uploadResult(report, delivery) {
    const path = report.pcapPath;
    if (path === undefined)
        return { ...report, uploadError: 'there is nothing to upload: no byte of the capture arrived' };
    try {
        return await upload(report, path, delivery);
    }
    catch (error) {
        if (!delivery.inPost || !(error instanceof UploadError) || !error.nameIsTaken) {
            return { ...report, uploadError: (0,errors/* messageOf */.bD)(error) };
        }
    }
    // The name is taken by an upload of main's that a cancel cut off; an artifact cannot be replaced, and is named after its file.
    const second = path.replace(/\.pcap$/, '-post.pcap');
    try {
        await (0,promises_.rename)(path, second);
        return await upload({ ...report, pcapPath: second }, second, delivery);
    }
    catch (error) {
        return { ...report, pcapPath: second, uploadError: (0,errors/* messageOf */.bD)(error) };
    }
}
async function upload(report, path, { job, log, retentionDays }) {
    const name = (0,external_node_path_.basename)(path);
    const { id, digest } = await log.group(`Upload ${name} (${(0,quantities/* formatSize */.Xq)(report.bytes)})`, () => uploadRaw(path, name, retentionDays));
    return { ...report, artifact: { id, name, digest, url: job.artifactUrl(id) } };
}
/** The outputs of a run with one capture; with several, the first's, and all in `result`. Set in main and on a cancel, before the upload, too. */
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
        result: resultJson(reports),
    };
    for (const [name, value] of Object.entries(outputs))
        core/* setOutput */.uH(name, value);
}
function announce(report, { log, ifIncomplete, ifEmpty, inPost }) {
    const fail = (sentence) => (inPost ? log.warning(sentence) : log.failure(sentence));
    const where = report.pod === '' ? `node ${report.node}` : `pod ${report.pod} in ${report.namespace}`;
    if (report.artifact)
        log.info(`Artifact: ${report.artifact.url}`);
    if (report.pcapPath !== undefined)
        log.info(`File: ${report.pcapPath}`);
    const sentence = `The capture of ${where} is ${report.verdict}: ${report.verdictReason}.`;
    if (report.verdict === 'complete')
        log.info(sentence);
    else {
        const severity = report.verdict === 'empty' ? ifEmpty : ifIncomplete;
        if (severity === 'error')
            fail(sentence);
        else if (severity === 'warn')
            log.warning(sentence);
        else
            log.info(sentence);
    }
    if (report.artifact === undefined) {
        const kept = report.pcapPath === undefined ? '' : ` The file stays on the runner: ${report.pcapPath}`;
        fail(`The capture of ${where} was not uploaded: ${report.uploadError ?? 'no reason is known'}.${kept}`);
    }
}
/** What `preflight: only` found, for the summary. */
async function deliverPreflight(findings, hints) {
    await writeSummary(preflightMarkdown(findings, hints));
}
async function deliverPreflightProblem(problem) {
    await writeSummary(preflightProblemMarkdown(problem));
}

;// CONCATENATED MODULE: ./src/runner/id-token.ts


/** The toolkit waits for an answer without end. */
const patience = 30_000;
/**
 * GitHub's id token of this job. `input`: the one that an error names. `within`: ms until it must be here.
 * @throws ConfigurationError where GitHub does not answer, or fails; the toolkit's error where it refuses
 */
async function githubIdToken(audience, input, within = patience) {
    let timer;
    const late = new Promise((_resolve, reject) => {
        timer = setTimeout(() => reject(outage(input, `no answer within ${within / 1000} s`)), within);
    });
    try {
        return await Promise.race([(0,core/* getIDToken */.V9)(audience), late]);
    }
    catch (error) {
        throw isRefusal(error) ? error : outage(input, (0,errors/* messageOf */.bD)(error));
    }
    finally {
        clearTimeout(timer);
    }
}
/** The toolkit tells the status in words alone: `Error Code : 403`. */
function isRefusal(error) {
    if (error instanceof errors/* ConfigurationError */.j1)
        return true;
    return /Error Code : 4(?!08|29)\d\d|ACTIONS_ID_TOKEN_REQUEST/.test((0,errors/* messageOf */.bD)(error));
}
function outage(input, cause) {
    return new errors/* ConfigurationError */.j1(`${input}: GitHub's service for id tokens fails or is not reached (${cause.replace(/\s+/g, ' ').trim().slice(0, 300)}). ` +
        'Run the job again later; on a runner of your own, see that it reaches the host of ACTIONS_ID_TOKEN_REQUEST_URL.');
}

;// CONCATENATED MODULE: ./src/open.ts



/** Opens the way into the cluster that the inputs name. Each way loads only what it needs. Every credential is masked before it is used. */
async function openCluster(access, env) {
    switch (access.kind) {
        case 'kubeconfig': {
            const { connectKubeconfig } = await __webpack_require__.e(/* import() */ 22).then(__webpack_require__.bind(__webpack_require__, 49022));
            const connection = await connectKubeconfig(access.source, access.context, env, mask);
            return { connection, autopilot: undefined, google: once(() => openGoogle(access, env)) };
        }
        case 'direct': {
            const connection = await openDirect(access, env);
            return { connection, autopilot: undefined, google: once(() => openGoogle(access, env)) };
        }
        case 'gke':
            return openGke(access, env);
    }
}
function once(make) {
    let made;
    return () => (made ??= make());
}
/** Google's side alone, by the inputs or by what google-github-actions/auth has left. @throws ConfigurationError */
async function openGoogle(access, env) {
    const { workloadIdentityProvider, serviceAccount } = access.kind === 'gke' ? access : {};
    const { googleTokenSource } = await __webpack_require__.e(/* import() */ 336).then(__webpack_require__.bind(__webpack_require__, 49336));
    const getIdToken = (audience) => githubIdToken(audience, 'workload-identity-provider');
    return googleTokenSource({ workloadIdentityProvider, serviceAccount, getIdToken, secret: mask }, env);
}
async function openDirect({ server, certificateAuthority, credential }, env) {
    const { cachedToken, claimsOf, connectDirectly } = await __webpack_require__.e(/* import() */ 217).then(__webpack_require__.bind(__webpack_require__, 61217));
    const common = { input: 'api-server', server, certificateAuthority, namespace: undefined };
    if (credential.kind === 'token') {
        const token = () => Promise.resolve(credential.token);
        return connectDirectly({ ...common, as: 'the given token', whose: 'token: the given one', token }, mask);
    }
    let last = '';
    const kept = cachedToken(async () => (last = await ownIdToken(credential.audience, env)));
    const whenRefused = () => {
        const { iss, sub } = claimsOf(last);
        return (`The job's id token has the issuer ${iss ?? '?'}, the audience ${credential.audience} and the subject ${JSON.stringify(sub ?? '?')}. ` +
            'The AuthenticationConfiguration of the API server must have a `jwt` entry with this issuer and this audience whose rules take this ' +
            'subject; the subject of a job without `environment:` names its branch instead (docs/access.md).');
    };
    const as = `GitHub's id token for ${credential.audience}`;
    return connectDirectly({ ...common, as, token: kept.get, refused: kept.refused, whenRefused }, mask);
}
async function openGke(access, env) {
    const source = await openGoogle(access, env);
    const { findCluster } = await __webpack_require__.e(/* import() */ 930).then(__webpack_require__.bind(__webpack_require__, 94930));
    const { connectDirectly } = await __webpack_require__.e(/* import() */ 217).then(__webpack_require__.bind(__webpack_require__, 61217));
    const gke = await findCluster({ cluster: access.cluster, location: access.location, project: access.projectId }, access.endpoint, source, env);
    const connection = connectDirectly({
        input: 'cluster',
        server: gke.server,
        certificateAuthority: gke.certificateAuthority,
        as: `${source.description} (${gke.description})`,
        namespace: undefined,
        token: async () => (await source.token()).value,
        refused: (token) => source.refused(token),
        hint: gke.hint,
    }, mask);
    return { connection, autopilot: gke.autopilot, google: () => Promise.resolve(source) };
}
/** GitHub's id token for the API server itself. */
async function ownIdToken(audience, env) {
    const permission = 'Add `permissions: id-token: write` to it (in a reusable workflow, to the job that calls it, too); a pull request from a fork never gets one.';
    if (!env['ACTIONS_ID_TOKEN_REQUEST_URL']) {
        throw new errors/* ConfigurationError */.j1(`oidc-audience: this job may not have an id token. ${permission}`);
    }
    return githubIdToken(audience, 'oidc-audience').catch((error) => {
        if (error instanceof errors/* ConfigurationError */.j1)
            throw error;
        const words = (0,errors/* messageOf */.bD)(error).replace(/\s+/g, ' ');
        throw new errors/* ConfigurationError */.j1(`oidc-audience: GitHub gives this job no id token (${words}). ${permission}`);
    });
}
const masked = new Set();
/** Masks a secret and its base64: kubeconfigs, Secrets and basic authentication have it in that form. */
function mask(secret) {
    for (const form of [secret, Buffer.from(secret).toString('base64')]) {
        if (secret === '' || masked.has(form))
            return;
        masked.add(form);
        core/* setSecret */.Pq(form);
    }
}

// EXTERNAL MODULE: external "node:child_process"
var external_node_child_process_ = __webpack_require__(31421);
;// CONCATENATED MODULE: ./src/capture/filter.ts


/**
 * Compiles the filter with the runner's tcpdump, where there is one, for the link type that the capture will have. The pod's own check follows
 * before the start; this one is early, and creates nothing.
 * @returns whether it could be checked
 * @throws ConfigurationError with tcpdump's words
 */
async function checkFilterHere(filter, networkInterface) {
    if (filter === '')
        return false;
    // Only what every Linux pod has: the link type of another interface is known in the pod alone.
    const linkType = networkInterface === 'any' ? 'LINUX_SLL2' : /^(eth\d+|lo)$/.test(networkInterface) ? 'EN10MB' : undefined;
    if (linkType === undefined)
        return false;
    const answer = await compile(linkType, filter);
    if (answer === undefined)
        return false;
    if (answer === '')
        return true;
    // A tcpdump that is too old for SLL2, or a name that only the cluster's DNS knows, says nothing about the filter.
    if (/invalid data link type|unknown host|resolve/i.test(answer))
        return false;
    throw new errors/* ConfigurationError */.j1(`filter: got ${JSON.stringify(filter)}, which tcpdump refuses for the interface ${networkInterface}: ${answer}. ` +
        'Nothing was created. See pcap-filter(7) for the language.');
}
/** tcpdump's complaint, '' where it has none, undefined where it cannot be asked. */
function compile(linkType, filter) {
    return new Promise((resolve) => {
        // An absolute path of another program's choosing is not run: PATH decides, as for every tool of the runner's.
        (0,external_node_child_process_.execFile)('tcpdump', ['-y', linkType, '-d', '--', filter], { timeout: 5_000 }, (error, _stdout, stderr) => {
            if (!error)
                resolve('');
            else if (typeof error.code === 'number')
                resolve(stderr
                    .replace(/^tcpdump: /gm, '')
                    .trim()
                    .replace(/\s*\n\s*/g, '; '));
            else
                resolve(undefined);
        });
    });
}
/**
 * Behind a sidecar, what the app sends goes to 127.0.0.1:15001 first, so a filter on a service's port misses the plaintext requests of the
 * outbound leg. The wider filter, or undefined where there is no sidecar or nothing is missed.
 */
function widerFilter(pod, filter) {
    const containers = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])];
    const sidecar = containers.some(({ name, args = [], ports = [] }) => name === 'istio-proxy' ||
        ports.some(({ containerPort }) => containerPort === 15001) ||
        // istio-init's and istio-cni's arguments: -p PORT is where outbound traffic is redirected to
        args.some((word, i) => word === '15001' && args[i - 1] === '-p'));
    if (!sidecar || filter === '' || !/\bport(range)?\b/.test(filter) || /\b15001\b/.test(filter))
        return undefined;
    return `(${filter}) or tcp port 15001`;
}

;// CONCATENATED MODULE: ./src/capture/remains.ts



/** Names of containers that an earlier run of this repository left running in the target, though their deadline has passed. */
function findRemains(target, repository, serverTime) {
    const { spec, status } = target.facts;
    const running = new Set((status?.ephemeralContainerStatuses ?? []).filter(({ state }) => state?.running).map(({ name }) => name));
    return (spec?.ephemeralContainers ?? [])
        .filter(({ name = '', env = [] }) => {
        const deadline = Number(env.find((variable) => variable.name === 'CAPTURE_DEADLINE')?.value);
        return name.startsWith((0,capture_container/* containerPrefix */.aI)(repository)) && running.has(name) && deadline * 1000 < serverTime;
    })
        .map(({ name = '' }) => name);
}
/** Asks a recorder to stop, remove what it has and end, without a signal: PID 1 may be somebody else's. Says what came of it. */
async function endRemains(connection, target, container) {
    const places = (0,capture_container/* spoolDirectories */.XS)(container).join(' ');
    const script = `for d in ${places}; do [ ! -d $d ] || { echo cancelled >$d/stop; : >$d/done; }; done`;
    try {
        const { namespace, pod } = target;
        const command = await openRemoteCommand(connection, { namespace, pod, container, command: ['sh', '-c', script] }, { stdout: () => undefined, stderr: () => undefined });
        await command.ended;
        return `Ended ${container}, which an earlier run had left in pod ${pod}`;
    }
    catch (error) {
        return `${container}, of an earlier run, still runs in pod ${target.pod} and could not be ended: ${(0,errors/* messageOf */.bD)(error)}`;
    }
}

;// CONCATENATED MODULE: ./src/cluster/grant.ts

/**
 * A command that gives somebody these rights in a namespace, to be pasted into a shell as it is: a Role with exactly them, and its binding.
 * Without a namespace, for what is in none (nodes): a ClusterRole and its binding.
 * Its lines must stay at the beginning of their lines: a here-document ends by a line that is `EOF` alone.
 * `identity`: as the API server names us.
 */
function grantCommand(namespace, identity, grants) {
    // A name of its own for each: `kubectl apply` puts these rules in the place of those that a Role of this name has.
    const digest = (0,external_node_crypto_.createHash)('sha256')
        .update(JSON.stringify([identity, grants]))
        .digest('hex')
        .slice(0, 8);
    const name = `packet-capture-missing-${digest}`;
    const api = 'rbac.authorization.k8s.io';
    const [where, kind] = namespace === undefined ? ['', 'ClusterRole'] : [`-n ${namespace} `, 'Role'];
    return [
        `kubectl ${where}apply -f - <<'EOF'`,
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
        `  - ${grant_subjectOf(identity)}`,
        'EOF',
    ].join('\n');
}
/** Everybody is a User to RBAC, also a Google identity and a GitHub job, but for the cluster's own service accounts. */
function grant_subjectOf(identity) {
    const [, namespace, name] = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(identity) ?? [];
    if (namespace !== undefined && name !== undefined) {
        return `{ kind: ServiceAccount, name: ${scalar(name)}, namespace: ${scalar(namespace)} }`;
    }
    return `{ kind: User, name: ${scalar(identity)}, apiGroup: rbac.authorization.k8s.io }`;
}
/** YAML reads JSON's strings. What the log would not let through as it is (control characters, what turns text around) is escaped. */
function scalar(text) {
    return JSON.stringify(text).replace(/[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
/** The file in docs/rbac/ that gives all that a capture at pod level needs to somebody who came this way. */
function grantFile(input, identity) {
    if (input === 'cluster' || /^principal(Set)?:\/\/|\.gserviceaccount\.com$/.test(identity ?? '')) {
        return 'google-service-account.yaml';
    }
    // The subject of GitHub's id token, behind whatever prefix the API server is told to put before it.
    return /(^|:)repo:[^/]+\/[^:]+:/.test(identity ?? '') ? 'github-oidc.yaml' : 'developer.yaml';
}

;// CONCATENATED MODULE: ./src/cluster/access.ts




const getPods = { verb: 'get', group: '', resource: 'pods' };
const access_listPods = { verb: 'list', group: '', resource: 'pods' };
/** WebSocket exec is `get` up to Kubernetes 1.34 and also `create` from 1.35 (kubernetes#134577). */
const execRights = [
    { verb: 'get', group: '', resource: 'pods', subresource: 'exec' },
    { verb: 'create', group: '', resource: 'pods', subresource: 'exec' },
];
/**
 * What a run needs in the namespace of its target. docs/rbac/developer.yaml and docs/rbac/platform.yaml grant exactly these. A pod that is
 * named is not looked for: without the right to list pods a wrong name is answered without the nearest ones, and nothing else is missing.
 */
function rightsFor(target, level) {
    const capture = level === 'pod'
        ? [{ verb: 'patch', group: '', resource: 'pods', subresource: 'ephemeralcontainers' }, ...execRights]
        : [];
    const find = target === 'pod' ? [] : [access_listPods, { verb: 'get', group: 'apps', resource: 'deployments' }];
    return [getPods, ...capture, ...find];
}
/** What a node pod needs in the namespace that it is made in; `create pods` is for the question whether the cluster would take it. */
const nodePodRights = [
    getPods,
    access_listPods,
    { verb: 'create', group: '', resource: 'pods' },
    ...execRights,
    { verb: 'create', group: 'batch', resource: 'jobs' },
    { verb: 'get', group: 'batch', resource: 'jobs' },
    { verb: 'delete', group: 'batch', resource: 'jobs' },
];
/** Asks the API server by SelfSubjectAccessReview; everybody may ask. @throws ConfigurationError where it is no API server that answers */
async function missingRights(connection, namespace, rights) {
    const asked = `what we may do in the namespace ${JSON.stringify(namespace)}`;
    const reviews = await Promise.all(rights.map(async (right) => {
        const value = {
            apiVersion: 'authorization.k8s.io/v1',
            kind: 'SelfSubjectAccessReview',
            spec: { resourceAttributes: { namespace, ...right } },
        };
        const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
        const answer = await call(connection, 'POST', path, { type: 'application/json', value });
        const { status } = objectOf(connection, answer, asked);
        // A right that nobody spoke of is not one that is missing.
        if (typeof status?.allowed !== 'boolean')
            throw notOurs(connection, asked, 'neither yes nor no');
        return { right, allowed: status.allowed };
    }));
    return reviews.filter(({ allowed }) => !allowed).map(({ right }) => right);
}
/**
 * Every missing verb with its resource, and the command that grants them to us.
 * `whole`: where all that is needed is written down, for those who keep such things in files.
 */
function rightsProblem({ input }, identity, namespace, missing, whole) {
    const list = missing.map((right) => `${right.verb} ${nameOf(right)}`).join(', ');
    const grants = missing.map((right) => ({ verb: right.verb, group: right.group, resource: nameOf(right) }));
    return (`${input}: its user${named(identity)} lacks rights in the namespace ${JSON.stringify(namespace)}: ${list}. Nothing was created.\n` +
        `Somebody who may grant them can ${how(identity)} this Role and its RoleBinding:\n` +
        `${grantCommand(namespace, identity ?? 'USER', grants)}\n` +
        `All that is needed, as a file: ${whole}`);
}
/** The same of the right to see nodes, which are in no namespace. `words`: the API server's. */
function nodeRightProblem({ input }, identity, words, whole) {
    return (`${input}: its user${named(identity)} may not get nodes (${oneLine(words)}). Nothing was created.\n` +
        `Somebody who may grant that can ${how(identity)} this ClusterRole and its ClusterRoleBinding:\n` +
        `${grantCommand(undefined, identity ?? 'USER', [{ verb: 'get', group: '', resource: 'nodes' }])}\n` +
        `As a file: the ClusterRole packet-capture-nodes and its ClusterRoleBinding in ${whole}`);
}
function named(identity) {
    return identity === undefined ? '' : ` ${JSON.stringify(identity)}`;
}
/** Before Kubernetes 1.28 nobody says who we are. */
function how(identity) {
    return identity === undefined ? 'put the name of its user in the place of USER, and paste' : 'paste';
}
/**
 * Who the API server takes us for; undefined where it does not tell (before Kubernetes 1.28).
 * @throws ConfigurationError where it takes us for nobody, or is no API server
 */
async function whoAmI(connection) {
    const value = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
    try {
        const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
        const answer = await call(connection, 'POST', path, { type: 'application/json', value });
        const { status } = objectOf(connection, answer, 'who we are');
        const username = status?.userInfo?.username;
        if (username === anonymous)
            throw unknownToServer(connection);
        return typeof username === 'string' && username !== '' ? username : undefined;
    }
    catch (error) {
        if (!(error instanceof ApiError))
            throw error;
        if (error.status === 403 && error.message.includes(`"${anonymous}"`))
            throw unknownToServer(connection);
        return undefined;
    }
}
/** Whoever comes without credentials, or with some that no authenticator looks at. */
const anonymous = 'system:anonymous';
function unknownToServer({ input, description }) {
    return new errors/* ConfigurationError */.j1(`${input}: the API server ${description} takes us for nobody (${anonymous}): it was given no credentials that it looks at. ` +
        'Give the user of this way in a token, a client certificate or an exec plugin. Nothing was created.');
}
/** `pods/exec`, as a Role names it. */
function nameOf(right) {
    return right.subresource === undefined ? right.resource : `${right.resource}/${right.subresource}`;
}

;// CONCATENATED MODULE: ./src/documents.ts
/** A file of this action's repository at the version that runs; the path alone where the action runs from the workflow's own checkout. */
function documentAddress(path, env) {
    const repository = env['GITHUB_ACTION_REPOSITORY'];
    const ref = env['GITHUB_ACTION_REF'];
    return repository && ref ? `https://github.com/${repository}/blob/${ref}/${path}` : path;
}

;// CONCATENATED MODULE: ./src/capture/node-pod.ts






/**
 * A recorder in a pod of its own that uses the network of the node. A Job, not a pod: it stops by its deadline and is removed by the cluster
 * some time after its end, even when nobody comes back for it.
 */
function nodePodRecorder(connection, record, namespace) {
    const pods = podOfJob(connection, record, namespace);
    const place = {
        open: async (command, handlers) => (await pods.place()).open(command, handlers),
        state: () => pods.state(),
        spools: (0,capture_container/* spoolDirectories */.XS)(record.container),
    };
    return {
        record,
        place,
        check: async () => {
            // A Job is admitted whatever its pod is; what Pod Security, quotas and webhooks say of the pod is asked with the pod.
            await create(connection, record, namespace, `/api/v1/namespaces/${namespace}/pods?dryRun=All`, podOf(record));
            await create(connection, record, namespace, `/apis/batch/v1/namespaces/${namespace}/jobs?dryRun=All`, jobOf(record));
            return [`Admission: the cluster would take the node pod in ${namespace}`];
        },
        start: async (events, cancel) => {
            await create(connection, record, namespace, `/apis/batch/v1/namespaces/${namespace}/jobs`, jobOf(record));
            events.made(`Made the Job ${record.container} in ${namespace}, for node ${record.node}`);
            return (0,start/* awaitStart */.Lq)(place, record, events, cancel);
        },
        clear: () => remove(connection, record, namespace, pods),
    };
}
/** Seconds after the end of the Job until the cluster removes it, where nobody did. */
const timeToLive = 60;
function jobOf(record) {
    const { metadata, spec } = podOf(record);
    return {
        apiVersion: 'batch/v1',
        kind: 'Job',
        metadata: { name: record.container, labels: metadata.labels },
        spec: {
            backoffLimit: 0,
            activeDeadlineSeconds: longestLife(record.plan),
            ttlSecondsAfterFinished: timeToLive,
            template: { metadata: { labels: metadata.labels }, spec },
        },
    };
}
/** Seconds until the recorder itself is over in any case, the wait for a late post step included. */
function longestLife(plan) {
    return plan.startTimeout + plan.duration + capture_container/* mostHold */.pR + 120;
}
function podOf(record) {
    const { container, plan } = record;
    const recorder = (0,capture_container/* recorderContainer */.Qm)(container, plan, record.deadline);
    return {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: {
            name: container,
            labels: {
                'app.kubernetes.io/name': 'packet-capture',
                'app.kubernetes.io/managed-by': 'kubernetes-packet-capture',
            },
        },
        spec: {
            hostNetwork: true,
            nodeName: record.node, // also where the scheduler would not: on a cordoned or a full node
            tolerations: [{ operator: 'Exists' }],
            restartPolicy: 'Never',
            terminationGracePeriodSeconds: 5,
            automountServiceAccountToken: false,
            enableServiceLinks: false,
            volumes: [{ name: 'spool', emptyDir: { sizeLimit: String(plan.spoolLimit * 2) } }],
            containers: [
                {
                    ...recorder,
                    volumeMounts: [{ name: 'spool', mountPath: '/tmp' }],
                    resources: {
                        requests: { cpu: '100m', memory: '64Mi' },
                        limits: { cpu: '1', memory: '256Mi', 'ephemeral-storage': String(plan.spoolLimit * 2 + 50e6) },
                    },
                    securityContext: {
                        runAsUser: 0,
                        runAsNonRoot: false,
                        privileged: false,
                        allowPrivilegeEscalation: false,
                        readOnlyRootFilesystem: true,
                        // SETGID: a tcpdump that is built to become a user of its own can be told to stay root (-Z root) with it alone.
                        capabilities: { drop: ['ALL'], add: [...new Set(['NET_RAW', 'SETGID', ...plan.capabilities])] },
                        seccompProfile: { type: 'RuntimeDefault' },
                    },
                },
            ],
        },
    };
}
async function create(connection, record, namespace, path, value) {
    try {
        await call(connection, 'POST', path, { type: 'application/json', value });
    }
    catch (error) {
        throw error instanceof ApiError ? node_pod_refused(error, record, namespace) : error;
    }
}
function node_pod_refused(error, record, namespace) {
    const nothing = 'Nothing was created.';
    if (/violates PodSecurity/.test(error.message)) {
        return new start/* NothingCreated */.SL(`node-namespace: ${JSON.stringify(namespace)} enforces a Pod Security level that forbids a node pod: ${error.message}. ` +
            'A pod in the network of its node needs the level "privileged": use a namespace that is kept for this and has the label ' +
            `pod-security.kubernetes.io/enforce=privileged (docs/rbac/platform.yaml makes one). ${nothing}`);
    }
    if (error.status === 404) {
        return new start/* NothingCreated */.SL(`node-namespace: there is no namespace ${JSON.stringify(namespace)}. Make it with \`kubectl create namespace ${namespace} && kubectl label namespace ${namespace} pod-security.kubernetes.io/enforce=privileged\`; docs/rbac/platform.yaml has its rights. ${nothing}`);
    }
    if (error.status < 500) {
        return new start/* NothingCreated */.SL(`node-namespace: the cluster refuses a node pod for ${record.node} in ${JSON.stringify(namespace)}: ${error.message}. ${nothing}`);
    }
    return error;
}
/** The Job's only pod, found by the Job's name once it is there. */
function podOfJob(connection, { container }, namespace) {
    let found;
    const find = async () => {
        if (found)
            return found;
        const query = new URLSearchParams({ labelSelector: `batch.kubernetes.io/job-name=${container}` });
        const path = `/api/v1/namespaces/${namespace}/pods?${query.toString()}`;
        const { items = [] } = (await call(connection, 'GET', path, undefined, findTimeout)).body;
        const { name, uid } = items[0]?.metadata ?? {};
        if (name !== undefined && uid !== undefined)
            found = { name, uid };
        return found;
    };
    const sourceOf = ({ name, uid }) => ({
        connection,
        namespace,
        pod: name,
        uid,
        container,
    });
    return {
        name: () => found?.name,
        state: async () => {
            try {
                const pod = await find();
                if (pod)
                    return await containerState(sourceOf(pod));
                return await jobState(connection, container, namespace);
            }
            catch (error) {
                return { kind: 'unknown', reason: (0,errors/* messageOf */.bD)(error) };
            }
        },
        place: async () => {
            const pod = await find();
            if (!pod)
                throw new Error(`the Job ${container} has no pod`);
            return containerPlace(sourceOf(pod));
        },
    };
}
const findTimeout = 10_000;
/** While there is no pod: whether one may still come, and why it has not. */
async function jobState(connection, name, namespace) {
    try {
        const { body } = await call(connection, 'GET', `/apis/batch/v1/namespaces/${namespace}/jobs/${name}`, undefined, findTimeout);
        const { conditions = [] } = body.status ?? {};
        const failed = conditions.find(({ type, status }) => type === 'Failed' && status === 'True');
        if (failed)
            return { kind: 'terminated', reason: failed.reason ?? 'Failed', message: failed.message ?? '' };
        return { kind: 'waiting', reason: '', message: '' };
    }
    catch (error) {
        if (error instanceof ApiError && error.status === 404)
            return { kind: 'gone', reason: 'the Job was deleted' };
        throw error;
    }
}
/** The recorder ends first, so that the Job goes as one that has done its work; then Job and pod are deleted. */
async function remove(connection, { container, plan }, namespace, pods) {
    let patience = removalPatience;
    const path = `/apis/batch/v1/namespaces/${namespace}/jobs/${container}`;
    try {
        await deleteJob(connection, path);
    }
    catch (error) {
        if (!(error instanceof ApiError && error.status === 404)) {
            const remains = `the Job ${container} in ${namespace}: it could not be deleted (${(0,capture_foreign/* foreignWords */.K)((0,errors/* messageOf */.bD)(error), 500)}); it ends by itself and is removed ${timeToLive} s after its end, ` +
                `at the latest ${longestLife(plan) + timeToLive} s after its start`;
            return { remains: [remains], unfinished: true };
        }
        patience = goingPatience; // whoever deleted it may have left its pod, or that has not gone yet
    }
    const end = Date.now() + patience;
    while (Date.now() < end) {
        const { kind } = await pods.state();
        if (kind === 'gone')
            return { remains: [], unfinished: false };
        await (0,start/* pause */.v7)(300);
    }
    const name = pods.name();
    const remains = `the pod ${name === undefined ? '' : `${name} `}of the Job ${container} in ${namespace}, which is deleted; its recorder ends by itself` +
        (name === undefined ? '' : `, and should the pod stay, \`kubectl -n ${namespace} delete pod ${name}\` removes it`);
    return { remains: [remains], unfinished: false };
}
/** How long the cluster gets to remove the pod, ms. */
const removalPatience = 20_000;
/** The same, where the Job had been deleted before; ms. */
const goingPatience = 10_000;
/** Once more where the API server is away for a moment: it does no harm twice. */
async function deleteJob(connection, path) {
    const body = { type: 'application/json', value: { propagationPolicy: 'Background' } };
    for (let attempt = 1;; attempt += 1) {
        try {
            await call(connection, 'DELETE', path, body, findTimeout);
            return;
        }
        catch (error) {
            if (attempt === 3 || (error instanceof ApiError && error.status < 500))
                throw error;
            await (0,start/* pause */.v7)(1_000);
        }
    }
}

;// CONCATENATED MODULE: ./src/cluster/node.ts



/**
 * `identity`: as the API server names us, where that is known; `rights`: where the right is written down.
 * @throws ConfigurationError where there is no such node, or it may not be read
 */
async function getNode(connection, name, { identity, rights = 'docs/rbac/platform.yaml' } = {}) {
    try {
        return (await call(connection, 'GET', `/api/v1/nodes/${name}`)).body;
    }
    catch (error) {
        if (!(error instanceof ApiError))
            throw error;
        if (error.status === 404) {
            throw new errors/* ConfigurationError */.j1(`node: there is no node ${JSON.stringify(name)}. List them with \`kubectl get nodes\`. Nothing was created.`);
        }
        if (error.status !== 403)
            throw error;
        throw new errors/* ConfigurationError */.j1(nodeRightProblem(connection, identity, error.message, rights));
    }
}
/** @throws ConfigurationError where tcpdump cannot run on it */
function checkNode(node, name) {
    const system = node.status?.nodeInfo?.operatingSystem ?? node.metadata?.labels?.['kubernetes.io/os'];
    if (system === 'windows') {
        throw new errors/* ConfigurationError */.j1(`level: the node ${JSON.stringify(name)} runs Windows, which has no tcpdump. Capture the other end of the connection. Nothing was created.`);
    }
}

// EXTERNAL MODULE: external "node:dns/promises"
var external_node_dns_promises_ = __webpack_require__(71553);
// EXTERNAL MODULE: external "node:net"
var external_node_net_ = __webpack_require__(77030);
// EXTERNAL MODULE: external "node:os"
var external_node_os_ = __webpack_require__(48161);
// EXTERNAL MODULE: ./src/proxy.ts
var proxy = __webpack_require__(28903);
;// CONCATENATED MODULE: ./src/own-ways.ts





/** Where API servers listen behind the Service that stands for them in a cluster; unless they are told otherwise. */
const apiServerPort = 6443;
/** Of a node, which are whatever its kubelet writes there, and become a part of the filter: two of each family are the rule. */
const mostAddresses = 10;
/**
 * How this runner's own connections may be told on a node: as those of a pod (a runner in the cluster), or of the node itself. Nothing is to be
 * told of a runner elsewhere: what it says never passes there. `node`: undefined where it may not be read.
 */
async function ownWays(connections, node, env, here = addressesHere()) {
    const nodes = (node?.status?.addresses ?? [])
        .filter(({ type }) => type === 'InternalIP' || type === 'ExternalIP')
        .flatMap(({ address = '' }) => ((0,external_node_net_.isIP)(address) > 0 && !address.includes('%') ? [address] : []))
        .slice(0, mostAddresses);
    const onNode = here.some((address) => nodes.includes(address));
    const service = env['KUBERNETES_SERVICE_HOST'];
    if (!onNode && !service)
        return node_filter/* noWays */.i$;
    const peers = (await Promise.all(connections.map(peersOf))).flat();
    const behind = peers.some(({ address }) => address === service) ? [apiServerPort] : [];
    return { runner: onNode ? [] : here, node: nodes, peers, behind };
}
function addressesHere() {
    return Object.values((0,external_node_os_.networkInterfaces)())
        .flatMap((all) => all ?? [])
        .filter(({ internal }) => !internal)
        .map(({ address }) => address);
}
/** The addresses that a connection goes to; none where a name is not known. */
async function peersOf({ server, agent }) {
    const { hostname, port, protocol } = (0,proxy/* proxyOf */.Ol)(agent) ?? new URL(server);
    const host = hostname.replace(/^\[|\]$/g, '');
    const found = await (0,external_node_dns_promises_.lookup)(host, { all: true }).catch(() => []);
    return found.map(({ address }) => ({ address, port: Number(port || (/^(http|ws):/.test(protocol) ? 80 : 443)) }));
}

;// CONCATENATED MODULE: ./src/node-method.ts








/**
 * The way to the node of a target that `node-method` asks for, checked; nothing is made.
 * @throws ConfigurationError with what stands in the way; for `auto`, of both ways
 */
async function chooseNodeRecorder(asked, target, record) {
    switch (asked.request.nodeMethod) {
        case 'ssh':
            return bySsh(asked, target, record);
        case 'pod':
            return byPod(asked, target, record);
        case 'auto':
            return byEither(asked, target, record);
    }
}
/** SSH where credentials and cluster allow it, else a node pod, else what is in the way of both. */
async function byEither(asked, target, record) {
    let why;
    const node = await getNode(asked.cluster.connection, target.node).catch(() => undefined);
    if (node)
        checkNode(node, target.node); // what no way can do is not tried
    try {
        return await bySsh(asked, target, record);
    }
    catch (error) {
        if (!(error instanceof errors/* ConfigurationError */.j1))
            throw error;
        why = error.message;
    }
    try {
        const chosen = await byPod(asked, target, record);
        asked.found(`Method: a node pod; not SSH, because ${causeOf(why)}`);
        return chosen;
    }
    catch (error) {
        if (!(error instanceof errors/* ConfigurationError */.j1) || error.message === why)
            throw error;
        throw new errors/* ConfigurationError */.j1(`node-method: auto, and neither way to the node ${target.node} is open.\n  By SSH: ${why}\n  By a node pod: ${error.message}`);
    }
}
async function bySsh({ cluster, request, identity, found }, target, record) {
    if (cluster.autopilot === true) {
        throw new errors/* ConfigurationError */.j1('node-method: ssh, but this is a GKE Autopilot cluster, whose nodes nobody may enter. Use level: pod. Nothing was created.');
    }
    const node = await nodeOf(cluster, identity, target);
    const { parseProviderId } = await __webpack_require__.e(/* import() */ 828).then(__webpack_require__.bind(__webpack_require__, 39828));
    const name = parseProviderId(node.spec?.providerID, target.node);
    if (/^gk3-/.test(name.name)) {
        throw new errors/* ConfigurationError */.j1(`node-method: ssh, but ${target.node} is a node of GKE Autopilot, which nobody may enter. Use level: pod. Nothing was created.`);
    }
    const { openNodeAccess, planNodeLogin, relayProxy, sshRecorder } = await __webpack_require__.e(/* import() */ 106).then(__webpack_require__.bind(__webpack_require__, 69106));
    const access = openNodeAccess(await cluster.google(), process.env);
    const planned = await planNodeLogin(access, name);
    const relay = { server: access.relay, agent: (await relayProxy(access.relay))?.agent };
    const own = await ownWays([relay, await apiServerWay(cluster)], node, process.env);
    const filter = ownTraffic(target)
        ? (0,node_filter/* filterForPod */.pe)(target.facts, request.filter, own)
        : (0,node_filter/* without */.FF)((0,node_filter/* ways */.LN)(own), request.filter);
    const made = await record({ kind: 'ssh', login: planned.login, whole: !ownTraffic(target) }, filter);
    const recorder = sshRecorder(access, made, planned.login, planned);
    for (const line of await recorder.check())
        found(line);
    return {
        recorder,
        hints: [hintFor(target, ['the SSH connection that carries the capture', ...(0,node_filter/* ways */.LN)(own).map(quoted)])],
    };
}
/** Of an error, for the line that says what is done in spite of it: without its input and its fixes. */
function causeOf(text) {
    const [first = ''] = text.split('\n');
    return first
        .replace(/^node-method: (ssh, but )?/, '')
        .replace(/ (Nothing was created|(Or )?[uU]se (node-method: pod|level: pod)|Or capture by a pod on the node: node-method: pod)[^.]*\./g, '');
}
async function byPod({ cluster, request, identity, found }, target, record) {
    const { connection } = cluster;
    const namespace = request.nodeNamespace;
    const missing = await missingRights(connection, namespace, nodePodRights);
    if (missing.length > 0) {
        throw new errors/* ConfigurationError */.j1(rightsProblem(connection, identity, namespace, missing, documentAddress('docs/rbac/platform.yaml', process.env)));
    }
    found(`Rights in ${namespace}: all ${nodePodRights.length} that are needed`);
    const whole = !ownTraffic(target);
    const node = whole ? await nodeOf(cluster, identity, target) : undefined;
    const own = await ownWays([await apiServerWay(cluster)], node, process.env);
    const left = (0,node_filter/* execStream */.U1)(kubeletPort(node), own);
    const filter = whole ? (0,node_filter/* without */.FF)(left, request.filter) : (0,node_filter/* filterForPod */.pe)(target.facts, request.filter, own);
    const recorder = nodePodRecorder(connection, await record({ kind: 'node-pod', namespace }, filter), namespace);
    for (const line of await recorder.check())
        found(line);
    return { recorder, hints: [hintFor(target, left.map(quoted))] };
}
function quoted(expression) {
    return `\`${expression}\``;
}
/** Whether the target's addresses are its own: then they tell its traffic from the node's, and from the capture's. */
function ownTraffic(target) {
    return target.pod !== '' && target.facts.spec?.hostNetwork !== true;
}
async function nodeOf({ connection }, identity, target) {
    const rights = documentAddress('docs/rbac/platform.yaml', process.env);
    const node = await getNode(connection, target.node, { identity, rights });
    checkNode(node, target.node);
    return node;
}
async function apiServerWay({ connection }) {
    return { server: connection.server, agent: (await (0,cluster_connection/* credentialsOf */.YN)(connection)).agent };
}
function kubeletPort(node) {
    return node?.status?.daemonEndpoints?.kubeletEndpoint?.Port ?? 10250;
}
/** `left`: what a capture of the whole node leaves out, because it carries the capture itself; whoever reads an empty one must know. */
function hintFor(target, left) {
    if (!ownTraffic(target)) {
        return (`This is the traffic of the whole node ${target.node}, of every pod on it. Left out is what carries the capture itself, ` +
            `and with it all else that looks the same: ${left.join(', ')}.`);
    }
    return ("Seen from the node: one packet appears on each interface that it passes (the pod's veth, a bridge, the uplink). These are sightings of one packet, " +
        'not duplicates. Where the network of the cluster wraps packets (VXLAN, Geneve, IPIP, WireGuard), the uplink shows the wrapping, which this filter does ' +
        'not match. What the pod says to itself (behind a sidecar: the plaintext) is not there: that is for level: pod.');
}

// EXTERNAL MODULE: ./src/google/provider.ts
var google_provider = __webpack_require__(66582);
;// CONCATENATED MODULE: ./src/access-input.ts


const gkeEndpoints = ['auto', 'dns', 'ip', 'private', 'connect-gateway'];
/** Reads the inputs that say how to get in; `problem` is told each one that is wrong or does not go with the others. */
function readAccess(input, problem) {
    const ways = ['kubeconfig', 'api-server', 'cluster'].filter((name) => input(name) !== '');
    if (ways.length > 1) {
        problem(`${ways.join(', ')}: each of them is a way into a cluster of its own; set one`);
    }
    const [way] = ways;
    const onlyWith = (owner, names) => {
        for (const name of names)
            if (input(name) !== '' && way !== owner)
                problem(`${name}: goes with ${owner}, which is not set`);
    };
    onlyWith('api-server', ['certificate-authority', 'oidc-audience', 'token']);
    onlyWith('cluster', ['location', 'project-id', 'workload-identity-provider', 'service-account']);
    if (input('context') !== '' && way !== undefined && way !== 'kubeconfig') {
        problem(`context: goes with a kubeconfig, not with ${way}`);
    }
    if (input('endpoint') !== '' && input('endpoint') !== 'auto' && way !== 'cluster') {
        problem('endpoint: goes with cluster, which is not set');
    }
    const endpoint = gkeEndpoints.find((name) => name === (input('endpoint') || 'auto'));
    if (endpoint === undefined) {
        problem(`endpoint: got ${JSON.stringify(input('endpoint'))}, takes ${gkeEndpoints.join(', ')}`);
    }
    if (way === 'api-server')
        return readDirect(input, problem);
    if (way === 'cluster')
        return readGke(input, endpoint ?? 'auto', problem);
    return {
        kind: 'kubeconfig',
        source: parseKubeconfig(input('kubeconfig'), problem),
        context: input('context') || undefined,
    };
}
function readDirect(input, problem) {
    const server = input('api-server').replace(/\/+$/, '');
    if (!/^https:\/\/[^\s/?#]+(\/[^\s?#]*)?$/.test(server) || !URL.canParse(server)) {
        problem(`api-server: got ${JSON.stringify(server)}, takes an https URL`);
    }
    const token = input('token');
    const audience = input('oidc-audience');
    if ((token === '') === (audience === '')) {
        problem(token === ''
            ? 'api-server: needs `oidc-audience` (an API server that trusts GitHub as issuer) or `token`'
            : 'oidc-audience, token: each of them is a way to authenticate; set one');
    }
    return {
        kind: 'direct',
        server,
        certificateAuthority: input('certificate-authority') || undefined,
        credential: token === '' ? { kind: 'oidc', audience } : { kind: 'token', token },
    };
}
function readGke(input, endpoint, problem) {
    const cluster = input('cluster');
    const location = input('location');
    const projectId = input('project-id');
    const full = fullClusterName.exec(cluster);
    if (full) {
        // The full name says both; what is said beside it can only be the same, or a slip.
        const said = { location: full.groups?.['location'], 'project-id': full.groups?.['project'] };
        for (const [name, value = ''] of Object.entries(said)) {
            const other = input(name);
            // A project's number is not compared with its id.
            if (other !== '' && other !== value && isNumber(other) === isNumber(value)) {
                problem(`${name}: got ${access_input_quoted(other)}, but cluster names ${access_input_quoted(value)}; leave it out`);
            }
        }
    }
    else if (!/^[a-z]([-a-z0-9]*[a-z0-9])?$/.test(cluster)) {
        problem(`cluster: got ${access_input_quoted(cluster)}, takes projects/P/locations/L/clusters/C, or a name with location and project-id`);
    }
    else if (location === '') {
        // Its project may be that of the credentials; whether it is is known once they are read.
        problem('cluster: a name alone needs `location` beside it; or give projects/P/locations/L/clusters/C');
    }
    if (!full && !/^[a-z0-9-]*$/.test(location)) {
        problem(`location: got ${access_input_quoted(location)}, takes the region or zone of the cluster, such as europe-west1`);
    }
    if (!full && !/^[a-z0-9.:-]*$/.test(projectId)) {
        problem(`project-id: got ${access_input_quoted(projectId)}, takes the id of the project of the cluster`);
    }
    const provider = input('workload-identity-provider');
    const account = input('service-account');
    const check = (text, parse) => {
        try {
            if (text !== '')
                parse(text);
        }
        catch (error) {
            problem((0,errors/* messageOf */.bD)(error));
        }
    };
    check(provider, google_provider/* parseProvider */.t);
    check(account, google_provider/* parseServiceAccount */.Y);
    if (account !== '' && provider === '') {
        problem('service-account: goes with workload-identity-provider, which is not set; or give it to google-github-actions/auth in a step before');
    }
    return {
        kind: 'gke',
        cluster,
        location: location || undefined,
        projectId: projectId || undefined,
        endpoint,
        workloadIdentityProvider: provider || undefined,
        serviceAccount: account || undefined,
    };
}
/** As GKE writes it, also as the link that the console and the API give. */
const fullClusterName = /^(?:(?:https?:)?\/\/container\.[^/\s]+\/(?:v1\/)?)?projects\/(?<project>[a-z0-9.:-]+)\/(?:locations|zones|regions)\/(?<location>[a-z0-9-]+)\/clusters\/[a-z0-9-]+$/;
function isNumber(text) {
    return /^\d+$/.test(text);
}
function access_input_quoted(text) {
    return JSON.stringify(text.slice(0, 200));
}
function parseKubeconfig(text, problem) {
    if (text === '')
        return { kind: 'default' };
    // A kubeconfig that is still base64 must not be shown as the path of a file that is not there.
    if (/^[A-Za-z0-9+/=\s]{200,}$/.test(text)) {
        problem('kubeconfig: got base64, takes the path or the content of a kubeconfig: decode it first');
        return { kind: 'default' };
    }
    // A kubeconfig is a mapping: it has a line break or begins as JSON; a path has neither.
    return /[\n\r]|^\s*\{/.test(text) ? { kind: 'content', content: text } : { kind: 'path', path: text };
}

// EXTERNAL MODULE: ./src/google/toolbox-image.ts
var toolbox_image = __webpack_require__(68844);
;// CONCATENATED MODULE: ./src/request.ts




const nodeMethods = ['auto', 'ssh', 'pod'];
const capabilities = ['NET_RAW', 'NET_ADMIN'];
const severities = ['error', 'warn', 'ignore'];
const longestDuration = 6 * 3600;
/** An empty input means its default, so that a workflow can pass on an input of its own that was left empty. action.yml says the same defaults. */
const defaultImage = 'docker.io/nicolaka/netshoot:v0.14@sha256:7f08c4aff13ff61a35d30e30c5c1ea8396eac6ab4ce19fd02d5a4b3b5d0d09a2';
const defaultNodeMethod = 'auto';
const defaultNodeNamespace = 'packet-capture';
/** DNS subdomain and label, RFC 1123 as Kubernetes reads it (apimachinery, pkg/util/validation). */
const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const label = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
/** What the artifact service and common file systems refuse in a name. */
const badInFileName = /["<>:|*?\u0000-\u001f\u007f\\/]/;
/**
 * Reads every input. `input` gives the text of an input by its name, trimmed, '' where it is not set.
 * @throws ConfigurationError that lists every problem of every input at once
 */
function readRequest(input) {
    const problems = [];
    const read = (name, takes, parse) => {
        const text = input(name);
        const value = parse(text);
        if (value === undefined)
            problems.push(`${name}: got ${request_quoted(text)}, takes ${takes}`);
        return value; // a problem stops the run below, before anything reads the value
    };
    const readOptional = (name, takes, parse) => input(name) === '' ? undefined : read(name, takes, parse);
    const request = {
        target: readTarget(input, read, (text) => problems.push(text)),
        namespace: readOptional('namespace', 'the name of a namespace', matching(label, 63)),
        level: read('level', 'pod or node', (text) => ['pod', 'node'].find((word) => word === (text || 'pod'))),
        nodeMethod: read('node-method', nodeMethods.join(', '), (text) => nodeMethods.find((word) => word === (text || defaultNodeMethod))),
        nodeNamespace: read('node-namespace', 'the name of a namespace', (text) => matching(label, 63)(text || defaultNodeNamespace)),
        toolboxImage: readOptional('toolbox-image', toolbox_image/* toolboxImageForm */.t, (text) => (0,toolbox_image/* splitToolboxImage */.d)(text) === undefined ? undefined : text),
        limits: {
            duration: read('duration', '90, 90s, 5m or 1h30m, from 1s to 6h', (text) => between((0,quantities/* parseDuration */.E9)(text || '60s'), 1, longestDuration)),
            size: read('max-size', 'a size of at least 1KB: 500MB, 1GB, 64MiB or bytes', (text) => between((0,quantities/* parseSize */.DB)(text || '1GB'), 1000, 1e15)),
            packets: readOptional('max-packets', 'a number from 1 to 2147483647', (text) => between((0,quantities/* parseCount */.zq)(text), 1, 2147483647)),
        },
        filter: read('filter', 'a pcap filter on one line of at most 4096 characters, its parentheses in pairs', parseFilter),
        interface: read('interface', "any, or an interface's name of at most 15 characters", (text) => matching(/^[^\s/:-][^\s/:]*$/, 15)(text || 'any')),
        snaplen: read('snaplen', 'bytes a packet, from 64 to 262144', (text) => between((0,quantities/* parseCount */.zq)(text || '262144'), 64, 262144)),
        image: read('image', 'an image reference', (text) => matching(/^[a-z0-9][\w./:@-]*$/i, 512)(text || defaultImage)),
        capabilities: read('capabilities', `${capabilities.join(', ')}, or nothing`, parseCapabilities),
        allowHostNetwork: read('allow-host-network', 'true or false', parseBoolean),
        access: readAccess(input, (text) => problems.push(text)),
        preflight: read('preflight', 'on or only', (text) => ['on', 'only'].find((word) => word === (text || 'on'))),
        startTimeout: read('start-timeout', '90, 90s or 2m, from 5s to 1h', (text) => between((0,quantities/* parseDuration */.E9)(text || '2m'), 5, 3600)),
        ownerTimeout: read('owner-timeout', '90, 90s or 2m, from 20s to 1h', (text) => between((0,quantities/* parseDuration */.E9)(text || '60s'), 20, 3600)),
        spoolLimit: read('spool-limit', 'a size from 8MB to 10GB: 64MB, 200MB or bytes', (text) => between((0,quantities/* parseSize */.DB)(text || '64MB'), 8e6, 10e9)),
        artifactName: readOptional('artifact-name', 'a file name of at most 200 bytes without " < > : | * ? \\ /', (text) => badInFileName.test(text) || Buffer.byteLength(text) > 200 || text.startsWith('.')
            ? undefined
            : text.replace(/\.pcap$/, '')),
        retentionDays: readOptional('retention-days', 'a number of days from 1 to 400', (text) => between((0,quantities/* parseCount */.zq)(text), 1, 400)),
        ifIncomplete: read('if-incomplete', 'error, warn or ignore', parseSeverity),
        ifEmpty: read('if-empty', 'error, warn or ignore', parseSeverity),
    };
    problems.push(...strayInputs(request));
    if (problems.length > 0) {
        const heading = problems.length === 1 ? 'An input is wrong' : `${problems.length} inputs are wrong`;
        throw new errors/* ConfigurationError */.j1(`${heading}; nothing was contacted.\n${problems.map((p) => `  ${p}`).join('\n')}`);
    }
    return deepFreeze(request);
}
/** Inputs that would be read by nobody: whoever sets one means a capture that this is not. */
function strayInputs({ level, nodeMethod, nodeNamespace, toolboxImage }) {
    if (level === 'pod') {
        // What is wrong in itself is undefined, and a problem already.
        const stray = [
            ...([undefined, defaultNodeMethod].includes(nodeMethod) ? [] : ['node-method']),
            ...([undefined, defaultNodeNamespace].includes(nodeNamespace) ? [] : ['node-namespace']),
            ...(toolboxImage === undefined ? [] : ['toolbox-image']),
        ];
        return stray.map((name) => `${name}: goes with \`level: node\`, which is not set; set it, or leave ${name} out`);
    }
    if (toolboxImage === undefined || nodeMethod !== 'pod')
        return [];
    return [
        'toolbox-image: goes with `node-method` ssh or auto, but that is pod; leave it out, a node pod is made of `image`',
    ];
}
/** A pod, or a deployment's, by `pod`; at node level also a node by its own name. */
function readTarget(input, read, problem) {
    const takes = 'the name of a pod, or deployment/NAME';
    if (input('node') === '')
        return read('pod', takes, parseTarget);
    if (input('level') !== 'node')
        problem('node: goes with `level: node`, which is not set');
    if (input('pod') !== '')
        problem('pod, node: each of them names what to capture; set one (with `pod`, its own node is taken)');
    return read('node', 'the name of a node', (text) => subdomain.test(text) && text.length <= 253 ? { kind: 'node', name: text } : undefined);
}
/** Whether Kubernetes would take it as the name of a namespace; it becomes a part of addresses and of commands. */
function isNamespaceName(text) {
    return matching(label, 63)(text) !== undefined;
}
function parseTarget(text) {
    const [first, second, third] = text.split('/');
    if (third !== undefined || first === undefined)
        return undefined;
    const name = second ?? first;
    const kind = second === undefined ? 'pod' : kinds.get(first);
    return kind && name.length <= 253 && subdomain.test(name) ? { kind, name } : undefined;
}
const kinds = new Map([
    ['pod', 'pod'],
    ['pods', 'pod'],
    ['deployment', 'deployment'],
    ['deployments', 'deployment'],
    ['deploy', 'deployment'],
]);
function parseFilter(text) {
    return text.length <= 4096 && !/[\u0000-\u001f\u007f]/.test(text) && inPairs(text) ? text : undefined;
}
/** A filter that closes what it has not opened would leave the parentheses that narrow it to a pod. */
function inPairs(text) {
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
function parseCapabilities(text) {
    const words = text.split(/[\s,]+/).filter((word) => word !== '');
    const known = words.map((word) => capabilities.find((capability) => capability === word.toUpperCase()));
    return known.includes(undefined) ? undefined : [...new Set(known)];
}
function parseSeverity(text) {
    return text === '' ? 'warn' : severities.find((severity) => severity === text);
}
/** YAML 1.2 core schema, as core.getBooleanInput reads it. */
function parseBoolean(text) {
    if (/^(true|True|TRUE)$/.test(text))
        return true;
    return /^(false|False|FALSE|)$/.test(text) ? false : undefined;
}
function matching(pattern, longest) {
    return (text) => (pattern.test(text) && text.length <= longest ? text : undefined);
}
function between(value, least, most) {
    return value !== undefined && value >= least && value <= most ? value : undefined;
}
function request_quoted(text) {
    if (text === '')
        return 'nothing';
    return JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}\u2026` : text);
}
function deepFreeze(value) {
    for (const part of Object.values(value))
        if (typeof part === 'object' && part !== null)
            deepFreeze(part);
    return Object.freeze(value);
}

;// CONCATENATED MODULE: ./src/runner/job.ts



function readJob(env) {
    const repository = env['GITHUB_REPOSITORY'] ?? '';
    const runId = env['GITHUB_RUN_ID'] ?? '0';
    const server = env['GITHUB_SERVER_URL'] ?? 'https://github.com';
    return {
        repository,
        runId,
        attempt: env['GITHUB_RUN_ATTEMPT'] ?? '1',
        job: env['GITHUB_JOB'] ?? 'job',
        temp: (0,external_node_path_.join)(env['RUNNER_TEMP'] ?? (0,external_node_os_.tmpdir)(), 'kubernetes-packet-capture'),
        artifactUrl: (id) => `${server}/${repository}/actions/runs/${runId}/artifacts/${id}`,
        artifactLink: (id) => `./${runId}/artifacts/${id}`,
    };
}
/** Unique per step: jobs of a matrix share GITHUB_JOB, and two captures may share a job. */
function defaultArtifactName(pod, job) {
    const name = [
        'capture',
        pod.slice(0, 80),
        job.runId,
        job.attempt,
        job.job.slice(0, 60),
        (0,external_node_crypto_.randomBytes)(2).toString('hex'),
    ];
    return name.join('-').replace(/[^\w.-]/g, '_');
}

;// CONCATENATED MODULE: ./src/preflight.ts

















/**
 * Looks at everything that could stand in the way, each check whatever the others found.
 * @throws ConfigurationError with all problems at once
 */
async function preflight(cluster, request, job, log) {
    const { connection } = cluster;
    const namespace = request.namespace ?? connection.namespace ?? 'default';
    const findings = [];
    const hints = [];
    const problems = new Set();
    const found = (line) => {
        findings.push(line);
        log.info(line);
    };
    /** A check that fails is a problem among the others, whatever it fails by. */
    const attempt = async (explain, check) => {
        try {
            return await check();
        }
        catch (error) {
            problems.add(explain(error));
            return undefined;
        }
    };
    const asking = (what) => (error) => problemOf(connection, error, what);
    found(`Cluster: ${connection.description}`);
    const us = await attempt(asking('who we are'), async () => ({ identity: await whoAmI(connection) }));
    if (us?.identity !== undefined)
        found(`Identity: ${us.identity}`);
    const misnamed = request.target.kind !== 'node' && !isNamespaceName(namespace);
    if (misnamed) {
        problems.add(`${connection.input}: its context has the namespace ${JSON.stringify(namespace.slice(0, 100))}, which is no name of a namespace. Correct it, or set the input \`namespace\`. Nothing was created.`);
    }
    // Where we do not get in, or not into this namespace, every further question has that answer.
    const open = us !== undefined && !misnamed;
    const missing = new Set();
    const { target: wanted } = request;
    if (open && wanted.kind !== 'node') {
        const rights = rightsFor(wanted.kind, request.level);
        await attempt(asking(`what we may do in the namespace ${JSON.stringify(namespace)}`), async () => {
            const denied = await missingRights(connection, namespace, rights);
            for (const right of denied)
                missing.add(`${right.verb} ${nameOf(right)}`);
            if (denied.length === 0)
                found(`Rights in ${namespace}: all ${rights.length} that are needed`);
            else
                problems.add(rightsProblem(connection, us.identity, namespace, denied, allRights(request, connection, us)));
        });
    }
    await attempt(errors/* messageOf */.bD, async () => {
        const checked = await checkFilterHere(request.filter, request.interface);
        found(`Filter: ${request.filter || 'none'}${checked ? ' (compiles on this runner)' : ''}`);
    });
    // Without the right to read a pod the answer is known already.
    const reading = wanted.kind === 'deployment' ? ['get deployments', 'list pods'] : [];
    const readable = open && !['get pods', ...reading].some((right) => missing.has(right));
    const asked = `for the ${wanted.kind} ${JSON.stringify(wanted.name)}`;
    const targets = readable ? await attempt(asking(asked), () => targetsOf(connection, namespace, request)) : undefined;
    const recorders = [];
    for (const target of targets ?? []) {
        const where = target.node === '' ? 'no node yet' : `node ${target.node}`;
        found(`Target: ${target.pod === '' ? '' : `pod ${target.pod} in ${target.namespace} on `}${where}`);
        if (target.pod !== '')
            for (const problem of targetProblems(target, request))
                problems.add(problem);
        if (!canBeAsked(target, request))
            continue;
        const made = (where, filter) => recordFor(connection, request, job, target, where, filter);
        if (request.level === 'node') {
            await attempt(asking(`for a recorder on the node ${target.node}`), async () => {
                const chosen = await chooseNodeRecorder({ cluster, request, identity: us?.identity, found }, target, made);
                recorders.push(chosen.recorder);
                hints.push(...chosen.hints);
            });
            continue;
        }
        await attempt(asking(`whether the pod ${JSON.stringify(target.pod)} takes a capture container`), async () => {
            const record = await made({ kind: 'container' }, request.filter);
            const { spoolLimit } = record.plan;
            if (spoolLimit < request.spoolLimit) {
                found(`Spool: at most ${(0,quantities/* formatSize */.Xq)(spoolLimit)} of the node's disk, because of the pod's ephemeral-storage limits`);
            }
            const recorder = ephemeralRecorder(connection, record);
            recorders.push(recorder);
            if (!missing.has('patch pods/ephemeralcontainers'))
                for (const line of await recorder.check())
                    found(line);
        });
        const wider = widerFilter(target.facts, request.filter);
        if (wider !== undefined) {
            hints.push(`The pod has a sidecar: the filter misses the plaintext requests that the app sends (they go to 127.0.0.1:15001). With \`${wider}\` they are there, too.`);
        }
    }
    if (problems.size > 0)
        throw new errors/* ConfigurationError */.j1(together([...problems]));
    for (const hint of hints)
        log.info(`Hint: ${hint}`);
    if (request.preflight === 'on' && request.level === 'pod')
        await clearRemains(connection, targets ?? [], job, log);
    return { recorders, hints, findings };
}
/** Where all the rights for this level and this way in are written down. */
function allRights({ level }, { input }, { identity }) {
    return documentAddress(`docs/rbac/${level === 'pod' ? grantFile(input, identity) : 'platform.yaml'}`, process.env);
}
async function targetsOf(connection, namespace, request) {
    const { kind, name } = request.target;
    if (kind !== 'node')
        return findTargets(connection, namespace, { kind, name });
    if (!request.allowHostNetwork) {
        throw new errors/* ConfigurationError */.j1(`node: a capture of ${JSON.stringify(name)} by its own name shows every pod of the node. ` +
            "Set `allow-host-network: true` if you mean that, or name a `pod`: its node is taken, and of its traffic only the pod's own. Nothing was created.");
    }
    return [{ namespace: '', pod: '', uid: '', node: name, facts: {} }];
}
function together(problems) {
    const [first] = problems;
    if (first !== undefined && problems.length === 1)
        return first;
    return `${problems.length} things stand in the way. Nothing was created.\n${problems.map((problem) => `- ${problem.replaceAll(' Nothing was created.', '')}`).join('\n')}`;
}
/** The API server's clock, ms since the epoch: the deadline is counted by it, for runners' clocks are off. */
async function timeOf(connection, { namespace, pod }) {
    const path = pod === '' ? '/version' : `/api/v1/namespaces/${namespace}/pods/${pod}`;
    const { serverTime } = await call(connection, 'GET', path);
    return serverTime ?? Date.now();
}
async function clearRemains(connection, targets, job, log) {
    for (const target of targets) {
        for (const container of findRemains(target, job.repository, await timeOf(connection, target))) {
            log.info(await endRemains(connection, target, container));
        }
    }
}
async function recordFor(connection, request, job, target, where, filter) {
    const plan = {
        filter,
        interface: request.interface,
        snaplen: request.snaplen,
        duration: request.limits.duration,
        size: request.limits.size,
        packets: request.limits.packets,
        image: request.image,
        toolboxImage: request.toolboxImage,
        capabilities: request.capabilities,
        startTimeout: request.startTimeout,
        ownerTimeout: request.ownerTimeout,
        spoolLimit: where.kind === 'container' ? (0,capture_container/* spoolLimitFor */.o2)(target, request.spoolLimit) : request.spoolLimit,
    };
    const name = request.artifactName ?? defaultArtifactName(target.pod || target.node, job);
    const path = (0,external_node_path_.join)(job.temp, `${name}.pcap`);
    return recordOf(target, (0,capture_container/* containerName */.xN)(job.repository), plan, path, await timeOf(connection, target), where);
}

;// CONCATENATED MODULE: ./src/recorders.ts



/**
 * The recorder that a record tells of, as post finds it. `mayBeThere`: main may have put something on the node; `stays`: what of it nobody can remove.
 * SSH is loaded only where it is the way, and needs no cluster.
 */
async function recorderFor(access, { record, stays }, mayBeThere = true) {
    const { where } = record;
    switch (where.kind) {
        case 'container':
            return ephemeralRecorder((await openCluster(access, process.env)).connection, record);
        case 'node-pod':
            return nodePodRecorder((await openCluster(access, process.env)).connection, record, where.namespace);
        case 'ssh': {
            const { openNodeAccess, sshRecorder } = await __webpack_require__.e(/* import() */ 106).then(__webpack_require__.bind(__webpack_require__, 69106));
            const google = openNodeAccess(await openGoogle(access, process.env), process.env);
            return sshRecorder(google, record, where.login, undefined, { mayBeThere, stays });
        }
    }
}

// EXTERNAL MODULE: ./src/runner/end.ts
var end = __webpack_require__(7559);
// EXTERNAL MODULE: ./src/runner/log.ts
var log = __webpack_require__(47708);
// EXTERNAL MODULE: ./src/state.ts
var state = __webpack_require__(2462);
;// CONCATENATED MODULE: ./src/run.ts




















/** The whole way, from the inputs to the artifact. A cancel stops it where it is and leaves the rest to the post step. */
async function run(cancel) {
    const request = readRequest((name) => core/* getInput */.V4(name));
    const job = readJob(process.env);
    const { connection, recorders, hints, findings } = await unlessCancelled(cancel, 'The run was cancelled before the capture had begun; nothing was created.', () => log/* jobLog */.W.group('Preflight', () => prepare(request, job)));
    if (request.preflight === 'only') {
        await deliverPreflight(findings, hints);
        log/* jobLog */.W.info('preflight: only, so nothing is captured');
        return;
    }
    const state = stateKeeper(recorders.map(({ record }) => record), hints);
    const room = await reserveRoom(job.temp);
    state.save('begun');
    let results;
    try {
        const running = await log/* jobLog */.W.group('Start', () => startAll(recorders, state.touching, cancel));
        state.save('recording', running);
        results = await recordAll(connection, running, cancel);
    }
    catch (error) {
        await room.release();
        // What a pod has of a failed start ends by itself, or post ends it; of what nodes have nothing stays that a cancel leaves time for.
        const cleared = !(error instanceof errors/* Cancelled */.cJ) && (await clearNodes(recorders));
        const inPods = recorders.some(({ record }) => record.where.kind === 'container');
        const nothing = error instanceof start/* NothingRecorded */.GV || error instanceof start/* NothingCreated */.SL;
        if (cleared && (nothing || !inPods))
            state.save('done');
        throw error;
    }
    await room.release();
    state.save('captured', results);
    const whole = results.filter(({ outcome }) => outcome.end !== 'held');
    for (const result of whole)
        await nameFile(result);
    if (cancel.aborted) {
        setOutputs(whole.map((result) => reportOf(result, hints)));
        log/* jobLog */.W.info('Cancelled: the post step delivers what was captured.');
        return;
    }
    const cleared = await Promise.all(results.map((result) => clear(result, recorders)));
    for (const { record, scan, verdict } of results) {
        log/* jobLog */.W.info(`Recorded ${subjectOf(record)}: ${scan.packets.toLocaleString('en-US')} packets, ${(0,quantities/* formatSize */.Xq)(scan.bytes)}, stopped by ${verdict.stopReason}`);
    }
    const delivered = await deliver(cleared, deliveryOf(request, job, false), hints, [], cancel);
    if (delivered) {
        if (cleared.some((result) => result.cleared?.unfinished))
            state.save('delivered', cleared);
        else
            state.save('done');
        return;
    }
    log/* jobLog */.W.info('Cancelled during the upload: the post step delivers the capture.');
    (0,end/* lastResort */.y)(100); // an upload that comes to its end after this would be a second artifact
}
/** Removes what was made for a capture; the result knows what stays. */
async function clear(result, recorders) {
    const recorder = recorders.find(({ record }) => record === result.record);
    const cleared = await recorder?.clear();
    if (cleared && result.record.where.kind !== 'container') {
        const { remains } = cleared;
        log/* jobLog */.W.info(remains.length === 0 ? 'Removed everything that was made for it' : `What stays: ${remains.join('; ')}`);
    }
    return { ...result, cleared };
}
/** Of a run that failed: a container in a pod ends by itself and cannot be removed, but nothing is left on a node. True where nothing has to be tried again. */
async function clearNodes(recorders) {
    const onNodes = recorders.filter(({ record }) => record.where.kind !== 'container');
    const all = await Promise.all(onNodes.map((recorder) => recorder.clear()));
    for (const line of all.flatMap(({ remains }) => remains))
        log/* jobLog */.W.warning(`Left behind: ${line}`);
    return !all.some(({ unfinished }) => unfinished);
}
/** Room for the file commands that tell the result, on a disk that the capture itself may have filled. */
async function reserveRoom(folder) {
    const path = (0,external_node_path_.join)(folder, `${(0,external_node_crypto_.randomUUID)()}.room`);
    await (0,promises_.mkdir)(folder, { recursive: true });
    await (0,promises_.writeFile)(path, Buffer.alloc(65_536)).catch(() => undefined);
    return { release: () => (0,promises_.rm)(path, { force: true }) };
}
async function prepare(request, job) {
    try {
        const cluster = await openCluster(request.access, process.env);
        return { ...(await preflight(cluster, request, job, log/* jobLog */.W)), connection: cluster.connection };
    }
    catch (error) {
        if (request.preflight === 'only')
            await deliverPreflightProblem((0,errors/* messageOf */.bD)(error));
        throw error;
    }
}
/** A cancel does not wait for a call that hangs: the grace is short, and what is under way changes nothing in the cluster. */
async function unlessCancelled(cancel, message, body) {
    const cancelled = new Promise((_resolve, reject) => {
        const abort = () => reject(new errors/* Cancelled */.cJ(message));
        if (cancel.aborted)
            abort();
        else
            cancel.addEventListener('abort', abort, { once: true });
    });
    return Promise.race([body(), cancelled]);
}
/** Post's part: whatever main left in the pods or on the disk is fetched, uploaded and summarised. */
async function finishRun(state) {
    const request = readRequest((name) => core/* getInput */.V4(name));
    const job = readJob(process.env);
    const results = [];
    for (const capture of state.captures) {
        const { result, stays } = capture;
        const finished = result
            ? await clearAfter(request, result, stays)
            : await finishCapture(request, capture, state.phase);
        if (!finished)
            continue;
        await nameFile(finished);
        results.push(finished);
    }
    if (state.phase === 'delivered')
        return;
    const notes = ['The step itself did not come to its end (cancelled, or killed); the post step delivered this.'];
    if (results.length > 0)
        await deliver(results, deliveryOf(request, job, true), state.hints, notes);
}
/** Of a capture that main had whole: what was made on the node is removed, for main may not have come so far. */
async function clearAfter(request, result, stays) {
    const { record } = result;
    if (record.where.kind === 'container' || result.cleared?.unfinished === false)
        return result;
    try {
        return await clear(result, [await recorderFor(request.access, { record, stays })]);
    }
    catch (error) {
        return { ...result, cleared: notCleared(record, error) };
    }
}
/** What stays on a node that cannot be reached for the clean-up. */
function notCleared({ container, node, where }, error) {
    const what = where.kind === 'ssh'
        ? `the recorder ${container} on ${node} and the SSH key of this run, until it ends and the key expires`
        : `the Job ${container}, until it ends`;
    return { remains: [`${what}: ${(0,errors/* messageOf */.bD)(error)}`], unfinished: true };
}
/** By SSH a capture is finished without the API server, so it is asked for nothing but this. */
async function fateOf({ access }, record) {
    if (record.where.kind === 'container' || record.pod === '')
        return { kind: 'there' };
    try {
        return await lookAtTarget((await openCluster(access, process.env)).connection, record);
    }
    catch (error) {
        return { kind: 'unknown', why: (0,errors/* messageOf */.bD)(error) };
    }
}
async function finishCapture(request, { record, imageId, stays }, phase) {
    let capture;
    let recorder;
    try {
        const mayBeThere = phase !== 'begun';
        recorder = await recorderFor(request.access, { record, stays }, mayBeThere);
        if (record.where.kind === 'ssh' && !mayBeThere) {
            log/* jobLog */.W.info('The node was not touched. Nothing was captured.');
            await clearNodes([recorder]);
            return undefined;
        }
        const state = await recorder.place.state();
        if (state.kind === 'waiting') {
            const fate = record.where.kind === 'container' ? 'it ends by itself when it does' : 'it is removed';
            log/* jobLog */.W.info(`The recorder ${record.container} has not started; ${fate}. Nothing was captured.`);
            await clearNodes([recorder]);
            return undefined;
        }
        const part = await openPart(record);
        if (state.kind === 'gone' && record.where.kind !== 'container' && part.received() === 0) {
            log/* jobLog */.W.info(`The recorder ${record.container} is not there (${state.reason}). Nothing was captured.`);
            await part.discard();
            await clearNodes([recorder]);
            return undefined;
        }
        capture = followCapture(recorder, part, imageId, eventsOf(record), Date.now());
    }
    catch (error) {
        log/* jobLog */.W.info(`The rest of the capture of ${subjectOf(record)} cannot be fetched: ${(0,errors/* messageOf */.bD)(error)}`);
        const result = await finishFromDisk(record, imageId, (0,errors/* messageOf */.bD)(error));
        if (record.where.kind === 'container')
            return result;
        return recorder ? clear(result, [recorder]) : { ...result, cleared: notCleared(record, error) };
    }
    capture.stop('cancelled');
    try {
        const result = await capture.finished;
        return await clear(withFate(result, await fateOf(request, record)), [recorder]);
    }
    catch (error) {
        if (!(error instanceof start/* NothingRecorded */.GV))
            throw error;
        log/* jobLog */.W.info(error.message);
        await clearNodes([recorder]);
        return undefined;
    }
}
async function startAll(recorders, touching, cancel) {
    return Promise.all(recorders.map(async (recorder) => {
        const { record } = recorder;
        const events = eventsOf(record);
        const part = await openPart(record);
        try {
            const imageId = await recorder.start({ ...events, touching: (stays) => touching(record, stays) }, cancel);
            const what = record.where.kind === 'ssh' ? 'the recorder' : record.plan.image;
            log/* jobLog */.W.info(`Started ${what}${imageId ? ` (${imageId})` : ''}`);
            return followCapture(recorder, part, imageId, events);
        }
        catch (error) {
            await part.discard();
            throw error;
        }
    }));
}
function eventsOf(record) {
    return {
        touching: () => undefined,
        made: (what) => log/* jobLog */.W.info(what),
        caution: (text) => log/* jobLog */.W.warning(text),
        waiting: (reason) => log/* jobLog */.W.info(`Waiting: ${reason}`),
        listening: () => log/* jobLog */.W.info(`Capturing ${subjectOf(record)} on ${record.plan.interface} for ${(0,quantities/* formatDuration */.a3)(record.plan.duration)}`),
        interrupted: (reason) => log/* jobLog */.W.info(`Connection lost (${reason}); resuming`),
        foreign: (line) => log/* jobLog */.W.info(`${record.where.kind === 'ssh' ? 'The node' : 'The pod'} says: ${line}`),
    };
}
const progressEvery = 10_000;
/** Of the 7.5 s between SIGINT and SIGTERM: what the recorder gets to stop and send the rest. */
const cancelGrace = 5_500;
/** What the last look at a target gets of it. */
const cancelledLook = 1_000;
/** How long the pod keeps the rest for the post step, seconds; other steps' clean-up may come first. */
const holdFor = 600;
/** Records until all captures have ended; what a cancel left in a pod ends as 'held'. */
async function recordAll(connection, running, cancel) {
    const reports = running.map((capture) => progress(capture, running.length > 1));
    let holdTimer;
    const onCancel = () => {
        log/* jobLog */.W.info('Cancelled: stopping the capture');
        for (const capture of running)
            capture.stop('cancelled');
        holdTimer = setTimeout(() => {
            for (const capture of running)
                capture.hold(holdFor);
        }, cancelGrace);
    };
    if (cancel.aborted)
        onCancel();
    else
        cancel.addEventListener('abort', onCancel, { once: true });
    try {
        return await Promise.all(running.map((capture) => watched(connection, capture, cancel)));
    }
    finally {
        cancel.removeEventListener('abort', onCancel);
        clearTimeout(holdTimer);
        for (const timer of reports)
            clearInterval(timer);
    }
}
async function watched(connection, capture, cancel) {
    const watch = watchTarget(connection, capture.record, () => capture.stop('target-gone'));
    const [finished] = await Promise.allSettled([capture.finished]);
    const fate = await watch.end(cancel.aborted ? cancelledLook : undefined);
    if (finished.status === 'rejected')
        throw finished.reason;
    return withFate(finished.value, fate);
}
function progress(capture, named) {
    let before = 0;
    return setInterval(() => {
        const { packets, bytes } = capture.part.scan();
        const rate = (0,quantities/* formatSize */.Xq)(Math.round((bytes - before) / (progressEvery / 1000)));
        before = bytes;
        const name = named ? `${subjectOf(capture.record)}: ` : '';
        log/* jobLog */.W.info(`${name}${packets.toLocaleString('en-US')} packets, ${(0,quantities/* formatSize */.Xq)(bytes)}, ${rate}/s`);
    }, progressEvery);
}
function deliveryOf(request, job, inPost) {
    const { retentionDays, ifIncomplete, ifEmpty } = request;
    return { job, log: log/* jobLog */.W, retentionDays, ifIncomplete, ifEmpty, inPost };
}
/** Saves what post needs, each time before the deed. */
function stateKeeper(records, hints) {
    const staying = new Map();
    const save = (phase, known = []) => {
        const captures = records.map((record) => {
            const one = known.find((capture) => capture.record === record);
            const result = one && 'verdict' in one && one.outcome.end !== 'held' ? one : undefined;
            return { record, imageId: one?.imageId ?? '', stays: staying.get(record), result };
        });
        core/* saveState */.LZ(state/* stateName */.V, { phase, captures, hints });
    };
    return {
        save,
        touching: (record, stays) => {
            staying.set(record, stays);
            save('starting');
        },
    };
}


/***/ })

};
