import { u16 } from '../bytes.ts'
import { type PendingBudget, PendingBytes } from './pending-bytes.ts'
import type { StreamChunk, StreamParser } from './stream-chunk.ts'

const lengthBytes = 2
const maxMessageBytes = 65_535 + lengthBytes

/** A DNS message: without the length in front of it. */
export type OnDnsMessage = (bytes: Uint8Array, start: number, end: number, chunk: StreamChunk) => void

/** DNS messages of one direction of a TCP connection (RFC 1035, 4.2.2). */
export class DnsStreamParser implements StreamParser {
  readonly #onMessage: OnDnsMessage
  readonly #pending: PendingBytes
  #last: StreamChunk | undefined
  isLost = false
  readonly skippableBytes = 0

  constructor(onMessage: OnDnsMessage, budget: PendingBudget) {
    this.#onMessage = onMessage
    this.#pending = new PendingBytes(budget, maxMessageBytes)
  }

  resume(): void {
    this.isLost = false
  }

  onChunk(chunk: StreamChunk): void {
    this.#last = chunk
    let at = chunk.start
    while (at < chunk.end && !this.isLost)
      at = this.#pending.length > 0 ? this.#onMore(chunk, at) : this.#onStart(chunk, at)
  }

  onGap(_byteCount: number, wasCut: boolean): void {
    const { bytes, length } = this.#pending
    if (wasCut && this.#last !== undefined && length > lengthBytes)
      this.#onMessage(bytes, lengthBytes, length, this.#last)
    this.#lose()
  }

  onClose(): void {
    this.#lose()
  }

  #onStart(chunk: StreamChunk, at: number): number {
    const { bytes, end } = chunk
    if (end - at < lengthBytes) return this.#hold(chunk, at)
    const next = at + lengthBytes + u16(bytes, at)
    if (next > end) return this.#hold(chunk, at)
    this.#onMessage(bytes, at + lengthBytes, next, chunk)
    return next
  }

  #onMore(chunk: StreamChunk, at: number): number {
    const { length } = this.#pending
    const wanted = length < lengthBytes ? lengthBytes : this.#messageEnd()
    const next = Math.min(at + wanted - length, chunk.end)
    if (!this.#pending.append(chunk.bytes, at, next)) {
      this.#lose()
      return chunk.end
    }
    if (this.#pending.length < lengthBytes || this.#pending.length < this.#messageEnd()) return next
    this.#onMessage(this.#pending.bytes, lengthBytes, this.#pending.length, chunk)
    this.#pending.clear()
    return next
  }

  #messageEnd(): number {
    return lengthBytes + u16(this.#pending.bytes, 0)
  }

  #hold(chunk: StreamChunk, at: number): number {
    if (!this.#pending.append(chunk.bytes, at, chunk.end)) this.#lose()
    return chunk.end
  }

  #lose(): void {
    this.#pending.clear()
    this.isLost = true
  }
}
