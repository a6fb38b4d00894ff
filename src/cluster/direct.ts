import { existsSync, readFileSync } from 'node:fs'
import { ConfigurationError } from '../errors.ts'
import { environmentProxy, identityOfAddress, type Connection } from './connection.ts'

/** An API server named by its address, entered by a bearer token. */
export interface DirectAccess {
  readonly input: Connection['input']
  /** https URL, without a trailing slash */
  readonly server: string
  /** PEM, base64 of PEM, or the path of a PEM file; undefined: the runner's own certificate authorities */
  readonly certificateAuthority: string | undefined
  /** who we are, for the log */
  readonly as: string
  readonly namespace: string | undefined
  /** a fresh token; asked for at each request, so it keeps what is still good */
  token(): Promise<string>
  readonly hint?: string
  readonly whenRefused?: () => string
}

/** @throws ConfigurationError when the certificate authority is none */
export function connectDirectly(access: DirectAccess, secret: (value: string) => void): Connection {
  const ca = access.certificateAuthority === undefined ? undefined : readAuthority(access.certificateAuthority)
  return {
    input: access.input,
    hint: access.hint,
    whenRefused: access.whenRefused,
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
 * Keeps a JWT for its lifetime less a minute (of a short one, less a quarter), by this machine's clock: the runner's and the issuer's differ.
 * One fetch serves callers at the same time. A token that is no JWT is fetched each time. (GitHub's id token lives 5 minutes; a capture, an hour.)
 */
export function cachedToken(fetchToken: () => Promise<string>, now: () => number = Date.now): () => Promise<string> {
  let kept: { token: string; until: number } | undefined
  let running: Promise<string> | undefined
  const renew = async (): Promise<string> => {
    const asked = now()
    const token = await fetchToken()
    const { exp = 0, iat = asked / 1000 } = claimsOf(token)
    const lifetime = (exp - iat) * 1000
    kept = { token, until: asked + lifetime - Math.min(60_000, lifetime / 4) }
    return token
  }
  return () => {
    if (kept && now() < kept.until) return Promise.resolve(kept.token)
    running ??= renew().finally(() => (running = undefined))
    return running
  }
}

interface Claims {
  /** seconds since the epoch */
  readonly exp?: number
  readonly iat?: number
  readonly iss?: string
  readonly sub?: string
}

/** What a JWT says; nothing where it is none. The signature is the API server's business. */
export function claimsOf(token: string): Claims {
  try {
    return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')) as Claims
  } catch {
    return {}
  }
}
