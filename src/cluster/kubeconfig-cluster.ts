import { ConfigurationError } from '../errors.ts'
import { readAuthorities } from './certificates.ts'
import type { ExecCluster } from './exec-plugin.ts'
import { nameOf, pathIn, readNamedFile, text } from './kubeconfig-entry.ts'
import type { Entry } from './kubeconfig-files.ts'
import { checkProxyAddress } from '../proxy.ts'

/** Without a slash at its end. */
export function serverOf(cluster: Entry): string {
  const given = cluster.fields['server']
  const url = typeof given === 'string' ? URL.parse(given) : undefined
  if (typeof given === 'string' && url && /^https?:$/.test(url.protocol) && /^https?:\/\/\S+$/i.test(given)) {
    return `${url.origin}${url.pathname}`.replace(/\/+$/, '')
  }
  throw new ConfigurationError(
    `kubeconfig: the ${nameOf(cluster, 'cluster')} has the server ${given === undefined ? '(none)' : JSON.stringify(given)}; it must be an https URL. ` +
      'Correct it there, or set the input `context` to one of another cluster.',
  )
}

/** Reads the certificate authority anew each time, PEM; undefined: the runner's own ones. */
export function authorityReader(cluster: Entry): () => string | undefined {
  const path = pathIn(cluster, 'certificate-authority')
  const data = text(cluster.fields['certificate-authority-data'])
  const field = path === undefined ? 'certificate-authority-data' : 'certificate-authority'
  return () => {
    if (path === undefined && data === undefined) return undefined
    const found = readAuthorities(
      path === undefined
        ? Buffer.from(data ?? '', 'base64').toString('utf8')
        : readNamedFile(path, `the ${field} of the ${nameOf(cluster, 'cluster')}`),
    )
    if (found && 'pem' in found) return found.pem
    throw new ConfigurationError(
      `kubeconfig: the ${field} of the ${nameOf(cluster, 'cluster')} has ${found?.problem ?? `no PEM certificate${path === undefined ? ' (as base64)' : ''}`}. ` +
        "Take it from the cluster's own kubeconfig again.",
    )
  }
}

/** `proxy-url`, checked. */
export function checkProxy(cluster: Entry): string | undefined {
  const address = text(cluster.fields['proxy-url'])
  if (address !== undefined) {
    const what = `kubeconfig: proxy-url of the ${nameOf(cluster, 'cluster')}`
    checkProxyAddress(what, address, ['http:', 'https:', 'socks5:', 'socks5h:'])
  }
  return address
}

/** What an exec plugin is told of the cluster. */
export function execCluster({ fields }: Entry, server: string, authority: string | undefined): ExecCluster {
  const extensions = (Array.isArray(fields['extensions']) ? fields['extensions'] : []) as readonly {
    name?: unknown
    extension?: unknown
  }[]
  const config = extensions.find((one) => one.name === 'client.authentication.k8s.io/exec')?.extension
  const serverName = text(fields['tls-server-name'])
  const proxyUrl = text(fields['proxy-url'])
  return {
    server,
    ...(serverName === undefined ? {} : { 'tls-server-name': serverName }),
    ...(fields['insecure-skip-tls-verify'] === true ? { 'insecure-skip-tls-verify': true } : {}),
    ...(authority === undefined ? {} : { 'certificate-authority-data': Buffer.from(authority).toString('base64') }),
    ...(proxyUrl === undefined ? {} : { 'proxy-url': proxyUrl }),
    ...(config === undefined ? {} : { config }),
  }
}
