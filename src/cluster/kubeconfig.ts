import type { Agent, RequestOptions } from 'node:https'
import { ConfigurationError } from '../errors.ts'
import { bearer, identityOfAddress, type Connection } from './connection.ts'
import { execSource, readPlugin, type ExecSource } from './exec-plugin.ts'
import { impersonationHeaders } from './impersonation.ts'
import { authorityReader, checkProxy, execCluster, serverOf } from './kubeconfig-cluster.ts'
import { nameOf, pathIn, text } from './kubeconfig-entry.ts'
import { readKubeconfig, type Entry, type Kubeconfig, type KubeconfigSource } from './kubeconfig-files.ts'
import { adviceFor, checkAuthProvider, checkClientCertificate, readToken, unusable } from './kubeconfig-user.ts'
import { environmentProxy, withoutPassword } from '../proxy.ts'

export type { KubeconfigSource } from './kubeconfig-files.ts'

/**
 * Opens a kubeconfig; nothing is contacted yet. What is chosen in it is given to client-node's KubeConfig, which reads certificates and
 * auth-providers; exec plugins, `tokenFile`, impersonation and several files in KUBECONFIG are ours. `secret` is told every credential before
 * it is used, so that the log masks it.
 * @throws ConfigurationError when there is none, or what its context names is missing or broken
 */
export async function connectKubeconfig(
  source: KubeconfigSource,
  contextName: string | undefined,
  env: NodeJS.ProcessEnv,
  secret: (value: string) => void,
): Promise<Connection> {
  const { context, cluster, user } = choose(await readKubeconfig(source, env), contextName)
  const server = serverOf(cluster)
  const readAuthority = authorityReader(cluster)
  const authority = readAuthority()
  const impersonation = impersonationHeaders(user.fields)
  const exec = execOf(user, cluster, server, authority, env)
  const tokenFile = pathIn(user, 'tokenFile')
  const proxyUrl = checkProxy(cluster)
  checkClientCertificate(user)
  checkAuthProvider(user)
  const config = await clientConfig({ ...cluster.fields, server }, authority, user)

  return {
    input: 'kubeconfig',
    server,
    namespace: text(context.fields['namespace']),
    description: `${new URL(server).host} as ${user.name || 'nobody'} (context ${context.name})`,
    whenRefused: () => adviceFor(user),
    credentials: async () => {
      // Only what decides who we are comes from client-node: its agents ignore HTTPS_PROXY, and are cached with their first certificate.
      const options: RequestOptions = {}
      try {
        await config.applyToHTTPSOptions(options)
      } catch (error) {
        throw unusable(user, error)
      }
      const headers: Record<string, string | string[]> = {}
      for (const [header, value] of Object.entries((options.headers ?? {}) as Record<string, unknown>)) {
        headers[header] = String(value)
      }
      Object.assign(headers, impersonation)
      if (options.auth) {
        headers['Authorization'] = `Basic ${Buffer.from(options.auth).toString('base64')}`
        secret(options.auth.slice(options.auth.indexOf(':') + 1))
      }
      const given = await exec?.get()
      const token =
        given?.token ??
        (tokenFile === undefined ? undefined : readToken(tokenFile)) ??
        /^Bearer ([^]*)$/.exec(String(headers['Authorization']))?.[1]
      if (token !== undefined) {
        headers['Authorization'] = bearer(token, `kubeconfig: the token of its user ${JSON.stringify(user.name)}`)
      }
      if (headers['Authorization']) secret(String(headers['Authorization']).replace(/^\w+ /, ''))
      const { passphrase, rejectUnauthorized, servername } = options
      const ca = readAuthority()
      const cert = given?.certificate ?? options.cert
      const key = given?.key ?? options.key
      const tls = Object.fromEntries(
        Object.entries({ ca, cert, key, passphrase, rejectUnauthorized, servername }).filter(
          ([, value]) => value != null,
        ),
      )
      const refused = exec && given ? () => exec.refused(given) : undefined
      if (proxyUrl !== undefined) {
        return {
          headers,
          tls,
          agent: options.agent as Agent,
          proxy: `proxy-url (${withoutPassword(proxyUrl)})`,
          refused,
        }
      }
      const proxy = await environmentProxy(server)
      const checked = proxy ? { ...tls, ...identityOfAddress(server) } : tls
      return { headers, tls: checked, agent: proxy?.agent, proxy: proxy?.name, refused }
    },
  }
}

