import { toOneLine } from '../common/remote-text.ts'
import { addressesOf, type Pod } from './pod.ts'

/**
 * Whether a recorder can capture a pod as it is now. The kubelet starts ephemeral containers before the init containers have ended, and beside
 * containers that wait for their image or crash (kuberuntime_manager.go, computePodActions): the pod only needs its sandbox, which is there when
 * the pod has an address. So the phase alone does not decide: a pod in Init:0/1 is Pending.
 */
export type PodState =
  | { readonly kind: 'capturable' }
  | {
      readonly kind: 'ended' | 'deleting' | 'no-network'
      /** a clause about the pod, in one line */ readonly why: string
    }

const maxMessageLength = 200

export function podStateOf(pod: Pod): PodState {
  const phase = pod.status?.phase ?? 'Unknown'
  if (phase === 'Succeeded' || phase === 'Failed') {
    const reason = toOneLine(pod.status?.reason ?? '', maxMessageLength) // Evicted, DeadlineExceeded
    return { kind: 'ended', why: `has ended (${reason === '' ? phase : `${phase}: ${reason}`})` }
  }
  if (pod.metadata?.deletionTimestamp !== undefined) return { kind: 'deleting', why: 'is being deleted' }
  if (phase === 'Running' || addressesOf(pod).length > 0) return { kind: 'capturable' }
  const cause = waitingFor(pod)
  const why = `is not running (${phase}) and has no network yet`
  return { kind: 'no-network', why: cause === '' ? why : `${why}: ${cause}` }
}

/** Why a pod has no sandbox, as far as its status has it: events would need another right. */
function waitingFor({ spec, status = {} }: Pod): string {
  const { conditions = [], initContainerStatuses = [], containerStatuses = [] } = status
  const scheduled = conditions.find(({ type }) => type === 'PodScheduled')
  if (scheduled?.status === 'False') {
    const { reason = 'Unschedulable', message = '' } = scheduled
    return `it is not scheduled (${toOneLine(message === '' ? reason : `${reason}: ${message}`, maxMessageLength)})`
  }
  if (!spec?.nodeName) return 'it is not scheduled'
  const statuses = [...initContainerStatuses, ...containerStatuses]
  const reason = statuses.map(({ state }) => state?.waiting?.reason).find((text) => text !== undefined)
  return toOneLine(reason ?? '', maxMessageLength)
}

export function isReady(pod: Pod): boolean {
  return (pod.status?.conditions ?? []).some(({ type, status }) => type === 'Ready' && status === 'True')
}

/** ms since the epoch; 0 where it is unknown */
export function createdAtMs(pod: Pod): number {
  return Date.parse(pod.metadata?.creationTimestamp ?? '') || 0
}
