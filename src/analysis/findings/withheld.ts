import type { FindingId } from './finding.ts'

/** Why the capture cannot carry a finding. */
export type WithheldReason =
  /** only one direction of the traffic was captured */
  | 'one-direction'
  /** only the packets that open connections were captured */
  | 'handshakes-only'
  /** packets were dropped or not captured */
  | 'packets-missing'
  /** packets were cut by the snaplen */
  | 'packets-cut'

/** What looks like a finding and may be an effect of how the capture was made: it is named, and no culprit is derived from it. */
export interface WithheldFinding {
  readonly id: FindingId
  readonly count: number
  readonly reason: WithheldReason
  /** one sentence without a period */
  readonly text: string
}
