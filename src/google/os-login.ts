import { ConfigurationError } from '../errors.ts'
import { callFailureOf, explainCall, type GoogleApis } from './instance.ts'

/** What is read of `oslogin.v1.LoginProfile`. */
interface LoginProfile {
  readonly posixAccounts?: readonly { readonly primary?: boolean; readonly username?: string }[]
  /** by fingerprint, which is what a key is deleted by */
  readonly sshPublicKeys?: Readonly<Record<string, { readonly key?: string }>>
}

export interface OsLoginKey {
  /** address of the service account (or user) whose profile has the key */
  readonly account: string
  /** `ssh-ed25519 AAAA…` */
  readonly publicKey: string
}

/**
 * Adds a key to the caller's own OS Login profile, which every node with OS Login that it may enter reads.
 * Resolves when the key is replicated to the region.
 * @returns the name of the user on the nodes
 * @throws ConfigurationError that names the cause and the fix
 */
export async function importKey(
  apis: GoogleApis,
  { account, publicKey }: OsLoginKey,
  place: { readonly project: string; readonly region: string },
  expires: Date,
): Promise<string> {
  const query = new URLSearchParams({ projectId: place.project, regions: place.region }).toString()
  const url = apis.endpoints.url('oslogin', `v1/${userOf(account)}:importSshPublicKey?${query}`)
  const body = { key: publicKey, expirationTimeUsec: String(expires.getTime() * 1000) }
  const { loginProfile = {} } = await apis
    .call<{ loginProfile?: LoginProfile }>('POST', url, body)
    .catch((error: unknown) => {
      throw explainCall(
        error,
        `service-account: OS Login does not take a key for ${account}`,
        'The identity may write only its own profile: is service-account the one that runs this job? ' +
          'It needs roles/compute.osAdminLogin for the node.',
      )
    })
  // A policy of the organisation can refuse keys, and the answer is a success all the same.
  if (fingerprintsOf(loginProfile, publicKey).length === 0) {
    throw new ConfigurationError(
      `service-account: OS Login took the key for ${account} and did not keep it: a policy of the organisation forbids ` +
        'keys in profiles. Have it allow them for this account, or use node-method: pod.',
    )
  }
  const accounts = loginProfile.posixAccounts ?? []
  const user = (accounts.find((one) => one.primary === true && one.username) ?? accounts[0])?.username
  if (!user) {
    throw new ConfigurationError(
      `service-account: the OS Login profile of ${account} has no POSIX account in ${place.project}. ` +
        'Grant it roles/compute.osAdminLogin there, or use node-method: pod.',
    )
  }
  return user
}

/** Takes the key out of the profile; a key that is not there any more is as good. @throws where it stays */
export async function deleteKey(apis: GoogleApis, { account, publicKey }: OsLoginKey): Promise<void> {
  const profile = await apis.call<LoginProfile>(
    'GET',
    apis.endpoints.url('oslogin', `v1/${userOf(account)}/loginProfile`),
  )
  for (const fingerprint of fingerprintsOf(profile, publicKey)) {
    const url = apis.endpoints.url('oslogin', `v1/${userOf(account)}/sshPublicKeys/${encodeURIComponent(fingerprint)}`)
    await deletePatiently(apis, url)
  }
}

/** The profile is shared by all jobs of the account: two that change it at once are told 409. */
async function deletePatiently(apis: GoogleApis, url: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await apis.call('DELETE', url)
      return
    } catch (error) {
      const status = callFailureOf(error)?.status
      if (status === 404) return
      if (status !== 409 || attempt >= 8) throw error
      await apis.pause((0.5 + Math.random()) * Math.min(100 * 2 ** attempt, 3_000))
    }
  }
}

function userOf(account: string): string {
  return `users/${encodeURIComponent(account)}`
}

/** Of keys that are the same but for their comment. */
function fingerprintsOf(profile: LoginProfile, publicKey: string): string[] {
  const [, wanted] = publicKey.split(' ')
  return Object.entries(profile.sshPublicKeys ?? {})
    .filter(([, { key }]) => key?.split(/\s+/)[1] === wanted)
    .map(([fingerprint]) => fingerprint)
}
