import { ConfigurationError } from '../errors.ts'

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

/** Where Google's services are, for this universe and with what the environment puts in their place. */
export interface GoogleEndpoints {
  /** `googleapis.com`, or the domain of a sovereign or private universe */
  readonly universe: string
  /** `path` is relative and begins with the version: `v1/projects/…`; for compute it follows `compute/v1/`. `region`: of a service that has an address for each. */
  readonly url: (service: GoogleService, path: string, region?: string) => string
}

const defaultUniverse = 'googleapis.com'

/**
 * The variables are gcloud's own (`sts` in the same manner), and so is what they take: an absolute URL with a slash at its end,
 * which stands in place of the service's base URL; a bare origin keeps the path of that base (compute's `/compute/v1/`).
 * @param fallbackUniverse that of a credentials file, where the environment names none
 * @throws ConfigurationError that lists every variable that cannot be used
 */
export function googleEndpoints(env: NodeJS.ProcessEnv, fallbackUniverse = defaultUniverse): GoogleEndpoints {
  const problems: string[] = []
  const universe = readUniverse(env, problems) ?? fallbackUniverse
  const overrides = new Map<GoogleService, string>()
  for (const service of services) {
    const name = `CLOUDSDK_API_ENDPOINT_OVERRIDES_${service.toUpperCase()}`
    const value = env[name]
    if (!value) continue
    const problem = overrideProblem(value)
    if (problem) problems.push(`${name}: got ${JSON.stringify(value.slice(0, 200))}, ${problem}`)
    else overrides.set(service, withBasePath(value, service))
  }
  if (problems.length > 0) throw new ConfigurationError(problems.join('\n'))
  return {
    universe,
    url: (service, path, region) => {
      const prefix = region === undefined ? '' : `${region}-`
      return (overrides.get(service) ?? `https://${prefix}${service}.${universe}${basePath(service)}`) + path
    },
  }
}

function readUniverse(env: NodeJS.ProcessEnv, problems: string[]): string | undefined {
  for (const name of ['CLOUDSDK_CORE_UNIVERSE_DOMAIN', 'GOOGLE_CLOUD_UNIVERSE_DOMAIN']) {
    const value = env[name]
    if (!value) continue
    if (/^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$/i.test(value)) return value
    problems.push(`${name}: got ${JSON.stringify(value.slice(0, 200))}, takes a domain such as ${defaultUniverse}`)
  }
  return undefined
}

function overrideProblem(value: string): string | undefined {
  const url = URL.parse(value)
  if (!url || !/^https?:\/\/[^\s?#@]+\/$/i.test(value)) {
    return 'takes an absolute URL as gcloud does: https://HOST[:PORT]/[PATH/], with a slash at the end'
  }
  return isSafe(url) ? undefined : plainHttpProblem
}

/** Tokens travel to these addresses. */
export const plainHttpProblem = 'takes plain http for a loopback address only (127.0.0.1, [::1], localhost); use https'

export function isSafe(url: URL): boolean {
  if (url.protocol === 'https:') return true
  return url.protocol === 'http:' && /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/i.test(url.hostname)
}

function basePath(service: GoogleService): string {
  return service === 'compute' ? '/compute/v1/' : '/'
}

function withBasePath(override: string, service: GoogleService): string {
  const url = new URL(override)
  return url.pathname === '/' ? url.origin + basePath(service) : override
}
