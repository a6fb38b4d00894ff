import type { PcapScan } from '../pcap/scanner.ts'
import type { FollowOutcome } from './follow.ts'

export type Completeness = 'complete' | 'partial' | 'empty'
export type StopReason = 'duration' | 'size' | 'packets' | 'cancelled' | 'target-gone' | 'error'

export interface Verdict {
  readonly verdict: Completeness
  /** one sentence with its numbers */
  readonly reason: string
  readonly stopReason: StopReason
  /** packets that the kernel dropped; undefined when tcpdump could not say */
  readonly dropped: number | undefined
}

/** What is known of one capture when nothing more comes. */
export interface Evidence {
  readonly outcome: FollowOutcome
  readonly scan: PcapScan
  /** of the bytes on the runner, hex */
  readonly sha256: string
  /** the loopback takes part: the kernel counts its packets twice, so its drop count is an upper bound */
  readonly loopback: boolean
}

/** `complete` needs every proof; whatever lacks one is `partial`, with each reason that there is. */
export function judge({ outcome, scan, sha256, loopback }: Evidence): Verdict {
  const { trailer } = outcome
  const reasons: string[] = []
  if (trailer === undefined) {
    reasons.push(
      `${endings[outcome.end]}${outcome.detail ? ` (${outcome.detail})` : ''}; ${scan.bytes} bytes had arrived`,
    )
  } else {
    if (scan.bytes !== trailer.size)
      reasons.push(`${scan.bytes} of ${trailer.size} bytes arrived (${endings[outcome.end]})`)
    else if (sha256 !== trailer.sha256) reasons.push('the SHA-256 of what arrived is not that of what was sent')
    if (trailer.reason === 'died') reasons.push(`tcpdump ended by itself (exit code ${trailer.exit}): ${trailer.words}`)
    if (trailer.reason === 'terminated') reasons.push('the pod was stopped before the capture was over')
    if (trailer.reason === 'target-gone') reasons.push('the pod went away before the capture was over')
    if (trailer.reason === 'owner') reasons.push('the recorder had not heard from the runner for too long and stopped')
    if (trailer.reason === 'deadline') reasons.push('the recorder reached its deadline before its duration was over')
    if (!knownReasons.has(trailer.reason))
      reasons.push(`the recorder stopped for a reason of its own (${trailer.reason})`)
    if (trailer.pauses > 0) {
      reasons.push(
        `recording paused ${times(trailer.pauses)} for ${(trailer.pausedMs / 1000).toFixed(1)} s in all, because the spool was full`,
      )
    }
    if (trailer.dropped === undefined) reasons.push('tcpdump did not tell whether packets were dropped')
  }
  if (scan.broken !== undefined) reasons.push(`the pcap cannot be read: ${scan.broken}`)
  else if (scan.wholeBytes !== scan.bytes) reasons.push('the last packet is cut off')
  const dropped = trailer?.dropped === undefined ? undefined : trailer.dropped + (trailer.interfaceDropped ?? 0)
  if (dropped !== undefined && dropped > 0) {
    reasons.push(
      `${loopback ? 'at most ' : ''}${dropped} packets were dropped by the kernel: use a narrower filter or a smaller snaplen`,
    )
  }

  const stopReason = trailer
    ? (stops.get(trailer.reason) ?? 'error')
    : outcome.end === 'target-gone'
      ? 'target-gone'
      : 'error'
  if (reasons.length > 0) return { verdict: 'partial', reason: reasons.join('; '), stopReason, dropped }
  if (scan.packets === 0) {
    return { verdict: 'empty', reason: 'no packet matched; everything was recorded and arrived', stopReason, dropped }
  }
  return {
    verdict: 'complete',
    reason: `all ${scan.bytes} bytes arrived with the recorder's SHA-256, every packet is whole, none was dropped`,
    stopReason,
    dropped,
  }
}

const endings: Record<FollowOutcome['end'], string> = {
  whole: 'the connection ended well',
  'container-ended': "the capture's container ended before everything was fetched",
  'target-gone': 'the pod went away',
  'gave-up': 'the connection was lost and could not be made again in time',
  held: 'the rest was left in the pod',
  'runner-disk': "the runner's disk refused the data",
}

const stops = new Map<string, StopReason>([
  ['duration', 'duration'],
  ['size', 'size'],
  ['packets', 'packets'],
  ['cancelled', 'cancelled'],
  ['terminated', 'target-gone'],
  ['target-gone', 'target-gone'],
])

const knownReasons = new Set([...stops.keys(), 'died', 'owner', 'deadline'])

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`
}
