import { formatSize } from '../common/quantities.ts'
import type { CaptureReport } from './report.ts'

/** 12,345 */
export function formatCount(value: number): string {
  return value.toLocaleString('en-US')
}

/** Why the capture stopped: `duration reached (60 s)`. */
export function stopText({ stopReason, limits }: Pick<CaptureReport, 'stopReason' | 'limits'>): string {
  switch (stopReason) {
    case 'duration':
      return `duration reached (${limits.durationSeconds} s)`
    case 'size':
      return `max-size reached (${formatSize(limits.maxBytes)})`
    case 'packets':
      return `max-packets reached (${formatCount(limits.maxPackets ?? 0)})`
    case 'cancelled':
      return 'run cancelled'
    case 'target-completed':
      return 'target completed'
    case 'target-gone':
      return 'target gone (see the verdict)'
    case 'error':
      return 'error (see the verdict)'
  }
}

/** `2026-11-22T03:04:05.678Z`; undefined for a time that is not known, or that no calendar shows. `ms`: since the epoch */
export function isoTime(ms: number | undefined): string | undefined {
  const date = new Date(ms ?? NaN)
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString()
}

/** `pod web-1 in shop`, `node node-1`. */
export function subjectText({ pod, node }: Pick<CaptureReport, 'pod' | 'node'>): string {
  return pod === undefined ? `node ${node}` : `pod ${pod.name} in ${pod.namespace}`
}
