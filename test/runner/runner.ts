import { randomUUID } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { inputVariables, readManifest, unexpectedInputs, type Manifest } from './manifest.ts'
import { processesWith } from './processes.ts'
import { startStepProcess, type graceMs, type StepProcess, type StepResult } from './step-process.ts'
import { createMasks, type Masks } from './step-log.ts'
import { issueToken } from '../sandbox/results/token.ts'

export interface RunnerOptions {
  /** The path of the action.yml, or of its folder. */
  actionPath: string
  /** A folder of the caller; the runner creates its folders in it. */
  temp: string
  /** Added to the environment that a runner provides to an action, for example the results service's `env()`. */
  env?: Record<string, string>
  secrets?: string[]
  /** how long a cancel waits between its signals; without it, as long as GitHub's runner */
  graceMs?: typeof graceMs
  /** Ctrl-C in the terminal of this process does not reach the steps. */
  detached?: boolean
  onLine?: ((line: string) => void) | undefined
}

export interface StartOptions {
  with?: Record<string, string>
  env?: Record<string, string>
  /** The id of the step in the job; post gets the inputs and the state of the main with the same id. */
  id?: string
}

export interface Runner {
  manifest: Manifest
  folders: { workspace: string; temp: string; home: string; toolCache: string }
  masks: Masks
  /** The variables of every step of the job, before those of one step. */
  env: Record<string, string>
  start(entry: 'main' | 'post', options?: StartOptions): StepProcess
  /** main, then post as the runner does after any end of main. */
  run(options?: StartOptions): Promise<{ main: StepResult; post: StepResult }>
  /** Processes of this job that are still alive. */
  orphans(): number[]
}

/** A runner names the service to every job. Here none answers: a test that uploads has `env()` of the fake. */
const noArtifactService: Record<string, string> = {
  ACTIONS_RESULTS_URL: 'http://127.0.0.1:1/',
  ACTIONS_RUNTIME_TOKEN: issueToken('none'),
}

/**
 * A fake runner that starts an action's committed bundle as GitHub's runner does, with nothing of the
 * caller's environment. GITHUB_SERVER_URL is omitted on purpose: with a loopback address, @actions/artifact
 * assumes GitHub Enterprise Server and fails.
 */
export function createRunner(options: RunnerOptions): Runner {
  const path = options.actionPath
  const manifest = readManifest(/\.ya?ml$/.test(path) ? path : join(path, 'action.yml'))
  const folder = (name: string): string => {
    const made = join(options.temp, name)
    mkdirSync(made, { recursive: true })
    return made
  }
  const folders = {
    workspace: folder('work/shop/shop'),
    temp: folder('work/_temp'),
    home: folder('home'),
    toolCache: folder('tools'),
  }
  const masks = createMasks()
  for (const secret of options.secrets ?? []) masks.add(secret)
  const env = { ...noArtifactService, ...jobVariables(folders), ...options.env }
  if (env.ACTIONS_RUNTIME_TOKEN !== undefined) masks.add(env.ACTIONS_RUNTIME_TOKEN)
  writeFileSync(env.GITHUB_EVENT_PATH ?? '', '{}')

  const states = new Map<string, { given: Record<string, string>; saved: Record<string, string> }>()

  const start: Runner['start'] = (entry, { with: inputs, env: own = {}, id = '__self' } = {}) => {
    const script = entry === 'main' ? manifest.main : manifest.post
    if (script === undefined) throw new Error(`${path} has no ${entry}`)
    // A main begins with no state; post finds what its main saved.
    const step = (entry === 'post' ? states.get(id) : undefined) ?? { given: {}, saved: {} }
    states.set(id, step)
    if (inputs !== undefined) step.given = inputs
    const state = Object.fromEntries(Object.entries(step.saved).map(([name, value]) => [`STATE_${name}`, value]))
    const running = startStepProcess({
      command: [process.execPath, script],
      cwd: folders.workspace,
      env: { ...env, GITHUB_ACTION: id, ...inputVariables(manifest, step.given), ...state, ...own },
      temp: folders.temp,
      masks,
      graceMs: options.graceMs,
      detached: options.detached,
      onLine: options.onLine,
      warnings: unexpectedInputs(manifest, step.given).map(
        (name) =>
          `Unexpected input(s) '${name}', valid inputs are [${manifest.inputs.map((one) => `'${one.name}'`).join(', ')}]`,
      ),
    })
    const done = running.done.then((result) => {
      Object.assign(step.saved, result.state)
      return result
    })
    return { ...running, done }
  }

  return {
    manifest,
    folders,
    masks,
    env,
    start,
    async run(startOptions) {
      const main = await start('main', startOptions).done
      const post = await start('post', startOptions).done
      return { main, post }
    },
    orphans: () => processesWith('RUNNER_TRACKING_ID', env.RUNNER_TRACKING_ID),
  }
}

