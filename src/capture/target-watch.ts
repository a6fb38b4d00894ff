import { setTimeout as delay } from 'node:timers/promises'
import { ApiError, call } from '../cluster/api.ts'
import type { Connection } from '../cluster/connection.ts'
import type { Pod } from '../cluster/pod.ts'
import { messageOf } from '../errors.ts'
import { addressesOf } from './node-filter.ts'
import type { CaptureRecord } from './record.ts'

const lookEvery = 5_000

/** Whether the pod that a node is captured for was what it had been when the filter was made. */
export type TargetFate =
  { readonly kind: 'there' } | { readonly kind: 'lost' | 'unknown'; /** a clause */ readonly why: string }

export interface TargetWatch {
  /** The last look, for `within` ms at most, and what all looks have come to; never rejects. */
  end(within?: number): Promise<TargetFate>
}

/**
 * Looks at once, every 5 s and at the end whether the pod that a node is captured for is still there, at its addresses: otherwise they may be
 * another's. A capture in the pod itself ends with it. `lost`: called once it is not.
 */
export function watchTarget(connection: Connection, record: CaptureRecord, lost: () => void): TargetWatch {
  if (record.where.kind === 'container' || record.pod === '') return { end: () => Promise.resolve({ kind: 'there' }) }
  let fate: TargetFate = { kind: 'there' }
  const isLost = (): boolean => fate.kind === 'lost'
  const look = async (): Promise<void> => {
    if (isLost()) return
    const seen = await lookAtTarget(connection, record)
    if (isLost()) return
    fate = seen
    if (seen.kind === 'lost') lost()
  }
  const timer = setInterval(() => void look(), lookEvery)
  void look()
  return {
    end: async (within = lookEvery) => {
      clearInterval(timer)
      const late = new AbortController()
      const timeout = delay(within, 'late' as const, { signal: late.signal }).catch(() => undefined)
      const answer = await Promise.race([look(), timeout])
      late.abort()
      return answer === 'late' && !isLost() ? { kind: 'unknown', why: `no answer within ${within / 1000} s` } : fate
    },
  }
}

/** One look; never rejects. */
export async function lookAtTarget(
  connection: Connection,
  { namespace, pod, uid, addresses, where }: CaptureRecord,
): Promise<TargetFate> {
  if (where.kind === 'container' || pod === '') return { kind: 'there' }
  const lost = (why: string): TargetFate => ({ kind: 'lost', why })
  try {
    const path = `/api/v1/namespaces/${namespace}/pods/${pod}`
    const found = (await call(connection, 'GET', path, undefined, lookEvery)).body as Pod
    const phase = found.status?.phase
    if (found.metadata?.uid !== uid) return lost(`the pod ${pod} was replaced by another of its name`)
    if (phase === 'Succeeded' || phase === 'Failed') return lost(`the pod ${pod} came to its end (${phase})`)
    const now = addressesOf(found)
    const same = now.length === addresses.length && addresses.every((address) => now.includes(address))
    if (addresses.length > 0 && !same) {
      return lost(`the pod ${pod} changed its address (${addresses.join(', ')} → ${now.join(', ') || 'none'})`)
    }
    return { kind: 'there' }
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return lost(`the pod ${pod} went away`)
    return { kind: 'unknown', why: messageOf(error).replace(/\s+/g, ' ').slice(0, 300) }
  }
}
