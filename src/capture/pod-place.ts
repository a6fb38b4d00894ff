import { ApiError, call } from '../cluster/api.ts'
import type { Connection } from '../cluster/connection.ts'
import type { ContainerStatus, Pod } from '../cluster/pod.ts'
import { openRemoteCommand } from '../cluster/remote-command.ts'
import { messageOf } from '../errors.ts'
import { spoolDirectories } from './container.ts'
import { foreignWords } from './foreign.ts'
import { longestMessage, type Place, type RecorderState } from './place.ts'

/** A container of ours: of which pod, by its UID, for another of its name may come. */
export interface ContainerSource {
  readonly connection: Connection
  readonly namespace: string
  readonly pod: string
  readonly uid: string
  readonly container: string
}

/** A recorder in a container, reached by exec. */
export function containerPlace(source: ContainerSource): Place {
  const { namespace, pod, container } = source
  return {
    open: (command, handlers) => openRemoteCommand(source.connection, { namespace, pod, container, command }, handlers),
    state: () => containerState(source),
    spools: spoolDirectories(container),
  }
}

/** A look at the pod between two connections must not cost the time in which the recorder gives its owner up, ms. */
const stateTimeout = 10_000

/** The state of our container in the pod of the right UID; 'unknown' while the API server gives no such answer. */
export async function containerState(source: ContainerSource): Promise<RecorderState> {
  let pod: Pod
  try {
    const path = `/api/v1/namespaces/${source.namespace}/pods/${source.pod}`
    pod = (await call(source.connection, 'GET', path, undefined, stateTimeout)).body as Pod
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return { kind: 'gone', reason: 'the pod was deleted' }
    return { kind: 'unknown', reason: messageOf(error) }
  }
  if (pod.metadata?.uid !== source.uid) return { kind: 'gone', reason: 'the pod was replaced by another of its name' }
  const statuses = [...(pod.status?.ephemeralContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])]
  const status = statuses.find(({ name }) => name === source.container)
  const state = status === undefined ? stateWithout(pod) : stateOf(status)
  const podDeleted = pod.metadata.deletionTimestamp !== undefined
  return state.kind === 'terminated' && podDeleted ? { ...state, podDeleted } : state
}

/** A pod that the kubelet refuses, or that is evicted before it starts, has no containers to tell of. */
function stateWithout({ status }: Pod): RecorderState {
  if (status?.phase !== 'Failed') return { kind: 'waiting', reason: '', message: '' }
  const { reason, message } = wordsOf(status)
  return { kind: 'terminated', reason: `the pod failed: ${reason}`, message: `${reason} ${message}`.trim() }
}

function stateOf(status: ContainerStatus | undefined): RecorderState {
  const state = status?.state
  if (state?.terminated) {
    const { reason, message } = wordsOf(state.terminated)
    return { kind: 'terminated', reason: `${reason} (exit code ${state.terminated.exitCode ?? 0})`, message }
  }
  if (state?.running) return { kind: 'running', imageId: foreignWords(status?.imageID ?? '', longestImageId) }
  return { kind: 'waiting', ...wordsOf(state?.waiting) }
}

/** Of a reference with its digest, UTF-16 units. */
const longestImageId = 512
const longestReason = 200

/** The status is whatever the node's kubelet writes there. */
function wordsOf(said: { readonly reason?: string; readonly message?: string } | undefined): {
  readonly reason: string
  readonly message: string
} {
  const { reason = '', message = '' } = said ?? {}
  return { reason: foreignWords(reason, longestReason), message: message.trim().slice(0, longestMessage) }
}
