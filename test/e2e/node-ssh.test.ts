import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { openWorkplace, type ActionRun, type Workplace } from './action.ts'
import {
  apply,
  clientManifest,
  createNamespace,
  deleteNamespace,
  kubectl,
  podAddresses,
  podManifest,
  until,
} from './cluster.ts'
import { googleNodeMissing, openGoogleNode, type GoogleNode } from './google-node.ts'
import { countPackets, oneTo, requestsIn } from './pcap.ts'
import { platform, type Platform } from './platform.ts'
import { datagrams, discardPort, request } from './traffic.ts'

const here = googleNodeMissing === undefined ? describe : describe.skip
const skipped = googleNodeMissing === undefined ? '' : ` (skipped: ${googleNodeMissing})`

/** The folders and processes of one run's capture on the node. Other captures may exist, too. */
function onNode({ main }: ActionRun): string[] {
  const name = /packet-capture-[0-9a-f]+-[0-9a-f]+/.exec(main.log())?.[0]
  if (name === undefined) return [] // the capture has not started yet
  const files = ['/var/tmp', '/var/lib'].flatMap((folder) =>
    readdirSync(folder).filter((file) => file.startsWith(name)),
  )
  const commands = readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .flatMap((pid) => {
      try {
        return [readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')]
      } catch {
        return [] // gone
      }
    })
  return [...files, ...commands.filter((line) => line.includes(name))]
}

here(`a GKE node by SSH through Identity-Aware Proxy${skipped}`, () => {
  let rights: Platform
  let namespace: string
  let work: Workplace
  let web: string
  let other: string
  let node: string
  let gke: GoogleNode

  beforeAll(async () => {
    rights = await platform(randomBytes(3).toString('hex'))
    namespace = await createNamespace('ssh')
    await rights.mayName(namespace)
    work = await openWorkplace()
    await apply([clientManifest(namespace), podManifest(namespace, 'web'), podManifest(namespace, 'other')])
    ;[web = '', other = ''] = await podAddresses(namespace, 'web', 'other', 'client')
    node = await kubectl(['-n', namespace, 'get', 'pod', 'web', '-o', 'jsonpath={.spec.nodeName}'])
  }, 120_000)

  afterAll(async () => {
    await deleteNamespace(namespace)
    await work?.close()
    await rights?.close()
  }, 60_000)

  afterEach(async () => {
    await gke?.close()
  })

  const start = (inputs: Record<string, string> = {}, options: { withoutPost?: boolean } = {}): ActionRun =>
    work.start(
      {
        ...{ pod: 'web', namespace, level: 'node', 'node-method': 'ssh', kubeconfig: rights.kubeconfig },
        ...{ filter: 'tcp port 8080', duration: '6s', ...inputs },
      },
      { withoutKubeconfig: true, env: gke.env, ...options },
    )
  const keysLeft = (): unknown => [
    [...gke.guest.keys().values()].flat(),
    gke.instance.metadata.filter(({ key, value }) => key === 'ssh-keys' && value),
  ]
  const noKey = [[], []]

  it.each([
    ['a key in the metadata of the instance', false],
    ['OS Login', true],
  ])(
    'captures 200 requests of the pod and none of another with %s, and leaves no key, process or file',
    async (_login, osLogin) => {
      gke = await openGoogleNode(node, { osLogin, publishesHostKeys: true })
      const before = JSON.stringify(gke.instance.metadata)
      const run = start()
      await run.capturing()
      expect(onNode(run).length).toBeGreaterThan(2)
      // Everything is in one folder that only root can access, so that no other user of the node can create files under its names.
      const folders = readdirSync('/var/tmp').filter((name) => onNode(run).includes(name))
      expect(folders).toEqual([expect.stringMatching(/\.run$/)])
      expect(statSync(join('/var/tmp', folders[0] ?? '')).mode & 0o777).toBe(0o700)
      const asked = await Promise.all([
        request(namespace, 'client', `http://${web}:8080/n/[1-200]`),
        request(namespace, 'client', `http://${other}:8080/n/[1001-1020]`),
      ])
      expect(asked.map(({ length }) => length)).toEqual([200, 20])
      const { main, post, capture } = await run.finished
      expect(main).toMatchObject({ exitCode: 0, annotations: [], outputs: { verdict: 'complete', dropped: '0' } })
      expect(post.exitCode).toBe(0)
      const path = main.outputs['pcap-path'] ?? ''
      expect(await requestsIn(path)).toEqual(oneTo(200))
      expect(await countPackets(path, `not host ${web}`)).toBe(0)
      expect(capture?.target).toMatchObject({ level: 'node', method: 'ssh', node })
      expect(main.summary).toContain('not duplicates')
      expect(main.log).toContain('Host key: known from the guest attributes')
      expect(onNode(run)).toEqual([])
      expect(keysLeft()).toEqual(noKey)
      expect(JSON.stringify(gke.instance.metadata)).toBe(before)
      expect(main.log).not.toContain('kube-env')
      expect(gke.relay.connections).toBe(0)
    },
    90_000,
  )

  it('waits for a key that reaches the node late', async () => {
    gke = await openGoogleNode(node, { publishesHostKeys: true, propagation: 8_000 })
    const run = start({ duration: '2s' })
    const { main } = await run.finished
    expect(main.log).toMatch(/Waiting: sshd does not accept the key of gha-capture yet/)
    expect(main.outputs['verdict']).toBe('empty')
    expect(onNode(run)).toEqual([])
    expect(keysLeft()).toEqual(noKey)
  }, 90_000)

  it('adds a warning for a host key that the instance does not publish', async () => {
    gke = await openGoogleNode(node)
    const { main } = await start({ duration: '2s' }).finished
    expect(main.exitCode).toBe(0)
    expect(main.annotations.map(({ message }) => message).join('\n')).toMatch(/the host key of \S+ is not published/)
  }, 60_000)

  it('rejects a host key that differs from the published one, and leaves no key', async () => {
    gke = await openGoogleNode(node)
    const stranger = 'AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f'
    gke.instance.guestAttributes.set('hostkeys/ssh-ed25519', stranger)
    const { main } = await start({ duration: '2s' }).finished
    expect(main.exitCode).toBe(1)
    expect(main.log).toMatch(/node-method: the node's host key is ssh-ed25519 SHA256:\S+, its guest attributes list/)
    expect(keysLeft()).toEqual(noKey)
  }, 60_000)

  it('captures 190 MB completely over a tunnel that is cut repeatedly', async () => {
    gke = await openGoogleNode(node, { publishesHostKeys: true })
    const run = start({
      filter: `udp port ${String(discardPort)}`,
      duration: '60s',
      'max-size': '190MB',
      'spool-limit': '400MB',
    })
    await run.capturing()
    const cuts = setInterval(() => gke.relay.cut(), 2_000)
    try {
      await datagrams(namespace, 'client', web, 72_000)
      const { main, capture } = await run.finished
      expect(main).toMatchObject({ exitCode: 0, outputs: { verdict: 'complete' } })
      expect(capture?.bytes).toBeGreaterThanOrEqual(190_000_000)
      expect(gke.relay.calls.filter(({ operation }) => operation === 'reconnect').length).toBeGreaterThan(2)
    } finally {
      clearInterval(cuts)
    }
    expect(onNode(run)).toEqual([])
  }, 180_000)

  it('delivers the capture after a cancel and leaves nothing', async () => {
    gke = await openGoogleNode(node, { publishesHostKeys: true })
    const run = start({ duration: '5m' })
    await run.capturing()
    await request(namespace, 'client', `http://${web}:8080/n/[1-10]`)
    run.main.cancel()
    const { post } = await run.finished
    expect(post.exitCode).toBe(0)
    expect(await requestsIn([...work.results.captures].at(-1)?.path ?? '')).toEqual(oneTo(10))
    expect(onNode(run)).toEqual([])
    expect(keysLeft()).toEqual(noKey)
  }, 90_000)

  it('fetches the rest in post with another key after a SIGKILL of main, and removes both keys', async () => {
    gke = await openGoogleNode(node, { publishesHostKeys: true })
    const run = start({ duration: '5m' })
    await run.capturing()
    await request(namespace, 'client', `http://${web}:8080/n/[1-10]`)
    run.main.kill('SIGKILL')
    const { post } = await run.finished
    expect(post.exitCode).toBe(0)
    expect(await requestsIn([...work.results.captures].at(-1)?.path ?? '')).toEqual(oneTo(10))
    expect(onNode(run)).toEqual([])
    expect(keysLeft()).toEqual(noKey)
  }, 90_000)

  it('ends by itself and deletes its files after a SIGKILL without post; the key expires', async () => {
    gke = await openGoogleNode(node, { publishesHostKeys: true })
    const run = start({ duration: '5m', 'heartbeat-timeout': '20s' }, { withoutPost: true })
    await run.capturing()
    run.main.kill('SIGKILL')
    await run.finished
    await until('a node without files and processes of the capture', 90_000, () =>
      Promise.resolve(onNode(run).length === 0 ? true : undefined),
    )
    const [entry] = gke.instance.metadata.filter(({ key }) => key === 'ssh-keys')
    expect(entry?.value).toMatch(/"expireOn":"\d{4}-/)
  }, 120_000)

  it('keeps concurrent changes of the metadata', async () => {
    gke = await openGoogleNode(node, { publishesHostKeys: true })
    gke.google.world.compute.races = 3
    const { main } = await start({ duration: '2s' }).finished
    expect(main.exitCode).toBe(0)
    expect(gke.google.calls.filter(({ status }) => status === 412).length).toBe(3)
    expect(keysLeft()).toEqual(noKey)
  }, 60_000)

  it('captures the node by its name without the connection that carries the capture', async () => {
    gke = await openGoogleNode(node, { publishesHostKeys: true })
    const run = start({ pod: '', node, 'allow-host-network': 'true', filter: 'tcp', duration: '4s' })
    await run.capturing()
    await request(namespace, 'client', `http://${web}:8080/n/[1-20]`)
    const { main } = await run.finished
    expect(main).toMatchObject({ exitCode: 0, outputs: { verdict: 'complete' } })
    const path = main.outputs['pcap-path'] ?? ''
    expect(await requestsIn(path)).toEqual(oneTo(20))
    expect(await countPackets(path, `tcp port ${String(gke.guest.port)}`)).toBe(0)
  }, 60_000)

  describe('is rejected early, with the cause and the fix', () => {
    it.each(['compute.instances.setMetadata', 'iam.serviceAccounts.actAs'])(
      'without %s',
      async (permission) => {
        gke = await openGoogleNode(node, { publishesHostKeys: true })
        gke.google.world.denied.add(permission)
        const { main } = await start().finished
        expect(main.exitCode).toBe(1)
        expect(main.log).toMatch(new RegExp(`lacks permissions for SSH[^]*${permission.replaceAll('.', '\\.')} on `))
        expect(gke.google.count('compute.instances.setMetadata')).toBe(0)
        expect(gke.relay.calls).toEqual([])
      },
      60_000,
    )

    it('by a relay that denies access (4033)', async () => {
      gke = await openGoogleNode(node, { publishesHostKeys: true })
      gke.relay.faults.refusals.push({ on: 'connect', refusal: { code: 4033, reason: 'not authorized' } })
      const { main } = await start().finished
      expect(main.exitCode).toBe(1)
      expect(main.log).toMatch(/roles\/iap\.tunnelResourceAccessor/)
      expect(keysLeft()).toEqual(noKey)
    }, 60_000)
  })

  it('uses SSH with auto where it is possible, or else a node pod, and says why', async () => {
    gke = await openGoogleNode(node, { publishesHostKeys: true })
    const auto = { 'node-method': 'auto', 'node-namespace': rights.namespace, duration: '2s' }
    const bySsh = await start(auto).finished
    expect(bySsh.main).toMatchObject({ exitCode: 0, summary: expect.stringContaining('by SSH') as string })
    gke.google.world.denied.add('compute.instances.setMetadata')
    const byPod = await start(auto).finished
    expect(byPod.main).toMatchObject({ exitCode: 0, summary: expect.stringContaining('by a node pod') as string })
    expect(byPod.main.log).toMatch(/Method: a node pod; not SSH, because .*lacks permissions/)
  }, 90_000)
})
