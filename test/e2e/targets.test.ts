import { openWorkplace, type Workplace } from './action.ts'
import {
  apply,
  createNamespace,
  deleteNamespace,
  deploymentManifest,
  ephemeralNames,
  getPod,
  jobManifest,
  kubectl,
  podAddresses,
  podManifest,
  podsOf,
  testClusterState,
  until,
  type DeploymentOptions,
  type PodObject,
} from './cluster.ts'
import { images } from './images.ts'
import { countPackets } from './pcap.ts'
import { killSandbox } from './pod-sandbox.ts'
import { itWith } from '../support/needs.ts'

let work: Workplace
let namespace: string

/** Talks to a closed port of its own pod, until the file exists that ends it. */
const talk = (exitCode = 0): string[] => [
  'sh',
  '-c',
  `until [ -e /tmp/end ]; do echo | nc -w 1 127.0.0.1 9 2>/dev/null; sleep 0.2; done; exit ${String(exitCode)}`,
]
const talksTo = 'tcp port 9'
const longName = 'd'.repeat(250)

/** A rollout of the deployment `name` that does not end, by a change of its pods. */
const rollouts: Record<string, DeploymentOptions> = {
  init: {
    change: {
      initContainers: [{ name: 'wait', image: images.app, imagePullPolicy: 'IfNotPresent', command: talk() }],
    },
  },
  pull: { image: '127.0.0.1:1/none:1', command: ['true'] },
  unscheduled: { change: { nodeSelector: { 'no-such': 'label' } } },
}

beforeAll(async () => {
  work = await openWorkplace()
  namespace = await createNamespace('targets')
  const names = Object.keys(rollouts)
  await apply([
    ...names.map((name) => deploymentManifest(namespace, name)),
    deploymentManifest(namespace, longName, { labels: { app: 'long' } }),
    podManifest(namespace, 'moved', { command: talk() }),
    podManifest(namespace, 'deleted', { command: talk() }),
    podManifest(namespace, 'kept', { command: talk() }),
    podManifest(namespace, 'crashing', { command: ['sh', '-c', 'exit 1'] }),
    jobManifest(namespace, 'succeeds', talk()),
    jobManifest(namespace, 'fails', talk(1)),
  ])
  for (const name of [...names, longName])
    await kubectl(['-n', namespace, 'rollout', 'status', `deployment/${name}`, '--timeout=60s'], { timeout: 70_000 })
  await apply(names.map((name) => deploymentManifest(namespace, name, rollouts[name])))
}, 120_000)

afterAll(async () => {
  await deleteNamespace(namespace)
  await work?.close()
}, 30_000)

/** The ready pod of the old revision and the pod of the hanging one, once that has an address where it will get one. */
async function rollout(name: string, hasAddress: boolean): Promise<{ old: PodObject; hanging: PodObject }> {
  // The kubelet tries one image after the other, and each one that it cannot pull takes time.
  return until(`the pods of the rollout ${name}`, 90_000, async () => {
    const [old, hanging] = await podsOf(namespace, name)
    const isThere = old && hanging && (hanging.status.podIP !== undefined) === hasAddress
    return isThere ? { old, hanging } : undefined
  })
}

const inputs = (pod: string, more: Record<string, string> = {}): Record<string, string> => ({
  ...{ pod, namespace, duration: '2s', 'if-empty': 'ignore' },
  ...more,
})

describe('a rollout that hangs', () => {
  it('in an init container is captured on its pod, by a name as kubectl prints it and a filter of several lines, too', async () => {
    const { hanging } = await rollout('init', true)
    for (const [pod, filter] of [
      ['deployment/init', talksTo],
      ['deployment.apps/init', 'tcp\n  port 9\n'],
    ] as const) {
      const { main, capture } = await work.run(inputs(pod, { filter }))
      expect(main).toMatchObject({
        exitCode: 0,
        annotations: [],
        outputs: { verdict: 'complete', 'stop-reason': 'duration' },
      })
      expect(capture?.target.pod).toBe(hanging.metadata.name)
      expect(await countPackets(main.outputs['pcap-path'] ?? '', 'tcp port 9')).toBeGreaterThan(5)
    }
  }, 60_000)

  it('in an init container is captured by the name of its pod', async () => {
    const { hanging } = await rollout('init', true)
    const { name } = hanging.metadata
    expect((await getPod(namespace, name)).status.phase).toBe('Pending')
    const { main, capture } = await work.run(inputs(name, { filter: talksTo }))
    expect(main).toMatchObject({ exitCode: 0, annotations: [], outputs: { verdict: 'complete' } })
    expect(capture?.target.pod).toBe(name)
  }, 60_000)

  it('because its image cannot be pulled is captured on its pod', async () => {
    const { hanging } = await rollout('pull', true)
    const { main, capture } = await work.run(inputs('deploy/pull'))
    expect(main).toMatchObject({ exitCode: 0, annotations: [], outputs: { 'stop-reason': 'duration' } })
    expect(['complete', 'empty']).toContain(main.outputs['verdict'])
    expect(capture?.target.pod).toBe(hanging.metadata.name)
  }, 120_000)

  it('because its pod is not scheduled is captured on the old pod, with a warning that names the new pod and why', async () => {
    const { old, hanging } = await rollout('unscheduled', false)
    await until('the message of the scheduler', 20_000, async () =>
      (await kubectl(['-n', namespace, 'get', 'pod', hanging.metadata.name, '-o', 'yaml'])).includes('Unschedulable'),
    )
    const { main, capture } = await work.run(inputs('deployment/unscheduled'))
    expect(main).toMatchObject({ exitCode: 0, annotations: [{ level: 'warning' }] })
    const [warning] = main.annotations
    expect(warning?.message).toContain('No pod of the newest revision of deployment "unscheduled" can be captured: ')
    expect(warning?.message).toContain(`${hanging.metadata.name} is not running (Pending) and has no network yet: `)
    expect(warning?.message).toContain('it is not scheduled (Unschedulable: 0/')
    expect(capture?.target.pod).toBe(old.metadata.name)
    expect(main.summary).toContain('> [!WARNING]\n> No pod of the newest revision')
  }, 60_000)
})

