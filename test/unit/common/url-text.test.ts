import { hostForMessage, urlForMessage } from '../../../src/common/url-text.ts'
import { relayUrl } from '../../../src/google/iap/relay-url.ts'
import { googleEndpoints } from '../../../src/google/endpoints.ts'
import { parseProvider, parseServiceAccount } from '../../../src/common/workload-identity.ts'
import { checkProxyAddress } from '../../../src/common/proxy.ts'
import { parseClusterName } from '../../../src/google/gke/cluster-name.ts'
import { messageOf } from '../../../src/common/errors.ts'

const secret = 'S3cret'
const urls = [
  `https://user:${secret}@host.example`,
  `https://${secret}@host.example/`,
  `https://host.example/?token=${secret}`,
  `https://host.example/#${secret}`,
  `http://user:${secret}@host.example:99999`,
  `http://user:x/${secret}@host.example`,
  `http://user:x?${secret}@host.example`,
  `http://user:x#${secret}@host.example`,
  `http://user:${secret}@`,
  `ftp://user:${secret}@host.example`,
  `wss://user:${secret}@host.example?x=${secret}`,
  `socks5://user:${secret}@host.example`,
  `HTTPS://user:${secret}@HOST.example`,
]

it.each(urls)('shows no user, password, query or fragment of %s', (url) => {
  expect(urlForMessage(url)).not.toContain(secret)
  expect(hostForMessage(url)).not.toContain(secret)
})

it.each([
  ['https://host.example:8443/base', 'https://host.example:8443/base', 'https://host.example:8443'],
  ['https://u:p@host.example/base?x#y', 'https://…@host.example/base?…', 'https://host.example'],
  ['host.example', 'host.example', '(not shown)'],
  ['user:pass@host.example', 'user:pass@host.example', '(not shown)'],
])('shows the rest: %s', (url, shown, host) => {
  expect(urlForMessage(url)).toBe(shown)
  expect(hostForMessage(url)).toBe(host)
})

describe.each(urls)('the address %s', (url) => {
  it.each<[string, () => unknown]>([
    ['IAP_TUNNEL_URL_OVERRIDE', () => relayUrl({ IAP_TUNNEL_URL_OVERRIDE: url }, 'googleapis.com')],
    [
      'CLOUDSDK_API_ENDPOINT_OVERRIDES_STS, the token endpoint',
      () => googleEndpoints({ CLOUDSDK_API_ENDPOINT_OVERRIDES_STS: url }),
    ],
    ['CLOUDSDK_CORE_UNIVERSE_DOMAIN', () => googleEndpoints({ CLOUDSDK_CORE_UNIVERSE_DOMAIN: url })],
    ['workload-identity-provider', () => parseProvider(url)],
    ['service-account', () => parseServiceAccount(url)],
    ['cluster', () => parseClusterName({ cluster: url })],
    ['a proxy', () => checkProxyAddress(url, [], { input: 'HTTPS_PROXY', subject: 'the value' })],
  ])('is not shown with its secret as %s', (_what, use) => {
    let message = 'no error'
    try {
      use()
    } catch (error) {
      message = messageOf(error)
    }
    expect(message).not.toBe('no error')
    expect(message).not.toContain(secret)
  })
})
