import type { Revision } from './deployment.ts'
import type { Pod } from './pod.ts'
import { createdAtMs, isReady, podStateOf } from './pod-state.ts'

/** The pod of a deployment that is captured. */
export interface PodChoice {
  readonly pod: Pod
  readonly revision: Revision
  /** the newer revisions, none of whose pods can be captured; [] where the pod is of the newest revision */
  readonly passedOver: readonly Revision[]
}

/** A pod of the newest revision that has one to capture: a hanging rollout is what a capture of a deployment is about. */
export function choosePod(revisions: readonly Revision[]): PodChoice | undefined {
  for (const [i, revision] of revisions.entries()) {
    const pod = preferredOf(revision.pods.filter((one) => podStateOf(one).kind === 'capturable'))
    if (pod) return { pod, revision, passedOver: revisions.slice(0, i) }
  }
  return undefined
}

/** The newest pod that is not ready, which shows why a rollout hangs; else the newest pod. */
function preferredOf(pods: readonly Pod[]): Pod | undefined {
  const newest = (list: readonly Pod[]): Pod | undefined =>
    [...list].sort((a, b) => createdAtMs(a) - createdAtMs(b) || nameOf(a).localeCompare(nameOf(b))).at(-1)
  return newest(pods.filter((pod) => !isReady(pod))) ?? newest(pods)
}

const maxNamedPodCount = 5

/** Why none of these pods can be captured, each with its name: a clause. */
export function whyNone(revisions: readonly Revision[]): string {
  const failures = revisions.flatMap(({ name, failure }) =>
    failure === undefined ? [] : [`${name} cannot create its pods (${failure})`],
  )
  const pods = revisions.flatMap((revision) => revision.pods)
  const named = pods.slice(0, maxNamedPodCount).flatMap((pod) => {
    const state = podStateOf(pod)
    return state.kind === 'capturable' ? [] : [`${nameOf(pod)} ${state.why}`]
  })
  const more = pods.length > maxNamedPodCount ? [`${pods.length - maxNamedPodCount} more`] : []
  return [...failures, ...named, ...more].join('; ') || 'it has no pods'
}

function nameOf(pod: Pod): string {
  return pod.metadata?.name ?? '?'
}
