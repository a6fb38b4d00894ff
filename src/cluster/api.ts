import { Agent as HttpAgent, request as plainRequest, type IncomingHttpHeaders } from 'node:http'
import { Agent as HttpsAgent, request as tlsRequest } from 'node:https'
import { pause } from '../common/timeouts.ts'
import { apiError, notAnApiServer, parseObject, unreachable, type RequestFacts } from './api-errors.ts'
import { credentialsOf, verification, type Connection, type Credentials } from './connection.ts'

export { ApiError, UnreachableError } from './api-errors.ts'

export interface ApiAnswer {
  readonly status: number
  readonly body: unknown
  /** the API server's clock, ms since the epoch (its `Date` header); undefined where the answer has none */
  readonly serverTime: number | undefined
}

export interface CallOptions {
  readonly body?: RequestBody | undefined
  /** time until the answer must be here; 30 s without it */
  readonly timeoutMs?: number | undefined
  /** The request changes something, but twice the same as once: it may use a kept connection. Its errors are not repeated. */
  readonly isIdempotent?: boolean | undefined
}

export interface RequestBody {
  /** Content-Type */
  readonly type: string
  /** sent as JSON */
  readonly value: unknown
}

export const userAgent = 'kubernetes-packet-capture'
const answerTimeoutMs = 30_000
const maxAnswerBytes = 64 * 1024 * 1024

interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly body: RequestBody | undefined
  readonly timeoutMs: number
  readonly isIdempotent: boolean
}

