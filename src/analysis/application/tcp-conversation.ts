import type { ConnectionEnds } from './connection-ends.ts'
import type { DnsOverHttp } from './http2-conversation.ts'
import { Http2Conversation } from './http2-conversation.ts'
import { frameHeaderBytes, http2Frame, isPlausibleFrame, preface } from './http2-frames.ts'
import { Http2Parser } from './http2-parser.ts'
import { hasHttp1FirstLine, looksLikeHttp1 } from './http1-head.ts'
import { Http1Parser } from './http1-parser.ts'
import { Http1Conversation, type HttpTracker } from './http-tracker.ts'
import { DnsStreamParser, type OnDnsMessage } from './dns-stream-parser.ts'
import type { PendingBudget } from './pending-bytes.ts'
import { startsWithText } from './raw-text.ts'
import type { StreamChunk, StreamParser } from './stream-chunk.ts'
import { type ProtocolDetector, StreamDirection } from './stream-direction.ts'
import { looksLikeTls, TlsParser } from './tls-parser.ts'
import { TlsConversation, type TlsTracker } from './tls-tracker.ts'

const dnsPort = 53
/** A request that waits this long at the end of the capture counts as not answered. */
const unansweredAfterNs = 1e9
const maxFirstLineBytes = 4096

/** What the conversations of one capture share. */
export interface ConversationContext {
  readonly http: HttpTracker
  readonly tls: TlsTracker
  readonly budget: PendingBudget
  /** `clientDirection`: where the content says it */
  endsOf(connection: number, clientDirection: number | undefined): ConnectionEnds
  /** packets of both directions were captured */
  isTwoWay(connection: number): boolean
  onDns(message: { bytes: Uint8Array; start: number; end: number; transaction: number | undefined }, at: DnsPlace): void
}

export interface DnsPlace {
  readonly connection: number
  readonly direction: number
  readonly chunk: StreamChunk
}

export interface Ports {
  readonly source: number
  readonly destination: number
}

/** Application data of one TCP connection. The protocol of each direction is found by its first bytes, never by the port (except for DNS). */
export class TcpConversation implements ProtocolDetector {
  readonly directions: readonly [StreamDirection, StreamDirection]
  readonly #context: ConversationContext
  readonly #connection: number
  readonly #isDns: boolean
  #http1: Http1Conversation | undefined
  #http2: Http2Conversation | undefined
  #tls: TlsConversation | undefined
  readonly #parsers: [parser?: StreamParser, parser?: StreamParser] = []

  constructor(context: ConversationContext, connection: number, ports: Ports) {
    this.#context = context
    this.#connection = connection
    this.#isDns = ports.source === dnsPort || ports.destination === dnsPort
    this.directions = [new StreamDirection(0, this, context.budget), new StreamDirection(1, this, context.budget)]
  }

