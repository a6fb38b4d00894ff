import { code, table, text } from '../../../src/report/markdown.ts'

const hostile = [
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '</code></td></table><h1>ours now</h1>',
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

/** What a browser shows for the entities that `text` makes. */
const shown = (markdown: string): string =>
  markdown.replace(/&#(\d+);/g, (_whole, number: string) => String.fromCharCode(Number(number)))

describe.each(hostile)('%j', (value) => {
  it('has nothing left that HTML or Markdown obeys', () => {
    const escaped = text(value)
    expect(escaped.replace(/&#\d+;/g, '')).not.toMatch(/[<>"'`|\\*_~[\](){}!@$#&]|:\/\/|www\./i)
    expect(escaped).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/)
  })

  it('still reads the same', () => {
    const seen = value.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g, ' ')
    expect(shown(text(value))).toBe(seen)
  })
})

it('leaves plain words alone', () => {
  const plain = 'pod web-1 in shop: 12,345 packets; ünï ✓ 10.0.0.1:8080 = 100 %'
  expect(text(plain)).toBe(plain)
  expect(text('')).toBe('')
})

it('bounds what it takes: a summary has a limit', () => {
  expect(text('x'.repeat(100_000)).length).toBeLessThan(10_000)
})

it('code and tables are made of escaped parts', () => {
  expect(code('a|b')).toBe('<code>a&#124;b</code>')
  expect(table([['One', code('|')]])).toBe('| | |\n|---|---|\n| One | <code>&#124;</code> |')
})
