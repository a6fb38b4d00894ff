import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { Analysis } from '../../../src/analysis/analysis.ts'
import { readCaptureFile } from '../../../src/pcap/capture-file.ts'
import { labCaptures } from '../../support/captures.ts'

async function analyse(name: string): Promise<Analysis> {
  const analysis = new Analysis({ maxConnectionsCount: 20_000 })
  await readCaptureFile(join(labCaptures, name), analysis)
  analysis.end()
  return analysis
}

describe('copies of packets on other interfaces', () => {
  it.each(['node-any-sll2-dup.pcap', 'node-any-sll-dup.pcap'])(
    '%s: counts each packet once and no retransmission',
    async (name) => {
      const { copiedPackets, tcp } = (await analyse(name)).connections
      expect(copiedPackets).toBe(17)
      expect(tcp.totals).toMatchObject({ segments: 17, connections: 1, syn: 1, synack: 1, fin: 2 })
      expect(tcp.totals.events.every((count) => count === 0)).toBe(true)
      expect(tcp.resentData.resent).toBe(0)
    },
  )
})

describe('data that was sent more than once', () => {
  it('counts the 24 segments that were dropped behind the sender, as tcptrace does', async () => {
    const { resent, late, unfilledHoles } = (await analyse('loss-2pct-path-sender.pcap')).connections.tcp.resentData
    expect({ resent, late, unfilledHoles }).toEqual({ resent: 24, late: 0, unfilledHoles: 0 })
  })

  it('counts them as late before the receiver', async () => {
    const { resent, late, unfilledHoles } = (await analyse('loss-2pct-path-receiver.pcap')).connections.tcp.resentData
    expect({ resent, late, unfilledHoles }).toEqual({ resent: 0, late: 24, unfilledHoles: 0 })
  })

  it.each(['tcp-keepalive.pcap', 'tls13-ok.pcap', 'lo-http-503.pcap', 'pod-snap96.pcap'])(
    '%s: finds none',
    async (name) => {
      const { resent, late } = (await analyse(name)).connections.tcp.resentData
      expect({ resent, late }).toEqual({ resent: 0, late: 0 })
    },
  )
})
