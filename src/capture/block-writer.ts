import type { FileHandle } from 'node:fs/promises'

/** Chunks of some KB are collected into blocks of this size: one write and one hash step for many, and no chunk is kept after its arrival. */
export const blockBytes = 1024 * 1024
/** As soon as this many blocks wait for the disk, the sender waits, too. */
const maxWaitingBlockCount = 4

/** Appends chunks to a file in blocks, in order, and makes the sender wait while the disk is behind. The first error of the disk is its last word. */
export class BlockWriter {
  #state: 'idle' | 'writing' | 'failed' = 'idle'
  #failure: Error | undefined
  readonly #file: FileHandle
  readonly #onBlock: (block: Buffer) => void
  #fileBytes: number
  #block = Buffer.allocUnsafeSlow(blockBytes)
  #filledBytes = 0
  readonly #waiting: Buffer<ArrayBuffer>[] = []
  readonly #spare: Buffer<ArrayBuffer>[] = []
  #written: Promise<void> = Promise.resolve()
  readonly #room = new Gate()

  /** `fileBytes`: what the file has already. `onBlock`: is given each block before it is written, valid during the call. */
  constructor(file: FileHandle, fileBytes: number, onBlock: (block: Buffer) => void) {
    this.#file = file
    this.#fileBytes = fileBytes
    this.#onBlock = onBlock
  }

  /** Bytes that the file system has taken. */
  get storedBytes(): number {
    return this.#fileBytes
  }

  /** The bytes of the block that is not full yet; valid until the next call. */
  get unflushed(): Buffer {
    return this.#block.subarray(0, this.#filledBytes)
  }

  /** The error of the disk, once there is one: the writer takes nothing more then. */
  get error(): Error | undefined {
    return this.#failure
  }

  /** A promise asks the sender to wait; it rejects with the error of the disk. */
  add(chunk: Buffer): Promise<void> | undefined {
    if (this.#failure) return Promise.reject(this.#failure)
    for (let at = 0; at < chunk.length;) {
      const step = Math.min(blockBytes - this.#filledBytes, chunk.length - at)
      chunk.copy(this.#block, this.#filledBytes, at, at + step)
      this.#filledBytes += step
      at += step
      if (this.#filledBytes === blockBytes) this.flush()
    }
    return this.#waiting.length < maxWaitingBlockCount ? undefined : this.#room.wait()
  }

  /** Writes what is collected, though the block is not full yet. */
  flush(): void {
    if (this.#filledBytes === 0 || this.#state === 'failed') return
    const isFull = this.#filledBytes === blockBytes
    const done = isFull ? this.#block : Buffer.from(this.unflushed)
    this.#onBlock(done)
    this.#waiting.push(done)
    if (isFull) this.#block = this.#spare.pop() ?? Buffer.allocUnsafeSlow(blockBytes)
    this.#filledBytes = 0
    if (this.#state === 'idle') this.#written = this.#writeWaiting()
  }

  /** Waits until everything is in the file, and closes it. @throws the file system's error */
  async close(): Promise<void> {
    this.flush()
    await this.#written
    await this.#file.close()
    if (this.#failure) throw this.#failure
  }

  async #writeWaiting(): Promise<void> {
    this.#state = 'writing'
    try {
      for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
        await this.#write(next)
        this.#waiting.shift()
        if (next.length === blockBytes) this.#spare.push(next)
        if (this.#waiting.length < maxWaitingBlockCount) this.#room.open()
      }
      this.#state = 'idle'
    } catch (error) {
      this.#fail(error as Error)
    }
  }

  async #write(block: Buffer): Promise<void> {
    for (let at = 0; at < block.length;) {
      const { bytesWritten } = await this.#file.write(block, at)
      at += bytesWritten
      this.#fileBytes += bytesWritten
    }
  }

  #fail(error: Error): void {
    this.#state = 'failed'
    this.#failure = error
    this.#waiting.length = 0
    this.#room.fail(error)
  }
}

/** Senders wait at it until there is room; all of them continue, or fail, together. */
class Gate {
  #waiting: PromiseWithResolvers<void> | undefined

  wait(): Promise<void> {
    this.#waiting ??= Promise.withResolvers<void>()
    return this.#waiting.promise
  }

  open(): void {
    this.#waiting?.resolve()
    this.#waiting = undefined
  }

  fail(error: Error): void {
    this.#waiting?.reject(error)
    this.#waiting = undefined
  }
}
