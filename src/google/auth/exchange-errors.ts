import type { ErrorCode } from '../../common/error-codes.ts'
import { ConfigurationError, messageOf } from '../../common/errors.ts'
import { parseJwtClaims } from '../../common/jwt.ts'
import { toOneLine } from '../../common/remote-text.ts'
import type { Provider } from '../../common/workload-identity.ts'
import { outageOf } from '../call-problem.ts'
import { describeFailure, disabledService, failureOf, type CallFailure } from '../transport.ts'

/** What was exchanged, so that an error can name it. */
export interface Exchange {
  /** of the input; without it, `credentials` is the variable that names the credentials file */
  readonly provider?: Provider
  readonly credentials?: string
  readonly serviceAccount: string | undefined
  readonly audience?: string
  readonly tokenUrl: string | undefined
  readonly impersonationUrl: string | undefined
  readonly idToken?: string
}

/** GitHub issues no token to a job without the permission, and never to a pull request from a fork. */
export function idTokenProblem(error: unknown, env: NodeJS.ProcessEnv): ConfigurationError {
  if (error instanceof ConfigurationError) return error
  const reason = error === undefined ? '' : ` (${toOneLine(messageOf(error), 300)})`
  const isPullRequest = /^pull_request/.test(env['GITHUB_EVENT_NAME'] ?? '')
  const fork = isPullRequest
    ? 'This run is of a pull request: from a fork it never gets a token, whatever its permissions are.'
    : 'A run of a pull request from a fork never gets a token.'
  return new ConfigurationError({
    code: 'E_ID_TOKEN_UNAVAILABLE',
    input: 'workload-identity-provider',
    problem: `GitHub issues no ID token to this job${reason}`,
    fix: `In a reusable workflow, the calling job needs the permission, too. ${fork} ` + 'Add to the job:',
    command: 'permissions:\n  contents: read\n  id-token: write',
  })
}

/** The error of a failed exchange of GitHub's token for one of Google, with its usual causes. */
export function exchangeProblem(error: unknown, exchange: Exchange): ConfigurationError {
  if (error instanceof ConfigurationError) return error
  const input = exchange.credentials ?? 'workload-identity-provider'
  const failure = failureOf(error)
  if (!failure) {
    return new ConfigurationError({
      code: 'E_GOOGLE_CALL_FAILED',
      input,
      problem: 'no access token for Google Cloud',
      message: toOneLine(messageOf(error), 300),
      fix: 'Check the credentials.',
    })
  }
  const outage = outageOf(failure)
  if (outage) return new ConfigurationError({ ...outage, input })
  if (failure.url === exchange.impersonationUrl) return impersonationProblem(failure, exchange)
  if (failure.url === exchange.tokenUrl) return tokenExchangeProblem(failure, exchange, input)
  if (exchange.credentials !== undefined && exchange.tokenUrl !== undefined) {
    return new ConfigurationError({
      code: 'E_ID_TOKEN_UNAVAILABLE',
      input,
      problem: `GitHub issues no ID token for these credentials (${describeFailure(failure)})`,
      fix:
        'They belong to the job that ran google-github-actions/auth. ' +
        'Run it in this job, with `permissions: id-token: write`.',
    })
  }
  return new ConfigurationError({
    code: 'E_GOOGLE_CREDENTIALS_INVALID',
    input,
    problem: `Google does not accept the credentials (${describeFailure(failure)})`,
    fix: 'The key or the login was revoked, or belongs to another universe: create the credentials again.',
  })
}

/** A cause that Google's answer names. */
interface ExchangeCause {
  readonly pattern: RegExp
  readonly code: ErrorCode
  readonly cause: string
  readonly fix: string
}

function exchangeCauses({ provider, audience, idToken }: Exchange): readonly ExchangeCause[] {
  const name = provider?.name ?? 'the provider of the credentials'
  return [
    {
      pattern: /attribute condition/i,
      code: 'E_WORKLOAD_IDENTITY_CONDITION',
      cause: `the condition of ${name} does not accept this run: ${describeClaims(idToken)}`,
      fix: `Compare with \`${describeCommand(provider)} --format='value(attributeCondition,attributeMapping)'\`; names are case-sensitive.`,
    },
    {
      pattern: /invalid_target|Invalid value for "?audience|disabled or deleted/i,
      code: 'E_WORKLOAD_IDENTITY_PROVIDER',
      cause: `there is no enabled provider ${name}`,
      fix:
        'Check that it has the number of the project (not its id), that the name ends with the provider (not the pool), ' +
        `and that neither is disabled or deleted: \`${describeCommand(provider)}\`. A new provider takes up to 5 minutes.`,
    },
    {
      pattern: /audience in/i,
      code: 'E_WORKLOAD_IDENTITY_PROVIDER',
      cause: `${name} does not accept tokens for the audience ${audience ?? 'of the credentials'}`,
      fix: 'Add it to the allowed audiences of the provider, or leave that list empty.',
    },
    {
      pattern: /issuer/i,
      code: 'E_WORKLOAD_IDENTITY_PROVIDER',
      cause: `${name} is for another issuer`,
      fix: `Its issuer URI must be ${claim(idToken, 'iss') ?? 'https://token.actions.githubusercontent.com'}.`,
    },
    {
      pattern: /127 bytes/i,
      code: 'E_WORKLOAD_IDENTITY_EXCHANGE',
      cause: 'the subject of the token is too long',
      fix: 'Map google.subject to a shorter claim, such as assertion.repository.',
    },
    {
      pattern: /stale|expired|not yet valid|iat/i,
      code: 'E_WORKLOAD_IDENTITY_EXCHANGE',
      cause: 'the token is not valid at this time',
      fix: 'Check the clock of this runner and of the issuer of the token.',
    },
  ]
}

