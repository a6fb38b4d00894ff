import { defaultArtifactName, readJob } from '../../../src/runner/job.ts'

const env = {
  GITHUB_REPOSITORY: 'octocat/shop',
  GITHUB_RUN_ID: '1658821493',
  GITHUB_RUN_ATTEMPT: '2',
  GITHUB_JOB: 'capture',
  GITHUB_SERVER_URL: 'https://git.example',
  RUNNER_TEMP: '/runner/_temp',
}

it('reads repository, run and folders from the environment', () => {
  const job = readJob(env)
  expect(job).toMatchObject({ repository: 'octocat/shop', runId: '1658821493', attempt: '2', job: 'capture' })
  expect(job.temp).toBe('/runner/_temp/kubernetes-packet-capture')
  expect(job.artifactUrl(7)).toBe('https://git.example/octocat/shop/actions/runs/1658821493/artifacts/7')
  expect(readJob({ ...env, GITHUB_SERVER_URL: undefined }).artifactUrl(7)).toMatch(/^https:\/\/github\.com\/octocat/)
})

it.each([
  ['https://github.com', 'https://github.com/octocat/shop'],
  ['https://octocorp.ghe.com', 'https://octocorp.ghe.com/octocat/shop'],
  ['https://git.example/', 'https://git.example/octocat/shop'],
])('links an artifact on the server %s', (server, repository) => {
  const job = readJob({ ...env, GITHUB_SERVER_URL: server })
  expect(job.artifactUrl(7)).toBe(`${repository}/actions/runs/1658821493/artifacts/7`)
})

it('has defaults outside a job', () => {
  expect(readJob({}).temp).toMatch(/kubernetes-packet-capture$/)
  expect(defaultArtifactName('web', readJob({}))).toMatch(/^capture-web-/)
})

describe('the default name of the artifact', () => {
  const name = (pod: string, changes: Record<string, string> = {}): string =>
    defaultArtifactName(pod, readJob({ ...env, ...changes }))

  it('contains pod, run, attempt and job, and is unique, because the jobs of a matrix have the same name', () => {
    expect(name('web-1')).toMatch(/^capture-web-1-1658821493-2-capture-\w+$/)
    const names = Array.from({ length: 20 }, () => name('web-1'))
    expect(new Set(names).size).toBe(20)
  })

  it('has no character that the service or a file system rejects, and has a limited length', () => {
    const long = name('a.b-'.repeat(63), { GITHUB_JOB: 'öé "<>|*?:/\\ \n'.repeat(30) })
    expect(long).toMatch(/^[\w.-]+$/)
    expect(`${long}.pcap.part`.length).toBeLessThan(256)
  })
})
