// The API server as a function from request to response. Sockets, TLS and the WebSocket of exec are in server.ts and remotecommand.ts.

import { discovery } from './discovery.ts'
import { patchEphemeral, patchTypes } from './ephemeral.ts'
import type { Kubelet } from './kubelet.ts'
import { allContainers, type KubernetesObject, type Pod } from './objects.ts'
import { podSecurityViolation } from './podsecurity.ts'
import { refusal, reviewAccess, reviewRules, reviewSelf, type Authorizer, type User } from './rbac.ts'
import * as answer from './status.ts'
import type { ApiResponse } from './status.ts'
import type { Store } from './store.ts'
import { table } from './table.ts'

export interface ApiRequest {
  method: string
  path: string
  query: URLSearchParams
  headers: Record<string, string | string[] | undefined>
  /** Parsed JSON; undefined if there was no body. */
  body?: unknown
  /** Undefined if the credentials are not valid. */
  user: User | undefined
}

export interface ApiContext {
  store: Store
  authorizer: Authorizer
  kubelet: Kubelet
}

interface Target {
  group: string
  resource: string
  subresource?: string
  namespace?: string
  name?: string
}

const resourceNames = new Set([
  'namespaces',
  'pods',
  'deployments',
  'replicasets',
  'selfsubjectaccessreviews',
  'selfsubjectreviews',
  'selfsubjectrulesreviews',
])
const groupOf: Record<string, string> = {
  ...{ namespaces: '', pods: '', deployments: 'apps', replicasets: 'apps' },
  selfsubjectreviews: 'authentication.k8s.io',
}
const kindOf: Record<string, string> = {
  namespaces: 'Namespace',
  pods: 'Pod',
  deployments: 'Deployment',
  replicasets: 'ReplicaSet',
}

/** Parses a path such as `/api/v1/namespaces/shop/pods/web/exec`; undefined if the resource is not served. */
function parsePath(path: string): Target | undefined {
  const words = path.split('/').slice(1).map(decodeURIComponent)
  const group = words[0] === 'api' ? '' : (words[1] ?? '')
  const rest = words.slice(words[0] === 'api' ? 2 : 3)
  const [namespace, resource, name, subresource] =
    rest[0] === 'namespaces' && rest.length > 2 ? rest.slice(1) : [undefined, ...rest]
  if (resource === undefined || !resourceNames.has(resource) || (groupOf[resource] ?? 'authorization.k8s.io') !== group)
    return undefined
  return {
    group,
    resource,
    ...(namespace ? { namespace } : {}),
    ...(name ? { name } : {}),
    ...(subresource ? { subresource } : {}),
  }
}

function verbOf(method: string, target: Target): string {
  if (method === 'GET') return target.name === undefined ? 'list' : 'get'
  return { POST: 'create', PATCH: 'patch', DELETE: 'delete', PUT: 'update' }[method] ?? method.toLowerCase()
}

/** Equality and set requirements of a label selector: `a=b,c!=d,e,!f,g in (h,i)`. */
export function matchesLabels(labels: Record<string, string>, selector: string): boolean {
  const requirements = selector.match(/[^,(]+(\([^)]*\))?/g) ?? []
  return requirements.every((text) => {
    const set = /^\s*(\S+)\s+(in|notin)\s+\(([^)]*)\)\s*$/.exec(text)
    if (set) {
      const values = (set[3] ?? '').split(',').map((value) => value.trim())
      return values.includes(labels[set[1] ?? ''] ?? '') === (set[2] === 'in')
    }
    const equal = /^\s*([^=!\s]+)\s*(==?|!=)\s*(\S*)\s*$/.exec(text)
    if (equal) return ((labels[equal[1] ?? ''] ?? '') === equal[3]) === (equal[2] !== '!=')
    const present = text.trim()
    return present.startsWith('!') ? labels[present.slice(1)] === undefined : labels[present] !== undefined
  })
}

