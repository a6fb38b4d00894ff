import { objectOf, unexpectedAnswer } from './answer.ts'
import { call } from './api.ts'
import type { Connection } from './connection.ts'

const pageItemCount = 500
/** 10,000 objects: no workload that a capture is about has more pods or ReplicaSets. */
const maxPageCount = 20

export interface ListQuery {
  /** of the collection, without a query */
  readonly path: string
  /** '' lists every object */
  readonly labelSelector: string
  /** a noun phrase for errors: "the pods" */
  readonly what: string
}

/** The objects of a collection, page by page. @throws ApiError, ConfigurationError where the answer is not that of an API server */
export async function listObjects<T>(connection: Connection, query: ListQuery): Promise<readonly T[]> {
  const { path, labelSelector, what } = query
  const found: T[] = []
  let token = ''
  for (let page = 0; page < maxPageCount; page += 1) {
    const parameters = new URLSearchParams({
      limit: String(pageItemCount),
      ...(labelSelector === '' ? {} : { labelSelector }),
      ...(token === '' ? {} : { continue: token }),
    })
    const answer = await call(connection, 'GET', `${path}?${parameters.toString()}`)
    const { items = [], metadata } = objectOf(connection, answer, what) as Page<T>
    if (!Array.isArray(items)) throw unexpectedAnswer(connection, what, 'a list without items')
    for (const item of items as readonly T[]) found.push(item)
    if (found.length > pageItemCount * maxPageCount)
      throw unexpectedAnswer(connection, what, 'more objects than were requested')
    token = metadata?.continue ?? ''
    if (token === '') break
  }
  return found
}

interface Page<T> {
  readonly items?: readonly T[]
  readonly metadata?: { readonly continue?: string }
}

export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>
  readonly matchExpressions?: readonly {
    readonly key: string
    readonly operator: string
    readonly values?: readonly string[]
  }[]
}

/** A selector of an object's spec as the parameter `labelSelector` of a list. */
export function selectorText(selector: LabelSelector | undefined): string {
  const parts = Object.entries(selector?.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`)
  for (const { key, operator, values = [] } of selector?.matchExpressions ?? []) {
    if (operator === 'Exists') parts.push(key)
    else if (operator === 'DoesNotExist') parts.push(`!${key}`)
    else parts.push(`${key} ${operator === 'In' ? 'in' : 'notin'} (${values.join(',')})`)
  }
  return parts.join(',')
}
