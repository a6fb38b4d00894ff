export const id = 741;
export const ids = [741,636];
export const modules = {

/***/ 79741:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {


// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  openGke: () => (/* binding */ openGke)
});

// EXTERNAL MODULE: ./src/cluster/token-connection.ts
var token_connection = __webpack_require__(31636);
// EXTERNAL MODULE: ./src/common/errors.ts
var errors = __webpack_require__(71922);
// EXTERNAL MODULE: ./src/common/url-path.ts
var url_path = __webpack_require__(16902);
// EXTERNAL MODULE: ./src/google/call-problem.ts
var call_problem = __webpack_require__(19681);
// EXTERNAL MODULE: ./src/google/endpoints.ts
var google_endpoints = __webpack_require__(28157);
// EXTERNAL MODULE: ./src/google/transport.ts
var google_transport = __webpack_require__(44750);
// EXTERNAL MODULE: ./src/common/cluster-name.ts
var cluster_name = __webpack_require__(23283);
// EXTERNAL MODULE: ./src/common/url-text.ts
var url_text = __webpack_require__(27382);
;// CONCATENATED MODULE: ./src/google/gke/cluster-name.ts



const fullNameForm = 'projects/PROJECT/locations/LOCATION/clusters/NAME';
/**
 * The name that the inputs give. Sends no request.
 * @throws ConfigurationError where they are invalid or incomplete
 */
function parseClusterName(reference, defaultProject) {
    const text = reference.cluster.trim();
    if (text.includes('/'))
        return requireFullName(text);
    const project = reference.project || defaultProject;
    const problems = [
        ...((0,cluster_name/* isClusterName */.Qq)(text)
            ? []
            : [invalid('cluster', text, 'the name of a cluster', `Set it to a name, or to ${fullNameForm}.`)]),
        ...checkPart('location', reference.location, cluster_name/* isLocation */.gI, 'the region or zone of the cluster, such as europe-west1'),
        ...checkPart('project-id', project, cluster_name/* isProject */.YS, 'the id of the project of the cluster'),
    ];
    if (problems.length > 0)
        throw new errors/* ConfigurationError */.j1(problems);
    return { project: project ?? '', location: reference.location ?? '', name: text };
}
function requireFullName(text) {
    const parts = (0,cluster_name/* parseFullClusterName */.gS)(text);
    if (parts)
        return parts;
    const fix = `Set it to ${fullNameForm}, or to a name together with location and project-id.`;
    throw new errors/* ConfigurationError */.j1(invalid('cluster', text, 'the full name of a cluster', fix));
}
function checkPart(input, value, isValid, form) {
    if (value && isValid(value))
        return [];
    const fix = `Set it to ${form}, or set cluster to its full name: ${fullNameForm}.`;
    if (value)
        return [invalid(input, value, 'a valid value', fix)];
    return [{ code: 'E_INPUT_INVALID', input, problem: 'it is not set', fix }];
}
function invalid(input, value, form, fix) {
    return {
        code: 'E_INPUT_INVALID',
        input,
        problem: `${JSON.stringify((0,url_text/* urlForMessage */.O)(value).slice(0, 200))} is not ${form}`,
        fix,
    };
}
/** `projects/PROJECT/locations/LOCATION/clusters/NAME` */
function fullName({ project, location, name }) {
    return `projects/${project}/locations/${location}/clusters/${name}`;
}

;// CONCATENATED MODULE: ./src/google/gke/connect-gateway.ts





const maxPageCount = 50;
/**
 * The endpoint of a cluster at Connect Gateway. Its URL has the number of the fleet's project, and the membership with its location.
 * @throws ConfigurationError where the cluster is in no fleet, or the fleet cannot be read
 */
