export const id = 299;
export const ids = [299];
export const modules = {

/***/ 22299:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {


// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  GoogleNodeAccess: () => (/* binding */ GoogleNodeAccess)
});

// EXTERNAL MODULE: ./src/common/errors.ts
var errors = __webpack_require__(71922);
// EXTERNAL MODULE: ./src/common/proxy.ts
var proxy = __webpack_require__(51709);
// EXTERNAL MODULE: external "node:timers/promises"
var promises_ = __webpack_require__(58500);
// EXTERNAL MODULE: ./src/common/with-dirname.ts
var with_dirname = __webpack_require__(29960);
// EXTERNAL MODULE: ./src/google/endpoints.ts
var google_endpoints = __webpack_require__(28157);
// EXTERNAL MODULE: ./src/google/transport.ts
var google_transport = __webpack_require__(44750);
;// CONCATENATED MODULE: ./src/google/compute/apis.ts




/** For each call of the instances client: the transport below it already retries. */
const callOptions = { timeout: 60_000, retry: null };
/** @throws ConfigurationError where the environment overrides the address of a service with an invalid one */
function openGoogleApis(source, env, pause = (durationMs) => (0,promises_.setTimeout)(durationMs)) {
    const endpoints = (0,google_endpoints/* googleEndpoints */.gt)(env, source.universe);
    const authorization = async () => `Bearer ${(await source.token()).value}`;
    let client;
    return {
        endpoints,
        pause,
        instances: () => (client ??= openInstancesClient(endpoints, authorization)),
        call: async (method, url, body) => {
            const transport = await (0,google_transport/* openTransport */.g2)();
            const headers = { authorization: await authorization() };
            const request = { url, method, headers, responseType: 'json', ...(body !== undefined && { data: body }) };
            return (await transport.request(request)).data;
        },
    };
}
/** Imported by the path of the one client, 9 MB: the root of the package is 78 MB. */
async function openInstancesClient(endpoints, authorization) {
    const transport = await (0,google_transport/* openTransport */.g2)();
    const { InstancesClient } = await (0,with_dirname/* withDirname */.h)(() => Promise.all(/* import() */[__webpack_require__.e(492), __webpack_require__.e(891)]).then(__webpack_require__.bind(__webpack_require__, 60891)));
    // All that the client needs of its credentials. With it, requests use the proxy and the overrides of the environment, and have time limits.
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
        // With GOOGLE_SDK_NODE_LOGGING the client would write requests and answers to stderr, which hold the metadata of a node.
        ...{ enableTelemetryLogging: false, enableTelemetryTracing: false },
    };
    const client = new InstancesClient(options);
    Object.defineProperty(client, '_log', { value: { info: () => undefined } });
    return client;
}

// EXTERNAL MODULE: ./src/common/url-path.ts
var url_path = __webpack_require__(16902);
// EXTERNAL MODULE: ./src/google/call-problem.ts
var call_problem = __webpack_require__(19681);
;// CONCATENATED MODULE: ./src/google/compute/instance.ts




/** The resource name: `projects/PROJECT/zones/ZONE/instances/NAME`. */
function instancePath({ project, zone, name }) {
    return `projects/${project}/zones/${zone}/instances/${name}`;
}
/**
 * Reads the instance, its project and the host keys that it published.
 * @throws ConfigurationError
 */
async function describeInstance(apis, name) {
    const client = await apis.instances();
    const { project, zone } = name;
    const remarks = [];
    const [instance] = await client.get({ project, zone, instance: name.name }, callOptions).catch((error) => {
        throw (0,call_problem/* callProblem */.U)(error, {
            code: 'E_GCE_INSTANCE_UNAVAILABLE',
            input: 'node-method',
            problem: `the instance ${instancePath(name)} cannot be read`,
            fix: (0,google_transport/* failureOf */.g5)(error)?.status === 404
                ? 'The node may just have been replaced: run the job again. Or use node-method: pod.'
                : 'Grant the identity compute.instances.get in the project (docs/terraform has the role), or use node-method: pod.',
            mayAnswerQuoteSecrets: true,
        });
    });
    const projectMetadata = await readProjectMetadata(apis, project, remarks);
    const isEnabled = (key) => setting(instance.metadata, key) ?? setting(projectMetadata, key) ?? false;
    const account = instance.serviceAccounts?.[0]?.email;
    return {
        ...{ project, zone, name: name.name, id: String(instance.id ?? '') },
        ...{
            interface: instance.networkInterfaces?.[0]?.name || 'nic0',
            status: instance.status ? String(instance.status) : undefined,
        },
        ...(account && { serviceAccount: account }),
        osLogin: osLoginOf(isEnabled),
        hostKeys: isEnabled('enable-guest-attributes') ? await readHostKeys(apis, name, remarks) : [],
        remarks,
    };
}
function osLoginOf(isEnabled) {
    if (!isEnabled('enable-oslogin'))
        return 'off';
    return isEnabled('enable-oslogin-certificates') ? 'certificates-required' : 'on';
}
/** A metadata setting, as the guest reads it; undefined where it is not set. */
function setting(metadata, key) {
    const item = metadata?.items?.find((one) => one.key === key);
    return item && /^(true|yes|y|1)$/i.test(item.value ?? '');
}
async function readProjectMetadata(apis, project, remarks) {
    try {
        const url = apis.endpoints.url('compute', (0,url_path/* urlPath */.L) `projects/${project}?fields=commonInstanceMetadata`);
        return (await apis.call('GET', url)).commonInstanceMetadata;
    }
    catch (error) {
        const failure = (0,google_transport/* failureOf */.g5)(error);
        if (failure?.status !== 403) {
            throw (0,call_problem/* callProblem */.U)(error, {
                input: 'node-method',
                problem: `the project ${project} cannot be read`,
                fix: 'Check that it exists.',
                mayAnswerQuoteSecrets: true,
            });
        }
        remarks.push(`The settings of the project ${project} cannot be read (${(0,google_transport/* describeFailure */.Ic)(failure)}): whether OS Login is on ` +
            'is taken from the instance alone. To take the project into account, grant compute.projects.get.');
        return undefined;
    }
}
const hostKeyTypes = ['ssh-ed25519', 'ecdsa-sha2-nistp256', 'ssh-rsa'];
/** The host keys in the guest attributes that are valid and of a known type. */
async function readHostKeys(apis, name, remarks) {
    const client = await apis.instances();
    const request = { project: name.project, zone: name.zone, instance: name.name, queryPath: 'hostkeys/' };
    try {
        const [{ queryValue }] = await client.getGuestAttributes(request, callOptions);
        return (queryValue?.items ?? []).flatMap(({ namespace, key, value }) => {
            const [encoded = ''] = (value ?? '').split(/\s/);
            const isBase64 = encoded !== '' && Buffer.from(encoded, 'base64').toString('base64') === encoded;
            return namespace === 'hostkeys' && key && hostKeyTypes.includes(key) && isBase64 ? [`${key} ${encoded}`] : [];
        });
    }
    catch (error) {
        const failure = (0,google_transport/* failureOf */.g5)(error);
        if (failure?.status === 404)
            return []; // the guest writes them at its first boot only
        if (failure?.status !== 403) {
            throw (0,call_problem/* callProblem */.U)(error, {
                input: 'node-method',
                problem: `the host keys of ${instancePath(name)} cannot be read`,
                fix: 'Run the job again.',
                mayAnswerQuoteSecrets: true,
            });
        }
        remarks.push(`The host keys of the node cannot be read (${(0,google_transport/* describeFailure */.Ic)(failure)}): the first key that is seen is trusted. ` +
            'To have it verified, grant compute.instances.getGuestAttributes.');
        return [];
    }
}

;// CONCATENATED MODULE: ./src/google/compute/metadata-key.ts






/** One name for all runs, because the account remains on the node when its keys are removed. */
const metadataUser = 'gha-capture';
/** of one metadata value */
const maxValueBytes = 262_144;
/** for a change, where others change the metadata at the same time */
const maxAttemptCount = 10;
/** of the state of an operation: 90 s in all */
const maxPollCount = 34;
/**
 * The line from which the guest agent authorizes a key until it expires. The JSON has no spaces, the time no fraction and `+0000`:
 * as gcloud writes it, and as every version of the agent reads it.
 * @param publicKey `ssh-ed25519 AAAA\u2026`, without a comment
 */
