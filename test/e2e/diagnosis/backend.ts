import { createSocket, type RemoteInfo } from 'node:dgram'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { SecureVersion } from 'node:tls'
import { setTimeout as delay } from 'node:timers/promises'
import type { Certificate } from '../../support/certificates.ts'

/**
 * The servers of the diagnosis scenarios, as a program of its own: start-backend.ts runs it in the network namespace of a pod. It writes one line of
 * JSON for each thing that it does, so that a test knows what a client was sent: `{"did":"503","client":"10.244.0.7"}`.
 */

/** Nothing listens on `closed`. */
export const ports = { http: 8080, tls: 8443, expired13: 8444, expired12: 8445, closed: 9999, dns: 53 } as const

/** How long the slow path takes, the path that does not read its request at once, and the DNS name that is slow. */
export const waitMs = { answer: 1_500, read: 2_000, dns: 900 } as const

/** The DNS names that fail; every other name has the address `BackendSettings.address`. */
export const dnsNames = { failing: 'failing.example', silent: 'silent.example', slow: 'slow.example' } as const

/** In the environment variable BACKEND, as JSON. */
export interface BackendSettings {
  /** IPv4, the answer to DNS queries */
  readonly address: string
  readonly valid: Certificate
  readonly expired: Certificate
}

const tell = (did: string, client?: string): void => {
  process.stdout.write(`${JSON.stringify({ did, client })}\n`)
}

function readAll(request: IncomingMessage): Promise<void> {
  return new Promise((resolve, reject) => {
    request.on('end', resolve).on('error', reject).resume()
  })
}

async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const client = request.socket.remoteAddress
  const [, path = ''] = (request.url ?? '').split('/')
  if (path === 'unread') await delay(waitMs.read) // what is sent fills the buffers of the connection, then its window is 0
  await readAll(request)
  if (path === 'slow') await delay(waitMs.answer)
  const status = path === '503' ? 503 : 200
  tell(String(status), client)
  response.writeHead(status, { 'Content-Type': 'text/plain' }).end(`${path}\n`)
}

const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
  respond(request, response).catch(() => response.destroy())
}

function serveTls(port: number, { private: key, cert }: Certificate, version: SecureVersion): void {
  createTlsServer({ key, cert, minVersion: version, maxVersion: version }, onRequest).listen(port, '0.0.0.0')
}

/** The name in the only question of a query, and where the question ends (RFC 1035, 4.1.2). */
function readQuestion(query: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = []
  let at = 12
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  return { name: labels.join('.'), type: query.readUInt16BE(at + 1), end: at + 5 }
}

const typeA = 1
const responseFlags = 0x8180
const servfail = 2

function answerTo(query: Buffer, address: string): Buffer {
  const { name, type, end } = readQuestion(query)
  const isFailing = name === dnsNames.failing
  const hasAddress = !isFailing && type === typeA
  const header = Buffer.alloc(12)
  query.copy(header, 0, 0, 2)
  header.writeUInt16BE(responseFlags | (isFailing ? servfail : 0), 2)
  header.writeUInt16BE(1, 4)
  header.writeUInt16BE(hasAddress ? 1 : 0, 6)
  // A pointer to the name of the question, type A, class IN, 30 s, four bytes (RFC 1035, 4.1.3)
  const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 30, 0, 4, ...address.split('.').map(Number)])
  return Buffer.concat([header, query.subarray(12, end), ...(hasAddress ? [record] : [])])
}

function serveDns(answered: string, onListening: () => void): void {
  const socket = createSocket('udp4')
  const onQuery = async (query: Buffer, { address, port }: RemoteInfo): Promise<void> => {
    const { name } = readQuestion(query)
    tell(`query ${name}`, address)
    if (name === dnsNames.silent) return
    if (name === dnsNames.slow) await delay(waitMs.dns)
    socket.send(answerTo(query, answered), port, address)
  }
  socket.on('message', (query, from) => void onQuery(query, from))
  socket.bind(ports.dns, '0.0.0.0', onListening)
}

const settingsText = process.env['BACKEND']
if (settingsText !== undefined) {
  const { address, valid, expired } = JSON.parse(settingsText) as BackendSettings
  serveTls(ports.tls, valid, 'TLSv1.3')
  serveTls(ports.expired13, expired, 'TLSv1.3')
  serveTls(ports.expired12, expired, 'TLSv1.2')
  const server = createServer(onRequest)
  server.keepAliveTimeout = 60_000 // a connection that a test leaves idle is not closed here
  server.listen(ports.http, '0.0.0.0', () => serveDns(address, () => tell('start')))
}