function matchesFields(object: KubernetesObject, selector: string): boolean {
  return selector.split(',').every((text) => {
    const [, path = '', operator, value] = /^([^=!]+)(==?|!=)(.*)$/.exec(text) ?? []
    const found = path
      .split('.')
      .reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], object)
    return ((typeof found === 'string' ? found : '') === value) === (operator !== '!=')
  })
}

function list(
  context: ApiContext,
  request: ApiRequest,
  { resource, namespace }: Target,
  asTable: boolean,
): ApiResponse {
  const { store } = context
  const labelSelector = request.query.get('labelSelector') ?? ''
  const fieldSelector = request.query.get('fieldSelector') ?? ''
  const found = store
    .list(resource, namespace)
    .filter((object) => labelSelector === '' || matchesLabels(object.metadata.labels ?? {}, labelSelector))
    .filter((object) => fieldSelector === '' || matchesFields(object, fieldSelector))
  const limit = Number(request.query.get('limit') ?? 0)
  const from = Number(request.query.get('continue') ?? 0)
  const items = limit > 0 ? found.slice(from, from + limit) : found.slice(from)
  if (asTable) return answer.ok(table(resource, items, store.version(), store.now()))
  const rest = found.length - from - items.length
  const metadata = {
    resourceVersion: store.version(),
    ...(rest > 0 ? { continue: String(from + items.length), remainingItemCount: rest } : {}),
  }
  return answer.ok({
    kind: `${kindOf[resource]}List`,
    apiVersion: items[0]?.apiVersion ?? (groupOf[resource] ? 'apps/v1' : 'v1'),
    metadata,
    items,
  })
}

function patch({ store }: ApiContext, request: ApiRequest, pod: Pod): ApiResponse {
  const contentType = String(request.headers['content-type'] ?? '').split(';')[0] ?? ''
  if (!(patchTypes as readonly string[]).includes(contentType)) return answer.unsupportedMediaType()
  const result = patchEphemeral(pod, contentType, request.body)
  if ('refused' in result) return result.refused
  const { namespace, name } = pod.metadata
  const violation = podSecurityViolation(store.get('namespaces', undefined, namespace)?.metadata.labels, result.pod)
  if (violation !== undefined) return answer.forbidden({ group: '', resource: 'pods' }, name, violation)
  return answer.ok(request.query.getAll('dryRun').includes('All') ? result.pod : store.put('pods', result.pod))
}

function logs({ kubelet }: ApiContext, request: ApiRequest, pod: Pod): ApiResponse {
  const chosen = chooseContainer(pod, request.query.get('container') ?? '')
  if ('refused' in chosen) return chosen.refused
  return { status: 200, body: kubelet.logs(pod, chosen.name) ?? Buffer.alloc(0) }
}

/** The container for exec and log, or the API server's message if it is ambiguous. */
export function chooseContainer(pod: Pod, asked: string): { name: string } | { refused: ApiResponse } {
  const { name } = pod.metadata
  if (asked !== '') {
    if (allContainers(pod).some((container) => container.name === asked)) return { name: asked }
    return { refused: answer.badRequest(`container ${asked} is not valid for pod ${name}`) }
  }
  const [only, ...others] = pod.spec.containers
  if (only !== undefined && others.length === 0) return { name: only.name }
  const choice = pod.spec.containers.map((container) => container.name).join(' ')
  return {
    refused: answer.badRequest(`a container name must be specified for pod ${name}, choose one of: [${choice}]`),
  }
}

export interface ExecRequest {
  pod: Pod
  container: string
  command: string[]
}

