import { cacheCredential, type CachedCredential } from '../../../src/common/cached-credential.ts'

let now: number
let fetchCount: number
let fails: boolean
beforeEach(() => {
  now = 1_000_000
  fetchCount = 0
  fails = false
})

/** Values with the given lifetime. */
const source = (lifetimeSeconds: number): CachedCredential<string> =>
  cacheCredential(
    () => {
      fetchCount++
      if (fails) return Promise.reject(new Error('the source is away'))
      return Promise.resolve({ value: `token-${String(fetchCount)}`, expiresAtMs: now + lifetimeSeconds * 1000 })
    },
    () => now,
  )

describe('a cached credential', () => {
  it('of 5 minutes is fetched once for 100 requests in 4 minutes, and again for the next request', async () => {
    const { get } = source(300)
    for (let i = 0; i < 100; i++) {
      expect(await get()).toBe('token-1')
      now += 2_400 // 240 s in total
    }
    expect(fetchCount).toBe(1)
    expect(await get()).toBe('token-2')
    expect(fetchCount).toBe(2)
  })

  it('is fetched once for concurrent callers', async () => {
    const { get } = source(300)
    const values = await Promise.all(Array.from({ length: 20 }, get))
    expect(new Set(values)).toEqual(new Set(['token-1']))
    expect(fetchCount).toBe(1)
  })

  it('with a short lifetime is not fetched for each request', async () => {
    const { get } = source(20)
    for (let i = 0; i < 60; i++) {
      await get()
      now += 1_000
    }
    expect(fetchCount).toBe(4)
  })

  it('without an expiry is fetched once', async () => {
    const { get } = source(Infinity)
    await get()
    now += 365 * 86_400_000
    expect(await get()).toBe('token-1')
  })

  it('is still used while its renewal fails, and not every request retries the renewal', async () => {
    const { get } = source(300)
    await get()
    now += 250_000
    fails = true
    for (let i = 0; i < 49; i++) {
      expect(await get()).toBe('token-1')
      now += 1_000
    }
    expect(fetchCount).toBe(1 + 10)
    fails = false
    now += 5_000
    expect(await get()).toBe('token-12')
  })

  it('that has expired is never returned', async () => {
    const { get } = source(300)
    await get()
    fails = true
    now += 300_000
    await expect(get()).rejects.toThrow('the source is away')
    fails = false
    expect(await get()).toBe('token-3')
  })

  it('is fetched again after a server rejects it, unless it was fetched less than 5 s ago', async () => {
    const { get, invalidate } = source(300)
    invalidate(await get())
    expect(await get()).toBe('token-1')
    now += 5_000
    invalidate('another value')
    expect(await get()).toBe('token-1')
    invalidate('token-1')
    expect(await get()).toBe('token-2')
  })

  it('that a server rejected is not returned again while the source fails', async () => {
    const { get, invalidate } = source(300)
    const first = await get()
    now += 5_000
    invalidate(first)
    fails = true
    await expect(get()).rejects.toThrow('the source is away')
  })
})
