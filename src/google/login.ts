import { ConfigurationError, messageOf } from '../errors.ts'
import { describeName, explainCall, type GoogleApis, type NodeInstance } from './instance.ts'
import type { LoginKey } from './login-key.ts'
import { addKey, metadataUser, removeKey } from './metadata-key.ts'
import { deleteKey, importKey } from './os-login.ts'

export { generateLoginKey, type LoginKey } from './login-key.ts'

/** What a login leaves that must be undone: JSON, without any secret. Saved before the key is granted. */
export interface LoginRecord {
  readonly kind: 'os-login' | 'metadata'
  readonly project: string
  readonly zone: string
  readonly instance: string
  /** OS Login: whose profile has the key */
  readonly account?: string
  readonly publicKey: string
}

/** A login that holds until its key expires or is revoked. */
export interface Login {
  readonly user: string
  readonly privateKey: string
  readonly record: LoginRecord
}

/**
 * How the key will be granted; nothing is contacted.
 * @param principal address of the service account (or user) that the token is of; undefined for a federated principal
 * @throws ConfigurationError where this identity cannot log in to this instance
 */
export function planLogin(
  instance: NodeInstance,
  principal: string | undefined,
  { publicKey }: Pick<LoginKey, 'publicKey'>,
): LoginRecord {
  const place = { project: instance.project, zone: instance.zone, instance: instance.name, publicKey }
  if (instance.osLogin === 'off') return { kind: 'metadata', ...place }
  if (instance.osLogin === 'certificates-required') {
    throw new ConfigurationError(
      `node-method: ${describeName(instance)} takes OS Login certificates only (enable-oslogin-certificates), ` +
        'and this action logs in with keys. Use node-method: pod.',
    )
  }
  if (principal === undefined) {
    throw new ConfigurationError(
      `service-account: not set, and ${describeName(instance)} has OS Login on, which takes no keys of a federated identity. ` +
        'Set service-account to one with roles/compute.osAdminLogin, or use node-method: pod.',
    )
  }
  return { kind: 'os-login', ...place, account: principal }
}

/**
 * Lets the key in until it expires. It may take a minute until the node knows it.
 * @returns the user to log in as
 * @throws ConfigurationError that names the cause and the fix; the key may be there all the same: revoke the record
 */
export async function grantLogin(
  apis: GoogleApis,
  instance: NodeInstance,
  { publicKey }: Pick<LoginKey, 'publicKey'>,
  record: LoginRecord,
  expires: Date,
): Promise<{ readonly user: string }> {
  if (record.kind === 'metadata') {
    await addKey(apis, instance, publicKey, expires)
    return { user: metadataUser }
  }
  const region = instance.zone.replace(/-[^-]*$/, '')
  const key = { account: record.account ?? '', publicKey }
  return { user: await importKey(apis, key, { project: instance.project, region }, expires) }
}

/** What came of taking a key away. */
export interface Revoked {
  /** the key is no longer there; else it is until it expires, or until a later try */
  readonly gone: boolean
  /** in words */
  readonly remains: readonly string[]
}

/** Takes the key away, also where it was never granted. Never throws. */
export async function revokeLogin(apis: GoogleApis, record: LoginRecord): Promise<Revoked> {
  const { project, zone, instance, account = '', publicKey } = record
  const name = { project, zone, name: instance }
  if (record.kind === 'os-login') {
    try {
      await deleteKey(apis, { account, publicKey })
      return { gone: true, remains: [] }
    } catch (error) {
      const why = explainCall(error, 'it cannot be removed', 'Look at `gcloud compute os-login ssh-keys list`.')
      const key = `the SSH key in the OS Login profile of ${account}, until it expires: ${why.message}`
      return { gone: false, remains: [key] }
    }
  }
  const user = `the account ${metadataUser} on the node ${instance}`
  try {
    const there = await removeKey(apis, name, publicKey)
    return { gone: true, remains: there ? [`${user}, without a key`] : [] }
  } catch (error) {
    const key = `the SSH key of ${metadataUser} in the metadata of ${describeName(name)}, until it expires: ${messageOf(error)}`
    return { gone: false, remains: [key, user] }
  }
}
