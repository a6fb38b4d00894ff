import type { ApplicationTracker } from '../application/application-tracker.ts'
import type { Evidence, Finding } from '../findings/finding.ts'
import type { ConnectionLogs } from './connection-logs.ts'
import { dnsSequence } from './dns-sequence.ts'
import { httpSequence } from './http-sequence.ts'
import { type Sequence, type TimedSequence, type TimedStep, toSequence } from './sequence.ts'
import { tcpSequence } from './tcp-sequence.ts'
import { tlsSequence } from './tls-sequence.ts'

interface Sources {
  readonly logs: ConnectionLogs
  readonly application: ApplicationTracker
  /** ms since the epoch that the times of packets count from */
  readonly baseMs: number
}

/** The connection, or the exchange, that shows the first finding which has one. Undefined: nothing was found, or nothing of it was kept. */
export function worstConnection(findings: readonly Finding[], sources: Sources): Sequence | undefined {
  for (const finding of findings) {
    const sequence = sequenceOf(finding, sources)
    if (sequence !== undefined) return toSequence(finding.title, sequence, sources.baseMs)
  }
  return undefined
}

function sequenceOf(finding: Finding, { logs, application, baseMs }: Sources): TimedSequence | undefined {
  const { http, dns, tls } = application
  return (
    httpSequence(finding, http.servers.all()) ??
    dnsSequence(finding, dns.servers.all()) ??
    tlsSequence(finding, tls.connections) ??
    rejectedSequence(finding, baseMs) ??
    loggedSequence(finding, logs, baseMs)
  )
}

/** One of the connections that the finding names. */
function loggedSequence(
  { id, evidence, facts }: Finding,
  logs: ConnectionLogs,
  baseMs: number,
): TimedSequence | undefined {
  for (const one of evidence) {
    const log = logs.find(one, (one.firstMs - baseMs) * 1e6)
    if (log !== undefined) return tcpSequence(log, id)
  }
  const first = evidence[0]
  if (first === undefined || id !== 'connection-no-answer') return undefined
  return unansweredSequence(
    first,
    [
      { sender: 'client', text: 'SYN', ...startOf(first, baseMs), isLost: true },
      { note: `no answer in ${facts['waited_s']} s` },
    ],
    baseMs,
  )
}

function rejectedSequence({ id, evidence, facts, count }: Finding, baseMs: number): TimedSequence | undefined {
  const first = evidence[0]
  if (first === undefined) return undefined
  if (id === 'address-missing') {
    return unansweredSequence(
      first,
      [
        { sender: 'client', text: `who has ${first.server.address}?`, ...startOf(first, baseMs), isLost: true },
        { note: `no host answers, asked ${count} times` },
      ],
      baseMs,
    )
  }
  if (id !== 'icmp-rejected') return undefined
  const reporter = String(facts['reporter'])
  const by = reporter === first.server.address ? '' : ` from ${reporter}`
  return unansweredSequence(
    first,
    [
      { sender: 'client', text: `packet to port ${first.server.port}` },
      { sender: 'server', text: `ICMP type ${facts['type']}, code ${facts['code']}${by}`, ...startOf(first, baseMs) },
    ],
    baseMs,
  )
}

function unansweredSequence(
  { client, server, firstMs }: Evidence,
  steps: readonly TimedStep[],
  baseMs: number,
): TimedSequence {
  return { client, server, startNs: (firstMs - baseMs) * 1e6, steps }
}

function startOf({ firstMs, frames }: Evidence, baseMs: number): { timeNs: number; frame: number | undefined } {
  return { timeNs: (firstMs - baseMs) * 1e6, frame: frames[0] }
}
