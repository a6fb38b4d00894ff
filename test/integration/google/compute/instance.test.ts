import { ConfigurationError } from '../../../../src/common/errors.ts'
import { openGoogleApis } from '../../../../src/google/compute/apis.ts'
import { describeInstance } from '../../../../src/google/compute/instance.ts'
import { addKey } from '../../../../src/google/compute/metadata-key.ts'
import { importKey } from '../../../../src/google/compute/os-login.ts'
import { missingPermissions } from '../../../../src/google/compute/permissions.ts'
import { parseProviderId } from '../../../../src/google/compute/provider-id.ts'
import type { MetadataItem } from '../../../sandbox/google/compute.ts'
import { startGoogle, type GoogleServices } from '../../../sandbox/google/start.ts'
import { apisOf } from '../../../support/google-apis.ts'
import { refusal } from '../../../support/refusal.ts'

let google: GoogleServices
beforeEach(async () => {
  google = await startGoogle()
})
afterEach(async () => {
  await google.stop()
})

const gone = { project: 'shop-prod', zone: 'europe-west1-b', name: 'gone' }
const on = (key: string, value = 'TRUE'): MetadataItem => ({ key, value })

describe('parseProviderId', () => {
  it.each([
    ['gce://shop-prod/europe-west1-b/gke-shop-1', 'shop-prod', 'europe-west1-b', 'gke-shop-1'],
    ['gce://example.com:shop-prod/us-central1-a/n', 'example.com:shop-prod', 'us-central1-a', 'n'],
  ])('returns the instance of %s', (text, project, zone, name) => {
    expect(parseProviderId(text, 'node-1')).toEqual({ project, zone, name })
  })

  it.each([
    ['aws:///eu-west-1a/i-0abc', 'its providerID is "aws:///eu-west-1a/i-0abc"'],
    [undefined, 'it has no providerID'],
    ['', 'it has no providerID'],
    ['gce://shop-prod/europe-west1-b/a/../b', 'its providerID is'],
    ['gce://shop-prod/europe-west1-b/', 'its providerID is'],
    ['gce://shop-prod/europe-west1-b/a?b', 'its providerID is'],
  ])('rejects %j', async (text, expected) => {
    const message = await refusal(() => parseProviderId(text, 'node-1'))
    expect(message).toContain('node-method: the node "node-1" is not a Compute Engine node')
    expect(message).toContain(expected)
    expect(message).toContain('use node-method: pod')
  })
})

