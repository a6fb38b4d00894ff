const defaultMaxSamplesCount = 65_536

export interface PercentileSummary {
  readonly count: number
  readonly min: number
  readonly p50: number
  readonly p95: number
  readonly max: number
}

/**
 * Nearest-rank percentiles of numbers. Exact up to `maxSamplesCount` numbers; of more, every second is dropped again and again, so that memory is bounded and
 * the numbers that are kept are spread evenly over the capture. Count, minimum and maximum are always exact.
 */
export class Percentiles {
  readonly #maxSamplesCount: number
  #samples: number[] = []
  #stride = 1
  #count = 0
  #min = Number.POSITIVE_INFINITY
  #max = Number.NEGATIVE_INFINITY

  constructor(maxSamplesCount = defaultMaxSamplesCount) {
    this.#maxSamplesCount = maxSamplesCount
  }

  add(value: number): void {
    if (this.#count % this.#stride === 0) this.#keep(value)
    this.#count += 1
    this.#min = Math.min(this.#min, value)
    this.#max = Math.max(this.#max, value)
  }

  get count(): number {
    return this.#count
  }

  /** Undefined: no number was added. */
  summary(): PercentileSummary | undefined {
    if (this.#count === 0) return undefined
    const sorted = Float64Array.from(this.#samples).sort()
    return { count: this.#count, min: this.#min, p50: rank(sorted, 0.5), p95: rank(sorted, 0.95), max: this.#max }
  }

  #keep(value: number): void {
    this.#samples.push(value)
    if (this.#samples.length < this.#maxSamplesCount) return
    this.#samples = this.#samples.filter((_, index) => index % 2 === 0)
    this.#stride *= 2
  }
}

function rank(sorted: Float64Array, share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!
}
