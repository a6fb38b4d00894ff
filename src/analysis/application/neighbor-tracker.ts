import { u16 } from '../bytes.ts'
import { addressText } from '../addresses.ts'
import { type DecodedPacket, ipProtocol } from '../decoded-packet.ts'
import { addOccurrence, noOccurrences, type Occurrences } from './occurrences.ts'
import { TextCounts } from './text-counts.ts'

const etherTypeArp = 0x0806
const arpRequest = 1
const neighborSolicitation = 135
const neighborAdvertisement = 136
const maxNeighborsCount = 10_000
/** The packet type of LINUX_SLL and LINUX_SLL2 */
const sentByUs = 4
/** Two requests within this without a reply: no host has the address. */
const retryWindowNs = 3e9
/** A bridge sends one request to all its ports: a capture of all interfaces has it on each. */
const maxDelayNs = 5e6

/** An address that somebody asked for on the link. */
export interface Neighbor extends Occurrences {
  readonly address: string
  readonly ipVersion: 4 | 6
  /** the first that asked */
  readonly asker: string
  isAnswered: boolean
  /** two requests came within 3 s while there was no reply */
  wasAskedAgain: boolean
}

/** ARP and IPv6 neighbor discovery: the counter `arp` by operation, and addresses that did not answer. */
export class NeighborTracker {
  readonly #operations = new TextCounts()
  readonly #neighbors = new Map<string, Neighbor>()
  overflowCount = 0

  onPacket(packet: DecodedPacket): void {
    if (packet.etherType === etherTypeArp && packet.ipVersion === 0) this.#onArp(packet)
    else if (packet.protocol === ipProtocol.icmpv6 && !packet.inIcmpError) this.#onIcmpv6(packet)
  }

  counters(): Record<string, number> {
    return this.#operations.toRecord()
  }

  /** Addresses that were asked for at least twice within 3 s and never answered. */
  unanswered(): Neighbor[] {
    return [...this.#neighbors.values()].filter(({ isAnswered, wasAskedAgain }) => wasAskedAgain && !isAnswered)
  }

  #onArp(packet: DecodedPacket): void {
    const { buffer, networkOffset: at } = packet
    if (at < 0 || packet.networkCaptured < 8) return
    const operation = u16(buffer, at + 6)
    this.#operations.add(String(operation), packet.frameNumber)
    const hardwareLength = buffer[at + 4]!
    const isIpv4 = u16(buffer, at + 2) === 0x0800 && buffer[at + 5] === 4
    const sender = at + 8 + hardwareLength
    const target = sender + 4 + hardwareLength
    if (!isIpv4 || target + 4 > at + packet.networkCaptured) return
    const senderText = addressText(buffer, sender, 4)
    // The sender has its address, except for a probe (RFC 5227), which has none yet.
    if (senderText !== '0.0.0.0') this.#onAlive(senderText)
    const targetText = addressText(buffer, target, 4)
    if (operation === arpRequest && targetText !== senderText && senderText !== '0.0.0.0') {
      this.#onRequest(targetText, senderText, packet)
    }
  }

  #onIcmpv6(packet: DecodedPacket): void {
    const { buffer, transportOffset: at } = packet
    if (at < 0 || at + 24 > packet.frameOffset + packet.capturedLength) return
    const type = buffer[at]
    if (type === neighborAdvertisement) this.#onAlive(addressText(buffer, at + 8, 16))
    if (type !== neighborSolicitation) return
    const asker = addressText(buffer, packet.sourceOffset, packet.addressLength)
    // Duplicate address detection asks for the own address, and no answer is the good case.
    if (asker !== '::') this.#onRequest(addressText(buffer, at + 8, 16), asker, packet)
  }

  #onRequest(address: string, asker: string, packet: DecodedPacket): void {
    // The requests of other hosts on the link are broadcast, and the replies to them are not: only those of this host can be judged.
    if (packet.packetType >= 0 && packet.packetType !== sentByUs) return
    let neighbor = this.#neighbors.get(address)
    if (neighbor === undefined) {
      if (this.#neighbors.size >= maxNeighborsCount) {
        this.overflowCount++
        return
      }
      const ipVersion = packet.ipVersion === 6 ? 6 : 4
      neighbor = { ...noOccurrences(), address, ipVersion, asker, isAnswered: false, wasAskedAgain: false }
      this.#neighbors.set(address, neighbor)
    } else if (packet.packetType >= 0 && packet.timeNs - neighbor.lastTimeNs < maxDelayNs) {
      return
    } else if (packet.timeNs - neighbor.lastTimeNs <= retryWindowNs) {
      neighbor.wasAskedAgain = true
    }
    addOccurrence(neighbor, packet.frameNumber, packet.timeNs)
  }

  #onAlive(address: string): void {
    const neighbor = this.#neighbors.get(address)
    if (neighbor !== undefined) neighbor.isAnswered = true
  }
}
