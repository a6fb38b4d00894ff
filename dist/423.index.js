export const id = 423;
export const ids = [423,324];
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


/***/ }),

/***/ 86423:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

// ESM COMPAT FLAG
__webpack_require__.r(__webpack_exports__);

// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  main: () => (/* binding */ main)
});

// EXTERNAL MODULE: ./src/app/failure.ts
var failure = __webpack_require__(57897);
// EXTERNAL MODULE: external "node:crypto"
var external_node_crypto_ = __webpack_require__(77598);
// EXTERNAL MODULE: external "node:fs/promises"
var promises_ = __webpack_require__(51455);
// EXTERNAL MODULE: external "node:path"
var external_node_path_ = __webpack_require__(76760);
// EXTERNAL MODULE: ./src/capture/capture-result.ts + 3 modules
var capture_result = __webpack_require__(30909);
// EXTERNAL MODULE: ./src/common/errors.ts
var common_errors = __webpack_require__(71922);
// EXTERNAL MODULE: ./src/common/quantities.ts
var quantities = __webpack_require__(22660);
// EXTERNAL MODULE: ./src/common/timeouts.ts
var timeouts = __webpack_require__(79005);
// EXTERNAL MODULE: ./src/inputs/request.ts + 7 modules
var inputs_request = __webpack_require__(36031);
// EXTERNAL MODULE: ./src/report/markdown.ts
var markdown = __webpack_require__(54285);
;// CONCATENATED MODULE: ./src/report/preflight.ts

/** The summary of `preflight: only` without a problem. */
function preflightMarkdown(findings, hints, cautions = []) {
    const lines = findings.map((finding) => `- ${(0,markdown/* text */.Qq)(finding)}`);
    const tips = hints.map((hint) => `\n${(0,markdown/* callout */.xl)('TIP', hint)}`);
    const warnings = cautions.map((caution) => `\n${(0,markdown/* callout */.xl)('WARNING', caution)}`);
    return ['## \u2705 Ready to capture', '', ...lines, ...warnings, ...tips, ''].join('\n');
}

// EXTERNAL MODULE: ./src/report/wording.ts
var wording = __webpack_require__(25594);
// EXTERNAL MODULE: ./src/runner/exit.ts
var exit = __webpack_require__(98352);
// EXTERNAL MODULE: ./src/runner/job.ts + 1 modules
var runner_job = __webpack_require__(81002);
// EXTERNAL MODULE: ./src/runner/log.ts
var log = __webpack_require__(47708);
// EXTERNAL MODULE: ./src/runner/step-files.ts
var step_files = __webpack_require__(51252);
// EXTERNAL MODULE: ./src/runner/step-inputs.ts
var step_inputs = __webpack_require__(48782);
// EXTERNAL MODULE: ./src/app/capture-report.ts
var capture_report = __webpack_require__(54920);
// EXTERNAL MODULE: ./src/app/diagnosis-report.ts + 1 modules
var diagnosis_report = __webpack_require__(84377);
// EXTERNAL MODULE: ./src/app/live-diagnosis.ts + 5 modules
var live_diagnosis = __webpack_require__(54206);
// EXTERNAL MODULE: ./src/app/outputs.ts + 1 modules
var outputs = __webpack_require__(96073);
// EXTERNAL MODULE: ./src/app/cleanup.ts
var cleanup = __webpack_require__(33403);
// EXTERNAL MODULE: ./src/app/cluster-access.ts
var cluster_access = __webpack_require__(76896);
// EXTERNAL MODULE: ./src/app/deliver.ts + 17 modules
var deliver = __webpack_require__(64922);
;// CONCATENATED MODULE: ./src/app/preflight/delivery.ts
/** Whether the capture can be delivered as the inputs say. Otherwise the upload would fail after the capture. */
function checkDelivery({ upload }, { artifactProblem }) {
    if (upload === 'none')
        return { findings: ['Upload: none, the file stays on the runner'], problems: [] };
    return { findings: [], problems: artifactProblem === undefined ? [] : [artifactProblem] };
}

// EXTERNAL MODULE: ./src/capture/protection.ts
var protection = __webpack_require__(58283);
// EXTERNAL MODULE: ./src/common/remote-text.ts
var remote_text = __webpack_require__(14551);
// EXTERNAL MODULE: ./src/cluster/pod.ts
var cluster_pod = __webpack_require__(81585);
;// CONCATENATED MODULE: ./src/cluster/pod-state.ts


const maxMessageLength = 200;
function podStateOf(pod) {
    const phase = pod.status?.phase ?? 'Unknown';
    if (phase === 'Succeeded' || phase === 'Failed') {
        const reason = (0,remote_text/* toOneLine */.GX)(pod.status?.reason ?? '', maxMessageLength); // Evicted, DeadlineExceeded
        return { kind: 'ended', why: `has ended (${reason === '' ? phase : `${phase}: ${reason}`})` };
    }
    if (pod.metadata?.deletionTimestamp !== undefined)
        return { kind: 'deleting', why: 'is being deleted' };
    if (phase === 'Running' || (0,cluster_pod/* addressesOf */.sO)(pod).length > 0)
        return { kind: 'capturable' };
    const cause = waitingFor(pod);
    const why = `is not running (${phase}) and has no network yet`;
    return { kind: 'no-network', why: cause === '' ? why : `${why}: ${cause}` };
}
/** Why a pod has no sandbox, as far as its status has it: events would need another right. */
function waitingFor({ spec, status = {} }) {
    const { conditions = [], initContainerStatuses = [], containerStatuses = [] } = status;
    const scheduled = conditions.find(({ type }) => type === 'PodScheduled');
    if (scheduled?.status === 'False') {
        const { reason = 'Unschedulable', message = '' } = scheduled;
        return `it is not scheduled (${(0,remote_text/* toOneLine */.GX)(message === '' ? reason : `${reason}: ${message}`, maxMessageLength)})`;
    }
    if (!spec?.nodeName)
        return 'it is not scheduled';
    const statuses = [...initContainerStatuses, ...containerStatuses];
    const reason = statuses.map(({ state }) => state?.waiting?.reason).find((text) => text !== undefined);
    return (0,remote_text/* toOneLine */.GX)(reason ?? '', maxMessageLength);
}
function isReady(pod) {
    return (pod.status?.conditions ?? []).some(({ type, status }) => type === 'Ready' && status === 'True');
}
/** ms since the epoch; 0 where it is unknown */
function createdAtMs(pod) {
    return Date.parse(pod.metadata?.creationTimestamp ?? '') || 0;
}

;// CONCATENATED MODULE: ./src/cluster/target-problems.ts

/**
 * Everything that prevents a capture of the pod, each with its fix. The architecture of its node is not checked: to get nodes is a
 * cluster-wide right that a capture of a pod needs for nothing else. The default image supports the usual architectures; of another image
 * the kubelet reports the error.
 */
function targetProblems(target, options) {
    const { pod: name, facts } = target;
    const problems = stateProblems(target);
    const refuse = (code, cause, fix) => {
        problems.push({ code, input: 'pod', problem: `${JSON.stringify(name)} ${cause}`, fix });
    };
    if (isWindows(facts)) {
        refuse('E_POD_UNSUPPORTED', 'runs on a Windows node', 'Capture a Linux pod: there is no tcpdump for Windows.');
    }
    if (options.level === 'pod' && isStatic(facts)) {
        refuse('E_POD_UNSUPPORTED', 'is a static pod', 'The kubelet runs it from a file and accepts no ephemeral containers for it. Capture it with `level: node`, or capture the pod that communicates with it.');
    }
    if (facts.spec?.hostNetwork === true && !options.allowHostNetwork) {
        refuse('E_HOST_NETWORK_NOT_ALLOWED', 'uses the network of its node (hostNetwork)', 'Its capture shows the traffic of every pod on the node. To allow that, set `allow-host-network: true`.');
    }
    return problems;
}
function stateProblems({ namespace, pod: name, facts }) {
    const state = podStateOf(facts);
    const refuse = (why, fix) => [
        { code: 'E_POD_NOT_RUNNING', input: 'pod', problem: `${JSON.stringify(name)} ${why}`, fix },
    ];
    switch (state.kind) {
        case 'capturable':
            return [];
        case 'ended':
            return refuse(state.why, 'Name a running pod: the network of this one no longer exists.');
        case 'deleting':
            return refuse(state.why, 'Name another pod, or deployment/NAME for its newest pod.');
        case 'no-network': {
            const fix = `See why with \`kubectl -n ${namespace} describe pod ${name}\`, and capture it once it has an address.`;
            return refuse(state.why, fix);
        }
    }
}
/** Whether a dry run can find more than the facts of the target show. */
function canBeAsked(target, { level }) {
    if (target.kind === 'node')
        return true;
    if (isWindows(target.facts))
        return false;
    return level === 'node' ? isOnNode(target) : !isStatic(target.facts);
}
function isOnNode(target) {
    return target.node !== undefined;
}
function isWindows({ spec }) {
    return spec?.os?.name === 'windows' || spec?.nodeSelector?.['kubernetes.io/os'] === 'windows';
}
function isStatic({ metadata }) {
    return metadata?.annotations?.['kubernetes.io/config.mirror'] !== undefined;
}

// EXTERNAL MODULE: ./src/common/document-url.ts
var document_url = __webpack_require__(28408);
// EXTERNAL MODULE: external "node:child_process"
var external_node_child_process_ = __webpack_require__(31421);
// EXTERNAL MODULE: ./src/common/child-environment.ts
var child_environment = __webpack_require__(25523);
;// CONCATENATED MODULE: ./src/capture/filter/filter.ts



