import { STATUS_CODES } from 'node:http'
import { messageOf, type Problem } from '../common/errors.ts'
import { toOneLine } from '../common/remote-text.ts'

export interface UploadFailure {
  readonly problem: Problem
  /** whether another try may succeed */
  readonly isTransient: boolean
  /** how long the server asks to wait before that; 0 without a wish */
  readonly retryAfterMs: number
}

/** What @actions/artifact throws: an error of its own, or the RestError of the blob store's client (@azure/core-rest-pipeline). */
interface LibraryError extends Error {
  readonly code?: unknown
  readonly statusCode?: number
  readonly response?: {
    readonly bodyAsText?: string | null
    readonly headers?: { get(name: string): string | undefined }
  }
}

const maxRetryAfterMs = 60_000
const maxMessageCharacters = 1_000
const maxPageCharacters = 4_000

/** Explains why an upload failed. The results service's client reports the status in its message alone, the blob store's beside it. */
export function explainUpload(thrown: unknown): UploadFailure {
  const error: LibraryError = thrown instanceof Error ? thrown : new Error(messageOf(thrown))
  const message = wordsOf(error)
  const known = knownProblem(message)
  if (known !== undefined) return { problem: { ...known, message }, isTransient: false, retryAfterMs: 0 }
  const status = error.statusCode ?? statusIn(message)
  const isTransient = status === undefined ? isConnectionError(error) : isTransientStatus(status)
  const retryAfterMs = retryAfterOf(error)
  return {
    problem: {
      code: 'E_ARTIFACT_UPLOAD',
      input: 'artifact-name',
      message,
      ...causeOf(error, status, message),
    },
    isTransient,
    retryAfterMs,
  }
}

/** The status with its name, then the words of the server. For an answer without words the blob store's client has only its own name. */
function wordsOf(error: LibraryError): string {
  const { statusCode: status, response } = error
  const words = [error.message, response?.bodyAsText ?? '']
    .map(withoutTags)
    .find((text) => text !== '' && text !== error.name)
  if (status === undefined) return words ?? (typeof error.code === 'string' ? error.code : error.name)
  const title = `${status} ${STATUS_CODES[status] ?? ''}`.trim()
  return words === undefined ? title : `${title}: ${words}`
}

/** The text of a page in HTML, which a proxy sends. */
function withoutTags(text: string): string {
  return toOneLine(text.slice(0, maxPageCharacters).replace(/<[^<>]*>/g, ' '), maxMessageCharacters)
}

function knownProblem(message: string): Omit<Problem, 'message'> | undefined {
  if (/\b409\b|already exists/i.test(message)) {
    return {
      code: 'E_ARTIFACT_NAME_TAKEN',
      input: 'artifact-name',
      problem: 'an artifact of this name exists in this run already',
      fix: 'Set `artifact-name` to another name.',
    }
  }
  if (/quota|insufficient usage/i.test(message)) {
    return {
      code: 'E_ARTIFACT_QUOTA',
      input: 'retention-days',
      problem: 'the artifact storage of the account is full',
      fix: 'Free or raise the artifact storage of the account, or lower `retention-days`.',
    }
  }
  return undefined
}

/** `Failed request: (502) Bad Gateway`, of the results service's client. */
function statusIn(message: string): number | undefined {
  const [, status] = /\((\d{3})\)/.exec(message) ?? []
  return status === undefined ? undefined : Number(status)
}

function isTransientStatus(status: number): boolean {
  return [408, 425, 429].includes(status) || (status >= 500 && status !== 501 && status !== 505)
}

/** No answer, or one that is not the service's: a proxy's page in place of JSON. Not an error of the file, and not an untrusted certificate. */
function isConnectionError({ code, message }: LibraryError): boolean {
  if (typeof code === 'string') return connectionErrorCode.test(code)
  return /stalled|after \d+ attempts/i.test(message)
}

/** of Node.js (errno, undici, streams) and of the blob store's client */
const connectionErrorCode =
  /^(E(CONN\w+|TIMEDOUT|PIPE|HOSTUNREACH|NETUNREACH|NOTFOUND|AI_AGAIN)|UND_ERR_\w+|ERR_STREAM_PREMATURE_CLOSE|REQUEST_SEND_ERROR)$/

function retryAfterOf({ response }: LibraryError): number {
  const seconds = Number(response?.headers?.get('retry-after') ?? 0)
  return seconds > 0 ? Math.min(seconds * 1_000, maxRetryAfterMs) : 0
}

function causeOf(error: LibraryError, status: number | undefined, message: string): Pick<Problem, 'problem' | 'fix'> {
  if (error.statusCode !== undefined) {
    return status === 403
      ? {
          problem: 'the blob store rejected the data (403)',
          fix: 'Its signed address has expired, or a proxy blocks it. Run the job again; check the proxy of the runner.',
        }
      : { problem: 'the blob store did not accept the data', fix: 'Run the job again; check the proxy of the runner.' }
  }
  if (/not valid JSON|Unexpected token/i.test(message)) {
    return {
      problem: 'the results service did not answer with JSON',
      fix: 'A proxy may answer in its place: check the proxy of the runner. Run the job again.',
    }
  }
  if (status === 401 || status === 403) {
    return { problem: 'the results service rejects the token of the job', fix: 'Run the job again.' }
  }
  return { problem: 'the artifact cannot be uploaded', fix: 'Run the job again.' }
}
