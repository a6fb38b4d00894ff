import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { Analysis } from '../../../src/analysis/analysis.ts'
import { readCaptureFile } from '../../../src/pcap/capture-file.ts'
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
