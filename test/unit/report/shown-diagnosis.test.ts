import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Diagnosis } from '../../../src/analysis/diagnosis.ts'
import { addressesIn, withNames } from '../../../src/report/address-names.ts'
import { diagnosisText } from '../../../src/report/diagnosis-text.ts'
import { findingsJson } from '../../../src/report/findings-json.ts'
import { hideNames } from '../../../src/report/hide-names.ts'
import type { CaptureReport } from '../../../src/report/report.ts'
import { shownDiagnosis, type ShownDetail } from '../../../src/report/shown-diagnosis.ts'
import { summaryMarkdown } from '../../../src/report/summary.ts'
import { decodeCharacterReferences } from '../../support/character-references.ts'
import { labCaptures } from '../../support/captures.ts'
import { diagnosisOf } from '../../support/diagnose.ts'
import { report } from './reports.ts'

const http503 = await diagnosisOf(join(labCaptures, 'lo-http-503.pcap'))
const captures = readdirSync(labCaptures).filter((name) => name.endsWith('.pcap'))

const reportWith = (diagnosis: Diagnosis, changes: Partial<CaptureReport> = {}): CaptureReport =>
  report({
    diagnosis: {
      kind: 'diagnosed',
      diagnosis,
      names: new Map(),
      fileName: 'x.pcap',
      findingsPath: undefined,
      findingsArtifact: undefined,
    },
    ...changes,
  })
const summary = (one: CaptureReport, detail: ShownDetail = 'full'): string =>
  decodeCharacterReferences(summaryMarkdown([one], { notes: [], detail })).replaceAll('<wbr>', '')

describe('the job summary of a capture with a diagnosis', () => {
  it('has the sentence, the file, the findings and then everything else to open', () => {
    const markdown = summary(reportWith(http503))
    const places = [
      `## 🔴 ${http503.sentence}`,
      'Sure:',
      '**[capture-x.pcap](',
      `1. 🔴 **${http503.findings[0]?.title}**`,
      '**Looked at and clean:**',
      '<details>',
      '| Target |',
      'How to open it',
    ].map((part) => markdown.indexOf(part))
    expect(places).not.toContain(-1)
    expect(places).toEqual(places.toSorted((one, other) => one - other))
  })

  it('begins with what is wrong with the capture, where it is incomplete or not uploaded', () => {
    const reason = { verdict: 'partial', verdictReason: '3 packets were dropped' } as const
    expect(summary(reportWith(http503, reason))).toMatch(
      /^## ⚠️ The capture of pod checkout-7d9f-x2 is incomplete\n\n3 packets were dropped\. .*\n\n## 🔴 /,
    )
    const problem = {
      code: 'E_ARTIFACT_UPLOAD',
      input: 'artifact-name',
      problem: 'no space',
      fix: 'Delete some.',
    } as const
    expect(summary(reportWith(http503, { artifact: undefined, uploadProblem: problem }))).toMatch(
      /^## ❌ The capture of pod checkout-7d9f-x2 was not uploaded\n\n- \*\*artifact-name\*\*: no space\. Delete some\..*\n\n## 🔴 /,
    )
  })

  it('of an empty capture names the addresses and ports of the pod, and a filter that would match', () => {
    const markdown = summary(report({ verdict: 'empty', packets: 0, ports: [8080, 9090], filter: 'port 1' }))
    expect(markdown).toContain(
      'It declares the ports 8080, 9090: the filter <code>port 8080 or port 9090</code> would match them.',
    )
    expect(markdown).toContain('The pod has the address 10.88.0.11.')
  })
})

