import { dataFrame, dataHeaderBytes, maxDataBytes } from './frames.ts'

/** The relay acknowledges bytes that it cannot have received. */
export class InvalidAck extends Error {
  override readonly name = 'InvalidAck'
}

/** What a frame costs besides its bytes, so that many small writes count too. */
const frameOverheadBytes = 256

/**
 * DATA frames on their way to the relay, kept until it acknowledges them: the next connection sends again what a lost one has not delivered.
 * Positions count bytes from the beginning of the session.
 */
export class SendQueue {
  readonly #limitBytes: number
  readonly #frames: Buffer[] = []
  /** position of the first byte of the first frame */
  #firstPosition = 0
  #acknowledgedPosition = 0
  /** how many of the frames this connection has taken */
  #takenCount = 0
  /** position behind the frames that this connection has taken */
  #takenPosition = 0
  /** the furthest position that any connection has taken */
  #maxTakenPosition = 0
  #endPosition = 0

  /** @param limitBytes from which on the queue is full, overhead of frames included */
  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes
  }

  get isFull(): boolean {
    return this.#endPosition - this.#firstPosition + this.#frames.length * frameOverheadBytes >= this.#limitBytes
  }

  get unacknowledgedBytes(): number {
    return this.#endPosition - this.#acknowledgedPosition
  }

  /** Takes a copy. */
  add(bytes: Buffer): void {
    for (let start = 0; start < bytes.length; start += maxDataBytes) {
      this.#frames.push(dataFrame(bytes.subarray(start, start + maxDataBytes)))
    }
    this.#endPosition += bytes.length
  }

  /** The next frame for this connection; undefined when it has taken all. */
  next(): Buffer | undefined {
    const frame = this.#frames[this.#takenCount]
    if (!frame) return undefined
    this.#takenCount += 1
    this.#takenPosition += frame.length - dataHeaderBytes
    this.#maxTakenPosition = Math.max(this.#maxTakenPosition, this.#takenPosition)
    return frame
  }

  /** The relay has received everything before this position. @throws InvalidAck */
  acknowledge(totalBytes: bigint): void {
    if (totalBytes > BigInt(this.#maxTakenPosition)) {
      throw new InvalidAck(`it acknowledges ${String(totalBytes)} bytes of ${String(this.#maxTakenPosition)}`)
    }
    const position = Number(totalBytes)
    if (position < this.#acknowledgedPosition) {
      throw new InvalidAck(`it acknowledges ${String(position)} bytes after ${String(this.#acknowledgedPosition)}`)
    }
    this.#acknowledgedPosition = position
    while (this.#frames[0] && this.#firstPosition + this.#frames[0].length - dataHeaderBytes <= position) {
      this.#dropFirst()
    }
    const [first] = this.#frames
    if (first && position > this.#firstPosition) {
      this.#frames[0] = dataFrame(first.subarray(dataHeaderBytes + position - this.#firstPosition))
      this.#firstPosition = position
      this.#takenPosition = Math.max(this.#takenPosition, position)
    }
  }

  /** For a new connection: everything that is not acknowledged is sent again. @throws InvalidAck where some of it was dropped */
  rewind(): void {
    if (this.#acknowledgedPosition < this.#firstPosition) {
      const missingBytes = this.#firstPosition - this.#acknowledgedPosition
      throw new InvalidAck(`it lacks ${String(missingBytes)} bytes that it did not acknowledge in time`)
    }
    this.#takenCount = 0
    this.#takenPosition = this.#firstPosition
  }

  /** Drops the oldest frames that were sent but never acknowledged, until the queue is no longer full. They cannot be sent again. */
  dropSent(): void {
    while (this.isFull && this.#takenCount > 0) this.#dropFirst()
  }

  #dropFirst(): void {
    this.#firstPosition += (this.#frames.shift()?.length ?? dataHeaderBytes) - dataHeaderBytes
    if (this.#takenCount > 0) this.#takenCount -= 1
    else this.#takenPosition = this.#firstPosition
  }
}
