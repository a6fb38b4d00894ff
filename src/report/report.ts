import type { Diagnosis } from '../analysis/diagnosis.ts'
import type { Problem } from '../common/errors.ts'
import type { AddressNames } from './address-names.ts'

/** What a run reports about one capture: the only source of the summary, the outputs and the JSON. */
export interface CaptureReport {
  readonly level: 'pod' | 'node'
  readonly method: 'ephemeral-container' | 'node-pod' | 'ssh'
  /** how the node was reached, after its name; undefined where the recorder was in the pod */
  readonly nodeAccess: string | undefined
  readonly usesImage: boolean
  /** the pod that the capture is about; undefined where a node is captured by its own name */
  readonly pod: { readonly namespace: string; readonly name: string } | undefined
  /** of the pod, at the start of the capture; none where they are those of its node */
  readonly addresses: readonly string[]
  /** that the pod's containers declare */
  readonly ports: readonly number[]
  readonly node: string
  readonly captureId: string
  readonly image: string
  /** as the node resolved it; undefined where the node does not report it */
  readonly imageId: string | undefined
  readonly interface: string
  /** undefined where all packets are captured */
  readonly filter: string | undefined
  /** bytes */
  readonly snaplen: number
  readonly limits: {
    readonly durationSeconds: number
    readonly maxBytes: number
    readonly maxPackets: number | undefined
  }
  /** ms since the epoch, the node's clock at "listening"; undefined when it never listened */
  readonly began: number | undefined
  /** seconds that tcpdump recorded, linger and pauses included */
  readonly recordedSeconds: number | undefined
  readonly pausedSeconds: number
  readonly packets: number
  readonly bytes: number
  readonly linkType: number | undefined
  /** undefined: tcpdump did not report it */
  readonly dropped: number | undefined
  /** whether the loopback took part, whose packets the kernel counts twice */
  readonly droppedIsUpperBound: boolean
  /** `untilSeconds`: undefined where it was there at the end; both after the begin of the capture */
  readonly interfaces: readonly {
    readonly index: number
    readonly name: string
    readonly fromSeconds: number
    readonly untilSeconds: number | undefined
  }[]
  readonly verdict: 'complete' | 'partial' | 'empty'
  readonly verdictReason: string
  readonly stopReason: StopReason
  /** times a broken connection was replaced */
  readonly resumed: number
  /** of the pcap file, hex */
  readonly sha256: string
  readonly pcapPath: string | undefined
  /** shown to the user: what to widen, what else to know */
  readonly hints: readonly string[]
  /** shown to the user as warnings: why the capture may not be of what they expect */
  readonly cautions: readonly string[]
  /** what remains in the cluster or on the node, one clause each */
  readonly leftovers: readonly string[]
  readonly diagnosis: DiagnosisReport
  readonly artifact: ArtifactReport | undefined
  /** why the verdict fails the step; undefined where it does not */
  readonly verdictProblem: Problem | undefined
  /** why the findings fail the step; undefined where they do not */
  readonly findingProblem: Problem | undefined
  /** why there is no artifact */
  readonly uploadProblem: Problem | undefined
}

export type StopReason = 'duration' | 'size' | 'packets' | 'cancelled' | 'target-completed' | 'target-gone' | 'error'

/** What the analysis says of a capture. */
export type DiagnosisReport =
  | {
      readonly kind: 'diagnosed'
      /** with names in its sentences; its ends have addresses */
      readonly diagnosis: Diagnosis
      readonly names: AddressNames
      /** of the capture, without its folder */
      readonly fileName: string
      /** findings.json on the runner; undefined where it was not written */
      readonly findingsPath: string | undefined
      readonly findingsArtifact: ArtifactReport | undefined
    }
  /** by a defect of the analysis: the capture is not affected */
  | { readonly kind: 'failed'; readonly reason: string }

export interface ArtifactReport {
  readonly id: number
  readonly name: string
  readonly url: string
  readonly digest: string
}

/** What is wrong with a result: the first one is the cause of a failed step. */
export function problemsOf({ verdictProblem, uploadProblem, findingProblem }: CaptureReport): readonly Problem[] {
  return [verdictProblem, uploadProblem, findingProblem].filter((problem) => problem !== undefined)
}
