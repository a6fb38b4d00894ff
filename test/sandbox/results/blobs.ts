import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

/** A blob after its block list is committed. */
export interface Blob {
  path: string
  size: number
  sha256: string
  contentType: string
}

/** An error in Azure's format: the client shows the code. */
export interface StorageError {
  status: number
  code: string
  message: string
}

export type StorageAnswer<T> = { ok: true; value: T } | { ok: false; error: StorageError }

export interface BlobStore {
  /** Keeps one block of the blob until a block list names it. */
  stageBlock(blob: string, blockId: string, body: Readable): Promise<void>
  /** Joins the staged blocks to a blob, in the order of the list and not of arrival. */
  commit(blob: string, blockIds: string[], contentType: string, path: string): Promise<StorageAnswer<Blob>>
  /** Stores a blob that is sent in one request. */
  put(blob: string, body: Readable, contentType: string, path: string): Promise<Blob>
  get(blob: string): Blob | undefined
}

/** Block blobs in a directory. Nothing larger than a stream's buffer is held in memory. */
export function createBlobStore(directory: string): BlobStore {
  const staged = new Map<string, Map<string, string>>()
  const blobs = new Map<string, Blob>()
  let blockFiles = 0

  const write = async (
    blob: string,
    chunks: AsyncIterable<Buffer>,
    contentType: string,
    path: string,
  ): Promise<Blob> => {
    const hash = createHash('sha256')
    let size = 0
    const counted = async function* (): AsyncGenerator<Buffer> {
      for await (const chunk of chunks) {
        hash.update(chunk)
        size += chunk.length
        yield chunk
      }
    }
    await pipeline(counted, createWriteStream(path))
    const made = { path, size, sha256: hash.digest('hex'), contentType }
    blobs.set(blob, made)
    return made
  }

  return {
    async stageBlock(blob, blockId, body) {
      const file = join(directory, 'staged', `${String(++blockFiles)}.block`)
      await mkdir(join(directory, 'staged'), { recursive: true })
      try {
        await pipeline(body, createWriteStream(file))
      } catch (error) {
        await rm(file, { force: true })
        throw error
      }
      const blocks = staged.get(blob) ?? new Map<string, string>()
      staged.set(blob, blocks)
      const earlier = blocks.get(blockId)
      blocks.set(blockId, file)
      if (earlier !== undefined) await rm(earlier, { force: true })
    },

    async commit(blob, blockIds, contentType, path) {
      const blocks = staged.get(blob) ?? new Map<string, string>()
      const files = blockIds.flatMap((id) => blocks.get(id) ?? [])
      if (files.length !== blockIds.length) {
        const message = 'The specified block list is invalid.'
        return { ok: false, error: { status: 400, code: 'InvalidBlockList', message } }
      }
      const inOrder = async function* (): AsyncGenerator<Buffer> {
        for (const file of files) {
          yield* createReadStream(file, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>
          await rm(file, { force: true })
        }
      }
      const made = await write(blob, inOrder(), contentType, path)
      for (const file of blocks.values()) await rm(file, { force: true })
      staged.delete(blob)
      return { ok: true, value: made }
    },

    put: (blob, body, contentType, path) => write(blob, body as AsyncIterable<Buffer>, contentType, path),

    get: (blob) => blobs.get(blob),
  }
}

/** The ids in a block list, in their order: `<BlockList><Latest>…</Latest>…</BlockList>`. */
export function parseBlockList(xml: string): string[] {
  return [...xml.matchAll(/<(Latest|Uncommitted|Committed)>([^<]*)<\/\1>/g)].map((match) => match[2] ?? '')
}
