import { expect, it } from '@jest/globals'
import { TimeBuckets } from '../../../src/analysis/time-buckets.ts'
import { randomNumbers } from '../../support/damaged-captures.ts'

const secondNs = 1e9

it('keeps every amount in at most 60 buckets, however long the capture is', () => {
  const random = randomNumbers(1)
  const buckets = new TimeBuckets()
  let lastNs = 0
  let sum = 0
  for (let index = 0; index < 5_000; index += 1) {
    lastNs += random(1_000) * 1e6 * (1 + index)
    const amount = random(100)
    sum += amount
    buckets.add(lastNs, amount)
  }
  const amounts = buckets.until(lastNs)
  expect(amounts.length).toBeGreaterThan(30)
  expect(amounts.length).toBeLessThanOrEqual(60)
  expect(amounts.reduce((all, amount) => all + amount, 0)).toBe(sum)
})

it('keeps an amount where it belongs when the buckets become wider', () => {
  const buckets = new TimeBuckets()
  buckets.add(0.9 * secondNs)
  for (let second = 0; second < 100; second += 1) buckets.add(second * secondNs + 1, second)
  expect(buckets.widthNs).toBe(2 * secondNs)
  // 0 s, the one at 0.9 s, and 1 s; then two seconds each
  expect(buckets.until(99 * secondNs)).toEqual([2, ...Array.from({ length: 49 }, (_, index) => 5 + index * 4)])
})

it.each([-5, Number.NaN, Number.NEGATIVE_INFINITY, Infinity])('survives the time %d', (timeNs) => {
  const buckets = new TimeBuckets()
  buckets.add(timeNs)
  buckets.add(2 * secondNs)
  expect(buckets.until(2 * secondNs).length).toBeLessThanOrEqual(60)
})
