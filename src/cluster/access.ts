import { ConfigurationError } from '../errors.ts'
import { notOurs, objectOf, oneLine } from './answer.ts'
import { ApiError, call } from './api.ts'
import type { Connection } from './connection.ts'
import { grantCommand } from './grant.ts'

/** One verb on one resource, as an access review names it. */
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
 * What a run needs in the namespace of its target. docs/rbac/developer.yaml and docs/rbac/platform.yaml grant exactly these. A pod that is
 * named is not looked for: without the right to list pods a wrong name is answered without the nearest ones, and nothing else is missing.
 */
export function rightsFor(target: 'pod' | 'deployment', level: 'pod' | 'node'): readonly Right[] {
  const capture: readonly Right[] =
    level === 'pod'
      ? [{ verb: 'patch', group: '', resource: 'pods', subresource: 'ephemeralcontainers' }, ...execRights]
      : []
  const find: readonly Right[] =
    target === 'pod' ? [] : [listPods, { verb: 'get', group: 'apps', resource: 'deployments' }]
  return [getPods, ...capture, ...find]
}

/** What a node pod needs in the namespace that it is made in; `create pods` is for the question whether the cluster would take it. */
export const nodePodRights: readonly Right[] = [
  getPods,
  listPods,
  { verb: 'create', group: '', resource: 'pods' },
  ...execRights,
  { verb: 'create', group: 'batch', resource: 'jobs' },
  { verb: 'get', group: 'batch', resource: 'jobs' },
  { verb: 'delete', group: 'batch', resource: 'jobs' },
]

/** Asks the API server by SelfSubjectAccessReview; everybody may ask. @throws ConfigurationError where it is no API server that answers */
export async function missingRights(
  connection: Connection,
  namespace: string,
  rights: readonly Right[],
): Promise<readonly Right[]> {
  const asked = `what we may do in the namespace ${JSON.stringify(namespace)}`
  const reviews = await Promise.all(
    rights.map(async (right) => {
      const value = {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SelfSubjectAccessReview',
        spec: { resourceAttributes: { namespace, ...right } },
      }
      const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews'
      const answer = await call(connection, 'POST', path, { type: 'application/json', value })
      const { status } = objectOf(connection, answer, asked) as { status?: { allowed?: unknown } | null }
      // A right that nobody spoke of is not one that is missing.
      if (typeof status?.allowed !== 'boolean') throw notOurs(connection, asked, 'neither yes nor no')
      return { right, allowed: status.allowed }
    }),
  )
  return reviews.filter(({ allowed }) => !allowed).map(({ right }) => right)
}

/**
 * Every missing verb with its resource, and the command that grants them to us.
 * `whole`: where all that is needed is written down, for those who keep such things in files.
 */
export function rightsProblem(
  { input }: Pick<Connection, 'input'>,
  identity: string | undefined,
  namespace: string,
  missing: readonly Right[],
  whole: string,
): string {
  const list = missing.map((right) => `${right.verb} ${nameOf(right)}`).join(', ')
  const grants = missing.map((right) => ({ verb: right.verb, group: right.group, resource: nameOf(right) }))
  return (
    `${input}: its user${named(identity)} lacks rights in the namespace ${JSON.stringify(namespace)}: ${list}. Nothing was created.\n` +
    `Somebody who may grant them can ${how(identity)} this Role and its RoleBinding:\n` +
    `${grantCommand(namespace, identity ?? 'USER', grants)}\n` +
    `All that is needed, as a file: ${whole}`
  )
}

/** The same of the right to see nodes, which are in no namespace. `words`: the API server's. */
export function nodeRightProblem(
  { input }: Pick<Connection, 'input'>,
  identity: string | undefined,
  words: string,
  whole: string,
): string {
  return (
    `${input}: its user${named(identity)} may not get nodes (${oneLine(words)}). Nothing was created.\n` +
    `Somebody who may grant that can ${how(identity)} this ClusterRole and its ClusterRoleBinding:\n` +
    `${grantCommand(undefined, identity ?? 'USER', [{ verb: 'get', group: '', resource: 'nodes' }])}\n` +
    `As a file: the ClusterRole packet-capture-nodes and its ClusterRoleBinding in ${whole}`
  )
}

function named(identity: string | undefined): string {
  return identity === undefined ? '' : ` ${JSON.stringify(identity)}`
}

/** Before Kubernetes 1.28 nobody says who we are. */
function how(identity: string | undefined): string {
  return identity === undefined ? 'put the name of its user in the place of USER, and paste' : 'paste'
}

/**
 * Who the API server takes us for; undefined where it does not tell (before Kubernetes 1.28).
 * @throws ConfigurationError where it takes us for nobody, or is no API server
 */
export async function whoAmI(connection: Connection): Promise<string | undefined> {
  const value = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' }
  try {
    const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews'
    const answer = await call(connection, 'POST', path, { type: 'application/json', value })
    const { status } = objectOf(connection, answer, 'who we are') as {
      status?: { userInfo?: { username?: unknown } | null } | null
    }
    const username = status?.userInfo?.username
    if (username === anonymous) throw unknownToServer(connection)
    return typeof username === 'string' && username !== '' ? username : undefined
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    if (error.status === 403 && error.message.includes(`"${anonymous}"`)) throw unknownToServer(connection)
    return undefined
  }
}

/** Whoever comes without credentials, or with some that no authenticator looks at. */
const anonymous = 'system:anonymous'

function unknownToServer({ input, description }: Connection): ConfigurationError {
  return new ConfigurationError(
    `${input}: the API server ${description} takes us for nobody (${anonymous}): it was given no credentials that it looks at. ` +
      'Give the user of this way in a token, a client certificate or an exec plugin. Nothing was created.',
  )
}

/** `pods/exec`, as a Role names it. */
export function nameOf(right: Right): string {
  return right.subresource === undefined ? right.resource : `${right.resource}/${right.subresource}`
}
