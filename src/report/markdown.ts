import { controlCharacters, replaceControlCharacters } from '../common/remote-text.ts'

const controlRuns = new RegExp(`(?:${controlCharacters.source})+`, 'g')

/** Of one text, UTF-16 units: so that the longest report is below that limit, too. */
const maxPartLength = 400
/** A phone shows some 40 characters in a line, and a word that is longer makes the page wider. */
const maxWordLength = 20
/** Behind a hyphen, a dot or a slash a word breaks where it reads well, but not into bits. */
const minWordLength = 9

/** Of one text in the summary, which GitHub limits to 1 MiB. */
const maxTextLength = 4096

/**
 * The one escaper between captured or remote text and the summary: the special characters of HTML and Markdown, line breaks and direction
 * marks become harmless, and no address becomes a link. GitHub renders Markdown inside of HTML, so both are escaped.
 */
export function text(value: string): string {
  return value
    .slice(0, maxTextLength)
    .replace(controlRuns, ' ')
    .replace(/[&<>"'`|\\*_~[\](){}#!@$]|:(?=\/\/)|(?<=www)\./gi, (character) => `&#${character.charCodeAt(0)};`)
}

export function code(value: string): string {
  return `<code>${text(value)}</code>`
}

/** A table of two columns; the cells are Markdown already. */
export function table(rows: readonly (readonly [string, string])[]): string {
  return ['| | |', '|---|---|', ...rows.map(([name, value]) => `| ${name} | ${value} |`)].join('\n')
}

/** A block of code that no line in it can end: its fence is longer than each run of backticks inside. */
export function codeBlock(content: string, language: string): string {
  const lines = replaceControlCharacters(content)
  const longestRunLength = Math.max(2, ...[...lines.matchAll(/`+/g)].map(([run]) => run.length))
  const fence = '`'.repeat(longestRunLength + 1)
  return `${fence}${language}\n${lines}\n${fence}`
}

/** A link to an https address; code where the address is a path. */
export function link(label: string, address: string): string {
  if (!address.startsWith('https://')) return code(address)
  const target = encodeURI(address).replace(/[()]/g, (character) => (character === '(' ? '%28' : '%29'))
  return `[${text(label)}](${target})`
}

/**
 * A link to a page of the repository. The runner replaces each masked secret in the summary, and the name of the repository or of its owner can
 * be one (the user name of a registry, for example), so each character of the address is a numeric reference. Markdown decodes them after
 * that (CommonMark 0.31.2, section 2.5). A relative address has no such name, but cannot fit both pages: `…/runs/RUN` and
 * `…/runs/RUN/attempts/2`.
 */
export function unmaskableLink(label: string, address: string): string {
  return `[${text(label)}](${Array.from(address, (character) => `&#${character.codePointAt(0)};`).join('')})`
}

type CalloutKind = 'TIP' | 'NOTE' | 'WARNING'

/** `> [!TIP]` and the like. */
export function callout(kind: CalloutKind, content: string): string {
  return markdownCallout(kind, text(content))
}

/** The same of one line that is Markdown already. */
export function markdownCallout(kind: CalloutKind, line: string): string {
  return `> [!${kind}]\n> ${line}`
}

/** A part of the summary that one tap opens; nothing where it has no content. `title` and `content` are Markdown already. */
export function details(title: string, content: string): string {
  return content === '' ? '' : `<details><summary>${title}</summary>\n\n${content}\n\n</details>`
}

/** Parts with an empty line between them; those that are empty are left out. */
export function joinedParts(parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join('\n\n')
}

/** Escaped text in which a browser may break long words. */
export function breakable(value: string): string {
  return pieces(value).map(text).join('<wbr>')
}

/** Escaped text for a narrow column: a browser may break it before a port, and behind each `-`, `/` and `_`, too. */
export function breakableCell(value: string): string {
  return value
    .split(/(?=:\d)|(?<=[/_-])(?=\w)/)
    .map(breakable)
    .join('<wbr>')
}

/** At most `maxLength` UTF-16 units, the last of them `…` where something is cut off. */
export function shortened(value: string, maxLength: number): string {
  return value.length > maxLength ? `${value.slice(0, maxLength - 1).toWellFormed()}…` : value
}

export function breakableCode(value: string): string {
  return `<code>${breakable(value)}</code>`
}

/** The text in parts, so that no part has a word that is longer than a phone's line. */
function pieces(value: string): string[] {
  const parts: string[] = []
  let part = ''
  let wordLength = 0
  const cut = value.length > maxPartLength ? `${value.slice(0, maxPartLength)}…` : value
  for (const character of cut.toWellFormed()) {
    if (wordLength === maxWordLength && !/\s/u.test(character)) {
      parts.push(part)
      part = ''
      wordLength = 0
    }
    part += character
    wordLength = /\s/u.test(character) ? 0 : wordLength + 1
    if (wordLength >= minWordLength && /[-./_]/.test(character)) {
      parts.push(part)
      part = ''
      wordLength = 0
    }
  }
  return [...parts, part]
}
