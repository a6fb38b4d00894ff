import type { Endpoint } from '../analysis/decoded-packet.ts'
import type { Diagnosis } from '../analysis/diagnosis.ts'
import type { Evidence, Finding } from '../analysis/findings/finding.ts'
import type { ServerTimes } from '../analysis/diagnosis/server-times.ts'
import { safeLine } from './diagnosis-wording.ts'
import { isoTime } from './wording.ts'

const version = 1

/**
 * findings.json, as docs/findings.schema.json describes it. Text from packets is one line without control characters and workflow commands; it is not
 * escaped for HTML or Markdown. `file`: the name of the capture. With `maxBytes`, what does not fit is left out from the end of the longest
 * lists, and counted in `omitted`.
 */
export function findingsJson(diagnosis: Diagnosis, file: string, maxBytes = Infinity): string {
  const { capture, sentence, detail, culprit, severity, sureness, because } = diagnosis
  const result = {
    version,
    file,
    sentence,
    detail,
    culprit,
    severity,
    sure: { level: sureness, reason: because },
    findings: diagnosis.findings.map(findingJson),
    withheld: diagnosis.withheld,
    clean: diagnosis.clean,
    limits: diagnosis.limits,
    servers: diagnosis.servers.map(serverJson),
    capture: {
      packets: capture.packets,
      bytes: capture.bytesOnWire,
      first: isoTime(capture.firstMs) ?? null,
      last: isoTime(capture.lastMs) ?? null,
      duration_s: capture.durationSeconds,
      tcp_connections: capture.tcpConnections,
      without_handshake: capture.withoutHandshake,
      flows_both_directions: capture.twoWay,
      flows_one_direction: capture.oneWay,
      dropped: capture.dropped,
      gaps: capture.gaps,
      cut_packets: capture.snapped,
      copies: capture.copies,
      other_hosts: capture.otherHosts,
      is_cut_short: capture.isCutShort,
      damage: capture.broken ?? null,
      not_kept: capture.notKept,
    },
  }
  return fitted(result, maxBytes)
}

/** Lists that may be left out in part, the least important first. */
const omittable = ['servers', 'withheld', 'findings'] as const

function fitted(result: Readonly<Record<(typeof omittable)[number], readonly object[]>>, maxBytes: number): string {
  let json = safeJson(result)
  const shortened = { ...result, omitted: { servers: 0, withheld: 0, findings: 0 } }
  for (const name of omittable) {
    while (Buffer.byteLength(json) > maxBytes && shortened[name].length > 0) {
      const keptCount = Math.floor(shortened[name].length / 2)
      shortened.omitted[name] += shortened[name].length - keptCount
      shortened[name] = shortened[name].slice(0, keptCount)
      json = safeJson(shortened)
    }
  }
  return json
}

function safeJson(value: object): string {
  return JSON.stringify(value, (_key, part: unknown) => (typeof part === 'string' ? safeLine(part) : part))
}

function findingJson(finding: Finding): object {
  const { id, severity, title, count, displayFilter, likelyCauses, nextSteps, facts, evidence } = finding
  return {
    id,
    severity,
    title,
    count,
    display_filter: displayFilter,
    likely_causes: likelyCauses,
    next_steps: nextSteps,
    facts,
    evidence: evidence.map(evidenceJson),
  }
}

function evidenceJson({ client, server, backend, frames, firstMs, lastMs }: Evidence): object {
  return {
    client: endpointJson(client),
    server: endpointJson(server),
    ...(backend === undefined ? {} : { backend: endpointJson(backend) }),
    packets: frames,
    first: isoTime(firstMs) ?? null,
    last: isoTime(lastMs) ?? null,
  }
}

function endpointJson({ address, port }: Endpoint): object {
  return { address, port }
}

function serverJson(times: ServerTimes): object {
  const { server, connections, requests, failures, roundTrip, thinkTime, serverStallMs, clientStallMs } = times
  return {
    server: endpointJson(server),
    connections,
    requests,
    failures,
    round_trip: roundTrip ?? null,
    think_time: thinkTime ?? null,
    server_stall_ms: Math.round(serverStallMs * 1e3) / 1e3,
    client_stall_ms: Math.round(clientStallMs * 1e3) / 1e3,
  }
}
