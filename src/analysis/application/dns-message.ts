import { u16 } from '../bytes.ts'
import { textOf } from '../text-cache.ts'

const headerBytes = 12
const flagResponse = 0x8000
const flagTruncated = 0x0200
/** as many as Wireshark follows */
const maxPointersCount = 255
const maxNameBytes = 255

/** Names that RFC 1035 and 6895 give the codes; the others are shown as numbers. */
const rcodeNames = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED'] as const
export const rcodeNxdomain = 3

export function rcodeName(rcode: number): string {
  return rcodeNames[rcode] ?? String(rcode)
}

/** A DNS message, filled again for each one. */
export class DnsMessage {
  id = 0
  isResponse = false
  isTruncated = false
  rcode = 0
  questionCount = 0
  answerCount = 0
  /** of the first question, without the final dot: `<Root>` for the root, `?` without a question */
  name = '?'
  /** of the first question: 1 A, 28 AAAA; 0 without a question */
  questionType = 0
  /** every record is inside the bytes */
  isComplete = false
}

/**
 * Whether a UDP payload on a port that is not DNS's looks like DNS, by Wireshark's heuristic: a standard query with one question and nothing
 * else, or a response with a plausible number of records.
 */
export function looksLikeDns(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start <= headerBytes) return false
  const flags = u16(bytes, start + 2)
  if ((flags & 0x7800) !== 0 || u16(bytes, start + 10) > 10) return false
  const questions = u16(bytes, start + 4)
  const answers = u16(bytes, start + 6)
  const authorities = u16(bytes, start + 8)
  if ((flags & flagResponse) === 0) return questions === 1 && answers === 0 && authorities === 0
  return questions <= 1 && answers <= 100 && authorities <= 10
}

/** Reads the message from `start` up to `end`. Returns false where not even the header is there: then `message` says nothing. */
export function readDnsMessage(message: DnsMessage, bytes: Uint8Array, start: number, end: number): boolean {
  if (end > bytes.length || end - start < 4) return false
  message.id = u16(bytes, start)
  const flags = u16(bytes, start + 2)
  message.isResponse = (flags & flagResponse) !== 0
  message.isTruncated = (flags & flagTruncated) !== 0
  message.rcode = flags & 0xf
  message.questionCount = 0
  message.answerCount = 0
  message.name = '?'
  message.questionType = 0
  message.isComplete = false
  if (end - start < headerBytes) return true
  message.questionCount = u16(bytes, start + 4)
  message.answerCount = u16(bytes, start + 6)
  const recordCount = message.answerCount + u16(bytes, start + 8) + u16(bytes, start + 10)
  let at = start + headerBytes
  for (let index = 0; index < message.questionCount; index++) {
    if (index === 0) at = readName(message, bytes, { at, start, end })
    else at = skipName(bytes, at, end)
    if (at < 0 || at + 4 > end) return true
    if (index === 0) message.questionType = u16(bytes, at)
    at += 4
  }
  message.isComplete = hasAllRecords(bytes, { at, start, end }, recordCount)
  return true
}

interface Place {
  readonly at: number
  /** of the message: pointers count from here */
  readonly start: number
  readonly end: number
}

function hasAllRecords(bytes: Uint8Array, place: Place, recordCount: number): boolean {
  let at = place.at
  // Each record has at least eleven bytes: the loop ends with the message.
  for (let index = 0; index < recordCount; index++) {
    at = skipName(bytes, at, place.end)
    if (at < 0 || at + 10 > place.end) return false
    at += 10 + u16(bytes, at + 8)
    if (at > place.end) return false
  }
  return true
}

/** Position after the name, -1 where it goes beyond `end` or is not a name. */
function skipName(bytes: Uint8Array, start: number, end: number): number {
  let at = start
  while (at < end) {
    const length = bytes[at++]!
    if (length === 0) return at
    if (length >= 0xc0) return at < end ? at + 1 : -1
    if (length >= 0x40) return -1
    at += length
  }
  return -1
}

// A Buffer as the packets are: code that reads bytes stays monomorphic.
const nameCharacters: Uint8Array = Buffer.alloc(maxNameBytes)

/** Fills `message.name`. Returns the position after the name, -1 where there is no whole name. */
function readName(message: DnsMessage, bytes: Uint8Array, place: Place): number {
  let at = place.at
  let after = -1
  let nameLength = 0
  let pointersLeft = maxPointersCount
  while (at < place.end) {
    const length = bytes[at++]!
    if (length === 0) {
      message.name = nameLength === 0 ? '<Root>' : textOf(nameCharacters, 0, nameLength)
      return after < 0 ? at : after
    }
    if (length >= 0xc0) {
      if (at >= place.end || pointersLeft-- === 0) return -1
      if (after < 0) after = at + 1
      at = place.start + (((length & 0x3f) << 8) | bytes[at]!)
      continue
    }
    if (length >= 0x40 || at + length > place.end || nameLength + 1 + length > maxNameBytes) return -1
    if (nameLength > 0) nameCharacters[nameLength++] = 0x2e
    for (let index = 0; index < length; index++) nameCharacters[nameLength++] = bytes[at++]!
  }
  return -1
}
