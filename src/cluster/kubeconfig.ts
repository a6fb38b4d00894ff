import { readFileSync } from 'node:fs'
import type { Agent, RequestOptions } from 'node:https'
import { homedir } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'
import { ConfigurationError, messageOf } from '../errors.ts'
import { environmentProxy, identityOfAddress, type Connection } from './connection.ts'
import { execSource, type ExecCluster, type ExecPlugin, type ExecSource } from './exec-plugin.ts'

export type KubeconfigSource =
  | { readonly kind: 'default' }
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'content'; readonly content: string }

/**
 * Opens a kubeconfig; nothing is contacted yet. client-node's KubeConfig parses it and reads certificates; exec plugins, `tokenFile` and
 * several files in KUBECONFIG are ours. `secret` is told every credential before it is used, so that the log masks it.
 * @throws ConfigurationError when there is none, or it is broken, or the context does not exist
 */
export async function connectKubeconfig(
  source: KubeconfigSource,
  context: string | undefined,
  env: NodeJS.ProcessEnv,
  secret: (value: string) => void,
): Promise<Connection> {
  const from = describe(source, env)
  const { config, tokenFiles, folders } = await load(source, env, from)
  if (context !== undefined) config.setCurrentContext(context)
  const current = config.getContextObject(config.getCurrentContext())
  const cluster = config.getCurrentCluster()
  if (!current || !cluster) {
    const known = config
      .getContexts()
      .map(({ name }) => name)
      .join(', ')
    throw new ConfigurationError(
      context === undefined
        ? `kubeconfig: ${from} has no usable current context. Set the input \`context\` to one of: ${known || '(it has none)'}.`
        : `context: got ${JSON.stringify(context)}, but ${from} has: ${known || 'no contexts'}.`,
    )
  }
  const { server } = cluster
  if (!/^https?:\/\//.test(server)) {
    throw new ConfigurationError(
      `kubeconfig: ${from} has the server ${JSON.stringify(server)}; it must be an https URL.`,
    )
  }
  // `kubectl proxy` speaks plain http; client-node takes that only together with this word.
  if (server.startsWith('http:')) Object.assign(cluster, { skipTLSVerify: true })

  const user = config.getCurrentUser()
  const tokenFile = user ? tokenFiles.get(user.name) : undefined
  const plugin = user?.exec as ExecPlugin | undefined | null
  let exec: ExecSource | undefined
  if (user && plugin) {
    exec = execSource(plugin, execCluster(cluster), folders.get(user.name), env)
    Object.assign(user, { exec: null }) // so that client-node does not run it, too
  }
  return {
    input: 'kubeconfig',
    server,
    namespace: current.namespace,
    description: `${new URL(server).host} as ${user?.name ?? 'nobody'} (context ${current.name})`,
    credentials: async () => {
      // Only what decides who we are comes from client-node: its agents ignore HTTPS_PROXY, and are cached with their first certificate.
      const options: RequestOptions = {}
      try {
        await config.applyToHTTPSOptions(options)
      } catch (error) {
        throw new ConfigurationError(`kubeconfig: its credentials cannot be used: ${firstLine(messageOf(error))}`)
      }
      const headers: Record<string, string> = {}
      for (const [name, value] of Object.entries((options.headers ?? {}) as Record<string, unknown>)) {
        headers[name] = String(value)
      }
      if (options.auth) {
        headers['Authorization'] = `Basic ${Buffer.from(options.auth).toString('base64')}`
        secret(options.auth.slice(options.auth.indexOf(':') + 1))
      }
      if (tokenFile !== undefined) headers['Authorization'] = `Bearer ${readToken(tokenFile)}`
      const given = exec ? await exec() : undefined
      if (given?.token !== undefined) headers['Authorization'] = `Bearer ${given.token}`
      if (headers['Authorization']) secret(headers['Authorization'].replace(/^\w+ /, ''))
      const { ca, passphrase, rejectUnauthorized, servername } = options
      const cert = given?.certificate ?? options.cert
      const key = given?.key ?? options.key
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

interface Loaded {
  readonly config: InstanceType<typeof import('@kubernetes/client-node/dist/config.js').KubeConfig>
  /** kubectl's key; client-node reads only `token-file` */
  readonly tokenFiles: ReadonlyMap<string, string>
  /** the folder of the file that a user comes from */
  readonly folders: ReadonlyMap<string, string>
}

async function load(source: KubeconfigSource, env: NodeJS.ProcessEnv, from: string): Promise<Loaded> {
  const { KubeConfig } = await import('@kubernetes/client-node/dist/config.js')
  const tokenFiles = new Map<string, string>()
  const folders = new Map<string, string>()
  const parts: InstanceType<typeof KubeConfig>[] = []
  try {
    for (const { text, folder } of files(source, env)) {
      const part = new KubeConfig()
      part.loadFromString(text)
      if (folder !== undefined) part.makePathsAbsolute(folder)
      for (const { name } of part.users) if (folder !== undefined && !folders.has(name)) folders.set(name, folder)
      if (text.includes('tokenFile')) await findTokenFiles(text, folder, tokenFiles)
      parts.push(part)
    }
  } catch (error) {
    if (error instanceof ConfigurationError) throw error
    throw new ConfigurationError(
      `kubeconfig: ${from} cannot be read as a kubeconfig: ${firstLine(messageOf(error))}. ` +
        'Give the path or the content of a kubeconfig that `kubectl --kubeconfig` accepts.',
    )
  }
  // Of several files the first that names a thing wins, as with kubectl; client-node would refuse the second.
  const config = new KubeConfig()
  config.loadFromOptions({
    clusters: firstOfEach(parts.flatMap(({ clusters }) => clusters)),
    users: firstOfEach(parts.flatMap(({ users }) => users)),
    contexts: firstOfEach(parts.flatMap(({ contexts }) => contexts)),
    currentContext: parts.map(({ currentContext }) => currentContext).find(Boolean) ?? '',
  })
  return { config, tokenFiles, folders }
}

function files(source: KubeconfigSource, env: NodeJS.ProcessEnv): { text: string; folder: string | undefined }[] {
  if (source.kind === 'content') return [{ text: source.content, folder: undefined }]
  if (source.kind === 'path') return [readFile(source.path, 'kubeconfig')]
  const named = (env['KUBECONFIG'] ?? '').split(delimiter).filter(Boolean)
  if (named.length === 0) return [readFile(join(homedir(), '.kube', 'config'), 'kubeconfig')]
  return named.map((path) => readFile(path, 'KUBECONFIG'))
}

function readFile(path: string, input: string): { text: string; folder: string } {
  try {
    return { text: readFileSync(path, 'utf8'), folder: dirname(resolve(path)) }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    throw new ConfigurationError(
      `${input}: there is no file ${JSON.stringify(path)}. ` +
        'Set the input `kubeconfig` (a path or the content) or the variable KUBECONFIG, or write the file in a step before.',
    )
  }
}

async function findTokenFiles(text: string, folder: string | undefined, found: Map<string, string>): Promise<void> {
  const { load: parse } = await import('js-yaml')
  const { users = [] } = parse(text) as { users?: { name: string; user?: { token?: string; tokenFile?: string } }[] }
  for (const { name, user } of users) {
    if (user?.tokenFile && !found.has(name)) found.set(name, folder ? resolve(folder, user.tokenFile) : user.tokenFile)
  }
}

/** Read anew each time: whoever rotates the token writes the file. */
function readToken(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch (error) {
    throw new ConfigurationError(`kubeconfig: its tokenFile cannot be read: ${messageOf(error)}`)
  }
}

function firstOfEach<T extends { readonly name: string }>(list: readonly T[]): T[] {
  return [...new Map([...list].reverse().map((one) => [one.name, one])).values()].reverse()
}

interface ClusterFacts {
  readonly server: string
  readonly tlsServerName?: string | undefined
  readonly skipTLSVerify?: boolean | undefined
  readonly caData?: string | undefined
  readonly caFile?: string | undefined
  readonly proxyUrl?: string | undefined
}

function execCluster(cluster: ClusterFacts): ExecCluster {
  const ca = cluster.caFile ? readFileSync(cluster.caFile).toString('base64') : cluster.caData
  return {
    server: cluster.server,
    ...(cluster.tlsServerName ? { 'tls-server-name': cluster.tlsServerName } : {}),
    ...(cluster.skipTLSVerify ? { 'insecure-skip-tls-verify': true } : {}),
    ...(ca ? { 'certificate-authority-data': ca } : {}),
    ...(cluster.proxyUrl ? { 'proxy-url': cluster.proxyUrl } : {}),
  }
}

function describe(source: KubeconfigSource, env: NodeJS.ProcessEnv): string {
  if (source.kind === 'content') return 'the given content'
  if (source.kind === 'path') return JSON.stringify(source.path)
  return env['KUBECONFIG'] ? 'the file of KUBECONFIG' : '~/.kube/config'
}

function firstLine(text: string): string {
  return text.trim().split('\n')[0]?.slice(0, 300) ?? ''
}
