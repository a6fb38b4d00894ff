/** The parts of the full name of a GKE cluster. */
export interface ClusterName {
  readonly project: string
  readonly location: string
  readonly name: string
}

/**
 * Google's grammar of project ids (with the domain of older ones, `example.com:shop`), project numbers, locations and clusters. The smallest length
 * of an id is not checked, because the first ids were shorter. They become segments of URLs and parts of commands, so there is no other character.
 */
const label = '[a-z](?:[a-z0-9-]*[a-z0-9])?'
const domain = '[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+'
const projectForm = new RegExp(`^(?:(?:${domain}:)?${label}|[0-9]{1,19})$`)
const labelForm = new RegExp(`^${label}$`)

const maxProjectLength = 100
const maxNameLength = 63

export function isProject(text: string): boolean {
  return text.length <= maxProjectLength && projectForm.test(text)
}

/** A region or a zone. */
export function isLocation(text: string): boolean {
  return text.length <= maxNameLength && labelForm.test(text)
}

export function isClusterName(text: string): boolean {
  return text.length <= maxNameLength && labelForm.test(text)
}

/**
 * The parts of `projects/PROJECT/locations/LOCATION/clusters/…`, also as a link, as the console and the API show it; undefined where the text is
 * not a full name.
 */
export function parseFullClusterName(text: string): ClusterName | undefined {
  const [, project, location, name] =
    /^(?:(?:https?:)?\/\/container\.[^/\s]+\/(?:v1\/)?)?projects\/([^/]+)\/(?:locations|zones|regions)\/([^/]+)\/clusters\/([^/]+)$/.exec(
      text,
    ) ?? []
  if (project === undefined || location === undefined || name === undefined) return undefined
  return isProject(project) && isLocation(location) && isClusterName(name) ? { project, location, name } : undefined
}
