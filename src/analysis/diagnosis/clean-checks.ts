import type { Finding } from '../findings/finding.ts'
import { counted, countedAs, durationText } from '../findings/wording.ts'
import { type Area, areas } from './areas.ts'
import type { CaptureFacts, Trackers } from './capture-facts.ts'
import type { Sifted } from './withhold.ts'

/** What was checked, and nothing was found. */
export interface CleanCheck {
  readonly area: Area
  /** such as "DNS (12 queries, p95 4 ms)" */
  readonly text: string
}

/** Only what the capture shows: where there was no DNS, DNS is not clean. */
export function cleanChecks(trackers: Trackers, facts: CaptureFacts, { findings, withheld }: Sifted): CleanCheck[] {
  const suspicious = new Set<Area>([...findings, ...withheld].map(({ id }: Pick<Finding, 'id'>) => areas[id]))
  const checks = [...tcpChecks(trackers, facts), ...applicationChecks(trackers)]
  return checks.filter(({ area }) => !suspicious.has(area))
}

function tcpChecks({ analysis }: Trackers, { twoWay, hasOnlyHandshakes, tcpConnections }: CaptureFacts): CleanCheck[] {
  if (twoWay === 0) return []
  const { totals, resentData } = analysis.connections.tcp
  const { handshake } = totals
  const checks: CleanCheck[] = []
  if (handshake.with_syn > 0 && !hasOnlyHandshakes) {
    checks.push({
      area: 'connections',
      text: `connections (${handshake.established} of ${handshake.with_syn} opened)`,
    })
  }
  if (tcpConnections > 0 && !hasOnlyHandshakes) checks.push({ area: 'resets', text: 'resets' })
  const { resent, late, dataSegments } = resentData
  if (dataSegments > 0) {
    const again = resent + late === 0 ? 'none' : `${resent + late} sent again or late`
    checks.push({ area: 'loss', text: `loss (${again} of ${counted(dataSegments, 'data segment')})` })
    checks.push({ area: 'stalls', text: 'receivers that stall' })
  }
  return checks
}

function applicationChecks({ application: { dns, tls, http } }: Trackers): CleanCheck[] {
  const checks: CleanCheck[] = []
  const queries = dns.servers.all().reduce((sum, { queryCount }) => sum + queryCount, 0)
  if (queries > 0) {
    const p95Ms = dns.counters().time.p95_ms
    const time = p95Ms === undefined ? '' : `, p95 ${durationText(p95Ms)}`
    checks.push({ area: 'dns', text: `DNS (${countedAs(queries, 'query', 'queries')}${time})` })
  }
  const { handshakeCount } = tls.connections
  if (handshakeCount > 0) checks.push({ area: 'tls', text: `TLS (${counted(handshakeCount, 'handshake')})` })
  const requests = http.servers.all().reduce((sum, { requestCount }) => sum + requestCount, 0)
  if (requests > 0) checks.push({ area: 'http', text: `HTTP (${counted(requests, 'request')})` })
  return checks
}
