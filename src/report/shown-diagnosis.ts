import type { Diagnosis } from '../analysis/diagnosis.ts'
import { withNamedEnds } from './address-names.ts'
import { hideNames } from './hide-names.ts'
import type { CaptureReport } from './report.ts'

/** How much of a diagnosis the log and the job summary show; the values of the input `summary`. */
export type ShownDetail = 'full' | 'names-hidden' | 'off'

/** The diagnosis as the log and the job summary may show it; undefined: nothing of it. */
export function shownDiagnosis(
  { diagnosis: report }: Pick<CaptureReport, 'diagnosis'>,
  detail: ShownDetail,
): Diagnosis | undefined {
  if (report.kind === 'failed' || detail === 'off') return undefined
  return detail === 'full' ? withNamedEnds(report.diagnosis, report.names) : hideNames(report.diagnosis)
}
