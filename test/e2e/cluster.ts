import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { load } from 'js-yaml'
import { command } from '../support/command.ts'
import { until as untilHolds } from '../support/until.ts'
import { images } from './images.ts'

export { command }

/** kubectl is the reference client of this suite: the tests compare with its output. */
export async function kubectl(
  args: readonly string[],
  options: { input?: string; timeout?: number } = {},
): Promise<string> {
  return command('kubectl', args, { ...options, env: { ...process.env, KUBECONFIG: kubeconfigPath() } })
}

export function kubeconfigPath(): string {
  const path = process.env['KUBECONFIG']
  if (!path) {
    throw new Error('The end-to-end tests need a cluster: set KUBECONFIG to the kubeconfig of a cluster admin.')
  }
  return path
}

/**
 * The kubeconfig that the action uses: of the user `dev`, who has exactly the permissions of docs/rbac/developer.yaml in each namespace of the suite.
 * On other clusters than the test cluster, it is the admin's kubeconfig.
 */
export function developerKubeconfigPath(): string {
  return testClusterState === undefined ? kubeconfigPath() : join(testClusterState, 'dev.kubeconfig')
}

/** The state folder of the test cluster on this machine; undefined on any other cluster. */
export const testClusterState = process.env['TESTCLUSTER_RUN'] || undefined
/** The folder of the test cluster's scripts. */
export const testClusterScripts = process.env['TESTCLUSTER'] || undefined

export const poll = 200

/** Calls `read` repeatedly until it returns a value. Rejects with `what` and the last error after the timeout. */
export const until = <T>(what: string, timeoutMs: number, read: () => Promise<T | undefined>): Promise<T> =>
  untilHolds<T>(what, read, { timeoutMs, everyMs: poll, ignoreErrors: true })

/** Creates a namespace for one test, ready for pods, in which the user `dev` may capture. */
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

/** Starts the deletion and does not wait for the pods. */
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
  /** undefined: the default of the image */
  command?: readonly string[]
  labels?: Record<string, string>
  /** merged into the spec of the pod */
  spec?: Manifest
  /** merged into its only container */
  container?: Manifest
}

/** A pod with one container `app`. By default a web server that answers / with 200 and every path below /n with 404. */
export function podManifest(namespace: string, name: string, options: PodOptions = {}): Manifest {
  const { image = images.app, labels = { app: name }, spec = {}, container = {} } = options
  const argv = 'command' in options ? options.command : image === images.app ? webServer : undefined
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels },
    spec: {
      terminationGracePeriodSeconds: 1,
      containers: [
        { name: 'app', image, imagePullPolicy: 'IfNotPresent', ...(argv ? { command: argv } : {}), ...container },
      ],
      ...spec,
    },
  }
}

export interface DeploymentOptions extends PodOptions {
  /** merged into the spec of the pods, next to `spec` */
  change?: Manifest
}

/** A deployment of one pod `app`. A rollout keeps the old pod until the new one is ready. */
export function deploymentManifest(namespace: string, name: string, options: DeploymentOptions = {}): Manifest {
  const { change = {}, ...pod } = options
  const labels = options.labels ?? { app: name }
  const { spec } = podManifest(namespace, name, { ...pod, labels }) as { spec: Manifest }
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace },
    spec: {
      replicas: 1,
      strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { ...spec, ...change } },
    },
  }
}

/** A Job of one pod that runs once, without a retry. */
export function jobManifest(namespace: string, name: string, argv: readonly string[]): Manifest {
  const { spec } = podManifest(namespace, name, { command: argv, spec: { restartPolicy: 'Never' } }) as {
    spec: Manifest
  }
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name, namespace },
    spec: { backoffLimit: 0, template: { metadata: { labels: { app: name } }, spec } },
  }
}

/** The pods with the label `app`, the oldest first. */
export async function podsOf(namespace: string, app: string): Promise<PodObject[]> {
  const text = await kubectl(['-n', namespace, 'get', 'pods', '-l', `app=${app}`, '-o', 'json'])
  const { items } = JSON.parse(text) as { items: PodObject[] }
  return items.sort((a, b) => a.metadata.creationTimestamp.localeCompare(b.metadata.creationTimestamp))
}

/** On port 8080, and on port 8081 for packets that a filter must exclude. */
export const webServer = [
  'sh',
  '-c',
  'mkdir -p /tmp/w; echo ok >/tmp/w/index.html; httpd -f -p 8081 -h /tmp/w & exec httpd -f -p 8080 -h /tmp/w',
]

/** A pod that sends requests. */
export function clientManifest(namespace: string): Manifest {
  return podManifest(namespace, 'client', { image: images.capture, command: ['sleep', '1000000'] })
}

/** Waits until the pods are ready. @returns their addresses in the same order */
export async function podAddresses(namespace: string, ...names: readonly string[]): Promise<string[]> {
  await kubectl(
    ['-n', namespace, 'wait', '--for=condition=Ready', ...names.map((name) => `pod/${name}`), '--timeout=60s'],
    { timeout: 70_000 },
  )
  return Promise.all(names.map(async (name) => (await getPod(namespace, name)).status.podIP ?? ''))
}

/** The parts of a pod that the tests use. */
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
  containerID?: string
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

/** The cluster entry of the admin's kubeconfig. */
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

/** The kubeconfig of the action with another user, namespace or cluster fields, as text. */
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
    users: [{ name: 'user', user: change.user ?? user }],
    contexts: [
      {
        name: 'there',
        context: {
          cluster: 'cluster',
          user: 'user',
          ...(change.namespace === undefined ? {} : { namespace: change.namespace }),
        },
      },
    ],
    'current-context': 'there',
  })
}
