import { describe, expect, it } from '@jest/globals'
import { mermaidText } from '../../../src/report/mermaid.ts'

describe('text in a Mermaid diagram', () => {
  it.each([
    ['GET /a/b.html?x=1 (12 ms)', 'GET /a/b.html?x=1 (12 ms)'],
    ['a\nparticipant X', 'a participant X'],
    ['a;b', 'a#59;b'],
    ['#35;', '#35;35#59;'],
    ['%%{init: {}}%%', '#37;#37;#123;init: #123;#125;#125;#37;#37;'],
    ['<img src=x>', '#60;img src=x#62;'],
    ['C-->>S: x', 'C#45;#45;#62;#62;S: x'],
    ['$$x$$', '#36;#36;x#36;#36;'],
    ['wrap:x', 'wrap#58;x'],
    ['"`', '#34;#96;'],
    ['', '-'],
    ['\u0000\u202e', '-'],
    ['\ud83d\ude00', '#128512;'],
  ])('%j is %j', (value, expected) => {
    expect(mermaidText(value, 60)).toBe(expected)
  })

  it('is cut to its length before it is escaped', () => {
    expect(mermaidText('ä'.repeat(100), 10)).toBe('#228;'.repeat(9) + '#8230;')
  })
})
