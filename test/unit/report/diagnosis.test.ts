import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from '@jest/globals'
import type { Diagnosis } from '../../../src/analysis/diagnosis.ts'
import { areas } from '../../../src/analysis/diagnosis/areas.ts'
import { controlCharacterIn, hasWorkflowCommand } from '../../../src/common/remote-text.ts'
import { diagnosisMarkdown } from '../../../src/report/diagnosis-markdown.ts'
import { diagnosisText } from '../../../src/report/diagnosis-text.ts'
import { summaryMarkdown } from '../../../src/report/summary.ts'
import { findingsJson } from '../../../src/report/findings-json.ts'
import { decodeCharacterReferences } from '../../support/character-references.ts'
import { labCaptures } from '../../support/captures.ts'
import { damage, randomNumbers, smallCaptures } from '../../support/damaged-captures.ts'
import { diagnosisOf } from '../../support/diagnose.ts'
import { hostileNames, withName } from '../../support/hostile-diagnosis.ts'
import { type Schema, violations } from '../../support/schema.ts'
import { report as reportOf } from './reports.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const captures = readdirSync(labCaptures).filter((name) => name.endsWith('.pcap'))
const schema = JSON.parse(readFileSync(join(root, 'docs/findings.schema.json'), 'utf8')) as Schema
const maxTextLines = 60
/** A phone of 390 px shows some 40 characters in a line. */
const maxWordLength = 30

function stringsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, inner]) => [name, ...stringsIn(inner)])
}

/** As a browser shows it: without tags, with its entities decoded. */
function shown(markdown: string): string {
  return decodeCharacterReferences(markdown.replace(/<[^>]+>/g, ' '))
}

function longestWord(markdown: string): number {
  return Math.max(
    ...shown(markdown)
      .split(/\s+/)
      .map((word) => word.length),
  )
}

describe.each(captures)('%s', (name) => {
  it('is a report of at most 60 lines for a terminal', async () => {
    const diagnosis = await diagnosisOf(join(labCaptures, name))
    const lines = diagnosisText(diagnosis).split('\n')
    expect(lines.length).toBeLessThanOrEqual(maxTextLines)
    expect(lines[0]).toBe(diagnosis.sentence)
    for (const { displayFilter, nextSteps } of diagnosis.findings) {
      expect(lines.join('\n')).toContain(`filter: ${displayFilter}\n`)
      expect(lines.join('\n')).toContain(`Next: ${nextSteps[0]}`)
    }
  })

  it('is Markdown that fits a phone before the details', async () => {
    const markdown = diagnosisMarkdown(await diagnosisOf(join(labCaptures, name)))
    const [first = ''] = markdown.split('<details>')
    expect(first).not.toMatch(/^\s*\|/m)
    expect(longestWord(first)).toBeLessThanOrEqual(maxWordLength)
    expect(markdown.match(/<details>/g)).toHaveLength(markdown.match(/<\/details>/g)!.length)
  })

  it('is JSON that the schema describes', async () => {
    expect(violations(JSON.parse(findingsJson(await diagnosisOf(join(labCaptures, name)), name)), schema)).toEqual([])
  })
})

