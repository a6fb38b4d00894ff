import { addressText } from '../addresses.ts'
import {
  type Connections,
  type DecodedPacket,
  type Endpoint,
  ipProtocol,
  type PacketTracker,
  tcpEvent,
  tcpFlag,
  trait,
} from '../decoded-packet.ts'
import { BoundedMap } from './bounded-map.ts'
import type { ConnectionEnds } from './connection-ends.ts'
import { DnsMessage, looksLikeDns, readDnsMessage } from './dns-message.ts'
import { type DnsCounters, DnsTracker } from './dns-tracker.ts'
import type { DnsContext } from './dns-transaction.ts'
import { type HttpCounters, HttpTracker } from './http-tracker.ts'
import { type IcmpCounters, IcmpTracker } from './icmp-tracker.ts'
import { NeighborTracker } from './neighbor-tracker.ts'
import { PendingBudget } from './pending-bytes.ts'
import { StreamChunk } from './stream-chunk.ts'
import { type ConversationContext, mayBeginConversation, TcpConversation } from './tcp-conversation.ts'
import { type TlsCounters, TlsTracker } from './tls-tracker.ts'

const dnsPort = 53
const bothDirections = 3
/** mDNS, LLMNR and NetBIOS names look like DNS and are not. */
const otherNamePorts = [5353, 5355, 137]
/** Connections whose data is followed at the same time; those that began first are given up first. */
const maxConversationsCount = 50_000

/** The counters of the application protocols, named and shaped as the ground truth of the test captures. */
export interface ApplicationCounters extends IcmpCounters {
  dns: DnsCounters
  tls: TlsCounters
  http: HttpCounters
  arp: Record<string, number>
}

/** A repetition that is fast or spurious has `retransmission` set, too, and is another case for tshark. */
const lateEvents = tcpEvent.retransmission | tcpEvent.outOfOrder
const otherRepeats = tcpEvent.fastRetransmission | tcpEvent.spuriousRetransmission
const segment = new StreamChunk()

