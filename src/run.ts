import * as core from '@actions/core'
import { randomUUID } from 'node:crypto'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  finishFromDisk,
  followCapture,
  nameFile,
  openPart,
  withFate,
  type CaptureResult,
  type RunningCapture,
} from './capture/capture.ts'
import { subjectOf, type CaptureRecord } from './capture/record.ts'
import type { CaptureEvents, Cleared, Recorder } from './capture/recorder.ts'
import { NothingCreated, NothingRecorded } from './capture/start.ts'
import { lookAtTarget, watchTarget, type TargetFate } from './capture/target-watch.ts'
import type { Connection } from './cluster/connection.ts'
import { deliver, deliverPreflight, deliverPreflightProblem, setOutputs, type Delivery } from './deliver.ts'
import { reportOf } from './describe.ts'
import { Cancelled, messageOf } from './errors.ts'
import { openCluster } from './open.ts'
import { preflight, type Prepared } from './preflight.ts'
import { formatDuration, formatSize } from './quantities.ts'
import { recorderFor } from './recorders.ts'
import { readRequest, type Request } from './request.ts'
import { readJob, type Job } from './runner/job.ts'
import { lastResort } from './runner/end.ts'
import { jobLog as log } from './runner/log.ts'
import { stateName, type CaptureState, type RunState } from './state.ts'

/** The whole way, from the inputs to the artifact. A cancel stops it where it is and leaves the rest to the post step. */
export async function run(cancel: AbortSignal): Promise<void> {
  const request = readRequest((name) => core.getInput(name))
  const job = readJob(process.env)
  const { connection, recorders, hints, findings } = await unlessCancelled(
    cancel,
    'The run was cancelled before the capture had begun; nothing was created.',
    () => log.group('Preflight', () => prepare(request, job)),
  )
  if (request.preflight === 'only') {
    await deliverPreflight(findings, hints)
    log.info('preflight: only, so nothing is captured')
    return
  }

  const state = stateKeeper(
    recorders.map(({ record }) => record),
    hints,
  )
  const room = await reserveRoom(job.temp)
  state.save('begun')
  let results: readonly CaptureResult[]
  try {
    const running = await log.group('Start', () => startAll(recorders, state.touching, cancel))
    state.save('recording', running)
    results = await recordAll(connection, running, cancel)
  } catch (error) {
    await room.release()
    // What a pod has of a failed start ends by itself, or post ends it; of what nodes have nothing stays that a cancel leaves time for.
    const cleared = !(error instanceof Cancelled) && (await clearNodes(recorders))
    const inPods = recorders.some(({ record }) => record.where.kind === 'container')
    const nothing = error instanceof NothingRecorded || error instanceof NothingCreated
    if (cleared && (nothing || !inPods)) state.save('done')
    throw error
  }
  await room.release()
  state.save('captured', results)
  const whole = results.filter(({ outcome }) => outcome.end !== 'held')
  for (const result of whole) await nameFile(result)
  if (cancel.aborted) {
    setOutputs(whole.map((result) => reportOf(result, hints)))
    log.info('Cancelled: the post step delivers what was captured.')
    return
  }
  const cleared = await Promise.all(results.map((result) => clear(result, recorders)))
  for (const { record, scan, verdict } of results) {
    log.info(
      `Recorded ${subjectOf(record)}: ${scan.packets.toLocaleString('en-US')} packets, ${formatSize(scan.bytes)}, stopped by ${verdict.stopReason}`,
    )
  }
  const delivered = await deliver(cleared, deliveryOf(request, job, false), hints, [], cancel)
  if (delivered) {
    if (cleared.some((result) => result.cleared?.unfinished)) state.save('delivered', cleared)
    else state.save('done')
    return
  }
  log.info('Cancelled during the upload: the post step delivers the capture.')
  lastResort(100) // an upload that comes to its end after this would be a second artifact
}

/** Removes what was made for a capture; the result knows what stays. */
async function clear(result: CaptureResult, recorders: readonly Recorder[]): Promise<CaptureResult> {
  const recorder = recorders.find(({ record }) => record === result.record)
  const cleared = await recorder?.clear()
  if (cleared && result.record.where.kind !== 'container') {
    const { remains } = cleared
    log.info(remains.length === 0 ? 'Removed everything that was made for it' : `What stays: ${remains.join('; ')}`)
  }
  return { ...result, cleared }
}