type Folders = Runner['folders']

/** The variables of a step on a GitHub-hosted runner, for a repository that does not exist. */
function jobVariables(folders: Folders): Record<string, string> & { RUNNER_TRACKING_ID: string } {
  return {
    PATH: systemPath(),
    HOME: folders.home,
    LANG: 'C.UTF-8',
    CI: 'true',
    GITHUB_ACTIONS: 'true',
    GITHUB_ACTOR: 'octocat',
    GITHUB_ACTOR_ID: '583231',
    GITHUB_API_URL: 'https://api.github.com',
    GITHUB_BASE_REF: '',
    GITHUB_EVENT_NAME: 'workflow_dispatch',
    GITHUB_EVENT_PATH: join(folders.temp, 'event.json'),
    GITHUB_GRAPHQL_URL: 'https://api.github.com/graphql',
    GITHUB_HEAD_REF: '',
    GITHUB_JOB: 'capture',
    GITHUB_REF: 'refs/heads/main',
    GITHUB_REF_NAME: 'main',
    GITHUB_REF_PROTECTED: 'true',
    GITHUB_REF_TYPE: 'branch',
    GITHUB_REPOSITORY: 'octocat/shop',
    GITHUB_REPOSITORY_ID: '1296269',
    GITHUB_REPOSITORY_OWNER: 'octocat',
    GITHUB_REPOSITORY_OWNER_ID: '583231',
    GITHUB_RETENTION_DAYS: '90',
    GITHUB_RUN_ATTEMPT: '1',
    GITHUB_RUN_ID: '1658821493',
    GITHUB_RUN_NUMBER: '3',
    GITHUB_SHA: 'ffac537e6cbbf934b08745a378932722df287a53',
    GITHUB_TRIGGERING_ACTOR: 'octocat',
    GITHUB_WORKFLOW: 'Capture',
    GITHUB_WORKFLOW_REF: 'octocat/shop/.github/workflows/capture.yml@refs/heads/main',
    GITHUB_WORKFLOW_SHA: 'ffac537e6cbbf934b08745a378932722df287a53',
    GITHUB_WORKSPACE: folders.workspace,
    RUNNER_ARCH: process.arch === 'arm64' ? 'ARM64' : 'X64',
    RUNNER_ENVIRONMENT: 'github-hosted',
    RUNNER_NAME: 'GitHub Actions 2',
    RUNNER_OS: 'Linux',
    RUNNER_TEMP: folders.temp,
    RUNNER_TOOL_CACHE: folders.toolCache,
    RUNNER_TRACKING_ID: `github_${randomUUID()}`,
    RUNNER_WORKSPACE: join(folders.workspace, '..'),
  }
}

/** The caller's PATH without the folders that npm puts before it: a runner has no node_modules/.bin. */
const systemPath = (): string =>
  (process.env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => !folder.includes('node_modules') && !folder.includes('node-gyp-bin'))
    .join(delimiter)
