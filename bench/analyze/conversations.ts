import { type Flow, flag, type PacketWriter, type Payload } from './packet-writer.ts'

/** What was written, to compare it with what the analysis counts. */
export interface Counts {
  connections: number
  httpRequests: number
  dnsQueries: number
  tlsHandshakes: number
}

export interface Context {
  readonly writer: PacketWriter
  readonly counts: Counts
  readonly random: (limitCount: number) => number
}

/** Writes one packet with each step. */
export type Step = Generator<undefined, undefined, undefined>

export type ConversationKind = 'http' | 'tls' | 'bulk' | 'messages' | 'dns'

type Conversation = (context: Context, flow: Flow) => Step

const segmentBytes = 1_448
const pool = poolOfBytes(262_144)

export const conversations: Record<ConversationKind, Conversation> = { http, tls, bulk, messages, dns }

/** Requests on one connection: an answer of up to 30 kB to each. */
function* http({ writer, counts, random }: Context, flow: Flow): Step {
  yield* open({ writer, counts, random }, flow)
  for (let left = 1 + random(6); left > 0; left -= 1) {
    counts.httpRequests += 1
    const bodyBytes = 200 + random(30_000)
    const [request, response] = [requests[random(requests.length)]!, responseHead(bodyBytes)]
    yield void writer.segment(flow, 0, flag.ack | flag.psh, whole(request))
    yield void writer.segment(flow, 1, flag.ack)
    yield void writer.segment(flow, 1, flag.ack | flag.psh, whole(response))
    yield* stream(writer, flow, bodyBytes)
  }
  yield* close(writer, flow)
}

/** TLS 1.3: both hellos, then records of application data of up to 16 kB. */
function* tls({ writer, counts, random }: Context, flow: Flow): Step {
  yield* open({ writer, counts, random }, flow)
  counts.tlsHandshakes += 1
  yield void writer.segment(flow, 0, flag.ack | flag.psh, whole(clientHellos[random(clientHellos.length)]!))
  yield void writer.segment(flow, 1, flag.ack)
  yield void writer.segment(flow, 1, flag.ack | flag.psh, whole(serverHello))
  yield void writer.segment(flow, 0, flag.ack | flag.psh, { bytes: record, start: 0, length: 5 + 64 })
  for (let left = 1 + random(4); left > 0; left -= 1) {
    yield void writer.segment(flow, 0, flag.ack | flag.psh, whole(shortRecord))
    yield* stream(writer, flow, record.length, record)
  }
  yield* close(writer, flow)
}

/** A protocol that is not recognised: short requests, answers of up to 100 kB. */
function* bulk({ writer, counts, random }: Context, flow: Flow): Step {
  yield* open({ writer, counts, random }, flow)
  for (let left = 1 + random(4); left > 0; left -= 1) {
    yield void writer.segment(flow, 0, flag.ack | flag.psh, { bytes: pool, start: random(4_096), length: 80 })
    yield* stream(writer, flow, 1_000 + random(100_000))
  }
  yield* close(writer, flow)
}

/** Messages of 20 to 80 bytes in both directions. */
function* messages({ writer, counts, random }: Context, flow: Flow): Step {
  yield* open({ writer, counts, random }, flow)
  for (let left = 4 + random(14); left > 0; left -= 1) {
    yield void writer.segment(flow, 0, flag.ack | flag.psh, {
      bytes: pool,
      start: random(4_096),
      length: 20 + random(60),
    })
    yield void writer.segment(flow, 1, flag.ack | flag.psh, {
      bytes: pool,
      start: random(4_096),
      length: 20 + random(60),
    })
  }
  yield* close(writer, flow)
}

/** A and AAAA of one name, as a resolver asks. */
function* dns({ writer, counts, random }: Context, flow: Flow): Step {
  const name = names[random(names.length)]!
  const id = random(60_000)
  for (const type of [1, 28]) yield void writer.datagram(flow, 0, whole(dnsMessage(name, type, id + type, false)))
  for (const type of [1, 28]) yield void writer.datagram(flow, 1, whole(dnsMessage(name, type, id + type, true)))
  counts.dnsQueries += 2
}

function* open({ writer, counts }: Context, flow: Flow): Step {
  counts.connections += 1
  yield void writer.segment(flow, 0, flag.syn)
  yield void writer.segment(flow, 1, flag.syn | flag.ack)
  yield void writer.segment(flow, 0, flag.ack)
}

function* close(writer: PacketWriter, flow: Flow): Step {
  yield void writer.segment(flow, 0, flag.fin | flag.ack)
  yield void writer.segment(flow, 1, flag.fin | flag.ack)
  yield void writer.segment(flow, 0, flag.ack)
}

