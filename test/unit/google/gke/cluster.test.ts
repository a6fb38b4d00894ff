import { ConfigurationError } from '../../../../src/common/errors.ts'
import { parseClusterName } from '../../../../src/google/gke/cluster-name.ts'
import { findCluster, type GkeCluster } from '../../../../src/google/gke/cluster.ts'
import type { EndpointChoice } from '../../../../src/google/gke/endpoint.ts'
import type { Resource } from '../../../sandbox/google/world.ts'
import { startGoogle, type GoogleServices } from '../../../sandbox/google/start.ts'
import { refusal } from '../../../support/refusal.ts'

const fullName = 'projects/shop-prod/locations/europe-west1/clusters/shop'
const pem = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'
const address = '203.0.113.7'

let google: GoogleServices
beforeEach(async () => {
  google = await startGoogle()
})
afterEach(async () => {
  await google.stop()
})

const token = (): Promise<{ value: string; expiresAtMs: number }> =>
  Promise.resolve({
    value: google.world.tokens.issue(google.serviceAccount, 'ya29.c.', 300),
    expiresAtMs: Date.now() + 300_000,
  })

const find = (choice: EndpointChoice = 'auto', cluster = fullName): Promise<GkeCluster> =>
  findCluster(
    { cluster },
    choice,
    { token, universe: 'googleapis.com', projectId: undefined },
    google.envWithoutIdToken(),
  )

/** The cluster `shop`; the given fields replace the fields of a new cluster. */
const add = (fields: Resource = {}): Resource => google.addCluster({ address, certificateAuthority: pem, with: fields })

interface Endpoints {
  dns?: boolean
  ip?: 'public' | 'private' | 'off'
  authorized?: boolean
}
const endpoints = ({ dns = false, ip = 'public', authorized = false }: Endpoints): Resource => ({
  endpoint: ip === 'public' ? address : ip === 'private' ? '10.0.0.2' : undefined,
  controlPlaneEndpointsConfig: {
    dnsEndpointConfig: { endpoint: 'gke-1.europe-west1.gke.goog', ...(dns ? { allowExternalTraffic: true } : {}) },
    ipEndpointsConfig:
      ip === 'off'
        ? {}
        : {
            enabled: true,
            enablePublicEndpoint: ip === 'public',
            ...(ip === 'public' ? { publicEndpoint: address } : {}),
            privateEndpoint: '10.0.0.2',
            authorizedNetworksConfig: authorized
              ? { enabled: true, cidrBlocks: [{ cidrBlock: '198.51.100.0/24' }] }
              : {},
          },
  },
})

