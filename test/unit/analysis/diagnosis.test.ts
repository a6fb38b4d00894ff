import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { cutPackets, filterPackets, isFrom, onAnyInterface, tcpFlagsOf } from '../../support/capture-variants.ts'
import { diagnosisOf } from '../../support/diagnose.ts'
import { labCaptures, needsSharedCaptures, sharedCaptures } from '../../support/captures.ts'
import { describeWith } from '../../support/needs.ts'

const client = '10.244.1.10'
const server = '10.244.1.20'
const syn = 2
/** the server's address, and the one that no host has in arp-unanswered.pcap */
const missing = { from: Buffer.from([10, 244, 1, 20]), to: Buffer.from([10, 244, 1, 99]) }

const bytesOf = (name: string): Buffer => readFileSync(join(labCaptures, name))

const verdicts = [
  ['arp-unanswered.pcap', 'peer', 'medium'],
  ['dns-errors.pcap', 'dns', 'high'],
  ['dns-ndots5-storm.pcap', 'dns', 'high'],
  ['dns-server-down.pcap', 'dns', 'high'],
  ['lo-http-503.pcap', 'self', 'high'],
  ['loss-2pct-path-receiver.pcap', 'network', 'medium'],
  ['loss-2pct-path-sender.pcap', 'network', 'high'],
  ['node-any-sll-dup.pcap', 'peer', 'high'],
  ['node-any-sll2-dup.pcap', 'peer', 'high'],
  ['node-eth0-vxlan8472.pcap', 'peer', 'high'],
  ['pmtu-blackhole-sender.pcap', 'network', 'high'],
  ['pmtu-frag-needed.pcap', 'network', 'medium'],
  ['pod-http-ipv6.pcap', 'peer', 'high'],
  ['pod-http-slow-server.pcap', 'peer', 'high'],
  ['pod-snap96.pcap', 'peer', 'high'],
  ['rst-after-request.pcap', 'peer', 'medium'],
  ['syn-dropped.pcap', 'policy', 'medium'],
  ['syn-refused.pcap', 'peer', 'high'],
  ['tls-protocol-version.pcap', 'tls', 'high'],
  ['tls-to-plain-http.pcap', 'tls', 'high'],
  ['tls12-no-shared-cipher.pcap', 'tls', 'high'],
  ['tls12-unknown-ca.pcap', 'tls', 'high'],
  ['tls13-unknown-ca.pcap', 'tls', 'high'],
  ['udp-port-unreachable.pcap', 'peer', 'high'],
] as const
const healthy = ['pod-nano.pcap', 'tcp-keepalive.pcap', 'tls12-ok.pcap', 'tls13-ok.pcap']

