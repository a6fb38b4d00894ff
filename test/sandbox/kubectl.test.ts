// Tests the sandbox's cluster with the real kubectl: the one in PATH, those next to it as kubectl.1.NN, and in KUBECTL_BINARIES (colon-separated).

import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, delimiter, dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { isRecentKubectl, kubectlLack } from '../support/kubectl.ts'
import { isExecutable } from '../support/processes.ts'
import { podsLack, startCluster, type SandboxCluster } from './cluster/start.ts'
import { describeWith, firstLack } from '../support/needs.ts'

const noPods = await podsLack()

function findBinaries(): string[] {
  const inPath = (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, 'kubectl'))
    .filter(isExecutable)
    .slice(0, 1)
  const beside = inPath.flatMap((path) => {
    const folder = dirname(realpathSync(path))
    return readdirSync(folder)
      .filter((name) => /^kubectl\.1\.3[0-3]$/.test(name))
      .map((name) => join(folder, name))
  })
  const named = (process.env['KUBECTL_BINARIES'] ?? '').split(':').filter((path) => path !== '')
  return [...new Set([...inPath, ...beside, ...named].map((path) => realpathSync(path)))].filter(isRecentKubectl)
}

const binaries = findBinaries()
const lack = firstLack(noPods, kubectlLack(binaries))

interface Outcome {
  code: number | null
  stdout: string
  stderr: string
}

