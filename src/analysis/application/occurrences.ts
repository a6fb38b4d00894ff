const maxExamplesCount = 5

/** How often something was seen, when, and the numbers of the first packets that show it. */
export interface Occurrences {
  count: number
  readonly frames: number[]
  /** ns since the capture's base */
  firstTimeNs: number
  lastTimeNs: number
}

export function noOccurrences(): Occurrences {
  return { count: 0, frames: [], firstTimeNs: 0, lastTimeNs: 0 }
}

export function addOccurrence(occurrences: Occurrences, frameNumber: number, timeNs: number): void {
  if (occurrences.frames.length < maxExamplesCount) occurrences.frames.push(frameNumber)
  const isFirst = occurrences.count++ === 0
  if (isFirst || timeNs < occurrences.firstTimeNs) occurrences.firstTimeNs = timeNs
  if (isFirst || timeNs > occurrences.lastTimeNs) occurrences.lastTimeNs = timeNs
}
