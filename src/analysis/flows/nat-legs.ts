import { addressText } from '../addresses.ts'
import { i32 } from '../bytes.ts'
import { ipProtocol, tcpFlag } from '../decoded-packet.ts'
import type { DecodedPacket, Endpoint } from '../decoded-packet.ts'
import type { FlowTable } from './flow-table.ts'
import { flowBit, flowWords, word } from './layout.ts'

/** How long a packet needs from one side of the NAT to the other. */
const maxDelayNs = 5_000_000
/** A power of two. Of first packets that are this many apart, legs are not joined. */
const slotsCount = 4_096
/** Beyond this, the backend of a connection is not known. */
const maxBackendsCount = 20_000
/** The start of a datagram that tells it from others: id, flags and name of a DNS message. */
const maxFingerprintBytes = 32

/** What the second leg of a connection has in place of one end of the first leg. */
interface OtherLeg {
  readonly end: Endpoint
  /** the direction of the first leg in which the end sends that NAT did not change; -1: it changed both */
  readonly keptDirection: number
  /** the packet that was seen on both legs was sent by that end */
  readonly isFromKept: boolean
}

/**
 * Finds the second leg of a connection behind NAT: kube-proxy sends a connection to the address of a service on to a pod, and masquerading changes
 * the client's address. A capture of a node has both legs. The first packet of a connection passes both within microseconds, with the same payload;
 * of TCP, with the same sequence number and time stamp.
 */
export class NatLegs {
  readonly #table: FlowTable
  readonly #keys = new Int32Array(slotsCount)
  readonly #checks = new Int32Array(slotsCount)
  readonly #connections = new Int32Array(slotsCount)
  readonly #times = new Float64Array(slotsCount).fill(Number.NEGATIVE_INFINITY)
  readonly #others = new Map<number, OtherLeg>()

  constructor(table: FlowTable) {
    this.#table = table
  }

  /** True: the packet, the first of the connection that it is assigned to or a SYN, was seen before or behind NAT in another connection. */
  isSecondLeg(packet: DecodedPacket): boolean {
    const isTcp = packet.protocol === ipProtocol.tcp
    if (!isTcp && packet.payloadCaptured < 4) return false
    const check = isTcp ? packet.sequence | 0 : i32(packet.buffer, packet.payloadOffset)
    const key = isTcp ? segmentKey(packet) : datagramKey(packet)
    const slot = (key ^ (key >>> 12) ^ (key >>> 24)) & (slotsCount - 1)
    const ageNs = Math.abs(packet.timeNs - this.#times[slot]!)
    if (this.#keys[slot] === key && this.#checks[slot] === check && ageNs <= maxDelayNs) {
      const first = this.#connections[slot]!
      if (first === packet.connection) return false
      if (this.#areLegs(first, packet)) return true
    }
    this.#keys[slot] = key
    this.#checks[slot] = check
    this.#connections[slot] = packet.connection
    this.#times[slot] = packet.timeNs
    return false
  }

  /** `own`: the server of the leg that was seen first. Its backend is the pod behind the address of a service. */
  serverOf(connection: number, clientDirection: number, own: Endpoint): { server: Endpoint; backend?: Endpoint } {
    const other = this.#others.get(connection)
    if (other === undefined || (other.keptDirection >= 0 && other.keptDirection !== clientDirection))
      return { server: own }
    if (other.end.address === own.address && other.end.port === own.port) return { server: own }
    return other.isFromKept ? { server: own, backend: other.end } : { server: other.end, backend: own }
  }

  forget(connection: number): void {
    this.#others.delete(connection)
  }

  #areLegs(first: number, packet: DecodedPacket): boolean {
    const { words } = this.#table
    const at = first * flowWords
    const other = packet.connection * flowWords
    if (words[at + word.protocol] !== words[other + word.protocol]) return false
    // A client may send one datagram to several servers (musl does it with DNS queries), by the same interface.
    if (packet.protocol === ipProtocol.udp && words[at + word.tag0] === words[other + word.tag0]) return false
    const isSenderKept = this.#hasEnd(first, packet.connection, packet.direction)
    const isReceiverKept = this.#hasEnd(first, packet.connection, 1 - packet.direction)
    if (!isSenderKept && !isReceiverKept) {
      if (!packet.hasTimestamps || packet.protocol !== ipProtocol.tcp) return false
      if ((packet.tcpFlags & (tcpFlag.syn | tcpFlag.ack)) !== tcpFlag.syn) return true
    }
    const keptDirection = isSenderKept === isReceiverKept ? -1 : this.#direction(first, packet, isSenderKept)
    this.#note(first, packet, { keptDirection, isFromKept: isSenderKept || !isReceiverKept })
    return true
  }

  /** The direction of the first leg in which the packet's sender sends, or its receiver. */
  #direction(first: number, { connection, direction }: DecodedPacket, isSender: boolean): number {
    const end = this.#end(connection, isSender ? direction : 1 - direction)
    return this.#isSame(this.#end(first, 0), end) ? 0 : 1
  }

  /** Whether an end of the first connection is the one that sends in this direction of the other. */
  #hasEnd(first: number, connection: number, direction: number): boolean {
    const end = this.#end(connection, direction)
    return this.#isSame(this.#end(first, 0), end) || this.#isSame(this.#end(first, 1), end)
  }

  #end(connection: number, direction: number): { at: number; port: number } {
    const { words } = this.#table
    const at = connection * flowWords
    const isLow = ((words[at + word.bits]! & flowBit.firstIsLow) !== 0) === (direction === 0)
    const ports = words[at + word.ports]!
    return { at: at + (isLow ? word.low : word.high), port: isLow ? ports >>> 16 : ports & 0xffff }
  }

  #isSame(one: { at: number; port: number }, other: { at: number; port: number }): boolean {
    const { words } = this.#table
    for (let index = 0; index < 4; index += 1) if (words[one.at + index] !== words[other.at + index]) return false
    return one.port === other.port
  }

  /** Of several legs the last one is that of the pod, or the one with the address of the service. */
  #note(first: number, packet: DecodedPacket, kept: Omit<OtherLeg, 'end'>): void {
    if (this.#others.size >= maxBackendsCount && !this.#others.has(first)) return
    const { buffer, addressLength, sourceOffset, sourcePort, destinationOffset, destinationPort } = packet
    const end = kept.isFromKept
      ? { address: addressText(buffer, destinationOffset, addressLength), port: destinationPort }
      : { address: addressText(buffer, sourceOffset, addressLength), port: sourcePort }
    this.#others.set(first, { end, ...kept })
  }
}

function segmentKey(packet: DecodedPacket): number {
  const key = mix(mix(packet.sequence, packet.acknowledgment), packet.tcpFlags)
  return mix(mix(key, packet.payloadLength), packet.hasTimestamps ? packet.timestampValue : 0)
}

function datagramKey({ buffer, payloadOffset, payloadCaptured, payloadLength }: DecodedPacket): number {
  const bytesCount = Math.min(payloadCaptured, maxFingerprintBytes)
  let key = payloadLength
  for (let at = 0; at + 4 <= bytesCount; at += 4) key = mix(key, i32(buffer, payloadOffset + at))
  return key
}

function mix(hash: number, value: number): number {
  const mixed = Math.imul(hash ^ value, 0x85ebca6b)
  return mixed ^ (mixed >>> 13)
}
