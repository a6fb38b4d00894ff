import type { ConnectionFindingId, Finding, FindingGroup, Severity } from './finding.ts'
import type { WorstConnection } from './worst-connections.ts'
import { connectionFilter, counted, endpointText, serverFilter, serverText } from './wording.ts'

interface Description {
  readonly severity: Severity
  /** sentence about `connections` ("3 connections") to `server` */
  readonly title: (connections: string, server: string, facts: Readonly<Record<string, number | string>>) => string
  /** Wireshark filter that is added to the server's */
  readonly filter: string
  readonly likelyCauses: readonly string[]
  readonly nextSteps: readonly string[]
}

const descriptions: Record<ConnectionFindingId, Description> = {
  'connection-no-answer': {
    severity: 'error',
    title: (connections, server, { syns, waited_s }) =>
      `${connections} to ${server} got no answer (${syns} SYN in ${waited_s} s)`,
    filter: 'tcp.flags.syn == 1',
    likelyCauses: [
      'a NetworkPolicy or firewall drops the packets',
      'no route to the address',
      'the node of the server is down',
    ],
    nextSteps: ['List the NetworkPolicies of both namespaces', 'Capture on the server to see whether the SYN arrives'],
  },
  'connection-refused': {
    severity: 'error',
    title: (connections, server) => `${connections} to ${server} refused: nothing listens on the port`,
    filter: 'tcp.flags.reset == 1',
    likelyCauses: [
      'the process is not listening (starting, crashed)',
      'the port or targetPort is wrong',
      'a policy answers with a reset',
    ],
    nextSteps: [
      'Compare the port with containerPort and targetPort',
      'Look at the readiness and restarts of the server',
    ],
  },
  'connection-not-accepted': {
    severity: 'error',
    title: (connections, server, { syns }) =>
      `${connections} to ${server} not accepted (${syns} SYN), while others were: its accept queue is full`,
    filter: 'tcp.flags.syn == 1',
    likelyCauses: [
      'the process accepts too slowly',
      'the listen backlog (somaxconn) is too small',
      'some packets are dropped',
    ],
    nextSteps: ['Look at ListenOverflows in nstat on the server', 'Look at the CPU throttling of the server'],
  },
  'connection-half-open': {
    severity: 'warning',
    title: (connections, server) =>
      `${connections} to ${server} answered, but the client did not complete the handshake`,
    filter: 'tcp.flags.syn == 1',
    likelyCauses: ['the way back to the client drops packets', 'asymmetric routing', 'a port scan'],
    nextSteps: ['Capture on the client to see whether the SYN-ACK arrives'],
  },
  'connection-reset': {
    severity: 'error',
    title: (connections, server, { by }) => `${connections} with ${server} reset while open (${by})`,
    filter: 'tcp.flags.reset == 1',
    likelyCauses: [
      'the process closed it with data unread, or crashed',
      'the pod was terminated',
      'a proxy or load balancer ended it',
    ],
    nextSteps: ['Look at the logs of the side that sent the reset at that time'],
  },
  'connection-reset-after-idle': {
    severity: 'error',
    title: (connections, server, { by, idle_s }) =>
      `${connections} with ${server} reset after ${idle_s} s without packets (${by})`,
    filter: 'tcp.flags.reset == 1',
    likelyCauses: [
      'a load balancer, NAT or conntrack forgot the idle connection',
      "the server's idle time-out is shorter than the client's",
    ],
    nextSteps: [
      'Set keep-alives below the idle time-out',
      'Compare the idle time with the time-outs on the way (60, 300, 350, 3600 s)',
    ],
  },
  'peer-vanished': {
    severity: 'error',
    title: (connections, server, { sent }) =>
      `${connections} with ${server} got no acknowledgment: the same data was sent ${sent} times`,
    filter: 'tcp.analysis.retransmission',
    likelyCauses: [
      'the other side or its node is gone',
      'an MTU on the path is smaller than the interface tells, if the data fills whole segments',
      'a policy now drops the packets of the open connection',
      'loss on the path',
    ],
    nextSteps: ['Look whether the pod of the other side was deleted at that time'],
  },
  'receiver-stalled': {
    severity: 'warning',
    title: (connections, server, { who, stalled_s }) =>
      `${connections} with ${server} stalled for ${stalled_s} s: the ${who} does not read its data`,
    filter: 'tcp.analysis.zero_window || tcp.analysis.window_full',
    likelyCauses: [
      'the receiving process is busy or blocked',
      'its CPU is throttled',
      'its receive buffer is too small',
    ],
    nextSteps: ['Look at the CPU throttling and the threads of the receiver; the network is not the cause'],
  },
  'path-mtu-black-hole': {
    severity: 'error',
    title: (connections, server, { bytes }) =>
      `${connections} with ${server}: segments of ${bytes} bytes do not arrive, smaller ones do`,
    filter: 'tcp.analysis.retransmission',
    likelyCauses: [
      'an MTU on the path is smaller than the interface tells (overlay, VPN)',
      'ICMP "fragmentation needed" is filtered',
    ],
    nextSteps: ['Compare the MTU of pod, node and tunnel; allow ICMP type 3 code 4 (ICMPv6 type 2)'],
  },
}

