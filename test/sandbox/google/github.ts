import { randomUUID } from 'node:crypto'
import { signJwt, type Claims } from './jwt.ts'
import type { GoogleAnswer, GoogleRequest, World } from './world.ts'

/** GitHub's OIDC issuer: the token endpoint for runners, and the documents for verifiers. */
export function answerIssuer(request: GoogleRequest, world: World): GoogleAnswer | undefined {
  const { url, key } = world.issuer
  if (request.path === '/.well-known/openid-configuration') {
    const body = {
      issuer: url,
      jwks_uri: `${url}/.well-known/jwks`,
      subject_types_supported: ['public', 'pairwise'],
      response_types_supported: ['id_token'],
      claims_supported: ['sub', 'aud', 'exp', 'iat', 'iss', 'jti', 'nbf', ...Object.keys(world.jobClaims)],
      id_token_signing_alg_values_supported: ['RS256'],
      scopes_supported: ['openid'],
    }
    return { operation: 'github.discovery', status: 200, body }
  }
  if (request.path === '/.well-known/jwks') return { operation: 'github.jwks', status: 200, body: key.jwks }
  if (request.path === '/token' && request.method === 'GET') return answerToken(request, world)
  return undefined
}

function answerToken(request: GoogleRequest, world: World): GoogleAnswer {
  const operation = 'github.idToken'
  if (request.headers.authorization?.toLowerCase() !== `bearer ${world.requestToken}`.toLowerCase()) {
    return { operation, status: 401, body: { message: 'Unauthorized' } }
  }
  const audience = request.query.get('audience')
  const value = signIdToken(world, audience === null ? {} : { aud: audience })
  return { operation, status: 200, body: { count: value.length, value } }
}

/** A token of the job; `claims` replace GitHub's values. */
export function signIdToken(world: World, claims: Claims = {}): string {
  const now = Math.floor(Date.now() / 1000)
  return signJwt(world.issuer.key, {
    ...world.jobClaims,
    iss: world.issuer.url,
    aud: 'https://github.com/octo-org',
    jti: randomUUID(),
    iat: now,
    nbf: now - 300,
    exp: now + world.lifetimes.idToken,
    ...claims,
  })
}

/** GitHub's claims for a job of the environment `production` on the main branch. */
export const exampleJob: Claims = {
  sub: 'repo:octo-org/shop:environment:production',
  repository: 'octo-org/shop',
  repository_owner: 'octo-org',
  repository_id: '74',
  repository_owner_id: '65',
  repository_visibility: 'private',
  actor: 'octocat',
  workflow: 'incident',
  event_name: 'workflow_dispatch',
  ref: 'refs/heads/main',
  ref_type: 'branch',
  sha: '4f9f6ad2c4f7a8d9e0b1c2d3e4f5061728394a5b',
  environment: 'production',
  run_id: '30433642',
  run_number: '10',
  run_attempt: '1',
  job_workflow_ref: 'octo-org/shop/.github/workflows/incident.yml@refs/heads/main',
  runner_environment: 'github-hosted',
}
