import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { connect, type AddressInfo, type Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import {
  loopbackCertificate,
  makeChain,
  makeNamelessCertificate,
  type Certificate,
  type Chain,
} from './certificates.ts'
import { startSocksServer } from './socks-server.ts'

/** An API server with and without TLS, and proxies before it, on loopback. It writes down who asks, and answers every request. */
export interface IdentityServer {
  readonly certificate: Certificate
  /** what a client gets that asks for the server `chained.example`; the server sends its own certificate alone */
  readonly chain: Chain
  /** what a client gets that asks for the server `nameless.example` */
  readonly nameless: Certificate
  readonly ports: Readonly<Record<'tls' | 'plain' | 'httpProxy' | 'socksProxy', number>>
  /** what was asked since the last call: the requests with their identity, and each connection through a proxy; in order, each once */
  take(): readonly string[]
  stop(): Promise<void>
}

export async function startIdentityServer(): Promise<IdentityServer> {
  const certificate = await loopbackCertificate('identity-server')
  const asked: string[] = []
  const sockets = new Set<Socket>()
  const answer = (message: IncomingMessage, response: ServerResponse): void => {
    asked.push(describeRequest(message))
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
  }
  const tls = createTlsServer(
    { key: certificate.private, cert: certificate.cert, requestCert: true, rejectUnauthorized: false },
    answer,
  )
  const chain = await makeChain('chained.example')
  const nameless = await makeNamelessCertificate('nameless.example')
  for (const [host, { private: key, cert }] of [
    ['chained.example', chain.server],
    ['nameless.example', nameless],
  ] as const)
    tls.addContext(host, { key, cert })
  const plain = createServer(answer)
  const httpProxy = createServer((_message, response) => response.writeHead(405).end())
  httpProxy.on('connect', ({ url, headers }: IncomingMessage, socket: Socket) => {
    asked.push(`CONNECT ${url ?? ''} ${headers['proxy-authorization'] ?? ''}`)
    const onward = connect(Number(url?.replace(/^.*:/, '')), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
      onward.pipe(socket).pipe(onward)
    })
    for (const one of [socket, onward]) one.on('error', () => one.destroy())
    sockets.add(onward)
  })
  for (const server of [tls, plain, httpProxy]) {
    server.on('connection', (socket: Socket) => sockets.add(socket))
    await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve))
  }
  const socks = await startSocksServer()
  let socksCount = 0
  return {
    ...{ certificate, chain, nameless },
    ports: { tls: portOf(tls), plain: portOf(plain), httpProxy: portOf(httpProxy), socksProxy: socks.port },
    take: () => {
      const all = [...socks.asked.slice(socksCount).map((target) => `SOCKS ${target}`), ...asked.splice(0)]
      socksCount = socks.asked.length
      return [...new Set(all)]
    },
    stop: async () => {
      for (const socket of sockets) socket.destroy()
      await Promise.all([tls, plain, httpProxy].map((server) => new Promise((resolve) => server.close(resolve))))
      await socks.stop()
    },
  }
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port

/** The path, and every header and certificate that says who asks. */
function describeRequest({ url, headers, rawHeaders, socket }: IncomingMessage): string {
  const certificate = 'getPeerCertificate' in socket ? (socket as TLSSocket).getPeerCertificate() : undefined
  const kind = 'encrypted' in socket ? 'https' : 'http'
  const impersonated = rawHeaders
    .flatMap((name, index) => (index % 2 === 0 ? [`${name.toLowerCase()}: ${rawHeaders[index + 1] ?? ''}`] : []))
    .filter((line) => line.startsWith('impersonate-'))
    .sort()
  const subject = certificate?.subject as { readonly CN?: string } | undefined
  // kubectl version adds its time limit
  const parts = [
    kind,
    url?.replace(/[?]timeout=\w+$/, ''),
    headers.authorization,
    subject?.CN && `certificate of ${subject.CN}`,
    ...impersonated,
  ]
  return parts.filter(Boolean).join(' | ')
}
