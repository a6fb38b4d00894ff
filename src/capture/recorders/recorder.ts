import type { RecorderEndpoint } from './endpoint.ts'
import type { CaptureRecord } from '../record.ts'

export interface CaptureEvents {
  /** From here on there may be something on a node: post must know. `leftover`: what of it cannot be removed, in words. */
  readonly onTouchingNode: (leftover?: string) => void
  /** something was created in the cluster, the cloud project or on the node */
  readonly onCreated: (what: string) => void
  /** a reason to trust the capture less */
  readonly onCaution: (text: string) => void
  readonly onWaiting: (reason: string) => void
  readonly onListening: () => void
  readonly onReconnecting: (reason: string) => void
  readonly onRemoteLine: (line: string) => void
}

/** The recorder of one capture: how it is created, reached and removed. */
export interface Recorder {
  readonly record: CaptureRecord
  readonly endpoint: RecorderEndpoint
  /** Asks whether the recorder could be created, and creates nothing. @returns the findings, one line each @throws ConfigurationError */
  check(): Promise<readonly string[]>
  /**
   * Creates the recorder and waits until it runs.
   * @returns the image by its digest, where the kubelet reports one
   * @throws NothingCreated, NothingRecorded, ConfigurationError, Cancelled
   */
  start(events: CaptureEvents, cancel: AbortSignal): Promise<string | undefined>
  /** After its own start failed with `error`: removes what can be removed. Never rejects. */
  abandonStart(error: unknown): Promise<CleanupResult>
  /** Waits for the recorder's end and removes what can be removed. Never rejects, and may be called twice. */
  cleanUp(): Promise<CleanupResult>
}

export interface CleanupResult {
  /** what the action created and did not remove, in words */
  readonly leftovers: readonly string[]
  /** a later attempt may remove more */
  readonly unfinished: boolean
}
