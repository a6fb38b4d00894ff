import { addressText } from '../addresses.ts'
import { ipProtocol, layer, tcpFlag, trait } from '../decoded-packet.ts'
import type { ConnectionFacts, Connections, DecodedPacket, Endpoint, PacketTracker } from '../decoded-packet.ts'
import { TcpTracker } from '../tcp/tcp-tracker.ts'
import type { PacketSink } from '../decode/decoder.ts'
import { CopyDetector } from './copy-detector.ts'
import { FlowTable } from './flow-table.ts'
import { NatLegs } from './nat-legs.ts'
import { Redirects } from './redirects.ts'
import {
  directionDouble,
  directionDoubles,
  directionWord,
  directionWords,
  double,
  flowBit,
  flowDoubles,
  flowWords,
  seenShift,
  word,
} from './layout.ts'

export interface ConnectionTrackerOptions {
  /** default 250,000: about 88 MB when all are used */
  readonly maxConnectionsCount?: number
  /** connections are told apart by addresses and ports only, as tshark 4.0 does: to compare counters */
  readonly keyLikeTshark?: boolean
  /**
   * The capture was made on `any` of a host that forwards nothing, such as a pod. Packets to other hosts get there too, because a bridge sends each
   * frame to all its ports while it does not know the address: they are counted only. Their answers go to their sender alone.
   */
  readonly isSingleHost?: boolean
}

/** The packet type of LINUX_SLL and LINUX_SLL2: to another host. */
const toOtherHost = 3

const addressBytes = Buffer.alloc(16)
/** A connection without packets for this long was idle. */
const minIdleNs = 3e9
const bothDirections = 3
/** A datagram and those in its tunnels. */
const maxFrameFlowsCount = 8

/**
 * Assigns each TCP segment and UDP datagram to its connection, judges TCP segments, and hands the packet on to the trackers. A later fragment, a
 * cut-off header and the datagram that an ICMP error quotes belong to no connection.
 */
export class ConnectionTracker implements PacketSink, Connections {
  readonly table: FlowTable
  readonly tcp: TcpTracker
  /** UDP flows that have ended: whole after `end` */
  udpStreams = 0
  /** datagrams that were seen at another place before */
  copiedPackets = 0
  /** packets that were not analyzed, see `isSingleHost` */
  otherHostsPackets = 0
  nowNs = 0
  readonly #copies = new CopyDetector()
  readonly #redirects: Redirects
  readonly #natLegs: NatLegs
  readonly #keyLikeTshark: boolean
  readonly #isSingleHost: boolean
  #trackers: readonly PacketTracker[] = []
  /** of all trackers: most packets are handed to none */
  #wantedTraits = 0
  /** connection * 2 + direction of each datagram of the frame */
  readonly #frameFlows = new Int32Array(maxFrameFlowsCount)
  #frameFlowsCount = 0

  constructor(options: ConnectionTrackerOptions) {
    this.#keyLikeTshark = options.keyLikeTshark ?? false
    this.#isSingleHost = options.isSingleHost ?? false
    this.table = new FlowTable({
      maxFlowsCount: options.maxConnectionsCount ?? 250_000,
      keyLikeTshark: options.keyLikeTshark ?? false,
      onEvicted: (flow) => this.#evict(flow),
    })
    this.tcp = new TcpTracker(this.table)
    this.#redirects = new Redirects(this.table)
    this.#natLegs = new NatLegs(this.table)
  }

  /** To be called before the first packet. The trackers get packets and the ends of connections in this order. */
  handTo(trackers: readonly PacketTracker[]): void {
    this.#trackers = trackers
    for (const tracker of trackers) if (tracker.onPacket !== undefined) this.#wantedTraits |= tracker.wantedTraits ?? -1
  }

