// Followers, kubelets and API servers that lie, each against the code of the runner, by a clock that is a hundred times as fast.
import { notDiagnosed } from '../../unit/report/reports.ts'

import { jest } from '@jest/globals'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { logEvents } from '../../../src/app/capture-events.ts'
import { reportOf } from '../../../src/app/capture-report.ts'
import { nameFile } from '../../../src/capture/capture-result.ts'
import { followCapture, openPart } from '../../../src/capture/capture.ts'
import { ephemeralRecorder } from '../../../src/capture/recorders/ephemeral-container.ts'
import { resultJson } from '../../../src/report/result.ts'
import { summaryMarkdown } from '../../../src/report/summary.ts'
import { jobLog } from '../../../src/runner/log.ts'
import { startServer, type Server } from '../../support/api-server.ts'
import { useFastClock } from '../../support/fast-clock.ts'
import { hostileFollowers, type HostileFollower } from '../../support/hostile/followers.ts'
import { plan, recordFor } from '../../support/target.ts'

useFastClock(100)

let server: Server
let folder: string
let log: string
beforeEach(async () => {
  server = await startServer()
  folder = mkdtempSync(join(tmpdir(), 'hostile-'))
  log = ''
  jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
    log += String(text)
    return true
  })
})
afterEach(async () => {
  jest.restoreAllMocks()
  await server.stop()
  rmSync(folder, { recursive: true })
})

/** Follows it as main does. @returns the result, and how long that took by the fast clock, s */
async function follow(hostile: HostileFollower, endsAtMs?: number) {
  const container = { running: {} }
  server.answer = () => {
    const state = server.sessions.length > 0 ? (hostile.container ?? container) : container
    const status = { ephemeralContainerStatuses: [{ name: 'packet-capture-x', state }] }
    return { status: 200, body: { metadata: { uid: 'uid-1' }, status } }
  }
  server.exec = hostile.exec
  const record = recordFor({ plan: plan({ durationSeconds: 3, startTimeoutSeconds: 10, ...hostile.plan }), folder })
  const startMs = Date.now()
  const capture = followCapture(ephemeralRecorder(server.connection, record), await openPart(record), {
    imageId: undefined,
    events: logEvents(record, jobLog),
    ...(endsAtMs === undefined ? {} : { endsAtMs }),
  })
  if (endsAtMs !== undefined) capture.stop('cancelled')
  const result = await capture.finished
  await nameFile(result)
  return { record, result, seconds: (Date.now() - startMs) / 1_000 }
}

it.each(hostileFollowers.map((one) => [one.does, one] as const))(
  'a follower that %s does not hold, fill or mislead main',
  async (_does, hostile) => {
    const beforeBytes = process.memoryUsage.rss()
    const { record, result, seconds } = await follow(hostile)
    expect(result.verdict).toMatchObject({
      verdict: hostile.verdict,
      reason: expect.stringMatching(hostile.reason) as string,
    })
    // duration 3 s, the start 10 s, 60 s and 60 s of grace, and what a busy machine adds, which the fast clock multiplies
    expect(seconds).toBeLessThan(2_000)
    expect(process.memoryUsage.rss() - beforeBytes).toBeLessThan(400e6)
    const { maxBytes, spoolLimitBytes } = record.plan
    if (result.path !== undefined) expect(statSync(result.path).size).toBeLessThanOrEqual(maxBytes + spoolLimitBytes)
    const report = reportOf(result, { hints: [] }, notDiagnosed)
    const json = resultJson([report])
    expect(JSON.parse(json)).toMatchObject({ captures: [{ verdict: { verdict: hostile.verdict } }] })
    expect(summaryMarkdown([report], { notes: [], detail: 'full' }).length).toBeLessThan(200_000)
    expect(json.length).toBeLessThan(200_000)
    expect(JSON.stringify(result).length).toBeLessThan(131_072) // the room that main reserves for its state
    expect(log).not.toMatch(/^\s*::/m)
    expect(log).not.toContain('##[')
    expect(log.split('\n').length).toBeLessThan(300)
  },
)

const trickle = hostileFollowers[0] as HostileFollower

it('a follower that ignores stop and sends one byte in 5 s does not hold post', async () => {
  const { result, seconds } = await follow(trickle, Date.now())
  expect(result.verdict).toMatchObject({ verdict: 'partial', reason: expect.stringMatching(trickle.reason) as string })
  expect(seconds).toBeLessThan(200)
})

it('a follower that trickles does not prevent a cancel from leaving the rest to post', async () => {
  server.answer = () => ({ status: 404, body: {} })
  server.exec = trickle.exec
  const record = recordFor({ plan: plan({ durationSeconds: 3 }), folder })
  const capture = followCapture(ephemeralRecorder(server.connection, record), await openPart(record), {
    imageId: undefined,
    events: logEvents(record, jobLog),
  })
  const startMs = Date.now()
  capture.stop('cancelled')
  setTimeout(() => capture.hold(600), 5_500)
  await expect(capture.finished).resolves.toMatchObject({ outcome: { end: 'held' }, path: undefined })
  expect(Date.now() - startMs).toBeLessThan(60_000)
})
