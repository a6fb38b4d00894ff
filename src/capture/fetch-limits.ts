import { maxHoldSeconds } from './plan.ts'
import type { CaptureRecord } from './record.ts'

/** After the end of the recording, or after the last byte, a lost connection is made again for this long. */
const reconnectGraceMs = 60_000
/**
 * Per second: after the end of the recording and `reconnectGraceMs`, the rest must arrive at this rate on average. A full spool of 256 MB then takes 85 minutes,
 * and a recorder keeps it for 10 to 13: an honest link that is slower could not fetch it anyway.
 */
const minRateBytes = 50_000

/** What the limits of one capture follow from. */
export interface FetchLimitOptions {
  readonly record: CaptureRecord
  /** of the part file, at the begin of this following */
  readonly receivedBytes: number
  /** When the recording ends at the latest, ms since the epoch. Without it, that follows from its begin. */
  readonly endsAtMs?: number | undefined
}

/**
 * How long and how much the runner takes from a recorder, whatever the recorder, its pod, its node or the API server say. They may lie, so
 * nothing that they send extends a limit, except bytes that have arrived.
 */
export class FetchLimits {
  /** The spool holds what the recorder has not sent, so no honest recorder sends more. */
  readonly maxBytes: number
  readonly #record: CaptureRecord
  #endsAtMs: number | undefined
  #listeningAtMs: number | undefined
  /** received when the recording ended */
  #bytesAtEnd: number

  constructor({ record, receivedBytes, endsAtMs }: FetchLimitOptions) {
    this.#record = record
    this.#endsAtMs = endsAtMs
    this.#bytesAtEnd = receivedBytes
    this.maxBytes = record.plan.maxBytes + record.plan.spoolLimitBytes
  }

  /** tcpdump has said "listening"; only the first time counts. */
  listening(): void {
    this.#listeningAtMs ??= Date.now()
  }

  /** The recorder has recorded all that it may: it was asked to stop while its bytes arrived. */
  stopped(): void {
    this.#endsAtMs = Math.min(this.recordingEndMs(), Date.now())
  }

  /** To be called each second with what has arrived. */
  note(receivedBytes: number): void {
    if (Date.now() <= this.recordingEndMs()) this.#bytesAtEnd = receivedBytes
  }

  /** When the recording ends at the latest. The deadline holds also for a recorder that says "listening" late. */
  recordingEndMs(): number {
    if (this.#endsAtMs !== undefined) return this.#endsAtMs
    const { plan, deadlineHereMs } = this.#record
    if (this.#listeningAtMs === undefined) return deadlineHereMs
    return Math.min(this.#listeningAtMs + plan.durationSeconds * 1_000, deadlineHereMs)
  }

  /** After this nothing more is fetched, though the last byte has just arrived. */
  lastMomentMs(receivedBytes: number): number {
    const { plan, deadlineHereMs } = this.#record
    const firstMs = this.recordingEndMs() + reconnectGraceMs
    const fetchedBytes = Math.min(Math.max(0, receivedBytes - this.#bytesAtEnd), plan.spoolLimitBytes)
    const earnedMs = (fetchedBytes / minRateBytes) * 1_000
    // The recorder itself ends `maxHoldSeconds` after its deadline.
    return Math.max(firstMs, Math.min(firstMs + earnedMs, deadlineHereMs + maxHoldSeconds * 1_000 + reconnectGraceMs))
  }

  /** After this a lost connection is not made again. `lastProgressMs`: when the last byte arrived. */
  giveUpAtMs(lastProgressMs: number, receivedBytes: number): number {
    const silentMs = Math.max(this.recordingEndMs(), lastProgressMs) + reconnectGraceMs
    return Math.min(silentMs, this.lastMomentMs(receivedBytes))
  }
}
