import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generate } from 'selfsigned'
import {
  execSource,
  readPlugin,
  type ExecCluster,
  type ExecCredential,
  type ExecEnvironment,
  type ExecOptions,
  type ExecPlugin,
} from '../../../../src/cluster/kubeconfig/exec-plugin.ts'
import { ConfigurationError } from '../../../../src/common/errors.ts'
import { isAlive } from '../../../support/processes.ts'
import { until } from '../../../support/until.ts'
import { refusal } from '../../../support/refusal.ts'

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

/** A program in the folder that appends a line to `runs`, then runs the script. */
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
const here = (): ExecEnvironment => ({ cluster, folder, env: { PATH: path } })
const open = (plugin: ExecPlugin, options: ExecOptions = {}): (() => Promise<ExecCredential>) =>
  execSource(plugin, here(), options).get

describe('the input of a plugin', () => {
  const told = async (plugin: Partial<ExecPlugin>): Promise<unknown> => {
    const file = join(folder, 'info')
    const answer = say({ token: 't' }).replace(version, plugin.apiVersion ?? version)
    await open({ command: program(`echo "$KUBERNETES_EXEC_INFO" >${file}; ${answer}`), ...plugin })()
    return JSON.parse(readFileSync(file, 'utf8'))
  }

  it('includes KUBERNETES_EXEC_INFO in its API version, non-interactive and without the cluster', async () => {
    expect(await told({ apiVersion: 'client.authentication.k8s.io/v1beta1' })).toEqual({
      apiVersion: 'client.authentication.k8s.io/v1beta1',
      kind: 'ExecCredential',
      spec: { interactive: false },
    })
    expect(await told({})).toMatchObject({ apiVersion: version })
  })

  it('includes the cluster when provideClusterInfo is set', async () => {
    expect(await told({ provideClusterInfo: true })).toMatchObject({ spec: { interactive: false, cluster } })
  })

  it('includes its arguments and its variables, which override the inherited ones, but no stdin', async () => {
    const file = join(folder, 'seen')
    const script = `{ echo "$1|$2|$REGION|$OTHER"; cat; } >${file}; ${say({ token: 't' })}`
    const plugin = { command: program(script), args: ['get token', '-x'], env: [{ name: 'REGION', value: 'eu' }] }
    await execSource(plugin, { ...here(), env: { PATH: path, REGION: 'us', OTHER: 'yes' } }).get()
    expect(readFileSync(file, 'utf8')).toBe('get token|-x|eu|yes\n')
  })
})

describe('the command of a plugin', () => {
  const installFixes = new Map([['known-plugin', 'Install it with `known install`.']])

  it('is found by a name in PATH', async () => {
    program(say({ token: 'in-path' }), 'own-auth')
    const source = execSource({ command: 'own-auth' }, { cluster, folder: '/', env: { PATH: `${folder}:${path}` } })
    expect((await source.get()).token).toBe('in-path')
  })

  it("is found by a path relative to the kubeconfig's folder", async () => {
    program(say({ token: 'beside' }))
    expect((await open({ command: './auth-plugin' })()).token).toBe('beside')
  })

  it('is found by an absolute path', async () => {
    const command = program(say({ token: 'there' }))
    expect((await execSource({ command }, { ...here(), folder: undefined }).get()).token).toBe('there')
  })

  it.each([
    ['known-plugin', undefined, /PATH\. Install it with `known install`\.$/],
    ['known-plugin', 'their own hint', /`known install`\. The kubeconfig says: their own hint$/],
    ['own-plugin', 'brew install\n  own-plugin', /PATH\. brew install own-plugin$/],
    ['own-plugin', undefined, /Install it in an earlier step/],
  ])('is reported with installation steps when it is not found: %s (hint: %j)', async (command, installHint, how) => {
    const source = execSource(
      { command, ...(installHint ? { installHint } : {}) },
      { ...here(), env: { PATH: folder }, installFixes },
    )
    const message = await refusal(source.get())
    expect(message).toMatch(/^kubeconfig: its user needs the exec plugin `/)
    expect(message).toContain(`\`${command}\`, which is not on this runner's PATH`)
    expect(message).toMatch(how)
  })

  it('is reported without PATH when its path does not exist', async () => {
    const message = await refusal(
      execSource({ command: '/opt/nothing/known-plugin' }, { ...here(), installFixes }).get(),
    )
    expect(message).toContain('`/opt/nothing/known-plugin`, but there is no such file on this runner. ')
    expect(message).toContain('`known install`')
  })

  it('is reported when its interpreter does not exist', async () => {
    const command = program('')
    writeFileSync(command, '#!/opt/nothing/python\n')
    expect(await refusal(open({ command })())).toMatch(/auth-plugin`, which exists, but the interpreter .* does not/)
  })

  it('is reported when it is not executable', async () => {
    const command = program('')
    chmodSync(command, 0o644)
    expect(await refusal(open({ command })())).toMatch(/auth-plugin` returned no credentials: .*EACCES/)
  })
})

