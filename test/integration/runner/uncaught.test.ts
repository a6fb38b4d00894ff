import { spawnSync } from 'node:child_process'
import { pathToFileURL } from 'node:url'
import { join } from 'node:path'

const source = (path: string): string => pathToFileURL(join(import.meta.dirname, '../../../src', path)).href

/** A process that ends with an error that nothing catches. */
function end(statement: string): { readonly code: number | null; readonly output: string } {
  const program = `
    import { exitOnUncaught } from '${source('runner/exit.ts')}'
    import { jobLog } from '${source('runner/log.ts')}'
    exitOnUncaught((error) => jobLog.failure(error.message), 1)
    setTimeout(() => console.log('still here'), 2000)
    ${statement}`
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
    env: { ...process.env, NODE_NO_WARNINGS: '1' },
  })
  return { code: status, output: stdout + stderr }
}

it.each([
  ['an error that is thrown later', "setTimeout(() => { throw new Error('a ##[error]b\\n::warning::c') }, 1)"],
  ['a rejection', "void Promise.reject(new Error('a ##[error]b\\n::warning::c'))"],
  [
    'an event without a listener',
    "process.nextTick(() => process.stdin.emit('error', new Error('a ##[error]b\\n::warning::c')))",
  ],
])('%s that nothing catches ends the process with code 1, and its message is escaped', (_what, statement) => {
  const { code, output } = end(statement)
  expect(code).toBe(1)
  expect(output).toBe('::error::a ## [error]b%0A: :warning::c\n')
})
