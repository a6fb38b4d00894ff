import type { ApplicationTracker } from '../application/application-tracker.ts'
import type { Finding, FindingId } from '../findings/finding.ts'
import { counted, countedAs } from '../findings/wording.ts'
import type { WithheldFinding } from '../findings/withheld.ts'
import type { CaptureFacts } from './capture-facts.ts'

/** The headers of Ethernet, IPv6 and UDP, and that of DNS: packets that are cut shorter may be answers that were not read. */
const dnsHeadersBytes = 74

export interface Sifted {
  readonly findings: readonly Finding[]
  readonly withheld: readonly WithheldFinding[]
}

/**
 * Separates the findings that this capture can carry. What is missing proves something only where it would have been captured: of a missing
 * answer nothing is said if more packets are missing than answers.
 */
export function withhold(findings: readonly Finding[], facts: CaptureFacts, application: ApplicationTracker): Sifted {
  const kept: Finding[] = []
  const withheld: WithheldFinding[] = [...oneSided(application)]
  for (const finding of findings) {
    const doubt = judges[finding.id]?.(finding, facts, application)
    if (doubt === undefined) kept.push(finding)
    else withheld.push({ id: finding.id, count: finding.count, ...doubt })
  }
  return { findings: kept, withheld }
}

/** Connections of which one direction was captured. */
function oneSided({ tls, http }: ApplicationTracker): WithheldFinding[] {
  const kinds = [
    { id: 'tls-closed', count: tls.connections.oneSidedCount, text: 'whether the TLS handshakes of' },
    { id: 'http-unanswered', count: http.oneSidedConnections, text: 'whether the requests on' },
  ] as const
  return kinds
    .filter(({ count }) => count > 0)
    .map(({ id, count, text }) => ({
      id,
      count,
      reason: 'one-direction',
      text: `${text} ${counted(count, 'connection')} ${id === 'tls-closed' ? 'succeeded' : 'were answered'} is not known: only one direction was captured`,
    }))
}

type Doubt = Pick<WithheldFinding, 'reason' | 'text'>

type Judge = (finding: Finding, facts: CaptureFacts, application: ApplicationTracker) => Doubt | undefined

const notAnswered: Judge = (finding, { snapped, dropped, gaps }) =>
  cutDoubt(finding, snapped) ?? missingDoubt(finding, dropped + gaps)

/** The findings that something is missing. */
const judges: Partial<Readonly<Record<FindingId, Judge>>> = {
  // A SYN that is repeated had no answer.
  'connection-no-answer': (finding, { dropped }) =>
    Number(finding.facts['syns']) > 1 ? undefined : missingDoubt(finding, dropped),
  'connection-half-open': (finding, { dropped }) => missingDoubt(finding, dropped),
  'dns-unanswered': dnsDoubt,
  'http-unanswered': notAnswered,
  'tls-closed': notAnswered,
}

function dnsDoubt(finding: Finding, facts: CaptureFacts, { dns, icmp }: ApplicationTracker): Doubt | undefined {
  const address = finding.evidence[0]?.server.address
  const server = dns.servers.all().find((known) => known.server === address)
  // A client that asks again has no answer, also where the answers were not captured.
  if (server !== undefined && server.retryCount > 0) return undefined
  if (icmp.errors().some(({ quoted }) => quoted?.destination === address)) return undefined
  if (facts.twoWay === 0) return { reason: 'one-direction', text: `${finding.title}: only one direction was captured` }
  if (facts.snapped > 0 && facts.snapBytes < dnsHeadersBytes) {
    const doubt = cutDoubt(finding, facts.snapped)
    if (doubt !== undefined) return doubt
  }
  return missingDoubt(finding, facts.dropped)
}

function missingDoubt({ title, count }: Finding, missing: number): Doubt | undefined {
  if (missing < count) return undefined
  return {
    reason: 'packets-missing',
    text: `${title}: ${countedAs(missing, 'packet was', 'packets were')} not captured, which may be the answers`,
  }
}

function cutDoubt({ title, count }: Finding, snapped: number): Doubt | undefined {
  if (snapped < count) return undefined
  return {
    reason: 'packets-cut',
    text: `${title}: ${countedAs(snapped, 'packet was', 'packets were')} cut, in which the answers may be`,
  }
}
