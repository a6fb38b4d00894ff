// The state of a run travels to the post step in one environment variable: what a hostile node or pod says must leave room in it.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { followCapture, openPart, type CaptureResult } from '../../../src/capture/capture.ts'
import { followSpool } from '../../../src/capture/follow.ts'
import type { Place, RecorderState } from '../../../src/capture/place.ts'
import { recordOf, type CaptureRecord } from '../../../src/capture/record.ts'
import type { CaptureEvents } from '../../../src/capture/recorder.ts'
import type { RemoteHandlers } from '../../../src/cluster/remote-command.ts'
import type { RunState } from '../../../src/state.ts'
import { pcap } from '../pcap/bytes.ts'
import { until } from '../until.ts'
import { plan, target } from './target.ts'

let folder: string
let told: string[]
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'foreign-'))
  told = []
})
afterEach(() => rmSync(folder, { recursive: true }))

const events: CaptureEvents = {
  touching: () => undefined,
  made: () => undefined,
  caution: () => undefined,
  waiting: () => undefined,
  listening: () => undefined,
  interrupted: (reason) => told.push(reason),
  foreign: () => undefined,
}

/** Characters that take much room: in bytes, or in JSON; of one of them a cut leaves a half. */
const worst = ['x', '"', '\\', '\u0001', '\uffff', '😀', 'x😀']
const much = (character: string, times = 100_000): string => character.repeat(times)

/** A trailer that can be read, with all that a megabyte has room for. */
function trailerLines(character: string): readonly string[] {
  const interfaces = Array.from(
    { length: 12_000 },
    (_, i) => `interface ${String(4_294_900_000 + i)} ${much(character, 20)}`,
  )
  const counters = ['captured', 'received', 'dropped', 'interface-dropped', 'recorded', 'began', 'exit']
  return [
    ...['size 24', `sha256 ${'ab'.repeat(32)}`, 'reason died', 'spool disk'],
    ...counters.map((key) => `${key} 999999999999999`),
    ...['paused 999999999999999 999999999999999', `tool ${much(character, 9_000)}`, `words ${much(character, 9_000)}`],
    ...interfaces,
  ]
}

const record = (): CaptureRecord =>
  recordOf(target(), 'packet-capture-0a1b2c-3d4e5f60', plan(), join(folder, 'x.pcap'), Date.now(), {
    kind: 'node-pod',
    namespace: 'net',
  })

async function resultAt(place: Place): Promise<CaptureResult> {
  const one = record()
  const capture = followCapture({ record: one, place }, await openPart(one), 'tools@sha256:1', events)
  return capture.finished
}

/** As run.ts saves it. */
const bytesOf = (result: CaptureResult): number => {
  const captures = [{ record: result.record, imageId: result.imageId, stays: undefined, result }]
  return Buffer.byteLength(JSON.stringify({ phase: 'captured', captures, hints: [] } satisfies RunState))
}

/** A connection that brings what `send` hands over, and ends after the follower's word `done`. */
const opened =
  (send: (handlers: RemoteHandlers) => void): Place['open'] =>
  (_command, handlers) => {
    const { promise, resolve } = Promise.withResolvers<{ code: number; reason: string }>()
    setImmediate(() => send(handlers))
    const end = (): void => resolve({ code: 1000, reason: '' })
    const hear = (line: string): boolean => {
      if (line === 'done') end()
      return true
    }
    return Promise.resolve({ protocol: 'test', send: hear, close: end, ended: promise })
  }

it.each(worst)('the worst trailer that can be read leaves room for everything else, of %j', async (character) => {
  const result = await resultAt({
    open: opened((handlers) => {
      void handlers.stdout(pcap())
      for (const line of trailerLines(character)) handlers.stderr(`trailer ${line}`)
      handlers.stderr('end')
    }),
    state: () => Promise.resolve({ kind: 'running', imageId: '' }),
    spools: [],
  })
  expect(result.outcome).toMatchObject({ end: 'whole', trailer: { reason: 'died', size: 24 } })
  expect(result.outcome.trailer?.interfaces).toHaveLength(1_000)
  expect(result.outcome.trailer?.words.length).toBe(1_000)
  expect(bytesOf(result)).toBeLessThan(100_000)
})

it.each(
  worst.flatMap((character) => (['terminated', 'gone', 'lost'] as const).map((how) => [how, character] as const)),
)('the last words of a recorder (%s) leave room for everything else, of %j', async (how, character) => {
  const words = much(character)
  const states: Record<typeof how, RecorderState> = {
    terminated: { kind: 'terminated', reason: words, message: `${trailerLines(character).join('\n')}` },
    gone: { kind: 'gone', reason: words },
    lost: { kind: 'running', imageId: '' },
  }
  const result = await resultAt({
    open: (command, handlers) =>
      how === 'lost'
        ? opened((far) => far.stderr(`gone ${words}`))(command, handlers).then((remote) => ({
            ...remote,
            ended: new Promise((resolve) => setTimeout(() => resolve({ code: 1, reason: words }), 10)),
          }))
        : Promise.reject(new Error(words)),
    state: () => Promise.resolve(states[how]),
    spools: [],
  })
  expect(result.outcome.end).toBe({ terminated: 'container-ended', gone: 'place-gone', lost: 'gave-up' }[how])
  expect(result.outcome.detail).toHaveLength(500)
  expect(result.verdict.verdict).toBe('partial')
  expect(bytesOf(result)).toBeLessThan(100_000)
})

it.each<[string, RecorderState]>([
  ['the place does', { kind: 'unknown', reason: much('x') }],
  ['the connection does', { kind: 'running', imageId: '' }],
])('why a connection was lost is told in a few words, whatever %s say of it', async (_who, state) => {
  const part = await openPart(record())
  const place: Place = {
    open: () => Promise.reject(new Error(much('y'))),
    state: () => Promise.resolve(state),
    spools: [],
  }
  const follower = followSpool(place, part, () => Infinity, events)
  await until('a reason', () => told.length > 0)
  follower.giveUp()
  await follower.outcome
  await part.close()
  expect(told[0]).toMatch(/^(x{500}|y{500})$/)
})