async function connectGatewayEndpoint(cluster, name, google) {
    // The project of the cluster by the id or number of the input, and by its id.
    const projects = [name.project, /\/projects\/([^/]+)\//.exec(cluster.selfLink ?? '')?.[1]].filter((project) => project !== undefined);
    const membership = parseMembership(cluster.fleet?.membership) ??
        (await searchMembership(name, projects, cluster.fleet?.project ?? name.project, google));
    if (!membership) {
        throw new errors/* ConfigurationError */.j1({
            code: 'E_GKE_NOT_IN_FLEET',
            input: 'endpoint',
            problem: `Connect Gateway needs a fleet, and ${fullName(name)} is in none`,
            fix: `Register it: \`gcloud container clusters update ${name.name} --location ${name.location} --project ${name.project} --enable-fleet\`.`,
        });
    }
    const isClusterProject = projects.includes(membership.project);
    const number = [membership.project, ...(isClusterProject ? projects : [])].find(isNumber) ??
        (await readProjectNumber(membership.project, isClusterProject ? name : undefined, google));
    const region = membership.location === 'global' ? undefined : membership.location;
    const path = (0,url_path/* urlPath */.L) `v1/projects/${number}/locations/${membership.location}/gkeMemberships/${membership.name}`;
    return {
        endpoint: 'connect-gateway',
        server: google.endpoints.url('connectgateway', path, region),
        certificateAuthority: undefined,
        hint: `Through Connect Gateway the identity needs roles/gkehub.gatewayAdmin in the project ${membership.project} ` +
            '(exec needs gkehub.gateway.stream, which gatewayReader and gatewayEditor lack), roles/gkehub.viewer, ' +
            'and permissions by Kubernetes RBAC. A fleet host project has a limit of 10 concurrent streams.',
    };
}
function parseMembership(text) {
    const [, project, location, name] = /projects\/([^/]+)\/locations\/([^/]+)\/memberships\/([^/]+)$/.exec(text ?? '') ?? [];
    // The location becomes a part of the host that receives the token.
    return project && location && name && (0,cluster_name/* isLocation */.gI)(location) ? { project, location, name } : undefined;
}
/** The membership of a cluster that was registered through the API of the fleet: only the fleet lists it, in any location. */
async function searchMembership(name, projects, fleetProject, { endpoints, get }) {
    const wanted = projects.map((project) => `/${fullName({ ...name, project })}`);
    let page = '';
    for (let count = 0; count < maxPageCount; count++) {
        const url = endpoints.url('gkehub', `${(0,url_path/* urlPath */.L) `v1/projects/${fleetProject}/locations/-/memberships`}?pageSize=500${page}`);
        const answer = (await get(url).catch((error) => {
            throw (0,call_problem/* callProblem */.U)(error, {
                input: 'endpoint',
                problem: `the fleet memberships of the project ${fleetProject}, which connect-gateway needs, cannot be read`,
                fix: 'Grant the identity roles/gkehub.viewer there, and enable the API: `gcloud services enable gkehub.googleapis.com connectgateway.googleapis.com`.',
                service: 'gkehub.googleapis.com connectgateway.googleapis.com',
            });
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
/** @param cluster where the project is the one of the cluster: then its full name may have the number */
async function readProjectNumber(project, cluster, { endpoints, get }) {
    const answer = (await get(endpoints.url('cloudresourcemanager', (0,url_path/* urlPath */.L) `v1/projects/${project}`)).catch((error) => {
        const alternative = cluster
            ? ` Or use the number of the project in place of its id: cluster: ${fullName({ ...cluster, project: 'NUMBER' })} (\`gcloud projects describe ${project} --format='value(projectNumber)'\`).`
            : '';
        throw (0,call_problem/* callProblem */.U)(error, {
            input: 'endpoint',
            problem: `the number of the project ${project}, which connect-gateway needs, cannot be read`,
            fix: `Grant the identity resourcemanager.projects.get there (roles/browser), and enable the API: \`gcloud services enable cloudresourcemanager.googleapis.com\`.${alternative}`,
            service: 'cloudresourcemanager.googleapis.com',
        });
    }));
    return answer.projectNumber ?? project;
}

;// CONCATENATED MODULE: ./src/google/gke/endpoint.ts


/**
 * The endpoint of the choice; for `auto` the DNS endpoint, else the public IP address.
 * @throws ConfigurationError where the cluster does not have it
 */
function chooseEndpoint(cluster, name, choice) {
    const dns = dnsEndpoint(cluster);
    const publicAddress = publicEndpoint(cluster);
    if (choice === 'dns' || (choice === 'auto' && dns.isOpen))
        return openDnsEndpoint(cluster, name, dns);
    if (choice === 'ip' || (choice === 'auto' && publicAddress !== undefined)) {
        return openPublicEndpoint(cluster, name, publicAddress);
    }
    if (choice === 'private')
        return openPrivateEndpoint(cluster, name);
    throw unavailable(cluster, name, {
        problem: 'cannot be reached from outside its network: its DNS endpoint allows no external traffic and it has no public IP endpoint',
        fix: `Do one of these: ${enableDns(name)}; or set endpoint: private, on a runner inside its network; ` +
            'or set endpoint: connect-gateway, where the cluster is in a fleet.',
    });
}
function openDnsEndpoint(cluster, name, { address, isOpen }) {
    if (!address) {
        throw unavailable(cluster, name, { problem: 'has no DNS endpoint', fix: 'Choose another endpoint.' });
    }
    if (!isOpen) {
        throw unavailable(cluster, name, {
            problem: 'allows no external traffic at its DNS endpoint',
            fix: `Choose another endpoint, or ${enableDns(name)}.`,
        });
    }
    return {
        endpoint: 'dns',
        server: urlOf(address),
        certificateAuthority: undefined,
        hint: 'The identity needs container.clusters.connect in the project, for example by roles/container.clusterViewer. A VPC Service Controls perimeter can block it, too.',
    };
}
function openPublicEndpoint(cluster, name, address) {
    if (!address) {
        throw unavailable(cluster, name, {
            problem: 'has no public IP endpoint',
            fix: `Run inside its network with endpoint: private, or ${enableDns(name)}.`,
        });
    }
    return {
        endpoint: 'ip',
        server: urlOf(address),
        certificateAuthority: authorityOf(cluster, name),
        hint: hasAuthorizedNetworks(cluster)
            ? `Authorized networks are enabled: only the listed addresses are allowed, and the addresses of GitHub-hosted runners change. Alternatively, ${enableDns(name)}.`
            : 'Check whether a firewall blocks this runner from the public address of the control plane.',
    };
}
function openPrivateEndpoint(cluster, name) {
    const address = cluster.controlPlaneEndpointsConfig?.ipEndpointsConfig?.privateEndpoint ??
        cluster.privateClusterConfig?.privateEndpoint;
    if (!address) {
        throw unavailable(cluster, name, {
            problem: 'has no private IP endpoint',
            fix: `Choose another endpoint, or ${enableDns(name)}.`,
        });
    }
    return {
        endpoint: 'private',
        server: urlOf(address),
        certificateAuthority: authorityOf(cluster, name),
        hint: "Only a runner inside the cluster's network (or a peered network that the authorized networks allow) reaches the private endpoint.",
    };
}
/** The end of a sentence. */
function enableDns({ name, location, project }) {
    const flags = `${name} --location ${location} --project ${project}`;
    return `enable the DNS endpoint, which IAM protects: \`gcloud container clusters update ${flags} --enable-dns-access\``;
}
function unavailable(cluster, name, { problem, fix }) {
    const status = cluster.status && cluster.status !== 'RUNNING' ? ` (it is ${cluster.status})` : '';
    return new errors/* ConfigurationError */.j1({
        code: 'E_GKE_ENDPOINT_UNAVAILABLE',
        input: 'cluster',
        problem: `${fullName(name)}${status} ${problem}`,
        fix,
    });
}
function dnsEndpoint(cluster) {
    const config = cluster.controlPlaneEndpointsConfig?.dnsEndpointConfig;
    // Every cluster has the name; it works only where external traffic is allowed.
    return { address: config?.endpoint, isOpen: config?.allowExternalTraffic === true && Boolean(config.endpoint) };
}
function publicEndpoint(cluster) {
    const config = cluster.controlPlaneEndpointsConfig?.ipEndpointsConfig;
    const oldConfig = cluster.privateClusterConfig;
    const isClosed = config
        ? config.enabled !== true || config.enablePublicEndpoint === false
        : oldConfig?.enablePrivateEndpoint === true;
    if (isClosed)
        return undefined;
    const address = config?.publicEndpoint || oldConfig?.publicEndpoint || cluster.endpoint;
    // `endpoint` is the private address where there is no public one.
    return address === (config?.privateEndpoint ?? oldConfig?.privateEndpoint) ? undefined : address || undefined;
}
function hasAuthorizedNetworks(cluster) {
    const config = cluster.controlPlaneEndpointsConfig?.ipEndpointsConfig?.authorizedNetworksConfig;
    return (config ?? cluster.masterAuthorizedNetworksConfig)?.enabled === true;
}
function authorityOf(cluster, name) {
    const encoded = cluster.masterAuth?.clusterCaCertificate;
    if (!encoded) {
        throw unavailable(cluster, name, {
            problem: 'has no certificate authority yet',
            fix: 'Wait until the cluster is running.',
        });
    }
    return Buffer.from(encoded, 'base64').toString('utf8');
}
function urlOf(address) {
    return `https://${/^[0-9a-f]*:[0-9a-f:]+$/i.test(address) ? `[${address}]` : address}`;
}

;// CONCATENATED MODULE: ./src/google/gke/cluster.ts








const endpointNames = {
    dns: 'DNS endpoint',
    ip: 'public endpoint',
    private: 'private endpoint',
    'connect-gateway': 'Connect Gateway',
};
/**
 * Reads the cluster from GKE and chooses an endpoint of its API server.
 * @throws ConfigurationError
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
    const google = { endpoints, get };
    const cluster = (await get(endpoints.url('container', resourcePath(name))).catch(async (error) => {
        throw await clusterProblem(error, name, google, source.member?.());
    }));
    const endpoint = choice === 'connect-gateway'
        ? await connectGatewayEndpoint(cluster, name, google)
        : chooseEndpoint(cluster, name, choice);
    return {
        ...name,
        ...endpoint,
        description: `GKE cluster ${fullName(name)}, ${endpointNames[endpoint.endpoint]} ${new URL(endpoint.server).host}`,
        autopilot: cluster.autopilot?.enabled === true,
    };
}
async function clusterProblem(error, name, google, member) {
    const failure = (0,google_transport/* failureOf */.g5)(error);
    if (failure?.status === 404) {
        const known = await clustersOf(name.project, google.endpoints, google.get);
        return new errors/* ConfigurationError */.j1({
            code: 'E_GKE_CLUSTER_NOT_FOUND',
            input: 'cluster',
            problem: `${fullName(name)} was not found (${(0,google_transport/* describeFailure */.Ic)(failure)})`,
            fix: known.length > 0
                ? `The project has: ${known.slice(0, 20).join(', ')}.`
                : 'Check the name, the location and the project.',
        });
    }
    if (failure?.status === 403 && !(0,google_transport/* disabledService */.ET)(failure))
        return accessDenied(failure, name, member);
    return (0,call_problem/* callProblem */.U)(error, {
        input: 'cluster',
        problem: `${fullName(name)} cannot be read`,
        fix: 'Check the name, the location and the project.',
        service: 'container.googleapis.com',
    });
}
/** @param member of an IAM binding; undefined where it is not known */
function accessDenied(failure, name, member) {
    const { project } = name;
    const memberNote = member === undefined
        ? ' MEMBER is serviceAccount:ADDRESS with service-account, else the principal:// or principalSet:// of the pool.'
        : '';
    return new errors/* ConfigurationError */.j1({
        code: 'E_GOOGLE_ACCESS_DENIED',
        input: 'cluster',
        problem: `this identity may not read ${fullName(name)} (${(0,google_transport/* describeFailure */.Ic)(failure)})`,
        fix: `Grant it the least permissions: container.clusters.get and, for the DNS endpoint, container.clusters.connect, in the project ${project} ` +
            `(docs/terraform does the same).${memberNote} A new binding takes some minutes to apply. Google gives the same answer where the project does not exist.`,
        command: `gcloud iam roles create packetCapture --project=${project} --title='Packet capture' --permissions=container.clusters.get,container.clusters.connect\n` +
            `gcloud projects add-iam-policy-binding ${project} --role=projects/${project}/roles/packetCapture --member='${member ?? 'MEMBER'}'`,
    });
}
function resourcePath({ project, location, name }) {
    return (0,url_path/* urlPath */.L) `v1/projects/${project}/locations/${location}/clusters/${name}`;
}
/** For a message: [] where the clusters cannot be listed. */
async function clustersOf(project, endpoints, get) {
    try {
        const answer = (await get(endpoints.url('container', (0,url_path/* urlPath */.L) `v1/projects/${project}/locations/-/clusters`)));
        return answer.clusters?.map((one) => `${one.name ?? '?'} in ${one.location ?? '?'}`) ?? [];
    }
    catch {
        return [];
    }
}

// EXTERNAL MODULE: ./src/runner/mask-secret.ts
var mask_secret = __webpack_require__(95989);
// EXTERNAL MODULE: ./src/app/cluster-access/google.ts
var google = __webpack_require__(35056);
;// CONCATENATED MODULE: ./src/app/cluster-access/gke.ts




/** The input `cluster`: a GKE cluster, with the Google Cloud identity of the inputs. @throws ConfigurationError */
async function openGke(access, env) {
    const source = await (0,google/* openGoogle */.y)(access, env);
    const { cluster, location, projectId: project, endpoint } = access;
    const gke = await findCluster({ cluster, location, project }, endpoint, source, env);
    const connection = (0,token_connection.connectWithToken)({
        input: 'cluster',
        server: gke.server,
        certificateAuthority: gke.certificateAuthority === undefined
            ? undefined
            : {
                text: gke.certificateAuthority,
                input: 'cluster',
                subject: 'the certificate authority that Google Cloud reports',
                fix: 'Check it with `gcloud container clusters describe`.',
            },
        trustedAuthority: 'the one that Google Cloud reports for the cluster',
        as: `${source.description} (${gke.description})`,
        token: async () => (await source.token()).value,
        refused: (token) => source.refused(token),
        hint: gke.hint,
    }, mask_secret/* maskSecret */.$);
    return { connection, autopilot: gke.autopilot, google: () => Promise.resolve(source) };
}


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


/***/ }),

/***/ 31636:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   connectWithToken: () => (/* binding */ connectWithToken)
/* harmony export */ });
/* harmony import */ var _common_errors_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(71922);
/* harmony import */ var _common_proxy_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(51709);
/* harmony import */ var _common_read_file_js__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(9360);
/* harmony import */ var _common_system_authorities_js__WEBPACK_IMPORTED_MODULE_3__ = __webpack_require__(88936);
/* harmony import */ var _certificates_js__WEBPACK_IMPORTED_MODULE_4__ = __webpack_require__(37380);
/* harmony import */ var _insecurity_js__WEBPACK_IMPORTED_MODULE_6__ = __webpack_require__(21261);
/* harmony import */ var _connection_js__WEBPACK_IMPORTED_MODULE_5__ = __webpack_require__(23060);
/* harmony import */ var _loggable_path_js__WEBPACK_IMPORTED_MODULE_7__ = __webpack_require__(52695);








