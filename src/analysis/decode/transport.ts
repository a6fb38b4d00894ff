import { ipProtocol, layer } from '../decoded-packet.ts'
import type { DecodedPacket } from '../decoded-packet.ts'
import { u16, u32 } from '../bytes.ts'
import type { Cursor } from './cursor.ts'

export function clearTransport(packet: DecodedPacket): void {
  packet.transportOffset = -1
  packet.sourcePort = 0
  packet.destinationPort = 0
  packet.payloadOffset = -1
  packet.payloadLength = 0
  packet.payloadCaptured = 0
  packet.tcpFlags = 0
  packet.tcpEvents = 0
  packet.connection = -1
  packet.direction = 0
  packet.isCopy = false
}

/** Reads the transport header at the cursor. A later fragment has none: its first bytes are in the middle of a datagram. */
export function readTransport(packet: DecodedPacket, cursor: Cursor): void {
  if (packet.fragmentStartBytes > 0) return
  switch (packet.protocol) {
    case ipProtocol.tcp:
      packet.layers |= layer.tcp
      readTcp(packet, cursor)
      return
    case ipProtocol.udp:
      packet.layers |= layer.udp
      readUdp(packet, cursor)
      return
    case ipProtocol.icmp:
      packet.layers |= layer.icmp
      readFixed(packet, cursor, 4)
      return
    case ipProtocol.icmpv6:
      packet.layers |= layer.icmpv6
      readFixed(packet, cursor, 4)
      return
    case ipProtocol.gre:
      packet.layers |= layer.gre
      return
    case ipProtocol.sctp:
      packet.layers |= layer.sctp
      return
    case ipProtocol.esp:
      packet.layers |= layer.esp
      return
    case ipProtocol.igmp:
      packet.layers |= layer.igmp
  }
}

/** Sets offset and lengths of the payload that follows a header of `headerBytes`. */
function readFixed(packet: DecodedPacket, cursor: Cursor, headerBytes: number): void {
  if (cursor.left() < headerBytes) return
  packet.transportOffset = cursor.at
  packet.payloadOffset = cursor.at + headerBytes
  packet.payloadLength = cursor.wireEnd - packet.payloadOffset
  packet.payloadCaptured = cursor.end - packet.payloadOffset
}

function readUdp(packet: DecodedPacket, cursor: Cursor): void {
  const { buffer } = packet
  if (cursor.left() < 8) return
  const { at } = cursor
  readFixed(packet, cursor, 8)
  packet.sourcePort = u16(buffer, at)
  packet.destinationPort = u16(buffer, at + 2)
  const bytes = u16(buffer, at + 4)
  if (bytes < 8) return // 0: a jumbogram; else nonsense
  packet.payloadLength = Math.min(packet.payloadLength, bytes - 8)
  packet.payloadCaptured = Math.min(packet.payloadCaptured, packet.payloadLength)
}

/** Bytes of the TCP header up to the window, which is the last field that the analysis needs. */
const neededTcpBytes = 16

function readTcp(packet: DecodedPacket, cursor: Cursor): void {
  const { buffer } = packet
  const { at } = cursor
  if (cursor.left() < (packet.inIcmpError ? 8 : neededTcpBytes)) return
  packet.transportOffset = at
  packet.sourcePort = u16(buffer, at)
  packet.destinationPort = u16(buffer, at + 2)
  packet.sequence = u32(buffer, at + 4)
  clearOptions(packet)
  if (cursor.left() < neededTcpBytes) return
  packet.acknowledgment = u32(buffer, at + 8)
  packet.tcpFlags = buffer[at + 13]!
  packet.window = u16(buffer, at + 14)
  const headerBytes = (buffer[at + 12]! >> 4) * 4
  const payloadOffset = at + Math.max(20, headerBytes)
  packet.payloadLength = Math.max(0, cursor.wireEnd - payloadOffset)
  if (cursor.end >= payloadOffset) {
    packet.payloadOffset = payloadOffset
    packet.payloadCaptured = cursor.end - payloadOffset
  }
  if (headerBytes > 20) readOptions(packet, at + 20, Math.min(cursor.end, at + headerBytes))
}

function clearOptions(packet: DecodedPacket): void {
  packet.acknowledgment = 0
  packet.window = 0
  packet.windowScale = -1
  packet.maxSegmentLength = 0
  packet.hasTimestamps = false
  packet.sackCount = 0
  packet.isSackPermitted = false
}

const option = { end: 0, noOperation: 1, mss: 2, windowScale: 3, sackPermitted: 4, sack: 5, timestamps: 8 } as const
/** NOP, NOP, timestamps of 10 bytes: what almost every segment of an established connection has. */
const onlyTimestamps = 0x0101080a

function readOptions(packet: DecodedPacket, from: number, end: number): void {
  const { buffer } = packet
  let at = from
  if (end - from >= 12 && u32(buffer, from) === onlyTimestamps) {
    setTimestamps(packet, from + 4)
    at = from + 12
  }
  while (at < end) {
    const kind = buffer[at]!
    if (kind === option.end) return
    if (kind === option.noOperation) {
      at += 1
      continue
    }
    const bytes = at + 1 < end ? buffer[at + 1]! : 0
    if (bytes < 2 || at + bytes > end) return
    readOption(packet, at, bytes)
    at += bytes
  }
}

function readOption(packet: DecodedPacket, at: number, bytes: number): void {
  const { buffer } = packet
  const kind = buffer[at]!
  if (kind === option.mss && bytes === 4) packet.maxSegmentLength = u16(buffer, at + 2)
  else if (kind === option.windowScale && bytes === 3) packet.windowScale = Math.min(14, buffer[at + 2]!)
  else if (kind === option.sackPermitted) packet.isSackPermitted = true
  else if (kind === option.timestamps && bytes === 10) setTimestamps(packet, at + 2)
  else if (kind === option.sack) readSack(packet, at + 2, (bytes - 2) >> 3)
}

function setTimestamps(packet: DecodedPacket, at: number): void {
  packet.hasTimestamps = true
  packet.timestampValue = u32(packet.buffer, at)
  packet.timestampEcho = u32(packet.buffer, at + 4)
}

function readSack(packet: DecodedPacket, at: number, blocks: number): void {
  const count = Math.min(4, blocks)
  packet.sackCount = count
  for (let edge = 0; edge < 2 * count; edge += 1) packet.sackEdges[edge] = u32(packet.buffer, at + 4 * edge)
}
