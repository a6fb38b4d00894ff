import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expectGolden, type Run } from '../golden/record.ts'
import { createRunner, type Runner } from '../runner/runner.ts'
import type { StepProcess } from '../runner/step-process.ts'
import { violations, type Schema } from '../support/schema.ts'
import { podsLack, startCluster, type SandboxCluster } from './cluster/start.ts'
import { startResults, type ResultsFaults } from './results/start.ts'
import { describeWith } from '../support/needs.ts'

/** The committed bundle in a separate process, started as GitHub's runner starts it, against the fakes. */

const root = join(import.meta.dirname, '../..')
const noPods = await podsLack()

let cluster: SandboxCluster
let temp: string
beforeAll(async () => {
  temp = mkdtempSync(join(tmpdir(), 'action-'))
  if (noPods === undefined) cluster = await startCluster()
}, 30_000)
afterAll(async () => {
  await cluster?.stop()
  rmSync(temp, { recursive: true, force: true })
})

interface Scenario {
  with: Record<string, string>
  /** The permissions that its user lacks, as `verb resource`. */
  without?: readonly string[]
  kubeconfig?: (text: string) => string
  faults?: ResultsFaults
  env?: Record<string, string>
  /** What happens while main runs. */
  during?: (main: StepProcess) => Promise<void>
}

interface Outcome extends Run {
  runner: Runner
  /** The artifact, if there is one. */
  artifact: { name: string; path: string; digest: string } | undefined
}

let users = 0

/** Each run has its own user, which separates its requests from those of concurrent runs. */
async function run(scenario: Scenario): Promise<Outcome> {
  const user = `job-${String((users += 1))}`
  const folder = join(temp, user)
  mkdirSync(folder)
  const results = await startResults({ directory: join(folder, 'artifacts') })
  Object.assign(results.faults, scenario.faults)
  const rights = [
    'get pods',
    'list pods',
    'patch pods/ephemeralcontainers',
    'get pods/exec',
    'create pods/exec',
    'get deployments',
    'list replicasets',
  ]
  cluster.bind(
    user,
    rights
      .filter((right) => scenario.without?.includes(right) !== true)
      .map((right) => right.split(' '))
      .map(([verb = '', resource = '']) => ({
        apiGroups: [['deployments', 'replicasets'].includes(resource) ? 'apps' : ''],
        resources: [resource],
        verbs: [verb],
      })),
  )
  const kubeconfig = join(folder, 'kubeconfig')
  writeFileSync(
    kubeconfig,
    (scenario.kubeconfig ?? ((text) => text))(cluster.kubeconfig(user).replaceAll(user, 'ci')),
    { mode: 0o600 },
  )
  const runner = createRunner({
    actionPath: root,
    temp: folder,
    env: { ...results.env(), KUBECONFIG: kubeconfig, ...scenario.env },
  })
  try {
    const running = runner.start('main', { with: scenario.with })
    await scenario.during?.(running)
    const main = await running.done
    const post = await runner.start('post').done
    const [artifact] = results.captures
    expect(runner.orphans()).toEqual([])
    return {
      inputs: scenario.with,
      main,
      post,
      cluster: cluster.requests.filter((request) => request.user === user),
      results: results.calls,
      runner,
      artifact: artifact && { ...artifact, digest: hash(artifact.path) },
    }
  } finally {
    await results.stop()
  }
}

const hash = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex')
const schema = JSON.parse(readFileSync(join(root, 'docs/result.schema.json'), 'utf8')) as Schema

