import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer as createHttpServer, type Server as HttpServer } from 'node:http'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { finished } from 'node:stream/promises'
import { HttpsProxyAgent } from 'https-proxy-agent'
import { ConfigurationError } from '../../../../src/common/errors.ts'
import { TunnelError } from '../../../../src/google/iap/errors.ts'
import { relayUrl } from '../../../../src/google/iap/relay-url.ts'
import { openIapTunnel } from '../../../../src/google/iap/tunnel.ts'
import type { TunnelOptions, TunnelTarget, TunnelTiming } from '../../../../src/google/iap/types.ts'
import { startRelay, type Refusal, type Relay, type RelayOptions } from '../../../sandbox/google/relay.ts'
import { until } from '../../../support/until.ts'
import { refusal } from '../../../support/refusal.ts'

const target: TunnelTarget = {
  project: 'shop-prod',
  zone: 'europe-west1-b',
  instance: 'gke-shop-pool-1-ab12',
  interface: 'nic0',
  port: 22,
}
const fast: Partial<TunnelTiming> = {
  firstDelayMs: 5,
  maxDelayMs: 20,
  patienceMs: 5_000,
  openTimeoutMs: 5_000,
  ackDelayMs: 20,
}

let relay: Relay
let backend: Server
let sockets: Set<Socket>
let tunnels: Duplex[]
let tokens: number
let losses: string[]
beforeEach(() => {
  sockets = new Set()
  tunnels = []
  tokens = 0
  losses = []
})
afterEach(async () => {
  for (const tunnel of tunnels) tunnel.destroy()
  await until('no open tunnel', () => tunnels.every((tunnel) => tunnel.closed))
  await relay?.stop()
  for (const socket of sockets) socket.destroy()
  await new Promise((resolve) => (backend ? backend.close(resolve) : resolve(undefined)))
})

/** A relay in front of a server that represents a port of an instance. */
async function start(serve: (socket: Socket) => void, options: Partial<RelayOptions> = {}): Promise<void> {
  backend = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => sockets.delete(socket))
    serve(socket)
  })
  await new Promise<void>((resolve) => backend.listen(0, '127.0.0.1', resolve))
  const { port } = backend.address() as AddressInfo
  relay = await startRelay({
    backend: () => ({ host: '127.0.0.1', port }),
    authenticate: (token) => token.startsWith('ya29.'),
    ...options,
  })
}

async function open(options: Partial<TunnelOptions> = {}): Promise<Duplex> {
  const tunnel = await openIapTunnel(target, {
    url: relay.url,
    token: () => Promise.resolve(`ya29.${String((tokens += 1))}`),
    onReconnecting: (reason) => losses.push(reason),
    ...options,
    timing: { ...fast, ...options.timing },
  })
  tunnels.push(tunnel)
  return tunnel
}

async function failure(work: Promise<unknown>): Promise<TunnelError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(TunnelError)
  expect(error).toBeInstanceOf(ConfigurationError)
  return error as TunnelError
}

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')
const echo = (socket: Socket): void => void socket.pipe(socket)
const source =
  (bytes: Buffer) =>
  (socket: Socket): void => {
    socket.resume()
    socket.end(bytes)
  }
/** Answers with the SHA-256 of the received bytes after `size` bytes. */
const sink =
  (size: number) =>
  (socket: Socket): void => {
    const hash = createHash('sha256')
    let count = 0
    socket.on('data', (chunk: Buffer) => {
      hash.update(chunk)
      count += chunk.length
      if (count >= size) socket.end(`${String(count)} ${hash.digest('hex')}`)
    })
  }
const operations = (): unknown[] => relay.calls.map(({ operation, outcome }) => [operation, outcome])

