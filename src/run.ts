import * as core from '@actions/core'
import {
  addContainer,
  awaitStart,
  finishFromDisk,
  followCapture,
  sourceOf,
  type CaptureEvents,
  type CaptureRecord,
  type CaptureResult,
  type RunningCapture,
} from './capture/capture.ts'
import { containerState } from './capture/follow.ts'
import type { Connection } from './cluster/connection.ts'
import { deliver, deliverPreflight, deliverPreflightProblem, setOutputs, type Delivery } from './deliver.ts'
import { reportOf } from './describe.ts'
import { Cancelled, messageOf } from './errors.ts'
import { openCluster } from './open.ts'
import { preflight, type Prepared } from './preflight.ts'
import { formatDuration, formatSize } from './quantities.ts'
import { readRequest, type Request } from './request.ts'
import { readJob, type Job } from './runner/job.ts'
import { jobLog as log } from './runner/log.ts'
import { stateName, type RunState } from './state.ts'

/** The whole way, from the inputs to the artifact. A cancel stops it where it is and leaves the rest to the post step. */
export async function run(cancel: AbortSignal): Promise<void> {
  const request = readRequest((name) => core.getInput(name))
  const job = readJob(process.env)
  const { connection, records, hints, findings } = await unlessCancelled(
    cancel,
    'The run was cancelled before the capture had begun; nothing was created.',
    () => log.group('Preflight', () => prepare(request, job)),
  )
  if (request.preflight === 'only') {
    await deliverPreflight(findings, hints)
    log.info('preflight: only, so nothing is captured')
    return
  }

  const state = stateKeeper(records, hints)
  state.save('begun')
  let running: readonly RunningCapture[]
  try {
    running = await log.group('Start', () => startAll(connection, records, cancel))
  } catch (error) {
    if (!cancel.aborted) state.save('done') // nothing runs, so nothing is left to finish
    throw error
  }
  state.save('recording', running)
  const results = await recordAll(running, cancel)
  if (cancel.aborted) {
    if (results) state.save('captured', results)
    if (results) setOutputs(results.map((result) => reportOf(result, hints)))
    log.info('Cancelled: the post step delivers what was captured.')
    return
  }
  if (!results) return
  for (const { record, scan, verdict } of results) {
    log.info(
      `Recorded pod ${record.pod}: ${scan.packets.toLocaleString('en-US')} packets, ${formatSize(scan.bytes)}, stopped by ${verdict.stopReason}`,
    )
  }
  state.save('captured', results)
  await unlessCancelled(cancel, 'The run was cancelled during the upload; the post step delivers the capture.', () =>
    deliver(results, deliveryOf(request, job, false), hints, []),
  )
  state.save('done')
}

async function prepare(request: Request, job: Job): Promise<Prepared & { readonly connection: Connection }> {
  try {
    const connection = await openCluster(request.access, process.env)
    return { ...(await preflight(connection, request, job, log)), connection }
  } catch (error) {
    if (request.preflight === 'only') await deliverPreflightProblem(messageOf(error))
    throw error
  }
}

/** A cancel does not wait for a call that hangs: the grace is short, and what is under way changes nothing in the cluster. */
async function unlessCancelled<T>(cancel: AbortSignal, message: string, body: () => Promise<T>): Promise<T> {
  const cancelled = new Promise<never>((_resolve, reject) => {
    const abort = (): void => reject(new Cancelled(message))
    if (cancel.aborted) abort()
    else cancel.addEventListener('abort', abort, { once: true })
  })
  return Promise.race([body(), cancelled])
}

/** Post's part: whatever main left in the pods or on the disk is fetched, uploaded and summarised. */
export async function finishRun(state: RunState): Promise<void> {
  const request = readRequest((name) => core.getInput(name))
  const job = readJob(process.env)
  const results: CaptureResult[] = []
  for (const { record, imageId, result } of state.captures) {
    const finished = result ?? (await finishCapture(request, record, imageId))
    if (finished) results.push(finished)
  }
  const notes = ['The step itself did not come to its end (cancelled, or killed); the post step delivered this.']
  if (results.length > 0) await deliver(results, deliveryOf(request, job, true), state.hints, notes)
}

