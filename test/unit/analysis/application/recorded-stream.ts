import { PendingBudget } from '../../../../src/analysis/application/pending-bytes.ts'
import { DnsTracker } from '../../../../src/analysis/application/dns-tracker.ts'
import { HttpTracker } from '../../../../src/analysis/application/http-tracker.ts'
import { StreamChunk } from '../../../../src/analysis/application/stream-chunk.ts'
import { TcpConversation } from '../../../../src/analysis/application/tcp-conversation.ts'
import { TlsTracker } from '../../../../src/analysis/application/tls-tracker.ts'

export const client = 0
export const server = 1

export interface Piece {
  readonly direction: 0 | 1
  readonly bytes: Buffer
}

/** One TCP connection whose segments a test makes itself. The first byte of each direction has the number 1,000. */
export class RecordedConnection {
  readonly http = new HttpTracker()
  readonly tls = new TlsTracker()
  readonly dns = new DnsTracker()
  readonly budget = new PendingBudget()
  readonly conversation: TcpConversation
  readonly dnsMessages: Buffer[] = []
  #frameNumber = 0
  timeNs = 0

  constructor(serverPort = 8080) {
    this.conversation = new TcpConversation(
      {
        http: this.http,
        tls: this.tls,
        budget: this.budget,
        endsOf: () => ({
          client: { address: '192.0.2.9', port: 40_000 },
          server: { address: '192.0.2.1', port: serverPort },
        }),
        isTwoWay: () => false,
        onDns: ({ bytes, start, end }) => this.dnsMessages.push(Buffer.from(bytes.subarray(start, end))),
      },
      1,
      { source: 40_000, destination: serverPort },
    )
    for (const direction of this.conversation.directions) direction.expect(1000)
  }

  /** `offset`: of the first byte in its direction. `cutBytes`: sent after these bytes and not captured. */
  segment(direction: 0 | 1, offset: number, bytes: Buffer, cutBytes = 0): void {
    const segment = new StreamChunk()
    segment.bytes = bytes
    segment.end = bytes.length
    segment.frameNumber = ++this.#frameNumber
    segment.timeNs = this.timeNs
    this.conversation.directions[direction].onSegment(1000 + offset, segment, cutBytes)
  }

  fin(direction: 0 | 1, offset: number): void {
    this.conversation.directions[direction].onFin(1000 + offset)
  }

  /** All pieces in their order, each in segments of at most `maxSegmentBytes`. */
  play(pieces: readonly Piece[], maxSegmentBytes: number): void {
    const offsets = [0, 0]
    for (const { direction, bytes } of pieces) {
      for (let at = 0; at < bytes.length; at += maxSegmentBytes) {
        const part = bytes.subarray(at, at + maxSegmentBytes)
        this.segment(direction, offsets[direction]!, part)
        offsets[direction]! += part.length
      }
    }
  }
}
