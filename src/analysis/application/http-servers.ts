import { type ConnectionEnds, serverKey } from './connection-ends.ts'
import { DurationStats } from './duration-stats.ts'
import { addBackend, addOccurrence, noOccurrences, type Occurrences } from './occurrences.ts'
import { TextCounts } from './text-counts.ts'
import { TimeBuckets } from '../time-buckets.ts'

const maxServersCount = 1000
const maxSamplesCount = 4096
const maxSlowestCount = 5
const maxExamplesCount = 3
/** A first byte that comes later than this is slow. */
const slowNs = 1e9

/** A request with its answer, as far as they were seen. */
export interface HttpExchange {
  readonly method: string
  /** without the query */
  readonly path: string
  readonly host: string | undefined
  /** 0: no answer was seen */
  readonly status: number
  /** of gRPC, undefined where there is none */
  readonly grpcStatus: number | undefined
  readonly requestFrame: number
  /** 0: no answer was seen */
  readonly responseFrame: number
  /** when the request began; when its last byte and the answer's first byte came, undefined where that was not seen */
  readonly timeNs: number
  readonly firstByteNs: number | undefined
}

export interface HttpFailures extends Occurrences {
  /** by "METHOD path" */
  readonly requests: TextCounts
  /** the first ones */
  readonly examples: HttpExample[]
}

export interface HttpExample extends HttpExchange {
  readonly ends: ConnectionEnds
}

/** What one HTTP server answered. */
export interface HttpServer {
  /** "address:port" */
  readonly server: string
  /** of the first connection */
  readonly ends: ConnectionEnds
  readonly hosts: TextCounts
  requestCount: number
  responseCount: number
  readonly statuses: TextCounts
  readonly grpcStatuses: TextCounts
  /** last byte of the request to first byte of the answer */
  readonly firstByte: DurationStats
  /** by status, 400 and above */
  readonly failures: Map<number, HttpFailures>
  /** by gRPC status, other than 0 */
  readonly grpcFailures: Map<number, HttpFailures>
  readonly unanswered: HttpFailures
  readonly slow: HttpFailures
  slowest: HttpExample[]
}

/** Requests and answers of HTTP/1 and HTTP/2 by server. */
export class HttpServers {
  readonly #servers = new Map<string, HttpServer>()
  /** when the requests were sent that the server failed to answer, or answered with an error */
  readonly failureTimes = new TimeBuckets()
  overflowCount = 0

  onExchange(ends: ConnectionEnds, exchange: HttpExchange): void {
    const server = this.#get(ends)
    if (server === undefined) return
    const { status, grpcStatus = 0 } = exchange
    if (status === 0 || status >= 500 || grpcStatus !== 0) this.failureTimes.add(exchange.timeNs)
    server.requestCount++
    if (exchange.host !== undefined) server.hosts.add(exchange.host, exchange.requestFrame)
    if (exchange.status === 0) {
      addFailure(server.unanswered, exchange, ends)
      return
    }
    server.responseCount++
    server.statuses.add(String(exchange.status), exchange.responseFrame)
    if (exchange.status >= 400) addFailure(getFailures(server.failures, exchange.status), exchange, ends)
    if (exchange.grpcStatus !== undefined) {
      server.grpcStatuses.add(String(exchange.grpcStatus), exchange.responseFrame)
      if (exchange.grpcStatus !== 0) addFailure(getFailures(server.grpcFailures, exchange.grpcStatus), exchange, ends)
    }
    if (exchange.firstByteNs !== undefined) addFirstByte(server, exchange, ends)
  }

  all(): HttpServer[] {
    return [...this.#servers.values()]
  }

  #get(ends: ConnectionEnds): HttpServer | undefined {
    const address = serverKey(ends)
    const known = this.#servers.get(address)
    if (known !== undefined) return known
    if (this.#servers.size >= maxServersCount) {
      this.overflowCount++
      return undefined
    }
    const server: HttpServer = {
      server: address,
      ends,
      hosts: new TextCounts(),
      requestCount: 0,
      responseCount: 0,
      statuses: new TextCounts(),
      grpcStatuses: new TextCounts(),
      firstByte: new DurationStats(maxSamplesCount),
      failures: new Map(),
      grpcFailures: new Map(),
      unanswered: noFailures(),
      slow: noFailures(),
      slowest: [],
    }
    this.#servers.set(address, server)
    return server
  }
}

function addFirstByte(server: HttpServer, exchange: HttpExchange, ends: ConnectionEnds): void {
  const { firstByteNs = 0 } = exchange
  server.firstByte.add(firstByteNs)
  if (firstByteNs < slowNs) return
  addFailure(server.slow, exchange, ends)
  server.slowest = [...server.slowest, { ...exchange, ends }]
    .sort((a, b) => (b.firstByteNs ?? 0) - (a.firstByteNs ?? 0))
    .slice(0, maxSlowestCount)
}

function noFailures(): HttpFailures {
  return { ...noOccurrences(), requests: new TextCounts(), examples: [] }
}

function getFailures(table: Map<number, HttpFailures>, code: number): HttpFailures {
  let failures = table.get(code)
  if (failures === undefined) {
    failures = noFailures()
    table.set(code, failures)
  }
  return failures
}

function addFailure(failures: HttpFailures, exchange: HttpExchange, ends: ConnectionEnds): void {
  if (failures.examples.length < maxExamplesCount) failures.examples.push({ ...exchange, ends })
  addOccurrence(failures, exchange.responseFrame || exchange.requestFrame, exchange.timeNs)
  addBackend(failures.backends, ends.backend)
  failures.requests.add(`${exchange.method} ${exchange.path}`, exchange.requestFrame)
}
