import { type Evidence, maxEvidenceCount } from './finding.ts'

export interface WorstConnection {
  readonly evidence: Evidence
  readonly count: number
}

/** The connections with the most of something. */
export class WorstConnections {
  #worst: WorstConnection[] = []

  /** The evidence is made only where the connection is kept. */
  add(count: number, evidence: () => Evidence): void {
    const worst = this.#worst
    if (count === 0 || (worst.length === maxEvidenceCount && worst.at(-1)!.count >= count)) return
    worst.push({ evidence: evidence(), count })
    this.#worst = worst.toSorted((one, other) => other.count - one.count).slice(0, maxEvidenceCount)
  }

  all(): readonly WorstConnection[] {
    return this.#worst
  }
}