function keyEntry(publicKey, expires) {
    const expireOn = expires.toISOString().replace(/\.\d+Z$/, '+0000');
    return `${metadataUser}:${publicKey} google-ssh ${JSON.stringify({ userName: metadataUser, expireOn })}`;
}
/** `value` (undefined: not set) with the entry, and without expired entries of this action; every other byte is unchanged. */
function withEntry(value, entry, now) {
    if (value === undefined)
        return entry;
    const [key] = parseEntry(entry);
    const kept = value
        .split('\n')
        .filter((line) => !isOwnEntry(line) || !(parseEntry(line)[0] === key || hasExpired(line, now)));
    // Before the end of the last line, if it has one.
    kept.splice(kept.at(-1) === '' ? -1 : kept.length, 0, entry);
    return kept.join('\n');
}
/** `value` without the key, and without expired entries of this action. */
function withoutKey(value, publicKey, now) {
    const [, wanted] = publicKey.split(' ');
    return value
        .split('\n')
        .filter((line) => !isOwnEntry(line) || (parseEntry(line)[0] !== wanted && !hasExpired(line, now)))
        .join('\n');
}
function isOwnEntry(line) {
    return line.startsWith(`${metadataUser}:`) && line.includes(' google-ssh {');
}
/** The base64 of the key and the JSON of `USER:TYPE BASE64 google-ssh {\u2026}`. */
function parseEntry(line) {
    const [, key, rest] = /^[^ ]+ ([^ ]+) google-ssh (\{.*\})\s*$/.exec(line) ?? [];
    return [key, rest];
}
function hasExpired(line, now) {
    try {
        const { expireOn } = JSON.parse(parseEntry(line)[1] ?? '');
        return typeof expireOn === 'string' && Date.parse(expireOn.replace(/([+-]\d\d)(\d\d)$/, '$1:$2')) <= now.getTime();
    }
    catch {
        return false; // an unknown form is not removed
    }
}
/** Adds the key to the metadata of the instance, never to that of the project. @throws ConfigurationError */
async function addKey(apis, name, publicKey, expires) {
    const change = (value) => withEntry(value, keyEntry(publicKey, expires), new Date());
    await changeKeys(apis, name, change).catch((error) => {
        throw changeProblem(error, name);
    });
}
/**
 * Removes the key from the metadata of the instance, if it is there.
 * @returns whether the instance exists
 * @throws ConfigurationError where the key could not be removed
 */
async function removeKey(apis, name, publicKey) {
    const change = (value) => {
        const rest = value === undefined ? undefined : withoutKey(value, publicKey, new Date());
        // This action's key was the only one, so the item is removed with it.
        return rest === '' && value !== '' && !value?.endsWith('\n') ? undefined : rest;
    };
    try {
        await changeKeys(apis, name, change);
        return true;
    }
    catch (error) {
        if ((0,google_transport/* failureOf */.g5)(error)?.status === 404)
            return false;
        throw changeProblem(error, name);
    }
}
/** Read, modify, write: setMetadata replaces all items, and is refused (412) where they have changed since they were read. */
async function changeKeys(apis, name, change) {
    const client = await apis.instances();
    const target = { project: name.project, zone: name.zone, instance: name.name };
    for (let attempt = 1;; attempt++) {
        const [{ metadata }] = await client.get(target, callOptions);
        const items = metadata?.items ?? [];
        const before = items.find(({ key }) => key === 'ssh-keys')?.value ?? undefined;
        const after = change(before);
        if (after === before)
            return;
        checkSize(after ?? '', name);
        const metadataResource = {
            items: withKeys(items, after),
            ...(metadata?.fingerprint && { fingerprint: metadata.fingerprint }),
        };
        try {
            const [operation] = await client.setMetadata({ ...target, metadataResource }, callOptions);
            await waitForOperation(apis, name, operation.latestResponse);
            return;
        }
        catch (error) {
            if (!isConflict(error) || attempt >= maxAttemptCount)
                throw error;
            await apis.pause((0.5 + Math.random()) * Math.min(100 * 2 ** attempt, 3_000));
        }
    }
}
/** The items with this value of `ssh-keys` in the place of the old one; undefined: without it. */
function withKeys(items, value) {
    if (value === undefined)
        return items.filter(({ key }) => key !== 'ssh-keys');
    if (!items.some(({ key }) => key === 'ssh-keys'))
        return [...items, { key: 'ssh-keys', value }];
    return items.map((item) => (item.key === 'ssh-keys' ? { ...item, value } : item));
}
function checkSize(value, name) {
    const sizeBytes = Buffer.byteLength(value);
    if (sizeBytes <= maxValueBytes)
        return;
    throw new errors/* ConfigurationError */.j1({
        code: 'E_GCE_METADATA_FULL',
        input: 'node-method',
        problem: `the ssh-keys in the metadata of ${instancePath(name)} have no room for another key ` +
            `(${String(sizeBytes)} bytes, the limit is ${String(maxValueBytes)})`,
        fix: 'Remove keys that are no longer needed, or enable OS Login.',
    });
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
    return error instanceof OperationFailed ? error.conflict : (0,google_transport/* failureOf */.g5)(error)?.status === 412;
}
/** The guest sees the new metadata when the operation is done, not when it begins. */
async function waitForOperation(apis, name, begun) {
    const id = begun.name ?? '-';
    const url = apis.endpoints.url('compute', (0,url_path/* urlPath */.L) `projects/${name.project}/zones/${name.zone}/operations/${id}`);
    let operation = begun;
    for (let poll = 0; operation.status !== 'DONE'; poll++) {
        if (poll >= maxPollCount)
            throw new OperationFailed('the operation did not end within 90 s');
        await apis.pause(Math.min(200 * 1.5 ** poll, 3_000));
        operation = await apis.call('GET', url);
    }
    const codes = (operation.error?.errors ?? []).map(({ code }) => code ?? '?');
    if (codes.length === 0)
        return;
    const conflict = operation.httpErrorStatusCode === 412 || codes.includes('CONDITION_NOT_MET');
    throw new OperationFailed(`the operation ended in ${codes.join(', ')}`, conflict);
}
function changeProblem(error, name) {
    const problem = `the SSH key cannot be changed in the metadata of ${instancePath(name)}`;
    if (isConflict(error)) {
        return new errors/* ConfigurationError */.j1({
            code: 'E_GCE_METADATA_CONFLICT',
            input: 'node-method',
            problem: `${problem}: another client changed it at the same time in each of ${String(maxAttemptCount)} attempts`,
            fix: 'Run the job again.',
        });
    }
    const isKnown = [error, error.cause].some((one) => one instanceof OperationFailed || one instanceof errors/* ConfigurationError */.j1);
    // Another error of the client library may quote the request.
    return (0,call_problem/* callProblem */.U)(isKnown || (0,google_transport/* failureOf */.g5)(error) ? error : new Error(error.name), {
        input: 'node-method',
        problem,
        fix: 'Grant the identity compute.instances.get, compute.instances.setMetadata and compute.zoneOperations.get in the project ' +
            "and roles/iam.serviceAccountUser on the node's service account (docs/terraform), or use node-method: pod.",
        mayAnswerQuoteSecrets: true,
    });
}

;// CONCATENATED MODULE: ./src/google/compute/os-login.ts




const maxDeleteCount = 8;
/**
 * Adds a key to the OS Login profile of the caller. Every node with OS Login reads it, where the caller may log in.
 * Resolves when the key is replicated to the region.
 * @returns the user name on the nodes
 * @throws ConfigurationError
 */
async function importKey(apis, { account, publicKey }, { project, region }, expires) {
    const query = new URLSearchParams({ projectId: project, regions: region }).toString();
    const url = apis.endpoints.url('oslogin', `${(0,url_path/* urlPath */.L) `v1/users/${account}:importSshPublicKey`}?${query}`);
    const body = { key: publicKey, expirationTimeUsec: String(expires.getTime() * 1000) };
    const { loginProfile = {} } = await apis
        .call('POST', url, body)
        .catch((error) => {
        throw (0,call_problem/* callProblem */.U)(error, {
            code: 'E_OS_LOGIN_REFUSED',
            input: 'service-account',
            problem: `OS Login does not accept a key for ${account}`,
            fix: 'The identity may write its own profile only: check that service-account is the one that runs this job. ' +
                'It needs roles/compute.osAdminLogin for the node.',
            mayAnswerQuoteSecrets: true,
        });
    });
    // A policy of the organization can refuse keys, and the answer is a success all the same.
    if (fingerprintsOf(loginProfile, publicKey).length === 0) {
        throw new errors/* ConfigurationError */.j1({
            code: 'E_OS_LOGIN_REFUSED',
            input: 'service-account',
            problem: `OS Login did not store the key for ${account}: a policy of the organization forbids keys in profiles`,
            fix: 'Let the policy allow them for this account, or use node-method: pod.',
        });
    }
    const accounts = loginProfile.posixAccounts ?? [];
    const user = (accounts.find((one) => one.primary === true && one.username) ?? accounts[0])?.username;
    if (!user) {
        throw new errors/* ConfigurationError */.j1({
            code: 'E_OS_LOGIN_REFUSED',
            input: 'service-account',
            problem: `the OS Login profile of ${account} has no POSIX account in ${project}`,
            fix: 'Grant it roles/compute.osAdminLogin there, or use node-method: pod.',
        });
    }
    return user;
}
/** Removes the key from the profile, if it is there. @throws where it could not be removed */
async function deleteKey(apis, { account, publicKey }) {
    const profile = await apis.call('GET', apis.endpoints.url('oslogin', (0,url_path/* urlPath */.L) `v1/users/${account}/loginProfile`));
    for (const fingerprint of fingerprintsOf(profile, publicKey)) {
        const url = apis.endpoints.url('oslogin', (0,url_path/* urlPath */.L) `v1/users/${account}/sshPublicKeys/${fingerprint}`);
        await deleteWithRetries(apis, url);
    }
}
/** All jobs of the account share the profile: two changes at the same time are answered with 409. */
async function deleteWithRetries(apis, url) {
    for (let attempt = 1;; attempt++) {
        try {
            await apis.call('DELETE', url);
            return;
        }
        catch (error) {
            const status = (0,google_transport/* failureOf */.g5)(error)?.status;
            if (status === 404)
                return;
            if (status !== 409 || attempt >= maxDeleteCount)
                throw error;
            await apis.pause((0.5 + Math.random()) * Math.min(100 * 2 ** attempt, 3_000));
        }
    }
}
/** Of the key, whatever its comment is. */
function fingerprintsOf(profile, publicKey) {
    const [, wanted] = publicKey.split(' ');
    return Object.entries(profile.sshPublicKeys ?? {})
        .filter(([, { key }]) => key?.split(/\s+/)[1] === wanted)
        .map(([fingerprint]) => fingerprint);
}

