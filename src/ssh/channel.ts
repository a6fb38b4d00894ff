import type { ClientChannel } from 'ssh2'

/** From the end of stdin to the end of the channel: a follower exits at once. */
export const closeGraceMs = 1_000

/** How the process of a channel ended. */
export interface ChannelEnd {
  /** the exit code; null where a signal ended the process, undefined where the connection was lost */
  readonly code: number | null | undefined
  readonly signal: string | undefined
}

/** Ends stdin first, because sshd kills no process: those that this action starts end with their stdin. Then it closes the channel. */
export function endChannel(channel: ClientChannel): void {
  const timer = setTimeout(() => channel.close(), closeGraceMs)
  channel.once('close', () => clearTimeout(timer))
  channel.end()
}

/** Resolves when the channel and both of its streams have ended. */
export function channelEnd(channel: ClientChannel): Promise<ChannelEnd> {
  channel.on('error', () => undefined) // a write to a channel that has just been closed; its close event has the cause
  const stderrClosed = new Promise<void>((resolve) => channel.stderr.once('close', resolve))
  return new Promise((resolve) => {
    channel.once('close', (code: number | null | undefined, signal: string | undefined) => {
      void stderrClosed.then(() => resolve({ code, signal }))
    })
  })
}
