import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startGoogle, type GoogleServices } from '../sandbox/google/start.ts'
import { openWorkplace, type Workplace } from './action.ts'
import { apply, ephemeralNames, kubectl, podManifest, testClusterState } from './cluster.ts'
import { grant } from './developer.ts'
import { gcloudKubeconfig, gcloudLack } from '../support/gcloud.ts'
import { startLoneApiServer } from './own-api-server.ts'
import { audience, cluster, place, subject, trusting, user } from './trust.ts'
import type { StepResult } from '../runner/step-process.ts'

/**
 * Authentication to a real API server that trusts GitHub's issuer (structured authentication configuration) and asks Google about other tokens.
 * It is a separate API server without nodes: `preflight: only` runs everything except the capture.
 */

const skipped =
  testClusterState === undefined ? ' (skipped: TESTCLUSTER_RUN, the state of the test cluster, is not set)' : ''
const here = skipped === '' ? describe : describe.skip

here(`an API server with structured authentication${skipped}`, () => {
  const namespace = 'shop'
  const before = process.env['KUBECONFIG']
  let folder: string
  let google: GoogleServices
  let server: Awaited<ReturnType<typeof startLoneApiServer>>
  let work: Workplace

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'packet-capture-structured-'))
    google = await startGoogle()
    server = await startLoneApiServer(testClusterState ?? '', folder, trusting(google, folder))
    google.addCluster({ ...place, address: server.address, certificateAuthority: server.certificateAuthority })
    process.env['KUBECONFIG'] = server.kubeconfig
    work = await openWorkplace()
    const everywhere = { nodeName: 'no-such-node', tolerations: [{ operator: 'Exists' }] }
    for (const name of [namespace, 'without-rights']) {
      await apply([
        { apiVersion: 'v1', kind: 'Namespace', metadata: { name } },
        podManifest(name, 'web', { spec: everywhere }),
      ])
      const running = '{"status":{"phase":"Running"}}'
      await kubectl(['-n', name, 'patch', 'pod', 'web', '--subresource=status', '--type=merge', '-p', running])
    }
  }, 180_000)

  afterAll(async () => {
    if (before !== undefined) process.env['KUBECONFIG'] = before
    await work?.close()
    await server?.stop()
    await google?.stop()
    rmSync(folder, { recursive: true, force: true })
  }, 60_000)

  beforeEach(() => {
    google.calls.length = 0
    google.world.jobClaims['sub'] = subject
  })

  async function preflight(inputs: Record<string, string>, env: Record<string, string>): Promise<StepResult> {
    const { main } = await work.run(
      { pod: 'web', namespace, preflight: 'only', ...inputs },
      { withoutKubeconfig: true, env },
    )
    expect(main.log).not.toMatch(/eyJ|ya29\./)
    return main
  }
  async function getsIn(inputs: Record<string, string>, env: Record<string, string>, name: string): Promise<void> {
    const main = await preflight(inputs, env)
    expect(main).toMatchObject({ exitCode: 0, annotations: [] })
    expect(main.log).toContain(`Identity: ${name}`)
    expect(main.log).toContain('Admission: the cluster allows the capture container')
    expect(main.summary).toContain('Ready to capture')
  }
  async function refused(inputs: Record<string, string>): Promise<string> {
    const main = await preflight(inputs, google.env())
    expect(main.exitCode).toBe(1)
    expect(main.annotations).toHaveLength(1)
    expect(main.summary).toContain('Not ready to capture')
    expect(await ephemeralNames(namespace, 'web')).toEqual([])
    return main.annotations[0]?.message ?? ''
  }

  describe("with GitHub's ID token", () => {
    const inputs = (): Record<string, string> => ({
      ...{ 'api-server': `https://${server.address}`, 'oidc-audience': audience },
      'certificate-authority': server.certificateAuthority,
    })
    beforeAll(() => grant(namespace, user(`github:${subject}`), { from: 'github-oidc.yaml' }), 60_000)

    it('authenticates a run with one token as the user of its subject', async () => {
      await getsIn(inputs(), google.env(), `github:${subject}`)
      expect(google.count('github.idToken')).toBe(1)
    }, 60_000)

    it('rejects a job without the environment, and shows its subject', async () => {
      google.world.jobClaims['sub'] = 'repo:octo-org/shop:ref:refs/heads/main'
      const message = await refused(inputs())
      expect(message).toMatch(/^api-server: .* rejects the credentials \(401 Unauthorized\)/)
      expect(message).toContain('"repo:octo-org/shop:ref:refs/heads/main"')
      expect(message).toContain(google.issuer)
      expect(message).toContain('AuthenticationConfiguration')
    }, 30_000)

    it('rejects the same repository name of another owner ID', async () => {
      google.world.jobClaims['repository_owner_id'] = '66'
      try {
        expect(await refused(inputs())).toMatch(/^api-server: .* rejects the credentials \(401/)
      } finally {
        google.world.jobClaims['repository_owner_id'] = '65'
      }
    }, 30_000)

    it('rejects another audience and names it', async () => {
      expect(await refused({ ...inputs(), 'oidc-audience': 'another' })).toMatch(/401[^]*the audience another/)
    }, 30_000)
  })

  describe('with a Google token that the API server verifies', () => {
    beforeAll(() => grant(namespace, user(google.serviceAccount), { from: 'google-service-account.yaml' }), 60_000)
    const native = (): Record<string, string> => ({
      ...{ cluster, 'workload-identity-provider': google.provider, 'service-account': google.serviceAccount },
    })

    it('authenticates a run as the service account', async () => {
      await getsIn(native(), google.env(), google.serviceAccount)
      expect(google.count('iamcredentials.generateAccessToken')).toBe(1)
      expect(google.count('control-plane.tokenReview')).toBeGreaterThanOrEqual(1)
    }, 60_000)

    it('names a service account without permissions', async () => {
      expect(await refused({ ...native(), namespace: 'without-rights' })).toContain(
        `cluster: its user "${google.serviceAccount}" lacks permissions in the namespace "without-rights":\n    get pods\n    patch pods/ephemeralcontainers\n`,
      )
    }, 30_000)

    const lacks = gcloudLack === undefined ? '' : ` (skipped: ${gcloudLack})`
    const withGcloud = lacks === '' ? it : it.skip
    withGcloud(
      `authenticates with the kubeconfig of the real gcloud and gke-gcloud-auth-plugin${lacks}`,
      async () => {
        await getsIn({}, await gcloudKubeconfig(google, join(folder, 'gcloud'), place), google.serviceAccount)
      },
      120_000,
    )
  })
})
