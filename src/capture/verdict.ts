import type { PcapScan } from '../pcap/scanner.ts'
import type { FollowOutcome } from './follower.ts'
import type { MethodTraits } from './recorders/method.ts'
import type { TargetEnd } from './target-end.ts'
import type { TargetCheck } from './target-watch.ts'
import { compareWithTrailer, type Trailer } from './trailer.ts'
import { renderReasons, type Ending, type VerdictReason } from './verdict-reason.ts'

export type Completeness = 'complete' | 'partial' | 'empty'
export type StopReason = 'duration' | 'size' | 'packets' | 'cancelled' | 'target-completed' | 'target-gone' | 'error'

export interface Verdict {
  readonly verdict: Completeness
  /** at least one */
  readonly reasons: readonly VerdictReason[]
  /** the reasons as one sentence, without its full stop */
  readonly reason: string
  readonly stopReason: StopReason
  /** packets that the kernel dropped; undefined where tcpdump could not say */
  readonly dropped: number | undefined
}

type EndpointTraits = Pick<MethodTraits, 'endpointName' | 'isInsideTarget'>

/** What is known of one capture when nothing more arrives. */
export interface Evidence {
  readonly outcome: FollowOutcome
  readonly scan: PcapScan
  /** of the bytes on the runner, hex */
  readonly sha256: string
  /** The capture includes the loopback interface: the kernel counts its packets twice, so its drop count is an upper bound. */
  readonly hasLoopback: boolean
  readonly method: EndpointTraits
  /** who can change the content, as a clause; undefined where that is not known of anyone */
  readonly unprotectedFrom?: string | undefined
}

/** `complete` needs every proof. A capture that lacks one is `partial`, with every reason. */
export function judge(evidence: Evidence): Verdict {
  const { outcome, scan } = evidence
  const facts = { stopReason: stopReasonOf(evidence), dropped: droppedBy(outcome.trailer) }
  const flaws = findFlaws(evidence)
  return flaws.length > 0
    ? verdictOf('partial', [...flaws, ...cautionsOf(evidence)], facts)
    : provenVerdict(scan, cautionsOf(evidence), facts)
}

function cautionsOf({ unprotectedFrom: why }: Evidence): readonly VerdictReason[] {
  return why === undefined ? [] : [{ kind: 'unprotected', why }]
}

/** The verdict of a capture without a flaw. */
function provenVerdict(
  scan: PcapScan,
  cautions: readonly VerdictReason[],
  facts: Pick<Verdict, 'stopReason' | 'dropped'>,
): Verdict {
  if (scan.packets === 0) return verdictOf('empty', [{ kind: 'no-packet-matched' }, ...cautions], facts)
  return verdictOf('complete', [{ kind: 'everything-arrived', bytes: scan.bytes }, ...cautions], facts)
}

function verdictOf(
  verdict: Completeness,
  reasons: readonly VerdictReason[],
  facts: Pick<Verdict, 'stopReason' | 'dropped'>,
): Verdict {
  const { stopReason, dropped } = facts
  return { verdict, reasons, reason: renderReasons(reasons), stopReason, dropped }
}

/** The verdict after the target was checked. What was recorded after the target was lost is not its traffic, or is missing, so it cannot be complete. */
export function judgeTargetCheck(verdict: Verdict, check: TargetCheck): Verdict {
  if (check.kind !== 'lost') return verdict
  const isPartial = verdict.verdict === 'partial'
  const others = verdict.reasons.filter(({ kind }) => kind === 'unprotected' || (isPartial && kind !== 'target-lost'))
  const isStopped = verdict.stopReason === 'target-gone' && check.isCompleted === true
  const facts = { ...verdict, ...(isStopped ? { stopReason: 'target-completed' as const } : {}) }
  return verdictOf('partial', [{ kind: 'target-lost', why: check.why }, ...others], facts)
}

/** Its end need not be that of its pod. */
const recorderInPod = 'the capture container'

/** The verdict of a recorder that was stopped inside of its pod, once it is known why. A pod that ended by itself is captured to its end. */
export function judgeTargetEnd(verdict: Verdict, end: TargetEnd, scan: PcapScan): Verdict {
  const { dropped } = verdict
  const others = verdict.reasons.filter(({ kind }) => kind !== 'recorder-stopped')
  const cautions = others.filter(({ kind }) => kind === 'unprotected')
  switch (end.kind) {
    case 'completed': {
      const facts = { stopReason: 'target-completed', dropped } as const
      const hasFlaw = others.length > cautions.length
      return hasFlaw ? verdictOf('partial', others, facts) : provenVerdict(scan, cautions, facts)
    }
    case 'lost':
      return verdictOf('partial', [{ kind: 'target-lost', why: end.why }, ...others], {
        stopReason: 'target-gone',
        dropped,
      })
    case 'goes-on':
    case 'unknown': {
      // The end of the pod is reported only where it is known.
      const endpointName = end.kind === 'goes-on' ? `${recorderInPod}, not the pod,` : recorderInPod
      const reasons = verdict.reasons.map((one) => (one.kind === 'recorder-stopped' ? { ...one, endpointName } : one))
      return verdictOf('partial', reasons, { stopReason: 'error', dropped })
    }
  }
}

