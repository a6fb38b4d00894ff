import { execFile, type ExecFileOptions } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { load } from 'js-yaml'
import { images } from './images.ts'

/** kubectl is the reference client of this suite: what it says is what is so. */
export async function kubectl(
  args: readonly string[],
  options: { input?: string; timeout?: number } = {},
): Promise<string> {
  return command('kubectl', args, { ...options, env: { ...process.env, KUBECONFIG: kubeconfigPath() } })
}

/** Runs a program to its end; what it wrote to stdout. Rejects with its stderr. */
export function command(
  program: string,
  args: readonly string[],
  options: { input?: string; timeout?: number; env?: NodeJS.ProcessEnv } = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const settings: ExecFileOptions = {
      maxBuffer: 512 * 1024 * 1024,
      timeout: options.timeout ?? 60_000,
      ...(options.env === undefined ? {} : { env: options.env }),
    }
    const child = execFile(program, [...args], settings, (error, stdout, stderr) => {
      if (error) reject(new Error(`${program} ${args.slice(0, 8).join(' ')}: ${String(stderr) || error.message}`))
      else resolve(String(stdout))
    })
    child.stdin?.on('error', () => undefined) // a program that ends before it has read all says why itself
    child.stdin?.end(options.input ?? '')
  })
}

export function kubeconfigPath(): string {
  const path = process.env['KUBECONFIG']
  if (!path) {
    throw new Error('The end-to-end tests need a cluster: set KUBECONFIG to the kubeconfig of an administrator of one.')
  }
  return path
}

/**
 * The kubeconfig that the action is given: of the user `dev`, who has in each namespace of the suite exactly what docs/rbac/developer.yaml gives.
 * On another cluster than the test cluster it is the administrator's.
 */
export function developerKubeconfigPath(): string {
  return testClusterState === undefined ? kubeconfigPath() : join(testClusterState, 'dev.kubeconfig')
}

/** The state folder of the test cluster on this very machine, undefined on any other cluster. */
export const testClusterState = process.env['TESTCLUSTER_RUN'] || undefined
/** The folder of the test cluster's scripts. */
export const testClusterScripts = process.env['TESTCLUSTER'] || undefined

export const poll = 200

/** Looks again and again until `look` gives something. Rejects with `what` and the last error after the time. */
export async function until<T>(what: string, timeout: number, look: () => Promise<T | undefined>): Promise<T> {
  const end = Date.now() + timeout
  let last: unknown = 'nothing yet'
  while (Date.now() < end) {
    try {
      const found = await look()
      if (found !== undefined) return found
    } catch (error) {
      last = error
    }
    await new Promise((resolve) => setTimeout(resolve, poll))
  }
  throw new Error(`${String(timeout)} ms passed without ${what}: ${String(last)}`)
}

/** A namespace of the test's own, ready to take pods, in which the user `dev` may capture. */
export async function createNamespace(
  concern: string,
  labels: Record<string, string> = {},
  { withoutRights = false } = {},
): Promise<string> {
  const name = `e2e-${concern}-${randomBytes(3).toString('hex')}`
  await apply([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } }])
  if (!withoutRights) await kubectl(['-n', name, 'apply', '-f', developerManifest])
  await until(`the default service account of ${name}`, 30_000, () =>
    kubectl(['-n', name, 'get', 'serviceaccount', 'default', '-o', 'name']),
  )
  return name
}

const developerManifest = join(import.meta.dirname, '../../docs/rbac/developer.yaml')

/** Begins the deletion; the pods take their time. */
export async function deleteNamespace(name: string | undefined): Promise<void> {
  if (name !== undefined) await kubectl(['delete', 'namespace', name, '--wait=false', '--ignore-not-found'])
}

export type Manifest = Record<string, unknown>

export async function apply(manifests: readonly Manifest[]): Promise<void> {
  const list = { apiVersion: 'v1', kind: 'List', items: manifests }
  await kubectl(['apply', '-f', '-'], { input: JSON.stringify(list) })
}

export interface PodOptions {
  image?: string
  /** undefined: the image's own */
  command?: readonly string[]
  labels?: Record<string, string>
  /** into the spec of the pod */
  spec?: Manifest
  /** into its one container */
  container?: Manifest
}

