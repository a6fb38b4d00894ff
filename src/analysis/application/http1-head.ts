import { maxTextBytes, rawText, startsWithText } from './raw-text.ts'

const lineFeed = 0x0a
const carriageReturn = 0x0d
const space = 0x20
const colon = 0x3a

/** The methods that Wireshark 4.0 knows. A list: text that begins with another word is not HTTP. */
const methods = [
  ...['GET', 'PUT', 'POST', 'HEAD', 'PATCH', 'DELETE', 'OPTIONS', 'CONNECT', 'TRACE', 'COPY', 'LOCK', 'MOVE', 'POLL'],
  ...[
    'BCOPY',
    'BMOVE',
    'MKCOL',
    'LABEL',
    'MERGE',
    'SEARCH',
    'UNLOCK',
    'REPORT',
    'UPDATE',
    'NOTIFY',
    'BDELETE',
    'CHECKIN',
  ],
  ...[
    'PROPFIND',
    'CHECKOUT',
    'CCM_POST',
    'SUBSCRIBE',
    'PROPPATCH',
    'BPROPFIND',
    'BPROPPATCH',
    'UNCHECKOUT',
    'MKACTIVITY',
  ],
  ...[
    'MKWORKSPACE',
    'RPC_CONNECT',
    'RPC_IN_DATA',
    'UNSUBSCRIBE',
    'RPC_OUT_DATA',
    'VERSION-CONTROL',
    'BASELINE-CONTROL',
  ],
  'SSTP_DUPLEX_POST',
].map((method) => `${method} `)
const methodsByFirstByte = new Map<number, string[]>()
for (const method of methods) {
  const first = method.charCodeAt(0)
  methodsByFirstByte.set(first, [...(methodsByFirstByte.get(first) ?? []), method])
}
const responseStart = 'HTTP/'
/** no method is longer, with its space */
export const longestStartBytes = 17

export interface HttpHead {
  readonly isRequest: boolean
  /** of a request */
  readonly method: string
  /** of a request: without the query, which may hold secrets */
  readonly path: string
  /** of a response; 0 where the status line has no number */
  readonly status: number
  /** the Host header, also of a response where it has one */
  readonly host: string | undefined
  readonly contentType: string
  readonly contentLength: number | undefined
  readonly isChunked: boolean
  readonly isUpgrade: boolean
  /** when the first and the last byte of the head came, and in which packet it began */
  readonly startTimeNs: number
  readonly frameNumber: number
}

/** Whether a request or a response begins here: `maybe` where the bytes end too early to tell. */
export function looksLikeHttp1(bytes: Uint8Array, start: number, end: number): 'yes' | 'no' | 'maybe' {
  if (start >= end) return 'maybe'
  const first = bytes[start]!
  const candidates = methodsByFirstByte.get(first)
  let isPrefix = false
  if (first === 0x48) {
    if (startsWithText(bytes, start, end, responseStart)) return 'yes'
    isPrefix = isStartOf(bytes, start, end, responseStart)
  }
  for (const method of candidates ?? []) {
    if (startsWithText(bytes, start, end, method)) return 'yes'
    isPrefix ||= isStartOf(bytes, start, end, method)
  }
  return isPrefix ? 'maybe' : 'no'
}

function isStartOf(bytes: Uint8Array, start: number, end: number, text: string): boolean {
  const length = end - start
  return length < text.length && startsWithText(bytes, start, end, text.slice(0, length))
}

/** Whether the first line ends with a version: what Wireshark asks for on a port that is not HTTP's. */
export function hasHttp1FirstLine(bytes: Uint8Array, start: number, end: number): boolean {
  if (startsWithText(bytes, start, end, 'HTTP/1.')) return true
  const feed = indexOfByte(bytes, lineFeed, start, end)
  if (feed < 0) return false
  const lineEnd = bytes[feed - 1] === carriageReturn ? feed - 1 : feed
  return lineEnd - 8 > start && startsWithText(bytes, lineEnd - 8, lineEnd, 'HTTP/1.')
}

