import { u16 } from '../bytes.ts'
import { rawText } from './raw-text.ts'

const extensionServerName = 0
const extensionAlpn = 16
const extensionSupportedVersions = 43
const maxListedCount = 16

/** What a ClientHello or a ServerHello says, as far as its bytes go. */
export interface TlsHello {
  /** the field of the message: 0x0303 for TLS 1.2 and 1.3 */
  legacyVersion: number | undefined
  serverName: string | undefined
  /** offered by a client, or the one that the server selected */
  readonly alpn: string[]
  /** supported_versions: of a client all, of a server the selected one; without GREASE (RFC 8701) */
  readonly versions: number[]
}

/** Reads a hello's body from `start` up to `end`. A field that is not whole is left out. */
export function readHello(bytes: Uint8Array, start: number, end: number, isClient: boolean): TlsHello {
  const hello: TlsHello = { legacyVersion: undefined, serverName: undefined, alpn: [], versions: [] }
  if (start + 2 > end) return hello
  hello.legacyVersion = u16(bytes, start)
  // version, random, session id
  let at = start + 34
  if (at >= end) return hello
  at += 1 + bytes[at]!
  if (isClient) {
    if (at + 2 > end) return hello
    at += 2 + u16(bytes, at)
    if (at >= end) return hello
    at += 1 + bytes[at]!
  } else {
    at += 3
  }
  if (at + 2 > end) return hello
  const extensionsEnd = Math.min(at + 2 + u16(bytes, at), end)
  at += 2
  while (at + 4 <= extensionsEnd) {
    const next = at + 4 + u16(bytes, at + 2)
    readExtension(hello, bytes, { type: u16(bytes, at), start: at + 4, end: Math.min(next, extensionsEnd) })
    at = next
  }
  return hello
}

interface Extension {
  readonly type: number
  readonly start: number
  readonly end: number
}

function readExtension(hello: TlsHello, bytes: Uint8Array, { type, start, end }: Extension): void {
  if (type === extensionServerName) hello.serverName ??= readServerName(bytes, start, end)
  else if (type === extensionAlpn) readAlpn(hello.alpn, bytes, start, end)
  else if (type === extensionSupportedVersions) readVersions(hello.versions, bytes, start, end)
}

/** The first name of type host_name; an empty extension is the server's acknowledgement. */
function readServerName(bytes: Uint8Array, start: number, end: number): string | undefined {
  if (start + 5 > end || bytes[start + 2] !== 0) return undefined
  const nameEnd = start + 5 + u16(bytes, start + 3)
  return nameEnd <= end ? rawText(bytes, start + 5, nameEnd) : undefined
}

function readAlpn(list: string[], bytes: Uint8Array, start: number, end: number): void {
  let at = start + 2
  while (at < end && list.length < maxListedCount) {
    const next = at + 1 + bytes[at]!
    if (next > end) return
    list.push(rawText(bytes, at + 1, next))
    at = next
  }
}

function readVersions(list: number[], bytes: Uint8Array, start: number, end: number): void {
  // A server sends one version, a client a list with its length in front.
  let at = end - start === 2 ? start : start + 1
  for (; at + 2 <= end && list.length < maxListedCount; at += 2) {
    const version = u16(bytes, at)
    if ((version & 0x0f0f) !== 0x0a0a) list.push(version)
  }
}
