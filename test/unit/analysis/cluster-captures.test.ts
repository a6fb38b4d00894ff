import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { labCaptures } from '../../support/captures.ts'
import { diagnosisOf } from '../../support/diagnose.ts'
import { fileHeader, packet } from '../../support/pcap-bytes.ts'

/** Captures that the end-to-end tests of the diagnosis made on the test cluster, and that the diagnosis once judged wrongly. */
const cluster = join(labCaptures, 'cluster')

describe('a capture of a pod on the test cluster', () => {
  it('shows a path MTU black hole, though the sender’s interface has larger segments than the path (GSO)', async () => {
    const diagnosis = await diagnosisOf(join(cluster, 'path-mtu-black-hole-gso.pcap'))
    expect(diagnosis).toMatchObject({ culprit: 'network', severity: 'error', sureness: 'high' })
    expect(diagnosis.findings[0]).toMatchObject({
      id: 'path-mtu-black-hole',
      count: 1,
      facts: { bytes: 1448, sent: 7 },
    })
  })

  it('tells that a request was not answered where nothing but the handshake came from the server', async () => {
    const diagnosis = await diagnosisOf(join(cluster, 'path-mtu-black-hole-gso.pcap'))
    expect(diagnosis.findings.map(({ id }) => id)).toContain('http-unanswered')
    expect(diagnosis.withheld).toEqual([])
  })

  it.each([
    { backUs: 5, limits: [], what: 'two CPUs that wrote packets at once' },
    { backUs: 2_000, limits: ['clock'], what: 'a clock that was set' },
  ])('takes a step of $backUs µs back in time for $what', async ({ backUs, limits }) => {
    const times = [10_000, 10_000 - backUs, 20_000]
    const file = [fileHeader(), ...times.map((timeUs) => packet(60, 1_700_000_000, timeUs))]
    const diagnosis = await diagnosisOf(Buffer.concat(file))
    expect(diagnosis.limits.map(({ id }) => id)).toEqual(limits)
  })
})
