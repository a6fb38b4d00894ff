import { openWorkplace, type Workplace } from './action.ts'
import {
  apply,
  clientManifest,
  createNamespace,
  deleteNamespace,
  getPod,
  kubectl,
  podAddresses,
  podManifest,
} from './cluster.ts'
import { request } from './traffic.ts'

let namespace: string
let work: Workplace

beforeAll(async () => {
  work = await openWorkplace()
  namespace = await createNamespace('harm')
}, 60_000)

afterAll(async () => {
  await deleteNamespace(namespace)
  await work?.close()
}, 30_000)

const seconds = 30
/** The spool may use 40 % of the pod's ephemeral-storage limit, so the load fills it several times. */
const spool = 20e6

it('does not disturb a small Guaranteed pod: it answers every request while it is captured under load', async () => {
  const amounts = { cpu: '100m', memory: '32Mi', 'ephemeral-storage': '50M' }
  await apply([
    clientManifest(namespace),
    podManifest(namespace, 'small', { container: { resources: { limits: amounts, requests: amounts } } }),
  ])
  const [small = ''] = await podAddresses(namespace, 'small', 'client')
  expect(await kubectl(['-n', namespace, 'get', 'pod', 'small', '-o', 'jsonpath={.status.qosClass}'])).toBe(
    'Guaranteed',
  )
  const before = await getPod(namespace, 'small')

  const run = work.start({ pod: 'small', namespace, duration: `${String(seconds)}s` })
  await run.capturing()
  const load = bulk(small)
  const statuses: number[] = []
  const slowest: number[] = []
  const end = Date.now() + (seconds - 2) * 1000
  while (Date.now() < end) {
    const began = Date.now()
    statuses.push(...(await request(namespace, 'client', `http://${small}:8080/?[1-20]`)))
    slowest.push((Date.now() - began) / 20)
  }
  await load
  const { main, capture } = await run.finished
  const after = await getPod(namespace, 'small')

  console.info(
    `harm: ${String(statuses.length)} requests, at most ${Math.max(...slowest).toFixed(0)} ms each in a series of 20; ` +
      `captured ${String(capture?.bytes)} bytes, ${String(capture?.verdict.verdict)}: ${String(capture?.verdict.reason)}`,
  )
  expect(statuses.length).toBeGreaterThan(100)
  expect(statuses.filter((status) => status !== 200)).toEqual([])
  expect(after.status).toMatchObject({ phase: 'Running', containerStatuses: [{ restartCount: 0, ready: true }] })
  expect(after.status.reason).toBeUndefined() // set by an eviction
  expect(after.metadata.uid).toBe(before.metadata.uid)
  expect(capture?.bytes).toBeGreaterThan(3 * spool)
  // Under this load the capture may pause or lose packets, and must then report it. It must not end for another reason.
  expect(main).toMatchObject({ exitCode: 0 })
  expect(main.outputs).toMatchObject({ 'stop-reason': 'duration' })
  expect(['complete', 'partial']).toContain(main.outputs['verdict'])
}, 120_000)

/** Sends about 4 MB of datagrams per second until shortly before the end of the capture. */
async function bulk(address: string): Promise<void> {
  const script = `end=$(($(date +%s) + ${String(seconds - 4)})); while [ $(date +%s) -lt $end ]; do dd if=/dev/zero bs=1400 count=300 2>/dev/null >/dev/udp/${address}/9; sleep 0.1; done`
  await kubectl(['-n', namespace, 'exec', 'client', '-c', 'app', '--', 'bash', '-c', script])
}
