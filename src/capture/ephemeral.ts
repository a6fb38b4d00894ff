import { oneLine } from '../cluster/answer.ts'
import { ApiError, call } from '../cluster/api.ts'
import type { Connection } from '../cluster/connection.ts'
import { denied } from '../cluster/target.ts'
import { ConfigurationError } from '../errors.ts'
import { recorderContainer } from './container.ts'
import { containerPlace, containerState, type ContainerSource } from './pod-place.ts'
import type { CaptureRecord } from './record.ts'
import type { Recorder } from './recorder.ts'
import { awaitStart, NothingCreated, pause } from './start.ts'

/** A recorder in an ephemeral container of the pod that it records. Kubernetes removes no such container: its entry stays with the pod. */
export function ephemeralRecorder(connection: Connection, record: CaptureRecord): Recorder {
  const { namespace, pod, uid, container } = record
  const source: ContainerSource = { connection, namespace, pod, uid, container }
  const place = containerPlace(source)
  return {
    record,
    place,
    check: async () => {
      const taken = await addContainer(connection, record, true)
      return [
        taken === 'unknown'
          ? 'Admission: not known before the start: a webhook of the cluster cannot be asked by a dry run'
          : 'Admission: the cluster would take the capture container',
      ]
    },
    start: async (events, cancel) => {
      await addContainer(connection, record, false)
      events.made(`Added the ephemeral container ${container} to pod ${pod}`)
      return awaitStart(place, record, events, cancel)
    },
    clear: async () => {
      await awaitEnd(source)
      return { remains: [endedEntry(container)], unfinished: false }
    },
  }
}

/** What always stays of an ephemeral container. */
export function endedEntry(container: string): string {
  return `the ended entry ${container} in the pod's list of ephemeral containers: Kubernetes cannot remove it; it goes with the pod`
}

/**
 * Adds the capture's container to the pod, or with `dryRun` asks whether it could be; 'unknown' where that cannot be asked.
 * @throws ConfigurationError with admission's words and the fix
 */
export async function addContainer(
  connection: Connection,
  record: CaptureRecord,
  dryRun: boolean,
): Promise<'taken' | 'unknown'> {
  const container = recorderContainer(record.container, record.plan, record.deadline)
  const path = `/api/v1/namespaces/${record.namespace}/pods/${record.pod}/ephemeralcontainers${dryRun ? '?dryRun=All' : ''}`
  try {
    await call(connection, 'PATCH', path, {
      type: 'application/strategic-merge-patch+json',
      value: { metadata: { uid: record.uid }, spec: { ephemeralContainers: [container] } },
    })
    return 'taken'
  } catch (error) {
    // A webhook that does things beside its answer refuses every dry run (apiserver, NewDryRunUnsupportedErr); the real request may pass.
    if (dryRun && error instanceof ApiError && /does not support dry run/.test(error.message)) return 'unknown'
    throw error instanceof ApiError ? refused(error, record, dryRun) : error
  }
}

function refused(error: ApiError, record: CaptureRecord, dryRun: boolean): Error {
  const nothing = 'Nothing was created.'
  const words = oneLine(error.message)
  if (/violates PodSecurity/.test(words)) {
    return new NothingCreated(
      `namespace: ${JSON.stringify(record.namespace)} enforces a Pod Security level that forbids a capture container: ${words}. ` +
        `${podSecurityAdvice(words, record)} ${nothing}`,
    )
  }
  if (error.status === 404) {
    // A pod that is away is named; without a name it is the subresource that the server does not know.
    return new NothingCreated(
      /could not find the requested resource/.test(words)
        ? `pod: the cluster has no ephemeral containers (${words}): they are there from Kubernetes 1.25 on. Capture with \`level: node\`. ${nothing}`
        : `pod: ${JSON.stringify(record.pod)} went away before the capture began (${words}). Name a pod that stays, or deployment/NAME. ${nothing}`,
    )
  }
  if (error.status === 403 && error.reason === 'Forbidden' && /cannot patch/.test(words)) {
    return new NothingCreated(denied(error, 'patch', 'pods/ephemeralcontainers', record.namespace).message)
  }
  if (error.status < 500 && error.status !== 429) {
    return new NothingCreated(
      `pod: the cluster refuses a capture container in ${JSON.stringify(record.pod)}: ${words}. ${nothing}`,
    )
  }
  if (dryRun) return error
  return new ConfigurationError(
    `pod: the API server answered ${error.status} (${words}) when the capture container was to be added to ${JSON.stringify(record.pod)}, so whether it was is not known; ` +
      `if so, it ends by itself after ${record.plan.ownerTimeout} s. Run it again; if it stays, tell those who run the cluster.`,
  )
}

/**
 * What would help, by the level that is violated. A capture needs uid 0, which `restricted` never takes, and no capability beyond the default
 * ones, which `baseline` takes; `capabilities` asks for more than `baseline` takes (k8s.io/pod-security-admission, policy checks).
 */
function podSecurityAdvice(words: string, { plan }: CaptureRecord): string {
  const label = (level: string): string => `the label pod-security.kubernetes.io/enforce=${level} on the namespace`
  const more = plan.capabilities.length > 0
  if (/PodSecurity "?baseline/.test(words)) {
    return more
      ? `Leave the input \`capabilities\` empty: most runtimes give NET_RAW by themselves. Where yours does not (CRI-O, OpenShift), ask for ${label('privileged')}.`
      : `The capture container alone would be taken at this level: it is the pod itself, or a container that was added to it before, that violates it. Capture another pod, or ask for ${label('privileged')}.`
  }
  return more
    ? `A capture needs uid 0, which this level never takes. Ask for ${label('baseline')} and leave the input \`capabilities\` empty, or, where the runtime gives no NET_RAW by itself, for ${label('privileged')}.`
    : `A capture needs uid 0, which this level never takes. Ask for ${label('baseline')}.`
}

/** Sees the container end after the last acknowledgement; it ends by itself in any case. */
async function awaitEnd(source: ContainerSource): Promise<void> {
  const end = Date.now() + 5_000
  while (Date.now() < end) {
    const { kind } = await containerState(source)
    if (kind === 'terminated' || kind === 'gone') return
    await pause(200)
  }
}
