import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import type { Diagnosis } from '../../../src/analysis/diagnosis.ts'
import { diagnosisFindings, diagnosisHead } from '../../../src/report/diagnosis-markdown.ts'
import { decodeCharacterReferences } from '../../support/character-references.ts'
import { labCaptures } from '../../support/captures.ts'
import { diagnosisOf } from '../../support/diagnose.ts'

const dnsErrors = await diagnosisOf(join(labCaptures, 'dns-errors.pcap'))

const shown = (markdown: string): string => decodeCharacterReferences(markdown.replaceAll('<wbr>', ''))

describe('the first lines of a diagnosis', () => {
  it('name the reason of how sure it is only where it is not sure', () => {
    const because = 'some packets were dropped'
    const head = (sureness: Diagnosis['sureness']): string => shown(diagnosisHead({ ...dnsErrors, sureness, because }))
    expect(head('high')).toMatch(/ Sure: \*\*high\*\*\.$/)
    expect(head('medium')).toMatch(/ Sure: \*\*medium\*\* \(some packets were dropped\)\.$/)
  })

  it('have one line for each finding: title, times and filter; the first with its next step', () => {
    const lines = shown(diagnosisFindings(dnsErrors)).split('\n')
    const expected = dnsErrors.findings.map(
      ({ title, displayFilter }, index) => `${index + 1}. … **${title}** · … · <code>${displayFilter}</code>`,
    )
    const listed = lines.filter((line) => /^\d/.test(line))
    expect(
      listed.map(
        (line) =>
          line
            .replace(/[🔴🟡🔵]/u, '…')
            .replace(/· [^·]* ·/, '· … ·')
            .split('<br>')[0],
      ),
    ).toEqual(expected)
    expect(listed.map((line) => line.split('<br>').slice(1))).toEqual([
      [`**Next:** ${dnsErrors.findings[0]?.nextSteps[0]}`],
      ...dnsErrors.findings.slice(1).map(() => []),
    ])
  })

  it('say the limits of the capture in one line, without the one that was named above', () => {
    const limits = ['A', 'B', 'C', 'D', 'E'].map((text) => ({ id: 'gaps' as const, text }))
    const markdown = shown(diagnosisFindings({ ...dnsErrors, limits, because: 'a' }))
    expect(markdown).not.toContain(': A;')
    const text = 'Once'
    expect(shown(diagnosisFindings({ ...dnsErrors, limits: [{ id: 'gaps', text }], because: 'once' }))).not.toContain(
      'Limits',
    )
    expect(markdown).toContain('**Limits of this capture:** B; C; D; 1 more, see below.')
  })
})
