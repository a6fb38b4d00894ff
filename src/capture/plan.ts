import { createHash, randomBytes } from 'node:crypto'
import type { Container, Pod } from '../cluster/pod.ts'
import type { PodTarget } from '../cluster/target.ts'

/** What a capture records, and its limits. Durations in seconds, sizes in bytes. */
export interface CapturePlan {
  readonly filter: string | undefined
  readonly interface: string
  readonly snaplen: number
  readonly durationSeconds: number
  readonly maxBytes: number
  readonly maxPackets: number | undefined
  readonly image: string
  readonly capabilities: readonly string[]
  readonly startTimeoutSeconds: number
  /** without contact from the runner for this long, the recorder ends by itself */
  readonly heartbeatTimeoutSeconds: number
  /** what the spool may use of the node's disk */
  readonly spoolLimitBytes: number
  /** The container asks for the seccomp profile of the runtime: that of the pod is a file on the node, which may forbid packet sockets. */
  readonly usesRuntimeSeccomp?: boolean
  /** on a node without tcpdump, by SSH: the image of its toolbox; undefined for the node's own */
  readonly toolboxImage: string | undefined
}

/** A new name for a capture and its container or Job: the prefix of the repository and a random end. A DNS label. */
export function newCaptureId(repository: string): string {
  return `${captureIdPrefix(repository)}${randomBytes(4).toString('hex')}`
}

export function captureIdPrefix(repository: string): string {
  return `packet-capture-${createHash('sha256').update(repository).digest('hex').slice(0, 6)}-`
}

/** Where the recorder's files are in a container: on its disk, or in memory where the disk has no room. */
export function spoolDirsOf(container: string): readonly string[] {
  return [`/tmp/${container}`, `/dev/shm/${container}`]
}

/** Beyond start-timeout and duration, until everything in the pod has ended: the last packets of the kernel, the hash, a slow last fetch. */
export const slackSeconds = 60

/** From the start to the deadline. */
export function maxRunSeconds({ startTimeoutSeconds, durationSeconds }: CapturePlan): number {
  return startTimeoutSeconds + durationSeconds + slackSeconds
}

/** When a capture that starts now must have ended: epoch seconds, the API server's clock. `serverTimeMs`: that clock, epoch. */
export function deadlineOf(plan: CapturePlan, serverTimeMs: number): number {
  return Math.ceil(serverTimeMs / 1000) + maxRunSeconds(plan)
}

/** How long after its deadline a recorder waits at most for the post step to fetch the rest. */
export const maxHoldSeconds = 600

/**
 * What the spool of a pod may use of the node's disk. The kubelet evicts a pod whose containers together use more than the pod's limit (kubelet,
 * podEphemeralStorageLimitEviction), and the application may have used most of it before the capture.
 */
export function spoolLimitBytesFor({ facts }: PodTarget, wantedBytes: number): number {
  const podLimitBytes = ephemeralStorageLimitBytes(facts)
  if (podLimitBytes === undefined) return wantedBytes
  return Math.min(wantedBytes, maxSharedSpoolBytes, Math.floor(podLimitBytes * podLimitFraction))
}

/**
 * The limit of a pod as the kubelet counts it (component-helpers, resource.PodLimits): the sum of its containers and sidecars, or the limit of an
 * init container where that is larger, which applies for the whole life of the pod; undefined where no container has a limit.
 */
function ephemeralStorageLimitBytes({ spec }: Pod): number | undefined {
  const limitOf = (container: Container): number | undefined =>
    quantity(container.resources?.limits?.['ephemeral-storage'])
  const sumOf = (containers: readonly Container[]): number =>
    containers.reduce((sum, container) => sum + (limitOf(container) ?? 0), 0)
  const { containers = [], initContainers = [] } = spec ?? {}
  if ([...containers, ...initContainers].every((container) => limitOf(container) === undefined)) return undefined
  const isSidecar = ({ restartPolicy }: Container): boolean => restartPolicy === 'Always'
  const starting = initContainers.map((container, i) =>
    isSidecar(container) ? 0 : (limitOf(container) ?? 0) + sumOf(initContainers.slice(0, i).filter(isSidecar)),
  )
  return Math.max(sumOf([...containers, ...initContainers.filter(isSidecar)]), ...starting)
}
const podLimitFraction = 0.1
const maxSharedSpoolBytes = 16e6

/** Bytes of a Kubernetes quantity (apimachinery, resource.Quantity); undefined where it is absent or malformed. */
export function quantity(text: string | undefined): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(m|[kMGTPE]|[KMGTPE]i|e\d+)?$/.exec(text ?? '')
  if (!match) return undefined
  const unit = match[2] ?? ''
  const value = Number(match[1])
  if (unit === 'm') return value / 1000
  if (unit.startsWith('e')) return value * 10 ** Number(unit.slice(1))
  const power = 'kMGTPE'.indexOf(unit[0] === 'K' ? 'k' : (unit[0] ?? '')) + 1
  return unit === '' ? value : value * (unit.endsWith('i') ? 1024 : 1000) ** power
}