describe('a tunnel', () => {
  test('requests the port of the instance as gcloud does, over TLS', async () => {
    await start(echo, { tls: {} })
    const tunnel = await open({ certificateAuthority: relay.certificate })
    tunnel.write('SSH-2.0-x\r\n')
    expect(String((await once(tunnel, 'data'))[0])).toBe('SSH-2.0-x\r\n')
    expect(relay.calls).toEqual([
      expect.objectContaining({ operation: 'connect', target, token: 'ya29.1', outcome: 'open' }),
    ])
    expect(relay.calls[0]?.headers).toMatchObject({
      origin: 'bot:iap-tunneler',
      'sec-websocket-protocol': 'relay.tunnel.cloudproxy.app',
      'user-agent': 'kubernetes-packet-capture',
    })
    expect(relay.calls[0]?.headers).not.toHaveProperty('sec-websocket-extensions')
  })

  test('rejects a relay whose certificate is not trusted', async () => {
    await start(echo, { tls: {} })
    const error = await failure(open())
    expect(error.message).toMatch(
      /^node-method: the IAP relay 127\.0\.0\.1:\d+ cannot be reached \(.*certificate.*HTTPS_PROXY/,
    )
    expect(relay.calls).toEqual([])
  })

  test('connects through the proxy of the agent', async () => {
    await start(echo, { tls: {} })
    const asked: string[] = []
    const proxy: HttpServer = createHttpServer()
    proxy.on('connect', (request, socket: Socket) => {
      asked.push(request.url ?? '')
      const onward = connect(Number(new URL(relay.url).port), '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
        onward.pipe(socket).pipe(onward)
      })
      for (const one of [socket, onward]) {
        sockets.add(one)
        one.on('error', () => one.destroy())
      }
    })
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
    try {
      const agent = new HttpsProxyAgent(`http://127.0.0.1:${String((proxy.address() as AddressInfo).port)}`)
      const tunnel = await open({ certificateAuthority: relay.certificate, agent })
      tunnel.write('x')
      await once(tunnel, 'data')
      expect(asked).toEqual([new URL(relay.url).host])
      tunnel.destroy()
    } finally {
      proxy.close()
    }
  })

  test('transfers 24 MB in both directions at the same time', async () => {
    await start(echo)
    const bytes = randomBytes(24_000_000)
    const tunnel = await open()
    const hash = createHash('sha256')
    let count = 0
    tunnel.on('data', (chunk: Buffer) => {
      hash.update(chunk)
      count += chunk.length
    })
    for (let at = 0; at < bytes.length; at += 100_000) {
      if (!tunnel.write(bytes.subarray(at, at + 100_000))) await once(tunnel, 'drain')
    }
    await until('all bytes', () => count >= bytes.length)
    expect(hash.digest('hex')).toBe(sha256(bytes))
    expect(losses).toEqual([])
  })

  test.each([
    ['in frames of 16 KiB', {}],
    ['in frames of 60 000 bytes', { frameSize: 60_000 }],
    ['in frames of 1 MiB', { frameSize: 1_048_576 }],
    ['with unknown frames between', { unknownFrames: true }],
    ['with bytes after each frame', { trailingBytes: 7 }],
  ])('ends after the last byte when the instance sends 20 MB %s and closes', async (_title, faults) => {
    const bytes = randomBytes(20_000_000)
    await start(source(bytes), { faults })
    const tunnel = await open()
    expect(sha256(await buffer(tunnel))).toBe(sha256(bytes))
    await until('the end', () => tunnel.closed)
    expect(tunnel.errored).toBeNull()
    await until('nothing open', () => relay.connections === 0)
  })

  test('ends when the relay announces the close in a frame', async () => {
    await start(source(Buffer.from('bye')), { faults: { longClose: true } })
    const tunnel = await open()
    expect(String(await buffer(tunnel))).toBe('bye')
  })

  test('fails with the reason of the frame that announces the close, not with the close code', async () => {
    await start(() => {}, {
      faults: {
        rawAfterWelcome: Buffer.concat([Buffer.from('000a00000fc10000000e', 'hex'), Buffer.from('not authorized')]),
      },
    })
    const tunnel = await open()
    const end = failure(finished(tunnel.resume()))
    relay.cut(1000)
    expect(await end).toMatchObject({ relayCode: 4033, reason: '4033: not authorized' })
  })

  test('delivers the bytes written before end(), then closes', async () => {
    const bytes = randomBytes(5_000_000)
    let got: Buffer | undefined
    await start((socket) => void buffer(socket).then((all) => (got = all)))
    const tunnel = await open()
    tunnel.end(bytes)
    await finished(tunnel.resume())
    expect(sha256(await until('the end of the instance', () => got))).toBe(sha256(bytes))
    expect(relay.sessions).toBe(0)
  })

  test('delivers the bytes written before end() even if the connection breaks', async () => {
    const bytes = randomBytes(5_000_000)
    let got: Buffer | undefined
    await start((socket) => void buffer(socket).then((all) => (got = all)), {
      faults: { cuts: [{ after: 4_900_000, of: 'up', code: 0 }] },
    })
    const tunnel = await open()
    tunnel.end(bytes)
    await finished(tunnel.resume())
    expect(sha256(await until('the end of the instance', () => got))).toBe(sha256(bytes))
    expect(losses).toHaveLength(1)
  })

  test('leaves no connection and no session open after destroy()', async () => {
    await start(echo)
    const tunnel = await open()
    tunnel.write('x')
    await once(tunnel, 'data')
    tunnel.destroy()
    await once(tunnel, 'close')
    await until('nothing open', () => relay.connections === 0 && relay.sessions === 0 && sockets.size === 0)
  })

  test('leaves no connection open after destroy() while it reconnects', async () => {
    await start(echo)
    const tunnel = await open()
    relay.faults.silent = 'handshake'
    relay.cut()
    await until('the second connection attempt', () => relay.calls.length === 2)
    tunnel.destroy()
    await once(tunnel, 'close')
    await until('nothing open', () => relay.connections === 0)
  })

  test('rejects with the reason of the signal when it is aborted while it opens', async () => {
    await start(echo, { faults: { silent: 'welcome' } })
    const abort = new AbortController()
    const opening = open({ signal: abort.signal })
    await until('the connection', () => relay.connections === 1)
    abort.abort(new Error('cancelled'))
    await expect(opening).rejects.toThrow('cancelled')
    await until('nothing open', () => relay.connections === 0)
  })
})

