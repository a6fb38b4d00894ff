/** What the file header of a pcap says. Format: draft-ietf-opsawg-pcap, pcap-savefile(5). */
export interface PcapHeader {
  readonly littleEndian: boolean
  /** the file counts fractions of a second in nanoseconds, not in microseconds */
  readonly hasNanoseconds: boolean
  /** LINKTYPE_ number, without the bits about the frame check sequence */
  readonly linkType: number
  /** bytes */
  readonly snaplen: number
}

/**
 * One packet of the stream. The reader uses one object for all packets, and the buffer may be reused too: a consumer that keeps something copies
 * it before it returns.
 */
export interface PacketView {
  readonly buffer: Buffer
  /** where the packet's first byte is in `buffer` */
  readonly offset: number
  /** bytes in `buffer` from `offset` on */
  readonly capturedLength: number
  /** bytes that the packet had on the wire, as the file says; not checked against capturedLength */
  readonly originalLength: number
  /** s since the epoch */
  readonly seconds: number
  /** added to `seconds`. Two numbers, because one cannot hold ns since the epoch exactly. Not checked to be less than a second. */
  readonly nanoseconds: number
  /** where the packet's record header is in the stream, bytes */
  readonly streamOffset: number
}

/** How a stream ended. It is a whole file where `wholeBytes` equals `bytes` and `broken` is undefined. */
export interface PcapEnd {
  readonly bytes: number
  /** offset after the last whole packet (or the file header): where a broken file can be cut */
  readonly wholeBytes: number
  /** the first violation of the format */
  readonly broken: string | undefined
}

/** Takes the packets of one stream, in order: `onHeader`, `onPacket` for each whole packet, `onEnd`. It must not throw. */
export interface PacketConsumer {
  /** Called once, before the first packet; never where the stream does not begin with a pcap header. */
  onHeader?(header: PcapHeader): void
  onPacket(packet: PacketView): void
  /** No more bytes come in this process. Another process may continue the file: it reads the file again from its begin. */
  onEnd?(end: PcapEnd): void
}

const fileHeaderBytes = 24
/** Bytes of a record header. */
export const recordHeaderBytes = 16
/** MAXIMUM_SNAPLEN of libpcap is 262144; USB and D-Bus links have larger packets, the interfaces of a pod or node do not. */
const maxPacketBytes = 1_048_576

const noBytes: Buffer = Buffer.alloc(0)

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] }

type ReaderState = 'file-header' | 'record-header' | 'packet' | 'broken'

/**
 * Reads a pcap stream in chunks of any size and gives each whole packet to every consumer. A packet that lies in one chunk is handed over where it
 * is; only one that spans chunks is copied. Memory is bounded by the largest packet.
 */
