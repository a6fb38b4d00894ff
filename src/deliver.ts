import * as core from '@actions/core'
import { rename } from 'node:fs/promises'
import { basename } from 'node:path'
import type { CaptureResult } from './capture/capture.ts'
import { reportOf } from './describe.ts'
import { messageOf } from './errors.ts'
import { formatSize } from './quantities.ts'
import type { CaptureReport } from './report/report.ts'
import { resultJson } from './report/result.ts'
import { preflightMarkdown, preflightProblemMarkdown } from './report/preflight.ts'
import { summaryMarkdown } from './report/summary.ts'
import type { Severity } from './request.ts'
import { UploadError, uploadRaw } from './runner/artifact.ts'
import type { Job } from './runner/job.ts'
import type { Log } from './runner/log.ts'

/** How the results reach the user. */
export interface Delivery {
  readonly job: Job
  readonly log: Log
  readonly retentionDays: number | undefined
  readonly ifIncomplete: Severity
  readonly ifEmpty: Severity
  /** post never fails the job, and comes after a main whose upload may have got half way */
  readonly inPost: boolean
}

/** Of the 7.5 s between SIGINT and SIGTERM: what an upload gets to come to its end. */
const uploadGrace = 3_000

/**
 * Uploads what was captured and reports it: log, outputs, summary, and what the verdict means to the job. False when a cancel cut the upload
 * off: then nothing was told, and post does all of it.
 */
export async function deliver(
  results: readonly CaptureResult[],
  delivery: Delivery,
  hints: readonly string[],
  notes: readonly string[],
  cancel?: AbortSignal,
): Promise<boolean> {
  const uploads = uploadAll(results, delivery, hints)
  const reports = await (cancel ? Promise.race([uploads, afterCancel(cancel, uploadGrace)]) : uploads)
  if (reports === undefined) return false
  // What cannot be told in one place is told in the others: a full disk has room for none of the runner's files.
  for (const tell of [
    () => Promise.resolve(setOutputs(reports)),
    () => writeSummary(summaryMarkdown(reports, { artifactLink: delivery.job.artifactLink, notes })),
  ]) {
    try {
      await tell()
    } catch (error) {
      delivery.log.warning(`The runner did not take the result: ${messageOf(error)}`)
    }
  }
  for (const report of reports) announce(report, delivery)
  return true
}

async function uploadAll(
  results: readonly CaptureResult[],
  delivery: Delivery,
  hints: readonly string[],
): Promise<CaptureReport[]> {
  const reports: CaptureReport[] = []
  for (const result of results) reports.push(await uploadResult(reportOf(result, hints), delivery))
  return reports
}

function afterCancel(cancel: AbortSignal, ms: number): Promise<undefined> {
  return new Promise((resolve) => {
    const wait = (): void => void setTimeout(() => resolve(undefined), ms).unref()
    if (cancel.aborted) wait()
    else cancel.addEventListener('abort', wait, { once: true })
  })
}

async function writeSummary(markdown: string): Promise<void> {
  if (process.env['GITHUB_STEP_SUMMARY']) await core.summary.addRaw(markdown).write()
}

async function uploadResult(report: CaptureReport, delivery: Delivery): Promise<CaptureReport> {
  const path = report.pcapPath
  if (path === undefined)
    return { ...report, uploadError: 'there is nothing to upload: no byte of the capture arrived' }
  try {
    return await upload(report, path, delivery)
  } catch (error) {
    if (!delivery.inPost || !(error instanceof UploadError) || !error.nameIsTaken) {
      return { ...report, uploadError: messageOf(error) }
    }
  }
  // The name is taken by an upload of main's that a cancel cut off; an artifact cannot be replaced, and is named after its file.
  const second = path.replace(/\.pcap$/, '-post.pcap')
  try {
    await rename(path, second)
    return await upload({ ...report, pcapPath: second }, second, delivery)
  } catch (error) {
    return { ...report, pcapPath: second, uploadError: messageOf(error) }
  }
}

async function upload(
  report: CaptureReport,
  path: string,
  { job, log, retentionDays }: Delivery,
): Promise<CaptureReport> {
  const name = basename(path)
  const { id, digest } = await log.group(`Upload ${name} (${formatSize(report.bytes)})`, () =>
    uploadRaw(path, name, retentionDays),
  )
  return { ...report, artifact: { id, name, digest, url: job.artifactUrl(id) } }
}

/** The outputs of a run with one capture; with several, the first's, and all in `result`. Set in main and on a cancel, before the upload, too. */
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
    result: resultJson(reports),
  }
  for (const [name, value] of Object.entries(outputs)) core.setOutput(name, value)
}

function announce(report: CaptureReport, { log, ifIncomplete, ifEmpty, inPost }: Delivery): void {
  const fail = (sentence: string): void => (inPost ? log.warning(sentence) : log.failure(sentence))
  const where = report.pod === '' ? `node ${report.node}` : `pod ${report.pod} in ${report.namespace}`
  if (report.artifact) log.info(`Artifact: ${report.artifact.url}`)
  if (report.pcapPath !== undefined) log.info(`File: ${report.pcapPath}`)
  const sentence = `The capture of ${where} is ${report.verdict}: ${report.verdictReason}.`
  if (report.verdict === 'complete') log.info(sentence)
  else {
    const severity = report.verdict === 'empty' ? ifEmpty : ifIncomplete
    if (severity === 'error') fail(sentence)
    else if (severity === 'warn') log.warning(sentence)
    else log.info(sentence)
  }
  if (report.artifact === undefined) {
    const kept = report.pcapPath === undefined ? '' : ` The file stays on the runner: ${report.pcapPath}`
    fail(`The capture of ${where} was not uploaded: ${report.uploadError ?? 'no reason is known'}.${kept}`)
  }
}

/** What `preflight: only` found, for the summary. */
export async function deliverPreflight(findings: readonly string[], hints: readonly string[]): Promise<void> {
  await writeSummary(preflightMarkdown(findings, hints))
}

export async function deliverPreflightProblem(problem: string): Promise<void> {
  await writeSummary(preflightProblemMarkdown(problem))
}
