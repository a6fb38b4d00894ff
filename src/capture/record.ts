import { dirname, join } from 'node:path'
import type { Target } from '../cluster/target.ts'
import { deadlineOf, type CapturePlan } from './container.ts'
import type { LoginRecord } from '../google/login.ts'
import { addressesOf } from './node-filter.ts'

/** What must be known to end or to finish one capture, in this process or in the post step. JSON. */
export interface CaptureRecord {
  readonly namespace: string
  /** the pod that the capture is about; '' where a node is captured by its own name */
  readonly pod: string
  readonly uid: string
  /** the pod's, where the filter knows it by them: in the network of the node it has none of its own */
  readonly addresses: readonly string[]
  readonly node: string
  /** the capture's own name, and its container's, where it has one */
  readonly container: string
  readonly where: Where
  readonly plan: CapturePlan
  /** epoch seconds, the API server's clock */
  readonly deadline: number
  /** the same moment by this runner's clock, ms since the epoch */
  readonly deadlineHere: number
  /** where the finished pcap goes */
  readonly path: string
  /** where it grows; named after the container, so that no other capture continues it */
  readonly partPath: string
}

/** Where a capture's recorder is. */
export type Where =
  /** an ephemeral container of the pod itself */
  | { readonly kind: 'container' }
  /** a Job of the capture's name, whose pod uses the network of the node */
  | { readonly kind: 'node-pod'; readonly namespace: string }
  /** a process on the node, reached by SSH */
  | {
      readonly kind: 'ssh'
      readonly login: LoginRecord
      /** not narrowed to a pod's own addresses: the SSH connection has to be left out, once it is known */
      readonly whole: boolean
    }

export function recordOf(
  target: Target,
  container: string,
  plan: CapturePlan,
  path: string,
  serverTime: number,
  where: Where = { kind: 'container' },
): CaptureRecord {
  const deadline = deadlineOf(plan, serverTime)
  const { namespace, pod, uid, node, facts } = target
  const shared = where.kind === 'container' || facts.spec?.hostNetwork === true
  return {
    namespace,
    pod,
    uid,
    addresses: shared ? [] : addressesOf(facts),
    node,
    container,
    where,
    plan,
    deadline,
    deadlineHere: Date.now() + deadline * 1000 - serverTime,
    path,
    partPath: join(dirname(path), `${container}.part`),
  }
}

/** What is captured, for a sentence: `pod web`, `node a`, or the node for the pod's sake. */
export function subjectOf({ pod, node, where }: CaptureRecord): string {
  if (where.kind === 'container') return `pod ${pod}`
  return pod === '' ? `node ${node}` : `pod ${pod} on node ${node}`
}
