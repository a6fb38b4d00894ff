import { randomUUID } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { load } from 'js-yaml'
import { condition, interpolate, type Scope } from './expressions.ts'
import { createRunner, type RunnerOptions } from './runner.ts'
import { startStepProcess, type StepProcess, type StepResult } from './step-process.ts'

export interface JobOptions extends RunnerOptions {
  /** The job of the file; required only if the file has several. */
  job?: string
  /** The inputs of `workflow_dispatch`; missing ones have the defaults of the form. */
  inputs?: Record<string, string | boolean | number>
  secretValues?: Record<string, string>
  variables?: Record<string, string>
  /** Cancels the job as the button on GitHub does. */
  signal?: AbortSignal
}

type Conclusion = 'success' | 'failure' | 'cancelled' | 'skipped'

export interface JobStep {
  name: string
  id: string
  /** `outcome` before, `conclusion` after `continue-on-error`. */
  outcome: Conclusion
  conclusion: Conclusion
  outputs: Record<string, string>
  /** The result of the step's process; absent if none was started. */
  main?: StepResult
  post?: StepResult
}

export interface JobResult {
  conclusion: Exclude<Conclusion, 'skipped'>
  steps: JobStep[]
  /** The log of the whole job. */
  log: string
}

interface StepFile {
  id?: string
  name?: string
  if?: string | boolean
  uses?: string
  run?: string
  shell?: string
  with?: Record<string, unknown>
  env?: Record<string, unknown>
  'working-directory'?: string
  'continue-on-error'?: boolean
  'timeout-minutes'?: number
}

interface JobFile {
  name?: string
  steps?: StepFile[]
  env?: Record<string, unknown>
  defaults?: { run?: { shell?: string; 'working-directory'?: string } }
}

interface WorkflowFile {
  name?: string
  on?: Record<string, unknown> | null
  env?: Record<string, unknown>
  jobs?: Record<string, JobFile>
}

/** This action with any owner and version: it runs from the working tree. */
const OURS = /^[^/@]+\/kubernetes-packet-capture@/

/**
 * Runs one job of a workflow file on this machine: this action from its committed bundle, `run` steps with bash, every
 * other `uses` skipped with a line. Then the post steps, last one first. Approval, concurrency and permissions are
 * done by GitHub and not implemented here.
 */
export async function runJob(workflowPath: string, options: JobOptions): Promise<JobResult> {
  const workflow = load(readFileSync(workflowPath, 'utf8')) as WorkflowFile
  const [jobId, job] = pickJob(workflow, options.job, workflowPath)
  const lines: string[] = []
  const say = (line: string): void => {
    lines.push(line)
    options.onLine?.(line)
  }
  const { secretValues: secrets = {}, inputs: given = {}, signal } = options
  const inputs = formInputs(workflow, given, workflowPath)
  const runner = openRunner({ ...options, onLine: say }, inputs, {
    GITHUB_JOB: jobId,
    ...workflowEnv(workflow, workflowPath),
  })

  const steps: JobStep[] = []
  const posts: { step: JobStep; env: Record<string, string> }[] = []
  const written = { env: {} as Record<string, string>, path: [] as string[] }
  let status: Scope['status'] = 'success'
  let current: StepProcess | undefined
  const cancel = (): void => {
    status = 'cancelled'
    current?.cancel()
  }
  if (signal?.aborted === true) cancel()
  signal?.addEventListener('abort', cancel, { once: true })

  const scope = (env: Record<string, string>): Scope => ({
    status,
    contexts: {
      github: { ...githubContext(runner.env), event: { inputs } },
      inputs,
      secrets,
      vars: options.variables ?? {},
      env,
      runner: {
        os: 'Linux',
        temp: runner.folders.temp,
        tool_cache: runner.folders.toolCache,
        environment: 'github-hosted',
      },
      job: { status },
      steps: Object.fromEntries(
        steps.map(({ id, outputs, outcome, conclusion }) => [id, { outputs, outcome, conclusion }]),
      ),
    },
  })
  const resolve = (values: Record<string, unknown> | undefined, env: Record<string, string>): Record<string, string> =>
    Object.fromEntries(
      Object.entries(values ?? {}).map(([name, value]) => [name, interpolate(plain(value), scope(env))]),
    )

  /** Waits for a process within its step's time limit, and keeps its output for the next steps. */
  const finish = async (running: StepProcess, minutes: number | undefined): Promise<StepResult> => {
    current = running
    const timer =
      minutes === undefined
        ? undefined
        : setTimeout(() => {
            running.cancel()
          }, minutes * 60_000)
    const result = await running.done
    clearTimeout(timer)
    current = undefined
    Object.assign(written.env, result.env)
    written.path.unshift(...result.path.reverse())
    return result
  }

  for (const file of job.steps ?? []) {
    const env: Record<string, string> = { ...written.env }
    for (const level of [workflow.env, job.env, file.env]) Object.assign(env, resolve(level, env))
    const id = file.id ?? `__${String(steps.length)}`
    const step: JobStep = {
      name: interpolate(nameOf(file), scope(env)),
      id,
      outcome: 'skipped',
      conclusion: 'skipped',
      outputs: {},
    }
    if (!condition(file.if === undefined ? undefined : String(file.if), scope(env))) {
      say(`=== ${step.name}: skipped, its condition is not met`)
      steps.push(step)
      continue
    }
    say(`=== ${step.name}`)
    const stepEnv = { ...env, PATH: [...written.path, runner.env.PATH].join(':') }
    if (file.uses !== undefined && OURS.test(file.uses)) {
      posts.push({ step, env: stepEnv })
      const inputValues = resolve(file.with, env)
      step.main = await finish(runner.start('main', { id, with: inputValues, env: stepEnv }), file['timeout-minutes'])
    } else if (file.uses !== undefined) {
      say(`(${file.uses} is not run here)`)
      step.outcome = step.conclusion = 'success'
      steps.push(step)
      continue
    } else {
      const text = interpolate(file.run ?? '', scope(env))
      const running = startScript(runner, { ...job.defaults?.run, ...file }, text, {
        env: { GITHUB_ACTION: id, ...stepEnv },
        onLine: say,
      })
      step.main = await finish(running, file['timeout-minutes'])
    }
    step.outputs = step.main.outputs
    Object.assign(step, conclude(step.main, file, signal))
    if (step.conclusion === 'failure') status = 'failure'
    steps.push(step)
  }

  for (const { step, env } of posts.reverse()) {
    if (runner.manifest.post === undefined || !condition(runner.manifest.postIf, scope(env))) continue
    say(`=== Post ${step.name}`)
    current = undefined
    step.post = await runner.start('post', { id: step.id, env }).done
    if (step.post.exitCode !== 0 && signal?.aborted !== true) status = 'failure'
  }
  signal?.removeEventListener('abort', cancel)
  return { conclusion: status, steps, log: lines.join('\n') }
}