/**
 * Compiles the filter with the runner's tcpdump, where it has one, for the link type that the capture will have. The recorder compiles it again
 * before it records; this check is early and creates nothing.
 * @returns whether the filter could be checked
 * @throws ConfigurationError with tcpdump's message
 */
async function checkFilterHere(filter, networkInterface) {
    if (filter === undefined)
        return false;
    const linkType = linkTypeOf(networkInterface);
    if (linkType === undefined)
        return false;
    const result = await compile(linkType, filter);
    if (result === 'not-run')
        return false;
    if (result === 'accepted')
        return true;
    const { message } = result;
    // A tcpdump without SLL2, or a name that only the cluster's DNS has, means nothing for the filter.
    if (/invalid data link type|unknown host|resolve/i.test(message))
        return false;
    throw new common_errors/* ConfigurationError */.j1({
        code: 'E_FILTER_REJECTED',
        input: 'filter',
        problem: `tcpdump rejects ${JSON.stringify(filter)} for the interface ${networkInterface}`,
        message,
        fix: 'See pcap-filter(7) for the language.',
    });
}
/** Only of interfaces that every Linux pod has: the link type of another interface is known in the pod alone. */
function linkTypeOf(networkInterface) {
    if (networkInterface === 'any')
        return 'LINUX_SLL2';
    return /^(eth\d+|lo)$/.test(networkInterface) ? 'EN10MB' : undefined;
}
function compile(linkType, filter) {
    return new Promise((resolve) => {
        // Found in PATH, as every tool of the runner: no absolute path that another program could have chosen.
        const options = { timeout: 5_000, env: (0,child_environment/* childEnvironment */.Q)(process.env) };
        (0,external_node_child_process_.execFile)('tcpdump', ['-y', linkType, '-d', '--', filter], options, (error, _stdout, stderr) => {
            if (!error)
                resolve('accepted');
            else if (typeof error.code === 'number')
                resolve({ message: oneLine(stderr) });
            else
                resolve('not-run');
        });
    });
}
function oneLine(stderr) {
    return stderr
        .replace(/^tcpdump: /gm, '')
        .trim()
        .replace(/\s*\n\s*/g, '; ');
}
/**
 * In a pod with a sidecar, the app's outgoing requests go to 127.0.0.1:15001 first, so a filter on a service's port misses their plaintext.
 * @returns the wider filter, or undefined where there is no sidecar or the filter misses nothing
 */
function widerFilter(pod, filter) {
    if (!hasSidecar(pod) || filter === undefined || !/\bport(range)?\b/.test(filter) || /\b15001\b/.test(filter))
        return undefined;
    return `(${filter}) or tcp port 15001`;
}
function hasSidecar({ spec }) {
    return [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])].some(({ name, args = [], ports = [] }) => name === 'istio-proxy' ||
        ports.some(({ containerPort }) => containerPort === 15001) ||
        // The arguments of istio-init and istio-cni: -p PORT is where outbound traffic is redirected to.
        args.some((arg, i) => arg === '15001' && args[i - 1] === '-p'));
}

// EXTERNAL MODULE: ./src/capture/plan.ts
var plan = __webpack_require__(50739);
// EXTERNAL MODULE: ./src/capture/recorders/ephemeral-container.ts
var ephemeral_container = __webpack_require__(41119);
// EXTERNAL MODULE: ./src/capture/record.ts + 1 modules
var record = __webpack_require__(35334);
// EXTERNAL MODULE: ./src/cluster/api.ts
var api = __webpack_require__(83074);
// EXTERNAL MODULE: ./src/common/url-path.ts
var url_path = __webpack_require__(16902);
;// CONCATENATED MODULE: ./src/app/preflight/capture-record.ts





/** The record of one capture. @throws ApiError where the API server does not answer */
async function planRecord(context, target, choice) {
    const { request, job, targetCount } = context;
    const { method, filter, spoolLimitBytes = request.spoolLimitBytes, usesRuntimeSeccomp = false } = choice;
    const { interface: interfaceName, snaplen, image, toolboxImage, capabilities } = request;
    const { startTimeoutSeconds, heartbeatTimeoutSeconds, artifactName, limits } = request;
    return (0,record/* recordOf */.zv)(target, {
        captureId: (0,plan/* newCaptureId */.oF)(job.repository),
        method,
        plan: {
            ...{ filter, interface: interfaceName, snaplen, image, toolboxImage, capabilities },
            ...{ ...limits, startTimeoutSeconds, heartbeatTimeoutSeconds, spoolLimitBytes, usesRuntimeSeccomp },
        },
        folder: job.temp,
        fileName: artifactName ?? (0,runner_job/* defaultArtifactName */.V)(target.kind === 'pod' ? target.pod : target.node, job),
        isFileNameShared: artifactName !== undefined && targetCount > 1,
        serverTimeMs: await serverTimeMs(context, target),
    });
}
/** The clock of the API server, ms since the epoch: deadlines are counted by it, because the clocks of runners are not reliable. */
async function serverTimeMs({ cluster, identity }, target) {
    if (identity.clockAheadMs !== undefined)
        return Date.now() + identity.clockAheadMs;
    const path = target.kind === 'node' ? '/version' : (0,url_path/* urlPath */.L) `/api/v1/namespaces/${target.namespace}/pods/${target.pod}`;
    const { serverTime } = await (0,api/* call */.T1)(cluster.connection, 'GET', path);
    return serverTime ?? Date.now();
}

// EXTERNAL MODULE: ./src/cluster/answer.ts
var cluster_answer = __webpack_require__(86794);
;// CONCATENATED MODULE: ./src/app/preflight/check.ts

/** Runs a check. It never rejects: an error becomes problems beside those of the other checks. */
async function runCheck(explain, body) {
    const notes = { findings: [], problems: [], hints: [], cautions: [] };
    try {
        return { ...notes, value: await body(notes) };
    }
    catch (error) {
        notes.problems.push(...explain(error));
        return notes;
    }
}
/** For a check that asks the API server. `what`: what it requests, a noun phrase (`the pod "web-1"`). */
function requesting(connection, what) {
    return (error) => (0,cluster_answer/* problemsOf */.GW)(connection, error, what);
}

;// CONCATENATED MODULE: ./src/app/preflight/admission.ts






/** Whether the cluster allows the capture container in a pod; asked by a dry run, for which the right to patch is needed. */
function checkAdmission(context, target, missing) {
    const { cluster, request } = context;
    const explain = requesting(cluster.connection, `a dry run of the capture container in the pod ${JSON.stringify(target.pod)}`);
    return runCheck(explain, async ({ findings, hints, problems }) => {
        const wider = widerFilter(target.facts, request.filter);
        if (wider !== undefined)
            hints.push(sidecarHint(wider));
        const spoolLimitBytes = (0,plan/* spoolLimitBytesFor */.rz)(target, request.spoolLimitBytes);
        const record = await planRecord(context, target, {
            method: { kind: 'container' },
            filter: request.filter,
            spoolLimitBytes,
            usesRuntimeSeccomp: target.facts.spec?.securityContext?.seccompProfile?.type === 'Localhost',
        });
        if (spoolLimitBytes < request.spoolLimitBytes) {
            const size = (0,quantities/* formatSize */.Xq)(spoolLimitBytes);
            findings.push(`Spool: at most ${size} of the node's disk, because of the pod's ephemeral-storage limits`);
        }
        const objectBytes = Buffer.byteLength(JSON.stringify(target.facts));
        if (objectBytes > maxObjectBytes)
            problems.push(objectFull(target, objectBytes));
        const recorder = (0,ephemeral_container/* ephemeralRecorder */.y)(cluster.connection, record);
        if (!missing.has('patch pods/ephemeralcontainers'))
            findings.push(...(await recorder.check()));
        findings.push('Exec: Kubernetes has no dry run of it; the start of the capture container tests it before anything is recorded');
        return recorder;
    });
}
/**
 * etcd takes requests of 1.5 MiB at most (etcd, DefaultMaxRequestBytes). A pod keeps each ephemeral container, and a pod that is full can no longer
 * get a status from the kubelet, so 64 kB stay free. Counted as JSON, which is longer than what etcd stores.
 */
const maxObjectBytes = 1.5 * 1024 * 1024 - 64_000;
function objectFull({ pod, facts }, objectBytes) {
    const count = facts.spec?.ephemeralContainers?.length ?? 0;
    return {
        code: 'E_POD_OBJECT_FULL',
        input: 'pod',
        problem: `the object of the pod ${JSON.stringify(pod)} has ${(0,quantities/* formatSize */.Xq)(objectBytes)} and ${count} ephemeral containers, ` +
            'which stay in it until the pod is deleted: another one could be more than etcd stores',
        fix: 'Restart the pod (delete it, so that its workload creates a new one), or capture with `level: node`.',
    };
}
function sidecarHint(wider) {
    return ('The pod has a sidecar. The filter does not match the plaintext requests that the app sends to it (to 127.0.0.1:15001). ' +
        `To capture them as well, use the filter \`${wider}\`.`);
}

;// CONCATENATED MODULE: ./src/app/preflight/filter.ts



