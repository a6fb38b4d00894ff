import type { Access } from '../../inputs/access.ts'
import type { GoogleTokenSource } from '../../google/auth/identity.ts'
import { githubIdToken } from '../../runner/id-token.ts'
import { maskSecret } from '../../runner/mask-secret.ts'

/**
 * The Google Cloud identity of the inputs, else the credentials that google-github-actions/auth created.
 * @throws ConfigurationError
 */
export async function openGoogle(access: Access, env: NodeJS.ProcessEnv): Promise<GoogleTokenSource> {
  const { workloadIdentityProvider, serviceAccount } = access.kind === 'gke' ? access : {}
  const { googleTokenSource } = await import('../../google/auth/identity.ts')
  const getIdToken = (audience: string): Promise<string> => githubIdToken(audience, 'workload-identity-provider')
  return googleTokenSource({ workloadIdentityProvider, serviceAccount, getIdToken, maskSecret: maskSecret }, env)
}
