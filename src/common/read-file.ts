import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'

/** Of a file that an input, a kubeconfig or a variable names: credentials and certificates are a few kilobytes. */
const maxFileBytes = 8 * 1024 * 1024

/** A file that cannot be read. `message` is a clause about the file that has neither its path nor its content. */
export class UnreadableFile extends Error {
  override readonly name = 'UnreadableFile'
  /** of the file system, such as ENOENT; '' where the file is one that is not read */
  readonly code: string
  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

/**
 * The content of a regular file of at most 8 MiB. A device or a pipe has no end, or waits for a writer: `/dev/zero` as a token file would hold the
 * run until the memory is full.
 * @throws UnreadableFile
 */
export function readRegularFile(path: string): Buffer {
  let file: number | undefined
  try {
    // Without O_NONBLOCK the opening of a pipe waits for its writer.
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
    const stat = fstatSync(file)
    if (stat.isDirectory()) throw new UnreadableFile('EISDIR', 'EISDIR')
    if (!stat.isFile()) throw new UnreadableFile('', 'it is not a regular file')
    return readBounded(file)
  } catch (error) {
    throw error instanceof UnreadableFile ? error : new UnreadableFile(codeOf(error), codeOf(error))
  } finally {
    if (file !== undefined) closeSync(file)
  }
}

/** The size of the file is not used: files of /proc report 0, and a file may grow. */
function readBounded(file: number): Buffer {
  const chunks: Buffer[] = []
  for (let sizeBytes = 0; ;) {
    const chunk = Buffer.allocUnsafe(65_536)
    const readBytes = readSync(file, chunk)
    if (readBytes === 0) return Buffer.concat(chunks)
    sizeBytes += readBytes
    if (sizeBytes > maxFileBytes) throw new UnreadableFile('', 'it is larger than 8 MiB')
    chunks.push(chunk.subarray(0, readBytes))
  }
}

/** The code alone: the message of an error has the path in it. */
function codeOf(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException
  return code ?? 'unknown error'
}
