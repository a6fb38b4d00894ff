import { deleteKey, importKey } from '../../../../src/google/compute/os-login.ts'
import { startGoogle, type GoogleServices } from '../../../sandbox/google/start.ts'
import { apisOf } from '../../../support/google-apis.ts'
import { refusal } from '../../../support/refusal.ts'

const publicKey = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBNDDSLYWhhh5c/EmWslXxMD/2Io32POTA14rmKAf/Wf'
const other = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIeF5mx0mC1cPMOo6S6cIZ3wUNOBLXIdM9Khr+vXJKpx somebody'
const place = { project: 'shop-prod', region: 'europe-west1' }
const expires = new Date(Date.now() + 600_000)

let google: GoogleServices
beforeEach(async () => {
  google = await startGoogle()
})
afterEach(async () => {
  await google.stop()
})

const add = (account = google.serviceAccount, key = publicKey): Promise<string> =>
  importKey(apisOf(google), { account, publicKey: key }, place, expires)
const remove = (): Promise<void> => deleteKey(apisOf(google), { account: google.serviceAccount, publicKey })
const keys = (): { key: string }[] => [
  ...(google.world.osLogin.profiles.get(google.serviceAccount)?.keys.values() ?? []),
]

describe('a key for OS Login', () => {
  it('is imported with its expiry, and replicated to the region', async () => {
    expect(await add()).toMatch(/^sa_\d+$/)
    const expirationTimeUsec = `${String(expires.getTime())}000`
    expect(keys()).toEqual([{ key: publicKey, expirationTimeUsec, regions: ['europe-west1'] }])
  })

  it.each([
    ['the primary account', [{ username: 'a' }, { username: 'b', primary: true }], 'b'],
    ['the first account when none is primary', [{ username: 'a' }, { username: 'b', primary: false }], 'a'],
  ])('logs in as %s', async (_what, posixAccounts, user) => {
    google.world.osLogin.profiles.set(google.serviceAccount, { posixAccounts, keys: new Map() })
    expect(await add()).toBe(user)
  })

  it('is rejected when a policy drops it from the profile', async () => {
    google.world.osLogin.keepsKeys = false
    expect(await refusal(add)).toMatch(/^service-account: .* a policy of the organization forbids keys/)
  })

  it('is rejected when the account has no POSIX account', async () => {
    google.world.osLogin.username = null
    expect(await refusal(add)).toContain('has no POSIX account in shop-prod')
  })

  it('is rejected for the profile of another account', async () => {
    const message = await refusal(() => add('other@example.com'))
    expect(message).toContain('service-account: OS Login does not accept a key for other@example.com (403')
  })

  it('names the command that enables a disabled API', async () => {
    const message = 'Cloud OS Login API has not been used in project 1 before or it is disabled.'
    google.faults.oslogin = { status: 403, body: { error: { code: 403, message, status: 'PERMISSION_DENIED' } } }
    expect(await refusal(add)).toContain('Enable the API: `gcloud services enable')
  })

  it('is deleted, and no other key is deleted', async () => {
    await add()
    await add(google.serviceAccount, other)
    await remove()
    expect(keys()).toMatchObject([{ key: other }])
    await remove()
    expect(google.count('oslogin.users.sshPublicKeys.delete')).toBe(1)
  })

  it('is deleted also when other jobs change the profile at the same time', async () => {
    await add()
    google.world.osLogin.conflicts = 2
    await remove()
    expect(keys()).toEqual([])
    expect(google.count('oslogin.users.sshPublicKeys.delete')).toBe(3)
  })

  it('is not deleted when 8 attempts conflict with other changes', async () => {
    await add()
    google.world.osLogin.conflicts = 1_000
    await expect(remove()).rejects.toThrow('Please retry')
    expect(google.count('oslogin.users.sshPublicKeys.delete')).toBe(8)
  })

  it('is reported as deleted when another client deleted it first', async () => {
    await add()
    const apis = apisOf(google)
    const racing = {
      ...apis,
      call: async <T>(method: 'GET' | 'POST' | 'DELETE', url: string, body?: unknown): Promise<T> => {
        if (method === 'DELETE') google.world.osLogin.profiles.clear()
        return apis.call<T>(method, url, body)
      },
    }
    await deleteKey(racing, { account: google.serviceAccount, publicKey })
    expect(google.calls.at(-1)).toMatchObject({ operation: 'oslogin.users.sshPublicKeys.delete', status: 404 })
  })
})
