/** The share of the entries that are given up at once. */
const evictedShare = 1 / 16

/** A map that gives up its oldest entries when it is full. */
export class BoundedMap<Key, Value> {
  readonly #entries = new Map<Key, Value>()
  readonly #maxCount: number

  constructor(maxCount: number) {
    this.#maxCount = maxCount
  }

  get(key: Key): Value | undefined {
    return this.#entries.get(key)
  }

  /** Adds an entry, or changes one in its place. Call `makeRoom` before an entry is added. */
  set(key: Key, value: Value): void {
    this.#entries.set(key, value)
  }

  delete(key: Key): void {
    this.#entries.delete(key)
  }

  values(): MapIterator<Value> {
    return this.#entries.values()
  }

  clear(): void {
    this.#entries.clear()
  }

  /**
   * Where the map is full: removes the oldest sixteenth of it. One entry at a time would take a time that grows with the map: to find the oldest
   * one, the places of all that were deleted before it are walked over.
   */
  makeRoom(onEvicted: (value: Value, key: Key) => void): void {
    if (this.#entries.size < this.#maxCount) return
    let left = Math.ceil(this.#maxCount * evictedShare)
    for (const [key, value] of this.#entries) {
      this.#entries.delete(key)
      onEvicted(value, key)
      left -= 1
      if (left === 0) return
    }
  }
}
