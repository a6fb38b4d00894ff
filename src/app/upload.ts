import { copyFile, link, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { Cancelled, ConfigurationError, messageOf, renderProblem, type Problem } from '../common/errors.ts'
import { formatSize } from '../common/quantities.ts'
import { pause } from '../common/timeouts.ts'
import type { CaptureReport } from '../report/report.ts'
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

/**
 * Uploads the capture of a report, several times where the cause may pass: the file on a hosted runner is lost with the job.
 * @returns the report with its artifact, which has another name where the first one was taken, or with the problem of its upload
 * @throws Cancelled, when a cancel came between two tries
 */
export async function uploadReport(report: CaptureReport, context: UploadContext): Promise<CaptureReport> {
  if (report.pcapPath === undefined) return { ...report, uploadProblem: nothingArrived }
  return new Upload(report, report.pcapPath, context).run()
}

/** One file on its way to an artifact. */
class Upload {
  readonly #report: CaptureReport
  readonly #path: string
  readonly #context: UploadContext
  /** of the artifact, and of the file that it is made from */
  #name: string
  #namesTaken = 0
  /** The name may be taken by an upload of this job that did not end: of an earlier try, or of main, which a cancel cut off. */
  #mayBeTakenByUs: boolean

  constructor(report: CaptureReport, path: string, context: UploadContext) {
    this.#report = report
    this.#path = path
    this.#context = context
    this.#name = basename(path)
    this.#mayBeTakenByUs = context.isPost
  }

  async run(): Promise<CaptureReport> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.#tryNames()
      } catch (error) {
        const isLate = Date.now() - this.#context.beganMs > maxTryingMs
        const waitMs = isLate ? undefined : waitsMs[tries - 1]
        if (waitMs === undefined || !(error instanceof UploadError) || !error.isTransient) {
          return { ...this.#report, uploadProblem: problemOf(error) }
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
  async #tryNames(): Promise<CaptureReport> {
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
    return basename(this.#path).replace(/\.pcap$/, `${suffix}.pcap`)
  }

  /** An artifact is named after its file. The file itself keeps its name: post looks for it there when main is killed now. */
  async #upload(): Promise<CaptureReport> {
    const { job, log, retentionDays, uploadFile = uploadRaw } = this.#context
    const path = join(dirname(this.#path), this.#name)
    if (path !== this.#path) await link(this.#path, path).catch(() => copyFile(this.#path, path))
    try {
      const { id, digest } = await log.group(`Upload ${this.#name} (${formatSize(this.#report.bytes)})`, () =>
        uploadFile(path, this.#name, retentionDays),
      )
      return { ...this.#report, artifact: { id, name: this.#name, digest, url: job.artifactUrl(id) } }
    } finally {
      if (path !== this.#path) await rm(path, { force: true })
    }
  }
}

const nothingArrived: Problem = {
  code: 'E_CAPTURE_INCOMPLETE',
  input: 'pod',
  problem: 'no bytes of the capture arrived, so there is nothing to upload',
  fix: 'The verdict has the reason.',
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
