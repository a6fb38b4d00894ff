import type { Agent, RequestOptions } from 'node:https'
import { isIP } from 'node:net'
import { checkServerIdentity } from 'node:tls'

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
  /** what to look at where the credentials are not accepted (401) */
  readonly whenRefused?: (() => string) | undefined
}

export interface Credentials {
  readonly headers: Record<string, string>
  readonly tls: Pick<
    RequestOptions,
    'ca' | 'cert' | 'key' | 'passphrase' | 'rejectUnauthorized' | 'servername' | 'checkServerIdentity'
  >
  /** the proxy's, where one is in the way */
  readonly agent: Agent | undefined
}

/** The agent of HTTPS_PROXY, unless NO_PROXY names the server. */
export async function environmentProxy(server: string): Promise<Agent | undefined> {
  const { getProxyForUrl } = await import('proxy-from-env')
  const proxy = getProxyForUrl(server)
  if (!proxy) return undefined
  const { HttpsProxyAgent } = await import('https-proxy-agent')
  return new HttpsProxyAgent(proxy)
}

/** https-proxy-agent does not tell the TLS layer the host of a server that is named by its address, so the certificate is compared here. */
export function identityOfAddress(server: string): Credentials['tls'] {
  const host = new URL(server).hostname.replace(/^\[|\]$/g, '')
  return isIP(host) ? { checkServerIdentity: (_host, certificate) => checkServerIdentity(host, certificate) } : {}
}
