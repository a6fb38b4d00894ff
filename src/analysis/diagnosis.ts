import type { CaptureEnd } from '../pcap/capture-format.ts'
import type { IcmpError } from './application/icmp-tracker.ts'
import { applicationFindings } from './findings/application-findings.ts'
import { captureDetails, type CaptureDetails } from './details/capture-details.ts'
import type { Evidence, Finding, Severity } from './findings/finding.ts'
import type { WithheldFinding } from './findings/withheld.ts'
import { durationText, endpointText } from './findings/wording.ts'
import { givenSide, isLoopbackAddress, type LocalSide } from './sides/local-side.ts'
import { areas } from './diagnosis/areas.ts'
import { blame, type Blame, type Culprit } from './diagnosis/blame.ts'
import { type CaptureFacts, captureFacts, type Trackers } from './diagnosis/capture-facts.ts'
import { type CleanCheck, cleanChecks } from './diagnosis/clean-checks.ts'
import { type Limit, type LimitId, limitsOf } from './diagnosis/limits.ts'
import { rank } from './diagnosis/ranking.ts'
import type { ServerTimes } from './diagnosis/server-times.ts'
import { withhold } from './diagnosis/withhold.ts'

/**
 * What a capture tells: findings in order, and the one sentence above them. Its texts hold names as they are in the packets: they are escaped
 * where they are shown, never here.
 */
export interface Diagnosis {
  /** without a period */
  readonly sentence: string
  /** the times and checks that support the sentence, without a period; empty: there are none */
  readonly detail: string
  readonly culprit: Culprit
  readonly sureness: Blame['sureness']
  /** why it is as sure as that, a clause */
  readonly because: string
  /** of the first finding; none: nothing was found */
  readonly severity: Severity | 'none'
  /** the one that explains most first */
  readonly findings: readonly Finding[]
  readonly withheld: readonly WithheldFinding[]
  readonly clean: readonly CleanCheck[]
  readonly limits: readonly Limit[]
  readonly servers: readonly ServerTimes[]
  readonly capture: CaptureFacts
  readonly details: CaptureDetails
}

export interface DiagnosisOptions {
  /** of the pod or node that was captured: tells "this side" from "the other". Empty: they are derived from the packets, as far as that goes. */
  readonly localAddresses?: readonly string[]
  /** packets that tcpdump reports as dropped by the kernel */
  readonly dropped?: number
}

/** To be called after the end of the analysis and of the application tracker. */
export function diagnose(trackers: Trackers, end: CaptureEnd, options: DiagnosisOptions = {}): Diagnosis {
  const { analysis, findings: connectionFindings, application, times } = trackers
  const capture = captureFacts(trackers, end, options.dropped ?? 0)
  const { baseSeconds } = analysis.decoder
  const clock = { baseSeconds, endSeconds: (capture.lastMs ?? 0) / 1_000 }
  const side = givenSide(options.localAddresses ?? []) ?? trackers.sides.side()
  const all = [...connectionFindings.findings(), ...applicationFindings(application, clock)].filter(
    (finding) => !isOfOtherHost(finding, side),
  )
  const sifted = withhold(all, capture, application)
  const withheld = [...connectionFindings.withheld(), ...sifted.withheld]
  const servers = times.servers(application)
  const findings = rank(sifted.findings, servers)
  const clean = cleanChecks(trackers, capture, { findings, withheld })
  const first = findings[0]
  const blamed = first === undefined || first.severity === 'notice' ? undefined : blame(first, side)
  const limits = limitsOf(capture, findings, blamed?.isSideAssumed ?? false)
  const details = captureDetails(trackers, findings)
  const facts = { findings, withheld, clean, limits, servers, capture, details }
  if (first === undefined || blamed === undefined) return { ...nothingWrong(facts), ...facts }
  const { culprit, sureness, because } = blamed
  return {
    sentence: `${leadOf(culprit, sureness, isNetworkClean(facts, side))}: ${first.title}`,
    detail: detailOf(first, facts, { errors: application.icmp.errors(), side }),
    culprit,
    sureness,
    because,
    severity: first.severity,
    ...facts,
  }
}

/** What another host on the link asked for by broadcast: the reply went to it alone. */
function isOfOtherHost({ id, evidence }: Finding, side: LocalSide): boolean {
  const asker = evidence[0]?.client.address
  return id === 'address-missing' && asker !== undefined && side.has(asker) === false
}

type Facts = Pick<Diagnosis, 'findings' | 'withheld' | 'clean' | 'limits' | 'servers' | 'capture'>

