import { ConfigurationError, messageOf } from '../errors.ts'
import type { Provider } from './provider.ts'
import { describeFailure, failureOf, outageOf, type CallFailure } from './transport.ts'

/** What was exchanged, so that a refusal can be told in terms of it. */
export interface Exchange {
  /** given natively; else `credentials` says which variable names the file */
  readonly provider?: Provider
  readonly credentials?: string
  readonly serviceAccount: string | undefined
  readonly audience?: string
  readonly tokenUrl: string | undefined
  readonly impersonationUrl: string | undefined
  readonly idToken?: string
}

/** GitHub gives no token to a job that does not ask for the right, and never to a pull request from a fork. */
export function explainIdToken(error: unknown, env: NodeJS.ProcessEnv): ConfigurationError {
  if (error instanceof ConfigurationError) return error
  const asked = error === undefined ? '' : ` (${messageOf(error).replace(/\s+/g, ' ').slice(0, 300)})`
  const fork = /^pull_request/.test(env['GITHUB_EVENT_NAME'] ?? '')
    ? ' This run is of a pull request: from a fork it never gets a token, whatever the permissions say.'
    : ' A run of a pull request from a fork never gets one.'
  return new ConfigurationError(
    `workload-identity-provider: GitHub gives this job no OIDC token${asked}. ` +
      `Add to the job:\n  permissions:\n    contents: read\n    id-token: write\n` +
      `In a reusable workflow the calling job needs it too.${fork}`,
  )
}

/** What went wrong between GitHub's token and Google's, with its usual causes. */
export function explainExchange(error: unknown, exchange: Exchange): Error {
  if (error instanceof ConfigurationError) return error
  const failure = failureOf(error)
  if (!failure) {
    return new ConfigurationError(`${input(exchange)}: no token for Google Cloud: ${messageOf(error).slice(0, 300)}`)
  }
  const outage = outageOf(failure)
  if (outage !== undefined) return new ConfigurationError(`${input(exchange)}: ${outage}`)
  if (failure.url === exchange.impersonationUrl) return impersonationRefused(failure, exchange)
  if (failure.url === exchange.tokenUrl) return exchangeRefused(failure, exchange)
  if (exchange.credentials !== undefined && exchange.tokenUrl !== undefined) {
    return new ConfigurationError(
      `${exchange.credentials}: GitHub gives no OIDC token for these credentials (${describeFailure(failure)}). ` +
        'They belong to the job that ran google-github-actions/auth, with `permissions: id-token: write`: run it in this job.',
    )
  }
  return new ConfigurationError(
    `${input(exchange)}: Google does not take the credentials (${describeFailure(failure)}). The key or the login has been revoked, or belongs to another universe.`,
  )
}

function exchangeRefused(failure: CallFailure, exchange: Exchange): ConfigurationError {
  const { provider } = exchange
  const place = provider ? `${provider.name}` : 'the provider of the credentials'
  const causes: [RegExp, string][] = [
    [
      /attribute condition/i,
      `The condition of ${place} does not accept this run: ${claims(exchange.idToken)}. ` +
        `Compare with \`${describeProvider(provider)} --format='value(attributeCondition,attributeMapping)'\`; case counts in names.`,
    ],
    [
      /invalid_target|Invalid value for "?audience|disabled or deleted/i,
      `There is no enabled provider ${place}: is the project's number right (not its id), does the name end with the provider's and not the pool's, is either disabled or deleted? ` +
        `See \`${describeProvider(provider)}\`; a new one takes up to 5 minutes.`,
    ],
    [
      /audience in/i,
      `${place} does not take tokens for the audience ${exchange.audience ?? 'of the credentials'}. ` +
        'Add it to the allowed audiences of the provider, or leave that list empty.',
    ],
    [/issuer/i, `${place} is for another issuer than this GitHub; its issuer URI must be ${issuer(exchange.idToken)}.`],
    [
      /127 bytes/i,
      'The subject of the token is too long: map google.subject to a shorter claim, such as assertion.repository.',
    ],
    [/stale|expired|not yet valid|iat/i, 'The clock of this runner, or of who issued the token, is off.'],
  ]
  const words = `${failure.reason} ${failure.message}`
  const cause = causes.find(([pattern]) => pattern.test(words))?.[1]
  return new ConfigurationError(
    `${input(exchange)}: Google does not exchange GitHub's token (${describeFailure(failure)}).\n  ` +
      (cause ?? `Check ${place} and its attribute mapping and condition; the token says ${claims(exchange.idToken)}.`),
  )
}

