import { existsSync, readFileSync } from 'node:fs'
import type { Agent, RequestOptions } from 'node:https'
import { isIP } from 'node:net'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { checkServerIdentity } from 'node:tls'
import { ConfigurationError, messageOf } from '../errors.ts'

/** The way to one API server: where it is, and fresh credentials for each request. */
export interface Connection {
  /** without a trailing slash */
  readonly server: string
  /** the namespace that the kubeconfig's context names */
  readonly namespace: string | undefined
  /** the context and its user, for the log */
  readonly description: string
  /** TLS and authentication of one request; asks the token source anew each time, because a capture outlives a token */
  credentials(): Promise<Credentials>
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

export type KubeconfigSource =
  | { readonly kind: 'default' }
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'content'; readonly content: string }

/**
 * Opens a kubeconfig; nothing is contacted yet. `secret` is told every credential before it is used, so that the log masks it.
 * @throws ConfigurationError when there is none, or it is broken, or the context does not exist
 */
export async function connect(
  source: KubeconfigSource,
  context: string | undefined,
  env: NodeJS.ProcessEnv,
  secret: (value: string) => void,
): Promise<Connection> {
  const { KubeConfig } = await import('@kubernetes/client-node/dist/config.js')
  const config = new KubeConfig()
  const from = describe(source, env)
  try {
    if (source.kind === 'content') {
      config.loadFromString(source.content)
    } else if (source.kind === 'path') {
      requireFile(source.path, 'kubeconfig')
      config.loadFromFile(source.path)
    } else if (env['KUBECONFIG']) {
      for (const path of env['KUBECONFIG'].split(delimiter).filter(Boolean)) requireFile(path, 'KUBECONFIG')
      config.loadFromDefault()
    } else {
      requireFile(join(homedir(), '.kube', 'config'), 'kubeconfig')
      config.loadFromDefault()
    }
  } catch (error) {
    if (error instanceof ConfigurationError) throw error
    throw new ConfigurationError(
      `kubeconfig: ${from} cannot be read as a kubeconfig: ${firstLine(messageOf(error))}. ` +
        'Give the path or the content of a kubeconfig that `kubectl --kubeconfig` accepts.',
    )
  }
  if (context !== undefined) config.setCurrentContext(context)
  const current = config.getContextObject(config.getCurrentContext())
  const cluster = config.getCurrentCluster()
  if (!current || !cluster) {
    const known = config
      .getContexts()
      .map((one) => one.name)
      .join(', ')
    throw new ConfigurationError(
      context === undefined
        ? `kubeconfig: ${from} has no usable current context. Set the input \`context\` to one of: ${known || '(it has none)'}.`
        : `context: got ${JSON.stringify(context)}, but ${from} has: ${known || 'no contexts'}.`,
    )
  }
  const server = cluster.server
  if (!/^https?:\/\//.test(server)) {
    throw new ConfigurationError(
      `kubeconfig: ${from} has the server ${JSON.stringify(server)}; it must be an https URL.`,
    )
  }
  // `kubectl proxy` speaks plain http; client-node takes that only together with this word.
  if (server.startsWith('http:')) Object.assign(cluster, { skipTLSVerify: true })
  const plugin = config.getCurrentUser()?.exec as { command?: string } | undefined
  return {
    server,
    namespace: current.namespace,
    description: `${new URL(server).host} as ${config.getCurrentUser()?.name ?? 'nobody'} (context ${current.name})`,
    credentials: async () => {
      // Only what decides who we are comes from client-node: its agents ignore HTTPS_PROXY, and are cached with their first certificate.
      const options: RequestOptions = {}
      try {
        await config.applyToHTTPSOptions(options)
      } catch (error) {
        throw credentialError(error, plugin?.command)
      }
      const headers: Record<string, string> = {}
      for (const [name, value] of Object.entries((options.headers ?? {}) as Record<string, unknown>)) {
        headers[name] = String(value)
      }
      if (options.auth) {
        headers['Authorization'] = `Basic ${Buffer.from(options.auth).toString('base64')}`
        secret(options.auth.slice(options.auth.indexOf(':') + 1))
      }
      if (headers['Authorization']) secret(headers['Authorization'].replace(/^\w+ /, ''))
      const { ca, cert, key, passphrase, rejectUnauthorized, servername } = options
      const tls = Object.fromEntries(
        Object.entries({ ca, cert, key, passphrase, rejectUnauthorized, servername }).filter(
          ([, value]) => value != null,
        ),
      )
      if (cluster.proxyUrl) return { headers, tls, agent: options.agent as Agent }
      const agent = await environmentProxy(server)
      return { headers, tls: agent ? { ...tls, ...identityOfAddress(server) } : tls, agent }
    },
  }
}

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

function credentialError(error: unknown, plugin: string | undefined): Error {
  if (plugin === undefined)
    return new ConfigurationError(`kubeconfig: its credentials cannot be used: ${messageOf(error)}`)
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
    return new ConfigurationError(
      `kubeconfig: its user needs the exec plugin \`${plugin}\`, which is not on this runner's PATH. ${howToInstall(plugin)}`,
    )
  }
  return new ConfigurationError(
    `kubeconfig: the exec plugin \`${plugin}\` gave no credentials: ${firstLine(messageOf(error)) || 'it said nothing'}`,
  )
}

function howToInstall(plugin: string): string {
  const name = plugin.split('/').at(-1) ?? plugin
  const known: Record<string, string> = {
    'gke-gcloud-auth-plugin':
      'Install it with `gcloud components install gke-gcloud-auth-plugin`, or use google-github-actions/get-gke-credentials, whose kubeconfig needs no plugin.',
    aws: 'Install the AWS CLI v2 and run aws-actions/configure-aws-credentials in a step before.',
    kubelogin: 'Install it with the action azure/use-kubelogin in a step before.',
  }
  return known[name] ?? 'Install it in a step before, or give a kubeconfig with a token.'
}

function requireFile(path: string, input: string): void {
  if (!existsSync(path)) {
    throw new ConfigurationError(
      `${input}: there is no file ${JSON.stringify(path)}. ` +
        'Set the input `kubeconfig` (a path or the content) or the variable KUBECONFIG, or write the file in a step before.',
    )
  }
  readFileSync(path) // an unreadable file is told by its own error
}

function describe(source: KubeconfigSource, env: NodeJS.ProcessEnv): string {
  if (source.kind === 'content') return 'the given content'
  if (source.kind === 'path') return JSON.stringify(source.path)
  return env['KUBECONFIG'] ? 'the file of KUBECONFIG' : '~/.kube/config'
}

function firstLine(text: string): string {
  return text.trim().split('\n')[0]?.slice(0, 300) ?? ''
}
