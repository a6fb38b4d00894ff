import { jest } from '@jest/globals'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { followSpool, type Follower, type FollowOutcome } from '../../../src/capture/follower.ts'
import {
  containerEndpoint,
  containerState,
  type ContainerSource,
} from '../../../src/capture/recorders/container-endpoint.ts'
import { openPartFile, type PartFile, type SpoolSink } from '../../../src/capture/part-file.ts'
import type { RecorderEndpoint } from '../../../src/capture/recorders/endpoint.ts'
import type { RemoteProcessHandlers } from '../../../src/common/remote-process.ts'
import { startServer, status, success, type ExecSession, type Server } from '../../support/api-server.ts'
import { pcap } from '../../support/pcap-bytes.ts'
import { until } from '../../support/until.ts'
import { useFastClock } from '../../support/fast-clock.ts'

useFastClock()

let server: Server
let folder: string
let part: PartFile
/** the state of the recorder's container, as the API server reports it */
let container: object
beforeEach(async () => {
  server = await startServer()
  container = { running: { startedAt: '2026-11-22T12:00:00Z' } }
  server.answer = () => ({ status: 200, body: pod() })
  folder = mkdtempSync(join(tmpdir(), 'follow-'))
  part = await openPartFile(join(folder, 'x.part'))
})
afterEach(async () => {
  jest.useRealTimers()
  // A follower that is left over from a failed test would never end.
  follower?.hold(1)
  await follower?.outcome
  follower = undefined
  await part.close().catch(() => undefined)
  await server.stop()
  rmSync(folder, { recursive: true })
})

const pod = (uid = 'uid-1'): object => ({
  metadata: { name: 'web-1', uid },
  status: { ephemeralContainerStatuses: [{ name: 'packet-capture-x', imageID: 'tools@sha256:1', state: container }] },
})
const source = (): ContainerSource => ({
  connection: server.connection,
  namespace: 'shop',
  pod: 'web-1',
  uid: 'uid-1',
  container: 'packet-capture-x',
})

/** The stream of the recorder, and its trailer. */
const stream = pcap(...Array.from({ length: 200 }, (_, i) => (i * 37) % 1500))
const trailerLines = [
  `size ${String(stream.length)}`,
  `sha256 ${createHash('sha256').update(stream).digest('hex')}`,
  'reason duration',
  'exit 0',
  'dropped 0',
  'paused 0 0',
]
/** Sends the trailer; after "done" the recorder and the follower end. */
function sendTrailer(session: ExecSession): void {
  session.onLine = (line) => {
    if (line === 'done') session.end({ status: 'Failure', message: 'command terminated with exit code 137' })
  }
  session.stderr([...trailerLines.map((line) => `trailer ${line}`), 'end', ''].join('\n'))
}
/** The start offset of a follower. */
const offsetOf = (session: ExecSession): number => Number(session.command[4])

/** A remote follower that sends everything from its offset on, then the trailer. */
const sendAll = (session: ExecSession): void => {
  session.stderr('listening 1795337022\n')
  session.stdout(stream.subarray(offsetOf(session)))
  sendTrailer(session)
}

let follower: Follower | undefined
let seen: { listening: number; interrupted: string[]; remoteLines: string[] }
function follow(into: SpoolSink = part, giveUpAt = Infinity): Follower {
  seen = { listening: 0, interrupted: [], remoteLines: [] }
  follower = followSpool(containerEndpoint(source()), into, () => giveUpAt, {
    onListening: () => (seen.listening += 1),
    onReconnecting: (reason) => seen.interrupted.push(reason),
    onRemoteLine: (line) => seen.remoteLines.push(line),
  })
  return follower
}

