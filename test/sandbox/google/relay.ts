import { randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { connect, type AddressInfo, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { WebSocketServer, type WebSocket } from 'ws'
import { loopbackCertificate } from '../../support/certificates.ts'

export interface RelayTarget {
  readonly project: string
  readonly zone: string
  readonly instance: string
  readonly interface: string
  readonly port: number
}

/** An HTTP status in place of a WebSocket, or a WebSocket that is closed with a code at once. */
export type Refusal =
  { readonly status: number; readonly body?: string } | { readonly code: number; readonly reason?: string }

export interface RelayCall {
  readonly operation: 'connect' | 'reconnect'
  /** undefined for a reconnect */
  readonly target: RelayTarget | undefined
  readonly sid: string | undefined
  /** for a reconnect: the bytes that the client has received */
  readonly ack: number | undefined
  readonly token: string
  readonly headers: IncomingMessage['headers']
  /** an HTTP status, a close code, `open`, or `silent` for no answer */
  outcome: number | 'open' | 'silent'
}

/** Ends the connection, not the session, after this many bytes of the session down (to the client) or up. Each is used once. */
export interface Cut {
  readonly after: number
  readonly of: 'down' | 'up'
  /** a close code; 0 cuts the connection */
  readonly code: number
}

/** The faults of the relay. Tests can change them at any time. */
export interface RelayFaults {
  /** in order, each for one call */
  readonly refusals: { readonly on: RelayCall['operation']; readonly refusal: Refusal }[]
  /** in order, each of them for one session */
  readonly cuts: Cut[]
  /** never answers the handshake, or never reports that it has connected */
  silent?: 'handshake' | 'welcome'
  /** never acknowledges received bytes */
  noAcks?: boolean
  /** in place of the number of the next ACK */
  nextAck?: (total: number) => bigint
  /** bytes of data in a frame; 16 384 as the real one's */
  frameSize?: number
  /** an unknown frame before each data frame */
  unknownFrames?: boolean
  /** trailing bytes after each frame */
  trailingBytes?: number
  /** sends the reason of a close in a separate frame (tag 10) and closes with 1000 */
  longClose?: boolean
  /** sends these bytes unchanged after the connect message */
  rawAfterWelcome?: Buffer | string
}

export interface RelayOptions {
  /** `wss` with this certificate, or with a new one for `{}`; otherwise plain `ws` */
  readonly tls?: { readonly key?: string; readonly cert?: string }
  /** The real address of the port of the instance. */
  backend(target: RelayTarget): { readonly host: string; readonly port: number } | Refusal
  authenticate(token: string): boolean
  readonly faults?: Partial<RelayFaults>
}

export interface Relay {
  /** base, with `/v4` */
  readonly url: string
  /** PEM; '' for plain ws */
  readonly certificate: string
  readonly calls: RelayCall[]
  readonly faults: RelayFaults
  /** open connections of clients */
  readonly connections: number
  /** resumable sessions, each with one connection to a backend */
  readonly sessions: number
  /** bytes of all sessions, to clients, without repeated bytes */
  readonly down: number
  /** bytes of all sessions, from clients, without repeated bytes */
  readonly up: number
  /** the ACKs of clients: bytes since the start of their session */
  readonly acks: readonly number[]
  /** Sends an ACK for all received bytes to each client. */
  acknowledge(): void
  /** Breaks all connections, or closes them with a code; returns their number. */
  cut(code?: number): number
  /** The current connections remain open but no longer read or write. */
  freeze(): void
  stop(): Promise<void>
}

const subprotocol = 'relay.tunnel.cloudproxy.app'
const maxFrame = 16_384
/** unacknowledged bytes at which the real relay stalls (measured) */
const window = 1_500_000
/** buffered bytes for a slow backend, from a client that does not wait for ACKs */
const maxBacklogBytes = 32_000_000
/** ms that a session waits for its client */
const keepSession = 60_000

interface Session {
  readonly sid: string
  readonly backend: Socket
  /** the bytes that the client has not acknowledged; starts at `acked` */
  kept: Buffer[]
  keptLength: number
  acked: number
  /** how many of the buffered bytes were sent on this connection */
  sent: number
  received: number
  confirmed: number
  client: WebSocket | undefined
  frozen: boolean
  ackTimer: NodeJS.Timeout | undefined
  keep: NodeJS.Timeout | undefined
  backendDone: boolean
}

/**
 * The relay of Identity-Aware Proxy for TCP (SSH Relay v4), on loopback; relay.test.ts tests it with gcloud.
 * It never pings: gcloud ends its session on a ping.
 */
export async function startRelay(options: RelayOptions): Promise<Relay> {
  const tls = options.tls && (await certificateOf(options.tls))
  const calls: RelayCall[] = []
  const faults: RelayFaults = { refusals: [], cuts: [], ...options.faults }
  const sessions = new Map<string, Session>()
  const sockets = new Set<Socket>()
  const acceptor = new WebSocketServer({
    noServer: true,
    handleProtocols: (offered) => (offered.has(subprotocol) ? subprotocol : false),
  })
  const ports = new WeakMap<WebSocket, number | undefined>()
  let down = 0
  let up = 0
  const acks: number[] = []

  const send = (session: Session, frame: Buffer): void => {
    const { trailingBytes = 0 } = faults
    const whole = trailingBytes > 0 ? Buffer.concat([frame, Buffer.alloc(trailingBytes, 0x2a)]) : frame
    session.client?.send(whole, () => pump(session))
  }

  /** Sends the buffered bytes to the client while it can receive them. */
  const pump = (session: Session): void => {
    const { client } = session
    if (!client || client.readyState !== client.OPEN || session.frozen) return
    const end = session.acked + session.keptLength
    while (session.sent < end && client.bufferedAmount < window) {
      const cut = faults.cuts[0]?.of === 'down' ? faults.cuts[0] : undefined
      if (cut && session.sent >= cut.after) {
        faults.cuts.shift()
        interrupt(session, cut.code)
        return
      }
      const bytes = at(session, Math.min(faults.frameSize ?? maxFrame, (cut?.after ?? Infinity) - session.sent))
      session.sent += bytes.length
      if (faults.unknownFrames) send(session, Buffer.from([0x7f, 0x01, 1, 2, 3]))
      send(session, lengthFrame(4, bytes))
    }
    if (session.sent === end && session.backendDone) finish(session, 4010, 'failed to read from the backend')
  }

  /** Breaks the connection below TLS, without a close message. */
  const reset = (client: WebSocket): void => {
    const port = ports.get(client)
    for (const socket of sockets) if (socket.remotePort === port) socket.resetAndDestroy()
  }

  const hangUp = (session: Session, code: number, reason = 'injected'): void => {
    const { client } = session
    if (!client) return
    session.client = undefined
    if (code === 0) reset(client)
    else client.close(code, reason)
  }

  /** A session continues after a broken connection, and after a request for a new token. */
  const interrupt = (session: Session, code: number): void => {
    if (code !== 0 && code !== 4004) return finish(session, code, 'injected')
    hangUp(session, code)
    session.keep = setTimeout(() => finish(session, 1000, ''), keepSession).unref()
  }

  const finish = (session: Session, code: number, reason: string): void => {
    sessions.delete(session.sid)
    clearTimeout(session.keep)
    clearTimeout(session.ackTimer)
    if (faults.longClose && session.client) {
      const text = Buffer.from(reason)
      const body = Buffer.alloc(10)
      body.writeUInt16BE(10, 0)
      body.writeUInt32BE(code, 2)
      body.writeUInt32BE(text.length, 6)
      send(session, Buffer.concat([body, text]))
      hangUp(session, 1000, '')
    } else hangUp(session, code, reason)
    if (session.backendDone) session.backend.destroy()
    else session.backend.end()
  }

  const acknowledge = (session: Session): void => {
    clearTimeout(session.ackTimer)
    session.ackTimer = undefined
    if (faults.noAcks || !session.client || session.frozen) return
    if (session.backend.writableNeedDrain) return // later, when the backend has received it
    session.confirmed = session.received
    const total = faults.nextAck?.(session.received) ?? BigInt(session.received)
    delete faults.nextAck
    send(session, totalFrame(7, total))
  }

  const fromClient = (session: Session, client: WebSocket, message: Buffer): void => {
    const tag = message.readUInt16BE(0)
    if (tag === 7) {
      const total = Number(message.readBigUInt64BE(2))
      if (total < session.acked || total > session.sent) return finish(session, 4006, `invalid ack ${String(total)}`)
      acks.push(total)
      dropTo(session, total)
      if (session.keptLength < window) session.backend.resume()
    } else if (tag === 4) {
      const length = message.readUInt32BE(2)
      if (length === 0 || length > maxFrame || message.length !== 6 + length) {
        return finish(session, 4013, `invalid data of ${String(length)} bytes`)
      }
      session.received += length
      up += length
      // Does not stop reading for flow control, because the client's ACKs arrive on the same connection. Missing ACKs limit the client.
      session.backend.write(message.subarray(6))
      if (session.backend.writableLength > maxBacklogBytes) client.pause()
      const [cut] = faults.cuts
      if (cut?.of === 'up' && session.received >= cut.after) {
        faults.cuts.shift()
        return interrupt(session, cut.code)
      }
      if (session.received - session.confirmed > 2 * maxFrame) acknowledge(session)
      else session.ackTimer ??= setTimeout(() => acknowledge(session), 50)
    } else finish(session, 4008, `invalid tag ${String(tag)}`)
  }

  /** Moves the session to this connection. */
  const attach = (session: Session, client: WebSocket): void => {
    clearTimeout(session.keep)
    session.client = client
    session.frozen = false
    client.on('message', (message: Buffer) => {
      if (session.client === client) fromClient(session, client, message)
    })
    client.on('error', () => client.terminate())
    client.on('close', (code) => {
      if (session.client !== client) return
      session.client = undefined
      if (code !== 1006) finish(session, 1000, '')
      else session.keep = setTimeout(() => finish(session, 1000, ''), keepSession).unref()
    })
  }

  const welcome = (session: Session, frame: Buffer): void => {
    if (faults.silent === 'welcome') return
    send(session, frame)
    if (faults.rawAfterWelcome !== undefined) session.client?.send(faults.rawAfterWelcome)
    pump(session)
  }

  const begin = (client: WebSocket, call: RelayCall, to: { host: string; port: number }): void => {
    const backend = connect(to.port, to.host)
    sockets.add(backend)
    const session: Session = {
      ...{ sid: randomBytes(12).toString('base64url'), backend, kept: [], keptLength: 0, acked: 0, sent: 0 },
      ...{
        received: 0,
        confirmed: 0,
        client: undefined,
        frozen: false,
        ackTimer: undefined,
        keep: undefined,
        backendDone: false,
      },
    }
    backend.on('error', () => {
      if (backend.connecting) client.close(4003, 'failed to connect to backend')
    })
    backend.on('drain', () => {
      if (!session.frozen) session.client?.resume()
      acknowledge(session)
    })
    backend.once('connect', () => {
      sessions.set(session.sid, session)
      attach(session, client)
      welcome(session, lengthFrame(1, Buffer.from(session.sid)))
    })
    backend.on('data', (chunk: Buffer) => {
      session.kept.push(chunk)
      session.keptLength += chunk.length
      down += chunk.length
      if (session.keptLength >= window) backend.pause()
      pump(session)
    })
    backend.on('close', () => {
      sockets.delete(backend)
      if (!sessions.has(session.sid)) {
        if (client.readyState === client.OPEN && call.outcome === 'open')
          client.close(4003, 'failed to connect to backend')
        return
      }
      session.backendDone = true
      pump(session)
    })
  }

  const goOn = (client: WebSocket, call: RelayCall): void => {
    const refuse = (code: number, reason: string): void => {
      call.outcome = code
      client.close(code, reason)
    }
    const session = sessions.get(call.sid ?? '')
    const ack = call.ack ?? NaN
    if (!session) return refuse(4001, 'SID unknown')
    if (!(ack >= session.acked && ack <= session.acked + session.keptLength)) return refuse(4006, 'invalid ack')
    session.client?.terminate()
    attach(session, client)
    dropTo(session, ack)
    session.sent = ack
    session.confirmed = session.received
    session.backend.resume()
    const total = faults.nextAck?.(session.received) ?? BigInt(session.received)
    delete faults.nextAck
    welcome(session, totalFrame(2, total))
  }

  const upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    socket.on('error', () => socket.destroy())
    const url = new URL(request.url ?? '/', 'http://loopback')
    const operation = /^\/v4\/(connect|reconnect)$/.exec(url.pathname)?.[1] as RelayCall['operation'] | undefined
    if (!operation) return answer(socket, 404, '')
    const query = (name: string): string => url.searchParams.get(name) ?? ''
    const [, token = ''] = /^Bearer (.+)$/.exec(request.headers.authorization ?? '') ?? []
    const target =
      operation === 'connect'
        ? {
            ...{ project: query('project'), zone: query('zone'), instance: query('instance') },
            ...{ interface: query('interface'), port: Number(query('port')) },
          }
        : undefined
    const call: RelayCall = {
      ...{ operation, target, token, headers: request.headers, outcome: 'open' },
      sid: url.searchParams.get('sid') ?? undefined,
      ack: operation === 'reconnect' ? Number(query('ack')) : undefined,
    }
    calls.push(call)
    if (faults.silent === 'handshake') {
      call.outcome = 'silent'
      return
    }
    const index = faults.refusals.findIndex(({ on }) => on === operation)
    const injected = index < 0 ? undefined : faults.refusals.splice(index, 1)[0]?.refusal
    const to = injected ?? refusalOf(request, call) ?? (target ? options.backend(target) : { host: '', port: 0 })
    if ('status' in to) {
      call.outcome = to.status
      return answer(socket, to.status, to.body ?? '')
    }
    acceptor.handleUpgrade(request, socket, head, (client) => {
      ports.set(client, request.socket.remotePort)
      if ('code' in to) {
        call.outcome = to.code
        client.close(to.code, to.reason ?? '')
      } else if (operation === 'connect') begin(client, call, to)
      else goOn(client, call)
    })
  }

  const refusalOf = (request: IncomingMessage, { token, target, sid }: RelayCall): Refusal | undefined => {
    if (!options.authenticate(token)) return { status: 401 }
    if (request.headers.origin !== 'bot:iap-tunneler') return { status: 403 }
    if (!(request.headers['sec-websocket-protocol'] ?? '').split(/, */).includes(subprotocol)) return { status: 400 }
    const whole = target
      ? [target.project, target.zone, target.instance, target.interface, target.port].every(Boolean)
      : sid
    return whole ? undefined : { status: 400 }
  }

  const server = tls ? createTlsServer(tls) : createServer()
  server.on('upgrade', upgrade)
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo

  const attached = (): Session[] => [...sessions.values()].filter(({ client }) => client !== undefined)
  return {
    url: `${tls ? 'wss' : 'ws'}://127.0.0.1:${String(port)}/v4`,
    certificate: tls?.cert ?? '',
    calls,
    faults,
    get connections() {
      return acceptor.clients.size
    },
    get sessions() {
      return sessions.size
    },
    get down() {
      return down
    },
    get up() {
      return up
    },
    acks,
    acknowledge: () => {
      for (const session of attached()) acknowledge(session)
    },
    cut: (code = 0) => {
      const all = attached()
      for (const session of all) interrupt(session, code)
      return all.length
    },
    freeze: () => {
      for (const session of attached()) {
        session.frozen = true
        session.client?.pause()
      }
    },
    stop: async () => {
      for (const session of sessions.values()) {
        clearTimeout(session.keep)
        clearTimeout(session.ackTimer)
      }
      sessions.clear()
      const closed = new Promise((resolve) => server.close(resolve))
      for (const client of acceptor.clients) client.terminate()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

async function certificateOf(given: { key?: string; cert?: string }): Promise<{ key: string; cert: string }> {
  if (given.key !== undefined && given.cert !== undefined) return { key: given.key, cert: given.cert }
  const made = await loopbackCertificate('relay')
  return { key: made.private, cert: made.cert }
}

/** Up to `length` bytes after those that were sent; at least one if there are any. */
function at(session: Session, length: number): Buffer {
  let start = session.acked
  for (const chunk of session.kept) {
    if (session.sent < start + chunk.length) {
      return chunk.subarray(session.sent - start, session.sent - start + length)
    }
    start += chunk.length
  }
  return Buffer.alloc(0)
}

function dropTo(session: Session, total: number): void {
  while (session.acked < total) {
    const [chunk = Buffer.alloc(0)] = session.kept
    const gone = Math.min(chunk.length, total - session.acked)
    if (gone === chunk.length) session.kept.shift()
    else session.kept[0] = chunk.subarray(gone)
    session.acked += gone
    session.keptLength -= gone
  }
}

function answer(socket: Duplex, status: number, body: string): void {
  const length = String(Buffer.byteLength(body))
  socket.end(`HTTP/1.1 ${String(status)} Refused\r\ncontent-length: ${length}\r\nconnection: close\r\n\r\n${body}`)
}

function lengthFrame(tag: number, bytes: Buffer): Buffer {
  const header = Buffer.alloc(6)
  header.writeUInt16BE(tag, 0)
  header.writeUInt32BE(bytes.length, 2)
  return Buffer.concat([header, bytes])
}

function totalFrame(tag: number, total: bigint): Buffer {
  const frame = Buffer.alloc(10)
  frame.writeUInt16BE(tag, 0)
  frame.writeBigUInt64BE(total, 2)
  return frame
}
