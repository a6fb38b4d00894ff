import { verifyJwt } from './jwt.ts'
import type { GoogleAnswer, GoogleRequest, World } from './world.ts'

const scope = 'https://www.googleapis.com/auth/cloud-platform'
/** gcloud requests the second one before it impersonates. */
const scopes = [scope, 'https://www.googleapis.com/auth/iam']

/** Google's Security Token Service: exchanges a GitHub token for a Google token, and answers gcloud's introspection of that token. */
export function answerSts(request: GoogleRequest, world: World): GoogleAnswer | undefined {
  if (request.method !== 'POST') return undefined
  if (request.path === '/v1/token') return exchange(fieldsOf(request), world)
  if (request.path === '/v1/introspect') return introspect(fieldsOf(request), world)
  return undefined
}

/** A form, or JSON with names in camel case (as google-github-actions/auth sends it). */
function fieldsOf(request: GoogleRequest): Record<string, string> {
  if (!request.headers['content-type']?.startsWith('application/json')) {
    return Object.fromEntries(new URLSearchParams(request.body))
  }
  const fields = JSON.parse(request.body) as Record<string, string>
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name.replace(/[A-Z]/g, (one) => `_${one.toLowerCase()}`), value]),
  )
}

function refuse(error: string, error_description: string): GoogleAnswer {
  return { operation: 'sts.token', status: 400, body: { error, error_description } }
}

function exchange(fields: Record<string, string>, world: World): GoogleAnswer {
  if (fields['grant_type'] !== 'urn:ietf:params:oauth:grant-type:token-exchange') {
    return refuse('unsupported_grant_type', 'Unsupported grant_type.')
  }
  if (fields['subject_token_type'] !== 'urn:ietf:params:oauth:token-type:jwt') {
    return refuse('invalid_request', 'Unsupported subject_token_type.')
  }
  if (!scopes.some((one) => (fields['scope'] ?? '').split(' ').includes(one)))
    return refuse('invalid_scope', 'Missing or invalid scope.')
  const audience = fields['audience'] ?? ''
  if (
    !/^\/\/iam\.[^/]+\/projects\/[^/]+\/locations\/global\/workloadIdentityPools\/[^/]+\/providers\/[^/]+$/.test(
      audience,
    )
  ) {
    return refuse(
      'invalid_request',
      'Invalid value for "audience". This value should be the full resource name of the Identity Provider.',
    )
  }
  if (!audience.endsWith(`/${world.provider}`)) {
    return refuse(
      'invalid_target',
      'The target service indicated by the "audience" parameters is invalid. This might either be because the pool or provider is disabled or deleted or because it doesn\'t exist.',
    )
  }
  const claims = verifyJwt(world.issuer.key, fields['subject_token'] ?? '')
  if (!claims)
    return refuse('invalid_grant', "Error connecting to the given credential's issuer, or the signature is wrong.")
  if (claims['iss'] !== world.issuer.url) {
    return refuse('invalid_grant', `The issuer in ID Token ${String(claims['iss'])} does not match the expected ones.`)
  }
  const accepted = [`https:${audience}`, audience]
  if (!accepted.includes(String(claims['aud']))) {
    return refuse(
      'invalid_grant',
      `The audience in ID Token [${String(claims['aud'])}] does not match the expected audience ${accepted[0] ?? ''}.`,
    )
  }
  if (Number(claims['exp']) * 1000 < Date.now()) {
    return refuse('invalid_grant', `ID Token issued at ${String(claims['iat'])} is stale to sign-in.`)
  }
  const subject = String(claims['sub'])
  if (Buffer.byteLength(subject) > 127) {
    return refuse('invalid_grant', 'The size of mapped attribute google.subject exceeds the 127 bytes limit.')
  }
  if (!world.condition(claims)) {
    return refuse('unauthorized_client', 'The given credential is rejected by the attribute condition.')
  }
  const pool = world.provider.replace(/\/providers\/.*/, '')
  const body = {
    access_token: world.tokens.issue(
      `principal://iam.googleapis.com/${pool}/subject/${subject}`,
      'ya29.d.',
      world.lifetimes.federated,
    ),
    issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    token_type: 'Bearer',
    expires_in: world.lifetimes.federated,
  }
  return { operation: 'sts.token', status: 200, body }
}

function introspect(fields: Record<string, string>, world: World): GoogleAnswer {
  const principal = world.tokens.find(fields['token'] ?? '')
  const body = principal
    ? {
        active: true,
        username: principal.name,
        scope,
        exp: Math.floor(principal.expires / 1000),
        iss: 'https://sts.googleapis.com/',
      }
    : { active: false }
  return { operation: 'sts.introspect', status: 200, body }
}
