import type { ClusterName } from '../../common/cluster-name.ts'
import { ConfigurationError } from '../../common/errors.ts'
import type { GoogleTokenSource } from '../auth/identity.ts'
import { urlPath } from '../../common/url-path.ts'
import { callProblem } from '../call-problem.ts'
import { googleEndpoints, type GoogleEndpoints } from '../endpoints.ts'
import { describeFailure, disabledService, failureOf, openTransport, type CallFailure } from '../transport.ts'
import { fullName, parseClusterName, type ClusterReference } from './cluster-name.ts'
import { connectGatewayEndpoint, type Get } from './connect-gateway.ts'
import { chooseEndpoint, type ClusterResource, type Endpoint, type EndpointChoice } from './endpoint.ts'

/** A GKE cluster and the chosen endpoint of its API server. */
export interface GkeCluster extends Endpoint, ClusterName {
  /** for the log */
  readonly description: string
  readonly autopilot: boolean
}

const endpointNames: Record<GkeCluster['endpoint'], string> = {
  dns: 'DNS endpoint',
  ip: 'public endpoint',
  private: 'private endpoint',
  'connect-gateway': 'Connect Gateway',
}

/**
 * Reads the cluster from GKE and chooses an endpoint of its API server.
 * @throws ConfigurationError
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
  const google = { endpoints, get }
  const cluster = (await get(endpoints.url('container', resourcePath(name))).catch(async (error: unknown) => {
    throw await clusterProblem(error, name, google, source.member?.())
  })) as ClusterResource
  const endpoint =
    choice === 'connect-gateway'
      ? await connectGatewayEndpoint(cluster, name, google)
      : chooseEndpoint(cluster, name, choice)
  return {
    ...name,
    ...endpoint,
    description: `GKE cluster ${fullName(name)}, ${endpointNames[endpoint.endpoint]} ${new URL(endpoint.server).host}`,
    autopilot: cluster.autopilot?.enabled === true,
  }
}

async function clusterProblem(
  error: unknown,
  name: ClusterName,
  google: { readonly endpoints: GoogleEndpoints; readonly get: Get },
  member: string | undefined,
): Promise<ConfigurationError> {
  const failure = failureOf(error)
  if (failure?.status === 404) {
    const known = await clustersOf(name.project, google.endpoints, google.get)
    return new ConfigurationError({
      code: 'E_GKE_CLUSTER_NOT_FOUND',
      input: 'cluster',
      problem: `${fullName(name)} was not found (${describeFailure(failure)})`,
      fix:
        known.length > 0
          ? `The project has: ${known.slice(0, 20).join(', ')}.`
          : 'Check the name, the location and the project.',
    })
  }
  if (failure?.status === 403 && !disabledService(failure)) return accessDenied(failure, name, member)
  return callProblem(error, {
    input: 'cluster',
    problem: `${fullName(name)} cannot be read`,
    fix: 'Check the name, the location and the project.',
    service: 'container.googleapis.com',
  })
}

/** @param member of an IAM binding; undefined where it is not known */
function accessDenied(failure: CallFailure, name: ClusterName, member: string | undefined): ConfigurationError {
  const { project } = name
  const memberNote =
    member === undefined
      ? ' MEMBER is serviceAccount:ADDRESS with service-account, else the principal:// or principalSet:// of the pool.'
      : ''
  return new ConfigurationError({
    code: 'E_GOOGLE_ACCESS_DENIED',
    input: 'cluster',
    problem: `this identity may not read ${fullName(name)} (${describeFailure(failure)})`,
    fix:
      `Grant it the least permissions: container.clusters.get and, for the DNS endpoint, container.clusters.connect, in the project ${project} ` +
      `(docs/terraform does the same).${memberNote} A new binding takes some minutes to apply. Google gives the same answer where the project does not exist.`,
    command:
      `gcloud iam roles create packetCapture --project=${project} --title='Packet capture' --permissions=container.clusters.get,container.clusters.connect\n` +
      `gcloud projects add-iam-policy-binding ${project} --role=projects/${project}/roles/packetCapture --member='${member ?? 'MEMBER'}'`,
  })
}

function resourcePath({ project, location, name }: ClusterName): string {
  return urlPath`v1/projects/${project}/locations/${location}/clusters/${name}`
}

/** For a message: [] where the clusters cannot be listed. */
async function clustersOf(project: string, endpoints: GoogleEndpoints, get: Get): Promise<string[]> {
  try {
    const answer = (await get(endpoints.url('container', urlPath`v1/projects/${project}/locations/-/clusters`))) as {
      clusters?: { name?: string; location?: string }[]
    }
    return answer.clusters?.map((one) => `${one.name ?? '?'} in ${one.location ?? '?'}`) ?? []
  } catch {
    return []
  }
}
