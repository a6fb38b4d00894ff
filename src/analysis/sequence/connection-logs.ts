import { type DecodedPacket, type Endpoint, ipProtocol, tcpEvent, tcpFlag } from '../decoded-packet.ts'
import type { ConnectionTracker } from '../flows/connection-tracker.ts'
import { directionDouble, directionDoubles, double, flowBit, flowDoubles, flowWords, word } from '../flows/layout.ts'

/** Connections that are logged at the same time. */
const maxOpenCount = 1_000
/** Logs of each kind of trouble that are kept after their connection has ended. */
const maxKeptCount = 64
/** Of one connection: those after the first trouble, and the latest. */
const maxFirstCount = 4
const maxLatestCount = 4

const trouble = tcpEvent.retransmission | tcpEvent.outOfOrder | tcpEvent.lostSegment | tcpEvent.zeroWindow

export type TcpStepKind =
  | 'syn'
  | 'syn-ack'
  | 'data'
  | 'data-again'
  | 'data-late'
  | 'zero-window'
  | 'window-open'
  | 'probe'
  | 'keep-alive'
  | 'fin'
  | 'reset'

/** Packets of one kind in a row, in one direction. */
export interface TcpStep {
  readonly kind: TcpStepKind
  readonly direction: number
  /** of the first one */
  readonly frame: number
  readonly timeNs: number
  lastNs: number
  count: number
  /** of data */
  bytes: number
}

/** What happened before the log began. */
interface Begin {
  /** undefined: the SYN was not captured */
  readonly syn: { readonly frame: number; readonly timeNs: number } | undefined
  /** undefined: there was no answer, or it was not captured */
  readonly synAckNs: number | undefined
  /** of data, by direction */
  readonly dataBytes: readonly [number, number]
}

/** The packets of a TCP connection from its first trouble on, shortened. */
export interface ConnectionLog {
  readonly begin: Begin
  readonly first: readonly TcpStep[]
  /** after `first` and the steps that are left out */
  readonly latest: readonly TcpStep[]
  readonly leftOutCount: number
  /** steps with data that was sent again */
  readonly againCount: number
  readonly clientDirection: number
  readonly client: Endpoint
  readonly server: Endpoint
  readonly firstTimeNs: number
}

type Trouble = 'not-opened' | 'reset' | 'stalled' | 'sent-again'

interface OpenLog {
  readonly begin: Begin
  readonly first: TcpStep[]
  readonly latest: TcpStep[]
  leftOutCount: number
  againCount: number
}

/**
 * Logs TCP connections that show trouble, from then on: for the connection of a finding, which is known only when it ends. A connection without
 * trouble costs a look at its packets' events.
 */
export class ConnectionLogs {
  readonly #connections: ConnectionTracker
  readonly #isLogged: Uint8Array
  readonly #open = new Map<number, OpenLog>()
  readonly #kept = new Map<Trouble, ConnectionLog[]>()

  constructor(connections: ConnectionTracker) {
    this.#connections = connections
    this.#isLogged = new Uint8Array(connections.table.words.length / flowWords)
  }

  /** The packet must be none that was seen at another place before. */
  onPacket(packet: DecodedPacket): void {
    const { connection } = packet
    if (packet.protocol !== ipProtocol.tcp || connection < 0) return
    if (this.#isLogged[connection] === 0) {
      if ((packet.tcpEvents & trouble) === 0 && (packet.tcpFlags & tcpFlag.rst) === 0) return
      this.#begin(packet)
    }
    const log = this.#open.get(connection)
    if (log !== undefined) note(log, packet)
  }

  onConnectionEnd(connection: number): void {
    const log = this.#open.get(connection)
    if (log === undefined) return
    this.#forget(connection)
    const { words } = this.#connections.table
    const bits = words[connection * flowWords + word.bits]!
    const { client, server, firstTimeNs } = this.#connections.facts(connection)
    const clientDirection = this.#connections.clientDirection(connection)
    this.#keep(troubleOf(log, bits), { ...log, client, server, firstTimeNs, clientDirection })
  }

  onConnectionEvicted(connection: number): void {
    this.#forget(connection)
  }

