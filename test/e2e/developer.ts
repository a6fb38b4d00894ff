import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { load, loadAll } from 'js-yaml'
import { apply, kubectl, testClusterState, until, type Manifest } from './cluster.ts'

/** Somebody who has no rights but those that a test gives them. */
export interface Developer {
  /** as the API server names them */
  readonly name: string
  readonly token: string
  readonly subject: Manifest
}

/** The user `dev` of the test cluster; a service account where the cluster has no such user. */
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

/** Every right of docs/rbac/developer.yaml, as `verb resource`. */
export function documentedRights(): string[] {
  return file('developer.yaml')
    .flatMap(({ rules = [] }) => rules)
    .flatMap(({ resources, verbs }) => resources.flatMap((name) => verbs.map((verb) => `${verb} ${name}`)))
}

/** Applies a file of docs/rbac in the namespace for the subject, without one right where that is said, and waits until it holds. */
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
    await until(`${right === without ? 'no right' : 'the right'} to ${right} for ${who.name}`, 20_000, async () =>
      (await mayNow(namespace, who.name, right)) === (right !== without) ? true : undefined,
    )
  }
}

/** Whether the user may do it, as `verb resource`. */
export async function mayNow(namespace: string, name: string, right: string): Promise<boolean> {
  const [verb = '', resource = ''] = right.split(' ')
  const [plain = '', subresource = ''] = resource.split('/')
  const group = plain === 'deployments' ? '.apps' : ''
  const question = ['auth', 'can-i', verb, `${plain}${group}`, `--subresource=${subresource}`, `--as=${name}`]
  return (await kubectl(['-n', namespace, ...question]).catch(() => 'no')).trim() === 'yes'
}
