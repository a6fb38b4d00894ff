import { logErrorCode } from './app/failure.ts'
import { parsePointer } from './app/saved-state.ts'
import { isReported, stateName } from './app/state.ts'
import { messageOf } from './common/errors.ts'
import { cancelSignal } from './runner/cancel.ts'
import { exitOnUncaught, exitWithin, failUnlessReported } from './runner/exit.ts'
import { jobLog } from './runner/log.ts'
import { readState } from './runner/step-inputs.ts'

/**
 * The post step of the action: finishes what main could not, and does nothing twice. It fails the job only where a result cannot be reported, which
 * neither step has done then.
 */
export async function post(): Promise<void> {
  const reported = failUnlessReported()
  const cancel = cancelSignal() // a cancel of the job reaches post, too: it goes on
  exitOnUncaught((error) => jobLog.failure(`The capture could not be finished: ${messageOf(error)}`), 1)
  let mustReport = true
  try {
    const state = parsePointer(readState(stateName))
    mustReport = state !== undefined && !isReported(state.phase)
    if (state && state.phase !== 'done') await (await import('./app/post.ts')).finishRun(state)
  } catch (error) {
    const text = `The capture could not be finished: ${messageOf(error)}`
    if (mustReport) {
      jobLog.failure(text)
      logErrorCode('E_RESULT_NOT_REPORTED', jobLog)
    } else jobLog.warning(text)
  } finally {
    cancel.dispose()
    exitWithin()
  }
  reported()
}
