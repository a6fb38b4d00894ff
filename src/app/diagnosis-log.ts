import { diagnosisText } from '../report/diagnosis-text.ts'
import type { CaptureReport } from '../report/report.ts'
import { shownDiagnosis } from '../report/shown-diagnosis.ts'
import { subjectText } from '../report/wording.ts'
import type { Log } from '../runner/log.ts'
import type { DeliveryInputs } from '../inputs/delivery.ts'
import { findingSeverity } from './result-problems.ts'

interface Shown extends Pick<DeliveryInputs, 'summary' | 'ifFinding'> {
  readonly log: Log
}

/** The whole diagnosis in a group of the log. */
export async function logDiagnosis(report: CaptureReport, { log, summary }: Shown): Promise<void> {
  if (report.diagnosis.kind === 'failed') {
    log.warning(
      `The capture of ${subjectText(report)} could not be analyzed, which does not affect the file: ${report.diagnosis.reason}`,
    )
    return
  }
  const diagnosis = shownDiagnosis(report, summary)
  if (diagnosis === undefined || report.packets === 0) return
  await log.group('Diagnosis', () => {
    for (const line of diagnosisText(diagnosis).split('\n')) log.info(line)
    return Promise.resolve()
  })
}

/** The sentence of the diagnosis, as one annotation. An empty capture has one of its own. */
export function announceDiagnosis(report: CaptureReport, delivery: Shown): void {
  const diagnosis = shownDiagnosis(report, delivery.summary)
  if (diagnosis === undefined || report.packets === 0) return
  const text = `Diagnosis of ${subjectText(report)}: ${diagnosis.sentence}.`
  if (findingSeverity(report, delivery) === 'warn') delivery.log.warning(text)
  else delivery.log.notice(text)
}
