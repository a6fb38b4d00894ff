import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { labCaptures } from '../../support/captures.ts'
import { diagnosisOf } from '../../support/diagnose.ts'

const captures = readdirSync(labCaptures).filter((name) => name.endsWith('.pcap'))

const detailsOf = async (name: string) => (await diagnosisOf(join(labCaptures, `${name}.pcap`))).details

describe('the timeline', () => {
  it.each(captures)('of %s has all packets but the copies', async (name) => {
    const { details, capture } = await diagnosisOf(join(labCaptures, name))
    const { timeline } = details
    if (timeline === undefined) throw new Error('there is none')
    const { buckets, startMs, bucketSeconds } = timeline
    const sum = (of: 'packets' | 'bytes'): number => buckets.reduce((all, bucket) => all + bucket[of], 0)
    expect(sum('packets')).toBe(capture.packets - capture.copies)
    if (capture.copies === 0) expect(sum('bytes')).toBe(capture.bytesOnWire)
    expect(buckets.length).toBeLessThanOrEqual(60)
    expect(startMs).toBeLessThan((capture.firstMs ?? 0) + 1)
    expect(startMs + bucketSeconds * 1_000).toBeGreaterThan(capture.firstMs ?? 0)
    expect(buckets.at(-1)?.packets).toBeGreaterThan(0)
  })

  it('has the failed queries at the time when they were sent', async () => {
    const { timeline } = await detailsOf('dns-errors')
    const failures = timeline?.buckets.map((bucket) => bucket.failures) ?? []
    // four times SERVFAIL, four times REFUSED; two queries that got no answer; and both again after 5 s
    expect(failures.filter((count) => count > 0)).toEqual([8, 2, 2])
    expect([failures.indexOf(8), failures.lastIndexOf(2)]).toEqual([0, failures.length - 1])
  })

  it.each([
    ['syn-refused', { resets: 3, retransmissions: 0, failures: 0 }],
    ['tls13-ok', { resets: 0, retransmissions: 0, failures: 0 }],
    ['lo-http-503', { resets: 0, retransmissions: 0, failures: 1 }],
    ['udp-port-unreachable', { resets: 0, retransmissions: 0, failures: 3 }],
  ])('of %s has its errors', async (name, expected) => {
    const { timeline } = await detailsOf(name)
    const sums = { resets: 0, retransmissions: 0, failures: 0 }
    for (const bucket of timeline?.buckets ?? [])
      for (const key of ['resets', 'retransmissions', 'failures'] as const) sums[key] += bucket[key]
    expect(sums).toEqual(expected)
  })
})

describe('the tables', () => {
  it('have one row for all connections of a client with a server', async () => {
    const { details, capture } = await diagnosisOf(join(labCaptures, 'rst-after-request.pcap'))
    expect(details.peers).toEqual([
      {
        protocol: 'TCP',
        client: '10.244.1.10',
        server: { address: '10.244.1.20', port: 7002 },
        connections: 3,
        packets: 18,
        bytes: capture.bytesOnWire,
      },
    ])
  })

  it('have DNS by server and by name', async () => {
    const { dns } = await detailsOf('dns-errors')
    expect(dns.servers).toMatchObject([
      {
        server: { address: '10.244.1.20', port: 53 },
        queries: 16,
        failures: [
          ['SERVFAIL', 4],
          ['REFUSED', 4],
          ['NXDOMAIN', 2],
          ['no answer', 4],
        ],
      },
    ])
    expect(dns.failedNames).toContainEqual(['servfail.example.com: SERVFAIL', 4])
  })

  it('have TLS with versions, failures and certificates', async () => {
    const { tls } = await detailsOf('tls12-unknown-ca')
    expect(tls).toMatchObject({
      handshakes: 1,
      names: [['web.prod.svc', 1]],
      versions: [['TLS 1.2', 1]],
      failures: [{ name: 'web.prod.svc', reason: 'alert unknown_ca of the client', count: 1 }],
      certificates: [{ names: ['web.prod.svc', 'localhost'] }],
    })
  })

  it('have HTTP with statuses and failed requests', async () => {
    const { http } = await detailsOf('lo-http-503')
    expect(http.servers).toMatchObject([
      {
        requests: 2,
        statuses: [
          ['200', 1],
          ['503', 1],
        ],
      },
    ])
    expect(http.failedRequests).toEqual([['GET /503: 503', 1]])
  })
})
