import {
  controlCharacters,
  replaceControlCharacters,
  sanitizeRemoteText,
  toOneLine,
} from '../../../src/common/remote-text.ts'

const hostile = 'a\u0000b\u001bc\u0085d\u2028e\u202ef\u2066g'

it('returns text in one line without line breaks, control characters and repeated spaces', () => {
  expect(toOneLine("denied:\r\n  kubectl x <<'EOF'\u2028EOF\n")).toBe("denied: kubectl x <<'EOF' EOF")
  expect(toOneLine(hostile)).toBe('a b c d e f g')
  expect(toOneLine('abcdef', 3)).toBe('abc')
})

it('keeps the line feeds of text without control characters', () => {
  expect(replaceControlCharacters(`x\ny\r${hostile}`)).toBe('x\ny a b c d e f g')
})

it('truncates remote text, and replaces each control character with a space', () => {
  expect(sanitizeRemoteText(`${hostile}\n`, 100)).toBe('a b c d e f g ')
  expect(sanitizeRemoteText('x😀', 2).isWellFormed()).toBe(true)
  expect(sanitizeRemoteText('abc', 2)).toBe('ab')
  expect('plain text'.match(controlCharacters)).toBeNull()
})
