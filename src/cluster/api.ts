import { request as plainRequest } from 'node:http'
import { request as tlsRequest } from 'node:https'
import type { IncomingMessage } from 'node:http'
import { ConfigurationError, messageOf } from '../errors.ts'
import type { Connection } from './connection.ts'

export interface ApiAnswer {
  readonly status: number
  readonly body: unknown
  /** the API server's clock, ms since the epoch (its `Date` header), where it tells it */
  readonly serverTime: number | undefined
}

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

const answerTimeout = 30_000
const largestAnswer = 64 * 1024 * 1024

/**
 * One call to the API server, credentials fetched for it. `timeout`: ms until the answer must be here.
 * @throws ApiError for an answer of 400 or more, ConfigurationError where the server cannot be reached or does not know us
 */
export async function call(
  connection: Connection,
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
  path: string,
  body?: { readonly type: string; readonly value: unknown },
  timeout: number = answerTimeout,
): Promise<ApiAnswer> {
  const { headers, tls, agent } = await connection.credentials()
  const url = new URL(connection.server + path)
  const payload = body === undefined ? undefined : JSON.stringify(body.value)
  const answer = await new Promise<{ response: IncomingMessage; text: string }>((resolve, reject) => {
    const send = url.protocol === 'http:' ? plainRequest : tlsRequest
    const request = send(url, {
      method,
      ...tls,
      agent: agent ?? false, // a connection for each call: none is left open at the end
      headers: {
        accept: 'application/json',
        'user-agent': userAgent,
        ...headers,
        ...(payload === undefined
          ? {}
          : { 'content-type': body?.type ?? 'application/json', 'content-length': String(Buffer.byteLength(payload)) }),
      },
    })
    const timer = setTimeout(() => request.destroy(new Error(`no answer within ${timeout / 1000} s`)), timeout)
    request.on('error', (error) => {
      clearTimeout(timer)
      reject(error)
    })
    request.on('response', (response) => {
      const chunks: Buffer[] = []
      let size = 0
      response.on('data', (chunk: Buffer) => {
        size += chunk.length
        if (size > largestAnswer) request.destroy(new Error('the answer is larger than 64 MiB'))
        chunks.push(chunk)
      })
      response.on('error', (error) => {
        clearTimeout(timer)
        reject(error)
      })
      response.on('end', () => {
        clearTimeout(timer)
        resolve({ response, text: Buffer.concat(chunks).toString('utf8') })
      })
    })
    request.end(payload)
  }).catch((error: unknown) => {
    throw unreachable(connection, error)
  })
  const status = answer.response.statusCode ?? 0
  if (status >= 400) throw apiError(status, answer.text, connection)
  const serverTime = Date.parse(answer.response.headers.date ?? '')
  return {
    status,
    body: parseJson(answer.text),
    serverTime: Number.isNaN(serverTime) ? undefined : serverTime,
  }
}

export const userAgent = 'kubernetes-packet-capture'

/** The error of an answer: a Status object's words where it is one, else the beginning of its text. */
export function apiError(status: number, text: string, connection: Connection): Error {
  const body = parseJson(text) as { kind?: unknown; message?: unknown; reason?: unknown } | undefined
  const message =
    body?.kind === 'Status' && typeof body.message === 'string' && body.message !== ''
      ? body.message
      : text.trim().slice(0, 500) || 'no text'
  if (status === 401) {
    const advice =
      connection.whenRefused?.() ??
      (connection.input === 'kubeconfig'
        ? 'The token has expired or belongs to another cluster: make the kubeconfig in the same job, shortly before this step.'
        : 'The token has expired or belongs to another cluster.')
    return new ConfigurationError(
      `${connection.input}: the API server ${connection.description} does not accept the credentials (401 ${message}). ${advice}`,
    )
  }
  if (status === 403 && body?.kind !== 'Status' && connection.hint !== undefined) {
    // Not the API server's RBAC: what guards the endpoint.
    return new ConfigurationError(
      `${connection.input}: the endpoint of ${connection.description} refuses us (403 ${message}): ${connection.hint}`,
    )
  }
  return new ApiError(status, typeof body?.reason === 'string' ? body.reason : '', message, connection.input)
}

/** Names the cause of a connection that could not be made, and what to look at. */
export function unreachable(connection: Connection, error: unknown): Error {
  if (error instanceof ConfigurationError) return error
  const code = (error as NodeJS.ErrnoException).code ?? ''
  const hints: Record<string, string> = {
    ECONNREFUSED: 'nothing listens there: is the address still the right one?',
    ENOTFOUND: 'its name is not known here: does the cluster have a public endpoint, or does the runner need a VPN?',
    ETIMEDOUT: 'no answer: does a firewall or an authorized network keep this runner out?',
    ECONNRESET: 'the connection was reset: is there a proxy in the way (HTTPS_PROXY, NO_PROXY)?',
  }
  const certificate = /certificate|self.signed|CERT_/i.test(`${code} ${messageOf(error)}`)
    ? `its certificate is not the one that ${trusted[connection.input]}`
    : undefined
  const cause = certificate ?? hints[code] ?? 'can this runner reach it?'
  const hint = connection.hint === undefined ? '' : `. ${connection.hint}`
  return new UnreachableError(
    `${connection.input}: the API server ${connection.description} cannot be reached (${messageOf(error)}): ${cause}${hint}`,
  )
}

const trusted: Record<Connection['input'], string> = {
  kubeconfig: 'the kubeconfig trusts (certificate-authority-data)',
  'api-server': 'the input `certificate-authority` (without it: this runner) trusts',
  cluster: 'Google Cloud names for the cluster; is something in between?',
}

/** No answer came at all; a later try may get one. */
export class UnreachableError extends ConfigurationError {}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}
