import type { CapturePlan } from '../../src/capture/plan.ts'
import type { Pod } from '../../src/cluster/pod.ts'
import type { PodTarget } from '../../src/cluster/target.ts'
import { recordOf, type CaptureRecord, type CaptureMethod } from '../../src/capture/record.ts'

/** A typical pod and a plan for it. */

export const plan = (changes: Partial<CapturePlan> = {}): CapturePlan => ({
  filter: 'tcp port 8080',
  interface: 'any',
  snaplen: 262144,
  durationSeconds: 60,
  maxBytes: 1_000_000_000,
  maxPackets: undefined,
  image: 'registry.example/tools:1',
  capabilities: [],
  startTimeoutSeconds: 120,
  heartbeatTimeoutSeconds: 60,
  spoolLimitBytes: 64_000_000,
  toolboxImage: undefined,
  ...changes,
})

export const target = (facts: Pod = {}): PodTarget & { readonly node: string } => ({
  kind: 'pod',
  namespace: 'shop',
  pod: 'web-1',
  uid: 'uid-1',
  node: 'node-1',
  facts,
})

/** A record of that target and plan with the file /x.pcap. */
export const recordFor = (
  changes: Partial<Parameters<typeof recordOf>[1]> & { readonly target?: Parameters<typeof recordOf>[0] } = {},
): CaptureRecord =>
  recordOf(changes.target ?? target(), {
    captureId: 'packet-capture-x',
    method: { kind: 'container' },
    plan: plan(),
    folder: '/',
    fileName: 'x',
    serverTimeMs: Date.now(),
    ...changes,
  })

export const nodePod: CaptureMethod = { kind: 'node-pod', namespace: 'net' }
