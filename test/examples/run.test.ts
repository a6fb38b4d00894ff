import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { load } from 'js-yaml'
import { runJob, type JobOptions, type JobResult, type JobStep } from '../runner/job.ts'
import { podsLack, sandboxSupport, startCluster, type SandboxCluster } from '../sandbox/cluster/start.ts'
import { startControlPlane, type ControlPlane } from '../sandbox/google/front-door.ts'
import { skipped } from '../support/needs.ts'
import { startGoogle, type GoogleServices } from '../sandbox/google/start.ts'
import { startResults, type ResultsService } from '../sandbox/results/start.ts'

const root = join(import.meta.dirname, '../..')
const support = await sandboxSupport()

let temp: string

beforeEach(() => {
  temp = mkdtempSync(join(tmpdir(), 'example-'))
})

afterEach(() => {
  rmSync(temp, { recursive: true, force: true })
})

/** Runs the unchanged example, except that it captures for 3 seconds and not for 60. */
function runExample(name: string, env: Record<string, string>, options: Partial<JobOptions> = {}): Promise<JobResult> {
  const path = join(temp, `${name}.yml`)
  writeFileSync(
    path,
    readFileSync(join(root, 'docs/examples', `${name}.yml`), 'utf8').replace('duration: 60s', 'duration: 3s'),
  )
  return runJob(path, { actionPath: root, temp, env, ...options })
}

const step = (job: JobResult, name: RegExp): JobStep => {
  const found = job.steps.find((one) => name.test(one.name))
  if (found === undefined) throw new Error(`no step ${String(name)} in: ${job.log}`)
  return found
}

/** A fake kubectl that returns the given exit codes and records its arguments. */
function fakeKubectl(answers: { apply: number; rollout: number }): {
  env: Record<string, string>
  asked: () => string[]
} {
  const folder = join(temp, 'bin')
  mkdirSync(folder)
  const kubeconfig = join(temp, 'kubeconfig')
  writeFileSync(kubeconfig, 'left by get-gke-credentials', { mode: 0o600 })
  const path = join(folder, 'kubectl')
  const asked = join(temp, 'kubectl.txt')
  writeFileSync(
    path,
    `#!/bin/sh
test -r "$KUBECONFIG" || exit 9
echo "$*" >> ${asked}
case "$1" in
apply) exit ${String(answers.apply)} ;;
rollout) exit ${String(answers.rollout)} ;;
esac
`,
  )
  chmodSync(path, 0o755)
  return {
    env: { PATH: `${folder}:${process.env.PATH ?? ''}`, KUBECONFIG: kubeconfig },
    asked: () => readFileSync(asked, 'utf8').trimEnd().split('\n'),
  }
}

describe('after-failed-deploy, without a cluster', () => {
  it('captures nothing after a successful rollout', async () => {
    const kubectl = fakeKubectl({ apply: 0, rollout: 0 })
    const job = await runExample('after-failed-deploy', kubectl.env)
    expect(job.conclusion).toBe('success')
    expect(step(job, /^Capture/).outcome).toBe('skipped')
    expect(kubectl.asked()).toEqual([
      'apply --namespace shop --filename k8s/',
      'rollout status deployment/checkout --namespace shop --timeout 3m',
    ])
  })

  it('captures nothing when a step before the rollout failed', async () => {
    const job = await runExample('after-failed-deploy', fakeKubectl({ apply: 1, rollout: 0 }).env)
    expect(job.conclusion).toBe('failure')
    expect(step(job, /^Capture/).outcome).toBe('skipped')
  })
})

// A machine that cannot run the sandbox skips these tests with the reason; in CI they fail.
const reason = skipped(await podsLack())
const able = support.supported || process.env.CI !== undefined

