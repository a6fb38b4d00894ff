import { BoundedMap } from './bounded-map.ts'
import { type DnsMessage, rcodeName, rcodeNxdomain } from './dns-message.ts'
import { DnsRaceDetector } from './dns-race.ts'
import { DnsSearchDetector } from './dns-search.ts'
import { type BackendOf, DnsServers } from './dns-servers.ts'
import type { DnsContext, DnsTransaction } from './dns-transaction.ts'
import { DurationStats, type DurationSummary } from './duration-stats.ts'
import { TextCounts } from './text-counts.ts'

/** Wireshark's: a query with the same id that comes later than this after an unanswered one is a new one. */
const retransmissionWindowNs = 5e9
/** Transactions that are remembered; the oldest are given up first. */
const maxTransactionsCount = 50_000
const listedNamesCount = 10

/** The counters of `dns`, named and shaped as the ground truth of the test captures: what is 0 is left out of the first six. */
export interface DnsCounters {
  queries?: number
  responses?: number
  retransmitted_queries?: number
  unsolicited_responses?: number
  unanswered?: number
  truncated_flag?: number
  rcode: Record<string, number>
  time: DurationSummary
  top_names: [string, number][]
  nxdomain_names: [string, number][]
  unanswered_names: [string, number][]
}

/** DNS queries and their responses, as tshark 4.0 pairs them: by connection and id. Memory is bounded. */
export class DnsTracker {
  readonly servers: DnsServers
  readonly race = new DnsRaceDetector()
  readonly search = new DnsSearchDetector()
  /** by connection and id, in the order of the queries */
  readonly #transactions = new BoundedMap<number, DnsTransaction>(maxTransactionsCount)
  readonly #time = new DurationStats()
  readonly #rcodes = new TextCounts()
  readonly #names = new TextCounts()
  readonly #nxdomainNames = new TextCounts()
  readonly #unansweredNames = new TextCounts()
  #queryCount = 0
  #responseCount = 0
  #retransmittedQueryCount = 0
  #unsolicitedCount = 0
  #truncatedCount = 0
  #unansweredCount = 0
  /** transactions that were given up because there were too many */
  evictedCount = 0

  constructor(backendOf: BackendOf = () => undefined) {
    this.servers = new DnsServers(backendOf)
  }

  onMessage(message: DnsMessage, context: DnsContext): void {
    if (message.isTruncated) this.#truncatedCount++
    // Ids have 16 bits, stream numbers of HTTP/2 31: the key is exact for 2 ** 22 connections.
    const key = context.connection * 2 ** 31 + context.transaction
    if (message.isResponse) this.#onResponse(message, context, key)
    else this.#onQuery(message, context, key)
  }

  /** Gives up the transactions that are not answered yet. To be called at the end of the capture, before `counters`. */
  finish(): void {
    for (const transaction of this.#transactions.values()) this.#giveUp(transaction)
    this.#transactions.clear()
    this.search.finish()
  }

  counters(): DnsCounters {
    const counts = {
      queries: this.#queryCount,
      responses: this.#responseCount,
      unsolicited_responses: this.#unsolicitedCount,
      truncated_flag: this.#truncatedCount,
      unanswered: this.#unansweredCount,
      retransmitted_queries: this.#retransmittedQueryCount,
    }
    return {
      ...Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0)),
      rcode: this.#rcodes.toRecord(),
      time: this.#time.summary(),
      top_names: this.#names.top(listedNamesCount),
      nxdomain_names: this.#nxdomainNames.top(listedNamesCount),
      unanswered_names: this.#unansweredNames.top(listedNamesCount),
    }
  }

  #onQuery(message: DnsMessage, context: DnsContext, key: number): void {
    this.#queryCount++
    if (message.questionCount > 0) this.#names.add(message.name, context.frameNumber)
    this.search.onQuery(message, context)
    const earlier = this.#transactions.get(key)
    this.race.onQuery(context, earlier)
    if (earlier !== undefined && !earlier.isAnswered && isSoonAfter(earlier.timeNs, context.timeNs)) {
      this.#retransmittedQueryCount++
      this.servers.onRetry(context)
      return
    }
    if (earlier !== undefined) {
      if (!earlier.isAnswered) this.servers.onRetry(context)
      this.#giveUp(earlier)
      this.#transactions.delete(key)
    }
    this.#transactions.makeRoom((oldest) => {
      this.#giveUp(oldest)
      this.evictedCount++
    })
    const transaction: DnsTransaction = {
      connection: context.connection,
      name: message.name,
      questionType: message.questionType,
      frameNumber: context.frameNumber,
      timeNs: context.timeNs,
      server: context.server,
      client: context.client,
      isAnswered: false,
      isComplete: message.isComplete,
    }
    this.#transactions.set(key, transaction)
    this.servers.onQuery(context)
    this.race.onNewTransaction(context, transaction)
  }

  #onResponse(message: DnsMessage, context: DnsContext, key: number): void {
    this.#responseCount++
    this.#rcodes.add(rcodeName(message.rcode), context.frameNumber)
    if (message.rcode === rcodeNxdomain) this.#nxdomainNames.add(message.name, context.frameNumber)
    const transaction = this.#transactions.get(key)
    // A query that was redirected to a proxy in the pod is answered by the address that it was sent to before.
    if (transaction !== undefined) context.server = transaction.server
    this.search.onResponse(message, context)
    // Wireshark adds these fields after the records: a message that ends too early has none of them.
    if (transaction === undefined) {
      if (message.isComplete) this.#unsolicitedCount++
      return
    }
    // The same response again: it answers nothing.
    if (transaction.isAnswered) return
    transaction.isAnswered = true
    const durationNs = context.timeNs - transaction.timeNs
    if (message.isComplete) this.#time.add(durationNs)
    this.servers.onResponse(context, message, transaction)
  }

  #giveUp(transaction: DnsTransaction): void {
    if (!transaction.isAnswered) this.servers.onUnanswered(transaction)
    if (transaction.isAnswered && transaction.isComplete) return
    this.#unansweredCount++
    this.#unansweredNames.add(transaction.name, transaction.frameNumber)
  }
}

/** The difference is unsigned in Wireshark: a clock that went back is long ago, not a repetition. */
function isSoonAfter(earlierNs: number, timeNs: number): boolean {
  return timeNs - earlierNs < retransmissionWindowNs
}