describe('summary: names-hidden', () => {
  it.each(captures)('shows no address, name, path or filter of %s', async (name) => {
    const diagnosis = await diagnosisOf(join(labCaptures, name))
    const hidden = hideNames(diagnosis)
    const shown = `${diagnosisText(hidden)}\n${summary(reportWith(diagnosis, { addresses: [] }), 'names-hidden')}`
    for (const address of addressesIn(diagnosis)) expect(shown).not.toContain(address)
    for (const { displayFilter, facts } of diagnosis.findings) {
      if (displayFilter !== '') expect(shown).not.toContain(displayFilter)
      for (const fact of Object.values(facts)) {
        if (typeof fact === 'string' && /[./]/.test(fact)) expect(shown).not.toContain(fact)
      }
    }
    expect(hidden.findings.map(({ id, count }) => [id, count])).toEqual(
      diagnosis.findings.map(({ id, count }) => [id, count]),
    )
  })

  it('still says who causes it and how often', () => {
    expect(hideNames(http503).sentence).toMatch(
      /^This application, not the network: \d+ × HTTP requests answered with a server error$/,
    )
  })

  it('is not applied to the outputs, and off shows nothing of the diagnosis', () => {
    const one = reportWith(http503)
    expect(shownDiagnosis(one, 'full')).toEqual(http503)
    expect(shownDiagnosis(one, 'off')).toBeUndefined()
    expect(summary(one, 'off')).toMatch(/^## ✅ 12,345 packets of pod checkout-7d9f-x2, complete\n/)
    expect(summary(one, 'off')).not.toContain(http503.sentence)
  })
})

describe('names in place of addresses', () => {
  const [server] = http503.servers
  const address = server?.server.address ?? 'no server'

  it('are in every sentence, and not in the filters', () => {
    const named = withNames(http503, new Map([[address, 'payments-5d']]))
    expect(http503.sentence).toContain(address)
    expect(named.sentence).toBe(http503.sentence.replaceAll(address, 'payments-5d'))
    expect(named.findings[0]?.title).not.toContain(address)
    expect(named.findings.map(({ displayFilter }) => displayFilter)).toEqual(
      http503.findings.map(({ displayFilter }) => displayFilter),
    )
  })

  it.each([
    ['10.0.0.1:80 and 10.0.0.12:80 and 110.0.0.1', 'web:80 and 10.0.0.12:80 and 110.0.0.1'],
    ['[fd00::1]:80 answers, fd00::1 too, fd00::11 not', 'db:80 answers, db too, fd00::11 not'],
    ['10.0.0.1.', 'web.'],
  ])('replace whole addresses: %s', (sentence, expected) => {
    const names = new Map([
      ['10.0.0.1', 'web'],
      ['fd00::1', 'db'],
      ['.*', 'no pattern of an address'],
    ])
    expect(withNames({ ...http503, sentence }, names).sentence).toBe(expected)
  })
})

describe('findings.json in an output', () => {
  const [finding] = http503.findings
  if (finding === undefined) throw new Error('the capture has a finding')
  const many = { ...http503, findings: Array.from({ length: 500 }, () => finding) }

  it('is cut to its limit, says how much is missing, and keeps the first findings', () => {
    const json = findingsJson(many, 'x.pcap', 64_000)
    expect(Buffer.byteLength(json)).toBeLessThanOrEqual(64_000)
    const parsed = JSON.parse(json) as { findings: unknown[]; omitted: { findings: number; servers: number } }
    expect(parsed.findings.length).toBeGreaterThan(20)
    expect(parsed.findings.length + parsed.omitted.findings).toBe(500)
    expect(parsed.omitted.servers).toBe(http503.servers.length)
  })

  it('is whole where it fits', () => {
    expect(findingsJson(http503, 'x.pcap', 64_000)).toBe(findingsJson(http503, 'x.pcap'))
  })
})

it('shows names in place of addresses also in the list of servers and in the evidence, and keeps them in findings.json', () => {
  const address = http503.servers[0]?.server.address ?? 'no server'
  const named = { kind: 'diagnosed', diagnosis: http503, names: new Map([[address, 'payments-5d']]) } as const
  const shown = shownDiagnosis(
    { diagnosis: { ...named, fileName: 'x', findingsPath: undefined, findingsArtifact: undefined } },
    'full',
  )
  expect(shown?.servers[0]?.server.address).toBe('payments-5d')
  expect(JSON.stringify(shown?.findings[0]?.evidence)).toContain('payments-5d')
  expect(JSON.parse(findingsJson(http503, 'x'))).toMatchObject({ servers: [{ server: { address } }] })
})
