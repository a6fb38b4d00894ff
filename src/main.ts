import { logErrorCode, logStack, reportFailure, setErrorCode } from './app/failure.ts'
import { run } from './app/run.ts'
import type { ErrorCode } from './common/error-codes.ts'
import { messageOf } from './common/errors.ts'
import { toOneLine } from './common/remote-text.ts'
import { cancelSignal } from './runner/cancel.ts'
import { exitOnUncaught, exitWithin, failUnlessReported } from './runner/exit.ts'
import { jobLog } from './runner/log.ts'

/** The main step of the action: captures, unless something is wrong. Its exit code is 0 only once its result is reported. */
export async function main(): Promise<void> {
  const reported = failUnlessReported()
  const cancel = cancelSignal()
  exitOnUncaught((error) => {
    jobLog.failure(toOneLine(messageOf(error)))
    logStack(error, jobLog)
    setErrorCode('E_INTERNAL', jobLog)
  }, 1)
  let errorCode: ErrorCode | undefined = 'E_RESULT_NOT_REPORTED'
  try {
    errorCode = await run(cancel.signal)
    if (errorCode !== undefined) logErrorCode(errorCode, jobLog)
  } catch (error) {
    errorCode = await reportFailure(error, jobLog)
  } finally {
    setErrorCode(errorCode, jobLog)
    cancel.dispose()
    exitWithin()
  }
  reported()
}
