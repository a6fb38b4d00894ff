import { recordOf } from '../../src/capture/record.ts'
import { ConfigurationError } from '../../src/errors.ts'
import type { GoogleTokenSource } from '../../src/google/identity.ts'
import { chooseNodeRecorder } from '../../src/node-method.ts'
import type { Cluster } from '../../src/open.ts'
import { readRequest } from '../../src/request.ts'
import type { Instance } from '../sandbox/google/compute.ts'
import { startRelay, type Relay } from '../sandbox/google/relay.ts'
import { startGoogle, type GoogleServices } from '../sandbox/google/start.ts'
import { plan, target } from './capture/target.ts'
import { startServer, status, type Answer, type Server } from './cluster/server.ts'

let server: Server
let found: string[]
let node: object
/** rights that are denied, as `verb resource` */
let denied: string[]
let refused: Answer | undefined

beforeEach(async () => {
  server = await startServer()
  found = []
  denied = []
  refused = undefined
  node = {
    spec: { providerID: 'gce://demo-project/us-central1-a/gke-shop-pool-1' },
    status: { nodeInfo: { operatingSystem: 'linux' }, daemonEndpoints: { kubeletEndpoint: { Port: 10255 } } },
  }
  server.answer = ({ method, path, body }) => {
    if (path === '/api/v1/nodes/node-1') {
      return denied.includes('get nodes')
        ? { status: 403, body: status('Forbidden', 'nodes "node-1" is forbidden') }
        : { status: 200, body: node }
    }
    if (path.endsWith('/selfsubjectaccessreviews')) {
      const { verb, resource } = (
        JSON.parse(body) as { spec: { resourceAttributes: { verb: string; resource: string } } }
      ).spec.resourceAttributes
      return { status: 201, body: { status: { allowed: !denied.includes(`${verb} ${resource}`) } } }
    }
    return method === 'POST' ? (refused ?? { status: 201, body: {} }) : { status: 404, body: status('NotFound', 'no') }
  }
})
afterEach(() => server.stop())

function choose(
  inputs: Record<string, string> = {},
  {
    autopilot,
    facts = { status: { podIPs: [{ ip: '10.0.0.5' }] } },
    google = () => Promise.reject(new ConfigurationError('workload-identity-provider: not set, and nothing else.')),
  }: { autopilot?: boolean; facts?: object; google?: Cluster['google'] } = {},
) {
  const given: Record<string, string> = { pod: 'web-1', level: 'node', filter: 'tcp', ...inputs }
  const cluster: Cluster = {
    connection: server.connection,
    autopilot,
    google,
  }
  const asked = {
    cluster,
    request: readRequest((name) => given[name] ?? ''),
    identity: 'platform',
    found: (line: string) => found.push(line),
  }
  return chooseNodeRecorder(asked, target(facts), (where, filter) =>
    Promise.resolve(
      recordOf(target(), 'packet-capture-0a1b2c-3d4e5f60', plan({ filter }), '/x.pcap', Date.now(), where),
    ),
  )
}
const making = (): string[] =>
  server.requests
    .filter(({ method, path }) => method !== 'GET' && !path.includes('dryRun=All') && !path.includes('review'))
    .map(({ method, path }) => `${method} ${path}`)

it('a node pod has the filter of the pod, and nothing is made yet', async () => {
  const { recorder, hints } = await choose({ 'node-method': 'pod' })
  expect(recorder.record.where).toEqual({ kind: 'node-pod', namespace: 'packet-capture' })
  expect(recorder.record.plan.filter).toBe('(host 10.0.0.5) and (tcp)')
  expect(hints.join()).toContain('sightings of one packet')
  expect(found).toEqual([
    'Rights in packet-capture: all 8 that are needed',
    'Admission: the cluster would take the node pod in packet-capture',
  ])
  expect(making()).toEqual([])
})

