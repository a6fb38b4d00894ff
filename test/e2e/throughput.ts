import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, rmSync, statSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openWorkplace, type RunResult } from './action.ts'
import {
  apply,
  clientManifest,
  createNamespace,
  deleteNamespace,
  kubectl,
  podAddresses,
  podManifest,
  until,
} from './cluster.ts'
import { containerCpu } from './container-cpu.ts'
import { images } from './images.ts'

/** One GB between two pods by iperf3, captured in the pod that receives it. */
export interface TransferCapture {
  /** of the pcap */
  readonly bytes: number
  readonly dropped: number
  readonly pausedSeconds: number
  /** of all processes of the capture in the pod, for each MB (10^6 bytes) of pcap; undefined where it cannot be measured */
  readonly cpuSecondsPerMB: number | undefined
}

export interface ThroughputRig {
  byAction(): Promise<TransferCapture & { readonly run: RunResult }>
  /** `kubectl exec … tcpdump -w -` into a file */
  byKubectl(): Promise<TransferCapture>
  close(): Promise<void>
}

/** 400 Mbit/s in writes of 32 kB: the packets on the virtual wire are as large. */
const transfer = ['-b', '400M', '-l', '32K', '-n', '1000M']
const transferSeconds = 21
const filter = 'tcp port 5201'

export async function openThroughputRig(extra: Record<string, string> = {}): Promise<ThroughputRig> {
  const work = await openWorkplace()
  const folder = mkdtempSync(join(tmpdir(), 'packet-capture-throughput-'))
  const namespace = await createNamespace('throughput')
  const sink = podManifest(namespace, 'sink', { image: images.capture, command: ['iperf3', '-s'] }) as {
    spec: { containers: unknown[] }
  }
  sink.spec.containers.push({
    ...{ name: 'plain', image: images.capture, imagePullPolicy: 'IfNotPresent', command: ['sleep', '1000000'] },
  })
  await apply([clientManifest(namespace), sink])
  const [address = ''] = await podAddresses(namespace, 'sink', 'client')
  const send = (): Promise<string> =>
    kubectl(['-n', namespace, 'exec', 'client', '--', 'iperf3', '-c', address, ...transfer], { timeout: 120_000 })

  return {
    byAction: async () => {
      const action = work.start({
        pod: 'sink',
        namespace,
        filter,
        duration: `${String(transferSeconds + 6)}s`,
        'max-size': '2GB',
        ...extra,
      })
      await action.capturing()
      const [, name = ''] = await action.main.waitForLog(/ephemeral container (\S+) to pod/, 10_000)
      const cpu = await containerCpu(namespace, 'sink', name)
      let cpuSeconds: number | undefined
      let isOver = false
      const sampling = (async () => {
        while (!isOver) {
          cpuSeconds = cpu() ?? cpuSeconds
          await delay(100)
        }
      })()
      await send()
      const run = await action.finished
      isOver = true
      await sampling
      const { capture } = run
      const bytes = capture?.bytes ?? 0
      return {
        run,
        bytes,
        dropped: capture?.dropped ?? Number.NaN,
        pausedSeconds: capture?.capture.pausedSeconds ?? Number.NaN,
        cpuSecondsPerMB: cpuSeconds === undefined ? undefined : cpuSeconds / (bytes / 1e6),
      }
    },
    byKubectl: async () => {
      const path = join(folder, 'plain.pcap')
      const cpu = await containerCpu(namespace, 'sink', 'plain')
      const before = cpu()
      const tcpdump = [
        'timeout',
        '-s',
        'INT',
        String(transferSeconds + 6),
        'tcpdump',
        '-i',
        'any',
        '-n',
        '-w',
        '-',
        filter,
      ]
      const file = openSync(path, 'w')
      const child = spawn('kubectl', ['-n', namespace, 'exec', 'sink', '-c', 'plain', '--', ...tcpdump], {
        stdio: ['ignore', file, 'pipe'],
      })
      closeSync(file)
      let text = ''
      child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      const ended = once(child, 'close')
      await until('a listening tcpdump', 15_000, () => Promise.resolve(text.includes('listening on') || undefined))
      await send()
      await ended
      const bytes = statSync(path).size
      rmSync(path)
      const after = cpu()
      return {
        bytes,
        dropped: Number(/(\d+) packets? dropped by kernel/.exec(text)?.[1] ?? Number.NaN),
        pausedSeconds: 0,
        cpuSecondsPerMB: before === undefined || after === undefined ? undefined : (after - before) / (bytes / 1e6),
      }
    },
    close: async () => {
      await deleteNamespace(namespace)
      await work.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
