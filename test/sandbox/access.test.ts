import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { load } from 'js-yaml'
import { createRunner } from '../runner/runner.ts'
import type { StepResult } from '../runner/step-process.ts'
import { startCluster, type SandboxCluster } from './cluster/start.ts'
import { startControlPlane, type ControlPlane } from './google/front-door.ts'
import { startGoogle, type GoogleServices } from './google/start.ts'

/** The committed bundle enters the embedded API server in each way that needs no kubeconfig, as far as `preflight: only` goes. */

const subject = 'repo:octo-org/shop:environment:production'
let folder: string
let cluster: SandboxCluster
let google: GoogleServices
let plane: ControlPlane
let token: string
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'access-'))
  cluster = await startCluster({ pods: false })
  google = await startGoogle()
  interface Config {
    clusters: { cluster: { 'certificate-authority-data': string } }[]
    users: { user: { token: string } }[]
  }
  const config = load(cluster.kubeconfig('dev')) as Config
  token = config.users[0]?.user.token ?? ''
  const authority = Buffer.from(config.clusters[0]?.cluster['certificate-authority-data'] ?? '', 'base64').toString()
  plane = await startControlPlane(new URL(cluster.server), authority, (given) => {
    if (given === token || google.identify(given)?.name === google.serviceAccount) return token
    const { aud, sub } = claimsOf(given)
    return aud === 'kubernetes' && sub === subject ? token : undefined
  })
  google.addCluster({ address: plane.address, certificateAuthority: plane.certificateAuthority })
})
afterEach(async () => {
  await plane.stop()
  await google.stop()
  await cluster.stop()
  rmSync(folder, { recursive: true, force: true })
})

/** Whether the signature is right is the real API server's to say, in the end-to-end tests. */
function claimsOf(jwt: string): { aud?: string; sub?: string } {
  try {
    return JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString()) as { aud?: string; sub?: string }
  } catch {
    return {}
  }
}

async function preflight(inputs: Record<string, string>, env: Record<string, string>): Promise<StepResult> {
  const runner = createRunner({ actionPath: join(import.meta.dirname, '../..'), temp: folder, env })
  const { main, post } = await runner.run({
    with: { pod: 'deployment/checkout', namespace: 'shop', preflight: 'only', ...inputs },
  })
  expect(post).toMatchObject({ exitCode: 0, log: '' })
  expect(main.log).not.toMatch(/ya29\.|eyJ/)
  expect(main.log).not.toContain(token)
  return main
}
const ready = { exitCode: 0, annotations: [], summary: expect.stringContaining('Ready to capture') as string }
const full = 'projects/shop-prod/locations/europe-west1/clusters/shop'
const exchanges = (): number[] =>
  ['github.idToken', 'sts.token', 'iamcredentials.generateAccessToken', 'container.clusters.get'].map((operation) =>
    google.count(operation),
  )

it('a GKE cluster, by the workload identity of the job', async () => {
  const identity = { 'workload-identity-provider': google.provider, 'service-account': google.serviceAccount }
  const main = await preflight({ cluster: full, ...identity }, google.env())
  expect(main).toMatchObject(ready)
  expect(main.log).toContain(`GKE cluster ${full}, public endpoint`)
  expect(exchanges()).toEqual([1, 1, 1, 1])
}, 30_000)

it('a GKE cluster, by what google-github-actions/auth has left, in the project of the credentials', async () => {
  const path = join(folder, 'gha-creds.json')
  writeFileSync(path, JSON.stringify(google.credentials({ serviceAccount: google.serviceAccount })))
  const env = { ...google.envWithoutIdToken(), GOOGLE_APPLICATION_CREDENTIALS: path }
  expect(await preflight({ cluster: 'shop', location: 'europe-west1' }, env)).toMatchObject(ready)
  expect(exchanges()).toEqual([1, 1, 1, 1])
}, 30_000)

it('a GKE cluster whose project nobody says: the error names the input', async () => {
  const path = join(folder, 'gha-creds.json')
  writeFileSync(path, JSON.stringify(google.credentials()))
  const env = { ...google.envWithoutIdToken(), GOOGLE_APPLICATION_CREDENTIALS: path }
  const main = await preflight({ cluster: 'shop', location: 'europe-west1' }, env)
  expect(main.exitCode).toBe(1)
  expect(main.annotations[0]?.message).toMatch(/^project-id: got nothing/)
  expect(exchanges()).toEqual([0, 0, 0, 0])
}, 30_000)

it('an API server that is there, but not for this runner: the hint of its endpoint is told', async () => {
  google.world.clusters.length = 0
  google.addCluster({ address: '127.0.0.1:1', certificateAuthority: plane.certificateAuthority })
  const identity = { 'workload-identity-provider': google.provider, 'service-account': google.serviceAccount }
  const main = await preflight({ cluster: full, ...identity }, google.env())
  expect(main.annotations[0]?.message).toMatch(/^cluster: the API server 127\.0\.0\.1:1 .*cannot be reached.*firewall/)
  expect(main.summary).toContain('Not ready to capture')
}, 30_000)

describe('an API server, directly', () => {
  const direct = (): Record<string, string> => ({
    ...{ 'api-server': `https://${plane.address}`, 'certificate-authority': plane.certificateAuthority },
  })

  it('by a token', async () => {
    expect(await preflight({ ...direct(), token }, {})).toMatchObject(ready)
  }, 30_000)

  it("by GitHub's id token, which is fetched once", async () => {
    expect(await preflight({ ...direct(), 'oidc-audience': 'kubernetes' }, google.env())).toMatchObject(ready)
    expect(google.count('github.idToken')).toBe(1)
  }, 30_000)

  it('by an id token that it does not take: the error has what there is to compare', async () => {
    google.world.jobClaims['sub'] = 'repo:octo-org/shop:pull_request'
    const main = await preflight({ ...direct(), 'oidc-audience': 'kubernetes' }, google.env())
    expect(main.annotations[0]?.message).toMatch(
      /^api-server: .*401.*the audience kubernetes and the subject "repo:octo-org\/shop:pull_request"/,
    )
  }, 30_000)

  it('in a job that may not have an id token', async () => {
    const main = await preflight({ ...direct(), 'oidc-audience': 'kubernetes' }, google.envWithoutIdToken())
    expect(main.annotations[0]?.message).toMatch(/^oidc-audience: .*id-token: write/)
  }, 30_000)
})
