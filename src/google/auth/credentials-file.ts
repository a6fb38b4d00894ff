import { ConfigurationError, messageOf } from '../../common/errors.ts'
import { readRegularFile } from '../../common/read-file.ts'
import { isSafe, plainHttp } from '../endpoints.ts'

const types = ['external_account', 'service_account', 'authorized_user'] as const

/** A credentials file, as google-github-actions/auth and gcloud write it. */
export interface Credentials {
  readonly type: (typeof types)[number]
  readonly json: Readonly<Record<string, unknown>>
  /** the variable that names the file */
  readonly from: string
  /** the identity, for the log */
  readonly description: string
  readonly serviceAccount: string | undefined
  readonly impersonationUrl: string | undefined
  readonly projectId: string | undefined
  readonly universe: string | undefined
}

const variables = ['GOOGLE_APPLICATION_CREDENTIALS', 'GOOGLE_GHA_CREDS_PATH', 'CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE']
const requiredFields: Record<Credentials['type'], readonly string[]> = {
  external_account: ['audience', 'subject_token_type', 'token_url'],
  service_account: ['client_email', 'private_key'],
  authorized_user: ['client_id', 'client_secret', 'refresh_token'],
}

/**
 * Reads the credentials of an earlier step. Errors never show the content of the file.
 * @throws ConfigurationError where there are none, or they are of an unsupported type
 */
export function readCredentials(env: NodeJS.ProcessEnv): Credentials {
  const from = variables.find((name) => env[name])
  const path = from && env[from]
  if (!from || !path) {
    throw new ConfigurationError({
      code: 'E_GOOGLE_CREDENTIALS_MISSING',
      input: 'workload-identity-provider',
      problem:
        'it is not set, and no earlier step created Google credentials (GOOGLE_APPLICATION_CREDENTIALS is not set)',
      fix: 'Set workload-identity-provider, or run google-github-actions/auth in an earlier step.',
    })
  }
  const json = parseObject(readCredentialsFile(from, path))
  const type = checkCredentials(json, from, path)
  const impersonationUrl = nonEmpty(json?.['service_account_impersonation_url'])
  const serviceAccount =
    type === 'service_account'
      ? nonEmpty(json?.['client_email'])
      : /serviceAccounts\/([^/:]+):generateAccessToken$/.exec(impersonationUrl ?? '')?.[1]
  return {
    type,
    json: json ?? {},
    from,
    description: describeCredentials({ type, json, from, serviceAccount }),
    serviceAccount,
    impersonationUrl,
    projectId: nonEmpty(json?.['project_id']) ?? nonEmpty(json?.['quota_project_id']),
    universe: nonEmpty(json?.['universe_domain']),
  }
}

function readCredentialsFile(from: string, path: string): string {
  try {
    return readRegularFile(path).toString('utf8')
  } catch (error) {
    throw new ConfigurationError({
      code: 'E_GOOGLE_CREDENTIALS_MISSING',
      input: from,
      problem: `the file ${JSON.stringify(path)} cannot be read (${messageOf(error)})`,
      fix:
        'google-github-actions/auth writes it into the workspace: run it in the same job, after actions/checkout, ' +
        'which deletes all files of the workspace.',
    })
  }
}

/** @returns the type @throws ConfigurationError where this action cannot use the credentials */
function checkCredentials(json: Record<string, unknown> | undefined, from: string, path: string): Credentials['type'] {
  const fail = (problem: string, fix: string): ConfigurationError =>
    new ConfigurationError({ code: 'E_GOOGLE_CREDENTIALS_INVALID', input: from, problem, fix })
  const file = `the file ${JSON.stringify(path)}`
  const type = types.find((one) => one === json?.['type'])
  if (!json || !type) {
    const content =
      typeof json?.['type'] === 'string' ? `credentials of the type ${JSON.stringify(json['type'])}` : 'no credentials'
    throw fail(`${file} has ${content}`, `Supported types are ${types.join(', ')}.`)
  }
  const missing = requiredFields[type].filter((name) => typeof json[name] !== 'string' || json[name] === '')
  if (missing.length > 0) {
    throw fail(`${file} (${type}) lacks ${missing.join(', ')}`, 'Create the credentials again.')
  }
  const { url: sourceUrl } = (json['credential_source'] ?? {}) as { url?: unknown }
  const addresses: Record<string, unknown> = {
    token_url: json['token_url'],
    token_uri: json['token_uri'],
    service_account_impersonation_url: json['service_account_impersonation_url'],
    'credential_source.url': sourceUrl, // it receives the request token of the job
  }
  for (const [name, value] of Object.entries(addresses)) {
    if (value === undefined) continue
    const url = typeof value === 'string' ? URL.parse(value) : undefined
    if (!url) throw fail(`its ${name} is not a URL`, 'Create the credentials again.')
    if (!isSafe(url)) throw fail(`its ${name} ${plainHttp.problem}`, plainHttp.fix)
  }
  return type
}

function describeCredentials({
  type,
  json,
  from,
  serviceAccount,
}: Pick<Credentials, 'type' | 'from' | 'serviceAccount'> & { json: Record<string, unknown> | undefined }): string {
  const [, pool, provider] =
    /workloadIdentityPools\/(.+)\/providers\/(.+)$/.exec(nonEmpty(json?.['audience']) ?? '') ?? []
  const identity = serviceAccount ?? (type === 'external_account' ? `the principal of GitHub's token` : 'a user')
  const source = pool && provider ? `${pool}/${provider}, ` : ''
  return `${identity} by ${source}the ${type.replace('_', ' ')} of ${from}`
}

function nonEmpty(value: unknown): string | undefined {
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
