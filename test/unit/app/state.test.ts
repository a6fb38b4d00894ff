import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadRun, parsePointer } from '../../../src/app/saved-state.ts'
import { StateKeeper, statePath, type StatedCapture, type StatePointer } from '../../../src/app/state.ts'
import { newCaptureId } from '../../../src/capture/plan.ts'
import { ConfigurationError } from '../../../src/common/errors.ts'
import { plan, recordFor } from '../../support/target.ts'

/** The maximum length of an environment variable: Linux, include/uapi/linux/binfmts.h. */
const maxVariableBytes = 131_072

let temp: string
let before: string | undefined
beforeEach(() => {
  temp = mkdtempSync(join(tmpdir(), 'state-'))
  before = process.env['GITHUB_STATE']
  process.env['GITHUB_STATE'] = join(temp, 'github-state')
  writeFileSync(process.env['GITHUB_STATE'], '')
})
afterEach(() => {
  if (before === undefined) delete process.env['GITHUB_STATE']
  else process.env['GITHUB_STATE'] = before
  rmSync(temp, { recursive: true, force: true })
})

const captures = (count: number, filter = 'tcp'): StatedCapture[] =>
  Array.from({ length: count }, () => ({
    recorder: { record: recordFor({ captureId: newCaptureId('octo/shop'), plan: plan({ filter }), folder: temp }) },
    hints: ['a hint'],
  }))

/** The last saved state, as the post step reads it from its environment variable. */
function saved(): { text: string; pointer: StatePointer } {
  const text = readFileSync(join(temp, 'github-state'), 'utf8').trim().split('\n').at(-2) ?? ''
  const pointer = parsePointer(text)
  if (pointer === undefined) throw new Error('no state was saved')
  return { text, pointer }
}
const idOf = (capture: StatedCapture | undefined): string => capture?.recorder.record.captureId ?? ''

it('saves the state of 200 captures with long filters in one environment variable, and post reads every capture', async () => {
  const many = captures(200, 'tcp port 8080 or '.repeat(240))
  new StateKeeper(temp, many).enter('recording')
  const { text, pointer } = saved()
  expect(Buffer.byteLength(text)).toBeLessThan(100_000)
  const run = await loadRun(pointer)
  expect(run).toMatchObject({ phase: 'recording', problems: [] })
  expect(run.captures.map(({ record }) => record)).toEqual(many.map(({ recorder }) => recorder.record))
})

it('keeps the state small for any number of captures', async () => {
  new StateKeeper(temp, captures(1_010))
  const { text, pointer } = saved()
  expect(Buffer.byteLength(text)).toBeLessThan(maxVariableBytes)
  expect((await loadRun(pointer)).captures).toHaveLength(1_010)
})

it('makes the files readable only by the user of the runner', () => {
  const [capture] = captures(1)
  if (!capture) throw new Error()
  const state = new StateKeeper(temp, [capture])
  state.touching(capture.recorder.record)
  const { folder } = saved().pointer
  expect(statSync(folder).mode & 0o777).toBe(0o700)
  expect(statSync(statePath(folder, idOf(capture))).mode & 0o777).toBe(0o600)
})

it('saves a capture as touched before it enters the phase in which it may be on a node', async () => {
  const [one, two] = captures(2)
  if (!one || !two) throw new Error()
  const state = new StateKeeper(temp, [one, two])
  expect((await loadRun(saved().pointer)).captures.map(({ isTouched }) => isTouched)).toEqual([false, false])
  state.touching(two.recorder.record, 'a toolbox')
  const run = await loadRun(saved().pointer)
  expect(run.phase).toBe('starting')
  expect(run.captures.map(({ isTouched, leftover }) => [isTouched, leftover])).toEqual([
    [false, undefined],
    [true, 'a toolbox'],
  ])
})

it('removes the file of a capture without leftovers, so that post does not finish it', async () => {
  const [one, two] = captures(2)
  if (!one || !two) throw new Error()
  const state = new StateKeeper(temp, [one, two])
  state.forget(one.recorder.record)
  expect(state.captureCount).toBe(1)
  expect((await loadRun(saved().pointer)).captures.map(({ record }) => record.captureId)).toEqual([idOf(two)])
  state.forget(two.recorder.record)
  state.enter('done')
  expect(saved().pointer).toMatchObject({ phase: 'done', captureIds: [] })
  expect(readdirSync(temp)).toEqual(['github-state'])
})

it.each<[string, (path: string) => void]>([
  ['is missing', (path) => rmSync(path)],
  ['is truncated', (path) => writeFileSync(path, readFileSync(path, 'utf8').slice(0, 100))],
  ['has no record', (path) => writeFileSync(path, '{"hints":[]}')],
  ['is not an object', (path) => writeFileSync(path, 'null')],
])('reports a file that %s as a problem with a code, and reads the other captures', async (_what, damage) => {
  const [one, two] = captures(2)
  new StateKeeper(
    temp,
    [one, two].flatMap((capture) => capture ?? []),
  )
  const { pointer } = saved()
  damage(statePath(pointer.folder, idOf(one)))
  const { captures: read, problems } = await loadRun(pointer)
  expect(read.map(({ record }) => record.captureId)).toEqual([idOf(two)])
  expect(problems).toMatchObject([{ code: 'E_STATE_UNREADABLE', input: 'RUNNER_TEMP' }])
  expect(problems[0]?.problem).toContain(idOf(one))
})

it('returns undefined when the step saved no state, and rejects a damaged state', () => {
  expect(parsePointer('')).toBeUndefined()
  for (const text of ['{', 'null', '[]', '{"phase":"begun"}']) expect(() => parsePointer(text)).toThrow(Error)
})

const asRoot = process.getuid?.() === 0
it('reports a folder that is not writable as a problem of the runner', () => {
  const folder = join(temp, 'file')
  if (asRoot)
    writeFileSync(folder, '') // root can write to every folder, but a file is not a folder
  else chmodSync(temp, 0o500)
  let error: unknown
  try {
    new StateKeeper(folder, captures(1))
  } catch (reason) {
    error = reason
  }
  chmodSync(temp, 0o700)
  expect(error).toBeInstanceOf(ConfigurationError)
  expect((error as ConfigurationError).problems[0].code).toBe('E_RUNNER_DISK')
})

it('reports captures that main counted and that are nowhere, and rejects names that are no capture ids', async () => {
  const pointer = { phase: 'recording', folder: join(temp, 'none'), captureIds: [], captureCount: 5 } as const
  const { captures: found, problems } = await loadRun(parsePointer(JSON.stringify(pointer)) ?? pointer)
  expect(found).toEqual([])
  expect(problems).toMatchObject([{ code: 'E_STATE_UNREADABLE' }])
  for (const change of [{ captureIds: ['../../etc/passwd'] }, { captureCount: 'x' }, { captureIds: [7] }]) {
    expect(() => parsePointer(JSON.stringify({ ...pointer, ...change }))).toThrow(/damaged/)
  }
})
