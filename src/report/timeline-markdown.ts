import type { Timeline, TimelineBucket } from '../analysis/details/timeline.ts'
import { formatSize } from '../common/quantities.ts'
import { codeBlock, joinedParts } from './markdown.ts'
import { formatCount, isoTime } from './wording.ts'

/** The course of a shorter capture says nothing. */
const minSeconds = 1

/** Throughput and errors over time: charts, and the same as a table. Empty: the capture is too short. */
export function timelineMarkdown(timeline: Timeline | undefined): string {
  if (timeline === undefined || timelineSeconds(timeline) < minSeconds) return ''
  const { buckets, bucketSeconds } = timeline
  const errors = buckets.map(errorCount)
  const hasErrors = errors.some((count) => count > 0)
  return joinedParts([
    `Each bar is ${lengthText(bucketSeconds)}.`,
    throughputChart(timeline),
    hasErrors ? errorChart(timeline, errors) : 'No errors in this time.',
    textTable(timeline, hasErrors),
  ])
}

function timelineSeconds({ buckets, bucketSeconds }: Timeline): number {
  return buckets.length * bucketSeconds
}

function throughputChart(timeline: Timeline): string {
  const rates = timeline.buckets.map(({ bytes }) => bytes / timeline.bucketSeconds)
  const { unit, divisor } = unitOf(Math.max(...rates))
  const values = rates.map((rate) => rate / divisor)
  return chart(timeline, { title: 'Throughput', unit, values })
}

function errorChart(timeline: Timeline, values: readonly number[]): string {
  return chart(timeline, { title: 'Errors', unit: 'errors', values })
}

interface Series {
  readonly title: string
  readonly unit: string
  readonly values: readonly number[]
}

/** Numbers and fixed words only. */
function chart(timeline: Timeline, { title, unit, values }: Series): string {
  const max = Math.max(...values, 1e-3)
  const lines = [
    'xychart-beta',
    `  title "${title}"`,
    `  x-axis "seconds" 0 --> ${plainNumber(timelineSeconds(timeline))}`,
    `  y-axis "${unit}" 0 --> ${plainNumber(max)}`,
    `  bar [${values.map(plainNumber).join(', ')}]`,
  ]
  return codeBlock(lines.join('\n'), 'mermaid')
}

/** Mermaid reads no exponent. */
function plainNumber(value: number): string {
  return value < 10 ? String(Number(value.toFixed(3))) : BigInt(Math.round(value)).toString()
}

function unitOf(max: number): { unit: string; divisor: number } {
  if (max >= 1e9) return { unit: 'GB/s', divisor: 1e9 }
  if (max >= 1e6) return { unit: 'MB/s', divisor: 1e6 }
  return max >= 1e3 ? { unit: 'KB/s', divisor: 1e3 } : { unit: 'B/s', divisor: 1 }
}

/** The same facts as text; times without packets in a row are one row. */
function textTable({ startMs, bucketSeconds, buckets }: Timeline, hasErrors: boolean): string {
  const rows: string[] = []
  let wasEmpty = false
  for (const [index, bucket] of buckets.entries()) {
    const isEmpty = bucket.packets === 0 && errorCount(bucket) === 0
    if (isEmpty && wasEmpty) continue
    wasEmpty = isEmpty
    const time = timeText(startMs + index * bucketSeconds * 1_000, bucketSeconds)
    const throughput = isEmpty ? 'nothing' : `${formatSize(Math.round(bucket.bytes / bucketSeconds))}/s`
    rows.push(`| ${time} | ${throughput} |${hasErrors ? ` ${errorText(bucket)} |` : ''}`)
  }
  const [title, line] = hasErrors ? [' Errors |', '---|'] : ['', '']
  return [`| From (UTC) | Throughput |${title}`, `|---|---|${line}`, ...rows].join('\n')
}

function timeText(ms: number, bucketSeconds: number): string {
  const time = isoTime(ms)
  if (time === undefined) return 'unknown'
  return bucketSeconds < 1 ? time.slice(11, 23) : time.slice(11, 19)
}

function errorCount({ retransmissions, resets, failures }: TimelineBucket): number {
  return retransmissions + resets + failures
}

function errorText({ retransmissions, resets, failures }: TimelineBucket): string {
  return [
    ...(failures > 0 ? [`${formatCount(failures)} failed`] : []),
    ...(resets > 0 ? [`${formatCount(resets)} reset`] : []),
    ...(retransmissions > 0 ? [`${formatCount(retransmissions)} sent again`] : []),
  ].join(', ')
}

/** "1 s", "250 ms", "2 min 8 s" */
function lengthText(seconds: number): string {
  if (seconds < 1) return `${Math.round(seconds * 1_000)} ms`
  const minutes = Math.floor(seconds / 60)
  return minutes === 0 ? `${seconds} s` : `${formatCount(minutes)} min ${Math.round(seconds % 60)} s`
}
