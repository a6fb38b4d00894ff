import { layer, tcpEvent, tcpFlag } from '../decoded-packet.ts'
import type { DecodedPacket } from '../decoded-packet.ts'
import type { FlowTable } from '../flows/flow-table.ts'
import { double, flowBit, flowDoubles, flowWords, word } from '../flows/layout.ts'
import { Percentiles } from '../percentiles.ts'

/** How connections were opened: each counter counts connections, and one connection may be in several. */
export interface HandshakeTotals {
  with_syn: number
  without_syn: number
  established: number
  established_not_closed: number
  established_no_data: number
  half_open: number
  refused: number
  reset_in_handshake: number
  no_answer: number
  no_answer_but_icmp_error: number
  syn_retransmitted_streams: number
}

export const tcpEventNames = [
  ['retransmission', tcpEvent.retransmission],
  ['fast_retransmission', tcpEvent.fastRetransmission],
  ['spurious_retransmission', tcpEvent.spuriousRetransmission],
  ['out_of_order', tcpEvent.outOfOrder],
  ['duplicate_ack', tcpEvent.duplicateAck],
  ['lost_segment', tcpEvent.lostSegment],
  ['ack_lost_segment', tcpEvent.ackLostSegment],
  ['zero_window', tcpEvent.zeroWindow],
  ['zero_window_probe', tcpEvent.zeroWindowProbe],
  ['zero_window_probe_ack', tcpEvent.zeroWindowProbeAck],
  ['window_full', tcpEvent.windowFull],
  ['window_update', tcpEvent.windowUpdate],
  ['keep_alive', tcpEvent.keepAlive],
  ['keep_alive_ack', tcpEvent.keepAliveAck],
  ['reused_ports', tcpEvent.reusedPorts],
] as const

const maxSynGapConnectionsCount = 1_000
const maxSynGapsCount = 64

/** The sums over all connections. */
export class TcpTotals {
  segments = 0
  payloadBytes = 0
  syn = 0
  synack = 0
  rst = 0
  fin = 0
  connections = 0
  readonly handshake: HandshakeTotals = {
    with_syn: 0,
    without_syn: 0,
    established: 0,
    established_not_closed: 0,
    established_no_data: 0,
    half_open: 0,
    refused: 0,
    reset_in_handshake: 0,
    no_answer: 0,
    no_answer_but_icmp_error: 0,
    syn_retransmitted_streams: 0,
  }
  /** by "role:phase" */
  readonly resets = new Map<string, number>()
  /** connections by the bits of tshark's tcp.completeness */
  readonly completeness = new Map<number, number>()
  /** number of segments by the index in `tcpEventNames` */
  readonly events = new Array<number>(tcpEventNames.length).fill(0)
  /** ms */
  readonly roundTrips = new Percentiles()
  /** s between the SYNs of a connection, of the connections that have more than one */
  readonly #synGaps = new Map<number, number[]>()
  readonly #endedSynGaps: number[][] = []
  readonly #table: FlowTable

  constructor(table: FlowTable) {
    this.#table = table
  }

  onSegment(packet: DecodedPacket): void {
    const flags = packet.tcpFlags
    if ((packet.layers & (layer.icmp | layer.icmpv6)) !== 0) return
    this.segments += 1
    this.payloadBytes += packet.payloadLength
    if (packet.tcpEvents !== 0) this.#countEvents(packet.tcpEvents)
    if ((flags & (tcpFlag.syn | tcpFlag.fin | tcpFlag.rst)) === 0) return
    if ((flags & tcpFlag.syn) !== 0) {
      if ((flags & tcpFlag.ack) !== 0) this.synack += 1
      else this.syn += 1
    }
    if ((flags & tcpFlag.fin) !== 0) this.fin += 1
    if ((flags & tcpFlag.rst) !== 0) this.#countReset(packet)
  }

  onSynRepeated(packet: DecodedPacket, gapNs: number): void {
    let gaps = this.#synGaps.get(packet.connection)
    if (gaps === undefined) {
      if (this.#synGaps.size + this.#endedSynGaps.length >= maxSynGapConnectionsCount) return
      gaps = []
      this.#synGaps.set(packet.connection, gaps)
    }
    if (gaps.length < maxSynGapsCount) gaps.push(Math.round(gapNs / 1e6) / 1e3)
  }

  onConnectionEnd(flow: number): void {
    const { words, doubles } = this.#table
    const bits = words[flow * flowWords + word.bits]!
    const roundTripNs = doubles[flow * flowDoubles + double.roundTrip]!
    this.connections += 1
    addTo(this.completeness, words[flow * flowWords + word.completeness]!)
    if (roundTripNs >= 0) this.roundTrips.add(roundTripNs / 1e6)
    const gaps = this.#synGaps.get(flow)
    if (gaps !== undefined) this.#endedSynGaps.push(gaps)
    this.#synGaps.delete(flow)
    if ((bits & flowBit.hasSyn) === 0) this.handshake.without_syn += 1
    else this.#countHandshake(bits, words[flow * flowWords + word.syns]!)
  }

  synGaps(): readonly (readonly number[])[] {
    return this.#endedSynGaps
  }

  #countHandshake(bits: number, syns: number): void {
    const { handshake } = this
    handshake.with_syn += 1
    if (syns > 1) handshake.syn_retransmitted_streams += 1
    if ((bits & flowBit.established) !== 0) {
      handshake.established += 1
      if ((bits & (flowBit.hasFin | flowBit.hasRst)) === 0) handshake.established_not_closed += 1
      if ((bits & flowBit.hasData) === 0) handshake.established_no_data += 1
    } else if ((bits & flowBit.hasSynAck) !== 0) {
      if ((bits & flowBit.resetInHandshake) !== 0) handshake.reset_in_handshake += 1
      else handshake.half_open += 1
    } else if ((bits & flowBit.refused) !== 0) handshake.refused += 1
    else if ((bits & flowBit.icmpError) !== 0) handshake.no_answer_but_icmp_error += 1
    else handshake.no_answer += 1
  }

  #countEvents(events: number): void {
    for (let index = 0; index < tcpEventNames.length; index += 1)
      if ((events & (1 << index)) !== 0) this.events[index]! += 1
  }

  #countReset(packet: DecodedPacket): void {
    this.rst += 1
    const bits = this.#table.words[packet.connection * flowWords + word.bits]!
    addTo(this.resets, resetClass(packet, bits))
  }
}

/** Who reset a connection, and after what: "server:after_data". `bits` is the connection's state before the reset. */
export function resetClass(packet: DecodedPacket, bits: number): string {
  if ((bits & flowBit.hasSyn) === 0) return 'unknown:no_syn_seen'
  const role = ((bits & flowBit.clientIs1) !== 0) === (packet.direction === 1) ? 'client' : 'server'
  if ((bits & flowBit.hasFin) !== 0) return `${role}:after_fin`
  if ((bits & flowBit.hasData) !== 0) return `${role}:after_data`
  return (bits & flowBit.hasSynAck) !== 0 ? `${role}:after_handshake` : `${role}:to_syn`
}

function addTo<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}
