// The initial objects of the sandbox's cluster: one pod of each kind that a capture can target.

import type { Container, KubernetesObject, Pod } from './objects.ts'
import { nodeName } from './kubelet.ts'
import type { Rule } from './rbac.ts'
import { timestamp, type Store } from './store.ts'

const image = 'registry.sandbox/shop/checkout:1.4'
const pause = 'registry.sandbox/pause:3.10'

export interface PodFixture {
  namespace: string
  name: string
  labels?: Record<string, string>
  annotations?: Record<string, string>
  ownerReferences?: Pod['metadata']['ownerReferences']
  containers?: Container[]
  spec?: Partial<Pod['spec']>
  status?: Partial<Pod['status']>
  /** False: no node was found for the pod, so it remains Pending. */
  scheduled?: boolean
  /** Age in seconds, which decides the newest pod. */
  ageSeconds?: number
}

export function makePod(store: Store, fixture: PodFixture): Pod {
  const { namespace, name, labels, annotations, ownerReferences, containers, spec, status, scheduled, ageSeconds } =
    fixture
  return store.put<Pod>('pods', {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace,
      creationTimestamp: timestamp(new Date(store.now().getTime() - (ageSeconds ?? 0) * 1000)),
      ...(labels ? { labels } : {}),
      ...(annotations ? { annotations } : {}),
      ...(ownerReferences ? { ownerReferences } : {}),
    },
    spec: {
      containers: containers ?? [{ name: 'app', image: pause }],
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: 30,
      // Always there in a real pod, and kubectl 1.33's debug relies on it.
      securityContext: {},
      ...(scheduled === false ? {} : { nodeName }),
      ...spec,
    },
    status: { phase: 'Pending', qosClass: 'BestEffort', ...status },
  })
}

const workload = (peer: string): Container[] => [
  {
    name: 'checkout',
    image,
    ports: [
      { containerPort: 8080, name: 'http' },
      { containerPort: 9090, name: 'metrics' },
    ],
    env: [{ name: 'PEER', value: peer }],
  },
]

/** The rules that `docs/rbac` grants, in each namespace. */
const captureRules = (namespace: string): Rule[] => [
  { namespace, apiGroups: [''], resources: ['pods', 'pods/log'], verbs: ['get', 'list'] },
  { namespace, apiGroups: [''], resources: ['pods/ephemeralcontainers'], verbs: ['patch'] },
  { namespace, apiGroups: [''], resources: ['pods/exec'], verbs: ['get', 'create'] },
  { namespace, apiGroups: ['apps'], resources: ['deployments', 'replicasets'], verbs: ['get', 'list'] },
]
export const developerRules: Rule[] = ['shop', 'locked', 'base'].flatMap(captureRules)

function addNamespace(store: Store, name: string, level?: string): void {
  store.put('namespaces', {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name,
      labels: {
        'kubernetes.io/metadata.name': name,
        ...(level ? { 'pod-security.kubernetes.io/enforce': level } : {}),
      },
    },
    status: { phase: 'Active' },
  } as KubernetesObject)
}

function addDeployment(store: Store, namespace: string, name: string): NonNullable<Pod['metadata']['ownerReferences']> {
  const labels = { app: name }
  const spec = {
    replicas: 2,
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec: { containers: workload('') } },
  }
  const hash = '7d9f8c6b5'
  const metadata = { namespace, labels, generation: 1, annotations: { 'deployment.kubernetes.io/revision': '1' } }
  const deployment = store.put('deployments', {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { ...metadata, name },
    spec,
    status: {
      observedGeneration: 1,
      replicas: 2,
      updatedReplicas: 2,
      readyReplicas: 1,
      availableReplicas: 1,
      unavailableReplicas: 1,
    },
  } as KubernetesObject)
  const owner = (object: KubernetesObject): NonNullable<Pod['metadata']['ownerReferences']> => [
    {
      apiVersion: object.apiVersion,
      kind: object.kind,
      name: object.metadata.name,
      uid: object.metadata.uid ?? '',
      controller: true,
    },
  ]
  const hashed = { ...labels, 'pod-template-hash': hash }
  const replicaSet = store.put('replicasets', {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: { ...metadata, name: `${name}-${hash}`, labels: hashed, ownerReferences: owner(deployment) },
    spec: { ...spec, selector: { matchLabels: hashed } },
    status: { replicas: 2, readyReplicas: 1 },
  } as KubernetesObject)
  return owner(replicaSet)
}

export function addFixtures(store: Store): void {
  for (const name of ['default', 'kube-system', 'shop']) addNamespace(store, name)
  addNamespace(store, 'locked', 'restricted')
  addNamespace(store, 'base', 'baseline')

  const namespace = 'shop'
  const ownerReferences = addDeployment(store, namespace, 'checkout')
  const labels = { app: 'checkout', 'pod-template-hash': '7d9f8c6b5' }
  const [first, second] = ['10.88.0.11', '10.88.0.12'] as const
  const twin = { namespace, labels, ownerReferences }
  makePod(store, {
    ...twin,
    name: 'checkout-7d9f8c6b5-kx2vq',
    containers: workload(second),
    status: { podIP: first },
    ageSeconds: 7200,
  })
  const annotations = { 'sandbox/not-ready': 'true' }
  makePod(store, {
    ...twin,
    name: 'checkout-7d9f8c6b5-zm8tn',
    annotations,
    containers: workload(first),
    status: { podIP: second },
    ageSeconds: 3600,
  })

  const at = timestamp(store.now())
  const terminated = { exitCode: 0, reason: 'Completed', startedAt: at, finishedAt: at }
  const ended = {
    name: 'app',
    image: pause,
    imageID: '',
    ready: false,
    restartCount: 0,
    state: { terminated },
    lastState: {},
  }
  makePod(store, {
    namespace,
    name: 'migrate-once',
    spec: { restartPolicy: 'Never' },
    status: { phase: 'Succeeded', containerStatuses: [ended] },
  })
  const unscheduled = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable' }
  makePod(store, { namespace, name: 'reports-0', scheduled: false, status: { conditions: [unscheduled] } })
  makePod(store, { namespace, name: 'node-agent', spec: { hostNetwork: true } })
  const mirror = {
    'kubernetes.io/config.mirror': 'a1b2',
    'kubernetes.io/config.source': 'file',
    'kubernetes.io/config.hash': 'a1b2',
  }
  makePod(store, { namespace, name: `registry-cache-${nodeName}`, annotations: mirror })
  const running = { ...ended, ready: true, state: { running: { startedAt: at } } }
  makePod(store, {
    namespace,
    name: 'billing-win',
    spec: { nodeName: 'sandbox-windows', os: { name: 'windows' } },
    status: { phase: 'Running', podIP: '10.88.0.30', containerStatuses: [running] },
  })
  makePod(store, {
    namespace,
    name: 'payments',
    containers: [
      { name: 'app', image: pause },
      { name: 'istio-proxy', image: 'registry.sandbox/istio/proxyv2:1.27' },
    ],
  })

  const hardened = {
    runAsUser: 1000,
    runAsNonRoot: true,
    allowPrivilegeEscalation: false,
    capabilities: { drop: ['ALL'] },
    seccompProfile: { type: 'RuntimeDefault' },
  }
  makePod(store, {
    namespace: 'locked',
    name: 'vault',
    containers: [{ name: 'app', image: pause, securityContext: hardened }],
  })
  makePod(store, { namespace: 'base', name: 'web', labels: { app: 'web' } })
}
