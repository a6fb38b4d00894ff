/**
 * Frames of the SSH Relay protocol, version 4: one in each binary WebSocket message, big-endian, a u16 tag first.
 * Sources: gcloud's api_lib/compute/iap_tunnel_websocket_utils.py, IAP Desktop's Solutions.Iap/Protocol, nassh's relay-protocol.md.
 */

const tags = { connected: 1, reconnected: 2, data: 4, ack: 7, longClose: 10 } as const

/** IAP's have some 200. */
const maxSessionIdBytes = 4_096

/** The relay accepts no more in one DATA frame. */
export const maxDataBytes = 16_384
/** of tag and length before the data */
export const dataHeaderBytes = 6

export type RelayFrame =
  /** the first frame after connect: the id of the session */
  | { readonly kind: 'connected'; readonly sessionId: string }
  /** the first frame after reconnect: how many bytes the relay has received since the session began */
  | { readonly kind: 'reconnected'; readonly totalBytes: bigint }
  | { readonly kind: 'data'; readonly data: Buffer }
  /** how many bytes the relay has received since the session began */
  | { readonly kind: 'ack'; readonly totalBytes: bigint }
  /** why the relay is about to close the connection */
  | { readonly kind: 'long-close'; readonly code: number; readonly reason: string }
  /** of a later protocol version; to be ignored */
  | { readonly kind: 'unknown'; readonly tag: number }

/**
 * Bytes after the frame are ignored, as in gcloud.
 * @throws RangeError where the message ends before its frame
 */
export function readFrame(message: Buffer): RelayFrame {
  const tag = message.readUInt16BE(0)
  if (tag === tags.data) return { kind: 'data', data: bytesAt(message, 2) }
  if (tag === tags.ack) return { kind: 'ack', totalBytes: message.readBigUInt64BE(2) }
  if (tag === tags.connected) return { kind: 'connected', sessionId: sessionIdIn(bytesAt(message, 2)) }
  if (tag === tags.reconnected) return { kind: 'reconnected', totalBytes: message.readBigUInt64BE(2) }
  if (tag === tags.longClose) {
    return { kind: 'long-close', code: message.readUInt32BE(2), reason: bytesAt(message, 6).toString('utf8') }
  }
  return { kind: 'unknown', tag }
}

/** A frame with a copy of `bytes`, at most `maxDataBytes` of them. */
export function dataFrame(bytes: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(dataHeaderBytes + bytes.length)
  frame.writeUInt16BE(tags.data, 0)
  frame.writeUInt32BE(bytes.length, 2)
  bytes.copy(frame, dataHeaderBytes)
  return frame
}

/** @param totalBytes received since the session began */
export function ackFrame(totalBytes: number): Buffer {
  const frame = Buffer.allocUnsafe(10)
  frame.writeUInt16BE(tags.ack, 0)
  frame.writeBigUInt64BE(BigInt(totalBytes), 2)
  return frame
}

/** It becomes a part of the URL of the next connection. @throws RangeError where that would be too long */
function sessionIdIn(bytes: Buffer): string {
  if (bytes.length > maxSessionIdBytes) throw new RangeError(`a session id of ${String(bytes.length)} bytes`)
  return bytes.toString('latin1')
}

/** The bytes after their length, a u32. */
function bytesAt(message: Buffer, offset: number): Buffer {
  const start = offset + 4
  const end = start + message.readUInt32BE(offset)
  if (end > message.length) throw new RangeError(`${String(end)} bytes announced, ${String(message.length)} received`)
  return message.subarray(start, end)
}
