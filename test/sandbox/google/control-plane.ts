import type { GoogleAnswer, GoogleRequest, World } from './world.ts'

/** The token review of a GKE control plane, as a webhook of an API server (`--authentication-token-webhook-config-file`). */
export function answerTokenReview(request: GoogleRequest, world: World): GoogleAnswer | undefined {
  if (request.path !== '/tokenreviews' || request.method !== 'POST') return undefined
  const { apiVersion, spec } = JSON.parse(request.body) as { apiVersion?: string; spec?: { token?: string } }
  const principal = world.tokens.find(spec?.token ?? '')
  const status = principal
    ? { authenticated: true, user: { username: principal.name, groups: ['system:authenticated'] } }
    : { authenticated: false, error: 'the token is unknown or has expired' }
  return {
    operation: 'control-plane.tokenReview',
    status: 200,
    body: { apiVersion: apiVersion ?? 'authentication.k8s.io/v1', kind: 'TokenReview', status },
  }
}