/** Whether tcpdump compiles the filter, where the runner has tcpdump. The recorder checks it again before it starts. */
function checkFilter({ filter, interface: name }) {
    return runCheck(explain, async ({ findings }) => {
        const isCompiled = await checkFilterHere(filter, name);
        findings.push(`Filter: ${filter ?? 'none'}${isCompiled ? ' (compiles on this runner)' : ''}`);
    });
}
function explain(error) {
    if (error instanceof common_errors/* ConfigurationError */.j1)
        return error.problems;
    const fix = 'This is a defect of the action: please report it.';
    return [{ code: 'E_INTERNAL', input: 'filter', problem: `the check failed: ${(0,common_errors/* messageOf */.bD)(error)}`, fix }];
}

// EXTERNAL MODULE: ./src/cluster/rights.ts + 1 modules
var cluster_rights = __webpack_require__(12597);
;// CONCATENATED MODULE: ./src/app/preflight/identity.ts


/** Whether the API server accepts the credentials, and whose they are. */
function checkIdentity(connection) {
    return runCheck(requesting(connection, 'the identity of the credentials'), async ({ findings }) => {
        const identity = await (0,cluster_rights/* whoAmI */.Wc)(connection);
        if (identity.user !== undefined)
            findings.push(`Identity: ${identity.user}`);
        return identity;
    });
}

// EXTERNAL MODULE: ./src/common/kubernetes-names.ts
var kubernetes_names = __webpack_require__(14684);
;// CONCATENATED MODULE: ./src/app/preflight/namespace.ts

/**
 * The namespace of the target: the input's, the kubeconfig context's, else `default`. The name of the context's namespace becomes a part of URLs
 * and of commands, so it must be valid.
 */
function checkNamespace(connection, { namespace: given, target }) {
    const namespace = given ?? connection.namespace ?? 'default';
    if (target.kind === 'node' || (0,kubernetes_names/* isNamespaceName */.P)(namespace))
        return { findings: [], problems: [], value: namespace };
    const problem = {
        code: 'E_NAMESPACE_INVALID',
        input: connection.input,
        problem: `its context has the namespace ${JSON.stringify(namespace.slice(0, 100))}, which is not a valid name`,
        fix: 'Correct it, or set the input `namespace`.',
    };
    return { findings: [], problems: [problem] };
}

;// CONCATENATED MODULE: ./src/cluster/node.ts




/**
 * `identity`: the user name that the API server reports; `rbacFile`: path in this repository of the file that grants the right.
 * @throws ConfigurationError where there is no such node, or the user may not get it
 */
async function getNode(connection, name, { identity, rbacFile = 'docs/rbac/platform.yaml' } = {}) {
    try {
        return (await (0,api/* call */.T1)(connection, 'GET', (0,url_path/* urlPath */.L) `/api/v1/nodes/${name}`)).body;
    }
    catch (error) {
        if (!(error instanceof api/* ApiError */.hD))
            throw error;
        if (error.status === 404) {
            throw new common_errors/* ConfigurationError */.j1({
                code: 'E_NODE_NOT_FOUND',
                input: 'node',
                problem: `there is no node ${JSON.stringify(name)}`,
                fix: 'List the nodes with `kubectl get nodes`.',
            });
        }
        if (error.status !== 403)
            throw error;
        throw new common_errors/* ConfigurationError */.j1((0,cluster_rights/* nodeRightProblem */.U9)(connection, { identity, message: error.message, rbacFile }));
    }
}
/** @throws ConfigurationError where tcpdump cannot run on it */
function checkNode(node, name) {
    const system = node.status?.nodeInfo?.operatingSystem ?? node.metadata?.labels?.['kubernetes.io/os'];
    if (system === 'windows') {
        throw new common_errors/* ConfigurationError */.j1({
            code: 'E_NODE_UNSUPPORTED',
            input: 'level',
            problem: `the node ${JSON.stringify(name)} runs Windows, which has no tcpdump`,
            fix: 'Capture the other end of the connection.',
        });
    }
}

// EXTERNAL MODULE: ./src/capture/filter/node-filter.ts
var node_filter = __webpack_require__(54324);
// EXTERNAL MODULE: ./src/capture/recorders/node-job.ts + 2 modules
var node_job = __webpack_require__(21849);
// EXTERNAL MODULE: ./src/cluster/connection.ts
var cluster_connection = __webpack_require__(23060);
;// CONCATENATED MODULE: ./src/app/preflight/node-traffic.ts


/** Whether the target has addresses of its own, by which a filter on the node separates its traffic from that of the node and of the capture. */
function hasOwnAddresses(target) {
    return target.kind === 'pod' && target.facts.spec?.hostNetwork !== true;
}
/** The node of a target. @throws ConfigurationError where it may not be read, or has no tcpdump */
async function readNode({ cluster, identity }, { node: name }) {
    const rbacFile = 'docs/rbac/platform.yaml';
    const node = await getNode(cluster.connection, name, { identity: identity.user, rbacFile });
    checkNode(node, name);
    return node;
}
async function apiServerConnection({ connection }) {
    return { server: connection.server, agent: (await (0,cluster_connection/* credentialsOf */.YN)(connection)).agent };
}
function kubeletPort(node) {
    return node?.status?.daemonEndpoints?.kubeletEndpoint?.Port ?? 10250;
}
function quotedFilters(expressions) {
    return expressions.map((expression) => `\`${expression}\``);
}
/** What a reader of the capture must know. `excluded`: what a capture of the whole node does not contain, because it carries the capture itself. */
function nodeHint(target, excluded) {
    if (!hasOwnAddresses(target)) {
        return (`This is the traffic of the whole node ${target.node}, of every pod on it. The traffic of the capture itself is excluded, ` +
            `and with it everything that matches the same expressions: ${excluded.join(', ')}.`);
    }
    return ("Seen from the node: one packet appears on each interface that it passes (the pod's veth, a bridge, the uplink). These are records of one packet, " +
        'not duplicates. Where the network of the cluster encapsulates packets (VXLAN, Geneve, IPIP, WireGuard), the uplink shows the encapsulated packets, ' +
        'which this filter does not match. Traffic inside of the pod (behind a sidecar: the plaintext) is not visible from the node: use `level: pod` for it.');
}

// EXTERNAL MODULE: external "node:dns/promises"
var external_node_dns_promises_ = __webpack_require__(71553);
// EXTERNAL MODULE: external "node:net"
var external_node_net_ = __webpack_require__(77030);
// EXTERNAL MODULE: external "node:os"
var external_node_os_ = __webpack_require__(48161);
// EXTERNAL MODULE: ./src/common/proxy.ts
var proxy = __webpack_require__(51709);
;// CONCATENATED MODULE: ./src/app/preflight/runner-traffic.ts





/** The default port of API servers; the `kubernetes` Service of a cluster has another one. */
const apiServerPort = 6443;
/** The kubelet of a node reports its addresses, and they become a part of the filter. A node usually has two of each family. */
const maxAddressCount = 10;
/**
 * The addresses by which a filter on a node recognises this runner's own connections: those of a pod (a runner in the cluster), or of the node
 * itself. There are none for a runner elsewhere, whose traffic never passes the node.
 * @param node undefined where it may not be read
 * @param runnerAddresses of this machine
 */
async function findRunnerTraffic(connections, node, env, runnerAddresses = localAddresses()) {
    const nodeAddresses = (node?.status?.addresses ?? [])
        .filter(({ type }) => type === 'InternalIP' || type === 'ExternalIP')
        .flatMap(({ address = '' }) => ((0,external_node_net_.isIP)(address) > 0 && !address.includes('%') ? [address] : []))
        .slice(0, maxAddressCount);
    const isOnNode = runnerAddresses.some((address) => nodeAddresses.includes(address));
    const service = env['KUBERNETES_SERVICE_HOST'];
    if (!isOnNode && !service)
        return node_filter/* noRunnerTraffic */.hy;
    const peers = (await Promise.all(connections.map(peersOf))).flat();
    const behind = peers.some(({ address }) => address === service) ? [apiServerPort] : [];
    return { runner: isOnNode ? [] : runnerAddresses, node: nodeAddresses, peers, behind };
}
function localAddresses() {
    return Object.values((0,external_node_os_.networkInterfaces)())
        .flatMap((addresses) => addresses ?? [])
        .filter(({ internal }) => !internal)
        .map(({ address }) => address);
}
/** The addresses that a connection goes to; none where a name is not resolved. */
async function peersOf({ server, agent }) {
    const { hostname, port, protocol } = (0,proxy/* proxyOf */.Ol)(agent) ?? new URL(server);
    const host = hostname.replace(/^\[|\]$/g, '');
    const found = await (0,external_node_dns_promises_.lookup)(host, { all: true }).catch(() => []);
    return found.map(({ address }) => ({
        address,
        port: Number(port || (proxy/* proxyPorts */.l_.get(protocol) ?? (protocol === 'ws:' ? 80 : 443))),
    }));
}

;// CONCATENATED MODULE: ./src/app/preflight/node-pod.ts







