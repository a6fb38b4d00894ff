/**
 * The real @actions/artifact in a separate process, as in an action. Loading it takes most of a second, so one process serves a whole
 * test file: it receives calls with their environment, and answers with the result of the call and its output on stdout.
 */
import { DefaultArtifactClient } from '@actions/artifact'

type Client = DefaultArtifactClient
export type Method = 'uploadArtifact' | 'listArtifacts' | 'getArtifact' | 'downloadArtifact' | 'deleteArtifact'

export interface ClientCall {
  readonly id: number
  readonly method: Method
  readonly parameters: readonly unknown[]
  readonly env: Readonly<Record<string, string>>
}

export interface ClientAnswer {
  readonly id: number
  readonly result?: unknown
  readonly error?: { readonly name: string; readonly message: string; readonly status: number | undefined }
  readonly log: string
}

const own = { ...process.env }

async function answer({ id, method, parameters, env }: ClientCall): Promise<ClientAnswer> {
  process.env = { ...own, ...env }
  let log = ''
  const write = process.stdout.write.bind(process.stdout)
  process.stdout.write = (chunk: string | Uint8Array): boolean => {
    log += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString()
    return true
  }
  const client = new DefaultArtifactClient()
  const call = client[method].bind(client) as (...given: readonly unknown[]) => ReturnType<Client[Method]>
  try {
    return { id, result: await call(...parameters), log }
  } catch (error) {
    const { name, message } = error as Error
    return { id, error: { name, message, status: (error as { statusCode?: number }).statusCode }, log }
  } finally {
    process.stdout.write = write
  }
}

process.on('message', (call) => {
  void answer(call as ClientCall).then((given) => process.send?.(given))
})