function tokenExchangeProblem(failure: CallFailure, exchange: Exchange, input: string): ConfigurationError {
  const answer = `${failure.reason ?? ''} ${failure.message}`
  const known = exchangeCauses(exchange).find(({ pattern }) => pattern.test(answer))
  const problem = `Google does not exchange GitHub's token (${describeFailure(failure)})`
  if (known) {
    const { code, cause, fix } = known
    return new ConfigurationError({ code, input, problem: `${problem}: ${cause}`, fix })
  }
  return new ConfigurationError({
    code: 'E_WORKLOAD_IDENTITY_EXCHANGE',
    input,
    problem: `${problem}; the claims of the token are ${describeClaims(exchange.idToken)}`,
    fix: `Check ${exchange.provider?.name ?? 'the provider of the credentials'}, its attribute mapping and its condition.`,
  })
}

function impersonationProblem(failure: CallFailure, exchange: Exchange): ConfigurationError {
  const account = exchange.serviceAccount ?? 'the service account'
  const input = exchange.credentials ?? 'service-account'
  const answer = describeFailure(failure)
  if (disabledService(failure)) {
    return new ConfigurationError({
      code: 'E_GOOGLE_API_DISABLED',
      input,
      problem: `the IAM Service Account Credentials API is disabled (${answer})`,
      fix: 'Enable it: `gcloud services enable iamcredentials.googleapis.com`.',
    })
  }
  if (failure.status === 404) {
    return new ConfigurationError({
      code: 'E_SERVICE_ACCOUNT_IMPERSONATION',
      input,
      problem: `there is no service account ${account} (${answer})`,
      fix: 'Check its address; it may be deleted or disabled.',
    })
  }
  if (failure.status !== 403) {
    return new ConfigurationError({
      code: 'E_GOOGLE_TOKEN_REJECTED',
      input,
      problem: `Google does not accept the token of ${exchange.provider?.name ?? 'the provider'} for the impersonation of ${account} (${answer})`,
      fix:
        'An IAM binding does not solve this. Check the universe (CLOUDSDK_CORE_UNIVERSE_DOMAIN) and the clock of this runner, ' +
        'and run the job again.',
    })
  }
  const member =
    principalOf(exchange.provider, exchange.idToken) ??
    'principal://iam.googleapis.com/projects/NUMBER/locations/global/workloadIdentityPools/POOL/subject/SUBJECT'
  return new ConfigurationError({
    code: 'E_SERVICE_ACCOUNT_IMPERSONATION',
    input,
    problem: `this run may not impersonate ${account} (${answer}). Its claims are ${describeClaims(exchange.idToken)}`,
    fix:
      'Grant it the role, by its subject or by an attribute (principalSet://…/attribute.repository/OWNER/REPO). ' +
      'A new binding takes some minutes (up to 7) to apply. Google gives the same answer where the account does not exist.',
    command: `gcloud iam service-accounts add-iam-policy-binding ${account} --role=roles/iam.workloadIdentityUser --member='${member}'`,
  })
}

/** The run as a member of an IAM binding; undefined where the provider or the subject is not known. */
export function principalOf(provider: Provider | undefined, idToken: string | undefined): string | undefined {
  if (!provider || idToken === undefined) return undefined
  const subject = claim(idToken, 'sub') ?? 'SUBJECT'
  return `principal://iam.googleapis.com/projects/${provider.project}/locations/global/workloadIdentityPools/${provider.pool}/subject/${subject}`
}

function describeCommand(provider: Provider | undefined): string {
  const { project, pool, id } = provider ?? { project: 'PROJECT', pool: 'POOL', id: 'PROVIDER' }
  return `gcloud iam workload-identity-pools providers describe ${id} --location=global --workload-identity-pool=${pool} --project=${project}`
}

/** The claims that the condition of a provider can use. They are not secret; the token itself is. */
function describeClaims(idToken: string | undefined): string {
  const names = ['sub', 'repository', 'repository_owner', 'ref', 'environment', 'event_name']
  const known = names.flatMap((name) => {
    const value = claim(idToken, name)
    return value === undefined ? [] : [`${name}=${value}`]
  })
  return known.length > 0 ? known.join(', ') : "those of GitHub's token"
}

/** On one line, whatever the name of a branch is: it appears in the log, and in quotes in a command. */
function claim(idToken: string | undefined, name: string): string | undefined {
  const value = parseJwtClaims(idToken ?? '')[name]
  return typeof value === 'string' ? toOneLine(value, 300).replaceAll("'", '?') : undefined
}
