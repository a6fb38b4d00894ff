import type { Agent, RequestOptions } from 'node:https'
import { isIP } from 'node:net'
import { checkServerIdentity } from 'node:tls'
import { ConfigurationError } from '../errors.ts'

/** The way to one API server: where it is, and fresh credentials for each request. */
export interface Connection {
  /** the input that an error about the way in names */
  readonly input: 'kubeconfig' | 'api-server' | 'cluster'
  /** without a trailing slash */
  readonly server: string
  /** the namespace that the kubeconfig's context names; a run without an input `namespace` uses it */
  readonly namespace: string | undefined
  /** the server and who we are there, for the log */
  readonly description: string
  /** TLS and authentication of one request; asks the token source anew each time, because a capture outlives a token */
  credentials(): Promise<Credentials>
  /** what to look at where the server cannot be reached, or something in front of it refuses us */
  readonly hint?: string | undefined
  /** what to look at where the credentials are not accepted (401, or taken for nobody's) */
  readonly whenRefused?: (() => string) | undefined
}

export interface Credentials {
  /** a list is sent as a header for each of its values */
  readonly headers: Readonly<Record<string, string | string[]>>
  readonly tls: Pick<
    RequestOptions,
    'ca' | 'cert' | 'key' | 'passphrase' | 'rejectUnauthorized' | 'servername' | 'checkServerIdentity'
  >
  /** the proxy's, where one is in the way */
  readonly agent: Agent | undefined
  /** the proxy in words, for errors */
  readonly proxy?: string | undefined
  /** Tells the source that the API server did not take these (401): the next ones are made anew. Absent where that brings no others. */
  readonly refused?: (() => void) | undefined
}

/** Exec plugins end by themselves after a minute, and say more. */
const longestWait = 65_000

/**
 * The credentials, or an error after `within` ms: whoever makes them may hang, and nobody waits for that for ever.
 * @throws ConfigurationError
 */
export async function credentialsOf(connection: Connection, within: number = longestWait): Promise<Credentials> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(
        new ConfigurationError(
          `${connection.input}: no credentials for ${connection.description} within ${within / 1000} s. ` +
            'Whoever hands them out (an exec plugin, GitHub, Google) does not answer; the next request asks again.',
        ),
      )
    }, within)
  })
  try {
    return await Promise.race([connection.credentials(), late])
  } finally {
    clearTimeout(timer)
  }
}

/**
 * The header of a bearer token; a line end around it is left out.
 * @param whose begins the error: `kubeconfig: the token of its user "dev"`
 * @throws ConfigurationError where no header can carry it
 */
export function bearer(token: string, whose: string): string {
  const text = token.trim()
  if (/^[\x21-\x7e]+$/.test(text)) return `Bearer ${text}`
  throw new ConfigurationError(
    text === ''
      ? `${whose} is empty. Was the secret set, and is it readable for this workflow?`
      : `${whose} has a line break, a blank or a letter that no token has. Was it copied or stored with something around it?`,
  )
}

/** https-proxy-agent does not tell the TLS layer the host of a server that is named by its address, so the certificate is compared here. */
export function identityOfAddress(server: string): Credentials['tls'] {
  const host = new URL(server).hostname.replace(/^\[|\]$/g, '')
  return isIP(host) ? { checkServerIdentity: (_host, certificate) => checkServerIdentity(host, certificate) } : {}
}