interface HttpResponse {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

/**
 * One call to the API server, with credentials that are fetched for it. A request that changes nothing is repeated a few times within its
 * time where the server is busy; credentials that the server rejects are fetched again once.
 * @throws ApiError for an answer of 400 or more; ConfigurationError where the server cannot be reached, rejects the credentials, or is not
 * an API server
 */
export async function call(
  connection: Connection,
  method: ApiRequest['method'],
  path: string,
  { body, timeoutMs, isIdempotent = false }: CallOptions = {},
): Promise<ApiAnswer> {
  const request: ApiRequest = { method, path, body, timeoutMs: timeoutMs ?? answerTimeoutMs, isIdempotent }
  let credentials = await credentialsOf(connection, timeoutMs)
  const endMs = Date.now() + request.timeoutMs
  let delaysMs = isRepeatable(request) ? retryDelaysMs : []
  for (;;) {
    const response = await exchange(connection, request, credentials, Math.max(endMs - Date.now(), 1_000))
    const others =
      response.status === 401 ? await otherCredentials(credentials, connection, endMs - Date.now()) : undefined
    if (others) {
      credentials = others
      continue
    }
    const delayMs = retryDelayMs(response, delaysMs[0])
    if (delayMs !== undefined && Date.now() + delayMs < endMs) {
      delaysMs = delaysMs.slice(1)
      await pause(delayMs)
      continue
    }
    return answerIn(response, connection, { proxy: credentials.proxy, path })
  }
}

function answerIn({ status, headers, text }: HttpResponse, connection: Connection, facts: RequestFacts): ApiAnswer {
  if (status >= 400) throw apiError(status, text, connection, facts)
  const body = parseObject(text)
  if (!body || status >= 300) throw notAnApiServer(status, text, connection, headers.location)
  const serverTime = Date.parse(headers.date ?? '')
  return { status, body, serverTime: Number.isNaN(serverTime) ? undefined : serverTime }
}

/** Priority and fairness (429), a server that shuts down (503), a webhook or etcd that is away for a moment (500). */
const busyStatuses = [429, 500, 503]
/** before the second and the third attempt, where `Retry-After` does not say */
const retryDelaysMs: readonly number[] = [300, 1_000]
const maxRetryDelayMs = 5_000

/** undefined: the request is not repeated. `usualMs`: undefined after the last attempt. */
function retryDelayMs({ status, headers }: HttpResponse, usualMs: number | undefined): number | undefined {
  if (usualMs === undefined || !busyStatuses.includes(status)) return undefined
  const requestedMs = Number(headers['retry-after']) * 1000
  return requestedMs > 0 ? Math.min(requestedMs, maxRetryDelayMs) : usualMs
}

/** Reads, reviews and dry runs change nothing. */
function isRepeatable({ method, path }: ApiRequest): boolean {
  return method === 'GET' || /[?&]dryRun=All\b/.test(path) || (method === 'POST' && /reviews$/.test(path))
}

/** The credentials that the source makes after a 401; undefined where it has no others. */
async function otherCredentials(
  old: Credentials,
  connection: Connection,
  withinMs: number,
): Promise<Credentials | undefined> {
  if (!old.refused) return undefined
  old.refused()
  const others = await credentialsOf(connection, Math.max(withinMs, 1_000))
  const isSame = others.headers['Authorization'] === old.headers['Authorization'] && others.tls.cert === old.tls.cert
  return isSame ? undefined : { ...others, refused: undefined } // once
}

async function exchange(
  connection: Connection,
  request: ApiRequest,
  credentials: Credentials,
  withinMs: number,
): Promise<HttpResponse> {
  try {
    const url = new URL(connection.server + request.path)
    return await send(url, request, credentials, withinMs).catch((error: unknown) => {
      if (!(error instanceof StaleConnectionError)) throw error
      const agent = url.protocol === 'http:' ? new HttpAgent() : new HttpsAgent(verification) // keeps nothing
      return send(url, request, { ...credentials, agent }, withinMs)
    })
  } catch (error) {
    throw unreachable(connection, error instanceof StaleConnectionError ? error.cause : error, credentials.proxy)
  }
}

/** A connection that was kept failed: the server may have closed it just before. Only a request that may be sent twice uses one. */
class StaleConnectionError extends Error {
  constructor(cause: Error) {
    super(cause.message, { cause })
  }
}

function isClosed({ code }: NodeJS.ErrnoException): boolean {
  return code === 'ECONNRESET' || code === 'EPIPE'
}

/** A connection without a request is closed after this time: one that died unnoticed must not delay the next request. */
const idleMs = 4_000
const agents = {
  http: new HttpAgent({ keepAlive: true, timeout: idleMs }),
  // Node keeps no connection of a request with a checkServerIdentity of its own, so the agent has it.
  https: new HttpsAgent({ keepAlive: true, timeout: idleMs, ...verification }),
}

/** The checks before a capture are many requests in a row: they share their connections. Kept ones do not keep the process running. */
function agentFor(url: URL, request: ApiRequest): HttpAgent | false {
  if (!isRepeatable(request) && !request.isIdempotent) return false
  return url.protocol === 'http:' ? agents.http : agents.https
}

function send(
  url: URL,
  request: ApiRequest,
  { headers, tls, agent: ownAgent }: Credentials,
  withinMs: number,
): Promise<HttpResponse> {
  const { method, body, timeoutMs } = request
  const agent = ownAgent ?? agentFor(url, request)
  const payload = body === undefined ? undefined : JSON.stringify(body.value)
  return new Promise((resolve, reject) => {
    const open = url.protocol === 'http:' ? plainRequest : tlsRequest
    const sent = open(url, {
      method,
      ...(agent instanceof HttpsAgent ? {} : verification),
      ...tls,
      agent,
      headers: {
        accept: 'application/json',
        'user-agent': userAgent,
        ...headers,
        ...(payload === undefined
          ? {}
          : { 'content-type': body?.type ?? 'application/json', 'content-length': String(Buffer.byteLength(payload)) }),
      },
    })
    const timer = setTimeout(() => sent.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)), withinMs)
    const fail = (error: Error): void => {
      clearTimeout(timer)
      reject(sent.reusedSocket && isClosed(error) ? new StaleConnectionError(error) : error)
    }
    sent.on('error', fail)
    sent.on('response', (response) => {
      const chunks: Buffer[] = []
      let receivedBytes = 0
      response.on('data', (chunk: Buffer) => {
        receivedBytes += chunk.length
        if (receivedBytes > maxAnswerBytes) sent.destroy(new Error('the answer is larger than 64 MiB'))
        chunks.push(chunk)
      })
      response.on('error', fail)
      response.on('end', () => {
        clearTimeout(timer)
        const text = Buffer.concat(chunks).toString('utf8')
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text })
      })
    })
    sent.end(payload)
  })
}
