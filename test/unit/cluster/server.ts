import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { generate } from 'selfsigned'
import { WebSocketServer, type WebSocket } from 'ws'
import type { Connection } from '../../../src/cluster/connection.ts'

/** An API server of few lines on loopback: the test says what it answers, and sees what it was asked. */
export interface Server {
  readonly url: string
  /** PEM of its certificate, with `tls` */
  readonly certificate: string
  readonly requests: readonly AskedRequest[]
  readonly sessions: readonly ExecSession[]
  /** the answer to a request; 'hang' never answers, 'reset' cuts the connection */
  answer: (request: AskedRequest) => Answer | 'hang' | 'reset'
  /** the answer in place of an upgrade; undefined upgrades */
  refuse: (request: AskedRequest) => Answer | 'hang' | undefined
  /** what happens on each new exec connection, by its number from 0 */
  exec: (session: ExecSession, number: number) => void
  /** the remote command protocols that it speaks */
  protocols: readonly string[]
  readonly connection: Connection
  stop(): Promise<void>
}

export interface AskedRequest {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface Answer {
  readonly status: number
  /** an object is JSON */
  readonly body?: object | string
  readonly headers?: Record<string, string>
}

export interface ExecSession {
  readonly command: readonly string[]
  readonly query: URLSearchParams
  readonly socket: WebSocket
  /** whole lines of stdin so far */
  readonly stdin: readonly string[]
  /** told each line of stdin */
  onLine: (line: string) => void
  stdout(data: Buffer | string): void
  stderr(text: string): void
  /** the status on channel 3, then a close as the real server does it */
  end(status: object): void
  /** the connection breaks */
  cut(): void
}

/** With `tls` its certificate is for its address alone, or for the name `localhost` alone. */
export async function startServer({ tls }: { tls?: 'address' | 'localhost' } = {}): Promise<Server> {
  const requests: AskedRequest[] = []
  const sessions: ExecSession[] = []
  const { private: key, cert } = tls ? await selfSigned(tls) : { private: '', cert: '' }

  const onRequest = (message: IncomingMessage, response: ServerResponse): void => {
    void read(message).then((body) => {
      const request = asked(message, body)
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
    const request = asked(message, '')
    requests.push(request)
    const refusal = server.refuse(request)
    if (refusal === 'hang') return
    if (refusal !== undefined) {
      const { status, text, headers } = encode(refusal)
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
      socket.end(`HTTP/1.1 ${String(status)} No\r\n${lines.join('')}Connection: close\r\n\r\n${text}`)
      return
    }
    upgrades.handleUpgrade(message, socket, head, (client) => {
      const session = openSession(client, request.path)
      sessions.push(session)
      server.exec(session, sessions.length - 1)
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
    answer: () => ({ status: 404, body: status('NotFound', 'the server could not find the requested resource') }),
    refuse: () => undefined,
    exec: () => undefined,
    protocols: ['v5.channel.k8s.io', 'v4.channel.k8s.io'],
    connection: {
      input: 'kubeconfig',
      server: url,
      namespace: undefined,
      description: 'test.example as dev (context test)',
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
  send(1, '') // says "established"
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

/** A Status object as the API server makes it. */
export const status = (reason: string, message: string): object => ({
  kind: 'Status',
  apiVersion: 'v1',
  status: 'Failure',
  reason,
  message,
})

export const success = { metadata: {}, status: 'Success' }

function selfSigned(subject: 'address' | 'localhost'): Promise<{ private: string; cert: string }> {
  return generate([{ name: 'commonName', value: 'test' }], {
    keyType: 'ec',
    notAfterDate: new Date(Date.now() + 86_400_000),
    extensions: [
      { name: 'basicConstraints', cA: true },
      {
        name: 'subjectAltName',
        altNames: [subject === 'address' ? { type: 7, ip: '127.0.0.1' } : { type: 2, value: 'localhost' }],
      },
    ],
  })
}

function encode({ status: code, body = '', headers = {} }: Answer): {
  status: number
  text: string
  headers: Record<string, string>
} {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return { status: code, text, headers: { 'content-length': String(Buffer.byteLength(text)), ...headers } }
}

const asked = (message: IncomingMessage, body: string): AskedRequest => ({
  method: message.method ?? '',
  path: message.url ?? '',
  headers: message.headers,
  body,
})

async function read(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of message as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}