/** Of a run that failed: a container in a pod ends by itself and cannot be removed, but nothing is left on a node. True where nothing has to be tried again. */
async function clearNodes(recorders: readonly Recorder[]): Promise<boolean> {
  const onNodes = recorders.filter(({ record }) => record.where.kind !== 'container')
  const all = await Promise.all(onNodes.map((recorder) => recorder.clear()))
  for (const line of all.flatMap(({ remains }) => remains)) log.warning(`Left behind: ${line}`)
  return !all.some(({ unfinished }) => unfinished)
}

/** Room for the file commands that tell the result, on a disk that the capture itself may have filled. */
async function reserveRoom(folder: string): Promise<{ release(): Promise<void> }> {
  const path = join(folder, `${randomUUID()}.room`)
  await mkdir(folder, { recursive: true })
  await writeFile(path, Buffer.alloc(65_536)).catch(() => undefined)
  return { release: () => rm(path, { force: true }) }
}

async function prepare(request: Request, job: Job): Promise<Prepared & { readonly connection: Connection }> {
  try {
    const cluster = await openCluster(request.access, process.env)
    return { ...(await preflight(cluster, request, job, log)), connection: cluster.connection }
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
  for (const capture of state.captures) {
    const { result, stays } = capture
    const finished = result
      ? await clearAfter(request, result, stays)
      : await finishCapture(request, capture, state.phase)
    if (!finished) continue
    await nameFile(finished)
    results.push(finished)
  }
  if (state.phase === 'delivered') return
  const notes = ['The step itself did not come to its end (cancelled, or killed); the post step delivered this.']
  if (results.length > 0) await deliver(results, deliveryOf(request, job, true), state.hints, notes)
}

/** Of a capture that main had whole: what was made on the node is removed, for main may not have come so far. */
async function clearAfter(
  request: Request,
  result: CaptureResult,
  stays: CaptureState['stays'],
): Promise<CaptureResult> {
  const { record } = result
  if (record.where.kind === 'container' || result.cleared?.unfinished === false) return result
  try {
    return await clear(result, [await recorderFor(request.access, { record, stays })])
  } catch (error) {
    return { ...result, cleared: notCleared(record, error) }
  }
}

/** What stays on a node that cannot be reached for the clean-up. */
function notCleared({ container, node, where }: CaptureRecord, error: unknown): Cleared {
  const what =
    where.kind === 'ssh'
      ? `the recorder ${container} on ${node} and the SSH key of this run, until it ends and the key expires`
      : `the Job ${container}, until it ends`
  return { remains: [`${what}: ${messageOf(error)}`], unfinished: true }
}

/** By SSH a capture is finished without the API server, so it is asked for nothing but this. */
async function fateOf({ access }: Request, record: CaptureRecord): Promise<TargetFate> {
  if (record.where.kind === 'container' || record.pod === '') return { kind: 'there' }
  try {
    return await lookAtTarget((await openCluster(access, process.env)).connection, record)
  } catch (error) {
    return { kind: 'unknown', why: messageOf(error) }
  }
}

async function finishCapture(
  request: Request,
  { record, imageId, stays }: CaptureState,
  phase: RunState['phase'],
): Promise<CaptureResult | undefined> {
  let capture: RunningCapture
  let recorder: Recorder | undefined
  try {
    const mayBeThere = phase !== 'begun'
    recorder = await recorderFor(request.access, { record, stays }, mayBeThere)
    if (record.where.kind === 'ssh' && !mayBeThere) {
      log.info('The node was not touched. Nothing was captured.')
      await clearNodes([recorder])
      return undefined
    }
    const state = await recorder.place.state()
    if (state.kind === 'waiting') {
      const fate = record.where.kind === 'container' ? 'it ends by itself when it does' : 'it is removed'
      log.info(`The recorder ${record.container} has not started; ${fate}. Nothing was captured.`)
      await clearNodes([recorder])
      return undefined
    }
    const part = await openPart(record)
    if (state.kind === 'gone' && record.where.kind !== 'container' && part.received() === 0) {
      log.info(`The recorder ${record.container} is not there (${state.reason}). Nothing was captured.`)
      await part.discard()
      await clearNodes([recorder])
      return undefined
    }
    capture = followCapture(recorder, part, imageId, eventsOf(record), Date.now())
  } catch (error) {
    log.info(`The rest of the capture of ${subjectOf(record)} cannot be fetched: ${messageOf(error)}`)
    const result = await finishFromDisk(record, imageId, messageOf(error))
    if (record.where.kind === 'container') return result
    return recorder ? clear(result, [recorder]) : { ...result, cleared: notCleared(record, error) }
  }
  capture.stop('cancelled')
  try {
    const result = await capture.finished
    return await clear(withFate(result, await fateOf(request, record)), [recorder])
  } catch (error) {
    if (!(error instanceof NothingRecorded)) throw error
    log.info(error.message)
    await clearNodes([recorder])
    return undefined
  }
}

async function startAll(
  recorders: readonly Recorder[],
  touching: (record: CaptureRecord, stays?: string) => void,
  cancel: AbortSignal,
): Promise<readonly RunningCapture[]> {
  return Promise.all(
    recorders.map(async (recorder) => {
      const { record } = recorder
      const events = eventsOf(record)
      const part = await openPart(record)
      try {
        const imageId = await recorder.start({ ...events, touching: (stays) => touching(record, stays) }, cancel)
        const what = record.where.kind === 'ssh' ? 'the recorder' : record.plan.image
        log.info(`Started ${what}${imageId ? ` (${imageId})` : ''}`)
        return followCapture(recorder, part, imageId, events)
      } catch (error) {
        await part.discard()
        throw error
      }
    }),
  )
}

function eventsOf(record: CaptureRecord): CaptureEvents {
  return {
    touching: () => undefined,
    made: (what) => log.info(what),
    caution: (text) => log.warning(text),
    waiting: (reason) => log.info(`Waiting: ${reason}`),
    listening: () =>
      log.info(
        `Capturing ${subjectOf(record)} on ${record.plan.interface} for ${formatDuration(record.plan.duration)}`,
      ),
    interrupted: (reason) => log.info(`Connection lost (${reason}); resuming`),
    foreign: (line) => log.info(`${record.where.kind === 'ssh' ? 'The node' : 'The pod'} says: ${line}`),
  }
}

const progressEvery = 10_000
/** Of the 7.5 s between SIGINT and SIGTERM: what the recorder gets to stop and send the rest. */
const cancelGrace = 5_500
/** What the last look at a target gets of it. */
const cancelledLook = 1_000
/** How long the pod keeps the rest for the post step, seconds; other steps' clean-up may come first. */
const holdFor = 600

/** Records until all captures have ended; what a cancel left in a pod ends as 'held'. */
async function recordAll(
  connection: Connection,
  running: readonly RunningCapture[],
  cancel: AbortSignal,
): Promise<readonly CaptureResult[]> {
  const reports = running.map((capture) => progress(capture, running.length > 1))
  let holdTimer: NodeJS.Timeout | undefined
  const onCancel = (): void => {
    log.info('Cancelled: stopping the capture')
    for (const capture of running) capture.stop('cancelled')
    holdTimer = setTimeout(() => {
      for (const capture of running) capture.hold(holdFor)
    }, cancelGrace)
  }
  if (cancel.aborted) onCancel()
  else cancel.addEventListener('abort', onCancel, { once: true })
  try {
    return await Promise.all(running.map((capture) => watched(connection, capture, cancel)))
  } finally {
    cancel.removeEventListener('abort', onCancel)
    clearTimeout(holdTimer)
    for (const timer of reports) clearInterval(timer)
  }
}

async function watched(connection: Connection, capture: RunningCapture, cancel: AbortSignal): Promise<CaptureResult> {
  const watch = watchTarget(connection, capture.record, () => capture.stop('target-gone'))
  const [finished] = await Promise.allSettled([capture.finished])
  const fate = await watch.end(cancel.aborted ? cancelledLook : undefined)
  if (finished.status === 'rejected') throw finished.reason
  return withFate(finished.value, fate)
}

function progress(capture: RunningCapture, named: boolean): NodeJS.Timeout {
  let before = 0
  return setInterval(() => {
    const { packets, bytes } = capture.part.scan()
    const rate = formatSize(Math.round((bytes - before) / (progressEvery / 1000)))
    before = bytes
    const name = named ? `${subjectOf(capture.record)}: ` : ''
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
): {
  save(phase: RunState['phase'], known?: readonly (RunningCapture | CaptureResult)[]): void
  readonly touching: (record: CaptureRecord, stays?: string) => void
} {
  const staying = new Map<CaptureRecord, string | undefined>()
  const save = (phase: RunState['phase'], known: readonly (RunningCapture | CaptureResult)[] = []): void => {
    const captures = records.map((record) => {
      const one = known.find((capture) => capture.record === record)
      const result = one && 'verdict' in one && one.outcome.end !== 'held' ? one : undefined
      return { record, imageId: one?.imageId ?? '', stays: staying.get(record), result }
    })
    core.saveState(stateName, { phase, captures, hints } satisfies RunState)
  }
  return {
    save,
    touching: (record, stays) => {
      staying.set(record, stays)
      save('starting')
    },
  }
}
