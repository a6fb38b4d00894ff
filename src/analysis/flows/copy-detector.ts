import { u16 } from '../bytes.ts'
import { ipProtocol } from '../decoded-packet.ts'
import type { DecodedPacket } from '../decoded-packet.ts'

/** A power of two. Of packets that are this many apart, copies are not found: within 5 ms, that is 13 million packets a second. */
const slotsCount = 65_536
/** How long a packet needs from one interface of a node to the next. */
const maxDelayNs = 5_000_000
const linkTypesOfAllInterfaces: ReadonlySet<number> = new Set([113, 276])

/**
 * Finds packets that were seen before at another place (interface, VLAN, tunnel): a capture of all interfaces has each packet two to four times.
 * MAC addresses, TTL and checksums differ between copies and are not compared.
 */
export class CopyDetector {
  readonly #fingerprints = new Int32Array(slotsCount)
  readonly #flows = new Int32Array(slotsCount)
  readonly #times = new Float64Array(slotsCount).fill(Number.NEGATIVE_INFINITY)

  /** True: the packet, which is assigned to its flow, was seen in another flow with the same addresses and ports, whose hash is `keyHash`. */
  isCopy(packet: DecodedPacket, keyHash: number): boolean {
    // A capture of one interface without VLANs and tunnels has no other place.
    if (
      !linkTypesOfAllInterfaces.has(packet.linkType) &&
      packet.interfaceId === 0 &&
      packet.vlanKey === 0 &&
      packet.tunnelDepth === 0
    )
      return false
    const fingerprint = fingerprintOf(packet, keyHash)
    const slot = (fingerprint ^ (fingerprint >>> 16)) & (slotsCount - 1)
    const ageNs = Math.abs(packet.timeNs - this.#times[slot]!)
    if (this.#fingerprints[slot] === fingerprint && ageNs <= maxDelayNs) return this.#flows[slot] !== packet.connection
    this.#fingerprints[slot] = fingerprint
    this.#flows[slot] = packet.connection
    this.#times[slot] = packet.timeNs
    return false
  }
}

function fingerprintOf(packet: DecodedPacket, keyHash: number): number {
  let hash = mix(keyHash + packet.direction, packet.ipId)
  hash = mix(hash, packet.payloadLength)
  if (packet.protocol === ipProtocol.tcp) {
    hash = mix(mix(hash, packet.sequence), packet.acknowledgment)
    return mix(mix(hash, packet.tcpFlags), packet.hasTimestamps ? packet.timestampValue : 0)
  }
  // Of UDP, the first bytes of the payload tell datagrams apart (the id of a DNS message).
  return packet.payloadCaptured >= 2 ? mix(hash, u16(packet.buffer, packet.payloadOffset)) : hash
}

function mix(hash: number, value: number): number {
  const mixed = Math.imul(hash ^ value, 0x85ebca6b)
  return mixed ^ (mixed >>> 13)
}
