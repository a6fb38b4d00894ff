import { shareToken, type GoogleToken } from '../../../src/google/shared-token.ts'

let now: number
let exchanges: number
let fail: boolean
beforeEach(() => {
  now = 1_000_000
  exchanges = 0
  fail = false
})

/** Tokens of the given life, in seconds. */
const source = (life: number): (() => Promise<GoogleToken>) =>
  shareToken(
    () => {
      exchanges++
      if (fail) return Promise.reject(new Error('Google is away'))
      return Promise.resolve({ value: `token-${String(exchanges)}`, expires: now + life * 1000 })
    },
    () => now,
  )

describe('a shared token', () => {
  it('of 5 minutes serves 100 requests in its first 4 by one exchange, the next one is another', async () => {
    const token = source(300)
    for (let i = 0; i < 100; i++) {
      expect((await token()).value).toBe('token-1')
      now += 2_400 // 240 s in all
    }
    expect(exchanges).toBe(1)
    expect((await token()).value).toBe('token-2')
    expect(exchanges).toBe(2)
  })

  it('is one for all who ask at the same time', async () => {
    const token = source(300)
    const values = (await Promise.all(Array.from({ length: 20 }, token))).map(({ value }) => value)
    expect(new Set(values)).toEqual(new Set(['token-1']))
    expect(exchanges).toBe(1)
  })

  it('of a short life is not exchanged for each request', async () => {
    const token = source(20)
    for (let i = 0; i < 60; i++) {
      await token()
      now += 1_000
    }
    expect(exchanges).toBe(4)
  })

  it('is used on while its renewal fails, and that is not tried for each request', async () => {
    const token = source(300)
    await token()
    now += 250_000
    fail = true
    for (let i = 0; i < 49; i++) {
      expect((await token()).value).toBe('token-1')
      now += 1_000
    }
    expect(exchanges).toBe(1 + 10)
    fail = false
    now += 5_000
    expect((await token()).value).toBe('token-12')
  })

  it('that has ended is never given out', async () => {
    const token = source(300)
    await token()
    fail = true
    now += 300_000
    await expect(token()).rejects.toThrow('Google is away')
    fail = false
    expect((await token()).expires).toBe(now + 300_000)
  })
})