/** Whether a pod in the network of the node can be created for the capture. */
function checkNodePod(context, target) {
    const { cluster, request, identity } = context;
    const { connection } = cluster;
    const namespace = request.nodeNamespace;
    const explain = requesting(connection, `a dry run of the node pod in ${JSON.stringify(namespace)}`);
    return runCheck(explain, async ({ findings, problems, hints }) => {
        const missing = await (0,cluster_rights/* missingRights */.o7)(connection, namespace, cluster_rights/* nodePodRights */.Vz);
        if (missing.length > 0) {
            const rbacFile = 'docs/rbac/platform.yaml';
            problems.push((0,cluster_rights/* rightsProblem */.LD)(connection, { identity: identity.user, namespace, missing, rbacFile }));
            return undefined;
        }
        findings.push(`Rights in ${namespace}: all ${cluster_rights/* nodePodRights */.Vz.length} that are needed`);
        const node = hasOwnAddresses(target) ? undefined : await readNode(context, target);
        const traffic = await findRunnerTraffic([await apiServerConnection(cluster)], node, process.env);
        const excluded = (0,node_filter/* execStream */.U1)(kubeletPort(node), traffic);
        const filter = hasOwnAddresses(target)
            ? (0,node_filter/* filterForPod */.pe)(target.facts, request.filter, traffic)
            : (0,node_filter/* excludeRunnerTraffic */._y)(excluded, request.filter);
        const record = await planRecord(context, target, { method: { kind: 'node-pod', namespace }, filter });
        const recorder = (0,node_job/* nodePodRecorder */.U)(connection, record, namespace);
        findings.push(...(await recorder.check()));
        hints.push(nodeHint(target, quotedFilters(excluded)));
        return recorder;
    });
}

;// CONCATENATED MODULE: ./src/app/preflight/node-ssh.ts






/** Whether the runner can capture on the node by SSH; Google's part is loaded only here. */
function checkNodeSsh(context, target) {
    const { cluster, request } = context;
    const explain = requesting(cluster.connection, `the node ${JSON.stringify(target.node)} for SSH`);
    return runCheck(explain, async ({ findings, hints }) => {
        if (cluster.autopilot === true)
            throw autopilotNodes();
        const node = await readNode(context, target);
        const { parseProviderId } = await __webpack_require__.e(/* import() */ 812).then(__webpack_require__.bind(__webpack_require__, 68812));
        const name = parseProviderId(node.spec?.providerID, target.node);
        if (/^gk3-/.test(name.name))
            throw autopilotNodes();
        const { GoogleNodeAccess } = await Promise.all(/* import() */[__webpack_require__.e(977), __webpack_require__.e(299)]).then(__webpack_require__.bind(__webpack_require__, 22299));
        const { NodeSshRecorder } = await __webpack_require__.e(/* import() */ 108).then(__webpack_require__.bind(__webpack_require__, 41108));
        const access = new GoogleNodeAccess(await cluster.google(), process.env);
        const planned = await access.planLoginTo(name);
        const relay = { server: access.relay, agent: (await access.relayProxy())?.agent };
        const traffic = await findRunnerTraffic([relay, await apiServerConnection(cluster)], node, process.env);
        const expressions = (0,node_filter/* runnerTrafficExpressions */.Jf)(traffic);
        const filter = hasOwnAddresses(target)
            ? (0,node_filter/* filterForPod */.pe)(target.facts, request.filter, traffic)
            : (0,node_filter/* excludeRunnerTraffic */._y)(expressions, request.filter);
        const method = { kind: 'ssh', login: planned.saved, whole: !hasOwnAddresses(target) };
        const record = await planRecord(context, target, { method, filter });
        const recorder = new NodeSshRecorder(access, record, { planned });
        findings.push(...(await recorder.check()));
        hints.push(nodeHint(target, ['the SSH connection that carries the capture', ...quotedFilters(expressions)]));
        return recorder;
    });
}
function autopilotNodes() {
    return new common_errors/* ConfigurationError */.j1({
        code: 'E_NODE_AUTOPILOT',
        input: 'node-method',
        problem: 'the nodes of a GKE Autopilot cluster do not allow SSH',
        fix: 'Use `level: pod`.',
    });
}

;// CONCATENATED MODULE: ./src/app/preflight/node-method.ts





/** Chooses how the recorder gets onto the node of a target, as `node-method` says, and checks it. Nothing is created. */
async function checkNodeMethod(context, target) {
    switch (context.request.nodeMethod) {
        case 'ssh':
            return checkNodeSsh(context, target);
        case 'pod':
            return checkNodePod(context, target);
        case 'auto':
            return checkBoth(context, target);
    }
}
/** SSH where the credentials and the cluster allow it, else a node pod, else the problems of both. */
async function checkBoth(context, target) {
    const unsupported = await checkNodeSystem(context, target);
    if (unsupported.problems.length > 0)
        return unsupported;
    const ssh = await checkNodeSsh(context, target);
    if (ssh.value !== undefined)
        return ssh;
    const pod = await checkNodePod(context, target);
    const findings = [...ssh.findings, ...pod.findings];
    if (pod.value !== undefined) {
        const reason = ssh.problems.map(reasonOf).join('; ');
        return { ...pod, findings: [...findings, `Method: a node pod; not SSH, because ${reason}`] };
    }
    return { findings, problems: problemsOfBoth(target.node, ssh.problems, pod.problems) };
}
/** A node that no method can capture on. Without the right to get nodes, each method reports that where it needs it. */
function checkNodeSystem({ cluster }, { node: name }) {
    return runCheck(requesting(cluster.connection, `the node ${JSON.stringify(name)}`), async () => {
        const node = await getNode(cluster.connection, name).catch(() => undefined);
        if (node)
            checkNode(node, name);
        return undefined;
    });
}
/** The cause alone, for the finding that names it; the fix is for those who want the other method. */
function reasonOf(problem) {
    const { input, details = [] } = problem;
    const cause = input === 'node-method' ? (0,common_errors/* describeCause */.V$)(problem) : `${input}: ${(0,common_errors/* describeCause */.V$)(problem)}`;
    return details.length === 0 ? cause : `${cause}: ${details.join(', ')}`;
}
function problemsOfBoth(node, ssh, pod) {
    const isSame = ssh.map(common_errors/* renderProblem */.yM).join('\n') === pod.map(common_errors/* renderProblem */.yM).join('\n');
    if (isSame)
        return ssh;
    const both = {
        code: 'E_NODE_METHOD_UNAVAILABLE',
        input: 'node-method',
        problem: `neither SSH nor a node pod can be used on the node ${JSON.stringify(node)}`,
        fix: 'Fix the problems of one of them, which follow.',
    };
    const named = (method) => (problem) => ({ ...problem, problem: `${method}: ${problem.problem}` });
    return [both, ...ssh.map(named('SSH')), ...pod.map(named('node pod'))];
}

;// CONCATENATED MODULE: ./src/app/cluster-access/rbac-file.ts
/**
 * The file in docs/rbac/ with all the rights of a capture at pod level, for the kind of identity.
 * @param input of the connection: with `cluster` the identity is Google's, even where the API server does not report it
 */
function rbacFile(input, identity) {
    if (input === 'cluster' || /^principal(Set)?:\/\/|\.gserviceaccount\.com$/.test(identity ?? '')) {
        return 'google-service-account.yaml';
    }
    // The subject of GitHub's ID token, after the prefix that the API server is configured to add.
    return /(^|:)repo:[^/]+\/[^:]+:/.test(identity ?? '') ? 'github-oidc.yaml' : 'developer.yaml';
}

;// CONCATENATED MODULE: ./src/app/preflight/rights.ts



/** Whether the user has every right that the capture needs in the namespace of its target. Nodes are in no namespace. */
async function checkRights(connection, { target, level }, namespace, identity) {
    const { kind } = target;
    if (kind === 'node')
        return { findings: [], problems: [] };
    const explain = requesting(connection, `the permissions in the namespace ${JSON.stringify(namespace)}`);
    return runCheck(explain, async ({ findings, problems }) => {
        const rights = (0,cluster_rights/* rightsFor */.xQ)(kind, level);
        const missing = await (0,cluster_rights/* missingRights */.o7)(connection, namespace, rights);
        if (missing.length === 0)
            findings.push(`Rights in ${namespace}: all ${rights.length} that are needed`);
        else {
            const user = (await identity)?.user;
            const file = level === 'pod' ? rbacFile(connection.input, user) : 'platform.yaml';
            const needed = { identity: user, namespace, missing, rbacFile: `docs/rbac/${file}` };
            problems.push((0,cluster_rights/* rightsProblem */.LD)(connection, needed));
        }
        return new Set(missing.map((right) => `${right.verb} ${(0,cluster_rights/* resourceName */.Iy)(right)}`));
    });
}
/** Whether the rights to read the target are there; without them the answer of the API server is known. */
function mayReadTarget({ target }, missing) {
    if (target.kind === 'node')
        return true;
    return !(0,cluster_rights/* rightsFor */.xQ)(target.kind, 'node').some((right) => missing.has(`${right.verb} ${(0,cluster_rights/* resourceName */.Iy)(right)}`));
}

// EXTERNAL MODULE: ./src/capture/recorder-container.ts
var recorder_container = __webpack_require__(22528);
// EXTERNAL MODULE: ./src/capture/scripts/scripts.ts
var scripts = __webpack_require__(69413);
;// CONCATENATED MODULE: ./src/capture/leftovers.ts




/** Names of containers that an earlier run of this repository left running in the target after their deadline. `serverTimeMs`: epoch. */
function findStaleRecorders(target, repository, serverTimeMs) {
    const { spec, status } = target.facts;
    const running = new Set((status?.ephemeralContainerStatuses ?? []).filter(({ state }) => state?.running).map(({ name }) => name));
    return (spec?.ephemeralContainers ?? [])
        .filter((container) => {
        const { name = '' } = container;
        const isFromRepository = name.startsWith((0,plan/* captureIdPrefix */.MN)(repository));
        return isFromRepository && running.has(name) && (0,recorder_container/* deadlineSecondsOf */.tL)(container) * 1000 < serverTimeMs;
    })
        .map(({ name = '' }) => name);
}
/** Asks a recorder to stop, delete its spool and end. @returns the result, in words; never rejects */
async function stopStaleRecorder(connection, target, container) {
    const { namespace, pod } = target;
    try {
        const command = ['sh', '-c', scripts/* stopRecorderScript */.yk, 'sh', ...(0,plan/* spoolDirsOf */.nF)(container)];
        const { openRemoteCommand } = await Promise.all(/* import() */[__webpack_require__.e(977), __webpack_require__.e(662)]).then(__webpack_require__.bind(__webpack_require__, 60662));
        const process = await openRemoteCommand(connection, { namespace, pod, container, command }, { stdout: () => undefined, stderr: () => undefined });
        await process.ended;
        return `Stopped ${container}, which an earlier run left running in pod ${pod}`;
    }
    catch (error) {
        return `${container}, from an earlier run, still runs in pod ${pod} and could not be stopped: ${(0,common_errors/* messageOf */.bD)(error)}`;
    }
}