it('a deployment with a name of 250 characters is captured', async () => {
  const [pod] = await podsOf(namespace, 'long')
  const { main, capture } = await work.run(inputs(`deployment/${longName}`))
  expect(main).toMatchObject({ exitCode: 0, annotations: [] })
  expect(capture?.target.pod).toBe(pod?.metadata.name)
}, 60_000)

it('a pod that crashes in a loop is captured', async () => {
  await until('the first crash', 30_000, async () => {
    const { status } = await getPod(namespace, 'crashing')
    return (status.containerStatuses?.[0]?.restartCount ?? 0) > 0
  })
  const { main } = await work.run(inputs('crashing'))
  expect(main).toMatchObject({ exitCode: 0, annotations: [], outputs: { 'stop-reason': 'duration' } })
}, 60_000)

describe('a Job whose pod ends during the capture', () => {
  async function captureToEnd(job: string) {
    const [pod] = await podsOf(namespace, job)
    const name = pod?.metadata.name ?? ''
    await podAddresses(namespace, name)
    const run = work.start(inputs(name, { duration: '5m', filter: talksTo }))
    await run.capturing()
    await kubectl(['-n', namespace, 'exec', name, '-c', 'app', '--', 'touch', '/tmp/end'])
    return { name, ...(await run.finished) }
  }

  it('without an error is complete and stops with its target', async () => {
    const { main, name } = await captureToEnd('succeeds')
    expect(main).toMatchObject({
      exitCode: 0,
      annotations: [],
      outputs: { verdict: 'complete', 'stop-reason': 'target-completed' },
    })
    expect(await countPackets(main.outputs['pcap-path'] ?? '')).toBeGreaterThan(0)
    await until('the phase Succeeded', 20_000, async () =>
      (await getPod(namespace, name)).status.phase === 'Succeeded' ? true : undefined,
    )
  }, 60_000)

  it('with an error is partial, and the reason names its end', async () => {
    const { main, name } = await captureToEnd('fails')
    expect(main).toMatchObject({ exitCode: 0, outputs: { verdict: 'partial', 'stop-reason': 'target-gone' } })
    expect(main.outputs['verdict-reason']).toBe(`the pod ${name} ended (Failed) before the capture was over`)
  }, 60_000)
})

describe('a recorder that is stopped', () => {
  it('by the deletion of its pod reports that the pod was deleted', async () => {
    await podAddresses(namespace, 'deleted')
    const run = work.start(inputs('deleted', { duration: '5m', filter: talksTo }))
    await run.capturing()
    await kubectl(['-n', namespace, 'delete', 'pod', 'deleted', '--grace-period=10', '--wait=false'])
    const { main } = await run.finished
    expect(main.outputs).toMatchObject({ verdict: 'partial', 'stop-reason': 'target-gone' })
    expect(main.outputs['verdict-reason']).toBe('the pod deleted was deleted before the capture was over')
  }, 60_000)

  it('by a user while its pod goes on is an error, and not reported as the end of the pod', async () => {
    await podAddresses(namespace, 'kept')
    const run = work.start(inputs('kept', { duration: '5m', filter: talksTo }))
    await run.capturing()
    const [container = ''] = await ephemeralNames(namespace, 'kept')
    await kubectl(['-n', namespace, 'exec', 'kept', '-c', container, '--', 'kill', '1'])
    const { main } = await run.finished
    expect(main.outputs).toMatchObject({ verdict: 'partial', 'stop-reason': 'error' })
    expect(main.outputs['verdict-reason']).toBe(
      'the capture container, not the pod, was stopped before the capture was over',
    )
  }, 60_000)
})

itWith(
  testClusterState === undefined ? 'a cluster whose node is this machine; .ci/run' : undefined,
  'a pod that gets a new sandbox during the capture is partial, and is not reported as ended',
  async () => {
    const [before = ''] = await podAddresses(namespace, 'moved')
    const { metadata } = await getPod(namespace, 'moved')
    const run = work.start(inputs('moved', { duration: '5m', filter: talksTo }))
    await run.capturing()
    await killSandbox(namespace, 'moved')
    const { main } = await run.finished
    expect(main.outputs).toMatchObject({ verdict: 'partial', 'stop-reason': 'target-gone' })
    expect(main.outputs['verdict-reason']).toMatch(
      new RegExp(`^the pod moved got a new sandbox( \\(${before.replaceAll('.', '\\.')} → [\\d.]+\\))? before`),
    )
    expect((await getPod(namespace, 'moved')).metadata.uid).toBe(metadata.uid)
  },
  90_000,
)
