import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { load } from 'js-yaml'
import { createRunner } from '../runner/runner.ts'
import type { StepResult } from '../runner/step-process.ts'
import { startCluster, type SandboxCluster } from './cluster/start.ts'
import { startControlPlane, type ControlPlane } from './google/front-door.ts'
import { startGoogle, type GoogleServices } from './google/start.ts'

/** The committed bundle connects to the embedded API server with each authentication that needs no kubeconfig, with `preflight: only`. */

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

/** Does not check the signature: a real API server does that in the end-to-end tests. */
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

it('enters a GKE cluster with the workload identity of the job', async () => {
  const identity = { 'workload-identity-provider': google.provider, 'service-account': google.serviceAccount }
  const main = await preflight({ cluster: full, ...identity }, google.env())
  expect(main).toMatchObject(ready)
  expect(main.log).toContain(`GKE cluster ${full}, public endpoint`)
  expect(exchanges()).toEqual([1, 1, 1, 1])
}, 30_000)

it('enters a GKE cluster with the credentials of google-github-actions/auth, in the project of the credentials', async () => {
  const path = join(folder, 'gha-creds.json')
  writeFileSync(path, JSON.stringify(google.credentials({ serviceAccount: google.serviceAccount })))
  const env = { ...google.envWithoutIdToken(), GOOGLE_APPLICATION_CREDENTIALS: path }
  expect(await preflight({ cluster: 'shop', location: 'europe-west1' }, env)).toMatchObject(ready)
  expect(exchanges()).toEqual([1, 1, 1, 1])
}, 30_000)

it('names the missing input when no project is given for a GKE cluster', async () => {
  const path = join(folder, 'gha-creds.json')
  writeFileSync(path, JSON.stringify(google.credentials()))
  const env = { ...google.envWithoutIdToken(), GOOGLE_APPLICATION_CREDENTIALS: path }
  const main = await preflight({ cluster: 'shop', location: 'europe-west1' }, env)
  expect(main.exitCode).toBe(1)
  expect(main.annotations[0]?.message).toMatch(/^project-id: it is not set/)
  expect(exchanges()).toEqual([0, 0, 0, 0])
}, 30_000)

it('reports the hint for the endpoint when this runner cannot reach the API server', async () => {
  google.world.clusters.length = 0
  google.addCluster({ address: '127.0.0.1:1', certificateAuthority: plane.certificateAuthority })
  const identity = { 'workload-identity-provider': google.provider, 'service-account': google.serviceAccount }
  const main = await preflight({ cluster: full, ...identity }, google.env())
  expect(main.annotations[0]?.message).toMatch(/^cluster: the API server 127\.0\.0\.1:1 .*cannot be reached.*firewall/)
  expect(main.summary).toContain('Not ready to capture')
}, 30_000)

it('accepts the base64 of a kubeconfig, and says so', async () => {
  const main = await preflight({ kubeconfig: Buffer.from(cluster.kubeconfig('dev')).toString('base64') }, {})
  expect(main).toMatchObject(ready)
  expect(main.log).toContain('The input kubeconfig is base64: it was decoded')
}, 30_000)

describe('a direct connection to an API server', () => {
  const direct = (): Record<string, string> => ({
    ...{ 'api-server': `https://${plane.address}`, 'certificate-authority': plane.certificateAuthority },
  })

  it('works with a token', async () => {
    expect(await preflight({ ...direct(), token }, {})).toMatchObject(ready)
  }, 30_000)

  it("works with GitHub's ID token, which is fetched once", async () => {
    expect(await preflight({ ...direct(), 'oidc-audience': 'kubernetes' }, google.env())).toMatchObject(ready)
    expect(google.count('github.idToken')).toBe(1)
  }, 30_000)

  it('reports the claims of an ID token that the API server rejects', async () => {
    google.world.jobClaims['sub'] = 'repo:octo-org/shop:pull_request'
    const main = await preflight({ ...direct(), 'oidc-audience': 'kubernetes' }, google.env())
    expect(main.annotations[0]?.message).toMatch(
      /^api-server: .*401.*the audience kubernetes and the subject "repo:octo-org\/shop:pull_request"/,
    )
  }, 30_000)

  it('fails in a job without the permission id-token: write', async () => {
    const main = await preflight({ ...direct(), 'oidc-audience': 'kubernetes' }, google.envWithoutIdToken())
    expect(main.annotations[0]?.message).toMatch(/^oidc-audience: .*id-token: write/)
  }, 30_000)
})
