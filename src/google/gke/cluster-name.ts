import {
  isClusterName,
  isLocation,
  isProject,
  parseFullClusterName,
  type ClusterName,
} from '../../common/cluster-name.ts'
import { ConfigurationError, type Problem } from '../../common/errors.ts'
import { urlForMessage } from '../../common/url-text.ts'

/** The inputs `cluster` (a name, or the full name alone), `location` and `project-id`. */
export interface ClusterReference {
  readonly cluster: string
  readonly location?: string | undefined
  readonly project?: string | undefined
}

const fullNameForm = 'projects/PROJECT/locations/LOCATION/clusters/NAME'

/**
 * The name that the inputs give. Sends no request.
 * @throws ConfigurationError where they are invalid or incomplete
 */
export function parseClusterName(reference: ClusterReference, defaultProject?: string): ClusterName {
  const text = reference.cluster.trim()
  if (text.includes('/')) return requireFullName(text)
  const project = reference.project || defaultProject
  const problems = [
    ...(isClusterName(text)
      ? []
      : [invalid('cluster', text, 'the name of a cluster', `Set it to a name, or to ${fullNameForm}.`)]),
    ...checkPart('location', reference.location, isLocation, 'the region or zone of the cluster, such as europe-west1'),
    ...checkPart('project-id', project, isProject, 'the id of the project of the cluster'),
  ]
  if (problems.length > 0) throw new ConfigurationError(problems)
  return { project: project ?? '', location: reference.location ?? '', name: text }
}

function requireFullName(text: string): ClusterName {
  const parts = parseFullClusterName(text)
  if (parts) return parts
  const fix = `Set it to ${fullNameForm}, or to a name together with location and project-id.`
  throw new ConfigurationError(invalid('cluster', text, 'the full name of a cluster', fix))
}

function checkPart(
  input: string,
  value: string | undefined,
  isValid: (text: string) => boolean,
  form: string,
): Problem[] {
  if (value && isValid(value)) return []
  const fix = `Set it to ${form}, or set cluster to its full name: ${fullNameForm}.`
  if (value) return [invalid(input, value, 'a valid value', fix)]
  return [{ code: 'E_INPUT_INVALID', input, problem: 'it is not set', fix }]
}

function invalid(input: string, value: string, form: string, fix: string): Problem {
  return {
    code: 'E_INPUT_INVALID',
    input,
    problem: `${JSON.stringify(urlForMessage(value).slice(0, 200))} is not ${form}`,
    fix,
  }
}

/** `projects/PROJECT/locations/LOCATION/clusters/NAME` */
export function fullName({ project, location, name }: ClusterName): string {
  return `projects/${project}/locations/${location}/clusters/${name}`
}
