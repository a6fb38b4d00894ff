import * as core from '@actions/core'
import type { Access } from './access-input.ts'
import type { Connection } from './cluster/connection.ts'

/** Opens the way into the cluster that the inputs name. Each way loads only what it needs. Every credential is masked before it is used. */
export async function openCluster(access: Access, env: NodeJS.ProcessEnv): Promise<Connection> {
  switch (access.kind) {
    case 'kubeconfig': {
      const { connectKubeconfig } = await import('./cluster/kubeconfig.ts')
      return connectKubeconfig(access.source, access.context, env, mask)
    }
    case 'direct': {
      const { connectDirectly, cachedToken } = await import('./cluster/direct.ts')
      const { credential } = access
      return connectDirectly(
        {
          server: access.server,
          certificateAuthority: access.certificateAuthority,
          as: credential.kind === 'token' ? 'the given token' : `GitHub's id token for ${credential.audience}`,
          namespace: undefined,
          token:
            credential.kind === 'token'
              ? () => Promise.resolve(credential.token)
              : cachedToken(() => githubIdToken(credential.audience, env)),
        },
        mask,
      )
    }
    case 'gke':
      return openGke(access, env)
  }
}

async function openGke(access: Access & { kind: 'gke' }, env: NodeJS.ProcessEnv): Promise<Connection> {
  const { googleTokenSource } = await import('./google/identity.ts')
  const { findCluster } = await import('./google/cluster.ts')
  const { connectDirectly } = await import('./cluster/direct.ts')
  const source = await googleTokenSource(
    {
      workloadIdentityProvider: access.workloadIdentityProvider,
      serviceAccount: access.serviceAccount,
      getIdToken: (audience) => core.getIDToken(audience),
      secret: mask,
    },
    env,
  )
  const cluster = await findCluster(
    { cluster: access.cluster, location: access.location, project: access.projectId ?? source.projectId },
    access.endpoint,
    source,
    env,
  )
  return connectDirectly(
    {
      server: cluster.server,
      certificateAuthority: cluster.certificateAuthority,
      as: source.description,
      namespace: undefined,
      token: async () => (await source.token()).value,
    },
    mask,
  )
}

async function githubIdToken(audience: string, env: NodeJS.ProcessEnv): Promise<string> {
  const { ConfigurationError, messageOf } = await import('./errors.ts')
  if (!env['ACTIONS_ID_TOKEN_REQUEST_URL']) {
    throw new ConfigurationError(
      'oidc-audience: this job may not have an id token. Add `permissions: id-token: write` to it; a pull request from a fork never gets one.',
    )
  }
  try {
    return await core.getIDToken(audience)
  } catch (error) {
    throw new ConfigurationError(`oidc-audience: GitHub gave no id token: ${messageOf(error)}`)
  }
}

const masked = new Set<string>()

function mask(secret: string): void {
  if (secret === '' || masked.has(secret)) return
  masked.add(secret)
  core.setSecret(secret)
}
