import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generate } from 'selfsigned'
import {
  execSource,
  readPlugin,
  type ExecCluster,
  type ExecCredential,
  type ExecPlugin,
} from '../../../src/cluster/exec-plugin.ts'
import { ConfigurationError } from '../../../src/errors.ts'
import { isAlive } from './alive.ts'
import { until } from '../until.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'exec-plugin-'))
})
afterEach(() => {
  rmSync(folder, { recursive: true })
})

const version = 'client.authentication.k8s.io/v1'
const cluster: ExecCluster = { server: 'https://cluster.example', 'certificate-authority-data': 'Y2E=' }
const path = process.env['PATH'] ?? ''

/** A program in the folder that writes a line to `runs` each time, then does what the test says. */
function program(script: string, name = 'auth-plugin'): string {
  const file = join(folder, name)
  writeFileSync(file, `#!/bin/sh\necho run >>"${join(folder, 'runs')}"\n${script}\n`)
  chmodSync(file, 0o755)
  return file
}
const runs = (): number => {
  const file = join(folder, 'runs')
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').length - 1 : 0
}
const say = (status: object): string =>
  `printf '%s' '${JSON.stringify({ apiVersion: version, kind: 'ExecCredential', status })}'`
const open = (plugin: ExecPlugin, options: Parameters<typeof execSource>[4] = {}): (() => Promise<ExecCredential>) =>
  execSource(plugin, cluster, folder, { PATH: path }, options).get

async function refusal(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(ConfigurationError)
  return (error as Error).message
}

describe('what the plugin is given', () => {
  const told = async (plugin: Partial<ExecPlugin>): Promise<unknown> => {
    const file = join(folder, 'info')
    await open({ command: program(`echo "$KUBERNETES_EXEC_INFO" >${file}; ${say({ token: 't' })}`), ...plugin })()
    return JSON.parse(readFileSync(file, 'utf8'))
  }

  it('is KUBERNETES_EXEC_INFO in its own version, without a terminal and without the cluster', async () => {
    expect(await told({ apiVersion: 'client.authentication.k8s.io/v1beta1' })).toEqual({
      apiVersion: 'client.authentication.k8s.io/v1beta1',
      kind: 'ExecCredential',
      spec: { interactive: false },
    })
    expect(await told({})).toMatchObject({ apiVersion: version })
  })

  it('is the cluster, too, where it asks for it', async () => {
    expect(await told({ provideClusterInfo: true })).toMatchObject({ spec: { interactive: false, cluster } })
  })

  it('are its arguments, its own variables over ours, and no stdin', async () => {
    const file = join(folder, 'seen')
    const script = `{ echo "$1|$2|$REGION|$OURS"; cat; } >${file}; ${say({ token: 't' })}`
    const plugin = { command: program(script), args: ['get token', '-x'], env: [{ name: 'REGION', value: 'eu' }] }
    await execSource(plugin, cluster, folder, { PATH: path, REGION: 'us', OURS: 'yes' }).get()
    expect(readFileSync(file, 'utf8')).toBe('get token|-x|eu|yes\n')
  })
})

describe('where the plugin is found', () => {
  it('by a name in PATH', async () => {
    program(say({ token: 'in-path' }), 'own-auth')
    const source = execSource({ command: 'own-auth' }, cluster, '/', { PATH: `${folder}:${path}` })
    expect((await source.get()).token).toBe('in-path')
  })

  it("by a relative path in the kubeconfig's folder", async () => {
    program(say({ token: 'beside' }))
    expect((await open({ command: './auth-plugin' })()).token).toBe('beside')
  })

  it('by an absolute path', async () => {
    const command = program(say({ token: 'there' }))
    expect((await execSource({ command }, cluster, undefined, { PATH: path }).get()).token).toBe('there')
  })

  it.each([
    ['gke-gcloud-auth-plugin', undefined, /gcloud components install/],
    ['aws', 'their own hint', /aws-actions\/configure-aws-credentials.* The kubeconfig says: their own hint$/],
    ['own-plugin', 'brew install\n  own-plugin', /PATH\. brew install own-plugin$/],
    ['own-plugin', undefined, /Install it in a step before/],
  ])('nowhere: %s is named, and how to get it (hint: %j)', async (command, installHint, how) => {
    const source = execSource({ command, ...(installHint ? { installHint } : {}) }, cluster, folder, { PATH: folder })
    const message = await refusal(source.get())
    expect(message).toMatch(/^kubeconfig: its user needs the exec plugin `/)
    expect(message).toContain(`\`${command}\`, which is not on this runner's PATH`)
    expect(message).toMatch(how)
  })

  it('nowhere: of a path it is not said that PATH lacks it', async () => {
    const message = await refusal(open({ command: '/opt/nothing/kubelogin' })())
    expect(message).toContain('`/opt/nothing/kubelogin`, but there is no such file on this runner. ')
    expect(message).toContain('azure/use-kubelogin')
  })

  it('but its interpreter is not there', async () => {
    const command = program('')
    writeFileSync(command, '#!/opt/nothing/python\n')
    expect(await refusal(open({ command })())).toMatch(/auth-plugin`, which is there, but the interpreter .* is not/)
  })

  it('but may not be run', async () => {
    const command = program('')
    chmodSync(command, 0o644)
    expect(await refusal(open({ command })())).toMatch(/auth-plugin` gave no credentials: .*EACCES/)
  })
})

