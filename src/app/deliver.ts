import type { ErrorCode } from '../common/error-codes.ts'
import { Cancelled, messageOf, renderProblem, type Problem } from '../common/errors.ts'
import { orTimeout, timedOut, whenAborted } from '../common/timeouts.ts'
import type { DeliveryInputs, Severity } from '../inputs/delivery.ts'
import { problemsOf, type CaptureReport } from '../report/report.ts'
import { resultJson } from '../report/result.ts'
import { summaryMarkdown } from '../report/summary.ts'
import { subjectText } from '../report/wording.ts'
import type { Job } from '../runner/job.ts'
import type { Log } from '../runner/log.ts'
import { setOutput, writeSummary } from '../runner/step-files.ts'
import { uploadReport } from './upload.ts'

/** How the results reach the user. */
export interface Delivery extends Pick<DeliveryInputs, 'upload' | 'retentionDays' | 'ifIncomplete' | 'ifEmpty'> {
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
  const uploads = uploadAll(reports, delivery, cancel)
  const afterCancel = async (signal: AbortSignal) => {
    await whenAborted(signal)
    return orTimeout(uploads, uploadGraceMs)
  }
  const uploaded = await (cancel ? Promise.race([uploads, afterCancel(cancel)]) : uploads)
  if (uploaded === timedOut || uploaded === undefined) return undefined
  const finished = uploaded.map((report) => ({ ...report, verdictProblem: verdictProblem(report, delivery) }))
  let reportingCode: ErrorCode | undefined
  // What one file does not accept may fit into the others: a full disk has room for none of the runner's files.
  for (const write of [
    () => Promise.resolve(setOutputs(finished)),
    () => writeSummary(summaryMarkdown(finished, { notes, failures })),
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

type Severities = Pick<Delivery, 'ifIncomplete' | 'ifEmpty'>

function severityOf({ verdict }: CaptureReport, { ifIncomplete, ifEmpty }: Severities): Severity {
  if (verdict === 'complete') return 'ignore'
  return verdict === 'empty' ? ifEmpty : ifIncomplete
}

function verdictProblem(report: CaptureReport, severities: Severities): Problem | undefined {
  if (severityOf(report, severities) !== 'error') return undefined
  const problem = `the capture of ${verdictClause(report)}`
  if (report.verdict === 'empty') {
    return {
      code: 'E_CAPTURE_EMPTY',
      input: 'if-empty',
      problem,
      fix: 'Check the `filter` and the `interface`, and that there was traffic. Set `if-empty: warn` to keep the step successful.',
    }
  }
  return {
    code: 'E_CAPTURE_INCOMPLETE',
    input: 'if-incomplete',
    problem,
    fix: 'Set `if-incomplete: warn` to keep the step successful.',
    docs: 'docs/troubleshooting.md#reasons-of-a-partial-capture',
  }
}

function verdictClause(report: CaptureReport): string {
  return `${subjectText(report)} is ${report.verdict}: ${report.verdictReason}`
}

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
  }
  for (const [name, value] of Object.entries(outputs)) setOutput(name, value)
  setOutput('result', resultJson(reports)) // last: the others do not depend on it
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
  else if (severityOf(report, delivery) === 'warn') log.warning(sentence)
  else log.info(sentence)
  if (report.uploadProblem) {
    const file = pcapPath === undefined ? '' : ` The file stays on the runner: ${pcapPath}`
    fail(`The capture of ${subjectText(report)} was not uploaded: ${renderProblem(report.uploadProblem)}${file}`)
  }
}