describe.each(hostileNames.map((name) => [name.slice(0, 40), name] as const))(
  'the name %j in a packet',
  (_, hostile) => {
    it('is no command and no control character in the text', async () => {
      const text = diagnosisText(withName(await diagnosisOf(join(labCaptures, 'pod-http-ipv6.pcap')), hostile))
      expect(hasWorkflowCommand(text)).toBe(false)
      expect(controlCharacterIn(text, '\n')).toBeUndefined()
      expect(text.split('\n').length).toBeLessThanOrEqual(maxTextLines)
    })

    it('is no markup in the Markdown, and does not widen it', async () => {
      const markdown = diagnosisMarkdown(withName(await diagnosisOf(join(labCaptures, 'pod-http-ipv6.pcap')), hostile))
      const tags = new Set(markdown.match(/<[^>]*>/g))
      expect([...tags].filter((tag) => !/^<\/?(br|wbr|code|details|summary)>$/.test(tag))).toEqual([])
      expect(markdown).not.toMatch(/!\[|\]\(|:\/\/|@|www\.|<!--/)
      expect(markdown.match(/^#/gm)).toHaveLength(1)
      expect(hasWorkflowCommand(markdown)).toBe(false)
      expect(controlCharacterIn(markdown, '\n')).toBeUndefined()
      expect(longestWord(markdown.split('<details>')[0]!)).toBeLessThanOrEqual(maxWordLength)
    })

    it('is a text of one line in the JSON', async () => {
      const json = findingsJson(withName(await diagnosisOf(join(labCaptures, 'pod-http-ipv6.pcap')), hostile), hostile)
      expect(hasWorkflowCommand(json)).toBe(false)
      const value: unknown = JSON.parse(json)
      expect(violations(value, schema)).toEqual([])
      for (const text of stringsIn(value)) {
        expect(controlCharacterIn(text)).toBeUndefined()
        expect(hasWorkflowCommand(text)).toBe(false)
      }
    })
  },
)

describe('a server name of a captured ClientHello', () => {
  it.each(['\n::error::ab', '##[error]a\u001b[', '</code>|`<b>'])('%j is harmless in each report', async (name) => {
    const capture = readFileSync(join(labCaptures, 'tls12-unknown-ca.pcap'))
    const original = 'web.prod.svc'
    expect(name).toHaveLength(original.length)
    capture.write(name, capture.indexOf(original), 'latin1')
    const diagnosis = await diagnosisOf(capture)
    expect(diagnosis).toMatchObject({ culprit: 'tls', findings: [{ id: 'tls-alert' }] })
    for (const report of [diagnosisText(diagnosis), diagnosisMarkdown(diagnosis), findingsJson(diagnosis, 'x')]) {
      expect(hasWorkflowCommand(report)).toBe(false)
      expect(controlCharacterIn(report, '\n')).toBeUndefined()
    }
    expect(diagnosisMarkdown(diagnosis)).not.toContain('<b>')
  })
})

describe('damaged captures', () => {
  it.each([1, 2, 3, 4])('have a diagnosis that each report shows (seed %d)', async (seed) => {
    const random = randomNumbers(seed)
    for (let round = 0; round < 100; round += 1) {
      const file = damage(smallCaptures[random(smallCaptures.length)]!, random)
      const diagnosis = await diagnosisOf(file, { dropped: random(3) })
      const json = findingsJson(diagnosis, 'damaged.pcap')
      expect(violations(JSON.parse(json), schema)).toEqual([])
      const reports = [json, diagnosisText(diagnosis), diagnosisMarkdown(diagnosis)]
      expect(reports.filter((report) => hasWorkflowCommand(report))).toEqual([])
      expect(reports.filter((report) => /NaN|undefined|Infinity/.test(report))).toEqual([])
      expect(reports[1]!.split('\n').length).toBeLessThanOrEqual(maxTextLines)
    }
  })
})

it('has all ids of findings in the schema', () => {
  const { findingId } = schema['$defs'] as { findingId: { enum: string[] } }
  expect(findingId.enum.toSorted()).toEqual(Object.keys(areas).toSorted())
})

describe('a job summary of more than GitHub shows', () => {
  const large = async (count: number): Promise<Diagnosis> => {
    const diagnosis = withName(await diagnosisOf(join(labCaptures, 'pod-http-ipv6.pcap')), '<'.repeat(5000))
    const findings = Array.from({ length: count }, () => diagnosis.findings[0]!)
    const withheld = Array.from({ length: count }, () => diagnosis.withheld[0]!)
    const servers = Array.from({ length: count }, () => diagnosis.servers[0]!)
    return { ...diagnosis, findings, withheld, servers }
  }

  it('says what is left out', async () => {
    const diagnosis = await large(2000)
    const markdown = diagnosisMarkdown(diagnosis)
    expect(Buffer.byteLength(markdown)).toBeLessThan(1024 * 1024)
    expect(markdown).toContain('1,995 more, see below')
    expect(markdown).toContain('1,950 more are not shown')
    expect(markdown).toMatch(/Left out, because the summary would be too large for GitHub: [^.]*\./)
    expect(diagnosisText(diagnosis).split('\n').length).toBeLessThanOrEqual(maxTextLines)
  })

  it.each([1, 3, 20, 200])('is below 1 MiB with %d captures', async (count) => {
    const diagnosis = await large(60)
    const kind = 'diagnosed'
    const one = reportOf({
      diagnosis: {
        kind,
        diagnosis,
        names: new Map(),
        fileName: 'x.pcap',
        findingsPath: undefined,
        findingsArtifact: undefined,
      },
    })
    const markdown = summaryMarkdown(
      Array.from({ length: count }, () => one),
      { notes: [], detail: 'full' },
    )
    expect(Buffer.byteLength(markdown)).toBeLessThan(1024 * 1024)
    expect(Buffer.byteLength(markdown)).toBeGreaterThan(500_000)
    expect(markdown.match(/^## 🔴/gm)?.length).toBeGreaterThanOrEqual(Math.min(count, 20))
    expect(markdown.match(/<details>/g)).toHaveLength(markdown.match(/<\/details>/g)!.length)
    expect(markdown.includes('more captures are in the output')).toBe(count === 200)
  })
})
