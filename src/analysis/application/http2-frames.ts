import { u24, u32 } from '../bytes.ts'

export const frameHeaderBytes = 9
export const http2Frame = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const
export const frameFlag = { endStream: 0x01, endHeaders: 0x04, padded: 0x08, priority: 0x20 } as const

/** The names of the ground truth: the types that it does not name are numbers. */
const typeNames: Readonly<Record<number, string>> = {
  0: 'DATA',
  1: 'HEADERS',
  3: 'RST_STREAM',
  4: 'SETTINGS',
  6: 'PING',
  7: 'GOAWAY',
  8: 'WINDOW_UPDATE',
  9: 'CONTINUATION',
}

/** RFC 9113, 7 */
const errorNames = [
  ...['NO_ERROR', 'PROTOCOL_ERROR', 'INTERNAL_ERROR', 'FLOW_CONTROL_ERROR', 'SETTINGS_TIMEOUT', 'STREAM_CLOSED'],
  ...['FRAME_SIZE_ERROR', 'REFUSED_STREAM', 'CANCEL', 'COMPRESSION_ERROR', 'CONNECT_ERROR', 'ENHANCE_YOUR_CALM'],
  ...['INADEQUATE_SECURITY', 'HTTP_1_1_REQUIRED'],
]

export function frameTypeName(type: number): string {
  return typeNames[type] ?? String(type)
}

export function http2ErrorName(code: number): string {
  return errorNames[code] ?? String(code)
}

/** The bytes that a client sends first (RFC 9113, 3.4). */
export const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'

/** Whether a frame header makes sense: a known type on a stream where it may be, not larger than the default limit. */
export function isPlausibleFrame(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start < frameHeaderBytes) return false
  const type = bytes[start + 3]!
  if (frameSize(bytes, start) > 16_384 || type > http2Frame.continuation || bytes[start + 5]! >= 0x80) return false
  const isOnConnection = frameStream(bytes, start) === 0
  const rule = frameRules[type]
  if (rule === undefined) return !isOnConnection
  return (rule.isOnConnection ?? isOnConnection) === isOnConnection && rule.fits(frameSize(bytes, start))
}

/** Where frames of a type are (`isOnConnection` undefined: anywhere) and how long they are. All others are on streams and have any length. */
const frameRules: Readonly<Record<number, { isOnConnection?: boolean; fits(sizeBytes: number): boolean } | undefined>> =
  {
    [http2Frame.priority]: { isOnConnection: false, fits: (sizeBytes) => sizeBytes === 5 },
    [http2Frame.rstStream]: { isOnConnection: false, fits: (sizeBytes) => sizeBytes === 4 },
    [http2Frame.settings]: { isOnConnection: true, fits: (sizeBytes) => sizeBytes % 6 === 0 },
    [http2Frame.ping]: { isOnConnection: true, fits: (sizeBytes) => sizeBytes === 8 },
    [http2Frame.goAway]: { isOnConnection: true, fits: (sizeBytes) => sizeBytes >= 8 },
    [http2Frame.windowUpdate]: { fits: (sizeBytes) => sizeBytes === 4 },
  }

export function frameSize(bytes: Uint8Array, start: number): number {
  return u24(bytes, start)
}

export function frameStream(bytes: Uint8Array, start: number): number {
  return u32(bytes, start + 5) & 0x7fffffff // the first bit is reserved
}
