const slotsCount = 2_048
const maxTextBytes = 256

/**
 * The texts that were made last. Names come again and again in a capture: the same string for each saves memory, and a map finds it faster, as a
 * string keeps its hash.
 */
const texts: string[] = new Array<string>(slotsCount).fill('')
const scratch = Buffer.alloc(maxTextBytes)

/** One character for each byte from `start` to before `end`, which must be in the array. At most 256 bytes are taken. */
export function textOf(bytes: Uint8Array, start: number, end: number): string {
  const length = Math.min(end - start, maxTextBytes)
  let hash = length
  for (let index = 0; index < length; index += 1) hash = Math.imul(hash ^ bytes[start + index]!, 0x9e3779b1)
  const slot = (hash ^ (hash >>> 15)) & (slotsCount - 1)
  const known = texts[slot]!
  if (known.length === length && isText(known, bytes, start)) return known
  for (let index = 0; index < length; index += 1) scratch[index] = bytes[start + index]!
  const text = scratch.toString('latin1', 0, length)
  texts[slot] = text
  return text
}

function isText(text: string, bytes: Uint8Array, start: number): boolean {
  for (let index = 0; index < text.length; index += 1) if (text.charCodeAt(index) !== bytes[start + index]) return false
  return true
}
