import { text } from './markdown.ts'

/** The summary of `preflight: only` where nothing stands in the way. */
export function preflightMarkdown(findings: readonly string[], hints: readonly string[]): string {
  const lines = findings.map((finding) => `- ${text(finding)}`)
  const tips = hints.map((hint) => `\n> [!TIP]\n> ${text(hint)}`)
  return ['## ✅ Ready to capture', '', ...lines, ...tips, ''].join('\n')
}

/** The summary of `preflight: only` with what has to be mended; the words are those of the log, line by line. */
export function preflightProblemMarkdown(problem: string): string {
  const lines = problem.split('\n').map((line) => line.replace(/^ */, (spaces) => '&nbsp;'.repeat(spaces.length)))
  const escaped = lines.map((line) => {
    const spaces = /^(&nbsp;)*/.exec(line)?.[0] ?? ''
    return `${spaces}${text(line.slice(spaces.length))}`
  })
  return ['## ❌ Not ready to capture', '', escaped.join('<br>\n'), ''].join('\n')
}
