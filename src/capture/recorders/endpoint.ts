import type { RemoteProcess, RemoteProcessHandlers } from '../../common/remote-process.ts'

/** Where a recorder runs and how it is reached: a container of a pod, or a node. This is all that the follower knows about it. */
export interface RecorderEndpoint {
  /** Starts a process beside the recorder, with stdin, stdout and stderr. @throws where it cannot be started */
  open(command: readonly string[], handlers: RemoteProcessHandlers): Promise<RemoteProcess>
  /** Never rejects; 'unknown' while the API server or the node gives no answer. */
  state(): Promise<RecorderState>
  /** where the recorder may have created its spool, in its order of preference; absolute paths without blanks */
  readonly spoolDirs: readonly string[]
}

/** Of a recorder's last output, UTF-16 units: as many as the kubelet takes bytes of a termination message (kubelet, MaxContainerTerminationMessageLength). */
export const maxMessageLength = 4_096

export type RecorderState =
  /** `why`: undefined where the kubelet reports nothing */
  | { readonly kind: 'waiting'; readonly why?: { readonly reason: string; readonly message: string } | undefined }
  | { readonly kind: 'running'; readonly imageId: string | undefined }
  | {
      readonly kind: 'terminated'
      readonly reason: string
      readonly message: string
      /** the pod is being deleted: its containers end some time before it is gone */
      readonly podDeleted?: boolean
    }
  | { readonly kind: 'gone'; readonly reason: string }
  | { readonly kind: 'unknown'; readonly reason: string }
