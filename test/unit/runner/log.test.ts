import { plain } from '../../../src/runner/log.ts'
import { createMasks, createStepLog } from '../../runner/step-log.ts'

/** What the runner makes of text in the log. */
function read(text: string): { annotations: number; groups: string[]; lines: string[] } {
  const log = createStepLog(createMasks())
  for (const line of text.split(/\r?\n/)) log.line(line)
  return { annotations: log.annotations.length, groups: log.groups, lines: log.lines }
}

const hostile = [
  '::error::not ours',
  '  ::warning file=a::not ours',
  '\u00a0::group::not ours',
  'server said\n::error::not ours',
  'server said\r::error::not ours',
  'server said\r\n\t::error::not ours',
  'in the middle ##[error]not ours',
  '##[group]not ours',
  '##[##[error]x]y',
  '::stop-commands::x',
  '::add-mask::pod',
  '\u2028::error::not ours',
  '\u0085::error::not ours',
]

it.each(hostile)('the runner obeys nothing of %j', (text) => {
  const { annotations, groups, lines } = read(plain(text))
  expect(annotations).toBe(0)
  expect(groups).toEqual([])
  expect(lines).toHaveLength(text.split(/\r\n|\n/).length)
  expect(lines.join('\n')).not.toMatch(/##\[|^\s*::/m)
})

it('the same text without the escaper is obeyed, or this test would prove nothing', () => {
  expect(read('::error::not ours').annotations).toBe(1)
  expect(read('in the middle ##[error]not ours').annotations).toBe(1)
})

it('a terminal is told nothing: no escape sequence, no return, no turning of the text', () => {
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

it('leaves plain text and its lines as they are', () => {
  const text = 'pods "web-1" is forbidden: User "ünï" cannot get\n  resource "pods" in API group "" ✓ a::b C:\\x'
  expect(plain(text)).toBe(text)
  expect(plain('')).toBe('')
})
