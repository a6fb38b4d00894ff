import type { Connection } from '../../cluster/connection.ts'
import { whoAmI, type Identity } from '../../cluster/rights.ts'
import { requesting, runCheck, type CheckResult } from './check.ts'

/** Whether the API server accepts the credentials, and whose they are. */
export function checkIdentity(connection: Connection): Promise<CheckResult<Identity>> {
  return runCheck(requesting(connection, 'the identity of the credentials'), async ({ findings }) => {
    const identity = await whoAmI(connection)
    if (identity.user !== undefined) findings.push(`Identity: ${identity.user}`)
    return identity
  })
}
