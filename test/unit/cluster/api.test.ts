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

const withProxy = (proxy: string | undefined): Connection['credentials'] => {
  return () => Promise.resolve({ headers: {}, tls: {}, agent: undefined, proxy })
}
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

  it('does without a clock', async () => {
    server.answer = () => ({ status: 200, body: {}, headers: { date: 'yesterday' } })
    await expect(get()).resolves.toEqual({ status: 200, body: {}, serverTime: undefined })
  })

  it.each(['ok', '<html>Sign in</html>', 'null', '[]', '7', ''])('is not content with the answer %j', async (body) => {
    server.answer = () => ({ status: 200, body })
    const answered = get()
    await expect(answered).rejects.toThrow(ConfigurationError)
    await expect(answered).rejects.toThrow(
      /^kubeconfig: test\.example as dev .* answered 200 without a JSON object .*not how an API server answers/,
    )
  })

  it('does not follow a redirect, and says where it leads', async () => {
    server.answer = () => ({ status: 302, body: {}, headers: { location: 'https://login.example/?state=s3cret' } })
    await expect(get()).rejects.toThrow(/answered 302 without a JSON object \(to https:\/\/login\.example\):/)
  })
})

describe('a server that is busy', () => {
  /** The methods and paths that it was asked. */
  const asked = (): string[] => server.requests.map(({ method, path }) => `${method} ${path}`)
  const busyFor = (times: number, code: number, headers: Record<string, string> = {}): void => {
    let left = times
    server.answer = () =>
      (left -= 1) < 0 ? { status: 200, body: {} } : { status: code, body: status('X', 'busy'), headers }
  }

  it.each([429, 500, 503])('with %i is asked again', async (code) => {
    busyFor(1, code)
    await expect(get()).resolves.toMatchObject({ status: 200 })
    expect(server.requests).toHaveLength(2)
  })

  it('is not asked again for ever', async () => {
    busyFor(9, 503)
    await expect(get()).rejects.toMatchObject({ status: 503, message: 'busy' })
    expect(server.requests).toHaveLength(3)
  })

  it('is left alone for as long as it says, within the time of the call', async () => {
    busyFor(1, 429, { 'retry-after': '1' })
    const began = performance.now()
    await expect(get()).resolves.toMatchObject({ status: 200 })
    expect(performance.now() - began).toBeGreaterThan(950)
    busyFor(1, 429, { 'retry-after': '3600' })
    await expect(call(server.connection, 'GET', '/x', undefined, 2_000)).rejects.toMatchObject({ status: 429 })
  })

  it('is asked again for what changes nothing, and for nothing else', async () => {
    const body = { type: 'application/json', value: {} }
    const reviews = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews'
    for (const [method, path, times] of [
      ['POST', reviews, 2],
      ['PATCH', '/api/v1/namespaces/a/pods/b/ephemeralcontainers?dryRun=All', 2],
      ['PATCH', '/api/v1/namespaces/a/pods/b/ephemeralcontainers', 1],
      ['POST', '/apis/batch/v1/namespaces/a/jobs', 1],
      ['DELETE', '/apis/batch/v1/namespaces/a/jobs/x', 1],
    ] as const) {
      busyFor(1, 503)
      await call(server.connection, method, path, body).catch(() => undefined)
      expect(asked().filter((line) => line === `${method} ${path}`)).toHaveLength(times)
    }
  })
})

