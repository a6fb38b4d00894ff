import type { CaptureResult } from './capture/capture.ts'
import type { CaptureRecord } from './capture/record.ts'

/** What the post step must finish or undo. One JSON value in GITHUB_STATE, no secrets: the debug log shows it. */
export interface RunState {
  /** begun: nothing is on a node yet; starting: something may be; delivered: main has uploaded and summarised, but could not remove everything; done: there is nothing left to do */
  readonly phase: 'begun' | 'starting' | 'recording' | 'captured' | 'delivered' | 'done'
  readonly captures: readonly CaptureState[]
  readonly hints: readonly string[]
}

export interface CaptureState {
  readonly record: CaptureRecord
  /** the image by digest, '' where the container had not started */
  readonly imageId: string
  /** what was put on its node and cannot be removed, in words */
  readonly stays?: string | undefined
  /** what was captured, where it is whole on the disk and only its delivery is missing */
  readonly result: CaptureResult | undefined
}

export const stateName = 'capture'

export function parseState(text: string): RunState | undefined {
  return text === '' ? undefined : (JSON.parse(text) as RunState)
}
