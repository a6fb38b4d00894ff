import { randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { callArtifactService, refusals, type Artifact, type ArtifactRoom, type TwirpAnswer } from './artifacts.ts'
import { createBlobStore, parseBlockList, type Blob } from './blobs.ts'
import { equal, issueToken, readBearer, sign, type BackendIds } from './token.ts'
import { readText } from '../../support/read-text.ts'

/** A fault of the service; `unavailable-once` ends after one request. */
export type TwirpFault = keyof typeof refusals | 'unavailable-once'

/** An answer of a proxy, or of a service that is overloaded, to the next requests. */
export interface StatusFault {
  status: number
  times: number
  /** JSON of the service or a page in HTML; none without it */
  body?: string
  /** s */
  retryAfter?: number
}

/** A fault of the blob store. `reset` and `stall` apply to every block, `reset-once` to one. */
export type BlobFault = StatusFault | 'forbidden' | 'reset' | 'reset-once' | 'stall' | 'truncated-block-list'

/** Assign to a field to start a fault; `undefined` ends it. */
export interface ResultsFaults {
  create?: TwirpFault | StatusFault | undefined
  finalize?: TwirpFault | StatusFault | undefined
  blob?: BlobFault | undefined
}

export interface RecordedCall {
  /** `CreateArtifact`, … of the service; `PutBlock`, `PutBlockList`, `PutBlob`, `GetBlob` of the store. */
  operation: string
  status: number
  /** The JSON of a Twirp call, the ids of a block list. */
  body?: unknown
}

export interface StoredArtifact {
  id: number
  name: string
  size: number
  /** `sha256:<hex>`, as in the REST API and the action's output. */
  digest: string
  /** The file that holds its bytes. */
  path: string
  mimeType: string
  expiresAt?: string
}

export interface ResultsService {
  url: string
  /** The environment of a JavaScript action in one job; another `job` gets a different token for the same run. */
  env(job?: string): { ACTIONS_RESULTS_URL: string; ACTIONS_RUNTIME_TOKEN: string }
  calls: RecordedCall[]
  /** Finalized artifacts only, in the order of their creation. */
  readonly artifacts: StoredArtifact[]
  /** of these, the captures */
  readonly captures: StoredArtifact[]
  faults: ResultsFaults
  stop(): Promise<void>
}

/** GitHub's artifact service with its blob store, on loopback, the bytes in `directory`. */
export async function startResults(options: { directory: string }): Promise<ResultsService> {
  const key = randomBytes(32).toString('hex')
  const run = 'ce7f54c7-61c7-4aae-887f-30da475f5f1a'
  await mkdir(options.directory, { recursive: true })
  const blobs = createBlobStore(options.directory)
  const calls: RecordedCall[] = []
  const faults: ResultsFaults = {}
  let url = ''

  const blobUrl = (artifact: Artifact, may: 'w' | 'r'): string =>
    `${url}/blobs/${artifact.blob}?sp=${may}&sig=${sign(key, `${may}:${artifact.blob}`)}`
  const room: ArtifactRoom = {
    artifacts: [],
    blob: (name) => blobs.get(name),
    uploadUrl: (artifact) => blobUrl(artifact, 'w'),
    downloadUrl: (artifact) => blobUrl(artifact, 'r'),
  }

  /** The status of an injected fault; ends a `-once` fault. */
  const injected = (method: string): TwirpAnswer | undefined => {
    const part = partOf(method)
    const fault = part === undefined ? undefined : faults[part]
    if (part === undefined || fault === undefined || typeof fault === 'object') return undefined
    if (fault !== 'unavailable-once') return refusals[fault]
    faults[part] = undefined
    return refusals.unavailable
  }

  const answerTwirp = async (request: IncomingMessage, method: string): Promise<TwirpAnswer> => {
    const sent = await readText(request)
    const caller: BackendIds | undefined = readBearer(key, request.headers.authorization)
    const body = parseObject(sent)
    const answer =
      caller === undefined
        ? refusals.unauthorized
        : body === undefined
          ? { status: 400, body: { code: 'malformed', msg: 'the request body is not a JSON object' } }
          : (injected(method) ?? callArtifactService(room, method, body, caller))
    calls.push({ operation: method, status: answer.status, body })
    return answer
  }

  /** Answers with the status of a fault, if there is one for this part. */
  const answerWithFault = (part: keyof ResultsFaults, request: IncomingMessage, response: ServerResponse): boolean => {
    const fault = faults[part]
    if (typeof fault !== 'object' || fault.times === 0) return false
    fault.times -= 1
    request.resume()
    calls.push({ operation: part, status: fault.status })
    const wait = fault.retryAfter === undefined ? {} : { 'retry-after': String(fault.retryAfter) }
    response.writeHead(fault.status, { 'content-type': 'text/html', ...wait }).end(fault.body ?? '')
    return true
  }

  const answerBlob = async (request: IncomingMessage, response: ServerResponse, target: URL): Promise<void> => {
    const name = target.pathname.slice('/blobs/'.length)
    const artifact = room.artifacts.find((one) => one.blob === name)
    const may = request.method === 'PUT' ? 'w' : 'r'
    const comp = target.searchParams.get('comp')
    const operation =
      may === 'r' ? 'GetBlob' : comp === 'block' ? 'PutBlock' : comp === 'blocklist' ? 'PutBlockList' : 'PutBlob'
    const finish = (status: number, code?: string, message?: string, body?: unknown): void => {
      calls.push({ operation, status, ...(body === undefined ? {} : { body }) })
      if (code === undefined) response.writeHead(status).end()
      else
        response
          .writeHead(status, { 'content-type': 'application/xml', 'x-ms-error-code': code })
          .end(storageError(code, message ?? ''))
    }
    const signature = target.searchParams.get('sig') ?? ''
    if (artifact === undefined || !equal(signature, sign(key, `${may}:${name}`)) || faults.blob === 'forbidden') {
      request.resume()
      finish(
        403,
        'AuthenticationFailed',
        'Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly including the signature.',
      )
      return
    }
    if (may === 'r') {
      const blob = blobs.get(name)
      if (blob === undefined) {
        finish(404, 'BlobNotFound', 'The specified blob does not exist.')
        return
      }
      calls.push({ operation, status: 200 })
      await sendBlob(blob, artifact, response)
      return
    }
    if (faults.blob === 'stall') {
      // Does not read and does not answer: the sender's socket buffer fills up.
      calls.push({ operation, status: 0 })
      return
    }
    if (faults.blob === 'reset' || faults.blob === 'reset-once') {
      if (faults.blob === 'reset-once') faults.blob = undefined
      calls.push({ operation, status: 0 })
      request.socket.resetAndDestroy()
      return
    }
    const contentType = request.headers['x-ms-blob-content-type'] ?? request.headers['content-type']
    const type = typeof contentType === 'string' ? contentType : 'application/octet-stream'
    const path = join(
      options.directory,
      `${String(artifact.id)}-${artifact.name}${artifact.mimeType === 'application/zip' ? '.zip' : ''}`,
    )
    if (comp === 'block') {
      await blobs.stageBlock(name, target.searchParams.get('blockid') ?? '', request)
      finish(201)
    } else if (comp === 'blocklist') {
      const ids = parseBlockList(await readText(request))
      // The store reports success but drops the end: only the comparison in FinalizeArtifact can detect it.
      const kept = faults.blob === 'truncated-block-list' ? ids.slice(0, -1) : ids
      const done = await blobs.commit(name, kept, type, path)
      if (done.ok) finish(201, undefined, undefined, ids)
      else finish(done.error.status, done.error.code, done.error.message, ids)
    } else if (request.headers['x-ms-blob-type'] === 'BlockBlob') {
      await blobs.put(name, request, type, path)
      finish(201)
    } else {
      request.resume()
      finish(
        400,
        'MissingRequiredHeader',
        'An HTTP header that is mandatory for this request is not specified: x-ms-blob-type',
      )
    }
  }

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const target = new URL(request.url ?? '/', url)
    const [, method] =
      /^\/twirp\/github\.actions\.results\.api\.v1\.ArtifactService\/(\w+)$/.exec(target.pathname) ?? []
    if (request.method === 'POST' && method !== undefined) {
      const part = partOf(method)
      if (part !== undefined && answerWithFault(part, request, response)) return
      const { status, body } = await answerTwirp(request, method)
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    } else if (target.pathname.startsWith('/blobs/') && (request.method === 'PUT' || request.method === 'GET')) {
      if (!answerWithFault('blob', request, response)) await answerBlob(request, response, target)
    } else {
      request.resume()
      response.writeHead(404, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ code: 'bad_route', msg: 'no such route' }))
    }
  }
  const server = createServer((request, response) => {
    // Ignores a sender that disconnects in the middle of a block.
    answer(request, response).catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`

  const finalized = (): StoredArtifact[] =>
    room.artifacts.flatMap((artifact) => {
      const blob = blobs.get(artifact.blob)
      if (artifact.finalized === undefined || blob === undefined) return []
      const { id, name, mimeType, expiresAt } = artifact
      return [
        {
          id,
          name,
          ...artifact.finalized,
          path: blob.path,
          mimeType,
          ...(expiresAt === undefined ? {} : { expiresAt }),
        },
      ]
    })

  return {
    url,
    env: (job = 'ca395085-040a-526b-2ce8-bdc85f692774') => ({
      ACTIONS_RESULTS_URL: `${url}/`,
      ACTIONS_RUNTIME_TOKEN: issueToken(key, { run, job }),
    }),
    calls,
    get artifacts() {
      return finalized()
    },
    get captures() {
      return finalized().filter(({ name }) => name.endsWith('.pcap'))
    },
    faults,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve()
        })
        server.closeAllConnections()
      }),
  }
}

function partOf(method: string): 'create' | 'finalize' | undefined {
  if (method === 'CreateArtifact') return 'create'
  return method === 'FinalizeArtifact' ? 'finalize' : undefined
}

async function sendBlob(blob: Blob, artifact: Artifact, response: ServerResponse): Promise<void> {
  const file = artifact.mimeType === 'application/zip' ? `${artifact.name}.zip` : artifact.name
  response.writeHead(200, {
    'content-type': blob.contentType,
    'content-length': blob.size,
    'content-disposition': `attachment; filename*=UTF-8''${encodeURIComponent(file)}`,
  })
  await pipeline(createReadStream(blob.path), response)
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}

const storageError = (code: string, message: string): string =>
  `<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`
