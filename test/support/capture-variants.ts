/** Variants of small pcap files (little-endian, Ethernet): what a filter, a snaplen or a drop would have left of them. */

const fileHeaderBytes = 24
const recordHeaderBytes = 16

/** Only the frames for which `keep` is true. */
export function filterPackets(pcap: Buffer, keep: (frame: Buffer, index: number) => boolean): Buffer {
  const kept = readRecords(pcap).filter(({ frame }, index) => keep(frame, index))
  return Buffer.concat([pcap.subarray(0, fileHeaderBytes), ...kept.flatMap(({ header, frame }) => [header, frame])])
}

/** Each frame cut after `snaplen` bytes, which may be more than it has. */
export function cutPackets(pcap: Buffer, snaplen: (frame: Buffer) => number): Buffer {
  const cut = readRecords(pcap).flatMap(({ header, frame }) => {
    const shorter = frame.subarray(0, snaplen(frame))
    const cutHeader = Buffer.from(header)
    cutHeader.writeUInt32LE(shorter.length, 8)
    return [cutHeader, shorter]
  })
  return Buffer.concat([pcap.subarray(0, fileHeaderBytes), ...cut])
}

/** The frames as the interface `any` shows them (LINUX_SLL2), all with one packet type: 1 is a broadcast of another host, 4 was sent by this one. */
export function onAnyInterface(pcap: Buffer, packetType: number): Buffer {
  const fileHeader = Buffer.from(pcap.subarray(0, fileHeaderBytes))
  fileHeader.writeUInt32LE(276, 20)
  const all = readRecords(pcap).flatMap(({ header, frame }) => {
    // pcap-linktype(7): protocol, 0, interface, ARPHRD, packet type, length of the address, address
    const linkHeader = Buffer.from([0, 0, 0, 0, 0, 0, 0, 2, 0, 1, packetType, 6, 0, 0, 0, 0, 0, 0, 0, 0])
    frame.copy(linkHeader, 0, 12, 14)
    frame.copy(linkHeader, 12, 6, 12)
    const longer = Buffer.from(header)
    for (const at of [8, 12]) longer.writeUInt32LE(header.readUInt32LE(at) + linkHeader.length - 14, at)
    return [longer, linkHeader, frame.subarray(14)]
  })
  return Buffer.concat([fileHeader, ...all])
}

/** Whether an IPv4 frame comes from the address. */
export function isFrom(frame: Buffer, address: string): boolean {
  return frame.readUInt16BE(12) === 0x0800 && frame.subarray(26, 30).join('.') === address
}

/** The flags of a TCP segment over IPv4 without options; undefined for other frames. */
export function tcpFlagsOf(frame: Buffer): number | undefined {
  return frame.readUInt16BE(12) === 0x0800 && frame[23] === 6 ? frame[47] : undefined
}

/** Header and bytes of each packet. */
export function readRecords(pcap: Buffer): { header: Buffer; frame: Buffer }[] {
  const all: { header: Buffer; frame: Buffer }[] = []
  for (let at = fileHeaderBytes; at + recordHeaderBytes <= pcap.length;) {
    const start = at + recordHeaderBytes
    const end = start + pcap.readUInt32LE(at + 8)
    all.push({ header: pcap.subarray(at, start), frame: pcap.subarray(start, end) })
    at = end
  }
  return all
}
