import { globalAgent as httpAgent } from 'node:http'
import { globalAgent as httpsAgent } from 'node:https'
import type { gaxios } from 'google-auth-library'
import { messageOf } from '../common/errors.ts'
import { environmentAgents } from '../common/proxy.ts'
import { trustSystemAuthorities } from '../common/system-authorities.ts'
import { toOneLine } from '../common/remote-text.ts'

/** The client for calls to Google: through the proxy of the environment, each with a time limit, a few retries where Google is overloaded. */
export async function openTransport(): Promise<gaxios.Gaxios> {
  trustSystemAuthorities()
  const [{ gaxios }, agentFor] = await Promise.all([import('google-auth-library'), environmentAgents()])
  return new gaxios.Gaxios({
    timeout: 20_000,
    retryConfig: { retry: 2, noResponseRetries: 1 },
    headers: { 'user-agent': 'kubernetes-packet-capture' },
    // The library's support of NO_PROXY has no domains and no ports.
    agent: (url) => agentFor(url.href) ?? (url.protocol === 'http:' ? httpAgent : httpsAgent),
  })
}

/** What is known of a call that failed. */
export interface CallFailure {
  /** undefined: no answer arrived */
  readonly status: number | undefined
  /** for programs: `invalid_target`, `PERMISSION_DENIED`, `ECONNREFUSED`, … */
  readonly reason: string | undefined
  /** the server's message, else the error's; one line */
  readonly message: string
  /** without its query, which may hold secrets */
  readonly url: string
}

/** Reads the three forms of Google's errors (OAuth, JSON API, plain text), also where a client wrapped one; undefined where no call failed. */
export function failureOf(error: unknown): CallFailure | undefined {
  const cause = error instanceof Error ? error.cause : undefined
  return unwrappedFailure(error) ?? (cause instanceof Error ? unwrappedFailure(cause) : undefined)
}

function unwrappedFailure(error: unknown): CallFailure | undefined {
  const { response, config, code } = error as {
    response?: { status?: number; data?: unknown }
    config?: { url?: string | URL }
    code?: unknown
  }
  if (config?.url === undefined) return undefined
  const url = withoutQuery(String(config.url))
  if (response?.status === undefined) {
    return { status: undefined, reason: nonEmpty(code), message: messageOf(error), url }
  }
  return { status: response.status, ...readAnswer(response.data), url }
}

function readAnswer(data: unknown): Pick<CallFailure, 'reason' | 'message'> {
  const fields = fieldsOf(data)
  const nested = fieldsOf(fields['error'])
  const reason = nonEmpty(nested['status']) ?? nonEmpty(fields['error'])
  const message =
    nonEmpty(nested['message']) ??
    nonEmpty(fields['error_description']) ??
    nonEmpty(fields['message']) ??
    (typeof data === 'string' ? data : (reason ?? ''))
  return { reason, message: toOneLine(message, 500) || 'no text' }
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

/** `403 PERMISSION_DENIED: …`, for the end of a message. */
export function describeFailure(failure: CallFailure): string {
  const head = [failure.status, failure.reason].filter(Boolean).join(' ')
  return failure.message === failure.reason || head === '' ? failure.message : `${head}: ${failure.message}`
}

/** The service that must be enabled in the project; undefined where the failure has another cause. */
export function disabledService(failure: CallFailure): string | undefined {
  if (!/has not been used|SERVICE_DISABLED|is disabled/i.test(`${failure.reason ?? ''} ${failure.message}`))
    return undefined
  const [, named] = /\b([a-z]+\.googleapis\.com)\/overview/.exec(failure.message) ?? []
  return named ?? new URL(failure.url).hostname
}

function nonEmpty(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

function withoutQuery(url: string): string {
  return url.replace(/[?#].*$/, '')
}
