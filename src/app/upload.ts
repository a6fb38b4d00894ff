import { copyFile, link, rm, stat } from 'node:fs/promises'
import { basename, dirname, extname, join } from 'node:path'
import { Cancelled, ConfigurationError, messageOf, renderProblem, type Problem } from '../common/errors.ts'
import { formatSize } from '../common/quantities.ts'
import { pause } from '../common/timeouts.ts'
import type { ArtifactReport } from '../report/report.ts'
import { UploadError, uploadRaw } from '../runner/artifact.ts'
import type { Job } from '../runner/job.ts'
import type { Log } from '../runner/log.ts'

export interface UploadContext {
  readonly job: Job
  readonly log: Log
  readonly retentionDays: number | undefined
  /** post runs after a main that may have begun an upload */
  readonly isPost: boolean
  readonly cancel?: AbortSignal | undefined
  /** when the first upload of the run began, ms since the epoch */
  readonly beganMs: number
  /** uploads one file, once; a test has another one */
  readonly uploadFile?: typeof uploadRaw
}

/** How long to wait before the second and the third try. The libraries try single requests again by themselves, for about 30 s. */
const waitsMs = [2_000, 10_000]
/** No try is decided on later than this after the first one of the run: a stalled upload takes the library 5 minutes to notice. */
const maxTryingMs = 600_000

/** The artifact that a file became, or why there is none. */
export type UploadOutcome = { readonly artifact: ArtifactReport } | { readonly problem: Problem }

/**
 * Uploads one file, several times where the cause may pass: the file on a hosted runner is lost with the job. The artifact has another name
 * where the first one was taken.
 * @throws Cancelled, when a cancel came between two tries
 */
export async function uploadFile(path: string, context: UploadContext): Promise<UploadOutcome> {
  return new Upload(path, context).run()
}

/** One file on its way to an artifact. */
class Upload {
  readonly #path: string
  readonly #context: UploadContext
  /** of the artifact, and of the file that it is made from */
  #name: string
  #namesTaken = 0
  /** The name may be taken by an upload of this job that did not end: of an earlier try, or of main, which a cancel cut off. */
  #mayBeTakenByUs: boolean

  constructor(path: string, context: UploadContext) {
    this.#path = path
    this.#context = context
    this.#name = basename(path)
    this.#mayBeTakenByUs = context.isPost
  }

  async run(): Promise<UploadOutcome> {
    for (let tries = 1; ; tries += 1) {
      try {
        return { artifact: await this.#tryNames() }
      } catch (error) {
        const isLate = Date.now() - this.#context.beganMs > maxTryingMs
        const waitMs = isLate ? undefined : waitsMs[tries - 1]
        if (waitMs === undefined || !(error instanceof UploadError) || !error.isTransient) {
          return { problem: problemOf(error) }
        }
        await this.#waitAfter(error, Math.max(waitMs, error.retryAfterMs))
      }
    }
  }

  async #waitAfter(error: UploadError, ms: number): Promise<void> {
    const { log, cancel } = this.#context
    log.info(`The upload failed: ${renderProblem(error.problems[0])}`)
    log.info(`It is tried again in ${Math.round(ms / 1_000)} s`)
    this.#mayBeTakenByUs = true
    await pause(ms, cancel)
    if (cancel?.aborted) throw new Cancelled('The upload was cancelled between two tries.')
  }

  /** One try. An artifact cannot be replaced, so a name that an earlier try has taken cannot be used again. */
  async #tryNames(): Promise<ArtifactReport> {
    try {
      return await this.#upload()
    } catch (error) {
      const isTaken = error instanceof UploadError && error.problems[0].code === 'E_ARTIFACT_NAME_TAKEN'
      if (!isTaken || !this.#mayBeTakenByUs) throw error
    }
    this.#mayBeTakenByUs = false
    this.#name = this.#nextName()
    return this.#upload()
  }

  #nextName(): string {
    this.#namesTaken += 1
    const count = this.#namesTaken
    const suffix = this.#context.isPost ? (count === 1 ? '-post' : `-post-${count}`) : `-${count + 1}`
    const extension = extname(this.#path)
    return `${basename(this.#path, extension)}${suffix}${extension}`
  }

  /** An artifact is named after its file. The file itself keeps its name: post looks for it there when main is killed now. */
  async #upload(): Promise<ArtifactReport> {
    const { job, log, retentionDays, uploadFile: upload = uploadRaw } = this.#context
    const path = join(dirname(this.#path), this.#name)
    if (path !== this.#path) await link(this.#path, path).catch(() => copyFile(this.#path, path))
    try {
      const { size } = await stat(this.#path)
      const { id, digest } = await log.group(`Upload ${this.#name} (${formatSize(size)})`, () =>
        upload(path, this.#name, retentionDays),
      )
      return { id, name: this.#name, digest, url: job.artifactUrl(id) }
    } finally {
      if (path !== this.#path) await rm(path, { force: true })
    }
  }
}

function problemOf(error: unknown): Problem {
  if (error instanceof ConfigurationError) return error.problems[0]
  return {
    code: 'E_ARTIFACT_UPLOAD',
    input: 'artifact-name',
    problem: 'the artifact cannot be uploaded',
    message: messageOf(error),
    fix: 'Run the job again.',
  }
}
