import { checkFilterHere } from '../../capture/filter/filter.ts'
import { ConfigurationError, messageOf, type Problem } from '../../common/errors.ts'
import type { Request } from '../../inputs/request.ts'
import { runCheck, type CheckResult } from './check.ts'

/** Whether tcpdump compiles the filter, where the runner has tcpdump. The recorder checks it again before it starts. */
export function checkFilter({ filter, interface: name }: Request): Promise<CheckResult> {
  return runCheck<void>(explain, async ({ findings }) => {
    const isCompiled = await checkFilterHere(filter, name)
    findings.push(`Filter: ${filter ?? 'none'}${isCompiled ? ' (compiles on this runner)' : ''}`)
  })
}

function explain(error: unknown): readonly Problem[] {
  if (error instanceof ConfigurationError) return error.problems
  const fix = 'This is a defect of the action: please report it.'
  return [{ code: 'E_INTERNAL', input: 'filter', problem: `the check failed: ${messageOf(error)}`, fix }]
}
