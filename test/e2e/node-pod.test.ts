import { randomBytes } from 'node:crypto'
import { openWorkplace, type ActionRun, type Workplace } from './action.ts'
import {
  apply,
  clientManifest,
  createNamespace,
  deleteNamespace,
  kubeconfigPath,
  kubectl,
  podAddresses,
  podManifest,
  testClusterState,
  until,
} from './cluster.ts'
import { countPackets, oneTo, readPcap, requestsIn } from './pcap.ts'
import { nodePodRights, platform, type Platform } from './platform.ts'
import { killSandbox } from './pod-sandbox.ts'
import { request } from './traffic.ts'

const skipped =
  testClusterState === undefined ? ' (skipped: TESTCLUSTER_RUN is not set, so there is no user `platform`)' : ''
const here = skipped === '' ? describe : describe.skip

here(`a node pod, as the user of docs/rbac/platform.yaml${skipped}`, () => {
  let rights: Platform
  let namespace: string
  let work: Workplace
  let web: string
  let other: string
  let node: string
  /** its runner is killed during the capture, and post does not run */
  let killed: ActionRun

  beforeAll(async () => {
    rights = await platform(randomBytes(3).toString('hex'))
    namespace = await createNamespace('node')
    await rights.mayName(namespace)
    work = await openWorkplace()
    await apply([clientManifest(namespace), podManifest(namespace, 'web'), podManifest(namespace, 'other')])
    ;[web = '', other = ''] = await podAddresses(namespace, 'web', 'other', 'client')
    node = await kubectl(['-n', namespace, 'get', 'pod', 'web', '-o', 'jsonpath={.spec.nodeName}'])
    killed = start({ duration: '5m', 'heartbeat-timeout': '20s' }, { withoutPost: true })
    await killed.capturing()
    killed.main.kill('SIGKILL')
    await killed.finished
  }, 120_000)

  afterAll(async () => {
    await deleteNamespace(namespace)
    await work?.close()
    await rights?.close()
  }, 60_000)

  const start = (inputs: Record<string, string> = {}, options: { withoutPost?: boolean } = {}): ActionRun =>
    work.start(
      {
        ...{ pod: 'web', namespace, level: 'node', 'node-method': 'pod', 'node-namespace': rights.namespace },
        ...{ kubeconfig: rights.kubeconfig, filter: 'tcp port 8080', duration: '6s', ...inputs },
      },
      { withoutKubeconfig: true, ...options },
    )
  /** Jobs and pods in the namespace of node pods, except those of the killed run, which are removed meanwhile. */
  const made = async (): Promise<string[]> => (await allMade()).filter((line) => !line.includes(nameOf(killed)))
  const allMade = async (): Promise<string[]> =>
    (await kubectl(['-n', rights.namespace, 'get', 'jobs,pods', '-o', 'name'])).split('\n').filter(Boolean)
  const nothingLeft = (timeout: number): Promise<unknown> =>
    until('an empty namespace of node pods', timeout, async () => ((await made()).length === 0 ? true : undefined))

  it('captures all 200 requests of the named pod on its node and none of another pod, and leaves nothing', async () => {
    const run = start()
    await run.capturing()
    const asked = await Promise.all([
      request(namespace, 'client', `http://${web}:8080/n/[1-200]`),
      request(namespace, 'client', `http://${other}:8080/n/[1001-1020]`),
    ])
    expect(asked.map(({ length }) => length)).toEqual([200, 20])
    const { main, post, capture } = await run.finished
    expect(main).toMatchObject({ exitCode: 0, outputs: { verdict: 'complete', dropped: '0' } })
    expect(post.exitCode).toBe(0)
    const path = main.outputs['pcap-path'] ?? ''
    expect(await requestsIn(path)).toEqual(oneTo(200))
    expect(await countPackets(path, `not host ${web}`)).toBe(0)
    expect(capture?.target).toMatchObject({ level: 'node', method: 'node-pod', pod: 'web', node })
    expect(main.summary).toContain('not duplicates')
    expect(main.summary).toMatch(/\| Not removed \| nothing \|/)
    expect(await made()).toEqual([])
  }, 90_000)

  it('captures one packet on each interface that it passes', async () => {
    const run = start({ duration: '4s' })
    await run.capturing()
    await request(namespace, 'client', `http://${web}:8080/n/1`)
    const { main } = await run.finished
    const text = await readPcap(main.outputs['pcap-path'] ?? '')
    const interfaces = new Set([...text.matchAll(/^\S+ (\S+) +\S+ +IP/gm)].map((match) => match[1]))
    expect(interfaces.size).toBeGreaterThanOrEqual(2)
  }, 60_000)

  it('captures a node by its name without the traffic that carries the capture', async () => {
    const inputs = { pod: '', node, 'allow-host-network': 'true', filter: 'tcp', duration: '5s' }
    const run = start(inputs)
    await run.capturing()
    await request(namespace, 'client', `http://${web}:8080/n/[1-20]`)
    const { main } = await run.finished
    expect(main).toMatchObject({ exitCode: 0, outputs: { verdict: 'complete' } })
    const path = main.outputs['pcap-path'] ?? ''
    expect(await requestsIn(path)).toEqual(oneTo(20))
    expect(await countPackets(path, 'port 10250 or net 127.0.0.0/8')).toBe(0)
  }, 60_000)

  it('requires allow-host-network for a node by its name', async () => {
    const { main } = await start({ pod: '', node }).finished
    expect(main.exitCode).toBe(1)
    expect(main.log).toContain('node: capturing the whole node')
    expect(main.log).toContain('allow-host-network: true')
  }, 60_000)

  it('stops when the pod is deleted, because another pod may receive its address', async () => {
    await apply([podManifest(namespace, 'short-lived')])
    await podAddresses(namespace, 'short-lived')
    const run = start({ pod: 'short-lived', duration: '5m' })
    await run.capturing()
    await kubectl(['-n', namespace, 'delete', 'pod', 'short-lived', '--now'])
    const { main } = await run.finished
    expect(main.outputs).toMatchObject({ verdict: 'partial', 'stop-reason': 'target-gone' })
    expect(await made()).toEqual([])
  }, 60_000)

  it('is partial if the pod is deleted in a capture that is too short for a check in between', async () => {
    await apply([podManifest(namespace, 'very-short-lived')])
    await podAddresses(namespace, 'very-short-lived')
    const run = start({ pod: 'very-short-lived', duration: '4s' })
    await run.capturing()
    await kubectl(['-n', namespace, 'delete', 'pod', 'very-short-lived', '--force', '--grace-period=0'])
    const { main } = await run.finished
    expect(main.outputs).toMatchObject({ verdict: 'partial', 'stop-reason': 'duration' })
    expect(main.outputs['verdict-reason']).toMatch(/^the pod very-short-lived was deleted before the capture was over/)
  }, 60_000)

  it('stops when the pod gets another address with a new sandbox', async () => {
    await apply([podManifest(namespace, 'moved')])
    const [before = ''] = await podAddresses(namespace, 'moved')
    const run = start({ pod: 'moved', duration: '5m' })
    await run.capturing()
    await killSandbox(namespace, 'moved')
    const { main } = await run.finished
    expect(main.outputs).toMatchObject({ verdict: 'partial', 'stop-reason': 'target-gone' })
    expect(main.outputs['verdict-reason']).toContain(`the pod moved changed its address (${before} → `)
    expect(await made()).toEqual([])
  }, 90_000)

  it.each([
    ['pod', 'pods'],
    ['Job', 'jobs'],
  ])(
    'reports an error and not the end of the target if its %s is deleted, and leaves nothing',
    async (_what, kind) => {
      const run = start({ duration: '5m' })
      await run.capturing()
      await request(namespace, 'client', `http://${web}:8080/n/[1-10]`)
      const names = (await made()).filter((line) => line.startsWith(kind === 'pods' ? 'pod/' : 'job'))
      expect(names).toHaveLength(1)
      await kubectl(['-n', rights.namespace, 'delete', ...names])
      const { main } = await run.finished
      expect(main.outputs).toMatchObject({ verdict: 'partial', 'stop-reason': 'error' })
      expect(main.outputs['verdict-reason']).toMatch(
        /the recorder's node pod, not the target, (was stopped|disappeared)/,
      )
      expect(await requestsIn(main.outputs['pcap-path'] ?? '')).toEqual(oneTo(10))
      expect(await made()).toEqual([])
    },
    60_000,
  )

  it('a cancel leaves nothing', async () => {
    const run = start({ duration: '5m' })
    await run.capturing()
    await request(namespace, 'client', `http://${web}:8080/n/[1-10]`)
    run.main.cancel()
    const { post } = await run.finished
    expect(post.exitCode).toBe(0)
    const uploaded = [...work.results.captures].at(-1)
    expect(await requestsIn(uploaded?.path ?? '')).toEqual(oneTo(10))
    await nothingLeft(10_000)
  }, 60_000)

  it('leaves nothing after post when main was killed with SIGKILL', async () => {
    const run = start({ duration: '5m' })
    await run.capturing()
    await request(namespace, 'client', `http://${web}:8080/n/[1-10]`)
    run.main.kill('SIGKILL')
    const { post } = await run.finished
    expect(post.exitCode).toBe(0)
    const uploaded = [...work.results.captures].at(-1)
    expect(await requestsIn(uploaded?.path ?? '')).toEqual(oneTo(10))
    await nothingLeft(10_000)
  }, 60_000)

  it('rejects a namespace whose Pod Security level forbids it, with the fix, and creates nothing', async () => {
    const strict = await createNamespace('node-strict', { 'pod-security.kubernetes.io/enforce': 'baseline' })
    const { main } = await work.run({
      ...{ pod: 'web', namespace, level: 'node', 'node-method': 'pod', 'node-namespace': strict },
      kubeconfig: kubeconfigPath(), // an admin, who may create everything
    })
    expect(main.exitCode).toBe(1)
    expect(main.log).toMatch(/node-namespace: "\S+" enforces a Pod Security level .*hostNetwork/)
    expect((await kubectl(['-n', strict, 'get', 'jobs,pods', '-o', 'name'])).trim()).toBe('')
    await deleteNamespace(strict)
  }, 60_000)

  describe('without the permission', () => {
    afterAll(() => rights.grant(), 60_000)

    it.each(nodePodRights())(
      '%s, names it and creates nothing',
      async (right) => {
        await rights.grant(right)
        const { main } = await start().finished
        expect(main.exitCode).toBe(1)
        expect(main.log).toContain(`lacks permissions in the namespace "${rights.namespace}":\n    ${right}\n`)
        expect(main.log).toContain('docs/rbac/platform.yaml')
        expect(await made()).toEqual([])
      },
      60_000,
    )
  })

  it('uses a node pod with auto where the node is not a Compute Engine instance, and says why', async () => {
    const { main } = await start({ 'node-method': 'auto', duration: '2s' }).finished
    expect(main.exitCode).toBe(0)
    expect(main.log).toMatch(
      /Method: a node pod; not SSH, because .*(Compute Engine|providerID|workload-identity-provider)/,
    )
  }, 60_000)

  it('leaves nothing of the run that was killed: the recorder ended without contact, and the cluster deleted the Job', async () => {
    expect(nameOf(killed)).toMatch(/^packet-capture-/)
    await until('an empty namespace of node pods', 150_000, async () =>
      (await allMade()).length === 0 ? true : undefined,
    )
  }, 160_000)
})

function nameOf({ main }: ActionRun): string {
  return /packet-capture-[0-9a-f]+-[0-9a-f]+/.exec(main.log())?.[0] ?? '?'
}
