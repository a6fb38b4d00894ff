import { ConfigurationError, messageOf } from '../common/errors.ts'
import { environmentProxy } from '../common/proxy.ts'
import { readRegularFile, UnreadableFile } from '../common/read-file.ts'
import { trustSystemAuthorities } from '../common/system-authorities.ts'
import { readAuthorities } from './certificates.ts'
import { protectionWarnings } from './insecurity.ts'
import { bearer, identityOfAddress, type Connection, type TokenOrigin } from './connection.ts'
import { loggablePath } from './loggable-path.ts'

/** An API server by its address, with a bearer token. */
export interface TokenAccess extends Pick<Connection, 'input' | 'hint' | 'credentialsFix' | 'trustedAuthority'> {
  /** https URL, without a trailing slash */
  readonly server: string
  /** undefined: the certificate authorities of the runner */
  readonly certificateAuthority: GivenAuthority | undefined
  /** whose token it is, for the log: `10.0.0.1 as …` */
  readonly as: string
  /** what an error names about a token that cannot be sent; without it the input and `as` */
  readonly tokenOrigin?: TokenOrigin
  /** a valid token; called for each request, so the source caches it */
  token(): Promise<string>
  /** the API server rejected this token (401) */
  refused?(token: string): void
}

/** A certificate authority, and the words of an error about it. */
export interface GivenAuthority {
  /** PEM, base64 of PEM, or the path of a PEM file */
  readonly text: string
  readonly input: string
  /** subject of a sentence */
  readonly subject: string
  readonly fix: string
}

/** @throws ConfigurationError where the certificate authority is invalid */
export function connectWithToken(access: TokenAccess, maskSecret: (value: string) => void): Connection {
  const { input, server, as, hint, credentialsFix, trustedAuthority } = access
  const ca = access.certificateAuthority && readAuthority(access.certificateAuthority)
  if (ca === undefined) trustSystemAuthorities()
  const tokenOrigin = access.tokenOrigin ?? { input, subject: `the token of ${as}` }
  return {
    ...{ input, server, hint, credentialsFix, trustedAuthority },
    warnings: protectionWarnings({ server }, process.env),
    namespace: undefined,
    description: `${new URL(server).host} as ${as}`,
    credentials: async () => {
      const token = await access.token()
      maskSecret(token)
      const authorization = bearer(token, tokenOrigin)
      const proxy = await environmentProxy(server)
      return {
        headers: { Authorization: authorization },
        tls: { ...(ca === undefined ? {} : { ca }), ...(proxy ? identityOfAddress(server) : {}) },
        agent: proxy?.agent,
        proxy,
        refused: access.refused && (() => access.refused?.(token)),
      }
    },
  }
}

function readAuthority(given: GivenAuthority): string {
  const text = given.text.trim()
  const found = readAuthorities(text) ?? readAuthorities(decodeBase64(text)) ?? readAuthorities(readFileAt(text, given))
  if (found && 'pem' in found) return found.pem
  throw new ConfigurationError({
    code: 'E_CERTIFICATE_AUTHORITY_INVALID',
    input: given.input,
    problem: found
      ? `${given.subject} has ${found.problem}`
      : `${given.subject} is neither a PEM certificate, nor the base64 of one, nor the path of a file with one`,
    fix: given.fix,
  })
}

function decodeBase64(text: string): string {
  return /^[\w+/=\s-]+$/.test(text) ? Buffer.from(text, 'base64').toString('utf8') : ''
}

/** The content of the file; empty where the text is not a path. */
function readFileAt(path: string, { input }: GivenAuthority): string {
  try {
    return readRegularFile(path).toString('utf8')
  } catch (error) {
    const shown = loggablePath(path)
    const isMissing = error instanceof UnreadableFile && error.code === 'ENOENT'
    // Base64 can look like a path. A text without a file is called a path only if it begins or ends like one.
    if (shown === undefined || (isMissing && !/^[/.~]|\.(pem|crt|cer|txt)$/i.test(path))) return ''
    throw new ConfigurationError({
      code: 'E_CERTIFICATE_AUTHORITY_INVALID',
      input,
      problem: isMissing
        ? `the file ${shown} does not exist`
        : `the file ${shown} cannot be read (${messageOf(error)})`,
      fix: 'Create it in an earlier step, or give its content.',
    })
  }
}
