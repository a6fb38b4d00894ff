// The parts of Kubernetes objects that the sandbox uses. Fields that it only passes on are not declared here.

export interface ObjectMeta {
  name: string
  namespace?: string
  uid?: string
  resourceVersion?: string
  creationTimestamp?: string
  deletionTimestamp?: string
  deletionGracePeriodSeconds?: number
  generation?: number
  labels?: Record<string, string>
  annotations?: Record<string, string>
  ownerReferences?: { apiVersion: string; kind: string; name: string; uid: string; controller?: boolean }[]
}

export interface SecurityContext {
  runAsUser?: number
  runAsGroup?: number
  runAsNonRoot?: boolean
  privileged?: boolean
  allowPrivilegeEscalation?: boolean
  readOnlyRootFilesystem?: boolean
  capabilities?: { add?: string[]; drop?: string[] }
  seccompProfile?: { type: string }
}

export interface Container {
  name: string
  image: string
  imagePullPolicy?: string
  command?: string[]
  args?: string[]
  workingDir?: string
  env?: { name: string; value?: string }[]
  ports?: { containerPort: number; hostPort?: number; name?: string }[]
  securityContext?: SecurityContext
  terminationMessagePath?: string
  terminationMessagePolicy?: string
  targetContainerName?: string
  resources?: unknown
  [field: string]: unknown
}

export interface ContainerState {
  waiting?: { reason: string; message?: string }
  running?: { startedAt: string }
  terminated?: {
    exitCode: number
    signal?: number
    reason: string
    message?: string
    startedAt: string
    finishedAt: string
    containerID?: string
  }
}

export interface ContainerStatus {
  name: string
  image: string
  imageID: string
  containerID?: string
  ready: boolean
  started?: boolean
  restartCount: number
  state: ContainerState
  lastState: ContainerState
}

export interface Pod {
  apiVersion: 'v1'
  kind: 'Pod'
  metadata: ObjectMeta & { namespace: string }
  spec: {
    containers: Container[]
    initContainers?: Container[]
    ephemeralContainers?: Container[]
    securityContext?: SecurityContext
    nodeName?: string
    hostNetwork?: boolean
    hostPID?: boolean
    hostIPC?: boolean
    os?: { name: string }
    restartPolicy?: string
    terminationGracePeriodSeconds?: number
    [field: string]: unknown
  }
  status: {
    phase: 'Pending' | 'Running' | 'Succeeded' | 'Failed'
    reason?: string
    message?: string
    hostIP?: string
    podIP?: string
    podIPs?: { ip: string }[]
    startTime?: string
    qosClass?: string
    conditions?: { type: string; status: string; reason?: string; lastTransitionTime?: string }[]
    containerStatuses?: ContainerStatus[]
    ephemeralContainerStatuses?: ContainerStatus[]
  }
}

export interface KubernetesObject {
  apiVersion: string
  kind: string
  metadata: ObjectMeta
}

/** All containers of a pod, of every kind: their names are unique across kinds. */
export const allContainers = (pod: Pod): Container[] => [
  ...(pod.spec.initContainers ?? []),
  ...pod.spec.containers,
  ...(pod.spec.ephemeralContainers ?? []),
]

export const isMirrorPod = (pod: Pod): boolean =>
  pod.metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined
