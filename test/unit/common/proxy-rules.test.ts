import { chooseProxy } from '../../../src/common/proxy-rules.ts'

const proxy = 'http://proxy.example:3128'

function goesThroughProxy(server: string, noProxy: string): boolean {
  return chooseProxy(new URL(server), { HTTPS_PROXY: proxy, HTTP_PROXY: proxy, NO_PROXY: noProxy }) !== undefined
}

// The cases of Go's own test (x/net/http/httpproxy, proxy_test.go), as rows: HTTP_PROXY, HTTPS_PROXY, NO_PROXY, the server, the proxy.
it.each([
  ['127.0.0.1:8080', '', '', 'http://example.com', 'http://127.0.0.1:8080'],
  ['cache.corp.example.com:1234', '', '', 'http://example.com', 'http://cache.corp.example.com:1234'],
  ['cache.corp.example.com', '', '', 'http://example.com', 'http://cache.corp.example.com'],
  ['localhost', '', '', 'http://example.com', 'http://localhost'],
  ['https://cache.corp.example.com', '', '', 'http://example.com', 'https://cache.corp.example.com'],
  ['http://127.0.0.1:8080', '', '', 'http://example.com', 'http://127.0.0.1:8080'],
  ['https://127.0.0.1:8080', '', '', 'http://example.com', 'https://127.0.0.1:8080'],
  ['socks5://127.0.0.1', '', '', 'http://example.com', 'socks5://127.0.0.1'],
  ['foo://host', '', '', 'http://example.com', 'foo://host'],
  ['http.proxy.tld', 'secure.proxy.tld', '', 'http://insecure.tld/', 'http://http.proxy.tld'],
  ['http.proxy.tld', 'secure.proxy.tld', '', 'https://secure.tld/', 'http://secure.proxy.tld'],
  ['http.proxy.tld', 'https://secure.proxy.tld', '', 'https://secure.tld/', 'https://secure.proxy.tld'],
  ['http.proxy.tld', '', '', 'https://secure.tld/', undefined],
  ['http.proxy.tld', '', '', 'ftp://insecure.tld/', undefined],
  ['', '', '', 'http://example.com', undefined],
  ['proxy', '', 'example.com', 'http://example.com/', undefined],
  ['proxy', '', '.example.com', 'http://example.com/', 'http://proxy'],
  ['proxy', '', 'ample.com', 'http://example.com/', 'http://proxy'],
  ['proxy', '', 'example.com', 'http://foo.example.com/', undefined],
  ['proxy', '', '.foo.com', 'http://example.com/', 'http://proxy'],
  ['proxy', '', '.示例.com', 'http://www.示例.com', undefined],
  ['proxy', '', 'xn--fsq092h.com', 'http://www.示例.com', undefined],
  ['proxy', '', '示例.com', 'http://www.xn--fsq092h.com', undefined],
])(
  'with HTTP_PROXY=%s HTTPS_PROXY=%s NO_PROXY=%s the server %s has the proxy %s',
  (http, https, no, server, wanted) => {
    const env = { HTTP_PROXY: http, HTTPS_PROXY: https, NO_PROXY: no }
    expect(chooseProxy(new URL(server), env)?.address).toBe(wanted)
  },
)

// The second table of the same file.
const mixedNoProxy =
  'foobar.com, .barbaz.net, *.wildcard.io, 192.168.1.1, 192.168.1.2:81, 192.168.1.3:80, 10.0.0.0/30, ' +
  '2001:db8::52:0:1, [2001:db8::52:0:2]:443, [2001:db8::52:0:3]:80, 2002:db8:a::45/64'
const mixedServers = {
  direct: [
    ...['localhost', '127.0.0.1', '127.0.0.2', '[::1]', '192.168.1.1', '192.168.1.3', '10.0.0.2'],
    ...['[2001:db8::52:0:1]', '[2001:db8::52:0:3]', '[2002:db8:a::123]'],
    ...['www.barbaz.net', 'foobar.com', 'www.foobar.com', 'nested.wildcard.io'],
  ],
  proxied: [
    ...['[::2]', '192.168.1.2', '192.168.1.4', '[2001:db8::52:0:2]', '[fe80::424b:c8be:1643:a1b6]'],
    ...['barbaz.net', 'foofoobar.com', 'baz.com', 'localhost.net', 'local.localhost', 'barbarbaz.net'],
    ...['wildcard.io', 'awildcard.io'],
  ],
}
it('follows a NO_PROXY with entries of every kind', () => {
  const isProxied = (host: string): boolean => goesThroughProxy(`http://${host}:80`, mixedNoProxy)
  expect(mixedServers.direct.filter(isProxied)).toEqual([])
  expect(mixedServers.proxied.filter((host) => !isProxied(host))).toEqual([])
})
it('reaches every server directly with NO_PROXY=*', () => {
  const servers = [...mixedServers.direct, ...mixedServers.proxied]
  expect(servers.filter((host) => goesThroughProxy(`http://${host}:80`, '*'))).toEqual([])
})

describe('in a CGI program, which has REQUEST_METHOD', () => {
  const env = { HTTP_PROXY: 'http://10.1.2.3:8080', HTTPS_PROXY: proxy, REQUEST_METHOD: 'PUT' }
  it('refuses HTTP_PROXY, which the client of a request sets', () => {
    expect(() => chooseProxy(new URL('http://example.com'), env)).toThrow(/^HTTP_PROXY: is not used/)
  })
  it('uses HTTPS_PROXY', () => {
    expect(chooseProxy(new URL('https://example.com'), env)?.address).toBe(proxy)
  })
})

