import { findHeadEnd, type HttpHead, longestStartBytes, looksLikeHttp1, readHead } from './http1-head.ts'
import { type PendingBudget, PendingBytes } from './pending-bytes.ts'
import type { StreamChunk, StreamParser } from './stream-chunk.ts'

const maxHeadBytes = 64 * 1024
/** as Wireshark */
const maxChunkBytes = 2 ** 31
const lineFeed = 0x0a

/** What a connection does with the messages of its two directions. */
export interface Http1Events {
  /** The head of a message is there. Returns what follows it: of a response, that depends on its request. */
  onHead(head: HttpHead): 'body' | 'no body' | 'another protocol'
  /**
   * The whole message is there, or all of it that was captured. Where the body ends with the connection, its end is meant. `isCounted`: tshark
   * reads it, too; it does not where a part is missing or came late.
   */
  onComplete(head: HttpHead, timeNs: number, isCounted: boolean): void
}

type State =
  | 'start'
  | 'head'
  | 'length'
  | 'chunk size'
  | 'chunk line'
  | 'chunk data'
  | 'chunk end'
  | 'trailer'
  | 'until close'
  | 'lost'

/** HTTP/1 messages of one direction: heads are read, bodies are counted off. */
export class Http1Parser implements StreamParser {
  readonly #events: Http1Events
  readonly #pending: PendingBytes
  #state: State = 'start'
  #head: HttpHead | undefined
  #isReported = false
  /** of this message: holes in its body */
  #missingBytes = 0
  #isStartLate = false
  #isLate = false
  /** of the body or the chunk */
  #remainingBytes = 0
  #isLineEmpty = true
  #headStart = { startTimeNs: 0, frameNumber: 0 }
  #lastTimeNs = 0

  constructor(events: Http1Events, budget: PendingBudget) {
    this.#events = events
    this.#pending = new PendingBytes(budget, maxHeadBytes)
  }

  get isLost(): boolean {
    return this.#state === 'lost'
  }

