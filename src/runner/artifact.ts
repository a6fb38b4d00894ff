import { dirname } from 'node:path'
import { messageOf } from '../errors.ts'
import { freeBuffers } from '../garbage.ts'

export interface UploadedArtifact {
  readonly id: number
  readonly name: string
  /** SHA-256 of the artifact, hex, without its prefix */
  readonly digest: string
  readonly size: number
}

/** An upload that did not succeed: the service's cause and what to do. */
export class UploadError extends Error {
  override readonly name = 'UploadError'
  readonly nameIsTaken: boolean
  constructor(message: string, nameIsTaken: boolean) {
    super(message)
    this.nameIsTaken = nameIsTaken
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
  const { DefaultArtifactClient } = await import('@actions/artifact')
  // The client keeps 8 MiB for each block under way; five of them are the most of this process' memory.
  process.env['ACTIONS_ARTIFACT_UPLOAD_CONCURRENCY'] ??= '2'
  const collecting = setInterval(() => freeBuffers('major'), 100)
  try {
    const { id, digest, size } = await new DefaultArtifactClient().uploadArtifact(name, [path], dirname(path), {
      skipArchive: true,
      ...(retentionDays === undefined ? {} : { retentionDays }),
    })
    if (id === undefined || digest === undefined) throw new Error('the service gave no artifact id')
    return { id, name, digest, size: size ?? 0 }
  } catch (error) {
    throw new UploadError(explain(error), conflict.test(messageOf(error)))
  } finally {
    clearInterval(collecting)
  }
}

const conflict = /\b409\b|already exists/i

function explain(error: unknown): string {
  const status = (error as { statusCode?: number }).statusCode
  const text = messageOf(error) || 'no words'
  if (conflict.test(text)) {
    return `an artifact of this name exists in this run already (${text}): set \`artifact-name\` to another`
  }
  if (/quota|insufficient usage/i.test(text)) {
    return `${text} Free or raise the artifact storage of the account, or lower \`retention-days\``
  }
  if (status === 403)
    return 'the blob store refused the data (403): its signed address has expired, or a proxy is in the way'
  if (/401|403|unauthorized|forbidden/i.test(text))
    return `the results service does not accept the job's token: ${text}`
  if (/ACTIONS_RUNTIME_TOKEN|ACTIONS_RESULTS_URL/.test(text))
    return `${text}: artifacts can be uploaded only inside of a job`
  return text
}