/** A pod of one container `app`. The default is a web server that answers every path below /n with 404, / with 200. */
export function podManifest(namespace: string, name: string, options: PodOptions = {}): Manifest {
  const { image = images.app, labels = { app: name }, spec = {}, container = {} } = options
  const command = 'command' in options ? options.command : image === images.app ? webServer : undefined
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels },
    spec: {
      terminationGracePeriodSeconds: 1,
      containers: [
        { name: 'app', image, imagePullPolicy: 'IfNotPresent', ...(command ? { command } : {}), ...container },
      ],
      ...spec,
    },
  }
}

/** On 8080 and, for what a filter must leave out, on 8081. */
export const webServer = [
  'sh',
  '-c',
  'mkdir -p /tmp/w; echo ok >/tmp/w/index.html; httpd -f -p 8081 -h /tmp/w & exec httpd -f -p 8080 -h /tmp/w',
]

/** A pod from which requests are made. */
export function clientManifest(namespace: string): Manifest {
  return podManifest(namespace, 'client', { image: images.capture, command: ['sleep', '1000000'] })
}

/** Waits until the pods are ready; their addresses in the same order. */
export async function podAddresses(namespace: string, ...names: readonly string[]): Promise<string[]> {
  await kubectl(
    ['-n', namespace, 'wait', '--for=condition=Ready', ...names.map((name) => `pod/${name}`), '--timeout=60s'],
    { timeout: 70_000 },
  )
  return Promise.all(names.map(async (name) => (await getPod(namespace, name)).status.podIP ?? ''))
}

/** The parts of a pod that the tests look at. */
export interface PodObject {
  metadata: { name: string; uid: string; creationTimestamp: string }
  spec: { nodeName?: string; ephemeralContainers?: { name: string }[] }
  status: {
    phase: string
    reason?: string
    podIP?: string
    containerStatuses?: StatusObject[]
    ephemeralContainerStatuses?: StatusObject[]
  }
}
export interface StatusObject {
  name: string
  restartCount: number
  ready: boolean
  state: {
    running?: object
    waiting?: { reason?: string }
    terminated?: { exitCode: number; reason: string; message?: string }
  }
}

export async function getPod(namespace: string, name: string): Promise<PodObject> {
  return JSON.parse(await kubectl(['-n', namespace, 'get', 'pod', name, '-o', 'json'])) as PodObject
}

/** The names of the pod's ephemeral containers, in order. */
export async function ephemeralNames(namespace: string, pod: string): Promise<string[]> {
  return ((await getPod(namespace, pod)).spec.ephemeralContainers ?? []).map(({ name }) => name)
}

interface KubeconfigFile {
  'current-context': string
  clusters: { name: string; cluster: Record<string, unknown> & { server: string } }[]
  contexts: { name: string; context: { cluster: string; user: string } }[]
}

/** The cluster of the administrator's kubeconfig. */
function adminCluster(): Manifest & { server: string } {
  const file = load(readFileSync(kubeconfigPath(), 'utf8')) as KubeconfigFile
  const current = file.contexts.find(({ name }) => name === file['current-context'])?.context
  const cluster = file.clusters.find(({ name }) => name === current?.cluster)?.cluster
  if (cluster === undefined) throw new Error(`${kubeconfigPath()} has no current cluster`)
  return cluster
}

export function clusterServer(): URL {
  return new URL(adminCluster().server)
}

/** PEM */
export function clusterAuthority(): string {
  const cluster = adminCluster()
  const path = cluster['certificate-authority'] as string | undefined
  if (path !== undefined) return readFileSync(path, 'utf8')
  return Buffer.from((cluster['certificate-authority-data'] as string | undefined) ?? '', 'base64').toString('utf8')
}

/** The kubeconfig that the action is given with another user, namespace or cluster fields, as its text. */
export function kubeconfigWith(change: { user?: Manifest; namespace?: string; cluster?: Manifest }): string {
  const file = load(readFileSync(developerKubeconfigPath(), 'utf8')) as KubeconfigFile & {
    users: { name: string; user: Manifest }[]
  }
  const current = file.contexts.find(({ name }) => name === file['current-context'])?.context
  const cluster = file.clusters.find(({ name }) => name === current?.cluster)?.cluster
  const user = file.users.find(({ name }) => name === current?.user)?.user
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'cluster', cluster: { ...cluster, ...change.cluster } }],
    users: [{ name: 'somebody', user: change.user ?? user }],
    contexts: [
      {
        name: 'there',
        context: {
          cluster: 'cluster',
          user: 'somebody',
          ...(change.namespace === undefined ? {} : { namespace: change.namespace }),
        },
      },
    ],
    'current-context': 'there',
  })
}
