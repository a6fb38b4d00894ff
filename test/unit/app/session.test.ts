import { jest } from '@jest/globals'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadAnalysis } from '../../../src/app/live-diagnosis.ts'
import { Session } from '../../../src/app/session.ts'
import { StateKeeper } from '../../../src/app/state.ts'
import type { CleanupResult, Recorder } from '../../../src/capture/recorders/recorder.ts'
import { NothingCreated, NothingRecorded } from '../../../src/capture/recorders/start-failure.ts'
import type { RecorderEndpoint } from '../../../src/capture/recorders/endpoint.ts'
import { newCaptureId } from '../../../src/capture/plan.ts'
import { Cancelled, ConfigurationError, type Problem } from '../../../src/common/errors.ts'
import type { Log } from '../../../src/runner/log.ts'
import { plan, recordFor, target } from '../../support/target.ts'

let temp: string
let before: string | undefined
let lines: string[]
let failures: string[]
beforeEach(() => {
  temp = mkdtempSync(join(tmpdir(), 'session-'))
  before = process.env['GITHUB_STATE']
  process.env['GITHUB_STATE'] = join(temp, 'github-state')
  writeFileSync(process.env['GITHUB_STATE'], '')
  lines = []
  failures = []
})
afterEach(() => {
  jest.useRealTimers()
  if (before === undefined) delete process.env['GITHUB_STATE']
  else process.env['GITHUB_STATE'] = before
  rmSync(temp, { recursive: true, force: true })
})

const log: Log = {
  info: (line) => lines.push(line),
  notice: (line) => lines.push(line),
  warning: (line) => lines.push(line),
  failure: (line) => failures.push(line),
  group: (_title, body) => body(),
}
const problem = (code: Problem['code']): Problem => ({ code, input: 'image', problem: 'is wrong', fix: 'Use another.' })
const nothingLeft: CleanupResult = { leftovers: [], unfinished: false }

/** A recorder whose container ends with `lastOutput`; by default it records nothing and the container does not exist. */
function recorder(
  pod: string,
  {
    start,
    lastOutput,
    abandoned = nothingLeft,
  }: { start?: Error; lastOutput?: string; abandoned?: CleanupResult } = {},
): Recorder & { readonly abandonedBy: unknown[] } {
  const abandonedBy: unknown[] = []
  const record = recordFor({
    target: { ...target(), pod },
    captureId: newCaptureId('octo/shop'),
    plan: plan(),
    folder: temp,
  })
  const endpoint: RecorderEndpoint = {
    open: () => Promise.reject(new Error('no connection')),
    state: () =>
      Promise.resolve(
        lastOutput === undefined
          ? { kind: 'gone', reason: 'the pod was deleted' }
          : { kind: 'terminated', reason: 'Error', message: lastOutput },
      ),
    spoolDirs: [],
  }
  return {
    record,
    endpoint,
    abandonedBy,
    check: () => Promise.resolve([]),
    start: () => (start === undefined ? Promise.resolve('tools@sha256:1') : Promise.reject(start)),
    abandonStart: (error) => {
      abandonedBy.push(error)
      return Promise.resolve(abandoned)
    },
    cleanUp: () => Promise.resolve(nothingLeft),
  }
}

function sessionOf(recorders: readonly Recorder[], cancel = new AbortController().signal) {
  const captures = recorders.map((one) => ({ recorder: one, hints: [], cautions: [] }))
  const state = new StateKeeper(temp, captures)
  const connection = { input: 'kubeconfig' } as never
  return { session: new Session({ connection, captures, loadEngine: loadAnalysis, state, cancel, log }), state }
}
const partFiles = (): string[] => readdirSync(temp).filter((name) => name.endsWith('.part'))

