import { ConfigurationError, messageOf, type Problem } from '../common/errors.ts'
import type { ProxyName } from '../common/proxy.ts'
import { toOneLine } from '../common/remote-text.ts'
import type { Connection } from './connection.ts'

/** An answer of the API server that is not a success; `message` is the server's own. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly status: number
  /** `reason` of the Status object: NotFound, Forbidden, …; undefined where the answer is not a Status, or has none */
  readonly reason: string | undefined
  /** the input of the connection to this API server */
  readonly input: string
  constructor(status: number, reason: string | undefined, message: string, input = 'kubeconfig') {
    super(message)
    this.input = input
    this.status = status
    this.reason = reason
  }
}

/** There was no answer; a later attempt may get one. */
export class UnreachableError extends ConfigurationError {}

/** What an error needs to know of the request. */
export interface RequestFacts {
  readonly proxy: ProxyName | undefined
  readonly path: string
}

/** An answer of 300 or more, as far as it can be read. */
interface Failure extends RequestFacts {
  readonly status: number
  /** The body is a Status object. Another answer may not come from an API server. */
  readonly isStatus: boolean
  readonly message: string
  /** `(403 pods is forbidden)`: one line for a problem */
  readonly summary: string
}

/** The longest honest messages are lists of violations of an admission policy. */
const maxMessageChars = 8_000
const maxReasonChars = 200

/** The error of an answer: a ConfigurationError where the user's configuration explains it, else an ApiError with the server's message. */
export function apiError(status: number, text: string, connection: Connection, facts: RequestFacts): Error {
  if (status < 400) return notAnApiServer(status, text, connection)
  const body = parseObject(text) as { kind?: unknown; message?: unknown; reason?: unknown } | undefined
  const isStatus = body?.kind === 'Status'
  const given = isStatus && typeof body.message === 'string' ? body.message.slice(0, maxMessageChars) : undefined
  const message = given || shorten(text) || 'no text'
  const reason =
    typeof body?.reason === 'string' && body.reason !== '' ? body.reason.slice(0, maxReasonChars) : undefined
  const summary = `(${status} ${shorten(message)})`
  const problem = problemIn({ ...facts, status, isStatus, message, summary }, connection)
  return problem ? new ConfigurationError(problem) : new ApiError(status, reason, message, connection.input)
}

function problemIn(failure: Failure, connection: Connection): Problem | undefined {
  switch (failure.status) {
    case 401:
      return credentialsRejected(connection, failure.summary)
    case 403:
      return forbidden(failure, connection)
    case 404:
      // A path that an older API server does not have is answered by a plain 404, too; pods every version has.
      return !failure.isStatus && !failure.path.startsWith('/apis/') ? notFound(failure, connection) : undefined
    case 407:
      return proxyPasswordMissing(failure, connection)
    default:
      return undefined
  }
}

/** The API server does not accept the credentials, or does not see any. `summary`: the answer, in parentheses. */
export function credentialsRejected({ input, description, credentialsFix }: Connection, summary: string): Problem {
  return {
    code: 'E_CREDENTIALS_REJECTED',
    input,
    problem: `the API server ${description} rejects the credentials ${summary}`,
    fix:
      credentialsFix?.() ??
      'The token has expired or belongs to another cluster. Create the credentials in the same job, shortly before this step.',
  }
}

function forbidden(failure: Failure, connection: Connection): Problem | undefined {
  const { isStatus, message, summary } = failure
  const { input, description, hint } = connection
  if (isStatus && /User "system:anonymous"/.test(message)) return credentialsRejected(connection, summary)
  if (isStatus && /\bcannot impersonate/.test(message)) {
    return {
      code: 'E_IMPERSONATION_DENIED',
      input,
      problem: `the API server ${description} does not allow this user to impersonate another ${summary}`,
      fix: 'Remove `as`, `as-groups`, `as-uid` and `as-user-extra` from the kubeconfig, or ask an admin to grant the verb "impersonate".',
    }
  }
  // RBAC and admission have messages of their own; any other refusal comes from something in front of the API server.
  const isFromApiServer = hint === undefined || /\bforbidden\b|\badmission\b|denied (the )?request/.test(message)
  if (isStatus && isFromApiServer) return undefined
  const guards =
    failure.proxy === undefined
      ? 'a gateway, a firewall or a login page'
      : `the proxy ${failure.proxy.name}, a gateway or a firewall`
  return {
    code: 'E_API_ENDPOINT_REFUSED',
    input,
    problem: `the endpoint of ${description} refuses the request ${summary}, and this is not the answer of an API server`,
    fix: hint ?? `Check whether ${guards} in front of the API server blocks this runner.`,
  }
}

