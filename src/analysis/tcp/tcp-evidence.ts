import { tcpEvent, tcpFlag } from '../decoded-packet.ts'
import type { DecodedPacket } from '../decoded-packet.ts'
import type { FlowTable } from '../flows/flow-table.ts'
import {
  directionBit,
  directionWord,
  directionWords,
  double,
  flowBit,
  flowDoubles,
  flowWords,
  word,
} from '../flows/layout.ts'
import { resetClass } from './tcp-totals.ts'

/** Connections or directions of each kind at once. */
const maxTrackedCount = 20_000
const maxFramesCount = 8

/** The first reset of a connection that was open: neither side had sent a FIN. */
export interface ResetEvidence {
  /** who and after what, as "server:after_data" */
  readonly resetClass: string
  readonly frame: number
  readonly timeNs: number
  /** how long the connection was idle before the segment that the reset answers; 0: less than 3 s */
  readonly idleNs: number
}

/** Times in which a receiver announced a window of 0. */
export interface StallEvidence {
  readonly firstFrame: number
  readonly firstTimeNs: number
  lastTimeNs: number
  stalls: number
  /** sum of all times from the first window of 0 to the next larger one */
  stalledNs: number
  /** when the stall began that is not over, negative: none */
  openSinceNs: number
}

/** The segment of a direction that was sent most often. */
export interface RepeatEvidence {
  sequence: number
  bytes: number
  /** how often it was sent again */
  count: number
  firstTimeNs: number
  lastTimeNs: number
  frames: number[]
  /** the segment may not be fragmented on the way */
  dontFragment: boolean
}

/** What the receiver reported as received out of order. */
export interface SackEvidence {
  /** the highest sequence number */
  end: number
  /** the smallest block: the segments in it are not larger */
  smallestBytes: number
}

/** Keeps what findings need to tell of connections that were reset, stalled or sent data again: nothing for a healthy connection. */
export class TcpEvidence {
  /** by connection */
  readonly resets = new Map<number, ResetEvidence>()
  /** by connection * 2 + direction of the side whose window was 0 */
  readonly stalls = new Map<number, StallEvidence>()
  /** by connection * 2 + direction */
  readonly repeats = new Map<number, RepeatEvidence>()
  /** by connection * 2 + direction of the data */
  readonly sacked = new Map<number, SackEvidence>()
  /** connections that were reset while they were idle, after the server's last answer: no request was open */
  idleCloses = 0
  /** connections or directions that were not kept because there were too many */
  dropped = 0
  readonly #table: FlowTable

  constructor(table: FlowTable) {
    this.#table = table
  }

  /** Called before the connection's state is moved on by the segment. */
  onSegment(packet: DecodedPacket, isResent: boolean): void {
    if (isResent) this.#noteRepeat(packet)
    if (packet.sackCount > 0) this.#noteSack(packet)
    const flags = packet.tcpFlags
    if ((flags & tcpFlag.rst) !== 0) {
      this.#noteReset(packet)
      return
    }
    const { words } = this.#table
    const bitsAt =
      packet.connection * flowWords + word.directions + packet.direction * directionWords + directionWord.bits
    const isStalled = (words[bitsAt]! & directionBit.isStalled) !== 0
    if ((packet.tcpEvents & tcpEvent.zeroWindow) !== 0) {
      if (!isStalled) words[bitsAt]! |= directionBit.isStalled
      this.#noteZeroWindow(packet)
    } else if (isStalled && packet.window > 0) {
      words[bitsAt]! &= ~directionBit.isStalled
      this.#endStall(packet)
    }
  }

  onConnectionEnd(flow: number): void {
    this.resets.delete(flow)
    for (let direction = flow * 2; direction < flow * 2 + 2; direction += 1) {
      this.stalls.delete(direction)
      this.repeats.delete(direction)
      this.sacked.delete(direction)
    }
  }

