import type { CaptureResult } from '../capture/capture-result.ts'
import type { CaptureRecord } from '../capture/record.ts'
import { methodOf } from '../capture/recorders/methods.ts'
import type { CleanupResult, Recorder } from '../capture/recorders/recorder.ts'
import { messageOf } from '../common/errors.ts'
import { orTimeout, timedOut } from '../common/timeouts.ts'
import type { Log } from '../runner/log.ts'

/** Removes what was created for a capture, and says in the log what came of it. */
export async function cleanUpAfter(result: CaptureResult, recorder: Recorder, log: Log): Promise<CaptureResult> {
  const cleanup = await withinTime(recorder.cleanUp(), result.record)
  if (methodOf(result.record).isRemovable) {
    log.info(cleanup.leftovers.length === 0 ? 'Removed all resources of the capture' : notRemoved(cleanup.leftovers))
  }
  return { ...result, cleanup }
}

/** Removes what was created for a capture that recorded nothing. What cannot be removed is a warning. */
export async function cleanUpUnused(recorder: Recorder, log: Log): Promise<CleanupResult> {
  if (!methodOf(recorder.record).isRemovable) return { leftovers: [], unfinished: false }
  const cleanup = await withinTime(recorder.cleanUp(), recorder.record)
  for (const leftover of cleanup.leftovers) log.warning(notRemoved([leftover]))
  return cleanup
}

/** An SSH login may wait 90 s for its key, and each request has a limit of its own. A server that uses up all of them does not hold the job. */
const maxCleanUpSeconds = 240

/** A clean-up, or what it may leave where it does not end in time. */
export async function withinTime(cleanup: Promise<CleanupResult>, record: CaptureRecord): Promise<CleanupResult> {
  const result = await orTimeout(cleanup, maxCleanUpSeconds * 1_000)
  return result === timedOut ? unreachableCleanup(record, `not finished within ${maxCleanUpSeconds} s`) : result
}

/** The clean-up of a capture whose cluster or node cannot be reached. */
export function unreachableCleanup(record: CaptureRecord, error: unknown): CleanupResult {
  const leftovers = methodOf(record).leftoversIfUnreachable.map((what) => `${what}: ${messageOf(error)}`)
  return { leftovers, unfinished: true }
}

function notRemoved(leftovers: readonly string[]): string {
  return `Not removed: ${leftovers.join('; ')}`
}
