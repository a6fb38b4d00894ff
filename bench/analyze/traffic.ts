import { conversations, type ConversationKind, type Counts, type Step } from './conversations.ts'
import { type Flow, PacketWriter } from './packet-writer.ts'

/** What a capture of the benchmark is made of. The same shape gives the same bytes each time. */
export interface TrafficShape {
  readonly fileBytes: number
  /** conversations at the same time */
  readonly openCount: number
  /** how often each kind of conversation begins, as shares of 1 */
  readonly kinds: readonly (readonly [kind: ConversationKind, share: number])[]
}

/** Mostly full segments: web servers, TLS, a database, DNS. */
export const mixed: Omit<TrafficShape, 'fileBytes'> = {
  openCount: 400,
  kinds: [
    ['http', 0.2],
    ['tls', 0.1],
    ['bulk', 0.05],
    ['dns', 0.65],
  ],
}

/** Packets of about 100 bytes: short messages of a protocol that is not recognised, and DNS. */
export const small: Omit<TrafficShape, 'fileBytes'> = {
  openCount: 5_000,
  kinds: [
    ['messages', 0.85],
    ['dns', 0.15],
  ],
}

export interface Traffic extends Counts {
  readonly bytes: number
  readonly packets: number
}

/** Writes a capture. What was written is compared with what the analysis counts. */
export function writeTraffic(path: string, shapes: readonly TrafficShape[]): Traffic {
  const writer = new PacketWriter(path)
  const counts: Counts = { connections: 0, httpRequests: 0, dnsQueries: 0, tlsHandshakes: 0 }
  const random = randomNumbers(1)
  let id = 0
  let endBytes = 0
  for (const { fileBytes, openCount, kinds } of shapes) {
    endBytes += fileBytes
    const open: Step[] = []
    while (writer.bytes < endBytes || open.length > 0) {
      while (writer.bytes < endBytes && open.length < openCount) {
        const kind = pick(kinds, random(1_000) / 1_000)
        open.push(conversations[kind]({ writer, counts, random }, flowOf((id += 1), kind)))
      }
      const index = random(open.length)
      if (open[index]!.next().done !== true) continue
      open[index] = open.at(-1)!
      open.pop()
    }
  }
  writer.close()
  return { ...counts, bytes: writer.bytes, packets: writer.packets }
}

function pick(kinds: TrafficShape['kinds'], share: number): ConversationKind {
  let left = share
  for (const [kind, kindShare] of kinds) {
    left -= kindShare
    if (left < 0) return kind
  }
  return kinds[0]![0]
}

const serverPorts = { http: 8080, tls: 443, bulk: 5432, messages: 7000, dns: 53 } as const
const serversCount = 100

/** Clients in two networks, 100 servers, one flow in ten over IPv6. */
function flowOf(id: number, kind: ConversationKind): Flow {
  return {
    isIpv6: id % 10 === 0,
    client: 0x0af4_0000 + ((id * 7) & 0x1_ffff),
    server: 0x0a60_0000 + (kind === 'dns' ? 10 : id % serversCount),
    clientPort: 32_768 + (id % 28_000),
    serverPort: serverPorts[kind],
    next: [Math.imul(id, 0x9e3779b1) >>> 0, Math.imul(id, 0x85ebca6b) >>> 0],
  }
}

function randomNumbers(seed: number): (limitCount: number) => number {
  let state = seed
  return (limitCount) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 4_294_967_296) * limitCount)
  }
}
