import { dataFrame, dataHeaderLength, maxDataLength } from './iap-frames.ts'

/** A confirmation of the relay's that cannot be. */
export class InvalidAck extends Error {
  override readonly name = 'InvalidAck'
}

/**
 * DATA frames on their way to the relay, kept until it confirms them: what went into a connection that was lost is sent again by the next one.
 * Positions count bytes from the beginning of the session.
 */
export interface SendQueue {
  /** Takes a copy. */
  add(bytes: Buffer): void
  /** The next frame for this connection; undefined when it has had them all. */
  next(): Buffer | undefined
  /** The relay has had everything before `total`. @throws InvalidAck */
  confirm(total: bigint): void
  /** A new connection: all that is not confirmed is sent again. */
  rewind(): void
  /** Lets the oldest frames go that were sent but never confirmed, until the queue is no longer full. They cannot be sent again. */
  forget(): void
  readonly full: boolean
  /** bytes that are not confirmed */
  readonly unconfirmed: number
  /** nothing is left for this connection to send */
  readonly idle: boolean
}

/** What a frame costs besides its bytes: many small writes must not add up unseen. */
const frameOverhead = 256

/** `limit`: bytes, frames' overhead included, from which on the queue is full */
export function createSendQueue(limit: number): SendQueue {
  const frames: Buffer[] = []
  let first = 0 // position of the first byte of frames[0]
  let confirmed = 0
  let handed = 0 // how many of `frames` this connection has had
  let sent = 0 // the furthest position that any connection has had
  let position = 0 // where `handed` ends
  let end = 0

  const drop = (): void => {
    const length = (frames.shift()?.length ?? dataHeaderLength) - dataHeaderLength
    first += length
    if (handed > 0) handed -= 1
    else position = first
  }
  return {
    add(bytes) {
      for (let start = 0; start < bytes.length; start += maxDataLength) {
        frames.push(dataFrame(bytes.subarray(start, start + maxDataLength)))
      }
      end += bytes.length
    },
    next() {
      const frame = frames[handed]
      if (!frame) return undefined
      handed += 1
      position += frame.length - dataHeaderLength
      sent = Math.max(sent, position)
      return frame
    },
    confirm(total) {
      if (total > BigInt(sent)) throw new InvalidAck(`it confirms ${String(total)} bytes of ${String(sent)}`)
      const to = Number(total)
      if (to < confirmed) throw new InvalidAck(`it confirms ${String(to)} bytes after ${String(confirmed)}`)
      confirmed = to
      while (frames[0] && first + frames[0].length - dataHeaderLength <= to) drop()
      const [head] = frames
      if (head && to > first) {
        frames[0] = dataFrame(head.subarray(dataHeaderLength + to - first))
        first = to
        position = Math.max(position, to)
      }
    },
    rewind() {
      if (confirmed < first) {
        throw new InvalidAck(`it lacks ${String(first - confirmed)} bytes that it has not confirmed for too long`)
      }
      handed = 0
      position = first
    },
    forget() {
      while (this.full && handed > 0) drop()
    },
    get full() {
      return end - first + frames.length * frameOverhead >= limit
    },
    get unconfirmed() {
      return end - confirmed
    },
    get idle() {
      return handed === frames.length
    },
  }
}