export function describeGroup({ id, server, backends, count, evidence, facts }: FindingGroup): Finding {
  const { severity, title, filter, likelyCauses, nextSteps } = descriptions[id]
  return {
    id,
    severity,
    title: title(counted(count, 'connection'), serverText(endpointText(server), backends), facts),
    count,
    evidence,
    displayFilter: `${serverFilter(server)} && (${filter})`,
    likelyCauses,
    nextSteps,
    facts,
  }
}

const warnShare = 0.01
const errorShare = 0.05
const minSegmentsCount = 3
const minSegmentsForErrorCount = 10

/** Data that was sent more than once, in the whole capture. Undefined: too little to report. */
export function describeResent(
  worst: readonly WorstConnection[],
  resent: number,
  dataSegments: number,
): Finding | undefined {
  return describeSegments(worst, resent, dataSegments, {
    id: 'data-resent',
    text: 'were sent more than once',
    filter: 'tcp.analysis.retransmission || tcp.analysis.out_of_order',
    likelyCauses: [
      'packets are lost on the path',
      'a queue overflows (bandwidth limit, busy node)',
      'the acknowledgments are lost',
    ],
    nextSteps: [
      'Capture at the other end: what was lost between both is missing there',
      'Look at the drops of the interfaces on both nodes',
    ],
  })
}

/** Data that came after later data: lost or reordered before it was captured. Undefined: too little to report. */
export function describeLate(
  worst: readonly WorstConnection[],
  late: number,
  dataSegments: number,
): Finding | undefined {
  return describeSegments(worst, late, dataSegments, {
    id: 'data-late',
    text: 'came late: they were lost or reordered before this point',
    filter: 'tcp.analysis.retransmission || tcp.analysis.out_of_order',
    likelyCauses: ['packets are lost between the sender and this point', 'two paths with different delays'],
    nextSteps: [
      'Capture at the sender: what was lost is sent twice there',
      'Look at the drops of the interfaces on both nodes',
    ],
  })
}

interface SegmentText {
  readonly id: 'data-resent' | 'data-late'
  readonly text: string
  readonly filter: string
  readonly likelyCauses: readonly string[]
  readonly nextSteps: readonly string[]
}

function describeSegments(
  worst: readonly WorstConnection[],
  count: number,
  dataSegments: number,
  { id, text, filter, likelyCauses, nextSteps }: SegmentText,
): Finding | undefined {
  const share = dataSegments === 0 ? 0 : count / dataSegments
  const first = worst[0]
  if (first === undefined || count < minSegmentsCount || share < warnShare) return undefined
  const percent = Math.round(share * 1e3) / 10
  return {
    id,
    severity: share >= errorShare && count >= minSegmentsForErrorCount ? 'error' : 'warning',
    title: `${count} of ${dataSegments} data segments (${percent} %) ${text}`,
    count,
    evidence: worst.map(({ evidence }) => evidence),
    displayFilter: `${connectionFilter(first.evidence)} && (${filter})`,
    likelyCauses,
    nextSteps,
    facts: { [id === 'data-resent' ? 'resent' : 'late']: count, data_segments: dataSegments, share_percent: percent },
  }
}
