/** The fields of a Pod (core/v1) that this action reads. Each is optional: the object comes from outside. */
export interface Pod {
  readonly metadata?: {
    readonly name?: string
    readonly uid?: string
    readonly creationTimestamp?: string
    /** when the pod is to be gone: the request for its deletion came `deletionGracePeriodSeconds` earlier */
    readonly deletionTimestamp?: string
    readonly deletionGracePeriodSeconds?: number
    readonly annotations?: Readonly<Record<string, string>>
    readonly labels?: Readonly<Record<string, string>>
    readonly ownerReferences?: readonly OwnerReference[]
  }
  readonly spec?: {
    readonly nodeName?: string
    readonly hostNetwork?: boolean
    /** Always where it is missing */
    readonly restartPolicy?: string
    readonly hostPID?: boolean
    readonly hostUsers?: boolean
    readonly shareProcessNamespace?: boolean
    readonly securityContext?: UserContext & { readonly seccompProfile?: { readonly type?: string } }
    readonly volumes?: readonly { readonly name?: string; readonly hostPath?: { readonly path?: string } }[]
    readonly os?: { readonly name?: string }
    readonly nodeSelector?: Readonly<Record<string, string>>
    readonly containers?: readonly Container[]
    readonly initContainers?: readonly Container[]
    readonly ephemeralContainers?: readonly Container[]
  }
  readonly status?: {
    readonly phase?: string
    readonly reason?: string
    readonly message?: string
    /** of the node */
    readonly hostIP?: string
    readonly podIP?: string
    readonly podIPs?: readonly { readonly ip?: string }[]
    readonly conditions?: readonly Condition[]
    readonly initContainerStatuses?: readonly ContainerStatus[]
    readonly containerStatuses?: readonly ContainerStatus[]
    readonly ephemeralContainerStatuses?: readonly ContainerStatus[]
  }
}

export interface OwnerReference {
  readonly kind?: string
  readonly name?: string
  readonly uid?: string
  /** The owner manages the object; at most one owner does. */
  readonly controller?: boolean
}

export interface Condition {
  readonly type?: string
  readonly status?: string
  readonly reason?: string
  readonly message?: string
  readonly lastTransitionTime?: string
}

export interface Container {
  readonly name?: string
  readonly image?: string
  readonly args?: readonly string[]
  readonly command?: readonly string[]
  readonly ports?: readonly { readonly containerPort?: number }[]
  readonly resources?: { readonly limits?: Readonly<Record<string, string>> }
  /** of an init container: `Always` makes it a sidecar */
  readonly restartPolicy?: string
  readonly volumeMounts?: readonly { readonly name?: string; readonly readOnly?: boolean }[]
  readonly securityContext?: UserContext & {
    readonly privileged?: boolean
    readonly capabilities?: { readonly add?: readonly string[] }
  }
}

interface UserContext {
  readonly runAsUser?: number
  readonly runAsNonRoot?: boolean
}

export interface ContainerStatus {
  readonly name?: string
  readonly imageID?: string
  readonly containerID?: string
  readonly restartCount?: number
  readonly state?: {
    readonly waiting?: { readonly reason?: string; readonly message?: string }
    readonly running?: { readonly startedAt?: string }
    readonly terminated?: {
      readonly reason?: string
      readonly message?: string
      readonly exitCode?: number
      readonly finishedAt?: string
    }
  }
}

/** The addresses of a pod, of both families, from its `status`; empty while it has none. */
export function addressesOf({ status }: Pod): readonly string[] {
  const single = status?.podIP === undefined ? [] : [{ ip: status.podIP }]
  return (status?.podIPs ?? single).flatMap(({ ip }) => (ip === undefined ? [] : [ip]))
}

/** The ports that its containers declare, each once; a port of a container need not be declared. At most 20. */
export function portsOf({ spec }: Pod): readonly number[] {
  const containers = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])]
  const ports = containers.flatMap(({ ports: declared = [] }) => declared.map(({ containerPort }) => containerPort))
  return [...new Set(ports.filter((port) => typeof port === 'number'))].slice(0, 20)
}

/** The owner that manages an object: of a pod its ReplicaSet, of a ReplicaSet its Deployment. */
export function controllerOf({
  metadata,
}: {
  readonly metadata?: { readonly ownerReferences?: readonly OwnerReference[] }
}): OwnerReference | undefined {
  return metadata?.ownerReferences?.find(({ controller }) => controller === true)
}
