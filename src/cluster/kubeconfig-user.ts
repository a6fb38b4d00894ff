import { readFileSync } from 'node:fs'
import { ConfigurationError, messageOf } from '../errors.ts'
import { pairProblem } from './certificates.ts'
import { nameOf, pathIn, readNamedFile, text } from './kubeconfig-entry.ts'
import type { Entry } from './kubeconfig-files.ts'

export function checkClientCertificate(user: Entry): void {
  const part = (field: string): Buffer | string | undefined => {
    const path = pathIn(user, field)
    if (path !== undefined) return readNamedFile(path, `the ${field} of its ${nameOf(user, 'user')}`)
    const data = text(user.fields[`${field}-data`])
    return data === undefined ? undefined : Buffer.from(data, 'base64')
  }
  const certificate = part('client-certificate')
  const key = part('client-key')
  if (certificate === undefined && key === undefined) return
  const problem =
    certificate === undefined
      ? 'a client key without its certificate'
      : key === undefined
        ? 'a client certificate without its key'
        : pairProblem(certificate, key)
  if (problem === undefined) return
  throw new ConfigurationError(
    `kubeconfig: its ${nameOf(user, 'user')} has ${problem}. Write both into it again, as \`kubectl config set-credentials --embed-certs\` does.`,
  )
}

const authProviders = ['oidc', 'gcp', 'azure', 'tokenFile']
const removedProviders =
  "kubectl knows no auth-provider but oidc any more (gcp and azure went with 1.26): use the cloud's exec plugin (gke-gcloud-auth-plugin, kubelogin), or a token."

export function checkAuthProvider(user: Entry): void {
  const provider = providerOf(user)
  if (provider === undefined || authProviders.includes(provider)) return
  throw new ConfigurationError(
    `kubeconfig: its ${nameOf(user, 'user')} has the auth-provider ${JSON.stringify(provider)}, which nothing here can ask. ${removedProviders}`,
  )
}

function providerOf({ fields }: Entry): string | undefined {
  return text((fields['auth-provider'] as { name?: unknown } | null | undefined)?.name)
}

export function unusable(user: Entry, error: unknown): ConfigurationError {
  const cause = messageOf(error).trim().split('\n')[0]?.slice(0, 300).replace(/\.$/, '') ?? ''
  const provider = providerOf(user)
  return new ConfigurationError(
    provider === undefined
      ? `kubeconfig: its credentials cannot be used: ${cause}. Write the kubeconfig anew in a step before.`
      : `kubeconfig: the auth-provider ${JSON.stringify(provider)} of its ${nameOf(user, 'user')} gave no token (${cause}). ` +
          (provider === 'oidc'
            ? 'Is its refresh token still good, and does the runner reach the issuer? An exec plugin (kubectl oidc-login) or a token does without it.'
            : removedProviders),
  )
}

/** What to look at where the API server does not take the user, or takes it for nobody. */
export function adviceFor(user: Entry): string {
  const has = (field: string): boolean => text(user.fields[field]) !== undefined
  const who = user.name === '' ? 'The context names no user' : `The ${nameOf(user, 'user')} of the kubeconfig`
  if (user.fields['exec'] != null) {
    return `${who} has an exec plugin: is it logged in to the account and the cluster that this kubeconfig is for?`
  }
  if (has('tokenFile') || has('token') || providerOf(user) !== undefined) {
    return 'The token has expired or belongs to another cluster: make the kubeconfig in the same job, shortly before this step.'
  }
  if (has('client-certificate') || has('client-certificate-data')) {
    return `${who} has a client certificate that this API server does not take: it has expired, or is of another cluster's authority.`
  }
  if (has('username')) {
    return `${who} has a name and a password, which API servers do not take since Kubernetes 1.19. Use a token, a client certificate or an exec plugin.`
  }
  return `${user.name === '' ? who : `${who} has no credentials`}: give it a token, a tokenFile, a client certificate or an exec plugin.`
}

/** Read anew each time: whoever rotates the token writes the file. */
export function readToken(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new ConfigurationError(
      `kubeconfig: its tokenFile cannot be read: ${messageOf(error)}. Write it in a step before, where this job may read it.`,
    )
  }
}