/** @throws ConfigurationError where the certificate authority is invalid */
function connectWithToken(access, maskSecret) {
    const { input, server, as, hint, credentialsFix, trustedAuthority } = access;
    const ca = access.certificateAuthority && readAuthority(access.certificateAuthority);
    if (ca === undefined)
        (0,_common_system_authorities_js__WEBPACK_IMPORTED_MODULE_3__/* .trustSystemAuthorities */ .$)();
    const tokenOrigin = access.tokenOrigin ?? { input, subject: `the token of ${as}` };
    return {
        ...{ input, server, hint, credentialsFix, trustedAuthority },
        warnings: (0,_insecurity_js__WEBPACK_IMPORTED_MODULE_6__/* .protectionWarnings */ .l)({ server }, process.env),
        namespace: undefined,
        description: `${new URL(server).host} as ${as}`,
        credentials: async () => {
            const token = await access.token();
            maskSecret(token);
            const authorization = (0,_connection_js__WEBPACK_IMPORTED_MODULE_5__/* .bearer */ .CM)(token, tokenOrigin);
            const proxy = await (0,_common_proxy_js__WEBPACK_IMPORTED_MODULE_1__/* .environmentProxy */ .Uw)(server);
            return {
                headers: { Authorization: authorization },
                tls: { ...(ca === undefined ? {} : { ca }), ...(proxy ? (0,_connection_js__WEBPACK_IMPORTED_MODULE_5__/* .identityOfAddress */ .yV)(server) : {}) },
                agent: proxy?.agent,
                proxy,
                refused: access.refused && (() => access.refused?.(token)),
            };
        },
    };
}
function readAuthority(given) {
    const text = given.text.trim();
    const found = (0,_certificates_js__WEBPACK_IMPORTED_MODULE_4__/* .readAuthorities */ .Gh)(text) ?? (0,_certificates_js__WEBPACK_IMPORTED_MODULE_4__/* .readAuthorities */ .Gh)(decodeBase64(text)) ?? (0,_certificates_js__WEBPACK_IMPORTED_MODULE_4__/* .readAuthorities */ .Gh)(readFileAt(text, given));
    if (found && 'pem' in found)
        return found.pem;
    throw new _common_errors_js__WEBPACK_IMPORTED_MODULE_0__/* .ConfigurationError */ .j1({
        code: 'E_CERTIFICATE_AUTHORITY_INVALID',
        input: given.input,
        problem: found
            ? `${given.subject} has ${found.problem}`
            : `${given.subject} is neither a PEM certificate, nor the base64 of one, nor the path of a file with one`,
        fix: given.fix,
    });
}
function decodeBase64(text) {
    return /^[\w+/=\s-]+$/.test(text) ? Buffer.from(text, 'base64').toString('utf8') : '';
}
/** The content of the file; empty where the text is not a path. */
function readFileAt(path, { input }) {
    try {
        return (0,_common_read_file_js__WEBPACK_IMPORTED_MODULE_2__/* .readRegularFile */ .X)(path).toString('utf8');
    }
    catch (error) {
        const shown = (0,_loggable_path_js__WEBPACK_IMPORTED_MODULE_7__/* .loggablePath */ .Z)(path);
        const isMissing = error instanceof _common_read_file_js__WEBPACK_IMPORTED_MODULE_2__/* .UnreadableFile */ .i && error.code === 'ENOENT';
        // Base64 can look like a path. A text without a file is called a path only if it begins or ends like one.
        if (shown === undefined || (isMissing && !/^[/.~]|\.(pem|crt|cer|txt)$/i.test(path)))
            return '';
        throw new _common_errors_js__WEBPACK_IMPORTED_MODULE_0__/* .ConfigurationError */ .j1({
            code: 'E_CERTIFICATE_AUTHORITY_INVALID',
            input,
            problem: isMissing
                ? `the file ${shown} does not exist`
                : `the file ${shown} cannot be read (${(0,_common_errors_js__WEBPACK_IMPORTED_MODULE_0__/* .messageOf */ .bD)(error)})`,
            fix: 'Create it in an earlier step, or give its content.',
        });
    }
}


