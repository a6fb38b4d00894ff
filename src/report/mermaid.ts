import { toOneLine } from '../common/remote-text.ts'

/** What needs no escape: everything else may have a meaning in some place of Mermaid's grammar, also inside of a text. */
const special = /[^A-Za-z0-9 .,:/()+=?*_-]/gu

/**
 * Text from packets or the cluster in a text of a Mermaid diagram, at most `maxLength` UTF-16 units: other characters are entities, which Mermaid shows
 * as the character (https://mermaid.js.org/syntax/sequenceDiagram.html#entity-codes-to-escape-characters). So it can end no line, and begin no
 * comment, directive, formula or link. Two hyphens are an arrow.
 */
export function mermaidText(value: string, maxLength: number): string {
  const line = toOneLine(value, maxLength + 1)
  const cut = line.length > maxLength ? `${line.slice(0, maxLength - 1).toWellFormed()}…` : line
  const escaped = cut
    .replace(special, (character) => `#${character.codePointAt(0)};`)
    .replace(/:(?=\/\/)|(?<=www)\./gi, (character) => `#${character.charCodeAt(0)};`)
    .replace(/--+/g, (hyphens) => '#45;'.repeat(hyphens.length))
    .replace(/^(?:no)?wrap:/i, (word) => `${word.slice(0, -1)}#58;`)
  return escaped === '' ? '-' : escaped
}
