import type { CertificateFacts } from './certificate.ts'
import { type ConnectionEnds, serverKey } from './connection-ends.ts'
import { TimeBuckets } from '../time-buckets.ts'
import { TextCounts } from './text-counts.ts'
import { addBackend, addOccurrence, noOccurrences, type Occurrences } from './occurrences.ts'

const maxGroupsCount = 1000

/** What is known of the handshake of one connection. */
export interface TlsConnection {
  /** 0: no ClientHello was seen */
  helloFrame: number
  firstTimeNs: number
  lastTimeNs: number
  serverName: string | undefined
  offeredVersions: readonly number[]
  offeredAlpn: readonly string[]
  selectedVersion: number | undefined
  selectedAlpn: string | undefined
  certificate: CertificateFacts | undefined
  /** `isClient` undefined: who sent it is not known */
  fatalAlert: { name: string; isClient: boolean | undefined; frameNumber: number; timeNs: number } | undefined
  hasClientData: boolean
  hasServerData: boolean
  closedBy: { by: 'fin' | 'reset' | 'end of capture'; isClient: boolean } | undefined
  /** what the server answered in place of TLS */
  foreignAnswer: { protocol: string; frameNumber: number } | undefined
  /** what the client sent in place of TLS */
  foreignRequest: { protocol: string; frameNumber: number } | undefined
}

/** Why handshakes failed. */
export type TlsFailureReason =
  | { readonly kind: 'alert'; readonly alert: string; readonly sender: 'client' | 'server' | 'unknown' }
  | { readonly kind: 'foreign answer'; readonly protocol: string }
  | { readonly kind: 'foreign request'; readonly protocol: string }
  | {
      readonly kind: 'closed'
      readonly by: 'fin' | 'reset'
      readonly sender: 'client' | 'server'
      readonly hasServerHello: boolean
    }

/** Handshakes with one server and name that failed for one reason. */
export interface TlsFailure extends Occurrences {
  /** "address:port" */
  readonly server: string
  /** of the first connection */
  readonly ends: ConnectionEnds
  readonly serverName: string | undefined
  readonly reason: TlsFailureReason
  /** of the first one */
  readonly example: TlsConnection
}

/** Servers and names with a certificate that was read. */
export interface SeenCertificate extends Occurrences {
  readonly server: string
  /** of the first connection */
  readonly ends: ConnectionEnds
  readonly serverName: string | undefined
  readonly certificate: CertificateFacts
}

/** Handshakes by server, and those that failed. */
export class TlsConnections {
  readonly #failures = new Map<string, TlsFailure>()
  readonly #certificates = new Map<string, SeenCertificate>()
  /** when the handshakes began that failed */
  readonly failureTimes = new TimeBuckets()
  /** handshakes by the version that the server selected, a number */
  readonly versions = new TextCounts()
  handshakeCount = 0
  failedCount = 0
  /** ended without data of both sides, but only one side was captured */
  oneSidedCount = 0
  overflowCount = 0

  create(): TlsConnection {
    return {
      helloFrame: 0,
      firstTimeNs: 0,
      lastTimeNs: 0,
      serverName: undefined,
      offeredVersions: [],
      offeredAlpn: [],
      selectedVersion: undefined,
      selectedAlpn: undefined,
      certificate: undefined,
      fatalAlert: undefined,
      hasClientData: false,
      hasServerData: false,
      closedBy: undefined,
      foreignAnswer: undefined,
      foreignRequest: undefined,
    }
  }

  /** `connection` is over. `isWhole`: packets of both directions were captured. */
  add(connection: TlsConnection, ends: ConnectionEnds, isWhole: boolean): void {
    const server = serverKey(ends)
    this.handshakeCount++
    const { serverName, certificate, selectedVersion } = connection
    if (selectedVersion !== undefined) this.versions.add(String(selectedVersion), connection.helloFrame)
    if (certificate !== undefined) {
      const seen = this.#find(this.#certificates, `${server} ${serverName} ${certificate.notAfterSeconds}`, () => ({
        ...noOccurrences(),
        server,
        ends,
        serverName,
        certificate,
      }))
      if (seen !== undefined) {
        addBackend(seen.backends, ends.backend)
        addOccurrence(seen, connection.helloFrame, connection.firstTimeNs)
      }
    }
    const reason = failureReason(connection)
    if (reason === undefined) return
    if (reason.kind === 'closed' && !isWhole) {
      this.oneSidedCount++
      return
    }
    this.failedCount++
    this.failureTimes.add(connection.firstTimeNs)
    const failure = this.#find(this.#failures, `${server} ${serverName} ${JSON.stringify(reason)}`, () => ({
      ...noOccurrences(),
      server,
      ends,
      serverName,
      reason,
      example: connection,
    }))
    if (failure === undefined) return
    addBackend(failure.backends, ends.backend)
    const frame = connection.fatalAlert?.frameNumber ?? connection.foreignAnswer?.frameNumber ?? connection.helloFrame
    addOccurrence(failure, frame, connection.firstTimeNs)
  }

  failures(): TlsFailure[] {
    return [...this.#failures.values()]
  }

  certificates(): SeenCertificate[] {
    return [...this.#certificates.values()]
  }

  #find<Group>(groups: Map<string, Group>, key: string, create: () => Group): Group | undefined {
    let group = groups.get(key)
    if (group !== undefined) return group
    if (groups.size >= maxGroupsCount) {
      this.overflowCount++
      return undefined
    }
    group = create()
    groups.set(key, group)
    return group
  }
}

/** undefined: it did not fail, or the capture ends before that is known. */
function failureReason(connection: TlsConnection): TlsFailureReason | undefined {
  const { fatalAlert, foreignAnswer, foreignRequest, closedBy } = connection
  if (foreignRequest !== undefined) return { kind: 'foreign request', protocol: foreignRequest.protocol }
  if (fatalAlert !== undefined) {
    const sender = fatalAlert.isClient === undefined ? 'unknown' : fatalAlert.isClient ? 'client' : 'server'
    return { kind: 'alert', alert: fatalAlert.name, sender }
  }
  if (foreignAnswer !== undefined) return { kind: 'foreign answer', protocol: foreignAnswer.protocol }
  if (connection.hasClientData && connection.hasServerData) return undefined
  if (closedBy === undefined || closedBy.by === 'end of capture') return undefined
  return {
    kind: 'closed',
    by: closedBy.by,
    sender: closedBy.isClient ? 'client' : 'server',
    hasServerHello: connection.selectedVersion !== undefined,
  }
}
