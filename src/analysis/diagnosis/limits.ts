import type { Finding, FindingId } from '../findings/finding.ts'
import { counted, countedAs } from '../findings/wording.ts'
import type { CaptureFacts } from './capture-facts.ts'

export type LimitId =
  | 'empty'
  | 'damaged'
  | 'cut-file'
  | 'dropped'
  | 'gaps'
  | 'snaplen'
  | 'one-direction'
  | 'handshakes-only'
  | 'no-handshake'
  | 'encrypted'
  | 'fragments'
  | 'clock'
  | 'memory'
  | 'side'

/** What this capture cannot show. */
export interface Limit {
  readonly id: LimitId
  /** one sentence without a period */
  readonly text: string
}

const silences: ReadonlySet<FindingId> = new Set(['connection-no-answer', 'icmp-rejected', 'dns-unanswered'])

/** The limits of a capture, the gravest first. `isSideAssumed`: of the verdict. */
export function limitsOf(facts: CaptureFacts, findings: readonly Finding[], isSideAssumed: boolean): Limit[] {
  const side: Limit = {
    id: 'side',
    text: 'The packets do not tell whether this is a capture of the client or of the server: the client is taken for this side',
  }
  return [...fileLimits(facts), ...trafficLimits(facts, findings), ...(isSideAssumed ? [side] : [])]
}

function fileLimits({ packets, broken, isCutShort, dropped, clockSetBack, notKept }: CaptureFacts): Limit[] {
  const limits: Limit[] = []
  if (packets === 0) limits.push({ id: 'empty', text: 'No packet was captured: nothing can be said about the traffic' })
  if (broken !== undefined) {
    limits.push({
      id: 'damaged',
      text: `The file is damaged: what is behind ${counted(packets, 'packet')} was not read`,
    })
  }
  if (isCutShort) limits.push({ id: 'cut-file', text: 'The file ends inside a packet: what came later is not known' })
  if (dropped > 0) {
    limits.push({
      id: 'dropped',
      text: `${countedAs(dropped, 'packet was', 'packets were')} dropped while capturing: an answer that is missing may be one of them`,
    })
  }
  if (clockSetBack > 0) {
    limits.push({
      id: 'clock',
      text: `The times go back ${countedAs(clockSetBack, 'time', 'times')}: durations may be wrong`,
    })
  }
  if (notKept > 0) {
    limits.push({
      id: 'memory',
      text: `More connections, servers or names than the analysis keeps: ${notKept.toLocaleString('en-US')} were not followed to their end`,
    })
  }
  return limits
}

function trafficLimits(facts: CaptureFacts, findings: readonly Finding[]): Limit[] {
  const limits: Limit[] = []
  const { twoWay, oneWay, gaps, snapped, snapBytes, packets, withoutHandshake, tcpConnections } = facts
  // Silence that is proven is no effect of the filter.
  const isSilent = twoWay === 0 && findings.some(({ id }) => silences.has(id))
  const isOneSided = twoWay === 0 && oneWay > 0 && !isSilent
  if (isOneSided) {
    limits.push({
      id: 'one-direction',
      text: 'Each connection was captured in one direction only, by the filter or the place: answers cannot be told from their absence',
    })
  }
  if (facts.hasOnlyHandshakes && !isOneSided && !isSilent) {
    limits.push({
      id: 'handshakes-only',
      text: 'Only the packets that open connections were captured: not what the connections carried, nor how they ended',
    })
  }
  if (gaps > 0) {
    limits.push({
      id: 'gaps',
      text: `${counted(gaps, 'gap')} in the data of connections: packets that arrived were not captured`,
    })
  }
  if (snapped > 0) {
    limits.push({
      id: 'snaplen',
      text: `${countedAs(snapped, 'packet was', 'packets were')} cut (of ${packets.toLocaleString('en-US')}, to at most ${snapBytes} bytes): requests and answers are read in part`,
    })
  }
  if (withoutHandshake > 0) {
    limits.push({
      id: 'no-handshake',
      text: `${withoutHandshake} of ${counted(tcpConnections, 'TCP connection')} began before the capture, or their SYN was not captured: their round trip is not known`,
    })
  }
  limits.push(...unreadable(facts))
  return limits
}

function unreadable({ tlsConnections, encryptedPackets, fragments }: CaptureFacts): Limit[] {
  const limits: Limit[] = []
  if (tlsConnections > 0) {
    limits.push({
      id: 'encrypted',
      text: `${countedAs(tlsConnections, 'connection is', 'connections are')} encrypted with TLS: the requests and status codes inside cannot be read`,
    })
  } else if (encryptedPackets > 0) {
    limits.push({
      id: 'encrypted',
      text: `${countedAs(encryptedPackets, 'packet is', 'packets are')} encrypted with IPsec: what is inside cannot be read`,
    })
  }
  if (fragments > 0) {
    limits.push({ id: 'fragments', text: `${counted(fragments, 'IP fragment')}: they are not put together` })
  }
  return limits
}
