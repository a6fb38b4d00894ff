/** How many different texts one table holds: names in packets are chosen by their sender. */
const maxTextCount = 10_000

interface Entry {
  count: number
  /** position in the file of the first packet with this text: the order of equals */
  readonly firstFrame: number
}

/** Counts by text. Bounded: when it is full, a new text is counted in `overflowCount` only. */
export class TextCounts {
  readonly #entries = new Map<string, Entry>()
  overflowCount = 0

  add(text: string, frameNumber: number, count = 1): void {
    const entry = this.#entries.get(text)
    if (entry !== undefined) entry.count += count
    else if (this.#entries.size < maxTextCount) this.#entries.set(text, { count, firstFrame: frameNumber })
    else this.overflowCount += count
  }

  get(text: string): number {
    return this.#entries.get(text)?.count ?? 0
  }

  get size(): number {
    return this.#entries.size
  }

  /** The most frequent texts, at most `limitCount`; among equals the one that was seen first. */
  top(limitCount: number): [text: string, count: number][] {
    return [...this.#entries]
      .sort(([, a], [, b]) => b.count - a.count || a.firstFrame - b.firstFrame)
      .slice(0, limitCount)
      .map(([text, { count }]) => [text, count])
  }

  /** All of them, or the `limitCount` most frequent ones. */
  toRecord(limitCount = maxTextCount): Record<string, number> {
    return Object.fromEntries(this.top(limitCount))
  }
}
