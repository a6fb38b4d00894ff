import { cancelSignal } from './runner/cancel.ts'
import { failStep, lastResort } from './runner/end.ts'
import { run } from './run.ts'

/** The first door: captures, unless the inputs are wrong. */
export async function main(): Promise<void> {
  const cancel = cancelSignal()
  try {
    await run(cancel.signal)
  } catch (error) {
    failStep(error)
  } finally {
    cancel.dispose()
    lastResort()
  }
}
