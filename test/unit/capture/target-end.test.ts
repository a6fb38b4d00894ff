import { applyTargetEnd, type CaptureResult } from '../../../src/capture/capture-result.ts'
import type { FollowOutcome } from '../../../src/capture/follower.ts'
import { recordedPod, type CaptureMethod } from '../../../src/capture/record.ts'
import { methodOf } from '../../../src/capture/recorders/methods.ts'
import { findTargetEnd, type TargetEnd } from '../../../src/capture/target-end.ts'
import { judge } from '../../../src/capture/verdict.ts'
import type { Pod } from '../../../src/cluster/pod.ts'
import { startServer, status, type Answer, type Server } from '../../support/api-server.ts'
import { outcome, scan, sha256, trailer } from '../../support/evidence.ts'
import { useFastClock } from '../../support/fast-clock.ts'
import { podOf } from '../../support/pods.ts'
import { nodePod, recordFor, target } from '../../support/target.ts'

useFastClock()

let server: Server
beforeEach(async () => {
  server = await startServer()
})
afterEach(async () => {
  await server.stop()
})

const beganSeconds = Date.parse('2026-11-22T12:00:00Z') / 1000
const record = recordFor({ target: target(podOf('web-1')) })
const connect = () => Promise.resolve(server.connection)
const find = (withinMs = 3_000): Promise<TargetEnd> =>
  findTargetEnd(connect, recordedPod(record), { times: { beganSeconds, endedSeconds: beganSeconds + 31.2 }, withinMs })

const found = (changes: Parameters<typeof podOf>[1] = {}): Answer => {
  const pod: Pod = podOf('web-1', changes)
  return { status: 200, body: { ...pod, metadata: { ...pod.metadata, uid: 'uid-1', ...changes.metadata } } }
}
const deleted: Answer = { status: 404, body: status('NotFound', 'pods "web-1" not found') }
/** A container that ended at 12:00:SECOND. */
const ended = (exitCode: number, second = 30) => ({
  name: 'app',
  state: { terminated: { exitCode, finishedAt: `2026-11-22T12:00:${String(second)}Z` } },
})
const once: Pod['spec'] = { restartPolicy: 'Never' }
const sandboxReadySince = (time: string) => ({
  conditions: [{ type: 'PodReadyToStartContainers', status: 'True', lastTransitionTime: time }],
})
const running = { phase: 'Running', podIP: '10.0.0.5' }