describe('the proxy is read from', () => {
  it.each([
    ['HTTPS_PROXY for https', 'https://a.example', { HTTPS_PROXY: proxy }, 'HTTPS_PROXY'],
    ['HTTPS_PROXY for wss', 'wss://a.example', { HTTPS_PROXY: proxy }, 'HTTPS_PROXY'],
    ['HTTP_PROXY for http', 'http://a.example', { HTTP_PROXY: proxy }, 'HTTP_PROXY'],
    [
      'upper case before lower case',
      'https://a.example',
      { https_proxy: 'http://b:1', HTTPS_PROXY: proxy },
      'HTTPS_PROXY',
    ],
    [
      'lower case where upper case is empty',
      'https://a.example',
      { https_proxy: proxy, HTTPS_PROXY: '' },
      'https_proxy',
    ],
    ['not HTTP_PROXY for https', 'https://a.example', { HTTP_PROXY: proxy }, undefined],
    ['not ALL_PROXY, which Go does not read', 'https://a.example', { ALL_PROXY: proxy }, undefined],
    ['none where nothing is set', 'https://a.example', {}, undefined],
  ])('%s', (_case, server, env, variable) => {
    expect(chooseProxy(new URL(server), env)?.variable).toBe(variable)
  })

  it.each([
    ['proxy.example:3128', 'http://proxy.example:3128'],
    ['proxy.example', 'http://proxy.example'],
    ['socks5://proxy.example:1080', 'socks5://proxy.example:1080'],
    ['https://user:password@proxy.example', 'https://user:password@proxy.example'],
  ])('reads the address %s as %s', (value, address) => {
    expect(chooseProxy(new URL('https://a.example'), { HTTPS_PROXY: value })?.address).toBe(address)
  })
})

// Each row: NO_PROXY, servers that are reached directly, servers that are reached through the proxy. Every row gives
// the same result with golang.org/x/net/http/httpproxy 0.30.0.
describe.each<[string, readonly string[], readonly string[]]>([
  [
    '',
    ['https://localhost:6443', 'https://127.0.0.1:6443', 'https://127.9.9.9', 'https://[::1]:6443'],
    ['https://foo.com'],
  ],
  ['*', ['https://foo.com', 'https://10.244.0.1', 'https://[fe80::2]'], []],
  ['*,foo', ['https://bar.org', 'https://10.244.0.1'], []],
  [
    'foo.com',
    ['https://foo.com', 'https://foo.com:6443', 'https://api.foo.com'],
    ['https://barfoo.com', 'https://foo.com.:443'],
  ],
  ['.foo.com', ['https://api.foo.com'], ['https://foo.com']],
  ['*.foo.com', ['https://api.foo.com'], ['https://foo.com', 'https://barfoo.com']],
  ['foo.com:6443', ['https://foo.com:6443'], ['https://foo.com', 'https://api.foo.com']],
  ['foo.com:443', ['https://foo.com', 'https://api.foo.com'], ['https://foo.com:6443']],
  [' foo.com , bar.org', ['https://foo.com', 'https://bar.org'], ['https://foo.org']],
  ['FOO.COM', ['https://foo.com'], []],
  ['10.244.0.0/16', ['https://10.244.0.1:6443', 'http://10.244.0.1:8080'], ['https://10.245.0.1', 'https://[fe80::2]']],
  ['192.168.0.0/16,10.0.0.0/8', ['https://10.244.0.1', 'https://10.245.0.1'], ['https://11.0.0.1']],
  ['10.244.0.1', ['https://10.244.0.1', 'https://10.244.0.1:6443'], ['https://10.244.0.2']],
  ['10.244.0.1:6443', ['https://10.244.0.1:6443'], ['https://10.244.0.1']],
  ['::ffff:10.244.0.1', ['https://10.244.0.1'], ['https://10.245.0.1']],
  ['fd00::1', ['https://[fd00::1]:6443'], ['https://[fd00::2]']],
  ['[fd00::1]:6443', ['https://[fd00::1]:6443'], ['https://[fd00::1]']],
  ['[fd00::1]', [], ['https://[fd00::1]:6443']],
  ['fd00::/8', ['https://[fd00::1]:6443'], ['https://[fe80::2]', 'https://10.244.0.1']],
  ['0.0.0.0/0', ['https://10.244.0.1'], ['https://[fe80::2]', 'https://foo.com']],
  ['::/0', ['https://[fe80::2]'], ['https://10.244.0.1', 'https://foo.com']],
  ['10.244.0.0/33', [], ['https://10.244.0.1']],
  ['10.244', [], ['https://10.244.0.1']],
  ['.244.0.1', [], ['https://10.244.0.1']],
  ['com', ['https://foo.com', 'https://api.foo.com'], ['https://foo.org']],
  ['oo.com', [], ['https://foo.com']],
  ['*foo.com', [], ['https://foo.com', 'https://barfoo.com']],
  ['foo.com.', [], ['https://foo.com']],
  [':6443', [], ['https://foo.com:6443']],
  ['foo.com;bar.org', [], ['https://foo.com', 'https://bar.org']],
  ['foo.com bar.org', [], ['https://foo.com', 'https://bar.org']],
  ['bücher.example', ['https://xn--bcher-kva.example', 'https://bücher.example'], ['https://example']],
])('NO_PROXY=%j', (noProxy, direct, proxied) => {
  it('connects to the listed servers directly', () => {
    expect(direct.filter((server) => goesThroughProxy(server, noProxy))).toEqual([])
  })
  it('connects to the other servers through the proxy', () => {
    expect(proxied.filter((server) => !goesThroughProxy(server, noProxy))).toEqual([])
  })
})
