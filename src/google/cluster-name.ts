import { ConfigurationError } from '../errors.ts'

/** The inputs `cluster` (a name, or the full name alone), `location` and `project-id`. */
export interface ClusterReference {
  readonly cluster: string
  readonly location?: string | undefined
  readonly project?: string | undefined
}

/** The parts of the full name. */
export interface ClusterName {
  readonly project: string
  readonly location: string
  readonly name: string
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

/** `projects/PROJECT/locations/LOCATION/clusters/NAME` */
export function fullName({ project, location, name }: ClusterName): string {
  return `projects/${project}/locations/${location}/clusters/${name}`
}
