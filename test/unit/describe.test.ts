import type { CaptureResult } from '../../src/capture/capture.ts'
import { judge } from '../../src/capture/verdict.ts'
import { reportOf } from '../../src/describe.ts'
import { outcome, scan, sha256, trailer } from './capture/evidence.ts'
import { plan } from './capture/target.ts'

function result(changes: Partial<CaptureResult> = {}): CaptureResult {
  const evidence = { outcome: outcome(), scan: scan(), sha256, loopback: true, where: 'container' as const }
  return {
    record: {
      namespace: 'shop',
      pod: 'web-1',
      uid: 'uid-1',
      addresses: [],
      node: 'node-1',
      container: 'packet-capture-x',
      where: { kind: 'container' },
      plan: plan(),
      deadline: 0,
      deadlineHere: 0,
      path: '/t/x.pcap',
      partPath: '/t/packet-capture-x.part',
    },
    imageId: 'tools@sha256:1',
    verdict: judge(evidence),
    ...evidence,
    path: '/t/x.pcap',
    ...changes,
  }
}

it('takes the times from the node, in ms and seconds', () => {
  const read = trailer({ began: '1795337022', recorded: '60100', paused: '1500 1' })
  expect(reportOf(result({ outcome: outcome({ trailer: read }) }), [])).toMatchObject({
    began: 1_795_337_022_000,
    recordedSeconds: 60.1,
    pausedSeconds: 1.5,
  })
})

it('takes the first packet where there is no trailer, and does not guess the rest', () => {
  const lost = outcome({ trailer: undefined, end: 'gave-up' })
  const report = reportOf(result({ outcome: lost }), [])
  expect(report).toMatchObject({ began: scan().first, interfaces: [], pausedSeconds: 0 })
  expect(report.recordedSeconds).toBeUndefined()
})

it('knows where the drop count is an upper bound', () => {
  const on = (name: string): boolean => {
    const { record } = result()
    return reportOf(result({ record: { ...record, plan: plan({ interface: name }) } }), []).droppedIsUpperBound
  }
  expect([on('any'), on('lo'), on('eth0')]).toEqual([true, true, false])
})

it('keeps the hints, and adds one where the pod had no room on its disk', () => {
  expect(reportOf(result(), ['h']).hints).toEqual(['h'])
  const memory = reportOf(result({ outcome: outcome({ trailer: trailer({ spool: 'memory' }) }) }), ['h'])
  expect(memory.hints).toHaveLength(2)
  expect(memory.hints[1]).toMatch(/memory/)
})

it('says where nobody could see whether the target was there to the end', () => {
  const fate = { kind: 'unknown', why: 'no answer within 5 s' } as const
  expect(reportOf(result({ fate }), ['a']).hints).toEqual(['a', expect.stringContaining('(no answer within 5 s)')])
  expect(reportOf(result({ fate: { kind: 'there' } }), ['a']).hints).toEqual(['a'])
})
