import type { Diagnosis } from '../analysis/diagnosis.ts'
import type { Finding } from '../analysis/findings/finding.ts'
import { diagnosisDetails } from './diagnosis-details.ts'
import { captureText, timesOfDay } from './diagnosis-wording.ts'
import { breakable, breakableCode, details, joinedParts, shortened, table, text } from './markdown.ts'
import { formatCount } from './wording.ts'

/** On a phone's first screens. All of them are in `<details>`. */
const maxFindingsCount = 5
const maxListedCount = 3
/** Of one text, UTF-16 units: a name in it may be long. The whole text is in `<details>`. */
const maxSentenceLength = 160
const maxDetailLength = 160
const maxFilterLength = 200
const icons = { error: '🔴', warning: '🟡', notice: '🔵', none: '🟢' } as const

/** The report for the job summary: what a phone shows first has no table and no long word, the numbers follow in `<details>`. */
export function diagnosisMarkdown(diagnosis: Diagnosis): string {
  return joinedParts([
    diagnosisHead(diagnosis),
    breakable(captureText(diagnosis)),
    diagnosisFindings(diagnosis),
    diagnosisDetails(diagnosis),
    details('Capture', captureTable(diagnosis)),
  ])
}

/** The sentence as a heading, what supports it, and how sure it is. */
export function diagnosisHead(diagnosis: Diagnosis): string {
  const { severity, sentence } = diagnosis
  return joinedParts([`## ${icons[severity]} ${breakable(shortened(sentence, maxSentenceLength))}`, support(diagnosis)])
}

/** The findings in short, what was checked, and what this capture cannot show. */
export function diagnosisFindings(diagnosis: Diagnosis): string {
  const { clean, withheld, limits, because } = diagnosis
  const others = [...withheld, ...limits].filter((one) => !isReason(one.text, because))
  return joinedParts([
    findings(diagnosis),
    listed('Looked at and clean', clean, { separator: ', ', maxCount: clean.length }),
    listed('Limits of this capture', others, { separator: '; ', maxCount: maxListedCount }),
  ])
}

/** Why it is not sure belongs to the sentence; why it is sure is in `<details>`. */
function support({ detail, sureness, because }: Diagnosis): string {
  const why = sureness === 'high' ? '' : ` (${breakable(shortened(because, maxDetailLength))})`
  return `${detail === '' ? '' : `${breakable(shortened(detail, maxDetailLength))}. `}Sure: **${sureness}**${why}.`
}

function findings({ findings: all }: Diagnosis): string {
  const shown = all.slice(0, maxFindingsCount).map(finding)
  const more = all.length - maxFindingsCount
  return [...shown, ...(more > 0 ? [`${maxFindingsCount + 1}. ${formatCount(more)} more, see below`] : [])].join('\n')
}

/** One line; of the first finding, the next step as well. */
function finding(one: Finding, index: number): string {
  const { severity, title, displayFilter, nextSteps } = one
  const times = timesOfDay(one)
  const next = index === 0 ? nextSteps[0] : undefined
  return [
    `${index + 1}. ${icons[severity]} **${breakable(shortened(title, maxSentenceLength))}**`,
    ...(times === undefined ? [] : [` · ${text(times)}`]),
    ...(displayFilter === '' || displayFilter.length > maxFilterLength ? [] : [` · ${breakableCode(displayFilter)}`]),
    ...(next === undefined ? [] : [`<br>**Next:** ${breakable(next)}`]),
  ].join('')
}

function listed(
  title: string,
  all: readonly { readonly text: string }[],
  { separator, maxCount }: { separator: string; maxCount: number },
): string {
  if (all.length === 0) return ''
  const more = all.length - maxCount
  const shown = all.slice(0, maxCount).map((one) => breakable(shortened(one.text, maxDetailLength)))
  return `**${title}:** ${[...shown, ...(more > 0 ? [`${formatCount(more)} more, see below`] : [])].join(separator)}.`
}

/** The reason beside "Sure" begins with a small letter. */
function isReason(one: string, other: string): boolean {
  return one.slice(0, 1).toLowerCase() + one.slice(1) === other
}

function captureTable({ capture }: Diagnosis): string {
  const { twoWay, oneWay, copies, otherHosts, dropped, gaps, snapped, tcpConnections } = capture
  return table([
    ['TCP connections', formatCount(tcpConnections)],
    ['Flows seen in both directions', formatCount(twoWay)],
    ['Flows seen in one direction', formatCount(oneWay)],
    ['Packets seen at several places', formatCount(copies)],
    ['Packets to other hosts, not analyzed', formatCount(otherHosts)],
    ['Packets cut', formatCount(snapped)],
    ['Dropped', formatCount(dropped)],
    ['Gaps', formatCount(gaps)],
  ])
}
