import { ConfigurationError, messageOf } from '../errors.ts'
import type { Connection } from './connection.ts'

/** An answer of the API server that is not a success, with its own words. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly status: number
  /** `reason` of the Status object: NotFound, Forbidden, … */
  readonly reason: string
  /** the input that leads to this API server */
  readonly input: Connection['input']
  constructor(status: number, reason: string, message: string, input: Connection['input'] = 'kubeconfig') {
    super(message)
    this.input = input
    this.status = status
    this.reason = reason
  }
}

/** The error of an answer: a Status object's words where it is one, else the beginning of its text. */
export function apiError(
  status: number,
  text: string,
  connection: Connection,
  { proxy, path }: { readonly proxy: string | undefined; readonly path: string },
): Error {
  if (status < 400) return notAnApiServer(status, text, connection)
  const { input, description, hint } = connection
  const body = objectIn(text) as { kind?: unknown; message?: unknown; reason?: unknown } | undefined
  const isStatus = body?.kind === 'Status'
  const message =
    isStatus && typeof body.message === 'string' && body.message !== '' ? body.message : beginOf(text) || 'no text'
  const said = `${status} ${beginOf(message)}`
  if (status === 401) {
    return new ConfigurationError(
      `${input}: the API server ${description} does not accept the credentials (${said}). ${refusedAdvice(connection)}`,
    )
  }
  if (status === 403 && isStatus && /User "system:anonymous"/.test(message)) {
    return new ConfigurationError(
      `${input}: the API server ${description} takes us for nobody (${said}). ${refusedAdvice(connection)}`,
    )
  }
  if (status === 403 && isStatus && /\bcannot impersonate/.test(message)) {
    return new ConfigurationError(
      `${input}: the API server ${description} does not let its user act as another (${said}). ` +
        'Take `as`, `as-groups`, `as-uid` and `as-user-extra` out of the kubeconfig, or have the verb "impersonate" granted.',
    )
  }
  if (status === 407) {
    return new ConfigurationError(
      `${input}: the proxy ${proxy ?? 'on the way'} to the API server ${description} asks for a password (${said}). Write it into its address: http://USER:PASSWORD@HOST:PORT.`,
    )
  }
  // RBAC and admission have words of their own; whatever else refuses us stands before the API server.
  const isItsOwn = hint === undefined || /\bforbidden\b|\badmission\b|denied (the )?request/.test(message)
  if (status === 403 && !(isStatus && isItsOwn)) {
    const guard =
      proxy === undefined ? 'a gateway, a firewall or a login page' : `the proxy ${proxy}, a gateway or a firewall`
    return new ConfigurationError(
      `${input}: the endpoint of ${description} refuses us (${said}): ` +
        (hint ??
          `that is not the API server's own answer but that of ${guard} before it. Is this address let through?`),
    )
  }
  // What an older API server does not have is a plain 404, too; pods it has always had.
  if (status === 404 && !isStatus && !path.startsWith('/apis/')) {
    return new ConfigurationError(
      `${input}: the endpoint of ${description} is not that of an API server (${said}): ` +
        (hint ?? 'is it the whole address, with its path and nothing after it?'),
    )
  }
  return new ApiError(status, typeof body?.reason === 'string' ? body.reason : '', message, input)
}

function refusedAdvice(connection: Connection): string {
  return (
    connection.whenRefused?.() ??
    (connection.input === 'kubeconfig'
      ? 'The token has expired or belongs to another cluster: make the kubeconfig in the same job, shortly before this step.'
      : 'The token has expired or belongs to another cluster.')
  )
}

/** Each answer of an API server is a JSON object. */
export function notAnApiServer(
  status: number,
  text: string,
  { input, description }: Connection,
  location?: string,
): Error {
  const onward = location === undefined ? undefined : URL.parse(location)
  const got = onward ? `to ${onward.origin}` : beginOf(text).slice(0, 100) || 'no text'
  return new ConfigurationError(
    `${input}: ${description} answered ${status} without a JSON object (${got}): that is not how an API server answers. ` +
      'Is it the address of one, with its whole path, or does something stand before it (a login page, a proxy)?',
  )
}

/** One line of it. */
function beginOf(text: string): string {
  return text.trim().replace(/\s+/g, ' ').slice(0, 500)
}

/**
 * Names the cause of a connection that could not be made, and what to look at.
 * @param proxy the one that is on the way, in words: what cannot be reached is that, for of the rest it tells itself
 */
export function unreachable(connection: Connection, error: unknown, proxy?: string): Error {
  if (error instanceof ConfigurationError) return error
  const code = (error as NodeJS.ErrnoException).code ?? ''
  const said = `(${messageOf(error)})`
  const server = `${connection.input}: the API server ${connection.description} cannot be reached`
  const certificate = /certificate|self.signed|CERT_/i.test(`${code} ${messageOf(error)}`)
  if (proxy !== undefined && !certificate) {
    return new UnreachableError(
      `${server} through the proxy ${proxy} ${said}: is the proxy's address right, and may it go there?` +
        (proxy.startsWith('proxy-url') ? '' : ' NO_PROXY names the hosts that are reached without it.'),
    )
  }
  const hints: Record<string, string> = {
    ECONNREFUSED: 'nothing listens there: is the address still the right one?',
    ENOTFOUND: 'its name is not known here: does the cluster have a public endpoint, or does the runner need a VPN?',
    EAI_AGAIN: 'its name cannot be looked up at the moment: does the runner have a name server?',
    ETIMEDOUT: 'no answer: does a firewall or an authorized network keep this runner out?',
    ECONNRESET: 'the connection was reset: is there a proxy in the way (HTTPS_PROXY, NO_PROXY)?',
    EPROTO: 'what answers there does not speak TLS: is it the right port?',
  }
  const cause = certificate
    ? `its certificate is not the one that ${trusted[connection.input]}.`
    : (hints[code] ?? 'can this runner reach it?')
  // Whoever guards the endpoint has no part in a name that nobody knows.
  const hint =
    connection.hint === undefined || code === 'ENOTFOUND' || code === 'EAI_AGAIN'
      ? ''
      : ` ${connection.hint.charAt(0).toUpperCase()}${connection.hint.slice(1)}`
  return new UnreachableError(`${server} ${said}: ${cause}${hint}`)
}

const trusted: Record<Connection['input'], string> = {
  kubeconfig: 'the kubeconfig trusts (certificate-authority-data)',
  'api-server': 'the input `certificate-authority` (without it: this runner) trusts',
  cluster: 'Google Cloud names for the cluster; is something in between?',
}

/** No answer came at all; a later try may get one. */
export class UnreachableError extends ConfigurationError {}

/** What a text has as JSON, where that is an object. */
export function objectIn(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}
