import { halfWord, maxPacketBytes, word } from './capture-format.ts'
import type { CaptureInterface, MutablePacket, SectionParser } from './capture-format.ts'

const block = { interface: 1, packet: 2, simplePacket: 3, statistics: 5, enhancedPacket: 6 } as const
const customBlock = 0x0bad
const localCustomBlock = 0x40000bad
export const sectionHeaderBlock = 0x0a0d0d0a
const sectionHeaderBytes = 28
/** A packet of `maxPacketBytes` and its options. Other blocks may be larger, their content is not read. */
const maxBlockBytes = maxPacketBytes + 65_536
const maxInterfacesCount = 65_536
const maxBlockTypesCount = 64

interface SectionInterface extends CaptureInterface {
  /** time units per second; 0: a power of two or a resolution that needs large numbers, see `resolution` */
  readonly unitsPerSecond: number
  /** the byte of if_tsresol */
  readonly resolution: number
  /** s */
  readonly timeOffset: number
}

/** The blocks of a pcapng file. Format: draft-ietf-opsawg-pcapng. Each section has its own byte order and its own interfaces. */
export class PcapngSection implements SectionParser {
  problem = ''
  skippedBytes = 0
  version = ''
  sections = 0
  reportedDrops = 0
  customBlocks = 0
  /** number of blocks by their type, without enhanced packet blocks */
  readonly #otherBlocks = new Map<number, number>()
  #enhancedPackets = 0
  /** of all sections, in the order of the file */
  readonly interfaces: CaptureInterface[] = []
  littleEndian = true
  readonly #packet: MutablePacket
  /** of this section */
  #interfaces: SectionInterface[] = []
  /** number of interfaces of earlier sections */
  #interfaceBase = 0

  constructor(packet: MutablePacket) {
    this.#packet = packet
  }

  itemBytes(buffer: Uint8Array, at: number, available: number): number {
    this.skippedBytes = 0
    if (available < 12) return 12
    const isSection = word(buffer, at, false) === sectionHeaderBlock
    const littleEndian = isSection ? buffer[at + 8] === 0x4d : this.littleEndian
    if (isSection && word(buffer, at + 8, littleEndian) !== 0x1a2b3c4d)
      return this.#fail('a section has no byte-order magic')
    const totalBytes = word(buffer, at + 4, littleEndian)
    if (totalBytes < (isSection ? sectionHeaderBytes : 12) || totalBytes % 4 !== 0)
      return this.#fail(`a block claims ${totalBytes} bytes`)
    if (totalBytes <= maxBlockBytes) return this.#checkEnd(buffer, at, { available, totalBytes, littleEndian })
    const type = word(buffer, at, littleEndian)
    if (isSection || type <= block.enhancedPacket) return this.#fail(`a block claims ${totalBytes} bytes`)
    this.skippedBytes = totalBytes - 12
    return 12
  }

  take(buffer: Uint8Array, at: number, itemBytes: number): boolean {
    const type = word(buffer, at, this.littleEndian)
    if (type === block.enhancedPacket) return this.#takeEnhanced(buffer, at, itemBytes)
    const count = this.#otherBlocks.get(type) ?? 0
    if (count > 0 || this.#otherBlocks.size < maxBlockTypesCount) this.#otherBlocks.set(type, count + 1)
    if (type === customBlock || type === localCustomBlock) this.customBlocks += 1
    if (this.skippedBytes > 0) return false
    if (word(buffer, at, false) === sectionHeaderBlock) this.#takeSection(buffer, at)
    else if (type === block.interface) this.#takeInterface(buffer, at, itemBytes)
    else if (type === block.simplePacket) return this.#takeSimple(buffer, at, itemBytes)
    else if (type === block.packet) return this.#takePacket(buffer, at, itemBytes)
    else if (type === block.statistics) this.#takeStatistics(buffer, at, itemBytes)
    return false
  }

  /** Number of blocks by their type. */
  blocks(): ReadonlyMap<number, number> {
    return this.#enhancedPackets === 0
      ? this.#otherBlocks
      : new Map([...this.#otherBlocks, [block.enhancedPacket, this.#enhancedPackets]])
  }

  #checkEnd(
    buffer: Uint8Array,
    at: number,
    item: { available: number; totalBytes: number; littleEndian: boolean },
  ): number {
    const { available, totalBytes, littleEndian } = item
    if (available >= totalBytes && word(buffer, at + totalBytes - 4, littleEndian) !== totalBytes) {
      return this.#fail(`a block of ${totalBytes} bytes ends with another length`)
    }
    return totalBytes
  }

  #fail(problem: string): -1 {
    this.problem = problem
    return -1
  }

  #takeSection(buffer: Uint8Array, at: number): void {
    this.littleEndian = buffer[at + 8] === 0x4d
    if (this.sections === 0)
      this.version = `${halfWord(buffer, at + 12, this.littleEndian)}.${halfWord(buffer, at + 14, this.littleEndian)}`
    this.sections += 1
    this.#interfaceBase += this.#interfaces.length
    this.#interfaces = []
  }

