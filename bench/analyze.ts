/**
 * The speed and the memory of the analysis with all findings, on captures that this script writes: usual traffic, packets of about 100 bytes, and
 * 2 GB of both with more connections than the analysis keeps. Each round is a process of its own that runs a bundle made as dist/ is. Times are
 * CPU times of the whole process after its start: those of one core. The reference in the same run is one pass of tshark, without its start.
 * Fails where a goal is missed or where the analysis counts other things than were written. `npm run bench:analyze`; tshark is optional.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { mixed, small, type Traffic, type TrafficShape, writeTraffic } from './analyze/traffic.ts'
import type { AnalysisSample } from './analyze/once.ts'
import { median } from './median.ts'

interface Case {
  readonly name: string
  readonly rounds: number
  readonly shapes: readonly TrafficShape[]
  readonly isCompared: boolean
  readonly goals: { readonly rateMB?: number; readonly packetsPerSecond?: number; readonly rssMB?: number }
}

const minRatio = 10
const largeParts = 10
const cases: readonly Case[] = [
  {
    name: 'mixed traffic',
    rounds: 5,
    shapes: [{ ...mixed, fileBytes: 400e6 }],
    isCompared: true,
    goals: { rateMB: 500, packetsPerSecond: 1e6 },
  },
  {
    name: 'small packets',
    rounds: 5,
    shapes: [{ ...small, fileBytes: 200e6 }],
    isCompared: true,
    goals: { rateMB: 200 },
  },
  {
    name: '2 GB of both',
    rounds: 1,
    shapes: Array.from({ length: largeParts * 2 }, (_, part) => ({
      ...(part % 2 === 0 ? mixed : small),
      fileBytes: 2e9 / largeParts / 2,
    })),
    isCompared: false,
    goals: { rssMB: 150 },
  },
]

const folder = mkdtempSync(join(tmpdir(), 'bench-analyze-'))
const capture = join(folder, 'capture.pcap')
try {
  console.log(`Node ${process.version}, ${cpus()[0]?.model ?? 'unknown CPU'}, ${tsharkVersion() ?? 'no tshark'}`)
  execFileSync('ncc', ['build', join(import.meta.dirname, 'analyze/once.ts'), '-o', folder, '--transpile-only', '-q'])
  for (const one of cases) measure(one)
} finally {
  rmSync(folder, { recursive: true })
}

function measure({ name, rounds, shapes, isCompared, goals }: Case): void {
  const traffic = writeTraffic(capture, shapes)
  const samples = Array.from({ length: rounds }, () => analyze(traffic))
  const times = samples.map(({ cpuSeconds }) => cpuSeconds)
  const best = Math.min(...times)
  const rateMB = traffic.bytes / 1e6 / best
  const packetsPerSecond = traffic.packets / best
  const rssMB = Math.max(...samples.map(({ peakRssMB }) => peakRssMB))
  const middle = (traffic.bytes / 1e6 / median(times)).toFixed(0)
  const sizes = `${(traffic.bytes / 1e6).toFixed(0)} MB, ${traffic.packets} packets, ${traffic.connections} TCP connections`
  console.log(`${name} (${sizes}):`)
  const fastest = rounds === 1 ? '' : `, the fastest of ${rounds} rounds; median ${middle} MB/s`
  console.log(`  ${rateMB.toFixed(0)} MB/s, ${(packetsPerSecond / 1e6).toFixed(2)} million packets/s${fastest}`)
  console.log(
    `  CPU ${best.toFixed(2)} s, wall clock ${samples.map(({ seconds }) => seconds.toFixed(2)).join(' ')} s, peak RSS ${rssMB.toFixed(0)} MB`,
  )
  check(rateMB >= (goals.rateMB ?? 0), `${goals.rateMB} MB/s`)
  check(packetsPerSecond >= (goals.packetsPerSecond ?? 0), `${(goals.packetsPerSecond ?? 0) / 1e6} million packets/s`)
  check(rssMB <= (goals.rssMB ?? Infinity), `at most ${goals.rssMB} MB`)
  if (!isCompared) return
  const referenceRate = tsharkRate(traffic)
  if (referenceRate === undefined) return
  const ratio = rateMB / referenceRate
  console.log(`  ${ratio.toFixed(0)} x the rate of tshark -q -z io,stat (${referenceRate.toFixed(1)} MB/s)`)
  check(ratio >= minRatio, `${minRatio} x the rate of tshark`)
}

function check(isReached: boolean, goal: string): void {
  if (isReached) return
  console.log(`  MISSED: ${goal}`)
  process.exitCode = 1
}

function analyze(traffic: Traffic): AnalysisSample {
  const output = execFileSync(process.execPath, [join(folder, 'index.js'), capture], { encoding: 'utf8' })
  const sample = JSON.parse(output) as AnalysisSample
  for (const name of ['packets', 'connections', 'httpRequests', 'dnsQueries', 'tlsHandshakes'] as const)
    if (sample[name] !== traffic[name])
      throw new Error(`${name}: ${String(sample[name])} were counted, ${String(traffic[name])} were written`)
  if (sample.culprit !== 'none' || sample.severity !== 'none') throw new Error('healthy traffic has findings')
  return sample
}

/** MB/s of CPU time, without the time that tshark needs for an empty capture. */
function tsharkRate({ bytes }: Traffic): number | undefined {
  const empty = join(folder, 'empty.pcap')
  writeTraffic(empty, [])
  const [all, start] = [tsharkSeconds(capture), tsharkSeconds(empty)]
  return all === undefined || start === undefined ? undefined : bytes / 1e6 / (all - start)
}

function tsharkSeconds(path: string): number | undefined {
  const script = 'tshark -n -q -z io,stat,0 -r "$0" >/dev/null 2>&1 && times'
  const { stdout, status } = spawnSync('bash', ['-c', script, path], { encoding: 'utf8' })
  if (status !== 0) return undefined
  // The second line is the time of the children: user and system, such as "0m1.234s 0m0.100s".
  const times = (stdout.split('\n')[1] ?? '').matchAll(/(\d+)m([\d.]+)s/g)
  return [...times].reduce((sum, [, minutes, seconds]) => sum + Number(minutes) * 60 + Number(seconds), 0)
}

function tsharkVersion(): string | undefined {
  const { stdout, status } = spawnSync('tshark', ['--version'], { encoding: 'utf8' })
  return status === 0 ? stdout.split('\n')[0] : undefined
}
