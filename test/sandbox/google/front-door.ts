import { request as tlsRequest, createServer } from 'node:https'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { loopbackCertificate } from '../../support/certificates.ts'

/** A proxy for an API server that accepts other tokens than the server, as a cloud's control plane does. */
export interface ControlPlane {
  /** HOST:PORT */
  readonly address: string
  /** PEM of its certificate authority */
  readonly certificateAuthority: string
  /** number of requests with an invalid or expired token */
  readonly refused: () => number
  /** breaks all open connections; returns their number */
  cut(): number
  stop(): Promise<void>
}

/** `enter` returns the API server's token for a bearer token, or undefined. `ca`: PEM of the API server's authority. */
export async function startControlPlane(
  upstream: URL,
  ca: string,
  enter: (token: string) => string | undefined,
): Promise<ControlPlane> {
  const certificate = await loopbackCertificate('control-plane', ['address'])
  let refused = 0

  /** The request with the API server's token; undefined if the token is invalid. */
  const onward = (message: IncomingMessage): ReturnType<typeof tlsRequest> | undefined => {
    const [, token = ''] = /^Bearer (.+)$/.exec(message.headers.authorization ?? '') ?? []
    const own = enter(token)
    if (own === undefined) {
      refused += 1
      return undefined
    }
    const headers = { ...message.headers, authorization: `Bearer ${own}`, host: upstream.host }
    return tlsRequest(new URL(message.url ?? '/', upstream), { method: message.method, headers, ca, agent: false })
  }
  const unauthorized = JSON.stringify({
    ...{ kind: 'Status', apiVersion: 'v1', status: 'Failure', message: 'Unauthorized', reason: 'Unauthorized' },
    code: 401,
  })

  const server = createServer(
    { key: certificate.private, cert: certificate.cert },
    (message: IncomingMessage, response: ServerResponse) => {
      const request = onward(message)
      if (request === undefined) {
        response.writeHead(401, { 'content-type': 'application/json' }).end(unauthorized)
        return
      }
      request.on('response', (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(response)
      })
      request.on('error', () => response.destroy())
      message.pipe(request)
    },
  )
  server.on('upgrade', (message: IncomingMessage, client: Duplex) => {
    client.on('error', () => client.destroy())
    const request = onward(message)
    if (request === undefined) {
      client.end(`HTTP/1.1 401 Unauthorized\r\nContent-Length: ${String(unauthorized.length)}\r\n\r\n${unauthorized}`)
      return
    }
    const head = (answer: IncomingMessage): string => {
      const lines = Object.entries(answer.headers).map(([name, value]) => `${name}: ${String(value)}\r\n`)
      return `HTTP/1.1 ${String(answer.statusCode)} ${answer.statusMessage ?? ''}\r\n${lines.join('')}\r\n`
    }
    request.on('upgrade', (answer, far: Duplex, first: Buffer) => {
      client.write(head(answer))
      client.write(first)
      far.on('error', () => client.destroy())
      far.on('close', () => client.destroy())
      client.on('close', () => far.destroy())
      client.pipe(far).pipe(client)
    })
    request.on('response', (answer) => {
      client.write(head(answer))
      answer.pipe(client)
    })
    request.on('error', () => client.destroy())
    request.end()
  })
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const cut = (): number => {
    const open = sockets.size
    for (const socket of sockets) socket.destroy()
    return open
  }
  return {
    address: `127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    certificateAuthority: certificate.cert,
    refused: () => refused,
    cut,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        cut()
      }),
  }
}
