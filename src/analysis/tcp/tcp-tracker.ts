import { tcpEvent, tcpFlag } from '../decoded-packet.ts'
import type { DecodedPacket } from '../decoded-packet.ts'
import type { FlowTable } from '../flows/flow-table.ts'
import {
  completeness,
  directionBit,
  directionWord,
  directionWords,
  double,
  flowBit,
  flowDoubles,
  flowWords,
  word,
} from '../flows/layout.ts'
import { SegmentAnalysis } from './segment-analysis.ts'
import { ResentData } from './resent-data.ts'
import { TcpEvidence } from './tcp-evidence.ts'
import { TcpTotals } from './tcp-totals.ts'

const flagsOfHandshake = tcpFlag.syn | tcpFlag.ack

/** Follows the state of TCP connections: which was opened, answered, used, closed or reset, and how each segment is judged. */
export class TcpTracker {
  readonly totals: TcpTotals
  readonly resentData: ResentData
  readonly evidence: TcpEvidence
  readonly #table: FlowTable
  readonly #analysis: SegmentAnalysis

  constructor(table: FlowTable) {
    this.#table = table
    this.#analysis = new SegmentAnalysis(table)
    this.totals = new TcpTotals(table)
    this.resentData = new ResentData(table)
    this.evidence = new TcpEvidence(table)
  }

  /** Takes a segment that was assigned to a connection; sets its events, and another connection where its ports are used again. */
  onSegment(packet: DecodedPacket): void {
    const flags = packet.tcpFlags & flagsOfHandshake
    const reusedPorts = this.#startSequence(packet, flags)
    const { words } = this.#table
    const block = this.#block(packet)
    packet.nextSequence = words[block + directionWord.next]! >>> 0
    packet.isNextKnown = packet.nextSequence !== 0
    packet.tcpEvents = this.#analysis.judge(packet) | reusedPorts
    if ((flags & tcpFlag.syn) !== 0) words[block + directionWord.scale] = packet.windowScale
    packet.isResent = false
    if (!packet.isCopy) {
      this.totals.onSegment(packet)
      packet.isResent = this.resentData.onSegment(packet)
      this.evidence.onSegment(packet, packet.isResent)
    }
    this.#advance(packet)
  }

  /** Must be called once for each connection: before its record is used again, or at the end. */
  onConnectionEnd(flow: number): void {
    this.totals.onConnectionEnd(flow)
    this.resentData.onConnectionEnd(flow)
    this.evidence.onConnectionEnd(flow)
  }

