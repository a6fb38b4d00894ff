import { tcpFlag } from '../decoded-packet.ts'
import type { DecodedPacket, Endpoint } from '../decoded-packet.ts'
import { addressText } from '../addresses.ts'

/** How long a SYN needs from one side of the NAT to the other. */
const maxDelayNs = 5_000_000
/** A power of two. Of SYNs that are this many apart, legs are not joined. */
const slotsCount = 4_096
/** Beyond this, the backend of a connection is not known. */
const maxBackendsCount = 20_000

/**
 * Finds the second leg of a connection behind NAT: kube-proxy sends a connection to the address of a service on to a pod, and masquerading changes
 * the client's address. Neither changes the initial sequence number and the TCP time stamp, which every Linux sends by default. A capture of a node has both legs.
 */
export class NatLegs {
  readonly #keys = new Int32Array(slotsCount)
  readonly #connections = new Int32Array(slotsCount)
  readonly #times = new Float64Array(slotsCount).fill(Number.NEGATIVE_INFINITY)
  readonly #backends = new Map<number, Endpoint>()

  /** True: the SYN, which is assigned to its connection, was seen before NAT in another connection. */
  isSecondLeg(packet: DecodedPacket): boolean {
    if ((packet.tcpFlags & (tcpFlag.syn | tcpFlag.ack)) !== tcpFlag.syn) return false
    if (!packet.hasTimestamps) return false // a sequence number alone may be that of another client
    const key = (packet.sequence ^ packet.timestampValue) | 0
    const slot = (key ^ (key >>> 12) ^ (key >>> 24)) & (slotsCount - 1)
    const ageNs = Math.abs(packet.timeNs - this.#times[slot]!)
    const first = this.#connections[slot]!
    if (this.#keys[slot] === key && ageNs <= maxDelayNs) {
      if (first === packet.connection) return false
      this.#noteBackend(first, packet)
      return true
    }
    this.#keys[slot] = key
    this.#connections[slot] = packet.connection
    this.#times[slot] = packet.timeNs
    return false
  }

  /** Where the connection ended behind NAT. */
  backendOf(connection: number): Endpoint | undefined {
    return this.#backends.get(connection)
  }

  forget(connection: number): void {
    this.#backends.delete(connection)
  }

  /** Of several legs the last one is that of the pod. */
  #noteBackend(first: number, { buffer, destinationOffset, addressLength, destinationPort }: DecodedPacket): void {
    if (this.#backends.size >= maxBackendsCount && !this.#backends.has(first)) return
    this.#backends.set(first, {
      address: addressText(buffer, destinationOffset, addressLength),
      port: destinationPort,
    })
  }
}
