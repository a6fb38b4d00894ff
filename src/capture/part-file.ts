import { createHash, type Hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, rm, stat, truncate } from 'node:fs/promises'
import { freeBuffers } from '../common/gc.ts'
import { PcapReader, type PacketConsumer } from '../pcap/reader.ts'
import { PcapScanner, type PcapScan } from '../pcap/scanner.ts'
import { BlockWriter, blockBytes } from './block-writer.ts'

/** Bytes of chunks that are no longer used, after which their memory is collected. */
const collectEveryBytes = 16 * blockBytes

/** What the follower needs of a part file. */
export type SpoolSink = Pick<PartFile, 'receivedBytes' | 'storedBytes' | 'push' | 'flush'>

/**
 * A sink that takes `maxBytes` in all, counted from the begin of the file. What comes after them is dropped; `onTooMuch` is called each time, and ends
 * the connection.
 */
export function limitSink(part: SpoolSink, maxBytes: number, onTooMuch: () => void): SpoolSink {
  return {
    get receivedBytes() {
      return part.receivedBytes
    },
    get storedBytes() {
      return part.storedBytes
    },
    flush: () => part.flush(),
    push: (chunk) => {
      const roomBytes = Math.max(0, maxBytes - part.receivedBytes)
      if (chunk.length <= roomBytes) return part.push(chunk)
      const room = roomBytes === 0 ? undefined : part.push(chunk.subarray(0, roomBytes))
      onTooMuch()
      return room
    },
  }
}

interface PartFileParts {
  readonly path: string
  readonly hash: Hash
  readonly scanner: PcapScanner
  readonly reader: PcapReader
  readonly writer: BlockWriter
}

/**
 * Opens the part file at `path` (mode 0600), whose packets go to a scanner and to each of `consumers`. Bytes that the file already has (main was
 * cancelled, and post continues) are read again, through all of them. @throws the file system's error
 */
export async function openPartFile(path: string, consumers: readonly PacketConsumer[] = []): Promise<PartFile> {
  const hash = createHash('sha256')
  const scanner = new PcapScanner()
  const reader = new PcapReader([scanner, ...consumers])
  await readChunks(path, (chunk) => {
    hash.update(chunk)
    reader.push(chunk)
  })
  const file = await open(path, 'a', 0o600)
  const writer = new BlockWriter(file, reader.progress().bytes, (block) => hash.update(block))
  return new PartFile({ path, hash, scanner, reader, writer })
}

/** The runner's end of the spool: a file that grows, the hash of its bytes, and the readers of its packets. */
export class PartFile {
  readonly path: string
  #state: 'open' | 'closed' = 'open'
  /** of the blocks that were flushed */
  readonly #hash: Hash
  readonly #scanner: PcapScanner
  readonly #reader: PcapReader
  readonly #writer: BlockWriter
  #uncollectedBytes = 0

  constructor({ path, hash, scanner, reader, writer }: PartFileParts) {
    this.path = path
    this.#hash = hash
    this.#scanner = scanner
    this.#reader = reader
    this.#writer = writer
  }

  /** Bytes received so far: the offset at which the next connection continues. */
  get receivedBytes(): number {
    return this.#reader.progress().bytes
  }

  /** Bytes that the file system has taken: the pod may delete them from its spool. */
  get storedBytes(): number {
    return this.#writer.storedBytes
  }

  /** Takes bytes; a promise asks the sender to wait. It rejects when the disk fails. */
  push(chunk: Buffer): Promise<void> | undefined {
    if (this.#writer.error) return Promise.reject(this.#writer.error)
    this.#reader.push(chunk)
    const room = this.#writer.add(chunk)
    this.#uncollectedBytes += chunk.length
    if (this.#uncollectedBytes > collectEveryBytes) {
      this.#uncollectedBytes = 0
      freeBuffers('minor')
    }
    return room
  }

  /** Sends what is collected to the file system, though a block is not full yet. */
  flush(): void {
    this.#writer.flush()
  }

  scan(): PcapScan {
    return this.#scanner.result(this.#reader.progress())
  }

  /** SHA-256 of all bytes received, hex */
  sha256(): string {
    return this.#hash.copy().update(this.#writer.unflushed).digest('hex')
  }

  /** Waits until everything is on disk, closes the file, and reports the end to the consumers. @throws the file system's error */
  async close(): Promise<void> {
    if (this.#state === 'open') this.#reader.end()
    this.#state = 'closed'
    await this.#writer.close()
  }

  /** Closes and deletes the file: nothing was recorded. */
  async discard(): Promise<void> {
    await this.close().catch(() => undefined) // what the disk could not store is deleted anyway
    await rm(this.path, { force: true })
  }
}

/**
 * Cuts a broken file after its last whole packet. Returns the scan and the SHA-256 (hex) of what is left. After an error of the disk only the file
 * itself shows what it has, so it is read again. @throws the file system's error
 */
export async function cutToWholePackets(path: string): Promise<{ readonly scan: PcapScan; readonly sha256: string }> {
  const scanner = new PcapScanner()
  const reader = new PcapReader([scanner])
  await readChunks(path, (chunk) => reader.push(chunk))
  const scan = scanner.result(reader.progress())
  if (scan.bytes > scan.wholeBytes) await truncate(path, scan.wholeBytes)
  const hash = createHash('sha256')
  await readChunks(path, (chunk) => hash.update(chunk))
  return { scan: { ...scan, bytes: scan.wholeBytes }, sha256: hash.digest('hex') }
}

/** Reads a file that may be missing. */
async function readChunks(path: string, take: (chunk: Buffer) => void): Promise<void> {
  const { size } = await stat(path).catch(() => ({ size: 0 }))
  if (size === 0) return
  for await (const chunk of createReadStream(path, { highWaterMark: blockBytes })) take(chunk as Buffer)
}
