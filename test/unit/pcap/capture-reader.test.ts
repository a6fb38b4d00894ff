import { gzipSync } from 'node:zlib'
import { describe, expect, it } from '@jest/globals'
import { readCaptureChunks } from '../../../src/pcap/capture-file.ts'
import type { CaptureEnd } from '../../../src/pcap/capture-format.ts'
import { CaptureReader } from '../../../src/pcap/capture-reader.ts'
import { fileHeader, packet } from '../../support/pcap-bytes.ts'

interface SeenPacket {
  readonly frameNumber: number
  readonly length: number
  readonly originalLength: number
  readonly seconds: number
  readonly nanoseconds: number
  readonly linkType: number
  readonly interfaceId: number
}

function collect(): { seen: SeenPacket[]; reader: CaptureReader } {
  const seen: SeenPacket[] = []
  const reader = new CaptureReader({
    onPacket: ({ frameNumber, capturedLength: length, originalLength, seconds, nanoseconds, linkType, interfaceId }) =>
      seen.push({ frameNumber, length, originalLength, seconds, nanoseconds, linkType, interfaceId }),
  })
  return { seen, reader }
}

function read(bytes: Buffer, chunkBytes = bytes.length): { seen: SeenPacket[]; end: CaptureEnd } {
  const { seen, reader } = collect()
  for (let at = 0; at < bytes.length; at += chunkBytes) reader.push(bytes.subarray(at, at + chunkBytes))
  return { seen, end: reader.end() }
}

/** A pcapng block around `body`, which is padded to a multiple of 4. */
function block(type: number, body: Buffer, bigEndian = false): Buffer {
  const padded = Buffer.concat([body, Buffer.alloc((4 - (body.length % 4)) % 4)])
  const word = (value: number): Buffer => words([value], bigEndian)
  return Buffer.concat([word(type), word(padded.length + 12), padded, word(padded.length + 12)])
}

function words(values: readonly number[], bigEndian = false): Buffer {
  const bytes = Buffer.alloc(values.length * 4)
  values.forEach((value, index) =>
    bigEndian ? bytes.writeUInt32BE(value, index * 4) : bytes.writeUInt32LE(value, index * 4),
  )
  return bytes
}

function section(bigEndian = false): Buffer {
  const version = bigEndian ? 0x0001_0000 : 0x0000_0001
  return block(0x0a0d0d0a, words([0x1a2b3c4d, version, 0xffffffff, 0xffffffff], bigEndian), bigEndian)
}

function interfaceBlock(linkType: number, options: Buffer = Buffer.alloc(0), bigEndian = false): Buffer {
  const first = bigEndian ? linkType * 65_536 : linkType
  return block(1, Buffer.concat([words([first, 0], bigEndian), options]), bigEndian)
}

function enhanced(units: bigint, interfaceId = 0, bigEndian = false): Buffer {
  const time = [Number(units >> 32n), Number(units & 0xffffffffn)]
  return block(6, Buffer.concat([words([interfaceId, ...time, 6, 60], bigEndian), Buffer.alloc(6, 1)]), bigEndian)
}

describe('pcap files', () => {
  it.each([
    ['microseconds, little-endian', 0xa1b2c3d4, false, 7_000],
    ['microseconds, big-endian', 0xa1b2c3d4, true, 7_000],
    ['nanoseconds, little-endian', 0xa1b23c4d, false, 7],
    ['nanoseconds, big-endian', 0xa1b23c4d, true, 7],
  ])('%s: reads times and lengths, whatever the chunks are', (_, magic, bigEndian, nanoseconds) => {
    const file = Buffer.concat([
      fileHeader({ magic, bigEndian, linkType: 1 }),
      packet(60, 5, 7, bigEndian),
      packet(0, 6, 7, bigEndian),
    ])
    for (const chunkBytes of [1, 7, 24, 40, file.length]) {
      const { seen, end } = read(file, chunkBytes)
      expect(seen).toEqual([
        { frameNumber: 1, length: 60, originalLength: 60, seconds: 5, nanoseconds, linkType: 1, interfaceId: 0 },
        { frameNumber: 2, length: 0, originalLength: 0, seconds: 6, nanoseconds, linkType: 1, interfaceId: 0 },
      ])
      expect(end).toMatchObject({
        packets: 2,
        bytes: file.length,
        wholeBytes: file.length,
        broken: undefined,
        isCutShort: false,
      })
    }
  })

  it('reads the packets before a cut and says that the file is cut short', () => {
    const file = Buffer.concat([fileHeader(), packet(60), packet(60)]).subarray(0, -1)
    expect(read(file).end).toMatchObject({ packets: 1, isCutShort: true, wholeBytes: 24 + 76, broken: undefined })
  })

  it('stops at a packet that claims more than 1 MiB and says where it is', () => {
    const bad = packet(60)
    bad.writeUInt32LE(0x7fffffff, 8)
    const { end } = read(Buffer.concat([fileHeader(), packet(60), bad]))
    expect(end).toMatchObject({ packets: 1, broken: 'a packet claims 2147483647 bytes (at byte 100)' })
  })

  it('goes on with the second file where two were put one behind the other', () => {
    const file = Buffer.concat([fileHeader({ linkType: 1 }), packet(60), fileHeader({ linkType: 113 }), packet(61)])
    for (const chunkBytes of [1, file.length]) {
      const { seen, end } = read(file, chunkBytes)
      expect(seen.map(({ linkType, length }) => [linkType, length])).toEqual([
        [1, 60],
        [113, 61],
      ])
      expect(end).toMatchObject({ sections: 2, broken: undefined })
    }
  })

  it('takes a file without packets as whole', () => {
    expect(read(fileHeader()).end).toMatchObject({ packets: 0, broken: undefined, isCutShort: false })
  })

  it('names IXIA files', () => {
    expect(read(Buffer.concat([Buffer.from('1c0001ac', 'hex'), Buffer.alloc(40)])).end.broken).toMatch(
      /^IXIA lcap \(hardware\) files are not/,
    )
  })

  it.each([
    ['', 'ends before a capture header'],
    ['hello world, this is text', 'does not begin with a pcap'],
  ])('says of "%s" that it is no capture', (text, problem) => {
    const { end } = read(Buffer.from(text), 5)
    expect(end.format).toBeUndefined()
    expect(end.broken).toContain(problem)
  })
})

