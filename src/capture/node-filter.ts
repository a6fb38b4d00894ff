import type { Pod } from '../cluster/pod.ts'

/** The filter of a node's capture, narrowed to the addresses of one pod (`status.podIPs`, of both families) and to what the user asked for. */
export function filterForPod(pod: Pod, filter: string): string {
  const single = pod.status?.podIP === undefined ? [] : [{ ip: pod.status.podIP }]
  const addresses = (pod.status?.podIPs ?? single).flatMap(({ ip }) => (ip === undefined ? [] : [ip]))
  return and(addresses.map((address) => `host ${address}`).join(' or '), filter)
}

/**
 * The filter of a capture of the whole node by a node pod: without the capture's own stream, each packet of which would make further ones. The
 * stream goes from the API server to the kubelet's port, and from there over the loopback to the container runtime.
 */
export function filterWithoutExec(kubeletPort: number, filter: string): string {
  return and(`not tcp port ${kubeletPort} and not net 127.0.0.0/8 and not host ::1`, filter)
}

/** The addresses that Identity-Aware Proxy's tunnels come from: https://cloud.google.com/iap/docs/using-tcp-forwarding */
const iapRanges = ['35.235.240.0/20', '2600:2d00:1:7::/64']

/** The same by SSH. `connection` is the node's SSH_CONNECTION: `CLIENT PORT SERVER PORT`; a later connection may come from another address of the tunnel's. */
export function filterWithoutSsh(connection: string, filter: string): string {
  const [client = '', , , port = '22'] = connection.split(' ')
  const peers = [...(client === '' ? [] : [`host ${client}`]), ...iapRanges.map((range) => `net ${range}`)]
  return and(`not (tcp port ${port} and (${peers.join(' or ')}))`, filter)
}

function and(first: string, second: string): string {
  if (first === '' || second === '') return first || second
  return `(${first}) and (${second})`
}
