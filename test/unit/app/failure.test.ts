import { jest } from '@jest/globals'
import { mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deliver, type Delivery } from '../../../src/app/deliver.ts'
import { reportFailure, setErrorCode } from '../../../src/app/failure.ts'
import { Cancelled, ConfigurationError } from '../../../src/common/errors.ts'
import type { Severity } from '../../../src/inputs/delivery.ts'
import type { CaptureReport } from '../../../src/report/report.ts'
import { readJob } from '../../../src/runner/job.ts'
import type { Log } from '../../../src/runner/log.ts'
import { report } from '../report/reports.ts'

let temp: string
const variables = ['GITHUB_OUTPUT', 'GITHUB_STEP_SUMMARY'] as const
const before = variables.map((name) => [name, process.env[name]] as const)
let logged: Record<'info' | 'warning' | 'failure', string[]>
const log: Log = {
  info: (line) => logged.info.push(line),
  notice: (text) => logged.info.push(text),
  warning: (text) => logged.warning.push(text),
  failure: (text) => logged.failure.push(text),
  group: (_title, body) => body(),
}
// One folder for all tests: the toolkit keeps the path of the summary.
beforeAll(() => {
  temp = mkdtempSync(join(tmpdir(), 'failure-'))
  for (const name of variables) process.env[name] = join(temp, name)
})
beforeEach(() => {
  for (const name of variables) writeFileSync(join(temp, name), '')
  logged = { info: [], warning: [], failure: [] }
})
afterEach(() => jest.restoreAllMocks())
afterAll(() => {
  for (const [name, value] of before) {
    if (value === undefined) delete process.env[name]
    else process.env[name] = value
  }
  rmSync(temp, { recursive: true })
})
const summary = (): string => readFileSync(join(temp, 'GITHUB_STEP_SUMMARY'), 'utf8')
const output = (): string => readFileSync(join(temp, 'GITHUB_OUTPUT'), 'utf8')

const invalid = new ConfigurationError(
  [
    { code: 'E_INPUT_INVALID', input: 'pod', problem: '"A" is not valid', fix: 'Use a name.' },
    { code: 'E_INPUT_CONFLICT', input: 'token', problem: 'both are set', fix: 'Set one of them.' },
  ],
  { stage: 'inputs', leftovers: [] },
)

describe('a failure of the run', () => {
  it('is reported as one annotation with every problem, a summary, and the code of the first problem', async () => {
    await expect(reportFailure(invalid, log)).resolves.toBe('E_INPUT_INVALID')
    expect(logged).toMatchObject({ warning: [], failure: [invalid.message] })
    expect(logged.info).toEqual([
      'Error code: E_INPUT_INVALID. See docs/troubleshooting.md#e_input_invalid',
      'Error code: E_INPUT_CONFLICT. See docs/troubleshooting.md#e_input_conflict',
    ])
    expect(summary()).toMatch(/^## ❌ Not ready to capture\n\n2 inputs are invalid\. No resources were created\.\n/)
    expect(summary()).toContain('\n- **token**: both are set. Set one of them.')
  })

  it('has the code E_INTERNAL and shows its stack when the error is unexpected', async () => {
    await expect(reportFailure(new TypeError('x is undefined'), log)).resolves.toBe('E_INTERNAL')
    expect(logged.failure).toEqual(['x is undefined'])
    expect(logged.info.join('\n')).toContain('TypeError: x is undefined\n')
    expect(summary()).toContain('x is undefined')
  })

  it('has no code and no summary when the run was cancelled', async () => {
    await expect(reportFailure(new Cancelled('The run was cancelled.'), log)).resolves.toBeUndefined()
    expect(logged).toEqual({ info: ['The run was cancelled.'], warning: [], failure: [] })
    expect(summary()).toBe('')
  })

  it('is reported in the log when the summary cannot be written', async () => {
    rmSync(join(temp, 'GITHUB_STEP_SUMMARY'))
    mkdirSync(join(temp, 'GITHUB_STEP_SUMMARY'))
    await expect(reportFailure(invalid, log)).resolves.toBe('E_INPUT_INVALID')
    expect(logged.failure).toEqual([invalid.message])
    expect(logged.warning).toEqual([expect.stringMatching(/^The summary cannot be written: /)])
    rmdirSync(join(temp, 'GITHUB_STEP_SUMMARY'))
  })
})

it('sets the output error-code to the code, and to an empty text when the run succeeded', () => {
  setErrorCode('E_INTERNAL', log)
  setErrorCode(undefined, log)
  expect(output()).toMatch(/^error-code<<(\S+)\nE_INTERNAL\n\1\nerror-code<<(\S+)\n\n\2\n$/)
})

describe('the code of a delivered run', () => {
  const codeOf = async (changes: Partial<CaptureReport>, ifIncomplete: Severity, ifEmpty: Severity) => {
    const delivery: Delivery = {
      ...{ job: readJob({}), log, upload: 'artifact', retentionDays: undefined, isPost: false },
      ...{ ifIncomplete, ifEmpty, ifFinding: 'ignore', summary: 'full' },
    }
    const one = report({ artifact: undefined, ...changes })
    return (await deliver({ reports: [one] }, delivery))?.errorCode
  }

  it('is E_CAPTURE_INCOMPLETE when no byte of the capture arrived', async () => {
    const lost = { verdict: 'partial', pcapPath: undefined, packets: 0, bytes: 0 } as const
    await expect(codeOf(lost, 'warn', 'warn')).resolves.toBe('E_CAPTURE_INCOMPLETE')
    expect(logged.failure).toEqual([
      'The capture of pod checkout-7d9f-x2 in shop was not uploaded: ' +
        'pod: no bytes of the capture arrived, so there is nothing to upload. The verdict has the reason.',
    ])
    expect(summary()).toContain('is incomplete\n')
  })

  it('is the code of the upload when the upload failed, unless the verdict fails the step', async () => {
    jest.spyOn(process.stdout, 'write').mockReturnValue(true) // the artifact client logs by itself
    const file = { pcapPath: join(temp, 'missing.pcap') }
    await expect(codeOf(file, 'error', 'error')).resolves.toBe('E_ARTIFACT_UPLOAD')
    await expect(codeOf({ ...file, verdict: 'partial' }, 'error', 'warn')).resolves.toBe('E_CAPTURE_INCOMPLETE')
    await expect(codeOf({ ...file, verdict: 'empty' }, 'warn', 'error')).resolves.toBe('E_CAPTURE_EMPTY')
    expect(logged.failure.join('\n')).toMatch(
      /^if-incomplete: the capture of pod .* is partial: .*\. Set `if-incomplete: warn`/m,
    )
    expect(summary()).toContain('- **if-empty**: the capture of pod checkout-7d9f-x2 in shop is empty')
    expect(logged.failure.join('\n')).toContain(`The file stays on the runner: ${file.pcapPath}`)
  })
})
