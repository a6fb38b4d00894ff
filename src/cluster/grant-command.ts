import { createHash } from 'node:crypto'
import { controlCharacters } from '../common/remote-text.ts'

/** One line of a Role: a verb on a resource (`pods/exec` with its subresource) of an API group. */
export interface Grant {
  readonly verb: string
  readonly group: string
  readonly resource: string
}

/**
 * A shell command that an admin can paste: a Role with exactly these rights in the namespace, and its RoleBinding to the identity. Without a
 * namespace, for cluster-scoped resources such as nodes: a ClusterRole and its binding. Its lines must not be indented: the here-document
 * ends at a line that is `EOF` alone. `identity`: the user name that the API server reports.
 */
export function grantCommand(namespace: string | undefined, identity: string, grants: readonly Grant[]): string {
  // The name depends on the content: `kubectl apply` replaces the rules of an existing Role of the same name.
  const digest = createHash('sha256')
    .update(JSON.stringify([identity, grants]))
    .digest('hex')
    .slice(0, 8)
  const name = `packet-capture-missing-${digest}`
  const api = 'rbac.authorization.k8s.io'
  const [scope, kind] = namespace === undefined ? ['', 'ClusterRole'] : [`-n ${namespace} `, 'Role']
  return [
    `kubectl ${scope}apply -f - <<'EOF'`,
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

/** RBAC calls every identity a User, also one of a cloud provider or an OIDC issuer, except for the cluster's service accounts. */
function subjectOf(identity: string): string {
  const [, namespace, name] = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(identity) ?? []
  if (namespace !== undefined && name !== undefined) {
    return `{ kind: ServiceAccount, name: ${scalar(name)}, namespace: ${scalar(namespace)} }`
  }
  return `{ kind: User, name: ${scalar(identity)}, apiGroup: rbac.authorization.k8s.io }`
}

/** A YAML string, which may be a JSON string. Characters that the log replaces are escaped. */
function scalar(text: string): string {
  return JSON.stringify(text).replace(controlCharacters, (characters) =>
    Array.from({ length: characters.length }, (_, i) => unicodeEscape(characters.charCodeAt(i))).join(''),
  )
}

function unicodeEscape(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, '0')}`
}
