import type { PcapScan } from '../pcap/scanner.ts'
import type { FollowOutcome } from './follow.ts'
import type { Where } from './record.ts'
import type { TargetFate } from './target-watch.ts'

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
  /** where the recorder was: only the pod that it is in itself is the target */
  readonly where: Where['kind']
}

/** `complete` needs every proof; whatever lacks one is `partial`, with each reason that there is. */
export function judge({ outcome, scan, sha256, loopback, where }: Evidence): Verdict {
  const { trailer } = outcome
  const ending = outcome.end === 'place-gone' ? `${places[where]} went away` : endings[outcome.end]
  const reasons: string[] = []
  if (trailer === undefined) {
    reasons.push(`${ending}${outcome.detail ? ` (${outcome.detail})` : ''}; ${scan.bytes} bytes had arrived`)
  } else {
    if (scan.bytes !== trailer.size) reasons.push(`${scan.bytes} of ${trailer.size} bytes arrived (${ending})`)
    else if (sha256 !== trailer.sha256) reasons.push('the SHA-256 of what arrived is not that of what was sent')
    if (trailer.reason === 'died') reasons.push(`tcpdump ended by itself (exit code ${trailer.exit}): ${trailer.words}`)
    if (trailer.reason === 'terminated') reasons.push(`${places[where]} was stopped before the capture was over`)
    if (trailer.reason === 'target-gone') reasons.push(targetGone)
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

  const stopReason = stopOf(outcome, where)
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

/** What was recorded after the pod had gone, or had got another address, is not its own, or is missing: whatever else is proven. */
export function judgeTarget(verdict: Verdict, fate: TargetFate): Verdict {
  if (fate.kind !== 'lost') return verdict
  const others = verdict.verdict === 'partial' ? verdict.reason.split('; ').filter((one) => one !== targetGone) : []
  return { ...verdict, verdict: 'partial', reason: [`${fate.why} before the capture was over`, ...others].join('; ') }
}

/** All that the recorder can say of it. */
const targetGone = 'the pod went away before the capture was over'

/** target-gone is the end of the target alone: on a node the recorder is somewhere else, and may be ended by itself. */
function stopOf({ trailer, end }: FollowOutcome, where: Where['kind']): StopReason {
  const withPlace = trailer ? trailer.reason === 'terminated' : end === 'place-gone'
  if (withPlace) return where === 'container' ? 'target-gone' : 'error'
  return stops.get(trailer?.reason ?? '') ?? 'error'
}

/** What goes, or is stopped, where the recorder goes with it. */
const places: Record<Where['kind'], string> = {
  container: 'the pod',
  'node-pod': "the recorder's own node pod, not the target,",
  ssh: 'the recorder on the node, not the target,',
}

const endings: Record<Exclude<FollowOutcome['end'], 'place-gone'>, string> = {
  whole: 'the connection ended well',
  'container-ended': "the capture's container ended before everything was fetched",
  'gave-up': 'the connection was lost and could not be made again in time',
  held: 'the rest was left in the pod',
  'runner-disk': "the runner's disk refused the data",
}

const stops = new Map<string, StopReason>([
  ['duration', 'duration'],
  ['size', 'size'],
  ['packets', 'packets'],
  ['cancelled', 'cancelled'],
  ['target-gone', 'target-gone'],
])

const knownReasons = new Set([...stops.keys(), 'terminated', 'died', 'owner', 'deadline'])

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`
}
