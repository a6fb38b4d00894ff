import { spawn } from 'node:child_process'
import { isAbsolute, resolve } from 'node:path'
import { ConfigurationError, messageOf } from '../errors.ts'

/** `user.exec` of a kubeconfig: client.authentication.k8s.io, ExecConfig. */
export interface ExecPlugin {
  readonly apiVersion?: string
  readonly command: string
  readonly args?: readonly string[] | null
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
}

/** What a plugin hands out: a token, or a client certificate with its key (PEM), or both. */
export interface ExecCredential {
  readonly token: string | undefined
  readonly certificate: string | undefined
  readonly key: string | undefined
}

export type ExecSource = () => Promise<ExecCredential>

/** A token is renewed before it expires, ms: the API server's clock is another one, and a call takes time. Short ones last three quarters. */
const spare = (lifetime: number): number => Math.min(60_000, lifetime / 4)
const largestAnswer = 1024 * 1024

/**
 * A source of credentials that runs the plugin as kubectl does (KUBERNETES_EXEC_INFO, no terminal), keeps what it gave until shortly before
 * it expires, and runs it once for callers at the same time. `folder` is the kubeconfig's: a relative command is looked up there.
 * Its errors are ConfigurationErrors that name the plugin and how to get it.
 */
export function execSource(
  plugin: ExecPlugin,
  cluster: ExecCluster,
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
  let kept: { credential: ExecCredential; until: number } | undefined
  let running: Promise<ExecCredential> | undefined
  const renew = async (): Promise<ExecCredential> => {
    const { credential, expires } = readAnswer(plugin, await runPlugin(plugin, cluster, folder, env, timeout))
    kept = { credential, until: expires === Infinity ? Infinity : expires - spare(expires - now()) }
    return credential
  }
  return () => {
    if (kept && now() < kept.until) return Promise.resolve(kept.credential)
    running ??= renew().finally(() => (running = undefined))
    return running
  }
}

const defaultVersion = 'client.authentication.k8s.io/v1'

function runPlugin(
  plugin: ExecPlugin,
  cluster: ExecCluster,
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
  return new Promise((resolvePromise, reject) => {
    const child = spawn(commandPath(plugin.command, folder), [...(plugin.args ?? [])], {
      env: { ...env, ...own, KUBERNETES_EXEC_INFO: JSON.stringify(info) },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let out = ''
    let said = ''
    let late = false
    const timer = setTimeout(() => {
      late = true
      child.kill('SIGKILL')
    }, timeout)
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text
      if (out.length > largestAnswer) child.kill('SIGKILL')
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-4096)
    })
    child.on('error', (error) => {
      clearTimeout(timer)
      reject(notStarted(plugin, error))
    })
    child.on('close', (code) => {
      clearTimeout(timer)
      if (out.length > largestAnswer) reject(failed(plugin, 'its answer is longer than 1 MiB'))
      else if (code === 0) resolvePromise(out)
      else if (late) reject(failed(plugin, `it gave no answer within ${timeout / 1000} s`))
      else
        reject(failed(plugin, said.trim().split('\n').slice(-3).join('; ') || `it ended with exit code ${code ?? '?'}`))
    })
  })
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
  const expires = Date.parse(word('expirationTimestamp') ?? '')
  return { credential, expires: Number.isNaN(expires) ? Infinity : expires }
}

function notStarted(plugin: ExecPlugin, error: NodeJS.ErrnoException): Error {
  if (error.code !== 'ENOENT') return failed(plugin, messageOf(error))
  return new ConfigurationError(
    `kubeconfig: its user needs the exec plugin \`${plugin.command}\`, which is not on this runner's PATH. ${howToInstall(plugin)}`,
  )
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
  return known ?? installHint?.trim() ?? 'Install it in a step before, or give a kubeconfig with a token.'
}
