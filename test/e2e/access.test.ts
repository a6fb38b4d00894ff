import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { startControlPlane, type ControlPlane } from '../sandbox/google/front-door.ts'
import { startGoogle, type GoogleServices } from '../sandbox/google/start.ts'
import { openWorkplace, type RunResult, type RunOptions, type Workplace } from './action.ts'
import {
  apply,
  clientManifest,
  clusterAuthority,
  clusterServer,
  createNamespace,
  deleteNamespace,
  ephemeralNames,
  getPod,
  kubeconfigPath,
  kubeconfigWith,
  kubectl,
  podAddresses,
  podManifest,
  until,
} from './cluster.ts'
import { developer, grant, mayNow, optionalRight, requiredRights, type Developer } from './developer.ts'
import { gcloudKubeconfig, gcloudLack } from '../support/gcloud.ts'
import { oneTo, requestsIn } from './pcap.ts'
import { request } from './traffic.ts'

let work: Workplace
let namespace: string
let dev: Developer
let web: string
let folder: string

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'packet-capture-access-'))
  work = await openWorkplace()
  namespace = await createNamespace('access')
  const labels = { app: 'shop' }
  const { spec } = podManifest(namespace, 'shop', { labels })
  await apply([
    clientManifest(namespace),
    podManifest(namespace, 'web'),
    {
      ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'shop', namespace } },
      spec: { replicas: 1, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
    },
  ])
  ;[web = ''] = await podAddresses(namespace, 'web', 'client')
  dev = await developer(namespace)
  await grant(namespace, dev)
}, 120_000)

afterAll(async () => {
  await deleteNamespace(namespace)
  await work?.close()
  rmSync(folder, { recursive: true, force: true })
}, 30_000)

/** Captures `pod/web` for 3 s, sends five requests, and checks that the capture contains all of them. */
async function capturesFive(inputs: Record<string, string>, options: RunOptions): Promise<RunResult> {
  const run = work.start(
    { pod: 'web', namespace, duration: '3s', filter: 'tcp port 8080', ...inputs },
    { withoutKubeconfig: true, ...options },
  )
  await run.capturing()
  expect(await request(namespace, 'client', `http://${web}:8080/n/[1-5]`)).toHaveLength(5)
  const finished = await run.finished
  expect(finished.main).toMatchObject({ exitCode: 0, annotations: [], outputs: { verdict: 'complete' } })
  expect(await requestsIn(finished.main.outputs['pcap-path'] ?? '')).toEqual(oneTo(5))
  return finished
}

/** The one command that the error contains, unchanged. */
function commandIn(message: string): string {
  const commands = message.match(/^kubectl .*\n(?:.*\n)*?EOF$/gm) ?? []
  expect(commands).toHaveLength(1)
  return commands[0] ?? ''
}

/** Runs the command in a shell with the admin's kubeconfig. @returns the created objects, as `kubectl delete` accepts them */
async function paste(command: string): Promise<string[]> {
  const env = { ...process.env, KUBECONFIG: kubeconfigPath() }
  const { stdout, stderr } = await promisify(execFile)('bash', ['-c', `${command}\n`], { env })
  expect(stderr).toBe('')
  const made = [...stdout.matchAll(/^(\S+?)(?:\.\S+)?\/(\S+) created$/gm)]
  expect(made.map(([, kind]) => kind)).toEqual(['role', 'rolebinding'])
  return made.map(([, kind, name]) => `${kind ?? ''}/${name ?? ''}`)
}

