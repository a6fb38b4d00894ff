import { describe, expect, it } from '@jest/globals'
import { addressText } from '../../../src/analysis/addresses.ts'
import { PacketDecoder } from '../../../src/analysis/decode/decoder.ts'
import { layer, tunnel } from '../../../src/analysis/decoded-packet.ts'
import type { DecodedPacket } from '../../../src/analysis/decoded-packet.ts'

type Seen = Partial<Record<keyof DecodedPacket, unknown>> & { source: string }

const keys = [
  ...([
    'ipVersion',
    'protocol',
    'sourcePort',
    'destinationPort',
    'payloadLength',
    'payloadCaptured',
    'tunnelDepth',
    'tunnelKind',
  ] as const),
  ...([
    'tunnelId',
    'carriesTunnel',
    'inIcmpError',
    'vlan',
    'vlanCount',
    'fragmentStartBytes',
    'moreFragments',
    'layers',
  ] as const),
]

function decode(frame: Buffer, linkType = 1, originalLength = frame.length): Seen[] {
  const seen: Seen[] = []
  const decoder = new PacketDecoder({
    onPacket: (packet) =>
      seen.push({
        ...Object.fromEntries(keys.map((key) => [key, packet[key]])),
        source: packet.sourceOffset < 0 ? '' : addressText(packet.buffer, packet.sourceOffset, packet.addressLength),
      }),
  })
  const padded = Buffer.concat([Buffer.alloc(5, 0xee), frame, Buffer.alloc(5, 0xee)])
  const place = { buffer: padded, offset: 5, capturedLength: frame.length, originalLength }
  decoder.decode({ ...place, seconds: 1, nanoseconds: 0, linkType, interfaceId: 0, frameNumber: 1 })
  return seen
}

const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex')
const ethernet = (type: string, payload: Buffer): Buffer =>
  Buffer.concat([bytes(`020000000001 020000000002 ${type}`), payload])

function ipv4(
  protocol: number,
  payload: Buffer,
  { totalBytes = 20 + payload.length, fragment = 0, last = 1 } = {},
): Buffer {
  const header = bytes('45000000 00010000 40000000 0a000001 0a000002')
  header.writeUInt16BE(totalBytes, 2)
  header.writeUInt16BE(fragment, 6)
  header[9] = protocol
  header[15] = last
  return Buffer.concat([header, payload])
}

function ipv6(nextHeader: number, payload: Buffer): Buffer {
  const header = bytes('60000000 0000 00 40 fd000000000000000000000000000001 fd000000000000000000000000000002')
  header.writeUInt16BE(payload.length, 4)
  header[6] = nextHeader
  return Buffer.concat([header, payload])
}

function tcp(payload: Buffer): Buffer {
  return Buffer.concat([bytes('c000 0050 00000001 00000002 5018 0200 0000 0000'), payload])
}

function udp(destinationPort: number, payload: Buffer): Buffer {
  const header = bytes('c001 0000 0000 0000')
  header.writeUInt16BE(destinationPort, 2)
  header.writeUInt16BE(8 + payload.length, 4)
  return Buffer.concat([header, payload])
}

const data = Buffer.from('hello')
const inner = ethernet('0800', ipv4(6, tcp(data), { last: 9 }))

describe('link types', () => {
  it.each([
    ['Ethernet', 1, ethernet('0800', ipv4(6, tcp(data)))],
    ['SLL', 113, Buffer.concat([bytes('0000 0001 0006 020000000001 0000 0800'), ipv4(6, tcp(data))])],
    ['SLL2', 276, Buffer.concat([bytes('0800 0000 00000003 0001 00 06 020000000001 0000'), ipv4(6, tcp(data))])],
    ['RAW', 101, ipv4(6, tcp(data))],
    ['IPV4', 228, ipv4(6, tcp(data))],
    ['NULL of a little-endian host', 0, Buffer.concat([bytes('02000000'), ipv4(6, tcp(data))])],
    ['NULL of a big-endian host', 0, Buffer.concat([bytes('00000002'), ipv4(6, tcp(data))])],
    ['LOOP', 108, Buffer.concat([bytes('00000002'), ipv4(6, tcp(data))])],
    ['VLAN', 1, ethernet('8100 0005 0800', ipv4(6, tcp(data)))],
    ['MPLS', 1, ethernet('8847 00001140', ipv4(6, tcp(data)))],
    ['PPPoE', 1, ethernet('8864 1100 0001 002f 0021', ipv4(6, tcp(data)))],
    ['802.3 with SNAP', 1, ethernet('0035 aaaa03000000 0800', ipv4(6, tcp(data)))],
  ])('%s: finds the TCP segment', (_, linkType, frame) => {
    expect(decode(frame, linkType)).toMatchObject([
      {
        ipVersion: 4,
        protocol: 6,
        source: '10.0.0.1',
        sourcePort: 0xc000,
        destinationPort: 80,
        payloadLength: 5,
        payloadCaptured: 5,
      },
    ])
  })

  it('reads nested VLAN tags and keeps the innermost', () => {
    expect(decode(ethernet('88a8 000a 8100 000d 0800', ipv4(6, tcp(data))))).toMatchObject([{ vlan: 13, vlanCount: 2 }])
  })
})

