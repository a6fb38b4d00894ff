import { documentUrl } from '../common/document-url.ts'
import type { ErrorCode } from '../common/error-codes.ts'
import { Cancelled, ConfigurationError, messageOf, type FailureOptions, type Problem } from '../common/errors.ts'
import { toOneLine } from '../common/remote-text.ts'
import { failureMarkdown } from '../report/failure.ts'
import type { Log } from '../runner/log.ts'
import { setOutput, writeSummary } from '../runner/step-files.ts'

/**
 * Fails the step: annotation, log and summary. An unexpected error also shows its stack. A cancel is not a failure.
 * @returns the code of the first problem
 */
export async function reportFailure(error: unknown, log: Log): Promise<ErrorCode | undefined> {
  if (error instanceof Cancelled) {
    log.info(error.message)
    return undefined
  }
  const isExpected = error instanceof ConfigurationError
  // The lines of a ConfigurationError are the action's; those of another error may be a server's.
  log.failure(isExpected ? error.message : toOneLine(messageOf(error)))
  if (!isExpected) logStack(error, log)
  const problems: readonly Problem[] = isExpected ? error.problems : [internalProblem(error)]
  for (const code of new Set(problems.map((problem) => problem.code))) logErrorCode(code, log)
  const options: FailureOptions = isExpected ? error : {}
  await writeSummary(failureMarkdown(problems, options)).catch((reason: unknown) => {
    log.warning(`The summary cannot be written: ${messageOf(reason)}`)
  })
  return problems[0]?.code
}

/** The stack of an error that no code expects, a line of the log for each of its lines. */
export function logStack(error: unknown, log: Log): void {
  if (error instanceof ConfigurationError || !(error instanceof Error) || error.stack === undefined) return
  for (const line of error.stack.split('\n')) log.info(line)
}

/** One line with the code and its entry in the documentation. */
export function logErrorCode(code: ErrorCode, log: Log): void {
  log.info(`Error code: ${code}. See ${documentUrl(`docs/troubleshooting.md#${code.toLowerCase()}`)}`)
}

/** An error that no code expects. */
export function internalProblem(error: unknown): Problem {
  return {
    code: 'E_INTERNAL',
    input: 'internal error',
    problem: messageOf(error),
    fix: 'If the message does not explain it, this is a defect of the action: please report it with the log of the step.',
  }
}

/** The output `error-code`: '' where the run succeeded. */
export function setErrorCode(code: ErrorCode | undefined, log: Log): void {
  try {
    setOutput('error-code', code ?? '')
  } catch (error) {
    log.failure(`The output error-code cannot be written: ${messageOf(error)}`)
  }
}
