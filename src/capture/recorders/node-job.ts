import { ApiError, call } from '../../cluster/api.ts'
import type { Connection } from '../../cluster/connection.ts'
import { messageOf } from '../../common/errors.ts'
import { sanitizeRemoteText, toOneLine } from '../../common/remote-text.ts'
import { pause } from '../../common/timeouts.ts'
import { urlPath } from '../../common/url-path.ts'
import { spoolDirsOf } from '../plan.ts'
import { recordedNode, type CaptureRecord } from '../record.ts'
import type { RecorderEndpoint } from './endpoint.ts'
import { NodeJobPod } from './node-job-pod.ts'
import { jobOf, maxLifeSeconds, podOf, timeToLiveSeconds } from './node-job-spec.ts'
import type { CaptureEvents, CleanupResult, Recorder } from './recorder.ts'
import { startAndDeliver } from './delivery.ts'
import { NothingCreated } from './start-failure.ts'

/** Until the cluster has removed the pod of a Job that was deleted now. */
const removalGraceMs = 20_000
/** The same, where the Job was deleted before. */
const laterRemovalGraceMs = 10_000

/**
 * A recorder in a pod of its own that uses the network of the node. A Job and not only a pod: the cluster stops it at its deadline and deletes
 * it some time after its end, even when the runner never comes back.
 */
export function nodePodRecorder(connection: Connection, record: CaptureRecord, namespace: string): Recorder {
  return new NodePodRecorder(connection, record, namespace)
}

class NodePodRecorder implements Recorder {
  readonly record: CaptureRecord
  readonly endpoint: RecorderEndpoint
  readonly #connection: Connection
  readonly #namespace: string
  readonly #pod: NodeJobPod

  constructor(connection: Connection, record: CaptureRecord, namespace: string) {
    const pod = new NodeJobPod(connection, namespace, record.captureId)
    this.record = record
    this.#connection = connection
    this.#namespace = namespace
    this.#pod = pod
    this.endpoint = {
      open: async (command, handlers) => (await pod.endpoint()).open(command, handlers),
      state: () => pod.state(),
      spoolDirs: spoolDirsOf(record.captureId),
    }
  }

  async check(): Promise<readonly string[]> {
    // Every Job is admitted, whatever its pod is. Pod Security, quotas and webhooks decide on the pod.
    await this.#create(urlPath`/api/v1/namespaces/${this.#namespace}/pods?dryRun=All`, podOf(this.record))
    await this.#create(`${this.#jobs}?dryRun=All`, jobOf(this.record))
    return [`Admission: the cluster allows the node pod in ${this.#namespace}`]
  }

  async start(events: CaptureEvents, cancel: AbortSignal): Promise<string | undefined> {
    const { record } = this
    await this.#create(this.#jobs, jobOf(record))
    events.onCreated(`Created the Job ${record.captureId} in ${this.#namespace}, for node ${recordedNode(record)}`)
    return startAndDeliver(this.endpoint, record, events, cancel)
  }

  abandonStart(): Promise<CleanupResult> {
    return this.cleanUp()
  }

  /** The Job and its pod are deleted, and the pod is waited for. */
  async cleanUp(): Promise<CleanupResult> {
    let graceMs = removalGraceMs
    try {
      await this.#pod.delete(() => pause(1_000))
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 404))
        return { leftovers: [this.#jobLeft(error)], unfinished: true }
      graceMs = laterRemovalGraceMs
    }
    const end = Date.now() + graceMs
    while (Date.now() < end) {
      if ((await this.#pod.state()).kind === 'gone') return { leftovers: [], unfinished: false }
      await pause(300)
    }
    return { leftovers: [this.#podLeft()], unfinished: false }
  }

  get #jobs(): string {
    return urlPath`/apis/batch/v1/namespaces/${this.#namespace}/jobs`
  }

  async #create(path: string, value: unknown): Promise<void> {
    try {
      await call(this.#connection, 'POST', path, { body: { type: 'application/json', value } })
    } catch (error) {
      throw error instanceof ApiError ? rejected(error, this.record, this.#namespace) : error
    }
  }

  #jobLeft(error: unknown): string {
    const latest = maxLifeSeconds(this.record.plan) + timeToLiveSeconds
    return (
      `the Job ${this.record.captureId} in ${this.#namespace}: it could not be deleted (${sanitizeRemoteText(messageOf(error), 500)}); ` +
      `it ends by itself, and the cluster deletes it ${timeToLiveSeconds} s after its end, at the latest ${latest} s after its start`
    )
  }

  #podLeft(): string {
    const { name } = this.#pod
    const job = `of the Job ${this.record.captureId} in ${this.#namespace}, which is deleted; its recorder ends by itself`
    if (name === undefined) return `the pod ${job}`
    return `the pod ${name} ${job}; if the pod remains, delete it with \`kubectl -n ${this.#namespace} delete pod ${name}\``
  }
}

function rejected(error: ApiError, record: CaptureRecord, namespace: string): Error {
  const input = 'node-namespace'
  const docs = 'docs/rbac/platform.yaml'
  const message = toOneLine(error.message, 2_000)
  if (/violates PodSecurity/.test(error.message)) {
    return new NothingCreated({
      code: 'E_POD_SECURITY',
      input,
      docs,
      problem: `${JSON.stringify(namespace)} enforces a Pod Security level that forbids a node pod`,
      message,
      fix:
        'A pod in the network of its node needs the level "privileged". Use a namespace that is kept for captures and has the label ' +
        'pod-security.kubernetes.io/enforce=privileged.',
    })
  }
  if (error.status === 404) {
    const label = 'pod-security.kubernetes.io/enforce=privileged'
    return new NothingCreated({
      code: 'E_NODE_NAMESPACE_NOT_FOUND',
      input,
      docs,
      problem: `there is no namespace ${JSON.stringify(namespace)}`,
      fix: 'Create it:',
      command: `kubectl create namespace ${namespace} && kubectl label namespace ${namespace} ${label}`,
    })
  }
  if (error.status >= 500) return error
  return new NothingCreated({
    code: 'E_NODE_POD_REJECTED',
    input,
    docs,
    problem: `the cluster rejects a node pod for ${recordedNode(record)} in ${JSON.stringify(namespace)}`,
    message,
    fix: 'Ask an admin of the cluster which policy applies, or use another namespace.',
  })
}