/** Reads DNS, TLS, HTTP/1, HTTP/2 with gRPC, ICMP, ARP and neighbor discovery. Never throws, and its memory is bounded. */
export class ApplicationTracker implements PacketTracker {
  readonly wantedTraits = trait.payload | trait.close | trait.other
  readonly dns: DnsTracker
  readonly tls = new TlsTracker()
  readonly http = new HttpTracker()
  readonly icmp: IcmpTracker
  readonly neighbors = new NeighborTracker()
  readonly budget = new PendingBudget()
  readonly #connections: Connections
  readonly #conversations = new BoundedMap<number, TcpConversation>(maxConversationsCount)
  readonly #context: ConversationContext
  readonly #message = new DnsMessage()
  readonly #dnsContext: DnsContext = {
    connection: -1,
    transaction: 0,
    timeNs: 0,
    frameNumber: 0,
    server: '',
    client: '',
    isTcp: false,
  }
  /** connections whose data was not followed to its end */
  evictedCount = 0

  constructor(connections: Connections) {
    const backendOf = (connection: number): Endpoint | undefined => connections.facts(connection).backend
    this.dns = new DnsTracker(backendOf)
    this.icmp = new IcmpTracker(backendOf)
    this.#connections = connections
    this.#context = {
      http: this.http,
      tls: this.tls,
      budget: this.budget,
      endsOf: (connection, clientDirection) => this.#endsOf(connection, clientDirection),
      isTwoWay: (connection) => this.#connections.seenDirections(connection) === bothDirections,
      onDns: (message, { connection, direction, chunk }) => {
        if (!readDnsMessage(this.#message, message.bytes, message.start, message.end)) return
        this.#onStreamDns(connection, direction, message.transaction, chunk)
      },
    }
  }

  onPacket(packet: DecodedPacket): void {
    if (packet.isCopy) return
    if ((packet.traits & trait.other) !== 0) {
      this.icmp.onPacket(packet)
      this.neighbors.onPacket(packet)
    } else if (packet.protocol === ipProtocol.tcp) this.#onTcp(packet)
    else this.#onUdp(packet)
  }

  onConnectionEvicted(connection: number): void {
    const conversation = this.#conversations.get(connection)
    if (conversation === undefined) return
    this.#conversations.delete(connection)
    this.#giveUp(conversation)
  }

  onConnectionMerged(connection: number): void {
    this.#conversations.get(connection)?.discard()
    this.#conversations.delete(connection)
  }

  /** The capture is over. To be called before `counters`. */
  finish(): void {
    for (const conversation of this.#conversations.values())
      conversation.finish('end of capture', this.#connections.nowNs)
    this.#conversations.clear()
    this.dns.finish()
  }

  counters(): ApplicationCounters {
    return {
      dns: this.dns.counters(),
      tls: this.tls.counters(),
      http: this.http.counters(),
      ...this.icmp.counters(),
      arp: this.neighbors.counters(),
    }
  }

  #giveUp(conversation: TcpConversation): void {
    conversation.finish('end of capture', this.#connections.nowNs)
    this.evictedCount++
  }

  #onTcp(packet: DecodedPacket): void {
    const { connection, tcpFlags } = packet
    let conversation = this.#conversations.get(connection)
    if ((tcpFlags & tcpFlag.rst) !== 0) {
      if (conversation === undefined) return
      this.#conversations.delete(connection)
      conversation.onReset(packet.direction, packet.timeNs)
      return
    }
    if (packet.payloadCaptured > 0) {
      if (conversation === undefined && mayBegin(packet)) conversation = this.#createConversation(packet)
      if (conversation !== undefined) this.#onSegment(packet, conversation)
    }
    if (conversation === undefined) return
    if ((tcpFlags & tcpFlag.fin) === 0) return
    conversation.directions[packet.direction]?.onFin((packet.sequence + packet.payloadLength) >>> 0)
    if (!conversation.isClosed) return
    conversation.finish('fin', packet.timeNs)
    this.#conversations.delete(connection)
  }

  #onSegment(packet: DecodedPacket, conversation: TcpConversation): void {
    const direction = conversation.directions[packet.direction]
    if (direction === undefined) return
    const isSyn = (packet.tcpFlags & tcpFlag.syn) !== 0
    if (packet.isNextKnown && !isSyn) direction.expect(packet.nextSequence)
    segment.bytes = packet.buffer
    segment.start = packet.payloadOffset
    segment.end = packet.payloadOffset + packet.payloadCaptured
    segment.timeNs = packet.timeNs
    segment.frameNumber = packet.frameNumber
    segment.isLate = (packet.tcpEvents & lateEvents) !== 0 && (packet.tcpEvents & otherRepeats) === 0
    segment.isRepeat = segment.isLate && (packet.tcpEvents & tcpEvent.retransmission) !== 0
    const sequence = isSyn ? (packet.sequence + 1) >>> 0 : packet.sequence
    direction.onSegment(sequence, segment, packet.payloadLength - packet.payloadCaptured)
  }

  #createConversation(packet: DecodedPacket): TcpConversation {
    this.#conversations.makeRoom((oldest) => this.#giveUp(oldest))
    const ports = { source: packet.sourcePort, destination: packet.destinationPort }
    const conversation = new TcpConversation(this.#context, packet.connection, ports)
    this.#conversations.set(packet.connection, conversation)
    return conversation
  }

  #onUdp(packet: DecodedPacket): void {
    if (packet.carriesTunnel || packet.payloadCaptured < 4) return
    if (!this.#readDatagram(packet)) return
    const { buffer } = packet
    const message = this.#message
    const context = this.#dnsContext
    const source = addressText(buffer, packet.sourceOffset, packet.addressLength)
    const destination = addressText(buffer, packet.destinationOffset, packet.addressLength)
    context.connection = packet.connection
    context.transaction = message.id
    context.timeNs = packet.timeNs
    context.frameNumber = packet.frameNumber
    context.server = message.isResponse ? source : destination
    context.client = message.isResponse ? destination : source
    context.isTcp = false
    this.dns.onMessage(message, context)
  }

  /** Fills `#message`. False: the datagram is not DNS. */
  #readDatagram({
    buffer,
    payloadOffset,
    payloadCaptured,
    sourcePort,
    destinationPort,
    moreFragments,
  }: DecodedPacket): boolean {
    const end = payloadOffset + payloadCaptured
    const message = this.#message
    if (sourcePort !== dnsPort && destinationPort !== dnsPort) {
      if (otherNamePorts.includes(sourcePort) || otherNamePorts.includes(destinationPort)) return false
      // By another port only what is DNS beyond doubt: Wireshark takes more for it.
      if (!looksLikeDns(buffer, payloadOffset, end) || !readDnsMessage(message, buffer, payloadOffset, end))
        return false
      return message.isComplete && message.questionCount === 1
    }
    if (!readDnsMessage(message, buffer, payloadOffset, end)) return false
    // The rest of the records is in the next fragments.
    if (moreFragments) message.isComplete = true
    return true
  }

  #onStreamDns(connection: number, direction: number, transaction: number | undefined, chunk: StreamChunk): void {
    const facts = this.#connections.facts(connection)
    const context = this.#dnsContext
    // Over TCP the client is the one that asks: `transaction` is set for HTTP/2, where the connection's client asks.
    const isSentByClient = direction === this.#connections.clientDirection(connection)
    const isClientAsking = transaction !== undefined || isSentByClient === !this.#message.isResponse
    context.connection = connection
    context.transaction = transaction ?? this.#message.id
    context.timeNs = chunk.timeNs
    context.frameNumber = chunk.frameNumber
    context.server = (isClientAsking ? facts.server : facts.client).address
    context.client = (isClientAsking ? facts.client : facts.server).address
    context.isTcp = true
    this.dns.onMessage(this.#message, context)
  }

  #endsOf(connection: number, clientDirection: number | undefined): ConnectionEnds {
    const { client, server, backend } = this.#connections.facts(connection)
    const isSwapped = clientDirection !== undefined && clientDirection !== this.#connections.clientDirection(connection)
    return isSwapped ? { client: server, server: client } : { client, server, backend }
  }
}

/**
 * Whether a segment of a connection that is not followed may be the start of a message: what comes in order and is not, is never needed again. Of
 * the others the place in the stream must be known.
 */
function mayBegin(packet: DecodedPacket): boolean {
  if (packet.sourcePort === dnsPort || packet.destinationPort === dnsPort) return true
  if (packet.isNextKnown && packet.sequence !== packet.nextSequence) return true
  return mayBeginConversation(packet.buffer, packet.payloadOffset, packet.payloadOffset + packet.payloadCaptured)
}
