import * as core from '@actions/core'
import type { Access } from './access-input.ts'
import type { Connection } from './cluster/connection.ts'
import { ConfigurationError, messageOf } from './errors.ts'
import type { GoogleTokenSource } from './google/identity.ts'
import { githubIdToken } from './runner/id-token.ts'

/** A cluster, entered. */
export interface Cluster {
  readonly connection: Connection
  /** undefined: not known, because the way in does not tell */
  readonly autopilot: boolean | undefined
  /** Google's side of it, where the inputs or google-github-actions/auth give an identity; asked for only where it is needed. @throws ConfigurationError */
  google(): Promise<GoogleTokenSource>
}

/** Opens the way into the cluster that the inputs name. Each way loads only what it needs. Every credential is masked before it is used. */
export async function openCluster(access: Access, env: NodeJS.ProcessEnv): Promise<Cluster> {
  switch (access.kind) {
    case 'kubeconfig': {
      const { connectKubeconfig } = await import('./cluster/kubeconfig.ts')
      const connection = await connectKubeconfig(access.source, access.context, env, mask)
      return { connection, autopilot: undefined, google: once(() => openGoogle(access, env)) }
    }
    case 'direct': {
      const connection = await openDirect(access, env)
      return { connection, autopilot: undefined, google: once(() => openGoogle(access, env)) }
    }
    case 'gke':
      return openGke(access, env)
  }
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => (made ??= make())
}

/** Google's side alone, by the inputs or by what google-github-actions/auth has left. @throws ConfigurationError */
export async function openGoogle(access: Access, env: NodeJS.ProcessEnv): Promise<GoogleTokenSource> {
  const { workloadIdentityProvider, serviceAccount } = access.kind === 'gke' ? access : {}
  const { googleTokenSource } = await import('./google/identity.ts')
  const getIdToken = (audience: string): Promise<string> => githubIdToken(audience, 'workload-identity-provider')
  return googleTokenSource({ workloadIdentityProvider, serviceAccount, getIdToken, secret: mask }, env)
}

async function openDirect(
  { server, certificateAuthority, credential }: Access & { kind: 'direct' },
  env: NodeJS.ProcessEnv,
): Promise<Connection> {
  const { cachedToken, claimsOf, connectDirectly } = await import('./cluster/direct.ts')
  const common = { input: 'api-server', server, certificateAuthority, namespace: undefined } as const
  if (credential.kind === 'token') {
    const token = (): Promise<string> => Promise.resolve(credential.token)
    return connectDirectly({ ...common, as: 'the given token', whose: 'token: the given one', token }, mask)
  }
  let last = ''
  const kept = cachedToken(async () => (last = await ownIdToken(credential.audience, env)))
  const whenRefused = (): string => {
    const { iss, sub } = claimsOf(last)
    return (
      `The job's id token has the issuer ${iss ?? '?'}, the audience ${credential.audience} and the subject ${JSON.stringify(sub ?? '?')}. ` +
      'The AuthenticationConfiguration of the API server must have a `jwt` entry with this issuer and this audience whose rules take this ' +
      'subject; the subject of a job without `environment:` names its branch instead (docs/access.md).'
    )
  }
  const as = `GitHub's id token for ${credential.audience}`
  return connectDirectly({ ...common, as, token: kept.get, refused: kept.refused, whenRefused }, mask)
}

async function openGke(access: Access & { kind: 'gke' }, env: NodeJS.ProcessEnv): Promise<Cluster> {
  const source = await openGoogle(access, env)
  const { findCluster } = await import('./google/cluster.ts')
  const { connectDirectly } = await import('./cluster/direct.ts')
  const gke = await findCluster(
    { cluster: access.cluster, location: access.location, project: access.projectId },
    access.endpoint,
    source,
    env,
  )
  const connection = connectDirectly(
    {
      input: 'cluster',
      server: gke.server,
      certificateAuthority: gke.certificateAuthority,
      as: `${source.description} (${gke.description})`,
      namespace: undefined,
      token: async () => (await source.token()).value,
      refused: (token) => source.refused(token),
      hint: gke.hint,
    },
    mask,
  )
  return { connection, autopilot: gke.autopilot, google: () => Promise.resolve(source) }
}

/** GitHub's id token for the API server itself. */
async function ownIdToken(audience: string, env: NodeJS.ProcessEnv): Promise<string> {
  const permission =
    'Add `permissions: id-token: write` to it (in a reusable workflow, to the job that calls it, too); a pull request from a fork never gets one.'
  if (!env['ACTIONS_ID_TOKEN_REQUEST_URL']) {
    throw new ConfigurationError(`oidc-audience: this job may not have an id token. ${permission}`)
  }
  return githubIdToken(audience, 'oidc-audience').catch((error: unknown) => {
    if (error instanceof ConfigurationError) throw error
    const words = messageOf(error).replace(/\s+/g, ' ')
    throw new ConfigurationError(`oidc-audience: GitHub gives this job no id token (${words}). ${permission}`)
  })
}

const masked = new Set<string>()

/** Masks a secret and its base64: kubeconfigs, Secrets and basic authentication have it in that form. */
function mask(secret: string): void {
  for (const form of [secret, Buffer.from(secret).toString('base64')]) {
    if (secret === '' || masked.has(form)) return
    masked.add(form)
    core.setSecret(form)
  }
}
