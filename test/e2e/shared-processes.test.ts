import { openWorkplace, type RunResult, type Workplace } from './action.ts'
import {
  apply,
  clientManifest,
  createNamespace,
  deleteNamespace,
  kubectl,
  podAddresses,
  podManifest,
} from './cluster.ts'
import { request } from './traffic.ts'

/** Pods whose processes can change what is recorded: the verdict says so, because nothing else can show it. */

let namespace: string
let work: Workplace
let addresses: Record<string, string>

const asRoot = { securityContext: { runAsUser: 0 } }

beforeAll(async () => {
  work = await openWorkplace()
  namespace = await createNamespace('shared')
  await apply([
    clientManifest(namespace),
    podManifest(namespace, 'shared-root', { spec: { shareProcessNamespace: true }, container: asRoot }),
    podManifest(namespace, 'shared-user', {
      spec: { shareProcessNamespace: true, securityContext: { runAsUser: 1_000 } },
    }),
    podManifest(namespace, 'plain-root', { container: asRoot }),
    podManifest(namespace, 'no-disk', {
      container: { ...asRoot, resources: { limits: { 'ephemeral-storage': '9M' } } },
    }),
  ])
  const names = ['shared-root', 'shared-user', 'plain-root', 'no-disk']
  const found = await podAddresses(namespace, ...names, 'client')
  addresses = Object.fromEntries(names.map((name, i) => [name, found[i] ?? '']))
}, 120_000)

afterAll(async () => {
  await deleteNamespace(namespace)
  await work?.close()
}, 30_000)

interface Looked {
  readonly run: RunResult
  /** what the container `app` answered during the capture */
  readonly seen: string
}

/** Captures some requests to a pod; meanwhile its application looks for the recorder's files with a shell command. */
async function capture(pod: string, look: string): Promise<Looked> {
  const running = work.start({ pod, namespace, duration: '4s' })
  await running.capturing()
  await request(namespace, 'client', `http://${addresses[pod] ?? ''}:8080/n/[1-20]`)
  const seen = await kubectl(['-n', namespace, 'exec', pod, '-c', 'app', '--', 'sh', '-c', look])
  return { run: await running.finished, seen }
}

const listSpools = 'ls -d /proc/[0-9]*/root/tmp/packet-capture-* /dev/shm/packet-capture-* 2>/dev/null; true'

function expectCaution({ run: { main, capture: result } }: Looked, caution: string): void {
  expect(main.exitCode).toBe(0)
  expect(main.outputs['verdict']).toBe('complete')
  const end = `, but ${caution}, so the content is not protected from it`
  expect(main.outputs['verdict-reason']).toMatch(/^all \d+ bytes arrived /)
  expect(main.outputs['verdict-reason']?.endsWith(end)).toBe(true)
  expect(result?.verdict.reason).toBe(main.outputs['verdict-reason'])
  expect(main.summary).toContain('so the content is not protected from it')
  expect(main.annotations).toMatchObject([
    { level: 'warning', message: expect.stringMatching(/^Caution: .* so the content is not protected/) as string },
  ])
}

it('a root application that shares its processes can reach the recorder, and the complete capture has a caution', async () => {
  const looked = await capture('shared-root', listSpools)
  expect(looked.seen).toMatch(/\/proc\/\d+\/root\/tmp\/packet-capture-/)
  expectCaution(looked, 'the container app shares the process namespace as root')
}, 90_000)

it('a root application reaches a spool in the memory of the pod, and the complete capture has a caution', async () => {
  const looked = await capture('no-disk', listSpools)
  expect(looked.seen).toMatch(/^\/dev\/shm\/packet-capture-/m)
  expectCaution(looked, 'the container app shares /dev/shm, where the recorder had to put its spool, as root')
}, 90_000)

it.each(['shared-user', 'plain-root'])(
  'the application of the pod %s cannot reach the recorder, and its capture has no caution',
  async (pod) => {
    const { run, seen } = await capture(pod, listSpools)
    expect(seen.trim()).toBe('')
    expect(run.main).toMatchObject({ exitCode: 0, annotations: [] })
    expect(run.main.outputs['verdict']).toBe('complete')
    expect(`${run.main.outputs['verdict-reason'] ?? ''}${run.main.summary}`).not.toContain('not protected')
  },
  90_000,
)