// EXTERNAL MODULE: external "node:crypto"
var external_node_crypto_ = __webpack_require__(77598);
;// CONCATENATED MODULE: ./src/google/compute/login-key.ts

/**
 * An ed25519 key pair in OpenSSH's format (PROTOCOL.key of openssh-portable), which Node's crypto does not write.
 * The generator of ssh2 is not used: it removes leading zero bytes of the public key, so that one pair of 256 is invalid.
 */
function generateLoginKey() {
    const { d = '', x = '' } = (0,external_node_crypto_.generateKeyPairSync)('ed25519').privateKey.export({ format: 'jwk' });
    const type = field('ssh-ed25519');
    const publicKey = Buffer.from(x, 'base64url');
    const publicBlob = Buffer.concat([type, field(publicKey)]);
    const check = (0,external_node_crypto_.randomBytes)(4);
    const halves = Buffer.concat([Buffer.from(d, 'base64url'), publicKey]);
    const secret = Buffer.concat([check, check, type, field(publicKey), field(halves), field('')]);
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
/** The bytes after their length. */
function field(value) {
    const bytes = Buffer.from(value);
    return Buffer.concat([login_key_length(bytes.length), bytes]);
}
function login_key_length(value) {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value);
    return bytes;
}

;// CONCATENATED MODULE: ./src/google/compute/login.ts






/**
 * How the key will be granted. Sends no request.
 * @param principal address of the service account (or user) of the token; undefined for a federated principal
 * @throws ConfigurationError where this identity cannot log in to this instance
 */
function planLogin(instance, principal, { publicKey }) {
    const record = { project: instance.project, zone: instance.zone, instance: instance.name, publicKey };
    if (instance.osLogin === 'off')
        return { kind: 'metadata', ...record };
    if (instance.osLogin === 'certificates-required') {
        throw new errors/* ConfigurationError */.j1({
            code: 'E_OS_LOGIN_REFUSED',
            input: 'node-method',
            problem: `${instancePath(instance)} accepts OS Login certificates only (enable-oslogin-certificates), ` +
                'and this action logs in with keys',
            fix: 'Use node-method: pod.',
        });
    }
    if (principal === undefined) {
        throw new errors/* ConfigurationError */.j1({
            code: 'E_OS_LOGIN_REFUSED',
            input: 'service-account',
            problem: `it is not set, and ${instancePath(instance)} has OS Login on, which accepts no keys of a federated identity`,
            fix: 'Set service-account to one with roles/compute.osAdminLogin, or use node-method: pod.',
        });
    }
    return { kind: 'os-login', ...record, account: principal };
}
/**
 * Grants the key until it expires. It can take a minute until the node accepts it.
 * @returns the user to log in as
 * @throws ConfigurationError; the key may be granted all the same, so revoke the record
 */
async function grantLogin(apis, { instance, key: { publicKey }, record, expires }) {
    if (record.kind === 'metadata') {
        await addKey(apis, instance, publicKey, expires);
        return { user: metadataUser };
    }
    const region = instance.zone.replace(/-[^-]*$/, '');
    const key = { account: record.account ?? '', publicKey };
    return { user: await importKey(apis, key, { project: instance.project, region }, expires) };
}
/** Removes the key, also where it was never granted. Never throws. */
async function revokeLogin(apis, record) {
    return record.kind === 'os-login' ? revokeOsLogin(apis, record) : revokeMetadataLogin(apis, record);
}
async function revokeOsLogin(apis, { account = '', publicKey }) {
    try {
        await deleteKey(apis, { account, publicKey });
        return { isKeyRemoved: true, leftovers: [] };
    }
    catch (error) {
        const key = `the SSH key in the OS Login profile of ${account}, until it expires`;
        const reason = (0,call_problem/* callProblem */.U)(error, {
            input: 'service-account',
            problem: 'it cannot be removed',
            fix: 'List the keys with `gcloud compute os-login ssh-keys list`.',
            mayAnswerQuoteSecrets: true,
        });
        return { isKeyRemoved: false, leftovers: [`${key}: ${describeReason(reason)}`] };
    }
}
async function revokeMetadataLogin(apis, record) {
    const { project, zone, instance, publicKey } = record;
    const name = { project, zone, name: instance };
    const user = `the account ${metadataUser} on the node ${instance}`;
    try {
        const instanceExists = await removeKey(apis, name, publicKey);
        return { isKeyRemoved: true, leftovers: instanceExists ? [`${user}, without a key`] : [] };
    }
    catch (error) {
        const key = `the SSH key of ${metadataUser} in the metadata of ${instancePath(name)}, until it expires`;
        return { isKeyRemoved: false, leftovers: [`${key}: ${describeReason(error)}`, user] };
    }
}
/** The problem and its fix without the input, which a leftover does not concern. */
function describeReason(error) {
    if (!(error instanceof errors/* ConfigurationError */.j1))
        return (0,errors/* messageOf */.bD)(error);
    const [{ problem, fix }] = error.problems;
    return `${problem}. ${fix}`;
}

;// CONCATENATED MODULE: ./src/google/compute/permissions.ts




const customRole = 'a custom role (docs/terraform)';
const roles = {
    'compute.instances.osAdminLogin': 'roles/compute.osAdminLogin',
    'iam.serviceAccounts.actAs': 'roles/iam.serviceAccountUser',
    'iap.tunnelInstances.accessViaIAP': 'roles/iap.tunnelResourceAccessor',
};
/**
 * The permissions that the identity lacks to log in to the instance through IAP. Where Google does not answer (a disabled API, an outage),
 * they are not listed: the call that needs the permission will fail with the reason.
 */
async function missingPermissions(apis, instance, login) {
    const missing = await Promise.all(permissionChecks(apis, instance, login).map(runCheck));
    return missing.flat();
}
async function runCheck({ resource, permissions, test }) {
    const granted = await test(permissions).catch((error) => {
        const failure = (0,google_transport/* failureOf */.g5)(error);
        return failure?.status === 403 && !(0,google_transport/* disabledService */.ET)(failure) ? [] : permissions;
    });
    return permissions
        .filter((permission) => !granted.includes(permission))
        .map((permission) => ({ permission, resource, role: roles[permission] ?? customRole }));
}
function permissionChecks(apis, instance, login) {
    const { project, zone, name, serviceAccount } = instance;
    const tunnel = `projects/${project}/iap_tunnel/zones/${zone}/instances/${name}`;
    const testByRest = (url) => {
        return async (permissions) => (await apis.call('POST', url, { permissions })).permissions ?? [];
    };
    const checks = [
        {
            resource: instancePath(instance),
            permissions: [
                ...['compute.instances.get', 'compute.instances.getGuestAttributes'],
                login === 'metadata' ? 'compute.instances.setMetadata' : 'compute.instances.osAdminLogin',
            ],
            test: async (permissions) => {
                const client = await apis.instances();
                const testPermissionsRequestResource = { permissions: [...permissions] };
                const request = { project, zone, resource: name, testPermissionsRequestResource };
                const [answer] = await client.testIamPermissions(request, callOptions);
                return answer.permissions ?? [];
            },
        },
        {
            resource: `projects/${project}`,
            permissions: ['compute.projects.get', ...(login === 'metadata' ? ['compute.zoneOperations.get'] : [])],
            test: testByRest(apis.endpoints.url('cloudresourcemanager', (0,url_path/* urlPath */.L) `v1/projects/${project}:testIamPermissions`)),
        },
        {
            resource: tunnel,
            permissions: ['iap.tunnelInstances.accessViaIAP'],
            test: testByRest(apis.endpoints.url('iap', (0,url_path/* urlPath */.L) `v1/projects/${project}/iap_tunnel/zones/${zone}/instances/${name}:testIamPermissions`)),
        },
    ];
    if (serviceAccount !== undefined) {
        const account = `projects/-/serviceAccounts/${serviceAccount}`;
        checks.push({
            resource: account,
            permissions: ['iam.serviceAccounts.actAs'],
            test: testByRest(apis.endpoints.url('iam', (0,url_path/* urlPath */.L) `v1/projects/-/serviceAccounts/${serviceAccount}:testIamPermissions`)),
        });
    }
    return checks;
}

