import type { Problem } from '../../../src/common/errors.ts'
import type { CaptureReport } from '../../../src/report/report.ts'
import { summaryMarkdown } from '../../../src/report/summary.ts'
import { createMasks } from '../../runner/step-log.ts'
import { report } from './reports.ts'

const summary = (changes: Partial<CaptureReport> = {}, notes: string[] = []): string =>
  summaryMarkdown([report(changes)], { notes, detail: 'full' })

const row = (markdown: string, name: string): string | undefined =>
  markdown
    .replaceAll('<wbr>', '')
    .split('\n')
    .find((line) => line.startsWith(`| ${name} |`))

it('begins with a sentence that states the result', () => {
  expect(summary()).toMatch(/^## ✅ 12,345 packets of pod checkout-7d9f-x2, complete\n/)
  expect(summary({ packets: 1 })).toMatch(/^## ✅ 1 packet of pod/)
  expect(summary({ verdict: 'partial' })).toMatch(
    /^## ⚠️ The capture of pod .* is incomplete\n\nall 1500000 bytes arrived\. .*\n\n## ⚠️ 12,345 packets of pod .*, partial\n/,
  )
  expect(summary({ verdict: 'empty', packets: 0 })).toMatch(/^## ⚪ No packet of pod .* matched\n/)
})

it('has target, times, filter, counts, verdict, hash, image and leftovers', () => {
  const markdown = summary()
  expect(row(markdown, 'Target')).toMatch(/checkout-7d9f-x2.*shop.*node-1/)
  expect(row(markdown, 'Recorded')).toContain('from 2026-11-22 03:04:05 UTC for 61.2 s')
  expect(row(markdown, 'Interface')).toContain('any')
  expect(row(markdown, 'Filter')).toContain('tcp port 8080')
  expect(row(markdown, 'Packets')).toContain('12,345 (1.50 MB)')
  expect(row(markdown, 'Dropped by kernel')).toBe('| Dropped by kernel | 0 |')
  expect(row(markdown, 'Stopped')).toBe('| Stopped | duration reached &#40;60 s&#41; |')
  expect(row(markdown, 'Verdict')).toContain('**complete**: all 1500000 bytes arrived')
  expect(row(markdown, 'SHA-256')).toContain('abab')
  expect(row(markdown, 'Image')).toMatch(/registry\.example\/tools:1.*sha256:111/)
  expect(row(markdown, 'Not removed')).toContain('packet-capture-0a1b2c-3d4e5f60')
  expect(row(markdown, 'Connection')).toBeUndefined()
})

describe('the link to the artifact', () => {
  const run = 'https://git.example/octocat/shop/actions/runs/7'

  /** As Markdown decodes it. */
  const addressIn = (markdown: string): string =>
    /\]\((.*)\)\*\* · /
      .exec(markdown)?.[1]
      ?.replace(/&#(\d+);/g, (_whole, point: string) => String.fromCodePoint(Number(point))) ?? 'no link'

  it.each([
    ['the run', run],
    ['an attempt', `${run}/attempts/2`],
  ])('leads to the artifact from the page of %s', (_title, page) => {
    expect(new URL(addressIn(summary()), page).href).toBe(`${run}/artifacts/42`)
  })

  it.each(['octocat', 'shop', 'git.example', 'octocat/shop', 's'])(
    'still leads there where the runner masks the secret %s in the summary',
    (secret) => {
      const masks = createMasks()
      masks.add(secret)
      expect(addressIn(masks.apply(summary()))).toBe(`${run}/artifacts/42`)
    },
  )
})

it('marks values that are only partly known', () => {
  expect(row(summary({ filter: undefined }), 'Filter')).toBe('| Filter | none |')
  expect(row(summary({ began: undefined }), 'Recorded')).toContain('unknown')
  expect(row(summary({ recordedSeconds: undefined }), 'Recorded')).toContain('until the recorder was lost')
  expect(row(summary({ pausedSeconds: 4 }), 'Recorded')).toContain('paused 4.0 s')
  expect(row(summary({ dropped: undefined }), 'Dropped by kernel')).toContain('unknown')
  expect(row(summary({ dropped: 1234 }), 'Dropped by kernel')).toBe('| Dropped by kernel | at most 1,234 |')
  expect(row(summary({ dropped: 3, droppedIsUpperBound: false }), 'Dropped by kernel')).toBe(
    '| Dropped by kernel | 3 |',
  )
  expect(row(summary({ resumed: 1 }), 'Connection')).toBe('| Connection | reconnected once, no data lost |')
  expect(row(summary({ resumed: 2 }), 'Connection')).toContain('reconnected 2 times, no data lost')
  expect(row(summary({ resumed: 2, verdict: 'partial' }), 'Connection')).toBe('| Connection | reconnected 2 times |')
  expect(row(summary({ leftovers: [] }), 'Not removed')).toBe('| Not removed | nothing |')
  expect(row(summary({ imageId: undefined }), 'Image')).not.toContain(' as ')
})

it.each(['duration', 'size', 'packets', 'cancelled', 'target-completed', 'target-gone', 'error'] as const)(
  'describes the stop reason %s',
  (stopReason) => {
    expect(row(summary({ stopReason }), 'Stopped')).toMatch(/\| [a-z][a-z -]+/)
  },
)

it('shows a caution as a warning, and then a hint as a tip, above the facts', () => {
  const markdown = summary({ cautions: ['The pod is <old>.'], hints: ['A wider filter.'] })
  const [warning, tip, facts] = ['> [!WARNING]\n> The pod is &#60;old&#62;.', '> [!TIP]\n> A wider', '| Target |'].map(
    (part) => markdown.indexOf(part),
  )
  expect(warning).toBeGreaterThan(0)
  expect(tip).toBeGreaterThan(warning ?? 0)
  expect(facts).toBeGreaterThan(tip ?? 0)
})

const taken = (message: string): Problem => ({
  code: 'E_ARTIFACT_NAME_TAKEN',
  input: 'artifact-name',
  problem: 'the name is taken',
  message,
  fix: 'Use another.',
})

it('has the problem of a failed upload, with its fix and its entry in the documentation, and the path of the file', () => {
  const failed = { artifact: undefined, uploadProblem: taken('The service says 409.') }
  const markdown = summary(failed)
  expect(markdown).toContain('**The file is on the runner** (not uploaded): <code>/runner')
  expect(markdown).toContain(
    '- **artifact-name**: the name is taken: The service says 409. Use another. See <code>docs/troubleshooting.md&#35;e&#95;artifact&#95;name&#95;taken</code>.\n',
  )
  expect(summary({ ...failed, pcapPath: undefined })).toContain('was not uploaded')
})

it('has the problem of a verdict that fails the step', () => {
  const verdictProblem: Problem = {
    ...{ code: 'E_CAPTURE_EMPTY', input: 'if-empty' },
    ...{ problem: 'the capture is empty', fix: 'Check the filter.' },
  }
  expect(summary({ verdict: 'empty', packets: 0, verdictProblem })).toContain(
    '- **if-empty**: the capture is empty. Check the filter. See ',
  )
})

it('explains how to open the file and which interface has which number', () => {
  const markdown = summary()
  expect(markdown).toContain('<details><summary>How to open it</summary>')
  expect(markdown).toContain('tcpdump -n -r capture-x.pcap')
  expect(markdown).toContain('1 lo, 2 eth0')
  expect(markdown.match(/<details>/g)).toHaveLength(2) // the facts, and how to open it
  expect(markdown.match(/<\/details>/g)).toHaveLength(2)
  expect(summary({ packets: 0, verdict: 'empty' })).not.toContain('How to open it')
})

it('shows hints and notes', () => {
  expect(summary({ hints: ['use `x`'] }, ['by post'])).toMatch(
    /> \[!TIP\]\n> use &#96;x&#96;\n\n> \[!NOTE\]\n> by post/,
  )
})

it('shows several captures in sequence', () => {
  const both = summaryMarkdown([report(), report({ pod: { namespace: 'shop', name: 'second' } })], {
    notes: [],
    detail: 'full',
  })
  expect(both.match(/^## /gm)).toHaveLength(2)
  expect(both).toContain('pod second, complete')
})

it('lists failed captures after the other captures', () => {
  const problem = { code: 'E_INTERNAL', input: 'image', problem: '<b>', fix: 'Use another.' } as const
  const markdown = summaryMarkdown([report()], { notes: [], detail: 'full', failures: [problem] })
  expect(markdown).toContain('## ❌ Captures that failed\n\n- **image**: &#60;b&#62;. Use another.')
})

describe('captured or remote text in any field', () => {
  const evil = '</code></td><img src=x>|\n## [x](https://evil.example) `'
  const fields: (keyof CaptureReport)[] = [
    ...(['node', 'captureId', 'image', 'imageId', 'interface', 'filter'] as const),
    ...(['verdictReason', 'sha256', 'pcapPath'] as const),
  ]
  it.each<[string, Partial<CaptureReport>]>([
    ...fields.map((field): [string, Partial<CaptureReport>] => [field, { [field]: evil }]),
    ['pod', { pod: { namespace: 'shop', name: evil } }],
    ['namespace', { pod: { namespace: evil, name: 'web' } }],
  ])('is escaped in %s', (_field, changes) => {
    const clean = summary()
    const markdown = summary(changes)
    expect(markdown).not.toContain('<img')
    expect(markdown).not.toContain('https://evil')
    expect(markdown.match(/^## /gm)).toHaveLength(1)
    expect(markdown.split('\n').length).toBe(clean.split('\n').length)
    expect(markdown.match(/(?<!\\)\|/g)?.length).toBe(clean.match(/(?<!\\)\|/g)?.length)
  })

  it('is escaped in interfaces, hints, notes, leftovers, the artifact and the error of the upload', () => {
    const artifact = { id: 1, name: evil, url: evil, digest: evil }
    const markdown = summary(
      {
        interfaces: [{ index: 1, name: evil, fromSeconds: 3, untilSeconds: 9 }],
        hints: [evil],
        leftovers: [evil],
        artifact,
      },
      [evil],
    )
    const failed = summary({ artifact: undefined, uploadProblem: taken(evil) })
    for (const [one, headingCount] of [
      [markdown, 1],
      [failed, 2],
    ] as const) {
      expect(one).not.toContain('<img')
      expect(one).not.toContain('https://evil')
      expect(one.match(/^## /gm)).toHaveLength(headingCount)
    }
  })
})
