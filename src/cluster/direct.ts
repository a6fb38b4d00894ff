import { existsSync, readFileSync } from 'node:fs'
import { ConfigurationError } from '../errors.ts'
import { environmentProxy, identityOfAddress, type Connection } from './connection.ts'

/** An API server named by its address, entered by a bearer token. */
export interface DirectAccess {
  /** https URL, without a trailing slash */
  readonly server: string
  /** PEM, base64 of PEM, or the path of a PEM file; undefined: the runner's own certificate authorities */
  readonly certificateAuthority: string | undefined
  /** who we are, for the log */
  readonly as: string
  readonly namespace: string | undefined
  /** a fresh token; asked for at each request, so it keeps what is still good */
  token(): Promise<string>
}

/** @throws ConfigurationError when the certificate authority is none */
export function connectDirectly(access: DirectAccess, secret: (value: string) => void): Connection {
  const ca = access.certificateAuthority === undefined ? undefined : readAuthority(access.certificateAuthority)
  return {
    server: access.server,
    namespace: access.namespace,
    description: `${new URL(access.server).host} as ${access.as}`,
    credentials: async () => {
      const token = await access.token()
      secret(token)
      const agent = await environmentProxy(access.server)
      return {
        headers: { Authorization: `Bearer ${token}` },
        tls: { ...(ca === undefined ? {} : { ca }), ...(agent ? identityOfAddress(access.server) : {}) },
        agent,
      }
    },
  }
}

function readAuthority(text: string): string {
  const pem = text.includes('-----BEGIN')
    ? text
    : existsSync(text)
      ? readFileSync(text, 'utf8')
      : Buffer.from(text, 'base64').toString('utf8')
  if (pem.includes('-----BEGIN CERTIFICATE-----')) return pem
  throw new ConfigurationError(
    'certificate-authority: it is neither a PEM certificate, nor the base64 of one, nor the path of a file with one. ' +
      "Take `certificate-authority-data` of a kubeconfig, or the cluster's ca.crt.",
  )
}

/**
 * Keeps a token until a minute before its JWT expires, and fetches one for callers at the same time. A token that is no JWT is fetched each
 * time. (GitHub's id token lives 5 minutes; a capture, an hour.)
 */
export function cachedToken(fetchToken: () => Promise<string>, now: () => number = Date.now): () => Promise<string> {
  let kept: { token: string; until: number } | undefined
  let running: Promise<string> | undefined
  const renew = async (): Promise<string> => {
    const token = await fetchToken()
    kept = { token, until: expiryOf(token) - earlyRefresh }
    return token
  }
  return () => {
    if (kept && now() < kept.until) return Promise.resolve(kept.token)
    running ??= renew().finally(() => (running = undefined))
    return running
  }
}
const earlyRefresh = 60_000

/** `exp` of a JWT, ms since the epoch; 0 where there is none. The signature is the API server's business. */
function expiryOf(token: string): number {
  try {
    const payload = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')
    return ((JSON.parse(payload) as { exp?: number }).exp ?? 0) * 1000
  } catch {
    return 0
  }
}
