import { getIDToken } from '@actions/core'
import { ConfigurationError, messageOf } from '../errors.ts'

/** The toolkit waits for an answer without end. */
const patience = 30_000

/**
 * GitHub's id token of this job. `input`: the one that an error names. `within`: ms until it must be here.
 * @throws ConfigurationError where GitHub does not answer, or fails; the toolkit's error where it refuses
 */
export async function githubIdToken(audience: string, input: string, within = patience): Promise<string> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(outage(input, `no answer within ${within / 1000} s`)), within)
  })
  try {
    return await Promise.race([getIDToken(audience), late])
  } catch (error) {
    throw isRefusal(error) ? error : outage(input, messageOf(error))
  } finally {
    clearTimeout(timer)
  }
}

/** The toolkit tells the status in words alone: `Error Code : 403`. */
function isRefusal(error: unknown): boolean {
  if (error instanceof ConfigurationError) return true
  return /Error Code : 4(?!08|29)\d\d|ACTIONS_ID_TOKEN_REQUEST/.test(messageOf(error))
}

function outage(input: string, cause: string): ConfigurationError {
  return new ConfigurationError(
    `${input}: GitHub's service for id tokens fails or is not reached (${cause.replace(/\s+/g, ' ').trim().slice(0, 300)}). ` +
      'Run the job again later; on a runner of your own, see that it reaches the host of ACTIONS_ID_TOKEN_REQUEST_URL.',
  )
}
