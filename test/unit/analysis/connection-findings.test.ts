import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { Analysis } from '../../../src/analysis/analysis.ts'
import { ConnectionFindings } from '../../../src/analysis/findings/connection-findings.ts'
import type { Finding } from '../../../src/analysis/findings/finding.ts'
import { readCaptureFile } from '../../../src/pcap/capture-file.ts'
import { labCaptures, needsSharedCaptures, sharedCaptures } from '../../support/captures.ts'
import { describeWith } from '../../support/needs.ts'

async function findingsOf(path: string): Promise<Finding[]> {
  let findings: ConnectionFindings | undefined
  const analysis: Analysis = new Analysis({ maxConnectionsCount: 20_000 }, (connections) => [
    (findings = new ConnectionFindings(connections, () => analysis.decoder.baseSeconds * 1_000)),
  ])
  await readCaptureFile(path, analysis)
  analysis.end()
  return findings?.findings() ?? []
}

const summary = (findings: readonly Finding[]): unknown[] =>
  findings.map(({ id, severity, count }) => [id, severity, count])

describe('findings of single connections', () => {
  it.each([
    ['syn-dropped.pcap', [['connection-no-answer', 'error', 2]]],
    ['syn-refused.pcap', [['connection-refused', 'error', 3]]],
    ['node-eth0-vxlan8472.pcap', [['connection-refused', 'error', 1]]],
    ['pod-http-ipv6.pcap', [['connection-refused', 'error', 1]]],
    ['rst-after-request.pcap', [['connection-reset', 'error', 3]]],
    ['loss-2pct-path-sender.pcap', [['data-resent', 'warning', 24]]],
    ['loss-2pct-path-receiver.pcap', [['data-late', 'warning', 24]]],
  ])('%s', async (name, expected) => {
    expect(summary(await findingsOf(join(labCaptures, name)))).toEqual(expected)
  })

  it('tells a path MTU black hole from a peer that vanished', async () => {
    const [first] = await findingsOf(join(labCaptures, 'pmtu-blackhole-sender.pcap'))
    expect(first).toMatchObject({
      id: 'path-mtu-black-hole',
      severity: 'error',
      count: 1,
      facts: { bytes: 1448, sent: 7 },
    })
  })

  it('gives the packets, the times and a filter for Wireshark', async () => {
    const [finding] = await findingsOf(join(labCaptures, 'syn-dropped.pcap'))
    expect(finding?.title).toBe('2 connections to 10.244.1.20:9999 got no answer (7 SYN in 7.133 s)')
    expect(finding?.displayFilter).toBe('ip.addr == 10.244.1.20 && tcp.port == 9999 && (tcp.flags.syn == 1)')
    expect(finding?.evidence).toHaveLength(2)
    expect(finding?.evidence[0]).toMatchObject({ server: { address: '10.244.1.20', port: 9999 }, frames: [1, 17] })
    expect(finding?.evidence[0]?.lastMs).toBeGreaterThan(finding?.evidence[0]?.firstMs ?? 0)
  })

  it.each([
    ...['node-any-sll2-dup.pcap', 'node-any-sll-dup.pcap', 'pod-nano.pcap', 'pod-snap96.pcap', 'lo-http-503.pcap'],
    ...['pod-http-slow-server.pcap', 'tls12-ok.pcap', 'tls13-ok.pcap', 'tcp-keepalive.pcap'],
    ...['dns-errors.pcap', 'udp-port-unreachable.pcap', 'arp-unanswered.pcap', 'tls12-unknown-ca.pcap'],
  ])('%s: finds nothing wrong with a connection', async (name) => {
    expect(await findingsOf(join(labCaptures, name))).toEqual([])
  })
})

describeWith(needsSharedCaptures, 'findings of single connections in the shared captures', () => {
  it.each([
    ['tcp-syn-only-retrans.pcap', [['connection-no-answer', 'error', 1]]],
    ['tcp-rst-injected.pcap', [['connection-reset', 'error', 1]]],
    ['tcp-window-full.pcap', [['receiver-stalled', 'warning', 1]]],
    ['tcp-retrans-heavy.pcap', [['data-resent', 'error', 36]]],
    ['lt-sll-duplicates-any.pcap', []],
    ['vlan-collisions.pcap', []],
    ['tun-vxlan-overlap-vni.pcap', []],
    ['db-mongo-retrans.pcap', []],
    ['tcp-keepalive-docker.pcap', []],
    ['lt-null-http-range.pcap', []],
  ])('%s', async (name, expected) => {
    expect(summary(await findingsOf(join(sharedCaptures, 'public', name)))).toEqual(expected)
  })
})
