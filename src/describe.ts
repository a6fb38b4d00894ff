import type { CaptureResult } from './capture/capture.ts'
import type { TargetFate } from './capture/target-watch.ts'
import { endedEntry } from './capture/ephemeral.ts'
import type { CaptureReport } from './report/report.ts'

/** One capture in the words of the report, before its upload. */
export function reportOf(result: CaptureResult, hints: readonly string[]): CaptureReport {
  const { record, verdict, outcome, scan } = result
  const { plan } = record
  const { trailer } = outcome
  return {
    namespace: record.namespace,
    pod: record.pod,
    node: record.node,
    container: record.container,
    image: plan.image,
    imageId: result.imageId,
    level: record.where.kind === 'container' ? 'pod' : 'node',
    method: methods[record.where.kind],
    remains:
      result.cleared?.remains ??
      (record.where.kind === 'container' ? [endedEntry(record.container)] : ['not known yet']),
    interface: plan.interface,
    filter: plan.filter,
    snaplen: plan.snaplen,
    began: trailer && trailer.began > 0 ? trailer.began * 1000 : scan.first,
    recordedSeconds: trailer ? trailer.recordedMs / 1000 : undefined,
    pausedSeconds: (trailer?.pausedMs ?? 0) / 1000,
    packets: scan.packets,
    bytes: scan.bytes,
    linkType: scan.linkType,
    dropped: verdict.dropped,
    droppedIsUpperBound: plan.interface === 'any' || plan.interface === 'lo',
    interfaces: trailer?.interfaces ?? [],
    verdict: verdict.verdict,
    verdictReason: verdict.reason,
    stopReason: verdict.stopReason,
    resumed: outcome.resumed,
    sha256: result.sha256,
    pcapPath: result.path,
    hints: [...hints, ...(trailer?.spool === 'memory' ? [memorySpool] : []), ...doubts(result.fate)],
    artifact: undefined,
    uploadError: undefined,
  }
}

const methods = { container: 'ephemeral-container', 'node-pod': 'node-pod', ssh: 'ssh' } as const

/** The proof is of the bytes; that the addresses were the pod's to the end nobody could see. */
function doubts(fate: TargetFate | undefined): readonly string[] {
  if (fate?.kind !== 'unknown') return []
  return [`Whether the pod was there, at the same address, until the end could not be looked at (${fate.why}).`]
}

const memorySpool =
  'The pod gave no room for a spool on its disk, so one of 4 MB in memory was used: where the connection is slower than the traffic, recording pauses.'
