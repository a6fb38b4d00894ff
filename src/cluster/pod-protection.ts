import { posix } from 'node:path'
import { toOneLine } from '../common/remote-text.ts'
import type { Container, Pod } from './pod.ts'

/**
 * Who besides the recorder can change what it records, from the pod's spec: a process that can stop tcpdump, write to the spool or replace the
 * scripts can make the recorder report anything, with a correct SHA-256. Each is a clause that names the container; undefined where there is none.
 */
export interface PodProtection {
  /** of a recorder in the pod */
  readonly inPod?: string | undefined
  /** of a recorder in the pod whose spool is in /dev/shm */
  readonly inSharedMemory?: string | undefined
  /** of a recorder on the pod's node */
  readonly onNode?: string | undefined
}

/**
 * Reads the spec of a pod. Ephemeral containers are not considered: a user who may add one may run any command in the recorder's container, too.
 * A container that starts as another user and becomes root later (a setuid program of its image) cannot be seen here.
 */
export function podProtection(pod: Pod): PodProtection {
  const containers = [
    ...list(pod.spec?.containers),
    ...list(pod.spec?.initContainers).filter(({ restartPolicy }) => restartPolicy === 'Always'), // the others have ended
  ]
  const find = (reasonOf: (container: Container, pod: Pod) => string | undefined): string | undefined => {
    for (const container of containers) {
      const reason = reasonOf(container, pod)
      if (reason !== undefined) return `the container ${nameOf(container)} ${reason}`
    }
    return undefined
  }
  const onNode = find(hostProcesses) ?? find(hostPower) ?? find(hostFiles)
  return { inPod: find(sharedProcesses) ?? onNode, inSharedMemory: find(sharedMemory), onNode }
}

type Reason = string | undefined

function sharedProcesses(container: Container, pod: Pod): Reason {
  const root = rootOf(container, pod)
  const isShared = pod.spec?.shareProcessNamespace === true
  return isShared && root ? `shares the process namespace ${root}` : undefined
}

function hostProcesses(container: Container, pod: Pod): Reason {
  const root = rootOf(container, pod)
  return pod.spec?.hostPID === true && root ? `shares the process namespace of the node (hostPID) ${root}` : undefined
}

/** containerd and CRI-O mount one /dev/shm into all containers of a pod. */
function sharedMemory(container: Container, pod: Pod): Reason {
  const root = rootOf(container, pod)
  return root ? `shares /dev/shm, where the recorder had to put its spool, ${root}` : undefined
}

/** Each of them allows to reach the disk or the memory of the node, and with it every container. */
const nodeCapabilities = new Set(['ALL', 'SYS_ADMIN', 'SYS_MODULE', 'SYS_RAWIO'])

/** In a user namespace root has no power over the node. */
function hostPower(container: Container, pod: Pod): Reason {
  if (pod.spec?.hostUsers === false) return undefined
  if (container.securityContext?.privileged === true) return 'is privileged'
  const added = list(container.securityContext?.capabilities?.add)
  const capability = added
    .map((name) => String(name).replace(/^CAP_/i, '').toUpperCase())
    .find((name) => nodeCapabilities.has(name))
  return capability !== undefined && rootOf(container, pod) ? `has the capability ${capability}` : undefined
}

/** Where the container runtimes keep the files of containers, or listen for commands: a socket in a read-only mount works, too. */
const runtimePaths = [
  ...['/var/lib/containerd', '/run/containerd', '/var/run/containerd', '/var/lib/docker', '/run/docker.sock'],
  ...['/var/run/docker.sock', '/var/lib/containers', '/run/crio', '/var/run/crio', '/run/k3s', '/var/lib/rancher'],
]
/** Where the recorder's files on a node are: a mount of one of these folders, or of a folder above it. */
const recorderPaths = ['/var/tmp', '/var/lib', ...runtimePaths]
/** Where a file of an attacker becomes a process of the node, in the folder itself and below it (static pods, cron, keys, programs, libraries). */
const nodePaths = [
  ...[
    '/bin',
    '/boot',
    '/dev',
    '/etc',
    '/home',
    '/lib',
    '/lib64',
    '/opt',
    '/proc',
    '/root',
    '/run/systemd',
    '/sbin',
    '/sys',
    '/usr',
  ],
  ...['/var/lib/kubelet', '/var/lib/systemd', '/var/spool/cron'],
]
/** Often mounted, and nothing of them runs. */
const harmlessPaths = [
  '/etc/localtime',
  '/etc/timezone',
  '/etc/ssl',
  '/etc/pki',
  '/usr/share',
  '/dev/shm',
  '/dev/hugepages',
]

function hostFiles(container: Container, pod: Pod): Reason {
  if (pod.spec?.hostUsers === false || !rootOf(container, pod)) return undefined
  for (const { name, readOnly } of list(container.volumeMounts)) {
    const given = list(pod.spec?.volumes).find((volume) => volume.name === name)?.hostPath?.path
    if (typeof given !== 'string') continue
    const path = posix.normalize(given)
    const isRuntime = runtimePaths.some((known) => isWithin(known, path) || isWithin(path, known))
    if (isRuntime || (readOnly !== true && hasPowerOverNode(path)))
      return `mounts ${toOneLine(path, 100)} of the node (hostPath)`
  }
  return undefined
}

function hasPowerOverNode(path: string): boolean {
  if (recorderPaths.some((known) => isWithin(known, path))) return true
  if (harmlessPaths.some((known) => isWithin(path, known))) return false
  return nodePaths.some((known) => isWithin(known, path) || isWithin(path, known))
}

function isWithin(path: string, folder: string): boolean {
  const base = folder.replace(/\/+$/, '')
  return path === base || path.startsWith(`${base}/`)
}

/** How the container runs as root, for a sentence; undefined where it does not. Without a user in its spec the image decides. */
function rootOf({ securityContext }: Container, { spec }: Pod): 'as root' | 'and may run as root' | undefined {
  const user = securityContext?.runAsUser ?? spec?.securityContext?.runAsUser
  if (user === 0) return 'as root'
  const isNotRoot = securityContext?.runAsNonRoot ?? spec?.securityContext?.runAsNonRoot
  return user !== undefined || isNotRoot === true ? undefined : 'and may run as root'
}

function nameOf({ name }: Container): string {
  return toOneLine(String(name ?? 'unknown'), 63)
}

/** The object comes from outside. */
function list<T>(value: readonly T[] | undefined): readonly T[] {
  return Array.isArray(value) ? (value as readonly T[]).filter((one) => one !== null && one !== undefined) : []
}
