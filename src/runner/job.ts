import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Where this step runs, from the runner's variables. */
export interface Job {
  readonly repository: string
  readonly runId: string
  readonly attempt: string
  readonly job: string
  readonly temp: string
  readonly artifactUrl: (id: number) => string
  /** relative to the run's page */
  readonly artifactLink: (id: number) => string
}

export function readJob(env: NodeJS.ProcessEnv): Job {
  const repository = env['GITHUB_REPOSITORY'] ?? ''
  const runId = env['GITHUB_RUN_ID'] ?? '0'
  const server = env['GITHUB_SERVER_URL'] ?? 'https://github.com'
  return {
    repository,
    runId,
    attempt: env['GITHUB_RUN_ATTEMPT'] ?? '1',
    job: env['GITHUB_JOB'] ?? 'job',
    temp: join(env['RUNNER_TEMP'] ?? tmpdir(), 'kubernetes-packet-capture'),
    artifactUrl: (id) => `${server}/${repository}/actions/runs/${runId}/artifacts/${id}`,
    artifactLink: (id) => `./${runId}/artifacts/${id}`,
  }
}

/** Unique per step: jobs of a matrix share GITHUB_JOB, and two captures may share a job. */
export function defaultArtifactName(pod: string, job: Job): string {
  const name = [
    'capture',
    pod.slice(0, 80),
    job.runId,
    job.attempt,
    job.job.slice(0, 60),
    randomBytes(2).toString('hex'),
  ]
  return name.join('-').replace(/[^\w.-]/g, '_')
}