/***/ }),

/***/ 19681:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   U: () => (/* binding */ callProblem),
/* harmony export */   n: () => (/* binding */ outageOf)
/* harmony export */ });
/* harmony import */ var _common_errors_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(71922);
/* harmony import */ var _common_remote_text_js__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(14551);
/* harmony import */ var _transport_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(44750);



const quotableStatuses = new Set([403, 404, 409]);
/** The error for the user; one that is already for the user is returned as it is, also where a client wrapped it. */
function callProblem(error, call) {
    if (error instanceof _common_errors_js__WEBPACK_IMPORTED_MODULE_0__/* .ConfigurationError */ .j1)
        return error;
    const cause = error instanceof Error ? error.cause : undefined;
    if (cause instanceof _common_errors_js__WEBPACK_IMPORTED_MODULE_0__/* .ConfigurationError */ .j1)
        return cause;
    // Not as its `cause`: the error of a call holds the request, with its access token.
    return new _common_errors_js__WEBPACK_IMPORTED_MODULE_0__/* .ConfigurationError */ .j1(describeCall(error, call));
}
function describeCall(error, call) {
    const { input, problem, fix } = call;
    const failure = (0,_transport_js__WEBPACK_IMPORTED_MODULE_1__/* .failureOf */ .g5)(error);
    if (!failure) {
        return {
            code: 'E_GOOGLE_CALL_FAILED',
            input,
            problem,
            message: (0,_common_remote_text_js__WEBPACK_IMPORTED_MODULE_2__/* .toOneLine */ .GX)((0,_common_errors_js__WEBPACK_IMPORTED_MODULE_0__/* .messageOf */ .bD)(error), 300),
            fix: 'Run the job again.',
        };
    }
    const outage = outageOf(failure);
    if (outage)
        return { ...outage, input, problem: `${problem}: ${outage.problem}` };
    if (failure.status === 401) {
        return {
            code: 'E_GOOGLE_TOKEN_REJECTED',
            input,
            problem: `${problem}: Google does not accept the access token (${(0,_transport_js__WEBPACK_IMPORTED_MODULE_1__/* .describeFailure */ .Ic)(failure)})`,
            fix: 'Check whether it belongs to another universe (CLOUDSDK_CORE_UNIVERSE_DOMAIN), or whether the identity was deleted.',
        };
    }
    const isQuotable = !call.mayAnswerQuoteSecrets || quotableStatuses.has(failure.status);
    const answer = isQuotable ? (0,_transport_js__WEBPACK_IMPORTED_MODULE_1__/* .describeFailure */ .Ic)(failure) : [failure.status, failure.reason].filter(Boolean).join(' ');
    const disabled = (0,_transport_js__WEBPACK_IMPORTED_MODULE_1__/* .disabledService */ .ET)(failure);
    if (disabled) {
        return {
            code: 'E_GOOGLE_API_DISABLED',
            input,
            problem: `${problem} (${answer})`,
            fix: `Enable the API: \`gcloud services enable ${call.service ?? disabled}\`.`,
        };
    }
    const code = failure.status === 403 ? 'E_GOOGLE_ACCESS_DENIED' : 'E_GOOGLE_CALL_FAILED';
    return { code: call.code ?? code, input, problem: `${problem} (${answer})`, fix };
}
/** The problem with a service that does not answer, or fails; undefined for an answer that refuses the call. */
function outageOf(failure) {
    const { host } = new URL(failure.url);
    if (failure.status === undefined) {
        return {
            code: 'E_GOOGLE_UNREACHABLE',
            problem: `${host} cannot be reached (${(0,_transport_js__WEBPACK_IMPORTED_MODULE_1__/* .describeFailure */ .Ic)(failure)})`,
            fix: 'Check that the runner can connect to it (HTTPS_PROXY, NO_PROXY, a firewall).',
        };
    }
    if (failure.status >= 500 || failure.status === 429) {
        return {
            code: 'E_GOOGLE_UNAVAILABLE',
            problem: `${host} is overloaded or failing, also after retries (${(0,_transport_js__WEBPACK_IMPORTED_MODULE_1__/* .describeFailure */ .Ic)(failure)})`,
            fix: 'Run the job again later.',
        };
    }
    return undefined;
}


