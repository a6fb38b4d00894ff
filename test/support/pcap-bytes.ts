import { PcapReader } from '../../src/pcap/reader.ts'
import { PcapScanner, type PcapScan } from '../../src/pcap/scanner.ts'

/** Builds pcap files for the tests in the format of pcap-savefile(5). */

export interface FileOptions {
  magic?: number
  bigEndian?: boolean
  linkType?: number
  snaplen?: number
}

export const microseconds = 0xa1b2c3d4
export const nanoseconds = 0xa1b23c4d

export function fileHeader({
  magic = microseconds,
  bigEndian = false,
  linkType = 276,
  snaplen = 262144,
}: FileOptions = {}): Buffer {
  const header = Buffer.alloc(24)
  const word = (value: number, at: number): number =>
    bigEndian ? header.writeUInt32BE(value, at) : header.writeUInt32LE(value, at)
  word(magic, 0)
  if (bigEndian) header.writeUInt16BE(2, 4)
  else header.writeUInt16LE(2, 4)
  if (bigEndian) header.writeUInt16BE(4, 6)
  else header.writeUInt16LE(4, 6)
  word(snaplen, 16)
  word(linkType, 20)
  return header
}

/** One record; `fraction` is in the unit of the file. */
export function packet(length: number, seconds = 1_700_000_000, fraction = 0, bigEndian = false): Buffer {
  const record = Buffer.alloc(16 + length, 0x5a)
  const values = [seconds, fraction, length, length]
  values.forEach((value, i) => (bigEndian ? record.writeUInt32BE(value, i * 4) : record.writeUInt32LE(value, i * 4)))
  return record
}

/** A little-endian file with packets of the given lengths, one second apart. */
export function pcap(...lengths: number[]): Buffer {
  return Buffer.concat([fileHeader(), ...lengths.map((length, i) => packet(length, 1_700_000_000 + i))])
}

/** Scans `bytes` in chunks of `step` bytes. */
export function scanOf(bytes: Buffer, step = bytes.length): PcapScan {
  const scanner = new PcapScanner()
  const reader = new PcapReader([scanner])
  for (let at = 0; at < bytes.length; at += step) reader.push(bytes.subarray(at, at + step))
  return scanner.result(reader.progress())
}
