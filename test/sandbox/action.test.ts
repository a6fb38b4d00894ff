import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expectGolden, type Run } from '../golden/record.ts'
import { createRunner, type Runner } from '../runner/runner.ts'
import type { StepProcess } from '../runner/step-process.ts'
import { violations, type Schema } from '../unit/report/schema.ts'
import { sandboxSupport, startCluster, type SandboxCluster } from './cluster/start.ts'
import { startResults, type ResultsFaults } from './results/start.ts'

/** The committed bundle in a process of its own, as GitHub's runner starts it, against the fakes. */

const root = join(import.meta.dirname, '../..')
const support = await sandboxSupport()
if (!support.supported) console.warn(`The action is not run here: ${support.reason}`)
const here = support.supported ? describe : describe.skip

let cluster: SandboxCluster
let temp: string
beforeAll(async () => {
  temp = mkdtempSync(join(tmpdir(), 'action-'))
  if (support.supported) cluster = await startCluster()
}, 30_000)
afterAll(async () => {
  await cluster?.stop()
  rmSync(temp, { recursive: true, force: true })
})

interface Scenario {
  with: Record<string, string>
  /** Which rights its user lacks, as `verb resource`. */
  without?: readonly string[]
  kubeconfig?: (text: string) => string
  faults?: ResultsFaults
  env?: Record<string, string>
  /** What happens while main runs. */
  during?: (main: StepProcess) => Promise<void>
}

interface Outcome extends Run {
  runner: Runner
  /** The artifact's bytes, where there is one. */
  artifact: { name: string; path: string; digest: string } | undefined
}

let users = 0

