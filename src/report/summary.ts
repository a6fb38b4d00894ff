import { documentUrl } from '../common/document-url.ts'
import type { Problem } from '../common/errors.ts'
import { formatSize } from '../common/quantities.ts'
import { diagnosisDetails } from './diagnosis-details.ts'
import { diagnosisFindings, diagnosisHead } from './diagnosis-markdown.ts'
import { problemList } from './failure.ts'
import {
  breakableCode,
  callout,
  code,
  details,
  joinedParts,
  link,
  markdownCallout,
  table,
  text,
  unmaskableLink,
} from './markdown.ts'
import type { CaptureReport } from './report.ts'
import { shownDiagnosis, type ShownDetail } from './shown-diagnosis.ts'
import { formatCount, isoTime, stopText } from './wording.ts'

/** GitHub drops a job summary above 1 MiB. */
const maxSummaryBytes = 1_000_000

export interface SummaryContext {
  /** shown at the end of each section */
  readonly notes: readonly string[]
  readonly detail: ShownDetail
  /** of targets whose capture recorded nothing */
  readonly failures?: readonly Problem[]
}

/**
 * The job summary: for each capture first what is wrong with the capture itself, then the diagnosis with the file, then everything else where one
 * tap opens it.
 */
export function summaryMarkdown(reports: readonly CaptureReport[], context: SummaryContext): string {
  const { failures = [] } = context
  const failed = failures.length === 0 ? [] : [`## ❌ Captures that failed\n\n${problemList(failures)}`]
  const least = reports.map((report) => section(report, context, 0))
  const shownCount = fittingCount([...failed, ...least].map((part) => Buffer.byteLength(part))) - failed.length
  const shown = reports.slice(0, Math.max(0, shownCount))
  const leftBytes = maxSummaryBytes - Buffer.byteLength([...failed, ...least.slice(0, shown.length)].join('\n\n'))
  const detailsBytes = Math.max(0, Math.floor(leftBytes / Math.max(1, shown.length)))
  const more = reports.length - shown.length
  return joinedParts([
    ...shown.map((report) => section(report, context, detailsBytes)),
    ...failed,
    more === 0
      ? ''
      : `${formatCount(more)} more captures are in the output \`result\`: GitHub shows no larger summary.`,
  ]).concat('\n')
}

/** How many parts, from the first, are within the limit. */
function fittingCount(sizesBytes: readonly number[]): number {
  let leftBytes = maxSummaryBytes
  const tooLarge = sizesBytes.findIndex((sizeBytes) => (leftBytes -= sizeBytes + 2) < 0)
  return tooLarge === -1 ? sizesBytes.length : tooLarge
}

/** `detailsBytes`: that the tables and charts of the diagnosis may have */
function section(report: CaptureReport, { notes, detail }: SummaryContext, detailsBytes: number): string {
  const diagnosis = report.packets === 0 ? undefined : shownDiagnosis(report, detail)
  return joinedParts([
    ...flaws(report),
    diagnosis === undefined ? headline(report) : diagnosisHead(diagnosis),
    fileLine(report),
    ...report.cautions.map((caution) => callout('WARNING', caution)),
    ...(report.verdict === 'empty' ? [markdownCallout('TIP', emptyHint(report))] : []),
    diagnosis === undefined ? withoutDiagnosis(report, detail) : diagnosisFindings(diagnosis),
    ...report.hints.map((hint) => callout('TIP', hint)),
    ...notes.map((note) => callout('NOTE', note)),
    diagnosis === undefined ? '' : diagnosisDetails(diagnosis, detailsBytes),
    details('Capture', table(rows(report))),
    howToOpen(report),
  ])
}

