import { ipProtocol, layer } from '../decoded-packet.ts'
import type { DecodedPacket } from '../decoded-packet.ts'
import { u16 } from '../bytes.ts'
import { etherType } from './cursor.ts'
import type { Cursor } from './cursor.ts'

const maxExtensionsCount = 8

/**
 * Reads the IP header and its extensions; `type` is an ethertype of IP. The cursor is then at the transport header and ends with the datagram:
 * the padding of a short Ethernet frame is not a part of it. Returns false where the header is cut off or nonsense; `ipVersion` is then 0.
 */
export function readInternet(packet: DecodedPacket, cursor: Cursor, type: number): boolean {
  clearInternet(packet)
  if (cursor.left() < 1) return false
  const version = packet.buffer[cursor.at]! >> 4
  if (type === etherType.ipv4 || (type === etherType.ip && version === 4)) return readIpv4(packet, cursor)
  if (type === etherType.ipv6 || (type === etherType.ip && version === 6)) return readIpv6(packet, cursor)
  return false
}

export function clearInternet(packet: DecodedPacket): void {
  packet.ipVersion = 0
  packet.sourceOffset = -1
  packet.destinationOffset = -1
  packet.addressLength = 0
  packet.ipId = 0
  packet.ttl = 0
  packet.dontFragment = false
  packet.hasFragmentHeader = false
  packet.fragmentStartBytes = 0
  packet.moreFragments = false
  packet.protocol = -1
}

function readIpv4(packet: DecodedPacket, cursor: Cursor): boolean {
  const { buffer } = packet
  const start = cursor.at
  packet.layers |= layer.ip
  if (cursor.left() < 20) return false
  const headerBytes = (buffer[start]! & 0xf) * 4
  if (buffer[start]! >> 4 !== 4 || headerBytes < 20) return false
  const totalBytes = u16(buffer, start + 2)
  // 0: a segment that the network card or the kernel cuts up later (GSO, BIG TCP).
  if (totalBytes !== 0 && totalBytes < headerBytes) return false
  packet.ipVersion = 4
  packet.addressLength = 4
  packet.ipId = u16(buffer, start + 4)
  const fragment = u16(buffer, start + 6)
  packet.dontFragment = (fragment & 0x4000) !== 0
  packet.moreFragments = (fragment & 0x2000) !== 0
  packet.fragmentStartBytes = (fragment & 0x1fff) * 8
  packet.hasFragmentHeader = (fragment & 0x3fff) !== 0
  packet.ttl = buffer[start + 8]!
  packet.protocol = buffer[start + 9]!
  packet.sourceOffset = start + 12
  packet.destinationOffset = start + 16
  if (totalBytes !== 0) endAt(cursor, start + totalBytes)
  cursor.at = start + headerBytes
  if (packet.protocol === ipProtocol.ah) readExtensions(packet, cursor)
  return true
}

function readIpv6(packet: DecodedPacket, cursor: Cursor): boolean {
  const { buffer } = packet
  const start = cursor.at
  packet.layers |= layer.ipv6
  if (cursor.left() < 40 || buffer[start]! >> 4 !== 6) return false
  packet.ipVersion = 6
  packet.addressLength = 16
  packet.ttl = buffer[start + 7]!
  packet.protocol = buffer[start + 6]!
  packet.sourceOffset = start + 8
  packet.destinationOffset = start + 24
  packet.dontFragment = true
  const payloadBytes = u16(buffer, start + 4)
  // 0: a jumbo payload option (BIG TCP) or a segment that is cut up later.
  if (payloadBytes !== 0) endAt(cursor, start + 40 + payloadBytes)
  cursor.at = start + 40
  readExtensions(packet, cursor)
  return true
}

function endAt(cursor: Cursor, end: number): void {
  if (end < cursor.end) cursor.end = end
  if (end < cursor.wireEnd) cursor.wireEnd = end
}

const extension = {
  hopByHop: 0,
  routing: 43,
  fragment: 44,
  ah: 51,
  destination: 60,
  mobility: 135,
  hip: 139,
  shim6: 140,
} as const

/** Moves the cursor behind the extension headers. `protocol` is -1 afterwards where the chain is cut off or too long. */
function readExtensions(packet: DecodedPacket, cursor: Cursor): void {
  const { buffer } = packet
  for (let count = 0; count <= maxExtensionsCount; count += 1) {
    const { protocol } = packet
    if (!isExtension(protocol)) return
    if (count === maxExtensionsCount || cursor.left() < 8) break
    const { at } = cursor
    packet.protocol = buffer[at]!
    if (protocol === extension.fragment) {
      const fragment = u16(buffer, at + 2)
      packet.hasFragmentHeader = true
      packet.fragmentStartBytes = fragment & 0xfff8
      packet.moreFragments = (fragment & 1) === 1
      packet.ipId = u16(buffer, at + 6)
      cursor.at += 8
      if (packet.fragmentStartBytes > 0) return
    } else {
      // The length of AH is in units of 4 bytes and does not count the first two (RFC 4302), the others' in 8 without the first.
      cursor.at += protocol === extension.ah ? (buffer[at + 1]! + 2) * 4 : (buffer[at + 1]! + 1) * 8
    }
  }
  packet.protocol = -1
}

function isExtension(protocol: number): boolean {
  switch (protocol) {
    case extension.hopByHop:
    case extension.routing:
    case extension.fragment:
    case extension.ah:
    case extension.destination:
    case extension.mobility:
    case extension.hip:
    case extension.shim6:
      return true
    default:
      return false
  }
}
