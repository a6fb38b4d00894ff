import type { NodeInstance } from '../../../../src/google/compute/instance.ts'
import { generateLoginKey, grantLogin, planLogin, revokeLogin } from '../../../../src/google/compute/login.ts'
import { startGoogle, type GoogleServices } from '../../../sandbox/google/start.ts'
import { apisOf } from '../../../support/google-apis.ts'
import { refusal } from '../../../support/refusal.ts'

const key = {
  publicKey: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBNDDSLYWhhh5c/EmWslXxMD/2Io32POTA14rmKAf/Wf',
}
const name = 'gke-shop-default-pool-8d2f1c3a-x7k2'
const node = (osLogin: NodeInstance['osLogin']): NodeInstance => ({
  ...{ project: 'shop-prod', zone: 'europe-west1-b', name, id: '1', interface: 'nic0', status: 'RUNNING' },
  ...{ osLogin, hostKeys: [], remarks: [] },
})
const inAnHour = (): Date => new Date(Date.now() + 3_600_000)

let google: GoogleServices
beforeEach(async () => {
  google = await startGoogle()
})
afterEach(async () => {
  await google.stop()
})

describe('planLogin', () => {
  const place = { project: 'shop-prod', zone: 'europe-west1-b', instance: name, publicKey: key.publicKey }

  it('plans a key in the metadata for every identity when OS Login is off', () => {
    expect(planLogin(node('off'), undefined, key)).toEqual({ kind: 'metadata', ...place })
    expect(planLogin(node('off'), google.serviceAccount, key)).toEqual({ kind: 'metadata', ...place })
  })

  it('plans a key in the profile of the service account when OS Login is on', () => {
    expect(planLogin(node('on'), google.serviceAccount, key)).toEqual({
      ...{ kind: 'os-login', ...place, account: google.serviceAccount },
    })
  })

  it('returns a record without the private key that can be stored as JSON', () => {
    const pair = generateLoginKey()
    const record = planLogin(node('on'), google.serviceAccount, pair)
    expect(JSON.stringify(record)).not.toContain('PRIVATE')
    expect(Object.keys(record)).not.toContain('privateKey')
    expect(JSON.parse(JSON.stringify(record))).toEqual(record)
  })

  it('rejects a federated identity when OS Login is on', async () => {
    const message = await refusal(() => planLogin(node('on'), undefined, key))
    expect(message).toMatch(
      /^service-account: it is not set, .* has OS Login on, .*Set service-account to one with roles/,
    )
  })

  it('rejects an instance that requires certificates', async () => {
    const message = await refusal(() => planLogin(node('certificates-required'), google.serviceAccount, key))
    expect(message).toContain('accepts OS Login certificates only')
  })

  it('sends no request', () => {
    planLogin(node('on'), google.serviceAccount, key)
    expect(google.calls).toEqual([])
  })
})

describe('a login', () => {
  it('with a metadata key reports the account that is not removed from the node', async () => {
    const instance = google.addInstance()
    const record = planLogin(node('off'), undefined, key)
    expect(await grantLogin(apisOf(google), { instance: node('off'), key, record, expires: inAnHour() })).toEqual({
      user: 'gha-capture',
    })
    expect(JSON.stringify(instance.metadata)).toContain(key.publicKey)
    expect((await revokeLogin(apisOf(google), record)).leftovers).toEqual([
      `the account gha-capture on the node ${name}, without a key`,
    ])
    expect(JSON.stringify(instance.metadata)).not.toContain('gha-capture')
  })

  it('with OS Login has no leftovers', async () => {
    google.world.osLogin.username = 'sa_1'
    const record = planLogin(node('on'), google.serviceAccount, key)
    expect(await grantLogin(apisOf(google), { instance: node('on'), key, record, expires: inAnHour() })).toEqual({
      user: 'sa_1',
    })
    expect(google.world.osLogin.profiles.get(google.serviceAccount)?.keys.size).toBe(1)
    expect((await revokeLogin(apisOf(google), record)).leftovers).toEqual([])
    expect(google.world.osLogin.profiles.get(google.serviceAccount)?.keys.size).toBe(0)
  })

  it('can be revoked when it was never granted', async () => {
    google.addInstance()
    expect((await revokeLogin(apisOf(google), planLogin(node('off'), undefined, key))).leftovers).toHaveLength(1)
    expect((await revokeLogin(apisOf(google), planLogin(node('on'), google.serviceAccount, key))).leftovers).toEqual([])
    expect(google.count('compute.instances.setMetadata')).toBe(0)
  })

  it('has no leftovers when the instance does not exist', async () => {
    expect((await revokeLogin(apisOf(google), planLogin(node('off'), undefined, key))).leftovers).toEqual([])
  })

  it('that cannot be revoked reports the leftovers and the reason', async () => {
    const instance = google.addInstance()
    const record = planLogin(node('off'), undefined, key)
    await grantLogin(apisOf(google), { instance: node('off'), key, record, expires: inAnHour() })
    google.world.denied.add('compute.instances.setMetadata')
    const { leftovers, isKeyRemoved } = await revokeLogin(apisOf(google), record)
    expect(isKeyRemoved).toBe(false)
    expect(leftovers).toEqual([
      expect.stringMatching(/^the SSH key of gha-capture in the metadata of .*, until it expires: .*setMetadata/),
      `the account gha-capture on the node ${name}`,
    ])
    expect(JSON.stringify(instance.metadata)).toContain(key.publicKey)

    const shared = planLogin(node('on'), google.serviceAccount, key)
    google.faults.oslogin = { status: 403 }
    expect((await revokeLogin(apisOf(google), shared)).leftovers).toEqual([
      expect.stringMatching(/^the SSH key in the OS Login profile of capture@.*, until it expires: .*403/),
    ])
  })
})