/** What is wrong with the capture or its delivery, which comes before what it shows. */
function flaws(report: CaptureReport): readonly string[] {
  const { verdict, verdictProblem, uploadProblem } = report
  const problems = [verdictProblem, uploadProblem].filter((problem) => problem !== undefined)
  const isPartial = verdict === 'partial'
  const title = isPartial ? `⚠️ The capture of ${subject(report)} is incomplete` : undefined
  const failure = uploadProblem ? `❌ The capture of ${subject(report)} was not uploaded` : undefined
  const heading = title ?? failure
  const reason = isPartial && verdictProblem === undefined ? partialReason(report) : ''
  return [heading === undefined ? '' : `## ${heading}`, reason, problemList(problems)]
}

function partialReason({ verdictReason }: CaptureReport): string {
  const fix = link('What to do', documentUrl('docs/troubleshooting.md#reasons-of-a-partial-capture'))
  return `${text(verdictReason)}. ${fix}.`
}

/** Of a capture without a diagnosis. */
function headline(report: CaptureReport): string {
  const { level, pod, verdict, packets } = report
  if (verdict === 'empty') return `## ⚪ No packet of ${subject(report)} matched`
  const seen = level === 'node' && pod !== undefined ? ' seen on its node' : ''
  const amount = `${formatCount(packets)} ${packets === 1 ? 'packet' : 'packets'} of ${subject(report)}${seen}`
  return `## ${icons[verdict]} ${amount}, ${verdict}`
}

const icons = { complete: '✅', partial: '⚠️', empty: '⚪' }

function subject({ pod, node }: CaptureReport): string {
  return pod === undefined ? `node ${text(node)}` : `pod ${text(pod.name)}`
}

function withoutDiagnosis({ diagnosis, packets }: CaptureReport, detail: ShownDetail): string {
  if (packets === 0 || diagnosis.kind === 'diagnosed' || detail === 'off') return ''
  return `The packets could not be analyzed, which does not affect the file: ${text(diagnosis.reason)}`
}

/** The file, with what it is: the line after the verdict. */
function fileLine(report: CaptureReport): string {
  const { artifact, pcapPath, packets, verdict } = report
  const facts = [`${formatCount(packets)} ${packets === 1 ? 'packet' : 'packets'}`, verdict, recordedTime(report)]
  const what = facts.filter((fact) => fact !== undefined).join(' · ')
  if (artifact) return `**${unmaskableLink(artifact.name, artifact.url)}** · ${what}`
  if (pcapPath === undefined) return what
  const why = report.uploadProblem === undefined ? '`upload: none`' : 'not uploaded'
  return `**The file is on the runner** (${why}): ${breakableCode(pcapPath)} · ${what}. With a hosted runner it is lost at the end of the job, unless a later step stores it.`
}

/** "61 s from 03:12:45 UTC" */
function recordedTime({ began, recordedSeconds }: CaptureReport): string | undefined {
  const time = isoTime(began)?.slice(11, 19)
  if (time === undefined) return undefined
  return recordedSeconds === undefined ? `from ${time} UTC` : `${Math.round(recordedSeconds)} s from ${time} UTC`
}

/** Markdown. The packets that the filter left out are not counted, but it is known what the pod listens on. */
function emptyHint({ filter, ports, addresses }: CaptureReport): string {
  const where =
    addresses.length === 0
      ? ''
      : ` The pod has the ${addresses.length === 1 ? 'address' : 'addresses'} ${addresses.map(text).join(' and ')}.`
  const declared =
    ports.length === 0
      ? 'It declares no port.'
      : `It declares ${ports.length === 1 ? 'the port' : 'the ports'} ${ports.join(', ')}: the filter ${code(portFilter(ports))} would match them.`
  const cause =
    filter === undefined
      ? 'There was no filter: the interface had no traffic in this time.'
      : 'How many packets there were without the filter is not known: run once more without it.'
  return `${cause}${where} ${declared}`
}

function portFilter(ports: readonly number[]): string {
  return ports.map((port) => `port ${port}`).join(' or ')
}

