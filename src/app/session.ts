import { applyTargetCheck, applyTargetEnd, type CaptureResult } from '../capture/capture-result.ts'
import { followCapture, openPart, type RunningCapture } from '../capture/capture.ts'
import { methodOf, subjectOf } from '../capture/recorders/methods.ts'
import type { Recorder } from '../capture/recorders/recorder.ts'
import { watchTarget } from '../capture/target-watch.ts'
import type { Connection } from '../cluster/connection.ts'
import { Cancelled } from '../common/errors.ts'
import { formatSize } from '../common/quantities.ts'
import type { Log } from '../runner/log.ts'
import { logEvents } from './capture-events.ts'
import { withinTime } from './cleanup.ts'
import type { PlannedCapture } from './preflight/preflight.ts'
import { LiveDiagnosis, type AnalysisEngine, type DiagnosisOutcome } from './live-diagnosis.ts'
import { failureOf, joinFailures, logFailure, type CaptureFailure } from './capture-failures.ts'
import type { StateKeeper } from './state.ts'

export interface SessionContext {
  readonly connection: Connection
  readonly captures: readonly PlannedCapture[]
  readonly loadEngine: () => Promise<AnalysisEngine>
  readonly state: StateKeeper
  readonly cancel: AbortSignal
  readonly log: Log
}

const progressIntervalMs = 10_000
/** Of the 7.5 s between SIGINT and SIGTERM: the time for the recorder to stop and to send the rest. */
const cancelGraceMs = 5_500
/** The time for the last check of a target, of the same. */
const cancelledCheckMs = 1_000
/** How long the recorder keeps the rest for the post step; the clean-up of other steps may come first. */
const holdSeconds = 600

/**
 * The captures of one run, from the start of the recorders to their results. A capture that does not start, or that ends before it recorded
 * anything, does not end the others.
 */
export class Session {
  readonly #context: SessionContext
  readonly #running: RunningCapture[] = []
  readonly #failures: CaptureFailure[] = []
  /** by the id of the capture */
  /** loaded once, while the first recorder starts */
  #engine: Promise<AnalysisEngine> | undefined
  readonly #diagnoses = new Map<string, LiveDiagnosis>()

  constructor(context: SessionContext) {
    this.#context = context
  }

  /** The captures that recorded nothing, beside others that did. */
  get failures(): readonly CaptureFailure[] {
    return this.#failures
  }