function openRunner(
  options: JobOptions,
  inputs: Record<string, unknown>,
  env: Record<string, string>,
): ReturnType<typeof createRunner> {
  const { secrets = [], secretValues = {} } = options
  const runner = createRunner({ ...options, secrets: [...secrets, ...Object.values(secretValues)] })
  Object.assign(runner.env, env)
  writeFileSync(runner.env.GITHUB_EVENT_PATH ?? '', JSON.stringify({ inputs }))
  return runner
}

function conclude(
  { exitCode }: StepResult,
  file: StepFile,
  signal: AbortSignal | undefined,
): Pick<JobStep, 'outcome' | 'conclusion'> {
  if (exitCode === 0) return { outcome: 'success', conclusion: 'success' }
  if (signal?.aborted === true) return { outcome: 'cancelled', conclusion: 'cancelled' }
  return { outcome: 'failure', conclusion: file['continue-on-error'] === true ? 'success' : 'failure' }
}

function workflowEnv({ name, on }: WorkflowFile, path: string): Record<string, string> {
  const events = Object.keys(on ?? {})
  const event = events.find((one) => one === 'workflow_dispatch') ?? events[0] ?? 'workflow_dispatch'
  return { GITHUB_WORKFLOW: name ?? path, GITHUB_EVENT_NAME: event }
}

function nameOf({ name, uses, run }: StepFile): string {
  return name ?? uses ?? run?.split('\n')[0] ?? ''
}

/** Starts a `run` step. */
function startScript(
  { folders, env, masks }: ReturnType<typeof createRunner>,
  settings: Pick<StepFile, 'shell' | 'working-directory'>,
  text: string,
  step: Pick<Parameters<typeof startStepProcess>[0], 'env' | 'onLine'>,
): StepProcess {
  const script = join(folders.temp, `${randomUUID()}.sh`)
  writeFileSync(script, text)
  // Without `shell`, the runner does not set pipefail.
  const shell = settings.shell === 'bash' ? ['bash', '--noprofile', '--norc', '-eo', 'pipefail'] : ['bash', '-e']
  return startStepProcess({
    command: [...shell, script],
    cwd: join(folders.workspace, settings['working-directory'] ?? '.'),
    temp: folders.temp,
    masks,
    ...step,
    // The service's token is for JavaScript actions only.
    env: { ...withoutService(env), ...step.env },
  })
}

function pickJob(workflow: WorkflowFile, wanted: string | undefined, path: string): [string, JobFile] {
  const jobs = Object.entries(workflow.jobs ?? {})
  const found = wanted === undefined && jobs.length === 1 ? jobs[0] : jobs.find(([id]) => id === wanted)
  if (found === undefined)
    throw new Error(`${path}: no job '${wanted ?? ''}'; it has ${jobs.map(([id]) => id).join(', ')}`)
  return found
}

interface FormField {
  required?: boolean
  default?: string | boolean | number
  type?: string
  options?: string[]
}

/** Applies the defaults of the form and checks required fields and choices, as GitHub does. */
function formInputs(
  workflow: WorkflowFile,
  given: NonNullable<JobOptions['inputs']>,
  path: string,
): Record<string, unknown> {
  const dispatch = workflow.on?.workflow_dispatch as { inputs?: Record<string, FormField> } | null | undefined
  const fields = dispatch?.inputs ?? {}
  const unknown = Object.keys(given).filter((name) => !(name in fields))
  if (unknown.length > 0) throw new Error(`${path}: unexpected inputs: ${unknown.join(', ')}`)
  return Object.fromEntries(
    Object.entries(fields).map(([name, field]) => {
      const value = given[name] ?? field.default ?? (field.type === 'boolean' ? false : '')
      if (field.required === true && value === '') throw new Error(`${path}: required input '${name}' not provided`)
      if (field.type === 'choice' && !(field.options ?? []).includes(String(value))) {
        throw new Error(`${path}: '${String(value)}' is not an option of '${name}'`)
      }
      return [name, value]
    }),
  )
}

/** The `github` context, built from its environment variables. */
const githubContext = (env: Record<string, string>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(env)
      .filter(([name]) => name.startsWith('GITHUB_'))
      .map(([name, value]) => [name.slice('GITHUB_'.length).toLowerCase(), value]),
  )

const withoutService = (env: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('ACTIONS_')))

const plain = (value: unknown): string =>
  typeof value === 'string' ? value : typeof value === 'number' || typeof value === 'boolean' ? String(value) : ''
