import { i32 } from './bytes.ts'

const slotsCount = 1_024
/** The texts that were made last, by the address: four words and its length for each. */
const texts: string[] = new Array<string>(slotsCount).fill('')
const keys = new Int32Array(slotsCount * 5)

/** Text of the address of 4 or 16 bytes at `offset`: dotted IPv4, or IPv6 as RFC 5952 writes it. The bytes must be in the buffer. */
export function addressText(buffer: Uint8Array, offset: number, addressLength: number): string {
  const isShort = addressLength === 4
  const first = i32(buffer, offset)
  const second = isShort ? 0 : i32(buffer, offset + 4)
  const third = isShort ? 0 : i32(buffer, offset + 8)
  const last = isShort ? 0 : i32(buffer, offset + 12)
  const hash = Math.imul(first ^ Math.imul(second ^ Math.imul(third ^ last, 0x9e3779b1), 0x85ebca6b), 0x9e3779b1)
  const slot = hash >>> 22
  const at = slot * 5
  if (
    keys[at] === first &&
    keys[at + 1] === second &&
    keys[at + 2] === third &&
    keys[at + 3] === last &&
    keys[at + 4] === addressLength
  )
    return texts[slot]!
  keys[at] = first
  keys[at + 1] = second
  keys[at + 2] = third
  keys[at + 3] = last
  keys[at + 4] = addressLength
  return (texts[slot] = makeText(buffer, offset, addressLength))
}

function makeText(buffer: Uint8Array, offset: number, addressLength: number): string {
  if (addressLength === 4) return `${buffer[offset]}.${buffer[offset + 1]}.${buffer[offset + 2]}.${buffer[offset + 3]}`
  const groups = Array.from(
    { length: 8 },
    (_, index) => (buffer[offset + 2 * index]! << 8) | buffer[offset + 2 * index + 1]!,
  )
  if (isMapped(groups)) return `::ffff:${makeText(buffer, offset + 12, 4)}`
  const { start, length } = longestZeroRun(groups)
  if (length < 2) return groups.map(hex).join(':')
  return `${groups.slice(0, start).map(hex).join(':')}::${groups
    .slice(start + length)
    .map(hex)
    .join(':')}`
}

/** An IPv4 address in IPv6 form: its text is mixed (RFC 5952, 5). */
function isMapped(groups: readonly number[]): boolean {
  return groups[5] === 0xffff && groups.slice(0, 5).every((group) => group === 0)
}

function hex(group: number): string {
  return group.toString(16)
}

/** The first of the longest runs of zeros: the one that RFC 5952, 4.2.3 shortens. */
function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 }
  let start = 0
  groups.forEach((group, index) => {
    if (group !== 0) start = index + 1
    else if (index + 1 - start > best.length) best = { start, length: index + 1 - start }
  })
  return best
}
