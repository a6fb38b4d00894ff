import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const source = join(import.meta.dirname, '../../../src')
const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
const filesWith = (pattern: RegExp): readonly string[] =>
  files.filter((file) => pattern.test(readFileSync(join(source, file), 'utf8'))).sort()

it('only the log and the workflow commands print, so that every line passes through one escaper', () => {
  expect(filesWith(/console\.|\bstdout\.write|\bstderr\.write|writeSync\(\s*[12]\b/)).toEqual([
    'app/analyze-command.ts', // JSON on a terminal, outside of a job
    'runner/log.ts',
    'runner/workflow-commands.ts',
  ])
  expect(filesWith(/\bissueCommand\(/)).toEqual([
    ...['runner/log.ts', 'runner/mask-secret.ts', 'runner/workflow-commands.ts'],
  ])
})

it('a library of GitHub, which prints, is called in a bracket that stops commands', () => {
  for (const file of filesWith(/import\('@actions\//)) {
    expect(readFileSync(join(source, file), 'utf8')).toContain('withLibraryOutput(plain, ')
  }
  expect(filesWith(/from '@actions\//)).toEqual([])
})