describe('an uninterrupted connection', () => {
  it('delivers the stream and its trailer before the remote process ends', async () => {
    server.exec = sendAll
    const outcome = await follow().outcome
    expect(outcome).toMatchObject({
      end: 'whole',
      reconnectCount: 0,
      trailer: { sizeBytes: stream.length, reason: 'duration' },
    })
    await part.close()
    expect(readFileSync(part.path).equals(stream)).toBe(true)
    expect(seen).toEqual({ listening: 1, interrupted: [], remoteLines: [] })
    expect(server.sessions[0]?.stdin.filter((line) => line === 'done')).toHaveLength(1)
  })

  it('sends done only after the last byte, also when the trailer arrives first', async () => {
    server.exec = (session) => {
      session.stdout(stream.subarray(0, -1))
      sendTrailer(session)
    }
    const { outcome } = follow()
    const session = await until('a session', () => server.sessions[0])
    await until('some acknowledgements', () => session.stdin.filter((line) => line.startsWith('ack')).length >= 3)
    expect(session.stdin).not.toContain('done')
    session.stdout(stream.subarray(-1))
    await until('done', () => session.stdin.includes('done'))
    await expect(outcome).resolves.toMatchObject({ end: 'whole' })
  })

  it('acknowledges the bytes on disk, in increasing order', async () => {
    server.exec = (session) => {
      session.stdout(stream.subarray(0, 5000))
    }
    const { outcome } = follow()
    const session = await until('a session', () => server.sessions[0])
    await until('the first part is acknowledged', () => session.stdin.includes('ack 5000'))
    session.stdout(stream.subarray(5000))
    await until('the rest is acknowledged', () => session.stdin.includes(`ack ${String(stream.length)}`))
    const acks = session.stdin.map((line) => Number(/^ack (\d+)$/.exec(line)?.[1]))
    expect(acks).toEqual([...acks].sort((a, b) => a - b))
    sendTrailer(session)
    await outcome
  })

  it('reports lines that are not part of the protocol', async () => {
    server.exec = (session) => {
      session.stderr('sh: dd: Input/output error\nbeat 17\n')
      sendAll(session)
    }
    await follow().outcome
    expect(seen.remoteLines).toEqual(['sh: dd: Input/output error'])
  })

  it('reconnects to get a trailer that was unreadable', async () => {
    server.exec = (session, number) => {
      if (number > 0) return sendAll(session)
      session.stdout(stream)
      session.stderr('trailer size many\nend\n')
      setTimeout(() => session.cut(), 20)
    }
    await expect(follow().outcome).resolves.toMatchObject({ end: 'whole', reconnectCount: 1 })
    expect(seen.remoteLines[0]).toContain('size many')
  })

  it('limits the size of a trailer, and logs only its first 1000 characters', async () => {
    server.exec = (session, number) => {
      if (number > 0) return sendAll(session)
      session.stdout(stream)
      session.stderr(`trailer interface 1 ${'x'.repeat(50_000)}\n`.repeat(25))
      sendTrailer(session) // lines after the limit are not read
      setTimeout(() => session.cut(), 100)
    }
    await expect(follow().outcome).resolves.toMatchObject({ end: 'whole', reconnectCount: 1 })
    expect(seen.remoteLines).toEqual([expect.stringMatching(/^unreadable trailer: interface 1 x+$/)])
    expect(seen.remoteLines[0]).toHaveLength(1_000)
  })
})

