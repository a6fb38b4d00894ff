import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { labCaptures } from './captures.ts'

/** The lab captures that are small. */
export const smallCaptures: readonly Buffer[] = readdirSync(labCaptures)
  .filter((name) => name.endsWith('.pcap'))
  .map((name) => readFileSync(join(labCaptures, name)))
  .filter(({ length }) => length < 40_000)

/** A generator with a seed: a failure can be repeated. */
export function randomNumbers(seed: number): (limitCount: number) => number {
  let state = seed
  return (limitCount) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 4_294_967_296) * limitCount)
  }
}

/** A capture with flipped, set and cut bytes. */
export function damage(file: Buffer, random: (limitCount: number) => number): Buffer {
  const damaged = Buffer.from(file)
  for (let count = random(20); count >= 0; count -= 1) {
    const at = random(4) === 0 ? random(damaged.length) : 24 + random(Math.min(damaged.length - 24, 2_000))
    damaged[at] = [damaged[at]! ^ (1 << random(8)), 0xff, 0, random(256)][random(4)]!
  }
  return random(5) === 0 ? damaged.subarray(0, random(damaged.length)) : damaged
}
