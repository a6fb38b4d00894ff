import { getState } from '@actions/core'
import { messageOf } from './errors.ts'
import { cancelSignal } from './runner/cancel.ts'
import { jobLog } from './runner/log.ts'
import { lastResort } from './runner/end.ts'
import { parseState, stateName } from './state.ts'

/** The second door: finishes what main could not. It never fails the job, and does nothing twice. */
export async function post(): Promise<void> {
  const cancel = cancelSignal() // a cancel of the job comes while post finishes what the cancel of main left: it goes on
  try {
    const state = parseState(getState(stateName))
    if (state && state.phase !== 'done') await (await import('./run.ts')).finishRun(state)
  } catch (error) {
    jobLog.warning(`The capture could not be finished: ${messageOf(error)}`)
  } finally {
    cancel.dispose()
    lastResort()
  }
}