describe('a lost connection', () => {
  it('is resumed after the last received byte, as often as necessary', async () => {
    const step = Math.ceil(stream.length / 3)
    server.exec = (session, number) => {
      session.stderr('listening 1795337022\n')
      const offset = offsetOf(session)
      session.stdout(stream.subarray(offset, offset + step))
      if (number < 3) setTimeout(() => session.cut(), 20)
      else sendTrailer(session)
    }
    const outcome = await follow().outcome
    expect(outcome).toMatchObject({ end: 'whole', reconnectCount: 3 })
    expect(server.sessions.map(offsetOf)).toEqual([0, step, 2 * step, stream.length])
    await part.close()
    expect(readFileSync(part.path).equals(stream)).toBe(true)
    expect(seen.listening).toBe(1)
    expect(seen.interrupted).toHaveLength(3)
    expect(seen.interrupted[0]).toContain('1006')
  })

  it('is resumed when the server reports Success but no trailer has arrived', async () => {
    server.exec = (session, number) => {
      if (number > 0) return sendAll(session)
      session.stdout(stream)
      session.end(success)
    }
    await expect(follow().outcome).resolves.toMatchObject({ end: 'whole', reconnectCount: 1 })
    expect(seen.interrupted[0]).toContain('Success')
  })

  it('is resumed with new credentials after a token has expired', async () => {
    let asked = 0
    server.refuse = () =>
      (asked += 1) === 1 ? { status: 401, body: status('Unauthorized', 'Unauthorized') } : undefined
    server.exec = sendAll
    await expect(follow().outcome).resolves.toMatchObject({ end: 'whole', reconnectCount: 1 })
  })

  it('is retried until the API server answers again', async () => {
    let down = 3
    server.refuse = () => (down > 0 ? { status: 503, body: status('ServiceUnavailable', 'rolling') } : undefined)
    server.answer = () =>
      (down -= 1) >= 0 ? { status: 503, body: status('ServiceUnavailable', 'rolling') } : { status: 200, body: pod() }
    server.exec = sendAll
    await expect(follow().outcome).resolves.toMatchObject({ end: 'whole' })
    expect(seen.interrupted.join()).toContain('rolling')
  })

  it('is not retried after the time limit, and the outcome has the reason', async () => {
    server.exec = (session) => {
      session.stdout(stream.subarray(0, 100))
      setTimeout(() => session.cut(), 20)
    }
    await expect(follow(part, 0).outcome).resolves.toMatchObject({
      end: 'gave-up',
      trailer: undefined,
      detail: expect.stringContaining('1006') as string,
    })
    expect(part.receivedBytes).toBe(100)
  })

  it('is not retried when the spool no longer has the offset', async () => {
    server.exec = (session) => {
      session.stderr('gone 0\n')
      setTimeout(() => session.end({ status: 'Failure', message: 'command terminated with exit code 1' }), 20)
    }
    await expect(follow(part, 0).outcome).resolves.toMatchObject({
      trailer: undefined,
      end: 'gave-up',
      detail: expect.stringMatching(/no longer has byte/) as string,
    })
  })
})

describe('a connection without output', () => {
  it('is closed and reopened', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'performance'] })
    server.exec = (session, number) => {
      if (number > 0) return sendAll(session)
      session.stdout(stream.subarray(0, 100))
    }
    const { outcome } = follow()
    await until('the first bytes', () => part.receivedBytes === 100)
    await passing(25_000, outcome)
    await expect(outcome).resolves.toMatchObject({ end: 'whole', reconnectCount: 1 })
    expect(seen.interrupted[0]).toContain('no output for')
  })

  it('is closed and reopened when bytes before the trailer are missing, even if heartbeats arrive', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'performance'] })
    let beats: NodeJS.Timeout | undefined
    server.exec = (session, number) => {
      clearInterval(beats)
      if (number > 0) return sendAll(session)
      session.stdout(stream.subarray(0, -50))
      sendTrailer(session)
      beats = setInterval(() => session.stderr(`beat ${String(stream.length)}\n`), 2_000)
    }
    const { outcome } = follow()
    await until('the first bytes', () => part.receivedBytes === stream.length - 50)
    await passing(30_000, outcome)
    clearInterval(beats)
    await expect(outcome).resolves.toMatchObject({ end: 'whole', reconnectCount: 1 })
    expect(offsetOf(server.sessions[1] as ExecSession)).toBe(stream.length - 50)
  })

  /** Advances the fake time by `ms` in small steps, with time for the sockets in between, until `end` settles. */
  async function passing(ms: number, end: Promise<unknown>): Promise<void> {
    let over = false
    void end.then(() => (over = true))
    for (let passed = 0; passed < ms && !over; passed += 250) {
      jest.advanceTimersByTime(250)
      for (let i = 0; i < 20; i += 1) await new Promise(setImmediate)
    }
    jest.useRealTimers()
  }
})