describe('credentials that are not taken', () => {
  /** A source that is at its nth token; only `good` is taken. */
  const rotating = (good: string): { connection: Connection; made: () => number } => {
    let made = 1
    server.answer = ({ headers }) =>
      headers.authorization === `Bearer ${good}`
        ? { status: 200, body: {} }
        : { status: 401, body: status('Unauthorized', 'Unauthorized') }
    const credentials: Connection['credentials'] = () => {
      const token = made
      const refused = (): void => {
        if (token === made) made += 1
      }
      return Promise.resolve({ headers: { Authorization: `Bearer ${token}` }, tls: {}, agent: undefined, refused })
    }
    return { connection: { ...server.connection, credentials }, made: () => made }
  }

  it('are made anew once, whatever the request', async () => {
    const { connection } = rotating('2')
    await expect(call(connection, 'PATCH', '/x', { type: 'a/b', value: {} })).resolves.toMatchObject({ status: 200 })
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer 1', 'Bearer 2'])
  })

  it('are made anew once for all who were refused at the same time', async () => {
    const { connection, made } = rotating('2')
    await Promise.all([get(connection), get(connection), get(connection)])
    expect(made()).toBe(2)
  })

  it('and neither are the next: that is told, without a storm', async () => {
    const { connection } = rotating('none')
    await expect(get(connection)).rejects.toThrow(/does not accept the credentials \(401/)
    expect(server.requests).toHaveLength(2)
  })

  it('are not asked for again where the source has no others', async () => {
    server.answer = () => ({ status: 401, body: status('Unauthorized', 'Unauthorized') })
    const same = { headers: { Authorization: 'Bearer t' }, tls: {}, agent: undefined, refused: () => undefined }
    await expect(get({ ...server.connection, credentials: () => Promise.resolve(same) })).rejects.toThrow(/401/)
    expect(server.requests).toHaveLength(1)
  })
})

describe('credentials that do not come', () => {
  const hanging = (): Connection => ({ ...server.connection, credentials: () => new Promise(() => undefined) })

  it('are given up within the time of the call', async () => {
    await expect(call(hanging(), 'GET', '/x', undefined, 50)).rejects.toThrow(
      /^kubeconfig: no credentials for test\.example .* within 0\.05 s\. /,
    )
  })

  it('are given up soon after an exec plugin would have been, where the caller says nothing', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'performance'] })
    try {
      const given = expect(get(hanging())).rejects.toThrow(/no credentials .* within 65 s/)
      jest.advanceTimersByTime(65_000)
      await given
    } finally {
      jest.useRealTimers()
    }
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

  it.each([
    ['kubeconfig', undefined, /that of a gateway, a firewall or a login page before it/],
    [
      'api-server',
      'HTTPS_PROXY (http://p:3128)',
      /that of the proxy HTTPS_PROXY \(http:\/\/p:3128\), a gateway or a firewall/,
    ],
  ] as const)('403 without a Status is not the API server: %s', async (input, proxy, words) => {
    server.answer = () => ({ status: 403, body: '<html>\n<h1>Forbidden</h1>' })
    const refused = get({ ...server.connection, input, credentials: withProxy(proxy) })
    await expect(refused).rejects.toThrow(ConfigurationError)
    await expect(refused).rejects.toThrow(
      /: the endpoint of test\.example .* refuses us \(403 <html> <h1>Forbidden<\/h1>\): /,
    )
    await expect(refused).rejects.toThrow(words)
  })

  it('404 without a Status is not that of a pod', async () => {
    server.answer = () => ({ status: 404, body: '404 page not found' })
    await expect(get()).rejects.toThrow(/^kubeconfig: the endpoint of .* is not that of an API server \(404 404 page/)
    // What an older API server does not have is told by the same words.
    await expect(get(server.connection, '/apis/authentication.k8s.io/v1/x')).rejects.toThrow(ApiError)
  })

  it('is told in one line', async () => {
    server.answer = () => ({ status: 401, body: status('Unauthorized', 'x\n::error::injected\ny') })
    await expect(get()).rejects.toThrow(/\(401 x ::error::injected y\)/)
  })

  it('407 is a matter of the proxy', async () => {
    server.answer = () => ({ status: 407, body: 'no' })
    const connection = { ...server.connection, credentials: withProxy('HTTPS_PROXY (http://p:3128)') }
    await expect(get(connection)).rejects.toThrow(/the proxy HTTPS_PROXY \(http:\/\/p:3128\) .* asks for a password/)
  })

  it.each([
    'users "jane" is forbidden: User "dev" cannot impersonate resource "users" in API group "" at the cluster scope',
    'pods "web" is forbidden: User "dev" cannot impersonate-on:user-info:get resource "pods" in API group ""',
  ])('for another user is a matter of `as`: %s', async (message) => {
    server.answer = () => ({ status: 403, body: status('Forbidden', message) })
    await expect(get()).rejects.toThrow(/^kubeconfig: .* does not let its user act as another \(403 .*Take `as`, /)
  })

  it('for nobody is a matter of the credentials', async () => {
    server.answer = () => ({
      status: 403,
      body: status('Forbidden', 'x is forbidden: User "system:anonymous" cannot create resource "x"'),
    })
    const connection = { ...server.connection, whenRefused: () => 'The user "dev" has no credentials.' }
    await expect(get(connection)).rejects.toThrow(
      /^kubeconfig: the API server .* takes us for nobody \(403 .*\)\. The user "dev" has no credentials\.$/,
    )
    await expect(get()).rejects.toThrow(ConfigurationError)
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

  it.each([
    'Permission gkehub.gateway.get denied',
    "Permission 'gkehub.gateway.get' denied on resource",
    'The caller does not have permission',
  ])('refuses by a Status of its own: %s', async (message) => {
    server.answer = () => ({ status: 403, body: status('Forbidden', message) })
    await expect(get(guarded())).rejects.toThrow(
      /^cluster: the endpoint of .* refuses us .*container\.clusters\.connect$/,
    )
  })

  it.each([
    'pods "x" is forbidden: violates PodSecurity "restricted:latest"',
    'admission webhook "warden.gke.io" denied the request: no',
  ])('is not taken for admission: %s', async (message) => {
    server.answer = () => ({ status: 403, body: status('Forbidden', message) })
    await expect(get(guarded())).rejects.toThrow(ApiError)
  })

  it('does not know the cluster: the hint', async () => {
    server.answer = () => ({ status: 404, body: '<html>404</html>' })
    await expect(get(guarded())).rejects.toThrow(/^cluster: the endpoint .* \(404 .*container\.clusters\.connect$/)
  })

  it('has no part in a name that nobody knows', async () => {
    const refused = get({ ...guarded(), server: 'https://no-such-host.invalid' })
    await expect(refused).rejects.toThrow(/(ENOTFOUND|EAI_AGAIN).*(name server|VPN)\?$/)
  })

  it('has the hint where it cannot be reached', async () => {
    await expect(get({ ...guarded(), server: 'https://127.0.0.1:1' })).rejects.toThrow(
      /^cluster: the API server .*ECONNREFUSED.*right one\? The identity needs container\.clusters\.connect$/,
    )
  })

  it('tells where the credentials are refused what to compare', async () => {
    server.answer = () => ({ status: 401, body: status('Unauthorized', 'Unauthorized') })
    await expect(get(guarded())).rejects.toThrow(
      /^cluster: .* does not accept the credentials \(401 Unauthorized\)\. Its subject is repo:octo-org\/shop\.$/,
    )
  })
})
