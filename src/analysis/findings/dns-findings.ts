import type { DnsFailures, DnsServer } from '../application/dns-servers.ts'
import type { DnsTracker } from '../application/dns-tracker.ts'
import { type CaptureClock, evidenceOf } from './evidence.ts'
import { type Finding, maxEvidenceCount } from './finding.ts'
import { addressFilter, countedAs, durationText, listed, serverText } from './wording.ts'

const dnsPort = 53
const listedNamesCount = 1000
/** A cluster's resolver answers within a few ms; above this an application notices. */
const slowMs = 500
const verySlowMs = 2000
/** Names that do not exist are often asked for on purpose: only many of them are worth a finding. */
const minMissingCount = 5
const minWastedCount = 10
const rcodeNumbers: Readonly<Record<string, number>> = { FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5 }

/** F10: failures of name resolution. F11: what the search list of Kubernetes and the race of conntrack cost. */
export function dnsFindings(dns: DnsTracker, clock: CaptureClock): Finding[] {
  const findings = dns.servers.all().flatMap((server) => serverFindings(server, dns, clock))
  return [...findings, ...searchFinding(dns, clock), ...raceFinding(dns, clock)]
}

function serverFindings(server: DnsServer, dns: DnsTracker, clock: CaptureClock): Finding[] {
  const findings: Finding[] = []
  if (server.unanswered.count > 0) findings.push(unanswered(server, clock))
  for (const [code, failures] of server.failures) {
    if (code !== 'NXDOMAIN') findings.push(failed(server, code, failures, clock))
    else if (failures.count - dns.search.wastedCount >= minMissingCount) findings.push(missing(server, failures, clock))
  }
  if ((server.time.summary().p95_ms ?? 0) >= slowMs) findings.push(slow(server, clock))
  if (server.truncated.count > 0 && server.tcpQueryCount === 0) findings.push(truncated(server, clock))
  return findings
}

function unanswered(server: DnsServer, clock: CaptureClock): Finding {
  const { count, names } = server.unanswered
  return {
    id: 'dns-unanswered',
    severity: 'error',
    title: `DNS server ${serverText(server.server, server.unanswered.backends)} did not answer ${count} of ${countedAs(server.queryCount, 'query', 'queries')} (${topNames(names)})`,
    count,
    evidence: [evidenceOf(server.unanswered, endsOf(server), clock)],
    displayFilter: `dns.flags.response == 0 && !dns.response_in && !dns.retransmission && ${addressFilter(server.server)}`,
    likelyCauses: [
      'The DNS server is not running, is overloaded, or its service has no ready endpoints',
      'A NetworkPolicy does not allow port 53 to the DNS server',
      'The conntrack table of the node is full, or two queries from one socket raced in it',
    ],
    nextSteps: [
      'kubectl -n kube-system get pods,endpointslices -l k8s-app=kube-dns',
      'The egress rules of the NetworkPolicies for this pod: UDP and TCP port 53',
      'The logs of the DNS server',
    ],
    facts: { unanswered: count, queries: server.queryCount },
  }
}

function failed(server: DnsServer, code: string, failures: DnsFailures, clock: CaptureClock): Finding {
  return {
    id: 'dns-failed',
    severity: 'error',
    title: `DNS server ${serverText(server.server, failures.backends)} answered ${countedAs(failures.count, 'query', 'queries')} with ${code} (${topNames(failures.names)})`,
    count: failures.count,
    evidence: [evidenceOf(failures, endsOf(server), clock)],
    displayFilter: `dns.flags.response == 1 && dns.flags.rcode == ${rcodeNumbers[code] ?? code} && ${addressFilter(server.server)}`,
    likelyCauses: [
      'The server that CoreDNS forwards to fails or cannot be reached',
      'The zone is not served there, or its signatures are not valid',
      'The DNS server refuses this client',
    ],
    nextSteps: [
      'The logs of CoreDNS',
      'kubectl -n kube-system get configmap coredns -o yaml: the forward line',
      'The same query from another pod',
    ],
    facts: { code, queries: server.queryCount },
  }
}

function missing(server: DnsServer, failures: DnsFailures, clock: CaptureClock): Finding {
  return {
    id: 'dns-name-missing',
    severity: 'warning',
    title: `${countedAs(failures.count, 'DNS query', 'DNS queries')} asked for names that do not exist (${topNames(failures.names)})`,
    count: failures.count,
    evidence: [evidenceOf(failures, endsOf(server), clock)],
    displayFilter: `dns.flags.rcode == 3 && ${addressFilter(server.server)}`,
    likelyCauses: [
      'The name is misspelled, or its service or namespace does not exist',
      'The service is headless and has no ready endpoints',
    ],
    nextSteps: ['kubectl get service -A for these names', 'The configuration of the application that asks for them'],
    facts: { queries: server.queryCount },
  }
}

