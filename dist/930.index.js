export const id = 930;
export const ids = [930];
export const modules = {

/***/ 94930:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {


// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  findCluster: () => (/* binding */ findCluster)
});

// UNUSED EXPORTS: endpointChoices

// EXTERNAL MODULE: ./src/errors.ts
var errors = __webpack_require__(83916);
;// CONCATENATED MODULE: ./src/google/cluster-name.ts

/**
 * The name that the inputs say, before anything is contacted.
 * @throws ConfigurationError where they do not make one
 */
function parseClusterName(reference, defaultProject) {
    const text = reference.cluster.trim();
    if (text.includes('/')) {
        const [, project, location, name] = /^(?:(?:https?:)?\/\/container\.[^/]+\/(?:v1\/)?)?projects\/([a-z0-9.:-]+)\/(?:locations|zones|regions)\/([a-z0-9-]+)\/clusters\/([a-z0-9-]+)$/.exec(text) ?? [];
        if (project === undefined || location === undefined || name === undefined) {
            throw new errors/* ConfigurationError */.j1(`cluster: got ${JSON.stringify(text.slice(0, 200))}, takes projects/PROJECT/locations/LOCATION/clusters/NAME, or a name together with location and project-id`);
        }
        return { project, location, name };
    }
    const project = reference.project || defaultProject;
    const problems = [
        /^[a-z0-9-]+$/.test(text) ? '' : `cluster: got ${JSON.stringify(text.slice(0, 200))}, takes the name of a cluster`,
        wordProblem('location', reference.location, 'the region or zone of the cluster, such as europe-west1'),
        wordProblem('project-id', project, 'the id of the project of the cluster'),
    ].filter((problem) => problem !== '');
    if (problems.length > 0) {
        throw new errors/* ConfigurationError */.j1(`${problems.join('\n')}\nOr give cluster its full name: projects/PROJECT/locations/LOCATION/clusters/NAME.`);
    }
    return { project: project ?? '', location: reference.location ?? '', name: text };
}
function wordProblem(input, value, takes) {
    return value && /^[a-z0-9.:-]+$/.test(value)
        ? ''
        : `${input}: got ${value ? JSON.stringify(value) : 'nothing'}, takes ${takes}`;
}
/** `projects/PROJECT/locations/LOCATION/clusters/NAME` */
function fullName({ project, location, name }) {
    return `projects/${project}/locations/${location}/clusters/${name}`;
}

// EXTERNAL MODULE: ./src/google/transport.ts
var google_transport = __webpack_require__(44750);
;// CONCATENATED MODULE: ./src/google/explained.ts


/** What to say of a read that failed: `what` begins it, `fix` is for a refusal; the rest has causes of its own. */
function explained(error, what, fix) {
    if (error instanceof errors/* ConfigurationError */.j1)
        return error;
    const failure = (0,google_transport/* failureOf */.g5)(error);
    if (!failure)
        return new errors/* ConfigurationError */.j1(`${what}: ${(0,errors/* messageOf */.bD)(error)}`);
    const outage = (0,google_transport/* outageOf */.nu)(failure);
    if (outage !== undefined)
        return new errors/* ConfigurationError */.j1(`${what}: ${outage}`);
    if (failure.status === 401) {
        return new errors/* ConfigurationError */.j1(`${what}: Google does not take the token (${(0,google_transport/* describeFailure */.Ic)(failure)}). Is it of another universe, or has the identity been deleted?`);
    }
    return new errors/* ConfigurationError */.j1(`${what} (${(0,google_transport/* describeFailure */.Ic)(failure)}). ${fix}`);
}

;// CONCATENATED MODULE: ./src/google/connect-gateway.ts



/**
 * The address of a cluster's API server at Connect Gateway, which takes the fleet's project by number, and the membership where it was registered.
 * @throws ConfigurationError
 */
