import { withoutNames } from '../analysis/details/capture-details.ts'
import type { Diagnosis } from '../analysis/diagnosis.ts'
import type { Evidence, Finding, FindingId } from '../analysis/findings/finding.ts'
import { formatCount } from './wording.ts'

/** What each finding counts, without a name. */
const phrases: Readonly<Record<FindingId, string>> = {
  'connection-no-answer': 'connections without an answer',
  'connection-refused': 'connections refused',
  'connection-not-accepted': 'connections not accepted',
  'connection-half-open': 'connections half open',
  'connection-reset': 'connections reset',
  'connection-reset-after-idle': 'connections reset after an idle time',
  'peer-vanished': 'connections whose other side vanished',
  'receiver-stalled': 'connections whose receiver stalled',
  'path-mtu-black-hole': 'connections whose large segments are lost on the path',
  'data-resent': 'data segments sent again',
  'data-late': 'data segments late',
  'dns-unanswered': 'DNS queries without an answer',
  'dns-failed': 'DNS queries that failed',
  'dns-name-missing': 'DNS queries for names that do not exist',
  'dns-slow': 'slow DNS answers',
  'dns-truncated': 'truncated DNS answers',
  'dns-search-list': 'DNS queries that the search list adds',
  'dns-race': 'DNS queries lost in a race',
  'tls-alert': 'TLS connections ended by an alert',
  'tls-to-plain-server': 'TLS connections to a server without TLS',
  'plain-to-tls-server': 'connections without TLS to a server with TLS',
  'tls-closed': 'TLS handshakes closed',
  'certificate-expired': 'expired certificates',
  'certificate-not-yet-valid': 'certificates that are not valid yet',
  'certificate-expires-soon': 'certificates that expire soon',
  'http-server-errors': 'HTTP requests answered with a server error',
  'http-client-errors': 'HTTP requests answered with a client error',
  'http-unanswered': 'HTTP requests without an answer',
  'http-slow': 'slow HTTP answers',
  'grpc-errors': 'gRPC calls that failed',
  'icmp-rejected': 'packets rejected with ICMP',
  'address-missing': 'addresses that no host answers for',
}

/** The diagnosis without addresses and without text from packets: what kinds of findings there are, how many, and when. */
export function hideNames(diagnosis: Diagnosis): Diagnosis {
  const [first] = diagnosis.findings
  return {
    ...diagnosis,
    sentence: sentenceOf(diagnosis, first),
    detail: '',
    findings: diagnosis.findings.map(hidden),
    withheld: diagnosis.withheld.map(({ id, count, reason }) => ({
      id,
      count,
      reason,
      text: `${formatCount(count)} × ${phrases[id]} (${reason.replaceAll('-', ' ')})`,
    })),
    servers: [],
    details: withoutNames(diagnosis.details),
  }
}

/** The lead of the sentence ("Not the network") has no name; the title of the finding behind it may have one. */
function sentenceOf({ sentence }: Diagnosis, first: Finding | undefined): string {
  if (first === undefined || first.severity === 'notice') return sentence
  const lead = sentence.endsWith(first.title) ? sentence.slice(0, -first.title.length) : ''
  return `${lead}${titleOf(first)}`
}

function hidden(finding: Finding): Finding {
  return {
    ...finding,
    title: titleOf(finding),
    evidence: finding.evidence.map(hiddenEvidence),
    displayFilter: '',
    likelyCauses: [],
    nextSteps: [],
    facts: {},
  }
}

function titleOf({ id, count }: Pick<Finding, 'id' | 'count'>): string {
  return `${formatCount(count)} × ${phrases[id]}`
}

function hiddenEvidence(evidence: Evidence): Evidence {
  const end = { address: 'hidden', port: 0 }
  return { ...evidence, client: end, server: end, backend: undefined }
}