describe('a pod', () => {
  it.each<[string, Answer, TargetEnd]>([
    [
      'has succeeded: completed',
      found({ spec: once, status: { phase: 'Succeeded', containerStatuses: [ended(0)] } }),
      { kind: 'completed' },
    ],
    [
      'succeeded after the recorder had been stopped: it went on',
      found({ spec: once, status: { phase: 'Succeeded', containerStatuses: [ended(0, 34)] } }),
      { kind: 'goes-on' },
    ],
    [
      'has one container that succeeded and one that runs: it goes on',
      found({
        spec: { restartPolicy: 'Never', containers: [{ name: 'app' }, { name: 'other' }] },
        status: { ...running, containerStatuses: [ended(0), { name: 'other', state: { running: {} } }] },
      }),
      { kind: 'goes-on' },
    ],
    [
      'is without a sandbox to the end of the search: lost',
      found({ status: { ...running, conditions: [{ type: 'PodReadyToStartContainers', status: 'False' }] } }),
      { kind: 'lost', why: 'the pod web-1 lost its sandbox' },
    ],
    [
      'has only containers that succeeded and are not started again, while its phase is still Running: completed',
      found({ spec: once, status: { ...running, containerStatuses: [ended(0)] } }),
      { kind: 'completed' },
    ],
    [
      'completed before the request that deletes it: completed',
      found({
        ...{ phase: 'Succeeded', spec: once, status: { phase: 'Succeeded', containerStatuses: [ended(0, 10)] } },
        metadata: { deletionTimestamp: '2026-11-22T12:00:50Z', deletionGracePeriodSeconds: 30 },
      }),
      { kind: 'completed' },
    ],
    [
      'was deleted, and its containers ended without an error because of that: lost',
      found({
        ...{ phase: 'Succeeded', spec: once, status: { phase: 'Succeeded', containerStatuses: [ended(0, 21)] } },
        metadata: { deletionTimestamp: '2026-11-22T12:00:50Z', deletionGracePeriodSeconds: 30 },
      }),
      { kind: 'lost', why: 'the pod web-1 was deleted' },
    ],
    [
      'is being deleted: lost',
      found({ metadata: { deletionTimestamp: '2026-11-22T12:00:50Z' } }),
      { kind: 'lost', why: 'the pod web-1 was deleted' },
    ],
    [
      'does not exist: lost',
      { status: 404, body: status('NotFound', 'pods "web-1" not found') },
      { kind: 'lost', why: 'the pod web-1 was deleted' },
    ],
    [
      'was replaced: lost',
      found({ metadata: { uid: 'uid-2' } }),
      { kind: 'lost', why: 'the pod web-1 was replaced by another pod of the same name' },
    ],
    [
      'has failed: lost, with the reason of the kubelet',
      found({ phase: 'Failed', status: { phase: 'Failed', reason: 'Evicted' } }),
      { kind: 'lost', why: 'the pod web-1 ended (Failed: Evicted)' },
    ],
    [
      'has another address: lost, and the pod itself goes on',
      found({ address: '10.0.0.8' }),
      { kind: 'lost', why: 'the pod web-1 got a new sandbox (10.0.0.5 → 10.0.0.8)' },
    ],
    [
      'has its old address in a sandbox that is younger than the capture: lost',
      found({ status: { ...running, ...sandboxReadySince('2026-11-22T12:00:20Z') } }),
      { kind: 'lost', why: 'the pod web-1 got a new sandbox' },
    ],
    [
      'has the sandbox of the start of the capture: it goes on',
      found({ status: { ...running, ...sandboxReadySince('2026-11-22T11:59:58Z') } }),
      { kind: 'goes-on' },
    ],
    [
      'has a container that succeeded and will be started again: it goes on',
      found({ status: { ...running, containerStatuses: [ended(0)] } }),
      { kind: 'goes-on' },
    ],
  ])('that %s', async (_what, answer, expected) => {
    server.answer = () => answer
    await expect(find()).resolves.toEqual(expected)
  })

  it('is read again until it shows its end', async () => {
    const failing = found({ spec: once, status: { ...running, containerStatuses: [ended(1)] } })
    server.answer = () =>
      server.requests.length < 4 ? failing : found({ phase: 'Failed', status: { phase: 'Failed' } })
    await expect(find()).resolves.toEqual({ kind: 'lost', why: 'the pod web-1 ended (Failed)' })
    expect(server.requests).toHaveLength(4)
  })

  it('that cannot be read is unknown, after the given time', async () => {
    server.answer = () => ({ status: 403, body: status('Forbidden', 'no') })
    await expect(find()).resolves.toMatchObject({ kind: 'unknown', why: expect.stringContaining('no') as string })
    server.answer = () => 'hang'
    await expect(find(500)).resolves.toMatchObject({ kind: 'unknown' })
  })
})

describe('a result', () => {
  const resultOf = (ending: Partial<FollowOutcome>, method: CaptureMethod = { kind: 'container' }): CaptureResult => {
    const of = recordFor({ target: target(podOf('web-1')), method })
    const evidence = { outcome: outcome(ending), scan: scan(), sha256, hasLoopback: false }
    return {
      ...{ record: of, imageId: undefined, path: '/x.pcap', ...evidence },
      verdict: judge({ ...evidence, method: methodOf(of) }),
    }
  }
  const terminated = { trailer: trailer({ reason: 'terminated', began: String(beganSeconds), recorded: '31200' }) }

  it('of a recorder that was stopped by the end of its pod becomes complete', async () => {
    server.answer = () => found({ spec: once, status: { phase: 'Succeeded', containerStatuses: [ended(0)] } })
    const { verdict } = await applyTargetEnd(connect, resultOf(terminated))
    expect(verdict).toMatchObject({ verdict: 'complete', stopReason: 'target-completed' })
  })

  it('of a recorder that was killed says what happened to the pod', async () => {
    server.answer = () => deleted
    const { verdict } = await applyTargetEnd(connect, resultOf({ trailer: undefined, end: 'container-ended' }))
    expect(verdict).toMatchObject({ verdict: 'partial', stopReason: 'target-gone' })
    expect(verdict.reason).toMatch(/^the pod web-1 was deleted before the capture was over; the capture's container/)
  })

  it.each<[string, CaptureResult]>([
    ['that reached its duration', resultOf({})],
    ['whose pod is known to be gone', resultOf({ trailer: undefined, end: 'endpoint-gone' })],
    ['whose connection was lost', resultOf({ trailer: undefined, end: 'gave-up' })],
    ['of a recorder outside of the pod', resultOf(terminated, nodePod)],
  ])('%s is returned without a request', async (_what, given) => {
    await expect(applyTargetEnd(connect, given)).resolves.toBe(given)
    expect(server.requests).toEqual([])
  })
})
