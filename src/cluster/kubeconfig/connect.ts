import type { RequestOptions } from 'node:https'
import { environmentProxy, proxyAgent } from '../../common/proxy.ts'
import { trustSystemAuthorities } from '../../common/system-authorities.ts'
import { hostForMessage } from '../../common/url-text.ts'
import { usableKey } from '../certificates.ts'
import { bearer, checkPlainHttp, identityOfAddress, type Connection, type Credentials } from '../connection.ts'
import { protectionWarnings } from '../insecurity.ts'
import { clientNodeOptions } from './client-config.ts'
import { authorityReader, execCluster, proxyUrlOf, serverOf } from './cluster-entry.ts'
import { chooseContext } from './context.ts'
import { entryName, pathIn, textOf, type Entry, type UserEntry } from './entry.ts'
import { execSource, readPlugin, type ExecCredential, type ExecPlugin } from './exec-plugin.ts'
import { impersonationHeaders } from './impersonation.ts'
import { needsClientNode, plainCredentials } from './plain-credentials.ts'
import { readKubeconfig, type KubeconfigSource } from './read-kubeconfig.ts'
import { checkRules, isAuthenticated } from './rules.ts'
import { connectServiceAccount, isInPod, podNamespace, serviceAccountFolder } from './service-account.ts'
import {
  checkAuthProvider,
  checkClientCertificate,
  hasCredentials,
  readTokenFile,
  rejectedCredentialsFix,
  unusableCredentials,
} from './user-entry.ts'

export type { KubeconfigSource } from './read-kubeconfig.ts'

export interface KubeconfigOptions {
  readonly source: KubeconfigSource
  /** undefined: the current context */
  readonly context: string | undefined
  readonly env: NodeJS.ProcessEnv
  /** variables of the step and of the job (INPUT_*, ACTIONS_*) that an exec plugin receives */
  readonly pluginVariables?: readonly string[]
  /** called with every credential before it is used, so that the log masks it */
  readonly maskSecret: (value: string) => void
  /** how to install an exec plugin, by the file name of its command; whole sentences */
  readonly installFixes?: ReadonlyMap<string, string>
  /** where the kubelet mounts the service account of this pod */
  readonly podFolder?: string
}

/**
 * Connects by a kubeconfig; no request is sent yet. client-node's KubeConfig asks auth-providers; certificates, tokens, exec plugins, proxies, `tokenFile`, impersonation and the merge of several files are handled here.
 * @throws ConfigurationError where there is no kubeconfig, or an entry that its context names is missing or invalid
 */
export async function connectKubeconfig(options: KubeconfigOptions): Promise<Connection> {
  const { source, context, env, pluginVariables, maskSecret, installFixes, podFolder = serviceAccountFolder } = options
  const pod = { env, folder: podFolder }
  const isPod = isInPod(pod)
  const mayUsePod = isPod && source.kind === 'default' && context === undefined
  const kubeconfig = await readKubeconfig(source, env, mayUsePod)
  if (mayUsePod && kubeconfig.isEmpty) return connectServiceAccount(pod, maskSecret)
  const chosen = chooseContext(kubeconfig, context)
  const { cluster } = chosen
  const server = serverOf(cluster)
  checkRules(cluster, chosen.user, server)
  const user = withoutUnused(chosen.user, server)
  const readAuthority = authorityReader(cluster, server)
  const authority = readAuthority()
  if (authority === undefined) trustRunner(cluster, server, env)
  const impersonation = impersonationHeaders(user.fields)
  const plugin = pluginOf(user)
  const execInfo = plugin?.provideClusterInfo ? execCluster(cluster, server, authority) : undefined
  const exec =
    plugin &&
    execSource(plugin, { cluster: execInfo, folder: user.folder, env, allowedVariables: pluginVariables, installFixes })
  const proxyUrl = proxyUrlOf(cluster)
  // Not of `user`: kubectl drops the credentials in silence, and the first answer would be a 401.
  if (hasCredentials(chosen.user)) checkPlainHttp({ server, input: 'kubeconfig' })
  checkClientCertificate(user)
  checkAuthProvider(user)
  const requestOptions = needsClientNode(user)
    ? await clientNodeOptions(cluster, server, authority, user)
    : async () => Promise.resolve(plainCredentials(cluster, user))

  return {
    input: 'kubeconfig',
    server,
    namespace: textOf(chosen.context.fields['namespace']) ?? (isPod ? podNamespace(pod) : undefined),
    description: `${new URL(server).host} as ${user.name ?? '(no user)'} (context ${chosen.context.name})`,
    trustedAuthority: 'the certificate-authority-data of the kubeconfig',
    warnings: protectionWarnings(
      { server, skipsVerification: cluster.fields['insecure-skip-tls-verify'] === true },
      env,
    ),
    credentialsFix: () => rejectedCredentialsFix(user),
    credentials: async () => {
      // Of client-node only what authenticates is used: its agents ignore HTTPS_PROXY, and are cached with their first certificate.
      const base = await requestOptions().catch((error: unknown) => {
        throw unusableCredentials(user, error)
      })
      const given = await exec?.get()
      const headers = authenticationHeaders(user, base, given, maskSecret)
      const tls = tlsOptions(base, given, readAuthority())
      const refused = exec && given ? () => exec.invalidate(given) : undefined
      const identity = { headers: { ...headers, ...impersonation }, refused }
      if (proxyUrl !== undefined) {
        const proxy = { name: `proxy-url (${hostForMessage(proxyUrl)})`, isFromEnvironment: false }
        return { ...identity, tls: { ...tls, ...identityOfAddress(server) }, agent: await proxyAgent(proxyUrl), proxy }
      }
      const proxy = await environmentProxy(server, env)
      return { ...identity, tls: proxy ? { ...tls, ...identityOfAddress(server) } : tls, agent: proxy?.agent, proxy }
    },
  }
}