it('of a pod in the network of its node, the own stream is left out by the port of its kubelet', async () => {
  const { recorder, hints } = await choose({ 'node-method': 'pod' }, { facts: { spec: { hostNetwork: true } } })
  expect(recorder.record.plan.filter).toContain('not (tcp port 10255)')
  expect(hints.join()).toContain('whole node')
})

describe("of the whole node, the runner's own stream is left out", () => {
  const whole = { spec: { hostNetwork: true } }
  const here = (): string => `(host 127.0.0.1 and tcp port ${new URL(server.url).port})`
  const before = { ...process.env }
  beforeEach(() => (process.env['KUBERNETES_SERVICE_HOST'] = '10.96.0.1')) // as in a pod
  afterEach(() => {
    for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name]
  })

  it('by a node pod: the way to the API server, and the hint says so', async () => {
    const { recorder, hints } = await choose({ 'node-method': 'pod' }, { facts: whole })
    expect(recorder.record.plan.filter).toContain(` and not ${here()}) and (tcp)`)
    expect(hints.join()).toContain(here().slice(1, -1))
    expect(hints.join()).toContain('`tcp port 10255`')
  })

  it('of a runner elsewhere there is none', async () => {
    delete process.env['KUBERNETES_SERVICE_HOST']
    const { recorder } = await choose({ 'node-method': 'pod' }, { facts: whole })
    expect(recorder.record.plan.filter).not.toContain(here())
  })

  describe('by SSH', () => {
    let google: GoogleServices
    let relay: Relay
    let instance: Instance
    let source: GoogleTokenSource
    beforeEach(async () => {
      google = await startGoogle({ project: { id: 'demo-project', number: '123456789012' } })
      instance = google.addInstance({ name: 'gke-shop-pool-1', zone: 'us-central1-a' })
      relay = await startRelay({
        backend: () => ({ host: '127.0.0.1', port: Number(new URL(server.url).port) }),
        authenticate: () => true,
      })
      Object.assign(process.env, google.envWithoutIdToken(), { IAP_TUNNEL_URL_OVERRIDE: relay.url })
      const value = google.world.tokens.issue(google.serviceAccount, 'ya29.c.', 300)
      source = {
        ...{ description: 'capture', projectId: undefined, universe: 'googleapis.com' },
        ...{ serviceAccount: google.serviceAccount, refused: () => undefined, member: () => undefined },
        token: () => Promise.resolve({ value, expires: Date.now() + 300_000 }),
      }
    })
    afterEach(async () => {
      await relay.stop()
      await google.stop()
    })

    it('auto finds out that IAP refuses, and takes a node pod: no key is made', async () => {
      relay.faults.refusals.push({ on: 'connect', refusal: { code: 4033, reason: 'not authorized' } })
      const { recorder } = await choose({ 'node-method': 'auto' }, { google: () => Promise.resolve(source) })
      expect(recorder.record.where.kind).toBe('node-pod')
      expect(found.at(-1)).toMatch(/^Method: a node pod; not SSH, because no right to a tunnel to port 22 .*4033/)
      expect(instance.metadata.map(({ key }) => key)).not.toContain('ssh-keys')
    })

    it("the ways to the relay and to the API server; of a pod's own traffic there is nothing to leave out", async () => {
      const bySsh = (facts?: object): ReturnType<typeof choose> =>
        choose({ 'node-method': 'ssh' }, { google: () => Promise.resolve(source), ...(facts ? { facts } : {}) })
      const { filter } = (await bySsh(whole)).recorder.record.plan
      expect(filter).toContain(
        `not (host 127.0.0.1 and tcp port ${new URL(relay.url).port}) and not ${here()}) and (tcp)`,
      )
      expect((await bySsh(whole)).recorder.record).toMatchObject({ where: { kind: 'ssh', whole: true } })
      expect((await bySsh()).recorder.record).toMatchObject({
        where: { kind: 'ssh', whole: false },
        plan: { filter: '(host 10.0.0.5) and (tcp)' },
      })
      expect(making()).toEqual([])
    })
  })
})

