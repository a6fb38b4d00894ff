import { messageOf } from './errors.ts'
import { lineSplitter } from './lines.ts'

/** A running process in a container (Kubernetes exec) or on a node (SSH), with its stdin, stdout and stderr. */
export interface RemoteProcess {
  /** `v5.channel.k8s.io`, `v4.channel.k8s.io` or `ssh` */
  readonly protocol: string
  /** Writes one line to the stdin of the process; false when the connection is no longer open. */
  send(line: string): boolean
  /** Ends the stdin of the process and the connection. Neither kills the process: it must end when its stdin does. */
  close(): void
  /** How it ended; never rejects. A success does not prove that all output has arrived (kubernetes/kubectl#1726). */
  readonly ended: Promise<RemoteProcessEnd>
}

export interface RemoteProcessHandlers {
  /** Bytes of stdout. While a returned promise is pending, the sender is held back. */
  stdout(chunk: Buffer): Promise<void> | undefined
  /** One line of stderr, without its line break. */
  stderr(line: string): void
}

export interface RemoteProcessEnd {
  /** a WebSocket close code: 1000 where the process ended, 1006 where the connection was cut, also by `close` */
  readonly code: number
  /** the server's message, the exit code or signal, the cause of a cut, or '' */
  readonly reason: string
}

/** The reason of an end that `close` asked for. */
export const closedByClient = 'closed by the client'

/** A follower sends a line every 2 s. After this long without any output the connection is dead, whatever TCP reports. */
export const silenceLimitMs = 15_000
const checkIntervalMs = 5_000
/** A follower writes 20 bytes in 2 s and a trailer of at most 1 MB. To split more into lines would only cost time. */
const maxStderrBytes = 2 * 1024 * 1024

/** What a transport does for the output of its process. */
export interface OutputTransport {
  /** Stops reading. Output that was read before may still be taken. */
  pause(): void
  resume(): void
  /** Cuts the connection: a handler failed, or the process is silent for too long. */
  fail(reason: string): void
  /** Asks the other side for an answer, where the protocol has such a request. */
  ping?(): void
}

/** The output of one remote process: passes it to the handlers, with backpressure and a limit on silence. */
export class RemoteOutput {
  readonly #handlers: RemoteProcessHandlers
  readonly #transport: OutputTransport
  readonly #stderr: ReturnType<typeof lineSplitter>
  #pendingCount = 0
  #stderrBytes = 0
  #lastOutputAtMs = Date.now()
  #check: NodeJS.Timeout | undefined

  constructor(handlers: RemoteProcessHandlers, transport: OutputTransport) {
    this.#handlers = handlers
    this.#transport = transport
    this.#stderr = lineSplitter((line) => handlers.stderr(line))
  }

  /** The sender is held back: at least one promise of the stdout handler is pending. */
  get isHeld(): boolean {
    return this.#pendingCount > 0
  }

  /** Starts to watch for silence. */
  watch(): void {
    this.noteActivity()
    this.#check = setInterval(() => this.#checkSilence(), checkIntervalMs)
    this.#check.unref() // a connection keeps the runner's process alive, a pending handler alone must not
  }

  noteActivity(): void {
    this.#lastOutputAtMs = Date.now()
  }

  takeStdout(chunk: Buffer): void {
    this.noteActivity()
    const pending = this.#handlers.stdout(chunk)
    if (!pending) return
    // Chunks that the transport has already read still arrive after pause(); each may add a pending promise.
    this.#pendingCount += 1
    this.#transport.pause()
    void pending
      .catch((error: unknown) => this.#transport.fail(messageOf(error)))
      .finally(() => {
        this.#pendingCount -= 1
        this.noteActivity()
        if (this.#pendingCount === 0) this.#transport.resume()
      })
  }

  takeStderr(chunk: Buffer): void {
    this.noteActivity()
    const roomBytes = Math.max(0, maxStderrBytes - this.#stderrBytes)
    this.#stderrBytes += chunk.length
    if (roomBytes > 0) this.#stderr.push(chunk.subarray(0, roomBytes))
    if (chunk.length > roomBytes) this.#transport.fail(`more than ${maxStderrBytes} bytes of messages`)
  }

  /** Stops the watch and passes on the last line, also where it has no line break. */
  end(): void {
    clearInterval(this.#check)
    this.#stderr.end()
  }

  #checkSilence(): void {
    if (this.isHeld) return // nothing is read meanwhile, so no output can arrive
    if (Date.now() - this.#lastOutputAtMs > silenceLimitMs) {
      this.#transport.fail(`no output for ${silenceLimitMs / 1000} s`)
    } else {
      this.#transport.ping?.()
    }
  }
}
