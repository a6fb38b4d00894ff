import { setTimeout as delay } from 'node:timers/promises'
import type { InstancesClient } from '@google-cloud/compute/build/src/v1/instances_client.js'
import { ConfigurationError, messageOf } from '../errors.ts'
import { googleEndpoints, type GoogleEndpoints } from './endpoints.ts'
import type { GoogleTokenSource } from './identity.ts'
import { describeFailure, failureOf, openTransport, outageOf, type CallFailure } from './transport.ts'
import { withDirname } from './with-dirname.ts'

export interface InstanceName {
  readonly project: string
  readonly zone: string
  readonly name: string
}

/** What of a Compute Engine instance decides how it is entered. Of its metadata, which holds a node's secrets, nothing is kept. */
export interface NodeInstance extends InstanceName {
  readonly id: string
  /** the first network interface: `nic0` */
  readonly interface: string
  /** its own service account, which whoever logs in can use; undefined where it has none */
  readonly serviceAccount?: string
  /** `RUNNING`, … */
  readonly status: string
  /** in effect: the instance's own setting, else its project's */
  readonly osLogin: 'off' | 'on' | 'certificates-required'
  /** `ssh-ed25519 AAAA…`, as the guest has published them at its first boot; empty where it has not */
  readonly hostKeys: readonly string[]
  /** what could not be read, what was assumed in its place, and the fix: for the log */
  readonly remarks: readonly string[]
}

/** Google's APIs for one identity: Compute Engine's instances by Google's own client, every other call by REST. */
export interface GoogleApis {
  readonly endpoints: GoogleEndpoints
  /** Loads the client, 9 MB, at the first call. Each of its calls ends within a minute. */
  readonly instances: () => Promise<InstancesClient>
  /** One call, by its full address; the JSON of its answer. @throws what `failureOf` reads */
  readonly call: <T>(method: 'GET' | 'POST' | 'DELETE', url: string, body?: unknown) => Promise<T>
  /** waits between two attempts, ms */
  readonly pause: (duration: number) => Promise<unknown>
}

/** For each call of the instances client: the transport below already tries again. */
export const callOptions = { timeout: 60_000, retry: null }

/**
 * The instance that a Kubernetes node is, by `spec.providerID`: `gce://PROJECT/ZONE/NAME`.
 * @param node name of the Kubernetes node, for the message
 * @throws ConfigurationError for a node of another kind
 */
export function parseProviderId(providerId: string | undefined, node: string): InstanceName {
  const [, project, zone, name] =
    /^gce:\/\/((?:[a-z0-9.-]+:)?[a-z][a-z0-9-]{4,61})\/([a-z][a-z0-9-]{1,61})\/([a-z](?:[-a-z0-9]{0,61}[a-z0-9])?)$/.exec(
      providerId ?? '',
    ) ?? []
  if (project !== undefined && zone !== undefined && name !== undefined) return { project, zone, name }
  const what = providerId ? `its providerID is ${JSON.stringify(providerId.slice(0, 200))}` : 'it has no providerID'
  throw new ConfigurationError(
    `node-method: ssh, but the node ${JSON.stringify(node)} is not a Compute Engine node: ${what}. ` +
      'Only nodes of GKE (Standard) are entered by SSH; use node-method: pod.',
  )
}

/** @throws ConfigurationError where the environment puts something unusable in the place of a service */
export function openGoogleApis(
  source: Pick<GoogleTokenSource, 'token' | 'universe'>,
  env: NodeJS.ProcessEnv,
  pause: GoogleApis['pause'] = (duration) => delay(duration),
): GoogleApis {
  const endpoints = googleEndpoints(env, source.universe)
  const authorization = async (): Promise<string> => `Bearer ${(await source.token()).value}`
  let client: Promise<InstancesClient> | undefined
  return {
    ...{ endpoints, pause },
    instances: () => (client ??= openInstancesClient(endpoints, authorization)),
    call: async <T>(method: 'GET' | 'POST' | 'DELETE', url: string, body?: unknown) => {
      const transport = await openTransport()
      const headers = { authorization: await authorization() }
      return (
        await transport.request<T>({
          ...{ url, method, headers, responseType: 'json' },
          ...(body !== undefined && { data: body }),
        })
      ).data
    },
  }
}