describe('parseClusterName', () => {
  it.each([
    [fullName],
    ['projects/shop-prod/zones/europe-west1/clusters/shop'],
    [`https://container.googleapis.com/v1/${fullName}`],
    [`//container.googleapis.com/${fullName}`],
  ])('accepts %s', (cluster) => {
    expect(parseClusterName({ cluster })).toEqual({ project: 'shop-prod', location: 'europe-west1', name: 'shop' })
  })

  it('accepts a name with its location and project, or the project of the identity', () => {
    const expected = { project: 'shop-prod', location: 'europe-west1', name: 'shop' }
    expect(parseClusterName({ cluster: 'shop', location: 'europe-west1', project: 'shop-prod' }, 'other')).toEqual(
      expected,
    )
    expect(parseClusterName({ cluster: 'shop', location: 'europe-west1' }, 'shop-prod')).toEqual(expected)
  })

  it('reports every missing input, and the full name as the alternative', async () => {
    const message = await refusal(() => parseClusterName({ cluster: 'shop' }))
    expect(message).toMatch(
      /- location: it is not set\..*\n- project-id: it is not set\. .*or set cluster to its full name/,
    )
  })

  it.each([
    'projects/p/clusters/shop',
    'projects/p/locations/l/clusters/a/b',
    'projects/../locations/l/clusters/a?x',
    'Shop!',
  ])('rejects %s', async (cluster) => {
    expect(await refusal(() => parseClusterName({ cluster, location: 'l1', project: 'p' }))).toMatch(/^cluster: "/)
  })
})

describe('findCluster', () => {
  it.each<[string, Endpoints, EndpointChoice, string, string]>([
    ['selects DNS for auto when DNS is open', { dns: true }, 'auto', 'dns', 'https://gke-1.europe-west1.gke.goog'],
    ['selects the public IP for auto when DNS is closed', {}, 'auto', 'ip', `https://${address}`],
    [
      'selects DNS for auto when IP is off',
      { dns: true, ip: 'off' },
      'auto',
      'dns',
      'https://gke-1.europe-west1.gke.goog',
    ],
    ['selects the public IP for ip even if DNS is open', { dns: true }, 'ip', 'ip', `https://${address}`],
    ['selects DNS for dns', { dns: true, ip: 'private' }, 'dns', 'dns', 'https://gke-1.europe-west1.gke.goog'],
    ['selects the private IP for private', { ip: 'private' }, 'private', 'private', 'https://10.0.0.2'],
    ['selects the private IP for private when there is also a public IP', {}, 'private', 'private', 'https://10.0.0.2'],
  ])('%s', async (_what, given, choice, endpoint, server) => {
    add(endpoints(given))
    const found = await find(choice)
    expect(found).toMatchObject({
      endpoint,
      server,
      project: 'shop-prod',
      location: 'europe-west1',
      name: 'shop',
      autopilot: false,
    })
    // A public authority signs the DNS endpoint's certificate: the cluster's authority must not be required.
    expect(found.certificateAuthority).toBe(endpoint === 'dns' ? undefined : pem)
    expect(found.description).toContain(`GKE cluster ${fullName}, `)
    expect(google.calls.map(({ operation }) => operation)).toEqual(['container.clusters.get'])
  })

  it.each<[string, Resource, string]>([
    ['public', {}, `https://${address}`],
    [
      'private nodes',
      { privateClusterConfig: { privateEndpoint: '10.0.0.2', publicEndpoint: '203.0.113.9' } },
      'https://203.0.113.9',
    ],
    ['an IPv6 address', { endpoint: '2001:db8::7' }, 'https://[2001:db8::7]'],
  ])('reads the public endpoint of an older API version: %s', async (_what, fields, server) => {
    add({ controlPlaneEndpointsConfig: undefined, ...fields })
    expect((await find()).server).toBe(server)
  })

  it('finds no public endpoint of a private cluster of an older API version', async () => {
    const privateClusterConfig = { enablePrivateEndpoint: true, privateEndpoint: '10.0.0.2' }
    add({ controlPlaneEndpointsConfig: undefined, endpoint: '10.0.0.2', privateClusterConfig })
    expect(await refusal(() => find('ip'))).toContain('has no public IP endpoint')
    expect((await find('private')).server).toBe('https://10.0.0.2')
  })

  it('names the choices when auto finds no endpoint', async () => {
    add(endpoints({ ip: 'private' }))
    const message = await refusal(() => find())
    expect(message).toMatch(
      /^cluster: projects\/shop-prod\/locations\/europe-west1\/clusters\/shop cannot be reached from outside/,
    )
    expect(message).toContain(
      'gcloud container clusters update shop --location europe-west1 --project shop-prod --enable-dns-access',
    )
    expect(message).toContain('endpoint: private')
    expect(message).toContain('endpoint: connect-gateway')
  })

  it.each<[EndpointChoice, Endpoints, RegExp]>([
    ['dns', {}, /allows no external traffic at its DNS endpoint.*--enable-dns-access/],
    ['ip', { dns: true, ip: 'private' }, /has no public IP endpoint/],
    ['ip', { dns: true, ip: 'off' }, /has no public IP endpoint/],
    ['private', { ip: 'off' }, /has no private IP endpoint/],
  ])('rejects the endpoint %s that the cluster does not have', async (choice, given, expected) => {
    add(endpoints(given))
    expect(await refusal(() => find(choice))).toMatch(expected)
  })

  it('names the status of a cluster that is not running', async () => {
    add({ status: 'PROVISIONING', endpoint: undefined, controlPlaneEndpointsConfig: undefined })
    expect(await refusal(() => find())).toContain('clusters/shop (it is PROVISIONING) ')
  })

  it('returns a hint for an endpoint that does not answer', async () => {
    add(endpoints({ dns: true, authorized: true }))
    expect((await find('ip')).hint).toMatch(/Authorized networks are enabled.*--enable-dns-access/)
    expect((await find('dns')).hint).toContain('container.clusters.connect')
    expect((await find('private')).hint).toContain('inside')
  })

  it('reports an Autopilot cluster', async () => {
    add({ autopilot: { enabled: true } })
    expect((await find()).autopilot).toBe(true)
  })
})

describe('Connect Gateway', () => {
  const membership = (name: string, cluster: string, location = 'global'): Resource => ({
    name: `projects/210987654321/locations/${location}/memberships/${name}`,
    endpoint: { gkeCluster: { resourceLink: `//container.googleapis.com/${cluster}` } },
  })
  const fleet = {
    project: 'shop-prod',
    membership: '//gkehub.googleapis.com/projects/shop-prod/locations/europe-west1/memberships/shop',
  }

  it('uses the membership that the cluster names, and the project number', async () => {
    add({ fleet })
    const found = await find('connect-gateway')
    expect(found.server).toBe(
      `${google.envWithoutIdToken()['CLOUDSDK_API_ENDPOINT_OVERRIDES_CONNECTGATEWAY'] ?? ''}v1/projects/123456789012/locations/europe-west1/gkeMemberships/shop`,
    )
    expect(found).toMatchObject({ endpoint: 'connect-gateway', certificateAuthority: undefined })
    expect(found.hint).toContain('roles/gkehub.gatewayAdmin')
    expect(google.calls.map(({ operation }) => operation)).toEqual([
      'container.clusters.get',
      'cloudresourcemanager.projects.get',
    ])
  })

  it('returns an address for each region when there is no override', async () => {
    add({ fleet: { membership: fleet.membership.replace('shop-prod', '123456789012') } })
    const env = google.envWithoutIdToken()
    delete env['CLOUDSDK_API_ENDPOINT_OVERRIDES_CONNECTGATEWAY']
    const source = { token, universe: 'googleapis.com', projectId: undefined }
    const found = await findCluster({ cluster: fullName }, 'connect-gateway', source, env)
    expect(found.server).toBe(
      'https://europe-west1-connectgateway.googleapis.com/v1/projects/123456789012/locations/europe-west1/gkeMemberships/shop',
    )
    expect(google.count('cloudresourcemanager.projects.get')).toBe(0) // the membership has the number
  })

  it('finds a membership that only the fleet lists, for any location and page', async () => {
    add({ fleet: { project: 'shop-fleet' } })
    google.world.memberships.push(
      membership('a', fullName.replace('/shop', '/shop-2')),
      membership('b', fullName.replace('shop-prod', 'other')),
      membership('c', fullName.replace('locations', 'zones'), 'europe-west1'),
    )
    const found = await find('connect-gateway')
    expect(found.server).toMatch(/v1\/projects\/210987654321\/locations\/europe-west1\/gkeMemberships\/c$/)
    const asked = google.calls.filter(({ operation }) => operation === 'gkehub.memberships.list')
    expect(asked.map(({ path }) => path)).toEqual(Array(2).fill('/v1/projects/shop-fleet/locations/-/memberships'))
  })

  it('names the command that registers a cluster in a fleet', async () => {
    add()
    expect(await refusal(() => find('connect-gateway'))).toMatch(
      /^endpoint: Connect Gateway needs a fleet, and .*clusters\/shop is in none.*clusters update shop --location europe-west1 --project shop-prod --enable-fleet/,
    )
  })

  it.each<[string, Resource]>([
    ['that the cluster names by the project ID', { fleet }],
    ['that only the fleet lists', {}],
  ])('advises the project number when the project cannot be read, for a membership %s', async (_how, fields) => {
    add(fields)
    google.world.memberships.push({
      ...membership('shop', fullName),
      name: 'projects/shop-prod/locations/europe-west1/memberships/shop',
    })
    google.world.denied.add('resourcemanager.projects.get')
    const message = await refusal(() => find('connect-gateway'))
    const advised = /cluster: (projects\/NUMBER\/\S+)/.exec(message)?.[1] ?? ''
    const found = await find('connect-gateway', advised.replace('NUMBER', '123456789012'))
    expect(found.server).toMatch(/v1\/projects\/123456789012\/locations\/europe-west1\/gkeMemberships\/shop$/)
  })

  it('does not advise the project number for a fleet of another project', async () => {
    add({ fleet: { membership: fleet.membership.replace('shop-prod', 'shop-fleet') } })
    google.world.denied.add('resourcemanager.projects.get')
    for (const name of [fullName, fullName.replace('shop-prod', '123456789012')]) {
      const message = await refusal(() => find('connect-gateway', name))
      expect(message).toMatch(/^endpoint: the number of the project shop-fleet, .*roles\/browser/)
      expect(message).not.toContain('NUMBER')
    }
  })

  it('names the missing roles when memberships or the project cannot be read', async () => {
    const cluster = add()
    google.world.denied.add('gkehub.memberships.list')
    expect(await refusal(() => find('connect-gateway'))).toMatch(
      /^endpoint: the fleet memberships.*403 PERMISSION_DENIED.*roles\/gkehub\.viewer/,
    )
    cluster['fleet'] = fleet
    google.world.denied.add('resourcemanager.projects.get')
    expect(await refusal(() => find('connect-gateway'))).toMatch(
      /^endpoint: the number of the project shop-prod.*resourcemanager\.projects\.get/,
    )
  })
})

describe('findCluster of a cluster that cannot be read', () => {
  it('lists the clusters of the project when the cluster does not exist', async () => {
    add()
    const message = await refusal(() => find('auto', fullName.replace(/shop$/, 'shpo')))
    expect(message).toMatch(
      /^cluster: .*clusters\/shpo was not found \(404 NOT_FOUND: .*The project has: shop in europe-west1\.$/,
    )
  })

  it('advises a check of the name when the clusters cannot be listed', async () => {
    google.world.denied.add('container.clusters.list')
    expect(await refusal(() => find())).toContain('Check the name, the location and the project.')
  })

  it('names the permissions and the commands that grant them', async () => {
    add()
    google.world.denied.add('container.clusters.get')
    const message = await refusal(() => find())
    expect(message).toMatch(
      /^cluster: this identity may not read .* \(403 PERMISSION_DENIED: Required "container\.clusters\.get"/,
    )
    expect(message).toContain(
      "gcloud iam roles create packetCapture --project=shop-prod --title='Packet capture' --permissions=container.clusters.get,container.clusters.connect\n" +
        "gcloud projects add-iam-policy-binding shop-prod --role=projects/shop-prod/roles/packetCapture --member='MEMBER'",
    )
    expect(message).toContain('MEMBER is serviceAccount:ADDRESS')
    expect(message).toContain('container.clusters.connect')
  })

  it('names the member of the binding when it is known', async () => {
    add()
    google.world.denied.add('container.clusters.get')
    const source = {
      ...{ token, universe: 'googleapis.com', projectId: undefined },
      member: () => `serviceAccount:${google.serviceAccount}`,
    }
    const message = await refusal(() => findCluster({ cluster: fullName }, 'auto', source, google.envWithoutIdToken()))
    expect(message).toContain(`--member='serviceAccount:${google.serviceAccount}'`)
    expect(message).not.toContain('MEMBER')
  })

  it('names the command that enables a disabled API', async () => {
    const message = 'Kubernetes Engine API has not been used in project 123456789012 before or it is disabled.'
    google.faults.container = { status: 403, body: { error: { code: 403, message, status: 'PERMISSION_DENIED' } } }
    expect(await refusal(() => find())).toContain('gcloud services enable container.googleapis.com')
  })

  it.each([
    [
      { status: 401, body: { error: { code: 401, message: 'invalid', status: 'UNAUTHENTICATED' } } },
      /Google does not accept the access token \(401 UNAUTHENTICATED/,
    ],
    [{ status: 503 }, /is overloaded or failing, also after retries \(503/],
    [{ status: 404, body: '<html>\n<h1>Not here</h1>' }, /was not found \(404: <html> <h1>Not here<\/h1>\)/],
    ['reset' as const, /cannot be reached \(ECONNRESET/],
  ])('names the cause of the failure %j', async (fault, expected) => {
    google.faults.container = fault
    const message = await refusal(() => find())
    expect(message).toMatch(/^cluster: projects\/shop-prod/)
    expect(message).toMatch(expected)
  })

  it('retries when Google is overloaded', async () => {
    add()
    google.faults.container = { status: 503, times: 2 }
    expect((await find()).endpoint).toBe('ip')
    expect(google.count('container.clusters.get')).toBe(3)
  })

  it('reports the error of the token source', async () => {
    const cause = new ConfigurationError({
      code: 'E_SERVICE_ACCOUNT_IMPERSONATION',
      input: 'service-account',
      problem: 'this run may not impersonate it',
      fix: '',
    })
    const source = {
      token: () => Promise.reject(cause),
      universe: 'x.example',
      projectId: undefined,
    }
    expect(await refusal(() => findCluster({ cluster: fullName }, 'auto', source, {}))).toBe(cause.message)
    expect(google.calls).toEqual([])
  })
})
