import { createHash } from 'node:crypto'
import type { CapturePlan } from '../../../src/capture/plan.ts'
import { success, type ExecSession } from '../api-server.ts'
import { pcap } from '../pcap-bytes.ts'

/** A follower, or the kubelet and the API server in front of it, that lies. */
export interface HostileFollower {
  /** what it does, for the title of a test */
  readonly does: string
  readonly plan?: Partial<CapturePlan>
  /** called for each connection, with its number from 0 */
  readonly exec: (session: ExecSession, number: number) => void
  /** of the container; `running` without it */
  readonly container?: object
  readonly verdict: 'complete' | 'partial' | 'empty'
  readonly reason: RegExp
}

export const stream = pcap(...Array.from({ length: 50 }, (_, i) => (i * 37) % 1_500))
const sha256 = createHash('sha256').update(stream).digest('hex')

/** The lines of a true trailer of `stream`, with changes; undefined leaves a line out. */
export function trailerOf(changes: Readonly<Record<string, string | undefined>> = {}): readonly string[] {
  const lines = {
    ...{
      size: String(stream.length),
      sha256,
      reason: 'duration',
      exit: '0',
      captured: '50',
      received: '50',
      dropped: '0',
    },
    ...{ paused: '0 0', recorded: '3000', began: '1795337022' },
    ...changes,
  }
  return Object.entries(lines).flatMap(([key, value]) => (value === undefined ? [] : [`${key} ${value}`]))
}

const listening = 'listening 1795337022\n'
const sendTrailer = (session: ExecSession, lines: readonly string[]): void =>
  session.stderr([...lines.map((line) => `trailer ${line}`), 'end', ''].join('\n'))

/** Sends the whole stream with a trailer, and ends when the runner sends `done`. */
const withTrailer =
  (lines: readonly string[], more: (session: ExecSession) => void = () => undefined) =>
  (session: ExecSession): void => {
    session.stderr(listening)
    if (session.command[4] === '0') session.stdout(stream)
    more(session)
    sendTrailer(session, lines)
    session.onLine = (line) => line === 'done' && session.end(success)
  }

/** Repeats `act` until the connection is closed. It uses the global timers, which a test may speed up. */
function forever(session: ExecSession, everyMs: number, act: () => void): void {
  const timer = setInterval(
    () => (session.socket.readyState === session.socket.OPEN ? act() : clearInterval(timer)),
    everyMs,
  )
  timer.unref()
}

/** Repeats `act` as fast as the connection takes the data. */
function flood(session: ExecSession, act: () => void): void {
  const step = (): void => {
    if (session.socket.readyState !== session.socket.OPEN) return
    if (session.socket.bufferedAmount < 8e6) act()
    setImmediate(step)
  }
  step()
}

const small = { maxBytes: 1_000_000, spoolLimitBytes: 8_000_000 }
const mebibyte = Buffer.alloc(1_048_576)
const packets = pcap(...Array.from({ length: 700 }, () => 1_484)).subarray(24)
const commands = '::set-output name=verdict::complete ##[set-output name=verdict;]complete \u001b[31m \u202e'

const tooSlow = /the rest arrived too slowly after the end of the recording/
const gaveUp = /the connection was lost and could not be restored in time/
const tooSlowOrLost = /too slowly|could not be restored/
const tooMuch = /sent more than max-size and spool-limit together/
const whole = /all \d+ bytes arrived/