  detect(direction: StreamDirection, chunk: StreamChunk): StreamParser | 'more' | undefined {
    const { index } = direction
    if (this.#isDns) return this.#keep(index, DnsStreamParser, () => this.#dnsParser(index))
    const { bytes, start, end } = chunk
    const tls = looksLikeTls(bytes, start, end)
    if (tls === 'yes') return this.#keep(index, TlsParser, () => this.#tlsParser(index, chunk))
    // Only the first bytes of the direction say it: after a loss, the middle of a record is no other protocol.
    const text = this.#parsers[index] === undefined ? textProtocol(bytes, start, end) : undefined
    if (text !== undefined) this.#tls?.onForeignAnswer(text, chunk.frameNumber)
    const http2 = looksLikeHttp2(bytes, start, end, this.#http2 !== undefined)
    if (http2 === 'yes') return this.#keep(index, Http2Parser, () => this.#http2Parser())
    const http1 = looksLikeHttp1(bytes, start, end)
    if (http1 === 'yes' && (this.#http1 !== undefined || hasHttp1FirstLine(bytes, start, end))) {
      return this.#keep(index, Http1Parser, () => this.#http1Parser())
    }
    // A request line that goes on in the next segment.
    const isLongLine = http1 === 'yes' && end - start < maxFirstLineBytes
    return tls === 'maybe' || http2 === 'maybe' || http1 === 'maybe' || isLongLine ? 'more' : undefined
  }

  /** Both directions ended. */
  get isClosed(): boolean {
    return this.directions[0].isClosed && this.directions[1].isClosed
  }

  /** `direction` sent a reset. */
  onReset(direction: number, endNs: number): void {
    this.directions[direction]?.onClose('reset')
    this.finish('reset', endNs)
  }

  /** Nothing is said of it. */
  discard(): void {
    for (const direction of this.directions) direction.onClose('end of capture')
  }

  /** Nothing comes any more, or the connection is forgotten. `endNs`: the time of the last packet of the capture so far. */
  finish(by: 'fin' | 'reset' | 'end of capture', endNs: number): void {
    for (const direction of this.directions) direction.onClose(by)
    // One direction alone, by the filter or the place of the capture, does not tell what was answered.
    const isWhole = this.#context.isTwoWay(this.#connection)
    const hasNoAnswer = (sinceNs: number): boolean =>
      isWhole && (by !== 'end of capture' || endNs - sinceNs >= unansweredAfterNs)
    this.#http1?.finish(hasNoAnswer)
    this.#http2?.finish(hasNoAnswer)
    this.#tls?.finish(isWhole)
    if (!isWhole && (this.#http1 ?? this.#http2) !== undefined) this.#context.http.oneSidedConnections++
  }

  /** The parser that the direction had is used again: it knows the header table, for example. */
  #keep(
    direction: number,
    kind: new (...parameters: never[]) => StreamParser,
    create: () => StreamParser,
  ): StreamParser {
    const known = this.#parsers[direction]
    if (known instanceof kind) return known
    const parser = create()
    this.#parsers[direction] = parser
    return parser
  }

  #tlsParser(direction: number, chunk: StreamChunk): StreamParser {
    const isAnswerToHttp = this.#tls === undefined && this.#parsers[1 - direction] instanceof Http1Parser
    this.#tls ??= new TlsConversation(this.#context.tls, (client) => this.#context.endsOf(this.#connection, client))
    if (isAnswerToHttp && !this.#parsers[1 - direction]!.isLost) this.#tls.onForeignRequest('HTTP', chunk.frameNumber)
    return new TlsParser(this.#tls.events(direction), this.#context.budget)
  }

  #http1Parser(): StreamParser {
    // Who sends requests is the client; the first message decides, a wrong guess only swaps the ends of the connection's name.
    this.#http1 ??= new Http1Conversation(this.#context.http, () => this.#context.endsOf(this.#connection, undefined))
    return new Http1Parser(this.#http1, this.#context.budget)
  }

  #http2Parser(): StreamParser {
    this.#http2 ??= new Http2Conversation(this.#context.http, () => this.#context.endsOf(this.#connection, undefined), {
      onDns: this.#dnsOverHttp(),
      budget: this.#context.budget,
    })
    return new Http2Parser(this.#http2.events(), this.#context.budget)
  }

  #dnsOverHttp(): DnsOverHttp {
    return ({ bytes, start, end, stream }, chunk) => {
      this.#context.onDns(
        { bytes, start, end, transaction: stream },
        { connection: this.#connection, direction: 0, chunk },
      )
    }
  }

  #dnsParser(direction: number): StreamParser {
    const onMessage: OnDnsMessage = (bytes, start, end, chunk) => {
      this.#context.onDns(
        { bytes, start, end, transaction: undefined },
        { connection: this.#connection, direction, chunk },
      )
    }
    return new DnsStreamParser(onMessage, this.#context.budget)
  }
}

/** Whether a message of a protocol that is recognised by its first bytes may begin here; DNS is recognised by its port. */
export function mayBeginConversation(bytes: Uint8Array, start: number, end: number): boolean {
  return (
    looksLikeTls(bytes, start, end) !== 'no' ||
    looksLikeHttp1(bytes, start, end) !== 'no' ||
    looksLikeHttp2(bytes, start, end, false) !== 'no'
  )
}

/** `isKnown`: the other direction speaks it. */
function looksLikeHttp2(bytes: Uint8Array, start: number, end: number, isKnown: boolean): 'yes' | 'no' | 'maybe' {
  if (bytes[start] === preface.charCodeAt(0)) {
    if (startsWithText(bytes, start, end, preface)) return 'yes'
    const isPart = end - start < preface.length && startsWithText(bytes, start, end, preface.slice(0, end - start))
    return isPart ? 'maybe' : 'no'
  }
  if (end - start < frameHeaderBytes) return mayBeSettings(bytes, start, end) ? 'maybe' : 'no'
  if (!isPlausibleFrame(bytes, start, end)) return 'no'
  if (isKnown) return 'yes'
  // A server's first frame; its settings have known identifiers.
  const isSettings = bytes[start + 3] === http2Frame.settings && bytes[start + 4]! <= 1
  return isSettings && (end - start < 11 || (bytes[start + 9] === 0 && bytes[start + 10]! <= 8)) ? 'yes' : 'no'
}

/** The beginning of a SETTINGS frame, which is the first one: its length has 24 bits, and is small. */
function mayBeSettings(bytes: Uint8Array, start: number, end: number): boolean {
  if (bytes[start] !== 0 || (end - start > 1 && bytes[start + 1] !== 0)) return false
  return end - start <= 3 || bytes[start + 3] === http2Frame.settings
}

/** What a server sends that does not speak TLS: HTTP/0.9 has no status line. */
function textProtocol(bytes: Uint8Array, start: number, end: number): string | undefined {
  if (startsWithText(bytes, start, end, 'HTTP/')) return 'HTTP'
  return bytes[start] === 0x3c ? 'HTML' : undefined
}
