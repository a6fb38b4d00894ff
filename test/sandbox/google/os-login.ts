import { createHash } from 'node:crypto'
import { callerOf, refusal, type GoogleAnswer, type GoogleRequest, type World } from './world.ts'
import type { ImportedKey, LoginProfile } from './state.ts'

/** The OS Login API: the caller's own profile and the keys in it. */
export function answerOsLogin(request: GoogleRequest, world: World): GoogleAnswer | undefined {
  const [, encoded, what = ''] = /^\/v1\/users\/([^/:]+)(.*)$/.exec(request.path) ?? []
  if (encoded === undefined) return undefined
  const email = decodeURIComponent(encoded)
  const [, fingerprint] = /^\/sshPublicKeys\/([^/]+)$/.exec(what) ?? []
  const operation = operationOf(request.method, what, fingerprint)
  if (operation === undefined) return undefined
  const caller = callerOf(request, world, operation)
  if ('operation' in caller) return caller
  if (caller.name !== email || world.denied.has(operation)) {
    return refusal(operation, 403, 'PERMISSION_DENIED', 'The caller does not have permission')
  }
  const profile = profileOf(world, email)
  if (operation === 'oslogin.users.getLoginProfile') return { operation, status: 200, body: describe(email, profile) }
  if (operation === 'oslogin.users.importSshPublicKey') return importKey(operation, request, world, email, profile)
  const key = profile.keys.get(fingerprint ?? '')
  if (key === undefined) return refusal(operation, 404, 'NOT_FOUND', 'Requested entity was not found.')
  if (request.method === 'PATCH') {
    key.expirationTimeUsec = (JSON.parse(request.body) as { expirationTimeUsec?: string }).expirationTimeUsec
  }
  if (request.method === 'DELETE') {
    if (world.osLogin.conflicts > 0) {
      world.osLogin.conflicts -= 1
      return refusal(
        operation,
        409,
        'ABORTED',
        'Multiple concurrent mutations were attempted. Please retry the request.',
      )
    }
    profile.keys.delete(fingerprint ?? '')
    return { operation, status: 200, body: {} }
  }
  return { operation, status: 200, body: describeKey(email, fingerprint ?? '', key) }
}

function operationOf(method: string, what: string, fingerprint: string | undefined): string | undefined {
  if (method === 'GET' && what === '/loginProfile') return 'oslogin.users.getLoginProfile'
  if (method === 'POST' && what === ':importSshPublicKey') return 'oslogin.users.importSshPublicKey'
  const verb = { GET: 'get', PATCH: 'patch', DELETE: 'delete' }[method]
  return fingerprint !== undefined && verb !== undefined ? `oslogin.users.sshPublicKeys.${verb}` : undefined
}

/** Without the keys that have expired. */
export function profileOf(world: World, email: string): LoginProfile {
  const profile = world.osLogin.profiles.get(email) ?? { posixAccounts: [], keys: new Map<string, ImportedKey>() }
  world.osLogin.profiles.set(email, profile)
  for (const [fingerprint, { expirationTimeUsec }] of profile.keys) {
    if (expirationTimeUsec !== undefined && Number(expirationTimeUsec) / 1000 <= Date.now()) {
      profile.keys.delete(fingerprint)
    }
  }
  return profile
}

function importKey(
  operation: string,
  request: GoogleRequest,
  world: World,
  email: string,
  profile: LoginProfile,
): GoogleAnswer {
  const { key = '', expirationTimeUsec } = JSON.parse(request.body) as { key?: string; expirationTimeUsec?: string }
  const [type = '', encoded = ''] = key.split(/\s+/)
  if (!/^(ssh|ecdsa)-/.test(type) || Buffer.from(encoded, 'base64').toString('base64') !== encoded) {
    return refusal(operation, 400, 'INVALID_ARGUMENT', 'Invalid SSH public key.')
  }
  if (expirationTimeUsec !== undefined && !/^\d{16}$/.test(String(expirationTimeUsec))) {
    return refusal(operation, 400, 'INVALID_ARGUMENT', 'Invalid expiration time.')
  }
  const project = request.query.get('projectId') ?? world.project.id
  if (profile.posixAccounts.length === 0 && world.osLogin.username !== null) {
    const username =
      world.osLogin.username ?? `sa_${createHash('sha256').update(email).digest().readUInt32BE().toString()}`
    profile.posixAccounts.push({
      primary: true,
      username,
      uid: '1234567890',
      gid: '1234567890',
      homeDirectory: `/home/${username}`,
      operatingSystemType: 'LINUX',
      accountId: project,
      name: `users/${email}/projects/${project}`,
    })
  }
  if (world.osLogin.keepsKeys) {
    profile.keys.set(createHash('sha256').update(key).digest('hex'), {
      ...{ key, expirationTimeUsec, regions: request.query.getAll('regions') },
    })
  }
  return { operation, status: 200, body: { loginProfile: describe(email, profile) } }
}

function describe(email: string, { posixAccounts, keys }: LoginProfile): Record<string, unknown> {
  const sshPublicKeys = Object.fromEntries(
    [...keys].map(([fingerprint, key]) => [fingerprint, describeKey(email, fingerprint, key)]),
  )
  // An empty list or map is omitted.
  return {
    name: email,
    ...(posixAccounts.length > 0 && { posixAccounts }),
    ...(keys.size > 0 && { sshPublicKeys }),
  }
}

function describeKey(email: string, fingerprint: string, key: ImportedKey): Record<string, unknown> {
  const { key: text, expirationTimeUsec } = key
  return { key: text, expirationTimeUsec, fingerprint, name: `users/${email}/sshPublicKeys/${fingerprint}` }
}
