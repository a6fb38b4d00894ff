import { Cancelled } from '../../../common/errors.ts'
import { sanitizeRemoteText } from '../../../common/remote-text.ts'
import type { SshSession } from '../../../ssh/session.ts'
import { filterWithoutSsh } from '../../filter/node-filter.ts'
import { slackSeconds } from '../../plan.ts'
import { recordedNode, type CaptureRecord } from '../../record.ts'
import { connectionScript } from '../../scripts/node-scripts.ts'
import type { RecorderEndpoint } from '../endpoint.ts'
import { methodOf } from '../methods.ts'
import type { CaptureEvents, CleanupResult, Recorder } from '../recorder.ts'
import { awaitStart } from '../start.ts'
import type { NodeAccess, NodeLogin, NodePlatform } from './access.ts'
import { probeNode } from './probe.ts'
import {
  filesLeft,
  recorderState,
  removeRecorder,
  runFolderIn,
  runFolders,
  spoolRoots,
  startRecorder,
} from './run-folder.ts'
import { asRoot, NodeSession } from './session.ts'
import { chooseSpool, chooseTool, requireRoot, type NodeTool, type RootedNodeFacts, type SpoolChoice } from './tool.ts'
import { prepareToolbox, toolboxCommand } from './toolbox.ts'

export interface NodeSshOptions {
  /** the login that this process has planned; undefined in the post step, which plans another one when it needs it */
  readonly planned?: NodeLogin
  /** an earlier process may have put something on the node */
  readonly mayBeThere?: boolean
  /** what of it cannot be removed, in words */
  readonly leftover?: string | undefined
}

/** A recorder that is a process on the node, reached by SSH. */
export class NodeSshRecorder implements Recorder {
  readonly record: CaptureRecord
  readonly endpoint: RecorderEndpoint
  readonly #platform: NodePlatform
  readonly #planned: NodeLogin | undefined
  readonly #session: NodeSession
  /** touched: this process or an earlier one may have put something on the node */
  #node: 'untouched' | 'touched'
  /** what was put there and cannot be removed, in words */
  #leftover: string | undefined

