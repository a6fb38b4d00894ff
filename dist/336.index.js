export const id = 336;
export const ids = [336];
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

/***/ 49336:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {


// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  googleTokenSource: () => (/* binding */ googleTokenSource)
});

// EXTERNAL MODULE: ./src/errors.ts
var errors = __webpack_require__(83916);
// EXTERNAL MODULE: external "node:fs/promises"
var promises_ = __webpack_require__(51455);
// EXTERNAL MODULE: ./src/google/endpoints.ts
var google_endpoints = __webpack_require__(28157);
;// CONCATENATED MODULE: ./src/google/credentials-file.ts



const types = ['external_account', 'service_account', 'authorized_user'];
const variables = ['GOOGLE_APPLICATION_CREDENTIALS', 'GOOGLE_GHA_CREDS_PATH', 'CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE'];
const needed = {
    external_account: ['audience', 'subject_token_type', 'token_url'],
    service_account: ['client_email', 'private_key'],
    authorized_user: ['client_id', 'client_secret', 'refresh_token'],
};
/**
 * Reads the credentials that a step before has left. What is in the file is never shown.
 * @throws ConfigurationError where there are none, or they are of a kind that is not taken
 */
async function readCredentials(env) {
    const from = variables.find((name) => env[name]);
    const path = from && env[from];
    if (!from || !path) {
        throw new errors/* ConfigurationError */.j1('workload-identity-provider: not set, and no step before has left Google credentials (GOOGLE_APPLICATION_CREDENTIALS is not set). ' +
            'Set workload-identity-provider, or run google-github-actions/auth in a step before.');
    }
    const text = await (0,promises_.readFile)(path, 'utf8').catch((error) => {
        throw new errors/* ConfigurationError */.j1(`${from}: the file ${JSON.stringify(path)} cannot be read (${error.code ?? (0,errors/* messageOf */.bD)(error)}). ` +
            'google-github-actions/auth writes it into the workspace: run it in the same job, after actions/checkout, which clears the workspace.');
    });
    const json = parseObject(text);
    const type = types.find((one) => one === json?.['type']);
    if (!json || !type) {
        const got = typeof json?.['type'] === 'string' ? `credentials of the type ${JSON.stringify(json['type'])}` : 'no credentials';
        throw new errors/* ConfigurationError */.j1(`${from}: the file ${JSON.stringify(path)} holds ${got}, takes ${types.join(', ')}`);
    }
    const missing = needed[type].filter((name) => typeof json[name] !== 'string' || json[name] === '');
    if (missing.length > 0) {
        throw new errors/* ConfigurationError */.j1(`${from}: the file ${JSON.stringify(path)} (${type}) lacks ${missing.join(', ')}`);
    }
    const { url: sourceUrl } = (json['credential_source'] ?? {});
    const addresses = {
        token_url: json['token_url'],
        token_uri: json['token_uri'],
        service_account_impersonation_url: json['service_account_impersonation_url'],
        'credential_source.url': sourceUrl, // the job's request token goes there
    };
    for (const [name, value] of Object.entries(addresses)) {
        if (value === undefined)
            continue;
        const url = typeof value === 'string' ? URL.parse(value) : undefined;
        if (!url || !(0,google_endpoints/* isSafe */.IP)(url))
            throw new errors/* ConfigurationError */.j1(`${from}: its ${name} ${google_endpoints/* plainHttpProblem */.iR}`);
    }
    const impersonationUrl = stringOf(json['service_account_impersonation_url']);
    const serviceAccount = type === 'service_account'
        ? stringOf(json['client_email'])
        : /serviceAccounts\/([^/:]+):generateAccessToken$/.exec(impersonationUrl ?? '')?.[1];
    const provider = /workloadIdentityPools\/(.+)\/providers\/(.+)$/.exec(stringOf(json['audience']) ?? '');
    const who = serviceAccount ?? (type === 'external_account' ? `the principal of GitHub's token` : 'a user');
    return {
        type,
        json,
        from,
        description: `${who} by ${provider ? `${provider[1]}/${provider[2]}, ` : ''}the ${type.replace('_', ' ')} of ${from}`,
        serviceAccount,
        impersonationUrl,
        projectId: stringOf(json['project_id']) ?? stringOf(json['quota_project_id']),
        universe: stringOf(json['universe_domain']),
    };
}
function stringOf(value) {
    return typeof value === 'string' && value !== '' ? value : undefined;
}
function parseObject(text) {
    try {
        const value = JSON.parse(text);
        return typeof value === 'object' && value !== null ? value : undefined;
    }
    catch {
        return undefined;
    }
}

