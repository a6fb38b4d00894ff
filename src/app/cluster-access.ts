import type { Access } from '../inputs/access.ts'
import type { Cluster } from './cluster-access/cluster.ts'
import { openGoogle } from './cluster-access/google.ts'

export type { Cluster } from './cluster-access/cluster.ts'
export { openGoogle } from './cluster-access/google.ts'

/**
 * The cluster that the inputs name: one file in cluster-access/ for each authentication method, loaded only where it is used. Every credential
 * is masked before it is used.
 * @throws ConfigurationError
 */
export async function openCluster(access: Access, env: NodeJS.ProcessEnv): Promise<Cluster> {
  const google = once(() => openGoogle(access, env))
  switch (access.kind) {
    case 'kubeconfig': {
      const { openKubeconfig } = await import('./cluster-access/kubeconfig.ts')
      return { connection: await openKubeconfig(access, env), autopilot: undefined, google }
    }
    case 'direct': {
      const { openApiServer } = await import('./cluster-access/api-server.ts')
      return { connection: openApiServer(access, env), autopilot: undefined, google }
    }
    case 'gke': {
      const { openGke } = await import('./cluster-access/gke.ts')
      return openGke(access, env)
    }
  }
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => (made ??= make())
}