;// CONCATENATED MODULE: ./src/app/preflight/stale-recorders.ts



/** Ends recorders of earlier runs of this repository that are past their deadline. It is the only check that changes something. */
function endStaleRecorders(context, targets) {
    const { connection } = context.cluster;
    return runCheck(requesting(connection, 'the recorders of earlier runs'), async ({ findings }) => {
        for (const target of targets) {
            if (target.kind === 'node')
                continue;
            const containers = findStaleRecorders(target, context.job.repository, await serverTimeMs(context, target));
            for (const container of containers)
                findings.push(await stopStaleRecorder(connection, target, container));
        }
    });
}

// EXTERNAL MODULE: ./src/cluster/denied.ts
var denied = __webpack_require__(41875);
// EXTERNAL MODULE: ./src/cluster/list.ts
var list = __webpack_require__(32772);
;// CONCATENATED MODULE: ./src/cluster/named-pod.ts






/** A pod by its name. @throws ConfigurationError that names similar pods, or the missing right; ApiError */
async function getPod(connection, namespace, name) {
    const what = `the pod ${JSON.stringify(name)}`;
    try {
        const answer = await (0,api/* call */.T1)(connection, 'GET', (0,url_path/* urlPath */.L) `/api/v1/namespaces/${namespace}/pods/${name}`);
        const pod = (0,cluster_answer/* objectOf */.Xy)(connection, answer, what);
        if (pod.metadata?.name !== name)
            throw (0,cluster_answer/* unexpectedAnswer */.au)(connection, what, 'another object');
        return pod;
    }
    catch (error) {
        if (!(error instanceof api/* ApiError */.hD))
            throw error;
        if (error.status !== 404)
            throw (0,denied/* denied */.w)(error, 'get', 'pods', namespace);
        throw new common_errors/* ConfigurationError */.j1({
            code: 'E_POD_NOT_FOUND',
            input: 'pod',
            problem: `there is no pod ${JSON.stringify(name)} in the namespace ${JSON.stringify(namespace)}`,
            fix: await suggestions(connection, namespace, name),
        });
    }
}
/** The pods of a namespace that match a label selector. @throws ConfigurationError that names the missing right; ApiError */
async function listPods(connection, namespace, labelSelector) {
    try {
        const path = (0,url_path/* urlPath */.L) `/api/v1/namespaces/${namespace}/pods`;
        return await (0,list/* listObjects */.L)(connection, { path, labelSelector, what: 'the pods' });
    }
    catch (error) {
        throw error instanceof api/* ApiError */.hD ? (0,denied/* denied */.w)(error, 'list', 'pods', namespace) : error;
    }
}
async function suggestions(connection, namespace, name) {
    let pods;
    try {
        pods = await listPods(connection, namespace, '');
    }
    catch {
        return `List the pods with \`kubectl -n ${namespace} get pods\`.`;
    }
    const similar = pods
        .map((pod) => pod.metadata?.name ?? '')
        .filter((known) => known.length <= maxNameLength)
        .map((known) => ({ known, distance: editDistance(known, name) - (known.startsWith(name) ? known.length : 0) }))
        .sort((a, b) => a.distance - b.distance)
        .slice(0, 3)
        .map(({ known }) => known);
    return similar.length > 0
        ? `Pods with similar names: ${similar.join(', ')}.`
        : `The namespace has no pods: check that it is the right one, and the right cluster (${connection.description}).`;
}
/** Of a pod. The distance of a longer text, which no API server sends, would take too long. */
const maxNameLength = 253;
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

;// CONCATENATED MODULE: ./src/cluster/deployment.ts










/**
 * The pods of a deployment by revision. A pod belongs to the ReplicaSet whose UID is its controller's, and that to the deployment in the same
 * way: names and labels alone can be equal to those of another workload.
 * @throws ConfigurationError that names the missing right, or where there is no such deployment; ApiError
 */
async function podsOfDeployment(connection, namespace, name) {
    const deployment = await getDeployment(connection, namespace, name);
    const labelSelector = (0,list/* selectorText */.n)(deployment.spec?.selector);
    const [sets, pods] = await Promise.all([
        replicaSetsOf(connection, namespace, { deployment, labelSelector }),
        listPods(connection, namespace, labelSelector),
    ]);
    const { metadata, status } = deployment;
    return {
        revisions: sets === undefined ? revisionsByLabels(pods, name) : revisionsOf(sets, pods),
        isByLabels: sets === undefined,
        isOutdated: (metadata?.generation ?? 0) > (status?.observedGeneration ?? Infinity),
    };
}
async function getDeployment(connection, namespace, name) {
    const path = (0,url_path/* urlPath */.L) `/apis/apps/v1/namespaces/${namespace}/deployments/${name}`;
    try {
        const answer = await (0,api/* call */.T1)(connection, 'GET', path);
        return (0,cluster_answer/* objectOf */.Xy)(connection, answer, `the deployment ${JSON.stringify(name)}`);
    }
    catch (error) {
        if (!(error instanceof api/* ApiError */.hD))
            throw error;
        if (error.status !== 404)
            throw (0,denied/* denied */.w)(error, 'get', 'deployments', namespace);
        throw new common_errors/* ConfigurationError */.j1({
            code: 'E_DEPLOYMENT_NOT_FOUND',
            input: 'pod',
            problem: `there is no deployment ${JSON.stringify(name)} in the namespace ${JSON.stringify(namespace)}`,
            fix: `List the deployments with \`kubectl -n ${namespace} get deployments\`.`,
        });
    }
}
/** undefined where the user may not list ReplicaSets: a capture works without this right. */
async function replicaSetsOf(connection, namespace, { deployment, labelSelector }) {
    const path = (0,url_path/* urlPath */.L) `/apis/apps/v1/namespaces/${namespace}/replicasets`;
    try {
        const sets = await (0,list/* listObjects */.L)(connection, { path, labelSelector, what: 'the ReplicaSets' });
        return sets.filter((set) => isControlledBy(set, deployment.metadata?.uid));
    }
    catch (error) {
        if (error instanceof api/* ApiError */.hD && error.status === 403)
            return undefined;
        throw error;
    }
}
function isControlledBy(object, uid) {
    return uid !== undefined && (0,cluster_pod/* controllerOf */.Oo)(object)?.uid === uid;
}
/** The deployment controller gives the ReplicaSet of the present template the highest revision, also after a rollback. */
function revisionsOf(sets, pods) {
    const numberOf = ({ metadata }) => Number(metadata?.annotations?.['deployment.kubernetes.io/revision']) || 0;
    return [...sets]
        .sort((a, b) => numberOf(b) - numberOf(a))
        .map((set) => ({
        name: `revision ${numberOf(set)}`,
        pods: pods.filter((pod) => isControlledBy(pod, set.metadata?.uid)),
        failure: failureOf(set),
    }))
        .filter(({ pods: own }, i) => i === 0 || own.length > 0);
}
const maxFailureLength = 300;
/** A quota, a webhook or a missing service account: the ReplicaSet says so in this condition, and there are no pods to look at. */
function failureOf({ status }) {
    const failure = status?.conditions?.find((one) => one.type === 'ReplicaFailure' && one.status === 'True');
    return failure && (0,remote_text/* toOneLine */.GX)(`${failure.reason ?? 'ReplicaFailure'}: ${failure.message ?? ''}`, maxFailureLength);
}
/** By what the pods say of themselves. The revision whose first pod is the youngest counts as the newest one. */
function revisionsByLabels(pods, deployment) {
    const groups = new Map();
    for (const pod of pods) {
        const hash = pod.metadata?.labels?.['pod-template-hash'];
        const owner = (0,cluster_pod/* controllerOf */.Oo)(pod);
        if (hash === undefined || owner?.kind !== 'ReplicaSet' || owner.name !== replicaSetName(deployment, hash))
            continue;
        groups.set(hash, [...(groups.get(hash) ?? []), pod]);
    }
    const begin = (group) => Math.min(...group.map(createdAtMs));
    return [...groups]
        .sort(([, a], [, b]) => begin(b) - begin(a))
        .map(([hash, group]) => ({ name: `pod-template-hash ${hash}`, pods: group }));
}
/** Kubernetes allows this length for the name of a ReplicaSet, and cuts the name of the deployment to it (pkg/controller/deployment/sync.go). */
const deployment_maxNameLength = 253;
function replicaSetName(deployment, hash) {
    return `${deployment.slice(0, deployment_maxNameLength - hash.length - 1)}-${hash}`;
}

;// CONCATENATED MODULE: ./src/cluster/pod-choice.ts

