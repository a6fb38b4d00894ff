import { u32 } from '../bytes.ts'
import { type Field, HpackDecoder } from './hpack.ts'
import {
  frameFlag,
  frameHeaderBytes,
  frameSize,
  frameStream,
  http2Frame,
  isPlausibleFrame,
  preface,
} from './http2-frames.ts'
import { type PendingBudget, PendingBytes } from './pending-bytes.ts'
import { startsWithText } from './raw-text.ts'
import type { StreamChunk, StreamParser } from './stream-chunk.ts'

/** A frame that is read whole, and a header block with its continuations. */
const maxHeldBytes = 64 * 1024

/** What a connection does with the frames of a direction. */
export interface Http2Events {
  /** Every frame, when its last byte came. */
  onFrame(type: number, chunk: StreamChunk): void
  onHeaders(headers: Http2Headers, chunk: StreamChunk): void
  /** The first bytes of a DATA frame's content; all of it where `wantsData` said so. */
  onData(data: Http2Data, chunk: StreamChunk): void
  /** Whether the content of this stream's DATA frames is read. */
  wantsData(stream: number): boolean
  onReset(stream: number, errorCode: number, chunk: StreamChunk): void
  onGoAway(errorCode: number, chunk: StreamChunk): void
}

export interface Http2Headers {
  readonly stream: number
  readonly fields: readonly Field[]
  readonly isEndOfStream: boolean
}

export interface Http2Data {
  readonly stream: number
  readonly isEndOfStream: boolean
  readonly bytes: Uint8Array
  /** equal to `end` where the content is not read */
  readonly start: number
  readonly end: number
}

/** HTTP/2 frames of one direction. */
export class Http2Parser implements StreamParser {
  readonly #events: Http2Events
  readonly #pending: PendingBytes
  readonly #block: PendingBytes
  readonly #hpack: HpackDecoder
  /** what is left of a frame that is not looked at */
  #skipBytes = 0
  #skipped = { type: 0, stream: 0, isEndOfStream: false }
  #blockStream = 0
  #isBlockEndOfStream = false
  isLost = false

  constructor(events: Http2Events, budget: PendingBudget) {
    this.#events = events
    this.#pending = new PendingBytes(budget, maxHeldBytes)
    this.#block = new PendingBytes(budget, maxHeldBytes)
    this.#hpack = new HpackDecoder(budget)
  }

  get skippableBytes(): number {
    // The last byte of a frame says that the frame is there.
    return Math.max(this.#skipBytes - 1, 0)
  }

  resume(): void {
    this.isLost = false
  }

  onChunk(chunk: StreamChunk): void {
    let at = chunk.start
    while (at < chunk.end && !this.isLost) {
      if (this.#skipBytes > 0) {
        const count = Math.min(this.#skipBytes, chunk.end - at)
        at += count
        this.#skip(count, chunk)
      } else at = this.#pending.length > 0 ? this.#onMore(chunk, at) : this.#onFrameStart(chunk, at)
    }
  }

  onGap(byteCount: number): void {
    if (byteCount <= this.skippableBytes) this.#skipBytes -= byteCount
    else this.#lose()
  }

  onClose(): void {
    this.#lose()
    this.#hpack.clear()
  }

  #onFrameStart(chunk: StreamChunk, at: number): number {
    const { bytes, end } = chunk
    if (startsWithText(bytes, at, end, preface)) return at + preface.length
    if (end - at < frameHeaderBytes || (bytes[at] === 0x50 && end - at < preface.length)) return this.#hold(chunk, at)
    return this.#onHeader(bytes, at, end) ? this.#onKnownFrame(chunk, at) : end
  }

  /** `at`: of a frame header that makes sense */
  #onKnownFrame(chunk: StreamChunk, at: number): number {
    const { bytes, end } = chunk
    const next = at + frameHeaderBytes + frameSize(bytes, at)
    if (this.#isSkipped(bytes, at)) {
      this.#startSkip(bytes, at, chunk)
      return at + frameHeaderBytes
    }
    if (next > end) return this.#hold(chunk, at)
    this.#onFrame(bytes, at, chunk)
    return next
  }

  #onMore(chunk: StreamChunk, at: number): number {
    const { length } = this.#pending
    const first = this.#pending.bytes[0]
    const startBytes = first === 0x50 ? preface.length : frameHeaderBytes
    const wanted = length < startBytes ? startBytes : frameHeaderBytes + frameSize(this.#pending.bytes, 0)
    const next = Math.min(at + wanted - length, chunk.end)
    if (!this.#pending.append(chunk.bytes, at, next)) {
      this.#lose()
      return chunk.end
    }
    const { bytes, length: held } = this.#pending
    if (held < wanted) return next
    if (startsWithText(bytes, 0, held, preface)) this.#pending.clear()
    else if (length < startBytes) {
      if (!this.#onHeader(bytes, 0, held)) return chunk.end
      if (this.#isSkipped(bytes, 0)) {
        this.#startSkip(bytes, 0, chunk)
        this.#pending.clear()
      } else if (held === frameHeaderBytes + frameSize(bytes, 0)) this.#onHeldFrame(chunk)
    } else this.#onHeldFrame(chunk)
    return next
  }

  #onHeldFrame(chunk: StreamChunk): void {
    this.#onFrame(this.#pending.bytes, 0, chunk)
    this.#pending.clear()
  }