describe('what the plugin gives', () => {
  const at = (ms: number): string => new Date(ms).toISOString()
  const began = Date.parse('2026-11-22T12:00:00Z')

  it('is a token, a certificate with its key, or both', async () => {
    const { cert, private: key } = await generate([], { keyType: 'ec' })
    const pair = { clientCertificateData: cert, clientKeyData: key }
    expect(await open({ command: program(say({ token: 't' })) })()).toMatchObject({
      token: 't',
      certificate: undefined,
    })
    expect(await open({ command: program(say(pair)) })()).toEqual({
      ...{ token: undefined, certificate: cert, key },
    })
    expect(await open({ command: program(say({ token: 't', ...pair })) })()).toEqual({
      ...{ token: 't', certificate: cert, key },
    })
  })

  it('without an end is kept for good', async () => {
    let time = began
    const source = open({ command: program(say({ token: 't' })) }, { now: () => time })
    await source()
    time += 365 * 86_400_000
    await source()
    expect(runs()).toBe(1)
  })

  it.each([
    ['an hour', 3_600_000, 3_540_000],
    ['20 seconds', 20_000, 15_000],
  ])('is renewed before its end: %s', async (_what, lifetime, kept) => {
    let time = began
    const command = program(say({ token: 't', expirationTimestamp: at(began + lifetime) }))
    const source = open({ command }, { now: () => time })
    await source()
    time = began + kept - 1
    await source()
    expect(runs()).toBe(1)
    time = began + kept
    await source()
    expect(runs()).toBe(2)
  })

  it('without an end is asked for again once it is refused, once for all who were refused it', async () => {
    let time = began
    const source = execSource(
      { command: program(say({ token: 't' })) },
      cluster,
      folder,
      { PATH: path },
      { now: () => time },
    )
    const first = await source.get()
    time += 60_000
    source.refused(first)
    const second = await source.get()
    source.refused(first)
    await source.get()
    expect(runs()).toBe(2)
    source.refused(second) // so soon another one would be no better
    await source.get()
    expect(runs()).toBe(2)
  })

  it('serves all who ask at the same time, by one run', async () => {
    const source = open({ command: program(`sleep 0.2; ${say({ token: 't' })}`) })
    const all = await Promise.all([source(), source(), source()])
    expect(all.map(({ token }) => token)).toEqual(['t', 't', 't'])
    expect(runs()).toBe(1)
  })

  it('is asked for again after a failure', async () => {
    const once = join(folder, 'once')
    const source = open({ command: program(`[ -e ${once} ] || { : >${once}; exit 1; }; ${say({ token: 't' })}`) })
    await refusal(source())
    expect((await source()).token).toBe('t')
  })
})