describe('the culprit of a capture', () => {
  it.each(verdicts)('%s: %s, sure: %s', async (name, culprit, sureness) => {
    const diagnosis = await diagnosisOf(join(labCaptures, name))
    expect(diagnosis).toMatchObject({ culprit, sureness, withheld: [] })
    expect(diagnosis.sentence).toContain(diagnosis.findings[0]!.title)
    expect(diagnosis.severity).toBe(diagnosis.findings[0]!.severity)
  })

  it.each(healthy)('%s: none, and says what was checked', async (name) => {
    const diagnosis = await diagnosisOf(join(labCaptures, name))
    expect(diagnosis).toMatchObject({ culprit: 'none', severity: 'none', findings: [], withheld: [] })
    expect(diagnosis.sentence).toMatch(/^Nothing wrong in what was captured: connections \(1 of 1 opened\)/)
    expect(diagnosis.clean.map(({ area }) => area)).toEqual(
      expect.arrayContaining(['connections', 'resets', 'loss', 'stalls']),
    )
  })

  it('is expected of each lab capture', () => {
    const expected = [...verdicts.map(([name]) => name), ...healthy]
    expect(expected.toSorted()).toEqual(
      readdirSync(labCaptures)
        .filter((name) => name.endsWith('.pcap'))
        .toSorted(),
    )
  })

  it('depends on the side of the capture', async () => {
    const seenBy = async (address: string): Promise<string> =>
      (await diagnosisOf(join(labCaptures, 'pod-http-slow-server.pcap'), { localAddresses: [address] })).culprit
    expect([await seenBy(client), await seenBy(server)]).toEqual(['peer', 'self'])
  })

  it('is a rule for sure when the silent address answers on other ports', async () => {
    const both = Buffer.concat([bytesOf('pod-http-slow-server.pcap'), bytesOf('syn-dropped.pcap')])
    const diagnosis = await diagnosisOf(both)
    expect(diagnosis).toMatchObject({ culprit: 'policy', sureness: 'high', findings: [{}, { id: 'http-slow' }] })
    expect(diagnosis.sentence).toMatch(
      /^A NetworkPolicy or firewall rule: 2 connections to 10\.244\.1\.20:9999 got no answer/,
    )
  })

  it('is the application, and not "not the network", where the network loses data, too', async () => {
    const both = Buffer.concat([bytesOf('loss-2pct-path-sender.pcap'), bytesOf('lo-http-503.pcap')])
    const diagnosis = await diagnosisOf(both)
    expect(diagnosis).toMatchObject({
      culprit: 'self',
      findings: [{ id: 'http-server-errors' }, { id: 'data-resent' }],
    })
    expect(diagnosis.sentence).toMatch(/^This application: 127\.0\.0\.1:8080 answered/)
  })

  it('is the missing address, not a rule, where no host on the link has it', async () => {
    const moved = bytesOf('syn-dropped.pcap')
    for (let at = moved.indexOf(missing.from); at >= 0; at = moved.indexOf(missing.from, at)) moved.set(missing.to, at)
    const diagnosis = await diagnosisOf(Buffer.concat([bytesOf('arp-unanswered.pcap'), moved]))
    expect(diagnosis).toMatchObject({
      culprit: 'peer',
      findings: [{ id: 'address-missing' }, { id: 'connection-no-answer' }],
    })
  })

  it('is none where another host on the link asks for an address, and its reply went to that host alone', async () => {
    const asked = bytesOf('arp-unanswered.pcap')
    expect(await diagnosisOf(asked, { localAddresses: [server] })).toMatchObject({ culprit: 'none', findings: [] })
    expect(await diagnosisOf(onAnyInterface(asked, 1))).toMatchObject({ culprit: 'none', findings: [] })
    for (const own of [diagnosisOf(asked, { localAddresses: [client] }), diagnosisOf(onAnyInterface(asked, 4))]) {
      expect(await own).toMatchObject({ culprit: 'peer', findings: [{ id: 'address-missing', count: 3 }] })
    }
  })

  it('is none in a pod that gets the packets of another one, because the bridge does not know where that is', async () => {
    const flooded = onAnyInterface(bytesOf('syn-dropped.pcap'), 3)
    const diagnosis = await diagnosisOf(flooded, { isSingleHost: true })
    expect(diagnosis).toMatchObject({
      culprit: 'none',
      findings: [],
      withheld: [],
      capture: { packets: 18, otherHosts: 18 },
    })
    // A node forwards such packets: they are the traffic of its pods.
    expect(await diagnosisOf(flooded)).toMatchObject({ culprit: 'policy', capture: { packets: 18, otherHosts: 0 } })
  })

  it('sets the time of the network against that of the application', async () => {
    const { detail, servers } = await diagnosisOf(join(labCaptures, 'pod-http-slow-server.pcap'))
    expect(detail).toBe('Round trip to 10.244.1.20:8080 0.06 ms, its answers take 2 s at p95, no loss, no resets')
    expect(servers).toHaveLength(1)
    const [{ roundTrip, thinkTime, ...counts }] = servers as [(typeof servers)[number]]
    expect(counts).toMatchObject({ connections: 3, requests: 3, failures: 0, serverStallMs: 0, clientStallMs: 0 })
    expect([roundTrip?.count, thinkTime?.count]).toEqual([3, 3])
    expect(roundTrip!.p95_ms).toBeLessThan(0.1)
    expect(thinkTime!.p50_ms).toBeCloseTo(501, 0)
    expect(thinkTime!.p95_ms).toBeGreaterThanOrEqual(2000)
  })
})

