// RBAC: the reviews evaluate the rules, and each request is checked against them.

import { ok, type ApiResponse } from './status.ts'
import { timestamp } from './store.ts'

export interface Rule {
  /** The namespace of the rule; all namespaces if absent (a ClusterRoleBinding). */
  namespace?: string
  apiGroups: string[]
  resources: string[]
  verbs: string[]
  resourceNames?: string[]
}

export interface User {
  name: string
  groups: string[]
}

export interface Attributes {
  verb: string
  group: string
  /** With the subresource: `pods/exec`. */
  resource: string
  namespace?: string | undefined
  name?: string | undefined
}

export interface Authorizer {
  /** Replaces the rules of a user. */
  bind(user: string, rules: Rule[]): void
  allowed(user: User, attributes: Attributes): boolean
  rules(user: User, namespace: string): Rule[]
}

const everything: Rule = { apiGroups: ['*'], resources: ['*'], verbs: ['*'] }
/** ClusterRole system:basic-user, which every user has. */
const basic: Rule[] = [
  {
    apiGroups: ['authorization.k8s.io'],
    resources: ['selfsubjectaccessreviews', 'selfsubjectrulesreviews'],
    verbs: ['create'],
  },
  { apiGroups: ['authentication.k8s.io'], resources: ['selfsubjectreviews'], verbs: ['create'] },
]

const has = (list: string[], item: string): boolean => list.includes('*') || list.includes(item)

export function createAuthorizer(): Authorizer {
  const bound = new Map<string, Rule[]>()
  const rulesOf = (user: User): Rule[] => [
    ...(user.groups.includes('system:masters') ? [everything] : []),
    ...(user.groups.includes('system:authenticated') ? basic : []),
    ...(bound.get(user.name) ?? []),
  ]
  return {
    bind: (user, rules) => void bound.set(user, rules),
    allowed: (user, { verb, group, resource, namespace, name }) =>
      rulesOf(user).some(
        (rule) =>
          (rule.namespace === undefined || rule.namespace === namespace) &&
          has(rule.apiGroups, group) &&
          // `pods` does not cover `pods/exec`; `*` covers both.
          has(rule.resources, resource) &&
          has(rule.verbs, verb) &&
          (rule.resourceNames === undefined || (name !== undefined && rule.resourceNames.includes(name))),
      ),
    rules: (user, namespace) =>
      rulesOf(user).filter((rule) => rule.namespace === undefined || rule.namespace === namespace),
  }
}

/** The API server's error message, after "is forbidden: ". */
export function refusal(user: User, { verb, group, resource, namespace }: Attributes): string {
  const where = namespace === undefined ? 'at the cluster scope' : `in the namespace "${namespace}"`
  return `User "${user.name}" cannot ${verb} resource "${resource}" in API group "${group}" ${where}`
}

/** SelfSubjectReview, since Kubernetes 1.28. */
export function reviewSelf({ name, groups }: User, now: Date): ApiResponse {
  const head = { kind: 'SelfSubjectReview', apiVersion: 'authentication.k8s.io/v1' }
  const metadata = { creationTimestamp: timestamp(now) }
  return ok({ ...head, metadata, status: { userInfo: { username: name, groups } } }, 201)
}

interface ReviewSpec {
  resourceAttributes?: {
    verb?: string
    group?: string
    resource?: string
    subresource?: string
    namespace?: string
    name?: string
  }
  nonResourceAttributes?: { verb?: string; path?: string }
}

export function reviewAccess(authorizer: Authorizer, user: User, body: { spec?: ReviewSpec }): ApiResponse {
  const asked = body.spec?.resourceAttributes
  const allowed =
    asked === undefined
      ? body.spec?.nonResourceAttributes !== undefined // discovery is open to every user
      : authorizer.allowed(user, {
          verb: asked.verb ?? '',
          group: asked.group ?? '',
          resource: asked.subresource ? `${asked.resource}/${asked.subresource}` : (asked.resource ?? ''),
          namespace: asked.namespace || undefined,
          name: asked.name || undefined,
        })
  const head = {
    kind: 'SelfSubjectAccessReview',
    apiVersion: 'authorization.k8s.io/v1',
    metadata: {},
    spec: body.spec ?? {},
  }
  return ok({ ...head, status: allowed ? { allowed, reason: 'RBAC: allowed by the sandbox' } : { allowed } }, 201)
}

export function reviewRules(authorizer: Authorizer, user: User, body: { spec?: { namespace?: string } }): ApiResponse {
  const resourceRules = authorizer
    .rules(user, body.spec?.namespace ?? 'default')
    .map(({ verbs, apiGroups, resources, resourceNames }) => ({
      verbs,
      apiGroups,
      resources,
      ...(resourceNames ? { resourceNames } : {}),
    }))
  const nonResourceRules = [{ verbs: ['get'], nonResourceURLs: ['/api', '/api/*', '/apis', '/apis/*', '/version'] }]
  const head = { kind: 'SelfSubjectRulesReview', apiVersion: 'authorization.k8s.io/v1', metadata: {}, spec: {} }
  return ok({ ...head, status: { resourceRules, nonResourceRules, incomplete: false } }, 201)
}
