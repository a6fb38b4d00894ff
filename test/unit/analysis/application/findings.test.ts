import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Analysis } from '../../../../src/analysis/analysis.ts'
import { ApplicationTracker } from '../../../../src/analysis/application/application-tracker.ts'
import { applicationFindings } from '../../../../src/analysis/findings/application-findings.ts'
import type { Finding } from '../../../../src/analysis/findings/finding.ts'
import { readCaptureFile } from '../../../../src/pcap/capture-file.ts'

interface Truth {
  readonly first: number
  readonly last: number
}

const lab = new URL('../../../captures/', import.meta.url)
const { captures } = JSON.parse(readFileSync(new URL('truth.json', lab), 'utf8')) as { captures: Record<string, Truth> }

async function findingsOf(name: string): Promise<Finding[]> {
  let tracker: ApplicationTracker | undefined
  const analysis = new Analysis({ maxConnectionsCount: 1000 }, (connections) => {
    tracker = new ApplicationTracker(connections)
    return [tracker]
  })
  await readCaptureFile(fileURLToPath(new URL(name, lab)), analysis)
  analysis.end()
  tracker!.finish()
  return applicationFindings(tracker!, { baseSeconds: analysis.decoder.baseSeconds, endSeconds: captures[name]!.last })
}

/** Captures that show something, and all that they show. */
const expected: Record<string, readonly string[]> = {
  'node-any-sll2-dup.pcap': ['http-server-errors'],
  'node-any-sll-dup.pcap': ['http-server-errors'],
  'pod-http-ipv6.pcap': ['http-server-errors'],
  'pod-http-slow-server.pcap': ['http-slow'],
  'pod-snap96.pcap': ['http-server-errors'],
  'lo-http-503.pcap': ['http-server-errors'],
  'rst-after-request.pcap': ['http-unanswered'],
  'arp-unanswered.pcap': ['address-missing'],
  'udp-port-unreachable.pcap': ['icmp-rejected'],
  'dns-ndots5-storm.pcap': ['dns-search-list'],
  'dns-errors.pcap': ['dns-failed', 'dns-failed', 'dns-slow', 'dns-unanswered'],
  'dns-server-down.pcap': ['dns-unanswered', 'icmp-rejected'],
  'tls12-unknown-ca.pcap': ['tls-alert'],
  'tls13-unknown-ca.pcap': ['tls-alert'],
  'tls-protocol-version.pcap': ['tls-alert'],
  'tls12-no-shared-cipher.pcap': ['tls-alert'],
  'tls-to-plain-http.pcap': ['tls-to-plain-server'],
}

describe('Findings of the application protocols', () => {
  it.each(Object.keys(captures))('%s: has those that it shows, and no other', async (name) => {
    const findings = await findingsOf(name)
    expect(findings.map(({ id }) => id).sort()).toEqual(expected[name] ?? [])
    for (const { evidence, likelyCauses, nextSteps, count } of findings) {
      expect(count).toBeGreaterThan(0)
      expect(evidence[0]!.frames.length).toBeGreaterThan(0)
      expect(evidence[0]!.firstMs / 1000).toBeGreaterThanOrEqual(captures[name]!.first - 0.01)
      expect(evidence[0]!.lastMs / 1000).toBeLessThanOrEqual(captures[name]!.last)
      expect([likelyCauses.length > 0, nextSteps.length > 0]).toEqual([true, true])
    }
  })

  it('counts a packet that is seen on several interfaces once', async () => {
    const [finding] = await findingsOf('node-any-sll2-dup.pcap')
    expect(finding?.title).toBe('10.244.1.20:8080 answered 1 of 2 requests with status 503 (GET /503)')
  })

  it('says who rejected a handshake, and why', async () => {
    const [finding] = await findingsOf('tls12-unknown-ca.pcap')
    expect(finding?.title).toBe(
      '1 TLS handshake with web.prod.svc (10.244.1.20:7446) failed: the client sent the alert unknown_ca (the certificate is signed by a CA that is not trusted)',
    )
    expect(finding?.displayFilter).toBe('tls.alert_message && ip.addr == 10.244.1.20 && tcp.port == 7446')
  })

  it('names what the search list costs', async () => {
    const [finding] = await findingsOf('dns-ndots5-storm.pcap')
    expect(finding?.title).toBe(
      '28 DNS queries only tried the search list of the pod for 6 names (api.stripe.com, sqs.eu-west-1.amazonaws.com, github.com and 3 more), 3.3 queries for each answer',
    )
  })
})
