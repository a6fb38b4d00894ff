import { BoundedMap } from './bounded-map.ts'
import type { DnsContext, DnsTransaction } from './dns-transaction.ts'

/** glibc sends A and AAAA from one socket right after each other. */
const maxPairGapNs = 10e6
/** glibc's time-out is 5 s. */
const minTimeoutNs = 4.5e9
const maxTimeoutNs = 5.5e9
const maxConnectionsCount = 10_000
const maxExamplesCount = 5

export interface DnsRace {
  readonly name: string
  readonly client: string
  readonly server: string
  /** the query without an answer, and the one that was sent 5 s later */
  readonly frames: readonly [lost: number, resent: number]
  readonly timeNs: number
}

interface Pair {
  readonly first: DnsTransaction
  second: DnsTransaction | undefined
  isCounted: boolean
}

/**
 * Finds the race of conntrack: of two queries that one socket sent at once, one gets no answer, and the client sends again after 5 s
 * (kubernetes/kubernetes#56903, lambda.lt "Racy conntrack and DNS lookup timeouts").
 */
export class DnsRaceDetector {
  readonly #pairs = new BoundedMap<number, Pair>(maxConnectionsCount)
  readonly examples: DnsRace[] = []
  count = 0

  /** `earlier`: the last query of this connection with the same id, before it is replaced */
  onQuery(context: DnsContext, earlier: DnsTransaction | undefined): void {
    if (earlier === undefined) return
    const waitedNs = context.timeNs - earlier.timeNs
    if (waitedNs < minTimeoutNs || waitedNs > maxTimeoutNs) return
    const pair = this.#pairs.get(context.connection)
    if (pair?.second === undefined || pair.isCounted) return
    if (pair.first !== earlier && pair.second !== earlier) return
    if (pair.first.isAnswered === pair.second.isAnswered) return
    pair.isCounted = true
    this.count++
    if (this.examples.length >= maxExamplesCount) return
    const lost = pair.first.isAnswered ? pair.second : pair.first
    this.examples.push({
      name: lost.name,
      client: context.client,
      server: lost.server,
      frames: [lost.frameNumber, context.frameNumber],
      timeNs: lost.timeNs,
    })
  }

  onNewTransaction(context: DnsContext, transaction: DnsTransaction): void {
    const pair = this.#pairs.get(context.connection)
    if (pair !== undefined && pair.second === undefined && isPair(pair.first, transaction)) {
      pair.second = transaction
      return
    }
    this.#pairs.delete(context.connection)
    this.#pairs.makeRoom(() => undefined)
    this.#pairs.set(context.connection, { first: transaction, second: undefined, isCounted: false })
  }
}

function isPair(first: DnsTransaction, second: DnsTransaction): boolean {
  const gapNs = second.timeNs - first.timeNs
  return gapNs >= 0 && gapNs <= maxPairGapNs && first.name === second.name && first.questionType !== second.questionType
}