function rows(report: CaptureReport): readonly (readonly [string, string])[] {
  const image =
    breakableCode(report.image) + (report.imageId === undefined ? '' : ` as ${breakableCode(report.imageId)}`)
  return [
    ['Target', target(report)],
    ['Recorded', when(report)],
    ['Interface', `${breakableCode(report.interface)}, ${report.snaplen} bytes of each packet`],
    ['Filter', report.filter === undefined ? 'none' : breakableCode(report.filter)],
    ['Packets', `${formatCount(report.packets)} (${formatSize(report.bytes)})`],
    ['Dropped by kernel', dropped(report)],
    ['Stopped', text(stopText(report))],
    ['Verdict', `**${report.verdict}**: ${text(report.verdictReason)}`],
    ...(report.resumed === 0 ? [] : [['Connection', reconnections(report)] as const]),
    ['SHA-256', breakableCode(report.sha256)],
    ...(report.usesImage ? [['Image', image] as const] : []),
    ['Not removed', report.leftovers.length === 0 ? 'nothing' : report.leftovers.map(text).join('<br>')],
  ]
}

function target({ nodeAccess, pod, node }: CaptureReport): string {
  const onNode = `node ${breakableCode(node)}`
  const inNamespace = pod && `pod ${breakableCode(pod.name)} in ${breakableCode(pod.namespace)}`
  if (nodeAccess === undefined) return inNamespace ? `${inNamespace} on ${onNode}` : onNode
  return `${onNode}, ${nodeAccess}${inNamespace ? `: the traffic of ${inNamespace}` : ''}`
}

function when({ began, recordedSeconds, pausedSeconds }: CaptureReport): string {
  const time = isoTime(began)
  if (time === undefined) return 'unknown'
  const start = `${time.slice(0, 19).replace('T', ' ')} UTC`
  const length = recordedSeconds === undefined ? 'until the recorder was lost' : `for ${recordedSeconds.toFixed(1)} s`
  const pauses = pausedSeconds > 0 ? `, of which paused ${pausedSeconds.toFixed(1)} s` : ''
  return `from ${start} ${length}${pauses}`
}

function dropped(report: CaptureReport): string {
  if (report.dropped === undefined) return 'unknown: tcpdump did not report it'
  if (report.dropped === 0) return '0'
  return `${report.droppedIsUpperBound ? 'at most ' : ''}${formatCount(report.dropped)}`
}

function reconnections({ resumed, verdict }: CaptureReport): string {
  const times = resumed === 1 ? 'once' : `${formatCount(resumed)} times`
  return `reconnected ${times}${verdict === 'partial' ? '' : ', no data lost'}`
}

/** The times only where the interface was not there for the whole capture. */
function interfaceText({ index, name, fromSeconds, untilSeconds }: CaptureReport['interfaces'][number]): string {
  const times = [
    ...(fromSeconds > 0 ? [`from ${fromSeconds} s`] : []),
    ...(untilSeconds === undefined ? [] : [`until ${untilSeconds} s`]),
  ]
  return `${index} ${text(name)}${times.length > 0 ? ` (${times.join(', ')})` : ''}`
}

function howToOpen({ pcapPath, packets, interfaces }: CaptureReport): string {
  const file = pcapPath?.split(/[\\/]/).at(-1)
  if (file === undefined || packets === 0) return ''
  const names = interfaces.map(interfaceText).join(', ')
  return [
    '<details><summary>How to open it</summary>',
    '',
    '- Wireshark: open the downloaded file.',
    `- Terminal: ${code(`tcpdump -n -r ${shellWord(file)}`)} or ${code(`tshark -r ${shellWord(file)}`)}`,
    ...(names === '' ? [] : [`- Interfaces by number (the file has only the numbers): ${names}`]),
    '',
    '</details>',
  ].join('\n')
}

/** A file name in a command to paste: the name may be an input, and a shell runs `$(…)` in it. */
function shellWord(name: string): string {
  return /^\w[\w.-]*$/.test(name) ? name : `'./${name.replaceAll("'", String.raw`'\''`)}'`
}
