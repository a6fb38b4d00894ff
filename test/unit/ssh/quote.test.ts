import { SshError } from '../../../src/ssh/errors.ts'
import { quoteForShell } from '../../../src/ssh/quote.ts'

describe('quoteForShell', () => {
  it('quotes every argument that a shell would expand or split', () => {
    expect(quoteForShell(['tcpdump', '-i', 'any', '--', 'host 10.0.0.1'])).toBe("tcpdump -i any -- 'host 10.0.0.1'")
    expect(quoteForShell(["it's", '', '$(x)', '~', 'a\nb'])).toBe(`'it'\\''s' '' '$(x)' '~' 'a\nb'`)
  })

  it('rejects an argument with a NUL byte', () => {
    expect(() => quoteForShell(['a\0b'])).toThrow(SshError)
  })
})