;// CONCATENATED MODULE: ./src/google/compute/ssh-advice.ts
/** What to do about SSH problems with a Compute Engine node. The ssh module takes it as its `advice`. */
const computeSshAdvice = {
    input: 'node-method',
    hostKeySource: 'its guest attributes',
    fixes: {
        keyNotAccepted: 'With OS Login, grant the service account roles/compute.osAdminLogin on the instance and roles/iam.serviceAccountUser on its service account. ' +
            'Without OS Login, the guest agent of the node writes the key: check that it runs. Or use node-method: pod, which needs no login.',
        keyNoLongerAccepted: 'Run the job again.',
        hostKeyUnknown: 'If the key was changed after the first boot, recreate the node: it publishes its keys at its first boot only.',
        hostKeyChanged: 'If the node was recreated, run the job again.',
        hostKeysUnsupported: 'Let the node publish a key of a supported type, or use node-method: pod.',
    },
};

// EXTERNAL MODULE: ./src/common/url-text.ts
var url_text = __webpack_require__(27382);
;// CONCATENATED MODULE: ./src/google/iap/relay-url.ts



const overrideName = 'IAP_TUNNEL_URL_OVERRIDE';
/**
 * The base URL of the relay: the value of `IAP_TUNNEL_URL_OVERRIDE`, which has the form of gcloud's --iap-tunnel-url-override (a bare origin
 * gets `/v4`), or the relay of the universe.
 * @throws ConfigurationError for a value that is not such a URL, and for plain ws beyond loopback: access tokens are sent there
 */
