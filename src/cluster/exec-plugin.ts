import { existsSync } from 'node:fs'
import { isAbsolute, resolve } from 'node:path'
import { ConfigurationError, messageOf } from '../errors.ts'
import { pairProblem } from './certificates.ts'
import { keepCredential, type KeptCredential } from './kept-credential.ts'
import { runPlugin } from './plugin-process.ts'

/** `user.exec` of a kubeconfig: client.authentication.k8s.io, ExecConfig. */
export interface ExecPlugin {
  readonly apiVersion?: string
  readonly command: string
  readonly args?: readonly (string | number)[] | null
  readonly env?: readonly { readonly name: string; readonly value: string }[] | null
  readonly installHint?: string
  readonly provideClusterInfo?: boolean
}

/** What the plugin may know of the cluster, for `provideClusterInfo`. */
export interface ExecCluster {
  readonly server: string
  readonly 'tls-server-name'?: string
  readonly 'insecure-skip-tls-verify'?: boolean
  /** base64 of PEM */
  readonly 'certificate-authority-data'?: string
  readonly 'proxy-url'?: string
  /** the cluster's extension `client.authentication.k8s.io/exec` */
  readonly config?: unknown
}

/** What a plugin hands out: a token, or a client certificate with its key (PEM), or both. */
export interface ExecCredential {
  readonly token: string | undefined
  readonly certificate: string | undefined
  readonly key: string | undefined
}

export type ExecSource = KeptCredential<ExecCredential>

/**
 * `user.exec` of a kubeconfig, checked. `whose` begins the error: `kubeconfig: the exec plugin of its user "dev"`.
 * @throws ConfigurationError where kubectl would not take it either
 */
export function readPlugin(value: unknown, whose: string): ExecPlugin {
  const fix =
    'Write the kubeconfig anew; the reference is "Client authentication (v1)", ExecConfig, of the Kubernetes documentation.'
  if (typeof value !== 'object' || value === null) throw new ConfigurationError(`${whose} is no mapping. ${fix}`)
  const { command, args, env } = value as Record<string, unknown>
  if (typeof command !== 'string' || command === '') throw new ConfigurationError(`${whose} has no command. ${fix}`)
  const isWord = (one: unknown): boolean => typeof one === 'string' && !one.includes('\0')
  if (args != null && !(Array.isArray(args) && args.every((one) => isWord(one) || typeof one === 'number'))) {
    throw new ConfigurationError(`${whose} has args that are no list of strings. ${fix}`)
  }
  const isVariable = (one: unknown): boolean =>
    isWord((one as { name?: unknown } | null)?.name) && isWord((one as { value?: unknown } | null)?.value)
  if (env != null && !(Array.isArray(env) && env.every(isVariable))) {
    throw new ConfigurationError(`${whose} has an env that is no list of \`{ name: NAME, value: TEXT }\`. ${fix}`)
  }
  return value as ExecPlugin
}

/**
 * A source of credentials that runs the plugin as kubectl does (KUBERNETES_EXEC_INFO, no terminal), keeps what it gave until shortly before
 * it expires, and runs it once for callers at the same time. `folder` is the kubeconfig's: a relative command is looked up there.
 * Its errors are ConfigurationErrors that name the plugin and how to get it.
 */
export function execSource(
  plugin: ExecPlugin,
  cluster: ExecCluster | undefined,
  folder: string | undefined,
  env: NodeJS.ProcessEnv,
  {
    now = Date.now,
    timeout = 60_000,
  }: {
    readonly now?: () => number
    /** a plugin that waits for a person, or for a network that is not there, is ended after this time, ms */
    readonly timeout?: number
  } = {},
): ExecSource {
  return keepCredential(async () => {
    const { credential, expires } = readAnswer(plugin, await answerOf(plugin, cluster, folder, env, timeout))
    return { value: credential, expires }
  }, now)
}

const defaultVersion = 'client.authentication.k8s.io/v1'

