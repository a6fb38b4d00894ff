// The objects of the cluster: namespaces, pods, deployments, replica sets. Replaces etcd, so it also assigns uids and versions.

import { randomUUID } from 'node:crypto'
import type { KubernetesObject, Pod } from './objects.ts'

export interface Store {
  /** The cluster's clock, which may be skewed. */
  now(): Date
  list(resource: string, namespace?: string): KubernetesObject[]
  get(resource: string, namespace: string | undefined, name: string): KubernetesObject | undefined
  pod(namespace: string, name: string): Pod | undefined
  /** Adds or replaces; keeps uid and creationTimestamp, increases the version. */
  put<T extends KubernetesObject>(resource: string, object: T): T
  remove(resource: string, namespace: string | undefined, name: string): void
  version(): string
  /** Called with each pod after it was added or changed. */
  onPod(listener: (pod: Pod) => void): void
}

/** Seconds only, as metav1.Time. */
export const timestamp = (date: Date): string => `${date.toISOString().slice(0, 19)}Z`

export function createStore(clock: () => Date): Store {
  const objects = new Map<string, KubernetesObject>()
  const podListeners: ((pod: Pod) => void)[] = []
  let version = 100
  const key = (resource: string, namespace: string | undefined, name: string): string =>
    `${resource}/${namespace ?? ''}/${name}`

  const store: Store = {
    now: clock,
    list: (resource, namespace) =>
      [...objects]
        .filter(
          ([id, object]) =>
            id.startsWith(`${resource}/`) && (namespace === undefined || object.metadata.namespace === namespace),
        )
        .map(([, object]) => object),
    get: (resource, namespace, name) => objects.get(key(resource, namespace, name)),
    pod: (namespace, name) => objects.get(key('pods', namespace, name)) as Pod | undefined,
    put(resource, object) {
      const id = key(resource, object.metadata.namespace, object.metadata.name)
      const before = objects.get(id)?.metadata
      object.metadata.uid = before?.uid ?? object.metadata.uid ?? randomUUID()
      object.metadata.creationTimestamp =
        before?.creationTimestamp ?? object.metadata.creationTimestamp ?? timestamp(clock())
      version += 1
      object.metadata.resourceVersion = String(version)
      objects.set(id, object)
      if (object.kind === 'Pod') for (const listener of podListeners) listener(object as unknown as Pod)
      return object
    },
    remove(resource, namespace, name) {
      objects.delete(key(resource, namespace, name))
      version += 1
    },
    version: () => String(version),
    onPod: (listener) => void podListeners.push(listener),
  }
  return store
}
