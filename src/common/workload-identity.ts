import { isProject } from './cluster-name.ts'
import { ConfigurationError } from './errors.ts'
import { urlForMessage } from './url-text.ts'

/** A workload identity provider, by the parts of its name. */
export interface Provider {
  /** `projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER` */
  readonly name: string
  readonly project: string
  readonly pool: string
  readonly id: string
}

const nameForm = 'projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER'

/** @throws ConfigurationError that recognizes the usual mistakes: the name of a pool, the id of a project in place of its number */
export function parseProvider(text: string): Provider {
  const name = text.trim().replace(/^(https?:)?\/\/iam\.[^/]+\/(v1\/)?/, '')
  const [, project = '', location = '', pool = '', id] =
    /^projects\/([^/\s]+)\/locations\/([^/\s]+)\/workloadIdentityPools\/([^/\s]+)(?:\/providers\/([^/\s]+))?\/?$/.exec(
      name,
    ) ?? []
  const fail = (problem: string, fix = `Set it to ${nameForm}.`): ConfigurationError => {
    const value = JSON.stringify(urlForMessage(text).slice(0, 200))
    return new ConfigurationError({
      code: 'E_INPUT_INVALID',
      input: 'workload-identity-provider',
      problem: `${value} ${problem}`,
      fix,
    })
  }
  // The fixes below have commands to paste, with these parts.
  const isUsable = isProject(project) && /^[a-z0-9-]{1,64}$/.test(pool)
  if (pool === '' || !isUsable) throw fail('is not the name of a workload identity provider')
  if (id === undefined) {
    throw fail(
      'is the name of a pool, not of a provider',
      `Set it to ${name.replace(/\/$/, '')}/providers/PROVIDER. List the providers of the pool with ` +
        `\`gcloud iam workload-identity-pools providers list --location=global --workload-identity-pool=${pool}\`.`,
    )
  }
  if (!/^\d+$/.test(project)) {
    throw fail(
      'has the id of the project in place of its number',
      `Find the number with \`gcloud projects describe ${project} --format='value(projectNumber)'\`.`,
    )
  }
  if (location !== 'global') throw fail('has another location; pools are in the location global')
  const invalidPart = [pool, id].find((part) => !/^[a-z0-9-]{1,64}$/.test(part))
  if (invalidPart !== undefined) {
    throw fail(`has ${JSON.stringify(invalidPart)}, which is not a valid name of a pool or a provider`)
  }
  return {
    name: `projects/${project}/locations/global/workloadIdentityPools/${pool}/providers/${id}`,
    project,
    pool,
    id,
  }
}

/** @throws ConfigurationError where it is not an e-mail address */
export function parseServiceAccount(text: string): string {
  // It becomes a part of a URL.
  if (/^[\w.+-]{1,128}@[\w.-]{3,128}$/.test(text)) return text
  throw new ConfigurationError({
    code: 'E_INPUT_INVALID',
    input: 'service-account',
    problem: `${JSON.stringify(urlForMessage(text).slice(0, 200))} is not the e-mail address of a service account`,
    fix: 'Set it to NAME@PROJECT.iam.gserviceaccount.com.',
  })
}
