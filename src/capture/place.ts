import type { RemoteCommand, RemoteHandlers } from '../cluster/remote-command.ts'

/** Where a recorder runs, and how it is reached: a container of a pod, or a node itself. The follower knows no more of it. */
export interface Place {
  /** Starts a process beside the recorder, with stdin, stdout and stderr. @throws where it cannot be started */
  open(command: readonly string[], handlers: RemoteHandlers): Promise<RemoteCommand>
  /** Never rejects; 'unknown' while nobody can tell. */
  state(): Promise<RecorderState>
  /** where the recorder may have laid out its spool, in the order of its choice; absolute, without blanks */
  readonly spools: readonly string[]
}

/** Of a recorder's last words, UTF-16 units: as many bytes as the kubelet takes of a termination message (kubelet, MaxContainerTerminationMessageLength). */
export const longestMessage = 4_096

export type RecorderState =
  | { readonly kind: 'waiting'; readonly reason: string; readonly message: string }
  | { readonly kind: 'running'; readonly imageId: string }
  | {
      readonly kind: 'terminated'
      readonly reason: string
      readonly message: string
      /** its containers end some time before the pod itself is gone */
      readonly podDeleted?: boolean
    }
  | { readonly kind: 'gone'; readonly reason: string }
  | { readonly kind: 'unknown'; readonly reason: string }
