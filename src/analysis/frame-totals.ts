import type { CapturedPacket } from '../pcap/capture-format.ts'
import { layer, trait, tunnel } from './decoded-packet.ts'
import type { DecodedPacket, PacketTracker } from './decoded-packet.ts'

const maxListedCount = 4_096
/** The kernel stamps packets on several CPUs and sorts them little: on `any`, times go back by microseconds while nothing is wrong. */
const clockStepNs = 1e6

/** Counts frames, their sizes, and what was found in them. */
export class FrameTotals implements PacketTracker {
  readonly wantedTraits = trait.wrapped
  bytesOnWire = 0
  bytesCaptured = 0
  snapped = 0
  /** the longest packet that was cut, as it was captured, bytes */
  snapBytes = 0
  frames = 0
  firstNs = Number.POSITIVE_INFINITY
  lastNs = Number.NEGATIVE_INFINITY
  timeGoesBack = 0
  /** how often the time goes back so far that a clock must have been set */
  clockSetBack = 0
  ipFragments = 0
  /** frames that hold the protocol, by the names of `layer` */
  readonly layerCounts = new Array<number>(32).fill(0)
  readonly interfaces = new Map<number, number>()
  readonly packetTypes = new Map<number, number>()
  readonly linkTypes = new Map<number, number>()
  readonly vlans = new Map<number, number>()
  /** by the text that tshark shows: VXLAN in decimal, Geneve in hexadecimal */
  readonly vnis = new Map<string, number>()
  /** frames with TCP or UDP and without ICMP */
  tcpFrames = 0
  udpFrames = 0
  #previousNs = Number.NEGATIVE_INFINITY
  #isFragment = false
  // Frames of the same link type and interface in a row, not yet in the maps.
  #runFrames = 0
  #runLinkType = -1
  #runInterfaceId = -1

  onPacket(packet: DecodedPacket): void {
    if (packet.inIcmpError) return
    if (packet.hasFragmentHeader) this.#isFragment = true
    if (packet.vlanCount > 0) {
      const isProvider = packet.outerVlanType === 0x88a8 // tshark's vlan.id has only the tags of 802.1Q
      if (packet.vlanCount > 1 || !isProvider) add(this.vlans, packet.vlan)
      if (packet.vlanCount > 1 && !isProvider) add(this.vlans, packet.outerVlan)
    }
    if (packet.tunnelKind === tunnel.vxlan) add(this.vnis, String(packet.tunnelId))
    else if (packet.tunnelKind === tunnel.geneve) add(this.vnis, `0x${packet.tunnelId.toString(16).padStart(6, '0')}`)
  }

  /** Called after all of the frame's packets were handed over. */
  onFrame(captured: CapturedPacket, packet: DecodedPacket): void {
    this.frames += 1
    this.bytesCaptured += packet.capturedLength
    this.bytesOnWire += captured.originalLength
    if (packet.capturedLength < captured.originalLength) {
      this.snapped += 1
      if (packet.capturedLength > this.snapBytes) this.snapBytes = packet.capturedLength
    }
    if (packet.packetType >= 0) add(this.packetTypes, packet.packetType)
    this.#countTime(packet.timeNs)
    this.#countLayers(packet.layers)
    if (packet.linkType !== this.#runLinkType || packet.interfaceId !== this.#runInterfaceId) this.#startRun(packet)
    this.#runFrames += 1
    if (this.#isFragment) this.ipFragments += 1
    this.#isFragment = false
  }

  /** Must be called after the last frame. */
  end(): void {
    if (this.#runFrames === 0) return
    add(this.linkTypes, this.#runLinkType, this.#runFrames)
    add(this.interfaces, this.#runInterfaceId, this.#runFrames)
    this.#runFrames = 0
  }

  #startRun(packet: DecodedPacket): void {
    this.end()
    this.#runLinkType = packet.linkType
    this.#runInterfaceId = packet.interfaceId
  }

  #countTime(timeNs: number): void {
    if (timeNs < this.firstNs) this.firstNs = timeNs
    if (timeNs > this.lastNs) this.lastNs = timeNs
    if (timeNs < this.#previousNs) this.timeGoesBack += 1
    if (this.#previousNs - timeNs >= clockStepNs) this.clockSetBack += 1
    this.#previousNs = timeNs
  }

  #countLayers(layers: number): void {
    for (let rest = layers; rest !== 0; rest &= rest - 1) this.layerCounts[31 - Math.clz32(rest & -rest)]! += 1
    if ((layers & (layer.icmp | layer.icmpv6)) !== 0) return
    if ((layers & layer.tcp) !== 0) this.tcpFrames += 1
    if ((layers & layer.udp) !== 0) this.udpFrames += 1
  }
}

function add<Key>(counts: Map<Key, number>, key: Key, added = 1): void {
  const count = counts.get(key)
  if (count !== undefined) counts.set(key, count + added)
  else if (counts.size < maxListedCount) counts.set(key, added)
}
