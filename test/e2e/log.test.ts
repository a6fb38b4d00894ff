import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { openWorkplace, type RunResult, type Workplace } from './action.ts'
import {
  apply,
  clientManifest,
  createNamespace,
  deleteNamespace,
  getPod,
  kubectl,
  podAddresses,
  podManifest,
  testClusterState,
} from './cluster.ts'
import { oneTo, requestsIn } from './pcap.ts'
import { request } from './traffic.ts'

/** The cluster's log pipeline collects the container's log, so the log must not contain payload. */
describe('the log of the capture container', () => {
  let namespace: string
  let work: Workplace
  let run: RunResult

  beforeAll(async () => {
    work = await openWorkplace()
    namespace = await createNamespace('log')
    await apply([clientManifest(namespace), podManifest(namespace, 'web')])
    const [web = ''] = await podAddresses(namespace, 'web', 'client')
    const running = work.start({ pod: 'web', namespace, duration: '4s' })
    await running.capturing()
    await request(namespace, 'client', `http://${web}:8080/n/[1-50]`)
    run = await running.finished
    expect(await requestsIn(run.main.outputs['pcap-path'] ?? '')).toEqual(oneTo(50))
  }, 120_000)

  afterAll(async () => {
    await deleteNamespace(namespace)
    await work?.close()
  }, 30_000)

  const expectStatusLines = (text: string): void => {
    const lines = text.trimEnd().split('\n')
    expect(lines.length).toBeLessThanOrEqual(5)
    for (const line of lines) expect(line).toMatch(/^(listening|stopped|ended)\b[ -~]{0,200}$/)
    expect(text).not.toContain('GET')
  }

  it('contains only short status lines', async () => {
    expectStatusLines(await kubectl(['-n', namespace, 'logs', 'web', '-c', run.capture?.target.container ?? '?']))
  })

  const missing = testClusterState === undefined ? " (skipped: TESTCLUSTER_RUN, with the node's logs, is not set)" : ''
  const onNode = missing === '' ? it : it.skip
  onNode(`contains only short status lines in the log file on the node${missing}`, async () => {
    const { metadata } = await getPod(namespace, 'web')
    const folder = join(
      testClusterState ?? '',
      'logs/pods',
      `${namespace}_web_${metadata.uid}`,
      run.capture?.target.container ?? '?',
    )
    const files = readdirSync(folder)
    expect(files).toEqual(['0.log'])
    // The format of a line in the log file: time, stream, tag, text.
    const text = readFileSync(join(folder, '0.log'), 'latin1').replace(/^\S+ std(?:out|err) F /gm, '')
    expectStatusLines(text)
  })
})
