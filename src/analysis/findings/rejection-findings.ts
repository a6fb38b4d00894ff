import type { IcmpError, IcmpTracker } from '../application/icmp-tracker.ts'
import type { Neighbor, NeighborTracker } from '../application/neighbor-tracker.ts'
import { ipProtocol } from '../decoded-packet.ts'
import { type CaptureClock, evidenceOf } from './evidence.ts'
import type { Finding } from './finding.ts'
import { addressFilter, backendsText, counted, endpointText } from './wording.ts'

type Rejection = 'port' | 'route' | 'policy'

/** F3: packets that a router, a policy or the destination rejected, and addresses that no host on the link has. */
export function rejectionFindings(icmp: IcmpTracker, neighbors: NeighborTracker, clock: CaptureClock): Finding[] {
  return [
    ...icmp.errors().flatMap((error) => rejectionFinding(error, clock)),
    ...neighbors.unanswered().map((neighbor) => missingFinding(neighbor, clock)),
  ]
}

/** ICMP 3/x and ICMPv6 1/x; too-big messages are normal and belong to the path MTU. */
function rejectionOf({ ipVersion, type, code }: IcmpError): Rejection | undefined {
  if (ipVersion === 6) {
    if (type !== 1) return undefined
    return code === 4 ? 'port' : code === 1 || code === 5 || code === 6 ? 'policy' : 'route'
  }
  if (type !== 3 || code === 4) return undefined
  if (code === 2 || code === 3) return 'port'
  return code === 9 || code === 10 || code === 13 ? 'policy' : 'route'
}

const texts: Readonly<Record<Rejection, { verb: string; causes: readonly string[]; next: readonly string[] }>> = {
  port: {
    verb: 'has no listener for',
    causes: [
      'The service has no ready endpoints: its pods crash, start, or fail their readiness probe',
      'Nothing listens on this port: the process is not running or uses another port',
      'A rule rejects the packets (REJECT of iptables)',
    ],
    next: [
      'kubectl get pods,endpointslices of the service: ready endpoints and restarts',
      'The container’s ports, and targetPort of the service',
    ],
  },
  route: {
    verb: 'cannot be reached by',
    causes: [
      'The pod or node of this address is gone',
      'A route is missing: the CNI plugin of a node does not work',
      'The service has no endpoints',
    ],
    next: ['kubectl get pods,endpointslices -o wide for this address', 'The CNI pods of both nodes and their logs'],
  },
  policy: {
    verb: 'rejects by a rule',
    causes: ['A NetworkPolicy, a host firewall or a security group rejects the packets'],
    next: ['NetworkPolicies of both namespaces', 'The firewall of the node and of the cloud'],
  },
}

function rejectionFinding(error: IcmpError, clock: CaptureClock): Finding[] {
  const rejection = rejectionOf(error)
  const { quoted } = error
  if (rejection === undefined || quoted === undefined) return []
  const { verb, causes, next } = texts[rejection]
  const client = { address: quoted.source, port: quoted.sourcePort }
  const server = { address: quoted.destination, port: quoted.destinationPort }
  const protocol = protocolName(quoted.protocol)
  const by = error.reporter === quoted.destination ? '' : `, as ${error.reporter} reports`
  const details = error.backends.size === 0 ? protocol : `${protocol}, ${backendsText(error.backends)}`
  const target = quoted.destinationPort > 0 ? `${endpointText(server)} (${details})` : quoted.destination
  return [
    {
      id: 'icmp-rejected',
      severity: 'error',
      title: `${target} ${verb} ${counted(error.count, 'packet')} of ${quoted.source}${by}`,
      count: error.count,
      evidence: [evidenceOf(error, { client, server }, clock)],
      displayFilter: `${error.ipVersion === 6 ? 'icmpv6' : 'icmp'}.type == ${error.type} && ${error.ipVersion === 6 ? 'icmpv6' : 'icmp'}.code == ${error.code} && ${addressFilter(quoted.destination)}`,
      likelyCauses: causes,
      nextSteps: next,
      facts: { type: error.type, code: error.code, reporter: error.reporter, rejection },
    },
  ]
}

function protocolName(protocol: number): string {
  if (protocol === ipProtocol.tcp) return 'TCP'
  return protocol === ipProtocol.udp ? 'UDP' : `protocol ${protocol}`
}

function missingFinding(neighbor: Neighbor, clock: CaptureClock): Finding {
  const { address, asker, count, ipVersion } = neighbor
  const ends = { client: { address: asker, port: 0 }, server: { address, port: 0 } }
  return {
    id: 'address-missing',
    severity: 'warning',
    title: `No host on the link has the address ${address}: ${counted(count, 'request')} of ${asker} got no answer`,
    count,
    evidence: [evidenceOf(neighbor, ends, clock)],
    displayFilter:
      ipVersion === 6
        ? `icmpv6.nd.ns.target_address == ${address}`
        : `arp.opcode == 1 && arp.dst.proto_ipv4 == ${address}`,
    likelyCauses: [
      'The pod of this address was deleted, and a client still uses it',
      'The node of this address is down',
      'The CNI plugin did not set up the interface',
    ],
    nextSteps: ['kubectl get pods -A -o wide for this address', 'kubectl get endpointslices -A: stale endpoints'],
    facts: { requests: count },
  }
}
