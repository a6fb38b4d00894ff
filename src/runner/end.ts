import { Cancelled, ConfigurationError, messageOf } from '../errors.ts'
import { jobLog } from './log.ts'

/** Fails the step: a user's mistake by its words alone, a mistake of ours with its stack. A cancel is neither. */
export function failStep(error: unknown): void {
  if (error instanceof Cancelled) {
    jobLog.info(error.message)
    return
  }
  jobLog.failure(messageOf(error))
  if (error instanceof Error && !(error instanceof ConfigurationError) && error.stack !== undefined) {
    jobLog.info(error.stack)
  }
}

/**
 * The process ends when its last handle is closed, with `process.exitCode`. A handle that a library left open must not hold the job: after
 * 3 s the process is ended. (`process.exit` at once is no way out: it hung in 3 of 80 runs.)
 */
export function lastResort(ms = 3_000): void {
  setTimeout(() => process.exit(), ms).unref()
}
