import type { Pod } from '../../../src/cluster/pod.ts'
import { findTargets, type FoundTargets } from '../../../src/cluster/target.ts'
import { targetProblems } from '../../../src/cluster/target-problems.ts'
import { startServer, status, type Answer, type ReceivedRequest, type Server } from '../../support/api-server.ts'
import { podOf, type PodChanges } from '../../support/pods.ts'
import { refusal } from '../../support/refusal.ts'
import { useFastClock } from '../../support/fast-clock.ts'

useFastClock()

let server: Server
let pods: Pod[]
let sets: object[]
let deployment: { metadata: object; spec: object; status: object }
/** an answer that replaces the default answers */
let fault: (request: ReceivedRequest) => Answer | undefined

/** ReplicaSet of the deployment with the UID `uid-rs-HASH`. */
const setOf = (
  hash: string,
  revision: number,
  { owner = 'uid-checkout', conditions = [] as object[] } = {},
): object => ({
  metadata: {
    ...{ name: `checkout-${hash}`, uid: `uid-rs-${hash}` },
    annotations: { 'deployment.kubernetes.io/revision': String(revision) },
    ownerReferences: [{ kind: 'Deployment', name: 'checkout', uid: owner, controller: true }],
  },
  status: { conditions },
})
/** A pod of the ReplicaSet with that hash. */
const of = (hash: string, name: string, changes: PodChanges = {}): Pod =>
  podOf(name, { owner: { uid: `uid-rs-${hash}`, name: `checkout-${hash}` }, hash, ...changes })

beforeEach(async () => {
  server = await startServer()
  pods = []
  sets = [setOf('old', 1), setOf('new', 2)]
  deployment = {
    metadata: { uid: 'uid-checkout', generation: 4 },
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
    status: { observedGeneration: 4 },
  }
  fault = () => undefined
  server.answer = (request) => {
    const given = fault(request)
    if (given) return given
    const { pathname } = new URL(request.path, server.url)
    if (pathname === '/apis/apps/v1/namespaces/shop/deployments/checkout') return { status: 200, body: deployment }
    if (pathname === '/apis/apps/v1/namespaces/shop/replicasets') return { status: 200, body: { items: sets } }
    if (pathname === '/api/v1/namespaces/shop/pods') return { status: 200, body: { items: pods } }
    return { status: 404, body: status('NotFound', 'not found') }
  }
})
afterEach(async () => {
  await server.stop()
})

const find = (name = 'checkout'): Promise<FoundTargets> =>
  findTargets(server.connection, 'shop', { kind: 'deployment', name })
const chosen = async (): Promise<string | undefined> => (await find()).targets[0]?.pod
const forbidReplicaSets = (): void => {
  fault = ({ path }) =>
    path.includes('/replicasets') ? { status: 403, body: status('Forbidden', 'no replicasets') } : undefined
}

const inInit: PodChanges = { phase: 'Pending', ready: false, address: '10.0.0.9' }
const unscheduled: PodChanges = { phase: 'Pending', ready: false, spec: { nodeName: '' } }

