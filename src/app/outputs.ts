import type { DiagnosisReport, CaptureReport } from '../report/report.ts'
import { findingsJson } from '../report/findings-json.ts'
import { resultJson } from '../report/result.ts'
import { setOutput } from '../runner/step-files.ts'

/** A step's outputs share 1 MB, and a later step gets an output in one environment variable of at most 128 KiB. */
const maxFindingsBytes = 64_000

/**
 * The outputs of a run: those of its first capture, and all captures in `result`. Set also before the upload, on a cancel.
 * @throws the file system's error
 */
export function setOutputs(reports: readonly CaptureReport[]): void {
  const [report] = reports
  if (!report) return
  const outputs: Record<string, string | number> = {
    verdict: report.verdict,
    'verdict-reason': report.verdictReason,
    'stop-reason': report.stopReason,
    packets: report.packets,
    bytes: report.bytes,
    dropped: report.dropped ?? '',
    'pcap-path': report.pcapPath ?? '',
    'artifact-id': report.artifact?.id ?? '',
    'artifact-url': report.artifact?.url ?? '',
    'artifact-digest': report.artifact?.digest ?? '',
    ...diagnosisOutputs(report.diagnosis),
  }
  for (const [name, value] of Object.entries(outputs)) setOutput(name, value)
  setOutput('result', resultJson(reports)) // last: the others do not depend on it
}

function diagnosisOutputs(report: DiagnosisReport): Record<string, string> {
  if (report.kind === 'failed') return { diagnosis: '', culprit: '', severity: '', findings: '', 'findings-path': '' }
  const { diagnosis, fileName, findingsPath } = report
  return {
    diagnosis: diagnosis.sentence,
    culprit: diagnosis.culprit,
    severity: diagnosis.severity,
    findings: findingsJson(diagnosis, fileName, maxFindingsBytes),
    'findings-path': findingsPath ?? '',
  }
}
