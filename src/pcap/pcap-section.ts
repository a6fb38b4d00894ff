import { halfWord, maxPacketBytes, word } from './capture-format.ts'
import type { CaptureFormat, CaptureInterface, MutablePacket, SectionParser } from './capture-format.ts'

interface PcapMagic {
  readonly format: CaptureFormat['format']
  readonly littleEndian: boolean
}

/** By the first four bytes, read as a big-endian number. */
const magics = new Map<number, PcapMagic>([
  [0xd4c3b2a1, { format: 'pcap usec', littleEndian: true }],
  [0xa1b2c3d4, { format: 'pcap usec', littleEndian: false }],
  [0x4d3cb2a1, { format: 'pcap nsec', littleEndian: true }],
  [0xa1b23c4d, { format: 'pcap nsec', littleEndian: false }],
  [0x34cdb2a1, { format: 'pcap modified (Kuznetzov)', littleEndian: true }],
  [0xa1b2cd34, { format: 'pcap modified (Kuznetzov)', littleEndian: false }],
])

export const pcapHeaderBytes = 24

export function pcapMagic(buffer: Uint8Array, at: number): PcapMagic | undefined {
  return magics.get(word(buffer, at, false))
}

/** The records of one pcap file. Formats: draft-ietf-opsawg-pcap; Wireshark, wiretap/libpcap.h for the modified one. */
export class PcapSection implements SectionParser {
  problem = ''
  readonly skippedBytes = 0
  readonly version: string
  readonly interface: CaptureInterface
  readonly #littleEndian: boolean
  readonly #recordHeaderBytes: number
  readonly #nsPerUnit: number
  readonly #packet: MutablePacket
  readonly #interfaceId: number

  /** `at` is where the file header of 24 bytes is. */
  constructor(buffer: Uint8Array, at: number, packet: MutablePacket, interfaceId: number) {
    const { format, littleEndian } = pcapMagic(buffer, at) ?? { format: 'pcap usec', littleEndian: true }
    this.#littleEndian = littleEndian
    this.#recordHeaderBytes = format === 'pcap modified (Kuznetzov)' ? 24 : 16
    this.#nsPerUnit = format === 'pcap nsec' ? 1 : 1_000
    this.#packet = packet
    this.#interfaceId = interfaceId
    this.version = `${halfWord(buffer, at + 4, littleEndian)}.${halfWord(buffer, at + 6, littleEndian)}`
    const linkType = word(buffer, at + 20, littleEndian) & 0xffff
    this.interface = { linkType, snaplen: word(buffer, at + 16, littleEndian), name: undefined }
  }

  itemBytes(buffer: Uint8Array, at: number, available: number): number {
    if (available < this.#recordHeaderBytes) return this.#recordHeaderBytes
    const capturedLength = word(buffer, at + 8, this.#littleEndian)
    if (isSectionStart(buffer, at, this.#littleEndian)) return 0
    if (capturedLength > maxPacketBytes) {
      this.problem = `a packet claims ${capturedLength} bytes`
      return -1
    }
    return this.#recordHeaderBytes + capturedLength
  }

  take(buffer: Uint8Array, at: number, itemBytes: number): boolean {
    const packet = this.#packet
    packet.buffer = buffer
    packet.offset = at + this.#recordHeaderBytes
    packet.capturedLength = itemBytes - this.#recordHeaderBytes
    packet.originalLength = word(buffer, at + 12, this.#littleEndian)
    packet.seconds = word(buffer, at, this.#littleEndian)
    packet.nanoseconds = word(buffer, at + 4, this.#littleEndian) * this.#nsPerUnit
    packet.linkType = this.interface.linkType
    packet.interfaceId = this.#interfaceId
    return true
  }
}

/** Two captures that were put one behind the other (a reconnect): the header of the second is where a record is expected. */
function isSectionStart(buffer: Uint8Array, at: number, littleEndian: boolean): boolean {
  const first = buffer[at]!
  if (first !== 0xd4 && first !== 0xa1 && first !== 0x4d && first !== 0x34) return false
  const magic = pcapMagic(buffer, at)
  if (magic === undefined || magic.littleEndian !== littleEndian) return false
  return halfWord(buffer, at + 4, littleEndian) === 2 && halfWord(buffer, at + 6, littleEndian) === 4
}
