// Runs the pods of the store as namespaces and keeps their status, as a kubelet does with a container runtime.

import { setTimeout as delay } from 'node:timers/promises'
import {
  startNode,
  type ContainerOptions,
  type ExecProcess,
  type Mode,
  type PodNamespace,
  type RunningContainer,
} from './namespaces.ts'
import type { Container, ContainerState, ContainerStatus, Pod } from './objects.ts'
import { timestamp, type Store } from './store.ts'
import { hasTrait, imageCommand } from './workload.ts'

export const nodeName = 'sandbox-node'
const logLimit = 1_000_000

export interface Kubelet {
  mode: Mode | 'none'
  /** Starts a process in a running container; undefined if the container does not run. */
  exec(pod: Pod, container: string, argv: string[]): ExecProcess | undefined
  logs(pod: Pod, container: string): Buffer | undefined
  /** As `kubectl delete pod`: TERM, the grace period, KILL; resolves when the pod is gone. */
  deletePod(namespace: string, name: string, graceSeconds?: number): Promise<void>
  /** Kills PID 1 of a container, as the kernel's OOM killer would. */
  killContainer(namespace: string, name: string, container: string): void
  /** Resolves when all containers of the pods in the store left ContainerCreating, except those that never do. */
  settled(): Promise<void>
  stop(): Promise<void>
}

interface ContainerRecord {
  spec: Container
  ephemeral: boolean
  state: ContainerState
  running?: RunningContainer
  log: Buffer[]
  logBytes: number
  id: string
}

interface PodRecord {
  namespace: Promise<PodNamespace & { ip: string }>
  containers: Map<string, ContainerRecord>
  work: Promise<unknown>[]
}

/** Kubernetes' `$(VAR)` expansion: `$$` is `$`, an unknown variable is not replaced. */
export const expand = (text: string, env: Record<string, string>): string =>
  text.replace(/\$\$|\$\(([^)]*)\)/g, (whole, name: string | undefined) =>
    name === undefined ? '$' : (env[name] ?? whole),
  )

function environment(pod: Pod, container: Container): Record<string, string> {
  const env: Record<string, string> = { HOSTNAME: pod.metadata.name, HOME: '/root' }
  for (const { name, value } of container.env ?? []) env[name] = expand(value ?? '', env)
  return env
}

function commandOf(container: Container, env: Record<string, string>): string[] {
  // A command replaces the image's entry point; arguments alone are passed to the entry point, and the images here have none.
  const words = container.command
    ? [...container.command, ...(container.args ?? [])]
    : (container.args ?? imageCommand(container.image))
  return words.map((word) => expand(word, env))
}

const short = (text: string): string => text.replaceAll('-', '').slice(0, 12)
let containers = 0

