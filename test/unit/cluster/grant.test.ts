import { spawnSync } from 'node:child_process'
import { load, loadAll } from 'js-yaml'
import { grantCommand, grantFile } from '../../../src/cluster/grant.ts'

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

/** Pastes it into a real shell, whose kubectl only says what it was given. */
function paste(text: string): Applied {
  const kubectl = 'kubectl() { printf "%s\\n" "$*"; cat; }\n'
  const { stdout, stderr, status } = spawnSync('bash', ['-c', `${kubectl}${text}\n`], { encoding: 'utf8' })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  const [first = '', ...rest] = stdout.split('\n')
  return { arguments: first.split(' '), documents: loadAll(rest.join('\n')) as Applied['documents'] }
}

describe('the command', () => {
  it('is one that a shell takes as it is: a Role with exactly the rights, bound to us', () => {
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

  it('is, of what is in no namespace, a ClusterRole and its binding', () => {
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
  ])('binds the User %j and runs nothing of its name', (identity) => {
    const { documents } = paste(grantCommand('shop', identity, grants))
    expect(documents[1]?.subjects).toEqual([{ kind: 'User', name: identity, apiGroup: 'rbac.authorization.k8s.io' }])
  })

  it('binds a service account as one', () => {
    const { documents } = paste(grantCommand('shop', 'system:serviceaccount:ci:runner', grants))
    expect(documents[1]?.subjects).toEqual([{ kind: 'ServiceAccount', name: 'runner', namespace: 'ci' }])
  })

  it('takes no rule or subject away that an earlier one gave: each has a name of its own', () => {
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

  it('has nothing that the log would change', () => {
    const text = grantCommand('shop', 'a\u202eb\u009bc', grants)
    expect(text).not.toMatch(/[\u007f-\u009f\u202e]/)
    expect(load(text.split('subjects:\n')[1]?.replace(/\nEOF$/, '') ?? '')).toMatchObject([{ name: 'a\u202eb\u009bc' }])
  })
})

describe('the file with all of them', () => {
  it.each([
    ['kubeconfig', 'dev', 'developer.yaml'],
    ['kubeconfig', undefined, 'developer.yaml'],
    ['api-server', 'system:serviceaccount:ci:runner', 'developer.yaml'],
    ['cluster', undefined, 'google-service-account.yaml'],
    ['cluster', 'capture@shop-prod.iam.gserviceaccount.com', 'google-service-account.yaml'],
    ['kubeconfig', 'capture@shop-prod.iam.gserviceaccount.com', 'google-service-account.yaml'],
    ['kubeconfig', 'principal://iam.googleapis.com/x/subject/repo:o/r:y', 'google-service-account.yaml'],
    ['api-server', 'github:repo:octo-org/shop:environment:packet-capture', 'github-oidc.yaml'],
    ['api-server', 'repo:octo-org/shop:ref:refs/heads/main', 'github-oidc.yaml'],
  ] as const)('is, by %s as %s, %s', (input, identity, file) => {
    expect(grantFile(input, identity)).toBe(file)
  })
})
