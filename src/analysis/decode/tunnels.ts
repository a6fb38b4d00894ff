import { ipProtocol, layer, tunnel } from '../decoded-packet.ts'
import type { DecodedPacket } from '../decoded-packet.ts'
import { u16, u24, u32 } from '../bytes.ts'
import { etherType } from './cursor.ts'
import type { Cursor } from './cursor.ts'
import { readPpp } from './link.ts'

/** What is in a tunnel: an ethertype, `etherType.transparentEthernet` for an Ethernet frame. */
export class TunnelContent {
  kind: number = tunnel.none
  id = -1
  type: number = etherType.none
}

/** VXLAN: IANA's port, and Linux' default, which flannel and Cilium use. */
const vxlanPort = 4789
const linuxVxlanPort = 8472
const vxlanGpePort = 4790
const genevePort = 6081

/**
 * Finds out whether the datagram's payload is a tunnel's. If so, sets `content`, moves the cursor to what is in the tunnel, and returns true.
 * Bits that must be set or zero are checked: ports alone do not make a tunnel.
 */
export function enterTunnel(packet: DecodedPacket, cursor: Cursor, content: TunnelContent): boolean {
  if (packet.fragmentStartBytes > 0) return false
  switch (packet.protocol) {
    case ipProtocol.udp:
      return enterUdpTunnel(packet, cursor, content)
    case ipProtocol.gre:
      return enterGre(packet, cursor, content)
    case ipProtocol.ipip:
    case ipProtocol.ipv6:
      set(content, tunnel.ipip, -1)
      content.type = packet.protocol === ipProtocol.ipip ? etherType.ipv4 : etherType.ipv6
      return true
    default:
      return false
  }
}

function set(content: TunnelContent, kind: number, id: number): void {
  content.kind = kind
  content.id = id
}

function enterUdpTunnel(packet: DecodedPacket, cursor: Cursor, content: TunnelContent): boolean {
  const { buffer, sourcePort, destinationPort } = packet
  const at = packet.payloadOffset
  if (at < 0 || packet.payloadCaptured < 8) return false
  if (sourcePort === genevePort || destinationPort === genevePort) {
    if (buffer[at]! >> 6 !== 0) return false
    packet.layers |= layer.geneve
    set(content, tunnel.geneve, u24(buffer, at + 4))
    content.type = u16(buffer, at + 2)
    cursor.at = at + 8 + (buffer[at]! & 0x3f) * 4
    return true
  }
  if (sourcePort === vxlanGpePort || destinationPort === vxlanGpePort) return enterVxlanGpe(packet, cursor, content)
  if (!isVxlanPort(destinationPort) && !isVxlanPort(sourcePort)) return false
  if ((buffer[at]! & 0x08) === 0) return false
  packet.layers |= layer.vxlan
  set(content, tunnel.vxlan, u24(buffer, at + 4))
  content.type = etherType.transparentEthernet
  cursor.at = at + 8
  return true
}

/** draft-ietf-nvo3-vxlan-gpe: a number says what is in the tunnel. */
function enterVxlanGpe({ buffer, payloadOffset: at }: DecodedPacket, cursor: Cursor, content: TunnelContent): boolean {
  if ((buffer[at]! & 0x08) === 0) return false
  const type = [etherType.none, etherType.ipv4, etherType.ipv6, etherType.transparentEthernet][buffer[at + 3]!]
  set(content, tunnel.vxlan, u24(buffer, at + 4))
  content.type = type ?? etherType.none
  cursor.at = at + 8
  return true
}

function isVxlanPort(port: number): boolean {
  return port === vxlanPort || port === linuxVxlanPort
}

/** RFC 2784, RFC 2890; version 1 is PPTP's (RFC 2637). */
function enterGre(packet: DecodedPacket, cursor: Cursor, content: TunnelContent): boolean {
  const { buffer } = packet
  const { at } = cursor
  if (cursor.left() < 4) return false
  const flags = u16(buffer, at)
  const protocol = u16(buffer, at + 2)
  const isPptp = (flags & 7) === 1
  let headerBytes = 4
  if ((flags & 0xc000) !== 0) headerBytes += 4
  const keyAt = at + headerBytes
  if ((flags & 0x2000) !== 0) headerBytes += 4
  if ((flags & 0x1000) !== 0) headerBytes += 4
  if (isPptp && (flags & 0x0080) !== 0) headerBytes += 4
  if (cursor.left() < headerBytes) return false
  // The call id of PPTP differs by direction.
  set(content, tunnel.gre, (flags & 0x2000) !== 0 && !isPptp ? u32(buffer, keyAt) : -1)
  cursor.at = at + headerBytes
  if (protocol === etherType.erspan2 || protocol === etherType.erspan3)
    return enterErspan(packet, cursor, { content, protocol, flags })
  content.type = protocol === etherType.ppp ? readPpp(packet, cursor) : protocol
  return true
}

/** draft-foschiano-erspan-03. Type I has no header of its own: it is the one without a GRE sequence number. */
function enterErspan(
  packet: DecodedPacket,
  cursor: Cursor,
  gre: { content: TunnelContent; protocol: number; flags: number },
): boolean {
  const { content, protocol, flags } = gre
  const { buffer } = packet
  const { at } = cursor
  content.type = etherType.transparentEthernet
  content.kind = tunnel.erspan
  packet.layers |= layer.erspan
  if (protocol === etherType.erspan2 && (flags & 0x1000) === 0) return true
  const headerBytes = protocol === etherType.erspan2 ? 8 : 12
  if (cursor.left() < headerBytes) return false
  content.id = u16(buffer, at + 2) & 0x3ff
  const hasSubheader = protocol === etherType.erspan3 && (buffer[at + 11]! & 1) === 1
  cursor.at += headerBytes + (hasSubheader ? 8 : 0)
  return true
}
