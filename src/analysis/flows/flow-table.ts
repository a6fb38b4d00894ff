import { randomInt } from 'node:crypto'
import { i32 } from '../bytes.ts'
import { tcpFlag } from '../decoded-packet.ts'
import type { DecodedPacket } from '../decoded-packet.ts'
import { directionWord, directionWords, double, flowBit, flowDoubles, flowWords, word } from './layout.ts'

export interface FlowTableOptions {
  /** more flows than this at once: the one that was idle longest (of a few) is given up */
  readonly maxFlowsCount: number
  /** flows are told apart by addresses and ports only, as tshark 4.0 does */
  readonly keyLikeTshark: boolean
  /** called before a flow's record is given to another flow */
  readonly onEvicted: (flow: number) => void
}

/** How many flows are looked at to find one to give up. */
const evictionCandidatesCount = 8
/** Packets that were made to fall into one bucket, or into one flow with many tunnels, must not make the search slow. */
const maxChainStepsCount = 128

/**
 * Flows of TCP and UDP by interface, VLAN, tunnel, addresses, ports and protocol, in one block of memory (`layout.ts`).
 *
 * A capture of all interfaces sees a packet on each interface that it passes. Each interface has a flow of its own, so that the copies are not
 * taken for retransmissions. But some paths differ by direction (Geneve in OVN has another VNI on the way back, SLL another packet type): the
 * answer of a flow that was seen in one direction only belongs to that flow, wherever it is seen, unless another flow fits exactly.
 */
export class FlowTable {
  readonly words: Int32Array
  readonly doubles: Float64Array
  /** number of flows, at most `maxFlowsCount`; their numbers are 0 to count - 1 */
  count = 0
  evictedCount = 0
  readonly maxFlowsCount: number
  readonly #buckets: Int32Array
  readonly #bucketMask: number
  readonly #options: FlowTableOptions
  #evictionHand = 0
  // The key of the packet that is looked up.
  readonly #key = new Int32Array(10)
  #keyHash = 0
  #sourceIsLow = true

  constructor(options: FlowTableOptions) {
    // The whole block at once: the system gives the memory when a record is first used, and growing would copy.
    const memory = new ArrayBuffer(options.maxFlowsCount * flowWords * 4)
    this.words = new Int32Array(memory)
    this.doubles = new Float64Array(memory)
    const buckets = 1 << Math.max(8, Math.ceil(Math.log2(options.maxFlowsCount)))
    this.#buckets = new Int32Array(buckets)
    this.#bucketMask = buckets - 1
    this.#options = options
    this.maxFlowsCount = options.maxFlowsCount
  }

  /** Sets `connection` and `direction` of the packet, which must have ports. Makes a flow where there is none. */
  assign(packet: DecodedPacket): void {
    this.#setKey(packet)
    const tag = this.#options.keyLikeTshark ? 0 : flowTag(packet)
    let flow = this.#find(tag, isPureSyn(packet))
    if (flow < 0) flow = this.#add(packet, tag)
    this.#use(packet, flow, tag)
  }

  /** A new flow for the packet in place of the one that it was assigned to: its ports are used again. */
  supersede(packet: DecodedPacket): void {
    const old = packet.connection
    const tag = this.#options.keyLikeTshark ? 0 : flowTag(packet)
    this.words[old * flowWords + word.bits]! |= flowBit.superseded
    this.#setKey(packet)
    const flow = this.#add(packet, tag)
    this.words[flow * flowWords + word.bits]! |= flowBit.reused
    this.#use(packet, flow, tag)
  }

  /** The flow with the packet's key, the first view of it before its copies; -1 where it is unknown. Nothing is changed. */
  findKnown(packet: DecodedPacket): number {
    this.#setKey(packet)
    const { words } = this
    let found = -1
    let next = this.#buckets[this.#keyHash & this.#bucketMask]! - 1
    for (let steps = 0; next >= 0 && steps < maxChainStepsCount; steps += 1) {
      const flow = next
      next = words[flow * flowWords + word.chainNext]!
      if (!this.#hasKey(flow)) continue
      if ((words[flow * flowWords + word.bits]! & flowBit.copy) === 0) return flow
      if (found < 0) found = flow
    }
    return found
  }

  #use(packet: DecodedPacket, flow: number, tag: number): void {
    const { words } = this
    const at = flow * flowWords
    const bits = words[at + word.bits]!
    const isFirst = ((bits & flowBit.firstIsLow) !== 0) === this.#sourceIsLow
    packet.connection = flow
    packet.direction = isFirst ? 0 : 1
    if (!isFirst && (bits & flowBit.hasTag1) === 0) {
      words[at + word.tag1] = tag
      words[at + word.bits] = bits | flowBit.hasTag1
    }
  }

  /** The newest flow with the key that was seen in the packet's direction at the same place, or else one whose answers were not seen yet. */
  #find(tag: number, isSyn: boolean): number {
    const { words } = this
    let open = -1
    let next = this.#buckets[this.#keyHash & this.#bucketMask]! - 1
    for (let steps = 0; next >= 0 && steps < maxChainStepsCount; steps += 1) {
      const flow = next
      next = words[flow * flowWords + word.chainNext]!
      if (!this.#hasKey(flow)) continue
      const at = flow * flowWords
      const bits = words[at + word.bits]!
      if ((bits & flowBit.superseded) !== 0) continue
      const isFirst = ((bits & flowBit.firstIsLow) !== 0) === this.#sourceIsLow
      if (isFirst ? words[at + word.tag0] === tag : (bits & flowBit.hasTag1) !== 0 && words[at + word.tag1] === tag)
        return flow
      if (isFirst || (bits & flowBit.hasTag1) !== 0) continue
      if (words[at + word.tag0] === tag) return flow
      // The first view of a flow before its copies.
      if (!isSyn && (open < 0 || (bits & flowBit.copy) === 0)) open = flow
    }
    return open
  }

