import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { signal } from '../runner/processes.ts'
import type { StepResult } from '../runner/step-process.ts'
import {
  apply,
  command,
  createNamespace,
  deleteNamespace,
  kubectl,
  podAddresses,
  testClusterScripts,
} from './cluster.ts'
import { megabytes, seconds, soundPackets, wait } from './trials/check.ts'
import { killComponent, restoreComponents } from './trials/components.ts'
import { sideBySide, trial, trials, type Finding } from './trials/ledger.ts'
import { killTcpdump, processesOf, recorderOf, secondsUntilNone } from './trials/pod-side.ts'
import { captureOf, createSteps, type Step } from './trials/step.ts'
import { createSink, planStream, sendStream, sourceManifest } from './trials/stream.ts'

trials('the target, the node and the disk of the runner', (group) => {
  const steps = createSteps()
  let namespace: string
  let sink: string

  beforeAll(async () => {
    namespace = await createNamespace('trial-target')
    sink = await createSink(namespace)
    const names = ['deleted', 'container', 'tcpdump', 'kubelet']
    await apply(names.map((name) => sourceManifest(namespace, name, sink, { talk: true })))
    await apply([sourceManifest(namespace, 'disk', sink)])
    await podAddresses(namespace, ...names, 'disk')
  }, 120_000)

  afterAll(async () => {
    await restoreComponents(namespace, 'sink')
    await steps.close()
    await deleteNamespace(namespace)
  }, 120_000)

  async function begin(pod: string, inputs: Record<string, string> = {}): Promise<{ step: Step; container: string }> {
    const step = await steps.start({ pod, namespace, duration: '60s', ...inputs })
    const container = await step.container()
    await step.capturing()
    await wait(4_000)
    return { step, container }
  }

  /** Expects `partial`: captured until shortly before the end of the target, uploaded and readable; the step succeeds with a warning. */
  async function expectKept(step: Step, main: StepResult, reason: RegExp, ...stopReasons: string[]): Promise<Finding> {
    const { verdict } = captureOf(main)
    const packets = await soundPackets(main)
    console.info(`${main.outputs['verdict'] ?? '?'}: ${verdict.reason}; ${main.outputs['stop-reason'] ?? '?'}`)
    expect(main).toMatchObject({ exitCode: 0, signal: null, annotations: [{ level: 'warning' }] })
    expect(main.outputs).toMatchObject({ verdict: 'partial' })
    const stopReason = main.outputs['stop-reason'] ?? ''
    expect(stopReasons).toContain(stopReason)
    expect(verdict.reason).toMatch(reason)
    expect(packets).toBeGreaterThan(200)
    expect(step.results.captures).toHaveLength(1)
    expect(step.results.captures[0]?.size).toBe(Number(main.outputs['bytes']))
    return {
      result: `partial (${stopReason}), kept and readable`,
      figures: `${String(packets)} packets at 100 per second, the step took ${seconds(main.durationMs / 1000)}`,
    }
  }

  trial(group, {
    name: 'the pod is deleted',
    done: '`kubectl delete pod` after 4 s',
    timeout: 90_000,
    body: async () => {
      const { step } = await begin('deleted')
      await kubectl(['-n', namespace, 'delete', 'pod', 'deleted', '--wait=false'])
      return expectKept(step, await step.main.done, /./, 'target-gone')
    },
  })

  trial(group, {
    name: 'the capture container is killed',
    done: 'SIGKILL to its main process after 4 s',
    timeout: 90_000,
    body: async () => {
      const { step, container } = await begin('container')
      signal(recorderOf(container), 'SIGKILL')
      return expectKept(step, await step.main.done, /container ended before everything was fetched/, 'error')
    },
  })

  trial(group, {
    name: 'tcpdump is killed',
    done: 'SIGKILL to tcpdump after 4 s',
    timeout: 90_000,
    body: async () => {
      const { step, container } = await begin('tcpdump')
      killTcpdump(container)
      const finding = await expectKept(step, await step.main.done, /tcpdump ended by itself \(exit code 137\)/, 'error')
      expect(processesOf(container)).toEqual([])
      return finding
    },
  })

  trial(group, {
    name: 'the disk of the runner is full',
    done: '20,000 packets/s for 6 s with a RUNNER_TEMP of 20 MB',
    timeout: 120_000,
    body: async () => {
      const folder = mkdtempSync(join(tmpdir(), 'packet-capture-disk-'))
      await command('mount', ['-t', 'tmpfs', '-o', 'size=20m', 'tmpfs', folder])
      try {
        const { filter, port } = planStream()
        const inputs = { pod: 'disk', namespace, filter, duration: '20s' }
        const step = await steps.start(inputs, { env: { RUNNER_TEMP: folder } })
        const container = await step.container()
        await step.capturing()
        await sendStream(namespace, 'disk', sink, { port, rate: 20_000, seconds: 6 })
        const main = await step.main.done
        await secondsUntilNone('all processes of the capture', performance.now(), 15_000, () => processesOf(container))
        const finding = await expectKept(step, main, /runner's disk refused the data.*no space left/i, 'error')
        return {
          ...finding,
          figures: `${megabytes(Number(main.outputs['bytes']))} kept and uploaded, the step took ${seconds(main.durationMs / 1000)}`,
        }
      } finally {
        await command('umount', [folder])
        rmSync(folder, { recursive: true })
      }
    },
  })

  describe('a lost node', () => {
    beforeAll(async () => {
      await command(join(testClusterScripts ?? '', 'add-node'), [], { timeout: 120_000 })
      await apply([sourceManifest(namespace, 'far', sink, { talk: true, spec: { nodeName: 'node-b' } })])
      await podAddresses(namespace, 'far')
    }, 180_000)

    afterAll(async () => {
      await command(join(testClusterScripts ?? '', 'remove-node'), [])
      await kubectl(['delete', 'node', 'node-b', '--ignore-not-found'])
      await kubectl(['-n', namespace, 'delete', 'pod', 'far', '--force', '--grace-period=0', '--ignore-not-found'])
    }, 60_000)

    const lost = /the connection was lost and could not be restored in time/
    sideBySide(group, [
      {
        name: 'the kubelet of the node is killed',
        done: 'SIGKILL to the kubelet after 4 s of an 8 s capture; it is restarted when the step has ended',
        timeout: 240_000,
        body: async () => {
          const { step, container } = await begin('kubelet', { duration: '8s' })
          await killComponent('kubelet')
          const main = await step.main.done
          const left = processesOf(container)
          await restoreComponents(namespace, 'sink')
          const finding = await expectKept(step, main, lost, 'error')
          // The recorder ended by itself: no command could reach it.
          expect(left).toEqual([])
          return finding
        },
      },
      {
        name: 'the network link of the node is down',
        done: '`ip link set testcluster-b down` after 4 s of an 8 s capture on the second node',
        timeout: 240_000,
        body: async () => {
          const { step, container } = await begin('far', { duration: '8s' })
          await command('ip', ['link', 'set', 'testcluster-b', 'down'])
          const main = await step.main.done
          const quiet = await secondsUntilNone('all processes of the capture', performance.now(), 30_000, () =>
            processesOf(container),
          )
          expect(quiet).toBeLessThan(30)
          // The API server reaches the kubelet of the node over another link, so it may still report after 60 s how the recorder ended.
          return expectKept(step, main, new RegExp(`${lost.source}|\\d+ of \\d+ bytes arrived`), 'error', 'duration')
        },
      },
    ])
  })
})
