import type { ClientChannel } from 'ssh2'
import {
  closedByClient,
  RemoteOutput,
  type RemoteProcess,
  type RemoteProcessEnd,
  type RemoteProcessHandlers,
} from '../common/remote-process.ts'
import { channelEnd, closeGraceMs, endChannel, type ChannelEnd } from './channel.ts'
import type { SshConnection } from './connection.ts'

/** ssh2 enlarges the window of the channel with each piece of stderr, also while stdout is paused. */
const maxBufferedBytes = 8 * 1024 * 1024

/** A long-running process on a channel. Its states: running, closing (the client ends it, or has cut the connection), ended. */
export class SshProcess implements RemoteProcess {
  readonly protocol = 'ssh'
  readonly ended: Promise<RemoteProcessEnd>
  readonly #channel: ClientChannel
  readonly #connection: SshConnection
  readonly #output: RemoteOutput
  readonly #resolveEnded: (end: RemoteProcessEnd) => void
  #state: 'running' | 'closing' | 'ended' = 'running'
  /** why the client ended it or cut the connection */
  #cause = ''
  #isSocketPaused = false
  #closeTimer: NodeJS.Timeout | undefined

  constructor(channel: ClientChannel, connection: SshConnection, handlers: RemoteProcessHandlers) {
    const { promise, resolve } = Promise.withResolvers<RemoteProcessEnd>()
    this.ended = promise
    this.#resolveEnded = resolve
    this.#channel = channel
    this.#connection = connection
    this.#output = new RemoteOutput(handlers, {
      pause: () => channel.pause(),
      resume: () => this.#resume(),
      fail: (reason) => this.#fail(reason),
    })
    channel.on('data', (chunk: Buffer) => {
      if (this.#state === 'running') this.#output.takeStdout(chunk)
    })
    channel.stderr.on('data', (chunk: Buffer) => this.#takeStderr(chunk))
    void channelEnd(channel).then((end) => this.#onChannelEnded(end))
    this.#output.watch()
  }

  send(line: string): boolean {
    if (this.#state !== 'running' || this.#connection.lostReason !== undefined || !this.#channel.writable) return false
    this.#channel.write(`${line}\n`)
    return true
  }

  close(): void {
    if (this.#state !== 'running') return
    this.#state = 'closing'
    this.#cause = closedByClient
    endChannel(this.#channel)
    this.#resume()
    // A dead connection does not answer.
    this.#closeTimer = setTimeout(() => this.#end({ code: 1006, reason: this.#cause }), 2 * closeGraceMs)
  }

  #takeStderr(chunk: Buffer): void {
    if (this.#state === 'running') this.#output.takeStderr(chunk)
    if (!this.#output.isHeld || this.#channel.readableLength < maxBufferedBytes) return
    this.#isSocketPaused = true
    this.#connection.socket.pause()
  }

  #resume(): void {
    this.#channel.resume()
    if (this.#isSocketPaused) this.#connection.socket.resume()
    this.#isSocketPaused = false
  }

  #fail(reason: string): void {
    if (this.#state === 'running') this.#state = 'closing'
    this.#cause ||= reason
    this.#connection.lose(reason)
    this.#resume()
  }

  #onChannelEnded({ code, signal }: ChannelEnd): void {
    const cut = this.#cause || (code === undefined ? (this.#connection.lostReason ?? 'the channel was closed') : '')
    if (cut !== '') this.#end({ code: 1006, reason: cut })
    else this.#end({ code: 1000, reason: code === null ? `ended by ${signal ?? 'a signal'}` : `exit code ${code}` })
  }

  #end(end: RemoteProcessEnd): void {
    this.#state = 'ended'
    clearTimeout(this.#closeTimer)
    this.#output.end()
    this.#resolveEnded(end)
  }
}
