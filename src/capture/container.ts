import { createHash, randomBytes } from 'node:crypto'
import type { Target } from '../cluster/target.ts'
import { followerScript, recorderScript } from './scripts.ts'

/** What a capture records, and its limits. Durations in seconds, sizes in bytes. */
export interface CapturePlan {
  readonly filter: string
  readonly interface: string
  readonly snaplen: number
  readonly duration: number
  readonly size: number
  readonly packets: number | undefined
  readonly image: string
  readonly capabilities: readonly string[]
  readonly startTimeout: number
  /** the longest time that nobody asks before the recorder ends by itself */
  readonly ownerTimeout: number
  /** the most that the spool may take of the node's disk */
  readonly spoolLimit: number
  /** on a node without tcpdump, by SSH: the image of its toolbox, where not the node's own */
  readonly toolboxImage: string | undefined
}

/** The name of a capture's container: ours and the repository's by its beginning, unique by its end. A DNS label. */
export function containerName(repository: string): string {
  return `${containerPrefix(repository)}${randomBytes(4).toString('hex')}`
}

export function containerPrefix(repository: string): string {
  return `packet-capture-${createHash('sha256').update(repository).digest('hex').slice(0, 6)}-`
}

/** Where the recorder's files are: on the container's disk, or in memory where that has no room. */
export function spoolDirectories(container: string): readonly string[] {
  return [`/tmp/${container}`, `/dev/shm/${container}`]
}

/** Seconds beyond start-timeout and duration until everything in the pod is over: the linger, the hash, a slow last fetch. */
export const slack = 60

/** Epoch seconds, by the API server's clock, at which a capture that begins now must be over. */
export function deadlineOf(plan: CapturePlan, serverTime: number): number {
  return Math.ceil(serverTime / 1000) + plan.startTimeout + plan.duration + slack
}

/** Seconds after its deadline that a recorder waits at most for somebody to fetch the rest. */
export const mostHold = 600

/** The recorder's container, as the strategic merge patch of pods/ephemeralcontainers takes it. */
export function recorderContainer(name: string, plan: CapturePlan, deadline: number): Record<string, unknown> {
  const parameters = recorderParameters(name, plan, deadline)
  return {
    name,
    image: plan.image,
    imagePullPolicy: 'IfNotPresent',
    command: ['sh', '-c', literal(recorderScript)],
    env: Object.entries(parameters).map(([key, value]) => ({ name: key, value: literal(String(value)) })),
    securityContext: {
      runAsUser: 0,
      runAsNonRoot: false,
      // The runtime's default capabilities have NET_RAW on containerd; naming them would be refused under Pod Security `baseline`.
      ...(plan.capabilities.length > 0 ? { capabilities: { add: plan.capabilities } } : {}),
    },
  }
}

/** What the recorder reads from its environment. */
export function recorderParameters(
  name: string,
  plan: CapturePlan,
  deadline: number,
): Readonly<Record<string, string | number>> {
  return {
    CAPTURE_NAME: name,
    CAPTURE_DEADLINE: deadline,
    CAPTURE_FILTER: plan.filter,
    CAPTURE_INTERFACE: plan.interface,
    CAPTURE_SNAPLEN: plan.snaplen,
    CAPTURE_DURATION: plan.duration,
    CAPTURE_SIZE: plan.size,
    CAPTURE_PACKETS: plan.packets ?? '',
    CAPTURE_BUFFER: ringKiB,
    CAPTURE_SPOOL: plan.spoolLimit,
    CAPTURE_SEGMENT: Math.min(4, Math.max(1, Math.floor(plan.spoolLimit / 16e6))),
    CAPTURE_OWNER_TIMEOUT: plan.ownerTimeout,
    CAPTURE_FOLLOWER: followerScript,
  }
}

/** tcpdump's -B, KiB: two seconds of 50,000 packets of 300 bytes; libpcap's default of 2 MiB overflows at 20,000 a second. */
const ringKiB = 32768

/** Kubernetes expands $(NAME) in command and env, and turns $$ into $ (k8s.io/kubernetes third_party/forked/golang/expansion). */
function literal(text: string): string {
  return text.replaceAll('$', '$$$$')
}

/** How much of the node's disk the spool may take beside a pod: the pod is evicted when its containers together exceed its ephemeral-storage limits. */
export function spoolLimitFor(target: Target, wanted: number): number {
  const limits = (target.facts.spec?.containers ?? [])
    .map((container) => quantity(container.resources?.limits?.['ephemeral-storage']))
    .filter((limit) => limit !== undefined)
  if (limits.length === 0) return wanted
  const sum = limits.reduce((a, b) => a + b, 0)
  return Math.min(wanted, Math.floor(sum * shareOfPodLimit))
}
const shareOfPodLimit = 0.4

/** Bytes of a Kubernetes quantity (apimachinery, resource.Quantity); undefined where it is absent or not understood. */
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
