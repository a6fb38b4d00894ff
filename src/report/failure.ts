import { documentUrl } from '../common/document-url.ts'
import { renderCause, renderHeading, renderLeftovers, type FailureOptions, type Problem } from '../common/errors.ts'
import { callout, codeBlock, link, text } from './markdown.ts'

/** The summary of a run that captured nothing: each problem with its fix and a link to its entry in the documentation. */
export function failureMarkdown(
  problems: readonly Problem[],
  { stage, leftovers, cautions = [] }: FailureOptions = {},
): string {
  const title = stage === undefined ? 'Capture failed' : 'Not ready to capture'
  const heading = [renderHeading(stage, problems.length), renderLeftovers(leftovers)].filter(Boolean).join(' ')
  const warnings = cautions.map((caution) => callout('WARNING', caution))
  return [`## ❌ ${title}`, text(heading), problemList(problems), ...warnings, ''].join('\n\n')
}

/** A Markdown list with one item for each problem. */
export function problemList(problems: readonly Problem[]): string {
  return problems.map(problemItem).join('\n')
}

function problemItem(problem: Problem): string {
  const { input, details = [], fix, command } = problem
  const cause = `**${text(input)}**: ${text(renderCause(problem))}`
  const advice = lines(fix)
  const see = seeAlso(problem)
  const blocks =
    details.length === 0 && command === undefined
      ? [[cause, advice, see].filter(Boolean).join(' ')]
      : [
          cause,
          details.map((detail) => `- ${text(detail)}`).join('\n'),
          advice,
          command === undefined ? '' : codeBlock(command, 'sh'),
          see,
        ].filter(Boolean)
  return `- ${blocks.join('\n\n').replaceAll('\n', '\n  ')}`
}

function lines(value: string): string {
  return value
    .split('\n')
    .map((line) => text(line.trim()))
    .join('<br>\n')
}

function seeAlso({ code, docs }: Problem): string {
  const entry = link(code, documentUrl(`docs/troubleshooting.md#${code.toLowerCase()}`))
  return docs === undefined ? `See ${entry}.` : `See ${link(docs, documentUrl(docs))} and ${entry}.`
}