  onPacket(packet: DecodedPacket): void {
    if (this.#isSingleHost && packet.packetType === toOtherHost) {
      this.otherHostsPackets += 1
      return
    }
    const { protocol } = packet
    this.nowNs = packet.timeNs
    let traits: number = trait.other
    if (packet.transportOffset >= 0 && (protocol === ipProtocol.tcp || protocol === ipProtocol.udp)) {
      if (packet.inIcmpError) this.#noteIcmpError(packet)
      else {
        this.#assign(packet)
        traits = packet.payloadCaptured > 0 ? trait.payload : trait.bare
        if ((packet.tcpFlags & (tcpFlag.fin | tcpFlag.rst)) !== 0) traits |= trait.close
      }
    }
    if (packet.hasFragmentHeader || packet.vlanCount > 0 || packet.tunnelDepth > 0) traits |= trait.wrapped
    packet.traits = traits
    if ((traits & this.#wantedTraits) !== 0) this.#handOver(packet)
  }

  #handOver(packet: DecodedPacket): void {
    for (const tracker of this.#trackers)
      if ((packet.traits & (tracker.wantedTraits ?? -1)) !== 0) tracker.onPacket?.(packet)
  }

  facts(connection: number): ConnectionFacts {
    const { words, doubles } = this.table
    const at = connection * flowWords
    const client = this.clientDirection(connection)
    const own = this.#redirects.serverOf(connection) ?? this.#endpoint(connection, 1 - client)
    const { server, backend } = this.#natLegs.serverOf(connection, client, own)
    return {
      protocol: words[at + word.protocol]! & 0xff,
      client: this.#endpoint(connection, client),
      server,
      backend,
      isClientKnown: (words[at + word.bits]! & flowBit.clientKnown) !== 0,
      interfaceId: words[at + word.interfaceId]!,
      vlan: words[at + word.vlan]!,
      tunnelId: words[at + word.tunnelId]!,
      firstFrame: words[at + word.firstFrame]!,
      firstTimeNs: doubles[connection * flowDoubles + double.firstTime]!,
      lastTimeNs: doubles[connection * flowDoubles + double.lastTime]!,
    }
  }

  clientDirection(connection: number): number {
    return (this.table.words[connection * flowWords + word.bits]! & flowBit.clientIs1) !== 0 ? 1 : 0
  }

  seenDirections(connection: number): number {
    return (this.table.words[connection * flowWords + word.bits]! >>> seenShift) & 3
  }

  firstTimeNs(connection: number): number {
    return this.table.doubles[connection * flowDoubles + double.firstTime]!
  }

  initialRoundTripNs(connection: number): number | undefined {
    const roundTripNs = this.table.doubles[connection * flowDoubles + double.roundTrip]!
    return roundTripNs < 0 ? undefined : roundTripNs
  }

  /** A proxy in the pod answers in place of the server. */
  isRedirected(connection: number): boolean {
    return this.#redirects.serverOf(connection) !== undefined
  }

  /** Frames of both directions. */
  packets(connection: number): number {
    const at = connection * flowWords + word.directions + directionWord.packets
    return this.table.words[at]! + this.table.words[at + directionWords]!
  }

  /** Ends all connections: the totals are whole afterwards. */
  end(): void {
    for (let flow = 0; flow < this.table.count; flow += 1) this.#end(flow)
  }

  /**
   * Called after all packets of a frame: counts the frame in the connections that were found in it. As in tshark's filters of the ground truth,
   * a frame with ICMP in it counts for none.
   */
  onFrameEnd(packet: DecodedPacket): void {
    const count = this.#frameFlowsCount
    this.#frameFlowsCount = 0
    if ((packet.layers & (layer.icmp | layer.icmpv6)) !== 0) return
    const { words, doubles } = this.table
    for (let index = 0; index < count; index += 1) {
      const flow = this.#frameFlows[index]! >> 1
      const direction = this.#frameFlows[index]! & 1
      words[flow * flowWords + word.directions + direction * directionWords + directionWord.packets]! += 1
      const block = flow * flowDoubles + double.directions + direction * directionDoubles
      doubles[block + directionDouble.wireBytes]! += packet.wireLength
    }
  }

  #assign(packet: DecodedPacket): void {
    let isJoined = false
    if (this.#keyLikeTshark) this.table.assign(packet)
    else isJoined = this.#assignLegs(packet)
    this.#noteIdleTime(packet)
    if (packet.protocol === ipProtocol.tcp) this.tcp.onSegment(packet)
    // A SYN may have begun another connection with the same ports.
    if (!isJoined && !this.#keyLikeTshark) this.#redirects.note(packet)
    const { words, doubles } = this.table
    const { connection, direction } = packet
    const at = connection * flowWords
    const doublesAt = connection * flowDoubles
    const doubleBlock = doublesAt + double.directions + direction * directionDoubles
    words[at + word.lastFrame] = packet.frameNumber
    words[at + word.bits]! |= 1 << (seenShift + direction)
    if (this.#frameFlowsCount < maxFrameFlowsCount)
      this.#frameFlows[this.#frameFlowsCount++] = connection * 2 + direction
    doubles[doublesAt + double.lastTime] = packet.timeNs
    doubles[doubleBlock + directionDouble.lastTime] = packet.timeNs
    doubles[doubleBlock + directionDouble.payloadBytes]! += packet.payloadLength
  }

  /** Assigns a packet to its connection, of which a capture may have more than one view. True: it is an answer from behind a redirection. */
  #assignLegs(packet: DecodedPacket): boolean {
    const joined = this.#redirects.join(packet)
    if (joined === 'first') this.#merge(packet)
    if (joined === false) this.table.assign(packet)
    this.#findCopy(packet)
    return joined !== false
  }

  /** Answers that were seen before the client's half of the connection are in a connection of their own: it is forgotten. */
  #merge(packet: DecodedPacket): void {
    const early = this.table.findKnown(packet)
    if (early < 0 || early === packet.connection || this.seenDirections(early) === bothDirections) return
    this.table.words[early * flowWords + word.bits]! |= flowBit.copy
    for (const tracker of this.#trackers) tracker.onConnectionMerged?.(early)
  }

  /** A flow whose first packet is a copy is a second view of the flow that has the original: statistics count the first view only. */
  #findCopy(packet: DecodedPacket): void {
    const { words } = this.table
    const at = packet.connection * flowWords
    // What passes the second place first is still counted at the first one: packets of a second view are not compared.
    let isCopy = (words[at + word.bits]! & flowBit.copy) !== 0
    if (!isCopy) {
      const isFirst = words[at + word.lastFrame] === 0
      isCopy = this.#copies.isCopy(packet, words[at + word.hash]!)
      if (!isCopy && (isFirst || isPureSyn(packet))) isCopy = this.#natLegs.isSecondLeg(packet)
      if (isCopy && isFirst) words[at + word.bits]! |= flowBit.copy
    }
    packet.isCopy = isCopy
    if (packet.isCopy) this.copiedPackets += 1
  }

  #noteIdleTime({ connection, timeNs }: DecodedPacket): void {
    const { words, doubles } = this.table
    const at = connection * flowDoubles
    const idleNs = timeNs - doubles[at + double.lastTime]!
    if (idleNs < minIdleNs || words[connection * flowWords + word.lastFrame] === 0) return
    doubles[at + double.idleBefore] = idleNs
    doubles[at + double.idleEnd] = timeNs
  }

  #noteIcmpError(packet: DecodedPacket): void {
    const flow = this.table.findKnown(packet)
    packet.quotedConnection = flow
    if (flow < 0) return
    this.table.words[flow * flowWords + word.bits]! |= flowBit.icmpError
    // The same error comes to each leg of a connection behind NAT.
    packet.isCopy = (this.table.words[flow * flowWords + word.bits]! & flowBit.copy) !== 0
  }

