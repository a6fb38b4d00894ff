import { jest } from '@jest/globals'
import { ApiError, call, UnreachableError } from '../../../src/cluster/api.ts'
import type { Connection } from '../../../src/cluster/connection.ts'
import { ConfigurationError } from '../../../src/errors.ts'
import { until } from '../until.ts'
import { startServer, status, type Server } from './server.ts'

let server: Server
beforeEach(async () => {
  server = await startServer()
})
afterEach(async () => {
  await server.stop()
})

const get = (connection: Connection = server.connection, path = '/api/v1/x'): ReturnType<typeof call> =>
  call(connection, 'GET', path)

describe('a call', () => {
  it('brings credentials, asks for JSON, and reads the clock of the server', async () => {
    server.answer = () => ({ status: 200, body: { kind: 'Pod' }, headers: { date: 'Sun, 22 Nov 2026 03:04:05 GMT' } })
    await expect(get()).resolves.toEqual({
      status: 200,
      body: { kind: 'Pod' },
      serverTime: Date.parse('2026-11-22T03:04:05Z'),
    })
    expect(server.requests[0]).toMatchObject({
      method: 'GET',
      path: '/api/v1/x',
      headers: { authorization: 'Bearer t0ken', accept: 'application/json', 'user-agent': 'kubernetes-packet-capture' },
    })
    expect(server.requests[0]?.headers['content-type']).toBeUndefined()
  })

  it('sends a body in the type that is asked for', async () => {
    server.answer = () => ({ status: 200, body: {} })
    await call(server.connection, 'PATCH', '/x?dryRun=All', {
      type: 'application/strategic-merge-patch+json',
      value: { é: '→' },
    })
    expect(server.requests[0]).toMatchObject({
      method: 'PATCH',
      path: '/x?dryRun=All',
      body: '{"é":"→"}',
      headers: { 'content-type': 'application/strategic-merge-patch+json', 'content-length': '12' },
    })
  })

  it('asks for credentials anew each time: a capture outlives a token', async () => {
    let token = 0
    const connection = {
      ...server.connection,
      credentials: () =>
        Promise.resolve({ headers: { Authorization: `Bearer ${String((token += 1))}` }, tls: {}, agent: undefined }),
    }
    server.answer = () => ({ status: 200, body: {} })
    await get(connection)
    await get(connection)
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer 1', 'Bearer 2'])
  })

  it('does without a clock and without JSON', async () => {
    server.answer = () => ({ status: 200, body: 'ok', headers: { date: 'yesterday' } })
    await expect(get()).resolves.toEqual({ status: 200, body: undefined, serverTime: undefined })
  })
})

describe('an answer that is no success', () => {
  it("has the server's words and reason", async () => {
    server.answer = () => ({ status: 403, body: status('Forbidden', 'pods "x" is forbidden: User "dev" cannot get') })
    const refused = get()
    await expect(refused).rejects.toThrow(ApiError)
    await expect(refused).rejects.toMatchObject({
      status: 403,
      reason: 'Forbidden',
      message: 'pods "x" is forbidden: User "dev" cannot get',
    })
  })

  it.each([
    ['<html>502 Bad Gateway</html>', '<html>502 Bad Gateway</html>'],
    ['', 'no text'],
    ['x'.repeat(5000), 'x'.repeat(500)],
    ['{"kind":"Status","message":""}', '{"kind":"Status","message":""}'],
    ['{"kind":"Pod","message":"m"}', '{"kind":"Pod","message":"m"}'],
    ['null', 'null'],
  ])('that is no Status keeps the beginning of its text', async (body, message) => {
    server.answer = () => ({ status: 502, body })
    await expect(get()).rejects.toMatchObject({ status: 502, reason: '', message })
  })

  it('401 is a matter of the kubeconfig, and says what to do', async () => {
    server.answer = () => ({ status: 401, body: status('Unauthorized', 'Unauthorized') })
    const refused = get()
    await expect(refused).rejects.toThrow(ConfigurationError)
    await expect(refused).rejects.toThrow(/^kubeconfig: the API server test\.example .* \(401 Unauthorized\).*expired/)
  })
})

