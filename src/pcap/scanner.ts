/** What a pcap stream has been so far. Format: draft-ietf-opsawg-pcap, pcap-savefile(5). */
export interface PcapScan {
  /** whole packets seen */
  readonly packets: number
  /** bytes of pcap seen */
  readonly bytes: number
  /** offset behind the last whole packet (or the file header), bytes: where a broken file can be cut */
  readonly wholeBytes: number
  /** LINKTYPE_ number of the file header, undefined before it was seen */
  readonly linkType: number | undefined
  /** time of the first and the last whole packet, ms since the epoch */
  readonly first: number | undefined
  readonly last: number | undefined
  /** why the bytes are not a pcap, from the first violation on; undefined while they are */
  readonly broken: string | undefined
}

export interface PcapScanner {
  push(chunk: Buffer): void
  result(): PcapScan
}

const fileHeader = 24
const recordHeader = 16
/** MAXIMUM_SNAPLEN of libpcap is 262144; USB and D-Bus links go higher, packets of `any` do not. */
const longestPacket = 1_048_576

/** Follows a pcap stream chunk by chunk, in constant memory: headers are looked at, packets are stepped over. */
export function createScanner(): PcapScanner {
  const header = Buffer.alloc(fileHeader)
  let filled = 0
  let expected = fileHeader
  let body = 0 // bytes of the present packet that are still to come
  let bytes = 0
  let wholeBytes = 0
  let packets = 0
  let littleEndian = true
  let fraction = 1e-3 // of a ms, per unit of the time stamp's second word
  let linkType: number | undefined
  let first: number | undefined
  let last: number | undefined
  let pending = 0
  let broken: string | undefined

  const word = (offset: number): number => (littleEndian ? header.readUInt32LE(offset) : header.readUInt32BE(offset))

  const readFileHeader = (): void => {
    const magic = header.readUInt32LE(0)
    const known = magics.get(magic)
    if (!known) {
      broken = `it does not begin with a pcap header (magic 0x${magic.toString(16).padStart(8, '0')})`
      return
    }
    littleEndian = known.littleEndian
    fraction = known.fraction
    linkType = word(20) & 0xffff
    wholeBytes = fileHeader
  }

  const readRecordHeader = (): void => {
    const length = word(8)
    if (length > longestPacket) {
      broken = `packet ${packets + 1} claims ${length} bytes`
      return
    }
    pending = word(0) * 1000 + word(4) * fraction
    body = length
    if (body === 0) finishPacket()
  }

  const finishPacket = (): void => {
    packets += 1
    first ??= pending
    last = pending
  }

  return {
    push(chunk) {
      let at = 0
      while (at < chunk.length && broken === undefined) {
        if (body > 0) {
          const step = Math.min(body, chunk.length - at)
          body -= step
          at += step
          if (body === 0) {
            finishPacket()
            wholeBytes = bytes + at
          }
          continue
        }
        const step = Math.min(expected - filled, chunk.length - at)
        chunk.copy(header, filled, at, at + step)
        filled += step
        at += step
        if (filled < expected) continue
        filled = 0
        if (expected === fileHeader) {
          expected = recordHeader
          readFileHeader()
        } else {
          readRecordHeader()
          if (broken === undefined && body === 0) wholeBytes = bytes + at
        }
      }
      bytes += chunk.length
    },
    result: () => ({ packets, bytes, wholeBytes, linkType, first, last, broken }),
  }
}

const magics = new Map([
  [0xa1b2c3d4, { littleEndian: true, fraction: 1e-3 }],
  [0xa1b23c4d, { littleEndian: true, fraction: 1e-6 }],
  [0xd4c3b2a1, { littleEndian: false, fraction: 1e-3 }],
  [0x4d3cb2a1, { littleEndian: false, fraction: 1e-6 }],
])
