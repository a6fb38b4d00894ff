import { ConfigurationError } from '../../common/errors.ts'
import { checkProxyAddress } from '../../common/proxy.ts'
import { hostForMessage } from '../../common/url-text.ts'
import { readAuthorities } from '../certificates.ts'
import { entryName, pathIn, readNamedFile, textOf, type Entry } from './entry.ts'
import type { ExecCluster } from './exec-plugin.ts'

/**
 * The server's URL without a trailing slash.
 * @throws ConfigurationError
 */
export function serverOf(cluster: Entry): string {
  const given = cluster.fields['server']
  const url = typeof given === 'string' ? URL.parse(given) : undefined
  if (typeof given === 'string' && url && /^https?:$/.test(url.protocol) && /^https?:\/\/\S+$/i.test(given)) {
    return `${url.origin}${url.pathname}`.replace(/\/+$/, '')
  }
  throw new ConfigurationError({
    code: 'E_KUBECONFIG_INVALID',
    input: 'kubeconfig',
    problem: `the ${entryName(cluster, 'cluster')} has ${serverText(given)}, which is not an https URL`,
    fix: 'Correct it in the kubeconfig, or set the input `context` to a context of another cluster.',
  })
}

/** Without what may be secret: a token may stand in the wrong field. */
function serverText(given: unknown): string {
  if (given === undefined || given === null) return 'no server'
  if (typeof given === 'string' && given !== '' && !given.includes('://')) return 'a server without a scheme'
  return typeof given === 'string' ? `the server ${hostForMessage(given)}` : 'a server that is not a text'
}

/** Reads the certificate authority on each call, as PEM; undefined: the certificate authorities of the runner, or no TLS. */
export function authorityReader(cluster: Entry, server: string): () => string | undefined {
  if (!server.startsWith('https:')) return () => undefined
  const path = pathIn(cluster, 'certificate-authority')
  const data = textOf(cluster.fields['certificate-authority-data'])
  const field = path === undefined ? 'certificate-authority-data' : 'certificate-authority'
  const subject = `the ${field} of the ${entryName(cluster, 'cluster')}`
  return () => {
    if (path === undefined && data === undefined) return undefined
    const text =
      path === undefined
        ? Buffer.from(data ?? '', 'base64').toString('utf8')
        : readNamedFile(path, subject, cluster.fields['certificate-authority'])
    const found = readAuthorities(text)
    if (found && 'pem' in found) return found.pem
    throw new ConfigurationError({
      code: 'E_CERTIFICATE_AUTHORITY_INVALID',
      input: 'kubeconfig',
      problem: `${subject} has ${found?.problem ?? `no PEM certificate${path === undefined ? ' (as base64)' : ''}`}`,
      fix: "Copy it again from the cluster's original kubeconfig.",
    })
  }
}

/** `proxy-url`, checked. @throws ConfigurationError */
export function proxyUrlOf(cluster: Entry): string | undefined {
  const address = textOf(cluster.fields['proxy-url'])
  if (address !== undefined) {
    const subject = `the proxy-url of the ${entryName(cluster, 'cluster')}`
    checkProxyAddress(address, ['http:', 'https:', 'socks5:', 'socks5h:'], { input: 'kubeconfig', subject })
  }
  return address
}

/** The cluster as an exec plugin receives it. */
export function execCluster({ fields }: Entry, server: string, authority: string | undefined): ExecCluster {
  const extensions = (Array.isArray(fields['extensions']) ? fields['extensions'] : []) as readonly {
    name?: unknown
    extension?: unknown
  }[]
  const config = extensions.find(({ name }) => name === 'client.authentication.k8s.io/exec')?.extension
  const serverName = textOf(fields['tls-server-name'])
  const proxyUrl = textOf(fields['proxy-url'])
  return {
    server,
    ...(serverName === undefined ? {} : { 'tls-server-name': serverName }),
    ...(fields['insecure-skip-tls-verify'] === true ? { 'insecure-skip-tls-verify': true } : {}),
    ...(authority === undefined ? {} : { 'certificate-authority-data': Buffer.from(authority).toString('base64') }),
    ...(proxyUrl === undefined ? {} : { 'proxy-url': proxyUrl }),
    ...(config === undefined ? {} : { config }),
  }
}