function leadOf(culprit: Culprit, sureness: Blame['sureness'], networkIsClean: boolean): string {
  switch (culprit) {
    case 'network':
      return sureness === 'high' ? 'The network' : 'Probably the network'
    case 'dns':
      return 'Name resolution'
    case 'tls':
      return 'TLS'
    case 'policy':
      return sureness === 'high' ? 'A NetworkPolicy or firewall rule' : 'Probably a NetworkPolicy or firewall rule'
    case 'peer':
      return networkIsClean ? 'Not the network' : 'The other side'
    case 'self':
      return networkIsClean ? 'This application, not the network' : 'This application'
    case 'none':
      return 'Nothing wrong'
  }
}

/** No finding is about the network, and the capture would show it. */
function isNetworkClean({ findings, capture }: Facts, side: LocalSide): boolean {
  if (capture.twoWay === 0 || capture.hasOnlyHandshakes) return false
  const isNetworks = (finding: Finding): boolean => {
    const { culprit } = blame(finding, side)
    return culprit === 'network' || culprit === 'policy' || areas[finding.id] === 'loss'
  }
  return !findings.some(isNetworks)
}

/** How the network does where the application fails, and the other way round: with numbers. */
function detailOf(
  first: Finding,
  { servers, clean }: Facts,
  { errors, side }: { errors: readonly IcmpError[]; side: LocalSide },
): string {
  const ends = first.evidence[0]
  const name = ends === undefined ? undefined : endpointText(ends.server)
  const times = servers.find((known) => endpointText(known.server) === name)
  const parts: string[] = []
  if (times?.roundTrip !== undefined && ends !== undefined && !isInOneHost(ends, side)) {
    const way = side.has(ends.server.address) === true ? `from its clients to ${name}` : `to ${name}`
    parts.push(`round trip ${way} ${durationText(times.roundTrip.p50_ms)}`)
  }
  if (times?.thinkTime !== undefined) parts.push(`its answers take ${durationText(times.thinkTime.p95_ms)} at p95`)
  const cleanAreas = new Set(clean.map(({ area }) => area))
  if (cleanAreas.has('loss')) parts.push('no loss')
  if (cleanAreas.has('resets')) parts.push('no resets')
  const mtu = errors.find((error) => error.mtu !== undefined)?.mtu
  if (areas[first.id] === 'loss' && mtu !== undefined) {
    parts.push(`ICMP reports an MTU of ${mtu} bytes on the path: data is sent again in smaller segments`)
  }
  const text = parts.join(', ')
  return text.charAt(0).toUpperCase() + text.slice(1)
}

/** Its round trip is none of a network. */
function isInOneHost({ client, server }: Evidence, side: LocalSide): boolean {
  const areLoopback = [client, server].some(({ address }) => isLoopbackAddress(address))
  return areLoopback || [client, server].every(({ address }) => side.has(address) === true)
}

const shownChecksCount = 3
/** With these, nothing found says little; with the others of `LimitId`, it says less than it could. */
const graveLimits: readonly LimitId[] = ['empty', 'damaged', 'dropped', 'one-direction', 'handshakes-only']

function nothingWrong({
  clean,
  limits,
  withheld,
  findings,
}: Facts): Pick<Diagnosis, 'sentence' | 'detail' | 'culprit' | 'sureness' | 'because' | 'severity'> {
  const grave = limits.find(({ id }) => graveLimits.includes(id))
  const limit = grave ?? limits[0]
  const sureness = grave !== undefined || clean.length === 0 ? 'low' : (limit ?? withheld[0]) ? 'medium' : 'high'
  const because =
    limit?.text ??
    withheld[0]?.text ??
    (clean.length === 0 ? 'there was no traffic that could be checked' : 'all of it could be checked')
  return {
    sentence: nothingWrongSentence(clean, limits, withheld),
    detail: '',
    culprit: 'none',
    sureness,
    because: because.charAt(0).toLowerCase() + because.slice(1),
    severity: findings.length > 0 ? 'notice' : 'none',
  }
}

function nothingWrongSentence(
  clean: readonly CleanCheck[],
  limits: readonly Limit[],
  withheld: readonly WithheldFinding[],
): string {
  if (limits.some(({ id }) => id === 'empty')) return 'No packet was captured'
  if (clean.length === 0 && withheld.length > 0)
    return 'Nothing wrong is certain: this capture cannot carry what it seems to show'
  if (clean.length === 0)
    return 'Nothing wrong in what was captured, which is little: no connection or query could be checked'
  const shown = clean.slice(0, shownChecksCount).map(({ text }) => text)
  const what = withheld.length > 0 ? 'in what this capture can show' : 'in what was captured'
  return `Nothing wrong ${what}: ${shown.join(', ')}`
}
