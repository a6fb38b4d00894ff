import { ApiError, call } from '../../cluster/api.ts'
import type { Connection } from '../../cluster/connection.ts'
import type { ContainerStatus, Pod } from '../../cluster/pod.ts'
import { messageOf } from '../../common/errors.ts'
import { spoolDirsOf } from '../plan.ts'
import { sanitizeRemoteText } from '../../common/remote-text.ts'
import { urlPath } from '../../common/url-path.ts'
import { maxMessageLength, type RecorderEndpoint, type RecorderState } from './endpoint.ts'

/** The recorder's container. The UID tells its pod from a later one of the same name. */
export interface ContainerSource {
  readonly connection: Connection
  readonly namespace: string
  readonly pod: string
  readonly uid: string
  readonly container: string
}

/** A recorder in a container, reached by exec. */
export function containerEndpoint(source: ContainerSource): RecorderEndpoint {
  const { namespace, pod, container } = source
  return {
    open: async (command, handlers) => {
      // Loaded only here: the library of its connection is not needed before the first exec.
      const { openRemoteCommand } = await import('../../cluster/remote-command.ts')
      return openRemoteCommand(source.connection, { namespace, pod, container, command }, handlers)
    },
    state: () => containerState(source),
    spoolDirs: spoolDirsOf(container),
  }
}

/** A request for the pod between two connections must be much shorter than the recorder's heartbeat timeout. */
const stateTimeoutMs = 10_000

/** The state of the container in the pod of that UID; 'unknown' while the API server gives no answer. Never rejects. */
export async function containerState(source: ContainerSource): Promise<RecorderState> {
  let pod: Pod
  try {
    const path = urlPath`/api/v1/namespaces/${source.namespace}/pods/${source.pod}`
    pod = (await call(source.connection, 'GET', path, { timeoutMs: stateTimeoutMs })).body as Pod
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return { kind: 'gone', reason: 'the pod was deleted' }
    return { kind: 'unknown', reason: messageOf(error) }
  }
  try {
    return stateIn(pod, source)
  } catch (error) {
    return { kind: 'unknown', reason: `the API server answers with a pod that is none (${messageOf(error)})` }
  }
}

/** @throws TypeError for an object that has not the shape of a pod */
function stateIn(pod: Pod, source: ContainerSource): RecorderState {
  if (pod.metadata?.uid !== source.uid)
    return { kind: 'gone', reason: 'the pod was replaced by another pod of the same name' }
  const statuses = [...(pod.status?.ephemeralContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])]
  const status = statuses.find(({ name }) => name === source.container)
  const state = status === undefined ? stateWithout(pod) : stateOf(status)
  if (isTooLate(state, pod))
    return { kind: 'gone', reason: 'it ended (Succeeded) before the capture container started' }
  const podDeleted = pod.metadata.deletionTimestamp !== undefined
  return state.kind === 'terminated' && podDeleted ? { ...state, podDeleted } : state
}

/** The kubelet starts no container in a pod that has ended; one that is not started yet would be waited for until start-timeout. */
function isTooLate({ kind }: RecorderState, { status }: Pod): boolean {
  return kind === 'waiting' && status?.phase === 'Succeeded'
}

/** A pod that the kubelet rejects, or that is evicted before it starts, has no container statuses. */
function stateWithout({ status }: Pod): RecorderState {
  if (status?.phase !== 'Failed') return { kind: 'waiting' }
  const { reason, message } = remoteTextOf(status)
  return { kind: 'terminated', reason: `the pod failed: ${reason}`, message: `${reason} ${message}`.trim() }
}

function stateOf(status: ContainerStatus | undefined): RecorderState {
  const state = status?.state
  if (state?.terminated) {
    const { reason, message } = remoteTextOf(state.terminated)
    return { kind: 'terminated', reason: `${reason} (exit code ${Number(state.terminated.exitCode ?? 0)})`, message }
  }
  if (state?.running)
    return { kind: 'running', imageId: sanitizeRemoteText(status?.imageID ?? '', maxImageIdLength) || undefined }
  return state?.waiting?.reason ? { kind: 'waiting', why: remoteTextOf(state.waiting) } : { kind: 'waiting' }
}

/** Of a reference with its digest, UTF-16 units. */
const maxImageIdLength = 512
const maxReasonLength = 200

/** The kubelet of the node writes both texts; they are not trusted. */
function remoteTextOf(status: { readonly reason?: string; readonly message?: string } | undefined): {
  readonly reason: string
  readonly message: string
} {
  const { reason = '', message = '' } = status ?? {}
  return { reason: sanitizeRemoteText(reason, maxReasonLength), message: message.trim().slice(0, maxMessageLength) }
}
