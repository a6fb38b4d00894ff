/** An interface as a pcapng file describes it; a pcap file has one. */
export interface CaptureInterface {
  /** LINKTYPE_ number, without the bits about the frame check sequence */
  readonly linkType: number
  /** bytes, as the file says: 0 or a lie are common, nothing is allocated from it */
  readonly snaplen: number
  readonly name: string | undefined
}

/**
 * One packet of a capture file. The reader uses one object for all packets, and the buffer is reused: a consumer that keeps something copies it
 * before it returns.
 */
export interface CapturedPacket {
  readonly buffer: Uint8Array
  /** where the packet's first byte is in `buffer` */
  readonly offset: number
  /** bytes in `buffer` from `offset` on */
  readonly capturedLength: number
  /** bytes that the packet had on the wire, as the file says; may be less than `capturedLength` */
  readonly originalLength: number
  /** s since the epoch */
  readonly seconds: number
  /** 0 to 999,999,999 where the file is sane */
  readonly nanoseconds: number
  readonly linkType: number
  /** index of the interface in the file: counted over all its sections */
  readonly interfaceId: number
  /** position in the file, from 1. Wireshark gives custom blocks of pcapng a number, too: they are counted, not handed over. */
  readonly frameNumber: number
}

export type MutablePacket = { -readonly [Key in keyof CapturedPacket]: CapturedPacket[Key] }

export interface CaptureConsumer {
  /** Must not throw. */
  onPacket(packet: CapturedPacket): void
}

/** What a capture file is, as far as it was read. */
export interface CaptureFormat {
  readonly format: 'pcap usec' | 'pcap nsec' | 'pcap modified (Kuznetzov)' | 'pcapng'
  readonly byteOrder: 'little' | 'big'
  /** such as "2.4"; of the first section */
  readonly version: string
  readonly interfaces: readonly CaptureInterface[]
  /** pcapng: number of blocks by their type */
  readonly blocks: ReadonlyMap<number, number>
}

/** How the reading ended. The file is whole where `broken` is undefined and `isCutShort` is false. */
export interface CaptureEnd {
  /** undefined: the input is no capture */
  readonly format: CaptureFormat | undefined
  /** bytes after decompression */
  readonly bytes: number
  /** offset after the last whole packet, header or block */
  readonly wholeBytes: number
  readonly packets: number
  /** custom blocks of pcapng */
  readonly customBlocks: number
  /** the first violation of the format, with its offset: what is behind it was not read */
  readonly broken: string | undefined
  /** the file ends inside a packet or block */
  readonly isCutShort: boolean
  /** a later pcap header or pcapng section was found: the file was put together from several */
  readonly sections: number
  /** packets that the capturing side reports as dropped (pcapng interface statistics) */
  readonly reportedDrops: number
}

/** Reads the records of one section. A record or block is called an item. */
export interface SectionParser {
  /** Bytes of the item at `at`, as far as `available` bytes tell: more than that means that more bytes are needed. 0: another section begins here. -1: see `problem`. */
  itemBytes(buffer: Uint8Array, at: number, available: number): number
  /** Takes an item that is whole. True: `packet` holds a packet. */
  take(buffer: Uint8Array, at: number, itemBytes: number): boolean
  readonly problem: string
  /** bytes behind the item that was taken which are not needed */
  readonly skippedBytes: number
}

/** MAXIMUM_SNAPLEN of libpcap is 262144; BIG TCP needs up to 512 KiB. Wireshark stops at a larger claim, too. */
export const maxPacketBytes = 1_048_576

export function word(buffer: Uint8Array, at: number, littleEndian: boolean): number {
  return littleEndian
    ? (buffer[at]! | (buffer[at + 1]! << 8) | (buffer[at + 2]! << 16) | (buffer[at + 3]! << 24)) >>> 0
    : ((buffer[at]! << 24) | (buffer[at + 1]! << 16) | (buffer[at + 2]! << 8) | buffer[at + 3]!) >>> 0
}

export function halfWord(buffer: Uint8Array, at: number, littleEndian: boolean): number {
  return littleEndian ? buffer[at]! | (buffer[at + 1]! << 8) : (buffer[at]! << 8) | buffer[at + 1]!
}
