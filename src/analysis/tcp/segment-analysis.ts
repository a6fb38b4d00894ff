import { tcpEvent, tcpFlag } from '../decoded-packet.ts'
import type { DecodedPacket } from '../decoded-packet.ts'
import type { FlowTable } from '../flows/flow-table.ts'
import {
  directionBit,
  directionDouble,
  directionDoubles,
  directionWord,
  directionWords,
  double,
  flowDoubles,
  flowWords,
  word,
} from '../flows/layout.ts'

const fastRetransmissionNs = 20_000_000
/** How long after the next expected byte a segment counts as out of order where no round trip is known. */
const outOfOrderNs = 3_000_000
const afterNanoseconds = Number.POSITIVE_INFINITY

/**
 * Judges TCP segments as tshark 4.0.17 does, rule by rule (`tcp_analyze_sequence_number` in packet-tcp.c): the counters are those that people
 * know from Wireshark. Names and order of the steps are those of the rules. Zero means "not set" for next, maxAckable and lastAck, as there.
 */
export class SegmentAnalysis {
  readonly #words: Int32Array
  readonly #doubles: Float64Array
  // The segment that is judged: where its direction's state (f) and the other direction's (r) are, and what it says.
  #f = 0
  #r = 0
  #fDoubles = 0
  #rDoubles = 0
  #seq = 0
  #ack = 0
  #bytes = 0
  #flags = 0
  #window = 0
  #timeNs = 0
  #isPlain = false

  constructor(table: FlowTable) {
    this.#words = table.words
    this.#doubles = table.doubles
  }

