import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { createRunner, type Runner } from '../../runner/runner.ts'
import type { StepResult } from '../../runner/step-process.ts'
import { hostileValues, type HostileValue } from '../../security/hostile-values.ts'
import { startServer, status, type Server } from '../../support/api-server.ts'
import { describeWith } from '../../support/needs.ts'
import { podsLack, startCluster, type SandboxCluster } from '../cluster/start.ts'
import { startResults } from '../results/start.ts'

/** The committed bundle with hostile inputs: no value becomes a command, an option, a file, a program, a header or another request. */

const root = join(import.meta.dirname, '../../..')
const noPods = await podsLack()

let temp: string
let server: Server
beforeAll(async () => {
  temp = mkdtempSync(join(tmpdir(), 'hostile-'))
  // Without TLS there would be no credentials in the requests.
  server = await startServer({ tls: 'address' })
  server.answer = ({ path, method }) => {
    if (path.endsWith('/selfsubjectreviews'))
      return { status: 201, body: { status: { userInfo: { username: 'dev' } } } }
    if (path.endsWith('/selfsubjectaccessreviews')) return { status: 201, body: { status: { allowed: true } } }
    if (path.split('?')[0] === '/api/v1/namespaces/shop/pods/web-1' && method === 'GET')
      return { status: 200, body: pod }
    if (path.startsWith('/api/v1/namespaces/shop/pods/web-1/ephemeralcontainers')) return { status: 200, body: pod }
    return { status: 404, body: status('NotFound', 'not there') }
  }
})
afterAll(async () => {
  await server.stop()
  rmSync(temp, { recursive: true, force: true })
})

const pod = {
  metadata: { name: 'web-1', namespace: 'shop', uid: 'uid-1' },
  spec: { nodeName: 'node-1', containers: [{ name: 'app' }] },
  status: { phase: 'Running' },
}

interface Run {
  readonly main: StepResult
  readonly runner: Runner
  /** the arguments of each program that was run in place of tcpdump and of those that the values name */
  readonly programs: readonly (readonly string[])[]
  readonly folder: string
}

/** The cluster of the kubeconfig of a run. */
function secured(): object {
  return { server: server.url, 'certificate-authority-data': Buffer.from(server.certificate).toString('base64') }
}

let runCount = 0

async function run(
  inputs: Record<string, string>,
  env: Record<string, string> = {},
  cluster: object = secured(),
): Promise<Run> {
  const folder = join(temp, `run-${String((runCount += 1))}`)
  const bin = join(folder, 'bin')
  mkdirSync(bin, { recursive: true })
  for (const name of ['tcpdump', 'touch', 'id', 'curl', 'kubectl', 'tshark']) {
    writeFileSync(
      join(bin, name),
      `#!/bin/sh\nfor word in ${name} "$@"; do printf '%s\\000' "$word"; done >>'${folder}/programs'\nprintf '\\001' >>'${folder}/programs'\n`,
    )
    chmodSync(join(bin, name), 0o755)
  }
  const kubeconfig = {
    clusters: [{ name: 'test', cluster }],
    users: [{ name: 'dev', user: { token: 't0ken' } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'dev', namespace: 'shop' } }],
    'current-context': 'test',
  }
  writeFileSync(join(folder, 'kubeconfig'), JSON.stringify(kubeconfig))
  const runner = createRunner({
    actionPath: root,
    temp: folder,
    env: { KUBECONFIG: join(folder, 'kubeconfig'), PATH: `${bin}:${process.env['PATH'] ?? ''}`, ...env },
  })
  const main = await runner.start('main', { with: inputs }).done
  const record = join(folder, 'programs')
  const programs = existsSync(record)
    ? readFileSync(record, 'utf8')
        .split('\u0001')
        .filter((part) => part !== '')
        .map((part) => part.split('\0').slice(0, -1))
    : []
  return { main, runner, programs, folder }
}

/** A part of the corpus: each attack with its first values, and a few from the rest. */
function sample(canary: string): readonly HostileValue[] {
  const taken = new Map<string, number>()
  return hostileValues(canary).filter(({ attack, value }) => {
    const number = (taken.get(attack) ?? 0) + 1
    taken.set(attack, number)
    // A process cannot be started with a NUL in its environment.
    return !value.includes('\0') && (number <= 2 || number % 12 === 0)
  })
}