/** A pod of the newest revision that has one to capture: a hanging rollout is what a capture of a deployment is about. */
function choosePod(revisions) {
    for (const [i, revision] of revisions.entries()) {
        const pod = preferredOf(revision.pods.filter((one) => podStateOf(one).kind === 'capturable'));
        if (pod)
            return { pod, revision, passedOver: revisions.slice(0, i) };
    }
    return undefined;
}
/** The newest pod that is not ready, which shows why a rollout hangs; else the newest pod. */
function preferredOf(pods) {
    const newest = (list) => [...list].sort((a, b) => createdAtMs(a) - createdAtMs(b) || nameOf(a).localeCompare(nameOf(b))).at(-1);
    return newest(pods.filter((pod) => !isReady(pod))) ?? newest(pods);
}
const maxNamedPodCount = 5;
/** Why none of these pods can be captured, each with its name: a clause. */
function whyNone(revisions) {
    const failures = revisions.flatMap(({ name, failure }) => failure === undefined ? [] : [`${name} cannot create its pods (${failure})`]);
    const pods = revisions.flatMap((revision) => revision.pods);
    const named = pods.slice(0, maxNamedPodCount).flatMap((pod) => {
        const state = podStateOf(pod);
        return state.kind === 'capturable' ? [] : [`${nameOf(pod)} ${state.why}`];
    });
    const more = pods.length > maxNamedPodCount ? [`${pods.length - maxNamedPodCount} more`] : [];
    return [...failures, ...named, ...more].join('; ') || 'it has no pods';
}
function nameOf(pod) {
    return pod.metadata?.name ?? '?';
}

;// CONCATENATED MODULE: ./src/cluster/target.ts







/**
 * Finds the pods that the input `pod` names; today it is always one.
 * @throws ConfigurationError that names similar pods, the missing right, or why no pod of a deployment can be captured; ApiError
 */
async function findTargets(connection, namespace, query) {
    if (query.kind === 'deployment')
        return findDeployment(connection, namespace, query.name);
    const pod = await getPod(connection, namespace, query.name);
    return { targets: [podTarget(connection, namespace, pod)], hints: [], cautions: [] };
}
async function findDeployment(connection, namespace, name) {
    const found = await podsOfDeployment(connection, namespace, name);
    const choice = choosePod(found.revisions);
    if (choice === undefined) {
        throw new common_errors/* ConfigurationError */.j1({
            code: 'E_POD_NOT_RUNNING',
            input: 'pod',
            problem: `no pod of deployment ${JSON.stringify(name)} can be captured: ${whyNone(found.revisions)}`,
            fix: `See why with \`kubectl -n ${namespace} describe deployment ${name}\`.`,
        });
    }
    const hints = found.isByLabels
        ? [
            `The user may not ${cluster_rights/* listReplicaSets */.oA.verb} ${cluster_rights/* listReplicaSets */.oA.resource} in the namespace ${JSON.stringify(namespace)}, so the newest revision of deployment ${JSON.stringify(name)} ` +
                `was found by the labels and the ages of its pods (${choice.revision.name}). docs/rbac/developer.yaml grants the permission.`,
        ]
        : [];
    return {
        targets: [podTarget(connection, namespace, choice.pod)],
        hints,
        cautions: cautionsOf(choice, found, { namespace, name }),
    };
}
function cautionsOf({ pod, revision, passedOver }, { isOutdated }, { namespace, name }) {
    const subject = `deployment ${JSON.stringify(name)}`;
    const old = `No pod of the newest revision of ${subject} can be captured: ${whyNone(passedOver)}. ` +
        `The captured pod ${pod.metadata?.name ?? '?'} is of an older one (${revision.name}). ` +
        `See why with \`kubectl -n ${namespace} describe deployment ${name}\`.`;
    const outdated = `The deployment controller has not processed the latest change of ${subject} yet: ` +
        `the captured pod ${pod.metadata?.name ?? '?'} may be of the revision before it. Wait for the rollout, or capture again.`;
    return [...(passedOver.length > 0 ? [old] : []), ...(isOutdated ? [outdated] : [])];
}
/** @throws ConfigurationError where the name, node or UID is not valid: they become a part of URLs, of file names and of the log */
function podTarget(connection, namespace, facts) {
    const { name = '', uid = '' } = facts.metadata ?? {};
    const node = facts.spec?.nodeName || undefined;
    const isValid = (0,kubernetes_names/* isObjectName */.V)(name) && (node === undefined || (0,kubernetes_names/* isObjectName */.V)(node)) && /^[\w.-]{0,128}$/.test(uid);
    if (!isValid) {
        throw (0,cluster_answer/* unexpectedAnswer */.au)(connection, `the pod ${JSON.stringify(name)}`, 'a pod whose name, node or UID is not valid');
    }
    return { kind: 'pod', namespace, pod: name, uid, node, facts };
}

;// CONCATENATED MODULE: ./src/app/preflight/targets.ts




/** Finds what the inputs name. */
function checkTargets(connection, request, namespace) {
    const { kind, name } = request.target;
    return runCheck(requesting(connection, `the ${kind} ${JSON.stringify(name)}`), async ({ hints, cautions }) => {
        if (kind === 'node') {
            if (!request.allowHostNetwork)
                throw nodeNotAllowed(name);
            return [{ kind: 'node', node: name }];
        }
        const found = await findTargets(connection, namespace, { kind, name });
        hints.push(...found.hints);
        cautions.push(...found.cautions);
        return found.targets;
    });
}
function nodeNotAllowed(name) {
    return new common_errors/* ConfigurationError */.j1({
        code: 'E_HOST_NETWORK_NOT_ALLOWED',
        input: 'node',
        problem: `capturing the whole node ${JSON.stringify(name)} must be allowed explicitly: it shows the traffic of every pod on it`,
        fix: "Set `allow-host-network: true`, or name a `pod` to capture that pod's traffic on its node.",
    });
}
/** What a target is, and whether it can be captured as it is now. */
function checkTargetState(target, request) {
    const node = target.node === undefined ? 'no node yet' : `node ${target.node}`;
    if (target.kind === 'node')
        return { findings: [`Target: ${node}`], problems: [] };
    return {
        findings: [`Target: pod ${target.pod} in ${target.namespace} on ${node}`],
        problems: targetProblems(target, request),
    };
}

;// CONCATENATED MODULE: ./src/app/preflight/preflight.ts













/**
 * Runs every check. None depends on the success of another, unless the answer would be known: its result does not count then. Requests that do
 * not need each other's answer are sent side by side, and their results are reported in a fixed order.
 * @throws ConfigurationError with the problems of all checks
 */
async function preflight(cluster, request, job, log) {
    const { connection } = cluster;
    const results = new Results(log);
    // A warning of the connection is about what protects it less than usual.
    results.add({ findings: [`Cluster: ${connection.description}`], problems: [], cautions: connection.warnings ?? [] });
    const inNamespace = checkNamespace(connection, request);
    const requests = sendRequests(connection, request, inNamespace.value);
    const filter = checkFilter(request);
    const identity = results.add(await requests.identity);
    const namespace = results.add(inNamespace);
    // Without accepted credentials, or without a namespace, every other request has the same answer.
    const isOpen = identity !== undefined && namespace !== undefined;
    const rights = isOpen ? results.add(await requests.rights) : undefined;
    const missing = rights ?? new Set();
    results.add(await filter);
    results.add(checkDelivery(request, job));
    if (isOpen && mayReadTarget(request, missing)) {
        const targets = results.add(await requests.targets) ?? [];
        const context = { cluster, request, job, identity, targetCount: targets.length };
        for (const target of targets)
            await checkTarget(results, context, target, missing);
        // Only where the capture will run: ending a recorder is a change.
        if (request.preflight === 'on' && request.level === 'pod' && results.problems.length === 0) {
            results.add(await endStaleRecorders(context, targets));
        }
    }
    if (results.problems.length > 0) {
        throw new common_errors/* ConfigurationError */.j1(results.problems, { stage: 'preflight', leftovers: [], cautions: results.cautions });
    }
    const prepared = results.prepared();
    for (const hint of new Set(prepared.captures.flatMap(({ hints }) => hints)))
        log.info(`Hint: ${hint}`);
    return prepared;
}
const notAsked = Promise.resolve({ findings: [], problems: [] });
/** The checks that ask the API server and need nothing of another check. They never reject. */
function sendRequests(connection, request, namespace) {
    const identity = checkIdentity(connection);
    if (namespace === undefined)
        return { identity, rights: notAsked, targets: notAsked };
    const accepted = identity.then(({ value }) => value);
    return {
        identity,
        rights: checkRights(connection, request, namespace, accepted),
        targets: checkTargets(connection, request, namespace),
    };
}
async function checkTarget(results, context, target, missing) {
    const { request } = context;
    results.add(checkTargetState(target, request));
    if (!canBeAsked(target, request))
        return;
    if (request.level === 'node') {
        if (isOnNode(target))
            results.addCapture(await checkNodeMethod(context, target));
    }
    else if (target.kind === 'pod') {
        results.addCapture(await checkAdmission(context, target, missing));
    }
}
/** Collects the results of the checks, and logs each finding as it comes. */
class Results {
    problems = [];
    #findings = [];
    /** of checks that are not about one capture: they hold for each */
    #hints = [];
    cautions = [];
    #captures = [];
    #log;
    /** a problem or caution of several targets is reported once */
    #texts = new Set();
    constructor(log) {
        this.#log = log;
    }
    add({ findings, problems, hints = [], cautions = [], value }) {
        this.#hints.push(...hints);
        this.cautions.push(...cautions);
        for (const caution of cautions)
            this.#warn(caution);
        for (const finding of findings) {
            this.#findings.push(finding);
            this.#log.info(finding);
        }
        for (const problem of problems) {
            const text = (0,common_errors/* renderProblem */.yM)(problem);
            if (!this.#texts.has(text))
                this.problems.push(problem);
            this.#texts.add(text);
        }
        return value;
    }
    addCapture(result) {
        const { hints = [], cautions = [] } = result;
        const recorder = this.add({ ...result, hints: [], cautions: [] });
        if (recorder === undefined)
            return;
        this.#captures.push({ recorder, hints, cautions });
        for (const one of cautions)
            this.#warn(one);
        const why = (0,protection/* unprotectedFrom */.I)(recorder.record);
        if (why === undefined)
            return;
        const caution = `Caution: ${why}, ${protection/* unprotectedEnd */.v}. See ${(0,document_url/* documentUrl */.L)('docs/security.md#who-must-be-trusted-for-what')}`;
        this.#findings.push(caution);
        this.#warn(caution);
    }
    /** A caution of several targets is reported once. */
    #warn(caution) {
        if (!this.#texts.has(caution))
            this.#log.warning(caution);
        this.#texts.add(caution);
    }
    prepared() {
        const captures = this.#captures.map(({ recorder, hints, cautions }) => ({
            recorder,
            hints: [...this.#hints, ...hints],
            cautions: [...this.cautions, ...cautions],
        }));
        return { captures, findings: this.#findings };
    }
}