function notFound({ summary }: Failure, { input, description, hint }: Connection): Problem {
  return {
    code: 'E_NOT_AN_API_SERVER',
    input,
    problem: `the endpoint of ${description} is not an API server ${summary}`,
    fix: hint ?? 'Check that the address is complete, with its path, and that nothing follows it.',
  }
}

function proxyPasswordMissing({ proxy, summary }: Failure, { input, description }: Connection): Problem {
  return {
    code: 'E_PROXY_AUTH_REQUIRED',
    input,
    problem: `${proxy === undefined ? 'a proxy' : `the proxy ${proxy.name}`} in front of the API server ${description} requires a password ${summary}`,
    fix: 'Add it to the address of the proxy: http://USER:PASSWORD@HOST:PORT.',
  }
}

/** An API server answers every request with a JSON object; this is the error of any other answer. `location`: where it redirects. */
export function notAnApiServer(
  status: number,
  text: string,
  { input, description }: Connection,
  location?: string,
): ConfigurationError {
  const redirect = location === undefined ? undefined : URL.parse(location)
  const got = redirect ? `to ${redirect.origin}` : shorten(text).slice(0, 100) || 'no text'
  return new ConfigurationError(
    notAnApiServerProblem(input, `${description} answered ${status} without a JSON object (${got})`),
  )
}

/** `answered`: what answered what, a clause. */
export function notAnApiServerProblem(input: string, answered: string): Problem {
  return {
    code: 'E_NOT_AN_API_SERVER',
    input,
    problem: `${answered}, which is not how an API server answers`,
    fix: 'Check the address, with its path, and whether a login page or a proxy answers in place of the API server.',
  }
}

/** The error of a connection that could not be made. `proxy`: the one between; what cannot be reached is the proxy itself then. */
export function unreachable(connection: Connection, error: unknown, proxy?: ProxyName): Error {
  if (error instanceof ConfigurationError) return error
  const code = (error as NodeJS.ErrnoException).code ?? ''
  const { input } = connection
  const problem = `the API server ${connection.description} cannot be reached`
  const summary = `(${messageOf(error)})`
  if (/certificate|self.signed|CERT_/i.test(`${code} ${messageOf(error)}`)) {
    return new UnreachableError({
      code: 'E_API_CERTIFICATE_UNTRUSTED',
      input,
      problem: `${problem} ${summary}: its certificate does not match ${connection.trustedAuthority ?? 'the certificate authority that this run trusts'}`,
      fix: joinSentences(
        'Check the certificate authority and the address, and whether a proxy replaces the certificate.',
        connection.hint,
      ),
    })
  }
  if (proxy !== undefined) {
    return new UnreachableError({
      code: 'E_API_UNREACHABLE',
      input,
      problem: `${problem} through the proxy ${proxy.name} ${summary}`,
      fix: joinSentences(
        'Check the address of the proxy, and whether it may connect to the API server.',
        proxy.isFromEnvironment ? 'NO_PROXY names the hosts that are reached without a proxy.' : undefined,
      ),
    })
  }
  // What guards the endpoint has no part in a name that does not resolve.
  const hint = code === 'ENOTFOUND' || code === 'EAI_AGAIN' ? undefined : connection.hint
  const fix = joinSentences(fixes.get(code) ?? 'Check whether this runner can connect to it.', hint)
  return new UnreachableError({ code: 'E_API_UNREACHABLE', input, problem: `${problem} ${summary}`, fix })
}

const fixes = new Map([
  ['ECONNREFUSED', 'Nothing listens at this address: check that it is current.'],
  [
    'ENOTFOUND',
    'Its name does not resolve: check whether the cluster has a public endpoint, or the runner needs a VPN.',
  ],
  ['EAI_AGAIN', 'Its name cannot be resolved at the moment: check whether the runner has a name server.'],
  ['ETIMEDOUT', 'There is no answer: check whether a firewall or an allowlist of addresses blocks this runner.'],
  ['ECONNRESET', 'The connection was reset: check for a proxy on the way (HTTPS_PROXY, NO_PROXY).'],
  ['EPROTO', 'The server does not speak TLS: check the port.'],
])

function joinSentences(...sentences: readonly (string | undefined)[]): string {
  return sentences.filter((sentence) => sentence !== undefined).join(' ')
}

/** The JSON object in a text; undefined where it is not one. */
export function parseObject(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}

function shorten(text: string): string {
  return toOneLine(text, 500)
}
