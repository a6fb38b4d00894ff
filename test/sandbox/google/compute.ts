import { createHash, randomInt, randomUUID } from 'node:crypto'
import { testPermissions } from './permissions.ts'
import { callerOf, guarded, refusal, type GoogleAnswer, type GoogleRequest, type World } from './world.ts'
import type { Instance, MetadataItem, Resource } from './state.ts'

export type { Instance, MetadataItem } from './state.ts'

export interface InstanceOptions {
  readonly zone?: string
  readonly name?: string
  readonly metadata?: readonly MetadataItem[]
  /** `null`: none */
  readonly serviceAccount?: string | null
  /** external address; without it the node is private */
  readonly address?: string
  /** fields in place of those below */
  readonly with?: Resource
}

/** A GKE node, with secret metadata. */
export function describeInstance(project: { id: string; number: string }, given: InstanceOptions): Instance {
  const { zone = 'europe-west1-b', name = 'gke-shop-default-pool-8d2f1c3a-x7k2' } = given
  const base = `https://www.googleapis.com/compute/v1/projects/${project.id}/zones/${zone}`
  const account =
    given.serviceAccount === undefined ? `nodes@${project.id}.iam.gserviceaccount.com` : given.serviceAccount
  const id = String(randomInt(2 ** 46, 2 ** 47)) + '0321'
  return {
    ...{ project: project.id, zone, name, id, guestAttributes: new Map() },
    metadata: [
      { key: 'cluster-name', value: 'shop' },
      { key: 'kube-env', value: `KUBELET_CERT: ${randomUUID()}\nTPM_BOOTSTRAP_KEY: "top  secret"\n\tß€😀 \\u0041\r\n` },
      { key: 'empty', value: '' },
      { key: 'no-value' },
      ...(given.metadata ?? []),
    ],
    resource: {
      kind: 'compute#instance',
      creationTimestamp: '2026-11-20T08:00:00.000-08:00',
      status: 'RUNNING',
      zone: base,
      selfLink: `${base}/instances/${name}`,
      machineType: `${base}/machineTypes/e2-standard-4`,
      tags: { items: ['gke-shop-8d2f1c3a-node'], fingerprint: 'LKZZ3jzKbcY=' },
      networkInterfaces: [
        {
          name: 'nic0',
          network: `https://www.googleapis.com/compute/v1/projects/${project.id}/global/networks/default`,
          networkIP: '10.132.0.7',
          ...(given.address !== undefined && {
            accessConfigs: [{ type: 'ONE_TO_ONE_NAT', name: 'external-nat', natIP: given.address }],
          }),
        },
      ],
      disks: [{ boot: true, guestOsFeatures: [{ type: 'UEFI_COMPATIBLE' }] }],
      ...(account !== null && {
        serviceAccounts: [{ email: account, scopes: ['https://www.googleapis.com/auth/cloud-platform'] }],
      }),
      ...given.with,
    },
  }
}

/** Compute Engine: an instance, its metadata and guest attributes, its project, operations, rights. */
export function answerCompute(request: GoogleRequest, world: World): GoogleAnswer | undefined {
  const [, project, rest = ''] = /^\/v1\/projects\/([^/]+)(\/.*)?$/.exec(request.path) ?? []
  if (project === undefined) return undefined
  if (rest === '' && request.method === 'GET') return getProject(request, world, project)
  const [, zone = '', kind, name = '', method = ''] =
    /^\/zones\/([^/]+)\/(instances|operations)\/([^/]+?)(?:\/([A-Za-z]+))?$/.exec(rest) ?? []
  if (kind === 'operations') return getOperation(request, world, name, method)
  if (kind !== 'instances') return undefined
  const found = world.compute.instances.find(
    (one) => project === one.project && zone === one.zone && (name === one.name || name === one.id),
  )
  const where = `projects/${project}/zones/${zone}/instances/${name}`
  const answer = methods[`${request.method} ${method}`]
  if (answer === undefined) return undefined
  if (found === undefined) {
    const caller = callerOf(request, world, 'compute.instances')
    return 'operation' in caller ? caller : notFound(`compute.instances.${method || 'get'}`, where)
  }
  return answer(request, world, found, where)
}

type Method = (request: GoogleRequest, world: World, instance: Instance, where: string) => GoogleAnswer

const methods: Readonly<Record<string, Method>> = {
  'GET ': (request, world, instance, where) =>
    guarded(
      request,
      world,
      { operation: 'compute.instances.get', permission: 'compute.instances.get', resource: where },
      () => ({
        operation: 'compute.instances.get',
        status: 200,
        body: { ...instance.resource, id: instance.id, name: instance.name, metadata: metadataOf(instance.metadata) },
      }),
    ),
  'POST setMetadata': setMetadata,
  'GET getGuestAttributes': getGuestAttributes,
  'POST testIamPermissions': (request, world, _instance, where) => testPermissions(request, world, where),
}

function getProject(request: GoogleRequest, world: World, project: string): GoogleAnswer {
  const operation = 'compute.projects.get'
  return guarded(request, world, { operation, permission: operation, resource: `projects/${project}` }, () =>
    project === world.project.id || project === world.project.number
      ? {
          operation,
          status: 200,
          body: {
            kind: 'compute#project',
            id: '4711',
            name: world.project.id,
            commonInstanceMetadata: metadataOf(world.compute.projectMetadata),
          },
        }
      : notFound(operation, `projects/${project}`),
  )
}

function metadataOf(items: readonly MetadataItem[]): Resource {
  // An empty list is omitted.
  return { kind: 'compute#metadata', fingerprint: fingerprintOf(items), ...(items.length > 0 && { items }) }
}