/** What the plugin says on stdout. */
async function answerOf(
  plugin: ExecPlugin,
  cluster: ExecCluster | undefined,
  folder: string | undefined,
  env: NodeJS.ProcessEnv,
  timeout: number,
): Promise<string> {
  const info = {
    apiVersion: plugin.apiVersion ?? defaultVersion,
    kind: 'ExecCredential',
    spec: { interactive: false, ...(plugin.provideClusterInfo ? { cluster } : {}) },
  }
  const own = Object.fromEntries((plugin.env ?? []).map(({ name, value }) => [name, value]))
  const command = commandPath(plugin.command, folder)
  const args = (plugin.args ?? []).map(String)
  const variables = { ...env, ...own, KUBERNETES_EXEC_INFO: JSON.stringify(info) }
  const end = await runPlugin(command, args, variables, timeout).catch((error: unknown) => {
    throw notStarted(plugin, command, error as NodeJS.ErrnoException)
  })
  if (end.how === 'too-long') throw failed(plugin, 'its answer is longer than 1 MiB')
  if (end.how === 'late') throw failed(plugin, `it gave no answer within ${timeout / 1000} s`)
  if (end.code === 0) return end.stdout
  const words = end.stderr.trim().split('\n').slice(-3).join('; ')
  throw failed(
    plugin,
    words ||
      (end.code === undefined ? `it was ended by ${end.signal ?? 'a signal'}` : `it ended with exit code ${end.code}`),
  )
}

/** kubectl's rule: a name is looked up in PATH, a path with a slash is relative to the kubeconfig. */
function commandPath(command: string, folder: string | undefined): string {
  return command.includes('/') && !isAbsolute(command) && folder !== undefined ? resolve(folder, command) : command
}

function readAnswer(plugin: ExecPlugin, text: string): { credential: ExecCredential; expires: number } {
  let status: Record<string, unknown>
  try {
    status = (JSON.parse(text) as { status?: Record<string, unknown> }).status ?? {} // of null it throws, as it should
  } catch {
    throw failed(plugin, 'its answer is not an ExecCredential')
  }
  const word = (name: string): string | undefined => {
    const value = status[name]
    return typeof value === 'string' && value !== '' ? value : undefined
  }
  const credential = { token: word('token'), certificate: word('clientCertificateData'), key: word('clientKeyData') }
  if (credential.token === undefined && credential.certificate === undefined) {
    throw failed(plugin, 'its answer has neither a token nor a certificate')
  }
  if (credential.certificate !== undefined && credential.key === undefined) {
    throw failed(plugin, 'its answer has a certificate without its key')
  }
  if (credential.certificate !== undefined && credential.key !== undefined) {
    const problem = pairProblem(credential.certificate, credential.key)
    if (problem !== undefined) throw failed(plugin, `its answer has ${problem}`)
  }
  const expires = Date.parse(word('expirationTimestamp') ?? '')
  return { credential, expires: Number.isNaN(expires) ? Infinity : expires }
}

function notStarted(plugin: ExecPlugin, command: string, error: NodeJS.ErrnoException): Error {
  if (error.code !== 'ENOENT') return failed(plugin, messageOf(error))
  const needs = `kubeconfig: its user needs the exec plugin \`${plugin.command}\``
  if (existsSync(command)) {
    return new ConfigurationError(
      `${needs}, which is there, but the interpreter that its first line (#!) names is not. Install that in a step before.`,
    )
  }
  const where = command.includes('/') ? 'there is no such file on this runner' : "which is not on this runner's PATH"
  return new ConfigurationError(`${needs}${command.includes('/') ? ', but ' : ', '}${where}. ${howToInstall(plugin)}`)
}

function failed(plugin: ExecPlugin, cause: string): Error {
  return new ConfigurationError(
    `kubeconfig: the exec plugin \`${plugin.command}\` gave no credentials: ${cause.slice(0, 500)}. ` +
      'Run it by hand in a step before this one to see why.',
  )
}

const knownPlugins = new Map([
  [
    'gke-gcloud-auth-plugin',
    'Install it with `gcloud components install gke-gcloud-auth-plugin`, or use google-github-actions/get-gke-credentials, whose kubeconfig needs no plugin.',
  ],
  ['aws', 'Install the AWS CLI v2 and run aws-actions/configure-aws-credentials in a step before.'],
  ['aws-iam-authenticator', 'Install it in a step before, or write the kubeconfig with `aws eks update-kubeconfig`.'],
  ['kubelogin', 'Install it with the action azure/use-kubelogin in a step before.'],
])

function howToInstall({ command, installHint }: ExecPlugin): string {
  const known = knownPlugins.get(command.split('/').at(-1) ?? command)
  const hint = installHint?.trim().replace(/\s+/g, ' ').slice(0, 500)
  if (!hint) return known ?? 'Install it in a step before, or give a kubeconfig with a token.'
  return known === undefined ? hint : `${known} The kubeconfig says: ${hint}`
}
