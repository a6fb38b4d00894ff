import { spawnSync } from 'node:child_process'
import { load, loadAll } from 'js-yaml'
import { grantCommand } from '../../../src/cluster/grant-command.ts'

const grants = [
  { verb: 'list', group: '', resource: 'pods' },
  { verb: 'patch', group: '', resource: 'pods/ephemeralcontainers' },
  { verb: 'get', group: 'apps', resource: 'deployments' },
]

interface Applied {
  readonly arguments: string[]
  readonly documents: {
    kind: string
    metadata: { name: string }
    rules?: object[]
    roleRef?: object
    subjects?: object[]
  }[]
}

/** Runs the command in a real shell with a fake kubectl that prints its arguments and its stdin. */
function paste(text: string): Applied {
  const kubectl = 'kubectl() { printf "%s\\n" "$*"; cat; }\n'
  const { stdout, stderr, status } = spawnSync('bash', ['-c', `${kubectl}${text}\n`], { encoding: 'utf8' })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  const [first = '', ...rest] = stdout.split('\n')
  return { arguments: first.split(' '), documents: loadAll(rest.join('\n')) as Applied['documents'] }
}

describe('the command that grants permissions', () => {
  it('runs in a shell unchanged, and binds a Role with exactly the required permissions to the identity', () => {
    const { arguments: given, documents } = paste(grantCommand('shop', 'dev', grants))
    expect(given).toEqual(['-n', 'shop', 'apply', '-f', '-'])
    const [role, binding] = documents
    expect(documents).toHaveLength(2)
    expect(role).toMatchObject({
      kind: 'Role',
      rules: [
        { apiGroups: [''], resources: ['pods'], verbs: ['list'] },
        { apiGroups: [''], resources: ['pods/ephemeralcontainers'], verbs: ['patch'] },
        { apiGroups: ['apps'], resources: ['deployments'], verbs: ['get'] },
      ],
    })
    expect(binding).toMatchObject({
      kind: 'RoleBinding',
      metadata: { name: role?.metadata.name },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: role?.metadata.name },
      subjects: [{ kind: 'User', name: 'dev', apiGroup: 'rbac.authorization.k8s.io' }],
    })
  })

  it('creates a ClusterRole and a ClusterRoleBinding without a namespace', () => {
    const nodes = [{ verb: 'get', group: '', resource: 'nodes' }]
    const { arguments: given, documents } = paste(grantCommand(undefined, 'platform', nodes))
    expect(given).toEqual(['apply', '-f', '-'])
    const name = documents[0]?.metadata.name
    expect(documents).toMatchObject([
      { kind: 'ClusterRole', rules: [{ apiGroups: [''], resources: ['nodes'], verbs: ['get'] }] },
      {
        kind: 'ClusterRoleBinding',
        metadata: { name },
        roleRef: { kind: 'ClusterRole', name },
        subjects: [{ kind: 'User', name: 'platform' }],
      },
    ])
  })

  it.each([
    ['capture@shop-prod.iam.gserviceaccount.com'],
    ['github:repo:octo-org/shop:environment:packet-capture'],
    ['principal://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/subject/repo:o/r:ref:x'],
    ['system:serviceaccount:no-name'],
    ['o\'brien $(touch /root/pwned) `id` \\ " # x'],
    ['two\nEOF\nrm -rf x'],
    ['turned \u202e around \u2028 and \u0085 broken'],
    ['yes'],
    ['ünï 🙂'],
  ])('binds the User %j and runs no part of the name', (identity) => {
    const { documents } = paste(grantCommand('shop', identity, grants))
    expect(documents[1]?.subjects).toEqual([{ kind: 'User', name: identity, apiGroup: 'rbac.authorization.k8s.io' }])
  })

  it('binds a service account as a ServiceAccount', () => {
    const { documents } = paste(grantCommand('shop', 'system:serviceaccount:ci:runner', grants))
    expect(documents[1]?.subjects).toEqual([{ kind: 'ServiceAccount', name: 'runner', namespace: 'ci' }])
  })

  it('uses a different name for each identity and set of permissions, so that it replaces no earlier Role', () => {
    const nameIn = (text: string): string => paste(text).documents[0]?.metadata.name ?? ''
    const names = [
      nameIn(grantCommand('shop', 'dev', grants)),
      nameIn(grantCommand('shop', 'dev', grants.slice(1))),
      nameIn(grantCommand('shop', 'other', grants)),
    ]
    expect(new Set(names).size).toBe(3)
    expect(nameIn(grantCommand('shop', 'dev', grants))).toBe(names[0])
    for (const name of names) expect(name).toMatch(/^[a-z0-9-]{1,63}$/)
  })

  it('contains no character that the log replaces', () => {
    const text = grantCommand('shop', 'a\u202eb\u009bc', grants)
    expect(text).not.toMatch(/[\u007f-\u009f\u202e]/)
    expect(load(text.split('subjects:\n')[1]?.replace(/\nEOF$/, '') ?? '')).toMatchObject([{ name: 'a\u202eb\u009bc' }])
  })
})
