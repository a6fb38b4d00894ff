import type { Diagnosis } from '../analysis/diagnosis.ts'
import type { Finding } from '../analysis/findings/finding.ts'
import type { ServerTimes } from '../analysis/diagnosis/server-times.ts'
import {
  captureText,
  culpritText,
  evidenceText,
  safeLine,
  severityText,
  stallText,
  timesText,
} from './diagnosis-wording.ts'
import { endpointText } from '../analysis/findings/wording.ts'

/** With these the report has at most 60 lines. */
const maxFindingsCount = 6
const maxListedCount = 5
const maxServersCount = 6

/** The report for a terminal: at most 60 lines, each without characters that a terminal or the log of a job interprets. */
export function diagnosisText(diagnosis: Diagnosis): string {
  return [
    ...head(diagnosis),
    ...section('Findings', findings(diagnosis)),
    ...section('Looked at and clean', clean(diagnosis)),
    ...section('Withheld: this capture cannot carry it', limited(diagnosis.withheld.map(({ text }) => text))),
    ...section('What this capture cannot show', limited(diagnosis.limits.map(({ text }) => text))),
    ...section('Servers: time of the network, and of the application', servers(diagnosis)),
  ]
    .map(indentedLine)
    .join('\n')
}

/** Keeps the indent that is the report's own. */
function indentedLine(line: string): string {
  const indent = /^ */.exec(line)?.[0] ?? ''
  return indent + safeLine(line)
}

function head(diagnosis: Diagnosis): string[] {
  const { sentence, detail, sureness, because } = diagnosis
  return [
    sentence,
    ...(detail === '' ? [] : [detail]),
    `Culprit: ${culpritText(diagnosis)}. Sure: ${sureness}, ${because}`,
    `Capture: ${captureText(diagnosis)}`,
  ]
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', `${title}:`, ...lines]
}

function findings({ findings: all }: Diagnosis): string[] {
  const shown = all.slice(0, maxFindingsCount).flatMap(finding)
  return all.length > maxFindingsCount ? [...shown, `  and ${all.length - maxFindingsCount} more: see --json`] : shown
}

function finding(one: Finding, index: number): string[] {
  const { title, displayFilter, likelyCauses, nextSteps } = one
  return [
    `  ${index + 1}. ${severityText(one)} ${title}`,
    `     ${evidenceText(one)}; filter: ${displayFilter}`,
    `     Likely: ${likelyCauses.slice(0, 2).join('; ')}`,
    `     Next: ${nextSteps[0] ?? ''}`,
  ]
}

function clean({ clean: checks }: Diagnosis): string[] {
  return checks.length === 0 ? [] : [`  ${checks.map(({ text }) => text).join(', ')}`]
}

function limited(texts: readonly string[]): string[] {
  const shown = texts.slice(0, maxListedCount).map((text) => `  - ${text}`)
  return texts.length > maxListedCount ? [...shown, `  and ${texts.length - maxListedCount} more: see --json`] : shown
}

function servers({ servers: all }: Diagnosis): string[] {
  const shown = all.slice(0, maxServersCount).map((times) => `  ${serverLine(times)}`)
  return all.length > maxServersCount ? [...shown, `  and ${all.length - maxServersCount} more: see --json`] : shown
}

function serverLine(times: ServerTimes): string {
  const parts = [
    ['round trip', timesText(times.roundTrip)],
    ['answers', timesText(times.thinkTime)],
    ['stalled', stallText(times)],
  ].filter((part) => part[1] !== undefined)
  const measured = parts.map(([name, text]) => `${name} ${text}`).join('; ')
  return `${endpointText(times.server)}: ${measured === '' ? 'nothing measured' : measured}`
}
