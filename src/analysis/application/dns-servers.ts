import type { Endpoint } from '../decoded-packet.ts'
import type { DnsMessage } from './dns-message.ts'
import { rcodeName, rcodeNxdomain } from './dns-message.ts'
import type { DnsContext, DnsTransaction } from './dns-transaction.ts'
import { DurationStats } from './duration-stats.ts'
import { addBackend, addOccurrence, noOccurrences, type Occurrences } from './occurrences.ts'
import { TextCounts } from './text-counts.ts'
import { TimeBuckets } from '../time-buckets.ts'

const maxServersCount = 1000
/** durations that are kept for each server */
const maxSamplesCount = 4096
const slowNs = 500e6
const maxExamplesCount = 3

/** A query, and what came of it. */
export interface DnsExample {
  readonly name: string
  readonly client: string
  readonly server: string
  readonly queryFrame: number
  /** when the query was sent */
  readonly timeNs: number
  /** undefined: no answer was seen */
  readonly answer: { readonly code: string; readonly frame: number; readonly durationNs: number } | undefined
}

export interface DnsFailures extends Occurrences {
  readonly names: TextCounts
  /** the first ones */
  readonly examples: DnsExample[]
}

/** What one DNS server did. */
export interface DnsServer {
  /** key of its address, see `addressKey` */
  readonly server: string
  /** the first that asked */
  readonly client: string
  /** transactions: a query that was sent again is one */
  queryCount: number
  /** queries that were sent again from the same port with the same id, because there was no answer */
  retryCount: number
  responseCount: number
  tcpQueryCount: number
  readonly truncated: Occurrences
  /** answers that took 500 ms or more */
  readonly slow: Occurrences
  slowest: DnsExample | undefined
  readonly time: DurationStats
  /** by rcode, without NOERROR */
  readonly failures: Map<string, DnsFailures>
  readonly unanswered: DnsFailures
}

/** The pod behind the address of a service that a connection reached, where the capture shows it. */
export type BackendOf = (connection: number) => Endpoint | undefined

/** Queries and failures by server. */
export class DnsServers {
  readonly #servers = new Map<string, DnsServer>()
  /** when the queries were sent that have no answer, or an error other than "no such name" */
  readonly failureTimes = new TimeBuckets()
  overflowCount = 0
  readonly #backendOf: BackendOf

  constructor(backendOf: BackendOf) {
    this.#backendOf = backendOf
  }

  onQuery(context: DnsContext): void {
    const server = this.#get(context)
    if (server === undefined) return
    server.queryCount++
    if (context.isTcp) server.tcpQueryCount++
  }

  onRetry(context: DnsContext): void {
    const server = this.#get(context)
    if (server !== undefined) server.retryCount++
  }

  onResponse(context: DnsContext, message: DnsMessage, query: DnsTransaction): void {
    const server = this.#get(context)
    if (server === undefined) return
    const durationNs = context.timeNs - query.timeNs
    server.responseCount++
    server.time.add(durationNs)
    if (message.isTruncated) addOccurrence(server.truncated, context.frameNumber, context.timeNs)
    if (durationNs >= slowNs) addSlow(server, context, query)
    if (message.rcode === 0) return
    const code = rcodeName(message.rcode)
    if (message.rcode !== rcodeNxdomain) this.failureTimes.add(query.timeNs)
    const failure = server.failures.get(code) ?? emptyOccurrences()
    server.failures.set(code, failure)
    addOccurrence(failure, context.frameNumber, context.timeNs)
    addBackend(failure.backends, this.#backendOf(context.connection))
    failure.names.add(message.name, context.frameNumber)
    addExample(failure, query, { code, frame: context.frameNumber, durationNs })
  }

  onUnanswered(transaction: DnsTransaction): void {
    const server = this.#get(transaction)
    if (server === undefined) return
    addOccurrence(server.unanswered, transaction.frameNumber, transaction.timeNs)
    addBackend(server.unanswered.backends, this.#backendOf(transaction.connection))
    server.unanswered.names.add(transaction.name, transaction.frameNumber)
    this.failureTimes.add(transaction.timeNs)
    addExample(server.unanswered, transaction, undefined)
  }

  all(): DnsServer[] {
    return [...this.#servers.values()]
  }

  #get({ server: address, client }: { server: string; client: string }): DnsServer | undefined {
    const known = this.#servers.get(address)
    if (known !== undefined) return known
    if (this.#servers.size >= maxServersCount) {
      this.overflowCount++
      return undefined
    }
    const server: DnsServer = {
      server: address,
      client,
      queryCount: 0,
      retryCount: 0,
      responseCount: 0,
      tcpQueryCount: 0,
      truncated: noOccurrences(),
      slow: noOccurrences(),
      slowest: undefined,
      time: new DurationStats(maxSamplesCount),
      failures: new Map(),
      unanswered: emptyOccurrences(),
    }
    this.#servers.set(address, server)
    return server
  }
}

function emptyOccurrences(): DnsFailures {
  return { ...noOccurrences(), names: new TextCounts(), examples: [] }
}

function addExample({ examples }: DnsFailures, query: DnsTransaction, answer: DnsExample['answer']): void {
  if (examples.length < maxExamplesCount) examples.push(exampleOf(query, answer))
}

function addSlow(server: DnsServer, { frameNumber: frame, timeNs }: DnsContext, query: DnsTransaction): void {
  addOccurrence(server.slow, frame, timeNs)
  const durationNs = timeNs - query.timeNs
  if (durationNs <= (server.slowest?.answer?.durationNs ?? 0)) return
  server.slowest = exampleOf(query, { code: 'an answer', frame, durationNs })
}

function exampleOf(
  { name, client, server, frameNumber, timeNs }: DnsTransaction,
  answer: DnsExample['answer'],
): DnsExample {
  return { name, client, server, queryFrame: frameNumber, timeNs, answer }
}