/** Position after the empty line that ends a head, -1 where it is not in these bytes. */
export function findHeadEnd(bytes: Uint8Array, from: number, end: number): number {
  for (
    let feed = indexOfByte(bytes, lineFeed, from, end);
    feed >= 0;
    feed = indexOfByte(bytes, lineFeed, feed + 1, end)
  ) {
    if (feed + 1 < end && bytes[feed + 1] === lineFeed) return feed + 2
    if (feed + 2 < end && bytes[feed + 1] === carriageReturn && bytes[feed + 2] === lineFeed) return feed + 3
  }
  return -1
}

/** Reads a head, or what there is of one that was cut. Undefined where the first line is neither a request nor a response. */
export function readHead(
  bytes: Uint8Array,
  start: number,
  end: number,
  seen: { startTimeNs: number; frameNumber: number },
): HttpHead | undefined {
  if (looksLikeHttp1(bytes, start, end) !== 'yes') return undefined
  const isRequest = !startsWithText(bytes, start, end, responseStart)
  const firstEnd = lineEndOf(bytes, start, end)
  const headers = { ...noHeaders }
  for (let at = nextLine(bytes, start, end); at < end; at = nextLine(bytes, at, end)) {
    readHeader(headers, bytes, at, lineEndOf(bytes, at, end))
  }
  return { isRequest, ...readFirstLine(bytes, start, firstEnd, isRequest), ...headers, ...seen }
}

interface Headers {
  host: string | undefined
  contentType: string
  contentLength: number | undefined
  isChunked: boolean
  isUpgrade: boolean
}

const noHeaders: Headers = {
  host: undefined,
  contentType: '',
  contentLength: undefined,
  isChunked: false,
  isUpgrade: false,
}

function readFirstLine(
  bytes: Uint8Array,
  start: number,
  end: number,
  isRequest: boolean,
): { method: string; path: string; status: number } {
  const gap = indexOfByte(bytes, space, start, end)
  if (gap < 0) return { method: '', path: '', status: 0 }
  if (!isRequest) {
    const code = rawText(bytes, gap + 1, Math.min(gap + 4, end))
    return { method: '', path: '', status: /^\d{3}$/.test(code) ? Number(code) : 0 }
  }
  const next = indexOfByte(bytes, space, gap + 1, end)
  const [path = ''] = rawText(bytes, gap + 1, next < 0 ? end : next).split(/[?#]/, 1)
  return { method: rawText(bytes, start, gap), path, status: 0 }
}

function readHeader(headers: Headers, bytes: Uint8Array, start: number, end: number): void {
  const mark = indexOfByte(bytes, colon, start, end)
  if (mark < 0) return
  // Only names of these lengths are looked at: host, upgrade, content-type, content-length, transfer-encoding.
  const nameLength = mark - start
  if (nameLength !== 4 && nameLength !== 7 && nameLength !== 12 && nameLength !== 14 && nameLength !== 17) return
  const name = rawText(bytes, start, mark).toLowerCase()
  if (name === 'host') headers.host ??= headerValue(bytes, mark + 1, end)
  else if (name === 'upgrade') headers.isUpgrade = true
  else if (name === 'content-type') headers.contentType = headerValue(bytes, mark + 1, end)
  else if (name === 'content-length') headers.contentLength = readLength(headerValue(bytes, mark + 1, end))
  else if (name === 'transfer-encoding') headers.isChunked = /^chunked/i.test(headerValue(bytes, mark + 1, end))
}

function readLength(text: string): number | undefined {
  const length = /^\d{1,15}$/.test(text) ? Number(text) : undefined
  return length
}

function headerValue(bytes: Uint8Array, start: number, end: number): string {
  let from = start
  while (from < end && (bytes[from] === space || bytes[from] === 0x09)) from++
  return rawText(bytes, from, Math.min(end, from + maxTextBytes)).trimEnd()
}

function lineEndOf(bytes: Uint8Array, start: number, end: number): number {
  const feed = indexOfByte(bytes, lineFeed, start, end)
  if (feed < 0) return end
  return feed > start && bytes[feed - 1] === carriageReturn ? feed - 1 : feed
}

function nextLine(bytes: Uint8Array, start: number, end: number): number {
  const feed = indexOfByte(bytes, lineFeed, start, end)
  return feed < 0 ? end : feed + 1
}

function indexOfByte(bytes: Uint8Array, byte: number, from: number, end: number): number {
  for (let at = from; at < end; at++) if (bytes[at] === byte) return at
  return -1
}
