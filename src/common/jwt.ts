import { cacheCredential, type CachedCredential } from './cached-credential.ts'

/**
 * The claims of a JSON Web Token (RFC 7519); empty where the text is not a JWT. The signature is not checked: the claims are for messages
 * and for the lifetime of a cache, the server that receives the token verifies it.
 */
export function parseJwtClaims(token: string): Readonly<Record<string, unknown>> {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'))
    return typeof claims === 'object' && claims !== null ? (claims as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

/**
 * Caches a JWT for its lifetime, which is counted from the time of the fetch: the clocks of the runner and the issuer differ. A token that
 * does not say when it expires is fetched each time. (GitHub's ID token is valid for 5 minutes; a capture takes up to hours.)
 */
export function cacheJwt(
  fetchToken: () => Promise<string>,
  now: () => number = () => Date.now(),
): CachedCredential<string> {
  return cacheCredential(async () => {
    const fetchedAtMs = now()
    const value = await fetchToken()
    const { exp, iat = fetchedAtMs / 1000 } = parseJwtClaims(value)
    const lifetimeMs = typeof exp === 'number' && typeof iat === 'number' ? (exp - iat) * 1000 : 0
    return { value, expiresAtMs: fetchedAtMs + lifetimeMs }
  }, now)
}
