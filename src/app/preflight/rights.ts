import type { Connection } from '../../cluster/connection.ts'
import { missingRights, resourceName, rightsFor, rightsProblem, type Identity } from '../../cluster/rights.ts'
import type { Request } from '../../inputs/request.ts'
import { rbacFile } from '../cluster-access/rbac-file.ts'
import { requesting, runCheck, type CheckResult } from './check.ts'

/** The rights that are missing, as `verb resource`. */
export type MissingRightNames = ReadonlySet<string>

/** Whether the user has every right that the capture needs in the namespace of its target. Nodes are in no namespace. */
export async function checkRights(
  connection: Connection,
  { target, level }: Request,
  namespace: string,
  identity: Promise<Identity | undefined>,
): Promise<CheckResult<MissingRightNames>> {
  const { kind } = target
  if (kind === 'node') return { findings: [], problems: [] }
  const explain = requesting(connection, `the permissions in the namespace ${JSON.stringify(namespace)}`)
  return runCheck(explain, async ({ findings, problems }) => {
    const rights = rightsFor(kind, level)
    const missing = await missingRights(connection, namespace, rights)
    if (missing.length === 0) findings.push(`Rights in ${namespace}: all ${rights.length} that are needed`)
    else {
      const user = (await identity)?.user
      const file = level === 'pod' ? rbacFile(connection.input, user) : 'platform.yaml'
      const needed = { identity: user, namespace, missing, rbacFile: `docs/rbac/${file}` }
      problems.push(rightsProblem(connection, needed))
    }
    return new Set(missing.map((right) => `${right.verb} ${resourceName(right)}`))
  })
}

/** Whether the rights to read the target are there; without them the answer of the API server is known. */
export function mayReadTarget({ target }: Request, missing: MissingRightNames): boolean {
  if (target.kind === 'node') return true
  return !rightsFor(target.kind, 'node').some((right) => missing.has(`${right.verb} ${resourceName(right)}`))
}
