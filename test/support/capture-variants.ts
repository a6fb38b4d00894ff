/** Variants of small pcap files (little-endian, Ethernet): what a filter, a snaplen or a drop would have left of them. */

const fileHeaderBytes = 24
const recordHeaderBytes = 16

/** Only the frames for which `keep` is true. */
export function filterPackets(pcap: Buffer, keep: (frame: Buffer, index: number) => boolean): Buffer {
  const kept = records(pcap).filter(({ frame }, index) => keep(frame, index))
  return Buffer.concat([pcap.subarray(0, fileHeaderBytes), ...kept.flatMap(({ header, frame }) => [header, frame])])
}

/** Each frame cut after `snaplen` bytes, which may be more than it has. */
export function cutPackets(pcap: Buffer, snaplen: (frame: Buffer) => number): Buffer {
  const cut = records(pcap).flatMap(({ header, frame }) => {
    const shorter = frame.subarray(0, snaplen(frame))
    const cutHeader = Buffer.from(header)
    cutHeader.writeUInt32LE(shorter.length, 8)
    return [cutHeader, shorter]
  })
  return Buffer.concat([pcap.subarray(0, fileHeaderBytes), ...cut])
}

/** Whether an IPv4 frame comes from the address. */
export function isFrom(frame: Buffer, address: string): boolean {
  return frame.readUInt16BE(12) === 0x0800 && frame.subarray(26, 30).join('.') === address
}

/** The flags of a TCP segment over IPv4 without options; undefined for other frames. */
export function tcpFlagsOf(frame: Buffer): number | undefined {
  return frame.readUInt16BE(12) === 0x0800 && frame[23] === 6 ? frame[47] : undefined
}

function records(pcap: Buffer): { header: Buffer; frame: Buffer }[] {
  const all: { header: Buffer; frame: Buffer }[] = []
  for (let at = fileHeaderBytes; at + recordHeaderBytes <= pcap.length;) {
    const start = at + recordHeaderBytes
    const end = start + pcap.readUInt32LE(at + 8)
    all.push({ header: pcap.subarray(at, start), frame: pcap.subarray(start, end) })
    at = end
  }
  return all
}
