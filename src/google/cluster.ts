import { ConfigurationError, messageOf } from '../errors.ts'
import { googleEndpoints, type GoogleEndpoints } from './endpoints.ts'
import type { GoogleTokenSource } from './identity.ts'
import { describeFailure, failureOf, openTransport, outageOf, type CallFailure } from './transport.ts'

/** The inputs `cluster` (a name, or the full name alone), `location` and `project-id`. */
export interface ClusterReference {
  readonly cluster: string
  readonly location?: string | undefined
  readonly project?: string | undefined
}

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

interface ClusterName {
  readonly project: string
  readonly location: string
  readonly name: string
}

/** What is read of `container.v1.Cluster`; a field that is false or empty may be left out. */
interface ClusterResource {
  readonly status?: string
  readonly endpoint?: string
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
 * The name that the inputs say, before anything is contacted.
 * @throws ConfigurationError where they do not make one
 */
export function parseClusterName(reference: ClusterReference, defaultProject?: string): ClusterName {
  const text = reference.cluster.trim()
  if (text.includes('/')) {
    const [, project, location, name] =
      /^(?:(?:https?:)?\/\/container\.[^/]+\/(?:v1\/)?)?projects\/([a-z0-9.:-]+)\/(?:locations|zones|regions)\/([a-z0-9-]+)\/clusters\/([a-z0-9-]+)$/.exec(
        text,
      ) ?? []
    if (project === undefined || location === undefined || name === undefined) {
      throw new ConfigurationError(
        `cluster: got ${JSON.stringify(text.slice(0, 200))}, takes projects/PROJECT/locations/LOCATION/clusters/NAME, or a name together with location and project-id`,
      )
    }
    return { project, location, name }
  }
  const project = reference.project || defaultProject
  const problems = [
    /^[a-z0-9-]+$/.test(text) ? '' : `cluster: got ${JSON.stringify(text.slice(0, 200))}, takes the name of a cluster`,
    wordProblem('location', reference.location, 'the region or zone of the cluster, such as europe-west1'),
    wordProblem('project-id', project, 'the id of the project of the cluster'),
  ].filter((problem) => problem !== '')
  if (problems.length > 0) {
    throw new ConfigurationError(
      `${problems.join('\n')}\nOr give cluster its full name: projects/PROJECT/locations/LOCATION/clusters/NAME.`,
    )
  }
  return { project: project ?? '', location: reference.location ?? '', name: text }
}

function wordProblem(input: string, value: string | undefined, takes: string): string {
  return value && /^[a-z0-9.:-]+$/.test(value)
    ? ''
    : `${input}: got ${value ? JSON.stringify(value) : 'nothing'}, takes ${takes}`
}

/**
 * Asks GKE for the cluster and chooses the way to its API server.
 * @throws ConfigurationError that names the input, the cause and the fix
 */
export async function findCluster(
  reference: ClusterReference,
  choice: EndpointChoice,
  source: Pick<GoogleTokenSource, 'token' | 'universe' | 'projectId'>,
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
    explainCluster(error, name, endpoints, get),
  )) as ClusterResource
  const way =
    choice === 'connect-gateway' ? await gatewayOf(cluster, name, endpoints, get) : choose(cluster, name, choice)
  return {
    ...name,
    ...way,
    description: `GKE cluster ${fullName(name)}, ${endpointWords[way.endpoint]} ${new URL(way.server).host}`,
    autopilot: cluster.autopilot?.enabled === true,
  }
}

type Get = (url: string) => Promise<unknown>
type Way = Pick<GkeCluster, 'server' | 'certificateAuthority' | 'endpoint' | 'hint'>

const endpointWords: Record<GkeCluster['endpoint'], string> = {
  dns: 'DNS endpoint',
  ip: 'public endpoint',
  private: 'private endpoint',
  'connect-gateway': 'Connect Gateway',
}

