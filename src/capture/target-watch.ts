import { ApiError, call } from '../cluster/api.ts'
import type { Connection } from '../cluster/connection.ts'
import { addressesOf, type Pod } from '../cluster/pod.ts'
import { messageOf } from '../common/errors.ts'
import { toOneLine } from '../common/remote-text.ts'
import { orTimeout, timedOut } from '../common/timeouts.ts'
import { urlPath } from '../common/url-path.ts'
import { methodOf } from './recorders/methods.ts'
import type { CaptureRecord, RecordedPod } from './record.ts'

const checkEveryMs = 5_000

/** Whether the pod that a node is captured for is still the one that the filter was made for. */
export type TargetCheck =
  | { readonly kind: 'there' }
  | { readonly kind: 'unknown'; /** a clause */ readonly why: string }
  | {
      readonly kind: 'lost'
      /** a clause */ readonly why: string
      /** ended by itself */ readonly isCompleted?: boolean
    }

export interface TargetWatch {
  /** Checks once more, for `withinMs` at most. @returns what all checks have found; never rejects */
  end(withinMs?: number): Promise<TargetCheck>
}

/**
 * Checks now, every 5 s and at the end whether the pod that a node is captured for still exists with the same addresses; otherwise another pod
 * may have got them. `onLost`: called once when it does not. A capture inside the pod ends with the pod, so nothing is checked.
 */
export function watchTarget(connection: Connection, record: CaptureRecord, onLost: () => void): TargetWatch {
  const pod = watchedPod(record)
  if (pod === undefined) return { end: () => Promise.resolve({ kind: 'there' }) }
  let last: TargetCheck = { kind: 'there' }
  const isLost = (): boolean => last.kind === 'lost'
  const check = async (): Promise<void> => {
    if (isLost()) return
    const found = await checkPod(connection, pod)
    if (isLost()) return
    last = found
    if (found.kind === 'lost') onLost()
  }
  const timer = setInterval(() => void check(), checkEveryMs)
  void check()
  return {
    end: async (withinMs = checkEveryMs) => {
      clearInterval(timer)
      const isLate = (await orTimeout(check(), withinMs)) === timedOut
      return isLate && !isLost() ? { kind: 'unknown', why: `no answer within ${withinMs / 1000} s` } : last
    },
  }
}

/** One check; never rejects. */
export async function checkTarget(connection: Connection, record: CaptureRecord): Promise<TargetCheck> {
  const pod = watchedPod(record)
  return pod === undefined ? { kind: 'there' } : checkPod(connection, pod)
}

/** Whether the target may be lost while its recorder goes on. */
export function mustCheckTarget(record: CaptureRecord): boolean {
  return watchedPod(record) !== undefined
}

function watchedPod(record: CaptureRecord): RecordedPod | undefined {
  return record.target.kind === 'pod' && !methodOf(record).isInsideTarget ? record.target : undefined
}

async function checkPod(connection: Connection, { namespace, pod, uid, addresses }: RecordedPod): Promise<TargetCheck> {
  const lost = (why: string) => ({ kind: 'lost', why }) as const
  try {
    const path = urlPath`/api/v1/namespaces/${namespace}/pods/${pod}`
    const found = (await call(connection, 'GET', path, { timeoutMs: checkEveryMs })).body as Pod
    const phase = found.status?.phase
    if (found.metadata?.uid !== uid) return lost(`the pod ${pod} was replaced by another pod of the same name`)
    if (phase === 'Succeeded') return { ...lost(`the pod ${pod} ended (${phase})`), isCompleted: true }
    if (phase === 'Failed') return lost(`the pod ${pod} ended (${phase})`)
    const now = addressesOf(found)
    const isSame = now.length === addresses.length && addresses.every((address) => now.includes(address))
    if (addresses.length > 0 && !isSame) {
      return lost(`the pod ${pod} changed its address (${addresses.join(', ')} → ${now.join(', ') || 'none'})`)
    }
    return { kind: 'there' }
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return lost(`the pod ${pod} was deleted`)
    return { kind: 'unknown', why: toOneLine(messageOf(error), 300) }
  }
}