function slow(server: DnsServer, clock: CaptureClock): Finding {
  const { p95_ms: p95Ms = 0, max_ms: maxMs = 0 } = server.time.summary()
  return {
    id: 'dns-slow',
    severity: p95Ms >= verySlowMs ? 'error' : 'warning',
    title: `DNS server ${server.server} took ${durationText(slowMs)} or more for ${server.slow.count} of ${countedAs(server.responseCount, 'answer', 'answers')}, the slowest ${durationText(maxMs)}`,
    count: server.slow.count,
    evidence: [evidenceOf(server.slow, endsOf(server), clock)],
    displayFilter: `dns.time >= ${slowMs / 1000} && ${addressFilter(server.server)}`,
    likelyCauses: [
      'The server that CoreDNS forwards to is slow',
      'CoreDNS is throttled by its CPU limit, or has too few replicas',
      'Packets are lost, and the client asks again after its time-out',
    ],
    nextSteps: [
      'CPU usage and limit of the CoreDNS pods',
      'The metric coredns_forward_request_duration_seconds',
      'NodeLocal DNSCache',
    ],
    facts: { p95_ms: p95Ms, max_ms: maxMs, answers: server.responseCount },
  }
}

function truncated(server: DnsServer, clock: CaptureClock): Finding {
  const { count } = server.truncated
  return {
    id: 'dns-truncated',
    severity: 'notice',
    title: `DNS server ${server.server} truncated ${countedAs(count, 'answer', 'answers')}, and no query over TCP followed`,
    count,
    evidence: [evidenceOf(server.truncated, endsOf(server), clock)],
    displayFilter: `dns.flags.truncated == 1 && ${addressFilter(server.server)}`,
    likelyCauses: [
      'A NetworkPolicy allows port 53 for UDP only',
      'The client does not fall back to TCP',
      'The filter of the capture leaves out TCP',
    ],
    nextSteps: ['The NetworkPolicies for this pod: TCP port 53', 'Whether the filter of the capture has TCP port 53'],
    facts: {},
  }
}

function searchFinding({ search }: DnsTracker, clock: CaptureClock): Finding[] {
  const top = search.top(listedNamesCount)
  if (search.wastedCount < minWastedCount) return []
  const factor = search.amplification()
  const share = factor === undefined ? '' : `, ${Number(factor.toFixed(1))} queries for each answer`
  const names = listed(top.map(({ base }) => base))
  return [
    {
      id: 'dns-search-list',
      severity: 'warning',
      title: `${countedAs(search.wastedCount, 'DNS query', 'DNS queries')} only tried the search list of the pod for ${countedAs(search.nameCount, 'name', 'names')} (${names})${share}`,
      count: search.wastedCount,
      evidence: top
        .slice(0, maxEvidenceCount)
        .map(({ client, server, firstFrame, firstTimeNs, lastTimeNs }) =>
          evidenceOf({ frames: [firstFrame], firstTimeNs, lastTimeNs }, endsOf({ client, server }), clock),
        ),
      displayFilter: 'dns.flags.rcode == 3 && dns.qry.name contains "cluster.local"',
      likelyCauses: [
        'The pod has ndots:5, the default of Kubernetes: a name with fewer than five dots is tried with each suffix of the search list first',
      ],
      nextSteps: [
        'Write external names with a dot at the end',
        'Set the option ndots to 1 or 2 in dnsConfig of the pod',
        'NodeLocal DNSCache, or the plugin autopath of CoreDNS',
      ],
      facts: { wasted: search.wastedCount, names: search.nameCount, ...(factor === undefined ? {} : { factor }) },
    },
  ]
}

function raceFinding({ race }: DnsTracker, clock: CaptureClock): Finding[] {
  const { examples, count } = race
  if (count === 0) return []
  return [
    {
      id: 'dns-race',
      severity: 'error',
      title: `${countedAs(count, 'name lookup', 'name lookups')} waited 5 s, because one of two DNS queries that were sent at once got no answer (${listed(examples.map(({ name }) => name))})`,
      count,
      evidence: examples.map(({ client, server, frames, timeNs }) =>
        evidenceOf({ frames: [...frames], firstTimeNs: timeNs, lastTimeNs: timeNs }, endsOf({ client, server }), clock),
      ),
      displayFilter: 'dns.flags.response == 0 && (dns.retransmission || !dns.response_in)',
      likelyCauses: [
        'conntrack drops one of two packets that one socket sends at the same time (kubernetes/kubernetes#56903)',
        'Packets are lost between the pod and the DNS server',
      ],
      nextSteps: [
        'NodeLocal DNSCache',
        'The option single-request-reopen in dnsConfig of the pod (glibc)',
        'conntrack -S on the node: insert_failed',
      ],
      facts: {},
    },
  ]
}

function endsOf({ client, server }: { client: string; server: string }): Parameters<typeof evidenceOf>[1] {
  return { client: { address: client, port: 0 }, server: { address: server, port: dnsPort } }
}

function topNames(names: DnsFailures['names']): string {
  return listed(names.top(10).map(([name]) => name))
}
