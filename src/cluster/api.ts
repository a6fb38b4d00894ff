import { request as plainRequest } from 'node:http'
import { request as tlsRequest } from 'node:https'
import { setTimeout as delay } from 'node:timers/promises'
import type { IncomingMessage } from 'node:http'
import { apiError, notAnApiServer, objectIn, unreachable } from './api-errors.ts'
import { credentialsOf, type Connection, type Credentials } from './connection.ts'

export { ApiError, UnreachableError } from './api-errors.ts'

export interface ApiAnswer {
  readonly status: number
  readonly body: unknown
  /** the API server's clock, ms since the epoch (its `Date` header), where it tells it */
  readonly serverTime: number | undefined
}

export const userAgent = 'kubernetes-packet-capture'
const answerTimeout = 30_000
const largestAnswer = 64 * 1024 * 1024

interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly body?: { readonly type: string; readonly value: unknown } | undefined
}

/**
 * One call to the API server, credentials fetched for it. `timeout`: ms until the answer must be here. What changes nothing is asked again
 * where the server is busy, a few times within that time; credentials that it does not take are made anew once.
 * @throws ApiError for an answer of 400 or more, ConfigurationError where the server cannot be reached, does not know us or is none
 */
export async function call(
  connection: Connection,
  method: ApiRequest['method'],
  path: string,
  body?: { readonly type: string; readonly value: unknown },
  timeout?: number,
): Promise<ApiAnswer> {
  const request = { method, path, body }
  let credentials = await credentialsOf(connection, timeout)
  const end = Date.now() + (timeout ?? answerTimeout)
  let waits = isRepeatable(request) ? busyWaits : []
  for (;;) {
    const { response, text } = await exchange(
      connection,
      request,
      credentials,
      Math.max(end - Date.now(), 1_000),
      timeout,
    )
    const status = response.statusCode ?? 0
    if (status === 401) {
      const others = await othersThan(credentials, connection, end - Date.now())
      if (others) {
        credentials = others
        continue
      }
    }
    const [wait, ...later] = waits
    if (wait !== undefined && busy.includes(status)) {
      const asked = Number(response.headers['retry-after']) * 1000
      const pause = asked > 0 ? Math.min(asked, longestWait) : wait
      if (Date.now() + pause < end) {
        waits = later
        await delay(pause)
        continue
      }
    }
    if (status >= 400) throw apiError(status, text, connection, { proxy: credentials.proxy, path })
    const answer = objectIn(text)
    if (!answer || status >= 300) throw notAnApiServer(status, text, connection, response.headers.location)
    const serverTime = Date.parse(response.headers.date ?? '')
    return { status, body: answer, serverTime: Number.isNaN(serverTime) ? undefined : serverTime }
  }
}

/** Priority and fairness (429), a server that shuts down (503), a webhook or etcd that is away for a moment (500). */
const busy = [429, 500, 503]
/** ms before the second and the third try, where `Retry-After` does not say */
const busyWaits: readonly number[] = [300, 1_000]
const longestWait = 5_000

/** Reads, reviews and dry runs change nothing. */
function isRepeatable({ method, path }: ApiRequest): boolean {
  return method === 'GET' || /[?&]dryRun=All\b/.test(path) || (method === 'POST' && /reviews$/.test(path))
}

/** After a 401: what the source makes anew; undefined where it makes no others. */
async function othersThan(old: Credentials, connection: Connection, within: number): Promise<Credentials | undefined> {
  if (!old.refused) return undefined
  old.refused()
  const others = await credentialsOf(connection, Math.max(within, 1_000))
  const same = others.headers['Authorization'] === old.headers['Authorization'] && others.tls.cert === old.tls.cert
  return same ? undefined : { ...others, refused: undefined } // once
}

async function exchange(
  connection: Connection,
  { method, path, body }: ApiRequest,
  credentials: Credentials,
  rest: number,
  timeout = answerTimeout,
): Promise<{ response: IncomingMessage; text: string }> {
  const { headers, tls, agent } = credentials
  const url = new URL(connection.server + path)
  const payload = body === undefined ? undefined : JSON.stringify(body.value)
  return new Promise<{ response: IncomingMessage; text: string }>((resolve, reject) => {
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
    const timer = setTimeout(() => request.destroy(new Error(`no answer within ${timeout / 1000} s`)), rest)
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
    throw unreachable(connection, error, credentials.proxy)
  })
}
