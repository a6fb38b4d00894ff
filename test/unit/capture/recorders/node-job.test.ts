import { jest } from '@jest/globals'
import { nodePodRecorder } from '../../../../src/capture/recorders/node-job.ts'
import type { CaptureRecord } from '../../../../src/capture/record.ts'
import type { CaptureEvents, CleanupResult, Recorder } from '../../../../src/capture/recorders/recorder.ts'
import { startServer, status, type Answer, type Server } from '../../../support/api-server.ts'
import { until } from '../../../support/until.ts'
import { nodePod, plan, recordFor } from '../../../support/target.ts'
import { useFastClock } from '../../../support/fast-clock.ts'

useFastClock()

const name = 'packet-capture-0a1b2c-3d4e5f60'
const jobs = '/apis/batch/v1/namespaces/net/jobs'
let server: Server
let made: string[]
/** keys are the method and the path without the query; the default is 404 */
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
  onTouchingNode: () => undefined,
  onCreated: (what) => made.push(what),
  onCaution: () => undefined,
  onWaiting: () => undefined,
  onListening: () => undefined,
  onReconnecting: () => undefined,
  onRemoteLine: () => undefined,
}
const record = (changes = {}): CaptureRecord =>
  recordFor({
    captureId: name,
    plan: plan({ durationSeconds: 30, startTimeoutSeconds: 20, spoolLimitBytes: 64e6, ...changes }),
    method: nodePod,
  })
const recorder = (changes = {}): Recorder => nodePodRecorder(server.connection, record(changes), 'net')
const sent = (method: string, path: string): Record<string, never>[] =>
  server.requests
    .filter((request) => request.method === method && request.path.split('?')[0] === path)
    .map(({ body }) => JSON.parse(body) as Record<string, never>)

it('checks admission for the pod and the Job, and creates neither', async () => {
  await expect(recorder().check()).resolves.toEqual(['Admission: the cluster allows the node pod in net'])
  expect(server.requests.map(({ path }) => path)).toEqual([
    '/api/v1/namespaces/net/pods?dryRun=All',
    `${jobs}?dryRun=All`,
  ])
  const [pod] = sent('POST', '/api/v1/namespaces/net/pods')
  const [job] = sent('POST', jobs) as unknown as { spec: { template: { spec: unknown } } }[]
  expect(job?.spec.template.spec).toEqual(pod?.['spec'])
})

it('creates a Job that ends by itself, pinned to the node, with one capability that reads packets', async () => {
  const running = { name, imageID: 'tools@sha256:1', state: { running: {} } }
  answers['GET /api/v1/namespaces/net/pods'] = { status: 200, body: { items: [{ metadata: { name: 'p', uid: 'u' } }] } }
  answers['GET /api/v1/namespaces/net/pods/p'] = {
    status: 200,
    body: { metadata: { uid: 'u' }, status: { containerStatuses: [running] } },
  }
  await expect(recorder().start(events, new AbortController().signal)).resolves.toBe('tools@sha256:1')
  expect(server.deliveries[0]?.command).toContain(`/tmp/${name}`)
  expect(made).toEqual([`Created the Job ${name} in net, for node node-1`])
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
])('does not wait for a pod that the kubelet %s before its containers exist', async (_what, reason, message) => {
  answers['GET /api/v1/namespaces/net/pods'] = { status: 200, body: { items: [{ metadata: { name: 'p', uid: 'u' } }] } }
  answers['GET /api/v1/namespaces/net/pods/p'] = {
    status: 200,
    body: { metadata: { uid: 'u' }, status: { phase: 'Failed', reason, message } },
  }
  const one = recorder()
  await expect(one.endpoint.state()).resolves.toMatchObject({ kind: 'terminated', message: `${reason} ${message}` })
  await expect(one.start(events, new AbortController().signal)).rejects.toThrow(
    `node-namespace: the node pod ended before it recorded anything: ${reason} ${message.replace(/\.$/, '')}. ` +
      `See \`kubectl -n net get events\`.`,
  )
})

it.each([
  ['StartError', 'failed to create containerd task: exec: "sh": executable file not found in $PATH: unknown'],
  ['StartError', 'failed to start containerd task: exec format error'],
  ['ContainerCannotRun', 'no such file or directory'],
])('reports an image without sh (%s: %s) as a problem of the image', async (reason, message) => {
  const terminated = { reason, message, exitCode: 128 }
  answers['GET /api/v1/namespaces/net/pods'] = { status: 200, body: { items: [{ metadata: { name: 'p', uid: 'u' } }] } }
  answers['GET /api/v1/namespaces/net/pods/p'] = {
    status: 200,
    body: { metadata: { uid: 'u' }, status: { containerStatuses: [{ name, state: { terminated } }] } },
  }
  await expect(recorder().start(events, new AbortController().signal)).rejects.toThrow(
    `image: node node-1 cannot run sh of "registry.example/tools:1": ${message}. ` +
      "Use an image that has sh and tcpdump and is built for the node's architecture.",
  )
})

