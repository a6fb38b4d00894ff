import { text } from './markdown.ts'

/** The summary of `preflight: only` where nothing stands in the way. */
export function preflightMarkdown(findings: readonly string[], hints: readonly string[]): string {
  const lines = findings.map((finding) => `- ${text(finding)}`)
  const tips = hints.map((hint) => `\n> [!TIP]\n> ${text(hint)}`)
  return ['## ✅ Ready to capture', '', ...lines, ...tips, ''].join('\n')
}

/** The summary of `preflight: only` with what has to be mended; the words are those of the log, and what is to be pasted is a block of code. */
export function preflightProblemMarkdown(problem: string): string {
  const parts: string[] = []
  let rest = problem
  for (const [command] of problem.matchAll(hereDocument)) {
    const at = rest.indexOf(command)
    parts.push(prose(rest.slice(0, at)), fenced(command))
    rest = rest.slice(at + command.length)
  }
  return ['## ❌ Not ready to capture', ...[...parts, prose(rest)].filter((part) => part !== ''), ''].join('\n\n')
}

/** A command with its here-document, from the beginning of a line to the line that ends it. */
const hereDocument = /^kubectl [^\n]* <<'EOF'\n(?:.*\n)*?EOF$/gm

function prose(lines: string): string {
  return lines
    .split('\n')
    .map((line) => text(line.trim()))
    .filter((line) => line !== '')
    .map((line) => line.replace(/^- /, '• '))
    .join('<br>\n')
}

/** A block of code that nothing in it can end: its fence is longer than any run of backticks inside. */
function fenced(command: string): string {
  const content = command.replace(
    /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,
    ' ',
  )
  const longest = Math.max(2, ...[...content.matchAll(/`+/g)].map(([run]) => run.length))
  const fence = '`'.repeat(longest + 1)
  return `${fence}sh\n${content}\n${fence}`
}
