import { googleEndpoints } from '../../../src/google/endpoints.ts'
import { refusal } from '../../support/refusal.ts'

const container = 'CLOUDSDK_API_ENDPOINT_OVERRIDES_CONTAINER'
const clusters = 'v1/projects/p/locations/l/clusters'

describe('googleEndpoints', () => {
  it('returns the addresses of the default universe when no variable is set', () => {
    const { universe, url } = googleEndpoints({})
    expect(universe).toBe('googleapis.com')
    expect(url('container', clusters)).toBe(`https://container.googleapis.com/${clusters}`)
    expect(url('compute', 'projects/p')).toBe('https://compute.googleapis.com/compute/v1/projects/p')
    expect(url('sts', 'v1/token')).toBe('https://sts.googleapis.com/v1/token')
    expect(url('connectgateway', 'v1/x', 'europe-west1')).toBe(
      'https://europe-west1-connectgateway.googleapis.com/v1/x',
    )
  })

  it.each([
    [{ CLOUDSDK_CORE_UNIVERSE_DOMAIN: 's3nsapis.fr' }],
    [{ GOOGLE_CLOUD_UNIVERSE_DOMAIN: 's3nsapis.fr' }],
    [{ CLOUDSDK_CORE_UNIVERSE_DOMAIN: 's3nsapis.fr', GOOGLE_CLOUD_UNIVERSE_DOMAIN: 'other.example' }],
  ])('returns the addresses of the universe of %j', (env) => {
    const { universe, url } = googleEndpoints(env)
    expect(universe).toBe('s3nsapis.fr')
    expect(url('iamcredentials', 'v1/x')).toBe('https://iamcredentials.s3nsapis.fr/v1/x')
  })

  it('returns the addresses of the universe of a credentials file when the environment sets none', () => {
    expect(googleEndpoints({}, 's3nsapis.fr').url('sts', 'x')).toBe('https://sts.s3nsapis.fr/x')
    expect(googleEndpoints({ CLOUDSDK_CORE_UNIVERSE_DOMAIN: 'a.example' }, 's3nsapis.fr').universe).toBe('a.example')
  })

  it.each([
    'container',
    'compute',
    'oslogin',
    'iamcredentials',
    'cloudresourcemanager',
    'gkehub',
    'connectgateway',
    'sts',
  ] as const)("replaces %s with the value of gcloud's variable, for any region", (service) => {
    const env = { [`CLOUDSDK_API_ENDPOINT_OVERRIDES_${service.toUpperCase()}`]: 'https://private.example/base/' }
    expect(googleEndpoints(env).url(service, 'v1/x')).toBe('https://private.example/base/v1/x')
    expect(googleEndpoints(env).url(service, 'v1/x', 'europe-west1')).toBe('https://private.example/base/v1/x')
  })

  it('keeps the path of compute when the override has no path', () => {
    const name = 'CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE'
    expect(googleEndpoints({ [name]: 'https://compute-x.p.googleapis.com/' }).url('compute', 'projects/p')).toBe(
      'https://compute-x.p.googleapis.com/compute/v1/projects/p',
    )
    expect(googleEndpoints({ [name]: 'http://127.0.0.1:9000/compute/v1/' }).url('compute', 'projects/p')).toBe(
      'http://127.0.0.1:9000/compute/v1/projects/p',
    )
  })

  it.each([
    'http://127.0.0.1:9000/',
    'http://127.8.9.1/x/',
    'http://localhost:1/',
    'http://[::1]:9000/',
    'HTTPS://container.example/',
  ])('accepts %s', (value) => {
    expect(googleEndpoints({ [container]: value }).url('container', clusters)).toMatch(new RegExp(`/${clusters}$`))
  })

  it.each(['http://10.0.0.1/', 'http://container.example/', 'http://localhost.example/', 'http://127.0.0.1.example/'])(
    'rejects HTTP to %s, because requests contain tokens',
    async (value) => {
      expect(await refusal(() => googleEndpoints({ [container]: value }))).toMatch(
        /^CLOUDSDK_API_ENDPOINT_OVERRIDES_CONTAINER: ".*plain http, which is allowed for a loopback address only/,
      )
    },
  )

  it.each([
    'https://container.example',
    'container.example/',
    'ftp://x/',
    'https://a.example/?x=/',
    'https://u:p@a.example/',
    'https:///',
  ])('rejects %s, which gcloud rejects too or cannot use', async (value) => {
    expect(await refusal(() => googleEndpoints({ [container]: value }))).toContain('with a slash at the end')
  })

  it('reports every invalid variable at once', async () => {
    const message = await refusal(() =>
      googleEndpoints({
        [container]: 'nowhere',
        CLOUDSDK_API_ENDPOINT_OVERRIDES_STS: 'http://sts.example/',
        GOOGLE_CLOUD_UNIVERSE_DOMAIN: 'https://x',
      }),
    )
    expect(message.split('\n')).toEqual([
      'The run failed with 3 problems.',
      expect.stringMatching(/^- GOOGLE_CLOUD_UNIVERSE_DOMAIN/),
      expect.stringMatching(/^- CLOUDSDK_API_ENDPOINT_OVERRIDES_CONTAINER/),
      expect.stringMatching(/^- CLOUDSDK_API_ENDPOINT_OVERRIDES_STS/),
    ])
  })
})
