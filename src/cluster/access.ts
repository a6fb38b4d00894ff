import { ConfigurationError } from '../errors.ts'
import { call } from './api.ts'
import type { Connection } from './connection.ts'

/** A right of the pod-level capture. WebSocket exec is `get` up to Kubernetes 1.34 and also `create` from 1.35 (kubernetes#134577). */
export interface Right {
  readonly verb: string
  readonly group: string
  readonly resource: string
  readonly subresource?: string
}

export const captureRights: readonly Right[] = [
  { verb: 'get', group: '', resource: 'pods' },
  { verb: 'patch', group: '', resource: 'pods', subresource: 'ephemeralcontainers' },
  { verb: 'get', group: '', resource: 'pods', subresource: 'exec' },
  { verb: 'create', group: '', resource: 'pods', subresource: 'exec' },
]

/**
 * Asks the API server, by SelfSubjectAccessReview, which rights are missing. Everybody may ask.
 * @throws ConfigurationError that names every missing verb with its resource
 */
export async function requireRights(
  connection: Connection,
  namespace: string,
  rights: readonly Right[],
): Promise<void> {
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
  const missing = reviews.filter(({ allowed }) => !allowed).map(({ right }) => right)
  if (missing.length === 0) return
  const list = missing.map((right) => `${right.verb} ${name(right)}`).join(', ')
  const rules = missing
    .map(
      (right) =>
        `    - { apiGroups: [${JSON.stringify(right.group)}], resources: [${JSON.stringify(name(right))}], verbs: [${JSON.stringify(right.verb)}] }`,
    )
    .join('\n')
  throw new ConfigurationError(
    `kubeconfig: its user lacks rights in the namespace ${JSON.stringify(namespace)}: ${list}. Nothing was created.\n` +
      `  Add to a Role that is bound to it:\n  rules:\n${rules}`,
  )
}

function name(right: Right): string {
  return right.subresource === undefined ? right.resource : `${right.resource}/${right.subresource}`
}
