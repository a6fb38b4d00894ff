import type { Sequence, SequenceStep } from '../analysis/sequence/sequence.ts'
import { durationText } from '../analysis/findings/wording.ts'
import { endText } from './end-text.ts'
import { breakable, codeBlock, joinedParts } from './markdown.ts'
import { mermaidText } from './mermaid.ts'
import { isoTime } from './wording.ts'

/** In a diagram: a phone makes a wide one small. */
const maxLabelLength = 56
const maxNameLength = 32

/** The worst connection: a diagram of at most 15 lines, and the same as a list. Empty: there is none. */
export function sequenceMarkdown(sequence: Sequence | undefined): string {
  if (sequence === undefined) return ''
  const { title, client, server, startMs, steps } = sequence
  const start = isoTime(startMs)?.slice(11, 23)
  const ends = `${endText(client)} to ${endText(server)}`
  return joinedParts([
    `**${breakable(title)}**`,
    `Connection: ${breakable(ends)}${start === undefined ? '' : `, from ${start} UTC`}:`,
    diagram(sequence),
    steps.map(textLine).join('\n'),
  ])
}

function diagram({ client, server, steps }: Sequence): string {
  const lines = [
    'sequenceDiagram',
    `  participant C as ${mermaidText(endText(client), maxNameLength)}`,
    `  participant S as ${mermaidText(endText(server), maxNameLength)}`,
    ...steps.map((step) => `  ${diagramLine(step)}`),
  ]
  return codeBlock(lines.join('\n'), 'mermaid')
}

function diagramLine(step: SequenceStep): string {
  if (step.kind === 'note') return `Note over C,S: ${mermaidText(step.text, maxLabelLength)}`
  const { sender, isLost, text } = step
  const [from, to] = sender === 'client' ? ['C', 'S'] : ['S', 'C']
  const time = step.atMs === undefined ? '' : ` (${timeText(step.atMs)})`
  return `${from}${isLost ? '-x' : '->>'}${to}: ${mermaidText(text, maxLabelLength)}${time}`
}

function textLine(step: SequenceStep, index: number): string {
  if (step.kind === 'note') return `${index + 1}. ${breakable(step.text)}`
  const { sender, text, atMs, frame, isLost } = step
  const facts = [
    ...(atMs === undefined ? [] : [timeText(atMs)]),
    ...(frame === undefined ? [] : [`packet ${frame}`]),
    ...(isLost ? ['no answer'] : []),
  ]
  return `${index + 1}. ${sender}: ${breakable(text)}${facts.length === 0 ? '' : ` (${facts.join(', ')})`}`
}

/** "+12 ms" */
function timeText(ms: number): string {
  if (ms === 0) return '0 ms'
  return `${ms < 0 ? '-' : '+'}${durationText(Math.abs(ms))}`
}
