import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import type { Diagnosis } from '../../../src/analysis/diagnosis.ts'
import { withNamedEnds, withNames } from '../../../src/report/address-names.ts'
import { diagnosisDetails } from '../../../src/report/diagnosis-details.ts'
import { hideNames } from '../../../src/report/hide-names.ts'
import { decodeCharacterReferences } from '../../support/character-references.ts'
import { labCaptures } from '../../support/captures.ts'
import { diagnosisOf } from '../../support/diagnose.ts'

const captures = readdirSync(labCaptures).filter((name) => name.endsWith('.pcap'))

const shown = (diagnosis: Diagnosis): string =>
  decodeCharacterReferences(diagnosisDetails(diagnosis).replaceAll('<wbr>', ''))

const blocks = (markdown: string): string[] =>
  [...markdown.matchAll(/^```mermaid\n([^]*?)\n```$/gm)].map(([, block = '']) => block)

const section = (markdown: string, title: string): string =>
  markdown.split('<details><summary>').find((part) => part.startsWith(title)) ?? ''

describe.each(captures)('the details of %s', (name) => {
  it('have at most 15 lines in the diagram, and each of its steps in the list below it', async () => {
    const markdown = section(diagnosisDetails(await diagnosisOf(join(labCaptures, name))), 'The worst connection')
    const [diagram] = blocks(markdown)
    if (diagram === undefined) return
    const lines = diagram.split('\n')
    expect(lines[0]).toBe('sequenceDiagram')
    expect(lines.length).toBeLessThanOrEqual(15)
    expect(markdown.match(/^\d+\. /gm)).toHaveLength(lines.length - 3)
  })

  it('have charts of the same length as the table below them', async () => {
    const diagnosis = await diagnosisOf(join(labCaptures, name))
    const markdown = section(diagnosisDetails(diagnosis), 'Timeline')
    const counts = blocks(markdown).map((block) => /bar \[(.*)\]/.exec(block)?.[1]?.split(', ').length)
    if (markdown === '') return
    for (const count of counts) expect(count).toBe(diagnosis.details.timeline?.buckets.length)
    expect(markdown.match(/^\| \d\d:/gm)?.length).toBeLessThanOrEqual(counts[0] ?? 0)
  })
})

describe('the details', () => {
  it('have the groups in the order of the first lines: what is wrong before what there was', async () => {
    const markdown = diagnosisDetails(await diagnosisOf(join(labCaptures, 'dns-errors.pcap')))
    expect([...markdown.matchAll(/<summary>([^<:]*)/g)].map(([, title]) => title)).toEqual([
      'Findings',
      'The worst connection',
      'Servers',
      'Conversations',
      'DNS',
      'Timeline',
    ])
  })

  it('have names in place of addresses in their tables, the diagram and the evidence', async () => {
    const names = new Map([
      ['10.244.1.20', 'service dns'],
      ['10.244.1.10', 'checkout-7d9f'],
    ])
    const markdown = shown(
      withNamedEnds(withNames(await diagnosisOf(join(labCaptures, 'dns-errors.pcap')), names), names),
    )
    expect(markdown.replace(/^- Filter: .*/gm, '')).not.toMatch(/10\.244\.1\.[12]0/)
    expect(markdown).toContain('| service dns:53 | 16; 2 sent again; SERVFAIL (4)')
    expect(markdown).toContain('| checkout-7d9f | service dns:53 | 5 UDP, ')
    expect(markdown).toContain('participant C as checkout-7d9f\n')
    expect(markdown).toContain('- checkout-7d9f to service dns:53: packets 25, 26')
  })

  it('have nothing with a name where names are hidden', async () => {
    const markdown = shown(hideNames(await diagnosisOf(join(labCaptures, 'dns-errors.pcap'))))
    expect([...markdown.matchAll(/<summary>([^<:]*)/g)].map(([, title]) => title)).toEqual(['Findings', 'Timeline'])
    expect(markdown).not.toMatch(/10\.244|example\.com/)
  })
})
