import { joinLines } from './remote-text.ts'
import { documentUrl } from './document-url.ts'
import type { ErrorCode } from './error-codes.ts'

/** One thing that the user has to change. The renderer joins its parts; no code reads them back out of the text. */
export interface Problem {
  /** stable; docs/troubleshooting.md has an entry for it */
  readonly code: ErrorCode
  /** the action input that the user changes, or the environment variable or cluster object where no input is at fault */
  readonly input: string
  /** what is wrong and why: a clause without the name of the input, without the fix, without a full stop at its end */
  readonly problem: string
  /** what a server or a program reported about it, as it is; it follows the problem after a colon */
  readonly message?: string
  /** lines that belong to the problem: missing permissions, the server's message */
  readonly details?: readonly string[]
  /** what to do about it, in whole sentences; the last one may lead to `command` */
  readonly fix: string
  /** lines to paste into a terminal as they are */
  readonly command?: string
  /** path of a document in this repository, with its anchor */
  readonly docs?: string
}

export interface FailureOptions {
  /** Which step of the run found the problems; it becomes the heading where there are several. */
  readonly stage?: 'inputs' | 'preflight' | undefined
  /** What exists in the cluster or the cloud project after this failure: [] where nothing was created, undefined where this code does not know. */
  readonly leftovers?: readonly string[] | undefined
  /** what the user must know although the run failed, such as a connection that is not protected; whole sentences */
  readonly cautions?: readonly string[] | undefined
  readonly cause?: unknown
}

/** A mistake of the user's or of their configuration. It is shown without a stack. */
export class ConfigurationError extends Error {
  override readonly name: string = 'ConfigurationError'
  readonly problems: readonly [Problem, ...Problem[]]
  readonly stage: FailureOptions['stage']
  readonly leftovers: FailureOptions['leftovers']
  readonly cautions: FailureOptions['cautions']

  constructor(problems: Problem | readonly Problem[], options: FailureOptions = {}) {
    const [first, ...others] = 'code' in problems ? [problems] : problems
    if (first === undefined) throw new TypeError('a ConfigurationError needs a problem')
    const all: readonly [Problem, ...Problem[]] = [first, ...others]
    super(renderFailure(all, options), options.cause === undefined ? undefined : { cause: options.cause })
    this.problems = all
    this.stage = options.stage
    this.leftovers = options.leftovers
    this.cautions = options.cautions
  }
}

/** The text of one or several problems for the log: what is wrong, how to fix it, and once what was created. */
export function renderFailure(problems: readonly Problem[], { stage, leftovers }: FailureOptions = {}): string {
  const created = renderLeftovers(leftovers)
  const [first] = problems
  if (first !== undefined && problems.length === 1) {
    const text = renderProblem(first)
    return [text, created].filter(Boolean).join(text.includes('\n') ? '\n' : ' ')
  }
  const heading = [renderHeading(stage, problems.length), created].filter(Boolean).join(' ')
  return [heading, ...problems.map((problem) => `- ${renderProblem(problem)}`)].join('\n')
}

/**
 * `input: problem. fix See docs.` on one line. Details follow the problem on lines of their own; a command keeps the beginnings of its lines,
 * because a here-document ends at a line that is its word alone.
 */
export function renderProblem(problem: Problem): string {
  const { fix, command, docs } = problem
  // Names and messages of a server are in them: a line break would make a line that looks like one of the action.
  const details = (problem.details ?? []).map(joinLines)
  const see = docs === undefined ? '' : `See ${documentUrl(docs)}.`
  const cause = joinLines(`${problem.input}: ${renderCause(problem)}`)
  const advice = [joinLines(fix), ...(command === undefined ? [see] : [])].filter(Boolean).join(' ')
  const begin =
    details.length === 0
      ? [cause, advice].filter(Boolean).join(' ')
      : [cause, ...details.map((detail) => `    ${detail}`), ...(advice === '' ? [] : [`  ${advice}`])].join('\n')
  return command === undefined ? begin : [begin, command, see].filter(Boolean).join('\n')
}

/** The problem with the mark at its end that leads to what follows: a colon before details, else a full stop. */
export function renderCause(problem: Problem): string {
  const { message, details = [] } = problem
  const cause = describeCause(problem)
  if (message !== undefined && /[.!?]$/.test(message)) return cause // a sentence of its author
  return `${cause}${details.length > 0 ? ':' : '.'}`
}

/** The problem with the message that it quotes, as a clause. */
export function describeCause({ problem, message }: Problem): string {
  return message === undefined ? problem : `${problem}: ${message}`
}

/** The sentence above several problems. */
export function renderHeading(stage: FailureOptions['stage'], count: number): string {
  const problems = count === 1 ? '1 problem' : `${count} problems`
  switch (stage) {
    case 'inputs':
      return count === 1 ? '1 input is invalid.' : `${count} inputs are invalid.`
    case 'preflight':
      return `Preflight failed with ${problems}.`
    case undefined:
      return `The run failed with ${problems}.`
  }
}

/** What was created, as a sentence; '' where that is not known. */
export function renderLeftovers(leftovers: FailureOptions['leftovers']): string {
  if (leftovers === undefined) return ''
  return leftovers.length === 0 ? 'No resources were created.' : `Not removed: ${joinLines(leftovers.join('; '))}.`
}

/** The run was cancelled before there was anything to deliver. */
export class Cancelled extends Error {
  override readonly name = 'Cancelled'
}

/** The message of an unknown thrown value, without "Error: ". */
export function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return messageOf(error.errors[0])
  if (error instanceof Error) return error.message || error.name
  return String(error)
}
