/** Bytes that all parsers together hold of messages that are not whole yet. */
const maxTotalBytes = 16 * 1024 * 1024
const firstBytes = 512

/** What one capture's parsers may hold together: a hostile capture has very many messages that never end. */
export class PendingBudget {
  heldBytes = 0
  /** messages that were given up for it */
  refusedCount = 0

  take(byteCount: number): boolean {
    if (this.heldBytes + byteCount > maxTotalBytes) {
      this.refusedCount++
      return false
    }
    this.heldBytes += byteCount
    return true
  }

  release(byteCount: number): void {
    this.heldBytes -= byteCount
  }
}

/** The beginning of a message whose end is in a later segment. */
export class PendingBytes {
  readonly #budget: PendingBudget
  readonly #limitBytes: number
  bytes: Uint8Array = new Uint8Array(0)
  length = 0

  constructor(budget: PendingBudget, limitBytes: number) {
    this.#budget = budget
    this.#limitBytes = limitBytes
  }

  /** Adds a copy. False, and nothing is held any more, where it becomes too much. */
  append(bytes: Uint8Array, start: number, end: number): boolean {
    const length = this.length + end - start
    if (length > this.bytes.length && !this.#grow(length)) {
      this.clear()
      return false
    }
    this.bytes.set(bytes.subarray(start, end), this.length)
    this.length = length
    return true
  }

  clear(): void {
    this.#budget.release(this.bytes.length)
    this.bytes = new Uint8Array(0)
    this.length = 0
  }

  #grow(length: number): boolean {
    if (length > this.#limitBytes) return false
    const sizeBytes = Math.min(Math.max(length, this.bytes.length * 2, firstBytes), this.#limitBytes)
    if (!this.#budget.take(sizeBytes - this.bytes.length)) return false
    const grown = new Uint8Array(sizeBytes)
    grown.set(this.bytes.subarray(0, this.length))
    this.bytes = grown
    return true
  }
}
