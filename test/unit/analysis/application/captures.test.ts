import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Analysis } from '../../../../src/analysis/analysis.ts'
import {
  type ApplicationCounters,
  ApplicationTracker,
} from '../../../../src/analysis/application/application-tracker.ts'
import { readCaptureFile } from '../../../../src/pcap/capture-file.ts'
import { labCaptures, needsSharedCaptures, sharedCaptureRows, sharedCaptures } from '../../../support/captures.ts'
import { describeWith } from '../../../support/needs.ts'

const sections = ['dns', 'tls', 'http', 'icmp', 'icmpv6', 'icmp_mtu', 'arp'] as const
type Truth = Record<(typeof sections)[number], Record<string, unknown>>

const truths = (
  JSON.parse(readFileSync(join(labCaptures, 'truth.json'), 'utf8')) as { captures: Record<string, Truth> }
).captures

/** What differs from tshark 4.0.17, by capture: the reason and the keys. */
const exceptions: Record<string, readonly [reason: string, ...keys: string[]][]> = {
  'lt-sll-duplicates-any.pcap': [
    [
      'a request line in two segments on a port that is not HTTP: tshark gives up after the first segment',
      'http.methods',
    ],
  ],
  'tcp-retrans-heavy.pcap': [
    ['two answers were sent again as fast retransmissions: tshark counts them again', 'http.status'],
  ],
  'http-arkime-mix.pcap': [
    ['GTP, NSH and Cisco metadata are not decoded', 'icmp.8/0'],
    ['HTTP/2 in clear text on port 443, where tshark expects TLS', 'http.http2_frames'],
  ],
  'db-mongo-retrans.pcap': [['tshark takes three messages of MongoDB for SSL 2.0', 'tls.alert_records']],
}

async function analyze(path: string, keyLikeTshark: boolean): Promise<ApplicationTracker> {
  let tracker: ApplicationTracker | undefined
  const analysis = new Analysis({ keyLikeTshark, maxConnectionsCount: 20_000 }, (connections) => {
    tracker = new ApplicationTracker(connections)
    return [tracker]
  })
  await readCaptureFile(path, analysis)
  analysis.end()
  tracker!.finish()
  return tracker!
}

function compared(name: string, counters: ApplicationCounters | Truth): object {
  const chosen = Object.fromEntries(
    sections.map((section): [string, Record<string, unknown>] => [section, { ...counters[section] }]),
  )
  for (const [, ...keys] of exceptions[name] ?? []) {
    for (const key of keys) {
      const [section = '', inner = ''] = key.split('.')
      delete chosen[section]?.[inner]
    }
  }
  return chosen
}

describe('application counters of the lab captures', () => {
  it.each(Object.entries(truths))('%s: equal those of tshark 4.0.17', async (name, truth) => {
    expect(compared(name, (await analyze(join(labCaptures, name), true)).counters())).toEqual(compared(name, truth))
  })
})

describeWith(needsSharedCaptures, 'application counters of the shared captures', () => {
  const captures = sharedCaptureRows<Truth>()

  it.each(captures)('%s: equal those of tshark 4.0.17', async (name, { file, truth }) => {
    expect(compared(name, (await analyze(join(sharedCaptures, file), true)).counters())).toEqual(compared(name, truth))
  })

  it('knows no exception for a capture that is not there', () => {
    const names = captures.map(([name]) => name)
    expect(Object.keys(exceptions).filter((name) => !names.includes(name))).toEqual([])
  })
})

describe('facts of the lab captures', () => {
  it('finds what the search list of a pod costs', async () => {
    const { dns } = await analyze(join(labCaptures, 'dns-ndots5-storm.pcap'), false)
    expect(dns.search.top(10).map(({ base, wastedCount }) => [base, wastedCount])).toEqual([
      ['api.stripe.com', 6],
      ['sqs.eu-west-1.amazonaws.com', 6],
      ['github.com', 6],
      ['www.googleapis.com', 6],
      ['db.prod', 2],
      ['kubernetes.default', 2],
    ])
    expect(dns.race.count).toBe(0)
  })

  it('finds an address that no host has', async () => {
    const { neighbors } = await analyze(join(labCaptures, 'arp-unanswered.pcap'), false)
    expect(neighbors.unanswered()).toMatchObject([{ address: '10.244.1.99', asker: '10.244.1.10', count: 3 }])
  })

  it('says which flow an ICMP error is about', async () => {
    const { icmp } = await analyze(join(labCaptures, 'udp-port-unreachable.pcap'), false)
    expect(icmp.errors()).toMatchObject([
      { type: 3, code: 3, reporter: '10.244.1.20', count: 3, quoted: { destinationPort: 5555, protocol: 17 } },
    ])
  })
})
