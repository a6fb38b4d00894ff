import { jest } from '@jest/globals'
import { nodePodRecorder } from '../../../src/capture/node-pod.ts'
import { recordOf, type CaptureRecord } from '../../../src/capture/record.ts'
import type { CaptureEvents, Cleared, Recorder } from '../../../src/capture/recorder.ts'
import { startServer, status, type Answer, type Server } from '../cluster/server.ts'
import { until } from '../until.ts'
import { plan, target } from './target.ts'

const name = 'packet-capture-0a1b2c-3d4e5f60'
const jobs = '/apis/batch/v1/namespaces/net/jobs'
let server: Server
let made: string[]
/** by method and path without query; else 404 */
let answers: Record<string, Answer>

beforeEach(async () => {
  server = await startServer()
  made = []
  answers = {
    'POST /api/v1/namespaces/net/pods': { status: 201, body: {} },
    [`POST ${jobs}`]: { status: 201, body: {} },
    [`GET ${jobs}/${name}`]: { status: 200, body: {} },
    [`DELETE ${jobs}/${name}`]: { status: 200, body: {} },
    'GET /api/v1/namespaces/net/pods': { status: 200, body: { items: [] } },
  }
  server.answer = ({ method, path }) =>
    answers[`${method} ${path.split('?')[0]}`] ?? { status: 404, body: status('NotFound', 'not found') }
})
afterEach(() => {
  jest.useRealTimers()
  return server.stop()
})

const events: CaptureEvents = {
  touching: () => undefined,
  made: (what) => made.push(what),
  caution: () => undefined,
  waiting: () => undefined,
  listening: () => undefined,
  interrupted: () => undefined,
  foreign: () => undefined,
}
const record = (changes = {}): CaptureRecord =>
  recordOf(
    target(),
    name,
    plan({ duration: 30, startTimeout: 20, spoolLimit: 64e6, ...changes }),
    '/x.pcap',
    Date.now(),
    {
      kind: 'node-pod',
      namespace: 'net',
    },
  )
const recorder = (changes = {}): Recorder => nodePodRecorder(server.connection, record(changes), 'net')
const sent = (method: string, path: string): Record<string, never>[] =>
  server.requests
    .filter((request) => request.method === method && request.path.split('?')[0] === path)
    .map(({ body }) => JSON.parse(body) as Record<string, never>)

it('asks admission for the pod as well as for the Job, and makes neither', async () => {
  await expect(recorder().check()).resolves.toEqual(['Admission: the cluster would take the node pod in net'])
  expect(server.requests.map(({ path }) => path)).toEqual([
    '/api/v1/namespaces/net/pods?dryRun=All',
    `${jobs}?dryRun=All`,
  ])
  const [pod] = sent('POST', '/api/v1/namespaces/net/pods')
  const [job] = sent('POST', jobs) as unknown as { spec: { template: { spec: unknown } } }[]
  expect(job?.spec.template.spec).toEqual(pod?.['spec'])
})

it('is a Job that ends and goes by itself, with one capability that reads packets, pinned to the node', async () => {
  const running = { name, imageID: 'tools@sha256:1', state: { running: {} } }
  answers['GET /api/v1/namespaces/net/pods'] = { status: 200, body: { items: [{ metadata: { name: 'p', uid: 'u' } }] } }
  answers['GET /api/v1/namespaces/net/pods/p'] = {
    status: 200,
    body: { metadata: { uid: 'u' }, status: { containerStatuses: [running] } },
  }
  await expect(recorder().start(events, new AbortController().signal)).resolves.toBe('tools@sha256:1')
  expect(made).toEqual([`Made the Job ${name} in net, for node node-1`])
  const [job] = sent('POST', jobs)
  expect(job).toMatchObject({
    metadata: { name },
    spec: {
      backoffLimit: 0,
      activeDeadlineSeconds: 770,
      ttlSecondsAfterFinished: 60,
      template: {
        spec: {
          hostNetwork: true,
          nodeName: 'node-1',
          tolerations: [{ operator: 'Exists' }],
          restartPolicy: 'Never',
          automountServiceAccountToken: false,
          containers: [
            {
              name,
              resources: { requests: { cpu: '100m', memory: '64Mi' }, limits: { cpu: '1', memory: '256Mi' } },
              securityContext: {
                privileged: false,
                allowPrivilegeEscalation: false,
                readOnlyRootFilesystem: true,
                capabilities: { drop: ['ALL'], add: ['NET_RAW', 'SETGID'] },
              },
            },
          ],
        },
      },
    },
  })
  const text = JSON.stringify(job)
  for (const word of ['hostPID', 'hostIPC', 'hostPath']) expect(text).not.toContain(word)
})

