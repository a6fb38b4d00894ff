import { info, debug, setSecret, warning } from '@actions/core'
import { plain } from '../../../src/common/remote-text.ts'
import { jobLog } from '../../../src/runner/log.ts'
import { withLibraryOutput } from '../../../src/runner/workflow-commands.ts'
import { createMasks, createStepLog, type StepLog } from '../../runner/step-log.ts'

/** What the process prints while `body` runs, as the runner reads it. */
async function logOf(body: () => Promise<void>): Promise<StepLog & { readonly raw: string }> {
  const original = process.stdout.write.bind(process.stdout)
  let raw = ''
  process.stdout.write = (chunk: Uint8Array | string) => {
    raw += String(chunk)
    return true
  }
  try {
    await body()
  } finally {
    process.stdout.write = original
  }
  const log = createStepLog(createMasks())
  for (const line of raw.split(/\r\n|\n|\r/)) log.line(line)
  return Object.assign(log, { raw })
}

const hostile = [
  'Uploading artifact: ##[error]x',
  '::error::x',
  'a\n::warning::x',
  'a\r::group::x',
  '\u200b::error::x',
  '##[set-output name=verdict;]complete',
  '::stop-commands::x',
  'a\n::add-mask::Artifact',
]

it.each(hostile)('prevents a command that a library prints as text: %j', async (text) => {
  const log = await logOf(() => withLibraryOutput(plain, () => Promise.resolve(info(text))))
  expect(log.annotations).toEqual([])
  expect(log.groups).toEqual([])
  expect(log.raw).toMatch(/^::stop-commands::[0-9a-f]{32}\n/)
  expect(log.raw.split('\n').slice(1, -2).join('\n')).not.toMatch(/##\[|^\s*::/m)
})

it('also prevents it where the text escapes the escaper', async () => {
  const log = await logOf(() =>
    withLibraryOutput(
      (text) => text,
      () => Promise.resolve(info('##[error]x')),
    ),
  )
  expect(log.annotations).toEqual([])
  expect(log.lines).toContain('##[error]x')
})

it('executes the masks of a library, and hides the secret in what follows', async () => {
  const log = await logOf(() =>
    withLibraryOutput(plain, () => {
      info('before')
      setSecret('s1gnature')
      info('the address has s1gnature')
      return Promise.resolve()
    }),
  )
  expect(log.lines).toContain('the address has ***')
  expect(log.lines.join('\n')).not.toContain('s1gnature')
})

it('executes the commands of this action meanwhile and afterwards', async () => {
  const log = await logOf(async () => {
    await withLibraryOutput(plain, () => {
      info('a line')
      jobLog.warning('meanwhile')
      info('##[error]x')
      return Promise.resolve()
    })
    jobLog.warning('afterwards')
  })
  expect(log.annotations.map(({ message }) => message)).toEqual(['meanwhile', 'afterwards'])
})

it('prints nothing of its own for a library that only masks', async () => {
  const log = await logOf(() => withLibraryOutput(plain, () => Promise.resolve(setSecret('t0ken'))))
  expect(log.raw.trimEnd()).toBe('::add-mask::t0ken')
})

it('shows debug messages only where the debug log is on, and a warning as a line', async () => {
  const print = (): Promise<StepLog> =>
    logOf(() =>
      withLibraryOutput(plain, () => {
        debug('detail')
        warning('retention is shorter')
        return Promise.resolve()
      }),
    )
  expect((await print()).lines).not.toContain('debug: detail')
  process.env['RUNNER_DEBUG'] = '1'
  try {
    expect((await print()).lines).toEqual(expect.arrayContaining(['debug: detail', 'warning: retention is shorter']))
  } finally {
    delete process.env['RUNNER_DEBUG']
  }
})

it('resumes commands where the library fails, and once for calls at the same time', async () => {
  const log = await logOf(async () => {
    const first = withLibraryOutput(plain, async () => {
      info('first')
      await Promise.resolve()
      throw new Error('failed')
    })
    const second = withLibraryOutput(plain, async () => {
      info('second')
      await new Promise((resolve) => setTimeout(resolve, 5))
      info('##[error]x')
    })
    await expect(first).rejects.toThrow('failed')
    await second
    jobLog.warning('afterwards')
  })
  expect(log.annotations.map(({ message }) => message)).toEqual(['afterwards'])
  expect(log.raw.match(/stop-commands/g)).toHaveLength(1)
})

it('leaves stdout as it was', async () => {
  // eslint-disable-next-line @typescript-eslint/unbound-method -- compared, not called
  const before = process.stdout.write
  await withLibraryOutput(plain, () => Promise.resolve())
  expect(process.stdout.write === before).toBe(true)
})

it('escapes what a library prints to stderr, which the runner reads, too', async () => {
  const original = process.stderr.write.bind(process.stderr)
  let raw = ''
  process.stderr.write = (chunk: Uint8Array | string) => {
    raw += String(chunk)
    return true
  }
  try {
    await logOf(() =>
      withLibraryOutput(plain, () => {
        process.stderr.write('x ##[error]y\n::error::z\n')
        return Promise.resolve()
      }),
    )
  } finally {
    process.stderr.write = original
  }
  expect(raw).toBe('x ## [error]y\n: :error::z\n')
})