export async function startKubelet(store: Store): Promise<Kubelet> {
  const node = await startNode()
  const pods = new Map<string, PodRecord>()
  let stopping = false

  function statusOf(record: ContainerRecord, notReady: boolean): ContainerStatus {
    const running = record.state.running !== undefined
    return {
      name: record.spec.name,
      image: record.spec.image,
      imageID: running || record.state.terminated ? `sandbox@${record.spec.image}` : '',
      ...(running || record.state.terminated ? { containerID: `sandbox://${record.id}` } : {}),
      ready: running && !record.ephemeral && !notReady,
      ...(record.ephemeral ? {} : { started: running }),
      restartCount: 0,
      state: record.state,
      lastState: {},
    }
  }

  function publish(pod: Pod, ip?: string): void {
    const current = store.pod(pod.metadata.namespace, pod.metadata.name)
    const record = pods.get(pod.metadata.uid ?? '')
    if (stopping || current === undefined || record === undefined || current.metadata.uid !== pod.metadata.uid) return
    const notReady = current.metadata.annotations?.['sandbox/not-ready'] !== undefined
    const all = [...record.containers.values()]
    const regular = all.filter(({ ephemeral }) => !ephemeral)
    const ended = regular.length > 0 && regular.every(({ state }) => state.terminated !== undefined)
    const started = regular.some(({ state }) => state.running !== undefined || state.terminated !== undefined)
    const failed = regular.some(({ state }) => (state.terminated?.exitCode ?? 0) !== 0)
    const ready = regular.every(({ state }) => state.running !== undefined) && !notReady
    const address = ip ?? current.status.podIP
    store.put('pods', {
      ...current,
      status: {
        ...current.status,
        phase:
          ended && current.spec.restartPolicy === 'Never'
            ? failed
              ? 'Failed'
              : 'Succeeded'
            : started
              ? 'Running'
              : 'Pending',
        hostIP: '10.88.0.1',
        ...(address ? { podIP: address, podIPs: [{ ip: address }] } : {}),
        startTime: current.status.startTime ?? timestamp(store.now()),
        conditions: [
          { type: 'Initialized', status: 'True' },
          { type: 'Ready', status: ready ? 'True' : 'False', ...(ready ? {} : { reason: 'ContainersNotReady' }) },
          { type: 'ContainersReady', status: ready ? 'True' : 'False' },
          { type: 'PodScheduled', status: 'True' },
        ],
        containerStatuses: regular.map((one) => statusOf(one, notReady)),
        ...(all.length > regular.length
          ? { ephemeralContainerStatuses: all.filter(({ ephemeral }) => ephemeral).map((one) => statusOf(one, false)) }
          : {}),
      },
    } satisfies Pod)
  }

  function keepLog(record: ContainerRecord, chunk: Buffer): void {
    record.log.push(chunk)
    record.logBytes += chunk.length
    while (record.logBytes > logLimit && record.log.length > 1) record.logBytes -= record.log.shift()?.length ?? 0
  }

  function configError(pod: Pod, container: Container): string | undefined {
    const nonRoot = container.securityContext?.runAsNonRoot ?? pod.spec.securityContext?.runAsNonRoot
    const user = container.securityContext?.runAsUser ?? pod.spec.securityContext?.runAsUser
    if (nonRoot !== true || (user !== undefined && user !== 0)) return undefined
    const where = `(pod: "${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})", container: ${container.name})`
    return user === 0
      ? `container's runAsUser breaks non-root policy ${where}`
      : `container has runAsNonRoot and image will run as root ${where}`
  }

  async function run(
    pod: Pod,
    record: ContainerRecord,
    namespace: Promise<PodNamespace & { ip: string }>,
  ): Promise<void> {
    const { spec } = record
    const show = (state: ContainerState): void => {
      record.state = state
      publish(pod)
    }
    if (hasTrait(spec.image, 'stuck')) return
    if (hasTrait(spec.image, 'missing')) {
      const words = `failed to pull and unpack image "${spec.image}": failed to resolve reference "${spec.image}": ${spec.image}: not found`
      show({ waiting: { reason: 'ErrImagePull', message: `rpc error: code = NotFound desc = ${words}` } })
      await delay(500, undefined, { ref: false })
      return show({
        waiting: {
          reason: 'ImagePullBackOff',
          message: `Back-off pulling image "${spec.image}": ErrImagePull: ${words}`,
        },
      })
    }
    const problem = configError(pod, spec)
    if (problem !== undefined) return show({ waiting: { reason: 'CreateContainerConfigError', message: problem } })

    const env = environment(pod, spec)
    const security = spec.securityContext ?? {}
    const options: ContainerOptions = {
      id: record.id,
      argv: commandOf(spec, env),
      env,
      directory: spec.workingDir ?? '/',
      privileges: {
        user: security.runAsUser ?? pod.spec.securityContext?.runAsUser ?? 0,
        add: security.capabilities?.add ?? [],
        drop: [...(security.capabilities?.drop ?? []), ...(hasTrait(spec.image, 'nonetraw') ? ['NET_RAW'] : [])],
        privileged: security.privileged ?? false,
        noNewPrivileges: security.allowPrivilegeEscalation === false,
      },
      hideTcpdump: hasTrait(spec.image, 'notools'),
      readOnly: security.readOnlyRootFilesystem ?? false,
    }
    const startedAt = timestamp(store.now())
    const over = (exitCode: number, reason: string, message: string): void =>
      show({
        terminated: {
          exitCode,
          reason,
          ...(message ? { message } : {}),
          startedAt,
          finishedAt: timestamp(store.now()),
          containerID: `sandbox://${record.id}`,
        },
      })
    let running: RunningContainer
    try {
      running = await node.startContainer(await namespace, options)
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      return over(
        128,
        'StartError',
        `failed to create containerd task: failed to create shim task: OCI runtime create failed: ${why}: unknown`,
      )
    }
    record.running = running
    for (const stream of [running.stdout, running.stderr]) stream.on('data', (chunk: Buffer) => keepLog(record, chunk))
    show({ running: { startedAt } })
    void running.ended.then(({ exitCode, message }) => {
      delete record.running
      const fallback = spec.terminationMessagePolicy === 'FallbackToLogsOnError' && message === '' && exitCode !== 0
      const text = fallback ? Buffer.concat(record.log).subarray(-2048).toString() : message
      over(exitCode, exitCode === 0 ? 'Completed' : 'Error', text)
    })
  }

  function sync(pod: Pod): void {
    const { uid } = pod.metadata
    const terminal = pod.status.phase === 'Succeeded' || pod.status.phase === 'Failed'
    if (stopping || uid === undefined || pod.spec.nodeName !== nodeName || pod.metadata.deletionTimestamp !== undefined)
      return
    let record = pods.get(uid)
    if (record === undefined) {
      if (terminal) return
      const namespace = node.addPod(pod.metadata.name, pod.spec.hostNetwork === true, pod.status.podIP)
      record = { namespace, containers: new Map(), work: [] }
      pods.set(uid, record)
      // A pod that cannot be created remains in ContainerCreating, as on a node whose network plug-in is broken.
      record.work.push(namespace.then(({ ip }) => publish(pod, ip)).catch(() => undefined))
    }
    const wanted = [
      ...pod.spec.containers.map((spec) => ({ spec, ephemeral: false })),
      ...(pod.spec.ephemeralContainers ?? []).map((spec) => ({ spec, ephemeral: true })),
    ]
    for (const { spec, ephemeral } of wanted) {
      if (record.containers.has(spec.name)) continue
      containers += 1
      const state = { waiting: { reason: 'ContainerCreating' } }
      const one: ContainerRecord = {
        spec,
        ephemeral,
        state,
        log: [],
        logBytes: 0,
        id: `${short(uid)}${String(containers).padStart(4, '0')}`,
      }
      record.containers.set(spec.name, one)
      publish(pod)
      record.work.push(run(pod, one, record.namespace))
    }
  }

  async function deletePod(namespace: string, name: string, graceSeconds?: number): Promise<void> {
    const pod = store.pod(namespace, name)
    if (pod === undefined) throw new Error(`deletePod: no pod ${name} in namespace ${namespace}`)
    const grace = graceSeconds ?? pod.spec.terminationGracePeriodSeconds ?? 30
    const deletionTimestamp = timestamp(new Date(store.now().getTime() + grace * 1000))
    store.put('pods', { ...pod, metadata: { ...pod.metadata, deletionTimestamp, deletionGracePeriodSeconds: grace } })
    const record = pods.get(pod.metadata.uid ?? '')
    const running = [...(record?.containers.values() ?? [])].flatMap((one) => (one.running ? [one.running] : []))
    for (const one of running) one.signal(grace === 0 ? 'SIGKILL' : 'SIGTERM')
    const kill = setTimeout(() => running.forEach((one) => one.signal('SIGKILL')), grace * 1000)
    await Promise.all(running.map(({ ended }) => ended))
    clearTimeout(kill)
    await record?.namespace.then((one) => one.remove()).catch(() => undefined)
    pods.delete(pod.metadata.uid ?? '')
    store.remove('pods', namespace, name)
  }

  const recordOf = (pod: Pod, container: string): ContainerRecord | undefined =>
    pods.get(pod.metadata.uid ?? '')?.containers.get(container)

  store.onPod(sync)
  for (const pod of store.list('pods')) sync(pod as unknown as Pod)

  return {
    mode: node.mode,
    exec: (pod, container, argv) => recordOf(pod, container)?.running?.exec(argv),
    logs(pod, container) {
      const record = recordOf(pod, container)
      return record === undefined ? undefined : Buffer.concat(record.log)
    },
    deletePod,
    killContainer(namespace, name, container) {
      const pod = store.pod(namespace, name)
      if (pod !== undefined) recordOf(pod, container)?.running?.signal('SIGKILL')
    },
    async settled() {
      await Promise.all([...pods.values()].flatMap(({ work }) => work))
    },
    async stop() {
      stopping = true
      await node.stop()
    },
  }
}

/** For tests of the API only: containers have the status Running, but no process. */
export function simulateKubelet(store: Store): Kubelet {
  const gone = (namespace: string, name: string): Promise<void> =>
    Promise.resolve(store.remove('pods', namespace, name))
  for (const object of store.list('pods')) {
    const pod = object as unknown as Pod
    if (pod.spec.nodeName !== nodeName || pod.status.phase === 'Succeeded') continue
    const containerStatuses = pod.spec.containers.map(({ name, image }): ContainerStatus => ({
      name,
      image,
      imageID: '',
      ready: true,
      restartCount: 0,
      state: { running: { startedAt: timestamp(store.now()) } },
      lastState: {},
    }))
    store.put('pods', { ...pod, status: { ...pod.status, phase: 'Running', containerStatuses } } satisfies Pod)
  }
  return {
    mode: 'none',
    exec: () => undefined,
    logs: () => undefined,
    deletePod: gone,
    killContainer: () => undefined,
    settled: () => Promise.resolve(),
    stop: () => Promise.resolve(),
  }
}