  #hasKey(flow: number): boolean {
    const { words } = this
    const key = this.#key
    const at = flow * flowWords
    if (words[at + word.hash] !== this.#keyHash) return false
    for (let index = 0; index < 10; index += 1) if (words[at + index] !== key[index]) return false
    return true
  }

  #add(packet: DecodedPacket, tag: number): number {
    const { words, doubles } = this
    const flow = this.count < this.#options.maxFlowsCount ? this.count++ : this.#evict()
    const at = flow * flowWords
    words.fill(0, at, at + flowWords)
    words.set(this.#key, at)
    words[at + word.hash] = this.#keyHash
    this.#link(flow)
    words[at + word.tag0] = tag
    words[at + word.bits] = this.#sourceIsLow ? flowBit.firstIsLow : 0
    words[at + word.interfaceId] = packet.interfaceId
    words[at + word.vlan] = packet.vlan
    words[at + word.tunnelId] = packet.tunnelId
    words[at + word.firstFrame] = packet.frameNumber
    for (let direction = 0; direction < 2; direction += 1) {
      const block = at + word.directions + direction * directionWords
      words[block + directionWord.scale] = -2
      words[block + directionWord.holes] = -1
    }
    doubles[flow * flowDoubles + double.firstTime] = packet.timeNs
    doubles[flow * flowDoubles + double.roundTrip] = -1
    return flow
  }

  #evict(): number {
    const { doubles } = this
    let oldest = this.#evictionHand
    for (let step = 0; step < evictionCandidatesCount; step += 1) {
      const flow = (this.#evictionHand + step) % this.count
      if (doubles[flow * flowDoubles + double.lastTime]! < doubles[oldest * flowDoubles + double.lastTime]!)
        oldest = flow
    }
    this.#evictionHand = (this.#evictionHand + evictionCandidatesCount) % this.count
    this.#options.onEvicted(oldest)
    this.#unlink(oldest)
    this.evictedCount += 1
    return oldest
  }

  #link(flow: number): void {
    const { words } = this
    const bucket = this.#keyHash & this.#bucketMask
    const next = this.#buckets[bucket]! - 1
    words[flow * flowWords + word.chainNext] = next
    words[flow * flowWords + word.chainPrevious] = -1
    if (next >= 0) words[next * flowWords + word.chainPrevious] = flow
    this.#buckets[bucket] = flow + 1
  }

  #unlink(flow: number): void {
    const { words } = this
    const next = words[flow * flowWords + word.chainNext]!
    const previous = words[flow * flowWords + word.chainPrevious]!
    if (next >= 0) words[next * flowWords + word.chainPrevious] = previous
    if (previous >= 0) words[previous * flowWords + word.chainNext] = next
    else this.#buckets[words[flow * flowWords + word.hash]! & this.#bucketMask] = next + 1
  }

  #setKey(packet: DecodedPacket): void {
    const { buffer, sourceOffset, destinationOffset, addressLength, sourcePort, destinationPort } = packet
    const key = this.#key
    const order = compareAddresses(buffer, sourceOffset, destinationOffset, addressLength)
    const sourceIsLow = order < 0 || (order === 0 && sourcePort <= destinationPort)
    const low = sourceIsLow ? sourceOffset : destinationOffset
    const high = sourceIsLow ? destinationOffset : sourceOffset
    let hash = hashSeed
    for (let index = 0; index < 4; index += 1) {
      if (index * 4 < addressLength) {
        const lowWord = i32(buffer, low + index * 4)
        const highWord = i32(buffer, high + index * 4)
        key[word.low + index] = lowWord
        key[word.high + index] = highWord
        hash = mix(mix(hash, lowWord), highWord)
      } else {
        key[word.low + index] = 0
        key[word.high + index] = 0
      }
    }
    const ports = sourceIsLow ? (sourcePort << 16) | destinationPort : (destinationPort << 16) | sourcePort
    key[word.ports] = ports
    key[word.protocol] = (packet.ipVersion << 8) | packet.protocol
    hash = mix(mix(hash, ports), packet.protocol)
    this.#keyHash = (hash ^ (hash >>> 15)) & 0x7fffffff
    this.#sourceIsLow = sourceIsLow
  }
}

/** Differs by process, so that packets that collide cannot be prepared. */
const hashSeed = randomInt(0x7fffffff)

function mix(hash: number, value: number): number {
  const mixed = Math.imul(hash ^ value, 0x9e3779b1)
  return mixed ^ (mixed >>> 16)
}

/** Negative: the address at `one` is the smaller. By words, any fixed order will do. */
function compareAddresses(buffer: Uint8Array, one: number, other: number, addressLength: number): number {
  for (let at = 0; at < addressLength; at += 4) {
    const first = i32(buffer, one + at)
    const second = i32(buffer, other + at)
    if (first !== second) return first < second ? -1 : 1
  }
  return 0
}

/** Stands for the place at which a packet was seen: interface, packet type of SLL without an interface, VLAN tags, tunnel. */
function flowTag(packet: DecodedPacket): number {
  const type = packet.linkType === 113 ? packet.packetType + 1 : 0
  let tag = mix(packet.interfaceId, type)
  if (packet.vlanKey !== 0) tag = mix(tag + 1, packet.vlanKey)
  if (packet.tunnelDepth > 0) tag = mix(mix(tag + 2, packet.tunnelKind + packet.tunnelDepth * 16), packet.tunnelId)
  return tag
}

function isPureSyn(packet: DecodedPacket): boolean {
  return (packet.tcpFlags & (tcpFlag.syn | tcpFlag.ack)) === tcpFlag.syn
}
