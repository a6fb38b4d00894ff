import { renderProblem } from '../../../src/common/errors.ts'
import { plain } from '../../../src/common/remote-text.ts'
import { jobLog } from '../../../src/runner/log.ts'
import { createMasks, createStepLog } from '../../runner/step-log.ts'

/** Parses the log as the runner does. */
function read(text: string): { annotations: number; groups: string[]; lines: string[] } {
  const log = createStepLog(createMasks())
  for (const line of text.split(/\r?\n/)) log.line(line)
  return { annotations: log.annotations.length, groups: log.groups, lines: log.lines }
}

const hostile = [
  '::error::injected',
  '  ::warning file=a::injected',
  '\u00a0::group::injected',
  'server said\n::error::injected',
  'server said\r::error::injected',
  'server said\r\n\t::error::injected',
  'in the middle ##[error]injected',
  '##[group]injected',
  '##[##[error]x]y',
  '::stop-commands::x',
  '::add-mask::pod',
  '\u2028::error::injected',
  '\u0085::error::injected',
]

it.each(hostile)('prevents a workflow command in %j', (text) => {
  const { annotations, groups, lines } = read(plain(text))
  expect(annotations).toBe(0)
  expect(groups).toEqual([])
  expect(lines).toHaveLength(text.split(/\r\n|\n/).length)
  expect(lines.join('\n')).not.toMatch(/##\[|^\s*::/m)
})

it('the runner executes the commands in the same texts when they are not escaped', () => {
  expect(read('::error::injected').annotations).toBe(1)
  expect(read('in the middle ##[error]injected').annotations).toBe(1)
})

it('removes escape sequences, carriage returns and direction marks', () => {
  for (const text of [
    '\u001b[2J\u001b[31mred',
    'a\rb',
    '\u0007',
    '\u009b31m',
    '\u202egnp.exe',
    '\u2066x\u2069',
    'a\u0000b',
    '\u007f',
  ]) {
    expect(plain(text)).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/)
  }
})

it('does not change plain text and its line breaks', () => {
  const text = 'pods "web-1" is forbidden: User "ünï" cannot get\n  resource "pods" in API group "" ✓ a::b C:\\x'
  expect(plain(text)).toBe(text)
  expect(plain('')).toBe('')
})

describe('a text that is one line of the log', () => {
  const printed = (print: () => void): string => {
    const original = process.stdout.write.bind(process.stdout)
    let raw = ''
    process.stdout.write = (chunk: string) => {
      raw += chunk
      return true
    }
    try {
      print()
    } finally {
      process.stdout.write = original
    }
    return raw
  }

  it.each(['a\nb', 'a\r\nb', 'a\rb', 'a\n\n::error::b', 'a\u2028b'])('stays one line: %j', (text) => {
    expect(
      printed(() => jobLog.info(text))
        .trimEnd()
        .split(/[\r\n\u2028]/),
    ).toHaveLength(1)
    expect(printed(() => jobLog.warning(text))).not.toMatch(/%0A|%0D/)
  })
})

it.each([
  ['blanks', `a${' '.repeat(1_000_000)}b`],
  ['line feeds', '\n'.repeat(1_000_000)],
  ['blanks and line feeds', ' \n'.repeat(500_000)],
])('takes time in proportion to a text of %s, so that no server can hold the process', (_what, text) => {
  const began = performance.now()
  plain(text)
  renderProblem({ code: 'E_INTERNAL', input: 'pod', problem: text, fix: text })
  expect(performance.now() - began).toBeLessThan(5_000) // with a pattern of white space: minutes
})
