import { type DnsMessage, rcodeNxdomain } from './dns-message.ts'
import type { DnsContext } from './dns-transaction.ts'

/** The next name of the search list is tried at once. */
const followUpWindowNs = 2e9
/** negative answers that are remembered for each client, and clients */
const maxRecentCount = 16
const maxClientsCount = 1000
const maxBasesCount = 1000
const maxSuffixesCount = 200
/** A suffix that is not of the cluster's domain counts when this many names were tried with it. */
const learnedBasesCount = 2

interface NegativeAnswer {
  readonly name: string
  readonly frameNumber: number
  readonly server: string
  timeNs: number
  /** responses with this name that were not counted yet */
  pendingCount: number
}

export interface SearchedName {
  /** the name that the application asked for */
  readonly base: string
  readonly client: string
  readonly server: string
  /** queries that only learned that a name of the search list does not exist */
  wastedCount: number
  /** queries for this name or a name of the search list that found something */
  answeredCount: number
  firstFrame: number
  firstTimeNs: number
  lastTimeNs: number
}

interface Suffix {
  readonly bases: Set<string>
  /** counted once the suffix is known to be one */
  readonly held: { base: string; answer: NegativeAnswer; count: number; client: string }[]
}

/**
 * Finds the queries that a resolver's search list wastes: with `ndots:5` a name such as api.example.com is tried with each suffix of the
 * cluster first. An NXDOMAIN for `base.suffix` that is followed within 2 s by a query of the same client for `base` or `base.other` is wasted.
 */
export class DnsSearchDetector {
  readonly #recent = new Map<string, NegativeAnswer[]>()
  readonly #names = new Map<string, SearchedName>()
  readonly #suffixes = new Map<string, Suffix>()
  wastedCount = 0

  onQuery(message: DnsMessage, context: DnsContext): void {
    const recent = this.#recent.get(context.client)
    if (recent === undefined) return
    for (const answer of recent) {
      if (answer.pendingCount === 0 || answer.name === message.name) continue
      if (context.timeNs - answer.timeNs > followUpWindowNs) continue
      const base = commonBase(answer.name, message.name)
      if (base === undefined) continue
      const count = answer.pendingCount
      answer.pendingCount = 0
      this.#onWasted(base, answer, { count, client: context.client })
    }
  }

  onResponse(message: DnsMessage, context: DnsContext): void {
    if (message.rcode === rcodeNxdomain) this.#remember(message.name, context)
    else if (message.rcode === 0 && this.#names.size > 0) this.#onAnswered(message.name, context)
  }

  finish(): void {
    this.#recent.clear()
    this.#suffixes.clear()
  }

  /** The names that cost most, at most `limitCount`. */
  top(limitCount: number): SearchedName[] {
    return [...this.#names.values()]
      .filter(({ wastedCount }) => wastedCount > 0)
      .sort((a, b) => b.wastedCount - a.wastedCount || a.firstFrame - b.firstFrame)
      .slice(0, limitCount)
  }

  /** Names that were tried with the search list. */
  get nameCount(): number {
    return this.#names.size
  }

  /** Queries of such names for each one that found something; undefined where none did. */
  amplification(): number | undefined {
    let answered = 0
    for (const { answeredCount } of this.#names.values()) answered += answeredCount
    return answered === 0 ? undefined : (this.wastedCount + answered) / answered
  }

  #remember(name: string, context: DnsContext): void {
    let recent = this.#recent.get(context.client)
    if (recent === undefined) {
      if (this.#recent.size >= maxClientsCount) return
      recent = []
      this.#recent.set(context.client, recent)
    }
    const known = recent.find((answer) => answer.name === name)
    if (known !== undefined) {
      // A second answer for the same name (A and AAAA) after the next name was tried already is as wasted as the first.
      if (known.pendingCount === 0 && context.timeNs - known.timeNs > followUpWindowNs) known.timeNs = context.timeNs
      known.pendingCount++
      return
    }
    if (recent.length >= maxRecentCount) recent.shift()
    recent.push({
      name,
      frameNumber: context.frameNumber,
      server: context.server,
      timeNs: context.timeNs,
      pendingCount: 1,
    })
  }

  #onWasted(base: string, answer: NegativeAnswer, by: { count: number; client: string }): void {
    const suffix = answer.name.slice(base.length + 1)
    if (isClusterSuffix(suffix)) {
      this.#count(base, answer, by)
      return
    }
    let known = this.#suffixes.get(suffix)
    if (known === undefined) {
      if (this.#suffixes.size >= maxSuffixesCount) return
      known = { bases: new Set(), held: [] }
      this.#suffixes.set(suffix, known)
    }
    if (known.bases.size < learnedBasesCount) known.bases.add(base)
    if (known.bases.size < learnedBasesCount) {
      if (known.held.length < maxRecentCount) known.held.push({ base, answer, ...by })
      return
    }
    for (const held of known.held.splice(0)) this.#count(held.base, held.answer, held)
    this.#count(base, answer, by)
  }

  #count(base: string, answer: NegativeAnswer, by: { count: number; client: string }): void {
    this.wastedCount += by.count
    const key = `${by.client} ${base}`
    const known = this.#names.get(key)
    if (known !== undefined) {
      known.wastedCount += by.count
      known.lastTimeNs = Math.max(known.lastTimeNs, answer.timeNs)
    } else if (this.#names.size < maxBasesCount) {
      this.#names.set(key, {
        base,
        client: by.client,
        server: answer.server,
        wastedCount: by.count,
        answeredCount: 0,
        firstFrame: answer.frameNumber,
        firstTimeNs: answer.timeNs,
        lastTimeNs: answer.timeNs,
      })
    }
  }

  #onAnswered(name: string, context: DnsContext): void {
    // The name itself, or the name with a suffix: every prefix of whole labels may be a base.
    for (let end = name.length; end > 0; end = name.lastIndexOf('.', end - 1)) {
      const known = this.#names.get(`${context.client} ${name.slice(0, end)}`)
      if (known === undefined) continue
      known.answeredCount++
      return
    }
  }
}

/** The labels with which both begin, where `failed` has more labels after them; undefined where there are none. */
function commonBase(failed: string, next: string): string | undefined {
  const shorter = Math.min(failed.length, next.length)
  let same = 0
  while (same < shorter && failed.charCodeAt(same) === next.charCodeAt(same)) same++
  if (same === next.length) return failed[same] === '.' ? next : undefined
  const dot = same === failed.length && next[same] === '.' ? same : failed.lastIndexOf('.', same - 1)
  return dot > 0 && dot < failed.length ? failed.slice(0, dot) : undefined
}

/** The three suffixes that the kubelet writes: the namespace's, the services' and the cluster's. */
function isClusterSuffix(suffix: string): boolean {
  return /^(?:(?:[^.]+\.)?svc\.)?cluster\.local$/i.test(suffix)
}
