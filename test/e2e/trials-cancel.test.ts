import type { StepResult } from '../runner/step-process.ts'
import { apply, createNamespace, deleteNamespace, ephemeralNames, podAddresses, until } from './cluster.ts'
import { startSilentServer } from './silent-server.ts'
import { seconds, since, soundPackets, wait } from './trials/check.ts'
import { sideBySide, trials } from './trials/ledger.ts'
import { processesOf, secondsUntilNone, tcpdumpOf } from './trials/pod-side.ts'
import { startProxy } from './trials/proxy.ts'
import { captureOf, createSteps, type Step } from './trials/step.ts'
import { createSink, planStream, readNumbers, sendStream, sourceManifest } from './trials/stream.ts'

/** The time that the runner gives between SIGINT and SIGTERM, in seconds. */
const grace = 7.5

trials('cancel', (group) => {
  const steps = createSteps()
  const closing: (() => Promise<void>)[] = []
  let namespace: string
  let sink: string

  const pods = ['preflight', 'starting', 'no-image', 'capturing', 'twice', 'draining', 'later', 'upload']

  beforeAll(async () => {
    namespace = await createNamespace('trial-cancel')
    sink = await createSink(namespace)
    await apply(
      pods.map((name) => sourceManifest(namespace, name, sink, { talk: !['draining', 'later'].includes(name) })),
    )
    await podAddresses(namespace, ...pods)
  }, 120_000)

  afterAll(async () => {
    for (const close of closing) await close()
    await steps.close()
    await deleteNamespace(namespace)
  }, 60_000)

  /** Cancels as the runner does. @returns the seconds until the process has ended, and until no tcpdump runs */
  async function cancel(
    step: Step,
    container: string | undefined,
    listens = false,
  ): Promise<{ main: StepResult; ended: number; quiet: number }> {
    if (listens) expect(tcpdumpOf(container ?? '')).not.toEqual([])
    const at = performance.now()
    step.main.cancel()
    const quiet =
      container === undefined ? Promise.resolve(0) : secondsUntilNone('tcpdump', at, 30_000, () => tcpdumpOf(container))
    const main = await step.main.done
    const ended = since(at)
    expect(main.signal).toBeNull() // it was not killed
    expect(ended).toBeLessThanOrEqual(grace)
    const stopped = await quiet
    expect(stopped).toBeLessThanOrEqual(grace)
    return { main, ended, quiet: stopped }
  }

  /** Expects that post delivered a complete capture with this stop reason. */
  async function expectDelivered(step: Step, post: StepResult, stopReason: string): Promise<number> {
    expect(post).toMatchObject({ exitCode: 0, signal: null })
    expect(post.outputs).toMatchObject({
      verdict: 'complete',
      'verdict-reason': expect.stringMatching(/recorder's SHA-256/) as string,
      'stop-reason': stopReason,
    })
    expect(step.results.captures.map(({ id }) => String(id))).toEqual([post.outputs['artifact-id']])
    expect(post.summary).toContain('complete')
    return soundPackets(post)
  }

  const nothingLeft = (container: string): Promise<number> =>
    secondsUntilNone('all processes of the capture', performance.now(), 15_000, () => processesOf(container))

  const slowly = async (): Promise<string> => {
    const proxy = await startProxy()
    closing.push(() => proxy.close())
    proxy.rate = 300e3
    return proxy.kubeconfig
  }

  sideBySide(group, [
    {
      name: 'while the rest is fetched',
      done: 'Cancel after the end of the recording, with most of the data still in the pod (300 kB/s); post immediately',
      timeout: 180_000,
      body: async () => {
        const { filter, port } = planStream()
        const step = await steps.start({
          pod: 'draining',
          namespace,
          filter,
          duration: '7s',
          kubeconfig: await slowly(),
        })
        const container = await step.container()
        await step.capturing()
        expect(tcpdumpOf(container)).not.toEqual([])
        const stream = await sendStream(namespace, 'draining', sink, { port, rate: 3_000, seconds: 5 })
        const sent = await stream.sent()
        await until('the end of the recording', 20_000, () =>
          Promise.resolve(tcpdumpOf(container).length === 0 ? true : undefined),
        )
        const { ended } = await cancel(step, container)
        const post = await step.post()
        await expectDelivered(step, post, 'duration')
        const numbers = readNumbers(post.outputs['pcap-path'] ?? '', port)
        expect(numbers).toEqual({ found: sent, twice: 0, last: sent, gaps: [] })
        await nothingLeft(container)
        return {
          result: 'complete, duration; delivered by post',
          figures: `main ended after ${seconds(ended)}; ${String(sent)} sent, ${String(numbers.found)} captured; post took ${seconds(post.durationMs / 1000)}`,
        }
      },
    },
    {
      name: 'during the preflight',
      done: 'Cancel while the API server does not respond',
      timeout: 60_000,
      body: async () => {
        const proxy = await startProxy()
        closing.push(() => proxy.close())
        proxy.stalled = true
        const step = await steps.start({ pod: 'preflight', namespace, kubeconfig: proxy.kubeconfig })
        await until('a connection', 20_000, () => Promise.resolve(proxy.connections() > 0 ? true : undefined))
        const { main, ended } = await cancel(step, undefined)
        const post = await step.post()
        expect(main.log).toContain('No resources were created')
        expect(post).toMatchObject({ exitCode: 0, log: '' })
        expect(await ephemeralNames(namespace, 'preflight')).toEqual([])
        return { result: 'nothing created', figures: `main ended after ${seconds(ended)}` }
      },
    },
    {
      name: 'during the start, just after the container was added',
      done: 'Cancel before the container runs; post 10 s later',
      timeout: 90_000,
      body: async () => {
        const step = await steps.start({ pod: 'starting', namespace, duration: '60s' })
        const container = await step.container()
        const at = performance.now()
        step.main.cancel()
        const main = await step.main.done
        const ended = since(at)
        expect(main.signal).toBeNull()
        expect(ended).toBeLessThanOrEqual(grace)
        await wait(Math.max(0, grace * 1000 - (performance.now() - at)))
        expect(tcpdumpOf(container)).toEqual([])
        await wait(2_500)
        const post = await step.post()
        expect(post).toMatchObject({ exitCode: 0, signal: null })
        await nothingLeft(container)
        const packets = main.outputs['packets'] ?? post.outputs['packets']
        return {
          result:
            packets === undefined
              ? 'nothing recorded, no process is left'
              : 'the recorded packets are delivered, no process is left',
          figures: `main ended after ${seconds(ended)}${packets === undefined ? '' : `; ${packets} packets`}`,
        }
      },
    },
    {
      name: 'during the start, with an image that is never pulled',
      done: 'Cancel while the kubelet pulls from a registry that does not respond',
      timeout: 90_000,
      body: async () => {
        const registry = await startSilentServer()
        try {
          const image = `127.0.0.1:${String(registry.port)}/absent:1`
          const step = await steps.start({ pod: 'no-image', namespace, image })
          const container = await step.container()
          await wait(2_000)
          const { ended } = await cancel(step, container)
          const post = await step.post()
          expect(post).toMatchObject({ exitCode: 0, signal: null })
          expect(step.results.artifacts).toEqual([])
          expect(processesOf(container)).toEqual([])
          return { result: 'nothing recorded, no process is left', figures: `main ended after ${seconds(ended)}` }
        } finally {
          registry.close()
        }
      },
    },
    {
      name: 'while capturing',
      done: 'Cancel after 5 s of a 5-minute capture; post immediately',
      timeout: 90_000,
      body: async () => {
        const step = await steps.start({ pod: 'capturing', namespace, duration: '5m' })
        const container = await step.container()
        await step.capturing()
        await wait(5_000)
        const { main, ended, quiet } = await cancel(step, container, true)
        expect(main.outputs).toMatchObject({ verdict: 'complete', 'stop-reason': 'cancelled' })
        const packets = await expectDelivered(step, await step.post(), 'cancelled')
        await nothingLeft(container)
        return {
          result: 'complete, cancelled; delivered by post',
          figures: `main ended after ${seconds(ended)}, tcpdump after ${seconds(quiet)}; ${String(packets)} packets`,
        }
      },
    },
    {
      name: 'with several signals',
      done: 'SIGINT, SIGINT and SIGTERM within one second while capturing; post immediately',
      timeout: 90_000,
      body: async () => {
        const step = await steps.start({ pod: 'twice', namespace, duration: '5m' })
        const container = await step.container()
        await step.capturing()
        await wait(3_000)
        expect(tcpdumpOf(container)).not.toEqual([])
        const at = performance.now()
        for (const name of ['SIGINT', 'SIGINT', 'SIGTERM'] as const) {
          step.main.kill(name)
          await wait(300)
        }
        const main = await step.main.done
        const ended = since(at)
        expect(main).toMatchObject({ signal: null, outputs: { verdict: 'complete', 'stop-reason': 'cancelled' } })
        expect(ended).toBeLessThanOrEqual(grace)
        expect(tcpdumpOf(container)).toEqual([])
        const packets = await expectDelivered(step, await step.post(), 'cancelled')
        await nothingLeft(container)
        return {
          result: 'complete, cancelled; delivered by post',
          figures: `main ended after ${seconds(ended)}; ${String(packets)} packets`,
        }
      },
    },
    {
      name: 'during the upload',
      done: 'Cancel while the blob store does not respond; post with a store that does',
      timeout: 90_000,
      body: async () => {
        const step = await steps.start(
          { pod: 'upload', namespace, duration: '3s' },
          { before: ({ faults }) => (faults.blob = 'stall') },
        )
        const container = await step.container()
        await until('the upload', 60_000, () =>
          Promise.resolve(step.results.calls.some(({ operation }) => operation.startsWith('Put')) || undefined),
        )
        const { ended } = await cancel(step, container)
        step.results.faults.blob = undefined
        const post = await step.post()
        const packets = await expectDelivered(step, post, 'duration')
        expect(captureOf(post).artifact?.name).toMatch(/-post\.pcap$/)
        return {
          result: 'complete, duration; uploaded by post under a second name',
          figures: `main ended after ${seconds(ended)}; ${String(packets)} packets`,
        }
      },
    },
    {
      name: 'while capturing over a slow connection, post 3 minutes later',
      done: 'Cancel with most of the data still in the pod (300 kB/s); post starts 180 s after main has ended',
      timeout: 400_000,
      body: async () => {
        const { filter, port } = planStream()
        const kubeconfig = await slowly()
        const step = await steps.start({ pod: 'later', namespace, filter, duration: '5m', kubeconfig })
        const container = await step.container()
        await step.capturing()
        const stream = await sendStream(namespace, 'later', sink, { port, rate: 3_000, seconds: 5 })
        const sent = await stream.sent()
        await wait(1_500) // the kernel hands over the last packets within one second
        const { ended, quiet } = await cancel(step, container, true)
        expect(step.results.artifacts).toEqual([])
        await wait(180_000)
        const post = await step.post()
        await expectDelivered(step, post, 'cancelled')
        const numbers = readNumbers(post.outputs['pcap-path'] ?? '', port)
        expect(numbers).toEqual({ found: sent, twice: 0, last: sent, gaps: [] })
        await nothingLeft(container)
        return {
          result: 'complete, cancelled; delivered by post',
          figures: `main ended after ${seconds(ended)}, tcpdump after ${seconds(quiet)}; ${String(sent)} sent, ${String(numbers.found)} captured; post took ${seconds(post.durationMs / 1000)}`,
        }
      },
    },
  ])
})
