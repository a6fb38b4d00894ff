/** What a source hands out, and how long it serves. */
export interface Handed<T> {
  readonly value: T
  /** ms since the epoch, by this machine's clock; Infinity: it does not say */
  readonly expires: number
}

/** A credential that is kept for its lifetime and asked for anew afterwards. */
export interface KeptCredential<T> {
  readonly get: () => Promise<T>
  /** The API server did not take it (401): it is asked for anew, unless that was done a moment ago. */
  readonly refused: (value: T) => void
}

/** A token is renewed before it expires, ms: the API server's clock is another one, and a call takes time. Short ones last three quarters. */
const spare = (lifetime: number): number => Math.min(60_000, lifetime / 4)
/** One that is refused so soon after it was made will not get better by another, ms; and whoever makes them is not asked at each request. */
const tooYoung = 5_000

/** Keeps what `ask` gives until shortly before it expires. One asking serves callers at the same time; after a failure the next asks again. */
export function keepCredential<T>(ask: () => Promise<Handed<T>>, now: () => number = Date.now): KeptCredential<T> {
  let kept: { value: T; since: number; until: number } | undefined
  let asking: Promise<T> | undefined
  const renew = async (): Promise<T> => {
    const since = now()
    const { value, expires } = await ask()
    kept = { value, since, until: expires === Infinity ? Infinity : expires - spare(expires - since) }
    return value
  }
  return {
    get: () => {
      if (kept && now() < kept.until) return Promise.resolve(kept.value)
      asking ??= renew().finally(() => (asking = undefined))
      return asking
    },
    refused: (value) => {
      if (kept?.value === value && now() - kept.since >= tooYoung) kept = undefined
    },
  }
}
