import type { Diagnosis } from '../analysis/diagnosis.ts'
import type { Finding } from '../analysis/findings/finding.ts'
import { durationText } from '../analysis/findings/wording.ts'
import type { ServerTimes, TimeSummary } from '../analysis/diagnosis/server-times.ts'
import { plain, toOneLine } from '../common/remote-text.ts'
import { formatDuration, formatSize } from '../common/quantities.ts'
import { formatCount, isoTime } from './wording.ts'

/** Of one text: names in packets are chosen by their sender. */
const maxTextLength = 1_000
const maxFramesCount = 5

const culprits: Readonly<Record<Diagnosis['culprit'], string>> = {
  network: 'the network',
  dns: 'name resolution',
  peer: 'the application on the other side',
  self: 'the application on this side',
  tls: 'TLS',
  policy: 'a rule that drops or refuses packets',
  none: 'none',
}

/** Text from packets in one line that a terminal, the log of a job and a program that prints a value can show. */
export function safeLine(value: string): string {
  return plain(toOneLine(value, maxTextLength))
}

export function culpritText({ culprit }: Pick<Diagnosis, 'culprit'>): string {
  return culprits[culprit]
}

/** "2,192 packets, 1.2 MB, 61s from 2026-11-22 03:12:45 UTC" */
export function captureText({ capture }: Pick<Diagnosis, 'capture'>): string {
  const { packets, bytesOnWire, durationSeconds, firstMs } = capture
  const start = isoTime(firstMs)
  const when = start === undefined ? '' : `, ${lengthText(durationSeconds)} from ${dateAndTime(start)} UTC`
  return `${formatCount(packets)} ${packets === 1 ? 'packet' : 'packets'}, ${formatSize(bytesOnWire)}${when}`
}

function lengthText(seconds: number): string {
  return seconds < 1 ? durationText(seconds * 1_000) : formatDuration(seconds)
}

/** "03:13:02 to 03:13:05 UTC, packets 5, 9, 12" */
export function evidenceText(finding: Finding): string {
  const times = timesOfDay(finding)
  const frames = [...new Set(finding.evidence.flatMap((one) => one.frames))].toSorted((one, other) => one - other)
  const more = frames.length > maxFramesCount ? ' …' : ''
  return `${times === undefined ? '' : `${times} UTC, `}${framesText(frames.slice(0, maxFramesCount))}${more}`
}

/** "at 03:13:02", "03:13:02 to 03:13:05"; undefined: the times are not known */
export function timesOfDay({ evidence }: Finding): string | undefined {
  const first = Math.min(...evidence.map(({ firstMs }) => firstMs))
  const last = Math.max(...evidence.map(({ lastMs }) => lastMs))
  const start = isoTime(first)?.slice(11, 19)
  const end = isoTime(last)?.slice(11, 19)
  if (start === undefined || end === undefined) return undefined
  return start === end ? `at ${start}` : `${start} to ${end}`
}

/** "packet 5", "packets 5, 9, 12" */
export function framesText(frames: readonly number[]): string {
  return `${frames.length === 1 ? 'packet' : 'packets'} ${frames.join(', ')}`
}

export function severityText({ severity }: Pick<Finding, 'severity'>): string {
  return severity.toUpperCase()
}

/** "p50 0.3 ms, p95 2.4 s"; undefined: not measured */
export function timesText(times: TimeSummary | undefined): string | undefined {
  if (times === undefined) return undefined
  if (times.count === 1) return durationText(times.p50_ms)
  return `p50 ${durationText(times.p50_ms)}, p95 ${durationText(times.p95_ms)}`
}

/** How long the data of the server's connections waited because its reader did not take it; undefined: never */
export function stallText({ serverStallMs, clientStallMs }: ServerTimes): string | undefined {
  const parts = [
    ...(serverStallMs > 0 ? [`server ${durationText(serverStallMs)}`] : []),
    ...(clientStallMs > 0 ? [`client ${durationText(clientStallMs)}`] : []),
  ]
  return parts.length === 0 ? undefined : parts.join(', ')
}

function dateAndTime(iso: string): string {
  return iso.slice(0, 19).replace('T', ' ')
}