  #noteSack({ connection, direction, sackEdges }: DecodedPacket): void {
    const key = connection * 2 + 1 - direction
    const end = sackEdges[1]!
    const bytes = (end - sackEdges[0]!) >>> 0
    const known = this.sacked.get(key)
    if (known === undefined) {
      if (this.#canKeep(this.sacked, key)) this.sacked.set(key, { end, smallestBytes: bytes })
      return
    }
    if (((end - known.end) | 0) > 0) known.end = end
    if (bytes < known.smallestBytes) known.smallestBytes = bytes
  }

  #noteReset(packet: DecodedPacket): void {
    const { words, doubles } = this.#table
    const { connection, timeNs } = packet
    const bits = words[connection * flowWords + word.bits]!
    // A reset after a FIN is harmless: data that came late, or a program that ended.
    if ((bits & flowBit.hasFin) !== 0 || (bits & (flowBit.established | flowBit.hasData)) === 0) return
    if (!this.#canKeep(this.resets, connection)) return
    if (this.resets.has(connection)) return
    const at = connection * flowDoubles
    const idleNs = doubles[at + double.idleBefore]!
    const pauseEndedNs = idleNs > 0 ? timeNs - doubles[at + double.idleEnd]! : Number.POSITIVE_INFINITY
    const isLastDataOfServer = ((bits & flowBit.lastDataIn1) !== 0) !== ((bits & flowBit.clientIs1) !== 0)
    if (pauseEndedNs === 0 && isLastDataOfServer) {
      this.idleCloses += 1
      return
    }
    this.resets.set(connection, {
      resetClass: resetClass(packet, bits),
      frame: packet.frameNumber,
      timeNs,
      // Somebody used the connection after the pause, and the reset answers.
      idleNs: pauseEndedNs > 0 && pauseEndedNs < 1e9 ? idleNs : 0,
    })
  }

  #noteZeroWindow({ connection, direction, frameNumber, timeNs }: DecodedPacket): void {
    const key = connection * 2 + direction
    const known = this.stalls.get(key)
    if (known === undefined) {
      if (!this.#canKeep(this.stalls, key)) return
      const stall = {
        firstFrame: frameNumber,
        firstTimeNs: timeNs,
        lastTimeNs: timeNs,
        stalls: 1,
        stalledNs: 0,
        openSinceNs: timeNs,
      }
      this.stalls.set(key, stall)
      return
    }
    known.lastTimeNs = timeNs
    if (known.openSinceNs >= 0) return
    known.stalls += 1
    known.openSinceNs = timeNs
  }

  #endStall({ connection, direction, timeNs }: DecodedPacket): void {
    const stall = this.stalls.get(connection * 2 + direction)
    if (stall === undefined || stall.openSinceNs < 0) return
    stall.stalledNs += Math.max(0, timeNs - stall.openSinceNs)
    stall.openSinceNs = -1
    stall.lastTimeNs = timeNs
  }

  #noteRepeat({
    connection,
    direction,
    frameNumber,
    timeNs,
    sequence,
    payloadLength,
    dontFragment,
  }: DecodedPacket): void {
    const key = connection * 2 + direction
    const known = this.repeats.get(key)
    if (known?.sequence === sequence) {
      known.count += 1
      known.lastTimeNs = timeNs
      if (known.frames.length < maxFramesCount) known.frames.push(frameNumber)
    } else if (known === undefined ? this.#canKeep(this.repeats, key) : known.count <= 1) {
      this.repeats.set(key, {
        sequence,
        bytes: payloadLength,
        count: 1,
        firstTimeNs: timeNs,
        lastTimeNs: timeNs,
        frames: [frameNumber],
        dontFragment,
      })
    }
  }

  #canKeep(map: ReadonlyMap<number, unknown>, key: number): boolean {
    if (map.size < maxTrackedCount || map.has(key)) return true
    this.dropped += 1
    return false
  }
}