function trustRunner(cluster: Entry, server: string, env: NodeJS.ProcessEnv): void {
  const isChecked = server.startsWith('https:') && cluster.fields['insecure-skip-tls-verify'] !== true
  if (isChecked) trustSystemAuthorities(env)
}

/** Without TLS kubectl sends no credentials, and it does not run the exec plugin of a user that has others. */
function withoutUnused(user: UserEntry, server: string): UserEntry {
  const isUsed = (field: string): boolean =>
    server.startsWith('https:') ? field !== 'exec' || !isAuthenticated(user) : field.startsWith('as')
  return { ...user, fields: Object.fromEntries(Object.entries(user.fields).filter(([field]) => isUsed(field))) }
}

function pluginOf(user: UserEntry): ExecPlugin | undefined {
  if (user.fields['exec'] == null) return undefined
  return readPlugin(user.fields['exec'], `the exec plugin of its ${entryName(user, 'user')}`)
}

/** Basic authentication, or the token of the exec plugin, the tokenFile or client-node, in this order of precedence. */
function authenticationHeaders(
  user: UserEntry,
  options: RequestOptions,
  given: ExecCredential | undefined,
  maskSecret: (value: string) => void,
): Record<string, string> {
  const headers = Object.fromEntries(
    Object.entries((options.headers ?? {}) as Record<string, unknown>).map(([name, value]) => [name, String(value)]),
  )
  if (options.auth) {
    headers['Authorization'] = `Basic ${Buffer.from(options.auth).toString('base64')}`
    maskSecret(options.auth.slice(options.auth.indexOf(':') + 1))
  }
  const fixed = /^Bearer ([^]*)$/.exec(headers['Authorization'] ?? '')?.[1]
  const tokenFile = pathIn(user, 'tokenFile')
  const token = given?.token ?? (tokenFile === undefined ? undefined : readTokenFile(tokenFile, fixed)) ?? fixed
  if (token !== undefined) {
    const subject = `the token of its ${entryName(user, 'user')}`
    headers['Authorization'] = bearer(token, { input: 'kubeconfig', subject })
  }
  if (headers['Authorization']) maskSecret(headers['Authorization'].replace(/^\w+ /, ''))
  return headers
}

function tlsOptions(
  { passphrase, rejectUnauthorized, servername, ...options }: RequestOptions,
  given: ExecCredential | undefined,
  ca: string | undefined,
): Credentials['tls'] {
  const cert = given?.certificate ?? options.cert
  const pem = given?.key ?? (options.key as string | Buffer | undefined)
  const key = pem && usableKey(pem)
  return Object.fromEntries(
    Object.entries({ ca, cert, key, passphrase, rejectUnauthorized, servername }).filter(([, value]) => value != null),
  )
}
