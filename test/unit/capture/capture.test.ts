import { jest } from '@jest/globals'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nameFile, type CaptureResult } from '../../../src/capture/capture-result.ts'
import { finishFromDisk, followCapture, openPart } from '../../../src/capture/capture.ts'
import type { CapturePlan } from '../../../src/capture/plan.ts'
import { addContainer, ephemeralRecorder } from '../../../src/capture/recorders/ephemeral-container.ts'
import type { CaptureRecord } from '../../../src/capture/record.ts'
import type { CaptureEvents } from '../../../src/capture/recorders/recorder.ts'
import { awaitStart } from '../../../src/capture/recorders/start.ts'
import { reportOf } from '../../../src/app/capture-report.ts'
import type { RemoteProcessHandlers } from '../../../src/common/remote-process.ts'
import { startServer, status, type ExecSession, type Server } from '../../support/api-server.ts'
import { pcap } from '../../support/pcap-bytes.ts'
import { until } from '../../support/until.ts'
import { plan, recordFor as recordIn } from '../../support/target.ts'
import { refusal } from '../../support/refusal.ts'
import { useFastClock } from '../../support/fast-clock.ts'
import { notDiagnosed } from '../report/reports.ts'

useFastClock()

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
  recordIn({ plan: plan(changes), folder: join(folder, 'sub') })

let waiting: string[]
let listening: number
const events: CaptureEvents = {
  onTouchingNode: () => undefined,
  onCreated: () => undefined,
  onCaution: () => undefined,
  onWaiting: (reason) => waiting.push(reason),
  onListening: () => (listening += 1),
  onReconnecting: () => undefined,
  onRemoteLine: () => undefined,
}
beforeEach(() => {
  waiting = []
  listening = 0
})

it('records the deadline in the time of the API server and in the time of the runner', () => {
  const record = recordIn({
    plan: plan({ startTimeoutSeconds: 10, durationSeconds: 20 }),
    serverTimeMs: Date.now() + 3_600_000,
  })
  expect(record.deadlineSeconds * 1000 - (Date.now() + 3_600_000)).toBeGreaterThanOrEqual(30_000)
  // The server's time is an hour ahead; the deadline is the same number of seconds away in the time of the runner.
  expect(
    Math.abs(record.deadlineHereMs - Date.now() - (record.deadlineSeconds * 1000 - Date.now() - 3_600_000)),
  ).toBeLessThan(1_000)
})

