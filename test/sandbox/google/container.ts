import { guarded, refusal, type GoogleAnswer, type GoogleRequest, type Resource, type World } from './world.ts'

/** The Kubernetes Engine API: `clusters.get` and `clusters.list`. */
export function answerContainer(request: GoogleRequest, world: World): GoogleAnswer | undefined {
  if (request.method !== 'GET') return undefined
  const [, project, location, name] =
    /^\/v1\/projects\/([^/]+)\/(?:locations|zones)\/([^/]+)\/clusters(?:\/([^/]+))?$/.exec(request.path) ?? []
  if (project === undefined || location === undefined) return undefined
  const here = (cluster: Resource): boolean => location === '-' || cluster['location'] === location
  const ours = project === world.project.id || project === world.project.number
  const clusters = world.clusters.filter((cluster) => ours && here(cluster))
  if (name === undefined) {
    return guarded(
      request,
      world,
      { operation: 'container.clusters.list', permission: 'container.clusters.list', resource: `projects/${project}` },
      () => ({
        operation: 'container.clusters.list',
        status: 200,
        body: { clusters },
      }),
    )
  }
  const operation = 'container.clusters.get'
  const resource = `projects/${project}/locations/${location}/clusters/${name}`
  return guarded(request, world, { operation, permission: 'container.clusters.get', resource: resource }, () => {
    const cluster = clusters.find((one) => one['name'] === name)
    if (cluster) return { operation, status: 200, body: cluster }
    return refusal(operation, 404, 'NOT_FOUND', `Not found: ${resource}.`)
  })
}

/** Where the API server of a cluster listens, `HOST:PORT`, and the other fields of the answer. */
export interface ClusterAddress {
  readonly name?: string
  readonly location?: string
  readonly address: string
  /** PEM of the API server's authority */
  readonly certificateAuthority: string
  /** fields in place of those below */
  readonly with?: Resource
}

/** A new cluster: reachable at its public IP, with the DNS endpoint disabled. */
export function describeCluster(project: { id: string; number: string }, given: ClusterAddress): Resource {
  const { name = 'shop', location = 'europe-west1', address, certificateAuthority } = given
  return {
    name,
    location,
    zone: location,
    selfLink: `https://container.googleapis.com/v1/projects/${project.id}/locations/${location}/clusters/${name}`,
    status: 'RUNNING',
    endpoint: address,
    currentMasterVersion: '1.33.5-gke.1201000',
    // gcloud requires this field
    currentNodeVersion: '1.33.5-gke.1201000',
    initialClusterVersion: '1.33.5-gke.1201000',
    releaseChannel: { channel: 'REGULAR' },
    masterAuth: { clusterCaCertificate: Buffer.from(certificateAuthority).toString('base64') },
    autopilot: {},
    controlPlaneEndpointsConfig: {
      dnsEndpointConfig: {
        endpoint: `gke-0123456789-${project.number}.${location}.gke.goog`,
        allowExternalTraffic: false,
      },
      ipEndpointsConfig: {
        enabled: true,
        enablePublicEndpoint: true,
        publicEndpoint: address,
        authorizedNetworksConfig: {},
      },
    },
    ...given.with,
  }
}