it.each([
  ['refuses', 'NodeAffinity', 'Predicate NodeAffinity failed'],
  ['evicts', 'Evicted', 'The node was low on resource: ephemeral-storage.'],
])('a pod that the kubelet %s before it has containers is not waited for', async (_what, reason, message) => {
  answers['GET /api/v1/namespaces/net/pods'] = { status: 200, body: { items: [{ metadata: { name: 'p', uid: 'u' } }] } }
  answers['GET /api/v1/namespaces/net/pods/p'] = {
    status: 200,
    body: { metadata: { uid: 'u' }, status: { phase: 'Failed', reason, message } },
  }
  const one = recorder()
  await expect(one.place.state()).resolves.toMatchObject({ kind: 'terminated', message: `${reason} ${message}` })
  await expect(one.start(events, new AbortController().signal)).rejects.toThrow(
    `node-namespace: the node pod ended before it recorded anything: ${reason} ${message}. ` +
      `See \`kubectl -n net get events\`. The Job ${name} in net is removed.`,
  )
})

it.each([
  ['StartError', 'failed to create containerd task: exec: "sh": executable file not found in $PATH: unknown'],
  ['StartError', 'failed to start containerd task: exec format error'],
  ['ContainerCannotRun', 'no such file or directory'],
])('an image without sh (%s: %s) is told by the image', async (reason, message) => {
  const terminated = { reason, message, exitCode: 128 }
  answers['GET /api/v1/namespaces/net/pods'] = { status: 200, body: { items: [{ metadata: { name: 'p', uid: 'u' } }] } }
  answers['GET /api/v1/namespaces/net/pods/p'] = {
    status: 200,
    body: { metadata: { uid: 'u' }, status: { containerStatuses: [{ name, state: { terminated } }] } },
  }
  await expect(recorder().start(events, new AbortController().signal)).rejects.toThrow(
    `image: the node node-1 cannot run sh of "registry.example/tools:1": ${message}. ` +
      `Use an image with sh and tcpdump, for the node's architecture. The Job ${name} in net is removed.`,
  )
})

it.each([
  [
    403,
    'pods "x" is forbidden: violates PodSecurity "baseline:latest": host namespaces',
    'node-namespace: "net" enforces a Pod Security level',
  ],
  [404, 'namespaces "net" not found', 'node-namespace: there is no namespace "net"'],
  [403, 'exceeded quota: none', 'node-namespace: the cluster refuses a node pod for node-1 in "net": exceeded quota'],
])('a refusal (%i %s) names the input and the fix', async (code, message, words) => {
  answers['POST /api/v1/namespaces/net/pods'] = {
    status: code,
    body: status(code === 404 ? 'NotFound' : 'Forbidden', message),
  }
  await expect(recorder().check()).rejects.toThrow(words)
  expect(sent('POST', jobs)).toEqual([])
})

