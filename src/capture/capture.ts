import { mkdir, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { PcapScan } from '../pcap/scanner.ts'
import { followSpool, type FollowOutcome } from './follow.ts'
import { cutToWholePackets, openPartFile, type PartFile } from './part-file.ts'
import type { CaptureRecord } from './record.ts'
import type { CaptureEvents, Cleared, Recorder } from './recorder.ts'
import { startError } from './start.ts'
import type { TargetFate } from './target-watch.ts'
import { judge, judgeTarget, type Verdict } from './verdict.ts'

/** A capture that runs. */
export interface RunningCapture {
  readonly record: CaptureRecord
  /** the image that the node runs, by digest, as the kubelet tells it */
  readonly imageId: string
  readonly part: PartFile
  stop(reason: 'cancelled' | 'target-gone'): void
  hold(seconds: number): void
  readonly finished: Promise<CaptureResult>
}

export interface CaptureResult {
  readonly record: CaptureRecord
  readonly imageId: string
  readonly verdict: Verdict
  readonly outcome: FollowOutcome
  readonly scan: PcapScan
  /** SHA-256 of the file, hex */
  readonly sha256: string
  /** undefined when nothing at all arrived */
  readonly path: string | undefined
  /** what became of the pod that a node was captured for; undefined: nobody has looked */
  readonly fate?: TargetFate | undefined
  /** what came of the clean-up; undefined: nobody has done it yet */
  readonly cleared?: Cleared | undefined
}

/** The part file of a capture: made before the container is, continued by the post step. @throws the file system's error */
export async function openPart(record: CaptureRecord): Promise<PartFile> {
  await mkdir(dirname(record.partPath), { recursive: true })
  return openPartFile(record.partPath)
}

/**
 * Follows a capture whose container runs, from where its part file ends, to its result. `endsBy`: when its recording is over at the latest,
 * ms since the epoch, where that is not to be told from its begin (in post it is over now).
 */
export function followCapture(
  { record, place }: Pick<Recorder, 'record' | 'place'>,
  part: PartFile,
  imageId: string,
  events: CaptureEvents,
  endsBy?: number,
): RunningCapture {
  let listeningSince: number | undefined
  const { plan } = record
  const end = (): number =>
    endsBy ?? (listeningSince === undefined ? record.deadlineHere : listeningSince + plan.duration * 1000)
  const follower = followSpool(place, part, (progress) => Math.max(end(), progress) + resumeGrace, {
    listening: () => {
      listeningSince = Date.now()
      events.listening()
    },
    interrupted: events.interrupted,
    foreign: events.foreign,
  })
  // The recorder keeps the limits itself; this is the second line, for a recorder whose clock stands still.
  let seen = 0
  let progress = Date.now()
  const guard = setInterval(() => {
    if (part.received() > seen) progress = Date.now()
    seen = part.received()
    if (Date.now() > Math.max(end(), progress) + resumeGrace + limitGrace) follower.giveUp()
    else if (Date.now() > end() + limitGrace) follower.stop('duration')
    else if (part.received() > plan.size + plan.spoolLimit) follower.stop('size')
    if (part.received() > plan.size + 2 * plan.spoolLimit + farTooMuch) follower.giveUp() // whoever sends that is no recorder of ours
  }, 1_000)
  return {
    record,
    imageId,
    part,
    stop: (reason) => follower.stop(reason),
    hold: (seconds) => follower.hold(seconds),
    finished: follower.outcome
      .finally(() => clearInterval(guard))
      .then(async (outcome) => {
        // It ran, but failed before it recorded anything: the container's own words say which input is wrong.
        if (outcome.end === 'container-ended' && /^error \S/.test(outcome.detail)) {
          await part.discard()
          throw startError(outcome.detail, record)
        }
        return conclude(record, imageId, part, outcome)
      }),
  }
}

/** bytes */
const farTooMuch = 256e6
/** How much later than the recorder the runner stops by itself, ms. */
const limitGrace = 10_000
/** After the end of the recording, or of the last byte, a lost connection is made again for this long, ms. */
const resumeGrace = 60_000

/** What the part file alone has, when the cluster can no longer be asked. */
export async function finishFromDisk(record: CaptureRecord, imageId: string, detail: string): Promise<CaptureResult> {
  const part = await openPart(record)
  const outcome: FollowOutcome = { trailer: undefined, end: 'gave-up', detail, resumed: 0 }
  return conclude(record, imageId, part, outcome)
}

/** Closes the part file, judges, and cuts what is broken. The file gets its name by `nameFile`, after the result is saved. */
async function conclude(
  record: CaptureRecord,
  imageId: string,
  part: PartFile,
  outcome: FollowOutcome,
): Promise<CaptureResult> {
  let settled = outcome
  await part.close().catch((error: Error) => {
    settled = { ...outcome, trailer: undefined, end: 'runner-disk', detail: error.message }
  })
  const scan = part.scan()
  const sha256 = part.sha256()
  const loopback = record.plan.interface === 'any' || record.plan.interface === 'lo'
  const verdict = judge({ outcome: settled, scan, sha256, loopback, where: record.where.kind })
  const result = { record, imageId, verdict, outcome: settled, scan, sha256 }
  if (settled.end === 'held') return { ...result, path: undefined }
  const kept = verdict.verdict === 'partial' ? await cutToWholePackets(part.path) : { scan, sha256 }
  if (kept.scan.wholeBytes === 0) return { ...result, ...kept, path: undefined }
  return { ...result, ...kept, path: record.path }
}

/** A result in the light of what became of its target. */
export function withFate(result: CaptureResult, fate: TargetFate): CaptureResult {
  return { ...result, fate, verdict: judgeTarget(result.verdict, fate) }
}

/** Gives the file of a result its final name; once is enough. */
export async function nameFile({ record, path }: CaptureResult): Promise<void> {
  if (path === undefined) return
  await rename(record.partPath, path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
  })
}
