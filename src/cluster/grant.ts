import { createHash } from 'node:crypto'
import type { Connection } from './connection.ts'

/** One line of a Role: a verb on a resource (`pods/exec` with its subresource) of an API group. */
export interface Grant {
  readonly verb: string
  readonly group: string
  readonly resource: string
}

/**
 * A command that gives somebody these rights in a namespace, to be pasted into a shell as it is: a Role with exactly them, and its binding.
 * Without a namespace, for what is in none (nodes): a ClusterRole and its binding.
 * Its lines must stay at the beginning of their lines: a here-document ends by a line that is `EOF` alone.
 * `identity`: as the API server names us.
 */
export function grantCommand(namespace: string | undefined, identity: string, grants: readonly Grant[]): string {
  // A name of its own for each: `kubectl apply` puts these rules in the place of those that a Role of this name has.
  const digest = createHash('sha256')
    .update(JSON.stringify([identity, grants]))
    .digest('hex')
    .slice(0, 8)
  const name = `packet-capture-missing-${digest}`
  const api = 'rbac.authorization.k8s.io'
  const [where, kind] = namespace === undefined ? ['', 'ClusterRole'] : [`-n ${namespace} `, 'Role']
  return [
    `kubectl ${where}apply -f - <<'EOF'`,
    `apiVersion: ${api}/v1`,
    `kind: ${kind}`,
    `metadata: { name: ${name} }`,
    'rules:',
    ...grants.map(
      ({ verb, group, resource }) =>
        `  - { apiGroups: [${scalar(group)}], resources: [${scalar(resource)}], verbs: [${scalar(verb)}] }`,
    ),
    '---',
    `apiVersion: ${api}/v1`,
    `kind: ${kind}Binding`,
    `metadata: { name: ${name} }`,
    `roleRef: { apiGroup: ${api}, kind: ${kind}, name: ${name} }`,
    'subjects:',
    `  - ${subjectOf(identity)}`,
    'EOF',
  ].join('\n')
}

/** Everybody is a User to RBAC, also a Google identity and a GitHub job, but for the cluster's own service accounts. */
function subjectOf(identity: string): string {
  const [, namespace, name] = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(identity) ?? []
  if (namespace !== undefined && name !== undefined) {
    return `{ kind: ServiceAccount, name: ${scalar(name)}, namespace: ${scalar(namespace)} }`
  }
  return `{ kind: User, name: ${scalar(identity)}, apiGroup: rbac.authorization.k8s.io }`
}

/** YAML reads JSON's strings. What the log would not let through as it is (control characters, what turns text around) is escaped. */
function scalar(text: string): string {
  return JSON.stringify(text).replace(
    /[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** The file in docs/rbac/ that gives all that a capture at pod level needs to somebody who came this way. */
export function grantFile(input: Connection['input'], identity: string | undefined): string {
  if (input === 'cluster' || /^principal(Set)?:\/\/|\.gserviceaccount\.com$/.test(identity ?? '')) {
    return 'google-service-account.yaml'
  }
  // The subject of GitHub's id token, behind whatever prefix the API server is told to put before it.
  return /(^|:)repo:[^/]+\/[^:]+:/.test(identity ?? '') ? 'github-oidc.yaml' : 'developer.yaml'
}
