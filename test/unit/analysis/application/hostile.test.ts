import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Analysis } from '../../../../src/analysis/analysis.ts'
import { ApplicationTracker } from '../../../../src/analysis/application/application-tracker.ts'
import { readCaptureChunks } from '../../../../src/pcap/capture-file.ts'
import { client, RecordedConnection, server } from './recorded-stream.ts'

/** The same numbers in each run. */
function generator(seed: number): (limit: number) => number {
  let state = seed
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * limit)
  }
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes
  await Promise.resolve()
}

describe('Damaged captures', () => {
  it.each([
    'dns-ndots5-storm.pcap',
    'tls13-ok.pcap',
    'pod-http-ipv6.pcap',
    'node-eth0-vxlan8472.pcap',
    'udp-port-unreachable.pcap',
  ])('%s: no change of bytes makes the analysis fail or hold memory', async (name) => {
    const capture = readFileSync(fileURLToPath(new URL(`../../../captures/${name}`, import.meta.url)))
    for (let seed = 1; seed <= 15; seed++) {
      const random = generator(seed)
      const damaged = Buffer.from(capture)
      for (let count = 0; count < 30; count++) damaged[24 + random(damaged.length - 24)] = random(256)
      let tracker: ApplicationTracker | undefined
      const analysis = new Analysis({ maxConnectionsCount: 100 }, (connections) => [
        (tracker = new ApplicationTracker(connections)),
      ])
      await readCaptureChunks(once(damaged), analysis)
      analysis.end()
      tracker!.finish()
      JSON.stringify(tracker!.counters())
      expect(tracker!.budget.heldBytes).toBe(0)
    }
  })
})

describe('Hostile bytes in a stream', () => {
  const starts = {
    'HTTP/1': Buffer.from('POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n'),
    'HTTP/2': Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0', 'latin1'),
    TLS: Buffer.from([22, 3, 1, 0x20, 0, 11, 0, 0x1f, 0xfc]),
    DNS: Buffer.from([0xff, 0xff]),
  }

  it.each(Object.entries(starts))('%s: is read or given up, in bounded memory', (name, start) => {
    for (let seed = 1; seed <= 60; seed++) {
      const random = generator(seed)
      const connection = new RecordedConnection(name === 'DNS' ? 53 : 8080)
      let offset = 0
      let mostHeldBytes = 0
      for (let count = 0; count < 30; count++) {
        const bytes = Buffer.from(Array.from({ length: 1 + random(400) }, () => random(random(2) === 0 ? 32 : 256)))
        // A frame header that is right, so that what is behind it is read.
        if (name === 'HTTP/2')
          bytes.set(
            [0, 0, Math.min(random(256), bytes.length), random(10), random(256), 0, 0, 0, random(4)].slice(
              0,
              bytes.length,
            ),
          )
        const segment = count === 0 ? Buffer.concat([start, bytes]) : bytes
        connection.segment(random(8) === 0 ? server : client, offset, segment, random(20) === 0 ? random(1000) : 0)
        offset += segment.length + (random(10) === 0 ? random(500) : 0)
        mostHeldBytes = Math.max(mostHeldBytes, connection.budget.heldBytes)
      }
      expect(mostHeldBytes).toBeLessThan(1024 * 1024)
      connection.conversation.finish('reset', 0)
      expect(connection.budget.heldBytes).toBe(0)
    }
  })
})