  #takeInterface(buffer: Uint8Array, at: number, itemBytes: number): void {
    if (itemBytes < 20 || this.interfaces.length >= maxInterfacesCount) return
    let resolution = 6
    let timeOffset = 0
    let name: string | undefined
    this.#eachOption(buffer, { at: at + 16, end: at + itemBytes - 4 }, (code, value, valueBytes) => {
      if (code === 2) name = Buffer.from(buffer.subarray(value, value + Math.min(valueBytes, 256))).toString('utf8')
      if (code === 9 && valueBytes >= 1) resolution = buffer[value]!
      if (code === 14 && valueBytes >= 8) timeOffset = Number(BigInt.asIntN(64, this.#bigWord(buffer, value)))
    })
    const linkType = halfWord(buffer, at + 8, this.littleEndian)
    const snaplen = word(buffer, at + 12, this.littleEndian)
    const unitsPerSecond = resolution <= 9 ? 10 ** resolution : 0
    const added = { linkType, snaplen, name, unitsPerSecond, resolution, timeOffset }
    this.#interfaces.push(added)
    this.interfaces.push(added)
  }

  #takeEnhanced(buffer: Uint8Array, at: number, itemBytes: number): boolean {
    this.#enhancedPackets += 1
    if (itemBytes < 32) return this.#badPacket()
    this.#setTime(buffer, at + 12, word(buffer, at + 8, this.littleEndian))
    return this.#setPacket(buffer, { at, itemBytes, lengthsAt: at + 20 })
  }

  #takePacket(buffer: Uint8Array, at: number, itemBytes: number): boolean {
    if (itemBytes < 32) return this.#badPacket()
    this.#setTime(buffer, at + 12, halfWord(buffer, at + 8, this.littleEndian))
    return this.#setPacket(buffer, { at, itemBytes, lengthsAt: at + 20 })
  }

  #takeSimple(buffer: Uint8Array, at: number, itemBytes: number): boolean {
    const source = this.#interfaces[0]
    if (itemBytes < 16 || source === undefined) return this.#badPacket()
    const packet = this.#packet
    packet.originalLength = word(buffer, at + 8, this.littleEndian)
    packet.buffer = buffer
    packet.offset = at + 12
    const snapped = source.snaplen > 0 ? Math.min(packet.originalLength, source.snaplen) : packet.originalLength
    packet.capturedLength = Math.min(snapped, itemBytes - 16)
    // It has no time: that of the packet before it is kept.
    packet.linkType = source.linkType
    packet.interfaceId = this.#interfaceBase
    return true
  }

  #setPacket(
    buffer: Uint8Array,
    { at, itemBytes, lengthsAt }: { at: number; itemBytes: number; lengthsAt: number },
  ): boolean {
    const packet = this.#packet
    const capturedLength = word(buffer, lengthsAt, this.littleEndian)
    if (packet.interfaceId < 0 || capturedLength > itemBytes - 32) return this.#badPacket()
    packet.buffer = buffer
    packet.offset = lengthsAt + 8
    packet.capturedLength = capturedLength
    packet.originalLength = word(buffer, lengthsAt + 4, this.littleEndian)
    return packet.offset + capturedLength <= at + itemBytes
  }

  /** Sets the interface, too: it says what the time's unit is. */
  #setTime(buffer: Uint8Array, at: number, interfaceIndex: number): void {
    const packet = this.#packet
    const source = this.#interfaces[interfaceIndex]
    packet.interfaceId = source === undefined ? -1 : this.#interfaceBase + interfaceIndex
    if (source === undefined) return
    packet.linkType = source.linkType
    const high = word(buffer, at, this.littleEndian)
    const low = word(buffer, at + 4, this.littleEndian)
    const { unitsPerSecond } = source
    if (unitsPerSecond === 0) {
      setTimeExactly(packet, (BigInt(high) << 32n) | BigInt(low), source.resolution)
    } else {
      // A division of 64 by 30 bits in steps that a double holds exactly.
      const upper = (high % unitsPerSecond) * 65_536 + (low >>> 16)
      const lower = (upper % unitsPerSecond) * 65_536 + (low & 0xffff)
      packet.seconds =
        Math.floor(high / unitsPerSecond) * 4_294_967_296 +
        Math.floor(upper / unitsPerSecond) * 65_536 +
        Math.floor(lower / unitsPerSecond)
      packet.nanoseconds = (lower % unitsPerSecond) * (1e9 / unitsPerSecond)
    }
    packet.seconds += source.timeOffset
  }

  #takeStatistics(buffer: Uint8Array, at: number, itemBytes: number): void {
    if (itemBytes < 24) return
    this.#eachOption(buffer, { at: at + 20, end: at + itemBytes - 4 }, (code, value, valueBytes) => {
      if ((code === 5 || code === 7) && valueBytes === 8) this.reportedDrops += Number(this.#bigWord(buffer, value))
    })
  }

  #eachOption(
    buffer: Uint8Array,
    range: { at: number; end: number },
    visit: (code: number, at: number, valueBytes: number) => void,
  ): void {
    let { at } = range
    while (at + 4 <= range.end) {
      const code = halfWord(buffer, at, this.littleEndian)
      const valueBytes = halfWord(buffer, at + 2, this.littleEndian)
      if (code === 0 || at + 4 + valueBytes > range.end) return
      visit(code, at + 4, valueBytes)
      at += 4 + Math.ceil(valueBytes / 4) * 4
    }
  }

  #bigWord(buffer: Uint8Array, at: number): bigint {
    const first = BigInt(word(buffer, at, this.littleEndian))
    const second = BigInt(word(buffer, at + 4, this.littleEndian))
    return this.littleEndian ? (second << 32n) | first : (first << 32n) | second
  }

  #badPacket(): boolean {
    this.problem = 'a packet block names an interface or a length that does not exist'
    return false
  }
}

/** For resolutions finer than 1 ns and for powers of two: rare, so it may be slow. */
function setTimeExactly(packet: MutablePacket, units: bigint, resolution: number): void {
  const unitsPerSecond = resolution & 0x80 ? 1n << BigInt(resolution & 0x7f) : 10n ** BigInt(resolution)
  packet.seconds = Number(units / unitsPerSecond)
  packet.nanoseconds = Number(((units % unitsPerSecond) * 1_000_000_000n) / unitsPerSecond)
}
