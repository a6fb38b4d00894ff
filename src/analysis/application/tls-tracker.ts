import { u24 } from '../bytes.ts'
import { type CertificateFacts, readCertificate } from './certificate.ts'
import type { ConnectionEnds } from './connection-ends.ts'
import type { StreamChunk } from './stream-chunk.ts'
import { TextCounts } from './text-counts.ts'
import { readHello } from './tls-hello.ts'
import { alertLevelName, alertName } from './tls-names.ts'
import { type TlsEvents, tlsHandshake, type TlsMessage, tlsRecord } from './tls-parser.ts'
import { type TlsConnection, TlsConnections } from './tls-connections.ts'

const listedNamesCount = 20

/** The counters of `tls`, named and shaped as the ground truth of the test captures: a handshake message that was not seen is left out. */
export interface TlsCounters {
  client_hello?: number
  server_hello?: number
  certificate?: number
  /** every record of type alert, the encrypted ones included; left out where there is no TLS at all */
  alert_records?: number
  sni: Record<string, number>
  /** "level:description" of the alerts in clear */
  alerts: Record<string, number>
  server_hello_legacy_version: Record<string, number>
  alpn_offered_or_selected: Record<string, number>
  [handshake: `handshake_${number}`]: number
}

const handshakeKeys: Readonly<Record<number, string>> = { 1: 'client_hello', 2: 'server_hello', 11: 'certificate' }

/** TLS of a whole capture. */
export class TlsTracker {
  readonly connections = new TlsConnections()
  readonly handshakes = new TextCounts()
  readonly serverNames = new TextCounts()
  readonly alerts = new TextCounts()
  readonly legacyVersions = new TextCounts()
  readonly alpn = new TextCounts()
  recordCount = 0
  alertRecordCount = 0

  counters(): TlsCounters {
    return {
      ...(this.recordCount > 0 ? { alert_records: this.alertRecordCount } : {}),
      ...this.handshakes.toRecord(),
      sni: this.serverNames.toRecord(listedNamesCount),
      alerts: this.alerts.toRecord(),
      server_hello_legacy_version: this.legacyVersions.toRecord(),
      alpn_offered_or_selected: this.alpn.toRecord(),
    }
  }
}

/** What both directions of one connection know together. */
export class TlsConversation {
  readonly #tracker: TlsTracker
  readonly #endsOf: (clientDirection: number | undefined) => ConnectionEnds
  readonly #facts: TlsConnection
  /** the direction that sent the ClientHello */
  #clientDirection: number | undefined
  #isFinished = false

  constructor(tracker: TlsTracker, endsOf: (clientDirection: number | undefined) => ConnectionEnds) {
    this.#tracker = tracker
    this.#endsOf = endsOf
    this.#facts = tracker.connections.create()
  }

  /** What the parser of a direction tells. */
  events(direction: number): TlsEvents {
    return {
      onRecord: (type, byteCount, chunk) => this.#onRecord(direction, { type, byteCount }, chunk),
      onHandshake: (message, chunk) => this.#onHandshake(direction, message, chunk),
      onAlert: (level, description, chunk) => this.#onAlert(direction, { level, description }, chunk),
      onClose: (by) => {
        this.#facts.closedBy ??= { by, isClient: direction === this.#clientDirection }
      },
    }
  }

  /** The other direction answered something that is not TLS. */
  onForeignAnswer(protocol: string, frameNumber: number): void {
    this.#facts.foreignAnswer ??= { protocol, frameNumber }
  }

  /** The client sent a request of another protocol, and the server answers with TLS. */
  onForeignRequest(protocol: string, frameNumber: number): void {
    this.#facts.foreignRequest ??= { protocol, frameNumber }
  }

  /** The connection is over or forgotten. `isWhole`: packets of both directions were captured. */
  finish(isWhole = true): void {
    if (this.#isFinished) return
    this.#isFinished = true
    const isKnown = this.#facts.helloFrame > 0 || this.#facts.foreignRequest !== undefined
    if (isKnown) this.#tracker.connections.add(this.#facts, this.#endsOf(this.#clientDirection), isWhole)
  }

  #onRecord(direction: number, record: { type: number; byteCount: number }, chunk: StreamChunk): void {
    if (!chunk.isLate) this.#tracker.recordCount++
    const facts = this.#facts
    facts.lastTimeNs = chunk.timeNs
    if (record.type === tlsRecord.alert && !chunk.isLate) this.#tracker.alertRecordCount++
    if (record.type !== tlsRecord.applicationData) return
    if (direction === this.#clientDirection) facts.hasClientData = true
    else facts.hasServerData = true
  }

  #onHandshake(direction: number, message: TlsMessage, chunk: StreamChunk): void {
    const { type } = message
    if (!chunk.isLate) this.#tracker.handshakes.add(handshakeKeys[type] ?? `handshake_${type}`, chunk.frameNumber)
    if (type === tlsHandshake.clientHello) this.#onClientHello(direction, message, chunk)
    else if (type === tlsHandshake.serverHello) this.#onServerHello(direction, message, chunk)
    else if (type === tlsHandshake.certificate && direction !== this.#clientDirection) {
      this.#facts.certificate ??= readFirstCertificate(message)
    }
  }

  #onClientHello(direction: number, message: TlsMessage, chunk: StreamChunk): void {
    const hello = readHello(message.bytes, message.start, message.end, true)
    this.#clientDirection ??= direction
    const facts = this.#facts
    if (facts.helloFrame === 0) {
      facts.helloFrame = chunk.frameNumber
      facts.firstTimeNs = chunk.timeNs
    }
    if (hello.serverName !== undefined) {
      this.#tracker.serverNames.add(hello.serverName, chunk.frameNumber)
      facts.serverName = hello.serverName
    }
    facts.offeredVersions = hello.versions.length > 0 ? hello.versions : [hello.legacyVersion ?? 0]
    facts.offeredAlpn = hello.alpn
    for (const protocol of hello.alpn) this.#tracker.alpn.add(protocol, chunk.frameNumber)
  }

  #onServerHello(direction: number, message: TlsMessage, chunk: StreamChunk): void {
    const hello = readHello(message.bytes, message.start, message.end, false)
    this.#clientDirection ??= 1 - direction
    if (hello.legacyVersion !== undefined) {
      this.#tracker.legacyVersions.add(`0x${hello.legacyVersion.toString(16).padStart(4, '0')}`, chunk.frameNumber)
    }
    this.#facts.selectedVersion = hello.versions[0] ?? hello.legacyVersion
    this.#facts.selectedAlpn = hello.alpn[0]
    for (const protocol of hello.alpn) this.#tracker.alpn.add(protocol, chunk.frameNumber)
  }

  #onAlert(direction: number, alert: { level: number; description: number }, chunk: StreamChunk): void {
    const level = alertLevelName(alert.level)
    const name = alertName(alert.description)
    this.#tracker.alerts.add(`${level}:${name}`, chunk.frameNumber)
    // The first fatal alert is the reason, what follows is its consequence.
    if (alert.level !== 2) return
    const isClient = this.#clientDirection === undefined ? undefined : direction === this.#clientDirection
    this.#facts.fatalAlert ??= { name, isClient, frameNumber: chunk.frameNumber, timeNs: chunk.timeNs }
  }
}

/** Of TLS 1.2 and older: three bytes for the length of the list, three for that of the first certificate. */
function readFirstCertificate({ bytes, start, end }: TlsMessage): CertificateFacts | undefined {
  if (start + 6 > end) return undefined
  const length = u24(bytes, start + 3)
  return readCertificate(bytes, start + 6, Math.min(start + 6 + length, end))
}
