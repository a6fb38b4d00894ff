import { ConfigurationError } from '../common/errors.ts'
import { toOneLine } from '../common/remote-text.ts'
import type { ApiError } from './api.ts'

/** The missing right for an answer of 403; any other error unchanged. */
export function denied(error: ApiError, verb: string, resource: string, namespace: string): Error {
  if (error.status !== 403) return error
  return new ConfigurationError({
    code: 'E_PERMISSION_MISSING',
    input: error.input,
    problem: `its user may not ${verb} ${resource} in the namespace ${JSON.stringify(namespace)} (${toOneLine(error.message)})`,
    fix: `Grant the verb "${verb}" on "${resource}" with a Role.`,
    docs: 'docs/rbac/developer.yaml',
  })
}
