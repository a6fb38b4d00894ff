import type { CaptureReport } from './report.ts'

/** The output `result`: docs/result.schema.json describes it. Field names are stable; new ones may come. */
export function resultJson(reports: readonly CaptureReport[]): string {
  return JSON.stringify({
    version: 1,
    captures: reports.map((report) => ({
      target: {
        level: report.level,
        method: report.method,
        namespace: report.namespace,
        pod: report.pod,
        node: report.node,
        container: report.container,
      },
      capture: {
        interface: report.interface,
        filter: report.filter,
        snaplen: report.snaplen,
        image: report.image,
        imageId: report.imageId,
        began: report.began === undefined ? null : new Date(report.began).toISOString(),
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
      uploadError: report.uploadError ?? null,
      hints: report.hints,
      leftBehind: report.remains,
    })),
  })
}
