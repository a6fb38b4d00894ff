import type { FindingId } from '../findings/finding.ts'

/** What a capture is checked for. */
export type Area = 'connections' | 'resets' | 'loss' | 'stalls' | 'dns' | 'tls' | 'http' | 'icmp' | 'neighbors'

export const areas: Readonly<Record<FindingId, Area>> = {
  'connection-no-answer': 'connections',
  'connection-refused': 'connections',
  'connection-not-accepted': 'connections',
  'connection-half-open': 'connections',
  'connection-reset': 'resets',
  'connection-reset-after-idle': 'resets',
  'data-resent': 'loss',
  'data-late': 'loss',
  'peer-vanished': 'loss',
  'path-mtu-black-hole': 'loss',
  'receiver-stalled': 'stalls',
  'dns-unanswered': 'dns',
  'dns-failed': 'dns',
  'dns-name-missing': 'dns',
  'dns-slow': 'dns',
  'dns-truncated': 'dns',
  'dns-search-list': 'dns',
  'dns-race': 'dns',
  'tls-alert': 'tls',
  'tls-to-plain-server': 'tls',
  'plain-to-tls-server': 'tls',
  'tls-closed': 'tls',
  'certificate-expired': 'tls',
  'certificate-not-yet-valid': 'tls',
  'certificate-expires-soon': 'tls',
  'http-server-errors': 'http',
  'http-client-errors': 'http',
  'http-unanswered': 'http',
  'http-slow': 'http',
  'grpc-errors': 'http',
  'icmp-rejected': 'icmp',
  'address-missing': 'neighbors',
}
