import { ConfigurationError } from '../common/errors.ts'
import { isObjectName } from '../common/kubernetes-names.ts'
import { unexpectedAnswer } from './answer.ts'
import type { Connection } from './connection.ts'
import { podsOfDeployment, type DeploymentPods } from './deployment.ts'
import { getPod } from './named-pod.ts'
import type { Pod } from './pod.ts'
import { choosePod, whyNone, type PodChoice } from './pod-choice.ts'
import { listReplicaSets } from './rights.ts'

/** What one capture is about. */
export type Target = PodTarget | NodeTarget

/** One pod, as it is now. */
export interface PodTarget {
  readonly kind: 'pod'
  readonly namespace: string
  readonly pod: string
  /** A later pod may have the same name; its UID differs. */
  readonly uid: string
  /** undefined while the pod is not scheduled */
  readonly node: string | undefined
  readonly facts: Pod
}

/** A whole node, named by the user. */
export interface NodeTarget {
  readonly kind: 'node'
  readonly node: string
}

export type TargetQuery = { readonly kind: 'pod' | 'deployment'; readonly name: string }

export interface FoundTargets {
  readonly targets: readonly PodTarget[]
  /** how they were found, where the user should know it: whole sentences */
  readonly hints: readonly string[]
  /** why they may not be what the user expects: whole sentences */
  readonly cautions: readonly string[]
}

/**
 * Finds the pods that the input `pod` names; today it is always one.
 * @throws ConfigurationError that names similar pods, the missing right, or why no pod of a deployment can be captured; ApiError
 */
export async function findTargets(
  connection: Connection,
  namespace: string,
  query: TargetQuery,
): Promise<FoundTargets> {
  if (query.kind === 'deployment') return findDeployment(connection, namespace, query.name)
  const pod = await getPod(connection, namespace, query.name)
  return { targets: [podTarget(connection, namespace, pod)], hints: [], cautions: [] }
}

async function findDeployment(connection: Connection, namespace: string, name: string): Promise<FoundTargets> {
  const found = await podsOfDeployment(connection, namespace, name)
  const choice = choosePod(found.revisions)
  if (choice === undefined) {
    throw new ConfigurationError({
      code: 'E_POD_NOT_RUNNING',
      input: 'pod',
      problem: `no pod of deployment ${JSON.stringify(name)} can be captured: ${whyNone(found.revisions)}`,
      fix: `See why with \`kubectl -n ${namespace} describe deployment ${name}\`.`,
    })
  }
  const hints = found.isByLabels
    ? [
        `The user may not ${listReplicaSets.verb} ${listReplicaSets.resource} in the namespace ${JSON.stringify(namespace)}, so the newest revision of deployment ${JSON.stringify(name)} ` +
          `was found by the labels and the ages of its pods (${choice.revision.name}). docs/rbac/developer.yaml grants the permission.`,
      ]
    : []
  return {
    targets: [podTarget(connection, namespace, choice.pod)],
    hints,
    cautions: cautionsOf(choice, found, { namespace, name }),
  }
}

function cautionsOf(
  { pod, revision, passedOver }: PodChoice,
  { isOutdated }: DeploymentPods,
  { namespace, name }: { readonly namespace: string; readonly name: string },
): readonly string[] {
  const subject = `deployment ${JSON.stringify(name)}`
  const old =
    `No pod of the newest revision of ${subject} can be captured: ${whyNone(passedOver)}. ` +
    `The captured pod ${pod.metadata?.name ?? '?'} is of an older one (${revision.name}). ` +
    `See why with \`kubectl -n ${namespace} describe deployment ${name}\`.`
  const outdated =
    `The deployment controller has not processed the latest change of ${subject} yet: ` +
    `the captured pod ${pod.metadata?.name ?? '?'} may be of the revision before it. Wait for the rollout, or capture again.`
  return [...(passedOver.length > 0 ? [old] : []), ...(isOutdated ? [outdated] : [])]
}

/** @throws ConfigurationError where the name, node or UID is not valid: they become a part of URLs, of file names and of the log */
function podTarget(connection: Connection, namespace: string, facts: Pod): PodTarget {
  const { name = '', uid = '' } = facts.metadata ?? {}
  const node = facts.spec?.nodeName || undefined
  const isValid = isObjectName(name) && (node === undefined || isObjectName(node)) && /^[\w.-]{0,128}$/.test(uid)
  if (!isValid) {
    throw unexpectedAnswer(connection, `the pod ${JSON.stringify(name)}`, 'a pod whose name, node or UID is not valid')
  }
  return { kind: 'pod', namespace, pod: name, uid, node, facts }
}
