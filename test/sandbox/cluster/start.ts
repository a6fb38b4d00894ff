// A small Kubernetes on loopback: a real API server in little, whose pods are Linux namespaces. See cli.ts for use by hand.

import { addFixtures, developerRules, makePod, type PodFixture } from './fixtures.ts'
import { simulateKubelet, startKubelet, type Kubelet } from './kubelet.ts'
import { sandboxSupport, type Mode } from './namespaces.ts'
import type { KubernetesObject, Pod } from './objects.ts'
import { createAuthorizer, type Rule } from './rbac.ts'
import { serve, type Faults, type RecordedRequest } from './server.ts'
import { createStore } from './store.ts'

export { sandboxSupport, type SandboxSupport } from './namespaces.ts'
export type { Pod } from './objects.ts'
export type { Faults, RecordedRequest } from './server.ts'

export interface ClusterOptions {
  /** False: no namespaces; pods run by assertion, exec does not work. */
  pods?: boolean
  /** How far the server's clock is off. */
  clockSkewMs?: number
}

export interface SandboxCluster {
  /** https://127.0.0.1:PORT */
  server: string
  mode: Mode | 'none'
  /** YAML; `admin` may everything, `dev` may capture in shop, locked and base, others what `bind` gives them. */
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
  const api = await serve({ store, authorizer, kubelet }, faults)
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
    killContainer: (namespace, name, container) => kubelet.killContainer(namespace, name, container),
    async stop() {
      await api.stop()
      await kubelet.stop()
    },
  }
}