describe('a deployment resolves', () => {
  it('to its newest pod that is not ready', async () => {
    pods = [
      of('new', 'ready-new', { age: 1 }),
      of('new', 'broken-old', { age: 50, ready: false }),
      of('new', 'broken-new', { age: 20, ready: false }),
      of('new', 'ready-old', { age: 90 }),
    ]
    await expect(find()).resolves.toMatchObject({ targets: [{ pod: 'broken-new' }], hints: [], cautions: [] })
  })

  it('to its newest pod when all pods are ready', async () => {
    pods = [of('new', 'old', { age: 9 }), of('new', 'new', { age: 1 }), of('new', 'older', { age: 90 })]
    expect(await chosen()).toBe('new')
  })

  it.each<[string, PodChanges]>([
    ['hangs in an init container', inInit],
    ['waits for an image that cannot be pulled', { ...inInit, status: { phase: 'Pending', podIP: '10.0.0.9' } }],
    ['crashes', { ready: false }],
  ])('to the pod of its newest revision that %s, not to a ready pod of the old revision', async (_how, changes) => {
    pods = [of('new', 'hanging', { age: 300, ...changes }), of('old', 'ready', { age: 1 })]
    await expect(find()).resolves.toMatchObject({ targets: [{ pod: 'hanging' }], hints: [], cautions: [] })
  })

  it('to the revision of a rollback, which has the highest number and the oldest ReplicaSet', async () => {
    sets = [setOf('old', 3), setOf('new', 2)]
    pods = [of('new', 'withdrawn', { age: 5 }), of('old', 'restored', { age: 2 })]
    expect(await chosen()).toBe('restored')
  })

  it('always to the same pod when pods were created in the same second', async () => {
    pods = ['b', 'c', 'a'].map((name) => of('new', name, { age: 5 }))
    const first = await chosen()
    pods.reverse()
    expect(await chosen()).toBe(first)
  })

  it('never to a pod that has ended, is being deleted, or has another owner', async () => {
    sets.push(setOf('foreign', 9, { owner: 'uid-other' }))
    pods = [
      of('new', 'crashed', { phase: 'Failed', ready: false }),
      of('new', 'terminating', { ready: false, metadata: { deletionTimestamp: '2026-11-22T12:00:00Z' } }),
      of('foreign', 'of-another-deployment', { ready: false }),
      podOf('by-name', { owner: { uid: 'uid-of-an-earlier-set', name: 'checkout-new' }, hash: 'new', ready: false }),
      podOf('by-hand', { hash: 'new', ready: false }),
      of('new', 'own', { age: 100 }),
    ]
    expect(await chosen()).toBe('own')
  })

  it('when its name has 250 characters and Kubernetes shortens the names of its ReplicaSets, with and without the right to read them', async () => {
    const long = 'd'.repeat(250)
    const name = `${'d'.repeat(253 - 11)}-5d8f7c9b64`
    pods = [podOf('own', { owner: { uid: 'uid-rs-new', name }, hash: '5d8f7c9b64' })]
    const answerLong = ({ path }: ReceivedRequest): Answer | undefined =>
      path.includes(`/deployments/${long}`) ? { status: 200, body: deployment } : undefined
    fault = answerLong
    await expect(find(long)).resolves.toMatchObject({ targets: [{ pod: 'own' }], hints: [] })
    forbidReplicaSets()
    const forbidden = fault
    fault = (request) => answerLong(request) ?? forbidden(request)
    await expect(find(long)).resolves.toMatchObject({ targets: [{ pod: 'own' }] })
  })

  it('by its selector, including every operator, over all pages of the answer', async () => {
    fault = ({ path }) => {
      const { pathname, searchParams } = new URL(path, server.url)
      if (pathname !== '/api/v1/namespaces/shop/pods') return undefined
      const isSecond = searchParams.get('continue') === 'page-2'
      return {
        status: 200,
        body: isSecond
          ? { items: [of('new', 'on-the-second-page')] }
          : { items: [of('old', 'old')], metadata: { continue: 'page-2' } },
      }
    }
    expect(await chosen()).toBe('on-the-second-page')
    for (const { path } of server.requests.slice(1)) {
      const query = new URL(path, server.url).searchParams
      expect(query.get('labelSelector')).toBe('app=checkout,tier in (web,api),!canary,team,env notin (dev)')
      expect(Number(query.get('limit'))).toBeGreaterThan(0)
    }
    expect(server.requests).toHaveLength(4)
  })
})

