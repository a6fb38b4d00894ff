import { ConfigurationError } from '../common/errors.ts'
import { urlPath } from '../common/url-path.ts'
import { objectOf, unexpectedAnswer } from './answer.ts'
import { ApiError, call } from './api.ts'
import type { Connection } from './connection.ts'
import { denied } from './denied.ts'
import { listObjects } from './list.ts'
import type { Pod } from './pod.ts'

/** A pod by its name. @throws ConfigurationError that names similar pods, or the missing right; ApiError */
export async function getPod(connection: Connection, namespace: string, name: string): Promise<Pod> {
  const what = `the pod ${JSON.stringify(name)}`
  try {
    const answer = await call(connection, 'GET', urlPath`/api/v1/namespaces/${namespace}/pods/${name}`)
    const pod: Pod = objectOf(connection, answer, what)
    if (pod.metadata?.name !== name) throw unexpectedAnswer(connection, what, 'another object')
    return pod
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    if (error.status !== 404) throw denied(error, 'get', 'pods', namespace)
    throw new ConfigurationError({
      code: 'E_POD_NOT_FOUND',
      input: 'pod',
      problem: `there is no pod ${JSON.stringify(name)} in the namespace ${JSON.stringify(namespace)}`,
      fix: await suggestions(connection, namespace, name),
    })
  }
}

/** The pods of a namespace that match a label selector. @throws ConfigurationError that names the missing right; ApiError */
export async function listPods(
  connection: Connection,
  namespace: string,
  labelSelector: string,
): Promise<readonly Pod[]> {
  try {
    const path = urlPath`/api/v1/namespaces/${namespace}/pods`
    return await listObjects<Pod>(connection, { path, labelSelector, what: 'the pods' })
  } catch (error) {
    throw error instanceof ApiError ? denied(error, 'list', 'pods', namespace) : error
  }
}

async function suggestions(connection: Connection, namespace: string, name: string): Promise<string> {
  let pods: readonly Pod[]
  try {
    pods = await listPods(connection, namespace, '')
  } catch {
    return `List the pods with \`kubectl -n ${namespace} get pods\`.`
  }
  const similar = pods
    .map((pod) => pod.metadata?.name ?? '')
    .filter((known) => known.length <= maxNameLength)
    .map((known) => ({ known, distance: editDistance(known, name) - (known.startsWith(name) ? known.length : 0) }))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 3)
    .map(({ known }) => known)
  return similar.length > 0
    ? `Pods with similar names: ${similar.join(', ')}.`
    : `The namespace has no pods: check that it is the right one, and the right cluster (${connection.description}).`
}

/** Of a pod. The distance of a longer text, which no API server sends, would take too long. */
const maxNameLength = 253

/** Levenshtein distance, in single-character edits. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i]
    for (let j = 1; j <= b.length; j += 1) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
