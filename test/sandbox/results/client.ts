/**
 * The real @actions/artifact as a process of its own, as an action runs it:
 * `node client.ts '["uploadArtifact", "name", ["file"], "root", {}]'` prints the result or the error as the last line.
 */
import { DefaultArtifactClient } from '@actions/artifact'

type Client = DefaultArtifactClient
type Method = 'uploadArtifact' | 'listArtifacts' | 'getArtifact' | 'downloadArtifact' | 'deleteArtifact'

const [method, ...parameters] = JSON.parse(process.argv[2] ?? '[]') as [Method, ...unknown[]]
const client = new DefaultArtifactClient()
const call = client[method].bind(client) as (...parameters: unknown[]) => ReturnType<Client[Method]>
try {
  console.log(`\n${JSON.stringify({ result: await call(...parameters) })}`)
} catch (error) {
  const { name, message } = error as Error
  const status = (error as { statusCode?: number }).statusCode
  console.log(`\n${JSON.stringify({ error: { name, message, status } })}`)
}
// An upload that stalled keeps its socket and the process for a long time.
process.exit()
