import { ApiError, call } from '../cluster/api.ts'
import type { Connection } from '../cluster/connection.ts'
import { addressesOf, type Pod } from '../cluster/pod.ts'
import { messageOf } from '../common/errors.ts'
import { toOneLine } from '../common/remote-text.ts'
import { pause } from '../common/timeouts.ts'
import { urlPath } from '../common/url-path.ts'
import type { RecordedPod } from './record.ts'

/** Why a recorder inside of a pod was stopped, as far as the pod shows it. */
export type TargetEnd =
  /** every container of the pod ended by itself, successfully */
  | { readonly kind: 'completed' }
  /** the pod, or its network, is gone; `why`: a clause */
  | { readonly kind: 'lost'; readonly why: string }
  /** the pod goes on with the same network, without the recorder */
  | { readonly kind: 'goes-on' }
  | { readonly kind: 'unknown'; /** a clause */ readonly why: string }

/** What the recorder reported of its recording, by the node's clock, seconds since the epoch. */
export interface RecordingTimes {
  readonly beganSeconds: number
  /** the end of tcpdump */
  readonly endedSeconds: number
}

export interface SearchOptions {
  /** undefined where the recorder could not report it */
  readonly times: RecordingTimes | undefined
  readonly withinMs: number
}

/** What a pod shows at one moment. */
interface Shown {
  readonly end: TargetEnd
  /** A later look cannot show anything else. */
  readonly isFinal: boolean
}

const pollEveryMs = 300
const requestTimeoutMs = 5_000

/** Reads the pod until it shows what ended the recorder, for `withinMs` at most. Never rejects. */
export async function findTargetEnd(
  connect: () => Promise<Connection>,
  target: RecordedPod,
  { times, withinMs }: SearchOptions,
): Promise<TargetEnd> {
  const endsAtMs = Date.now() + withinMs
  for (;;) {
    const { end, isFinal } = await look(Math.max(1, Math.min(requestTimeoutMs, endsAtMs - Date.now())))
    if (isFinal || Date.now() + pollEveryMs >= endsAtMs) return end
    await pause(pollEveryMs)
  }

  async function look(timeoutMs: number): Promise<Shown> {
    try {
      return shownBy(await readPod(await connect(), target, timeoutMs), target, times)
    } catch (error) {
      return { end: { kind: 'unknown', why: toOneLine(messageOf(error), 300) }, isFinal: false }
    }
  }
}

/** undefined: there is no such pod */
async function readPod(
  connection: Connection,
  { namespace, pod }: RecordedPod,
  timeoutMs: number,
): Promise<Pod | undefined> {
  try {
    return (await call(connection, 'GET', urlPath`/api/v1/namespaces/${namespace}/pods/${pod}`, { timeoutMs }))
      .body as Pod
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return undefined
    throw error
  }
}

function shownBy(found: Pod | undefined, target: RecordedPod, times: RecordingTimes | undefined): Shown {
  const lost = (why: string, isFinal = true): Shown => ({
    end: { kind: 'lost', why: `the pod ${target.pod} ${why}` },
    isFinal,
  })
  const goesOn: Shown = { end: { kind: 'goes-on' }, isFinal: false }
  if (found === undefined) return lost('was deleted')
  if (found.metadata?.uid !== target.uid) return lost('was replaced by another pod of the same name')
  switch (howEnded(found)) {
    case 'completed':
      // A recorder that was stopped earlier has not captured the pod to its end.
      return isRecordedToItsEnd(found, times)
        ? { end: { kind: 'completed' }, isFinal: true }
        : { ...goesOn, isFinal: true }
    case 'deleted':
      return lost('was deleted')
    case 'failed': {
      const reason = found.status?.reason
      return lost(`ended (Failed${reason === undefined ? '' : `: ${toOneLine(reason, 100)}`})`)
    }
    case undefined:
      break
  }
  const sandbox = sandboxChange(found, target, times)
  return sandbox === undefined ? goesOn : lost(sandbox.what, sandbox.isFinal)
}

/** How the pod has ended; undefined while it has not. */
function howEnded(pod: Pod): 'completed' | 'deleted' | 'failed' | undefined {
  const phase = pod.status?.phase
  if (phase === 'Failed') return 'failed'
  if (hasSucceeded(pod) && !endedByDeletion(pod)) return 'completed'
  return phase === 'Succeeded' || pod.metadata?.deletionTimestamp !== undefined ? 'deleted' : undefined
}

/** Whether every container ended without an error and is not started again. The phase becomes Succeeded only after the end of the recorder. */
function hasSucceeded(pod: Pod): boolean {
  const { spec, status } = pod
  const ends = endsOf(pod)
  const isComplete = ends.length > 0 && ends.length === spec?.containers?.length
  const isOnce = status?.phase === 'Succeeded' || (spec?.restartPolicy ?? 'Always') !== 'Always'
  return isComplete && isOnce && ends.every((end) => end?.exitCode === 0)
}

/** Whether the containers may have ended because the pod is being deleted: they ended after the request for it. */
function endedByDeletion(pod: Pod): boolean {
  const { metadata } = pod
  if (metadata?.deletionTimestamp === undefined) return false
  const requestedAtMs = Date.parse(metadata.deletionTimestamp) - (metadata.deletionGracePeriodSeconds ?? 0) * 1000
  return !endsOf(pod).every((end) => Date.parse(end?.finishedAt ?? '') < requestedAtMs)
}

/**
 * Whether tcpdump ended after the containers. The recorder goes on for 1.2 s after SIGTERM, which outweighs that both times are whole seconds.
 * Without its times there is no proof anyway, so the capture is not complete.
 */
function isRecordedToItsEnd(pod: Pod, times: RecordingTimes | undefined): boolean {
  return (
    times === undefined || endsOf(pod).every((end) => Date.parse(end?.finishedAt ?? '') <= times.endedSeconds * 1000)
  )
}

function endsOf({ status }: Pod) {
  return (status?.containerStatuses ?? []).map(({ state }) => state?.terminated)
}

/** How the sandbox of a pod that goes on differs from the one that was recorded: a clause without its subject. */
function sandboxChange(
  pod: Pod,
  { addresses }: RecordedPod,
  times: RecordingTimes | undefined,
): { readonly what: string; readonly isFinal: boolean } | undefined {
  const now = addressesOf(pod)
  if (addresses.length > 0 && now.length > 0 && !addresses.some((address) => now.includes(address))) {
    return { what: `got a new sandbox (${addresses.join(', ')} → ${now.join(', ')})`, isFinal: true }
  }
  // A new sandbox may get the address of the old one, but in between the pod had none. The condition exists from Kubernetes 1.29 on.
  const ready = pod.status?.conditions?.find(({ type }) => type === 'PodReadyToStartContainers')
  if (ready?.status === 'False') return { what: 'lost its sandbox', isFinal: false }
  const readySinceMs = Date.parse(ready?.lastTransitionTime ?? '')
  return times !== undefined && readySinceMs > times.beganSeconds * 1000
    ? { what: 'got a new sandbox', isFinal: true }
    : undefined
}
