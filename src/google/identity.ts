import type { AuthClient, gaxios } from 'google-auth-library'
import { ConfigurationError } from '../errors.ts'
import { readCredentials, type Credentials } from './credentials-file.ts'
import { googleEndpoints, type GoogleEndpoints } from './endpoints.ts'
import { explainExchange, explainIdToken, principalOf, type Exchange } from './exchange-errors.ts'
import { parseProvider, parseServiceAccount, type Provider } from './provider.ts'
import { shareToken, type GoogleToken } from './shared-token.ts'
import { openTransport } from './transport.ts'

export interface GoogleIdentityOptions {
  /** `projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER`; without it the credentials of google-github-actions/auth */
  readonly workloadIdentityProvider?: string | undefined
  /** impersonated; without it the provider's principal itself has the rights */
  readonly serviceAccount?: string | undefined
  /** what the provider takes as audience of GitHub's token, where it is not Google's default */
  readonly audience?: string | undefined
  /** GitHub's OIDC token of this job */
  readonly getIdToken: (audience: string) => Promise<string>
  /** told every token, and its base64, before it is used */
  readonly secret: (value: string) => void
}

/** Fresh access tokens for Google Cloud, for as long as the job runs. */
export interface GoogleTokenSource {
  /** who it is, for the log */
  readonly description: string
  /** the project that the environment or the credentials name: never asked for, because that takes a right of its own */
  readonly projectId: string | undefined
  readonly universe: string
  /** the address of the service account that we are; undefined: the principal of GitHub's token itself, or a user */
  readonly serviceAccount: string | undefined
  token(): Promise<GoogleToken>
  /** Something did not take this token (401): the next is made anew, unless that was done a moment ago. */
  refused(token: string): void
  /** as IAM names it: `serviceAccount:ADDRESS`, `principal://…`; undefined: not known, or not yet */
  member(): string | undefined
}

const scope = 'https://www.googleapis.com/auth/cloud-platform'

/**
 * Reads who the job is to Google; nothing is contacted before the first token.
 * @throws ConfigurationError where there is no identity, or it is not usable
 */
export async function googleTokenSource(
  options: GoogleIdentityOptions,
  env: NodeJS.ProcessEnv,
): Promise<GoogleTokenSource> {
  const mask = (value: string): void => {
    options.secret(value)
    options.secret(Buffer.from(value).toString('base64'))
  }
  if (options.workloadIdentityProvider) {
    const provider = parseProvider(options.workloadIdentityProvider)
    const account = options.serviceAccount ? parseServiceAccount(options.serviceAccount) : undefined
    const endpoints = googleEndpoints(env)
    // GitHub sets it for jobs that may have a token at all: known before anything is contacted.
    if (!env['ACTIONS_ID_TOKEN_REQUEST_URL']) throw explainIdToken(undefined, env)
    let idToken: string | undefined
    const getIdToken = async (audience: string): Promise<string> => (idToken = await options.getIdToken(audience))
    return {
      description: `${account ?? `the principal of GitHub's token`} by ${provider.pool}/${provider.id}`,
      projectId: projectOf(env, account),
      universe: endpoints.universe,
      serviceAccount: account,
      ...renewable(() => federate(provider, account, endpoints, { ...options, getIdToken, secret: mask }, env)),
      member: () => (account === undefined ? principalOf(provider, idToken) : `serviceAccount:${account}`),
    }
  }
  if (options.serviceAccount) {
    throw new ConfigurationError(
      'service-account: goes together with workload-identity-provider, which is not set. Set both; ' +
        'or leave both out and give service_account to google-github-actions/auth in a step before.',
    )
  }
  const credentials = await readCredentials(env)
  const endpoints = googleEndpoints(env, credentials.universe)
  return {
    description: credentials.description,
    projectId: projectOf(env, credentials.serviceAccount) ?? credentials.projectId,
    universe: endpoints.universe,
    serviceAccount: credentials.serviceAccount,
    ...renewable(() => useCredentials(credentials, mask)),
    member: () => credentials.serviceAccount && `serviceAccount:${credentials.serviceAccount}`,
  }
}

/** One that is refused so soon after it was made will not get better by another, ms. */
const tooYoung = 5_000

function renewable(exchange: () => Promise<GoogleToken>): Pick<GoogleTokenSource, 'token' | 'refused'> {
  let share = shareToken(exchange)
  let last: { value: string; since: number } | undefined
  return {
    token: async () => {
      const token = await share()
      if (last?.value !== token.value) last = { value: token.value, since: Date.now() }
      return token
    },
    refused: (token) => {
      if (last?.value === token && Date.now() - last.since >= tooYoung) share = shareToken(exchange)
    },
  }
}

/** GitHub's token → Google's, by STS → the service account's. */
async function federate(
  provider: Provider,
  account: string | undefined,
  endpoints: GoogleEndpoints,
  options: GoogleIdentityOptions,
  env: NodeJS.ProcessEnv,
): Promise<GoogleToken> {
  // As google-github-actions/auth names it: by the universe's own IAM.
  const resource = `iam.${endpoints.universe}/${provider.name}`
  const audience = options.audience || `https://${resource}`
  const idToken = await options.getIdToken(audience).catch((error: unknown) => {
    throw explainIdToken(error, env)
  })
  options.secret(idToken)
  const tokenUrl = endpoints.url('sts', 'v1/token')
  const exchange: Exchange = {
    provider,
    serviceAccount: account,
    audience,
    tokenUrl,
    impersonationUrl:
      account && endpoints.url('iamcredentials', `v1/projects/-/serviceAccounts/${account}:generateAccessToken`),
    idToken,
  }
  const { IdentityPoolClient } = await import('google-auth-library')
  const transporter = await maskingTransport(options.secret)
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
  client['stsCredential']['transporter'] = transporter // else its calls have no time limit, and nothing is masked before use
  return accessToken(client, account !== undefined).catch((error: unknown) => {
    throw explainExchange(error, exchange)
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
      return await accessToken(client, credentials.serviceAccount !== undefined)
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
    return await accessToken(client, false)
  } catch (error) {
    throw explainExchange(error, {
      credentials: credentials.from,
      serviceAccount: credentials.serviceAccount,
      tokenUrl: typeof json['token_url'] === 'string' ? json['token_url'] : undefined,
      impersonationUrl: credentials.impersonationUrl,
    })
  }
}

/** A client is made for each exchange: what is kept, and for how long, is for `shareToken` alone to say. */
async function accessToken(client: AuthClient, absoluteExpiry: boolean): Promise<GoogleToken> {
  const asked = Date.now()
  const { token, res } = await client.getAccessToken()
  if (!token) throw new Error('the answer has no token')
  const expires = client.credentials.expiry_date ?? asked + 300_000
  // An impersonated token's end is told by Google's clock; a runner's may be off by more than the token's life.
  const theirs = absoluteExpiry ? Date.parse(res?.headers.get('date') ?? '') : NaN
  return { value: token, expires: Number.isNaN(theirs) ? expires : expires + (asked - theirs) }
}

/** Masks each token of an answer before anybody reads it, also the one between STS and the impersonation. */
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

/** The library knows one address for these exchanges; a key names its own (another universe's, or a test's). */
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
