import { maxTextBytes, rawText, startsWithText } from './raw-text.ts'

const lineFeed = 0x0a
const carriageReturn = 0x0d
const space = 0x20
const colon = 0x3a
const questionMark = 0x3f
const numberSign = 0x23
const chunked = 'chunked'
const maxLengthDigitsCount = 15

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
const responseStart = 'HTTP/'
/** What a message may begin with, by the first byte. */
const startsByFirstByte: string[][] = Array.from({ length: 256 }, (_, byte) =>
  [responseStart, ...methods].filter((text) => text.charCodeAt(0) === byte),
)
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
  const candidates = startsByFirstByte[bytes[start]!]!
  let isPrefix = false
  for (let index = 0; index < candidates.length; index += 1) {
    const candidate = candidates[index]!
    if (startsWithText(bytes, start, end, candidate)) return 'yes'
    if (end - start < candidate.length) isPrefix ||= isStartOf(bytes, start, end, candidate)
  }
  return isPrefix ? 'maybe' : 'no'
}

function isStartOf(bytes: Uint8Array, start: number, end: number, text: string): boolean {
  return startsWithText(bytes, start, end, text.slice(0, end - start))
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
  seen: { readonly startTimeNs: number; readonly frameNumber: number },
): HttpHead | undefined {
  if (looksLikeHttp1(bytes, start, end) !== 'yes') return undefined
  const head = new ReadHead(seen.startTimeNs, seen.frameNumber)
  let feed = indexOfByte(bytes, lineFeed, start, end)
  head.readFirstLine(bytes, start, lineEndAt(bytes, start, feed, end))
  while (feed >= 0 && feed + 1 < end) {
    const lineStart = feed + 1
    feed = indexOfByte(bytes, lineFeed, lineStart, end)
    head.readHeader(bytes, lineStart, lineEndAt(bytes, lineStart, feed, end))
  }
  return head
}

/** The end of a line without its CR LF; `feed`: where its LF is, -1: it is not there. */
function lineEndAt(bytes: Uint8Array, start: number, feed: number, end: number): number {
  if (feed < 0) return end
  return feed > start && bytes[feed - 1] === carriageReturn ? feed - 1 : feed
}

class ReadHead implements HttpHead {
  isRequest = false
  method = ''
  path = ''
  status = 0
  host: string | undefined = undefined
  contentType = ''
  contentLength: number | undefined = undefined
  isChunked = false
  isUpgrade = false
  readonly startTimeNs: number
  readonly frameNumber: number

  constructor(startTimeNs: number, frameNumber: number) {
    this.startTimeNs = startTimeNs
    this.frameNumber = frameNumber
  }

  readFirstLine(bytes: Uint8Array, start: number, end: number): void {
    this.isRequest = !startsWithText(bytes, start, end, responseStart)
    const gap = indexOfByte(bytes, space, start, end)
    if (gap < 0) return
    if (!this.isRequest) {
      if (end - gap > 3) this.status = Math.max(0, numberAt(bytes, gap + 1, gap + 4))
      return
    }
    const next = indexOfByte(bytes, space, gap + 1, end)
    let pathEnd = gap + 1
    const lineEnd = next < 0 ? end : next
    while (pathEnd < lineEnd && bytes[pathEnd] !== questionMark && bytes[pathEnd] !== numberSign) pathEnd += 1
    this.method = rawText(bytes, start, gap)
    this.path = rawText(bytes, gap + 1, pathEnd)
  }

  readHeader(bytes: Uint8Array, start: number, end: number): void {
    const mark = indexOfByte(bytes, colon, start, end)
    if (mark < 0) return
    switch (mark - start) {
      case 4:
        if (isName(bytes, start, 'host')) this.host ??= headerValue(bytes, mark + 1, end)
        break
      case 7:
        if (isName(bytes, start, 'upgrade')) this.isUpgrade = true
        break
      case 12:
        if (isName(bytes, start, 'content-type')) this.contentType = headerValue(bytes, mark + 1, end)
        break
      case 14:
        if (isName(bytes, start, 'content-length')) this.contentLength = lengthAt(bytes, mark + 1, end)
        break
      case 17:
        if (isName(bytes, start, 'transfer-encoding')) this.isChunked = isChunkedAt(bytes, mark + 1, end)
    }
  }
}

/** Whether the header's name is this one, which is in small letters. */
function isName(bytes: Uint8Array, start: number, name: string): boolean {
  for (let index = 0; index < name.length; index += 1) {
    const byte = bytes[start + index]!
    const lower = byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte
    if (lower !== name.charCodeAt(index)) return false
  }
  return true
}

function headerValue(bytes: Uint8Array, start: number, end: number): string {
  const from = valueStart(bytes, start, end)
  return rawText(bytes, from, valueEnd(bytes, from, Math.min(end, from + maxTextBytes)))
}

/** The number of a header whose value is nothing else. */
function lengthAt(bytes: Uint8Array, start: number, end: number): number | undefined {
  const from = valueStart(bytes, start, end)
  const stop = valueEnd(bytes, from, Math.min(end, from + maxTextBytes))
  if (stop === from || stop - from > maxLengthDigitsCount) return undefined
  const length = numberAt(bytes, from, stop)
  return length < 0 ? undefined : length
}

function isChunkedAt(bytes: Uint8Array, start: number, end: number): boolean {
  const from = valueStart(bytes, start, end)
  return end - from >= chunked.length && isName(bytes, from, chunked)
}

function valueStart(bytes: Uint8Array, start: number, end: number): number {
  let from = start
  while (from < end && (bytes[from] === space || bytes[from] === 0x09)) from += 1
  return from
}

/** Without white space at the end. */
function valueEnd(bytes: Uint8Array, from: number, end: number): number {
  let stop = end
  while (stop > from && isSpace(bytes[stop - 1]!)) stop -= 1
  return stop
}

function isSpace(byte: number): boolean {
  return byte === space || (byte >= 0x09 && byte <= 0x0d) || byte === 0xa0
}

/** The number that the bytes say, -1 where one is no digit. */
function numberAt(bytes: Uint8Array, start: number, end: number): number {
  let value = 0
  for (let at = start; at < end; at += 1) {
    const digit = bytes[at]! - 0x30
    if (digit < 0 || digit > 9) return -1
    value = value * 10 + digit
  }
  return value
}

function indexOfByte(bytes: Uint8Array, byte: number, from: number, end: number): number {
  for (let at = from; at < end; at++) if (bytes[at] === byte) return at
  return -1
}
