import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { processesWith, signal } from '../../runner/processes.ts'
import { until } from '../cluster.ts'

/** Every process of a capture's container, exec'd ones too: they all have its variables. */
export function processesOf(container: string): number[] {
  return processesWith('CAPTURE_NAME', container)
}

export function tcpdumpOf(container: string): number[] {
  return processesOf(container).filter((pid) => readProc(pid, 'comm').trim() === 'tcpdump')
}

/** The container's main process. */
export function recorderOf(container: string): number {
  const recorder = processesOf(container).find((pid) => /^NSpid:.*\t1$/m.test(readProc(pid, 'status')))
  if (recorder === undefined) throw new Error(`the recorder of ${container} does not run`)
  return recorder
}

export function killTcpdump(container: string): void {
  for (const pid of tcpdumpOf(container)) signal(pid, 'SIGKILL')
}

/** The folder of this machine that holds what the container writes; it outlives the container. */
export function writableLayer(container: string): string {
  const layer = /^.* \/ \/ .* - overlay .*upperdir=([^,\s]+)/m.exec(readProc(recorderOf(container), 'mountinfo'))?.[1]
  if (layer === undefined) throw new Error(`the root of ${container} is not an overlay`)
  return layer
}

/** Bytes of all files below, and on the disk. Files may go while they are counted. */
export function diskUse(folder: string): { bytes: number; onDisk: number } {
  const use = { bytes: 0, onDisk: 0 }
  const add = (path: string): void => {
    try {
      for (const entry of readdirSync(path, { withFileTypes: true })) {
        const below = join(path, entry.name)
        if (entry.isDirectory()) add(below)
        else if (entry.isFile()) {
          const { size, blocks } = statSync(below)
          use.bytes += size
          use.onDisk += blocks * 512
        }
      }
    } catch {
      // it is gone, and what is gone takes nothing
    }
  }
  add(folder)
  return use
}

/** Looks at the container's layer every 100 ms, until `peak` is asked for. */
export function watchDisk(layer: string): { peak(): { bytes: number; onDisk: number; looks: number } } {
  const most = { bytes: 0, onDisk: 0, looks: 0 }
  const timer = setInterval(() => {
    const { bytes, onDisk } = diskUse(layer)
    most.bytes = Math.max(most.bytes, bytes)
    most.onDisk = Math.max(most.onDisk, onDisk)
    most.looks += 1
  }, 100)
  return {
    peak: () => {
      clearInterval(timer)
      return most
    },
  }
}

/** Waits until none of `find` is left; the seconds from `since` (performance.now()). */
export async function secondsUntilNone(
  what: string,
  since: number,
  timeout: number,
  find: () => number[],
): Promise<number> {
  return until(`the end of ${what}`, timeout, () =>
    Promise.resolve(find().length === 0 ? (performance.now() - since) / 1000 : undefined),
  )
}

function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${String(pid)}/${file}`, 'utf8')
  } catch {
    return '' // it has gone meanwhile
  }
}
