import { callerOf, refusal, type GoogleAnswer, type GoogleRequest, type World } from './world.ts'

/** The IAM Service Account Credentials API: a principal impersonates a service account for a limited time. */
export function answerIamCredentials(request: GoogleRequest, world: World): GoogleAnswer | undefined {
  const [, account] = /^\/v1\/projects\/-\/serviceAccounts\/([^/:]+):generateAccessToken$/.exec(request.path) ?? []
  if (account === undefined || request.method !== 'POST') return undefined
  const operation = 'iamcredentials.generateAccessToken'
  const caller = callerOf(request, world, operation)
  if ('operation' in caller) return caller
  const { scope, lifetime = '3600s' } = JSON.parse(request.body) as { scope?: unknown; lifetime?: string }
  if (!Array.isArray(scope) || scope.length === 0) {
    return refusal(operation, 400, 'INVALID_ARGUMENT', 'Request contains an invalid argument: scope.')
  }
  const seconds = world.lifetimes.impersonated ?? Number(/^(\d+)s$/.exec(lifetime)?.[1] ?? Number.NaN)
  if (!(seconds > 0 && seconds <= 3600)) {
    return refusal(operation, 400, 'INVALID_ARGUMENT', 'The access token lifetime cannot exceed 3600 seconds.')
  }
  if (
    world.denied.has('iam.serviceAccounts.getAccessToken') ||
    !world.serviceAccounts.includes(decodeURIComponent(account))
  ) {
    return refusal(
      operation,
      403,
      'PERMISSION_DENIED',
      "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).",
    )
  }
  const expires = new Date(Date.now() + world.clockOffset + seconds * 1000)
  const body = {
    accessToken: world.tokens.issue(decodeURIComponent(account), 'ya29.c.', seconds),
    // gcloud does not accept fractional seconds
    expireTime: expires.toISOString().replace(/\.\d+Z$/, 'Z'),
  }
  return { operation, status: 200, body }
}
