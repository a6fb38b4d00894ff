import { ConfigurationError } from '../../common/errors.ts'
import { urlPath } from '../../common/url-path.ts'
import { callProblem } from '../call-problem.ts'
import { failureOf } from '../transport.ts'
import type { GoogleApis } from './apis.ts'

/** What is read of `oslogin.v1.LoginProfile`. */
interface LoginProfile {
  readonly posixAccounts?: readonly { readonly primary?: boolean; readonly username?: string }[]
  /** by fingerprint, which identifies a key for its deletion */
  readonly sshPublicKeys?: Readonly<Record<string, { readonly key?: string }>>
}

const maxDeleteCount = 8

export interface OsLoginKey {
  /** address of the service account (or user) whose profile has the key */
  readonly account: string
  /** `ssh-ed25519 AAAA…` */
  readonly publicKey: string
}

/**
 * Adds a key to the OS Login profile of the caller. Every node with OS Login reads it, where the caller may log in.
 * Resolves when the key is replicated to the region.
 * @returns the user name on the nodes
 * @throws ConfigurationError
 */
export async function importKey(
  apis: GoogleApis,
  { account, publicKey }: OsLoginKey,
  { project, region }: { readonly project: string; readonly region: string },
  expires: Date,
): Promise<string> {
  const query = new URLSearchParams({ projectId: project, regions: region }).toString()
  const url = apis.endpoints.url('oslogin', `${urlPath`v1/users/${account}:importSshPublicKey`}?${query}`)
  const body = { key: publicKey, expirationTimeUsec: String(expires.getTime() * 1000) }
  const { loginProfile = {} } = await apis
    .call<{ loginProfile?: LoginProfile }>('POST', url, body)
    .catch((error: unknown) => {
      throw callProblem(error, {
        code: 'E_OS_LOGIN_REFUSED',
        input: 'service-account',
        problem: `OS Login does not accept a key for ${account}`,
        fix:
          'The identity may write its own profile only: check that service-account is the one that runs this job. ' +
          'It needs roles/compute.osAdminLogin for the node.',
        mayAnswerQuoteSecrets: true,
      })
    })
  // A policy of the organization can refuse keys, and the answer is a success all the same.
  if (fingerprintsOf(loginProfile, publicKey).length === 0) {
    throw new ConfigurationError({
      code: 'E_OS_LOGIN_REFUSED',
      input: 'service-account',
      problem: `OS Login did not store the key for ${account}: a policy of the organization forbids keys in profiles`,
      fix: 'Let the policy allow them for this account, or use node-method: pod.',
    })
  }
  const accounts = loginProfile.posixAccounts ?? []
  const user = (accounts.find((one) => one.primary === true && one.username) ?? accounts[0])?.username
  if (!user) {
    throw new ConfigurationError({
      code: 'E_OS_LOGIN_REFUSED',
      input: 'service-account',
      problem: `the OS Login profile of ${account} has no POSIX account in ${project}`,
      fix: 'Grant it roles/compute.osAdminLogin there, or use node-method: pod.',
    })
  }
  return user
}

/** Removes the key from the profile, if it is there. @throws where it could not be removed */
export async function deleteKey(apis: GoogleApis, { account, publicKey }: OsLoginKey): Promise<void> {
  const profile = await apis.call<LoginProfile>(
    'GET',
    apis.endpoints.url('oslogin', urlPath`v1/users/${account}/loginProfile`),
  )
  for (const fingerprint of fingerprintsOf(profile, publicKey)) {
    const url = apis.endpoints.url('oslogin', urlPath`v1/users/${account}/sshPublicKeys/${fingerprint}`)
    await deleteWithRetries(apis, url)
  }
}

/** All jobs of the account share the profile: two changes at the same time are answered with 409. */
async function deleteWithRetries(apis: GoogleApis, url: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await apis.call('DELETE', url)
      return
    } catch (error) {
      const status = failureOf(error)?.status
      if (status === 404) return
      if (status !== 409 || attempt >= maxDeleteCount) throw error
      await apis.pause((0.5 + Math.random()) * Math.min(100 * 2 ** attempt, 3_000))
    }
  }
}

/** Of the key, whatever its comment is. */
function fingerprintsOf(profile: LoginProfile, publicKey: string): string[] {
  const [, wanted] = publicKey.split(' ')
  return Object.entries(profile.sshPublicKeys ?? {})
    .filter(([, { key }]) => key?.split(/\s+/)[1] === wanted)
    .map(([fingerprint]) => fingerprint)
}
