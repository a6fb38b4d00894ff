import { readAccess, type Access } from '../../src/access-input.ts'

function read(inputs: Record<string, string>): { access: Access; problems: string[] } {
  const problems: string[] = []
  const access = readAccess(
    (name) => inputs[name] ?? '',
    (text) => problems.push(text),
  )
  return { access, problems }
}
const accepted = (inputs: Record<string, string>): Access => {
  const { access, problems } = read(inputs)
  expect(problems).toEqual([])
  return access
}
const full = 'projects/shop-prod/locations/europe-west1/clusters/shop'

describe('a kubeconfig', () => {
  it('is the way in where nothing else is said', () => {
    expect(accepted({})).toEqual({ kind: 'kubeconfig', source: { kind: 'default' }, context: undefined })
    expect(accepted({ context: 'eu' })).toMatchObject({ kind: 'kubeconfig', context: 'eu' })
    expect(accepted({ endpoint: 'auto' })).toMatchObject({ kind: 'kubeconfig' }) // action.yml's default
  })

  it.each([
    ['ci/kubeconfig.yaml', { kind: 'path', path: 'ci/kubeconfig.yaml' }],
    ['apiVersion: v1\nkind: Config', { kind: 'content', content: 'apiVersion: v1\nkind: Config' }],
    ['{"kind":"Config"}', { kind: 'content', content: '{"kind":"Config"}' }],
  ])('is a path or the content: %j', (kubeconfig, source) => {
    expect(accepted({ kubeconfig })).toMatchObject({ source })
  })
})

describe('api-server', () => {
  it('takes a token, or an audience', () => {
    expect(accepted({ 'api-server': 'https://k8s.example:6443/', token: 't' })).toEqual({
      kind: 'direct',
      server: 'https://k8s.example:6443',
      certificateAuthority: undefined,
      credential: { kind: 'token', token: 't' },
    })
    expect(
      accepted({ 'api-server': 'https://k8s.example/base', 'oidc-audience': 'k8s', 'certificate-authority': 'ca.crt' }),
    ).toEqual({
      kind: 'direct',
      server: 'https://k8s.example/base',
      certificateAuthority: 'ca.crt',
      credential: { kind: 'oidc', audience: 'k8s' },
    })
  })

  it.each(['http://k8s.example', 'k8s.example', 'https://', 'https://k8s.example?x=1', 'https://a b'])(
    'is an https URL, not %j',
    (server) => {
      expect(read({ 'api-server': server, token: 't' }).problems).toEqual([
        `api-server: got ${JSON.stringify(server.replace(/\/+$/, ''))}, takes an https URL`,
      ])
    },
  )

  it('needs one of token and oidc-audience, not both', () => {
    expect(read({ 'api-server': 'https://k8s.example' }).problems).toEqual([
      'api-server: needs `oidc-audience` (an API server that trusts GitHub as issuer) or `token`',
    ])
    expect(read({ 'api-server': 'https://k8s.example', token: 't', 'oidc-audience': 'k8s' }).problems).toEqual([
      'oidc-audience, token: each of them is a way to authenticate; set one',
    ])
  })
})

