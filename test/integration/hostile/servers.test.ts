// Servers in place of an API server, each against the code of the runner, by a clock that is twenty times as fast.

import { call } from '../../../src/cluster/api.ts'
import { openRemoteCommand } from '../../../src/cluster/remote-command.ts'
import { messageOf } from '../../../src/common/errors.ts'
import { containerState } from '../../../src/capture/recorders/container-endpoint.ts'
import { plan, recordFor } from '../../support/target.ts'
import { plain } from '../../../src/common/remote-text.ts'
import { maxRunSeconds } from '../../../src/capture/plan.ts'
import { startServer } from '../../support/api-server.ts'
import { useFastClock } from '../../support/fast-clock.ts'
import {
  hostileApiServers,
  hostileUpgrades,
  secret,
  startRawServer,
  type HostileApiServer,
  type RawServer,
} from '../../support/hostile/api-servers.ts'

useFastClock(20)

let server: RawServer
let elsewhere: RawServer
afterEach(() => Promise.all([server.stop(), elsewhere.stop()]))

async function start({ answer }: HostileApiServer): Promise<void> {
  elsewhere = await startRawServer((socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}'))
  server = await startRawServer((socket, head) => answer(socket, { head, elsewhere: elsewhere.url }))
}

/** How a request ended, and how long that took by the fast clock, s */
async function outcomeOf(work: Promise<unknown>): Promise<{ readonly error: string; readonly seconds: number }> {
  const startMs = Date.now()
  const error = await work.then(
    () => '',
    (reason: unknown) => messageOf(reason) || 'no message',
  )
  return { error, seconds: (Date.now() - startMs) / 1_000 }
}

function expectHarmless({ error, seconds }: Awaited<ReturnType<typeof outcomeOf>>): void {
  expect(error).not.toBe('')
  expect(error).not.toContain(secret)
  expect(error.length).toBeLessThan(20_000)
  expect(plain(error)).not.toMatch(/^\s*::|##\[/m)
  expect(seconds).toBeLessThan(150)
  expect(elsewhere.requests).toEqual([])
}

const named = (servers: readonly HostileApiServer[]) => servers.map((one) => [one.does, one] as const)

it.each(named(hostileApiServers))('a server that %s does not hold or mislead a request', async (_does, hostile) => {
  await start(hostile)
  const beforeBytes = process.memoryUsage.rss()
  expectHarmless(await outcomeOf(call(server.connection, 'GET', '/api/v1/namespaces/shop/pods/web-1')))
  expect(process.memoryUsage.rss() - beforeBytes).toBeLessThan(600e6)
  expect(server.requests.length).toBeLessThanOrEqual(3)
})

it.each(named(hostileApiServers))('a server that %s does not hold or mislead a change', async (_does, hostile) => {
  await start(hostile)
  const body = { type: 'application/json', value: { kind: 'Job' } }
  expectHarmless(await outcomeOf(call(server.connection, 'POST', '/apis/batch/v1/namespaces/net/jobs', { body })))
  expect(server.requests).toHaveLength(1)
})

it.each(named([...hostileApiServers, ...hostileUpgrades]))(
  'a server that %s does not hold or mislead an exec',
  async (_does, hostile) => {
    await start(hostile)
    const beforeBytes = process.memoryUsage.rss()
    const command = { namespace: 'shop', pod: 'web-1', container: 'x', command: ['sh'] }
    const run = async (): Promise<void> => {
      const opened = await openRemoteCommand(server.connection, command, {
        stdout: () => undefined,
        stderr: () => undefined,
      })
      const { code, reason } = await opened.ended
      throw new Error(`ended: ${String(code)} ${reason}`)
    }
    expectHarmless(await outcomeOf(run()))
    expect(process.memoryUsage.rss() - beforeBytes).toBeLessThan(400e6)
  },
)

const container = (state: unknown): unknown => ({
  metadata: { uid: 'uid-1' },
  status: { ephemeralContainerStatuses: [{ name: 'x', imageID: { a: 1 }, state }] },
})
it.each<[string, unknown]>([
  ['statuses that are an object', { metadata: { uid: 'uid-1' }, status: { ephemeralContainerStatuses: { a: 1 } } }],
  ['statuses that are a number', { metadata: { uid: 'uid-1' }, status: { containerStatuses: 7 } }],
  ['statuses that are null', { metadata: { uid: 'uid-1' }, status: { ephemeralContainerStatuses: [null] } }],
  ['a status that is a text', { metadata: { uid: 'uid-1' }, status: 'Running' }],
  ['metadata that are null', { metadata: null }],
  ['a message that is a number', container({ terminated: { reason: 'x', message: 7 } })],
  ['a reason that is an object', container({ terminated: { reason: {}, message: '' } })],
  ['an exit code that is a text of 1 MB', container({ terminated: { exitCode: 'x'.repeat(1e6) } })],
  ['an image id that is an object', container({ running: {} })],
  ['times that are none', container({ terminated: { startedAt: 'NaN', finishedAt: -1, message: '', reason: '' } })],
  ['a state of every kind', container({ running: {}, waiting: { reason: 3 }, terminated: { exitCode: -1e99 } })],
])('a pod with %s has a state, so that the capture goes on', async (_what, body) => {
  elsewhere = await startRawServer(() => undefined)
  server = await startRawServer((socket) => {
    const text = JSON.stringify(body)
    socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${String(text.length)}\r\n\r\n${text}`)
  })
  const { connection } = server
  const state = await containerState({ connection, namespace: 'shop', pod: 'web-1', uid: 'uid-1', container: 'x' })
  expect(['unknown', 'waiting', 'terminated', 'gone', 'running']).toContain(state.kind)
  expect(JSON.stringify(state).length).toBeLessThan(10_000)
})

it.each([0, -8.64e15, 8.64e15, Date.UTC(9999, 11, 31), NaN])(
  'a server whose clock shows %d does not change the time limits of the runner',
  async (serverTimeMs) => {
    elsewhere = await startRawServer(() => undefined)
    server = await startRawServer(() => undefined)
    const api = await startServer()
    const date = new Date(serverTimeMs)
    const text = Number.isNaN(date.getTime()) ? 'yesterday' : date.toUTCString()
    api.answer = () => ({ status: 200, body: {}, headers: { Date: text } })
    const { serverTime } = await call(api.connection, 'GET', '/version')
    await api.stop()
    const limits = plan()
    const { deadlineHereMs } = recordFor({ plan: limits, serverTimeMs: serverTime ?? Date.now() })
    expect(Math.abs(deadlineHereMs - Date.now() - maxRunSeconds(limits) * 1_000)).toBeLessThan(5_000)
  },
)
