/**
 * The one escaper between foreign text and the summary: HTML's and Markdown's own characters, line breaks and what turns text around
 * become harmless, and no address becomes a link. GitHub renders Markdown inside of HTML, so both are escaped.
 */
export function text(value: string): string {
  return value
    .slice(0, longest)
    .replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g, ' ')
    .replace(/[&<>"'`|\\*_~[\](){}#!@$]|:(?=\/\/)|(?<=www)\./gi, (character) => `&#${character.charCodeAt(0)};`)
}
const longest = 4096

export function code(value: string): string {
  return `<code>${text(value)}</code>`
}

/** A GitHub table of two columns; the cells are Markdown already. */
export function table(rows: readonly (readonly [string, string])[]): string {
  return ['| | |', '|---|---|', ...rows.map(([name, value]) => `| ${name} | ${value} |`)].join('\n')
}
