import type { ErrorCode } from '../common/error-codes.ts'
import { Cancelled, messageOf, renderProblem, type Problem } from '../common/errors.ts'
import { orTimeout, timedOut, whenAborted } from '../common/timeouts.ts'
import type { DeliveryInputs } from '../inputs/delivery.ts'
import { problemsOf, type CaptureReport, type DiagnosisReport } from '../report/report.ts'
import { summaryMarkdown } from '../report/summary.ts'
import { subjectText } from '../report/wording.ts'
import type { Job } from '../runner/job.ts'
import type { Log } from '../runner/log.ts'
import { writeSummary } from '../runner/step-files.ts'
import { announceDiagnosis, logDiagnosis } from './diagnosis-log.ts'
import { setOutputs } from './outputs.ts'
import { verdictClause, verdictSeverity, withProblems } from './result-problems.ts'
import { shownDiagnosis } from '../report/shown-diagnosis.ts'
import { uploadFile, type UploadContext } from './upload.ts'

/** How the results reach the user. */
export interface Delivery extends Omit<DeliveryInputs, 'artifactName'> {
  readonly job: Job
  readonly log: Log
  /** post never fails the job, and runs after a main that may have begun an upload */
  readonly isPost: boolean
}

export interface Results {
  readonly reports: readonly CaptureReport[]
  /** about the run, for the summary */
  readonly notes?: readonly string[]
  /** of targets whose capture recorded nothing */
  readonly failures?: readonly Problem[]
}

export interface Delivered {
  /** of the first failure; undefined where the step succeeds */
  readonly errorCode: ErrorCode | undefined
}

/** Of the 7.5 s between SIGINT and SIGTERM: the time for an upload to end. */
const uploadGraceMs = 3_000

/**
 * Uploads the captures and reports them: log, outputs and summary. Undefined when a cancel cut the upload off: then nothing was reported, and
 * post does all of it.
 */
export async function deliver(
  { reports, notes = [], failures = [] }: Results,
  delivery: Delivery,
  cancel?: AbortSignal,
): Promise<Delivered | undefined> {
  for (const report of reports) await logDiagnosis(report, delivery)
  const uploads = uploadAll(reports, delivery, cancel)
  const afterCancel = async (signal: AbortSignal) => {
    await whenAborted(signal)
    return orTimeout(uploads, uploadGraceMs)
  }
  const uploaded = await (cancel ? Promise.race([uploads, afterCancel(cancel)]) : uploads)
  if (uploaded === timedOut || uploaded === undefined) return undefined
  const finished = uploaded.map((report) =>
    withProblems(report, delivery, shownDiagnosis(report, delivery.summary)?.sentence),
  )
  let reportingCode: ErrorCode | undefined
  // What one file does not accept may fit into the others: a full disk has room for none of the runner's files.
  for (const write of [
    () => Promise.resolve(setOutputs(finished)),
    () => writeSummary(summaryMarkdown(finished, { notes, failures, detail: delivery.summary })),
  ]) {
    try {
      await write()
    } catch (error) {
      reportingCode = 'E_RESULT_NOT_REPORTED' // also in post: otherwise the job would succeed without a result
      delivery.log.failure(`The result cannot be written for the runner: ${messageOf(error)}`)
    }
  }
  for (const report of finished) announce(report, delivery)
  return { errorCode: reportingCode ?? finished.flatMap(problemsOf)[0]?.code }
}

/** @returns undefined when a cancel came between two tries */
async function uploadAll(
  reports: readonly CaptureReport[],
  delivery: Delivery,
  cancel: AbortSignal | undefined,
): Promise<readonly CaptureReport[] | undefined> {
  if (delivery.upload === 'none') return reports
  const context = { ...delivery, cancel, beganMs: Date.now() }
  const uploaded: CaptureReport[] = []
  try {
    for (const report of reports) uploaded.push(await uploadReport(report, context))
  } catch (error) {
    if (error instanceof Cancelled) return undefined
    throw error
  }
  return uploaded
}

/** The capture, then its findings.json: a failure of the second is only a warning. */
async function uploadReport(report: CaptureReport, context: UploadContext): Promise<CaptureReport> {
  if (report.pcapPath === undefined) return { ...report, uploadProblem: nothingArrived }
  const capture = await uploadFile(report.pcapPath, context)
  if ('problem' in capture) return { ...report, uploadProblem: capture.problem }
  return { ...report, artifact: capture.artifact, diagnosis: await uploadFindings(report.diagnosis, context) }
}

async function uploadFindings(diagnosis: DiagnosisReport, context: UploadContext): Promise<DiagnosisReport> {
  if (diagnosis.kind === 'failed' || diagnosis.findingsPath === undefined) return diagnosis
  // What is left of the time belongs to the report of the capture, which is uploaded: otherwise post would upload it again.
  if (context.cancel?.aborted) return diagnosis
  const findings = await uploadFile(diagnosis.findingsPath, context)
  if ('artifact' in findings) return { ...diagnosis, findingsArtifact: findings.artifact }
  context.log.warning(`The findings were not uploaded: ${renderProblem(findings.problem)}`)
  return diagnosis
}

const nothingArrived: Problem = {
  code: 'E_CAPTURE_INCOMPLETE',
  input: 'pod',
  problem: 'no bytes of the capture arrived, so there is nothing to upload',
  fix: 'The verdict has the reason.',
}

/** The result in the log and in annotations. */
function announce(report: CaptureReport, delivery: Delivery): void {
  const { log, isPost } = delivery
  const fail = (message: string): void => (isPost ? log.warning(message) : log.failure(message))
  const { artifact, pcapPath } = report
  if (artifact) log.info(`Artifact: ${artifact.url}`)
  if (pcapPath !== undefined) log.info(`File: ${pcapPath}`)
  const sentence = `The capture of ${verdictClause(report)}.`
  if (report.verdictProblem) fail(renderProblem(report.verdictProblem))
  else if (verdictSeverity(report, delivery) === 'warn') log.warning(sentence)
  else log.info(sentence)
  if (report.findingProblem) fail(renderProblem(report.findingProblem))
  else announceDiagnosis(report, delivery)
  if (report.uploadProblem) {
    const file = pcapPath === undefined ? '' : ` The file stays on the runner: ${pcapPath}`
    fail(`The capture of ${subjectText(report)} was not uploaded: ${renderProblem(report.uploadProblem)}${file}`)
  }
}
