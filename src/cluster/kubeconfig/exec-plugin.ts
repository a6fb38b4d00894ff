import { basename, isAbsolute, resolve } from 'node:path'
import { cacheCredential, type CachedCredential } from '../../common/cached-credential.ts'
import { childEnvironment } from '../../common/child-environment.ts'
import { ConfigurationError } from '../../common/errors.ts'
import { pairProblem } from '../certificates.ts'
import { pluginFailed, pluginNotStarted } from './exec-errors.ts'
import { runPlugin } from './plugin-process.ts'

/** `user.exec` of a kubeconfig: client.authentication.k8s.io, ExecConfig. */
export interface ExecPlugin {
  /** without it: client.authentication.k8s.io/v1 */
  readonly apiVersion?: string
  readonly command: string
  readonly args?: readonly string[] | null
  readonly env?: readonly { readonly name: string; readonly value?: string | null }[] | null
  readonly installHint?: string
  readonly provideClusterInfo?: boolean
}

/** The cluster in KUBERNETES_EXEC_INFO, for `provideClusterInfo`. */
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

/** What a plugin returns: a token, or a client certificate with its key (PEM), or both. */
export interface ExecCredential {
  readonly token: string | undefined
  readonly certificate: string | undefined
  readonly key: string | undefined
}

export type ExecSource = CachedCredential<ExecCredential>

/** Where a plugin runs. */
export interface ExecEnvironment {
  /** undefined: the plugin does not ask for it */
  readonly cluster: ExecCluster | undefined
  /** of the kubeconfig: a relative command is resolved against it */
  readonly folder: string | undefined
  readonly env: NodeJS.ProcessEnv
  /** variables of the step and of the job (INPUT_*, ACTIONS_*) that the plugin receives */
  readonly allowedVariables?: readonly string[] | undefined
  /** how to install a plugin, by the file name of its command; whole sentences */
  readonly installFixes?: ReadonlyMap<string, string> | undefined
}

export interface ExecOptions {
  readonly now?: () => number
  /** A plugin that waits for input, or for a network that is not there, is ended after this time. */
  readonly timeoutMs?: number
}

/**
 * `user.exec` of a kubeconfig, checked. `subject` of the error: `the exec plugin of its user "dev"`.
 * @throws ConfigurationError where kubectl rejects it, too
 */
export function readPlugin(value: unknown, subject: string): ExecPlugin {
  const invalid = (problem: string): ConfigurationError =>
    new ConfigurationError({
      code: 'E_KUBECONFIG_USER_INVALID',
      input: 'kubeconfig',
      problem: `${subject} ${problem}`,
      fix: 'Create the kubeconfig again; the reference is "Client authentication (v1)", ExecConfig, in the Kubernetes documentation.',
    })
  if (typeof value !== 'object' || value === null) throw invalid('is not a mapping')
  const { command, args, env } = value as Record<string, unknown>
  if (typeof command !== 'string' || command === '' || !isText(command)) throw invalid('has no command')
  const protocolProblem = problemOfProtocol(value as Record<string, unknown>)
  if (protocolProblem !== undefined) throw invalid(protocolProblem)
  if (args != null && !(Array.isArray(args) && args.every(isText))) {
    throw invalid('has args that are not a list of strings')
  }
  if (env != null && !(Array.isArray(env) && env.every(isVariable))) {
    throw invalid('has an env that is not a list of `{ name: NAME, value: TEXT }`')
  }
  return value as ExecPlugin
}

const currentVersion = 'client.authentication.k8s.io/v1'
const apiVersions: readonly string[] = [currentVersion, 'client.authentication.k8s.io/v1beta1']

function problemOfProtocol({ apiVersion, interactiveMode }: Readonly<Record<string, unknown>>): string | undefined {
  if (typeof apiVersion !== 'string' || !apiVersions.includes(apiVersion)) {
    return `must have the apiVersion ${apiVersions.join(' or ')}`
  }
  const mode = interactiveMode || (apiVersion === currentVersion ? undefined : 'IfAvailable')
  if (mode === 'Always') return 'needs a terminal (interactiveMode: Always), which a workflow does not have'
  return mode === 'Never' || mode === 'IfAvailable' ? undefined : 'must have the interactiveMode Never or IfAvailable'
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && !value.includes('\0')
}

function isVariable(value: unknown): boolean {
  const { name, value: content } = (value ?? {}) as { name?: unknown; value?: unknown }
  return isText(name) && name !== '' && isText(content ?? '')
}