it('every missing right of a node pod is named, with the command that grants it', async () => {
  denied = ['create jobs', 'delete jobs']
  await expect(choose({ 'node-method': 'pod' })).rejects.toThrow(
    /create jobs, delete jobs[^]*docs\/rbac\/platform\.yaml/,
  )
})

describe('SSH is refused early', () => {
  it.each<[string, () => void, RegExp, boolean]>([
    ['on Autopilot', () => undefined, /^node-method: ssh, but this is a GKE Autopilot cluster/, true],
    [
      'on a node of Autopilot, where the way in does not tell',
      () => (node = { spec: { providerID: 'gce://demo-project/us-central1-a/gk3-shop-pool-1' } }),
      /is a node of GKE Autopilot/,
      false,
    ],
    [
      'on Windows',
      () => (node = { status: { nodeInfo: { operatingSystem: 'windows' } } }),
      /^level: .* runs Windows/,
      false,
    ],
    [
      'on another cloud',
      () => (node = { spec: { providerID: 'aws:///eu-west-1a/i-0123456789' } }),
      /^node-method: ssh, but the node "node-1" is not a Compute Engine node: its providerID is "aws:/,
      false,
    ],
    [
      'without the right to see the node, with the command that grants it',
      () => denied.push('get nodes'),
      /user "platform" may not get nodes[^]*\nkubectl apply -f - <<'EOF'\n[^]*kind: ClusterRoleBinding\n[^]*ClusterRole packet-capture-nodes .*platform\.yaml/,
      false,
    ],
    ['without an identity for Google', () => undefined, /^workload-identity-provider: not set/, false],
  ])('%s', async (_where, prepare, words, autopilot) => {
    prepare()
    await expect(choose({ 'node-method': 'ssh' }, autopilot ? { autopilot } : {})).rejects.toThrow(words)
    expect(making()).toEqual([])
  })
})

describe('auto', () => {
  it('takes a node pod where SSH is not open, and says why', async () => {
    const { recorder } = await choose()
    expect(recorder.record.where.kind).toBe('node-pod')
    expect(found.at(-1)).toBe(
      'Method: a node pod; not SSH, because workload-identity-provider: not set, and nothing else.',
    )
  })

  it.each<[string, () => void, boolean, string]>([
    [
      'without the words of an input that was not set',
      () => undefined,
      true,
      'this is a GKE Autopilot cluster, whose nodes nobody may enter.',
    ],
    [
      'in one line',
      () => (server.answer = brokenNode(server.answer)),
      false,
      'kubeconfig: its user "platform" may not get nodes (first line second line).',
    ],
  ])('says why %s', async (_how, prepare, autopilot, why) => {
    prepare()
    await choose({}, autopilot ? { autopilot } : {})
    expect(found.at(-1)).toBe(`Method: a node pod; not SSH, because ${why}`)
  })
  const brokenNode =
    (answer: Server['answer']): Server['answer'] =>
    (request) =>
      request.path.startsWith('/api/v1/nodes/')
        ? { status: 403, body: status('Forbidden', 'first line\nsecond line') }
        : answer(request)

  it('tries no way to a node that none can capture on', async () => {
    node = { status: { nodeInfo: { operatingSystem: 'windows' } } }
    await expect(choose()).rejects.toThrow(/^level: .* runs Windows/)
    expect(server.requests.filter(({ method }) => method === 'POST')).toEqual([])
  })

  it('says once what is in the way of both', async () => {
    denied = ['get nodes']
    await expect(choose({}, { facts: { spec: { hostNetwork: true } } })).rejects.toThrow(
      /^kubeconfig: its user "platform" may not get nodes/,
    )
  })

  it('explains both where neither is open', async () => {
    refused = { status: 403, body: status('Forbidden', 'violates PodSecurity "baseline:latest": host namespaces') }
    await expect(choose({}, { autopilot: true })).rejects.toThrow(
      /^node-method: auto, and neither way[^]*By SSH: [^]*Autopilot[^]*By a node pod: node-namespace: "packet-capture" enforces/,
    )
    expect(making()).toEqual([])
  })
})
