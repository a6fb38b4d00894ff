import type { ApplicationTracker } from '../application/application-tracker.ts'
import { type Endpoint, ipProtocol, type PacketTracker } from '../decoded-packet.ts'
import type { ConnectionTracker } from '../flows/connection-tracker.ts'
import { double, flowBit, flowDoubles, flowWords, word } from '../flows/layout.ts'
import { Percentiles } from '../percentiles.ts'
import { endpointText } from '../findings/wording.ts'

const maxServersCount = 1000
const maxSamplesCount = 4096
const dnsPort = 53

export interface TimeSummary {
  readonly count: number
  readonly p50_ms: number
  readonly p95_ms: number
  readonly max_ms: number
}

/** Time of the network against time of the application, for one server. */
export interface ServerTimes {
  readonly server: Endpoint
  /** TCP connections that were opened; 0 for DNS over UDP */
  readonly connections: number
  /** requests of HTTP or DNS */
  readonly requests: number
  /** answers with an error, and requests without an answer */
  readonly failures: number
  /** of the handshakes: the network's time. Undefined: no handshake was seen */
  readonly roundTrip: TimeSummary | undefined
  /** from a request to its answer: the server's time, with one round trip of the network between this point and the server. Undefined: no clear-text request was seen */
  readonly thinkTime: TimeSummary | undefined
  /** ms in which the server, or its clients, did not read their data (window 0), over all connections */
  readonly serverStallMs: number
  readonly clientStallMs: number
}

interface TcpServer {
  readonly server: Endpoint
  connections: number
  readonly roundTrips: Percentiles
  serverStallMs: number
  clientStallMs: number
}

/** A server by the numbers of its address and port: the text of an address is made once for each server, not for each connection. */
interface KeyedServer {
  /** four words of the address, and the port */
  readonly key: Int32Array
  readonly server: TcpServer
  /** another server with the same hash of its key */
  readonly next: KeyedServer | undefined
}

/** Collects the network's part from each connection when it ends. */
export class ServerTimesTracker implements PacketTracker {
  readonly #connections: ConnectionTracker
  /** by the hash of the key */
  readonly #servers = new Map<number, KeyedServer>()
  /** by the text of the endpoint: those that a proxy in the pod answers for */
  readonly #redirected = new Map<string, TcpServer>()
  readonly #all: TcpServer[] = []
  /** of the server that is looked up */
  readonly #key = new Int32Array(5)
  /** servers that are not listed, because there were too many */
  overflowCount = 0

  constructor(connections: ConnectionTracker) {
    this.#connections = connections
  }

  onConnectionEnd(connection: number): void {
    const { words, doubles } = this.#connections.table
    const at = connection * flowWords
    if ((words[at + word.protocol]! & 0xff) !== ipProtocol.tcp) return
    if ((words[at + word.bits]! & flowBit.established) === 0) return
    const server = this.#server(connection)
    if (server === undefined) return
    server.connections += 1
    const roundTripNs = doubles[connection * flowDoubles + double.roundTrip]!
    // To a proxy in the same pod, the round trip says nothing about the network.
    if (roundTripNs >= 0 && !this.#connections.isRedirected(connection)) server.roundTrips.add(roundTripNs / 1e6)
    const client = this.#connections.clientDirection(connection)
    server.clientStallMs += this.#stalledMs(connection, client)
    server.serverStallMs += this.#stalledMs(connection, 1 - client)
  }

  /** The servers with the most connections and requests first. */
  servers(application: ApplicationTracker): ServerTimes[] {
    const all = new Map<string, ServerTimes>()
    for (const { server, connections, roundTrips, serverStallMs, clientStallMs } of this.#all) {
      // Connections to one server are in two places where some are redirected to a sidecar, and have no round trip there.
      const known = all.get(endpointText(server))
      all.set(endpointText(server), {
        ...{ server, ...noRequests, connections: connections + (known?.connections ?? 0) },
        roundTrip: summary(roundTrips.summary()) ?? known?.roundTrip,
        serverStallMs: serverStallMs + (known?.serverStallMs ?? 0),
        clientStallMs: clientStallMs + (known?.clientStallMs ?? 0),
      })
    }
    for (const http of application.http.servers.all()) {
      const failed = [...http.failures, ...http.grpcFailures].filter(([status]) => status < 100 || status >= 500)
      const failures = failed.reduce((sum, [, { count }]) => sum + count, 0) + http.unanswered.count
      const { requestCount: requests, ends } = http
      add(all, ends.server, { requests, failures, thinkTime: toSummary(http.firstByte.summary()) })
    }
    for (const dns of application.dns.servers.all()) {
      const failed = [...dns.failures].filter(([code]) => code !== 'NXDOMAIN')
      const failures = failed.reduce((sum, [, { count }]) => sum + count, 0) + dns.unanswered.count
      const server = { address: dns.server, port: dnsPort }
      add(all, server, { requests: dns.queryCount, failures, thinkTime: toSummary(dns.time.summary()) })
    }
    return [...all.values()].toSorted(
      (one, other) => other.requests + other.connections - (one.requests + one.connections),
    )
  }

  #stalledMs(connection: number, direction: number): number {
    const stall = this.#connections.tcp.evidence.stalls.get(connection * 2 + direction)
    if (stall === undefined) return 0
    const lastTimeNs = this.#connections.table.doubles[connection * flowDoubles + double.lastTime]!
    const openNs = stall.openSinceNs < 0 ? 0 : Math.max(0, lastTimeNs - stall.openSinceNs)
    return (stall.stalledNs + openNs) / 1e6
  }

