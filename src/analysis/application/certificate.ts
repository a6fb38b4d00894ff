import { rawText } from './raw-text.ts'

const tagInteger = 0x02
const tagSequence = 0x30
const tagUtcTime = 0x17
const tagGeneralizedTime = 0x18
const tagVersion = 0xa0
const tagExtensions = 0xa3
/** 2.5.29.17, subject alternative name, with its tag and length */
const subjectAlternativeName = [0x06, 0x03, 0x55, 0x1d, 0x11]
const maxNamesCount = 16

/** What decides whether a server's certificate fits: readable in TLS 1.2, encrypted in TLS 1.3. */
export interface CertificateFacts {
  /** s since the epoch */
  readonly notBeforeSeconds: number
  readonly notAfterSeconds: number
  /** DNS names of the subject alternative name, at most 16 */
  readonly names: readonly string[]
}

interface Element {
  readonly tag: number
  readonly start: number
  readonly end: number
}

/** Reads an X.509 certificate in DER. Undefined where it is not one, or is cut before the validity. */
export function readCertificate(bytes: Uint8Array, start: number, end: number): CertificateFacts | undefined {
  const certificate = sequence(element(bytes, start, end))
  const body = certificate && sequence(element(bytes, certificate.start, certificate.end))
  const validity = body && findValidity(bytes, body)
  if (validity === undefined) return undefined
  const notBefore = element(bytes, validity.start, validity.end)
  const notBeforeSeconds = notBefore && readTime(bytes, notBefore)
  const notAfter = notBefore && element(bytes, notBefore.end, validity.end)
  const notAfterSeconds = notAfter && readTime(bytes, notAfter)
  if (notBeforeSeconds === undefined || notAfterSeconds === undefined) return undefined
  let next = element(bytes, validity.end, body!.end)
  while (next !== undefined && next.tag !== tagExtensions) next = element(bytes, next.end, body!.end)
  return { notBeforeSeconds, notAfterSeconds, names: next === undefined ? [] : readNames(bytes, next) }
}

function sequence(found: Element | undefined): Element | undefined {
  return found?.tag === tagSequence ? found : undefined
}

/** After the version (which may be missing), the serial number, the signature algorithm and the issuer. */
function findValidity(bytes: Uint8Array, body: Element): Element | undefined {
  let at = element(bytes, body.start, body.end)
  if (at?.tag === tagVersion) at = element(bytes, at.end, body.end)
  if (at?.tag !== tagInteger) return undefined
  for (let skipped = 0; skipped < 3 && at !== undefined; skipped++) at = element(bytes, at.end, body.end)
  return at?.tag === tagSequence ? at : undefined
}

/** The element at `start`; one that ends after `end` is cut there. */
function element(bytes: Uint8Array, start: number, end: number): Element | undefined {
  if (start + 2 > end) return undefined
  let length = bytes[start + 1]!
  let at = start + 2
  if (length >= 0x80) {
    const count = length & 0x7f
    if (count === 0 || count > 3 || at + count > end) return undefined
    length = 0
    for (let index = 0; index < count; index++) length = length * 256 + bytes[at++]!
  }
  return { tag: bytes[start]!, start: at, end: Math.min(at + length, end) }
}

function readTime(bytes: Uint8Array, time: Element): number | undefined {
  const text = rawText(bytes, time.start, time.end)
  const match = /^(\d{2}|\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})?Z$/.exec(text)
  if (match === null) return undefined
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1)
    .map((part) => Number(part ?? 0))
  if (time.tag === tagGeneralizedTime) return Date.UTC(year, month - 1, day, hour, minute, second) / 1000
  // RFC 5280, 4.1.2.5.1
  const century = year >= 50 ? 1900 : 2000
  return time.tag === tagUtcTime ? Date.UTC(century + year, month - 1, day, hour, minute, second) / 1000 : undefined
}

function readNames(bytes: Uint8Array, extensions: Element): string[] {
  const list = element(bytes, extensions.start, extensions.end)
  let extension = list === undefined ? undefined : element(bytes, list.start, list.end)
  while (list !== undefined && extension !== undefined) {
    const { start } = extension
    if (subjectAlternativeName.every((byte, index) => bytes[start + index] === byte)) {
      return readGeneralNames(bytes, extension)
    }
    extension = element(bytes, extension.end, list.end)
  }
  return []
}

function readGeneralNames(bytes: Uint8Array, extension: Element): string[] {
  let value = element(bytes, extension.start + subjectAlternativeName.length, extension.end)
  // the "critical" flag
  if (value?.tag === 0x01) value = element(bytes, value.end, extension.end)
  const list = value === undefined ? undefined : element(bytes, value.start, value.end)
  const names: string[] = []
  let name = list === undefined ? undefined : element(bytes, list.start, list.end)
  while (list !== undefined && name !== undefined && names.length < maxNamesCount) {
    // dNSName [2]
    if (name.tag === 0x82) names.push(rawText(bytes, name.start, name.end))
    name = element(bytes, name.end, list.end)
  }
  return names
}
