import { ConfigurationError } from '../../../../src/common/errors.ts'
import type { GoogleTokenSource } from '../../../../src/google/auth/identity.ts'
import { checkNodeMethod } from '../../../../src/app/preflight/node-method.ts'
import type { Cluster } from '../../../../src/app/cluster-access.ts'
import { readRequest } from '../../../../src/inputs/request.ts'
import { readJob } from '../../../../src/runner/job.ts'
import type { Instance } from '../../../sandbox/google/compute.ts'
import { startRelay, type Relay } from '../../../sandbox/google/relay.ts'
import { startGoogle, type GoogleServices } from '../../../sandbox/google/start.ts'
import { target } from '../../../support/target.ts'
import { startServer, status, type Answer, type Server } from '../../../support/api-server.ts'

const noIdentity = new ConfigurationError({
  ...{ code: 'E_INPUT_MISSING', input: 'workload-identity-provider', problem: 'is not set' },
  fix: 'Set it, or run google-github-actions/auth before.',
})

let server: Server
let found: readonly string[]
let node: object
/** the denied rights, as `verb resource` */
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
    if (path === '/api/v1/namespaces/shop/pods/web-1') return { status: 200, body: {} } // for the time of the server
    return method === 'POST' ? (refused ?? { status: 201, body: {} }) : { status: 404, body: status('NotFound', 'no') }
  }
})
afterEach(() => server.stop())

/** Returns the chosen recorder; throws the problems as one error. */
async function choose(
  inputs: Record<string, string> = {},
  {
    autopilot,
    facts = { status: { podIPs: [{ ip: '10.0.0.5' }] } },
    google = () => Promise.reject(noIdentity),
  }: { autopilot?: boolean; facts?: object; google?: Cluster['google'] } = {},
) {
  const given: Record<string, string> = { pod: 'web-1', level: 'node', filter: 'tcp', ...inputs }
  const cluster: Cluster = {
    connection: server.connection,
    autopilot,
    google,
  }
  const context = {
    cluster,
    request: readRequest((name) => given[name] ?? ''),
    job: readJob({ RUNNER_TEMP: '/t', GITHUB_REPOSITORY: 'octo/shop' }),
    identity: { user: 'platform', clockAheadMs: undefined },
    targetCount: 1,
  }
  const { findings, problems, hints = [], value } = await checkNodeMethod(context, { ...target(facts), node: 'node-1' })
  found = findings
  if (value === undefined) throw new ConfigurationError(problems)
  return { recorder: value, hints }
}
const creating = (): string[] =>
  server.requests
    .filter(({ method, path }) => method !== 'GET' && !path.includes('dryRun=All') && !path.includes('review'))
    .map(({ method, path }) => `${method} ${path}`)

it('plans a node pod with the filter of the pod, and creates no resources', async () => {
  const { recorder, hints } = await choose({ 'node-method': 'pod' })
  expect(recorder.record.method).toEqual({ kind: 'node-pod', namespace: 'packet-capture' })
  expect(recorder.record.plan.filter).toBe('(host 10.0.0.5) and (tcp)')
  expect(hints.join()).toContain('records of one packet')
  expect(found).toEqual([
    'Rights in packet-capture: all 8 that are needed',
    'Admission: the cluster allows the node pod in packet-capture',
  ])
  expect(creating()).toEqual([])
})

it('excludes the capture stream by the kubelet port when the pod uses the host network', async () => {
  const { recorder, hints } = await choose({ 'node-method': 'pod' }, { facts: { spec: { hostNetwork: true } } })
  expect(recorder.record.plan.filter).toContain('not (tcp port 10255)')
  expect(hints.join()).toContain('whole node')
})

describe("a capture of the whole node excludes the runner's connections", () => {
  const whole = { spec: { hostNetwork: true } }
  const apiServerTerm = (): string => `(host 127.0.0.1 and tcp port ${new URL(server.url).port})`
  const before = { ...process.env }
  beforeEach(() => (process.env['KUBERNETES_SERVICE_HOST'] = '10.96.0.1')) // as in a pod
  afterEach(() => {
    for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name]
  })

  it('to the API server when it uses a node pod, and lists them in a hint', async () => {
    const { recorder, hints } = await choose({ 'node-method': 'pod' }, { facts: whole })
    expect(recorder.record.plan.filter).toContain(` and not ${apiServerTerm()}) and (tcp)`)
    expect(hints.join()).toContain(apiServerTerm().slice(1, -1))
    expect(hints.join()).toContain('`tcp port 10255`')
  })

  it('only when the runner is in the cluster', async () => {
    delete process.env['KUBERNETES_SERVICE_HOST']
    const { recorder } = await choose({ 'node-method': 'pod' }, { facts: whole })
    expect(recorder.record.plan.filter).not.toContain(apiServerTerm())
  })

  describe('with SSH', () => {
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
        token: () => Promise.resolve({ value, expiresAtMs: Date.now() + 300_000 }),
      }
    })
    afterEach(async () => {
      await relay.stop()
      await google.stop()
    })

    it('uses a node pod and creates no key when the method is auto and IAP refuses the tunnel', async () => {
      relay.faults.refusals.push({ on: 'connect', refusal: { code: 4033, reason: 'not authorized' } })
      const { recorder } = await choose({ 'node-method': 'auto' }, { google: () => Promise.resolve(source) })
      expect(recorder.record.method.kind).toBe('node-pod')
      expect(found.at(-1)).toMatch(
        /^Method: a node pod; not SSH, because the identity has no permission to open an IAP tunnel to port 22 .*4033/,
      )
      expect(instance.metadata.map(({ key }) => key)).not.toContain('ssh-keys')
    })

    it("to the relay and to the API server, but not from a capture of a pod's addresses", async () => {
      const chooseSsh = (facts?: object): ReturnType<typeof choose> =>
        choose({ 'node-method': 'ssh' }, { google: () => Promise.resolve(source), ...(facts ? { facts } : {}) })
      const { filter } = (await chooseSsh(whole)).recorder.record.plan
      expect(filter).toContain(
        `not (host 127.0.0.1 and tcp port ${new URL(relay.url).port}) and not ${apiServerTerm()}) and (tcp)`,
      )
      expect((await chooseSsh(whole)).recorder.record).toMatchObject({ method: { kind: 'ssh', whole: true } })
      expect((await chooseSsh()).recorder.record).toMatchObject({
        method: { kind: 'ssh', whole: false },
        plan: { filter: '(host 10.0.0.5) and (tcp)' },
      })
      expect(creating()).toEqual([])
    })
  })
})

