import { Cancelled, ConfigurationError } from '../errors.ts'
import type { Place } from './place.ts'
import type { CaptureRecord } from './record.ts'
import type { CaptureEvents } from './recorder.ts'

const pollEvery = 500
/** Of a cancel's grace of 7.5 s: what a container that is about to run gets, ms; stopping it takes up to 3 s. */
const startGrace = 3_000

function cancelledInStart(record: CaptureRecord): string {
  const begin = `The run was cancelled before the container ${record.container} had started.`
  if (record.where.kind !== 'container') return `${begin} ${unstartedRemains(record)}`
  return (
    `${begin} If it still does, the post step stops it; without that it ends by itself after ${record.plan.ownerTimeout} s. ` +
    'The pod keeps one entry for it.'
  )
}

function unstartedRemains({ where, container, plan }: CaptureRecord): string {
  switch (where.kind) {
    case 'container':
      return `The pod keeps one entry for the ephemeral container ${container}; should it still start, it ends by itself after ${plan.ownerTimeout} s.`
    case 'node-pod':
      return `The Job ${container} in ${where.namespace} is removed.`
    case 'ssh':
      return 'What was put on the node is removed.'
  }
}

/** Image errors are tried again by the kubelet; a registry's hiccup of this length, ms, is forgiven. */
const pullPatience = 15_000

/**
 * Waits until the container runs.
 * @throws ConfigurationError that names the image, the container and the kubelet's words
 */
export async function awaitStart(
  place: Place,
  record: CaptureRecord,
  events: CaptureEvents,
  signal: AbortSignal,
): Promise<string> {
  const end = Date.now() + record.plan.startTimeout * 1000
  let failingSince: number | undefined
  let cancelledAt: number | undefined
  let last = ''
  const remains = unstartedRemains(record)
  for (;;) {
    const state = await place.state()
    if (state.kind === 'running') return state.imageId
    if (state.kind === 'terminated') {
      // A container that came and went between two looks: its last words say how.
      if (/^size \d+/m.test(state.message)) return ''
      throw startError(state.message || state.reason, record, state.reason)
    }
    if (state.kind === 'gone') {
      const what =
        record.where.kind === 'container'
          ? `pod: ${JSON.stringify(record.pod)}`
          : `level: the recorder on node ${record.node}`
      throw new ConfigurationError(`${what} is gone: ${state.reason}. Nothing was captured.`)
    }
    if (state.kind === 'waiting') {
      if (state.reason !== last && state.reason !== '') events.waiting(`${state.reason} ${state.message}`.trim())
      last = state.reason
      const pull = /^(ErrImagePull|ImagePullBackOff|RegistryUnavailable)$/.test(state.reason)
      const hopeless =
        /^(InvalidImageName|ErrImageNeverPull|ImageInspectError|CreateContainer(Config)?Error|RunContainerError)$/
      const refused = hopeless.test(state.reason)
      failingSince = pull ? (failingSince ?? Date.now()) : undefined
      if (refused || (failingSince !== undefined && Date.now() - failingSince > pullPatience)) {
        throw new ConfigurationError(
          `image: the node ${record.node} cannot start ${JSON.stringify(record.plan.image)} ` +
            `(${state.reason}: ${state.message || 'no further words'}). ${
              pull || /Image/.test(state.reason)
                ? "Use an image that the node can pull with the pod's own pull secrets."
                : 'Use an image with sh and tcpdump.'
            } ${remains}`,
        )
      }
    }
    if (signal.aborted) {
      // An image that is there starts within moments; a recorder that nobody waits for would record until its owner is missed.
      cancelledAt ??= Date.now()
      if (Date.now() - cancelledAt > startGrace) throw new Cancelled(cancelledInStart(record))
    }
    if (Date.now() > end) {
      throw new ConfigurationError(
        `start-timeout: the container ${record.container} has not started within ${record.plan.startTimeout} s` +
          `${last ? ` (${last})` : ''}: is the image large, or the node busy? Raise start-timeout or use a smaller image. ${remains}`,
      )
    }
    await pause(pollEvery, signal)
  }
}

