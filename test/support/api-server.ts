import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { WebSocketServer, type WebSocket } from 'ws'
import type { Connection } from '../../src/cluster/connection.ts'
import { loopbackCertificate } from './certificates.ts'
import { readText } from './read-text.ts'

/** A small API server on loopback: the test sets its answers and reads its requests. */
export interface Server {
  readonly url: string
  /** PEM of its certificate, with `tls` */
  readonly certificate: string
  readonly requests: readonly ReceivedRequest[]
  readonly sessions: readonly ExecSession[]
  readonly deliveries: readonly ExecSession[]
  /** the answer to a request; 'hang' never answers, 'reset' cuts the connection */
  answer: (request: ReceivedRequest) => Answer | 'hang' | 'reset'
  /** the answer instead of an upgrade; undefined allows the upgrade */
  refuse: (request: ReceivedRequest) => Answer | 'hang' | undefined
  /** called for each new exec connection, with its number from 0 */
  exec: (session: ExecSession, number: number) => void
  /** the same for the exec that delivers a recorder, which succeeds by default */
  deliver: (session: ExecSession, number: number) => void
  /** the supported remote command protocols */
  protocols: readonly string[]
  readonly connection: Connection
  stop(): Promise<void>
}

export interface ReceivedRequest {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface Answer {
  readonly status: number
  /** an object is sent as JSON */
  readonly body?: object | string
  readonly headers?: Record<string, string>
}

export interface ExecSession {
  readonly command: readonly string[]
  readonly query: URLSearchParams
  readonly socket: WebSocket
  /** whole lines of stdin so far */
  readonly stdin: readonly string[]
  /** called with each line of stdin */
  onLine: (line: string) => void
  stdout(data: Buffer | string): void
  stderr(text: string): void
  /** sends the status on channel 3, then closes the connection as the real server does */
  end(status: object): void
  /** breaks the connection */
  cut(): void
}

/** With `tls` the certificate is valid only for the address, or only for the name `localhost`. Servers with the same `name` share a certificate. */
export async function startServer({
  tls,
  name = 'api-server',
}: { tls?: 'address' | 'localhost'; name?: string } = {}): Promise<Server> {
  const requests: ReceivedRequest[] = []
  const sessions: ExecSession[] = []
  const deliveries: ExecSession[] = []
  const { private: key, cert } = tls ? await loopbackCertificate(name, [tls]) : { private: '', cert: '' }

  const onRequest = (message: IncomingMessage, response: ServerResponse): void => {
    void readText(message).then((body) => {
      const request = received(message, body)
      requests.push(request)
      const answer = server.answer(request)
      if (answer === 'hang') return
      if (answer === 'reset') {
        message.socket.destroy()
        return
      }
      const { status, text, headers } = encode(answer)
      response.writeHead(status, headers).end(text)
    })
  }
  const listener = tls ? createTlsServer({ key, cert }, onRequest) : createServer(onRequest)
  const upgrades = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    handleProtocols: (offered) => server.protocols.find((protocol) => offered.has(protocol)) ?? false,
  })
  listener.on('upgrade', (message: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy())
    const request = received(message, '')
    requests.push(request)
    const refusal = server.refuse(request)
    if (refusal === 'hang') return
    if (refusal !== undefined) {
      const { status, text, headers } = encode(refusal)
      const lines = Object.entries(headers).map((header) => `${header.join(': ')}\r\n`)
      socket.end(`HTTP/1.1 ${String(status)} No\r\n${lines.join('')}Connection: close\r\n\r\n${text}`)
      return
    }
    upgrades.handleUpgrade(message, socket, head, (client) => {
      const session = openSession(client, request.path)
      const isDelivery = session.command[3] === 'deliver' // of a recorder, see recorders/delivery.ts
      const list = isDelivery ? deliveries : sessions
      list.push(session)
      ;(isDelivery ? server.deliver : server.exec)(session, list.length - 1)
    })
  })
  const sockets = new Set<Duplex>()
  listener.on('connection', (socket: Duplex) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  const url = `${tls ? 'https' : 'http'}://127.0.0.1:${String((listener.address() as AddressInfo).port)}`

  const server: Server = {
    url,
    certificate: cert,
    requests,
    sessions,
    deliveries,
    answer: () => ({ status: 404, body: status('NotFound', 'the server could not find the requested resource') }),
    refuse: () => undefined,
    exec: () => undefined,
    deliver: (session) => session.stderr('delivered\n'),
    protocols: ['v5.channel.k8s.io', 'v4.channel.k8s.io'],
    connection: {
      input: 'kubeconfig',
      server: url,
      namespace: undefined,
      description: 'test.example as dev (context test)',
      trustedAuthority: 'the test authority',
      credentials: () =>
        Promise.resolve({ headers: { Authorization: 'Bearer t0ken' }, tls: { ca: cert }, agent: undefined }),
    },
    stop: () =>
      new Promise((resolve) => {
        listener.close(() => {
          resolve()
        })
        for (const socket of sockets) socket.destroy()
      }),
  }
  return server
}

function openSession(socket: WebSocket, path: string): ExecSession {
  const query = new URL(path, 'http://x').searchParams
  const stdin: string[] = []
  let rest = ''
  socket.on('error', () => undefined)
  socket.on('message', (data: Buffer) => {
    if (data[0] !== 0) throw new Error(`the client wrote to channel ${String(data[0])}`)
    const lines = (rest + data.subarray(1).toString()).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      stdin.push(line)
      session.onLine(line)
    }
  })
  const send = (channel: number, data: Buffer | string): void => {
    if (socket.readyState === socket.OPEN) socket.send(Buffer.concat([Buffer.of(channel), Buffer.from(data as string)]))
  }
  send(1, '') // signals that the connection is established
  const session: ExecSession = {
    command: query.getAll('command'),
    query,
    socket,
    stdin,
    onLine: () => undefined,
    stdout: (data) => send(1, data),
    stderr: (text) => send(2, text),
    end: (value) => {
      send(3, JSON.stringify(value))
      socket.close(1000)
    },
    cut: () => socket.terminate(),
  }
  return session
}

/** A Status object as the API server returns it. */
export const status = (reason: string, message: string): object => ({
  kind: 'Status',
  apiVersion: 'v1',
  status: 'Failure',
  reason,
  message,
})

export const success = { metadata: {}, status: 'Success' }

function encode({ status: code, body = '', headers = {} }: Answer): {
  status: number
  text: string
  headers: Record<string, string>
} {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return { status: code, text, headers: { 'content-length': String(Buffer.byteLength(text)), ...headers } }
}

const received = (message: IncomingMessage, body: string): ReceivedRequest => ({
  method: message.method ?? '',
  path: message.url ?? '',
  headers: message.headers,
  body,
})
