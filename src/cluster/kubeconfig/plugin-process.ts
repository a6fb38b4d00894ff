import { spawn, type ChildProcessByStdio } from 'node:child_process'
import type { Readable } from 'node:stream'

/** How a program ended, and its output. */
export interface PluginEnd {
  readonly how: 'exited' | 'timed-out' | 'output-too-long'
  /** undefined: `signal` ended it */
  readonly code: number | undefined
  readonly signal: string | undefined
  readonly stdout: string
  /** the last 4 KiB */
  readonly stderr: string
}

const maxStdoutLength = 1024 * 1024
const maxStderrLength = 4096
/** Output from before the exit may still be in the pipe, but a background process may keep the pipe open without limit. */
const pipeGraceMs = 500

/** Process groups of the programs that run. */
const running = new Set<number>()
let isExitHandled = false

/**
 * Runs a program without a terminal, for at most `timeoutMs`. A plugin is often a wrapper (a shim of asdf or brew), and ending the wrapper
 * leaves the real program running. So it gets a process group, which is killed as a whole when the program takes too long, writes too much or
 * fails, and when this process exits. What a successful plugin leaves in the background keeps running, as with kubectl.
 * @throws the error of a program that cannot be started
 */
export function runPlugin(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  timeoutMs: number,
): Promise<PluginEnd> {
  const child = spawn(command, [...args], { env, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  return new PluginProcess(child, timeoutMs).end
}

/** A plugin. Its states: running; exited, while its pipes are read to their end; ended. */
class PluginProcess {
  /** Rejects with the error of a program that cannot be started. */
  readonly end: Promise<PluginEnd>
  readonly #child: ChildProcessByStdio<null, Readable, Readable>
  readonly #end = Promise.withResolvers<PluginEnd>()
  readonly #limitTimer: NodeJS.Timeout
  #graceTimer: NodeJS.Timeout | undefined
  #state: 'running' | 'exited' | 'ended' = 'running'
  #exit: Pick<PluginEnd, 'code' | 'signal'> = { code: undefined, signal: undefined }
  #stdout = ''
  #stderr = ''

  constructor(child: ChildProcessByStdio<null, Readable, Readable>, timeoutMs: number) {
    this.end = this.#end.promise
    this.#child = child
    this.#limitTimer = setTimeout(() => this.#finish('timed-out'), timeoutMs)
    if (child.pid !== undefined) killAtExit(child.pid)
    child.stdout.setEncoding('utf8').on('data', (text: string) => this.#takeStdout(text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-maxStderrLength)
    })
    child.on('error', (error) => {
      clearTimeout(this.#limitTimer)
      this.#end.reject(error)
    })
    child.on('exit', (code, signal) => this.#onExit(code ?? undefined, signal ?? undefined))
    child.on('close', () => this.#finish('exited'))
  }

  #takeStdout(text: string): void {
    this.#stdout += text
    if (this.#stdout.length > maxStdoutLength) this.#finish('output-too-long')
  }

  #onExit(code: number | undefined, signal: string | undefined): void {
    if (this.#state === 'ended') return
    this.#state = 'exited'
    this.#exit = { code, signal }
    // The pipe is read once more before the end.
    this.#graceTimer = setTimeout(() => setImmediate(() => this.#finish('exited')), pipeGraceMs)
  }

  #finish(how: PluginEnd['how']): void {
    if (this.#state === 'ended') return
    this.#state = 'ended'
    clearTimeout(this.#limitTimer)
    clearTimeout(this.#graceTimer)
    const { pid, stdout, stderr } = this.#child
    if (pid !== undefined && !(how === 'exited' && this.#exit.code === 0)) killGroup(pid)
    if (pid !== undefined) running.delete(pid)
    stdout.destroy()
    stderr.destroy()
    this.#child.unref()
    this.#end.resolve({ how, ...this.#exit, stdout: this.#stdout, stderr: this.#stderr })
  }
}

function killAtExit(group: number): void {
  running.add(group)
  if (isExitHandled) return
  isExitHandled = true
  process.on('exit', () => {
    for (const one of running) killGroup(one)
  })
}

function killGroup(group: number): void {
  try {
    process.kill(-group, 'SIGKILL')
  } catch {
    // every process of the group has ended
  }
}
