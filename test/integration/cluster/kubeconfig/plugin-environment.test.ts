import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkFilterHere } from '../../../../src/capture/filter/filter.ts'
import { connectKubeconfig } from '../../../../src/cluster/kubeconfig/connect.ts'
import { refusal } from '../../../support/refusal.ts'

// A plugin of a kubeconfig is code of its author, and a kubeconfig may be an input.

const secrets: Readonly<Record<string, string>> = {
  INPUT_KUBECONFIG: 'S3cret-kubeconfig',
  INPUT_TOKEN: 'S3cret-token',
  'INPUT_CERTIFICATE-AUTHORITY': 'S3cret-authority',
  ACTIONS_RUNTIME_TOKEN: 'S3cret-runtime',
  ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'S3cret-id',
  ACTIONS_ID_TOKEN_REQUEST_URL: 'S3cret-url',
  STATE_capture: 'S3cret-state',
}

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'plugin-environment-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

/** A program that writes its environment to the file `env`, with NUL between the variables. */
function program(name: string, script: string): string {
  const file = join(folder, name)
  writeFileSync(file, `#!/bin/sh\ncat /proc/self/environ >'${join(folder, 'env')}'\n${script}\n`)
  chmodSync(file, 0o755)
  return file
}
const received = (): readonly string[] => readFileSync(join(folder, 'env'), 'utf8').split('\0').filter(Boolean)

const kubeconfig = (user: object): string =>
  JSON.stringify({
    clusters: [{ name: 'eu', cluster: { server: 'https://127.0.0.1:1' } }],
    users: [{ name: 'dev', user }],
    contexts: [{ name: 'c', context: { cluster: 'eu', user: 'dev' } }],
    'current-context': 'c',
  })

async function open(user: object, pluginVariables?: readonly string[]): Promise<unknown> {
  const connection = await connectKubeconfig({
    source: { kind: 'content', content: kubeconfig(user) },
    context: undefined,
    env: { PATH: process.env['PATH'], HOME: '/home/x', AWS_PROFILE: 'dev', ...secrets },
    ...(pluginVariables === undefined ? {} : { pluginVariables }),
    maskSecret: () => undefined,
  })
  return connection.credentials()
}

const protocol = { apiVersion: 'client.authentication.k8s.io/v1', interactiveMode: 'Never' }
const credential = { kind: 'ExecCredential', apiVersion: protocol.apiVersion, status: { token: 't' } }
const answer = `printf '%s' '${JSON.stringify(credential)}'`

describe('an exec plugin', () => {
  it('runs without the inputs and the tokens of the job, and with everything else', async () => {
    await open({ exec: { ...protocol, command: program('plugin', answer), env: [{ name: 'OWN', value: 'x' }] } })
    expect(received().join('\n')).not.toContain('S3cret')
    expect(received()).toEqual(expect.arrayContaining(['HOME=/home/x', 'AWS_PROFILE=dev', 'OWN=x']))
    expect(received().some((one) => one.startsWith('KUBERNETES_EXEC_INFO='))).toBe(true)
  })

  it('receives the variables of exec-env, and no others', async () => {
    await open({ exec: { ...protocol, command: program('plugin', answer) } }, [
      'ACTIONS_ID_TOKEN_REQUEST_TOKEN',
      'INPUT_NONE',
    ])
    const names = received().map((one) => one.replace(/=.*/s, ''))
    expect(names).toContain('ACTIONS_ID_TOKEN_REQUEST_TOKEN')
    expect(names.filter((name) => /^(INPUT|ACTIONS|STATE)_/.test(name))).toEqual(['ACTIONS_ID_TOKEN_REQUEST_TOKEN'])
  })
})

describe.each(['gcp', 'azure'])('the auth-provider %s', (name) => {
  it('that runs a program is rejected, and the program is not run', async () => {
    const config = { 'cmd-path': program('helper', answer), 'cmd-args': `; touch ${join(folder, 'shell')}` }
    const message = await refusal(open({ 'auth-provider': { name, config } }))
    expect(message).toMatch(/^kubeconfig: its user "dev" has an auth-provider that runs a program \(cmd-path\)/)
    expect(existsSync(join(folder, 'env'))).toBe(false)
    expect(existsSync(join(folder, 'shell'))).toBe(false)
  })
})

it('tcpdump on the runner compiles a filter without the inputs and the tokens of the job', async () => {
  program('tcpdump', 'exit 0')
  const names = ['PATH', ...Object.keys(secrets)]
  const saved = names.map((name) => [name, process.env[name]] as const)
  Object.assign(process.env, secrets, { PATH: `${folder}:${process.env['PATH'] ?? ''}` })
  try {
    await checkFilterHere('tcp', 'any')
  } finally {
    for (const [name, value] of saved) {
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
  }
  expect(received().join('\n')).not.toContain('S3cret')
})

it('no other module starts a program', () => {
  const source = join(import.meta.dirname, '../../../../src')
  const starting = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter(
    (file) =>
      file.endsWith('.ts') && /child_process|worker_threads|cluster'$/m.test(readFileSync(join(source, file), 'utf8')),
  )
  expect(starting.sort()).toEqual(['capture/filter/filter.ts', 'cluster/kubeconfig/plugin-process.ts'])
})
