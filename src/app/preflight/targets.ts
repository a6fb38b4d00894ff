import type { Connection } from '../../cluster/connection.ts'
import { findTargets, type Target } from '../../cluster/target.ts'
import { targetProblems } from '../../cluster/target-problems.ts'
import { ConfigurationError } from '../../common/errors.ts'
import type { Request } from '../../inputs/request.ts'
import { requesting, runCheck, type CheckResult } from './check.ts'

/** Finds what the inputs name. */
export function checkTargets(
  connection: Connection,
  request: Request,
  namespace: string,
): Promise<CheckResult<readonly Target[]>> {
  const { kind, name } = request.target
  return runCheck<readonly Target[]>(
    requesting(connection, `the ${kind} ${JSON.stringify(name)}`),
    async ({ hints, cautions }) => {
      if (kind === 'node') {
        if (!request.allowHostNetwork) throw nodeNotAllowed(name)
        return [{ kind: 'node', node: name }]
      }
      const found = await findTargets(connection, namespace, { kind, name })
      hints.push(...found.hints)
      cautions.push(...found.cautions)
      return found.targets
    },
  )
}

function nodeNotAllowed(name: string): ConfigurationError {
  return new ConfigurationError({
    code: 'E_HOST_NETWORK_NOT_ALLOWED',
    input: 'node',
    problem: `capturing the whole node ${JSON.stringify(name)} must be allowed explicitly: it shows the traffic of every pod on it`,
    fix: "Set `allow-host-network: true`, or name a `pod` to capture that pod's traffic on its node.",
  })
}

/** What a target is, and whether it can be captured as it is now. */
export function checkTargetState(target: Target, request: Request): CheckResult {
  const node = target.node === undefined ? 'no node yet' : `node ${target.node}`
  if (target.kind === 'node') return { findings: [`Target: ${node}`], problems: [] }
  return {
    findings: [`Target: pod ${target.pod} in ${target.namespace} on ${node}`],
    problems: targetProblems(target, request),
  }
}
