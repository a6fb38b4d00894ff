import { ConfigurationError } from '../../common/errors.ts'
import { entryName, textOf, type Entry, type UserEntry } from './entry.ts'

/**
 * The rules of client-go for one cluster and one user (tools/clientcmd/validation.go, transport/transport.go) that no other check of this
 * folder covers. @throws ConfigurationError where kubectl refuses them, too
 */
export function checkRules(cluster: Entry, user: UserEntry, server: string): void {
  const isSecure = server.startsWith('https:')
  const problem = clusterProblem(cluster, isSecure)
  if (problem !== undefined) {
    throw new ConfigurationError({
      code: 'E_KUBECONFIG_INVALID',
      input: 'kubeconfig',
      problem: `the ${entryName(cluster, 'cluster')} ${problem}`,
      fix: 'Remove one of them, as kubectl requires it.',
    })
  }
  const { what, fix } = userProblem(user, isSecure) ?? {}
  if (what === undefined || fix === undefined) return
  throw new ConfigurationError({
    code: 'E_KUBECONFIG_USER_INVALID',
    input: 'kubeconfig',
    problem: user.name === undefined ? `its context ${what}` : `its ${entryName(user, 'user')} ${what}`,
    fix,
  })
}

function clusterProblem(cluster: Entry, isSecure: boolean): string | undefined {
  const hasBoth = both(cluster, 'certificate-authority')
  if (hasBoth !== undefined) return `has ${hasBoth}`
  const hasAuthority = has(cluster, 'certificate-authority') || has(cluster, 'certificate-authority-data')
  return isSecure && hasAuthority && cluster.fields['insecure-skip-tls-verify'] === true
    ? 'has a certificate authority and insecure-skip-tls-verify'
    : undefined
}

const removeOne = 'Remove one of them, as kubectl requires it.'

function userProblem(user: UserEntry, isSecure: boolean): { what: string; fix: string } | undefined {
  const excess = excessOf(user, isSecure)
  if (excess !== undefined) return { what: `has ${excess}`, fix: removeOne }
  // Without TLS kubectl sends no credentials.
  const needsNone = !isSecure || user.fields['auth-provider'] != null || user.fields['exec'] != null
  if (needsNone || isAuthenticated(user)) return undefined
  return {
    what: user.name === undefined ? 'names no user' : 'has no credentials',
    fix: 'Add a token, a tokenFile, a client certificate or an exec plugin. (kubectl asks for a user name here.)',
  }
}

/** Credentials that exclude each other. */
function excessOf(user: UserEntry, isSecure: boolean): string | undefined {
  const hasBasic = has(user, 'username') || has(user, 'password')
  if (has(user, 'token') && hasBasic) return 'a token and a user name or password'
  const repeated = hasCertificate(user) ? (both(user, 'client-certificate') ?? both(user, 'client-key')) : undefined
  if (repeated !== undefined) return repeated
  if (user.fields['exec'] != null && user.fields['auth-provider'] != null) return 'exec and auth-provider'
  return isSecure && has(user, 'username') && has(user, 'tokenFile') ? 'a tokenFile and a user name' : undefined
}

/** Whether the user has credentials of its own; with them kubectl does not run its exec plugin. */
export function isAuthenticated(user: UserEntry): boolean {
  return has(user, 'token') || has(user, 'tokenFile') || has(user, 'username') || hasCertificate(user)
}

function hasCertificate(user: UserEntry): boolean {
  return has(user, 'client-certificate') || has(user, 'client-certificate-data')
}

function both(entry: UserEntry, field: string): string | undefined {
  return has(entry, field) && has(entry, `${field}-data`) ? `${field} and ${field}-data` : undefined
}

function has({ fields }: UserEntry, field: string): boolean {
  return textOf(fields[field]) !== undefined
}