function choose(
  { from, currentContext, contexts, clusters, users }: Kubeconfig,
  wanted: string | undefined,
): { context: Entry; cluster: Entry; user: Entry } {
  const known = (entries: ReadonlyMap<string, Entry>): string => [...entries.keys()].join(', ')
  const context = contexts.get(wanted ?? currentContext ?? '')
  if (!context) {
    throw new ConfigurationError(
      wanted === undefined
        ? `kubeconfig: ${from} has no usable current context${currentContext === undefined ? '' : ` (${JSON.stringify(currentContext)} is not there)`}. ` +
            `Set the input \`context\` to one of: ${known(contexts) || '(it has none)'}.`
        : `context: got ${JSON.stringify(wanted)}, but ${from} has: ${known(contexts) || 'no contexts'}.`,
    )
  }
  const missing = (what: string, called: string | undefined, entries: ReadonlyMap<string, Entry>): ConfigurationError =>
    new ConfigurationError(
      `kubeconfig: the context ${JSON.stringify(context.name)} of ${from} names ${called === undefined ? `no ${what}` : `the ${what} ${JSON.stringify(called)}`}, ` +
        `and the ${what}s there are: ${known(entries) || 'none'}. Correct the kubeconfig, or set the input \`context\` to another one.`,
    )
  const clusterName = text(context.fields['cluster'])
  const cluster = clusters.get(clusterName ?? '')
  if (!cluster) throw missing('cluster', clusterName, clusters)
  const userName = text(context.fields['user'])
  const user = userName === undefined ? { name: '', fields: {}, folder: undefined } : users.get(userName)
  if (!user) throw missing('user', userName, users)
  return { context, cluster, user }
}

function execOf(
  user: Entry,
  cluster: Entry,
  server: string,
  authority: string | undefined,
  env: NodeJS.ProcessEnv,
): ExecSource | undefined {
  if (user.fields['exec'] == null) return undefined
  const plugin = readPlugin(user.fields['exec'], `kubeconfig: the exec plugin of its ${nameOf(user, 'user')}`)
  const told = plugin.provideClusterInfo ? execCluster(cluster, server, authority) : undefined
  return execSource(plugin, told, user.folder, env)
}

type ClientConfig = InstanceType<typeof import('@kubernetes/client-node/dist/config.js').KubeConfig>

async function clientConfig(
  cluster: Readonly<Record<string, unknown>> & { readonly server: string },
  authority: string | undefined,
  user: Entry,
): Promise<ClientConfig> {
  const { KubeConfig } = await import('@kubernetes/client-node/dist/config.js')
  const config = new KubeConfig()
  const credentials: Record<string, unknown> = { ...user.fields }
  // Ours, so that client-node neither runs nor reads them, too.
  for (const field of ['exec', 'tokenFile', 'as']) delete credentials[field]
  for (const field of ['client-certificate', 'client-key', 'token-file']) {
    const path = pathIn(user, field)
    if (path !== undefined) credentials[field] = path
  }
  const way: Record<string, unknown> = { ...cluster }
  delete way['certificate-authority']
  delete way['certificate-authority-data']
  // The agent of `proxy-url` checks the certificate by it.
  if (authority !== undefined) way['certificate-authority-data'] = Buffer.from(authority).toString('base64')
  // `kubectl proxy` speaks plain http; client-node takes that only together with this word.
  if (cluster.server.startsWith('http:')) way['insecure-skip-tls-verify'] = true
  try {
    // JSON is YAML.
    config.loadFromString(
      JSON.stringify({
        clusters: [{ name: 'cluster', cluster: way }],
        users: [{ name: 'user', user: credentials }],
        contexts: [{ name: 'context', context: { cluster: 'cluster', user: 'user' } }],
        'current-context': 'context',
      }),
    )
  } catch (error) {
    throw unusable(user, error)
  }
  return config
}
