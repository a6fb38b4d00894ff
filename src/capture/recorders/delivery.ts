import { ApiError } from '../../cluster/api.ts'
import { UnreachableError } from '../../cluster/api-errors.ts'
import { Cancelled, ConfigurationError, messageOf, type Problem } from '../../common/errors.ts'
import { sanitizeRemoteText } from '../../common/remote-text.ts'
import { orTimeout, pause, timedOut } from '../../common/timeouts.ts'
import { recorderPayload } from '../payload.ts'
import type { CaptureRecord } from '../record.ts'
import { deliverScript } from '../scripts/scripts.ts'
import type { RecorderEndpoint, RecorderState } from './endpoint.ts'
import { methodOf } from './methods.ts'
import type { CaptureEvents } from './recorder.ts'
import { awaitStart } from './start.ts'
import { nodeName, NothingDelivered, NothingRecorded, parseRecorderError, recorderErrorOf } from './start-failure.ts'

/** A 5xx of the first try is repeated for a moment: an API server that restarts answers so, too. A 4xx is an answer. */
const maxTryCount = 3
const retryDelayMs = 700
/** From the open connection to the answer of deliver.sh, which waits up to 5 s for the loader. */
const answerTimeoutMs = 10_000
const settleMs = 2_000
const settlePollMs = 200
/**
 * The tries before the kubelet reports the container as running, which it does up to a second late: about 25, and fewer the longer it takes, because
 * each one is work for the API server and the kubelet.
 */
const earlyBeginMs = 40
const earlyIntervalMs = 25
const earlyGrowth = 1.1
const earlyEndMs = 3_000
const maxLineCharacters = 1_000
const maxMessageCharacters = 500

/**
 * Waits until the recorder's container runs, and delivers the recorder into it, as soon as it takes an exec.
 * @returns the image by its digest, where the kubelet reports one
 * @throws as awaitStart and deliverRecorder
 */
export async function startAndDeliver(
  endpoint: RecorderEndpoint,
  record: CaptureRecord,
  events: CaptureEvents,
  cancel: AbortSignal,
): Promise<string | undefined> {
  const starting = awaitStart(endpoint, record, events, cancel)
  const [imageId, isDelivered] = await Promise.all([starting, deliverEarly(endpoint, record, starting)])
  if (!isDelivered) await deliverRecorder(endpoint, record, cancel)
  return imageId
}

/**
 * Tries to deliver the recorder before its container is reported as running. A failure decides nothing, except that no other early try follows
 * one that reached the container or the answer of an API server that refuses it. Never rejects.
 */
async function deliverEarly(
  endpoint: RecorderEndpoint,
  record: CaptureRecord,
  starting: Promise<unknown>,
): Promise<boolean> {
  const settled = new AbortController()
  const settle = (): void => settled.abort()
  starting.then(settle, settle)
  const endMs = Date.now() + earlyEndMs
  await pause(earlyBeginMs, settled.signal)
  for (let intervalMs = earlyIntervalMs; Date.now() < endMs; intervalMs *= earlyGrowth) {
    await pause(intervalMs, settled.signal)
    if (settled.signal.aborted) return false
    const failure = await tryDelivery(endpoint, record)
    if (failure === undefined) return true
    if (!isNotStarted(failure)) return false
  }
  return false
}

/**
 * Delivers the recorder and its parameters into its container, where a loader waits for them. This is the first exec of a capture, so nothing is
 * recorded where exec is refused.
 * @throws NothingDelivered with the server's message where exec is refused, NothingRecorded where the image lacks a tool, ConfigurationError
 * where it is not known whether the recorder has started, Cancelled
 */
