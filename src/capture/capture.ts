import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { PacketConsumer } from '../pcap/reader.ts'
import { concludeCapture, type CaptureResult } from './capture-result.ts'
import { FetchLimits } from './fetch-limits.ts'
import { followSpool, type Follower } from './follower.ts'
import { limitSink, openPartFile, type PartFile } from './part-file.ts'
import type { CaptureRecord } from './record.ts'
import { methodOf } from './recorders/methods.ts'
import type { CaptureEvents, Recorder } from './recorders/recorder.ts'

export interface FollowOptions {
  /** the image that the node runs, by digest, where the kubelet reports it */
  readonly imageId: string | undefined
  readonly events: CaptureEvents
  /** When the recording ends at the latest, ms since the epoch. Without it, that follows from its begin; in the post step it is over already. */
  readonly endsAtMs?: number
}

/**
 * The part file of a capture: made before the recorder is, continued by the post step. Its packets also go to `consumers`. @throws the file
 * system's error
 */
export async function openPart(record: CaptureRecord, consumers: readonly PacketConsumer[] = []): Promise<PartFile> {
  await mkdir(dirname(record.partPath), { recursive: true })
  return openPartFile(record.partPath, consumers)
}

/** Follows a capture whose recorder runs, from where its part file ends, to its result. */
export function followCapture(
  recorder: Pick<Recorder, 'record' | 'endpoint'>,
  part: PartFile,
  options: FollowOptions,
): RunningCapture {
  return new RunningCapture(recorder, part, options)
}

/** The result of what the part file has, where the cluster cannot be asked for more. `detail`: why */
export async function finishFromDisk(
  record: CaptureRecord,
  imageId: string | undefined,
  detail: string,
): Promise<CaptureResult> {
  const part = await openPart(record)
  return concludeCapture({ record, imageId, part }, { trailer: undefined, end: 'gave-up', detail, reconnectCount: 0 })
}

/** The runner enforces a limit of the capture this much later than the recorder does. */
const limitGraceMs = 10_000
const limitCheckIntervalMs = 1_000

/** A capture that runs: its follower, and the limits that hold also where the recorder does not keep them. */
export class RunningCapture {
  readonly record: CaptureRecord
  /** the image that the node runs, by digest; undefined where the kubelet does not report it */
  readonly imageId: string | undefined
  readonly part: PartFile
  /** @throws NothingRecorded where the recorder failed before it recorded anything */
  readonly finished: Promise<CaptureResult>
  readonly #follower: Follower
  readonly #limits: FetchLimits
  #lastProgressMs = Date.now()
  #seenBytes = 0

  constructor(
    { record, endpoint }: Pick<Recorder, 'record' | 'endpoint'>,
    part: PartFile,
    { imageId, events, endsAtMs }: FollowOptions,
  ) {
    this.record = record
    this.imageId = imageId
    this.part = part
    this.#limits = new FetchLimits({ record, receivedBytes: part.receivedBytes, endsAtMs })
    const tooMuch = (): void => queueMicrotask(() => this.#follower.giveUp('too-much')) // the first bytes may come before it is assigned
    const sink = limitSink(part, this.#limits.maxBytes, tooMuch)
    const giveUpAtMs = (lastProgressMs: number): number => this.#limits.giveUpAtMs(lastProgressMs, part.receivedBytes)
    this.#follower = followSpool(endpoint, sink, giveUpAtMs, {
      onListening: () => {
        this.#limits.listening()
        events.onListening()
      },
      onReconnecting: events.onReconnecting,
      onRemoteLine: events.onRemoteLine,
    })
    this.finished = this.#finish()
    this.finished.catch(() => undefined) // it may reject while other captures still start, before it is awaited
  }

  stop(reason: 'cancelled' | 'target-gone'): void {
    this.#follower.stop(reason)
  }

  /** Ends the capture here, and leaves the rest in the pod for `seconds`. */
  hold(seconds: number): void {
    this.#follower.hold(seconds)
  }

  async #finish(): Promise<CaptureResult> {
    const limitTimer = setInterval(() => this.#enforceLimits(), limitCheckIntervalMs)
    const outcome = await this.#follower.outcome.finally(() => clearInterval(limitTimer))
    if (outcome.recorderError) {
      await this.part.discard()
      throw methodOf(this.record).explainFailedStart(outcome.recorderError, undefined)
    }
    return concludeCapture(this, outcome)
  }

  /** The recorder keeps these limits itself. The runner is the second line, for a recorder whose clock stands still, or that lies. */
  #enforceLimits(): void {
    const { receivedBytes } = this.part
    const nowMs = Date.now()
    if (receivedBytes > this.#seenBytes) this.#lastProgressMs = nowMs
    this.#seenBytes = receivedBytes
    this.#limits.note(receivedBytes)
    if (nowMs > this.#limits.lastMomentMs(receivedBytes)) this.#follower.giveUp('too-slow')
    else if (nowMs > this.#limits.giveUpAtMs(this.#lastProgressMs, receivedBytes) + limitGraceMs)
      this.#follower.giveUp('gave-up')
    else if (receivedBytes > this.record.plan.maxBytes) this.#stopAtSize()
    else if (nowMs > this.#limits.recordingEndMs() + limitGraceMs) this.#follower.stop('duration')
  }

  #stopAtSize(): void {
    this.#limits.stopped()
    this.#follower.stop('size')
  }
}
