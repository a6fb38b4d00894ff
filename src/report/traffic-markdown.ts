import type {
  DnsTables,
  HttpServerRow,
  HttpTables,
  TextCount,
  TlsTables,
} from '../analysis/details/application-tables.ts'
import type { CaptureDetails } from '../analysis/details/capture-details.ts'
import type { ServerTimes } from '../analysis/diagnosis/server-times.ts'
import { counted, durationText } from '../analysis/findings/wording.ts'
import { formatSize } from '../common/quantities.ts'
import { stallText, timesText } from './diagnosis-wording.ts'
import { endText } from './end-text.ts'
import { breakableCell, joinedParts, shortened, text } from './markdown.ts'
import { formatCount, isoTime } from './wording.ts'

/** Of each table and list: GitHub drops a summary above 1 MiB. */
const maxRowsCount = 20
/** Of one name in a table. */
const maxNameLength = 120

/** Round trip, think time and failures of each server. */
export function serverTable(servers: readonly ServerTimes[]): string {
  return limitedTable(
    ['Server', 'Round trip', 'Answers'],
    servers.map((times) => {
      const { server, requests, failures, roundTrip, thinkTime } = times
      const stalled = stallText(times)
      const answers = [
        ...(thinkTime === undefined ? [] : [timesText(thinkTime)]),
        ...(stalled === undefined ? [] : [`stalled: ${stalled}`]),
        ...(requests === 0 ? [] : [`${formatCount(failures)} of ${formatCount(requests)} failed`]),
      ]
      return [
        name(endText(server)),
        text(timesText(roundTrip) ?? 'not seen'),
        text(answers.length === 0 ? 'not seen' : answers.join('; ')),
      ]
    }),
  )
}

/** Who talked to whom, the most bytes first. */
export function conversationTable({ peers, peersNotKept }: CaptureDetails): string {
  const rows = peers.map(({ protocol, client, server, connections, bytes }) => [
    name(client),
    name(endText(server)),
    `${formatCount(connections)} ${protocol}, ${formatSize(bytes)}`,
  ])
  const more = peersNotKept === 0 ? '' : `${counted(peersNotKept, 'more connection')} of other pairs.`
  return joinedParts([limitedTable(['Client', 'Server', 'Traffic'], rows), more])
}

export function dnsMarkdown({ servers, names: asked, failedNames }: DnsTables): string {
  if (servers.length === 0) return ''
  const rows = servers.map(({ server, queries, retries, time, failures }) => [
    name(endText(server)),
    [
      formatCount(queries),
      ...(retries > 0 ? [`${formatCount(retries)} sent again`] : []),
      ...(failures.length === 0 ? [] : [countList(failures)]),
    ].join('; '),
    percentiles(time),
  ])
  return joinedParts([
    limitedTable(['Server', 'Queries', 'Answers'], rows),
    paragraph('Names', asked),
    paragraph('Failed', failedNames),
  ])
}

export function tlsMarkdown({ handshakes, names: asked, versions, failures, certificates }: TlsTables): string {
  if (handshakes === 0) return ''
  const failed = failures.map(({ server, name: askedName, reason, count }) => [
    name(askedName === '' ? endText(server) : `${askedName} (${endText(server)})`),
    name(reason),
    formatCount(count),
  ])
  const dates = certificates.map(({ server, names: certified, notAfterMs }) => [
    name(endText(server)),
    name(certified.join(', ')),
    isoTime(notAfterMs)?.slice(0, 10) ?? 'unknown',
  ])
  return joinedParts([
    `${counted(handshakes, 'handshake')}${versions.length === 0 ? '' : `: ${countList(versions)}`}.`,
    limitedTable(['Server', 'Failure', 'Count'], failed),
    limitedTable(['Server', 'Certificate', 'Valid until'], dates),
    paragraph('Names (SNI)', asked),
  ])
}

export function httpMarkdown({ servers, failedRequests }: HttpTables): string {
  return joinedParts([
    limitedTable(['Server', 'Requests', 'First byte'], servers.map(httpRow)),
    paragraph('Failed', failedRequests),
  ])
}

function httpRow({ server, hosts, requests, statuses, time }: HttpServerRow): string[] {
  const host = hosts[0]?.[0]
  const end = endText(server)
  return [
    name(host === undefined || host === end ? end : `${end} (${host})`),
    `${formatCount(requests)}: ${countList(statuses)}`,
    percentiles(time),
  ]
}

function percentiles(time: { readonly p50Ms: number; readonly p95Ms: number } | undefined): string {
  return time === undefined ? 'not seen' : text(`p50 ${durationText(time.p50Ms)}, p95 ${durationText(time.p95Ms)}`)
}

/** "200 (195), 503 (24)" */
function countList(counts: readonly TextCount[]): string {
  const shown = counts.slice(0, maxRowsCount).map(([value, count]) => `${name(value)} (${formatCount(count)})`)
  const more = counts.length - maxRowsCount
  return [...shown, ...(more > 0 ? [`${formatCount(more)} more`] : [])].join(', ')
}

function paragraph(title: string, counts: readonly TextCount[]): string {
  return counts.length === 0 ? '' : `${title}: ${countList(counts)}`
}

function name(value: string): string {
  return breakableCell(shortened(value, maxNameLength))
}

/** The cells are Markdown already. Empty: there are no rows. */
function limitedTable(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return ''
  const more = rows.length - maxRowsCount
  const last = more > 0 ? [[`${formatCount(more)} more`, ...columns.slice(1).map(() => '')]] : []
  return [
    `| ${columns.join(' | ')} |`,
    `|${columns.map(() => '---|').join('')}`,
    ...[...rows.slice(0, maxRowsCount), ...last].map((cells) => `| ${cells.join(' | ')} |`),
  ].join('\n')
}
