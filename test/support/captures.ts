import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Lack } from './needs.ts'

const root = join(import.meta.dirname, '../..')

/** The recordings of this repository, each with one problem or none. `truth.json` beside them has what tshark counts. */
export const labCaptures = join(root, 'test/captures')

/** Captures that are not a part of this repository, with the same ground truth: $SHARED_CAPTURES, or the folder beside the checkout. */
export const sharedCaptures = process.env['SHARED_CAPTURES'] ?? join(root, '../shared/captures')
const index = join(sharedCaptures, 'index.json')

export const needsSharedCaptures: Lack = existsSync(index)
  ? undefined
  : 'the shared captures; SHARED_CAPTURES=FOLDER npm test'

export interface SharedCapture<Truth> {
  /** below `sharedCaptures` */
  readonly file: string
  readonly name: string
  readonly truth: Truth
}

/** One table row for each shared capture, its name first; empty where they are not on this machine. */
export function sharedCaptureRows<Truth>(): [string, SharedCapture<Truth>][] {
  if (needsSharedCaptures !== undefined) return []
  const { captures } = JSON.parse(readFileSync(index, 'utf8')) as { captures: SharedCapture<Truth>[] }
  return captures.map((capture) => [capture.name, capture])
}
