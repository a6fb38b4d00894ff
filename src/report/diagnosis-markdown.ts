import type { Diagnosis } from '../analysis/diagnosis.ts'
import type { Finding } from '../analysis/findings/finding.ts'
import type { ServerTimes } from '../analysis/diagnosis/server-times.ts'
import { captureText, culpritText, endsText, evidenceText, stallText, timesText } from './diagnosis-wording.ts'
import { code, table, text } from './markdown.ts'
import { formatCount } from './wording.ts'
import { endpointText } from '../analysis/findings/wording.ts'

const maxFindingsCount = 5
/** In `<details>`: GitHub drops a summary above 1 MiB. */
const maxDetailedCount = 50
const maxListedCount = 20
/** Of one text, UTF-16 units: so that the longest report is below that limit, too. */
const maxPartLength = 400
/** A phone shows some 40 characters in a line, and a word that is longer makes the page wider. */
const maxWordLength = 24

const icons = { error: '🔴', warning: '🟡', notice: '🔵', none: '🟢' } as const

/** The report for the job summary: what a phone shows first has no table and no long word, the numbers follow in `<details>`. */
export function diagnosisMarkdown(diagnosis: Diagnosis): string {
  const { severity, sentence } = diagnosis
  return [
    `## ${icons[severity]} ${breakable(sentence)}`,
    verdict(diagnosis),
    breakable(captureText(diagnosis)),
    findings(diagnosis),
    listed('Looked at and clean', clean(diagnosis)),
    bullets(
      'Withheld, because this capture cannot carry it',
      diagnosis.withheld.map((one) => one.text),
    ),
    bullets(
      'What this capture cannot show',
      diagnosis.limits.map((one) => one.text),
    ),
    details('Servers: time of the network, and of the application', serverTable(diagnosis)),
    details('Findings in full', detailedFindings(diagnosis)),
    details('Capture', captureTable(diagnosis)),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
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

function details(title: string, content: string): string {
  return content === '' ? '' : `<details><summary>${title}</summary>\n\n${content}\n\n</details>`
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

/** Escaped text in which a browser may break long words. */
function breakable(value: string): string {
  return pieces(value).map(text).join('<wbr>')
}

function breakableCode(value: string): string {
  return `<code>${breakable(value)}</code>`
}

/** The text in parts, so that no part has a word that is longer than a phone's line. */
function pieces(value: string): string[] {
  const parts: string[] = []
  let part = ''
  let wordLength = 0
  const cut = value.length > maxPartLength ? `${value.slice(0, maxPartLength)}…` : value
  for (const character of cut.toWellFormed()) {
    if (/\s/u.test(character)) wordLength = 0
    else if (wordLength === maxWordLength) {
      parts.push(part)
      part = ''
      wordLength = 0
    }
    if (!/\s/u.test(character)) wordLength += 1
    part += character
  }
  return [...parts, part]
}
