import { ConfigurationError } from '../errors.ts'
import { notOurs, objectOf, oneLine } from './answer.ts'
import { ApiError, call } from './api.ts'
import type { Connection } from './connection.ts'
import type { Pod } from './pod.ts'

/** One place to capture: the network namespace of one pod, as it is now. */
export interface Target {
  readonly namespace: string
  readonly pod: string
  /** A pod of the same name may come later; it is another one. */
  readonly uid: string
  readonly node: string
  readonly facts: Pod
}

export interface TargetOptions {
  readonly allowHostNetwork: boolean
  /** node: from outside of the pod, which need not take a container */
  readonly level: 'pod' | 'node'
}

export type TargetQuery = { readonly kind: 'pod' | 'deployment'; readonly name: string }

/**
 * Finds the pods that the input `pod` names: one today, a list from the first day.
 * @throws ConfigurationError that names the nearest pods, or the missing right
 */
export async function findTargets(
  connection: Connection,
  namespace: string,
  query: TargetQuery,
): Promise<readonly Target[]> {
  const pod =
    query.kind === 'pod'
      ? await getPod(connection, namespace, query.name)
      : await podOfDeployment(connection, namespace, query.name)
  return [
    {
      namespace,
      pod: pod.metadata?.name ?? '',
      uid: pod.metadata?.uid ?? '',
      node: pod.spec?.nodeName ?? '',
      facts: pod,
    },
  ]
}

async function getPod(connection: Connection, namespace: string, name: string): Promise<Pod> {
  const asked = `for the pod ${JSON.stringify(name)}`
  try {
    const answer = await call(connection, 'GET', `/api/v1/namespaces/${namespace}/pods/${name}`)
    const pod: Pod = objectOf(connection, answer, asked)
    if (pod.metadata?.name !== name) throw notOurs(connection, asked, 'something else')
    return pod
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    if (error.status !== 404) throw denied(error, 'get', 'pods', namespace)
    throw new ConfigurationError(
      `pod: there is no pod ${JSON.stringify(name)} in the namespace ${JSON.stringify(namespace)}. ` +
        (await suggestions(connection, namespace, name)),
    )
  }
}

/** The newest pod that is not ready, else the newest: what a failed rollout is about. */
async function podOfDeployment(connection: Connection, namespace: string, name: string): Promise<Pod> {
  const path = `/apis/apps/v1/namespaces/${namespace}/deployments/${name}`
  let deployment: Deployment
  try {
    const answer = await call(connection, 'GET', path)
    deployment = objectOf(connection, answer, `for the deployment ${JSON.stringify(name)}`)
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    if (error.status !== 404) throw denied(error, 'get', 'deployments', namespace)
    throw new ConfigurationError(
      `pod: there is no deployment ${JSON.stringify(name)} in the namespace ${JSON.stringify(namespace)}. ` +
        `List them with \`kubectl -n ${namespace} get deployments\`.`,
    )
  }
  const pods = (await listPods(connection, namespace, selectorText(deployment.spec?.selector))).filter((pod) =>
    isOf(pod, name),
  )
  const usable = pods.filter((pod) => pod.status?.phase === 'Running' && !pod.metadata?.deletionTimestamp)
  const newest = (list: readonly Pod[]): Pod | undefined =>
    [...list].sort((a, b) => age(a) - age(b) || (a.metadata?.name ?? '').localeCompare(b.metadata?.name ?? '')).at(-1)
  const chosen = newest(usable.filter((pod) => !isReady(pod))) ?? newest(usable)
  if (!chosen) {
    const seen = pods.map((pod) => `${pod.metadata?.name ?? '?'} (${pod.status?.phase ?? 'unknown'})`).join(', ')
    throw new ConfigurationError(
      `pod: no pod of deployment ${JSON.stringify(name)} is running: ${seen || 'it has none'}. ` +
        `See why with \`kubectl -n ${namespace} describe deployment ${name}\`.`,
    )
  }
  return chosen
}

interface Deployment {
  readonly spec?: { readonly selector?: LabelSelector }
}
interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>
  readonly matchExpressions?: readonly { key: string; operator: string; values?: readonly string[] }[]
}

