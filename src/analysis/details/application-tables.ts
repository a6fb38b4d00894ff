import type { DnsServer } from '../application/dns-servers.ts'
import type { DnsTracker } from '../application/dns-tracker.ts'
import type { DurationStats } from '../application/duration-stats.ts'
import type { HttpServer } from '../application/http-servers.ts'
import type { HttpTracker } from '../application/http-tracker.ts'
import type { TlsFailure, TlsFailureReason } from '../application/tls-connections.ts'
import { versionName } from '../application/tls-names.ts'
import type { TlsTracker } from '../application/tls-tracker.ts'
import type { Endpoint } from '../decoded-packet.ts'

/** Of each list of names and requests. */
const maxTextsCount = 20
const dnsPort = 53

/** A text of packets, and how often it was seen. */
export type TextCount = readonly [text: string, count: number]

/** Undefined: nothing was measured. */
type Times = { readonly p50Ms: number; readonly p95Ms: number } | undefined

export interface DnsServerRow {
  readonly server: Endpoint
  readonly queries: number
  readonly retries: number
  readonly time: Times
  /** by rcode; "no answer" is one of them */
  readonly failures: readonly TextCount[]
}

export interface DnsTables {
  /** the busiest first */
  readonly servers: readonly DnsServerRow[]
  readonly names: readonly TextCount[]
  /** "name: reason" */
  readonly failedNames: readonly TextCount[]
}

export interface TlsCertificateRow {
  readonly server: Endpoint
  readonly names: readonly string[]
  /** ms since the epoch */
  readonly notAfterMs: number
}

export interface TlsTables {
  readonly handshakes: number
  /** by the name that the client asked for (SNI) */
  readonly names: readonly TextCount[]
  /** that the server selected */
  readonly versions: readonly TextCount[]
  readonly failures: readonly {
    readonly server: Endpoint
    readonly name: string
    readonly reason: string
    readonly count: number
  }[]
  /** of TLS 1.2 and older: TLS 1.3 encrypts them */
  readonly certificates: readonly TlsCertificateRow[]
}

export interface HttpServerRow {
  readonly server: Endpoint
  readonly hosts: readonly TextCount[]
  readonly requests: number
  /** of HTTP and, behind it, of gRPC; "no answer" is one of them */
  readonly statuses: readonly TextCount[]
  /** to the first byte of the answer */
  readonly time: Times
}

export interface HttpTables {
  /** the busiest first */
  readonly servers: readonly HttpServerRow[]
  /** "METHOD path: status" */
  readonly failedRequests: readonly TextCount[]
}

export function dnsTables(dns: DnsTracker): DnsTables {
  const servers = dns.servers.all().toSorted((one, other) => other.queryCount - one.queryCount)
  return {
    servers: servers.map((server) => ({
      server: { address: server.server, port: dnsPort },
      queries: server.queryCount,
      retries: server.retryCount,
      time: timesOf(server.time),
      failures: dnsFailures(server).map(([code, { count }]) => [code, count]),
    })),
    names: dns.counters().top_names,
    failedNames: topTexts(
      servers.flatMap(dnsFailures).map(([code, { names }]) => [code, names.top(maxTextsCount)] as const),
    ),
  }
}

function dnsFailures({ failures, unanswered }: DnsServer): (readonly [code: string, of: DnsServer['unanswered']])[] {
  return [...failures, ...(unanswered.count > 0 ? [['no answer', unanswered] as const] : [])]
}

export function tlsTables({ connections, serverNames }: TlsTracker): TlsTables {
  const failures = connections.failures().toSorted((one, other) => other.count - one.count)
  return {
    handshakes: connections.handshakeCount,
    names: serverNames.top(maxTextsCount),
    versions: connections.versions.top(maxTextsCount).map(([version, count]) => [versionName(Number(version)), count]),
    failures: failures.map(tlsFailure),
    certificates: connections.certificates().map(({ ends, certificate }) => ({
      server: ends.server,
      names: certificate.names,
      notAfterMs: certificate.notAfterSeconds * 1_000,
    })),
  }
}

function tlsFailure({ ends, serverName, reason, count }: TlsFailure): TlsTables['failures'][number] {
  return { server: ends.server, name: serverName ?? '', reason: tlsReason(reason), count }
}

function tlsReason(reason: TlsFailureReason): string {
  switch (reason.kind) {
    case 'alert':
      return `alert ${reason.alert} of the ${reason.sender === 'unknown' ? 'other side' : reason.sender}`
    case 'closed':
      return `${reason.by === 'reset' ? 'reset' : 'closed'} by the ${reason.sender}`
    case 'foreign answer':
      return `answered with ${reason.protocol}`
    case 'foreign request':
      return `${reason.protocol} sent in clear text`
  }
}

export function httpTables({ servers }: HttpTracker): HttpTables {
  const all = servers.all().toSorted((one, other) => other.requestCount - one.requestCount)
  return {
    servers: all.map((server) => ({
      server: server.ends.server,
      hosts: server.hosts.top(maxTextsCount),
      requests: server.requestCount,
      statuses: [
        ...server.statuses.top(maxTextsCount),
        ...grpcStatuses(server),
        ...(server.unanswered.count > 0 ? [['no answer', server.unanswered.count] as const] : []),
      ],
      time: timesOf(server.firstByte),
    })),
    failedRequests: topTexts(
      all.flatMap(({ failures, grpcFailures, unanswered }) => [
        ...[...failures].map(([status, { requests }]) => [String(status), requests.top(maxTextsCount)] as const),
        ...[...grpcFailures].map(([status, { requests }]) => [`gRPC ${status}`, requests.top(maxTextsCount)] as const),
        ['no answer', unanswered.requests.top(maxTextsCount)] as const,
      ]),
    ),
  }
}

function grpcStatuses({ grpcStatuses: statuses }: HttpServer): TextCount[] {
  return statuses.top(maxTextsCount).map(([status, count]) => [`gRPC ${status}`, count])
}

/** The most frequent of several lists, each text with what it is listed for. */
function topTexts(lists: readonly (readonly [reason: string, texts: readonly TextCount[]])[]): TextCount[] {
  return lists
    .flatMap(([reason, texts]) => texts.map(([text, count]) => [`${text}: ${reason}`, count] as const))
    .toSorted(([, one], [, other]) => other - one)
    .slice(0, maxTextsCount)
}

function timesOf(stats: DurationStats): Times {
  const { p50_ms: p50Ms, p95_ms: p95Ms } = stats.summary()
  return p50Ms === undefined || p95Ms === undefined ? undefined : { p50Ms, p95Ms }
}