  #onHeader(bytes: Uint8Array, at: number, end: number): boolean {
    if (isPlausibleFrame(bytes, at, end)) return true
    // A larger frame, or one of an extension, is fine where the stream is known to be HTTP/2.
    if (frameSize(bytes, at) <= 1 << 20 && bytes[at + 5]! < 0x80) return true
    this.#lose()
    return false
  }

  #isSkipped(bytes: Uint8Array, at: number): boolean {
    const type = bytes[at + 3]
    if (type === http2Frame.data) return !this.#events.wantsData(frameStream(bytes, at))
    const isRead = type === http2Frame.headers || type === http2Frame.continuation || type === http2Frame.pushPromise
    return !isRead && type !== http2Frame.rstStream && type !== http2Frame.goAway
  }

  #startSkip(bytes: Uint8Array, at: number, chunk: StreamChunk): void {
    const type = bytes[at + 3]!
    this.#skipped = {
      type,
      stream: frameStream(bytes, at),
      isEndOfStream: (bytes[at + 4]! & frameFlag.endStream) !== 0,
    }
    this.#skipBytes = frameSize(bytes, at)
    if (this.#skipBytes === 0) this.#skip(0, chunk)
  }

  #skip(count: number, chunk: StreamChunk): void {
    this.#skipBytes -= count
    if (this.#skipBytes > 0) return
    const { type, stream, isEndOfStream } = this.#skipped
    this.#events.onFrame(type, chunk)
    if (type === http2Frame.data)
      this.#events.onData({ stream, isEndOfStream, bytes: chunk.bytes, start: 0, end: 0 }, chunk)
  }

  #onFrame(bytes: Uint8Array, at: number, chunk: StreamChunk): void {
    const type = bytes[at + 3]!
    const stream = frameStream(bytes, at)
    const start = at + frameHeaderBytes
    const end = start + frameSize(bytes, at)
    this.#events.onFrame(type, chunk)
    switch (type) {
      case http2Frame.rstStream:
        if (end - start >= 4) this.#events.onReset(stream, u32(bytes, start), chunk)
        return
      case http2Frame.goAway:
        if (end - start >= 8) this.#events.onGoAway(u32(bytes, start + 4), chunk)
        return
      case http2Frame.data:
        this.#onData(bytes, at, chunk)
        return
      default:
        this.#onBlock(bytes, at, chunk)
    }
  }

  #onData(bytes: Uint8Array, at: number, chunk: StreamChunk): void {
    const flags = bytes[at + 4]!
    const { start, end } = content(bytes, at)
    const isEndOfStream = (flags & frameFlag.endStream) !== 0
    this.#events.onData({ stream: frameStream(bytes, at), isEndOfStream, bytes, start, end }, chunk)
  }

  #onBlock(bytes: Uint8Array, at: number, chunk: StreamChunk): void {
    const type = bytes[at + 3]!
    const flags = bytes[at + 4]!
    const { start, end } = content(bytes, at)
    if (type !== http2Frame.continuation) {
      this.#block.clear()
      this.#blockStream = frameStream(bytes, at)
      this.#isBlockEndOfStream = type === http2Frame.headers && (flags & frameFlag.endStream) !== 0
      // The promised stream is another one: its request is of no interest, its fields change the table.
      if (type === http2Frame.pushPromise) this.#blockStream = 0
    }
    const isWhole = (flags & frameFlag.endHeaders) !== 0
    if (isWhole && this.#block.length === 0) {
      this.#onFields(this.#hpack.decode(bytes, start, end), chunk)
      return
    }
    if (!this.#block.append(bytes, start, end)) this.#hpack.clear()
    if (!isWhole) return
    const fields = this.#hpack.decode(this.#block.bytes, 0, this.#block.length)
    this.#block.clear()
    this.#onFields(fields, chunk)
  }

  #onFields(fields: Field[], chunk: StreamChunk): void {
    if (this.#blockStream === 0) return
    this.#events.onHeaders({ stream: this.#blockStream, fields, isEndOfStream: this.#isBlockEndOfStream }, chunk)
  }

  #hold(chunk: StreamChunk, at: number): number {
    if (!this.#pending.append(chunk.bytes, at, chunk.end)) this.#lose()
    return chunk.end
  }

  #lose(): void {
    this.#pending.clear()
    this.#block.clear()
    this.#skipBytes = 0
    this.isLost = true
  }
}

/** Of a HEADERS, PUSH_PROMISE, CONTINUATION or DATA frame: without the padding, the priority and the promised stream. */
function content(bytes: Uint8Array, at: number): { start: number; end: number } {
  const type = bytes[at + 3]!
  const flags = bytes[at + 4]!
  let start = at + frameHeaderBytes
  let end = start + frameSize(bytes, at)
  if (type !== http2Frame.continuation && (flags & frameFlag.padded) !== 0 && start < end) end -= bytes[start++]!
  if (type === http2Frame.headers && (flags & frameFlag.priority) !== 0) start += 5
  if (type === http2Frame.pushPromise) start += 4
  return start <= end ? { start, end } : { start: 0, end: 0 }
}