describe('a capture that does not start', () => {
  it('is reported, and the other captures continue', async () => {
    const bad = recorder('bad', { start: new NothingCreated(problem('E_IMAGE_PULL')) })
    const { session, state } = sessionOf([recorder('one'), bad, recorder('two')])
    await session.start()
    expect(failures).toEqual([
      'The capture of pod bad failed: image: is wrong. Use another. No resources were created.',
    ])
    expect(bad.abandonedBy).toHaveLength(1)
    expect(state.captureCount).toBe(2)
    const results = await session.record()
    expect(results.map(({ record }) => record.target)).toMatchObject([{ pod: 'one' }, { pod: 'two' }])
    expect(session.failures.map(({ problems }) => problems[0]?.code)).toEqual(['E_IMAGE_PULL'])
  })

  it('is kept in the state when it has leftovers that post can delete', async () => {
    const leftovers = ['the Job x']
    const bad = recorder('bad', {
      start: new ConfigurationError(problem('E_START_TIMEOUT')),
      abandoned: { leftovers, unfinished: true },
    })
    const { session, state } = sessionOf([recorder('one'), bad])
    await session.start()
    expect(failures[0]).toMatch(/ Not removed: the Job x\.$/)
    expect(state.captureCount).toBe(2)
    await session.record()
  })

  it('shows its stack when the error is unexpected', async () => {
    const { session } = sessionOf([recorder('one'), recorder('bad', { start: new TypeError('x is undefined') })])
    await session.start()
    expect(failures[0]).toContain('x is undefined')
    expect(lines.join('\n')).toContain('TypeError: x is undefined\n    at ')
    expect(session.failures[0]?.problems[0]?.code).toBe('E_INTERNAL')
    await session.record()
  })
})

describe('when no capture starts', () => {
  it('the run fails with the error of the only capture', async () => {
    const error = new NothingCreated(problem('E_POD_SECURITY'))
    const { session, state } = sessionOf([recorder('bad', { start: error })])
    await expect(session.start()).rejects.toMatchObject({
      message: 'image: is wrong. Use another. No resources were created.',
      problems: [{ code: 'E_POD_SECURITY' }],
    })
    expect(failures).toEqual([])
    expect(state.captureCount).toBe(0)
    expect(partFiles()).toEqual([])
  })

  it('the run fails with the problems of all captures, each once', async () => {
    const codes = ['E_POD_SECURITY', 'E_IMAGE_PULL', 'E_IMAGE_PULL'] as const
    const { session } = sessionOf(
      codes.map((code, i) =>
        recorder(`bad-${String(i)}`, { start: new NothingRecorded({ ...problem(code), problem: code }) }),
      ),
    )
    await expect(session.start()).rejects.toMatchObject({
      problems: [{ code: 'E_POD_SECURITY' }, { code: 'E_IMAGE_PULL' }],
      leftovers: undefined,
    })
  })

  it('the run fails with the problems of all captures, also where one error is unexpected, and shows its stack', async () => {
    const { session } = sessionOf([
      recorder('bad', { start: new NothingRecorded(problem('E_IMAGE_PULL')) }),
      recorder('worse', { start: new TypeError('x is undefined') }),
    ])
    await expect(session.start()).rejects.toMatchObject({
      problems: [{ code: 'E_IMAGE_PULL' }, { code: 'E_INTERNAL', problem: 'x is undefined' }],
    })
    expect(lines.join('\n')).toContain('TypeError: x is undefined\n    at ')
  })

  it('a cancel ends the run as cancelled, and post cleans up', async () => {
    const bad = recorder('bad', { start: new Cancelled('The run was cancelled.') })
    const { session, state } = sessionOf([bad])
    await expect(session.start()).rejects.toBeInstanceOf(Cancelled)
    expect(bad.abandonedBy).toEqual([])
    expect(state.captureCount).toBe(1)
  })
})

describe('a capture that ends before it records packets', () => {
  const noInterface = 'error interface tcpdump: nosuch0: No such device exists'
  it('is reported, and the other captures keep their results', async () => {
    const { session } = sessionOf([recorder('one'), recorder('bad', { lastOutput: noInterface })])
    await session.start()
    const results = await session.record()
    expect(results).toHaveLength(1)
    expect(session.failures.map(({ problems }) => problems[0]?.code)).toEqual(['E_INTERFACE_NOT_FOUND'])
  })

  it('fails the run with its error when it is the only capture', async () => {
    const { session } = sessionOf([recorder('bad', { lastOutput: noInterface })])
    await session.start()
    await expect(session.record()).rejects.toMatchObject({ problems: [{ code: 'E_INTERFACE_NOT_FOUND' }] })
  })
})
