import { ApiError, call } from '../cluster/api.ts'
import type { Connection } from '../cluster/connection.ts'
import type { Pod } from '../cluster/pod.ts'
import type { CaptureRecord } from './record.ts'

const lookEvery = 5_000

/**
 * Looks every 5 s whether the pod that a node is captured for is still the one it was: once it is gone, its address may be another's. A capture in
 * the pod itself ends with it. @returns what ends the watch
 */
export function watchTarget(
  connection: Connection,
  { namespace, pod, uid, where }: CaptureRecord,
  gone: () => void,
): () => void {
  if (where.kind === 'container' || pod === '') return () => undefined
  const look = async (): Promise<void> => {
    try {
      const path = `/api/v1/namespaces/${namespace}/pods/${pod}`
      const { metadata, status } = (await call(connection, 'GET', path, undefined, lookEvery)).body as Pod
      if (metadata?.uid !== uid || status?.phase === 'Succeeded' || status?.phase === 'Failed') gone()
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) gone()
    }
  }
  const timer = setInterval(() => void look(), lookEvery)
  return () => clearInterval(timer)
}
