import type { AuthClient, gaxios } from 'google-auth-library'
import { ConfigurationError } from '../../common/errors.ts'
import { readCredentials, type Credentials } from './credentials-file.ts'
import { googleEndpoints, type GoogleEndpoints } from '../endpoints.ts'
import { exchangeProblem, idTokenProblem, principalOf, type Exchange } from './exchange-errors.ts'
import { parseProvider, parseServiceAccount, type Provider } from '../../common/workload-identity.ts'
import { cacheCredential, type CachedValue } from '../../common/cached-credential.ts'
import { urlPath } from '../../common/url-path.ts'
import { openTransport } from '../transport.ts'

export interface GoogleIdentityOptions {
  /** `projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER`; without it the credentials of google-github-actions/auth */
  readonly workloadIdentityProvider?: string | undefined
  /** impersonated; without it the provider's principal itself has the rights */
  readonly serviceAccount?: string | undefined
  /** the audience of GitHub's token that the provider accepts, where it is not Google's default */
  readonly audience?: string | undefined
  /** GitHub's ID token of this job */
  readonly getIdToken: (audience: string) => Promise<string>
  /** called with every token before it is used; its base64 is for the callee to mask, too */
  readonly maskSecret: (value: string) => void
}

export type GoogleToken = CachedValue<string>

/** Fresh access tokens for Google Cloud, for as long as the job runs. */
export interface GoogleTokenSource {
  /** the identity, for the log */
  readonly description: string
  /** the project that the environment or the credentials name: it is not requested, because that needs another permission */
  readonly projectId: string | undefined
  readonly universe: string
  /** the address of the service account; undefined: the principal of GitHub's token itself, or a user */
  readonly serviceAccount: string | undefined
  token(): Promise<GoogleToken>
  /** A server rejected this token (401): the next one is new, unless this one was issued a moment ago. */
  refused(token: string): void
  /** as IAM names it: `serviceAccount:ADDRESS`, `principal://…`; undefined: not known, or not yet */
  member(): string | undefined
}

const scope = 'https://www.googleapis.com/auth/cloud-platform'

/**
 * The Google identity of the job. Sends no request before the first token.
 * @throws ConfigurationError where there is no identity, or it cannot be used
 */
// eslint-disable-next-line @typescript-eslint/require-await -- its errors are rejections, like those of its tokens
export async function googleTokenSource(
  options: GoogleIdentityOptions,
  env: NodeJS.ProcessEnv,
): Promise<GoogleTokenSource> {
  if (options.workloadIdentityProvider) {
    const provider = parseProvider(options.workloadIdentityProvider)
    const account = options.serviceAccount ? parseServiceAccount(options.serviceAccount) : undefined
    const endpoints = googleEndpoints(env)
    // GitHub sets it for jobs that may request a token, so this is known before any request.
    if (!env['ACTIONS_ID_TOKEN_REQUEST_URL']) throw idTokenProblem(undefined, env)
    let idToken: string | undefined
    const getIdToken = async (audience: string): Promise<string> => (idToken = await options.getIdToken(audience))
    return {
      description: `${account ?? `the principal of GitHub's token`} by ${provider.pool}/${provider.id}`,
      projectId: projectOf(env, account),
      universe: endpoints.universe,
      serviceAccount: account,
      ...cacheToken(() => federate({ provider, account, endpoints, options: { ...options, getIdToken }, env })),
      member: () => (account === undefined ? principalOf(provider, idToken) : `serviceAccount:${account}`),
    }
  }
  if (options.serviceAccount) {
    throw new ConfigurationError({
      code: 'E_INPUT_CONFLICT',
      input: 'service-account',
      problem: 'it needs workload-identity-provider, which is not set',
      fix: 'Set both; or set neither, and give service_account to google-github-actions/auth in an earlier step.',
    })
  }
  const credentials = readCredentials(env)
  const endpoints = googleEndpoints(env, credentials.universe)
  return {
    description: credentials.description,
    projectId: projectOf(env, credentials.serviceAccount) ?? credentials.projectId,
    universe: endpoints.universe,
    serviceAccount: credentials.serviceAccount,
    ...cacheToken(() => useCredentials(credentials, options.maskSecret)),
    member: () => credentials.serviceAccount && `serviceAccount:${credentials.serviceAccount}`,
  }
}

function cacheToken(exchange: () => Promise<GoogleToken>): Pick<GoogleTokenSource, 'token' | 'refused'> {
  let last: GoogleToken | undefined
  const cached = cacheCredential(async () => {
    last = await exchange()
    return { value: last, expiresAtMs: last.expiresAtMs }
  })
  return {
    token: cached.get,
    refused: (token) => {
      if (last?.value === token) cached.invalidate(last)
    },
  }
}

interface Federation {
  readonly provider: Provider
  /** impersonated, where it is given */
  readonly account: string | undefined
  readonly endpoints: GoogleEndpoints
  readonly options: GoogleIdentityOptions
  readonly env: NodeJS.ProcessEnv
}

