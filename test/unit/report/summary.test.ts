import type { CaptureReport } from '../../../src/report/report.ts'
import { summaryMarkdown } from '../../../src/report/summary.ts'
import { report } from './reports.ts'

const summary = (changes: Partial<CaptureReport> = {}, notes: string[] = []): string =>
  summaryMarkdown([report(changes)], { artifactLink: (id) => `./7/artifacts/${String(id)}`, notes })

const row = (markdown: string, name: string): string | undefined =>
  markdown.split('\n').find((line) => line.startsWith(`| ${name} |`))

it('begins with the sentence that a person reads first', () => {
  expect(summary()).toMatch(/^## ✅ 12,345 packets of pod checkout-7d9f-x2, complete\n/)
  expect(summary({ packets: 1 })).toMatch(/^## ✅ 1 packet of pod/)
  expect(summary({ verdict: 'partial' })).toMatch(/^## ⚠️ 12,345 packets of pod .*, partial\n/)
  expect(summary({ verdict: 'empty', packets: 0 })).toMatch(/^## ⚪ No packet of pod .* matched\n/)
})

it('says what, where, when, how long, how much, and why it is trusted', () => {
  const markdown = summary()
  expect(row(markdown, 'Target')).toMatch(/checkout-7d9f-x2.*shop.*node-1/)
  expect(row(markdown, 'Recorded')).toContain('from 2026-11-22 03:04:05 UTC for 61.2 s')
  expect(row(markdown, 'Interface')).toContain('any')
  expect(row(markdown, 'Filter')).toContain('tcp port 8080')
  expect(row(markdown, 'Packets')).toContain('12,345 (1.50 MB)')
  expect(row(markdown, 'Dropped by kernel')).toBe('| Dropped by kernel | 0 |')
  expect(row(markdown, 'Stopped by')).toContain('duration')
  expect(row(markdown, 'Verdict')).toContain('**complete**: all 1500000 bytes arrived')
  expect(row(markdown, 'SHA-256')).toContain('abab')
  expect(row(markdown, 'Image')).toMatch(/registry\.example\/tools:1.*sha256:111/)
  expect(row(markdown, 'Left behind')).toContain('packet-capture-0a1b2c-3d4e5f60')
  expect(row(markdown, 'Connections')).toBeUndefined()
})

it('links the artifact relative to the run, never by its whole address', () => {
  expect(summary()).toMatch(/\[capture-x\.pcap\]\(\.\/7\/artifacts\/42\)/)
  expect(summary()).not.toContain('git.example')
})

it('says what is known only in part', () => {
  expect(row(summary({ filter: '' }), 'Filter')).toBe('| Filter | none |')
  expect(row(summary({ began: undefined }), 'Recorded')).toContain('unknown')
  expect(row(summary({ recordedSeconds: undefined }), 'Recorded')).toContain('until it broke off')
  expect(row(summary({ pausedSeconds: 4 }), 'Recorded')).toContain('paused 4.0 s')
  expect(row(summary({ dropped: undefined }), 'Dropped by kernel')).toContain('unknown')
  expect(row(summary({ dropped: 1234 }), 'Dropped by kernel')).toBe('| Dropped by kernel | at most 1,234 |')
  expect(row(summary({ dropped: 3, droppedIsUpperBound: false }), 'Dropped by kernel')).toBe(
    '| Dropped by kernel | 3 |',
  )
  expect(row(summary({ resumed: 2 }), 'Connections')).toContain('2 times')
  expect(row(summary({ imageId: '' }), 'Image')).not.toContain(' as ')
})

it.each(['duration', 'size', 'packets', 'cancelled', 'target-gone', 'error'])(
  'knows the stop reason %s in words',
  (stopReason) => {
    expect(row(summary({ stopReason }), 'Stopped by')).toMatch(/\| [a-z][a-z -]+/)
  },
)

it('says that the upload failed, why, and where the file is', () => {
  const markdown = summary({ artifact: undefined, uploadError: 'the service says 409' })
  expect(markdown).toContain('**Not uploaded:** the service says 409. The file is on the runner: <code>/runner')
  expect(summary({ artifact: undefined, uploadError: 'nothing arrived', pcapPath: undefined })).toContain(
    '**Not uploaded:** nothing arrived\n',
  )
})

it('says how to open the file, and which number is which interface', () => {
  const markdown = summary()
  expect(markdown).toContain('<details><summary>How to open it</summary>')
  expect(markdown).toContain('tcpdump -n -r capture-x.pcap')
  expect(markdown).toContain('1 lo, 2 eth0')
  expect(markdown.match(/<details>/g)).toHaveLength(1)
  expect(markdown.match(/<\/details>/g)).toHaveLength(1)
  expect(summary({ packets: 0, verdict: 'empty' })).not.toContain('How to open it')
})

it('shows hints and notes', () => {
  expect(summary({ hints: ['use `x`'] }, ['by post'])).toMatch(
    /> \[!TIP\]\n> use &#96;x&#96;\n\n> \[!NOTE\]\n> by post/,
  )
})

it('shows several captures one after the other', () => {
  const both = summaryMarkdown([report(), report({ pod: 'second' })], { artifactLink: () => './x', notes: [] })
  expect(both.match(/^## /gm)).toHaveLength(2)
  expect(both).toContain('pod second, complete')
})

describe('foreign text in any field', () => {
  const evil = '</code></td><img src=x>|\n## [x](https://evil.example) `'
  const fields: (keyof CaptureReport)[] = [
    ...(['namespace', 'pod', 'node', 'container', 'image', 'imageId', 'interface', 'filter'] as const),
    ...(['verdictReason', 'stopReason', 'sha256', 'pcapPath'] as const),
  ]
  it.each(fields)('%s stays text', (field) => {
    const clean = summary()
    const markdown = summary({ [field]: evil })
    expect(markdown).not.toContain('<img')
    expect(markdown).not.toContain('https://evil')
    expect(markdown.match(/^## /gm)).toHaveLength(1)
    expect(markdown.split('\n').length).toBe(clean.split('\n').length)
    expect(markdown.match(/(?<!\\)\|/g)?.length).toBe(clean.match(/(?<!\\)\|/g)?.length)
  })

  it('also in lists: interfaces, hints, notes, the artifact and the error of the upload', () => {
    const artifact = { id: 1, name: evil, url: evil, digest: evil }
    const markdown = summary({ interfaces: [{ index: 1, name: evil }], hints: [evil], artifact }, [evil])
    const failed = summary({ artifact: undefined, uploadError: evil })
    for (const one of [markdown, failed]) {
      expect(one).not.toContain('<img')
      expect(one).not.toContain('https://evil')
      expect(one.match(/^## /gm)).toHaveLength(1)
    }
  })
})
