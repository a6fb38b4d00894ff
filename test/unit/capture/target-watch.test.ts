import { jest } from '@jest/globals'
import type { CaptureMethod } from '../../../src/capture/record.ts'
import { watchTarget, type TargetWatch } from '../../../src/capture/target-watch.ts'
import type { Target } from '../../../src/cluster/target.ts'
import { startServer, status, type Answer, type Server } from '../../support/api-server.ts'
import { nodePod, recordFor, target } from '../../support/target.ts'

let server: Server
let gone: number
let one: TargetWatch
beforeEach(async () => {
  server = await startServer()
  gone = 0
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'performance', 'Date'] })
})
afterEach(async () => {
  jest.useRealTimers()
  await one.end(0)
  await server.stop()
})

const podFacts = { status: { podIPs: [{ ip: '10.0.0.5' }, { ip: 'fd00::5' }] } }
const watch = (where: CaptureMethod = nodePod, of: Target = target(podFacts)): void => {
  one = watchTarget(server.connection, recordFor({ target: of, method: where }), () => (gone += 1))
}
/** Advances the time by `checks` checks and waits for their answers. */
async function pass(checks: number): Promise<void> {
  for (let i = 0; i < checks; i += 1) {
    const asked = server.requests.length
    jest.advanceTimersByTime(5_000)
    for (let turn = 0; turn < 200 && (server.requests.length === asked || turn < 50); turn += 1)
      await new Promise(setImmediate)
  }
}
const pod = (uid: string, phase: string, ...ips: string[]): Answer => ({
  status: 200,
  body: {
    metadata: { uid },
    status: { phase, podIPs: (ips.length > 0 ? ips : ['fd00::5', '10.0.0.5']).map((ip) => ({ ip })) },
  },
})

it.each<[string, Answer, RegExp]>([
  ['does not exist', { status: 404, body: status('NotFound', 'pods "web-1" not found') }, /was deleted/],
  ['was replaced by a pod with the same name', pod('uid-2', 'Running'), /replaced by another/],
  ['has succeeded', pod('uid-1', 'Succeeded'), /ended \(Succeeded\)/],
  ['has failed', pod('uid-1', 'Failed'), /ended \(Failed\)/],
  [
    'has another address',
    pod('uid-1', 'Running', '10.0.0.6', 'fd00::5'),
    /changed its address \(10\.0\.0\.5, fd00::5 → /,
  ],
])('reports a pod that %s as lost, because another pod may have its addresses', async (_how, answer, why) => {
  server.answer = () => pod('uid-1', 'Running')
  watch()
  await pass(1)
  expect(gone).toBe(0)
  server.answer = () => answer
  await pass(1)
  expect(gone).toBe(1)
  expect(server.requests[0]).toMatchObject({ method: 'GET', path: '/api/v1/namespaces/shop/pods/web-1' })
  server.answer = () => pod('uid-1', 'Running') // a lost target is not reported as found later
  await pass(2)
  expect(gone).toBe(1)
  jest.useRealTimers()
  const isCompleted = String(why).includes('Succeeded') ? { isCompleted: true } : {}
  await expect(one.end()).resolves.toEqual({
    kind: 'lost',
    why: expect.stringMatching(why) as string,
    ...isCompleted,
  })
})

it('checks the target at the start and again at the end', async () => {
  server.answer = () => pod('uid-1', 'Running')
  watch()
  for (let turn = 0; turn < 200 && server.requests.length === 0; turn += 1) await new Promise(setImmediate)
  expect(server.requests).toHaveLength(1)
  server.answer = () => ({ status: 404, body: status('NotFound', 'no') })
  jest.useRealTimers()
  await expect(one.end()).resolves.toMatchObject({ kind: 'lost' })
  expect(gone).toBe(1)
})

it.each<[string, Answer | 'reset']>([
  ['forbids the request', { status: 403, body: status('Forbidden', 'no') }],
  ['does not answer', 'reset'],
])('reports the target as unknown when the API server %s', async (_how, answer) => {
  server.answer = () => answer
  watch()
  await pass(2)
  expect(gone).toBe(0)
  jest.useRealTimers()
  await expect(one.end()).resolves.toEqual({ kind: 'unknown', why: expect.any(String) as string })
  server.answer = () => pod('uid-1', 'Running')
  await expect(one.end()).resolves.toEqual({ kind: 'there' }) // the last answer counts
})

it('waits for the last check at most for the given time', async () => {
  server.answer = () => 'hang'
  watch()
  jest.useRealTimers()
  await expect(one.end(50)).resolves.toEqual({ kind: 'unknown', why: 'no answer within 0.05 s' })
})

it('ignores the addresses of a pod that uses the host network', async () => {
  server.answer = () => pod('uid-1', 'Running', '10.128.0.8')
  watch(nodePod, target({ ...podFacts, spec: { hostNetwork: true } }))
  jest.useRealTimers()
  await expect(one.end()).resolves.toEqual({ kind: 'there' })
})

it.each<[string, CaptureMethod, Target]>([
  ['by a container in the pod itself', { kind: 'container' }, target()],
  ['of a node that the input names', nodePod, { kind: 'node', node: 'node-1' }],
])('sends no request for a capture %s', async (_what, where, of) => {
  server.answer = () => ({ status: 404, body: status('NotFound', 'no') })
  watch(where, of)
  await pass(2)
  expect(server.requests).toEqual([])
  await expect(one.end()).resolves.toEqual({ kind: 'there' })
})
