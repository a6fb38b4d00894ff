/**
 * The rate of bytes from an instance: 200 MB through this action's IAP tunnel and through gcloud's `start-iap-tunnel --listen-on-stdin`, in turn, five
 * pairs, over the same fake relay (wss, on this machine, in a separate process) to the same TCP source. Each writes to a pipe; the time is measured from the
 * first byte to the last. Fails where the rate is below 25 MB/s and below 0.8 of gcloud's rate.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { openIapTunnel } from '../src/google/iap/tunnel.ts'
import { startRelay } from '../test/sandbox/google/relay.ts'
import { median } from './median.ts'

const pairCount = 5
const sizeBytes = 200_000_000
const target = { project: 'bench', zone: 'us-central1-a', instance: 'node-1', interface: 'nic0', port: 22 }

interface Sample {
  seconds: number
  /** of the process of the tunnel, user and system, from its start to its end */
  cpuSeconds: number
}

const [role, folder = '', url = ''] = process.argv.slice(2)
if (role === 'relay') await serve()
else if (role === 'tunnel') await receive()
else await compare()

async function compare(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'packet-capture-bench-'))
  const relay = spawn(process.execPath, [import.meta.filename, 'relay', directory], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  try {
    const [line] = (await once(relay.stdout, 'data')) as [Buffer]
    const address = line.toString().trim()
    const tunnelSamples: Sample[] = []
    const gcloudSamples: Sample[] = []
    const hashes = new Set<string>()
    for (let pair = 1; pair <= pairCount; pair += 1) {
      const turns = [
        async () => void gcloudSamples.push(await timed(gcloud(directory, address), hashes)),
        async () => void tunnelSamples.push(await timed(tunnel(directory, address), hashes)),
      ]
      for (const turn of pair % 2 === 1 ? turns : turns.reverse()) await turn()
      console.log(
        `pair ${String(pair)}: gcloud ${figures(gcloudSamples.at(-1))}; tunnel ${figures(tunnelSamples.at(-1))}`,
      )
    }
    if (hashes.size !== 1) throw new Error('not the same bytes each time')
    const seconds = ({ seconds: all }: Sample): number => all
    const rate = sizeBytes / 1e6 / median(tunnelSamples.map(seconds))
    const ratio = median(gcloudSamples.map(seconds)) / median(tunnelSamples.map(seconds))
    const cpu =
      median(tunnelSamples.map((sample) => sample.cpuSeconds)) /
      median(gcloudSamples.map((sample) => sample.cpuSeconds))
    console.log(`medians: gcloud ${(rate / ratio).toFixed(0)} MB/s; tunnel ${rate.toFixed(0)} MB/s`)
    console.log(
      `tunnel against gcloud start-iap-tunnel: ${ratio.toFixed(2)} x the rate, ${cpu.toFixed(2)} x the CPU time`,
    )
    if (rate < 25 && ratio < 0.8) {
      console.error("Too slow: the minimum is 25 MB/s or 0.8 x gcloud's rate.")
      process.exitCode = 1
    }
  } finally {
    relay.stdin.end()
    rmSync(directory, { recursive: true, force: true })
  }
}

function figures(sample: Sample | undefined): string {
  if (!sample) return ''
  return `${(sizeBytes / 1e6 / sample.seconds).toFixed(0)} MB/s, ${sample.cpuSeconds.toFixed(2)} s CPU`
}

/** The shell's `time` reports the CPU time of its child. */
function start(command: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
  return spawn('bash', ['-c', 'TIMEFORMAT=\'%U %S\'; time "$@" 2>/dev/null', 'bash', ...command], {
    stdio: 'pipe',
    env: { ...process.env, ...env },
  })
}

function gcloud(directory: string, address: string): ChildProcess {
  const { project, zone, instance, port } = target
  return start(
    [
      ...['gcloud', 'compute', 'start-iap-tunnel', instance, String(port), `--zone=${zone}`, '--listen-on-stdin'],
      ...[`--iap-tunnel-url-override=${address}`, '--iap-tunnel-insecure-disable-websocket-cert-check'],
    ],
    {
      ...{
        CLOUDSDK_CONFIG: join(directory, 'gcloud'),
        CLOUDSDK_CORE_PROJECT: project,
        CLOUDSDK_AUTH_ACCESS_TOKEN: 'bench',
      },
      ...{ CLOUDSDK_CORE_DISABLE_PROMPTS: '1', CLOUDSDK_CORE_DISABLE_USAGE_REPORTING: '1' },
      ...{ CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK: '1', CLOUDSDK_CORE_CHECK_GCE_METADATA: 'false' },
    },
  )
}

function tunnel(directory: string, address: string): ChildProcess {
  return start([process.execPath, import.meta.filename, 'tunnel', directory, address])
}

async function timed(child: ChildProcess, hashes: Set<string>): Promise<Sample> {
  const hash = createHash('sha256')
  let count = 0
  let began = 0
  let ended = 0
  let times = ''
  const limit = setTimeout(() => child.kill('SIGKILL'), 120_000)
  child.stderr?.on('data', (chunk: Buffer) => (times += chunk.toString()))
  child.stdout?.on('data', (chunk: Buffer) => {
    began ||= performance.now()
    hash.update(chunk)
    count += chunk.length
    if (count < sizeBytes) return
    ended = performance.now()
    child.stdin?.end() // gcloud ends when its stdin does
  })
  await once(child, 'close')
  clearTimeout(limit)
  if (count !== sizeBytes) throw new Error(`${String(count)} of ${String(sizeBytes)} bytes arrived`)
  hashes.add(hash.digest('hex'))
  const [user = NaN, system = NaN] = times.trim().split(/\s+/).map(Number)
  return { seconds: (ended - began) / 1000, cpuSeconds: user + system }
}

/** The tunnel of this action in a separate process: the relay's bytes to stdout. */
async function receive(): Promise<void> {
  const certificateAuthority = readFileSync(join(folder, 'ca.pem'), 'utf8')
  const stream = await openIapTunnel(target, { url, token: () => Promise.resolve('bench'), certificateAuthority })
  await pipeline(stream, process.stdout)
}

/** Runs the relay and the source until stdin ends. */
async function serve(): Promise<void> {
  const block = Buffer.alloc(1_000_000, 'packet capture ')
  const source = createServer((socket) => {
    let left = sizeBytes / block.length
    const more = (): void => {
      while (left > 0) {
        left -= 1
        if (!socket.write(block)) return
      }
      socket.end()
    }
    socket.on('error', () => socket.destroy())
    socket.on('drain', more)
    socket.resume()
    more()
  })
  await new Promise<void>((resolve) => source.listen(0, '127.0.0.1', resolve))
  const { port } = source.address() as AddressInfo
  const relay = await startRelay({ tls: {}, backend: () => ({ host: '127.0.0.1', port }), authenticate: () => true })
  writeFileSync(join(folder, 'ca.pem'), relay.certificate)
  console.log(relay.url)
  process.stdin.resume()
  await once(process.stdin, 'end')
  await relay.stop()
  source.close()
}
