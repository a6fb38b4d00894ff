import { ConfigurationError } from '../../../src/common/errors.ts'
import { checkProxyAddress } from '../../../src/common/proxy.ts'

it.each(['http://proxy.example:3128', 'https://dev:s3cret@10.0.0.1:443', 'http://[::1]:3128'])(
  'accepts %s as the address of a proxy',
  (address) => {
    expect(() => checkProxyAddress(address, ['http:', 'https:'], { input: 'x', subject: 'x' })).not.toThrow()
  },
)

it.each(['', 'proxy', 'ftp://a.example', 'http://', 'dev:s3cret@no address'])(
  'rejects %j with the setting, the accepted form and no password',
  (address) => {
    const check = (): void => checkProxyAddress(address, ['http:'], { input: 'HTTPS_PROXY', subject: 'the value' })
    expect(check).toThrow(ConfigurationError)
    expect(check).toThrow(/^HTTPS_PROXY: the value ".*" is not the address of a proxy\. Set it to http:\/\/HOST:PORT/)
    expect(check).not.toThrow(/s3cret/)
  },
)