describe('the container of the recorder', () => {
  const ended = (message: string): void => {
    container = { terminated: { reason: 'Completed', exitCode: 0, message } }
  }

  it('reports the trailer in its termination message when it ends after all bytes were fetched', async () => {
    server.exec = (session) => {
      session.stdout(stream)
      ended(trailerLines.join('\n'))
      setTimeout(() => session.cut(), 20)
    }
    await expect(follow().outcome).resolves.toMatchObject({ end: 'whole', trailer: { sizeBytes: stream.length } })
  })

  it('reports the full size in its termination message when it ends with bytes missing', async () => {
    server.exec = (session) => {
      session.stdout(stream.subarray(0, 1000))
      ended(trailerLines.join('\n'))
      setTimeout(() => session.cut(), 20)
    }
    await expect(follow().outcome).resolves.toMatchObject({
      end: 'container-ended',
      trailer: { sizeBytes: stream.length },
    })
    expect(part.receivedBytes).toBe(1000)
  })

  it('reports only a reason when it was killed', async () => {
    server.exec = (session) => {
      container = { terminated: { reason: 'OOMKilled', exitCode: 137 } }
      session.end(success)
    }
    await expect(follow().outcome).resolves.toEqual({
      end: 'container-ended',
      trailer: undefined,
      detail: 'OOMKilled (exit code 137)',
      reconnectCount: 0,
      isSpoolShared: false,
    })
  })

  it.each<[string, () => { status: number; body: object }, RegExp]>([
    ['was deleted', () => ({ status: 404, body: status('NotFound', 'pods "web-1" not found') }), /deleted/],
    ['was replaced by another pod with the same name', () => ({ status: 200, body: pod('uid-2') }), /replaced/],
  ])('is reported as gone when the pod %s', async (_how, answer, detail) => {
    server.exec = (session) => {
      session.stdout(stream.subarray(0, 1000))
      server.answer = answer
      setTimeout(() => session.cut(), 20)
    }
    await expect(follow().outcome).resolves.toMatchObject({
      end: 'endpoint-gone',
      trailer: undefined,
      detail: expect.stringMatching(detail) as string,
    })
  })

  it.each<[object, object]>([
    [
      { waiting: { reason: 'ImagePullBackOff', message: 'no such image' } },
      { kind: 'waiting', why: { reason: 'ImagePullBackOff', message: 'no such image' } },
    ],
    [{ running: {} }, { kind: 'running', imageId: 'tools@sha256:1' }],
    [{}, { kind: 'waiting' }],
  ])('in state %j sets the matching state of the recorder', async (state, expected) => {
    container = state
    await expect(containerState(source())).resolves.toEqual(expected)
  })

  it('and the pod have messages that are truncated to a limit', async () => {
    const [reason, message] = ['x'.repeat(10_000), 'size 1\n'.repeat(10_000)]
    const kept = { reason: 'x'.repeat(200), message: message.slice(0, 4096) }
    const stateOf = (state: object): object => ({
      containerStatuses: [{ name: 'packet-capture-x', imageID: 'tools@sha256:1'.repeat(1_000), state }],
    })
    const cases: [object, object][] = [
      [stateOf({ running: {} }), { kind: 'running', imageId: 'tools@sha256:1'.repeat(1_000).slice(0, 512) }],
      [stateOf({ waiting: { reason, message } }), { kind: 'waiting', why: kept }],
      [
        stateOf({ terminated: { reason, message, exitCode: 1 } }),
        { kind: 'terminated', reason: `${kept.reason} (exit code 1)`, message: kept.message },
      ],
      [
        { phase: 'Failed', reason, message },
        {
          kind: 'terminated',
          reason: `the pod failed: ${kept.reason}`,
          message: `${kept.reason} ${kept.message}`.trim(),
        },
      ],
    ]
    for (const [podStatus, expected] of cases) {
      server.answer = () => ({ status: 200, body: { metadata: { uid: 'uid-1' }, status: podStatus } })
      await expect(containerState(source())).resolves.toEqual(expected)
    }
  })

  it('is gone when the pod completed before the container was started, which the kubelet will not do any more', async () => {
    const waiting = { name: 'packet-capture-x', state: { waiting: { reason: 'ContainerCreating' } } }
    for (const ephemeralContainerStatuses of [[waiting], []]) {
      const body = { metadata: { uid: 'uid-1' }, status: { phase: 'Succeeded', ephemeralContainerStatuses } }
      server.answer = () => ({ status: 200, body })
      await expect(containerState(source())).resolves.toMatchObject({
        kind: 'gone',
        reason: 'it ended (Succeeded) before the capture container started',
      })
    }
  })

  it('has an unknown state while the API server does not answer', async () => {
    server.answer = () => 'reset'
    await expect(containerState(source())).resolves.toMatchObject({ kind: 'unknown' })
    server.answer = () => ({ status: 500, body: status('InternalError', 'etcd is away') })
    await expect(containerState(source())).resolves.toEqual({ kind: 'unknown', reason: 'etcd is away' })
  })
})

