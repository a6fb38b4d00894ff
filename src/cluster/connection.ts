import type { Agent } from 'node:http'
import type { RequestOptions } from 'node:https'
import { isIP } from 'node:net'
import { checkServerIdentity, type PeerCertificate } from 'node:tls'
import { ConfigurationError, type Problem } from '../common/errors.ts'
import { isLoopback } from '../common/loopback.ts'
import type { ProxyName } from '../common/proxy.ts'
import { orTimeout, timedOut } from '../common/timeouts.ts'

/** One API server, fresh credentials for each request, and the words that its errors need. */
export interface Connection {
  /** what an error of this connection names: the action input that the user changes */
  readonly input: string
  /** without a trailing slash */
  readonly server: string
  /** the namespace of the kubeconfig's context; a run without an input `namespace` uses it */
  readonly namespace: string | undefined
  /** the server and the identity, for the log */
  readonly description: string
  /** TLS and authentication of one request; asks the token source each time, because a capture outlives a token */
  credentials(): Promise<Credentials>
  /** what the server's certificate is checked against; completes "its certificate does not match …" */
  readonly trustedAuthority?: string | undefined
  /**
   * Present where something guards the endpoint (a firewall, a gateway, IAM): what to check where that refuses a request, or the server
   * cannot be reached. Whole sentences.
   */
  readonly hint?: string | undefined
  /** what protects this connection less than usual: whole sentences, for the log and the summary */
  readonly warnings?: readonly string[] | undefined
  /** what to do where the API server rejects the credentials, in whole sentences */
  readonly credentialsFix?: (() => string) | undefined
}

export interface Credentials {
  /** a list is sent as a header for each of its values */
  readonly headers: Readonly<Record<string, string | string[]>>
  readonly tls: Pick<
    RequestOptions,
    'ca' | 'cert' | 'key' | 'passphrase' | 'rejectUnauthorized' | 'servername' | 'checkServerIdentity'
  >
  /** the agent of the proxy, where there is one */
  readonly agent: Agent | undefined
  /** the proxy, for errors */
  readonly proxy?: ProxyName | undefined
  /** Tells the source that the API server rejected these (401): the next ones are new. Absent where the source has no others. */
  readonly refused?: (() => void) | undefined
}

/** Exec plugins are ended after a minute, with a better error. */
const maxWaitMs = 65_000

/**
 * The credentials for one request. The wait is limited to `withinMs`, because the source may not answer at all.
 * @throws ConfigurationError
 */
export async function credentialsOf(connection: Connection, withinMs: number = maxWaitMs): Promise<Credentials> {
  const credentials = await orTimeout(connection.credentials(), withinMs)
  if (credentials !== timedOut) {
    if (credentials.headers['Authorization'] !== undefined) checkPlainHttp(connection, credentials.proxy)
    return credentials
  }
  throw new ConfigurationError({
    code: 'E_CREDENTIALS_TIMEOUT',
    input: connection.input,
    problem: `no credentials for ${connection.description} within ${withinMs / 1000} s`,
    fix: 'Their source (an exec plugin, GitHub or the cloud provider) does not answer; the next request asks again.',
  })
}

/**
 * Plain HTTP shows the credentials to every machine on the way. To this machine itself there is none (`kubectl proxy`), but a proxy is one.
 * @throws ConfigurationError
 */
export function checkPlainHttp({ server, input }: Pick<Connection, 'server' | 'input'>, proxy?: ProxyName): void {
  const url = new URL(server)
  if (url.protocol !== 'http:' || (isLoopback(url) && proxy === undefined)) return
  const way = isLoopback(url) && proxy !== undefined ? ` through the proxy ${proxy.name}` : ''
  throw new ConfigurationError({
    code: 'E_API_PLAIN_HTTP',
    input,
    problem: `the server http://${url.host} is plain HTTP${way}, so its credentials would be sent without encryption`,
    fix:
      way === ''
        ? 'Use the https address of the API server. Credentials are sent over plain HTTP to a loopback address only.'
        : 'Add the address to NO_PROXY.',
  })
}

/** Where a token comes from, for errors about it. */
export interface TokenOrigin {
  readonly input: string
  /** `the token of the user "dev"` */
  readonly subject: string
}

/**
 * The header of a bearer token, without a line end before or after it.
 * @throws ConfigurationError where a header cannot contain it
 */
export function bearer(token: string, { input, subject }: TokenOrigin): string {
  const text = token.trim()
  if (/^[\x21-\x7e]+$/.test(text)) return `Bearer ${text}`
  const code: Problem['code'] = 'E_TOKEN_INVALID'
  throw new ConfigurationError(
    text === ''
      ? {
          ...{ code, input, problem: `${subject} is empty` },
          fix: 'Check that the secret is set, and that this workflow may read it.',
        }
      : {
          ...{ code, input, problem: `${subject} contains a line break, a space or a character that no token has` },
          fix: 'Check whether it was copied or stored together with other text.',
        },
  )
}

/**
 * How a server's certificate is checked, as in Go (crypto/x509, Certificate.Verify and VerifyHostname), so that the action and kubectl trust the
 * same servers: a trusted certificate need not be a root (an intermediate authority, the server's own certificate), and the common name counts for
 * nothing.
 */
export const verification = {
  allowPartialTrustChain: true,
  checkServerIdentity: (host: string, certificate: PeerCertificate): Error | undefined =>
    checkServerIdentity(host, { ...certificate, subject: { ...certificate.subject, CN: '' } }),
}

/** https-proxy-agent does not pass the host of a server that is named by its address to the TLS layer, so the certificate is compared here. */
export function identityOfAddress(server: string): Credentials['tls'] {
  const host = new URL(server).hostname.replace(/^\[|\]$/g, '')
  return isIP(host) ? { checkServerIdentity: (_host, certificate) => checkServerIdentity(host, certificate) } : {}
}
