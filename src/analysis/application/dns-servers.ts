import type { DnsMessage } from './dns-message.ts'
import { rcodeName } from './dns-message.ts'
import type { DnsContext, DnsTransaction } from './dns-transaction.ts'
import { DurationStats } from './duration-stats.ts'
import { addOccurrence, noOccurrences, type Occurrences } from './occurrences.ts'
import { TextCounts } from './text-counts.ts'

const maxServersCount = 1000
/** durations that are kept for each server */
const maxSamplesCount = 4096
const slowNs = 500e6

export interface DnsFailures extends Occurrences {
  readonly names: TextCounts
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
  readonly time: DurationStats
  /** by rcode, without NOERROR */
  readonly failures: Map<string, DnsFailures>
  readonly unanswered: DnsFailures
}

/** Queries and failures by server. */
export class DnsServers {
  readonly #servers = new Map<string, DnsServer>()
  overflowCount = 0

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

  onResponse(context: DnsContext, message: DnsMessage, durationNs: number): void {
    const server = this.#get(context)
    if (server === undefined) return
    server.responseCount++
    server.time.add(durationNs)
    if (message.isTruncated) addOccurrence(server.truncated, context.frameNumber, context.timeNs)
    if (durationNs >= slowNs) addOccurrence(server.slow, context.frameNumber, context.timeNs)
    if (message.rcode === 0) return
    const code = rcodeName(message.rcode)
    const failure = server.failures.get(code) ?? emptyOccurrences()
    server.failures.set(code, failure)
    addOccurrence(failure, context.frameNumber, context.timeNs)
    failure.names.add(message.name, context.frameNumber)
  }

  onUnanswered(transaction: DnsTransaction): void {
    const server = this.#get(transaction)
    if (server === undefined) return
    addOccurrence(server.unanswered, transaction.frameNumber, transaction.timeNs)
    server.unanswered.names.add(transaction.name, transaction.frameNumber)
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
      time: new DurationStats(maxSamplesCount),
      failures: new Map(),
      unanswered: emptyOccurrences(),
    }
    this.#servers.set(address, server)
    return server
  }
}

function emptyOccurrences(): DnsFailures {
  return { ...noOccurrences(), names: new TextCounts() }
}
