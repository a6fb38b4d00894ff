import { randomBytes } from 'node:crypto'
import { joinLines } from '../common/remote-text.ts'

type CommandName = 'error' | 'warning' | 'notice' | 'add-mask' | 'group' | 'endgroup'

/**
 * Prints a workflow command, one line on stdout that the runner interprets (docs.github.com, "Workflow commands for GitHub Actions").
 * @actions/core has the same; it loads an HTTP client (1 MB of code) before its first line, which an invalid input would wait for
 * (bench/start.ts).
 */
export function issueCommand(name: CommandName, text = ''): void {
  const command = `::${name}::${escapeData(text)}\n`
  if (library) library.printCommand(command)
  else process.stdout.write(command)
}

/** Set while a library may print. */
let library: LibraryOutput | undefined

/**
 * Runs a library that prints to stdout. The runner executes nothing of what it prints: before its first line comes `stop-commands`, which holds for
 * `::command::` and for `##[command]` (actions/runner, ActionCommandManager.cs). The exception is `add-mask`, because a library masks its secrets
 * before it uses them. Its lines pass through `escape` as well, for a program that reads the log later. The commands of this action are executed.
 */
export async function withLibraryOutput<T>(escape: (text: string) => string, body: () => Promise<T>): Promise<T> {
  const current = (library ??= new LibraryOutput(escape))
  current.callCount += 1
  try {
    return await body()
  } finally {
    current.callCount -= 1
    if (current.callCount === 0) {
      library = undefined
      current.end()
    }
  }
}

/** Takes the place of `process.stdout.write`, and of that of stderr, which the runner reads in the same way. */
class LibraryOutput {
  callCount = 0
  readonly #escape: (text: string) => string
  readonly #write: typeof process.stdout.write
  readonly #writeError: typeof process.stderr.write
  /** While it is set, the runner executes no command but the one with this name. No other text knows it. */
  #stopToken: string | undefined

  constructor(escape: (text: string) => string) {
    this.#escape = escape
    // eslint-disable-next-line @typescript-eslint/unbound-method -- called with stdout as `this`, and put back as it was
    this.#write = process.stdout.write
    // eslint-disable-next-line @typescript-eslint/unbound-method -- the same
    this.#writeError = process.stderr.write
    process.stdout.write = ((...given: Parameters<typeof process.stdout.write>) =>
      this.#take(textOf(given[0]), callbackIn(given))) as typeof process.stdout.write
    process.stderr.write = ((...given: Parameters<typeof process.stderr.write>) =>
      this.#writeError.call(
        process.stderr,
        escape(textOf(given[0])),
        'utf8',
        callbackIn(given),
      )) as typeof process.stderr.write
  }

  printCommand(command: string): void {
    this.#print(this.#resume() + command)
  }

  end(): void {
    process.stdout.write = this.#write
    process.stderr.write = this.#writeError
    const resume = this.#resume()
    if (resume !== '') this.#print(resume)
  }

  /**
   * One write of the library. @actions/core writes a command as one line of its own (command.ts). A debug command becomes a line of the log where
   * the debug log is on, and nothing where it is off, as on the runner.
   */
  #take(text: string, onWritten: (() => void) | undefined): boolean {
    const [, name, data = ''] = /^::(add-mask|debug|notice|warning|error)::([^\r\n]*)\r?\n$/.exec(text) ?? []
    if (name === 'add-mask') return this.#print(`${this.#resume()}::add-mask::${data}\n`, onWritten)
    if (name === 'debug' && process.env['RUNNER_DEBUG'] !== '1') return this.#print('', onWritten)
    const line = name === undefined ? this.#escape(text) : `${name}: ${this.#escape(joinLines(unescapeData(data)))}\n`
    return this.#print(this.#stop() + line, onWritten)
  }

  #stop(): string {
    if (this.#stopToken !== undefined) return ''
    this.#stopToken = randomBytes(16).toString('hex')
    return `::stop-commands::${this.#stopToken}\n`
  }

  #resume(): string {
    const line = this.#stopToken === undefined ? '' : `::${this.#stopToken}::\n`
    this.#stopToken = undefined
    return line
  }

  #print(text: string, onWritten?: () => void): boolean {
    return this.#write.call(process.stdout, text, 'utf8', onWritten)
  }
}

function textOf(chunk: Uint8Array | string): string {
  return typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8')
}

/** The last argument of `write`, or of its form without an encoding. */
function callbackIn(given: readonly unknown[]): (() => void) | undefined {
  return given.find((argument): argument is () => void => typeof argument === 'function')
}

function escapeData(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}

function unescapeData(data: string): string {
  return data.replaceAll('%0D', '\r').replaceAll('%0A', '\n').replaceAll('%25', '%')
}
