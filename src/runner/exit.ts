import { jobLog } from './log.ts'

/** The runner takes every exit code but 0 as a failure; 1 is that of a failure that the log explains. */
const unreportedExitCode = 2

/**
 * From here on the process fails, whatever ends it: an error in the code that reports an error, or an event loop that has nothing left to do. The
 * function that is returned says that the result was reported; a failure that was logged stays one.
 */
export function failUnlessReported(): () => void {
  process.exitCode = unreportedExitCode
  const onExit = (): void => {
    if (process.exitCode === unreportedExitCode) jobLog.failure('The step ended before it reported its result.')
  }
  process.on('exit', onExit)
  return () => {
    process.off('exit', onExit)
    if (process.exitCode === unreportedExitCode) process.exitCode = 0
  }
}

/**
 * An error that no code catches ends the process as in Node.js, but its message passes through the log: Node.js prints it as it is, and a message of a
 * server may have a workflow command in it. `report` gets the error before the process exits with `exitCode`.
 */
export function exitOnUncaught(report: (error: unknown) => void, exitCode: number): void {
  process.on('uncaughtException', (error: unknown) => {
    try {
      report(error)
    } finally {
      process.exit(exitCode)
    }
  })
}

/**
 * The process ends when its last handle is closed, with `process.exitCode`. A handle that a library left open must not hold the job: after
 * `ms` the process exits. (An immediate `process.exit` is not reliable: it hung in 3 of 80 runs.)
 */
export function exitWithin(ms = 3_000): void {
  setTimeout(() => process.exit(), ms).unref()
}