it.each([
  [
    403,
    'pods "x" is forbidden: violates PodSecurity "baseline:latest": host namespaces',
    'node-namespace: "net" enforces a Pod Security level',
  ],
  [404, 'namespaces "net" not found', 'node-namespace: there is no namespace "net"'],
  [403, 'exceeded quota: none', 'node-namespace: the cluster rejects a node pod for node-1 in "net": exceeded quota'],
])('names the input and the fix for the rejection %i %s', async (code, message, expected) => {
  answers['POST /api/v1/namespaces/net/pods'] = {
    status: code,
    body: status(code === 404 ? 'NotFound' : 'Forbidden', message),
  }
  await expect(recorder().check()).rejects.toThrow(expected)
  expect(sent('POST', jobs)).toEqual([])
})

describe('clean-up', () => {
  it('deletes the Job and the pod, and waits for them', async () => {
    const clearing = recorder().cleanUp()
    await until('the Job is deleted', () => server.requests.some(({ method }) => method === 'DELETE'))
    delete answers[`GET ${jobs}/${name}`]
    await expect(clearing).resolves.toEqual({ leftovers: [], unfinished: false })
    expect(sent('DELETE', `${jobs}/${name}`)).toEqual([{ propagationPolicy: 'Background' }])
  })

  it('deletes no resources when the Job does not exist', async () => {
    delete answers[`DELETE ${jobs}/${name}`]
    delete answers[`GET ${jobs}/${name}`]
    await expect(recorder().cleanUp()).resolves.toEqual({ leftovers: [], unfinished: false })
  })

  describe('when another client has deleted the Job', () => {
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

    it('waits for its pod', async () => {
      let cleared = false
      const clearing = recorder()
        .cleanUp()
        .finally(() => (cleared = true))
      const podReads = (): object[] => server.requests.filter(({ path }) => path.endsWith(`/pods/${name}-x7k2p`))
      await until('two requests for the pod', () => podReads().length >= 2)
      expect(cleared).toBe(false)
      delete answers[`GET /api/v1/namespaces/net/pods/${name}-x7k2p`]
      await expect(clearing).resolves.toEqual({ leftovers: [], unfinished: false })
    })

    it('names a pod that still exists after some seconds', async () => {
      jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'performance'] })
      const begin = Date.now()
      expect(await cleanUpInSteps(100)).toEqual({
        leftovers: [
          `the pod ${name}-x7k2p of the Job ${name} in net, which is deleted; its recorder ends by itself; ` +
            `if the pod remains, delete it with \`kubectl -n net delete pod ${name}-x7k2p\``,
        ],
        unfinished: false,
      })
      expect(Date.now() - begin).toBeLessThan(15_000)
    })
  })

  it('reports a Job that cannot be deleted, with the time when the cluster deletes it', async () => {
    answers[`DELETE ${jobs}/${name}`] = { status: 403, body: status('Forbidden', 'may not delete') }
    const {
      leftovers: [leftover, ...more],
      unfinished,
    } = await recorder().cleanUp()
    expect(unfinished).toBe(true)
    expect(more).toEqual([])
    expect(leftover).toMatch(
      /^the Job packet-capture-\S+ in net: it could not be deleted \(may not delete\).* deletes it 60 s after its end/,
    )
  })

  /** Returns the result of cleanUp() while fake timers advance in steps of `stepMs`; undefined when it does not end. */
  async function cleanUpInSteps(stepMs: number): Promise<CleanupResult | undefined> {
    let cleared: CleanupResult | undefined
    void recorder()
      .cleanUp()
      .then((result) => (cleared = result))
    const end = performance.now() + 5_000
    while (cleared === undefined && performance.now() < end) {
      jest.advanceTimersByTime(stepMs)
      for (let i = 0; i < 10; i += 1) await new Promise(setImmediate)
    }
    return cleared
  }

  const unavailable: Answer = { status: 503, body: status('ServiceUnavailable', 'rolling') }
  it.each<[string, (Answer | 'reset')[], number, boolean]>([
    ['is retried when the API server is unavailable for a moment', ['reset', unavailable], 3, false],
    ['is not retried after the third attempt', [unavailable, unavailable, unavailable], 3, true],
    ['is not retried when it is forbidden', [{ status: 403, body: status('Forbidden', 'no') }], 1, true],
  ])('the deletion %s', async (_what, failures, times, unfinished) => {
    const answer = server.answer
    server.answer = (request) => {
      if (request.method !== 'DELETE') return answer(request)
      const failure = failures.shift()
      if (failure === undefined) delete answers[`GET ${jobs}/${name}`]
      return failure ?? answer(request)
    }
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'performance', 'Date'] })
    const cleared = await cleanUpInSteps(50) // far less than the timeout of a request
    expect(sent('DELETE', `${jobs}/${name}`)).toHaveLength(times)
    expect(cleared?.unfinished).toBe(unfinished)
  })
})
