import { textOf } from '../text-cache.ts'

/** The longest text of a packet that is kept: a path or a host name, not a payload. */
export const maxTextBytes = 256

/**
 * Text as it is in the packet, one character for each byte, cut after 256 bytes. It may hold anything: it is escaped where it is shown,
 * never here, so that it compares equal to what other tools read.
 */
export function rawText(bytes: Uint8Array, start: number, end: number): string {
  const from = Math.max(start, 0)
  const stop = Math.min(end, start + maxTextBytes, bytes.length)
  return stop > from ? textOf(bytes, from, stop) : ''
}

/** Whether the bytes from `start` are the characters of `text` (ASCII); false where they end before. */
export function startsWithText(bytes: Uint8Array, start: number, end: number, text: string): boolean {
  if (end - start < text.length) return false
  for (let index = 0; index < text.length; index++) {
    if (bytes[start + index] !== text.charCodeAt(index)) return false
  }
  return true
}
