import type { ConnectionEnds } from './connection-ends.ts'
import type { Field } from './hpack.ts'
import { frameTypeName, http2ErrorName } from './http2-frames.ts'
import type { Http2Data, Http2Events, Http2Headers } from './http2-parser.ts'
import { type PendingBudget, PendingBytes } from './pending-bytes.ts'
import type { HttpTracker } from './http-tracker.ts'
import type { StreamChunk } from './stream-chunk.ts'

/** Streams of one connection that are open: servers allow 100 to 250. */
const maxStreamsCount = 1000
/** RFC 8484 */
const maxDnsMessageBytes = 65_535
const dnsContentType = 'application/dns-message'

interface Http2Stream {
  method: string
  path: string
  host: string | undefined
  requestFrame: number
  timeNs: number
  /** last byte of the request that was seen */
  requestEndNs: number
  requestType: string
  responseType: string
  status: number
  responseFrame: number
  responseTimeNs: number
  grpcStatus: number | undefined
  /** of DNS over HTTP: what came of the message, until the stream's end */
  body: PendingBytes | undefined
}

/** DNS messages inside of HTTP/2. */
export type DnsOverHttp = (
  message: { bytes: Uint8Array; start: number; end: number; stream: number },
  chunk: StreamChunk,
) => void

/** The streams of one HTTP/2 connection: each is a request and its answer. */
export class Http2Conversation {
  readonly #tracker: HttpTracker
  readonly #endsOf: () => ConnectionEnds
  readonly #onDns: DnsOverHttp
  readonly #budget: PendingBudget
  readonly #streams = new Map<number, Http2Stream>()
  #ends: ConnectionEnds | undefined

  constructor(tracker: HttpTracker, endsOf: () => ConnectionEnds, dns: { onDns: DnsOverHttp; budget: PendingBudget }) {
    this.#tracker = tracker
    this.#endsOf = endsOf
    this.#onDns = dns.onDns
    this.#budget = dns.budget
  }

  /** What the parser of a direction tells. Which side is the client is seen from the fields, not from the direction. */
  events(): Http2Events {
    return {
      onFrame: (type, chunk) => {
        if (!chunk.isLate) this.#tracker.http2Frames.add(frameTypeName(type), chunk.frameNumber)
      },
      onHeaders: (headers, chunk) => this.#onHeaders(headers, chunk),
      onData: (data, chunk) => this.#onData(data, chunk),
      wantsData: (stream) => this.#streams.get(stream)?.requestType === dnsContentType,
      onReset: (stream, errorCode, chunk) => {
        this.#tracker.streamResets.add(http2ErrorName(errorCode), chunk.frameNumber)
        this.#end(stream)
      },
      onGoAway: (errorCode, chunk) => {
        this.#tracker.goAways.add(http2ErrorName(errorCode), chunk.frameNumber)
      },
    }
  }

  /** The connection is over or forgotten. `hasNoAnswer`: whether a request that waits since this time (ns) has no answer, or cannot be known. */
  finish(hasNoAnswer: (sinceNs: number) => boolean): void {
    for (const [number, stream] of this.#streams) {
      if (stream.status > 0 || hasNoAnswer(stream.requestEndNs)) this.#end(number)
      else stream.body?.clear()
    }
    this.#streams.clear()
  }

  #onHeaders({ stream: number, fields, isEndOfStream }: Http2Headers, chunk: StreamChunk): void {
    const stream = this.#get(number, chunk)
    for (const field of fields) this.#onField(stream, field, chunk)
    if (isEndOfStream) this.#onEndOfStream(number, stream, chunk)
  }

  #onField(stream: Http2Stream, { name, value = '' }: Field, chunk: StreamChunk): void {
    switch (name) {
      case ':method':
        stream.method = value
        stream.requestFrame = chunk.frameNumber
        stream.timeNs = chunk.timeNs
        stream.requestEndNs = chunk.timeNs
        break
      case ':path':
        stream.path = value.split(/[?#]/, 1)[0] ?? ''
        break
      case ':authority':
        stream.host = value
        break
      case ':status':
        this.#onStatus(stream, value, chunk)
        break
      case 'content-type':
        if (stream.status === 0) stream.requestType = value
        else stream.responseType = value
        break
      case 'grpc-status':
        this.#tracker.grpcStatuses.add(value, chunk.frameNumber)
        if (/^\d{1,2}$/.test(value)) stream.grpcStatus = Number(value)
        break
      case undefined:
      default:
    }
  }

  #onStatus(stream: Http2Stream, value: string, chunk: StreamChunk): void {
    this.#tracker.http2Statuses.add(value, chunk.frameNumber)
    const status = /^\d{3}$/.test(value) ? Number(value) : 0
    if (status < 200) return
    stream.status = status
    stream.responseFrame = chunk.frameNumber
    stream.responseTimeNs = chunk.timeNs
  }

  #onData(data: Http2Data, chunk: StreamChunk): void {
    const stream = this.#streams.get(data.stream)
    if (stream === undefined) return
    if (stream.status === 0) stream.requestEndNs = chunk.timeNs
    if (data.end > data.start) {
      stream.body ??= new PendingBytes(this.#budget, maxDnsMessageBytes)
      stream.body.append(data.bytes, data.start, data.end)
    }
    if (data.isEndOfStream) this.#onEndOfStream(data.stream, stream, chunk)
  }

  #onEndOfStream(number: number, stream: Http2Stream, chunk: StreamChunk): void {
    if (stream.body !== undefined && stream.body.length > 0) {
      const { bytes, length } = stream.body
      this.#onDns({ bytes, start: 0, end: length, stream: number }, chunk)
      stream.body.clear()
    }
    // The end of the request comes first; the end of the answer ends the stream.
    if (stream.status > 0) this.#end(number)
    else stream.requestEndNs = chunk.timeNs
  }

  #get(number: number, chunk: StreamChunk): Http2Stream {
    const known = this.#streams.get(number)
    if (known !== undefined) return known
    if (this.#streams.size >= maxStreamsCount) {
      for (const oldest of this.#streams.keys()) {
        this.#end(oldest)
        break
      }
    }
    const stream: Http2Stream = {
      method: '',
      path: '',
      host: undefined,
      requestFrame: 0,
      timeNs: chunk.timeNs,
      requestEndNs: 0,
      requestType: '',
      responseType: '',
      status: 0,
      responseFrame: 0,
      responseTimeNs: 0,
      grpcStatus: undefined,
      body: undefined,
    }
    this.#streams.set(number, stream)
    return stream
  }

  #end(number: number): void {
    const stream = this.#streams.get(number)
    if (stream === undefined) return
    this.#streams.delete(number)
    stream.body?.clear()
    // An answer whose request was not seen is no exchange that can be judged, except for its status.
    if (stream.requestFrame === 0 && stream.status === 0) return
    this.#ends ??= this.#endsOf()
    const hasBoth = stream.requestFrame > 0 && stream.status > 0
    this.#tracker.servers.onExchange(this.#ends, {
      method: stream.method,
      path: stream.path,
      host: stream.host,
      status: stream.status,
      grpcStatus: stream.grpcStatus,
      requestFrame: stream.requestFrame,
      responseFrame: stream.responseFrame,
      timeNs: stream.timeNs,
      firstByteNs: hasBoth ? Math.max(stream.responseTimeNs - stream.requestEndNs, 0) : undefined,
    })
  }
}
