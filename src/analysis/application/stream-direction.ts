import { type PendingBudget, PendingBytes } from './pending-bytes.ts'
import { StreamChunk, type StreamParser } from './stream-chunk.ts'

/** Segments that wait for one before them. */
const maxHeldBytes = 256 * 1024
const maxHeldSegmentsCount = 64
const maxHolesCount = 16
/** The longest start that a protocol is recognised by: a request line. */
const maxStartBytes = 8 * 1024

/** Recognises a protocol by its first bytes. */
export interface ProtocolDetector {
  /** The parser for a direction that starts with the bytes of `chunk`; `more`: too few bytes; undefined: none that is known. */
  detect(direction: StreamDirection, chunk: StreamChunk): StreamParser | 'more' | undefined
}

/** A part that was not seen yet and that the parser does not need. */
interface Hole {
  start: number
  end: number
}

interface HeldSegment {
  readonly sequence: number
  readonly bytes: Uint8Array
  readonly cutBytes: number
  readonly timeNs: number
  readonly frameNumber: number
}

const chunk = new StreamChunk()

/**
 * One direction of a TCP connection: puts its segments in order, each byte once, and hands them to the parser that its first bytes ask for.
 * A segment that comes too early waits, bounded; where the missing one does not come, the parser starts again at the next segment.
 */
export class StreamDirection {
  /** 0 or 1, see `DecodedPacket.direction` */
  readonly index: number
  readonly #detector: ProtocolDetector
  readonly #budget: PendingBudget
  #next = -1
  #parser: StreamParser | undefined
  #start: PendingBytes | undefined
  #held: HeldSegment[] = []
  #heldBytes = 0
  #holes: Hole[] | undefined
  #finSequence = -1
  isClosed = false

  constructor(index: number, detector: ProtocolDetector, budget: PendingBudget) {
    this.index = index
    this.#detector = detector
    this.#budget = budget
  }

