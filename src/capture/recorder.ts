import type { Place } from './place.ts'
import type { CaptureRecord } from './record.ts'

export interface CaptureEvents {
  /** from here on there may be something of ours on a node: post must know. `stays`: of it what nobody can remove, in words */
  readonly touching: (stays?: string) => void
  /** something of ours is there now */
  readonly made: (what: string) => void
  /** to be known by whoever trusts the capture */
  readonly caution: (text: string) => void
  readonly waiting: (reason: string) => void
  readonly listening: () => void
  readonly interrupted: (reason: string) => void
  readonly foreign: (line: string) => void
}

/** The recorder of one capture: how it is made, reached and removed. */
export interface Recorder {
  readonly record: CaptureRecord
  /** Asks whether it could be made, and makes nothing. What was found, one line each. @throws ConfigurationError with what stands in the way */
  check(): Promise<readonly string[]>
  /** Makes it and waits until it runs. The image by digest, '' where there is none. @throws NothingCreated, NothingRecorded, Cancelled */
  start(events: CaptureEvents, cancel: AbortSignal): Promise<string>
  readonly place: Place
  /** Sees it end and removes what can be removed; never rejects, and does nothing twice. */
  clear(): Promise<Cleared>
}

export interface Cleared {
  /** what stays of ours, in words */
  readonly remains: readonly string[]
  /** a later try may remove more */
  readonly unfinished: boolean
}