/**
 * Runs the plugin as kubectl does (KUBERNETES_EXEC_INFO, no terminal), caches what it returns until shortly before it expires, and runs it
 * once for concurrent callers. Its errors are ConfigurationErrors that name the plugin and how to install it.
 */
export function execSource(
  plugin: ExecPlugin,
  environment: ExecEnvironment,
  { now, timeoutMs = 60_000 }: ExecOptions = {},
): ExecSource {
  return cacheCredential(async () => parseAnswer(plugin, await answerOf(plugin, environment, timeoutMs)), now)
}

/** The stdout of a successful run. */
async function answerOf(
  plugin: ExecPlugin,
  { cluster, folder, env, allowedVariables, installFixes }: ExecEnvironment,
  timeoutMs: number,
): Promise<string> {
  const info = {
    apiVersion: plugin.apiVersion ?? currentVersion,
    kind: 'ExecCredential',
    spec: { interactive: false, ...(plugin.provideClusterInfo ? { cluster } : {}) },
  }
  const pluginEnv = Object.fromEntries((plugin.env ?? []).map(({ name, value }) => [name, value ?? '']))
  const command = commandPath(plugin.command, folder)
  const args = plugin.args ?? []
  const variables = {
    ...childEnvironment(env, allowedVariables),
    ...pluginEnv,
    KUBERNETES_EXEC_INFO: JSON.stringify(info),
  }
  const end = await runPlugin(command, args, variables, timeoutMs).catch((error: unknown) => {
    const knownFix = installFixes?.get(basename(plugin.command))
    throw pluginNotStarted({ ...plugin, knownFix }, command, error as NodeJS.ErrnoException)
  })
  if (end.how === 'output-too-long') throw pluginFailed(plugin, 'its answer is longer than 1 MiB')
  if (end.how === 'timed-out') throw pluginFailed(plugin, `it gave no answer within ${timeoutMs / 1000} s`)
  if (end.code === 0) return end.stdout
  const message = end.stderr.trim().split('\n').slice(-3).join('; ')
  const exit = end.code === undefined ? `it was ended by ${end.signal ?? 'a signal'}` : `its exit code is ${end.code}`
  throw pluginFailed(plugin, message || exit)
}

/** kubectl's rule: a name is looked up in PATH, a path with a slash is relative to the kubeconfig. */
function commandPath(command: string, folder: string | undefined): string {
  return command.includes('/') && !isAbsolute(command) && folder !== undefined ? resolve(folder, command) : command
}

function parseAnswer(plugin: ExecPlugin, stdout: string): { value: ExecCredential; expiresAtMs: number } {
  const { kind, apiVersion, status = {} } = parseCredential(plugin, stdout)
  if (kind !== 'ExecCredential') throw pluginFailed(plugin, 'its answer is not an ExecCredential')
  const expected = plugin.apiVersion ?? currentVersion
  if (apiVersion !== expected) {
    throw pluginFailed(plugin, `its answer does not have the apiVersion ${expected}, which the kubeconfig names`)
  }
  const field = (name: string): string | undefined => {
    const value = status[name]
    return typeof value === 'string' && value !== '' ? value : undefined
  }
  const value = { token: field('token'), certificate: field('clientCertificateData'), key: field('clientKeyData') }
  const problem = credentialProblem(value)
  if (problem !== undefined) throw pluginFailed(plugin, `its answer has ${problem}`)
  const expiresAtMs = Date.parse(field('expirationTimestamp') ?? '')
  return { value, expiresAtMs: Number.isNaN(expiresAtMs) ? Infinity : expiresAtMs }
}

interface CredentialAnswer {
  readonly kind?: unknown
  readonly apiVersion?: unknown
  readonly status?: Readonly<Record<string, unknown>>
}

function parseCredential(plugin: ExecPlugin, stdout: string): CredentialAnswer {
  try {
    const { kind, apiVersion, status } = JSON.parse(stdout) as CredentialAnswer // null throws, as it should
    return { kind, apiVersion, status: status ?? {} }
  } catch {
    throw pluginFailed(plugin, 'its answer is not an ExecCredential')
  }
}

function credentialProblem({ token, certificate, key }: ExecCredential): string | undefined {
  if (certificate === undefined) return token === undefined ? 'neither a token nor a certificate' : undefined
  return key === undefined ? 'a certificate without its key' : pairProblem(certificate, key)
}