  /** What the direction sent before its first payload is known: the number of its first byte. */
  expect(sequence: number): void {
    if (this.#next < 0) this.#next = sequence
  }

  /** A segment with payload: `segment.bytes` from `start` to `end`, and `cutBytes` more that were not captured. */
  onSegment(sequence: number, segment: StreamChunk, cutBytes: number): void {
    this.expect(sequence)
    const ahead = distance(this.#next, sequence)
    if (ahead > 0) {
      this.#onEarly(ahead, sequence, segment, cutBytes)
      return
    }
    if (this.#holes !== undefined && !segment.isRepeat) this.#fillHoles(sequence, segment.end - segment.start)
    this.#deliver(segment, -ahead, cutBytes)
    if (this.#held.length > 0) this.#deliverHeld(false, segment.isLate)
    if (this.#finSequence >= 0) this.onFin(this.#finSequence)
  }

  /** A FIN, with the number of the byte after the last one: it counts when all bytes before it are there. */
  onFin(sequence: number): void {
    this.#finSequence = sequence
    if (this.#next < 0 || distance(this.#next, sequence) <= 0) this.onClose('fin')
  }

  onClose(by: 'fin' | 'reset' | 'end of capture'): void {
    if (this.isClosed) return
    this.isClosed = true
    if (this.#held.length > 0) this.#deliverHeld(true)
    this.#parser?.onClose(by)
    this.#start?.clear()
    this.#start = undefined
  }

  /** `skipBytes` of the segment were seen before. */
  #deliver(segment: StreamChunk, skipBytes: number, cutBytes: number): void {
    const length = segment.end - segment.start
    if (skipBytes >= length + cutBytes) return
    const skipped = Math.min(skipBytes, length)
    this.#next = (this.#next + length + cutBytes - skipBytes) >>> 0
    chunk.bytes = segment.bytes
    chunk.start = segment.start + skipped
    chunk.end = segment.end
    chunk.timeNs = segment.timeNs
    chunk.frameNumber = segment.frameNumber
    chunk.isLate = segment.isLate
    if (chunk.start < chunk.end) this.#parse()
    const missingBytes = cutBytes - (skipBytes - skipped)
    if (cutBytes > 0) this.#onMissing(missingBytes, true)
  }

  #parse(): void {
    if (this.#parser !== undefined && !this.#parser.isLost) {
      this.#parser.onChunk(chunk)
      return
    }
    if (this.#start !== undefined && !this.#joinStart(this.#start)) return
    const found = this.#detector.detect(this, chunk)
    if (found === 'more') {
      this.#start ??= new PendingBytes(this.#budget, maxStartBytes)
      this.#start.append(chunk.bytes, chunk.start, chunk.end)
      return
    }
    if (found === undefined) return
    if (found === this.#parser) found.resume()
    this.#parser = found
    found.onChunk(chunk)
  }

  /** Puts the bytes that were too few to recognise anything in front of the chunk. */
  #joinStart(start: PendingBytes): boolean {
    this.#start = undefined
    if (start.length === 0) return true
    const isJoined = start.append(chunk.bytes, chunk.start, chunk.end)
    if (isJoined) {
      chunk.bytes = start.bytes.slice(0, start.length)
      chunk.start = 0
      chunk.end = chunk.bytes.length
    }
    start.clear()
    return isJoined
  }

  #onMissing(byteCount: number, wasCut: boolean): void {
    this.#start?.clear()
    this.#start = undefined
    if (this.#parser !== undefined && !this.#parser.isLost) this.#parser.onGap(byteCount, wasCut)
  }

  #onEarly(ahead: number, sequence: number, segment: StreamChunk, cutBytes: number): void {
    const isParsing = this.#parser !== undefined && !this.#parser.isLost
    const canSkip = isParsing && this.#held.length === 0 && this.#parser!.skippableBytes >= ahead
    if (canSkip) {
      // The hole is in bytes that are not read.
      this.#holes ??= []
      if (this.#holes.length >= maxHolesCount) this.#holes.shift()
      this.#holes.push({ start: this.#next, end: sequence })
      this.#onMissing(ahead, false)
      this.#next = sequence
      this.#deliver(segment, 0, cutBytes)
      return
    }
    const sizeBytes = segment.end - segment.start
    const hasRoom = this.#held.length < maxHeldSegmentsCount && this.#heldBytes + sizeBytes <= maxHeldBytes
    if (hasRoom && this.#budget.take(sizeBytes)) {
      this.#heldBytes += sizeBytes
      this.#held.push({
        sequence,
        bytes: segment.bytes.slice(segment.start, segment.end),
        cutBytes,
        timeNs: segment.timeNs,
        frameNumber: segment.frameNumber,
      })
      return
    }
    this.#deliverHeld(true)
    const gap = distance(this.#next, sequence)
    if (gap > 0) {
      this.#onMissing(gap, false)
      this.#next = sequence
    }
    this.#deliver(segment, Math.max(-gap, 0), cutBytes)
  }

  #fillHoles(sequence: number, length: number): void {
    for (const hole of this.#holes ?? []) {
      // Mostly a hole is filled from its start, segment by segment.
      const filled = Math.min(distance(hole.start, (sequence + length) >>> 0), distance(hole.start, hole.end))
      if (distance(hole.start, sequence) > 0 || filled <= 0) continue
      hole.start = (hole.start + filled) >>> 0
      this.#parser?.onGapFilled?.(filled)
    }
  }

  /** `all`: what is missing will not come any more. `isLate`: the segment that they waited for. */
  #deliverHeld(all: boolean, isLate = false): void {
    this.#held.sort((a, b) => distance(b.sequence, a.sequence))
    let count = 0
    for (const held of this.#held) {
      const ahead = distance(this.#next, held.sequence)
      if (ahead > 0) {
        if (!all) break
        this.#onMissing(ahead, false)
        this.#next = held.sequence
      }
      count++
      this.#heldBytes -= held.bytes.length
      this.#budget.release(held.bytes.length)
      const { bytes, timeNs, frameNumber, cutBytes } = held
      this.#deliver(
        { bytes, start: 0, end: bytes.length, timeNs, frameNumber, isLate, isRepeat: false },
        Math.max(-ahead, 0),
        cutBytes,
      )
    }
    this.#held = this.#held.slice(count)
  }
}

/** How far `to` is after `from`, modulo 2^32. */
function distance(from: number, to: number): number {
  return (to - from) | 0
}
