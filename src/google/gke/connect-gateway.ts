import { isLocation, type ClusterName } from '../../common/cluster-name.ts'
import { ConfigurationError } from '../../common/errors.ts'
import { urlPath } from '../../common/url-path.ts'
import { callProblem } from '../call-problem.ts'
import type { GoogleEndpoints } from '../endpoints.ts'
import { fullName } from './cluster-name.ts'
import type { ClusterResource, Endpoint } from './endpoint.ts'

/** Reads a resource from one of Google's APIs as JSON. */
export type Get = (url: string) => Promise<unknown>

interface Google {
  readonly endpoints: GoogleEndpoints
  readonly get: Get
}

const maxPageCount = 50

/**
 * The endpoint of a cluster at Connect Gateway. Its URL has the number of the fleet's project, and the membership with its location.
 * @throws ConfigurationError where the cluster is in no fleet, or the fleet cannot be read
 */
export async function connectGatewayEndpoint(
  cluster: Pick<ClusterResource, 'selfLink' | 'fleet'>,
  name: ClusterName,
  google: Google,
): Promise<Endpoint> {
  // The project of the cluster by the id or number of the input, and by its id.
  const projects = [name.project, /\/projects\/([^/]+)\//.exec(cluster.selfLink ?? '')?.[1]].filter(
    (project) => project !== undefined,
  )
  const membership =
    parseMembership(cluster.fleet?.membership) ??
    (await searchMembership(name, projects, cluster.fleet?.project ?? name.project, google))
  if (!membership) {
    throw new ConfigurationError({
      code: 'E_GKE_NOT_IN_FLEET',
      input: 'endpoint',
      problem: `Connect Gateway needs a fleet, and ${fullName(name)} is in none`,
      fix: `Register it: \`gcloud container clusters update ${name.name} --location ${name.location} --project ${name.project} --enable-fleet\`.`,
    })
  }
  const isClusterProject = projects.includes(membership.project)
  const number =
    [membership.project, ...(isClusterProject ? projects : [])].find(isNumber) ??
    (await readProjectNumber(membership.project, isClusterProject ? name : undefined, google))
  const region = membership.location === 'global' ? undefined : membership.location
  const path = urlPath`v1/projects/${number}/locations/${membership.location}/gkeMemberships/${membership.name}`
  return {
    endpoint: 'connect-gateway',
    server: google.endpoints.url('connectgateway', path, region),
    certificateAuthority: undefined,
    hint:
      `Through Connect Gateway the identity needs roles/gkehub.gatewayAdmin in the project ${membership.project} ` +
      '(exec needs gkehub.gateway.stream, which gatewayReader and gatewayEditor lack), roles/gkehub.viewer, ' +
      'and permissions by Kubernetes RBAC. A fleet host project has a limit of 10 concurrent streams.',
  }
}

function parseMembership(text: string | undefined): ClusterName | undefined {
  const [, project, location, name] =
    /projects\/([^/]+)\/locations\/([^/]+)\/memberships\/([^/]+)$/.exec(text ?? '') ?? []
  // The location becomes a part of the host that receives the token.
  return project && location && name && isLocation(location) ? { project, location, name } : undefined
}

/** The membership of a cluster that was registered through the API of the fleet: only the fleet lists it, in any location. */
async function searchMembership(
  name: ClusterName,
  projects: readonly string[],
  fleetProject: string,
  { endpoints, get }: Google,
): Promise<ClusterName | undefined> {
  const wanted = projects.map((project) => `/${fullName({ ...name, project })}`)
  let page = ''
  for (let count = 0; count < maxPageCount; count++) {
    const url = endpoints.url(
      'gkehub',
      `${urlPath`v1/projects/${fleetProject}/locations/-/memberships`}?pageSize=500${page}`,
    )
    const answer = (await get(url).catch((error: unknown) => {
      throw callProblem(error, {
        input: 'endpoint',
        problem: `the fleet memberships of the project ${fleetProject}, which connect-gateway needs, cannot be read`,
        fix: 'Grant the identity roles/gkehub.viewer there, and enable the API: `gcloud services enable gkehub.googleapis.com connectgateway.googleapis.com`.',
        service: 'gkehub.googleapis.com connectgateway.googleapis.com',
      })
    })) as {
      resources?: { name?: string; endpoint?: { gkeCluster?: { resourceLink?: string } } }[]
      nextPageToken?: string
    }
    const found = answer.resources?.find(({ endpoint }) => {
      const link = `/${endpoint?.gkeCluster?.resourceLink?.replace(/\/(zones|regions)\//, '/locations/') ?? ''}`
      return wanted.some((one) => link.endsWith(one))
    })
    if (found) return parseMembership(found.name)
    if (!answer.nextPageToken) return undefined
    page = `&pageToken=${encodeURIComponent(answer.nextPageToken)}`
  }
  return undefined
}

function isNumber(project: string): boolean {
  return /^\d+$/.test(project)
}

/** @param cluster where the project is the one of the cluster: then its full name may have the number */
async function readProjectNumber(
  project: string,
  cluster: ClusterName | undefined,
  { endpoints, get }: Google,
): Promise<string> {
  const answer = (await get(endpoints.url('cloudresourcemanager', urlPath`v1/projects/${project}`)).catch(
    (error: unknown) => {
      const alternative = cluster
        ? ` Or use the number of the project in place of its id: cluster: ${fullName({ ...cluster, project: 'NUMBER' })} (\`gcloud projects describe ${project} --format='value(projectNumber)'\`).`
        : ''
      throw callProblem(error, {
        input: 'endpoint',
        problem: `the number of the project ${project}, which connect-gateway needs, cannot be read`,
        fix: `Grant the identity resourcemanager.projects.get there (roles/browser), and enable the API: \`gcloud services enable cloudresourcemanager.googleapis.com\`.${alternative}`,
        service: 'cloudresourcemanager.googleapis.com',
      })
    },
  )) as { projectNumber?: string }
  return answer.projectNumber ?? project
}
