import { objectOf, problemOf, problemsOf } from '../../../src/cluster/answer.ts'
import { ApiError } from '../../../src/cluster/api.ts'
import type { Connection } from '../../../src/cluster/connection.ts'
import { ConfigurationError, renderProblem, type Problem } from '../../../src/common/errors.ts'

const connection: Connection = {
  input: 'api-server',
  server: 'https://k8s.example',
  namespace: undefined,
  description: 'k8s.example as the given token',
  credentials: () => Promise.reject(new Error('not asked')),
}

describe('the body of an answer', () => {
  it('is returned when it is an object', () => {
    expect(objectOf(connection, { status: 200, body: { a: 1 }, serverTime: undefined }, 'x')).toEqual({ a: 1 })
  })

  it.each([undefined, null, [], 'log in', 7])('is an error with the status and the fix when it is %j', (body) => {
    const read = (): object => objectOf(connection, { status: 302, body, serverTime: undefined }, 'the identity')
    expect(read).toThrow(ConfigurationError)
    expect(read).toThrow(
      /^api-server: k8s\.example as the given token answered the request for the identity with 302 without a JSON object.*login page/,
    )
  })
})

describe('the problem of an error', () => {
  const problem = (error: unknown, hint?: string): Problem =>
    problemOf({ ...connection, hint }, error, 'the pod "web-1"')
  const answered = (status: number, reason: string | undefined, message: string, hint?: string): Problem =>
    problem(new ApiError(status, reason, message, 'api-server'), hint)

  it('is the problem of a ConfigurationError, and its other problems are kept', () => {
    const given: Problem = { code: 'E_INPUT_INVALID', input: 'filter', problem: 'it does not compile', fix: 'Fix it.' }
    const other: Problem = { ...given, input: 'duration' }
    expect(problem(new ConfigurationError(given))).toEqual(given)
    expect(problemsOf(connection, new ConfigurationError([given, other]), 'x')).toEqual([given, other])
  })

  it.each([
    [500, 'InternalError', 'E_API_UNAVAILABLE', /overloaded or failing; retry later/],
    [503, undefined, 'E_API_UNAVAILABLE', /overloaded or failing/],
    [429, 'TooManyRequests', 'E_API_UNAVAILABLE', /overloaded or failing/],
    [404, 'NotFound', 'E_API_REQUEST_FAILED', /address is the one of the API server itself/],
    [403, undefined, 'E_API_REQUEST_FAILED', /not the answer of an API server/],
    [403, 'Forbidden', 'E_API_REQUEST_FAILED', /Contact an admin/],
  ] as const)(
    'names the input, the request, the answer and the fix for %i with the reason %s',
    (status, reason, code, fix) => {
      const found = answered(status, reason, 'some\n  words')
      expect(found).toMatchObject({ code, input: 'api-server' })
      expect(found.problem).toMatch(
        /^the request for the pod "web-1" failed: the API server k8s\.example as the given token answered \d+ \(.*some words\)$/,
      )
      expect(found.fix).toMatch(fix)
      expect(renderProblem(found)).not.toContain('\n')
    },
  )

  it('has the hint of an endpoint behind a gateway', () => {
    const hint = 'The identity needs roles/gkehub.gatewayAdmin.'
    expect(answered(403, 'Forbidden', 'no', hint).fix).toBe(`Contact an admin of the cluster. ${hint}`)
  })

  it('names the input for any other error', () => {
    expect(renderProblem(problem(new TypeError('Invalid URL')))).toMatch(
      /^api-server: the request for the pod "web-1" could not be sent to the API server .*: Invalid URL\. .*report it/,
    )
  })
})
