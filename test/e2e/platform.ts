import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { load, loadAll } from 'js-yaml'
import { apply, kubectl, kubeconfigWith, testClusterState, until, type Manifest } from './cluster.ts'

interface RbacDocument extends Manifest {
  kind: string
  metadata: { name: string; namespace?: string; labels?: Record<string, string> }
  rules?: { apiGroups: string[]; resources: string[]; verbs: string[] }[]
}

const documents = (): RbacDocument[] =>
  loadAll(readFileSync(join(import.meta.dirname, '../../docs/rbac/platform.yaml'), 'utf8')) as RbacDocument[]

/** Every permission of docs/rbac/platform.yaml in the namespace of the node pods, as `verb resource`. */
export function nodePodRights(): string[] {
  return documents()
    .filter(({ kind }) => kind === 'Role')
    .flatMap(({ rules = [] }) => rules)
    .flatMap(({ resources, verbs }) => resources.flatMap((name) => verbs.map((verb) => `${verb} ${name}`)))
}

/** A user of the test cluster who has exactly the permissions of docs/rbac/platform.yaml. */
export interface Platform {
  /** the text of the user's kubeconfig */
  readonly kubeconfig: string
  /** of the node pods; `packet-capture` in the file */
  readonly namespace: string
  /** runs the command that the file gives for each namespace whose pods may be captured */
  mayName(namespace: string): Promise<void>
  /** applies the Role, optionally without one permission, and waits until it is effective */
  grant(without?: string): Promise<void>
  close(): Promise<void>
}

/** Applies docs/rbac/platform.yaml under separate names, so that tests do not affect each other. */
export async function platform(suffix: string): Promise<Platform> {
  const namespace = `packet-capture-${suffix}`
  const subject = { kind: 'User', name: 'platform', apiGroup: 'rbac.authorization.k8s.io' }
  const renamed = (document: RbacDocument): RbacDocument => {
    const { metadata, kind } = document
    const own = (name: string): string => (name === 'packet-capture' ? namespace : `${name}-${suffix}`)
    const roleRef = document['roleRef'] as { name: string } | undefined
    return {
      ...document,
      metadata: { ...metadata, name: own(metadata.name), ...(metadata.namespace ? { namespace } : {}) },
      ...(roleRef ? { roleRef: { ...roleRef, name: own(roleRef.name) } } : {}),
      ...(kind.endsWith('Binding') ? { subjects: [subject] } : {}),
    }
  }
  const all = documents().map(renamed)
  await apply(all)
  const bound: [string, string][] = []
  const grant = async (without?: string): Promise<void> => {
    const role = all.find(({ kind }) => kind === 'Role')
    const rules = (role?.rules ?? [])
      .map((rule) => ({
        ...rule,
        verbs: rule.verbs.filter((verb) => !rule.resources.some((name) => `${verb} ${name}` === without)),
      }))
      .filter(({ verbs }) => verbs.length > 0)
    await apply([{ ...role, rules }])
    for (const right of nodePodRights()) {
      await until(`${right === without ? 'no permission' : 'the permission'} to ${right}`, 20_000, async () =>
        (await may(namespace, right)) === (right !== without) ? true : undefined,
      )
    }
  }
  await grant()
  return {
    kubeconfig: kubeconfigWith({ user: { token: tokenOf('platform') } }),
    namespace,
    grant,
    mayName: async (target) => {
      const name = `packet-capture-target-${suffix}`
      await kubectl(['-n', target, 'create', 'rolebinding', name, `--clusterrole=${name}`, '--user=platform'])
      bound.push([target, name])
      await until('the permission to get pods', 20_000, async () =>
        (await may(target, 'get pods')) ? true : undefined,
      )
    },
    close: async () => {
      await kubectl(['delete', 'namespace', namespace, '--wait=false', '--ignore-not-found'])
      for (const { kind, metadata } of all) {
        if (kind.startsWith('Cluster'))
          await kubectl(['delete', kind.toLowerCase(), metadata.name, '--ignore-not-found'])
      }
    },
  }
}

function tokenOf(user: string): string {
  const text = readFileSync(join(testClusterState ?? '', `${user}.kubeconfig`), 'utf8')
  return (load(text) as { users: { user: { token: string } }[] }).users[0]?.user.token ?? ''
}

async function may(namespace: string, right: string): Promise<boolean> {
  const [verb = '', resource = ''] = right.split(' ')
  const [plain = '', subresource = ''] = resource.split('/')
  const group = plain === 'jobs' ? '.batch' : ''
  const question = ['auth', 'can-i', verb, `${plain}${group}`, `--subresource=${subresource}`, '--as=platform']
  return (await kubectl(['-n', namespace, ...question]).catch(() => 'no')).trim() === 'yes'
}
