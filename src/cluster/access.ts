import { ApiError, call } from './api.ts'
import type { Connection } from './connection.ts'

/** One verb on one resource, as an access review names it. */
export interface Right {
  readonly verb: string
  readonly group: string
  readonly resource: string
  readonly subresource?: string
}

/** What a pod-level capture does. WebSocket exec is `get` up to Kubernetes 1.34 and also `create` from 1.35 (kubernetes#134577). */
const podRights: readonly Right[] = [
  { verb: 'get', group: '', resource: 'pods' },
  { verb: 'list', group: '', resource: 'pods' },
  { verb: 'patch', group: '', resource: 'pods', subresource: 'ephemeralcontainers' },
  { verb: 'get', group: '', resource: 'pods', subresource: 'exec' },
  { verb: 'create', group: '', resource: 'pods', subresource: 'exec' },
]

/** The rights that a run needs, by what its target is named by. docs/rbac/developer.yaml grants exactly these. */
export function rightsFor(target: 'pod' | 'deployment'): readonly Right[] {
  return target === 'pod' ? podRights : [...podRights, { verb: 'get', group: 'apps', resource: 'deployments' }]
}

/** Asks the API server by SelfSubjectAccessReview; everybody may ask. */
export async function missingRights(
  connection: Connection,
  namespace: string,
  rights: readonly Right[],
): Promise<readonly Right[]> {
  const reviews = await Promise.all(
    rights.map(async (right) => {
      const value = {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SelfSubjectAccessReview',
        spec: { resourceAttributes: { namespace, ...right } },
      }
      const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews'
      const { body } = await call(connection, 'POST', path, { type: 'application/json', value })
      return { right, allowed: (body as { status?: { allowed?: boolean } }).status?.allowed === true }
    }),
  )
  return reviews.filter(({ allowed }) => !allowed).map(({ right }) => right)
}

/** Every missing verb with its resource, the lines that grant it, and the way to apply them. */
export function rightsProblem(
  { input }: Pick<Connection, 'input'>,
  identity: string | undefined,
  namespace: string,
  missing: readonly Right[],
): string {
  const who = identity === undefined ? '' : ` ${JSON.stringify(identity)}`
  const list = missing.map((right) => `${right.verb} ${nameOf(right)}`).join(', ')
  const rules = missing
    .map(
      (right) =>
        `    - { apiGroups: [${JSON.stringify(right.group)}], resources: [${JSON.stringify(nameOf(right))}], verbs: [${JSON.stringify(right.verb)}] }`,
    )
    .join('\n')
  return (
    `${input}: its user${who} lacks rights in the namespace ${JSON.stringify(namespace)}: ${list}. Nothing was created.\n` +
    `  Add to a Role that is bound to it:\n  rules:\n${rules}\n` +
    `  or give it all that is needed: kubectl -n ${namespace} apply -f docs/rbac/developer.yaml (with its subject in it).`
  )
}

/** Who the API server takes us for; undefined where it does not tell (before Kubernetes 1.28). */
export async function whoAmI(connection: Connection): Promise<string | undefined> {
  const value = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' }
  try {
    const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews'
    const { body } = await call(connection, 'POST', path, { type: 'application/json', value })
    const { username = '' } = (body as { status?: { userInfo?: { username?: string } } }).status?.userInfo ?? {}
    return username || undefined
  } catch (error) {
    if (error instanceof ApiError && error.status !== 401) return undefined
    throw error
  }
}

/** `pods/exec`, as a Role names it. */
export function nameOf(right: Right): string {
  return right.subresource === undefined ? right.resource : `${right.resource}/${right.subresource}`
}
