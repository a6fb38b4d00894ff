import type { Pod } from '../cluster/pod.ts'
import { ConfigurationError } from '../errors.ts'

/** The addresses of a pod, of both families, as `status` has them; empty while it has none. */
export function addressesOf({ status }: Pod): readonly string[] {
  const single = status?.podIP === undefined ? [] : [{ ip: status.podIP }]
  return (status?.podIPs ?? single).flatMap(({ ip }) => (ip === undefined ? [] : [ip]))
}

/** Words after which pcap-filter(7) looks behind a header: what stands before them no longer finds the pod's address. */
const shifting = /(?:^|[\s(!])(vlan|mpls|pppoed|pppoes|geneve|vxlan)(?![\w.-])/i

/**
 * The filter of a node's capture, narrowed to the addresses of one pod and to what the user asked for.
 * @throws ConfigurationError where it has no address, or the two cannot be joined
 */
export function filterForPod(pod: Pod, filter: string, own: OwnWays = noWays): string {
  const addresses = addressesOf(pod)
  if (addresses.length === 0) {
    throw new ConfigurationError(
      `pod: ${JSON.stringify(pod.metadata?.name ?? '?')} has no address yet, so its traffic cannot be told from the node's. Capture once it is ready. Nothing was created.`,
    )
  }
  const word = shifting.exec(filter)?.[1]
  if (word !== undefined) {
    throw new ConfigurationError(
      `filter: ${JSON.stringify(word)} looks behind a header, and what is joined to it for the pod's address does not, so nothing could match. ` +
        'Name the `node` (with `allow-host-network: true`) instead of the pod, and the address in your filter. Nothing was created.',
    )
  }
  const hosts = addresses.map((address) => `host ${address}`).join(' or ')
  return and(and(hosts, excluding(...waysOut(pod, addresses, own))), filter)
}

/** Where a connection of this runner goes: to the API server, to the relay, or to a proxy before them. */
export interface Peer {
  readonly address: string
  readonly port: number
}

/** What tells this runner's own connections where they may pass the node. */
export interface OwnWays {
  /** the runner's own addresses, where it is a pod */
  readonly runner: readonly string[]
  /** the node's, behind which its pods' connections leave it */
  readonly node: readonly string[]
  readonly peers: readonly Peer[]
  /** ports behind a Service that a peer is */
  readonly behind: readonly number[]
}

/** Of a runner that is nowhere near the node. */
export const noWays: OwnWays = { runner: [], node: [], peers: [], behind: [] }

/** Konnectivity's agents carry what the API server says to kubelets (konnectivity-client's default of --proxy-server-port). */
const konnectivityPort = 8132

/**
 * What a capture of the whole node by a node pod leaves out: its own stream, each packet of which would make further ones. The
 * stream goes from the API server to the kubelet's port, and from there over the loopback to the container runtime.
 */
export function execStream(kubeletPort: number, own: OwnWays): readonly string[] {
  return [`tcp port ${kubeletPort}`, `tcp port ${konnectivityPort}`, 'net 127.0.0.0/8', 'host ::1', ...ways(own)]
}

/** The addresses that Identity-Aware Proxy's tunnels come from: https://cloud.google.com/iap/docs/using-tcp-forwarding */
const iapRanges = ['35.235.240.0/20', '2600:2d00:1:7::/64']

/** The same by SSH. `connection` is the node's SSH_CONNECTION: `CLIENT PORT SERVER PORT`; a later connection may come from another address of the tunnel's. */
export function filterWithoutSsh(connection: string, filter: string): string {
  const [client = '', , , port = '22'] = connection.split(' ')
  const clients = [...(client === '' ? [] : [`host ${client}`]), ...iapRanges.map((range) => `net ${range}`)]
  return and(excluding(`tcp port ${port} and (${clients.join(' or ')})`), filter)
}

/**
 * The runner's own connections, as the node's interfaces show them: from the pod that it is, and behind the node's address to a peer. What
 * others say to the same peers stays, as far as it is not behind the node's address.
 */
export function ways({ runner, node, peers, behind }: OwnWays): readonly string[] {
  const leaving = (to: string): readonly string[] => node.map((address) => `host ${address} and ${to}`)
  /** A server on the node itself: there the connection is the same from end to end. */
  const isHere = (address: string): boolean => node.includes(address) || /^127\.|^::1$/.test(address)
  return [
    ...runner.map((address) => `tcp and host ${address}`),
    ...peers.flatMap(({ address, port }) => {
      const to = `host ${address} and tcp port ${port}`
      return isHere(address) ? [to] : leaving(to)
    }),
    ...behind.flatMap((port) => leaving(`tcp port ${port}`)),
  ]
}

/** Of a pod that carries the capture's own stream: of Konnectivity's agent, of the runner itself. */
function waysOut(
  { metadata }: Pod,
  addresses: readonly string[],
  { runner, peers, behind }: OwnWays,
): readonly string[] {
  const agent = metadata?.labels?.['k8s-app'] === 'konnectivity-agent' ? [`tcp port ${konnectivityPort}`] : []
  if (!runner.some((address) => addresses.includes(address))) return agent
  return [
    ...agent,
    ...peers.map(({ address, port }) => `host ${address} and tcp port ${port}`),
    ...behind.map((port) => `tcp port ${port}`),
  ]
}

/** The user's filter, without what matches one of `these`. */
export function without(these: readonly string[], filter: string): string {
  return and(excluding(...these), filter)
}

function excluding(...these: readonly string[]): string {
  return these.map((one) => `not (${one})`).join(' and ')
}

function and(first: string, second: string): string {
  if (first === '' || second === '') return first || second
  return `(${first}) and (${second})`
}
