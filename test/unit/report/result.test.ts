import { readFileSync } from 'node:fs'
import type { CaptureReport } from '../../../src/report/report.ts'
import { resultJson } from '../../../src/report/result.ts'
import { report } from './reports.ts'
import { violations, type Schema } from '../../support/schema.ts'

const schema = JSON.parse(readFileSync(new URL('../../../docs/result.schema.json', import.meta.url), 'utf8')) as Schema

const result = (...reports: CaptureReport[]): { captures: Record<string, unknown>[] } =>
  JSON.parse(resultJson(reports)) as { captures: Record<string, unknown>[] }

/** A run in which no byte arrived. */
const nothing = report({
  imageId: undefined,
  filter: undefined,
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
  uploadProblem: { code: 'E_CAPTURE_INCOMPLETE', input: 'pod', problem: 'no bytes arrived', fix: 'See the verdict.' },
  hints: ['a hint'],
  cautions: ['a caution'],
})

describe('the JSON', () => {
  it('is valid for every kind of outcome', () => {
    const empty = report({ verdict: 'empty', packets: 0, bytes: 24 })
    for (const one of [report(), empty, nothing]) expect(violations(result(one), schema)).toEqual([])
    expect(violations(result(), schema)).toEqual([])
    expect(violations(result(report(), nothing), schema)).toEqual([])
    expect(result(report(), nothing).captures).toHaveLength(2)
  })

  it('has null instead of a missing field for an unknown value', () => {
    expect(result(nothing).captures[0]).toMatchObject({
      capture: { began: null, recordedSeconds: null },
      dropped: null,
      linkType: null,
      pcapPath: null,
      artifact: null,
      uploadError: 'pod: no bytes arrived. See the verdict.',
    })
    expect(result(report({ pod: undefined, imageId: undefined })).captures[0]).toMatchObject({
      target: { namespace: '', pod: '' },
      capture: { imageId: '' },
    })
    expect(result(report()).captures[0]).toMatchObject({
      capture: { began: '2026-11-22T03:04:05.678Z', recordedSeconds: 61.2 },
      dropped: 0,
      uploadError: null,
    })
  })

  it('is one line for any text', () => {
    const text = resultJson([report({ filter: 'a"b\\c', hints: ['line\nline\u2028line'] })])
    expect(text).not.toContain('\n')
    expect(violations(JSON.parse(text), schema)).toEqual([])
  })
})

describe('the schema', () => {
  it('rejects fields and values that it does not describe', () => {
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

  it('describes every field, with its unit if it has one', () => {
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