/** What holds for a run, whatever its inputs were. */
function expectHarmless({ main, runner, programs, folder }: Run, canary: string): void {
  expect(existsSync(canary)).toBe(false)
  expect(main.signal).toBeNull()
  expect(main.durationMs).toBeLessThan(20_000)
  expect(main.env).toEqual({})
  expect(main.path).toEqual([])
  expect(main.groups.filter((group) => !/^(Preflight|Start|Upload )/.test(group))).toEqual([])
  for (const { level } of main.annotations) expect(['error', 'warning']).toContain(level)
  for (const { message } of main.annotations) expect(message).not.toMatch(/^(x|a)$/)
  expect(Object.keys(main.outputs).filter((name) => !/^[a-z]+(-[a-z]+)*$/.test(name))).toEqual([])
  expect(main.outputs['verdict']).toBeUndefined()
  expect(main.log).not.toMatch(/^.*set-output.*deprecated/m)
  expect(
    readdirSync(folder).filter((name) => !['bin', 'home', 'kubeconfig', 'programs', 'tools', 'work'].includes(name)),
  ).toEqual([])
  expect(readdirSync(runner.folders.workspace)).toEqual([])
  expect(readdirSync(runner.folders.home)).toEqual([])
  for (const [name, ...words] of programs) {
    expect(name).toBe('tcpdump')
    expect(words.slice(0, 4)).toEqual(['-y', expect.stringMatching(/^(LINUX_SLL2|EN10MB)$/), '-d', '--'])
    expect(words).toHaveLength(5)
  }
}

/** Of the requests since the last call. */
let requestCount = 0
function expectKnownRequests(): void {
  const requests = server.requests.slice(requestCount)
  requestCount = server.requests.length
  for (const { method, path, headers } of requests) {
    expect(`${method} ${path}`).toMatch(
      /^(POST \/apis\/auth(entication|orization)\.k8s\.io\/v1\/self[a-z]+reviews|GET \/api\/v1\/namespaces\/[a-z0-9-]+\/pods(\/[a-z0-9.-]+|\?limit=500)|GET \/apis\/apps\/v1\/namespaces\/[a-z0-9-]+\/deployments\/[a-z0-9.-]+|PATCH \/api\/v1\/namespaces\/shop\/pods\/web-1\/ephemeralcontainers\?dryRun=All)$/,
    )
    expect(Object.keys(headers).sort()).toEqual(
      expect.arrayContaining(['accept', 'authorization', 'connection', 'host', 'user-agent']),
    )
    expect(headers['authorization']).toBe('Bearer t0ken')
    const known = ['accept', 'authorization', 'connection', 'content-length', 'content-type', 'host', 'user-agent']
    expect(Object.keys(headers).filter((name) => !known.includes(name))).toEqual([])
  }
}

/** Inputs of names and texts; the rest are words of a list or numbers, which the unit tests cover. */
const textInputs = [
  ...['artifact-name', 'namespace', 'node-namespace', 'filter', 'interface', 'image', 'context', 'toolbox-image'],
  ...['duration', 'max-size', 'capabilities', 'exec-env', 'retention-days'],
]

