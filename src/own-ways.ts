import { lookup } from 'node:dns/promises'
import type { Agent } from 'node:http'
import { isIP } from 'node:net'
import { networkInterfaces } from 'node:os'
import { noWays, type OwnWays, type Peer } from './capture/node-filter.ts'
import type { Node } from './cluster/node.ts'
import { proxyOf } from './proxy.ts'

/** A connection that this runner keeps while it captures. */
export interface Way {
  /** URL of the API server, or of the relay */
  readonly server: string
  /** a proxy's, where one is before it */
  readonly agent: Agent | undefined
}

/** Where API servers listen behind the Service that stands for them in a cluster; unless they are told otherwise. */
const apiServerPort = 6443

/** Of a node, which are whatever its kubelet writes there, and become a part of the filter: two of each family are the rule. */
const mostAddresses = 10

/**
 * How this runner's own connections may be told on a node: as those of a pod (a runner in the cluster), or of the node itself. Nothing is to be
 * told of a runner elsewhere: what it says never passes there. `node`: undefined where it may not be read.
 */
export async function ownWays(
  connections: readonly Way[],
  node: Node | undefined,
  env: NodeJS.ProcessEnv,
  here: readonly string[] = addressesHere(),
): Promise<OwnWays> {
  const nodes = (node?.status?.addresses ?? [])
    .filter(({ type }) => type === 'InternalIP' || type === 'ExternalIP')
    .flatMap(({ address = '' }) => (isIP(address) > 0 && !address.includes('%') ? [address] : []))
    .slice(0, mostAddresses)
  const onNode = here.some((address) => nodes.includes(address))
  const service = env['KUBERNETES_SERVICE_HOST']
  if (!onNode && !service) return noWays
  const peers = (await Promise.all(connections.map(peersOf))).flat()
  const behind = peers.some(({ address }) => address === service) ? [apiServerPort] : []
  return { runner: onNode ? [] : here, node: nodes, peers, behind }
}

function addressesHere(): readonly string[] {
  return Object.values(networkInterfaces())
    .flatMap((all) => all ?? [])
    .filter(({ internal }) => !internal)
    .map(({ address }) => address)
}

/** The addresses that a connection goes to; none where a name is not known. */
async function peersOf({ server, agent }: Way): Promise<readonly Peer[]> {
  const { hostname, port, protocol } = proxyOf(agent) ?? new URL(server)
  const host = hostname.replace(/^\[|\]$/g, '')
  const found = await lookup(host, { all: true }).catch(() => [])
  return found.map(({ address }) => ({ address, port: Number(port || (/^(http|ws):/.test(protocol) ? 80 : 443)) }))
}
