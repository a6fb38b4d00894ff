import type { Endpoint } from '../decoded-packet.ts'

const maxExamplesCount = 5
const maxBackendsCount = 10

/** How often something was seen, when, and the numbers of the first packets that show it. */
export interface Occurrences {
  count: number
  readonly frames: number[]
  /** ns since the capture's base */
  firstTimeNs: number
  lastTimeNs: number
  /** the pods behind the address of a service that show it, as "address:port"; at most ten */
  readonly backends: Set<string>
}

export function noOccurrences(): Occurrences {
  return { count: 0, frames: [], firstTimeNs: 0, lastTimeNs: 0, backends: new Set() }
}

export function addBackend(backends: Set<string>, backend: Endpoint | undefined): void {
  if (backend === undefined || backends.size >= maxBackendsCount) return
  const { address, port } = backend
  backends.add(address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`)
}

export function addOccurrence(occurrences: Occurrences, frameNumber: number, timeNs: number): void {
  if (occurrences.frames.length < maxExamplesCount) occurrences.frames.push(frameNumber)
  const isFirst = occurrences.count++ === 0
  if (isFirst || timeNs < occurrences.firstTimeNs) occurrences.firstTimeNs = timeNs
  if (isFirst || timeNs > occurrences.lastTimeNs) occurrences.lastTimeNs = timeNs
}