describe('a hostile value', () => {
  const canary = join(tmpdir(), `canary-${String(process.pid)}`)

  it('in every input at once is rejected before the cluster is contacted, as text', async () => {
    for (const { attack, value } of sample(canary)) {
      const result = await run({ pod: value, ...Object.fromEntries(textInputs.map((name) => [name, value])) })
      try {
        expectHarmless(result, canary)
        expect(result.main.exitCode).toBe(1)
        expect(result.main.outputs['error-code']).toMatch(/^E_INPUT_/)
        expect(result.main.annotations).toHaveLength(1)
        expectKnownRequests()
      } catch (error) {
        throw new Error(`${attack} ${JSON.stringify(value)}: ${(error as Error).message}`, { cause: error })
      }
    }
  }, 240_000)

  it.each(['filter', 'context', 'artifact-name', 'kubeconfig', 'pod'])(
    'in %s alone is rejected, or is only a value of the requests',
    async (name) => {
      const values = hostileValues(canary).filter(({ value }, i) => !value.includes('\0') && i % 23 === name.length)
      for (const { attack, value } of values) {
        const result = await run({ pod: 'web-1', preflight: 'only', [name]: value })
        try {
          expectHarmless(result, canary)
          expectKnownRequests()
          const filters = result.programs.map((words) => words.at(-1))
          for (const filter of filters) expect(filter).toBe(value.trim())
        } catch (error) {
          throw new Error(`${attack} ${JSON.stringify(value)}: ${(error as Error).message}`, { cause: error })
        }
      }
    },
    240_000,
  )

  it('of a kubeconfig is in no line of the log', async () => {
    for (const value of ['!S3cret', '*S3cret', '"S3cret', 'S3cret: x: y']) {
      const content = `users:\n- name: dev\n  user:\n    token: ${value}\n`
      const { main } = await run({ pod: 'web-1', kubeconfig: content })
      expect(main.exitCode).toBe(1)
      expect(main.outputs['error-code']).toBe('E_KUBECONFIG_INVALID')
      expect(main.stdout + main.stderr + main.summary).not.toContain('S3cret')
    }
  }, 60_000)

  it('a device as a file of the kubeconfig is rejected at once', async () => {
    const text = JSON.stringify({
      clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:1' } }],
      users: [{ name: 'dev', user: { tokenFile: '/dev/zero' } }],
      contexts: [{ name: 'c', context: { cluster: 'c', user: 'dev' } }],
      'current-context': 'c',
    })
    for (const kubeconfig of [text, '/dev/zero']) {
      const { main } = await run({ pod: 'web-1', namespace: 'shop', kubeconfig })
      expect(main.exitCode).toBe(1)
      expect(main.durationMs).toBeLessThan(15_000)
      expect(main.log).toContain('not a regular file')
    }
  }, 60_000)

  it('a verification that is off is a warning of the run, and in its summary', async () => {
    const plain = await startServer()
    plain.answer = server.answer
    const off = { NODE_TLS_REJECT_UNAUTHORIZED: '0' }
    const { main } = await run({ pod: 'web-1', preflight: 'only' }, off, { server: plain.url }).finally(() =>
      plain.stop(),
    )
    expect(plain.requests.map(({ headers }) => headers['authorization']).filter(Boolean)).toEqual([])
    const texts = main.annotations.filter(({ level }) => level === 'warning').map(({ message }) => message)
    expect(texts).toEqual(
      expect.arrayContaining([
        expect.stringContaining('over plain HTTP'),
        expect.stringContaining('NODE_TLS_REJECT_UNAUTHORIZED is 0'),
      ]) as unknown,
    )
    expect(main.summary.match(/> \[!WARNING\]/g)).toHaveLength(2)
  }, 30_000)
})

describeWith(noPods, 'an artifact name', () => {
  let cluster: SandboxCluster
  beforeAll(async () => {
    cluster = await startCluster()
  }, 30_000)
  afterAll(() => cluster.stop())

  it.each(['$(touch CANARY)', "'; touch CANARY; '", '-rf', 'x%0D%0Ay', '${{ github.token }}', 'a b;c', '#1 @octocat'])(
    'that is only a text to this action is only a text to the libraries: %s',
    async (text) => {
      const canary = join(temp, 'canary')
      const name = text.replaceAll('CANARY', basename(canary))
      const folder = join(temp, `upload-${String((runCount += 1))}`)
      mkdirSync(folder)
      const results = await startResults({ directory: join(folder, 'artifacts') })
      const kubeconfig = join(folder, 'kubeconfig')
      writeFileSync(kubeconfig, cluster.kubeconfig('dev'), { mode: 0o600 })
      const runner = createRunner({ actionPath: root, temp: folder, env: { ...results.env(), KUBECONFIG: kubeconfig } })
      try {
        const inputs = { pod: 'deployment/checkout', duration: '1', filter: 'tcp port 8080', 'artifact-name': name }
        const main = await runner.start('main', { with: inputs }).done
        expect(main.exitCode).toBe(0)
        expect(main.outputs['pcap-path']).toBe(join(runner.folders.temp, 'kubernetes-packet-capture', `${name}.pcap`))
        expect(dirname(main.outputs['pcap-path'] ?? '')).toBe(join(runner.folders.temp, 'kubernetes-packet-capture'))
        expect(results.artifacts.map((one) => one.name)).toEqual([`${name}.pcap`, `${name}-findings.json`])
        expect(main.annotations).toEqual([])
        expect(existsSync(canary) || existsSync(join(runner.folders.workspace, 'canary'))).toBe(false)
        // What the library prints stands after stop-commands.
        const [before = '', after = ''] = main.stdout.split(`Uploading artifact: ${name}`)
        expect(before).toMatch(/^::stop-commands::([0-9a-f]{32})$/m)
        expect(after).toMatch(/^::[0-9a-f]{32}::$/m)
        expect(main.summary).not.toMatch(/tcpdump -n -r \$|-r -rf|-r &#39;;/)
      } finally {
        await results.stop()
      }
    },
    60_000,
  )
})
