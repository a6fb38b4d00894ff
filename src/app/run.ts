import { randomUUID } from 'node:crypto'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { nameFile, type CaptureResult } from '../capture/capture-result.ts'
import type { Connection } from '../cluster/connection.ts'
import type { ErrorCode } from '../common/error-codes.ts'
import { Cancelled, ConfigurationError } from '../common/errors.ts'
import { formatSize } from '../common/quantities.ts'
import { whenAborted } from '../common/timeouts.ts'
import { readRequest, type Request } from '../inputs/request.ts'
import { preflightMarkdown } from '../report/preflight.ts'
import type { CaptureReport } from '../report/report.ts'
import { formatCount, stopText, subjectText } from '../report/wording.ts'
import { exitWithin } from '../runner/exit.ts'
import { readJob, type Job } from '../runner/job.ts'
import { jobLog as log } from '../runner/log.ts'
import { writeSummary } from '../runner/step-files.ts'
import { readInput } from '../runner/step-inputs.ts'
import { reportOf } from './capture-report.ts'
import { nameDiagnosis, writeFindings } from './diagnosis-report.ts'
import { loadAnalysis } from './live-diagnosis.ts'
import { setOutputs } from './outputs.ts'
import { cleanUpAfter } from './cleanup.ts'
import { openCluster } from './cluster-access.ts'
import { deliver } from './deliver.ts'
import { checkDelivery } from './preflight/delivery.ts'
import { preflight, type PlannedCapture, type Prepared } from './preflight/preflight.ts'
import { Session } from './session.ts'
import { StateKeeper } from './state.ts'

/**
 * Runs main, from the inputs to the artifact. A cancel stops it where it is and leaves the rest to post.
 * @returns the code of what failed the step; undefined where it succeeds
 * @throws ConfigurationError, Cancelled
 */
export async function run(cancel: AbortSignal): Promise<ErrorCode | undefined> {
  const request = readRequest(readInput)
  const job = readJob(process.env)
  const { connection, captures, findings } = await unlessCancelled(
    cancel,
    'The run was cancelled before the capture started. No resources were created.',
    () => log.group('Preflight', () => prepare(request, job)),
  )
  if (request.preflight === 'only') {
    await writeSummary(preflightMarkdown(findings, unique(captures, 'hints'), unique(captures, 'cautions')))
    log.info('preflight: only, so nothing is captured')
    return undefined
  }
  const room = await reserveRoom(job.temp, captures.length)
  const state = new StateKeeper(job.temp, captures)
  const session = new Session({ connection, captures, loadEngine: loadAnalysis, state, cancel, log })
  const results = await recordAll(session, state, room)
  return finish(results, session, { request, job, connection, captures, state, cancel })
}

function unique(captures: readonly PlannedCapture[], remarks: 'hints' | 'cautions'): readonly string[] {
  return [...new Set(captures.flatMap((capture) => capture[remarks]))]
}

async function prepare(request: Request, job: Job): Promise<Prepared & { readonly connection: Connection }> {
  const { access } = request
  if (access.kind === 'kubeconfig' && access.source.kind === 'content' && access.source.wasBase64) {
    log.info('The input kubeconfig is base64: it was decoded')
  }
  const cluster = await openCluster(access, process.env).catch((error: unknown) => {
    // To authenticate is the first check of preflight.
    if (!(error instanceof ConfigurationError)) throw error
    const problems = [...error.problems, ...checkDelivery(request, job).problems]
    throw new ConfigurationError(problems, { stage: 'preflight', leftovers: [], cause: error })
  })
  const { captures, findings } = await preflight(cluster, request, job, log)
  return { captures, findings, connection: cluster.connection }
}

async function recordAll(session: Session, state: StateKeeper, room: Room): Promise<readonly CaptureResult[]> {
  try {
    await log.group('Start', () => session.start())
    state.enter('recording')
    return await session.record()
  } catch (error) {
    await room.release()
    if (!(error instanceof Cancelled) && state.captureCount === 0) state.enter('done')
    throw error
  } finally {
    await room.release()
  }
}

interface RunContext {
  readonly request: Request
  readonly job: Job
  readonly connection: Connection
  readonly captures: readonly PlannedCapture[]
  readonly state: StateKeeper
  readonly cancel: AbortSignal
}

/** Names, cleans up and delivers what was recorded. */
async function finish(
  results: readonly CaptureResult[],
  session: Session,
  { request, job, connection, captures, state, cancel }: RunContext,
): Promise<ErrorCode | undefined> {
  const { failures } = session
  const problems = failures.flatMap((failure) => failure.problems)
  const remarksOf = ({ record }: CaptureResult) =>
    captures.find(({ recorder }) => recorder.record === record) ?? { hints: [] }
  const whole = results.filter(({ outcome }) => outcome.end !== 'held')
  for (const result of whole) state.captured(result)
  state.enter('captured')
  for (const result of whole) await nameFile(result)
  if (cancel.aborted) {
    const diagnosed = whole.map(async (result) =>
      reportOf(result, remarksOf(result), await nameDiagnosis(await session.diagnose(result), result, undefined)),
    )
    setOutputs(await Promise.all(diagnosed))
    log.info('Cancelled: the post step delivers what was captured')
    return undefined
  }
  const concluded = await Promise.all(
    results.map(async (result) => {
      const [cleaned, outcome] = await Promise.all([
        cleanUpAfter(result, session.recorderOf(result.record.captureId), log),
        session.diagnose(result),
      ])
      const named = await nameDiagnosis(outcome, result, connection)
      return { cleaned, report: reportOf(cleaned, remarksOf(result), await writeFindings(named, result, log)) }
    }),
  )
  for (const { report } of concluded) log.info(recordedText(report))
  const reports = concluded.map(({ report }) => report)
  const delivery = { ...request, job, log, isPost: false }
  const delivered = await deliver({ reports, failures: problems }, delivery, cancel)
  if (delivered === undefined) {
    setOutputs(reports)
    log.info('Cancelled during the upload: the post step delivers the capture')
    exitWithin(100) // an upload that ends after this would be a second artifact
    return undefined
  }
  for (const { cleaned } of concluded) {
    if (cleaned.cleanup?.unfinished) state.captured(cleaned)
    else state.forget(cleaned.record)
  }
  state.enter(state.captureCount > 0 ? 'delivered' : 'done')
  return problems[0]?.code ?? delivered.errorCode
}

function recordedText(report: CaptureReport): string {
  const amount = `${formatCount(report.packets)} packets, ${formatSize(report.bytes)}`
  return `Recorded ${subjectText(report)}: ${amount}, stopped: ${stopText(report)}`
}

interface Room {
  release(): Promise<void>
}

/** Reserves room for the state and for the runner's files, on a disk that the capture itself may fill. */
async function reserveRoom(folder: string, captureCount: number): Promise<Room> {
  const path = join(folder, `${randomUUID()}.room`)
  await mkdir(folder, { recursive: true })
  await writeFile(path, Buffer.alloc(65_536 + captureCount * maxStateBytes)).catch(() => undefined)
  return { release: () => rm(path, { force: true }) }
}

/** Of one capture: its plan, and a result with the interfaces of a node (800 at most) and a few bounded texts. */
const maxStateBytes = 131_072

/** A cancel does not wait for a call that hangs: the grace is short, and preflight creates nothing in the cluster. */
async function unlessCancelled<T>(cancel: AbortSignal, message: string, body: () => Promise<T>): Promise<T> {
  const cancelled = whenAborted(cancel).then(() => {
    throw new Cancelled(message)
  })
  return Promise.race([body(), cancelled])
}