/** Expects that the run ends with an error and does not change the pod. */
async function refused(inputs: Record<string, string>, options: RunOptions = {}): Promise<string> {
  const before = await ephemeralNames(namespace, 'web')
  const { main, post } = await work.run(
    { pod: 'web', namespace, duration: '1s', ...inputs },
    { withoutKubeconfig: true, ...options },
  )
  expect({ exitCode: main.exitCode, post: post.exitCode }).toEqual({ exitCode: 1, post: 0 })
  expect(main.annotations.map(({ level }) => level)).toEqual(['error'])
  expect(`${main.stdout}${main.stderr}`).not.toMatch(/^\s+at .*[:(]\d/m)
  expect(await ephemeralNames(namespace, 'web')).toEqual(before)
  return main.annotations[0]?.message ?? ''
}

describe('with exactly docs/rbac/developer.yaml', () => {
  const kubeconfig = (): string => kubeconfigWith({ user: { token: dev.token }, namespace })

  it('captures a pod by its name', async () => {
    await capturesFive({ kubeconfig: kubeconfig() }, {})
  }, 60_000)

  it('captures a pod of a deployment', async () => {
    const { main } = await work.run(
      { pod: 'deployment/shop', duration: '1s', 'if-empty': 'ignore', kubeconfig: kubeconfig() },
      { withoutKubeconfig: true },
    )
    expect(main).toMatchObject({ exitCode: 0, annotations: [] })
    expect(main.log).toContain(`Rights in ${namespace}: all ${String(requiredRights().length)} that are needed`)
    expect(main.log).not.toContain('Hint:')
  }, 60_000)

  it('reports its findings and creates nothing with preflight: only', async () => {
    const before = await ephemeralNames(namespace, 'web')
    const { main, post } = await work.run(
      { pod: 'web', preflight: 'only', kubeconfig: kubeconfig() },
      { withoutKubeconfig: true },
    )
    expect(main).toMatchObject({ exitCode: 0, annotations: [], outputs: {} })
    expect(main.summary).toContain('Ready to capture')
    expect(main.log).toContain(`Identity: ${dev.name}`)
    expect(main.log).toContain('Admission: the cluster allows the capture container')
    expect(post.log).toBe('')
    expect(await ephemeralNames(namespace, 'web')).toEqual(before)
  }, 30_000)

  it('accepts a token without a kubeconfig, from the inputs api-server and token', async () => {
    const { main } = await capturesFive(
      {
        ...{ 'api-server': clusterServer().origin, token: dev.token },
        'certificate-authority': Buffer.from(clusterAuthority()).toString('base64'),
      },
      {},
    )
    expect(main.log).not.toContain(dev.token)
  }, 60_000)

  describe('without one of its permissions', () => {
    afterAll(() => grant(namespace, dev), 60_000)

    it.each(requiredRights())(
      'names %s, and the printed command grants it when it is run unchanged',
      async (right) => {
        await grant(namespace, dev, { without: right })
        const [verb = '', resource = ''] = right.split(' ')
        const pod = ['list pods', 'get deployments'].includes(right) ? 'deployment/shop' : 'web'
        const message = await refused({ pod, kubeconfig: kubeconfig() })
        expect(message).toContain(
          `kubeconfig: its user ${JSON.stringify(dev.name)} lacks permissions in the namespace "${namespace}":\n    ${right}\n`,
        )
        expect(message).toContain(`resources: ["${resource}"], verbs: ["${verb}"] }`)
        expect(message.match(/verbs: \[/g)).toHaveLength(1)
        expect(message).toMatch(/\nEOF\nSee docs\/rbac\/developer\.yaml\./)

        const made = await paste(commandIn(message))
        try {
          await until(`${right}, granted by the printed command`, 20_000, async () =>
            (await mayNow(namespace, dev.name, right)) ? true : undefined,
          )
          const { main } = await work.run(
            { pod, preflight: 'only', kubeconfig: kubeconfig() },
            { withoutKubeconfig: true },
          )
          expect(main).toMatchObject({ exitCode: 0, annotations: [] })
          expect(main.log).toContain('that are needed')
        } finally {
          await kubectl(['-n', namespace, 'delete', ...made])
        }
      },
      60_000,
    )

    it('captures a pod of a deployment without the optional permission, and says so', async () => {
      await grant(namespace, dev, { without: optionalRight })
      const { main } = await work.run(
        { pod: 'deployment.apps/shop', duration: '1s', 'if-empty': 'ignore', kubeconfig: kubeconfig() },
        { withoutKubeconfig: true },
      )
      expect(main).toMatchObject({ exitCode: 0, annotations: [] })
      expect(main.log).toContain(`Hint: The user may not list replicasets in the namespace "${namespace}"`)
      expect(main.summary).toContain('The user may not list replicasets')
    }, 60_000)

    it('does not need list pods where a pod is named', async () => {
      await grant(namespace, dev, { without: 'list pods' })
      await capturesFive({ kubeconfig: kubeconfig() }, {})
    }, 60_000)

    it('writes the missing permission to the summary with preflight: only', async () => {
      await grant(namespace, dev, { without: 'patch pods/ephemeralcontainers' })
      const { main } = await work.run(
        { pod: 'web', preflight: 'only', kubeconfig: kubeconfig() },
        { withoutKubeconfig: true },
      )
      expect(main.exitCode).toBe(1)
      expect(main.summary).toContain('Not ready to capture')
      expect(main.summary).toContain('patch pods/ephemeralcontainers')
      const block = ['```sh', commandIn(main.annotations[0]?.message ?? ''), '```'].join('\n')
      expect(main.summary).toContain(block.replaceAll('\n', '\n  ')) // inside of a list item
    }, 60_000)
  })
})

describe("from GitHub's ID token through Google's services to the real API server", () => {
  let google: GoogleServices
  let plane: ControlPlane
  const place = { name: 'shop', location: 'europe-west1' }
  const cluster = 'projects/shop-prod/locations/europe-west1/clusters/shop'

  async function begin(options: Parameters<typeof startGoogle>[0] = {}): Promise<void> {
    google = await startGoogle(options)
    // The API server knows the service account as the developer. Tokens that Google does not know (or no longer knows) are rejected.
    plane = await startControlPlane(clusterServer(), clusterAuthority(), (token) =>
      google.identify(token)?.name === google.serviceAccount ? dev.token : undefined,
    )
    google.addCluster({ ...place, address: plane.address, certificateAuthority: plane.certificateAuthority })
  }
  afterEach(async () => {
    await plane?.stop()
    await google?.stop()
  })
  const native = (): Record<string, string> => ({
    ...{ cluster, 'workload-identity-provider': google.provider, 'service-account': google.serviceAccount },
  })
  const exchanges = (): Record<string, number> => ({
    idToken: google.count('github.idToken'),
    sts: google.count('sts.token'),
    impersonation: google.count('iamcredentials.generateAccessToken'),
    cluster: google.count('container.clusters.get'),
  })

  it('makes each token exchange once for a capture and logs no token', async () => {
    await begin()
    const { main } = await capturesFive(native(), { env: google.env() })
    expect(main.log).toContain(`GKE cluster ${cluster}`)
    expect(main.log).toContain(`${google.serviceAccount} by `)
    expect(main.log).not.toMatch(/ya29\.|eyJ/)
    expect(exchanges()).toEqual({ idToken: 1, sts: 1, impersonation: 1, cluster: 1 })
    expect(plane.refused()).toBe(0)
  }, 60_000)

  it('accepts a cluster name with its location, and the credentials of google-github-actions/auth', async () => {
    await begin()
    const path = join(folder, 'gha-creds-0123456789abcdef.json')
    writeFileSync(path, JSON.stringify(google.credentials({ serviceAccount: google.serviceAccount })))
    await capturesFive(
      { cluster: 'shop', location: 'europe-west1' },
      { env: { ...google.envWithoutIdToken(), GOOGLE_APPLICATION_CREDENTIALS: path } },
    )
    expect(exchanges()).toEqual({ idToken: 1, sts: 1, impersonation: 1, cluster: 1 })
    expect(
      work.results.artifacts.map(({ name }) => name).filter((name) => !/\.pcap$|-findings\.json$/.test(name)),
    ).toEqual([])
  }, 60_000)

  it('reconnects with fresh tokens in a 60 s capture with 20 s tokens, ends complete and leaves nothing running', async () => {
    await begin({ lifetimes: { federated: 20, idToken: 20, impersonated: 20 } })
    const run = work.start(
      { pod: 'web', namespace, duration: '60s', filter: 'tcp port 8080', ...native() },
      { withoutKubeconfig: true, env: google.env() },
    )
    await run.capturing()
    const began = performance.now()
    for (const [at, first] of [
      [25_000, 1],
      [50_000, 6],
    ] as const) {
      await until(`${String(at)} ms of the capture`, 60_000, () =>
        Promise.resolve(performance.now() - began >= at ? true : undefined),
      )
      expect(plane.cut()).toBeGreaterThan(0)
      const pattern = `http://${web}:8080/n/[${String(first)}-${String(first + 4)}]`
      expect(await request(namespace, 'client', pattern)).toHaveLength(5)
    }
    const { main, capture } = await run.finished
    expect(main).toMatchObject({ exitCode: 0, annotations: [], outputs: { verdict: 'complete' } })
    expect(capture?.capture.resumed).toBe(2)
    expect(await requestsIn(main.outputs['pcap-path'] ?? '')).toEqual(oneTo(10))
    const counted = exchanges()
    console.info(`access: a capture of 60 s with tokens of 20 s took ${JSON.stringify(counted)}`)
    // One at the start, one after each cut, and at most one for the end: a 20 s token is used for 15 s by all requests.
    expect(counted['impersonation']).toBeGreaterThanOrEqual(3)
    expect(counted['impersonation']).toBeLessThanOrEqual(5)
    expect(counted).toMatchObject({ idToken: counted['impersonation'], sts: counted['impersonation'], cluster: 1 })
    expect(plane.refused()).toBe(0)
    const { status } = await getPod(namespace, 'web')
    const states = status.ephemeralContainerStatuses?.map(({ state }) => Object.keys(state).join())
    expect(new Set(states)).toEqual(new Set(['terminated']))
  }, 150_000)

  it.each<[string, () => void, RegExp]>([
    [
      'an attribute condition of the provider that is not met',
      () => (google.world.condition = () => false),
      /^workload-identity-provider: /,
    ],
    [
      'a missing permission on the cluster',
      () => google.world.denied.add('container.clusters.get'),
      /^cluster: .*container\.clusters\.get/,
    ],
    [
      'a missing permission on the service account',
      () => google.world.denied.add('iam.serviceAccounts.getAccessToken'),
      /^service-account: /,
    ],
  ])(
    'reports %s with the name of the input, before anything is created',
    async (_what, change, words) => {
      await begin()
      change()
      expect(await refused(native(), { env: google.env() })).toMatch(words)
    },
    30_000,
  )

  it('reports a job that may not request an ID token', async () => {
    await begin()
    expect(await refused(native(), { env: google.envWithoutIdToken() })).toContain('id-token: write')
    expect(google.calls).toEqual([])
  }, 30_000)

  it('names the service account and the input cluster where permissions are missing', async () => {
    await begin()
    const other = await createNamespace('access-none', {}, { withoutRights: true })
    try {
      const message = await refused({ ...native(), namespace: other }, { env: google.env() })
      expect(message).toMatch(/^cluster: its user "\S+" lacks permissions in the namespace/)
    } finally {
      await deleteNamespace(other)
    }
  }, 30_000)

  const skipped = gcloudLack === undefined ? '' : ` (skipped: ${gcloudLack})`
  const withGcloud = skipped === '' ? it : it.skip
  withGcloud(
    `authenticates with the kubeconfig of the real gcloud and its exec plugin gke-gcloud-auth-plugin${skipped}`,
    async () => {
      await begin()
      const env = await gcloudKubeconfig(google, join(folder, 'gcloud'), place)
      expect(readFileSync(env['KUBECONFIG'] ?? '', 'utf8')).toContain('command: gke-gcloud-auth-plugin')
      const { main } = await capturesFive({}, { env })
      expect(main.log).not.toMatch(/ya29\./)
      expect(plane.refused()).toBe(0)
    },
    120_000,
  )
})
