import type { Finding, FindingId } from '../findings/finding.ts'
import type { ServerTimes } from './server-times.ts'
import { endpointText } from '../findings/wording.ts'

const severities = { error: 0, warning: 1, notice: 2 } as const

/** Among findings of the same weight: what comes first in a connection's life causes what comes later. */
const order: readonly FindingId[] = [
  'address-missing',
  'icmp-rejected',
  'dns-unanswered',
  'dns-race',
  'dns-failed',
  'path-mtu-black-hole',
  'connection-no-answer',
  'connection-refused',
  'connection-not-accepted',
  'tls-alert',
  'certificate-expired',
  'certificate-not-yet-valid',
  'tls-to-plain-server',
  'plain-to-tls-server',
  'tls-closed',
  'peer-vanished',
  'connection-reset-after-idle',
  'connection-reset',
  'http-server-errors',
  'grpc-errors',
  'receiver-stalled',
  'dns-slow',
  'http-slow',
  'http-unanswered',
  'data-resent',
  'data-late',
  'connection-half-open',
  'http-client-errors',
  'dns-name-missing',
  'dns-search-list',
  'certificate-expires-soon',
  'dns-truncated',
]

/** The findings that explain most first: by severity, then by the share of what they affect, then by what causes what. */
export function rank(findings: readonly Finding[], servers: readonly ServerTimes[]): Finding[] {
  const connections = new Map(servers.map((times) => [endpointText(times.server), times.connections]))
  const ranked = findings.toSorted(
    (one, other) =>
      severities[one.severity] - severities[other.severity] ||
      impact(one, connections) - impact(other, connections) ||
      place(one) - place(other) ||
      other.count - one.count,
  )
  return causesFirst(ranked)
}

const dnsPort = 53

function place({ id, evidence }: Finding): number {
  // A client that no longer waits rejects the answer that comes late: an effect.
  const isLateAnswer = id === 'icmp-rejected' && evidence[0]?.client.port === dnsPort
  return isLateAnswer ? order.length : order.indexOf(id)
}

/** 0: at least 5 % of the server's connections, queries or requests; 1: at least 0.5 %; 2: fewer. */
function impact({ count, facts, evidence }: Finding, connections: ReadonlyMap<string, number>): number {
  const server = evidence[0]?.server
  const opened = server === undefined ? 0 : (connections.get(endpointText(server)) ?? 0)
  const totals = [facts['requests'], facts['queries'], facts['answers'], facts['data_segments'], count + opened]
  const total = totals.find((value) => typeof value === 'number' && value > 0)
  const share = count / Number(total ?? count)
  if (share >= 0.05) return 0
  return share >= 0.005 ? 1 : 2
}

/** An address that no host has explains why nothing of it answers, whatever the severity says. */
function causesFirst(findings: readonly Finding[]): Finding[] {
  const first = findings[0]?.evidence[0]?.server.address
  const isCause = ({ id, evidence }: Finding): boolean =>
    id === 'address-missing' && evidence[0]?.server.address === first
  return [...findings.filter(isCause), ...findings.filter((finding) => !isCause(finding))]
}
