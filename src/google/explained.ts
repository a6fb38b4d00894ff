import { ConfigurationError, messageOf } from '../errors.ts'
import { describeFailure, failureOf, outageOf } from './transport.ts'

/** What to say of a read that failed: `what` begins it, `fix` is for a refusal; the rest has causes of its own. */
export function explained(error: unknown, what: string, fix: string): Error {
  if (error instanceof ConfigurationError) return error
  const failure = failureOf(error)
  if (!failure) return new ConfigurationError(`${what}: ${messageOf(error)}`)
  const outage = outageOf(failure)
  if (outage !== undefined) return new ConfigurationError(`${what}: ${outage}`)
  if (failure.status === 401) {
    return new ConfigurationError(
      `${what}: Google does not take the token (${describeFailure(failure)}). Is it of another universe, or has the identity been deleted?`,
    )
  }
  return new ConfigurationError(`${what} (${describeFailure(failure)}). ${fix}`)
}
