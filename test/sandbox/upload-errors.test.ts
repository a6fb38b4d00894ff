import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { command } from '../support/command.ts'
import { startResults, type ResultsFaults } from './results/start.ts'

/** What the real @actions/artifact throws for each answer, as the action explains it: the status, the words, and whether another try may succeed. */

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'upload-errors-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

interface Failure {
  isTransient: boolean
  retryAfterMs: number
  problem: string
}

async function failureOf(faults: ResultsFaults): Promise<Failure> {
  const store = mkdtempSync(join(folder, 'store-'))
  const results = await startResults({ directory: store })
  try {
    Object.assign(results.faults, faults)
    const path = join(store, 'web.pcap')
    writeFileSync(path, 'packets')
    const script = join(import.meta.dirname, 'results/upload-raw.ts')
    const env = { PATH: process.env['PATH'] ?? '', ...results.env() }
    const output = await command(process.execPath, [script, path, 'web.pcap'], { env, timeout: 60_000 })
    return JSON.parse(/^failed (.*)$/m.exec(output)?.[1] ?? 'null') as Failure
  } finally {
    await results.stop()
  }
}

const page = '<html><head><title>Oops</title></head><body>The <b>proxy</b> is busy</body></html>'
const busy = 'the blob store did not accept the data: '

it.concurrent.each<[string, ResultsFaults, RegExp, Partial<Failure>]>([
  ['408', { blob: { status: 408, times: 9 } }, /: 408 Request Timeout\. Run/, { isTransient: true }],
  ['429', { blob: { status: 429, times: 9, retryAfter: 7 } }, /: 429 Too Many Requests\. Run/, { isTransient: true }],
  ['502', { blob: { status: 502, times: 9, body: page } }, /: 502 Bad Gateway: Oops The proxy is busy\. Run/, {}],
  ['504', { blob: { status: 504, times: 9 } }, /: 504 Gateway Timeout\. Run/, { isTransient: true }],
  ['413', { blob: { status: 413, times: 9 } }, /: 413 Payload Too Large\. Run/, { isTransient: false }],
])(
  'the blob store answers %s',
  async (_status, faults, words, expected) => {
    const failure = await failureOf(faults)
    expect(failure.problem).toContain(`artifact-name: ${busy}`)
    expect(failure.problem).toMatch(words)
    expect(failure).toMatchObject({ isTransient: true, ...expected })
  },
  60_000,
)

it.concurrent(
  'the blob store resets every connection',
  async () => {
    const { isTransient, problem } = await failureOf({ blob: 'reset' })
    expect(problem).toMatch(/ECONNRESET|EPIPE|socket hang up/)
    expect(isTransient).toBe(true)
  },
  60_000,
)

it.concurrent.each<[string, ResultsFaults, RegExp]>([
  ['a name that exists', { create: 'conflict' }, /exists in this run already/],
  ['a full storage', { create: 'quota' }, /the artifact storage of the account is full/],
  ['a rejected token', { create: 'unauthorized' }, /rejects the token of the job/],
  [
    'a rejected address',
    { blob: 'forbidden' },
    /the blob store rejected the data \(403\): 403 Forbidden: Server failed to/,
  ],
])(
  '%s is the same at each try',
  async (_title, faults, words) => {
    const { isTransient, problem } = await failureOf(faults)
    expect(problem).toMatch(words)
    expect(isTransient).toBe(false)
  },
  60_000,
)