  /** @throws TypeError for a record of another method */
  constructor(access: NodeAccess, record: CaptureRecord, options: NodeSshOptions = {}) {
    const { planned, mayBeThere = planned === undefined, leftover } = options
    if (record.method.kind !== 'ssh') throw new TypeError(`${record.captureId} is not recorded by SSH`)
    this.record = record
    this.#platform = access.platform
    this.#planned = planned
    this.#session = new NodeSession(access, record, record.method.login, planned)
    this.#node = mayBeThere ? 'touched' : 'untouched'
    this.#leftover = leftover
    const { captureId } = record
    this.endpoint = {
      // The environment lets clean-up find a follower whose client is gone while its connection is not.
      open: async (command, handlers) =>
        (await this.#session.open()).open(asRoot(['env', `CAPTURE_NAME=${captureId}`, ...command]), handlers),
      state: async () =>
        this.#node === 'untouched'
          ? { kind: 'gone', reason: 'the node was not touched' }
          : recorderState(this.#session.open(), captureId),
      spoolDirs: runFolders(captureId).map((folder) => `${folder}/${captureId}`),
    }
  }

  check(): Promise<readonly string[]> {
    return this.#planned?.check() ?? Promise.resolve([])
  }

  async start(events: CaptureEvents, cancel: AbortSignal): Promise<string | undefined> {
    this.#session.onWaiting = events.onWaiting
    const session = await this.#session.open(cancel)
    if (this.#planned) events.onCreated(this.#planned.grantText)
    const facts = requireRoot(await probeNode(session, spoolRoots), this.#platform)
    const tool = chooseTool(facts, this.record.plan.toolboxImage)
    const spool = chooseSpool(facts, this.record.plan.spoolLimitBytes)
    this.#node = 'touched'
    events.onTouchingNode()
    const used = await this.#install(session, events, { facts, tool, spool })
    if (cancel.aborted) throw new Cancelled(methodOf(this.record).cancelledBeforeStart)
    const node = recordedNode(this.record)
    events.onCreated(`Started the recorder ${this.record.captureId} on ${node}, with ${used}`)
    this.#warnOfPinnedKey(session, events)
    return awaitStart(this.endpoint, this.record, events, cancel)
  }

  abandonStart(): Promise<CleanupResult> {
    return this.cleanUp()
  }

  async cleanUp(): Promise<CleanupResult> {
    const files = this.#node === 'touched' ? await this.#removeFiles() : []
    this.#session.close()
    const logins = await this.#session.revokeLogins()
    const keys = new Set(logins.flatMap(({ leftovers }) => leftovers))
    return {
      leftovers: [...(this.#leftover === undefined ? [] : [this.#leftover]), ...files, ...keys],
      unfinished: files.length > 0 || logins.some(({ isRevoked }) => !isRevoked),
    }
  }

  async #removeFiles(): Promise<readonly string[]> {
    try {
      return await removeRecorder(await this.#session.open(), this.record)
    } catch (error) {
      return [filesLeft(this.record, error)]
    }
  }

  /** @returns what records, in words */
  async #install(
    session: SshSession,
    events: CaptureEvents,
    { facts, tool, spool }: { readonly facts: RootedNodeFacts; readonly tool: NodeTool; readonly spool: SpoolChoice },
  ): Promise<string> {
    const { record } = this
    const folder = runFolderIn(spool.directory, record.captureId)
    let prefix: readonly string[] = []
    let used = `tcpdump ${facts.tcpdump?.version ?? ''} of the node`
    if (tool.kind === 'toolbox') {
      const version = await prepareToolbox(session, facts, tool, {
        fixes: this.#platform.fixes,
        maxSeconds: this.#secondsForToolbox(),
        onProgress: events.onWaiting,
        onLeftover: (leftover) => this.#saveLeftover(leftover, events),
      })
      prefix = toolboxCommand({ root: 'already', tool, argv: [], bind: folder, home: folder })
      used = `tcpdump ${version} of the toolbox`
    }
    const filter = await this.#filterFor(session)
    const plan = { ...record.plan, filter, spoolLimitBytes: spool.limitBytes }
    await startRecorder(session, record, { folder, plan, prefix, nodeTimeSeconds: facts.clockSeconds })
    return used
  }

  /** The deadline does not move: more time would be missing from the duration. */
  #secondsForToolbox(): number {
    const { deadlineHereMs: deadlineHere, plan } = this.record
    return Math.floor((deadlineHere - Date.now()) / 1000) - plan.durationSeconds - slackSeconds
  }

  #saveLeftover(leftover: string | undefined, events: CaptureEvents): void {
    this.#leftover = leftover === undefined ? undefined : sanitizeRemoteText(leftover, 1_000)
    events.onTouchingNode(this.#leftover)
  }

  /** A capture of the whole node leaves out the SSH connection that carries it. */
  async #filterFor(session: SshSession): Promise<string | undefined> {
    const { method, plan } = this.record
    if (method.kind !== 'ssh' || !method.whole) return plan.filter
    const { stdout } = await session.run(['sh', '-c', connectionScript])
    const connection = /^connection ([0-9a-f.:]+ \d+ [0-9a-f.:]+ \d+)$/m.exec(stdout)?.[1]
    return filterWithoutSsh({ connection, tunnelRanges: this.#platform.tunnelRanges }, plan.filter)
  }

  #warnOfPinnedKey(session: SshSession, events: CaptureEvents): void {
    if (!session.isHostKeyPinned) return
    events.onCaution(
      `node-method: the host key of ${recordedNode(this.record)} is not published, so the one seen first is trusted and pinned for this run: ` +
        `${session.hostKey ?? 'unknown'}. ${this.#planned?.hostKeyFix ?? ''}`.trimEnd(),
    )
  }
}