export const hostileFollowers: readonly HostileFollower[] = [
  // It holds the runner.
  {
    does: 'ignores stop and sends one byte in 5 s without end',
    exec: (session) => {
      session.stderr(listening)
      session.stdout(stream.subarray(0, 24))
      forever(session, 5_000, () => session.stdout(Buffer.alloc(1)))
    },
    verdict: 'partial',
    reason: tooSlow,
  },
  {
    does: 'ignores stop and sends 20 kB a second',
    exec: (session) => {
      session.stderr(listening)
      forever(session, 1_000, () => session.stdout(mebibyte.subarray(0, 20_000)))
    },
    verdict: 'partial',
    reason: tooSlow,
  },
  {
    does: 'ignores stop and sends only beats',
    exec: (session) => {
      session.stderr(listening)
      forever(session, 2_000, () => session.stderr('beat 99999999999999999999\n'))
    },
    verdict: 'partial',
    reason: tooSlow,
  },
  {
    does: 'says nothing at all, and answers pings',
    exec: () => undefined,
    plan: { startTimeoutSeconds: 1 },
    verdict: 'partial',
    reason: tooSlowOrLost,
  },
  {
    does: 'says listening again and again, to move the end of the recording',
    exec: (session) => forever(session, 1_000, () => session.stderr(listening)),
    verdict: 'partial',
    reason: tooSlow,
  },
  {
    does: 'sends a byte and cuts the connection, each time',
    exec: (session) => {
      session.stderr(listening)
      session.stdout(Buffer.alloc(1))
      setTimeout(() => session.cut(), 100)
    },
    verdict: 'partial',
    reason: tooSlowOrLost,
  },
  {
    does: 'cuts each connection at once',
    exec: (session) => session.cut(),
    plan: { startTimeoutSeconds: 1 },
    verdict: 'partial',
    reason: tooSlowOrLost,
  },
  {
    does: 'reports Success at once, each time',
    exec: (session) => session.end(success),
    plan: { startTimeoutSeconds: 1 },
    verdict: 'partial',
    reason: tooSlowOrLost,
  },
  {
    does: 'announces a petabyte and then sends one byte in 5 s',
    exec: (session) => {
      session.stderr(listening)
      sendTrailer(session, trailerOf({ size: '999999999999999' }))
      forever(session, 5_000, () => session.stdout(Buffer.alloc(1)))
    },
    verdict: 'partial',
    reason: tooSlowOrLost,
  },
  {
    does: 'sends end without a trailer, again and again',
    exec: (session) => {
      session.stderr(listening)
      forever(session, 1_000, () => session.stderr('end\n'))
    },
    verdict: 'partial',
    reason: tooSlow,
  },
  {
    does: 'never closes the connection after done',
    exec: (session) => {
      withTrailer(trailerOf())(session)
      session.onLine = () => undefined
    },
    verdict: 'complete',
    reason: whole,
  },
  {
    does: 'says that the spool lacks every offset',
    exec: (session) => {
      session.stderr(`gone ${'9'.repeat(60_000)}\n`)
      setTimeout(() => session.cut(), 100)
    },
    verdict: 'partial',
    reason: gaveUp,
  },
  // It fills the runner.
  {
    does: 'sends zeros without end, with max-size 1 MB',
    plan: small,
    exec: (session) => {
      session.stderr(listening)
      flood(session, () => session.stdout(mebibyte))
    },
    verdict: 'partial',
    reason: tooMuch,
  },
  {
    does: 'sends packets without end, with max-size 1 MB',
    plan: small,
    exec: (session) => {
      session.stderr(listening)
      if (session.command[4] === '0') session.stdout(stream.subarray(0, 24))
      flood(session, () => session.stdout(packets))
    },
    verdict: 'partial',
    reason: tooMuch,
  },
  {
    does: 'sends lines without end',
    exec: (session) => {
      session.stderr(listening)
      const lines = 'a line of a hostile pod\n'.repeat(1_000)
      forever(session, 200, () => session.stderr(lines))
    },
    verdict: 'partial',
    reason: tooSlowOrLost,
  },
  {
    does: 'sends a line that never ends',
    exec: (session) => {
      session.stderr(listening)
      forever(session, 500, () => session.stderr('x'.repeat(100_000)))
    },
    verdict: 'partial',
    reason: tooSlowOrLost,
  },
  {
    does: 'sends 15 MiB of line breaks',
    exec: withTrailer(trailerOf(), (session) => session.stderr('\n'.repeat(15 * 1_048_576))),
    verdict: 'partial',
    reason: tooSlowOrLost,
  },
  {
    does: 'sends 15 MiB of blanks in one line',
    exec: withTrailer(trailerOf(), (session) => session.stderr(`${' '.repeat(15 * 1_048_576)}\n`)),
    verdict: 'partial',
    reason: tooSlowOrLost,
  },
  {
    does: 'sends a trailer of 30,000 interfaces',
    exec: withTrailer([...trailerOf(), ...Array.from({ length: 30_000 }, (_, i) => `interface ${String(i)} veth`)]),
    verdict: 'complete',
    reason: whole,
  },
  {
    does: 'sends frames larger than 16 MiB',
    exec: (session) => session.stdout(Buffer.alloc(17 * 1_048_576)),
    plan: { startTimeoutSeconds: 1 },
    verdict: 'partial',
    reason: tooSlowOrLost,
  },
  {
    does: 'ends with a status of 8 MB',
    exec: (session) => session.end({ status: 'Failure', message: 'x'.repeat(8_000_000) }),
    plan: { startTimeoutSeconds: 1 },
    verdict: 'partial',
    reason: tooSlowOrLost,
  },
  // It lies in its trailer.
  ...(
    [
      ['began in the year 3170843', { began: '99999999999999' }],
      ['began before the epoch', { began: '-62135596800' }],
      ['numbers that are none', { began: 'NaN', recorded: 'Infinity', captured: '1e999', exit: '-9' }],
      ['numbers of 400 digits', { began: '9'.repeat(400), recorded: '9'.repeat(400), captured: '9'.repeat(400) }],
      ['workflow commands in every text', { tool: commands, message: commands, spool: commands }],
    ] as const
  ).map(([what, changes]): HostileFollower => ({
    does: `sends a trailer with ${what}`,
    exec: withTrailer(trailerOf(changes)),
    verdict: 'complete',
    reason: whole,
  })),
  ...(
    [
      ['a negative number of drops', { dropped: '-1' }, /did not report whether packets were dropped/],
      ['a workflow command as its reason', { reason: commands }, /stopped for an unknown reason/],
      ['a size below what was sent', { size: '24' }, /\d+ of 24 bytes arrived/],
      ['the SHA-256 of something else', { sha256: 'ab'.repeat(32) }, /SHA-256 of the bytes that arrived is not/],
    ] as const
  ).map(([what, changes, reason]): HostileFollower => ({
    does: `sends a trailer with ${what}`,
    exec: withTrailer(trailerOf(changes)),
    verdict: 'partial',
    reason,
  })),
  ...(
    [
      ['two sizes', [...trailerOf(), 'size 24']],
      ['pauses of a thousand years', trailerOf({ paused: '31557600000000 1' })],
      ['a negative size', trailerOf({ size: '-24' })],
      ['no SHA-256', trailerOf({ sha256: undefined })],
    ] as const
  ).map(([what, lines]): HostileFollower => ({
    does: `sends a trailer with ${what}, and trickles`,
    exec: (session) => {
      withTrailer(lines)(session)
      forever(session, 5_000, () => session.stderr('beat 1\n'))
    },
    verdict: 'partial',
    reason: tooSlow,
  })),
  {
    does: 'ends with a termination message that lies about its time',
    exec: (session) => {
      session.stdout(session.command[4] === '0' ? stream : Buffer.alloc(0))
      setTimeout(() => session.cut(), 300)
    },
    container: {
      terminated: { reason: 'Completed', exitCode: 0, message: trailerOf({ began: '99999999999999' }).join('\n') },
    },
    verdict: 'complete',
    reason: whole,
  },
  // It breaks the protocol.
  {
    does: 'prints workflow commands',
    exec: withTrailer(trailerOf(), (session) =>
      session.stderr(`${commands}\n::stop-commands::x\n  ::add-mask::a\n##[error]x\n\u2028::error::x\n`),
    ),
    verdict: 'complete',
    reason: whole,
  },
  {
    does: 'sends frames of unknown channels, empty ones and text',
    exec: withTrailer(trailerOf(), ({ socket }) => {
      for (const frame of [[], [0], [0, 1, 2], [4, 1], [200, 1, 2], [3], [255]]) socket.send(Buffer.from(frame))
      socket.send('text')
      socket.send('')
    }),
    verdict: 'complete',
    reason: whole,
  },
  {
    does: 'claims a spool in memory',
    exec: withTrailer(trailerOf({ spool: 'memory' }), (session) => session.stderr('memory\n'.repeat(1_000))),
    verdict: 'complete',
    reason: whole,
  },
]
