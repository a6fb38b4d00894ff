import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { openWorkplace, type RunResult, type Workplace } from './action.ts'
import {
  apply,
  clientManifest,
  createNamespace,
  deleteNamespace,
  kubeconfigWith,
  kubectl,
  podAddresses,
  podManifest,
} from './cluster.ts'
import { images } from './images.ts'
import { startSlowProxy, type SlowProxy } from './slow-proxy.ts'

/** Bytes per second of traffic: not more than the connection to the runner can carry, so that recording never pauses. */
const rates = { direct: 25e6, proxied: 14e6 }
const proxyRate = 20e6
const sizes = { small: 150e6, large: 1e9 }
const MB = 1e6

let namespace: string
let work: Workplace
let folder: string
let sink: string
let proxy: SlowProxy

beforeAll(async () => {
  work = await openWorkplace()
  folder = mkdtempSync(join(tmpdir(), 'packet-capture-memory-'))
  namespace = await createNamespace('memory')
  await apply([
    clientManifest(namespace),
    podManifest(namespace, 'sink', { image: images.capture, command: ['iperf3', '-s'] }),
  ])
  ;[sink = ''] = await podAddresses(namespace, 'sink', 'client')
  proxy = await startSlowProxy(serverOf(kubeconfigWith({})), proxyRate)
}, 120_000)

afterAll(async () => {
  await deleteNamespace(namespace)
  await proxy?.stop()
  rmSync(folder, { recursive: true, force: true })
  await work?.close()
}, 30_000)

const serverOf = (kubeconfig: string): URL =>
  new URL((JSON.parse(kubeconfig) as { clusters: { cluster: { server: string } }[] }).clusters[0]?.cluster.server ?? '')

interface Measured {
  run: RunResult
  /** maximum resident memory of the action's process, bytes */
  peak: number
  beforeUpload: number
}

/** Captures `size` bytes that arrive at `rate` bytes per second, and samples the memory of the action meanwhile. */
async function measure(size: number, rate: number, kubeconfig?: string): Promise<Measured> {
  const run = work.start({
    ...{ pod: 'sink', namespace, filter: 'tcp port 5201', duration: '10m', 'max-size': String(size) },
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
  })
  const seen = { peak: 0, beforeUpload: 0 }
  const sampler = setInterval(() => {
    const rss = residentBytes(run.main.pid)
    seen.peak = Math.max(seen.peak, rss)
    if (!/Upload /.test(run.main.log())) seen.beforeUpload = seen.peak
  }, 50)
  try {
    await run.capturing()
    const seconds = String(Math.ceil(size / rate) + 4) // the capture ends first
    const load = ['iperf3', '-c', sink, '-b', `${String(rate * 8)}`, '-t', seconds]
    const traffic = kubectl(['-n', namespace, 'exec', 'client', '-c', 'app', '--', ...load], { timeout: 200_000 })
    const finished = await run.finished
    await traffic
    return { run: finished, ...seen }
  } finally {
    clearInterval(sampler)
  }
}

/** VmRSS in bytes; 0 when the process has ended. */
function residentBytes(pid: number): number {
  try {
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${String(pid)}/status`, 'utf8'))?.[1] ?? 0) * 1024
  } catch {
    return 0
  }
}

function expectWhole({ run }: Measured, size: number): void {
  expect(run.main.outputs['verdict-reason']).toMatch(/^all \d+ bytes arrived/)
  expect(run.main).toMatchObject({ exitCode: 0, outputs: { verdict: 'complete', 'stop-reason': 'size', dropped: '0' } })
  expect(run.capture?.bytes).toBeGreaterThanOrEqual(size)
  const artifact = work.results.captures.find(({ id }) => String(id) === run.main.outputs['artifact-id'])
  expect(artifact).toMatchObject({ size: run.capture?.bytes, digest: `sha256:${run.capture?.sha256 ?? '?'}` })
}

const linux = process.platform === 'linux' ? describe : describe.skip
linux('the memory of the action does not grow with the capture', () => {
  const ways = [
    ['with a direct connection to the API server', rates.direct, () => undefined],
    [`through a proxy limited to ${String(proxyRate / MB)} MB/s`, rates.proxied, () => throughProxy()],
  ] as const
  it.each(ways)(
    '%s',
    async (way, rate, kubeconfig) => {
      const small = await measure(sizes.small, rate, kubeconfig())
      const large = await measure(sizes.large, rate, kubeconfig())
      const figures = ({ peak, beforeUpload }: Measured): string =>
        `${(peak / MB).toFixed(0)} MB (${(beforeUpload / MB).toFixed(0)} MB before the upload)`
      console.info(
        `memory, ${way}: 150 MB capture ${figures(small)}; 1 GB capture ${figures(large)}; ratio ${(large.peak / small.peak).toFixed(2)}`,
      )
      expectWhole(small, sizes.small)
      expectWhole(large, sizes.large)
      expect(large.beforeUpload).toBeGreaterThan(20 * MB) // it was sampled
      expect(large.peak).toBeLessThanOrEqual(300 * MB)
      expect(large.beforeUpload).toBeLessThanOrEqual(200 * MB)
      expect(large.peak / small.peak).toBeLessThanOrEqual(1.25)
    },
    240_000,
  )

  /** The certificate is that of the API server, so its name is set as tls-server-name. */
  function throughProxy(): string {
    const path = join(folder, 'proxied')
    const server = `https://127.0.0.1:${String(proxy.port)}`
    writeFileSync(
      path,
      kubeconfigWith({ cluster: { server, 'tls-server-name': serverOf(kubeconfigWith({})).hostname } }),
    )
    return path
  }
})
