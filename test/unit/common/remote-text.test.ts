// The state of a capture is saved for the post step on a disk that may be nearly full. Text from a hostile node or pod must not make it large.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { followCapture, openPart } from '../../../src/capture/capture.ts'
import type { CaptureResult } from '../../../src/capture/capture-result.ts'
import { followSpool } from '../../../src/capture/follower.ts'
import type { RecorderEndpoint, RecorderState } from '../../../src/capture/recorders/endpoint.ts'
import type { CaptureRecord } from '../../../src/capture/record.ts'
import type { CaptureEvents } from '../../../src/capture/recorders/recorder.ts'
import type { RemoteProcessHandlers } from '../../../src/common/remote-process.ts'
import type { CaptureState } from '../../../src/app/state.ts'
import { pcap } from '../../support/pcap-bytes.ts'
import { until } from '../../support/until.ts'
import { nodePod, recordFor } from '../../support/target.ts'

let folder: string
let reasons: string[]
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'remote-text-'))
  reasons = []
})
afterEach(() => rmSync(folder, { recursive: true }))

const events: CaptureEvents = {
  onTouchingNode: () => undefined,
  onCreated: () => undefined,
  onCaution: () => undefined,
  onWaiting: () => undefined,
  onListening: () => undefined,
  onReconnecting: (reason) => reasons.push(reason),
  onRemoteLine: () => undefined,
}

/** Characters that need many bytes, in UTF-8 or in JSON. Truncation can split the last ones. */
const worst = ['x', '"', '\\', '\u0001', '\uffff', '😀', 'x😀']
const repeated = (character: string, times = 100_000): string => character.repeat(times)

/** A readable trailer of about one megabyte. */
function trailerLines(character: string): readonly string[] {
  const interfaces = Array.from(
    { length: 12_000 },
    (_, i) => `interface ${String(2_147_400_000 + i)} ${repeated(character, 20)} 1234567890 1234567890`,
  )
  const counters = ['captured', 'received', 'dropped', 'interface-dropped']
  return [
    ...['size 24', `sha256 ${'ab'.repeat(32)}`, 'reason died', 'spool disk'],
    ...counters.map((key) => `${key} 999999999999999`),
    ...[
      'paused 31622400000 999999999999999',
      'recorded 31622400000',
      'began 4294967296',
      'exit 255',
      `tool ${repeated(character, 9_000)}`,
      `message ${repeated(character, 9_000)}`,
    ],
    ...interfaces,
  ]
}

const record = (): CaptureRecord => recordFor({ captureId: 'packet-capture-0a1b2c-3d4e5f60', method: nodePod, folder })

async function resultAt(endpoint: RecorderEndpoint): Promise<CaptureResult> {
  const one = record()
  const capture = followCapture({ record: one, endpoint }, await openPart(one), { imageId: 'tools@sha256:1', events })
  return capture.finished
}

/** The size of the state as app/state.ts saves it. */
const bytesOf = (result: CaptureResult): number => {
  const { record: saved, imageId } = result
  return Buffer.byteLength(
    JSON.stringify({ record: saved, imageId, result, isTouched: true, hints: [] } satisfies CaptureState),
  )
}

/** A connection that delivers what `send` writes, and ends when the follower sends `done`. */
const opened =
  (send: (handlers: RemoteProcessHandlers) => void): RecorderEndpoint['open'] =>
  (_command, handlers) => {
    const { promise, resolve } = Promise.withResolvers<{ code: number; reason: string }>()
    setImmediate(() => send(handlers))
    const end = (): void => resolve({ code: 1000, reason: '' })
    const receive = (line: string): boolean => {
      if (line === 'done') end()
      return true
    }
    return Promise.resolve({ protocol: 'test', send: receive, close: end, ended: promise })
  }

it.each(worst)('limits the saved size of the largest readable trailer, with the character %j', async (character) => {
  const result = await resultAt({
    open: opened((handlers) => {
      void handlers.stdout(pcap())
      for (const line of trailerLines(character)) handlers.stderr(`trailer ${line}`)
      handlers.stderr('end')
    }),
    state: () => Promise.resolve({ kind: 'running', imageId: undefined }),
    spoolDirs: [],
  })
  expect(result.outcome).toMatchObject({ end: 'whole', trailer: { reason: 'died', sizeBytes: 24 } })
  expect(result.outcome.trailer?.interfaces).toHaveLength(800)
  expect(result.outcome.trailer?.message.length).toBe(1_000)
  expect(bytesOf(result)).toBeLessThan(100_000)
})

it.each(
  worst.flatMap((character) => (['terminated', 'gone', 'lost'] as const).map((how) => [how, character] as const)),
)('limits the saved size of the last message of a recorder (%s), with the character %j', async (how, character) => {
  const remoteMessage = repeated(character)
  const states: Record<typeof how, RecorderState> = {
    terminated: { kind: 'terminated', reason: remoteMessage, message: `${trailerLines(character).join('\n')}` },
    gone: { kind: 'gone', reason: remoteMessage },
    lost: { kind: 'running', imageId: undefined },
  }
  const result = await resultAt({
    open: (command, handlers) =>
      how === 'lost'
        ? opened((far) => far.stderr(`gone ${remoteMessage}`))(command, handlers).then((remote) => ({
            ...remote,
            ended: new Promise((resolve) => setTimeout(() => resolve({ code: 1, reason: remoteMessage }), 10)),
          }))
        : Promise.reject(new Error(remoteMessage)),
    state: () => Promise.resolve(states[how]),
    spoolDirs: [],
  })
  expect(result.outcome.end).toBe({ terminated: 'container-ended', gone: 'endpoint-gone', lost: 'gave-up' }[how])
  expect(result.outcome.detail).toHaveLength(500)
  expect(result.verdict.verdict).toBe('partial')
  expect(bytesOf(result)).toBeLessThan(100_000)
})

it.each<[string, RecorderState]>([
  ['the recorder endpoint', { kind: 'unknown', reason: repeated('x') }],
  ['the connection', { kind: 'running', imageId: undefined }],
])('limits the length of the reason for a lost connection that comes from %s', async (_who, state) => {
  const part = await openPart(record())
  const endpoint: RecorderEndpoint = {
    open: () => Promise.reject(new Error(repeated('y'))),
    state: () => Promise.resolve(state),
    spoolDirs: [],
  }
  const follower = followSpool(endpoint, part, () => Infinity, events)
  await until('a reason', () => reasons.length > 0)
  follower.giveUp('gave-up')
  await follower.outcome
  await part.close()
  expect(reasons[0]).toMatch(/^(x{500}|y{500})$/)
})