  /** Starts every recorder. @throws the error of the only one, or of all, where none runs; Cancelled */
  async start(): Promise<void> {
    const { captures, cancel } = this.#context
    const stop = (): void => {
      for (const capture of this.#running) capture.stop('cancelled')
    }
    cancel.addEventListener('abort', stop, { once: true })
    const outcomes = await Promise.allSettled(captures.map(({ recorder }) => this.#startOne(recorder)))
    cancel.removeEventListener('abort', stop)
    // Starts end in any order; results are reported in the order of the targets.
    const order = captures.map(({ recorder }) => recorder.record.captureId)
    this.#running.sort((a, b) => order.indexOf(a.record.captureId) - order.indexOf(b.record.captureId))
    await this.#settle(
      captures.map(({ recorder }) => recorder),
      outcomes,
    )
  }

  /**
   * Records until every capture has ended; what a cancel leaves in a pod ends as 'held'.
   * @throws the error of the only capture, or of all, where none recorded anything
   */
  async record(): Promise<readonly CaptureResult[]> {
    const { cancel } = this.#context
    let holdTimer: NodeJS.Timeout | undefined
    const onCancel = (): void => {
      this.#context.log.info('Cancelled: stopping the capture')
      for (const capture of this.#running) capture.stop('cancelled')
      holdTimer = setTimeout(() => {
        for (const capture of this.#running) capture.hold(holdSeconds)
      }, cancelGraceMs)
    }
    const progress = this.#running.map((capture) => this.#reportProgress(capture))
    if (cancel.aborted) onCancel()
    else cancel.addEventListener('abort', onCancel, { once: true })
    const outcomes = await Promise.allSettled(this.#running.map((capture) => this.#finish(capture)))
    cancel.removeEventListener('abort', onCancel)
    clearTimeout(holdTimer)
    for (const timer of progress) clearInterval(timer)
    await this.#settle(
      this.#running.map(({ record }) => this.recorderOf(record.captureId)),
      outcomes,
    )
    return outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
  }

  /** What the packets of a capture show, after its end. */
  async diagnose(result: CaptureResult): Promise<DiagnosisOutcome> {
    const { captureId } = result.record
    const live = this.#diagnoses.get(captureId)
    if (live === undefined) throw new TypeError(`${captureId} was not started by this run`)
    this.#diagnoses.delete(captureId) // its memory is needed for the upload
    return live.diagnose(result, await this.#loadedEngine())
  }

  recorderOf(captureId: string): Recorder {
    const planned = this.#context.captures.find(({ recorder }) => recorder.record.captureId === captureId)
    if (planned === undefined) throw new TypeError(`${captureId} is not a capture of this run`)
    return planned.recorder
  }

  async #startOne(recorder: Recorder): Promise<void> {
    const { state, cancel, log } = this.#context
    const { record } = recorder
    const events = {
      ...logEvents(record, log),
      onTouchingNode: (leftover?: string) => state.touching(record, leftover),
    }
    const diagnosis = new LiveDiagnosis()
    this.#diagnoses.set(record.captureId, diagnosis)
    const part = await openPart(record, [diagnosis])
    try {
      const starting = recorder.start(events, cancel)
      const [imageId, engine] = await Promise.all([starting, this.#loadedEngine()])
      diagnosis.begin(engine, record)
      log.info(methodOf(record).describeStart(imageId))
      const capture = followCapture(recorder, part, { imageId, events })
      state.started(capture)
      this.#running.push(capture)
      if (cancel.aborted) capture.stop('cancelled')
    } catch (error) {
      await part.discard()
      throw error
    }
  }

  #loadedEngine(): Promise<AnalysisEngine> {
    this.#engine ??= this.#context.loadEngine()
    return this.#engine
  }

  async #finish(capture: RunningCapture): Promise<CaptureResult> {
    const { connection, cancel } = this.#context
    const watch = watchTarget(connection, capture.record, () => capture.stop('target-gone'))
    const [finished] = await Promise.allSettled([capture.finished])
    const withinMs = cancel.aborted ? cancelledCheckMs : undefined
    const targetCheck = await watch.end(withinMs)
    if (finished.status === 'rejected') throw finished.reason
    return applyTargetEnd(() => Promise.resolve(connection), applyTargetCheck(finished.value, targetCheck), withinMs)
  }

  /** Abandons the recorders that failed. Where others go on, each failure is reported; where none does, it is thrown. */
  async #settle(recorders: readonly Recorder[], outcomes: readonly PromiseSettledResult<unknown>[]): Promise<void> {
    const errors = outcomes.flatMap((outcome, i) => {
      const recorder = recorders[i]
      return outcome.status === 'rejected' && recorder ? [{ recorder, error: outcome.reason as unknown }] : []
    })
    // A cancel leaves no time to remove anything: post does.
    const failed = errors.filter(({ error }) => !(error instanceof Cancelled))
    const failures = await Promise.all(failed.map(({ recorder, error }) => this.#abandon(recorder, error)))
    const cancelled = errors.find(({ error }) => error instanceof Cancelled)
    const isNoneLeft = errors.length === outcomes.length
    if (isNoneLeft && cancelled === undefined) throw joinFailures([...this.#failures, ...failures], this.#context.log)
    for (const failure of failures) logFailure(failure, this.#context.log)
    this.#failures.push(...failures)
    if (isNoneLeft && cancelled !== undefined) throw cancelled.error
  }

  async #abandon(recorder: Recorder, error: unknown): Promise<CaptureFailure> {
    const { leftovers, unfinished } = await withinTime(recorder.abandonStart(error), recorder.record)
    if (!unfinished) this.#context.state.forget(recorder.record)
    return failureOf(recorder.record, error, leftovers)
  }

  #reportProgress({ part, record }: RunningCapture): NodeJS.Timeout {
    let bytesBefore = 0
    return setInterval(() => {
      const { packets, bytes } = part.scan()
      const rate = formatSize(Math.round((bytes - bytesBefore) / (progressIntervalMs / 1000)))
      bytesBefore = bytes
      const name = this.#running.length > 1 ? `${subjectOf(record)}: ` : ''
      this.#context.log.info(`${name}${packets.toLocaleString('en-US')} packets, ${formatSize(bytes)}, ${rate}/s`)
    }, progressIntervalMs)
  }
}
