import { randomBytes } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import type { Claims, SigningKey } from './jwt.ts'
import type { Compute, OsLogin, Resource } from './state.ts'

export type { Resource } from './state.ts'

/** The shared state of the services. Tests change it while they run. */
export interface World {
  readonly project: { id: string; number: string }
  /** `projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER` */
  readonly provider: string
  /** the provider's attribute condition */
  condition: (claims: Claims) => boolean
  readonly issuer: { readonly url: string; readonly key: SigningKey }
  /** what the runner gives to a job that has `id-token: write` */
  readonly requestToken: string
  /** claims of the job; `iss`, `aud` and the times are added */
  readonly jobClaims: Claims
  readonly serviceAccounts: string[]
  /** seconds */
  readonly lifetimes: { federated: number; idToken: number; impersonated: number | undefined }
  /** permissions denied to every caller */
  readonly denied: Set<string>
  /** `container.v1.Cluster` each */
  readonly clusters: Resource[]
  /** `gkehub.v1.Membership` each */
  readonly memberships: Resource[]
  readonly compute: Compute
  readonly osLogin: OsLogin
  readonly tokens: TokenStore
  /** ms that Google's clock is ahead of this machine's */
  readonly clockOffset: number
}

export interface GoogleRequest {
  readonly method: string
  /** after the service's prefix, without query: `/v1/projects/…` */
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface GoogleAnswer {
  /** the method of the real API: `sts.token`, `container.clusters.get`, … */
  readonly operation: string
  readonly status: number
  readonly body: unknown
}

export type Handler = (request: GoogleRequest, world: World) => GoogleAnswer | undefined

export interface Principal {
  /** `principal://iam.googleapis.com/…/subject/…`, or a service account's address */
  readonly name: string
  readonly expires: number
}

export interface TokenStore {
  issue(name: string, prefix: string, seconds: number): string
  /** undefined: never issued, or expired */
  find(token: string): Principal | undefined
}

export function createTokenStore(): TokenStore {
  const issued = new Map<string, Principal>()
  return {
    issue: (name, prefix, seconds) => {
      const token = `${prefix}${randomBytes(60).toString('base64url')}`
      issued.set(token, { name, expires: Date.now() + seconds * 1000 })
      return token
    },
    find: (token) => {
      const principal = issued.get(token)
      return principal && principal.expires > Date.now() ? principal : undefined
    },
  }
}

/** The caller of an API, or Google's answer to an unknown caller. */
export function callerOf(request: GoogleRequest, world: World, operation: string): Principal | GoogleAnswer {
  const [, token = ''] = /^Bearer (.+)$/.exec(request.headers.authorization ?? '') ?? []
  return (
    world.tokens.find(token) ??
    refusal(
      operation,
      401,
      'UNAUTHENTICATED',
      'Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential.',
    )
  )
}

export function refusal(operation: string, code: number, status: string, message: string): GoogleAnswer {
  return { operation, status: code, body: { error: { code, message, status } } }
}

/** What a caller needs for an operation. */
interface Guard {
  readonly operation: string
  readonly permission: string
  readonly resource: string
}

/** Runs `answer` for a known caller with the permission. */
export function guarded(
  request: GoogleRequest,
  world: World,
  { operation, permission, resource }: Guard,
  answer: (caller: Principal) => GoogleAnswer,
): GoogleAnswer {
  const caller = callerOf(request, world, operation)
  if ('operation' in caller) return caller
  if (!world.denied.has(permission)) return answer(caller)
  return refusal(operation, 403, 'PERMISSION_DENIED', `Required "${permission}" permission(s) for "${resource}".`)
}