/** Each run has a user of its own, so that its requests are told from those of a run beside it. */
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
  ]
  cluster.bind(
    user,
    rights
      .filter((right) => scenario.without?.includes(right) !== true)
      .map((right) => right.split(' '))
      .map(([verb = '', resource = '']) => ({
        apiGroups: [resource === 'deployments' ? 'apps' : ''],
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
    const [artifact] = results.artifacts
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

/** What holds for every run, whatever came of it. */
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

here('a capture', () => {
  it.concurrent(
    'of a deployment brings its packets as an artifact',
    async () => {
      const outcome = await run({ with: { pod: 'deployment/checkout', duration: '2s', filter: 'tcp port 8080' } })
      expectSound(outcome)
      const { main, artifact, runner } = outcome
      expect(main.exitCode).toBe(0)
      expect(main.outputs).toMatchObject({ verdict: 'complete', 'stop-reason': 'duration', dropped: '0' })
      expect(main.annotations).toEqual([])
      expect(artifact?.name).toBe(basename(main.outputs['pcap-path'] ?? ''))
      expect(artifact?.digest).toBe(hash(main.outputs['pcap-path'] ?? ''))
      expect(main.outputs['artifact-digest']).toBe(artifact?.digest)
      // Read by tcpdump, not by us: as many packets as we say, and none of another port.
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
    'in which nothing matched is empty, warns, and still has a file',
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
    'in which nothing matched fails the step where that is asked for',
    async () => {
      const { main } = await run({ with: { pod: target, duration: '1', filter: 'tcp port 9', 'if-empty': 'error' } })
      expect(main.exitCode).toBe(1)
      expect(main.annotations.map(({ level }) => level)).toEqual(['error'])
      expect(main.outputs['artifact-id']).toMatch(/^\d+$/)
    },
    60_000,
  )

  it.concurrent(
    'ends at max-packets',
    async () => {
      const { main, artifact } = await run({ with: { pod: target, duration: '60', 'max-packets': '5' } })
      expect(main.outputs).toMatchObject({ verdict: 'complete', 'stop-reason': 'packets', packets: '5' })
      expect(statSync(artifact?.path ?? '').size).toBe(Number(main.outputs['bytes']))
    },
    60_000,
  )

  it.concurrent(
    'of a pod on its node’s network is there where it is allowed',
    async () => {
      const { main } = await run({
        with: { pod: 'node-agent', duration: '1', 'allow-host-network': 'true', 'if-empty': 'ignore' },
      })
      expect(main.exitCode).toBe(0)
    },
    60_000,
  )

  it.concurrent(
    'behind a sidecar offers the wider filter',
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
    'that is cancelled is delivered by the post step',
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
    'whose runner process is killed is fetched, stopped and delivered by the post step',
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

here('an upload that is refused keeps the file, says where it is, and fails the step', () => {
  it.concurrent.each<[string, ResultsFaults, RegExp]>([
    ['unauthorized', { create: 'unauthorized' }, /does not accept the job's token/],
    ['conflict', { create: 'conflict' }, /set `artifact-name` to another/],
    ['quota', { create: 'quota' }, /artifact storage/],
    ['storage', { blob: 'forbidden' }, /403/],
  ])(
    '%s',
    async (name, faults, words) => {
      const outcome = await run({ with: { pod: target, duration: '1', filter: 'tcp port 8080' }, faults })
      expectSound(outcome)
      const { main } = outcome
      expect(main.exitCode).toBe(1)
      const path = main.outputs['pcap-path'] ?? ''
      expect(existsSync(path)).toBe(true)
      const [error] = main.annotations.filter(({ level }) => level === 'error')
      expect(error?.message).toMatch(words)
      expect(error?.message).toContain(path)
      expect(main.outputs['artifact-id']).toBe('')
      expect(main.summary).toContain('Not uploaded')
      expect(outcome.artifact).toBeUndefined()
      expectGolden(`upload-${name}`, outcome, outcome.runner)
    },
    60_000,
  )
})

here('what is refused', () => {
  const wrong = {
    ...{ pod: 'Checkout_1', namespace: 'Shop', level: 'cluster', duration: '7h', snaplen: '1', 'max-size': '1TB' },
    ...{ 'max-packets': 'all', image: 'a b', capabilities: 'SYS_ADMIN', 'if-empty': 'maybe', 'artifact-name': 'a:b' },
  }
  it.concurrent.each<[string, Scenario, RegExp]>([
    ['wrong-inputs', { with: wrong }, /^11 inputs are wrong; nothing was contacted/],
    ['pod-not-found', { with: { pod: 'checkout-7d9f8c6b5-kx2v' } }, /nearest are: checkout-7d9f8c6b5-kx2vq/],
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
      /lacks rights in the namespace "shop": patch pods\/ephemeralcontainers, create pods\/exec/,
    ],
    [
      'no-right-at-all',
      { with: { pod: target }, without: ['get pods', 'patch pods/ephemeralcontainers'] },
      /lacks rights in the namespace "shop": get pods, patch pods\/ephemeralcontainers\./,
    ],
    ['filter-wrong', { with: { pod: target, filter: 'tcp prot 80' } }, /^filter: /],
    ['kubeconfig-missing', { with: { pod: target, kubeconfig: 'no/such/file' } }, /^kubeconfig: there is no file/],
    ['context-wrong', { with: { pod: target, context: 'prod' } }, /^context: got "prod"/],
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
      /^3 things stand in the way\. Nothing was created\.\n- kubeconfig: .*create pods\/exec[^]*\n- filter: [^]*\n- namespace: /,
    ],
    [
      'preflight-only',
      { with: { pod: target, preflight: 'only' }, without: ['patch pods/ephemeralcontainers'] },
      /patch pods\/ephemeralcontainers/,
    ],
  ])(
    '%s: nothing is created, in words of its own',
    async (name, scenario, words) => {
      const outcome = await run(scenario)
      expectSound(outcome)
      const { main } = outcome
      expect(main.exitCode).toBe(1)
      expect(main.annotations).toHaveLength(1)
      expect(main.annotations[0]?.message).toMatch(words)
      expect(main.log).not.toMatch(/^\s+at /m) // a user's mistake has no stack
      expect(main.outputs).toEqual({})
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
    '%s: only the pod could tell, and the error names what it leaves',
    async (name, scenario, words) => {
      const outcome = await run(scenario)
      expectSound(outcome)
      const { main } = outcome
      expect(main.exitCode).toBe(1)
      expect(main.annotations).toHaveLength(1)
      expect(main.annotations[0]?.message).toMatch(words)
      expect(main.annotations[0]?.message).toMatch(/ephemeral container packet-capture-/)
      expect(outcome.results).toEqual([])
      // Whether the container was seen running before it ended is the machine's speed; what follows the patch depends on it.
      const patched = outcome.cluster.findLastIndex(({ method }) => method === 'PATCH')
      expectGolden(`started-${name}`, { ...outcome, cluster: outcome.cluster.slice(0, patched + 1) }, outcome.runner)
    },
    60_000,
  )
})

here('preflight: only', () => {
  it.concurrent(
    'writes what it found to the summary, creates nothing and leaves post nothing to do',
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

here('the bundle', () => {
  /** The files of dist that a run read. */
  function readFiles(coverage: string): string[] {
    const read = new Set<string>()
    for (const file of readdirSync(coverage)) {
      const { result } = JSON.parse(readFileSync(join(coverage, file), 'utf8')) as { result: { url: string }[] }
      for (const { url } of result) if (url.includes('/dist/')) read.add(fileURLToPath(url))
    }
    return [...read]
  }
  const has = (path: string, words: string): boolean => readFileSync(path, 'utf8').includes(words)

  it('reads nothing of Google where a kubeconfig leads into the cluster', async () => {
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
      'function openSsh(',
      'ssh-userauth',
    ]
    for (const words of google) {
      // The words are in the bundle, so that their absence says something.
      const holders = readdirSync(join(root, 'dist')).filter(
        (name) => name.endsWith('.js') && has(join(root, 'dist', name), words),
      )
      expect(holders).not.toEqual([])
      expect(read.map((path) => basename(path)).filter((name) => holders.includes(name))).toEqual([])
    }
    expect(read.map((path) => has(path, 'function connectKubeconfig(')).filter(Boolean)).toHaveLength(1)
    expect(read.some((path) => has(path, 'function connectDirectly('))).toBe(false)
  }, 60_000)

  it('reads neither the kubeconfig parser nor Google where an API server is entered directly', async () => {
    const coverage = join(temp, 'coverage-direct')
    const { main } = await run({
      with: { pod: target, 'api-server': 'https://127.0.0.1:1', token: 'no-such-token' },
      env: { NODE_V8_COVERAGE: coverage },
    })
    expect(main.annotations[0]?.message).toMatch(/^api-server: the API server 127\.0\.0\.1:1 .*ECONNREFUSED/)
    const read = readFiles(coverage)
    expect(read.some((path) => has(path, 'function connectDirectly('))).toBe(true)
    for (const words of ['function connectKubeconfig(', 'class KubeConfig ', 'class IdentityPoolClient ']) {
      expect(read.some((path) => has(path, words))).toBe(false)
    }
  }, 30_000)

  it('takes at most 36 MB', () => {
    const folder = join(root, 'dist')
    const size = readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)
    expect(size).toBeLessThanOrEqual(36_000_000)
  })

  it('answers a bad input before anything heavy is read', async () => {
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
    expect(Math.max(...all)).toBeGreaterThan(1_000_000) // there is something heavy to leave out
    expect(total).toBeLessThan(1_500_000)
  }, 30_000)
})
