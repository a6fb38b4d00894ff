import { ConfigurationError } from '../errors.ts'

/** A workload identity provider, by the parts of its name. */
export interface Provider {
  /** `projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER` */
  readonly name: string
  readonly project: string
  readonly pool: string
  readonly id: string
}

const takes = 'projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER'

/** @throws ConfigurationError that tells the usual slips apart: a pool's name, a project's id in place of its number */
export function parseProvider(text: string): Provider {
  const name = text.trim().replace(/^(https?:)?\/\/iam\.[^/]+\/(v1\/)?/, '')
  const [, project = '', location = '', pool = '', id] =
    /^projects\/([^/\s]+)\/locations\/([^/\s]+)\/workloadIdentityPools\/([^/\s]+)(?:\/providers\/([^/\s]+))?\/?$/.exec(
      name,
    ) ?? []
  const got = `workload-identity-provider: got ${JSON.stringify(text.slice(0, 200))}`
  if (pool === '') throw new ConfigurationError(`${got}, takes ${takes}`)
  if (id === undefined) {
    throw new ConfigurationError(
      `${got}, which is the name of a pool; takes that of a provider in it: ${name.replace(/\/$/, '')}/providers/PROVIDER. ` +
        `List them with \`gcloud iam workload-identity-pools providers list --location=global --workload-identity-pool=${pool}\`.`,
    )
  }
  if (!/^\d+$/.test(project)) {
    throw new ConfigurationError(
      `${got}, which has the project's id; takes its number. ` +
        `Find it with \`gcloud projects describe ${project} --format='value(projectNumber)'\`.`,
    )
  }
  if (location !== 'global')
    throw new ConfigurationError(`${got}, but pools are in the location global; takes ${takes}`)
  const wrong = [pool, id].find((part) => !/^[a-z0-9-]{1,64}$/.test(part))
  if (wrong !== undefined) {
    throw new ConfigurationError(
      `${got}, but ${JSON.stringify(wrong)} is no name of a pool or a provider; takes ${takes}`,
    )
  }
  return {
    name: `projects/${project}/locations/global/workloadIdentityPools/${pool}/providers/${id}`,
    project,
    pool,
    id,
  }
}

/** @throws ConfigurationError where it is no e-mail address */
export function parseServiceAccount(text: string): string {
  // It becomes a part of a URL.
  if (/^[\w.+-]{1,128}@[\w.-]{3,128}$/.test(text)) return text
  throw new ConfigurationError(
    `service-account: got ${JSON.stringify(text.slice(0, 200))}, takes an e-mail address: NAME@PROJECT.iam.gserviceaccount.com`,
  )
}
