import { pause } from '../../common/timeouts.ts'
import { ApiError, call } from '../../cluster/api.ts'
import type { Connection } from '../../cluster/connection.ts'
import { toOneLine } from '../../common/remote-text.ts'
import { denied } from '../../cluster/denied.ts'
import { ConfigurationError, type Problem } from '../../common/errors.ts'
import { urlPath } from '../../common/url-path.ts'
import { loaderSeconds, recorderContainer } from '../recorder-container.ts'
import { containerEndpoint, containerState, type ContainerSource } from './container-endpoint.ts'
import { terminatedContainer } from './ephemeral-container-method.ts'
import { recordedPod, type CaptureRecord } from '../record.ts'
import type { CleanupResult, Recorder } from './recorder.ts'
import { startAndDeliver } from './delivery.ts'
import { NothingCreated, NothingDelivered, NothingRecorded } from './start-failure.ts'

/** A recorder in an ephemeral container of the pod that it records. Kubernetes removes no such container: it stays in the pod's spec. */
export function ephemeralRecorder(connection: Connection, record: CaptureRecord): Recorder {
  const { captureId } = record
  const { namespace, pod, uid } = recordedPod(record)
  const source: ContainerSource = { connection, namespace, pod, uid, container: captureId }
  const endpoint = containerEndpoint(source)
  return {
    record,
    endpoint,
    check: async () => {
      const taken = await addContainer(connection, record, true)
      return [
        taken === 'unknown'
          ? 'Admission: unknown until the start, because a webhook of the cluster does not support dry run'
          : 'Admission: the cluster allows the capture container',
      ]
    },
    start: async (events, cancel) => {
      await addContainer(connection, record, false)
      events.onCreated(`Added the ephemeral container ${captureId} to pod ${pod}`)
      return startAndDeliver(endpoint, record, events, cancel)
    },
    abandonStart: (error) => Promise.resolve(abandonedStart(record, error)),
    cleanUp: async () => {
      await awaitEnd(source)
      return { leftovers: [terminatedContainer(captureId)], unfinished: false }
    },
  }
}

/** There is nothing that can be removed; a container that may still start is the post step's to stop. */
function abandonedStart({ captureId, plan }: CaptureRecord, error: unknown): CleanupResult {
  if (error instanceof NothingCreated) return { leftovers: [], unfinished: false }
  if (error instanceof NothingDelivered) {
    const leftover = `the ephemeral container ${captureId}, which records nothing and ends by itself after ${loaderSeconds(plan)} s`
    return { leftovers: [`${leftover}; ${terminatedContainer(captureId)}`], unfinished: false }
  }
  if (error instanceof NothingRecorded) return { leftovers: [terminatedContainer(captureId)], unfinished: false }
  const ending = `if it still starts, it ends by itself after ${plan.heartbeatTimeoutSeconds} s without contact from the runner`
  const leftover = `the ephemeral container ${captureId}, which stays in the pod's spec until the pod is deleted; ${ending}`
  return { leftovers: [leftover], unfinished: true }
}

/**
 * Adds the capture's container to the pod, or with `dryRun` asks whether it could be added; 'unknown' where that cannot be asked.
 * @throws ConfigurationError with the message of admission and the fix
 */
export async function addContainer(
  connection: Connection,
  record: CaptureRecord,
  dryRun: boolean,
): Promise<'taken' | 'unknown'> {
  const { namespace, pod, uid } = recordedPod(record)
  const container = recorderContainer(record.captureId, record.plan, record.deadlineSeconds)
  const path = `${urlPath`/api/v1/namespaces/${namespace}/pods/${pod}/ephemeralcontainers`}${dryRun ? '?dryRun=All' : ''}`
  try {
    const value = { metadata: { uid }, spec: { ephemeralContainers: [container] } }
    // The patch merges containers by their names: the same one again changes nothing.
    const body = { type: 'application/strategic-merge-patch+json', value }
    await call(connection, 'PATCH', path, { body, isIdempotent: true })
    return 'taken'
  } catch (error) {
    // A webhook with side effects rejects every dry run (apiserver, NewDryRunUnsupportedErr); the real request may pass.
    if (dryRun && error instanceof ApiError && /does not support dry run/.test(error.message)) return 'unknown'
    throw error instanceof ApiError ? rejected(error, record, dryRun) : error
  }
}

