import { u16, u24 } from '../bytes.ts'
import { type PendingBudget, PendingBytes } from './pending-bytes.ts'
import type { StreamChunk, StreamParser } from './stream-chunk.ts'

const headerBytes = 5
/** RFC 5246, 6.2.3: 2^14 and 2048 more for what encryption adds */
const maxRecordBytes = 16_384 + 2048
/** a chain of certificates */
const maxHandshakeBytes = 128 * 1024

export const tlsRecord = { changeCipherSpec: 20, alert: 21, handshake: 22, applicationData: 23, heartbeat: 24 } as const
export const tlsHandshake = { clientHello: 1, serverHello: 2, certificate: 11 } as const

/** What a connection does with the records of a direction. */
export interface TlsEvents {
  /** Called for each record header; for application data it is the only call. */
  onRecord(type: number, byteCount: number, chunk: StreamChunk): void
  /** A handshake message in clear, from the byte after its header; `isCut`: its end is missing. */
  onHandshake(message: TlsMessage, chunk: StreamChunk): void
  /** An alert in clear. */
  onAlert(level: number, description: number, chunk: StreamChunk): void
  onClose(by: 'fin' | 'reset' | 'end of capture'): void
}

export interface TlsMessage {
  readonly type: number
  readonly bytes: Uint8Array
  readonly start: number
  readonly end: number
}

/** Whether a TLS record begins here: `maybe` where the bytes end too early to tell. */
export function looksLikeTls(bytes: Uint8Array, start: number, end: number): 'yes' | 'no' | 'maybe' {
  const length = end - start
  if (length < 1) return 'maybe'
  const type = bytes[start]!
  if (type < tlsRecord.changeCipherSpec || type > tlsRecord.heartbeat) return 'no'
  if (length < 2) return 'maybe'
  if (bytes[start + 1] !== 3) return 'no'
  if (length < headerBytes) return 'maybe'
  const sizeBytes = u16(bytes, start + 3)
  return bytes[start + 2]! <= 4 && sizeBytes > 0 && sizeBytes <= maxRecordBytes ? 'yes' : 'no'
}

/** TLS records of one direction: application data is counted off, handshakes and alerts in clear are read. */
export class TlsParser implements StreamParser {
  readonly #events: TlsEvents
  readonly #record: PendingBytes
  readonly #handshake: PendingBytes
  /** bytes of application data that are left of a record */
  #skipBytes = 0
  #isEncrypted = false
  isLost = false
  #last: StreamChunk | undefined

  constructor(events: TlsEvents, budget: PendingBudget) {
    this.#events = events
    this.#record = new PendingBytes(budget, maxRecordBytes + headerBytes)
    this.#handshake = new PendingBytes(budget, maxHandshakeBytes)
  }

  get skippableBytes(): number {
    return this.#skipBytes
  }

  resume(): void {
    this.isLost = false
  }

