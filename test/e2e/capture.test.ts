import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
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
  until,
  type PodObject,
} from './cluster.ts'
import { debianImage } from './debian-image.ts'
import { images } from './images.ts'
import { countPackets, oneTo, requestsIn } from './pcap.ts'
import { request } from './traffic.ts'
import { processesOf } from './trials/pod-side.ts'
import { decodeCharacterReferences } from '../support/character-references.ts'

let namespace: string
let work: Workplace
let web: string
let distroless: string

beforeAll(async () => {
  work = await openWorkplace()
  namespace = await createNamespace('capture')
  await apply([
    clientManifest(namespace),
    podManifest(namespace, 'web'),
    podManifest(namespace, 'distroless', {
      image: images.distroless,
      container: {
        securityContext: {
          runAsNonRoot: true,
          runAsUser: 65532,
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        },
      },
    }),
  ])
  ;[web = '', distroless = ''] = await podAddresses(namespace, 'web', 'distroless', 'client')
}, 120_000)

afterAll(async () => {
  await deleteNamespace(namespace)
  await work?.close()
}, 30_000)

/** Captures `pod` while the client sends 200 requests to it, and some to another port. */
async function captureRequests(pod: string, address: string, inputs: Record<string, string> = {}): Promise<RunResult> {
  const run = work.start({ pod, namespace, duration: '8s', filter: 'tcp port 8080', ...inputs })
  await run.capturing()
  const container = /packet-capture-[0-9a-f]+-[0-9a-f]+/.exec(run.main.log())?.[0] ?? '?'
  if (testClusterState !== undefined) expect(processesOf(container).length).toBeGreaterThanOrEqual(2)
  const [wanted] = await Promise.all([
    request(namespace, 'client', `http://${address}:8080/n/[1-200]`),
    request(namespace, 'client', `http://${address}:8081/other/[1-30]`),
  ])
  expect(wanted).toHaveLength(200)
  expect(wanted).not.toContain(0)
  return run.finished
}

async function expectAllRequests({ main, capture }: RunResult): Promise<void> {
  const path = main.outputs['pcap-path'] ?? ''
  expect(await requestsIn(path)).toEqual(oneTo(200))
  expect(await countPackets(path)).toBe(capture?.packets)
  expect(await countPackets(path, 'not tcp port 8080')).toBe(0)
}

/** Finds processes by the variables of the container; they are visible only if the node is this machine. */

/** Expects an unchanged pod with one more terminated ephemeral container. */
async function expectUnharmed(pod: string, before: PodObject, container: string): Promise<void> {
  const after = await getPod(namespace, pod)
  expect(after.metadata.uid).toBe(before.metadata.uid)
  expect(after.status.containerStatuses?.map(({ restartCount, ready }) => ({ restartCount, ready }))).toEqual([
    { restartCount: 0, ready: true },
  ])
  const ours = after.status.ephemeralContainerStatuses?.find(({ name }) => name === container)
  expect(ours?.state.terminated).toMatchObject({ exitCode: 0, reason: 'Completed' })
  if (testClusterState !== undefined) expect(processesOf(container)).toEqual([])
}

describe('200 requests while `tcp port 8080` is captured', () => {
  let before: PodObject
  let run: RunResult
  beforeAll(async () => {
    before = await getPod(namespace, 'web')
    run = await captureRequests('web', web)
  }, 90_000)

  it('are all in the pcap according to tcpdump, and no other port is', () => expectAllRequests(run))

  it('lead to the verdict complete and a successful step', () => {
    expect(run.main).toMatchObject({ exitCode: 0, annotations: [] })
    expect(run.main.outputs).toMatchObject({ verdict: 'complete', 'stop-reason': 'duration', dropped: '0' })
    expect(run.main.outputs['verdict-reason']).toMatch(/^all \d+ bytes arrived/)
    expect(Number(run.main.outputs['packets'])).toBe(run.capture?.packets)
  })

  it('are uploaded byte for byte, under the name of the file', () => {
    const { outputs } = run.main
    const file = readFileSync(outputs['pcap-path'] ?? '')
    const digest = createHash('sha256').update(file).digest('hex')
    const artifact = work.results.captures.find(({ id }) => String(id) === outputs['artifact-id'])
    expect(artifact).toMatchObject({ size: file.length, digest: `sha256:${digest}` })
    expect(readFileSync(artifact?.path ?? '').equals(file)).toBe(true)
    expect(outputs['artifact-digest']).toBe(digest)
    expect(run.capture?.sha256).toBe(digest)
    expect(outputs['bytes']).toBe(String(file.length))
    expect(outputs['pcap-path']?.endsWith(`/${artifact?.name ?? '?'}`)).toBe(true)
    expect(outputs['artifact-url']).toMatch(
      new RegExp(`/actions/runs/\\d+/artifacts/${outputs['artifact-id'] ?? '?'}$`),
    )
  })

  it('are reported in the summary and the log', () => {
    const { summary, log } = run.main
    const shown = summary.replaceAll('<wbr>', '') // where a long word may break
    for (const words of ['complete', 'tcp port 8080', 'web', namespace, run.capture?.target.container ?? '?']) {
      expect(shown).toContain(words)
    }
    expect(decodeCharacterReferences(summary)).toContain(`](${run.main.outputs['artifact-url'] ?? ''})`)
    expect(log).toContain(`Capturing pod web on any for 8s`)
    expect(log).toContain(run.main.outputs['artifact-url'])
  })

  it('leave no process behind', async () => {
    await expectUnharmed('web', before, run.capture?.target.container ?? '?')
    expect(run.main.endedAfterLastLineMs).toBeLessThan(5_000)
    expect(run.post).toMatchObject({ exitCode: 0, log: '', summary: '' })
  })
})

