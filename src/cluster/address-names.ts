import { listObjects } from './list.ts'
import type { Connection } from './connection.ts'
import { addressesOf, type Pod } from './pod.ts'
import { missingRights, type Right } from './rights.ts'

interface Service {
  readonly metadata?: { readonly name?: string }
  readonly spec?: { readonly clusterIP?: string; readonly clusterIPs?: readonly string[] }
}

const listPods: Right = { verb: 'list', group: '', resource: 'pods' }
const listServices: Right = { verb: 'list', group: '', resource: 'services' }

/**
 * Names for the addresses of the pods, services and nodes that the namespace's objects show, as far as the user may list them: nothing is
 * requested that is not allowed. @throws ApiError, ConfigurationError
 */
export async function addressNames(connection: Connection, namespace: string): Promise<ReadonlyMap<string, string>> {
  const missing = await missingRights(connection, namespace, [listPods, listServices])
  const mayList = (right: Right): boolean => !missing.includes(right)
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}`
  const list = <T>(right: Right): Promise<readonly T[]> =>
    mayList(right)
      ? listObjects<T>(connection, {
          path: `${path}/${right.resource}`,
          labelSelector: '',
          what: `the ${right.resource}`,
        })
      : Promise.resolve([])
  const [pods, services] = await Promise.all([list<Pod>(listPods), list<Service>(listServices)])
  return new Map([...nodeNames(pods), ...serviceNames(services), ...podNames(pods)])
}

/** A pod that has ended may have an address that another pod has got since. */
function podNames(pods: readonly Pod[]): (readonly [string, string])[] {
  return pods.flatMap((pod) => {
    const { metadata, spec, status } = pod
    const isOver = status?.phase === 'Succeeded' || status?.phase === 'Failed'
    const name = metadata?.name
    if (name === undefined || isOver || spec?.hostNetwork === true) return []
    return addressesOf(pod).map((address) => [address, name] as const)
  })
}

function serviceNames(services: readonly Service[]): (readonly [string, string])[] {
  return services.flatMap(({ metadata, spec }) => {
    const name = metadata?.name
    const single = spec?.clusterIP === undefined ? [] : [spec.clusterIP]
    if (name === undefined) return []
    return (spec?.clusterIPs ?? single)
      .filter((address) => address !== 'None' && address !== '')
      .map((address) => [address, `service ${name}`] as const)
  })
}

function nodeNames(pods: readonly Pod[]): (readonly [string, string])[] {
  return pods.flatMap(({ spec, status }) => {
    const name = spec?.nodeName
    if (name === undefined || status?.hostIP === undefined) return []
    return [[status.hostIP, `node ${name}`] as const]
  })
}
