import { readInput } from '../runner/step-inputs.ts'
import { rm } from 'node:fs/promises'
import { applyTargetCheck, applyTargetEnd, nameFile, type CaptureResult } from '../capture/capture-result.ts'
import { finishFromDisk, followCapture, openPart, type RunningCapture } from '../capture/capture.ts'
import type { CaptureRecord } from '../capture/record.ts'
import { methodOf, subjectOf } from '../capture/recorders/methods.ts'
import type { Recorder } from '../capture/recorders/recorder.ts'
import { NothingRecorded } from '../capture/recorders/start-failure.ts'
import { checkTarget, mustCheckTarget, type TargetCheck } from '../capture/target-watch.ts'
import type { Connection } from '../cluster/connection.ts'
import { messageOf, renderProblem } from '../common/errors.ts'
import type { Access } from '../inputs/access.ts'
import { readRequest } from '../inputs/request.ts'
import type { CaptureReport } from '../report/report.ts'
import { readJob } from '../runner/job.ts'
import { jobLog as log } from '../runner/log.ts'
import { logEvents } from './capture-events.ts'
import { reportOf } from './capture-report.ts'
import { nameDiagnosis, writeFindings } from './diagnosis-report.ts'
import { diagnoseFile, loadAnalysis } from './live-diagnosis.ts'
import { cleanUpAfter, cleanUpUnused, unreachableCleanup } from './cleanup.ts'
import { openCluster } from './cluster-access.ts'
import { deliver } from './deliver.ts'
import { recorderForRecord } from './recorders.ts'
import { logErrorCode } from './failure.ts'
import { loadRun } from './saved-state.ts'
import { isReported, type CaptureState, type StatePointer } from './state.ts'

/** Finishes what main left in the pods, on the nodes or on the disk: fetches, cleans up, uploads and summarises it. */
export async function finishRun(pointer: StatePointer): Promise<void> {
  const { phase, captures, problems } = await loadRun(pointer)
  const reportLoss = isReported(phase) ? (text: string) => log.warning(text) : notReported
  for (const problem of problems) reportLoss(renderProblem(problem))
  const request = readRequest(readInput)
  const reports: CaptureReport[] = []
  for (const capture of captures) {
    const report = await finishOne(request.access, capture, reportLoss)
    if (report !== undefined) reports.push(report)
  }
  if (!isReported(phase) && reports.length > 0) {
    const notes = ['The step was cancelled or killed. The post step delivered this capture.']
    const delivered = await deliver({ reports, notes }, { ...request, job: readJob(process.env), log, isPost: true })
    if (delivered?.errorCode === 'E_RESULT_NOT_REPORTED') logErrorCode(delivered.errorCode, log)
  }
  await rm(pointer.folder, { recursive: true, force: true }).catch((error: unknown) => log.warning(messageOf(error)))
}

/** A result that neither main nor post reports: the step fails, whatever the inputs say. */
function notReported(text: string): void {
  log.failure(text)
  logErrorCode('E_RESULT_NOT_REPORTED', log)
}

/** A failure of one capture does not prevent the others. `reportLoss` receives its message. */
async function finishOne(
  access: Access,
  capture: CaptureState,
  reportLoss: (message: string) => void,
): Promise<CaptureReport | undefined> {
  try {
    const result = await (capture.result
      ? cleanUpLate(access, capture, capture.result)
      : finishCapture(access, capture))
    if (result === undefined) return undefined
    await nameFile(result)
    // The packets arrived in another process, at least some of them.
    const outcome = await diagnoseFile(result, await loadAnalysis())
    const diagnosis = await writeFindings(await nameDiagnosis(outcome, result, undefined), result, log)
    return reportOf(result, capture, diagnosis)
  } catch (error) {
    reportLoss(`The capture of ${subjectOf(capture.record)} could not be finished: ${messageOf(error)}`)
    return undefined
  }
}

/** Of a capture that main fetched: main may have ended before it removed what it created. */
async function cleanUpLate(access: Access, capture: CaptureState, result: CaptureResult): Promise<CaptureResult> {
  const { record } = capture
  if (!methodOf(record).isRemovable || result.cleanup?.unfinished === false) return result
  try {
    return await cleanUpAfter(result, await recorderForRecord(access, capture), log)
  } catch (error) {
    return { ...result, cleanup: unreachableCleanup(record, error) }
  }
}

/** Fetches the rest of a capture; undefined where it recorded nothing. */
async function finishCapture(access: Access, state: CaptureState): Promise<CaptureResult | undefined> {
  const { record, imageId } = state
  let recorder: Recorder | undefined
  let capture: RunningCapture | undefined
  try {
    recorder = await recorderForRecord(access, state, state.isTouched)
    capture = await resume(recorder, imageId)
  } catch (error) {
    log.info(`The rest of the capture of ${subjectOf(record)} cannot be fetched: ${messageOf(error)}`)
    const result = await finishFromDisk(record, imageId, messageOf(error))
    if (!methodOf(record).isRemovable) return result
    return recorder ? cleanUpAfter(result, recorder, log) : { ...result, cleanup: unreachableCleanup(record, error) }
  }
  if (capture === undefined) {
    await cleanUpUnused(recorder, log)
    return undefined
  }
  return stopAndFinish(access, recorder, capture)
}

/** Follows a recorder from where the part file ends; undefined where it recorded nothing. */
async function resume(recorder: Recorder, imageId: string | undefined): Promise<RunningCapture | undefined> {
  const { record, endpoint } = recorder
  const state = await endpoint.state()
  if (state.kind === 'waiting') {
    log.info(
      `The recorder ${record.captureId} has not started; ${methodOf(record).unstartedEnd}. Nothing was captured.`,
    )
    return undefined
  }
  const part = await openPart(record)
  if (state.kind === 'gone' && !methodOf(record).isInsideTarget && part.receivedBytes === 0) {
    log.info(`The recorder ${record.captureId} is not there (${state.reason}). Nothing was captured.`)
    await part.discard()
    return undefined
  }
  return followCapture(recorder, part, { imageId, events: logEvents(record, log), endsAtMs: Date.now() })
}

async function stopAndFinish(
  access: Access,
  recorder: Recorder,
  capture: RunningCapture,
): Promise<CaptureResult | undefined> {
  capture.stop('cancelled')
  try {
    const result = await capture.finished
    const checked = applyTargetCheck(result, await checkTargetOf(access, capture.record))
    const connection = async (): Promise<Connection> => (await openCluster(access, process.env)).connection
    return await cleanUpAfter(await applyTargetEnd(connection, checked), recorder, log)
  } catch (error) {
    if (!(error instanceof NothingRecorded)) throw error
    log.info(error.message)
    await cleanUpUnused(recorder, log)
    return undefined
  }
}

/** A capture by SSH is finished without the API server, which is asked only for this. */
async function checkTargetOf(access: Access, record: CaptureRecord): Promise<TargetCheck> {
  if (!mustCheckTarget(record)) return { kind: 'there' }
  try {
    return await checkTarget((await openCluster(access, process.env)).connection, record)
  } catch (error) {
    return { kind: 'unknown', why: messageOf(error) }
  }
}