/** By its own path: the root of the package is 78 MB, one client 9. */
async function openInstancesClient(
  endpoints: GoogleEndpoints,
  authorization: () => Promise<string>,
): Promise<InstancesClient> {
  const transport = await openTransport()
  const { InstancesClient } = await withDirname(() => import('@google-cloud/compute/build/src/v1/instances_client.js'))
  // All that the client asks of its credentials. Its requests so go through the environment's proxy and to the overrides, with bounds.
  const authClient = {
    universeDomain: endpoints.universe,
    getRequestHeaders: async () => new Headers({ authorization: await authorization() }),
    fetch: async (input: string, init: RequestInit): Promise<Response> => {
      const { pathname, search } = new URL(input)
      const headers = new Headers(init.headers)
      headers.set('authorization', await authorization())
      const answer = await transport.request<unknown>({
        url: endpoints.url('compute', pathname.replace(/^\/compute\/v1\//, '') + search),
        method: init.method as 'GET' | 'POST',
        headers,
        responseType: 'json',
        ...(init.signal && { signal: init.signal }),
        ...(typeof init.body === 'string' && { body: init.body }),
      })
      return new Response(JSON.stringify(answer.data), { status: answer.status })
    },
  }
  const options = {
    ...{ fallback: true, universeDomain: endpoints.universe, authClient },
    // GOOGLE_SDK_NODE_LOGGING would have it write requests and answers to stderr: with a node's metadata.
    ...{ enableTelemetryLogging: false, enableTelemetryTracing: false },
  }
  const client = new InstancesClient(options as unknown as ConstructorParameters<typeof InstancesClient>[0])
  Object.defineProperty(client, '_log', { value: { info: () => undefined } })
  return client
}

/**
 * The failure of a call about a node, in words. `what`: the input, and what could not be done. `fix`: for a refusal; the rest
 * has causes of its own. Nothing of what was sent gets into it: an answer may quote the metadata, so only refusals are quoted.
 */
export function explainCall(error: unknown, what: string, fix: string): ConfigurationError {
  if (error instanceof ConfigurationError) return error
  const { cause } = error as Error
  if (cause instanceof ConfigurationError) return cause // there is no token: the instances client wraps this too
  const failure = callFailureOf(error)
  if (!failure) return new ConfigurationError(`${what}: ${messageOf(error).slice(0, 300)}`)
  const outage = outageOf(failure)
  if (outage !== undefined) return new ConfigurationError(`${what}: ${outage}`)
  if (failure.status === 401) {
    return new ConfigurationError(
      `${what}: Google does not take the token (${describeFailure(failure)}). Is it of another universe, or has the identity been deleted?`,
    )
  }
  const quotable = failure.status === 403 || failure.status === 404 || failure.status === 409
  const answer = quotable ? describeFailure(failure) : [failure.status, failure.reason].filter(Boolean).join(' ')
  const disabled = disabledService(failure)
  return new ConfigurationError(
    `${what} (${answer}). ${disabled ? `Turn the API on: \`gcloud services enable ${disabled}\`.` : fix}`,
  )
}

/** The instances client wraps the transport's error in one of its own. */
export function callFailureOf(error: unknown): CallFailure | undefined {
  return failureOf(error) ?? ((error as Error).cause === undefined ? undefined : failureOf((error as Error).cause))
}

function disabledService(failure: CallFailure): string | undefined {
  if (!/has not been used|SERVICE_DISABLED|it is disabled/i.test(failure.message)) return undefined
  const [, named] = /\b([a-z]+\.googleapis\.com)\/overview/.exec(failure.message) ?? []
  return named ?? new URL(failure.url).hostname
}

export function describeName({ project, zone, name }: InstanceName): string {
  return `projects/${project}/zones/${zone}/instances/${name}`
}

interface Metadata {
  readonly items?: readonly { readonly key?: string | null; readonly value?: string | null }[] | null
}

/**
 * Reads the instance, its project and the host keys that it has published.
 * @throws ConfigurationError that names the cause and the fix
 */
export async function describeInstance(apis: GoogleApis, name: InstanceName): Promise<NodeInstance> {
  const client = await apis.instances()
  const { project, zone } = name
  const remarks: string[] = []
  const [instance] = await client.get({ project, zone, instance: name.name }, callOptions).catch((error: unknown) => {
    throw explainCall(
      error,
      `node-method: the instance ${describeName(name)} cannot be read`,
      callFailureOf(error)?.status === 404
        ? 'The node may have been replaced a moment ago; else use node-method: pod.'
        : 'Grant the identity compute.instances.get in the project (docs/terraform has the role), or use node-method: pod.',
    )
  })
  const common = await commonMetadata(apis, project, remarks)
  const enabled = (key: string): boolean => setting(instance.metadata, key) ?? setting(common, key) ?? false
  const osLogin = !enabled('enable-oslogin')
    ? 'off'
    : enabled('enable-oslogin-certificates')
      ? 'certificates-required'
      : 'on'
  const account = instance.serviceAccounts?.[0]?.email
  return {
    ...{ project, zone, name: name.name, id: String(instance.id ?? '') },
    ...{ interface: instance.networkInterfaces?.[0]?.name || 'nic0', status: String(instance.status ?? '') },
    ...(account && { serviceAccount: account }),
    osLogin,
    hostKeys: enabled('enable-guest-attributes') ? await publishedHostKeys(apis, name, remarks) : [],
    remarks,
  }
}

/** As the guest reads it; undefined where it is not set. */
function setting(metadata: Metadata | null | undefined, key: string): boolean | undefined {
  const item = metadata?.items?.find((one) => one.key === key)
  return item && /^(true|yes|y|1)$/i.test(item.value ?? '')
}

async function commonMetadata(apis: GoogleApis, project: string, remarks: string[]): Promise<Metadata | undefined> {
  try {
    const url = apis.endpoints.url('compute', `projects/${project}?fields=commonInstanceMetadata`)
    return (await apis.call<{ commonInstanceMetadata?: Metadata }>('GET', url)).commonInstanceMetadata
  } catch (error) {
    const failure = callFailureOf(error)
    if (failure?.status !== 403) {
      throw explainCall(error, `node-method: the project ${project} cannot be read`, 'Is its name right?')
    }
    remarks.push(
      `The settings of the project ${project} cannot be read (${describeFailure(failure)}): whether OS Login is on ` +
        'is taken from the instance alone. Grant compute.projects.get to be sure.',
    )
    return undefined
  }
}

const hostKeyTypes = ['ssh-ed25519', 'ecdsa-sha2-nistp256', 'ssh-rsa']

async function publishedHostKeys(apis: GoogleApis, name: InstanceName, remarks: string[]): Promise<string[]> {
  const client = await apis.instances()
  const request = { project: name.project, zone: name.zone, instance: name.name, queryPath: 'hostkeys/' }
  try {
    const [{ queryValue }] = await client.getGuestAttributes(request, callOptions)
    return (queryValue?.items ?? []).flatMap(({ namespace, key, value }) => {
      const [encoded = ''] = (value ?? '').split(/\s/)
      const sound = encoded !== '' && Buffer.from(encoded, 'base64').toString('base64') === encoded
      return namespace === 'hostkeys' && key && hostKeyTypes.includes(key) && sound ? [`${key} ${encoded}`] : []
    })
  } catch (error) {
    const failure = callFailureOf(error)
    if (failure?.status === 404) return [] // none were written: the guest does so at its first boot only
    if (failure?.status !== 403) {
      throw explainCall(error, `node-method: the host keys of ${describeName(name)} cannot be read`, 'Try again.')
    }
    remarks.push(
      `The host keys of the node cannot be read (${describeFailure(failure)}): its key is trusted at first sight. ` +
        'Grant compute.instances.getGuestAttributes to have it compared.',
    )
    return []
  }
}

export interface MissingPermission {
  readonly permission: string
  /** full name of what it is needed on */
  readonly resource: string
  /** the least predefined role that has it, or a custom one */
  readonly role: string
}

const customRole = 'a custom role (docs/terraform)'
const roles: Readonly<Record<string, string>> = {
  'compute.instances.osAdminLogin': 'roles/compute.osAdminLogin',
  'iam.serviceAccounts.actAs': 'roles/iam.serviceAccountUser',
  'iap.tunnelInstances.accessViaIAP': 'roles/iap.tunnelResourceAccessor',
}

/**
 * Which permissions the caller lacks to log in to the instance by way of IAP. What Google does not answer (an API that is off,
 * an outage) is not in it: the call that needs the permission will tell.
 */
export async function missingPermissions(
  apis: GoogleApis,
  instance: NodeInstance,
  login: 'os-login' | 'metadata',
): Promise<readonly MissingPermission[]> {
  const { project, zone, name, serviceAccount } = instance
  const rest = async (url: string, permissions: readonly string[]): Promise<readonly string[]> =>
    (await apis.call<{ permissions?: string[] }>('POST', url, { permissions })).permissions ?? []
  const onInstance = [
    ...['compute.instances.get', 'compute.instances.getGuestAttributes'],
    login === 'metadata' ? 'compute.instances.setMetadata' : 'compute.instances.osAdminLogin',
  ]
  const onProject = ['compute.projects.get', ...(login === 'metadata' ? ['compute.zoneOperations.get'] : [])]
  const tunnel = `projects/${project}/iap_tunnel/zones/${zone}/instances/${name}`
  const account = `projects/-/serviceAccounts/${serviceAccount ?? ''}`
  const checks: [string, readonly string[], (permissions: readonly string[]) => Promise<readonly string[]>][] = [
    [
      describeName(instance),
      onInstance,
      async (permissions) => {
        const client = await apis.instances()
        const asked = { permissions: [...permissions] }
        const request = { project, zone, resource: name, testPermissionsRequestResource: asked }
        const [answer] = await client.testIamPermissions(request, callOptions)
        return answer.permissions ?? []
      },
    ],
    [
      `projects/${project}`,
      onProject,
      (asked) => rest(apis.endpoints.url('cloudresourcemanager', `v1/projects/${project}:testIamPermissions`), asked),
    ],
    [
      tunnel,
      ['iap.tunnelInstances.accessViaIAP'],
      (asked) => rest(apis.endpoints.url('iap', `v1/${tunnel}:testIamPermissions`), asked),
    ],
  ]
  if (serviceAccount !== undefined) {
    const url = apis.endpoints.url('iam', `v1/${account}:testIamPermissions`)
    checks.push([account, ['iam.serviceAccounts.actAs'], (asked) => rest(url, asked)])
  }
  const answers = await Promise.all(
    checks.map(async ([resource, permissions, test]) => {
      const granted = await test(permissions).catch((error: unknown) => {
        const failure = callFailureOf(error)
        return failure?.status === 403 && !disabledService(failure) ? [] : permissions
      })
      const missing = permissions.filter((permission) => !granted.includes(permission))
      return missing.map((permission) => ({ permission, resource, role: roles[permission] ?? customRole }))
    }),
  )
  return answers.flat()
}
