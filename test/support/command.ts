import { execFile, type ExecFileOptions } from 'node:child_process'

/** Runs a program until it exits. @returns its stdout; rejects with its stderr */
export function command(
  program: string,
  args: readonly string[],
  options: { input?: string; timeout?: number; env?: NodeJS.ProcessEnv } = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const settings: ExecFileOptions = {
      maxBuffer: 512 * 1024 * 1024,
      timeout: options.timeout ?? 60_000,
      ...(options.env === undefined ? {} : { env: options.env }),
    }
    const child = execFile(program, [...args], settings, (error, stdout, stderr) => {
      if (error) reject(new Error(`${program} ${args.slice(0, 8).join(' ')}: ${String(stderr) || error.message}`))
      else resolve(String(stdout))
    })
    child.stdin?.on('error', () => undefined) // a program that exits before it has read its input reports the reason
    child.stdin?.end(options.input ?? '')
  })
}
