import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { treeName, type CosOptions } from '../sandbox/google/cos.ts'
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
import { makeTree, toolboxMissing } from './root-tree.ts'
import { request } from './traffic.ts'

const missing = googleNodeMissing ?? (await toolboxMissing())
const here = missing === undefined ? describe : describe.skip

/** Like Google's image: without tcpdump. */
const plainImage = 'registry.example/cos-cloud/toolbox:v20230714'
const debugImage = 'registry.example/tools/netdebug:1.2'

here(
  `a node with Container-Optimized OS and its toolbox${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  () => {
    let folder: string
    let images: Record<string, string>
    let rights: Platform
    let namespace: string
    let work: Workplace
    let web: string
    let other: string
    let node: string
    let gke: GoogleNode

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'node-cos-'))
      images = { [plainImage]: join(folder, 'plain'), [debugImage]: join(folder, 'debug') }
      for (const tree of Object.values(images)) await makeTree(tree)
      // Its packages are in the tree itself.
      mkdirSync(join(folder, 'plain/packages'))
      renameSync(join(folder, 'plain/bin/tcpdump'), join(folder, 'plain/packages/tcpdump'))
      const install =
        '#!/bin/sh\ncase "$*" in *update) exec echo "Reading package lists..." ;; *install*) exec cp /packages/"${*##* }" /bin ;; esac\nexit 100\n'
      writeFileSync(join(folder, 'plain/bin/apt-get'), install, { mode: 0o755 })
      rights = await platform(randomBytes(3).toString('hex'))
      namespace = await createNamespace('cos')
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
      rmSync(folder, { recursive: true, force: true })
    }, 60_000)

    afterEach(async () => {
      await gke?.close()
    })

    const boot = async (cos: Partial<CosOptions> = {}): Promise<void> => {
      gke = await openGoogleNode(node, { publishesHostKeys: true, cos: { images, image: debugImage, ...cos } })
    }
    const start = (inputs: Record<string, string> = {}, options: { withoutPost?: boolean } = {}): ActionRun =>
      work.start(
        {
          ...{ pod: 'web', namespace, level: 'node', 'node-method': 'ssh', kubeconfig: rights.kubeconfig },
          ...{ filter: 'tcp port 8080', duration: '5s', ...inputs },
        },
        { withoutKubeconfig: true, env: gke.env, ...options },
      )
    /** Everything that captures left on the node, except toolbox trees: files in every writable directory, and processes. */
    const onNode = (): string[] => [
      ...['tmp', 'run', 'var/tmp', 'var/lib', 'var/log', 'root'].flatMap((path) =>
        readdirSync(join(gke.guest.root, path))
          .filter((name) => name.includes('capture'))
          .map((name) => `/${path}/${name}`),
      ),
      ...gke.guest.processes().values(),
    ]
    const trees = (): string[] => readdirSync(join(gke.guest.root, 'var/lib/toolbox'))
    const keysLeft = (): unknown => [
      [...gke.guest.keys().values()].flat(),
      gke.instance.metadata.filter(({ key, value }) => key === 'ssh-keys' && value),
    ]
    const noKey = [[], []]
    const capturedAll = async (run: ActionRun): Promise<Awaited<ActionRun['finished']>> => {
      await run.capturing()
      const asked = await Promise.all([
        request(namespace, 'client', `http://${web}:8080/n/[1-200]`),
        request(namespace, 'client', `http://${other}:8080/n/[1001-1020]`),
      ])
      expect(asked.map(({ length }) => length)).toEqual([200, 20])
      const finished = await run.finished
      const { main } = finished
      expect(main).toMatchObject({ exitCode: 0, annotations: [], outputs: { verdict: 'complete', dropped: '0' } })
      const path = main.outputs['pcap-path'] ?? ''
      expect(await requestsIn(path)).toEqual(oneTo(200))
      expect(await countPackets(path, `not host ${web}`)).toBe(0)
      return finished
    }

    it('captures 200 requests of the pod and none of another; only the toolbox stays', async () => {
      await boot()
      const run = start()
      await run.capturing()
      expect([...gke.guest.processes().values()]).toEqual(
        expect.arrayContaining([
          expect.stringMatching(/^systemd-nspawn .* --quiet --pipe --bind=\/var\/tmp\/packet-capture-\S+\.run sh /),
          expect.stringMatching(/^tcpdump .*-w \/var\/tmp\/packet-capture-/),
        ]),
      )
      const first = await capturedAll(run)
      expect(first.main.log).toMatch(/Started the recorder \S+ on \S+, with tcpdump [\d.]+ of the toolbox/)
      const left = first.main.summary.replaceAll('&#95;', '_')
      expect(left).toContain(`the toolbox of the node, unpacked to /var/lib/toolbox: ${treeName(debugImage)}`)
      expect([onNode(), keysLeft(), trees()]).toEqual([[], noKey, [treeName(debugImage)]])

      const second = await capturedAll(start())
      expect(second.main.log).not.toContain('unpacked')
      expect(second.main.summary).not.toContain('unpacked')
      expect([onNode(), keysLeft(), trees()]).toEqual([[], noKey, [treeName(debugImage)]])
    }, 120_000)

    it('installs tcpdump into a toolbox that has none', async () => {
      await boot({ image: plainImage })
      const { main } = await capturedAll(start())
      expect(main.log).toContain('tcpdump is installed into the toolbox')
      expect([onNode(), keysLeft(), trees()]).toEqual([[], noKey, [treeName(plainImage)]])
      const again = await capturedAll(start())
      expect(again.main.log).not.toContain('installed')
    }, 120_000)

    it('delivers the capture after a cancel and leaves nothing', async () => {
      await boot()
      const run = start({ duration: '5m' })
      await run.capturing()
      await request(namespace, 'client', `http://${web}:8080/n/[1-10]`)
      run.main.cancel()
      const { post } = await run.finished
      expect(post.exitCode).toBe(0)
      expect(await requestsIn([...work.results.captures].at(-1)?.path ?? '')).toEqual(oneTo(10))
      expect(post.summary.replaceAll('&#95;', '_')).toContain(`unpacked to /var/lib/toolbox: ${treeName(debugImage)}`)
      expect([onNode(), keysLeft()]).toEqual([[], noKey])
    }, 90_000)

    it('ends a recorder that does not respond, and deletes its files', async () => {
      await boot({ image: plainImage })
      const run = start({ duration: '5m', 'heartbeat-timeout': '20s', 'toolbox-image': debugImage })
      await run.capturing()
      const recorders = [...gke.guest.processes()].filter(([, line]) => line === 'sh ./recorder')
      expect(recorders).not.toEqual([])
      for (const [pid] of recorders) process.kill(pid, 'SIGSTOP')
      run.main.cancel()
      expect((await run.finished).post.exitCode).toBe(0)
      expect([onNode(), keysLeft()]).toEqual([[], noKey])
    }, 180_000)

    it('ends by itself and deletes its files when the runner has failed', async () => {
      await boot({ image: plainImage })
      const run = start(
        { duration: '5m', 'heartbeat-timeout': '20s', 'toolbox-image': debugImage },
        { withoutPost: true },
      )
      await run.capturing()
      run.main.kill('SIGKILL')
      await run.finished
      await until('a node without files and processes of the capture', 90_000, () =>
        Promise.resolve(onNode().length === 0 ? true : undefined),
      )
    }, 120_000)

    describe('without enough disk space for the toolbox', () => {
      const disk = 4_000_000_000

      it('is rejected before anything is downloaded', async () => {
        await boot({ disk })
        const { main } = await start().finished
        expect(main.exitCode).toBe(1)
        expect(main.log).toMatch(
          /node-method: the node has no tcpdump, and its disk has no room for the toolbox \(5\.00 GB; [\d.]+ GB can be used\)\. .*toolbox-image/,
        )
        expect([onNode(), keysLeft(), trees()]).toEqual([[], noKey, []])
      }, 60_000)

      it('uses a small image from toolbox-image', async () => {
        await boot({ disk, image: plainImage })
        await capturedAll(start({ 'toolbox-image': debugImage }))
        expect([onNode(), keysLeft(), trees()]).toEqual([[], noKey, [treeName(debugImage)]])
        expect(existsSync(join(gke.guest.root, 'root/.toolboxrc'))).toBe(false)
      }, 90_000)
    })

    it('reports a toolbox image that cannot be pulled', async () => {
      await boot()
      const { main } = await start({ 'toolbox-image': 'registry.example/demo-project/absent:1' }).finished
      expect(main.exitCode).toBe(1)
      expect(main.log).toMatch(
        /node-method: the toolbox of the node does not start: .*manifest unknown.*registry\.example\/demo-project\/absent:1/,
      )
      expect([onNode(), keysLeft(), trees()]).toEqual([[], noKey, []])
    }, 60_000)

    it('waits for an image no longer than start-timeout', async () => {
      await boot({ beforePull: 'sleep 100' })
      const { main } = await start({ 'start-timeout': '12s', 'toolbox-image': plainImage }).finished
      expect(main.exitCode).toBe(1)
      expect(main.log).toMatch(/start-timeout: the toolbox of the node is not ready within the \d+ s .*toolbox-image/)
      expect([onNode(), keysLeft(), trees()]).toEqual([[], noKey, []])
    }, 60_000)
  },
)
