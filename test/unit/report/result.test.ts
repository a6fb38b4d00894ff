import { readFileSync } from 'node:fs'
import type { CaptureReport } from '../../../src/report/report.ts'
import { resultJson } from '../../../src/report/result.ts'
import { report } from './reports.ts'
import { violations, type Schema } from './schema.ts'

const schema = JSON.parse(readFileSync(new URL('../../../docs/result.schema.json', import.meta.url), 'utf8')) as Schema

const result = (...reports: CaptureReport[]): { captures: Record<string, unknown>[] } =>
  JSON.parse(resultJson(reports)) as { captures: Record<string, unknown>[] }

/** A run that got as little as a run can get. */
const nothing = report({
  imageId: '',
  filter: '',
  began: undefined,
  recordedSeconds: undefined,
  packets: 0,
  bytes: 0,
  linkType: undefined,
  dropped: undefined,
  interfaces: [],
  verdict: 'partial',
  stopReason: 'target-gone',
  pcapPath: undefined,
  artifact: undefined,
  uploadError: 'there is nothing to upload',
  hints: ['a hint'],
})

describe('the JSON', () => {
  it('is valid for every kind of outcome', () => {
    const empty = report({ verdict: 'empty', packets: 0, bytes: 24 })
    for (const one of [report(), empty, nothing]) expect(violations(result(one), schema)).toEqual([])
    expect(violations(result(), schema)).toEqual([])
    expect(violations(result(report(), nothing), schema)).toEqual([])
    expect(result(report(), nothing).captures).toHaveLength(2)
  })

  it('says null, not a missing field, for what is not known', () => {
    expect(result(nothing).captures[0]).toMatchObject({
      capture: { began: null, recordedSeconds: null },
      dropped: null,
      linkType: null,
      pcapPath: null,
      artifact: null,
    })
    expect(result(report()).captures[0]).toMatchObject({
      capture: { began: '2026-11-22T03:04:05.678Z', recordedSeconds: 61.2 },
      dropped: 0,
      uploadError: null,
    })
  })

  it('is one line, whatever the texts hold', () => {
    const text = resultJson([report({ filter: 'a"b\\c', hints: ['line\nline\u2028line'] })])
    expect(text).not.toContain('\n')
    expect(violations(JSON.parse(text), schema)).toEqual([])
  })
})

describe('the schema', () => {
  it('refuses what it does not describe', () => {
    const broken = (change: (capture: Record<string, unknown>) => void): string[] => {
      const value = result(report())
      change(value.captures[0] ?? {})
      return violations(value, schema)
    }
    expect(broken((capture) => delete capture['sha256'])).toEqual(['$.captures[0]: has no sha256'])
    expect(broken((capture) => (capture['more'] = 1))).toEqual(['$.captures[0]: has more, which is not described'])
    expect(broken((capture) => (capture['packets'] = -1))).toEqual(['$.captures[0].packets: is below 0'])
    expect(broken((capture) => (capture['packets'] = '5'))).toEqual(['$.captures[0].packets: is string, not integer'])
    expect(broken((capture) => (capture['verdict'] = { verdict: 'fine', reason: '' }))).toHaveLength(1)
    expect(broken((capture) => (capture['artifact'] = { id: 1 }))).toHaveLength(1)
    expect(violations({ ...result(), version: 2 }, schema)).toEqual(['$.version: is not 1'])
  })

  it('describes every field, with its unit where it has one', () => {
    const undescribed: string[] = []
    const visit = (name: string, part: Schema): void => {
      for (const [field, rule] of Object.entries((part['properties'] ?? {}) as Record<string, Schema>)) {
        if (rule['description'] === undefined && rule['$ref'] === undefined) undescribed.push(`${name}.${field}`)
        if (/bytes|Seconds|snaplen/.test(field)) expect(rule['description']).toMatch(/, (bytes|seconds)[.;]/)
        visit(`${name}.${field}`, rule)
        if (rule['items'] !== undefined) visit(`${name}.${field}[]`, rule['items'] as Schema)
      }
    }
    visit('$', schema)
    for (const [name, part] of Object.entries(schema['$defs'] as Record<string, Schema>)) visit(name, part)
    expect(undescribed).toEqual([])
  })
})
