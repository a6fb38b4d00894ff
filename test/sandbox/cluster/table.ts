// `Table` answers, which kubectl get prints.

import type { KubernetesObject, Pod } from './objects.ts'

interface Column {
  name: string
  type: string
  /** Above 0: only with -o wide. */
  priority: number
  of: (object: KubernetesObject, now: Date) => string
}

const column = (name: string, of: Column['of'], priority = 0): Column => ({ name, type: 'string', priority, of })
const pod =
  (read: (pod: Pod) => string): Column['of'] =>
  (object) =>
    read(object as unknown as Pod)

function age(object: KubernetesObject, now: Date): string {
  const seconds = Math.max(0, Math.floor((now.getTime() - Date.parse(object.metadata.creationTimestamp ?? '')) / 1000))
  if (seconds < 120) return `${seconds}s`
  if (seconds < 7200) return `${Math.floor(seconds / 60)}m`
  return `${Math.floor(seconds / 3600)}h`
}

function podStatus({ metadata, status }: Pod): string {
  if (metadata.deletionTimestamp !== undefined) return 'Terminating'
  if (status.phase === 'Succeeded') return 'Completed'
  const reasons = (status.containerStatuses ?? []).map(({ state }) => state.waiting?.reason ?? state.terminated?.reason)
  return reasons.find((reason) => reason !== undefined) ?? status.phase
}

const podReady = ({ spec, status }: Pod): string =>
  `${(status.containerStatuses ?? []).filter(({ ready }) => ready).length}/${spec.containers.length}`

const ageColumn = column('Age', age)
const name = column('Name', ({ metadata }) => metadata.name)
const columns: Record<string, Column[]> = {
  pods: [
    name,
    column('Ready', pod(podReady)),
    column('Status', pod(podStatus)),
    column('Restarts', () => '0'),
    ageColumn,
    column(
      'IP',
      pod(({ status }) => status.podIP ?? '<none>'),
      1,
    ),
    column(
      'Node',
      pod(({ spec }) => spec.nodeName ?? '<none>'),
      1,
    ),
    column('Nominated Node', () => '<none>', 1),
    column('Readiness Gates', () => '<none>', 1),
  ],
}

export function table(resource: string, objects: KubernetesObject[], resourceVersion: string, now: Date): object {
  const shown = columns[resource] ?? [name, ageColumn]
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: { resourceVersion },
    columnDefinitions: shown.map((one) => ({
      name: one.name,
      type: one.type,
      priority: one.priority,
      format: one.name === 'Name' ? 'name' : '',
      description: '',
    })),
    rows: objects.map((object) => ({
      cells: shown.map(({ of }) => of(object, now)),
      object: { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata },
    })),
  }
}
