import type { Diagnosis } from '../analysis/diagnosis.ts'
import type { Finding } from '../analysis/findings/finding.ts'
import type { ServerTimes } from '../analysis/diagnosis/server-times.ts'
import { captureText, culpritText, endsText, evidenceText, stallText, timesText } from './diagnosis-wording.ts'
import { breakable, breakableCode, code, details, table, text } from './markdown.ts'
import { formatCount } from './wording.ts'
import { endpointText } from '../analysis/findings/wording.ts'

const maxFindingsCount = 5
/** In `<details>`: GitHub drops a summary above 1 MiB. */
const maxDetailedCount = 50
const maxListedCount = 20
const icons = { error: '🔴', warning: '🟡', notice: '🔵', none: '🟢' } as const

/** The report for the job summary: what a phone shows first has no table and no long word, the numbers follow in `<details>`. */
export function diagnosisMarkdown(diagnosis: Diagnosis): string {
  const parts = [
    diagnosisHead(diagnosis),
    breakable(captureText(diagnosis)),
    diagnosisFindings(diagnosis),
    diagnosisDetails(diagnosis),
    details('Capture', captureTable(diagnosis)),
  ]
  return joined(parts)
}

/** The sentence as a heading, and what supports it. */
export function diagnosisHead(diagnosis: Diagnosis): string {
  const { severity, sentence } = diagnosis
  return joined([`## ${icons[severity]} ${breakable(sentence)}`, verdict(diagnosis)])
}

/** The findings in short, what was checked, and what this capture cannot show. */
export function diagnosisFindings(diagnosis: Diagnosis): string {
  const { withheld, limits } = diagnosis
  return joined([
    findings(diagnosis),
    listed('Looked at and clean', clean(diagnosis)),
    bullets(
      'Withheld, because this capture cannot carry it',
      withheld.map((one) => one.text),
    ),
    bullets(
      'What this capture cannot show',
      limits.map((one) => one.text),
    ),
  ])
}

/** All numbers, in `<details>`. */
export function diagnosisDetails(diagnosis: Diagnosis): string {
  return joined([
    details('Servers: time of the network, and of the application', serverTable(diagnosis)),
    details('Findings in full', detailedFindings(diagnosis)),
  ])
}

function joined(parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join('\n\n')
}

function verdict(diagnosis: Diagnosis): string {
  const { detail, culprit, sureness, because } = diagnosis
  const who = culprit === 'none' ? '' : `**Culprit:** ${text(culpritText(diagnosis))}. `
  return `${detail === '' ? '' : `${breakable(detail)}. `}${who}**Sure:** ${sureness}, ${breakable(because)}.`
}

function findings({ findings: all }: Diagnosis): string {
  const shown = all.slice(0, maxFindingsCount).map(finding)
  const more = all.length - maxFindingsCount
  return [...shown, ...(more > 0 ? [`${maxFindingsCount + 1}. ${formatCount(more)} more, see below`] : [])].join('\n')
}

function finding(one: Finding, index: number): string {
  const { severity, title, displayFilter, nextSteps } = one
  return [
    `${index + 1}. ${icons[severity]} **${breakable(title)}** · ${text(evidenceText(one))}`,
    `   - Filter: ${breakableCode(displayFilter)}`,
    ...(nextSteps[0] === undefined ? [] : [`   - Next: ${breakable(nextSteps[0])}`]),
  ].join('\n')
}

function clean({ clean: checks }: Diagnosis): string {
  return breakable(checks.map((check) => check.text).join(', '))
}

function listed(title: string, content: string): string {
  return content === '' ? '' : `**${title}:** ${content}`
}

function bullets(title: string, texts: readonly string[]): string {
  if (texts.length === 0) return ''
  const more = texts.length - maxListedCount
  const lines = texts.slice(0, maxListedCount).map((one) => `- ${breakable(one)}`)
  return [`**${title}:**`, '', ...lines, ...(more > 0 ? [`- ${formatCount(more)} more`] : [])].join('\n')
}

function serverTable({ servers }: Diagnosis): string {
  if (servers.length === 0) return ''
  const rows = servers.slice(0, maxDetailedCount).map(serverRow)
  const more = servers.length - maxDetailedCount
  return [
    '| Server | Round trip | Answers | Failed |',
    '|---|---|---|---|',
    ...rows,
    ...(more > 0 ? [`| ${formatCount(more)} more | | | |`] : []),
  ].join('\n')
}

function serverRow(times: ServerTimes): string {
  const { server, requests, failures, roundTrip, thinkTime } = times
  const stalled = stallText(times)
  const failed = requests === 0 ? '' : `${formatCount(failures)} of ${formatCount(requests)}`
  const cells = [
    breakableCode(endpointText(server)),
    text(timesText(roundTrip) ?? 'not seen'),
    text([timesText(thinkTime), stalled && `stalled: ${stalled}`].filter(Boolean).join('; ') || 'not seen'),
    text(failed),
  ]
  return `| ${cells.join(' | ')} |`
}

function detailedFindings({ findings: all }: Diagnosis): string {
  const more = all.length - maxDetailedCount
  const shown = all
    .slice(0, maxDetailedCount)
    .map((one) =>
      [
        `**${breakable(one.title)}** (${code(one.id)})`,
        '',
        ...one.evidence.map((evidence) => `- ${breakable(endsText(evidence))}: packets ${evidence.frames.join(', ')}`),
        `- Likely: ${one.likelyCauses.map(breakable).join('; ')}`,
        `- Next: ${one.nextSteps.map(breakable).join('; ')}`,
      ].join('\n'),
    )
  return [...shown, ...(more > 0 ? [`${formatCount(more)} more are not shown.`] : [])].join('\n\n')
}

function captureTable({ capture }: Diagnosis): string {
  const { twoWay, oneWay, copies, dropped, gaps, snapped, tcpConnections } = capture
  return table([
    ['TCP connections', formatCount(tcpConnections)],
    ['Flows seen in both directions', formatCount(twoWay)],
    ['Flows seen in one direction', formatCount(oneWay)],
    ['Packets seen at several places', formatCount(copies)],
    ['Packets cut', formatCount(snapped)],
    ['Dropped', formatCount(dropped)],
    ['Gaps', formatCount(gaps)],
  ])
}
