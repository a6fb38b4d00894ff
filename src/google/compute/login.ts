import { ConfigurationError, messageOf } from '../../common/errors.ts'
import { callProblem } from '../call-problem.ts'
import type { GoogleApis } from './apis.ts'
import { instancePath, type NodeInstance } from './instance.ts'
import type { LoginKey } from './login-key.ts'
import { addKey, metadataUser, removeKey } from './metadata-key.ts'
import { deleteKey, importKey } from './os-login.ts'

export { generateLoginKey, type LoginKey } from './login-key.ts'

/** What must be undone after a login: JSON, without any secret. It is saved before the key is granted. */
export interface LoginRecord {
  readonly kind: 'os-login' | 'metadata'
  readonly project: string
  readonly zone: string
  readonly instance: string
  /** OS Login: the account whose profile has the key */
  readonly account?: string
  readonly publicKey: string
}

/**
 * How the key will be granted. Sends no request.
 * @param principal address of the service account (or user) of the token; undefined for a federated principal
 * @throws ConfigurationError where this identity cannot log in to this instance
 */
export function planLogin(
  instance: NodeInstance,
  principal: string | undefined,
  { publicKey }: Pick<LoginKey, 'publicKey'>,
): LoginRecord {
  const record = { project: instance.project, zone: instance.zone, instance: instance.name, publicKey }
  if (instance.osLogin === 'off') return { kind: 'metadata', ...record }
  if (instance.osLogin === 'certificates-required') {
    throw new ConfigurationError({
      code: 'E_OS_LOGIN_REFUSED',
      input: 'node-method',
      problem:
        `${instancePath(instance)} accepts OS Login certificates only (enable-oslogin-certificates), ` +
        'and this action logs in with keys',
      fix: 'Use node-method: pod.',
    })
  }
  if (principal === undefined) {
    throw new ConfigurationError({
      code: 'E_OS_LOGIN_REFUSED',
      input: 'service-account',
      problem: `it is not set, and ${instancePath(instance)} has OS Login on, which accepts no keys of a federated identity`,
      fix: 'Set service-account to one with roles/compute.osAdminLogin, or use node-method: pod.',
    })
  }
  return { kind: 'os-login', ...record, account: principal }
}

/** What `grantLogin` works with. */
export interface LoginGrant {
  readonly instance: NodeInstance
  readonly key: Pick<LoginKey, 'publicKey'>
  readonly record: LoginRecord
  readonly expires: Date
}

/**
 * Grants the key until it expires. It can take a minute until the node accepts it.
 * @returns the user to log in as
 * @throws ConfigurationError; the key may be granted all the same, so revoke the record
 */
export async function grantLogin(
  apis: GoogleApis,
  { instance, key: { publicKey }, record, expires }: LoginGrant,
): Promise<{ readonly user: string }> {
  if (record.kind === 'metadata') {
    await addKey(apis, instance, publicKey, expires)
    return { user: metadataUser }
  }
  const region = instance.zone.replace(/-[^-]*$/, '')
  const key = { account: record.account ?? '', publicKey }
  return { user: await importKey(apis, key, { project: instance.project, region }, expires) }
}

/** The result of `revokeLogin`. */
export interface RevokedLogin {
  /** The key is removed; otherwise it is valid until it expires, or until a later attempt removes it. */
  readonly isKeyRemoved: boolean
  /** what exists afterwards, one description each */
  readonly leftovers: readonly string[]
}

/** Removes the key, also where it was never granted. Never throws. */
export async function revokeLogin(apis: GoogleApis, record: LoginRecord): Promise<RevokedLogin> {
  return record.kind === 'os-login' ? revokeOsLogin(apis, record) : revokeMetadataLogin(apis, record)
}

async function revokeOsLogin(apis: GoogleApis, { account = '', publicKey }: LoginRecord): Promise<RevokedLogin> {
  try {
    await deleteKey(apis, { account, publicKey })
    return { isKeyRemoved: true, leftovers: [] }
  } catch (error) {
    const key = `the SSH key in the OS Login profile of ${account}, until it expires`
    const reason = callProblem(error, {
      input: 'service-account',
      problem: 'it cannot be removed',
      fix: 'List the keys with `gcloud compute os-login ssh-keys list`.',
      mayAnswerQuoteSecrets: true,
    })
    return { isKeyRemoved: false, leftovers: [`${key}: ${describeReason(reason)}`] }
  }
}

async function revokeMetadataLogin(apis: GoogleApis, record: LoginRecord): Promise<RevokedLogin> {
  const { project, zone, instance, publicKey } = record
  const name = { project, zone, name: instance }
  const user = `the account ${metadataUser} on the node ${instance}`
  try {
    const instanceExists = await removeKey(apis, name, publicKey)
    return { isKeyRemoved: true, leftovers: instanceExists ? [`${user}, without a key`] : [] }
  } catch (error) {
    const key = `the SSH key of ${metadataUser} in the metadata of ${instancePath(name)}, until it expires`
    return { isKeyRemoved: false, leftovers: [`${key}: ${describeReason(error)}`, user] }
  }
}

/** The problem and its fix without the input, which a leftover does not concern. */
function describeReason(error: unknown): string {
  if (!(error instanceof ConfigurationError)) return messageOf(error)
  const [{ problem, fix }] = error.problems
  return `${problem}. ${fix}`
}