describe('a stop command', () => {
  it('is sent on the open connection, and on each later connection until the capture ends', async () => {
    server.exec = (session, number) => {
      if (number === 0) session.stderr('listening 1795337022\n')
      if (number === 1) setTimeout(() => session.cut(), 100)
      if (number === 2) sendAll(session)
    }
    const far = follow()
    const first = await until('a session', () => server.sessions[0])
    await until('listening', () => seen.listening === 1)
    far.stop('cancelled')
    await until('the stop command arrives', () => first.stdin.includes('stop cancelled'))
    first.cut()
    await expect(far.outcome).resolves.toMatchObject({ end: 'whole', reconnectCount: 2 })
    expect(server.sessions.map(({ stdin }) => stdin.filter((line) => line.startsWith('stop')).length)).toEqual([
      1, 1, 1,
    ])
  })

  it('from before the connection opens is sent when it opens', async () => {
    server.exec = sendAll
    const far = follow()
    far.stop('duration')
    await far.outcome
    expect(server.sessions[0]?.stdin).toContain('stop duration')
  })
})

describe('a connection that cannot be opened', () => {
  const upgrades = (): number => server.requests.filter(({ path }) => path.includes('/exec?')).length

  it('is reported once for each reason', async () => {
    server.refuse = () => ({ status: 401, body: status('Unauthorized', 'Unauthorized') })
    const far = follow()
    await until('some attempts', () => upgrades() >= 4)
    expect(seen.interrupted).toHaveLength(1)
    server.refuse = () => ({ status: 500, body: status('InternalError', 'etcd is away') })
    await until('the new reason', () => seen.interrupted.length === 2)
    expect(seen.interrupted.map((reason) => /401|etcd/.exec(reason)?.[0])).toEqual(['401', 'etcd'])
    far.hold(1)
    await expect(far.outcome).resolves.toMatchObject({ end: 'held' })
  })

  it('is reported again after a minute, with the number of attempts', async () => {
    let ahead = 0
    const now = Date.now
    jest.spyOn(Date, 'now').mockImplementation(() => now() + ahead)
    try {
      server.refuse = () => ({ status: 401, body: status('Unauthorized', 'Unauthorized') })
      const far = follow()
      await until('some attempts', () => upgrades() >= 3)
      ahead = 61_000
      await until('the second report', () => seen.interrupted.length === 2)
      expect(seen.interrupted[1]).toMatch(/401.*; \d attempts so far$/)
      far.hold(1)
      await far.outcome
    } finally {
      jest.restoreAllMocks()
    }
  })

  it('is not retried more often when a stop is requested each second', async () => {
    server.refuse = () => ({ status: 401, body: status('Unauthorized', 'Unauthorized') })
    const far = follow()
    await until('some attempts', () => upgrades() >= 4) // the next wait is 1.6 s
    const before = upgrades()
    far.stop('duration')
    await until('the attempt for the stop', () => upgrades() > before)
    for (let i = 0; i < 20; i += 1) {
      far.stop('duration')
      await new Promise((resolve) => setTimeout(resolve, 25))
    }
    expect(upgrades()).toBeLessThanOrEqual(before + 1)
    far.hold(1)
    await far.outcome
  })

  const hanging: ((error: Error) => void)[] = []
  afterEach(() => {
    for (const reject of hanging.splice(0)) reject(new Error('the test has ended'))
  })

  it.each<[string, Partial<ReturnType<typeof source>['connection']>]>([
    ['a credential request', { credentials: () => new Promise((_resolve, reject) => hanging.push(reject)) }],
    ['an upgrade', {}],
  ])('because of %s that hangs is abandoned at once by giveUp and by hold', async (_what, fields) => {
    server.refuse = () => 'hang'
    for (const leave of ['giveUp', 'hold'] as const) {
      const connection = { ...server.connection, ...fields }
      const far = followSpool(containerEndpoint({ ...source(), connection }), part, () => Infinity, {
        onListening: () => undefined,
        onReconnecting: () => undefined,
        onRemoteLine: () => undefined,
      })
      const began = performance.now()
      if (leave === 'hold') far.hold(600)
      else far.giveUp('gave-up')
      await expect(far.outcome).resolves.toMatchObject({ end: leave === 'hold' ? 'held' : 'gave-up' })
      expect(performance.now() - began).toBeLessThan(2_000)
    }
  })

  it('in time writes no bytes when it opens late', async () => {
    let release: () => void = () => undefined
    const gate = new Promise<void>((resolve) => (release = resolve))
    const place = containerEndpoint(source())
    let late: RemoteProcessHandlers | undefined
    let closed = false
    const slow: RecorderEndpoint = {
      ...place,
      open: async (command, handlers) => {
        late = handlers
        await gate
        const opened = await place.open(command, handlers)
        void opened.ended.then(() => (closed = true))
        return opened
      },
    }
    seen = { listening: 0, interrupted: [], remoteLines: [] }
    const far = followSpool(slow, part, () => Infinity, {
      onListening: () => (seen.listening += 1),
      onReconnecting: () => undefined,
      onRemoteLine: (line) => seen.remoteLines.push(line),
    })
    far.giveUp('gave-up')
    await far.outcome
    release()
    await until('the late connection is closed again', () => closed)
    await late?.stdout(stream)
    late?.stderr('listening 1795337022')
    late?.stderr('a line')
    expect(part.receivedBytes).toBe(0)
    expect(seen).toEqual({ listening: 0, interrupted: [], remoteLines: [] })
  })
})

