import { formatSize } from '../common/quantities.ts'
import type { Problem } from '../common/errors.ts'
import { problemList } from './failure.ts'
import { callout, code, table, text, unmaskableLink } from './markdown.ts'
import { problemsOf, type CaptureReport } from './report.ts'
import { formatCount, isoTime, stopText } from './wording.ts'

export interface SummaryContext {
  /** shown at the end of each section */
  readonly notes: readonly string[]
  /** of targets whose capture recorded nothing */
  readonly failures?: readonly Problem[]
}

/** The job summary: for each capture the sentence that a person reads first, then the facts and how to open the file. */
export function summaryMarkdown(reports: readonly CaptureReport[], context: SummaryContext): string {
  const { failures = [] } = context
  const failed = failures.length === 0 ? [] : [`## ❌ Captures that failed\n\n${problemList(failures)}`]
  return [...reports.map((report) => section(report, context)), ...failed].join('\n\n') + '\n'
}

function section(report: CaptureReport, context: SummaryContext): string {
  return [
    `## ${icons[report.verdict]} ${headline(report)}`,
    artifactLine(report),
    problemList(problemsOf(report)),
    ...report.cautions.map((caution) => callout('WARNING', caution)),
    table(rows(report)),
    ...report.hints.map((hint) => callout('TIP', hint)),
    ...context.notes.map((note) => callout('NOTE', note)),
    howToOpen(report),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
}

const icons = { complete: '✅', partial: '⚠️', empty: '⚪' }

function headline({ pod, node, level, verdict, packets }: CaptureReport): string {
  const subject = pod === undefined ? `node ${text(node)}` : `pod ${text(pod.name)}`
  if (verdict === 'empty') return `No packet of ${subject} matched`
  const seen = level === 'node' && pod !== undefined ? ' seen on its node' : ''
  const amount = `${formatCount(packets)} ${packets === 1 ? 'packet' : 'packets'} of ${subject}${seen}`
  return `${amount}, ${verdict}`
}

function artifactLine({ artifact, uploadProblem, pcapPath }: CaptureReport): string {
  if (artifact) return `**${unmaskableLink(artifact.name, artifact.url)}** (click to download)`
  if (uploadProblem === undefined) {
    if (pcapPath === undefined) return ''
    return `**The file is on the runner:** ${code(pcapPath)} (\`upload: none\`). With a hosted runner it is lost at the end of the job, unless a later step stores it.`
  }
  return `**Not uploaded.**${pcapPath === undefined ? '' : ` The file is on the runner: ${code(pcapPath)}`}`
}

function rows(report: CaptureReport): readonly (readonly [string, string])[] {
  const image = code(report.image) + (report.imageId === undefined ? '' : ` as ${code(report.imageId)}`)
  return [
    ['Target', target(report)],
    ['Recorded', when(report)],
    ['Interface', `${code(report.interface)}, ${report.snaplen} bytes of each packet`],
    ['Filter', report.filter === undefined ? 'none' : code(report.filter)],
    ['Packets', `${formatCount(report.packets)} (${formatSize(report.bytes)})`],
    ['Dropped by kernel', dropped(report)],
    ['Stopped', text(stopText(report))],
    ['Verdict', `**${report.verdict}**: ${text(report.verdictReason)}`],
    ...(report.resumed === 0 ? [] : [['Connection', reconnections(report)] as const]),
    ['SHA-256', code(report.sha256)],
    ...(report.usesImage ? [['Image', image] as const] : []),
    ['Not removed', report.leftovers.length === 0 ? 'nothing' : report.leftovers.map(text).join('<br>')],
  ]
}

function target({ nodeAccess, pod, node }: CaptureReport): string {
  const onNode = `node ${code(node)}`
  const inNamespace = pod && `pod ${code(pod.name)} in ${code(pod.namespace)}`
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
