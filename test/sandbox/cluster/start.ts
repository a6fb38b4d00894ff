// A small Kubernetes on loopback: a small API server, with Linux namespaces as pods. See cli.ts for manual use.

import { addFixtures, developerRules, makePod, type PodFixture } from './fixtures.ts'
import { simulateKubelet, startKubelet, type Kubelet } from './kubelet.ts'
import { sandboxSupport, type ExecProcess, type Mode } from './namespaces.ts'
import type { KubernetesObject, Pod } from './objects.ts'
import { createAuthorizer, type Rule } from './rbac.ts'
import { serve, type Faults, type RecordedRequest } from './server.ts'
import { createStore } from './store.ts'

export { podsLack, sandboxSupport, type SandboxSupport } from './namespaces.ts'
export type { Pod } from './objects.ts'
export type { Faults, RecordedRequest } from './server.ts'

export interface ClusterOptions {
  /** False: no namespaces; pods have the status Running but no processes, and exec does not work. */
  pods?: boolean
  /** The offset of the server's clock. */
  clockSkewMs?: number
}

export interface SandboxCluster {
  /** https://127.0.0.1:PORT */
  server: string
  mode: Mode | 'none'
  /** YAML; `admin` has all permissions, `dev` can capture in shop, locked and base, other users have what `bind` grants. */
  kubeconfig(user: string, namespace?: string): string
  requests: RecordedRequest[]
  bind(user: string, rules: Rule[]): void
  faults: Faults
  clockSkewMs: number
  namespaces(): string[]
  setNamespaceLabels(name: string, labels: Record<string, string>): void
  pod(namespace: string, name: string): Pod | undefined
  addPod(fixture: PodFixture): Pod
  /** Resolves when the pod is gone: after TERM, at most the grace period, KILL. */
  deletePod(namespace: string, name: string, graceSeconds?: number): Promise<void>
  /** Starts a process in the first container of a pod; undefined if the container does not run. */
  exec(namespace: string, name: string, argv: string[]): ExecProcess | undefined
  /** Kills PID 1 of a container. */
  killContainer(namespace: string, name: string, container: string): void
  stop(): Promise<void>
}

export async function startCluster(options: ClusterOptions = {}): Promise<SandboxCluster> {
  if (options.pods !== false) {
    const support = await sandboxSupport()
    if (!support.supported) throw new Error(`the sandbox's pods cannot run on this machine: ${support.reason}`)
  }
  const clock = { skew: options.clockSkewMs ?? 0 }
  const store = createStore(() => new Date(Date.now() + clock.skew))
  addFixtures(store)
  const authorizer = createAuthorizer()
  authorizer.bind('dev', developerRules)
  const kubelet: Kubelet = options.pods === false ? simulateKubelet(store) : await startKubelet(store)
  const faults: Faults = { exec: {} }
  const api = await serve({ store, authorizer, kubelet }, faults).catch(async (error: unknown) => {
    await kubelet.stop()
    throw error
  })
  await kubelet.settled()

  return {
    server: api.url,
    mode: kubelet.mode,
    requests: api.requests,
    faults,
    kubeconfig: (user, namespace = 'shop') => `apiVersion: v1
kind: Config
clusters:
- name: sandbox
  cluster:
    server: ${api.url}
    certificate-authority-data: ${Buffer.from(api.certificate).toString('base64')}
users:
- name: ${user}
  user:
    token: ${api.token(user)}
contexts:
- name: sandbox
  context:
    cluster: sandbox
    user: ${user}
    namespace: ${namespace}
current-context: sandbox
`,
    bind: (user, rules) => authorizer.bind(user, rules),
    get clockSkewMs() {
      return clock.skew
    },
    set clockSkewMs(value) {
      clock.skew = value
    },
    namespaces: () => store.list('namespaces').map(({ metadata }) => metadata.name),
    setNamespaceLabels(name, labels) {
      const namespace =
        store.get('namespaces', undefined, name) ??
        ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } } satisfies KubernetesObject)
      store.put('namespaces', { ...namespace, metadata: { ...namespace.metadata, labels } })
    },
    pod: (namespace, name) => store.pod(namespace, name),
    addPod: (fixture) => makePod(store, fixture),
    deletePod: (namespace, name, graceSeconds) => kubelet.deletePod(namespace, name, graceSeconds),
    exec(namespace, name, argv) {
      const pod = store.pod(namespace, name)
      const container = pod?.spec.containers[0]?.name
      return pod && container !== undefined ? kubelet.exec(pod, container, argv) : undefined
    },
    killContainer: (namespace, name, container) => kubelet.killContainer(namespace, name, container),
    async stop() {
      await api.stop()
      await kubelet.stop()
    },
  }
}
