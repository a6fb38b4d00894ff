import { createHash, type Hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, rm, stat, truncate } from 'node:fs/promises'
import { freeBuffers } from '../garbage.ts'
import { createScanner, type PcapScan, type PcapScanner } from '../pcap/scanner.ts'

/** The runner's end of the spool: a file that grows, its hash, and a reader that follows the packets. */
export interface PartFile {
  readonly path: string
  /** bytes taken so far: the offset from which a broken connection goes on */
  received(): number
  /** bytes that the file system has: what the pod may forget */
  stored(): number
  /** Takes bytes; a promise asks the sender to wait. It rejects when the disk refuses. */
  push(chunk: Buffer): Promise<void> | undefined
  /** Sends what is collected to the file system, though a block is not full yet. */
  flush(): void
  scan(): PcapScan
  /** SHA-256 of all bytes taken, hex */
  sha256(): string
  /** Waits until everything is on disk and closes. @throws the file system's error */
  close(): Promise<void>
  /** Closes and removes the file: there was nothing to record. */
  discard(): Promise<void>
}

/** Frames of some KB are collected into blocks of this size, bytes: one write and one hash step for many, and no frame outlives its arrival. */
const blockSize = 1024 * 1024
/** As soon as this many blocks wait for the disk, the sender waits, too. */
const mostBlocks = 4
/** Bytes after which the frames that are done with are collected. */
const collectEvery = 16 * blockSize

/** Opens a part file; one that is there already (main was cancelled) is read again and continued. */
export async function openPartFile(path: string): Promise<PartFile> {
  const hash = createHash('sha256')
  const scanner = createScanner()
  const existing = await readAgain(path, hash, scanner)
  const file = await open(path, 'a', 0o600)
  let received = existing
  let stored = existing
  let uncollected = 0
  let block = Buffer.allocUnsafeSlow(blockSize)
  let filled = 0
  const full: Buffer<ArrayBuffer>[] = []
  const spare: Buffer<ArrayBuffer>[] = []
  let writer: Promise<void> | undefined
  let failure: Error | undefined
  const room = gate()

  const writeAll = async (): Promise<void> => {
    try {
      for (let next = full[0]; next !== undefined; next = full[0]) {
        for (let at = 0; at < next.length;) {
          const { bytesWritten } = await file.write(next, at)
          at += bytesWritten
          stored += bytesWritten
        }
        full.shift()
        if (next.length === blockSize) spare.push(next)
        if (full.length < mostBlocks) room.open()
      }
    } catch (error) {
      failure = error as Error
      full.length = 0
      room.fail(failure)
    } finally {
      writer = undefined
    }
  }
  const flush = (): void => {
    if (filled === 0 || failure) return
    const done = filled === blockSize ? block : Buffer.from(block.subarray(0, filled))
    hash.update(done)
    full.push(done)
    if (done === block) block = spare.pop() ?? Buffer.allocUnsafeSlow(blockSize)
    filled = 0
    writer ??= writeAll()
  }

  return {
    path,
    received: () => received,
    stored: () => stored,
    push(chunk) {
      if (failure) return Promise.reject(failure)
      received += chunk.length
      scanner.push(chunk)
      for (let at = 0; at < chunk.length;) {
        const step = Math.min(blockSize - filled, chunk.length - at)
        chunk.copy(block, filled, at, at + step)
        filled += step
        at += step
        if (filled === blockSize) flush()
      }
      uncollected += chunk.length
      if (uncollected > collectEvery) {
        uncollected = 0
        freeBuffers('minor')
      }
      return full.length < mostBlocks ? undefined : room.wait()
    },
    flush,
    scan: () => scanner.result(),
    sha256: () => hash.copy().update(block.subarray(0, filled)).digest('hex'),
    close: async () => {
      flush()
      await writer
      await file.close()
      if (failure) throw failure
    },
    discard: async () => {
      await file.close()
      await rm(path, { force: true })
    },
  }
}

/** A place to wait for room: everybody who waits is let go, or refused, together. */
function gate(): { wait(): Promise<void>; open(): void; fail(error: Error): void } {
  let waiting: { promise: Promise<void>; resolve: () => void; reject: (error: Error) => void } | undefined
  return {
    wait() {
      waiting ??= Promise.withResolvers<void>()
      return waiting.promise
    },
    open() {
      waiting?.resolve()
      waiting = undefined
    },
    fail(error) {
      waiting?.reject(error)
      waiting = undefined
    },
  }
}

async function readAgain(path: string, hash: Hash, scanner: PcapScanner): Promise<number> {
  const { size } = await stat(path).catch(() => ({ size: 0 }))
  if (size === 0) return 0
  for await (const chunk of createReadStream(path, { highWaterMark: blockSize })) {
    hash.update(chunk as Buffer)
    scanner.push(chunk as Buffer)
  }
  return scanner.result().bytes
}

/** What a broken file is cut back to: its whole packets, and the SHA-256 of them. For a disk that refused, only the file itself knows what it has. */
export async function cutToWholePackets(path: string): Promise<{ readonly scan: PcapScan; readonly sha256: string }> {
  const scanner = createScanner()
  await readAgain(path, createHash('sha256'), scanner)
  const scan = scanner.result()
  if (scan.bytes > scan.wholeBytes) await truncate(path, scan.wholeBytes)
  const hash = createHash('sha256')
  await readAgain(path, hash, createScanner())
  return { scan: { ...scan, bytes: scan.wholeBytes }, sha256: hash.digest('hex') }
}
