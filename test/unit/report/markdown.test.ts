import { code, codeBlock, link, table, text } from '../../../src/report/markdown.ts'
import { decodeCharacterReferences } from '../../support/character-references.ts'

const hostile = [
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '</code></td></table><h1>injected</h1>',
  '<!-- a comment that eats the rest',
  '</details>',
  '![image](https://evil.example/x.png)',
  '[Click](https://evil.example)',
  '[x]: https://evil.example',
  'https://evil.example/path',
  'HTTP://evil.example',
  'www.evil.example',
  'someone@evil.example',
  '@octocat and #17',
  '`code` and ```fence',
  '**bold** __bold__ ~~gone~~ $math$',
  '| a | new | cell |',
  'a\n\n## heading\n\n- item',
  'a\r\nb\u2028c\u2029d\u0085e',
  '\\| \\` \\<',
  '&lt;b&gt; &#60;b&#62;',
  '{{ template }} ${{ secrets.TOKEN }}',
  '\u202egnp.exe \u2066x\u2069',
  '\u0000\u001b[31m',
]

describe.each(hostile)('%j', (value) => {
  it('contains no character that HTML or Markdown interprets', () => {
    const escaped = text(value)
    expect(escaped.replace(/&#\d+;/g, '')).not.toMatch(/[<>"'`|\\*_~[\](){}!@$#&]|:\/\/|www\./i)
    expect(escaped).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/)
  })

  it('looks the same in a browser', () => {
    const seen = value.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g, ' ')
    expect(decodeCharacterReferences(text(value))).toBe(seen)
  })
})

it('does not change plain text', () => {
  const plain = 'pod web-1 in shop: 12,345 packets; ünï ✓ 10.0.0.1:8080 = 100 %'
  expect(text(plain)).toBe(plain)
  expect(text('')).toBe('')
})

it('truncates long text, because a summary has a size limit', () => {
  expect(text('x'.repeat(100_000)).length).toBeLessThan(10_000)
})

it('escapes the parts of code and tables', () => {
  expect(code('a|b')).toBe('<code>a&#124;b</code>')
  expect(table([['One', code('|')]])).toBe('| | |\n|---|---|\n| One | <code>&#124;</code> |')
})

it.each(['```', '````\n<img src=x>', '`````sh', '~~~'])(
  'ends a code block that contains %j at the fence of the block',
  (inner) => {
    const content = `rules:\n${inner}\n  - a`
    const [, fence = '', inside] = /^(`{3,})sh\n([^]*?)\n\1$/m.exec(codeBlock(content, 'sh')) ?? []
    expect(inside).toBe(content)
    for (const [run] of content.matchAll(/`+/g)) expect(run.length).toBeLessThan(fence.length)
  },
)

it('links only to https, and escapes the address of a link', () => {
  expect(link('a]b', 'https://x.example/a (b)')).toBe('[a&#93;b](https://x.example/a%20%28b%29)')
  expect(link('a', 'docs/access.md')).toBe('<code>docs/access.md</code>')
  expect(link('a', 'javascript:alert(1)')).not.toContain('](')
})
