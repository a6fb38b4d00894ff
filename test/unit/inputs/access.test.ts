import type { Problem } from '../../../src/common/errors.ts'
import { readAccess, type Access } from '../../../src/inputs/access.ts'
import { InputReader } from '../../../src/inputs/reader.ts'

function read(given: Record<string, string>): { access: Access; problems: readonly Problem[] } {
  const inputs = new InputReader((name) => given[name])
  return { access: readAccess(inputs), problems: inputs.problems }
}
const accepted = (inputs: Record<string, string>): Access => {
  const { access, problems } = read(inputs)
  expect(problems).toEqual([])
  return access
}
/** The code, the input and the text of each problem. */
const refused = (inputs: Record<string, string>): readonly (readonly [string, string, string])[] =>
  read(inputs).problems.map(({ code, input, problem, fix }) => [code, input, `${problem}. ${fix}`])
const full = 'projects/shop-prod/locations/europe-west1/clusters/shop'

describe('a kubeconfig', () => {
  it('is used when no other input selects a cluster', () => {
    expect(accepted({})).toEqual({
      ...{ kind: 'kubeconfig', source: { kind: 'default' }, context: undefined, pluginVariables: [] },
    })
    expect(accepted({ context: 'eu' })).toMatchObject({ kind: 'kubeconfig', context: 'eu' })
    expect(accepted({ endpoint: 'auto' })).toMatchObject({ kind: 'kubeconfig' }) // the default of action.yml
  })

  it.each([
    ['ci/kubeconfig.yaml', { kind: 'path', path: 'ci/kubeconfig.yaml' }],
    ['apiVersion: v1\nkind: Config', { kind: 'content', content: 'apiVersion: v1\nkind: Config' }],
    ['{"kind":"Config"}', { kind: 'content', content: '{"kind":"Config"}' }],
  ])('is a path or the content: %j', (kubeconfig, source) => {
    expect(accepted({ kubeconfig })).toMatchObject({ source })
  })

  const content = 'apiVersion: v1\nkind: Config\nclusters: []\n'
  it.each([
    ['base64', Buffer.from(content).toString('base64')],
    [
      'base64 over several lines',
      Buffer.from(content)
        .toString('base64')
        .replace(/(.{20})/g, '$1\n'),
    ],
    ['base64 of UTF-16', Buffer.from(`\uFEFF${content}`, 'utf16le').toString('base64')],
  ])('may be %s, which is decoded', (_what, kubeconfig) => {
    expect(accepted({ kubeconfig })).toMatchObject({ source: { kind: 'content', content, wasBase64: true } })
  })

  it('is rejected as base64 of something else, without its value', () => {
    const kubeconfig = Buffer.from('s3cret '.repeat(40)).toString('base64')
    expect(refused({ kubeconfig })).toEqual([
      ['E_INPUT_INVALID', 'kubeconfig', expect.stringMatching(/^is base64, but not of a kubeconfig\. Use/)],
    ])
  })
})

