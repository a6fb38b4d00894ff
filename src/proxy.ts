import type { Agent } from 'node:https'
import { ConfigurationError } from './errors.ts'

/** What stands between the runner and a server. */
export interface Proxy {
  /** who says so, and its address: `HTTPS_PROXY (http://proxy.example:3128)`; without a password */
  readonly name: string
  readonly agent: Agent
}

const variables = ['https_proxy', 'HTTPS_PROXY', 'http_proxy', 'HTTP_PROXY', 'all_proxy', 'ALL_PROXY']

/**
 * The proxy of HTTPS_PROXY, unless NO_PROXY names the server.
 * @throws ConfigurationError where it is no address
 */
export async function environmentProxy(server: string): Promise<Proxy | undefined> {
  const { getProxyForUrl } = await import('proxy-from-env')
  const given = getProxyForUrl(server)
  if (!given) return undefined
  const { HttpsProxyAgent } = await import('https-proxy-agent')
  const { variable, address } = read(given)
  return { name: `${variable} (${withoutPassword(address)})`, agent: new HttpsProxyAgent(address) }
}

/** The agents of `environmentProxy` for many servers, to be had without a promise; undefined where there is no proxy. */
export async function environmentAgents(): Promise<(server: string) => Agent | undefined> {
  const [{ getProxyForUrl }, { HttpsProxyAgent }] = await Promise.all([
    import('proxy-from-env'),
    import('https-proxy-agent'),
  ])
  return (server) => {
    const given = getProxyForUrl(server)
    return given ? new HttpsProxyAgent(read(given).address) : undefined
  }
}

/** The proxy that an agent goes through, whoever has made it (https-proxy-agent, client-node); undefined where there is none. */
export function proxyOf(agent: object | undefined): URL | undefined {
  return agent && 'proxy' in agent && agent.proxy instanceof URL ? agent.proxy : undefined
}

/** The library puts the server's scheme before an address without one; curl, Go and gcloud take http. */
function read(given: string): { variable: string; address: string } {
  const bare = given.replace(/^https?:\/\//, '')
  const variable = variables.find((name) => process.env[name] === given || process.env[name] === bare) ?? 'HTTPS_PROXY'
  const address = process.env[variable] === given ? given : `http://${bare}`
  checkProxyAddress(variable, address, ['http:', 'https:'])
  return { variable, address }
}

/** @throws ConfigurationError that begins with `what` */
export function checkProxyAddress(what: string, address: string, schemes: readonly string[]): void {
  const url = URL.parse(address)
  if (url && url.hostname !== '' && schemes.includes(url.protocol)) return
  throw new ConfigurationError(
    `${what}: got ${JSON.stringify(withoutPassword(address))}, which is no address of a proxy. ` +
      `Set it to ${schemes.map((scheme) => `${scheme}//HOST:PORT`).join(' or ')}, or leave it out for this server.`,
  )
}

/** For a message: what is before an @ may be a secret. */
export function withoutPassword(address: string): string {
  return address.replace(/^(\w+:\/\/)?.*@/, '$1').slice(0, 200)
}
