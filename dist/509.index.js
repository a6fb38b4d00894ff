export const id = 509;
export const ids = [509];
export const modules = {

/***/ 87509:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {


// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  googleTokenSource: () => (/* binding */ googleTokenSource)
});

// EXTERNAL MODULE: ./src/common/errors.ts
var errors = __webpack_require__(71922);
// EXTERNAL MODULE: ./src/common/read-file.ts
var read_file = __webpack_require__(9360);
// EXTERNAL MODULE: ./src/google/endpoints.ts
var google_endpoints = __webpack_require__(28157);
;// CONCATENATED MODULE: ./src/google/auth/credentials-file.ts



const types = ['external_account', 'service_account', 'authorized_user'];
const variables = ['GOOGLE_APPLICATION_CREDENTIALS', 'GOOGLE_GHA_CREDS_PATH', 'CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE'];
const requiredFields = {
    external_account: ['audience', 'subject_token_type', 'token_url'],
    service_account: ['client_email', 'private_key'],
    authorized_user: ['client_id', 'client_secret', 'refresh_token'],
};
/**
 * Reads the credentials of an earlier step. Errors never show the content of the file.
 * @throws ConfigurationError where there are none, or they are of an unsupported type
 */
function readCredentials(env) {
    const from = variables.find((name) => env[name]);
    const path = from && env[from];
    if (!from || !path) {
        throw new errors/* ConfigurationError */.j1({
            code: 'E_GOOGLE_CREDENTIALS_MISSING',
            input: 'workload-identity-provider',
            problem: 'it is not set, and no earlier step created Google credentials (GOOGLE_APPLICATION_CREDENTIALS is not set)',
            fix: 'Set workload-identity-provider, or run google-github-actions/auth in an earlier step.',
        });
    }
    const json = parseObject(readCredentialsFile(from, path));
    const type = checkCredentials(json, from, path);
    const impersonationUrl = nonEmpty(json?.['service_account_impersonation_url']);
    const serviceAccount = type === 'service_account'
        ? nonEmpty(json?.['client_email'])
        : /serviceAccounts\/([^/:]+):generateAccessToken$/.exec(impersonationUrl ?? '')?.[1];
    return {
        type,
        json: json ?? {},
        from,
        description: describeCredentials({ type, json, from, serviceAccount }),
        serviceAccount,
        impersonationUrl,
        projectId: nonEmpty(json?.['project_id']) ?? nonEmpty(json?.['quota_project_id']),
        universe: nonEmpty(json?.['universe_domain']),
    };
}
function readCredentialsFile(from, path) {
    try {
        return (0,read_file/* readRegularFile */.X)(path).toString('utf8');
    }
    catch (error) {
        throw new errors/* ConfigurationError */.j1({
            code: 'E_GOOGLE_CREDENTIALS_MISSING',
            input: from,
            problem: `the file ${JSON.stringify(path)} cannot be read (${(0,errors/* messageOf */.bD)(error)})`,
            fix: 'google-github-actions/auth writes it into the workspace: run it in the same job, after actions/checkout, ' +
                'which deletes all files of the workspace.',
        });
    }
}
/** @returns the type @throws ConfigurationError where this action cannot use the credentials */
function checkCredentials(json, from, path) {
    const fail = (problem, fix) => new errors/* ConfigurationError */.j1({ code: 'E_GOOGLE_CREDENTIALS_INVALID', input: from, problem, fix });
    const file = `the file ${JSON.stringify(path)}`;
    const type = types.find((one) => one === json?.['type']);
    if (!json || !type) {
        const content = typeof json?.['type'] === 'string' ? `credentials of the type ${JSON.stringify(json['type'])}` : 'no credentials';
        throw fail(`${file} has ${content}`, `Supported types are ${types.join(', ')}.`);
    }
    const missing = requiredFields[type].filter((name) => typeof json[name] !== 'string' || json[name] === '');
    if (missing.length > 0) {
        throw fail(`${file} (${type}) lacks ${missing.join(', ')}`, 'Create the credentials again.');
    }
    const { url: sourceUrl } = (json['credential_source'] ?? {});
    const addresses = {
        token_url: json['token_url'],
        token_uri: json['token_uri'],
        service_account_impersonation_url: json['service_account_impersonation_url'],
        'credential_source.url': sourceUrl, // it receives the request token of the job
    };
    for (const [name, value] of Object.entries(addresses)) {
        if (value === undefined)
            continue;
        const url = typeof value === 'string' ? URL.parse(value) : undefined;
        if (!url)
            throw fail(`its ${name} is not a URL`, 'Create the credentials again.');
        if (!(0,google_endpoints/* isSafe */.IP)(url))
            throw fail(`its ${name} ${google_endpoints/* plainHttp */.BN.problem}`, google_endpoints/* plainHttp */.BN.fix);
    }
    return type;
}
function describeCredentials({ type, json, from, serviceAccount, }) {
    const [, pool, provider] = /workloadIdentityPools\/(.+)\/providers\/(.+)$/.exec(nonEmpty(json?.['audience']) ?? '') ?? [];
    const identity = serviceAccount ?? (type === 'external_account' ? `the principal of GitHub's token` : 'a user');
    const source = pool && provider ? `${pool}/${provider}, ` : '';
    return `${identity} by ${source}the ${type.replace('_', ' ')} of ${from}`;
}
function nonEmpty(value) {
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

// EXTERNAL MODULE: ./src/common/jwt.ts
var jwt = __webpack_require__(52424);
// EXTERNAL MODULE: ./src/common/remote-text.ts
var remote_text = __webpack_require__(14551);
// EXTERNAL MODULE: ./src/google/call-problem.ts
var call_problem = __webpack_require__(19681);
// EXTERNAL MODULE: ./src/google/transport.ts
var google_transport = __webpack_require__(44750);
;// CONCATENATED MODULE: ./src/google/auth/exchange-errors.ts





/** GitHub issues no token to a job without the permission, and never to a pull request from a fork. */
function idTokenProblem(error, env) {
    if (error instanceof errors/* ConfigurationError */.j1)
        return error;
    const reason = error === undefined ? '' : ` (${(0,remote_text/* toOneLine */.GX)((0,errors/* messageOf */.bD)(error), 300)})`;
    const isPullRequest = /^pull_request/.test(env['GITHUB_EVENT_NAME'] ?? '');
    const fork = isPullRequest
        ? 'This run is of a pull request: from a fork it never gets a token, whatever its permissions are.'
        : 'A run of a pull request from a fork never gets a token.';
    return new errors/* ConfigurationError */.j1({
        code: 'E_ID_TOKEN_UNAVAILABLE',
        input: 'workload-identity-provider',
        problem: `GitHub issues no ID token to this job${reason}`,
        fix: `In a reusable workflow, the calling job needs the permission, too. ${fork} ` + 'Add to the job:',
        command: 'permissions:\n  contents: read\n  id-token: write',
    });
}
/** The error of a failed exchange of GitHub's token for one of Google, with its usual causes. */
function exchangeProblem(error, exchange) {
    if (error instanceof errors/* ConfigurationError */.j1)
        return error;
    const input = exchange.credentials ?? 'workload-identity-provider';
    const failure = (0,google_transport/* failureOf */.g5)(error);
    if (!failure) {
        return new errors/* ConfigurationError */.j1({
            code: 'E_GOOGLE_CALL_FAILED',
            input,
            problem: 'no access token for Google Cloud',
            message: (0,remote_text/* toOneLine */.GX)((0,errors/* messageOf */.bD)(error), 300),
            fix: 'Check the credentials.',
        });
    }
    const outage = (0,call_problem/* outageOf */.n)(failure);
    if (outage)
        return new errors/* ConfigurationError */.j1({ ...outage, input });
    if (failure.url === exchange.impersonationUrl)
        return impersonationProblem(failure, exchange);
    if (failure.url === exchange.tokenUrl)
        return tokenExchangeProblem(failure, exchange, input);
    if (exchange.credentials !== undefined && exchange.tokenUrl !== undefined) {
        return new errors/* ConfigurationError */.j1({
            code: 'E_ID_TOKEN_UNAVAILABLE',
            input,
            problem: `GitHub issues no ID token for these credentials (${(0,google_transport/* describeFailure */.Ic)(failure)})`,
            fix: 'They belong to the job that ran google-github-actions/auth. ' +
                'Run it in this job, with `permissions: id-token: write`.',
        });
    }
    return new errors/* ConfigurationError */.j1({
        code: 'E_GOOGLE_CREDENTIALS_INVALID',
        input,
        problem: `Google does not accept the credentials (${(0,google_transport/* describeFailure */.Ic)(failure)})`,
        fix: 'The key or the login was revoked, or belongs to another universe: create the credentials again.',
    });
}
function exchangeCauses({ provider, audience, idToken }) {
    const name = provider?.name ?? 'the provider of the credentials';
    return [
        {
            pattern: /attribute condition/i,
            code: 'E_WORKLOAD_IDENTITY_CONDITION',
            cause: `the condition of ${name} does not accept this run: ${describeClaims(idToken)}`,
            fix: `Compare with \`${describeCommand(provider)} --format='value(attributeCondition,attributeMapping)'\`; names are case-sensitive.`,
        },
        {
            pattern: /invalid_target|Invalid value for "?audience|disabled or deleted/i,
            code: 'E_WORKLOAD_IDENTITY_PROVIDER',
            cause: `there is no enabled provider ${name}`,
            fix: 'Check that it has the number of the project (not its id), that the name ends with the provider (not the pool), ' +
                `and that neither is disabled or deleted: \`${describeCommand(provider)}\`. A new provider takes up to 5 minutes.`,
        },
        {
            pattern: /audience in/i,
            code: 'E_WORKLOAD_IDENTITY_PROVIDER',
            cause: `${name} does not accept tokens for the audience ${audience ?? 'of the credentials'}`,
            fix: 'Add it to the allowed audiences of the provider, or leave that list empty.',
        },
        {
            pattern: /issuer/i,
            code: 'E_WORKLOAD_IDENTITY_PROVIDER',
            cause: `${name} is for another issuer`,
            fix: `Its issuer URI must be ${claim(idToken, 'iss') ?? 'https://token.actions.githubusercontent.com'}.`,
        },
        {
            pattern: /127 bytes/i,
            code: 'E_WORKLOAD_IDENTITY_EXCHANGE',
            cause: 'the subject of the token is too long',
            fix: 'Map google.subject to a shorter claim, such as assertion.repository.',
        },
        {
            pattern: /stale|expired|not yet valid|iat/i,
            code: 'E_WORKLOAD_IDENTITY_EXCHANGE',
            cause: 'the token is not valid at this time',
            fix: 'Check the clock of this runner and of the issuer of the token.',
        },
    ];
}
function tokenExchangeProblem(failure, exchange, input) {
    const answer = `${failure.reason ?? ''} ${failure.message}`;
    const known = exchangeCauses(exchange).find(({ pattern }) => pattern.test(answer));
    const problem = `Google does not exchange GitHub's token (${(0,google_transport/* describeFailure */.Ic)(failure)})`;
    if (known) {
        const { code, cause, fix } = known;
        return new errors/* ConfigurationError */.j1({ code, input, problem: `${problem}: ${cause}`, fix });
    }
    return new errors/* ConfigurationError */.j1({
        code: 'E_WORKLOAD_IDENTITY_EXCHANGE',
        input,
        problem: `${problem}; the claims of the token are ${describeClaims(exchange.idToken)}`,
        fix: `Check ${exchange.provider?.name ?? 'the provider of the credentials'}, its attribute mapping and its condition.`,
    });
}
function impersonationProblem(failure, exchange) {
    const account = exchange.serviceAccount ?? 'the service account';
    const input = exchange.credentials ?? 'service-account';
    const answer = (0,google_transport/* describeFailure */.Ic)(failure);
    if ((0,google_transport/* disabledService */.ET)(failure)) {
        return new errors/* ConfigurationError */.j1({
            code: 'E_GOOGLE_API_DISABLED',
            input,
            problem: `the IAM Service Account Credentials API is disabled (${answer})`,
            fix: 'Enable it: `gcloud services enable iamcredentials.googleapis.com`.',
        });
    }
    if (failure.status === 404) {
        return new errors/* ConfigurationError */.j1({
            code: 'E_SERVICE_ACCOUNT_IMPERSONATION',
            input,
            problem: `there is no service account ${account} (${answer})`,
            fix: 'Check its address; it may be deleted or disabled.',
        });
    }
    if (failure.status !== 403) {
        return new errors/* ConfigurationError */.j1({
            code: 'E_GOOGLE_TOKEN_REJECTED',
            input,
            problem: `Google does not accept the token of ${exchange.provider?.name ?? 'the provider'} for the impersonation of ${account} (${answer})`,
            fix: 'An IAM binding does not solve this. Check the universe (CLOUDSDK_CORE_UNIVERSE_DOMAIN) and the clock of this runner, ' +
                'and run the job again.',
        });
    }
    const member = principalOf(exchange.provider, exchange.idToken) ??
        'principal://iam.googleapis.com/projects/NUMBER/locations/global/workloadIdentityPools/POOL/subject/SUBJECT';
    return new errors/* ConfigurationError */.j1({
        code: 'E_SERVICE_ACCOUNT_IMPERSONATION',
        input,
        problem: `this run may not impersonate ${account} (${answer}). Its claims are ${describeClaims(exchange.idToken)}`,
        fix: 'Grant it the role, by its subject or by an attribute (principalSet://\u2026/attribute.repository/OWNER/REPO). ' +
            'A new binding takes some minutes (up to 7) to apply. Google gives the same answer where the account does not exist.',
        command: `gcloud iam service-accounts add-iam-policy-binding ${account} --role=roles/iam.workloadIdentityUser --member='${member}'`,
    });
}
/** The run as a member of an IAM binding; undefined where the provider or the subject is not known. */
function principalOf(provider, idToken) {
    if (!provider || idToken === undefined)
        return undefined;
    const subject = claim(idToken, 'sub') ?? 'SUBJECT';
    return `principal://iam.googleapis.com/projects/${provider.project}/locations/global/workloadIdentityPools/${provider.pool}/subject/${subject}`;
}
function describeCommand(provider) {
    const { project, pool, id } = provider ?? { project: 'PROJECT', pool: 'POOL', id: 'PROVIDER' };
    return `gcloud iam workload-identity-pools providers describe ${id} --location=global --workload-identity-pool=${pool} --project=${project}`;
}
/** The claims that the condition of a provider can use. They are not secret; the token itself is. */
function describeClaims(idToken) {
    const names = ['sub', 'repository', 'repository_owner', 'ref', 'environment', 'event_name'];
    const known = names.flatMap((name) => {
        const value = claim(idToken, name);
        return value === undefined ? [] : [`${name}=${value}`];
    });
    return known.length > 0 ? known.join(', ') : "those of GitHub's token";
}
/** On one line, whatever the name of a branch is: it appears in the log, and in quotes in a command. */
function claim(idToken, name) {
    const value = (0,jwt/* parseJwtClaims */.a)(idToken ?? '')[name];
    return typeof value === 'string' ? (0,remote_text/* toOneLine */.GX)(value, 300).replaceAll("'", '?') : undefined;
}

// EXTERNAL MODULE: ./src/common/workload-identity.ts
var workload_identity = __webpack_require__(42259);
// EXTERNAL MODULE: ./src/common/cached-credential.ts
var cached_credential = __webpack_require__(34357);
// EXTERNAL MODULE: ./src/common/url-path.ts
var url_path = __webpack_require__(16902);
;// CONCATENATED MODULE: ./src/google/auth/identity.ts








const scope = 'https://www.googleapis.com/auth/cloud-platform';
/**
 * The Google identity of the job. Sends no request before the first token.
 * @throws ConfigurationError where there is no identity, or it cannot be used
 */
// eslint-disable-next-line @typescript-eslint/require-await -- its errors are rejections, like those of its tokens
async function googleTokenSource(options, env) {
    if (options.workloadIdentityProvider) {
        const provider = (0,workload_identity/* parseProvider */.t)(options.workloadIdentityProvider);
        const account = options.serviceAccount ? (0,workload_identity/* parseServiceAccount */.Y)(options.serviceAccount) : undefined;
        const endpoints = (0,google_endpoints/* googleEndpoints */.gt)(env);
        // GitHub sets it for jobs that may request a token, so this is known before any request.
        if (!env['ACTIONS_ID_TOKEN_REQUEST_URL'])
            throw idTokenProblem(undefined, env);
        let idToken;
        const getIdToken = async (audience) => (idToken = await options.getIdToken(audience));
        return {
            description: `${account ?? `the principal of GitHub's token`} by ${provider.pool}/${provider.id}`,
            projectId: projectOf(env, account),
            universe: endpoints.universe,
            serviceAccount: account,
            ...cacheToken(() => federate({ provider, account, endpoints, options: { ...options, getIdToken }, env })),
            member: () => (account === undefined ? principalOf(provider, idToken) : `serviceAccount:${account}`),
        };
    }
    if (options.serviceAccount) {
        throw new errors/* ConfigurationError */.j1({
            code: 'E_INPUT_CONFLICT',
            input: 'service-account',
            problem: 'it needs workload-identity-provider, which is not set',
            fix: 'Set both; or set neither, and give service_account to google-github-actions/auth in an earlier step.',
        });
    }
    const credentials = readCredentials(env);
    const endpoints = (0,google_endpoints/* googleEndpoints */.gt)(env, credentials.universe);
    return {
        description: credentials.description,
        projectId: projectOf(env, credentials.serviceAccount) ?? credentials.projectId,
        universe: endpoints.universe,
        serviceAccount: credentials.serviceAccount,
        ...cacheToken(() => useCredentials(credentials, options.maskSecret)),
        member: () => credentials.serviceAccount && `serviceAccount:${credentials.serviceAccount}`,
    };
}
function cacheToken(exchange) {
    let last;
    const cached = (0,cached_credential/* cacheCredential */.u)(async () => {
        last = await exchange();
        return { value: last, expiresAtMs: last.expiresAtMs };
    });
    return {
        token: cached.get,
        refused: (token) => {
            if (last?.value === token)
                cached.invalidate(last);
        },
    };
}
/** GitHub's token is exchanged for one of Google (STS), and that for one of the service account. */
async function federate({ provider, account, endpoints, options, env }) {
    // With the IAM host of the universe, as google-github-actions/auth has it.
    const resource = `iam.${endpoints.universe}/${provider.name}`;
    const audience = options.audience || `https://${resource}`;
    const idToken = await options.getIdToken(audience).catch((error) => {
        throw idTokenProblem(error, env);
    });
    options.maskSecret(idToken);
    const tokenUrl = endpoints.url('sts', 'v1/token');
    const exchange = {
        provider,
        serviceAccount: account,
        audience,
        tokenUrl,
        impersonationUrl: account && endpoints.url('iamcredentials', (0,url_path/* urlPath */.L) `v1/projects/-/serviceAccounts/${account}:generateAccessToken`),
        idToken,
    };
    const { IdentityPoolClient } = await __webpack_require__.e(/* import() */ 492).then(__webpack_require__.t.bind(__webpack_require__, 492, 23));
    const transporter = await maskingTransport(options.maskSecret);
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
    client['stsCredential']['transporter'] = transporter; // otherwise its calls have no time limit, and no token is masked before use
    return requestAccessToken(client, account !== undefined).catch((error) => {
        throw exchangeProblem(error, exchange);
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
            return await requestAccessToken(client, credentials.serviceAccount !== undefined);
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
        return await requestAccessToken(client, false);
    }
    catch (error) {
        throw exchangeProblem(error, {
            credentials: credentials.from,
            serviceAccount: credentials.serviceAccount,
            tokenUrl: typeof json['token_url'] === 'string' ? json['token_url'] : undefined,
            impersonationUrl: credentials.impersonationUrl,
        });
    }
}
/**
 * A new client for each exchange: only `cacheCredential` decides how long a token is used.
 * @param isExpiryByGoogleClock of an impersonated token; the expiry of the others is counted from now
 */
async function requestAccessToken(client, isExpiryByGoogleClock) {
    const requestedAtMs = Date.now();
    const { token, res } = await client.getAccessToken();
    if (!token)
        throw new Error('the answer has no token');
    const expiresAtMs = client.credentials.expiry_date ?? requestedAtMs + defaultLifetimeMs;
    // The clock of a runner may differ from Google's by more than the lifetime of a token.
    const googleTimeMs = isExpiryByGoogleClock ? Date.parse(res?.headers.get('date') ?? '') : NaN;
    return {
        value: token,
        expiresAtMs: Number.isNaN(googleTimeMs) ? expiresAtMs : expiresAtMs + (requestedAtMs - googleTimeMs),
    };
}
/** of a token whose answer does not have it */
const defaultLifetimeMs = 300_000;
/** Masks each token of an answer before it is used, also the one between STS and the impersonation. */
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
/** The library has one fixed address for these exchanges; a key names another (of another universe, or of a test). */
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
