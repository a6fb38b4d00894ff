import { jest } from '@jest/globals'
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { followSpool, type Follower, type FollowOutcome } from '../../../src/capture/follow.ts'
import { containerPlace, containerState, type ContainerSource } from '../../../src/capture/pod-place.ts'
import { openPartFile, type PartFile } from '../../../src/capture/part-file.ts'
import type { Place } from '../../../src/capture/place.ts'
import type { RemoteHandlers } from '../../../src/cluster/remote-command.ts'
import { startServer, status, success, type ExecSession, type Server } from '../cluster/server.ts'
import { pcap } from '../pcap/bytes.ts'
import { until } from '../until.ts'
import { shells } from './recorder-rig.ts'

let server: Server
let folder: string
let part: PartFile
/** the state of our container as the API server tells it */
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
  // One that a failed test left behind would go on for ever.
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

/** The stream that the recorder has, and its trailer. */
const stream = pcap(...Array.from({ length: 200 }, (_, i) => (i * 37) % 1500))
const trailerLines = [
  `size ${String(stream.length)}`,
  `sha256 ${createHash('sha256').update(stream).digest('hex')}`,
  'reason duration',
  'exit 0',
  'dropped 0',
  'paused 0 0',
]
/** The trailer; after "done" the recorder ends, and the follower with it. */
function sendTrailer(session: ExecSession): void {
  session.onLine = (line) => {
    if (line === 'done') session.end({ status: 'Failure', message: 'command terminated with exit code 137' })
  }
  session.stderr([...trailerLines.map((line) => `trailer ${line}`), 'end', ''].join('\n'))
}
/** The offset that a follower was started with: the last word of its command. */
const offsetOf = (session: ExecSession): number => Number(/follow (\d+)/.exec(session.command.join(' '))?.[1])

/** A follower on the far end that sends all it has from its offset on, then the trailer. */
const sendAll = (session: ExecSession): void => {
  session.stderr('listening 1795337022\n')
  session.stdout(stream.subarray(offsetOf(session)))
  sendTrailer(session)
}

let follower: Follower | undefined
let seen: { listening: number; interrupted: string[]; foreign: string[] }
function follow(into: PartFile = part, giveUpAt = Infinity): Follower {
  seen = { listening: 0, interrupted: [], foreign: [] }
  follower = followSpool(containerPlace(source()), into, () => giveUpAt, {
    listening: () => (seen.listening += 1),
    interrupted: (reason) => seen.interrupted.push(reason),
    foreign: (line) => seen.foreign.push(line),
  })
  return follower
}

