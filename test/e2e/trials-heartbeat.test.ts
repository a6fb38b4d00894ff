import { apply, createNamespace, deleteNamespace, getPod, podAddresses, until } from './cluster.ts'
import { megabytes, seconds, since } from './trials/check.ts'
import { sideBySide, trials, type Trial } from './trials/ledger.ts'
import { diskUse, processesOf, recorderOf, secondsUntilNone, writableLayer } from './trials/pod-side.ts'
import { createSteps, type Step } from './trials/step.ts'
import { createSink, planStream, sendStream, sourceManifest } from './trials/stream.ts'

/** The layer of a container without a spool contains only a few files of the runtime; bytes. */
const nothing = 100_000

trials('SIGKILL of the action, without post', (group) => {
  const steps = createSteps()
  let namespace: string
  let sink: string

  beforeAll(async () => {
    namespace = await createNamespace('trial-heartbeat')
    sink = await createSink(namespace)
    const names = ['start', 'middle', 'default', 'upload']
    await apply(
      names.map((name) => sourceManifest(namespace, name, sink, { talk: name === 'start' || name === 'upload' })),
    )
    await podAddresses(namespace, ...names)
  }, 120_000)

  afterAll(async () => {
    await steps.close()
    await deleteNamespace(namespace)
  }, 60_000)

  async function killed(step: Step): Promise<number> {
    const at = performance.now()
    step.main.kill('SIGKILL')
    expect((await step.main.done).signal).toBe('SIGKILL')
    return at
  }

  const ended = (pod: string, container: string): Promise<boolean> =>
    until(`the end of ${container} in the pod's status`, 30_000, async () => {
      const { status } = await getPod(namespace, pod)
      const ours = status.ephemeralContainerStatuses?.find(({ name }) => name === container)
      return ours?.state.terminated ? true : undefined
    })

  const middle = (name: string, pod: string, inputs: Record<string, string>, within: number): Trial => ({
    name,
    done: `${inputs['heartbeat-timeout'] ? `\`heartbeat-timeout: ${inputs['heartbeat-timeout']}\`` : 'The default heartbeat-timeout of 60 s'}; 3,000 packets/s; SIGKILL with more than 2 MB in the pod`,
    timeout: 180_000,
    body: async () => {
      const { filter, port } = planStream()
      const step = await steps.start({ pod, namespace, filter, duration: '10m', ...inputs })
      const container = await step.container()
      await step.capturing()
      const layer = writableLayer(container)
      await sendStream(namespace, pod, sink, { port, rate: 3_000, seconds: 30 })
      await until('2 MB in the pod', 30_000, () => Promise.resolve(diskUse(layer).bytes > 2e6 ? true : undefined))
      const at = await killed(step)
      await until('more in the pod', 15_000, () => Promise.resolve(diskUse(layer).bytes > 5e6 ? true : undefined))
      const most = diskUse(layer).onDisk
      const quiet = await secondsUntilNone('all processes of the capture', at, 120_000, () => processesOf(container))
      const left = diskUse(layer).onDisk
      await ended(pod, container)
      expect(quiet).toBeLessThanOrEqual(within)
      expect(left).toBeLessThan(nothing)
      return {
        result: `no process is left, the disk space is free again`,
        figures: `after ${seconds(quiet)} (limit ${seconds(within)}); ${megabytes(most)} on disk before, ${String(left)} bytes after`,
      }
    },
  })

  sideBySide(group, [
    middle('while capturing, default timeout', 'default', {}, 70),
    middle('while capturing', 'middle', { 'heartbeat-timeout': '20s' }, 30),
    {
      name: 'during the start',
      done: '`heartbeat-timeout: 20s`; SIGKILL as soon as the container is added, before it runs',
      timeout: 120_000,
      body: async () => {
        const step = await steps.start({ pod: 'start', namespace, duration: '10m', 'heartbeat-timeout': '20s' })
        const container = await step.container()
        const at = await killed(step)
        const recorder = await until('the recorder', 20_000, () => Promise.resolve(recorderOf(container)))
        expect(recorder).toBeGreaterThan(0)
        const layer = writableLayer(container)
        const quiet = await secondsUntilNone('all processes of the capture', at, 60_000, () => processesOf(container))
        const left = diskUse(layer).onDisk
        await ended('start', container)
        expect(quiet).toBeLessThanOrEqual(30)
        expect(left).toBeLessThan(nothing)
        return {
          result: 'no process is left, the disk space is free again',
          figures: `after ${seconds(quiet)} (limit 30.0 s); ${String(left)} bytes after`,
        }
      },
    },
    {
      name: 'during the upload',
      done: '`heartbeat-timeout: 20s`; SIGKILL while the blob store does not respond',
      timeout: 120_000,
      body: async () => {
        const step = await steps.start(
          { pod: 'upload', namespace, duration: '4s', 'heartbeat-timeout': '20s' },
          { before: ({ faults }) => (faults.blob = 'stall') },
        )
        const container = await step.container()
        await step.capturing()
        const layer = writableLayer(container)
        await until('the upload', 60_000, () =>
          Promise.resolve(step.results.calls.some(({ operation }) => operation.startsWith('Put')) || undefined),
        )
        const at = await killed(step)
        const quiet = await secondsUntilNone('all processes of the capture', at, 60_000, () => processesOf(container))
        const left = diskUse(layer).onDisk
        await ended('upload', container)
        expect(since(at)).toBeLessThanOrEqual(30)
        expect(left).toBeLessThan(nothing)
        return {
          result: 'no process is left, the disk space is free again',
          figures: `after ${seconds(quiet)} (limit 30.0 s); ${String(left)} bytes after`,
        }
      },
    },
  ])
})