/** Checks what holds for every run, successful or not. */
function expectSound({ main, post, runner }: Outcome): void {
  for (const step of [main, post]) {
    expect(step.signal).toBeNull()
    expect(step.endedAfterLastLineMs).toBeLessThan(5_000)
    expect(step.stderr).toBe('')
  }
  expect(post.exitCode).toBe(0)
  expect(main.log).not.toMatch(/Bearer |eyJ/)
  expect(JSON.stringify(main.state)).not.toMatch(/Bearer |token"/)
  const folder = join(runner.folders.temp, 'kubernetes-packet-capture')
  const files = existsSync(folder) ? readdirSync(folder) : []
  expect(files.length > 0).toBe(main.outputs['pcap-path'] !== undefined)
  if (main.outputs['result'] !== undefined) expect(violations(JSON.parse(main.outputs['result']), schema)).toEqual([])
}

const target = 'checkout-7d9f8c6b5-kx2vq'

describeWith(noPods, 'a capture', () => {
  it.concurrent(
    'of a deployment uploads its packets as an artifact',
    async () => {
      const outcome = await run({ with: { pod: 'deployment/checkout', duration: '2s', filter: 'tcp port 8080' } })
      expectSound(outcome)
      const { main, artifact, runner } = outcome
      expect(main.exitCode).toBe(0)
      expect(main.outputs).toMatchObject({ verdict: 'complete', 'stop-reason': 'duration', dropped: '0' })
      expect(main.annotations).toEqual([])
      expect(
        main.notices.map(({ message }) => message.replace(/^Diagnosis of pod checkout-\S+ in shop: /, '')),
      ).toEqual([`${main.outputs['diagnosis'] ?? ''}.`])
      expect(artifact?.name).toBe(basename(main.outputs['pcap-path'] ?? ''))
      expect(artifact?.digest).toBe(hash(main.outputs['pcap-path'] ?? ''))
      expect(main.outputs['artifact-digest']).toBe(artifact?.digest)
      // tcpdump reads the file: it has the reported number of packets, and none of another port.
      const read = (...filter: string[]): number =>
        spawnSync('tcpdump', ['-n', '-r', artifact?.path ?? '', ...filter], { encoding: 'utf8' }).stdout.split('\n')
          .length - 1
      expect(read()).toBe(Number(main.outputs['packets']))
      expect(read()).toBeGreaterThan(50)
      expect(read('not tcp port 8080')).toBe(0)
      expectGolden('capture', outcome, runner)
    },
    60_000,
  )

  it.concurrent(
    'without matching packets is empty, warns, and has a file',
    async () => {
      const outcome = await run({
        with: { pod: target, duration: '1', filter: 'tcp port 9', 'artifact-name': 'nothing' },
      })
      expectSound(outcome)
      expect(outcome.main.exitCode).toBe(0)
      expect(outcome.main.outputs).toMatchObject({ verdict: 'empty', packets: '0', bytes: '24' })
      expect(outcome.main.annotations.map(({ level }) => level)).toEqual(['warning'])
      expectGolden('empty', outcome, outcome.runner)
    },
    60_000,
  )

  it.concurrent(
    'without matching packets fails the step with if-empty: error',
    async () => {
      const { main } = await run({ with: { pod: target, duration: '1', filter: 'tcp port 9', 'if-empty': 'error' } })
      expect(main.exitCode).toBe(1)
      expect(main.annotations.map(({ level }) => level)).toEqual(['error'])
      expect(main.outputs['artifact-id']).toMatch(/^\d+$/)
    },
    60_000,
  )

  it.concurrent(
    'stops at max-packets',
    async () => {
      const { main, artifact } = await run({ with: { pod: target, duration: '60', 'max-packets': '5' } })
      expect(main.outputs).toMatchObject({ verdict: 'complete', 'stop-reason': 'packets', packets: '5' })
      expect(statSync(artifact?.path ?? '').size).toBe(Number(main.outputs['bytes']))
    },
    60_000,
  )

  it.concurrent(
    'of a pod with hostNetwork works when it is allowed',
    async () => {
      const { main } = await run({
        with: { pod: 'node-agent', duration: '1', 'allow-host-network': 'true', 'if-empty': 'ignore' },
      })
      expect(main.exitCode).toBe(0)
    },
    60_000,
  )

  it.concurrent(
    'of a pod with a sidecar suggests the wider filter',
    async () => {
      const { main } = await run({
        with: { pod: 'payments', duration: '1', filter: 'tcp port 8080', 'if-empty': 'ignore' },
      })
      expect(main.log).toContain('(tcp port 8080) or tcp port 15001')
      expect(main.summary).toContain('or tcp port 15001')
    },
    60_000,
  )

  it.concurrent(
    'that is cancelled is complete and uploaded',
    async () => {
      const outcome = await run({
        with: { pod: target, duration: '10m', filter: 'tcp port 8080' },
        during: async (main) => {
          await main.waitForLog(/Capturing pod/, 30_000)
          main.cancel()
        },
      })
      expectSound(outcome)
      const { main, post, artifact } = outcome
      expect(main.durationMs).toBeLessThan(30_000)
      expect(main.outputs).toMatchObject({ verdict: 'complete', 'stop-reason': 'cancelled' })
      expect(post.summary).toContain('complete')
      expect(artifact?.digest).toBe(hash(main.outputs['pcap-path'] ?? ''))
      expectGolden('cancelled', outcome, outcome.runner)
    },
    60_000,
  )

  it.concurrent(
    'whose main step is killed is fetched, stopped and uploaded by the post step',
    async () => {
      const {
        main,
        post,
        artifact,
        cluster: asked,
      } = await run({
        with: { pod: target, duration: '10m', filter: 'tcp port 8080' },
        during: async (running) => {
          await running.waitForLog(/Capturing pod/, 30_000)
          running.kill('SIGKILL')
        },
      })
      expect(main.signal).toBe('SIGKILL')
      expect(post.exitCode).toBe(0)
      expect(post.outputs).toMatchObject({ verdict: 'complete', 'stop-reason': 'cancelled' })
      expect(artifact?.digest).toBe(hash(post.outputs['pcap-path'] ?? ''))
      const execs = asked.filter(({ path }) => path.endsWith('/exec'))
      expect(execs.length).toBeGreaterThanOrEqual(2)
    },
    60_000,
  )
})

describeWith(noPods, 'an upload that fails once', () => {
  it.concurrent.each([408, 429, 502, 504])(
    'with %s of the blob store is tried again, and succeeds under another name',
    async (status) => {
      const faults = { blob: { status, times: 1 } }
      const outcome = await run({ with: { pod: target, duration: '1', filter: 'tcp port 8080' }, faults })
      expectSound(outcome)
      expect(outcome.main).toMatchObject({ exitCode: 0, annotations: [], outputs: { verdict: 'complete' } })
      expect(outcome.main.log).toMatch(
        new RegExp(`The upload failed: .*: ${String(status)} [A-Z][^]*It is tried again in 2 s`),
      )
      const path = outcome.main.outputs['pcap-path'] ?? ''
      const name = basename(path).replace('.pcap', '-2.pcap')
      expect(outcome.artifact).toMatchObject({ name, digest: hash(path) })
    },
    60_000,
  )
})

describeWith(noPods, 'an upload that is cancelled between two tries', () => {
  it('is done by the post step', async () => {
    const outcome = await run({
      with: { pod: target, duration: '1', filter: 'tcp port 8080' },
      faults: { blob: { status: 429, times: 1, retryAfter: 60 } },
      during: async (main) => {
        await main.waitForLog(/It is tried again in 60 s/, 30_000)
        main.cancel()
      },
    })
    expectSound(outcome)
    const path = outcome.main.outputs['pcap-path'] ?? ''
    const name = basename(path).replace('.pcap', '-post.pcap')
    expect(outcome.artifact).toMatchObject({ name, digest: hash(path) })
    expect(outcome.post.summary).toContain(name)
  }, 60_000)
})

describeWith(noPods, 'a rejected upload keeps the file, reports its path, and fails the step', () => {
  it.concurrent.each<[string, ResultsFaults, RegExp]>([
    ['unauthorized', { create: 'unauthorized' }, /rejects the token of the job/],
    ['conflict', { create: 'conflict' }, /Set `artifact-name` to another/],
    ['quota', { create: 'quota' }, /artifact storage/],
    ['storage', { blob: 'forbidden' }, /403/],
  ])(
    '%s',
    async (name, faults, pattern) => {
      const outcome = await run({ with: { pod: target, duration: '1', filter: 'tcp port 8080' }, faults })
      expectSound(outcome)
      const { main } = outcome
      expect(main.exitCode).toBe(1)
      const path = main.outputs['pcap-path'] ?? ''
      expect(existsSync(path)).toBe(true)
      const [error] = main.annotations.filter(({ level }) => level === 'error')
      expect(error?.message).toMatch(pattern)
      expect(error?.message).toContain(path)
      expect(main.outputs['artifact-id']).toBe('')
      expect(main.summary).toContain('was not uploaded')
      expect(outcome.artifact).toBeUndefined()
      expectGolden(`upload-${name}`, outcome, outcome.runner)
    },
    60_000,
  )
})

describeWith(noPods, 'an artifact that cannot be uploaded from here', () => {
  const enterprise = { GITHUB_SERVER_URL: 'https://git.acme.example' }

  it('is refused before anything is created', async () => {
    const outcome = await run({ with: { pod: target, duration: '1' }, env: enterprise })
    expectSound(outcome)
    const { main, cluster: requests } = outcome
    expect(main.outputs['error-code']).toBe('E_ARTIFACT_SERVICE_UNAVAILABLE')
    expect(main.annotations).toHaveLength(1)
    expect(main.annotations[0]?.message).toMatch(/^upload: `artifact` is not possible here: git\.acme\.example is /)
    expect(requests.filter(({ method, query }) => method === 'PATCH' && !query.includes('dryRun'))).toEqual([])
    expectGolden('refused-upload', outcome, outcome.runner)
  }, 60_000)

  it('is reported beside a cluster that cannot be opened', async () => {
    const { main } = await run({ with: { pod: target, context: 'production' }, env: enterprise })
    expect(main.annotations[0]?.message).toMatch(/^Preflight failed with 2 problems\.[^]*- context: [^]*- upload: /)
  }, 60_000)

  it('is not needed with upload: none, and the file stays on the runner', async () => {
    const inputs = { pod: target, duration: '1', filter: 'tcp port 8080', upload: 'none' }
    const outcome = await run({ with: inputs, env: { ...enterprise, ACTIONS_RUNTIME_TOKEN: '' } })
    expectSound(outcome)
    const { main } = outcome
    expect(main).toMatchObject({ exitCode: 0, annotations: [], outputs: { verdict: 'complete', 'artifact-id': '' } })
    expect(existsSync(main.outputs['pcap-path'] ?? '')).toBe(true)
    expect(main.summary).toContain('**The file is on the runner** (`upload: none`): ')
    expectGolden('upload-none', outcome, outcome.runner)
  }, 60_000)
})

describeWith(noPods, 'a rejected capture', () => {
  const wrong = {
    ...{ pod: 'Checkout_1', namespace: 'Shop', level: 'cluster', duration: '7h', snaplen: '1', 'max-size': '1TB' },
    ...{ 'max-packets': 'all', image: 'a b', capabilities: 'SYS_ADMIN', 'if-empty': 'maybe', 'artifact-name': 'a:b' },
  }
  it.concurrent.each<[string, Scenario, RegExp]>([
    ['wrong-inputs', { with: wrong }, /^11 inputs are invalid\. No resources were created\.\n/],
    ['pod-not-found', { with: { pod: 'checkout-7d9f8c6b5-kx2v' } }, /similar names: checkout-7d9f8c6b5-kx2vq/],
    ['deployment-not-found', { with: { pod: 'deployment/nope' } }, /no deployment "nope"/],
    ['completed', { with: { pod: 'migrate-once' } }, /has ended/],
    ['not-running', { with: { pod: 'reports-0' } }, /is not running \(Pending\)/],
    ['windows', { with: { pod: 'billing-win' } }, /Windows/],
    ['static', { with: { pod: 'registry-cache-sandbox-node' } }, /static pod/],
    ['host-network', { with: { pod: 'node-agent' } }, /allow-host-network: true/],
    ['restricted', { with: { pod: 'vault', namespace: 'locked' } }, /violates PodSecurity "restricted/],
    [
      'capabilities-baseline',
      { with: { pod: 'web', namespace: 'base', capabilities: 'NET_ADMIN' } },
      /violates PodSecurity "baseline/,
    ],
    [
      'rights-missing',
      { with: { pod: target }, without: ['patch pods/ephemeralcontainers', 'create pods/exec'] },
      /lacks permissions in the namespace "shop":\n *patch pods\/ephemeralcontainers\n *create pods\/exec/,
    ],
    [
      'no-right-at-all',
      { with: { pod: target }, without: ['get pods', 'patch pods/ephemeralcontainers'] },
      /lacks permissions in the namespace "shop":\n *get pods\n *patch pods\/ephemeralcontainers\n/,
    ],
    ['filter-wrong', { with: { pod: target, filter: 'tcp prot 80' } }, /^filter: /],
    ['kubeconfig-missing', { with: { pod: target, kubeconfig: 'no/such/file' } }, /^kubeconfig: there is no file/],
    ['context-wrong', { with: { pod: target, context: 'prod' } }, /^context: .* has no context "prod"/],
    [
      'token-expired',
      { with: { pod: target }, kubeconfig: (text) => text.replace(/token: .*/, 'token: expired') },
      /401 Unauthorized/,
    ],
    [
      'unreachable',
      { with: { pod: target }, kubeconfig: (text) => text.replace(/server: .*/, 'server: https://127.0.0.1:1') },
      /cannot be reached/,
    ],
    [
      'everything-at-once',
      { with: { pod: 'vault', namespace: 'locked', filter: 'tcp prot 80' }, without: ['create pods/exec'] },
      /^Preflight failed with 3 problems\. No resources were created\.\n- kubeconfig: [^]*create pods\/exec[^]*\n- filter: [^]*\n- namespace: /,
    ],
    [
      'preflight-only',
      { with: { pod: target, preflight: 'only' }, without: ['patch pods/ephemeralcontainers'] },
      /patch pods\/ephemeralcontainers/,
    ],
  ])(
    '%s: creates nothing and reports the reason',
    async (name, scenario, pattern) => {
      const outcome = await run(scenario)
      expectSound(outcome)
      const { main } = outcome
      expect(main.exitCode).toBe(1)
      expect(main.annotations).toHaveLength(1)
      expect(main.annotations[0]?.message).toMatch(pattern)
      expect(main.log).not.toMatch(/^\s+at /m) // a user's mistake has no stack
      expect(Object.keys(main.outputs)).toEqual(['error-code'])
      expect(outcome.cluster.filter(({ method, query }) => method === 'PATCH' && !query.includes('dryRun'))).toEqual([])
      expect(outcome.results).toEqual([])
      expectGolden(`refused-${name}`, outcome, outcome.runner)
    },
    60_000,
  )

  it.concurrent.each<[string, Scenario, RegExp]>([
    [
      'image-missing',
      { with: { pod: target, image: 'registry.sandbox/missing:1' } },
      /^image: .*cannot start "registry\.sandbox\/missing:1"/,
    ],
    [
      'image-stuck',
      { with: { pod: target, image: 'registry.sandbox/stuck:1', 'start-timeout': '5s' } },
      /^start-timeout: /,
    ],
    ['image-without-tools', { with: { pod: target, image: 'registry.sandbox/notools:1' } }, /^image: .*no tcpdump/],
    ['no-net-raw', { with: { pod: target, image: 'registry.sandbox/nonetraw:1' } }, /^capabilities: .*NET_RAW/],
    ['interface-missing', { with: { pod: target, interface: 'nosuch0' } }, /^interface: .*nosuch0/],
  ])(
    '%s: fails after the container starts, and the error names what is not removed',
    async (name, scenario, pattern) => {
      const outcome = await run(scenario)
      expectSound(outcome)
      const { main } = outcome
      expect(main.exitCode).toBe(1)
      expect(main.annotations).toHaveLength(1)
      expect(main.annotations[0]?.message).toMatch(pattern)
      expect(main.annotations[0]?.message).toMatch(/ephemeral container packet-capture-/)
      expect(outcome.results).toEqual([])
      // Whether the action sees the container running before it ends depends on the speed of the machine.
      // One log line and the requests after the patch depend on that.
      const log = main.log.replace(/^Started .*\n/m, '')
      const patched = outcome.cluster.findLastIndex(({ method }) => method === 'PATCH')
      const requests = outcome.cluster.slice(0, patched + 1)
      expectGolden(`started-${name}`, { ...outcome, main: { ...main, log }, cluster: requests }, outcome.runner)
    },
    60_000,
  )
})

describeWith(noPods, 'preflight: only', () => {
  it.concurrent(
    'writes the results to the summary, creates nothing, and post does nothing',
    async () => {
      const outcome = await run({ with: { pod: 'deployment/checkout', preflight: 'only', filter: 'tcp port 8080' } })
      expectSound(outcome)
      const { main, post, results } = outcome
      expect(main).toMatchObject({ exitCode: 0, annotations: [], outputs: {} })
      expect(main.summary).toContain('Ready to capture')
      expect(main.summary).toContain('all 6 that are needed')
      expect(post.log).toBe('')
      expect(outcome.cluster.filter(({ method, query }) => method === 'PATCH' && !query.includes('dryRun'))).toEqual([])
      expect(results).toEqual([])
      expectGolden('preflight-only', outcome, outcome.runner)
    },
    60_000,
  )
})

describeWith(noPods, 'the bundle', () => {
  /** The files of dist that a run loaded. */
  function readFiles(coverage: string): string[] {
    const read = new Set<string>()
    for (const file of readdirSync(coverage)) {
      const { result } = JSON.parse(readFileSync(join(coverage, file), 'utf8')) as { result: { url: string }[] }
      for (const { url } of result) if (url.includes('/dist/')) read.add(fileURLToPath(url))
    }
    return [...read]
  }
  const has = (path: string, text: string): boolean => readFileSync(path, 'utf8').includes(text)

  it('does not load the Google code when a kubeconfig is used', async () => {
    const coverage = join(temp, 'coverage-kubeconfig')
    const { main } = await run({
      with: { pod: target, duration: '1', filter: 'tcp port 8080' },
      env: { NODE_V8_COVERAGE: coverage },
    })
    expect(main.exitCode).toBe(0)
    const read = readFiles(coverage)
    const google = [
      'class IdentityPoolClient ',
      'clusters/NAME',
      'class InstancesClient ',
      'class SshSession ',
      'ssh-userauth',
    ]
    for (const text of google) {
      // These strings are in the bundle; otherwise their absence from the loaded files proves nothing.
      const holders = readdirSync(join(root, 'dist')).filter(
        (name) => name.endsWith('.js') && has(join(root, 'dist', name), text),
      )
      expect(holders).not.toEqual([])
      expect(read.map((path) => basename(path)).filter((name) => holders.includes(name))).toEqual([])
    }
    expect(read.map((path) => has(path, 'function connectKubeconfig(')).filter(Boolean)).toHaveLength(1)
    expect(read.some((path) => has(path, 'function connectWithToken('))).toBe(false)
  }, 60_000)

  it('does not load the kubeconfig parser or the Google code for a direct connection to an API server', async () => {
    const coverage = join(temp, 'coverage-direct')
    const { main } = await run({
      with: { pod: target, 'api-server': 'https://127.0.0.1:1', token: 'no-such-token' },
      env: { NODE_V8_COVERAGE: coverage },
    })
    expect(main.annotations[0]?.message).toMatch(/^api-server: the API server 127\.0\.0\.1:1 .*ECONNREFUSED/)
    const read = readFiles(coverage)
    expect(read.some((path) => has(path, 'function connectWithToken('))).toBe(true)
    for (const text of ['function connectKubeconfig(', 'class KubeConfig ', 'class IdentityPoolClient ']) {
      expect(read.some((path) => has(path, text))).toBe(false)
    }
  }, 30_000)

  it('has at most 36 MB', () => {
    const folder = join(root, 'dist')
    const size = readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)
    expect(size).toBeLessThanOrEqual(36_000_000)
  })

  it('reports an invalid input before it loads a large chunk', async () => {
    const coverage = join(temp, 'coverage')
    const { main, cluster: asked } = await run({ with: { pod: '' }, env: { NODE_V8_COVERAGE: coverage } })
    expect(main.exitCode).toBe(1)
    expect(asked).toEqual([])
    const sizes = Object.fromEntries(readFiles(coverage).map((path) => [basename(path), statSync(path).size]))
    expect(sizes).toHaveProperty(['index.js'])
    const total = Object.values(sizes).reduce((sum, size) => sum + size, 0)
    const all = readdirSync(join(root, 'dist'))
      .filter((name) => name.endsWith('.js'))
      .map((name) => statSync(join(root, 'dist', name)).size)
    expect(Math.max(...all)).toBeGreaterThan(1_000_000) // there is a large chunk to skip
    expect(total).toBeLessThan(1_500_000)
  }, 30_000)
})
