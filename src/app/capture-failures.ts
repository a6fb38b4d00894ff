import type { CaptureRecord } from '../capture/record.ts'
import { subjectOf } from '../capture/recorders/methods.ts'
import { NothingCreated } from '../capture/recorders/start-failure.ts'
import { ConfigurationError, renderFailure, renderProblem, type Problem } from '../common/errors.ts'
import type { Log } from '../runner/log.ts'
import { internalProblem, logStack } from './failure.ts'

/** A capture that recorded nothing. */
export interface CaptureFailure {
  /** `pod web-1` */
  readonly subject: string
  readonly error: unknown
  readonly problems: readonly Problem[]
  /** [] where nothing was created; undefined where everything that was created has been removed */
  readonly leftovers: readonly string[] | undefined
}

export function failureOf(record: CaptureRecord, error: unknown, leftovers: readonly string[]): CaptureFailure {
  return {
    subject: subjectOf(record),
    error,
    problems: error instanceof ConfigurationError ? error.problems : [internalProblem(error)],
    leftovers: leftovers.length === 0 && !(error instanceof NothingCreated) ? undefined : leftovers,
  }
}

/** Fails the step for one of several captures; the others go on. */
export function logFailure({ subject, error, problems, leftovers }: CaptureFailure, log: Log): void {
  log.failure(`The capture of ${subject} failed: ${renderFailure(problems, { leftovers })}`)
  logStack(error, log)
}

/** One error for a run in which every capture failed, with the problems of all. The stacks of unexpected errors are in the log. */
export function joinFailures(failures: readonly CaptureFailure[], log: Log): unknown {
  const [first] = failures
  if (failures.length === 1 && !(first?.error instanceof ConfigurationError)) return first?.error
  for (const { error } of failures) logStack(error, log)
  const problems = new Map(failures.flatMap((failure) => failure.problems).map((one) => [renderProblem(one), one]))
  const known = failures.flatMap(({ leftovers }) => (leftovers === undefined ? [] : [leftovers]))
  const leftovers = known.length === 0 ? undefined : known.flat()
  // "Nothing was created" is true only where it is true of each capture.
  const isPartial = leftovers?.length === 0 && known.length < failures.length
  return new ConfigurationError([...problems.values()], {
    leftovers: isPartial ? undefined : leftovers,
    cause: first?.error,
  })
}
