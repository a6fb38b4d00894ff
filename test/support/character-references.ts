/** Decodes the numeric character references of Markdown or HTML, as a page shows them. */
export function decodeCharacterReferences(text: string): string {
  return text.replace(/&#(\d+);/g, (_whole, number: string) => String.fromCodePoint(Number(number)))
}
