/** What opens Google's doors for a while. */
export interface GoogleToken {
  readonly value: string
  /** ms since the epoch, by this machine's clock */
  readonly expires: number
}

/** A token of 5 minutes serves for 4, one of an hour for 59 minutes, one of 20 s (as tests have them) for 15 s. */
const spare = (lifetime: number): number => Math.min(60_000, lifetime / 4)
/** How long a token that still holds is used on after its renewal failed. */
const patience = 5_000

/**
 * One exchange serves every request until shortly before the token ends, and everybody who asks meanwhile. The window of
 * google-auth-library, 5 minutes, is the whole life of a federated token: it would exchange anew for each request.
 */
export function shareToken(
  exchange: () => Promise<GoogleToken>,
  now: () => number = Date.now,
): () => Promise<GoogleToken> {
  let current: GoogleToken | undefined
  let renewAt = 0
  let pending: Promise<GoogleToken> | undefined

  const renew = async (): Promise<GoogleToken> => {
    try {
      const asked = now()
      current = await exchange()
      renewAt = current.expires - spare(current.expires - asked)
    } catch (error) {
      if (!current || now() >= current.expires) throw error
      renewAt = now() + patience // Google is away for a moment: what is at hand still serves
    }
    return current
  }

  return () => {
    if (current && now() < Math.min(renewAt, current.expires)) return Promise.resolve(current)
    pending ??= renew().finally(() => {
      pending = undefined
    })
    return pending
  }
}
