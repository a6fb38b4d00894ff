import { FetchLimits } from '../../../src/capture/fetch-limits.ts'
import { jest } from '@jest/globals'
import { plan, recordFor } from '../../support/target.ts'

const nowMs = Date.UTC(2026, 10, 27)
beforeEach(() => jest.useFakeTimers({ now: nowMs }))
afterEach(() => jest.useRealTimers())

const MB = 1e6
/** of a capture of 60 s with the default spool */
function limitsAt(options: { endsAtMs?: number; durationSeconds?: number } = {}): FetchLimits {
  const { durationSeconds = 60, ...rest } = options
  const record = recordFor({ plan: plan({ durationSeconds, startTimeoutSeconds: 120 }), serverTimeMs: nowMs })
  return new FetchLimits({ record, receivedBytes: 0, ...rest })
}
const after = (seconds: number): number => nowMs + seconds * 1_000
const deadlineSeconds = 120 + 60 + 60

it('ends the recording a duration after "listening", and without it at the deadline', () => {
  const limits = limitsAt()
  expect(limits.recordingEndMs()).toBe(after(deadlineSeconds))
  jest.setSystemTime(after(10))
  limits.listening()
  jest.setSystemTime(after(20))
  limits.listening()
  expect(limits.recordingEndMs()).toBe(after(70))
})

it('does not let a late "listening" move the end of the recording beyond the deadline', () => {
  const limits = limitsAt()
  jest.setSystemTime(after(deadlineSeconds - 1))
  limits.listening()
  expect(limits.recordingEndMs()).toBe(after(deadlineSeconds))
})

it.each([
  ['nothing', 0, 60],
  ['a byte', 1, 60.00002],
  ['1 MB', MB, 80],
  ['10 MB', 10 * MB, 260],
  ['more than 64 MB, the spool: to the end of the recorder', 200 * MB, 240 + 600 + 60],
])('gives the rest 60 s, and a second for each 50 kB that arrive: with %s', (_what, bytes, seconds) => {
  const limits = limitsAt({ endsAtMs: nowMs })
  limits.note(0)
  expect((limits.lastMomentMs(bytes) - nowMs) / 1_000).toBeCloseTo(seconds, 4)
})

it.each([50_001, 300_000, 2 * MB])('never ends a link that delivers %d bytes a second without a break', (rate) => {
  const limits = limitsAt({ endsAtMs: nowMs })
  for (let second = 0; second <= 600; second += 1) {
    const bytes = Math.min(second * rate, 64 * MB)
    if (bytes < 64 * MB) expect(limits.giveUpAtMs(after(second), bytes)).toBeGreaterThan(after(second))
  }
})

it('ends a link that delivers less, in the time that follows from its rate', () => {
  const limits = limitsAt({ endsAtMs: nowMs })
  const isOver = (second: number): boolean => after(second) > limits.lastMomentMs(second * 25_000)
  expect([isOver(119), isOver(121)]).toEqual([false, true])
})

it('does not count what arrived before the end of the recording', () => {
  const limits = limitsAt()
  limits.listening()
  limits.note(50 * MB)
  jest.setSystemTime(after(61))
  limits.note(51 * MB)
  expect((limits.lastMomentMs(51 * MB) - after(60)) / 1_000).toBeCloseTo(60 + 20)
})

it('gives up 60 s after the last byte, as long as that is before the last moment', () => {
  const limits = limitsAt({ endsAtMs: nowMs })
  expect(limits.giveUpAtMs(after(30), 10 * MB)).toBe(after(90))
  expect(limits.giveUpAtMs(after(59), 1)).toBeCloseTo(after(60), -2)
  expect(limits.giveUpAtMs(after(-100), 0)).toBe(after(60))
})

it('gives post 60 s, however late it starts', () => {
  const late = after(deadlineSeconds + 3_600)
  const limits = limitsAt({ endsAtMs: late })
  expect(limits.lastMomentMs(60 * MB)).toBe(late + 60_000)
})

it('ends the recording where the runner has stopped it for its size', () => {
  const limits = limitsAt({ durationSeconds: 3_600 })
  limits.listening()
  jest.setSystemTime(after(5))
  limits.stopped()
  jest.setSystemTime(after(9))
  limits.stopped()
  expect(limits.lastMomentMs(0)).toBe(after(65))
})