// EXTERNAL MODULE: ./src/google/transport.ts
var google_transport = __webpack_require__(44750);
;// CONCATENATED MODULE: ./src/google/exchange-errors.ts


/** GitHub gives no token to a job that does not ask for the right, and never to a pull request from a fork. */
function explainIdToken(error, env) {
    if (error instanceof errors/* ConfigurationError */.j1)
        return error;
    const asked = error === undefined ? '' : ` (${(0,errors/* messageOf */.bD)(error).replace(/\s+/g, ' ').slice(0, 300)})`;
    const fork = /^pull_request/.test(env['GITHUB_EVENT_NAME'] ?? '')
        ? ' This run is of a pull request: from a fork it never gets a token, whatever the permissions say.'
        : ' A run of a pull request from a fork never gets one.';
    return new errors/* ConfigurationError */.j1(`workload-identity-provider: GitHub gives this job no OIDC token${asked}. ` +
        `Add to the job:\n  permissions:\n    contents: read\n    id-token: write\n` +
        `In a reusable workflow the calling job needs it too.${fork}`);
}
/** What went wrong between GitHub's token and Google's, with its usual causes. */
function explainExchange(error, exchange) {
    if (error instanceof errors/* ConfigurationError */.j1)
        return error;
    const failure = (0,google_transport/* failureOf */.g5)(error);
    if (!failure) {
        return new errors/* ConfigurationError */.j1(`${input(exchange)}: no token for Google Cloud: ${(0,errors/* messageOf */.bD)(error).slice(0, 300)}`);
    }
    const outage = (0,google_transport/* outageOf */.nu)(failure);
    if (outage !== undefined)
        return new errors/* ConfigurationError */.j1(`${input(exchange)}: ${outage}`);
    if (failure.url === exchange.impersonationUrl)
        return impersonationRefused(failure, exchange);
    if (failure.url === exchange.tokenUrl)
        return exchangeRefused(failure, exchange);
    if (exchange.credentials !== undefined && exchange.tokenUrl !== undefined) {
        return new errors/* ConfigurationError */.j1(`${exchange.credentials}: GitHub gives no OIDC token for these credentials (${(0,google_transport/* describeFailure */.Ic)(failure)}). ` +
            'They belong to the job that ran google-github-actions/auth, with `permissions: id-token: write`: run it in this job.');
    }
    return new errors/* ConfigurationError */.j1(`${input(exchange)}: Google does not take the credentials (${(0,google_transport/* describeFailure */.Ic)(failure)}). The key or the login has been revoked, or belongs to another universe.`);
}
function exchangeRefused(failure, exchange) {
    const { provider } = exchange;
    const place = provider ? `${provider.name}` : 'the provider of the credentials';
    const causes = [
        [
            /attribute condition/i,
            `The condition of ${place} does not accept this run: ${claims(exchange.idToken)}. ` +
                `Compare with \`${describeProvider(provider)} --format='value(attributeCondition,attributeMapping)'\`; case counts in names.`,
        ],
        [
            /invalid_target|Invalid value for "?audience|disabled or deleted/i,
            `There is no enabled provider ${place}: is the project's number right (not its id), does the name end with the provider's and not the pool's, is either disabled or deleted? ` +
                `See \`${describeProvider(provider)}\`; a new one takes up to 5 minutes.`,
        ],
        [
            /audience in/i,
            `${place} does not take tokens for the audience ${exchange.audience ?? 'of the credentials'}. ` +
                'Add it to the allowed audiences of the provider, or leave that list empty.',
        ],
        [/issuer/i, `${place} is for another issuer than this GitHub; its issuer URI must be ${issuer(exchange.idToken)}.`],
        [
            /127 bytes/i,
            'The subject of the token is too long: map google.subject to a shorter claim, such as assertion.repository.',
        ],
        [/stale|expired|not yet valid|iat/i, 'The clock of this runner, or of who issued the token, is off.'],
    ];
    const words = `${failure.reason} ${failure.message}`;
    const cause = causes.find(([pattern]) => pattern.test(words))?.[1];
    return new errors/* ConfigurationError */.j1(`${input(exchange)}: Google does not exchange GitHub's token (${(0,google_transport/* describeFailure */.Ic)(failure)}).\n  ` +
        (cause ?? `Check ${place} and its attribute mapping and condition; the token says ${claims(exchange.idToken)}.`));
}
function impersonationRefused(failure, exchange) {
    const account = exchange.serviceAccount ?? 'the service account';
    const words = `${failure.reason} ${failure.message}`;
    if (/has not been used|SERVICE_DISABLED|is disabled/i.test(words)) {
        return new errors/* ConfigurationError */.j1(`${serviceAccountInput(exchange)}: the IAM Service Account Credentials API is off (${(0,google_transport/* describeFailure */.Ic)(failure)}). ` +
            'Turn it on: `gcloud services enable iamcredentials.googleapis.com`.');
    }
    if (failure.status === 404) {
        return new errors/* ConfigurationError */.j1(`${serviceAccountInput(exchange)}: there is no service account ${account} (${(0,google_transport/* describeFailure */.Ic)(failure)}). Check its address; it may be deleted or disabled.`);
    }
    if (failure.status !== 403) {
        return new errors/* ConfigurationError */.j1(`${serviceAccountInput(exchange)}: Google does not take the token of ${exchange.provider?.name ?? 'the provider'} to become ${account} (${(0,google_transport/* describeFailure */.Ic)(failure)}). ` +
            'That is no matter of a binding: is the universe the right one (CLOUDSDK_CORE_UNIVERSE_DOMAIN), and is the clock of this runner right? Run the job again.');
    }
    const member = principalOf(exchange.provider, exchange.idToken) ??
        'principal://iam.googleapis.com/projects/NUMBER/locations/global/workloadIdentityPools/POOL/subject/SUBJECT';
    return new errors/* ConfigurationError */.j1(`${serviceAccountInput(exchange)}: this run may not be ${account} (${(0,google_transport/* describeFailure */.Ic)(failure)}).\n` +
        `  The run is ${claims(exchange.idToken)}. Grant it, as its subject or by an attribute (principalSet://\u2026/attribute.repository/OWNER/REPO):\n` +
        `  gcloud iam service-accounts add-iam-policy-binding ${account} --role=roles/iam.workloadIdentityUser --member='${member}'\n` +
        '  A new binding takes some minutes (up to 7) to hold. The account may also not exist: Google says the same.');
}
/** The run itself, as a member of an IAM binding; undefined where the provider or the subject is not known. */
function principalOf(provider, idToken) {
    if (!provider || idToken === undefined)
        return undefined;
    return `principal://iam.googleapis.com/projects/${provider.project}/locations/global/workloadIdentityPools/${provider.pool}/subject/${claim(idToken, 'sub') ?? 'SUBJECT'}`;
}
function input(exchange) {
    return exchange.credentials ?? 'workload-identity-provider';
}
function serviceAccountInput(exchange) {
    return exchange.credentials ?? 'service-account';
}
function describeProvider(provider) {
    const [project, pool, id] = provider
        ? [provider.project, provider.pool, provider.id]
        : ['PROJECT', 'POOL', 'PROVIDER'];
    return `gcloud iam workload-identity-pools providers describe ${id} --location=global --workload-identity-pool=${pool} --project=${project}`;
}
/** What a provider's condition can look at; none of it is secret, the token itself is. */
function claims(idToken) {
    const names = ['sub', 'repository', 'repository_owner', 'ref', 'environment', 'event_name'];
    const known = names.flatMap((name) => {
        const value = claim(idToken, name);
        return value === undefined ? [] : [`${name}=${value}`];
    });
    return known.length > 0 ? known.join(', ') : "known by the claims of GitHub's token";
}
function issuer(idToken) {
    return claim(idToken, 'iss') ?? 'https://token.actions.githubusercontent.com';
}
/** One line, whatever a branch is called: it ends in the log. */
function claim(idToken, name) {
    try {
        const payload = JSON.parse(Buffer.from(idToken?.split('.')[1] ?? '', 'base64url').toString('utf8'));
        const value = payload[name];
        return typeof value === 'string' ? value.replace(/[\u0000-\u001f\u007f']/g, '?').slice(0, 300) : undefined;
    }
    catch {
        return undefined;
    }
}

// EXTERNAL MODULE: ./src/google/provider.ts
var google_provider = __webpack_require__(66582);
;// CONCATENATED MODULE: ./src/google/shared-token.ts
/** A token of 5 minutes serves for 4, one of an hour for 59 minutes, one of 20 s (as tests have them) for 15 s. */
const spare = (lifetime) => Math.min(60_000, lifetime / 4);
/** How long a token that still holds is used on after its renewal failed. */
const patience = 5_000;
/**
 * One exchange serves every request until shortly before the token ends, and everybody who asks meanwhile. The window of
 * google-auth-library, 5 minutes, is the whole life of a federated token: it would exchange anew for each request.
 */
function shareToken(exchange, now = Date.now) {
    let current;
    let renewAt = 0;
    let pending;
    const renew = async () => {
        try {
            const asked = now();
            current = await exchange();
            renewAt = current.expires - spare(current.expires - asked);
        }
        catch (error) {
            if (!current || now() >= current.expires)
                throw error;
            renewAt = now() + patience; // Google is away for a moment: what is at hand still serves
        }
        return current;
    };
    return () => {
        if (current && now() < Math.min(renewAt, current.expires))
            return Promise.resolve(current);
        pending ??= renew().finally(() => {
            pending = undefined;
        });
        return pending;
    };
}

;// CONCATENATED MODULE: ./src/google/identity.ts







const scope = 'https://www.googleapis.com/auth/cloud-platform';
/**
 * Reads who the job is to Google; nothing is contacted before the first token.
 * @throws ConfigurationError where there is no identity, or it is not usable
 */
async function googleTokenSource(options, env) {
    const mask = (value) => {
        options.secret(value);
        options.secret(Buffer.from(value).toString('base64'));
    };
    if (options.workloadIdentityProvider) {
        const provider = (0,google_provider/* parseProvider */.t)(options.workloadIdentityProvider);
        const account = options.serviceAccount ? (0,google_provider/* parseServiceAccount */.Y)(options.serviceAccount) : undefined;
        const endpoints = (0,google_endpoints/* googleEndpoints */.gt)(env);
        // GitHub sets it for jobs that may have a token at all: known before anything is contacted.
        if (!env['ACTIONS_ID_TOKEN_REQUEST_URL'])
            throw explainIdToken(undefined, env);
        let idToken;
        const getIdToken = async (audience) => (idToken = await options.getIdToken(audience));
        return {
            description: `${account ?? `the principal of GitHub's token`} by ${provider.pool}/${provider.id}`,
            projectId: projectOf(env, account),
            universe: endpoints.universe,
            serviceAccount: account,
            ...renewable(() => federate(provider, account, endpoints, { ...options, getIdToken, secret: mask }, env)),
            member: () => (account === undefined ? principalOf(provider, idToken) : `serviceAccount:${account}`),
        };
    }
    if (options.serviceAccount) {
        throw new errors/* ConfigurationError */.j1('service-account: goes together with workload-identity-provider, which is not set. Set both; ' +
            'or leave both out and give service_account to google-github-actions/auth in a step before.');
    }
    const credentials = await readCredentials(env);
    const endpoints = (0,google_endpoints/* googleEndpoints */.gt)(env, credentials.universe);
    return {
        description: credentials.description,
        projectId: projectOf(env, credentials.serviceAccount) ?? credentials.projectId,
        universe: endpoints.universe,
        serviceAccount: credentials.serviceAccount,
        ...renewable(() => useCredentials(credentials, mask)),
        member: () => credentials.serviceAccount && `serviceAccount:${credentials.serviceAccount}`,
    };
}
/** One that is refused so soon after it was made will not get better by another, ms. */
const tooYoung = 5_000;
function renewable(exchange) {
    let share = shareToken(exchange);
    let last;
    return {
        token: async () => {
            const token = await share();
            if (last?.value !== token.value)
                last = { value: token.value, since: Date.now() };
            return token;
        },
        refused: (token) => {
            if (last?.value === token && Date.now() - last.since >= tooYoung)
                share = shareToken(exchange);
        },
    };
}
/** GitHub's token \u2192 Google's, by STS \u2192 the service account's. */
async function federate(provider, account, endpoints, options, env) {
    // As google-github-actions/auth names it: by the universe's own IAM.
    const resource = `iam.${endpoints.universe}/${provider.name}`;
    const audience = options.audience || `https://${resource}`;
    const idToken = await options.getIdToken(audience).catch((error) => {
        throw explainIdToken(error, env);
    });
    options.secret(idToken);
    const tokenUrl = endpoints.url('sts', 'v1/token');
    const exchange = {
        provider,
        serviceAccount: account,
        audience,
        tokenUrl,
        impersonationUrl: account && endpoints.url('iamcredentials', `v1/projects/-/serviceAccounts/${account}:generateAccessToken`),
        idToken,
    };
    const { IdentityPoolClient } = await __webpack_require__.e(/* import() */ 492).then(__webpack_require__.t.bind(__webpack_require__, 492, 23));
    const transporter = await maskingTransport(options.secret);
    const client = new IdentityPoolClient({
        type: 'external_account',
        audience: `//${resource}`,
        subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
        token_url: tokenUrl,
        ...(exchange.impersonationUrl && {
            service_account_impersonation_url: exchange.impersonationUrl,
            service_account_impersonation: { token_lifetime_seconds: 3600 },
        }),
        subject_token_supplier: { getSubjectToken: () => Promise.resolve(idToken) },
        universe_domain: endpoints.universe,
        scopes: [scope],
        transporter,
    });
    client['stsCredential']['transporter'] = transporter; // else its calls have no time limit, and nothing is masked before use
    return accessToken(client, account !== undefined).catch((error) => {
        throw explainExchange(error, exchange);
    });
}
async function useCredentials(credentials, secret) {
    const library = await __webpack_require__.e(/* import() */ 492).then(__webpack_require__.t.bind(__webpack_require__, 492, 23));
    const transporter = await maskingTransport(secret);
    const { json } = credentials;
    try {
        if (credentials.type === 'external_account') {
            const client = new library.IdentityPoolClient({
                ...json,
                scopes: [scope],
                transporter,
            });
            client['stsCredential']['transporter'] = transporter;
            return await accessToken(client, credentials.serviceAccount !== undefined);
        }
        redirectTokenUri(transporter, json['token_uri']);
        const client = credentials.type === 'service_account'
            ? new library.JWT({
                email: json['client_email'],
                key: json['private_key'],
                scopes: [scope],
                transporter,
            })
            : new library.UserRefreshClient({
                clientId: json['client_id'],
                clientSecret: json['client_secret'],
                refreshToken: json['refresh_token'],
                transporter,
            });
        return await accessToken(client, false);
    }
    catch (error) {
        throw explainExchange(error, {
            credentials: credentials.from,
            serviceAccount: credentials.serviceAccount,
            tokenUrl: typeof json['token_url'] === 'string' ? json['token_url'] : undefined,
            impersonationUrl: credentials.impersonationUrl,
        });
    }
}
/** A client is made for each exchange: what is kept, and for how long, is for `shareToken` alone to say. */
async function accessToken(client, absoluteExpiry) {
    const asked = Date.now();
    const { token, res } = await client.getAccessToken();
    if (!token)
        throw new Error('the answer has no token');
    const expires = client.credentials.expiry_date ?? asked + 300_000;
    // An impersonated token's end is told by Google's clock; a runner's may be off by more than the token's life.
    const theirs = absoluteExpiry ? Date.parse(res?.headers.get('date') ?? '') : NaN;
    return { value: token, expires: Number.isNaN(theirs) ? expires : expires + (asked - theirs) };
}
/** Masks each token of an answer before anybody reads it, also the one between STS and the impersonation. */
async function maskingTransport(secret) {
    const transport = await (0,google_transport/* openTransport */.g2)();
    transport.interceptors.response.add({
        resolved: (response) => {
            const data = response.data;
            for (const name of ['access_token', 'accessToken', 'id_token', 'value']) {
                const value = typeof data === 'object' ? data[name] : undefined;
                if (typeof value === 'string' && value.length > 8)
                    secret(value);
            }
            return Promise.resolve(response);
        },
    });
    return transport;
}
/** The library knows one address for these exchanges; a key names its own (another universe's, or a test's). */
function redirectTokenUri(transport, tokenUri) {
    if (typeof tokenUri !== 'string')
        return;
    transport.interceptors.request.add({
        resolved: (config) => {
            if (config.url.href === 'https://oauth2.googleapis.com/token')
                config.url = new URL(tokenUri);
            return Promise.resolve(config);
        },
    });
}
function projectOf(env, serviceAccount) {
    for (const name of ['CLOUDSDK_CORE_PROJECT', 'GOOGLE_CLOUD_PROJECT', 'GCLOUD_PROJECT', 'GCP_PROJECT']) {
        if (env[name])
            return env[name];
    }
    return /@([a-z][a-z0-9-]+)\.iam\.gserviceaccount\.com$/.exec(serviceAccount ?? '')?.[1];
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