describe('a capture that cannot carry a finding', () => {
  it.each(['pod-nano.pcap', 'pod-http-slow-server.pcap', 'tls13-ok.pcap', 'tls12-ok.pcap', 'rst-after-request.pcap'])(
    '%s: reports no culprit when only the client’s packets were captured',
    async (name) => {
      const diagnosis = await diagnosisOf(filterPackets(bytesOf(name), (frame) => isFrom(frame, client)))
      expect(diagnosis).toMatchObject({ culprit: 'none', sureness: 'low', findings: [] })
      expect(new Set(diagnosis.withheld.map(({ reason }) => reason))).toEqual(new Set(['one-direction']))
      expect(diagnosis.limits.map(({ id }) => id)).toContain('one-direction')
      expect(diagnosis.clean.map(({ area }) => area)).toEqual([])
    },
  )

  it.each(['pod-nano.pcap', 'pod-http-slow-server.pcap', 'tls13-ok.pcap', 'syn-refused.pcap'])(
    '%s: reports no culprit when only the server’s packets were captured',
    async (name) => {
      const diagnosis = await diagnosisOf(filterPackets(bytesOf(name), (frame) => isFrom(frame, server)))
      expect(diagnosis).toMatchObject({ culprit: 'none', sureness: 'low', findings: [] })
    },
  )

  it.each(['pod-http-slow-server.pcap', 'tls13-ok.pcap', 'rst-after-request.pcap'])(
    '%s: reports no culprit when only SYNs were captured',
    async (name) => {
      const onlySyns = filterPackets(bytesOf(name), (frame) => ((tcpFlagsOf(frame) ?? 0) & syn) !== 0)
      const diagnosis = await diagnosisOf(onlySyns)
      expect(diagnosis).toMatchObject({ culprit: 'none', sureness: 'low', findings: [] })
      expect(diagnosis.limits.map(({ id }) => id)).toContain('handshakes-only')
    },
  )

  it('withholds handshakes without an end when only SYNs were captured and time goes on', async () => {
    const onlySyns = filterPackets(
      bytesOf('pod-http-slow-server.pcap'),
      (frame) => ((tcpFlagsOf(frame) ?? 0) & syn) !== 0,
    )
    const later = Buffer.from(onlySyns)
    const lastRecord = onlySyns.length - lastRecordBytes(onlySyns)
    later.writeUInt32LE(later.readUInt32LE(lastRecord) + 10, lastRecord)
    const { findings, withheld } = await diagnosisOf(later)
    expect(findings).toEqual([])
    expect(withheld).toMatchObject([{ id: 'connection-half-open', reason: 'handshakes-only' }])
  })

  it('keeps a silence that the client’s repeated SYNs prove', async () => {
    const onlySyns = filterPackets(bytesOf('syn-dropped.pcap'), (frame) => tcpFlagsOf(frame) === syn)
    expect(await diagnosisOf(onlySyns)).toMatchObject({ culprit: 'policy', withheld: [] })
  })

  it('withholds DNS queries without an answer when only queries were captured', async () => {
    const onlyQueries = filterPackets(bytesOf('dns-ndots5-storm.pcap'), (frame) => isFrom(frame, client))
    const diagnosis = await diagnosisOf(onlyQueries)
    expect(diagnosis).toMatchObject({ culprit: 'none', findings: [] })
    expect(diagnosis.withheld).toMatchObject([{ id: 'dns-unanswered', reason: 'one-direction' }])
  })

  it('withholds a missing answer when more packets were dropped than answers are missing', async () => {
    const capture = bytesOf('rst-after-request.pcap')
    const carried = await diagnosisOf(capture, { dropped: 2 })
    const lost = await diagnosisOf(capture, { dropped: 3 })
    expect(carried.findings.map(({ id }) => id)).toEqual(['connection-reset', 'http-unanswered'])
    expect(lost.findings.map(({ id }) => id)).toEqual(['connection-reset'])
    expect(lost.withheld).toMatchObject([{ id: 'http-unanswered', count: 3, reason: 'packets-missing' }])
    expect(lost.limits.map(({ id }) => id)).toEqual(['dropped', 'side'])
  })

  it('keeps DNS queries without an answer that the client sent again', async () => {
    const { findings } = await diagnosisOf(bytesOf('dns-errors.pcap'), { dropped: 100 })
    expect(findings.map(({ id }) => id)).toContain('dns-unanswered')
  })

  it('withholds requests without an answer when packets were cut', async () => {
    const whole = bytesOf('pod-http-slow-server.pcap')
    const isAnswer = (frame: Buffer): boolean => isFrom(frame, server) && frame.length > 66
    const { withheld, findings } = await diagnosisOf(
      cutPackets(whole, (frame) => (isAnswer(frame) ? 68 : frame.length)),
    )
    expect(findings).toEqual([])
    expect(withheld).toMatchObject([{ id: 'http-unanswered', count: 3, reason: 'packets-cut' }])
  })

  it.each(['pod-http-slow-server.pcap', 'tls13-ok.pcap', 'tls12-ok.pcap', 'pod-nano.pcap', 'tcp-keepalive.pcap'])(
    '%s: reports no culprit when packets were cut after the headers',
    async (name) => {
      const { culprit, findings } = await diagnosisOf(cutPackets(bytesOf(name), () => 66))
      expect({ culprit, findings }).toEqual({ culprit: 'none', findings: [] })
    },
  )

  it('says that the file ends inside a packet', async () => {
    const { limits } = await diagnosisOf(bytesOf('pod-nano.pcap').subarray(0, -1))
    expect(limits.map(({ id }) => id)).toContain('cut-file')
  })

  it('says nothing about a capture without packets', async () => {
    const diagnosis = await diagnosisOf(bytesOf('pod-nano.pcap').subarray(0, 24))
    expect(diagnosis).toMatchObject({ sentence: 'No packet was captured', culprit: 'none', sureness: 'low', clean: [] })
    expect(diagnosis.limits.map(({ id }) => id)).toEqual(['empty'])
  })
})

