export const id = 828;
export const ids = [828];
export const modules = {

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
