import type { Endpoint } from '../decoded-packet.ts'

/** Findings of single TCP connections. */
export type ConnectionFindingId =
  | 'connection-no-answer'
  | 'connection-refused'
  | 'connection-not-accepted'
  | 'connection-half-open'
  | 'connection-reset'
  | 'connection-reset-after-idle'
  | 'peer-vanished'
  | 'receiver-stalled'
  | 'path-mtu-black-hole'

/** Stable: workflows may test for them. */
export type FindingId =
  | ConnectionFindingId
  | 'data-resent'
  | 'data-late'
  | 'dns-unanswered'
  | 'dns-failed'
  | 'dns-name-missing'
  | 'dns-slow'
  | 'dns-truncated'
  | 'dns-search-list'
  | 'dns-race'
  | 'tls-alert'
  | 'tls-to-plain-server'
  | 'plain-to-tls-server'
  | 'tls-closed'
  | 'certificate-expired'
  | 'certificate-not-yet-valid'
  | 'certificate-expires-soon'
  | 'http-server-errors'
  | 'http-client-errors'
  | 'http-unanswered'
  | 'http-slow'
  | 'grpc-errors'
  | 'icmp-rejected'
  | 'address-missing'

export type Severity = 'error' | 'warning' | 'notice'

/** One connection that shows it, or what was seen between two ends. A port that is not known is 0. */
export interface Evidence {
  readonly client: Endpoint
  readonly server: Endpoint
  /** where the connection ended behind NAT: the pod behind the address of a service */
  readonly backend?: Endpoint | undefined
  /** numbers of packets in the file, as Wireshark counts */
  readonly frames: readonly number[]
  /** ms since the epoch */
  readonly firstMs: number
  readonly lastMs: number
}

/**
 * A diagnosed fact. Its texts hold names and paths as they are in the packets, at most 256 characters each: they are escaped where they are
 * shown, never here.
 */
export interface Finding {
  readonly id: FindingId
  readonly severity: Severity
  /** one sentence without a period */
  readonly title: string
  /** connections, segments, queries or requests that show it */
  readonly count: number
  /** at most five */
  readonly evidence: readonly Evidence[]
  /** for Wireshark */
  readonly displayFilter: string
  /** in Kubernetes, most likely first */
  readonly likelyCauses: readonly string[]
  readonly nextSteps: readonly string[]
  /** numbers of the finding, named with their unit */
  readonly facts: Readonly<Record<string, number | string>>
}

/** Connections to one server that show the same. */
export interface FindingGroup {
  readonly id: ConnectionFindingId
  readonly server: Endpoint
  count: number
  readonly evidence: Evidence[]
  readonly backends: Set<string>
  /** largest values of the connections, in the unit of their name */
  readonly facts: Record<string, number | string>
}

export const maxEvidenceCount = 5
