import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Problem } from '../common/errors.ts'
import { artifactServiceProblem } from './artifact-service.ts'

/** The job that this step runs in, from the runner's variables. */
export interface Job {
  readonly repository: string
  readonly runId: string
  readonly attempt: string
  readonly job: string
  /** where the part files and the pcap files are written */
  readonly temp: string
  /** why an artifact cannot be uploaded from this job; undefined where it can */
  readonly artifactProblem: Problem | undefined
  readonly artifactUrl: (id: number) => string
}

export function readJob(env: NodeJS.ProcessEnv): Job {
  const repository = env['GITHUB_REPOSITORY'] ?? ''
  const runId = env['GITHUB_RUN_ID'] ?? '0'
  const server = (env['GITHUB_SERVER_URL'] ?? 'https://github.com').replace(/\/+$/, '')
  return {
    repository,
    runId,
    attempt: env['GITHUB_RUN_ATTEMPT'] ?? '1',
    job: env['GITHUB_JOB'] ?? 'job',
    temp: join(env['RUNNER_TEMP'] ?? tmpdir(), 'kubernetes-packet-capture'),
    artifactProblem: artifactServiceProblem(env),
    artifactUrl: (id) => `${server}/${repository}/actions/runs/${runId}/artifacts/${id}`,
  }
}

/** Unique for each capture: jobs of a matrix share GITHUB_JOB, and two captures may share a job. `subject`: the name of the pod or node. */
export function defaultArtifactName(subject: string, job: Job): string {
  const name = [
    'capture',
    subject.slice(0, 80),
    job.runId,
    job.attempt,
    job.job.slice(0, 60),
    randomBytes(4).toString('hex'),
  ]
  return name.join('-').replace(/[^\w.-]/g, '_')
}
