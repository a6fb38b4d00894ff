import type { ApplicationTracker } from '../application/application-tracker.ts'
import type { CaptureClock } from './evidence.ts'
import type { Finding } from './finding.ts'
import { dnsFindings } from './dns-findings.ts'
import { httpFindings } from './http-findings.ts'
import { rejectionFindings } from './rejection-findings.ts'
import { tlsFindings } from './tls-findings.ts'

/** All findings of the application protocols, in no order. To be called after `tracker.finish()`. */
export function applicationFindings(tracker: ApplicationTracker, clock: CaptureClock): Finding[] {
  return [
    ...rejectionFindings(tracker.icmp, tracker.neighbors, clock),
    ...dnsFindings(tracker.dns, clock),
    ...tlsFindings(tracker.tls, clock),
    ...httpFindings(tracker.http, clock),
  ]
}
