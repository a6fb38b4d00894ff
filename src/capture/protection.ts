import type { CaptureRecord } from './record.ts'
import { methodOf } from './recorders/methods.ts'

/** Below this the recorder puts its spool into /dev/shm (scripts/recorder.sh). */
const minDiskSpoolBytes = 4_000_000

/**
 * Who can change the content of a capture, as a clause; undefined where the pod's spec shows none.
 * `isSpoolShared`: the spool is in /dev/shm; without it, as far as that is known before the start.
 */
export function unprotectedFrom(record: CaptureRecord, isSpoolShared?: boolean): string | undefined {
  const { target, plan } = record
  if (target.kind !== 'pod' || target.protection === undefined) return undefined
  const { inPod, inSharedMemory, onNode } = target.protection
  if (!methodOf(record).isInsideTarget) return onNode
  const isShared = isSpoolShared ?? plan.spoolLimitBytes < minDiskSpoolBytes
  return inPod ?? (isShared ? inSharedMemory : undefined)
}

/** The end of a sentence about such a capture. */
export const unprotectedEnd = 'so the content is not protected from it'