  #server(connection: number): TcpServer | undefined {
    if (this.#connections.isRedirected(connection)) {
      const name = endpointText(this.#connections.facts(connection).server)
      const known = this.#redirected.get(name) ?? this.#add(connection)
      if (known !== undefined) this.#redirected.set(name, known)
      return known
    }
    const hash = this.#setKey(connection)
    const first = this.#servers.get(hash)
    for (let keyed = first; keyed !== undefined; keyed = keyed.next)
      if (isSameKey(keyed.key, this.#key)) return keyed.server
    const server = this.#add(connection)
    if (server !== undefined) this.#servers.set(hash, { key: this.#key.slice(), server, next: first })
    return server
  }

  #add(connection: number): TcpServer | undefined {
    if (this.#all.length >= maxServersCount) {
      this.overflowCount += 1
      return undefined
    }
    const server: TcpServer = {
      server: this.#connections.facts(connection).server,
      connections: 0,
      roundTrips: new Percentiles(maxSamplesCount),
      serverStallMs: 0,
      clientStallMs: 0,
    }
    this.#all.push(server)
    return server
  }

  /** Returns the hash of the key. */
  #setKey(connection: number): number {
    const { words } = this.#connections.table
    const at = connection * flowWords
    const isServerFirst = this.#connections.clientDirection(connection) === 1
    const isLow = ((words[at + word.bits]! & flowBit.firstIsLow) !== 0) === isServerFirst
    const from = at + (isLow ? word.low : word.high)
    const ports = words[at + word.ports]!
    const key = this.#key
    for (let index = 0; index < 4; index += 1) key[index] = words[from + index]!
    key[4] = isLow ? ports >>> 16 : ports & 0xffff
    let hash = 0
    for (let index = 0; index < 5; index += 1) hash = Math.imul(hash ^ key[index]!, 0x9e3779b1)
    return hash
  }
}

function isSameKey(one: Int32Array, other: Int32Array): boolean {
  for (let index = 0; index < one.length; index += 1) if (one[index] !== other[index]) return false
  return true
}

const noRequests = { requests: 0, failures: 0, thinkTime: undefined }
const noConnections = { connections: 0, roundTrip: undefined, serverStallMs: 0, clientStallMs: 0 }

function add(
  all: Map<string, ServerTimes>,
  server: Endpoint,
  requests: Pick<ServerTimes, 'requests' | 'failures' | 'thinkTime'>,
): void {
  const key = endpointText(server)
  all.set(key, { server, ...(all.get(key) ?? noConnections), ...requests })
}

function toSummary(times: {
  count: number
  p50_ms?: number
  p95_ms?: number
  max_ms?: number
}): TimeSummary | undefined {
  const { count, p50_ms = 0, p95_ms = 0, max_ms = 0 } = times
  return count === 0 ? undefined : { count, p50_ms, p95_ms, max_ms }
}

function summary(times: { count: number; p50: number; p95: number; max: number } | undefined): TimeSummary | undefined {
  if (times === undefined) return undefined
  const ms = (value: number): number => Math.round(value * 1e3) / 1e3
  return { count: times.count, p50_ms: ms(times.p50), p95_ms: ms(times.p95), max_ms: ms(times.max) }
}
