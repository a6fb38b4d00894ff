import { urlPath } from '../../common/url-path.ts'
import { disabledService, failureOf } from '../transport.ts'
import { callOptions, type GoogleApis } from './apis.ts'
import { instancePath, type NodeInstance } from './instance.ts'

export interface MissingPermission {
  readonly permission: string
  /** full name of the resource that needs it */
  readonly resource: string
  /** the predefined role with the fewest permissions that has it, or a custom one */
  readonly role: string
}

const customRole = 'a custom role (docs/terraform)'
const roles: Readonly<Record<string, string>> = {
  'compute.instances.osAdminLogin': 'roles/compute.osAdminLogin',
  'iam.serviceAccounts.actAs': 'roles/iam.serviceAccountUser',
  'iap.tunnelInstances.accessViaIAP': 'roles/iap.tunnelResourceAccessor',
}

/** The permissions that one resource needs, and the call that tests them. */
interface PermissionCheck {
  readonly resource: string
  readonly permissions: readonly string[]
  /** @returns those that are granted */
  readonly test: (permissions: readonly string[]) => Promise<readonly string[]>
}

/**
 * The permissions that the identity lacks to log in to the instance through IAP. Where Google does not answer (a disabled API, an outage),
 * they are not listed: the call that needs the permission will fail with the reason.
 */
export async function missingPermissions(
  apis: GoogleApis,
  instance: NodeInstance,
  login: 'os-login' | 'metadata',
): Promise<readonly MissingPermission[]> {
  const missing = await Promise.all(permissionChecks(apis, instance, login).map(runCheck))
  return missing.flat()
}

async function runCheck({ resource, permissions, test }: PermissionCheck): Promise<MissingPermission[]> {
  const granted = await test(permissions).catch((error: unknown) => {
    const failure = failureOf(error)
    return failure?.status === 403 && !disabledService(failure) ? [] : permissions
  })
  return permissions
    .filter((permission) => !granted.includes(permission))
    .map((permission) => ({ permission, resource, role: roles[permission] ?? customRole }))
}

function permissionChecks(
  apis: GoogleApis,
  instance: NodeInstance,
  login: 'os-login' | 'metadata',
): readonly PermissionCheck[] {
  const { project, zone, name, serviceAccount } = instance
  const tunnel = `projects/${project}/iap_tunnel/zones/${zone}/instances/${name}`
  const testByRest = (url: string): PermissionCheck['test'] => {
    return async (permissions) =>
      (await apis.call<{ permissions?: string[] }>('POST', url, { permissions })).permissions ?? []
  }
  const checks: PermissionCheck[] = [
    {
      resource: instancePath(instance),
      permissions: [
        ...['compute.instances.get', 'compute.instances.getGuestAttributes'],
        login === 'metadata' ? 'compute.instances.setMetadata' : 'compute.instances.osAdminLogin',
      ],
      test: async (permissions) => {
        const client = await apis.instances()
        const testPermissionsRequestResource = { permissions: [...permissions] }
        const request = { project, zone, resource: name, testPermissionsRequestResource }
        const [answer] = await client.testIamPermissions(request, callOptions)
        return answer.permissions ?? []
      },
    },
    {
      resource: `projects/${project}`,
      permissions: ['compute.projects.get', ...(login === 'metadata' ? ['compute.zoneOperations.get'] : [])],
      test: testByRest(apis.endpoints.url('cloudresourcemanager', urlPath`v1/projects/${project}:testIamPermissions`)),
    },
    {
      resource: tunnel,
      permissions: ['iap.tunnelInstances.accessViaIAP'],
      test: testByRest(
        apis.endpoints.url(
          'iap',
          urlPath`v1/projects/${project}/iap_tunnel/zones/${zone}/instances/${name}:testIamPermissions`,
        ),
      ),
    },
  ]
  if (serviceAccount !== undefined) {
    const account = `projects/-/serviceAccounts/${serviceAccount}`
    checks.push({
      resource: account,
      permissions: ['iam.serviceAccounts.actAs'],
      test: testByRest(
        apis.endpoints.url('iam', urlPath`v1/projects/-/serviceAccounts/${serviceAccount}:testIamPermissions`),
      ),
    })
  }
  return checks
}
