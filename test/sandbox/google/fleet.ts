import { guarded, type GoogleAnswer, type GoogleRequest, type World } from './world.ts'

/** The fleet's memberships, two on a page, so that clients must read several pages. */
export function answerGkeHub(request: GoogleRequest, world: World): GoogleAnswer | undefined {
  const [, project, location] = /^\/v1\/projects\/([^/]+)\/locations\/([^/]+)\/memberships$/.exec(request.path) ?? []
  if (project === undefined || location === undefined || request.method !== 'GET') return undefined
  const operation = 'gkehub.memberships.list'
  return guarded(request, world, { operation, permission: operation, resource: `projects/${project}` }, () => {
    const all = world.memberships.filter(
      ({ name }) => location === '-' || String(name).includes(`/locations/${location}/`),
    )
    const start = Number(request.query.get('pageToken') ?? 0)
    const next = start + 2 < all.length ? { nextPageToken: String(start + 2) } : {}
    return { operation, status: 200, body: { resources: all.slice(start, start + 2), ...next } }
  })
}

/** Cloud Resource Manager: a project's id and number. */
export function answerResourceManager(request: GoogleRequest, world: World): GoogleAnswer | undefined {
  const [, project] = /^\/v1\/projects\/([^/:]+)$/.exec(request.path) ?? []
  if (project === undefined || request.method !== 'GET') return undefined
  const operation = 'cloudresourcemanager.projects.get'
  const { id, number } = world.project
  return guarded(request, world, { operation, permission: 'resourcemanager.projects.get', resource: project }, () =>
    project === id || project === number
      ? { operation, status: 200, body: { projectId: id, projectNumber: number, name: id, lifecycleState: 'ACTIVE' } }
      : {
          operation,
          status: 403,
          body: { error: { code: 403, status: 'PERMISSION_DENIED', message: 'The caller does not have permission' } },
        },
  )
}