describe('pcapng files', () => {
  it.each([false, true])('reads sections, interfaces and time resolutions (big-endian: %s)', (bigEndian) => {
    const option = (code: number, value: Buffer): Buffer =>
      Buffer.concat([
        words([bigEndian ? code * 65_536 + value.length : code + value.length * 65_536], bigEndian),
        value,
      ])
    const nanoseconds = option(9, Buffer.from([9, 0, 0, 0]))
    const powerOfTwo = option(9, Buffer.from([0x8a, 0, 0, 0])) // 1/1024 s
    const file = Buffer.concat([
      section(bigEndian),
      interfaceBlock(1, Buffer.alloc(0), bigEndian),
      interfaceBlock(276, nanoseconds, bigEndian),
      interfaceBlock(101, powerOfTwo, bigEndian),
      enhanced(1_700_000_000_123_456n, 0, bigEndian),
      enhanced(1_700_000_000_123_456_789n, 1, bigEndian),
      enhanced(1_700_000_000n * 1_024n + 512n, 2, bigEndian),
    ])
    for (const chunkBytes of [3, file.length]) {
      const { seen, end } = read(file, chunkBytes)
      expect(
        seen.map(({ seconds, nanoseconds: ns, linkType, interfaceId }) => [seconds, ns, linkType, interfaceId]),
      ).toEqual([
        [1_700_000_000, 123_456_000, 1, 0],
        [1_700_000_000, 123_456_789, 276, 1],
        [1_700_000_000, 500_000_000, 101, 2],
      ])
      expect(end).toMatchObject({ packets: 3, broken: undefined, isCutShort: false })
    }
  })

  it('reads sections of both byte orders in one file and numbers interfaces over all of them', () => {
    const file = Buffer.concat([
      section(),
      interfaceBlock(1),
      enhanced(1n),
      section(true),
      interfaceBlock(101, Buffer.alloc(0), true),
      enhanced(2n, 0, true),
    ])
    const { seen, end } = read(file)
    expect(seen.map(({ linkType, interfaceId }) => [linkType, interfaceId])).toEqual([
      [1, 0],
      [101, 1],
    ])
    expect(end.sections).toBe(2)
  })

  it('passes over large unknown blocks without keeping them, and counts custom blocks as frames', () => {
    const file = Buffer.concat([
      section(),
      interfaceBlock(1),
      block(0x4000_0001, Buffer.alloc(3_000_000)),
      block(0x0bad, Buffer.alloc(8)),
      enhanced(1n),
    ])
    for (const chunkBytes of [50_000, file.length]) {
      const { seen, end } = read(file, chunkBytes)
      expect(seen.map(({ frameNumber }) => frameNumber)).toEqual([2])
      expect(end).toMatchObject({ customBlocks: 1, broken: undefined, isCutShort: false })
    }
  })

  it.each([
    ['of an unknown interface', enhanced(1n, 7)],
    ['whose length is larger than its block', block(6, words([0, 0, 0, 999, 999]))],
    ['whose lengths differ', Buffer.concat([enhanced(1n).subarray(0, -4), words([16])])],
    ['of 5 bytes', words([6, 5, 0, 0])],
  ])('stops at a block %s', (_, bad) => {
    const { end } = read(Buffer.concat([section(), interfaceBlock(1), enhanced(1n), bad, enhanced(1n)]))
    expect(end.packets).toBe(1)
    expect(end.broken).toMatch(/at byte \d+/)
  })
})

describe('compressed captures', () => {
  async function* pieces(bytes: Buffer): AsyncGenerator<Buffer> {
    for (let at = 0; at < bytes.length; at += 100) yield await Promise.resolve(bytes.subarray(at, at + 100))
  }
  const file = Buffer.concat([fileHeader(), ...Array.from({ length: 200 }, (_, index) => packet(60 + index, index))])

  it('reads gzip', async () => {
    const end = await readCaptureChunks(pieces(gzipSync(file)), { onPacket: () => undefined })
    expect(end).toMatchObject({ packets: 200, broken: undefined, isCutShort: false, bytes: file.length })
  })

  it('reads what is there of a gzip file that was cut', async () => {
    const noise = Buffer.concat([
      fileHeader(),
      ...Array.from({ length: 200 }, (_, index) => Buffer.concat([packet(0, index)])),
    ])
    const end = await readCaptureChunks(pieces(gzipSync(noise).subarray(0, -60)), { onPacket: () => undefined })
    expect(end.packets).toBeGreaterThan(0)
    expect(end.packets).toBeLessThan(200)
  })

  it('reports damaged gzip data', async () => {
    const damaged = gzipSync(file)
    damaged.fill(0xff, 40, 60)
    const end = await readCaptureChunks(pieces(damaged), { onPacket: () => undefined })
    expect(end.broken).toMatch(/compressed data is damaged|ends before a capture header/)
  })
})
