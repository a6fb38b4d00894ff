import { ApiError, call } from '../cluster/api.ts'
import type { Connection } from '../cluster/connection.ts'
import type { Pod } from '../cluster/pod.ts'
import { messageOf } from '../errors.ts'
import { mostHold, recorderContainer, spoolDirectories, type CapturePlan } from './container.ts'
import { foreignWords } from './foreign.ts'
import { containerPlace, containerState } from './pod-place.ts'
import type { Place, RecorderState } from './place.ts'
import type { CaptureRecord } from './record.ts'
import type { Cleared, Recorder } from './recorder.ts'
import { awaitStart, NothingCreated, pause } from './start.ts'

/**
 * A recorder in a pod of its own that uses the network of the node. A Job, not a pod: it stops by its deadline and is removed by the cluster
 * some time after its end, even when nobody comes back for it.
 */
export function nodePodRecorder(connection: Connection, record: CaptureRecord, namespace: string): Recorder {
  const pods = podOfJob(connection, record, namespace)
  const place: Place = {
    open: async (command, handlers) => (await pods.place()).open(command, handlers),
    state: () => pods.state(),
    spools: spoolDirectories(record.container),
  }
  return {
    record,
    place,
    check: async () => {
      // A Job is admitted whatever its pod is; what Pod Security, quotas and webhooks say of the pod is asked with the pod.
      await create(connection, record, namespace, `/api/v1/namespaces/${namespace}/pods?dryRun=All`, podOf(record))
      await create(
        connection,
        record,
        namespace,
        `/apis/batch/v1/namespaces/${namespace}/jobs?dryRun=All`,
        jobOf(record),
      )
      return [`Admission: the cluster would take the node pod in ${namespace}`]
    },
    start: async (events, cancel) => {
      await create(connection, record, namespace, `/apis/batch/v1/namespaces/${namespace}/jobs`, jobOf(record))
      events.made(`Made the Job ${record.container} in ${namespace}, for node ${record.node}`)
      return awaitStart(place, record, events, cancel)
    },
    clear: () => remove(connection, record, namespace, pods),
  }
}

/** Seconds after the end of the Job until the cluster removes it, where nobody did. */
const timeToLive = 60

function jobOf(record: CaptureRecord): Record<string, unknown> {
  const { metadata, spec } = podOf(record)
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: record.container, labels: metadata.labels },
    spec: {
      backoffLimit: 0,
      activeDeadlineSeconds: longestLife(record.plan),
      ttlSecondsAfterFinished: timeToLive,
      template: { metadata: { labels: metadata.labels }, spec },
    },
  }
}

/** Seconds until the recorder itself is over in any case, the wait for a late post step included. */
function longestLife(plan: CapturePlan): number {
  return plan.startTimeout + plan.duration + mostHold + 120
}

function podOf(record: CaptureRecord): {
  readonly apiVersion: 'v1'
  readonly kind: 'Pod'
  readonly metadata: { readonly name: string; readonly labels: Record<string, string> }
  readonly spec: Record<string, unknown>
} {
  const { container, plan } = record
  const recorder = recorderContainer(container, plan, record.deadline)
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: container,
      labels: {
        'app.kubernetes.io/name': 'packet-capture',
        'app.kubernetes.io/managed-by': 'kubernetes-packet-capture',
      },
    },
    spec: {
      hostNetwork: true,
      nodeName: record.node, // also where the scheduler would not: on a cordoned or a full node
      tolerations: [{ operator: 'Exists' }],
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: 5,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      volumes: [{ name: 'spool', emptyDir: { sizeLimit: String(plan.spoolLimit * 2) } }],
      containers: [
        {
          ...recorder,
          volumeMounts: [{ name: 'spool', mountPath: '/tmp' }],
          resources: {
            requests: { cpu: '100m', memory: '64Mi' },
            limits: { cpu: '1', memory: '256Mi', 'ephemeral-storage': String(plan.spoolLimit * 2 + 50e6) },
          },
          securityContext: {
            runAsUser: 0,
            runAsNonRoot: false,
            privileged: false,
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            // SETGID: a tcpdump that is built to become a user of its own can be told to stay root (-Z root) with it alone.
            capabilities: { drop: ['ALL'], add: [...new Set(['NET_RAW', 'SETGID', ...plan.capabilities])] },
            seccompProfile: { type: 'RuntimeDefault' },
          },
        },
      ],
    },
  }
}

async function create(
  connection: Connection,
  record: CaptureRecord,
  namespace: string,
  path: string,
  value: unknown,
): Promise<void> {
  try {
    await call(connection, 'POST', path, { type: 'application/json', value })
  } catch (error) {
    throw error instanceof ApiError ? refused(error, record, namespace) : error
  }
}

