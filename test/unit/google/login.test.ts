import type { NodeInstance } from '../../../src/google/instance.ts'
import { generateLoginKey, grantLogin, planLogin, revokeLogin } from '../../../src/google/login.ts'
import { startGoogle, type GoogleServices } from '../../sandbox/google/start.ts'
import { apisOf } from './google-node.ts'
import { refusal } from './refusal.ts'

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

describe('the plan', () => {
  const place = { project: 'shop-prod', zone: 'europe-west1-b', instance: name, publicKey: key.publicKey }

  it('is a key in the metadata where OS Login is off, for everybody', () => {
    expect(planLogin(node('off'), undefined, key)).toEqual({ kind: 'metadata', ...place })
    expect(planLogin(node('off'), google.serviceAccount, key)).toEqual({ kind: 'metadata', ...place })
  })

  it('is the profile of the service account where it is on', () => {
    expect(planLogin(node('on'), google.serviceAccount, key)).toEqual({
      ...{ kind: 'os-login', ...place, account: google.serviceAccount },
    })
  })

  it('has nothing of the private key, and survives as JSON', () => {
    const pair = generateLoginKey()
    const record = planLogin(node('on'), google.serviceAccount, pair)
    expect(JSON.stringify(record)).not.toContain('PRIVATE')
    expect(Object.keys(record)).not.toContain('privateKey')
    expect(JSON.parse(JSON.stringify(record))).toEqual(record)
  })

  it('is none for a federated identity with OS Login', async () => {
    const message = await refusal(() => planLogin(node('on'), undefined, key))
    expect(message).toMatch(/^service-account: not set, .* has OS Login on, .*Set service-account to one with roles/)
  })

  it('is none where certificates are required', async () => {
    const message = await refusal(() => planLogin(node('certificates-required'), google.serviceAccount, key))
    expect(message).toContain('takes OS Login certificates only')
  })

  it('contacts nobody', () => {
    planLogin(node('on'), google.serviceAccount, key)
    expect(google.calls).toEqual([])
  })
})

describe('a login', () => {
  it('by the metadata leaves the account, which is told', async () => {
    const instance = google.addInstance()
    const record = planLogin(node('off'), undefined, key)
    expect(await grantLogin(apisOf(google), node('off'), key, record, inAnHour())).toEqual({ user: 'gha-capture' })
    expect(JSON.stringify(instance.metadata)).toContain(key.publicKey)
    expect((await revokeLogin(apisOf(google), record)).remains).toEqual([
      `the account gha-capture on the node ${name}, without a key`,
    ])
    expect(JSON.stringify(instance.metadata)).not.toContain('gha-capture')
  })

  it('by OS Login leaves nothing', async () => {
    google.world.osLogin.username = 'sa_1'
    const record = planLogin(node('on'), google.serviceAccount, key)
    expect(await grantLogin(apisOf(google), node('on'), key, record, inAnHour())).toEqual({ user: 'sa_1' })
    expect(google.world.osLogin.profiles.get(google.serviceAccount)?.keys.size).toBe(1)
    expect((await revokeLogin(apisOf(google), record)).remains).toEqual([])
    expect(google.world.osLogin.profiles.get(google.serviceAccount)?.keys.size).toBe(0)
  })

  it('that was never granted can be revoked', async () => {
    google.addInstance()
    expect((await revokeLogin(apisOf(google), planLogin(node('off'), undefined, key))).remains).toHaveLength(1)
    expect((await revokeLogin(apisOf(google), planLogin(node('on'), google.serviceAccount, key))).remains).toEqual([])
    expect(google.count('compute.instances.setMetadata')).toBe(0)
  })

  it('leaves nothing on a node that is gone', async () => {
    expect((await revokeLogin(apisOf(google), planLogin(node('off'), undefined, key))).remains).toEqual([])
  })

  it('that cannot be revoked is told, with what stays and why', async () => {
    const instance = google.addInstance()
    const record = planLogin(node('off'), undefined, key)
    await grantLogin(apisOf(google), node('off'), key, record, inAnHour())
    google.world.denied.add('compute.instances.setMetadata')
    const { remains, gone } = await revokeLogin(apisOf(google), record)
    expect(gone).toBe(false)
    expect(remains).toEqual([
      expect.stringMatching(/^the SSH key of gha-capture in the metadata of .*, until it expires: .*setMetadata/),
      `the account gha-capture on the node ${name}`,
    ])
    expect(JSON.stringify(instance.metadata)).toContain(key.publicKey)

    const shared = planLogin(node('on'), google.serviceAccount, key)
    google.faults.oslogin = { status: 403 }
    expect((await revokeLogin(apisOf(google), shared)).remains).toEqual([
      expect.stringMatching(/^the SSH key in the OS Login profile of capture@.*, until it expires: .*403/),
    ])
  })
})