/** Data from the server: the client acknowledges every second segment. */
function* stream(writer: PacketWriter, flow: Flow, totalBytes: number, bytes: Uint8Array = pool): Step {
  for (let start = 0, count = 1; start < totalBytes; start += segmentBytes, count += 1) {
    yield void writer.segment(flow, 1, flag.ack, { bytes, start, length: Math.min(segmentBytes, totalBytes - start) })
    if (count % 2 === 0 || start + segmentBytes >= totalBytes) yield void writer.segment(flow, 0, flag.ack)
  }
}

function whole(bytes: Uint8Array): Payload {
  return { bytes, start: 0, length: bytes.length }
}

/** Pseudo-random bytes. */
function poolOfBytes(byteCount: number): Buffer {
  const bytes = Buffer.alloc(byteCount)
  let state = 7
  for (let at = 0; at < byteCount; at += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    bytes[at] = state >>> 24
  }
  return bytes
}

const requests = ['/api/v1/orders?limit=50', '/healthz', '/api/v1/users/4711', '/assets/app.js'].map((path) =>
  Buffer.from(
    `GET ${path} HTTP/1.1\r\nHost: shop.example.com\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\nAccept: */*\r\n` +
      `Accept-Encoding: gzip, deflate, br\r\nCookie: session=${'0123456789abcdef'.repeat(6)}\r\nConnection: keep-alive\r\n\r\n`,
  ),
)

function responseHead(bodyBytes: number): Buffer {
  return Buffer.from(
    'HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Type: application/octet-stream\r\nCache-Control: no-store\r\n' +
      `Content-Length: ${bodyBytes}\r\nX-Request-Id: 4f2a9c1e-77d1-4a55-9d0a-0c1f5be3a0de\r\n\r\n`,
  )
}

const record = recordOf(23, pool.subarray(0, 16_000))
const shortRecord = recordOf(23, pool.subarray(0, 300))
const clientHellos = ['payments', 'checkout', 'users', 'search'].map((name) => clientHello(`${name}.example.com`))
// The server's handshake messages after its hello are encrypted.
const serverHello = Buffer.concat([
  recordOf(22, handshakeOf(2, Buffer.concat([hello(), Buffer.from('130100', 'hex'), extensions([[43, '0304']])]))),
  recordOf(20, Buffer.from([1])),
  recordOf(23, pool.subarray(0, 1_200)),
])

function clientHello(serverName: string): Buffer {
  const nameBytes = Buffer.from(serverName)
  const listed = Buffer.concat([Buffer.from([0]), lengthOf(nameBytes.length), nameBytes])
  const list = Buffer.concat([lengthOf(listed.length), listed]).toString('hex')
  const ciphers = '0006130113021303' + '0100'
  const added = extensions([
    [0, list],
    [16, '000c02683208687474702f312e31'],
    [43, '0403040303'],
    [21, '00'.repeat(200)],
  ])
  return recordOf(22, handshakeOf(1, Buffer.concat([hello(), Buffer.from(ciphers, 'hex'), added])))
}

/** Version, random and a session id: how both hellos begin. */
function hello(): Buffer {
  return Buffer.concat([Buffer.from([3, 3]), pool.subarray(0, 32), Buffer.from([32]), pool.subarray(32, 64)])
}

function extensions(all: readonly (readonly [type: number, hex: string])[]): Buffer {
  const parts = all.map(([type, hex]) =>
    Buffer.concat([lengthOf(type), lengthOf(hex.length / 2), Buffer.from(hex, 'hex')]),
  )
  const joined = Buffer.concat(parts)
  return Buffer.concat([lengthOf(joined.length), joined])
}

function handshakeOf(type: number, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from([type, 0]), lengthOf(body.length), body])
}

function recordOf(type: number, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from([type, 3, 3]), lengthOf(body.length), body])
}

function lengthOf(byteCount: number): Buffer {
  return Buffer.from([byteCount >> 8, byteCount & 0xff])
}

const names = Array.from({ length: 500 }, (_, index) => ['service-' + String(index), 'shop', 'svc', 'cluster', 'local'])

function dnsMessage(labels: readonly string[], type: number, id: number, isResponse: boolean): Buffer {
  const name = Buffer.concat(labels.map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)])))
  const answer = type === 1 ? 'c00c000100010000001e00040a600001' : `c00c001c00010000001e0010${'fd'.repeat(16)}`
  const header = Buffer.from(isResponse ? '0000818000010001' + '00000000' : '0000010000010000' + '00000000', 'hex')
  header.writeUInt16BE(id, 0)
  const question = Buffer.from([0, 0, type, 0, 1])
  return Buffer.concat([header, name, question, isResponse ? Buffer.from(answer, 'hex') : Buffer.alloc(0)])
}
