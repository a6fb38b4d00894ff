import type { CaptureEnd } from '../pcap/capture-format.ts'
import { linkTypeName } from '../pcap/link-types.ts'
import type { Analysis } from './analysis.ts'
import { topConversations } from './conversations.ts'
import { layer } from './decoded-packet.ts'
import { tcpEventNames } from './tcp/tcp-totals.ts'

const conversationsCount = 5
const synGapConnectionsCount = 10

/** Counters of the file and of the layers up to TCP and UDP, with the names and shapes of the ground truth (captures/index.json). */
export function counters(analysis: Analysis, end: CaptureEnd): Record<string, unknown> {
  analysis.end()
  return {
    ...fileCounters(analysis, end),
    layers: nonZero(
      Object.entries(layer).map(([name, bit]) => [name, analysis.frames.layerCounts[31 - Math.clz32(bit)]!]),
    ),
    tcp: tcpCounters(analysis),
    udp: { packets: analysis.frames.udpFrames, streams: analysis.connections.udpStreams },
    top_conversations: topConversations(analysis.connections, conversationsCount),
  }
}

function fileCounters({ frames, decoder }: Analysis, end: CaptureEnd): Record<string, unknown> {
  const hasPackets = frames.frames > 0
  const seconds = (ns: number): number | null =>
    hasPackets ? Math.round(decoder.baseSeconds * 1e6 + ns / 1e3) / 1e6 : null
  const isPcapng = end.format?.format === 'pcapng'
  return {
    header: headerCounters(end),
    file_truncated: end.isCutShort,
    interfaces: isPcapng ? byKey(frames.interfaces) : {},
    packets: end.packets + end.customBlocks,
    bytes_wire: frames.bytesOnWire,
    bytes_captured: frames.bytesCaptured,
    packets_snapped: frames.snapped,
    first: seconds(frames.firstNs),
    last: seconds(frames.lastNs),
    duration_s: hasPackets ? Math.round((frames.lastNs - frames.firstNs) / 1e3) / 1e6 : 0,
    time_goes_back: frames.timeGoesBack,
    sll_ifindex: frames.linkTypes.has(276) ? byKey(frames.interfaces) : {},
    sll_pkttype: byKey(frames.packetTypes),
    vlans: byKey(frames.vlans),
    vni: Object.fromEntries(frames.vnis),
    ip_fragments: frames.ipFragments,
  }
}

function headerCounters({ format, sections }: CaptureEnd): Record<string, unknown> {
  if (format === undefined) return {}
  const { interfaces, version, byteOrder: byte_order } = format
  const linktypes = interfaces.map(({ linkType }) => linkTypeName(linkType))
  if (format.format !== 'pcapng')
    return { format: format.format, byte_order, version, snaplen: interfaces[0]?.snaplen, linktypes }
  const blocks = Object.fromEntries(
    [...format.blocks].map(([type, count]) => [
      blockNames.get(type) ?? `0x${type.toString(16).padStart(8, '0')}`,
      count,
    ]),
  )
  const snaplens = [...new Set(interfaces.map(({ snaplen }) => snaplen))].toSorted((one, other) => one - other)
  return { format: format.format, byte_order, sections, blocks, linktypes, snaplens }
}

const blockNames = new Map([
  [0x0a0d0d0a, 'SHB'],
  [1, 'IDB'],
  [2, 'PB'],
  [3, 'SPB'],
  [4, 'NRB'],
  [5, 'ISB'],
  [6, 'EPB'],
  [10, 'DSB'],
  [0x0bad, 'CB'],
])

function tcpCounters({ frames, connections }: Analysis): Record<string, unknown> {
  const { totals } = connections.tcp
  const roundTrips = totals.roundTrips.summary()
  const ms = (value: number): number => Math.round(value * 1e3) / 1e3
  return {
    packets: frames.tcpFrames,
    payload_bytes: totals.payloadBytes,
    connections: totals.connections,
    syn: totals.syn,
    synack: totals.synack,
    rst: totals.rst,
    fin: totals.fin,
    handshake: nonZero(Object.entries(totals.handshake)),
    resets: Object.fromEntries(totals.resets),
    completeness: byKey(totals.completeness),
    analysis: nonZero(tcpEventNames.map(([name], index) => [name, totals.events[index]!])),
    irtt:
      roundTrips === undefined
        ? { count: 0 }
        : {
            count: roundTrips.count,
            min_ms: ms(roundTrips.min),
            p50_ms: ms(roundTrips.p50),
            p95_ms: ms(roundTrips.p95),
            max_ms: ms(roundTrips.max),
          },
    syn_gaps_s: totals.synGaps().slice(0, synGapConnectionsCount),
  }
}

function byKey(counts: ReadonlyMap<number, number>): Record<string, number> {
  return Object.fromEntries(counts)
}

function nonZero(counts: readonly (readonly [string, number])[]): Record<string, number> {
  return Object.fromEntries(counts.filter(([, count]) => count > 0))
}