  #block({ connection, direction }: DecodedPacket): number {
    return connection * flowWords + word.directions + direction * directionWords
  }

  /** Notes the direction's first sequence number; a SYN with another one begins a new connection. Returns `reusedPorts` or 0. */
  #startSequence(packet: DecodedPacket, flags: number): number {
    const { words } = this.#table
    const sequence = packet.sequence | 0
    let event = 0
    let block = this.#block(packet)
    const hasBase = (words[block + directionWord.bits]! & directionBit.hasBase) !== 0
    if ((flags & tcpFlag.syn) !== 0 && hasBase) {
      const isRepeated = words[block + directionWord.base] === sequence
      if (flags === tcpFlag.syn) {
        if (isRepeated) words[block + directionWord.next] = words[block + directionWord.maxAckable]!
        else this.#table.supersede(packet)
      }
      if (!isRepeated) {
        event = tcpEvent.reusedPorts
        block = this.#block(packet)
        this.#setBase(block, sequence)
      }
    }
    if (!hasBase) this.#setBase(block, (flags & tcpFlag.syn) !== 0 ? sequence : (sequence - 1) | 0)
    if (flags === tcpFlag.syn) this.#noteSyn(packet)
    if ((flags & tcpFlag.ack) !== 0) {
      const other = packet.connection * flowWords + word.directions + (1 - packet.direction) * directionWords
      if ((words[other + directionWord.bits]! & directionBit.hasBase) === 0)
        this.#setBase(other, (packet.acknowledgment - 1) | 0)
    }
    return event
  }

  #setBase(block: number, sequence: number): void {
    const { words } = this.#table
    words[block + directionWord.base] = sequence
    words[block + directionWord.bits]! |= directionBit.hasBase
  }

  #noteSyn(packet: DecodedPacket): void {
    const { words, doubles } = this.#table
    const at = packet.connection * flowWords
    const synTimeAt = packet.connection * flowDoubles + double.synTime
    if (words[at + word.syns]! > 0) this.totals.onSynRepeated(packet, packet.timeNs - doubles[synTimeAt]!)
    words[at + word.syns]! += 1
    doubles[synTimeAt] = packet.timeNs
  }

  /** Moves the connection's state on. */
  #advance(packet: DecodedPacket): void {
    const { words } = this.#table
    const at = packet.connection * flowWords
    const flags = packet.tcpFlags
    let bits = words[at + word.bits]!
    if ((flags & tcpFlag.syn) !== 0) bits = this.#advanceBySyn(packet, bits)
    else if ((flags & tcpFlag.ack) !== 0 && (flags & tcpFlag.rst) === 0) bits = advanceByAck(packet, bits)
    if (packet.payloadLength > 0) {
      bits =
        packet.direction === 1
          ? bits | flowBit.hasData | flowBit.lastDataIn1
          : (bits | flowBit.hasData) & ~flowBit.lastDataIn1
      this.#noteData(packet)
    }
    if ((flags & tcpFlag.rst) !== 0) bits = advanceByReset(packet, bits)
    if ((flags & tcpFlag.fin) !== 0)
      bits |= flowBit.hasFin | (isFromClient(packet, bits) ? flowBit.clientFinned : flowBit.serverFinned)
    words[at + word.bits] = bits
    words[at + word.completeness]! |= completenessOf(packet, words[at + word.firstFrame] === packet.frameNumber)
    words[at + word.events]! |= packet.tcpEvents
  }

  #advanceBySyn(packet: DecodedPacket, bits: number): number {
    const isAnswer = (packet.tcpFlags & tcpFlag.ack) !== 0
    if (isAnswer) this.#table.doubles[packet.connection * flowDoubles + double.synAckTime] = packet.timeNs
    // The sender of a SYN is the client, that of a SYN-ACK the server.
    const clientIs1 = (packet.direction === 1) !== isAnswer
    const isRepeated = isAnswer && (bits & flowBit.hasSynAck) !== 0
    const added = isAnswer
      ? flowBit.hasSynAck | flowBit.serverAnswered | (isRepeated ? flowBit.synAckRepeated : 0)
      : flowBit.hasSyn
    const known = bits | flowBit.clientKnown | added
    if (isAnswer && (bits & flowBit.clientKnown) !== 0) return known
    return clientIs1 ? known | flowBit.clientIs1 : known & ~flowBit.clientIs1
  }

  #noteData(packet: DecodedPacket): void {
    const { words } = this.#table
    const block = this.#block(packet)
    words[block + directionWord.dataSegments]! += 1
    if (packet.payloadLength > words[block + directionWord.largestPayload]!)
      words[block + directionWord.largestPayload] = packet.payloadLength
  }
}

export function isFromClient(packet: DecodedPacket, bits: number): boolean {
  return ((bits & flowBit.clientIs1) !== 0) === (packet.direction === 1)
}

function advanceByAck(packet: DecodedPacket, bits: number): number {
  if (!isFromClient(packet, bits)) return bits | flowBit.serverAnswered
  return (bits & flowBit.hasSynAck) !== 0 ? bits | flowBit.established : bits
}

function advanceByReset(packet: DecodedPacket, bits: number): number {
  let reset = bits | flowBit.hasRst
  if ((bits & flowBit.established) !== 0) return reset
  if ((bits & flowBit.hasSynAck) !== 0) reset |= flowBit.resetInHandshake
  else if (!isFromClient(packet, bits)) reset |= flowBit.refused
  return reset
}

/** What tshark's tcp.completeness gets from a segment: the first one of a connection counts only as SYN or SYN-ACK, and a SYN only as the first one. */
function completenessOf(packet: DecodedPacket, isFirst: boolean): number {
  const flags = packet.tcpFlags
  const handshake = flags & flagsOfHandshake
  if (handshake === tcpFlag.syn && isFirst) return completeness.syn
  let bits = 0
  if (handshake === flagsOfHandshake) bits |= completeness.synAck
  if (isFirst) return bits
  if (handshake === tcpFlag.ack) bits |= packet.payloadLength > 0 ? completeness.data : completeness.ack
  if ((flags & (tcpFlag.fin | tcpFlag.ack)) === (tcpFlag.fin | tcpFlag.ack)) bits |= completeness.fin
  if ((flags & tcpFlag.rst) !== 0) bits |= completeness.rst
  return bits
}
