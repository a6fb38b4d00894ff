import { base64, kubeconfig, row, withCluster, type Row, type Setting } from './kubectl-rows.ts'

const plainUrl = ({ url, server }: Setting): string =>
  url.replace('https:', 'http:').replace(String(server.ports.tls), String(server.ports.plain))
/** An address of this machine that is not one of loopback, so that proxies apply to it. */
const proxied = (setting: Setting): Readonly<Record<string, unknown>> => ({
  server: setting.url.replace('127.0.0.1', '0.0.0.0'),
  ...{ 'insecure-skip-tls-verify': true, 'certificate-authority-data': undefined },
})
const untrusted = { 'certificate-authority-data': undefined }

const proxyVariables: readonly (readonly [name: string, more: NodeJS.ProcessEnv])[] = [
  ['HTTPS_PROXY', {}],
  ['https_proxy', {}],
  ['HTTP_PROXY', {}],
  ['ALL_PROXY', {}],
  ['HTTPS_PROXY', { NO_PROXY: '0.0.0.0/8' }],
  ['HTTPS_PROXY', { no_proxy: '0.0.0.0' }],
  ['HTTPS_PROXY', { NO_PROXY: '0.0.0.0:1' }],
  ['HTTPS_PROXY', { NO_PROXY: '10.0.0.0/8', no_proxy: '*' }],
  ['HTTPS_PROXY', { NO_PROXY: 'example.com, *' }],
  ['HTTPS_PROXY', { NO_PROXY: '.0.0.0' }],
  ['HTTPS_PROXY', { NO_PROXY: '0.0.0.0/8;10.0.0.0/8' }],
  ['HTTPS_PROXY', { https_proxy: 'http://127.0.0.1:1' }],
  ['HTTPS_PROXY', { REQUEST_METHOD: 'GET' }],
]

