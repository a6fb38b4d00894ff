import type { CaptureDetails } from '../../src/analysis/details/capture-details.ts'
import type { Diagnosis } from '../../src/analysis/diagnosis.ts'

/** Names as a packet may have them. */
export const hostileNames = [
  '::error::x',
  '\n::add-mask::x\r\n::stop-commands::y',
  'a ##[error]b ##[group]c',
  '\u001b[31mred\u001b]8;;https://evil.example\u0007',
  '\u202egnp.exe\u2066\u200b\ufeff',
  '</code></details></summary><h1>x</h1><script>alert(1)</script>',
  '![x](https://evil.example/x.png) [y](https://evil.example) <https://evil.example>',
  '| a | b |\n|---|---|\n\n# heading\n```\nfence',
  '**bold** `code` @octocat #17 $x$ www.evil.example',
  'x'.repeat(5000),
  '\ud800 lone surrogate',
]

/** The diagnosis with `name` in each text that may hold a name from a packet. */
export function withName(diagnosis: Diagnosis, name: string): Diagnosis {
  const findings = diagnosis.findings.map((finding) => ({
    ...finding,
    title: `${name} answered (${name})`,
    displayFilter: `dns.qry.name == "${name}"`,
    facts: { ...finding.facts, server_name: name },
    evidence: finding.evidence.map((one) => ({
      ...one,
      client: { ...one.client, address: name },
      server: { ...one.server, address: name },
    })),
  }))
  const text = `1 connection with ${name} ended`
  return {
    ...diagnosis,
    sentence: `${name}: ${name}`,
    detail: `Round trip to ${name}`,
    because: name,
    findings,
    withheld: [{ id: 'tls-closed', count: 1, reason: 'packets-cut', text }],
    clean: [{ area: 'dns', text }],
    limits: [{ id: 'gaps', text }],
    servers: diagnosis.servers.map((times) => ({ ...times, server: { ...times.server, address: name } })),
    details: detailsWithName(diagnosis.details, name),
  }
}

/** Each table full, with the name in each text. */
function detailsWithName(details: CaptureDetails, name: string): CaptureDetails {
  const end = { address: name, port: 80 }
  const counts = Array.from({ length: 30 }, () => [name, 2] as const)
  const many = <Row>(row: Row): Row[] => Array.from({ length: 30 }, () => row)
  const time = { p50Ms: 1, p95Ms: 2 }
  const peer = { protocol: 'TCP' as const, client: name, server: end, connections: 1, packets: 1, bytes: 1 }
  const step = { kind: 'message', sender: 'client', text: name, atMs: 1, frame: 1, isLost: false } as const
  return {
    peers: many(peer),
    peersNotKept: 5,
    dns: {
      servers: many({ server: end, queries: 1, retries: 1, time, failures: counts }),
      names: counts,
      failedNames: counts,
    },
    tls: {
      handshakes: 1,
      names: counts,
      versions: counts,
      failures: many({ server: end, name, reason: name, count: 1 }),
      certificates: many({ server: end, names: [name, name], notAfterMs: Infinity }),
    },
    http: {
      servers: many({ server: end, hosts: counts, requests: 1, statuses: counts, time }),
      failedRequests: counts,
    },
    timeline: details.timeline,
    worst: { title: name, client: end, server: end, startMs: 0, steps: [step, { kind: 'note', text: name }, step] },
  }
}