describeWith(lack, 'kubectl', () => {
  const target = 'checkout-7d9f8c6b5-zm8tn'
  const directory = mkdtempSync(join(tmpdir(), 'kubectl-'))
  let cluster: SandboxCluster

  beforeAll(async () => {
    cluster = await startCluster()
    writeFileSync(join(directory, 'config'), cluster.kubeconfig('dev'), { mode: 0o600 })
  }, 30_000)
  afterAll(async () => {
    await cluster.stop()
    rmSync(directory, { recursive: true })
  })

  // A table must not be empty, also when all of it is skipped.
  const table = binaries.length === 0 ? ['kubectl'] : binaries
  describe.each(table.map((path) => [basename(path), path]))('%s', (name, path) => {
    // WebSockets are the default since 1.31; earlier versions need the variable.
    const env = {
      PATH: process.env['PATH'] ?? '',
      HOME: directory,
      KUBECONFIG: join(directory, 'config'),
      KUBECTL_REMOTE_COMMAND_WEBSOCKETS: 'true',
    }
    const kubectl = (args: string[], input = ''): Promise<Outcome> =>
      new Promise((resolve, reject) => {
        const child = spawn(path, args, { env, stdio: 'pipe', timeout: 20_000 })
        let stdout = ''
        let stderr = ''
        child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
        child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
        child.on('error', reject)
        child.on('close', (code) => resolve({ code, stdout, stderr }))
        child.stdin.on('error', () => undefined)
        child.stdin.end(input)
      })

    it('runs get pod, and get pods with -o wide, with a selector and as JSON', async () => {
      const one = await kubectl(['get', 'pod', target])
      expect(one).toMatchObject({ code: 0, stderr: '' })
      expect(one.stdout).toMatch(
        new RegExp(`^NAME +READY +STATUS +RESTARTS +AGE\\n${target} +0/1 +Running +0 +\\d+m\\n$`),
      )
      const wide = await kubectl(['get', 'pods', '-o', 'wide'])
      expect(wide.stdout).toMatch(/migrate-once +0\/1 +Completed/)
      expect(wide.stdout).toMatch(/payments +2\/2 +Running +0 +\d+s +10\.88\.\d+\.\d+ +sandbox-node/)
      expect((await kubectl(['get', 'pods', '-l', 'app=checkout', '-o', 'name'])).stdout).toBe(
        'pod/checkout-7d9f8c6b5-kx2vq\npod/checkout-7d9f8c6b5-zm8tn\n',
      )
      expect((await kubectl(['get', 'deployment', 'checkout', '-o', 'jsonpath={.spec.replicas}'])).stdout).toBe('2')
      expect((await kubectl(['get', 'pod', 'nope'])).stderr).toBe(
        'Error from server (NotFound): pods "nope" not found\n',
      )
      expect((await kubectl(['-n', 'kube-system', 'get', 'pods'])).stderr).toContain(
        'User "dev" cannot list resource "pods" in API group "" in the namespace "kube-system"',
      )
    })

    it('runs exec with stdout, stderr, exit code and stdin', async () => {
      const exec = ['exec', target, '-c', 'checkout']
      expect(await kubectl([...exec, '--', 'sh', '-c', 'echo out; echo err >&2; exit 7'])).toEqual({
        code: 7,
        stdout: 'out\n',
        stderr: 'err\ncommand terminated with exit code 7\n',
      })
      const piped = 'line\n'.repeat(20_000)
      expect(await kubectl([...exec, '-i', '--', 'cat'], piped)).toEqual({ code: 0, stdout: piped, stderr: '' })
      expect((await kubectl([...exec, '--', 'no-such-program'])).stderr).toContain('executable file not found in $PATH')
      expect((await kubectl(['exec', 'migrate-once', '--', 'true'])).code).toBe(1)
    })

    it('runs debug with --image and the default profile', async () => {
      const container = `debug-${name.replaceAll(/[^a-z0-9]/g, '-')}`
      const { code, stderr } = await kubectl([
        'debug',
        target,
        '--image=any/tools:1',
        '-c',
        container,
        '--',
        'sh',
        '-c',
        'echo "from $HOSTNAME"; exit 3',
      ])
      expect(stderr).not.toMatch(/error|panic/i)
      expect(code).toBe(0)
      const query = [
        'get',
        'pod',
        target,
        '-o',
        `jsonpath={.status.ephemeralContainerStatuses[?(@.name=="${container}")].state.terminated.exitCode}`,
      ]
      let ended = ''
      for (let tries = 0; tries < 50 && ended === ''; tries += 1) {
        ended = (await kubectl(query)).stdout
        if (ended === '') await delay(100)
      }
      expect(ended).toBe('3')
      expect((await kubectl(['logs', target, '-c', container])).stdout).toBe(`from ${target}\n`)
      const refused = await kubectl([
        '-n',
        'locked',
        'debug',
        'vault',
        '--image=any/tools:1',
        '-c',
        container,
        '--',
        'true',
      ])
      expect(refused.code).toBe(1)
      expect(refused.stderr).toContain('violates PodSecurity "restricted:latest"')
    })

    it('runs cp for 3 MB from a pod, byte for byte', async () => {
      const sum = await kubectl([
        'exec',
        'payments',
        '-c',
        'app',
        '--',
        'sh',
        '-c',
        'head -c 3000000 /dev/urandom >/tmp/data; base64 -w0 /tmp/data',
      ])
      const local = join(directory, `${name}.data`)
      expect((await kubectl(['cp', 'payments:/tmp/data', local, '-c', 'app'])).code).toBe(0)
      expect(readFileSync(local).toString('base64') === sum.stdout).toBe(true)
    })

    it('runs auth can-i', async () => {
      expect((await kubectl(['auth', 'can-i', 'create', 'pods', '--subresource=exec'])).stdout).toBe('yes\n')
      expect((await kubectl(['auth', 'can-i', 'patch', 'pods', '--subresource=ephemeralcontainers'])).stdout).toBe(
        'yes\n',
      )
      expect(await kubectl(['auth', 'can-i', 'delete', 'pods'])).toMatchObject({ code: 1, stdout: 'no\n' })
      expect((await kubectl(['auth', 'can-i', '--list'])).stdout).toMatch(
        /pods\/ephemeralcontainers +\[\] +\[\] +\[patch\]/,
      )
    })
  })
})
