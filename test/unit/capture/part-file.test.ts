import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cutToWholePackets, openPartFile } from '../../../src/capture/part-file.ts'
import type { PacketConsumer, PcapEnd } from '../../../src/pcap/reader.ts'
import { pcap } from '../../support/pcap-bytes.ts'

let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'part-'))
  path = join(folder, 'capture.pcap.part')
})
afterEach(() => {
  rmSync(folder, { recursive: true })
})

const hash = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')

it('writes the received bytes, and reports their size, hash and packets at any time', async () => {
  const bytes = pcap(60, 1500, 0, 9)
  const part = await openPartFile(path)
  expect(part.receivedBytes).toBe(0)
  for (let at = 0; at < bytes.length; at += 100) {
    void part.push(bytes.subarray(at, at + 100))
    expect(part.receivedBytes).toBe(Math.min(at + 100, bytes.length))
  }
  await part.close()
  expect(part.sha256()).toBe(hash(bytes))
  expect(part.scan()).toMatchObject({ packets: 4, bytes: bytes.length })
  expect(part.storedBytes).toBe(bytes.length)
  expect(readFileSync(path).equals(bytes)).toBe(true)
})

it('is readable only by its owner', async () => {
  await (await openPartFile(path)).close()
  expect(statSync(path).mode & 0o777).toBe(0o600)
})

it('counts bytes as stored only after the file system has written them', async () => {
  const part = await openPartFile(path)
  const chunk = Buffer.alloc(100_000, 1)
  const waits: Promise<void>[] = []
  for (let i = 0; i < 50; i += 1) {
    const wait = part.push(chunk)
    if (wait) waits.push(wait)
    expect(part.storedBytes).toBeLessThanOrEqual(statSync(path, { throwIfNoEntry: false })?.size ?? 0)
    if (i % 10 === 9) await Promise.all(waits)
  }
  await part.close()
  expect(part.storedBytes).toBe(5_000_000)
})

it('asks the sender to wait while the disk is slow', async () => {
  const part = await openPartFile(path)
  const waiting = part.push(Buffer.alloc(8 * 1024 * 1024))
  expect(waiting).toBeInstanceOf(Promise)
  await waiting
  expect(part.storedBytes).toBeGreaterThan(0)
  await part.close()
  expect(part.storedBytes).toBe(8 * 1024 * 1024)
})

it('continues a file of an earlier process that ends in the middle of a packet', async () => {
  const bytes = pcap(60, 1500, 9)
  writeFileSync(path, bytes.subarray(0, 130))
  const part = await openPartFile(path)
  expect(part.receivedBytes).toBe(130)
  expect(part.storedBytes).toBe(130)
  expect(part.scan()).toMatchObject({ packets: 1, bytes: 130, wholeBytes: 100 })
  void part.push(bytes.subarray(130))
  expect(part.receivedBytes).toBe(bytes.length)
  await part.close()
  expect(part.sha256()).toBe(hash(bytes))
  expect(part.scan()).toMatchObject({ packets: 3, wholeBytes: bytes.length })
  expect(readFileSync(path).equals(bytes)).toBe(true)
})

it('rejects the next bytes and the close with the error of the disk', async () => {
  symlinkSync('/dev/full', path)
  const part = await openPartFile(path)
  await expect(part.push(Buffer.alloc(8 * 1024 * 1024))).rejects.toThrow(/ENOSPC/)
  await expect(part.push(Buffer.alloc(1))).rejects.toThrow(/ENOSPC/)
  expect(part.storedBytes).toBe(0)
  await expect(part.close()).rejects.toThrow(/ENOSPC/)
})

it('rejects the close when a small write fails', async () => {
  symlinkSync('/dev/full', path)
  const part = await openPartFile(path)
  void part.push(pcap(60))
  await expect(part.close()).rejects.toThrow(/ENOSPC/)
})

it('rejects when the file cannot be opened', async () => {
  const open = openPartFile(join(folder, 'no', 'such', 'folder.part'))
  await expect(open.then((part) => part.close())).rejects.toThrow(/ENOENT/)
})

describe('the packet consumers', () => {
  const counting = (): PacketConsumer & { readonly packets: number[]; readonly ends: PcapEnd[] } => {
    const packets: number[] = []
    const ends: PcapEnd[] = []
    return {
      packets,
      ends,
      onPacket: ({ capturedLength }) => packets.push(capturedLength),
      onEnd: (end) => ends.push(end),
    }
  }

  it('receive every packet when it arrives, and the end when the file is closed', async () => {
    const consumers = [counting(), counting()]
    const part = await openPartFile(path, consumers)
    void part.push(pcap(60, 1500))
    for (const { packets, ends } of consumers) expect({ packets, ends }).toEqual({ packets: [60, 1500], ends: [] })
    await part.close()
    for (const { ends } of consumers) expect(ends).toEqual([{ bytes: 1616, wholeBytes: 1616, broken: undefined }])
  })

  it('receive the packets of an earlier process again when the file is continued', async () => {
    const bytes = pcap(60, 1500, 9)
    writeFileSync(path, bytes.subarray(0, 130))
    const consumer = counting()
    const part = await openPartFile(path, [consumer])
    expect(consumer.packets).toEqual([60])
    void part.push(bytes.subarray(130))
    await part.discard()
    expect(consumer.packets).toEqual([60, 1500, 9])
    expect(consumer.ends).toHaveLength(1)
  })
})

describe('cutToWholePackets', () => {
  it.each([
    [0, 0, 0],
    [10, 0, 0],
    [24, 24, 0],
    [99, 24, 0],
    [100, 100, 1],
    [110, 100, 1],
    [1616, 1616, 2],
  ])('reduces a file of the first %d bytes to %d bytes with %d packets', async (length, whole, packets) => {
    writeFileSync(path, pcap(60, 1500).subarray(0, length))
    await expect(cutToWholePackets(path)).resolves.toMatchObject({ scan: { packets, bytes: whole, wholeBytes: whole } })
    expect(statSync(path).size).toBe(whole)
  })

  it('keeps the packets before damaged bytes', async () => {
    writeFileSync(path, Buffer.concat([pcap(60), Buffer.alloc(500, 0xff)]))
    await expect(cutToWholePackets(path)).resolves.toMatchObject({ scan: { packets: 1, bytes: 100 } })
    expect(readFileSync(path).equals(pcap(60))).toBe(true)
  })
})