  /** Returns the events, bits of `tcpEvent`. The packet's connection and direction are set. */
  judge(packet: DecodedPacket): number {
    this.#load(packet)
    const words = this.#words
    const f = this.#f
    let events: number
    if (
      this.#bytes === 1 &&
      this.#seq === words[f + directionWord.next] &&
      words[this.#r + directionWord.window] === 0
    ) {
      events = tcpEvent.zeroWindowProbe
    } else {
      events = this.#judgeWindow() | this.#judgeSequence()
      if (this.#bytes === 0 && this.#isPlain) events |= this.#judgePureAck()
    }
    if (this.#ack !== words[f + directionWord.lastAck]) words[f + directionWord.duplicateAcks] = 0
    if ((this.#flags & tcpFlag.ack) !== 0) events |= this.#judgeAckedLost()
    const takesSpace = this.#bytes > 0 || (this.#flags & (tcpFlag.syn | tcpFlag.fin)) !== 0
    if (takesSpace && (events & tcpEvent.keepAlive) === 0) events |= this.#judgeRepeated(packet.connection)
    this.#store(events)
    this.#measureRoundTrip(packet.connection)
    return events
  }

  #load(packet: DecodedPacket): void {
    const { connection, direction } = packet
    const at = connection * flowWords + word.directions
    const doublesAt = connection * flowDoubles + double.directions
    this.#f = at + direction * directionWords
    this.#r = at + (1 - direction) * directionWords
    this.#fDoubles = doublesAt + direction * directionDoubles
    this.#rDoubles = doublesAt + (1 - direction) * directionDoubles
    this.#seq = packet.sequence | 0
    this.#ack = packet.acknowledgment | 0
    this.#bytes = packet.payloadLength
    this.#flags = packet.tcpFlags
    this.#window = packet.window
    this.#timeNs = packet.timeNs
    this.#isPlain = (packet.tcpFlags & (tcpFlag.syn | tcpFlag.fin | tcpFlag.rst)) === 0
  }

  /** zero_window, window_full */
  #judgeWindow(): number {
    if (!this.#isPlain) return 0
    const words = this.#words
    const r = this.#r
    let events = this.#window === 0 ? tcpEvent.zeroWindow : 0
    const scale = words[r + directionWord.scale]!
    if (this.#bytes > 0 && scale > -2) {
      const shift = (words[r + directionWord.bits]! & directionBit.isScaling) !== 0 && scale > 0 ? scale : 0
      const edge = (words[r + directionWord.lastAck]! + (words[r + directionWord.window]! << shift)) | 0
      if (((this.#seq + this.#bytes) | 0) === edge) events |= tcpEvent.windowFull
    }
    return events
  }

  /** lost_segment, keep_alive */
  #judgeSequence(): number {
    const next = this.#words[this.#f + directionWord.next]!
    let events = 0
    if (next !== 0 && ((this.#seq - next) | 0) > 0 && (this.#flags & tcpFlag.rst) === 0) events |= tcpEvent.lostSegment
    if (this.#bytes <= 1 && this.#isPlain && this.#seq === ((next - 1) | 0)) events |= tcpEvent.keepAlive
    return events
  }

  /** window_update, keep_alive_ack, zero_window_probe_ack, duplicate_ack: segments without data that repeat seq and ack */
  #judgePureAck(): number {
    const words = this.#words
    const f = this.#f
    if (this.#seq !== words[f + directionWord.next] || this.#ack !== words[f + directionWord.lastAck]) return 0
    if (this.#window !== words[f + directionWord.window]) return this.#window === 0 ? 0 : tcpEvent.windowUpdate
    const answered = words[this.#r + directionWord.lastEvents]!
    if (this.#window === 0) return (answered & tcpEvent.zeroWindowProbe) !== 0 ? tcpEvent.zeroWindowProbeAck : 0
    if ((answered & tcpEvent.keepAlive) !== 0) return tcpEvent.keepAliveAck
    words[f + directionWord.duplicateAcks] = (words[f + directionWord.duplicateAcks]! + 1) | 0
    return tcpEvent.duplicateAck
  }

  #judgeAckedLost(): number {
    const words = this.#words
    const r = this.#r
    const ackable = words[r + directionWord.maxAckable]!
    if (ackable === 0 || ((this.#ack - ackable) | 0) <= 0) return 0
    const next = words[r + directionWord.next]!
    if (((next - ackable) | 0) > 0) {
      words[r + directionWord.maxAckable] = next
      return tcpEvent.ackLostSegment
    }
    if (words[r + directionWord.duplicateAcks] !== 0) return 0
    words[r + directionWord.duplicateAcks] = -1 // unsigned: more than any number of duplicates, and one more makes it 0
    return tcpEvent.ackLostSegment
  }

  /** The four kinds of retransmission: the first rule that fits. */
  #judgeRepeated(connection: number): number {
    const words = this.#words
    const r = this.#r
    const next = words[this.#f + directionWord.next]!
    const end = (this.#seq + this.#bytes) | 0
    const otherAck = words[r + directionWord.lastAck]!
    if (this.#bytes > 0 && otherAck !== 0 && ((end - otherAck) | 0) <= 0)
      return tcpEvent.spuriousRetransmission | tcpEvent.retransmission
    const isAdvanced =
      next === 0 || ((this.#seq - next) | 0) >= 0 || (this.#bytes > 1 && this.#seq === ((next - 1) | 0))
    if (isAdvanced) return 0
    if (words[r + directionWord.duplicateAcks]! >>> 0 >= 2 && otherAck === this.#seq) {
      if (this.#sinceNs(this.#rDoubles + directionDouble.lastAckTime) < fastRetransmissionNs) {
        return tcpEvent.fastRetransmission | tcpEvent.retransmission
      }
    }
    const roundTripNs = this.#doubles[connection * flowDoubles + double.roundTrip]!
    const closeNs = roundTripNs > 0 ? roundTripNs : outOfOrderNs
    const spaceEnd = (end + ((this.#flags & (tcpFlag.syn | tcpFlag.fin)) !== 0 ? 1 : 0)) | 0
    if (spaceEnd !== next && this.#sinceNs(this.#fDoubles + directionDouble.nextTime) < closeNs)
      return tcpEvent.outOfOrder
    return tcpEvent.retransmission
  }

  /** A clock that goes back counts as very long: tshark's difference is unsigned. */
  #sinceNs(timeAt: number): number {
    const differenceNs = this.#timeNs - this.#doubles[timeAt]!
    return differenceNs < 0 ? afterNanoseconds : differenceNs
  }

  #store(events: number): void {
    const words = this.#words
    const f = this.#f
    const doubles = this.#doubles
    const takesOne = (this.#flags & (tcpFlag.syn | tcpFlag.fin)) !== 0 ? 1 : 0
    if ((events & tcpEvent.zeroWindowProbe) === 0) {
      const end = (this.#seq + this.#bytes + takesOne) | 0
      const next = words[f + directionWord.next]!
      if (next === 0 || ((end - next) | 0) > 0) {
        words[f + directionWord.next] = end
        doubles[this.#fDoubles + directionDouble.nextTime] = this.#timeNs
      }
      const ackable = words[f + directionWord.maxAckable]!
      if (ackable === 0 || this.#seq === ackable) words[f + directionWord.maxAckable] = words[f + directionWord.next]!
    }
    words[f + directionWord.window] = this.#window
    words[f + directionWord.lastAck] = this.#ack
    words[f + directionWord.lastEvents] = events
    doubles[this.#fDoubles + directionDouble.lastAckTime] = this.#timeNs
    if ((this.#flags & (tcpFlag.syn | tcpFlag.ack)) === tcpFlag.ack)
      words[f + directionWord.bits]! |= directionBit.isScaling
  }

  #measureRoundTrip(connection: number): void {
    if ((this.#flags & (tcpFlag.syn | tcpFlag.ack)) !== tcpFlag.ack) return
    const at = connection * flowDoubles
    const doubles = this.#doubles
    // A round trip of 0 ns is no measurement: tshark takes the next segment then.
    if (doubles[at + double.roundTrip]! > 0 || this.#words[connection * flowWords + word.syns] === 0) return
    const roundTripNs = this.#timeNs - doubles[at + double.synTime]!
    if (roundTripNs > 0) doubles[at + double.roundTrip] = roundTripNs
  }
}
