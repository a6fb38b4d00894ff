import type { Endpoint } from '../decoded-packet.ts'
import type { Occurrences } from '../application/occurrences.ts'
import { type Evidence, maxEvidenceCount } from './finding.ts'

/** How the times of the analysis become times of the day. */
export interface CaptureClock {
  /** s since the epoch, see `PacketDecoder.baseSeconds` */
  readonly baseSeconds: number
  /** s since the epoch, of the last packet */
  readonly endSeconds: number
}

export interface Ends {
  readonly client: Endpoint
  readonly server: Endpoint
  readonly backend?: Endpoint | undefined
}

type Seen = Pick<Occurrences, 'frames' | 'firstTimeNs' | 'lastTimeNs'>

/** The evidence of what was seen between two ends. A port that is not known is 0. */
export function evidenceOf(seen: Seen, { client, server, backend }: Ends, clock: CaptureClock): Evidence {
  return {
    client,
    server,
    backend,
    frames: seen.frames.slice(0, maxEvidenceCount),
    firstMs: clock.baseSeconds * 1000 + Math.floor(seen.firstTimeNs / 1e6),
    lastMs: clock.baseSeconds * 1000 + Math.floor(seen.lastTimeNs / 1e6),
  }
}
