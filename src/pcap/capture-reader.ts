import { word } from './capture-format.ts'
import type {
  CaptureConsumer,
  CaptureEnd,
  CaptureFormat,
  CaptureInterface,
  MutablePacket,
  SectionParser,
} from './capture-format.ts'
import { PcapSection, pcapHeaderBytes, pcapMagic } from './pcap-section.ts'
import { PcapngSection, sectionHeaderBlock } from './pcapng-section.ts'

/** The link types of a file that was put together from many: more than this many differ in no way that helps. */
const maxListedInterfacesCount = 1_024

/**
 * Reads a capture in pcap or pcapng format in chunks of any size and gives each whole packet to the consumer, where it is in the chunk; only one
 * that spans chunks is copied. What follows a violation of the format is not read. Memory is bounded by the largest packet.
 */
export class CaptureReader {
  readonly #consumer: CaptureConsumer
  readonly #packet: MutablePacket = {
    buffer: noBytes,
    offset: 0,
    capturedLength: 0,
    originalLength: 0,
    seconds: 0,
    nanoseconds: 0,
    linkType: 0,
    interfaceId: 0,
    frameNumber: 0,
  }
  #section: SectionParser | undefined
  #pcapng: PcapngSection | undefined
  #format: CaptureFormat | undefined
  readonly #interfaces: CaptureInterface[] = []
  #sections = 0
  #packets = 0
  #bytes = 0
  #wholeBytes = 0
  #skipBytes = 0
  #broken: string | undefined
  /** the begin of an item whose rest is in a later chunk */
  #carry: Uint8Array = Buffer.allocUnsafeSlow(65_536)
  #carriedBytes = 0

  constructor(consumer: CaptureConsumer) {
    this.#consumer = consumer
  }

  push(chunk: Uint8Array): void {
    this.#bytes += chunk.length
    let at = this.#carriedBytes > 0 ? this.#finishCarried(chunk) : 0
    if (this.#carriedBytes === 0) at = this.#takeItems(chunk, at)
    if (this.#broken === undefined && at < chunk.length) this.#addToCarry(chunk, at, chunk.length)
    this.#packet.buffer = noBytes // keeps no chunk alive
  }

  end(): CaptureEnd {
    const pcapng = this.#pcapng
    return {
      format:
        pcapng === undefined || this.#format === undefined
          ? this.#format
          : { ...this.#format, blocks: pcapng.blocks() },
      bytes: this.#bytes,
      wholeBytes: this.#wholeBytes,
      packets: this.#packets,
      customBlocks: pcapng?.customBlocks ?? 0,
      broken: this.#broken ?? (this.#format === undefined ? 'it ends before a capture header' : undefined),
      isCutShort: this.#broken === undefined && this.#wholeBytes !== this.#bytes,
      sections: this.#sections + (pcapng?.sections ?? 0),
      reportedDrops: pcapng?.reportedDrops ?? 0,
    }
  }

  /** Takes all whole items from `at` on and returns where the first one that is not whole begins. */
  #takeItems(chunk: Uint8Array, from: number): number {
    let at = this.#skip(chunk, from)
    while (this.#broken === undefined) {
      const available = chunk.length - at
      const needed = this.#itemBytes(chunk, at, available)
      if (needed > available || needed < 0) break
      this.#take(chunk, at, needed)
      at += needed
      if (this.#skipBytes > 0) at = this.#skip(chunk, at)
    }
    return at
  }

  #skip(chunk: Uint8Array, at: number): number {
    const skipped = Math.min(this.#skipBytes, chunk.length - at)
    this.#skipBytes -= skipped
    return at + skipped
  }

  /** Adds the chunk's first bytes to what is carried until no item is left that began in an earlier chunk. */
  #finishCarried(chunk: Uint8Array): number {
    let at = 0
    while (this.#broken === undefined) {
      const needed = this.#itemBytes(this.#carry, 0, this.#carriedBytes)
      if (needed < 0) break
      if (needed > this.#carriedBytes) {
        if (at === chunk.length) break
        const end = Math.min(chunk.length, at + needed - this.#carriedBytes)
        this.#addToCarry(chunk, at, end)
        at = end
        continue
      }
      this.#take(this.#carry, 0, needed)
      this.#carry.copyWithin(0, needed, this.#carriedBytes)
      this.#carriedBytes -= needed
      if (this.#carriedBytes === 0) break
    }
    return at
  }

  #addToCarry(chunk: Uint8Array, from: number, to: number): void {
    const totalBytes = this.#carriedBytes + to - from
    if (totalBytes > this.#carry.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(totalBytes, 2 * this.#carry.length))
      larger.set(this.#carry.subarray(0, this.#carriedBytes))
      this.#carry = larger
    }
    this.#carry.set(chunk.subarray(from, to), this.#carriedBytes)
    this.#carriedBytes = totalBytes
  }

  /** Bytes of the next item, more than `available` where it is not whole, -1 where the format is violated. */
  #itemBytes(buffer: Uint8Array, at: number, available: number): number {
    if (this.#section === undefined) return this.#startBytes(buffer, at, available)
    const bytes = this.#section.itemBytes(buffer, at, available)
    if (bytes > 0) return bytes
    if (bytes < 0) return this.#breakOff(this.#section.problem)
    this.#section = undefined
    return this.#startBytes(buffer, at, available)
  }

  #startBytes(buffer: Uint8Array, at: number, available: number): number {
    if (available < 4) return 4
    if (pcapMagic(buffer, at) !== undefined) return pcapHeaderBytes
    const magic = word(buffer, at, false)
    if (magic === sectionHeaderBlock) {
      this.#pcapng = new PcapngSection(this.#packet)
      this.#section = this.#pcapng
      return this.#itemBytes(buffer, at, available)
    }
    return this.#breakOff(
      unreadable.get(magic) ??
        `it does not begin with a pcap or pcapng header (0x${magic.toString(16).padStart(8, '0')})`,
    )
  }

  #take(buffer: Uint8Array, at: number, itemBytes: number): void {
    const section = this.#section
    if (section === undefined) {
      this.#startPcap(buffer, at)
    } else if (section.take(buffer, at, itemBytes)) {
      this.#packets += 1
      this.#packet.frameNumber = this.#packets + (this.#pcapng === undefined ? 0 : this.#pcapng.customBlocks)
      this.#consumer.onPacket(this.#packet)
    } else if (section.problem !== '') {
      this.#breakOff(section.problem)
      return
    } else if (this.#pcapng !== undefined) {
      this.#format ??= formatOf(this.#pcapng)
    }
    this.#skipBytes = section?.skippedBytes ?? 0
    this.#wholeBytes += itemBytes + this.#skipBytes
  }

  #startPcap(buffer: Uint8Array, at: number): void {
    const section = new PcapSection(buffer, at, this.#packet, this.#sections)
    const magic = pcapMagic(buffer, at)
    if (this.#interfaces.length < maxListedInterfacesCount) this.#interfaces.push(section.interface)
    this.#format ??= {
      format: magic?.format ?? 'pcap usec',
      byteOrder: magic?.littleEndian === false ? 'big' : 'little',
      version: section.version,
      interfaces: this.#interfaces,
      blocks: new Map(),
    }
    this.#section = section
    this.#sections += 1
  }

  #breakOff(problem: string): -1 {
    this.#broken ??= `${problem} (at byte ${this.#wholeBytes})`
    return -1
  }
}

// A Buffer as the chunks are: code that reads bytes stays monomorphic.
const noBytes: Uint8Array = Buffer.alloc(0)

/** Formats that are known by their first bytes and not read. */
const unreadable = new Map([
  [0x1c0001ac, 'IXIA lcap (hardware) files are not supported: save it as pcap with editcap'],
  [0xac01001c, 'IXIA lcap (hardware) files are not supported: save it as pcap with editcap'],
  [0x1c0001ab, 'IXIA lcap (software) files are not supported: save it as pcap with editcap'],
  [0xab01001c, 'IXIA lcap (software) files are not supported: save it as pcap with editcap'],
])

function formatOf(pcapng: PcapngSection): CaptureFormat {
  const { version, interfaces, littleEndian } = pcapng
  return { format: 'pcapng', byteOrder: littleEndian ? 'little' : 'big', version, interfaces, blocks: new Map() }
}
