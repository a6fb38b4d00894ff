import type { ErrorCode } from '../common/error-codes.ts'
import { ConfigurationError, messageOf, type Problem } from '../common/errors.ts'
import { toOneLine } from '../common/remote-text.ts'
import { describeFailure, disabledService, failureOf, type CallFailure } from './transport.ts'

/** A call to Google that failed, in the terms of the user. */
export interface FailedCall {
  /** the action input that the user changes, or the environment variable */
  readonly input: string
  /** what could not be done, as a clause */
  readonly problem: string
  /** of a refusal; `E_GOOGLE_ACCESS_DENIED` or `E_GOOGLE_CALL_FAILED` without it */
  readonly code?: ErrorCode
  /** what to do about a refusal; other failures have fixes that do not depend on the call */
  readonly fix: string
  /** such as `container.googleapis.com`, where the address may be an override */
  readonly service?: string
  /** The answer may quote what was sent, such as the metadata of a node: only 403, 404 and 409 are quoted. */
  readonly mayAnswerQuoteSecrets?: boolean
}

const quotableStatuses: ReadonlySet<number | undefined> = new Set([403, 404, 409])

/** The error for the user; one that is already for the user is returned as it is, also where a client wrapped it. */
export function callProblem(error: unknown, call: FailedCall): ConfigurationError {
  if (error instanceof ConfigurationError) return error
  const cause = error instanceof Error ? error.cause : undefined
  if (cause instanceof ConfigurationError) return cause
  // Not as its `cause`: the error of a call holds the request, with its access token.
  return new ConfigurationError(describeCall(error, call))
}

function describeCall(error: unknown, call: FailedCall): Problem {
  const { input, problem, fix } = call
  const failure = failureOf(error)
  if (!failure) {
    return {
      code: 'E_GOOGLE_CALL_FAILED',
      input,
      problem,
      message: toOneLine(messageOf(error), 300),
      fix: 'Run the job again.',
    }
  }
  const outage = outageOf(failure)
  if (outage) return { ...outage, input, problem: `${problem}: ${outage.problem}` }
  if (failure.status === 401) {
    return {
      code: 'E_GOOGLE_TOKEN_REJECTED',
      input,
      problem: `${problem}: Google does not accept the access token (${describeFailure(failure)})`,
      fix: 'Check whether it belongs to another universe (CLOUDSDK_CORE_UNIVERSE_DOMAIN), or whether the identity was deleted.',
    }
  }
  const isQuotable = !call.mayAnswerQuoteSecrets || quotableStatuses.has(failure.status)
  const answer = isQuotable ? describeFailure(failure) : [failure.status, failure.reason].filter(Boolean).join(' ')
  const disabled = disabledService(failure)
  if (disabled) {
    return {
      code: 'E_GOOGLE_API_DISABLED',
      input,
      problem: `${problem} (${answer})`,
      fix: `Enable the API: \`gcloud services enable ${call.service ?? disabled}\`.`,
    }
  }
  const code = failure.status === 403 ? 'E_GOOGLE_ACCESS_DENIED' : 'E_GOOGLE_CALL_FAILED'
  return { code: call.code ?? code, input, problem: `${problem} (${answer})`, fix }
}

/** The problem with a service that does not answer, or fails; undefined for an answer that refuses the call. */
export function outageOf(failure: CallFailure): Omit<Problem, 'input'> | undefined {
  const { host } = new URL(failure.url)
  if (failure.status === undefined) {
    return {
      code: 'E_GOOGLE_UNREACHABLE',
      problem: `${host} cannot be reached (${describeFailure(failure)})`,
      fix: 'Check that the runner can connect to it (HTTPS_PROXY, NO_PROXY, a firewall).',
    }
  }
  if (failure.status >= 500 || failure.status === 429) {
    return {
      code: 'E_GOOGLE_UNAVAILABLE',
      problem: `${host} is overloaded or failing, also after retries (${describeFailure(failure)})`,
      fix: 'Run the job again later.',
    }
  }
  return undefined
}
