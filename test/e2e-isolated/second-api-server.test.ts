import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startGoogle, type GoogleServices } from '../sandbox/google/start.ts'
import { openWorkplace, type RunResult, type Workplace } from '../e2e/action.ts'
import {
  apply,
  clientManifest,
  createNamespace,
  deleteNamespace,
  podAddresses,
  podManifest,
  testClusterState,
  until,
} from '../e2e/cluster.ts'
import { grant } from '../e2e/developer.ts'
import { gcloudKubeconfig, gcloudLack } from '../support/gcloud.ts'
import { startSecondApiServer, type OwnApiServer } from '../e2e/own-api-server.ts'
import { oneTo, requestsIn } from '../e2e/pcap.ts'
import { request } from '../e2e/traffic.ts'
import { audience, cluster, place, subject, trusting, user } from '../e2e/trust.ts'

/**
 * Captures through a second API server of the test cluster, which trusts the fake GitHub and asks the fake Google. While it runs, both API
 * servers write their port into the service default/kubernetes in turn, and its start uses one core for some seconds. That disturbs every other
 * test of the cluster, so this folder is a jest project of its own (`e2e-isolated`), which runs when the project `e2e` has ended.
 */

const skipped =
  testClusterState === undefined ? ' (skipped: TESTCLUSTER_RUN, the state of the test cluster, is not set)' : ''
const here = skipped === '' ? describe : describe.skip

here(`captures through an API server with structured authentication${skipped}`, () => {
  let folder: string
  let google: GoogleServices
  let server: OwnApiServer
  let work: Workplace
  let namespace: string
  let web: string

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'packet-capture-structured-'))
    google = await startGoogle()
    server = await startSecondApiServer(testClusterState ?? '', folder, trusting(google, folder))
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

  /** Captures five requests and checks that the capture contains all of them. */
  async function capturesFive(inputs: Record<string, string>, env: Record<string, string>): Promise<RunResult> {
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

  beforeEach(() => {
    google.calls.length = 0
    Object.assign(google.world.lifetimes, { federated: 300, idToken: 300, impersonated: undefined })
  })

  describe("with GitHub's ID token", () => {
    const inputs = (): Record<string, string> => ({
      ...{ 'api-server': `https://${server.address}`, 'oidc-audience': audience },
      'certificate-authority': server.certificateAuthority,
    })
    beforeAll(() => grant(namespace, user(`github:${subject}`), { from: 'github-oidc.yaml' }), 60_000)

    it('authenticates a run as the user of its subject', async () => {
      const { main } = await capturesFive(inputs(), google.env())
      expect(main.log).toContain(`Identity: github:${subject}`)
      expect(main.log).not.toMatch(/eyJ/)
      expect(google.count('github.idToken')).toBe(1)
    }, 60_000)

    it('survives a killed API server in a 60 s capture with 20 s tokens: it reconnects with a new token', async () => {
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
      console.info(`structured-auth: a capture of 60 s with ID tokens of 20 s fetched ${String(tokens)}`)
      expect(tokens).toBeGreaterThanOrEqual(2)
      expect(tokens).toBeLessThanOrEqual(5) // one every 15 s for all requests together
    }, 180_000)
  })

  describe('with a Google token that the API server verifies', () => {
    beforeAll(() => grant(namespace, user(google.serviceAccount), { from: 'google-service-account.yaml' }), 60_000)
    const native = (): Record<string, string> => ({
      cluster,
      ...{ 'workload-identity-provider': google.provider, 'service-account': google.serviceAccount },
    })

    it('authenticates a run as the service account', async () => {
      const { main } = await capturesFive(native(), google.env())
      expect(main.log).toContain(`Identity: ${google.serviceAccount}`)
      expect(google.count('iamcredentials.generateAccessToken')).toBe(1)
      expect(google.count('control-plane.tokenReview')).toBeGreaterThanOrEqual(1)
    }, 60_000)

    const lacks = gcloudLack === undefined ? '' : ` (skipped: ${gcloudLack})`
    const withGcloud = lacks === '' ? it : it.skip
    withGcloud(
      `authenticates with the kubeconfig of the real gcloud and gke-gcloud-auth-plugin${lacks}`,
      async () => {
        const { main } = await capturesFive({}, await gcloudKubeconfig(google, join(folder, 'gcloud'), place))
        expect(main.log).toContain(`Identity: ${google.serviceAccount}`)
        expect(main.log).not.toMatch(/ya29\./)
      },
      120_000,
    )
  })
})
