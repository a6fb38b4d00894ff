import type { CapturePlan } from '../../../src/capture/container.ts'
import type { Pod } from '../../../src/cluster/pod.ts'
import type { Target } from '../../../src/cluster/target.ts'

/** A pod and a plan for it, as ordinary as they come. */

export const plan = (changes: Partial<CapturePlan> = {}): CapturePlan => ({
  filter: 'tcp port 8080',
  interface: 'any',
  snaplen: 262144,
  duration: 60,
  size: 1_000_000_000,
  packets: undefined,
  image: 'registry.example/tools:1',
  capabilities: [],
  startTimeout: 120,
  ownerTimeout: 60,
  spoolLimit: 64_000_000,
  toolboxImage: undefined,
  ...changes,
})

export const target = (facts: Pod = {}): Target => ({
  namespace: 'shop',
  pod: 'web-1',
  uid: 'uid-1',
  node: 'node-1',
  facts,
})