async function finishCapture(
  request: Request,
  record: CaptureRecord,
  imageId: string,
): Promise<CaptureResult | undefined> {
  let capture: RunningCapture
  try {
    const connection = await openCluster(request.access, process.env)
    const { kind } = await containerState(sourceOf(connection, record))
    if (kind === 'waiting') {
      log.info(
        `The container ${record.container} has not started; it ends by itself when it does. Nothing was captured.`,
      )
      return undefined
    }
    capture = await followCapture(connection, record, imageId, eventsOf(record))
  } catch (error) {
    log.info(`The rest of the capture of pod ${record.pod} cannot be fetched: ${messageOf(error)}`)
    return finishFromDisk(record, imageId, messageOf(error))
  }
  capture.stop('cancelled')
  return capture.finished
}

async function startAll(
  connection: Connection,
  records: readonly CaptureRecord[],
  cancel: AbortSignal,
): Promise<readonly RunningCapture[]> {
  return Promise.all(
    records.map(async (record) => {
      const events = eventsOf(record)
      await addContainer(connection, record, false)
      log.info(`Added the ephemeral container ${record.container} to pod ${record.pod}`)
      const imageId = await awaitStart(sourceOf(connection, record), record, events, cancel)
      log.info(`Started ${record.plan.image}${imageId ? ` (${imageId})` : ''}`)
      return followCapture(connection, record, imageId, events)
    }),
  )
}

function eventsOf(record: CaptureRecord): CaptureEvents {
  return {
    waiting: (reason) => log.info(`Waiting: ${reason}`),
    listening: () =>
      log.info(`Capturing pod ${record.pod} on ${record.plan.interface} for ${formatDuration(record.plan.duration)}`),
    interrupted: (reason) => log.info(`Connection lost (${reason}); resuming`),
    foreign: (line) => log.info(`The pod says: ${line}`),
  }
}

const progressEvery = 10_000
/** Of the 7.5 s between SIGINT and SIGTERM: what the recorder gets to stop and send the rest. */
const cancelGrace = 5_500
/** How long the pod keeps the rest for the post step, seconds; other steps' clean-up may come first. */
const holdFor = 600

/** Records until all captures have ended; undefined where a cancel left something in a pod. */
async function recordAll(
  running: readonly RunningCapture[],
  cancel: AbortSignal,
): Promise<readonly CaptureResult[] | undefined> {
  const reports = running.map((capture) => progress(capture, running.length > 1))
  let held = false
  let holdTimer: NodeJS.Timeout | undefined
  const onCancel = (): void => {
    log.info('Cancelled: stopping the capture')
    for (const capture of running) capture.stop('cancelled')
    holdTimer = setTimeout(() => {
      held = true
      for (const capture of running) capture.hold(holdFor)
    }, cancelGrace)
  }
  if (cancel.aborted) onCancel()
  else cancel.addEventListener('abort', onCancel, { once: true })
  try {
    const results = await Promise.all(running.map((capture) => capture.finished))
    return held ? undefined : results
  } finally {
    cancel.removeEventListener('abort', onCancel)
    clearTimeout(holdTimer)
    for (const timer of reports) clearInterval(timer)
  }
}

function progress(capture: RunningCapture, named: boolean): NodeJS.Timeout {
  let before = 0
  return setInterval(() => {
    const { packets, bytes } = capture.part.scan()
    const rate = formatSize(Math.round((bytes - before) / (progressEvery / 1000)))
    before = bytes
    const name = named ? `${capture.record.pod}: ` : ''
    log.info(`${name}${packets.toLocaleString('en-US')} packets, ${formatSize(bytes)}, ${rate}/s`)
  }, progressEvery)
}

function deliveryOf(request: Request, job: Job, inPost: boolean): Delivery {
  const { retentionDays, ifIncomplete, ifEmpty } = request
  return { job, log, retentionDays, ifIncomplete, ifEmpty, inPost }
}

/** Saves what post needs, each time before the deed. */
function stateKeeper(
  records: readonly CaptureRecord[],
  hints: readonly string[],
): { save(phase: RunState['phase'], known?: readonly (RunningCapture | CaptureResult)[]): void } {
  return {
    save: (phase, known = []) => {
      const captures = records.map((record) => {
        const one = known.find((capture) => capture.record === record)
        return { record, imageId: one?.imageId ?? '', result: one && 'verdict' in one ? one : undefined }
      })
      core.saveState(stateName, { phase, captures, hints } satisfies RunState)
    },
  }
}
