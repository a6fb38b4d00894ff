import { jest } from '@jest/globals'
import { recordOf, type Where } from '../../../src/capture/record.ts'
import { watchTarget, type TargetWatch } from '../../../src/capture/target-watch.ts'
import type { Target } from '../../../src/cluster/target.ts'
import { startServer, status, type Answer, type Server } from '../cluster/server.ts'
import { plan, target } from './target.ts'

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
  await one.end()
  await server.stop()
})

const nodePod: Where = { kind: 'node-pod', namespace: 'net' }
const ours = { status: { podIPs: [{ ip: '10.0.0.5' }, { ip: 'fd00::5' }] } }
const watch = (where: Where = nodePod, of: Target = target(ours)): void => {
  one = watchTarget(server.connection, recordOf(of, 'packet-capture-x', plan(), '/x', 0, where), () => (gone += 1))
}
/** Time for `looks` looks, and for what they are answered. */
async function pass(looks: number): Promise<void> {
  for (let i = 0; i < looks; i += 1) {
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
  ['is not there', { status: 404, body: status('NotFound', 'pods "web-1" not found') }, /went away/],
  ['is another of its name', pod('uid-2', 'Running'), /replaced by another/],
  ['has done its work', pod('uid-1', 'Succeeded'), /came to its end \(Succeeded\)/],
  ['has failed', pod('uid-1', 'Failed'), /came to its end \(Failed\)/],
  [
    'has got another address',
    pod('uid-1', 'Running', '10.0.0.6', 'fd00::5'),
    /changed its address \(10\.0\.0\.5, fd00::5 → /,
  ],
])("a pod that %s is lost: its addresses may be another's", async (_how, answer, why) => {
  server.answer = () => pod('uid-1', 'Running')
  watch()
  await pass(1)
  expect(gone).toBe(0)
  server.answer = () => answer
  await pass(1)
  expect(gone).toBe(1)
  expect(server.requests[0]).toMatchObject({ method: 'GET', path: '/api/v1/namespaces/shop/pods/web-1' })
  server.answer = () => pod('uid-1', 'Running') // what has been seen stays seen
  await pass(2)
  expect(gone).toBe(1)
  jest.useRealTimers()
  await expect(one.end()).resolves.toEqual({ kind: 'lost', why: expect.stringMatching(why) as string })
})

it('is looked at at once, and once more at the end', async () => {
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
  ['may not say', { status: 403, body: status('Forbidden', 'no') }],
  ['is away', 'reset'],
])('of a pod of which the API server %s nothing is known', async (_how, answer) => {
  server.answer = () => answer
  watch()
  await pass(2)
  expect(gone).toBe(0)
  jest.useRealTimers()
  await expect(one.end()).resolves.toEqual({ kind: 'unknown', why: expect.any(String) as string })
  server.answer = () => pod('uid-1', 'Running')
  await expect(one.end()).resolves.toEqual({ kind: 'there' }) // its last answer counts
})

it('does not wait for the last look for longer than it may', async () => {
  server.answer = () => 'hang'
  watch()
  jest.useRealTimers()
  await expect(one.end(50)).resolves.toEqual({ kind: 'unknown', why: 'no answer within 0.05 s' })
})

it('a pod in the network of its node has no addresses to lose', async () => {
  server.answer = () => pod('uid-1', 'Running', '10.128.0.8')
  watch(nodePod, target({ ...ours, spec: { hostNetwork: true } }))
  jest.useRealTimers()
  await expect(one.end()).resolves.toEqual({ kind: 'there' })
})

it.each<[string, Where, Target]>([
  ['by a container in the pod itself', { kind: 'container' }, target()],
  ['of a node by its own name', nodePod, { ...target(), pod: '', uid: '' }],
])('nothing is looked at for a capture %s', async (_what, where, of) => {
  server.answer = () => ({ status: 404, body: status('NotFound', 'no') })
  watch(where, of)
  await pass(2)
  expect(server.requests).toEqual([])
  await expect(one.end()).resolves.toEqual({ kind: 'there' })
})
