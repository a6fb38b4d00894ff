import { layer } from '../decoded-packet.ts'
import type { DecodedPacket } from '../decoded-packet.ts'
import { i32, u16, u32 } from '../bytes.ts'
import { etherType } from './cursor.ts'
import type { Cursor } from './cursor.ts'

/** LINKTYPE_ numbers: https://www.tcpdump.org/linktypes.html */
const linkType = {
  null: 0,
  ethernet: 1,
  rawBsd: 12,
  rawOpenBsd: 14,
  raw: 101,
  loop: 108,
  sll: 113,
  ipv4: 228,
  ipv6: 229,
  sll2: 276,
} as const

/** Reads the link header of a frame. Returns the ethertype of what follows, `etherType.none` where that is unknown or cut off. */
export function readLink(packet: DecodedPacket, cursor: Cursor): number {
  switch (packet.linkType) {
    case linkType.ethernet:
      return readEthernet(packet, cursor)
    case linkType.sll:
      return readSll(packet, cursor)
    case linkType.sll2:
      return readSll2(packet, cursor)
    case linkType.raw:
    case linkType.rawBsd:
    case linkType.rawOpenBsd:
      packet.layers |= layer.raw
      return etherType.ip
    case linkType.ipv4:
    case linkType.ipv6:
      packet.layers |= layer.raw
      return packet.linkType === linkType.ipv4 ? etherType.ipv4 : etherType.ipv6
    case linkType.null:
    case linkType.loop:
      return readNull(packet, cursor)
    default:
      return etherType.none
  }
}

export function readEthernet(packet: DecodedPacket, cursor: Cursor): number {
  if (cursor.left() < 14) return etherType.none
  packet.layers |= layer.eth
  const type = u16(packet.buffer, cursor.at + 12)
  cursor.at += 14
  return type >= 0x600 ? type : readLlc(packet, cursor, type)
}

/** 802.3: a length in place of the type. IP is in it only behind a SNAP header (RFC 1042). */
function readLlc(packet: DecodedPacket, cursor: Cursor, lengthBytes: number): number {
  if (lengthBytes > 0) {
    cursor.end = Math.min(cursor.end, cursor.at + lengthBytes)
    cursor.wireEnd = Math.min(cursor.wireEnd, cursor.at + lengthBytes)
  }
  const { buffer } = packet
  if (cursor.left() < 8 || u16(buffer, cursor.at) !== 0xaaaa || i32(buffer, cursor.at + 2) !== 0x03000000)
    return etherType.none
  cursor.at += 8
  return u16(buffer, cursor.at - 2)
}

function readSll(packet: DecodedPacket, cursor: Cursor): number {
  if (cursor.left() < 16) return etherType.none
  packet.layers |= layer.sll
  packet.packetType = u16(packet.buffer, cursor.at)
  const type = u16(packet.buffer, cursor.at + 14)
  cursor.at += 16
  return type >= 0x600 ? type : etherType.none
}

function readSll2(packet: DecodedPacket, cursor: Cursor): number {
  if (cursor.left() < 20) return etherType.none
  packet.layers |= layer.sll
  packet.interfaceId = i32(packet.buffer, cursor.at + 4)
  packet.packetType = packet.buffer[cursor.at + 10]!
  const type = u16(packet.buffer, cursor.at)
  cursor.at += 20
  return type >= 0x600 ? type : etherType.none
}

/** BSD loopback: an address family in the byte order of the host that captured (NULL) or of the network (LOOP). */
function readNull(packet: DecodedPacket, cursor: Cursor): number {
  if (cursor.left() < 4) return etherType.none
  packet.layers |= layer.null
  const { buffer } = packet
  const value = u32(buffer, cursor.at)
  // Families are small numbers: the half that is zero tells the byte order.
  const family = value > 0xffff ? buffer[cursor.at]! | (buffer[cursor.at + 1]! << 8) : value
  cursor.at += 4
  if (family === 2) return etherType.ipv4
  return family === 10 || family === 24 || family === 28 || family === 30 ? etherType.ipv6 : etherType.none
}

/** VLAN tags, MPLS labels and PPPoE: each is short, and no frame of a sane network has more. */
const maxTagsCount = 16

/** Reads what may be between a link header and the network layer. Returns the ethertype of the network layer. */
export function readTags(packet: DecodedPacket, cursor: Cursor, firstType: number): number {
  let type = firstType
  for (let count = 0; count < maxTagsCount; count += 1) {
    switch (type) {
      case etherType.vlan:
      case etherType.serviceVlan:
      case etherType.oldServiceVlan:
        type = readVlan(packet, cursor, type)
        break
      case etherType.mpls:
      case etherType.mplsMulticast:
        type = readMpls(packet, cursor)
        break
      case etherType.pppoe:
        type = readPppoe(packet, cursor)
        break
      default:
        return type
    }
  }
  return etherType.none
}

function readVlan(packet: DecodedPacket, cursor: Cursor, tagType: number): number {
  if (cursor.left() < 4) return etherType.none
  const id = u16(packet.buffer, cursor.at) & 0xfff
  if (tagType !== etherType.serviceVlan) packet.layers |= layer.vlan
  if (packet.vlanCount === 0) {
    packet.outerVlan = id
    packet.outerVlanType = tagType
  }
  packet.vlan = id
  packet.vlanCount += 1
  packet.vlanKey = Math.imul(packet.vlanKey, 4_099) + id + 1
  const next = u16(packet.buffer, cursor.at + 2)
  cursor.at += 4
  return next >= 0x600 ? next : readLlc(packet, cursor, next)
}

/** Labels up to the bottom of the stack. What follows names no type: its first four bits tell, as Wireshark takes them. */
function readMpls(packet: DecodedPacket, cursor: Cursor): number {
  const { buffer } = packet
  packet.layers |= layer.mpls
  for (let count = 0; count < maxTagsCount; count += 1) {
    if (cursor.left() < 5) return etherType.none
    const isBottom = (buffer[cursor.at + 2]! & 1) === 1
    cursor.at += 4
    if (!isBottom) continue
    const version = buffer[cursor.at]! >> 4
    if (version === 4 || version === 6) return etherType.ip
    if (version !== 0) return etherType.none
    cursor.at += 4 // a pseudo-wire control word (RFC 4385) before an Ethernet frame
    return readEthernet(packet, cursor)
  }
  return etherType.none
}

function readPppoe(packet: DecodedPacket, cursor: Cursor): number {
  if (cursor.left() < 6) return etherType.none
  packet.layers |= layer.pppoes
  const bytes = u16(packet.buffer, cursor.at + 4)
  cursor.at += 6
  cursor.end = Math.min(cursor.end, cursor.at + bytes)
  cursor.wireEnd = Math.min(cursor.wireEnd, cursor.at + bytes)
  return readPpp(packet, cursor)
}

/** PPP with or without address and control bytes, its protocol in one or two bytes (RFC 1661). */
export function readPpp(packet: DecodedPacket, cursor: Cursor): number {
  const { buffer } = packet
  packet.layers |= layer.ppp
  if (cursor.left() >= 2 && u16(buffer, cursor.at) === 0xff03) cursor.at += 2
  if (cursor.left() < 2) return etherType.none
  const isShort = (buffer[cursor.at]! & 1) === 1
  const protocol = isShort ? buffer[cursor.at]! : u16(buffer, cursor.at)
  cursor.at += isShort ? 1 : 2
  if (protocol === 0x21) return etherType.ipv4
  if (protocol === 0x57) return etherType.ipv6
  return protocol === 0x281 ? etherType.mpls : etherType.none
}
