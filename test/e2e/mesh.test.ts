import { join } from 'node:path'
import { openWorkplace, type RunResult, type Workplace } from './action.ts'
import { command, createNamespace, deleteNamespace, getPod, kubectl, testClusterScripts } from './cluster.ts'
import { countPackets, oneTo, readPcap, requestsIn } from './pcap.ts'
import { request } from './traffic.ts'

const missing =
  testClusterScripts === undefined ? ' (skipped: TESTCLUSTER, the folder with the script `mesh`, is not set)' : ''
const inMesh = missing === '' ? describe : describe.skip

inMesh(`behind a real Envoy sidecar, 20 requests from checkout to payments${missing}`, () => {
  let namespace: string
  let work: Workplace
  let checkoutAddress: string
  let payments: RunResult
  let narrow: RunResult
  let wide: RunResult

  beforeAll(async () => {
    work = await openWorkplace()
    namespace = await createNamespace('mesh')
    await command(join(testClusterScripts ?? '', 'mesh'), [namespace], { timeout: 180_000 })
    checkoutAddress = (await getPod(namespace, 'checkout')).status.podIP ?? ''
    const service = await kubectl(['-n', namespace, 'get', 'service', 'payments', '-o', 'jsonpath={.spec.clusterIP}'])
    const capture = { namespace, duration: '8s' }
    const runs = [
      work.start({ ...capture, pod: 'payments', filter: 'tcp port 8080' }),
      work.start({ ...capture, pod: 'checkout', filter: 'tcp port 80' }),
      work.start({ ...capture, pod: 'checkout', filter: '(tcp port 80) or tcp port 15001' }),
    ]
    await Promise.all(runs.map((run) => run.capturing()))
    const answers = await request(namespace, 'checkout', `http://${service}/n/[1-20]`)
    expect(answers).toHaveLength(20)
    expect(answers).not.toContain(0)
    const ended = await Promise.all(runs.map((run) => run.finished))
    ;[payments, narrow, wide] = ended as [RunResult, RunResult, RunResult]
  }, 300_000)

  afterAll(async () => {
    await deleteNamespace(namespace)
    await work?.close()
  }, 30_000)

  const path = (run: RunResult): string => run.main.outputs['pcap-path'] ?? ''
  const fromCheckout = (): string => `src host ${checkoutAddress}`

  it('are all readable in the capture of payments, between the sidecar and the app', async () => {
    expect(payments.main.outputs).toMatchObject({ verdict: 'complete' })
    expect(await requestsIn(path(payments), 'src host 127.0.0.6')).toEqual(oneTo(20))
  })

  it('are encrypted between the pods', async () => {
    expect(await readPcap(path(payments), fromCheckout())).not.toContain('GET /n/')
    // A TLS record with application data: the payload starts with 0x17 0x03 0x03.
    const records = `${fromCheckout()} and tcp[((tcp[12] & 0xf0) >> 2):2] = 0x1703`
    expect(await countPackets(path(payments), records)).toBeGreaterThanOrEqual(20)
  })

  it('are missed in the outbound traffic by a filter on the port of the service, and a hint suggests the wider filter', async () => {
    expect(await requestsIn(path(narrow))).toEqual([])
    expect(narrow.main.summary).toContain('15001')
    expect(narrow.main.log).toContain('Hint: The pod has a sidecar')
    expect(narrow.main.log).toContain('`(tcp port 80) or tcp port 15001`')
    expect(JSON.parse(narrow.main.outputs['result'] ?? '')).toMatchObject({
      captures: [{ hints: [expect.stringContaining('(tcp port 80) or tcp port 15001')] }],
    })
  })

  it('are all captured with the wider filter, without a hint', async () => {
    expect(await requestsIn(path(wide), 'dst port 15001')).toEqual(oneTo(20))
    expect(wide.main.log).not.toContain('Hint:')
  })
})
