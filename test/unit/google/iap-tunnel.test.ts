import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer as createHttpServer, type Server as HttpServer } from 'node:http'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { finished } from 'node:stream/promises'
import { HttpsProxyAgent } from 'https-proxy-agent'
import { ConfigurationError } from '../../../src/errors.ts'
import {
  openIapTunnel,
  TunnelError,
  tunnelUrl,
  type TunnelOptions,
  type TunnelTarget,
  type TunnelTiming,
} from '../../../src/google/iap-tunnel.ts'
import { startRelay, type Refusal, type Relay, type RelayOptions } from '../../sandbox/google/relay.ts'
import { until } from '../until.ts'
import { refusal } from './refusal.ts'

const target: TunnelTarget = {
  project: 'shop-prod',
  zone: 'europe-west1-b',
  instance: 'gke-shop-pool-1-ab12',
  interface: 'nic0',
  port: 22,
}
const fast: Partial<TunnelTiming> = {
  firstDelay: 5,
  longestDelay: 20,
  patience: 5_000,
  openTimeout: 5_000,
  ackDelay: 20,
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

/** A relay in front of something that listens on a port of an instance. */
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
    reconnecting: (reason) => losses.push(reason),
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
/** Answers with the SHA-256 of what came, once `size` bytes have. */
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
  test('asks for the port of the instance as gcloud does, over TLS', async () => {
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

  test('does not trust a relay whose certificate nobody vouches for', async () => {
    await start(echo, { tls: {} })
    const error = await failure(open())
    expect(error.message).toMatch(
      /^node-method: the IAP relay 127\.0\.0\.1:\d+ cannot be reached \(.*certificate.*HTTPS_PROXY/,
    )
    expect(relay.calls).toEqual([])
  })

  test("goes through the agent's proxy", async () => {
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

  test('both ways at once: 24 MB there and back', async () => {
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
    ['as it is', {}],
    ['in frames of 60 000 bytes', { frameSize: 60_000 }],
    ['in frames of 1 MiB', { frameSize: 1_048_576 }],
    ['with frames that nobody knows between', { unknownFrames: true }],
    ['with bytes behind each frame', { trailingBytes: 7 }],
  ])('the instance sends 20 MB %s and closes: the tunnel ends behind the last byte', async (_title, faults) => {
    const bytes = randomBytes(20_000_000)
    await start(source(bytes), { faults })
    const tunnel = await open()
    expect(sha256(await buffer(tunnel))).toBe(sha256(bytes))
    await until('the end', () => tunnel.closed)
    expect(tunnel.errored).toBeNull()
    await until('nothing open', () => relay.connections === 0)
  })

  test('the end of the instance comes in a frame of its own', async () => {
    await start(source(Buffer.from('bye')), { faults: { longClose: true } })
    const tunnel = await open()
    expect(String(await buffer(tunnel))).toBe('bye')
  })

  test('a reason in a frame of its own counts, not the code of the close', async () => {
    await start(() => {}, {
      faults: {
        rawAfterWelcome: Buffer.concat([Buffer.from('000a00000fc10000000e', 'hex'), Buffer.from('not authorized')]),
      },
    })
    const tunnel = await open()
    const end = failure(finished(tunnel.resume()))
    relay.cut(1000)
    expect(await end).toMatchObject({ code: 4033, reason: '4033: not authorized' })
  })

  test('end() hands over what was written, then closes', async () => {
    const bytes = randomBytes(5_000_000)
    let got: Buffer | undefined
    await start((socket) => void buffer(socket).then((all) => (got = all)))
    const tunnel = await open()
    tunnel.end(bytes)
    await finished(tunnel.resume())
    expect(sha256(await until('the end of the instance', () => got))).toBe(sha256(bytes))
    expect(relay.sessions).toBe(0)
  })

  test('end() while the connection breaks: what was written arrives all the same', async () => {
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

  test('destroy() leaves nothing open, and no session behind', async () => {
    await start(echo)
    const tunnel = await open()
    tunnel.write('x')
    await once(tunnel, 'data')
    tunnel.destroy()
    await once(tunnel, 'close')
    await until('nothing open', () => relay.connections === 0 && relay.sessions === 0 && sockets.size === 0)
  })

  test('destroy() while a connection is made again leaves nothing open', async () => {
    await start(echo)
    const tunnel = await open()
    relay.faults.silent = 'handshake'
    relay.cut()
    await until('the second call', () => relay.calls.length === 2)
    tunnel.destroy()
    await once(tunnel, 'close')
    await until('nothing open', () => relay.connections === 0)
  })

  test('the signal gives up a tunnel that does not open', async () => {
    await start(echo, { faults: { silent: 'welcome' } })
    const abort = new AbortController()
    const opening = open({ signal: abort.signal })
    await until('the call', () => relay.connections === 1)
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
  ])('down: %s three times, every byte comes once', async (_title, code, reason) => {
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
    // a fresh token each time
    expect(relay.calls.map(({ token }) => token)).toEqual(['ya29.1', 'ya29.2', 'ya29.3', 'ya29.4'])
    expect(new Set(relay.calls.slice(1).map(({ sid }) => sid)).size).toBe(1)
  })

  test.each([
    ['cut', 0],
    ['4004', 4004],
  ])('up: %s three times, every byte comes once', async (_title, code) => {
    const bytes = randomBytes(size)
    const after = [1_000_000, 10_000_001, 20_000_000]
    await start(sink(size), { faults: { cuts: after.map((at) => ({ after: at, of: 'up', code })) } })
    const tunnel = await open()
    tunnel.write(bytes)
    expect(String(await buffer(tunnel))).toBe(`${String(size)} ${sha256(bytes)}`)
    expect(losses).toHaveLength(3)
  })

  test('says which token the relay takes no more, 4004 or 401, and of no other loss', async () => {
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

  test('is made again later and later: refused by 503, 4002 and a token that is not to be had', async () => {
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

  test('is given up after its time, naming the last cause', async () => {
    await start(echo)
    const tunnel = await open({ timing: { patience: 100 } })
    relay.faults.refusals.push(
      ...Array.from({ length: 99 }, () => ({ on: 'reconnect' as const, refusal: { status: 502 } })),
    )
    relay.cut()
    const error = await failure(finished(tunnel.resume()))
    expect(error.message).toMatch(/is lost and did not come back in 0\.\d s \(HTTP 502\)/)
    expect(error).toMatchObject({ code: 502, passing: false })
    // 0 + 5 + 5.5 + … fit into 100 ms eleven times at most
    expect(relay.calls.length).toBeGreaterThan(4)
    expect(relay.calls.length).toBeLessThanOrEqual(13)
  })

  test('a relay that lets us in and breaks at once is no success: tries become rarer, and end', async () => {
    await start(() => {})
    const tunnel = await open({ timing: { patience: 150, longestDelay: 1_000 } })
    const end = failure(finished(tunnel.resume()))
    const cutter = setInterval(() => relay.cut(), 1)
    try {
      expect((await end).message).toMatch(/did not come back/)
    } finally {
      clearInterval(cutter)
    }
    expect(relay.calls.length).toBeLessThanOrEqual(18)
  })

  test('a relay that is silent is left after two pings without an answer', async () => {
    await start(echo)
    const tunnel = await open({ timing: { pingEvery: 40 } })
    tunnel.write('x')
    await once(tunnel, 'data')
    relay.freeze()
    tunnel.write('y')
    expect(String((await once(tunnel, 'data'))[0])).toBe('y')
    expect(losses).toEqual([expect.stringMatching(/^1006: no sign of life for 0\.08 s$/)])
  })

  test.each([
    [4001, /no longer knows the session/],
    [4006, /4006: injected/],
    [1011, /1011: injected/],
  ])('%i is the end, without another try', async (code, words) => {
    await start(echo)
    const tunnel = await open()
    const end = failure(finished(tunnel.resume()))
    relay.cut(code)
    const error = await end
    expect(error).toMatchObject({ code, passing: false })
    expect(error.message).toMatch(words)
    expect(operations()).toEqual([['connect', 'open']])
  })

  test('a session that the relay has forgotten is the end', async () => {
    await start(echo)
    const tunnel = await open()
    relay.faults.refusals.push({ on: 'reconnect', refusal: { code: 4001, reason: 'SID unknown' } })
    const end = failure(finished(tunnel.resume()))
    relay.cut()
    expect(await end).toMatchObject({ code: 4001, reason: '4001: SID unknown' })
  })
})

describe('confirmations', () => {
  test('a relay that confirms nothing: what waits is bounded, and all arrives', async () => {
    const size = 20_000_000
    const bytes = randomBytes(size)
    await start(sink(size), { faults: { noAcks: true } })
    const tunnel = await open({ timing: { ackPatience: 50 } })
    let written = 0
    for (let at = 0; at < size; at += 50_000) {
      tunnel.write(bytes.subarray(at, at + 50_000), () => (written += 50_000))
    }
    // The queue takes 2 MiB, then waits.
    await until('a full queue', () => written >= 1_900_000)
    expect(written).toBeLessThan(2_200_000)
    expect(String(await buffer(tunnel))).toBe(`${String(size)} ${sha256(bytes)}`)
  })

  test('what a relay has neither confirmed nor got cannot be sent again: an error, not a gap', async () => {
    await start((socket) => socket.resume(), { faults: { noAcks: true } })
    const tunnel = await open({ timing: { ackPatience: 20 } })
    const end = failure(finished(tunnel.resume()))
    let written = false
    tunnel.write(randomBytes(10_000_000), () => (written = true))
    await until('the write', () => written)
    relay.faults.nextAck = () => 1_000n
    relay.cut()
    expect((await end).message).toMatch(/does not keep to its protocol \(it lacks \d+ bytes/)
  })

  test.each([
    ['beyond what was sent', (total: bigint) => total + 1n, /it confirms 100001 bytes of 100000/],
    ['of a number beyond all', () => 2n ** 64n - 1n, /it confirms 18446744073709551615 bytes of/],
  ])('one %s is an error', async (_title, change, words) => {
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
    expect((await end).message).toMatch(words)
  })

  test('one that goes backwards is an error', async () => {
    await start((socket) => socket.resume())
    const tunnel = await open()
    const end = failure(finished(tunnel.resume()))
    tunnel.write(Buffer.alloc(100_000))
    await until('the bytes', () => relay.up === 100_000)
    relay.acknowledge()
    relay.faults.nextAck = () => 99_999n
    relay.acknowledge()
    expect((await end).message).toMatch(/it confirms 99999 bytes after 100000/)
  })

  test('ours come with the frame that exceeds 32 KiB, and soon after the last bytes', async () => {
    await start((socket) => {
      socket.resume()
      socket.write(Buffer.alloc(3_000_000))
    })
    const tunnel = await open()
    tunnel.resume()
    await until('the last confirmation', () => relay.acks.at(-1) === 3_000_000)
    const steps = relay.acks.map((total, index) => total - (relay.acks[index - 1] ?? 0))
    for (const step of steps.slice(0, -1)) expect(step).toBeGreaterThan(32_768)
    for (const step of steps) expect(step).toBeLessThanOrEqual(32_768 + 16_384)
  })

  test('a slow reader holds the relay back, and memory stays', async () => {
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
    await until('the relay to hold', async () => {
      const before = relay.down
      await new Promise((resolve) => setTimeout(resolve, 200))
      return relay.down > 0 && relay.down === before
    })
    expect(tunnel.readableLength).toBeLessThanOrEqual(1_048_576)
    expect(relay.down).toBeLessThan(8_000_000)
    // A held connection is not taken for a dead one, and goes on.
    const held = relay.down
    tunnel.resume()
    await until('more bytes', () => relay.down > held + 5_000_000)
    expect(losses).toEqual([])
  })
})

describe('a refusal', () => {
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
      /^node-method: .*no instance gke-shop-pool-1-ab12 in europe-west1-b of shop-prod \(4047\)/,
    ],
    ['4051', { code: 4051 }, /^node-method: .*no instance/],
    ['HTTP 401', { status: 401, body: 'Invalid token' }, /^node-method: .*access token \(HTTP 401: Invalid token\)/],
    [
      'HTTP 403',
      { status: 403, body: '<html>blocked\nby</html>' },
      /^node-method: .*by a proxy on the way.*\(HTTP 403\)|\(HTTP 403\): by a proxy/,
    ],
    ['HTTP 404', { status: 404 }, /^node-method: .*no zone europe-west1-b.*\(HTTP 404\).*IAP_TUNNEL_URL_OVERRIDE/],
    ['HTTP 500', { status: 500 }, /^node-method: .*\(HTTP 500\)/],
    ['4010 before there was a connection', { code: 4010 }, /^node-method: .*\(4010\)/],
  ])('%s names cause and fix, and nothing is tried again', async (_title, answer, words) => {
    await start(echo, { faults: { refusals: [{ on: 'connect', refusal: answer }] } })
    const error = await failure(open())
    expect(error.message).toMatch(words)
    expect(error.message).not.toMatch(/ya29|\n/)
    expect(error.code).toBe('status' in answer ? answer.status : answer.code)
    expect(relay.calls).toHaveLength(1)
    await until('nothing open', () => relay.connections === 0)
  })

  test('of the token itself', async () => {
    await start(echo)
    await failure(open({ token: () => Promise.resolve('stale') })).then((error) => expect(error.code).toBe(401))
    await expect(open({ token: () => Promise.reject(new Error('no token')) })).rejects.toThrow('no token')
  })

  test.each(['handshake', 'welcome'] as const)('a relay without an answer to the %s', async (silent) => {
    await start(echo, { faults: { silent } })
    const error = await failure(open({ timing: { openTimeout: 100 } }))
    expect(error.message).toMatch(
      /^node-method: .*port 22 of gke-shop.* \(no answer within 0\.1 s\).*35\.235\.240\.0\/20/,
    )
    expect(error).toMatchObject({ code: undefined, passing: true })
  })

  test('nobody at the address', async () => {
    await start(echo)
    const { url } = relay
    await relay.stop()
    const error = await failure(open({ url }))
    expect(error.message).toMatch(/^node-method: the IAP relay 127\.0\.0\.1:\d+ cannot be reached \(.*ECONNREFUSED/)
  })

  test.each<[string, Buffer | string, RegExp]>([
    ['text', 'hello', /it sends text/],
    ['a frame that ends too early', Buffer.from('000400000005aa', 'hex'), /11 bytes announced, 7 came/],
    ['a second welcome', Buffer.from('00010000000161', 'hex'), /it connects twice/],
    ['more than 1 MiB at once', Buffer.alloc(1_100_000), /Max payload size exceeded/],
    ['a message without a tag', Buffer.from('00', 'hex'), /does not keep to its protocol/],
  ])('a relay that sends %s', async (_title, rawAfterWelcome, words) => {
    await start(() => {}, { faults: { rawAfterWelcome } })
    const tunnel = await open()
    const error = await failure(finished(tunnel.resume()))
    expect(error.message).toMatch(words)
    expect(losses).toEqual([])
  })
})

describe('the address of the relay', () => {
  test.each([
    [undefined, 'googleapis.com', 'wss://tunnel.cloudproxy.app/v4'],
    [undefined, 'example.cloud', 'wss://tunnel-cloudproxy.example.cloud/v4'],
    ['wss://relay.example.com', 'googleapis.com', 'wss://relay.example.com/v4'],
    ['wss://relay.example.com:8443/', 'googleapis.com', 'wss://relay.example.com:8443/v4'],
    ['wss://relay.example.com/v5/', 'googleapis.com', 'wss://relay.example.com/v5'],
    ['ws://127.0.0.1:9000/v4', 'googleapis.com', 'ws://127.0.0.1:9000/v4'],
    ['ws://[::1]:9000', 'googleapis.com', 'ws://[::1]:9000/v4'],
  ])('%s in %s is %s', (override, universe, url) => {
    expect(tunnelUrl(override === undefined ? {} : { IAP_TUNNEL_URL_OVERRIDE: override }, universe)).toBe(url)
  })

  test.each([
    ['https://relay.example.com/v4', /takes wss:/],
    ['relay.example.com', /takes wss:/],
    ['wss://relay.example.com/v4?x=1', /takes wss:/],
    ['wss://user@relay.example.com', /takes wss:/],
    ['ws://relay.example.com/v4', /plain ws for a loopback address only/],
  ])('%s is none', async (override, words) => {
    const message = await refusal(() => tunnelUrl({ IAP_TUNNEL_URL_OVERRIDE: override }, 'googleapis.com'))
    expect(message).toMatch(/^IAP_TUNNEL_URL_OVERRIDE: got "/)
    expect(message).toMatch(words)
  })
})
