import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { Analysis } from '../../../src/analysis/analysis.ts'
import { counters } from '../../../src/analysis/counters.ts'
import { readCaptureFile } from '../../../src/pcap/capture-file.ts'
import { labCaptures, needsSharedCaptures, sharedCaptureRows, sharedCaptures } from '../../support/captures.ts'
import { describeWith } from '../../support/needs.ts'

type Truth = Record<string, unknown> & { layers: Record<string, number> }

/** Keys of the ground truth which are compared here; those of application protocols have tests of their own. */
const compared = [
  ...[
    'header',
    'file_truncated',
    'interfaces',
    'packets',
    'bytes_wire',
    'bytes_captured',
    'packets_snapped',
    'first',
    'last',
  ],
  ...[
    'duration_s',
    'time_goes_back',
    'sll_ifindex',
    'sll_pkttype',
    'vlans',
    'vni',
    'ip_fragments',
    'tcp',
    'udp',
    'layers',
  ],
  'top_conversations',
]
/** The layers up to TCP and UDP. */
const layers = [
  ...[
    'eth',
    'sll',
    'raw',
    'null',
    'vlan',
    'mpls',
    'pppoes',
    'ppp',
    'arp',
    'ip',
    'ipv6',
    'tcp',
    'udp',
    'icmp',
    'icmpv6',
  ],
  ...['igmp', 'sctp', 'esp', 'gre', 'erspan', 'vxlan', 'geneve'],
]

const customBlocks = 'tshark adds the bytes of custom blocks, which are no packets, and counts interfaces by section'
const innerAddresses = 'the ground truth has the ports of the outer UDP datagram with the addresses of the inner one'
const listOrder = 'conversations of equal size: the ground truth lists other ones of them'
/** What differs, by capture: keys and the reason. */
const exceptions: Record<string, readonly [reason: string, ...keys: string[]][]> = {
  'fmt-pcapng-be-advanced102.pcapng': [[customBlocks, 'bytes_wire', 'bytes_captured']],
  'fmt-pcapng-le-difficult202.pcapng': [[customBlocks, 'bytes_wire', 'bytes_captured', 'interfaces']],
  'fmt-pcapng-mixed-sll.pcapng': [
    ['two interfaces whose clocks are 584,000 years apart: ns do not fit into one number', 'tcp.irtt'],
    ['a connection of a conversation that tshark 4.0 splits at the interface', 'tcp.completeness'],
  ],
  'tun-vxlan-overlap-vni.pcap': [[innerAddresses, 'top_conversations']],
  'tun-geneve-http-options.pcap': [[innerAddresses, 'top_conversations']],
  'tun-geneve-tcp.pcap': [[innerAddresses, 'top_conversations']],
  'node-eth0-vxlan8472.pcap': [[innerAddresses, 'top_conversations']],
  'dns-unanswered-ticks.pcap': [[listOrder, 'top_conversations']],
  'dns-truncated-unsolicited.pcap': [
    ['tshark reassembles IP fragments and counts the datagram in its last frame', 'top_conversations'],
  ],
  'http-arkime-mix.pcap': [['GTP, NSH and Cisco metadata are not decoded', 'layers.icmp', 'layers.ip', 'udp']],
}

describe('counters of the lab captures', () => {
  const truths = (
    JSON.parse(readFileSync(join(labCaptures, 'truth.json'), 'utf8')) as { captures: Record<string, Truth> }
  ).captures

  it.each(Object.entries(truths))('%s: equal those of tshark 4.0.17', async (name, truth) => {
    expect(withoutExceptions(name, await countersOf(join(labCaptures, name)))).toEqual(withoutExceptions(name, truth))
  })
})

describeWith(needsSharedCaptures, 'counters of the shared captures', () => {
  const captures = sharedCaptureRows<Truth>()

  it.each(captures)('%s: equal those of tshark 4.0.17', async (name, { file, truth }) => {
    expect(withoutExceptions(name, await countersOf(join(sharedCaptures, file)))).toEqual(
      withoutExceptions(name, truth),
    )
  })

  it('knows no exception for a capture that is not there', () => {
    const names = captures.map(([name]) => name)
    expect(Object.keys(exceptions).filter((name) => !names.includes(name))).toEqual([])
  })
})

async function countersOf(path: string): Promise<Truth> {
  const analysis = new Analysis({ keyLikeTshark: true, maxConnectionsCount: 20_000 })
  return counters(analysis, await readCaptureFile(path, analysis)) as Truth
}

/** What is compared of a capture's counters. Numbers are rounded to four digits: the ground truth was rounded from doubles. */
function withoutExceptions(name: string, all: Truth): Record<string, unknown> {
  const entries = compared.map((key): [string, unknown] => [key, key === 'layers' ? lowerLayers(all) : all[key]])
  const chosen = JSON.parse(JSON.stringify(Object.fromEntries(entries), roundNumber)) as Record<
    string,
    Record<string, unknown>
  >
  for (const [, ...keys] of exceptions[name] ?? []) {
    for (const key of keys) {
      const [outer = '', inner] = key.split('.')
      if (inner === undefined) delete chosen[outer]
      else delete chosen[outer]?.[inner]
    }
  }
  return chosen
}

function lowerLayers(all: Truth): Record<string, number> {
  return Object.fromEntries(Object.entries(all.layers).filter(([layer]) => layers.includes(layer)))
}

function roundNumber(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Math.round(value * 1e4) / 1e4 : value
}
