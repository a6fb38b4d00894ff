/**
 * The rate of the analysis (decoding, connections, tshark's TCP counters, findings) on a capture file, for usual and for small packets, in CPU time
 * of one core. The reference in the same run is one pass of tshark, where it is installed. `npm exec node bench/analysis.ts` needs only Node.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Analysis } from '../src/analysis/analysis.ts'
import { ConnectionFindings } from '../src/analysis/findings/connection-findings.ts'
import { readCaptureFile } from '../src/pcap/capture-file.ts'
import { median } from './median.ts'
import { SegmentWriter } from './segment-writer.ts'

const rounds = 5
/** tshark is slow: it gets a file of this share. */
const referenceShare = 0.1
const cases = [
  { name: 'usual packets', fileBytes: 200e6, connections: 300, payloads: [1_448, 1_448, 1_448, 200, 2_896] },
  { name: 'small packets', fileBytes: 100e6, connections: 5_000, payloads: [40, 60, 100] },
]
const flag = { syn: 2, ack: 16, fin: 1 } as const

const folder = mkdtempSync(join(tmpdir(), 'bench-analysis-'))
try {
  for (const { name, fileBytes, connections, payloads } of cases) {
    const path = join(folder, 'capture.pcap')
    const packets = writeCapture(path, { fileBytes, connections, payloads })
    const seconds: number[] = []
    for (let round = 0; round < rounds; round += 1) seconds.push(await analysisSeconds(path))
    const spent = median(seconds)
    const rate = fileBytes / 1e6 / spent
    const memory = Math.round(process.memoryUsage().rss / 1e6)
    writeCapture(path, { fileBytes: fileBytes * referenceShare, connections, payloads })
    const reference = tsharkSeconds(path)
    const ratio =
      reference === undefined
        ? 'tshark is not installed'
        : `${(reference / referenceShare / spent).toFixed(0)} x the rate of tshark`
    console.log(
      `${name}: ${rate.toFixed(0)} MB/s, ${(packets / spent / 1e6).toFixed(2)} million packets/s, RSS ${memory} MB, ${ratio}`,
    )
  }
} finally {
  rmSync(folder, { recursive: true })
}

async function analysisSeconds(path: string): Promise<number> {
  const before = process.cpuUsage()
  let findings: ConnectionFindings | undefined
  const analysis: Analysis = new Analysis({}, (tracker) => [(findings = new ConnectionFindings(tracker, () => 0))])
  await readCaptureFile(path, analysis)
  analysis.end()
  if (findings?.findings().length !== 0) throw new Error('a healthy capture has findings')
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1e6
}

function tsharkSeconds(path: string): number | undefined {
  const script = 'tshark -n -q -z io,stat,0 -r "$0" > /dev/null 2>&1 && times'
  const { stdout, status } = spawnSync('bash', ['-c', script, path], { encoding: 'utf8' })
  if (status !== 0) return undefined
  // The second line is the time of the children: user and system, such as "0m1.234s 0m0.100s".
  const times = (stdout.split('\n')[1] ?? '').matchAll(/(\d+)m([\d.]+)s/g)
  return [...times].reduce((sum, [, minutes, seconds]) => sum + Number(minutes) * 60 + Number(seconds), 0)
}

interface CaptureShape {
  readonly fileBytes: number
  /** at once */
  readonly connections: number
  readonly payloads: readonly number[]
}

/** Connections with 5 to 60 segments of data, from handshake to FIN, interleaved. Returns the number of packets. */
function writeCapture(path: string, { fileBytes, connections, payloads }: CaptureShape): number {
  const writer = new SegmentWriter(path)
  let state = 1
  const random = (limit: number): number => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) % limit
  const open: { id: number; sent: number; left: number }[] = []
  for (let id = 0; writer.bytes < fileBytes;) {
    if (open.length < connections) {
      id += 1
      writer.write(id, false, { seq: 1_000, ack: 0, flags: flag.syn })
      writer.write(id, true, { seq: 5_000, ack: 1_001, flags: flag.syn | flag.ack })
      writer.write(id, false, { seq: 1_001, ack: 5_001, flags: flag.ack })
      open.push({ id, sent: 5_001, left: 5 + random(56) })
      continue
    }
    const index = random(open.length)
    const connection = open[index]!
    if (connection.left === 0) {
      writer.write(connection.id, false, { seq: 1_001, ack: connection.sent, flags: flag.fin | flag.ack })
      writer.write(connection.id, true, { seq: connection.sent, ack: 1_002, flags: flag.fin | flag.ack })
      open.splice(index, 1)
      continue
    }
    const bytes = payloads[random(payloads.length)]!
    writer.write(connection.id, true, { seq: connection.sent, ack: 1_001, flags: flag.ack, bytes })
    connection.sent += bytes
    connection.left -= 1
    writer.write(connection.id, false, { seq: 1_001, ack: connection.sent, flags: flag.ack })
  }
  writer.close()
  return writer.packets
}
