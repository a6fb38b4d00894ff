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

/** What a method of the service does wrong; `unavailable-once` recovers by itself. */
export type TwirpFault = keyof typeof refusals | 'unavailable-once'

/** What the blob store does wrong. `reset` and `stall` hold for every block, `reset-once` for one. */
export type BlobFault = 'forbidden' | 'reset' | 'reset-once' | 'stall' | 'truncated-block-list'

/** Assign to a field to begin a fault, `undefined` ends it. */
export interface ResultsFaults {
  create?: TwirpFault | undefined
  finalize?: TwirpFault | undefined
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
  /** `sha256:<hex>`, as the REST API and the action's output give it. */
  digest: string
  /** The file that holds its bytes. */
  path: string
  mimeType: string
  expiresAt?: string
}

export interface ResultsService {
  url: string
  /** What a runner gives to a JavaScript action of one job; another `job` gets its own token of the same run. */
  env(job?: string): { ACTIONS_RESULTS_URL: string; ACTIONS_RUNTIME_TOKEN: string }
  calls: RecordedCall[]
  /** Finalized artifacts only, in the order in which they were begun. */
  readonly artifacts: StoredArtifact[]
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

  /** The status that an injected fault answers, after which a `-once` fault is over. */
  const injected = (method: string): TwirpAnswer | undefined => {
    const part = method === 'CreateArtifact' ? 'create' : method === 'FinalizeArtifact' ? 'finalize' : undefined
    const fault = part === undefined ? undefined : faults[part]
    if (part === undefined || fault === undefined) return undefined
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
      // Nothing is read and nothing is answered: the sender's socket fills up and stays so.
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
      // The store says yes and forgets the end: only the comparison at FinalizeArtifact can notice.
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

  const server = createServer((request, response) => {
    const target = new URL(request.url ?? '/', url)
    const [, method] =
      /^\/twirp\/github\.actions\.results\.api\.v1\.ArtifactService\/(\w+)$/.exec(target.pathname) ?? []
    const work =
      request.method === 'POST' && method !== undefined
        ? answerTwirp(request, method).then(({ status, body }) => {
            response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
          })
        : target.pathname.startsWith('/blobs/') && (request.method === 'PUT' || request.method === 'GET')
          ? answerBlob(request, response, target)
          : Promise.resolve(request.resume()).then(() => {
              response
                .writeHead(404, { 'content-type': 'application/json' })
                .end(JSON.stringify({ code: 'bad_route', msg: 'no such route' }))
            })
    // A sender that went away in the middle of a block is its own affair.
    work.catch(() => {
      response.destroy()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`

  return {
    url,
    env: (job = 'ca395085-040a-526b-2ce8-bdc85f692774') => ({
      ACTIONS_RESULTS_URL: `${url}/`,
      ACTIONS_RUNTIME_TOKEN: issueToken(key, { run, job }),
    }),
    calls,
    get artifacts() {
      return room.artifacts.flatMap((artifact) => {
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

async function sendBlob(blob: Blob, artifact: Artifact, response: ServerResponse): Promise<void> {
  const file = artifact.mimeType === 'application/zip' ? `${artifact.name}.zip` : artifact.name
  response.writeHead(200, {
    'content-type': blob.contentType,
    'content-length': blob.size,
    'content-disposition': `attachment; filename*=UTF-8''${encodeURIComponent(file)}`,
  })
  await pipeline(createReadStream(blob.path), response)
}

async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
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
