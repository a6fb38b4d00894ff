import { lookup } from 'node:dns/promises'
import type { Agent } from 'node:http'
import { isIP } from 'node:net'
import { networkInterfaces } from 'node:os'
import { noRunnerTraffic, type Peer, type RunnerTraffic } from '../../capture/filter/node-filter.ts'
import type { Node } from '../../cluster/node.ts'
import { proxyOf, proxyPorts } from '../../common/proxy.ts'

/** A connection that this runner keeps open while it captures. */
export interface RunnerConnection {
  /** URL of the API server, or of the relay */
  readonly server: string
  /** that of a proxy, where one is used */
  readonly agent: Agent | undefined
}

/** The default port of API servers; the `kubernetes` Service of a cluster has another one. */
const apiServerPort = 6443

/** The kubelet of a node reports its addresses, and they become a part of the filter. A node usually has two of each family. */
const maxAddressCount = 10

/**
 * The addresses by which a filter on a node recognises this runner's own connections: those of a pod (a runner in the cluster), or of the node
 * itself. There are none for a runner elsewhere, whose traffic never passes the node.
 * @param node undefined where it may not be read
 * @param runnerAddresses of this machine
 */
export async function findRunnerTraffic(
  connections: readonly RunnerConnection[],
  node: Node | undefined,
  env: NodeJS.ProcessEnv,
  runnerAddresses: readonly string[] = localAddresses(),
): Promise<RunnerTraffic> {
  const nodeAddresses = (node?.status?.addresses ?? [])
    .filter(({ type }) => type === 'InternalIP' || type === 'ExternalIP')
    .flatMap(({ address = '' }) => (isIP(address) > 0 && !address.includes('%') ? [address] : []))
    .slice(0, maxAddressCount)
  const isOnNode = runnerAddresses.some((address) => nodeAddresses.includes(address))
  const service = env['KUBERNETES_SERVICE_HOST']
  if (!isOnNode && !service) return noRunnerTraffic
  const peers = (await Promise.all(connections.map(peersOf))).flat()
  const behind = peers.some(({ address }) => address === service) ? [apiServerPort] : []
  return { runner: isOnNode ? [] : runnerAddresses, node: nodeAddresses, peers, behind }
}

function localAddresses(): readonly string[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal }) => !internal)
    .map(({ address }) => address)
}

/** The addresses that a connection goes to; none where a name is not resolved. */
async function peersOf({ server, agent }: RunnerConnection): Promise<readonly Peer[]> {
  const { hostname, port, protocol } = proxyOf(agent) ?? new URL(server)
  const host = hostname.replace(/^\[|\]$/g, '')
  const found = await lookup(host, { all: true }).catch(() => [])
  return found.map(({ address }) => ({
    address,
    port: Number(port || (proxyPorts.get(protocol) ?? (protocol === 'ws:' ? 80 : 443))),
  }))
}
