import type { Duplex } from 'node:stream'
import type { Client, ClientChannel } from 'ssh2'
import { messageOf } from '../common/errors.ts'
import { orTimeout, timedOut } from '../common/timeouts.ts'
import { SshError } from './errors.ts'

const channelTimeoutMs = 15_000
/** From the request to end the connection until it is cut. */
const endTimeoutMs = 1_000

/** An SSH client on its byte stream, from the start of the login until it is lost. */
export class SshConnection {
  readonly client: Client
  readonly socket: Duplex
  #lostReason: string | undefined
  #onLost: (() => void) | undefined

  constructor(client: Client, socket: Duplex) {
    this.client = client
    this.socket = socket
  }

  /** why the connection is of no more use; undefined while it is */
  get lostReason(): string | undefined {
    return this.#lostReason
  }

  /** Sets what is called when the connection is lost. */
  onLost(listener: () => void): void {
    this.#onLost = listener
  }

  lose(reason: string): void {
    this.#lostReason ??= reason
    this.#onLost?.()
    this.socket.destroy()
  }

  /** Ends the connection as the protocol has it; one that does not answer is cut. */
  end(reason: string): void {
    const closed = new Promise<void>((resolve) => this.client.once('close', () => resolve()))
    void orTimeout(closed, endTimeoutMs).then((result) => {
      if (result === timedOut) this.lose(reason)
    })
    this.client.end()
  }

  /**
   * Starts a command line on a new channel. `attach` is called before the first event of the channel.
   * @param name of the program, for errors
   * @returns what `attach` returns; undefined where the stream had already ended, so that nothing was started
   * @throws SshError
   */
  async exec<T extends object>(
    line: string,
    name: string,
    attach: (channel: ClientChannel) => T,
  ): Promise<T | undefined> {
    const started = await orTimeout(this.#start(line, name, attach), channelTimeoutMs)
    if (started !== timedOut) return started
    this.lose(`no answer within ${channelTimeoutMs / 1000} s`)
    throw new SshError(`the node did not start ${name} within ${channelTimeoutMs / 1000} s`)
  }

  #start<T extends object>(line: string, name: string, attach: (channel: ClientChannel) => T): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      try {
        this.client.exec(line, (error, channel) => {
          if (error) reject(new SshError(`the node did not start ${name}: ${this.#lostReason ?? error.message}`))
          else resolve(attach(channel))
        })
      } catch (error) {
        this.lose(messageOf(error)) // the stream has ended, and no event has reported it yet
        resolve(undefined)
      }
    })
  }
}
