import { ConfigurationError, messageOf, type Problem } from '../common/errors.ts'
import { toOneLine } from '../common/remote-text.ts'
import { ApiError, type ApiAnswer } from './api.ts'
import { notAnApiServerProblem } from './api-errors.ts'
import type { Connection } from './connection.ts'

/**
 * The body as the object that every answer of an API server is. `what`: what was requested, a noun phrase (`the pod "web-1"`).
 * @throws ConfigurationError where something else answers: a login page, a redirect, another service's JSON
 */
export function objectOf(connection: Connection, { status, body }: ApiAnswer, what: string): object {
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body
  throw unexpectedAnswer(connection, what, `${status} without a JSON object`)
}

/** The error of an answer that no API server gives. `got`: what was answered. */
export function unexpectedAnswer({ input, description }: Connection, what: string, got: string): ConfigurationError {
  return new ConfigurationError(
    notAnApiServerProblem(input, `${description} answered the request for ${what} with ${got}`),
  )
}

/** The problems that an error of a request to the API server stands for. `what`: what was requested, a noun phrase. */
export function problemsOf(connection: Connection, error: unknown, what: string): readonly [Problem, ...Problem[]] {
  if (error instanceof ConfigurationError) return error.problems
  const { input, description } = connection
  if (error instanceof ApiError) {
    const message = toOneLine([error.reason, error.message].filter((part) => part !== undefined).join(': '))
    const problem = `the request for ${what} failed: the API server ${description} answered ${error.status} (${message})`
    return [{ ...codeAndFix(error, connection), input, problem }]
  }
  return [
    {
      code: 'E_API_REQUEST_FAILED',
      input,
      problem: `the request for ${what} could not be sent to the API server ${description}`,
      message: toOneLine(messageOf(error)),
      fix: 'Check the address, the certificates, the user and the proxy that this input leads to. If they are correct, this is a defect of the action: please report it.',
    },
  ]
}

/** The first of `problemsOf`: an error of a single request has no others. */
export function problemOf(connection: Connection, error: unknown, what: string): Problem {
  return problemsOf(connection, error, what)[0]
}

function codeAndFix({ status, reason }: ApiError, { hint }: Connection): Pick<Problem, 'code' | 'fix'> {
  if (status === 429 || status >= 500) {
    return {
      code: 'E_API_UNAVAILABLE',
      fix: 'The API server, or a webhook that it calls, is overloaded or failing; retry later. If it does not recover, contact an admin of the cluster: no input of this run can fix it.',
    }
  }
  const fix = [fixFor(status, reason), ...(hint === undefined ? [] : [hint])].join(' ')
  return { code: 'E_API_REQUEST_FAILED', fix }
}

function fixFor(status: number, reason: string | undefined): string {
  if (status === 404) return 'Check that the address is the one of the API server itself, with its whole path.'
  if (reason === undefined)
    return 'This is not the answer of an API server: check for a proxy or a firewall in front of it.'
  return 'Contact an admin of the cluster.'
}
