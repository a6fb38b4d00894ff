import { PcapReader, type PacketConsumer, type PcapEnd, type PcapHeader } from '../../../src/pcap/reader.ts'
import { fileHeader, microseconds, nanoseconds, packet, pcap } from '../../support/pcap-bytes.ts'

interface SeenPacket {
  readonly bytes: string
  readonly originalLength: number
  readonly seconds: number
  readonly nanoseconds: number
  readonly streamOffset: number
}

/** Records the packets as hex, and their chunks by identity. */
class Recorder implements PacketConsumer {
  readonly headers: PcapHeader[] = []
  readonly packets: SeenPacket[] = []
  readonly buffers: Buffer[] = []
  readonly ends: PcapEnd[] = []

  onHeader(header: PcapHeader): void {
    this.headers.push(header)
  }

  onPacket({ buffer, offset, capturedLength, ...rest }: Parameters<PacketConsumer['onPacket']>[0]): void {
    this.packets.push({ bytes: buffer.toString('hex', offset, offset + capturedLength), ...rest })
    this.buffers.push(buffer)
  }

  onEnd(end: PcapEnd): void {
    this.ends.push(end)
  }
}

function read(bytes: Buffer, step = bytes.length): Recorder {
  const recorder = new Recorder()
  const reader = new PcapReader([recorder])
  for (let at = 0; at < bytes.length; at += step) reader.push(bytes.subarray(at, at + step))
  reader.end()
  return recorder
}

/** A record in which adjacent bytes differ. */
function marked(length: number, mark: number): Buffer {
  const record = packet(length, 1_700_000_000 + mark, mark)
  record.fill(mark, 16)
  return record
}

const mixed = Buffer.concat([fileHeader(), ...[60, 0, 1, 1500, 16, 24, 9_000, 0].map(marked)])

describe('the reader', () => {
  it.each([
    ['microseconds, little-endian', microseconds, false, false],
    ['microseconds, big-endian', microseconds, true, false],
    ['nanoseconds, little-endian', nanoseconds, false, true],
    ['nanoseconds, big-endian', nanoseconds, true, true],
  ])('reads a header with %s and returns every time in seconds and nanoseconds', (_name, magic, bigEndian, isNano) => {
    const seen = read(
      Buffer.concat([
        fileHeader({ magic, bigEndian, linkType: 113, snaplen: 96 }),
        packet(60, 1_700_000_000, 123_456, bigEndian),
      ]),
    )
    expect(seen.headers).toEqual([{ littleEndian: !bigEndian, hasNanoseconds: isNano, linkType: 113, snaplen: 96 }])
    expect(seen.packets).toEqual([
      {
        bytes: '5a'.repeat(60),
        originalLength: 60,
        seconds: 1_700_000_000,
        nanoseconds: isNano ? 123_456 : 123_456_000,
        streamOffset: 24,
      },
    ])
  })

  it('returns the original length of a packet that snaplen truncated', () => {
    const cut = packet(96)
    cut.writeUInt32LE(1_514, 12)
    const [seen] = read(Buffer.concat([fileHeader(), cut])).packets
    expect(seen).toMatchObject({ bytes: '5a'.repeat(96), originalLength: 1_514 })
  })

  it('copies only packets that span chunks, and returns other packets without a copy', () => {
    const bytes = Buffer.concat([fileHeader(), marked(100, 1), marked(100, 2), marked(100, 3)])
    const chunks: Buffer[] = [bytes.subarray(0, 24 + 116 + 50), bytes.subarray(24 + 116 + 50)]
    const recorder = new Recorder()
    const reader = new PcapReader([recorder])
    for (const chunk of chunks) reader.push(chunk)
    expect(recorder.packets).toEqual(read(bytes).packets)
    expect(recorder.buffers.map((buffer) => chunks.indexOf(buffer))).toEqual([0, -1, 1])
  })

  it.each([1, 2, 3, 7, 15, 16, 17, 23, 24, 25, 40, 41, 1000, 4096, 5000])(
    'returns the same packets for chunks of %d bytes as for one chunk',
    (step) => {
      const { headers, packets, ends } = read(mixed, step)
      const whole = read(mixed)
      expect({ headers, packets, ends }).toEqual({ headers: whole.headers, packets: whole.packets, ends: whole.ends })
      expect(packets).toHaveLength(8)
    },
  )

  it('passes each packet to every consumer, in the order of the list', () => {
    const calls: string[] = []
    const named = (name: string): PacketConsumer => ({ onPacket: () => calls.push(name) })
    const reader = new PcapReader([named('a'), named('b')])
    reader.push(pcap(1, 2))
    reader.end() // neither consumer has an onHeader or an onEnd
    expect(calls).toEqual(['a', 'b', 'a', 'b'])
  })

  it('reports at the end the number of whole bytes of a truncated stream', () => {
    expect(read(pcap(60, 60).subarray(0, 150)).ends).toEqual([{ bytes: 150, wholeBytes: 100, broken: undefined }])
    expect(read(pcap(60).subarray(0, 20)).ends).toEqual([{ bytes: 20, wholeBytes: 0, broken: undefined }])
  })

  it('returns no packet after the first format error, and reports the error', () => {
    const seen = read(Buffer.concat([pcap(60), Buffer.alloc(64, 0xff), packet(60)]), 50)
    expect(seen.packets).toHaveLength(1)
    expect(seen.ends).toEqual([{ bytes: 240, wholeBytes: 100, broken: 'packet 2 claims 4294967295 bytes' }])
    const none = read(Buffer.from('<!doctype html><title>502 Bad Gateway</title>'))
    expect(none).toMatchObject({ headers: [], packets: [], ends: [{ wholeBytes: 0 }] })
  })
})
