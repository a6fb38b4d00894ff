/**
 * The rate of the pcap reader with the scanner on a stream, for small, usual and very large packets, in chunks as from a WebSocket.
 * The reference in the same run is a copy of the same chunks. `npm exec node bench/reader.ts` needs only Node.
 */
import { PcapReader } from '../src/pcap/reader.ts'
import { PcapScanner } from '../src/pcap/scanner.ts'
import { median } from './median.ts'

const rounds = 15
const totalBytes = 64e6
const chunkBytes = 32_768

for (const packetBytes of [60, 1_508, 65_000]) {
  const chunks = streamOf(packetBytes)
  const readerRates: number[] = []
  const copyRates: number[] = []
  for (let round = 0; round < rounds; round += 1) {
    readerRates.push(rateOf(chunks, read))
    copyRates.push(rateOf(chunks, copy))
  }
  const rate = median(readerRates)
  const packets = Math.round((rate * 1e6) / (packetBytes + 16) / 1e3)
  console.log(
    `packets of ${packetBytes} bytes: ${rate.toFixed(0)} MB/s (${packets} thousand packets/s), ${(rate / median(copyRates)).toFixed(2)} x the rate of a copy`,
  )
}

function streamOf(packetBytes: number): readonly Buffer[] {
  const header = Buffer.alloc(24)
  header.writeUInt32LE(0xa1b2c3d4, 0)
  header.writeUInt32LE(262_144, 16)
  header.writeUInt32LE(276, 20)
  const record = Buffer.alloc(16 + packetBytes, 0x5a)
  ;[1_700_000_000, 1, packetBytes, packetBytes].forEach((value, index) => record.writeUInt32LE(value, index * 4))
  const count = Math.floor(totalBytes / record.length)
  const stream = Buffer.concat([header, ...Array.from({ length: count }, () => record)])
  const chunks: Buffer[] = []
  for (let at = 0; at < stream.length; at += chunkBytes) chunks.push(stream.subarray(at, at + chunkBytes))
  return chunks
}

/** MB/s */
function rateOf(chunks: readonly Buffer[], work: (chunks: readonly Buffer[]) => void): number {
  const size = chunks.reduce((sum, { length }) => sum + length, 0)
  const beganMs = performance.now()
  work(chunks)
  return size / 1e3 / (performance.now() - beganMs)
}

function read(chunks: readonly Buffer[]): void {
  const scanner = new PcapScanner()
  const reader = new PcapReader([scanner])
  for (const chunk of chunks) reader.push(chunk)
  const { bytes, wholeBytes, broken } = scanner.result(reader.progress())
  if (broken !== undefined || bytes !== wholeBytes) throw new Error(broken ?? 'the stream ends in a packet')
}

function copy(chunks: readonly Buffer[]): void {
  const target = Buffer.alloc(chunkBytes)
  for (const chunk of chunks) chunk.copy(target)
}
