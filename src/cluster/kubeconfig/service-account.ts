import { statSync } from 'node:fs'
import { isIPv6 } from 'node:net'
import { join } from 'node:path'
import { ConfigurationError, messageOf } from '../../common/errors.ts'
import { readRegularFile } from '../../common/read-file.ts'
import { readAuthorities } from '../certificates.ts'
import type { Connection } from '../connection.ts'

/** Where the kubelet mounts the service account of a pod. */
export const serviceAccountFolder = '/var/run/secrets/kubernetes.io/serviceaccount'

/** The pod that this process runs in. */
export interface PodEnvironment {
  readonly env: NodeJS.ProcessEnv
  /** the mounted files `token`, `ca.crt` and `namespace` */
  readonly folder: string
}

/** Whether this process runs in a pod with a service account: kubectl's condition. */
export function isInPod({ env, folder }: PodEnvironment): boolean {
  const isFile = statSync(join(folder, 'token'), { throwIfNoEntry: false })?.isDirectory() === false
  return isFile && Boolean(env['KUBERNETES_SERVICE_HOST']) && Boolean(env['KUBERNETES_SERVICE_PORT'])
}

/** POD_NAMESPACE, else the namespace of the service account. */
export function podNamespace({ env, folder }: PodEnvironment): string {
  const given = env['POD_NAMESPACE']
  if (given) return given
  try {
    return readRegularFile(join(folder, 'namespace')).toString('utf8').trim() || 'default'
  } catch {
    return 'default'
  }
}

/**
 * The cluster of this pod, with the service account of the pod. The token is read again for each request, because the kubelet replaces it.
 * Without a valid ca.crt the server is checked against the authorities of the system, as with kubectl.
 */
export async function connectServiceAccount(
  pod: PodEnvironment,
  maskSecret: (value: string) => void,
): Promise<Connection> {
  const { connectWithToken } = await import('../token-connection.ts')
  const { env, folder } = pod
  const host = env['KUBERNETES_SERVICE_HOST'] ?? ''
  const server = `https://${isIPv6(host) ? `[${host}]` : host}:${env['KUBERNETES_SERVICE_PORT'] ?? ''}`
  if (!URL.canParse(server)) {
    throw new ConfigurationError({
      code: 'E_KUBECONFIG_INVALID',
      input: 'KUBERNETES_SERVICE_HOST',
      problem: 'with KUBERNETES_SERVICE_PORT it is not the address of an API server',
      fix: 'The kubelet sets both in every pod. Remove them, or set the input `kubeconfig`.',
    })
  }
  const text = authorityOf(join(folder, 'ca.crt'))
  const namespace = podNamespace(pod)
  const tokenPath = join(folder, 'token')
  const connection = connectWithToken(
    {
      ...{ input: 'kubeconfig', server, as: "this pod's service account" },
      trustedAuthority: `the file ${join(folder, 'ca.crt')}`,
      certificateAuthority: text === undefined ? undefined : { text, input: 'kubeconfig', subject: 'ca.crt', fix: '' },
      tokenOrigin: { input: 'kubeconfig', subject: `the token in ${tokenPath}` },
      credentialsFix: () => 'Check the service account of the pod of this runner, or set the input `kubeconfig`.',
      token: () => Promise.resolve().then(() => readToken(tokenPath)),
    },
    maskSecret,
  )
  return { ...connection, namespace }
}

function authorityOf(path: string): string | undefined {
  try {
    const found = readAuthorities(readRegularFile(path).toString('utf8'))
    return found && 'pem' in found ? found.pem : undefined
  } catch {
    return undefined
  }
}

function readToken(path: string): string {
  try {
    return readRegularFile(path).toString('utf8')
  } catch (error) {
    throw new ConfigurationError({
      code: 'E_KUBECONFIG_FILE_UNREADABLE',
      input: 'kubeconfig',
      problem: `the token of the service account of this pod (${path}) cannot be read (${messageOf(error)})`,
      fix: 'Check the pod of this runner, or set the input `kubeconfig`.',
    })
  }
}
