import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startGoogle, type GoogleServices } from '../sandbox/google/start.ts'
import { openWorkplace, type Finished, type Workplace } from './action.ts'
import {
  apply,
  clientManifest,
  createNamespace,
  deleteNamespace,
  ephemeralNames,
  podAddresses,
  podManifest,
  testClusterState,
  until,
} from './cluster.ts'
import { grant } from './developer.ts'
import { gcloudKubeconfig, gcloudMissing } from './gcloud.ts'
import { startApiServer, type OwnApiServer } from './own-api-server.ts'
import { oneTo, requestsIn } from './pcap.ts'
import { request } from './traffic.ts'

/**
 * An API server that trusts a GitHub issuer by structured authentication, as docs/rbac/authentication-configuration.yaml says it, and that
 * asks Google (the fake) about every other token, as GKE's does. It is the test cluster's second one.
 */

const skipped =
  testClusterState === undefined ? ' (skipped: TESTCLUSTER_RUN, the state of the test cluster, is not set)' : ''
const here = skipped === '' ? describe : describe.skip

here(`an API server with authentication of its own${skipped}`, () => {
  const audience = 'kubernetes-packet-capture'
  const subject = 'repo:octo-org/shop:environment:production'
  const place = { name: 'shop', location: 'europe-west1' }
  let folder: string
  let google: GoogleServices
  let server: OwnApiServer
  let work: Workplace
  let namespace: string
  let web: string

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'packet-capture-structured-'))
    google = await startGoogle()
    server = await startApiServer(testClusterState ?? '', join(folder, 'apiserver.log'), [
      `--authentication-config=${writeAuthentication()}`,
      `--authentication-token-webhook-config-file=${writeWebhook()}`,
      ...['--authentication-token-webhook-version=v1', '--authentication-token-webhook-cache-ttl=1s'],
    ])
    google.addCluster({ ...place, address: server.address, certificateAuthority: server.certificateAuthority })
    work = await openWorkplace()
    namespace = await createNamespace('structured')
    await apply([clientManifest(namespace), podManifest(namespace, 'web')])
    ;[web = ''] = await podAddresses(namespace, 'web', 'client')
  }, 180_000)

  afterAll(async () => {
    await deleteNamespace(namespace)
    await work?.close()
    await server?.stop()
    await google?.stop()
    rmSync(folder, { recursive: true, force: true })
  }, 60_000)

  /** The documented file, with the test's issuer and repository in it. */
  function writeAuthentication(): string {
    const documented = readFileSync(
      join(import.meta.dirname, '../../docs/rbac/authentication-configuration.yaml'),
      'utf8',
    )
    const authority = JSON.stringify(google.issuerCertificate)
    const text = documented
      .replace(
        'https://token.actions.githubusercontent.com',
        `${google.issuer}\n      certificateAuthority: ${authority}`,
      )
      .replace('repo:OWNER/REPOSITORY:environment:packet-capture', subject)
    expect(text).toContain(google.issuer)
    expect(text).toContain(subject)
    const path = join(folder, 'authentication.yaml')
    writeFileSync(path, text)
    return path
  }

  function writeWebhook(): string {
    const config = {
      ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'google' },
      clusters: [{ name: 'google', cluster: { server: google.tokenReviewUrl } }],
      users: [{ name: 'server', user: {} }],
      contexts: [{ name: 'google', context: { cluster: 'google', user: 'server' } }],
    }
    const path = join(folder, 'webhook.kubeconfig')
    writeFileSync(path, JSON.stringify(config))
    return path
  }

  const user = (name: string): Parameters<typeof grant>[1] => ({
    name,
    subject: { kind: 'User', name, apiGroup: 'rbac.authorization.k8s.io' },
  })

  /** A capture with five requests in it, which all have to be there. */
  async function capturesFive(inputs: Record<string, string>, env: Record<string, string>): Promise<Finished> {
    const run = work.start(
      { pod: 'web', namespace, duration: '3s', filter: 'tcp port 8080', ...inputs },
      { withoutKubeconfig: true, env },
    )
    await run.capturing()
    expect(await request(namespace, 'client', `http://${web}:8080/n/[1-5]`)).toHaveLength(5)
    const finished = await run.finished
    expect(finished.main).toMatchObject({ exitCode: 0, annotations: [], outputs: { verdict: 'complete' } })
    expect(await requestsIn(finished.main.outputs['pcap-path'] ?? '')).toEqual(oneTo(5))
    return finished
  }

  async function refused(inputs: Record<string, string>): Promise<string> {
    const { main } = await work.run(
      { pod: 'web', namespace, duration: '1s', ...inputs },
      { withoutKubeconfig: true, env: google.env() },
    )
    expect(main.exitCode).toBe(1)
    expect(main.annotations).toHaveLength(1)
    expect(main.log).not.toMatch(/eyJ/)
    expect(await ephemeralNames(namespace, 'web')).toEqual(before)
    return main.annotations[0]?.message ?? ''
  }
  let before: string[]
  beforeEach(async () => {
    before = await ephemeralNames(namespace, 'web')
    google.calls.length = 0
    google.world.jobClaims['sub'] = subject
    Object.assign(google.world.lifetimes, { federated: 300, idToken: 300, impersonated: undefined })
  })

  describe("by GitHub's own id token", () => {
    const inputs = (): Record<string, string> => ({
      ...{ 'api-server': `https://${server.address}`, 'oidc-audience': audience },
      'certificate-authority': server.certificateAuthority,
    })
    beforeAll(() => grant(namespace, user(`github:${subject}`), { from: 'github-oidc.yaml' }), 60_000)

    it('a run gets in, and is who the subject says', async () => {
      const { main } = await capturesFive(inputs(), google.env())
      expect(main.log).toContain(`Identity: github:${subject}`)
      expect(main.log).not.toMatch(/eyJ/)
      expect(google.count('github.idToken')).toBe(1)
    }, 60_000)

    it('a job of another environment, or of none, is refused, with the subject that it has', async () => {
      google.world.jobClaims['sub'] = 'repo:octo-org/shop:ref:refs/heads/main'
      const message = await refused(inputs())
      expect(message).toMatch(/^api-server: .* does not accept the credentials \(401 Unauthorized\)/)
      expect(message).toContain('"repo:octo-org/shop:ref:refs/heads/main"')
      expect(message).toContain(google.issuer)
      expect(message).toContain('AuthenticationConfiguration')
    }, 30_000)

    it('another audience is refused, and named', async () => {
      const message = await refused({ ...inputs(), 'oidc-audience': 'another' })
      expect(message).toMatch(/401[^]*the audience another/)
    }, 30_000)

    it('a capture of 60 s with tokens of 20 s outlives the API server being killed: it comes back with a new token', async () => {
      google.world.lifetimes.idToken = 20
      const run = work.start(
        { pod: 'web', namespace, duration: '60s', filter: 'tcp port 8080', ...inputs() },
        { withoutKubeconfig: true, env: google.env() },
      )
      await run.capturing()
      const began = performance.now()
      await until('25 s of the capture', 60_000, () =>
        Promise.resolve(performance.now() - began > 25_000 ? true : undefined),
      )
      await server.restart()
      expect(await request(namespace, 'client', `http://${web}:8080/n/[1-5]`)).toHaveLength(5)
      const { main, capture } = await run.finished
      expect(main).toMatchObject({ exitCode: 0, annotations: [], outputs: { verdict: 'complete' } })
      expect(capture?.capture.resumed).toBeGreaterThanOrEqual(1)
      expect(await requestsIn(main.outputs['pcap-path'] ?? '')).toEqual(oneTo(5))
      const tokens = google.count('github.idToken')
      console.info(`structured-auth: a capture of 60 s with id tokens of 20 s fetched ${String(tokens)}`)
      expect(tokens).toBeGreaterThanOrEqual(2)
      expect(tokens).toBeLessThanOrEqual(5) // one each 15 s, whoever asks
    }, 180_000)
  })

  describe('by Google, whom the API server asks about the token', () => {
    beforeAll(() => grant(namespace, user(google.serviceAccount), { from: 'google-service-account.yaml' }), 60_000)
    const native = (): Record<string, string> => ({
      cluster: 'projects/shop-prod/locations/europe-west1/clusters/shop',
      ...{ 'workload-identity-provider': google.provider, 'service-account': google.serviceAccount },
    })

    it('a run gets in natively as the service account', async () => {
      const { main } = await capturesFive(native(), google.env())
      expect(main.log).toContain(`Identity: ${google.serviceAccount}`)
      expect(google.count('iamcredentials.generateAccessToken')).toBe(1)
      expect(google.count('control-plane.tokenReview')).toBeGreaterThanOrEqual(1)
    }, 60_000)

    it('a service account without rights is named in what stands in the way', async () => {
      const other = await createNamespace('structured-none')
      try {
        expect(await refused({ ...native(), namespace: other })).toContain(
          `cluster: its user "${google.serviceAccount}" lacks rights in the namespace "${other}"`,
        )
      } finally {
        await deleteNamespace(other)
      }
    }, 30_000)

    const lacks = gcloudMissing.length > 0 ? ` (skipped: ${gcloudMissing.join(' and ')} not in PATH)` : ''
    const withGcloud = lacks === '' ? it : it.skip
    withGcloud(
      `the kubeconfig of the real gcloud gets in by gke-gcloud-auth-plugin${lacks}`,
      async () => {
        const { main } = await capturesFive({}, await gcloudKubeconfig(google, join(folder, 'gcloud'), place))
        expect(main.log).toContain(`Identity: ${google.serviceAccount}`)
        expect(main.log).not.toMatch(/ya29\./)
      },
      120_000,
    )
  })
})
