const bucketCount = 60
/** 1/64 s: after six doublings a bucket is a whole second. */
const firstWidthNs = 1e9 / 64

/**
 * Amounts over the time of a capture, whose length is not known before its end: at most 60 buckets, which double in width when the time goes
 * past them. All begin at time 0, so that those of one width cover the same times.
 */
export class TimeBuckets {
  #widthNs = firstWidthNs
  readonly #amounts = new Float64Array(bucketCount)

  get widthNs(): number {
    return this.#widthNs
  }

  add(timeNs: number, amount = 1): void {
    let index = Math.floor(timeNs / this.#widthNs)
    if (index >= bucketCount) {
      this.widen(timeNs)
      index = Math.floor(timeNs / this.#widthNs)
    }
    this.#amounts[index < 0 ? 0 : index]! += amount
  }

  /** When the bucket of `timeNs` begins, as wide as the buckets are now. */
  startOf(timeNs: number): number {
    return Math.floor(timeNs / this.#widthNs) * this.#widthNs
  }

  /** Makes the buckets so wide that `timeNs` is in one of them. */
  widen(timeNs: number): void {
    const amounts = this.#amounts
    while (timeNs >= bucketCount * this.#widthNs && timeNs < Infinity) {
      for (let index = 0; index < bucketCount / 2; index += 1)
        amounts[index] = amounts[2 * index]! + amounts[2 * index + 1]!
      amounts.fill(0, bucketCount / 2)
      this.#widthNs *= 2
    }
  }

  /** The amounts from time 0 to the bucket of `lastNs`, which must not be wider than these buckets reach. */
  until(lastNs: number): readonly number[] {
    return [...this.#amounts.subarray(0, Math.min(bucketCount, Math.floor(Math.max(0, lastNs) / this.#widthNs) + 1))]
  }
}