/***/ }),

/***/ 28157:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   BN: () => (/* binding */ plainHttp),
/* harmony export */   IP: () => (/* binding */ isSafe),
/* harmony export */   gt: () => (/* binding */ googleEndpoints)
/* harmony export */ });
/* harmony import */ var _common_errors_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(71922);
/* harmony import */ var _common_loopback_js__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(68136);
/* harmony import */ var _common_url_text_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(27382);



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
 * The variables are gcloud's (`sts` follows the same pattern), and so are their values: an absolute URL that ends with a slash and replaces the
 * base URL of the service. A bare origin keeps the path of that base (compute's `/compute/v1/`).
 * @param fallbackUniverse that of a credentials file, where the environment names none
 * @throws ConfigurationError with a problem for each variable that is invalid
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
        const invalid = checkOverride(value);
        if (invalid)
            problems.push(invalidVariable(name, value, invalid));
        else
            overrides.set(service, withBasePath(value, service));
    }
    if (problems.length > 0)
        throw new _common_errors_js__WEBPACK_IMPORTED_MODULE_0__/* .ConfigurationError */ .j1(problems);
    return {
        universe,
        url: (service, path, region) => {
            const prefix = region === undefined ? '' : `${region}-`;
            return (overrides.get(service) ?? `https://${prefix}${service}.${universe}${basePath(service)}`) + path;
        },
    };
}
function invalidVariable(name, value, { problem, fix }) {
    return {
        code: 'E_GOOGLE_ENDPOINT_OVERRIDE',
        input: name,
        problem: `${JSON.stringify((0,_common_url_text_js__WEBPACK_IMPORTED_MODULE_1__/* .urlForMessage */ .O)(value).slice(0, 200))} ${problem}`,
        fix,
    };
}
function readUniverse(env, problems) {
    for (const name of ['CLOUDSDK_CORE_UNIVERSE_DOMAIN', 'GOOGLE_CLOUD_UNIVERSE_DOMAIN']) {
        const value = env[name];
        if (!value)
            continue;
        if (/^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$/i.test(value))
            return value;
        problems.push(invalidVariable(name, value, {
            problem: 'is not a domain',
            fix: `Set it to a domain such as ${defaultUniverse}.`,
        }));
    }
    return undefined;
}
function checkOverride(value) {
    const url = URL.parse(value);
    if (!url || !/^https?:\/\/[^\s?#@]+\/$/i.test(value)) {
        return {
            problem: 'is not an absolute URL with a slash at the end',
            fix: 'Set it to https://HOST[:PORT]/[PATH/], as for gcloud.',
        };
    }
    return isSafe(url) ? undefined : plainHttp;
}
/** Access tokens are sent to these addresses. */
const plainHttp = {
    problem: 'is plain http, which is allowed for a loopback address only (127.0.0.1, [::1], localhost)',
    fix: 'Use https.',
};
function isSafe(url) {
    return url.protocol === 'https:' || (url.protocol === 'http:' && (0,_common_loopback_js__WEBPACK_IMPORTED_MODULE_2__/* .isLoopback */ .U)(url));
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
/* harmony export */   ET: () => (/* binding */ disabledService),
/* harmony export */   Ic: () => (/* binding */ describeFailure),
/* harmony export */   g2: () => (/* binding */ openTransport),
/* harmony export */   g5: () => (/* binding */ failureOf)
/* harmony export */ });
/* harmony import */ var node_http__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(37067);
/* harmony import */ var node_http__WEBPACK_IMPORTED_MODULE_0___default = /*#__PURE__*/__webpack_require__.n(node_http__WEBPACK_IMPORTED_MODULE_0__);
/* harmony import */ var node_https__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(44708);
/* harmony import */ var node_https__WEBPACK_IMPORTED_MODULE_1___default = /*#__PURE__*/__webpack_require__.n(node_https__WEBPACK_IMPORTED_MODULE_1__);
/* harmony import */ var _common_errors_js__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(71922);
/* harmony import */ var _common_proxy_js__WEBPACK_IMPORTED_MODULE_3__ = __webpack_require__(51709);
/* harmony import */ var _common_system_authorities_js__WEBPACK_IMPORTED_MODULE_4__ = __webpack_require__(88936);
/* harmony import */ var _common_remote_text_js__WEBPACK_IMPORTED_MODULE_5__ = __webpack_require__(14551);






