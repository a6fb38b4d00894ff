import { googleEndpoints } from '../../../src/google/endpoints.ts'
import { refusal } from './refusal.ts'

const container = 'CLOUDSDK_API_ENDPOINT_OVERRIDES_CONTAINER'
const clusters = 'v1/projects/p/locations/l/clusters'

describe('the endpoints of Google', () => {
  it("are the default universe's where nothing is said", () => {
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
  ])('are of the universe of %j', (env) => {
    const { universe, url } = googleEndpoints(env)
    expect(universe).toBe('s3nsapis.fr')
    expect(url('iamcredentials', 'v1/x')).toBe('https://iamcredentials.s3nsapis.fr/v1/x')
  })

  it("are of a credentials file's universe where the environment names none", () => {
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
  ] as const)("%s is replaced by gcloud's variable, whatever the region", (service) => {
    const env = { [`CLOUDSDK_API_ENDPOINT_OVERRIDES_${service.toUpperCase()}`]: 'https://private.example/base/' }
    expect(googleEndpoints(env).url(service, 'v1/x')).toBe('https://private.example/base/v1/x')
    expect(googleEndpoints(env).url(service, 'v1/x', 'europe-west1')).toBe('https://private.example/base/v1/x')
  })

  it('keep the path of compute where the replacement has none', () => {
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
  ])('take %s', (value) => {
    expect(googleEndpoints({ [container]: value }).url('container', clusters)).toMatch(new RegExp(`/${clusters}$`))
  })

  it.each(['http://10.0.0.1/', 'http://container.example/', 'http://localhost.example/', 'http://127.0.0.1.example/'])(
    'refuse plain http to %s: tokens go there',
    async (value) => {
      expect(await refusal(() => googleEndpoints({ [container]: value }))).toMatch(
        /^CLOUDSDK_API_ENDPOINT_OVERRIDES_CONTAINER: got ".*plain http for a loopback address only/,
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
  ])('refuse %s, which gcloud refuses too or cannot use', async (value) => {
    expect(await refusal(() => googleEndpoints({ [container]: value }))).toContain('with a slash at the end')
  })

  it('tell every variable that is wrong at once', async () => {
    const message = await refusal(() =>
      googleEndpoints({
        [container]: 'nowhere',
        CLOUDSDK_API_ENDPOINT_OVERRIDES_STS: 'http://sts.example/',
        GOOGLE_CLOUD_UNIVERSE_DOMAIN: 'https://x',
      }),
    )
    expect(message.split('\n')).toEqual([
      expect.stringMatching(/^GOOGLE_CLOUD_UNIVERSE_DOMAIN/),
      expect.stringMatching(/^CLOUDSDK_API_ENDPOINT_OVERRIDES_CONTAINER/),
      expect.stringMatching(/^CLOUDSDK_API_ENDPOINT_OVERRIDES_STS/),
    ])
  })
})
