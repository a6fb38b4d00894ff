import { ConfigurationError, type Problem } from '../common/errors.ts'
import { isLoopback } from '../common/loopback.ts'
import { urlForMessage } from '../common/url-text.ts'

const services = [
  'container',
  'compute',
  'oslogin',
  'iam',
  'iap',
  'iamcredentials',
  'cloudresourcemanager',
  'gkehub',
  'connectgateway',
  'sts',
] as const
export type GoogleService = (typeof services)[number]

/** The addresses of Google's services, in this universe and with the overrides of the environment. */
export interface GoogleEndpoints {
  /** `googleapis.com`, or the domain of a sovereign or private universe */
  readonly universe: string
  /**
   * `path` is relative and begins with the version: `v1/projects/…`; for compute it follows `compute/v1/`. `region`: of a service that has an
   * address for each region.
   */
  readonly url: (service: GoogleService, path: string, region?: string) => string
}

const defaultUniverse = 'googleapis.com'

/**
 * The variables are gcloud's (`sts` follows the same pattern), and so are their values: an absolute URL that ends with a slash and replaces the
 * base URL of the service. A bare origin keeps the path of that base (compute's `/compute/v1/`).
 * @param fallbackUniverse that of a credentials file, where the environment names none
 * @throws ConfigurationError with a problem for each variable that is invalid
 */
export function googleEndpoints(env: NodeJS.ProcessEnv, fallbackUniverse = defaultUniverse): GoogleEndpoints {
  const problems: Problem[] = []
  const universe = readUniverse(env, problems) ?? fallbackUniverse
  const overrides = new Map<GoogleService, string>()
  for (const service of services) {
    const name = `CLOUDSDK_API_ENDPOINT_OVERRIDES_${service.toUpperCase()}`
    const value = env[name]
    if (!value) continue
    const invalid = checkOverride(value)
    if (invalid) problems.push(invalidVariable(name, value, invalid))
    else overrides.set(service, withBasePath(value, service))
  }
  if (problems.length > 0) throw new ConfigurationError(problems)
  return {
    universe,
    url: (service, path, region) => {
      const prefix = region === undefined ? '' : `${region}-`
      return (overrides.get(service) ?? `https://${prefix}${service}.${universe}${basePath(service)}`) + path
    },
  }
}

type Invalid = Pick<Problem, 'problem' | 'fix'>

function invalidVariable(name: string, value: string, { problem, fix }: Invalid): Problem {
  return {
    code: 'E_GOOGLE_ENDPOINT_OVERRIDE',
    input: name,
    problem: `${JSON.stringify(urlForMessage(value).slice(0, 200))} ${problem}`,
    fix,
  }
}

function readUniverse(env: NodeJS.ProcessEnv, problems: Problem[]): string | undefined {
  for (const name of ['CLOUDSDK_CORE_UNIVERSE_DOMAIN', 'GOOGLE_CLOUD_UNIVERSE_DOMAIN']) {
    const value = env[name]
    if (!value) continue
    if (/^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$/i.test(value)) return value
    problems.push(
      invalidVariable(name, value, {
        problem: 'is not a domain',
        fix: `Set it to a domain such as ${defaultUniverse}.`,
      }),
    )
  }
  return undefined
}

function checkOverride(value: string): Invalid | undefined {
  const url = URL.parse(value)
  if (!url || !/^https?:\/\/[^\s?#@]+\/$/i.test(value)) {
    return {
      problem: 'is not an absolute URL with a slash at the end',
      fix: 'Set it to https://HOST[:PORT]/[PATH/], as for gcloud.',
    }
  }
  return isSafe(url) ? undefined : plainHttp
}

/** Access tokens are sent to these addresses. */
export const plainHttp: Invalid = {
  problem: 'is plain http, which is allowed for a loopback address only (127.0.0.1, [::1], localhost)',
  fix: 'Use https.',
}

export function isSafe(url: URL): boolean {
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url))
}

function basePath(service: GoogleService): string {
  return service === 'compute' ? '/compute/v1/' : '/'
}

function withBasePath(override: string, service: GoogleService): string {
  const url = new URL(override)
  return url.pathname === '/' ? url.origin + basePath(service) : override
}