it('names every missing right for a node pod, with the command that grants them', async () => {
  denied = ['create jobs', 'delete jobs']
  await expect(choose({ 'node-method': 'pod' })).rejects.toThrow(
    /create jobs\n *delete jobs\n[^]*docs\/rbac\/platform\.yaml/,
  )
})

describe('SSH is refused before anything is created', () => {
  it.each<[string, () => void, RegExp, boolean]>([
    [
      'on Autopilot',
      () => undefined,
      /^node-method: the nodes of a GKE Autopilot cluster do not allow SSH\. Use `level: pod`\.$/,
      true,
    ],
    [
      'on an Autopilot node when the connection does not report Autopilot',
      () => (node = { spec: { providerID: 'gce://demo-project/us-central1-a/gk3-shop-pool-1' } }),
      /GKE Autopilot/,
      false,
    ],
    [
      'on a Windows node',
      () => (node = { status: { nodeInfo: { operatingSystem: 'windows' } } }),
      /^level: .* runs Windows/,
      false,
    ],
    [
      'on a node of another cloud',
      () => (node = { spec: { providerID: 'aws:///eu-west-1a/i-0123456789' } }),
      /^node-method: the node "node-1" is not a Compute Engine node: its providerID is "aws:/,
      false,
    ],
    [
      'without the right to get the node, with the command that grants it',
      () => denied.push('get nodes'),
      /user "platform" may not get nodes[^]*ClusterRole packet-capture-nodes [^]*\nkubectl apply -f - <<'EOF'\n[^]*kind: ClusterRoleBinding\n[^]*platform\.yaml/,
      false,
    ],
    ['without a Google identity', () => undefined, /^workload-identity-provider: is not set/, false],
  ])('%s', async (_where, prepare, expected, autopilot) => {
    prepare()
    await expect(choose({ 'node-method': 'ssh' }, autopilot ? { autopilot } : {})).rejects.toThrow(expected)
    expect(creating()).toEqual([])
  })
})

describe('the method auto', () => {
  it('uses a node pod when SSH is not possible, and reports why', async () => {
    const { recorder } = await choose()
    expect(recorder.record.method.kind).toBe('node-pod')
    expect(found.at(-1)).toBe('Method: a node pod; not SSH, because workload-identity-provider: is not set')
  })

  it.each<[string, () => void, boolean, string]>([
    [
      'and omits the name of an input that the user did not set',
      () => undefined,
      true,
      'the nodes of a GKE Autopilot cluster do not allow SSH',
    ],
    [
      'in one line',
      () => (server.answer = brokenNode(server.answer)),
      false,
      'kubeconfig: its user "platform" may not get nodes (first line second line)',
    ],
  ])('reports why SSH is not possible %s', async (_how, prepare, autopilot, why) => {
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

  it('tries no method on a node where no method can capture', async () => {
    node = { status: { nodeInfo: { operatingSystem: 'windows' } } }
    await expect(choose()).rejects.toThrow(/^level: .* runs Windows/)
    expect(server.requests.filter(({ method }) => method === 'POST')).toEqual([])
  })

  it('reports a problem that both methods have only once', async () => {
    denied = ['get nodes']
    await expect(choose({}, { facts: { spec: { hostNetwork: true } } })).rejects.toThrow(
      /^kubeconfig: its user "platform" may not get nodes/,
    )
  })

  it('reports the problems of both methods when neither is possible', async () => {
    refused = { status: 403, body: status('Forbidden', 'violates PodSecurity "baseline:latest": host namespaces') }
    const error: unknown = await choose({}, { autopilot: true }).catch((reason: unknown) => reason)
    expect((error as ConfigurationError).problems).toMatchObject([
      { code: 'E_NODE_METHOD_UNAVAILABLE', input: 'node-method' },
      { code: 'E_NODE_AUTOPILOT', input: 'node-method', problem: expect.stringMatching(/^SSH: /) as string },
      { problem: expect.stringMatching(/^node pod: .*"packet-capture" enforces/) as string },
    ])
    expect(creating()).toEqual([])
  })
})
