import { ConfigurationError } from '../common/errors.ts'
import { toOneLine } from '../common/remote-text.ts'
import { urlPath } from '../common/url-path.ts'
import { objectOf } from './answer.ts'
import { ApiError, call } from './api.ts'
import type { Connection } from './connection.ts'
import { denied } from './denied.ts'
import { listObjects, selectorText, type LabelSelector } from './list.ts'
import { listPods } from './named-pod.ts'
import { controllerOf, type Condition, type OwnerReference, type Pod } from './pod.ts'
import { createdAtMs } from './pod-state.ts'

/** The pods of one pod template of a deployment. */
export interface Revision {
  /** for a sentence: "revision 3", or "pod-template-hash 7d9f" where the revisions may not be read */
  readonly name: string
  readonly pods: readonly Pod[]
  /** what prevents the creation of its pods, in one line */
  readonly failure?: string | undefined
}

export interface DeploymentPods {
  /** the newest first; old revisions without pods are left out */
  readonly revisions: readonly Revision[]
  /** The ReplicaSets could not be read: the revisions are told apart by labels, and ordered by age. */
  readonly isByLabels: boolean
  /** The deployment was changed, and its controller has not seen the change yet: a newer revision will follow. */
  readonly isOutdated: boolean
}

/** The fields that this action reads. */
interface Deployment {
  readonly metadata?: { readonly uid?: string; readonly generation?: number }
  readonly spec?: { readonly selector?: LabelSelector }
  readonly status?: { readonly observedGeneration?: number }
}
interface ReplicaSet {
  readonly metadata?: {
    readonly uid?: string
    readonly annotations?: Readonly<Record<string, string>>
    readonly ownerReferences?: readonly OwnerReference[]
  }
  readonly status?: { readonly conditions?: readonly Condition[] }
}

/**
 * The pods of a deployment by revision. A pod belongs to the ReplicaSet whose UID is its controller's, and that to the deployment in the same
 * way: names and labels alone can be equal to those of another workload.
 * @throws ConfigurationError that names the missing right, or where there is no such deployment; ApiError
 */
export async function podsOfDeployment(
  connection: Connection,
  namespace: string,
  name: string,
): Promise<DeploymentPods> {
  const deployment = await getDeployment(connection, namespace, name)
  const labelSelector = selectorText(deployment.spec?.selector)
  const [sets, pods] = await Promise.all([
    replicaSetsOf(connection, namespace, { deployment, labelSelector }),
    listPods(connection, namespace, labelSelector),
  ])
  const { metadata, status } = deployment
  return {
    revisions: sets === undefined ? revisionsByLabels(pods, name) : revisionsOf(sets, pods),
    isByLabels: sets === undefined,
    isOutdated: (metadata?.generation ?? 0) > (status?.observedGeneration ?? Infinity),
  }
}

async function getDeployment(connection: Connection, namespace: string, name: string): Promise<Deployment> {
  const path = urlPath`/apis/apps/v1/namespaces/${namespace}/deployments/${name}`
  try {
    const answer = await call(connection, 'GET', path)
    return objectOf(connection, answer, `the deployment ${JSON.stringify(name)}`)
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    if (error.status !== 404) throw denied(error, 'get', 'deployments', namespace)
    throw new ConfigurationError({
      code: 'E_DEPLOYMENT_NOT_FOUND',
      input: 'pod',
      problem: `there is no deployment ${JSON.stringify(name)} in the namespace ${JSON.stringify(namespace)}`,
      fix: `List the deployments with \`kubectl -n ${namespace} get deployments\`.`,
    })
  }
}

/** undefined where the user may not list ReplicaSets: a capture works without this right. */
async function replicaSetsOf(
  connection: Connection,
  namespace: string,
  { deployment, labelSelector }: { readonly deployment: Deployment; readonly labelSelector: string },
): Promise<readonly ReplicaSet[] | undefined> {
  const path = urlPath`/apis/apps/v1/namespaces/${namespace}/replicasets`
  try {
    const sets = await listObjects<ReplicaSet>(connection, { path, labelSelector, what: 'the ReplicaSets' })
    return sets.filter((set) => isControlledBy(set, deployment.metadata?.uid))
  } catch (error) {
    if (error instanceof ApiError && error.status === 403) return undefined
    throw error
  }
}

function isControlledBy(object: Parameters<typeof controllerOf>[0], uid: string | undefined): boolean {
  return uid !== undefined && controllerOf(object)?.uid === uid
}

/** The deployment controller gives the ReplicaSet of the present template the highest revision, also after a rollback. */
function revisionsOf(sets: readonly ReplicaSet[], pods: readonly Pod[]): readonly Revision[] {
  const numberOf = ({ metadata }: ReplicaSet): number =>
    Number(metadata?.annotations?.['deployment.kubernetes.io/revision']) || 0
  return [...sets]
    .sort((a, b) => numberOf(b) - numberOf(a))
    .map((set) => ({
      name: `revision ${numberOf(set)}`,
      pods: pods.filter((pod) => isControlledBy(pod, set.metadata?.uid)),
      failure: failureOf(set),
    }))
    .filter(({ pods: own }, i) => i === 0 || own.length > 0)
}

const maxFailureLength = 300

/** A quota, a webhook or a missing service account: the ReplicaSet says so in this condition, and there are no pods to look at. */
function failureOf({ status }: ReplicaSet): string | undefined {
  const failure = status?.conditions?.find((one) => one.type === 'ReplicaFailure' && one.status === 'True')
  return failure && toOneLine(`${failure.reason ?? 'ReplicaFailure'}: ${failure.message ?? ''}`, maxFailureLength)
}

/** By what the pods say of themselves. The revision whose first pod is the youngest counts as the newest one. */
function revisionsByLabels(pods: readonly Pod[], deployment: string): readonly Revision[] {
  const groups = new Map<string, Pod[]>()
  for (const pod of pods) {
    const hash = pod.metadata?.labels?.['pod-template-hash']
    const owner = controllerOf(pod)
    if (hash === undefined || owner?.kind !== 'ReplicaSet' || owner.name !== replicaSetName(deployment, hash)) continue
    groups.set(hash, [...(groups.get(hash) ?? []), pod])
  }
  const begin = (group: readonly Pod[]): number => Math.min(...group.map(createdAtMs))
  return [...groups]
    .sort(([, a], [, b]) => begin(b) - begin(a))
    .map(([hash, group]) => ({ name: `pod-template-hash ${hash}`, pods: group }))
}

/** Kubernetes allows this length for the name of a ReplicaSet, and cuts the name of the deployment to it (pkg/controller/deployment/sync.go). */
const maxNameLength = 253

function replicaSetName(deployment: string, hash: string): string {
  return `${deployment.slice(0, maxNameLength - hash.length - 1)}-${hash}`
}
