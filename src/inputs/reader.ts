import type { ErrorCode } from '../common/error-codes.ts'
import { ConfigurationError, type Problem } from '../common/errors.ts'
import { controlCharacterIn, hasWorkflowCommand } from '../common/remote-text.ts'
import { urlForMessage } from '../common/url-text.ts'

/** The trimmed text of an input by its name; undefined or '' where it is not set. */
export type InputSource = (name: string) => string | undefined

/** What an input accepts: `accepts` completes the sentence "Use ….". */
export interface InputForm<T> {
  readonly accepts: string
  /** @returns undefined for a text that is not valid */
  readonly parse: (text: string) => T | undefined
}

/** Inputs of several lines; every other input is one line. */
const multilineInputs: ReadonlySet<string> = new Set([
  'kubeconfig',
  'certificate-authority',
  'capabilities',
  'exec-env',
  'filter',
])
/** Inputs whose text is never shown. */
const secretInputs: ReadonlySet<string> = new Set(['kubeconfig', 'token', 'certificate-authority'])

/** Reads inputs one by one and collects what is wrong with them, so that the user sees every problem at once. */
export class InputReader {
  readonly problems: Problem[] = []
  readonly #source: InputSource
  /** whether the text of an input may be used; the problem with one that may not is reported once */
  readonly #isUsable = new Map<string, boolean>()

  constructor(source: InputSource) {
    this.#source = source
  }

  /**
   * The text of an input; undefined where it is not set. Every text is checked here, whatever its input is for: names of artifacts, of files, of
   * pods and contexts are printed, by this action and by libraries.
   */
  text(name: string): string | undefined {
    const text = this.#source(name) || undefined
    if (text !== undefined && !this.#isUsable.has(name)) {
      const problem = textProblem(name, text)
      if (problem !== undefined) {
        const shown = secretInputs.has(name) ? '' : `${quoted(text)} `
        this.report('E_INPUT_INVALID', name, `${shown}${problem}`, 'Use a text without it.')
      }
      this.#isUsable.set(name, problem === undefined)
    }
    return text
  }

  isSet(name: string): boolean {
    return this.text(name) !== undefined
  }

  /** The value of an input that has to be set. */
  required<T>(name: string, form: InputForm<T>): T {
    const text = this.text(name)
    if (text !== undefined) return this.#parsed(name, text, form)
    this.report('E_INPUT_MISSING', name, 'is not set', `Use ${form.accepts}.`)
    return undefined as T // the run ends with the problem before the value is read
  }

  optional<T>(name: string, form: InputForm<T>): T | undefined {
    const text = this.text(name)
    return text === undefined ? undefined : this.#parsed(name, text, form)
  }

  /**
   * The value of an input; `byDefault` is its text where it is not set, so that a workflow can pass on an input of its own that was left empty.
   * action.yml declares the same defaults.
   */
  withDefault<T>(name: string, byDefault: string, form: InputForm<T>): T {
    return this.#parsed(name, this.text(name) ?? byDefault, form)
  }

  report(code: ErrorCode, input: string, problem: string, fix: string): void {
    this.#add({ code, input, problem, fix })
  }

  /** Runs a parser that throws a ConfigurationError, and collects its problems. */
  collect<T>(parse: () => T): T | undefined {
    try {
      return parse()
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error
      for (const problem of error.problems) this.#add(problem)
      return undefined
    }
  }

  #add(problem: Problem): void {
    if (this.#isUsable.get(problem.input) !== false) this.problems.push(problem)
  }

  #parsed<T>(name: string, text: string, { accepts, parse }: InputForm<T>): T {
    const value = parse(text)
    if (value === undefined) this.report('E_INPUT_INVALID', name, `${quoted(text)} is not valid`, `Use ${accepts}.`)
    return value as T // the run ends with the problem before the value is read
  }
}

/** What no input may contain: text that is not visible, or that the runner takes for a command. A clause without the name of the input. */
function textProblem(name: string, text: string): string | undefined {
  const isMultiline = multilineInputs.has(name) && /[\n\r]/.test(text)
  const character = controlCharacterIn(text, isMultiline ? '\n\r\t' : '')
  if (character === 'U+000A' || character === 'U+000D') return 'has a line break, and must be one line'
  if (character !== undefined) return `has a character that is not visible (${character})`
  const mayHaveCommand = isMultiline && secretInputs.has(name) // such a text is never shown
  if (!mayHaveCommand && text.split(/[\n\r]+/).some(hasWorkflowCommand))
    return 'has `##[`, or `::` at its start, which the runner reads as a command'
  return undefined
}

/** A text of the user in an error, bounded; of a URL without the parts that may be secret. */
export function quoted(text: string): string {
  const shown = urlForMessage(text)
  return JSON.stringify(shown.length > 200 ? `${shown.slice(0, 200)}…` : shown)
}

/** `one`, `one or two`, `one, two or three`. */
export function listed(words: readonly string[]): string {
  const last = words.at(-1) ?? ''
  return words.length < 2 ? last : `${words.slice(0, -1).join(', ')} or ${last}`
}
