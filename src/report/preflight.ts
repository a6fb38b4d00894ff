import { callout, text } from './markdown.ts'

/** The summary of `preflight: only` without a problem. */
export function preflightMarkdown(
  findings: readonly string[],
  hints: readonly string[],
  cautions: readonly string[] = [],
): string {
  const lines = findings.map((finding) => `- ${text(finding)}`)
  const tips = hints.map((hint) => `\n${callout('TIP', hint)}`)
  const warnings = cautions.map((caution) => `\n${callout('WARNING', caution)}`)
  return ['## ✅ Ready to capture', '', ...lines, ...warnings, ...tips, ''].join('\n')
}
