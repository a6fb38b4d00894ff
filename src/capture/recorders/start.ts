import { pause } from '../../common/timeouts.ts'
import { Cancelled, ConfigurationError } from '../../common/errors.ts'
import type { RecorderEndpoint, RecorderState } from './endpoint.ts'
import type { CaptureRecord } from '../record.ts'
import { methodOf } from './methods.ts'
import type { CaptureEvents } from './recorder.ts'
import { nodeName, recorderErrorOf } from './start-failure.ts'

/** A container whose image is on the node starts within some 200 ms. */
const firstPollMs = 50
const maxPollMs = 500
const usualStartMs = 2_000
/** Of a cancel's grace of 7.5 s: what a container that is about to run gets; stopping it takes up to 3 s. */
const startGraceMs = 3_000
/** The kubelet retries image errors; a registry may fail for this long. */
const pullGraceMs = 15_000

/**
 * Waits until the recorder runs.
 * @returns the image by its digest, where the kubelet reports one
 * @throws NothingRecorded, ConfigurationError with the kubelet's message, Cancelled
 */
export async function awaitStart(
  endpoint: RecorderEndpoint,
  record: CaptureRecord,
  events: CaptureEvents,
  signal: AbortSignal,
): Promise<string | undefined> {
  const end = Date.now() + record.plan.startTimeoutSeconds * 1000
  const watch = new StartWatch(record, events)
  let cancelledAt: number | undefined
  for (let pollMs = firstPollMs; ; pollMs = Math.min(maxPollMs, pollMs * 1.5)) {
    const state = await endpoint.state()
    if (state.kind === 'running') return state.imageId
    // A container that started and ended between two polls left its trailer.
    if (state.kind === 'terminated' && /^size \d+/m.test(state.message)) return undefined
    watch.check(state)
    if (signal.aborted) {
      // An image that is on the node starts within moments. A recorder that is left alone records until its heartbeat timeout.
      cancelledAt ??= Date.now()
      if (Date.now() - cancelledAt > startGraceMs) throw new Cancelled(methodOf(record).cancelledBeforeStart)
    }
    if (Date.now() > end) throw watch.timedOut()
    await pause(pollMs, signal)
  }
}

/** What the states of a recorder that does not run yet say about its start. */
class StartWatch {
  readonly #record: CaptureRecord
  readonly #events: CaptureEvents
  #pullFailsSince: number | undefined
  #lastReason: string | undefined
  #reportedReason: string | undefined
  readonly #startedAtMs = Date.now()

  constructor(record: CaptureRecord, events: CaptureEvents) {
    this.#record = record
    this.#events = events
  }

  /** @throws where the recorder can no longer start */
  check(state: RecorderState): void {
    const method = methodOf(this.#record)
    if (state.kind === 'terminated')
      throw method.explainFailedStart(recorderErrorOf(state.message || state.reason), state.reason)
    if (state.kind === 'gone') throw method.explainGone(state.reason)
    if (state.kind === 'waiting') this.#checkWaiting(state)
  }

  #checkWaiting({ why }: Extract<RecorderState, { kind: 'waiting' }>): void {
    this.#reportWaiting(why)
    this.#lastReason = why?.reason
    const isPullError = why !== undefined && pullErrors.has(why.reason)
    this.#pullFailsSince = isPullError ? (this.#pullFailsSince ?? Date.now()) : undefined
    const isPullOver = this.#pullFailsSince !== undefined && Date.now() - this.#pullFailsSince > pullGraceMs
    if (why !== undefined && (isPullOver || finalErrors.has(why.reason))) throw this.#imageProblem(why)
  }

  /** Once for each reason; every container is created for a moment, which is no news. */
  #reportWaiting(why: { readonly reason: string; readonly message: string } | undefined): void {
    if (why === undefined || why.reason === this.#reportedReason) return
    if (!pullErrors.has(why.reason) && Date.now() - this.#startedAtMs < usualStartMs) return
    this.#reportedReason = why.reason
    this.#events.onWaiting(`${why.reason} ${why.message}`.trim())
  }

  #imageProblem({ reason, message }: { readonly reason: string; readonly message: string }): ConfigurationError {
    const isImageMissing = pullErrors.has(reason) || /Image/.test(reason)
    const { plan, target } = this.#record
    return new ConfigurationError({
      code: isImageMissing ? 'E_IMAGE_PULL' : 'E_IMAGE_NOT_STARTED',
      input: 'image',
      problem: `${nodeName(target.node)} cannot start ${JSON.stringify(plan.image)} (${reason}: ${message || 'no message'})`,
      fix: isImageMissing
        ? "Use an image that the node can pull with the pod's own pull secrets."
        : 'Use an image that has sh and tcpdump.',
    })
  }

  timedOut(): ConfigurationError {
    const { captureId, plan } = this.#record
    const last = this.#lastReason === undefined ? '' : ` (${this.#lastReason})`
    return new ConfigurationError({
      code: 'E_START_TIMEOUT',
      input: 'start-timeout',
      problem: `the recorder ${captureId} did not start within ${plan.startTimeoutSeconds} s${last}`,
      fix: 'Raise `start-timeout`, or use a smaller image. A node that is overloaded also starts containers late.',
    })
  }
}

const pullErrors = new Set(['ErrImagePull', 'ImagePullBackOff', 'RegistryUnavailable'])
/** Reasons of the kubelet that no retry changes. */
const finalErrors = new Set([
  'InvalidImageName',
  'ErrImageNeverPull',
  'ImageInspectError',
  'CreateContainerError',
  'CreateContainerConfigError',
  'RunContainerError',
])