  get skippableBytes(): number {
    if (this.#state === 'until close') return Infinity
    return this.#state === 'length' || this.#state === 'chunk data' ? this.#remainingBytes : 0
  }

  resume(): void {
    this.#state = 'start'
  }

  onChunk(chunk: StreamChunk): void {
    this.#lastTimeNs = chunk.timeNs
    this.#isLate = chunk.isLate
    let at = chunk.start
    while (at < chunk.end) at = this.#step(chunk, at)
  }

  onGap(byteCount: number, wasCut: boolean): void {
    if (wasCut && this.#state === 'head') {
      // Whether a body follows, and how long it is, may be in what was cut off.
      this.#onHead(readHead(this.#pending.bytes, 0, this.#pending.length, this.#headStart))
      this.#complete()
      this.#lose()
      return
    }
    if (wasCut) this.#complete()
    else this.#missingBytes += byteCount
    if (byteCount <= this.skippableBytes) {
      if (this.#state !== 'until close') this.#skip(byteCount)
      return
    }
    this.#lose()
  }

  onGapFilled(byteCount: number): void {
    this.#missingBytes = Math.max(this.#missingBytes - byteCount, 0)
  }

  onClose(by: 'fin' | 'reset' | 'end of capture'): void {
    if (this.#state === 'until close' && by === 'fin') this.#complete()
    this.#lose()
  }

  /** Returns the position of the first byte that was not used. */
  #step(chunk: StreamChunk, at: number): number {
    switch (this.#state) {
      case 'start':
        return this.#onStart(chunk, at)
      case 'head':
        return this.#onHeadBytes(chunk, at)
      case 'length':
      case 'chunk data': {
        const count = Math.min(this.#remainingBytes, chunk.end - at)
        this.#skip(count)
        return at + count
      }
      case 'chunk size':
        return this.#onChunkSize(chunk.bytes[at]!, at)
      case 'chunk line':
      case 'chunk end':
        if (chunk.bytes[at] === lineFeed) this.#onChunkLineEnd()
        return at + 1
      case 'trailer':
        this.#onTrailerByte(chunk.bytes[at]!)
        return at + 1
      case 'until close':
      case 'lost':
        return chunk.end
    }
  }

  #onStart(chunk: StreamChunk, at: number): number {
    const byte = chunk.bytes[at]!
    // RFC 9112, 2.2: empty lines before a request are ignored.
    if (byte === lineFeed || byte === 0x0d) return at + 1
    if (looksLikeHttp1(chunk.bytes, at, chunk.end) === 'no') {
      this.#lose()
      return at
    }
    this.#headStart = { startTimeNs: chunk.timeNs, frameNumber: chunk.frameNumber }
    this.#isStartLate = chunk.isLate
    this.#state = 'head'
    return at
  }

  #onHeadBytes(chunk: StreamChunk, at: number): number {
    const held = this.#pending.length
    if (held === 0) {
      const end = findHeadEnd(chunk.bytes, at, chunk.end)
      if (end >= 0) {
        this.#onHead(readHead(chunk.bytes, at, end, this.#headStart))
        return end
      }
    }
    if (!this.#pending.append(chunk.bytes, at, chunk.end)) {
      this.#lose()
      return chunk.end
    }
    if (held < longestStartBytes && looksLikeHttp1(this.#pending.bytes, 0, this.#pending.length) === 'no') {
      this.#lose()
      return chunk.end
    }
    const end = findHeadEnd(this.#pending.bytes, Math.max(held - 3, 0), this.#pending.length)
    if (end < 0) return chunk.end
    const head = readHead(this.#pending.bytes, 0, end, this.#headStart)
    this.#pending.clear()
    this.#onHead(head)
    return at + end - held
  }

  #onHead(head: HttpHead | undefined): void {
    if (head === undefined) {
      this.#lose()
      return
    }
    this.#head = head
    this.#isReported = false
    this.#missingBytes = 0
    const next = this.#events.onHead(head)
    if (next === 'another protocol') {
      this.#complete()
      this.#lose()
    } else if (next === 'no body') this.#endMessage()
    else if (head.isChunked) this.#startChunk()
    else if (head.contentLength !== undefined) {
      this.#remainingBytes = head.contentLength
      this.#state = 'length'
      this.#skip(0)
    } else if (head.isRequest) this.#endMessage()
    else this.#state = 'until close'
  }

  #skip(count: number): void {
    this.#remainingBytes -= count
    if (this.#remainingBytes > 0) return
    if (this.#state === 'length') this.#endMessage()
    else this.#state = 'chunk end'
  }

  #startChunk(): void {
    this.#remainingBytes = 0
    this.#isLineEmpty = true
    this.#state = 'chunk size'
  }

  #onChunkSize(byte: number, at: number): number {
    const digit = hexDigit(byte)
    if (digit >= 0) {
      this.#isLineEmpty = false
      this.#remainingBytes = this.#remainingBytes * 16 + digit
      if (this.#remainingBytes <= maxChunkBytes) return at + 1
    } else if (!this.#isLineEmpty) {
      this.#state = 'chunk line'
      return at
    }
    // Not a size: it is unknown where the next message starts.
    this.#complete()
    this.#lose()
    return at
  }

  #onChunkLineEnd(): void {
    if (this.#state === 'chunk end') this.#startChunk()
    else if (this.#remainingBytes > 0) this.#state = 'chunk data'
    else {
      this.#isLineEmpty = true
      this.#state = 'trailer'
    }
  }

  #onTrailerByte(byte: number): void {
    if (byte !== lineFeed) {
      if (byte !== 0x0d) this.#isLineEmpty = false
    } else if (this.#isLineEmpty) this.#endMessage()
    else this.#isLineEmpty = true
  }

  #endMessage(): void {
    this.#complete()
    this.#head = undefined
    this.#state = 'start'
  }

  #complete(): void {
    if (this.#head === undefined || this.#isReported) return
    this.#isReported = true
    this.#events.onComplete(
      this.#head,
      this.#lastTimeNs,
      this.#missingBytes === 0 && !this.#isLate && !this.#isStartLate,
    )
  }

  #lose(): void {
    this.#pending.clear()
    this.#head = undefined
    this.#state = 'lost'
  }
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const lower = byte | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1
}
