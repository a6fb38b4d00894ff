import { cacheJwt, parseJwtClaims } from '../../../src/common/jwt.ts'

const beganAtMs = 1_000_000_000_000
const jwt = (claims: unknown): string => `h.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.s`
const validFor = (seconds: number, offsetSeconds = 0): string => {
  const iat = beganAtMs / 1000 + offsetSeconds
  return jwt({ iat, exp: iat + seconds })
}

describe('the claims of a token', () => {
  it('are read from a JWT', () => {
    expect(parseJwtClaims(jwt({ sub: 'repo:octo/shop', exp: 7 }))).toEqual({ sub: 'repo:octo/shop', exp: 7 })
  })

  it.each(['', 'opaque', 'a.b.c', jwt(null), jwt('text')])('are empty when the token is not a JWT: %j', (token) => {
    expect(parseJwtClaims(token)).toEqual({})
  })
})

describe('a cached JWT', () => {
  function cache(token: string): {
    get: () => Promise<string>
    invalidate: (token: string) => void
    clock: { timeMs: number }
    fetchCount: () => number
  } {
    const clock = { timeMs: beganAtMs }
    let count = 0
    const cached = cacheJwt(
      () => {
        count += 1
        return Promise.resolve(token)
      },
      () => clock.timeMs,
    )
    return { ...cached, clock, fetchCount: () => count }
  }

  it.each([
    ['5 minutes, as GitHub issues them', validFor(300), 240_000],
    ['20 seconds', validFor(20), 15_000],
    ['5 minutes by a clock that is 10 minutes ahead', validFor(300, 600), 240_000],
    ['5 minutes by a clock that is 10 minutes behind', validFor(300, -600), 240_000],
  ])('that is valid for %s is renewed before it expires', async (_what, token, cachedMs) => {
    const { get, clock, fetchCount } = cache(token)
    await expect(get()).resolves.toBe(token)
    clock.timeMs = beganAtMs + cachedMs - 1
    await get()
    expect(fetchCount()).toBe(1)
    clock.timeMs = beganAtMs + cachedMs
    await get()
    expect(fetchCount()).toBe(2)
  })

  it('is fetched again after a server rejects it, unless it was fetched a moment ago', async () => {
    const { get, invalidate, clock, fetchCount } = cache(validFor(300))
    invalidate(await get())
    await get()
    expect(fetchCount()).toBe(1)
    clock.timeMs = beganAtMs + 10_000
    invalidate('another one')
    await get()
    expect(fetchCount()).toBe(1)
    invalidate(await get())
    await get()
    expect(fetchCount()).toBe(2)
  })

  it.each(['opaque', 'a.b.c', jwt(null), jwt({ iat: 1 }), jwt({ exp: 'soon' })])(
    'without an expiry is fetched for each request: %s',
    async (token) => {
      const { get, fetchCount } = cache(token)
      await get()
      await get()
      expect(fetchCount()).toBe(2)
    },
  )

  it('is fetched once for concurrent callers, and again after a failure', async () => {
    let fetchCount = 0
    const { get } = cacheJwt(() => {
      fetchCount += 1
      return fetchCount === 1 ? Promise.reject(new Error('away')) : Promise.resolve('t')
    })
    expect((await Promise.allSettled([get(), get()])).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(fetchCount).toBe(1)
    await expect(Promise.all([get(), get(), get()])).resolves.toEqual(['t', 't', 't'])
    expect(fetchCount).toBe(2)
  })
})