async function gatewayOf(cluster, name, endpoints, get) {
    const projects = [name.project, /\/projects\/([^/]+)\//.exec(cluster.selfLink ?? '')?.[1]].filter((project) => project !== undefined);
    const membership = parseMembership(cluster.fleet?.membership) ??
        (await searchMembership(name, projects, cluster.fleet?.project, endpoints, get));
    if (!membership) {
        throw new errors/* ConfigurationError */.j1(`endpoint: connect-gateway, but ${fullName(name)} is in no fleet. ` +
            `Register it: \`gcloud container clusters update ${name.name} --location ${name.location} --project ${name.project} --enable-fleet\`.`);
    }
    const number = [membership.project, ...(projects.includes(membership.project) ? projects : [])].find(isNumber) ??
        (await projectNumber(membership.project, name, projects.includes(membership.project), endpoints, get));
    const region = membership.location === 'global' ? undefined : membership.location;
    const path = `v1/projects/${number}/locations/${membership.location}/gkeMemberships/${membership.name}`;
    return {
        server: endpoints.url('connectgateway', path, region),
        hint: `through Connect Gateway the identity needs roles/gkehub.gatewayAdmin in the project ${membership.project} ` +
            '(exec takes gkehub.gateway.stream, which gatewayReader and gatewayEditor do not hold) and roles/gkehub.viewer, ' +
            'and rights by Kubernetes RBAC; a fleet host project has 10 streams at a time',
    };
}
function parseMembership(text) {
    const [, project, location, name] = /projects\/([^/]+)\/locations\/([^/]+)\/memberships\/([^/]+)$/.exec(text ?? '') ?? [];
    return project && location && name ? { project, location, name } : undefined;
}
/** A cluster that was registered by the fleet's own API does not know it: the fleet does, in whichever location. */
async function searchMembership(name, projects, fleet, endpoints, get) {
    const project = fleet ?? name.project;
    const wanted = projects.map((project) => `/${fullName({ ...name, project })}`);
    let page = '';
    for (let pages = 0; pages < 50; pages++) {
        const url = endpoints.url('gkehub', `v1/projects/${project}/locations/-/memberships?pageSize=500${page}`);
        const answer = (await get(url).catch((error) => {
            throw explained(error, `endpoint: the fleet memberships of the project ${project} cannot be read, which connect-gateway needs`, 'Grant the identity roles/gkehub.viewer there, and turn the API on: `gcloud services enable gkehub.googleapis.com connectgateway.googleapis.com`.');
        }));
        const found = answer.resources?.find(({ endpoint }) => {
            const link = `/${endpoint?.gkeCluster?.resourceLink?.replace(/\/(zones|regions)\//, '/locations/') ?? ''}`;
            return wanted.some((one) => link.endsWith(one));
        });
        if (found)
            return parseMembership(found.name);
        if (!answer.nextPageToken)
            return undefined;
        page = `&pageToken=${encodeURIComponent(answer.nextPageToken)}`;
    }
    return undefined;
}
function isNumber(project) {
    return /^\d+$/.test(project);
}
/** @param own it is the project of the cluster, whose number the full name may say */
async function projectNumber(project, name, own, endpoints, get) {
    const answer = (await get(endpoints.url('cloudresourcemanager', `v1/projects/${project}`)).catch((error) => {
        const other = own
            ? `; or say the number in place of the id: cluster: ${fullName({ ...name, project: 'NUMBER' })} (\`gcloud projects describe ${project} --format='value(projectNumber)'\`)`
            : '';
        throw explained(error, `endpoint: the number of the project ${project} cannot be read, which connect-gateway needs`, `Grant the identity resourcemanager.projects.get there (roles/browser), and turn the API on: \`gcloud services enable cloudresourcemanager.googleapis.com\`${other}.`);
    }));
    return answer.projectNumber ?? project;
}

// EXTERNAL MODULE: ./src/google/endpoints.ts
var google_endpoints = __webpack_require__(28157);
;// CONCATENATED MODULE: ./src/google/cluster.ts






const endpointChoices = (/* unused pure expression or super */ null && (['auto', 'dns', 'ip', 'private', 'connect-gateway']));
/**
 * Asks GKE for the cluster and chooses the way to its API server.
 * @throws ConfigurationError that names the input, the cause and the fix
 */
async function findCluster(reference, choice, source, env) {
    const name = parseClusterName(reference, source.projectId);
    const endpoints = (0,google_endpoints/* googleEndpoints */.gt)(env, source.universe);
    const transport = await (0,google_transport/* openTransport */.g2)();
    const get = async (url) => {
        const { value } = await source.token();
        const headers = { authorization: `Bearer ${value}` };
        return (await transport.request({ url, responseType: 'json', headers })).data;
    };
    const cluster = (await get(endpoints.url('container', `v1/${fullName(name)}`)).catch((error) => explainCluster(error, name, endpoints, get, source.member?.())));
    const way = choice === 'connect-gateway'
        ? { endpoint: choice, certificateAuthority: undefined, ...(await gatewayOf(cluster, name, endpoints, get)) }
        : choose(cluster, name, choice);
    return {
        ...name,
        ...way,
        description: `GKE cluster ${fullName(name)}, ${endpointWords[way.endpoint]} ${new URL(way.server).host}`,
        autopilot: cluster.autopilot?.enabled === true,
    };
}
const endpointWords = {
    dns: 'DNS endpoint',
    ip: 'public endpoint',
    private: 'private endpoint',
    'connect-gateway': 'Connect Gateway',
};
function choose(cluster, name, choice) {
    const dns = dnsEndpoint(cluster);
    const ip = publicEndpoint(cluster);
    const flags = `${name.name} --location ${name.location} --project ${name.project}`;
    const openDns = `open the DNS endpoint, which IAM guards: \`gcloud container clusters update ${flags} --enable-dns-access\``;
    if (choice === 'dns' || (choice === 'auto' && dns.open)) {
        if (!dns.address)
            throw refused(name, 'has no DNS endpoint', cluster);
        if (!dns.open) {
            throw refused(name, `does not take external traffic at its DNS endpoint; ${openDns}, or choose another endpoint`, cluster);
        }
        return {
            endpoint: 'dns',
            server: httpsTo(dns.address),
            certificateAuthority: undefined,
            hint: 'the identity needs container.clusters.connect in the project, for example by roles/container.clusterViewer; a VPC Service Controls perimeter may keep it out too',
        };
    }
    if (choice === 'ip' || (choice === 'auto' && ip !== undefined)) {
        if (!ip)
            throw refused(name, `has no public IP endpoint; ${openDns}, or run inside its network with endpoint: private`, cluster);
        return {
            endpoint: 'ip',
            server: httpsTo(ip),
            certificateAuthority: authorityOf(cluster, name),
            hint: authorizedNetworks(cluster)
                ? `authorized networks are on: only the listed addresses get in, and those of GitHub's own runners change; ${openDns}`
                : 'does a firewall keep this runner from the public address of the control plane?',
        };
    }
    if (choice === 'private') {
        const address = cluster.controlPlaneEndpointsConfig?.ipEndpointsConfig?.privateEndpoint ??
            cluster.privateClusterConfig?.privateEndpoint;
        if (!address)
            throw refused(name, `has no private IP endpoint; ${openDns}`, cluster);
        return {
            endpoint: 'private',
            server: httpsTo(address),
            certificateAuthority: authorityOf(cluster, name),
            hint: "only a runner inside the cluster's network (or a peered one, where authorized networks allow it) reaches the private endpoint",
        };
    }
    throw refused(name, 'cannot be reached from outside its network: its DNS endpoint takes no external traffic and it has no public IP endpoint.\n' +
        `  One of: ${openDns};\n` +
        '  endpoint: private, on a runner inside its network;\n' +
        '  endpoint: connect-gateway, where the cluster is in a fleet', cluster);
}
function refused(name, problem, cluster) {
    const status = cluster.status && cluster.status !== 'RUNNING' ? ` (it is ${cluster.status})` : '';
    return new errors/* ConfigurationError */.j1(`cluster: ${fullName(name)}${status} ${problem}.`);
}
function dnsEndpoint(cluster) {
    const config = cluster.controlPlaneEndpointsConfig?.dnsEndpointConfig;
    // The name is always there; it works only where the traffic is let in.
    return { address: config?.endpoint, open: config?.allowExternalTraffic === true && Boolean(config.endpoint) };
}
function publicEndpoint(cluster) {
    const config = cluster.controlPlaneEndpointsConfig?.ipEndpointsConfig;
    const old = cluster.privateClusterConfig;
    const closed = config
        ? config.enabled !== true || config.enablePublicEndpoint === false
        : old?.enablePrivateEndpoint === true;
    if (closed)
        return undefined;
    const address = config?.publicEndpoint || old?.publicEndpoint || cluster.endpoint;
    // `endpoint` is the private address where there is no public one.
    return address === (config?.privateEndpoint ?? old?.privateEndpoint) ? undefined : address || undefined;
}
function authorizedNetworks(cluster) {
    const config = cluster.controlPlaneEndpointsConfig?.ipEndpointsConfig?.authorizedNetworksConfig;
    return (config ?? cluster.masterAuthorizedNetworksConfig)?.enabled === true;
}
function authorityOf(cluster, name) {
    const encoded = cluster.masterAuth?.clusterCaCertificate;
    if (!encoded)
        throw refused(name, 'has no certificate authority yet', cluster);
    return Buffer.from(encoded, 'base64').toString('utf8');
}
function httpsTo(address) {
    return `https://${/^[0-9a-f]*:[0-9a-f:]+$/i.test(address) ? `[${address}]` : address}`;
}
async function explainCluster(error, name, endpoints, get, member = 'MEMBER') {
    const failure = (0,google_transport/* failureOf */.g5)(error);
    const what = `cluster: ${fullName(name)}`;
    if (failure?.status === 404) {
        const known = await clustersOf(name.project, endpoints, get);
        const list = known.length > 0
            ? `The project has: ${known.slice(0, 20).join(', ')}.`
            : `Check the name, the location and the project.`;
        throw new errors/* ConfigurationError */.j1(`${what} was not found (${(0,google_transport/* describeFailure */.Ic)(failure)}). ${list}`);
    }
    if (failure?.status === 403 && !isDisabled(failure)) {
        const role = `projects/${name.project}/roles/packetCapture`;
        throw new errors/* ConfigurationError */.j1(`${what} may not be read by this identity (${(0,google_transport/* describeFailure */.Ic)(failure)}). Grant it the least that the way in takes: container.clusters.get ` +
            `and, for the DNS endpoint, container.clusters.connect, in the project ${name.project} (docs/terraform does the same):\n` +
            `  gcloud iam roles create packetCapture --project=${name.project} --title='Packet capture' --permissions=container.clusters.get,container.clusters.connect\n` +
            `  gcloud projects add-iam-policy-binding ${name.project} --role=${role} --member='${member}'\n` +
            (member === 'MEMBER'
                ? '  MEMBER is serviceAccount:ADDRESS with service-account, else the principal:// or principalSet:// of the pool. '
                : '  ') +
            'A new binding takes some minutes to hold. A project that does not exist answers the same.');
    }
    throw explained(error, what + ' cannot be read', 'Turn the API on: `gcloud services enable container.googleapis.com`.');
}
/** Best effort, for a message. */
async function clustersOf(project, endpoints, get) {
    try {
        const answer = (await get(endpoints.url('container', `v1/projects/${project}/locations/-/clusters`)));
        return answer.clusters?.map((one) => `${one.name ?? '?'} in ${one.location ?? '?'}`) ?? [];
    }
    catch {
        return [];
    }
}
function isDisabled(failure) {
    return /has not been used|SERVICE_DISABLED|it is disabled/i.test(failure.message);
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


/***/ })

};
