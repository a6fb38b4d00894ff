import type { CaptureResult } from '../../../src/capture/capture-result.ts'
import { methodOf } from '../../../src/capture/recorders/methods.ts'
import { judge } from '../../../src/capture/verdict.ts'
import { reportOf } from '../../../src/app/capture-report.ts'
import { outcome, scan, sha256, trailer } from '../../support/evidence.ts'
import { notDiagnosed } from '../report/reports.ts'
import { nodePod, plan, recordFor } from '../../support/target.ts'

function result(changes: Partial<CaptureResult> = {}): CaptureResult {
  const evidence = { outcome: outcome(), scan: scan(), sha256, hasLoopback: true, method: methodOf(recordFor()) }
  return {
    record: recordFor(),
    imageId: 'tools@sha256:1',
    verdict: judge(evidence),
    ...evidence,
    path: '/t/x.pcap',
    ...changes,
  }
}

it('reports the times of the node, in ms and in seconds', () => {
  const read = trailer({ began: '1795337022', recorded: '60100', paused: '1500 1' })
  expect(reportOf(result({ outcome: outcome({ trailer: read }) }), { hints: [] }, notDiagnosed)).toMatchObject({
    began: 1_795_337_022_000,
    recordedSeconds: 60.1,
    pausedSeconds: 1.5,
  })
})

it('reports the time of the first packet when there is no trailer, and the rest as unknown', () => {
  const lost = outcome({ trailer: undefined, end: 'gave-up' })
  const report = reportOf(result({ outcome: lost }), { hints: [] }, notDiagnosed)
  expect(report).toMatchObject({ began: scan().first, interfaces: [], pausedSeconds: 0 })
  expect(report.recordedSeconds).toBeUndefined()
})

it('reports the drop count as an upper bound when the capture includes the loopback interface', () => {
  const on = (name: string): boolean => {
    const { record } = result()
    return reportOf(result({ record: { ...record, plan: plan({ interface: name }) } }), { hints: [] }, notDiagnosed)
      .droppedIsUpperBound
  }
  expect([on('any'), on('lo'), on('eth0')]).toEqual([true, true, false])
})

it('has the cautions of preflight, also without any', () => {
  expect(reportOf(result(), { hints: [], cautions: ['c'] }, notDiagnosed).cautions).toEqual(['c'])
  expect(reportOf(result(), { hints: [] }, notDiagnosed).cautions).toEqual([])
})

it('adds a hint when the disk of the pod has no space for the spool', () => {
  expect(reportOf(result(), { hints: ['h'] }, notDiagnosed).hints).toEqual(['h'])
  const memory = reportOf(
    result({ outcome: outcome({ trailer: trailer({ spool: 'memory' }) }) }),
    { hints: ['h'] },
    notDiagnosed,
  )
  expect(memory.hints).toHaveLength(2)
  expect(memory.hints[1]).toMatch(/memory/)
})

it('adds a hint when it is unknown whether the target existed until the end', () => {
  const targetCheck = { kind: 'unknown', why: 'no answer within 5 s' } as const
  expect(reportOf(result({ targetCheck }), { hints: ['a'] }, notDiagnosed).hints).toEqual([
    'a',
    expect.stringContaining('(no answer within 5 s)'),
  ])
  expect(reportOf(result({ targetCheck: { kind: 'there' } }), { hints: ['a'] }, notDiagnosed).hints).toEqual(['a'])
})

it('reports the pod and its node, or only the node', () => {
  const record = recordFor()
  expect(reportOf(result(), { hints: [] }, notDiagnosed)).toMatchObject({
    pod: { namespace: 'shop', name: 'web-1' },
    node: 'node-1',
  })
  const node = { ...record, target: { kind: 'node', node: 'node-2' }, method: nodePod } as const
  expect(reportOf(result({ record: node }), { hints: [] }, notDiagnosed)).toMatchObject({
    pod: undefined,
    node: 'node-2',
    level: 'node',
  })
})
