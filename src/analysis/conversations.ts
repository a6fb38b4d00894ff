import { ipProtocol } from './decoded-packet.ts'
import type { Endpoint } from './decoded-packet.ts'
import type { ConnectionTracker } from './flows/connection-tracker.ts'
import {
  directionDouble,
  directionDoubles,
  directionWord,
  directionWords,
  double,
  flowDoubles,
  flowWords,
  word,
} from './flows/layout.ts'

/** All connections between two endpoints, in the form of the ground truth: "address|port". */
export interface Conversation {
  readonly proto: 'tcp' | 'udp'
  readonly a: string
  readonly b: string
  packets: number
  bytes: number
}

/** The conversations with the most bytes on the wire, largest first. Connections that were evicted are not in it. */
export function topConversations(connections: ConnectionTracker, maxCount: number): Conversation[] {
  const flows = largestFlows(connections, Math.max(1_000, 20 * maxCount))
  const conversations = new Map<string, Conversation>()
  for (const flow of flows) {
    const { protocol, client, server } = connections.facts(flow)
    const [a, b] = [client, server].toSorted(compareEndpoints).map(({ address, port }) => `${address}|${port}`) as [
      string,
      string,
    ]
    const proto = protocol === ipProtocol.tcp ? 'tcp' : 'udp'
    const key = `${proto} ${a} ${b}`
    const { packets, bytes } = flowSize(connections, flow)
    const known = conversations.get(key)
    if (known === undefined) {
      conversations.set(key, { proto, a, b, packets, bytes })
    } else {
      known.packets += packets
      known.bytes += bytes
    }
  }
  return [...conversations.values()].toSorted(compareConversations).slice(0, maxCount)
}

function compareEndpoints(one: Endpoint, other: Endpoint): number {
  return compareTexts(one.address, other.address) || compareTexts(String(one.port), String(other.port))
}

function compareConversations(one: Conversation, other: Conversation): number {
  return (
    other.bytes - one.bytes ||
    compareTexts(one.proto, other.proto) ||
    compareTexts(one.a, other.a) ||
    compareTexts(one.b, other.b)
  )
}

function compareTexts(one: string, other: string): number {
  return one < other ? -1 : Number(one > other)
}

/** A conversation of many small connections among more than `maxCount` larger ones is not found: texts are made of the largest only. */
function largestFlows({ table }: ConnectionTracker, maxCount: number): number[] {
  const sizes = new Float64Array(table.count)
  for (let flow = 0; flow < table.count; flow += 1) {
    const block = flow * flowDoubles + double.directions + directionDouble.wireBytes
    sizes[flow] = table.doubles[block]! + table.doubles[block + directionDoubles]!
  }
  const sorted = sizes.toSorted()
  const least = sorted[Math.max(0, sorted.length - maxCount)] ?? 0
  const flows: number[] = []
  for (let flow = 0; flow < table.count && flows.length < maxCount; flow += 1)
    if (sizes[flow]! >= least) flows.push(flow)
  return flows
}

function flowSize({ table }: ConnectionTracker, flow: number): { packets: number; bytes: number } {
  const bytesAt = flow * flowDoubles + double.directions + directionDouble.wireBytes
  const packetsAt = flow * flowWords + word.directions + directionWord.packets
  return {
    bytes: table.doubles[bytesAt]! + table.doubles[bytesAt + directionDoubles]!,
    packets: table.words[packetsAt]! + table.words[packetsAt + directionWords]!,
  }
}
