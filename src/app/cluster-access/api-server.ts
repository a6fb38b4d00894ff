import type { Connection } from '../../cluster/connection.ts'
import { connectWithToken, type TokenAccess } from '../../cluster/token-connection.ts'
import { ConfigurationError, messageOf } from '../../common/errors.ts'
import { cacheJwt, parseJwtClaims } from '../../common/jwt.ts'
import { toOneLine } from '../../common/remote-text.ts'
import type { Access } from '../../inputs/access.ts'
import { githubIdToken } from '../../runner/id-token.ts'
import { maskSecret } from '../../runner/mask-secret.ts'

/** The input `api-server`, with `token` or `oidc-audience`. @throws ConfigurationError */
export function openApiServer(access: Access & { kind: 'direct' }, env: NodeJS.ProcessEnv): Connection {
  const { server, certificateAuthority, credential } = access
  return connectWithToken(
    {
      input: 'api-server',
      server,
      certificateAuthority:
        certificateAuthority === undefined
          ? undefined
          : {
              text: certificateAuthority,
              input: 'certificate-authority',
              subject: 'the value',
              fix: "Use the `certificate-authority-data` of a kubeconfig, or the cluster's ca.crt, without changes.",
            },
      trustedAuthority: 'the input `certificate-authority` (without it, the certificate authorities of this runner)',
      ...(credential.kind === 'token' ? givenToken(credential.token) : githubToken(credential.audience, env)),
    },
    maskSecret,
  )
}

type TokenParts = Pick<TokenAccess, 'as' | 'tokenOrigin' | 'token' | 'refused' | 'credentialsFix'>

function givenToken(token: string): TokenParts {
  return {
    as: 'the given token',
    tokenOrigin: { input: 'token', subject: 'the given token' },
    token: () => Promise.resolve(token),
  }
}

/** The job's ID token from GitHub, which the API server itself verifies. */
function githubToken(audience: string, env: NodeJS.ProcessEnv): TokenParts {
  let latest = ''
  const cached = cacheJwt(async () => (latest = await jobIdToken(audience, env)))
  return {
    as: `GitHub's ID token for ${audience}`,
    token: cached.get,
    refused: cached.invalidate,
    credentialsFix: () => {
      const { iss = '?', sub = '?' } = parseJwtClaims(latest)
      return (
        `The job's ID token has the issuer ${String(iss)}, the audience ${audience} and the subject ${JSON.stringify(sub)}. ` +
        'The AuthenticationConfiguration of the API server needs a `jwt` entry with this issuer and this audience, whose rules accept this ' +
        'subject. The subject of a job without `environment:` names its branch instead (docs/access.md).'
      )
    },
  }
}

async function jobIdToken(audience: string, env: NodeJS.ProcessEnv): Promise<string> {
  if (!env['ACTIONS_ID_TOKEN_REQUEST_URL']) throw noIdToken('this job may not request an ID token')
  return githubIdToken(audience, 'oidc-audience').catch((error: unknown) => {
    if (error instanceof ConfigurationError) throw error
    throw noIdToken(`GitHub issues no ID token to this job (${toOneLine(messageOf(error))})`)
  })
}

function noIdToken(problem: string): ConfigurationError {
  return new ConfigurationError({
    code: 'E_ID_TOKEN_UNAVAILABLE',
    input: 'oidc-audience',
    problem,
    fix: 'Add `permissions: id-token: write` to the job (in a reusable workflow, to the job that calls it, too). A pull request from a fork never gets an ID token.',
  })
}