function refused(error: ApiError, record: CaptureRecord, namespace: string): Error {
  const nothing = 'Nothing was created.'
  if (/violates PodSecurity/.test(error.message)) {
    return new NothingCreated(
      `node-namespace: ${JSON.stringify(namespace)} enforces a Pod Security level that forbids a node pod: ${error.message}. ` +
        'A pod in the network of its node needs the level "privileged": use a namespace that is kept for this and has the label ' +
        `pod-security.kubernetes.io/enforce=privileged (docs/rbac/platform.yaml makes one). ${nothing}`,
    )
  }
  if (error.status === 404) {
    return new NothingCreated(
      `node-namespace: there is no namespace ${JSON.stringify(namespace)}. Make it with \`kubectl create namespace ${namespace} && kubectl label namespace ${namespace} pod-security.kubernetes.io/enforce=privileged\`; docs/rbac/platform.yaml has its rights. ${nothing}`,
    )
  }
  if (error.status < 500) {
    return new NothingCreated(
      `node-namespace: the cluster refuses a node pod for ${record.node} in ${JSON.stringify(namespace)}: ${error.message}. ${nothing}`,
    )
  }
  return error
}

interface PodOfJob {
  /** once it has been found */
  name(): string | undefined
  state(): Promise<RecorderState>
  /** @throws where there is no pod yet, or none any more */
  place(): Promise<Place>
}

/** The Job's only pod, found by the Job's name once it is there. */
function podOfJob(connection: Connection, { container }: CaptureRecord, namespace: string): PodOfJob {
  let found: { readonly name: string; readonly uid: string } | undefined
  const find = async (): Promise<typeof found> => {
    if (found) return found
    const query = new URLSearchParams({ labelSelector: `batch.kubernetes.io/job-name=${container}` })
    const path = `/api/v1/namespaces/${namespace}/pods?${query.toString()}`
    const { items = [] } = (await call(connection, 'GET', path, undefined, findTimeout)).body as {
      items?: readonly Pod[]
    }
    const { name, uid } = items[0]?.metadata ?? {}
    if (name !== undefined && uid !== undefined) found = { name, uid }
    return found
  }
  const sourceOf = ({ name, uid }: { name: string; uid: string }) => ({
    connection,
    namespace,
    pod: name,
    uid,
    container,
  })
  return {
    name: () => found?.name,
    state: async () => {
      try {
        const pod = await find()
        if (pod) return await containerState(sourceOf(pod))
        return await jobState(connection, container, namespace)
      } catch (error) {
        return { kind: 'unknown', reason: messageOf(error) }
      }
    },
    place: async () => {
      const pod = await find()
      if (!pod) throw new Error(`the Job ${container} has no pod`)
      return containerPlace(sourceOf(pod))
    },
  }
}

const findTimeout = 10_000

/** While there is no pod: whether one may still come, and why it has not. */
async function jobState(connection: Connection, name: string, namespace: string): Promise<RecorderState> {
  try {
    const { body } = await call(
      connection,
      'GET',
      `/apis/batch/v1/namespaces/${namespace}/jobs/${name}`,
      undefined,
      findTimeout,
    )
    const { conditions = [] } = (body as { status?: { conditions?: readonly JobCondition[] } }).status ?? {}
    const failed = conditions.find(({ type, status }) => type === 'Failed' && status === 'True')
    if (failed) return { kind: 'terminated', reason: failed.reason ?? 'Failed', message: failed.message ?? '' }
    return { kind: 'waiting', reason: '', message: '' }
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return { kind: 'gone', reason: 'the Job was deleted' }
    throw error
  }
}

interface JobCondition {
  readonly type?: string
  readonly status?: string
  readonly reason?: string
  readonly message?: string
}

/** The recorder ends first, so that the Job goes as one that has done its work; then Job and pod are deleted. */
async function remove(
  connection: Connection,
  { container, plan }: CaptureRecord,
  namespace: string,
  pods: PodOfJob,
): Promise<Cleared> {
  let patience = removalPatience
  const path = `/apis/batch/v1/namespaces/${namespace}/jobs/${container}`
  try {
    await deleteJob(connection, path)
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 404)) {
      const remains =
        `the Job ${container} in ${namespace}: it could not be deleted (${foreignWords(messageOf(error), 500)}); it ends by itself and is removed ${timeToLive} s after its end, ` +
        `at the latest ${longestLife(plan) + timeToLive} s after its start`
      return { remains: [remains], unfinished: true }
    }
    patience = goingPatience // whoever deleted it may have left its pod, or that has not gone yet
  }
  const end = Date.now() + patience
  while (Date.now() < end) {
    const { kind } = await pods.state()
    if (kind === 'gone') return { remains: [], unfinished: false }
    await pause(300)
  }
  const name = pods.name()
  const remains =
    `the pod ${name === undefined ? '' : `${name} `}of the Job ${container} in ${namespace}, which is deleted; its recorder ends by itself` +
    (name === undefined ? '' : `, and should the pod stay, \`kubectl -n ${namespace} delete pod ${name}\` removes it`)
  return { remains: [remains], unfinished: false }
}

/** How long the cluster gets to remove the pod, ms. */
const removalPatience = 20_000
/** The same, where the Job had been deleted before; ms. */
const goingPatience = 10_000

/** Once more where the API server is away for a moment: it does no harm twice. */
async function deleteJob(connection: Connection, path: string): Promise<void> {
  const body = { type: 'application/json', value: { propagationPolicy: 'Background' } }
  for (let attempt = 1; ; attempt += 1) {
    try {
      await call(connection, 'DELETE', path, body, findTimeout)
      return
    } catch (error) {
      if (attempt === 3 || (error instanceof ApiError && error.status < 500)) throw error
      await pause(1_000)
    }
  }
}
