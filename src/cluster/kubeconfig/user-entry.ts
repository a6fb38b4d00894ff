import { ConfigurationError, messageOf } from '../../common/errors.ts'
import { readRegularFile } from '../../common/read-file.ts'
import { hostForMessage } from '../../common/url-text.ts'
import { pairProblem } from '../certificates.ts'
import { entryName, pathIn, readNamedFile, textOf, type UserEntry } from './entry.ts'

/** @throws ConfigurationError where the client certificate and its key cannot be used together */
export function checkClientCertificate(user: UserEntry): void {
  const read = (field: string): Buffer | string | undefined => {
    const path = pathIn(user, field)
    if (path !== undefined)
      return readNamedFile(path, `the ${field} of its ${entryName(user, 'user')}`, user.fields[field])
    const data = textOf(user.fields[`${field}-data`])
    return data === undefined ? undefined : Buffer.from(data, 'base64')
  }
  const problem = certificateProblem(read('client-certificate'), read('client-key'))
  if (problem === undefined) return
  throw new ConfigurationError({
    code: 'E_KUBECONFIG_USER_INVALID',
    input: 'kubeconfig',
    problem: `its ${entryName(user, 'user')} has ${problem}`,
    fix: 'Write both into the kubeconfig again, as `kubectl config set-credentials --embed-certs` does.',
  })
}

function certificateProblem(
  certificate: Buffer | string | undefined,
  key: Buffer | string | undefined,
): string | undefined {
  if (certificate === undefined) return undefined // kubectl ignores a key without a certificate
  if (key === undefined) return 'a client certificate without its key'
  return pairProblem(certificate, key)
}

const authProviders = ['oidc', 'gcp', 'azure', 'tokenFile']
const removedProvidersFix =
  'kubectl supports only the auth-provider oidc (gcp and azure were removed in 1.26): use the exec plugin of the cloud provider, or a token.'

/** @throws ConfigurationError where client-node does not know the auth-provider */
export function checkAuthProvider(user: UserEntry): void {
  const provider = authProviderOf(user)
  if (provider === undefined) return
  const refuse = (problem: string): ConfigurationError =>
    new ConfigurationError({
      code: 'E_KUBECONFIG_USER_INVALID',
      input: 'kubeconfig',
      problem: `its ${entryName(user, 'user')} has ${problem}`,
      fix: removedProvidersFix,
    })
  if (!authProviders.includes(provider)) {
    const shown = /^[a-z]{1,20}$/.test(provider) ? `the auth-provider ${JSON.stringify(provider)}` : 'an auth-provider'
    throw refuse(`${shown}, which is not supported`)
  }
  const config = (user.fields['auth-provider'] as { config?: Readonly<Record<string, unknown>> | null }).config ?? {}
  // client-node runs it in a shell, without a time limit and with the tokens of the job in its environment.
  if (config['cmd-path'] != null)
    throw refuse('an auth-provider that runs a program (cmd-path), which is not supported')
  const tokenFile = textOf(config['tokenFile'])
  if (tokenFile !== undefined)
    readNamedFile(tokenFile, `the tokenFile of the auth-provider of its ${entryName(user, 'user')}`)
}

function authProviderOf({ fields }: UserEntry): string | undefined {
  return textOf((fields['auth-provider'] as { name?: unknown } | null | undefined)?.name)
}

/** The error of client-node, which reads certificates and asks auth-providers. */
export function unusableCredentials(user: UserEntry, error: unknown): ConfigurationError {
  const cause = causeWithoutValues(error)
  const provider = authProviderOf(user)
  if (provider === undefined) {
    return new ConfigurationError({
      code: 'E_KUBECONFIG_USER_INVALID',
      input: 'kubeconfig',
      problem: `its credentials cannot be used (${cause})`,
      fix: 'Create the kubeconfig again in an earlier step.',
    })
  }
  return new ConfigurationError({
    code: 'E_AUTH_PROVIDER_FAILED',
    input: 'kubeconfig',
    problem: `the auth-provider ${JSON.stringify(provider)} of its ${entryName(user, 'user')} returned no token (${cause})`,
    fix:
      provider === 'oidc'
        ? 'Check that its refresh token is valid and that the runner reaches the issuer. An exec plugin (kubectl oidc-login) or a token needs neither.'
        : removedProvidersFix,
  })
}

/** The cause of an error of a library, whose message may quote a value of the kubeconfig, or an answer. */
function causeWithoutValues(error: unknown): string {
  if (error instanceof SyntaxError) return 'a value or an answer is not JSON'
  const [line = ''] = messageOf(error).trim().split('\n')
  return line
    .replace(/(["'`]).*\1/g, '…')
    .replace(/[a-z][a-z0-9+.-]*:\/\/\S+/gi, (url) => hostForMessage(url))
    .slice(0, 300)
}

/** Whether the user has anything that is sent with a request or obtained for it; a client certificate is part of TLS. */
export function hasCredentials({ fields }: UserEntry): boolean {
  return ['token', 'tokenFile', 'username', 'password', 'exec', 'auth-provider'].some(
    (field) => fields[field] != null && fields[field] !== '',
  )
}

/** What to do where the API server rejects the credentials of this user, in whole sentences. */
export function rejectedCredentialsFix(user: UserEntry): string {
  const has = (field: string): boolean => textOf(user.fields[field]) !== undefined
  const subject =
    user.name === undefined ? 'The context names no user' : `The ${entryName(user, 'user')} of the kubeconfig`
  if (user.fields['exec'] != null) {
    return `${subject} has an exec plugin: check that it is logged in to the account and the cluster of this kubeconfig.`
  }
  if (has('tokenFile') || has('token') || authProviderOf(user) !== undefined) {
    return 'The token has expired or belongs to another cluster. Create the kubeconfig in the same job, shortly before this step.'
  }
  if (has('client-certificate') || has('client-certificate-data')) {
    return `${subject} has a client certificate that this API server does not accept: it has expired, or another authority signed it.`
  }
  if (has('username')) {
    return `${subject} has a user name and a password, which API servers do not accept since Kubernetes 1.19. Use a token, a client certificate or an exec plugin.`
  }
  const lacking = user.name === undefined ? subject : `${subject} has no credentials`
  return `${lacking}: add a token, a tokenFile, a client certificate or an exec plugin.`
}

/**
 * The content of tokenFile; read for each request, because the file is replaced when the token is rotated. `token`: of the same user, which
 * kubectl sends where the file is missing or empty. @throws ConfigurationError where there is neither
 */
export function readTokenFile(path: string, token: string | undefined): string {
  try {
    const text = readRegularFile(path).toString('utf8')
    return text.trim() === '' && token !== undefined ? token : text
  } catch (error) {
    if (token !== undefined) return token
    throw new ConfigurationError({
      code: 'E_KUBECONFIG_FILE_UNREADABLE',
      input: 'kubeconfig',
      problem: 'its tokenFile cannot be read',
      message: messageOf(error),
      fix: 'Create it in an earlier step, where this job may read it.',
    })
  }
}
