import { spawn } from 'node:child_process'
import { createFileCommands } from './file-commands.ts'
import { processTree, signal } from './processes.ts'
import { createStepLog, type Annotation, type Masks } from './step-log.ts'

/** How long GitHub's runner waits between the signals of a cancel (runner, src/Runner.Sdk/ProcessInvoker.cs). */
export const graceMs = { interrupt: 7500, terminate: 2500 }

export interface StepResult {
  /** null when a signal ended the process. */
  exitCode: number | null
  signal: NodeJS.Signals | null
  /** What the process wrote, byte for byte. */
  stdout: string
  stderr: string
  /** The log as a user sees it: commands executed, secrets masked. */
  log: string
  /** the errors and warnings */
  annotations: Annotation[]
  notices: Annotation[]
  groups: string[]
  outputs: Record<string, string>
  state: Record<string, string>
  env: Record<string, string>
  path: string[]
  summary: string
  durationMs: number
  /** From the last line of output to the end of the process: a step must end quickly after its last output. */
  endedAfterLastLineMs: number
}

export interface StepProcess {
  pid: number
  log(): string
  /** The match, as soon as it is in the log. Rejects after the time, or when the process ends without it. */
  waitForLog(pattern: RegExp, timeoutMs: number): Promise<RegExpExecArray>
  /** As the runner cancels: SIGINT, 7.5 s, SIGTERM, 2.5 s, then SIGKILL to the whole tree. */
  cancel(): void
  /** One signal to the process itself. */
  kill(name: NodeJS.Signals): void
  done: Promise<StepResult>
}

/** Runs one process of a step, with new command files and exactly the given environment. */
export function startStepProcess(options: {
  command: string[]
  cwd: string
  env: Record<string, string>
  temp: string
  masks: Masks
  /** Warnings of the runner, before the first line. */
  warnings?: string[]
  /** In a session of its own: Ctrl-C in the terminal does not reach the process, and only the runner signals it. */
  detached?: boolean | undefined
  /** without it, those of GitHub's runner */
  graceMs?: typeof graceMs | undefined
  /** Called with every line of the log as it comes. */
  onLine?: ((line: string) => void) | undefined
}): StepProcess {
  const files = createFileCommands(options.temp)
  const log = createStepLog(options.masks)
  for (const warning of options.warnings ?? []) log.annotate('warning', warning)
  for (const shown of log.lines) options.onLine?.(shown)
  const startedAt = performance.now()
  let lastLineAt = startedAt
  const [program = '', ...args] = options.command
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: { ...options.env, ...files.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: options.detached ?? false,
  })
  const pid = child.pid
  if (pid === undefined) throw new Error(`cannot start ${program}`)

  const raw = { stdout: '', stderr: '' }
  let watchers: (() => void)[] = []
  const tell = (line: string): void => {
    const before = log.lines.length
    log.line(line)
    for (const shown of log.lines.slice(before)) options.onLine?.(shown)
    for (const watch of watchers) watch()
  }
  const listen = (name: 'stdout' | 'stderr'): (() => void) => {
    let rest = ''
    child[name].setEncoding('utf8')
    child[name].on('data', (chunk: string) => {
      lastLineAt = performance.now()
      raw[name] += chunk
      const lines = (rest + chunk).split(/\r?\n/)
      rest = lines.pop() ?? ''
      for (const line of lines) tell(line)
    })
    return () => {
      if (rest !== '') tell(rest)
    }
  }
  const flush = [listen('stdout'), listen('stderr')]

  let ended = false
  const timers: NodeJS.Timeout[] = []
  const done = new Promise<StepResult>((resolve, reject) => {
    child.on('error', reject)
    // The step ends with its process; a leftover child process may hold the pipes open.
    child.on('exit', (exitCode, signalName) => {
      const endedAt = performance.now()
      for (const timer of timers) clearTimeout(timer)
      const finish = (): void => {
        if (ended) return
        ended = true
        for (const end of flush) end()
        child.stdout.destroy()
        child.stderr.destroy()
        const { problems, summary, ...written } = files.read()
        for (const problem of problems) log.annotate('error', problem)
        resolve({
          exitCode,
          signal: signalName,
          ...raw,
          log: log.lines.join('\n'),
          annotations: log.annotations.filter(({ level }) => level !== 'notice'),
          notices: log.annotations.filter(({ level }) => level === 'notice'),
          groups: log.groups,
          ...written,
          summary: options.masks.apply(summary),
          durationMs: endedAt - startedAt,
          endedAfterLastLineMs: Math.max(0, endedAt - lastLineAt),
        })
        for (const watch of watchers) watch()
      }
      child.on('close', finish)
      setTimeout(finish, 1000).unref()
    })
  })

  return {
    pid,
    log: () => log.lines.join('\n'),
    waitForLog: (pattern, timeoutMs) =>
      new Promise((resolve, reject) => {
        const settle = (act: () => void): void => {
          clearTimeout(timer)
          watchers = watchers.filter((one) => one !== look)
          act()
        }
        const fail = (why: string): void => {
          settle(() => {
            reject(new Error(`${why} before the log held ${String(pattern)}. The log:\n${log.lines.join('\n')}`))
          })
        }
        const look = (): void => {
          const match = pattern.exec(log.lines.join('\n'))
          if (match !== null) {
            settle(() => {
              resolve(match)
            })
          } else if (ended) fail('the process ended')
        }
        const timer = setTimeout(() => {
          fail(`${String(timeoutMs)} ms passed`)
        }, timeoutMs)
        watchers.push(look)
        look()
      }),
    cancel() {
      if (ended) return
      signal(pid, 'SIGINT')
      const later = (ms: number, act: () => void): void => {
        timers.push(setTimeout(act, ms))
      }
      const { interrupt, terminate } = options.graceMs ?? graceMs
      later(interrupt, () => {
        signal(pid, 'SIGTERM')
      })
      later(interrupt + terminate, () => {
        for (const one of processTree(pid)) signal(one, 'SIGKILL')
      })
    },
    kill(name) {
      signal(pid, name)
    },
    done,
  }
}
