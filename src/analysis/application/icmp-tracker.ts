import { u16, u32 } from '../bytes.ts'
import { addressText } from '../addresses.ts'
import { type DecodedPacket, ipProtocol } from '../decoded-packet.ts'
import { addBackend, addOccurrence, noOccurrences, type Occurrences } from './occurrences.ts'
import type { BackendOf } from './dns-servers.ts'
import { TextCounts } from './text-counts.ts'

const maxErrorsCount = 1000
/** How long an error needs from one interface of a node to the next. */
const maxDelayNs = 5e6

/** An ICMP error about a flow, all that say the same about it. */
export interface IcmpError extends Occurrences {
  readonly ipVersion: 4 | 6
  readonly type: number
  readonly code: number
  /** the address that sent the errors: a router, a node or the destination itself */
  readonly reporter: string
  /** bytes, of "fragmentation needed" and "packet too big" */
  readonly mtu: number | undefined
  /** the packet that could not be delivered; undefined where too little of it was quoted */
  quoted: QuotedFlow | undefined
}

export interface QuotedFlow {
  readonly protocol: number
  readonly source: string
  readonly sourcePort: number
  readonly destination: string
  readonly destinationPort: number
}

/** The counters `icmp`, `icmpv6` (by "type/code") and `icmp_mtu`. */
export interface IcmpCounters {
  icmp: Record<string, number>
  icmpv6: Record<string, number>
  icmp_mtu: Record<string, number>
}

/** Counts ICMP and ICMPv6 messages and collects the errors with the flows that they are about. */
export class IcmpTracker {
  readonly #v4 = new TextCounts()
  readonly #v6 = new TextCounts()
  readonly #mtus = new TextCounts()
  readonly #errors = new Map<string, IcmpError>()
  /** what was quoted last, and where: a capture of all interfaces has each error on each interface that it passes */
  #last = { quoted: 0, place: 0, timeNs: Number.NEGATIVE_INFINITY }
  /** errors whose flow is quoted in the datagram that is handed over next */
  #pending: { frameNumber: number; type: number; code: number; mtu: number | undefined; reporter: string } | undefined
  /** errors about other flows than the first 1,000 */
  overflowCount = 0
  readonly #backendOf: BackendOf

  constructor(backendOf: BackendOf = () => undefined) {
    this.#backendOf = backendOf
  }

  onPacket(packet: DecodedPacket): void {
    if (packet.inIcmpError) {
      if (this.#pending?.frameNumber === packet.frameNumber) this.#onQuoted(packet)
      return
    }
    const isV6 = packet.protocol === ipProtocol.icmpv6
    if (!isV6 && packet.protocol !== ipProtocol.icmp) return
    const at = packet.transportOffset
    if (at < 0 || packet.fragmentStartBytes > 0 || at + 2 > packet.frameOffset + packet.capturedLength) return
    const type = packet.buffer[at]!
    const code = packet.buffer[at + 1]!
    ;(isV6 ? this.#v6 : this.#v4).add(`${type}/${code}`, packet.frameNumber)
    this.#pending = undefined
    if (!isError(isV6, type)) return
    const mtu = readMtu(packet, isV6, type, code)
    if (mtu !== undefined) this.#mtus.add(String(mtu), packet.frameNumber)
    this.#pending = {
      frameNumber: packet.frameNumber,
      type,
      code,
      mtu,
      reporter: addressText(packet.buffer, packet.sourceOffset, packet.addressLength),
    }
  }

  counters(): IcmpCounters {
    return { icmp: this.#v4.toRecord(), icmpv6: this.#v6.toRecord(), icmp_mtu: this.#mtus.toRecord() }
  }

  errors(): IcmpError[] {
    return [...this.#errors.values()]
  }

  #onQuoted(packet: DecodedPacket): void {
    const pending = this.#pending!
    this.#pending = undefined
    if (packet.sourceOffset < 0 || packet.destinationOffset < 0) return
    const quoted: QuotedFlow = {
      protocol: packet.protocol,
      source: addressText(packet.buffer, packet.sourceOffset, packet.addressLength),
      sourcePort: packet.transportOffset < 0 ? 0 : packet.sourcePort,
      destination: addressText(packet.buffer, packet.destinationOffset, packet.addressLength),
      destinationPort: packet.transportOffset < 0 ? 0 : packet.destinationPort,
    }
    const ipVersion = packet.ipVersion === 6 ? 6 : 4
    // Without the client's port: a client that tries again does it from another one.
    const key = [ipVersion, pending.type, pending.code, pending.reporter, quoted.protocol, quoted.source]
    const text = [...key, quoted.destination, quoted.destinationPort].join(' ')
    let error = this.#errors.get(text)
    if (error === undefined) {
      if (this.#errors.size >= maxErrorsCount) {
        this.overflowCount++
        return
      }
      const { type, code, reporter, mtu } = pending
      error = { ...noOccurrences(), ipVersion, type, code, reporter, mtu, quoted }
      this.#errors.set(text, error)
    }
    if (packet.quotedConnection >= 0) addBackend(error.backends, this.#backendOf(packet.quotedConnection))
    if (!this.#isCopy(packet)) addOccurrence(error, packet.frameNumber, packet.timeNs)
  }

  #isCopy(packet: DecodedPacket): boolean {
    const { timeNs, ipId, sourcePort, sequence, packetType, interfaceId, payloadCaptured } = packet
    const id = payloadCaptured >= 2 ? u16(packet.buffer, packet.payloadOffset) : sequence
    const quoted = Math.imul(Math.imul(ipId + 1, 65_521) ^ sourcePort, 65_521) ^ id
    const place = interfaceId * 8 + packetType
    const last = this.#last
    const isCopy =
      packetType >= 0 && quoted === last.quoted && place !== last.place && timeNs - last.timeNs < maxDelayNs
    if (!isCopy) this.#last = { quoted, place, timeNs }
    return isCopy
  }
}

/** ICMP: unreachable, quench, redirect, time exceeded, parameter problem. ICMPv6: all below 128 (RFC 4443, 2.1). */
function isError(isV6: boolean, type: number): boolean {
  return isV6 ? type < 128 : type === 3 || type === 4 || type === 5 || type === 11 || type === 12
}

function readMtu(packet: DecodedPacket, isV6: boolean, type: number, code: number): number | undefined {
  const at = packet.transportOffset
  if (at + 8 > packet.frameOffset + packet.capturedLength) return undefined
  const bytes = packet.buffer
  if (isV6) return type === 2 ? u32(bytes, at + 4) : undefined
  return type === 3 && code === 4 ? u16(bytes, at + 6) : undefined
}
