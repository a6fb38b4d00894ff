import { spawn } from 'node:child_process'

/** How a program ended, and what it said. */
export interface PluginEnd {
  readonly how: 'exited' | 'late' | 'too-long'
  /** undefined: it was ended by `signal` */
  readonly code: number | undefined
  readonly signal: string | undefined
  readonly stdout: string
  /** the end of it, at most 4 KiB */
  readonly stderr: string
}

/** Of stdout, characters. */
export const largestAnswer = 1024 * 1024
/** What a program wrote before its exit may still be in the pipe; one that it left behind may hold the pipe open for ever. */
const pipeGrace = 500

/** Programs that run, by the id of their process group. */
const running = new Set<number>()
let watchesExit = false

/**
 * Runs a program without a terminal, for at most `timeout` ms. A plugin is often a wrapper (asdf, brew, gcloud's shims), and to end the
 * wrapper alone leaves the real one: so it gets a process group of its own, which is ended whole — when it is late, talks without end, fails,
 * or is still there when this process exits. What a successful plugin leaves in the background is its own affair, as with kubectl.
 * @throws the error of a program that cannot be started
 */
export function runPlugin(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  timeout: number,
): Promise<PluginEnd> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, [...args], { env, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
    const group = child.pid
    if (group !== undefined) endWithUs(group)
    let stdout = ''
    let stderr = ''
    let exited: Pick<PluginEnd, 'code' | 'signal'> = { code: undefined, signal: undefined }
    let grace: NodeJS.Timeout | undefined
    let settled = false
    const settle = (how: PluginEnd['how']): void => {
      if (settled) return
      settled = true
      clearTimeout(timer)
      clearTimeout(grace)
      if (group !== undefined && !(how === 'exited' && exited.code === 0)) endGroup(group)
      if (group !== undefined) running.delete(group)
      child.stdout.destroy()
      child.stderr.destroy()
      child.unref()
      resolve({ how, ...exited, stdout, stderr })
    }
    const timer = setTimeout(() => settle('late'), timeout)
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text
      if (stdout.length > largestAnswer) settle('too-long')
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(-4096)
    })
    child.on('error', (error) => {
      clearTimeout(timer)
      reject(error)
    })
    child.on('exit', (code, signal) => {
      if (settled) return
      exited = { code: code ?? undefined, signal: signal ?? undefined }
      grace = setTimeout(() => setImmediate(settle, 'exited'), pipeGrace) // after a look at the pipe, however busy we were
    })
    child.on('close', () => settle('exited'))
  })
}

function endWithUs(group: number): void {
  running.add(group)
  if (watchesExit) return
  watchesExit = true
  process.on('exit', () => {
    for (const one of running) endGroup(one)
  })
}

function endGroup(group: number): void {
  try {
    process.kill(-group, 'SIGKILL')
  } catch {
    // all of it has ended
  }
}