function selectorText(selector: LabelSelector | undefined): string {
  const parts = Object.entries(selector?.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`)
  for (const { key, operator, values = [] } of selector?.matchExpressions ?? []) {
    if (operator === 'Exists') parts.push(key)
    else if (operator === 'DoesNotExist') parts.push(`!${key}`)
    else parts.push(`${key} ${operator === 'In' ? 'in' : 'notin'} (${values.join(',')})`)
  }
  return parts.join(',')
}

/** Owned by a ReplicaSet of the deployment, whose name is NAME-HASH with the hash in the pod's label; no right on replicasets is needed. */
function isOf(pod: Pod, deployment: string): boolean {
  const hash = pod.metadata?.labels?.['pod-template-hash']
  return (pod.metadata?.ownerReferences ?? []).some(
    (owner) => owner.kind === 'ReplicaSet' && owner.name === `${deployment}-${hash ?? ''}`,
  )
}

function isReady(pod: Pod): boolean {
  return (pod.status?.conditions ?? []).some(({ type, status }) => type === 'Ready' && status === 'True')
}

function age(pod: Pod): number {
  return Date.parse(pod.metadata?.creationTimestamp ?? '') || 0
}

async function listPods(connection: Connection, namespace: string, selector: string): Promise<readonly Pod[]> {
  const query = new URLSearchParams({ limit: '500', ...(selector ? { labelSelector: selector } : {}) })
  try {
    const answer = await call(connection, 'GET', `/api/v1/namespaces/${namespace}/pods?${query.toString()}`)
    return (objectOf(connection, answer, 'for pods') as { items?: readonly Pod[] }).items ?? []
  } catch (error) {
    throw error instanceof ApiError ? denied(error, 'list', 'pods', namespace) : error
  }
}

async function suggestions(connection: Connection, namespace: string, name: string): Promise<string> {
  let pods: readonly Pod[]
  try {
    pods = await listPods(connection, namespace, '')
  } catch {
    return `List them with \`kubectl -n ${namespace} get pods\`.`
  }
  const near = pods
    .map((pod) => pod.metadata?.name ?? '')
    .map((known) => ({ known, distance: editDistance(known, name) - (known.startsWith(name) ? known.length : 0) }))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 3)
    .map(({ known }) => known)
  return near.length > 0
    ? `The nearest are: ${near.join(', ')}.`
    : `The namespace has no pods: is it the right one, in the right cluster (${connection.description})?`
}

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

/**
 * Everything about a pod that keeps it from being captured, each with what to do. The architecture of its node is not looked at: it is on the
 * node alone, and to read nodes is a right in the whole cluster that a capture of a pod needs for nothing else. The default image is there for
 * all usual ones; with another image the kubelet says it.
 */
export function targetProblems({ namespace, pod: name, facts }: Target, options: TargetOptions): readonly string[] {
  const problems: string[] = []
  const refuse = (cause: string, fix: string): void => {
    problems.push(`pod: ${JSON.stringify(name)} ${cause}. ${fix} Nothing was created.`)
  }
  const phase = facts.status?.phase ?? 'Unknown'
  if (phase === 'Succeeded' || phase === 'Failed') {
    refuse(`has ended (${phase})`, 'A finished pod has no network left to capture: name a running one.')
  } else if (facts.metadata?.deletionTimestamp) {
    refuse('is being deleted', 'Name a pod that stays, or deployment/NAME to get its newest.')
  } else if (phase !== 'Running') {
    refuse(
      `is not running (${phase})`,
      `See why with \`kubectl -n ${namespace} describe pod ${name}\`; capture once it runs.`,
    )
  }
  if (isWindows(facts)) {
    refuse('runs on a Windows node', 'Only Linux pods can be captured: tcpdump is not there on Windows.')
  }
  if (options.level === 'pod' && isStatic(facts)) {
    refuse(
      'is a static pod',
      'The kubelet runs it from a file and takes no ephemeral containers for it; capture the pod that talks to it, or with `level: node`.',
    )
  }
  if (facts.spec?.hostNetwork === true && !options.allowHostNetwork) {
    refuse(
      'uses the network of its node (hostNetwork)',
      'Its capture would show every pod of the node. Set `allow-host-network: true` if you mean that.',
    )
  }
  return problems
}

/** Whether admission has anything to say about it beyond what its facts say already. */
export function canBeAsked({ node, facts }: Target, { level }: TargetOptions): boolean {
  if (isWindows(facts)) return false
  return level === 'node' ? node !== '' : !isStatic(facts)
}

function isWindows({ spec }: Pod): boolean {
  return spec?.os?.name === 'windows' || spec?.nodeSelector?.['kubernetes.io/os'] === 'windows'
}

function isStatic({ metadata }: Pod): boolean {
  return metadata?.annotations?.['kubernetes.io/config.mirror'] !== undefined
}

/** A 403 in terms of the right that is missing, any other answer in its own words. */
export function denied(error: ApiError, verb: string, resource: string, namespace: string): Error {
  if (error.status !== 403) return error
  return new ConfigurationError(
    `${error.input}: its user may not ${verb} ${resource} in the namespace ${JSON.stringify(namespace)} (${oneLine(error.message)}). ` +
      `Grant it with a Role that has the verb "${verb}" on "${resource}"; all that a capture of a pod needs: ` +
      'pods get, pods/ephemeralcontainers patch, pods/exec get and create, and where a deployment is named deployments get and pods list.',
  )
}