/** The client for calls to Google: through the proxy of the environment, each with a time limit, a few retries where Google is overloaded. */
async function openTransport() {
    (0,_common_system_authorities_js__WEBPACK_IMPORTED_MODULE_4__/* .trustSystemAuthorities */ .$)();
    const [{ gaxios }, agentFor] = await Promise.all([__webpack_require__.e(/* import() */ 492).then(__webpack_require__.t.bind(__webpack_require__, 492, 23)), (0,_common_proxy_js__WEBPACK_IMPORTED_MODULE_3__/* .environmentAgents */ .Cy)()]);
    return new gaxios.Gaxios({
        timeout: 20_000,
        retryConfig: { retry: 2, noResponseRetries: 1 },
        headers: { 'user-agent': 'kubernetes-packet-capture' },
        // The library's support of NO_PROXY has no domains and no ports.
        agent: (url) => agentFor(url.href) ?? (url.protocol === 'http:' ? node_http__WEBPACK_IMPORTED_MODULE_0__.globalAgent : node_https__WEBPACK_IMPORTED_MODULE_1__.globalAgent),
    });
}
/** Reads the three forms of Google's errors (OAuth, JSON API, plain text), also where a client wrapped one; undefined where no call failed. */
function failureOf(error) {
    const cause = error instanceof Error ? error.cause : undefined;
    return unwrappedFailure(error) ?? (cause instanceof Error ? unwrappedFailure(cause) : undefined);
}
function unwrappedFailure(error) {
    const { response, config, code } = error;
    if (config?.url === undefined)
        return undefined;
    const url = withoutQuery(String(config.url));
    if (response?.status === undefined) {
        return { status: undefined, reason: nonEmpty(code), message: (0,_common_errors_js__WEBPACK_IMPORTED_MODULE_2__/* .messageOf */ .bD)(error), url };
    }
    return { status: response.status, ...readAnswer(response.data), url };
}
function readAnswer(data) {
    const fields = fieldsOf(data);
    const nested = fieldsOf(fields['error']);
    const reason = nonEmpty(nested['status']) ?? nonEmpty(fields['error']);
    const message = nonEmpty(nested['message']) ??
        nonEmpty(fields['error_description']) ??
        nonEmpty(fields['message']) ??
        (typeof data === 'string' ? data : (reason ?? ''));
    return { reason, message: (0,_common_remote_text_js__WEBPACK_IMPORTED_MODULE_5__/* .toOneLine */ .GX)(message, 500) || 'no text' };
}
function fieldsOf(value) {
    return typeof value === 'object' && value !== null ? value : {};
}
/** `403 PERMISSION_DENIED: \u2026`, for the end of a message. */
function describeFailure(failure) {
    const head = [failure.status, failure.reason].filter(Boolean).join(' ');
    return failure.message === failure.reason || head === '' ? failure.message : `${head}: ${failure.message}`;
}
/** The service that must be enabled in the project; undefined where the failure has another cause. */
function disabledService(failure) {
    if (!/has not been used|SERVICE_DISABLED|is disabled/i.test(`${failure.reason ?? ''} ${failure.message}`))
        return undefined;
    const [, named] = /\b([a-z]+\.googleapis\.com)\/overview/.exec(failure.message) ?? [];
    return named ?? new URL(failure.url).hostname;
}
function nonEmpty(value) {
    return typeof value === 'string' && value !== '' ? value : undefined;
}
function withoutQuery(url) {
    return url.replace(/[?#].*$/, '');
}


/***/ })

};
