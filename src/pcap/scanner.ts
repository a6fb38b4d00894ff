import type { PacketConsumer, PacketView, PcapEnd, PcapHeader } from './reader.ts'

/** What a pcap stream has been so far. */
export interface PcapScan {
  /** whole packets seen */
  readonly packets: number
  /** bytes of pcap seen */
  readonly bytes: number
  /** offset after the last whole packet (or the file header), bytes: where a broken file can be cut */
  readonly wholeBytes: number
  /** LINKTYPE_ number of the file header, undefined before it was seen */
  readonly linkType: number | undefined
  /** time of the first and the last whole packet, ms since the epoch */
  readonly first: number | undefined
  readonly last: number | undefined
  /** why the bytes are not a pcap, from the first violation on; undefined while they are */
  readonly broken: string | undefined
}

/** Counts the packets of a stream and keeps the times of the first and the last one. */
export class PcapScanner implements PacketConsumer {
  #packets = 0
  #linkType: number | undefined
  #first: number | undefined
  #lastSeconds = 0
  #lastNanoseconds = 0

  onHeader({ linkType }: PcapHeader): void {
    this.#linkType = linkType
  }

  onPacket({ seconds, nanoseconds }: PacketView): void {
    this.#packets += 1
    this.#first ??= toMs(seconds, nanoseconds)
    this.#lastSeconds = seconds
    this.#lastNanoseconds = nanoseconds
  }

  /** What was seen, with how far the reader has come. */
  result({ bytes, wholeBytes, broken }: PcapEnd): PcapScan {
    const last = this.#packets === 0 ? undefined : toMs(this.#lastSeconds, this.#lastNanoseconds)
    return { packets: this.#packets, bytes, wholeBytes, linkType: this.#linkType, first: this.#first, last, broken }
  }
}

function toMs(seconds: number, nanoseconds: number): number {
  return seconds * 1_000 + nanoseconds / 1e6
}
