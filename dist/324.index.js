export const id = 324;
export const ids = [324];
export const modules = {

/***/ 54324:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   Jf: () => (/* binding */ runnerTrafficExpressions),
/* harmony export */   U1: () => (/* binding */ execStream),
/* harmony export */   _y: () => (/* binding */ excludeRunnerTraffic),
/* harmony export */   dI: () => (/* binding */ filterWithoutSsh),
/* harmony export */   hy: () => (/* binding */ noRunnerTraffic),
/* harmony export */   pe: () => (/* binding */ filterForPod)
/* harmony export */ });
/* harmony import */ var _cluster_pod_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(81585);
/* harmony import */ var _common_errors_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(71922);


/** Keywords after which pcap-filter(7) reads behind a header: an expression before them no longer matches the pod's address. */
const headerKeyword = /(?:^|[\s(!])(vlan|mpls|pppoed|pppoes|geneve|vxlan)(?![\w.-])/i;
/**
 * The filter of a capture on a node, narrowed to the addresses of one pod and to the user's filter.
 * @throws ConfigurationError where the pod has no address, or the two filters cannot be combined
 */
function filterForPod(pod, filter, traffic = noRunnerTraffic) {
    const addresses = (0,_cluster_pod_js__WEBPACK_IMPORTED_MODULE_1__/* .addressesOf */ .sO)(pod);
    if (addresses.length === 0) {
        throw new _common_errors_js__WEBPACK_IMPORTED_MODULE_0__/* .ConfigurationError */ .j1({
            code: 'E_POD_NO_ADDRESS',
            input: 'pod',
            problem: `${JSON.stringify(pod.metadata?.name ?? '?')} has no address yet, so its traffic on the node cannot be selected`,
            fix: 'Capture when the pod is ready.',
        });
    }
    const keyword = headerKeyword.exec(filter ?? '')?.[1];
    if (keyword !== undefined) {
        throw new _common_errors_js__WEBPACK_IMPORTED_MODULE_0__/* .ConfigurationError */ .j1({
            code: 'E_FILTER_UNSUPPORTED',
            input: 'filter',
            problem: `${JSON.stringify(keyword)} reads behind a header, and the filter for the pod's address does not, so no packet could match both`,
            fix: 'Name the `node` (with `allow-host-network: true`) in place of the pod, and the address in your filter.',
        });
    }
    const hosts = addresses.map((address) => `host ${address}`).join(' or ');
    return and(and(hosts, excluding(...streamOfPod(pod, addresses, traffic))), filter);
}
/** Of a runner whose connections do not pass the node. */
const noRunnerTraffic = { runner: [], node: [], peers: [], behind: [] };
/** Konnectivity's agents carry the API server's connections to kubelets (konnectivity-client, default of --proxy-server-port). */
const konnectivityPort = 8132;
/**
 * What a node pod leaves out of a capture of the whole node: its own stream, because each packet of it would cause further ones. The stream
 * goes from the API server to the kubelet's port, and from there over the loopback to the container runtime.
 */
function execStream(kubeletPort, traffic) {
    return [
        `tcp port ${kubeletPort}`,
        `tcp port ${konnectivityPort}`,
        'net 127.0.0.0/8',
        'host ::1',
        ...runnerTrafficExpressions(traffic),
    ];
}
/** The filter of a recorder by SSH that captures the whole node: it leaves out the recorder's own connection. */
function filterWithoutSsh({ connection, tunnelRanges }, filter) {
    const [client, , , port = '22'] = connection?.split(' ') ?? [];
    const clients = [...(client === undefined ? [] : [`host ${client}`]), ...tunnelRanges.map((range) => `net ${range}`)];
    return and(`not (tcp port ${port} and (${clients.join(' or ')}))`, filter);
}
/**
 * The runner's own connections, as the node's interfaces have them: from the pod that it is, and from the node's address to a peer. Connections
 * of other clients to the same peers are not included, unless they also have the node's address.
 */
function runnerTrafficExpressions({ runner, node, peers, behind }) {
    const leaving = (to) => node.map((address) => `host ${address} and ${to}`);
    /** A server on the node itself: there the connection has the same addresses from end to end. */
    const isOnNode = (address) => node.includes(address) || /^127\.|^::1$/.test(address);
    return [
        ...runner.map((address) => `tcp and host ${address}`),
        ...peers.flatMap(({ address, port }) => {
            const to = `host ${address} and tcp port ${port}`;
            return isOnNode(address) ? [to] : leaving(to);
        }),
        ...behind.flatMap((port) => leaving(`tcp port ${port}`)),
    ];
}
/** The stream of the capture, where the pod itself carries it: it is Konnectivity's agent, or the runner. */
function streamOfPod({ metadata }, addresses, { runner, peers, behind }) {
    const agent = metadata?.labels?.['k8s-app'] === 'konnectivity-agent' ? [`tcp port ${konnectivityPort}`] : [];
    if (!runner.some((address) => addresses.includes(address)))
        return agent;
    return [
        ...agent,
        ...peers.map(({ address, port }) => `host ${address} and tcp port ${port}`),
        ...behind.map((port) => `tcp port ${port}`),
    ];
}
/** The user's filter, without the packets that match one of `expressions`. */
function excludeRunnerTraffic(expressions, filter) {
    const exclusion = excluding(...expressions);
    return exclusion === undefined ? filter : and(exclusion, filter);
}
/** undefined where there is nothing to exclude */
function excluding(...expressions) {
    if (expressions.length === 0)
        return undefined;
    return expressions.map((expression) => `not (${expression})`).join(' and ');
}
function and(first, second) {
    return second === undefined ? first : `(${first}) and (${second})`;
}


/***/ })

};
