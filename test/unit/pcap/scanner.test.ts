import { readFileSync } from 'node:fs'
import { fileHeader, microseconds, nanoseconds, packet, pcap, scanOf as scan } from '../../support/pcap-bytes.ts'

describe('the scan of a complete file', () => {
  it.each([
    ['microseconds, little-endian', microseconds, false, 500_000],
    ['microseconds, big-endian', microseconds, true, 500_000],
    ['nanoseconds, little-endian', nanoseconds, false, 500_000_000],
    ['nanoseconds, big-endian', nanoseconds, true, 500_000_000],
  ])('has counts and times for %s', (_name, magic, bigEndian, half) => {
    const bytes = Buffer.concat([
      fileHeader({ magic, bigEndian, linkType: 1 }),
      packet(60, 1_700_000_000, half, bigEndian),
      packet(1500, 1_700_000_007, half, bigEndian),
    ])
    expect(scan(bytes)).toEqual({
      packets: 2,
      bytes: bytes.length,
      wholeBytes: bytes.length,
      linkType: 1,
      first: 1_700_000_000_500,
      last: 1_700_000_007_500,
      broken: undefined,
    })
  })

  it('has a link type and no times when there are no packets', () => {
    expect(scan(pcap())).toEqual({
      packets: 0,
      bytes: 24,
      wholeBytes: 24,
      linkType: 276,
      first: undefined,
      last: undefined,
      broken: undefined,
    })
  })

  it('counts packets of length 0, also as the last packet', () => {
    const bytes = pcap(0, 0, 5, 0)
    expect(scan(bytes)).toMatchObject({ packets: 4, wholeBytes: bytes.length })
    expect(scan(bytes, 1)).toEqual(scan(bytes))
  })

  it('has the link type without the bits of the frame check sequence', () => {
    expect(scan(fileHeader({ linkType: 0xf5000001 })).linkType).toBe(1)
  })
})

describe('the scan of the same bytes in other chunks', () => {
  it.each([1, 2, 3, 7, 15, 16, 17, 23, 24, 25, 40, 41, 1000])('is the same with chunks of %d bytes', (step) => {
    const bytes = pcap(60, 0, 1, 1500, 16, 24)
    expect(scan(bytes, step)).toEqual(scan(bytes))
  })
})

describe('the scan of a truncated file', () => {
  it('has the end of the last whole packet as wholeBytes, for every length of the file', () => {
    const bytes = pcap(60, 0, 9)
    const ends = [24, 24 + 76, 24 + 76 + 16, bytes.length]
    for (let length = 0; length <= bytes.length; length += 1) {
      const { wholeBytes, packets, broken } = scan(bytes.subarray(0, length))
      const whole = ends.filter((end) => end <= length)
      expect({ length, wholeBytes, packets, broken }).toEqual({
        length,
        wholeBytes: whole.at(-1) ?? 0,
        packets: Math.max(0, whole.length - 1),
        broken: undefined,
      })
    }
  })
})

describe('the scan of bytes that are not a pcap', () => {
  it('reports an invalid file after the first 4 bytes', () => {
    const html = Buffer.from('<!doctype html><title>502 Bad Gateway</title>')
    expect(scan(html)).toMatchObject({ packets: 0, wholeBytes: 0, bytes: html.length, linkType: undefined })
    expect(scan(html).broken).toContain('it does not begin with a pcap header')
    expect(scan(html, 1)).toEqual(scan(html))
  })

  it('reports a pcapng file as broken', () => {
    const bytes = Buffer.alloc(28)
    bytes.writeUInt32LE(0x0a0d0d0a, 0)
    expect(scan(bytes).broken).toContain('0x0a0d0d0a')
  })

  it('ends at a record with an invalid length, and counts the packets before it', () => {
    const bytes = Buffer.concat([pcap(60), Buffer.alloc(64, 0xff), packet(60)])
    const found = scan(bytes)
    expect(found).toMatchObject({ packets: 1, wholeBytes: 100, bytes: bytes.length })
    expect(found.broken).toBe('packet 2 claims 4294967295 bytes')
    expect(scan(bytes, 1)).toEqual(found)
  })
})

describe('the scan of real captures', () => {
  const folder = new URL('../../captures/', import.meta.url)
  const index = JSON.parse(readFileSync(new URL('index.json', folder), 'utf8')) as {
    captures: Record<string, { bytes: number; packets: number; linkType: number; first: number; last: number }>
  }

  it.each(Object.entries(index.captures))('has the same counts and times as tshark for %s', (name, truth) => {
    const bytes = readFileSync(new URL(name, folder))
    const found = scan(bytes, 1000)
    expect(found).toMatchObject({
      packets: truth.packets,
      bytes: truth.bytes,
      wholeBytes: truth.bytes,
      linkType: truth.linkType,
      broken: undefined,
    })
    expect(Math.abs((found.first ?? 0) - truth.first * 1000)).toBeLessThan(0.01)
    expect(Math.abs((found.last ?? 0) - truth.last * 1000)).toBeLessThan(0.01)
  })
})