function fullName({ project, location, name }: ClusterName): string {
  return `projects/${project}/locations/${location}/clusters/${name}`
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

/** Connect Gateway takes the fleet's project by number, and the membership where it was registered. */
async function gatewayOf(
  cluster: ClusterResource,
  name: ClusterName,
  endpoints: GoogleEndpoints,
  get: Get,
): Promise<Way> {
  const membership =
    parseMembership(cluster.fleet?.membership) ?? (await searchMembership(name, cluster.fleet?.project, endpoints, get))
  if (!membership) {
    throw new ConfigurationError(
      `endpoint: connect-gateway, but ${fullName(name)} is in no fleet. ` +
        `Register it: \`gcloud container clusters update ${name.name} --location ${name.location} --project ${name.project} --enable-fleet\`.`,
    )
  }
  const number = /^\d+$/.test(membership.project)
    ? membership.project
    : await projectNumber(membership.project, endpoints, get)
  const region = membership.location === 'global' ? undefined : membership.location
  const path = `v1/projects/${number}/locations/${membership.location}/gkeMemberships/${membership.name}`
  return {
    endpoint: 'connect-gateway',
    server: endpoints.url('connectgateway', path, region),
    certificateAuthority: undefined,
    hint:
      `through Connect Gateway the identity needs roles/gkehub.gatewayAdmin in the project ${membership.project} ` +
      '(exec takes gkehub.gateway.stream, which gatewayReader and gatewayEditor do not hold) and roles/gkehub.viewer, ' +
      'and rights by Kubernetes RBAC; a fleet host project has 10 streams at a time',
  }
}

function parseMembership(text: string | undefined): ClusterName | undefined {
  const [, project, location, name] =
    /projects\/([^/]+)\/locations\/([^/]+)\/memberships\/([^/]+)$/.exec(text ?? '') ?? []
  return project && location && name ? { project, location, name } : undefined
}

/** A cluster that was registered by the fleet's own API does not know it: the fleet does, in whichever location. */
async function searchMembership(
  name: ClusterName,
  fleet: string | undefined,
  endpoints: GoogleEndpoints,
  get: Get,
): Promise<ClusterName | undefined> {
  const project = fleet ?? name.project
  const wanted = fullName(name)
  let page = ''
  for (let pages = 0; pages < 50; pages++) {
    const url = endpoints.url('gkehub', `v1/projects/${project}/locations/-/memberships?pageSize=500${page}`)
    const answer = (await get(url).catch((error: unknown) => {
      throw explained(
        error,
        `endpoint: the fleet memberships of the project ${project} cannot be read, which connect-gateway needs`,
        'Grant the identity roles/gkehub.viewer there, and turn the API on: `gcloud services enable gkehub.googleapis.com connectgateway.googleapis.com`.',
      )
    })) as {
      resources?: { name?: string; endpoint?: { gkeCluster?: { resourceLink?: string } } }[]
      nextPageToken?: string
    }
    const found = answer.resources?.find(({ endpoint }) =>
      endpoint?.gkeCluster?.resourceLink?.replace(/\/(zones|regions)\//, '/locations/').endsWith(wanted),
    )
    if (found) return parseMembership(found.name)
    if (!answer.nextPageToken) return undefined
    page = `&pageToken=${encodeURIComponent(answer.nextPageToken)}`
  }
  return undefined
}

async function projectNumber(project: string, endpoints: GoogleEndpoints, get: Get): Promise<string> {
  const answer = (await get(endpoints.url('cloudresourcemanager', `v1/projects/${project}`)).catch((error: unknown) => {
    throw explained(
      error,
      `endpoint: the number of the project ${project} cannot be read, which connect-gateway needs`,
      'Grant the identity resourcemanager.projects.get there (roles/browser), and turn the API on: ' +
        '`gcloud services enable cloudresourcemanager.googleapis.com`; or give cluster a full name with the number of the project.',
    )
  })) as { projectNumber?: string }
  return answer.projectNumber ?? project
}

async function explainCluster(error: unknown, name: ClusterName, endpoints: GoogleEndpoints, get: Get): Promise<never> {
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
    throw new ConfigurationError(
      `${what} may not be read by this identity (${describeFailure(failure)}). Grant it roles/container.clusterViewer ` +
        `(container.clusters.get, and container.clusters.connect for the DNS endpoint) in the project ${name.project}:\n` +
        `  gcloud projects add-iam-policy-binding ${name.project} --role=roles/container.clusterViewer --member=MEMBER\n` +
        '  MEMBER is serviceAccount:ADDRESS with service-account, else the principal:// or principalSet:// of the pool. A new binding takes some minutes to hold. ' +
        'A project that does not exist answers the same.',
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

/** `fix` is for a refusal; the rest has causes of its own. */
function explained(error: unknown, what: string, fix: string): Error {
  if (error instanceof ConfigurationError) return error
  const failure = failureOf(error)
  if (!failure) return new ConfigurationError(`${what}: ${messageOf(error)}`)
  const outage = outageOf(failure)
  if (outage !== undefined) return new ConfigurationError(`${what}: ${outage}`)
  if (failure.status === 401) {
    return new ConfigurationError(
      `${what}: Google does not take the token (${describeFailure(failure)}). Is it of another universe, or has the identity been deleted?`,
    )
  }
  return new ConfigurationError(`${what} (${describeFailure(failure)}). ${fix}`)
}
