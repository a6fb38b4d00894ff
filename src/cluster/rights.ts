import { ConfigurationError, type Problem } from '../common/errors.ts'
import { toOneLine } from '../common/remote-text.ts'
import { objectOf, unexpectedAnswer } from './answer.ts'
import { ApiError, call } from './api.ts'
import { credentialsRejected } from './api-errors.ts'
import type { Connection } from './connection.ts'
import { grantCommand } from './grant-command.ts'

/** One verb on one resource, as a SelfSubjectAccessReview names it. */
export interface Right {
  readonly verb: string
  readonly group: string
  readonly resource: string
  readonly subresource?: string
}

const getPods: Right = { verb: 'get', group: '', resource: 'pods' }
const listPods: Right = { verb: 'list', group: '', resource: 'pods' }
/** WebSocket exec is `get` up to Kubernetes 1.34 and also `create` from 1.35 (kubernetes#134577). */
const execRights: readonly Right[] = [
  { verb: 'get', group: '', resource: 'pods', subresource: 'exec' },
  { verb: 'create', group: '', resource: 'pods', subresource: 'exec' },
]

/**
 * The rights that a run needs in the namespace of its target; docs/rbac/developer.yaml and docs/rbac/platform.yaml grant exactly these and
 * `listReplicaSets`. A pod that is named needs no right to list pods: without it the error about a wrong name lacks the similar names.
 */
export function rightsFor(target: TargetKind, level: 'pod' | 'node'): readonly Right[] {
  const capture: readonly Right[] =
    level === 'pod'
      ? [{ verb: 'patch', group: '', resource: 'pods', subresource: 'ephemeralcontainers' }, ...execRights]
      : []
  return [getPods, ...capture, ...findRights[target]]
}

type TargetKind = 'pod' | 'deployment'
/** What finding the pods of a target takes beside `get pods`. */
const findRights: Readonly<Record<TargetKind, readonly Right[]>> = {
  pod: [],
  deployment: [listPods, { verb: 'get', group: 'apps', resource: 'deployments' }],
}

/** Optional: without it, the newest revision of a deployment is found by labels and ages. */
export const listReplicaSets: Right = { verb: 'list', group: 'apps', resource: 'replicasets' }

/** The rights that a node pod needs in its namespace; `create pods` is for the dry run that asks admission. */
export const nodePodRights: readonly Right[] = [
  getPods,
  listPods,
  { verb: 'create', group: '', resource: 'pods' },
  ...execRights,
  { verb: 'create', group: 'batch', resource: 'jobs' },
  { verb: 'get', group: 'batch', resource: 'jobs' },
  { verb: 'delete', group: 'batch', resource: 'jobs' },
]

/**
 * The rights that the API server denies, by one SelfSubjectAccessReview each, which every user may create.
 * @throws ConfigurationError where the answer is not that of an API server; ApiError
 */
export async function missingRights(
  connection: Connection,
  namespace: string,
  rights: readonly Right[],
): Promise<readonly Right[]> {
  const what = `the permissions in the namespace ${JSON.stringify(namespace)}`
  const reviews = await Promise.all(
    rights.map(async (right) => {
      const value = {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SelfSubjectAccessReview',
        spec: { resourceAttributes: { namespace, ...right } },
      }
      const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews'
      const answer = await call(connection, 'POST', path, { body: { type: 'application/json', value } })
      const { status } = objectOf(connection, answer, what) as { status?: { allowed?: unknown } | null }
      // An answer without a decision does not mean that the right is missing.
      if (typeof status?.allowed !== 'boolean') throw unexpectedAnswer(connection, what, 'an object without a decision')
      return { right, allowed: status.allowed }
    }),
  )
  return reviews.filter(({ allowed }) => !allowed).map(({ right }) => right)
}

export interface MissingRights {
  /** as the API server reports it; undefined where it does not */
  readonly identity: string | undefined
  readonly namespace: string
  readonly missing: readonly Right[]
  /** path in this repository of the file that grants everything a run needs */
  readonly rbacFile: string
}

/** Names every missing right, and the command that grants exactly these. */
export function rightsProblem(
  { input }: Pick<Connection, 'input'>,
  { identity, namespace, missing, rbacFile }: MissingRights,
): Problem {
  const grants = missing.map((right) => ({ verb: right.verb, group: right.group, resource: resourceName(right) }))
  return {
    code: 'E_PERMISSION_MISSING',
    input,
    problem: `${userName(identity)} lacks permissions in the namespace ${JSON.stringify(namespace)}`,
    details: grants.map(({ verb, resource }) => `${verb} ${resource}`),
    fix: canRun(identity),
    command: grantCommand(namespace, identity ?? 'USER', grants),
    docs: rbacFile,
  }
}

export interface MissingNodeRight {
  readonly identity: string | undefined
  /** the API server's */
  readonly message: string
  readonly rbacFile: string
}

/** The same for the right to get nodes, which are cluster-scoped. */
export function nodeRightProblem(
  { input }: Pick<Connection, 'input'>,
  { identity, message, rbacFile }: MissingNodeRight,
): Problem {
  const grants = [{ verb: 'get', group: '', resource: 'nodes' }]
  return {
    code: 'E_PERMISSION_MISSING',
    input,
    problem: `${userName(identity)} may not get nodes (${toOneLine(message)})`,
    fix: `The ClusterRole packet-capture-nodes and its ClusterRoleBinding grant it. ${canRun(identity)}`,
    command: grantCommand(undefined, identity ?? 'USER', grants),
    docs: rbacFile,
  }
}

function userName(identity: string | undefined): string {
  return identity === undefined ? 'its user' : `its user ${JSON.stringify(identity)}`
}

/** Before Kubernetes 1.28 an API server does not report the user name. */
function canRun(identity: string | undefined): string {
  return identity === undefined ? 'An admin can run, with the name of the user in place of USER:' : 'An admin can run:'
}

/** What the API server says of a request and its time. */
export interface Identity {
  /** the user name; undefined where the API server does not report it (before Kubernetes 1.28) */
  readonly user: string | undefined
  /** how far the API server's clock is ahead of this runner's, ms; undefined where its answer has no date */
  readonly clockAheadMs: number | undefined
}

/**
 * Who the API server takes the credentials for.
 * @throws ConfigurationError where it rejects the credentials, treats the request as anonymous, or is not an API server
 */
export async function whoAmI(connection: Connection): Promise<Identity> {
  const value = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' }
  try {
    const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews'
    const answer = await call(connection, 'POST', path, { body: { type: 'application/json', value } })
    const { status } = objectOf(connection, answer, 'the identity of the credentials') as {
      status?: { userInfo?: { username?: unknown } | null } | null
    }
    const username = status?.userInfo?.username
    // The user name of a request without credentials, or with some that no authenticator of the server reads.
    if (username === 'system:anonymous')
      throw new ConfigurationError(credentialsRejected(connection, '(system:anonymous)'))
    return {
      user: typeof username === 'string' && username !== '' ? username : undefined,
      clockAheadMs: answer.serverTime === undefined ? undefined : answer.serverTime - Date.now(),
    }
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    return { user: undefined, clockAheadMs: undefined }
  }
}

/** `pods/exec`, as a Role names it. */
export function resourceName(right: Right): string {
  return right.subresource === undefined ? right.resource : `${right.resource}/${right.subresource}`
}
