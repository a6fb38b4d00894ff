import { readFileSync } from 'node:fs'
import { ConfigurationError, messageOf } from '../errors.ts'
import { readAuthorities } from './certificates.ts'
import { bearer, identityOfAddress, type Connection } from './connection.ts'
import { keepCredential, type KeptCredential } from './kept-credential.ts'
import { environmentProxy } from '../proxy.ts'
import { shownPath } from './shown-path.ts'

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
  /** the API server did not take this token (401) */
  refused?(token: string): void
  /** begins an error about a token that cannot be sent */
  readonly whose?: string
  readonly hint?: string
  readonly whenRefused?: () => string
}

/** @throws ConfigurationError when the certificate authority is none */
export function connectDirectly(access: DirectAccess, secret: (value: string) => void): Connection {
  const ca = access.certificateAuthority === undefined ? undefined : readAuthority(access.certificateAuthority, access)
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
      const authorization = bearer(token, access.whose ?? `${access.input}: the token of ${access.as}`)
      const proxy = await environmentProxy(access.server)
      return {
        headers: { Authorization: authorization },
        tls: { ...(ca === undefined ? {} : { ca }), ...(proxy ? identityOfAddress(access.server) : {}) },
        agent: proxy?.agent,
        proxy: proxy?.name,
        refused: access.refused && (() => access.refused?.(token)),
      }
    },
  }
}

function readAuthority(text: string, { input }: DirectAccess): string {
  const owner =
    input === 'cluster' ? 'cluster: the certificate authority that Google Cloud names' : 'certificate-authority: it'
  const fix =
    input === 'cluster'
      ? 'Look at `gcloud container clusters describe`.'
      : "Take `certificate-authority-data` of a kubeconfig, or the cluster's ca.crt, as it is."
  const given = text.trim()
  const found = readAuthorities(given) ?? readAuthorities(decoded(given)) ?? readAuthorities(fileOf(given))
  if (found && 'pem' in found) return found.pem
  throw new ConfigurationError(
    found
      ? `${owner} has ${found.problem}. ${fix}`
      : `${owner} is neither a PEM certificate, nor the base64 of one, nor the path of a file with one. ${fix}`,
  )
}

function decoded(text: string): string {
  return /^[\w+/=\s-]+$/.test(text) ? Buffer.from(text, 'base64').toString('utf8') : ''
}

/** The content of the file, '' where the text is no path of one. */
function fileOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const { code = messageOf(error) } = error as NodeJS.ErrnoException
    const shown = shownPath(path)
    // Base64 may look like a path, too: of what is not there only what begins or ends as one is called one.
    if (shown === undefined || (code === 'ENOENT' && !/^[/.~]|\.(pem|crt|cer|txt)$/i.test(path))) return ''
    throw new ConfigurationError(
      `certificate-authority: ${code === 'ENOENT' ? `there is no file ${shown}` : `the file ${shown} cannot be read (${code})`}. ` +
        'Write it in a step before, or give its content.',
    )
  }
}

/**
 * Keeps a JWT for its lifetime less a minute (of a short one, less a quarter), by this machine's clock: the runner's and the issuer's differ.
 * One fetch serves callers at the same time. A token that is no JWT is fetched each time. (GitHub's id token lives 5 minutes; a capture, an hour.)
 */
export function cachedToken(fetchToken: () => Promise<string>, now: () => number = Date.now): KeptCredential<string> {
  return keepCredential(async () => {
    const asked = now()
    const value = await fetchToken()
    const { exp = 0, iat = asked / 1000 } = claimsOf(value)
    return { value, expires: asked + (exp - iat) * 1000 }
  }, now)
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
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'))
    return typeof claims === 'object' && claims !== null ? claims : {}
  } catch {
    return {}
  }
}
