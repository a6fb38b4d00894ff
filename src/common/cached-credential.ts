/** A credential and the end of its lifetime. */
export interface CachedValue<T> {
  readonly value: T
  /** ms since the epoch, by this machine's clock; Infinity where the source does not say */
  readonly expiresAtMs: number
}

/** A credential that is cached for its lifetime and fetched again afterwards. */
export interface CachedCredential<T> {
  /** @throws what the source throws, where no cached value is still valid */
  readonly get: () => Promise<T>
  /** Call it when a server rejects the value (401): the next `get` fetches a new one, unless this one was fetched less than 5 s ago. */
  readonly invalidate: (value: T) => void
}

/** Time before its expiry at which a value is renewed: server clocks differ, and a request takes time. */
function renewalMarginMs(lifetimeMs: number): number {
  return Math.min(60_000, lifetimeMs / 4)
}
/** How long a value that is still valid is used after its renewal failed, before the next attempt. */
const retryAfterMs = 5_000
/** A new value would not be accepted either, and the source must not be asked for each request. */
const minAgeToInvalidateMs = 5_000

/**
 * Caches what `fetchValue` returns until shortly before it expires: a value of 5 minutes for 4, one of an hour for 59 minutes, one of 20 s
 * for 15 s. (google-auth-library renews 5 minutes before the expiry, which is the whole lifetime of a federated token.) Concurrent callers
 * share one fetch. While a renewal fails, a value that has not expired stays in use.
 */
export function cacheCredential<T>(
  fetchValue: () => Promise<CachedValue<T>>,
  now: () => number = () => Date.now(),
): CachedCredential<T> {
  let cached: (CachedValue<T> & { fetchedAtMs: number; renewAtMs: number }) | undefined
  let pending: Promise<T> | undefined

  const renew = async (): Promise<T> => {
    const fetchedAtMs = now()
    try {
      const { value, expiresAtMs } = await fetchValue()
      const marginMs = expiresAtMs === Infinity ? 0 : renewalMarginMs(expiresAtMs - fetchedAtMs)
      cached = { value, expiresAtMs, fetchedAtMs, renewAtMs: expiresAtMs - marginMs }
    } catch (error) {
      if (!cached || now() >= cached.expiresAtMs) throw error
      cached.renewAtMs = now() + retryAfterMs
    }
    return cached.value
  }

  return {
    get: () => {
      if (cached && now() < Math.min(cached.renewAtMs, cached.expiresAtMs)) return Promise.resolve(cached.value)
      pending ??= renew().finally(() => (pending = undefined))
      return pending
    },
    invalidate: (value) => {
      if (cached?.value === value && now() - cached.fetchedAtMs >= minAgeToInvalidateMs) cached = undefined
    },
  }
}
