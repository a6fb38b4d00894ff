/**
 * Frames of the SSH Relay protocol, version 4: one in each binary WebSocket message, big-endian, a u16 tag first.
 * Sources: gcloud's api_lib/compute/iap_tunnel_websocket_utils.py, IAP Desktop's Solutions.Iap/Protocol, nassh's relay-protocol.md.
 */

const tags = { connected: 1, reconnected: 2, data: 4, ack: 7, longClose: 10 } as const

/** bytes; the relay takes no more in one DATA frame */
export const maxDataLength = 16_384
/** bytes: of tag and length before the data */
export const dataHeaderLength = 6

export type RelayFrame =
  /** first after connect: the name of the session */
  | { readonly kind: 'connected'; readonly sid: string }
  /** first after reconnect: how many bytes of ours the relay has had, since the session began */
  | { readonly kind: 'reconnected'; readonly total: bigint }
  | { readonly kind: 'data'; readonly data: Buffer }
  /** how many bytes of ours the relay has had, since the session began */
  | { readonly kind: 'ack'; readonly total: bigint }
  /** why the relay is about to close */
  | { readonly kind: 'long-close'; readonly code: number; readonly reason: string }
  /** of a later protocol; to be passed over */
  | { readonly kind: 'unknown'; readonly tag: number }

/**
 * Bytes behind a frame are passed over, as gcloud does.
 * @throws RangeError where the message ends before its frame
 */
export function readFrame(message: Buffer): RelayFrame {
  const tag = message.readUInt16BE(0)
  if (tag === tags.data) return { kind: 'data', data: bytesAt(message, 2) }
  if (tag === tags.ack) return { kind: 'ack', total: message.readBigUInt64BE(2) }
  if (tag === tags.connected) return { kind: 'connected', sid: bytesAt(message, 2).toString('latin1') }
  if (tag === tags.reconnected) return { kind: 'reconnected', total: message.readBigUInt64BE(2) }
  if (tag === tags.longClose) {
    return { kind: 'long-close', code: message.readUInt32BE(2), reason: bytesAt(message, 6).toString('utf8') }
  }
  return { kind: 'unknown', tag }
}

/** A frame with a copy of `bytes`, at most `maxDataLength` of them. */
export function dataFrame(bytes: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(dataHeaderLength + bytes.length)
  frame.writeUInt16BE(tags.data, 0)
  frame.writeUInt32BE(bytes.length, 2)
  bytes.copy(frame, dataHeaderLength)
  return frame
}

/** `total`: bytes received since the session began */
export function ackFrame(total: number): Buffer {
  const frame = Buffer.allocUnsafe(10)
  frame.writeUInt16BE(tags.ack, 0)
  frame.writeBigUInt64BE(BigInt(total), 2)
  return frame
}

/** The bytes behind a u32 length. */
function bytesAt(message: Buffer, offset: number): Buffer {
  const start = offset + 4
  const end = start + message.readUInt32BE(offset)
  if (end > message.length) throw new RangeError(`${String(end)} bytes announced, ${String(message.length)} came`)
  return message.subarray(start, end)
}