;(able ? describe : describe.skip)(`the examples in the sandbox${reason}`, () => {
  let cluster: SandboxCluster
  let google: GoogleServices
  let plane: ControlPlane
  let results: ResultsService
  let store: string

  /** For Google credentials, the cluster is a GKE cluster: the service account is its user `dev`. */
  beforeAll(async () => {
    cluster = await startCluster()
    google = await startGoogle()
    interface Config {
      clusters: { cluster: { 'certificate-authority-data': string } }[]
      users: { user: { token: string } }[]
    }
    const config = load(cluster.kubeconfig('dev')) as Config
    const authority = Buffer.from(config.clusters[0]?.cluster['certificate-authority-data'] ?? '', 'base64').toString()
    plane = await startControlPlane(new URL(cluster.server), authority, (token) =>
      google.identify(token)?.name === google.serviceAccount ? config.users[0]?.user.token : undefined,
    )
    google.addCluster({ address: plane.address, certificateAuthority: plane.certificateAuthority })
  }, 60_000)

  afterAll(async () => {
    await plane.stop()
    await google.stop()
    await cluster.stop()
  }, 60_000)

  /** The variables of the example's environment. */
  const variables = (): Record<string, string> => ({
    GKE_CLUSTER: 'projects/shop-prod/locations/europe-west1/clusters/shop',
    WORKLOAD_IDENTITY_PROVIDER: google.provider,
    SERVICE_ACCOUNT: google.serviceAccount,
  })
  const services = (): Record<string, string> => ({ ...results.env(), ...google.env() })

  beforeEach(async () => {
    store = mkdtempSync(join(tmpdir(), 'artifacts-'))
    results = await startResults({ directory: store })
  })

  afterEach(async () => {
    await results.stop()
    rmSync(store, { recursive: true })
  })

  /** The packets of the only artifact as lines of tcpdump output. */
  const packets = (): string[] => {
    expect(results.captures).toHaveLength(1)
    const file = results.captures[0]?.path ?? ''
    return execFileSync('tcpdump', ['-n', '-r', file], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
      .trimEnd()
      .split('\n')
  }

  it('incident: captures with the inputs of the form and records the reason', async () => {
    const reasonGiven = `INC-42 "; touch ${temp}/pwned; $(touch ${temp}/pwned) <b>*bold*</b>`
    const job = await runExample('incident', services(), {
      inputs: {
        pod: 'deployment/checkout',
        namespace: 'shop',
        duration: '3s',
        filter: 'tcp port 8080',
        reason: reasonGiven,
      },
      variables: variables(),
    })

    expect(job).toMatchObject({ conclusion: 'success' })
    expect(existsSync(join(temp, 'pwned'))).toBe(false)
    expect(step(job, /^Record the requester/).main?.summary).toContain(`\n    reason: ${reasonGiven}\n`)

    const capture = step(job, /^Capture/)
    expect(capture.outputs).toMatchObject({ verdict: 'complete', 'stop-reason': 'duration' })
    expect(capture.main?.summary).toContain('checkout')
    expect(capture.post?.exitCode).toBe(0)
    const lines = packets()
    expect(String(lines.length)).toBe(capture.outputs.packets)
    for (const line of lines) expect(line).toMatch(/\.8080[ :]/)
    expect(results.captures[0]?.expiresAt).toBeDefined()

    // There is no stored secret: the job has only its own token.
    expect(google.count('github.idToken')).toBeGreaterThan(0)
    expect(job.log).not.toMatch(/eyJ|ya29\./)
  }, 60_000)

  it('scheduled: captures and reports the counts', async () => {
    const job = await runExample('scheduled', services(), { variables: variables() })
    expect(job).toMatchObject({ conclusion: 'success' })
    const { packets: count = '', bytes = '' } = step(job, /^Capture/).outputs
    expect(Number(count)).toBe(packets().length)
    expect(step(job, /^Write a one-line notice/).main?.notices).toEqual([
      {
        level: 'notice',
        message: `complete, ${count} packets, ${bytes} bytes`,
        properties: { title: 'Weekly packet capture' },
      },
    ])
  }, 60_000)

  it('scheduled: fails when the capture is empty', async () => {
    const path = join(temp, 'empty.yml')
    const text = readFileSync(join(root, 'docs/examples/scheduled.yml'), 'utf8')
    writeFileSync(path, text.replace('duration: 60s', 'duration: 2s').replace('tcp port 8080', 'tcp port 8081'))
    const job = await runJob(path, { actionPath: root, temp, env: services(), variables: variables() })
    expect(job.conclusion).toBe('failure')
    expect(step(job, /^Capture/).outputs.verdict).toBe('empty')
    expect(step(job, /^Write a one-line notice/).outcome).toBe('skipped')
  }, 60_000)

  it('after-failed-deploy: captures the pod that is not ready, and the job still fails', async () => {
    const { env } = fakeKubectl({ apply: 0, rollout: 1 })
    writeFileSync(env.KUBECONFIG ?? '', cluster.kubeconfig('dev'))
    const job = await runExample('after-failed-deploy', { ...results.env(), ...env })

    expect(job.conclusion).toBe('failure')
    const capture = step(job, /^Capture/)
    expect(capture).toMatchObject({ outcome: 'success', outputs: { verdict: 'complete' } })
    const [, name = ''] = /pod (checkout-\S+)/.exec(capture.main?.log ?? '') ?? []
    const ready = cluster.pod('shop', name)?.status.conditions?.find((condition) => condition.type === 'Ready')
    expect(ready?.status).toBe('False')
    expect(packets().length).toBeGreaterThan(0)
  }, 60_000)
})
