import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

type Collect = (options: { type: 'minor' | 'major' }) => void
let collect: Collect | undefined

/**
 * Frees young buffers. V8 counts a buffer's bytes outside of its heap, and lets tens of MB of dead ones pile up before it looks: at 100 MB/s
 * that, not what is in use, decides this process' memory (bench/, test/e2e/memory.test.ts). A minor collection of dead buffers takes about a ms.
 */
export function freeBuffers(type: 'minor' | 'major'): void {
  if (!collect) {
    setFlagsFromString('--expose-gc')
    collect = runInNewContext('gc') as Collect
  }
  collect({ type })
}