describe('a lost connection', () => {
  const size = 24_000_000
  test.each([
    ['cut', 0, '1006'],
    ['4004', 4004, '4004: injected'],
  ])('delivers every byte from the instance once after three losses (%s)', async (_title, code, reason) => {
    const bytes = randomBytes(size)
    const after = [1_000_000, 10_000_001, 20_000_000]
    await start(source(bytes), { faults: { cuts: after.map((at) => ({ after: at, of: 'down', code })) } })
    expect(sha256(await buffer(await open()))).toBe(sha256(bytes))
    expect(losses.map((loss) => loss.slice(0, reason.length))).toEqual([reason, reason, reason])
    expect(operations()).toEqual([
      ['connect', 'open'],
      ['reconnect', 'open'],
      ['reconnect', 'open'],
      ['reconnect', 'open'],
    ])
    // a new token for each connection
    expect(relay.calls.map(({ token }) => token)).toEqual(['ya29.1', 'ya29.2', 'ya29.3', 'ya29.4'])
    expect(new Set(relay.calls.slice(1).map(({ sid }) => sid)).size).toBe(1)
  })

  test.each([
    ['cut', 0],
    ['4004', 4004],
  ])('delivers every byte to the instance once after three losses (%s)', async (_title, code) => {
    const bytes = randomBytes(size)
    const after = [1_000_000, 10_000_001, 20_000_000]
    await start(sink(size), { faults: { cuts: after.map((at) => ({ after: at, of: 'up', code })) } })
    const tunnel = await open()
    tunnel.write(bytes)
    expect(String(await buffer(tunnel))).toBe(`${String(size)} ${sha256(bytes)}`)
    expect(losses).toHaveLength(3)
  })

  test('reports the token as rejected only after 4004 and 401', async () => {
    await start(echo)
    const given: (string | undefined)[] = []
    const tunnel = await open({
      token: (refused) => {
        given.push(refused)
        return Promise.resolve(`ya29.${String(given.length)}`)
      },
    })
    const echoed = async (word: string): Promise<void> => {
      tunnel.write(word)
      expect(String((await once(tunnel, 'data'))[0])).toBe(word)
    }
    await echoed('one')
    relay.cut()
    await echoed('two')
    relay.cut(4004)
    await echoed('three')
    relay.faults.refusals.push({ on: 'reconnect', refusal: { status: 401 } })
    relay.cut()
    await echoed('four')
    expect(given).toEqual([undefined, undefined, 'ya29.2', undefined, 'ya29.4'])
  })

  test('is replaced after refusals with 503, with 4002 and with a missing token', async () => {
    await start(echo)
    let asked = 0
    const tunnel = await open({
      token: () => ((asked += 1) === 4 ? Promise.reject(new Error('no route')) : Promise.resolve('ya29.x')),
    })
    relay.faults.refusals.push(
      { on: 'reconnect', refusal: { status: 503 } },
      { on: 'reconnect', refusal: { code: 4002, reason: 'SID in use' } },
    )
    tunnel.write('before')
    await once(tunnel, 'data')
    relay.cut()
    tunnel.write('after')
    expect(String((await once(tunnel, 'data'))[0])).toBe('after')
    expect(operations()).toEqual([
      ['connect', 'open'],
      ['reconnect', 503],
      ['reconnect', 4002],
      ['reconnect', 'open'],
    ])
    expect({ asked, losses: losses.length }).toEqual({ asked: 5, losses: 1 })
  })

  test('fails after the retry time, and names the last cause', async () => {
    await start(echo)
    const tunnel = await open({ timing: { patienceMs: 100 } })
    relay.faults.refusals.push(
      ...Array.from({ length: 99 }, () => ({ on: 'reconnect' as const, refusal: { status: 502 } })),
    )
    relay.cut()
    const error = await failure(finished(tunnel.resume()))
    expect(error.message).toMatch(/was lost and could not be restored within 0\.\d s \(HTTP 502\)/)
    expect(error).toMatchObject({ relayCode: 502, isTransient: false })
    // 0 + 5 + 5.5 + … fit into 100 ms eleven times at most
    expect(relay.calls.length).toBeGreaterThan(4)
    expect(relay.calls.length).toBeLessThanOrEqual(13)
  })

  test('fails after the retry time when each new connection breaks at once', async () => {
    await start(() => {})
    const tunnel = await open({ timing: { patienceMs: 150, maxDelayMs: 1_000 } })
    const end = failure(finished(tunnel.resume()))
    const cutter = setInterval(() => relay.cut(), 1)
    try {
      expect((await end).message).toMatch(/could not be restored/)
    } finally {
      clearInterval(cutter)
    }
    expect(relay.calls.length).toBeLessThanOrEqual(18)
  })

  test('is replaced after two pings without an answer', async () => {
    await start(echo)
    const tunnel = await open({ timing: { pingIntervalMs: 40 } })
    tunnel.write('x')
    await once(tunnel, 'data')
    relay.freeze()
    tunnel.write('y')
    expect(String((await once(tunnel, 'data'))[0])).toBe('y')
    expect(losses).toEqual([expect.stringMatching(/^1006: no answer to a ping for 0\.08 s$/)])
  })

  test.each([
    [4001, /no longer has the session/],
    [4006, /4006: injected/],
    [1011, /1011: injected/],
  ])('fails on close code %i without another attempt', async (code, expected) => {
    await start(echo)
    const tunnel = await open()
    const end = failure(finished(tunnel.resume()))
    relay.cut(code)
    const error = await end
    expect(error).toMatchObject({ relayCode: code, isTransient: false })
    expect(error.message).toMatch(expected)
    expect(operations()).toEqual([['connect', 'open']])
  })

  test('fails when the relay no longer has the session', async () => {
    await start(echo)
    const tunnel = await open()
    relay.faults.refusals.push({ on: 'reconnect', refusal: { code: 4001, reason: 'SID unknown' } })
    const end = failure(finished(tunnel.resume()))
    relay.cut()
    expect(await end).toMatchObject({ relayCode: 4001, reason: '4001: SID unknown' })
  })
})

