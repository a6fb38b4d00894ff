import { readFile } from 'node:fs/promises'
import { ConfigurationError, messageOf } from '../errors.ts'
import { isSafe, plainHttpProblem } from './endpoints.ts'

const types = ['external_account', 'service_account', 'authorized_user'] as const

/** A file of credentials as google-github-actions/auth and gcloud write it. */
export interface Credentials {
  readonly type: (typeof types)[number]
  readonly json: Readonly<Record<string, unknown>>
  /** the variable that names the file */
  readonly from: string
  readonly description: string
  readonly serviceAccount: string | undefined
  readonly impersonationUrl: string | undefined
  readonly projectId: string | undefined
  readonly universe: string | undefined
}

const variables = ['GOOGLE_APPLICATION_CREDENTIALS', 'GOOGLE_GHA_CREDS_PATH', 'CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE']
const needed: Record<Credentials['type'], readonly string[]> = {
  external_account: ['audience', 'subject_token_type', 'token_url'],
  service_account: ['client_email', 'private_key'],
  authorized_user: ['client_id', 'client_secret', 'refresh_token'],
}

/**
 * Reads the credentials that a step before has left. What is in the file is never shown.
 * @throws ConfigurationError where there are none, or they are of a kind that is not taken
 */
export async function readCredentials(env: NodeJS.ProcessEnv): Promise<Credentials> {
  const from = variables.find((name) => env[name])
  const path = from && env[from]
  if (!from || !path) {
    throw new ConfigurationError(
      'workload-identity-provider: not set, and no step before has left Google credentials (GOOGLE_APPLICATION_CREDENTIALS is not set). ' +
        'Set workload-identity-provider, or run google-github-actions/auth in a step before.',
    )
  }
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new ConfigurationError(
      `${from}: the file ${JSON.stringify(path)} cannot be read (${(error as NodeJS.ErrnoException).code ?? messageOf(error)}). ` +
        'google-github-actions/auth writes it into the workspace: run it in the same job, after actions/checkout, which clears the workspace.',
    )
  })
  const json = parseObject(text)
  const type = types.find((one) => one === json?.['type'])
  if (!json || !type) {
    const got =
      typeof json?.['type'] === 'string' ? `credentials of the type ${JSON.stringify(json['type'])}` : 'no credentials'
    throw new ConfigurationError(`${from}: the file ${JSON.stringify(path)} holds ${got}, takes ${types.join(', ')}`)
  }
  const missing = needed[type].filter((name) => typeof json[name] !== 'string' || json[name] === '')
  if (missing.length > 0) {
    throw new ConfigurationError(`${from}: the file ${JSON.stringify(path)} (${type}) lacks ${missing.join(', ')}`)
  }
  const { url: sourceUrl } = (json['credential_source'] ?? {}) as { url?: unknown }
  const addresses: Record<string, unknown> = {
    token_url: json['token_url'],
    token_uri: json['token_uri'],
    service_account_impersonation_url: json['service_account_impersonation_url'],
    'credential_source.url': sourceUrl, // the job's request token goes there
  }
  for (const [name, value] of Object.entries(addresses)) {
    if (value === undefined) continue
    const url = typeof value === 'string' ? URL.parse(value) : undefined
    if (!url || !isSafe(url)) throw new ConfigurationError(`${from}: its ${name} ${plainHttpProblem}`)
  }
  const impersonationUrl = stringOf(json['service_account_impersonation_url'])
  const serviceAccount =
    type === 'service_account'
      ? stringOf(json['client_email'])
      : /serviceAccounts\/([^/:]+):generateAccessToken$/.exec(impersonationUrl ?? '')?.[1]
  const provider = /workloadIdentityPools\/(.+)\/providers\/(.+)$/.exec(stringOf(json['audience']) ?? '')
  const who = serviceAccount ?? (type === 'external_account' ? `the principal of GitHub's token` : 'a user')
  return {
    type,
    json,
    from,
    description: `${who} by ${provider ? `${provider[1]}/${provider[2]}, ` : ''}the ${type.replace('_', ' ')} of ${from}`,
    serviceAccount,
    impersonationUrl,
    projectId: stringOf(json['project_id']) ?? stringOf(json['quota_project_id']),
    universe: stringOf(json['universe_domain']),
  }
}

function stringOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
