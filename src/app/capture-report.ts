import type { CaptureResult } from '../capture/capture-result.ts'
import { methodOf } from '../capture/recorders/methods.ts'
import type { RecordedTarget } from '../capture/record.ts'
import type { TargetCheck } from '../capture/target-watch.ts'
import type { CaptureReport, DiagnosisReport } from '../report/report.ts'

/** What preflight says about a capture. */
export interface Remarks {
  readonly hints: readonly string[]
  readonly cautions?: readonly string[] | undefined
}

/** What is reported about one capture, before its upload. */
export function reportOf(
  result: CaptureResult,
  { hints, cautions = [] }: Remarks,
  diagnosis: DiagnosisReport,
): CaptureReport {
  const { record, verdict, outcome, scan } = result
  const { plan } = record
  const { trailer } = outcome
  const method = methodOf(record)
  return {
    ...subjectParts(record.target),
    captureId: record.captureId,
    image: plan.image,
    imageId: result.imageId,
    level: method.level,
    method: method.outputName,
    nodeAccess: method.nodeAccess,
    usesImage: method.usesImage,
    leftovers: result.cleanup?.leftovers ?? method.expectedLeftovers,
    interface: plan.interface,
    filter: plan.filter,
    snaplen: plan.snaplen,
    limits: { durationSeconds: plan.durationSeconds, maxBytes: plan.maxBytes, maxPackets: plan.maxPackets },
    began: trailer && trailer.beganSeconds > 0 ? trailer.beganSeconds * 1000 : scan.first,
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
    resumed: outcome.reconnectCount,
    sha256: result.sha256,
    pcapPath: result.path,
    hints: [...hints, ...(trailer?.spool === 'memory' ? [memorySpoolHint] : []), ...targetHints(result.targetCheck)],
    cautions,
    diagnosis,
    artifact: undefined,
    verdictProblem: undefined,
    findingProblem: undefined,
    uploadProblem: undefined,
  }
}

function subjectParts(target: RecordedTarget): Pick<CaptureReport, 'pod' | 'node' | 'addresses' | 'ports'> {
  if (target.kind === 'node') return { pod: undefined, node: target.node, addresses: [], ports: [] }
  const { namespace, pod, node = 'unknown', addresses, ports = [] } = target
  return { pod: { namespace, name: pod }, node, addresses, ports }
}

/** The verdict proves the bytes; only a check of the target shows that the addresses were the pod's until the end. */
function targetHints(targetCheck: TargetCheck | undefined): readonly string[] {
  if (targetCheck?.kind !== 'unknown') return []
  return [`It is not known whether the pod kept running at the same address until the end (${targetCheck.why}).`]
}

const memorySpoolHint =
  "The pod's disk has no room for the spool, so the recorder used one of 4 MB in memory. Where the connection is slower than the traffic, recording pauses."
