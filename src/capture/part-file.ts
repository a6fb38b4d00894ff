import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { stat, truncate } from 'node:fs/promises'
import { createScanner, type PcapScan } from '../pcap/scanner.ts'

/** The runner's end of the spool: a file that grows, its hash, and a reader that follows the packets. */
export interface PartFile {
  readonly path: string
  /** bytes taken so far: the offset from which a broken connection goes on */
  received(): number
  /** bytes that the file system has: what the pod may forget */
  stored(): number
  /** Takes bytes; a promise asks the sender to wait. It rejects when the disk refuses. */
  push(chunk: Buffer): Promise<void> | undefined
  scan(): PcapScan
  /** SHA-256 of all bytes taken so far, hex */
  sha256(): string
  /** Waits until everything is on disk and closes. @throws the file system's error */
  close(): Promise<void>
}

/** What is queued in memory before the sender is asked to wait, bytes. */
const queue = 1024 * 1024

/** Opens a part file; one that is there already (main was cancelled) is read again and continued. */
export async function openPartFile(path: string): Promise<PartFile> {
  const hash = createHash('sha256')
  const scanner = createScanner()
  let received = 0
  const existing = await stat(path).then(
    (found) => found.size,
    () => 0,
  )
  if (existing > 0) {
    for await (const chunk of createReadStream(path, { highWaterMark: queue })) {
      hash.update(chunk as Buffer)
      scanner.push(chunk as Buffer)
      received += (chunk as Buffer).length
    }
  }
  const stream = createWriteStream(path, { flags: 'a', mode: 0o600, highWaterMark: queue })
  let failure: Error | undefined
  stream.on('error', (error) => (failure ??= error))
  let draining: Promise<void> | undefined
  const drained = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const settle = (): void => {
        stream.off('drain', settle)
        stream.off('close', settle)
        if (failure) reject(failure)
        else resolve()
      }
      stream.once('drain', settle)
      stream.once('close', settle)
    })
  return {
    path,
    received: () => received,
    stored: () => existing + stream.bytesWritten,
    push(chunk) {
      if (failure) return Promise.reject(failure)
      received += chunk.length
      hash.update(chunk)
      scanner.push(chunk)
      if (stream.write(chunk)) return undefined
      // Several frames may still come after the sender was asked to wait: they all wait for the same drain.
      draining ??= drained().finally(() => (draining = undefined))
      return draining
    },
    scan: () => scanner.result(),
    sha256: () => hash.copy().digest('hex'),
    close: () =>
      new Promise((resolve, reject) => {
        const settle = (): void => {
          if (failure) reject(failure)
          else resolve()
        }
        if (stream.closed) settle()
        else stream.once('close', settle)
        stream.end()
      }),
  }
}

/** Cuts a file back to its last whole packet; says what is in it then. For a disk that refused, only the file itself knows what it has. */
export async function cutToWholePackets(path: string): Promise<PcapScan> {
  const scanner = createScanner()
  for await (const chunk of createReadStream(path, { highWaterMark: queue })) scanner.push(chunk as Buffer)
  const scan = scanner.result()
  if (scan.bytes > scan.wholeBytes) await truncate(path, scan.wholeBytes)
  return { ...scan, bytes: scan.wholeBytes }
}
