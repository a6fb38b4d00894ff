/**
 * The transfer rate of a capture from a pod, and the CPU time on the runner: 1 GB of pcap through the follower of the action and through
 * `kubectl exec … cat`, in turn, five pairs. Both write a file on this machine. Start-up is not counted: that of kubectl is measured and
 * subtracted, and the follower's clock starts after it. Fails below 0.9 of kubectl's rate or above 1.3 of its CPU time.
 *
 * Needs KUBECONFIG and CAPTURE_IMAGE (sh, dd, cat), as the end-to-end tests do.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { followerScript } from '../src/capture/scripts/scripts.ts'
import {
  apply,
  command,
  createNamespace,
  deleteNamespace,
  kubeconfigPath,
  kubectl,
  podAddresses,
  podManifest,
} from '../test/e2e/cluster.ts'
import { images } from '../test/e2e/images.ts'
import { median } from './median.ts'

const pairCount = 5
const segmentCount = 250
const packetsPerSegment = 2625 // each of 1508 bytes and a header of 16: segments of 4 MB, as tcpdump -C 4 writes them
const container = 'packet-capture-bench'
const spool = `/tmp/${container}`

interface Sample {
  seconds: number
  cpuSeconds: number
}

const folder = mkdtempSync(join(tmpdir(), 'packet-capture-bench-'))
const namespace = await createNamespace('bench')
try {
  const pod = { image: images.capture, command: ['sleep', '1000000'], container: { name: container } }
  await apply([podManifest(namespace, 'bench', pod)])
  await podAddresses(namespace, 'bench')
  const size = await makeSpool()
  const target = join(folder, 'out')
  const followerSamples: Sample[] = []
  const kubectlSamples: Sample[] = []
  for (let pair = 1; pair <= pairCount; pair += 1) {
    const turns = [
      async () => void kubectlSamples.push(await byKubectl(target, size)),
      async () => void followerSamples.push(await byFollower(target, size)),
    ]
    for (const turn of pair % 2 === 1 ? turns : turns.reverse()) {
      await turn()
      rmSync(target, { force: true })
    }
    console.log(
      `pair ${String(pair)}: kubectl ${figures(kubectlSamples.at(-1), size)}; follower ${figures(followerSamples.at(-1), size)}`,
    )
  }
  const ratio = (of: (sample: Sample) => number): number =>
    median(followerSamples.map(of)) / median(kubectlSamples.map(of))
  const speed = 1 / ratio(({ seconds }) => seconds)
  const cpu = ratio(({ cpuSeconds }) => cpuSeconds)
  const middle = (samples: Sample[]): Sample => ({
    seconds: median(samples.map(({ seconds }) => seconds)),
    cpuSeconds: median(samples.map(({ cpuSeconds }) => cpuSeconds)),
  })
  console.log(
    `medians: kubectl ${figures(middle(kubectlSamples), size)}; follower ${figures(middle(followerSamples), size)}`,
  )
  console.log(`follower against kubectl exec: ${speed.toFixed(2)} x the rate, ${cpu.toFixed(2)} x the CPU time`)
  if (speed < 0.9 || cpu > 1.3) {
    console.error('Too slow: the follower must reach 0.9 x the rate and stay under 1.3 x the CPU time.')
    process.exitCode = 1
  }
} finally {
  await deleteNamespace(namespace)
  rmSync(folder, { recursive: true, force: true })
}

function figures(sample: Sample | undefined, size: number): string {
  if (!sample) return ''
  return `${(size / 1e6 / sample.seconds).toFixed(0)} MB/s, ${sample.cpuSeconds.toFixed(2)} s CPU`
}

/** Creates a spool as the recorder leaves it at its end, and the same stream as one file. Returns the size of the stream, bytes. */
async function makeSpool(): Promise<number> {
  const header = Buffer.alloc(24)
  header.writeUInt32LE(0xa1b2c3d4, 0)
  header.writeUInt16LE(2, 4)
  header.writeUInt16LE(4, 6)
  header.writeUInt32LE(262144, 16)
  header.writeUInt32LE(276, 20)
  const packet = Buffer.alloc(16 + 1508, 0x5a)
  packet.writeUInt32LE(1_700_000_000, 0)
  packet.writeUInt32LE(0, 4)
  packet.writeUInt32LE(1508, 8)
  packet.writeUInt32LE(1508, 12)
  const body = Buffer.concat(Array.from({ length: packetsPerSegment }, () => packet))
  const size = header.length + segmentCount * body.length
  writeFileSync(join(folder, 's'), Buffer.concat([header, body]))
  writeFileSync(join(folder, 'body'), body)
  const trailer = [
    `size ${String(size)}`,
    `sha256 ${'0'.repeat(64)}`,
    'reason duration',
    'exit 0',
    'paused 0 0',
    'recorded 1000',
    'began 1700000000',
    '',
  ]
  writeFileSync(join(folder, 'trailer'), trailer.join('\n'))
  writeFileSync(join(folder, 'follow'), `${followerScript}\n`)
  await inPod(`mkdir -p ${spool}`)
  for (const name of ['s', 'body', 'trailer', 'follow']) {
    await kubectl(['-n', namespace, 'cp', '-c', container, join(folder, name), `bench:${spool}/${name}`])
  }
  await inPod(
    `cd ${spool} && i=1 && cp s whole && while [ $i -lt ${String(segmentCount)} ]; do cp s s$i; cat body >>whole; i=$((i+1)); done; ` +
      `rm body; echo 0 0 >base; echo ${String(size)} >size; echo 1 >listening; : >ended; : >ack; echo 0 >heartbeat`,
  )
  const made = Number(await inPod(`stat -c %s ${spool}/whole`))
  if (made !== size)
    throw new Error(`the pod has ${String(made)} bytes, not ${String(size)}: check the free disk space of the node`)
  return size
}