describe('adding the container', () => {
  it.each([
    [true, '?dryRun=All'],
    [false, ''],
  ])('(dry run: %s) sends one strategic merge patch of the pod that was found', async (dryRun, query) => {
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
    ['a deleted pod', 404, 'NotFound', 'pods "web-1" not found', /^pod: "web-1" was deleted before/],
    [
      'another pod with the same name',
      422,
      'Invalid',
      'Pod "web-1" is invalid: metadata.uid: field is immutable',
      /^pod: the cluster rejects .*immutable/,
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
      'a webhook that answers with another code',
      400,
      'BadRequest',
      'admission webhook "policy.example" denied the request',
      /^pod: .*webhook/,
    ],
  ])('fails because of %s', async (_cause, code, reason, message, expected) => {
    server.answer = () => ({ status: code, body: status(reason, message) })
    const text = await refusal(addContainer(server.connection, recordFor(), true))
    expect(text).toMatch(expected)
    expect(text).not.toMatch(/capabilities` empty/)
  })

  it('reports capabilities that the namespace forbids', async () => {
    server.answer = () => ({ status: 403, body: status('Forbidden', violation) })
    const text = await refusal(addContainer(server.connection, recordFor({ capabilities: ['NET_ADMIN'] }), true))
    expect(text).toContain('enforce=baseline on the namespace and leave the input `capabilities` empty')
  })

  it('reports the message of a failing API server', async () => {
    server.answer = () => ({ status: 500, body: status('InternalError', 'etcd is away') })
    await expect(addContainer(server.connection, recordFor(), true)).rejects.toThrow('etcd is away')
  })
})

describe('the start', () => {
  const start = (record = recordFor(), signal = new AbortController().signal): Promise<string | undefined> =>
    awaitStart(ephemeralRecorder(server.connection, record).endpoint, record, events, signal)

  it('returns the image digest when the container runs, and reports each reason to wait once', async () => {
    const started = start()
    await until('it waits', () => waiting.length === 1)
    container = { running: {} }
    await expect(started).resolves.toBe('tools@sha256:1')
    expect(waiting).toEqual(['ContainerCreating'])
  })

  it('succeeds for a container that ended with a trailer before its running state was observed', async () => {
    container = { terminated: { reason: 'Completed', exitCode: 0, message: 'size 24\nsha256 x\n' } }
    await expect(start()).resolves.toBeUndefined()
  })

  it.each(['InvalidImageName', 'ErrImageNeverPull', 'CreateContainerConfigError', 'ImageInspectError'])(
    'fails at once with %s',
    async (reason) => {
      container = { waiting: { reason, message: 'the message of the kubelet' } }
      const text = await refusal(start())
      expect(text).toMatch(/^image: node node-1 cannot start "registry\.example\/tools:1"/)
      expect(text).toContain(`${reason}: the message of the kubelet`)
    },
  )

  it('tolerates a registry error only for some seconds', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'performance'] })
    container = { waiting: { reason: 'ErrImagePull', message: 'not found' } }
    let over = false
    const failed = refusal(start()).finally(() => (over = true))
    let passed = 0
    for (; !over && passed < 60_000; passed += 500) {
      jest.advanceTimersByTime(500)
      await until('an answer', () => new Promise<boolean>((resolve) => setImmediate(() => resolve(true))))
      for (let i = 0; i < 20; i += 1) await new Promise(setImmediate)
      // The kubelet alternates between two names for the same failure.
      container = {
        waiting: { reason: passed % 1000 === 0 ? 'ImagePullBackOff' : 'ErrImagePull', message: 'not found' },
      }
    }
    await expect(failed).resolves.toMatch(/^image: .*not found/)
    expect(passed).toBeGreaterThan(5_000)
    expect(passed).toBeLessThan(30_000)
  })

  it('fails after start-timeout, and reports what it waited for', async () => {
    const text = await refusal(start(recordFor({ startTimeoutSeconds: 0.2 })))
    expect(text).toMatch(
      /^start-timeout: the recorder packet-capture-x did not start within 0\.2 s \(ContainerCreating\)/,
    )
  })

  it('ends when the run is cancelled', async () => {
    const controller = new AbortController()
    const started = start(recordFor(), controller.signal)
    await until('it waits', () => waiting.length === 1)
    controller.abort()
    await expect(started).rejects.toThrow(/cancelled before/)
  }, 15_000)

  it('fails when the pod was deleted', async () => {
    server.answer = () => ({ status: 404, body: status('NotFound', 'not found') })
    expect(await refusal(start())).toMatch(/^pod: pod web-1 is gone: the pod was deleted/)
  })

  it.each<[string, RegExp]>([
    [
      "error filter tcpdump: can't parse filter expression: syntax error",
      /^filter: the tcpdump in the pod rejects "tcp port 8080": can't parse filter/,
    ],
    [
      "error net-raw tcpdump: any: You don't have permission",
      /^capabilities: .*You don't have permission.*Set `capabilities: NET_RAW`/,
    ],
    [
      'error interface tcpdump: any: No such device exists',
      /^interface: tcpdump cannot record on "any" in the pod: any: No such device/,
    ],
    [
      'error tools the image has no tcpdump',
      /^image: "registry\.example\/tools:1" cannot record: the image has no tcpdump/,
    ],
    ['error space neither /tmp nor /dev/shm can be written', /^image: .*no directory that it can write.*\/dev\/shm/],
    ['error tcpdump bad luck', /^image: the container ended before it recorded anything: bad luck/],
    ['', /^image: the container ended before it recorded anything: Error \(exit code 1\)/],
  ])('explains a recorder that ended with %j', async (message, expected) => {
    container = { terminated: { reason: 'Error', exitCode: 1, message } }
    const text = await refusal(start())
    expect(text).toMatch(expected)
  })
})

describe('the result of a capture', () => {
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

  /** A remote follower that sends `bytes`, then the trailer if there is one. The container ends with the connection. */
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
    const capture = followCapture(ephemeralRecorder(server.connection, record), await openPart(record), {
      imageId: 'tools@sha256:1',
      events,
    })
    const result = await capture.finished
    await nameFile(result)
    return result
  }

  it('is complete when the whole stream arrived, and the file has its final name', async () => {
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

  it('is partial when the stream ends early: the file contains only whole packets, and the hash is the hash of the file', async () => {
    const result = await run(stream.subarray(0, -5), undefined)
    expect(result.verdict.verdict).toBe('partial')
    const file = readFileSync(result.path ?? '')
    expect(file.equals(pcap(60, 1500))).toBe(true)
    expect(reportOf(result, { hints: [] }, notDiagnosed)).toMatchObject({
      packets: 2,
      bytes: file.length,
      sha256: hash(file),
    })
  })

  it('is partial when the hash differs from the trailer', async () => {
    const result = await run(stream, trailer({ sha256: 'ab'.repeat(32) }))
    expect(result.verdict).toMatchObject({ verdict: 'partial', reason: expect.stringContaining('SHA-256') as string })
    expect(result.path).toBeDefined()
  })

  it('is empty when no packet matched, and tools can open the file', async () => {
    const none = pcap()
    const result = await run(none, trailer({ size: '24', sha256: hash(none) }))
    expect(result.verdict.verdict).toBe('empty')
    expect(readFileSync(result.path ?? '').equals(none)).toBe(true)
  })

  it('has no file when no byte arrived', async () => {
    const result = await run(Buffer.alloc(0), undefined)
    expect(result).toMatchObject({ verdict: { verdict: 'partial' }, path: undefined })
    expect(existsSync(join(folder, 'sub', 'x.pcap'))).toBe(false)
  })

  it('has no file after a hold, and the post step continues to write the part file', async () => {
    container = { running: {} }
    server.exec = (session) => session.stdout(stream.subarray(0, 50))
    const first = recordFor()
    const capture = followCapture(ephemeralRecorder(server.connection, first), await openPart(first), {
      imageId: '',
      events,
    })
    await until('some bytes', () => capture.part.receivedBytes === 50)
    capture.hold(600)
    await expect(capture.finished).resolves.toMatchObject({ outcome: { end: 'held' }, path: undefined })
    expect(readFileSync(first.partPath)).toHaveLength(50)

    const asked = server.sessions.length
    const result = await run(stream.subarray(50), trailer())
    expect(server.sessions[asked]?.command.join(' ')).toMatch(/ 50\b/)
    expect(result.verdict.verdict).toBe('complete')
    expect(readFileSync(result.path ?? '').equals(stream)).toBe(true)
  })

  it('is read from the part file when the cluster is not reachable', async () => {
    container = { running: {} }
    server.exec = (session) => session.stdout(stream.subarray(0, 150))
    const record = recordFor()
    const capture = followCapture(ephemeralRecorder(server.connection, record), await openPart(record), {
      imageId: '',
      events,
    })
    await until('some bytes', () => capture.part.receivedBytes === 150)
    capture.hold(600)
    await capture.finished
    const result = await finishFromDisk(record, '', 'the kubeconfig is gone')
    expect(result).toMatchObject({
      verdict: { verdict: 'partial', reason: expect.stringContaining('the kubeconfig is gone') as string },
      scan: { packets: 1 },
    })
    await nameFile(result)
    await nameFile(result) // a second call changes nothing
    expect(readFileSync(result.path ?? '').equals(pcap(60))).toBe(true)
  })
})

it('takes at most max-size and a spool, and ends the capture there', async () => {
  const record = recordFor({ durationSeconds: 600, maxBytes: 100_000, spoolLimitBytes: 50_000 })
  const part = await openPart(record)
  let far: RemoteProcessHandlers | undefined
  let isClosed = false
  // The connection goes on after its close: only the limit can end it.
  const endpoint = {
    ...ephemeralRecorder(server.connection, record).endpoint,
    open: (_command: readonly string[], handlers: RemoteProcessHandlers) => {
      far = handlers
      const close = (): void => void (isClosed = true)
      return Promise.resolve({ protocol: 'test', send: () => true, close, ended: new Promise<never>(() => undefined) })
    },
  }
  const { finished } = followCapture({ record, endpoint }, part, { imageId: '', events })
  await until('a connection', () => far !== undefined)
  void far?.stdout(Buffer.alloc(149_999))
  await new Promise(setImmediate)
  expect(isClosed).toBe(false)
  void far?.stdout(Buffer.alloc(40_000))
  void far?.stdout(Buffer.alloc(40_000))
  expect(part.receivedBytes).toBe(150_000)
  await expect(finished).resolves.toMatchObject({
    outcome: { end: 'too-much', trailer: undefined },
    verdict: { verdict: 'partial', stopReason: 'error' },
  })
  expect(isClosed).toBe(true)
  void far?.stdout(Buffer.alloc(40_000))
  expect(part.receivedBytes).toBe(150_000)
})
