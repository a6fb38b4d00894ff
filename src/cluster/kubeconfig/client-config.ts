import type { RequestOptions } from 'node:https'
import { ConfigurationError } from '../../common/errors.ts'
import { pathIn, type Entry, type UserEntry } from './entry.ts'
import { unusableCredentials } from './user-entry.ts'

type ClientConfig = InstanceType<typeof import('@kubernetes/client-node/dist/config.js').KubeConfig>

/**
 * The request options of client-node's KubeConfig for one cluster and one user, made anew at each call. `authority`: PEM, read already.
 * @throws ConfigurationError
 */
export async function clientNodeOptions(
  cluster: Entry,
  server: string,
  authority: string | undefined,
  user: UserEntry,
): Promise<() => Promise<RequestOptions>> {
  const config = await clientConfig(cluster, server, authority, user)
  return async () => {
    const options: RequestOptions = {}
    await config.applyToHTTPSOptions(options)
    return options
  }
}

async function clientConfig(
  cluster: Entry,
  server: string,
  authority: string | undefined,
  user: UserEntry,
): Promise<ClientConfig> {
  const { KubeConfig } = await import('@kubernetes/client-node/dist/config.js')
  const config = new KubeConfig()
  try {
    // JSON is YAML.
    config.loadFromString(
      JSON.stringify({
        clusters: [{ name: 'cluster', cluster: clusterFields(cluster, server, authority) }],
        users: [{ name: 'user', user: userFields(user) }],
        contexts: [{ name: 'context', context: { cluster: 'cluster', user: 'user' } }],
        'current-context': 'context',
      }),
    )
  } catch (error) {
    throw error instanceof ConfigurationError ? error : unusableCredentials(user, error)
  }
  return config
}

function userFields(user: UserEntry): Record<string, unknown> {
  const fields: Record<string, unknown> = { ...user.fields }
  // This action handles them itself, so client-node must not run or read them a second time. kubectl does not know `token-file`.
  for (const field of ['exec', 'tokenFile', 'token-file', 'as']) delete fields[field]
  for (const field of ['client-certificate', 'client-key']) {
    const path = pathIn(user, field)
    if (path !== undefined) fields[field] = path
  }
  return fields
}

function clusterFields(cluster: Entry, server: string, authority: string | undefined): Record<string, unknown> {
  const fields: Record<string, unknown> = { ...cluster.fields, server }
  delete fields['certificate-authority']
  delete fields['certificate-authority-data']
  // The agent of `proxy-url` checks the certificate by it.
  if (authority !== undefined) fields['certificate-authority-data'] = Buffer.from(authority).toString('base64')
  // `kubectl proxy` serves plain http, which client-node accepts only together with this field.
  if (server.startsWith('http:')) fields['insecure-skip-tls-verify'] = true
  return fields
}
