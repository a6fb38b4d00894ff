import { ConfigurationError, messageOf } from '../errors.ts'
import { ApiError, type ApiAnswer } from './api.ts'
import type { Connection } from './connection.ts'

/**
 * The answer as the object that every answer of an API server is. `asked`: what it was asked, as in "asked who we are".
 * @throws ConfigurationError where something else answers in its place: a login page, a redirect, another service's JSON
 */
export function objectOf(connection: Connection, { status, body }: ApiAnswer, asked: string): object {
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body
  throw notOurs(connection, asked, `${status} without a JSON object`)
}

/** The error of an answer that no API server gives. `got`: what came in its place. */
export function notOurs(connection: Connection, asked: string, got: string): ConfigurationError {
  return new ConfigurationError(
    `${connection.input}: asked ${asked}, ${connection.description} answered ${got}: that is not how an API server answers. ` +
      'Is it the address of one, with its whole path, or does something stand before it (a login page, a proxy)? Nothing was created.',
  )
}

/** What any error of a question to the API server says to the user: the input, what was asked, the answer, what to do. */
export function problemOf(connection: Connection, error: unknown, asked: string): string {
  if (error instanceof ConfigurationError) return error.message
  if (error instanceof ApiError) {
    const words = oneLine([error.reason, error.message].filter((part) => part !== '').join(': '))
    const said = `${connection.input}: asked ${asked}, the API server ${connection.description} answered ${error.status} (${words}).`
    return `${said} ${adviceFor(error, connection)} Nothing was created.`
  }
  return (
    `${connection.input}: the API server ${connection.description} could not be asked ${asked}: ${oneLine(messageOf(error))}. ` +
    'Look at what this input leads to (address, certificates, user, proxy); if that is right, this is a defect of the action: please report it. Nothing was created.'
  )
}

function adviceFor({ status, reason }: ApiError, { hint }: Connection): string {
  if (status === 429 || status >= 500) {
    return 'It is busy or ill, or a webhook of it is; no input of this run can mend that. Run it again, and if it stays, tell those who run the cluster.'
  }
  const guard = hint === undefined ? '' : ` Otherwise: ${hint}.`
  if (status === 404) return `Is it the address of the API server itself, with its whole path?${guard}`
  if (reason === '') {
    return `These are not the words of an API server: does something stand before it (a proxy, a firewall)?${guard}`
  }
  return `Ask those who run the cluster.${guard}`
}

/** Foreign words without line breaks: what has the look of a command of ours is none. */
export function oneLine(words: string): string {
  return words.replace(/\s*[\r\n\u0085\u2028\u2029]\s*/g, ' ').trim()
}
