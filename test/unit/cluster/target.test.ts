import type { Pod } from '../../../src/cluster/pod.ts'
import { canBeAsked, findTargets, targetProblems, type Target, type TargetQuery } from '../../../src/cluster/target.ts'
import { ConfigurationError } from '../../../src/errors.ts'
import { startServer, status, type Answer, type AskedRequest, type Server } from './server.ts'

let server: Server
let pods: Pod[]
/** answers in place of the ones below */
let fault: (request: AskedRequest) => Answer | undefined

interface Made {
  age?: number
  ready?: boolean
  phase?: string
  owner?: string
  hash?: string
  metadata?: Pod['metadata']
  spec?: Pod['spec']
}
const pod = (
  name: string,
  { age = 0, ready = true, phase = 'Running', owner, hash, metadata, spec }: Made = {},
): Pod => ({
  metadata: {
    name,
    uid: `uid-${name}`,
    creationTimestamp: new Date(Date.parse('2026-11-22T12:00:00Z') - age * 1000).toISOString(),
    ...(owner === undefined ? {} : { ownerReferences: [{ kind: 'ReplicaSet', name: owner }] }),
    ...(hash === undefined ? {} : { labels: { app: 'checkout', 'pod-template-hash': hash } }),
    ...metadata,
  },
  spec: { nodeName: 'node-1', containers: [{ name: 'app' }], ...spec },
  status: { phase, conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
})
const deployment = {
  spec: {
    selector: {
      matchLabels: { app: 'checkout' },
      matchExpressions: [
        { key: 'tier', operator: 'In', values: ['web', 'api'] },
        { key: 'canary', operator: 'DoesNotExist' },
        { key: 'team', operator: 'Exists' },
        { key: 'env', operator: 'NotIn', values: ['dev'] },
      ],
    },
  },
}

beforeEach(async () => {
  server = await startServer()
  pods = []
  fault = () => undefined
  server.answer = (request) => {
    const given = fault(request)
    if (given) return given
    const { pathname } = new URL(request.path, server.url)
    if (pathname === '/apis/apps/v1/namespaces/shop/deployments/checkout') return { status: 200, body: deployment }
    if (pathname === '/api/v1/namespaces/shop/pods') return { status: 200, body: { items: pods } }
    const name = /^\/api\/v1\/namespaces\/shop\/pods\/([^/]+)$/.exec(pathname)?.[1]
    const found = pods.find(({ metadata }) => metadata?.name === name)
    return found ? { status: 200, body: found } : { status: 404, body: status('NotFound', 'not found') }
  }
})
afterEach(async () => {
  await server.stop()
})

const find = (query: TargetQuery): Promise<readonly Target[]> => findTargets(server.connection, 'shop', query)
const findPod = (name: string): Promise<readonly Target[]> => find({ kind: 'pod', name })
const findDeployment = (name = 'checkout'): Promise<readonly Target[]> => find({ kind: 'deployment', name })

async function refusal(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(ConfigurationError)
  return (error as Error).message
}

describe('a pod by its name', () => {
  it('is a target with what it is now', async () => {
    pods = [pod('web-1')]
    await expect(findPod('web-1')).resolves.toEqual([
      { namespace: 'shop', pod: 'web-1', uid: 'uid-web-1', node: 'node-1', facts: pods[0] },
    ])
    expect(server.requests).toHaveLength(1)
  })

  it('that is not there is answered with the nearest names', async () => {
    pods = ['checkout-7d9f-aaaaa', 'checkout-7d9f-bbbbb', 'checkuot', 'db-0', 'unrelated-thing'].map((name) =>
      pod(name),
    )
    expect(await refusal(findPod('checkout'))).toMatch(
      /^pod: there is no pod "checkout" in the namespace "shop"\. The nearest are: checkout-7d9f-[ab]+, checkout-7d9f-[ab]+, checkuot\.$/,
    )
    expect(await refusal(findPod('db-1'))).toContain('The nearest are: db-0, ')
  })

  it('in a namespace without pods asks whether it is the right one', async () => {
    expect(await refusal(findPod('web-1'))).toMatch(/The namespace has no pods: is it the right one, .*test\.example/)
  })

  it('that is not there, where pods may not be listed, says how to list them', async () => {
    fault = ({ path }) => (path.includes('?') ? { status: 403, body: status('Forbidden', 'no list') } : undefined)
    expect(await refusal(findPod('web-1'))).toContain('List them with `kubectl -n shop get pods`')
  })

  it('that may not be read names the right', async () => {
    fault = () => ({ status: 403, body: status('Forbidden', 'pods "web-1" is forbidden') })
    expect(await refusal(findPod('web-1'))).toMatch(
      /^kubeconfig: its user may not get pods in the namespace "shop" \(pods "web-1" is forbidden\)\. Grant it .*"get" on "pods"/,
    )
  })

  it('hands on the words of a server that is ill', async () => {
    fault = () => ({ status: 500, body: status('InternalError', 'etcd is away') })
    await expect(findPod('web-1')).rejects.toThrow('etcd is away')
  })

  it.each(['null', '[]', '{}', '{"metadata":{"name":"other"}}', '<html>log in</html>'])(
    'is not what something else than an API server answers: %s',
    async (body) => {
      fault = () => ({ status: 200, body })
      expect(await refusal(findPod('web-1'))).toMatch(/^kubeconfig: .*an API server/)
    },
  )
})

describe('a pod that cannot be captured', () => {
  it.each<[string, Made, RegExp]>([
    ['has ended well', { phase: 'Succeeded' }, /has ended \(Succeeded\)/],
    ['has failed', { phase: 'Failed' }, /has ended \(Failed\)/],
    ['is pending', { phase: 'Pending' }, /is not running \(Pending\).*kubectl -n shop describe pod web-1/],
    ['is unknown', { phase: 'Unknown' }, /is not running \(Unknown\)/],
    [
      'is being deleted',
      { metadata: { name: 'web-1', deletionTimestamp: '2026-11-22T12:00:00Z' } },
      /is being deleted/,
    ],
    ['is a Windows pod by its os', { spec: { os: { name: 'windows' } } }, /runs on a Windows node/],
    [
      'is a Windows pod by its selector',
      { spec: { nodeSelector: { 'kubernetes.io/os': 'windows' } } },
      /runs on a Windows node/,
    ],
    [
      'is a static pod',
      { metadata: { name: 'web-1', annotations: { 'kubernetes.io/config.mirror': 'x' } } },
      /is a static pod.*takes no ephemeral containers/,
    ],
    ['uses the network of its node', { spec: { hostNetwork: true } }, /hostNetwork.*`allow-host-network: true`/],
  ])('because it %s', async (_why, made, words) => {
    const problems = await problemsOf(made)
    expect(problems).toEqual([expect.stringMatching(/^pod: "web-1" .* Nothing was created\.$/)])
    expect(problems[0]).toMatch(words)
  })

  it('may use the network of its node where that is allowed', async () => {
    expect(await problemsOf({ spec: { hostNetwork: true } }, { allowHostNetwork: true, level: 'pod' })).toEqual([])
  })

  it('has all that is wrong with it told', async () => {
    const annotations = { 'kubernetes.io/config.mirror': 'x' }
    const problems = await problemsOf({
      ...{ phase: 'Pending', metadata: { name: 'web-1', annotations } },
      spec: { hostNetwork: true, os: { name: 'windows' } },
    })
    expect(problems.map((text) => /"web-1" (\S+ \S+ \S+)/.exec(text)?.[1])).toEqual([
      ...['is not running', 'runs on a', 'is a static', 'uses the network'],
    ])
  })

  it.each<[string, Made, 'pod' | 'node', boolean]>([
    ['a pending pod', { phase: 'Pending' }, 'pod', true],
    ['a pod on the network of its node', { spec: { hostNetwork: true } }, 'pod', true],
    ['a Windows pod', { spec: { os: { name: 'windows' } } }, 'pod', false],
    [
      'a static pod',
      { metadata: { name: 'web-1', annotations: { 'kubernetes.io/config.mirror': 'x' } } },
      'pod',
      false,
    ],
    [
      'a static pod',
      { metadata: { name: 'web-1', annotations: { 'kubernetes.io/config.mirror': 'x' } } },
      'node',
      true,
    ],
    ['a pod without a node', { phase: 'Pending', spec: { nodeName: '' } }, 'node', false],
  ])('%s (%j) at level %s can be asked about: %s', async (_what, made, level, expected) => {
    pods = [pod('web-1', made)]
    const [target] = await findPod('web-1')
    expect(canBeAsked(target!, { allowHostNetwork: false, level })).toBe(expected)
  })

  async function problemsOf(
    made: Made,
    options: Parameters<typeof targetProblems>[1] = { allowHostNetwork: false, level: 'pod' },
  ): Promise<readonly string[]> {
    pods = [pod('web-1', made)]
    const [target] = await findPod('web-1')
    return targetProblems(target!, options)
  }
})

describe('a deployment', () => {
  const of = (name: string, made: Made = {}): Pod => pod(name, { owner: 'checkout-7d9f', hash: '7d9f', ...made })

  it('gives its newest pod that is not ready', async () => {
    pods = [
      of('ready-new', { age: 1 }),
      of('broken-old', { age: 50, ready: false }),
      of('broken-new', { age: 20, ready: false }),
      of('ready-old', { age: 90 }),
    ]
    await expect(findDeployment()).resolves.toMatchObject([{ pod: 'broken-new' }])
  })

  it('gives its newest pod where all are ready', async () => {
    pods = [of('old', { age: 9 }), of('new', { age: 1 }), of('older', { age: 90 })]
    await expect(findDeployment()).resolves.toMatchObject([{ pod: 'new' }])
  })

  it('chooses the same one again among pods of the same second', async () => {
    pods = [of('b', { age: 5 }), of('c', { age: 5 }), of('a', { age: 5 })]
    const [first] = await findDeployment()
    pods.reverse()
    expect((await findDeployment())[0]?.pod).toBe(first?.pod)
  })

  it('leaves out what is not running, is going, or belongs to somebody else', async () => {
    pods = [
      of('pending', { phase: 'Pending', ready: false }),
      of('crashed', { phase: 'Failed', ready: false }),
      of('going', { ready: false, metadata: { deletionTimestamp: '2026-11-22T12:00:00Z' } }),
      of('other', { owner: 'checkout-canary-1111', hash: '7d9f', ready: false }),
      of('by-hand', {
        owner: undefined as unknown as string,
        ready: false,
        metadata: { name: 'by-hand', labels: { app: 'checkout' } },
      }),
      of('ours', { age: 100 }),
    ]
    await expect(findDeployment()).resolves.toMatchObject([{ pod: 'ours' }])
  })

  it('asks for its pods by its selector, with every operator', async () => {
    pods = [of('ours')]
    await findDeployment()
    const query = new URL(server.requests[1]?.path ?? '', server.url).searchParams
    expect(query.get('labelSelector')).toBe('app=checkout,tier in (web,api),!canary,team,env notin (dev)')
    expect(Number(query.get('limit'))).toBeGreaterThan(0)
  })

  it('that is not there says how to list them', async () => {
    expect(await refusal(findDeployment('nope'))).toMatch(
      /^pod: there is no deployment "nope" in the namespace "shop"\. List them with `kubectl -n shop get deployments`\.$/,
    )
  })

  it('without a running pod says which it has, and in what state', async () => {
    expect(await refusal(findDeployment())).toContain('is running: it has none')
    pods = [of('one', { phase: 'Pending' }), of('two', { phase: 'Failed' })]
    expect(await refusal(findDeployment())).toContain('is running: one (Pending), two (Failed). See why with')
  })

  it('that may not be read, or whose pods may not be listed, names the right', async () => {
    fault = () => ({ status: 403, body: status('Forbidden', 'no') })
    expect(await refusal(findDeployment())).toContain('may not get deployments')
    fault = ({ path }) => (path.includes('pods') ? { status: 403, body: status('Forbidden', 'no') } : undefined)
    expect(await refusal(findDeployment())).toContain('may not list pods')
  })

  it('on the network of the node is refused as a pod is', async () => {
    pods = [of('ours', { spec: { hostNetwork: true } })]
    const [target] = await findDeployment()
    expect(targetProblems(target!, { allowHostNetwork: false, level: 'pod' })).toEqual([
      expect.stringMatching(/hostNetwork/),
    ])
  })
})
