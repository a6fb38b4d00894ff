import { execStream, filterForPod, ways, without } from './capture/node-filter.ts'
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
import { ownWays, type Way } from './own-ways.ts'
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
  switch (asked.request.nodeMethod) {
    case 'ssh':
      return bySsh(asked, target, record)
    case 'pod':
      return byPod(asked, target, record)
    case 'auto':
      return byEither(asked, target, record)
  }
}

/** SSH where credentials and cluster allow it, else a node pod, else what is in the way of both. */
async function byEither(asked: Asked, target: Target, record: MakeRecord): Promise<Chosen> {
  let why: string
  const node = await getNode(asked.cluster.connection, target.node).catch(() => undefined)
  if (node) checkNode(node, target.node) // what no way can do is not tried
  try {
    return await bySsh(asked, target, record)
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    why = error.message
  }
  try {
    const chosen = await byPod(asked, target, record)
    asked.found(`Method: a node pod; not SSH, because ${causeOf(why)}`)
    return chosen
  } catch (error) {
    if (!(error instanceof ConfigurationError) || error.message === why) throw error
    throw new ConfigurationError(
      `node-method: auto, and neither way to the node ${target.node} is open.\n  By SSH: ${why}\n  By a node pod: ${error.message}`,
    )
  }
}

async function bySsh(
  { cluster, request, identity, found }: Asked,
  target: Target,
  record: MakeRecord,
): Promise<Chosen> {
  if (cluster.autopilot === true) {
    throw new ConfigurationError(
      'node-method: ssh, but this is a GKE Autopilot cluster, whose nodes nobody may enter. Use level: pod. Nothing was created.',
    )
  }
  const node = await nodeOf(cluster, identity, target)
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
  const relay = { server: access.relay, agent: (await relayProxy(access.relay))?.agent }
  const own = await ownWays([relay, await apiServerWay(cluster)], node, process.env)
  const filter = ownTraffic(target)
    ? filterForPod(target.facts, request.filter, own)
    : without(ways(own), request.filter)
  const made = await record({ kind: 'ssh', login: planned.login, whole: !ownTraffic(target) }, filter)
  const recorder = sshRecorder(access, made, planned.login, planned)
  for (const line of await recorder.check()) found(line)
  return {
    recorder,
    hints: [hintFor(target, ['the SSH connection that carries the capture', ...ways(own).map(quoted)])],
  }
}

/** Of an error, for the line that says what is done in spite of it: without its input and its fixes. */
function causeOf(text: string): string {
  const [first = ''] = text.split('\n')
  return first
    .replace(/^node-method: (ssh, but )?/, '')
    .replace(
      / (Nothing was created|(Or )?[uU]se (node-method: pod|level: pod)|Or capture by a pod on the node: node-method: pod)[^.]*\./g,
      '',
    )
}

async function byPod(
  { cluster, request, identity, found }: Asked,
  target: Target,
  record: MakeRecord,
): Promise<Chosen> {
  const { connection } = cluster
  const namespace = request.nodeNamespace
  const missing = await missingRights(connection, namespace, nodePodRights)
  if (missing.length > 0) {
    throw new ConfigurationError(
      rightsProblem(connection, identity, namespace, missing, documentAddress('docs/rbac/platform.yaml', process.env)),
    )
  }
  found(`Rights in ${namespace}: all ${nodePodRights.length} that are needed`)
  const whole = !ownTraffic(target)
  const node = whole ? await nodeOf(cluster, identity, target) : undefined
  const own = await ownWays([await apiServerWay(cluster)], node, process.env)
  const left = execStream(kubeletPort(node), own)
  const filter = whole ? without(left, request.filter) : filterForPod(target.facts, request.filter, own)
  const recorder = nodePodRecorder(connection, await record({ kind: 'node-pod', namespace }, filter), namespace)
  for (const line of await recorder.check()) found(line)
  return { recorder, hints: [hintFor(target, left.map(quoted))] }
}

function quoted(expression: string): string {
  return `\`${expression}\``
}

/** Whether the target's addresses are its own: then they tell its traffic from the node's, and from the capture's. */
function ownTraffic(target: Target): boolean {
  return target.pod !== '' && target.facts.spec?.hostNetwork !== true
}

async function nodeOf({ connection }: Cluster, identity: string | undefined, target: Target): Promise<Node> {
  const rights = documentAddress('docs/rbac/platform.yaml', process.env)
  const node = await getNode(connection, target.node, { identity, rights })
  checkNode(node, target.node)
  return node
}

async function apiServerWay({ connection }: Cluster): Promise<Way> {
  return { server: connection.server, agent: (await credentialsOf(connection)).agent }
}

function kubeletPort(node: Node | undefined): number {
  return node?.status?.daemonEndpoints?.kubeletEndpoint?.Port ?? 10250
}

/** `left`: what a capture of the whole node leaves out, because it carries the capture itself; whoever reads an empty one must know. */
function hintFor(target: Target, left: readonly string[]): string {
  if (!ownTraffic(target)) {
    return (
      `This is the traffic of the whole node ${target.node}, of every pod on it. Left out is what carries the capture itself, ` +
      `and with it all else that looks the same: ${left.join(', ')}.`
    )
  }
  return (
    "Seen from the node: one packet appears on each interface that it passes (the pod's veth, a bridge, the uplink). These are sightings of one packet, " +
    'not duplicates. Where the network of the cluster wraps packets (VXLAN, Geneve, IPIP, WireGuard), the uplink shows the wrapping, which this filter does ' +
    'not match. What the pod says to itself (behind a sidecar: the plaintext) is not there: that is for level: pod.'
  )
}