describe('IP', () => {
  it('does not take the padding of a short Ethernet frame for payload', () => {
    const padded = Buffer.concat([ethernet('0800', ipv4(6, tcp(Buffer.alloc(0)))), Buffer.alloc(6)])
    expect(decode(padded)).toMatchObject([{ payloadLength: 0, payloadCaptured: 0 }])
  })

  it('takes the length on the wire where the IP length is 0 (GSO, BIG TCP)', () => {
    const frame = ethernet('0800', ipv4(6, tcp(data), { totalBytes: 0 }))
    expect(decode(frame, 1, frame.length + 70_000)).toMatchObject([{ payloadLength: 70_005, payloadCaptured: 5 }])
  })

  it('gives the length by the IP header where the capture was cut', () => {
    const frame = ethernet('0800', ipv4(6, tcp(Buffer.alloc(500))))
    expect(decode(frame.subarray(0, 96), 1, frame.length)).toMatchObject([
      { payloadLength: 500, payloadCaptured: 96 - 54 },
    ])
  })

  it('reads no ports from a later fragment', () => {
    const frame = ethernet('0800', ipv4(17, udp(53, data), { fragment: 10 }))
    expect(decode(frame)).toMatchObject([{ protocol: 17, sourcePort: 0, fragmentStartBytes: 80 }])
  })

  it('follows the extension headers of IPv6, an atomic fragment included', () => {
    const chain = Buffer.concat([
      bytes('2b 00 000000000000'),
      bytes('2c 00 000000000000'),
      bytes('06 00 0000 00000001'),
      tcp(data),
    ])
    expect(decode(ethernet('86dd', ipv6(0, chain)))).toMatchObject([
      { ipVersion: 6, protocol: 6, source: 'fd00::1', destinationPort: 80, payloadLength: 5 },
    ])
  })

  it('gives up a chain of more than 8 extension headers', () => {
    const chain = Buffer.concat([...Array.from({ length: 20 }, () => bytes('3c 00 000000000000')), tcp(data)])
    expect(decode(ethernet('86dd', ipv6(60, chain)))).toMatchObject([{ ipVersion: 6, protocol: -1, sourcePort: 0 }])
  })
})

describe('tunnels', () => {
  const erspan2 = Buffer.concat([bytes('1000 88be 00000001 0000 0064 00000000'), inner])
  it.each([
    ['VXLAN on 4789', ipv4(17, udp(4789, Buffer.concat([bytes('08000000 00002a00'), inner]))), tunnel.vxlan, 42],
    ['VXLAN on 8472', ipv4(17, udp(8472, Buffer.concat([bytes('08000000 00002a00'), inner]))), tunnel.vxlan, 42],
    [
      'Geneve with options',
      ipv4(17, udp(6081, Buffer.concat([bytes('02006558 00000b00 0102030405060708'), inner]))),
      tunnel.geneve,
      11,
    ],
    ['IPIP', ipv4(4, ipv4(6, tcp(data), { last: 9 })), tunnel.ipip, -1],
    [
      'GRE with a key',
      ipv4(47, Buffer.concat([bytes('2000 0800 00000007'), ipv4(6, tcp(data), { last: 9 })])),
      tunnel.gre,
      7,
    ],
    ['GRE with Ethernet', ipv4(47, Buffer.concat([bytes('0000 6558'), inner])), tunnel.gre, -1],
    ['ERSPAN II', ipv4(47, erspan2), tunnel.erspan, 100],
  ])('%s: hands over the outer datagram, then the inner one', (_, outer, kind, id) => {
    expect(decode(ethernet('0800', outer))).toMatchObject([
      { source: '10.0.0.1', tunnelDepth: 0, carriesTunnel: true },
      {
        source: '10.0.0.9',
        tunnelDepth: 1,
        tunnelKind: kind,
        tunnelId: id,
        carriesTunnel: false,
        destinationPort: 80,
        payloadLength: 5,
      },
    ])
  })

  it('takes no other payload on a tunnel port for a tunnel', () => {
    expect(decode(ethernet('0800', ipv4(17, udp(4789, Buffer.alloc(60)))))).toMatchObject([
      { carriesTunnel: false, payloadLength: 60 },
    ])
  })

  it('ends at the fourth tunnel of a nest without end', () => {
    let nest = ipv4(6, tcp(data))
    for (let depth = 0; depth < 30; depth += 1) nest = ipv4(4, nest)
    const seen = decode(ethernet('0800', nest))
    expect(seen.map(({ tunnelDepth }) => tunnelDepth)).toEqual([0, 1, 2, 3, 4])
    expect(seen.at(-1)).toMatchObject({ carriesTunnel: false, protocol: 4 })
  })
})

describe('ICMP errors', () => {
  it('hands over the quoted segment, marked as such', () => {
    const quoted = ipv4(6, tcp(data), { last: 9 }).subarray(0, 28)
    const seen = decode(ethernet('0800', ipv4(1, Buffer.concat([bytes('0304 0000 00000514'), quoted]))))
    expect(seen).toMatchObject([
      { protocol: 1, inIcmpError: false },
      { protocol: 6, inIcmpError: true, source: '10.0.0.9', destinationPort: 80, payloadCaptured: 0 },
    ])
  })
})

describe('frames that are cut off', () => {
  const frame = ethernet(
    '0800',
    ipv4(17, udp(4789, Buffer.concat([bytes('08000000 00002a00'), ethernet('86dd', ipv6(6, tcp(data)))]))),
  )

  it('reads no byte behind the end of the frame, wherever it is cut', () => {
    for (let length = 0; length < frame.length; length += 1) {
      for (const seen of decode(frame.subarray(0, length), 1, frame.length)) {
        const layers = seen.layers as number
        if (length < 14) expect(layers).toBe(0)
        if (length < 34) expect(seen.source).toBe('')
        if (length < 104) expect(seen.source).not.toBe('fd00::1')
        expect([0, 0xc000, 0xc001]).toContain(seen.sourcePort)
        expect((layers & layer.tcp) === 0 || length >= 104).toBe(true)
      }
    }
  })
})