describe('a plugin that gives nothing', () => {
  it.each([
    ['its words', 'echo "please log in first" >&2; exit 3', /please log in first/],
    ['the last of many words', 'for i in 1 2 3 4 5; do echo "word $i" >&2; done; exit 1', /: word 3; word 4; word 5\./],
    ['its exit code where it says nothing', 'exit 7', /it ended with exit code 7/],
    ['the signal that ended it', 'kill -9 $$', /it was ended by SIGKILL\./],
    [
      'a certificate that is none',
      say({ clientCertificateData: 's3cret', clientKeyData: 's3cret' }),
      /its answer has a client certificate that is none/,
    ],
    ['no JSON', 'echo "token: s3cret"', /not an ExecCredential/],
    ['JSON that is no object', 'echo null', /not an ExecCredential/],
    ['no status', 'echo "{}"', /neither a token nor a certificate/],
    ['an empty token', say({ token: '' }), /neither a token nor a certificate/],
    ['a certificate without its key', say({ clientCertificateData: 's3cret' }), /certificate without its key/],
  ])('is told: %s', async (_what, script, words) => {
    const message = await refusal(open({ command: program(script) })())
    expect(message).toMatch(/^kubeconfig: the exec plugin `.*auth-plugin` gave no credentials: /)
    expect(message).toMatch(words)
    expect(message).not.toContain('s3cret')
  })

  it('in time is ended', async () => {
    const began = performance.now()
    const message = await refusal(open({ command: program('exec sleep 60') }, { timeout: 300 })())
    expect(message).toContain('it gave no answer within 0.3 s')
    expect(performance.now() - began).toBeLessThan(10_000)
  })

  it('because it hangs behind a wrapper is ended with the wrapper', async () => {
    const began = performance.now()
    const pid = join(folder, 'pid')
    const command = program(`sh -c 'echo $$ >${pid}; sleep 60; :'\n:`)
    expect(await refusal(open({ command }, { timeout: 1_000 })())).toContain('it gave no answer within 1 s')
    expect(performance.now() - began).toBeLessThan(10_000)
    await until('what it wrapped is gone', () => !isAlive(Number(readFileSync(pid, 'utf8'))))
  })

  it('but talks without end is ended', async () => {
    const message = await refusal(open({ command: program('exec yes') })())
    expect(message).toMatch(/gave no credentials: its answer is longer than 1 MiB/)
  })
})

describe('a plugin that has given its answer', () => {
  it('is not waited for though it left something that holds its stdout; that goes on, as with kubectl', async () => {
    const pid = join(folder, 'pid')
    const began = performance.now()
    const { token } = await open({ command: program(`${say({ token: 't' })}\nsleep 60 & echo $! >${pid}\nexit 0`) })()
    expect(token).toBe('t')
    expect(performance.now() - began).toBeLessThan(10_000)
    const left = Number(readFileSync(pid, 'utf8'))
    expect(isAlive(left)).toBe(true)
    process.kill(left)
  })

  it('is heard to its end, however long the answer is', async () => {
    const token = 'x'.repeat(700_000)
    writeFileSync(join(folder, 'answer'), JSON.stringify({ status: { token } }))
    expect((await open({ command: program(`exec cat ${join(folder, 'answer')}`) })()).token).toHaveLength(700_000)
  })
})

describe('the exec of a user', () => {
  const command = 'auth'
  it.each<[string, unknown, RegExp]>([
    ['a word', 'auth', /is no mapping/],
    ['without a command', {}, /has no command/],
    ['with an empty command', { command: '' }, /has no command/],
    ['with args that are no list', { command, args: 'get-token' }, /args that are no list of strings/],
    ['with args that are lists', { command, args: [['a']] }, /args that are no list of strings/],
    ['with env as a mapping', { command, env: { A: 'b' } }, /env that is no list of `\{ name: NAME, value: TEXT \}`/],
    ['with env that lacks values', { command, env: [{ name: 'A' }] }, /env that is no list/],
    ['with env of nothing', { command, env: [null] }, /env that is no list/],
  ])('is refused %s', (_what, exec, words) => {
    const read = (): ExecPlugin => readPlugin(exec, 'kubeconfig: the exec plugin of its user "dev"')
    expect(read).toThrow(ConfigurationError)
    expect(read).toThrow(/^kubeconfig: the exec plugin of its user "dev" (is|has) /)
    expect(read).toThrow(words)
  })

  it('is taken without args and env, and with numbers as args', async () => {
    expect(readPlugin({ command, args: null, env: null }, 'x')).toMatchObject({ command })
    const plugin = readPlugin({ command: program(`echo "{\\"status\\":{\\"token\\":\\"$1\\"}}"`), args: [8080] }, 'x')
    expect((await open(plugin)()).token).toBe('8080')
  })
})
