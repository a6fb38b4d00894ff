import { join } from 'node:path'
import { openWorkplace, type Finished, type Workplace } from './action.ts'
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
  let payments: Finished
  let narrow: Finished
  let wide: Finished

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
    ;[payments, narrow, wide] = ended as [Finished, Finished, Finished]
  }, 300_000)

  afterAll(async () => {
    await deleteNamespace(namespace)
    await work?.close()
  }, 30_000)

  const path = (run: Finished): string => run.main.outputs['pcap-path'] ?? ''
  const fromCheckout = (): string => `src host ${checkoutAddress}`

  it('are all readable in the capture of payments, on the leg from the sidecar to the app', async () => {
    expect(payments.main.outputs).toMatchObject({ verdict: 'complete' })
    expect(await requestsIn(path(payments), 'src host 127.0.0.6')).toEqual(oneTo(20))
  })

  it('are encrypted on the leg from checkout', async () => {
    expect(await readPcap(path(payments), fromCheckout())).not.toContain('GET /n/')
    // A TLS record of application data: 0x17 0x03 0x03 where the payload begins.
    const records = `${fromCheckout()} and tcp[((tcp[12] & 0xf0) >> 2):2] = 0x1703`
    expect(await countPackets(path(payments), records)).toBeGreaterThanOrEqual(20)
  })

  it('are missed on the outbound leg by a filter on the port of the service, which is said with the wider filter', async () => {
    expect(await requestsIn(path(narrow))).toEqual([])
    expect(narrow.main.summary).toContain('15001')
    expect(narrow.main.log).toContain('Hint: The pod has a sidecar')
    expect(narrow.main.log).toContain('`(tcp port 80) or tcp port 15001`')
    expect(JSON.parse(narrow.main.outputs['result'] ?? '')).toMatchObject({
      captures: [{ hints: [expect.stringContaining('(tcp port 80) or tcp port 15001')] }],
    })
  })

  it('are all there with the wider filter, and no hint', async () => {
    expect(await requestsIn(path(wide), 'dst port 15001')).toEqual(oneTo(20))
    expect(wide.main.log).not.toContain('Hint:')
  })
})
