import { globalAgent as httpAgent } from 'node:http'
import { globalAgent as httpsAgent } from 'node:https'
import type { gaxios } from 'google-auth-library'
import { messageOf } from '../errors.ts'
import { environmentAgents } from '../proxy.ts'

/** How calls to Google are made: through the environment's proxy, each bounded, tried again a few times where Google is busy. */
export async function openTransport(): Promise<gaxios.Gaxios> {
  const [{ gaxios }, agentFor] = await Promise.all([import('google-auth-library'), environmentAgents()])
  return new gaxios.Gaxios({
    timeout: 20_000,
    retryConfig: { retry: 2, noResponseRetries: 1 },
    headers: { 'user-agent': 'kubernetes-packet-capture' },
    // The library's own reading of NO_PROXY knows no domains and no ports.
    agent: (url) => agentFor(url.href) ?? (url.protocol === 'http:' ? httpAgent : httpsAgent),
  })
}

/** What is known of a call that failed. */
export interface CallFailure {
  /** undefined: no answer came */
  readonly status: number | undefined
  /** a word for machines: `invalid_target`, `PERMISSION_DENIED`, `ECONNREFUSED`, … */
  readonly reason: string
  /** the server's own words, else the error's */
  readonly message: string
  readonly url: string
}

/** Reads the three shapes of Google's errors (OAuth, JSON API, plain text); undefined where the error is not of a call. */
export function failureOf(error: unknown): CallFailure | undefined {
  const { response, config, code } = error as {
    response?: { status?: number; data?: unknown }
    config?: { url?: string | URL }
    code?: unknown
  }
  if (config?.url === undefined) return undefined
  const url = withoutQuery(String(config.url))
  if (response?.status === undefined) {
    return { status: undefined, reason: typeof code === 'string' ? code : '', message: messageOf(error), url }
  }
  const data = response.data as Record<string, unknown> | string | undefined
  const fields = typeof data === 'object' ? data : undefined
  const nested = typeof fields?.['error'] === 'object' ? (fields['error'] as Record<string, unknown>) : undefined
  const reason = text(nested?.['status']) ?? text(fields?.['error']) ?? ''
  const message =
    text(nested?.['message']) ??
    text(fields?.['error_description']) ??
    text(fields?.['message']) ??
    (typeof data === 'string' ? data : reason)
  return { status: response.status, reason, message: oneLine(message) || 'no text', url }
}

/** `403 PERMISSION_DENIED: …`, for the end of a message. */
export function describeFailure(failure: CallFailure): string {
  const head = [failure.status, failure.reason].filter(Boolean).join(' ')
  return failure.message === failure.reason || head === '' ? failure.message : `${head}: ${failure.message}`
}

/** The sentence about a failure that no setting of the user's explains; undefined for an answer that refuses. */
export function outageOf(failure: CallFailure): string | undefined {
  const host = new URL(failure.url).host
  if (failure.status === undefined) {
    return `${host} cannot be reached (${describeFailure(failure)}). Does the runner have a way to it (HTTPS_PROXY, NO_PROXY, a firewall)?`
  }
  if (failure.status >= 500 || failure.status === 429) {
    return `${host} is busy or failing, also when asked again (${describeFailure(failure)}). Run the job again later.`
  }
  return undefined
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

function oneLine(message: string): string {
  return message.replace(/\s+/g, ' ').trim().slice(0, 500)
}

/** A query may carry what nobody should read. */
function withoutQuery(url: string): string {
  return url.replace(/[?#].*$/, '')
}
