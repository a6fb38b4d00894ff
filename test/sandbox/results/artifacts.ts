import type { Blob } from './blobs.ts'
import type { BackendIds } from './token.ts'

/** The answer of a Twirp method: JSON with a status. */
export interface TwirpAnswer {
  status: number
  body: Record<string, unknown>
}

export interface Artifact {
  id: number
  name: string
  /** The blob's key; it exists from CreateArtifact on. */
  blob: string
  run: string
  job: string
  mimeType: string
  createdAt: string
  expiresAt?: string
  /** Set by FinalizeArtifact; before that the artifact is not listed. */
  finalized?: { size: number; digest: string }
}

export interface ArtifactRoom {
  artifacts: Artifact[]
  blob(key: string): Blob | undefined
  uploadUrl(artifact: Artifact): string
  downloadUrl(artifact: Artifact): string
}

const failure = (status: number, code: string, msg: string): TwirpAnswer => ({ status, body: { code, msg } })

/** The answer that a fault injects, with the service's message. */
export const refusals = {
  unauthorized: failure(401, 'unauthenticated', 'missing or invalid authorization header'),
  forbidden: failure(403, 'permission_denied', 'the token may not write artifacts of this run'),
  conflict: failure(409, 'already_exists', 'an artifact with this name already exists on the workflow run'),
  quota: failure(403, 'resource_exhausted', 'insufficient usage to create artifact'),
  unavailable: failure(503, 'unavailable', 'the service is unavailable'),
} as const

/** The server's rule for names, applied by the client too: these characters are invalid on some file systems. */
const FORBIDDEN_IN_NAMES = /["<>|*?:\\/\r\n]/

/** One call of `github.actions.results.api.v1.ArtifactService`, which depends only on its body. */
export function callArtifactService(
  room: ArtifactRoom,
  method: string,
  body: Record<string, unknown>,
  caller: BackendIds,
): TwirpAnswer {
  // The JSON form of protobuf accepts both spellings of a field.
  const field = (snake: string): unknown =>
    body[snake] ?? body[snake.replace(/_(\w)/g, (_, c: string) => c.toUpperCase())]
  const text = (snake: string): string => String((field(snake) as string | number | undefined) ?? '')

  const run = text('workflow_run_backend_id')
  const job = text('workflow_job_run_backend_id')
  if (run !== caller.run || (method === 'CreateArtifact' && job !== caller.job)) return refusals.forbidden
  const name = text('name')
  const found = room.artifacts.find((artifact) => artifact.run === run && artifact.name === name)

  switch (method) {
    case 'CreateArtifact': {
      if (name === '' || FORBIDDEN_IN_NAMES.test(name)) {
        return failure(400, 'invalid_argument', `artifact name is not valid: ${JSON.stringify(name)}`)
      }
      if (field('version') !== 7) {
        return failure(400, 'invalid_argument', `version ${text('version')} is not supported, expected 7`)
      }
      // An artifact that was created but not finalized also reserves its name.
      if (found !== undefined) return refusals.conflict
      const expiresAt = text('expires_at')
      const id = 1000 + room.artifacts.length
      const artifact: Artifact = {
        id,
        name,
        blob: `artifact-${String(id)}`,
        run,
        job,
        mimeType: text('mime_type'),
        createdAt: new Date().toISOString(),
        ...(expiresAt === '' ? {} : { expiresAt }),
      }
      room.artifacts.push(artifact)
      return { status: 200, body: { ok: true, signed_upload_url: room.uploadUrl(artifact) } }
    }
    case 'FinalizeArtifact': {
      if (found === undefined) return failure(404, 'not_found', `artifact not found: ${name}`)
      const blob = room.blob(found.blob)
      if (blob === undefined) return failure(400, 'failed_precondition', 'the blob was not uploaded')
      if (text('size') !== String(blob.size)) {
        return failure(
          400,
          'invalid_argument',
          `size ${text('size')} does not match the stored ${String(blob.size)} bytes`,
        )
      }
      const hash = text('hash')
      if (hash !== '' && hash !== `sha256:${blob.sha256}`) {
        return failure(400, 'invalid_argument', `hash ${hash} does not match the stored sha256:${blob.sha256}`)
      }
      found.finalized = { size: blob.size, digest: `sha256:${blob.sha256}` }
      return { status: 200, body: { ok: true, artifact_id: String(found.id) } }
    }
    case 'ListArtifacts': {
      const nameFilter = text('name_filter')
      const idFilter = text('id_filter')
      const artifacts = room.artifacts
        .filter((artifact) => artifact.run === run && artifact.finalized !== undefined)
        .filter((artifact) => nameFilter === '' || artifact.name === nameFilter)
        .filter((artifact) => idFilter === '' || String(artifact.id) === idFilter)
        .map((artifact) => ({
          workflow_run_backend_id: artifact.run,
          workflow_job_run_backend_id: artifact.job,
          database_id: String(artifact.id),
          name: artifact.name,
          size: String(artifact.finalized?.size),
          created_at: artifact.createdAt,
          digest: artifact.finalized?.digest,
        }))
      return { status: 200, body: { artifacts } }
    }
    case 'GetSignedArtifactURL':
      if (found?.finalized === undefined) return failure(404, 'not_found', `artifact not found: ${name}`)
      return { status: 200, body: { signed_url: room.downloadUrl(found) } }
    case 'DeleteArtifact':
      if (found?.finalized === undefined) return failure(404, 'not_found', `artifact not found: ${name}`)
      room.artifacts.splice(room.artifacts.indexOf(found), 1)
      return { status: 200, body: { ok: true, artifact_id: String(found.id) } }
    default:
      return failure(404, 'bad_route', `no handler for method ${method}`)
  }
}
