import type { Diagnosis } from '../analysis/diagnosis.ts'
import type { Finding } from '../analysis/findings/finding.ts'
import type { ServerTimes } from '../analysis/diagnosis/server-times.ts'
import { endpointText } from '../analysis/findings/wording.ts'
import { culpritText, endsText, framesText, stallText, timesText } from './diagnosis-wording.ts'
import { breakable, breakableCode, code, details, joinedParts, text } from './markdown.ts'
import { formatCount } from './wording.ts'

/** Of each list: GitHub drops a summary above 1 MiB. */
const maxDetailedCount = 50

/** All numbers, each group in `<details>`. */
export function diagnosisDetails(diagnosis: Diagnosis): string {
  return joinedParts([
    details('Findings: causes, next steps and packets', joinedParts([reason(diagnosis), findings(diagnosis)])),
    details('Servers: time of the network, and of the application', serverTable(diagnosis)),
    details('What this capture cannot show', limits(diagnosis)),
  ])
}

function reason(diagnosis: Diagnosis): string {
  const { culprit, sureness, because } = diagnosis
  if (culprit === 'none') return ''
  return `Culprit: ${text(culpritText(diagnosis))}. Sure: ${sureness}, because ${breakable(because)}.`
}

function findings({ findings: all }: Diagnosis): string {
  const more = all.length - maxDetailedCount
  const shown = all.slice(0, maxDetailedCount).map(finding)
  return joinedParts([...shown, ...(more > 0 ? [`${formatCount(more)} more are not shown.`] : [])])
}

function finding({ id, title, evidence, likelyCauses, nextSteps }: Finding): string {
  return [
    `**${breakable(title)}** (${code(id)})`,
    '',
    ...evidence.map((one) => `- ${breakable(endsText(one))}: ${framesText(one.frames)}`),
    ...(likelyCauses.length === 0 ? [] : [`- Likely: ${likelyCauses.map(breakable).join('; ')}`]),
    ...(nextSteps.length === 0 ? [] : [`- Next: ${nextSteps.map(breakable).join('; ')}`]),
  ].join('\n')
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

function limits({ withheld, limits: all }: Diagnosis): string {
  const texts = [...withheld, ...all].map((one) => `- ${breakable(one.text)}`)
  const more = texts.length - maxDetailedCount
  return [...texts.slice(0, maxDetailedCount), ...(more > 0 ? [`- ${formatCount(more)} more`] : [])].join('\n')
}
