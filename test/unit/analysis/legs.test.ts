import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { Analysis } from '../../../src/analysis/analysis.ts'
import { readCaptureFile } from '../../../src/pcap/capture-file.ts'
import { readRecords } from '../../support/capture-variants.ts'
import { diagnosisOf } from '../../support/diagnose.ts'

const folder = join(import.meta.dirname, 'captures')

async function analyse(name: string): Promise<Analysis> {
  const analysis = new Analysis({ maxConnectionsCount: 20_000 })
  await readCaptureFile(join(folder, name), analysis)
  analysis.end()
  return analysis
}

describe('a connection that a sidecar takes over, recorded in the pod of its client', () => {
  it('is one connection with requests and answers, to the address that the client asked for', async () => {
    const { findings, servers, withheld } = await diagnosisOf(join(folder, 'mesh-client.pcap'))
    expect(findings.map(({ id, count, facts }) => [id, count, facts['requests']])).toEqual([
      ['http-client-errors', 5, 5],
    ])
    expect(findings[0]?.evidence[0]).toMatchObject({
      client: { address: '10.244.0.25' },
      server: { address: '10.96.243.166', port: 80 },
    })
    expect(withheld).toEqual([])
    // Of the connections between the pods: in those to the sidecar of the same pod, the sidecar answers the handshake.
    expect(servers).toMatchObject([{ server: { port: 80 }, connections: 7, roundTrip: { count: 2 } }])
  })
})

describe('a connection to a service, recorded on the node on both sides of its NAT', () => {
  it('is counted once, and has the address of the pod that it reached', async () => {
    const { connections } = await analyse('node-service.pcap')
    expect(connections.tcp.totals).toMatchObject({ connections: 2, syn: 2, synack: 2 })
    expect(connections.facts(0)).toMatchObject({
      server: { address: '10.96.243.166', port: 80 },
      backend: { address: '10.244.0.24', port: 8080 },
    })
  })

  it('has no finding of its legs', async () => {
    const { findings, withheld } = await diagnosisOf(join(folder, 'node-service.pcap'))
    expect({ findings, withheld }).toEqual({ findings: [], withheld: [] })
  })
})

describe('a connection to a service, recorded on a node before and behind its NAT', () => {
  it('is one connection also where it began before the capture', async () => {
    const { findings } = await diagnosisOf(join(folder, 'nat-midstream.pcap'))
    expect(findings.map(({ title }) => title)).toEqual([
      '10.99.0.5:80 (backend 10.250.2.20:8080) answered 2 of 4 requests with status 503 (GET /503)',
    ])
    expect(findings[0]?.evidence[0]).toMatchObject({
      client: { address: '10.250.1.10' },
      server: { address: '10.99.0.5', port: 80 },
      backend: { address: '10.250.2.20', port: 8080 },
    })
  })

  it('names the backend that refused it, or that did not answer', async () => {
    const { findings } = await diagnosisOf(join(folder, 'nat-refused-dropped.pcap'))
    expect(findings.map(({ title }) => title)).toEqual([
      '1 connection to 10.99.0.5:82 (backend 10.250.2.20:8082) got no answer (4 SYN in 3.072 s)',
      '2 connections to 10.99.0.5:81 (backend 10.250.2.20:9) refused: nothing listens on the port',
    ])
  })

  it('has each DNS query once, with the backend, and each ICMP error once', async () => {
    const { findings, servers, withheld } = await diagnosisOf(join(folder, 'nat-dns.pcap'))
    expect(findings.map(({ id, count, title }) => [id, count, /\(.*backend [^,)]*\)/.exec(title)?.[0]])).toEqual([
      ['icmp-rejected', 6, '(UDP, backend 10.250.2.20:54)'],
      ['dns-unanswered', 3, '(backend 10.250.2.20:54)'],
      ['dns-failed', 4, '(backend 10.250.2.20:5353)'],
    ])
    expect(servers.map(({ server }) => server.address)).toEqual(['10.99.0.10', '10.99.0.11', '10.99.0.12'])
    expect(withheld).toEqual([])
  })

  it('is not taken for one where a client asks two DNS servers at once with the same query, as musl does', async () => {
    const pcap = readFileSync(join(folder, 'nat-dns.pcap'))
    const file = readRecords(pcap)
    const [query] = file.filter(({ frame }) => frame.readUInt16BE(0) === 0x0800 && frame[29] === 17)
    const asked = [10, 11].map((last) => {
      const frame = Buffer.from(query!.frame)
      frame[20 + 19] = last
      return Buffer.concat([query!.header, frame])
    })
    const { servers } = await diagnosisOf(Buffer.concat([pcap.subarray(0, 24), ...asked]))
    expect(servers.map(({ server, requests }) => [server.address, requests])).toEqual([
      ['10.99.0.10', 1],
      ['10.99.0.11', 1],
    ])
  })
})

describe('the halves of a connection that is redirected to a proxy in the pod', () => {
  it('are joined where the capture begins with an answer', async () => {
    const { findings, withheld, capture } = await diagnosisOf(join(folder, 'side-midstream.pcap'))
    expect(findings.map(({ title }) => title)).toEqual([
      '10.99.0.5:80 answered 2 of 3 requests with status 503 (GET /503)',
    ])
    expect(withheld).toEqual([])
    expect(capture).toMatchObject({ tcpConnections: 1, oneWay: 0 })
  })

  it('are both found by the display filter', async () => {
    const { findings } = await diagnosisOf(join(folder, 'side-midstream.pcap'))
    expect(findings[0]?.displayFilter).toContain('((ip.addr == 10.99.0.5 && tcp.port == 80) || tcp.port == 15001)')
  })

  it('are joined for DNS queries that a sidecar answers', async () => {
    const diagnosis = await diagnosisOf(join(folder, 'side-dns.pcap'))
    expect(diagnosis).toMatchObject({ culprit: 'none', sureness: 'high', findings: [], withheld: [] })
    expect(diagnosis.clean).toMatchObject([{ area: 'dns' }])
    expect(diagnosis.servers).toMatchObject([{ server: { address: '127.0.0.1' }, requests: 3, failures: 0 }])
  })
})
