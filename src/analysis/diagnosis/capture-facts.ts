import type { CaptureEnd } from '../../pcap/capture-format.ts'
import type { Analysis } from '../analysis.ts'
import type { ApplicationTracker } from '../application/application-tracker.ts'
import { layer, tcpEvent } from '../decoded-packet.ts'
import type { ConnectionFindings } from '../findings/connection-findings.ts'
import { tcpEventNames } from '../tcp/tcp-totals.ts'
import type { DetailsTracker } from '../details/details-tracker.ts'
import type { LocalSideTracker } from '../sides/local-side-tracker.ts'
import type { ServerTimesTracker } from './server-times.ts'

/** The trackers of one capture, after its end. */
export interface Trackers {
  readonly analysis: Analysis
  readonly findings: ConnectionFindings
  readonly application: ApplicationTracker
  readonly times: ServerTimesTracker
  readonly details: DetailsTracker
  readonly sides: LocalSideTracker
}

/** What is known of the capture itself: without it every finding may be wrong. */
export interface CaptureFacts {
  readonly packets: number
  readonly bytesOnWire: number
  /** ms since the epoch; undefined: no packet */
  readonly firstMs: number | undefined
  readonly lastMs: number | undefined
  readonly durationSeconds: number
  readonly tcpConnections: number
  /** connections whose SYN was not captured */
  readonly withoutHandshake: number
  /** connections and UDP flows with packets in both directions, and in one */
  readonly twoWay: number
  readonly oneWay: number
  readonly hasOnlyHandshakes: boolean
  /** packets that were dropped while capturing, as far as it is reported */
  readonly dropped: number
  /** parts of the data that were acknowledged or passed over, and never captured */
  readonly gaps: number
  /** packets that were cut, and to how many bytes */
  readonly snapped: number
  readonly snapBytes: number
  readonly isCutShort: boolean
  /** undefined: the file is whole */
  readonly broken: string | undefined
  readonly fragments: number
  /** how often the time goes back so far that a clock must have been set */
  readonly clockSetBack: number
  readonly tlsConnections: number
  readonly encryptedPackets: number
  /** packets that were seen at another place of the same capture before */
  readonly copies: number
  /** packets to other hosts that a bridge sent to the captured pod as well: not analyzed */
  readonly otherHosts: number
  /** connections, names and servers that the bounded memory did not hold */
  readonly notKept: number
}

/** `dropped`: packets that the capturing side reports, beside those that the file reports. */
export function captureFacts(
  { analysis, findings, application, times }: Trackers,
  end: CaptureEnd,
  dropped: number,
): CaptureFacts {
  const { frames, connections, decoder } = analysis
  const { totals, resentData, evidence } = connections.tcp
  const hasPackets = frames.frames > 0
  const toMs = (timeNs: number): number | undefined =>
    hasPackets ? decoder.baseSeconds * 1_000 + Math.floor(timeNs / 1e6) : undefined
  const ackLost = tcpEventNames.findIndex(([, bit]) => bit === tcpEvent.ackLostSegment)
  const { dns, tls, http, neighbors, icmp } = application
  const overflows = [dns.servers, tls.connections, http.servers, neighbors, icmp, times].map(
    ({ overflowCount }) => overflowCount,
  )
  return {
    packets: end.packets,
    bytesOnWire: frames.bytesOnWire,
    firstMs: toMs(frames.firstNs),
    lastMs: toMs(frames.lastNs),
    durationSeconds: hasPackets ? (frames.lastNs - frames.firstNs) / 1e9 : 0,
    tcpConnections: totals.connections,
    withoutHandshake: totals.handshake.without_syn,
    twoWay: findings.twoWay,
    oneWay: findings.oneWay,
    hasOnlyHandshakes: findings.hasOnlyHandshakes,
    dropped: dropped + end.reportedDrops,
    gaps: resentData.unfilledHoles + (totals.events[ackLost] ?? 0),
    snapped: frames.snapped,
    snapBytes: frames.snapBytes,
    isCutShort: end.isCutShort,
    broken: end.broken,
    fragments: frames.ipFragments,
    clockSetBack: frames.clockSetBack,
    tlsConnections: tls.connections.handshakeCount,
    encryptedPackets: frames.layerCounts[31 - Math.clz32(layer.esp)] ?? 0,
    copies: connections.copiedPackets,
    otherHosts: connections.otherHostsPackets,
    notKept:
      connections.table.evictedCount +
      findings.dropped +
      evidence.dropped +
      application.evictedCount +
      dns.evictedCount +
      overflows.reduce((sum, count) => sum + count, 0),
  }
}
