import { type DecodedPacket, ipProtocol, tcpEvent, tcpFlag } from '../decoded-packet.ts'
import type { ConnectionTracker } from '../flows/connection-tracker.ts'
import { flowBit, flowWords, word } from '../flows/layout.ts'
import { TimeBuckets } from '../time-buckets.ts'

/** What a capture had in one of its parts. */
export interface TimelineBucket {
  readonly packets: number
  /** on the wire */
  readonly bytes: number
  /** segments that were sent again, as Wireshark counts them */
  readonly retransmissions: number
  /** of connections that neither side had closed */
  readonly resets: number
  /** answers with an error and missing answers of HTTP, gRPC and DNS, failed TLS handshakes, ICMP errors */
  readonly failures: number
}

/** A capture in parts of the same length, at most 60. */
export interface Timeline {
  /** ms since the epoch, when the first part begins: up to one part before the first packet */
  readonly startMs: number
  readonly bucketSeconds: number
  readonly buckets: readonly TimelineBucket[]
}

const sentAgain = tcpEvent.retransmission | tcpEvent.fastRetransmission | tcpEvent.spuriousRetransmission

/** Throughput and errors over time. */
export class TimelineTracker {
  readonly #connections: ConnectionTracker
  readonly #packets = new TimeBuckets()
  readonly #bytes = new TimeBuckets()
  readonly #retransmissions = new TimeBuckets()
  readonly #resets = new TimeBuckets()
  readonly #rejections = new TimeBuckets()
  #frameNumber = 0
  // Packets in a row that are less than one of the smallest buckets apart, not yet in the buckets.
  #runStartNs = 0
  #runEndNs = -1
  #runPackets = 0
  #runBytes = 0

  constructor(connections: ConnectionTracker) {
    this.#connections = connections
  }

  /** The packet must be none that was seen at another place before. */
  onPacket(packet: DecodedPacket): void {
    const { timeNs, frameNumber } = packet
    if (frameNumber !== this.#frameNumber) {
      this.#frameNumber = frameNumber
      if (timeNs < this.#runStartNs || timeNs >= this.#runEndNs) this.#startRun(timeNs)
      this.#runPackets += 1
      this.#runBytes += packet.wireLength
    }
    if (packet.inIcmpError) this.#rejections.add(timeNs)
    else if ((packet.tcpEvents & sentAgain) !== 0 || (packet.tcpFlags & tcpFlag.rst) !== 0) this.#onTrouble(packet)
  }

  /** `failureTimes`: of the application protocols. The capture must have ended, and have packets. */
  timeline(
    range: { baseSeconds: number; firstNs: number; lastNs: number },
    failureTimes: readonly TimeBuckets[],
  ): Timeline {
    const { baseSeconds, firstNs, lastNs } = range
    this.#startRun(0)
    const failed = [this.#rejections, ...failureTimes]
    const all = [this.#packets, this.#bytes, this.#retransmissions, this.#resets, ...failed]
    const widest = Math.max(...all.map(({ widthNs }) => widthNs))
    for (const one of all) one.widen(60 * widest - 1)
    const { widthNs } = this.#packets
    const skipped = Math.max(0, Math.floor(firstNs / widthNs))
    const [packets, bytes, retransmissions, resets, ...failures] = all.map((one) => one.until(lastNs).slice(skipped))
    return {
      startMs: baseSeconds * 1_000 + (skipped * widthNs) / 1e6,
      bucketSeconds: widthNs / 1e9,
      buckets: packets!.map((count, index) => ({
        packets: count,
        bytes: bytes![index]!,
        retransmissions: retransmissions![index]!,
        resets: resets![index]!,
        failures: failures.reduce((sum, amounts) => sum + amounts[index]!, 0),
      })),
    }
  }

  #onTrouble({ timeNs, tcpEvents, tcpFlags, connection, protocol }: DecodedPacket): void {
    if (protocol !== ipProtocol.tcp || connection < 0) return
    if ((tcpEvents & sentAgain) !== 0) this.#retransmissions.add(timeNs)
    if ((tcpFlags & tcpFlag.rst) === 0) return
    const bits = this.#connections.table.words[connection * flowWords + word.bits]!
    if ((bits & flowBit.hasFin) === 0) this.#resets.add(timeNs)
  }

  #startRun(timeNs: number): void {
    if (this.#runPackets > 0) {
      this.#packets.add(this.#runStartNs, this.#runPackets)
      this.#bytes.add(this.#runStartNs, this.#runBytes)
    }
    this.#runPackets = 0
    this.#runBytes = 0
    this.#runStartNs = this.#packets.startOf(timeNs)
    this.#runEndNs = this.#runStartNs + this.#packets.widthNs
  }
}
