/** A text, or what is wrong with its bytes. */
export type DecodedText = { readonly text: string } | { readonly problem: string }

/** UTF-8, or UTF-16 with a byte order mark, as PowerShell writes it. */
export function decodeText(bytes: Buffer): DecodedText {
  const mark = bytes.subarray(0, 2).toString('hex')
  const encoding = mark === 'fffe' ? 'utf-16le' : mark === 'feff' ? 'utf-16be' : 'utf-8'
  try {
    return { text: new TextDecoder(encoding, { fatal: true }).decode(bytes) }
  } catch {
    return { problem: `it is not a text in ${encoding.toUpperCase()}` }
  }
}
