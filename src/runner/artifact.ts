import { dirname } from 'node:path'
import { ConfigurationError } from '../common/errors.ts'
import { freeBuffers } from '../common/gc.ts'
import { withProxyRules } from '../common/library-proxy.ts'
import { trustSystemAuthorities } from '../common/system-authorities.ts'
import { plain } from '../common/remote-text.ts'
import { explainUpload } from './upload-error.ts'
import { withLibraryOutput } from './workflow-commands.ts'

export interface UploadedArtifact {
  readonly id: number
  readonly name: string
  /** SHA-256 of the artifact, hex, without its prefix */
  readonly digest: string
  /** bytes */
  readonly sizeBytes: number
}

/** An upload that failed. */
export class UploadError extends ConfigurationError {
  override readonly name = 'UploadError'
  /** whether another try may succeed */
  readonly isTransient: boolean
  /** how long the server asks to wait before that */
  readonly retryAfterMs: number

  constructor(cause: unknown) {
    const { problem, isTransient, retryAfterMs } = explainUpload(cause)
    super(problem, { cause })
    this.isTransient = isTransient
    this.retryAfterMs = retryAfterMs
  }
}

/**
 * Uploads one file as it is (not zipped), so that it opens with a click. The artifact is named after the file.
 * @throws UploadError
 */
export async function uploadRaw(
  path: string,
  name: string,
  retentionDays: number | undefined,
): Promise<UploadedArtifact> {
  // The client holds 8 MiB for each block in flight, and five blocks by default: more memory than the rest of this process.
  process.env['ACTIONS_ARTIFACT_UPLOAD_CONCURRENCY'] ??= '2'
  trustSystemAuthorities()
  const collecting = setInterval(() => freeBuffers('major'), 100)
  try {
    const options = { skipArchive: true, ...(retentionDays === undefined ? {} : { retentionDays }) }
    // It prints the name of the artifact, and what the service answers.
    const { id, digest, size } = await withLibraryOutput(plain, () =>
      withProxyRules(async () => {
        // It reads the proxy already while it is loaded, and fails for SOCKS.
        const { DefaultArtifactClient } = await import('@actions/artifact')
        return new DefaultArtifactClient().uploadArtifact(name, [path], dirname(path), options)
      }),
    )
    if (id === undefined || digest === undefined) throw new Error('the service returned no artifact id')
    return { id, name, digest, sizeBytes: size ?? 0 }
  } catch (error) {
    throw new UploadError(error)
  } finally {
    clearInterval(collecting)
  }
}
