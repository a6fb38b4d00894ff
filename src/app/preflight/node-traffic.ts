import { credentialsOf } from '../../cluster/connection.ts'
import { checkNode, getNode, type Node } from '../../cluster/node.ts'
import type { PodTarget, Target } from '../../cluster/target.ts'
import type { TargetOnNode } from '../../cluster/target-problems.ts'
import type { Cluster } from '../cluster-access.ts'
import type { TargetContext } from './capture-record.ts'
import type { RunnerConnection } from './runner-traffic.ts'

/** Whether the target has addresses of its own, by which a filter on the node separates its traffic from that of the node and of the capture. */
export function hasOwnAddresses(target: Target): target is PodTarget {
  return target.kind === 'pod' && target.facts.spec?.hostNetwork !== true
}

/** The node of a target. @throws ConfigurationError where it may not be read, or has no tcpdump */
export async function readNode({ cluster, identity }: TargetContext, { node: name }: TargetOnNode): Promise<Node> {
  const rbacFile = 'docs/rbac/platform.yaml'
  const node = await getNode(cluster.connection, name, { identity: identity.user, rbacFile })
  checkNode(node, name)
  return node
}

export async function apiServerConnection({ connection }: Cluster): Promise<RunnerConnection> {
  return { server: connection.server, agent: (await credentialsOf(connection)).agent }
}

export function kubeletPort(node: Node | undefined): number {
  return node?.status?.daemonEndpoints?.kubeletEndpoint?.Port ?? 10250
}

export function quotedFilters(expressions: readonly string[]): readonly string[] {
  return expressions.map((expression) => `\`${expression}\``)
}

/** What a reader of the capture must know. `excluded`: what a capture of the whole node does not contain, because it carries the capture itself. */
export function nodeHint(target: TargetOnNode, excluded: readonly string[]): string {
  if (!hasOwnAddresses(target)) {
    return (
      `This is the traffic of the whole node ${target.node}, of every pod on it. The traffic of the capture itself is excluded, ` +
      `and with it everything that matches the same expressions: ${excluded.join(', ')}.`
    )
  }
  return (
    "Seen from the node: one packet appears on each interface that it passes (the pod's veth, a bridge, the uplink). These are records of one packet, " +
    'not duplicates. Where the network of the cluster encapsulates packets (VXLAN, Geneve, IPIP, WireGuard), the uplink shows the encapsulated packets, ' +
    'which this filter does not match. Traffic inside of the pod (behind a sidecar: the plaintext) is not visible from the node: use `level: pod` for it.'
  )
}
