import { findStaleRecorders, stopStaleRecorder } from '../../capture/leftovers.ts'
import type { Target } from '../../cluster/target.ts'
import { serverTimeMs, type TargetContext } from './capture-record.ts'
import { requesting, runCheck, type CheckResult } from './check.ts'

/** Ends recorders of earlier runs of this repository that are past their deadline. It is the only check that changes something. */
export function endStaleRecorders(context: TargetContext, targets: readonly Target[]): Promise<CheckResult> {
  const { connection } = context.cluster
  return runCheck<void>(requesting(connection, 'the recorders of earlier runs'), async ({ findings }) => {
    for (const target of targets) {
      if (target.kind === 'node') continue
      const containers = findStaleRecorders(target, context.job.repository, await serverTimeMs(context, target))
      for (const container of containers) findings.push(await stopStaleRecorder(connection, target, container))
    }
  })
}