describe('a connection that holds', () => {
  it('brings the whole stream and its trailer, and only then lets the far end go', async () => {
    server.exec = sendAll
    const outcome = await follow().outcome
    expect(outcome).toMatchObject({ end: 'whole', resumed: 0, trailer: { size: stream.length, reason: 'duration' } })
    await part.close()
    expect(readFileSync(part.path).equals(stream)).toBe(true)
    expect(seen).toEqual({ listening: 1, interrupted: [], foreign: [] })
    expect(server.sessions[0]?.stdin.filter((line) => line === 'done')).toHaveLength(1)
  })

  it('says done never before the last byte, in whatever order the two channels come', async () => {
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

  it('acknowledges what the disk has, never more, and never less than before', async () => {
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

  it('hands on what is no word of the follower', async () => {
    server.exec = (session) => {
      session.stderr('sh: dd: Input/output error\nbeat 17\n')
      sendAll(session)
    }
    await follow().outcome
    expect(seen.foreign).toEqual(['sh: dd: Input/output error'])
  })

  it('asks for a trailer that cannot be read again, and never takes it for one', async () => {
    server.exec = (session, number) => {
      if (number > 0) return sendAll(session)
      session.stdout(stream)
      session.stderr('trailer size many\nend\n')
      setTimeout(() => session.cut(), 20)
    }
    await expect(follow().outcome).resolves.toMatchObject({ end: 'whole', resumed: 1 })
    expect(seen.foreign[0]).toContain('size many')
  })

  it('takes no more of a trailer than a node can have interfaces, and shows less', async () => {
    server.exec = (session, number) => {
      if (number > 0) return sendAll(session)
      session.stdout(stream)
      session.stderr(`trailer interface 1 ${'x'.repeat(50_000)}\n`.repeat(25))
      sendTrailer(session) // what is behind so much is not read
      setTimeout(() => session.cut(), 100)
    }
    await expect(follow().outcome).resolves.toMatchObject({ end: 'whole', resumed: 1 })
    expect(seen.foreign).toEqual([expect.stringMatching(/^a trailer that cannot be read: interface 1 x+$/)])
    expect(seen.foreign[0]).toHaveLength(1_000)
  })

  const asRoot = process.getuid?.() === 0 ? describe : describe.skip
  asRoot(`begins${process.getuid?.() === 0 ? '' : ' (skipped: not root)'}`, () => {
    it.each(shells.map(({ name, words }) => [name, words] as const))(
      'nothing under %s that somebody else has laid where the recorder writes',
      async (_name, [shell = '', ...options]) => {
        const [theirs, ours] = ['theirs', 'ours'].map((name) => {
          mkdirSync(join(folder, name))
          writeFileSync(join(folder, name, 'follow'), `echo ${name} $1`)
          return join(folder, name)
        }) as [string, string]
        chownSync(join(theirs, 'follow'), 65_534, 65_534)
        let asked: readonly string[] = []
        const place: Place = {
          ...containerPlace(source()),
          spools: [theirs, ours],
          open: (command) => {
            asked = command
            return Promise.reject(new Error('it is run below'))
          },
        }
        await followSpool(place, part, () => 0, {
          listening: () => undefined,
          interrupted: () => undefined,
          foreign: () => undefined,
        }).outcome
        expect(asked.slice(0, 2)).toEqual(['sh', '-c'])
        const { stdout } = spawnSync(shell, [...options, ...asked.slice(1)], { encoding: 'utf8' })
        expect(stdout).toBe('ours 0\n')
      },
    )
  })
})

describe('a connection that breaks', () => {
  it('is made again from the byte that came last, as often as it takes', async () => {
    const step = Math.ceil(stream.length / 3)
    server.exec = (session, number) => {
      session.stderr('listening 1795337022\n')
      const offset = offsetOf(session)
      session.stdout(stream.subarray(offset, offset + step))
      if (number < 3) setTimeout(() => session.cut(), 20)
      else sendTrailer(session)
    }
    const outcome = await follow().outcome
    expect(outcome).toMatchObject({ end: 'whole', resumed: 3 })
    expect(server.sessions.map(offsetOf)).toEqual([0, step, 2 * step, stream.length])
    await part.close()
    expect(readFileSync(part.path).equals(stream)).toBe(true)
    expect(seen.listening).toBe(1)
    expect(seen.interrupted).toHaveLength(3)
    expect(seen.interrupted[0]).toContain('1006')
  })

  it('by `Success` without a trailer proves nothing', async () => {
    server.exec = (session, number) => {
      if (number > 0) return sendAll(session)
      session.stdout(stream)
      session.end(success)
    }
    await expect(follow().outcome).resolves.toMatchObject({ end: 'whole', resumed: 1 })
    expect(seen.interrupted[0]).toContain('Success')
  })

  it('goes on with fresh credentials after a token has expired', async () => {
    let asked = 0
    server.refuse = () =>
      (asked += 1) === 1 ? { status: 401, body: status('Unauthorized', 'Unauthorized') } : undefined
    server.exec = sendAll
    await expect(follow().outcome).resolves.toMatchObject({ end: 'whole', resumed: 1 })
  })

  it('is made again while the API server is away', async () => {
    let down = 3
    server.refuse = () => (down > 0 ? { status: 503, body: status('ServiceUnavailable', 'rolling') } : undefined)
    server.answer = () =>
      (down -= 1) >= 0 ? { status: 503, body: status('ServiceUnavailable', 'rolling') } : { status: 200, body: pod() }
    server.exec = sendAll
    await expect(follow().outcome).resolves.toMatchObject({ end: 'whole' })
    expect(seen.interrupted.join()).toContain('rolling')
  })

  it('is given up after the time for it, with the reason', async () => {
    server.exec = (session) => {
      session.stdout(stream.subarray(0, 100))
      setTimeout(() => session.cut(), 20)
    }
    await expect(follow(part, 0).outcome).resolves.toMatchObject({
      end: 'gave-up',
      trailer: undefined,
      detail: expect.stringContaining('1006') as string,
    })
    expect(part.received()).toBe(100)
  })

  it('is told that the spool no longer has the offset, and does not go on as if it had', async () => {
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

describe('a connection that is silent', () => {
  it('is cut and made again', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'performance'] })
    server.exec = (session, number) => {
      if (number > 0) return sendAll(session)
      session.stdout(stream.subarray(0, 100))
    }
    const { outcome } = follow()
    await until('the first bytes', () => part.received() === 100)
    await passing(25_000, outcome)
    await expect(outcome).resolves.toMatchObject({ end: 'whole', resumed: 1 })
    expect(seen.interrupted[0]).toContain('no sign of life')
  })

  it('though it beats: the trailer is here, but bytes are missing and none come', async () => {
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
    await until('the first bytes', () => part.received() === stream.length - 50)
    await passing(30_000, outcome)
    clearInterval(beats)
    await expect(outcome).resolves.toMatchObject({ end: 'whole', resumed: 1 })
    expect(offsetOf(server.sessions[1] as ExecSession)).toBe(stream.length - 50)
  })

  /** Lets `ms` of faked time pass in small steps, with room for the sockets in between, until `end` is there. */
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

describe('the container', () => {
  const ended = (message: string): void => {
    container = { terminated: { reason: 'Completed', exitCode: 0, message } }
  }

  it('that ended with all bytes fetched has said the trailer with its last words', async () => {
    server.exec = (session) => {
      session.stdout(stream)
      ended(trailerLines.join('\n'))
      setTimeout(() => session.cut(), 20)
    }
    await expect(follow().outcome).resolves.toMatchObject({ end: 'whole', trailer: { size: stream.length } })
  })

  it('that ended with bytes missing leaves a trailer that says how many', async () => {
    server.exec = (session) => {
      session.stdout(stream.subarray(0, 1000))
      ended(trailerLines.join('\n'))
      setTimeout(() => session.cut(), 20)
    }
    await expect(follow().outcome).resolves.toMatchObject({ end: 'container-ended', trailer: { size: stream.length } })
    expect(part.received()).toBe(1000)
  })

  it('that was killed leaves no trailer, but a reason', async () => {
    server.exec = (session) => {
      container = { terminated: { reason: 'OOMKilled', exitCode: 137 } }
      session.end(success)
    }
    await expect(follow().outcome).resolves.toEqual({
      end: 'container-ended',
      trailer: undefined,
      detail: 'OOMKilled (exit code 137)',
      resumed: 0,
    })
  })

  it.each<[string, () => { status: number; body: object }, RegExp]>([
    ['was deleted', () => ({ status: 404, body: status('NotFound', 'pods "web-1" not found') }), /deleted/],
    ['was replaced by another of its name', () => ({ status: 200, body: pod('uid-2') }), /replaced/],
  ])('went because its pod %s', async (_how, answer, detail) => {
    server.exec = (session) => {
      session.stdout(stream.subarray(0, 1000))
      server.answer = answer
      setTimeout(() => session.cut(), 20)
    }
    await expect(follow().outcome).resolves.toMatchObject({
      end: 'place-gone',
      trailer: undefined,
      detail: expect.stringMatching(detail) as string,
    })
  })

  it.each<[object, object]>([
    [
      { waiting: { reason: 'ImagePullBackOff', message: 'no such image' } },
      { kind: 'waiting', reason: 'ImagePullBackOff', message: 'no such image' },
    ],
    [{ running: {} }, { kind: 'running', imageId: 'tools@sha256:1' }],
    [{}, { kind: 'waiting', reason: '', message: '' }],
  ])('in the state %j is read', async (state, expected) => {
    container = state
    await expect(containerState(source())).resolves.toEqual(expected)
  })

  it('and its pod say no more than anybody needs', async () => {
    const [reason, message] = ['x'.repeat(10_000), 'size 1\n'.repeat(10_000)]
    const kept = { reason: 'x'.repeat(200), message: message.slice(0, 4096) }
    const stateOf = (state: object): object => ({
      containerStatuses: [{ name: 'packet-capture-x', imageID: 'tools@sha256:1'.repeat(1_000), state }],
    })
    const cases: [object, object][] = [
      [stateOf({ running: {} }), { kind: 'running', imageId: 'tools@sha256:1'.repeat(1_000).slice(0, 512) }],
      [stateOf({ waiting: { reason, message } }), { kind: 'waiting', ...kept }],
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
    for (const [told, expected] of cases) {
      server.answer = () => ({ status: 200, body: { metadata: { uid: 'uid-1' }, status: told } })
      await expect(containerState(source())).resolves.toEqual(expected)
    }
  })

  it('is unknown while the server does not say', async () => {
    server.answer = () => 'reset'
    await expect(containerState(source())).resolves.toMatchObject({ kind: 'unknown' })
    server.answer = () => ({ status: 500, body: status('InternalError', 'etcd is away') })
    await expect(containerState(source())).resolves.toEqual({ kind: 'unknown', reason: 'etcd is away' })
  })
})

describe('a stop', () => {
  it('is said on the connection that is there, and on each later one until the end', async () => {
    server.exec = (session, number) => {
      if (number === 0) session.stderr('listening 1795337022\n')
      if (number === 1) setTimeout(() => session.cut(), 100)
      if (number === 2) sendAll(session)
    }
    const far = follow()
    const first = await until('a session', () => server.sessions[0])
    await until('listening', () => seen.listening === 1)
    far.stop('cancelled')
    await until('the stop is heard', () => first.stdin.includes('stop cancelled'))
    first.cut()
    await expect(far.outcome).resolves.toMatchObject({ end: 'whole', resumed: 2 })
    expect(server.sessions.map(({ stdin }) => stdin.filter((line) => line.startsWith('stop')).length)).toEqual([
      1, 1, 1,
    ])
  })

  it('that is said before there is a connection is not lost', async () => {
    server.exec = sendAll
    const far = follow()
    far.stop('duration')
    await far.outcome
    expect(server.sessions[0]?.stdin).toContain('stop duration')
  })
})

describe('a connection that cannot be made', () => {
  const upgrades = (): number => server.requests.filter(({ path }) => path.includes('/exec?')).length

  it('for one reason is told once, and a new reason again', async () => {
    server.refuse = () => ({ status: 401, body: status('Unauthorized', 'Unauthorized') })
    const far = follow()
    await until('some tries', () => upgrades() >= 4)
    expect(seen.interrupted).toHaveLength(1)
    server.refuse = () => ({ status: 500, body: status('InternalError', 'etcd is away') })
    await until('the new reason', () => seen.interrupted.length === 2)
    expect(seen.interrupted.map((reason) => /401|etcd/.exec(reason)?.[0])).toEqual(['401', 'etcd'])
    far.hold(1)
    await expect(far.outcome).resolves.toMatchObject({ end: 'held' })
  })

  it('for one reason is told again after a minute, with the number of tries', async () => {
    let ahead = 0
    const now = Date.now
    jest.spyOn(Date, 'now').mockImplementation(() => now() + ahead)
    try {
      server.refuse = () => ({ status: 401, body: status('Unauthorized', 'Unauthorized') })
      const far = follow()
      await until('some tries', () => upgrades() >= 3)
      ahead = 61_000
      await until('it is told again', () => seen.interrupted.length === 2)
      expect(seen.interrupted[1]).toMatch(/401.*; \d times by now$/)
      far.hold(1)
      await far.outcome
    } finally {
      jest.restoreAllMocks()
    }
  })

  it('is not tried faster because a stop is asked for each second', async () => {
    server.refuse = () => ({ status: 401, body: status('Unauthorized', 'Unauthorized') })
    const far = follow()
    await until('some tries', () => upgrades() >= 4) // the next wait is 1.6 s
    const before = upgrades()
    far.stop('duration')
    await until('the one that tells the stop', () => upgrades() > before)
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
    for (const reject of hanging.splice(0)) reject(new Error('the test is over'))
  })

  it.each<[string, Partial<ReturnType<typeof source>['connection']>]>([
    ['credentials', { credentials: () => new Promise((_resolve, reject) => hanging.push(reject)) }],
    ['the upgrade', {}],
  ])('because %s hang is left at once: by giving up and by a hold', async (_what, fields) => {
    server.refuse = () => 'hang'
    for (const leave of ['giveUp', 'hold'] as const) {
      const connection = { ...server.connection, ...fields }
      const far = followSpool(containerPlace({ ...source(), connection }), part, () => Infinity, {
        listening: () => undefined,
        interrupted: () => undefined,
        foreign: () => undefined,
      })
      const began = performance.now()
      if (leave === 'hold') far.hold(600)
      else far.giveUp()
      await expect(far.outcome).resolves.toMatchObject({ end: leave === 'hold' ? 'held' : 'gave-up' })
      expect(performance.now() - began).toBeLessThan(2_000)
    }
  })

  it('in time writes nothing when it comes after all', async () => {
    let release: () => void = () => undefined
    const gate = new Promise<void>((resolve) => (release = resolve))
    const place = containerPlace(source())
    let late: RemoteHandlers | undefined
    let closed = false
    const slow: Place = {
      ...place,
      open: async (command, handlers) => {
        late = handlers
        await gate
        const opened = await place.open(command, handlers)
        void opened.ended.then(() => (closed = true))
        return opened
      },
    }
    seen = { listening: 0, interrupted: [], foreign: [] }
    const far = followSpool(slow, part, () => Infinity, {
      listening: () => (seen.listening += 1),
      interrupted: () => undefined,
      foreign: (line) => seen.foreign.push(line),
    })
    far.giveUp()
    await far.outcome
    release()
    await until('the late connection is closed again', () => closed)
    await late?.stdout(stream)
    late?.stderr('listening 1795337022')
    late?.stderr('a word')
    expect(part.received()).toBe(0)
    expect(seen).toEqual({ listening: 0, interrupted: [], foreign: [] })
  })
})

describe('a hold', () => {
  it('leaves the rest in the pod and says for how long', async () => {
    server.exec = (session) => {
      session.stdout(stream.subarray(0, 1000))
    }
    const far = follow()
    await until('some bytes', () => part.received() === 1000)
    far.hold(600)
    await expect(far.outcome).resolves.toMatchObject({ end: 'held', trailer: undefined })
    const { stdin = [] } = server.sessions[0] ?? {}
    expect(stdin).toContain('hold 600')
    expect(stdin).not.toContain('done')
    expect(part.received()).toBe(1000)
  })

  it('also ends the wait for a connection', async () => {
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
  it('that refuses ends it, with its words', async () => {
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

  it('that is slow holds the pod back, and everything still comes', async () => {
    const frame = 256 * 1024
    const frames = 100
    server.exec = (session) => {
      for (let i = 0; i < frames; i += 1) session.stdout(Buffer.alloc(frame))
    }
    let open: () => void = () => undefined
    const gate = new Promise<void>((resolve) => (open = resolve))
    const slow: PartFile = { ...part, push: (chunk) => (void part.push(chunk), gate) }
    const far = follow(slow)
    const session = await until('a session', () => server.sessions[0])
    await until('the sender is stuck', () => {
      const before = session.socket.bufferedAmount
      return new Promise<boolean>((resolve) => {
        setTimeout(() => resolve(part.received() > 0 && before > 0 && session.socket.bufferedAmount === before), 50)
      })
    })
    expect(part.received()).toBeLessThan((frame * frames) / 2)
    open()
    await until('everything is here', () => part.received() === frame * frames)
    far.hold(1)
    await far.outcome
  })
})
