/**
 * How fast a capture leaves a pod, and what that costs the runner: 1 GB of pcap by the action's own follower against `kubectl exec … cat`,
 * in turn, five pairs. Both write a file on this machine. Start-up is not part of it: kubectl's is measured and taken off, ours is not counted.
 * Fails below 0.9 of kubectl's rate or above 1.3 of its CPU time.
 *
 * KUBECONFIG, and CAPTURE_IMAGE (sh, dd, cat), as for the end-to-end tests.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { followerScript } from '../src/capture/scripts.ts'
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

const pairs = 5
const segments = 250
const packetsPerSegment = 2625 // 1508 bytes of payload and 16 of header each: 4 MB, what tcpdump -C 4 makes
const container = 'packet-capture-bench'
const spool = `/tmp/${container}`

interface Sample {
  seconds: number
  cpu: number
}

const folder = mkdtempSync(join(tmpdir(), 'packet-capture-bench-'))
const namespace = await createNamespace('bench')
try {
  const pod = { image: images.capture, command: ['sleep', '1000000'], container: { name: container } }
  await apply([podManifest(namespace, 'bench', pod)])
  await podAddresses(namespace, 'bench')
  const size = await makeSpool()
  const target = join(folder, 'out')
  const ours: Sample[] = []
  const theirs: Sample[] = []
  for (let pair = 1; pair <= pairs; pair += 1) {
    const turns = [
      async () => void theirs.push(await byKubectl(target, size)),
      async () => void ours.push(await byFollower(target, size)),
    ]
    for (const turn of pair % 2 === 1 ? turns : turns.reverse()) {
      await turn()
      rmSync(target, { force: true })
    }
    console.log(`pair ${String(pair)}: kubectl ${figures(theirs.at(-1), size)}; follower ${figures(ours.at(-1), size)}`)
  }
  const ratio = (of: (sample: Sample) => number): number => median(ours.map(of)) / median(theirs.map(of))
  const speed = 1 / ratio(({ seconds }) => seconds)
  const cpu = ratio(({ cpu: used }) => used)
  const middle = (samples: Sample[]): Sample => ({
    seconds: median(samples.map(({ seconds }) => seconds)),
    cpu: median(samples.map(({ cpu: used }) => used)),
  })
  console.log(`medians: kubectl ${figures(middle(theirs), size)}; follower ${figures(middle(ours), size)}`)
  console.log(`follower against kubectl exec: ${speed.toFixed(2)} x the rate, ${cpu.toFixed(2)} x the CPU time`)
  if (speed < 0.9 || cpu > 1.3) {
    console.error('Too slow: at least 0.9 x the rate and at most 1.3 x the CPU time are asked for.')
    process.exitCode = 1
  }
} finally {
  await deleteNamespace(namespace)
  rmSync(folder, { recursive: true, force: true })
}

function figures(sample: Sample | undefined, size: number): string {
  if (!sample) return ''
  return `${(size / 1e6 / sample.seconds).toFixed(0)} MB/s, ${sample.cpu.toFixed(2)} s CPU`
}

/** A spool as the recorder leaves it after its end, and the same stream as one file; the size of the stream. */
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
  const size = header.length + segments * body.length
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
    `cd ${spool} && i=1 && cp s whole && while [ $i -lt ${String(segments)} ]; do cp s s$i; cat body >>whole; i=$((i+1)); done; ` +
      `rm body; echo 0 0 >base; echo ${String(size)} >size; echo 1 >listening; : >ended; : >ack; echo 0 >owner`,
  )
  const made = Number(await inPod(`stat -c %s ${spool}/whole`))
  if (made !== size)
    throw new Error(`the pod has ${String(made)} bytes, not ${String(size)}: is there room on the node?`)
  return size
}

function inPod(script: string): Promise<string> {
  return kubectl(['-n', namespace, 'exec', 'bench', '-c', container, '--', 'sh', '-c', script], { timeout: 300_000 })
}

async function byKubectl(target: string, size: number): Promise<Sample> {
  const none = await timedKubectl(join(folder, 'nothing'), ['true'])
  const all = await timedKubectl(target, ['cat', `${spool}/whole`])
  expectSize(target, size)
  return { seconds: all.seconds - none.seconds, cpu: all.cpu - none.cpu }
}

/** The shell's `time` knows what its child has used. */
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
  return { seconds, cpu: user + system }
}

/** In a process of its own, so that nothing of this one counts. */
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