function fingerprintOf(items: readonly MetadataItem[]): string {
  return createHash('sha256').update(JSON.stringify(items)).digest().subarray(0, 8).toString('base64')
}

const valueLimit = 262_144

function setMetadata(request: GoogleRequest, world: World, instance: Instance, where: string): GoogleAnswer {
  const operation = 'compute.instances.setMetadata'
  return guarded(request, world, { operation, permission: operation, resource: where }, () => {
    if (world.denied.has('iam.serviceAccounts.actAs') && instance.resource['serviceAccounts'] !== undefined) {
      return refusal(
        operation,
        403,
        'PERMISSION_DENIED',
        `The user does not have access to service account '${accountOf(instance)}'. User: '…'. Ask a project owner to grant you the iam.serviceAccountUser role on the service account`,
      )
    }
    const { items = [], fingerprint } = JSON.parse(request.body) as { items?: MetadataItem[]; fingerprint?: string }
    if (world.compute.races > 0) {
      world.compute.races -= 1
      instance.metadata.push({ key: `other-${String(world.compute.races)}`, value: 'of somebody else' })
    }
    // Bytes: gcloud writes them in the alphabet for URLs.
    const current = Buffer.from(fingerprintOf(instance.metadata), 'base64')
    if (fingerprint === undefined || !Buffer.from(fingerprint, 'base64').equals(current)) {
      const message = 'Supplied fingerprint does not match current metadata fingerprint.'
      const error = {
        message,
        domain: 'global',
        reason: 'conditionNotMet',
        location: 'If-Match',
        locationType: 'header',
      }
      return { operation, status: 412, body: { error: { code: 412, message, errors: [error] } } }
    }
    const large = items.findIndex(({ value }) => Buffer.byteLength(value ?? '') > valueLimit)
    if (large >= 0) {
      // The message quotes the input.
      const message = `Value for field 'metadata.items[${String(large)}].value' is too large: maximum size 262144 character(s); actual size is more: '${items[large]?.value?.slice(0, 300) ?? ''}'.`
      return {
        operation,
        status: 413,
        body: { error: { code: 413, message, errors: [{ message, reason: 'fieldSizeTooLarge' }] } },
      }
    }
    instance.metadata = items.map((item) => ({ ...item }))
    return { operation, status: 200, body: begin(world, instance, where) }
  })
}

function accountOf(instance: Instance): string {
  const accounts = instance.resource['serviceAccounts'] as { email: string }[] | undefined
  return accounts?.[0]?.email ?? ''
}

function begin(world: World, instance: Instance, where: string): Resource {
  const name = `operation-${randomUUID()}`
  const base = `https://www.googleapis.com/compute/v1/projects/${instance.project}/zones/${instance.zone}`
  const resource = {
    kind: 'compute#operation',
    id: String(randomInt(2 ** 46, 2 ** 47)),
    name,
    operationType: 'setMetadata',
    status: 'RUNNING',
    progress: 0,
    zone: base,
    targetId: instance.id,
    targetLink: `https://www.googleapis.com/compute/v1/${where}`,
    selfLink: `${base}/operations/${name}`,
    insertTime: '2026-11-20T08:00:00.000-08:00',
    user: 'somebody@example.com',
  }
  world.compute.operations.set(name, { resource, polls: 0 })
  return resource
}

function getOperation(request: GoogleRequest, world: World, name: string, method: string): GoogleAnswer | undefined {
  const waits = request.method === 'POST' && method === 'wait'
  if (!waits && (request.method !== 'GET' || method !== '')) return undefined
  const operation = `compute.zoneOperations.${waits ? 'wait' : 'get'}`
  return guarded(request, world, { operation, permission: 'compute.zoneOperations.get', resource: name }, () => {
    const found = world.compute.operations.get(name)
    if (found === undefined) return notFound(operation, name)
    found.polls += 1
    const done = waits || found.polls > world.compute.pendingPolls
    const code = done ? world.compute.operationErrors.shift() : undefined
    const body = {
      ...found.resource,
      ...(done && { status: 'DONE', progress: 100 }),
      ...(code !== undefined && { error: { errors: [{ code, message: 'injected' }] }, httpErrorStatusCode: 400 }),
    }
    return { operation, status: 200, body }
  })
}

function getGuestAttributes(request: GoogleRequest, world: World, instance: Instance, where: string): GoogleAnswer {
  const operation = 'compute.instances.getGuestAttributes'
  return guarded(request, world, { operation, permission: operation, resource: where }, () => {
    const queryPath = request.query.get('queryPath') ?? ''
    const enabled = instance.metadata.find(({ key }) => key === 'enable-guest-attributes')?.value
    const shared = world.compute.projectMetadata.find(({ key }) => key === 'enable-guest-attributes')?.value
    const items = [...instance.guestAttributes]
      .filter(([path]) => path.startsWith(queryPath))
      .map(([path, value]) => {
        const [namespace = '', key = ''] = path.split('/')
        return { namespace, key, value }
      })
    if (!/^true$/i.test(enabled ?? shared ?? '') || items.length === 0) {
      const message = `The resource '${queryPath}' of type 'Guest Attribute' was not found.`
      return {
        operation,
        status: 404,
        body: { error: { code: 404, message, errors: [{ message, domain: 'global', reason: 'notFound' }] } },
      }
    }
    const body = { kind: 'compute#guestAttributes', queryPath, queryValue: { items } }
    return { operation, status: 200, body }
  })
}

function notFound(operation: string, resource: string): GoogleAnswer {
  const message = `The resource '${resource}' was not found`
  return {
    operation,
    status: 404,
    body: { error: { code: 404, message, errors: [{ message, domain: 'global', reason: 'notFound' }] } },
  }
}