  onChunk(chunk: StreamChunk): void {
    this.#last = chunk
    let at = chunk.start
    while (at < chunk.end && !this.isLost) {
      if (this.#skipBytes > 0) {
        const count = Math.min(this.#skipBytes, chunk.end - at)
        this.#skipBytes -= count
        at += count
      } else if (this.#record.length > 0) at = this.#onMore(chunk, at)
      else at = this.#onRecordStart(chunk, at)
    }
  }

  onGap(byteCount: number, wasCut: boolean): void {
    if (this.#skipBytes >= byteCount) {
      this.#skipBytes -= byteCount
      return
    }
    const { bytes, length } = this.#record
    if (wasCut && this.#last !== undefined && length > headerBytes && bytes[0] === tlsRecord.handshake) {
      this.#onHandshakeBytes({ bytes, start: headerBytes, end: length }, this.#last, true)
    }
    this.#lose()
  }

  onClose(by: 'fin' | 'reset' | 'end of capture'): void {
    this.#lose()
    this.#events.onClose(by)
  }

  #onRecordStart(chunk: StreamChunk, at: number): number {
    const { bytes, end } = chunk
    const isRecord = looksLikeTls(bytes, at, end)
    if (isRecord === 'no') {
      this.#lose()
      return end
    }
    if (isRecord === 'maybe') return this.#hold(chunk, at)
    const type = bytes[at]!
    const bodyEnd = at + headerBytes + u16(bytes, at + 3)
    if (type === tlsRecord.applicationData) {
      this.#events.onRecord(type, bodyEnd - at - headerBytes, chunk)
      this.#skipBytes = bodyEnd - at - headerBytes
      return at + headerBytes
    }
    if (bodyEnd > end) return this.#hold(chunk, at)
    this.#onBody({ bytes, start: at + headerBytes, end: bodyEnd }, type, chunk)
    return bodyEnd
  }

  /** Adds to a record that began in an earlier segment: first its header, then exactly its body. */
  #onMore(chunk: StreamChunk, at: number): number {
    const { length } = this.#record
    const wanted = length < headerBytes ? headerBytes : headerBytes + this.#heldBodyBytes()
    const next = Math.min(at + wanted - length, chunk.end)
    if (!this.#record.append(chunk.bytes, at, next)) {
      this.#lose()
      return chunk.end
    }
    if (this.#record.length < headerBytes) return next
    const { bytes } = this.#record
    if (length < headerBytes) {
      if (looksLikeTls(bytes, 0, headerBytes) !== 'yes') {
        this.#lose()
        return chunk.end
      }
      if (bytes[0] === tlsRecord.applicationData) {
        this.#skipBytes = this.#heldBodyBytes()
        this.#events.onRecord(bytes[0], this.#skipBytes, chunk)
        this.#record.clear()
        return next
      }
    }
    const bodyBytes = this.#heldBodyBytes()
    if (this.#record.length < headerBytes + bodyBytes) return next
    this.#onBody({ bytes, start: headerBytes, end: headerBytes + bodyBytes }, bytes[0]!, chunk)
    this.#record.clear()
    return next
  }

  #heldBodyBytes(): number {
    return u16(this.#record.bytes, 3)
  }

  #hold(chunk: StreamChunk, at: number): number {
    if (!this.#record.append(chunk.bytes, at, chunk.end)) this.#lose()
    return chunk.end
  }

  #onBody(body: Omit<TlsMessage, 'type'>, type: number, chunk: StreamChunk): void {
    const { bytes, start, end } = body
    this.#events.onRecord(type, end - start, chunk)
    if (type === tlsRecord.changeCipherSpec) this.#isEncrypted = true
    // An encrypted alert is longer: it has at least a nonce or a MAC.
    else if (type === tlsRecord.alert && end - start === 2)
      this.#events.onAlert(bytes[start]!, bytes[start + 1]!, chunk)
    else if (type === tlsRecord.handshake) this.#onHandshakeRecord(body, chunk)
  }

  #onHandshakeRecord(body: Omit<TlsMessage, 'type'>, chunk: StreamChunk): void {
    // In TLS 1.3 a client may send a second ClientHello after a change_cipher_spec that means nothing (RFC 8446, D.4).
    if (this.#isEncrypted && !isHello(body)) return
    if (this.#handshake.length === 0) {
      const rest = this.#onHandshakeBytes(body, chunk, false)
      if (rest < body.end && !this.#handshake.append(body.bytes, rest, body.end)) this.#handshake.clear()
      return
    }
    if (!this.#handshake.append(body.bytes, body.start, body.end)) return
    const { bytes, length } = this.#handshake
    const rest = this.#onHandshakeBytes({ bytes, start: 0, end: length }, chunk, false)
    if (rest === 0) return
    const left = bytes.slice(rest, length)
    this.#handshake.clear()
    if (left.length > 0) this.#handshake.append(left, 0, left.length)
  }

  /** Returns the position of the first message that is not whole. */
  #onHandshakeBytes(body: Omit<TlsMessage, 'type'>, chunk: StreamChunk, isCut: boolean): number {
    const { bytes, end } = body
    let at = body.start
    while (at + 4 <= end) {
      const next = at + 4 + u24(bytes, at + 1)
      if (next > end && !isCut) break
      this.#events.onHandshake({ type: bytes[at]!, bytes, start: at + 4, end: Math.min(next, end) }, chunk)
      at = next
    }
    return at
  }

  #lose(): void {
    this.#record.clear()
    this.#handshake.clear()
    this.#skipBytes = 0
    this.isLost = true
  }
}

function isHello({ bytes, start, end }: Omit<TlsMessage, 'type'>): boolean {
  if (end - start < 6 || (bytes[start] !== tlsHandshake.clientHello && bytes[start] !== tlsHandshake.serverHello)) {
    return false
  }
  return bytes[start + 1] === 0 && bytes[start + 4] === 3 && bytes[start + 5]! <= 4
}
