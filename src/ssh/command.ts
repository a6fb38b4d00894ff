import { constants } from 'node:os'
import type { ClientChannel } from 'ssh2'
import { orTimeout, timedOut } from '../common/timeouts.ts'
import { channelEnd, endChannel } from './channel.ts'
import { SshError } from './errors.ts'

export interface RunOptions {
  readonly stdin?: Buffer | string
  /** 30 s without it */
  readonly timeoutMs?: number
  /** of stdout and stderr together; 1 MiB without it */
  readonly maxOutputBytes?: number
}

export interface CommandResult {
  /** the exit code; 128 + N for a process that signal N ended */
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/**
 * Waits for the end of a process and collects its output.
 * @param name of the program, for errors
 * @param lostReason why the connection was lost, once it is
 * @throws SshError where the process takes too long, writes too much, or the connection is lost meanwhile
 */
export async function collectOutput(
  name: string,
  channel: ClientChannel,
  options: RunOptions,
  lostReason: () => string | undefined,
): Promise<CommandResult> {
  const { timeoutMs = 30_000 } = options
  const result = await orTimeout(collect(name, channel, options, lostReason), timeoutMs)
  if (result !== timedOut) return result
  endChannel(channel)
  throw new SshError(`${name} did not end within ${timeoutMs / 1000} s`)
}

function collect(
  name: string,
  channel: ClientChannel,
  { stdin, maxOutputBytes = 1024 * 1024 }: RunOptions,
  lostReason: () => string | undefined,
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    let sizeBytes = 0
    const collectInto = (chunks: Buffer[]) => (chunk: Buffer) => {
      if (sizeBytes > maxOutputBytes) return
      sizeBytes += chunk.length
      if (sizeBytes <= maxOutputBytes) chunks.push(chunk)
      else {
        reject(new SshError(`${name} wrote more than ${maxOutputBytes} bytes`))
        endChannel(channel)
      }
    }
    const stdout: Buffer[] = []
    const stderr: Buffer[] = []
    channel.on('data', collectInto(stdout))
    channel.stderr.on('data', collectInto(stderr))
    void channelEnd(channel).then(({ code, signal }) => {
      if (code === undefined) {
        reject(new SshError(`the connection was lost while ${name} ran: ${lostReason() ?? 'the channel was closed'}`))
      }
      const text = (chunks: Buffer[]): string => Buffer.concat(chunks).toString('utf8')
      resolve({ code: code ?? 128 + signalNumber(signal), stdout: text(stdout), stderr: text(stderr) })
    })
    channel.end(stdin ?? '')
  })
}

function signalNumber(signal: string | undefined): number {
  return signal !== undefined && signal in constants.signals
    ? constants.signals[signal as keyof typeof constants.signals]
    : 0
}