describe('cluster', () => {
  it('is a full name, or a name in a location; the project may be that of the credentials', () => {
    expect(accepted({ cluster: full })).toMatchObject({ kind: 'gke', cluster: full, endpoint: 'auto' })
    expect(accepted({ cluster: full.replace('locations', 'zones') })).toMatchObject({ kind: 'gke' })
    expect(accepted({ cluster: 'shop', location: 'europe-west1', 'project-id': 'shop-prod' })).toEqual({
      ...{ kind: 'gke', cluster: 'shop', location: 'europe-west1', projectId: 'shop-prod', endpoint: 'auto' },
      ...{ workloadIdentityProvider: undefined, serviceAccount: undefined },
    })
    expect(accepted({ cluster: 'shop', location: 'europe-west1' })).toMatchObject({ projectId: undefined })
  })

  it('goes with the identity and the endpoint that are given', () => {
    const provider = 'projects/1/locations/global/workloadIdentityPools/github/providers/octo-org'
    const identity = { 'workload-identity-provider': provider, 'service-account': 'a@b.example' }
    expect(accepted({ cluster: full, endpoint: 'connect-gateway', ...identity })).toMatchObject({
      ...{ endpoint: 'connect-gateway', workloadIdentityProvider: provider, serviceAccount: 'a@b.example' },
    })
  })

  it.each(['Shop', 'a/b', 'projects/p/clusters/c', '-shop'])('is not %j', (cluster) => {
    expect(read({ cluster, location: 'x' }).problems).toEqual([
      `cluster: got ${JSON.stringify(cluster)}, takes projects/P/locations/L/clusters/C, or a name with location and project-id`,
    ])
  })

  it('by its name alone needs a location', () => {
    expect(read({ cluster: 'shop', 'project-id': 'shop-prod' }).problems).toEqual([
      expect.stringMatching(/^cluster: a name alone needs `location` beside it/),
    ])
  })

  it('is taken as the link that GKE gives', () => {
    const cluster = `https://container.googleapis.com/v1/${full}`
    expect(accepted({ cluster })).toMatchObject({ kind: 'gke', cluster })
  })

  it('and who enters it are spelled wrong: all is told at once', () => {
    const { problems } = read({
      ...{ cluster: 'Shop', location: 'Europe West', 'project-id': 'shop/prod' },
      ...{ 'workload-identity-provider': 'foo', 'service-account': 'bar' },
    })
    expect(problems.map((text) => text.split(':')[0])).toEqual([
      ...['cluster', 'location', 'project-id', 'workload-identity-provider', 'service-account'],
    ])
  })

  it('by its full name takes the same location and project beside it, and no others', () => {
    accepted({ cluster: full, location: 'europe-west1', 'project-id': 'shop-prod' })
    accepted({ cluster: full, 'project-id': '123456' }) // its number is not known here
    expect(read({ cluster: full, location: 'us-east1', 'project-id': 'other' }).problems).toEqual([
      'location: got "us-east1", but cluster names "europe-west1"; leave it out',
      'project-id: got "other", but cluster names "shop-prod"; leave it out',
    ])
  })

  it('takes a service account only together with the provider', () => {
    expect(read({ cluster: full, 'service-account': 'a@b.example' }).problems).toEqual([
      expect.stringMatching(/^service-account: goes with workload-identity-provider, which is not set/),
    ])
  })

  it('has an endpoint of a known kind', () => {
    expect(read({ cluster: full, endpoint: 'public' }).problems).toEqual([
      'endpoint: got "public", takes auto, dns, ip, private, connect-gateway',
    ])
  })
})

describe('inputs that do not go together are told, each by its name', () => {
  it('two ways in', () => {
    const { problems } = read({ kubeconfig: 'a', 'api-server': 'https://k8s.example', cluster: full, token: 't' })
    expect(problems[0]).toBe(
      'kubeconfig, api-server, cluster: each of them is a way into a cluster of its own; set one',
    )
  })

  it.each([
    ['certificate-authority', 'api-server'],
    ['oidc-audience', 'api-server'],
    ['token', 'api-server'],
    ['location', 'cluster'],
    ['project-id', 'cluster'],
    ['workload-identity-provider', 'cluster'],
    ['service-account', 'cluster'],
  ])('%s without %s', (name, owner) => {
    expect(read({ [name]: 'x' }).problems).toEqual([`${name}: goes with ${owner}, which is not set`])
  })

  it('an endpoint without cluster', () => {
    expect(read({ endpoint: 'dns' }).problems).toEqual(['endpoint: goes with cluster, which is not set'])
  })

  it.each([
    ['api-server', { 'api-server': 'https://k8s.example', token: 't' }],
    ['cluster', { cluster: full }],
  ])('a context with %s', (way, inputs) => {
    expect(read({ ...inputs, context: 'eu' }).problems).toEqual([`context: goes with a kubeconfig, not with ${way}`])
  })

  it('a token is never shown', () => {
    expect(read({ token: 's3cret', 'oidc-audience': 'x', cluster: 'X' }).problems.join('\n')).not.toContain('s3cret')
  })
})