it('captures a distroless pod that runs as non-root, without capabilities, with a read-only root file system', async () => {
  const before = await getPod(namespace, 'distroless')
  const run = await captureRequests('distroless', distroless)
  expect(run.main.outputs).toMatchObject({ verdict: 'complete' })
  await expectAllRequests(run)
  await expectUnharmed('distroless', before, run.capture?.target.container ?? '?')
}, 90_000)

const debian = await debianImage()
const onDebian = 'image' in debian ? it : it.skip
onDebian(
  `captures with an image that has dash and coreutils${'image' in debian ? '' : ` (skipped: ${debian.missing})`}`,
  async () => {
    const image = 'image' in debian ? debian.image : ''
    const run = await captureRequests('web', web, { image })
    expect(run.main.outputs).toMatchObject({ verdict: 'complete' })
    await expectAllRequests(run)
  },
  90_000,
)

describe('deployment/NAME', () => {
  const label = { app: 'rollout' }
  /** Oldest first, with their readiness. */
  const pods = async (): Promise<{ name: string; ready: boolean }[]> => {
    const { items } = JSON.parse(
      await kubectl(['-n', namespace, 'get', 'pods', '-l', 'app=rollout', '-o', 'json']),
    ) as { items: PodObject[] }
    return items
      .sort((a, b) => a.metadata.creationTimestamp.localeCompare(b.metadata.creationTimestamp))
      .map(({ metadata, status }) => ({ name: metadata.name, ready: status.containerStatuses?.[0]?.ready === true }))
  }
  const running = (count: number): Promise<string> =>
    until(`${String(count)} running pods`, 30_000, async () => {
      const text = await kubectl([
        '-n',
        namespace,
        'get',
        'pods',
        '-l',
        'app=rollout',
        '-o',
        'jsonpath={.items[*].status.phase}',
      ])
      return text.split(' ').filter((phase) => phase === 'Running').length === count ? text : undefined
    })
  const makeReady = async (pod: string): Promise<void> => {
    await kubectl(['-n', namespace, 'exec', pod, '--', 'touch', '/tmp/ready'])
    await kubectl(['-n', namespace, 'wait', '--for=condition=Ready', `pod/${pod}`, '--timeout=30s'])
  }
  const captured = async (): Promise<string | undefined> =>
    (await work.run({ pod: 'deployment/rollout', namespace, duration: '1s' })).capture?.target.pod

  beforeAll(async () => {
    await apply([
      {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'rollout', namespace },
        spec: {
          replicas: 1,
          selector: { matchLabels: label },
          template: {
            metadata: { labels: label },
            spec: {
              terminationGracePeriodSeconds: 1,
              containers: [
                {
                  name: 'app',
                  image: images.app,
                  imagePullPolicy: 'IfNotPresent',
                  command: ['sleep', '1000000'],
                  readinessProbe: { exec: { command: ['test', '-e', '/tmp/ready'] }, periodSeconds: 1 },
                },
              ],
            },
          },
        },
      },
    ])
    // Creation times have a resolution of one second: each pod runs before the next is created.
    for (const replicas of [1, 2, 3]) {
      await kubectl(['-n', namespace, 'scale', 'deployment/rollout', `--replicas=${String(replicas)}`])
      await running(replicas)
    }
    const [first, , third] = await pods()
    await makeReady(first?.name ?? '')
    await makeReady(third?.name ?? '')
  }, 90_000)

  it('selects the newest pod that is not ready, or else the newest', async () => {
    const [, second, third] = await pods()
    expect(await captured()).toBe(second?.name)
    await makeReady(second?.name ?? '')
    expect(await captured()).toBe(third?.name)
  }, 90_000)
})
