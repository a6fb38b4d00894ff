import { callerOf, refusal, type GoogleAnswer, type GoogleRequest, type World } from './world.ts'

/** `testIamPermissions` of any resource of IAM, Identity-Aware Proxy and Resource Manager: which of the permissions the caller has. */
export function answerTestPermissions(request: GoogleRequest, world: World): GoogleAnswer | undefined {
  if (request.method !== 'POST' || !/^\/v\d\/.+:testIamPermissions$/.test(request.path)) return undefined
  return testPermissions(request, world, `${/^\/v\d\/(.+):/.exec(request.path)?.[1] ?? ''}`)
}

/** Each known caller has all permissions except the denied ones. */
export function testPermissions(request: GoogleRequest, world: World, resource: string): GoogleAnswer {
  const operation = 'testIamPermissions'
  const caller = callerOf(request, world, operation)
  if ('operation' in caller) return caller
  const { permissions } = JSON.parse(request.body) as { permissions?: string[] }
  if (!Array.isArray(permissions) || permissions.length === 0) {
    return refusal(operation, 400, 'INVALID_ARGUMENT', `No permissions to test on ${resource}.`)
  }
  const granted = permissions.filter((permission) => !world.denied.has(permission))
  // An empty list is omitted.
  return { operation, status: 200, body: granted.length > 0 ? { permissions: granted } : {} }
}
