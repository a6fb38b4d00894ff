import type { FollowOutcome } from './follower.ts'
import { unprotectedEnd } from './protection.ts'

/** How the following ended, with the recorder's endpoint by name ("the pod"). */
export interface Ending {
  readonly end: FollowOutcome['end']
  readonly endpointName: string
}

/** One reason of a verdict, as data. `renderReasons` makes the sentence. */
export type VerdictReason =
  /** why a capture is complete or empty */
  | { readonly kind: 'everything-arrived'; readonly bytes: number }
  | { readonly kind: 'no-packet-matched' }
  /** why a capture is partial */
  | { readonly kind: 'target-lost'; /** a clause, without its time */ readonly why: string }
  | { readonly kind: 'no-trailer'; readonly ending: Ending; readonly detail: string; readonly arrivedBytes: number }
  | {
      readonly kind: 'missing-bytes'
      readonly ending: Ending
      readonly arrivedBytes: number
      readonly expectedBytes: number
    }
  | { readonly kind: 'hash-differs' }
  | { readonly kind: 'tcpdump-died'; readonly exitCode: number; readonly message: string }
  | { readonly kind: 'recorder-stopped'; readonly endpointName: string }
  | { readonly kind: 'heartbeat-timeout' }
  | { readonly kind: 'deadline' }
  | { readonly kind: 'hash-ended' }
  | { readonly kind: 'unknown-stop'; readonly reason: string }
  | { readonly kind: 'paused'; readonly count: number; readonly ms: number }
  | { readonly kind: 'drops-unknown' }
  | { readonly kind: 'dropped'; readonly packets: number; readonly isUpperBound: boolean }
  | { readonly kind: 'unreadable-pcap'; readonly problem: string }
  | { readonly kind: 'last-packet-cut' }
  /** with every verdict */
  | { readonly kind: 'unprotected'; /** a clause: who can change the content */ readonly why: string }

/** The sentence of a verdict, without its full stop. */
export function renderReasons(reasons: readonly VerdictReason[]): string {
  return reasons.reduce((sentence, reason, i) => {
    const joint = i === 0 ? '' : reason.kind === 'unprotected' ? ', but ' : '; '
    return `${sentence}${joint}${renderReason(reason)}`
  }, '')
}

function renderReason<Kind extends VerdictReason['kind']>(reason: ReasonOf<Kind>): string {
  const render: (reason: ReasonOf<Kind>) => string = renderers[reason.kind]
  return render(reason)
}

type ReasonOf<Kind extends VerdictReason['kind']> = Extract<VerdictReason, { readonly kind: Kind }>

const renderers: { readonly [Kind in VerdictReason['kind']]: (reason: ReasonOf<Kind>) => string } = {
  'everything-arrived': ({ bytes }) =>
    `all ${bytes} bytes arrived with the recorder's SHA-256, every packet is whole, none was dropped`,
  'no-packet-matched': () => 'no packet matched; everything was recorded and arrived',
  'target-lost': ({ why }) => `${why} before the capture was over`,
  'no-trailer': ({ ending, detail, arrivedBytes }) =>
    `${renderEnding(ending)}${detail === '' ? '' : ` (${detail})`}; ${arrivedBytes} bytes had arrived`,
  'missing-bytes': ({ ending, arrivedBytes, expectedBytes }) =>
    `${arrivedBytes} of ${expectedBytes} bytes arrived (${renderEnding(ending)})`,
  'hash-differs': () => "the SHA-256 of the bytes that arrived is not the recorder's",
  'tcpdump-died': ({ exitCode, message }) => `tcpdump ended by itself (exit code ${exitCode}): ${message}`,
  'recorder-stopped': ({ endpointName }) => `${endpointName} was stopped before the capture was over`,
  'heartbeat-timeout': () =>
    'the recorder stopped because it had no contact with the runner for longer than heartbeat-timeout',
  deadline: () => 'the recorder reached its deadline before its duration was over',
  'hash-ended': () => 'the process that computes the SHA-256 in the recorder ended before the capture was over',
  'unknown-stop': ({ reason }) => `the recorder stopped for an unknown reason (${reason})`,
  paused: ({ count, ms }) =>
    `recording paused ${times(count)} for ${(ms / 1000).toFixed(1)} s in all, because the spool was full`,
  'drops-unknown': () => 'tcpdump did not report whether packets were dropped',
  dropped: ({ packets, isUpperBound }) =>
    `${isUpperBound ? 'at most ' : ''}${packets} packets were dropped by the kernel: use a narrower filter or a smaller snaplen`,
  'unreadable-pcap': ({ problem }) => `the pcap cannot be read: ${problem}`,
  'last-packet-cut': () => 'the last packet is cut off',
  unprotected: ({ why }) => `${why}, ${unprotectedEnd}`,
}

function renderEnding({ end, endpointName }: Ending): string {
  switch (end) {
    case 'endpoint-gone':
      return `${endpointName} disappeared`
    case 'whole':
      return 'the connection ended normally'
    case 'container-ended':
      return "the capture's container ended before everything was fetched"
    case 'gave-up':
      return 'the connection was lost and could not be restored in time'
    case 'too-slow':
      return 'the rest arrived too slowly after the end of the recording'
    case 'too-much':
      return 'the recorder sent more than max-size and spool-limit together, so the runner stopped taking data'
    case 'held':
      return 'the rest was left in the pod'
    case 'runner-disk':
      return "the runner's disk refused the data"
  }
}

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`
}
