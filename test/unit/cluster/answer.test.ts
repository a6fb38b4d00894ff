import { objectOf, oneLine, problemOf } from '../../../src/cluster/answer.ts'
import { ApiError } from '../../../src/cluster/api.ts'
import type { Connection } from '../../../src/cluster/connection.ts'
import { ConfigurationError } from '../../../src/errors.ts'

const connection: Connection = {
  input: 'api-server',
  server: 'https://k8s.example',
  namespace: undefined,
  description: 'k8s.example as the given token',
  credentials: () => Promise.reject(new Error('not asked')),
}

describe('an answer', () => {
  it('that is an object is taken', () => {
    expect(objectOf(connection, { status: 200, body: { a: 1 }, serverTime: undefined }, 'x')).toEqual({ a: 1 })
  })

  it.each([undefined, null, [], 'log in', 7])('that is %j is told with its status, and what to look at', (body) => {
    const ask = (): object => objectOf(connection, { status: 302, body, serverTime: undefined }, 'who we are')
    expect(ask).toThrow(ConfigurationError)
    expect(ask).toThrow(
      /^api-server: asked who we are, k8s\.example as the given token answered 302 without a JSON object.*login page/,
    )
  })
})

describe('an error', () => {
  const told = (error: unknown, hint?: string): string =>
    problemOf({ ...connection, hint }, error, 'for the pod "web-1"')
  const answered = (status: number, reason: string, message: string, hint?: string): string =>
    told(new ApiError(status, reason, message, 'api-server'), hint)

  it("of the user's is told in its own words", () => {
    expect(told(new ConfigurationError('filter: wrong'))).toBe('filter: wrong')
  })

  it.each([
    [500, 'InternalError', /busy or ill.*Run it again/],
    [503, '', /busy or ill/],
    [429, 'TooManyRequests', /busy or ill/],
    [404, 'NotFound', /Is it the address of the API server itself/],
    [403, '', /not the words of an API server/],
    [403, 'Forbidden', /Ask those who run the cluster/],
  ])('%i %s is told with the input, what was asked, the answer and the fix', (status, reason, fix) => {
    const text = answered(status, reason, 'some\n  words')
    expect(text).toMatch(
      /^api-server: asked for the pod "web-1", the API server k8s\.example as the given token answered \d+ \(.*some words\)\. /,
    )
    expect(text).toMatch(fix)
    expect(text).toMatch(/ Nothing was created\.$/)
    expect(text).not.toContain('\n')
  })

  it('of what stands before the API server is told with what this endpoint needs', () => {
    expect(answered(403, 'Forbidden', 'no', 'the identity needs roles/gkehub.gatewayAdmin')).toContain('gatewayAdmin')
  })

  it('that is anything else is told with the input, too', () => {
    expect(told(new TypeError('Invalid URL'))).toMatch(
      /^api-server: the API server .* could not be asked for the pod "web-1": Invalid URL\. .*report it/,
    )
  })
})

it('foreign words are one line', () => {
  expect(oneLine("denied:\r\n  kubectl x <<'EOF'\u2028EOF\n")).toBe("denied: kubectl x <<'EOF' EOF")
})
