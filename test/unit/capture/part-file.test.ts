import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cutToWholePackets, openPartFile } from '../../../src/capture/part-file.ts'
import { pcap } from '../pcap/bytes.ts'

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

it('writes what it is given, and knows its size, hash and packets all the while', async () => {
  const bytes = pcap(60, 1500, 0, 9)
  const part = await openPartFile(path)
  expect(part.received()).toBe(0)
  for (let at = 0; at < bytes.length; at += 100) {
    void part.push(bytes.subarray(at, at + 100))
    expect(part.received()).toBe(Math.min(at + 100, bytes.length))
  }
  await part.close()
  expect(part.sha256()).toBe(hash(bytes))
  expect(part.scan()).toMatchObject({ packets: 4, bytes: bytes.length })
  expect(part.stored()).toBe(bytes.length)
  expect(readFileSync(path).equals(bytes)).toBe(true)
})

it('is readable for its owner alone', async () => {
  await (await openPartFile(path)).close()
  expect(statSync(path).mode & 0o777).toBe(0o600)
})

it('never says stored before the file system has it', async () => {
  const part = await openPartFile(path)
  const chunk = Buffer.alloc(100_000, 1)
  const waits: Promise<void>[] = []
  for (let i = 0; i < 50; i += 1) {
    const wait = part.push(chunk)
    if (wait) waits.push(wait)
    expect(part.stored()).toBeLessThanOrEqual(statSync(path, { throwIfNoEntry: false })?.size ?? 0)
    if (i % 10 === 9) await Promise.all(waits)
  }
  await part.close()
  expect(part.stored()).toBe(5_000_000)
})

it('asks the sender to wait when the disk is behind, and lets it go on', async () => {
  const part = await openPartFile(path)
  const waiting = part.push(Buffer.alloc(8 * 1024 * 1024))
  expect(waiting).toBeInstanceOf(Promise)
  await waiting
  expect(part.stored()).toBeGreaterThan(0)
  await part.close()
  expect(part.stored()).toBe(8 * 1024 * 1024)
})

it('goes on where an earlier process ended, in the middle of a packet', async () => {
  const bytes = pcap(60, 1500, 9)
  writeFileSync(path, bytes.subarray(0, 130))
  const part = await openPartFile(path)
  expect(part.received()).toBe(130)
  expect(part.stored()).toBe(130)
  expect(part.scan()).toMatchObject({ packets: 1, bytes: 130, wholeBytes: 100 })
  void part.push(bytes.subarray(130))
  expect(part.received()).toBe(bytes.length)
  await part.close()
  expect(part.sha256()).toBe(hash(bytes))
  expect(part.scan()).toMatchObject({ packets: 3, wholeBytes: bytes.length })
  expect(readFileSync(path).equals(bytes)).toBe(true)
})

it('tells the error of the disk to the next sender and to the one who closes', async () => {
  symlinkSync('/dev/full', path)
  const part = await openPartFile(path)
  await expect(part.push(Buffer.alloc(8 * 1024 * 1024))).rejects.toThrow(/ENOSPC/)
  await expect(part.push(Buffer.alloc(1))).rejects.toThrow(/ENOSPC/)
  expect(part.stored()).toBe(0)
  await expect(part.close()).rejects.toThrow(/ENOSPC/)
})

it('tells a small write that the disk refused at the latest at the close', async () => {
  symlinkSync('/dev/full', path)
  const part = await openPartFile(path)
  void part.push(pcap(60))
  await expect(part.close()).rejects.toThrow(/ENOSPC/)
})

it('tells that it cannot be opened', async () => {
  const open = openPartFile(join(folder, 'no', 'such', 'folder.part'))
  await expect(open.then((part) => part.close())).rejects.toThrow(/ENOENT/)
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
  ])('of the first %d bytes leaves %d with %d packets', async (length, whole, packets) => {
    writeFileSync(path, pcap(60, 1500).subarray(0, length))
    await expect(cutToWholePackets(path)).resolves.toMatchObject({ scan: { packets, bytes: whole, wholeBytes: whole } })
    expect(statSync(path).size).toBe(whole)
  })

  it('leaves what came before the damage', async () => {
    writeFileSync(path, Buffer.concat([pcap(60), Buffer.alloc(500, 0xff)]))
    await expect(cutToWholePackets(path)).resolves.toMatchObject({ scan: { packets: 1, bytes: 100 } })
    expect(readFileSync(path).equals(pcap(60))).toBe(true)
  })
})
