import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { load, loadAll } from 'js-yaml'
import { apply, kubectl, testClusterState, until, type Manifest } from './cluster.ts'

/** A user who has only the permissions that a test grants. */
export interface Developer {
  /** the user name in the API server */
  readonly name: string
  readonly token: string
  readonly subject: Manifest
}

/** The user `dev` of the test cluster, or a service account on other clusters. */
export async function developer(namespace: string): Promise<Developer> {
  if (testClusterState !== undefined) {
    const text = readFileSync(join(testClusterState, 'dev.kubeconfig'), 'utf8')
    const { users } = load(text) as { users: { user: { token: string } }[] }
    const subject = { kind: 'User', name: 'dev', apiGroup: 'rbac.authorization.k8s.io' }
    return { name: 'dev', token: users[0]?.user.token ?? '', subject }
  }
  await apply([{ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'dev', namespace } }])
  const token = (await kubectl(['-n', namespace, 'create', 'token', 'dev'])).trim()
  const name = `system:serviceaccount:${namespace}:dev`
  return { name, token, subject: { kind: 'ServiceAccount', name: 'dev', namespace } }
}

interface RoleRule {
  apiGroups: string[]
  resources: string[]
  verbs: string[]
}
interface RbacDocument {
  kind: string
  metadata: Manifest
  rules?: RoleRule[]
}

const file = (name: string): RbacDocument[] =>
  loadAll(readFileSync(join(import.meta.dirname, '../../docs/rbac', name), 'utf8')) as RbacDocument[]

/** Every permission in docs/rbac/developer.yaml, as `verb resource`. */
export function documentedRights(): string[] {
  return file('developer.yaml')
    .flatMap(({ rules = [] }) => rules)
    .flatMap(({ resources, verbs }) => resources.flatMap((name) => verbs.map((verb) => `${verb} ${name}`)))
}

/** A run works without it, and says so. */
export const optionalRight = 'list replicasets'

/** The permissions without which a capture of a deployment fails. */
export function requiredRights(): string[] {
  return documentedRights().filter((right) => right !== optionalRight)
}

/** Applies a file of docs/rbac for the subject in the namespace, optionally without one permission, and waits until it is effective. */
export async function grant(
  namespace: string,
  who: Pick<Developer, 'name' | 'subject'>,
  { without, from = 'developer.yaml' }: { without?: string; from?: string } = {},
): Promise<void> {
  const documents = file(from).map((document) => ({
    ...document,
    metadata: { ...document.metadata, namespace },
    ...(document.kind === 'RoleBinding' ? { subjects: [who.subject] } : {}),
    ...(document.rules === undefined
      ? {}
      : {
          rules: document.rules
            .map((rule) => ({
              ...rule,
              verbs: rule.verbs.filter((verb) => !rule.resources.some((name) => `${verb} ${name}` === without)),
            }))
            .filter(({ verbs }) => verbs.length > 0),
        }),
  }))
  await apply(documents)
  for (const right of documentedRights()) {
    await until(
      `${right === without ? 'no permission' : 'the permission'} to ${right} for ${who.name}`,
      20_000,
      async () => ((await mayNow(namespace, who.name, right)) === (right !== without) ? true : undefined),
    )
  }
}

/** Whether the user has the permission, given as `verb resource`. */
export async function mayNow(namespace: string, name: string, right: string): Promise<boolean> {
  const [verb = '', resource = ''] = right.split(' ')
  const [plain = '', subresource = ''] = resource.split('/')
  const group = ['deployments', 'replicasets'].includes(plain) ? '.apps' : ''
  const question = ['auth', 'can-i', verb, `${plain}${group}`, `--subresource=${subresource}`, `--as=${name}`]
  return (await kubectl(['-n', namespace, ...question]).catch(() => 'no')).trim() === 'yes'
}
