import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startGoogle, type GoogleServices } from '../sandbox/google/start.ts'
import { openWorkplace, type Finished, type Workplace } from './action.ts'
import {
  apply,
  clientManifest,
  createNamespace,
  deleteNamespace,
  podAddresses,
  podManifest,
  testClusterState,
  until,
} from './cluster.ts'
import { grant } from './developer.ts'
import { gcloudKubeconfig, gcloudMissing } from './gcloud.ts'
import { startSecondApiServer, type OwnApiServer } from './own-api-server.ts'
import { oneTo, requestsIn } from './pcap.ts'
import { request } from './traffic.ts'
import { audience, cluster, place, subject, trusting, user } from './trust.ts'

/**
 * Captures through a second API server of the test cluster that trusts the fake GitHub and asks the fake Google. While it runs, the two write
 * their own port into the service default/kubernetes in turn, and it takes a core for some seconds: not for a cluster that others measure on.
 */

const skipped =
  testClusterState === undefined || process.env['SECOND_API_SERVER'] !== '1'
    ? ' (skipped: SECOND_API_SERVER=1 and TESTCLUSTER_RUN, the state of the test cluster, are not set)'
    : ''
const here = skipped === '' ? describe : describe.skip

here(`captures through an API server with authentication of its own${skipped}`, () => {
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

  beforeEach(() => {
    google.calls.length = 0
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
      cluster,
      ...{ 'workload-identity-provider': google.provider, 'service-account': google.serviceAccount },
    })

    it('a run gets in natively as the service account', async () => {
      const { main } = await capturesFive(native(), google.env())
      expect(main.log).toContain(`Identity: ${google.serviceAccount}`)
      expect(google.count('iamcredentials.generateAccessToken')).toBe(1)
      expect(google.count('control-plane.tokenReview')).toBeGreaterThanOrEqual(1)
    }, 60_000)

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
