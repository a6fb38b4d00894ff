import { jest } from '@jest/globals'
import { recordOf, type Where } from '../../../src/capture/record.ts'
import { watchTarget } from '../../../src/capture/target-watch.ts'
import type { Target } from '../../../src/cluster/target.ts'
import { startServer, status, type Answer, type Server } from '../cluster/server.ts'
import { plan, target } from './target.ts'

let server: Server
let gone: number
let end: () => void
beforeEach(async () => {
  server = await startServer()
  gone = 0
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'performance', 'Date'] })
})
afterEach(() => {
  end()
  jest.useRealTimers()
  return server.stop()
})

const nodePod: Where = { kind: 'node-pod', namespace: 'net' }
const watch = (where: Where = nodePod, of: Target = target()): void => {
  end = watchTarget(server.connection, recordOf(of, 'packet-capture-x', plan(), '/x', 0, where), () => (gone += 1))
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
const pod = (uid: string, phase: string): Answer => ({ status: 200, body: { metadata: { uid }, status: { phase } } })

it.each<[string, Answer]>([
  ['is not there', { status: 404, body: status('NotFound', 'pods "web-1" not found') }],
  ['is another of its name', pod('uid-2', 'Running')],
  ['has done its work', pod('uid-1', 'Succeeded')],
  ['has failed', pod('uid-1', 'Failed')],
])("a pod that %s is gone: its address may be another's", async (_how, answer) => {
  server.answer = () => pod('uid-1', 'Running')
  watch()
  await pass(1)
  expect(gone).toBe(0)
  server.answer = () => answer
  await pass(1)
  expect(gone).toBe(1)
  expect(server.requests[0]).toMatchObject({ method: 'GET', path: '/api/v1/namespaces/shop/pods/web-1' })
})

it.each<[string, Answer | 'reset']>([
  ['may not say', { status: 403, body: status('Forbidden', 'no') }],
  ['is away', 'reset'],
])('a pod of which the API server %s is not', async (_how, answer) => {
  server.answer = () => answer
  watch()
  await pass(2)
  expect(server.requests.length).toBeGreaterThanOrEqual(2)
  expect(gone).toBe(0)
})

it.each<[string, Where, Target]>([
  ['by a container in the pod itself', { kind: 'container' }, target()],
  ['of a node by its own name', nodePod, { ...target(), pod: '', uid: '' }],
])('nothing is looked at for a capture %s', async (_what, where, of) => {
  server.answer = () => ({ status: 404, body: status('NotFound', 'no') })
  watch(where, of)
  await pass(2)
  expect(server.requests).toEqual([])
  expect(gone).toBe(0)
})

it('nothing is looked at once the capture is over', async () => {
  server.answer = () => ({ status: 404, body: status('NotFound', 'no') })
  watch()
  end()
  await pass(2)
  expect(server.requests).toEqual([])
})
