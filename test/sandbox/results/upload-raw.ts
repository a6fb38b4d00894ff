/** Uploads the file of the first argument as the action does, with the real client; prints the artifact, or why it failed, as JSON. */
import { renderProblem } from '../../../src/common/errors.ts'
import { UploadError, uploadRaw } from '../../../src/runner/artifact.ts'

const [path = '', name = ''] = process.argv.slice(2)
try {
  console.log(`uploaded ${JSON.stringify(await uploadRaw(path, name, undefined))}`)
} catch (error) {
  if (!(error instanceof UploadError)) throw error
  const { isTransient, retryAfterMs, problems } = error
  console.log(`failed ${JSON.stringify({ isTransient, retryAfterMs, problem: renderProblem(problems[0]) })}`)
}
