import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { Analysis } from '../../../../src/analysis/analysis.ts'
import { givenSide, type LocalSide } from '../../../../src/analysis/sides/local-side.ts'
import { LocalSideTracker } from '../../../../src/analysis/sides/local-side-tracker.ts'
import { readCaptureFile } from '../../../../src/pcap/capture-file.ts'
import { labCaptures, needsSharedCaptures, sharedCaptures } from '../../../support/captures.ts'
import { diagnosisOf } from '../../../support/diagnose.ts'
import { describeWith } from '../../../support/needs.ts'

async function sideOf(path: string): Promise<LocalSide | undefined> {
  let tracker: LocalSideTracker | undefined
  const analysis = new Analysis({ maxConnectionsCount: 20_000 }, ({ table }) => [
    (tracker = new LocalSideTracker(table.maxFlowsCount)),
  ])
  await readCaptureFile(path, analysis)
  analysis.end()
  return tracker?.side()
}

const cluster = join(labCaptures, 'cluster')
const lab = (name: string): string => join(labCaptures, name)

describe('the addresses of the captured host', () => {
  it.each([
    ['cluster/mesh-slow-client.pcap', 'packet-types', ['10.244.0.45']],
    ['cluster/mesh-slow-server.pcap', 'packet-types', ['10.244.0.46']],
    ['loss-2pct-path-sender.pcap', 'hop-limits', ['192.168.2.2']],
    ['loss-2pct-path-receiver.pcap', 'hop-limits', ['192.168.1.2']],
  ])('%s: %s', async (name, source, addresses) => {
    const side = await sideOf(lab(name))
    expect([side?.source, [...(side?.addresses ?? [])]]).toEqual([source, addresses])
  })

  it.each(['node-any-sll2-dup.pcap', 'node-any-sll-dup.pcap', 'node-eth0-vxlan8472.pcap', 'pod-nano.pcap'])(
    '%s: are not known, because a node forwards packets or both ends look the same',
    async (name) => {
      const side = await sideOf(lab(name))
      expect([side?.source, side?.has('10.244.1.10')]).toEqual(['unknown', undefined])
    },
  )

  it('are compared in the form of RFC 5952, as packets show them', () => {
    const side = givenSide(['FD00:0:0:0::10', '10.244.1.10'])
    expect([side?.has('fd00::10'), side?.has('10.244.1.10'), side?.has('10.244.1.11')]).toEqual([true, true, false])
  })

  it('say nothing of the addresses of another family, and loopback is always this side', () => {
    const side = givenSide(['10.244.1.10'])
    expect([side?.has('fd00::1'), side?.has('::1'), side?.has('127.0.0.6')]).toEqual([undefined, true, true])
  })
})

describe('a slow server', () => {
  const slow = lab('pod-http-slow-server.pcap')

  it('is the other side in the capture of its client', async () => {
    const given = await diagnosisOf(slow, { localAddresses: ['10.244.1.10'] })
    expect(given).toMatchObject({ culprit: 'peer', sureness: 'high', limits: [] })
    expect(given.sentence).toMatch(/^Not the network: 10\.244\.1\.20:8080 took 1 s or more/)
    expect(given.detail).toMatch(/^Round trip to 10\.244\.1\.20:8080 0\.06 ms, its answers take 2 s at p95/)
  })

  it('is this application in a capture of its own pod', async () => {
    const given = await diagnosisOf(slow, { localAddresses: ['10.244.1.20'] })
    expect(given).toMatchObject({ culprit: 'self', sureness: 'high', limits: [] })
    expect(given.sentence).toMatch(/^This application, not the network: 10\.244\.1\.20:8080 took 1 s or more/)
    expect(given.detail).toMatch(/^Round trip from its clients to 10\.244\.1\.20:8080 0\.06 ms, its answers take 2 s/)
  })

  it('is taken for the other side where nothing tells the side, which is said', async () => {
    const diagnosis = await diagnosisOf(slow)
    expect(diagnosis.culprit).toBe('peer')
    expect(diagnosis.limits.map(({ id }) => id)).toEqual(['side'])
  })

  it.each([
    ['mesh-slow-client.pcap', 'peer'],
    ['mesh-slow-server.pcap', 'self'],
    ['mesh-503-client.pcap', 'peer'],
    ['mesh-503-server.pcap', 'self'],
  ])('behind a sidecar, in a file of which only the packets tell the side: %s', async (name, culprit) => {
    const diagnosis = await diagnosisOf(join(cluster, name))
    expect(diagnosis).toMatchObject({ culprit, withheld: [] })
    expect(diagnosis.limits.map(({ id }) => id)).not.toContain('side')
    // The only round trips are those between the application and its own sidecar.
    expect(diagnosis.detail).not.toContain('ound trip')
  })
})

describeWith(needsSharedCaptures, 'the addresses of the captured host in the public captures', () => {
  it.each([
    ['vlan-http.pcap', 'hop-limits', ['141.142.228.5']],
    ['lt-sll-mixed.pcap', 'packet-types', ['10.0.0.8', 'fe80::a00:27ff:fe19:1c78']],
    // Only the server's address is in all of it, and it never sent anything.
    ['dns-unanswered-ticks.pcap', 'unknown', []],
    ['lt-sll-duplicates-any.pcap', 'unknown', []],
  ])('%s: %s', async (name, source, addresses) => {
    const side = await sideOf(join(sharedCaptures, 'public', name))
    expect([side?.source, [...(side?.addresses ?? [])]]).toEqual([source, addresses])
  })
})
