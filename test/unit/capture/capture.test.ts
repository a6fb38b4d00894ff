import { jest } from '@jest/globals'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nameFile, openPart, finishFromDisk, followCapture, type CaptureResult } from '../../../src/capture/capture.ts'
import type { CapturePlan } from '../../../src/capture/container.ts'
import { addContainer, ephemeralRecorder } from '../../../src/capture/ephemeral.ts'
import { recordOf, type CaptureRecord } from '../../../src/capture/record.ts'
import type { CaptureEvents } from '../../../src/capture/recorder.ts'
import { awaitStart } from '../../../src/capture/start.ts'
import { reportOf } from '../../../src/describe.ts'
import { ConfigurationError } from '../../../src/errors.ts'
import { startServer, status, type ExecSession, type Server } from '../cluster/server.ts'
import { pcap } from '../pcap/bytes.ts'
import { until } from '../until.ts'
import { plan, target } from './target.ts'

let server: Server
let folder: string
let container: object
beforeEach(async () => {
  server = await startServer()
  folder = mkdtempSync(join(tmpdir(), 'capture-'))
  container = { waiting: { reason: 'ContainerCreating' } }
  server.answer = () => ({
    status: 200,
    body: {
      metadata: { uid: 'uid-1' },
      status: {
        ephemeralContainerStatuses: [{ name: 'packet-capture-x', imageID: 'tools@sha256:1', state: container }],
      },
    },
  })
})
afterEach(async () => {
  jest.useRealTimers()
  await server.stop()
  rmSync(folder, { recursive: true })
})

const hash = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')
const recordFor = (changes: Partial<CapturePlan> = {}): CaptureRecord =>
  recordOf(target(), 'packet-capture-x', plan(changes), join(folder, 'sub', 'x.pcap'), Date.now())

let waiting: string[]
let listening: number
const events: CaptureEvents = {
  touching: () => undefined,
  made: () => undefined,
  caution: () => undefined,
  waiting: (reason) => waiting.push(reason),
  listening: () => (listening += 1),
  interrupted: () => undefined,
  foreign: () => undefined,
}
beforeEach(() => {
  waiting = []
  listening = 0
})

async function refusal(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(ConfigurationError)
  return (error as Error).message
}

it('the record knows its deadline by both clocks', () => {
  const record = recordOf(target(), 'c', plan({ startTimeout: 10, duration: 20 }), '/x', Date.now() + 3_600_000)
  expect(record.deadline * 1000 - (Date.now() + 3_600_000)).toBeGreaterThanOrEqual(30_000)
  // The server's clock is an hour ahead; here the deadline is as many seconds away all the same.
  expect(Math.abs(record.deadlineHere - Date.now() - (record.deadline * 1000 - Date.now() - 3_600_000))).toBeLessThan(
    1_000,
  )
})

