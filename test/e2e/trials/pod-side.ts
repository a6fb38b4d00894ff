import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { processIds, signal } from '../../runner/processes.ts'
import { until } from '../cluster.ts'

/** The control group of each capture container that was seen, as /proc shows it. */
const groups = new Map<string, string>()

/** Every process of a capture container, including processes started by exec: all are in its control group. */
export function processesOf(container: string): number[] {
  const pids = processIds()
  if (!groups.has(container)) {
    const isNamed = (pid: number): boolean =>
      readProc(pid, 'cmdline').includes(container) || readProc(pid, 'environ').includes(`CAPTURE_NAME=${container}`)
    const group = pids
      .filter(isNamed)
      .map((pid) => readProc(pid, 'cgroup'))
      .find((one) => one.includes('pod'))
    if (group === undefined) return []
    groups.set(container, group)
  }
  return pids.filter((pid) => readProc(pid, 'cgroup') === groups.get(container))
}

export function tcpdumpOf(container: string): number[] {
  return processesOf(container).filter((pid) => readProc(pid, 'comm').trim() === 'tcpdump')
}

/** The main process of the container. */
export function recorderOf(container: string): number {
  const recorder = processesOf(container).find((pid) => /^NSpid:.*\t1$/m.test(readProc(pid, 'status')))
  if (recorder === undefined) throw new Error(`the recorder of ${container} does not run`)
  return recorder
}

export function killTcpdump(container: string): void {
  for (const pid of tcpdumpOf(container)) signal(pid, 'SIGKILL')
}

/** The folder on this machine that contains the files of the container; it remains after the container has ended. */
export function writableLayer(container: string): string {
  const layer = /^.* \/ \/ .* - overlay .*upperdir=([^,\s]+)/m.exec(readProc(recorderOf(container), 'mountinfo'))?.[1]
  if (layer === undefined) throw new Error(`the root of ${container} is not an overlay`)
  return layer
}

/** The size of all files in the folder, and their size on disk. Files may be deleted while they are counted. */
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
      // deleted meanwhile
    }
  }
  add(folder)
  return use
}

/** Measures the layer of the container every 100 ms until `peak` is called. */
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

/** Waits until `find` returns no process. @returns the seconds since `since` (performance.now()) */
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
    return '' // the process has ended meanwhile
  }
}