describe('hold', () => {
  it('keeps the remaining bytes in the pod, and sends the hold time to the pod', async () => {
    server.exec = (session) => {
      session.stdout(stream.subarray(0, 1000))
    }
    const far = follow()
    await until('some bytes', () => part.receivedBytes === 1000)
    far.hold(600)
    await expect(far.outcome).resolves.toMatchObject({ end: 'held', trailer: undefined })
    const { stdin = [] } = server.sessions[0] ?? {}
    expect(stdin).toContain('hold 600')
    expect(stdin).not.toContain('done')
    expect(part.receivedBytes).toBe(1000)
  })

  it('ends the wait for the next connection', async () => {
    server.refuse = () => ({ status: 503, body: status('ServiceUnavailable', 'rolling') })
    const far = follow()
    await until('it waits', () => server.requests.filter(({ path }) => path.includes('/exec?')).length >= 3)
    const asked = server.requests.length
    far.hold(600)
    await expect(far.outcome).resolves.toMatchObject({ end: 'held' })
    expect(server.requests.length).toBeLessThanOrEqual(asked + 1)
  })
})

describe('the disk of the runner', () => {
  it('ends the follower with its error when it is full', async () => {
    symlinkSync('/dev/full', join(folder, 'full.part'))
    const full = await openPartFile(join(folder, 'full.part'))
    server.exec = (session) => {
      const more = setInterval(() => session.stdout(Buffer.alloc(1024 * 1024)), 5)
      session.socket.on('close', () => clearInterval(more))
    }
    const outcome: FollowOutcome = await follow(full).outcome
    expect(outcome).toMatchObject({ end: 'runner-disk', trailer: undefined })
    expect(outcome.detail).toContain('ENOSPC')
    await full.close().catch(() => undefined)
  })

  it('pauses the sender when it is slow, and all bytes arrive', async () => {
    const frame = 256 * 1024
    const frames = 100
    server.exec = (session) => {
      for (let i = 0; i < frames; i += 1) session.stdout(Buffer.alloc(frame))
    }
    let open: () => void = () => undefined
    const gate = new Promise<void>((resolve) => (open = resolve))
    const slow: SpoolSink = {
      get receivedBytes() {
        return part.receivedBytes
      },
      get storedBytes() {
        return part.storedBytes
      },
      flush: () => part.flush(),
      push: (chunk) => (void part.push(chunk), gate),
    }
    const far = follow(slow)
    const session = await until('a session', () => server.sessions[0])
    await until('the sender is stuck', () => {
      const before = session.socket.bufferedAmount
      return new Promise<boolean>((resolve) => {
        setTimeout(() => resolve(part.receivedBytes > 0 && before > 0 && session.socket.bufferedAmount === before), 50)
      })
    })
    expect(part.receivedBytes).toBeLessThan((frame * frames) / 2)
    open()
    await until('all bytes', () => part.receivedBytes === frame * frames)
    far.hold(1)
    await far.outcome
  })
})
