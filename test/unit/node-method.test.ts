import { recordOf } from '../../src/capture/record.ts'
import { ConfigurationError } from '../../src/errors.ts'
import { chooseNodeRecorder } from '../../src/node-method.ts'
import type { Cluster } from '../../src/open.ts'
import { readRequest } from '../../src/request.ts'
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
  { autopilot, facts = { status: { podIPs: [{ ip: '10.0.0.5' }] } } }: { autopilot?: boolean; facts?: object } = {},
) {
  const given: Record<string, string> = { pod: 'web-1', level: 'node', filter: 'tcp', ...inputs }
  const cluster: Cluster = {
    connection: server.connection,
    autopilot,
    google: () => Promise.reject(new ConfigurationError('workload-identity-provider: not set, and nothing else.')),
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
  expect(recorder.record.plan.filter).toContain('not tcp port 10255')
  expect(hints.join()).toContain('whole node')
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
    ['without the right to see the node', () => denied.push('get nodes'), /may not get nodes[^]*platform\.yaml/, false],
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

  it('explains both where neither is open', async () => {
    refused = { status: 403, body: status('Forbidden', 'violates PodSecurity "baseline:latest": host namespaces') }
    await expect(choose({}, { autopilot: true })).rejects.toThrow(
      /^node-method: auto, and neither way[^]*By SSH: [^]*Autopilot[^]*By a node pod: node-namespace: "packet-capture" enforces/,
    )
    expect(making()).toEqual([])
  })
})
