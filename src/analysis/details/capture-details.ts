import type { Trackers } from '../diagnosis/capture-facts.ts'
import type { Finding } from '../findings/finding.ts'
import type { Sequence } from '../sequence/sequence.ts'
import { worstConnection } from '../sequence/worst-connection.ts'
import {
  type DnsTables,
  dnsTables,
  type HttpTables,
  httpTables,
  type TlsTables,
  tlsTables,
} from './application-tables.ts'
import type { PeerTraffic } from './peer-traffic.ts'
import type { Timeline } from './timeline.ts'

/** What a capture had, beside what is wrong in it: for tables and charts. */
export interface CaptureDetails {
  /** the pairs with the most bytes first */
  readonly peers: readonly PeerTraffic[]
  /** connections of pairs that are not among them */
  readonly peersNotKept: number
  readonly dns: DnsTables
  readonly tls: TlsTables
  readonly http: HttpTables
  /** undefined: there were no packets */
  readonly timeline: Timeline | undefined
  /** of the first finding that has one */
  readonly worst: Sequence | undefined
}

/** The capture must have ended. */
export function captureDetails(trackers: Trackers, findings: readonly Finding[]): CaptureDetails {
  const { analysis, application, details } = trackers
  const { peers, timeline, logs } = details
  const { dns, tls, http } = application
  const { baseSeconds } = analysis.decoder
  const { frames, firstNs, lastNs } = analysis.frames
  const failureTimes = [http.servers, dns.servers, tls.connections].map((one) => one.failureTimes)
  return {
    peers: peers.pairs(),
    peersNotKept: peers.overflowCount,
    dns: dnsTables(dns),
    tls: tlsTables(tls),
    http: httpTables(http),
    timeline: frames === 0 ? undefined : timeline.timeline({ baseSeconds, firstNs, lastNs }, failureTimes),
    worst: worstConnection(findings, { logs, application, baseMs: baseSeconds * 1_000 }),
  }
}

/** Of a diagnosis that shows no names. */
export function withoutNames({ timeline }: CaptureDetails): CaptureDetails {
  return {
    peers: [],
    peersNotKept: 0,
    dns: { servers: [], names: [], failedNames: [] },
    tls: { handshakes: 0, names: [], versions: [], failures: [], certificates: [] },
    http: { servers: [], failedRequests: [] },
    timeline,
    worst: undefined,
  }
}
