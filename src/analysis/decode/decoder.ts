import type { CapturedPacket } from '../../pcap/capture-format.ts'
import { DecodedPacket, ipProtocol, layer, tunnel } from '../decoded-packet.ts'
import { Cursor, etherType } from './cursor.ts'
import { clearInternet, readInternet } from './internet.ts'
import { readEthernet, readLink, readTags } from './link.ts'
import { clearTransport, readTransport } from './transport.ts'
import { TunnelContent, enterTunnel } from './tunnels.ts'

/** Deeper nesting is nonsense or an attack: the datagram at this depth is handed over, what is in it is not looked at. */
const maxTunnelDepthCount = 4

/** Gets every packet that is decoded. It must not throw. */
export interface PacketSink {
  onPacket(packet: DecodedPacket): void
}

/**
 * Turns the bytes of a frame into `DecodedPacket`s and hands each to the sink, from the outer datagram to the inner one. Bytes that are cut off
 * or make no sense end the decoding of that frame: what was understood before is handed over.
 */
export class PacketDecoder {
  readonly packet = new DecodedPacket()
  /** s since the epoch that `timeNs` counts from: that of the first packet */
  baseSeconds = 0
  #hasBase = false
  readonly #cursor = new Cursor()
  readonly #content = new TunnelContent()
  readonly #sink: PacketSink

  constructor(sink: PacketSink) {
    this.#sink = sink
  }

  /** `packet.layers` has all layers of the frame afterwards. */
  decode(captured: CapturedPacket): void {
    const { packet } = this
    const cursor = this.#cursor
    this.#startFrame(captured)
    let type = readLink(packet, cursor)
    for (;;) {
      type = readTags(packet, cursor, type)
      packet.etherType = type > 0 ? type : 0
      packet.networkOffset = cursor.at
      packet.networkCaptured = Math.max(0, cursor.left())
      clearTransport(packet)
      if (!this.#readDatagram(type)) break
      const isDeep = packet.tunnelDepth >= maxTunnelDepthCount
      packet.carriesTunnel = !isDeep && enterTunnel(packet, cursor, this.#content)
      this.#sink.onPacket(packet)
      if (!packet.carriesTunnel) break
      type = this.#startTunnel()
    }
    if (isIcmpError(packet)) this.#readQuoted()
  }

  #startFrame(captured: CapturedPacket): void {
    const { packet } = this
    const { capturedLength, offset, seconds } = captured
    if (!this.#hasBase) {
      this.#hasBase = true
      this.baseSeconds = seconds
    }
    packet.buffer = captured.buffer
    packet.frameOffset = offset
    packet.frameNumber = captured.frameNumber
    packet.capturedLength = capturedLength
    packet.wireLength = Math.max(capturedLength, captured.originalLength)
    packet.seconds = seconds
    packet.nanoseconds = captured.nanoseconds
    packet.timeNs = (seconds - this.baseSeconds) * 1e9 + captured.nanoseconds
    packet.linkType = captured.linkType
    packet.interfaceId = captured.interfaceId
    packet.packetType = -1
    packet.layers = 0
    packet.inIcmpError = false
    packet.tunnelDepth = 0
    packet.tunnelKind = tunnel.none
    packet.tunnelId = -1
    packet.carriesTunnel = false
    packet.vlanKey = 0
    clearVlan(packet)
    const cursor = this.#cursor
    cursor.at = offset
    cursor.end = offset + capturedLength
    cursor.wireEnd = offset + packet.wireLength
  }

  /** Reads network and transport layer. False: there was no IP datagram, and the frame was handed over without. */
  #readDatagram(type: number): boolean {
    const { packet } = this
    if (type === etherType.ipv4 || type === etherType.ipv6 || type === etherType.ip) {
      if (readInternet(packet, this.#cursor, type)) {
        readTransport(packet, this.#cursor)
        return true
      }
    } else {
      clearInternet(packet)
      if (type === etherType.arp) packet.layers |= layer.arp
    }
    packet.ipVersion = 0
    packet.protocol = -1
    packet.carriesTunnel = false
    this.#sink.onPacket(packet)
    return false
  }

  #startTunnel(): number {
    const { packet } = this
    const content = this.#content
    packet.tunnelDepth += 1
    packet.tunnelKind = content.kind
    packet.tunnelId = content.id
    clearVlan(packet)
    return content.type === etherType.transparentEthernet ? readEthernet(packet, this.#cursor) : content.type
  }

  /** The datagram that an ICMP error quotes, mostly cut off after a few bytes: its lengths are those on the wire before it was cut. */
  #readQuoted(): void {
    const { packet } = this
    const cursor = this.#cursor
    const type = packet.ipVersion === 4 ? etherType.ipv4 : etherType.ipv6
    cursor.at = packet.payloadOffset + 4
    if (cursor.left() < 1) return
    cursor.wireEnd = Math.max(cursor.end, cursor.at + 65_535)
    packet.inIcmpError = true
    clearTransport(packet)
    if (!readInternet(packet, cursor, type)) return
    readTransport(packet, cursor)
    this.#sink.onPacket(packet)
  }
}

function clearVlan(packet: DecodedPacket): void {
  packet.vlanCount = 0
  packet.outerVlan = -1
  packet.vlan = -1
}

function isIcmpError(packet: DecodedPacket): boolean {
  if (packet.transportOffset < 0) return false
  const type = packet.buffer[packet.transportOffset]!
  if (packet.protocol === ipProtocol.icmp) return type === 3 || type === 4 || type === 5 || type === 11 || type === 12
  return packet.protocol === ipProtocol.icmpv6 && type >= 1 && type <= 4
}