describe('the credential of a plugin', () => {
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

  it('without an expiry is cached without limit', async () => {
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
  ])('is renewed before its expiry: %s', async (_what, lifetime, kept) => {
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

  it('without an expiry is fetched again when a server rejects it, once for concurrent requests', async () => {
    let time = began
    const source = execSource({ command: program(say({ token: 't' })) }, here(), { now: () => time })
    const first = await source.get()
    time += 60_000
    source.invalidate(first)
    const second = await source.get()
    source.invalidate(first)
    await source.get()
    expect(runs()).toBe(2)
    source.invalidate(second) // it was fetched a moment ago
    await source.get()
    expect(runs()).toBe(2)
  })

  it('is fetched once for concurrent callers', async () => {
    const source = open({ command: program(`sleep 0.2; ${say({ token: 't' })}`) })
    const all = await Promise.all([source(), source(), source()])
    expect(all.map(({ token }) => token)).toEqual(['t', 't', 't'])
    expect(runs()).toBe(1)
  })

  it('is fetched again after a failure', async () => {
    const once = join(folder, 'once')
    const source = open({ command: program(`[ -e ${once} ] || { : >${once}; exit 1; }; ${say({ token: 't' })}`) })
    await refusal(source())
    expect((await source()).token).toBe('t')
  })
})

describe('a plugin that returns no credential', () => {
  it.each([
    ['its stderr', 'echo "please log in first" >&2; exit 3', /please log in first/],
    [
      'the last lines of its stderr',
      'for i in 1 2 3 4 5; do echo "word $i" >&2; done; exit 1',
      /: word 3; word 4; word 5\./,
    ],
    ['its exit code where its stderr is empty', 'exit 7', /its exit code is 7/],
    ['the signal that ended it', 'kill -9 $$', /it was ended by SIGKILL\./],
    [
      'an invalid certificate',
      say({ clientCertificateData: 's3cret', clientKeyData: 's3cret' }),
      /its answer has an invalid client certificate/,
    ],
    ['no JSON', 'echo "token: s3cret"', /not an ExecCredential/],
    ['JSON that is not an object', 'echo null', /not an ExecCredential/],
    ['no status', `echo '{"apiVersion":"${version}","kind":"ExecCredential"}'`, /neither a token nor a certificate/],
    ['another kind', `echo '{"apiVersion":"${version}","kind":"Status"}'`, /not an ExecCredential/],
    [
      'another API version than that of the kubeconfig',
      `echo '{"apiVersion":"client.authentication.k8s.io/v1beta1","kind":"ExecCredential","status":{"token":"s3cret"}}'`,
      /does not have the apiVersion client\.authentication\.k8s\.io\/v1, which the kubeconfig names/,
    ],
    ['an empty token', say({ token: '' }), /neither a token nor a certificate/],
    ['a certificate without its key', say({ clientCertificateData: 's3cret' }), /certificate without its key/],
  ])('is reported with %s', async (_what, script, pattern) => {
    const message = await refusal(open({ command: program(script) })())
    expect(message).toMatch(/^kubeconfig: the exec plugin `.*auth-plugin` returned no credentials: /)
    expect(message).toMatch(pattern)
    expect(message).not.toContain('s3cret')
  })

  it('within its time limit is stopped', async () => {
    const began = performance.now()
    const message = await refusal(open({ command: program('exec sleep 60') }, { timeoutMs: 300 })())
    expect(message).toContain('it gave no answer within 0.3 s')
    expect(performance.now() - began).toBeLessThan(10_000)
  })

  it('within its time limit is stopped together with its wrapper', async () => {
    const began = performance.now()
    const pid = join(folder, 'pid')
    const command = program(`sh -c 'echo $$ >${pid}; sleep 60; :'\n:`)
    expect(await refusal(open({ command }, { timeoutMs: 1_000 })())).toContain('it gave no answer within 1 s')
    expect(performance.now() - began).toBeLessThan(10_000)
    await until('the wrapped process ends', () => !isAlive(Number(readFileSync(pid, 'utf8'))))
  })

  it('and writes endless output is stopped', async () => {
    const message = await refusal(open({ command: program('exec yes') })())
    expect(message).toMatch(/returned no credentials: its answer is longer than 1 MiB/)
  })
})

describe('a plugin that has returned its credential', () => {
  it('does not delay the request when a background process holds its stdout; that process keeps running, as with kubectl', async () => {
    const pid = join(folder, 'pid')
    const began = performance.now()
    const { token } = await open({ command: program(`${say({ token: 't' })}\nsleep 60 & echo $! >${pid}\nexit 0`) })()
    expect(token).toBe('t')
    expect(performance.now() - began).toBeLessThan(10_000)
    const left = Number(readFileSync(pid, 'utf8'))
    expect(isAlive(left)).toBe(true)
    process.kill(left)
  })

  it('can have a long answer', async () => {
    const token = 'x'.repeat(700_000)
    writeFileSync(
      join(folder, 'answer'),
      JSON.stringify({ apiVersion: version, kind: 'ExecCredential', status: { token } }),
    )
    expect((await open({ command: program(`exec cat ${join(folder, 'answer')}`) })()).token).toHaveLength(700_000)
  })
})

describe('the exec of a user', () => {
  const rest = { apiVersion: version, interactiveMode: 'Never' }
  const command = 'auth'
  it.each<[string, unknown, RegExp]>([
    ['as a string', 'auth', /is not a mapping/],
    ['without a command', {}, /has no command/],
    ['with an empty command', { command: '' }, /has no command/],
    ['without an API version', { command, interactiveMode: 'Never' }, /must have the apiVersion client/],
    [
      'with a removed API version',
      { ...rest, command, apiVersion: version.replace('v1', 'v1alpha1') },
      /must have the/,
    ],
    ['without an interactive mode', { command, apiVersion: version }, /must have the interactiveMode Never or/],
    ['that needs a terminal', { ...rest, command, interactiveMode: 'Always' }, /needs a terminal/],
    ['with args that are not a list', { ...rest, command, args: 'get-token' }, /args that are not a list of strings/],
    ['with args that are lists', { ...rest, command, args: [['a']] }, /args that are not a list of strings/],
    [
      'with env as a mapping',
      { ...rest, command, env: { A: 'b' } },
      /env that is not a list of `\{ name: NAME, value: TEXT \}`/,
    ],
    ['with env that lacks a name', { ...rest, command, env: [{ value: 'A' }] }, /env that is not a list/],
    ['with a null entry in env', { ...rest, command, env: [null] }, /env that is not a list/],
  ])('is rejected %s', (_what, exec, pattern) => {
    const read = (): ExecPlugin => readPlugin(exec, 'the exec plugin of its user "dev"')
    expect(read).toThrow(ConfigurationError)
    expect(read).toThrow(/^kubeconfig: the exec plugin of its user "dev" (is|has|must have|needs) /)
    expect(read).toThrow(pattern)
  })

  it.each([
    ['args and env', { ...rest, command, args: null, env: null }],
    ['a value of a variable', { ...rest, command, env: [{ name: 'A' }] }],
    ['an interactive mode in v1beta1', { command, apiVersion: version.replace('v1', 'v1beta1') }],
  ])('is accepted without %s', (_what, exec) => {
    expect(readPlugin(exec, 'x')).toMatchObject({ command })
  })
})