  #endpoint(connection: number, direction: number): Endpoint {
    const { words } = this.table
    const at = connection * flowWords
    const isLow = ((words[at + word.bits]! & flowBit.firstIsLow) !== 0) === (direction === 0)
    const addressLength = words[at + word.protocol]! >> 8 === 4 ? 4 : 16
    for (let index = 0; index < 4; index += 1)
      addressBytes.writeInt32BE(words[at + (isLow ? word.low : word.high) + index]!, index * 4)
    const ports = words[at + word.ports]!
    return { address: addressText(addressBytes, 0, addressLength), port: isLow ? ports >>> 16 : ports & 0xffff }
  }

  #evict(flow: number): void {
    this.#end(flow)
    for (const tracker of this.#trackers) tracker.onConnectionEvicted?.(flow)
    this.#redirects.forget(flow)
    this.#natLegs.forget(flow)
  }

  #end(flow: number): void {
    const { words } = this.table
    if ((words[flow * flowWords + word.bits]! & flowBit.copy) !== 0) return
    const isTcp = (words[flow * flowWords + word.protocol]! & 0xff) === ipProtocol.tcp
    for (const tracker of this.#trackers) tracker.onConnectionEnd?.(flow)
    if (isTcp) this.tcp.onConnectionEnd(flow)
    else if (this.packets(flow) > 0) this.udpStreams += 1
  }
}

function isPureSyn({ tcpFlags }: DecodedPacket): boolean {
  return (tcpFlags & (tcpFlag.syn | tcpFlag.ack)) === tcpFlag.syn
}