export const clusterRows: readonly Row[] = [
  withCluster('a trailing slash', ({ url }) => ({ server: `${url}//` })),
  withCluster('a query after the path', ({ url }) => ({ server: `${url}?a=b` })),
  withCluster('upper-case letters in the scheme', ({ url }) => ({ server: url.replace('https', 'HTTPS') })),
  withCluster('no TLS: without the token', (setting) => ({ server: plainUrl(setting) })),
  row('no TLS: without the plugin', (setting) =>
    kubeconfig(
      setting,
      {
        as: 'jane',
        exec: { command: 'nope', apiVersion: 'client.authentication.k8s.io/v1', interactiveMode: 'Never' },
      },
      { server: plainUrl(setting) },
    ),
  ),
  row('no TLS and no user', (setting) => kubeconfig(setting, {}, { server: plainUrl(setting) })),
  withCluster('no scheme', (setting) => ({ server: plainUrl(setting).replace(/^.*\/\/|\/row.*$/g, '') }), {
    difference: {
      action: 'refuses',
      why: 'kubectl connects without TLS and without credentials; a forgotten https:// is more likely',
    },
  }),
  withCluster('the scheme ftp', { server: 'ftp://127.0.0.1' }),
  withCluster('no port that listens', { server: 'https://127.0.0.1:1' }),
  withCluster('another authority', ({ dev }) => ({ 'certificate-authority-data': base64(dev.cert) })),
  withCluster('an authority that is not PEM', { 'certificate-authority-data': base64('hello') }),
  withCluster('an authority beside a damaged one', ({ server }) => ({
    'certificate-authority-data': base64(
      `-----BEGIN CERTIFICATE-----\nMIIg\n-----END CERTIFICATE-----\n${server.certificate.cert}`,
    ),
  })),
  withCluster('text before the authority', ({ server }) => ({
    'certificate-authority-data': base64(`subject: x\n${server.certificate.cert}`),
  })),
  withCluster('the authority twice', { 'certificate-authority': 'ca.crt' }),
  withCluster('an authority that is not used', { 'insecure-skip-tls-verify': true }),
  withCluster('no check of the certificate', { ...untrusted, 'insecure-skip-tls-verify': true }),
  withCluster('a text in place of true', { 'insecure-skip-tls-verify': 'true' }),
  ...['ca.crt', './ca.crt', '~/ca.crt', '$HOME/ca.crt', 'none.crt'].map((path) => ({
    title: `the authority in the file ${path}`,
    files: (setting: Setting) => ({
      config: kubeconfig(setting, undefined, { ...untrusted, 'certificate-authority': path }),
      'ca.crt': setting.server.certificate.cert,
    }),
  })),
  withCluster('tls-server-name of the certificate', { 'tls-server-name': 'localhost' }),
  withCluster('another tls-server-name', { 'tls-server-name': 'other.example' }),

  ...(['root', 'intermediate', 'server'] as const).map((which) =>
    withCluster(`a chain of which the ${which} alone is trusted`, ({ server: { chain } }) => ({
      'tls-server-name': 'chained.example',
      'certificate-authority-data': base64(which === 'server' ? chain.server.cert : chain[which]),
    })),
  ),
  withCluster('a certificate of the server that has a common name alone', ({ server: { nameless } }) => ({
    'tls-server-name': 'nameless.example',
    'certificate-authority-data': base64(nameless.cert),
  })),

  withCluster('no authority', untrusted, { isIsolated: true }),
  ...(['SSL_CERT_FILE', 'SSL_CERT_DIR'] as const).map((name) => ({
    title: `the authority in ${name}`,
    files: (setting: Setting) => ({
      config: kubeconfig(setting, undefined, untrusted),
      'roots/ca.crt': setting.server.certificate.cert,
    }),
    env: ({ folder }: Setting) => ({
      [name]: name === 'SSL_CERT_FILE' ? `${folder}/roots/ca.crt` : `/nonexistent:${folder}/roots`,
    }),
    isIsolated: true,
  })),

  ...['http', 'socks5', 'none'].map((kind) =>
    withCluster(
      `proxy-url with ${kind}`,
      ({ server: { ports } }) => ({
        'proxy-url':
          kind === 'http'
            ? `http://u:p%40@127.0.0.1:${String(ports.httpProxy)}`
            : kind === 'socks5'
              ? `socks5://127.0.0.1:${String(ports.socksProxy)}`
              : 'http://127.0.0.1:1',
      }),
      { env: () => ({ NO_PROXY: '*' }) },
    ),
  ),
  ...['127.0.0.1:3128', 'ftp://127.0.0.1', 'http://'].map((url) =>
    withCluster(`proxy-url ${url}`, { 'proxy-url': url }),
  ),
  withCluster(
    'proxy-url with socks5h',
    ({ server: { ports } }) => ({
      'proxy-url': `socks5h://127.0.0.1:${String(ports.socksProxy)}`,
    }),
    { difference: { action: 'asks', why: 'kubectl refuses the scheme here, and takes it in HTTPS_PROXY' } },
  ),

  ...proxyVariables.map(([name, more]) =>
    withCluster(`${name} with ${JSON.stringify(more)}`, proxied, {
      env: ({ server: { ports } }) => ({
        [name]: `http://u:p@127.0.0.1:${String(ports.httpProxy)}`,
        ...more,
      }),
    }),
  ),
  ...['127.0.0.1', 'socks5://127.0.0.1', 'socks5h://127.0.0.1'].map((address) =>
    withCluster(`HTTPS_PROXY=${address} with a port`, proxied, {
      env: ({ server: { ports } }) => ({
        HTTPS_PROXY: `${address}:${String(address.startsWith('socks') ? ports.socksProxy : ports.httpProxy)}`,
      }),
    }),
  ),
  ...['http://', 'no proxy', 'foo://127.0.0.1', 'socks4://127.0.0.1:1', 'http://127.0.0.1:1'].map((address) =>
    withCluster(`HTTPS_PROXY=${address}`, proxied, { env: () => ({ HTTPS_PROXY: address }) }),
  ),
  withCluster('HTTPS_PROXY and a server on loopback', {}, { env: () => ({ HTTPS_PROXY: 'http://127.0.0.1:1' }) }),
  withCluster(
    'HTTPS_PROXY and the server localhost',
    ({ url }) => ({ server: url.replace('127.0.0.1', 'localhost') }),
    { env: () => ({ HTTPS_PROXY: 'http://127.0.0.1:1' }) },
  ),

  ...['one:two', 'none:two', 'two:one', ':one:', 'one:one', 'none:gone'].map((list) => ({
    title: `KUBECONFIG=${list}`,
    files: (setting: Setting) => ({
      one: kubeconfig(setting, { token: 'one' }),
      two: kubeconfig(setting, { token: 'two', as: 'jane' }),
    }),
    env: ({ folder }: Setting) => ({ KUBECONFIG: list.replace(/\w+/g, (name) => `${folder}/${name}`) }),
  })),
  {
    title: 'KUBECONFIG of two files, one with the user alone',
    files: (setting) => ({
      one: JSON.stringify({ users: [{ name: 'dev', user: { token: 'first' } }] }),
      two: kubeconfig(setting, { token: 'two' }),
    }),
    env: ({ folder }) => ({ KUBECONFIG: `${folder}/one:${folder}/two` }),
  },
  {
    title: 'KUBECONFIG of two files, the second one broken',
    files: (setting) => ({ one: kubeconfig(setting), two: '{ not: [yaml' }),
    env: ({ folder }) => ({ KUBECONFIG: `${folder}/one:${folder}/two` }),
  },
  {
    title: 'no KUBECONFIG, and ~/.kube/config',
    files: (setting) => ({ '.kube/config': kubeconfig(setting) }),
    env: () => ({ KUBECONFIG: '' }),
  },
  {
    title: 'KUBECONFIG in the home folder, which no shell expanded',
    files: (setting) => ({ '.kube/config': kubeconfig(setting) }),
    env: () => ({ KUBECONFIG: '~/.kube/config' }),
  },
  { title: 'no kubeconfig at all', files: () => ({}), env: () => ({ KUBECONFIG: '' }) },
]
