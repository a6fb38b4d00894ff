import type { ClientChannel } from 'ssh2'
import type { RemoteProcess, RemoteProcessHandlers } from '../common/remote-process.ts'
import { collectOutput, type CommandResult, type RunOptions } from './command.ts'
import type { SshConnection } from './connection.ts'
import { SshError } from './errors.ts'
import { HostKeys } from './host-keys.ts'
import { logIn } from './login.ts'
import { systemClock, type SshClock, type SshOptions } from './options.ts'
import { SshProcess } from './process.ts'
import { quoteForShell } from './quote.ts'

/** How often a command is started again where its connection turned out to be lost already. */
const maxStartCount = 3

type State =
  | { readonly name: 'idle' }
  /** all commands that need a connection wait for the same login */
  | { readonly name: 'connecting'; readonly login: Promise<SshConnection> }
  | { readonly name: 'connected'; readonly connection: SshConnection }
  | { readonly name: 'closed' }

/** A session on an SSH server. It connects when it is first used, and again when the connection was lost. */
export class SshSession {
  /** No host key was known beforehand: the first one that is seen is pinned. */
  readonly isHostKeyPinned: boolean
  readonly #options: SshOptions
  readonly #clock: SshClock
  readonly #hostKeys: HostKeys
  readonly #processes = new Set<RemoteProcess>()
  #state: State = { name: 'idle' }

  constructor(options: SshOptions, clock: SshClock = systemClock) {
    this.#options = options
    this.#clock = clock
    this.#hostKeys = new HostKeys(options.hostKeys, options.advice)
    this.isHostKeyPinned = options.hostKeys.length === 0
  }

  /** `TYPE BASE64`; undefined until the first login */
  get hostKey(): string | undefined {
    return this.#hostKeys.proven
  }

  /**
   * Runs argv to its end. No shell expands any of its words.
   * @throws SshError where it takes too long, writes too much, or the connection is lost meanwhile; otherwise as `open`
   */
  async run(argv: readonly string[], options: RunOptions = {}): Promise<CommandResult> {
    const { output } = await this.#start(argv, (channel, connection) => ({
      output: collectOutput(argv[0] ?? '', channel, options, () => connection.lostReason),
    }))
    return output
  }

  /**
   * Starts a long-running process. One without any output for 15 s counts as lost.
   * @throws HostKeyError, AuthenticationError, SshError, Cancelled, and what `connect` throws
   */
  async open(argv: readonly string[], handlers: RemoteProcessHandlers): Promise<RemoteProcess> {
    const process = await this.#start(argv, (channel, connection) => new SshProcess(channel, connection, handlers))
    this.#processes.add(process)
    void process.ended.then(() => this.#processes.delete(process))
    return process
  }

  /** Ends the connection and the processes on it. The session cannot be used afterwards. */
  close(): void {
    for (const process of this.#processes) process.close()
    const state = this.#state
    this.#state = { name: 'closed' }
    // A login that is under way ends its connection itself.
    if (state.name === 'connected') state.connection.end('the SSH session is closed')
  }

  async #start<T extends object>(
    argv: readonly string[],
    attach: (channel: ClientChannel, connection: SshConnection) => T,
  ): Promise<T> {
    const line = quoteForShell(argv)
    for (let count = 1; count <= maxStartCount; count++) {
      const connection = await this.#connect()
      const started = await connection.exec(line, argv[0] ?? '', (channel) => attach(channel, connection))
      if (started) return started
    }
    throw new SshError('each connection to the node is lost as soon as it is made')
  }

  async #connect(): Promise<SshConnection> {
    switch (this.#state.name) {
      case 'closed':
        throw new SshError('the SSH session is closed')
      case 'connected':
        return this.#state.connection
      case 'connecting':
        return this.#state.login
      case 'idle': {
        this.#hostKeys.requireSupported()
        const login = this.#logIn()
        this.#state = { name: 'connecting', login }
        return login
      }
    }
  }

  async #logIn(): Promise<SshConnection> {
    try {
      const connection = await logIn({
        options: this.#options,
        hostKeys: this.#hostKeys,
        clock: this.#clock,
        isClosed: () => this.#state.name === 'closed',
      })
      if (this.#state.name === 'closed') {
        connection.end('the SSH session is closed')
        return connection
      }
      this.#state = connection.lostReason === undefined ? { name: 'connected', connection } : { name: 'idle' }
      connection.onLost(() => {
        if (this.#state.name === 'connected' && this.#state.connection === connection) this.#state = { name: 'idle' }
      })
      return connection
    } catch (error) {
      if (this.#state.name === 'connecting') this.#state = { name: 'idle' }
      throw error
    }
  }
}