function findFlaws({ outcome, scan, sha256, hasLoopback, method }: Evidence): readonly VerdictReason[] {
  const { trailer, end, detail } = outcome
  const ending = { end, endpointName: method.endpointName }
  const fromTrailer: readonly VerdictReason[] =
    trailer === undefined
      ? [{ kind: 'no-trailer', ending, detail, arrivedBytes: scan.bytes }]
      : [
          ...transferFlaws(trailer, { bytes: scan.bytes, sha256 }, ending),
          ...stopFlaws(trailer, method),
          ...recordingFlaws(trailer),
        ]
  return [...fromTrailer, ...fileFlaws(scan), ...dropFlaws(trailer, hasLoopback)]
}

function transferFlaws(
  trailer: Trailer,
  received: { readonly bytes: number; readonly sha256: string },
  ending: Ending,
): readonly VerdictReason[] {
  switch (compareWithTrailer(trailer, received)) {
    case 'equal':
      return []
    case 'size-differs':
      return [{ kind: 'missing-bytes', ending, arrivedBytes: received.bytes, expectedBytes: trailer.sizeBytes }]
    case 'hash-differs':
      return [{ kind: 'hash-differs' }]
  }
}

/** Why the recorder stopped, where that is not a limit of the capture or a stop command. The words are those of scripts/recorder.sh. */
function stopFlaws(
  { reason, exitCode, message }: Trailer,
  { endpointName, isInsideTarget }: EndpointTraits,
): readonly VerdictReason[] {
  switch (reason) {
    case 'duration':
    case 'size':
    case 'packets':
    case 'cancelled':
      return []
    case 'target-gone':
      return [{ kind: 'target-lost', why: 'the pod disappeared' }]
    case 'died':
      return [{ kind: 'tcpdump-died', exitCode, message }]
    case 'terminated':
      return [{ kind: 'recorder-stopped', endpointName: isInsideTarget ? recorderInPod : endpointName }]
    case 'heartbeat-timeout':
      return [{ kind: 'heartbeat-timeout' }]
    case 'deadline':
      return [{ kind: 'deadline' }]
    case 'hash':
      return [{ kind: 'hash-ended' }]
    default:
      return [{ kind: 'unknown-stop', reason }]
  }
}

function recordingFlaws({ pauseCount, pausedMs, dropped }: Trailer): readonly VerdictReason[] {
  return [
    ...(pauseCount > 0 ? [{ kind: 'paused', count: pauseCount, ms: pausedMs } as const] : []),
    ...(dropped === undefined ? [{ kind: 'drops-unknown' } as const] : []),
  ]
}

function fileFlaws({ broken, wholeBytes, bytes }: PcapScan): readonly VerdictReason[] {
  if (broken !== undefined) return [{ kind: 'unreadable-pcap', problem: broken }]
  return wholeBytes === bytes ? [] : [{ kind: 'last-packet-cut' }]
}

function dropFlaws(trailer: Trailer | undefined, isUpperBound: boolean): readonly VerdictReason[] {
  const packets = droppedBy(trailer) ?? 0
  return packets > 0 ? [{ kind: 'dropped', packets, isUpperBound }] : []
}

function droppedBy(trailer: Trailer | undefined): number | undefined {
  return trailer?.dropped === undefined ? undefined : trailer.dropped + (trailer.interfaceDropped ?? 0)
}

/** `target-gone` is the end of the target. A recorder outside the target may end while the target goes on: that is an error. */
function stopReasonOf({ outcome: { trailer, end }, method }: Evidence): StopReason {
  const isRecorderLost = trailer ? trailer.reason === 'terminated' : end === 'endpoint-gone'
  if (isRecorderLost) return method.isInsideTarget ? 'target-gone' : 'error'
  const reason = trailer?.reason
  return plannedStops.find((planned) => planned === reason) ?? 'error'
}

/** The recorder's words for the ends that the user asked for, or that the target caused. */
const plannedStops = ['duration', 'size', 'packets', 'cancelled', 'target-gone'] as const
