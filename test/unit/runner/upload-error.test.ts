import { explainUpload } from '../../../src/runner/upload-error.ts'

it('a page of a proxy in place of the service is named as that, and may pass', () => {
  const client =
    'Failed to CreateArtifact: Failed to make request after 5 attempts: Unexpected token \'<\', "<html>" is not valid JSON'
  const { problem, isTransient } = explainUpload(new Error(client))
  expect(problem.problem).toBe('the results service did not answer with JSON')
  expect(isTransient).toBe(true)
})

it.each([
  ['ECONNRESET', true],
  ['ENOTFOUND', true],
  ['EAI_AGAIN', true],
  ['REQUEST_SEND_ERROR', true],
  ['SELF_SIGNED_CERT_IN_CHAIN', false],
  ['ENOENT', false],
])('an error with the code %s: another try may succeed: %s', (code, expected) => {
  const { problem, isTransient } = explainUpload(Object.assign(new Error(''), { code }))
  expect(problem.message).toBe(code)
  expect(isTransient).toBe(expected)
})

it('an upload without progress may pass', () => {
  expect(explainUpload(new Error('Upload progress stalled.')).isTransient).toBe(true)
})

it('asks to wait for a minute at most', () => {
  const headers = { get: () => '86400' }
  const busy = Object.assign(new Error(''), { statusCode: 503, response: { headers } })
  expect(explainUpload(busy)).toMatchObject({ isTransient: true, retryAfterMs: 60_000 })
})

it('a long page without an end of its tags takes no time', () => {
  const page = '<'.repeat(1_000_000)
  const { problem } = explainUpload(Object.assign(new Error(page), { statusCode: 502 }))
  expect(problem.message?.length).toBeLessThan(1_100)
})
