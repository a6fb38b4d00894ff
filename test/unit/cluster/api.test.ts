import { jest } from '@jest/globals'
import { ApiError, call, UnreachableError } from '../../../src/cluster/api.ts'
import type { Connection } from '../../../src/cluster/connection.ts'
import { ConfigurationError } from '../../../src/common/errors.ts'
import { until } from '../../support/until.ts'
import { startServer, status, type Server } from '../../support/api-server.ts'
import { useFastClock } from '../../support/fast-clock.ts'

useFastClock()

let server: Server
beforeEach(async () => {
  server = await startServer()
})
afterEach(async () => {
  await server.stop()
})

const withProxy = (name: string | undefined): Connection['credentials'] => {
  const proxy = name === undefined ? undefined : { name, isFromEnvironment: true }
  return () => Promise.resolve({ headers: {}, tls: {}, agent: undefined, proxy })
}
const get = (connection: Connection = server.connection, path = '/api/v1/x'): ReturnType<typeof call> =>
  call(connection, 'GET', path)

describe('a request', () => {
  it('sends credentials, requests JSON, and returns the time of the server', async () => {
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

  it('sends a body with its content type', async () => {
    server.answer = () => ({ status: 200, body: {} })
    await call(server.connection, 'PATCH', '/x?dryRun=All', {
      body: { type: 'application/strategic-merge-patch+json', value: { é: '→' } },
    })
    expect(server.requests[0]).toMatchObject({
      method: 'PATCH',
      path: '/x?dryRun=All',
      body: '{"é":"→"}',
      headers: { 'content-type': 'application/strategic-merge-patch+json', 'content-length': '12' },
    })
  })

  it('fetches credentials for each request, because a token can expire during a capture', async () => {
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

  it('returns no server time when the answer has no valid date', async () => {
    server.answer = () => ({ status: 200, body: {}, headers: { date: 'yesterday' } })
    await expect(get()).resolves.toEqual({ status: 200, body: {}, serverTime: undefined })
  })

  it.each(['ok', '<html>Sign in</html>', 'null', '[]', '7', ''])(
    'fails for the answer %j, which is not a JSON object',
    async (body) => {
      server.answer = () => ({ status: 200, body })
      const answered = get()
      await expect(answered).rejects.toThrow(ConfigurationError)
      await expect(answered).rejects.toThrow(
        /^kubeconfig: test\.example as dev .* answered 200 without a JSON object .*not how an API server answers\. Check the address/,
      )
    },
  )

  it('does not follow a redirect, and names its target without the query', async () => {
    server.answer = () => ({ status: 302, body: {}, headers: { location: 'https://login.example/?state=s3cret' } })
    await expect(get()).rejects.toThrow(/answered 302 without a JSON object \(to https:\/\/login\.example\),/)
  })
})

describe('a kept connection', () => {
  beforeEach(async () => {
    server.answer = () => ({ status: 200, body: {} })
    await get() // its connection is kept
  })

  it('is replaced when the server has closed it', async () => {
    let attempts = 0
    server.answer = () => (++attempts === 1 ? 'reset' : { status: 200, body: {} })
    await expect(get()).resolves.toMatchObject({ status: 200 })
    expect(attempts).toBe(2)
  })

  it('does not double the time of a request that gets no answer', async () => {
    let attempts = 0
    server.answer = () => {
      attempts += 1
      return 'hang'
    }
    await expect(call(server.connection, 'GET', '/x', { timeoutMs: 1_000 })).rejects.toThrow(/no answer within 1 s/)
    expect(attempts).toBe(1)
  })

  it('is used for a request that may be sent twice, and that is sent again when the server has closed it', async () => {
    let attempts = 0
    server.answer = () => (++attempts === 1 ? 'reset' : { status: 500, body: {} })
    await expect(call(server.connection, 'PATCH', '/x', { isIdempotent: true })).rejects.toThrow(ApiError)
    expect(attempts).toBe(2) // an answer is not repeated
  })

  it('is not used for a request that changes something', async () => {
    let attempts = 0
    server.answer = () => {
      attempts += 1
      return 'reset'
    }
    await expect(call(server.connection, 'PATCH', '/x')).rejects.toThrow(UnreachableError)
    expect(attempts).toBe(1)
  })
})

describe('an overloaded server', () => {
  /** The methods and paths of the requests that the server received. */
  const asked = (): string[] => server.requests.map(({ method, path }) => `${method} ${path}`)
  const busyFor = (times: number, code: number, headers: Record<string, string> = {}): void => {
    let left = times
    server.answer = () =>
      (left -= 1) < 0 ? { status: 200, body: {} } : { status: code, body: status('X', 'busy'), headers }
  }

  it.each([429, 500, 503])('that answers %i receives the request again', async (code) => {
    busyFor(1, code)
    await expect(get()).resolves.toMatchObject({ status: 200 })
    expect(server.requests).toHaveLength(2)
  })

  it('receives at most three attempts', async () => {
    busyFor(9, 503)
    await expect(get()).rejects.toMatchObject({ status: 503, message: 'busy' })
    expect(server.requests).toHaveLength(3)
  })

  it('receives the next attempt after its Retry-After, within the timeout of the request', async () => {
    busyFor(1, 429, { 'retry-after': '1' })
    const beganMs = Date.now()
    await expect(get()).resolves.toMatchObject({ status: 200 })
    expect(Date.now() - beganMs).toBeGreaterThan(950)
    busyFor(1, 429, { 'retry-after': '3600' })
    await expect(call(server.connection, 'GET', '/x', { timeoutMs: 2_000 })).rejects.toMatchObject({ status: 429 })
  })

  it('receives a request again only if the request is read-only', async () => {
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
      await call(server.connection, method, path, { body }).catch(() => undefined)
      expect(asked().filter((line) => line === `${method} ${path}`)).toHaveLength(times)
    }
  })
})

describe('rejected credentials', () => {
  /** A source of the tokens 1, 2, …; the server accepts only `good`. */
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

  it('are fetched again once for any request', async () => {
    const { connection } = rotating('2')
    await expect(call(connection, 'PATCH', '/x', { body: { type: 'a/b', value: {} } })).resolves.toMatchObject({
      status: 200,
    })
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer 1', 'Bearer 2'])
  })

  it('are fetched again once for concurrent requests', async () => {
    const { connection, made } = rotating('2')
    await Promise.all([get(connection), get(connection), get(connection)])
    expect(made()).toBe(2)
  })

  it('fail after the second rejection, without further requests', async () => {
    const { connection } = rotating('none')
    await expect(get(connection)).rejects.toThrow(/rejects the credentials \(401/)
    expect(server.requests).toHaveLength(2)
  })

  it('are not sent again when the source has no other credentials', async () => {
    server.answer = () => ({ status: 401, body: status('Unauthorized', 'Unauthorized') })
    const same = { headers: { Authorization: 'Bearer t' }, tls: {}, agent: undefined, refused: () => undefined }
    await expect(get({ ...server.connection, credentials: () => Promise.resolve(same) })).rejects.toThrow(/401/)
    expect(server.requests).toHaveLength(1)
  })
})

describe('credentials whose source hangs', () => {
  const hanging = (): Connection => ({ ...server.connection, credentials: () => new Promise(() => undefined) })

  it('fail after the timeout of the request', async () => {
    await expect(call(hanging(), 'GET', '/x', { timeoutMs: 50 })).rejects.toThrow(
      /^kubeconfig: no credentials for test\.example .* within 0\.05 s\. /,
    )
  })

  it('fail after 65 s without a timeout, later than the timeout of an exec plugin', async () => {
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

describe('an answer that is not a success', () => {
  it("returns the server's message and reason", async () => {
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
  ])('keeps the beginning of its text when it is not a Status', async (body, message) => {
    server.answer = () => ({ status: 502, body })
    await expect(get()).rejects.toMatchObject({ status: 502, reason: undefined, message })
  })

  it.each([
    ['kubeconfig', undefined, /whether a gateway, a firewall or a login page in front of the API server/],
    [
      'api-server',
      'HTTPS_PROXY (http://p:3128)',
      /whether the proxy HTTPS_PROXY \(http:\/\/p:3128\), a gateway or a firewall/,
    ],
  ] as const)('of 403 without a Status is not attributed to the API server: %s', async (input, proxy, expected) => {
    server.answer = () => ({ status: 403, body: '<html>\n<h1>Forbidden</h1>' })
    const refused = get({ ...server.connection, input, credentials: withProxy(proxy) })
    await expect(refused).rejects.toThrow(ConfigurationError)
    await expect(refused).rejects.toThrow(
      /: the endpoint of test\.example .* refuses the request \(403 <html> <h1>Forbidden<\/h1>\), and/,
    )
    await expect(refused).rejects.toThrow(expected)
  })

  it('of 404 without a Status is not reported as a missing pod', async () => {
    server.answer = () => ({ status: 404, body: '404 page not found' })
    await expect(get()).rejects.toThrow(/^kubeconfig: the endpoint of .* is not an API server \(404 404 page/)
    // An older API server answers the same for an unknown API.
    await expect(get(server.connection, '/apis/authentication.k8s.io/v1/x')).rejects.toThrow(ApiError)
  })

  it('is shown in one line', async () => {
    server.answer = () => ({ status: 401, body: status('Unauthorized', 'x\n::error::injected\ny') })
    await expect(get()).rejects.toThrow(/\(401 x ::error::injected y\)/)
  })

  it('of 407 names the proxy', async () => {
    server.answer = () => ({ status: 407, body: 'no' })
    const connection = { ...server.connection, credentials: withProxy('HTTPS_PROXY (http://p:3128)') }
    await expect(get(connection)).rejects.toThrow(/the proxy HTTPS_PROXY \(http:\/\/p:3128\) .* requires a password/)
  })

  it.each([
    'users "jane" is forbidden: User "dev" cannot impersonate resource "users" in API group "" at the cluster scope',
    'pods "web" is forbidden: User "dev" cannot impersonate-on:user-info:get resource "pods" in API group ""',
  ])('to a denied impersonation names `as`: %s', async (message) => {
    server.answer = () => ({ status: 403, body: status('Forbidden', message) })
    await expect(get()).rejects.toThrow(
      /^kubeconfig: .* does not allow this user to impersonate another \(403 .*Remove `as`, /,
    )
  })

  it('to system:anonymous reports that the credentials are rejected', async () => {
    server.answer = () => ({
      status: 403,
      body: status('Forbidden', 'x is forbidden: User "system:anonymous" cannot create resource "x"'),
    })
    const connection = { ...server.connection, credentialsFix: () => 'The user "dev" has no credentials.' }
    await expect(get(connection)).rejects.toThrow(
      /^kubeconfig: the API server .* rejects the credentials \(403 .*\)\. The user "dev" has no credentials\.$/,
    )
    await expect(get()).rejects.toThrow(ConfigurationError)
  })

  it('of 401 reports that the credentials are rejected, with a fix', async () => {
    server.answer = () => ({ status: 401, body: status('Unauthorized', 'Unauthorized') })
    const refused = get()
    await expect(refused).rejects.toThrow(ConfigurationError)
    await expect(refused).rejects.toThrow(/^kubeconfig: the API server test\.example .* \(401 Unauthorized\).*expired/)
  })
})

describe('a server that does not answer', () => {
  it('is reported with its cause: the connection is refused', async () => {
    const connection = { ...server.connection, server: 'http://127.0.0.1:1' }
    const refused = get(connection)
    await expect(refused).rejects.toThrow(UnreachableError)
    await expect(refused).rejects.toThrow(
      /^kubeconfig: the API server test\.example .*cannot be reached .*ECONNREFUSED.*Nothing listens/,
    )
  })

  it('is reported with its cause: the name does not resolve', async () => {
    const connection = { ...server.connection, server: 'https://no-such-host.invalid' }
    await expect(get(connection)).rejects.toThrow(/cannot be reached/)
  })

  it('is reported with its cause: the connection is reset', async () => {
    server.answer = () => 'reset'
    await expect(get()).rejects.toThrow(/cannot be reached .*(reset|hang up)/)
  })

  it('is reported with its cause: the certificate is not trusted', async () => {
    const tls = await startServer({ tls: 'address' })
    const connection = {
      ...tls.connection,
      credentials: () => Promise.resolve({ headers: {}, tls: {}, agent: undefined }),
    }
    await expect(get(connection)).rejects.toThrow(/its certificate does not match the test authority/)
    tls.answer = () => ({ status: 200, body: {} })
    await expect(get(tls.connection)).resolves.toMatchObject({ status: 200 })
    await tls.stop()
  })

  it('is reported after the timeout of the caller', async () => {
    server.answer = () => 'hang'
    await expect(call(server.connection, 'GET', '/x', { timeoutMs: 50 })).rejects.toThrow(/no answer within 0\.05 s/)
  })

  it('is reported after 30 s without a timeout', async () => {
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

  it('completely is reported', async () => {
    server.answer = () => ({ status: 200, body: '{"kind":', headers: { 'content-length': '1000' } })
    await expect(call(server.connection, 'GET', '/x', { timeoutMs: 200 })).rejects.toThrow(/cannot be reached/)
  })
})

describe('a gateway in front of the API server', () => {
  const guarded = (): Connection => ({
    ...server.connection,
    input: 'cluster',
    hint: 'The identity needs container.clusters.connect.',
    credentialsFix: () => 'Its subject is repo:octo-org/shop.',
  })

  it('is reported with the hint as the fix when it refuses with an HTML page', async () => {
    server.answer = () => ({ status: 403, body: '<html>Permission denied</html>' })
    await expect(get(guarded())).rejects.toThrow(
      /^cluster: the endpoint of .* refuses the request \(403 .*Permission denied.*\), and .*\. The identity needs container\.clusters\.connect\.$/,
    )
    await expect(get(guarded())).rejects.toThrow(ConfigurationError)
  })

  it('forwards the Status of the API server', async () => {
    server.answer = () => ({ status: 403, body: status('Forbidden', 'pods is forbidden') })
    await expect(get(guarded())).rejects.toThrow(ApiError)
    await expect(get(guarded())).rejects.toThrow(/^pods is forbidden$/)
  })

  it.each([
    'Permission gkehub.gateway.get denied',
    "Permission 'gkehub.gateway.get' denied on resource",
    'The caller does not have permission',
  ])('is reported with the hint as the fix when it refuses with its own Status: %s', async (message) => {
    server.answer = () => ({ status: 403, body: status('Forbidden', message) })
    await expect(get(guarded())).rejects.toThrow(
      /^cluster: the endpoint of .* refuses the request .*container\.clusters\.connect\.$/,
    )
  })

  it.each([
    'pods "x" is forbidden: violates PodSecurity "restricted:latest"',
    'admission webhook "warden.gke.io" denied the request: no',
  ])('forwards the answer of admission: %s', async (message) => {
    server.answer = () => ({ status: 403, body: status('Forbidden', message) })
    await expect(get(guarded())).rejects.toThrow(ApiError)
  })

  it('is reported with the hint as the fix when it does not know the cluster', async () => {
    server.answer = () => ({ status: 404, body: '<html>404</html>' })
    await expect(get(guarded())).rejects.toThrow(/^cluster: the endpoint .* \(404 .*container\.clusters\.connect\.$/)
  })

  it('is not reported as the cause when a name does not resolve', async () => {
    const refused = get({ ...guarded(), server: 'https://no-such-host.invalid' })
    await expect(refused).rejects.toThrow(/(ENOTFOUND|EAI_AGAIN).*(name server|VPN)\.$/)
  })

  it('is reported with the hint when it cannot be reached', async () => {
    await expect(get({ ...guarded(), server: 'https://127.0.0.1:1' })).rejects.toThrow(
      /^cluster: the API server .*ECONNREFUSED.*current\. The identity needs container\.clusters\.connect\.$/,
    )
  })

  it('is reported with what to compare when it rejects the credentials', async () => {
    server.answer = () => ({ status: 401, body: status('Unauthorized', 'Unauthorized') })
    await expect(get(guarded())).rejects.toThrow(
      /^cluster: .* rejects the credentials \(401 Unauthorized\)\. Its subject is repo:octo-org\/shop\.$/,
    )
  })
})