// EXTERNAL MODULE: ./src/capture/capture.ts + 4 modules
var capture_capture = __webpack_require__(51685);
// EXTERNAL MODULE: ./src/capture/recorders/methods.ts + 2 modules
var methods = __webpack_require__(9588);
// EXTERNAL MODULE: ./src/capture/target-watch.ts
var target_watch = __webpack_require__(61735);
// EXTERNAL MODULE: ./src/app/capture-events.ts
var capture_events = __webpack_require__(22307);
// EXTERNAL MODULE: ./src/capture/recorders/start-failure.ts
var start_failure = __webpack_require__(3669);
;// CONCATENATED MODULE: ./src/app/capture-failures.ts




function capture_failures_failureOf(record, error, leftovers) {
    return {
        subject: (0,methods/* subjectOf */.e)(record),
        error,
        problems: error instanceof common_errors/* ConfigurationError */.j1 ? error.problems : [(0,failure/* internalProblem */.R3)(error)],
        leftovers: leftovers.length === 0 && !(error instanceof start_failure/* NothingCreated */.SL) ? undefined : leftovers,
    };
}
/** Fails the step for one of several captures; the others go on. */
function logFailure({ subject, error, problems, leftovers }, log) {
    log.failure(`The capture of ${subject} failed: ${(0,common_errors/* renderFailure */.zt)(problems, { leftovers })}`);
    (0,failure/* logStack */.fk)(error, log);
}
/** One error for a run in which every capture failed, with the problems of all. The stacks of unexpected errors are in the log. */
function joinFailures(failures, log) {
    const [first] = failures;
    if (failures.length === 1 && !(first?.error instanceof common_errors/* ConfigurationError */.j1))
        return first?.error;
    for (const { error } of failures)
        (0,failure/* logStack */.fk)(error, log);
    const problems = new Map(failures.flatMap((failure) => failure.problems).map((one) => [(0,common_errors/* renderProblem */.yM)(one), one]));
    const known = failures.flatMap(({ leftovers }) => (leftovers === undefined ? [] : [leftovers]));
    const leftovers = known.length === 0 ? undefined : known.flat();
    // "Nothing was created" is true only where it is true of each capture.
    const isPartial = leftovers?.length === 0 && known.length < failures.length;
    return new common_errors/* ConfigurationError */.j1([...problems.values()], {
        leftovers: isPartial ? undefined : leftovers,
        cause: first?.error,
    });
}

;// CONCATENATED MODULE: ./src/app/session.ts










const progressIntervalMs = 10_000;
/** Of the 7.5 s between SIGINT and SIGTERM: the time for the recorder to stop and to send the rest. */
const cancelGraceMs = 5_500;
/** The time for the last check of a target, of the same. */
const cancelledCheckMs = 1_000;
/** How long the recorder keeps the rest for the post step; the clean-up of other steps may come first. */
const holdSeconds = 600;
/**
 * The captures of one run, from the start of the recorders to their results. A capture that does not start, or that ends before it recorded
 * anything, does not end the others.
 */