function relayUrl(env, universe) {
    const value = env[overrideName];
    if (!value) {
        return universe === 'googleapis.com' ? 'wss://tunnel.cloudproxy.app/v4' : `wss://tunnel-cloudproxy.${universe}/v4`;
    }
    const url = URL.parse(value);
    if (!url || !/^wss?:\/\/[^\s?#@]+$/i.test(value)) {
        throw invalidOverride(value, 'is not a WebSocket URL', "Set it to wss://HOST[:PORT][/PATH], as gcloud's --iap-tunnel-url-override.");
    }
    if (!(0,google_endpoints/* isSafe */.IP)(new URL(value.replace(/^ws/i, 'http')))) {
        throw invalidOverride(value, 'is plain ws, which is allowed for a loopback address only (127.0.0.1, [::1], localhost)', 'Use wss.');
    }
    const path = url.pathname.replace(/\/+$/, '');
    return `${url.protocol}//${url.host}${path === '' ? '/v4' : path}`;
}
function invalidOverride(value, problem, fix) {
    return new errors/* ConfigurationError */.j1({
        code: 'E_GOOGLE_ENDPOINT_OVERRIDE',
        input: overrideName,
        problem: `${JSON.stringify((0,url_text/* urlForMessage */.O)(value).slice(0, 200))} ${problem}`,
        fix,
    });
}
/** The URL of one connection, with its parameters in the order of gcloud's. Without `resume` a new session begins. */
function connectionUrl(base, target, resume) {
    const { project, zone, instance, port } = target;
    const newWebsocket = 'True';
    const query = resume
        ? { sid: resume.sessionId, ack: String(resume.receivedBytes), newWebsocket, zone }
        : { project, port: String(port), newWebsocket, zone, instance, interface: target.interface };
    return `${base}/${resume ? 'reconnect' : 'connect'}?${new URLSearchParams(query).toString()}`;
}

// EXTERNAL MODULE: external "node:stream"
var external_node_stream_ = __webpack_require__(57075);
// EXTERNAL MODULE: ./node_modules/ws/wrapper.mjs
var wrapper = __webpack_require__(52977);
// EXTERNAL MODULE: ./src/common/remote-text.ts
var remote_text = __webpack_require__(14551);
// EXTERNAL MODULE: ./src/common/upgrade-refusal.ts
var upgrade_refusal = __webpack_require__(83608);
;// CONCATENATED MODULE: ./src/google/iap/types.ts
/** Where IAP's connections to an instance come from: cloud.google.com/iap/docs/using-tcp-forwarding. */
const iapRanges = { ipv4: '35.235.240.0/20', ipv6: '2600:2d00:1:7::/64' };
/** Opening and reconnecting as gcloud does (api_lib/compute/iap_tunnel_websocket.py). */
const defaultTiming = {
    openTimeoutMs: 60_000,
    firstDelayMs: 1_500,
    maxDelayMs: 20_000,
    patienceMs: 15 * 60_000,
    pingIntervalMs: 15_000,
    ackDelayMs: 2_000,
    ackPatienceMs: 10_000,
    closeTimeoutMs: 2_000,
};

;// CONCATENATED MODULE: ./src/google/iap/errors.ts


/** A tunnel that cannot be opened, or is lost. */
class TunnelError extends errors/* ConfigurationError */.j1 {
    relayCode;
    reason;
    isTransient;
    constructor(explanation, { relayCode, reason, isTransient }) {
        super(toProblem(explanation));
        this.relayCode = relayCode;
        this.reason = reason;
        this.isTransient = isTransient;
    }
}
function toProblem({ fix, canUsePod = true, ...explanation }) {
    const alternative = canUsePod ? ' Or use node-method: pod.' : '';
    return { ...explanation, input: 'node-method', fix: `${fix}${alternative}` };
}
/**
 * Those of a connection that broke (1005, 1006), and of a relay that can be asked again: 4002 while it has not noticed that a connection is gone,
 * 4004 with a new token.
 */
const transientCodes = new Set([401, 408, 425, 429, 1005, 1006, 4002, 4004]);
/** @param message of the relay, or of the HTTP response; undefined where it has none */
function relayRefusal(target, relayCode, message) {
    const reason = `${relayCode < 1000 ? 'HTTP ' : ''}${String(relayCode)}${message === undefined ? '' : `: ${message}`}`;
    const isTransient = transientCodes.has(relayCode) || (relayCode >= 500 && relayCode < 600);
    return new TunnelError(explainCode(target, relayCode, reason), { relayCode, reason, isTransient });
}
/** What a close code or an HTTP status means for the user. Codes: SshRelayConstants.cs of IAP Desktop. */
function explainCode(target, relayCode, reason) {
    const { project, zone, instance, port } = target;
    switch (relayCode) {
        case 4003:
            return {
                code: 'E_IAP_PORT_UNREACHABLE',
                problem: `the IAP relay cannot connect to port ${port} of ${instance} (${reason})`,
                fix: `Check that sshd listens there. ${firewallFix(target)}`,
            };
        case 4033:
            return {
                code: 'E_IAP_ACCESS_DENIED',
                problem: `the identity has no permission to open an IAP tunnel to port ${port} of ${instance} (${reason})`,
                fix: `Grant it roles/iap.tunnelResourceAccessor: ` +
                    `\`gcloud projects add-iam-policy-binding ${project} --role=roles/iap.tunnelResourceAccessor --member=MEMBER\`. ` +
                    `A condition on the binding must allow port ${port}, and iap.googleapis.com must be enabled in ${project}. A new binding takes some minutes to apply.`,
            };
        case 4047:
        case 4051:
            return {
                code: 'E_IAP_INSTANCE_NOT_FOUND',
                problem: `the IAP relay does not find the instance ${instance} in ${zone} of ${project} (${reason})`,
                fix: 'The node may just have been replaced or stopped: run the job again.',
                canUsePod: false,
            };
        case 4001:
            return {
                code: 'E_IAP_CONNECTION_LOST',
                problem: `the IAP relay no longer has the session with ${instance} (${reason}), because the connection was lost for too long`,
                fix: 'Run the job again.',
            };
        case 1005:
        case 1006:
            return {
                code: 'E_IAP_CONNECTION_LOST',
                problem: `the connection to the IAP relay for ${instance} broke (${reason})`,
                fix: 'Check whether a proxy or a firewall cuts it, and run the job again.',
            };
        default:
            return explainHttpStatus(target, relayCode, reason);
    }
}
function explainHttpStatus({ zone, instance }, status, reason) {
    switch (status) {
        case 401:
            return {
                code: 'E_GOOGLE_TOKEN_REJECTED',
                problem: `the IAP relay does not accept the access token (${reason})`,
                fix: 'It has expired, was revoked, or belongs to another universe. Run the job again.',
                canUsePod: false,
            };
        case 403:
            return {
                code: 'E_IAP_BLOCKED',
                problem: `a proxy or a VPC Service Controls perimeter refuses the tunnel to ${instance} before IAP checks permissions (${reason})`,
                fix: 'Allow the runner to reach the relay (HTTPS_PROXY, NO_PROXY).',
            };
        case 404:
            return {
                code: 'E_IAP_BLOCKED',
                problem: `the IAP relay does not have the zone ${zone}, or there is no relay at its address (${reason})`,
                fix: 'Check IAP_TUNNEL_URL_OVERRIDE where it is set.',
                canUsePod: false,
            };
        case 407:
            return {
                code: 'E_IAP_BLOCKED',
                problem: `the proxy between the runner and the IAP relay rejects its credentials (${reason})`,
                fix: 'Check HTTPS_PROXY.',
                canUsePod: false,
            };
        default:
            return {
                code: 'E_IAP_CONNECTION_LOST',
                problem: `the IAP relay closed the tunnel to ${instance} (${reason})`,
                fix: 'Run the job again.',
            };
    }
}
function relayTimeout(target, timeoutMs) {
    const reason = `no answer within ${String(timeoutMs / 1000)} s`;
    return new TunnelError({
        code: 'E_IAP_PORT_UNREACHABLE',
        problem: `the IAP relay cannot connect to port ${String(target.port)} of ${target.instance} (${reason}); usually a firewall drops the packets from IAP`,
        fix: firewallFix(target),
    }, { reason, isTransient: true });
}
/** @param reason of the network, such as `connect ECONNREFUSED 192.0.2.1:443` */
function relayUnreachable(host, reason) {
    return new TunnelError({
        code: 'E_GOOGLE_UNREACHABLE',
        problem: `the IAP relay ${host} cannot be reached (${reason})`,
        fix: 'Check that the runner can connect to it (HTTPS_PROXY, NO_PROXY, a firewall).',
    }, { reason, isTransient: true });
}
/** @param outageMs without a working connection */
function connectionLost(target, outageMs, last) {
    const seconds = Number((outageMs / 1000).toFixed(1));
    return new TunnelError({
        code: 'E_IAP_CONNECTION_LOST',
        problem: `the connection to the IAP relay for ${target.instance} was lost and could not be restored within ${String(seconds)} s (${last.reason})`,
        fix: "Check the runner's network and run the job again.",
    }, { relayCode: last.relayCode, reason: last.reason, isTransient: false });
}
/** @param reason of the source of the tokens, which may be unreachable for the same cause as the relay */
function tokenUnavailable(reason) {
    return new TunnelError({
        code: 'E_GOOGLE_UNREACHABLE',
        problem: 'there is no access token for the IAP relay',
        message: reason,
        fix: 'Run the job again.',
    }, { reason, isTransient: true });
}
function protocolViolation(target, reason) {
    return new TunnelError({
        code: 'E_IAP_PROTOCOL',
        problem: `the IAP relay for ${target.instance} violates its protocol (${reason})`,
        fix: 'Check whether a proxy between the runner and the relay changes the traffic, and run the job again.',
    }, { reason, isTransient: false });
}
function firewallFix({ project, port }) {
    return (`Allow tcp:${String(port)} from ${iapRanges.ipv4} (IPv6: ${iapRanges.ipv6}) to the nodes: ` +
        `\`gcloud compute firewall-rules create allow-iap-${String(port)} --project=${project} --network=NETWORK --allow=tcp:${String(port)} --source-ranges=${iapRanges.ipv4}\`.`);
}

;// CONCATENATED MODULE: ./src/google/iap/frames.ts
/**
 * Frames of the SSH Relay protocol, version 4: one in each binary WebSocket message, big-endian, a u16 tag first.
 * Sources: gcloud's api_lib/compute/iap_tunnel_websocket_utils.py, IAP Desktop's Solutions.Iap/Protocol, nassh's relay-protocol.md.
 */
const tags = { connected: 1, reconnected: 2, data: 4, ack: 7, longClose: 10 };
/** IAP's have some 200. */
const maxSessionIdBytes = 4_096;
/** The relay accepts no more in one DATA frame. */
const maxDataBytes = 16_384;
/** of tag and length before the data */
const dataHeaderBytes = 6;
/**
 * Bytes after the frame are ignored, as in gcloud.
 * @throws RangeError where the message ends before its frame
 */
function readFrame(message) {
    const tag = message.readUInt16BE(0);
    if (tag === tags.data)
        return { kind: 'data', data: bytesAt(message, 2) };
    if (tag === tags.ack)
        return { kind: 'ack', totalBytes: message.readBigUInt64BE(2) };
    if (tag === tags.connected)
        return { kind: 'connected', sessionId: sessionIdIn(bytesAt(message, 2)) };
    if (tag === tags.reconnected)
        return { kind: 'reconnected', totalBytes: message.readBigUInt64BE(2) };
    if (tag === tags.longClose) {
        return { kind: 'long-close', code: message.readUInt32BE(2), reason: bytesAt(message, 6).toString('utf8') };
    }
    return { kind: 'unknown', tag };
}
/** A frame with a copy of `bytes`, at most `maxDataBytes` of them. */
function dataFrame(bytes) {
    const frame = Buffer.allocUnsafe(dataHeaderBytes + bytes.length);
    frame.writeUInt16BE(tags.data, 0);
    frame.writeUInt32BE(bytes.length, 2);
    bytes.copy(frame, dataHeaderBytes);
    return frame;
}
/** @param totalBytes received since the session began */
function ackFrame(totalBytes) {
    const frame = Buffer.allocUnsafe(10);
    frame.writeUInt16BE(tags.ack, 0);
    frame.writeBigUInt64BE(BigInt(totalBytes), 2);
    return frame;
}
/** It becomes a part of the URL of the next connection. @throws RangeError where that would be too long */
function sessionIdIn(bytes) {
    if (bytes.length > maxSessionIdBytes)
        throw new RangeError(`a session id of ${String(bytes.length)} bytes`);
    return bytes.toString('latin1');
}
/** The bytes after their length, a u32. */
function bytesAt(message, offset) {
    const start = offset + 4;
    const end = start + message.readUInt32BE(offset);
    if (end > message.length)
        throw new RangeError(`${String(end)} bytes announced, ${String(message.length)} received`);
    return message.subarray(start, end);
}

;// CONCATENATED MODULE: ./src/google/iap/connection.ts






const subprotocol = 'relay.tunnel.cloudproxy.app';
/** The relay requires it, as the sources of gcloud and IAP Desktop show. */
const origin = 'bot:iap-tunneler';
/** The relay sends frames of 16 KiB; a later one may send larger ones. */
const maxMessageBytes = 1024 * 1024 + 64;
const maxUnansweredPingCount = 2;
/** of what the relay, or a server in its place, gives as the reason: it appears in the log */
const maxReasonChars = 300;
const closedByInstance = new Set([1000, 4009, 4010]);
/**
 * One WebSocket to the relay. Its states:
 * connecting: until the handshake succeeds; open: until the relay's first frame, the welcome; established: frames of the session flow;
 * closing: the client has sent its close; closed.
 */
class RelayConnection {
    /** Resolves with the welcome. Rejects with a TunnelError, or with undefined where the relay closed normally. */
    welcome;
    /** Why the connection ended; undefined where the instance closed its side. Never rejects. */
    ended;
    #options;
    #socket;
    #welcome = Promise.withResolvers();
    #startedAtMs = performance.now();
    #openTimer;
    #state = 'connecting';
    #failure;
    /** the reason that the relay announced in a frame, before its close */
    #announcedClose;
    /** the first error of the socket, or a silence */
    #cause;
    #hasCarriedData = false;
    #pingTimer;
    #unansweredPingCount = 0;
    #answersPings = false;
    constructor(options) {
        const { target, timing } = options;
        this.#options = options;
        this.#socket = openSocket(options);
        this.welcome = this.#welcome.promise;
        this.#openTimer = setTimeout(() => this.#fail(relayTimeout(target, timing.openTimeoutMs)), timing.openTimeoutMs);
        this.ended = this.#listen();
    }
    /** bytes that the network has not taken yet */
    get bufferedBytes() {
        return this.#socket.bufferedAmount;
    }
    /** It carried data, or lasted. A connection that breaks again at once is no progress. */
    get isProven() {
        return this.#hasCarriedData || performance.now() - this.#startedAtMs > this.#options.timing.maxDelayMs;
    }
    /** @param onTaken called when the network has taken the frame */
    send(frame, onTaken) {
        if (this.#socket.readyState === wrapper/* WebSocket */.kb.OPEN)
            this.#socket.send(frame, onTaken);
    }
    pause() {
        if (this.#state !== 'closing')
            this.#socket.pause();
    }
    resume() {
        if (!this.#socket.isPaused)
            return;
        this.#unansweredPingCount = 0;
        this.#socket.resume();
    }
    /** Closes as the protocol has it, so that the relay does not keep the session; cuts where the relay does not answer. */
    close() {
        this.#socket.resume();
        if (this.#state === 'established' || this.#state === 'closing') {
            this.#state = 'closing';
            this.#socket.close(1000);
        }
        else {
            this.#socket.terminate();
        }
    }
    #listen() {
        const socket = this.#socket;
        socket.on('open', () => (this.#state = 'open'));
        socket.on('pong', () => {
            this.#answersPings = true;
            this.#unansweredPingCount = 0;
        });
        socket.on('message', (message, isBinary) => this.#onMessage(message, isBinary));
        socket.on('unexpected-response', (_request, response) => {
            void readMessage(response).then((message) => this.#fail(relayRefusal(this.#options.target, response.statusCode ?? 0, message)));
        });
        socket.on('error', (error) => {
            if (error.code?.startsWith('WS_ERR_'))
                this.#failure ??= protocolViolation(this.#options.target, error.message);
            this.#cause ??= (0,errors/* messageOf */.bD)(error);
        });
        return new Promise((resolve) => {
            socket.once('close', (code, reason) => resolve(this.#onClosed(code, reason.toString('utf8'))));
        });
    }
    #onMessage(message, isBinary) {
        this.#unansweredPingCount = 0;
        if (this.#failure)
            return;
        try {
            if (!isBinary)
                throw new RangeError('it sends text');
            this.#takeFrame(readFrame(message));
        }
        catch (error) {
            this.#fail(protocolViolation(this.#options.target, (0,errors/* messageOf */.bD)(error)));
        }
    }
    #takeFrame(frame) {
        switch (frame.kind) {
            case 'unknown':
                return;
            case 'long-close':
                this.#announcedClose = frame;
                return;
            case 'connected':
            case 'reconnected':
                if (this.#state !== 'open')
                    throw new RangeError('it connects twice');
                this.#establish(frame);
                return;
            case 'data':
            case 'ack':
                if (this.#state === 'open')
                    throw new RangeError(`${frame.kind} before it has connected`);
                this.#hasCarriedData = true;
                this.#options.onFrame(frame);
        }
    }
    #establish(frame) {
        this.#state = 'established';
        this.#options.onFrame(frame);
        clearTimeout(this.#openTimer);
        this.#socket.ping();
        this.#pingTimer = setInterval(() => this.#checkPing(), this.#options.timing.pingIntervalMs);
        this.#welcome.resolve();
    }
    /** While the relay is held back nothing is read, no pong either. A relay that has never answered a ping is not required to. */
    #checkPing() {
        if (this.#socket.isPaused || !this.#answersPings)
            this.#unansweredPingCount = 0;
        if (this.#unansweredPingCount >= maxUnansweredPingCount) {
            const seconds = (maxUnansweredPingCount * this.#options.timing.pingIntervalMs) / 1000;
            this.#cause ??= `no answer to a ping for ${String(seconds)} s`;
            this.#socket.terminate();
        }
        else if (this.#socket.readyState === wrapper/* WebSocket */.kb.OPEN) {
            this.#unansweredPingCount += 1;
            this.#socket.ping();
        }
    }
    #fail(error) {
        this.#failure ??= error;
        this.#socket.terminate();
    }
    #onClosed(socketCode, socketReason) {
        clearTimeout(this.#openTimer);
        clearInterval(this.#pingTimer);
        const code = this.#announcedClose?.code ?? socketCode;
        const end = this.#endReason(code, reasonIn(this.#announcedClose?.reason ?? socketReason) ?? this.#cause);
        this.#state = 'closed';
        this.#welcome.reject(end);
        return end;
    }
    #endReason(code, reason) {
        if (this.#failure)
            return this.#failure;
        if (this.#state === 'connecting')
            return relayUnreachable(new URL(this.#options.url).host, this.#cause ?? 'the connection was closed');
        if (this.#state !== 'open' && closedByInstance.has(code))
            return undefined;
        return relayRefusal(this.#options.target, code, reason && reasonIn(reason));
    }
}
function openSocket({ url, token, agent, certificateAuthority, timing }) {
    // @types/ws does not have closeTimeout.
    // eslint-disable-next-line local/units-in-names -- the name of an option of ws
    const settings = {
        ...(agent ? { agent } : {}),
        ...(certificateAuthority === undefined ? {} : { ca: certificateAuthority }),
        origin,
        headers: { authorization: `Bearer ${token}`, 'user-agent': 'kubernetes-packet-capture' },
        maxPayload: maxMessageBytes,
        perMessageDeflate: false,
        skipUTF8Validation: true,
        closeTimeout: timing.closeTimeoutMs,
    };
    return new wrapper/* WebSocket */.kb(url, subprotocol, settings);
}
const refusalTimeoutMs = 2_000;
const maxRefusalLength = 4096;
/** The text of a refusal, in one line; undefined for a page of HTML, and where there is none. */
async function readMessage(response) {
    const text = await (0,upgrade_refusal/* readRefusal */.n)(response, refusalTimeoutMs, maxRefusalLength);
    return /<html|<!doctype/i.test(text) ? undefined : reasonIn(text);
}
function reasonIn(text) {
    return (0,remote_text/* toOneLine */.GX)(text, maxReasonChars) || undefined;
}

;// CONCATENATED MODULE: ./src/google/iap/send-queue.ts

/** The relay acknowledges bytes that it cannot have received. */
class InvalidAck extends Error {
    name = 'InvalidAck';
}
/** What a frame costs besides its bytes, so that many small writes count too. */
const frameOverheadBytes = 256;
/**
 * DATA frames on their way to the relay, kept until it acknowledges them: the next connection sends again what a lost one has not delivered.
 * Positions count bytes from the beginning of the session.
 */
class SendQueue {
    #limitBytes;
    #frames = [];
    /** position of the first byte of the first frame */
    #firstPosition = 0;
    #acknowledgedPosition = 0;
    /** how many of the frames this connection has taken */
    #takenCount = 0;
    /** position behind the frames that this connection has taken */
    #takenPosition = 0;
    /** the furthest position that any connection has taken */
    #maxTakenPosition = 0;
    #endPosition = 0;
    /** @param limitBytes from which on the queue is full, overhead of frames included */
    constructor(limitBytes) {
        this.#limitBytes = limitBytes;
    }
    get isFull() {
        return this.#endPosition - this.#firstPosition + this.#frames.length * frameOverheadBytes >= this.#limitBytes;
    }
    get unacknowledgedBytes() {
        return this.#endPosition - this.#acknowledgedPosition;
    }
    /** Takes a copy. */
    add(bytes) {
        for (let start = 0; start < bytes.length; start += maxDataBytes) {
            this.#frames.push(dataFrame(bytes.subarray(start, start + maxDataBytes)));
        }
        this.#endPosition += bytes.length;
    }
    /** The next frame for this connection; undefined when it has taken all. */
    next() {
        const frame = this.#frames[this.#takenCount];
        if (!frame)
            return undefined;
        this.#takenCount += 1;
        this.#takenPosition += frame.length - dataHeaderBytes;
        this.#maxTakenPosition = Math.max(this.#maxTakenPosition, this.#takenPosition);
        return frame;
    }
    /** The relay has received everything before this position. @throws InvalidAck */
    acknowledge(totalBytes) {
        if (totalBytes > BigInt(this.#maxTakenPosition)) {
            throw new InvalidAck(`it acknowledges ${String(totalBytes)} bytes of ${String(this.#maxTakenPosition)}`);
        }
        const position = Number(totalBytes);
        if (position < this.#acknowledgedPosition) {
            throw new InvalidAck(`it acknowledges ${String(position)} bytes after ${String(this.#acknowledgedPosition)}`);
        }
        this.#acknowledgedPosition = position;
        while (this.#frames[0] && this.#firstPosition + this.#frames[0].length - dataHeaderBytes <= position) {
            this.#dropFirst();
        }
        const [first] = this.#frames;
        if (first && position > this.#firstPosition) {
            this.#frames[0] = dataFrame(first.subarray(dataHeaderBytes + position - this.#firstPosition));
            this.#firstPosition = position;
            this.#takenPosition = Math.max(this.#takenPosition, position);
        }
    }
    /** For a new connection: everything that is not acknowledged is sent again. @throws InvalidAck where some of it was dropped */
    rewind() {
        if (this.#acknowledgedPosition < this.#firstPosition) {
            const missingBytes = this.#firstPosition - this.#acknowledgedPosition;
            throw new InvalidAck(`it lacks ${String(missingBytes)} bytes that it did not acknowledge in time`);
        }
        this.#takenCount = 0;
        this.#takenPosition = this.#firstPosition;
    }
    /** Drops the oldest frames that were sent but never acknowledged, until the queue is no longer full. They cannot be sent again. */
    dropSent() {
        while (this.isFull && this.#takenCount > 0)
            this.#dropFirst();
    }
    #dropFirst() {
        this.#firstPosition += (this.#frames.shift()?.length ?? dataHeaderBytes) - dataHeaderBytes;
        if (this.#takenCount > 0)
            this.#takenCount -= 1;
        else
            this.#takenPosition = this.#firstPosition;
    }
}

;// CONCATENATED MODULE: ./src/google/iap/tunnel.ts









/** Received but not acknowledged, from which on gcloud acknowledges; the relay stalls at about 1.5 MB (SshRelaySession of IAP Desktop). */
const ackThresholdBytes = 2 * 16_384;
/** what a slow reader may leave in the buffer */
const readBufferBytes = 256 * 1024;
/** on their way to the relay, and not acknowledged yet */
const sendQueueBytes = 2 * 1024 * 1024;
/** as in gcloud */
const delayGrowth = 1.1;
/**
 * A TCP connection to a port of an instance, through the relay of Identity-Aware Proxy. It survives lost connections to the relay.
 * The protocol has no half-close: `end()` delivers what was written, then closes both directions.
 * Resolves when the relay has connected to the port of the instance. Later the stream too fails with a TunnelError.
 * @throws TunnelError, what `token` throws, or the reason of the signal
 */
async function openIapTunnel(target, options) {
    options.signal?.throwIfAborted();
    const tunnel = new IapTunnel(target, options);
    await tunnel.open();
    return tunnel;
}
/**
 * The session of a tunnel, over one connection after another. Its states:
 * disconnected: while it opens and between two connections; connected; ended: the instance closed its side, or `end()` has delivered everything.
 */
class IapTunnel extends external_node_stream_.Duplex {
    #target;
    #options;
    #timing;
    #queue = new SendQueue(sendQueueBytes);
    /** aborts the waits when the stream is destroyed */
    #destroying = new AbortController();
    #state = 'disconnected';
    #connection;
    #sessionId;
    #token = '';
    #receivedBytes = 0;
    #acknowledgedBytes = 0;
    #ackTimer;
    /** the reader is slower than the relay */
    #isReaderBehind = false;
    /** the callback of the write that waits for room in the queue */
    #blockedWrite;
    #ackPatienceTimer;
    /** the relay has acknowledged nothing for too long, so that sent bytes are dropped */
    #isDroppingSent = false;
    /** the callback of `end()` */
    #final;
    constructor(target, options) {
        const { signal } = options;
        super({ allowHalfOpen: false, readableHighWaterMark: readBufferBytes, ...(signal ? { signal } : {}) });
        this.#target = target;
        this.#options = options;
        this.#timing = { ...defaultTiming, ...options.timing };
    }
    async open() {
        const ignoreError = () => { }; // this promise reports it
        this.on('error', ignoreError);
        try {
            const first = await this.#connect();
            void this.#keepConnected(first).catch((error) => this.destroy(error));
        }
        catch (error) {
            this.destroy();
            this.#options.signal?.throwIfAborted();
            throw error;
        }
        this.off('error', ignoreError);
    }
    _read() {
        this.#isReaderBehind = false;
        this.#connection?.resume();
    }
    _write(bytes, _encoding, done) {
        this.#blockedWrite = done;
        if (this.#state !== 'ended')
            this.#queue.add(bytes);
        this.#sendQueued();
        this.#releaseWrite();
        if (this.#isWriteBlocked())
            this.#ackPatienceTimer ??= setTimeout(() => this.#dropSent(), this.#timing.ackPatienceMs);
    }
    _final(done) {
        if (this.#state === 'ended')
            return done();
        this.#final = done;
        this.#sendQueued();
    }
    _destroy(error, done) {
        this.#destroying.abort();
        clearTimeout(this.#ackTimer);
        clearTimeout(this.#ackPatienceTimer);
        this.#connection?.close();
        void Promise.resolve(this.#connection?.ended).then(() => done(error));
    }
    // Connections
    /** Resolves with the welcome of the relay. @param loss why the connection before it was lost */
    async #connect(loss) {
        const { url, agent, certificateAuthority } = this.#options;
        this.#token = await this.#options.token(loss && isTokenRejected(loss) ? this.#token : undefined);
        this.#destroying.signal.throwIfAborted();
        this.#acknowledgedBytes = this.#receivedBytes; // a relay that resumes the session reads it in the URL
        const resume = this.#sessionId === undefined ? undefined : { sessionId: this.#sessionId, receivedBytes: this.#receivedBytes };
        const connection = new RelayConnection({
            url: connectionUrl(url, this.#target, resume),
            token: this.#token,
            target: this.#target,
            timing: this.#timing,
            onFrame: (frame) => this.#onFrame(frame),
            ...(agent ? { agent } : {}),
            ...(certificateAuthority === undefined ? {} : { certificateAuthority }),
        });
        this.#connection = connection;
        await connection.welcome;
        return connection;
    }
    /** Replaces each lost connection, until one side closes the session. @throws TunnelError where that fails */
    async #keepConnected(first) {
        let outage;
        for (let current = first;;) {
            const loss = await current.ended;
            this.#state = 'disconnected';
            if (this.destroyed)
                return;
            if (loss === undefined || (this.#final && this.#queue.unacknowledgedBytes === 0))
                break;
            if (!loss.isTransient)
                throw loss;
            if (current.isProven)
                outage = undefined;
            outage ??= { sinceMs: performance.now(), attemptCount: 0 };
            current = await this.#reconnect(loss, outage);
        }
        this.#state = 'ended';
        this.push(null);
        this.#releaseWrite();
        this.#final?.();
    }
    async #reconnect(loss, outage) {
        this.#options.onReconnecting?.(loss.reason);
        for (let last = loss;;) {
            const waitMs = this.#reconnectDelayMs(outage.attemptCount);
            const outageMs = performance.now() - outage.sinceMs;
            if (outageMs + waitMs > this.#timing.patienceMs)
                throw connectionLost(this.#target, outageMs, last);
            await (0,promises_.setTimeout)(waitMs, undefined, { signal: this.#destroying.signal });
            outage.attemptCount += 1;
            try {
                return await this.#connect(last);
            }
            catch (error) {
                if (this.#destroying.signal.aborted)
                    throw error;
                if (!(error instanceof TunnelError))
                    last = tokenUnavailable((0,errors/* messageOf */.bD)(error));
                else if (error.isTransient)
                    last = error;
                else
                    throw error;
            }
        }
    }
    #reconnectDelayMs(attemptCount) {
        if (attemptCount === 0)
            return 0;
        return Math.min(this.#timing.firstDelayMs * delayGrowth ** (attemptCount - 1), this.#timing.maxDelayMs);
    }
    /** The frames of a connection that begins the session or resumes it. */
    #onFrame(frame) {
        if (this.destroyed)
            return;
        switch (frame.kind) {
            case 'connected':
                if (this.#sessionId !== undefined)
                    throw new RangeError('it begins another session');
                this.#sessionId = frame.sessionId;
                this.#onConnected();
                break;
            case 'reconnected':
                if (this.#sessionId === undefined)
                    throw new RangeError('it resumes a session that does not exist');
                this.#onAcknowledged(frame.totalBytes);
                this.#queue.rewind();
                this.#onConnected();
                break;
            case 'data':
                this.#receive(frame.data);
                break;
            case 'ack':
                this.#onAcknowledged(frame.totalBytes);
        }
    }
    #onConnected() {
        this.#state = 'connected';
        if (this.#isReaderBehind)
            this.#connection?.pause();
        this.#sendQueued();
    }
    // From the relay
    #receive(data) {
        this.#receivedBytes += data.length;
        if (this.#receivedBytes - this.#acknowledgedBytes > ackThresholdBytes)
            this.#acknowledge();
        else
            this.#ackTimer ??= setTimeout(() => this.#acknowledge(), this.#timing.ackDelayMs);
        if (data.length > 0 && !this.push(data)) {
            this.#isReaderBehind = true;
            this.#connection?.pause();
        }
    }
    #acknowledge() {
        clearTimeout(this.#ackTimer);
        this.#ackTimer = undefined;
        if (this.#state !== 'connected' || this.#acknowledgedBytes === this.#receivedBytes)
            return;
        this.#acknowledgedBytes = this.#receivedBytes;
        this.#connection?.send(ackFrame(this.#receivedBytes));
    }
    // To the relay
    /** Sends what the connection has not taken yet. */
    #sendQueued() {
        if (this.#state !== 'connected')
            return;
        for (let frame = this.#queue.next(); frame; frame = this.#queue.next()) {
            this.#connection?.send(frame, () => {
                if (this.#isDroppingSent)
                    this.#dropSent();
            });
        }
        // The relay reads the close after all that was written, and its answer shows that it has.
        if (this.#final)
            this.#connection?.close();
    }
    #onAcknowledged(totalBytes) {
        this.#queue.acknowledge(totalBytes);
        this.#isDroppingSent = false;
        this.#releaseWrite();
    }
    #isWriteBlocked() {
        return this.#blockedWrite !== undefined;
    }
    /** Lets the stream write on, where the queue has room. */
    #releaseWrite() {
        if (!this.#blockedWrite || (this.#queue.isFull && this.#state !== 'ended'))
            return;
        clearTimeout(this.#ackPatienceTimer);
        this.#ackPatienceTimer = undefined;
        const done = this.#blockedWrite;
        this.#blockedWrite = undefined;
        done();
    }
    /** gcloud works with a relay that acknowledges nothing. So bytes that the network has taken are dropped in the end, and cannot be sent again. */
    #dropSent() {
        if (!this.#blockedWrite)
            return;
        if (this.#state === 'connected' && !this.#isReaderBehind && this.#connection?.bufferedBytes === 0) {
            this.#isDroppingSent = true;
            this.#queue.dropSent();
        }
        clearTimeout(this.#ackPatienceTimer);
        this.#ackPatienceTimer = setTimeout(() => this.#dropSent(), this.#timing.ackPatienceMs);
        this.#releaseWrite();
    }
}
/** The relay asks for another token in a session (4004), or rejects the one of a new connection (401). */
function isTokenRejected({ relayCode }) {
    return relayCode === 4004 || relayCode === 401;
}

;// CONCATENATED MODULE: ./src/app/google-node-access.ts










const sshPort = 22;
/** What the relay gets to reach the port of the instance in a check: a firewall that drops packets gives no answer. */
const checkTimeoutMs = 20_000;
const platform = {
    tunnelRanges: Object.values(iapRanges),
    fixes: {
        rootMissing: 'With OS Login, grant roles/compute.osAdminLogin; osLogin is not enough.',
        imageNotPulled: 'To pull it, the node needs Private Google Access and roles/artifactregistry.reader.',
        internetMissing: 'The node needs access to the Internet for that (Cloud NAT).',
    },
};
/** The nodes of GKE: Compute Engine instances, reached through Identity-Aware Proxy. */
class GoogleNodeAccess {
    platform = platform;
    /** URL of the relay */
    relay;
    #google;
    #apis;
    /** @throws ConfigurationError where the environment names an address that cannot be used */
    constructor(google, env, apis = openGoogleApis(google, env)) {
        this.relay = relayUrl(env, google.universe);
        this.#google = google;
        this.#apis = apis;
    }
    /** The proxy between the runner and the relay. */
    relayProxy() {
        return (0,proxy/* environmentProxy */.Uw)(this.relay.replace(/^ws/, 'http'));
    }
    planLogin(earlier) {
        const { project, zone, instance } = earlier;
        return this.planLoginTo({ project, zone, name: instance });
    }
    /** Reads the instance and plans how to log in to it; nothing is created. @throws ConfigurationError */
    async planLoginTo(name) {
        const instance = await describeInstance(this.#apis, name);
        if (instance.status !== undefined && instance.status !== 'RUNNING') {
            throw new errors/* ConfigurationError */.j1({
                code: 'E_GCE_INSTANCE_NOT_RUNNING',
                input: 'node-method',
                problem: `${instancePath(name)} is not running (${instance.status})`,
                fix: 'Run the job again when the node is ready.',
            });
        }
        const key = generateLoginKey();
        const saved = planLogin(instance, this.#google.serviceAccount, key);
        return new GoogleNodeLogin({ google: this.#google, apis: this.#apis, access: this, instance, key, saved });
    }
    async revokeLogin(login) {
        const { isKeyRemoved, leftovers } = await revokeLogin(this.#apis, login);
        return { isRevoked: isKeyRemoved, leftovers };
    }
}
class GoogleNodeLogin {
    saved;
    privateKey;
    hostKeys;
    hostKeyFix = 'To have it verified, let the nodes publish their keys (enable-guest-attributes).';
    sshAdvice = computeSshAdvice;
    grantText;
    #parts;
    constructor(parts) {
        const { key, saved, instance } = parts;
        this.saved = saved;
        this.privateKey = key.privateKey;
        this.hostKeys = instance.hostKeys;
        this.grantText =
            saved.kind === 'os-login'
                ? `Imported an SSH key into the OS Login profile of ${saved.account ?? '?'}`
                : `Added an SSH key to the metadata of ${instancePath(instance)}`;
        this.#parts = parts;
    }
    async check() {
        const { apis, instance } = this.#parts;
        const missing = await missingPermissions(apis, instance, this.saved.kind);
        // A grant with a condition on the port, as in docs/terraform/node, is not in Google's answer: for the tunnel the relay decides.
        const tunnel = missing.filter(({ permission }) => permission.startsWith('iap.'));
        if (missing.length > tunnel.length)
            throw this.#permissionsMissing(missing);
        // Without a key: the answers of IAP, the firewall and sshd are known before anything is created.
        const stream = await this.#openTunnel({ timing: { openTimeoutMs: checkTimeoutMs } });
        stream.destroy();
        return [
            ...tunnel.map(({ permission, role }) => `Tunnel: Google does not report that ${permission} is granted (${role}), but the relay accepts the connection`),
            `Tunnel: the relay reaches port ${sshPort} of ${instance.name}`,
            `Instance: ${instancePath(instance)}`,
            this.saved.kind === 'os-login'
                ? `Login: OS Login as ${this.saved.account ?? '?'}, with a key of this run that expires`
                : 'Login: a key of this run in the metadata of the instance, which expires',
            instance.hostKeys.length > 0
                ? 'Host key: known from the guest attributes of the instance'
                : 'Host key: not published by the instance; the first one seen is pinned for this run',
            ...instance.remarks,
        ];
    }
    async grant(expires) {
        const { apis, instance, key } = this.#parts;
        const { user } = await grantLogin(apis, { instance, key, record: this.saved, expires });
        return user;
    }
    openTunnel(onReconnecting) {
        return this.#openTunnel({ onReconnecting });
    }
    async #openTunnel(options) {
        const { access, google, instance } = this.#parts;
        const { project, zone, name, interface: networkInterface } = instance;
        const proxy = await access.relayProxy();
        return openIapTunnel({ project, zone, instance: name, interface: networkInterface, port: sshPort }, {
            url: access.relay,
            token: async (refused) => {
                if (refused !== undefined)
                    google.refused(refused);
                return (await google.token()).value;
            },
            ...(proxy ? { agent: proxy.agent } : {}),
            ...options,
        });
    }
    #permissionsMissing(missing) {
        return new errors/* ConfigurationError */.j1({
            code: 'E_GCE_PERMISSIONS_MISSING',
            input: 'node-method',
            problem: `${this.#parts.google.description} lacks permissions for SSH to the node`,
            details: missing.map(({ permission, resource, role }) => `${permission} on ${resource} (${role})`),
            fix: 'docs/terraform/node/main.tf has the roles. Or use `node-method: pod`.',
        });
    }
}


/***/ }),

/***/ 83608:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   n: () => (/* binding */ readRefusal)
/* harmony export */ });
/**
 * The body of a response that refuses the upgrade to a WebSocket, as far as it arrives in time, and not much more than `maxLength` UTF-16
 * units of it. Never rejects.
 */
async function readRefusal(response, timeoutMs, maxLength) {
    const timer = setTimeout(() => response.destroy(), timeoutMs);
    let text = '';
    try {
        for await (const chunk of response) {
            text += String(chunk);
            if (text.length > maxLength)
                break;
        }
    }
    catch {
        // the text that has arrived is enough
    }
    clearTimeout(timer);
    return text;
}


/***/ }),

/***/ 29960:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   h: () => (/* binding */ withDirname)
/* harmony export */ });
/**
 * Loads a CommonJS library that reads `__dirname` while it is loaded. The bundle is an ES module and has no `__dirname`, so a placeholder is
 * defined meanwhile. The value is not used: google-gax would look for gRPC files there, ssh2 for a module that it bundles.
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
