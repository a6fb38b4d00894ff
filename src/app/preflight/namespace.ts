import type { Connection } from '../../cluster/connection.ts'
import { isNamespaceName } from '../../common/kubernetes-names.ts'
import type { Request } from '../../inputs/request.ts'
import type { CheckResult } from './check.ts'

/**
 * The namespace of the target: the input's, the kubeconfig context's, else `default`. The name of the context's namespace becomes a part of URLs
 * and of commands, so it must be valid.
 */
export function checkNamespace(connection: Connection, { namespace: given, target }: Request): CheckResult<string> {
  const namespace = given ?? connection.namespace ?? 'default'
  if (target.kind === 'node' || isNamespaceName(namespace)) return { findings: [], problems: [], value: namespace }
  const problem = {
    code: 'E_NAMESPACE_INVALID',
    input: connection.input,
    problem: `its context has the namespace ${JSON.stringify(namespace.slice(0, 100))}, which is not a valid name`,
    fix: 'Correct it, or set the input `namespace`.',
  } as const
  return { findings: [], problems: [problem] }
}