export async function deliverRecorder(
  endpoint: RecorderEndpoint,
  record: CaptureRecord,
  cancel: AbortSignal,
): Promise<void> {
  const end = Date.now() + record.plan.startTimeoutSeconds * 1000
  for (let tryCount = 1; ; tryCount += 1) {
    const failure = await tryDelivery(endpoint, record)
    if (failure === undefined) return
    if (failure instanceof NothingRecorded || isAnswer(failure)) throw explain(failure, record)
    if (cancel.aborted) throw new Cancelled(methodOf(record).cancelledBeforeStart)
    const state =
      failure instanceof ApiError && !isNotStarted(failure) ? await endpoint.state() : await settledState(endpoint)
    if (state.kind === 'terminated') {
      throw methodOf(record).explainFailedStart(recorderErrorOf(state.message || state.reason), state.reason)
    }
    if (state.kind === 'gone') throw methodOf(record).explainGone(state.reason)
    const mayPass = failure instanceof UnreachableError ? Date.now() < end : tryCount < maxTryCount
    if (!mayPass) throw explain(failure, record)
    await pause(retryDelayMs, cancel)
  }
}

/** @returns undefined where the recorder was delivered */
async function tryDelivery(endpoint: RecorderEndpoint, record: CaptureRecord): Promise<Error | undefined> {
  const { text } = recorderPayload(record.captureId, record.plan, record.deadlineSeconds)
  const delivered = Promise.withResolvers<Error | undefined>()
  try {
    const command = ['sh', '-c', deliverScript, 'deliver', ...endpoint.spoolDirs]
    const process = await endpoint.open(command, {
      stdout: () => undefined,
      stderr: (line) => {
        if (line === 'delivered') delivered.resolve(undefined)
        const failure = parseRecorderError(line.slice(0, maxLineCharacters)) // deliver.sh writes the recorder's form
        if (failure !== undefined) delivered.resolve(methodOf(record).explainFailedStart(failure, undefined))
      },
    })
    process.send(`${text}\n`) // and an empty line: the sed of busybox reads one line ahead
    const ended = process.ended.then(({ reason }) => new Unanswered(reason))
    const result = await orTimeout(Promise.race([delivered.promise, ended]), answerTimeoutMs)
    process.close()
    return result === timedOut ? new Unanswered(`no answer within ${answerTimeoutMs / 1000} s`) : result
  } catch (error) {
    return error instanceof Error ? error : new Error(messageOf(error))
  }
}

/** The end of the container ends the exec, but the kubelet reports it some moments later. */
async function settledState(endpoint: RecorderEndpoint): Promise<RecorderState> {
  const end = Date.now() + settleMs
  for (;;) {
    const state = await endpoint.state()
    if (state.kind !== 'running' || Date.now() > end) return state
    await pause(settlePollMs)
  }
}

/**
 * The kubelet's error for a container that does not run (kubelet, GetExec), as an answer, or as the end of an exec that the API server has
 * opened (v5.channel.k8s.io).
 */
function isNotStarted({ message }: Error): boolean {
  return message.includes('container not found')
}

function isAnswer(error: Error): boolean {
  return error instanceof ApiError && error.status < 500 && error.status !== 429
}

/** The exec was opened and gave no answer: the recorder may have been delivered. */
class Unanswered extends Error {}

function explain(error: Error, record: CaptureRecord): Error {
  if (error instanceof ApiError) return new NothingDelivered(refusal(error, record))
  return error instanceof Unanswered ? new ConfigurationError(noAnswer(error, record)) : error
}

function refusal(error: ApiError, { target, captureId }: CaptureRecord): Problem {
  const isRefusal = isAnswer(error)
  return {
    code: isRefusal ? 'E_EXEC_REFUSED' : 'E_EXEC_FAILED',
    input: 'pod',
    problem: `the API server ${isRefusal ? 'refuses' : 'fails'} exec into the capture container ${captureId} (${error.status} ${sanitizeRemoteText(error.message, maxMessageCharacters)})`,
    fix: isRefusal
      ? 'Ask an admin of the cluster which policy or webhook denies CONNECT on pods/exec.'
      : `Ask an admin of the cluster whether the API server can reach the kubelet of ${nodeName(target.node)}: \`kubectl exec\` fails there, too.`,
  }
}

function noAnswer(error: Unanswered, { captureId }: CaptureRecord): Problem {
  return {
    code: 'E_EXEC_FAILED',
    input: 'pod',
    problem: `exec into the capture container ${captureId} gave no answer: ${sanitizeRemoteText(error.message, maxMessageCharacters) || 'no message'}`,
    fix: 'Run the job again. If the error persists, check whether `kubectl exec` works in this pod.',
  }
}
