import { openWorkplace, type ActionRun, type Workplace } from './action.ts'
import { apply, clientManifest, createNamespace, deleteNamespace, podAddresses, podManifest } from './cluster.ts'
import { countPackets } from './pcap.ts'
import { datagrams, discardPort, request } from './traffic.ts'

let namespace: string
let work: Workplace
let web: string

beforeAll(async () => {
  work = await openWorkplace()
  namespace = await createNamespace('idle')
  await apply([clientManifest(namespace), podManifest(namespace, 'web')])
  ;[web = ''] = await podAddresses(namespace, 'web', 'client')
}, 120_000)

afterAll(async () => {
  await deleteNamespace(namespace)
  await work?.close()
}, 30_000)

/** The time between the first matching lines, in seconds. */
function seconds(lines: ActionRun['lines'], from: RegExp, to: RegExp): number {
  const at = (pattern: RegExp): number => lines.find(({ text }) => pattern.test(text))?.at ?? NaN
  return (at(to) - at(from)) / 1000
}

describe('a capture without a packet', () => {
  const nothing = { pod: 'web', duration: '6s', filter: `udp port ${String(discardPort)}` }

  it('ends within 2 s of its duration, is empty, and adds a warning', async () => {
    const { main, lines, capture } = await work.run({ ...nothing, namespace })
    expect(main).toMatchObject({ exitCode: 0, outputs: { verdict: 'empty', 'stop-reason': 'duration', packets: '0' } })
    expect(main.annotations).toEqual([
      expect.objectContaining({
        level: 'warning',
        message: expect.stringMatching(/is empty: no packet matched/) as string,
      }),
    ])
    expect(main.summary).toContain('No packet of pod web matched')
    expect(capture?.capture.recordedSeconds).toBeGreaterThanOrEqual(6)
    expect(capture?.capture.recordedSeconds).toBeLessThanOrEqual(8)
    // From the line "Capturing" to the first line after the recording. This includes the hash, the fetch, and the time
    // until the kubelet reports that the container has ended (it reports once per second).
    const seen = seconds(lines, /^Capturing pod/, /Upload/)
    console.info(
      `idle: 6 s requested, ${String(capture?.capture.recordedSeconds)} s recorded, ${seen.toFixed(1)} s according to the log`,
    )
    expect(seen).toBeGreaterThanOrEqual(5.5)
    expect(seen).toBeLessThanOrEqual(10)
  }, 60_000)

  it('fails the step with if-empty: error, and adds no annotation with ignore', async () => {
    const short = { ...nothing, namespace, duration: '1s' }
    const [error, ignore] = await Promise.all([
      work.run({ ...short, 'if-empty': 'error' }),
      work.run({ ...short, 'if-empty': 'ignore' }),
    ])
    expect(error.main).toMatchObject({ exitCode: 1, outputs: { verdict: 'empty' } })
    expect(error.main.annotations).toMatchObject([{ level: 'error' }])
    expect(work.results.captures.map(({ id }) => String(id))).toContain(error.main.outputs['artifact-id'])
    expect(ignore.main).toMatchObject({ exitCode: 0, annotations: [], outputs: { verdict: 'empty' } })
  }, 60_000)
})

describe('a limit', () => {
  it('of packets stops the capture, which is then complete', async () => {
    const run = work.start({ pod: 'web', namespace, duration: '5m', filter: 'tcp port 8080', 'max-packets': '25' })
    await run.capturing()
    await request(namespace, 'client', `http://${web}:8080/n/[1-20]`)
    const { main } = await run.finished
    expect(main).toMatchObject({ exitCode: 0, annotations: [] })
    expect(main.outputs).toMatchObject({ verdict: 'complete', 'stop-reason': 'packets', packets: '25' })
    expect(await countPackets(main.outputs['pcap-path'] ?? '')).toBe(25)
  }, 60_000)

  it('of size stops the capture, which is then complete and not much larger', async () => {
    const run = work.start({
      pod: 'web',
      namespace,
      duration: '5m',
      filter: `udp port ${String(discardPort)}`,
      'max-size': '500KB',
    })
    await run.capturing()
    await datagrams(namespace, 'client', web, 1000)
    const { main } = await run.finished
    expect(main).toMatchObject({ exitCode: 0, annotations: [] })
    expect(main.outputs).toMatchObject({ verdict: 'complete', 'stop-reason': 'size' })
    expect(Number(main.outputs['bytes'])).toBeGreaterThanOrEqual(500_000)
    expect(Number(main.outputs['bytes'])).toBeLessThanOrEqual(1_600_000)
  }, 60_000)
})
