// Answers of the API server, and its errors: `Status` objects with Kubernetes' reasons and messages.

export interface ApiResponse {
  status: number
  body: unknown
}

export interface StatusCause {
  reason: string
  message: string
  field: string
}

export interface Status {
  kind: 'Status'
  apiVersion: 'v1'
  metadata: object
  status: 'Success' | 'Failure'
  message?: string
  reason?: string
  details?: { name?: string; group?: string; kind?: string; causes?: Partial<StatusCause>[] }
  code: number
}

/** A resource as errors name it: `pods`, or `deployments.apps`. */
export interface ResourceName {
  group: string
  resource: string
}

const qualified = ({ group, resource }: ResourceName): string => (group === '' ? resource : `${resource}.${group}`)

const detailsOf = ({ group, resource }: ResourceName, name: string): NonNullable<Status['details']> => ({
  ...(name === '' ? {} : { name }),
  ...(group === '' ? {} : { group }),
  kind: resource,
})

export function failure(code: number, reason: string, message: string, details?: Status['details']): ApiResponse {
  const status: Status = {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    reason,
    ...(details ? { details } : {}),
    code,
  }
  return { status: code, body: status }
}

export const ok = (body: unknown, status = 200): ApiResponse => ({ status, body })

export const notFound = (resource: ResourceName, name: string): ApiResponse =>
  failure(404, 'NotFound', `${qualified(resource)} "${name}" not found`, detailsOf(resource, name))

export const unknownPath = (): ApiResponse =>
  failure(404, 'NotFound', 'the server could not find the requested resource', {})

export const unauthorized = (): ApiResponse => failure(401, 'Unauthorized', 'Unauthorized')

export const badRequest = (message: string): ApiResponse => failure(400, 'BadRequest', message)

export const unsupportedMediaType = (): ApiResponse =>
  failure(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {})

export const methodNotAllowed = (): ApiResponse =>
  failure(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {})

export function forbidden(resource: ResourceName, name: string, why: string): ApiResponse {
  const what = name === '' ? `${qualified(resource)} is forbidden` : `${qualified(resource)} "${name}" is forbidden`
  return failure(403, 'Forbidden', `${what}: ${why}`, detailsOf(resource, name))
}

export function invalidPod(name: string, causes: StatusCause[]): ApiResponse {
  const texts = causes.map(({ field, message }) => `${field}: ${message}`)
  const text = texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`
  return failure(422, 'Invalid', `Pod "${name}" is invalid: ${text}`, { name, kind: 'Pod', causes })
}