/** Checks a request before the upgrade of …/exec is accepted. */
export function checkExec(context: ApiContext, request: ApiRequest): ExecRequest | { refused: ApiResponse } {
  const target = parsePath(request.path)
  const { user } = request
  if (user === undefined) return { refused: answer.unauthorized() }
  if (target?.subresource !== 'exec' || target.resource !== 'pods') return { refused: answer.unknownPath() }
  // The upgrade is a GET; since 1.35 it needs the permission to create as well.
  for (const verb of ['get', 'create']) {
    const attributes = { ...target, verb, resource: 'pods/exec' }
    if (!context.authorizer.allowed(user, attributes))
      return { refused: answer.forbidden(target, target.name ?? '', refusal(user, attributes)) }
  }
  const pod = context.store.pod(target.namespace ?? '', target.name ?? '')
  if (pod === undefined) return { refused: answer.notFound(target, target.name ?? '') }
  const chosen = chooseContainer(pod, request.query.get('container') ?? '')
  if ('refused' in chosen) return chosen
  if (pod.spec.nodeName === undefined)
    return { refused: answer.badRequest(`pod ${pod.metadata.name} does not have a host assigned`) }
  if (request.query.get('tty') === 'true')
    return { refused: answer.badRequest('the sandbox has no terminals: leave out -t') }
  return { pod, container: chosen.name, command: request.query.getAll('command') }
}

export function handle(context: ApiContext, request: ApiRequest): ApiResponse {
  const { method, path, user, headers, query } = request
  const { store, authorizer } = context
  if (user === undefined) return answer.unauthorized()
  if (method === 'GET') {
    const document = discovery(path)
    if (document !== undefined) return answer.ok(document)
  }
  const target = parsePath(path)
  if (target === undefined) return answer.unknownPath()
  const { resource, subresource, namespace, name } = target

  const verb = verbOf(method, target)
  const attributes = { ...target, verb, resource: subresource === undefined ? resource : `${resource}/${subresource}` }
  // `kubectl get namespace NAME`: the rule is looked up in the namespace itself.
  if (resource === 'namespaces' && name !== undefined) attributes.namespace = name
  if (!authorizer.allowed(user, attributes)) return answer.forbidden(target, name ?? '', refusal(user, attributes))

  const reviewed = verb === 'create' ? review(context, user, resource, request.body ?? {}) : undefined
  if (reviewed !== undefined) return reviewed

  const asTable = String(headers['accept'] ?? '').includes('as=Table')
  if (verb === 'list') {
    if (query.get('watch')) return answer.methodNotAllowed()
    return list(context, request, target, asTable)
  }
  const object = store.get(resource, namespace, name ?? '')
  if (object === undefined) return answer.notFound(target, name ?? '')
  if (verb === 'get' && subresource === undefined)
    return answer.ok(asTable ? table(resource, [object], store.version(), store.now()) : object)
  if (resource === 'pods' && namespace !== undefined && name !== undefined) {
    return changePod(context, request, object as unknown as Pod, { verb, subresource })
  }
  return answer.methodNotAllowed()
}

function review(
  { authorizer, store }: ApiContext,
  user: User,
  resource: string,
  body: object,
): ApiResponse | undefined {
  if (resource === 'selfsubjectaccessreviews') return reviewAccess(authorizer, user, body)
  if (resource === 'selfsubjectreviews') return reviewSelf(user, store.now())
  if (resource === 'selfsubjectrulesreviews') return reviewRules(authorizer, user, body)
  return undefined
}

/** Every request for one pod but the plain GET. */
function changePod(
  context: ApiContext,
  request: ApiRequest,
  pod: Pod,
  { verb, subresource }: { readonly verb: string; readonly subresource: string | undefined },
): ApiResponse {
  if (verb === 'patch' && subresource === 'ephemeralcontainers') return patch(context, request, pod)
  if (verb === 'get' && subresource === 'log') return logs(context, request, pod)
  if (subresource === 'exec') return answer.badRequest('Upgrade request required')
  if (verb !== 'delete' || subresource !== undefined) return answer.methodNotAllowed()
  const { name, namespace } = pod.metadata
  const options = (request.body ?? {}) as { gracePeriodSeconds?: number }
  const grace = request.query.has('gracePeriodSeconds')
    ? Number(request.query.get('gracePeriodSeconds'))
    : options.gracePeriodSeconds
  void context.kubelet.deletePod(namespace, name, grace)
  return answer.ok(context.store.pod(namespace, name) ?? pod)
}
