import type { Agent } from 'node:https'
import { ConfigurationError } from './errors.ts'
import { proxyEnvironment } from './proxy-environment.ts'
import { chooseProxy, type ProxyChoice } from './proxy-rules.ts'
import { trustSystemAuthorities } from './system-authorities.ts'
import { hostForMessage } from './url-text.ts'

/** A proxy, for errors. */
export interface ProxyName {
  /** where it is set, and its address without a password: `HTTPS_PROXY (http://proxy.example:3128)` */
  readonly name: string
  /** whether an environment variable sets it: then NO_PROXY applies */
  readonly isFromEnvironment: boolean
}

/** The proxy between the runner and a server. */
export interface Proxy extends ProxyName {
  readonly agent: Agent
}

/** The schemes of a proxy's address that Go knows, with the ports that they stand for. */
export const proxyPorts: ReadonlyMap<string, number> = new Map([
  ['http:', 80],
  ['https:', 443],
  ['socks5:', 1080],
  ['socks5h:', 1080],
])
const schemes = [...proxyPorts.keys()]

/** For the address of a proxy whatever the server is. */
const noExceptions = { NO_PROXY: '', no_proxy: '', REQUEST_METHOD: '' }

/**
 * The proxy of the environment for a server, by the rules of Go; undefined where the server is reached directly.
 * @throws ConfigurationError where the value is not an address
 */
export async function environmentProxy(
  server: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Proxy | undefined> {
  const choice = checkedChoice(server, env)
  if (!choice) return undefined
  const { variable, address } = choice
  const name = `${variable} (${hostForMessage(address)})`
  return { name, isFromEnvironment: true, agent: await proxyAgent(address) }
}

/** The agents of `environmentProxy` for several servers, without a promise for each; undefined where there is no proxy. */
export async function environmentAgents(): Promise<(server: string) => Agent | undefined> {
  const libraries = await Promise.all(
    ['https://server.example', 'http://server.example'].map(async (server) => {
      const choice = chooseProxy(new URL(server), { ...proxyEnvironment(process.env), ...noExceptions })
      return choice && loadAgent(choice.address)
    }),
  )
  return (server) => {
    const choice = checkedChoice(server, process.env)
    const create = libraries[server.startsWith('https:') ? 0 : 1]
    return choice && create?.(choice.address)
  }
}

/** An agent that connects through a proxy. `address`: checked by `checkProxyAddress`. */
export async function proxyAgent(address: string): Promise<Agent> {
  return (await loadAgent(address))(address)
}

/** Each library is loaded only for the proxies that it speaks to. */
async function loadAgent(address: string): Promise<(address: string) => Agent> {
  if (!isSocks(address)) {
    if (/^https:/i.test(address)) trustSystemAuthorities()
    const { HttpsProxyAgent } = await import('https-proxy-agent')
    return (proxy) => new HttpsProxyAgent(proxy)
  }
  const { SocksProxyAgent } = await import('socks-proxy-agent')
  // For the library socks5 means that this machine resolves the server's name; in Go the proxy resolves it with both schemes.
  return (proxy) => new SocksProxyAgent(proxy.replace(/^socks5:/i, 'socks5h:'))
}

export function isSocks(address: string): boolean {
  return /^socks/i.test(address)
}

/** The proxy of an agent of any library (https-proxy-agent, socks-proxy-agent); undefined where it has none. */
export function proxyOf(agent: object | undefined): URL | undefined {
  if (agent && 'proxy' in agent && agent.proxy instanceof URL) return agent.proxy
  return agent && 'proxyUrl' in agent ? (URL.parse(String(agent.proxyUrl)) ?? undefined) : undefined
}

function checkedChoice(server: string, env: NodeJS.ProcessEnv): ProxyChoice | undefined {
  const choice = chooseProxy(new URL(server), proxyEnvironment(env))
  if (choice) checkProxyAddress(choice.address, schemes, { input: choice.variable, subject: 'the value' })
  return choice
}

/**
 * @param setting what a problem names: the input, and the setting as the subject of a sentence
 * @throws ConfigurationError where the address is not one of a proxy
 */
export function checkProxyAddress(
  address: string,
  accepted: readonly string[],
  { input, subject }: { readonly input: string; readonly subject: string },
): void {
  const url = URL.parse(address)
  if (url && url.hostname !== '' && accepted.includes(url.protocol)) return
  throw new ConfigurationError({
    code: 'E_PROXY_INVALID',
    input,
    problem: `${subject} ${JSON.stringify(hostForMessage(address))} is not the address of a proxy`,
    fix: `Set it to ${accepted.map((scheme) => `${scheme}//HOST:PORT`).join(' or ')}, or remove it for this server.`,
  })
}
