/**
 * Control characters, line separators, and the characters that are not visible or change the direction of text: text from an input, a server, a
 * pod or a packet must not contain them where it is shown (https://trojansource.codes). In order: C0, DEL and C1; soft hyphen; the marks and
 * controls of directions; letters without a glyph; invisible operators and joiners; the byte order mark; annotations; the tags of plane 14, as surrogate pairs.
 */
export const controlCharacters =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ufeff\uffa0\ufff9-\ufffb]|\udb40[\udc00-\udfff]/g

/** The text without `controlCharacters`, each replaced by a space; line feeds are kept. */
export function replaceControlCharacters(text: string): string {
  return text.replace(controlCharacters, (character) => (character === '\n' ? character : ' '))
}

/** The text in one line, at most `maxLength` UTF-16 units: each run of white space and control characters becomes one space. */
export function toOneLine(text: string, maxLength = Infinity): string {
  return text.replace(controlCharacters, ' ').replace(/\s+/g, ' ').trim().slice(0, maxLength).toWellFormed()
}

/**
 * The lines of a text in one line, white space around a line break removed. Without a pattern for the white space: on a long run of blanks its
 * time would grow with the square of the length, and no timer or signal is served meanwhile.
 */
export function joinLines(text: string): string {
  const [first = '', ...others] = text.split(/[\r\n]+/)
  return [first.trimEnd(), ...others.map((line) => line.trim()).filter(Boolean)].join(' ')
}

/**
 * Text of a node or a pod for the state of the run, cut to `maxLength` UTF-16 units, which is a
 * file of bounded size. Control characters, for each of which JSON needs six, become spaces.
 */
export function sanitizeRemoteText(text: string, maxLength: number): string {
  return text.slice(0, maxLength).replace(controlCharacters, ' ').toWellFormed()
}

/** The first of `controlCharacters` in the text that is not allowed, for a message: `U+202E`; undefined where there is none. */
export function controlCharacterIn(text: string, allowed = ''): string | undefined {
  for (const [character] of text.matchAll(controlCharacters)) {
    if (allowed.includes(character)) continue
    return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`
  }
  return undefined
}

/** Whether a runner of GitHub Actions may read a command in a line of this text (ActionCommand.cs): `::` at its start, `##[` anywhere in it. */
export function hasWorkflowCommand(text: string): boolean {
  return /##\[|^\s*::/m.test(text)
}

/** Of one line or annotation: longer texts come only from a hostile server. */
export const maxTextChars = 65_536

/**
 * The one escaper between remote text (names, messages of a server or a tool, what packets carry) and the log or a terminal: the runner runs `::command::` at the start of a
 * line and `##[command]` anywhere in one (actions/runner, ActionCommand.cs), and a terminal interprets control characters.
 */
export function plain(text: string): string {
  return replaceControlCharacters(text.slice(0, maxTextChars))
    .replace(/##\[/g, '## [')
    .replace(/^([^\S\n]*)::/gm, '$1: :')
}
