import type { NothingRecorded, RecorderError } from './start-failure.ts'

/** What a reader of a capture's record must know of the way it is recorded. Bound to one record. */
export interface MethodTraits {
  /** in the outputs */
  readonly outputName: 'ephemeral-container' | 'node-pod' | 'ssh'
  readonly level: 'pod' | 'node'
  /** how a node is reached, after its name: "by SSH"; undefined where the recorder is in the pod */
  readonly nodeAccess: string | undefined
  /** The recorder runs from the image of the plan. */
  readonly usesImage: boolean
  /** The recorder runs inside the target: when the target ends, so does the recorder, and the reverse. */
  readonly isInsideTarget: boolean
  /** Clean-up can remove what was created. Kubernetes never removes an ephemeral container. */
  readonly isRemovable: boolean
  /** in a verdict, before "disappeared" or "was stopped": "the pod" */
  readonly endpointName: string
  /** what is captured, for a sentence: "pod web on node a" */
  readonly subject: string
  /** `imageId`: the image by its digest, where the kubelet reports one */
  describeStart(imageId: string | undefined): string
  /** why the user need not act on a recorder that has not started: a clause about "it" */
  readonly unstartedEnd: string
  /** the message of a run that is cancelled before the recorder runs */
  readonly cancelledBeforeStart: string
  /** before clean-up has reported anything */
  readonly expectedLeftovers: readonly string[]
  /** where clean-up cannot reach the cluster or the node */
  readonly leftoversIfUnreachable: readonly string[]
  /**
   * The problem of a recorder that ended before it recorded anything. `error`: in the recorder's last output, else in what the node reports;
   * `reason`: what the kubelet calls its end.
   */
  explainFailedStart(error: RecorderError, reason: string | undefined): NothingRecorded
  /** the problem of an endpoint that is gone while the start is waited for */
  explainGone(reason: string): Error
}
