import { Percentiles } from '../percentiles.ts'

/** The shape of a table of durations in the counters. */
export interface DurationSummary {
  count: number
  min_ms?: number
  p50_ms?: number
  p95_ms?: number
  max_ms?: number
}

/** Durations in ns, summed up in ms with three decimals. */
export class DurationStats {
  readonly #percentiles: Percentiles

  /** `maxSamplesCount`: above this the percentiles are of a part of the durations */
  constructor(maxSamplesCount?: number) {
    this.#percentiles = new Percentiles(maxSamplesCount)
  }

  add(durationNs: number): void {
    this.#percentiles.add(durationNs)
  }

  get count(): number {
    return this.#percentiles.count
  }

  summary(): DurationSummary {
    const summary = this.#percentiles.summary()
    if (summary === undefined) return { count: 0 }
    const { count, min, p50, p95, max } = summary
    return { count, min_ms: toMs(min), p50_ms: toMs(p50), p95_ms: toMs(p95), max_ms: toMs(max) }
  }
}

function toMs(durationNs: number): number {
  return Math.round(durationNs / 1000) / 1000
}
