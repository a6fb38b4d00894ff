import { createServer, type AddressInfo, type Socket } from 'node:net'
import { createHash } from 'node:crypto'
import type { Connection } from '../../../src/cluster/connection.ts'

/** A server in place of an API server: it gets the head of a request and writes what it likes. */
export interface HostileApiServer {
  /** what it does, for the title of a test */
  readonly does: string
  /** `elsewhere`: the address of another server, which must get no request */
  readonly answer: (socket: Socket, request: { readonly head: string; readonly elsewhere: string }) => void
}

export interface RawServer {
  readonly url: string
  /** the heads of the requests so far */
  readonly requests: readonly string[]
  readonly connection: Connection
  stop(): Promise<void>
}

export const secret = 'S3cret-t0ken'

/** A TCP server on loopback that calls `answer` for each request. */
export async function startRawServer(answer: (socket: Socket, head: string) => void): Promise<RawServer> {
  const sockets = new Set<Socket>()
  const requests: string[] = []
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
    let head = ''
    socket.on('data', (data) => {
      if (head.includes('\r\n\r\n')) return
      head += data.toString('latin1')
      if (!head.includes('\r\n\r\n')) return
      requests.push(head)
      answer(socket, head)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`
  return {
    url,
    requests,
    connection: {
      input: 'kubeconfig',
      server: url,
      namespace: undefined,
      description: 'test.example',
      trustedAuthority: undefined,
      credentials: () => Promise.resolve({ headers: { Authorization: `Bearer ${secret}` }, tls: {}, agent: undefined }),
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

const head = (status: string, headers: readonly string[] = []): string =>
  [`HTTP/1.1 ${status}`, ...headers, '', ''].join('\r\n')
const json = (text: string, status = '200 OK', headers: readonly string[] = []): string =>
  head(status, [`Content-Length: ${String(Buffer.byteLength(text))}`, ...headers]) + text

/** Repeats until the connection is closed. It uses the global timers, which a test may speed up. */
function forever(socket: Socket, everyMs: number, act: () => void): void {
  const timer = setInterval(() => (socket.destroyed ? clearInterval(timer) : act()), everyMs)
  timer.unref()
}

/** Writes as fast as the connection takes the data. */
function flood(socket: Socket, data: Buffer): void {
  const step = (): void => {
    while (!socket.destroyed) {
      if (!socket.write(data)) {
        socket.once('drain', step)
        return
      }
    }
  }
  step()
}

const answering =
  (text: string): HostileApiServer['answer'] =>
  (socket) =>
    socket.end(text)
const commands = '::set-output name=x::y\n##[set-output name=x;]y\u001b[31m'

/** Against any request, also the upgrade of exec. */
export const hostileApiServers: readonly HostileApiServer[] = [
  { does: 'accepts the connection and never answers', answer: () => undefined },
  { does: 'closes the connection without an answer', answer: (socket) => socket.destroy() },
  {
    does: 'sends one byte of its header in a second',
    answer: (socket) => {
      socket.write('HTTP/1.1 200 OK\r\nX-Slow: ')
      forever(socket, 1_000, () => socket.write('x'))
    },
  },
  {
    does: 'sends one byte of its body in a second',
    answer: (socket) => {
      socket.write(head('200 OK', ['Content-Length: 1000000']))
      forever(socket, 1_000, () => socket.write(' '))
    },
  },
  {
    does: 'sends a body without end',
    answer: (socket) => {
      socket.write(head('200 OK', ['Content-Type: application/json']))
      flood(socket, Buffer.alloc(1_048_576, 0x20))
    },
  },
  {
    does: 'sends a refusal without end',
    answer: (socket) => {
      socket.write(head('403 Forbidden', ['Content-Type: application/json']))
      flood(socket, Buffer.alloc(1_048_576, 0x78))
    },
  },
  {
    does: 'sends headers without end',
    answer: (socket) => {
      socket.write('HTTP/1.1 200 OK\r\n')
      flood(socket, Buffer.from('X-More: 1\r\n'.repeat(1_000)))
    },
  },
  {
    does: 'sends early hints without end',
    answer: (socket) => forever(socket, 500, () => socket.write(head('103 Early Hints', ['Link: </x>; rel=preload']))),
  },
  ...['301 Moved', '302 Found', '303 See Other', '307 Temporary Redirect', '308 Permanent Redirect'].map(
    (status): HostileApiServer => ({
      does: `redirects with ${status}`,
      answer: (socket, { elsewhere }) =>
        socket.end(head(status, [`Location: ${elsewhere}/api`, 'Content-Length: 0', 'Connection: close'])),
    }),
  ),
  {
    does: 'redirects to a URL with control characters and commands',
    answer: answering(head('302 Found', ['Location: https://a:b@\u0001##[error]x/', 'Content-Length: 0'])),
  },
  { does: 'answers with a login page', answer: answering(json('<html><form>::error::x</form></html>')) },
  { does: 'answers with a JSON array', answer: answering(json('[{"kind":"Pod"}]')) },
  { does: 'answers with the JSON null', answer: answering(json('null')) },
  { does: 'answers with JSON that ends early', answer: answering(json('{"metadata":{')) },
  { does: 'answers with JSON of 1,000,000 levels', answer: answering(json('['.repeat(1_000_000))) },
  { does: 'closes in the middle of its body', answer: answering(head('200 OK', ['Content-Length: 100']) + '{"a"') },
  {
    does: 'sends two lengths',
    answer: answering(head('200 OK', ['Content-Length: 2', 'Content-Length: 90']) + '{}'),
  },
  { does: 'speaks no HTTP', answer: answering('SSH-2.0-OpenSSH_9.6\r\n\r\n\u0000\u0001') },
  {
    does: 'asks to wait for 30 years',
    answer: answering(json('{"kind":"Status"}', '503 Busy', ['Retry-After: 999999999'])),
  },
  { does: 'asks to wait for a negative time', answer: answering(json('{}', '429 Busy', ['Retry-After: -5'])) },
  { does: 'rejects every token', answer: answering(json('{"kind":"Status","message":"no"}', '401 Unauthorized')) },
  {
    does: 'refuses with workflow commands',
    answer: answering(json(JSON.stringify({ kind: 'Status', reason: commands, message: commands }), '403 Forbidden')),
  },
  {
    does: 'refuses with a message of 8 MB',
    answer: answering(
      json(JSON.stringify({ kind: 'Status', reason: 'x'.repeat(1e6), message: 'y'.repeat(8e6) }), '500 Broken'),
    ),
  },
]

/** The head of an upgrade that a client accepts, with other headers. */
function upgrade(request: string, headers: readonly string[] = ['Sec-WebSocket-Protocol: v5.channel.k8s.io']): string {
  const key = /^sec-websocket-key: (.*)$/im.exec(request)?.[1] ?? ''
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
  const own = ['Upgrade: websocket', 'Connection: Upgrade', `Sec-WebSocket-Accept: ${accept}`]
  return head('101 Switching Protocols', [...own, ...headers])
}

/** Only against the upgrade of exec. */
export const hostileUpgrades: readonly HostileApiServer[] = [
  {
    does: 'sends one byte of its upgrade in a second',
    answer: (socket, request) => {
      socket.write(upgrade(request.head).slice(0, -2) + 'X-Slow: ')
      forever(socket, 1_000, () => socket.write('x'))
    },
  },
  {
    does: 'upgrades with a wrong key',
    answer: answering(
      head('101 Switching Protocols', ['Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Accept: x']),
    ),
  },
  {
    does: 'upgrades to a protocol that was not offered',
    answer: (socket, request) => socket.write(upgrade(request.head, ['Sec-WebSocket-Protocol: v9.evil'])),
  },
  ...(
    [
      ['bytes that are no frame', Buffer.from('HTTP/1.1 200 OK\r\n\r\n')],
      ['a frame of 8 exabytes', Buffer.from([0x82, 127, 0x7f, 255, 255, 255, 255, 255, 255, 255])],
      ['a frame of 1 GB', Buffer.from([0x82, 127, 0, 0, 0, 0, 0x40, 0, 0, 0])],
      ['a masked frame', Buffer.from([0x82, 0x81, 1, 2, 3, 4, 5])],
      ['a compressed frame', Buffer.from([0xc2, 1, 1])],
      ['a continuation of nothing', Buffer.from([0x80, 1, 1])],
      ['a ping of 200 bytes', Buffer.concat([Buffer.from([0x89, 126, 0, 200]), Buffer.alloc(200)])],
      ['a close with the code 0', Buffer.from([0x88, 2, 0, 0])],
      ['a close with Success', Buffer.from([0x88, 2, 0x03, 0xe8])],
      ['a status that is no JSON', Buffer.from([0x82, 3, 3, 0x7b, 0x7b, 0x88, 0])],
    ] as const
  ).map(([what, bytes]): HostileApiServer => ({
    does: `upgrades and sends ${what}`,
    answer: (socket, request) => {
      socket.write(upgrade(request.head))
      socket.write(bytes)
    },
  })),
]
