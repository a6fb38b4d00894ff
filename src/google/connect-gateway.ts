import { ConfigurationError } from '../errors.ts'
import { fullName, type ClusterName } from './cluster-name.ts'
import type { GoogleEndpoints } from './endpoints.ts'
import { explained } from './explained.ts'

/** Reads a resource of Google's as JSON. */
export type Get = (url: string) => Promise<unknown>

/**
 * The address of a cluster's API server at Connect Gateway, which takes the fleet's project by number, and the membership where it was registered.
 * @throws ConfigurationError
 */
export async function gatewayOf(
  cluster: { readonly selfLink?: string; readonly fleet?: { readonly membership?: string; readonly project?: string } },
  name: ClusterName,
  endpoints: GoogleEndpoints,
  get: Get,
): Promise<{ server: string; hint: string }> {
  const projects = [name.project, /\/projects\/([^/]+)\//.exec(cluster.selfLink ?? '')?.[1]].filter(
    (project) => project !== undefined,
  )
  const membership =
    parseMembership(cluster.fleet?.membership) ??
    (await searchMembership(name, projects, cluster.fleet?.project, endpoints, get))
  if (!membership) {
    throw new ConfigurationError(
      `endpoint: connect-gateway, but ${fullName(name)} is in no fleet. ` +
        `Register it: \`gcloud container clusters update ${name.name} --location ${name.location} --project ${name.project} --enable-fleet\`.`,
    )
  }
  const number =
    [membership.project, ...(projects.includes(membership.project) ? projects : [])].find(isNumber) ??
    (await projectNumber(membership.project, name, projects.includes(membership.project), endpoints, get))
  const region = membership.location === 'global' ? undefined : membership.location
  const path = `v1/projects/${number}/locations/${membership.location}/gkeMemberships/${membership.name}`
  return {
    server: endpoints.url('connectgateway', path, region),
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
  projects: readonly string[],
  fleet: string | undefined,
  endpoints: GoogleEndpoints,
  get: Get,
): Promise<ClusterName | undefined> {
  const project = fleet ?? name.project
  const wanted = projects.map((project) => `/${fullName({ ...name, project })}`)
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

/** @param own it is the project of the cluster, whose number the full name may say */
async function projectNumber(
  project: string,
  name: ClusterName,
  own: boolean,
  endpoints: GoogleEndpoints,
  get: Get,
): Promise<string> {
  const answer = (await get(endpoints.url('cloudresourcemanager', `v1/projects/${project}`)).catch((error: unknown) => {
    const other = own
      ? `; or say the number in place of the id: cluster: ${fullName({ ...name, project: 'NUMBER' })} (\`gcloud projects describe ${project} --format='value(projectNumber)'\`)`
      : ''
    throw explained(
      error,
      `endpoint: the number of the project ${project} cannot be read, which connect-gateway needs`,
      `Grant the identity resourcemanager.projects.get there (roles/browser), and turn the API on: \`gcloud services enable cloudresourcemanager.googleapis.com\`${other}.`,
    )
  })) as { projectNumber?: string }
  return answer.projectNumber ?? project
}
