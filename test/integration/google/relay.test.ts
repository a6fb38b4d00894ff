// Tests the fake relay with the real gcloud, if it is in PATH. The tests of this action's tunnel use the same relay (unit/google/iap-tunnel).

import { spawn, type ChildProcess } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describeWith } from '../../support/needs.ts'
import { gcloudAloneLack } from '../../support/gcloud.ts'
import { until } from '../../support/until.ts'
import { startRelay, type Relay, type RelayOptions } from '../../sandbox/google/relay.ts'

const token = 'ya29.relay-test'
const size = 6_000_000

let folder: string
let relay: Relay
let backend: Server
let children: ChildProcess[]
const sockets = new Set<Socket>()
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'relay-'))
  children = []
  uploaded = undefined
})
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL')
  await Promise.all(
    children.map((child) => until('the end of gcloud', () => child.exitCode ?? child.signalCode ?? false)),
  )
  await relay.stop()
  for (const socket of sockets) socket.destroy()
  await new Promise((resolve) => backend.close(resolve))
  rmSync(folder, { recursive: true, force: true })
})

async function start(
  serve: (socket: Socket) => void,
  options: Partial<Pick<RelayOptions, 'faults' | 'authenticate'>> = {},
): Promise<void> {
  backend = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => sockets.delete(socket))
    serve(socket)
  })
  await new Promise<void>((resolve) => backend.listen(0, '127.0.0.1', resolve))
  const { port } = backend.address() as AddressInfo
  relay = await startRelay({
    tls: {},
    backend: ({ instance }) =>
      instance === 'node-1' ? { host: '127.0.0.1', port } : { code: 4047, reason: 'lookup failed' },
    authenticate: (given) => given === token,
    ...options,
  })
}

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')
const up = randomBytes(size)
const down = randomBytes(size)
/**
 * Padding after `up` that flushes it: gcloud waits for its stdin with select() and reads it through Python's buffer, in which up to
 * 8 KiB can remain until more bytes arrive (_StdinSocket._RecvUnix; BufferedReader after a short read).
 */
const push = Buffer.alloc(16_384)
let uploaded: string | undefined

/**
 * Reads as many bytes as `up` has, then sends `down`. Not both at the same time: gcloud's sending thread then sometimes blocks on its queue
 * (iap_tunnel_websocket.py, _MaybeSendAck puts into the full queue that only this thread empties).
 */
function upThenDown(socket: Socket): void {
  const chunks: Buffer[] = []
  let count = 0
  socket.on('data', (chunk: Buffer) => {
    if (uploaded !== undefined) return
    chunks.push(chunk)
    count += chunk.length
    if (count < size) return
    uploaded = sha256(Buffer.concat(chunks).subarray(0, size))
    socket.write(down)
  })
}

function gcloud(args: readonly string[], instance = 'node-1'): ChildProcess {
  const child = spawn(
    'gcloud',
    [
      ...[
        'compute',
        'start-iap-tunnel',
        instance,
        '22',
        '--zone=us-central1-a',
        `--iap-tunnel-url-override=${relay.url}`,
      ],
      ...['--iap-tunnel-insecure-disable-websocket-cert-check', ...args],
    ],
    {
      stdio: 'pipe',
      env: {
        ...{ PATH: process.env['PATH'], PYTHONUNBUFFERED: '1', HOME: folder, CLOUDSDK_CONFIG: join(folder, 'gcloud') },
        ...{ CLOUDSDK_CORE_PROJECT: 'demo-project', CLOUDSDK_CORE_DISABLE_PROMPTS: '1' },
        ...{ CLOUDSDK_AUTH_ACCESS_TOKEN: token, CLOUDSDK_CORE_DISABLE_USAGE_REPORTING: '1' },
        ...{ CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK: '1', CLOUDSDK_CORE_CHECK_GCE_METADATA: 'false' },
      },
    },
  )
  child.stdin?.on('error', () => {})
  children.push(child)
  return child
}

interface Stdin {
  /** SHA-256 and number of the bytes that came out */
  readonly hash: string
  readonly count: number
  readonly stderr: string
}

/** Sends `up` to gcloud's stdin and reads as many bytes from its stdout, or until its session ends. */
async function overStdin(): Promise<Stdin> {
  const child = gcloud(['--listen-on-stdin'])
  const hash = createHash('sha256')
  let count = 0
  let stderr = ''
  child.stdout?.on('data', (chunk: Buffer) => {
    hash.update(chunk)
    count += chunk.length
  })
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  child.stdin?.write(up)
  child.stdin?.write(push)
  const isOver = (): boolean => relay.calls.length > 0 && relay.connections + relay.sessions === 0
  await until('all bytes, or the end', () => count >= size || child.exitCode !== null || isOver(), {
    timeoutMs: 60_000,
  })
  child.stdin?.end()
  await until('the end of gcloud', () => child.exitCode !== null, { timeoutMs: 60_000 })
  return { hash: hash.digest('hex'), count, stderr }
}

