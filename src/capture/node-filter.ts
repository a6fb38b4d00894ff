import type { Pod } from '../cluster/pod.ts'
import { ConfigurationError } from '../errors.ts'

/** The filter of a node's capture, narrowed to the addresses of one pod (`status.podIPs`, of both families) and to what the user asked for. @throws ConfigurationError where it has none */
export function filterForPod(pod: Pod, filter: string): string {
  const single = pod.status?.podIP === undefined ? [] : [{ ip: pod.status.podIP }]
  const addresses = (pod.status?.podIPs ?? single).flatMap(({ ip }) => (ip === undefined ? [] : [ip]))
  if (addresses.length === 0) {
    throw new ConfigurationError(
      `pod: ${JSON.stringify(pod.metadata?.name ?? '?')} has no address yet, so its traffic cannot be told from the node's. Capture once it is ready. Nothing was created.`,
    )
  }
  return and(addresses.map((address) => `host ${address}`).join(' or '), filter)
}

/** Where this runner's own connection goes, as a packet on the node may show it: the runner may be a pod there. */
export interface Peer {
  readonly address: string
  readonly port: number
}

/** Konnectivity's agents carry what the API server says to kubelets (konnectivity-client's default of --proxy-server-port). */
const konnectivityPort = 8132

/**
 * The filter of a capture of the whole node by a node pod: without the capture's own stream, each packet of which would make further ones. The
 * stream goes from the API server to the kubelet's port, and from there over the loopback to the container runtime.
 */
export function filterWithoutExec(kubeletPort: number, peers: readonly Peer[], filter: string): string {
  const ports = `not tcp port ${kubeletPort} and not tcp port ${konnectivityPort}`
  return and(`${ports} and not net 127.0.0.0/8 and not host ::1${withoutPeers(peers)}`, filter)
}

/** The addresses that Identity-Aware Proxy's tunnels come from: https://cloud.google.com/iap/docs/using-tcp-forwarding */
const iapRanges = ['35.235.240.0/20', '2600:2d00:1:7::/64']

/** The same by SSH. `connection` is the node's SSH_CONNECTION: `CLIENT PORT SERVER PORT`; a later connection may come from another address of the tunnel's. */
export function filterWithoutSsh(connection: string, filter: string): string {
  const [client = '', , , port = '22'] = connection.split(' ')
  const clients = [...(client === '' ? [] : [`host ${client}`]), ...iapRanges.map((range) => `net ${range}`)]
  return and(`not (tcp port ${port} and (${clients.join(' or ')}))`, filter)
}

/** Without the runner's own way to the API server or to the relay. */
export function filterWithoutPeers(peers: readonly Peer[], filter: string): string {
  return and(withoutPeers(peers).replace(/^ and /, ''), filter)
}

function withoutPeers(peers: readonly Peer[]): string {
  return peers.map(({ address, port }) => ` and not (host ${address} and tcp port ${port})`).join('')
}

function and(first: string, second: string): string {
  if (first === '' || second === '') return first || second
  return `(${first}) and (${second})`
}
