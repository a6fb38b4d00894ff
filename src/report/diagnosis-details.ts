import type { Diagnosis } from '../analysis/diagnosis.ts'
import type { Evidence, Finding } from '../analysis/findings/finding.ts'
import { culpritText, framesText } from './diagnosis-wording.ts'
import { endText } from './end-text.ts'
import { breakable, breakableCode, code, details, joinedParts, text } from './markdown.ts'
import { sequenceMarkdown } from './sequence-markdown.ts'
import { timelineMarkdown } from './timeline-markdown.ts'
import { conversationTable, dnsMarkdown, httpMarkdown, serverTable, tlsMarkdown } from './traffic-markdown.ts'
import { formatCount } from './wording.ts'

/** Of each list. */
const maxDetailedCount = 50
/** GitHub drops a job summary above 1 MiB. */
const defaultMaxBytes = 900_000

/** All numbers, each group in `<details>`. Groups that would make it larger than `maxBytes` are left out, and named. */
export function diagnosisDetails(diagnosis: Diagnosis, maxBytes = defaultMaxBytes): string {
  if (maxBytes === 0) return ''
  const shown: string[] = []
  const leftOut: string[] = []
  let leftBytes = maxBytes
  for (const [title, content] of groups(diagnosis)) {
    const group = details(title, content)
    const groupBytes = Buffer.byteLength(group) + 2
    if (groupBytes > leftBytes) leftOut.push(title)
    else {
      shown.push(group)
      leftBytes -= groupBytes
    }
  }
  const note = `Left out, because the summary would be too large for GitHub: ${leftOut.join('; ')}.`
  return joinedParts([...shown, leftOut.length === 0 ? '' : note])
}

function groups(diagnosis: Diagnosis): readonly (readonly [title: string, content: string])[] {
  const { details: facts, servers } = diagnosis
  return [
    ['Findings: causes, next steps, packets', joinedParts([reason(diagnosis), findings(diagnosis)])],
    ['The worst connection', sequenceMarkdown(facts.worst)],
    ['Servers: time of the network, and of the application', serverTable(servers)],
    ['Conversations', conversationTable(facts)],
    ['DNS', dnsMarkdown(facts.dns)],
    ['TLS', tlsMarkdown(facts.tls)],
    ['HTTP', httpMarkdown(facts.http)],
    ['Timeline: throughput and errors', timelineMarkdown(facts.timeline)],
    ['Limits of this capture', limits(diagnosis)],
  ]
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

function finding({ id, title, displayFilter, evidence, likelyCauses, nextSteps }: Finding): string {
  return [
    `**${breakable(title)}** (${code(id)})`,
    '',
    ...evidence.map((one) => `- ${breakable(endsText(one))}: ${framesText(one.frames)}`),
    ...(displayFilter === '' ? [] : [`- Filter: ${breakableCode(displayFilter)}`]),
    ...(likelyCauses.length === 0 ? [] : [`- Likely: ${likelyCauses.map(breakable).join('; ')}`]),
    ...(nextSteps.length === 0 ? [] : [`- Next: ${nextSteps.map(breakable).join('; ')}`]),
  ].join('\n')
}

function endsText({ client, server, backend }: Evidence): string {
  return `${endText(client)} to ${endText(server)}${backend === undefined ? '' : ` (backend ${endText(backend)})`}`
}

function limits({ withheld, limits: all }: Diagnosis): string {
  const texts = [...withheld, ...all].map((one) => `- ${breakable(one.text)}`)
  const more = texts.length - maxDetailedCount
  return [...texts.slice(0, maxDetailedCount), ...(more > 0 ? [`- ${formatCount(more)} more`] : [])].join('\n')
}