const operations = (): unknown[] => relay.calls.map(({ operation, outcome }) => [operation, outcome])

describeWith(gcloudAloneLack, 'the real gcloud through the fake relay', () => {
  test('stdin: 6 MB pass in both directions', async () => {
    await start(upThenDown)
    expect(await overStdin()).toMatchObject({ hash: sha256(down), count: size })
    expect(uploaded).toBe(sha256(up))
    expect(relay.calls).toEqual([
      expect.objectContaining({
        ...{ operation: 'connect', token, outcome: 'open' },
        target: { project: 'demo-project', zone: 'us-central1-a', instance: 'node-1', interface: 'nic0', port: 22 },
      }),
    ])
    await until('the end of the session', () => relay.sessions === 0)
  }, 120_000)

  // gcloud 528 cannot handle a broken connection while it only receives: on a FIN it stops, on an RST it loops forever with "Unable to send WebSocket ack".
  test.each([
    ['down, 4004', { after: 2_000_000, of: 'down', code: 4004 }],
    ['up, cut', { after: 2_000_000, of: 'up', code: 0 }],
    ['up, 4004', { after: 2_000_000, of: 'up', code: 4004 }],
  ] as const)(
    'stdin: reconnects when the connection is lost after 2 MB (%s), and passes every byte once',
    async (_title, cut) => {
      await start(upThenDown, { faults: { cuts: [cut] } })
      expect(await overStdin()).toMatchObject({ hash: sha256(down), count: size })
      expect(uploaded).toBe(sha256(up))
      expect(operations()).toEqual([
        ['connect', 'open'],
        ['reconnect', 'open'],
      ])
    },
    120_000,
  )

  test('stdin: close code 4001 ends the session without a reconnect', async () => {
    await start(upThenDown, { faults: { cuts: [{ after: 2_000_000, of: 'down', code: 4001 }] } })
    expect((await overStdin()).count).toBeLessThanOrEqual(2_000_000)
    expect(operations()).toEqual([['connect', 'open']])
  }, 120_000)

  test('stdin: works without ACKs, and with frames of 60 000 bytes, unknown frames and trailing bytes', async () => {
    await start(upThenDown, { faults: { noAcks: true, frameSize: 60_000, unknownFrames: true, trailingBytes: 5 } })
    expect(await overStdin()).toMatchObject({ hash: sha256(down), count: size })
    expect(uploaded).toBe(sha256(up))
  }, 120_000)

  test.each([
    ['HTTP 401', { status: 401 }, /Handshake status 401/],
    ['HTTP 403', { status: 403 }, /Handshake status 403/],
    ['HTTP 404', { status: 404 }, /Handshake status 404/],
    ['4003', { code: 4003, reason: 'failed to connect to backend' }, /4003.*Failed to connect to port 22/],
    ['4033', { code: 4033, reason: 'not authorized' }, /4033: 'not authorized'/],
  ] as const)(
    'stdin: reports a refusal: %s',
    async (_title, refusal, pattern) => {
      await start(upThenDown, { faults: { refusals: [{ on: 'connect', refusal }] } })
      expect(await overStdin()).toMatchObject({
        count: 0,
        stderr: expect.stringMatching(pattern) as string,
      })
    },
    60_000,
  )

  test('port: the connection ends after the backend sends 6 MB and closes', async () => {
    await start((socket) => {
      socket.resume()
      socket.end(down)
    })
    const child = gcloud(['--local-host-port=127.0.0.1:0'])
    let said = ''
    child.stdout?.on('data', (chunk: Buffer) => (said += chunk.toString()))
    const port = await until('the port of gcloud', () => /Listening on port \[(\d+)\]/.exec(said)?.[1], {
      timeoutMs: 60_000,
    })
    const socket = connect(Number(port), '127.0.0.1')
    sockets.add(socket)
    const hash = createHash('sha256')
    for await (const chunk of socket as AsyncIterable<Buffer>) hash.update(chunk)
    expect(hash.digest('hex')).toBe(sha256(down))
    expect(operations()).toEqual([
      ['connect', 'open'], // gcloud's connection test
      ['connect', 'open'],
    ])
  }, 120_000)
})