/** The cluster has refused the container, so there is none. */
export class NothingCreated extends ConfigurationError {}

/** The container has ended without recording: nothing is left to finish. */
export class NothingRecorded extends ConfigurationError {}

/** The recorder's own last words (`error CODE TEXT`) in terms of the inputs; `reason`: what the kubelet calls its end. */
export function startError(words: string, record: CaptureRecord, reason = ''): Error {
  const match = /^error (\S+) ?([\s\S]*)$/.exec(words.trim())
  const code = match?.[1] ?? ''
  const text = (match?.[2] ?? words).replace(/tcpdump: (data link type \S+)?/g, '').trim()
  const inPod = record.where.kind === 'container'
  const there = inPod ? 'in the pod' : 'on the node'
  const remains = inPod
    ? `The pod keeps one ended entry for the ephemeral container ${record.container}.`
    : unstartedRemains(record)
  const said = (input: string, cause: string, fix: string): Error =>
    new NothingRecorded(`${input}: ${cause}: ${text || 'no words'}. ${fix} ${remains}`)
  const bySsh = record.where.kind === 'ssh'
  switch (code) {
    case 'filter':
      return said('filter', `the tcpdump ${there} refuses ${JSON.stringify(record.plan.filter)}`, 'See pcap-filter(7).')
    case 'net-raw':
      return said(
        'capabilities',
        `tcpdump may not open a packet socket ${there}`,
        inPod
          ? 'The runtime gives no NET_RAW by default (CRI-O, OpenShift): set `capabilities: NET_RAW`, which the namespace must take (Pod Security `privileged`).'
          : 'Is NET_RAW forbidden there?',
      )
    case 'interface':
      return said(
        'interface',
        `tcpdump cannot record on ${JSON.stringify(record.plan.interface)} ${there}`,
        inPod ? 'Use any, eth0 or lo.' : 'Use any, or the name of an interface of the node.',
      )
    case 'user':
      return said(
        'image',
        `the tcpdump of ${JSON.stringify(record.plan.image)} becomes another user, which it has no right to ${there}`,
        'Use an image whose tcpdump stays root, as the default one does.',
      )
    case 'tools':
      if (bySsh) return said('node-method', 'the node cannot record', 'Or use node-method: pod.')
      return said('image', `${JSON.stringify(record.plan.image)} cannot record`, 'Use an image with sh and tcpdump.')
    case 'space':
      if (bySsh)
        return said('level', 'the recorder has nowhere to write its spool on the node', 'Or use node-method: pod.')
      return said('image', 'the container has nowhere to write its spool', 'Is its root file system read-only?')
    default:
      // The runtime could not even begin (StartError of containerd, ContainerCannotRun of CRI-O): there is no sh in the image.
      if (!bySsh && (/^(StartError|ContainerCannotRun)\b/.test(reason) || /executable file not found/.test(text))) {
        return said(
          'image',
          `the node ${record.node} cannot run sh of ${JSON.stringify(record.plan.image)}`,
          "Use an image with sh and tcpdump, for the node's architecture.",
        )
      }
      if (record.where.kind === 'node-pod') {
        return said(
          'node-namespace',
          'the node pod ended before it recorded anything',
          `See \`kubectl -n ${record.where.namespace} get events\`.`,
        )
      }
      if (bySsh)
        return said(
          'node-method',
          'the recorder ended on the node before it recorded anything',
          'Or use node-method: pod.',
        )
      return said('image', `the container ended before it recorded anything`, 'See its log with `kubectl logs -c`.')
  }
}

export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms)
    function done(): void {
      clearTimeout(timer)
      signal?.removeEventListener('abort', done)
      resolve()
    }
    signal?.addEventListener('abort', done, { once: true })
  })
}
