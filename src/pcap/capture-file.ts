import { once } from 'node:events'
import { open } from 'node:fs/promises'
import type { Transform } from 'node:stream'
import * as zlib from 'node:zlib'
import type { CaptureConsumer, CaptureEnd } from './capture-format.ts'
import { CaptureReader } from './capture-reader.ts'

const chunkBytes = 4_194_304
/** What a decompressor gets at once: the output before an error in a later piece is kept. */
const compressedChunkBytes = 16_384

/**
 * Reads a capture file, or standard input for `-`, also where it is compressed with gzip or zstd, and gives each packet to the consumer.
 * A damaged file is read as far as it goes; the result says where it ended. Throws the error of node:fs where the file cannot be opened or read.
 */
export async function readCaptureFile(path: string, consumer: CaptureConsumer): Promise<CaptureEnd> {
  return path === '-' ? readCaptureChunks(process.stdin, consumer) : readCaptureChunks(fileChunks(path), consumer)
}

/** As `readCaptureFile`, for chunks of any size. A chunk may be reused for the next one. */
export async function readCaptureChunks(chunks: AsyncIterable<Buffer>, consumer: CaptureConsumer): Promise<CaptureEnd> {
  const reader = new CaptureReader(consumer)
  let start: Buffer = Buffer.alloc(0)
  let decompressor: Decompressor | undefined
  let isStarted = false
  for await (const chunk of chunks) {
    if (isStarted) {
      await pushTo(reader, decompressor, chunk)
      continue
    }
    start = Buffer.concat([start, chunk])
    if (start.length < 4) continue
    isStarted = true
    decompressor = Decompressor.for(start, reader)
    await pushTo(reader, decompressor, start)
  }
  if (!isStarted) reader.push(start)
  const problem = await decompressor?.end()
  const end = reader.end()
  return problem === undefined ? end : { ...end, broken: end.broken ?? problem }
}

async function pushTo(reader: CaptureReader, decompressor: Decompressor | undefined, chunk: Buffer): Promise<void> {
  if (decompressor === undefined) reader.push(chunk)
  else await decompressor.push(chunk)
}

/** One buffer for all chunks. */
async function* fileChunks(path: string): AsyncGenerator<Buffer> {
  const file = await open(path, 'r')
  try {
    const buffer = Buffer.allocUnsafeSlow(chunkBytes)
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, chunkBytes, null)
      if (bytesRead === 0) return
      yield buffer.subarray(0, bytesRead)
    }
  } finally {
    await file.close()
  }
}

/** Gives what a gzip or zstd stream holds to a reader, up to the first error. */
class Decompressor {
  readonly #stream: Transform
  #problem: string | undefined
  /** lets `push` go on: after an error, the stream calls no callback of a write */
  #resume: () => void = () => undefined

  static for(start: Buffer, reader: CaptureReader): Decompressor | undefined {
    if (start[0] === 0x1f && start[1] === 0x8b) {
      // A stream that was cut gives all that is there: whether the capture in it is whole, its records tell.
      return new Decompressor(
        zlib.createGunzip({ finishFlush: zlib.constants.Z_SYNC_FLUSH, chunkSize: 262_144 }),
        reader,
      )
    }
    // Node 22.15 and 24 have zstd. Without it the reader names the unknown magic.
    if (start.readUInt32LE(0) === 0xfd2fb528 && 'createZstdDecompress' in zlib) {
      return new Decompressor(zlib.createZstdDecompress({ chunkSize: 262_144 }), reader)
    }
    return undefined
  }

  private constructor(stream: Transform, reader: CaptureReader) {
    this.#stream = stream
    stream.on('data', (chunk: Buffer) => reader.push(chunk))
    stream.on('error', (error) => {
      this.#problem ??= `the compressed data is damaged: ${error.message}`
      this.#resume()
    })
  }

  async push(chunk: Buffer): Promise<void> {
    for (let at = 0; at < chunk.length && this.#problem === undefined; at += compressedChunkBytes) {
      // The stream keeps what it is given, the chunk is reused.
      const piece = Buffer.from(chunk.subarray(at, at + compressedChunkBytes))
      await new Promise<void>((resolve) => {
        this.#resume = resolve
        this.#stream.write(piece, () => resolve())
      })
    }
  }

  /** What was wrong with the compressed data. */
  async end(): Promise<string | undefined> {
    if (this.#problem !== undefined) return this.#problem
    const closed = once(this.#stream, 'close').catch(() => undefined)
    this.#stream.end()
    await closed
    return this.#problem
  }
}
