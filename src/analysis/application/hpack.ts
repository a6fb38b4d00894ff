import { decodeHuffman } from './hpack-huffman.ts'
import type { PendingBudget } from './pending-bytes.ts'
import { maxTextBytes, rawText } from './raw-text.ts'

/** RFC 7541, appendix A: "name" or "name=value", from index 1 */
const staticTable = [
  ...[':authority', ':method=GET', ':method=POST', ':path=/', ':path=/index.html', ':scheme=http', ':scheme=https'],
  ...[':status=200', ':status=204', ':status=206', ':status=304', ':status=400', ':status=404', ':status=500'],
  ...['accept-charset', 'accept-encoding=gzip, deflate', 'accept-language', 'accept-ranges', 'accept'],
  ...['access-control-allow-origin', 'age', 'allow', 'authorization', 'cache-control', 'content-disposition'],
  ...['content-encoding', 'content-language', 'content-length', 'content-location', 'content-range', 'content-type'],
  ...['cookie', 'date', 'etag', 'expect', 'expires', 'from', 'host', 'if-match', 'if-modified-since', 'if-none-match'],
  ...['if-range', 'if-unmodified-since', 'last-modified', 'link', 'location', 'max-forwards', 'proxy-authenticate'],
  ...['proxy-authorization', 'range', 'referer', 'refresh', 'retry-after', 'server', 'set-cookie'],
  ...['strict-transport-security', 'transfer-encoding', 'user-agent', 'vary', 'via', 'www-authenticate'],
].map((entry): Field => {
  const mark = entry.indexOf('=')
  return mark < 0 ? { name: entry, value: '' } : { name: entry.slice(0, mark), value: entry.slice(mark + 1) }
})

/** SETTINGS_HEADER_TABLE_SIZE before anybody says otherwise */
const defaultTableBytes = 4096
/** A table that may be larger is not followed. */
const maxTableBytes = 64 * 1024
/** RFC 7541, 4.1 */
const entryOverheadBytes = 32

export interface Field {
  /** undefined: it is in a part of the table that was sent before the capture began */
  readonly name: string | undefined
  /** at most 256 characters */
  readonly value: string | undefined
}

interface Entry extends Field {
  readonly sizeBytes: number
}

/**
 * Header fields of one direction of an HTTP/2 connection (RFC 7541). Where the connection's start is not in the capture, fields that refer to
 * what was sent before are unknown; later ones are right, because the table is indexed from its newest entry.
 */
export class HpackDecoder {
  readonly #budget: PendingBudget
  /** the newest entry is the last one */
  #entries: Entry[] = []
  #sizeBytes = 0
  #limitBytes = defaultTableBytes
  /** The table cannot be followed any more: everything that is not in the static table is unknown. */
  isBroken = false
  #at = 0

  constructor(budget: PendingBudget) {
    this.#budget = budget
  }

  /** The fields of a whole header block. Stops, and the decoder is broken, at the first byte that makes no sense. */
  decode(bytes: Uint8Array, start: number, end: number): Field[] {
    const fields: Field[] = []
    this.#at = start
    while (this.#at < end && !this.isBroken) {
      const field = this.#readField(bytes, end)
      if (field !== undefined) fields.push(field)
    }
    return fields
  }

  /** The connection is over. */
  clear(): void {
    this.#budget.release(this.#sizeBytes)
    this.#entries = []
    this.#sizeBytes = 0
    this.isBroken = true
  }

  #readField(bytes: Uint8Array, end: number): Field | undefined {
    const first = bytes[this.#at]!
    if ((first & 0x80) !== 0) return this.#lookUp(this.#readInteger(bytes, end, 7))
    if ((first & 0xe0) === 0x20) {
      this.#resize(this.#readInteger(bytes, end, 5))
      return undefined
    }
    const isIndexed = (first & 0x40) !== 0
    const index = this.#readInteger(bytes, end, isIndexed ? 6 : 4)
    const literalName = index === 0 ? this.#readString(bytes, end) : undefined
    const name = index === 0 ? literalName?.text : this.#lookUp(index)?.name
    const value = this.#readString(bytes, end)
    if (value === undefined || this.isBroken) return undefined
    if (isIndexed) {
      const nameBytes = literalName?.length ?? name?.length ?? 0
      this.#insert({ name, value: value.text, sizeBytes: nameBytes + value.length + entryOverheadBytes })
    }
    return { name, value: value.text }
  }

  #lookUp(index: number): Field | undefined {
    if (index <= 0) {
      this.#break()
      return undefined
    }
    if (index <= staticTable.length) return staticTable[index - 1]
    const entry = this.#entries[this.#entries.length - (index - staticTable.length)]
    return entry ?? { name: undefined, value: undefined }
  }

  #insert(entry: Entry): void {
    this.#evict(this.#limitBytes - entry.sizeBytes)
    if (entry.sizeBytes > this.#limitBytes) return
    if (!this.#budget.take(entry.sizeBytes)) {
      this.#break()
      return
    }
    this.#entries.push(entry)
    this.#sizeBytes += entry.sizeBytes
  }

  #resize(limitBytes: number): void {
    if (limitBytes > maxTableBytes) {
      this.#break()
      return
    }
    this.#limitBytes = limitBytes
    this.#evict(limitBytes)
  }

  /** Removes the oldest entries until no more than `limitBytes` are left. */
  #evict(limitBytes: number): void {
    let count = 0
    while (this.#sizeBytes > limitBytes && count < this.#entries.length) {
      const { sizeBytes } = this.#entries[count++]!
      this.#sizeBytes -= sizeBytes
      this.#budget.release(sizeBytes)
    }
    if (count > 0) this.#entries.splice(0, count)
  }

  /** RFC 7541, 5.1 */
  #readInteger(bytes: Uint8Array, end: number, prefixBits: number): number {
    const mask = (1 << prefixBits) - 1
    let value = bytes[this.#at++]! & mask
    if (value < mask) return value
    for (let shift = 0; shift <= 21; shift += 7) {
      if (this.#at >= end) break
      const byte = bytes[this.#at++]!
      value += (byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
    this.#break()
    return 0
  }

  /** RFC 7541, 5.2. `length`: of the whole string, `text` may be shorter */
  #readString(bytes: Uint8Array, end: number): { text: string; length: number } | undefined {
    if (this.#at >= end) {
      this.#break()
      return undefined
    }
    const isHuffman = bytes[this.#at]! >= 0x80
    const byteCount = this.#readInteger(bytes, end, 7)
    const start = this.#at
    this.#at += byteCount
    if (this.#at > end || this.isBroken) {
      this.#break()
      return undefined
    }
    if (!isHuffman) return { text: rawText(bytes, start, this.#at), length: byteCount }
    const decoded = decodeHuffman(bytes, start, this.#at, maxTextBytes)
    if (decoded === undefined) this.#break()
    return decoded
  }

  #break(): void {
    this.#evict(0)
    this.isBroken = true
  }
}
