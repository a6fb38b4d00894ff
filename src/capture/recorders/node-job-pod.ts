import { ApiError, call } from '../../cluster/api.ts'
import type { Connection } from '../../cluster/connection.ts'
import type { Pod } from '../../cluster/pod.ts'
import { messageOf } from '../../common/errors.ts'
import { sanitizeRemoteText } from '../../common/remote-text.ts'
import { urlPath } from '../../common/url-path.ts'
import { containerEndpoint, containerState, type ContainerSource } from './container-endpoint.ts'
import { maxMessageLength, type RecorderEndpoint, type RecorderState } from './endpoint.ts'

const requestTimeoutMs = 10_000

/** A Job, and its only pod once the Job controller has created it. */
export class NodeJobPod {
  readonly #connection: Connection
  readonly #namespace: string
  readonly #job: string
  #pod: { readonly name: string; readonly uid: string } | undefined

  constructor(connection: Connection, namespace: string, job: string) {
    this.#connection = connection
    this.#namespace = namespace
    this.#job = job
  }

  get jobPath(): string {
    return urlPath`/apis/batch/v1/namespaces/${this.#namespace}/jobs/${this.#job}`
  }

  /** of the pod, once it was found */
  get name(): string | undefined {
    return this.#pod?.name
  }

  /** Never rejects. */
  async state(): Promise<RecorderState> {
    try {
      const source = await this.#source()
      return source === undefined ? await this.#jobState() : await containerState(source)
    } catch (error) {
      return { kind: 'unknown', reason: messageOf(error) }
    }
  }

  /** @throws where the Job has no pod yet, or the API server does not answer */
  async endpoint(): Promise<RecorderEndpoint> {
    const source = await this.#source()
    if (source === undefined) throw new Error(`the Job ${this.#job} has no pod`)
    return containerEndpoint(source)
  }

  /** Deletes the Job, and with it the pod. Retried where the API server fails; a second request does no harm. @throws ApiError */
  async delete(retryDelay: () => Promise<void>): Promise<void> {
    const body = { type: 'application/json', value: { propagationPolicy: 'Background' } }
    for (let attempt = 1; ; attempt += 1) {
      try {
        await call(this.#connection, 'DELETE', this.jobPath, { body, timeoutMs: requestTimeoutMs })
        return
      } catch (error) {
        if (attempt === 3 || (error instanceof ApiError && error.status < 500)) throw error
        await retryDelay()
      }
    }
  }

  async #source(): Promise<ContainerSource | undefined> {
    this.#pod ??= await this.#find()
    if (this.#pod === undefined) return undefined
    const { name, uid } = this.#pod
    return { connection: this.#connection, namespace: this.#namespace, pod: name, uid, container: this.#job }
  }

  async #find(): Promise<{ readonly name: string; readonly uid: string } | undefined> {
    const query = new URLSearchParams({ labelSelector: `batch.kubernetes.io/job-name=${this.#job}` })
    const path = `${urlPath`/api/v1/namespaces/${this.#namespace}/pods`}?${query.toString()}`
    const { body } = await call(this.#connection, 'GET', path, { timeoutMs: requestTimeoutMs })
    const { items = [] } = body as { items?: readonly Pod[] }
    const { name, uid } = items[0]?.metadata ?? {}
    return name === undefined || uid === undefined ? undefined : { name, uid }
  }

  /** While there is no pod: whether one may still be created, and why it was not. */
  async #jobState(): Promise<RecorderState> {
    try {
      const { body } = await call(this.#connection, 'GET', this.jobPath, { timeoutMs: requestTimeoutMs })
      const { conditions = [] } = (body as { status?: { conditions?: readonly JobCondition[] } }).status ?? {}
      const failed = conditions.find(({ type, status }) => type === 'Failed' && status === 'True')
      if (failed) {
        const reason = sanitizeRemoteText(failed.reason ?? 'Failed', maxMessageLength)
        return { kind: 'terminated', reason, message: sanitizeRemoteText(failed.message ?? '', maxMessageLength) }
      }
      return { kind: 'waiting' }
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return { kind: 'gone', reason: 'the Job was deleted' }
      throw error
    }
  }
}

interface JobCondition {
  readonly type?: string
  readonly status?: string
  readonly reason?: string
  readonly message?: string
}
