import { renderProblem } from '../common/errors.ts'
import type { CaptureReport } from './report.ts'
import { isoTime } from './wording.ts'

/** The output `result`: docs/result.schema.json describes it. Field names are stable; new ones may come. */
export function resultJson(reports: readonly CaptureReport[]): string {
  return JSON.stringify({
    version: 1,
    captures: reports.map((report) => ({
      target: {
        level: report.level,
        method: report.method,
        namespace: report.pod?.namespace ?? '',
        pod: report.pod?.name ?? '',
        node: report.node,
        container: report.captureId,
      },
      capture: {
        interface: report.interface,
        filter: report.filter ?? '',
        snaplen: report.snaplen,
        image: report.image,
        imageId: report.imageId ?? '',
        began: isoTime(report.began) ?? null,
        recordedSeconds: report.recordedSeconds ?? null,
        pausedSeconds: report.pausedSeconds,
        stopReason: report.stopReason,
        resumed: report.resumed,
        interfaces: report.interfaces,
      },
      verdict: { verdict: report.verdict, reason: report.verdictReason },
      packets: report.packets,
      bytes: report.bytes,
      dropped: report.dropped ?? null,
      droppedIsUpperBound: report.droppedIsUpperBound,
      linkType: report.linkType ?? null,
      sha256: report.sha256,
      pcapPath: report.pcapPath ?? null,
      artifact: report.artifact ?? null,
      uploadError: report.uploadProblem ? renderProblem(report.uploadProblem) : null,
      hints: report.hints,
      cautions: report.cautions,
      leftBehind: report.leftovers,
    })),
  })
}
