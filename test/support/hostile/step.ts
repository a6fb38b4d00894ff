import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startResults, type ResultsService } from '../../sandbox/results/start.ts'
import { startServer, type Server } from '../api-server.ts'

const root = join(import.meta.dirname, '../../..')

export interface StepResult {
  readonly exitCode: number
  /** stdout and stderr */
  readonly log: string
  readonly outputs: Readonly<Record<string, string>>
  readonly summary: string
}

/** The sources of the action as child processes, against a fake API server and a fake results service, by a fast clock. */
export interface Step {
  readonly server: Server
  readonly folder: string
  /** in place of the file of a runner's variable there is a folder, so that nothing can be written to it */
  breakFile(name: 'GITHUB_OUTPUT' | 'GITHUB_STEP_SUMMARY'): void
  /** `onLog`: called with the log so far; it may send signals to the process */
  run(
    which: 'main' | 'post',
    inputs?: Readonly<Record<string, string>>,
    onLog?: (log: string, kill: (signal: NodeJS.Signals) => void) => void,
  ): Promise<StepResult>
  /** the state that main has saved, in place of it */
  setState(text: string): void
  stop(): Promise<void>
}

const variables = ['GITHUB_OUTPUT', 'GITHUB_STEP_SUMMARY', 'GITHUB_STATE'] as const

export async function openStep(): Promise<Step> {
  const folder = mkdtempSync(join(tmpdir(), 'step-'))
  const [server, results] = await Promise.all([startServer(), startResults({ directory: join(folder, 'results') })])
  let container = ''
  server.answer = ({ method, path, body }) => {
    if (path.endsWith('/selfsubjectreviews'))
      return { status: 201, body: { status: { userInfo: { username: 'octo-dev' } } } }
    if (path.endsWith('/selfsubjectaccessreviews')) return { status: 201, body: { status: { allowed: true } } }
    if (method === 'PATCH') container = /"name":"(packet-capture-[\w-]+)"/.exec(body)?.[1] ?? ''
    const status = {
      phase: 'Running',
      ephemeralContainerStatuses: [{ name: container, imageID: 'tools@sha256:1', state: { running: {} } }],
    }
    const metadata = { name: 'web-1', namespace: 'shop', uid: 'uid-1' }
    const spec = { nodeName: 'node-1', containers: [{ name: 'app', securityContext: { runAsUser: 5 } }] }
    return { status: 200, body: { metadata, spec, status } }
  }
  const kubeconfig = {
    clusters: [{ name: 'one', cluster: { server: server.url } }],
    users: [{ name: 'one', user: { token: 't0ken' } }],
    contexts: [{ name: 'one', context: { cluster: 'one', user: 'one' } }],
    'current-context': 'one',
  }
  writeFileSync(join(folder, 'kubeconfig'), JSON.stringify(kubeconfig), { mode: 0o600 })
  for (const name of variables) writeFileSync(join(folder, name), '')
  return new SourceStep(folder, server, results)
}

class SourceStep implements Step {
  readonly server: Server
  readonly folder: string
  readonly #results: ResultsService

  constructor(folder: string, server: Server, results: ResultsService) {
    this.folder = folder
    this.server = server
    this.#results = results
  }

  breakFile(name: 'GITHUB_OUTPUT' | 'GITHUB_STEP_SUMMARY'): void {
    rmSync(join(this.folder, name))
    mkdirSync(join(this.folder, name))
  }

  setState(text: string): void {
    writeFileSync(join(this.folder, 'GITHUB_STATE'), `capture<<end\n${text}\nend\n`)
  }

  async run(
    which: 'main' | 'post',
    inputs: Readonly<Record<string, string>> = {},
    onLog: (log: string, kill: (signal: NodeJS.Signals) => void) => void = () => undefined,
  ): Promise<StepResult> {
    const file = (path: string): string => JSON.stringify(join(root, path))
    const code = `import { speedUpClock } from ${file('test/support/fast-clock.ts')}
      speedUpClock(50)
      await (await import(${file(`src/${which}.ts`)})).${which}()`
    const argv = ['--no-warnings', '--input-type=module', '-e', code]
    const options = { env: this.#env(inputs), stdio: ['ignore', 'pipe', 'pipe'] as ['ignore', 'pipe', 'pipe'] }
    const child = spawn(join(root, 'node_modules/.bin/node'), argv, options)
    let log = ''
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (data: Buffer) => {
        log += data.toString()
        onLog(log, (signal) => child.kill(signal))
      })
    const exitCode = await new Promise<number>((resolve) => child.on('close', (status) => resolve(status ?? 128)))
    const outputs = this.#valuesIn('GITHUB_OUTPUT')
    return { exitCode, log, outputs, summary: this.#read('GITHUB_STEP_SUMMARY') }
  }

  async stop(): Promise<void> {
    await Promise.all([this.server.stop(), this.#results.stop()])
    rmSync(this.folder, { recursive: true, force: true })
  }

  #env(inputs: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
    const given = {
      pod: 'web-1',
      namespace: 'shop',
      kubeconfig: join(this.folder, 'kubeconfig'),
      duration: '3s',
      ...inputs,
    }
    const named = Object.entries(given).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value] as const)
    const files = variables.map((name) => [name, join(this.folder, name)] as const)
    const state = this.#valuesIn('GITHUB_STATE')
    return {
      PATH: process.env['PATH'],
      RUNNER_TEMP: this.folder,
      GITHUB_REPOSITORY: 'octo/shop',
      ...this.#results.env(),
      ...Object.fromEntries([...named, ...files]),
      ...(state['capture'] === undefined ? {} : { STATE_capture: state['capture'] }),
    }
  }

  #read(name: (typeof variables)[number]): string {
    try {
      return readFileSync(join(this.folder, name), 'utf8')
    } catch {
      return '' // a folder in its place
    }
  }

  #valuesIn(name: (typeof variables)[number]): Record<string, string> {
    const found = this.#read(name).matchAll(/^([\w-]+)<<(\S+)\n([^]*?)\n\2$/gm)
    return Object.fromEntries([...found].map(([, key = '', , value = '']) => [key, value] as const))
  }
}
