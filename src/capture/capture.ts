import { mkdir, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { ApiError, call } from '../cluster/api.ts'
import type { Connection } from '../cluster/connection.ts'
import { denied, type Target } from '../cluster/target.ts'
import { Cancelled, ConfigurationError } from '../errors.ts'
import type { PcapScan } from '../pcap/scanner.ts'
import { deadlineOf, ephemeralContainer, type CapturePlan } from './container.ts'
import { containerState, followSpool, type FollowOutcome, type FollowSource } from './follow.ts'
import { cutToWholePackets, openPartFile, type PartFile } from './part-file.ts'
import { judge, type Verdict } from './verdict.ts'

/** What must be known to end or to finish one capture, in this process or in the post step. JSON. */
export interface CaptureRecord {
  readonly namespace: string
  readonly pod: string
  readonly uid: string
  readonly node: string
  readonly container: string
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

/** A capture that runs. */
export interface RunningCapture {
  readonly record: CaptureRecord
  /** the image that the node runs, by digest, as the kubelet tells it */
  readonly imageId: string
  readonly part: PartFile
  /** ms since the epoch, undefined until tcpdump listens */
  listeningSince(): number | undefined
  stop(reason: 'cancelled'): void
  hold(seconds: number): void
  readonly finished: Promise<CaptureResult>
}

export interface CaptureResult {
  readonly record: CaptureRecord
  readonly imageId: string
  readonly verdict: Verdict
  readonly outcome: FollowOutcome
  readonly scan: PcapScan
  /** SHA-256 of the file, hex */
  readonly sha256: string
  /** undefined when nothing at all arrived */
  readonly path: string | undefined
}

export interface CaptureEvents {
  readonly waiting: (reason: string) => void
  readonly listening: () => void
  readonly interrupted: (reason: string) => void
  readonly foreign: (line: string) => void
}

export function recordOf(
  target: Target,
  container: string,
  plan: CapturePlan,
  path: string,
  serverTime: number,
): CaptureRecord {
  const deadline = deadlineOf(plan, serverTime)
  const { namespace, pod, uid, node } = target
  return {
    namespace,
    pod,
    uid,
    node,
    container,
    plan,
    deadline,
    deadlineHere: Date.now() + deadline * 1000 - serverTime,
    path,
    partPath: join(dirname(path), `${container}.part`),
  }
}

/**
 * Adds the capture's container to the pod, or with `dryRun` asks whether it could be.
 * @throws ConfigurationError with admission's words and the fix
 */
export async function addContainer(connection: Connection, record: CaptureRecord, dryRun: boolean): Promise<void> {
  const container = ephemeralContainer(record.container, record.plan, record.deadline)
  const path = `/api/v1/namespaces/${record.namespace}/pods/${record.pod}/ephemeralcontainers${dryRun ? '?dryRun=All' : ''}`
  try {
    await call(connection, 'PATCH', path, {
      type: 'application/strategic-merge-patch+json',
      value: { metadata: { uid: record.uid }, spec: { ephemeralContainers: [container] } },
    })
  } catch (error) {
    throw error instanceof ApiError ? refused(error, record) : error
  }
}

function refused(error: ApiError, record: CaptureRecord): Error {
  const nothing = 'Nothing was created.'
  if (/violates PodSecurity/.test(error.message)) {
    return new NothingCreated(
      `namespace: ${JSON.stringify(record.namespace)} enforces a Pod Security level that forbids a capture container: ${error.message}. ` +
        'A capture needs uid 0 and, of capabilities, the default ones (level "baseline" takes that, "restricted" never). ' +
        `Ask for the label pod-security.kubernetes.io/enforce=baseline on the namespace${
          record.plan.capabilities.length > 0 ? ', or leave the input `capabilities` empty' : ''
        }. ${nothing}`,
    )
  }
  if (error.status === 404) {
    return new NothingCreated(`pod: ${JSON.stringify(record.pod)} went away before the capture began. ${nothing}`)
  }
  if (error.status === 403 && error.reason === 'Forbidden' && /cannot patch/.test(error.message)) {
    return new NothingCreated(denied(error, 'patch', 'pods/ephemeralcontainers', record.namespace).message)
  }
  if (error.status < 500) {
    return new NothingCreated(
      `pod: the cluster refuses a capture container in ${JSON.stringify(record.pod)}: ${error.message}. ${nothing}`,
    )
  }
  return error
}

const pollEvery = 500
/** Of a cancel's grace of 7.5 s: what a container that is about to run gets, ms; stopping it takes up to 3 s. */
const startGrace = 3_000

function cancelledInStart({ container, plan }: CaptureRecord): string {
  return (
    `The run was cancelled before the container ${container} had started. If it still does, the post step stops it; without that ` +
    `it ends by itself after ${plan.ownerTimeout} s. The pod keeps one entry for it.`
  )
}

/** Image errors are tried again by the kubelet; a registry's hiccup of this length, ms, is forgiven. */
const pullPatience = 15_000

/**
 * Waits until the container runs.
 * @throws ConfigurationError that names the image, the container and the kubelet's words
 */
export async function awaitStart(
  source: FollowSource,
  record: CaptureRecord,
  events: CaptureEvents,
  signal: AbortSignal,
): Promise<string> {
  const end = Date.now() + record.plan.startTimeout * 1000
  let failingSince: number | undefined
  let cancelledAt: number | undefined
  let last = ''
  const remains = `The pod keeps one entry for the ephemeral container ${record.container}; should it still start, it ends by itself after ${record.plan.ownerTimeout} s.`
  for (;;) {
    const state = await containerState(source)
    if (state.kind === 'running') return state.imageId
    if (state.kind === 'terminated') {
      // A container that came and went between two looks: its last words say how.
      if (/^size \d+/m.test(state.message)) return ''
      throw startError(state.message || state.reason, record)
    }
    if (state.kind === 'gone') {
      throw new ConfigurationError(`pod: ${JSON.stringify(record.pod)} is gone: ${state.reason}. Nothing was captured.`)
    }
    if (state.kind === 'waiting') {
      if (state.reason !== last && state.reason !== '') events.waiting(`${state.reason} ${state.message}`.trim())
      last = state.reason
      const pull = /^(ErrImagePull|ImagePullBackOff|RegistryUnavailable)$/.test(state.reason)
      const hopeless =
        /^(InvalidImageName|ErrImageNeverPull|ImageInspectError|CreateContainer(Config)?Error|RunContainerError)$/
      const refused = hopeless.test(state.reason)
      failingSince = pull ? (failingSince ?? Date.now()) : undefined
      if (refused || (failingSince !== undefined && Date.now() - failingSince > pullPatience)) {
        throw new ConfigurationError(
          `image: the node ${record.node} cannot start ${JSON.stringify(record.plan.image)} ` +
            `(${state.reason}: ${state.message || 'no further words'}). ${
              pull || /Image/.test(state.reason)
                ? "Use an image that the node can pull with the pod's own pull secrets."
                : 'Use an image with sh and tcpdump.'
            } ${remains}`,
        )
      }
    }
    if (signal.aborted) {
      // An image that is there starts within moments; a recorder that nobody waits for would record until its owner is missed.
      cancelledAt ??= Date.now()
      if (Date.now() - cancelledAt > startGrace) throw new Cancelled(cancelledInStart(record))
    }
    if (Date.now() > end) {
      throw new ConfigurationError(
        `start-timeout: the container ${record.container} has not started within ${record.plan.startTimeout} s` +
          `${last ? ` (${last})` : ''}: is the image large, or the node busy? Raise start-timeout or use a smaller image. ${remains}`,
      )
    }
    await pause(pollEvery, signal)
  }
}

/** The cluster has refused the container, so there is none. */
export class NothingCreated extends ConfigurationError {}

/** The container has ended without recording: nothing is left to finish. */
export class NothingRecorded extends ConfigurationError {}

/** The recorder's own last words (`error CODE TEXT`) in terms of the inputs. */
function startError(words: string, record: CaptureRecord): Error {
  const match = /^error (\S+) ?([\s\S]*)$/.exec(words.trim())
  const code = match?.[1] ?? ''
  const text = (match?.[2] ?? words).replace(/tcpdump: (data link type \S+)?/g, '').trim()
  const remains = `The pod keeps one ended entry for the ephemeral container ${record.container}.`
  const said = (input: string, cause: string, fix: string): Error =>
    new NothingRecorded(`${input}: ${cause}: ${text || 'no words'}. ${fix} ${remains}`)
  switch (code) {
    case 'filter':
      return said('filter', `the pod's tcpdump refuses ${JSON.stringify(record.plan.filter)}`, 'See pcap-filter(7).')
    case 'net-raw':
      return said(
        'capabilities',
        'tcpdump may not open a packet socket in the pod',
        'The runtime gives no NET_RAW by default (CRI-O, OpenShift): set `capabilities: NET_RAW`.',
      )
    case 'interface':
      return said(
        'interface',
        `tcpdump cannot record on ${JSON.stringify(record.plan.interface)} in the pod`,
        'Use any, eth0 or lo.',
      )
    case 'tools':
      return said('image', `${JSON.stringify(record.plan.image)} cannot record`, 'Use an image with sh and tcpdump.')
    case 'space':
      return said('image', 'the container has nowhere to write its spool', 'Is its root file system read-only?')
    default:
      return said('image', `the container ended before it recorded anything`, 'See its log with `kubectl logs -c`.')
  }
}

/** The part file of a capture: made before the container is, continued by the post step. @throws the file system's error */
export async function openPart(record: CaptureRecord): Promise<PartFile> {
  await mkdir(dirname(record.partPath), { recursive: true })
  return openPartFile(record.partPath)
}

/**
 * Follows a capture whose container runs, from where its part file ends, to its result. `endsBy`: when its recording is over at the latest,
 * ms since the epoch, where that is not to be told from its begin (in post it is over now).
 */
export function followCapture(
  connection: Connection,
  record: CaptureRecord,
  part: PartFile,
  imageId: string,
  events: CaptureEvents,
  endsBy?: number,
): RunningCapture {
  let listeningSince: number | undefined
  const { plan } = record
  const end = (): number =>
    endsBy ?? (listeningSince === undefined ? record.deadlineHere : listeningSince + plan.duration * 1000)
  const follower = followSpool(
    sourceOf(connection, record),
    part,
    (progress) => Math.max(end(), progress) + resumeGrace,
    {
      listening: () => {
        listeningSince = Date.now()
        events.listening()
      },
      interrupted: events.interrupted,
      foreign: events.foreign,
    },
  )
  // The recorder keeps the limits itself; this is the second line, for a recorder whose clock stands still.
  let seen = 0
  let progress = Date.now()
  const guard = setInterval(() => {
    if (part.received() > seen) progress = Date.now()
    seen = part.received()
    if (Date.now() > Math.max(end(), progress) + resumeGrace + limitGrace) follower.giveUp()
    else if (Date.now() > end() + limitGrace) follower.stop('duration')
    else if (part.received() > plan.size + plan.spoolLimit) follower.stop('size')
  }, 1_000)
  return {
    record,
    imageId,
    part,
    listeningSince: () => listeningSince,
    stop: (reason) => follower.stop(reason),
    hold: (seconds) => follower.hold(seconds),
    finished: follower.outcome
      .finally(() => clearInterval(guard))
      .then(async (outcome) => {
        // It ran, but failed before it recorded anything: the container's own words say which input is wrong.
        if (outcome.end === 'container-ended' && /^error \S/.test(outcome.detail)) {
          await part.discard()
          throw startError(outcome.detail, record)
        }
        return conclude(record, imageId, part, outcome)
      }),
  }
}

/** How much later than the recorder the runner stops by itself, ms. */
const limitGrace = 10_000
/** After the end of the recording, or of the last byte, a lost connection is made again for this long, ms. */
const resumeGrace = 60_000

export function sourceOf(connection: Connection, record: CaptureRecord): FollowSource {
  const { namespace, pod, uid, container } = record
  return { connection, namespace, pod, uid, container }
}

/** What the part file alone has, when the cluster can no longer be asked. */
export async function finishFromDisk(record: CaptureRecord, imageId: string, detail: string): Promise<CaptureResult> {
  const part = await openPart(record)
  const outcome: FollowOutcome = { trailer: undefined, end: 'gave-up', detail, resumed: 0 }
  return conclude(record, imageId, part, outcome)
}

/** Closes the part file, judges, and cuts what is broken. The file gets its name by `nameFile`, after the result is saved. */
async function conclude(
  record: CaptureRecord,
  imageId: string,
  part: PartFile,
  outcome: FollowOutcome,
): Promise<CaptureResult> {
  let settled = outcome
  await part.close().catch((error: Error) => {
    settled = { ...outcome, trailer: undefined, end: 'runner-disk', detail: error.message }
  })
  const scan = part.scan()
  const sha256 = part.sha256()
  const loopback = record.plan.interface === 'any' || record.plan.interface === 'lo'
  const verdict = judge({ outcome: settled, scan, sha256, loopback })
  const result = { record, imageId, verdict, outcome: settled, scan, sha256 }
  if (settled.end === 'held') return { ...result, path: undefined }
  const kept = verdict.verdict === 'partial' ? await cutToWholePackets(part.path) : { scan, sha256 }
  if (kept.scan.wholeBytes === 0) return { ...result, ...kept, path: undefined }
  return { ...result, ...kept, path: record.path }
}

/** Gives the file of a result its final name; once is enough. */
export async function nameFile({ record, path }: CaptureResult): Promise<void> {
  if (path === undefined) return
  await rename(record.partPath, path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
  })
}

/** Sees the container end after the last acknowledgement; it ends by itself in any case. */
export async function awaitEnd(connection: Connection, record: CaptureRecord): Promise<void> {
  const end = Date.now() + 5_000
  while (Date.now() < end) {
    const { kind } = await containerState(sourceOf(connection, record))
    if (kind === 'terminated' || kind === 'gone') return
    await pause(200)
  }
}

function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms)
    function done(): void {
      clearTimeout(timer)
      signal?.removeEventListener('abort', done)
      resolve()
    }
    signal?.addEventListener('abort', done, { once: true })
  })
}