class Session {
    #context;
    #running = [];
    #failures = [];
    /** by the id of the capture */
    /** loaded once, while the first recorder starts */
    #engine;
    #diagnoses = new Map();
    constructor(context) {
        this.#context = context;
    }
    /** The captures that recorded nothing, beside others that did. */
    get failures() {
        return this.#failures;
    }
    /** Starts every recorder. @throws the error of the only one, or of all, where none runs; Cancelled */
    async start() {
        const { captures, cancel } = this.#context;
        const stop = () => {
            for (const capture of this.#running)
                capture.stop('cancelled');
        };
        cancel.addEventListener('abort', stop, { once: true });
        const outcomes = await Promise.allSettled(captures.map(({ recorder }) => this.#startOne(recorder)));
        cancel.removeEventListener('abort', stop);
        // Starts end in any order; results are reported in the order of the targets.
        const order = captures.map(({ recorder }) => recorder.record.captureId);
        this.#running.sort((a, b) => order.indexOf(a.record.captureId) - order.indexOf(b.record.captureId));
        await this.#settle(captures.map(({ recorder }) => recorder), outcomes);
    }
    /**
     * Records until every capture has ended; what a cancel leaves in a pod ends as 'held'.
     * @throws the error of the only capture, or of all, where none recorded anything
     */
    async record() {
        const { cancel } = this.#context;
        let holdTimer;
        const onCancel = () => {
            this.#context.log.info('Cancelled: stopping the capture');
            for (const capture of this.#running)
                capture.stop('cancelled');
            holdTimer = setTimeout(() => {
                for (const capture of this.#running)
                    capture.hold(holdSeconds);
            }, cancelGraceMs);
        };
        const progress = this.#running.map((capture) => this.#reportProgress(capture));
        if (cancel.aborted)
            onCancel();
        else
            cancel.addEventListener('abort', onCancel, { once: true });
        const outcomes = await Promise.allSettled(this.#running.map((capture) => this.#finish(capture)));
        cancel.removeEventListener('abort', onCancel);
        clearTimeout(holdTimer);
        for (const timer of progress)
            clearInterval(timer);
        await this.#settle(this.#running.map(({ record }) => this.recorderOf(record.captureId)), outcomes);
        return outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    }
    /** What the packets of a capture show, after its end. */
    async diagnose(result) {
        const { captureId } = result.record;
        const live = this.#diagnoses.get(captureId);
        if (live === undefined)
            throw new TypeError(`${captureId} was not started by this run`);
        this.#diagnoses.delete(captureId); // its memory is needed for the upload
        return live.diagnose(result, await this.#loadedEngine());
    }
    recorderOf(captureId) {
        const planned = this.#context.captures.find(({ recorder }) => recorder.record.captureId === captureId);
        if (planned === undefined)
            throw new TypeError(`${captureId} is not a capture of this run`);
        return planned.recorder;
    }
    async #startOne(recorder) {
        const { state, cancel, log } = this.#context;
        const { record } = recorder;
        const events = {
            ...(0,capture_events/* logEvents */.E)(record, log),
            onTouchingNode: (leftover) => state.touching(record, leftover),
        };
        const diagnosis = new live_diagnosis/* LiveDiagnosis */.q8();
        this.#diagnoses.set(record.captureId, diagnosis);
        const part = await (0,capture_capture/* openPart */.Qj)(record, [diagnosis]);
        try {
            const starting = recorder.start(events, cancel);
            const [imageId, engine] = await Promise.all([starting, this.#loadedEngine()]);
            diagnosis.begin(engine, record);
            log.info((0,methods/* methodOf */.N)(record).describeStart(imageId));
            const capture = (0,capture_capture/* followCapture */.Y_)(recorder, part, { imageId, events });
            state.started(capture);
            this.#running.push(capture);
            if (cancel.aborted)
                capture.stop('cancelled');
        }
        catch (error) {
            await part.discard();
            throw error;
        }
    }
    #loadedEngine() {
        this.#engine ??= this.#context.loadEngine();
        return this.#engine;
    }
    async #finish(capture) {
        const { connection, cancel } = this.#context;
        const watch = (0,target_watch/* watchTarget */.NI)(connection, capture.record, () => capture.stop('target-gone'));
        const [finished] = await Promise.allSettled([capture.finished]);
        const withinMs = cancel.aborted ? cancelledCheckMs : undefined;
        const targetCheck = await watch.end(withinMs);
        if (finished.status === 'rejected')
            throw finished.reason;
        return (0,capture_result/* applyTargetEnd */.z0)(() => Promise.resolve(connection), (0,capture_result/* applyTargetCheck */.qV)(finished.value, targetCheck), withinMs);
    }
    /** Abandons the recorders that failed. Where others go on, each failure is reported; where none does, it is thrown. */
    async #settle(recorders, outcomes) {
        const errors = outcomes.flatMap((outcome, i) => {
            const recorder = recorders[i];
            return outcome.status === 'rejected' && recorder ? [{ recorder, error: outcome.reason }] : [];
        });
        // A cancel leaves no time to remove anything: post does.
        const failed = errors.filter(({ error }) => !(error instanceof common_errors/* Cancelled */.cJ));
        const failures = await Promise.all(failed.map(({ recorder, error }) => this.#abandon(recorder, error)));
        const cancelled = errors.find(({ error }) => error instanceof common_errors/* Cancelled */.cJ);
        const isNoneLeft = errors.length === outcomes.length;
        if (isNoneLeft && cancelled === undefined)
            throw joinFailures([...this.#failures, ...failures], this.#context.log);
        for (const failure of failures)
            logFailure(failure, this.#context.log);
        this.#failures.push(...failures);
        if (isNoneLeft && cancelled !== undefined)
            throw cancelled.error;
    }
    async #abandon(recorder, error) {
        const { leftovers, unfinished } = await (0,cleanup/* withinTime */.dn)(recorder.abandonStart(error), recorder.record);
        if (!unfinished)
            this.#context.state.forget(recorder.record);
        return capture_failures_failureOf(recorder.record, error, leftovers);
    }
    #reportProgress({ part, record }) {
        let bytesBefore = 0;
        return setInterval(() => {
            const { packets, bytes } = part.scan();
            const rate = (0,quantities/* formatSize */.Xq)(Math.round((bytes - bytesBefore) / (progressIntervalMs / 1000)));
            bytesBefore = bytes;
            const name = this.#running.length > 1 ? `${(0,methods/* subjectOf */.e)(record)}: ` : '';
            this.#context.log.info(`${name}${packets.toLocaleString('en-US')} packets, ${(0,quantities/* formatSize */.Xq)(bytes)}, ${rate}/s`);
        }, progressIntervalMs);
    }
}

// EXTERNAL MODULE: ./src/app/state.ts
var app_state = __webpack_require__(24166);
;// CONCATENATED MODULE: ./src/app/run.ts


























/**
 * Runs main, from the inputs to the artifact. A cancel stops it where it is and leaves the rest to post.
 * @returns the code of what failed the step; undefined where it succeeds
 * @throws ConfigurationError, Cancelled
 */
async function run(cancel) {
    const request = (0,inputs_request/* readRequest */.i)(step_inputs/* readInput */.R);
    const job = (0,runner_job/* readJob */.c)(process.env);
    const { connection, captures, findings } = await unlessCancelled(cancel, 'The run was cancelled before the capture started. No resources were created.', () => log/* jobLog */.W.group('Preflight', () => prepare(request, job)));
    if (request.preflight === 'only') {
        await (0,step_files/* writeSummary */.Sy)(preflightMarkdown(findings, unique(captures, 'hints'), unique(captures, 'cautions')));
        log/* jobLog */.W.info('preflight: only, so nothing is captured');
        return undefined;
    }
    const room = await reserveRoom(job.temp, captures.length);
    const state = new app_state/* StateKeeper */.oN(job.temp, captures);
    const session = new Session({ connection, captures, loadEngine: live_diagnosis/* loadAnalysis */.lN, state, cancel, log: log/* jobLog */.W });
    const results = await recordAll(session, state, room);
    return finish(results, session, { request, job, connection, captures, state, cancel });
}
function unique(captures, remarks) {
    return [...new Set(captures.flatMap((capture) => capture[remarks]))];
}
async function prepare(request, job) {
    const { access } = request;
    if (access.kind === 'kubeconfig' && access.source.kind === 'content' && access.source.wasBase64) {
        log/* jobLog */.W.info('The input kubeconfig is base64: it was decoded');
    }
    const cluster = await (0,cluster_access/* openCluster */.D)(access, process.env).catch((error) => {
        // To authenticate is the first check of preflight.
        if (!(error instanceof common_errors/* ConfigurationError */.j1))
            throw error;
        const problems = [...error.problems, ...checkDelivery(request, job).problems];
        throw new common_errors/* ConfigurationError */.j1(problems, { stage: 'preflight', leftovers: [], cause: error });
    });
    const { captures, findings } = await preflight(cluster, request, job, log/* jobLog */.W);
    return { captures, findings, connection: cluster.connection };
}
async function recordAll(session, state, room) {
    try {
        await log/* jobLog */.W.group('Start', () => session.start());
        state.enter('recording');
        return await session.record();
    }
    catch (error) {
        await room.release();
        if (!(error instanceof common_errors/* Cancelled */.cJ) && state.captureCount === 0)
            state.enter('done');
        throw error;
    }
    finally {
        await room.release();
    }
}
/** Names, cleans up and delivers what was recorded. */
async function finish(results, session, { request, job, connection, captures, state, cancel }) {
    const { failures } = session;
    const problems = failures.flatMap((failure) => failure.problems);
    const remarksOf = ({ record }) => captures.find(({ recorder }) => recorder.record === record) ?? { hints: [] };
    const whole = results.filter(({ outcome }) => outcome.end !== 'held');
    for (const result of whole)
        state.captured(result);
    state.enter('captured');
    for (const result of whole)
        await (0,capture_result/* nameFile */.iC)(result);
    if (cancel.aborted) {
        const diagnosed = whole.map(async (result) => (0,capture_report/* reportOf */.E)(result, remarksOf(result), await (0,diagnosis_report/* nameDiagnosis */.T)(await session.diagnose(result), result, undefined)));
        (0,outputs/* setOutputs */.n)(await Promise.all(diagnosed));
        log/* jobLog */.W.info('Cancelled: the post step delivers what was captured');
        return undefined;
    }
    const concluded = await Promise.all(results.map(async (result) => {
        const [cleaned, outcome] = await Promise.all([
            (0,cleanup/* cleanUpAfter */.Tg)(result, session.recorderOf(result.record.captureId), log/* jobLog */.W),
            session.diagnose(result),
        ]);
        const named = await (0,diagnosis_report/* nameDiagnosis */.T)(outcome, result, connection);
        return { cleaned, report: (0,capture_report/* reportOf */.E)(cleaned, remarksOf(result), await (0,diagnosis_report/* writeFindings */.Q)(named, result, log/* jobLog */.W)) };
    }));
    for (const { report } of concluded)
        log/* jobLog */.W.info(recordedText(report));
    const reports = concluded.map(({ report }) => report);
    const delivery = { ...request, job, log: log/* jobLog */.W, isPost: false };
    const delivered = await (0,deliver/* deliver */.c)({ reports, failures: problems }, delivery, cancel);
    if (delivered === undefined) {
        (0,outputs/* setOutputs */.n)(reports);
        log/* jobLog */.W.info('Cancelled during the upload: the post step delivers the capture');
        (0,exit/* exitWithin */.yb)(100); // an upload that ends after this would be a second artifact
        return undefined;
    }
    for (const { cleaned } of concluded) {
        if (cleaned.cleanup?.unfinished)
            state.captured(cleaned);
        else
            state.forget(cleaned.record);
    }
    state.enter(state.captureCount > 0 ? 'delivered' : 'done');
    return problems[0]?.code ?? delivered.errorCode;
}
function recordedText(report) {
    const amount = `${(0,wording/* formatCount */.B4)(report.packets)} packets, ${(0,quantities/* formatSize */.Xq)(report.bytes)}`;
    return `Recorded ${(0,wording/* subjectText */.yq)(report)}: ${amount}, stopped: ${(0,wording/* stopText */.IC)(report)}`;
}
/** Reserves room for the state and for the runner's files, on a disk that the capture itself may fill. */
async function reserveRoom(folder, captureCount) {
    const path = (0,external_node_path_.join)(folder, `${(0,external_node_crypto_.randomUUID)()}.room`);
    await (0,promises_.mkdir)(folder, { recursive: true });
    await (0,promises_.writeFile)(path, Buffer.alloc(65_536 + captureCount * maxStateBytes)).catch(() => undefined);
    return { release: () => (0,promises_.rm)(path, { force: true }) };
}
/** Of one capture: its plan, and a result with the interfaces of a node (800 at most) and a few bounded texts. */
const maxStateBytes = 131_072;
/** A cancel does not wait for a call that hangs: the grace is short, and preflight creates nothing in the cluster. */
async function unlessCancelled(cancel, message, body) {
    const cancelled = (0,timeouts/* whenAborted */.eG)(cancel).then(() => {
        throw new common_errors/* Cancelled */.cJ(message);
    });
    return Promise.race([body(), cancelled]);
}

// EXTERNAL MODULE: ./src/runner/cancel.ts
var runner_cancel = __webpack_require__(74990);
;// CONCATENATED MODULE: ./src/main.ts







/** The main step of the action: captures, unless something is wrong. Its exit code is 0 only once its result is reported. */
async function main() {
    const reported = (0,exit/* failUnlessReported */.ag)();
    const cancel = (0,runner_cancel/* cancelSignal */.B)();
    (0,exit/* exitOnUncaught */.Zb)((error) => {
        log/* jobLog */.W.failure((0,remote_text/* toOneLine */.GX)((0,common_errors/* messageOf */.bD)(error)));
        (0,failure/* logStack */.fk)(error, log/* jobLog */.W);
        (0,failure/* setErrorCode */.QA)('E_INTERNAL', log/* jobLog */.W);
    }, 1);
    let errorCode = 'E_RESULT_NOT_REPORTED';
    try {
        errorCode = await run(cancel.signal);
        if (errorCode !== undefined)
            (0,failure/* logErrorCode */.y2)(errorCode, log/* jobLog */.W);
    }
    catch (error) {
        errorCode = await (0,failure/* reportFailure */.xV)(error, log/* jobLog */.W);
    }
    finally {
        (0,failure/* setErrorCode */.QA)(errorCode, log/* jobLog */.W);
        cancel.dispose();
        (0,exit/* exitWithin */.yb)();
    }
    reported();
}


/***/ })

};
