import { ConfigurationError, messageOf } from '../common/errors.ts'
import { withProxyRules } from '../common/library-proxy.ts'
import { toOneLine } from '../common/remote-text.ts'
import { trustSystemAuthorities } from '../common/system-authorities.ts'
import { orTimeout, timedOut } from '../common/timeouts.ts'
import { plain } from '../common/remote-text.ts'
import { withLibraryOutput } from './workflow-commands.ts'

/** The toolkit has no time limit of its own. */
const defaultTimeoutMs = 30_000

/**
 * GitHub's ID token of this job for the audience. `input` is the one that an error names.
 * @throws ConfigurationError where GitHub does not answer, or fails; the toolkit's error where it rejects the request
 */
export async function githubIdToken(audience: string, input: string, timeoutMs = defaultTimeoutMs): Promise<string> {
  let token: string | typeof timedOut
  try {
    trustSystemAuthorities()
    const { getIDToken } = await import('@actions/core')
    token = await withLibraryOutput(plain, () =>
      orTimeout(
        withProxyRules(() => getIDToken(audience)),
        timeoutMs,
      ),
    )
  } catch (error) {
    throw isRefusal(error) ? error : outage(input, messageOf(error))
  }
  if (token === timedOut) throw outage(input, `no answer within ${timeoutMs / 1000} s`)
  return token
}

/** The toolkit reports the status in its message alone: `Error Code : 403`. */
function isRefusal(error: unknown): boolean {
  return /Error Code : 4(?!08|29)\d\d|ACTIONS_ID_TOKEN_REQUEST/.test(messageOf(error))
}

function outage(input: string, cause: string): ConfigurationError {
  return new ConfigurationError({
    code: 'E_ID_TOKEN_UNAVAILABLE',
    input,
    problem: `GitHub's ID token service failed or cannot be reached (${toOneLine(cause, 300)})`,
    fix: 'Run the job again later. On a self-hosted runner, check that it reaches the host of ACTIONS_ID_TOKEN_REQUEST_URL.',
  })
}
