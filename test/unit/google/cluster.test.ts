import { ConfigurationError } from '../../../src/errors.ts'
import { parseClusterName } from '../../../src/google/cluster-name.ts'
import { findCluster, type EndpointChoice, type GkeCluster } from '../../../src/google/cluster.ts'
import type { Resource } from '../../sandbox/google/world.ts'
import { startGoogle, type GoogleServices } from '../../sandbox/google/start.ts'
import { refusal } from './refusal.ts'

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

const token = (): Promise<{ value: string; expires: number }> =>
  Promise.resolve({
    value: google.world.tokens.issue(google.serviceAccount, 'ya29.c.', 300),
    expires: Date.now() + 300_000,
  })

const find = (choice: EndpointChoice = 'auto', cluster = fullName): Promise<GkeCluster> =>
  findCluster(
    { cluster },
    choice,
    { token, universe: 'googleapis.com', projectId: undefined },
    google.envWithoutIdToken(),
  )

/** The cluster `shop`, with fields in place of those of a new one. */
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

describe('the name of a cluster', () => {
  it.each([
    [fullName],
    ['projects/shop-prod/zones/europe-west1/clusters/shop'],
    [`https://container.googleapis.com/v1/${fullName}`],
    [`//container.googleapis.com/${fullName}`],
  ])('is %s', (cluster) => {
    expect(parseClusterName({ cluster })).toEqual({ project: 'shop-prod', location: 'europe-west1', name: 'shop' })
  })

  it('is a name with its location and project, or the project of the identity', () => {
    const expected = { project: 'shop-prod', location: 'europe-west1', name: 'shop' }
    expect(parseClusterName({ cluster: 'shop', location: 'europe-west1', project: 'shop-prod' }, 'other')).toEqual(
      expected,
    )
    expect(parseClusterName({ cluster: 'shop', location: 'europe-west1' }, 'shop-prod')).toEqual(expected)
  })

  it('that is not whole: every input that is missing, and the other form', async () => {
    const message = await refusal(() => parseClusterName({ cluster: 'shop' }))
    expect(message).toMatch(/^location: got nothing.*\nproject-id: got nothing.*\nOr give cluster its full name/)
  })

  it.each([
    'projects/p/clusters/shop',
    'projects/p/locations/l/clusters/a/b',
    'projects/../locations/l/clusters/a?x',
    'Shop!',
  ])('that is none: %s', async (cluster) => {
    expect(await refusal(() => parseClusterName({ cluster, location: 'l1', project: 'p' }))).toMatch(/^cluster: got "/)
  })
})

describe('the endpoint', () => {
  it.each<[string, Endpoints, EndpointChoice, string, string]>([
    ['auto: DNS where it is open', { dns: true }, 'auto', 'dns', 'https://gke-1.europe-west1.gke.goog'],
    ['auto: the public IP where DNS is closed', {}, 'auto', 'ip', `https://${address}`],
    ['auto: DNS where IP is off', { dns: true, ip: 'off' }, 'auto', 'dns', 'https://gke-1.europe-west1.gke.goog'],
    ['ip, although DNS is open', { dns: true }, 'ip', 'ip', `https://${address}`],
    ['dns', { dns: true, ip: 'private' }, 'dns', 'dns', 'https://gke-1.europe-west1.gke.goog'],
    ['private', { ip: 'private' }, 'private', 'private', 'https://10.0.0.2'],
    ['private beside a public one', {}, 'private', 'private', 'https://10.0.0.2'],
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
    // The DNS endpoint's certificate is of a public authority: the cluster's must not be asked for.
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
  ])("of an older answer's cluster: %s", async (_what, fields, server) => {
    add({ controlPlaneEndpointsConfig: undefined, ...fields })
    expect((await find()).server).toBe(server)
  })

  it('of an older private cluster is not public', async () => {
    const privateClusterConfig = { enablePrivateEndpoint: true, privateEndpoint: '10.0.0.2' }
    add({ controlPlaneEndpointsConfig: undefined, endpoint: '10.0.0.2', privateClusterConfig })
    expect(await refusal(() => find('ip'))).toContain('has no public IP endpoint')
    expect((await find('private')).server).toBe('https://10.0.0.2')
  })

  it('auto, where nothing is open: what to choose', async () => {
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
    ['dns', {}, /does not take external traffic at its DNS endpoint.*--enable-dns-access/],
    ['ip', { dns: true, ip: 'private' }, /has no public IP endpoint/],
    ['ip', { dns: true, ip: 'off' }, /has no public IP endpoint/],
    ['private', { ip: 'off' }, /has no private IP endpoint/],
  ])('%s that the cluster does not have is told', async (choice, given, words) => {
    add(endpoints(given))
    expect(await refusal(() => find(choice))).toMatch(words)
  })

  it('of a cluster that is still made', async () => {
    add({ status: 'PROVISIONING', endpoint: undefined, controlPlaneEndpointsConfig: undefined })
    expect(await refusal(() => find())).toContain('clusters/shop (it is PROVISIONING) ')
  })

  it('comes with what to look at when it does not answer', async () => {
    add(endpoints({ dns: true, authorized: true }))
    expect((await find('ip')).hint).toMatch(/authorized networks are on.*--enable-dns-access/)
    expect((await find('dns')).hint).toContain('container.clusters.connect')
    expect((await find('private')).hint).toContain('inside')
  })

  it('is of an Autopilot cluster', async () => {
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

  it('is asked for the membership that the cluster names, by the number of the project', async () => {
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

  it("has an address for each region, at Google's own", async () => {
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

  it('is asked for a membership that only the fleet knows, wherever it is, on any page', async () => {
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

  it('of a cluster in no fleet: the command that registers it', async () => {
    add()
    expect(await refusal(() => find('connect-gateway'))).toMatch(
      /^endpoint: connect-gateway, but .*clusters\/shop is in no fleet.*clusters update shop --location europe-west1 --project shop-prod --enable-fleet/,
    )
  })

  it.each<[string, Resource]>([
    ['that the cluster names by the id', { fleet }],
    ['that only the fleet knows', {}],
  ])(
    'without the right to read the project is reached by a full name with its number: a membership %s',
    async (_how, fields) => {
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
    },
  )

  it("of another project's fleet: the number of the cluster's own project is not advised", async () => {
    add({ fleet: { membership: fleet.membership.replace('shop-prod', 'shop-fleet') } })
    google.world.denied.add('resourcemanager.projects.get')
    for (const name of [fullName, fullName.replace('shop-prod', '123456789012')]) {
      const message = await refusal(() => find('connect-gateway', name))
      expect(message).toMatch(/^endpoint: the number of the project shop-fleet .*roles\/browser/)
      expect(message).not.toContain('NUMBER')
    }
  })

  it('without the right to read memberships, and to read the project', async () => {
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

describe('a cluster that cannot be read', () => {
  it('does not exist: what the project has', async () => {
    add()
    const message = await refusal(() => find('auto', fullName.replace(/shop$/, 'shpo')))
    expect(message).toMatch(
      /^cluster: .*clusters\/shpo was not found \(404 NOT_FOUND: .*The project has: shop in europe-west1\.$/,
    )
  })

  it('does not exist, and the project may not be listed', async () => {
    google.world.denied.add('container.clusters.list')
    expect(await refusal(() => find())).toContain('Check the name, the location and the project.')
  })

  it('may not be read: the role', async () => {
    add()
    google.world.denied.add('container.clusters.get')
    const message = await refusal(() => find())
    expect(message).toMatch(
      /^cluster: .* may not be read by this identity \(403 PERMISSION_DENIED: Required "container\.clusters\.get"/,
    )
    expect(message).toContain(
      "gcloud iam roles create packetCapture --project=shop-prod --title='Packet capture' --permissions=container.clusters.get,container.clusters.connect\n" +
        "  gcloud projects add-iam-policy-binding shop-prod --role=projects/shop-prod/roles/packetCapture --member='MEMBER'\n",
    )
    expect(message).toContain('MEMBER is serviceAccount:ADDRESS')
    expect(message).toContain('container.clusters.connect')
  })

  it('may not be read: the member, where it is known', async () => {
    add()
    google.world.denied.add('container.clusters.get')
    const source = {
      ...{ token, universe: 'googleapis.com', projectId: undefined },
      member: () => `serviceAccount:${google.serviceAccount}`,
    }
    const message = await refusal(() => findCluster({ cluster: fullName }, 'auto', source, google.envWithoutIdToken()))
    expect(message).toContain(`--member='serviceAccount:${google.serviceAccount}'\n`)
    expect(message).not.toContain('MEMBER')
  })

  it('is of a project whose API is off', async () => {
    const message = 'Kubernetes Engine API has not been used in project 123456789012 before or it is disabled.'
    google.faults.container = { status: 403, body: { error: { code: 403, message, status: 'PERMISSION_DENIED' } } }
    expect(await refusal(() => find())).toContain('gcloud services enable container.googleapis.com')
  })

  it.each([
    [
      { status: 401, body: { error: { code: 401, message: 'invalid', status: 'UNAUTHENTICATED' } } },
      /Google does not take the token \(401 UNAUTHENTICATED/,
    ],
    [{ status: 503 }, /is busy or failing, also when asked again \(503/],
    [{ status: 404, body: '<html>\n<h1>Not here</h1>' }, /was not found \(404: <html> <h1>Not here<\/h1>\)/],
    ['reset' as const, /cannot be reached \(ECONNRESET/],
  ])('with %j', async (fault, words) => {
    google.faults.container = fault
    const message = await refusal(() => find())
    expect(message).toMatch(/^cluster: projects\/shop-prod/)
    expect(message).toMatch(words)
  })

  it('asks again where Google is busy', async () => {
    add()
    google.faults.container = { status: 503, times: 2 }
    expect((await find()).endpoint).toBe('ip')
    expect(google.count('container.clusters.get')).toBe(3)
  })

  it("says the identity's own error", async () => {
    const source = {
      token: () => Promise.reject(new ConfigurationError('service-account: this run may not be it')),
      universe: 'x.example',
      projectId: undefined,
    }
    expect(await refusal(() => findCluster({ cluster: fullName }, 'auto', source, {}))).toBe(
      'service-account: this run may not be it',
    )
    expect(google.calls).toEqual([])
  })
})