describe('a deployment whose newest revision has no pod with an address resolves to an older pod, with a caution', () => {
  it('that names the pods passed over and why', async () => {
    pods = [of('new', 'new-a', unscheduled), of('new', 'new-b', { phase: 'Failed' }), of('old', 'old-a')]
    const { targets, cautions } = await find()
    expect(targets).toMatchObject([{ pod: 'old-a' }])
    expect(cautions).toEqual([
      'No pod of the newest revision of deployment "checkout" can be captured: ' +
        'new-a is not running (Pending) and has no network yet: it is not scheduled; new-b has ended (Failed). ' +
        'The captured pod old-a is of an older one (revision 1). See why with `kubectl -n shop describe deployment checkout`.',
    ])
  })

  it('that has the message of a ReplicaSet that cannot create pods', async () => {
    const conditions = [
      { type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: 'exceeded quota:\n pods' },
    ]
    sets = [setOf('old', 1), setOf('new', 2, { conditions })]
    pods = [of('old', 'old-a')]
    expect((await find()).cautions).toMatchObject([
      expect.stringContaining(
        'captured: revision 2 cannot create its pods (FailedCreate: exceeded quota: pods). The captured',
      ),
    ])
  })

  it('that says so when the newest revision has no pods', async () => {
    pods = [of('old', 'old-a')]
    expect((await find()).cautions[0]).toContain('can be captured: it has no pods. The captured pod old-a')
  })

  it('that names at most five pods', async () => {
    pods = [...'abcdefg'].map((name) => of('new', name, unscheduled))
    pods.push(of('old', 'old-a'))
    expect((await find()).cautions[0]).toMatch(/e is not running[^;]*; 2 more\. The captured/)
  })
})

it('a deployment that its controller has not processed yet resolves with a caution', async () => {
  deployment.metadata = { uid: 'uid-checkout', generation: 5 }
  pods = [of('new', 'own')]
  expect((await find()).cautions).toEqual([
    expect.stringMatching(
      /^The deployment controller has not processed the latest change .* own may be of the revision before/,
    ),
  ])
})

describe('a deployment whose ReplicaSets the user may not list', () => {
  beforeEach(forbidReplicaSets)

  it('resolves by labels and ages, with a hint that names the right', async () => {
    pods = [
      of('new', 'hanging', { age: 20, ...inInit }),
      of('old', 'ready', { age: 90 }),
      of('old', 'replaced', { age: 1 }), // a pod of the old revision that was evicted and created again
    ]
    const { targets, hints, cautions } = await find()
    expect(targets).toMatchObject([{ pod: 'hanging' }])
    expect(hints).toEqual([
      expect.stringMatching(/^The user may not list replicasets in the namespace "shop", .* \(pod-template-hash new\)/),
    ])
    expect(cautions).toEqual([])
  })

  it('never resolves to a pod of another owner', async () => {
    pods = [
      podOf('other', { owner: { uid: 'x', name: 'checkout-canary-1111' }, hash: '1111', ready: false }),
      podOf('by-hand', { hash: 'new', ready: false }),
      of('new', 'own', { age: 100 }),
    ]
    expect(await chosen()).toBe('own')
  })
})

describe('a deployment is an error', () => {
  it('that names the command to list deployments when it does not exist', async () => {
    expect(await refusal(find('nope'))).toMatch(
      /^pod: there is no deployment "nope" in the namespace "shop"\. List the deployments with `kubectl -n shop get deployments`\.$/,
    )
  })

  it('that says why for each pod when none can be captured', async () => {
    expect(await refusal(find())).toContain('no pod of deployment "checkout" can be captured: it has no pods. See why')
    pods = [of('new', 'one', unscheduled), of('old', 'two', { phase: 'Failed' })]
    expect(await refusal(find())).toMatch(
      /can be captured: one is not running \(Pending\) [^;]*; two has ended \(Failed\)\. See why with/,
    )
  })

  it('that names the right when the user may not get it, or may not list its pods', async () => {
    fault = () => ({ status: 403, body: status('Forbidden', 'no') })
    expect(await refusal(find())).toContain('may not get deployments')
    fault = ({ path }) => (path.includes('/pods') ? { status: 403, body: status('Forbidden', 'no') } : undefined)
    expect(await refusal(find())).toContain('may not list pods')
  })

  it('with the message of a server that fails to list ReplicaSets', async () => {
    fault = ({ path }) =>
      path.includes('/replicasets') ? { status: 500, body: status('InternalError', 'etcd is away') } : undefined
    await expect(find()).rejects.toThrow('etcd is away')
  })
})

it('a deployment on the host network has the same problem as a pod', async () => {
  pods = [of('new', 'own', { spec: { hostNetwork: true } })]
  const { targets } = await find()
  expect(targets.flatMap((one) => targetProblems(one, { allowHostNetwork: false, level: 'pod' }))).toMatchObject([
    { code: 'E_HOST_NETWORK_NOT_ALLOWED' },
  ])
})