describe('api-server', () => {
  it('is accepted with a token or with an audience', () => {
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

  it.each([
    ...['http://k8s.example', 'k8s.example', 'https://', 'https://a b', 'https://k8s.example\\\\x'].map((url) => [
      url,
      url,
    ]),
    ['https://k8s.example?x=S3cret', 'https://k8s.example?…'],
    ['https://k8s.example/base#S3cret', 'https://k8s.example/base?…'],
    ['https://dev:S3cret@k8s.example', 'https://…@k8s.example'],
    ['https://dev:S3cret@k8s.example:99999', '(not shown)'],
  ])('is rejected when it is not an https URL, and never shows what may be secret: %j', (server, shown) => {
    expect(refused({ 'api-server': server, token: 't' })).toEqual([
      [
        'E_INPUT_INVALID',
        'api-server',
        `${JSON.stringify(shown)} is not valid. Use an https URL without user, query and fragment.`,
      ],
    ])
  })

  it('requires either token or oidc-audience', () => {
    expect(refused({ 'api-server': 'https://k8s.example' })).toEqual([
      ['E_INPUT_MISSING', 'api-server', expect.stringMatching(/no credentials .* Set `oidc-audience` .* or `token`\./)],
    ])
    expect(refused({ 'api-server': 'https://k8s.example', token: 't', 'oidc-audience': 'k8s' })).toEqual([
      ['E_INPUT_CONFLICT', 'oidc-audience, token', expect.stringMatching(/both are set. Set one of them\.$/)],
    ])
  })
})

describe('cluster', () => {
  it('can be a full name, or a name with a location; the project can come from the credentials', () => {
    expect(accepted({ cluster: full })).toMatchObject({ kind: 'gke', cluster: full, endpoint: 'auto' })
    expect(accepted({ cluster: full.replace('locations', 'zones') })).toMatchObject({ kind: 'gke' })
    expect(accepted({ cluster: 'shop', location: 'europe-west1', 'project-id': 'shop-prod' })).toEqual({
      ...{ kind: 'gke', cluster: 'shop', location: 'europe-west1', projectId: 'shop-prod', endpoint: 'auto' },
      ...{ workloadIdentityProvider: undefined, serviceAccount: undefined },
    })
    expect(accepted({ cluster: 'shop', location: 'europe-west1' })).toMatchObject({ projectId: undefined })
  })

  it('is accepted with its identity and endpoint', () => {
    const provider = 'projects/1/locations/global/workloadIdentityPools/github/providers/octo-org'
    const identity = { 'workload-identity-provider': provider, 'service-account': 'a@b.example' }
    expect(accepted({ cluster: full, endpoint: 'connect-gateway', ...identity })).toMatchObject({
      ...{ endpoint: 'connect-gateway', workloadIdentityProvider: provider, serviceAccount: 'a@b.example' },
    })
  })

  it.each([
    ...['Shop', 'a/b', 'projects/p/clusters/c', '-shop', 'shop-'],
    ...[
      'projects/../locations/l/clusters/c',
      'projects/p/locations/../clusters/c',
      'projects/p/locations/l/clusters/..',
    ],
    ...[
      'projects/./locations/l/clusters/c',
      'projects/-/locations/l/clusters/c',
      'projects/p:q/locations/l/clusters/c',
    ],
    ...[
      'projects/p/locations/-/clusters/c',
      'projects/%2e%2e/locations/l/clusters/c',
      'projects/p-/locations/l/clusters/c',
    ],
  ])('is rejected with the value %j', (cluster) => {
    expect(refused({ cluster, location: 'x' })).toEqual([
      [
        'E_INPUT_INVALID',
        'cluster',
        `${JSON.stringify(cluster)} is not valid. Use projects/P/locations/L/clusters/C, or a name with \`location\` and \`project-id\`.`,
      ],
    ])
  })

  it('requires a location when it is only a name', () => {
    expect(refused({ cluster: 'shop', 'project-id': 'shop-prod' })).toEqual([
      ['E_INPUT_MISSING', 'cluster', expect.stringMatching(/^a name without a location .* Set `location`/)],
    ])
  })

  it('can be the link that GKE shows', () => {
    const cluster = `https://container.googleapis.com/v1/${full}`
    expect(accepted({ cluster })).toMatchObject({ kind: 'gke', cluster })
  })

  it('is reported with every invalid part of the cluster and its identity at once', () => {
    const { problems } = read({
      ...{ cluster: 'Shop', location: 'Europe West', 'project-id': 'shop/prod' },
      ...{ 'workload-identity-provider': 'foo', 'service-account': 'bar' },
    })
    expect(problems.map(({ input, problem }) => input || problem.split(':')[0])).toEqual([
      ...['cluster', 'location', 'project-id', 'workload-identity-provider', 'service-account'],
    ])
  })

  it('with its full name accepts only the same location and project in other inputs', () => {
    accepted({ cluster: full, location: 'europe-west1', 'project-id': 'shop-prod' })
    accepted({ cluster: full, 'project-id': '123456' }) // the number of a project is not compared with its id
    expect(refused({ cluster: full, location: 'us-east1', 'project-id': 'other' })).toEqual([
      ['E_INPUT_CONFLICT', 'location', 'is "us-east1", but `cluster` names "europe-west1". Remove `location`.'],
      ['E_INPUT_CONFLICT', 'project-id', 'is "other", but `cluster` names "shop-prod". Remove `project-id`.'],
    ])
  })

  it('accepts a service account only with a provider', () => {
    expect(refused({ cluster: full, 'service-account': 'a@b.example' })).toEqual([
      [
        'E_INPUT_UNUSED',
        'service-account',
        expect.stringMatching(/^has no effect without `workload-identity-provider`/),
      ],
    ])
  })

  it('rejects an endpoint of an unknown kind', () => {
    expect(refused({ cluster: full, endpoint: 'public' })).toEqual([
      ['E_INPUT_INVALID', 'endpoint', '"public" is not valid. Use auto, dns, ip, private or connect-gateway.'],
    ])
  })
})

describe('inputs that exclude each other', () => {
  it('are reported together when they select several clusters', () => {
    expect(refused({ kubeconfig: 'a', 'api-server': 'https://k8s.example', cluster: full, token: 't' })[0]).toEqual([
      'E_INPUT_CONFLICT',
      'kubeconfig, api-server, cluster',
      'each of these inputs selects a cluster, and more than one is set. Set one of them.',
    ])
  })
})

describe('reports an input that has no effect', () => {
  it.each([
    ['certificate-authority', 'api-server'],
    ['oidc-audience', 'api-server'],
    ['token', 'api-server'],
    ['location', 'cluster'],
    ['project-id', 'cluster'],
    ['workload-identity-provider', 'cluster'],
    ['service-account', 'cluster'],
  ])('%s without %s', (name, owner) => {
    expect(refused({ [name]: 'x' })).toEqual([
      ['E_INPUT_UNUSED', name, `has no effect without \`${owner}\`. Set \`${owner}\`, or remove \`${name}\`.`],
    ])
  })

  it('endpoint without cluster', () => {
    expect(refused({ endpoint: 'dns' })).toEqual([
      ['E_INPUT_UNUSED', 'endpoint', 'has no effect without `cluster`. Set `cluster`, or remove `endpoint`.'],
    ])
  })

  it.each([
    ['api-server', { 'api-server': 'https://k8s.example', token: 't' }],
    ['cluster', { cluster: full }],
  ])('context with %s', (selector, inputs) => {
    expect(refused({ ...inputs, context: 'eu' })).toEqual([
      ['E_INPUT_UNUSED', 'context', expect.stringContaining(`has no effect with \`${selector}\``)],
    ])
  })

  it('and never shows a token', () => {
    const { problems } = read({ token: 's3cret', 'oidc-audience': 'x', cluster: 'X' })
    expect(JSON.stringify(problems)).not.toContain('s3cret')
  })
})
