import type { Pod } from '../../src/cluster/pod.ts'

export interface PodChanges {
  /** seconds before the reference time at which the pod was created */
  readonly age?: number
  readonly ready?: boolean
  readonly phase?: string
  /** its address; a running pod has one by default */
  readonly address?: string | undefined
  /** the UID and the name of its ReplicaSet */
  readonly owner?: { readonly uid: string; readonly name: string }
  readonly hash?: string
  readonly metadata?: Pod['metadata']
  readonly spec?: Pod['spec']
  readonly status?: Pod['status']
}

/** A pod of one container on node-1 with the UID `uid-NAME`. */
export function podOf(name: string, changes: PodChanges = {}): Pod {
  const { age = 0, ready = true, phase = 'Running', owner, hash, metadata, spec, status } = changes
  const address = 'address' in changes ? changes.address : phase === 'Running' ? '10.0.0.5' : undefined
  return {
    metadata: {
      name,
      uid: `uid-${name}`,
      creationTimestamp: new Date(Date.parse('2026-11-22T12:00:00Z') - age * 1000).toISOString(),
      ...(owner === undefined ? {} : { ownerReferences: [{ kind: 'ReplicaSet', controller: true, ...owner }] }),
      ...(hash === undefined ? {} : { labels: { app: 'checkout', 'pod-template-hash': hash } }),
      ...metadata,
    },
    spec: { nodeName: 'node-1', containers: [{ name: 'app' }], ...spec },
    status: {
      phase,
      ...(address === undefined ? {} : { podIP: address, podIPs: [{ ip: address }] }),
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
      ...status,
    },
  }
}