describe('adding the container', () => {
  it.each([
    [true, '?dryRun=All'],
    [false, ''],
  ])('(dry run: %s) is one strategic merge patch of the pod that was found', async (dryRun, query) => {
    await addContainer(server.connection, recordFor(), dryRun)
    expect(server.requests).toHaveLength(1)
    expect(server.requests[0]).toMatchObject({
      method: 'PATCH',
      path: `/api/v1/namespaces/shop/pods/web-1/ephemeralcontainers${query}`,
      headers: { 'content-type': 'application/strategic-merge-patch+json' },
    })
    const body = JSON.parse(server.requests[0]?.body ?? '') as { spec: { ephemeralContainers: unknown[] } }
    expect(body).toMatchObject({
      metadata: { uid: 'uid-1' },
      spec: { ephemeralContainers: [{ name: 'packet-capture-x' }] },
    })
    expect(body.spec.ephemeralContainers).toHaveLength(1)
  })

  const violation = 'pods "web-1" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true'
  it.each<[string, number, string, string, RegExp]>([
    [
      'a namespace that enforces "restricted"',
      403,
      'Forbidden',
      violation,
      /^namespace: "shop" enforces .*violates PodSecurity "restricted:latest": runAsNonRoot.*enforce=baseline/,
    ],
    ['a pod that went', 404, 'NotFound', 'pods "web-1" not found', /^pod: "web-1" went away/],
    [
      'another pod of that name',
      422,
      'Invalid',
      'Pod "web-1" is invalid: metadata.uid: field is immutable',
      /^pod: the cluster refuses .*immutable/,
    ],
    [
      'a missing right',
      403,
      'Forbidden',
      'pods "web-1" is forbidden: User "dev" cannot patch resource "pods/ephemeralcontainers"',
      /^kubeconfig: its user may not patch pods\/ephemeralcontainers/,
    ],
    [
      'a webhook',
      403,
      'Forbidden',
      'admission webhook "policy.example" denied the request: no debugging',
      /^pod: .*no debugging/,
    ],
    [
      'a webhook with a code of its own',
      400,
      'BadRequest',
      'admission webhook "policy.example" denied the request',
      /^pod: .*webhook/,
    ],
  ])('is refused because of %s', async (_cause, code, reason, message, words) => {
    server.answer = () => ({ status: code, body: status(reason, message) })
    const said = await refusal(addContainer(server.connection, recordFor(), true))
    expect(said).toMatch(words)
    expect(said).not.toMatch(/capabilities` empty/)
  })

  it('with capabilities that the namespace forbids says so', async () => {
    server.answer = () => ({ status: 403, body: status('Forbidden', violation) })
    const said = await refusal(addContainer(server.connection, recordFor({ capabilities: ['NET_ADMIN'] }), true))
    expect(said).toContain('enforce=baseline on the namespace and leave the input `capabilities` empty')
  })

  it('hands on the words of a server that is ill', async () => {
    server.answer = () => ({ status: 500, body: status('InternalError', 'etcd is away') })
    await expect(addContainer(server.connection, recordFor(), true)).rejects.toThrow('etcd is away')
  })
})

describe('the start', () => {
  const start = (record = recordFor(), signal = new AbortController().signal): Promise<string> =>
    awaitStart(ephemeralRecorder(server.connection, record).place, record, events, signal)

  it('gives the image by its digest as soon as the container runs, and says each reason to wait once', async () => {
    const started = start()
    await until('it waits', () => waiting.length === 1)
    container = { running: {} }
    await expect(started).resolves.toBe('tools@sha256:1')
    expect(waiting).toEqual(['ContainerCreating'])
  })

  it('of a container that came and went with a trailer is a start', async () => {
    container = { terminated: { reason: 'Completed', exitCode: 0, message: 'size 24\nsha256 x\n' } }
    await expect(start()).resolves.toBe('')
  })

  it.each(['InvalidImageName', 'ErrImageNeverPull', 'CreateContainerConfigError', 'ImageInspectError'])(
    'is hopeless at once with %s',
    async (reason) => {
      container = { waiting: { reason, message: 'the words of the kubelet' } }
      const said = await refusal(start())
      expect(said).toMatch(/^image: the node node-1 cannot start "registry\.example\/tools:1"/)
      expect(said).toContain(`${reason}: the words of the kubelet`)
      expect(said).toContain('packet-capture-x')
    },
  )

  it('forgives a registry for some seconds, not for ever', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'performance'] })
    container = { waiting: { reason: 'ErrImagePull', message: 'not found' } }
    let over = false
    const failed = refusal(start()).finally(() => (over = true))
    let passed = 0
    for (; !over && passed < 60_000; passed += 500) {
      jest.advanceTimersByTime(500)
      await until('an answer', () => new Promise<boolean>((resolve) => setImmediate(() => resolve(true))))
      for (let i = 0; i < 20; i += 1) await new Promise(setImmediate)
      // The kubelet tells the same failure by two names in turn.
      container = {
        waiting: { reason: passed % 1000 === 0 ? 'ImagePullBackOff' : 'ErrImagePull', message: 'not found' },
      }
    }
    await expect(failed).resolves.toMatch(/^image: .*not found/)
    expect(passed).toBeGreaterThan(5_000)
    expect(passed).toBeLessThan(30_000)
  })

  it('has its time, and says what it waited for', async () => {
    const said = await refusal(start(recordFor({ startTimeout: 0.2 })))
    expect(said).toMatch(
      /^start-timeout: the container packet-capture-x has not started within 0\.2 s \(ContainerCreating\)/,
    )
  })

  it('ends with a cancel', async () => {
    const controller = new AbortController()
    const started = start(recordFor(), controller.signal)
    await until('it waits', () => waiting.length === 1)
    controller.abort()
    await expect(started).rejects.toThrow(/cancelled before/)
  }, 15_000)

  it('of a pod that went', async () => {
    server.answer = () => ({ status: 404, body: status('NotFound', 'not found') })
    expect(await refusal(start())).toMatch(/^pod: "web-1" is gone: the pod was deleted/)
  })

  it.each<[string, RegExp]>([
    [
      "error filter tcpdump: can't parse filter expression: syntax error",
      /^filter: the tcpdump in the pod refuses "tcp port 8080": can't parse filter/,
    ],
    [
      "error net-raw tcpdump: any: You don't have permission",
      /^capabilities: .*You don't have permission.*set `capabilities: NET_RAW`/,
    ],
    [
      'error interface tcpdump: any: No such device exists',
      /^interface: tcpdump cannot record on "any" in the pod: any: No such device/,
    ],
    [
      'error tools the image has no tcpdump',
      /^image: "registry\.example\/tools:1" cannot record: the image has no tcpdump/,
    ],
    ['error space neither /tmp nor /dev/shm can be written', /^image: .*nowhere to write.*\/dev\/shm/],
    ['error tcpdump bad luck', /^image: the container ended before it recorded anything: bad luck/],
    ['', /^image: the container ended before it recorded anything: Error \(exit code 1\)/],
  ])('that ended with %j says what it means', async (message, words) => {
    container = { terminated: { reason: 'Error', exitCode: 1, message } }
    const said = await refusal(start())
    expect(said).toMatch(words)
    expect(said).toContain('one ended entry for the ephemeral container packet-capture-x')
  })
})

describe('the result', () => {
  const stream = pcap(60, 1500, 9)
  const trailer = (changes: Record<string, string> = {}): string =>
    Object.entries({
      size: stream.length,
      sha256: hash(stream),
      reason: 'duration',
      dropped: 0,
      paused: '0 0',
      ...changes,
    })
      .map(([key, value]) => `trailer ${key} ${String(value)}\n`)
      .join('')

  /** A far end that sends `bytes`, then the trailer if there is one; the container has ended when the connection has. */
  async function run(bytes: Buffer, lines: string | undefined): Promise<CaptureResult> {
    container = { running: {} }
    server.exec = (session: ExecSession) => {
      session.stderr('listening 1795337022\n')
      session.stdout(bytes)
      const over = (): void => {
        container = { terminated: { reason: 'Completed', exitCode: 0, message: '' } }
        session.cut()
      }
      session.onLine = (line) => {
        if (line === 'done' || (lines === undefined && line.startsWith('ack'))) over()
      }
      if (lines !== undefined) session.stderr(`${lines}end\n`)
    }
    const record = recordFor()
    const capture = followCapture(
      ephemeralRecorder(server.connection, record),
      await openPart(record),
      'tools@sha256:1',
      events,
    )
    const result = await capture.finished
    await nameFile(result)
    return result
  }

  it('of a whole stream is complete, and its file has its final name', async () => {
    const result = await run(stream, trailer())
    expect(result).toMatchObject({
      verdict: { verdict: 'complete', stopReason: 'duration' },
      path: join(folder, 'sub', 'x.pcap'),
    })
    expect(readFileSync(result.path ?? '').equals(stream)).toBe(true)
    expect(existsSync(result.record.partPath)).toBe(false)
    expect(result.sha256).toBe(hash(stream))
    expect(listening).toBe(1)
  })

  it('of a stream that breaks off is partial, cut to whole packets, and its hash is that of its file', async () => {
    const result = await run(stream.subarray(0, -5), undefined)
    expect(result.verdict.verdict).toBe('partial')
    const file = readFileSync(result.path ?? '')
    expect(file.equals(pcap(60, 1500))).toBe(true)
    expect(reportOf(result, [])).toMatchObject({ packets: 2, bytes: file.length, sha256: hash(file) })
  })

  it('with another hash is partial', async () => {
    const result = await run(stream, trailer({ sha256: 'ab'.repeat(32) }))
    expect(result.verdict).toMatchObject({ verdict: 'partial', reason: expect.stringContaining('SHA-256') as string })
    expect(result.path).toBeDefined()
  })

  it('without a packet is empty, and has a file that tools can open', async () => {
    const none = pcap()
    const result = await run(none, trailer({ size: '24', sha256: hash(none) }))
    expect(result.verdict.verdict).toBe('empty')
    expect(readFileSync(result.path ?? '').equals(none)).toBe(true)
  })

  it('without a byte has no file', async () => {
    const result = await run(Buffer.alloc(0), undefined)
    expect(result).toMatchObject({ verdict: { verdict: 'partial' }, path: undefined })
    expect(existsSync(join(folder, 'sub', 'x.pcap'))).toBe(false)
  })

  it('of a hold leaves the part file for post, which goes on from it', async () => {
    container = { running: {} }
    server.exec = (session) => session.stdout(stream.subarray(0, 50))
    const first = recordFor()
    const capture = followCapture(ephemeralRecorder(server.connection, first), await openPart(first), '', events)
    await until('some bytes', () => capture.part.received() === 50)
    capture.hold(600)
    await expect(capture.finished).resolves.toMatchObject({ outcome: { end: 'held' }, path: undefined })
    expect(readFileSync(first.partPath)).toHaveLength(50)

    const asked = server.sessions.length
    const result = await run(stream.subarray(50), trailer())
    expect(server.sessions[asked]?.command.join(' ')).toMatch(/ 50\b/)
    expect(result.verdict.verdict).toBe('complete')
    expect(readFileSync(result.path ?? '').equals(stream)).toBe(true)
  })

  it('from the disk alone, where the cluster cannot be asked, is what the part file has', async () => {
    container = { running: {} }
    server.exec = (session) => session.stdout(stream.subarray(0, 150))
    const record = recordFor()
    const capture = followCapture(ephemeralRecorder(server.connection, record), await openPart(record), '', events)
    await until('some bytes', () => capture.part.received() === 150)
    capture.hold(600)
    await capture.finished
    const result = await finishFromDisk(record, '', 'the kubeconfig is gone')
    expect(result).toMatchObject({
      verdict: { verdict: 'partial', reason: expect.stringContaining('the kubeconfig is gone') as string },
      scan: { packets: 1 },
    })
    await nameFile(result)
    await nameFile(result) // once is enough, twice does no harm
    expect(readFileSync(result.path ?? '').equals(pcap(60))).toBe(true)
  })
})

it('whoever sends far more than a recorder ever would is left, without another word', async () => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'performance'] })
  const record = recordFor({ duration: 600, size: 1_000_000, spoolLimit: 64_000_000 })
  const part = await openPart(record)
  let received = 0
  // A connection that neither comes nor fails: nothing but the guard can end this.
  const place = {
    ...ephemeralRecorder(server.connection, record).place,
    open: () => new Promise<never>(() => undefined),
  }
  const { finished } = followCapture({ record, place }, { ...part, received: () => received }, '', events)
  let over = false
  void finished.then(() => (over = true))
  const aSecond = async (): Promise<void> => {
    jest.advanceTimersByTime(1_000)
    for (let i = 0; i < 50; i += 1) await new Promise(setImmediate)
  }
  received = 1_000_000 + 2 * 64_000_000 + 256_000_000 // a spool that was full, and its ring
  await aSecond()
  expect(over).toBe(false)
  received += 1
  await aSecond()
  jest.useRealTimers()
  await until('the end', () => over, 2_000)
  await expect(finished).resolves.toMatchObject({ outcome: { end: 'gave-up', trailer: undefined } })
})
