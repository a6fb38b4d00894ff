import { lookup } from 'node:dns/promises'
import type { Agent } from 'node:http'
import { filterForPod, filterWithoutExec, filterWithoutPeers, type Peer } from './capture/node-filter.ts'
import { nodePodRecorder } from './capture/node-pod.ts'
import type { CaptureRecord, Where } from './capture/record.ts'
import type { Recorder } from './capture/recorder.ts'
import { missingRights, nodePodRights, rightsProblem } from './cluster/access.ts'
import { credentialsOf } from './cluster/connection.ts'
import { checkNode, getNode, type Node } from './cluster/node.ts'
import type { Target } from './cluster/target.ts'
import { documentAddress } from './documents.ts'
import { ConfigurationError } from './errors.ts'
import type { Cluster } from './open.ts'
import { proxyOf } from './proxy.ts'
import type { Request } from './request.ts'

interface Asked {
  readonly cluster: Cluster
  readonly request: Request
  readonly identity: string | undefined
  /** told each thing that was checked and found */
  found(this: void, line: string): void
}

/** Makes the record of a capture, by where its recorder is and its filter. */
type MakeRecord = (where: Where, filter: string) => Promise<CaptureRecord>

interface Chosen {
  readonly recorder: Recorder
  readonly hints: readonly string[]
}

/**
 * The way to the node of a target that `node-method` asks for, checked; nothing is made.
 * @throws ConfigurationError with what stands in the way; for `auto`, of both ways
 */
export async function chooseNodeRecorder(asked: Asked, target: Target, record: MakeRecord): Promise<Chosen> {
  const choose = async (): Promise<Recorder> => {
    switch (asked.request.nodeMethod) {
      case 'ssh':
        return bySsh(asked, target, record)
      case 'pod':
        return byPod(asked, target, record)
      case 'auto':
        return byEither(asked, target, record)
    }
  }
  const recorder = await choose()
  return { recorder, hints: [hintFor(target, recorder.record)] }
}

/** SSH where credentials and cluster allow it, else a node pod, else what is in the way of both. */
async function byEither(asked: Asked, target: Target, record: MakeRecord): Promise<Recorder> {
  let why: string
  try {
    return await bySsh(asked, target, record)
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    why = error.message
  }
  try {
    const recorder = await byPod(asked, target, record)
    asked.found(`Method: a node pod; not SSH, because ${firstLine(why)}`)
    return recorder
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    throw new ConfigurationError(
      `node-method: auto, and neither way to the node ${target.node} is open.\n  By SSH: ${why}\n  By a node pod: ${error.message}`,
    )
  }
}

async function bySsh({ cluster, request, found }: Asked, target: Target, record: MakeRecord): Promise<Recorder> {
  if (cluster.autopilot === true) {
    throw new ConfigurationError(
      'node-method: ssh, but this is a GKE Autopilot cluster, whose nodes nobody may enter. Use level: pod. Nothing was created.',
    )
  }
  const node = await nodeOf(cluster, target)
  const { parseProviderId } = await import('./google/instance.ts')
  const name = parseProviderId(node.spec?.providerID, target.node)
  if (/^gk3-/.test(name.name)) {
    throw new ConfigurationError(
      `node-method: ssh, but ${target.node} is a node of GKE Autopilot, which nobody may enter. Use level: pod. Nothing was created.`,
    )
  }
  const { openNodeAccess, planNodeLogin, relayProxy, sshRecorder } = await import('./capture/node-ssh.ts')
  const access = openNodeAccess(await cluster.google(), process.env)
  const planned = await planNodeLogin(access, name)
  const filter = ownTraffic(target)
    ? filterForPod(target.facts, request.filter)
    : filterWithoutPeers(
        [...(await peersOf(access.relay, (await relayProxy(access.relay))?.agent)), ...(await apiServerPeers(cluster))],
        request.filter,
      )
  const made = await record({ kind: 'ssh', login: planned.login, whole: !ownTraffic(target) }, filter)
  const recorder = sshRecorder(access, made, planned.login, planned)
  for (const line of await recorder.check()) found(line)
  return recorder
}

function firstLine(text: string): string {
  return text.split('\n')[0]?.replace(/^node-method: (ssh, but )?/, '') ?? ''
}

async function byPod(
  { cluster, request, identity, found }: Asked,
  target: Target,
  record: MakeRecord,
): Promise<Recorder> {
  const { connection } = cluster
  const namespace = request.nodeNamespace
  const missing = await missingRights(connection, namespace, nodePodRights)
  if (missing.length > 0) {
    throw new ConfigurationError(
      rightsProblem(connection, identity, namespace, missing, documentAddress('docs/rbac/platform.yaml', process.env)),
    )
  }
  found(`Rights in ${namespace}: all ${nodePodRights.length} that are needed`)
  const filter = ownTraffic(target)
    ? filterForPod(target.facts, request.filter)
    : filterWithoutExec(kubeletPort(await nodeOf(cluster, target)), await apiServerPeers(cluster), request.filter)
  const recorder = nodePodRecorder(connection, await record({ kind: 'node-pod', namespace }, filter), namespace)
  for (const line of await recorder.check()) found(line)
  return recorder
}

/** Whether the target's addresses are its own: then they tell its traffic from the node's, and from the capture's. */
function ownTraffic(target: Target): boolean {
  return target.pod !== '' && target.facts.spec?.hostNetwork !== true
}

async function nodeOf(cluster: Cluster, target: Target): Promise<Node> {
  const node = await getNode(cluster.connection, target.node)
  checkNode(node, target.node)
  return node
}

async function apiServerPeers({ connection }: Cluster): Promise<readonly Peer[]> {
  return peersOf(connection.server, (await credentialsOf(connection)).agent)
}

/** The addresses that the runner's own connection to a server goes to, or to the proxy before it; none where a name is not known. */
async function peersOf(server: string, agent: Agent | undefined): Promise<readonly Peer[]> {
  const { hostname, port, protocol } = proxyOf(agent) ?? new URL(server)
  const host = hostname.replace(/^\[|\]$/g, '')
  const found = await lookup(host, { all: true }).catch(() => [])
  return found.map(({ address }) => ({ address, port: Number(port || (/^(http|ws):/.test(protocol) ? 80 : 443)) }))
}

function kubeletPort(node: Node): number {
  return node.status?.daemonEndpoints?.kubeletEndpoint?.Port ?? 10250
}

function hintFor(target: Target, { where }: CaptureRecord): string {
  if (!ownTraffic(target)) {
    const without =
      where.kind === 'ssh'
        ? 'the SSH connection that carries the capture itself'
        : 'what the node says to itself over 127.0.0.0/8 and ::1, and to its kubelet, which carries the capture itself'
    return `This is the traffic of the whole node ${target.node}, of every pod on it, without ${without}.`
  }
  return (
    "Seen from the node: one packet appears on each interface that it passes (the pod's veth, a bridge, the uplink). These are sightings of one packet, " +
    'not duplicates. What the pod says to itself (behind a sidecar: the plaintext) is not there: that is for level: pod.'
  )
}
