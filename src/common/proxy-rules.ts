import { BlockList, isIP } from 'node:net'
import { domainToASCII } from 'node:url'
import { ConfigurationError } from './errors.ts'

/** The proxy that the environment names for one server. */
export interface ProxyChoice {
  /** the environment variable that names it */
  readonly variable: string
  /** the address as the variable has it; an address without a scheme gets `http://` */
  readonly address: string
}

/**
 * The proxy for a server, by the rules of Go's golang.org/x/net/http/httpproxy, which kubectl and most Kubernetes tools follow: HTTPS_PROXY for
 * https and wss, HTTP_PROXY for http and ws, upper case first, no ALL_PROXY; localhost and loopback addresses never go through a proxy; NO_PROXY
 * takes `*`, addresses, CIDR ranges, domains (with subdomains), `.domain` and `*.domain` (subdomains alone), each but a range with an optional port.
 * @returns undefined where the server is reached directly
 * @throws ConfigurationError for HTTP_PROXY in a CGI environment, where a client of the program sets it (golang.org/s/cgihttpproxy)
 */
export function chooseProxy(server: URL, env: NodeJS.ProcessEnv): ProxyChoice | undefined {
  if (!/^(https?|wss?):$/.test(server.protocol)) return undefined
  const isSecure = server.protocol === 'https:' || server.protocol === 'wss:'
  const choice = isSecure ? firstSet(env, 'HTTPS_PROXY', 'https_proxy') : firstSet(env, 'HTTP_PROXY', 'http_proxy')
  if (choice === undefined) return undefined
  if (!isSecure && env['REQUEST_METHOD']) throw setByClient(choice.variable)
  const host = server.hostname.replace(/^\[|\]$/g, '')
  const port = server.port || (isSecure ? '443' : '80')
  if (isBypassed(host, port, firstSet(env, 'NO_PROXY', 'no_proxy')?.value ?? '')) return undefined
  return { variable: choice.variable, address: withScheme(choice.value) }
}

function firstSet(
  env: NodeJS.ProcessEnv,
  ...variables: readonly string[]
): { readonly variable: string; readonly value: string } | undefined {
  for (const variable of variables) {
    const value = env[variable]
    if (value) return { variable, value }
  }
  return undefined
}

function setByClient(variable: string): ConfigurationError {
  return new ConfigurationError({
    code: 'E_PROXY_INVALID',
    input: variable,
    problem: 'is not used, because REQUEST_METHOD is set: in a CGI program the client of a request sets this variable',
    fix: 'Remove REQUEST_METHOD from the environment of this step.',
  })
}

function withScheme(address: string): string {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(address) ? address : `http://${address}`
}

function isBypassed(host: string, port: string, noProxy: string): boolean {
  if (host === 'localhost' || isLoopback(host)) return true
  const entries = noProxy.split(',').map((entry) => entry.trim().toLowerCase())
  return entries.includes('*') || entries.some((entry) => entry !== '' && isMatch(entry, host, port))
}

function isMatch(entry: string, host: string, port: string): boolean {
  const range = parseRange(entry)
  if (range) return contains(range, host)
  const { name, port: entryPort } = splitPort(entry)
  if (name === '' || (entryPort !== '' && entryPort !== port)) return false
  if (isIP(name)) return contains(rangeOf(name, bitsOf(name)), host)
  if (isIP(host)) return false // an address has no domain
  const domain = name.startsWith('*.') ? name.slice(1) : name
  const suffix = toAscii(domain.startsWith('.') ? domain : `.${domain}`)
  const matchesItself = !domain.startsWith('.')
  return host.endsWith(suffix) || (matchesItself && host === suffix.slice(1))
}

/** Addresses of one family. An IPv4-mapped IPv6 address counts as IPv4, as in Go's net.IP. */
interface AddressRange {
  readonly family: 'ipv4' | 'ipv6'
  readonly list: BlockList
}

/** `10.0.0.0/8`, `fd00::/8`; undefined where the entry is no range. */
function parseRange(entry: string): AddressRange | undefined {
  const [, address = '', bits = ''] = /^([^/]+)\/(\d{1,3})$/.exec(entry) ?? []
  if (!isIP(address) || Number(bits) > bitsOf(address)) return undefined
  return rangeOf(address, Number(bits))
}

/** Go's net.SplitHostPort; where that fails the whole entry is the name. */
function splitPort(entry: string): { readonly name: string; readonly port: string } {
  const bracketed = /^\[([^[\]]*)\]:([^:]*)$/.exec(entry)
  const plain = /^([^:[\]]*):([^:]*)$/.exec(entry)
  const [, name = entry, port = ''] = bracketed ?? plain ?? []
  return { name, port }
}

function familyOf(address: string): AddressRange['family'] {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4'
}

function bitsOf(address: string): number {
  return isIP(address) === 6 ? 128 : 32
}

function rangeOf(address: string, bits: number): AddressRange {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(address)?.[1]
  if (mapped !== undefined && bits >= 96) return rangeOf(mapped, bits - 96)
  const list = new BlockList()
  list.addSubnet(address, bits, familyOf(address))
  return { family: familyOf(address), list }
}

function contains({ family, list }: AddressRange, host: string): boolean {
  if (isIP(host) === 0) return false
  // The list itself would match an IPv4 address with an IPv6 range.
  if (family === 'ipv6' && familyOf(host) === 'ipv4') return false
  return list.check(host, familyOf(host))
}

function isLoopback(host: string): boolean {
  const loopbackRanges = [rangeOf('127.0.0.0', 8), rangeOf('::1', 128)]
  return loopbackRanges.some((range) => contains(range, host))
}

function toAscii(domain: string): string {
  return /^[\0-\x7f]*$/.test(domain) ? domain : `.${domainToASCII(domain.slice(1))}`
}