describe('describeInstance', () => {
  it('returns the instance without its metadata', async () => {
    const instance = google.addInstance()
    const node = await describeInstance(apisOf(google), instance)
    expect(node).toEqual({
      ...{ project: 'shop-prod', zone: 'europe-west1-b', name: instance.name, id: instance.id },
      ...{ interface: 'nic0', status: 'RUNNING', serviceAccount: 'nodes@shop-prod.iam.gserviceaccount.com' },
      ...{ osLogin: 'off', hostKeys: [], remarks: [] },
    })
  })

  it('returns no service account when the instance has none', async () => {
    const node = await describeInstance(apisOf(google), google.addInstance({ serviceAccount: null }))
    expect(node).not.toHaveProperty('serviceAccount')
  })

  const certificates = on('enable-oslogin-certificates')
  it.each<['off' | 'on' | 'certificates-required', MetadataItem[], MetadataItem[]]>([
    ['on', [on('enable-oslogin')], []],
    ['on', [], [on('enable-oslogin', 'true')]],
    ['on', [], [on('enable-oslogin', 'Y')]],
    ['off', [on('enable-oslogin', 'FALSE')], [on('enable-oslogin')]],
    ['on', [on('enable-oslogin')], [on('enable-oslogin', 'false')]],
    ['off', [], [certificates]],
    ['certificates-required', [on('enable-oslogin')], [certificates]],
    ['on', [on('enable-oslogin'), on('enable-oslogin-certificates', 'false')], [certificates]],
  ])(
    'returns OS Login %s for the metadata %j of the instance and %j of the project',
    async (expected, metadata, projectMetadata) => {
      google.world.compute.projectMetadata = projectMetadata
      const node = await describeInstance(apisOf(google), google.addInstance({ metadata }))
      expect(node.osLogin).toBe(expected)
    },
  )

  it('returns a remark when the project cannot be read', async () => {
    google.world.denied.add('compute.projects.get')
    const node = await describeInstance(apisOf(google), google.addInstance({ metadata: [on('enable-oslogin')] }))
    expect(node.osLogin).toBe('on')
    expect(node.remarks).toEqual([expect.stringContaining('grant compute.projects.get')])
    expect(node.remarks[0]).toContain('Required "compute.projects.get" permission(s)')
  })

  it.each([
    ['does not exist', [], 'may just have been replaced'],
    ['cannot be read', ['compute.instances.get'], 'Grant the identity compute.instances.get'],
  ])('names the cause and the fix when the instance %s', async (_what, denied, expected) => {
    for (const permission of denied) google.world.denied.add(permission)
    const name = denied.length > 0 ? google.addInstance() : gone
    const message = await refusal(() => describeInstance(apisOf(google), name))
    expect(message).toMatch(/^node-method: the instance projects\/shop-prod\/zones\/europe-west1-b\/instances\//)
    expect(message).toContain(expected)
  })

  it('names the command that enables a disabled API', async () => {
    const message =
      'Compute Engine API has not been used in project 1 before or it is disabled. Enable it by visiting https://console.developers.google.com/apis/api/compute.googleapis.com/overview?project=1 then retry.'
    google.faults.compute = { status: 403, body: { error: { code: 403, message, status: 'PERMISSION_DENIED' } } }
    expect(await refusal(() => describeInstance(apisOf(google), gone))).toContain(
      'gcloud services enable compute.googleapis.com',
    )
  })

  it('retries a few times when Google is overloaded', async () => {
    const instance = google.addInstance()
    google.faults.compute = { status: 503, times: 1 }
    expect((await describeInstance(apisOf(google), instance)).status).toBe('RUNNING')
    google.faults.compute = { status: 503 }
    expect(await refusal(() => describeInstance(apisOf(google), instance))).toContain('is overloaded or failing')
    expect(google.count('compute.instances.get')).toBeLessThan(7)
  })

  it('reports that the access token is rejected, and does not show it', async () => {
    const token = (): Promise<{ value: string; expiresAtMs: number }> =>
      Promise.resolve({ value: 'ya29.forged', expiresAtMs: Date.now() + 300_000 })
    const apis = openGoogleApis({ token, universe: 'googleapis.com' }, google.envWithoutIdToken())
    const message = await refusal(() => describeInstance(apis, google.addInstance()))
    expect(message).toContain('Google does not accept the access token')
    expect(message).not.toContain('forged')
  })
})

it('reports the error of the token source, from the client library and from REST', async () => {
  const cause = new ConfigurationError({
    code: 'E_SERVICE_ACCOUNT_IMPERSONATION',
    input: 'service-account',
    problem: 'this run may not impersonate it',
    fix: '',
  })
  const apis = openGoogleApis(
    { token: () => Promise.reject(cause), universe: 'googleapis.com' },
    google.envWithoutIdToken(),
  )
  const instance = google.addInstance()
  expect(await refusal(() => describeInstance(apis, instance))).toBe(cause.message)
  expect(await refusal(() => addKey(apis, instance, 'ssh-ed25519 AAAA', new Date()))).toBe(cause.message)
  const key = { account: google.serviceAccount, publicKey: 'ssh-ed25519 AAAA' }
  const place = { project: 'shop-prod', region: 'europe-west1' }
  expect(await refusal(() => importKey(apis, key, place, new Date()))).toBe(cause.message)
})

describe('the host keys', () => {
  const published = (): ReturnType<GoogleServices['addInstance']> =>
    google.addInstance({ metadata: [on('enable-guest-attributes')] })

  it('are the valid keys of a known type', async () => {
    const instance = published()
    instance.guestAttributes.set('hostkeys/ssh-ed25519', 'AAAAC3Nz')
    instance.guestAttributes.set('hostkeys/ecdsa-sha2-nistp256', 'AAAAE2Vj\nevil ssh-rsa')
    instance.guestAttributes.set('hostkeys/ssh-rsa', 'no*base64')
    instance.guestAttributes.set('hostkeys/ssh-dss', 'AAAA')
    instance.guestAttributes.set('other/ssh-ed25519', 'BBBB')
    const { hostKeys } = await describeInstance(apisOf(google), instance)
    expect(hostKeys).toEqual(['ssh-ed25519 AAAAC3Nz', 'ecdsa-sha2-nistp256 AAAAE2Vj'])
  })

  it('are empty when the guest published none, and are not requested when it does not publish them', async () => {
    expect(await describeInstance(apisOf(google), published())).toMatchObject({ hostKeys: [], remarks: [] })
    expect(google.count('compute.instances.getGuestAttributes')).toBe(1)
    google.world.compute.instances.length = 0
    await describeInstance(apisOf(google), google.addInstance())
    expect(google.count('compute.instances.getGuestAttributes')).toBe(1)
  })

  it('are empty, with a remark, when they cannot be read', async () => {
    google.world.denied.add('compute.instances.getGuestAttributes')
    const { hostKeys, remarks } = await describeInstance(apisOf(google), published())
    expect(hostKeys).toEqual([])
    expect(remarks).toEqual([expect.stringContaining('grant compute.instances.getGuestAttributes')])
  })
})

describe('missingPermissions', () => {
  const missing = async (login: 'os-login' | 'metadata', ...denied: string[]): Promise<unknown[]> => {
    for (const permission of denied) google.world.denied.add(permission)
    const instance = google.addInstance()
    const node = {
      ...{ project: instance.project, zone: instance.zone, name: instance.name, id: instance.id, interface: 'nic0' },
      ...({ status: 'RUNNING', osLogin: 'off', hostKeys: [], remarks: [] } as const),
      serviceAccount: 'nodes@shop-prod.iam.gserviceaccount.com',
    }
    const found = await missingPermissions(apisOf(google), node, login)
    return found.map(({ permission, resource, role }) => [permission, resource, role])
  }
  const node = 'projects/shop-prod/zones/europe-west1-b/instances/gke-shop-default-pool-8d2f1c3a-x7k2'

  it('returns no permissions for an identity that has all permissions', async () => {
    expect(await missing('metadata')).toEqual([])
    expect(google.count('testIamPermissions')).toBe(4)
  })

  it.each([
    ['metadata', 'compute.instances.setMetadata', node, 'a custom role (docs/terraform)'],
    ['metadata', 'compute.zoneOperations.get', 'projects/shop-prod', 'a custom role (docs/terraform)'],
    ['os-login', 'compute.instances.osAdminLogin', node, 'roles/compute.osAdminLogin'],
    [
      'os-login',
      'iap.tunnelInstances.accessViaIAP',
      'projects/shop-prod/iap_tunnel/zones/europe-west1-b/instances/gke-shop-default-pool-8d2f1c3a-x7k2',
      'roles/iap.tunnelResourceAccessor',
    ],
    [
      'metadata',
      'iam.serviceAccounts.actAs',
      'projects/-/serviceAccounts/nodes@shop-prod.iam.gserviceaccount.com',
      'roles/iam.serviceAccountUser',
    ],
  ] as const)(
    'returns for a login with %s the permission %s with its resource and role',
    async (login, permission, resource, role) => {
      expect(await missing(login, permission)).toEqual([[permission, resource, role]])
    },
  )

  it('does not return permissions of the other login type', async () => {
    expect(await missing('os-login', 'compute.instances.setMetadata', 'compute.zoneOperations.get')).toEqual([])
  })

  it('returns no permissions when Google does not answer', async () => {
    google.faults.iap = { status: 404 }
    google.faults.iam = { status: 403, body: { error: { code: 403, message: 'IAM API has not been used' } } }
    expect(await missing('metadata')).toEqual([])
  })

  it('returns all permissions of a resource that cannot be tested', async () => {
    google.faults.iap = { status: 403, body: { error: { code: 403, message: 'no', status: 'PERMISSION_DENIED' } } }
    expect(await missing('metadata')).toEqual([expect.arrayContaining(['iap.tunnelInstances.accessViaIAP'])])
  })
})

it.each(['IAM', 'IAP'])('openGoogleApis accepts the same overrides for %s as gcloud', async (service) => {
  const open = (value: string): unknown =>
    openGoogleApis(
      { token: () => Promise.reject(new Error('not asked')), universe: 'googleapis.com' },
      { [`CLOUDSDK_API_ENDPOINT_OVERRIDES_${service}`]: value },
    )
  expect(() => open('https://private.example/x/')).not.toThrow()
  expect(await refusal(() => open('https://private.example/x'))).toContain(
    'is not an absolute URL with a slash at the end',
  )
  expect(await refusal(() => open('http://private.example/'))).toContain(
    'plain http, which is allowed for a loopback address only',
  )
})