export class PcapReader {
  #state: ReaderState = 'file-header'
  readonly #consumers: readonly PacketConsumer[]
  readonly #packet: Mutable<PacketView> = {
    buffer: noBytes,
    offset: 0,
    capturedLength: 0,
    originalLength: 0,
    seconds: 0,
    nanoseconds: 0,
    streamOffset: 0,
  }
  /** the begin of a header or packet whose rest is in a later chunk */
  #carry: Buffer = Buffer.alloc(4_096)
  #carriedBytes = 0
  #littleEndian = true
  #nanosecondsPerUnit = 1_000
  #packetCount = 0
  #bytes = 0
  #wholeBytes = 0
  #broken: string | undefined

  constructor(consumers: readonly PacketConsumer[]) {
    this.#consumers = consumers
  }

  /** How far the stream has come. */
  progress(): PcapEnd {
    return { bytes: this.#bytes, wholeBytes: this.#wholeBytes, broken: this.#broken }
  }

  push(chunk: Buffer): void {
    let at = this.#carriedBytes > 0 ? this.#completeCarried(chunk) : 0
    while (this.#state !== 'broken') {
      const needed = this.#neededBytes()
      if (chunk.length - at < needed) break
      this.#take(chunk, at, this.#bytes + at)
      at += needed
    }
    if (this.#state !== 'broken' && at < chunk.length) this.#addToCarry(chunk, at, chunk.length - at)
    this.#bytes += chunk.length
    this.#packet.buffer = noBytes // keeps no chunk alive
  }

  end(): void {
    const end = this.progress()
    for (const consumer of this.#consumers) consumer.onEnd?.(end)
  }

  /** Adds the chunk's first bytes to what is carried until that is whole; what is behind them in the chunk is not touched. */
  #completeCarried(chunk: Buffer): number {
    let at = 0
    while (this.#state !== 'broken' && this.#carriedBytes > 0) {
      const needed = this.#neededBytes()
      const step = Math.min(needed - this.#carriedBytes, chunk.length - at)
      this.#addToCarry(chunk, at, step)
      at += step
      if (this.#carriedBytes < needed) return at
      this.#carriedBytes = 0
      this.#take(this.#carry, 0, this.#bytes + at - needed)
    }
    return at
  }

  #addToCarry(chunk: Buffer, at: number, addedBytes: number): void {
    const totalBytes = this.#carriedBytes + addedBytes
    if (totalBytes > this.#carry.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(totalBytes, 2 * this.#carry.length))
      this.#carry.copy(larger, 0, 0, this.#carriedBytes)
      this.#carry = larger
    }
    chunk.copy(this.#carry, this.#carriedBytes, at, at + addedBytes)
    this.#carriedBytes = totalBytes
  }

  /** Bytes of the header or packet that comes next. */
  #neededBytes(): number {
    if (this.#state === 'record-header') return recordHeaderBytes
    if (this.#state === 'packet') return this.#packet.capturedLength
    return fileHeaderBytes
  }

  /** Takes the next header or packet, all of which is in `buffer`. */
  #take(buffer: Buffer, at: number, streamOffset: number): void {
    if (this.#state === 'packet') this.#takePacket(buffer, at, streamOffset)
    else if (this.#state === 'record-header') this.#takeRecordHeader(buffer, at, streamOffset)
    else this.#takeFileHeader(buffer, at)
  }

  #takeFileHeader(buffer: Buffer, at: number): void {
    const magic = buffer.readUInt32LE(at)
    const format = formats.get(magic)
    if (format === undefined) {
      this.#breakOff(`it does not begin with a pcap header (magic 0x${magic.toString(16).padStart(8, '0')})`)
      return
    }
    this.#littleEndian = format.littleEndian
    this.#nanosecondsPerUnit = format.hasNanoseconds ? 1 : 1_000
    this.#wholeBytes = fileHeaderBytes
    this.#state = 'record-header'
    const header = { ...format, linkType: this.#word(buffer, at + 20) & 0xffff, snaplen: this.#word(buffer, at + 16) }
    for (const consumer of this.#consumers) consumer.onHeader?.(header)
  }

  #takeRecordHeader(buffer: Buffer, at: number, streamOffset: number): void {
    const capturedLength = this.#word(buffer, at + 8)
    if (capturedLength > maxPacketBytes) {
      this.#breakOff(`packet ${this.#packetCount + 1} claims ${capturedLength} bytes`)
      return
    }
    const packet = this.#packet
    packet.capturedLength = capturedLength
    packet.originalLength = this.#word(buffer, at + 12)
    packet.seconds = this.#word(buffer, at)
    packet.nanoseconds = this.#word(buffer, at + 4) * this.#nanosecondsPerUnit
    packet.streamOffset = streamOffset
    this.#state = 'packet'
  }

  #takePacket(buffer: Buffer, at: number, streamOffset: number): void {
    const packet = this.#packet
    packet.buffer = buffer
    packet.offset = at
    this.#packetCount += 1
    this.#wholeBytes = streamOffset + packet.capturedLength
    this.#state = 'record-header'
    for (const consumer of this.#consumers) consumer.onPacket(packet)
  }

  #breakOff(reason: string): void {
    this.#broken = reason
    this.#state = 'broken'
  }

  #word(buffer: Buffer, at: number): number {
    return this.#littleEndian ? buffer.readUInt32LE(at) : buffer.readUInt32BE(at)
  }
}

const formats = new Map([
  [0xa1b2c3d4, { littleEndian: true, hasNanoseconds: false }],
  [0xa1b23c4d, { littleEndian: true, hasNanoseconds: true }],
  [0xd4c3b2a1, { littleEndian: false, hasNanoseconds: false }],
  [0x4d3cb2a1, { littleEndian: false, hasNanoseconds: true }],
])