  /** The log of the connection that began at this time, as far as it was kept. The capture must have ended. */
  find({ client, server }: { client: Endpoint; server: Endpoint }, firstTimeNs: number): ConnectionLog | undefined {
    const isSame = (one: Endpoint, other: Endpoint): boolean => one.address === other.address && one.port === other.port
    return [...this.#kept.values()]
      .flat()
      .find(
        (log) =>
          isSame(log.client, client) && isSame(log.server, server) && Math.abs(log.firstTimeNs - firstTimeNs) < 1e6,
      )
  }

  #begin(packet: DecodedPacket): void {
    const { words, doubles } = this.#connections.table
    const { connection, direction, payloadLength } = packet
    const at = connection * flowWords
    const bits = words[at + word.bits]!
    // A reset after a FIN is harmless.
    if ((bits & flowBit.hasFin) !== 0 && (packet.tcpFlags & tcpFlag.rst) !== 0) return
    if (this.#open.size >= maxOpenCount) return
    const firstTimeNs = doubles[connection * flowDoubles + double.firstTime]!
    const firstFrame = words[at + word.firstFrame]!
    const isFirstSyn = (bits & flowBit.hasSyn) !== 0 && firstFrame !== packet.frameNumber
    const isAnswer = (packet.tcpFlags & tcpFlag.syn) !== 0 && (packet.tcpFlags & tcpFlag.ack) !== 0
    const hasSynAck = (bits & flowBit.hasSynAck) !== 0 && !isAnswer
    const bytesOf = (of: number): number =>
      doubles[connection * flowDoubles + double.directions + of * directionDoubles + directionDouble.payloadBytes]! -
      (of === direction ? payloadLength : 0)
    this.#isLogged[connection] = 1
    this.#open.set(connection, {
      begin: {
        syn: isFirstSyn ? { frame: firstFrame, timeNs: firstTimeNs } : undefined,
        synAckNs: hasSynAck ? doubles[connection * flowDoubles + double.synAckTime]! : undefined,
        dataBytes: [bytesOf(0), bytesOf(1)],
      },
      first: [],
      latest: [],
      leftOutCount: 0,
      againCount: 0,
    })
  }

  #forget(connection: number): void {
    if (this.#isLogged[connection] === 0) return
    this.#isLogged[connection] = 0
    this.#open.delete(connection)
  }

  /** The first logs of each kind; of those with data that was sent again, the worst. */
  #keep(kind: Trouble, log: ConnectionLog): void {
    const kept = this.#kept.get(kind) ?? []
    this.#kept.set(kind, kept)
    if (kept.length < maxKeptCount) {
      kept.push(log)
      return
    }
    const counts = kept.map(({ againCount }) => againCount)
    const least = counts.indexOf(Math.min(...counts))
    if (counts[least]! < log.againCount) kept[least] = log
  }
}

function troubleOf({ first, latest }: OpenLog, bits: number): Trouble {
  if ((bits & flowBit.hasSyn) !== 0 && (bits & flowBit.established) === 0) return 'not-opened'
  const kinds = new Set([...first, ...latest].map(({ kind }) => kind))
  if (kinds.has('reset')) return 'reset'
  return kinds.has('zero-window') ? 'stalled' : 'sent-again'
}

function note(log: OpenLog, packet: DecodedPacket): void {
  const kind = kindOf(log, packet)
  if (kind === undefined) return
  const { direction, frameNumber: frame, timeNs, payloadLength: bytes } = packet
  if (kind === 'data-again' || kind === 'data-late') log.againCount += 1
  const previous = log.latest.at(-1) ?? log.first.at(-1)
  if (previous?.kind === kind && previous.direction === direction) {
    previous.count += 1
    previous.bytes += bytes
    previous.lastNs = timeNs
    return
  }
  const step: TcpStep = { kind, direction, frame, timeNs, lastNs: timeNs, count: 1, bytes }
  if (log.first.length < maxFirstCount && log.latest.length === 0) {
    log.first.push(step)
    return
  }
  log.latest.push(step)
  if (log.latest.length <= maxLatestCount) return
  log.latest.shift()
  log.leftOutCount += 1
}

/** Undefined: an acknowledgment, of which nothing is told. */
function kindOf({ first, latest }: OpenLog, packet: DecodedPacket): TcpStepKind | undefined {
  const { tcpFlags, tcpEvents, payloadLength, direction } = packet
  if ((tcpFlags & tcpFlag.rst) !== 0) return 'reset'
  if ((tcpFlags & tcpFlag.syn) !== 0) return (tcpFlags & tcpFlag.ack) === 0 ? 'syn' : 'syn-ack'
  if ((tcpEvents & tcpEvent.zeroWindow) !== 0) return 'zero-window'
  if ((tcpEvents & tcpEvent.keepAlive) !== 0) return 'keep-alive'
  if ((tcpEvents & tcpEvent.zeroWindowProbe) !== 0) return 'probe'
  if (payloadLength > 0) {
    // tshark calls what is sent again within a millisecond out of order.
    if (packet.isResent || (tcpEvents & tcpEvent.retransmission) !== 0) return 'data-again'
    return (tcpEvents & tcpEvent.outOfOrder) !== 0 ? 'data-late' : 'data'
  }
  if ((tcpFlags & tcpFlag.fin) !== 0) return 'fin'
  const ofDirection = [...first, ...latest].filter((step) => step.direction === direction)
  return ofDirection.at(-1)?.kind === 'zero-window' ? 'window-open' : undefined
}