function impersonationRefused(failure: CallFailure, exchange: Exchange): ConfigurationError {
  const account = exchange.serviceAccount ?? 'the service account'
  const words = `${failure.reason} ${failure.message}`
  if (/has not been used|SERVICE_DISABLED|is disabled/i.test(words)) {
    return new ConfigurationError(
      `${serviceAccountInput(exchange)}: the IAM Service Account Credentials API is off (${describeFailure(failure)}). ` +
        'Turn it on: `gcloud services enable iamcredentials.googleapis.com`.',
    )
  }
  if (failure.status === 404) {
    return new ConfigurationError(
      `${serviceAccountInput(exchange)}: there is no service account ${account} (${describeFailure(failure)}). Check its address; it may be deleted or disabled.`,
    )
  }
  if (failure.status !== 403) {
    return new ConfigurationError(
      `${serviceAccountInput(exchange)}: Google does not take the token of ${exchange.provider?.name ?? 'the provider'} to become ${account} (${describeFailure(failure)}). ` +
        'That is no matter of a binding: is the universe the right one (CLOUDSDK_CORE_UNIVERSE_DOMAIN), and is the clock of this runner right? Run the job again.',
    )
  }
  const member =
    principalOf(exchange.provider, exchange.idToken) ??
    'principal://iam.googleapis.com/projects/NUMBER/locations/global/workloadIdentityPools/POOL/subject/SUBJECT'
  return new ConfigurationError(
    `${serviceAccountInput(exchange)}: this run may not be ${account} (${describeFailure(failure)}).\n` +
      `  The run is ${claims(exchange.idToken)}. Grant it, as its subject or by an attribute (principalSet://…/attribute.repository/OWNER/REPO):\n` +
      `  gcloud iam service-accounts add-iam-policy-binding ${account} --role=roles/iam.workloadIdentityUser --member='${member}'\n` +
      '  A new binding takes some minutes (up to 7) to hold. The account may also not exist: Google says the same.',
  )
}

/** The run itself, as a member of an IAM binding; undefined where the provider or the subject is not known. */
export function principalOf(provider: Provider | undefined, idToken: string | undefined): string | undefined {
  if (!provider || idToken === undefined) return undefined
  return `principal://iam.googleapis.com/projects/${provider.project}/locations/global/workloadIdentityPools/${provider.pool}/subject/${claim(idToken, 'sub') ?? 'SUBJECT'}`
}

function input(exchange: Exchange): string {
  return exchange.credentials ?? 'workload-identity-provider'
}

function serviceAccountInput(exchange: Exchange): string {
  return exchange.credentials ?? 'service-account'
}

function describeProvider(provider: Provider | undefined): string {
  const [project, pool, id] = provider
    ? [provider.project, provider.pool, provider.id]
    : ['PROJECT', 'POOL', 'PROVIDER']
  return `gcloud iam workload-identity-pools providers describe ${id} --location=global --workload-identity-pool=${pool} --project=${project}`
}

/** What a provider's condition can look at; none of it is secret, the token itself is. */
function claims(idToken: string | undefined): string {
  const names = ['sub', 'repository', 'repository_owner', 'ref', 'environment', 'event_name']
  const known = names.flatMap((name) => {
    const value = claim(idToken, name)
    return value === undefined ? [] : [`${name}=${value}`]
  })
  return known.length > 0 ? known.join(', ') : "known by the claims of GitHub's token"
}

function issuer(idToken: string | undefined): string {
  return claim(idToken, 'iss') ?? 'https://token.actions.githubusercontent.com'
}

/** One line, whatever a branch is called: it ends in the log. */
function claim(idToken: string | undefined, name: string): string | undefined {
  try {
    const payload = JSON.parse(Buffer.from(idToken?.split('.')[1] ?? '', 'base64url').toString('utf8')) as Record<
      string,
      unknown
    >
    const value = payload[name]
    return typeof value === 'string' ? value.replace(/[\u0000-\u001f\u007f']/g, '?').slice(0, 300) : undefined
  } catch {
    return undefined
  }
}
