import type { Pod } from '../../../src/cluster/pod.ts'
import { canBeAsked, targetProblems, type TargetOptions } from '../../../src/cluster/target-problems.ts'
import type { PodTarget } from '../../../src/cluster/target.ts'
import { renderProblem, type Problem } from '../../../src/common/errors.ts'
import { podOf, type PodChanges } from '../../support/pods.ts'

const targetOf = (changes: PodChanges): PodTarget => {
  const facts: Pod = podOf('web-1', changes)
  return {
    ...{ kind: 'pod', namespace: 'shop', pod: 'web-1', uid: 'uid-web-1', facts },
    node: facts.spec?.nodeName || undefined,
  }
}
const atPodLevel: TargetOptions = { allowHostNetwork: false, level: 'pod' }
const problemsOf = (changes: PodChanges, options = atPodLevel): readonly Problem[] =>
  targetProblems(targetOf(changes), options)

const mirror = { annotations: { 'kubernetes.io/config.mirror': 'x' } }
const unscheduled = {
  type: 'PodScheduled',
  status: 'False',
  reason: 'Unschedulable',
  message: '0/1 nodes are available:\n1 Insufficient cpu.',
}
const waiting = (reason: string) => ({ name: 'app', state: { waiting: { reason } } })

describe('the problems of a pod', () => {
  it.each<[string, PodChanges, RegExp]>([
    ['has succeeded', { phase: 'Succeeded', address: '10.0.0.5' }, /has ended \(Succeeded\)/],
    [
      'was evicted',
      { phase: 'Failed', status: { phase: 'Failed', reason: 'Evicted' } },
      /has ended \(Failed: Evicted\)/,
    ],
    ['has failed', { phase: 'Failed', address: '10.0.0.5' }, /has ended \(Failed\)/],
    ['is pending', { phase: 'Pending' }, /is not running \(Pending\) and has no network yet\. .*describe pod web-1/],
    [
      'is not scheduled',
      { phase: 'Pending', spec: { nodeName: '' }, status: { phase: 'Pending', conditions: [unscheduled] } },
      /no network yet: it is not scheduled \(Unschedulable: 0\/1 nodes are available: 1 Insufficient cpu\.\)/,
    ],
    [
      'waits for its sandbox',
      { phase: 'Pending', status: { phase: 'Pending', containerStatuses: [waiting('ContainerCreating')] } },
      /no network yet: ContainerCreating/,
    ],
    ['is in an unknown phase', { phase: 'Unknown' }, /is not running \(Unknown\)/],
    [
      'is being deleted',
      { metadata: { name: 'web-1', deletionTimestamp: '2026-11-22T12:00:00Z' } },
      /is being deleted/,
    ],
    ['is a Windows pod by its os', { spec: { os: { name: 'windows' } } }, /runs on a Windows node/],
    [
      'is a Windows pod by its selector',
      { spec: { nodeSelector: { 'kubernetes.io/os': 'windows' } } },
      /runs on a Windows node/,
    ],
    ['is a static pod', { metadata: mirror }, /is a static pod.*accepts no ephemeral containers/],
    ['uses the host network', { spec: { hostNetwork: true } }, /hostNetwork.*`allow-host-network: true`/],
  ])('report that it %s', (_why, changes, expected) => {
    const problems = problemsOf(changes)
    expect(problems).toMatchObject([{ input: 'pod', problem: expect.stringMatching(/^"web-1" /) as string }])
    expect(problems.map(renderProblem).join()).toMatch(expected)
  })

  it.each<[string, PodChanges]>([
    [
      'its init containers have not ended (Init:0/1)',
      {
        phase: 'Pending',
        address: '10.0.0.5',
        status: { phase: 'Pending', podIP: '10.0.0.5', containerStatuses: [waiting('PodInitializing')] },
      },
    ],
    [
      'its image cannot be pulled',
      {
        phase: 'Pending',
        status: { phase: 'Pending', podIP: '10.0.0.5', containerStatuses: [waiting('ErrImagePull')] },
      },
    ],
    [
      'it crashes in a loop',
      {
        ready: false,
        status: { phase: 'Running', podIP: '10.0.0.5', containerStatuses: [waiting('CrashLoopBackOff')] },
      },
    ],
  ])('are none when it has an address and %s', (_why, changes) => {
    expect(problemsOf(changes)).toEqual([])
  })

  it('do not include the host network when it is allowed', () => {
    expect(problemsOf({ spec: { hostNetwork: true } }, { allowHostNetwork: true, level: 'pod' })).toEqual([])
  })

  it('include all problems at once', () => {
    const problems = problemsOf({
      ...{ phase: 'Pending', metadata: mirror },
      spec: { hostNetwork: true, os: { name: 'windows' } },
    })
    expect(problems.map(({ problem }) => /"web-1" (\S+ \S+ \S+)/.exec(problem)?.[1])).toEqual([
      ...['is not running', 'runs on a', 'is a static', 'uses the network'],
    ])
  })

  it.each<[string, PodChanges, 'pod' | 'node', boolean]>([
    ['a pending pod', { phase: 'Pending' }, 'pod', true],
    ['a pod on the host network', { spec: { hostNetwork: true } }, 'pod', true],
    ['a Windows pod', { spec: { os: { name: 'windows' } } }, 'pod', false],
    ['a static pod', { metadata: mirror }, 'pod', false],
    ['a static pod', { metadata: mirror }, 'node', true],
    ['a pod without a node', { phase: 'Pending', spec: { nodeName: '' } }, 'node', false],
  ])('of %s (%j) at level %s can be completed by a dry run: %s', (_what, changes, level, expected) => {
    expect(canBeAsked(targetOf(changes), { allowHostNetwork: false, level })).toBe(expected)
  })
})
