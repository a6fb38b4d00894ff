import { messageOf } from '../../../common/errors.ts'
import { sanitizeRemoteText } from '../../../common/remote-text.ts'
import type { CommandResult } from '../../../ssh/command.ts'
import type { SshSession } from '../../../ssh/session.ts'
import { recorderParameters } from '../../payload.ts'
import { maxHoldSeconds, maxRunSeconds, type CapturePlan } from '../../plan.ts'
import { recordedNode, type CaptureRecord } from '../../record.ts'
import { followerScript, recorderScript } from '../../scripts/scripts.ts'
import {
  beginScript,
  insideScript,
  outsideScript,
  removeScript,
  stateScript,
  writeScript,
} from '../../scripts/node-scripts.ts'
import { maxMessageLength, type RecorderState } from '../endpoint.ts'
import { NothingRecorded } from '../start-failure.ts'
import { runAsRoot } from './session.ts'

/**
 * Where a node may have room for a spool. Never /tmp, which is memory on COS; /var/tmp first, because Ubuntu's AppArmor profile lets tcpdump
 * write there.
 */
export const spoolRoots = ['/var/tmp', '/var/lib']

/** Everything of a capture is in one folder that only root can read: no other user can put a file into it. */
export function runFolderIn(root: string, captureId: string): string {
  return `${root}/${captureId}.run`
}

export function runFolders(captureId: string): readonly string[] {
  return spoolRoots.map((root) => runFolderIn(root, captureId))
}

/** What the recorder runs with. */
export interface Installation {
  readonly folder: string
  readonly plan: CapturePlan
  /** the command that the recorder runs in; empty on the host itself */
  readonly prefix: readonly string[]
  /** the node's clock, epoch seconds */
  readonly nodeTimeSeconds: number
}

/** Writes the recorder's files to a new run folder and starts it there. @throws NothingRecorded; what the session throws */
export async function startRecorder(session: SshSession, record: CaptureRecord, made: Installation): Promise<void> {
  const { folder, plan, prefix } = made
  const node = recordedNode(record)
  const created = await runAsRoot(session, ['mkdir', '-m', '700', folder])
  if (created.code !== 0) throw notWritable(`node ${node} cannot create ${folder}`, created)
  for (const [name, text] of Object.entries(filesOf(record, folder, plan))) {
    const argv = ['sh', '-c', writeScript, 'sh', folder, name]
    const written = await runAsRoot(session, argv, { timeoutMs: 20_000, stdin: text })
    if (written.code !== 0) throw notWritable(`node ${node} cannot write to ${folder}`, written)
  }
  // By the clocks of the API server and the node, of which one may be wrong: never longer than the capture needs.
  const leftSeconds = Math.min(record.deadlineSeconds - made.nodeTimeSeconds, maxRunSeconds(record.plan))
  const maxSeconds = Math.max(60, leftSeconds) + maxHoldSeconds + 60
  const limits = [String(maxSeconds), String(plan.heartbeatTimeoutSeconds)]
  const argv = ['sh', '-c', beginScript, 'sh', folder, ...limits, ...prefix]
  const begun = await runAsRoot(session, argv, { timeoutMs: 20_000 })
  if (begun.code !== 0) throw notWritable(`the recorder does not start on node ${node}`, begun)
}

function filesOf(
  { captureId, deadlineSeconds: deadline }: CaptureRecord,
  folder: string,
  plan: CapturePlan,
): Record<string, string> {
  const parameters = recorderParameters(captureId, plan, deadline)
  const all = { ...parameters, CAPTURE_ROOT: folder, CAPTURE_STATUS_FILE: `${folder}/status` }
  const lines = Object.entries(all).map(([name, value]) => `${name}=${String(value)}\n`)
  return {
    recorder: recorderScript,
    follower: followerScript,
    parameters: lines.join(''),
    inside: insideScript,
    outside: outsideScript,
  }
}

function notWritable(problem: string, { stderr, code }: CommandResult): NothingRecorded {
  return new NothingRecorded({
    code: 'E_SPOOL_NOT_WRITABLE',
    input: 'level',
    problem,
    message: sanitizeRemoteText(stderr.trim(), 300) || `exit code ${code}`,
    fix: "Check the node's disk, or use `node-method: pod`.",
  })
}

/** Stops the recorder and removes its files. @returns what was not removed, in words; never rejects */
export async function removeRecorder(session: SshSession, record: CaptureRecord): Promise<readonly string[]> {
  try {
    const argv = ['sh', '-c', removeScript, 'sh', record.captureId, ...spoolRoots]
    const { code, stderr } = await runAsRoot(session, argv, { timeoutMs: 20_000 })
    return code === 0 ? [] : [filesLeft(record, new Error(stderr.trim() || `exit code ${code}`))]
  } catch (error) {
    return [filesLeft(record, error)]
  }
}

/** The files of a recorder that could not be removed because of `error`. */
export function filesLeft(record: CaptureRecord, error: unknown): string {
  const seconds = record.plan.heartbeatTimeoutSeconds
  return (
    `the recorder's files on node ${recordedNode(record)}, which it deletes when it ends by itself after ${seconds} s ` +
    `without contact from the runner (${sanitizeRemoteText(messageOf(error), 500)})`
  )
}

/** Never rejects. */
export async function recorderState(session: Promise<SshSession>, captureId: string): Promise<RecorderState> {
  try {
    const { stdout } = await runAsRoot(await session, ['sh', '-c', stateScript, 'sh', ...runFolders(captureId)])
    return parseState(stdout)
  } catch (error) {
    return { kind: 'unknown', reason: messageOf(error) }
  }
}

function parseState(stdout: string): RecorderState {
  const [, word = 'none', status = ''] = /^state (\w+)$([^]*)/m.exec(stdout)?.map((part) => part.trim()) ?? []
  const message = status.slice(0, maxMessageLength) // the node is not trusted
  switch (word) {
    case 'running':
      return { kind: 'running', imageId: undefined }
    case 'ended':
      return { kind: 'terminated', reason: 'ended', message }
    case 'lost':
      return { kind: 'terminated', reason: 'another process ended the recorder', message }
    case 'gone':
      return { kind: 'gone', reason: 'the node has no files of the capture; it may have been restarted' }
    default:
      return { kind: 'unknown', reason: 'the node does not report the state of the recorder' }
  }
}
