import { ConfigurationError } from '../errors.ts'
import { fullName, parseClusterName, type ClusterName, type ClusterReference } from './cluster-name.ts'
import { gatewayOf, type Get } from './connect-gateway.ts'
import { googleEndpoints, type GoogleEndpoints } from './endpoints.ts'
import { explained } from './explained.ts'
import type { GoogleTokenSource } from './identity.ts'
import { describeFailure, failureOf, openTransport, type CallFailure } from './transport.ts'

export const endpointChoices = ['auto', 'dns', 'ip', 'private', 'connect-gateway'] as const
export type EndpointChoice = (typeof endpointChoices)[number]

/** A GKE cluster and the one way to its API server that was chosen. */
export interface GkeCluster {
  /** without a trailing slash; Connect Gateway's has a path */
  readonly server: string
  /** PEM; absent where the certificate is of a public authority */
  readonly certificateAuthority: string | undefined
  /** for the log */
  readonly description: string
  readonly autopilot: boolean
  readonly project: string
  readonly location: string
  readonly name: string
  readonly endpoint: Exclude<EndpointChoice, 'auto'>
  /** what to look at where this endpoint does not answer, or answers 403 before RBAC is asked */
  readonly hint: string
}

/** What is read of `container.v1.Cluster`; a field that is false or empty may be left out. */
interface ClusterResource {
  readonly status?: string
  readonly endpoint?: string
  /** names the project by its id, however it was asked for */
  readonly selfLink?: string
  readonly autopilot?: { enabled?: boolean }
  readonly masterAuth?: { clusterCaCertificate?: string }
  readonly privateClusterConfig?: { enablePrivateEndpoint?: boolean; privateEndpoint?: string; publicEndpoint?: string }
  readonly masterAuthorizedNetworksConfig?: { enabled?: boolean }
  readonly controlPlaneEndpointsConfig?: {
    dnsEndpointConfig?: { endpoint?: string; allowExternalTraffic?: boolean }
    ipEndpointsConfig?: {
      enabled?: boolean
      enablePublicEndpoint?: boolean
      publicEndpoint?: string
      privateEndpoint?: string
      authorizedNetworksConfig?: { enabled?: boolean }
    }
  }
  readonly fleet?: { membership?: string; project?: string }
}

/**
 * Asks GKE for the cluster and chooses the way to its API server.
 * @throws ConfigurationError that names the input, the cause and the fix
 */
export async function findCluster(
  reference: ClusterReference,
  choice: EndpointChoice,
  source: Pick<GoogleTokenSource, 'token' | 'universe' | 'projectId'> & Partial<Pick<GoogleTokenSource, 'member'>>,
  env: NodeJS.ProcessEnv,
): Promise<GkeCluster> {
  const name = parseClusterName(reference, source.projectId)
  const endpoints = googleEndpoints(env, source.universe)
  const transport = await openTransport()
  const get: Get = async (url) => {
    const { value } = await source.token()
    const headers = { authorization: `Bearer ${value}` }
    return (await transport.request<unknown>({ url, responseType: 'json', headers })).data
  }
  const cluster = (await get(endpoints.url('container', `v1/${fullName(name)}`)).catch((error: unknown) =>
    explainCluster(error, name, endpoints, get, source.member?.()),
  )) as ClusterResource
  const way: Way =
    choice === 'connect-gateway'
      ? { endpoint: choice, certificateAuthority: undefined, ...(await gatewayOf(cluster, name, endpoints, get)) }
      : choose(cluster, name, choice)
  return {
    ...name,
    ...way,
    description: `GKE cluster ${fullName(name)}, ${endpointWords[way.endpoint]} ${new URL(way.server).host}`,
    autopilot: cluster.autopilot?.enabled === true,
  }
}

type Way = Pick<GkeCluster, 'server' | 'certificateAuthority' | 'endpoint' | 'hint'>

const endpointWords: Record<GkeCluster['endpoint'], string> = {
  dns: 'DNS endpoint',
  ip: 'public endpoint',
  private: 'private endpoint',
  'connect-gateway': 'Connect Gateway',
}

function choose(cluster: ClusterResource, name: ClusterName, choice: Exclude<EndpointChoice, 'connect-gateway'>): Way {
  const dns = dnsEndpoint(cluster)
  const ip = publicEndpoint(cluster)
  const flags = `${name.name} --location ${name.location} --project ${name.project}`
  const openDns = `open the DNS endpoint, which IAM guards: \`gcloud container clusters update ${flags} --enable-dns-access\``
  if (choice === 'dns' || (choice === 'auto' && dns.open)) {
    if (!dns.address) throw refused(name, 'has no DNS endpoint', cluster)
    if (!dns.open) {
      throw refused(
        name,
        `does not take external traffic at its DNS endpoint; ${openDns}, or choose another endpoint`,
        cluster,
      )
    }
    return {
      endpoint: 'dns',
      server: httpsTo(dns.address),
      certificateAuthority: undefined,
      hint: 'the identity needs container.clusters.connect in the project, for example by roles/container.clusterViewer; a VPC Service Controls perimeter may keep it out too',
    }
  }
  if (choice === 'ip' || (choice === 'auto' && ip !== undefined)) {
    if (!ip)
      throw refused(
        name,
        `has no public IP endpoint; ${openDns}, or run inside its network with endpoint: private`,
        cluster,
      )
    return {
      endpoint: 'ip',
      server: httpsTo(ip),
      certificateAuthority: authorityOf(cluster, name),
      hint: authorizedNetworks(cluster)
        ? `authorized networks are on: only the listed addresses get in, and those of GitHub's own runners change; ${openDns}`
        : 'does a firewall keep this runner from the public address of the control plane?',
    }
  }
  if (choice === 'private') {
    const address =
      cluster.controlPlaneEndpointsConfig?.ipEndpointsConfig?.privateEndpoint ??
      cluster.privateClusterConfig?.privateEndpoint
    if (!address) throw refused(name, `has no private IP endpoint; ${openDns}`, cluster)
    return {
      endpoint: 'private',
      server: httpsTo(address),
      certificateAuthority: authorityOf(cluster, name),
      hint: "only a runner inside the cluster's network (or a peered one, where authorized networks allow it) reaches the private endpoint",
    }
  }
  throw refused(
    name,
    'cannot be reached from outside its network: its DNS endpoint takes no external traffic and it has no public IP endpoint.\n' +
      `  One of: ${openDns};\n` +
      '  endpoint: private, on a runner inside its network;\n' +
      '  endpoint: connect-gateway, where the cluster is in a fleet',
    cluster,
  )
}

