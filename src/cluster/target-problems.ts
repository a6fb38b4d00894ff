import type { Problem } from '../common/errors.ts'
import type { Pod } from './pod.ts'
import { podStateOf } from './pod-state.ts'
import type { NodeTarget, PodTarget, Target } from './target.ts'

export interface TargetOptions {
  readonly allowHostNetwork: boolean
  /** node: the recorder is outside of the pod, which gets no container */
  readonly level: 'pod' | 'node'
}

/**
 * Everything that prevents a capture of the pod, each with its fix. The architecture of its node is not checked: to get nodes is a
 * cluster-wide right that a capture of a pod needs for nothing else. The default image supports the usual architectures; of another image
 * the kubelet reports the error.
 */
export function targetProblems(target: PodTarget, options: TargetOptions): readonly Problem[] {
  const { pod: name, facts } = target
  const problems: Problem[] = stateProblems(target)
  const refuse = (code: Problem['code'], cause: string, fix: string): void => {
    problems.push({ code, input: 'pod', problem: `${JSON.stringify(name)} ${cause}`, fix })
  }
  if (isWindows(facts)) {
    refuse('E_POD_UNSUPPORTED', 'runs on a Windows node', 'Capture a Linux pod: there is no tcpdump for Windows.')
  }
  if (options.level === 'pod' && isStatic(facts)) {
    refuse(
      'E_POD_UNSUPPORTED',
      'is a static pod',
      'The kubelet runs it from a file and accepts no ephemeral containers for it. Capture it with `level: node`, or capture the pod that communicates with it.',
    )
  }
  if (facts.spec?.hostNetwork === true && !options.allowHostNetwork) {
    refuse(
      'E_HOST_NETWORK_NOT_ALLOWED',
      'uses the network of its node (hostNetwork)',
      'Its capture shows the traffic of every pod on the node. To allow that, set `allow-host-network: true`.',
    )
  }
  return problems
}

function stateProblems({ namespace, pod: name, facts }: PodTarget): Problem[] {
  const state = podStateOf(facts)
  const refuse = (why: string, fix: string): Problem[] => [
    { code: 'E_POD_NOT_RUNNING', input: 'pod', problem: `${JSON.stringify(name)} ${why}`, fix },
  ]
  switch (state.kind) {
    case 'capturable':
      return []
    case 'ended':
      return refuse(state.why, 'Name a running pod: the network of this one no longer exists.')
    case 'deleting':
      return refuse(state.why, 'Name another pod, or deployment/NAME for its newest pod.')
    case 'no-network': {
      const fix = `See why with \`kubectl -n ${namespace} describe pod ${name}\`, and capture it once it has an address.`
      return refuse(state.why, fix)
    }
  }
}

/** Whether a dry run can find more than the facts of the target show. */
export function canBeAsked(target: Target, { level }: TargetOptions): boolean {
  if (target.kind === 'node') return true
  if (isWindows(target.facts)) return false
  return level === 'node' ? isOnNode(target) : !isStatic(target.facts)
}

/** A target whose node is known. */
export type TargetOnNode = NodeTarget | (PodTarget & { readonly node: string })

export function isOnNode(target: Target): target is TargetOnNode {
  return target.node !== undefined
}

function isWindows({ spec }: Pod): boolean {
  return spec?.os?.name === 'windows' || spec?.nodeSelector?.['kubernetes.io/os'] === 'windows'
}

function isStatic({ metadata }: Pod): boolean {
  return metadata?.annotations?.['kubernetes.io/config.mirror'] !== undefined
}