/** GitHub's token is exchanged for one of Google (STS), and that for one of the service account. */
async function federate({ provider, account, endpoints, options, env }: Federation): Promise<GoogleToken> {
  // With the IAM host of the universe, as google-github-actions/auth has it.
  const resource = `iam.${endpoints.universe}/${provider.name}`
  const audience = options.audience || `https://${resource}`
  const idToken = await options.getIdToken(audience).catch((error: unknown) => {
    throw idTokenProblem(error, env)
  })
  options.maskSecret(idToken)
  const tokenUrl = endpoints.url('sts', 'v1/token')
  const exchange: Exchange = {
    provider,
    serviceAccount: account,
    audience,
    tokenUrl,
    impersonationUrl:
      account && endpoints.url('iamcredentials', urlPath`v1/projects/-/serviceAccounts/${account}:generateAccessToken`),
    idToken,
  }
  const { IdentityPoolClient } = await import('google-auth-library')
  const transporter = await maskingTransport(options.maskSecret)
  const client = new IdentityPoolClient({
    type: 'external_account',
    audience: `//${resource}`,
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    token_url: tokenUrl,
    ...(exchange.impersonationUrl && {
      service_account_impersonation_url: exchange.impersonationUrl,
      service_account_impersonation: { token_lifetime_seconds: 3600 },
    }),
    subject_token_supplier: { getSubjectToken: () => Promise.resolve(idToken) },
    universe_domain: endpoints.universe,
    scopes: [scope],
    transporter,
  })
  client['stsCredential']['transporter'] = transporter // otherwise its calls have no time limit, and no token is masked before use
  return requestAccessToken(client, account !== undefined).catch((error: unknown) => {
    throw exchangeProblem(error, exchange)
  })
}

async function useCredentials(credentials: Credentials, secret: (value: string) => void): Promise<GoogleToken> {
  const library = await import('google-auth-library')
  const transporter = await maskingTransport(secret)
  const { json } = credentials
  try {
    if (credentials.type === 'external_account') {
      const client = new library.IdentityPoolClient({
        ...(json as unknown as ConstructorParameters<typeof library.IdentityPoolClient>[0]),
        scopes: [scope],
        transporter,
      })
      client['stsCredential']['transporter'] = transporter
      return await requestAccessToken(client, credentials.serviceAccount !== undefined)
    }
    redirectTokenUri(transporter, json['token_uri'])
    const client =
      credentials.type === 'service_account'
        ? new library.JWT({
            email: json['client_email'] as string,
            key: json['private_key'] as string,
            scopes: [scope],
            transporter,
          })
        : new library.UserRefreshClient({
            clientId: json['client_id'] as string,
            clientSecret: json['client_secret'] as string,
            refreshToken: json['refresh_token'] as string,
            transporter,
          })
    return await requestAccessToken(client, false)
  } catch (error) {
    throw exchangeProblem(error, {
      credentials: credentials.from,
      serviceAccount: credentials.serviceAccount,
      tokenUrl: typeof json['token_url'] === 'string' ? json['token_url'] : undefined,
      impersonationUrl: credentials.impersonationUrl,
    })
  }
}

/**
 * A new client for each exchange: only `cacheCredential` decides how long a token is used.
 * @param isExpiryByGoogleClock of an impersonated token; the expiry of the others is counted from now
 */
async function requestAccessToken(client: AuthClient, isExpiryByGoogleClock: boolean): Promise<GoogleToken> {
  const requestedAtMs = Date.now()
  const { token, res } = await client.getAccessToken()
  if (!token) throw new Error('the answer has no token')
  const expiresAtMs = client.credentials.expiry_date ?? requestedAtMs + defaultLifetimeMs
  // The clock of a runner may differ from Google's by more than the lifetime of a token.
  const googleTimeMs = isExpiryByGoogleClock ? Date.parse(res?.headers.get('date') ?? '') : NaN
  return {
    value: token,
    expiresAtMs: Number.isNaN(googleTimeMs) ? expiresAtMs : expiresAtMs + (requestedAtMs - googleTimeMs),
  }
}

/** of a token whose answer does not have it */
const defaultLifetimeMs = 300_000

/** Masks each token of an answer before it is used, also the one between STS and the impersonation. */
async function maskingTransport(secret: (value: string) => void): Promise<gaxios.Gaxios> {
  const transport = await openTransport()
  transport.interceptors.response.add({
    resolved: (response) => {
      const data = response.data as Record<string, unknown> | undefined
      for (const name of ['access_token', 'accessToken', 'id_token', 'value']) {
        const value = typeof data === 'object' ? data[name] : undefined
        if (typeof value === 'string' && value.length > 8) secret(value)
      }
      return Promise.resolve(response)
    },
  })
  return transport
}

/** The library has one fixed address for these exchanges; a key names another (of another universe, or of a test). */
function redirectTokenUri(transport: gaxios.Gaxios, tokenUri: unknown): void {
  if (typeof tokenUri !== 'string') return
  transport.interceptors.request.add({
    resolved: (config) => {
      if (config.url.href === 'https://oauth2.googleapis.com/token') config.url = new URL(tokenUri)
      return Promise.resolve(config)
    },
  })
}

function projectOf(env: NodeJS.ProcessEnv, serviceAccount: string | undefined): string | undefined {
  for (const name of ['CLOUDSDK_CORE_PROJECT', 'GOOGLE_CLOUD_PROJECT', 'GCLOUD_PROJECT', 'GCP_PROJECT']) {
    if (env[name]) return env[name]
  }
  return /@([a-z][a-z0-9-]+)\.iam\.gserviceaccount\.com$/.exec(serviceAccount ?? '')?.[1]
}