function refused(name: ClusterName, problem: string, cluster: ClusterResource): ConfigurationError {
  const status = cluster.status && cluster.status !== 'RUNNING' ? ` (it is ${cluster.status})` : ''
  return new ConfigurationError(`cluster: ${fullName(name)}${status} ${problem}.`)
}

function dnsEndpoint(cluster: ClusterResource): { address: string | undefined; open: boolean } {
  const config = cluster.controlPlaneEndpointsConfig?.dnsEndpointConfig
  // The name is always there; it works only where the traffic is let in.
  return { address: config?.endpoint, open: config?.allowExternalTraffic === true && Boolean(config.endpoint) }
}

function publicEndpoint(cluster: ClusterResource): string | undefined {
  const config = cluster.controlPlaneEndpointsConfig?.ipEndpointsConfig
  const old = cluster.privateClusterConfig
  const closed = config
    ? config.enabled !== true || config.enablePublicEndpoint === false
    : old?.enablePrivateEndpoint === true
  if (closed) return undefined
  const address = config?.publicEndpoint || old?.publicEndpoint || cluster.endpoint
  // `endpoint` is the private address where there is no public one.
  return address === (config?.privateEndpoint ?? old?.privateEndpoint) ? undefined : address || undefined
}

function authorizedNetworks(cluster: ClusterResource): boolean {
  const config = cluster.controlPlaneEndpointsConfig?.ipEndpointsConfig?.authorizedNetworksConfig
  return (config ?? cluster.masterAuthorizedNetworksConfig)?.enabled === true
}

function authorityOf(cluster: ClusterResource, name: ClusterName): string {
  const encoded = cluster.masterAuth?.clusterCaCertificate
  if (!encoded) throw refused(name, 'has no certificate authority yet', cluster)
  return Buffer.from(encoded, 'base64').toString('utf8')
}

function httpsTo(address: string): string {
  return `https://${/^[0-9a-f]*:[0-9a-f:]+$/i.test(address) ? `[${address}]` : address}`
}

async function explainCluster(
  error: unknown,
  name: ClusterName,
  endpoints: GoogleEndpoints,
  get: Get,
  member = 'MEMBER',
): Promise<never> {
  const failure = failureOf(error)
  const what = `cluster: ${fullName(name)}`
  if (failure?.status === 404) {
    const known = await clustersOf(name.project, endpoints, get)
    const list =
      known.length > 0
        ? `The project has: ${known.slice(0, 20).join(', ')}.`
        : `Check the name, the location and the project.`
    throw new ConfigurationError(`${what} was not found (${describeFailure(failure)}). ${list}`)
  }
  if (failure?.status === 403 && !isDisabled(failure)) {
    const role = `projects/${name.project}/roles/packetCapture`
    throw new ConfigurationError(
      `${what} may not be read by this identity (${describeFailure(failure)}). Grant it the least that the way in takes: container.clusters.get ` +
        `and, for the DNS endpoint, container.clusters.connect, in the project ${name.project} (docs/terraform does the same):\n` +
        `  gcloud iam roles create packetCapture --project=${name.project} --title='Packet capture' --permissions=container.clusters.get,container.clusters.connect\n` +
        `  gcloud projects add-iam-policy-binding ${name.project} --role=${role} --member='${member}'\n` +
        (member === 'MEMBER'
          ? '  MEMBER is serviceAccount:ADDRESS with service-account, else the principal:// or principalSet:// of the pool. '
          : '  ') +
        'A new binding takes some minutes to hold. A project that does not exist answers the same.',
    )
  }
  throw explained(
    error,
    what + ' cannot be read',
    'Turn the API on: `gcloud services enable container.googleapis.com`.',
  )
}

/** Best effort, for a message. */
async function clustersOf(project: string, endpoints: GoogleEndpoints, get: Get): Promise<string[]> {
  try {
    const answer = (await get(endpoints.url('container', `v1/projects/${project}/locations/-/clusters`))) as {
      clusters?: { name?: string; location?: string }[]
    }
    return answer.clusters?.map((one) => `${one.name ?? '?'} in ${one.location ?? '?'}`) ?? []
  } catch {
    return []
  }
}

function isDisabled(failure: CallFailure): boolean {
  return /has not been used|SERVICE_DISABLED|it is disabled/i.test(failure.message)
}