function lastRecordBytes(pcap: Buffer): number {
  let at = 24
  let last = at
  while (at < pcap.length) {
    last = at
    at += 16 + pcap.readUInt32LE(at + 8)
  }
  return pcap.length - last
}

describeWith(needsSharedCaptures, 'the culprit of the public captures', () => {
  it.each([
    ['dns-nxdomain-tcp.pcap', 'dns'],
    ['dns-servfail-slow-icmp.pcap', 'dns'],
    ['icmp-frag-needed-1492.pcap', 'network'],
    ['tcp-reassembly-loss.pcap', 'network'],
    ['tcp-retrans-heavy.pcap', 'network'],
    ['tcp-rst-injected.pcap', 'peer'],
    ['tcp-refused-then-ok.pcap', 'peer'],
    ['tcp-syn-only-retrans.pcap', 'policy'],
    ['tcp-window-full.pcap', 'peer'],
    ['tls-certificate-unknown.pcap', 'tls'],
    ['tls-expired-cert.pcap', 'tls'],
    ['tls-handshake-failure.pcap', 'tls'],
    ['tls-mtls-cert-missing.pcap', 'tls'],
    ['tls-protocol-version-ff52.pcap', 'tls'],
    ['tls-unknown-ca.pcap', 'tls'],
    ...[
      'db-mongo-retrans.pcap',
      'dns-large-mixed.pcap',
      'fmt-nsec-big-endian.pcap',
      'h2c-doh-34.pcap',
      'ip6-atomic-frag-http.pcap',
      'lt-null-http-range.pcap',
      'lt-sll2-http.pcap',
      'tcp-keepalive-docker.pcap',
      'tcp-snapped-header.pcap',
      'tcp-snapped-timestamp.pcap',
      'tun-geneve-http-options.pcap',
      'tun-geneve-tcp.pcap',
      'tun-vxlan-overlap-vni.pcap',
      'vlan-collisions.pcap',
      'vlan-http.pcap',
    ].map((name) => [name, 'none'] as const),
  ])('%s: %s', async (name, culprit) => {
    expect((await diagnosisOf(join(sharedCaptures, 'public', name))).culprit).toBe(culprit)
  })
})
