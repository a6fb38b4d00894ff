import { rename } from 'node:fs/promises'
import { messageOf } from '../common/errors.ts'
import type { Connection } from '../cluster/connection.ts'
import type { PcapScan } from '../pcap/scanner.ts'
import type { FollowOutcome } from './follower.ts'
import { cutToWholePackets, type PartFile } from './part-file.ts'
import { unprotectedFrom } from './protection.ts'
import type { CaptureRecord } from './record.ts'
import { methodOf } from './recorders/methods.ts'
import type { CleanupResult } from './recorders/recorder.ts'
import { findTargetEnd, type RecordingTimes } from './target-end.ts'
import type { TargetCheck } from './target-watch.ts'
import { judge, judgeTargetCheck, judgeTargetEnd, type Verdict } from './verdict.ts'

/** What is known of a capture that has ended. */
export interface CaptureResult {
  readonly record: CaptureRecord
  readonly imageId: string | undefined
  readonly verdict: Verdict
  readonly outcome: FollowOutcome
  /** of the file: after a cut, of what is left */
  readonly scan: PcapScan
  /** SHA-256 of the file, hex */
  readonly sha256: string
  /** the final name of the file; undefined where no byte arrived, or the rest is left for the post step */
  readonly path: string | undefined
  /** whether the pod of a node's capture was there to the end; undefined before the check */
  readonly targetCheck?: TargetCheck | undefined
  /** undefined before the clean-up */
  readonly cleanup?: CleanupResult | undefined
}

interface Recorded {
  readonly record: CaptureRecord
  readonly imageId: string | undefined
  readonly part: PartFile
}

/**
 * Closes the part file, judges the capture, and cuts the file of a partial one after its last whole packet. The file has its final name only after
 * `nameFile`, once the result is saved.
 */
export async function concludeCapture(
  { record, imageId, part }: Recorded,
  outcome: FollowOutcome,
): Promise<CaptureResult> {
  const settled = await closePart(part, outcome)
  const scan = part.scan()
  const sha256 = part.sha256()
  const hasLoopback = record.plan.interface === 'any' || record.plan.interface === 'lo'
  const verdict = judge({
    ...{ outcome: settled, scan, sha256, hasLoopback, method: methodOf(record) },
    unprotectedFrom: unprotectedFrom(record, outcome.isSpoolShared),
  })
  const result = { record, imageId, verdict, outcome: settled, scan, sha256 }
  if (settled.end === 'held') return { ...result, path: undefined }
  const kept = verdict.verdict === 'partial' ? await cutToWholePackets(part.path) : { scan, sha256 }
  return { ...result, ...kept, path: kept.scan.wholeBytes === 0 ? undefined : record.path }
}

/** A disk that fails at the close has not all bytes, so the trailer proves nothing then. */
async function closePart(part: PartFile, outcome: FollowOutcome): Promise<FollowOutcome> {
  try {
    await part.close()
    return outcome
  } catch (error) {
    return { ...outcome, trailer: undefined, end: 'runner-disk', detail: messageOf(error) }
  }
}

/** The result with the check of its target, which may make its verdict `partial`. */
export function applyTargetCheck(result: CaptureResult, targetCheck: TargetCheck): CaptureResult {
  return { ...result, targetCheck, verdict: judgeTargetCheck(result.verdict, targetCheck) }
}

/**
 * The kubelet reports the end of a pod once its last container, the recorder, has ended, and a new sandbox once it has an address: both come
 * after the end of the capture, usually within 3 s.
 */
const targetEndWaitMs = 15_000

/**
 * The result with the reason of an end that the recorder in a pod cannot know: it only receives SIGTERM, or is killed. Any other result is
 * returned as it is, without a request. Never rejects.
 */
export async function applyTargetEnd(
  connect: () => Promise<Connection>,
  result: CaptureResult,
  withinMs = targetEndWaitMs,
): Promise<CaptureResult> {
  const { record, outcome, scan } = result
  if (record.target.kind !== 'pod' || !isEndUnexplained(result)) return result
  const end = await findTargetEnd(connect, record.target, { times: recordingTimes(outcome), withinMs })
  return { ...result, verdict: judgeTargetEnd(result.verdict, end, scan) }
}

function recordingTimes({ trailer }: FollowOutcome): RecordingTimes | undefined {
  if (trailer === undefined) return undefined
  const { beganSeconds, recordedMs } = trailer
  return { beganSeconds, endedSeconds: beganSeconds + recordedMs / 1000 }
}

/** The end of the recorder may be that of its pod. A pod that is known to be gone, or a limit that was reached, needs no explanation. */
function isEndUnexplained({ record, outcome: { trailer, end } }: CaptureResult): boolean {
  if (!methodOf(record).isInsideTarget) return false
  return trailer === undefined ? end === 'container-ended' : trailer.reason === 'terminated'
}

/** Gives the file of a result its final name. May be called again. @throws the file system's error */
export async function nameFile({ record, path }: CaptureResult): Promise<void> {
  if (path === undefined) return
  await rename(record.partPath, path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
  })
}
