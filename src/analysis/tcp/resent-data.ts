import { tcpEvent, tcpFlag } from '../decoded-packet.ts'
import type { DecodedPacket } from '../decoded-packet.ts'
import type { FlowTable } from '../flows/flow-table.ts'
import { directionBit, directionWord, directionWords, flowWords, word } from '../flows/layout.ts'

/** Holes of one direction that are remembered. Of more, the oldest is forgotten: its data counts as resent when it comes. */
const maxHolesCount = 16
/** Directions with holes at once. */
const maxDirectionsCount = 20_000

/** A part of the sequence space that was passed over: from `start` to before `end`, signed 32-bit numbers. */
interface Hole {
  start: number
  end: number
}

/**
 * Tells segments whose data was sent before at this capture point (resent, as tcptrace defines it) from those that fill a hole (late: lost or
 * reordered before the capture point). Unlike tshark's heuristics it does not depend on times: of 24 lost packets, it counts 24.
 */
export class ResentData {
  /** segments all of whose bytes this direction had sent before */
  resent = 0
  /** segments that fill a hole */
  late = 0
  dataSegments = 0
  /** holes that were never filled: the data was not captured. Of connections that have ended. */
  unfilledHoles = 0
  /** directions whose holes were not remembered */
  untracked = 0
  readonly #words: Int32Array
  /** segments that fill a hole, by connection */
  readonly #late = new Map<number, number>()
  /** by connection * 2 + direction */
  readonly #holes = new Map<number, Hole[]>()

  constructor(table: FlowTable) {
    this.#words = table.words
  }

  /** The packet's connection, direction and events are set. True: the segment was resent. */
  onSegment(packet: DecodedPacket): boolean {
    const words = this.#words
    const block = packet.connection * flowWords + word.directions + packet.direction * directionWords
    if ((packet.tcpFlags & tcpFlag.syn) !== 0) this.#expect(block, (packet.sequence + 1) | 0)
    const isProbe = (packet.tcpEvents & (tcpEvent.keepAlive | tcpEvent.zeroWindowProbe)) !== 0
    if (packet.payloadLength === 0 || isProbe || (packet.tcpFlags & tcpFlag.rst) !== 0) return false
    this.dataSegments += 1
    const start = (packet.sequence + ((packet.tcpFlags & tcpFlag.syn) !== 0 ? 1 : 0)) | 0
    const end = (start + packet.payloadLength) | 0
    if ((words[block + directionWord.bits]! & directionBit.hasData) === 0) this.#expect(block, start)
    const highest = words[block + directionWord.highest]!
    const isNew = ((end - highest) | 0) > 0
    if (isNew) words[block + directionWord.highest] = end
    const aheadBytes = (start - highest) | 0
    if (aheadBytes === 0) return false
    const direction = packet.connection * 2 + packet.direction
    if (aheadBytes > 0) this.#addHole(direction, block, { start: highest, end: start })
    else if (this.#fill(direction, block, { start, end })) this.#countLate(packet.connection)
    else if (!isNew) {
      this.resent += 1
      words[block + directionWord.resentSegments]! += 1
      return true
    }
    return false
  }

  /** Segments of an open connection that fill a hole. */
  lateSegments(connection: number): number {
    return this.#late.get(connection) ?? 0
  }

  onConnectionEnd(flow: number): void {
    this.#late.delete(flow)
    for (let direction = 0; direction < 2; direction += 1) {
      if (
        this.#words[flow * flowWords + word.directions + direction * directionWords + directionWord.holes] === noHoles
      )
        continue
      this.unfilledHoles += this.#holes.get(flow * 2 + direction)?.length ?? 0
      this.#holes.delete(flow * 2 + direction)
    }
  }

  #countLate(connection: number): void {
    this.late += 1
    const known = this.#late.get(connection)
    if (known !== undefined || this.#late.size < maxDirectionsCount) this.#late.set(connection, (known ?? 0) + 1)
  }

  #expect(block: number, sequence: number): void {
    const words = this.#words
    if ((words[block + directionWord.bits]! & directionBit.hasData) !== 0) return
    words[block + directionWord.highest] = sequence
    words[block + directionWord.bits]! |= directionBit.hasData
  }

  #addHole(direction: number, block: number, hole: Hole): void {
    let holes = this.#holes.get(direction)
    if (holes === undefined) {
      if (this.#holes.size >= maxDirectionsCount) {
        this.untracked += 1
        return
      }
      holes = []
      this.#holes.set(direction, holes)
      this.#words[block + directionWord.holes] = 1
    }
    if (holes.length === maxHolesCount) holes.shift()
    holes.push(hole)
  }

  /** Takes a segment's bytes out of the holes. False: no hole had any of them. */
  #fill(direction: number, block: number, segment: Hole): boolean {
    if (this.#words[block + directionWord.holes] === noHoles) return false
    const holes = this.#holes.get(direction)
    if (holes === undefined) return false
    let isFilled = false
    for (let index = holes.length - 1; index >= 0; index -= 1) {
      const hole = holes[index]!
      if (((segment.end - hole.start) | 0) <= 0 || ((hole.end - segment.start) | 0) <= 0) continue
      isFilled = true
      const rest: Hole[] = []
      if (((segment.start - hole.start) | 0) > 0) rest.push({ start: hole.start, end: segment.start })
      if (((hole.end - segment.end) | 0) > 0) rest.push({ start: segment.end, end: hole.end })
      holes.splice(index, 1, ...rest)
    }
    if (holes.length > maxHolesCount) holes.splice(0, holes.length - maxHolesCount)
    if (holes.length === 0) {
      this.#holes.delete(direction)
      this.#words[block + directionWord.holes] = noHoles
    }
    return isFilled
  }
}

const noHoles = -1
