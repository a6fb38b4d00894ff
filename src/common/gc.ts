import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

type Collect = (options: { type: 'minor' | 'major' }) => void
let collect: Collect | undefined

/**
 * Frees the memory of buffers that are no longer used. V8 counts the bytes of a buffer outside its heap, and starts a collection only after tens
 * of MB of unused ones: at 100 MB/s they, not the buffers in use, decide the memory of the process (bench/stream.ts, test/e2e/memory.test.ts).
 * A minor collection takes about 1 ms.
 */
export function freeBuffers(type: 'minor' | 'major'): void {
  if (!collect) {
    setFlagsFromString('--expose-gc')
    collect = runInNewContext('gc') as Collect
  }
  collect({ type })
}