function inPod(script: string): Promise<string> {
  return kubectl(['-n', namespace, 'exec', 'bench', '-c', container, '--', 'sh', '-c', script], { timeout: 300_000 })
}

async function byKubectl(target: string, size: number): Promise<Sample> {
  const none = await timedKubectl(join(folder, 'nothing'), ['true'])
  const all = await timedKubectl(target, ['cat', `${spool}/whole`])
  expectSize(target, size)
  return { seconds: all.seconds - none.seconds, cpuSeconds: all.cpuSeconds - none.cpuSeconds }
}

/** Measured with the `time` of bash, which includes the CPU time of its child. */
async function timedKubectl(target: string, argv: readonly string[]): Promise<Sample> {
  const out = openSync(target, 'w')
  const words = ['-n', namespace, 'exec', 'bench', '-c', container, '--', ...argv]
  const child = spawn('bash', ['-c', 'TIMEFORMAT=\'%R %U %S\'; time kubectl "$@" 2>/dev/null', 'kubectl', ...words], {
    stdio: ['ignore', out, 'pipe'],
    env: { ...process.env, KUBECONFIG: kubeconfigPath() },
  })
  let text = ''
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  await once(child, 'close')
  closeSync(out)
  const [seconds = NaN, user = NaN, system = NaN] = text.trim().split(/\s+/).map(Number)
  return { seconds, cpuSeconds: user + system }
}

/** Runs in a separate process, so that the CPU time of this process is not counted. */
async function byFollower(target: string, size: number): Promise<Sample> {
  await inPod(`cd ${spool} && rm -f done && : >ack`)
  const script = join(import.meta.dirname, 'follow-once.ts')
  const text = await command(process.execPath, [script, namespace, 'bench', container, target], {
    timeout: 120_000,
    env: { ...process.env, KUBECONFIG: kubeconfigPath(), BENCH_SIZE: String(size) },
  })
  expectSize(target, size)
  return JSON.parse(text.trim().split('\n').at(-1) ?? '') as Sample
}

function expectSize(path: string, size: number): void {
  const { size: got } = statSync(path)
  if (got !== size) throw new Error(`${String(got)} of ${String(size)} bytes arrived`)
}
