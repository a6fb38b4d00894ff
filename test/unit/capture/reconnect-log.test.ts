import { jest } from '@jest/globals'
import { ReconnectLog } from '../../../src/capture/reconnect-log.ts'

let nowMs: number
let reports: string[]
let log: ReconnectLog
beforeEach(() => {
  nowMs = 1_000_000
  jest.spyOn(Date, 'now').mockImplementation(() => nowMs)
  reports = []
  log = new ReconnectLog((reason) => reports.push(reason))
})
afterEach(() => {
  jest.restoreAllMocks()
})

it('reports a reason once until it changes', () => {
  for (const reason of ['a', 'a', 'b', 'b', 'a']) log.connectionLost(reason, { hadProgress: false })
  expect(reports).toEqual(['a', 'b', 'a'])
})

it('reports every loss of a connection that delivered data', () => {
  for (let i = 0; i < 3; i += 1) log.connectionLost('a', { hadProgress: true })
  expect(reports).toEqual(['a', 'a', 'a'])
})

it('repeats a reason after a minute, with the number of attempts', () => {
  for (let second = 0; second <= 130; second += 10) {
    log.connectionLost('a', { hadProgress: false })
    nowMs += 10_000
  }
  expect(reports).toEqual(['a', 'a; 7 attempts so far', 'a; 13 attempts so far'])
})
