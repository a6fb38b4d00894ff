import { formatSize } from '../quantities.ts'
import { code, table, text } from './markdown.ts'
import type { CaptureReport } from './report.ts'

export interface SummaryContext {
  /** relative: an absolute address breaks when the repository's name is part of a masked secret */
  readonly artifactLink: (id: number) => string
  /** shown at the end of the run, like "left for the post step" */
  readonly notes: readonly string[]
}

/** The job summary: the sentence that a person reads first, then what, where, when, how much, and what to do with it. */
export function summaryMarkdown(reports: readonly CaptureReport[], context: SummaryContext): string {
  return reports.map((report) => section(report, context)).join('\n\n') + '\n'
}

function section(report: CaptureReport, context: SummaryContext): string {
  const file = report.pcapPath?.split(/[\\/]/).at(-1)
  const rows: [string, string][] = [
    ['Target', target(report)],
    ['Recorded', when(report)],
    ['Interface', `${code(report.interface)}, ${report.snaplen} bytes of each packet`],
    ['Filter', report.filter === '' ? 'none' : code(report.filter)],
    ['Packets', `${count(report.packets)} (${formatSize(report.bytes)})`],
    ['Dropped by kernel', dropped(report)],
    ['Stopped by', stops[report.stopReason] ?? text(report.stopReason)],
    ['Verdict', `**${report.verdict}**: ${text(report.verdictReason)}`],
    ...(report.resumed > 0
      ? ([['Connections', `broken and resumed ${count(report.resumed)} times; nothing is lost by that`]] as [
          string,
          string,
        ][])
      : []),
    ['SHA-256', code(report.sha256)],
    ...(report.method === 'ssh'
      ? []
      : ([['Image', code(report.image) + (report.imageId ? ` as ${code(report.imageId)}` : '')]] as [
          string,
          string,
        ][])),
    ['Left behind', report.remains.length === 0 ? 'nothing' : report.remains.map((line) => text(line)).join('<br>')],
  ]
  const parts = [`## ${icons[report.verdict]} ${headline(report)}`, link(report, context), table(rows)]
  for (const hint of report.hints) parts.push(`> [!TIP]\n> ${text(hint)}`)
  for (const note of context.notes) parts.push(`> [!NOTE]\n> ${text(note)}`)
  if (file !== undefined && report.packets > 0) parts.push(howToOpen(report, file))
  return parts.filter((part) => part !== '').join('\n\n')
}

function target({ level, method, pod, namespace, node }: CaptureReport): string {
  const where = `on node ${code(node)}`
  if (level === 'pod') return `pod ${code(pod)} in ${code(namespace)} ${where}`
  const by = method === 'ssh' ? 'by SSH' : 'by a node pod'
  return pod === ''
    ? `node ${code(node)}, ${by}`
    : `node ${code(node)}, ${by}: the traffic of pod ${code(pod)} in ${code(namespace)}`
}

const icons = { complete: '✅', partial: '⚠️', empty: '⚪' }

function headline(report: CaptureReport): string {
  const what = report.pod === '' ? `node ${text(report.node)}` : `pod ${text(report.pod)}`
  if (report.verdict === 'empty') return `No packet of ${what} matched`
  const seen = report.level === 'node' && report.pod !== '' ? ' seen on its node' : ''
  const amount = `${count(report.packets)} ${report.packets === 1 ? 'packet' : 'packets'} of ${what}${seen}`
  return report.verdict === 'complete' ? `${amount}, complete` : `${amount}, partial`
}

function link(report: CaptureReport, context: SummaryContext): string {
  if (report.artifact)
    return `**[${text(report.artifact.name)}](${context.artifactLink(report.artifact.id)})** (click to download)`
  if (report.uploadError !== undefined) {
    return `**Not uploaded:** ${text(report.uploadError)}${
      report.pcapPath === undefined ? '' : `. The file is on the runner: ${code(report.pcapPath)}`
    }`
  }
  return ''
}

function when(report: CaptureReport): string {
  if (report.began === undefined) return 'unknown'
  const start = `${new Date(report.began).toISOString().slice(0, 19).replace('T', ' ')} UTC`
  const length =
    report.recordedSeconds === undefined ? 'until it broke off' : `for ${report.recordedSeconds.toFixed(1)} s`
  const pauses = report.pausedSeconds > 0 ? `, of which paused ${report.pausedSeconds.toFixed(1)} s` : ''
  return `from ${start} ${length}${pauses}`
}

function dropped(report: CaptureReport): string {
  if (report.dropped === undefined) return 'unknown: tcpdump could not say'
  if (report.dropped === 0) return '0'
  return `${report.droppedIsUpperBound ? 'at most ' : ''}${count(report.dropped)}`
}

const stops: Record<string, string> = {
  duration: 'the end of its duration',
  size: 'max-size',
  packets: 'max-packets',
  cancelled: 'a cancel of the run',
  'target-gone': 'the end of the pod',
  error: 'an error (see the verdict)',
}

function howToOpen(report: CaptureReport, file: string): string {
  const names = report.interfaces.map(({ index, name }) => `${index} ${text(name)}`).join(', ')
  const lines = [
    '<details><summary>How to open it</summary>',
    '',
    '- Wireshark: open the downloaded file.',
    `- Terminal: ${code(`tcpdump -n -r ${file}`)} or ${code(`tshark -r ${file}`)}`,
  ]
  if (names !== '') {
    lines.push(`- Interfaces by number (the file knows only the numbers): ${names}`)
  }
  lines.push('', '</details>')
  return lines.join('\n')
}

/** 12,345 */
function count(value: number): string {
  return value.toLocaleString('en-US')
}
