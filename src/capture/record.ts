import { join } from 'node:path'
import { addressesOf, portsOf } from '../cluster/pod.ts'
import { podProtection, type PodProtection } from '../cluster/pod-protection.ts'
import type { Target } from '../cluster/target.ts'
import { deadlineOf, type CapturePlan } from './plan.ts'
import type { SavedLogin } from './recorders/ssh/access.ts'

/** What must be known to end or to finish one capture, in this process or in the post step. JSON. */
export interface CaptureRecord {
  readonly target: RecordedTarget
  /** the name of this capture, and of its container or Job */
  readonly captureId: string
  readonly method: CaptureMethod
  readonly plan: CapturePlan
  /** epoch seconds, the API server's clock */
  readonly deadlineSeconds: number
  /** the same moment by this runner's clock, ms since the epoch */
  readonly deadlineHereMs: number
  /** where the finished pcap goes */
  readonly path: string
  /** where it grows; named after the capture, so that no other capture continues it */
  readonly partPath: string
}

export type RecordedTarget = RecordedPod | RecordedNode

/** The pod that the capture is about. */
export interface RecordedPod {
  readonly kind: 'pod'
  readonly namespace: string
  readonly pod: string
  readonly uid: string
  /** undefined while the pod is not scheduled */
  readonly node?: string | undefined
  /** its own addresses; none in the network of its node */
  readonly addresses: readonly string[]
  /** that its containers declare */
  readonly ports?: readonly number[]
  /** undefined in the state of an earlier version */
  readonly protection?: PodProtection
}

/** A whole node, named by the user. */
export interface RecordedNode {
  readonly kind: 'node'
  readonly node: string
}

/** How a capture is recorded: `methodOf` in recorders/methods.ts has the differences. */
export type CaptureMethod =
  /** an ephemeral container of the pod itself */
  | { readonly kind: 'container' }
  /** a Job with the name of the capture, whose pod uses the network of the node */
  | { readonly kind: 'node-pod'; readonly namespace: string }
  /** a process on the node, reached by SSH */
  | {
      readonly kind: 'ssh'
      readonly login: SavedLogin
      /** not narrowed to a pod's own addresses: the SSH connection has to be left out, once it is known */
      readonly whole: boolean
    }

export interface RecordOptions {
  readonly captureId: string
  readonly method: CaptureMethod
  readonly plan: CapturePlan
  /** the folder of the finished pcap */
  readonly folder: string
  /** its name without `.pcap` */
  readonly fileName: string
  /** several targets have the same `fileName`: the name of each target is added to it */
  readonly isFileNameShared?: boolean
  /** the API server's clock, ms since the epoch */
  readonly serverTimeMs: number
}

export function recordOf(target: Target, options: RecordOptions): CaptureRecord {
  const { captureId, method, plan, folder, serverTimeMs } = options
  const deadlineSeconds = deadlineOf(plan, serverTimeMs)
  return {
    target: recordedTarget(target),
    captureId,
    method,
    plan,
    deadlineSeconds,
    deadlineHereMs: Date.now() + deadlineSeconds * 1000 - serverTimeMs,
    path: join(folder, `${fileNameFor(target, options)}.pcap`),
    partPath: join(folder, `${captureId}.part`),
  }
}

function recordedTarget(target: Target): RecordedTarget {
  if (target.kind === 'node') return target
  const { kind, namespace, pod, uid, node, facts } = target
  const addresses = facts.spec?.hostNetwork === true ? [] : addressesOf(facts)
  return { kind, namespace, pod, uid, node, addresses, ports: portsOf(facts), protection: podProtection(facts) }
}

/** No name of Kubernetes has an underscore, so no two targets have the same file. */
function fileNameFor(target: Target, { fileName, isFileNameShared = false, captureId }: RecordOptions): string {
  if (!isFileNameShared) return fileName
  const name = target.kind === 'pod' ? `${target.namespace}_${target.pod}` : target.node
  const maxBytes = maxFileNameBytes - Buffer.byteLength(fileName) - 1
  const short = name.length > maxBytes ? `${name.slice(0, maxBytes - 9)}-${captureId.slice(-8)}` : name
  return `${fileName}-${short}`
}

/** Linux allows 255 (NAME_MAX); the rest is for `-findings.json` and for what an upload with a taken name adds. */
const maxFileNameBytes = 230

/** @throws TypeError where a node is the target: such a record is never given to a recorder in the pod */
export function recordedPod({ target, captureId }: CaptureRecord): RecordedPod {
  if (target.kind === 'pod') return target
  throw new TypeError(`the target of ${captureId} is no pod`)
}

/** @throws TypeError where the pod is not scheduled: such a record is never given to a recorder on a node */
export function recordedNode({ target, captureId }: CaptureRecord): string {
  if (target.node !== undefined) return target.node
  throw new TypeError(`the target of ${captureId} is on no node`)
}