describe('a tunnel with acknowledgements', () => {
  test('limits the queue, and delivers all bytes when the relay acknowledges none', async () => {
    const size = 20_000_000
    const bytes = randomBytes(size)
    await start(sink(size), { faults: { noAcks: true } })
    const tunnel = await open({ timing: { ackPatienceMs: 50 } })
    let written = 0
    for (let at = 0; at < size; at += 50_000) {
      tunnel.write(bytes.subarray(at, at + 50_000), () => (written += 50_000))
    }
    // The queue accepts 2 MiB, then waits.
    await until('a full queue', () => written >= 1_900_000)
    expect(written).toBeLessThan(2_200_000)
    expect(String(await buffer(tunnel))).toBe(`${String(size)} ${sha256(bytes)}`)
  })

  test('fails instead of leaving a gap when bytes cannot be sent again', async () => {
    await start((socket) => socket.resume(), { faults: { noAcks: true } })
    const tunnel = await open({ timing: { ackPatienceMs: 20 } })
    const end = failure(finished(tunnel.resume()))
    let written = false
    tunnel.write(randomBytes(10_000_000), () => (written = true))
    await until('the write', () => written)
    relay.faults.nextAck = () => 1_000n
    relay.cut()
    expect((await end).message).toMatch(/violates its protocol \(it lacks \d+ bytes/)
  })

  test.each([
    ['of more bytes than were sent', (total: bigint) => total + 1n, /it acknowledges 100001 bytes of 100000/],
    ['of the greatest possible number', () => 2n ** 64n - 1n, /it acknowledges 18446744073709551615 bytes of/],
  ])('fails when the relay sends an acknowledgement %s', async (_title, change, expected) => {
    await start((socket) => socket.resume())
    const tunnel = await open()
    const end = failure(finished(tunnel.resume()))
    relay.faults.noAcks = true
    tunnel.write(Buffer.alloc(100_000))
    await until('the bytes', () => relay.up === 100_000)
    relay.faults.noAcks = false
    relay.faults.nextAck = (total) => change(BigInt(total))
    tunnel.write(Buffer.alloc(0))
    relay.acknowledge()
    expect((await end).message).toMatch(expected)
  })

  test('fails when the number of acknowledged bytes decreases', async () => {
    await start((socket) => socket.resume())
    const tunnel = await open()
    const end = failure(finished(tunnel.resume()))
    tunnel.write(Buffer.alloc(100_000))
    await until('the bytes', () => relay.up === 100_000)
    relay.acknowledge()
    relay.faults.nextAck = () => 99_999n
    relay.acknowledge()
    expect((await end).message).toMatch(/it acknowledges 99999 bytes after 100000/)
  })

  test('sends an acknowledgement for each 32 KiB, and soon after the last bytes', async () => {
    await start((socket) => {
      socket.resume()
      socket.write(Buffer.alloc(3_000_000))
    })
    const tunnel = await open()
    tunnel.resume()
    await until('the last acknowledgement', () => relay.acks.at(-1) === 3_000_000)
    const steps = relay.acks.map((total, index) => total - (relay.acks[index - 1] ?? 0))
    for (const step of steps.slice(0, -1)) expect(step).toBeGreaterThan(32_768)
    for (const step of steps) expect(step).toBeLessThanOrEqual(32_768 + 16_384)
  })

  test('pauses the relay when the reader is slow, to limit the memory', async () => {
    let sent = 0
    await start((socket) => {
      socket.resume()
      const more = (): void => {
        while (sent < 200_000_000 && socket.write(Buffer.alloc(1_000_000))) sent += 1_000_000
      }
      socket.on('drain', more)
      more()
    })
    const tunnel = await open()
    tunnel.pause()
    await until('the relay to pause', async () => {
      const before = relay.down
      await new Promise((resolve) => setTimeout(resolve, 200))
      return relay.down > 0 && relay.down === before
    })
    expect(tunnel.readableLength).toBeLessThanOrEqual(1_048_576)
    expect(relay.down).toBeLessThan(8_000_000)
    // A paused connection is not treated as lost, and continues.
    const held = relay.down
    tunnel.resume()
    await until('more bytes', () => relay.down > held + 5_000_000)
    expect(losses).toEqual([])
  })
})

describe('a failing tunnel', () => {
  test.each<[string, Refusal, RegExp]>([
    [
      '4003',
      { code: 4003, reason: 'failed to connect to backend' },
      /^node-method: .*port 22 of gke-shop-pool-1-ab12 \(4003: failed to connect to backend\).*35\.235\.240\.0\/20.*2600:2d00:1:7::\/64.*firewall-rules create/,
    ],
    [
      '4033',
      { code: 4033, reason: 'not authorized' },
      /^node-method: .*\(4033: not authorized\).*roles\/iap\.tunnelResourceAccessor/,
    ],
    [
      '4047',
      { code: 4047 },
      /^node-method: .*not find the instance gke-shop-pool-1-ab12 in europe-west1-b of shop-prod \(4047\)/,
    ],
    ['4051', { code: 4051 }, /^node-method: .*not find the instance/],
    ['HTTP 401', { status: 401, body: 'Invalid token' }, /^node-method: .*access token \(HTTP 401: Invalid token\)/],
    [
      'HTTP 403',
      { status: 403, body: '<html>blocked\nby</html>' },
      /^node-method: a proxy .* refuses the tunnel .*\(HTTP 403\)\./,
    ],
    [
      'HTTP 404',
      { status: 404 },
      /^node-method: .*not have the zone europe-west1-b.*\(HTTP 404\).*IAP_TUNNEL_URL_OVERRIDE/,
    ],
    ['HTTP 500', { status: 500 }, /^node-method: .*\(HTTP 500\)/],
    ['4010 before the first connection', { code: 4010 }, /^node-method: .*\(4010\)/],
  ])('names the cause and the fix of %s, without another attempt', async (_title, answer, expected) => {
    await start(echo, { faults: { refusals: [{ on: 'connect', refusal: answer }] } })
    const error = await failure(open())
    expect(error.message).toMatch(expected)
    expect(error.message).not.toMatch(/ya29|\n/)
    expect(error.relayCode).toBe('status' in answer ? answer.status : answer.code)
    expect(relay.calls).toHaveLength(1)
    await until('nothing open', () => relay.connections === 0)
  })

  test('reports the error of the token source', async () => {
    await start(echo)
    await failure(open({ token: () => Promise.resolve('stale') })).then((error) => expect(error.relayCode).toBe(401))
    await expect(open({ token: () => Promise.reject(new Error('no token')) })).rejects.toThrow('no token')
  })

  test.each(['handshake', 'welcome'] as const)(
    'names the firewall when the relay does not answer (%s)',
    async (silent) => {
      await start(echo, { faults: { silent } })
      const error = await failure(open({ timing: { openTimeoutMs: 100 } }))
      expect(error.message).toMatch(
        /^node-method: .*port 22 of gke-shop.* \(no answer within 0\.1 s\).*35\.235\.240\.0\/20/,
      )
      expect(error).toMatchObject({ relayCode: undefined, isTransient: true })
    },
  )

  test('names the network error when nothing listens at the address', async () => {
    await start(echo)
    const { url } = relay
    await relay.stop()
    const error = await failure(open({ url }))
    expect(error.message).toMatch(/^node-method: the IAP relay 127\.0\.0\.1:\d+ cannot be reached \(.*ECONNREFUSED/)
  })

  test.each<[string, Buffer | string, RegExp]>([
    ['text', 'hello', /it sends text/],
    ['a truncated frame', Buffer.from('000400000005aa', 'hex'), /11 bytes announced, 7 received/],
    ['a second welcome', Buffer.from('00010000000161', 'hex'), /it connects twice/],
    ['more than 1 MiB at once', Buffer.alloc(1_100_000), /Max payload size exceeded/],
    ['a message without a tag', Buffer.from('00', 'hex'), /violates its protocol/],
  ])('reports that the relay sends %s', async (_title, rawAfterWelcome, expected) => {
    await start(() => {}, { faults: { rawAfterWelcome } })
    const tunnel = await open()
    const error = await failure(finished(tunnel.resume()))
    expect(error.message).toMatch(expected)
    expect(losses).toEqual([])
  })
})

describe('relayUrl', () => {
  test.each([
    [undefined, 'googleapis.com', 'wss://tunnel.cloudproxy.app/v4'],
    [undefined, 'example.cloud', 'wss://tunnel-cloudproxy.example.cloud/v4'],
    ['wss://relay.example.com', 'googleapis.com', 'wss://relay.example.com/v4'],
    ['wss://relay.example.com:8443/', 'googleapis.com', 'wss://relay.example.com:8443/v4'],
    ['wss://relay.example.com/v5/', 'googleapis.com', 'wss://relay.example.com/v5'],
    ['ws://127.0.0.1:9000/v4', 'googleapis.com', 'ws://127.0.0.1:9000/v4'],
    ['ws://[::1]:9000', 'googleapis.com', 'ws://[::1]:9000/v4'],
  ])('for the override %s in the universe %s is %s', (override, universe, url) => {
    expect(relayUrl(override === undefined ? {} : { IAP_TUNNEL_URL_OVERRIDE: override }, universe)).toBe(url)
  })

  test.each([
    ['https://relay.example.com/v4', /is not a WebSocket URL\. Set it to wss:/],
    ['relay.example.com', /is not a WebSocket URL\. Set it to wss:/],
    ['wss://relay.example.com/v4?x=1', /is not a WebSocket URL\. Set it to wss:/],
    ['wss://user@relay.example.com', /is not a WebSocket URL\. Set it to wss:/],
    ['ws://relay.example.com/v4', /plain ws, which is allowed for a loopback address only/],
  ])('rejects the override %s', async (override, expected) => {
    const message = await refusal(() => relayUrl({ IAP_TUNNEL_URL_OVERRIDE: override }, 'googleapis.com'))
    expect(message).toMatch(/^IAP_TUNNEL_URL_OVERRIDE: "/)
    expect(message).toMatch(expected)
  })
})