describe('no answer', () => {
  it('because nothing listens', async () => {
    const connection = { ...server.connection, server: 'http://127.0.0.1:1' }
    const refused = get(connection)
    await expect(refused).rejects.toThrow(UnreachableError)
    await expect(refused).rejects.toThrow(
      /^kubeconfig: the API server test\.example .*cannot be reached .*ECONNREFUSED.*nothing listens there/,
    )
  })

  it('because the name is not known', async () => {
    const connection = { ...server.connection, server: 'http://no-such-host.invalid' }
    await expect(get(connection)).rejects.toThrow(/cannot be reached/)
  })

  it('because the connection is reset', async () => {
    server.answer = () => 'reset'
    await expect(get()).rejects.toThrow(/cannot be reached .*(reset|hang up)/)
  })

  it('because the certificate is not the trusted one', async () => {
    const tls = await startServer({ tls: 'address' })
    const connection = {
      ...tls.connection,
      credentials: () => Promise.resolve({ headers: {}, tls: {}, agent: undefined }),
    }
    await expect(get(connection)).rejects.toThrow(/its certificate is not the one that the kubeconfig trusts/)
    tls.answer = () => ({ status: 200, body: {} })
    await expect(get(tls.connection)).resolves.toMatchObject({ status: 200 })
    await tls.stop()
  })

  it('within the time that the caller gives', async () => {
    server.answer = () => 'hang'
    await expect(call(server.connection, 'GET', '/x', undefined, 50)).rejects.toThrow(/no answer within 0\.05 s/)
  })

  it('within half a minute where the caller says nothing', async () => {
    server.answer = () => 'hang'
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'performance'] })
    try {
      const asking = get()
      const refused = expect(asking).rejects.toThrow(/no answer within 30 s/)
      await until('the request is there', () => server.requests.length > 0)
      jest.advanceTimersByTime(30_000)
      await refused
    } finally {
      jest.useRealTimers()
    }
  })

  it('in whole: an answer that stops in its middle', async () => {
    server.answer = () => ({ status: 200, body: '{"kind":', headers: { 'content-length': '1000' } })
    await expect(call(server.connection, 'GET', '/x', undefined, 200)).rejects.toThrow(/cannot be reached/)
  })
})

describe('an endpoint that is guarded by something before the API server', () => {
  const guarded = (): Connection => ({
    ...server.connection,
    input: 'cluster',
    hint: 'the identity needs container.clusters.connect',
    whenRefused: () => 'Its subject is repo:octo-org/shop.',
  })

  it('refuses in words of its own: the hint says what to look at', async () => {
    server.answer = () => ({ status: 403, body: '<html>Permission denied</html>' })
    await expect(get(guarded())).rejects.toThrow(
      /^cluster: the endpoint of .* refuses us \(403 .*Permission denied.*\): the identity needs container\.clusters\.connect$/,
    )
    await expect(get(guarded())).rejects.toThrow(ConfigurationError)
  })

  it('is not taken for the API server, which answers with a Status', async () => {
    server.answer = () => ({ status: 403, body: status('Forbidden', 'pods is forbidden') })
    await expect(get(guarded())).rejects.toThrow(ApiError)
    await expect(get(guarded())).rejects.toThrow(/^pods is forbidden$/)
  })

  it('has the hint where it cannot be reached', async () => {
    await expect(get({ ...guarded(), server: 'https://127.0.0.1:1' })).rejects.toThrow(
      /^cluster: the API server .*ECONNREFUSED.*container\.clusters\.connect/,
    )
  })

  it('tells where the credentials are refused what to compare', async () => {
    server.answer = () => ({ status: 401, body: status('Unauthorized', 'Unauthorized') })
    await expect(get(guarded())).rejects.toThrow(
      /^cluster: .* does not accept the credentials \(401 Unauthorized\)\. Its subject is repo:octo-org\/shop\.$/,
    )
  })
})