describe('afterwards', () => {
  it('Job and pod are deleted, and waited for', async () => {
    const clearing = recorder().clear()
    await until('the Job is deleted', () => server.requests.some(({ method }) => method === 'DELETE'))
    delete answers[`GET ${jobs}/${name}`]
    await expect(clearing).resolves.toEqual({ remains: [], unfinished: false })
    expect(sent('DELETE', `${jobs}/${name}`)).toEqual([{ propagationPolicy: 'Background' }])
  })

  it('nothing is to be done where it is gone', async () => {
    delete answers[`DELETE ${jobs}/${name}`]
    delete answers[`GET ${jobs}/${name}`]
    await expect(recorder().clear()).resolves.toEqual({ remains: [], unfinished: false })
  })

  describe('where somebody else has deleted the Job', () => {
    const podOf = { items: [{ metadata: { name: `${name}-x7k2p`, uid: 'u' } }] }
    beforeEach(() => {
      delete answers[`DELETE ${jobs}/${name}`]
      delete answers[`GET ${jobs}/${name}`]
      answers['GET /api/v1/namespaces/net/pods'] = { status: 200, body: podOf }
      answers[`GET /api/v1/namespaces/net/pods/${name}-x7k2p`] = {
        status: 200,
        body: { metadata: { uid: 'u' }, status: { containerStatuses: [{ name, state: { running: {} } }] } },
      }
    })

    it('its pod is waited for', async () => {
      let cleared = false
      const clearing = recorder()
        .clear()
        .finally(() => (cleared = true))
      const looks = (): object[] => server.requests.filter(({ path }) => path.endsWith(`/pods/${name}-x7k2p`))
      await until('two looks at the pod', () => looks().length >= 2)
      expect(cleared).toBe(false)
      delete answers[`GET /api/v1/namespaces/net/pods/${name}-x7k2p`]
      await expect(clearing).resolves.toEqual({ remains: [], unfinished: false })
    })

    it('a pod that stays is named, after some seconds', async () => {
      jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'performance'] })
      const begin = Date.now()
      expect(await clearedBySteps(100)).toEqual({
        remains: [
          `the pod ${name}-x7k2p of the Job ${name} in net, which is deleted; its recorder ends by itself, ` +
            `and should the pod stay, \`kubectl -n net delete pod ${name}-x7k2p\` removes it`,
        ],
        unfinished: false,
      })
      expect(Date.now() - begin).toBeLessThan(15_000)
    })
  })

  it('what cannot be deleted is told, with the time at which it goes by itself', async () => {
    answers[`DELETE ${jobs}/${name}`] = { status: 403, body: status('Forbidden', 'may not delete') }
    const {
      remains: [remains, ...more],
      unfinished,
    } = await recorder().clear()
    expect(unfinished).toBe(true)
    expect(more).toEqual([])
    expect(remains).toMatch(
      /^the Job packet-capture-\S+ in net: it could not be deleted \(may not delete\).* removed 60 s after its end/,
    )
  })

  /** What clear() comes to while fake timers go on by steps of so many ms; undefined where it does not come to an end. */
  async function clearedBySteps(step: number): Promise<Cleared | undefined> {
    let cleared: Cleared | undefined
    void recorder()
      .clear()
      .then((result) => (cleared = result))
    const end = performance.now() + 5_000
    while (cleared === undefined && performance.now() < end) {
      jest.advanceTimersByTime(step)
      for (let i = 0; i < 10; i += 1) await new Promise(setImmediate)
    }
    return cleared
  }

  const ill: Answer = { status: 503, body: status('ServiceUnavailable', 'rolling') }
  it.each<[string, (Answer | 'reset')[], number, boolean]>([
    ['is asked for again where the API server is away for a moment', ['reset', ill], 3, false],
    ['is given up after the third time', [ill, ill, ill], 3, true],
    ['is not asked for again where it is refused', [{ status: 403, body: status('Forbidden', 'no') }], 1, true],
  ])('the removal %s', async (_what, failures, times, unfinished) => {
    const answer = server.answer
    server.answer = (request) => {
      if (request.method !== 'DELETE') return answer(request)
      const failure = failures.shift()
      if (failure === undefined) delete answers[`GET ${jobs}/${name}`]
      return failure ?? answer(request)
    }
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'performance', 'Date'] })
    const cleared = await clearedBySteps(50) // far less than a request is given
    expect(sent('DELETE', `${jobs}/${name}`)).toHaveLength(times)
    expect(cleared?.unfinished).toBe(unfinished)
  })
})