function rejected(error: ApiError, record: CaptureRecord, dryRun: boolean): Error {
  const { namespace, pod } = recordedPod(record)
  const message = toOneLine(error.message)
  if (/violates PodSecurity/.test(message)) {
    return new NothingCreated({
      code: 'E_POD_SECURITY',
      input: 'namespace',
      problem: `${JSON.stringify(namespace)} enforces a Pod Security level that forbids the capture container`,
      message,
      fix: podSecurityFix(message, record),
    })
  }
  if (error.status === 404) return new NothingCreated(notFound(message, pod))
  if (error.status === 403 && error.reason === 'Forbidden' && /cannot patch/.test(message)) {
    const missingRight = denied(error, 'patch', 'pods/ephemeralcontainers', namespace)
    return missingRight instanceof ConfigurationError ? new NothingCreated(missingRight.problems) : missingRight
  }
  if (error.status < 500 && error.status !== 429) {
    return new NothingCreated({
      code: 'E_CONTAINER_REJECTED',
      input: 'pod',
      problem: `the cluster rejects a capture container in ${JSON.stringify(pod)}`,
      message,
      fix: 'Ask an admin of the cluster which policy applies, or capture another pod.',
    })
  }
  if (dryRun) return error
  return new ConfigurationError({
    code: 'E_CONTAINER_UNCERTAIN',
    input: 'pod',
    problem:
      `the API server answered ${error.status} (${message}) to the request that adds the capture container to ${JSON.stringify(pod)}, ` +
      'so it is unknown whether the container was added',
    fix:
      `If it was added, it ends by itself after ${record.plan.heartbeatTimeoutSeconds} s. Run the job again. ` +
      'If the error persists, report it to an admin of the cluster.',
  })
}

/** A pod that is gone is named in the message; without a name it is the subresource that the server does not have. */
function notFound(message: string, pod: string): Problem {
  return /could not find the requested resource/.test(message)
    ? {
        code: 'E_EPHEMERAL_CONTAINERS_UNSUPPORTED',
        input: 'pod',
        problem: `the cluster has no ephemeral containers (${message}), which exist from Kubernetes 1.25 on`,
        fix: 'Capture with `level: node`.',
      }
    : {
        code: 'E_POD_GONE',
        input: 'pod',
        problem: `${JSON.stringify(pod)} was deleted before the capture started (${message})`,
        fix: 'Name a pod that keeps running, or deployment/NAME.',
      }
}

/**
 * The fix by the level that is violated. A capture needs uid 0, which `restricted` never allows, and no capability beyond the default ones, which
 * `baseline` allows; `capabilities` asks for more than `baseline` allows (k8s.io/pod-security-admission, policy checks).
 */
function podSecurityFix(message: string, { plan }: CaptureRecord): string {
  const label = (level: string): string => `the label pod-security.kubernetes.io/enforce=${level} on the namespace`
  const asksForMore = plan.capabilities.length > 0
  if (/PodSecurity "?baseline/.test(message)) {
    return asksForMore
      ? `Leave the input \`capabilities\` empty: most container runtimes grant NET_RAW by default. Where yours does not (CRI-O, OpenShift), ask for ${label('privileged')}.`
      : `This level allows the capture container itself: the pod, or a container that was added to it before, violates it. Capture another pod, or ask for ${label('privileged')}.`
  }
  return asksForMore
    ? `A capture needs uid 0, which this level never allows. Ask for ${label('baseline')} and leave the input \`capabilities\` empty, or, where the container runtime does not grant NET_RAW by default, for ${label('privileged')}.`
    : `A capture needs uid 0, which this level never allows. Ask for ${label('baseline')}.`
}

/** Waits for the container's end after the last acknowledgement; it ends by itself in any case. */
async function awaitEnd(source: ContainerSource): Promise<void> {
  const end = Date.now() + 5_000
  while (Date.now() < end) {
    const { kind } = await containerState(source)
    if (kind === 'terminated' || kind === 'gone') return
    await pause(200)
  }
}
